#include "task/forecast_network.h"

#include <math.h>
#include <string.h>

#include "base/context_impl.h"
#include "base/error.h"
#include "base/float_environment.h"
#include "base/memory.h"
#include "kernel/kernels.h"
#include "task/forecast_normal.h"

static elman_status keep(elman_forecast_network *n, const char *name, int rank,
                         const int64_t *shape, elman_parameter **parameter, elman_error *error)
{
    ELMAN_TRY(elman_parameters_add(elman_encoder_parameters(n->encoder), name, rank, shape,
                                   parameter, error));
    elman_parameter_freeze(*parameter);
    return ELMAN_OK;
}

static elman_status keep_scales(elman_forecast_network *n, elman_error *error)
{
    const elman_forecast_shape *s = &n->shape;
    int64_t C[1] = {s->C}, Kf[1] = {n->columns->covariate_count};
    ELMAN_TRY(keep(n, "scale.mean", 1, C, &n->mean, error));
    ELMAN_TRY(keep(n, "scale.deviation", 1, C, &n->deviation, error));
    ELMAN_TRY(keep(n, "scale.seasonal", 1, C, &n->seasonal, error));
    if (Kf[0]) {
        ELMAN_TRY(keep(n, "covariate.mean", 1, Kf, &n->covariate_mean, error));
        ELMAN_TRY(keep(n, "covariate.deviation", 1, Kf, &n->covariate_deviation, error));
        n->scale.covariate_mean = elman_parameter_value(n->covariate_mean)->data;
        n->scale.covariate_deviation = elman_parameter_value(n->covariate_deviation)->data;
    }
    n->scale.mean = elman_parameter_value(n->mean)->data;
    n->scale.deviation = elman_parameter_value(n->deviation)->data;
    if (s->L <= ELMAN_FORECAST_LINEAR_MOST)
        ELMAN_TRY(keep(n, "baseline.weight", 2, (int64_t[]){s->H, s->L}, &n->baseline, error));
    if (s->Q)
        ELMAN_TRY(keep(n, "calibration.margin", 2, (int64_t[]){s->H, s->Q}, &n->margin, error));
    return ELMAN_OK;
}

static elman_status build(elman_forecast_network *n, const elman_config *config, bool train,
                          elman_error *error)
{
    const elman_forecast_shape *s = &n->shape;
    n->config = *config;
    n->config.inputs = s->inputs;
    n->config.outputs = s->outputs;
    n->config.vocabulary = n->config.characters = n->config.char_hidden = 0;
    strcpy(n->config.pool, "last");
    ELMAN_TRY(elman_encoder_create(n->context, &n->config, train, &n->encoder, error));
    if (config->linear_skip)
        ELMAN_TRY(elman_linear_create(elman_encoder_parameters(n->encoder), "skip", s->skip,
                                      s->ahead * s->heads, false, NULL, &n->skip, error));
    elman_float_environment modes = elman_float_begin(); /* a caller may open a model in any */
    for (int64_t q = 0; s->gaussian && q < s->Q; q++)
        n->deviates[q] = elman_normal_quantile(n->context, s->quantiles[q]);
    elman_float_end(modes);
    return keep_scales(n, error);
}

elman_status elman_forecast_network_create(elman_context *context, const elman_config *config,
                                           const elman_forecast_columns *columns, bool train,
                                           elman_forecast_network *network, elman_error *error)
{
    *network = (elman_forecast_network){.context = context, .columns = columns};
    ELMAN_TRY(elman_forecast_shape_of(config, columns, &network->shape, error));
    return build(network, config, train, error);
}

void elman_forecast_network_free(elman_forecast_network *network)
{
    elman_encoder_free(network->encoder);
    *network = (elman_forecast_network){0};
}

elman_parameters *elman_forecast_network_parameters(const elman_forecast_network *network)
{
    return elman_encoder_parameters(network->encoder);
}

