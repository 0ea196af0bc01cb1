/* Predicting tags of sentences in columns: every line is kept as it stood, and its tag is a further
 * column. */
#include <string.h>

#include "base/error.h"
#include "data/conll.h"
#include "task/tag_desk.h"

/* A tab where the line has one or is a word alone; otherwise a space, as before. */
static char separator_of(const elman_conll_sentence *s, const elman_conll_line *line)
{
    bool tab = memchr(s->text + line->offset, '\t', line->size) || line->columns == 1;
    return tab ? '\t' : ' ';
}

static elman_tag_ending ending_of(elman_conll_kind kind)
{
    switch (kind) {
    case ELMAN_CONLL_WORD:
        return ELMAN_TAG_TAG;
    case ELMAN_CONLL_RANGE:
    case ELMAN_CONLL_EMPTY:
        return ELMAN_TAG_NONE;
    default:
        return ELMAN_TAG_NOTHING;
    }
}

static elman_status put_sentence(elman_tag_desk *d, const elman_conll_sentence *s,
                                 elman_error *error)
{
    elman_tag_examples *e = &d->tagger->examples;
    for (size_t i = 0; i < s->line_count; i++) {
        const elman_conll_line *line = &s->lines[i];
        ELMAN_TRY(elman_tag_desk_put(d, s->text + line->offset, line->size, ending_of(line->kind),
                                     separator_of(s, line), error));
    }
    ELMAN_TRY(elman_tag_desk_put(d, "", 0, ELMAN_TAG_NOTHING, 0, error));
    if (!s->word_count)
        return ELMAN_OK;
    ELMAN_TRY(elman_sentences_begin(&e->sentences, error));
    for (size_t i = 0; i < s->word_count; i++) {
        size_t size;
        const char *word = elman_conll_word(s, i, &size);
        ELMAN_TRY(elman_sentences_add(&e->sentences, word, size, error));
    }
    e->count++;
    return ELMAN_OK;
}

/* The whole sentence waits, or nothing of it: lines without their words would take others' tags. */
static elman_status take(elman_tag_desk *d, const elman_conll_sentence *s, elman_error *error)
{
    size_t count = d->count, text_used = d->text_used;
    elman_status status = put_sentence(d, s, error);
    if (status == ELMAN_OK)
        return ELMAN_OK;
    d->count = count;
    d->text_used = text_used;
    elman_sentences_cut(&d->tagger->examples.sentences, d->tagger->examples.count);
    return status;
}

elman_status elman_tag_predict_sentences(elman_tag_desk *d, elman_error *error)
{
    elman_conll_reader *reader;
    const elman_conll_sentence *s;
    ELMAN_TRY(elman_conll_reader_create(d->tagger->context, d->lines->name, elman_tag_desk_read, d,
                                        ELMAN_CONLL_AUTO, &reader, error));
    elman_status status;
    do {
        status = elman_conll_next(reader, &s, error);
        if (status == ELMAN_OK && s)
            status = take(d, s, error);
        if (status == ELMAN_OK)
            status = elman_tag_desk_turn(d, error);
    } while (status == ELMAN_OK && s);
    elman_conll_reader_free(reader);
    return status;
}
