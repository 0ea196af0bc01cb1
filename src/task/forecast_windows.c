#include "task/forecast_windows.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/context_impl.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "kernel/kernels.h"

enum { MOST = 1 << 24 }; /* numbers a window or an answer */

static elman_status read_quantiles(const char *text, elman_forecast_shape *shape,
                                   elman_error *error)
{
    const char *rest = text, *name;
    size_t size;
    double before = 0.0;
    while (elman_forecast_next_name(&rest, &name, &size)) {
        char number[32] = "";
        double value;
        if (size < sizeof number)
            memcpy(number, name, size);
        if (!elman_parse_real(number, &value) || !(value > before && value < 1.0) ||
            shape->Q == ELMAN_FORECAST_QUANTILES)
            return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                              "quantiles: found %s, expected at most %d numbers between 0 and 1 "
                              "that ascend, such as 0.1,0.5,0.9",
                              text, ELMAN_FORECAST_QUANTILES);
        shape->quantiles[shape->Q++] = (float)value;
        before = value;
    }
    return ELMAN_OK;
}

/* a*b, or more than MOST. */
static int64_t product(int64_t a, int64_t b)
{
    int64_t p;
    return __builtin_mul_overflow(a, b, &p) || p > MOST ? MOST + 1 : p;
}

static int64_t rounded_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

elman_status elman_forecast_shape_of(const elman_config *config,
                                     const elman_forecast_columns *columns,
                                     elman_forecast_shape *shape, elman_error *error)
{
    *shape = (elman_forecast_shape){
        .C = columns->target_count,
        .K = columns->covariate_count + columns->calendar_count,
        .L = config->lookback,
        .H = config->horizon,
        .width = config->width ? config->width : 1,
        .indicator = columns->indicator,
        .gaussian = config->loss == ELMAN_FORECAST_GAUSSIAN,
        .stepwise = config->stepwise,
        .normalise = config->normalise,
    };
    if (shape->L % shape->width)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "width: found %" PRId64 ", expected a divisor of lookback %" PRId64,
                          shape->width, shape->L);
    if (shape->stepwise && shape->width > shape->H)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "width: found %" PRId64 ", expected at most the horizon, %" PRId64
                          ", since --stepwise answers so many rows at a time",
                          shape->width, shape->H);
    ELMAN_TRY(read_quantiles(config->quantiles, shape, error));
    shape->columns = config->shared ? 1 : shape->C;
    shape->sequences = config->shared ? shape->C : 1;
    shape->ahead = config->stepwise ? shape->width : shape->H;
    shape->heads = shape->gaussian ? 2 : 1 + shape->Q;
    shape->steps = shape->L / shape->width;
    int64_t features = shape->columns * (shape->indicator ? 2 : 1) + shape->K;
    if (shape->K) {
        shape->steps += rounded_up(shape->ahead, shape->width);
        features++;
    }
    shape->inputs = product(shape->width, features);
    shape->outputs = product(product(shape->columns, shape->ahead), shape->heads);
    shape->skip = shape->L + product(shape->K, shape->ahead);
    if (shape->inputs > 1000000 || shape->outputs > 1000000 || shape->skip > 1000000)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "%" PRId64 " columns, lookback %" PRId64 ", horizon %" PRId64
                          " and %" PRId64 " quantiles are more than a network can read and answer "
                          "at once (1000000 numbers); --shared reads each column by itself",
                          shape->C, shape->L, shape->H, shape->Q);
    return ELMAN_OK;
}

elman_status elman_forecast_buffer_create(elman_context *context, const elman_forecast_shape *shape,
                                          int64_t capacity, elman_forecast_buffer *buffer,
                                          elman_error *error)
{
    const elman_forecast_shape *s = shape;
    size_t B = (size_t)capacity, R;
    *buffer = (elman_forecast_buffer){.context = context, .capacity = capacity};
    size_t steps = (size_t)s->steps, ahead = (size_t)s->ahead, skip = (size_t)s->skip;
    if (!elman_size_multiply(B, (size_t)s->columns, &R) || !elman_size_multiply(steps, B, &steps) ||
        !elman_size_multiply(R, ahead, &ahead))
        return elman_out_of_memory(error);
    buffer->inputs = elman_allocate(context, steps, (size_t)s->inputs * sizeof(float));
    buffer->skip = elman_allocate(context, R, skip * sizeof(float));
    buffer->shift = elman_allocate(context, R, sizeof(float));
    buffer->spread = elman_allocate(context, R, sizeof(float));
    buffer->factor = elman_allocate(context, ahead, (size_t)s->heads * sizeof(float));
    buffer->offset = elman_allocate(context, ahead, (size_t)s->heads * sizeof(float));
    buffer->targets = elman_allocate(context, ahead, sizeof(float));
    buffer->weights = elman_allocate(context, ahead, sizeof(float));
    buffer->numbers = elman_allocate_zero(context, B, sizeof *buffer->numbers);
    if (buffer->inputs && buffer->skip && buffer->shift && buffer->spread && buffer->factor &&
        buffer->offset && buffer->targets && buffer->weights && buffer->numbers)
        return ELMAN_OK;
    elman_forecast_buffer_free(buffer);
    return elman_out_of_memory(error);
}

