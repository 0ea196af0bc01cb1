/* Attention over time: its formula and gradients, PyTorch's figures, the weights that it answers,
 * and a sequence alone as in its batch. */
#include "../op/reading_case.h"

#include <math.h>

#include "elman/layer.h"

enum { B = 5, T = 4 };

static const int64_t lengths[B] = {2, 4, 0, 1, 4};
/* Packed rows by step and sequence: longest first. */
static const int64_t packed[T][B] = {
    {2, 0, -1, 3, 1}, {6, 4, -1, -1, 5}, {-1, 7, -1, -1, 8}, {-1, 9, -1, -1, 10}};

static void formula(const double *const *in, double *out, const gradient_case *c)
{
    const int64_t F = c->inputs[0].shape[1], A = c->inputs[1].shape[0];
    for (int64_t b = 0; b < B; b++) {
        double total = 0.0;
        for (int64_t f = 0; f < F; f++)
            out[b * F + f] = 0.0;
        for (int64_t t = 0; t < lengths[b]; t++) {
            const double *x = in[0] + packed[t][b] * F;
            double score = 0.0;
            for (int64_t j = 0; j < A; j++) {
                double u = in[2][j];
                for (int64_t f = 0; f < F; f++)
                    u += in[1][j * F + f] * x[f];
                score += tanh(u) * in[3][j];
            }
            total += exp(score);
            for (int64_t f = 0; f < F; f++)
                out[b * F + f] += exp(score) * x[f];
        }
        for (int64_t f = 0; total > 0.0 && f < F; f++)
            out[b * F + f] /= total;
    }
}

static elman_var *build(elman_tape *tape, elman_var **vars, elman_parameter **parameters,
                        const void *user)
{
    (void)user;
    const elman_attention_pool_layer layer = {parameters[1], parameters[2], parameters[3]};
    const elman_sequences *s = elman_tape_sequences(tape, T, B, lengths, NULL, 0);
    return elman_attention_pool(tape, &layer, vars[0], s, NULL);
}

static void formulas(void **state)
{
    (void)state;
    static const int64_t sizes[][2] = {{1, 1}, {7, 3}, {16, 17}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        gradient_case c = {.name = "attention pool", .count = 4, .build = build};
        c.formula = formula;
        c.inputs[0] = (gradient_input){2, {11, sizes[i][0]}, false};
        c.inputs[1] = (gradient_input){2, {sizes[i][1], sizes[i][0]}, true};
        c.inputs[2] = (gradient_input){1, {sizes[i][1]}, true};
        c.inputs[3] = (gradient_input){1, {sizes[i][1]}, true};
        assert_true(gradient_check(&c));
    }
}

static elman_attention_pool_layer make(elman_context *context, int64_t F, int64_t A,
                                       elman_parameters **set)
{
    elman_attention_pool_layer layer;
    assert_int_equal(elman_parameters_create(context, true, set, NULL), ELMAN_OK);
    assert_int_equal(elman_attention_pool_create(*set, "pool", F, A, &layer, NULL), ELMAN_OK);
    return layer;
}

static void figure(elman_tape *tape, golden *file, const char *prefix)
{
    elman_parameters *set;
    elman_var *x = figure_leaf(tape, file, prefix, "x"), *weights;
    const elman_tensor *w = golden_find(file, prefix, "weight");
    int64_t shape[3] = {x->value.shape[0], x->value.shape[1], 1};
    elman_attention_pool_layer layer = make(tape->context, w->shape[1], w->shape[0], &set);
    static const char *const names[] = {"weight", "bias", "context"};
    elman_parameter *parameters[] = {layer.weight, layer.bias, layer.context};
    for (int i = 0; i < 3; i++) {
        const elman_tensor *given = golden_find(file, prefix, names[i]);
        char name[32];
        snprintf(name, sizeof name, "pool.%s", names[i]);
        assert_ptr_equal(elman_parameters_at(set, i), parameters[i]);
        assert_string_equal(elman_parameter_name(parameters[i]), name);
        assert_int_equal(parameters[i]->value.rank, given->rank);
        memcpy(elman_parameter_edit(parameters[i]), given->data,
               (size_t)elman_tensor_count(given) * sizeof(float));
    }
    const elman_sequences *s = figure_sequences(tape, file, prefix, x);
    elman_var *y = elman_attention_pool(tape, &layer, elman_pack(tape, x, s), s, &weights);
    figure_agrees(file, prefix, "y", y);
    assert_int_equal(weights->value.rank, 1);
    elman_var *column = elman_reshape(tape, weights, 2, (int64_t[]){s->N, 1});
    elman_var *a = elman_reshape(tape, elman_unpack(tape, column, s), 2, shape);
    figure_agrees(file, prefix, "a", a);
    assert_int_equal(elman_tape_backward(tape, gradient_weigh(tape, y), NULL), ELMAN_OK);
    figure_gradient_agrees(file, prefix, "d.x", x);
    for (int i = 0; i < 3; i++) {
        char name[32];
        snprintf(name, sizeof name, "d.%s", names[i]);
        assert_true(golden_near(file, prefix, name, parameters[i]->gradient,
                                elman_tensor_count(&parameters[i]->value), 32));
    }
    elman_parameters_free(set);
}

