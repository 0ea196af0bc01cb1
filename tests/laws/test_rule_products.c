/* Products: one output element is one chain of fused multiply-adds in ascending k from its initial
 * value; k is never padded, and no cut, width or thread changes it. */
#include "laws.h"
#include "op/op.h"

typedef struct product {
    size_t rows, K, O;
    bool bias;
    float *x, *w, *b, *dy, *y, *dx, *dw, *db; /* the last four: what is wanted */
} product;

static void check(elman_context *context, void *user)
{
    const product *p = user;
    const size_t rows = p->rows, K = p->K, O = p->O;
    elman_parameter *w = law_parameter(context, "w", O, K, p->w);
    elman_parameter *b = p->bias ? law_parameter(context, "b", O, 0, p->b) : NULL;
    elman_tape *tape = law_tape(context);
    elman_var *x = elman_tape_leaf(tape, 2, (int64_t[]){(int64_t)rows, (int64_t)K}, p->x);
    elman_var *y = elman_op_linear(tape, x, w, b, NULL);
    law_ok(tape);
    law_flow(tape, y, p->dy);
    law_backward(tape);
    law_same(context, "x W^T + b", y->value.data, p->y, rows * O);
    law_same(context, "dy W", elman_var_gradient(x), p->dx, rows * K);
    law_same(context, "dy^T x", w->gradient, p->dw, O * K);
    if (b)
        law_same(context, "sum of dy", b->gradient, p->db, O);
    elman_tape_free(tape);
    elman_parameter_free(b);
    elman_parameter_free(w);
}

static void run(size_t rows, size_t K, size_t O, bool bias)
{
    product p = {rows, K, O, bias, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL};
    p.x = law_numbers(rows * K, rows + K);
    p.w = law_numbers(O * K, K + O);
    p.b = law_numbers(O, O);
    p.dy = law_numbers(rows * O, rows + O + 1);
    p.y = law_zeros(rows * O);
    p.dx = law_zeros(rows * K);
    p.dw = law_zeros(O * K);
    p.db = law_zeros(O);
    for (size_t r = 0; r < rows; r++)
        for (size_t o = 0; o < O; o++) {
            float sum = bias ? p.b[o] : 0.0F;
            for (size_t k = 0; k < K; k++)
                sum = fmaf(p.x[r * K + k], p.w[o * K + k], sum);
            p.y[r * O + o] = sum;
            for (size_t k = 0; k < K; k++)
                p.dx[r * K + k] = fmaf(p.dy[r * O + o], p.w[o * K + k], p.dx[r * K + k]);
        }
    for (size_t r = rows; r-- > 0;) /* the last row is the last step */
        for (size_t o = 0; o < O; o++) {
            p.db[o] += p.dy[r * O + o];
            for (size_t k = 0; k < K; k++)
                p.dw[o * K + k] = fmaf(p.dy[r * O + o], p.x[r * K + k], p.dw[o * K + k]);
        }
    law_each(check, &p);
    float *all[] = {p.x, p.w, p.b, p.dy, p.y, p.dx, p.dw, p.db};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

/* Every width and its neighbours, long chains that are cut into blocks, many rows and columns. */
static void test_shapes(void **state)
{
    (void)state;
    const size_t sizes[] = {1, 3, 7, 8, 15, 16, 17, 33, 65, 67};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        run(sizes[i], sizes[9 - i], sizes[(i * 3 + 1) % 10], i % 2 == 0);
    run(1, 300, 67, true);
    run(3, 2100, 5, true);
    run(131, 129, 70, true);
    run(17, 37, 1031, false);
    run(1030, 19, 23, true);
}

/* An infinity must not meet padding: 0 * inf would be NaN. */
static void test_no_padding(void **state)
{
    (void)state;
    product p = {5, 3, 5, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL};
    float x[15], w[15], b[5] = {0}, dy[25], y[25], dx[15], dw[15], db[5];
    for (int i = 0; i < 15; i++) {
        x[i] = INFINITY;
        w[i] = 1.0F;
        dx[i] = 5.0F;
        dw[i] = INFINITY;
    }
    for (int i = 0; i < 25; i++) {
        dy[i] = 1.0F;
        y[i] = INFINITY;
    }
    for (int i = 0; i < 5; i++)
        db[i] = 5.0F;
    p.x = x, p.w = w, p.b = b, p.dy = dy, p.y = y, p.dx = dx, p.dw = dw, p.db = db;
    law_each(check, &p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_no_padding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
