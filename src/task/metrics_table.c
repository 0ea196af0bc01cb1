/* Named numbers and tables, as an evaluation hands them out. */
#include "task/metrics_table.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

void elman_metrics_clear(elman_context *context, elman_metrics *metrics)
{
    elman_release(context, metrics->values);
    for (int i = 0; i < metrics->table_count; i++)
        elman_release(context, metrics->tables[i].row_names); /* all of the table is one block */
    *metrics = (elman_metrics){0};
}

const double *elman_metrics_find(const elman_metrics *metrics, const char *name)
{
    for (int64_t i = 0; i < metrics->count; i++)
        if (strcmp(metrics->values[i].name, name) == 0)
            return &metrics->values[i].value;
    return NULL;
}

const elman_metrics_table *elman_metrics_find_table(const elman_metrics *metrics, const char *title)
{
    for (int i = 0; i < metrics->table_count; i++)
        if (strcmp(metrics->tables[i].title, title) == 0)
            return &metrics->tables[i];
    return NULL;
}

static elman_status check_name(const char *name, bool taken, elman_error *error)
{
    size_t n = strlen(name);
    if (n == 0 || n >= ELMAN_METRIC_NAME)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "metric \"%s\": its name has %zu bytes, expected 1 to %d", name, n,
                          ELMAN_METRIC_NAME - 1);
    if (taken)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "metric %s: the name is taken, expected a new one", name);
    return ELMAN_OK;
}

elman_status elman_metrics_add(elman_context *context, elman_metrics *metrics, const char *name,
                               double value, elman_error *error)
{
    ELMAN_TRY(check_name(name, elman_metrics_find(metrics, name) != NULL, error));
    if (metrics->count == metrics->capacity) {
        int64_t capacity = metrics->capacity ? 2 * metrics->capacity : 16;
        elman_metric *values = elman_allocate_zero(context, (size_t)capacity, sizeof *values);
        if (!values)
            return elman_fail(error, ELMAN_ERROR_MEMORY, "metric %s: out of memory", name);
        if (metrics->count > 0)
            memcpy(values, metrics->values, (size_t)metrics->count * sizeof *values);
        elman_release(context, metrics->values);
        metrics->values = values;
        metrics->capacity = capacity;
    }
    elman_metric *metric = &metrics->values[metrics->count++];
    memcpy(metric->name, name, strlen(name) + 1);
    metric->value = value;
    return ELMAN_OK;
}

/* Adds to *bytes the pointers and the text of `count` names. */
static bool measure_names(const char *const *names, int64_t count, size_t *bytes)
{
    size_t pointers;
    if (!elman_size_multiply((size_t)count, sizeof(char *), &pointers) ||
        !elman_size_add(*bytes, pointers, bytes))
        return false;
    for (int64_t i = 0; i < count; i++)
        if (!elman_size_add(*bytes, strlen(names[i]) + 1, bytes))
            return false;
    return true;
}

/* Copies names' text to *text and on, their places to `to`. */
static void copy_names(const char *const *names, int64_t count, char **to, char **text)
{
    for (int64_t i = 0; i < count; i++) {
        size_t n = strlen(names[i]) + 1;
        to[i] = memcpy(*text, names[i], n);
        *text += n;
    }
}

elman_status elman_metrics_add_table(elman_context *context, elman_metrics *metrics,
                                     const elman_metrics_rows *table, elman_error *error)
{
    size_t cells = 0, bytes = 0;
    ELMAN_TRY(
        check_name(table->title, elman_metrics_find_table(metrics, table->title) != NULL, error));
    if (metrics->table_count == ELMAN_MAX_METRIC_TABLES)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "metric %s: there are %d tables, expected no more", table->title,
                          ELMAN_MAX_METRIC_TABLES);
    bool fits = table->rows >= 0 && table->columns >= 0 &&
                elman_size_multiply((size_t)table->rows, (size_t)table->columns, &cells) &&
                elman_size_multiply(cells, sizeof(double), &bytes) &&
                measure_names(table->row_names, table->rows, &bytes) &&
                measure_names(table->column_names, table->columns, &bytes);
    char *block = fits ? elman_allocate(context, bytes, 1) : NULL;
    if (!block)
        return elman_fail(error, ELMAN_ERROR_MEMORY,
                          "metric %s: no memory for %" PRId64 " rows of %" PRId64, table->title,
                          table->rows, table->columns);
    elman_metrics_table *made = &metrics->tables[metrics->table_count++];
    *made = (elman_metrics_table){.rows = table->rows, .columns = table->columns};
    memcpy(made->title, table->title, strlen(table->title) + 1);
    made->row_names = (char **)(void *)block;
    made->column_names = made->row_names + table->rows;
    made->values = (double *)(void *)(made->column_names + table->columns);
    char *text = (char *)(made->values + cells);
    copy_names(table->row_names, table->rows, made->row_names, &text);
    copy_names(table->column_names, table->columns, made->column_names, &text);
    if (cells > 0)
        memcpy(made->values, table->values, cells * sizeof(double));
    return ELMAN_OK;
}
