/* The caller's rounding and flush modes are set aside and restored: training steps, evaluation and
 * a session's steps give the same bits whatever they are. */
#include <fenv.h>

#include "base/float_environment.h"
#include "lm.h"
#include "op/op.h"

/* Flushes denormals and rounds towards plus infinity; answers the modes' bits. */
static uint64_t set_modes(bool strange)
{
#if defined(__SSE2__)
    _mm_setcsr(strange ? 0x1f80U | 0x8040U | 0x4000U : 0x1f80U);
    return _mm_getcsr() & ~0x3fU; /* but for the exceptions that were seen */
#elif defined(__aarch64__)
    uint64_t modes = strange ? (uint64_t)1 << 24 | (uint64_t)1 << 22 : 0;
    __asm__ volatile("msr fpcr, %0" : : "r"(modes));
    return modes;
#else
    fesetround(strange ? FE_UPWARD : FE_TONEAREST);
    return (uint64_t)fegetround();
#endif
}

static uint64_t get_modes(void)
{
#if defined(__SSE2__)
    return _mm_getcsr() & ~0x3fU;
#elif defined(__aarch64__)
    uint64_t modes;
    __asm__ volatile("mrs %0, fpcr" : "=r"(modes));
    return modes;
#else
    return (uint64_t)fegetround();
#endif
}

/* All parameters, the loss and the sum of nats after some steps. */
typedef struct outcome {
    float *values;
    size_t count;
} outcome;

static outcome train(elman_context *context, const elman_config *config, bool strange)
{
    uint64_t modes = set_modes(strange);
    lm_trainer t = lm_trainer_begin(context, config);
    elman_parameters *set = elman_network_parameters(t.network);
    double sums[LM_STEPS];
    float losses[LM_STEPS];
    for (int i = 0; i < LM_STEPS; i++) {
        lm_train_step(&t, i == 1);
        sums[i] = t.sum;
        losses[i] = t.loss;
        assert_true(get_modes() == modes);
    }
    set_modes(false);
    outcome out = {.count = (size_t)elman_parameters_elements(set) + (size_t)(3 * LM_STEPS)};
    out.values = law_zeros(out.count);
    float *to = out.values;
    for (int i = 0; i < LM_STEPS; i++, to += 3) {
        to[0] = losses[i];
        memcpy(to + 1, &sums[i], sizeof sums[i]);
    }
    for (int64_t i = 0; i < elman_parameters_count(set); i++) {
        const elman_tensor *value = elman_parameter_value(elman_parameters_at(set, i));
        memcpy(to, value->data, (size_t)elman_tensor_count(value) * sizeof *to);
        to += elman_tensor_count(value);
    }
    lm_trainer_end(&t);
    return out;
}

static void check_training(elman_context *context, void *user)
{
    outcome got = train(context, user, true), want = train(context, user, false);
    law_same(context, "training under strange modes", got.values, want.values, got.count);
    free(got.values);
    free(want.values);
}

/* An LSTM everywhere, the other cells on the best instruction set with two threads. */
static void each_cell(void (*check)(elman_context *context, void *user))
{
    for (int cell = ELMAN_CELL_RNN; cell <= ELMAN_CELL_GRU; cell++) {
        elman_config config = lm_config((elman_cell)cell, 29);
        if (cell == ELMAN_CELL_LSTM) {
            law_each(check, &config);
            continue;
        }
        elman_context *context = law_context(ELMAN_ISA_BEST, 2);
        check(context, &config);
        elman_context_free(context);
    }
}

static void test_training(void **state)
{
    (void)state;
    each_cell(check_training);
}

static void session(elman_context *context, const elman_config *config, bool strange, float *logits)
{
    uint64_t modes = set_modes(strange);
    elman_model *model = lm_model(context, config);
    elman_session *s;
    assert_int_equal(elman_session_create(context, model, &s, NULL), ELMAN_OK);
    for (int32_t i = 0; i < 20; i++)
        assert_int_equal(elman_session_step(s, i * 7 % 29, logits, NULL), ELMAN_OK);
    assert_true(get_modes() == modes);
    set_modes(false);
    elman_session_free(context, s);
    elman_model_free(model);
}

static void check_session(elman_context *context, void *user)
{
    float got[29], want[29];
    session(context, user, true, got);
    session(context, user, false, want);
    law_same(context, "a session under strange modes", got, want, 29);
}

static void test_session(void **state)
{
    (void)state;
    each_cell(check_session);
}

/* Every operation of elman/op.h, forwards and backwards, over numbers of which many are denormal
 * or become so. */
