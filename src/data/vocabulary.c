/* Tokens and ids: the table both ways. */
#include "elman/vocabulary.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "data/vocabulary_impl.h"

static const char *const level_names[] = {"char", "byte", "word"};

const char *elman_level_name(elman_level level)
{
    return (unsigned)level < 3 ? level_names[level] : "unknown";
}

elman_status elman_level_parse(const char *name, elman_level *level, elman_error *error)
{
    for (int i = 0; i < 3; i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *level = (elman_level)i;
            return ELMAN_OK;
        }
    }
    return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                      "level: found \"%.40s\"; expected char, byte or word", name);
}

void elman_vocabulary_free(elman_vocabulary *v)
{
    if (v == NULL)
        return;
    elman_release(v->context, v->bytes);
    elman_release(v->context, v->offsets);
    elman_release(v->context, v->slots);
    elman_release(v->context, v);
}

elman_status elman_vocabulary_begin(elman_context *context, elman_level level, int32_t count,
                                    size_t bytes, elman_vocabulary **vocabulary, elman_error *error)
{
    size_t capacity = (size_t)count, room;
    size_t slots = 4;
    while (slots / 2 < capacity)
        slots *= 2;
    if (!elman_size_add(bytes, capacity, &room))
        return elman_fail(error, ELMAN_ERROR_MEMORY, "vocabulary of %zu bytes: too large", bytes);
    elman_vocabulary *v = elman_allocate_zero(context, 1, sizeof *v);
    if (v != NULL) {
        v->context = context;
        v->bytes = elman_allocate(context, room, 1);
        v->offsets = elman_allocate(context, capacity + 1, sizeof *v->offsets);
        v->slots = elman_allocate(context, slots, sizeof *v->slots);
    }
    if (v == NULL || v->bytes == NULL || v->offsets == NULL || v->slots == NULL) {
        elman_vocabulary_free(v);
        return elman_fail(error, ELMAN_ERROR_MEMORY,
                          "vocabulary of %zu tokens, %zu bytes: out of memory", capacity, bytes);
    }
    v->level = level;
    v->capacity = count;
    v->unknown = v->end_of_line = -1;
    v->offsets[0] = 0;
    v->mask = slots - 1;
    v->key = elman_hash_key_of(v);
    for (size_t i = 0; i < slots; i++)
        v->slots[i] = -1;
    for (int i = 0; i < 128; i++)
        v->ascii[i] = -1;
    *vocabulary = v;
    return ELMAN_OK;
}

static size_t token_size(const elman_vocabulary *v, int32_t id)
{
    return v->offsets[id + 1] - v->offsets[id] - 1;
}

/* The slot that holds the token, or the empty one where it would stand. */
static size_t slot_of(const elman_vocabulary *v, const char *token, size_t size)
{
    size_t at = (size_t)elman_hash(v->key, token, size) & v->mask;
    for (; v->slots[at] >= 0; at = (at + 1) & v->mask) {
        int32_t id = v->slots[at];
        if (token_size(v, id) == size && memcmp(v->bytes + v->offsets[id], token, size) == 0)
            break;
    }
    return at;
}

static const char *fault_of_word(const unsigned char *p, size_t size)
{
    if (size == 0)
        return "is empty";
    if (size > ELMAN_WORD_LIMIT)
        return "is longer than 1 MiB";
    for (size_t at = 0; at < size;) {
        uint32_t c;
        int length = elman_utf8_decode(p + at, size - at, &c);
        if (length <= 0)
            return "is not UTF-8";
        if (c == 0)
            return "holds a zero byte";
        if (elman_utf8_is_space(c))
            return "holds white space";
        at += (size_t)length;
    }
    return NULL;
}

static const char *fault_of_char(const unsigned char *p, size_t size)
{
    uint32_t c;
    if (size == 0)
        return "is empty";
    int length = elman_utf8_decode(p, size, &c);
    if (length <= 0)
        return "is not UTF-8";
    if ((size_t)length != size)
        return "is not one code point";
    return c == 0 ? "is a zero byte" : NULL;
}

const char *elman_vocabulary_append(elman_vocabulary *v, const char *token, size_t size)
{
    const char *fault = NULL;
    if (v->level == ELMAN_LEVEL_WORD)
        fault = fault_of_word((const unsigned char *)token, size);
    else if (v->level == ELMAN_LEVEL_CHAR)
        fault = fault_of_char((const unsigned char *)token, size);
    if (fault != NULL)
        return fault;
    size_t at = slot_of(v, token, size);
    if (v->slots[at] >= 0)
        return "stands twice";
    int32_t id = v->count++;
    size_t offset = v->offsets[id];
    memcpy(v->bytes + offset, token, size);
    v->bytes[offset + size] = '\0';
    v->offsets[id + 1] = offset + size + 1;
    v->slots[at] = id;
    if (size > v->longest)
        v->longest = size;
    if (v->level == ELMAN_LEVEL_CHAR && size == 1)
        v->ascii[(unsigned char)token[0]] = id;
    return NULL;
}

