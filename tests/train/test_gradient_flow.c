/* The measurement of the gradient through time, where the truth is known: linear recurrences, one
 * that leaves float's range, and sums over single losses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "elman/gradient_flow.h"
#include "elman/layer.h"
#include "graph/tape_impl.h"
#include "train/flow_layer.h"
#include "train/gradient_flow.h"

static elman_context *context;

static int begin(void **state)
{
    (void)state;
    return elman_context_create(NULL, &context, NULL) == ELMAN_OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    elman_context_free(context);
    return 0;
}

static elman_flow linear(double factor, int64_t lags)
{
    elman_flow flow;
    elman_error error;
    elman_flow_options options;
    elman_flow_options_default(&options);
    options.lags = lags;
    if (elman_flow_linear(context, factor, &options, &flow, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    assert_int_equal(flow.count, 1);
    return flow;
}

static void test_linear(void **state)
{
    static const double factors[] = {0.1, 0.5, 0.9, 1.0, 1.1};
    (void)state;
    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++) {
        elman_flow flow = linear(factors[i], 60);
        const elman_flow_layer *l = &flow.layers[0];
        assert_int_equal(l->lags, 60);
        assert_true(l->state.norm[0] == 1);
        int64_t horizon = -1;
        for (int64_t k = 0; k <= 60; k++) {
            double expected = pow(factors[i], (double)k);
            if (expected > 1e-40) /* below, it may be what a float no longer holds */
                assert_true(fabs(l->state.norm[k] - expected) <= 3e-6 * expected);
            else
                assert_true(l->state.norm[k] < 1e-39);
            assert_true(l->state.spread[k] == 1);
            if (horizon < 0 && expected <= 0.01)
                horizon = k;
        }
        assert_int_equal(l->state.horizon, horizon);
        assert_float_equal(l->state.factor, factors[i], 1e-6);
        assert_float_equal(l->singular_value, factors[i], 1e-6);
        assert_float_equal(l->spectral_radius, factors[i], 1e-6);
        assert_true(l->dead == 0);
        elman_flow_clear(context, &flow);
    }
    elman_flow flow = linear(0.9, 50);
    assert_float_equal(flow.layers[0].state.norm[10], 0.3486784401, 1e-6);
    assert_float_equal(flow.layers[0].state.norm[50], 0.0051537752, 1e-6);
    elman_flow_clear(context, &flow);
}

/* 2^95 of growth and the scale by which vanishing is followed do not fit a float together. */
static void test_growth_beyond_the_scale(void **state)
{
    (void)state;
    elman_flow flow = linear(2, 95);
    assert_true(fabs(flow.layers[0].state.norm[95] / 0x1p95 - 1) < 1e-12);
    assert_int_equal(flow.layers[0].state.horizon, -1);
    elman_flow_clear(context, &flow);
}

static void test_linear_refuses(void **state)
{
    static const double wrong[] = {0, -0.5, 2.1, NAN};
    (void)state;
    elman_flow flow;
    elman_error error;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(elman_flow_linear(context, wrong[i], NULL, &flow, &error),
                         ELMAN_ERROR_ARGUMENT);
    elman_flow_options options;
    elman_flow_options_default(&options);
    options.lags = 2000;
    assert_int_equal(elman_flow_linear(context, 1.1, &options, &flow, &error),
                     ELMAN_ERROR_ARGUMENT);
}

static void test_means(void **state)
{
    (void)state;
    elman_flow_mean mean = {0};
    assert_true(isnan(elman_flow_mean_value(&mean)));
    elman_flow_mean_add(&mean, 2);
    elman_flow_mean_add(&mean, 8);
    assert_float_equal(elman_flow_mean_value(&mean), 4, 1e-12);
    assert_float_equal(elman_flow_mean_spread(&mean), exp(log(2) * sqrt(2)), 1e-12);
    elman_flow_mean_add(&mean, 0);
    assert_true(elman_flow_mean_value(&mean) == 0);
}

/* -- single losses -----------------------------------------------------------------------------
 * The gradient of the sum of the losses of all steps is the sum over the steps of single ones. */

enum { T = 7, B = 3, I = 4, H = 6, WEIGHTS = 4 * H * H };

