/* loss = scale * sum of w_i l_i [/ sum of w_i];  dp_ic = dloss * scale [/ sum of w] * w_i *
 * dl_i/dp_ic
 *
 * The losses l and their slopes, in double but for exp, log and sigmoid (e = p - y, s the log
 * variance, Q quantiles q):
 *   squared    e^2                                2e
 *   absolute   |e|                                sign e
 *   Huber      e^2/2, delta * (|e| - delta/2)     e, delta * sign e
 *   binary     max(p,0) - p*y + log(1+exp(-|p|))  sigmoid(p) - y
 *   quantile   mean of max(-q*e, (1-q)*e)         -q/Q where e < 0, (1-q)/Q where e > 0
 *   Gaussian   (s + e^2 * exp(-s))/2              e * exp(-s), (1 - e^2 * exp(-s))/2 */
#include <float.h>
#include <inttypes.h>
#include <math.h>

#include "base/pool.h"
#include "elman/op.h"
#include "op/share.h"

enum {
    CHUNK = 256, /* rows whose functions are computed together; whole lanes */
    LANES = 16
};

typedef struct element_node {
    elman_node node;
    elman_element_loss_options options;
    const float *targets, *weights;
    elman_var *prediction, *loss;
    size_t n, C;
    double *blocks; /* [blocks][2] sums of w*l and of w */
    double sum, divisor;
} element_node;

void elman_element_loss_options_default(elman_element_loss_options *options)
{
    *options = (elman_element_loss_options){.size = sizeof *options,
                                            .kind = ELMAN_LOSS_SQUARED,
                                            .delta = 1.0,
                                            .reduction = ELMAN_REDUCTION_MEAN,
                                            .scale = 1.0};
}

static double weight_of(const element_node *e, size_t row)
{
    return e->weights ? (double)e->weights[row] : 1.0;
}

/* -- one row ----------------------------------------------------------------------------------- */

/* log(1 + x), x in 0..1, from u = 1 + x rounded and its logarithm (Higham 2002, section 1.14.1). */
static double log_one_plus(float x, float u, float log_u)
{
    return u > 1.0F ? (double)log_u * (double)x / ((double)u - 1.0) : (double)x;
}

/* function: of the row, see prepare_losses. */
static double loss_of(const element_node *n, size_t row, const float function[2])
{
    const float *p = n->prediction->value.data + row * n->C;
    const double y = (double)n->targets[row], e = (double)p[0] - y, delta = n->options.delta;
    double sum = 0.0;
    switch (n->options.kind) {
    case ELMAN_LOSS_SQUARED:
        return e * e;
    case ELMAN_LOSS_ABSOLUTE:
        return fabs(e);
    case ELMAN_LOSS_HUBER:
        return fabs(e) <= delta ? 0.5 * e * e : delta * (fabs(e) - 0.5 * delta);
    case ELMAN_LOSS_BINARY:
        return (p[0] < 0.0F ? 0.0 : (double)p[0]) - (double)p[0] * y +
               log_one_plus(function[0], 1.0F + function[0], function[1]);
    case ELMAN_LOSS_QUANTILE:
        for (size_t c = 0; c < n->C; c++) {
            double q = (double)n->options.quantiles[c], below = y - (double)p[c];
            sum += (below > 0.0 ? q : q - 1.0) * below;
        }
        return sum / (double)n->C;
    case ELMAN_LOSS_GAUSSIAN:
        return 0.5 * ((double)p[1] + e * e * (double)function[0]);
    }
    return 0.0;
}

/* high where e > 0, low where e < 0; else e, which is 0 or NaN. */
static double step_at_zero(double e, double low, double high)
{
    return e > 0.0 ? high : e < 0.0 ? low : e;
}

/* function: of the row, see prepare_slopes. */
static double slope_of(const element_node *n, size_t row, size_t c, float function)
{
    const float *p = n->prediction->value.data + row * n->C;
    const double y = (double)n->targets[row], delta = n->options.delta;
    double e = (double)p[0] - y, q;
    switch (n->options.kind) {
    case ELMAN_LOSS_SQUARED:
        return 2.0 * e;
    case ELMAN_LOSS_ABSOLUTE:
        return step_at_zero(e, -1.0, 1.0);
    case ELMAN_LOSS_HUBER:
        return fabs(e) <= delta ? e : step_at_zero(e, -delta, delta);
    case ELMAN_LOSS_BINARY:
        return (double)function - y;
    case ELMAN_LOSS_QUANTILE:
        q = (double)n->options.quantiles[c];
        return step_at_zero((double)p[c] - y, -q, 1.0 - q) / (double)n->C;
    case ELMAN_LOSS_GAUSSIAN:
        return c == 0 ? e * (double)function : 0.5 * (1.0 - e * e * (double)function);
    }
    return 0.0;
}

/* -- many rows --------------------------------------------------------------------------------- */

