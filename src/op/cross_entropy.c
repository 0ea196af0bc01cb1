/* loss = scale * sum over rows i of -log softmax(logits_i)[target_i]
 * dlogits = dloss * scale * (softmax(logits) - onehot(target)), zero rows where ignored */
#include <inttypes.h>

#include "base/pool.h"
#include "elman/op.h"
#include "op/share.h"

typedef struct cross_entropy_node {
    elman_node node;
    elman_reduction reduction;
    int64_t counted; /* targets that are not ignored */
    const int32_t *targets;
    elman_var *logits, *loss;
    double *nats; /* [rows] while forward runs */
} cross_entropy_node;

static void forward_share(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    const cross_entropy_node *c = argument;
    size_t V = elman_row_width(c->logits);
    for (size_t i = begin; i < end; i++)
        c->nats[i] = c->targets[i] == ELMAN_IGNORE_TARGET
                         ? 0.0
                         : kernels->math->cross_entropy_loss(c->logits->value.data + i * V, V,
                                                             (size_t)c->targets[i]);
}

static void reduce_job(const elman_crew *crew, void *argument)
{
    (void)crew;
    const cross_entropy_node *c = argument;
    double sum = 0.0;
    size_t rows = elman_row_count(c->logits);
    for (size_t i = 0; i < rows; i++)
        sum += c->nats[i];
    if (c->reduction == ELMAN_REDUCTION_MEAN)
        sum /= (double)c->counted; /* 0/0: NaN */
    c->loss->value.data[0] = elman_flush((float)sum);
}

typedef struct cross_entropy_flow {
    const cross_entropy_node *c;
    float *dlogits, *row; /* row: [rows][V], where dlogits is to be added to */
    bool add;
} cross_entropy_flow;

static void backward_share(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    const cross_entropy_flow *flow = argument;
    const cross_entropy_node *c = flow->c;
    size_t V = elman_row_width(c->logits);
    float scale = c->loss->gradient[0];
    if (c->reduction == ELMAN_REDUCTION_MEAN)
        scale = (float)((double)scale / (double)c->counted);
    for (size_t i = begin; i < end; i++) {
        float *d = flow->dlogits + i * V, *row = flow->add ? flow->row + i * V : d;
        if (c->targets[i] != ELMAN_IGNORE_TARGET) {
            memcpy(row, c->logits->value.data + i * V, V * sizeof *row);
            kernels->math->cross_entropy_row(row, V, (size_t)c->targets[i], scale);
            if (flow->add)
                kernels->math->accumulate(d, row, V);
        } else if (!flow->add) {
            memset(d, 0, V * sizeof *d);
        }
    }
}

static void cross_entropy_backward(elman_tape *tape, elman_node *node)
{
    const cross_entropy_node *c = (cross_entropy_node *)node;
    if (!c->loss->gradient)
        return;
    size_t rows = elman_row_count(c->logits), V = elman_row_width(c->logits);
    cross_entropy_flow flow = {.c = c};
    flow.dlogits = elman_tape_gradient(tape, c->logits, &flow.add);
    if (flow.add)
        flow.row = elman_tape_floats(tape, rows * V);
    elman_share(tape, rows, V, backward_share, &flow);
}

/* How many targets count; -1, and the tape fails, where one is out of range. */
static int64_t count_targets(elman_tape *tape, const int32_t *targets, size_t rows, size_t V)
{
    int64_t counted = 0;
    for (size_t i = 0; i < rows; i++) {
        if (targets[i] == ELMAN_IGNORE_TARGET)
            continue;
        if (targets[i] < 0 || (size_t)targets[i] >= V) {
            elman_tape_fail(tape, ELMAN_ERROR_DATA,
                            "cross entropy: target %zu is %" PRId32
                            ", expected 0 to %zu, or %d for none",
                            i, targets[i], V - 1, ELMAN_IGNORE_TARGET);
            return -1;
        }
        counted++;
    }
    return counted;
}

elman_var *elman_cross_entropy(elman_tape *tape, elman_var *logits, const int32_t *targets,
                               elman_reduction reduction)
{
    if (!logits || elman_tape_failed(tape))
        return NULL;
    if (logits->value.rank < 1 || elman_row_width(logits) < 1) {
        elman_tape_fail(tape, ELMAN_ERROR_SHAPE,
                        "cross entropy: the shape is %s, expected [.., V] with V at least 1",
                        elman_shape_print(logits).text);
        return NULL;
    }
    size_t rows = elman_row_count(logits), V = elman_row_width(logits);
    int64_t counted = count_targets(tape, targets, rows, V);
    if (counted < 0)
        return NULL;
    bool recorded = elman_wants_gradient(tape, logits, NULL);
    elman_var *loss = elman_tape_var(tape, 0, NULL, recorded);
    double *nats = elman_tape_take(tape, rows, sizeof *nats);
    if (!nats)
        return NULL;
    cross_entropy_node made = {.reduction = reduction, .counted = counted, .targets = targets};
    made.logits = logits;
    made.loss = loss;
    made.nats = nats;
    elman_share(tape, rows, V, forward_share, &made);
    elman_pool_run_on(tape->context, 1, reduce_job, &made);
    if (!recorded)
        return loss;
    cross_entropy_node *c =
        elman_tape_node(tape, sizeof *c, "cross entropy", cross_entropy_backward);
    if (!c)
        return NULL;
    made.node = c->node;
    *c = made;
    return loss;
}
