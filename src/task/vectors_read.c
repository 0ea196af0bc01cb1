#include "task/vectors_read.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/table.h"
#include "elman/safetensors.h"

enum { LOOKED_AT = 1000 }; /* rows that say whether a column holds numbers */

void elman_labelled_vectors_init(elman_labelled_vectors *to, elman_context *context, bool each_step)
{
    *to = (elman_labelled_vectors){.each_step = each_step};
    elman_vectors_init(&to->vectors, context, 0);
    elman_intern_init(&to->names, context);
}

void elman_labelled_vectors_free(elman_labelled_vectors *to)
{
    elman_release(to->vectors.context, to->labels);
    elman_vectors_free(&to->vectors);
    elman_intern_free(&to->names);
    to->labels = NULL;
    to->labels_room = 0;
}

static elman_status add_label(elman_labelled_vectors *to, const char *name, size_t size,
                              elman_error *error)
{
    size_t used = (size_t)(to->each_step ? to->vectors.step_count : to->vectors.count) - 1;
    int32_t *labels =
        elman_grown(to->vectors.context, to->labels, used, &to->labels_room, 1, sizeof *labels);
    if (!labels)
        return elman_out_of_memory(error);
    to->labels = labels;
    return elman_intern_add(&to->names, name, size, &labels[used], error);
}

/* --- tables --- */

/* What each column of a table is. */
typedef struct columns {
    elman_table *table;
    int64_t label, sequence, step;    /* -1: none */
    int64_t *features, feature_count; /* in the order in which they are read */
    float *row;                       /* [feature_count] */
} columns;

static void columns_free(elman_context *context, columns *c)
{
    elman_table_free(c->table);
    elman_release(context, c->features);
    elman_release(context, c->row);
}

static elman_status find(const columns *c, const char *name, int64_t *column, elman_error *error)
{
    *column = -1;
    return *name ? elman_table_find(c->table, name, column, error) : ELMAN_OK;
}

/* The column called label, else the last. */
static int64_t default_label(const columns *c)
{
    int64_t count = elman_table_columns(c->table);
    for (int64_t i = 0; i < count; i++) {
        const char *name = elman_table_name(c->table, i);
        if (name && !strcmp(name, "label"))
            return i;
    }
    return count - 1;
}

static elman_status list_features(columns *c, const char *names, elman_error *error)
{
    int64_t count = elman_table_columns(c->table);
    if (!*names) {
        for (int64_t i = 0; i < count; i++)
            if (i != c->label && i != c->sequence && i != c->step)
                c->features[c->feature_count++] = i;
        return ELMAN_OK;
    }
    for (const char *at = names; *at;) {
        char name[ELMAN_CONFIG_TEXT];
        size_t size = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)size, at);
        if (c->feature_count == count)
            return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                              "features: found more names than the %" PRId64 " columns of %s",
                              count, elman_table_path(c->table));
        ELMAN_TRY(elman_table_find(c->table, name, &c->features[c->feature_count++], error));
        at += size + (at[size] == ',');
    }
    return ELMAN_OK;
}

static elman_status find_columns(columns *c, elman_context *context, const elman_config *config,
                                 elman_error *error)
{
    size_t count = (size_t)elman_table_columns(c->table);
    c->features = elman_allocate(context, count, sizeof *c->features);
    c->row = elman_allocate(context, count, sizeof *c->row);
    if (!c->features || !c->row)
        return elman_out_of_memory(error);
    ELMAN_TRY(find(c, config->label, &c->label, error));
    ELMAN_TRY(find(c, config->sequence_column, &c->sequence, error));
    ELMAN_TRY(find(c, config->step_column, &c->step, error));
    if (c->label < 0)
        c->label = default_label(c);
    if (c->step >= 0 && c->sequence < 0)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "step-column: it orders the steps of a sequence, which --sequence-column "
                          "names");
    ELMAN_TRY(list_features(c, config->features, error));
    if (!c->feature_count)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "%s: no column of numbers beside the label; expected at least one",
                          elman_table_path(c->table));
    return ELMAN_OK;
}

