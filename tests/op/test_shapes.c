/* Shapes that do not fit are errors that name both; rounds after the first allocate nothing; the
 * caller's rounding and flush modes count for nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fenv.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "compare.h"
#include "graph/tape_impl.h"
#include "op/op.h"
#include "test_malloc.h"

typedef struct fixture {
    elman_context *context;
    elman_tape *tape;
    elman_parameter *gain;
} fixture;

static int begin(void **state)
{
    static fixture f;
    if (elman_context_create(NULL, &f.context, NULL) != ELMAN_OK ||
        elman_tape_create(f.context, &f.tape, NULL) != ELMAN_OK ||
        elman_parameter_create(f.context, "gain", 1, (int64_t[]){4}, true, &f.gain, NULL) !=
            ELMAN_OK)
        return -1;
    *state = &f;
    return 0;
}

static int end(void **state)
{
    fixture *f = *state;
    elman_parameter_free(f->gain);
    elman_tape_free(f->tape);
    elman_context_free(f->context);
    return 0;
}

static float data[120];
static const int32_t targets[6] = {0, 1, 2, 3, 4, 4};
static const int32_t bad_targets[6] = {0, 1, 2, 3, 5, 4};

/* Each answers a value that must be NULL; x is [2,3,5], y [2,3,4], v a scalar. */
static elman_var *wrong(elman_tape *t, fixture *f, int i)
{
    elman_var *x = elman_tape_leaf(t, 3, (int64_t[]){2, 3, 5}, data);
    elman_var *y = elman_tape_leaf(t, 3, (int64_t[]){2, 3, 4}, data);
    elman_var *v = elman_tape_leaf(t, 0, NULL, data);
    elman_var *z = elman_tape_leaf(t, 3, (int64_t[]){3, 2, 5}, data);
    const elman_sequences *s = elman_tape_sequences(t, 3, 3, NULL, NULL, 0);
    switch (i) {
    case 0:
        return elman_add(t, x, y);
    case 1:
        return elman_subtract(t, x, v);
    case 2:
        return elman_multiply(t, x, z);
    case 3:
        return elman_concatenate(t, (elman_var *[]){x, z}, 2);
    case 4:
        return elman_concatenate(t, (elman_var *[]){v, v}, 2);
    case 5:
        return elman_slice(t, x, 2, 6);
    case 6:
        return elman_slice(t, x, -1, 3);
    case 7:
        return elman_slice(t, v, 0, 0);
    case 8:
        return elman_steps(t, x, 1, 3);
    case 9:
        return elman_steps(t, x, 2, 1);
    case 10:
        return elman_steps(t, v, 0, 1);
    case 11:
        return elman_reshape(t, x, 2, (int64_t[]){2, 16});
    case 12:
        return elman_swap_steps(t, v);
    case 13:
        return elman_pack(t, x, s);
    case 14:
        return elman_unpack(t, x, s);
    case 15:
        return elman_dropout(t, x, s, 0.5, 0);
    case 16:
        return elman_cross_entropy(t, v, targets, ELMAN_REDUCTION_SUM);
    case 17:
        return elman_mean_squared_error(t, x, y);
    case 18:
        return elman_op_layer_norm(t, x, f->gain, NULL, NULL);
    case 19:
        return elman_op_layer_norm(t, y, NULL, NULL, s);
    case 20:
        return elman_reshape(t, x, 2, (int64_t[]){INT64_MAX, INT64_MAX});
    case 21:
        return elman_cross_entropy(t, x, bad_targets, ELMAN_REDUCTION_SUM);
    case 22:
        return elman_concatenate(t, NULL, 0);
    default:
        return NULL;
    }
}

