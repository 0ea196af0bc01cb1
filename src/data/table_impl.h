/* The inside of a table, and the two readers that fill it. */
#ifndef ELMAN_DATA_TABLE_IMPL_H
#define ELMAN_DATA_TABLE_IMPL_H

#include "data/table.h"

/* Cells and rows as they come. Cells are numbered through the table, row by row. */
typedef struct elman_cells {
    elman_context *context;
    char *text; /* the cells, each with a zero byte after it */
    size_t text_used, text_room;
    size_t *offsets; /* [count+1] */
    size_t count, offsets_room;
    uint64_t *lines; /* [rows] */
    size_t rows, lines_room;
    int64_t columns;       /* of the first row; 0 before it has ended */
    uint64_t columns_line; /* its line */
    size_t row_begin;      /* cells before the row being filled */
} elman_cells;

/* What is being read. */
typedef struct elman_table_source {
    const char *name;
    const unsigned char *bytes;
    size_t size;
    uint64_t first_line; /* the number of its first line */
    char delimiter;
} elman_table_source;

elman_status elman_cells_add(elman_cells *cells, const void *bytes, size_t size,
                             elman_error *error);
/* Ends the row that began on that line; FORMAT where its columns are not the first row's. */
elman_status elman_cells_end_row(elman_cells *cells, const char *name, uint64_t line,
                                 elman_error *error);
/* Makes room for `need` elements of `size` bytes at *block, of which `used` are kept; the room
 * at least doubles. MEMORY */
elman_status elman_table_grow(elman_context *context, void **block, size_t *room, size_t used,
                              size_t need, size_t size, elman_error *error);
/* Bytes of the line at p, its end (LF, CRLF, CR) included; *text: without. */
size_t elman_table_line_size(const unsigned char *p, size_t left, size_t *text);

/* Passes over a byte order mark at the head. */
void elman_table_skip_mark(elman_table_source *source);
/* FORMAT with line and byte where it is not UTF-8 or holds a zero byte. */
elman_status elman_table_check_bytes(const elman_table_source *source, elman_error *error);

elman_status elman_table_read_tsv(elman_cells *cells, const elman_table_source *source,
                                  elman_error *error);
/* CSV by libcsv. `scratch` has source->size + 1 bytes. UNSUPPORTED without libcsv. */
elman_status elman_table_read_csv(elman_cells *cells, const elman_table_source *source,
                                  unsigned char *scratch, elman_error *error);

#endif
