/* Back-testing: forecasts from every origin of a part (rolling origins), what they are worth, and
 * what forecasts that anybody can make are worth beside them. */
#ifndef ELMAN_TASK_FORECAST_MEASURE_H
#define ELMAN_TASK_FORECAST_MEASURE_H

#include <signal.h>

#include "elman/metrics.h"
#include "task/forecast_metrics.h"
#include "task/forecast_network.h"

typedef enum elman_forecast_method {
    ELMAN_FORECAST_MODEL,
    ELMAN_FORECAST_LAST,     /* the last value again */
    ELMAN_FORECAST_SEASONAL, /* the value a season before */
    ELMAN_FORECAST_LINEAR,   /* least squares on the window, see forecast_baselines.h */
    ELMAN_FORECAST_METHODS
} elman_forecast_method;

typedef struct elman_forecast_result {
    int64_t origins;
    double loss;                                          /* a target, as in training */
    uint64_t count;                                       /* targets that entered it */
    elman_forecast_sums standard[ELMAN_FORECAST_METHODS]; /* on standardised values */
    elman_forecast_sums original[ELMAN_FORECAST_METHODS]; /* in the data's units */
} elman_forecast_result;

typedef enum elman_forecast_part {
    ELMAN_FORECAST_VALID,
    ELMAN_FORECAST_TEST,
    ELMAN_FORECAST_ALL
} elman_forecast_part;

typedef struct elman_forecast_measuring {
    const elman_forecast_network *network;
    const elman_forecast_data *data; /* filled */
    elman_forecast_part part;
    int64_t season;
    bool own_scale;   /* MASE by each series' training part, else by scale.seasonal */
    bool model;       /* the network is measured */
    bool baselines;   /* the others are */
    float *residuals; /* NULL, or [H,Q,origins*C]: truth less quantile, over the spread; NaN
                       * where the truth is missing */
    const volatile sig_atomic_t *stop; /* may be NULL */
} elman_forecast_measuring;

/* How many origins the part has. */
int64_t elman_forecast_count(const elman_forecast_measuring *m);
/* INTERRUPTED; NUMERIC: an answer that is not finite. tape and answers may be NULL without
 * `model`. */
elman_status elman_forecast_measure(const elman_forecast_measuring *m, elman_tape *tape,
                                    elman_forecast_answers *answers, elman_forecast_result *result,
                                    elman_error *error);

/* Sets the network's margin so that each quantile at each row ahead has its share of the part's
 * truths below it: the residuals' own quantile, the ceil(q(n+1))-th of n (Romano et al. 2019,
 * "Conformalized quantile regression", its asymmetric form). Rows with fewer than 20 residuals
 * keep 0. The network has a margin. *result is as measured, without it. */
elman_status elman_forecast_calibrate(const elman_forecast_measuring *m, elman_tape *tape,
                                      elman_forecast_answers *answers,
                                      elman_forecast_result *result, elman_error *error);

/* The figures and the table of baselines. MEMORY. */
elman_status elman_forecast_report(elman_context *context, const elman_forecast_result *result,
                                   const elman_forecast_network *network, int64_t season,
                                   elman_metrics *metrics, elman_error *error);

#endif
