#include "task/forecast_measure.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "task/forecast_baselines.h"
#include "task/metrics_table.h"

/* [*begin,*end) of the rows of a series whose forecasts are measured. */
static void rows_of(const elman_forecast_measuring *m, const elman_forecast_series *s,
                    int64_t *begin, int64_t *end)
{
    *begin = m->part == ELMAN_FORECAST_ALL     ? 0
             : m->part == ELMAN_FORECAST_VALID ? s->parts.train
                                               : s->parts.test_first;
    *end = m->part == ELMAN_FORECAST_ALL     ? s->n
           : m->part == ELMAN_FORECAST_VALID ? s->parts.valid
                                             : s->parts.test_end;
}

int64_t elman_forecast_count(const elman_forecast_measuring *m)
{
    int64_t count = 0, begin, end;
    for (int64_t i = 0; i < m->data->count; i++) {
        rows_of(m, &m->data->series[i], &begin, &end);
        count += elman_forecast_origins(&m->network->shape, begin, end, m->network->shape.H);
    }
    return count;
}

/* What a pass over the part carries along. */
typedef struct pass {
    const elman_forecast_measuring *m;
    const elman_forecast_answers *answers;
    elman_forecast_result *result;
    double *scales;  /* [C] of the present series, for MASE */
    int64_t origins; /* in all, for the residuals' stride */
} pass;

static double original(const elman_forecast_network *n, int64_t c, float x)
{
    return (double)x * (double)n->scale.deviation[c] + (double)n->scale.mean[c];
}

static void add(pass *p, const elman_forecast_series *s, int64_t row, int64_t c, int method,
                float x)
{
    const elman_forecast_network *n = p->m->network;
    double truth = s->values[row * n->shape.C + c];
    double standard = (truth - (double)n->scale.mean[c]) / (double)n->scale.deviation[c];
    elman_forecast_add(&p->result->standard[method], standard, (double)x, NAN);
    elman_forecast_add(&p->result->original[method], truth, original(n, c, x), p->scales[c]);
}

static void add_quantiles(pass *p, const elman_forecast_series *s, int64_t row, int64_t c,
                          int64_t at, int64_t cell)
{
    const elman_forecast_network *n = p->m->network;
    const elman_forecast_shape *shape = &n->shape;
    const float *quantiles = p->answers->quantiles + at * shape->Q;
    double truth = s->values[row * shape->C + c];
    double standard = (truth - (double)n->scale.mean[c]) / (double)n->scale.deviation[c];
    elman_forecast_sums *sums = &p->result->standard[ELMAN_FORECAST_MODEL];
    for (int64_t q = 0; q < shape->Q; q++)
        elman_forecast_add_quantile(sums, standard, (double)quantiles[q],
                                    (double)shape->quantiles[q]);
    if (shape->Q > 1)
        elman_forecast_add_interval(sums, standard, (double)quantiles[0],
                                    (double)quantiles[shape->Q - 1]);
    if (!p->m->residuals)
        return;
    int64_t h = at / shape->C % shape->H, stride = p->origins * shape->C;
    for (int64_t q = 0; q < shape->Q; q++)
        p->m->residuals[(h * shape->Q + q) * stride + cell] =
            (float)((standard - (double)quantiles[q]) / (double)p->answers->spread[at]);
}

static elman_status add_origin(pass *p, const elman_forecast_series *s, int64_t t, int64_t i,
                               elman_error *error)
{
    const elman_forecast_measuring *m = p->m;
    const elman_forecast_shape *shape = &m->network->shape;
    const float *linear =
        m->network->baseline ? elman_parameter_value(m->network->baseline)->data : NULL;
    for (int64_t h = 0; h < shape->H; h++)
        for (int64_t c = 0; c < shape->C; c++) {
            int64_t at = (i * shape->H + h) * shape->C + c;
            if (m->model) {
                if (!isfinite(p->answers->point[at]))
                    return elman_fail(error, ELMAN_ERROR_NUMERIC,
                                      "the forecast of column %s is not finite",
                                      m->network->columns->targets[c]);
                add(p, s, t + h, c, ELMAN_FORECAST_MODEL, p->answers->point[at]);
                if (shape->Q)
                    add_quantiles(p, s, t + h, c, at, p->result->origins * shape->C + c);
            }
            if (!m->baselines)
                continue;
            add(p, s, t + h, c, ELMAN_FORECAST_LAST, elman_forecast_last(shape, &s->rows, t, c));
            add(p, s, t + h, c, ELMAN_FORECAST_SEASONAL,
                elman_forecast_seasonal(shape, &s->rows, t, c, h, m->season));
            if (linear)
                add(p, s, t + h, c, ELMAN_FORECAST_LINEAR,
                    elman_forecast_linear(shape, linear, &s->rows, t, c, h));
        }
    p->result->origins++;
    return ELMAN_OK;
}

