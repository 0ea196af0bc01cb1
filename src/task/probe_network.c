/* The network of the task probe: an encoder of the examples' numbers that answers at the last step,
 * or (copy) at each. */
#include <inttypes.h>

#include "base/error.h"
#include "base/pool.h"
#include "elman/op.h"
#include "graph/tape_impl.h"
#include "task/probe_impl.h"

enum {
    ROUND = 64,
    ROUND_STEPS = 32768
}; /* examples, and steps at most, that are measured at once */

elman_status elman_probe_build(elman_probe_network *n, const elman_config *config, bool train,
                               elman_error *error)
{
    ELMAN_TRY(elman_probe_task_of(config, &n->task, error));
    int64_t inputs = elman_probe_inputs(&n->task), outputs = elman_probe_outputs(&n->task);
    if (config->inputs != inputs || config->outputs != outputs)
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "network: found %" PRId64 " inputs and %" PRId64
                          " outputs, expected %" PRId64 " and %" PRId64 " as the probe has them",
                          config->inputs, config->outputs, inputs, outputs);
    elman_config each = *config;
    if (elman_probe_each_step(&n->task))
        each.pool[0] = 0;
    return elman_encoder_create(n->context, &each, train, &n->encoder, error);
}

void elman_probe_forward(elman_tape *tape, const elman_probe_network *n,
                         const elman_probe_draw *draw, elman_probe_batch *batch)
{
    int64_t T = elman_probe_steps(&n->task, draw->lag), B = draw->count;
    bool each = elman_probe_each_step(&n->task);
    *batch = (elman_probe_batch){0};
    uint32_t *names = elman_tape_take(tape, (size_t)B, sizeof *names);
    for (int64_t b = 0; names && b < B; b++)
        names[b] = (uint32_t)(draw->first + (uint64_t)b);
    batch->sequences = names ? elman_tape_sequences(tape, T, B, NULL, names, 0) : NULL;
    if (!batch->sequences)
        return;
    float *inputs = elman_tape_floats(tape, (size_t)(T * B * elman_probe_inputs(&n->task)));
    float *numbers = elman_tape_floats(tape, (size_t)B);
    int32_t *classes = elman_tape_take(tape, each ? (size_t)(T * B) : 1, sizeof *classes);
    if (!inputs || !numbers || !classes)
        return;
    elman_probe_examples(&n->task, draw, inputs, numbers, classes);
    elman_encoder_batch read = {.sequences = batch->sequences, .vectors = inputs};
    batch->numbers = numbers;
    batch->classes = classes;
    batch->answer = elman_encoder_forward(tape, n->encoder, &read, NULL);
}

elman_var *elman_probe_cost(elman_tape *tape, const elman_probe_network *n,
                            const elman_probe_batch *batch, elman_probe_loss *loss)
{
    const elman_sequences *s = batch->sequences;
    elman_reduction reduction = loss->mean ? ELMAN_REDUCTION_MEAN : ELMAN_REDUCTION_SUM;
    loss->sum = 0.0;
    loss->count = s ? (uint64_t)s->B : 0;
    if (!batch->answer)
        return NULL;
    if (elman_probe_each_step(&n->task)) {
        elman_class_loss_options how;
        elman_class_loss_options_default(&how);
        how.reduction = reduction;
        how.scale = loss->scale;
        int64_t from = loss->last ? s->T - 1 : 0; /* all sequences are of one length */
        loss->count *= (uint64_t)(s->T - from);
        return elman_class_loss(tape, elman_steps(tape, batch->answer, from * s->B, s->N),
                                batch->classes + from * s->B, &how, &loss->sum);
    }
    elman_element_loss_options how;
    elman_element_loss_options_default(&how);
    how.kind = n->task.kind == ELMAN_PROBE_PARITY ? ELMAN_LOSS_BINARY : ELMAN_LOSS_SQUARED;
    how.reduction = reduction;
    how.scale = loss->scale;
    return elman_element_loss(tape, batch->answer, batch->numbers, NULL, &how, &loss->sum);
}

