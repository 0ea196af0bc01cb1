/* y = x W^T + b        x [...,K], W [O,K], b [O], y [...,O]
 * dx = dy W            dW += dy^T x, db += sum of dy's rows, the last step's rows first */
#include <inttypes.h>

#include "op/op.h"
#include "op/product.h"
#include "op/share.h"

typedef struct linear_node {
    elman_node node;
    elman_var *x, *y;
    elman_parameter *w, *b;
    const elman_sequences *sequences;
} linear_node;

typedef struct linear_forward {
    elman_weight weight;
    elman_product_rows product;
} linear_forward;

static void forward_job(const elman_crew *crew, void *argument)
{
    const linear_forward *f = argument;
    elman_weight_fill(crew, &f->weight);
    if (f->weight.stale)
        elman_crew_wait(crew);
    elman_product_rows_shared(crew, f->weight.kernels, &f->product);
}

typedef struct linear_backward {
    const elman_kernels *kernels;
    elman_weight weight;      /* of dx */
    elman_product_rows dx;    /* b is NULL where it is not wanted */
    elman_product_columns dw; /* c and sums are NULL where they are not wanted */
    float *scratch;
    float *flowed; /* what dx is to be added to, or NULL */
} linear_backward;

static void backward_job(const elman_crew *crew, void *argument)
{
    const linear_backward *f = argument;
    const elman_product_kernels *kernels = f->kernels->product;
    if (f->dx.b) {
        elman_weight_fill(crew, &f->weight);
        if (f->weight.stale)
            elman_crew_wait(crew);
        elman_product_rows_shared(crew, kernels, &f->dx);
    }
    if (f->dw.c || f->dw.sums)
        elman_product_columns_shared(crew, kernels, &f->dw, f->scratch);
    if (f->flowed) {
        size_t begin, end;
        elman_crew_wait(crew);
        elman_crew_share(crew, f->dx.m * f->dx.n, 16, &begin, &end);
        if (begin < end)
            f->kernels->math->accumulate(f->flowed + begin, f->dx.c.base + begin, end - begin);
    }
}

/* Last of the preparations: whoever finds a stale copy must come to fill it. */
static bool prepare_dx(elman_tape *tape, const linear_node *l, linear_backward *f)
{
    bool add;
    float *dx = elman_tape_gradient(tape, l->x, &add);
    if (add) {
        f->flowed = dx;
        dx = elman_tape_floats(tape, f->dx.m * f->dx.n);
    }
    if (!dx)
        return false;
    f->dx.c = elman_rows_mutable_at(dx, (ptrdiff_t)f->dx.n);
    f->weight = elman_weight_find(tape, l->w, ELMAN_PACK_COLUMNS);
    f->dx.b = f->weight.packed;
    return f->dx.b != NULL;
}

static bool prepare_dw(elman_tape *tape, const linear_node *l, int threads, linear_backward *f)
{
    size_t rows = f->dw.k, O = f->dw.m, K = f->dw.n;
    size_t *order = elman_last_steps_first(tape, l->sequences, rows);
    const float **dy = elman_rows_in_order(tape, order, rows, l->y->gradient, O);
    const float **x = elman_rows_in_order(tape, order, rows, l->x->value.data, K);
    f->scratch = elman_tape_floats(
        tape, elman_product_columns_floats(f->kernels->product, O, K, rows, threads));
    f->dw.a = elman_rows_from(dy);
    f->dw.b = elman_rows_from(x);
    f->dw.c = l->w->gradient;
    f->dw.sums = l->b ? l->b->gradient : NULL;
    if (!f->dw.c)
        f->dw.n = 0;
    return f->scratch != NULL;
}

