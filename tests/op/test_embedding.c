/* The embedding: rows gathered, and every bit of the table's gradient chains. */
#include "product_case.h"

#include "gradient_check.h"

enum { V = 37, E = 45, T = 12, B = 20 };

static void bits(elman_context *context, elman_tape *tape)
{
    static const int64_t lengths[B] = {12, 3, 0, 7, 7, 1, 12, 2, 5, 4,
                                       9,  9, 8, 6, 5, 4, 3,  2, 1, 0};
    elman_parameter *table = random_parameter(context, 2, V, E, 1);
    float *want = calloc(V * E, sizeof *want);
    for (int round = 0; round < 2; round++) {
        elman_tape_begin(tape, NULL);
        const elman_sequences *s =
            elman_tape_sequences(tape, T, B, round ? NULL : lengths, NULL, 0);
        size_t N = (size_t)s->N;
        int32_t *tokens = calloc(N, sizeof *tokens);
        for (size_t i = 0; i < N; i++)
            tokens[i] = (int32_t)(i * i % (V - 2)); /* the last rows never occur */
        float *dy = random_floats(N * E, 3);
        size_t *order = chain_order(s);
        for (size_t q = 0; q < N; q++)
            for (size_t e = 0; e < E; e++)
                want[(size_t)tokens[order[q]] * E + e] += dy[order[q] * E + e];
        elman_var *y = elman_op_embedding(tape, table, tokens, s->N, s);
        for (size_t i = 0; i < N; i++)
            assert_memory_equal(y->value.data + i * E, table->value.data + (size_t)tokens[i] * E,
                                E * sizeof(float));
        assert_int_equal(elman_tape_backward(tape, given_gradient(tape, y, dy), NULL), ELMAN_OK);
        assert_true(compare_bits(table->gradient, want, V * E));
        assert_true(compare_varied(want, V * E));
        free(tokens);
        free(dy);
        free(order);
    }
    free(want);
    elman_parameter_free(table);
}

static void test_bits(void **state)
{
    (void)state;
    for_each_context(bits);
}

static const int32_t few[] = {3, 0, 3, 3, 6, 0};

static elman_var *build(elman_tape *tape, elman_var **vars, elman_parameter **parameters,
                        const void *user)
{
    (void)vars;
    (void)user;
    return elman_op_embedding(tape, parameters[0], few, 6, NULL);
}

static void formula(const double *const *in, double *out, const gradient_case *c)
{
    int64_t width = c->inputs[0].shape[1];
    for (int64_t i = 0; i < 6; i++)
        for (int64_t e = 0; e < width; e++)
            out[i * width + e] = in[0][few[i] * width + e];
}

static void test_gradient(void **state)
{
    (void)state;
    for (int64_t width = 1; width < 40; width += 13) {
        gradient_case c = {.name = "embedding", .count = 1, .build = build, .formula = formula};
        c.inputs[0] = (gradient_input){2, {7, width}, true};
        assert_true(gradient_check(&c));
    }
}

static void errors(elman_context *context, elman_tape *tape)
{
    elman_parameter *table = random_parameter(context, 2, V, E, 1);
    const int32_t wrong[2][2] = {{0, V}, {-1, 0}};
    const char *said[2] = {"embedding p: token 1 is 37, expected 0 to 36",
                           "embedding p: token 0 is -1, expected 0 to 36"};
    for (int i = 0; i < 2; i++) {
        elman_error error;
        elman_tape_begin(tape, NULL);
        assert_null(elman_op_embedding(tape, table, wrong[i], 2, NULL));
        assert_int_equal(elman_tape_status(tape, &error), ELMAN_ERROR_DATA);
        assert_string_equal(error.message, said[i]);
    }
    elman_parameter_free(table);
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
        cmocka_unit_test(test_gradient),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
