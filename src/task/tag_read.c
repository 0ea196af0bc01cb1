/* What the task tag reads: sentences in columns, as data/conll.h has them; vectors as
 * task/vectors_read.h has them. */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/utf8.h"
#include "data/conll.h"
#include "task/tag_impl.h"

enum { UPOS = 3 }; /* CoNLL-U's column of the part of speech, from 0 */

void elman_tag_examples_init(elman_tag_examples *e, elman_context *context, bool words,
                             const elman_labels *known)
{
    *e = (elman_tag_examples){.context = context, .words = words, .known = known};
    elman_sentences_init(&e->sentences, context);
    elman_labelled_vectors_init(&e->vectors, context, true);
    elman_intern_init(&e->names, context);
}

void elman_tag_examples_free(elman_tag_examples *e)
{
    if (!e->context)
        return;
    elman_sentences_free(&e->sentences);
    elman_labelled_vectors_free(&e->vectors);
    elman_intern_free(&e->names);
    elman_release(e->context, e->labels);
    elman_release(e->context, e->lengths);
    e->labels = NULL;
    e->lengths = NULL;
}

void elman_tag_examples_clear(elman_tag_examples *e)
{
    elman_sentences_clear(&e->sentences);
    elman_vectors_clear(&e->vectors.vectors);
    elman_intern_clear(&e->names);
    e->count = e->step_count = 0;
}

int64_t elman_tag_start(const elman_tag_examples *e, int64_t i)
{
    if (i == 0)
        return 0;
    return e->words ? e->sentences.starts[i] : e->vectors.vectors.starts[i];
}

bool elman_tag_holds_vectors(const elman_config *config, const char *path)
{
    static const char end[] = ".safetensors";
    size_t size = strlen(path), length = sizeof end - 1;
    return config->sequence_column[0] || config->features[0] || config->width ||
           (size >= length && !strcmp(path + size - length, end));
}

/* The label of the step that was added last. */
static elman_status add_label(elman_tag_examples *e, const char *name, size_t size,
                              elman_error *error)
{
    int32_t *labels = elman_grown(e->context, e->labels, (size_t)e->step_count, &e->labels_room, 1,
                                  sizeof *labels);
    if (!labels)
        return elman_out_of_memory(error);
    e->labels = labels;
    int32_t *label = &labels[e->step_count++];
    *label = ELMAN_NO_TAG;
    if (!name)
        return ELMAN_OK;
    if (!e->known)
        return elman_intern_add(&e->names, name, size, label, error);
    *label = elman_labels_find(e->known, name, size);
    if (*label >= 0)
        return ELMAN_OK;
    return elman_fail(error, ELMAN_ERROR_DATA,
                      "label \"%.*s\" is none of the %" PRId32 " that the model was trained with",
                      (int)elman_utf8_cut(name, size, 60), name, e->known->count);
}

/* --- columns --- */

/* A file that is being read, and which of its columns holds the labels. */
typedef struct columns {
    const char *path, *name; /* of the file; of the column, as asked */
    elman_conll_reader *reader;
    bool crf;
    int64_t label; /* from 0; -1: the last */
} columns;

static elman_status find_column(columns *c, elman_error *error)
{
    static const char *const names[] = {"ID",    "FORM", "LEMMA",  "UPOS", "XPOS",
                                        "FEATS", "HEAD", "DEPREL", "DEPS", "MISC"};
    enum { NAMES = sizeof names / sizeof *names };
    bool u = elman_conll_form_of(c->reader) == ELMAN_CONLL_U;
    int64_t number;
    c->label = u ? UPOS : -1;
    if (!c->name[0])
        return ELMAN_OK;
    if (elman_parse_integer(c->name, &number) && number >= 1) {
        c->label = number - 1;
        return ELMAN_OK;
    }
    for (int i = 0; u && i < NAMES; i++)
        if (!strcmp(names[i], c->name)) {
            c->label = i;
            return ELMAN_OK;
        }
    const char *near = u ? elman_nearest_word(c->name, names, NAMES) : NULL;
    return elman_fail(error, ELMAN_ERROR_ARGUMENT, "label: found %s, expected %s%s%s%s", c->name,
                      u ? "a column of CoNLL-U or its number, from 1"
                        : "the number of a column, from 1: the columns have no names",
                      near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static elman_status read_word(elman_tag_examples *e, const columns *c,
                              const elman_conll_sentence *s, size_t i, elman_error *error)
{
    size_t size;
    int64_t column = c->label < 0 ? s->columns - 1 : c->label;
    if (column >= s->columns || column == s->word_column)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "%" PRId64 " column%s, expected a label in column %" PRId64
                          " beside the word in column %" PRId64,
                          s->columns, s->columns == 1 ? "" : "s",
                          column == s->word_column ? column + 2 : column + 1, s->word_column + 1);
    const char *word = elman_conll_word(s, i, &size);
    ELMAN_TRY(elman_sentences_add(&e->sentences, word, size, error));
    const char *label = elman_conll_word_cell(s, i, column, &size);
    bool none = !size || (size == 1 && *label == '_');
    if (none && c->crf)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "column %" PRId64 ": no label, expected one at every word with --crf",
                          column + 1);
    return add_label(e, none ? NULL : label, size, error);
}

