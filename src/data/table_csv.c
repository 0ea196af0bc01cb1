/* CSV by libcsv, a line of the file at a time, so that every cell's line is known. */
#include "base/error.h"
#include "data/table_impl.h"

#if defined(ELMAN_WITH_CSV)

#include <csv.h>

typedef struct reading {
    elman_cells *cells;
    const elman_table_source *source;
    uint64_t row_line;
    elman_status status; /* the first failure; what comes after it is not kept */
    elman_error *error;
} reading;

static void end_cell(void *bytes, size_t size, void *user)
{
    reading *r = user;
    if (r->status == ELMAN_OK)
        r->status = elman_cells_add(r->cells, bytes, size, r->error);
}

static void end_row(int terminator, void *user)
{
    reading *r = user;
    (void)terminator;
    if (r->status == ELMAN_OK)
        r->status = elman_cells_end_row(r->cells, r->source->name, r->row_line, r->error);
}

/* libcsv's hooks carry no context. It is given memory that holds the longest cell there can be,
 * so that these are never needed; if they were, it would answer CSV_ENOMEM. */
static void *no_more(void *memory, size_t size)
{
    (void)memory;
    (void)size;
    return NULL;
}

static void nothing(void *memory)
{
    (void)memory;
}

static elman_status misplaced(const reading *r, uint64_t line, const unsigned char *at, size_t byte)
{
    size_t column = r->cells->count - r->cells->row_begin + 1;
    if (*at == '"')
        return elman_fail(r->error, ELMAN_ERROR_FORMAT,
                          "%s: line %llu, column %zu: found a quote within the cell (byte %zu of "
                          "the line); expected such a cell in quotes, each quote in it doubled",
                          r->source->name, (unsigned long long)line, column, byte);
    return elman_fail(r->error, ELMAN_ERROR_FORMAT,
                      "%s: line %llu, column %zu: found more of the cell after its closing quote "
                      "(byte %zu of the line); expected %s, or each quote in the cell doubled",
                      r->source->name, (unsigned long long)line, column, byte,
                      r->source->delimiter == ';' ? "\";\"" : "\",\"");
}

static elman_status feed(struct csv_parser *p, reading *r)
{
    const elman_table_source *s = r->source;
    uint64_t line = s->first_line, quote_line = line;
    size_t quote_column = 1;
    bool open = false; /* a quoted cell goes on from the line before */
    for (size_t at = 0; at < s->size; line++) {
        size_t text, size = elman_table_line_size(s->bytes + at, s->size - at, &text);
        size_t cells = r->cells->count;
        if (!open)
            r->row_line = line;
        size_t done = csv_parse(p, s->bytes + at, size, end_cell, end_row, r);
        ELMAN_TRY(r->status);
        if (csv_error(p) == CSV_EPARSE)
            return misplaced(r, line, s->bytes + at + done, done + 1);
        if (done < size)
            return elman_fail(r->error, ELMAN_ERROR_MEMORY, "%s: line %llu: %s", s->name,
                              (unsigned long long)line, csv_strerror(csv_error(p)));
        if (p->quoted && (!open || r->cells->count > cells)) {
            quote_line = line;
            quote_column = r->cells->count - r->cells->row_begin + 1;
        }
        open = p->quoted != 0;
        at += size;
    }
    if (csv_fini(p, end_cell, end_row, r) != 0)
        return elman_fail(r->error, ELMAN_ERROR_FORMAT,
                          "%s: line %llu, column %zu: found a quote that is never closed; expected "
                          "another before the end",
                          s->name, (unsigned long long)quote_line, quote_column);
    return r->status;
}

elman_status elman_table_read_csv(elman_cells *cells, const elman_table_source *source,
                                  unsigned char *scratch, elman_error *error)
{
    struct csv_parser p;
    reading r = {cells, source, source->first_line, ELMAN_OK, error};
    (void)csv_init(&p, CSV_STRICT | CSV_STRICT_FINI); /* fails for NULL alone */
    csv_set_delim(&p, (unsigned char)source->delimiter);
    csv_set_realloc_func(&p, no_more);
    csv_set_free_func(&p, nothing);
    p.entry_buf = scratch;
    p.entry_size = source->size + 1;
    elman_status status = feed(&p, &r);
    csv_free(&p);
    return status;
}

#else

elman_status elman_table_read_csv(elman_cells *cells, const elman_table_source *source,
                                  unsigned char *scratch, elman_error *error)
{
    (void)cells;
    (void)scratch;
    return elman_fail(error, ELMAN_ERROR_UNSUPPORTED,
                      "%s: found CSV, delimiter '%c'; this build is without libcsv and reads tabs "
                      "alone (ELMAN_WITH_CSV)",
                      source->name, source->delimiter);
}

#endif
