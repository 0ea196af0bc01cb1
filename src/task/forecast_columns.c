#include "task/forecast_columns.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "data/intern.h"

static char *copied(elman_context *context, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = elman_allocate(context, size, 1);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}

bool elman_forecast_next_name(const char **rest, const char **name, size_t *size)
{
    while (**rest == ',' || **rest == ' ')
        (*rest)++;
    if (!**rest)
        return false;
    *name = *rest;
    *size = strcspn(*rest, ",");
    *rest += *size;
    while (*size && (*name)[*size - 1] == ' ')
        (*size)--;
    return true;
}

/* What each column of the table is for while they are being found. */
typedef enum use { USE_NONE, USE_DATE, USE_SERIES, USE_TARGET, USE_COVARIATE } use;

static const char *const use_words[] = {"", "the date", "the series", "a target", "a covariate"};

static elman_status take(const elman_table *table, use *uses, const char *name, use wanted,
                         int64_t *column, elman_error *error)
{
    ELMAN_TRY(elman_table_find(table, name, column, error));
    if (uses[*column] != USE_NONE)
        return elman_fail(error, ELMAN_ERROR_DATA, "%s: column %s: it is %s already, not %s too",
                          elman_table_path(table), name, use_words[uses[*column]],
                          use_words[wanted]);
    uses[*column] = wanted;
    return ELMAN_OK;
}

static elman_status take_list(const elman_table *table, use *uses, const char *list, use wanted,
                              elman_error *error)
{
    const char *name;
    size_t size;
    while (elman_forecast_next_name(&list, &name, &size)) {
        char text[ELMAN_CONFIG_TEXT];
        int64_t column;
        snprintf(text, sizeof text, "%.*s", (int)size, name);
        ELMAN_TRY(take(table, uses, text, wanted, &column, error));
    }
    return ELMAN_OK;
}

/* Whole numbers are dates only in a column that says so: they are values more often. */
static bool counts_time(const char *name)
{
    static const char *const words[] = {"date", "time", "timestamp", "step", "index", "t", "year"};
    for (size_t i = 0; name && i < sizeof words / sizeof *words; i++) {
        const char *a = name, *b = words[i];
        while (*a && *b && (*a | 32) == *b)
            a++, b++;
        if (!*a && !*b)
            return true;
    }
    return false;
}

static bool later(const elman_table *table, int64_t row, int64_t column, int64_t *before,
                  bool first)
{
    size_t size;
    int64_t moment;
    const elman_date_form form = {.order = ELMAN_DATE_NUMBER};
    const char *cell = elman_table_cell(table, row, column, &size);
    if (!elman_date_parse(&form, cell, size, &moment) || (!first && moment <= *before))
        return false;
    *before = moment;
    return true;
}

/* Whether a column of whole numbers only grows within each series: the year of monthly rows is
 * named as a date and is none. */
static elman_status ascends(const elman_forecast_columns *columns, const elman_table *table,
                            int64_t column, int64_t series, bool *does, elman_error *error)
{
    int64_t rows = elman_table_rows(table);
    elman_intern names;
    int64_t *before = elman_allocate(columns->context, (size_t)rows, sizeof *before);
    if (!before)
        return elman_out_of_memory(error);
    elman_status status = ELMAN_OK;
    elman_intern_init(&names, columns->context);
    *does = true;
    for (int64_t row = 0; row < rows && *does && status == ELMAN_OK; row++) {
        size_t size = 0;
        int32_t number, count = names.count;
        const char *name = series < 0 ? "" : elman_table_cell(table, row, series, &size);
        status = elman_intern_add(&names, name, size, &number, error);
        if (status == ELMAN_OK)
            *does = later(table, row, column, &before[number], names.count > count);
    }
    elman_intern_free(&names);
    elman_release(columns->context, before);
    return status;
}

/* The first column that is for nothing else and begins with a date. */
static elman_status find_date(const elman_table *table, use *uses, elman_forecast_columns *columns,
                              int64_t series, int64_t *found, elman_error *error)
{
    *found = -1;
    for (int64_t i = 0; i < elman_table_columns(table) && *found < 0; i++) {
        size_t size;
        int64_t moment;
        const char *cell = elman_table_cell(table, 0, i, &size);
        if (uses[i] != USE_NONE || !elman_date_recognise(cell, size, &columns->form, &moment))
            continue;
        if (columns->form.order == ELMAN_DATE_NUMBER) {
            bool does = counts_time(elman_table_name(table, i));
            if (does)
                ELMAN_TRY(ascends(columns, table, i, series, &does, error));
            if (!does)
                continue;
        }
        ELMAN_TRY(elman_date_column(table, i, &columns->form, NULL, error));
        uses[i] = USE_DATE;
        *found = i;
    }
    return ELMAN_OK;
}

