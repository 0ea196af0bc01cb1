/* Every small operation against its formula in double, values and gradients, and the same bits
 * for 1, 2, 3 and 8 threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "elman/op.h"
#include "gradient_check.h"
#include "op/op.h"

/* Sizes around the vector widths, primes, 1 and 0. */
static const int64_t sizes[] = {0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 61};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* --- element by element ------------------------------------------------------------------- */

typedef struct pointwise {
    const char *name;
    elman_var *(*two)(elman_tape *, elman_var *, elman_var *);
    elman_var *(*one)(elman_tape *, elman_var *);
    double (*f)(double, double);
} pointwise;

static double f_add(double a, double b)
{
    return a + b;
}
static double f_subtract(double a, double b)
{
    return a - b;
}
static double f_multiply(double a, double b)
{
    return a * b;
}
static double f_tanh(double a, double b)
{
    (void)b;
    return tanh(a);
}
static double f_sigmoid(double a, double b)
{
    (void)b;
    return 1 / (1 + exp(-a));
}
static double f_relu(double a, double b)
{
    (void)b;
    return a > 0 ? a : 0;
}
static double f_scale(double a, double b)
{
    (void)b;
    return -1.75 * a;
}
static elman_var *scale(elman_tape *tape, elman_var *a)
{
    return elman_scale(tape, a, -1.75F);
}

static const pointwise pointwises[] = {
    {"add", elman_add, NULL, f_add},
    {"subtract", elman_subtract, NULL, f_subtract},
    {"multiply", elman_multiply, NULL, f_multiply},
    {"scale", NULL, scale, f_scale},
    {"tanh", NULL, elman_tanh, f_tanh},
    {"sigmoid", NULL, elman_sigmoid, f_sigmoid},
    {"relu", NULL, elman_relu, f_relu},
};

static elman_var *build_pointwise(elman_tape *tape, elman_var **v, elman_parameter **p,
                                  const void *user)
{
    (void)p;
    const pointwise *kind = user;
    return kind->two ? kind->two(tape, v[0], v[1]) : kind->one(tape, v[0]);
}

static void formula_pointwise(const double *const *in, double *out, const gradient_case *c)
{
    const pointwise *kind = c->user;
    for (int64_t i = 0; i < gradient_elements(c, 0); i++)
        out[i] = kind->f(in[0][i], kind->two ? in[1][i] : 0);
}

static void pointwise_operations(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof pointwises / sizeof *pointwises; k++) {
        gradient_case c = {.name = pointwises[k].name, .count = pointwises[k].two ? 2 : 1};
        c.build = build_pointwise;
        c.user = &pointwises[k];
        for (int s = 0; s < SIZES; s++) {
            c.formula = formula_pointwise;
            c.inputs[0] = (gradient_input){.rank = 1, .shape = {sizes[s]}};
            c.inputs[1] = c.inputs[0];
            assert_true(gradient_check(&c));
        }
        c.formula = NULL; /* several blocks of 4,096 */
        c.inputs[0] = (gradient_input){.rank = 3, .shape = {7, 31, 83}};
        c.inputs[1] = c.inputs[0];
        assert_true(gradient_check(&c));
    }
}

/* x*x + x, x used three times. */
static elman_var *build_reused(elman_tape *tape, elman_var **v, elman_parameter **p,
                               const void *user)
{
    (void)p, (void)user;
    return elman_add(tape, elman_multiply(tape, v[0], v[0]), v[0]);
}

static void formula_reused(const double *const *in, double *out, const gradient_case *c)
{
    for (int64_t i = 0; i < gradient_elements(c, 0); i++)
        out[i] = in[0][i] * in[0][i] + in[0][i];
}

static void a_value_used_more_than_once(void **state)
{
    (void)state;
    gradient_case c = {.name = "x*x + x", .count = 1, .inputs = {{.rank = 1, .shape = {19}}}};
    c.build = build_reused;
    c.formula = formula_reused;
    assert_true(gradient_check(&c));
}

/* --- shapes ------------------------------------------------------------------------------- */

/* [a | b | a][..., 1:-1], a and b tanh'ed first so that gradients are not constants. */
static elman_var *build_columns(elman_tape *tape, elman_var **v, elman_parameter **p,
                                const void *user)
{
    (void)p, (void)user;
    elman_var *parts[3] = {elman_tanh(tape, v[0]), elman_tanh(tape, v[1]), NULL};
    parts[2] = parts[0];
    elman_var *all = elman_concatenate(tape, parts, 3);
    return elman_slice(tape, all, 1, all->value.shape[all->value.rank - 1] - 1);
}

