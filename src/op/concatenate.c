/* Side by side along the last dimension, and parts of it. */
#include <inttypes.h>
#include <string.h>

#include "elman/op.h"
#include "op/share.h"

/* Columns move between two matrices of as many rows. */
typedef struct columns_work {
    size_t width; /* columns that move */
    const float *from;
    size_t from_stride;
    float *to;
    size_t to_stride;
    bool add;
} columns_work;

static void columns_share(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    (void)kernels;
    const columns_work *w = argument;
    for (size_t row = begin; row < end; row++)
        elman_put_row(w->width, w->from + row * w->from_stride, w->add, w->to + row * w->to_stride);
}

typedef struct concatenate_node {
    elman_node node;
    elman_var *y;
    int count;
    elman_var **parts;
} concatenate_node;

/* d part_i += its columns of dy; the last part first. */
static void concatenate_backward(elman_tape *tape, elman_node *node)
{
    concatenate_node *c = (concatenate_node *)node;
    if (!c->y->gradient)
        return;
    size_t F = elman_row_width(c->y), column = F;
    for (int i = c->count - 1; i >= 0; i--) {
        columns_work w = {.width = elman_row_width(c->parts[i]), .from_stride = F};
        column -= w.width;
        if (!c->parts[i]->needs_gradient)
            continue;
        w.from = c->y->gradient + column;
        w.to = elman_tape_gradient(tape, c->parts[i], &w.add);
        w.to_stride = w.width;
        elman_share(tape, elman_row_count(c->y), w.width, columns_share, &w);
    }
}

/* The shape of the result in *to; false, and the tape fails, where there is none. */
static bool fits(elman_tape *tape, elman_var *const *parts, int count, elman_tensor *to)
{
    *to = (elman_tensor){.rank = parts[0]->value.rank};
    memcpy(to->shape, parts[0]->value.shape, sizeof to->shape);
    int last = to->rank - 1;
    for (int i = 0; i < count; i++) {
        bool same = last >= 0 && parts[i]->value.rank == to->rank;
        for (int d = 0; same && d < last; d++)
            same = parts[i]->value.shape[d] == to->shape[d];
        if (same && i > 0)
            same = !__builtin_add_overflow(to->shape[last], parts[i]->value.shape[last],
                                           &to->shape[last]);
        if (!same) {
            elman_tape_fail(tape, ELMAN_ERROR_SHAPE,
                            "concatenate: part %d is %s, the first is %s; expected the same but "
                            "for the last dimension",
                            i, elman_shape_print(parts[i]).text, elman_shape_print(parts[0]).text);
            return false;
        }
    }
    return true;
}

elman_var *elman_concatenate(elman_tape *tape, elman_var *const *parts, int count)
{
    if (elman_tape_failed(tape))
        return NULL;
    if (count < 1) {
        elman_tape_fail(tape, ELMAN_ERROR_ARGUMENT, "concatenate: %d parts, expected at least 1",
                        count);
        return NULL;
    }
    bool recorded = false;
    for (int i = 0; i < count; i++) {
        if (!parts[i])
            return NULL;
        recorded = recorded || elman_wants_gradient(tape, parts[i], NULL);
    }
    elman_tensor to;
    if (!fits(tape, parts, count, &to))
        return NULL;
    elman_var *y = elman_tape_var(tape, to.rank, to.shape, recorded);
    if (!y)
        return NULL;
    size_t column = 0;
    for (int i = 0; i < count; i++) {
        size_t width = elman_row_width(parts[i]);
        columns_work w = {.width = width, .from = parts[i]->value.data, .from_stride = width};
        w.to = y->value.data + column;
        w.to_stride = elman_row_width(y);
        elman_share(tape, elman_row_count(y), width, columns_share, &w);
        column += width;
    }
    if (!recorded)
        return y;
    concatenate_node *c = elman_tape_node(tape, sizeof *c, "concatenate", concatenate_backward);
    elman_var **kept = elman_tape_take(tape, (size_t)count, sizeof(elman_var *));
    if (!kept)
        return NULL;
    memcpy(kept, parts, (size_t)count * sizeof(elman_var *));
    c->y = y;
    c->count = count;
    c->parts = kept;
    return y;
}

typedef struct slice_node {
    elman_node node;
    elman_var *x, *y;
    size_t begin;
} slice_node;

static void slice_backward(elman_tape *tape, elman_node *node)
{
    slice_node *s = (slice_node *)node;
    if (!s->y->gradient)
        return;
    bool add;
    float *dx = elman_tape_gradient(tape, s->x, &add);
    if (!dx)
        return;
    size_t F = elman_row_width(s->x), width = elman_row_width(s->y), rows = elman_row_count(s->x);
    if (!add)
        memset(dx, 0, rows * F * sizeof *dx);
    columns_work w = {width, s->y->gradient, width, dx + s->begin, F, add};
    elman_share(tape, rows, width, columns_share, &w);
}

elman_var *elman_slice(elman_tape *tape, elman_var *x, int64_t begin, int64_t end)
{
    if (!x || elman_tape_failed(tape))
        return NULL;
    int rank = x->value.rank;
    if (rank < 1 || begin < 0 || begin > end || end > x->value.shape[rank - 1]) {
        elman_tape_fail(tape, ELMAN_ERROR_SHAPE,
                        "slice: %" PRId64 " to %" PRId64 " asked of the shape %s", begin, end,
                        elman_shape_print(x).text);
        return NULL;
    }
    int64_t shape[ELMAN_MAX_RANK];
    memcpy(shape, x->value.shape, sizeof shape);
    shape[rank - 1] = end - begin;
    bool recorded = elman_wants_gradient(tape, x, NULL);
    elman_var *y = elman_tape_var(tape, rank, shape, recorded);
    if (!y)
        return NULL;
    size_t width = elman_row_width(y);
    columns_work w = {.width = width, .from = x->value.data + begin, .to = y->value.data};
    w.from_stride = elman_row_width(x);
    w.to_stride = width;
    elman_share(tape, elman_row_count(x), width, columns_share, &w);
    if (!recorded)
        return y;
    slice_node *s = elman_tape_node(tape, sizeof *s, "slice", slice_backward);
    if (!s)
        return NULL;
    s->x = x;
    s->y = y;
    s->begin = (size_t)begin;
    return y;
}