/* A header's empty cell stands over row numbers, as pandas writes them. */
static bool is_nameless(const elman_table *table, int64_t column)
{
    return elman_table_has_header(table) && !*elman_table_name(table, column);
}

/* Whether the first cell that is not missing is a number; a column of nothing is none. */
static bool holds_numbers(const elman_table *table, int64_t column)
{
    for (int64_t row = 0; row < elman_table_rows(table); row++) {
        size_t size;
        double value;
        const char *cell = elman_table_cell(table, row, column, &size);
        if (!elman_table_number_of(cell, size, &value))
            return false;
        if (value == value)
            return true;
    }
    return false;
}

static char *name_of(const elman_forecast_columns *columns, const elman_table *table,
                     int64_t column)
{
    char number[24];
    snprintf(number, sizeof number, "%" PRId64, column + 1);
    return copied(columns->context, columns->header ? elman_table_name(table, column) : number);
}

/* The names of all columns of one use, in the order of the table. */
static elman_status collect(elman_forecast_columns *columns, const elman_table *table,
                            const use *uses, use wanted, elman_error *error)
{
    int64_t width = elman_table_columns(table), n = 0, *count;
    char **names = elman_allocate_zero(columns->context, (size_t)width, sizeof *names);
    if (!names)
        return elman_out_of_memory(error);
    if (wanted == USE_TARGET) {
        columns->targets = names;
        count = &columns->target_count;
    } else {
        columns->covariates = names;
        count = &columns->covariate_count;
    }
    for (int64_t i = 0; i < width; i++) {
        if (uses[i] != wanted)
            continue;
        names[n] = name_of(columns, table, i);
        if (!names[n])
            return elman_out_of_memory(error);
        *count = ++n;
    }
    return ELMAN_OK;
}

static elman_status find_uses(elman_forecast_columns *columns, const elman_table *table,
                              const elman_config *config, use *uses, elman_error *error)
{
    int64_t series = -1, date = -1, width = elman_table_columns(table), numbers = 0;
    if (config->series_column[0])
        ELMAN_TRY(take(table, uses, config->series_column, USE_SERIES, &series, error));
    ELMAN_TRY(take_list(table, uses, config->covariates, USE_COVARIATE, error));
    ELMAN_TRY(take_list(table, uses, config->target, USE_TARGET, error));
    ELMAN_TRY(find_date(table, uses, columns, series, &date, error));
    for (int64_t i = 0; i < width; i++) {
        if (!config->target[0] && uses[i] == USE_NONE && !is_nameless(table, i) &&
            holds_numbers(table, i))
            uses[i] = USE_TARGET;
        numbers += uses[i] == USE_TARGET;
        if (uses[i] == USE_NONE && !columns->ignored++)
            elman_table_describe(table, i, columns->first_ignored);
    }
    if (!numbers)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "%s: no column of numbers to forecast; --target names one",
                          elman_table_path(table));
    if (config->calendar && (date < 0 || columns->form.order == ELMAN_DATE_NUMBER))
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "%s: calendar: it needs a column of dates, and there is none",
                          elman_table_path(table));
    if (series >= 0 && !(columns->series = name_of(columns, table, series)))
        return elman_out_of_memory(error);
    if (date >= 0 && !(columns->date = name_of(columns, table, date)))
        return elman_out_of_memory(error);
    ELMAN_TRY(collect(columns, table, uses, USE_TARGET, error));
    return collect(columns, table, uses, USE_COVARIATE, error);
}

elman_status elman_forecast_columns_of(elman_context *context, const elman_table *table,
                                       const elman_config *config, elman_forecast_columns *columns,
                                       elman_error *error)
{
    *columns = (elman_forecast_columns){.context = context, .calendar = config->calendar};
    columns->header = elman_table_has_header(table);
    if (elman_table_rows(table) < 1)
        return elman_fail(error, ELMAN_ERROR_DATA, "%s: a header and no rows",
                          elman_table_path(table));
    use *uses = elman_allocate_zero(context, (size_t)elman_table_columns(table), sizeof *uses);
    if (!uses)
        return elman_out_of_memory(error);
    elman_status status = find_uses(columns, table, config, uses, error);
    elman_release(context, uses);
    return status;
}