static void formula_columns(const double *const *in, double *out, const gradient_case *c)
{
    int64_t last = c->inputs[0].rank - 1, A = c->inputs[0].shape[last],
            B = c->inputs[1].shape[last], rows = gradient_elements(c, 0) / A, at = 0;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t k = 1; k < 2 * A + B - 1; k++)
            out[at++] = tanh(k < A       ? in[0][r * A + k]
                             : k < A + B ? in[1][r * B + k - A]
                                         : in[0][r * A + k - A - B]);
}

static void columns_side_by_side(void **state)
{
    (void)state;
    gradient_case c = {.name = "columns", .count = 2};
    c.build = build_columns;
    for (int64_t a = 1; a < 18; a += 5) {
        c.formula = formula_columns;
        c.inputs[0] = (gradient_input){.rank = 3, .shape = {2, 3, a}};
        c.inputs[1] = (gradient_input){.rank = 3, .shape = {2, 3, 7}};
        assert_true(gradient_check(&c));
    }
    c.formula = NULL;
    c.inputs[0] = (gradient_input){.rank = 2, .shape = {301, 47}};
    c.inputs[1] = (gradient_input){.rank = 2, .shape = {301, 5}};
    assert_true(gradient_check(&c));
}

/* x [P,Q,F] -> steps 1.. of the swapped [Q,P,F], as [.., P*F], times the same of x itself swapped
 * anew: views, copies and reuse in one. */
static elman_var *build_steps(elman_tape *tape, elman_var **v, elman_parameter **p,
                              const void *user)
{
    (void)p, (void)user;
    elman_var *s = elman_swap_steps(tape, v[0]);
    int64_t Q = s->value.shape[0], P = s->value.shape[1], F = s->value.shape[2];
    elman_var *later =
        elman_reshape(tape, elman_steps(tape, s, 1, Q), 2, (int64_t[]){Q - 1, P * F});
    elman_var *sooner =
        elman_reshape(tape, elman_steps(tape, s, 0, Q - 1), 2, (int64_t[]){Q - 1, P * F});
    return elman_multiply(tape, later, sooner);
}

static void formula_steps(const double *const *in, double *out, const gradient_case *c)
{
    int64_t P = c->inputs[0].shape[0], Q = c->inputs[0].shape[1], F = c->inputs[0].shape[2];
    for (int64_t q = 1; q < Q; q++)
        for (int64_t p = 0; p < P; p++)
            for (int64_t f = 0; f < F; f++)
                out[((q - 1) * P + p) * F + f] =
                    in[0][(p * Q + q) * F + f] * in[0][(p * Q + q - 1) * F + f];
}

static void steps_and_views(void **state)
{
    (void)state;
    gradient_case c = {.name = "steps", .count = 1};
    c.build = build_steps;
    for (int64_t q = 1; q < 6; q++) {
        c.formula = formula_steps;
        c.inputs[0] = (gradient_input){.rank = 3, .shape = {3, q, 5}};
        assert_true(gradient_check(&c));
    }
    c.formula = NULL;
    c.inputs[0] = (gradient_input){.rank = 3, .shape = {50, 13, 29}};
    assert_true(gradient_check(&c));
}

static const int64_t lengths[5] = {2, 0, 4, 1, 4};

/* unpack(tanh(pack(x))) * x: beyond a length zero. */
static elman_var *build_packed(elman_tape *tape, elman_var **v, elman_parameter **p,
                               const void *user)
{
    (void)p;
    const elman_sequences *s = elman_tape_sequences(tape, 4, 5, user, NULL, 0);
    elman_var *packed = elman_tanh(tape, elman_pack(tape, v[0], s));
    return elman_multiply(tape, elman_unpack(tape, packed, s), v[0]);
}

static void formula_packed(const double *const *in, double *out, const gradient_case *c)
{
    const int64_t *L = c->user;
    int64_t F = c->inputs[0].shape[2];
    for (int64_t t = 0; t < 4; t++)
        for (int64_t b = 0; b < 5; b++)
            for (int64_t f = 0; f < F; f++) {
                int64_t i = (t * 5 + b) * F + f;
                out[i] = !L || t < L[b] ? tanh(in[0][i]) * in[0][i] : 0;
            }
}

