/* The fused loss: its formula, its gradients, and its bits, which are those of the linear layer
 * followed by the cross-entropy. */
#include "product_case.h"

#include <math.h>

#include "gradient_check.h"

enum { T = 25, B = 24, K = 21 };

static const int64_t lengths[B] = {25, 3,  0,  7, 17, 1, 25, 22, 5,  4, 9,  19,
                                   8,  16, 15, 4, 3,  2, 1,  0,  25, 8, 18, 25};

/* One run of either; the gradients are copied out. */
typedef struct outcome {
    float loss;
    double sum;
    float *dx, *dw, *db;
} outcome;

static void forget(outcome *o)
{
    free(o->dx);
    free(o->dw);
    free(o->db);
}

static float *copy(const float *from, size_t n)
{
    float *to = calloc(n + 1, sizeof *to);
    memcpy(to, from, n * sizeof *to);
    return to;
}

static int32_t *draw_targets(size_t n, size_t V, bool ignored)
{
    int32_t *targets = calloc(n + 1, sizeof *targets);
    for (size_t i = 0; i < n; i++)
        targets[i] = ignored && i % 5 == 2 ? ELMAN_IGNORE_TARGET : (int32_t)(i * 31 % V);
    return targets;
}

static outcome run(elman_context *context, elman_tape *tape, int64_t V, bool ignored, bool fused)
{
    elman_parameter *w = random_parameter(context, 2, V, K, 1);
    elman_parameter *b = random_parameter(context, 1, V, 0, 2);
    elman_tape_begin(tape, NULL);
    const elman_sequences *s = elman_tape_sequences(tape, T, B, lengths, NULL, 0);
    size_t N = (size_t)s->N;
    int32_t *targets = draw_targets(N, (size_t)V, ignored);
    float *x = random_floats(N * K, 3);
    elman_var *leaf = elman_tape_leaf(tape, 2, (int64_t[]){s->N, K}, x);
    outcome o = {.sum = 0.0};
    elman_var *loss;
    if (fused) {
        loss = elman_op_linear_cross_entropy(tape, leaf, w, b, targets, 1.0F, &o.sum, s);
    } else {
        elman_var *logits = elman_op_linear(tape, leaf, w, b, s);
        loss = elman_cross_entropy(tape, logits, targets, ELMAN_REDUCTION_SUM);
    }
    assert_non_null(loss);
    assert_int_equal(elman_tape_backward(tape, loss, NULL), ELMAN_OK);
    o.loss = loss->value.data[0];
    o.dx = copy(elman_var_gradient(leaf), N * K);
    o.dw = copy(w->gradient, (size_t)V * K);
    o.db = copy(b->gradient, (size_t)V);
    assert_true(compare_varied(o.dx, N * K));
    assert_true(compare_varied(o.dw, (size_t)V * K));
    free(targets);
    free(x);
    elman_parameter_free(w);
    elman_parameter_free(b);
    return o;
}

/* Two vocabularies: all rows in one chunk, and several chunks. */
static void bits(elman_context *context, elman_tape *tape)
{
    static const int64_t sizes[] = {65, 4201};
    for (int i = 0; i < 2; i++)
        for (int ignored = 0; ignored < 2; ignored++) {
            outcome a = run(context, tape, sizes[i], ignored, true);
            outcome b = run(context, tape, sizes[i], ignored, false);
            size_t V = (size_t)sizes[i], N = 0;
            for (int q = 0; q < B; q++)
                N += (size_t)lengths[q];
            assert_true(compare_bits(&a.loss, &b.loss, 1));
            assert_true(compare_bits(a.dx, b.dx, N * K));
            assert_true(compare_bits(a.dw, b.dw, V * K));
            assert_true(compare_bits(a.db, b.db, V));
            assert_true((float)a.sum == a.loss);
            forget(&a);
            forget(&b);
        }
}

static void test_bits(void **state)
{
    (void)state;
    for_each_context(bits);
}

static const int32_t few[] = {3, ELMAN_IGNORE_TARGET, 0, 6, 3, 1};

static elman_var *build(elman_tape *tape, elman_var **vars, elman_parameter **parameters,
                        const void *user)
{
    const elman_sequences *s = elman_tape_sequences(tape, 3, 3, (int64_t[]){1, 3, 2}, NULL, 0);
    return elman_op_linear_cross_entropy(tape, vars[0], parameters[1], parameters[2], few, 0.25F,
                                         NULL, user ? s : NULL);
}

