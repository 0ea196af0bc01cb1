/* y = gain * xhat + bias, xhat = (x - mean) / sqrt(variance + epsilon), row by row
 * (Ba et al. 2016, equation 4). */
#include <inttypes.h>

#include "base/pool.h"
#include "op/op.h"
#include "op/share.h"

typedef struct layer_norm_node {
    elman_node node;
    elman_parameter *gain, *bias; /* NULL: 1, 0 */
    const elman_sequences *s;     /* NULL: row i is step i */
    elman_var *x, *y;
    float *mean, *inverse; /* [rows] */
} layer_norm_node;

static const float epsilon = 1e-5F; /* PyTorch's */

static void forward_share(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    const layer_norm_node *l = argument;
    size_t F = elman_row_width(l->x);
    for (size_t i = begin; i < end; i++)
        kernels->math->layer_norm_row(l->y->value.data + i * F, l->x->value.data + i * F,
                                      l->gain ? l->gain->value.data : NULL,
                                      l->bias ? l->bias->value.data : NULL, F, epsilon, &l->mean[i],
                                      &l->inverse[i]);
}

typedef struct layer_norm_flow {
    const layer_norm_node *l;
    float *dx;
    bool add;
} layer_norm_flow;

static void backward_share(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    const layer_norm_flow *flow = argument;
    const layer_norm_node *l = flow->l;
    size_t F = elman_row_width(l->x);
    for (size_t i = begin; i < end; i++)
        kernels->math->layer_norm_row_backward(
            flow->dx + i * F, l->y->gradient + i * F, l->x->value.data + i * F,
            l->gain ? l->gain->value.data : NULL, F, l->mean[i], l->inverse[i], flow->add);
}

static void continue_chains(const elman_kernels *kernels, const layer_norm_node *l, size_t row,
                            size_t begin, size_t end)
{
    size_t at = row * elman_row_width(l->x) + begin;
    float *dgain = l->gain ? l->gain->gradient : NULL, *dbias = l->bias ? l->bias->gradient : NULL;
    kernels->math->layer_norm_row_gradients(
        dgain ? dgain + begin : NULL, dbias ? dbias + begin : NULL, l->y->gradient + at,
        l->x->value.data + at, end - begin, l->mean[row], l->inverse[row]);
}

/* Columns begin..end-1 of dgain and dbias: the last step first, within a step as packed. */
static void gradients_share(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    const layer_norm_node *l = argument;
    if (!l->s) {
        for (size_t row = elman_row_count(l->x); row-- > 0;)
            continue_chains(kernels, l, row, begin, end);
        return;
    }
    for (int64_t t = l->s->T - 1; t >= 0; t--)
        for (int64_t row = l->s->offsets[t]; row < l->s->offsets[t + 1]; row++)
            continue_chains(kernels, l, (size_t)row, begin, end);
}

static void layer_norm_backward(elman_tape *tape, elman_node *node)
{
    layer_norm_node *l = (layer_norm_node *)node;
    if (!l->y->gradient)
        return;
    size_t rows = elman_row_count(l->x), F = elman_row_width(l->x);
    if (l->x->needs_gradient) {
        layer_norm_flow flow = {.l = l};
        flow.dx = elman_tape_gradient(tape, l->x, &flow.add);
        elman_share(tape, rows, F, backward_share, &flow);
    }
    if ((l->gain && l->gain->gradient) || (l->bias && l->bias->gradient))
        elman_share(tape, F, rows, gradients_share, l);
}

/* A gain or bias of F elements, or none. */
static bool fits(elman_tape *tape, const elman_parameter *p, size_t F)
{
    if (!p || elman_tensor_count(&p->value) == (int64_t)F)
        return true;
    elman_tape_fail(tape, ELMAN_ERROR_SHAPE,
                    "layer norm: %s has %" PRId64 " elements, expected %zu", p->name,
                    elman_tensor_count(&p->value), F);
    return false;
}

elman_var *elman_op_layer_norm(elman_tape *tape, elman_var *x, elman_parameter *gain,
                               elman_parameter *bias, const elman_sequences *s)
{
    if (!x || elman_tape_failed(tape))
        return NULL;
    if (x->value.rank < 1 || (s && (int64_t)elman_row_count(x) != s->N)) {
        elman_tape_fail(tape, ELMAN_ERROR_SHAPE,
                        "layer norm: the shape is %s, expected %" PRId64 " rows",
                        elman_shape_print(x).text, s ? s->N : 1);
        return NULL;
    }
    size_t rows = elman_row_count(x), F = elman_row_width(x);
    if (!fits(tape, gain, F) || !fits(tape, bias, F))
        return NULL;
    bool recorded = tape->mode.record &&
                    (x->needs_gradient || (gain && gain->gradient) || (bias && bias->gradient));
    elman_var *y = elman_tape_var(tape, x->value.rank, x->value.shape, recorded);
    float *mean = elman_tape_floats(tape, rows);
    float *inverse = elman_tape_floats(tape, rows);
    if (!inverse)
        return NULL;
    layer_norm_node made = {.gain = gain, .bias = bias, .s = s, .x = x, .y = y};
    made.mean = mean;
    made.inverse = inverse;
    elman_share(tape, rows, F, forward_share, &made);
    if (!recorded)
        return y;
    layer_norm_node *l = elman_tape_node(tape, sizeof *l, "layer norm", layer_norm_backward);
    if (!l)
        return NULL;
    made.node = l->node;
    made.node.parameter = gain;
    *l = made;
    return y;
}
