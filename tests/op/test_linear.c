/* The linear layer: its formula, its gradients, and every bit of its chains. */
#include "product_case.h"

#include "gradient_check.h"

enum { T = 9, B = 31, K = 70, O = 133 };

static const int64_t lengths[B] = {9, 3, 0, 7, 7, 1, 9, 2, 5, 4, 9, 9, 8, 6, 5, 4,
                                   3, 2, 1, 0, 9, 8, 8, 8, 7, 9, 9, 9, 6, 5, 4};

static void bits(elman_context *context, elman_tape *tape)
{
    elman_parameter *w = random_parameter(context, 2, O, K, 1);
    elman_parameter *b = random_parameter(context, 1, O, 0, 2);
    /* Twice: the gradients continue, the packed copies are made again after a change. */
    float *dw = calloc(O * K, sizeof *dw), *db = calloc(O, sizeof *db);
    for (int round = 0; round < 2; round++) {
        elman_tape_begin(tape, NULL);
        const elman_sequences *s = elman_tape_sequences(tape, T, B, lengths, NULL, 0);
        size_t N = (size_t)s->N;
        float *x = random_floats(N * K, 3), *dy = random_floats(N * O, 4);
        float *y = calloc(N * O, sizeof *y), *dx = calloc(N * K, sizeof *dx);
        for (size_t i = 0; i < N; i++)
            for (size_t o = 0; o < O; o++)
                y[i * O + o] =
                    elman_ref_chain(b->value.data[o], K, x + i * K, 1, w->value.data + o * K, 1);
        for (size_t i = 0; i < N; i++)
            for (size_t j = 0; j < K; j++)
                dx[i * K + j] = elman_ref_chain(0.0F, O, dy + i * O, 1, w->value.data + j, K);
        size_t *order = chain_order(s);
        const float one = 1.0F;
        chain_columns(dw, dy, O, x, K, order, N);
        for (size_t q = 0; q < N; q++)
            for (size_t o = 0; o < O; o++)
                db[o] = elman_ref_chain(db[o], 1, dy + order[q] * O + o, 1, &one, 0);

        int64_t shape[2] = {s->N, K};
        elman_var *leaf = elman_tape_leaf(tape, 2, shape, x);
        elman_var *out = elman_op_linear(tape, leaf, w, b, s);
        assert_non_null(out);
        assert_true(compare_bits(out->value.data, y, N * O));
        assert_true(compare_varied(y, N * O));
        elman_error error;
        assert_int_equal(elman_tape_backward(tape, given_gradient(tape, out, dy), &error),
                         ELMAN_OK);
        assert_true(compare_bits(elman_var_gradient(leaf), dx, N * K));
        assert_true(compare_bits(w->gradient, dw, O * K));
        assert_true(compare_bits(b->gradient, db, O));
        for (size_t i = 0; i < O * K; i++)
            elman_parameter_edit(w)[i] *= 0.5F;
        free(x);
        free(dy);
        free(y);
        free(dx);
        free(order);
    }
    free(dw);
    free(db);
    elman_parameter_free(w);
    elman_parameter_free(b);
}

static void test_bits(void **state)
{
    (void)state;
    for_each_context(bits);
}

/* Rows without sequences are steps: dW takes the last first. x's gradient is added where another
 * operation has flowed into it before. */
static void steps(elman_context *context, elman_tape *tape)
{
    enum { N = 300 };
    elman_parameter *w = random_parameter(context, 2, O, K, 1);
    elman_parameter *v = random_parameter(context, 2, O, K, 5);
    float *x = random_floats(N * K, 3), *dy = random_floats(N * O, 4);
    float *dw = calloc(O * K, sizeof *dw), *dx = calloc(N * K, sizeof *dx);
    size_t order[N];
    for (size_t i = 0; i < N; i++)
        order[i] = N - 1 - i;
    chain_columns(dw, dy, O, x, K, order, N);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < K; j++)
            dx[i * K + j] = elman_ref_chain(0.0F, O, dy + i * O, 1, v->value.data + j, K) +
                            elman_ref_chain(0.0F, O, dy + i * O, 1, w->value.data + j, K);
    elman_tape_begin(tape, NULL);
    elman_var *leaf = elman_tape_leaf(tape, 2, (int64_t[]){N, K}, x);
    elman_var *first = elman_op_linear(tape, leaf, w, NULL, NULL);
    elman_var *second = elman_op_linear(tape, leaf, v, NULL, NULL);
    elman_var *loss = given_gradient(tape, first, dy);
    given_gradient(tape, second, dy);
    assert_int_equal(elman_tape_backward(tape, loss, NULL), ELMAN_OK);
    assert_true(compare_bits(w->gradient, dw, O * K));
    assert_true(compare_bits(elman_var_gradient(leaf), dx, N * K));
    free(x);
    free(dy);
    free(dw);
    free(dx);
    elman_parameter_free(w);
    elman_parameter_free(v);
}

