/* Natural text into words. */
#include "data/words.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "data/unicode.h"
#include "data/word_table.h"

typedef struct splitter {
    elman_words *words;
    const unsigned char *p;
    size_t size;
    bool fold;
    elman_error *error;
} splitter;

void elman_words_init(elman_words *words, elman_context *context)
{
    memset(words, 0, sizeof *words);
    words->context = context;
}

void elman_words_free(elman_words *words)
{
    if (words->context == NULL)
        return;
    elman_release(words->context, words->words);
    elman_release(words->context, words->text);
    elman_release(words->context, words->scratch);
    memset(words, 0, sizeof *words);
}

static elman_status grow(elman_words *w, void **block, size_t *room, size_t used, size_t need,
                         size_t size, elman_error *error)
{
    size_t larger = *room < 32 ? 64 : *room;
    while (larger < need && elman_size_multiply(larger, 2, &larger))
        continue;
    void *moved = larger < need ? NULL : elman_allocate(w->context, larger, size);
    if (moved == NULL)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "out of memory for the words of a line");
    if (used > 0)
        memcpy(moved, *block, used * size);
    elman_release(w->context, *block);
    *block = moved;
    *room = larger;
    return ELMAN_OK;
}

/* Room for one more word of `bytes` bytes and for what folds it. */
static elman_status make_room(elman_words *w, size_t bytes, elman_error *error)
{
    size_t need;
    void *block;
    elman_status status = ELMAN_OK;
    if (!elman_size_add(w->text_used, bytes + 1, &need))
        return elman_fail(error, ELMAN_ERROR_MEMORY, "out of memory for the words of a line");
    if (need > w->text_room) {
        block = w->text;
        status = grow(w, &block, &w->text_room, w->text_used, need, 1, error);
        w->text = block;
    }
    if (status == ELMAN_OK && w->count == w->words_room) {
        block = w->words;
        status = grow(w, &block, &w->words_room, w->count, w->count + 1, sizeof *w->words, error);
        w->words = block;
    }
    if (status == ELMAN_OK && bytes > w->scratch_room) {
        block = w->scratch;
        status = grow(w, &block, &w->scratch_room, 0, bytes, sizeof *w->scratch, error);
        w->scratch = block;
    }
    return status;
}

/* U+2019 as an apostrophe; answers the size. */
static size_t plain_apostrophes(char *text, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < size; n++) {
        bool curly = size - i >= 3 && memcmp(text + i, "\xE2\x80\x99", 3) == 0;
        text[n] = curly ? '\'' : text[i];
        i += curly ? 3 : 1;
    }
    return n;
}

/* Bytes [begin, end) of the line become a word: `text`, or where NULL their folded selves. */
static elman_status emit(splitter *s, size_t begin, size_t end, const char *text)
{
    elman_words *w = s->words;
    size_t size = end - begin;
    if (size > ELMAN_WORD_LIMIT)
        return elman_fail(s->error, ELMAN_ERROR_DATA,
                          "byte %zu: found a word of %zu bytes; expected at most %d", begin + 1,
                          size, ELMAN_WORD_LIMIT);
    ELMAN_TRY(make_room(w, elman_unicode_fold_room(size), s->error));
    char *out = w->text + w->text_used;
    if (text != NULL) {
        size = strlen(text);
        memcpy(out, text, size);
    } else {
        ptrdiff_t folded =
            elman_unicode_fold((const char *)s->p + begin, size, s->fold, out, w->scratch);
        size = folded > 0 ? plain_apostrophes(out, (size_t)folded) : 0;
    }
    if (size == 0)
        return ELMAN_OK;
    if (size > ELMAN_WORD_LIMIT)
        return elman_fail(s->error, ELMAN_ERROR_DATA,
                          "byte %zu: found a word of %zu bytes; expected at most %d", begin + 1,
                          size, ELMAN_WORD_LIMIT);
    out[size] = '\0';
    w->words[w->count++] = (elman_word){w->text_used, size, begin, end};
    w->text_used += size + 1;
    return ELMAN_OK;
}

