/* Pooling over time: the formulas and their gradients, PyTorch's figures, and what a result must
 * not depend on: threads, instruction sets, and what else is in the batch. */
#include "reading_case.h"

#include <math.h>

typedef enum pool_kind { LAST, MEAN, MAX, WEIGHTED, POOLS } pool_kind;

static elman_var *pool(elman_tape *tape, pool_kind kind, elman_var *x, elman_var *scores,
                       const elman_sequences *s)
{
    return kind == LAST   ? elman_pool_last(tape, x, s)
           : kind == MEAN ? elman_pool_mean(tape, x, s)
           : kind == MAX  ? elman_pool_max(tape, x, s)
                          : elman_pool_weighted(tape, x, scores, s);
}

/* -- formulas ---------------------------------------------------------------------------------- */

enum { FORMULA_B = 6, FORMULA_T = 5 };

static const int64_t few_lengths[FORMULA_B] = {2, 0, 5, 1, 5, 4};

/* The packed row of step t of sequence b: longest first, ties as given. */
static int64_t packed_row(const int64_t *lengths, int64_t B, int64_t t, int64_t b)
{
    int64_t row = 0;
    for (int64_t u = 0; u <= t; u++)
        for (int64_t c = 0; c < B; c++) {
            bool before = lengths[c] > lengths[b] || (lengths[c] == lengths[b] && c < b);
            row += lengths[c] > u && (u < t || before);
        }
    return row;
}

typedef struct formula_of {
    pool_kind kind;
    bool twice; /* x is used before too, so that its gradient is added to */
} formula_of;

static double pool_formula(pool_kind kind, const double *x, const double *scores, int64_t F,
                           int64_t b, int64_t f)
{
    const int64_t L = few_lengths[b];
    double sum = 0.0, total = 0.0, most = -INFINITY;
    for (int64_t t = 0; t < L; t++) {
        int64_t row = packed_row(few_lengths, FORMULA_B, t, b);
        double here = x[row * F + f], a = scores ? exp(scores[row]) : 0.0;
        sum += kind == LAST   ? (t == L - 1 ? here : 0.0)
               : kind == MEAN ? here / (double)L
                              : a * here;
        total += a;
        most = here > most ? here : most;
    }
    return L == 0 ? 0.0 : kind == MAX ? most : kind == WEIGHTED ? sum / total : sum;
}

static void formula(const double *const *in, double *out, const gradient_case *c)
{
    const formula_of *of = c->user;
    const int64_t F = c->inputs[0].shape[1];
    for (int64_t b = 0; b < FORMULA_B; b++)
        for (int64_t f = 0; f < F; f++)
            out[b * F + f] = pool_formula(of->kind, in[0], c->count > 1 ? in[1] : NULL, F, b, f) +
                             (of->twice ? pool_formula(MEAN, in[0], NULL, F, b, f) : 0.0);
}

static elman_var *build(elman_tape *tape, elman_var **vars, elman_parameter **parameters,
                        const void *user)
{
    (void)parameters;
    const formula_of *of = user;
    const elman_sequences *s =
        elman_tape_sequences(tape, FORMULA_T, FORMULA_B, few_lengths, NULL, 0);
    elman_var *y = pool(tape, of->kind, vars[0], vars[1], s);
    return of->twice ? elman_add(tape, y, elman_pool_mean(tape, vars[0], s)) : y;
}

static void formulas(void **state)
{
    (void)state;
    static const int64_t widths[] = {1, 5, 63, 64, 65};
    for (int kind = 0; kind < POOLS; kind++)
        for (int twice = 0; twice < 2; twice++)
            for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
                formula_of of = {(pool_kind)kind, twice};
                gradient_case c = {
                    .name = "pool", .count = 1, .build = build, .formula = formula, .user = &of};
                c.inputs[0] = (gradient_input){2, {17, widths[i]}, false};
                c.inputs[1] = (gradient_input){i % 2 ? 2 : 1, {17, 1}, false};
                c.count = kind == WEIGHTED ? 2 : 1;
                assert_true(gradient_check(&c));
            }
}

/* -- figures ----------------------------------------------------------------------------------- */

static void figure(elman_tape *tape, golden *file, const char *prefix, pool_kind kind)
{
    elman_var *x = figure_leaf(tape, file, prefix, "x");
    elman_var *given = kind == WEIGHTED ? figure_leaf(tape, file, prefix, "scores") : NULL;
    const elman_sequences *s = figure_sequences(tape, file, prefix, x);
    elman_var *scores = NULL;
    if (given) {
        int64_t shape[3] = {s->T, s->B, 1};
        scores = elman_pack(tape, elman_reshape(tape, given, 3, shape), s);
    }
    elman_var *y = pool(tape, kind, elman_pack(tape, x, s), scores, s);
    figure_agrees(file, prefix, "y", y);
    assert_int_equal(elman_tape_backward(tape, gradient_weigh(tape, y), NULL), ELMAN_OK);
    figure_gradient_agrees(file, prefix, "d.x", x);
    if (given)
        figure_gradient_agrees(file, prefix, "d.scores", given);
}

