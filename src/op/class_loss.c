/* With p_i = softmax(logits_i), y the row's target, w the weights, e the smoothing:
 *   l_i  = (1-e) * w_y * -log p_iy + e/V * sum over v of w_v * -log p_iv
 *   loss = scale * sum of l_i  [/ sum of w_y]
 *   dlogits_iv = f * (q_i p_iv - q_iv),  q_iv = (1-e) * w_y * [v = y] + e/V * w_v,  q_i = sum of
 * q_iv, f = dloss * scale [/ sum of w_y]; zero rows where ignored */
#include <float.h>
#include <inttypes.h>
#include <math.h>

#include "base/float_environment.h"
#include "base/pool.h"
#include "elman/op.h"
#include "op/share.h"

typedef struct class_node {
    elman_node node;
    elman_class_loss_options options;
    const int32_t *targets;
    elman_var *logits, *loss;
    double spread;        /* e/V */
    double weight_of_all; /* sum of w_v */
    double divisor;       /* sum of w_y */
    double *nats;         /* [rows] -log p_y */
    double *losses;       /* [rows]; nats where there is neither weight nor smoothing */
    double plain;         /* sum of nats */
} class_node;

void elman_class_loss_options_default(elman_class_loss_options *options)
{
    *options = (elman_class_loss_options){
        .size = sizeof *options, .reduction = ELMAN_REDUCTION_MEAN, .scale = 1.0};
}

static double weight_of(const class_node *c, size_t v)
{
    return c->options.weights ? (double)c->options.weights[v] : 1.0;
}

/* sum over v of w_v * -log p_v */
static double spread_loss(const class_node *c, const elman_math_kernels *math, const float *logits,
                          size_t V)
{
    double all = math->log_sum_exp(logits, V), sum = 0.0;
    for (size_t v = 0; v < V; v++)
        sum += weight_of(c, v) * (all - (double)logits[v]);
    return sum;
}

static void forward_share(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    const class_node *c = argument;
    const double e = c->options.smoothing;
    size_t V = elman_row_width(c->logits);
    for (size_t i = begin; i < end; i++) {
        const float *logits = c->logits->value.data + i * V;
        if (c->targets[i] == ELMAN_IGNORE_TARGET) {
            c->nats[i] = c->losses[i] = 0.0;
            continue;
        }
        size_t y = (size_t)c->targets[i];
        c->nats[i] = kernels->math->cross_entropy_loss(logits, V, y);
        if (c->losses == c->nats)
            continue;
        c->losses[i] = (1.0 - e) * weight_of(c, y) * c->nats[i];
        if (e > 0.0)
            c->losses[i] += c->spread * spread_loss(c, kernels->math, logits, V);
    }
}

static void reduce_job(const elman_crew *crew, void *argument)
{
    (void)crew;
    class_node *c = argument;
    double sum = 0.0;
    size_t rows = elman_row_count(c->logits);
    c->plain = c->divisor = 0.0;
    for (size_t i = 0; i < rows; i++) {
        sum += c->losses[i];
        c->plain += c->nats[i];
        if (c->targets[i] != ELMAN_IGNORE_TARGET)
            c->divisor += weight_of(c, (size_t)c->targets[i]);
    }
    if (c->options.reduction == ELMAN_REDUCTION_MEAN)
        sum /= c->divisor; /* 0/0: NaN */
    c->loss->value.data[0] = elman_flush((float)(sum * c->options.scale));
}

typedef struct class_flow {
    const class_node *c;
    float *dlogits, *row; /* row: [rows][V], where dlogits is to be added to */
    bool add;
} class_flow;

/* f * (q_i p_v - q_v), from the logits to their gradient. */
static void smoothed_row(const class_node *c, const elman_math_kernels *math, size_t V, size_t y,
                         double factor, float *row)
{
    const double own = (1.0 - c->options.smoothing) * weight_of(c, y);
    const double all = own + c->spread * c->weight_of_all;
    math->softmax_row(row, row, V);
    for (size_t v = 0; v < V; v++) {
        double q = c->spread * weight_of(c, v) + (v == y ? own : 0.0);
        row[v] = elman_flush((float)(factor * (all * (double)row[v] - q)));
    }
}

static void backward_share(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    const class_flow *flow = argument;
    const class_node *c = flow->c;
    size_t V = elman_row_width(c->logits);
    double factor = (double)c->loss->gradient[0] * c->options.scale;
    if (c->options.reduction == ELMAN_REDUCTION_MEAN)
        factor /= c->divisor;
    for (size_t i = begin; i < end; i++) {
        float *d = flow->dlogits + i * V, *row = flow->add ? flow->row + i * V : d;
        if (c->targets[i] == ELMAN_IGNORE_TARGET) {
            if (!flow->add)
                memset(d, 0, V * sizeof *d);
            continue;
        }
        size_t y = (size_t)c->targets[i];
        memcpy(row, c->logits->value.data + i * V, V * sizeof *row);
        if (c->options.smoothing > 0.0)
            smoothed_row(c, kernels->math, V, y, factor, row);
        else
            kernels->math->cross_entropy_row(row, V, y, (float)(factor * weight_of(c, y)));
        if (flow->add)
            kernels->math->accumulate(d, row, V);
    }
}

