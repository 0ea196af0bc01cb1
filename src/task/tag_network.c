/* The network of the task tag: an encoder that answers at every step, with or without a conditional
 * random field over its answers (Huang et al. 2015, "Bidirectional LSTM-CRF Models for Sequence
 * Tagging"; Lample et al. 2016). */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/pool.h"
#include "elman/op.h"
#include "graph/tape_impl.h"
#include "kernel/kernels.h"
#include "task/tag_impl.h"

enum { ROUND = 64 }; /* examples answered together; no answer depends on it */

void elman_tag_network_init(elman_tag_network *n, elman_context *context)
{
    *n = (elman_tag_network){.context = context};
    elman_lexicon_init(&n->lexicon, context);
    elman_labels_init(&n->labels, context);
}

void elman_tag_network_free(elman_tag_network *n)
{
    elman_encoder_free(n->encoder);
    elman_lexicon_free(&n->lexicon);
    elman_labels_free(&n->labels);
}

static elman_status add_frozen(elman_parameters *set, const char *name, int64_t count, float value,
                               elman_parameter **parameter, elman_error *error)
{
    ELMAN_TRY(elman_parameters_add(set, name, 1, &count, parameter, error));
    elman_parameter_freeze(*parameter);
    float *values = elman_parameter_edit(*parameter);
    for (int64_t i = 0; i < count; i++)
        values[i] = value;
    return ELMAN_OK;
}

elman_status elman_tag_build(elman_tag_network *n, const elman_config *config, bool train,
                             elman_error *error)
{
    elman_config each_step = *config;
    each_step.pool[0] = 0;
    ELMAN_TRY(elman_encoder_create(n->context, &each_step, train, &n->encoder, error));
    elman_parameters *set = elman_encoder_parameters(n->encoder);
    n->crf = config->crf;
    if (config->crf)
        ELMAN_TRY(elman_crf_create(set, "crf", config->outputs, &n->chain, error));
    if (config->vocabulary) {
        if (config->freeze_embeddings) /* whether or not their file is read, as where resumed */
            elman_parameter_freeze(elman_parameters_find(set, "embedding.weight"));
        return ELMAN_OK;
    }
    ELMAN_TRY(add_frozen(set, "input.mean", config->inputs, 0, &n->mean, error));
    return add_frozen(set, "input.deviation", config->inputs, 1, &n->deviation, error);
}

elman_status elman_tag_save(const elman_tag_network *n, const char *folder, elman_error *error)
{
    ELMAN_TRY(elman_lexicon_save(&n->lexicon, folder, error));
    return elman_labels_save(&n->labels, folder, error);
}

elman_status elman_tag_load(elman_tag_network *n, const char *folder, const elman_config *config,
                            elman_error *error)
{
    if (config->vocabulary)
        ELMAN_TRY(elman_lexicon_load(&n->lexicon, folder, config, error));
    ELMAN_TRY(elman_labels_load(&n->labels, folder, error));
    if (n->labels.count == config->outputs)
        return ELMAN_OK;
    return elman_fail(error, ELMAN_ERROR_FORMAT,
                      "%s/labels.json: found %" PRId32 " labels, expected %" PRId64
                      " as in config.json",
                      folder, n->labels.count, config->outputs);
}

bool elman_tag_record(elman_tape *tape, const elman_tag_network *n, elman_tag_examples *e,
                      const int64_t *numbers, int64_t count, const elman_disturbance *training,
                      elman_encoder_batch *batch)
{
    if (e->words)
        return elman_sentences_record(tape, &e->sentences, numbers, count,
                                      training ? &training->words : NULL, batch);
    return elman_vectors_record(tape, &e->vectors.vectors, numbers, count,
                                elman_parameter_value(n->mean)->data,
                                elman_parameter_value(n->deviation)->data, batch) &&
           (!training || elman_vectors_disturb(tape, numbers, e->vectors.vectors.width,
                                               &training->noise, batch));
}

int32_t *elman_tag_targets(elman_tape *tape, const elman_tag_examples *e, const int64_t *numbers,
                           const elman_sequences *s, int64_t *labelled)
{
    int32_t *targets = elman_tape_take(tape, (size_t)s->N, sizeof *targets);
    *labelled = 0;
    for (int64_t t = 0; targets && t < s->T; t++)
        for (int64_t p = 0; p < s->batch_sizes[t]; p++) {
            int32_t label = e->labels[elman_tag_start(e, numbers[s->order[p]]) + t];
            targets[s->offsets[t] + p] = label < 0 ? ELMAN_IGNORE_TARGET : label;
            *labelled += label >= 0;
        }
    return targets;
}

/* One round of answers. */
typedef struct round_of {
    elman_tape *tape;
    const elman_tag_network *network;
    elman_tag_examples *examples;
    int64_t numbers[ROUND], count;
    const elman_sequences *sequences;
} round_of;

static int32_t highest(const float *row, int64_t K)
{
    int32_t best = 0;
    for (int32_t k = 1; k < (int32_t)K; k++)
        best = row[k] > row[best] ? k : best;
    return best;
}

