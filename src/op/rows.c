/* y_i = x[rows_i], or +0 where rows_i is -1;  dx[r] = sum of dy_i over the i with rows_i = r, the
 * last first. */
#include <inttypes.h>

#include "elman/op.h"
#include "op/share.h"

typedef struct rows_node {
    elman_node node;
    const int32_t *rows;
    elman_var *x, *y;
    size_t *begins; /* [R+1] where each row of x begins in uses */
    size_t *uses;   /* rows of y by the row of x that they came from, the last first */
} rows_node;

static void forward_share(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    (void)kernels;
    const rows_node *n = argument;
    size_t F = elman_row_width(n->y);
    for (size_t i = begin; i < end; i++)
        if (n->rows[i] < 0)
            memset(n->y->value.data + i * F, 0, F * sizeof(float));
        else
            memcpy(n->y->value.data + i * F, n->x->value.data + (size_t)n->rows[i] * F,
                   F * sizeof(float));
}

typedef struct rows_flow {
    const rows_node *n;
    float *dx;
    bool add;
} rows_flow;

/* Rows begin..end-1 of x. */
static void backward_share(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    (void)kernels;
    const rows_flow *flow = argument;
    const rows_node *n = flow->n;
    size_t F = elman_row_width(n->y);
    for (size_t r = begin; r < end; r++) {
        float *dx = flow->dx + r * F;
        bool add = flow->add;
        for (size_t u = n->begins[r]; u < n->begins[r + 1]; u++, add = true)
            elman_put_row(F, n->y->gradient + n->uses[u] * F, add, dx);
        if (!add)
            memset(dx, 0, F * sizeof *dx);
    }
}

static void rows_backward(elman_tape *tape, elman_node *node)
{
    const rows_node *n = (rows_node *)node;
    if (!n->y->gradient)
        return;
    rows_flow flow = {.n = n};
    flow.dx = elman_tape_gradient(tape, n->x, &flow.add);
    size_t R = elman_row_count(n->x), count = elman_row_count(n->y);
    if (flow.dx && R > 0)
        elman_share(tape, R, elman_row_width(n->y) * (1 + count / R), backward_share, &flow);
}

/* A counting sort of the rows of y by the row of x. */
static bool find_uses(elman_tape *tape, rows_node *n)
{
    size_t R = elman_row_count(n->x), count = elman_row_count(n->y);
    n->begins = elman_tape_take(tape, R + 1, sizeof *n->begins);
    n->uses = elman_tape_take(tape, count, sizeof *n->uses);
    if (!n->uses)
        return false;
    memset(n->begins, 0, (R + 1) * sizeof *n->begins);
    for (size_t i = 0; i < count; i++)
        if (n->rows[i] >= 0)
            n->begins[n->rows[i]]++;
    size_t end = 0;
    for (size_t r = 0; r <= R; r++) {
        end += n->begins[r];
        n->begins[r] = end;
    }
    for (size_t i = 0; i < count; i++)
        if (n->rows[i] >= 0)
            n->uses[--n->begins[n->rows[i]]] = i;
    return true;
}

elman_var *elman_rows(elman_tape *tape, elman_var *x, const int32_t *rows, int64_t n)
{
    if (!x || elman_tape_failed(tape))
        return NULL;
    if (x->value.rank != 2 || n < 0) {
        elman_tape_fail(tape, ELMAN_ERROR_SHAPE,
                        "rows: %" PRId64 " asked of the shape %s, expected at least 0 of [R, F]", n,
                        elman_shape_print(x).text);
        return NULL;
    }
    int64_t R = x->value.shape[0];
    for (int64_t i = 0; i < n; i++)
        if (rows[i] < -1 || rows[i] >= R) {
            elman_tape_fail(tape, ELMAN_ERROR_DATA,
                            "rows: row %" PRId64 " is %" PRId32 ", expected 0 to %" PRId64
                            ", or -1 for none",
                            i, rows[i], R - 1);
            return NULL;
        }
    bool recorded = elman_wants_gradient(tape, x, NULL);
    rows_node made = {.rows = rows, .x = x};
    made.y = elman_tape_var(tape, 2, (int64_t[]){n, x->value.shape[1]}, recorded);
    if (!made.y)
        return NULL;
    elman_share(tape, (size_t)n, elman_row_width(x), forward_share, &made);
    if (!recorded)
        return made.y;
    rows_node *node = elman_tape_node(tape, sizeof *node, "rows", rows_backward);
    if (!node || !find_uses(tape, &made))
        return NULL;
    made.node = node->node;
    *node = made;
    return made.y;
}