static void figures(void **state)
{
    (void)state;
    if (!for_each_figure("attention_pool", 3, "x", figure))
        skip();
}

/* -- bits -------------------------------------------------------------------------------------- */

enum { WIDE_F = 67, WIDE_A = 35, N = 11 };

static float *kept[6];

static void compare(elman_context *context, elman_tape *tape)
{
    elman_parameters *set;
    elman_var *weights;
    elman_attention_pool_layer layer = make(context, WIDE_F, WIDE_A, &set);
    assert_int_equal(elman_initialise(set, "uniform:0.5", 3, NULL), ELMAN_OK);
    float *x = random_floats(N * WIDE_F, 1);
    elman_tape_begin(tape, NULL);
    const elman_sequences *s = elman_tape_sequences(tape, T, B, lengths, NULL, 0);
    elman_var *leaf = elman_tape_leaf(tape, 2, (int64_t[]){N, WIDE_F}, x);
    elman_var *y = elman_attention_pool(tape, &layer, leaf, s, &weights);
    assert_int_equal(elman_tape_backward(tape, gradient_weigh(tape, y), NULL), ELMAN_OK);
    same_bits(&kept[0], y->value.data, B * WIDE_F);
    same_bits(&kept[1], weights->value.data, N);
    same_bits(&kept[2], elman_var_gradient(leaf), N * WIDE_F);
    same_bits(&kept[3], layer.weight->gradient, WIDE_A * WIDE_F);
    same_bits(&kept[4], layer.bias->gradient, WIDE_A);
    same_bits(&kept[5], layer.context->gradient, WIDE_A);
    for (int64_t b = 0; b < B; b++) {
        float own[T * WIDE_F] = {0};
        for (int64_t t = 0; t < lengths[b]; t++)
            memcpy(own + t * WIDE_F, x + packed[t][b] * WIDE_F, WIDE_F * sizeof *own);
        elman_tape_begin(tape, NULL);
        s = elman_tape_sequences(tape, lengths[b], 1, NULL, NULL, 0);
        leaf = elman_tape_leaf(tape, 2, (int64_t[]){lengths[b], WIDE_F}, own);
        y = elman_attention_pool(tape, &layer, leaf, s, &weights);
        assert_true(compare_bits(y->value.data, kept[0] + b * WIDE_F, WIDE_F));
        for (int64_t t = 0; t < lengths[b]; t++)
            assert_true(weights->value.data[t] == kept[1][packed[t][b]]);
    }
    free(x);
    elman_parameters_free(set);
}

static void bits(void **state)
{
    (void)state;
    for_each_context(compare);
    for (int i = 0; i < 6; i++)
        free(kept[i]);
}

/* The context vector has A inputs and one output: U(+-1/sqrt(A)), and by Xavier
 * U(+-sqrt(6/(A+1))). */
static void initialised(elman_context *context, elman_tape *tape)
{
    elman_parameters *set;
    enum { A = 400 };
    (void)tape;
    elman_attention_pool_layer layer = make(context, 3, A, &set);
    for (int xavier = 0; xavier < 2; xavier++) {
        double bound = xavier ? sqrt(6.0 / (A + 1)) : 1.0 / sqrt(A), largest = 0.0;
        assert_int_equal(elman_initialise(set, xavier ? "xavier-uniform" : NULL, 1, NULL),
                         ELMAN_OK);
        for (int i = 0; i < A; i++)
            largest = fmax(largest, fabs((double)layer.context->value.data[i]));
        assert_true(largest <= bound * 1.000001 && largest > 0.98 * bound);
    }
    assert_true(layer.context->decays);
    elman_parameters_free(set);
}

static void initialised_once(void **state)
{
    (void)state;
    for_each_context(initialised);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formulas),
        cmocka_unit_test(figures),
        cmocka_unit_test(bits),
        cmocka_unit_test(initialised_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