elman_var *elman_forecast_forward(elman_tape *tape, const elman_forecast_network *network,
                                  const elman_forecast_buffer *buffer, int64_t B)
{
    const elman_forecast_shape *s = &network->shape;
    int64_t R = B * s->columns, each = s->ahead * s->heads;
    elman_encoder_batch batch = {
        .sequences = elman_tape_sequences(tape, s->steps, B, NULL, buffer->numbers, 0),
        .vectors = buffer->inputs,
    };
    elman_var *z = elman_encoder_forward(tape, network->encoder, &batch, NULL);
    z = elman_reshape(tape, z, 2, (int64_t[]){R, each});
    if (network->skip.weight) {
        const elman_sequences *rows = elman_tape_sequences(tape, 1, R, NULL, NULL, 0);
        elman_var *window = elman_tape_input(tape, 2, (int64_t[]){R, s->skip}, buffer->skip);
        z = elman_add(tape, z, elman_linear_packed(tape, &network->skip, window, rows));
    }
    z = elman_multiply(tape, z, elman_tape_input(tape, 2, (int64_t[]){R, each}, buffer->factor));
    z = elman_add(tape, z, elman_tape_input(tape, 2, (int64_t[]){R, each}, buffer->offset));
    return elman_reshape(tape, z, 2, (int64_t[]){R * s->ahead, s->heads});
}

static elman_var *point_loss(elman_tape *tape, const elman_forecast_network *network,
                             const elman_forecast_buffer *buffer, elman_var *answer, double scale,
                             double *sum)
{
    static const float middle[1] = {0.5F};
    static const elman_element_loss_kind kinds[] = {
        [ELMAN_FORECAST_SQUARED] = ELMAN_LOSS_SQUARED,
        [ELMAN_FORECAST_ABSOLUTE] = ELMAN_LOSS_ABSOLUTE,
        [ELMAN_FORECAST_HUBER] = ELMAN_LOSS_HUBER,
        [ELMAN_FORECAST_QUANTILE] = ELMAN_LOSS_QUANTILE,
        [ELMAN_FORECAST_GAUSSIAN] = ELMAN_LOSS_GAUSSIAN,
    };
    elman_element_loss_options options;
    elman_element_loss_options_default(&options);
    options.kind = kinds[network->config.loss];
    options.quantiles = middle;
    options.quantile_count = 1;
    options.scale = scale;
    if (!network->shape.gaussian && network->shape.Q)
        answer = elman_slice(tape, answer, 0, 1);
    return elman_element_loss(tape, answer, buffer->targets, buffer->weights, &options, sum);
}

elman_var *elman_forecast_cost(elman_tape *tape, const elman_forecast_network *network,
                               const elman_forecast_buffer *buffer, int64_t B, elman_var *answer,
                               double scale, double *sum)
{
    const elman_forecast_shape *s = &network->shape;
    (void)B;
    elman_var *loss = point_loss(tape, network, buffer, answer, scale, sum);
    if (s->gaussian || !s->Q)
        return loss;
    double more = 0.0;
    elman_element_loss_options options;
    elman_element_loss_options_default(&options);
    options.kind = ELMAN_LOSS_QUANTILE;
    options.quantiles = s->quantiles;
    options.quantile_count = s->Q;
    options.scale = scale;
    elman_var *quantiles = elman_slice(tape, answer, 1, 1 + s->Q);
    elman_var *pinball =
        elman_element_loss(tape, quantiles, buffer->targets, buffer->weights, &options, &more);
    *sum += more;
    return elman_add(tape, loss, pinball);
}

/* --- answers ------------------------------------------------------------------------------ */

/* The rows that stepwise answers reach: H, in whole steps. */
static int64_t reach(const elman_forecast_shape *s)
{
    return s->stepwise ? (s->H + s->width - 1) / s->width * s->width : s->H;
}

