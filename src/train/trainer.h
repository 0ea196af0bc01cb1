/* What trains, in memory: one update after another, and what validation changes about the next. It
 * knows no folder and writes nothing; the loop (train/loop.h) adds that. */
#ifndef ELMAN_TRAIN_TRAINER_H
#define ELMAN_TRAIN_TRAINER_H

#include "elman/config.h"
#include "train/checkpoint.h"
#include "train/schedule.h"

/* Looks at a batch: after its forward run (the loss may not be finite), and after its backward run,
 * the optimiser not yet having stepped. Changes nothing. */
typedef struct elman_trainer_watch {
    void *user;
    void (*forward)(void *user, elman_tape *tape, const elman_objective_batch *batch);
    void (*backward)(void *user, elman_tape *tape, const elman_objective_batch *batch);
} elman_trainer_watch;

typedef struct elman_trainer {
    elman_context *context;
    const elman_objective *objective;
    const elman_config *config; /* resolved, nothing auto */
    elman_optimizer *optimizer;
    elman_average *average; /* NULL: none */
    elman_schedule schedule;
    elman_tape *tape;
    elman_progress progress;          /* at its address checkpoints read where the run stands */
    int64_t updates;                  /* in an epoch */
    int64_t steps;                    /* in all */
    double rate, norm;                /* of the last update; the norm before clipping */
    elman_objective_batch batch;      /* the last that was recorded */
    const elman_trainer_watch *watch; /* NULL: nobody looks */
    bool observe;                     /* the tape's mode of that name */
} elman_trainer;

/* Updates of a whole run whose epoch has so many batches, if nothing ends it early. */
int64_t elman_trainer_steps(const elman_config *config, int64_t batches);

/* Begins at step 0 with the objective's weights. objective and config outlive it, and it stays
 * where it is. Ended by _close, also after a failure. */
elman_status elman_trainer_open(elman_context *context, const elman_objective *objective,
                                const elman_config *config, elman_trainer *trainer,
                                elman_error *error);
void elman_trainer_close(elman_trainer *trainer);
/* Goes to where a checkpoint stands; what elman_checkpoint_restore says. */
elman_status elman_trainer_restore(elman_trainer *trainer, const char *path,
                                   const char *configuration, elman_error *error);
/* The same from a checkpoint that was read before. `path` is for messages. */
elman_status elman_trainer_rewind(elman_trainer *trainer, const elman_safetensors *checkpoint,
                                  const char *path, const char *configuration, elman_error *error);

/* One update, of one or several batches. NUMERIC: its loss or gradient is not finite; the weights
 * are then as before. To be called within elman_pool_begin and _end. */
elman_status elman_trainer_update(elman_trainer *trainer, bool *ends_epoch, elman_error *error);
/* Whether a validation is due after that update. */
bool elman_trainer_due(const elman_trainer *trainer, bool ends_epoch);
/* Measures the validation part, and takes account of it in progress and schedule; patience may end
 * the run (progress.integers.finished). valid->count 0: there is none, nothing changed but
 * progress.integers.validated. NUMERIC, INTERRUPTED. */
elman_status elman_trainer_validate(elman_trainer *trainer, elman_validation *valid, bool *better,
                                    elman_error *error);
/* Every weight is finite (NUMERIC): an update may be what broke them, and the loss would tell only
 * at the next. */
elman_status elman_trainer_check(const elman_trainer *trainer, elman_error *error);

#endif
