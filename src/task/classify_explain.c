/* How far each word or step moved an answer: gradients of log p with respect to what the layers
 * read, word by word. */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/float_environment.h"
#include "base/memory.h"
#include "base/pool.h"
#include "elman/op.h"
#include "graph/tape_impl.h"
#include "task/classify_impl.h"

/* x [N,I]: what the layers read; sum [N,I]: gradients along the way. Where word counts are read
 * too, extras [K], what they say, with their gradients, and words [N,K], what each word adds. */
typedef struct way {
    elman_classifier *c;
    int32_t label;
    size_t N, I, K;
    float *memory, *x, *sum, *point;
    float *extras, *extras_sum, *extras_point, *words;
} way;

/* The inputs of the example, at their end of the way. */
static elman_status take_inputs(way *w, elman_error *error)
{
    static const int64_t first = 0;
    elman_classifier *c = w->c;
    elman_encoder_batch batch;
    elman_tape_mode mode;
    elman_tape_mode_default(&mode);
    mode.record = false;
    elman_tape_begin(c->tape, &mode);
    elman_var *x = NULL;
    if (elman_classify_record(c->tape, &c->network, &c->examples, &first, 1, NULL, &batch))
        x = elman_encoder_inputs(c->tape, c->network.encoder, &batch);
    ELMAN_TRY(elman_tape_status(c->tape, error));
    const elman_tensor *value = elman_var_value(x);
    w->N = (size_t)value->shape[0];
    w->I = (size_t)value->shape[1];
    w->K = c->network.scores ? (size_t)c->network.labels.count : 0;
    size_t inputs = w->N * w->I;
    w->memory =
        elman_allocate_zero(c->context, 3 * (inputs + w->K) + w->N * w->K + 1, sizeof *w->memory);
    if (!w->memory)
        return elman_out_of_memory(error);
    w->x = w->memory;
    w->sum = w->x + inputs;
    w->point = w->sum + inputs;
    w->extras = w->point + inputs;
    w->extras_sum = w->extras + w->K;
    w->extras_point = w->extras_sum + w->K;
    w->words = w->extras_point + w->K;
    memcpy(w->x, value->data, inputs * sizeof *w->x);
    if (w->K) {
        memcpy(w->extras, batch.extras, w->K * sizeof *w->extras);
        elman_word_scores_each(c->network.scores, &c->examples.sentences, 0, w->words);
    }
    return ELMAN_OK;
}

/* sum += d log p(label) / d inputs, at share * x; the same of the extras. */
static elman_status add_gradient(way *w, double share, elman_error *error)
{
    static const int64_t first = 0;
    elman_classifier *c = w->c;
    elman_encoder_batch batch;
    elman_tape_begin(c->tape, NULL);
    for (size_t i = 0; i < w->N * w->I; i++)
        w->point[i] = (float)((double)w->x[i] * share);
    for (size_t i = 0; i < w->K; i++)
        w->extras_point[i] = (float)((double)w->extras[i] * share);
    elman_var *x = NULL, *loss = NULL;
    if (elman_classify_record(c->tape, &c->network, &c->examples, &first, 1, NULL, &batch)) {
        x = elman_tape_leaf(c->tape, 2, (int64_t[]){(int64_t)w->N, (int64_t)w->I}, w->point);
        if (w->K)
            batch.extras_var =
                elman_tape_leaf(c->tape, 2, (int64_t[]){1, (int64_t)w->K}, w->extras_point);
        elman_var *logits = elman_encoder_forward(c->tape, c->network.encoder, &batch, x);
        float inverse =
            (float)(1.0 / (double)elman_parameter_value(c->network.temperature)->data[0]);
        loss =
            elman_class_loss(c->tape, elman_scale(c->tape, logits, inverse), &w->label, NULL, NULL);
    }
    ELMAN_TRY(elman_tape_status(c->tape, error));
    ELMAN_TRY(elman_tape_backward(c->tape, loss, error));
    const float *gradient = elman_var_gradient(x);
    for (size_t i = 0; gradient && i < w->N * w->I; i++)
        w->sum[i] -= gradient[i];
    gradient = elman_var_gradient(batch.extras_var);
    for (size_t i = 0; gradient && i < w->K; i++)
        w->extras_sum[i] -= gradient[i];
    return ELMAN_OK;
}

/* gradient . x of one row, and of what the row's word adds to the extras. */
static double row_product(const way *w, size_t row)
{
    double sum = 0;
    for (size_t i = 0; i < w->I; i++)
        sum += (double)w->sum[row * w->I + i] * (double)w->x[row * w->I + i];
    for (size_t k = 0; k < w->K; k++)
        sum += (double)w->extras_sum[k] * (double)w->words[row * w->K + k];
    return sum;
}

static elman_status explain(way *w, int steps, elman_contribution *contributions,
                            elman_error *error)
{
    ELMAN_TRY(add_gradient(w, 1, error));
    for (size_t row = 0; row < w->N; row++)
        contributions[row].gradient = row_product(w, row);
    memset(w->sum, 0, w->N * w->I * sizeof *w->sum);
    memset(w->extras_sum, 0, w->K * sizeof *w->extras_sum);
    for (int s = 0; s < steps; s++)
        ELMAN_TRY(add_gradient(w, ((double)s + 0.5) / (double)steps, error));
    for (size_t row = 0; row < w->N; row++)
        contributions[row].integrated_gradient = row_product(w, row) / (double)steps;
    return ELMAN_OK;
}

elman_status elman_classifier_explain(elman_classifier *c, int32_t label, int steps,
                                      elman_contribution *contributions, size_t capacity,
                                      size_t *count, elman_error *error)
{
    bool words = c->examples.words;
    int64_t held = words ? c->examples.sentences.count : c->examples.vectors.vectors.count;
    if (held != 1)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "explain: no answer stands; ask for one first");
    if (label < 0 || label >= c->network.labels.count || steps < 1)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "explain: label %" PRId32 " and %d steps; expected a label below %" PRId32
                          " and at least 1 step",
                          label, steps, c->network.labels.count);
    int64_t length = words ? elman_sentences_length(&c->examples.sentences, 0)
                           : elman_vectors_length(&c->examples.vectors.vectors, 0);
    *count = (size_t)length;
    if (*count > capacity)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "explain: room for %zu contributions, there are %zu", capacity, *count);
    for (size_t i = 0; i < *count; i++) {
        const elman_word *word = words ? &c->examples.splitter.words[i] : NULL;
        contributions[i] =
            (elman_contribution){.begin = word ? word->begin : i, .end = word ? word->end : i};
    }
    if (!*count)
        return ELMAN_OK;
    way w = {.c = c, .label = label};
    elman_float_environment modes = elman_float_begin();
    elman_pool_begin(c->context);
    elman_status status = take_inputs(&w, error);
    if (status == ELMAN_OK)
        status = explain(&w, steps, contributions, error);
    elman_pool_end(c->context);
    elman_float_end(modes);
    elman_release(c->context, w.memory);
    return status;
}
