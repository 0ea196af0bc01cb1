/* Tagged sentences of any bytes, the first of which says the form. What is read is what stood
 * there: every line that is not empty comes back, in its order. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/conll.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int truth)
{
    if (!truth)
        abort();
}

typedef struct lines {
    const char *at;
    size_t left;
} lines;

static elman_status next_line(void *user, const char **line, size_t *size, elman_error *error)
{
    lines *l = user;
    (void)error;
    *line = NULL;
    *size = 0;
    if (l->left == 0)
        return ELMAN_OK;
    const char *end = memchr(l->at, '\n', l->left);
    *line = l->at;
    *size = end != NULL ? (size_t)(end - l->at) : l->left;
    size_t step = *size + (end != NULL);
    l->at += step;
    l->left -= step;
    return ELMAN_OK;
}

static void check(const elman_conll_sentence *s, const char *text, size_t text_size)
{
    size_t words = 0, size;
    const char *end = text + text_size, *line = text;
    for (uint64_t i = 1; i < s->number; i++)
        line = (const char *)memchr(line, '\n', (size_t)(end - line)) + 1;
    demand(s->line_count > 0);
    for (size_t i = 0; i < s->line_count; i++) {
        const elman_conll_line *l = &s->lines[i];
        demand(l->size > 0 && l->size <= (size_t)(end - line));
        demand(memcmp(s->text + l->offset, line, l->size) == 0);
        const char *next = memchr(line, '\n', (size_t)(end - line));
        line = next != NULL ? next + 1 : end;
        for (int64_t c = 0; c < l->columns; c++) {
            const char *cell = elman_conll_cell(s, i, c, &size);
            demand(cell >= s->text + l->offset);
            demand(cell + size <= s->text + l->offset + l->size);
        }
        if (l->kind != ELMAN_CONLL_WORD)
            continue;
        demand(s->words[words] == i && l->columns == s->columns);
        (void)elman_conll_word(s, words++, &size);
        demand(size > 0);
    }
    demand(words == s->word_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static elman_context *context;
    elman_context_options options;
    elman_context_options_default(&options);
    options.threads = 1;
    if (context == NULL && elman_context_create(&options, &context, NULL) != ELMAN_OK)
        return 0;
    if (size < 1)
        return 0;
    const char *text = (const char *)data + 1;
    lines l = {text, size - 1};
    elman_conll_reader *r;
    const elman_conll_sentence *s;
    elman_error error = {0};
    demand(elman_conll_reader_create(context, "fuzz", next_line, &l,
                                     (elman_conll_form)(data[0] % 3), &r, NULL) == ELMAN_OK);
    elman_status status;
    while ((status = elman_conll_next(r, &s, &error)) == ELMAN_OK && s != NULL)
        check(s, text, size - 1);
    demand(status == ELMAN_OK || strncmp(error.message, "fuzz: line ", 11) == 0);
    elman_conll_reader_free(r);
    return 0;
}