static void shapes_that_do_not_fit(void **state)
{
    fixture *f = *state;
    for (int i = 0; i < 23; i++) {
        elman_error error;
        elman_tape_begin(f->tape, NULL);
        if (wrong(f->tape, f, i))
            fail_msg("case %d was accepted", i);
        elman_status status = elman_tape_status(f->tape, &error);
        elman_status want = i < 20   ? ELMAN_ERROR_SHAPE
                            : i < 21 ? ELMAN_ERROR_MEMORY
                            : i < 22 ? ELMAN_ERROR_DATA
                                     : ELMAN_ERROR_ARGUMENT;
        if (status != want)
            fail_msg("case %d: status %d, expected %d", i, (int)status, (int)want);
        /* and it stays */
        assert_null(elman_tanh(f->tape, elman_tape_input(f->tape, 0, NULL, data)));
        assert_int_equal(elman_tape_status(f->tape, NULL), want);
    }
    elman_tape_begin(f->tape, NULL);
    elman_var *x = elman_tape_leaf(f->tape, 3, (int64_t[]){2, 3, 5}, data);
    elman_error error;
    elman_add(f->tape, x, elman_slice(f->tape, x, 1, 5));
    elman_tape_status(f->tape, &error);
    assert_string_equal(error.message,
                        "add: the shapes are [2, 3, 5] and [2, 3, 4], expected the same");
    elman_tape_begin(f->tape, NULL);
    wrong(f->tape, f, 21);
    elman_tape_status(f->tape, &error);
    assert_string_equal(error.message,
                        "cross entropy: target 4 is 5, expected 0 to 4, or -100 for none");
}

static void null_in_null_out(void **state)
{
    fixture *f = *state;
    elman_tape *t = f->tape;
    elman_tape_begin(t, NULL);
    elman_var *x = elman_tape_leaf(t, 3, (int64_t[]){2, 3, 5}, data);
    assert_null(elman_add(t, NULL, x));
    assert_null(elman_multiply(t, x, NULL));
    assert_null(elman_scale(t, NULL, 2));
    assert_null(elman_tanh(t, NULL));
    assert_null(elman_concatenate(t, (elman_var *[]){x, NULL}, 2));
    assert_null(elman_slice(t, NULL, 0, 1));
    assert_null(elman_steps(t, NULL, 0, 1));
    assert_null(elman_reshape(t, NULL, 0, NULL));
    assert_null(elman_swap_steps(t, NULL));
    assert_null(elman_pack(t, NULL, NULL));
    assert_null(elman_pack(t, x, NULL));
    assert_null(elman_unpack(t, NULL, NULL));
    assert_null(elman_dropout(t, NULL, NULL, 0.5, 0));
    assert_null(elman_cross_entropy(t, NULL, targets, ELMAN_REDUCTION_SUM));
    assert_null(elman_mean_squared_error(t, x, NULL));
    assert_null(elman_op_layer_norm(t, NULL, NULL, NULL, NULL));
    assert_int_equal(elman_tape_status(t, NULL), ELMAN_OK);
}

/* Something of everything; the loss, and the gradient of x in d [120]. */
static float everything(fixture *f, float *d)
{
    static const int64_t lengths[4] = {3, 1, 6, 4};
    static const int32_t classes[24] = {0, 1, 2, 3, 4, 4, 3, 2, 1, 0, -100, 1,
                                        2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2,    3};
    elman_tape *t = f->tape;
    elman_tape_mode mode;
    elman_tape_mode_default(&mode);
    mode.train = true;
    elman_tape_begin(t, &mode);
    const elman_sequences *s = elman_tape_sequences(t, 6, 4, lengths, NULL, 0);
    elman_var *x = elman_tape_leaf(t, 3, (int64_t[]){6, 4, 5}, data);
    elman_var *h = elman_dropout(t, elman_tanh(t, elman_pack(t, x, s)), s, 0.3, 1);
    h = elman_unpack(t, h, s);
    h = elman_multiply(t, elman_sigmoid(t, h), elman_relu(t, elman_scale(t, x, 3)));
    h = elman_op_layer_norm(t, elman_slice(t, elman_concatenate(t, (elman_var *[]){h, x}, 2), 3, 7),
                            f->gain, NULL, NULL);
    h = elman_swap_steps(t, elman_add(t, h, elman_slice(t, x, 0, 4)));
    h = elman_concatenate(t, (elman_var *[]){h, elman_slice(t, h, 1, 2)}, 2);
    elman_var *loss = elman_cross_entropy(t, h, classes, ELMAN_REDUCTION_MEAN);
    loss = elman_add(t, loss,
                     elman_mean_squared_error(t, elman_steps(t, x, 0, 3), elman_steps(t, x, 3, 6)));
    assert_int_equal(elman_tape_backward(t, loss, NULL), ELMAN_OK);
    memcpy(d, elman_var_gradient(x), sizeof data);
    return elman_var_value(loss)->data[0];
}

