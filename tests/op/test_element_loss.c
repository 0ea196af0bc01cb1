/* Losses element by element: every kind's formula and gradient, PyTorch's figures, weights of zero,
 * sums over many blocks, bits. */
#include "reading_case.h"

#include <math.h>

static const float quantiles[4] = {0.1F, 0.5F, 0.75F, 0.9F};

static elman_element_loss_options options_of(elman_element_loss_kind kind)
{
    elman_element_loss_options o;
    elman_element_loss_options_default(&o);
    o.kind = kind;
    o.delta = 0.75;
    o.quantiles = quantiles;
    o.quantile_count = 4;
    return o;
}

static int64_t columns_of(elman_element_loss_kind kind)
{
    return kind == ELMAN_LOSS_QUANTILE ? 4 : kind == ELMAN_LOSS_GAUSSIAN ? 2 : 1;
}

enum { KINDS = ELMAN_LOSS_GAUSSIAN + 1 };

/* In double, as the header has them. */
static double loss_of(const elman_element_loss_options *o, const double *p, double y)
{
    double e = p[0] - y, sum = 0.0;
    switch (o->kind) {
    case ELMAN_LOSS_SQUARED:
        return e * e;
    case ELMAN_LOSS_ABSOLUTE:
        return fabs(e);
    case ELMAN_LOSS_HUBER:
        return fabs(e) <= o->delta ? e * e / 2 : o->delta * (fabs(e) - o->delta / 2);
    case ELMAN_LOSS_BINARY:
        return -y * log(1 / (1 + exp(-p[0]))) - (1 - y) * log(1 - 1 / (1 + exp(-p[0])));
    case ELMAN_LOSS_QUANTILE:
        for (int64_t c = 0; c < o->quantile_count; c++) {
            double q = (double)o->quantiles[c];
            sum += fmax(q * (y - p[c]), (q - 1) * (y - p[c]));
        }
        return sum / (double)o->quantile_count;
    case ELMAN_LOSS_GAUSSIAN:
        return (p[1] + e * e / exp(p[1])) / 2;
    }
    return NAN;
}

/* -- formulas ---------------------------------------------------------------------------------- */

enum { MOST = 600 }; /* more than the functions are computed of at once */

typedef struct given {
    elman_element_loss_options options;
    int64_t n;
    float targets[MOST], weights[MOST];
    bool weighed;
} given;

static void formula(const double *const *in, double *out, const gradient_case *c)
{
    const given *g = c->user;
    double sum = 0.0, weights = 0.0;
    for (int64_t i = 0; i < g->n; i++) {
        double w = g->weighed ? (double)g->weights[i] : 1.0;
        if (w > 0)
            sum += w * loss_of(&g->options, in[0] + i * columns_of(g->options.kind),
                               (double)g->targets[i]);
        weights += w;
    }
    if (g->options.reduction == ELMAN_REDUCTION_MEAN)
        sum /= weights;
    out[0] = g->options.scale * sum;
}

static elman_var *build(elman_tape *tape, elman_var **vars, elman_parameter **parameters,
                        const void *user)
{
    (void)parameters;
    const given *g = user;
    return elman_element_loss(tape, vars[0], g->targets, g->weighed ? g->weights : NULL,
                              &g->options, NULL);
}

static void formulas(void **state)
{
    (void)state;
    static const int64_t sizes[] = {1, 19, MOST};
    for (int kind = 0; kind < KINDS; kind++)
        for (int weighed = 0; weighed < 2; weighed++)
            for (int i = 0; i < 3; i++) {
                given g = {.n = sizes[i], .weighed = weighed};
                g.options = options_of((elman_element_loss_kind)kind);
                g.options.reduction = i == 1 ? ELMAN_REDUCTION_SUM : ELMAN_REDUCTION_MEAN;
                g.options.scale = i == 1 ? 0.5 : 1.0;
                for (int64_t r = 0; r < g.n; r++) {
                    g.weights[r] = r % 7 == 4 ? 0.0F : 0.5F + (float)(r % 5) / 4.0F;
                    g.targets[r] = kind == ELMAN_LOSS_BINARY ? (float)(r % 3) / 2.0F
                                                             : (float)(r % 17) / 8.0F - 1.0F;
                    if (weighed && r % 7 == 4)
                        g.targets[r] = NAN;
                }
                gradient_case c = {.name = "element loss", .count = 1, .user = &g};
                c.build = build;
                c.formula = formula;
                c.inputs[0] = (gradient_input){2, {g.n, columns_of(g.options.kind)}, false};
                assert_true(gradient_check(&c));
            }
}

/* -- figures ----------------------------------------------------------------------------------- */

