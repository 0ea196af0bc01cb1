#include "task/forecast_metrics.h"

#include <math.h>
#include <stddef.h>

void elman_forecast_add(elman_forecast_sums *sums, double y, double f, double scale)
{
    if (isnan(y))
        return;
    double error = y - f, size = fabs(error), both = fabs(y) + fabs(f);
    sums->count++;
    sums->squared += error * error;
    sums->absolute += size;
    sums->percent += both == 0.0 ? 0.0 : 200.0 * size / both;
    if (scale > 0.0 && isfinite(scale)) {
        sums->scaled_count++;
        sums->scaled += size / scale;
    }
}

void elman_forecast_add_interval(elman_forecast_sums *sums, double y, double low, double high)
{
    if (isnan(y))
        return;
    sums->interval_count++;
    sums->covered += y >= low && y <= high;
    sums->width += high - low;
}

void elman_forecast_add_quantile(elman_forecast_sums *sums, double y, double f, double q)
{
    if (isnan(y))
        return;
    double error = y - f;
    sums->quantile_count++;
    sums->pinball += error < 0.0 ? (q - 1.0) * error : q * error;
}

void elman_forecast_merge(elman_forecast_sums *sums, const elman_forecast_sums *more)
{
    sums->count += more->count;
    sums->squared += more->squared;
    sums->absolute += more->absolute;
    sums->percent += more->percent;
    sums->scaled_count += more->scaled_count;
    sums->scaled += more->scaled;
    sums->interval_count += more->interval_count;
    sums->covered += more->covered;
    sums->width += more->width;
    sums->quantile_count += more->quantile_count;
    sums->pinball += more->pinball;
}

static double mean(double sum, int64_t count)
{
    return count > 0 ? sum / (double)count : (double)NAN;
}

double elman_forecast_mse(const elman_forecast_sums *sums)
{
    return mean(sums->squared, sums->count);
}

double elman_forecast_mae(const elman_forecast_sums *sums)
{
    return mean(sums->absolute, sums->count);
}

double elman_forecast_smape(const elman_forecast_sums *sums)
{
    return mean(sums->percent, sums->count);
}

double elman_forecast_mase(const elman_forecast_sums *sums)
{
    return mean(sums->scaled, sums->scaled_count);
}

double elman_forecast_coverage(const elman_forecast_sums *sums)
{
    return mean((double)sums->covered, sums->interval_count);
}

double elman_forecast_width(const elman_forecast_sums *sums)
{
    return mean(sums->width, sums->interval_count);
}

double elman_forecast_pinball(const elman_forecast_sums *sums)
{
    return mean(sums->pinball, sums->quantile_count);
}

typedef struct series {
    const double *wide;
    const float *narrow; /* where wide is NULL */
    int64_t stride;
} series;

static double value_at(const series *y, int64_t t)
{
    ptrdiff_t at = (ptrdiff_t)(t * y->stride);
    return y->wide ? y->wide[at] : (double)y->narrow[at];
}

static double seasonal_scale(const series *y, int64_t n, int64_t season)
{
    double sum = 0.0;
    int64_t pairs = 0;
    for (int64_t t = season; t < n; t++) {
        double change = value_at(y, t) - value_at(y, t - season);
        if (isnan(change))
            continue;
        sum += fabs(change);
        pairs++;
    }
    return mean(sum, pairs);
}

double elman_seasonal_scale(const double *y, int64_t n, int64_t stride, int64_t season)
{
    return seasonal_scale(&(series){.wide = y, .stride = stride}, n, season);
}

double elman_seasonal_scale_floats(const float *y, int64_t n, int64_t stride, int64_t season)
{
    return seasonal_scale(&(series){.narrow = y, .stride = stride}, n, season);
}
