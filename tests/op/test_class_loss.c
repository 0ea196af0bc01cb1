/* The class loss: its formula with weights, smoothing and both reductions, PyTorch's figures, and
 * the plain cross-entropy's bits where there is neither. */
#include "reading_case.h"

#include <math.h>

enum { ROWS = 7, MOST = 65 };

static const int32_t few[ROWS] = {1, 0, ELMAN_IGNORE_TARGET, 1, 4, 2, 0};
static float weights[MOST]; /* 0 among them */

static int set_weights(void **state)
{
    (void)state;
    for (int v = 0; v < MOST; v++)
        weights[v] = v == 2 ? 0.0F : 0.25F + (float)(v * 5 % 7) / 4.0F;
    return 0;
}

static void formula(const double *const *in, double *out, const gradient_case *c)
{
    const elman_class_loss_options *o = c->user;
    const int64_t V = c->inputs[0].shape[1];
    double sum = 0.0, divisor = 0.0;
    for (int64_t i = 0; i < ROWS; i++) {
        const double *x = in[0] + i * V;
        double total = 0.0, spread = 0.0;
        int32_t y = few[i];
        if (y == ELMAN_IGNORE_TARGET)
            continue;
        for (int64_t v = 0; v < V; v++)
            total += exp(x[v]);
        for (int64_t v = 0; v < V; v++)
            spread += (o->weights ? (double)o->weights[v] : 1.0) * (log(total) - x[v]);
        double w = o->weights ? (double)o->weights[y] : 1.0;
        sum += (1.0 - o->smoothing) * w * (log(total) - x[y]) + o->smoothing / (double)V * spread;
        divisor += w;
    }
    out[0] = o->scale * (o->reduction == ELMAN_REDUCTION_MEAN ? sum / divisor : sum);
}

static elman_var *build(elman_tape *tape, elman_var **vars, elman_parameter **parameters,
                        const void *user)
{
    (void)parameters;
    return elman_class_loss(tape, vars[0], few, user, NULL);
}

static void formulas(void **state)
{
    (void)state;
    static const int64_t sizes[] = {5, 16, MOST};
    static const double smoothings[] = {0.0, 0.125, 1.0};
    for (int weighed = 0; weighed < 2; weighed++)
        for (int s = 0; s < 3; s++)
            for (int sum = 0; sum < 2; sum++)
                for (int i = 0; i < 3; i++) {
                    elman_class_loss_options o;
                    elman_class_loss_options_default(&o);
                    o.weights = weighed ? weights : NULL;
                    o.smoothing = smoothings[s];
                    o.reduction = sum ? ELMAN_REDUCTION_SUM : ELMAN_REDUCTION_MEAN;
                    o.scale = i ? 0.75 : 1.0;
                    gradient_case c = {.name = "class loss", .count = 1, .user = &o};
                    c.build = build;
                    c.formula = formula;
                    c.inputs[0] = (gradient_input){2, {ROWS, sizes[i]}, false};
                    assert_true(gradient_check(&c));
                }
}

static void figure(elman_tape *tape, golden *file, const char *prefix)
{
    elman_class_loss_options o;
    elman_class_loss_options_default(&o);
    const int32_t *given = golden_integers(file, prefix, "options");
    if (given[0])
        o.weights = golden_find(file, prefix, "weights")->data;
    o.reduction = given[1] ? ELMAN_REDUCTION_SUM : ELMAN_REDUCTION_MEAN;
    o.smoothing = (double)golden_find(file, prefix, "smoothing")->data[0];
    elman_var *x = figure_leaf(tape, file, prefix, "x");
    double sum;
    elman_var *loss = elman_class_loss(tape, x, golden_integers(file, prefix, "targets"), &o, &sum);
    figure_agrees(file, prefix, "y", loss);
    float nats = (float)sum;
    assert_true(golden_near(file, prefix, "nats", &nats, 1, 16));
    assert_int_equal(elman_tape_backward(tape, loss, NULL), ELMAN_OK);
    figure_gradient_agrees(file, prefix, "d.x", x);
}

static void figures(void **state)
{
    (void)state;
    if (!for_each_figure("class_loss", 48, "x", figure))
        skip();
}

/* -- bits -------------------------------------------------------------------------------------- */

enum { N = 301, V = 37 };

static float *kept_loss[4], *kept_dx[4];