static void figure(elman_tape *tape, golden *file, const char *prefix, elman_element_loss_kind kind)
{
    elman_element_loss_options o = options_of(kind);
    elman_var *p = figure_leaf(tape, file, prefix, "p");
    double sum;
    elman_var *loss = elman_element_loss(tape, p, golden_find(file, prefix, "targets")->data,
                                         golden_find(file, prefix, "weights")->data, &o, &sum);
    figure_agrees(file, prefix, "y", loss);
    float total = (float)sum;
    assert_true(golden_near(file, prefix, "total", &total, 1, 16));
    assert_int_equal(elman_tape_backward(tape, loss, NULL), ELMAN_OK);
    figure_gradient_agrees(file, prefix, "d.p", p);
}

#define FIGURE(name, kind)                                                                         \
    static void name##_figure(elman_tape *tape, golden *file, const char *prefix)                  \
    {                                                                                              \
        figure(tape, file, prefix, kind);                                                          \
    }
FIGURE(squared, ELMAN_LOSS_SQUARED)
FIGURE(absolute, ELMAN_LOSS_ABSOLUTE)
FIGURE(huber, ELMAN_LOSS_HUBER)
FIGURE(binary, ELMAN_LOSS_BINARY)
FIGURE(quantile, ELMAN_LOSS_QUANTILE)
FIGURE(gaussian, ELMAN_LOSS_GAUSSIAN)

static void figures(void **state)
{
    (void)state;
    if (!for_each_figure("loss_squared", 6, "p", squared_figure))
        skip();
    for_each_figure("loss_absolute", 6, "p", absolute_figure);
    for_each_figure("loss_huber", 6, "p", huber_figure);
    for_each_figure("loss_binary", 6, "p", binary_figure);
    for_each_figure("loss_quantile", 6, "p", quantile_figure);
    for_each_figure("loss_gaussian", 6, "p", gaussian_figure);
}

/* -- bits -------------------------------------------------------------------------------------- */

enum { N = 3 * 4096 + 77 };

static float *kept_loss[KINDS], *kept_d[KINDS];
static double kept_sum[KINDS];

/* Blocks of 4,096 rows, lanes of 16, by their definition. */
static double sum_by_blocks(const double *terms)
{
    double sum = 0.0;
    for (size_t first = 0; first < N; first += 4096) {
        double lanes[16] = {0.0};
        for (size_t i = first; i < N && i < first + 4096; i++)
            lanes[(i - first) % 16] += terms[i];
        for (size_t i = 0; i < 8; i++)
            lanes[i] += lanes[i + 8];
        for (size_t i = 0; i < 4; i++)
            lanes[i] += lanes[i + 4];
        sum += (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);
    }
    return sum;
}

static void compare(elman_context *context, elman_tape *tape)
{
    (void)context;
    float *p = random_floats(N * 4, 1), *y = random_floats(N, 2), *w = random_floats(N, 3);
    double *squares = calloc(N, sizeof *squares);
    for (int i = 0; i < N; i++) {
        double e = (double)p[i] - (double)y[i];
        w[i] = fabsf(w[i]);
        squares[i] = (double)w[i] * (e * e);
    }
    for (int kind = 0; kind < KINDS; kind++) {
        elman_element_loss_options o = options_of((elman_element_loss_kind)kind);
        elman_tape_begin(tape, NULL);
        elman_var *leaf = elman_tape_leaf(tape, 2, (int64_t[]){N, columns_of(o.kind)}, p);
        double sum;
        elman_var *loss = elman_element_loss(tape, leaf, y, w, &o, &sum);
        if (!kept_loss[kind])
            kept_sum[kind] = sum;
        assert_true(sum == kept_sum[kind]);
        same_bits(&kept_loss[kind], loss->value.data, 1);
        assert_true(kind != ELMAN_LOSS_SQUARED || sum == sum_by_blocks(squares));
        /* Used twice, the gradient is added to. */
        elman_var *again = elman_element_loss(tape, leaf, y, w, &o, NULL);
        assert_int_equal(elman_tape_backward(tape, elman_add(tape, loss, again), NULL), ELMAN_OK);
        same_bits(&kept_d[kind], elman_var_gradient(leaf), (size_t)(N * columns_of(o.kind)));
    }
    free(p);
    free(y);
    free(w);
    free(squares);
}

static void bits(void **state)
{
    (void)state;
    for_each_context(compare);
    for (int kind = 0; kind < KINDS; kind++) {
        free(kept_loss[kind]);
        free(kept_d[kind]);
    }
}

/* -- edges ------------------------------------------------------------------------------------- */

