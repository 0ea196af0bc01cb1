/* The network of the task classify: an encoder that pools, its labels and its temperature. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/pool.h"
#include "graph/tape_impl.h"
#include "task/classify_impl.h"

enum { ROUND = 64 }; /* examples answered together; no answer depends on it */

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

elman_status elman_classify_build(elman_classify_network *n, const elman_config *config, bool train,
                                  elman_error *error)
{
    if (!config->pool[0])
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "pool: found none, expected one or more of last, mean, max, attention");
    if (config->extras && (!config->vocabulary || config->extras != config->outputs))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "extras: found %" PRId64 ", expected none, or of texts %" PRId64
                          " as there are labels",
                          config->extras, config->outputs);
    ELMAN_TRY(elman_encoder_create(n->context, config, train, &n->encoder, error));
    elman_parameters *set = elman_encoder_parameters(n->encoder);
    if (!config->vocabulary) {
        ELMAN_TRY(add_frozen(set, "input.mean", config->inputs, 0, &n->mean, error));
        ELMAN_TRY(add_frozen(set, "input.deviation", config->inputs, 1, &n->deviation, error));
    } else if (config->freeze_embeddings)
        elman_parameter_freeze(elman_parameters_find(set, "embedding.weight"));
    if (config->extras) {
        n->scores = elman_allocate_zero(n->context, 1, sizeof *n->scores);
        if (!n->scores)
            return elman_out_of_memory(error);
        n->scores->context = n->context;
        ELMAN_TRY(
            elman_word_scores_create(n->scores, set, config->outputs, config->vocabulary, error));
    }
    return add_frozen(set, "temperature", 1, 1, &n->temperature, error);
}

void elman_classify_network_free(elman_classify_network *n)
{
    elman_encoder_free(n->encoder);
    if (n->scores)
        elman_word_scores_free(n->scores);
    elman_release(n->context, n->scores);
    elman_lexicon_free(&n->lexicon);
    elman_labels_free(&n->labels);
}

elman_status elman_classify_save(const elman_classify_network *n, const char *folder,
                                 elman_error *error)
{
    if (n->lexicon.words)
        ELMAN_TRY(elman_lexicon_save(&n->lexicon, folder, error));
    return elman_labels_save(&n->labels, folder, error);
}

elman_status elman_classify_load(elman_classify_network *n, const char *folder,
                                 const elman_config *config, elman_error *error)
{
    if (config->vocabulary)
        ELMAN_TRY(elman_lexicon_load(&n->lexicon, folder, config, error));
    ELMAN_TRY(elman_labels_load(&n->labels, folder, error));
    if (n->labels.count != config->outputs)
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "%s/labels.json: %" PRId32 " labels, config.json has %" PRId64, folder,
                          n->labels.count, config->outputs);
    return ELMAN_OK;
}

bool elman_classify_record(elman_tape *tape, const elman_classify_network *n,
                           elman_classify_examples *e, const int64_t *numbers, int64_t count,
                           const elman_disturbance *training, elman_encoder_batch *batch)
{
    if (!e->words)
        return elman_vectors_record(tape, &e->vectors.vectors, numbers, count,
                                    elman_parameter_value(n->mean)->data,
                                    elman_parameter_value(n->deviation)->data, batch) &&
               (!training || elman_vectors_disturb(tape, numbers, e->vectors.vectors.width,
                                                   &training->noise, batch));
    if (!elman_sentences_record(tape, &e->sentences, numbers, count,
                                training ? &training->words : NULL, batch))
        return false;
    if (!n->scores)
        return true;
    float *extras = elman_tape_floats(tape, (size_t)(count * n->labels.count));
    if (extras)
        elman_word_scores_of(n->scores, &e->sentences, numbers, count, training ? e->labels : NULL,
                             extras);
    batch->extras = extras;
    return extras != NULL;
}

elman_status elman_classify_logits(elman_tape *tape, const elman_classify_network *n,
                                   elman_classify_examples *e, int64_t first, int64_t count,
                                   float *logits, elman_error *error)
{
    int64_t numbers[ROUND];
    elman_encoder_batch batch;
    elman_tape_mode mode;
    elman_tape_mode_default(&mode);
    mode.record = false;
    elman_tape_begin(tape, &mode);
    for (int64_t i = 0; i < count; i++)
        numbers[i] = first + i;
    elman_var *y = NULL;
    if (elman_classify_record(tape, n, e, numbers, count, NULL, &batch))
        y = elman_encoder_forward(tape, n->encoder, &batch, NULL);
    ELMAN_TRY(elman_tape_status(tape, error));
    const elman_tensor *value = elman_var_value(y);
    memcpy(logits, value->data, (size_t)elman_tensor_count(value) * sizeof *logits);
    return ELMAN_OK;
}

elman_status elman_classify_all(elman_tape *tape, const elman_classify_network *n,
                                elman_classify_examples *e, int64_t first, int64_t end,
                                const volatile sig_atomic_t *stop, float *logits,
                                elman_error *error)
{
    int64_t K = n->labels.count;
    elman_status status = ELMAN_OK;
    elman_pool_begin(n->context);
    for (int64_t at = first; status == ELMAN_OK && at < end; at += ROUND) {
        int64_t count = end - at < ROUND ? end - at : ROUND;
        if (stop && *stop)
            status = elman_fail(error, ELMAN_ERROR_INTERRUPTED, "stopped while validating");
        else
            status = elman_classify_logits(tape, n, e, at, count, logits + (at - first) * K, error);
    }
    elman_pool_end(n->context);
    return status;
}
