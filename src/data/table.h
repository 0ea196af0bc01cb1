/* A table of text cells, read whole into memory from a CSV or TSV file.
 *
 * CSV (delimiter ',' or ';'; RFC 4180, read by libcsv): a cell that holds the delimiter, a
 * quote or a line end stands in double quotes, a quote within is doubled, and may then span
 * lines. Spaces and tabs around a cell that is not quoted do not count.
 * TSV (delimiter tab): cells stand as they are; a quote is a quote, a space a space.
 * Both: lines end with LF, CRLF or CR, the last one perhaps without; a UTF-8 byte order mark is
 * passed over; empty lines are skipped; every row has as many cells as the first.
 *
 * A table is immutable, and any number of threads may read it. It belongs to the context that it
 * was made with and is freed before it. Rows and columns count from 0 here, columns from 1 in
 * messages; lines count from 1 as editors do, a row's line being the one on which it begins.
 *
 * Errors: FORMAT names file, line and column: bytes that are not UTF-8, a zero byte, a quote
 * where none may stand or that is never closed, another number of columns than the first row's.
 * DATA: no row at all. UNSUPPORTED: ',' or ';' in a build without libcsv. IO. MEMORY. */
#ifndef ELMAN_DATA_TABLE_H
#define ELMAN_DATA_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elman/context.h"

typedef struct elman_table elman_table;

/* AUTO: the first row is a header unless one of its cells is a number. In a TSV file, which is
 * often text beside a label and has none, moreover only if no cell of it holds white space and
 * none stands again further down in its column: "sentence TAB label" is a header,
 * "a fine film TAB positive" is not, nor is "splendid TAB positive" where a second row is
 * positive too. */
typedef enum elman_table_header {
    ELMAN_TABLE_HEADER_AUTO,
    ELMAN_TABLE_HEADER_YES,
    ELMAN_TABLE_HEADER_NO
} elman_table_header;

typedef struct elman_table_options {
    char delimiter; /* ',', ';', tab; 0: tab where the path ends in .tsv or .tab, else from what
                       stands outside quotes on the first line: a tab where there is one and no
                       ',', then ';' where there is one and no ',', else ',' */
    elman_table_header header;
} elman_table_options;

/* Reads a file; options may be NULL (all zero: found from the file). *table is the caller's, to
 * be ended by elman_table_free. A header alone is a table of no rows. */
elman_status elman_table_read(elman_context *context, const char *path,
                              const elman_table_options *options, elman_table **table,
                              elman_error *error);
/* The same from memory, which is not kept; `name` stands for the path. */
elman_status elman_table_parse(elman_context *context, const char *name, const void *bytes,
                               size_t size, const elman_table_options *options, elman_table **table,
                               elman_error *error);
/* NULL is fine. */
void elman_table_free(elman_table *table);

/* Path, bytes and SHA-256 (64 lower-case hexadecimal digits) of what was read, for config.json. */
const char *elman_table_path(const elman_table *table);
uint64_t elman_table_bytes(const elman_table *table);
const char *elman_table_sha256(const elman_table *table);

/* Without the header. */
int64_t elman_table_rows(const elman_table *table);
int64_t elman_table_columns(const elman_table *table);
bool elman_table_has_header(const elman_table *table);
char elman_table_delimiter(const elman_table *table);

/* The column's name, zero-terminated; NULL where there is no header. */
const char *elman_table_name(const elman_table *table, int64_t column);
/* "HUFL", or "column 3" where there is no header: for messages. Cut to fit. */
void elman_table_describe(const elman_table *table, int64_t column, char text[64]);
/* The column of that name. In a table without a header, and where no name fits, a decimal number
 * counts from 1. DATA: no such column (the nearest name is given), or two of that name. */
elman_status elman_table_find(const elman_table *table, const char *name, int64_t *column,
                              elman_error *error);

/* The cell's bytes, UTF-8, zero-terminated; *size (may be NULL) is their number. row and column
 * within bounds. */
const char *elman_table_cell(const elman_table *table, int64_t row, int64_t column, size_t *size);
/* The line of the file on which the row begins. */
uint64_t elman_table_line_of(const elman_table *table, int64_t row);
/* The cell as a number, the same in every locale; white space around it does not count. Missing
 * is NaN: an empty cell, NA, N/A, NaN, null or ?, in any case. DATA: an infinity or no number, as
 * FILE: line 12, column HUFL: found "abc", expected a number */
elman_status elman_table_number(const elman_table *table, int64_t row, int64_t column,
                                double *value, elman_error *error);

/* The number that a cell's text stands for: what elman_table_number does. false: an infinity or
 * no number. */
bool elman_table_number_of(const char *cell, size_t size, double *value);

/* One line at a time, for what comes line by line; after the longest line has been seen it
 * allocates nothing. Used by one thread at a time. */
typedef struct elman_table_line {
    elman_context *context;
    char delimiter;
    int64_t count;      /* cells of the line that was parsed last */
    char *text;         /* the cells' bytes */
    size_t *offsets;    /* cell i begins at offsets[i], its zero byte stands before offsets[i+1] */
    unsigned char *raw; /* scratch of the parser */
    size_t text_room, offsets_room, raw_room;
} elman_table_line;

/* delimiter: ',', ';' or tab. Takes no memory. */
void elman_table_line_init(elman_table_line *line, elman_context *context, char delimiter);
/* Parses one line, its line end perhaps included (a byte order mark is passed over on line 1);
 * name and number go into errors. An empty line has count 0. A quoted cell must end on its line.
 * FORMAT, UNSUPPORTED, MEMORY as above; the cells are then none. */
elman_status elman_table_line_parse(elman_table_line *line, const char *name, uint64_t number,
                                    const char *text, size_t size, elman_error *error);
/* Cell 0..count-1: zero-terminated, valid until the next parse; size may be NULL. */
const char *elman_table_line_cell(const elman_table_line *line, int64_t column, size_t *size);
void elman_table_line_free(elman_table_line *line);

#endif