/* exp(-s) of `rows` rows from `row` on. */
static void precisions(const element_node *e, const elman_math_kernels *math, size_t row,
                       size_t rows, float *out)
{
    for (size_t i = 0; i < rows; i++)
        out[i] = -e->prediction->value.data[(row + i) * 2 + 1];
    math->exp(out, out, rows);
}

/* Binary: exp(-|p|) and log(1 + that); Gaussian: exp(-s). */
static void prepare_losses(const element_node *e, const elman_math_kernels *math, size_t row,
                           size_t rows, float functions[2][CHUNK])
{
    if (e->options.kind == ELMAN_LOSS_GAUSSIAN)
        precisions(e, math, row, rows, functions[0]);
    if (e->options.kind != ELMAN_LOSS_BINARY)
        return;
    for (size_t i = 0; i < rows; i++)
        functions[0][i] = -fabsf(e->prediction->value.data[row + i]);
    math->exp(functions[0], functions[0], rows);
    for (size_t i = 0; i < rows; i++)
        functions[1][i] = 1.0F + functions[0][i];
    math->log(functions[1], functions[1], rows);
}

/* Binary: sigmoid(p); Gaussian: exp(-s). */
static void prepare_slopes(const element_node *e, const elman_math_kernels *math, size_t row,
                           size_t rows, float function[CHUNK])
{
    if (e->options.kind == ELMAN_LOSS_BINARY)
        math->sigmoid(function, e->prediction->value.data + row, rows);
    if (e->options.kind == ELMAN_LOSS_GAUSSIAN)
        precisions(e, math, row, rows, function);
}

static double add_lanes(double lanes[LANES])
{
    for (size_t half = LANES / 2; half > 0; half /= 2)
        for (size_t i = 0; i < half; i++)
            lanes[i] += lanes[i + half];
    return lanes[0];
}

static void block_sums(const element_node *e, const elman_math_kernels *math, size_t block)
{
    double losses[LANES] = {0.0}, weights[LANES] = {0.0};
    float functions[2][CHUNK] = {{0.0F}};
    size_t first = block * ELMAN_REDUCE_BLOCK;
    size_t end = e->n - first < ELMAN_REDUCE_BLOCK ? e->n : first + ELMAN_REDUCE_BLOCK;
    for (size_t row = first; row < end; row += CHUNK) {
        size_t rows = end - row < CHUNK ? end - row : CHUNK;
        prepare_losses(e, math, row, rows, functions);
        for (size_t i = 0; i < rows; i++) {
            double w = weight_of(e, row + i);
            if (w > 0.0) {
                const float function[2] = {functions[0][i], functions[1][i]};
                losses[i % LANES] += w * loss_of(e, row + i, function);
                weights[i % LANES] += w;
            }
        }
    }
    e->blocks[2 * block] = add_lanes(losses);
    e->blocks[2 * block + 1] = add_lanes(weights);
}

static void forward_share(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    for (size_t block = begin; block < end; block++)
        block_sums(argument, kernels->math, block);
}

static size_t blocks_of(size_t n)
{
    return n / ELMAN_REDUCE_BLOCK + (n % ELMAN_REDUCE_BLOCK != 0);
}

static void reduce_job(const elman_crew *crew, void *argument)
{
    (void)crew;
    element_node *e = argument;
    double weights = 0.0;
    e->sum = 0.0;
    for (size_t i = 0; i < blocks_of(e->n); i++) {
        e->sum += e->blocks[2 * i];
        weights += e->blocks[2 * i + 1];
    }
    /* Where all weights are 0 so is the sum. */
    e->divisor = e->options.reduction == ELMAN_REDUCTION_MEAN && weights > 0.0 ? weights : 1.0;
    e->loss->value.data[0] = elman_flush((float)(e->sum / e->divisor * e->options.scale));
}

typedef struct element_flow {
    const element_node *e;
    float *d;
    bool add;
} element_flow;

static void backward_share(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    const element_flow *flow = argument;
    const element_node *e = flow->e;
    const double factor = (double)e->loss->gradient[0] * e->options.scale / e->divisor;
    float functions[CHUNK] = {0.0F};
    for (size_t row = begin; row < end; row += CHUNK) {
        size_t rows = end - row < CHUNK ? end - row : CHUNK;
        prepare_slopes(e, kernels->math, row, rows, functions);
        for (size_t i = 0; i < rows; i++) {
            const double w = weight_of(e, row + i);
            float *d = flow->d + (row + i) * e->C;
            for (size_t c = 0; c < e->C; c++) {
                float flowed = 0.0F;
                if (w > 0.0)
                    flowed =
                        elman_flush((float)(factor * w * slope_of(e, row + i, c, functions[i])));
                d[c] = flow->add ? elman_flush(d[c] + flowed) : flowed;
            }
        }
    }
}

