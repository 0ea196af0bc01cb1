/* What the two halves of the task probe share: its network, and how it is measured. */
#ifndef ELMAN_TASK_PROBE_IMPL_H
#define ELMAN_TASK_PROBE_IMPL_H

#include <signal.h>

#include "elman/encoder.h"
#include "elman/predict.h"
#include "elman/tape.h"
#include "task/probe_data.h"

enum { ELMAN_PROBE_VALID_EXAMPLES = 500 };

typedef struct elman_probe_network {
    elman_context *context;
    elman_probe_task task;
    elman_encoder *encoder;
} elman_probe_network;

/* What config says, nothing auto; its inputs and outputs must be the task's (FORMAT). The values
 * are cleared. Freed by elman_encoder_free. */
elman_status elman_probe_build(elman_probe_network *network, const elman_config *config, bool train,
                               elman_error *error);

/* Examples as they stand on a tape, for the length of its round. */
typedef struct elman_probe_batch {
    const elman_sequences *sequences;
    elman_var *answer;      /* [B,1], or [N,outputs] where each step is asked */
    const float *numbers;   /* [B], or */
    const int32_t *classes; /* [N] */
} elman_probe_batch;

/* Draws examples and runs the network over them; an error is the tape's. */
void elman_probe_forward(elman_tape *tape, const elman_probe_network *network,
                         const elman_probe_draw *draw, elman_probe_batch *batch);

/* The loss of the examples: times `scale` their mean over answers, or (mean false) their sum, of
 * every answer or (last) the last of each sequence. *sum is unscaled, *count the answers. */
typedef struct elman_probe_loss {
    double scale;
    bool mean, last;
    double sum;
    uint64_t count;
} elman_probe_loss;
elman_var *elman_probe_cost(elman_tape *tape, const elman_probe_network *network,
                            const elman_probe_batch *batch, elman_probe_loss *loss);

typedef struct elman_probe_result {
    double loss;    /* an answer */
    double value;   /* of the metric */
    uint64_t count; /* answers */
} elman_probe_result;

/* Over the first ELMAN_PROBE_VALID_EXAMPLES of the stream for validation. INTERRUPTED by *stop (may
 * be NULL). */
elman_status elman_probe_measure(elman_tape *tape, const elman_probe_network *network,
                                 uint64_t seed, int64_t lag, const volatile sig_atomic_t *stop,
                                 elman_probe_result *result, elman_error *error);

/* "accuracy" of parities, and of the symbols to recall but not of blanks; of numbers "r2", which is
 * 1 - loss / loss of guessing. */
const char *elman_probe_metric(const elman_probe_task *task);
/* The metric from which on the task counts as solved: 0.99, and 0.94 under adding, which is a loss
 * of 0.01. */
double elman_probe_solved(const elman_probe_task *task);

/* Of elman_task: the model in use. */
elman_status elman_probe_open(elman_context *context, const char *folder,
                              const elman_config_file *file, void **model, elman_error *error);
elman_status elman_probe_eval(void *model, const char *const *paths, int count, bool test,
                              elman_metrics *metrics, elman_error *error);
elman_status elman_probe_predict(void *model, const elman_predict_options *options,
                                 const elman_lines *lines, elman_error *error);
elman_status elman_probe_set_lag(void *model, int64_t lag, elman_error *error);
void elman_probe_close(void *model);

#endif
