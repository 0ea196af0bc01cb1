/* loss = mean((a - b)^2);  da = dloss * 2/n * (a - b);  db = -da */
#include "base/pool.h"
#include "elman/op.h"
#include "op/share.h"

typedef struct squared_node {
    elman_node node;
    elman_var *a, *b, *loss;
    float *difference; /* a - b, [n] */
    double *blocks;    /* sums of squares, a block each */
    size_t n;
} squared_node;

static void difference_share(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    const squared_node *s = argument;
    for (size_t block = begin; block < end; block++) {
        size_t at = block * ELMAN_REDUCE_BLOCK;
        size_t n = s->n - at < ELMAN_REDUCE_BLOCK ? s->n - at : ELMAN_REDUCE_BLOCK;
        kernels->math->subtract(s->difference + at, s->a->value.data + at, s->b->value.data + at,
                                n);
        s->blocks[block] = kernels->math->sum_squares_block(s->difference + at, n);
    }
}

static size_t blocks_of(size_t n)
{
    return n / ELMAN_REDUCE_BLOCK + (n % ELMAN_REDUCE_BLOCK != 0);
}

static void reduce_job(const elman_crew *crew, void *argument)
{
    (void)crew;
    const squared_node *s = argument;
    double sum = 0.0;
    for (size_t i = 0; i < blocks_of(s->n); i++)
        sum += s->blocks[i];
    s->loss->value.data[0] = elman_flush((float)(sum / (double)s->n));
}

typedef struct squared_flow {
    const squared_node *s;
    double sign;
    float *d;
    bool add;
} squared_flow;

static void backward_share(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    const squared_flow *flow = argument;
    const squared_node *s = flow->s;
    float factor = (float)(flow->sign * 2.0 * (double)s->loss->gradient[0] / (double)s->n);
    kernels->math->scale(flow->d + begin, s->difference + begin, factor, end - begin, flow->add);
}

static void flow_to(elman_tape *tape, const squared_node *s, elman_var *operand, double sign)
{
    if (!operand->needs_gradient)
        return;
    squared_flow flow = {.s = s, .sign = sign};
    flow.d = elman_tape_gradient(tape, operand, &flow.add);
    elman_share(tape, s->n, 1, backward_share, &flow);
}

static void squared_backward(elman_tape *tape, elman_node *node)
{
    const squared_node *s = (squared_node *)node;
    if (!s->loss->gradient)
        return;
    flow_to(tape, s, s->b, -1.0);
    flow_to(tape, s, s->a, 1.0);
}

elman_var *elman_mean_squared_error(elman_tape *tape, elman_var *a, elman_var *b)
{
    if (!a || !b || elman_tape_failed(tape))
        return NULL;
    if (!elman_same_shape(a, b)) {
        elman_tape_fail(tape, ELMAN_ERROR_SHAPE,
                        "mean squared error: the shapes are %s and %s, expected the same",
                        elman_shape_print(a).text, elman_shape_print(b).text);
        return NULL;
    }
    bool recorded = elman_wants_gradient(tape, a, b);
    size_t n = (size_t)elman_tensor_count(&a->value);
    elman_var *loss = elman_tape_var(tape, 0, NULL, recorded);
    float *difference = elman_tape_floats(tape, n);
    double *blocks = elman_tape_take(tape, blocks_of(n), sizeof *blocks);
    if (!blocks)
        return NULL;
    squared_node made = {.a = a, .b = b, .loss = loss, .difference = difference, .n = n};
    made.blocks = blocks;
    elman_share(tape, blocks_of(n), ELMAN_REDUCE_BLOCK, difference_share, &made);
    elman_pool_run_on(tape->context, 1, reduce_job, &made);
    if (!recorded)
        return loss;
    squared_node *s = elman_tape_node(tape, sizeof *s, "mean squared error", squared_backward);
    if (!s)
        return NULL;
    made.node = s->node;
    *s = made;
    return loss;
}
