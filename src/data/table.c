/* A table of text cells: which columns it has, and what stands in them. */
#include "data/table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/utf8.h"
#include "data/table_impl.h"
#include "elman/options.h"

struct elman_table {
    elman_context *context;
    char *path;
    uint64_t bytes;
    char sha256[65];
    char delimiter;
    bool header; /* row 0 of the cells is one */
    elman_cells cells;
};

void elman_table_free(elman_table *t)
{
    if (t == NULL)
        return;
    elman_release(t->context, t->path);
    elman_release(t->context, t->cells.text);
    elman_release(t->context, t->cells.offsets);
    elman_release(t->context, t->cells.lines);
    elman_release(t->context, t);
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcasecmp(text + n - m, end) == 0;
}

static char find_delimiter(const elman_table_source *s)
{
    if (ends_with(s->name, ".tsv") || ends_with(s->name, ".tab"))
        return '\t';
    bool quoted = false, begun = false, tab = false, semicolon = false;
    for (size_t i = 0; i < s->size; i++) {
        unsigned char c = s->bytes[i];
        bool line_end = c == '\n' || c == '\r';
        if (c == '"')
            quoted = !quoted;
        else if (c == ',' && !quoted)
            return ',';
        else if (line_end && begun && !quoted)
            break;
        begun |= !line_end;
        tab |= c == '\t' && !quoted;
        semicolon |= c == ';' && !quoted;
    }
    return tab ? '\t' : semicolon ? ';' : ',';
}

static const char *cell_at(const elman_table *t, size_t row, size_t column, size_t *size)
{
    const size_t *offset = t->cells.offsets + row * (size_t)t->cells.columns + column;
    if (size != NULL)
        *size = offset[1] - offset[0] - 1;
    return t->cells.text + offset[0];
}

static bool has_space(const char *cell)
{
    const unsigned char *p = (const unsigned char *)cell;
    for (size_t left = strlen(cell); left > 0;) {
        uint32_t c;
        int length = elman_utf8_decode(p, left, &c);
        if (length <= 0 || elman_utf8_is_space(c))
            return true;
        p += length;
        left -= (size_t)length;
    }
    return false;
}

static bool looks_like_header(const elman_table *t)
{
    for (size_t c = 0; c < (size_t)t->cells.columns; c++) {
        size_t size, other;
        double value;
        const char *cell = cell_at(t, 0, c, &size);
        if (elman_table_number_of(cell, size, &value) && !isnan(value))
            return false;
        if (t->delimiter != '\t')
            continue;
        if (has_space(cell))
            return false;
        for (size_t row = 1; row < t->cells.rows; row++) {
            const char *below = cell_at(t, row, c, &other);
            if (other == size && memcmp(below, cell, size) == 0)
                return false;
        }
    }
    return true;
}

static elman_status read_cells(elman_table *t, const elman_table_source *source, elman_error *error)
{
    ELMAN_TRY(elman_table_check_bytes(source, error));
    if (t->delimiter == '\t')
        return elman_table_read_tsv(&t->cells, source, error);
    unsigned char *scratch = elman_allocate(t->context, source->size + 1, 1);
    if (scratch == NULL)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "%s: out of memory for %zu bytes",
                          source->name, source->size);
    elman_status status = elman_table_read_csv(&t->cells, source, scratch, error);
    elman_release(t->context, scratch);
    return status;
}

static elman_status fill(elman_table *t, elman_table_source *source, elman_table_header header,
                         elman_error *error)
{
    size_t path = strlen(source->name) + 1;
    t->path = elman_allocate(t->context, path, 1);
    if (t->path == NULL)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "%s: out of memory", source->name);
    memcpy(t->path, source->name, path);
    elman_sha256 sha;
    elman_sha256_begin(&sha);
    elman_sha256_add(&sha, source->bytes, source->size);
    elman_sha256_end(&sha, t->sha256);
    t->bytes = source->size;
    elman_table_skip_mark(source);
    t->delimiter = source->delimiter != 0 ? source->delimiter : find_delimiter(source);
    source->delimiter = t->delimiter;
    ELMAN_TRY(read_cells(t, source, error));
    if (t->cells.rows == 0)
        return elman_fail(error, ELMAN_ERROR_DATA, "%s: found no row; expected a table",
                          source->name);
    t->header = header == ELMAN_TABLE_HEADER_YES ||
                (header == ELMAN_TABLE_HEADER_AUTO && looks_like_header(t));
    return ELMAN_OK;
}

elman_status elman_table_parse(elman_context *context, const char *name, const void *bytes,
                               size_t size, const elman_table_options *options, elman_table **table,
                               elman_error *error)
{
    elman_table_options o = {0, ELMAN_TABLE_HEADER_AUTO};
    if (options != NULL)
        o = *options;
    if (o.delimiter != 0 && o.delimiter != ',' && o.delimiter != ';' && o.delimiter != '\t')
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "%s: delimiter: found byte %u; expected ',', ';' or a tab", name,
                          (unsigned)(unsigned char)o.delimiter);
    elman_table *t = elman_allocate_zero(context, 1, sizeof *t);
    if (t == NULL)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "%s: out of memory", name);
    t->context = t->cells.context = context;
    elman_table_source source = {name, bytes, size, 1, o.delimiter};
    elman_status status = fill(t, &source, o.header, error);
    if (status != ELMAN_OK) {
        elman_table_free(t);
        return status;
    }
    *table = t;
    return ELMAN_OK;
}

