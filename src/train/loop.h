/* The training loop: updates, validations, checkpoints, early stopping, metrics. */
#ifndef ELMAN_TRAIN_LOOP_H
#define ELMAN_TRAIN_LOOP_H

#include "elman/task.h"
#include "train/objective.h"

typedef struct elman_loop_options {
    const elman_config *config; /* resolved, nothing auto */
    const char *folder;         /* MODEL; stands already, and this process holds its lock */
    const char *configuration;  /* SHA-256 of its config.json: a checkpoint belongs to it */
    bool resume;                /* a checkpoint stands there and is to be continued */
    int64_t checkpoint_every;   /* updates; 0: at each validation */
    bool watch;                 /* the gradients, into metrics.jsonl */
    const char *tensorboard;    /* folder for event files (train/board.h); NULL: none */
    void (*progress)(void *user, const elman_train_progress *progress); /* may be NULL */
    void *user;
    const volatile sig_atomic_t *stop; /* may be NULL */
} elman_loop_options;

/* Whether the training options fit each other, before anything is written. ARGUMENT. */
elman_status elman_loop_check(const elman_config *config, elman_error *error);

/* Runs until the last step, early stopping, an error or `stop`. */
elman_status elman_loop_run(elman_context *context, const elman_objective *objective,
                            const elman_loop_options *options, elman_error *error);

#endif