static void set_scales(pass *p, const elman_forecast_series *s)
{
    const elman_forecast_shape *shape = &p->m->network->shape;
    const float *kept = elman_parameter_value(p->m->network->seasonal)->data;
    for (int64_t c = 0; c < shape->C; c++) {
        p->scales[c] = p->m->own_scale ? elman_seasonal_scale(s->values + c, s->parts.train,
                                                              shape->C, p->m->season)
                                       : NAN;
        if (!isfinite(p->scales[c])) /* a series of which nothing was trained on */
            p->scales[c] = (double)kept[c];
    }
}

static elman_status measure_series(pass *p, elman_tape *tape, elman_forecast_answers *answers,
                                   const elman_forecast_series *s, elman_error *error)
{
    const elman_forecast_measuring *m = p->m;
    const elman_forecast_shape *shape = &m->network->shape;
    elman_forecast_origin origins[ELMAN_FORECAST_BATCH];
    int64_t begin, end;
    int64_t most = m->model && answers->capacity < ELMAN_FORECAST_BATCH ? answers->capacity
                                                                        : ELMAN_FORECAST_BATCH;
    rows_of(m, s, &begin, &end);
    int64_t first = elman_forecast_first(shape, begin);
    int64_t count = elman_forecast_origins(shape, begin, end, shape->H);
    set_scales(p, s);
    for (int64_t at = 0; at < count; at += most) {
        int64_t n = count - at < most ? count - at : most;
        if (m->stop && *m->stop)
            return elman_fail(error, ELMAN_ERROR_INTERRUPTED, "stopped");
        for (int64_t i = 0; i < n; i++)
            origins[i] = (elman_forecast_origin){&s->rows, first + at + i};
        if (m->model)
            ELMAN_TRY(elman_forecast_answer(m->network, tape, origins, n, answers, &p->result->loss,
                                            &p->result->count, error));
        for (int64_t i = 0; i < n; i++)
            ELMAN_TRY(add_origin(p, s, first + at + i, i, error));
    }
    return ELMAN_OK;
}

elman_status elman_forecast_measure(const elman_forecast_measuring *m, elman_tape *tape,
                                    elman_forecast_answers *answers, elman_forecast_result *result,
                                    elman_error *error)
{
    elman_context *context = m->network->context;
    *result = (elman_forecast_result){0};
    pass p = {.m = m, .answers = answers, .result = result};
    p.origins = elman_forecast_count(m);
    p.scales = elman_allocate(context, (size_t)m->network->shape.C, sizeof(double));
    if (!p.scales)
        return elman_out_of_memory(error);
    elman_status status = ELMAN_OK;
    for (int64_t i = 0; i < m->data->count && status == ELMAN_OK; i++)
        status = measure_series(&p, tape, answers, &m->data->series[i], error);
    elman_release(context, p.scales);
    result->loss = result->count ? result->loss / (double)result->count : NAN;
    return status;
}

/* --- calibration -------------------------------------------------------------------------- */

enum { FEWEST_RESIDUALS = 20 };

static int ascending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Of n residuals that may hold NaN. */
static float margin_of(float *residuals, int64_t n, double q)
{
    int64_t known = 0;
    for (int64_t i = 0; i < n; i++)
        if (!isnan(residuals[i]))
            residuals[known++] = residuals[i];
    if (known < FEWEST_RESIDUALS)
        return 0.0F;
    qsort(residuals, (size_t)known, sizeof *residuals, ascending);
    int64_t rank = (int64_t)ceil(q * (double)(known + 1));
    rank = rank < 1 ? 1 : rank > known ? known : rank;
    return residuals[rank - 1];
}