static void test_steps(void **state)
{
    (void)state;
    for_each_context(steps);
}

static elman_var *build(elman_tape *tape, elman_var **vars, elman_parameter **parameters,
                        const void *user)
{
    (void)user;
    return elman_op_linear(tape, vars[0], parameters[1], parameters[2], NULL);
}

static void formula(const double *const *in, double *out, const gradient_case *c)
{
    int64_t outputs = c->inputs[1].shape[0], inputs = c->inputs[1].shape[1];
    for (int64_t i = 0; i < gradient_elements(c, 0) / inputs; i++)
        for (int64_t o = 0; o < outputs; o++) {
            double sum = c->count > 2 ? in[2][o] : 0.0;
            for (int64_t j = 0; j < inputs; j++)
                sum += in[0][i * inputs + j] * in[1][o * inputs + j];
            out[i * outputs + o] = sum;
        }
}

static void test_gradient(void **state)
{
    (void)state;
    static const int64_t sizes[][3] = {{1, 1, 1}, {3, 5, 7}, {2, 17, 16}, {5, 15, 31}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        gradient_case c = {.name = "linear", .build = build, .formula = formula};
        const int64_t *s = sizes[i];
        c.inputs[0] = (gradient_input){3, {s[0], 2, s[1]}, false};
        c.inputs[1] = (gradient_input){2, {s[2], s[1]}, true};
        c.inputs[2] = (gradient_input){1, {s[2]}, true};
        for (c.count = 2; c.count <= 3; c.count++)
            assert_true(gradient_check(&c));
    }
}

static void errors(elman_context *context, elman_tape *tape)
{
    elman_parameter *w = random_parameter(context, 2, 3, 4, 1);
    elman_parameter *b = random_parameter(context, 1, 5, 0, 1);
    float x[20] = {0};
    elman_error error;
    elman_tape_begin(tape, NULL);
    elman_var *leaf = elman_tape_leaf(tape, 2, (int64_t[]){4, 5}, x);
    assert_null(elman_op_linear(tape, leaf, w, NULL, NULL));
    assert_int_equal(elman_tape_status(tape, &error), ELMAN_ERROR_SHAPE);
    assert_string_equal(error.message, "linear: x is [4, 5], expected [.., 4] for the weight p");
    assert_null(elman_op_linear(tape, NULL, w, NULL, NULL));
    elman_tape_begin(tape, NULL);
    leaf = elman_tape_leaf(tape, 2, (int64_t[]){5, 4}, x);
    assert_null(elman_op_linear(tape, leaf, w, b, NULL));
    assert_int_equal(elman_tape_status(tape, NULL), ELMAN_ERROR_SHAPE);
    elman_tape_begin(tape, NULL);
    leaf = elman_tape_leaf(tape, 2, (int64_t[]){5, 4}, x);
    const elman_sequences *s = elman_tape_sequences(tape, 2, 2, NULL, NULL, 0);
    assert_null(elman_op_linear(tape, leaf, w, NULL, s));
    assert_int_equal(elman_tape_status(tape, NULL), ELMAN_ERROR_SHAPE);
    /* No rows: an empty result and no gradient. */
    elman_tape_begin(tape, NULL);
    leaf = elman_tape_leaf(tape, 2, (int64_t[]){0, 4}, x);
    elman_var *y = elman_op_linear(tape, leaf, w, NULL, NULL);
    assert_int_equal(elman_tensor_count(elman_var_value(y)), 0);
    assert_int_equal(elman_tape_backward(tape, given_gradient(tape, y, x), NULL), ELMAN_OK);
    elman_parameter_free(w);
    elman_parameter_free(b);
}

static void test_errors(void **state)
{
    (void)state;
    for_each_context(errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bits),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_gradient),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
