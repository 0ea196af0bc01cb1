/* Whether the gradient is cut while there is still much of it: after the trial's updates, its norm
 * at the lag at which truncation ends it, over that at lag 0 (elman/gradient_flow.h). */
#include <inttypes.h>
#include <math.h>

#include "base/error.h"
#include "task/doctor_impl.h"
#include "train/gradient_flow.h"

static const double cut_off = 0.1;

enum { LEAST = 100, BEYOND = 4 }; /* lags looked at: that many, or times K */

/* The smallest lag at which the curve is no longer above; the last where it never is. */
static int64_t lag_where_gone(const elman_flow_layer *layer)
{
    int64_t lag = 0;
    while (lag < layer->lags && layer->state.norm[lag] > cut_off)
        lag++;
    return lag;
}

static elman_status judge(elman_doctor *d, const elman_flow *flow, elman_error *error)
{
    int64_t K = d->config->bptt, enough = 0;
    const elman_flow_layer *worst = NULL;
    for (int64_t i = 0; i < flow->count; i++) {
        const elman_flow_layer *layer = &flow->layers[i];
        if (layer->lags < K || !(layer->state.norm[K] > cut_off))
            continue;
        int64_t lag = lag_where_gone(layer);
        enough = lag > enough ? lag : enough;
        if (!worst || layer->state.norm[K] > worst->state.norm[K])
            worst = layer;
    }
    if (!worst)
        return ELMAN_OK;
    elman_found found = {"bptt-short", ELMAN_SEVERITY_WARNING, worst->state.norm[K], cut_off,
                         "bptt"};
    elman_finding *f = elman_doctor_add(d, &found, error);
    if (!f)
        return ELMAN_ERROR_MEMORY;
    elman_finding_reason(
        f,
        "after %" PRId64 " updates %.0f %% of the gradient still reaches %s at lag "
        "%" PRId64 ", where --bptt cuts it off: what lies further back cannot be "
        "learnt",
        d->trainer.progress.integers.step, 100 * worst->state.norm[K], worst->name, K);
    elman_finding_value(f, "%" PRId64, enough);
    return ELMAN_OK;
}

elman_status elman_doctor_bptt(elman_doctor *d, elman_error *error)
{
    elman_flow_options options;
    elman_flow flow = {0};
    elman_error found = {0};
    int64_t K = d->config->bptt;
    if (!d->objective.stretch || !d->objective.flow)
        return ELMAN_OK; /* sequences are not cut */
    elman_flow_options_default(&options);
    options.lags = BEYOND * K > LEAST ? BEYOND * K : LEAST;
    if (options.lags > ELMAN_FLOW_MOST_LAGS)
        options.lags = ELMAN_FLOW_MOST_LAGS;
    options.jacobians = 0;
    elman_status status =
        elman_flow_measure(d->trainer.tape, &d->objective, &options, &flow, &found);
    if (status == ELMAN_OK)
        status = judge(d, &flow, error);
    else if (status == ELMAN_ERROR_DATA || status == ELMAN_ERROR_NUMERIC)
        status = ELMAN_OK; /* too little text to look back in, or no longer finite */
    else
        (void)elman_fail(error, status, "%s", found.message);
    elman_flow_clear(d->context, &flow);
    return status;
}