static void compare(elman_context *context, elman_tape *tape)
{
    (void)context;
    float *x = random_floats(N * V, 1);
    int32_t *targets = calloc(N, sizeof *targets);
    for (int i = 0; i < N; i++)
        targets[i] = i % 13 == 5 ? ELMAN_IGNORE_TARGET : i * 7 % V;
    for (int form = 0; form < 4; form++) {
        elman_class_loss_options o;
        elman_class_loss_options_default(&o);
        o.weights = form & 1 ? weights : NULL;
        o.smoothing = form & 2 ? 0.1 : 0.0;
        elman_tape_begin(tape, NULL);
        elman_var *leaf = elman_tape_leaf(tape, 2, (int64_t[]){N, V}, x);
        elman_var *loss = elman_class_loss(tape, leaf, targets, &o, NULL);
        assert_int_equal(elman_tape_backward(tape, loss, NULL), ELMAN_OK);
        same_bits(&kept_loss[form], loss->value.data, 1);
        same_bits(&kept_dx[form], elman_var_gradient(leaf), N * V);
    }

    /* The plain one is elman_cross_entropy; x is given both gradients. */
    elman_tape_begin(tape, NULL);
    elman_var *leaf = elman_tape_leaf(tape, 2, (int64_t[]){N, V}, x);
    elman_var *loss = elman_class_loss(tape, leaf, targets, NULL, NULL);
    elman_var *other = elman_cross_entropy(tape, leaf, targets, ELMAN_REDUCTION_MEAN);
    assert_true(compare_bits(loss->value.data, other->value.data, 1));
    assert_int_equal(elman_tape_backward(tape, elman_add(tape, loss, other), NULL), ELMAN_OK);
    for (int i = 0; i < N * V; i++)
        assert_true(elman_var_gradient(leaf)[i] == 2.0F * kept_dx[0][i]);

    /* No target, or none that weighs: NaN, as PyTorch's; the sum is zero. */
    for (int i = 0; i < N; i++)
        targets[i] = ELMAN_IGNORE_TARGET;
    double sum = 1.0;
    elman_tape_begin(tape, NULL);
    leaf = elman_tape_leaf(tape, 2, (int64_t[]){N, V}, x);
    loss = elman_class_loss(tape, leaf, targets, NULL, &sum);
    assert_true(isnan(loss->value.data[0]) && sum == 0.0);
    free(x);
    free(targets);
}

static void bits(void **state)
{
    (void)state;
    for_each_context(compare);
    for (int form = 0; form < 4; form++) {
        free(kept_loss[form]);
        free(kept_dx[form]);
    }
}

/* -- what is refused ----------------------------------------------------------------------------
 */

static void refused(elman_context *context, elman_tape *tape)
{
    (void)context;
    static const float data[12];
    const float bad_weights[4] = {1, NAN, 1, 1};
    const int32_t targets[3] = {0, 3, 1}, wrong[3] = {0, 4, 1};
    static const char *const messages[] = {
        "class loss: smoothing is 1.5, expected 0 to 1",
        "class loss: scale is inf, expected a finite number",
        "class loss: the weight of class 1 is nan, expected a finite number of at least 0",
        "class loss: target 1 is 4, expected 0 to 3, or -100 for none",
    };
    for (int i = 0; i < 5; i++) {
        elman_class_loss_options o;
        elman_error error;
        elman_class_loss_options_default(&o);
        o.smoothing = i == 0 ? 1.5 : 0.0;
        o.scale = i == 1 ? INFINITY : 1.0;
        o.weights = i == 2 ? bad_weights : NULL;
        o.size -= i == 4 ? 8 : 0;
        elman_tape_begin(tape, NULL);
        elman_var *x = elman_tape_leaf(tape, 2, (int64_t[]){3, 4}, data);
        assert_null(elman_class_loss(tape, NULL, targets, NULL, NULL));
        assert_null(elman_class_loss(tape, x, i == 3 ? wrong : targets, &o, NULL));
        assert_int_equal(elman_tape_status(tape, &error),
                         i == 3 ? ELMAN_ERROR_DATA : ELMAN_ERROR_ARGUMENT);
        if (i < 4)
            assert_string_equal(error.message, messages[i]);
    }
    elman_tape_begin(tape, NULL);
    assert_null(elman_class_loss(tape, elman_tape_leaf(tape, 0, NULL, data), targets, NULL, NULL));
    assert_int_equal(elman_tape_status(tape, NULL), ELMAN_ERROR_SHAPE);
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
    return cmocka_run_group_tests(tests, set_weights, NULL);
}