elman_status elman_forecast_calibrate(const elman_forecast_measuring *m, elman_tape *tape,
                                      elman_forecast_answers *answers,
                                      elman_forecast_result *result, elman_error *error)
{
    const elman_forecast_shape *s = &m->network->shape;
    elman_context *context = m->network->context;
    elman_forecast_measuring with = *m;
    float *margin = elman_parameter_edit(m->network->margin);
    memset(margin, 0, (size_t)(s->H * s->Q) * sizeof *margin);
    int64_t stride = elman_forecast_count(m) * s->C;
    with.model = true;
    with.baselines = false;
    with.residuals = elman_allocate(context, (size_t)stride, (size_t)(s->H * s->Q) * sizeof(float));
    if (!with.residuals)
        return elman_out_of_memory(error);
    elman_status status = elman_forecast_measure(&with, tape, answers, result, error);
    for (int64_t i = 0; i < s->H * s->Q && status == ELMAN_OK; i++)
        margin[i] = margin_of(with.residuals + i * stride, stride, (double)s->quantiles[i % s->Q]);
    elman_release(context, with.residuals);
    return status;
}

/* --- figures ------------------------------------------------------------------------------ */

static elman_status report_table(elman_context *context, const elman_forecast_result *r,
                                 bool linear, int64_t season, elman_metrics *metrics,
                                 elman_error *error)
{
    static const char *const columns[] = {"mse", "mae", "smape", "mase"};
    static const int methods[] = {ELMAN_FORECAST_MODEL, ELMAN_FORECAST_LAST,
                                  ELMAN_FORECAST_SEASONAL, ELMAN_FORECAST_LINEAR};
    const char *names[ELMAN_FORECAST_METHODS];
    double values[ELMAN_FORECAST_METHODS * 4];
    int64_t rows = 0;
    for (int i = 0; i < ELMAN_FORECAST_METHODS; i++) {
        static const char *const words[] = {"model", "last value", "a season before", "linear"};
        int k = methods[i];
        if ((k == ELMAN_FORECAST_SEASONAL && season < 2) || (k == ELMAN_FORECAST_LINEAR && !linear))
            continue;
        names[rows] = words[i];
        values[rows * 4] = elman_forecast_mse(&r->standard[k]);
        values[rows * 4 + 1] = elman_forecast_mae(&r->standard[k]);
        values[rows * 4 + 2] = elman_forecast_smape(&r->original[k]);
        values[rows * 4 + 3] = elman_forecast_mase(&r->original[k]);
        rows++;
    }
    elman_metrics_rows table = {"baselines", rows, 4, names, columns, values};
    return elman_metrics_add_table(context, metrics, &table, error);
}

elman_status elman_forecast_report(elman_context *context, const elman_forecast_result *r,
                                   const elman_forecast_network *network, int64_t season,
                                   elman_metrics *metrics, elman_error *error)
{
    const elman_forecast_sums *standard = &r->standard[ELMAN_FORECAST_MODEL];
    const elman_forecast_sums *units = &r->original[ELMAN_FORECAST_MODEL];
    ELMAN_TRY(elman_metrics_add(context, metrics, "loss", r->loss, error));
    ELMAN_TRY(elman_metrics_add(context, metrics, "mse", elman_forecast_mse(standard), error));
    ELMAN_TRY(elman_metrics_add(context, metrics, "mae", elman_forecast_mae(standard), error));
    ELMAN_TRY(elman_metrics_add(context, metrics, "smape", elman_forecast_smape(units), error));
    ELMAN_TRY(elman_metrics_add(context, metrics, "mase", elman_forecast_mase(units), error));
    if (network->shape.Q > 1) {
        ELMAN_TRY(elman_metrics_add(context, metrics, "coverage", elman_forecast_coverage(standard),
                                    error));
        ELMAN_TRY(
            elman_metrics_add(context, metrics, "width", elman_forecast_width(standard), error));
    }
    if (network->shape.Q)
        ELMAN_TRY(elman_metrics_add(context, metrics, "pinball", elman_forecast_pinball(standard),
                                    error));
    if (network->shape.C == 1) {
        ELMAN_TRY(
            elman_metrics_add(context, metrics, "mse_original", elman_forecast_mse(units), error));
        ELMAN_TRY(
            elman_metrics_add(context, metrics, "mae_original", elman_forecast_mae(units), error));
    }
    ELMAN_TRY(elman_metrics_add(context, metrics, "origins", (double)r->origins, error));
    return report_table(context, r, network->baseline != NULL, season, metrics, error);
}
