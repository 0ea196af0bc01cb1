/* What the task classify reads: texts with a label, from a table; vectors as task/vectors_read.h
 * has them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "data/table.h"
#include "task/classify_impl.h"

enum { TEXT_COLUMNS = 64 };

void elman_classify_examples_init(elman_classify_examples *e, elman_context *context, bool words)
{
    *e = (elman_classify_examples){.context = context, .words = words};
    elman_sentences_init(&e->sentences, context);
    elman_words_init(&e->splitter, context);
    elman_labelled_vectors_init(&e->vectors, context, false);
    elman_intern_init(&e->names, context);
}

void elman_classify_examples_free(elman_classify_examples *e)
{
    if (!e->context)
        return;
    elman_sentences_free(&e->sentences);
    elman_words_free(&e->splitter);
    elman_labelled_vectors_free(&e->vectors);
    elman_intern_free(&e->names);
    elman_release(e->context, e->labels);
    elman_release(e->context, e->lengths);
    e->labels = NULL;
    e->lengths = NULL;
}

/* The words that were split last, behind those of the sentence that was begun last. */
static elman_status add_words(elman_classify_examples *e, elman_error *error)
{
    for (size_t i = 0; i < e->splitter.count; i++) {
        size_t size;
        const char *word = elman_words_text(&e->splitter, i, &size);
        ELMAN_TRY(elman_sentences_add(&e->sentences, word, size, error));
    }
    return ELMAN_OK;
}

elman_status elman_classify_add_text(elman_classify_examples *e, const char *text, size_t size,
                                     const elman_config *config, elman_error *error)
{
    ELMAN_TRY(elman_words_split(&e->splitter, text, size, config->fold_case, error));
    ELMAN_TRY(elman_sentences_begin(&e->sentences, error));
    e->count++;
    return add_words(e, error);
}

typedef struct text_columns {
    elman_table *table;
    int64_t label, text[TEXT_COLUMNS];
    int count;
} text_columns;

/* The first column that is neither the label nor all numbers; else the first beside the label. */
static int64_t default_text(const text_columns *c)
{
    for (int64_t i = 0; i < elman_table_columns(c->table); i++)
        for (int64_t row = 0; i != c->label && row < elman_table_rows(c->table); row++) {
            size_t size;
            double value;
            const char *cell = elman_table_cell(c->table, row, i, &size);
            if (!elman_table_number_of(cell, size, &value))
                return i;
        }
    return c->label == 0;
}

static elman_status find_columns(text_columns *c, const elman_config *config, elman_error *error)
{
    int64_t count = elman_table_columns(c->table);
    if (count < 2)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "%s: one column, expected a text and a label beside it",
                          elman_table_path(c->table));
    c->label = count - 1;
    for (int64_t i = 0; i < count; i++)
        if (elman_table_name(c->table, i) && !strcmp(elman_table_name(c->table, i), "label"))
            c->label = i;
    if (config->label[0])
        ELMAN_TRY(elman_table_find(c->table, config->label, &c->label, error));
    for (const char *at = config->text; *at;) {
        char name[ELMAN_CONFIG_TEXT];
        size_t size = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)size, at);
        if (c->count == TEXT_COLUMNS)
            return elman_fail(error, ELMAN_ERROR_ARGUMENT, "text: more than %d columns",
                              TEXT_COLUMNS);
        ELMAN_TRY(elman_table_find(c->table, name, &c->text[c->count++], error));
        at += size + (at[size] == ',');
    }
    if (!c->count)
        c->text[c->count++] = default_text(c);
    for (int i = 0; i < c->count; i++)
        if (c->text[i] == c->label)
            return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                              "text: it names the column that holds the label, in %s",
                              elman_table_path(c->table));
    return ELMAN_OK;
}

/* "text: title, description; label: topic" */
static void describe_columns(const text_columns *c, char *text, size_t room)
{
    char name[64];
    size_t at = 0;
    for (int i = 0; i < c->count && at < room; i++) {
        elman_table_describe(c->table, c->text[i], name);
        at += (size_t)snprintf(text + at, room - at, "%s%s", i ? ", " : "text: ", name);
    }
    elman_table_describe(c->table, c->label, name);
    if (at < room)
        snprintf(text + at, room - at, "; label: %s", name);
}