/* Tags and probabilities as packed rows. */
static void answer_packed(const round_of *r, const elman_var *logits, int32_t *tags,
                          const float **probabilities)
{
    int64_t K = r->network->labels.count, N = r->sequences->N;
    if (r->network->crf) {
        elman_crf_decode_packed(r->tape, &r->network->chain, logits, r->sequences, tags, NULL);
        if (!probabilities)
            return;
        const elman_var *p = elman_crf_marginals(r->tape, &r->network->chain, logits, r->sequences);
        *probabilities = p ? elman_var_value(p)->data : NULL;
        return;
    }
    const float *rows = elman_var_value(logits)->data;
    for (int64_t i = 0; i < N; i++)
        tags[i] = highest(rows + i * K, K);
    if (!probabilities)
        return;
    float *out = elman_tape_floats(r->tape, (size_t)(N * K));
    const elman_math_kernels *k = elman_kernels_of(r->network->context)->math;
    for (int64_t i = 0; out && i < N; i++)
        k->softmax_row(out + i * K, rows + i * K, (size_t)K);
    *probabilities = out;
}

/* From packed rows to examples in their order. */
static void put_in_order(const round_of *r, const int32_t *tags, const float *probabilities,
                         elman_tag_answer *answer)
{
    const elman_sequences *s = r->sequences;
    size_t K = (size_t)r->network->labels.count;
    int64_t first = elman_tag_start(r->examples, r->numbers[0]);
    for (int64_t t = 0; t < s->T; t++)
        for (int64_t p = 0; p < s->batch_sizes[t]; p++) {
            int64_t row = s->offsets[t] + p;
            int64_t step = elman_tag_start(r->examples, r->numbers[s->order[p]]) + t - first;
            answer->tags[step] = tags[row];
            if (probabilities)
                memcpy(answer->probabilities + (size_t)step * K, probabilities + (size_t)row * K,
                       K * sizeof *probabilities);
        }
}

static void measure(const round_of *r, elman_var *logits, elman_tag_answer *answer)
{
    int64_t labelled;
    double sum = 0;
    int32_t *targets = elman_tag_targets(r->tape, r->examples, r->numbers, r->sequences, &labelled);
    if (!targets)
        return;
    if (r->network->crf) {
        elman_crf_loss(r->tape, &r->network->chain, logits, targets, r->sequences, 1, &sum);
    } else {
        const elman_math_kernels *k = elman_kernels_of(r->network->context)->math;
        const float *rows = elman_var_value(logits)->data;
        size_t K = (size_t)r->network->labels.count;
        for (int64_t i = 0; i < r->sequences->N; i++)
            if (targets[i] >= 0)
                sum += k->cross_entropy_loss(rows + (size_t)i * K, K, (size_t)targets[i]);
    }
    answer->nats += sum;
    answer->labelled += labelled;
}

/* That logits [N,K], and what became of them, are numbers. */
static elman_status check_finite(const round_of *r, const elman_var *logits,
                                 const float *probabilities, elman_error *error)
{
    const elman_math_kernels *k = elman_kernels_of(r->network->context)->math;
    size_t count = (size_t)r->sequences->N * (size_t)r->network->labels.count;
    if (k->first_nonfinite(elman_var_value(logits)->data, count) == count &&
        (!probabilities || k->first_nonfinite(probabilities, count) == count))
        return ELMAN_OK;
    return elman_fail(error, ELMAN_ERROR_NUMERIC,
                      "the model's answer is not finite; its weights are damaged");
}

static elman_status answer_round(round_of *r, bool measured, elman_tag_answer *answer,
                                 elman_error *error)
{
    elman_encoder_batch batch;
    elman_tape_mode mode;
    elman_tape_mode_default(&mode);
    mode.record = false;
    elman_tape_begin(r->tape, &mode);
    elman_var *logits = NULL;
    if (elman_tag_record(r->tape, r->network, r->examples, r->numbers, r->count, NULL, &batch))
        logits = elman_encoder_forward(r->tape, r->network->encoder, &batch, NULL);
    r->sequences = batch.sequences;
    int32_t *tags =
        logits ? elman_tape_take(r->tape, (size_t)batch.sequences->N, sizeof *tags) : NULL;
    elman_status status = ELMAN_OK;
    if (tags) {
        const float *probabilities = NULL;
        answer_packed(r, logits, tags, answer->probabilities ? &probabilities : NULL);
        if (measured)
            measure(r, logits, answer);
        else if (!elman_tape_failed(r->tape))
            status = check_finite(r, logits, probabilities, error);
        if (!elman_tape_failed(r->tape))
            put_in_order(r, tags, probabilities, answer);
    }
    return status == ELMAN_OK ? elman_tape_status(r->tape, error) : status;
}

elman_status elman_tag_answers(elman_tape *tape, const elman_tag_network *n, elman_tag_examples *e,
                               const elman_tag_range *range, elman_tag_answer *answer,
                               elman_error *error)
{
    round_of r = {.tape = tape, .network = n, .examples = e};
    elman_tag_answer at = *answer;
    elman_status status = ELMAN_OK;
    at.nats = 0;
    at.labelled = 0;
    elman_pool_begin(n->context);
    for (int64_t i = range->first; status == ELMAN_OK && i < range->end; i += r.count) {
        r.count = range->end - i < ROUND ? range->end - i : ROUND;
        for (int64_t j = 0; j < r.count; j++)
            r.numbers[j] = i + j;
        status = range->stop && *range->stop
                     ? elman_fail(error, ELMAN_ERROR_INTERRUPTED, "stopped while validating")
                     : answer_round(&r, range->measure, &at, error);
        int64_t steps = elman_tag_start(e, i + r.count) - elman_tag_start(e, i);
        at.tags += steps;
        if (at.probabilities)
            at.probabilities += steps * n->labels.count;
    }
    elman_pool_end(n->context);
    elman_tape_begin(tape, NULL); /* what grew here becomes one block here */
    answer->nats = at.nats;
    answer->labelled = at.labelled;
    return status;
}