static void last_figure(elman_tape *tape, golden *file, const char *prefix)
{
    figure(tape, file, prefix, LAST);
}

static void mean_figure(elman_tape *tape, golden *file, const char *prefix)
{
    figure(tape, file, prefix, MEAN);
}

static void max_figure(elman_tape *tape, golden *file, const char *prefix)
{
    figure(tape, file, prefix, MAX);
}

static void weighted_figure(elman_tape *tape, golden *file, const char *prefix)
{
    figure(tape, file, prefix, WEIGHTED);
}

static void figures(void **state)
{
    (void)state;
    if (!for_each_figure("pool_last", 3, "x", last_figure))
        skip();
    for_each_figure("pool_mean", 3, "x", mean_figure);
    for_each_figure("pool_max", 3, "x", max_figure);
    for_each_figure("pool_weighted", 3, "x", weighted_figure);
}

/* -- bits -------------------------------------------------------------------------------------- */

enum { T = 67, B = 9, F = 145 };

static const int64_t lengths[B] = {67, 0, 3, 41, 67, 1, 17, 18, 66};
static float *kept_y[POOLS], *kept_dx[POOLS], *kept_ds[POOLS];

/* Each sequence by itself has the rows that it has in the batch, and their gradients. */
static void alone(elman_tape *tape, pool_kind kind, const float *x, const float *scores,
                  const float *dy)
{
    for (int64_t b = 0; b < B; b++) {
        const int64_t L = lengths[b];
        float *own = calloc((size_t)(L + 1) * (F + 1), sizeof *own), *own_scores = own + L * F;
        for (int64_t t = 0; t < L; t++) {
            int64_t row = packed_row(lengths, B, t, b);
            memcpy(own + t * F, x + row * F, F * sizeof *own);
            own_scores[t] = scores[row];
        }
        elman_tape_begin(tape, NULL);
        const elman_sequences *s = elman_tape_sequences(tape, L, 1, NULL, NULL, 0);
        elman_var *leaf = elman_tape_leaf(tape, 2, (int64_t[]){L, F}, own);
        elman_var *leaf_scores = elman_tape_leaf(tape, 1, &L, own_scores);
        elman_var *y = pool(tape, kind, leaf, leaf_scores, s);
        assert_true(compare_bits(y->value.data, kept_y[kind] + b * F, F));
        assert_int_equal(elman_tape_backward(tape, given_gradient(tape, y, dy + b * F), NULL),
                         ELMAN_OK);
        for (int64_t t = 0; t < L; t++) {
            int64_t row = packed_row(lengths, B, t, b);
            assert_true(compare_bits(elman_var_gradient(leaf) + t * F, kept_dx[kind] + row * F, F));
            if (kind == WEIGHTED)
                assert_true(
                    compare_bits(elman_var_gradient(leaf_scores) + t, kept_ds[kind] + row, 1));
        }
        free(own);
    }
}

static void batch(elman_context *context, elman_tape *tape)
{
    (void)context;
    for (int kind = 0; kind < POOLS; kind++) {
        elman_tape_begin(tape, NULL);
        const elman_sequences *s = elman_tape_sequences(tape, T, B, lengths, NULL, 0);
        float *x = random_floats((size_t)s->N * F, 1), *dy = random_floats(B * F, 2);
        float *scores = random_floats((size_t)s->N, 3);
        int64_t N = s->N;
        elman_var *leaf = elman_tape_leaf(tape, 2, (int64_t[]){N, F}, x);
        elman_var *leaf_scores = elman_tape_leaf(tape, 1, &N, scores);
        elman_var *y = pool(tape, (pool_kind)kind, leaf, leaf_scores, s);
        assert_int_equal(elman_tape_backward(tape, given_gradient(tape, y, dy), NULL), ELMAN_OK);
        same_bits(&kept_y[kind], y->value.data, B * F);
        same_bits(&kept_dx[kind], elman_var_gradient(leaf), (size_t)N * F);
        if (kind == WEIGHTED)
            same_bits(&kept_ds[kind], elman_var_gradient(leaf_scores), (size_t)N);
        for (int64_t f = 0; f < F; f++) /* a sequence without a step */
            assert_true(y->value.data[F + f] == 0.0F && !signbit(y->value.data[F + f]));
        alone(tape, (pool_kind)kind, x, scores, dy);
        free(x);
        free(dy);
        free(scores);
    }
}

static void bits(void **state)
{
    (void)state;
    for_each_context(batch);
    for (int kind = 0; kind < POOLS; kind++) {
        free(kept_y[kind]);
        free(kept_dx[kind]);
        free(kept_ds[kind]);
    }
}

/* -- edges ------------------------------------------------------------------------------------- */