static elman_status take_row(columns *c, int64_t row, elman_error *error)
{
    for (int64_t i = 0; i < c->feature_count; i++) {
        double value;
        ELMAN_TRY(elman_table_number(c->table, row, c->features[i], &value, error));
        c->row[i] = (float)value;
        if (isfinite(c->row[i]))
            continue;
        char name[64];
        elman_table_describe(c->table, c->features[i], name);
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "%s: line %" PRIu64 ", %s%s: found \"%s\", expected a number",
                          elman_table_path(c->table), elman_table_line_of(c->table, row),
                          elman_table_has_header(c->table) ? "column " : "", name,
                          elman_table_cell(c->table, row, c->features[i], NULL));
    }
    return ELMAN_OK;
}

static elman_status check_label(const elman_labelled_vectors *to, const columns *c, int64_t row,
                                elman_error *error)
{
    size_t size;
    elman_error found = {0};
    const char *label = elman_table_cell(c->table, row, c->label, &size);
    elman_status status = elman_labels_check(to->known, label, size, &found);
    return status == ELMAN_OK
               ? status
               : elman_fail(error, status, "%s: line %" PRIu64 ": %s", elman_table_path(c->table),
                            elman_table_line_of(c->table, row), found.message);
}

/* That a step has as many numbers as those before. */
static elman_status take_width(elman_labelled_vectors *to, const char *path, int64_t width,
                               elman_error *error)
{
    if (!to->vectors.width)
        to->vectors.width = width;
    if (to->vectors.width != width)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "%s: found %" PRId64 " number%s a step, expected %" PRId64, path, width,
                          width == 1 ? "" : "s", to->vectors.width);
    return ELMAN_OK;
}

static elman_status read_wide(elman_labelled_vectors *to, columns *c, int64_t width,
                              elman_error *error)
{
    const char *path = elman_table_path(c->table);
    if (to->each_step)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "%s: a row a step is expected, with a label each; name the column that "
                          "tells the sequences with --sequence-column",
                          path);
    width = width ? width : c->feature_count;
    if (c->feature_count % width)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "%s: %" PRId64 " numbers a row, expected steps of --width %" PRId64, path,
                          c->feature_count, width);
    ELMAN_TRY(take_width(to, path, width, error));
    for (int64_t row = 0; row < elman_table_rows(c->table); row++) {
        size_t size;
        const char *label = elman_table_cell(c->table, row, c->label, &size);
        ELMAN_TRY(check_label(to, c, row, error));
        ELMAN_TRY(take_row(c, row, error));
        ELMAN_TRY(elman_vectors_begin(&to->vectors, error));
        for (int64_t i = 0; i < c->feature_count; i += width)
            ELMAN_TRY(elman_vectors_add(&to->vectors, c->row + i, error));
        ELMAN_TRY(add_label(to, label, size, error));
    }
    return ELMAN_OK;
}

static bool same_cell(const elman_table *table, int64_t a, int64_t b, int64_t column)
{
    size_t x, y;
    const char *p = elman_table_cell(table, a, column, &x);
    const char *q = elman_table_cell(table, b, column, &y);
    return x == y && !memcmp(p, q, x);
}

/* A sequence that begins must not have been seen in this file. */
static elman_status begin_long(elman_labelled_vectors *to, const columns *c, elman_intern *seen,
                               int64_t row, elman_error *error)
{
    size_t size;
    int32_t number, before = seen->count;
    const char *name = elman_table_cell(c->table, row, c->sequence, &size);
    ELMAN_TRY(elman_intern_add(seen, name, size, &number, error));
    if (number < before)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "%s: line %" PRIu64 ": sequence \"%s\" begins again; its rows are "
                          "expected to stand together",
                          elman_table_path(c->table), elman_table_line_of(c->table, row), name);
    return elman_vectors_begin(&to->vectors, error);
}

static elman_status check_step(const columns *c, int64_t row, elman_error *error)
{
    double before, now;
    ELMAN_TRY(elman_table_number(c->table, row - 1, c->step, &before, error));
    ELMAN_TRY(elman_table_number(c->table, row, c->step, &now, error));
    if (now > before)
        return ELMAN_OK;
    return elman_fail(error, ELMAN_ERROR_DATA,
                      "%s: line %" PRIu64 ": step \"%s\" after \"%s\", expected a later one",
                      elman_table_path(c->table), elman_table_line_of(c->table, row),
                      elman_table_cell(c->table, row, c->step, NULL),
                      elman_table_cell(c->table, row - 1, c->step, NULL));
}

