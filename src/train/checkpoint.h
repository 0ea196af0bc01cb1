/* checkpoint.safetensors: everything that resuming needs, in one file.
 *
 *   parameter.NAME          F32  the weights
 *   optimizer.SLOT.NAME     F32  what the optimiser keeps of each weight
 *   average.NAME            F32  the weights' moving average, where there is one
 *   progress.integers       I64  the integers of elman_progress, in its order
 *   progress.reals          F64  its reals
 *   state.…                      what the task carries from batch to batch
 * and in __metadata__ format, numerics (versions) and config (the SHA-256 of config.json). */
#ifndef ELMAN_TRAIN_CHECKPOINT_H
#define ELMAN_TRAIN_CHECKPOINT_H

#include <stdint.h>

#include "elman/optimizer.h"
#include "elman/safetensors.h"
#include "train/average.h"
#include "train/objective.h"

/* Where a run stands. */
typedef struct elman_progress {
    struct elman_progress_integers {
        int64_t step;               /* updates done */
        int64_t batch;              /* batches done in this epoch */
        int64_t epoch;              /* epochs done */
        int64_t validations_waited; /* since the best */
        int64_t plateau_waited;
        int64_t interval_tokens; /* predictions since the last interval record */
        int64_t interval_steps;
        int64_t metrics_bytes; /* of metrics.jsonl that belong to this checkpoint */
        int64_t finished;      /* the last step or early stopping was reached */
        int64_t validated;     /* the step of the last validation, -1: none */
    } integers;
    struct elman_progress_reals {
        double best;       /* the validation loss of the best weights, NaN: none */
        double best_score; /* their score, NaN: none */
        double best_value; /* their metric */
        double last;       /* the last validation loss, NaN: none */
        double last_value; /* its metric */
        double plateau_scale;
        double interval_sum;  /* nats since the last interval record */
        double interval_norm; /* sum of gradient norms since then */
        double seconds;       /* trained so far */
    } reals;
} elman_progress;

/* What trains: all that lies in tensors. */
typedef struct elman_trained {
    const elman_objective *objective;
    elman_optimizer *optimizer;
    elman_average *average; /* NULL: none */
} elman_trained;

/* A checkpoint writer whose tensors were named once; `progress` is read at each write.
 * configuration: the SHA-256 of config.json. */
elman_status elman_checkpoint_create(elman_context *context, const elman_trained *trained,
                                     const elman_progress *progress, const char *configuration,
                                     elman_safetensors_writer **writer, elman_error *error);

/* Puts everything back from a file. `most` bounds the integers of where the run may stand. FORMAT:
 * a tensor missing or of another shape or type, a place outside the run; UNSUPPORTED: other
 * versions of the format or the numerics; DATA: config.json is not the one it was written under. On
 * an error the run must not go on. */
elman_status elman_checkpoint_restore(elman_context *context, const char *path,
                                      const elman_trained *trained, const char *configuration,
                                      const elman_progress *most, elman_progress *progress,
                                      elman_error *error);
/* The same from a file that was read before; `path` is for messages. */
elman_status elman_checkpoint_take(const elman_safetensors *file, const char *path,
                                   const elman_trained *trained, const char *configuration,
                                   const elman_progress *most, elman_progress *progress,
                                   elman_error *error);

#endif