elman_status elman_forecast_answers_create(const elman_forecast_network *network, int64_t capacity,
                                           elman_forecast_answers *answers, elman_error *error)
{
    const elman_forecast_shape *s = &network->shape;
    elman_context *context = network->context;
    *answers = (elman_forecast_answers){.context = context, .capacity = capacity};
    size_t cells, rows;
    bool good = elman_size_multiply((size_t)capacity, (size_t)(s->H * s->C), &cells) &&
                elman_size_multiply((size_t)capacity, (size_t)(s->L + reach(s)), &rows);
    if (good) {
        answers->point = elman_allocate(context, cells, sizeof(float));
        answers->quantiles = elman_allocate(context, cells, (size_t)s->Q * sizeof(float));
        answers->spread = elman_allocate(context, cells, sizeof(float));
        good = answers->point && answers->quantiles && answers->spread;
    }
    if (good && s->stepwise) {
        answers->history = elman_allocate(context, rows, (size_t)s->C * sizeof(float));
        answers->missing = elman_allocate(context, rows, (size_t)s->C);
        answers->ahead = elman_allocate(context, rows, (size_t)s->K * sizeof(float));
        good = answers->history && answers->missing && answers->ahead;
    }
    if (good)
        return elman_forecast_buffer_create(context, s, capacity * s->sequences, &answers->buffer,
                                            error);
    return elman_out_of_memory(error);
}

void elman_forecast_answers_free(elman_forecast_answers *answers)
{
    if (!answers->context)
        return;
    elman_release(answers->context, answers->point);
    elman_release(answers->context, answers->quantiles);
    elman_release(answers->context, answers->spread);
    elman_release(answers->context, answers->history);
    elman_release(answers->context, answers->missing);
    elman_release(answers->context, answers->ahead);
    elman_forecast_buffer_free(&answers->buffer);
    *answers = (elman_forecast_answers){0};
}

static void sort(float *x, int64_t n)
{
    for (int64_t i = 1; i < n; i++)
        for (int64_t j = i; j > 0 && x[j - 1] > x[j]; j--) {
            float kept = x[j];
            x[j] = x[j - 1];
            x[j - 1] = kept;
        }
}

/* Those below the middle are at most the point, those above at least. */
static void hold_point(const elman_forecast_shape *s, float point, float *out)
{
    for (int64_t q = 0; q < s->Q; q++) {
        if (s->quantiles[q] < 0.5F && out[q] > point)
            out[q] = point;
        if (s->quantiles[q] > 0.5F && out[q] < point)
            out[q] = point;
    }
}

/* The quantiles of one answer z [heads], sorted so that they never cross, moved by the margin of
 * row h, sorted again, and the point between them. */
static void put_quantiles(const elman_forecast_network *n, const float *z, float spread, int64_t h,
                          float *out)
{
    const elman_forecast_shape *s = &n->shape;
    float deviation = 0.0F;
    if (s->gaussian) {
        float half = 0.5F * z[1];
        elman_kernels_of(n->context)->math->exp(&deviation, &half, 1);
    }
    for (int64_t q = 0; q < s->Q; q++)
        out[q] = s->gaussian ? fmaf(n->deviates[q], deviation, z[0]) : z[1 + q];
    sort(out, s->Q);
    const float *margin = elman_parameter_value(n->margin)->data + h * s->Q;
    for (int64_t q = 0; q < s->Q; q++)
        out[q] = fmaf(margin[q], spread, out[q]);
    sort(out, s->Q);
    hold_point(s, z[0], out);
}

/* The rows from `first` on of n origins, from the network's answer [R*ahead, heads]. */
static void take(const elman_forecast_network *network, const float *answer, int64_t n,
                 int64_t first, elman_forecast_answers *answers)
{
    const elman_forecast_shape *s = &network->shape;
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < s->C; c++)
            for (int64_t a = 0; a < s->ahead && first + a < s->H; a++) {
                int64_t r = i * s->C + c; /* shared or not: sequence, then column */
                int64_t to = (i * s->H + first + a) * s->C + c;
                const float *z = answer + (r * s->ahead + a) * s->heads;
                answers->point[to] = z[0];
                answers->spread[to] = answers->buffer.spread[r];
                if (s->Q)
                    put_quantiles(network, z, answers->buffer.spread[r], first + a,
                                  answers->quantiles + to * s->Q);
            }
}