static void packing(void **state)
{
    (void)state;
    gradient_case c = {.name = "pack", .count = 1};
    c.build = build_packed;
    for (int uniform = 0; uniform < 2; uniform++) {
        c.user = uniform ? NULL : lengths;
        c.formula = formula_packed;
        c.inputs[0] = (gradient_input){.rank = 3, .shape = {4, 5, 3}};
        assert_true(gradient_check(&c));
        c.formula = NULL;
        c.inputs[0].shape[2] = 1031;
        assert_true(gradient_check(&c));
    }
}

/* --- normalisation and losses ------------------------------------------------------------- */

static elman_var *build_norm(elman_tape *tape, elman_var **v, elman_parameter **p, const void *user)
{
    (void)user;
    const elman_sequences *s = NULL;
    if (v[0]->value.rank == 2 && v[0]->value.shape[0] == 11)
        s = elman_tape_sequences(tape, 4, 5, lengths, NULL, 0);
    return elman_op_layer_norm(tape, v[0], p[1], p[2], s);
}

static void formula_norm(const double *const *in, double *out, const gradient_case *c)
{
    int64_t F = c->inputs[0].shape[c->inputs[0].rank - 1], rows = gradient_elements(c, 0) / F;
    for (int64_t r = 0; r < rows; r++) {
        const double *x = in[0] + r * F;
        double mean = 0, variance = 0;
        for (int64_t i = 0; i < F; i++)
            mean += x[i] / (double)F;
        for (int64_t i = 0; i < F; i++)
            variance += (x[i] - mean) * (x[i] - mean) / (double)F;
        for (int64_t i = 0; i < F; i++)
            out[r * F + i] = (x[i] - mean) / sqrt(variance + 1e-5) * (c->count > 1 ? in[1][i] : 1) +
                             (c->count > 2 ? in[2][i] : 0);
    }
}

static void layer_normalisation(void **state)
{
    (void)state;
    static const int64_t widths[] = {2, 3, 8, 15, 16, 17, 33};
    for (int count = 1; count <= 3; count++)
        for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
            gradient_case c = {.name = "layer norm", .count = count};
            c.build = build_norm;
            c.formula = formula_norm;
            c.tolerance = 2e-4; /* two near inputs may leave a variance of about epsilon */
            c.inputs[0] = (gradient_input){.rank = 2, .shape = {11, widths[i]}};
            c.inputs[1] = (gradient_input){1, {widths[i]}, true};
            c.inputs[2] = c.inputs[1];
            assert_true(gradient_check(&c));
            c.inputs[0].shape[0] = 3;
            assert_true(gradient_check(&c));
            c.formula = NULL;
            c.inputs[0].shape[0] = 1500;
            assert_true(gradient_check(&c));
        }
}

typedef struct loss_user {
    elman_reduction reduction;
    const int32_t *targets;
} loss_user;

static elman_var *build_cross_entropy(elman_tape *tape, elman_var **v, elman_parameter **p,
                                      const void *user)
{
    (void)p;
    const loss_user *u = user;
    return elman_cross_entropy(tape, v[0], u->targets, u->reduction);
}

static void formula_cross_entropy(const double *const *in, double *out, const gradient_case *c)
{
    const loss_user *u = c->user;
    int64_t rows = c->inputs[0].shape[0], V = c->inputs[0].shape[1], counted = 0;
    double sum = 0;
    for (int64_t r = 0; r < rows; r++) {
        double total = 0;
        if (u->targets[r] < 0)
            continue;
        for (int64_t i = 0; i < V; i++)
            total += exp(in[0][r * V + i]);
        sum += log(total) - in[0][r * V + u->targets[r]];
        counted++;
    }
    out[0] = u->reduction == ELMAN_REDUCTION_MEAN ? sum / (double)counted : sum;
}

/* the same after a use of the logits elsewhere, so that gradient is added */
static elman_var *build_two_losses(elman_tape *tape, elman_var **v, elman_parameter **p,
                                   const void *user)
{
    elman_var *first = build_cross_entropy(tape, v, p, user);
    return elman_add(tape, first, build_cross_entropy(tape, v, p, user));
}

static void formula_two_losses(const double *const *in, double *out, const gradient_case *c)
{
    formula_cross_entropy(in, out, c);
    out[0] *= 2;
}