static void formula(const double *const *in, double *out, const gradient_case *c)
{
    int64_t V = c->inputs[1].shape[0], width = c->inputs[1].shape[1];
    out[0] = 0.0;
    for (int64_t i = 0; i < 6; i++) {
        double total = 0.0, target = 0.0;
        for (int64_t v = 0; v < V; v++) {
            double logit = c->count > 2 ? in[2][v] : 0.0;
            for (int64_t j = 0; j < width; j++)
                logit += in[0][i * width + j] * in[1][v * width + j];
            total += exp(logit);
            target = v == few[i] ? logit : target;
        }
        if (few[i] != ELMAN_IGNORE_TARGET)
            out[0] += 0.25 * (log(total) - target);
    }
}

static void test_gradient(void **state)
{
    (void)state;
    static const int64_t sizes[][2] = {{1, 7}, {5, 16}, {16, 33}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (int sequences = 0; sequences < 2; sequences++) {
            gradient_case c = {.name = "linear cross entropy",
                               .build = build,
                               .formula = formula,
                               .user = sequences ? sizes : NULL};
            c.inputs[0] = (gradient_input){2, {6, sizes[i][0]}, false};
            c.inputs[1] = (gradient_input){2, {sizes[i][1], sizes[i][0]}, true};
            c.inputs[2] = (gradient_input){1, {sizes[i][1]}, true};
            for (c.count = 2; c.count <= 3; c.count++)
                assert_true(gradient_check(&c));
        }
}

static void rest(elman_context *context, elman_tape *tape)
{
    elman_parameter *w = random_parameter(context, 2, 7, 4, 1);
    float *x = random_floats(24, 2);
    int64_t shape[2] = {6, 4};
    elman_error error;
    double sum, same;

    /* Not recording: the loss alone, the same bits, no gradient. */
    elman_tape_mode mode;
    elman_tape_mode_default(&mode);
    elman_tape_begin(tape, &mode);
    elman_var *loss = elman_op_linear_cross_entropy(tape, elman_tape_leaf(tape, 2, shape, x), w,
                                                    NULL, few, 0.5F, &sum, NULL);
    float recorded = loss->value.data[0];
    memset(w->gradient, 0, 28 * sizeof(float));
    mode.record = false;
    elman_tape_begin(tape, &mode);
    loss = elman_op_linear_cross_entropy(tape, elman_tape_leaf(tape, 2, shape, x), w, NULL, few,
                                         0.5F, &same, NULL);
    assert_true(compare_bits(&recorded, loss->value.data, 1));
    assert_true(sum == same);
    for (int i = 0; i < 28; i++)
        assert_true(w->gradient[i] == 0.0F);

    /* Backward must start from it. */
    elman_tape_begin(tape, NULL);
    elman_var *leaf = elman_tape_leaf(tape, 2, shape, x);
    loss = elman_op_linear_cross_entropy(tape, leaf, w, NULL, few, 0.5F, NULL, NULL);
    assert_int_equal(elman_tape_backward(tape, elman_scale(tape, loss, 2.0F), &error),
                     ELMAN_ERROR_ARGUMENT);

    /* No target counts: zero, and zero gradient. */
    const int32_t none[6] = {-100, -100, -100, -100, -100, -100};
    elman_tape_begin(tape, NULL);
    leaf = elman_tape_leaf(tape, 2, shape, x);
    loss = elman_op_linear_cross_entropy(tape, leaf, w, NULL, none, 0.5F, &sum, NULL);
    assert_true(sum == 0.0 && loss->value.data[0] == 0.0F);
    for (int i = 0; i < 24; i++)
        assert_true(elman_var_gradient(leaf)[i] == 0.0F);

    const int32_t wrong[6] = {0, 1, 2, 7, 0, 0};
    elman_tape_begin(tape, NULL);
    leaf = elman_tape_leaf(tape, 2, shape, x);
    assert_null(elman_op_linear_cross_entropy(tape, leaf, w, NULL, wrong, 0.5F, NULL, NULL));
    assert_int_equal(elman_tape_status(tape, &error), ELMAN_ERROR_DATA);
    assert_string_equal(error.message,
                        "linear cross entropy: target 3 is 7, expected 0 to 6, or -100 for none");
    free(x);
    elman_parameter_free(w);
}

static void test_rest(void **state)
{
    (void)state;
    for_each_context(rest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bits),
        cmocka_unit_test(test_gradient),
        cmocka_unit_test(test_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
