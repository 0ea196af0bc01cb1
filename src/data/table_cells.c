/* The cells of a table as they are read: TSV, the checks of the bytes, one line alone. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "data/table_impl.h"

elman_status elman_table_grow(elman_context *context, void **block, size_t *room, size_t used,
                              size_t need, size_t size, elman_error *error)
{
    if (need <= *room)
        return ELMAN_OK;
    size_t larger = *room < 32 ? 64 : *room;
    while (larger < need) {
        if (!elman_size_multiply(larger, 2, &larger))
            return elman_fail(error, ELMAN_ERROR_MEMORY, "table: too large");
    }
    void *moved = elman_allocate(context, larger, size);
    if (moved == NULL)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "table: out of memory for %zu cells or bytes",
                          larger);
    if (used > 0)
        memcpy(moved, *block, used * size);
    elman_release(context, *block);
    *block = moved;
    *room = larger;
    return ELMAN_OK;
}

elman_status elman_cells_add(elman_cells *c, const void *bytes, size_t size, elman_error *error)
{
    void *text = c->text, *offsets = c->offsets;
    elman_status status = elman_table_grow(c->context, &text, &c->text_room, c->text_used,
                                           c->text_used + size + 1, 1, error);
    c->text = text;
    ELMAN_TRY(status);
    status = elman_table_grow(c->context, &offsets, &c->offsets_room, c->count + (c->count > 0),
                              c->count + 2, sizeof *c->offsets, error);
    c->offsets = offsets;
    ELMAN_TRY(status);
    if (size > 0)
        memcpy(c->text + c->text_used, bytes, size);
    c->text[c->text_used + size] = '\0';
    c->offsets[c->count++] = c->text_used;
    c->text_used += size + 1;
    c->offsets[c->count] = c->text_used;
    return ELMAN_OK;
}

elman_status elman_cells_end_row(elman_cells *c, const char *name, uint64_t line,
                                 elman_error *error)
{
    int64_t columns = (int64_t)(c->count - c->row_begin);
    if (c->columns == 0) {
        c->columns = columns;
        c->columns_line = line;
    }
    if (columns != c->columns)
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "%s: line %llu: found %lld column%s; expected %lld, as on line %llu",
                          name, (unsigned long long)line, (long long)columns,
                          columns == 1 ? "" : "s", (long long)c->columns,
                          (unsigned long long)c->columns_line);
    void *lines = c->lines;
    elman_status status = elman_table_grow(c->context, &lines, &c->lines_room, c->rows, c->rows + 1,
                                           sizeof *c->lines, error);
    c->lines = lines;
    ELMAN_TRY(status);
    c->lines[c->rows++] = line;
    c->row_begin = c->count;
    return ELMAN_OK;
}

size_t elman_table_line_size(const unsigned char *p, size_t left, size_t *text)
{
    size_t n = 0;
    while (n < left && p[n] != '\n' && p[n] != '\r')
        n++;
    *text = n;
    if (n < left && p[n] == '\r' && n + 1 < left && p[n + 1] == '\n')
        return n + 2;
    return n + (n < left);
}

elman_status elman_table_read_tsv(elman_cells *c, const elman_table_source *s, elman_error *error)
{
    uint64_t line = s->first_line;
    for (size_t at = 0; at < s->size; line++) {
        size_t left, size = elman_table_line_size(s->bytes + at, s->size - at, &left);
        const unsigned char *p = s->bytes + at;
        at += size;
        if (left == 0)
            continue;
        for (;;) {
            const unsigned char *tab = memchr(p, '\t', left);
            size_t cell = tab == NULL ? left : (size_t)(tab - p);
            ELMAN_TRY(elman_cells_add(c, p, cell, error));
            if (tab == NULL)
                break;
            p += cell + 1;
            left -= cell + 1;
        }
        ELMAN_TRY(elman_cells_end_row(c, s->name, line, error));
    }
    return ELMAN_OK;
}

elman_status elman_table_check_bytes(const elman_table_source *s, elman_error *error)
{
    size_t at = 0;
    while (at < s->size) {
        uint32_t code_point;
        int length = 1;
        if (s->bytes[at] == 0 || s->bytes[at] >= 0x80)
            length = elman_utf8_decode(s->bytes + at, s->size - at, &code_point);
        if (length <= 0 || s->bytes[at] == 0)
            break;
        at += (size_t)length;
    }
    if (at == s->size)
        return ELMAN_OK;
    uint64_t line = s->first_line;
    size_t begin = 0;
    for (;;) {
        size_t text, size = elman_table_line_size(s->bytes + begin, s->size - begin, &text);
        if (at < begin + size)
            break;
        begin += size;
        line++;
    }
    char bytes[16];
    elman_utf8_print_bytes(bytes, s->bytes + at, s->size - at);
    return elman_fail(error, ELMAN_ERROR_FORMAT,
                      "%s: line %llu, byte %zu: found %s (%s); expected UTF-8 text", s->name,
                      (unsigned long long)line, at - begin + 1,
                      s->bytes[at] == 0 ? "a zero byte" : "invalid UTF-8", bytes);
}

void elman_table_skip_mark(elman_table_source *s)
{
    if (s->size >= 3 && memcmp(s->bytes, "\xEF\xBB\xBF", 3) == 0) {
        s->bytes += 3;
        s->size -= 3;
    }
}

void elman_table_line_init(elman_table_line *line, elman_context *context, char delimiter)
{
    memset(line, 0, sizeof *line);
    line->context = context;
    line->delimiter = delimiter;
}

void elman_table_line_free(elman_table_line *line)
{
    if (line->context == NULL)
        return;
    elman_release(line->context, line->text);
    elman_release(line->context, line->offsets);
    elman_release(line->context, line->raw);
    memset(line, 0, sizeof *line);
}

static elman_status parse_line(elman_table_line *line, elman_cells *cells, elman_table_source *s,
                               elman_error *error)
{
    size_t text, size = elman_table_line_size(s->bytes, s->size, &text);
    if (size < s->size)
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "%s: line %llu: found a line end within; expected one line", s->name,
                          (unsigned long long)s->first_line);
    s->size = text;
    ELMAN_TRY(elman_table_check_bytes(s, error));
    if (s->delimiter == '\t')
        return elman_table_read_tsv(cells, s, error);
    void *raw = line->raw;
    elman_status status =
        elman_table_grow(line->context, &raw, &line->raw_room, 0, s->size + 1, 1, error);
    line->raw = raw;
    ELMAN_TRY(status);
    return elman_table_read_csv(cells, s, line->raw, error);
}

elman_status elman_table_line_parse(elman_table_line *line, const char *name, uint64_t number,
                                    const char *text, size_t size, elman_error *error)
{
    elman_table_source source = {name, (const unsigned char *)text, size, number, line->delimiter};
    uint64_t row_line[1];
    elman_cells cells = {.context = line->context,
                         .text = line->text,
                         .text_room = line->text_room,
                         .offsets = line->offsets,
                         .offsets_room = line->offsets_room,
                         .lines = row_line, /* one row, so that this never grows */
                         .lines_room = 1};
    line->count = 0;
    if (number == 1)
        elman_table_skip_mark(&source);
    elman_status status = parse_line(line, &cells, &source, error);
    line->text = cells.text;
    line->text_room = cells.text_room;
    line->offsets = cells.offsets;
    line->offsets_room = cells.offsets_room;
    if (status == ELMAN_OK)
        line->count = (int64_t)cells.count;
    return status;
}

const char *elman_table_line_cell(const elman_table_line *line, int64_t column, size_t *size)
{
    const size_t *offset = line->offsets + column;
    if (size != NULL)
        *size = offset[1] - offset[0] - 1;
    return line->text + offset[0];
}