/* The code point at `at`, which is valid; its class, and its bytes (0 at the end of the line,
 * where the class is SPACE). */
static elman_unicode_class look(const splitter *s, size_t at, uint32_t *c, size_t *length)
{
    *length = 0;
    *c = 0;
    if (at >= s->size)
        return ELMAN_UNICODE_SPACE;
    *length = (size_t)elman_utf8_decode(s->p + at, s->size - at, c);
    return elman_unicode_class_of(*c);
}

static bool is_apostrophe(uint32_t c)
{
    return c == '\'' || c == 0x2019;
}

static bool goes_on(elman_unicode_class class)
{
    return class == ELMAN_UNICODE_LETTER || class == ELMAN_UNICODE_DIGIT ||
           class == ELMAN_UNICODE_MARK || class == ELMAN_UNICODE_IGNORABLE;
}

/* The end of the letters, digits and marks from `at` on. */
static size_t end_of_run(const splitter *s, size_t at)
{
    uint32_t c;
    size_t length;
    while (goes_on(look(s, at, &c, &length)))
        at += length;
    return at;
}

/* The bytes of an apostrophe at `at` with a letter or digit behind it, else 0. */
static size_t inner_apostrophe(const splitter *s, size_t at)
{
    uint32_t c, next;
    size_t length, after;
    (void)look(s, at, &c, &length);
    if (!is_apostrophe(c))
        return 0;
    elman_unicode_class class = look(s, at + length, &next, &after);
    return class == ELMAN_UNICODE_LETTER || class == ELMAN_UNICODE_DIGIT ? length : 0;
}

static bool equals(const splitter *s, size_t begin, size_t end, const char *lower)
{
    for (; begin < end && *lower != '\0'; begin++, lower++) {
        unsigned char c = s->p[begin];
        if ((c >= 'A' && c <= 'Z' ? c | 0x20 : c) != (unsigned char)*lower)
            return false;
    }
    return begin == end && *lower == '\0';
}

static bool is_contraction(const splitter *s, size_t begin, size_t end)
{
    static const char *const endings[] = {"s", "m", "d", "ll", "re", "ve"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (equals(s, begin, end, endings[i]))
            return true;
    }
    return false;
}

/* A run with its inner apostrophes, cut before each contraction. *next is where it ends. */
static elman_status split_run(splitter *s, size_t begin, size_t *next)
{
    size_t end = end_of_run(s, begin), apostrophe;
    while ((apostrophe = inner_apostrophe(s, end)) > 0) {
        size_t after = end + apostrophe, stop = end_of_run(s, after), cut = 0;
        if (equals(s, after, stop, "t") && end - begin > 1 && equals(s, end - 1, end, "n"))
            cut = end - 1;
        else if (is_contraction(s, after, stop))
            cut = end;
        if (cut > 0) {
            ELMAN_TRY(emit(s, begin, cut, NULL));
            begin = cut;
        }
        end = stop;
    }
    *next = end;
    return emit(s, begin, end, NULL);
}

/* "-LRB-" and its kin, which stand alone: the bracket, or NULL. */
static const char *treebank_bracket(const splitter *s, size_t at)
{
    static const char *const names[][2] = {{"-lrb-", "("}, {"-rrb-", ")"}, {"-lsb-", "["},
                                           {"-rsb-", "]"}, {"-lcb-", "{"}, {"-rcb-", "}"}};
    uint32_t c;
    size_t length;
    if (s->size - at < 5 || look(s, at + 5, &c, &length) != ELMAN_UNICODE_SPACE ||
        (at > 0 && s->p[at - 1] > ' '))
        return NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (equals(s, at, at + 5, names[i][0]))
            return names[i][1];
    }
    return NULL;
}

/* What quotation marks become. */
static const char *quotation(uint32_t c)
{
    if (c == 0x201C || c == 0x201D || c == 0x201E)
        return "\"";
    return c == 0x2018 || c == 0x2019 || c == '`' ? "'" : NULL;
}