static void linear_backward_run(elman_tape *tape, elman_node *node)
{
    const linear_node *l = (linear_node *)node;
    size_t rows = elman_row_count(l->x), K = elman_row_width(l->x), O = elman_row_width(l->y);
    const float *dy = elman_var_gradient(l->y);
    if (!dy || rows == 0)
        return;
    int threads = elman_product_threads(tape, rows, O, K);
    linear_backward f = {.kernels = elman_kernels_of(tape->context)};
    f.dx = (elman_product_rows){.m = rows, .k = O, .n = K, .a = elman_rows_at(dy, (ptrdiff_t)O)};
    f.dw = (elman_product_columns){.k = rows, .m = O, .n = K, .ldc = K, .keep = true};
    if ((l->w->gradient || (l->b && l->b->gradient)) && !prepare_dw(tape, l, threads, &f))
        return;
    if (l->x->needs_gradient && !prepare_dx(tape, l, &f))
        return;
    elman_pool_run_on(tape->context, threads, backward_job, &f);
}

/* Whether the shapes fit; the tape fails where they don't. */
static bool check(elman_tape *tape, const elman_var *x, const elman_parameter *w,
                  const elman_parameter *b, const elman_sequences *sequences)
{
    if (x->value.rank < 1 || w->value.rank < 1 || w->value.rank > 2 ||
        x->value.shape[x->value.rank - 1] != elman_weight_inputs(w)) {
        elman_tape_fail(tape, ELMAN_ERROR_SHAPE,
                        "linear: x is %s, expected [.., %" PRId64 "] for the weight %s",
                        elman_shape_print(x).text, w->value.rank > 0 ? elman_weight_inputs(w) : 0,
                        w->name);
        return false;
    }
    if (b && (b->value.rank != 1 || b->value.shape[0] != elman_weight_outputs(w))) {
        elman_tape_fail(tape, ELMAN_ERROR_SHAPE,
                        "linear: the bias %s does not have the %" PRId64 " elements of the weight "
                        "%s's rows",
                        b->name, elman_weight_outputs(w), w->name);
        return false;
    }
    if (sequences && (int64_t)elman_row_count(x) != sequences->N) {
        elman_tape_fail(tape, ELMAN_ERROR_SHAPE,
                        "linear: x is %s, expected %" PRId64 " packed rows",
                        elman_shape_print(x).text, sequences->N);
        return false;
    }
    return true;
}

elman_var *elman_op_linear(elman_tape *tape, elman_var *x, elman_parameter *w, elman_parameter *b,
                           const elman_sequences *sequences)
{
    if (!x || elman_tape_failed(tape) || !check(tape, x, w, b, sequences))
        return NULL;
    size_t rows = elman_row_count(x), K = elman_row_width(x), O = (size_t)elman_weight_outputs(w);
    int64_t shape[ELMAN_MAX_RANK];
    memcpy(shape, x->value.shape, sizeof shape);
    shape[x->value.rank - 1] = elman_weight_outputs(w);
    bool recorded = tape->mode.record && (x->needs_gradient || w->gradient || (b && b->gradient));
    elman_var *y = elman_tape_var(tape, x->value.rank, shape, recorded);
    if (!y)
        return NULL;
    linear_forward f = {.weight = elman_weight_find(tape, w, ELMAN_PACK_ROWS)};
    if (!f.weight.packed)
        return NULL;
    f.product = (elman_product_rows){.m = rows,
                                     .k = K,
                                     .n = O,
                                     .a = elman_rows_at(x->value.data, (ptrdiff_t)K),
                                     .b = f.weight.packed,
                                     .c = elman_rows_mutable_at(y->value.data, (ptrdiff_t)O),
                                     .initial = b ? ELMAN_PRODUCT_BIAS : ELMAN_PRODUCT_ZERO,
                                     .bias = b ? b->value.data : NULL};
    elman_pool_run_on(tape->context, elman_product_threads(tape, rows, O, K), forward_job, &f);
    if (!recorded)
        return y;
    linear_node *l = elman_tape_node(tape, sizeof *l, "linear", linear_backward_run);
    if (!l)
        return NULL;
    l->node.parameter = w;
    *l = (linear_node){l->node, x, y, w, b, sequences};
    return y;
}
