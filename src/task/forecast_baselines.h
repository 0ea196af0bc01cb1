/* Forecasts that anybody can make. All in standardised units, from carried-forward values. */
#ifndef ELMAN_TASK_FORECAST_BASELINES_H
#define ELMAN_TASK_FORECAST_BASELINES_H

#include "task/forecast_network.h"

/* Row t+h of a column, from what stands before t. */
float elman_forecast_last(const elman_forecast_shape *shape, const elman_forecast_rows *rows,
                          int64_t t, int64_t column);
/* The value `season` rows before, or two seasons and so on, so that it lies before t; where the
 * series does not reach back so far, the last. */
float elman_forecast_seasonal(const elman_forecast_shape *shape, const elman_forecast_rows *rows,
                              int64_t t, int64_t column, int64_t h, int64_t season);
/* weight [H,L]: x_last + sum over i < L-1 of w_hi (x_i - x_last) + w_h(L-1). */
float elman_forecast_linear(const elman_forecast_shape *shape, const float *weight,
                            const elman_forecast_rows *rows, int64_t t, int64_t column, int64_t h);

/* Least squares over the training windows of all columns, the last value subtracted (Zeng et al.
 * 2023, "Are Transformers effective for time series forecasting?", NLinear), with a ridge of a
 * ten-thousandth of the mean square; from at most about 2^29 / L^2 windows, evenly spaced. Into
 * weight [H,L], double arithmetic in the order of the windows. MEMORY. */
elman_status elman_forecast_fit_linear(const elman_forecast_shape *shape,
                                       const elman_forecast_data *data, float *weight,
                                       elman_error *error);

#endif
