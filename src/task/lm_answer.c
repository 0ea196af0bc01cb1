/* A trained language model in use: evaluation, and streams that predict and draw. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/float_environment.h"
#include "base/memory.h"
#include "task/lm_impl.h"

static elman_status open_vocabulary(elman_lm *lm, const char *folder, elman_error *error)
{
    char *path = elman_path_join(folder, "vocabulary.json");
    if (!path)
        return elman_out_of_memory(error);
    elman_status status = elman_vocabulary_load(lm->context, path, &lm->vocabulary, error);
    if (status == ELMAN_OK &&
        elman_vocabulary_count(lm->vocabulary) != elman_model_vocabulary(lm->model))
        status = elman_fail(
            error, ELMAN_ERROR_FORMAT, "%s: %" PRId32 " tokens, the model has %" PRId64, path,
            elman_vocabulary_count(lm->vocabulary), elman_model_vocabulary(lm->model));
    if (status == ELMAN_OK &&
        (int)elman_vocabulary_level(lm->vocabulary) != elman_model_config(lm->model)->config.level)
        status =
            elman_fail(error, ELMAN_ERROR_FORMAT, "%s: its level is %s, config.json has another",
                       path, elman_level_name(elman_vocabulary_level(lm->vocabulary)));
    free(path);
    return status;
}

elman_status elman_lm_open(elman_context *context, const char *folder, elman_lm **lm,
                           elman_error *error)
{
    elman_lm *made = elman_allocate_zero(context, 1, sizeof *made);
    if (!made)
        return elman_out_of_memory(error);
    made->context = context;
    elman_status status = elman_model_load(context, folder, &made->model, error);
    if (status == ELMAN_OK)
        status = open_vocabulary(made, folder, error);
    if (status != ELMAN_OK) {
        elman_lm_free(made);
        return status;
    }
    *lm = made;
    return ELMAN_OK;
}

void elman_lm_free(elman_lm *lm)
{
    if (!lm)
        return;
    elman_vocabulary_free(lm->vocabulary);
    elman_model_free(lm->model);
    elman_release(lm->context, lm);
}

const elman_config_file *elman_lm_config(const elman_lm *lm)
{
    return elman_model_config(lm->model);
}

static elman_status measure_range(elman_context *context, const elman_lm *lm, elman_text *text,
                                  uint64_t first, uint64_t end, elman_lm_result *result,
                                  elman_error *error)
{
    elman_tape *tape;
    if (end - first < 2)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "%s: too little text: %" PRIu64 " token%s, expected at least 2",
                          elman_text_file(text, elman_text_files(text) - 1).path, end - first,
                          end - first == 1 ? "" : "s");
    ELMAN_TRY(elman_tape_create(context, &tape, error));
    elman_status status =
        elman_lm_measure(context, tape, elman_model_network(lm->model), text, lm->vocabulary, first,
                         end, NULL, &result->loss, &result->tokens, error);
    elman_tape_free(tape);
    return status;
}

/* The validation part of the model's own data. */
static elman_status eval_recorded(elman_context *context, const elman_lm *lm,
                                  elman_lm_result *result, elman_error *error)
{
    const elman_config_file *file = elman_lm_config(lm);
    elman_text *text = NULL;
    elman_lm_split split;
    elman_status status = elman_lm_open_recorded(context, file, &text, error);
    if (status == ELMAN_OK)
        status = elman_lm_split_text(text, &file->config, file->train_count, &split, error);
    if (status == ELMAN_OK && split.valid_first == split.valid_end)
        status = elman_fail(error, ELMAN_ERROR_ARGUMENT,
                            "the model was trained without a validation part; name the file to "
                            "evaluate on");
    if (status == ELMAN_OK)
        status =
            measure_range(context, lm, text, split.valid_first, split.valid_end, result, error);
    elman_text_free(text);
    return status;
}

static elman_status eval(elman_context *context, const elman_lm *lm, const char *const *paths,
                         int count, elman_lm_result *result, elman_error *error)
{
    *result = (elman_lm_result){0};
    if (count == 0)
        return eval_recorded(context, lm, result, error);
    elman_text *text = NULL;
    ELMAN_TRY(elman_text_open(context, paths, count, elman_vocabulary_level(lm->vocabulary), &text,
                              error));
    for (int i = 0; i < count; i++)
        result->bytes += elman_text_file(text, i).size;
    elman_status status =
        measure_range(context, lm, text, 0, elman_text_tokens(text), result, error);
    elman_text_free(text);
    return status;
}

elman_status elman_lm_eval(elman_context *context, const elman_lm *lm, const char *const *paths,
                           int count, elman_lm_result *result, elman_error *error)
{
    elman_float_environment modes = elman_float_begin();
    elman_status status = eval(context, lm, paths, count, result, error);
    elman_float_end(modes);
    return status;
}

struct elman_lm_stream {
    elman_context *context;
    const elman_lm *lm;
    elman_session *session;
    elman_sampler *sampler;
    elman_detokenizer *detokenizer;
    float *logits;        /* [V], of the next token */
    elman_top_token *top; /* [V] */
    char (*names)[8];     /* [256], how a byte that is no character is shown */
    bool started;         /* logits are there */
};

