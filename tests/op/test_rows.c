/* Rows by number: values, gradients with rows used often, once and never, PyTorch's figures, bits.
 */
#include "reading_case.h"

#include <math.h>

enum { USES = 9 };

static const int32_t chosen[USES] = {2, -1, 0, 2, 2, 4, -1, 0, 2}; /* never 1 and 3 */

static void formula(const double *const *in, double *out, const gradient_case *c)
{
    int64_t F = c->inputs[0].shape[1];
    for (int64_t i = 0; i < USES; i++)
        for (int64_t f = 0; f < F; f++)
            out[i * F + f] = (chosen[i] < 0 ? 0.0 : in[0][chosen[i] * F + f]) *
                             (c->count > 1 ? in[1][i * F + f] : 1.0);
}

static elman_var *build(elman_tape *tape, elman_var **vars, elman_parameter **parameters,
                        const void *user)
{
    (void)parameters;
    (void)user;
    elman_var *y = elman_rows(tape, vars[0], chosen, USES);
    return vars[1] ? elman_multiply(tape, y, vars[1]) : y;
}

static void formulas(void **state)
{
    (void)state;
    static const int64_t widths[] = {1, 7, 16, 33};
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        gradient_case c = {.name = "rows", .build = build, .formula = formula};
        c.inputs[0] = (gradient_input){2, {5, widths[i]}, false};
        c.inputs[1] = (gradient_input){2, {USES, widths[i]}, false};
        for (c.count = 1; c.count <= 2; c.count++)
            assert_true(gradient_check(&c));
    }
}

static void figure(elman_tape *tape, golden *file, const char *prefix)
{
    elman_var *x = figure_leaf(tape, file, prefix, "x");
    int64_t n = golden_find(file, prefix, "y")->shape[0];
    elman_var *y = elman_rows(tape, x, golden_integers(file, prefix, "rows"), n);
    figure_agrees(file, prefix, "y", y);
    assert_int_equal(elman_tape_backward(tape, gradient_weigh(tape, y), NULL), ELMAN_OK);
    figure_gradient_agrees(file, prefix, "d.x", x);
}

static void figures(void **state)
{
    (void)state;
    if (!for_each_figure("rows", 3, "x", figure))
        skip();
}

/* The chain of every row of x, by its definition: what was there, then the last use first, each sum
 * flushed; and -1 gives +0. */
static void chains(elman_context *context, elman_tape *tape)
{
    (void)context;
    enum { R = 83, F = 131, n = 700 };
    int32_t *rows = calloc(n, sizeof *rows);
    for (int32_t i = 0; i < n; i++)
        rows[i] = i % 11 == 3 ? -1 : (i * i * 7 + i) % (R - 5);
    float *x = random_floats(R * F, 1), *dy = random_floats(n * F, 2);
    for (int before = 0; before < 2; before++) {
        elman_tape_begin(tape, NULL);
        elman_var *leaf = elman_tape_leaf(tape, 2, (int64_t[]){R, F}, x);
        elman_var *y = elman_rows(tape, leaf, rows, n);
        float *want = calloc(R * F, sizeof *want);
        elman_var *loss = given_gradient(tape, y, dy);
        if (before) { /* recorded last, so its gradient is there first */
            elman_var *also = elman_rows(tape, leaf, rows, R);
            elman_var *other = given_gradient(tape, also, dy);
            loss = elman_add(tape, loss, other);
            for (int i = R - 1; i >= 0; i--)
                for (int f = 0; rows[i] >= 0 && f < F; f++)
                    want[rows[i] * F + f] += dy[i * F + f];
        }
        for (int i = n - 1; i >= 0; i--)
            for (int f = 0; rows[i] >= 0 && f < F; f++)
                want[rows[i] * F + f] += dy[i * F + f];
        for (int i = 0; i < n; i++)
            for (int f = 0; f < F; f++)
                assert_true(y->value.data[i * F + f] == (rows[i] < 0 ? 0.0F : x[rows[i] * F + f]));
        assert_int_equal(elman_tape_backward(tape, loss, NULL), ELMAN_OK);
        assert_true(compare_varied(elman_var_gradient(leaf), R * F));
        assert_true(compare_bits(elman_var_gradient(leaf), want, R * F));
        free(want);
    }
    free(rows);
    free(x);
    free(dy);
}

static void bits(void **state)
{
    (void)state;
    for_each_context(chains);
}

static void refused(elman_context *context, elman_tape *tape)
{
    (void)context;
    static const float data[12] = {1};
    const int32_t high[2] = {0, 3}, low[2] = {-2, 0};
    elman_error error;
    for (int i = 0; i < 2; i++) {
        elman_tape_begin(tape, NULL);
        elman_var *x = elman_tape_leaf(tape, 2, (int64_t[]){3, 4}, data);
        assert_null(elman_rows(tape, NULL, high, 2));
        assert_null(elman_rows(tape, x, i ? low : high, 2));
        assert_int_equal(elman_tape_status(tape, &error), ELMAN_ERROR_DATA);
        assert_string_equal(error.message, i ? "rows: row 0 is -2, expected 0 to 2, or -1 for none"
                                             : "rows: row 1 is 3, expected 0 to 2, or -1 for none");
    }
    elman_tape_begin(tape, NULL);
    assert_null(elman_rows(tape, elman_tape_leaf(tape, 1, (int64_t[]){3}, data), high, 1));
    assert_int_equal(elman_tape_status(tape, NULL), ELMAN_ERROR_SHAPE);
    elman_tape_begin(tape, NULL);
    elman_var *x = elman_tape_leaf(tape, 2, (int64_t[]){3, 4}, data);
    elman_var *y = elman_rows(tape, x, NULL, 0);
    assert_int_equal(y->value.shape[0], 0);
    assert_int_equal(elman_tape_backward(tape, gradient_weigh(tape, y), NULL), ELMAN_OK);
    for (int i = 0; i < 12; i++)
        assert_true(!elman_var_gradient(x) || elman_var_gradient(x)[i] == 0.0F);
}

static void refused_everywhere(void **state)
{
    (void)state;
    for_each_context(refused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formulas),
        cmocka_unit_test(figures),
        cmocka_unit_test(bits),
        cmocka_unit_test(refused_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