static void gradient_of(elman_recurrent_layer *layer, elman_parameters *set, elman_tape *tape,
                        const float *x, int64_t only, double *weight)
{
    elman_error error;
    elman_parameters_zero_gradients(set);
    elman_tape_begin(tape, NULL);
    elman_var *y = elman_recurrent_forward(
        tape, layer, elman_tape_input(tape, 3, (int64_t[]){T, B, I}, x), NULL, NULL, NULL);
    if (only >= 0)
        y = elman_steps(tape, y, only, only + 1);
    y = elman_multiply(tape, y, y);
    y = elman_reshape(tape, y, 1, (int64_t[]){elman_tensor_count(elman_var_value(y))});
    elman_var *loss = NULL;
    for (int64_t i = 0; i < elman_tensor_count(elman_var_value(y)); i++) {
        elman_var *one = elman_reshape(tape, elman_slice(tape, y, i, i + 1), 0, NULL);
        loss = loss ? elman_add(tape, loss, one) : one;
    }
    if (elman_tape_backward(tape, loss, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    const float *g = elman_parameter_gradient(layer->cells->weight_hh);
    for (int64_t i = 0; i < elman_tensor_count(elman_parameter_value(layer->cells->weight_hh)); i++)
        weight[i] += (double)g[i];
}

static void test_sum_of_single_losses(void **state)
{
    (void)state;
    float x[T * B * I];
    for (int i = 0; i < T * B * I; i++)
        x[i] = (float)(i * 37 % 64) / 32 - 1;
    for (int kind = 0; kind < 8; kind++) {
        elman_parameters *set;
        elman_recurrent_layer layer;
        elman_recurrent_options options;
        elman_tape *tape;
        double whole[WEIGHTS] = {0}, single[WEIGHTS] = {0}, largest = 0;
        assert_int_equal(elman_parameters_create(context, true, &set, NULL), ELMAN_OK);
        elman_recurrent_options_default(&options);
        options.cell = (elman_cell)(kind % 4);
        options.layer_norm = kind >= 4;
        options.input = I;
        options.hidden = H;
        assert_int_equal(elman_recurrent_create(set, "rnn", &options, &layer, NULL), ELMAN_OK);
        assert_int_equal(elman_initialise(set, "", 3, NULL), ELMAN_OK);
        assert_int_equal(elman_tape_create(context, &tape, NULL), ELMAN_OK);
        gradient_of(&layer, set, tape, x, -1, whole);
        for (int64_t t = 0; t < T; t++)
            gradient_of(&layer, set, tape, x, t, single);
        for (int i = 0; i < WEIGHTS; i++)
            largest = fmax(largest, fabs(whole[i]));
        assert_true(largest > 0.01);
        for (int i = 0; i < WEIGHTS; i++)
            assert_true(fabs(whole[i] - single[i]) <= 4e-6 * largest);
        elman_tape_free(tape);
        elman_parameters_free(set);
    }
}

/* What is observed changes no gradient. */
static void test_observing_changes_nothing(void **state)
{
    (void)state;
    float x[T * B * I], dx[2][T * B * I];
    for (int i = 0; i < T * B * I; i++)
        x[i] = (float)(i * 37 % 64) / 32 - 1;
    for (int kind = 0; kind < 8; kind++) {
        elman_parameters *set;
        elman_recurrent_layer layer;
        elman_recurrent_options options;
        elman_tape *tape;
        float weight[2][WEIGHTS] = {{0}};
        assert_int_equal(elman_parameters_create(context, true, &set, NULL), ELMAN_OK);
        elman_recurrent_options_default(&options);
        options.cell = (elman_cell)(kind % 4);
        options.layer_norm = kind >= 4;
        options.layers = 2;
        options.input = I;
        options.hidden = H;
        assert_int_equal(elman_recurrent_create(set, "rnn", &options, &layer, NULL), ELMAN_OK);
        assert_int_equal(elman_initialise(set, "", 3, NULL), ELMAN_OK);
        assert_int_equal(elman_tape_create(context, &tape, NULL), ELMAN_OK);
        for (int look = 0; look < 2; look++) {
            elman_tape_mode mode;
            elman_tape_mode_default(&mode);
            mode.observe = look == 1;
            elman_parameters_zero_gradients(set);
            elman_tape_begin(tape, &mode);
            elman_var *in = elman_tape_leaf(tape, 3, (int64_t[]){T, B, I}, x);
            elman_var *y = elman_recurrent_forward(tape, &layer, in, NULL, NULL, NULL);
            y = elman_reshape(tape, y, 1, (int64_t[]){T * B * H});
            elman_var *loss = elman_reshape(tape, elman_slice(tape, y, 50, 51), 0, NULL);
            assert_int_equal(elman_tape_backward(tape, loss, NULL), ELMAN_OK);
            memcpy(dx[look], elman_var_gradient(in), sizeof dx[look]);
            memcpy(weight[look], elman_parameter_gradient(layer.cells[1].weight_hh),
                   (size_t)elman_tensor_count(elman_parameter_value(layer.cells[1].weight_hh)) *
                       sizeof(float));
        }
        assert_memory_equal(dx[0], dx[1], sizeof dx[0]);
        assert_memory_equal(weight[0], weight[1], sizeof weight[0]);
        elman_tape_free(tape);
        elman_parameters_free(set);
    }
}

/* The same figures for any number of threads and instruction set. */
static void test_same_bits(void **state)
{
    static const elman_isa isas[] = {ELMAN_ISA_SCALAR, ELMAN_ISA_BEST};
    (void)state;
    elman_flow first = linear(0.93, 40);
    for (int threads = 1; threads <= 3; threads++)
        for (size_t i = 0; i < 2; i++) {
            elman_context_options options;
            elman_context *other;
            elman_flow flow;
            elman_context_options_default(&options);
            options.threads = threads;
            options.isa = isas[i];
            elman_flow_options wanted;
            elman_flow_options_default(&wanted);
            wanted.lags = 40;
            assert_int_equal(elman_context_create(&options, &other, NULL), ELMAN_OK);
            assert_int_equal(elman_flow_linear(other, 0.93, &wanted, &flow, NULL), ELMAN_OK);
            assert_memory_equal(flow.layers[0].state.norm, first.layers[0].state.norm,
                                41 * sizeof(double));
            assert_true(flow.layers[0].singular_value == first.layers[0].singular_value);
            elman_flow_clear(other, &flow);
            elman_context_free(other);
        }
    elman_flow_clear(context, &first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_growth_beyond_the_scale),
        cmocka_unit_test(test_linear_refuses),
        cmocka_unit_test(test_means),
        cmocka_unit_test(test_sum_of_single_losses),
        cmocka_unit_test(test_observing_changes_nothing),
        cmocka_unit_test(test_same_bits),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
