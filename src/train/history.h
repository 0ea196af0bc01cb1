/* What metrics.jsonl says of a run, read back. */
#ifndef ELMAN_TRAIN_HISTORY_H
#define ELMAN_TRAIN_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "elman/context.h"
#include "elman/gradient_flow.h"
#include "elman/metrics.h"

/* Reals that a record does not hold, or holds as null, are NaN. */
typedef struct elman_history_interval {
    int64_t step;
    double epoch, loss, gradient_norm, lr, tokens_per_second, seconds;
} elman_history_interval;

typedef struct elman_history_validation {
    int64_t step;
    double epoch, loss, value, seconds; /* value: of the metric */
    bool best;
} elman_history_validation;

/* One layer's gradient by lag at one step, of --watch gradients; one norm at least is a number. */
typedef struct elman_history_gradient {
    int64_t step;
    char layer[ELMAN_FLOW_NAME];
    int64_t lags;
    double *norm;    /* [lags+1] relative to lag 0 */
    int64_t horizon; /* -1: beyond what was measured */
} elman_history_gradient;

/* `elman_history history = {0};` is the empty one. */
typedef struct elman_history {
    elman_history_interval *intervals;
    elman_history_validation *validations;
    elman_history_gradient *gradients; /* by step; within it in the order of the layers */
    size_t interval_count, validation_count, gradient_count;
    size_t interval_room, validation_room, gradient_room;
    char metric[ELMAN_METRIC_NAME]; /* the task's own figure; empty: none */
} elman_history;

/* Reads the log; one that is not there leaves *history empty. Records of other events are passed
 * over, and so are a layer of which nothing was measured and a last line that was cut. FORMAT: a
 * line that is no record, named; IO; MEMORY. What was read before a failure is kept, the caller's
 * to clear in any case. */
elman_status elman_history_read(elman_context *context, const char *path, elman_history *history,
                                elman_error *error);
/* The metrics.jsonl of a run's folder. */
elman_status elman_history_read_run(elman_context *context, const char *folder,
                                    elman_history *history, elman_error *error);
/* The log's bytes; path names it in errors. */
elman_status elman_history_parse(elman_context *context, const char *path, const void *bytes,
                                 size_t size, elman_history *history, elman_error *error);
void elman_history_clear(elman_context *context, elman_history *history);

#endif