static elman_status read_sentence(elman_tag_examples *e, const columns *c,
                                  const elman_conll_sentence *s, elman_error *error)
{
    if (!s->word_count)
        return ELMAN_OK;
    ELMAN_TRY(elman_sentences_begin(&e->sentences, error));
    e->count++;
    for (size_t i = 0; i < s->word_count; i++) {
        elman_error found = {0};
        elman_status status = read_word(e, c, s, i, &found);
        if (status != ELMAN_OK)
            return elman_fail(error, status, "%s: line %" PRIu64 ": %s", c->path,
                              elman_conll_word_line(s, i), found.message);
    }
    return ELMAN_OK;
}

static elman_status read_sentences(elman_tag_examples *e, columns *c, elman_error *error)
{
    const elman_conll_sentence *s;
    bool placed = false;
    for (;;) {
        ELMAN_TRY(elman_conll_next(c->reader, &s, error));
        if (!s)
            return ELMAN_OK;
        if (!placed && s->word_count) { /* by now the form is known */
            ELMAN_TRY(find_column(c, error));
            placed = true;
        }
        ELMAN_TRY(read_sentence(e, c, s, error));
    }
}

/* --- vectors --- */

static elman_status read_vectors(elman_tag_examples *e, const char *path,
                                 const elman_config *config, elman_error *error)
{
    e->vectors.known = e->known; /* so that a label which is none of them is found at its line */
    ELMAN_TRY(elman_labelled_vectors_read(&e->vectors, path, config, error));
    e->count = e->vectors.vectors.count;
    while (e->step_count < e->vectors.vectors.step_count) {
        size_t size;
        const char *name =
            elman_intern_text(&e->vectors.names, e->vectors.labels[e->step_count], &size);
        elman_error found = {0};
        elman_status status = add_label(e, size ? name : NULL, size, &found);
        if (status == ELMAN_OK && !size && config->crf)
            status = elman_fail(&found, ELMAN_ERROR_DATA,
                                "a step without a label, expected one at every step with --crf");
        if (status != ELMAN_OK)
            return elman_fail(error, status, "%s: %s", path, found.message);
    }
    return ELMAN_OK;
}

elman_status elman_tag_read(elman_tag_examples *e, const char *path, const elman_config *config,
                            char sha256[65], uint64_t *bytes, elman_error *error)
{
    if (!e->words) {
        ELMAN_TRY(read_vectors(e, path, config, error));
        memcpy(sha256, e->vectors.sha256, 65);
        *bytes = e->vectors.bytes;
        return ELMAN_OK;
    }
    columns c = {.path = path, .name = config->label, .crf = config->crf};
    ELMAN_TRY(elman_conll_reader_open(e->context, path, ELMAN_CONLL_AUTO, &c.reader, error));
    elman_status status = read_sentences(e, &c, error);
    if (status == ELMAN_OK)
        elman_conll_digest(c.reader, sha256, bytes);
    elman_conll_reader_free(c.reader);
    return status;
}

/* --- what training takes from them --- */

elman_status elman_tag_learn_labels(elman_tag_examples *e, elman_labels *labels, elman_error *error)
{
    int32_t *to = elman_allocate(e->context, (size_t)e->names.count + 1, sizeof *to);
    if (!to)
        return elman_out_of_memory(error);
    elman_status status = elman_labels_from(labels, &e->names, to, error);
    for (int64_t i = 0; status == ELMAN_OK && i < e->step_count; i++)
        if (e->labels[i] != ELMAN_NO_TAG)
            e->labels[i] = to[e->labels[i]];
    elman_release(e->context, to);
    ELMAN_TRY(status);
    e->known = labels;
    if (labels->count < 2)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "found %" PRId32 " different label%s, expected at least 2", labels->count,
                          labels->count == 1 ? "" : "s");
    return ELMAN_OK;
}

elman_status elman_tag_lengths(elman_tag_examples *e, elman_error *error)
{
    elman_release(e->context, e->lengths);
    e->lengths = elman_allocate(e->context, (size_t)e->count + 1, sizeof *e->lengths);
    if (!e->lengths)
        return elman_out_of_memory(error);
    for (int64_t i = 0; i < e->count; i++)
        e->lengths[i] = elman_tag_start(e, i + 1) - elman_tag_start(e, i);
    return ELMAN_OK;
}
