/* The forecaster's network, what is kept beside its weights, and its answers. */
#ifndef ELMAN_TASK_FORECAST_NETWORK_H
#define ELMAN_TASK_FORECAST_NETWORK_H

#include "elman/encoder.h"
#include "task/forecast_windows.h"

enum {
    ELMAN_FORECAST_BATCH = 256,       /* sequences that are answered together */
    ELMAN_FORECAST_LINEAR_MOST = 1024 /* the longest window of the linear baseline */
};

/* z = output(last state of the encoder over the window's steps), plus, with linear_skip,
 *     skip.weight [ahead*heads, L + K*ahead] times the window and the covariates ahead: the same
 *     map for every column (Lai et al. 2018, equation 7; Zeng et al. 2023)
 * answer = z * spread + shift, in standardised units.
 * Beside them, frozen: scale.mean, scale.deviation [C]; scale.seasonal [C] (MASE's, in the data's
 * units); covariate.mean, covariate.deviation [Kf]; baseline.weight [H,L], the linear baseline;
 * calibration.margin [H,Q], added to the quantiles in units of the window's spread. */
typedef struct elman_forecast_network {
    elman_context *context;
    const elman_forecast_columns *columns;
    elman_forecast_shape shape;
    elman_config config; /* as the encoder has it */
    elman_encoder *encoder;
    elman_linear_layer skip; /* weight NULL: none */
    elman_parameter *mean, *deviation, *seasonal, *covariate_mean, *covariate_deviation;
    elman_parameter *baseline; /* NULL where the lookback is beyond ELMAN_FORECAST_LINEAR_MOST */
    elman_parameter *margin;   /* NULL without quantiles */
    float deviates[ELMAN_FORECAST_QUANTILES]; /* the normal distribution's, at the quantiles */
    elman_forecast_scale scale;               /* the values of the four */
} elman_forecast_network;

/* config as elman_forecast_shape_of wants it, with layers, hidden and dropout chosen. Values are
 * cleared. *network is ended by _free, also after a failure. */
elman_status elman_forecast_network_create(elman_context *context, const elman_config *config,
                                           const elman_forecast_columns *columns, bool train,
                                           elman_forecast_network *network, elman_error *error);
void elman_forecast_network_free(elman_forecast_network *network);
elman_parameters *elman_forecast_network_parameters(const elman_forecast_network *network);

/* The answers to a filled buffer of B sequences: [R*ahead, heads] standardised. */
elman_var *elman_forecast_forward(elman_tape *tape, const elman_forecast_network *network,
                                  const elman_forecast_buffer *buffer, int64_t B);
/* scale times the mean, over targets that are not missing, of the loss of the point (or of the
 * distribution) plus the mean pinball loss of the quantiles. *sum: unscaled and not averaged. */
elman_var *elman_forecast_cost(elman_tape *tape, const elman_forecast_network *network,
                               const elman_forecast_buffer *buffer, int64_t B, elman_var *answer,
                               double scale, double *sum);

/* Forecasts of n origins, [n,H,C] standardised, row by row, column by column. */
typedef struct elman_forecast_answers {
    elman_context *context;
    int64_t capacity; /* origins */
    float *point;     /* [n,H,C] */
    float *quantiles; /* [n,H,C,Q], ascending */
    float *spread;    /* [n,H,C] of the window that answered */
    float *history;   /* stepwise: [n,(L+H),C], what was answered is read on; else NULL */
    unsigned char *missing;
    float *ahead; /* stepwise: [n,(L+H),K] */
    elman_forecast_buffer buffer;
} elman_forecast_answers;

elman_status elman_forecast_answers_create(const elman_forecast_network *network, int64_t capacity,
                                           elman_forecast_answers *answers, elman_error *error);
void elman_forecast_answers_free(elman_forecast_answers *answers);

/* An origin: the row after the last that is known. */
typedef struct elman_forecast_origin {
    const elman_forecast_rows *rows;
    int64_t t;
} elman_forecast_origin;

/* Runs the network on n <= capacity origins with dropout off. Covariates of rows t..t+H-1 must be
 * there, padded up to a multiple of width where stepwise. With `loss` the loss of the rows that the
 * network answers at once is added to *loss, and the targets counted into *count: rows t..t+ahead-1
 * must be there. The quantiles have the margin of the calibration. Allocates nothing after the
 * first call with as many origins. */
elman_status elman_forecast_answer(const elman_forecast_network *network, elman_tape *tape,
                                   const elman_forecast_origin *origins, int64_t n,
                                   elman_forecast_answers *answers, double *loss, uint64_t *count,
                                   elman_error *error);

#endif
