/* Windows: what a network reads and answers, and the batches that it is fed. */
#ifndef ELMAN_TASK_FORECAST_WINDOWS_H
#define ELMAN_TASK_FORECAST_WINDOWS_H

#include "task/forecast_data.h"

enum { ELMAN_FORECAST_QUANTILES = 64 };

/* One sequence is a window of L rows before row t, as L/width steps, and where there are
 * covariates ceil(ahead/width) further steps that hold those of the rows ahead. A step is `width`
 * rows, each
 *   u (the columns of the sequence, freed of shift and spread), the K covariates, whether each
 *   column was missing (if `indicator`), 1 on the steps ahead (if K > 0)
 * and ahead of the window u and the indicators are 0. `shared`: a column is a sequence of its own.
 * It answers `heads` numbers for each of its columns and each row ahead. */
typedef struct elman_forecast_shape {
    int64_t C, K, L, H;
    int64_t width, steps; /* steps in all */
    int64_t columns;      /* of one sequence: 1 where shared, else C */
    int64_t sequences;    /* that answer for one origin: C where shared, else 1 */
    int64_t ahead;        /* rows that are answered at once: H, or width where stepwise */
    int64_t heads;        /* point and quantiles, or mean and log variance */
    int64_t Q;            /* quantiles */
    float quantiles[ELMAN_FORECAST_QUANTILES];
    bool indicator, gaussian, stepwise;
    int normalise;   /* elman_normalise */
    int64_t inputs;  /* numbers a step */
    int64_t outputs; /* columns * ahead * heads */
    int64_t skip;    /* numbers that the linear map reads: L + K*ahead */
} elman_forecast_shape;

/* Nothing in config may be auto any more but width (0). ARGUMENT: a width that does not divide the
 * lookback, quantiles that are none or do not ascend, sizes that are too large. */
elman_status elman_forecast_shape_of(const elman_config *config,
                                     const elman_forecast_columns *columns,
                                     elman_forecast_shape *shape, elman_error *error);

/* Room for a batch of up to `capacity` sequences, R = B*columns rows (sequence by sequence). */
typedef struct elman_forecast_buffer {
    elman_context *context;
    int64_t capacity;
    float *inputs;            /* [steps,B,inputs] */
    float *skip;              /* [R,skip] */
    float *shift, *spread;    /* [R] */
    float *factor, *offset;   /* [R,ahead,heads]: answer = network * factor + offset */
    float *targets, *weights; /* [R,ahead] standardised; weight 0 where it is missing */
    uint32_t *numbers;        /* [B] of the windows in the data */
} elman_forecast_buffer;

elman_status elman_forecast_buffer_create(elman_context *context, const elman_forecast_shape *shape,
                                          int64_t capacity, elman_forecast_buffer *buffer,
                                          elman_error *error);
void elman_forecast_buffer_free(elman_forecast_buffer *buffer);

/* Sequence b of B: the window before row t of the rows, of `column` where shared. Rows t-L..t-1
 * are read, and the covariates of t..t+ahead-1. */
void elman_forecast_put(const elman_forecast_shape *shape, elman_forecast_buffer *buffer, int64_t B,
                        int64_t b, const elman_forecast_rows *rows, int64_t t, int64_t column);
/* Its targets, rows t..t+ahead-1. */
void elman_forecast_put_targets(const elman_forecast_shape *shape, elman_forecast_buffer *buffer,
                                int64_t b, const elman_forecast_rows *rows, int64_t t,
                                int64_t column);

/* A window of the data. */
typedef struct elman_forecast_place {
    int64_t series, t, column; /* column 0 where not shared */
} elman_forecast_place;

/* How many windows have their targets in rows [begin,end) of a series with `rows` of them ahead. */
int64_t elman_forecast_origins(const elman_forecast_shape *shape, int64_t begin, int64_t end,
                               int64_t ahead);
/* The first row of a part that can be an origin. */
int64_t elman_forecast_first(const elman_forecast_shape *shape, int64_t begin);

/* The training windows, numbered series by series, row by row, column by column. */
typedef struct elman_forecast_windows {
    elman_context *context;
    int64_t *begins; /* [series+1] */
    int64_t count;
} elman_forecast_windows;

/* DATA: no window fits into the training part, or more than 2^32 do. */
elman_status elman_forecast_windows_of(const elman_forecast_shape *shape,
                                       const elman_forecast_data *data,
                                       elman_forecast_windows *windows, elman_error *error);
void elman_forecast_windows_free(elman_forecast_windows *windows);
elman_forecast_place elman_forecast_window(const elman_forecast_shape *shape,
                                           const elman_forecast_data *data,
                                           const elman_forecast_windows *windows, int64_t number);

#endif