const char *elman_vocabulary_finish(elman_vocabulary *v)
{
    if (v->count == 0)
        return "no tokens; expected at least one";
    if (v->level == ELMAN_LEVEL_WORD) {
        v->unknown = elman_vocabulary_find(v, ELMAN_UNKNOWN, strlen(ELMAN_UNKNOWN));
        v->end_of_line = elman_vocabulary_find(v, ELMAN_END_OF_LINE, strlen(ELMAN_END_OF_LINE));
        if (v->unknown < 0)
            return "no token " ELMAN_UNKNOWN "; a word vocabulary needs one";
        if (v->end_of_line < 0)
            return "no token " ELMAN_END_OF_LINE "; a word vocabulary needs one";
    }
    return NULL;
}

elman_status elman_vocabulary_make_bytes(elman_context *context, elman_vocabulary **vocabulary,
                                         elman_error *error)
{
    elman_vocabulary *v;
    ELMAN_TRY(elman_vocabulary_begin(context, ELMAN_LEVEL_BYTE, 256, 256, &v, error));
    for (int i = 0; i < 256; i++) {
        char byte = (char)(unsigned char)i;
        (void)elman_vocabulary_append(v, &byte, 1); /* different bytes have no fault */
    }
    *vocabulary = v;
    return ELMAN_OK;
}

elman_status elman_vocabulary_create(elman_context *context, elman_level level,
                                     const char *const *tokens, int32_t count,
                                     elman_vocabulary **vocabulary, elman_error *error)
{
    if ((unsigned)level > ELMAN_LEVEL_WORD)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "vocabulary: level %d is unknown",
                          (int)level);
    if (level == ELMAN_LEVEL_BYTE) {
        if (tokens != NULL || (count != 0 && count != 256))
            return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                              "vocabulary: a byte vocabulary is the 256 bytes; expected no tokens");
        return elman_vocabulary_make_bytes(context, vocabulary, error);
    }
    if (count < 1 || count > ELMAN_VOCABULARY_LIMIT)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "vocabulary: found %ld tokens; expected 1 to %d", (long)count,
                          ELMAN_VOCABULARY_LIMIT);
    size_t bytes = 0;
    for (int32_t i = 0; i < count; i++) {
        if (tokens[i] == NULL || !elman_size_add(bytes, strlen(tokens[i]), &bytes))
            return elman_fail(error, ELMAN_ERROR_ARGUMENT, "vocabulary: token %ld is NULL",
                              (long)i);
    }
    elman_vocabulary *v;
    ELMAN_TRY(elman_vocabulary_begin(context, level, count, bytes, &v, error));
    elman_status status = ELMAN_OK;
    for (int32_t i = 0; i < count && status == ELMAN_OK; i++) {
        const char *fault = elman_vocabulary_append(v, tokens[i], strlen(tokens[i]));
        if (fault != NULL)
            status =
                elman_fail(error, ELMAN_ERROR_ARGUMENT, "vocabulary: token %ld %s", (long)i, fault);
    }
    if (status == ELMAN_OK) {
        const char *fault = elman_vocabulary_finish(v);
        if (fault != NULL)
            status = elman_fail(error, ELMAN_ERROR_ARGUMENT, "vocabulary: %s", fault);
    }
    if (status != ELMAN_OK) {
        elman_vocabulary_free(v);
        return status;
    }
    *vocabulary = v;
    return ELMAN_OK;
}

elman_level elman_vocabulary_level(const elman_vocabulary *v)
{
    return v->level;
}

int32_t elman_vocabulary_count(const elman_vocabulary *v)
{
    return v->count;
}

int32_t elman_vocabulary_unknown(const elman_vocabulary *v)
{
    return v->unknown;
}

int32_t elman_vocabulary_end_of_line(const elman_vocabulary *v)
{
    return v->end_of_line;
}

int32_t elman_vocabulary_find(const elman_vocabulary *v, const char *token, size_t size)
{
    return v->slots[slot_of(v, token, size)];
}

int32_t elman_vocabulary_find_code_point(const elman_vocabulary *v, uint32_t code_point)
{
    if (code_point < 128)
        return v->ascii[code_point];
    unsigned char bytes[4];
    int size = elman_utf8_encode(code_point, bytes);
    return elman_vocabulary_find(v, (const char *)bytes, (size_t)size);
}

const char *elman_vocabulary_token(const elman_vocabulary *v, int32_t id, size_t *size)
{
    if (id < 0 || id >= v->count)
        return NULL;
    if (size != NULL)
        *size = token_size(v, id);
    return v->bytes + v->offsets[id];
}
