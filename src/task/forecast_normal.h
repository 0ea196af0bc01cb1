/* The normal distribution's quantiles. */
#ifndef ELMAN_TASK_FORECAST_NORMAL_H
#define ELMAN_TASK_FORECAST_NORMAL_H

#include "elman/context.h"

/* z with P(Z < z) = p, 0 < p < 1, to about 1e-6: the same bits everywhere. */
float elman_normal_quantile(elman_context *context, float p);

#endif