elman_status elman_lm_stream_create(elman_context *context, const elman_lm *lm,
                                    const elman_sample_options *sample, elman_lm_stream **stream,
                                    elman_error *error)
{
    int32_t V = elman_vocabulary_count(lm->vocabulary);
    elman_lm_stream *made = elman_allocate_zero(context, 1, sizeof *made);
    if (!made)
        return elman_out_of_memory(error);
    made->context = context;
    made->lm = lm;
    made->logits = elman_allocate(context, (size_t)V, sizeof(float));
    made->top = elman_allocate(context, (size_t)V, sizeof *made->top);
    made->names = elman_allocate(context, 256, sizeof *made->names);
    elman_status status =
        made->logits && made->top && made->names ? ELMAN_OK : elman_out_of_memory(error);
    for (int i = 0; status == ELMAN_OK && i < 256; i++)
        snprintf(made->names[i], sizeof made->names[i], "<0x%02X>", (unsigned)i);
    if (status == ELMAN_OK)
        status = elman_session_create(context, lm->model, &made->session, error);
    if (status == ELMAN_OK)
        status = elman_sampler_create(context, V, sample, &made->sampler, error);
    if (status == ELMAN_OK)
        status = elman_detokenizer_create(lm->vocabulary, &made->detokenizer, error);
    if (status != ELMAN_OK) {
        elman_lm_stream_free(made);
        return status;
    }
    *stream = made;
    return ELMAN_OK;
}

void elman_lm_stream_free(elman_lm_stream *stream)
{
    if (!stream)
        return;
    elman_detokenizer_free(stream->detokenizer);
    elman_sampler_free(stream->sampler);
    elman_session_free(stream->context, stream->session);
    elman_release(stream->context, stream->names);
    elman_release(stream->context, stream->top);
    elman_release(stream->context, stream->logits);
    elman_release(stream->context, stream);
}

void elman_lm_stream_reset(elman_lm_stream *stream)
{
    size_t ignored;
    elman_session_reset(stream->session);
    elman_detokenizer_finish(stream->detokenizer, &ignored);
    stream->started = false;
}

elman_status elman_lm_stream_feed(elman_lm_stream *stream, const char *text, size_t size,
                                  elman_error *error)
{
    if (!size)
        return ELMAN_OK;
    size_t count;
    int32_t *ids = elman_allocate(stream->context, size, sizeof *ids);
    if (!ids)
        return elman_out_of_memory(error);
    elman_status status =
        elman_vocabulary_encode(stream->lm->vocabulary, text, size, ids, size, &count, error);
    if (status == ELMAN_OK && count) {
        status = elman_session_run(stream->session, ids, count, stream->logits, error);
        stream->started = status == ELMAN_OK || stream->started;
        size_t ignored; /* so that a word drawn next is set off by a space */
        for (size_t i = 0; i < count; i++)
            elman_detokenizer_put(stream->detokenizer, ids[i], &ignored);
        if (elman_vocabulary_level(stream->lm->vocabulary) == ELMAN_LEVEL_BYTE)
            elman_detokenizer_finish(stream->detokenizer, &ignored); /* a prompt's half character */
    }
    elman_release(stream->context, ids);
    return status;
}

/* A stream that has read nothing begins after a line end, if the vocabulary has one, else after
 * its first token. */
static elman_status start(elman_lm_stream *stream, elman_error *error)
{
    if (stream->started)
        return ELMAN_OK;
    const elman_vocabulary *v = stream->lm->vocabulary;
    int32_t first = elman_vocabulary_end_of_line(v);
    if (first < 0)
        first = elman_vocabulary_find(v, "\n", 1);
    if (first < 0)
        first = 0;
    ELMAN_TRY(elman_session_step(stream->session, first, stream->logits, error));
    stream->started = true;
    return ELMAN_OK;
}

elman_status elman_lm_stream_predict(elman_lm_stream *stream, elman_lm_choice *choices, int count,
                                     int *found, elman_error *error)
{
    int32_t V = elman_vocabulary_count(stream->lm->vocabulary), filled = 0;
    ELMAN_TRY(start(stream, error));
    ELMAN_TRY(elman_top_tokens(stream->sampler, stream->logits, count < V ? count : V, stream->top,
                               &filled, error));
    for (int32_t i = 0; i < filled; i++) {
        size_t size;
        const char *token =
            elman_vocabulary_token(stream->lm->vocabulary, stream->top[i].id, &size);
        if (size == 1 && (unsigned char)token[0] >= 128)
            token = stream->names[(unsigned char)token[0]];
        choices[i] = (elman_lm_choice){token, (double)stream->top[i].probability};
    }
    *found = filled;
    return ELMAN_OK;
}

elman_status elman_lm_stream_draw(elman_lm_stream *stream, const char **text, size_t *size,
                                  elman_error *error)
{
    int32_t id;
    ELMAN_TRY(start(stream, error));
    ELMAN_TRY(elman_sampler_draw(stream->sampler, stream->logits, &id, error));
    ELMAN_TRY(elman_session_step(stream->session, id, stream->logits, error));
    *text = elman_detokenizer_put(stream->detokenizer, id, size);
    return ELMAN_OK;
}

void elman_lm_stream_finish(elman_lm_stream *stream, const char **text, size_t *size)
{
    *text = elman_detokenizer_finish(stream->detokenizer, size);
}
