/* A picture of a forecast, by gnuplot. */
#ifndef ELMAN_TASK_FORECAST_PLOT_H
#define ELMAN_TASK_FORECAST_PLOT_H

#include "task/forecast_stream.h"

typedef struct elman_forecast_date {
    char text[40];
} elman_forecast_date;

/* What is drawn: the last rows, and what follows them. */
typedef struct elman_forecast_picture {
    const elman_forecaster *model;
    const char *path;                 /* ends in .svg or .png */
    const char *series;               /* its name, or empty */
    int64_t history;                  /* rows */
    const double *values;             /* [history,C]; NaN: missing */
    const elman_forecast_date *dates; /* [history+H]; empty: rows are numbered from `first` */
    int64_t first;
    const double *point;     /* [H,C] */
    const double *quantiles; /* [H,C,Q] */
} elman_forecast_picture;

/* Draws it by format/plot.h, whose errors are its own. */
elman_status elman_forecast_draw(elman_context *context, const elman_forecast_picture *picture,
                                 elman_error *error);

#endif