static void fill(fixture *f)
{
    for (int i = 0; i < 120; i++)
        data[i] = (float)((i * 29) % 83) / 41.0F - 1.0F;
    for (int i = 0; i < 4; i++)
        elman_parameter_edit(f->gain)[i] = 1.0F + 0.1F * (float)i;
}

static void later_rounds_allocate_nothing(void **state)
{
    fixture *f = *state;
    float d[120], first[120];
    if (!test_malloc_works())
        skip();
    fill(f);
    float loss = everything(f, first);
    elman_tape_begin(f->tape, NULL); /* the arena becomes one block */
    size_t calls = test_malloc_calls();
    for (int i = 0; i < 3; i++) {
        assert_true(everything(f, d) == loss);
        assert_memory_equal(d, first, sizeof d);
    }
    assert_int_equal(test_malloc_calls(), calls);
}

static void the_callers_modes_are_set_aside(void **state)
{
    fixture *f = *state;
    static const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    float d[120], first[120];
    fill(f);
    data[7] = 0x1p-128F; /* subnormal in */
    float loss = everything(f, first);
    assert_true(compare_varied(first, 120));
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        assert_int_equal(fesetround(modes[i]), 0);
#if defined(__SSE2__)
        unsigned before = _mm_getcsr();
        _mm_setcsr(before | 0x8040); /* FTZ, DAZ */
#endif
        float other = everything(f, d);
#if defined(__SSE2__)
        assert_int_equal(_mm_getcsr() & 0x8040, 0x8040);
        _mm_setcsr(before);
#endif
        int after = fegetround();
        fesetround(FE_TONEAREST);
        assert_int_equal(after, modes[i]);
        assert_true(other == loss);
        assert_true(compare_bits(d, first, 120));
    }
}

static void ignored_targets_alone(void **state)
{
    fixture *f = *state;
    static const int32_t none[2] = {ELMAN_IGNORE_TARGET, ELMAN_IGNORE_TARGET};
    elman_tape_begin(f->tape, NULL);
    elman_var *x = elman_tape_leaf(f->tape, 2, (int64_t[]){2, 5}, data);
    elman_var *mean = elman_cross_entropy(f->tape, x, none, ELMAN_REDUCTION_MEAN);
    elman_var *sum = elman_cross_entropy(f->tape, x, none, ELMAN_REDUCTION_SUM);
    assert_true(isnan(elman_var_value(mean)->data[0]));
    assert_true(elman_var_value(sum)->data[0] == 0);
    assert_int_equal(elman_tape_backward(f->tape, sum, NULL), ELMAN_OK);
    for (int i = 0; i < 10; i++)
        assert_true(elman_var_gradient(x)[i] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(shapes_that_do_not_fit, begin, end),
        cmocka_unit_test_setup_teardown(null_in_null_out, begin, end),
        cmocka_unit_test_setup_teardown(later_rounds_allocate_nothing, begin, end),
        cmocka_unit_test_setup_teardown(the_callers_modes_are_set_aside, begin, end),
        cmocka_unit_test_setup_teardown(ignored_targets_alone, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
