/* The learning rate as a function of step, epoch and what validation said. */
#ifndef ELMAN_TRAIN_SCHEDULE_H
#define ELMAN_TRAIN_SCHEDULE_H

#include <stdint.h>

#include "elman/status.h"

typedef enum elman_schedule_kind {
    ELMAN_SCHEDULE_CONSTANT,
    ELMAN_SCHEDULE_STEP,   /* step:FACTOR:AFTER  times FACTOR at each epoch after the AFTER-th */
    ELMAN_SCHEDULE_COSINE, /* cosine             lr/2 (1 + cos(pi s/S)), Loshchilov & Hutter 2017 */
    ELMAN_SCHEDULE_PLATEAU /* plateau[:FACTOR[:PATIENCE]]  times FACTOR (0.5) after more than
                            * PATIENCE (0) validations in a row without a better one */
} elman_schedule_kind;

typedef struct elman_schedule {
    elman_schedule_kind kind;
    double base; /* the learning rate at its height */
    double factor;
    int64_t after;  /* AFTER or PATIENCE */
    int64_t warmup; /* steps of linear warm-up from base/warmup */
    int64_t steps;  /* S, all steps of the run */
    double scale;   /* plateau's state: the product of factors so far */
    int64_t waited; /* plateau's state: validations since the best */
} elman_schedule;

/* Fills kind, factor and after from text; ARGUMENT names what was found and what is known. */
elman_status elman_schedule_parse(const char *text, elman_schedule *schedule, elman_error *error);

/* The rate for update number `step` (0-based) in epoch number `epoch` (0-based). */
double elman_schedule_rate(const elman_schedule *schedule, int64_t step, int64_t epoch);

/* To be told after each validation whether it was the best so far. */
void elman_schedule_validated(elman_schedule *schedule, int better);

#endif
