/* A trained tagger in use. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/float_environment.h"
#include "base/memory.h"
#include "model/weights.h"
#include "task/tag_impl.h"

static elman_status open_model(elman_tagger *t, const char *folder, elman_error *error)
{
    const elman_config *config = &t->file->config;
    if (strcmp(t->file->task, "tag"))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "%s: a model of task '%s', expected a tagger (tag)", folder,
                          t->file->task);
    ELMAN_TRY(elman_tag_load(&t->network, folder, config, error));
    ELMAN_TRY(elman_tag_build(&t->network, config, false, error));
    ELMAN_TRY(elman_tape_create(t->context, &t->tape, error));
    char *path = elman_path_join(folder, "model.safetensors");
    if (!path)
        return elman_out_of_memory(error);
    elman_status status =
        elman_weights_read(t->context, elman_encoder_parameters(t->network.encoder), path, error);
    free(path);
    return status;
}

elman_status elman_tagger_open_folder(elman_context *context, const char *folder,
                                      const elman_config_file *file, elman_tagger **tagger,
                                      elman_error *error)
{
    elman_tagger *t = elman_allocate_zero(context, 1, sizeof *t);
    if (!t)
        return elman_out_of_memory(error);
    t->context = context;
    t->file = file;
    elman_tag_network_init(&t->network, context);
    elman_tag_examples_init(&t->examples, context, file->config.vocabulary > 0, &t->network.labels);
    t->examples.vectors.vectors.width = file->config.inputs;
    elman_status status = open_model(t, folder, error);
    if (status != ELMAN_OK) {
        elman_tagger_free(t);
        return status;
    }
    *tagger = t;
    return ELMAN_OK;
}

elman_status elman_tagger_open(elman_context *context, const char *folder, elman_tagger **tagger,
                               elman_error *error)
{
    elman_config_file file;
    elman_status status = elman_config_file_read_model(context, folder, &file, error);
    if (status == ELMAN_OK)
        status = elman_tagger_open_folder(context, folder, &file, tagger, error);
    if (status != ELMAN_OK) {
        elman_config_file_clear(context, &file);
        return status;
    }
    (*tagger)->own = file;
    (*tagger)->file = &(*tagger)->own;
    return ELMAN_OK;
}

void elman_tagger_free(elman_tagger *t)
{
    if (!t)
        return;
    elman_tape_free(t->tape);
    elman_tag_examples_free(&t->examples);
    elman_tag_network_free(&t->network);
    elman_config_file_clear(t->context, &t->own);
    elman_release(t->context, t->tags);
    elman_release(t->context, t->probabilities);
    elman_release(t->context, t);
}

int32_t elman_tagger_tags(const elman_tagger *tagger)
{
    return tagger->network.labels.count;
}

const char *elman_tagger_tag(const elman_tagger *tagger, int32_t tag)
{
    bool known = tag >= 0 && tag < tagger->network.labels.count;
    return known ? tagger->network.labels.names[tag] : NULL;
}

int64_t elman_tagger_width(const elman_tagger *tagger)
{
    return tagger->file->config.inputs;
}

const float *elman_tagger_probabilities(const elman_tagger *tagger)
{
    return tagger->answered ? tagger->probabilities : NULL;
}

elman_status elman_tagger_answer(elman_tagger *t, elman_error *error)
{
    size_t steps = (size_t)elman_tag_start(&t->examples, t->examples.count);
    size_t K = (size_t)t->network.labels.count, cells;
    if (t->examples.words)
        ELMAN_TRY(elman_lexicon_resolve(&t->network.lexicon, &t->examples.sentences, error));
    if (!elman_size_multiply(steps, K, &cells))
        return elman_out_of_memory(error);
    int32_t *tags = elman_grown(t->context, t->tags, 0, &t->tags_room, steps + 1, sizeof *tags);
    t->tags = tags ? tags : t->tags;
    float *probabilities = elman_grown(t->context, t->probabilities, 0, &t->probabilities_room,
                                       cells + 1, sizeof *probabilities);
    t->probabilities = probabilities ? probabilities : t->probabilities;
    if (!tags || !probabilities)
        return elman_out_of_memory(error);
    elman_tag_answer answer = {.tags = t->tags, .probabilities = t->probabilities};
    elman_tag_range range = {.end = t->examples.count};
    ELMAN_TRY(elman_tag_answers(t->tape, &t->network, &t->examples, &range, &answer, error));
    t->answered = true;
    return ELMAN_OK;
}

/* Answers the one example that stands there. */
static elman_status answer_one(elman_tagger *t, int64_t n, int32_t *tags, elman_error *error)
{
    elman_float_environment modes = elman_float_begin();
    elman_status status = elman_tagger_answer(t, error);
    elman_float_end(modes);
    if (status == ELMAN_OK && n)
        memcpy(tags, t->tags, (size_t)n * sizeof *tags);
    return status;
}

elman_status elman_tagger_words(elman_tagger *t, const char *const *words, int64_t n, int32_t *tags,
                                elman_error *error)
{
    t->answered = false;
    if (!t->examples.words)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "the model reads vectors of %" PRId64 " numbers, found words",
                          elman_tagger_width(t));
    elman_tag_examples_clear(&t->examples);
    ELMAN_TRY(elman_sentences_begin(&t->examples.sentences, error));
    t->examples.count = 1;
    for (int64_t i = 0; i < n; i++) {
        if (!*words[i])
            return elman_fail(error, ELMAN_ERROR_ARGUMENT, "word %" PRId64 " is empty", i);
        ELMAN_TRY(elman_sentences_add(&t->examples.sentences, words[i], strlen(words[i]), error));
    }
    return answer_one(t, n, tags, error);
}

elman_status elman_tagger_vectors(elman_tagger *t, const float *steps, int64_t T, int32_t *tags,
                                  elman_error *error)
{
    int64_t width = elman_tagger_width(t);
    t->answered = false;
    if (t->examples.words)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "the model reads words, found vectors");
    elman_tag_examples_clear(&t->examples);
    elman_vectors *vectors = &t->examples.vectors.vectors;
    ELMAN_TRY(elman_vectors_begin(vectors, error));
    t->examples.count = 1;
    for (int64_t i = 0; i < T; i++) {
        for (int64_t f = 0; f < width; f++)
            if (!isfinite(steps[i * width + f]))
                return elman_fail(error, ELMAN_ERROR_DATA,
                                  "step %" PRId64 ", number %" PRId64 ": not finite", i, f);
        ELMAN_TRY(elman_vectors_add(vectors, steps + i * width, error));
    }
    return answer_one(t, T, tags, error);
}