/* A character that is a token of its own, at `at`. */
static elman_status split_other(splitter *s, size_t at, size_t *next)
{
    uint32_t c, mark;
    size_t length;
    (void)look(s, at, &c, &length);
    const char *text = c == '-' ? treebank_bracket(s, at) : NULL;
    if (text != NULL) {
        *next = at + 5;
        return emit(s, at, *next, text);
    }
    size_t end = at + length;
    if (inner_apostrophe(s, at) > 0 && is_contraction(s, end, end_of_run(s, end))) {
        *next = end_of_run(s, end);
        return emit(s, at, *next, NULL);
    }
    if ((c == '`' || c == '\'') && end < s->size && s->p[end] == c) {
        *next = end + 1;
        return emit(s, at, *next, "\"");
    }
    elman_unicode_class class;
    bool marked = false;
    while ((class = look(s, end, &mark, &length)) == ELMAN_UNICODE_MARK ||
           class == ELMAN_UNICODE_IGNORABLE) {
        marked |= class == ELMAN_UNICODE_MARK;
        end += length;
    }
    *next = end;
    return emit(s, at, end, marked ? NULL : quotation(c));
}

static elman_status check_line(const char *line, size_t size, elman_error *error)
{
    for (size_t at = 0; at < size;) {
        size_t length = elman_utf8_length(line + at, size - at);
        if (line[at] == '\0')
            return elman_fail(error, ELMAN_ERROR_FORMAT,
                              "byte %zu: found a zero byte; expected text", at + 1);
        if (length == 0) {
            char bytes[16];
            elman_utf8_print_bytes(bytes, (const unsigned char *)line + at, size - at);
            return elman_fail(error, ELMAN_ERROR_FORMAT,
                              "byte %zu: found invalid UTF-8 (%s); expected UTF-8 text", at + 1,
                              bytes);
        }
        at += length;
    }
    return ELMAN_OK;
}

static elman_status split(splitter *s)
{
    for (size_t at = 0; at < s->size;) {
        uint32_t c;
        size_t length;
        switch (look(s, at, &c, &length)) {
        case ELMAN_UNICODE_SPACE:
        case ELMAN_UNICODE_IGNORABLE:
            at += length;
            break;
        case ELMAN_UNICODE_LETTER:
        case ELMAN_UNICODE_DIGIT:
        case ELMAN_UNICODE_MARK:
            ELMAN_TRY(split_run(s, at, &at));
            break;
        case ELMAN_UNICODE_IDEOGRAPH:
        case ELMAN_UNICODE_OTHER:
            ELMAN_TRY(split_other(s, at, &at));
            break;
        }
    }
    return ELMAN_OK;
}

elman_status elman_words_split(elman_words *words, const char *line, size_t size, bool fold,
                               elman_error *error)
{
    words->count = words->text_used = 0;
    ELMAN_TRY(elman_unicode_check(error));
    ELMAN_TRY(check_line(line, size, error));
    splitter s = {words, (const unsigned char *)line, size, fold, error};
    elman_status status = split(&s);
    if (status != ELMAN_OK)
        words->count = words->text_used = 0;
    return status;
}

const char *elman_words_text(const elman_words *words, size_t i, size_t *size)
{
    if (size != NULL)
        *size = words->words[i].size;
    return words->text + words->words[i].offset;
}

size_t elman_words_encode(const elman_words *words, const elman_vocabulary *vocabulary,
                          int32_t *ids)
{
    size_t unknown = 0;
    for (size_t i = 0; i < words->count; i++) {
        const elman_word *w = &words->words[i];
        ids[i] = elman_vocabulary_find(vocabulary, words->text + w->offset, w->size);
        if (ids[i] < 0) {
            ids[i] = elman_vocabulary_unknown(vocabulary);
            unknown++;
        }
    }
    return unknown;
}