void elman_forecast_buffer_free(elman_forecast_buffer *buffer)
{
    if (!buffer->context)
        return;
    elman_release(buffer->context, buffer->inputs);
    elman_release(buffer->context, buffer->skip);
    elman_release(buffer->context, buffer->shift);
    elman_release(buffer->context, buffer->spread);
    elman_release(buffer->context, buffer->factor);
    elman_release(buffer->context, buffer->offset);
    elman_release(buffer->context, buffer->targets);
    elman_release(buffer->context, buffer->weights);
    elman_release(buffer->context, buffer->numbers);
    *buffer = (elman_forecast_buffer){0};
}

/* Added to the deviation, in standardised units, so that a window that stands still divides by
 * something; and a deviation of fewer values says nothing and counts as 1. */
static const double SMALLEST_SPREAD = 0.01;
enum { FEWEST_VALUES = 4 };

/* What the L values x, C apart, are freed of (Kim et al. 2022, "Reversible instance
 * normalization", equations 2 and 3). */
static void measure_window(const elman_forecast_shape *s, const float *x, float *shift,
                           float *spread)
{
    double sum = 0.0, squares = 0.0;
    *shift = 0.0F;
    *spread = 1.0F;
    if (s->normalise == ELMAN_NORMALISE_NONE)
        return;
    if (s->normalise == ELMAN_NORMALISE_LAST) {
        *shift = x[(s->L - 1) * s->C];
        return;
    }
    for (int64_t i = 0; i < s->L; i++)
        sum += (double)x[i * s->C];
    double mean = sum / (double)s->L;
    *shift = (float)mean;
    if (s->normalise != ELMAN_NORMALISE_SCALE || s->L < FEWEST_VALUES)
        return;
    for (int64_t i = 0; i < s->L; i++) {
        double d = (double)x[i * s->C] - mean;
        squares += d * d;
    }
    *spread = (float)(sqrt(squares / (double)s->L) + SMALLEST_SPREAD);
}

/* Row r's part in the answer: mean and log variance are shifted and stretched each in its way. */
static void put_answer(const elman_forecast_shape *s, elman_forecast_buffer *buffer, int64_t r)
{
    float shift = buffer->shift[r], spread = buffer->spread[r], log_spread = 0.0F;
    if (s->gaussian)
        elman_kernels_of(buffer->context)->math->log(&log_spread, &spread, 1);
    for (int64_t i = 0; i < s->ahead * s->heads; i++) {
        bool variance = s->gaussian && i % 2 == 1;
        buffer->factor[r * s->ahead * s->heads + i] = variance ? 1.0F : spread;
        buffer->offset[r * s->ahead * s->heads + i] = variance ? 2.0F * log_spread : shift;
    }
}

static void put_column(const elman_forecast_shape *s, elman_forecast_buffer *buffer,
                       const elman_forecast_rows *rows, int64_t t, int64_t column, int64_t r)
{
    const float *x = rows->filled + (t - s->L) * s->C + column;
    float *u = buffer->skip + r * s->skip;
    measure_window(s, x, &buffer->shift[r], &buffer->spread[r]);
    double spread = (double)buffer->spread[r], shift = (double)buffer->shift[r];
    for (int64_t i = 0; i < s->L; i++)
        u[i] = (float)(((double)x[i * s->C] - shift) / spread);
    if (s->K)
        memcpy(u + s->L, rows->covariates + t * s->K, (size_t)(s->ahead * s->K) * sizeof(float));
    put_answer(s, buffer, r);
}