static void edges(elman_context *context, elman_tape *tape)
{
    (void)context;
    /* Columns: a tie; NaN before and after a number; nothing but NaN; -inf alone. */
    const float x[3][5] = {
        {1, NAN, 2, NAN, -INFINITY}, {3, -4, NAN, NAN, -INFINITY}, {3, -5, -7, NAN, -INFINITY}};
    const float dy[5] = {1, 2, 3, 4, 5};
    elman_tape_begin(tape, NULL);
    const elman_sequences *s = elman_tape_sequences(tape, 3, 1, NULL, NULL, 0);
    elman_var *leaf = elman_tape_leaf(tape, 2, (int64_t[]){3, 5}, x[0]);
    elman_var *y = elman_pool_max(tape, leaf, s);
    const float want[5] = {3, -4, 2, NAN, -INFINITY};
    assert_true(compare_bits(y->value.data, want, 5));
    assert_int_equal(elman_tape_backward(tape, given_gradient(tape, y, dy), NULL), ELMAN_OK);
    const float d[15] = {0, 0, 3, 4, 5, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0};
    assert_true(compare_bits(elman_var_gradient(leaf), d, 15));

    /* No sequence, and none with a step. */
    elman_tape_begin(tape, NULL);
    s = elman_tape_sequences(tape, 0, 0, NULL, NULL, 0);
    leaf = elman_tape_leaf(tape, 2, (int64_t[]){0, 5}, NULL);
    y = elman_pool_mean(tape, leaf, s);
    assert_int_equal(elman_var_value(y)->shape[0], 0);
    s = elman_tape_sequences(tape, 3, 2, (int64_t[]){0, 0}, NULL, 0);
    for (int kind = 0; kind < POOLS; kind++) {
        int64_t none = 0;
        y = pool(tape, (pool_kind)kind, leaf, elman_tape_leaf(tape, 1, &none, NULL), s);
        for (int i = 0; i < 10; i++)
            assert_true(elman_var_value(y)->data[i] == 0.0F);
    }
    assert_int_equal(elman_tape_backward(tape, gradient_weigh(tape, y), NULL), ELMAN_OK);

    /* Small results become +0. */
    const float tiny[2] = {-0x1p-126F, 0.0F};
    elman_tape_begin(tape, NULL);
    s = elman_tape_sequences(tape, 2, 1, NULL, NULL, 0);
    y = elman_pool_mean(tape, elman_tape_leaf(tape, 2, (int64_t[]){2, 1}, tiny), s);
    assert_true(y->value.data[0] == 0.0F && !signbit(y->value.data[0]));

    /* A sum may pass through what is small. */
    const float through[3] = {0x1.8p-126F, -0x1p-126F, 0x1.8p-125F};
    s = elman_tape_sequences(tape, 3, 1, NULL, NULL, 0);
    y = elman_pool_mean(tape, elman_tape_leaf(tape, 2, (int64_t[]){3, 1}, through), s);
    assert_true(y->value.data[0] == 0x1.cp-125F * (float)(1.0 / 3.0));
}

static void edges_everywhere(void **state)
{
    (void)state;
    for_each_context(edges);
}

static void refused(void **state)
{
    (void)state;
    elman_context *context;
    elman_tape *tape;
    elman_error error;
    static const float data[40];
    assert_int_equal(elman_context_create(NULL, &context, NULL), ELMAN_OK);
    assert_int_equal(elman_tape_create(context, &tape, NULL), ELMAN_OK);
    for (int kind = 0; kind < POOLS; kind++) {
        elman_tape_begin(tape, NULL);
        const elman_sequences *s = elman_tape_sequences(tape, 3, 2, NULL, NULL, 0);
        elman_var *x = elman_tape_leaf(tape, 2, (int64_t[]){5, 4}, data);
        assert_null(pool(tape, (pool_kind)kind, NULL, x, s));
        assert_null(pool(tape, (pool_kind)kind, x, x, NULL));
        assert_int_equal(elman_tape_status(tape, NULL), ELMAN_OK);
        assert_null(pool(tape, (pool_kind)kind, x, x, s));
        assert_int_equal(elman_tape_status(tape, &error), ELMAN_ERROR_SHAPE);
    }
    assert_string_equal(error.message, "pool weighted: x is [5, 4], expected [6, F]");
    elman_tape_begin(tape, NULL);
    const elman_sequences *s = elman_tape_sequences(tape, 3, 2, NULL, NULL, 0);
    elman_var *x = elman_tape_leaf(tape, 2, (int64_t[]){6, 4}, data);
    assert_null(elman_pool_weighted(tape, x, x, s));
    elman_tape_status(tape, &error);
    assert_string_equal(error.message, "pool weighted: the scores are [6, 4], expected [6]");
    elman_tape_free(tape);
    elman_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formulas),         cmocka_unit_test(figures), cmocka_unit_test(bits),
        cmocka_unit_test(edges_everywhere), cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