static void class_backward(elman_tape *tape, elman_node *node)
{
    const class_node *c = (class_node *)node;
    if (!c->loss->gradient)
        return;
    size_t rows = elman_row_count(c->logits), V = elman_row_width(c->logits);
    class_flow flow = {.c = c};
    flow.dlogits = elman_tape_gradient(tape, c->logits, &flow.add);
    if (flow.add)
        flow.row = elman_tape_floats(tape, rows * V);
    elman_share(tape, rows, V, backward_share, &flow);
}

static bool check_options(elman_tape *tape, const elman_class_loss_options *o, size_t V)
{
    if (o->size != sizeof *o)
        elman_tape_fail(tape, ELMAN_ERROR_ARGUMENT,
                        "class loss: the size of its options is %zu, expected %zu", o->size,
                        sizeof *o);
    else if (!(o->smoothing >= 0.0 && o->smoothing <= 1.0))
        elman_tape_fail(tape, ELMAN_ERROR_ARGUMENT, "class loss: smoothing is %g, expected 0 to 1",
                        o->smoothing);
    else if (!isfinite(o->scale))
        elman_tape_fail(tape, ELMAN_ERROR_ARGUMENT,
                        "class loss: scale is %g, expected a finite number", o->scale);
    for (size_t v = 0; !elman_tape_failed(tape) && o->weights && v < V; v++)
        if (!(o->weights[v] >= 0.0F && o->weights[v] <= FLT_MAX))
            elman_tape_fail(tape, ELMAN_ERROR_ARGUMENT,
                            "class loss: the weight of class %zu is %g, expected a finite number "
                            "of at least 0",
                            v, (double)o->weights[v]);
    return !elman_tape_failed(tape);
}

static bool check_targets(elman_tape *tape, const int32_t *targets, size_t rows, size_t V)
{
    for (size_t i = 0; i < rows; i++)
        if (targets[i] != ELMAN_IGNORE_TARGET && (targets[i] < 0 || (size_t)targets[i] >= V)) {
            elman_tape_fail(tape, ELMAN_ERROR_DATA,
                            "class loss: target %zu is %" PRId32
                            ", expected 0 to %zu, or %d for none",
                            i, targets[i], V - 1, ELMAN_IGNORE_TARGET);
            return false;
        }
    return true;
}

/* What does not depend on the rows. */
static void prepare(class_node *c, size_t V)
{
    elman_float_environment modes = elman_float_begin();
    c->spread = c->options.smoothing / (double)V;
    for (size_t v = 0; c->options.weights && v < V; v++)
        c->weight_of_all += (double)c->options.weights[v];
    if (!c->options.weights)
        c->weight_of_all = (double)V;
    elman_float_end(modes);
}

elman_var *elman_class_loss(elman_tape *tape, elman_var *logits, const int32_t *targets,
                            const elman_class_loss_options *options, double *sum)
{
    if (!logits || elman_tape_failed(tape))
        return NULL;
    if (logits->value.rank < 1 || elman_row_width(logits) < 1) {
        elman_tape_fail(tape, ELMAN_ERROR_SHAPE,
                        "class loss: the shape is %s, expected [.., V] with V at least 1",
                        elman_shape_print(logits).text);
        return NULL;
    }
    size_t rows = elman_row_count(logits), V = elman_row_width(logits);
    class_node made = {.targets = targets, .logits = logits};
    elman_class_loss_options_default(&made.options);
    if (options)
        made.options = *options;
    if (!check_options(tape, &made.options, V) || !check_targets(tape, targets, rows, V))
        return NULL;
    bool recorded = elman_wants_gradient(tape, logits, NULL);
    made.loss = elman_tape_var(tape, 0, NULL, recorded);
    made.nats = elman_tape_take(tape, rows, sizeof *made.nats);
    made.losses = made.options.weights || made.options.smoothing > 0.0
                      ? elman_tape_take(tape, rows, sizeof *made.losses)
                      : made.nats;
    if (!made.losses)
        return NULL;
    prepare(&made, V);
    elman_share(tape, rows, V, forward_share, &made);
    elman_pool_run_on(tape->context, 1, reduce_job, &made);
    if (sum)
        *sum = made.plain;
    if (!recorded)
        return made.loss;
    class_node *c = elman_tape_node(tape, sizeof *c, "class loss", class_backward);
    if (!c)
        return NULL;
    made.node = c->node;
    *c = made;
    return c->loss;
}
