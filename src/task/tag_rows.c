/* Predicting tags of sequences of vectors: rows of numbers, a step each, whose sequence the column
 * --sequence-column names, or which an empty line ends where there is no such column. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "data/table.h"
#include "task/tag_desk.h"

/* What has been read of the sequence that has not ended, and where a row holds what. */
typedef struct rows {
    elman_tag_desk *desk;
    const elman_config *config;
    elman_table_line line;
    uint64_t number;
    int64_t columns, sequence, step; /* -1: there is none */
    int64_t *features;               /* [inputs] */
    bool begun;                      /* the columns are known */
    elman_intern name;               /* number 0: the value of the sequence column */
    double last;                     /* of the step column */
    float *values;                   /* [steps, inputs] */
    size_t steps, values_room;
    char *text; /* the rows as they stood, a line end behind each */
    size_t text_used, text_room;
} rows;

/* --- which column is what --- */

static int64_t named(const rows *r, bool header, const char *name, size_t length)
{
    char text[ELMAN_CONFIG_TEXT];
    int64_t number;
    for (int64_t i = 0; header && i < r->line.count; i++) {
        size_t size;
        const char *cell = elman_table_line_cell(&r->line, i, &size);
        if (size == length && !memcmp(cell, name, size))
            return i;
    }
    snprintf(text, sizeof text, "%.*s", (int)length, name);
    if (elman_parse_integer(text, &number) && number >= 1 && number <= r->line.count)
        return number - 1;
    return -1;
}

static elman_status find(const rows *r, bool header, const char *name, int64_t *column,
                         elman_error *error)
{
    *column = *name ? named(r, header, name, strlen(name)) : -1;
    if (!*name || *column >= 0)
        return ELMAN_OK;
    return elman_fail(error, ELMAN_ERROR_DATA, "found no column %s, expected the model's", name);
}

static elman_status listed_features(rows *r, bool header, int64_t *count, elman_error *error)
{
    for (const char *at = r->config->features; *at;) {
        size_t size = strcspn(at, ",");
        int64_t column = named(r, header, at, size);
        if (column < 0)
            return elman_fail(error, ELMAN_ERROR_DATA,
                              "found no column %.*s, expected the model's features", (int)size, at);
        if (*count < r->config->inputs)
            r->features[*count] = column;
        ++*count;
        at += size + (at[size] == ',');
    }
    return ELMAN_OK;
}

/* All columns but those of sequence, step and label; a label without a name stands last, if it
 * stands there at all. */
static void other_features(rows *r, bool header, int64_t *count)
{
    const char *name = r->config->label[0] ? r->config->label : "label";
    int64_t label = named(r, header, name, strlen(name));
    for (int64_t i = 0; i < r->line.count; i++) {
        if (i == r->sequence || i == r->step || i == label)
            continue;
        if (*count < r->config->inputs)
            r->features[*count] = i;
        ++*count;
    }
    if (label < 0 && *count == r->config->inputs + 1)
        --*count;
}

static elman_status find_columns(rows *r, bool header, elman_error *error)
{
    int64_t count = 0;
    r->columns = r->line.count;
    r->features =
        elman_allocate(r->desk->tagger->context, (size_t)r->config->inputs, sizeof *r->features);
    if (!r->features)
        return elman_out_of_memory(error);
    ELMAN_TRY(find(r, header, r->config->sequence_column, &r->sequence, error));
    ELMAN_TRY(find(r, header, r->config->step_column, &r->step, error));
    if (r->config->features[0])
        ELMAN_TRY(listed_features(r, header, &count, error));
    else
        other_features(r, header, &count);
    r->begun = true;
    if (count == r->config->inputs)
        return ELMAN_OK;
    return elman_fail(error, ELMAN_ERROR_DATA,
                      "found %" PRId64 " columns of numbers, expected %" PRId64, count,
                      r->config->inputs);
}

/* A first line without a number is a header; a cell that is missing (NaN) is none. */
static bool is_header(const rows *r)
{
    for (int64_t i = 0; i < r->line.count; i++) {
        double value;
        size_t size;
        const char *cell = elman_table_line_cell(&r->line, i, &size);
        if (elman_table_number_of(cell, size, &value) && !isnan(value))
            return false;
    }
    return true;
}

static char delimiter_of(const char *line, size_t size)
{
    if (memchr(line, '\t', size) && !memchr(line, ',', size))
        return '\t';
    return memchr(line, ';', size) && !memchr(line, ',', size) ? ';' : ',';
}

/* --- one sequence --- */

static elman_status put_sequence(rows *r, elman_error *error)
{
    elman_tag_desk *d = r->desk;
    elman_tag_examples *e = &d->tagger->examples;
    int32_t *sequences = elman_grown(d->tagger->context, d->sequences, (size_t)e->count,
                                     &d->sequences_room, 1, sizeof *sequences);
    if (!sequences)
        return elman_out_of_memory(error);
    d->sequences = sequences;
    size_t size = 0;
    const char *name = r->name.count ? elman_intern_text(&r->name, 0, &size) : "";
    ELMAN_TRY(elman_intern_add(&d->names, name, size, &sequences[e->count], error));
    ELMAN_TRY(elman_vectors_begin(&e->vectors.vectors, error));
    const char *row = r->text;
    for (size_t i = 0; i < r->steps; i++) {
        size_t length = strcspn(row, "\n");
        ELMAN_TRY(elman_tag_desk_put(d, row, length, ELMAN_TAG_TAG, r->line.delimiter, error));
        ELMAN_TRY(elman_vectors_add(&e->vectors.vectors, r->values + i * (size_t)r->config->inputs,
                                    error));
        row += length + 1;
    }
    e->count++;
    return ELMAN_OK;
}