static elman_status read_long(elman_labelled_vectors *to, columns *c, elman_intern *seen,
                              elman_error *error)
{
    const char *path = elman_table_path(c->table);
    ELMAN_TRY(take_width(to, path, c->feature_count, error));
    for (int64_t row = 0; row < elman_table_rows(c->table); row++) {
        bool begins = row == 0 || !same_cell(c->table, row - 1, row, c->sequence);
        size_t size;
        const char *label = elman_table_cell(c->table, row, c->label, &size);
        ELMAN_TRY(check_label(to, c, row, error));
        if (begins)
            ELMAN_TRY(begin_long(to, c, seen, row, error));
        else if (c->step >= 0)
            ELMAN_TRY(check_step(c, row, error));
        if (!begins && !to->each_step && !same_cell(c->table, row - 1, row, c->label))
            return elman_fail(error, ELMAN_ERROR_DATA,
                              "%s: line %" PRIu64 ": label \"%s\" within a sequence of \"%s\", "
                              "expected one label a sequence",
                              path, elman_table_line_of(c->table, row), label,
                              elman_table_cell(c->table, row - 1, c->label, NULL));
        ELMAN_TRY(take_row(c, row, error));
        ELMAN_TRY(elman_vectors_add(&to->vectors, c->row, error));
        if (begins || to->each_step)
            ELMAN_TRY(add_label(to, label, size, error));
    }
    return ELMAN_OK;
}

static elman_status read_table(elman_labelled_vectors *to, const char *path,
                               const elman_config *config, elman_error *error)
{
    elman_context *context = to->vectors.context;
    columns c = {0};
    elman_intern seen;
    elman_intern_init(&seen, context);
    elman_status status = elman_table_read(context, path, NULL, &c.table, error);
    if (status == ELMAN_OK) {
        memcpy(to->sha256, elman_table_sha256(c.table), sizeof to->sha256);
        to->bytes = elman_table_bytes(c.table);
        status = find_columns(&c, context, config, error);
    }
    if (status == ELMAN_OK)
        status = c.sequence >= 0 ? read_long(to, &c, &seen, error)
                                 : read_wide(to, &c, config->width, error);
    columns_free(context, &c);
    elman_intern_free(&seen);
    return status;
}

/* --- safetensors --- */

typedef struct tensors {
    const char *path;
    const elman_tensor_view *x, *lengths, *labels;
    int64_t n, T, F;
} tensors;

static elman_status check_tensors(const elman_labelled_vectors *to, tensors *t, elman_error *error)
{
    const elman_tensor_view *x = t->x;
    if (!x || x->dtype != ELMAN_DTYPE_F32 || x->rank < 2 || x->rank > 3)
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "%s: expected a tensor x, F32 [n, T, F] or [n, F]", t->path);
    t->n = (int64_t)x->shape[0];
    t->T = x->rank == 3 ? (int64_t)x->shape[1] : 1;
    t->F = (int64_t)x->shape[x->rank - 1];
    if (t->F < 1 || (t->T < 1 && t->n > 0)) /* else a few bytes would promise any number of them */
        return elman_fail(error, ELMAN_ERROR_FORMAT, "%s: x has no %s", t->path,
                          t->F < 1 ? "numbers a step" : "steps");
    if (t->lengths && (t->lengths->dtype != ELMAN_DTYPE_I64 || t->lengths->rank != 1 ||
                       (int64_t)t->lengths->shape[0] != t->n))
        return elman_fail(error, ELMAN_ERROR_FORMAT, "%s: lengths: expected I64 [%" PRId64 "]",
                          t->path, t->n);
    int rank = to->each_step ? 2 : 1;
    if (!t->labels || t->labels->dtype != ELMAN_DTYPE_I64 || t->labels->rank != rank ||
        (int64_t)t->labels->shape[0] != t->n ||
        (to->each_step && (int64_t)t->labels->shape[1] != t->T))
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "%s: labels: expected I64, %s of %" PRId64 " sequences", t->path,
                          to->each_step ? "one a step" : "one each", t->n);
    return ELMAN_OK;
}

static elman_status add_tensor_label(elman_labelled_vectors *to, const char *path, int64_t i,
                                     int64_t label, elman_error *error)
{
    char text[24];
    int size = snprintf(text, sizeof text, "%" PRId64, label);
    elman_error found = {0};
    elman_status status = elman_labels_check(to->known, text, (size_t)size, &found);
    if (status != ELMAN_OK)
        return elman_fail(error, status, "%s: labels of sequence %" PRId64 ": %s", path, i,
                          found.message);
    return add_label(to, text, (size_t)size, error);
}

