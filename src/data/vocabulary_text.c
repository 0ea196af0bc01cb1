/* A prompt into ids, and ids into text. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "data/vocabulary_impl.h"

static elman_status not_utf8(const unsigned char *p, size_t size, size_t at, elman_error *error)
{
    char bytes[16];
    elman_utf8_print_bytes(bytes, p + at, size - at);
    return elman_fail(error, ELMAN_ERROR_DATA,
                      "prompt: byte %zu: invalid UTF-8 (%s); expected UTF-8", at, bytes);
}

static elman_status encode_chars(const elman_vocabulary *v, const unsigned char *p, size_t size,
                                 int32_t *ids, size_t capacity, size_t *count, elman_error *error)
{
    size_t n = 0;
    for (size_t at = 0; at < size;) {
        uint32_t c;
        int length = elman_utf8_decode(p + at, size - at, &c);
        if (length <= 0)
            return not_utf8(p, size, at, error);
        int32_t id = elman_vocabulary_find_code_point(v, c);
        if (id < 0)
            return elman_fail(error, ELMAN_ERROR_DATA,
                              "prompt: byte %zu: U+%04lX (%.*s) is not in the vocabulary, which "
                              "has the %ld characters of the text it was made from",
                              at, (unsigned long)c, length, (const char *)p + at, (long)v->count);
        if (n == capacity)
            return elman_fail(error, ELMAN_ERROR_ARGUMENT, "prompt: more than %zu tokens",
                              capacity);
        ids[n++] = id;
        at += (size_t)length;
    }
    *count = n;
    return ELMAN_OK;
}

static elman_status encode_words(const elman_vocabulary *v, const unsigned char *p, size_t size,
                                 int32_t *ids, size_t capacity, size_t *count, elman_error *error)
{
    size_t n = 0, word = 0; /* where the word began; at where none has */
    for (size_t at = 0; at <= size;) {
        uint32_t c = ' '; /* the end of the prompt ends a word */
        int length = 1;
        if (at < size) {
            length = elman_utf8_decode(p + at, size - at, &c);
            if (length <= 0)
                return not_utf8(p, size, at, error);
        }
        if (elman_utf8_is_space(c)) {
            size_t added = (word < at ? 1U : 0U) + (c == '\n' ? 1U : 0U);
            if (added > capacity - n)
                return elman_fail(error, ELMAN_ERROR_ARGUMENT, "prompt: more than %zu tokens",
                                  capacity);
            if (word < at) {
                int32_t id = elman_vocabulary_find(v, (const char *)p + word, at - word);
                ids[n++] = id < 0 ? v->unknown : id;
            }
            if (c == '\n')
                ids[n++] = v->end_of_line;
            word = at + (size_t)length;
        }
        at += (size_t)length;
    }
    *count = n;
    return ELMAN_OK;
}

elman_status elman_vocabulary_encode(const elman_vocabulary *v, const char *text, size_t size,
                                     int32_t *ids, size_t capacity, size_t *count,
                                     elman_error *error)
{
    const unsigned char *p = (const unsigned char *)text;
    if (v->level == ELMAN_LEVEL_CHAR)
        return encode_chars(v, p, size, ids, capacity, count, error);
    if (v->level == ELMAN_LEVEL_WORD)
        return encode_words(v, p, size, ids, capacity, count, error);
    if (size > capacity)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "prompt: more than %zu tokens", capacity);
    for (size_t i = 0; i < size; i++)
        ids[i] = p[i];
    *count = size;
    return ELMAN_OK;
}

struct elman_detokenizer {
    const elman_vocabulary *vocabulary;
    char *text;            /* a space and the longest token, or four replaced bytes */
    unsigned char held[4]; /* byte level: an incomplete sequence */
    size_t held_size;
    bool in_line; /* word level: a word stands before on this line */
};

enum { REPLACEMENT_SIZE = sizeof ELMAN_REPLACEMENT - 1 };

elman_status elman_detokenizer_create(const elman_vocabulary *vocabulary,
                                      elman_detokenizer **detokenizer, elman_error *error)
{
    elman_context *context = vocabulary->context;
    size_t room = vocabulary->longest + 2;
    if (room < 4 * REPLACEMENT_SIZE + 1)
        room = 4 * REPLACEMENT_SIZE + 1;
    elman_detokenizer *d = elman_allocate_zero(context, 1, sizeof *d);
    char *text = elman_allocate(context, room, 1);
    if (d == NULL || text == NULL) {
        elman_release(context, d);
        elman_release(context, text);
        return elman_fail(error, ELMAN_ERROR_MEMORY, "detokenizer: out of memory for %zu bytes",
                          room);
    }
    d->vocabulary = vocabulary;
    d->text = text;
    *detokenizer = d;
    return ELMAN_OK;
}

void elman_detokenizer_free(elman_detokenizer *d)
{
    if (d == NULL)
        return;
    elman_context *context = d->vocabulary->context;
    elman_release(context, d->text);
    elman_release(context, d);
}

/* Appends to text what is decided in the held bytes; at `end` all of it is. */
static size_t release_held(elman_detokenizer *d, size_t n, bool end)
{
    size_t at = 0;
    while (at < d->held_size) {
        uint32_t c;
        size_t left = d->held_size - at;
        int length = elman_utf8_decode(d->held + at, left, &c);
        if (length == 0 && !end)
            break;
        if (length > 0) {
            memcpy(d->text + n, d->held + at, (size_t)length);
            n += (size_t)length;
            at += (size_t)length;
        } else {
            memcpy(d->text + n, ELMAN_REPLACEMENT, REPLACEMENT_SIZE);
            n += REPLACEMENT_SIZE;
            at += length == 0 ? left : (size_t)-length;
        }
    }
    d->held_size -= at;
    memmove(d->held, d->held + at, d->held_size);
    return n;
}

const char *elman_detokenizer_put(elman_detokenizer *d, int32_t id, size_t *size)
{
    const elman_vocabulary *v = d->vocabulary;
    size_t n = 0, token_size;
    const char *token = elman_vocabulary_token(v, id, &token_size);
    if (v->level == ELMAN_LEVEL_BYTE && token != NULL) {
        d->held[d->held_size++] = (unsigned char)token[0]; /* 3 at most were left there */
        n = release_held(d, 0, false);
    } else {
        if (v->level == ELMAN_LEVEL_BYTE)
            n = release_held(d, 0, true);
        if (token == NULL) {
            token = ELMAN_REPLACEMENT;
            token_size = REPLACEMENT_SIZE;
        }
        if (v->level == ELMAN_LEVEL_WORD) {
            if (id == v->end_of_line) {
                token = "\n";
                token_size = 1;
            } else if (d->in_line) {
                d->text[n++] = ' ';
            }
            d->in_line = id != v->end_of_line;
        }
        memcpy(d->text + n, token, token_size);
        n += token_size;
    }
    d->text[n] = '\0';
    *size = n;
    return d->text;
}

const char *elman_detokenizer_finish(elman_detokenizer *d, size_t *size)
{
    size_t n = release_held(d, 0, true);
    d->in_line = false;
    d->text[n] = '\0';
    *size = n;
    return d->text;
}