static void element_backward(elman_tape *tape, elman_node *node)
{
    const element_node *e = (element_node *)node;
    if (!e->loss->gradient)
        return;
    element_flow flow = {.e = e};
    flow.d = elman_tape_gradient(tape, e->prediction, &flow.add);
    elman_share(tape, e->n, e->C, backward_share, &flow);
}

/* -- what is given ----------------------------------------------------------------------------- */

static bool check_options(elman_tape *tape, const elman_element_loss_options *o)
{
    if (o->size != sizeof *o)
        elman_tape_fail(tape, ELMAN_ERROR_ARGUMENT,
                        "element loss: the size of its options is %zu, expected %zu", o->size,
                        sizeof *o);
    else if ((int)o->kind < ELMAN_LOSS_SQUARED || (int)o->kind > ELMAN_LOSS_GAUSSIAN)
        elman_tape_fail(tape, ELMAN_ERROR_ARGUMENT, "element loss: kind is %d, expected %d to %d",
                        (int)o->kind, ELMAN_LOSS_SQUARED, ELMAN_LOSS_GAUSSIAN);
    else if (o->kind == ELMAN_LOSS_HUBER && !(o->delta > 0.0 && isfinite(o->delta)))
        elman_tape_fail(tape, ELMAN_ERROR_ARGUMENT,
                        "element loss: delta is %g, expected a finite number above 0", o->delta);
    else if (!isfinite(o->scale))
        elman_tape_fail(tape, ELMAN_ERROR_ARGUMENT,
                        "element loss: scale is %g, expected a finite number", o->scale);
    else if (o->kind == ELMAN_LOSS_QUANTILE && (o->quantile_count < 1 || !o->quantiles))
        elman_tape_fail(tape, ELMAN_ERROR_ARGUMENT,
                        "element loss: %" PRId64 " quantiles, expected at least 1",
                        o->quantiles ? o->quantile_count : 0);
    if (elman_tape_failed(tape) || o->kind != ELMAN_LOSS_QUANTILE)
        return !elman_tape_failed(tape);
    for (int64_t i = 0; i < o->quantile_count; i++)
        if (!(o->quantiles[i] >= 0.0F && o->quantiles[i] <= 1.0F)) {
            elman_tape_fail(tape, ELMAN_ERROR_ARGUMENT,
                            "element loss: quantile %" PRId64 " is %g, expected 0 to 1", i,
                            (double)o->quantiles[i]);
            return false;
        }
    return true;
}

static bool check_weights(elman_tape *tape, const float *weights, size_t n)
{
    for (size_t i = 0; weights && i < n; i++)
        if (!(weights[i] >= 0.0F && weights[i] <= FLT_MAX)) {
            elman_tape_fail(
                tape, ELMAN_ERROR_DATA,
                "element loss: weight %zu is %g, expected a finite number of at least 0", i,
                (double)weights[i]);
            return false;
        }
    return true;
}

elman_var *elman_element_loss(elman_tape *tape, elman_var *prediction, const float *targets,
                              const float *weights, const elman_element_loss_options *options,
                              double *sum)
{
    if (!prediction || elman_tape_failed(tape))
        return NULL;
    element_node made = {.targets = targets, .weights = weights, .prediction = prediction, .C = 1};
    elman_element_loss_options_default(&made.options);
    if (options)
        made.options = *options;
    if (!check_options(tape, &made.options))
        return NULL;
    if (made.options.kind == ELMAN_LOSS_QUANTILE)
        made.C = (size_t)made.options.quantile_count;
    if (made.options.kind == ELMAN_LOSS_GAUSSIAN)
        made.C = 2;
    if (made.C > 1 && (prediction->value.rank < 1 || elman_row_width(prediction) != made.C)) {
        elman_tape_fail(tape, ELMAN_ERROR_SHAPE,
                        "element loss: the prediction is %s, expected [.., %zu]",
                        elman_shape_print(prediction).text, made.C);
        return NULL;
    }
    made.n = (size_t)elman_tensor_count(&prediction->value) / made.C;
    if (!check_weights(tape, weights, made.n))
        return NULL;
    bool recorded = elman_wants_gradient(tape, prediction, NULL);
    made.loss = elman_tape_var(tape, 0, NULL, recorded);
    made.blocks = elman_tape_take(tape, blocks_of(made.n), 2 * sizeof *made.blocks);
    if (!made.blocks)
        return NULL;
    elman_share(tape, blocks_of(made.n), ELMAN_REDUCE_BLOCK * made.C, forward_share, &made);
    elman_pool_run_on(tape->context, 1, reduce_job, &made);
    if (sum)
        *sum = made.sum;
    if (!recorded)
        return made.loss;
    element_node *e = elman_tape_node(tape, sizeof *e, "element loss", element_backward);
    if (!e)
        return NULL;
    made.node = e->node;
    *e = made;
    return e->loss;
}