static elman_status add_label(elman_classify_examples *e, const char *label, size_t size,
                              elman_error *error)
{
    int32_t *labels = elman_grown(e->context, e->labels, (size_t)e->count - 1, &e->labels_room, 1,
                                  sizeof *labels);
    if (!labels)
        return elman_out_of_memory(error);
    e->labels = labels;
    return elman_intern_add(&e->names, label, size, &labels[e->count - 1], error);
}

static elman_status read_row(elman_classify_examples *e, const text_columns *c, int64_t row,
                             bool fold, elman_error *error)
{
    size_t size;
    ELMAN_TRY(elman_sentences_begin(&e->sentences, error));
    e->count++;
    for (int i = 0; i < c->count; i++) {
        if (i) /* a line ends between two columns */
            ELMAN_TRY(elman_sentences_add(&e->sentences, "<eos>", 5, error));
        const char *text = elman_table_cell(c->table, row, c->text[i], &size);
        ELMAN_TRY(elman_words_split(&e->splitter, text, size, fold, error));
        ELMAN_TRY(add_words(e, error));
    }
    const char *label = elman_table_cell(c->table, row, c->label, &size);
    ELMAN_TRY(elman_labels_check(e->known, label, size, error));
    return add_label(e, label, size, error);
}

static elman_status read_texts(elman_classify_examples *e, const text_columns *c, bool fold,
                               elman_error *error)
{
    for (int64_t row = 0; row < elman_table_rows(c->table); row++) {
        elman_error found = {0};
        elman_status status = read_row(e, c, row, fold, &found);
        if (status != ELMAN_OK)
            return elman_fail(error, status, "%s: line %" PRIu64 ": %s", elman_table_path(c->table),
                              elman_table_line_of(c->table, row), found.message);
    }
    return ELMAN_OK;
}

static elman_status read_vectors(elman_classify_examples *e, const char *path,
                                 const elman_config *config, elman_error *error)
{
    e->vectors.known = e->known;
    ELMAN_TRY(elman_labelled_vectors_read(&e->vectors, path, config, error));
    int64_t count = e->vectors.vectors.count;
    int32_t *labels = elman_grown(e->context, e->labels, (size_t)e->count, &e->labels_room,
                                  (size_t)(count - e->count), sizeof *labels);
    if (!labels)
        return elman_out_of_memory(error);
    e->labels = labels;
    for (; e->count < count; e->count++) {
        size_t size;
        const char *name = elman_intern_text(&e->vectors.names, e->vectors.labels[e->count], &size);
        ELMAN_TRY(elman_intern_add(&e->names, name, size, &labels[e->count], error));
    }
    return ELMAN_OK;
}

elman_status elman_classify_read(elman_classify_examples *e, const char *path,
                                 const elman_config *config, char sha256[65], uint64_t *bytes,
                                 elman_error *error)
{
    if (!e->words) {
        ELMAN_TRY(read_vectors(e, path, config, error));
        memcpy(sha256, e->vectors.sha256, 65);
        *bytes = e->vectors.bytes;
        return ELMAN_OK;
    }
    text_columns c = {0};
    ELMAN_TRY(elman_table_read(e->context, path, NULL, &c.table, error));
    memcpy(sha256, elman_table_sha256(c.table), 65);
    *bytes = elman_table_bytes(c.table);
    elman_status status = find_columns(&c, config, error);
    if (status == ELMAN_OK && !e->columns[0])
        describe_columns(&c, e->columns, sizeof e->columns);
    if (status == ELMAN_OK)
        status = read_texts(e, &c, config->fold_case, error);
    elman_table_free(c.table);
    return status;
}

elman_status elman_classify_take_labels(elman_classify_examples *e, const elman_labels *labels,
                                        elman_error *error)
{
    for (int64_t i = 0; i < e->count; i++) {
        size_t size;
        const char *name = elman_intern_text(&e->names, e->labels[i], &size);
        ELMAN_TRY(elman_labels_check(labels, name, size, error));
        e->labels[i] = elman_labels_find(labels, name, size);
    }
    return ELMAN_OK;
}

elman_status elman_classify_lengths(elman_classify_examples *e, elman_error *error)
{
    elman_release(e->context, e->lengths);
    e->lengths = elman_allocate(e->context, (size_t)e->count + 1, sizeof *e->lengths);
    if (!e->lengths)
        return elman_out_of_memory(error);
    for (int64_t i = 0; i < e->count; i++)
        e->lengths[i] = e->words ? elman_sentences_length(&e->sentences, i)
                                 : elman_vectors_length(&e->vectors.vectors, i);
    return ELMAN_OK;
}