static bool asks_classes(const elman_probe_task *task)
{
    return task->kind == ELMAN_PROBE_COPY || task->kind == ELMAN_PROBE_PARITY;
}

const char *elman_probe_metric(const elman_probe_task *task)
{
    return asks_classes(task) ? "accuracy" : "r2";
}

double elman_probe_solved(const elman_probe_task *task)
{
    return task->kind == ELMAN_PROBE_ADDING ? 0.94 : 0.99;
}

/* --- measured ----------------------------------------------------------------------------- */

static int32_t highest(const float *row, int64_t K)
{
    int32_t best = 0;
    for (int32_t k = 1; k < (int32_t)K; k++)
        best = row[k] > row[best] ? k : best;
    return best;
}

/* Right answers: parities, or symbols at the steps that recall. */
static int64_t count_right(const elman_probe_network *n, const elman_probe_batch *batch,
                           int64_t *asked)
{
    const float *answers = elman_var_value(batch->answer)->data;
    const elman_sequences *s = batch->sequences;
    int64_t right = 0, K = elman_probe_outputs(&n->task);
    *asked = s->B;
    if (!elman_probe_each_step(&n->task)) {
        for (int64_t b = 0; b < s->B; b++)
            right += (answers[b] > 0.0F) == (batch->numbers[b] > 0.5F);
        return right;
    }
    int64_t first = (s->T - ELMAN_PROBE_RECALLED) * s->B;
    *asked = s->N - first;
    for (int64_t row = first; row < s->N; row++)
        right += highest(answers + row * K, K) == batch->classes[row];
    return right;
}

static elman_status measure(elman_tape *tape, const elman_probe_network *n, elman_probe_draw draw,
                            const volatile sig_atomic_t *stop, elman_probe_result *r,
                            elman_error *error)
{
    elman_tape_mode mode;
    elman_tape_mode_default(&mode);
    mode.record = false;
    double sum = 0.0;
    int64_t right = 0, all = 0, asked, T = elman_probe_steps(&n->task, draw.lag);
    int64_t most = T * ROUND > ROUND_STEPS ? ROUND_STEPS / T : ROUND;
    for (; draw.first < ELMAN_PROBE_VALID_EXAMPLES; draw.first += (uint64_t)draw.count) {
        int64_t left = ELMAN_PROBE_VALID_EXAMPLES - (int64_t)draw.first;
        draw.count = most < 1 ? 1 : most < left ? most : left;
        if (stop && *stop)
            return elman_fail(error, ELMAN_ERROR_INTERRUPTED, "stopped while validating");
        elman_probe_batch batch;
        elman_probe_loss loss = {.scale = 1.0};
        elman_tape_begin(tape, &mode);
        elman_probe_forward(tape, n, &draw, &batch);
        elman_probe_cost(tape, n, &batch, &loss);
        ELMAN_TRY(elman_tape_status(tape, error));
        right += count_right(n, &batch, &asked);
        all += asked;
        sum += loss.sum;
        r->count += loss.count;
    }
    r->loss = sum / (double)r->count;
    r->value = asks_classes(&n->task) ? (double)right / (double)all
                                      : 1.0 - r->loss / elman_probe_guess(&n->task, draw.lag);
    return ELMAN_OK;
}

elman_status elman_probe_measure(elman_tape *tape, const elman_probe_network *n, uint64_t seed,
                                 int64_t lag, const volatile sig_atomic_t *stop,
                                 elman_probe_result *result, elman_error *error)
{
    elman_probe_draw draw = {.seed = seed, .stream = ELMAN_PROBE_VALID, .lag = lag};
    *result = (elman_probe_result){0};
    elman_pool_begin(n->context);
    elman_status status = measure(tape, n, draw, stop, result, error);
    elman_pool_end(n->context);
    elman_tape_begin(tape, NULL); /* what grew here becomes one block here */
    return status;
}
