/* The vocabulary of a text: which characters it has, how often each word comes. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "data/text_impl.h"
#include "data/vocabulary_impl.h"
#include "data/word_table.h"

enum { CODE_POINTS = 0x110000 };

static elman_status count_chars(elman_text_scan *scan, uint64_t tokens, elman_vocabulary **v,
                                elman_error *error)
{
    elman_context *context = scan->text->context;
    unsigned char *seen = elman_allocate_zero(context, CODE_POINTS / 8, 1); /* a bit each */
    if (seen == NULL)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "text: out of memory for its characters");
    elman_status status = ELMAN_OK;
    for (; tokens > 0 && status == ELMAN_OK; tokens--) {
        elman_token token;
        status = elman_text_scan_next(scan, &token, error);
        if (status == ELMAN_OK)
            seen[token.value / 8] |= (unsigned char)(1U << token.value % 8);
    }
    unsigned char bytes[4];
    int32_t count = 0;
    size_t size = 0;
    for (uint32_t c = 0; c < CODE_POINTS && status == ELMAN_OK; c++) {
        if (seen[c / 8] >> c % 8 & 1) {
            count++;
            size += (size_t)elman_utf8_encode(c, bytes);
        }
    }
    if (status == ELMAN_OK)
        status = elman_vocabulary_begin(context, ELMAN_LEVEL_CHAR, count, size, v, error);
    for (uint32_t c = 0; c < CODE_POINTS && status == ELMAN_OK; c++) {
        if (seen[c / 8] >> c % 8 & 1)
            (void)elman_vocabulary_append(*v, (const char *)bytes,
                                          (size_t)elman_utf8_encode(c, bytes));
    }
    elman_release(context, seen);
    return status;
}

static elman_status count_words(elman_text_scan *scan, uint64_t tokens, uint64_t min_count,
                                elman_vocabulary **v, elman_error *error)
{
    elman_word_table table;
    elman_word_table_init(&table, scan->text->context, "text");
    elman_status status = ELMAN_OK;
    for (; tokens > 0 && status == ELMAN_OK; tokens--) {
        elman_token token;
        status = elman_text_scan_next(scan, &token, error);
        if (status != ELMAN_OK)
            break;
        bool line_end = token.kind == ELMAN_TOKEN_END_OF_LINE;
        size_t size = line_end ? strlen(ELMAN_END_OF_LINE) : token.size;
        status = elman_word_table_add(
            &table, line_end ? ELMAN_END_OF_LINE : (const char *)scan->word, size, 1, error);
    }
    if (status == ELMAN_OK)
        status = elman_word_table_vocabulary(&table, min_count, 0, v, error);
    elman_word_table_free(&table);
    return status;
}

elman_status elman_text_vocabulary(elman_text *text, uint64_t first, uint64_t end,
                                   uint64_t min_count, elman_vocabulary **vocabulary,
                                   elman_error *error)
{
    ELMAN_TRY(elman_text_check_range(text, first, end, error));
    if (first == end)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "text: no tokens to make a vocabulary of; expected at least one");
    if (min_count < 1 || (min_count > 1 && text->level != ELMAN_LEVEL_WORD))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "text: minimum count: found %llu; expected %s",
                          (unsigned long long)min_count,
                          text->level == ELMAN_LEVEL_WORD
                              ? "at least 1"
                              : "1, since only a word vocabulary has an unknown token");
    if (text->level == ELMAN_LEVEL_BYTE)
        return elman_vocabulary_make_bytes(text->context, vocabulary, error);
    elman_text_scan scan;
    elman_vocabulary *v = NULL;
    ELMAN_TRY(elman_text_scan_begin(&scan, text, text->buffer, text->longest_word, error));
    elman_status status = elman_text_scan_seek(&scan, first, error);
    if (status == ELMAN_OK)
        status = text->level == ELMAN_LEVEL_CHAR
                     ? count_chars(&scan, end - first, &v, error)
                     : count_words(&scan, end - first, min_count, &v, error);
    elman_text_scan_free(&scan);
    if (status != ELMAN_OK)
        return status;
    const char *fault = elman_vocabulary_finish(v);
    if (fault != NULL) {
        elman_vocabulary_free(v);
        return elman_fail(error, ELMAN_ERROR_DATA, "text: %s", fault);
    }
    *vocabulary = v;
    return ELMAN_OK;
}
