/* The inside of elman/forecast.h, for eval and predict. */
#ifndef ELMAN_TASK_FORECAST_STREAM_H
#define ELMAN_TASK_FORECAST_STREAM_H

#include "elman/forecast.h"
#include "task/forecast_network.h"

struct elman_forecaster {
    elman_context *context;
    elman_config_file own;         /* read by elman_forecaster_open; else empty */
    const elman_config_file *file; /* &own, or the caller's */
    elman_forecast_columns columns;
    elman_forecast_network network;
};

/* `file` outlives the forecaster. */
elman_status elman_forecaster_open_with(elman_context *context, const char *folder,
                                        const elman_config_file *file,
                                        elman_forecaster **forecaster, elman_error *error);

#endif