/* The sequence has ended: the whole of it waits for its answer, or nothing where memory runs out,
 * as rows without their numbers would take others' tags. */
static elman_status end_sequence(rows *r, elman_error *error)
{
    elman_tag_desk *d = r->desk;
    size_t count = d->count, text_used = d->text_used;
    if (!r->steps)
        return ELMAN_OK;
    elman_status status = put_sequence(r, error);
    if (status != ELMAN_OK) {
        d->count = count;
        d->text_used = text_used;
        elman_vectors_cut(&d->tagger->examples.vectors.vectors, d->tagger->examples.count);
        return status;
    }
    r->steps = r->text_used = 0;
    elman_intern_clear(&r->name);
    return elman_tag_desk_turn(d, error);
}

static elman_status take_numbers(rows *r, elman_error *error)
{
    size_t inputs = (size_t)r->config->inputs;
    float *values = elman_grown(r->desk->tagger->context, r->values, r->steps * inputs,
                                &r->values_room, inputs, sizeof *values);
    if (!values)
        return elman_out_of_memory(error);
    r->values = values;
    for (size_t i = 0; i < inputs; i++) {
        double value;
        size_t size;
        const char *cell = elman_table_line_cell(&r->line, r->features[i], &size);
        bool number = elman_table_number_of(cell, size, &value);
        float *to = &values[r->steps * inputs + i];
        *to = number ? (float)value : NAN;
        if (!isfinite(*to))
            return elman_fail(error, ELMAN_ERROR_DATA,
                              "column %" PRId64 ": found \"%.60s\", expected a number",
                              r->features[i] + 1, cell);
    }
    return ELMAN_OK;
}

static elman_status check_step(rows *r, elman_error *error)
{
    double value;
    size_t size;
    if (r->step < 0)
        return ELMAN_OK;
    const char *cell = elman_table_line_cell(&r->line, r->step, &size);
    if (!elman_table_number_of(cell, size, &value) || (r->steps && !(value > r->last)))
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "column %" PRId64 ": found step \"%.60s\", expected a later one",
                          r->step + 1, cell);
    r->last = value;
    return ELMAN_OK;
}

static elman_status keep_text(rows *r, const char *text, size_t size, elman_error *error)
{
    char *kept =
        elman_grown(r->desk->tagger->context, r->text, r->text_used, &r->text_room, size + 1, 1);
    if (!kept)
        return elman_out_of_memory(error);
    r->text = kept;
    memcpy(kept + r->text_used, text, size);
    kept[r->text_used + size] = '\n';
    r->text_used += size + 1;
    return ELMAN_OK;
}

static elman_status take_row(rows *r, const char *text, size_t size, elman_error *error)
{
    if (r->line.count != r->columns)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "found %" PRId64 " columns, expected %" PRId64 " as before",
                          r->line.count, r->columns);
    if (r->sequence >= 0) {
        size_t length;
        int32_t number;
        const char *name = elman_table_line_cell(&r->line, r->sequence, &length);
        if (r->steps && elman_intern_find(&r->name, name, length) < 0)
            ELMAN_TRY(end_sequence(r, error));
        ELMAN_TRY(elman_intern_add(&r->name, name, length, &number, error));
    }
    ELMAN_TRY(check_step(r, error));
    ELMAN_TRY(take_numbers(r, error));
    ELMAN_TRY(keep_text(r, text, size, error));
    r->steps++;
    return ELMAN_OK;
}

static elman_status take_line(rows *r, const char *text, size_t size, elman_error *error)
{
    elman_tag_desk *d = r->desk;
    if (!r->begun) /* an empty line does not say */
        r->line.delimiter = delimiter_of(text, size);
    ELMAN_TRY(elman_table_line_parse(&r->line, d->lines->name, r->number, text, size, error));
    if (!r->line.count) {
        ELMAN_TRY(end_sequence(r, error));
        return elman_tag_desk_put(d, text, size, ELMAN_TAG_NOTHING, 0, error);
    }
    elman_error found = {0};
    elman_status status = ELMAN_OK;
    if (!r->begun) {
        bool header = is_header(r);
        status = find_columns(r, header, &found);
        if (status == ELMAN_OK && header)
            return elman_tag_desk_put(d, text, size, ELMAN_TAG_HEADER, r->line.delimiter, error);
    }
    if (status == ELMAN_OK)
        status = take_row(r, text, size, &found);
    return status == ELMAN_OK ? ELMAN_OK
                              : elman_fail(error, status, "%s: line %" PRIu64 ": %s",
                                           d->lines->name, r->number, found.message);
}

static elman_status take_lines(rows *r, elman_error *error)
{
    for (;;) {
        const char *text;
        size_t size;
        ELMAN_TRY(elman_tag_desk_read(r->desk, &text, &size, error));
        if (!text)
            return end_sequence(r, error);
        r->number++;
        if (size && text[size - 1] == '\r')
            size--;
        ELMAN_TRY(take_line(r, text, size, error));
    }
}

elman_status elman_tag_predict_rows(elman_tag_desk *d, elman_error *error)
{
    elman_context *context = d->tagger->context;
    rows r = {.desk = d, .config = &d->tagger->file->config};
    elman_intern_init(&r.name, context);
    elman_table_line_init(&r.line, context, ',');
    elman_status status = take_lines(&r, error);
    elman_table_line_free(&r.line);
    elman_intern_free(&r.name);
    elman_release(context, r.features);
    elman_release(context, r.values);
    elman_release(context, r.text);
    return status;
}