elman_status elman_table_read(elman_context *context, const char *path,
                              const elman_table_options *options, elman_table **table,
                              elman_error *error)
{
    unsigned char *bytes;
    size_t size;
    ELMAN_TRY(elman_file_read(context, path, 0, &bytes, &size, error));
    elman_status status = elman_table_parse(context, path, bytes, size, options, table, error);
    elman_release(context, bytes);
    return status;
}

const char *elman_table_path(const elman_table *t)
{
    return t->path;
}

uint64_t elman_table_bytes(const elman_table *t)
{
    return t->bytes;
}

const char *elman_table_sha256(const elman_table *t)
{
    return t->sha256;
}

int64_t elman_table_rows(const elman_table *t)
{
    return (int64_t)t->cells.rows - t->header;
}

int64_t elman_table_columns(const elman_table *t)
{
    return t->cells.columns;
}

bool elman_table_has_header(const elman_table *t)
{
    return t->header;
}

char elman_table_delimiter(const elman_table *t)
{
    return t->delimiter;
}

const char *elman_table_name(const elman_table *t, int64_t column)
{
    return t->header ? cell_at(t, 0, (size_t)column, NULL) : NULL;
}

void elman_table_describe(const elman_table *t, int64_t column, char text[64])
{
    size_t size;
    if (!t->header || *cell_at(t, 0, (size_t)column, &size) == '\0') {
        snprintf(text, 64, "column %lld", (long long)column + 1);
        return;
    }
    const char *name = cell_at(t, 0, (size_t)column, &size);
    size = elman_utf8_cut(name, size, 63);
    memcpy(text, name, size);
    text[size] = '\0';
}

/* No column of that name: which may have been meant. */
static elman_status no_column(const elman_table *t, const char *name, elman_error *error)
{
    size_t columns = (size_t)t->cells.columns;
    if (!t->header)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "%s: found no column \"%.100s\"; expected a number from 1 to %zu, since "
                          "the file has no header",
                          t->path, name, columns);
    const char **names = elman_allocate(t->context, columns, sizeof *names);
    const char *nearest = NULL;
    for (size_t c = 0; c < columns && names != NULL; c++)
        names[c] = cell_at(t, 0, c, NULL);
    if (names != NULL)
        nearest = elman_nearest_word(name, names, columns);
    elman_release(t->context, names);
    return elman_fail(
        error, ELMAN_ERROR_DATA, "%s: found no column \"%.100s\"; %s \"%.100s\"%s", t->path, name,
        nearest != NULL ? "did you mean" : "the first of its columns is",
        nearest != NULL ? nearest : cell_at(t, 0, 0, NULL), nearest != NULL ? "?" : "");
}

elman_status elman_table_find(const elman_table *t, const char *name, int64_t *column,
                              elman_error *error)
{
    int64_t found = -1, number;
    for (int64_t c = 0; t->header && c < t->cells.columns; c++) {
        if (strcmp(cell_at(t, 0, (size_t)c, NULL), name) != 0)
            continue;
        if (found >= 0)
            return elman_fail(error, ELMAN_ERROR_DATA,
                              "%s: columns %lld and %lld are both named \"%.100s\"; expected one",
                              t->path, (long long)found + 1, (long long)c + 1, name);
        found = c;
    }
    if (found < 0 && elman_parse_integer(name, &number) && number >= 1 &&
        number <= t->cells.columns)
        found = number - 1;
    if (found < 0)
        return no_column(t, name, error);
    *column = found;
    return ELMAN_OK;
}

const char *elman_table_cell(const elman_table *t, int64_t row, int64_t column, size_t *size)
{
    return cell_at(t, (size_t)(row + t->header), (size_t)column, size);
}

uint64_t elman_table_line_of(const elman_table *t, int64_t row)
{
    return t->cells.lines[row + t->header];
}

bool elman_table_number_of(const char *cell, size_t size, double *value)
{
    static const char *const missing[] = {"", "na", "n/a", "nan", "null", "?"};
    char text[512];
    while (size > 0 && (cell[0] == ' ' || cell[0] == '\t')) {
        cell++;
        size--;
    }
    while (size > 0 && (cell[size - 1] == ' ' || cell[size - 1] == '\t'))
        size--;
    if (size >= sizeof text || memchr(cell, '\0', size) != NULL)
        return false;
    memcpy(text, cell, size);
    text[size] = '\0';
    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
        if (strcasecmp(text, missing[i]) == 0) {
            *value = (double)NAN;
            return true;
        }
    }
    return elman_parse_real(text, value) && isfinite(*value);
}

elman_status elman_table_number(const elman_table *t, int64_t row, int64_t column, double *value,
                                elman_error *error)
{
    size_t size;
    const char *cell = elman_table_cell(t, row, column, &size);
    if (elman_table_number_of(cell, size, value))
        return ELMAN_OK;
    char name[64], found[64];
    elman_table_describe(t, column, name);
    size_t shown = elman_utf8_cut(cell, size, sizeof found - 1);
    memcpy(found, cell, shown);
    found[shown] = '\0';
    return elman_fail(error, ELMAN_ERROR_DATA, "%s: line %llu, %s%s: found \"%s\"%s, expected a %s",
                      t->path, (unsigned long long)elman_table_line_of(t, row),
                      strncmp(name, "column ", 7) == 0 ? "" : "column ", name, found,
                      shown < size ? "..." : "",
                      elman_parse_real(found, value) ? "finite number" : "number");
}
