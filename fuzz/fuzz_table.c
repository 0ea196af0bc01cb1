/* A table of any bytes, the first of which says delimiter and header. A table that was read is
 * rectangular, and a line of it alone gives the same cells. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/dates.h"
#include "data/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int truth)
{
    if (!truth)
        abort();
}

static void check(const elman_table *t, size_t bytes)
{
    int64_t rows = elman_table_rows(t), columns = elman_table_columns(t), found;
    uint64_t line = 0;
    size_t all = 0;
    double value;
    elman_date_form form;
    char name[64];
    demand(rows >= 0 && columns >= 1 && rows + elman_table_has_header(t) >= 1);
    for (int64_t r = 0; r < rows; r++) {
        demand(elman_table_line_of(t, r) > line);
        line = elman_table_line_of(t, r);
        for (int64_t c = 0; c < columns; c++) {
            size_t size;
            const char *cell = elman_table_cell(t, r, c, &size);
            demand(strlen(cell) == size);
            all += size;
            if (elman_table_number(t, r, c, &value, NULL) == ELMAN_OK)
                demand(!(value - value != 0) || value != value);
        }
    }
    demand(all <= bytes);
    for (int64_t c = 0; c < columns; c++) {
        elman_table_describe(t, c, name);
        demand(strlen(name) < sizeof name);
        (void)elman_date_column(t, c, &form, NULL, NULL);
    }
    (void)elman_table_find(t, "value", &found, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static elman_context *context;
    static const char delimiters[] = {0, ',', ';', '\t'};
    elman_context_options options;
    elman_context_options_default(&options);
    options.threads = 1;
    if (context == NULL && elman_context_create(&options, &context, NULL) != ELMAN_OK)
        return 0;
    if (size < 1)
        return 0;
    elman_table_options o = {delimiters[data[0] % 4], (elman_table_header)(data[0] / 4 % 3)};
    const char *text = (const char *)data + 1;
    elman_table *t = NULL;
    elman_error error = {0};
    if (elman_table_parse(context, "fuzz", text, size - 1, &o, &t, &error) == ELMAN_OK)
        check(t, size - 1);
    else
        demand(t == NULL && strncmp(error.message, "fuzz: ", 6) == 0);
    elman_table_line line;
    elman_table_line_init(&line, context, o.delimiter == 0 ? ',' : o.delimiter);
    o.header = ELMAN_TABLE_HEADER_NO;
    o.delimiter = line.delimiter;
    elman_table *again = NULL;
    if (elman_table_line_parse(&line, "fuzz", 1, text, size - 1, &error) == ELMAN_OK &&
        line.count > 0) {
        demand(elman_table_parse(context, "fuzz", text, size - 1, &o, &again, NULL) == ELMAN_OK);
        demand(elman_table_rows(again) == 1 && elman_table_columns(again) == line.count);
        for (int64_t c = 0; c < line.count; c++)
            demand(strcmp(elman_table_cell(again, 0, c, NULL),
                          elman_table_line_cell(&line, c, NULL)) == 0);
    }
    elman_table_free(again);
    elman_table_line_free(&line);
    elman_table_free(t);
    return 0;
}