static void edges(elman_context *context, elman_tape *tape)
{
    (void)context;
    const float p[8] = {1, NAN, 3, 4, 1e9F, -300, 200, -90},
                y[8] = {NAN, NAN, NAN, NAN, 0, 1, 1, 0};
    const float none[4] = {0}, all[4] = {1, 1, 1, 1};
    for (int kind = 0; kind < KINDS; kind++) {
        elman_element_loss_options o = options_of((elman_element_loss_kind)kind);
        elman_tape_begin(tape, NULL);
        int64_t n = 4 / columns_of(o.kind);
        elman_var *leaf = elman_tape_leaf(tape, 2, (int64_t[]){n, columns_of(o.kind)}, p);
        double sum = 1.0;
        elman_var *loss = elman_element_loss(tape, leaf, y, none, &o, &sum);
        assert_true(loss->value.data[0] == 0.0F && !signbit(loss->value.data[0]) && sum == 0.0);
        assert_int_equal(elman_tape_backward(tape, loss, NULL), ELMAN_OK);
        for (int i = 0; i < 4; i++)
            assert_true(elman_var_gradient(leaf)[i] == 0.0F);

        /* A NaN that counts is not hidden. */
        elman_tape_begin(tape, NULL);
        leaf = elman_tape_leaf(tape, 2, (int64_t[]){n, columns_of(o.kind)}, p);
        loss = elman_element_loss(tape, leaf, y, NULL, &o, NULL);
        assert_true(isnan(loss->value.data[0]));
        assert_int_equal(elman_tape_backward(tape, loss, NULL), ELMAN_OK);
        assert_true(isnan(elman_var_gradient(leaf)[0]));

        /* No rows. */
        elman_tape_begin(tape, NULL);
        leaf = elman_tape_leaf(tape, 2, (int64_t[]){0, columns_of(o.kind)}, NULL);
        assert_true(elman_element_loss(tape, leaf, NULL, NULL, &o, &sum)->value.data[0] == 0.0F);
    }
    /* Large logits: the loss stays finite and exact. Any shape where C is 1. */
    elman_element_loss_options o = options_of(ELMAN_LOSS_BINARY);
    o.reduction = ELMAN_REDUCTION_SUM;
    elman_tape_begin(tape, NULL);
    elman_var *leaf = elman_tape_leaf(tape, 1, (int64_t[]){4}, p + 4);
    elman_var *loss = elman_element_loss(tape, leaf, y + 4, all, &o, NULL);
    assert_true(loss->value.data[0] == 1e9F + 300.0F);
    assert_int_equal(elman_tape_backward(tape, loss, NULL), ELMAN_OK);
    const float *d = elman_var_gradient(leaf);
    assert_true(d[0] == 1.0F && d[1] == -1.0F && d[2] == 0.0F && d[3] < 1e-38F);

    /* At the corners the gradient is 0. */
    for (int kind = 0; kind < 2; kind++) {
        o = options_of(kind ? ELMAN_LOSS_QUANTILE : ELMAN_LOSS_ABSOLUTE);
        elman_tape_begin(tape, NULL);
        leaf = elman_tape_leaf(tape, 2, (int64_t[]){1, columns_of(o.kind)}, all);
        loss = elman_element_loss(tape, leaf, all, NULL, &o, NULL);
        assert_int_equal(elman_tape_backward(tape, loss, NULL), ELMAN_OK);
        assert_true(elman_var_gradient(leaf)[0] == 0.0F);
    }
}

static void edges_everywhere(void **state)
{
    (void)state;
    for_each_context(edges);
}

static void refused(elman_context *context, elman_tape *tape)
{
    (void)context;
    static const float data[12];
    const float negative[12] = {1, 1, -1}, beyond[4] = {0.5F, 1.5F, 0, 0};
    static const char *const messages[] = {
        "element loss: delta is 0, expected a finite number above 0",
        "element loss: scale is nan, expected a finite number",
        "element loss: 0 quantiles, expected at least 1",
        "element loss: quantile 1 is 1.5, expected 0 to 1",
        "element loss: kind is 6, expected 0 to 5",
        "element loss: the prediction is [4, 3], expected [.., 2]",
        "element loss: weight 2 is -1, expected a finite number of at least 0",
    };
    for (int i = 0; i < 8; i++) {
        elman_error error;
        elman_element_loss_options o = options_of(i == 0             ? ELMAN_LOSS_HUBER
                                                  : i == 2 || i == 3 ? ELMAN_LOSS_QUANTILE
                                                  : i == 5           ? ELMAN_LOSS_GAUSSIAN
                                                                     : ELMAN_LOSS_SQUARED);
        if (i == 0)
            o.delta = 0.0;
        if (i == 1)
            o.scale = NAN;
        if (i == 2)
            o.quantile_count = 0;
        if (i == 3)
            o.quantiles = beyond;
        if (i == 4)
            o.kind = (elman_element_loss_kind)6;
        if (i == 7)
            o.size = 3;
        elman_tape_begin(tape, NULL);
        elman_var *x = elman_tape_leaf(tape, 2, (int64_t[]){4, 3}, data);
        assert_null(elman_element_loss(tape, NULL, data, NULL, &o, NULL));
        assert_null(elman_element_loss(tape, x, data, i == 6 ? negative : NULL, &o, NULL));
        assert_int_equal(elman_tape_status(tape, &error), i == 5   ? ELMAN_ERROR_SHAPE
                                                          : i == 6 ? ELMAN_ERROR_DATA
                                                                   : ELMAN_ERROR_ARGUMENT);
        if (i < 7)
            assert_string_equal(error.message, messages[i]);
    }
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
        cmocka_unit_test(edges_everywhere),
        cmocka_unit_test(refused_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
