/* vocabulary.json. */
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/vocabulary_impl.h"
#include "format/json.h"

/* 2^24 short words with quotes and commas fit; a file beyond it is no vocabulary. */
static const size_t file_limit = (size_t)1 << 30;

static elman_status fill(elman_context *context, const char *name, elman_level level,
                         const elman_json *tokens, elman_vocabulary **vocabulary,
                         elman_error *error)
{
    size_t count = elman_json_size(tokens), bytes = 0;
    if (count > ELMAN_VOCABULARY_LIMIT)
        return elman_fail(error, ELMAN_ERROR_FORMAT, "%s: tokens: found %zu; expected at most %d",
                          name, count, ELMAN_VOCABULARY_LIMIT);
    for (size_t i = 0; i < count; i++) {
        size_t size;
        const elman_json *token = elman_json_at(tokens, i);
        if (elman_json_to_string(token, &size) == NULL) {
            char found[96];
            elman_json_describe(token, found);
            return elman_fail(error, ELMAN_ERROR_FORMAT,
                              "%s: tokens[%zu]: found %s; expected a string", name, i, found);
        }
        bytes += size;
    }
    elman_vocabulary *v;
    ELMAN_TRY(elman_vocabulary_begin(context, level, (int32_t)count, bytes, &v, error));
    elman_status status = ELMAN_OK;
    for (size_t i = 0; i < count && status == ELMAN_OK; i++) {
        size_t size;
        const elman_json *token = elman_json_at(tokens, i);
        const char *string = elman_json_to_string(token, &size);
        const char *fault = elman_vocabulary_append(v, string, size);
        if (fault != NULL) {
            char found[96];
            elman_json_describe(token, found);
            status = elman_fail(error, ELMAN_ERROR_FORMAT, "%s: tokens[%zu]: %s %s", name, i, found,
                                fault);
        }
    }
    if (status == ELMAN_OK) {
        const char *fault = elman_vocabulary_finish(v);
        if (fault != NULL)
            status = elman_fail(error, ELMAN_ERROR_FORMAT, "%s: %s", name, fault);
    }
    if (status != ELMAN_OK) {
        elman_vocabulary_free(v);
        return status;
    }
    *vocabulary = v;
    return ELMAN_OK;
}

static elman_status from_json(elman_context *context, const char *name, const elman_json *root,
                              elman_vocabulary **vocabulary, elman_error *error)
{
    char found[96];
    if (!elman_json_is(root, ELMAN_JSON_OBJECT)) {
        elman_json_describe(root, found);
        return elman_fail(error, ELMAN_ERROR_FORMAT, "%s: found %s; expected an object", name,
                          found);
    }
    elman_json_member member = elman_json_members(root);
    while (elman_json_next(&member)) {
        if (strcmp(member.key, "level") != 0 && strcmp(member.key, "tokens") != 0)
            return elman_fail(error, ELMAN_ERROR_FORMAT,
                              "%s: unknown key \"%.100s\"; expected level and tokens", name,
                              member.key);
    }
    size_t size = 0;
    const elman_json *level_value = elman_json_get(root, "level");
    const char *level_name = elman_json_to_string(level_value, &size);
    elman_level level;
    if (level_name == NULL || size != strlen(level_name) ||
        elman_level_parse(level_name, &level, NULL) != ELMAN_OK) {
        elman_json_describe(level_value, found);
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "%s: level: found %s; expected \"char\", \"byte\" or \"word\"", name,
                          found);
    }
    const elman_json *tokens = elman_json_get(root, "tokens");
    if (level == ELMAN_LEVEL_BYTE) {
        if (tokens != NULL)
            return elman_fail(error, ELMAN_ERROR_FORMAT,
                              "%s: tokens: a byte vocabulary is the 256 bytes; expected no tokens",
                              name);
        return elman_vocabulary_make_bytes(context, vocabulary, error);
    }
    if (!elman_json_is(tokens, ELMAN_JSON_ARRAY)) {
        elman_json_describe(tokens, found);
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "%s: tokens: found %s; expected an array of strings", name, found);
    }
    return fill(context, name, level, tokens, vocabulary, error);
}

static const elman_json_limits limits = {.bytes = file_limit, .depth = 4};

elman_status elman_vocabulary_parse(elman_context *context, const char *name, const void *bytes,
                                    size_t size, elman_vocabulary **vocabulary, elman_error *error)
{
    elman_json *root;
    ELMAN_TRY(elman_json_parse(context, bytes, size, name, limits, &root, error));
    elman_status status = from_json(context, name, root, vocabulary, error);
    elman_json_free(root);
    return status;
}

elman_status elman_vocabulary_load(elman_context *context, const char *path,
                                   elman_vocabulary **vocabulary, elman_error *error)
{
    elman_json *root;
    ELMAN_TRY(elman_json_read(context, path, limits, &root, error));
    elman_status status = from_json(context, path, root, vocabulary, error);
    elman_json_free(root);
    return status;
}

static elman_json *to_json(const elman_vocabulary *v)
{
    elman_json *root = elman_json_object();
    if (!elman_json_set(root, "level", elman_json_string(elman_level_name(v->level)))) {
        elman_json_free(root);
        return NULL;
    }
    if (v->level == ELMAN_LEVEL_BYTE)
        return root;
    elman_json *tokens = elman_json_array();
    bool whole = tokens != NULL;
    for (int32_t id = 0; id < v->count && whole; id++) {
        size_t size;
        const char *token = elman_vocabulary_token(v, id, &size);
        whole = elman_json_append(tokens, elman_json_string_of(token, size));
    }
    if (!whole) {
        elman_json_free(tokens);
        elman_json_free(root);
        return NULL;
    }
    if (!elman_json_set(root, "tokens", tokens)) {
        elman_json_free(root);
        return NULL;
    }
    return root;
}

elman_status elman_vocabulary_save(const elman_vocabulary *v, const char *path, elman_error *error)
{
    elman_json *root = to_json(v);
    if (root == NULL)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "%s: out of memory for %ld tokens", path,
                          (long)v->count);
    char *text;
    size_t size;
    elman_status status = elman_json_print(
        v->context, root, ELMAN_JSON_INDENT | ELMAN_JSON_LINE_END, &text, &size, error);
    elman_json_free(root);
    if (status != ELMAN_OK)
        return status;
    status = elman_file_replace(path, text, size, error);
    elman_release(v->context, text);
    return status;
}