static void cross_entropy(void **state)
{
    (void)state;
    static int32_t targets[400];
    loss_user user = {.targets = targets};
    for (int s = 1; s < SIZES; s++)
        for (int r = 0; r < 2; r++) {
            for (int i = 0; i < 400; i++)
                targets[i] = i % 5 == 3 ? ELMAN_IGNORE_TARGET : (int32_t)((i * 13) % sizes[s]);
            user.reduction = r ? ELMAN_REDUCTION_SUM : ELMAN_REDUCTION_MEAN;
            gradient_case c = {.name = "cross entropy", .count = 1};
            c.user = &user;
            c.low = -4;
            c.high = 4;
            c.inputs[0] = (gradient_input){.rank = 2, .shape = {7, sizes[s]}};
            c.build = build_cross_entropy;
            c.formula = formula_cross_entropy;
            assert_true(gradient_check(&c));
            c.build = build_two_losses;
            c.formula = formula_two_losses;
            assert_true(gradient_check(&c));
            c.formula = NULL;
            c.inputs[0].shape[0] = 400;
            assert_true(gradient_check(&c));
        }
}

static elman_var *build_squared(elman_tape *tape, elman_var **v, elman_parameter **p,
                                const void *user)
{
    (void)p, (void)user;
    return elman_mean_squared_error(tape, v[0], v[1]);
}

static void formula_squared(const double *const *in, double *out, const gradient_case *c)
{
    int64_t n = gradient_elements(c, 0);
    out[0] = 0;
    for (int64_t i = 0; i < n; i++)
        out[0] += (in[0][i] - in[1][i]) * (in[0][i] - in[1][i]) / (double)n;
}

static void mean_squared_error(void **state)
{
    (void)state;
    gradient_case c = {.name = "mean squared error", .count = 2, .build = build_squared};
    for (int s = 1; s < SIZES; s++) {
        c.formula = formula_squared;
        c.inputs[0] = (gradient_input){.rank = 2, .shape = {3, sizes[s]}};
        c.inputs[1] = c.inputs[0];
        assert_true(gradient_check(&c));
    }
    c.formula = NULL;
    c.inputs[0] = (gradient_input){.rank = 1, .shape = {40961}};
    c.inputs[1] = c.inputs[0];
    assert_true(gradient_check(&c));
}

static elman_var *build_state(elman_tape *tape, elman_var **v, elman_parameter **p,
                              const void *user)
{
    (void)v, (void)user;
    const elman_sequences *s = elman_tape_sequences(tape, 4, 5, lengths, NULL, 0);
    return elman_tanh(tape, elman_op_initial_state(tape, p[0], 1, 2, s));
}

static void formula_state(const double *const *in, double *out, const gradient_case *c)
{
    int64_t H = c->inputs[0].shape[1];
    for (int64_t d = 0; d < 2; d++)
        for (int64_t b = 0; b < 5; b++)
            for (int64_t u = 0; u < H; u++)
                out[(d * 5 + b) * H + u] = tanh(in[0][(1 + d) * H + u]);
}

static void initial_state(void **state)
{
    (void)state;
    for (int s = 1; s < SIZES; s++) {
        gradient_case c = {.name = "initial state", .count = 1, .build = build_state};
        c.formula = formula_state;
        c.inputs[0] = (gradient_input){2, {4, sizes[s]}, true};
        assert_true(gradient_check(&c));
    }
}

/* --- the check itself --------------------------------------------------------------------- */

static double f_wrong(double a, double b)
{
    (void)b;
    return tanh(a) + (a > 1.4 ? 1e-3 : 0); /* few elements are wrong */
}

static double f_other(double a, double b)
{
    (void)b;
    return a;
}

static elman_var *build_zeros(elman_tape *tape, elman_var **v, elman_parameter **p,
                              const void *user)
{
    (void)p, (void)user;
    return elman_scale(tape, v[0], 0);
}

static void the_check_rejects_what_is_wrong(void **state)
{
    (void)state;
    pointwise wrong = {"tanh, wrongly expected", NULL, elman_tanh, f_wrong};
    pointwise other = {"tanh, but x expected", NULL, elman_tanh, f_other};
    gradient_case c = {.name = "wrong", .count = 1, .inputs = {{.rank = 1, .shape = {61}}}};
    c.build = build_pointwise;
    c.formula = formula_pointwise;
    c.user = &wrong;
    assert_false(gradient_check(&c));
    c.user = &other;
    assert_false(gradient_check(&c));
    c.build = build_zeros;
    assert_false(gradient_check(&c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pointwise_operations),
        cmocka_unit_test(a_value_used_more_than_once),
        cmocka_unit_test(columns_side_by_side),
        cmocka_unit_test(steps_and_views),
        cmocka_unit_test(packing),
        cmocka_unit_test(layer_normalisation),
        cmocka_unit_test(cross_entropy),
        cmocka_unit_test(mean_squared_error),
        cmocka_unit_test(initial_state),
        cmocka_unit_test(the_check_rejects_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
