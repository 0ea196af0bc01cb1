#include "task/forecast_baselines.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

float elman_forecast_last(const elman_forecast_shape *shape, const elman_forecast_rows *rows,
                          int64_t t, int64_t column)
{
    return rows->filled[(t - 1) * shape->C + column];
}

float elman_forecast_seasonal(const elman_forecast_shape *shape, const elman_forecast_rows *rows,
                              int64_t t, int64_t column, int64_t h, int64_t season)
{
    int64_t row = t - season + h % season;
    return row < 0 ? elman_forecast_last(shape, rows, t, column)
                   : rows->filled[row * shape->C + column];
}

float elman_forecast_linear(const elman_forecast_shape *shape, const float *weight,
                            const elman_forecast_rows *rows, int64_t t, int64_t column, int64_t h)
{
    const float *x = rows->filled + (t - shape->L) * shape->C + column;
    const float *w = weight + h * shape->L;
    double last = (double)x[(shape->L - 1) * shape->C];
    double sum = last + (double)w[shape->L - 1];
    for (int64_t i = 0; i < shape->L - 1; i++)
        sum += (double)w[i] * ((double)x[i * shape->C] - last);
    return (float)sum;
}

/* The normal equations (Z'Z + ridge) W = Z'Y of rows z [L] and y [H]. */
typedef struct equations {
    int64_t L, H;
    double *gram;  /* [L,L], its lower half */
    double *right; /* [L,H] */
    double *z, *y;
} equations;

static void add_window(equations *e, const elman_forecast_shape *s, const elman_forecast_rows *rows,
                       int64_t t, int64_t column)
{
    const float *x = rows->filled + (t - s->L) * s->C + column;
    double last = (double)x[(s->L - 1) * s->C];
    for (int64_t i = 0; i < s->L - 1; i++)
        e->z[i] = (double)x[i * s->C] - last;
    e->z[s->L - 1] = 1.0;
    for (int64_t h = 0; h < s->H; h++)
        e->y[h] = (double)rows->filled[(t + h) * s->C + column] - last;
    for (int64_t i = 0; i < e->L; i++) {
        double zi = e->z[i];
        for (int64_t j = 0; j <= i; j++)
            e->gram[i * e->L + j] += zi * e->z[j];
        for (int64_t h = 0; h < e->H; h++)
            e->right[i * e->H + h] += zi * e->y[h];
    }
}

static bool whole(const elman_forecast_shape *s, const elman_forecast_rows *rows, int64_t t,
                  int64_t column)
{
    for (int64_t h = 0; h < s->H; h++)
        if (rows->missing[(t + h) * s->C + column])
            return false;
    return true;
}

/* Cholesky's factor in place, and both triangular systems; what is not positive is left out. */
static void solve(equations *e)
{
    int64_t L = e->L, H = e->H;
    for (int64_t i = 0; i < L; i++)
        for (int64_t j = 0; j <= i; j++) {
            double sum = e->gram[i * L + j];
            for (int64_t k = 0; k < j; k++)
                sum -= e->gram[i * L + k] * e->gram[j * L + k];
            if (i == j)
                e->gram[i * L + i] = sum > 0.0 ? sqrt(sum) : INFINITY;
            else
                e->gram[i * L + j] = sum / e->gram[j * L + j];
        }
    for (int64_t i = 0; i < L; i++)
        for (int64_t h = 0; h < H; h++) {
            double sum = e->right[i * H + h];
            for (int64_t k = 0; k < i; k++)
                sum -= e->gram[i * L + k] * e->right[k * H + h];
            e->right[i * H + h] = sum / e->gram[i * L + i];
        }
    for (int64_t i = L - 1; i >= 0; i--)
        for (int64_t h = 0; h < H; h++) {
            double sum = e->right[i * H + h];
            for (int64_t k = i + 1; k < L; k++)
                sum -= e->gram[k * L + i] * e->right[k * H + h];
            e->right[i * H + h] = sum / e->gram[i * L + i];
        }
}

static const int64_t WORK = INT64_C(1) << 29; /* multiplications for the matrix */

static void collect(equations *e, const elman_forecast_shape *s, const elman_forecast_data *data)
{
    int64_t all = 0, number = 0;
    for (int64_t i = 0; i < data->count; i++)
        all += s->C * elman_forecast_origins(s, 0, data->series[i].parts.train, s->H);
    int64_t most = WORK / (s->L * s->L + s->L * s->H) + 1, every = (all + most - 1) / most;
    for (int64_t i = 0; i < data->count; i++) {
        const elman_forecast_series *series = &data->series[i];
        for (int64_t t = s->L; t + s->H <= series->parts.train; t++)
            for (int64_t c = 0; c < s->C; c++)
                if (number++ % every == 0 && whole(s, &series->rows, t, c))
                    add_window(e, s, &series->rows, t, c);
    }
    double trace = 0.0;
    for (int64_t i = 0; i < e->L; i++)
        trace += e->gram[i * e->L + i];
    double ridge = 1e-4 * trace / (double)e->L + 1e-12;
    for (int64_t i = 0; i < e->L; i++)
        e->gram[i * e->L + i] += ridge;
}

elman_status elman_forecast_fit_linear(const elman_forecast_shape *shape,
                                       const elman_forecast_data *data, float *weight,
                                       elman_error *error)
{
    size_t L = (size_t)shape->L, H = (size_t)shape->H;
    equations e = {.L = shape->L, .H = shape->H};
    e.gram = elman_allocate_zero(data->context, L, L * sizeof(double));
    e.right = elman_allocate_zero(data->context, L, H * sizeof(double));
    e.z = elman_allocate(data->context, L, sizeof(double));
    e.y = elman_allocate(data->context, H, sizeof(double));
    elman_status status = ELMAN_OK;
    if (e.gram && e.right && e.z && e.y) {
        collect(&e, shape, data);
        solve(&e);
        for (size_t h = 0; h < H; h++)
            for (size_t i = 0; i < L; i++)
                weight[h * L + i] = (float)e.right[i * H + h];
    } else {
        status = elman_out_of_memory(error);
    }
    elman_release(data->context, e.gram);
    elman_release(data->context, e.right);
    elman_release(data->context, e.z);
    elman_release(data->context, e.y);
    return status;
}