static elman_status run(const elman_forecast_network *network, elman_tape *tape, int64_t B,
                        elman_forecast_answers *answers, double *loss, const float **answer,
                        elman_error *error)
{
    elman_tape_mode mode;
    elman_tape_mode_default(&mode);
    mode.record = false;
    elman_tape_begin(tape, &mode);
    elman_var *z = elman_forecast_forward(tape, network, &answers->buffer, B);
    double sum = 0.0;
    if (loss)
        elman_forecast_cost(tape, network, &answers->buffer, B, z, 1.0, &sum);
    ELMAN_TRY(elman_tape_status(tape, error));
    if (loss)
        *loss += sum;
    *answer = elman_var_value(z)->data;
    return ELMAN_OK;
}

/* The window and the covariates ahead, where answers are written behind the window. */
static elman_forecast_rows own_rows(const elman_forecast_shape *s, int64_t i,
                                    elman_forecast_answers *answers)
{
    int64_t at = i * (s->L + reach(s));
    return (elman_forecast_rows){answers->history + at * s->C, answers->missing + at * s->C,
                                 answers->ahead + at * s->K};
}

static void copy_window(const elman_forecast_shape *s, const elman_forecast_origin *origin,
                        const elman_forecast_rows *to)
{
    int64_t from = origin->t - s->L, more = reach(s);
    size_t cells = (size_t)(s->L * s->C);
    memcpy(to->filled, origin->rows->filled + from * s->C, cells * sizeof(float));
    memcpy(to->missing, origin->rows->missing + from * s->C, cells);
    memset(to->missing + cells, 0, (size_t)(more * s->C));
    if (!s->K)
        return;
    memcpy(to->covariates, origin->rows->covariates + from * s->K,
           (size_t)((s->L + s->H) * s->K) * sizeof(float));
    memset(to->covariates + (s->L + s->H) * s->K, 0,
           (size_t)((more - s->H) * s->K) * sizeof(float));
}

static void read_on(const elman_forecast_shape *s, const float *answer, int64_t i, int64_t first,
                    const elman_forecast_rows *rows)
{
    for (int64_t a = 0; a < s->ahead; a++)
        for (int64_t c = 0; c < s->C; c++)
            rows->filled[(s->L + first + a) * s->C + c] =
                answer[((i * s->C + c) * s->ahead + a) * s->heads];
}

static void count_targets(const elman_forecast_shape *s, int64_t n,
                          const elman_forecast_buffer *buffer, uint64_t *count)
{
    for (int64_t i = 0; i < n * s->C * s->ahead; i++)
        *count += buffer->weights[i] > 0.0F;
}

elman_status elman_forecast_answer(const elman_forecast_network *network, elman_tape *tape,
                                   const elman_forecast_origin *origins, int64_t n,
                                   elman_forecast_answers *answers, double *loss, uint64_t *count,
                                   elman_error *error)
{
    const elman_forecast_shape *s = &network->shape;
    int64_t B = n * s->sequences;
    for (int64_t i = 0; s->stepwise && i < n; i++) {
        elman_forecast_rows rows = own_rows(s, i, answers);
        copy_window(s, &origins[i], &rows);
    }
    for (int64_t first = 0; first < s->H; first += s->ahead) {
        const float *answer;
        for (int64_t i = 0; i < n; i++) {
            elman_forecast_rows rows = *origins[i].rows;
            int64_t t = origins[i].t;
            if (s->stepwise) {
                rows = own_rows(s, i, answers);
                t = s->L + first;
            }
            for (int64_t c = 0; c < s->sequences; c++) {
                elman_forecast_put(s, &answers->buffer, B, i * s->sequences + c, &rows, t, c);
                if (loss && first == 0)
                    elman_forecast_put_targets(s, &answers->buffer, i * s->sequences + c,
                                               origins[i].rows, origins[i].t, c);
            }
        }
        if (loss && first == 0)
            count_targets(s, n, &answers->buffer, count);
        ELMAN_TRY(run(network, tape, B, answers, first == 0 ? loss : NULL, &answer, error));
        take(network, answer, n, first, answers);
        for (int64_t i = 0; s->stepwise && i < n; i++) {
            elman_forecast_rows rows = own_rows(s, i, answers);
            read_on(s, answer, i, first, &rows);
        }
    }
    return ELMAN_OK;
}