static void free_names(elman_context *context, char **names, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        elman_release(context, names[i]);
    elman_release(context, names);
}

void elman_forecast_columns_free(elman_forecast_columns *columns)
{
    if (!columns->context)
        return;
    free_names(columns->context, columns->targets, columns->target_count);
    free_names(columns->context, columns->covariates, columns->covariate_count);
    elman_release(columns->context, columns->date);
    elman_release(columns->context, columns->series);
    *columns = (elman_forecast_columns){0};
}

void elman_forecast_columns_calendar(elman_forecast_columns *columns)
{
    columns->calendar_count = 0;
    if (columns->calendar)
        columns->calendar_count = elman_date_features_of_step(&columns->step, columns->which);
}

/* How a column is looked for: in a table, or in a line. */
typedef struct finder {
    const elman_forecast_columns *columns;
    const elman_table *table;
    const elman_table_line *line; /* a header */
    const char *name;             /* of the input */
} finder;

static elman_status find_in_line(const finder *f, const char *wanted, int64_t *at,
                                 elman_error *error)
{
    *at = -1;
    for (int64_t i = 0; i < f->line->count; i++) {
        if (strcmp(elman_table_line_cell(f->line, i, NULL), wanted))
            continue;
        if (*at >= 0)
            return elman_fail(error, ELMAN_ERROR_DATA, "%s: line 1: two columns '%s'", f->name,
                              wanted);
        *at = i;
    }
    if (*at < 0)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "%s: line 1: no column '%s'; expected the header that the model was "
                          "trained with",
                          f->name, wanted);
    return ELMAN_OK;
}

static elman_status find(const finder *f, const char *wanted, int64_t *at, elman_error *error)
{
    if (f->table)
        return elman_table_find(f->table, wanted, at, error);
    if (f->line)
        return find_in_line(f, wanted, at, error);
    int64_t number; /* a name of ours: the decimal number of the column */
    if (!elman_parse_integer(wanted, &number) || number < 1)
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "columns.json: found the column '%.60s', expected a number from 1: the "
                          "model was trained without a header",
                          wanted);
    *at = number - 1;
    return ELMAN_OK;
}

static elman_status find_all(const finder *f, elman_forecast_places *places, elman_error *error)
{
    const elman_forecast_columns *c = f->columns;
    places->date = places->series = -1;
    places->targets = elman_allocate(c->context, (size_t)c->target_count, sizeof(int64_t));
    places->covariates = elman_allocate(c->context, (size_t)c->covariate_count, sizeof(int64_t));
    if (!places->targets || !places->covariates)
        return elman_out_of_memory(error);
    for (int64_t i = 0; i < c->target_count; i++)
        ELMAN_TRY(find(f, c->targets[i], &places->targets[i], error));
    for (int64_t i = 0; i < c->covariate_count; i++)
        ELMAN_TRY(find(f, c->covariates[i], &places->covariates[i], error));
    if (c->series)
        ELMAN_TRY(find(f, c->series, &places->series, error));
    return c->date ? find(f, c->date, &places->date, error) : ELMAN_OK;
}

elman_status elman_forecast_places_of(const elman_forecast_columns *columns,
                                      const elman_table *table, elman_forecast_places *places,
                                      elman_error *error)
{
    finder f = {.columns = columns, .table = table};
    *places = (elman_forecast_places){.count = elman_table_columns(table)};
    if (columns->header && !elman_table_has_header(table))
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "%s: line 1: no header; expected the one that the model was trained with",
                          elman_table_path(table));
    return find_all(&f, places, error);
}

elman_status elman_forecast_places_of_line(const elman_forecast_columns *columns,
                                           const elman_table_line *line, const char *name,
                                           elman_forecast_places *places, elman_error *error)
{
    finder f = {.columns = columns, .line = line, .name = name};
    *places = (elman_forecast_places){.count = line ? line->count : 0};
    return find_all(&f, places, error);
}

void elman_forecast_places_free(const elman_forecast_columns *columns,
                                elman_forecast_places *places)
{
    elman_release(columns->context, places->targets);
    elman_release(columns->context, places->covariates);
    *places = (elman_forecast_places){0};
}
