/* A trained forecaster in use: rows are pushed one by one as they come, and at any time it answers
 * what comes next. `elman train forecast` makes the model; elman/predict.h answers whole files.
 *
 * A forecaster is immutable; each series has a stream of its own, small and cheap. A push and,
 * after the first, a forecast allocate nothing. Streams of one forecaster are used by one thread
 * at a time. A forecast has the same bits whatever other streams there are. */
#ifndef ELMAN_FORECAST_H
#define ELMAN_FORECAST_H

#include <stdint.h>

#include "elman/config.h"
#include "elman/context.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct elman_forecaster elman_forecaster;

/* Opens a model's folder: config.json, columns.json, model.safetensors. *forecaster is the
 * caller's, ended by elman_forecaster_free (NULL is fine) after its streams and before its context.
 * ARGUMENT: a model of another task; FORMAT, IO: its files; MEMORY. */
ELMAN_API elman_status elman_forecaster_open(elman_context *context, const char *folder,
                                             elman_forecaster **forecaster, elman_error *error);
ELMAN_API void elman_forecaster_free(elman_forecaster *forecaster);
/* What config.json says; lives as long as the forecaster, as do all names below. */
ELMAN_API const elman_config_file *elman_forecaster_config(const elman_forecaster *forecaster);

/* C: the columns that are forecast, and their names ("1", "2", ... of a file without a header);
 * NULL out of 0..C-1. */
ELMAN_API int64_t elman_forecaster_targets(const elman_forecaster *forecaster);
ELMAN_API const char *elman_forecaster_target(const elman_forecaster *forecaster, int64_t number);
/* Kf: the columns that must be known in advance (without the calendar's), and their names. */
ELMAN_API int64_t elman_forecaster_covariates(const elman_forecaster *forecaster);
ELMAN_API const char *elman_forecaster_covariate(const elman_forecaster *forecaster,
                                                 int64_t number);
/* H: rows that are forecast, and how many it looks at: a forecast needs as many pushes. */
ELMAN_API int64_t elman_forecaster_horizon(const elman_forecaster *forecaster);
ELMAN_API int64_t elman_forecaster_lookback(const elman_forecaster *forecaster);
/* Q: the quantiles that are answered, ascending; [Q]. */
ELMAN_API int64_t elman_forecaster_quantile_count(const elman_forecaster *forecaster);
ELMAN_API const float *elman_forecaster_quantiles(const elman_forecaster *forecaster);
/* Windows that it was trained on, and origins that it was validated on: how much it knows. */
ELMAN_API int64_t elman_forecaster_windows(const elman_forecaster *forecaster);
ELMAN_API int64_t elman_forecaster_validated(const elman_forecaster *forecaster);

typedef struct elman_forecast_stream elman_forecast_stream;

/* A series from its beginning. All its memory but a forecast's scratch is taken here. *stream is
 * the caller's, ended by elman_forecast_stream_free (NULL is fine). */
ELMAN_API elman_status elman_forecast_stream_create(const elman_forecaster *forecaster,
                                                    elman_forecast_stream **stream,
                                                    elman_error *error);
ELMAN_API void elman_forecast_stream_free(elman_forecast_stream *stream);
/* Back to the beginning; keeps the memory. */
ELMAN_API void elman_forecast_stream_reset(elman_forecast_stream *stream);

/* Rows pushed since the beginning. */
ELMAN_API int64_t elman_forecast_stream_rows(const elman_forecast_stream *stream);

/* The next row, in the units of the training data.
 *   targets [C]: NaN where missing: the last known value is read for it
 *   covariates [Kf], finite; may be NULL where Kf is 0
 *   date: as in the training data, later than the one before; may be NULL where the model has no
 *     calendar, and forecasts then have no dates
 * DATA: an infinity, a covariate that is not finite, a date of another form or not later; the
 * stream is as before. */
ELMAN_API elman_status elman_forecast_stream_push(elman_forecast_stream *stream,
                                                  const double *targets, const double *covariates,
                                                  const char *date, elman_error *error);

/* The rows after the last one pushed.
 *   covariates [H,Kf] of those rows; may be NULL where Kf is 0
 *   point [H,C] receives the forecast, quantiles [H,C,Q] (may be NULL) its quantiles, ascending
 * DATA: fewer rows than elman_forecaster_lookback were pushed, a covariate that is not finite;
 * NUMERIC: an answer that is not finite. Does not change what the stream has read. */
ELMAN_API elman_status elman_forecast_stream_answer(elman_forecast_stream *stream,
                                                    const double *covariates, double *point,
                                                    double *quantiles, elman_error *error);

/* The date of row h (0: the first after the last one pushed; -1: that one), as the training data
 * print it: at most 40 bytes. Empty where it is not known. */
ELMAN_API void elman_forecast_stream_date(const elman_forecast_stream *stream, int64_t h,
                                          char text[40]);

#ifdef __cplusplus
}
#endif

#endif
