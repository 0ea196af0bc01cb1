/* The figures of an evaluation: named numbers, and tables where a number does not say enough. */
#ifndef ELMAN_METRICS_H
#define ELMAN_METRICS_H

#include <stdint.h>

#include "elman/context.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { ELMAN_METRIC_NAME = 32, ELMAN_MAX_METRIC_TABLES = 4 };

/* "accuracy" and its value; NaN where there was nothing to measure. */
typedef struct elman_metric {
    char name[ELMAN_METRIC_NAME];
    double value;
} elman_metric;

/* Such as "classes" (a row a class: precision, recall, f1, support) or "confusion". */
typedef struct elman_metrics_table {
    char title[ELMAN_METRIC_NAME];
    int64_t rows, columns;
    char **row_names;    /* [rows] UTF-8 */
    char **column_names; /* [columns] */
    double *values;      /* [rows, columns] */
} elman_metrics_table;

/* What an evaluation fills; `elman_metrics metrics = {0};` is the empty one. Everything in it is
 * the caller's, given back by elman_metrics_clear. */
typedef struct elman_metrics {
    elman_metric *values; /* [count], in the order in which they are worth reading */
    int64_t count, capacity;
    elman_metrics_table tables[ELMAN_MAX_METRIC_TABLES];
    int table_count;
} elman_metrics;

/* Releases what was filled, which leaves the empty one. context: the one that filled it. */
ELMAN_API void elman_metrics_clear(elman_context *context, elman_metrics *metrics);

/* The value of that name, and the table of that title; NULL where there is none. */
ELMAN_API const double *elman_metrics_find(const elman_metrics *metrics, const char *name);
ELMAN_API const elman_metrics_table *elman_metrics_find_table(const elman_metrics *metrics,
                                                              const char *title);

#ifdef __cplusplus
}
#endif

#endif
