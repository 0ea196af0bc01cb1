/* Underflow is gradual in sums, but pointwise results, gradients and optimiser state below 2^-126
 * become +0 by a select that keeps NaN. */
#include "elman/layer.h"
#include "elman/op.h"
#include "elman/optimizer.h"
#include "laws.h"
#include "op/op.h"

static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* Of both signs: the largest denormal, the smallest, the smallest normal, infinity, NaN. */
static const float edges[] = {0x1p-126F - 0x1p-149F, 0x1p-149F, 0x1p-126F, INFINITY, NAN};
enum { EDGES = 10, COUNT = 4 * EDGES + 3 };

static float edge(size_t i)
{
    return i % 2 ? -edges[i / 2 % 5] : edges[i / 2 % 5];
}

static float kept(float x)
{
    return isnan(x) || fabsf(x) >= 0x1p-126F ? x : 0.0F;
}

/* The bits, so that -0 is not taken for +0. */
static void expect(elman_context *context, const char *what, const float *got, const float *want)
{
    for (size_t i = 0; i < COUNT; i++)
        if (want[i] == 0.0F)
            assert_int_equal(bits_of(want[i]), 0);
    law_same(context, what, got, want, COUNT);
}

static void check_pointwise(elman_context *context, void *user)
{
    (void)user;
    float x[COUNT], zero[COUNT] = {0}, one[COUNT], want[COUNT], rectified[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        x[i] = edge(i);
        one[i] = 1.0F;
        want[i] = kept(x[i]);
        rectified[i] = isnan(x[i]) ? x[i] : want[i] > 0.0F ? want[i] : 0.0F;
    }
    elman_tape *tape = law_tape(context);
    const int64_t shape[1] = {COUNT};
    elman_var *a = elman_tape_leaf(tape, 1, shape, x);
    elman_var *none = elman_tape_leaf(tape, 1, shape, zero);
    elman_var *ones = elman_tape_leaf(tape, 1, shape, one);
    elman_var *y = elman_add(tape, a, none);
    expect(context, "add", y->value.data, want);
    law_flow(tape, y, x);
    law_backward(tape);
    expect(context, "add's gradient", elman_var_gradient(a), want);
    expect(context, "subtract", elman_subtract(tape, a, none)->value.data, want);
    expect(context, "multiply", elman_multiply(tape, a, ones)->value.data, want);
    expect(context, "scale", elman_scale(tape, a, 1.0F)->value.data, want);
    expect(context, "relu", elman_relu(tape, a)->value.data, rectified);
    elman_tape_free(tape);
}

static void test_pointwise(void **state)
{
    (void)state;
    law_each(check_pointwise, NULL);
}

/* A product's chain passes through denormals, and may end in one. */
static void check_gradual(elman_context *context, void *user)
{
    (void)user;
    float x[2] = {0x1p-100F, 0x1p-100F}, w[2] = {0x1p-40F, 0x1p-49F}, b[1] = {0x1p-149F};
    const float want = 0x1p-140F + 2 * 0x1p-149F;
    elman_parameter *weight = law_parameter(context, "w", 1, 2, w);
    elman_parameter *bias = law_parameter(context, "b", 1, 0, b);
    elman_tape *tape = law_tape(context);
    elman_var *in = elman_tape_leaf(tape, 2, (int64_t[]){1, 2}, x);
    elman_var *y = elman_op_linear(tape, in, weight, bias, NULL);
    law_ok(tape);
    law_same(context, "a denormal sum", y->value.data, &want, 1);
    elman_tape_free(tape);
    elman_parameter_free(bias);
    elman_parameter_free(weight);
}

static void test_gradual(void **state)
{
    (void)state;
    law_each(check_gradual, NULL);
}

/* One sequence's NaN stays in it, and no function hides it; states below 2^-100 become +0. */
static void check_states(elman_context *context, void *user)
{
    const elman_cell cell = *(const elman_cell *)user;
    enum { T = 2, B = 3, I = 1, H = 19 };
    const size_t G = elman_cell_gates(cell) * H;
    float *w = law_zeros(G * H), x[T * B * I];
    for (size_t i = 0; i < G; i++) /* of an LSTM g, of a GRU n feeds the state */
        w[i] = 1.0F;
    for (int i = 0; i < T * B; i++)
        x[i] = i % B == 0 ? NAN : i % B == 1 ? 0x1p-102F : 0.5F;
    elman_cell_parameters cells = {.weight_ih = law_parameter(context, "ih", G, I, w)};
    memset(w, 0, G * H * sizeof *w);
    cells.weight_hh = law_parameter(context, "hh", G, H, w);
    elman_tape *tape = law_tape(context);
    elman_recurrent layer = {
        .kind = cell, .input = I, .hidden = H, .directions = 1, .cells = &cells};
    layer.x = elman_tape_leaf(tape, 2, (int64_t[]){T * B, I}, x);
    elman_op_recurrent(tape, elman_tape_sequences(tape, T, B, NULL, NULL, 0), &layer);
    law_ok(tape);
    for (int i = 0; i < T * B; i++)
        for (int u = 0; u < H; u++) {
            float y = layer.y->value.data[i * H + u];
            if (i % B == 0)
                assert_true(isnan(y));
            else if (i % B == 1)
                assert_int_equal(bits_of(y), 0);
            else
                assert_true(y > 0.1F && y < 1.0F);
        }
    elman_tape_free(tape);
    elman_parameter_free(cells.weight_ih);
    elman_parameter_free(cells.weight_hh);
    free(w);
}

static void test_states(void **state)
{
    (void)state;
    for (elman_cell cell = ELMAN_CELL_RNN; cell <= ELMAN_CELL_GRU; cell++)
        law_each(check_states, &cell);
}

/* An optimiser's step: gradients, state and parameters below 2^-126 are +0. */
static void check_optimizer(elman_context *context, void *user)
{
    const elman_optimizer_kind kind = *(const elman_optimizer_kind *)user;
    elman_parameters *set;
    elman_parameter *p;
    elman_optimizer *optimizer;
    elman_optimizer_options options;
    const int64_t count = 67;
    elman_optimizer_options_default(&options);
    options.kind = kind;
    options.momentum = kind == ELMAN_OPTIMIZER_SGD ? 0.9 : 0;
    options.clip = 0;
    assert_int_equal(elman_parameters_create(context, true, &set, NULL), ELMAN_OK);
    assert_int_equal(elman_parameters_add(set, "p", 1, &count, &p, NULL), ELMAN_OK);
    assert_int_equal(elman_optimizer_create(context, set, &options, &optimizer, NULL), ELMAN_OK);
    for (int64_t i = 0; i < count; i++)
        elman_parameter_edit(p)[i] = i % 2 ? -0x1p-127F : 1.0F;
    for (int step = 0; step < 2; step++) {
        for (int64_t i = 0; i < count; i++)
            p->gradient[i] = i % 2 ? -0x1p-127F : 0x1p-130F;
        assert_int_equal(elman_optimizer_step(optimizer, 1.0, NULL, NULL), ELMAN_OK);
        for (int64_t i = 0; i < count; i++)
            assert_int_equal(bits_of(p->value.data[i]), i % 2 ? 0 : bits_of(1.0F));
    }
    elman_optimizer_free(optimizer);
    elman_parameters_free(set);
}

static void test_optimizer(void **state)
{
    (void)state;
    for (elman_optimizer_kind kind = ELMAN_OPTIMIZER_SGD; kind <= ELMAN_OPTIMIZER_ADAMW; kind++)
        law_each(check_optimizer, &kind);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pointwise),
        cmocka_unit_test(test_gradual),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_optimizer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
