/* What a forecast is worth, in the units of the data given.
 *
 * Sums of doubles in the order in which pairs are added. A truth that is NaN is missing and left
 * out; an answer that is NaN is counted and shows. For figures by horizon keep one of these a
 * step ahead and merge them for the whole. */
#ifndef ELMAN_TASK_FORECAST_METRICS_H
#define ELMAN_TASK_FORECAST_METRICS_H

#include <stdint.h>

typedef struct elman_forecast_sums {
    int64_t count; /* pairs whose truth was there */
    double squared, absolute, percent;
    int64_t scaled_count; /* of them with a scale */
    double scaled;
    int64_t interval_count, covered;
    double width; /* of the intervals */
    int64_t quantile_count;
    double pinball;
} elman_forecast_sums; /* {0} is the empty one */

/* y is the truth, f the answer. scale: what MASE divides this error by, the series' own
 * elman_seasonal_scale; where it is NaN, infinite or not above 0 the pair does not enter MASE. */
void elman_forecast_add(elman_forecast_sums *sums, double y, double f, double scale);
/* An interval with both ends in it. */
void elman_forecast_add_interval(elman_forecast_sums *sums, double y, double low, double high);
/* f is the answer for the quantile q, 0 < q < 1. */
void elman_forecast_add_quantile(elman_forecast_sums *sums, double y, double f, double q);
/* sums += more. */
void elman_forecast_merge(elman_forecast_sums *sums, const elman_forecast_sums *more);

/* Means; NaN where nothing was counted. */
double elman_forecast_mse(const elman_forecast_sums *sums);
double elman_forecast_mae(const elman_forecast_sums *sums);
/* Percent from 0 to 200: mean of 200 |y-f| / (|y|+|f|), 0 where both are 0 (Makridakis et al.
 * 2020, the M4 competition). */
double elman_forecast_smape(const elman_forecast_sums *sums);
/* Mean of |y-f| / scale (Hyndman & Koehler 2006, "Another look at measures of forecast
 * accuracy", section 3). */
double elman_forecast_mase(const elman_forecast_sums *sums);
/* The share of truths inside their interval, 0 to 1, and the intervals' mean width. */
double elman_forecast_coverage(const elman_forecast_sums *sums);
double elman_forecast_width(const elman_forecast_sums *sums);
/* Mean of max(q (y-f), (q-1) (y-f)) (Koenker & Bassett 1978). */
double elman_forecast_pinball(const elman_forecast_sums *sums);

/* MASE's scale: the mean of |y_t - y_(t-season)| over the training part y [n], pairs with a NaN
 * left out. NaN where there is no pair; season >= 1. y is read `stride` doubles apart. */
double elman_seasonal_scale(const double *y, int64_t n, int64_t stride, int64_t season);
/* The same over floats. */
double elman_seasonal_scale_floats(const float *y, int64_t n, int64_t stride, int64_t season);

#endif
