/* Series of numbers read from tables: as they stood, and made ready for a network. */
#ifndef ELMAN_TASK_FORECAST_DATA_H
#define ELMAN_TASK_FORECAST_DATA_H

#include "task/files.h"
#include "task/forecast_columns.h"

/* Consecutive rows of one series as a network reads them. C targets, K covariates (those of the
 * file, then the calendar's). */
typedef struct elman_forecast_rows {
    float *filled;          /* [n,C] standardised; where missing, the last that was known, or 0 */
    unsigned char *missing; /* [n,C] */
    float *covariates;      /* [n,K], those of the file standardised; NULL where K is 0 */
} elman_forecast_rows;

typedef struct elman_forecast_series {
    char *name; /* of the series column; empty without one */
    int64_t n;
    int64_t *moments; /* [n]; NULL without dates */
    uint64_t *lines;  /* [n] where each row stood */
    double *values;   /* [n,C] as they stood; NaN: missing */
    double *known;    /* [n,Kf] the file's covariates as they stood */
    elman_forecast_rows rows;
    elman_parts parts;
} elman_forecast_series;

/* What a column is freed of. */
typedef struct elman_forecast_scale {
    float *mean, *deviation;                     /* [C] */
    float *covariate_mean, *covariate_deviation; /* [Kf] */
} elman_forecast_scale;

typedef struct elman_forecast_data {
    elman_context *context;
    int64_t C, Kf, K;
    elman_forecast_series *series;
    int64_t count;
    int64_t rows, missing; /* in all; values that are missing in the training parts */
    int64_t left_out;      /* moments in gaps */
    int64_t irregular;     /* rows that do not go by the step */
    size_t room;
} elman_forecast_data;

/* Adds the series of one table: rows in their order, grouped by the series column. config and
 * `trains` (whether the file is a training one) say the parts; NULL: no parts. Where
 * columns->step is unknown it is found first. `data` begins as {.context = context}, and is ended
 * by _free, also after a failure. DATA names the line: no number, a covariate that is missing, a
 * date that is earlier than the one before or the same. */
elman_status elman_forecast_data_add(elman_forecast_data *data, const elman_table *table,
                                     elman_forecast_columns *columns, const elman_config *config,
                                     bool trains, elman_error *error);
void elman_forecast_data_free(elman_forecast_data *data);

/* Mean and deviation (of the population; 1 where it is 0) of the known values of all training
 * parts, into the scale's arrays. DATA: a column of which training knows no value. */
elman_status elman_forecast_data_scale(const elman_forecast_data *data,
                                       const elman_forecast_columns *columns,
                                       const elman_forecast_scale *scale, elman_error *error);
/* Fills every series' rows by the scale and the calendar. MEMORY. */
elman_status elman_forecast_data_fill(elman_forecast_data *data,
                                      const elman_forecast_columns *columns,
                                      const elman_forecast_scale *scale, elman_error *error);

/* One row ready for a network: values [C] and known [Kf] as they stood into row `at` of rows,
 * before: whether row at-1 is there. */
void elman_forecast_fill_row(const elman_forecast_columns *columns,
                             const elman_forecast_scale *scale, const double *values,
                             elman_forecast_rows *rows, int64_t at, bool before);
/* The covariates of row `at`: known [Kf], moment read only for the calendar. */
void elman_forecast_fill_covariates(const elman_forecast_columns *columns,
                                    const elman_forecast_scale *scale, const double *known,
                                    int64_t moment, elman_forecast_rows *rows, int64_t at);

#endif