static elman_status take_tensors(elman_labelled_vectors *to, const tensors *t, elman_error *error)
{
    const float *x = t->x->data;
    const int64_t *lengths = t->lengths ? t->lengths->data : NULL, *labels = t->labels->data;
    ELMAN_TRY(take_width(to, t->path, t->F, error));
    for (int64_t i = 0; i < t->n; i++) {
        int64_t length = lengths ? lengths[i] : t->T;
        if (length < 0 || length > t->T)
            return elman_fail(error, ELMAN_ERROR_FORMAT,
                              "%s: lengths[%" PRId64 "]: found %" PRId64 ", expected 0 to %" PRId64,
                              t->path, i, length, t->T);
        ELMAN_TRY(elman_vectors_begin(&to->vectors, error));
        if (!to->each_step)
            ELMAN_TRY(add_tensor_label(to, t->path, i, labels[i], error));
        for (int64_t s = 0; s < length; s++) {
            const float *step = x + (i * t->T + s) * t->F;
            for (int64_t f = 0; f < t->F; f++)
                if (!isfinite(step[f]))
                    return elman_fail(error, ELMAN_ERROR_DATA,
                                      "%s: x[%" PRId64 ",%" PRId64 ",%" PRId64
                                      "]: not a finite number",
                                      t->path, i, s, f);
            ELMAN_TRY(elman_vectors_add(&to->vectors, step, error));
            if (to->each_step)
                ELMAN_TRY(add_tensor_label(to, t->path, i, labels[i * t->T + s], error));
        }
    }
    return ELMAN_OK;
}

static elman_status read_tensors(elman_labelled_vectors *to, const char *path, elman_error *error)
{
    elman_safetensors *file;
    ELMAN_TRY(elman_file_sha256(path, to->sha256, &to->bytes, error));
    ELMAN_TRY(elman_safetensors_read(to->vectors.context, path, NULL, &file, error));
    tensors t = {.path = path,
                 .x = elman_safetensors_find(file, "x"),
                 .lengths = elman_safetensors_find(file, "lengths"),
                 .labels = elman_safetensors_find(file, "labels")};
    elman_status status = check_tensors(to, &t, error);
    if (status == ELMAN_OK)
        status = take_tensors(to, &t, error);
    elman_safetensors_free(file);
    return status;
}

static bool is_safetensors(const char *path)
{
    static const char end[] = ".safetensors";
    size_t size = strlen(path), length = sizeof end - 1;
    return size >= length && !strcmp(path + size - length, end);
}

elman_status elman_labelled_vectors_read(elman_labelled_vectors *to, const char *path,
                                         const elman_config *config, elman_error *error)
{
    return is_safetensors(path) ? read_tensors(to, path, error)
                                : read_table(to, path, config, error);
}

/* Whether more cells of a column's head are numbers than are words; what is missing is neither. */
static bool holds_numbers(const elman_table *table, int64_t column)
{
    int64_t rows = elman_table_rows(table), numbers = 0;
    for (int64_t row = 0; row < rows && row < LOOKED_AT; row++) {
        double value;
        size_t size;
        const char *cell = elman_table_cell(table, row, column, &size);
        if (!elman_table_number_of(cell, size, &value))
            numbers--;
        else if (!isnan(value))
            numbers++;
    }
    return numbers > 0;
}

elman_status elman_holds_vectors(elman_context *context, const char *path,
                                 const elman_config *config, bool *vectors, elman_error *error)
{
    *vectors =
        config->sequence_column[0] || config->features[0] || config->width || is_safetensors(path);
    if (*vectors || config->text[0])
        return ELMAN_OK;
    columns c = {.sequence = -1, .step = -1};
    ELMAN_TRY(elman_table_read(context, path, NULL, &c.table, error));
    elman_status status = find(&c, config->label, &c.label, error);
    if (c.label < 0)
        c.label = default_label(&c);
    bool numbers = elman_table_rows(c.table) > 0 && elman_table_columns(c.table) > 1;
    for (int64_t i = 0; numbers && i < elman_table_columns(c.table); i++)
        numbers = i == c.label || holds_numbers(c.table, i);
    *vectors = status == ELMAN_OK && numbers;
    elman_table_free(c.table);
    return status;
}
