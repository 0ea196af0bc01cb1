/* How a task fills elman/metrics.h. */
#ifndef ELMAN_TASK_METRICS_TABLE_H
#define ELMAN_TASK_METRICS_TABLE_H

#include "elman/metrics.h"

/* Adds a number; ARGUMENT: the name is empty, longer than 31 bytes or taken. */
elman_status elman_metrics_add(elman_context *context, elman_metrics *metrics, const char *name,
                               double value, elman_error *error);

/* A table that the caller keeps. */
typedef struct elman_metrics_rows {
    const char *title;
    int64_t rows, columns;
    const char *const *row_names;    /* [rows] */
    const char *const *column_names; /* [columns] */
    const double *values;            /* [rows, columns] */
} elman_metrics_rows;

/* Adds a copy of the table; ARGUMENT: the title is empty, longer than 31 bytes or taken, or
 * ELMAN_MAX_METRIC_TABLES are there. On failure nothing was added. */
elman_status elman_metrics_add_table(elman_context *context, elman_metrics *metrics,
                                     const elman_metrics_rows *table, elman_error *error);

#endif