static float *operations(elman_context *context, const float *numbers, size_t n, bool strange)
{
    float *out = law_zeros(20 * n);
    uint64_t modes = set_modes(strange);
    elman_tape *tape = law_tape(context);
    const int64_t shape[2] = {(int64_t)n / 10, 10};
    elman_var *a = elman_tape_leaf(tape, 2, shape, numbers);
    elman_var *b = elman_tape_leaf(tape, 2, shape, numbers + n);
    elman_var *values[] = {
        elman_add(tape, a, b),      elman_subtract(tape, a, b),
        elman_multiply(tape, a, b), elman_scale(tape, a, 0.3F),
        elman_tanh(tape, a),        elman_sigmoid(tape, b),
        elman_relu(tape, a),        elman_slice(tape, b, 2, 9),
        elman_swap_steps(tape, a),  elman_op_layer_norm(tape, b, NULL, NULL, NULL)};
    const size_t count = sizeof values / sizeof *values;
    elman_var *flat[sizeof values / sizeof *values];
    float *to = out;
    for (size_t i = 0; i < count; i++) {
        int64_t elements = elman_tensor_count(&values[i]->value);
        memcpy(to, values[i]->value.data, (size_t)elements * sizeof *to);
        to += elements;
        flat[i] = elman_reshape(tape, values[i], 2, (int64_t[]){1, elements});
    }
    elman_var *joined = elman_concatenate(tape, flat, (int)count);
    elman_var *loss = elman_mean_squared_error(tape, joined, elman_scale(tape, joined, 0.75F));
    assert_int_equal(elman_tape_backward(tape, loss, NULL), ELMAN_OK);
    memcpy(to, loss->value.data, sizeof *to);
    memcpy(to + 1, elman_var_gradient(a), n * sizeof *to);
    memcpy(to + 1 + n, elman_var_gradient(b), n * sizeof *to);
    assert_true(get_modes() == modes);
    set_modes(false);
    elman_tape_free(tape);
    return out;
}

enum { NUMBERS = 4100 };

static void check_operations(elman_context *context, void *user)
{
    float *got = operations(context, user, NUMBERS, true);
    float *want = operations(context, user, NUMBERS, false);
    law_same(context, "operations under strange modes", got, want, 20 * NUMBERS);
    free(got);
    free(want);
}

static void test_operations(void **state)
{
    (void)state;
    float *numbers = law_numbers(2 * NUMBERS, 77);
    for (size_t i = 0; i < 2 * NUMBERS; i += 3)
        numbers[i] *= i % 2 ? 0x1p-120F : 0x1p-130F;
    law_each(check_operations, numbers);
    free(numbers);
}

/* Two layers begin with the same state, whose gradient is then a sum. */
static void check_shared_state(elman_context *context, void *user)
{
    (void)user;
    enum { T = 3, B = 5, H = 67, STATE = B * H };
    elman_parameters *set;
    elman_recurrent_layer layer;
    elman_recurrent_options options;
    elman_recurrent_options_default(&options);
    options.cell = ELMAN_CELL_GRU;
    options.input = options.hidden = H;
    assert_int_equal(elman_parameters_create(context, true, &set, NULL), ELMAN_OK);
    assert_int_equal(elman_recurrent_create(set, "rnn", &options, &layer, NULL), ELMAN_OK);
    assert_int_equal(elman_initialise(set, NULL, 3, NULL), ELMAN_OK);
    float *x = law_numbers(T * STATE, 1), *h0 = law_numbers(STATE, 2);
    float *dy = law_numbers(T * STATE, 3), gradient[2][STATE];
    for (int strange = 0; strange < 2; strange++) {
        elman_tape *tape = law_tape(context);
        set_modes(strange);
        elman_var *in = elman_tape_input(tape, 3, (int64_t[]){T, B, H}, x);
        elman_state state = {.h = elman_tape_leaf(tape, 3, (int64_t[]){1, B, H}, h0)};
        elman_var *a = elman_recurrent_forward(tape, &layer, in, NULL, &state, NULL);
        elman_var *b = elman_recurrent_forward(tape, &layer, a, NULL, &state, NULL);
        law_ok(tape);
        law_flow(tape, b, dy);
        law_backward(tape);
        set_modes(false);
        memcpy(gradient[strange], elman_var_gradient(state.h), sizeof gradient[strange]);
        elman_tape_free(tape);
    }
    law_same(context, "a shared state under strange modes", gradient[1], gradient[0], STATE);
    free(x);
    free(h0);
    free(dy);
    elman_parameters_free(set);
}

static void test_shared_state(void **state)
{
    (void)state;
    law_each(check_shared_state, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_training),
        cmocka_unit_test(test_session),
        cmocka_unit_test(test_shared_state),
        cmocka_unit_test(test_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