/* One row of a step; i counts from the window's first row, and from L on is ahead of it. */
static void put_row(const elman_forecast_shape *s, const elman_forecast_buffer *buffer, float *out,
                    int64_t b, const elman_forecast_rows *rows, int64_t t, int64_t column,
                    int64_t i)
{
    bool ahead = i >= s->L, beyond = i >= s->L + s->ahead;
    int64_t row = t - s->L + i;
    for (int64_t c = 0; c < s->columns; c++)
        *out++ = ahead ? 0.0F : buffer->skip[(b * s->columns + c) * s->skip + i];
    for (int64_t k = 0; k < s->K; k++)
        *out++ = beyond ? 0.0F : rows->covariates[row * s->K + k];
    for (int64_t c = 0; c < s->columns && s->indicator; c++)
        *out++ = !ahead && rows->missing[row * s->C + column + c] ? 1.0F : 0.0F;
    if (s->K)
        *out = ahead ? 1.0F : 0.0F;
}

void elman_forecast_put(const elman_forecast_shape *shape, elman_forecast_buffer *buffer, int64_t B,
                        int64_t b, const elman_forecast_rows *rows, int64_t t, int64_t column)
{
    const elman_forecast_shape *s = shape;
    int64_t features = s->inputs / s->width;
    for (int64_t c = 0; c < s->columns; c++)
        put_column(s, buffer, rows, t, column + c, b * s->columns + c);
    for (int64_t step = 0; step < s->steps; step++)
        for (int64_t i = 0; i < s->width; i++)
            put_row(s, buffer, buffer->inputs + (step * B + b) * s->inputs + i * features, b, rows,
                    t, column, step * s->width + i);
}

void elman_forecast_put_targets(const elman_forecast_shape *shape, elman_forecast_buffer *buffer,
                                int64_t b, const elman_forecast_rows *rows, int64_t t,
                                int64_t column)
{
    const elman_forecast_shape *s = shape;
    for (int64_t c = 0; c < s->columns; c++)
        for (int64_t h = 0; h < s->ahead; h++) {
            int64_t to = (b * s->columns + c) * s->ahead + h;
            int64_t from = (t + h) * s->C + column + c;
            buffer->targets[to] = rows->filled[from];
            buffer->weights[to] = rows->missing[from] ? 0.0F : 1.0F;
        }
}

int64_t elman_forecast_first(const elman_forecast_shape *shape, int64_t begin)
{
    return begin > shape->L ? begin : shape->L;
}

int64_t elman_forecast_origins(const elman_forecast_shape *shape, int64_t begin, int64_t end,
                               int64_t ahead)
{
    int64_t count = end - ahead + 1 - elman_forecast_first(shape, begin);
    return count > 0 ? count : 0;
}

elman_status elman_forecast_windows_of(const elman_forecast_shape *shape,
                                       const elman_forecast_data *data,
                                       elman_forecast_windows *windows, elman_error *error)
{
    int64_t longest = 0;
    *windows = (elman_forecast_windows){.context = data->context};
    windows->begins =
        elman_allocate_zero(data->context, (size_t)data->count + 1, sizeof *windows->begins);
    if (!windows->begins)
        return elman_out_of_memory(error);
    for (int64_t i = 0; i < data->count; i++) {
        int64_t train = data->series[i].parts.train;
        windows->count += shape->sequences * elman_forecast_origins(shape, 0, train, shape->ahead);
        windows->begins[i + 1] = windows->count;
        longest = train > longest ? train : longest;
    }
    if (windows->count < 1)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "too little data: lookback %" PRId64 " and horizon %" PRId64
                          " ask for %" PRId64 " rows to train on, the longest series has %" PRId64,
                          shape->L, shape->ahead, shape->L + shape->ahead, longest);
    if (windows->count > UINT32_MAX)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "%" PRId64 " windows to train on, expected at most %" PRIu32,
                          windows->count, UINT32_MAX);
    return ELMAN_OK;
}

void elman_forecast_windows_free(elman_forecast_windows *windows)
{
    if (windows->context)
        elman_release(windows->context, windows->begins);
    *windows = (elman_forecast_windows){0};
}

elman_forecast_place elman_forecast_window(const elman_forecast_shape *shape,
                                           const elman_forecast_data *data,
                                           const elman_forecast_windows *windows, int64_t number)
{
    int64_t low = 0, high = data->count; /* begins[low] <= number < begins[high] */
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (windows->begins[middle] <= number)
            low = middle;
        else
            high = middle;
    }
    int64_t at = number - windows->begins[low];
    return (elman_forecast_place){low, elman_forecast_first(shape, 0) + at / shape->sequences,
                                  at % shape->sequences};
}
