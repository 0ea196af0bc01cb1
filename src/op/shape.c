/* The same elements in another shape or order of steps. */
#include <inttypes.h>
#include <string.h>

#include "elman/op.h"
#include "op/share.h"

elman_var *elman_steps(elman_tape *tape, elman_var *x, int64_t begin, int64_t end)
{
    if (!x || elman_tape_failed(tape))
        return NULL;
    if (x->value.rank < 1 || begin < 0 || begin > end || end > x->value.shape[0]) {
        elman_tape_fail(tape, ELMAN_ERROR_SHAPE,
                        "steps: %" PRId64 " to %" PRId64 " asked of the shape %s", begin, end,
                        elman_shape_print(x).text);
        return NULL;
    }
    int64_t shape[ELMAN_MAX_RANK], width = 1;
    memcpy(shape, x->value.shape, sizeof shape);
    shape[0] = end - begin;
    for (int i = 1; i < x->value.rank; i++)
        width *= shape[i];
    return elman_tape_alias(tape, x, begin * width, x->value.rank, shape);
}

elman_var *elman_reshape(elman_tape *tape, elman_var *x, int rank, const int64_t *shape)
{
    if (!x || elman_tape_failed(tape))
        return NULL;
    elman_var *y = elman_tape_alias(tape, x, 0, rank, shape);
    if (y && elman_tensor_count(&y->value) != elman_tensor_count(&x->value)) {
        elman_tape_fail(tape, ELMAN_ERROR_SHAPE,
                        "reshape: %s has %" PRId64 " elements, %s has %" PRId64,
                        elman_shape_print(x).text, elman_tensor_count(&x->value),
                        elman_shape_print(y).text, elman_tensor_count(&y->value));
        return NULL;
    }
    return y;
}

typedef struct swap_node {
    elman_node node;
    elman_var *x, *y; /* [P,Q,F], [Q,P,F] */
} swap_node;

/* to[q,p,:] (+)= from[p,q,:] for the rows begin..end-1 of `to` [Q,P,F]. */
typedef struct swap_work {
    const float *from;
    float *to;
    size_t P, Q, F;
    bool add;
} swap_work;

static void swap_share(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    (void)kernels;
    const swap_work *w = argument;
    for (size_t row = begin; row < end; row++) {
        size_t q = row / w->P, p = row % w->P;
        elman_put_row(w->F, w->from + (p * w->Q + q) * w->F, w->add, w->to + row * w->F);
    }
}

static void swap(elman_tape *tape, const elman_var *like, const float *from, bool add, float *to)
{
    swap_work w = {.from = from, .to = to, .F = 1, .add = add};
    w.P = (size_t)like->value.shape[0];
    w.Q = (size_t)like->value.shape[1];
    for (int i = 2; i < like->value.rank; i++)
        w.F *= (size_t)like->value.shape[i];
    elman_share(tape, w.P * w.Q, w.F, swap_share, &w);
}

static void swap_backward(elman_tape *tape, elman_node *node)
{
    swap_node *s = (swap_node *)node;
    if (!s->y->gradient)
        return;
    bool add;
    float *dx = elman_tape_gradient(tape, s->x, &add);
    if (dx)
        swap(tape, s->y, s->y->gradient, add, dx);
}

elman_var *elman_swap_steps(elman_tape *tape, elman_var *x)
{
    if (!x || elman_tape_failed(tape))
        return NULL;
    if (x->value.rank < 2) {
        elman_tape_fail(tape, ELMAN_ERROR_SHAPE, "swap steps: the shape is %s, expected [B, T, ..]",
                        elman_shape_print(x).text);
        return NULL;
    }
    int64_t shape[ELMAN_MAX_RANK];
    memcpy(shape, x->value.shape, sizeof shape);
    shape[0] = x->value.shape[1];
    shape[1] = x->value.shape[0];
    bool recorded = elman_wants_gradient(tape, x, NULL);
    elman_var *y = elman_tape_var(tape, x->value.rank, shape, recorded);
    if (!y)
        return NULL;
    swap(tape, x, x->value.data, false, y->value.data);
    if (!recorded)
        return y;
    swap_node *s = elman_tape_node(tape, sizeof *s, "swap steps", swap_backward);
    if (!s)
        return NULL;
    s->x = x;
    s->y = y;
    return y;
}
