/* Dropout: the mask is Philox's words at (unit, time, sequence's number, pass and use). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/philox.h"
#include "compare.h"
#include "elman/op.h"
#include "gradient_check.h"

enum { T = 6, B = 5, F = 19 };
static const int64_t lengths[B] = {2, 0, 6, 3, 6};
static const uint32_t numbers[B] = {900, 7, 12, 4000000000U, 3};
static const uint32_t first_time = 40;
static const double probability = 0.375;
static const int use = 2;

/* The law, straight from the page. */
static bool kept(uint64_t seed, uint64_t pass, uint32_t time, uint32_t number, int64_t unit)
{
    uint32_t counter[4] = {(uint32_t)(unit / 4), time, number,
                           elman_philox_use(ELMAN_USE_DROPOUT + use, pass)},
             words[4];
    elman_philox(seed, counter, words);
    return (double)elman_uniform(words[unit % 4]) >= probability;
}

static elman_tape_mode training(void)
{
    elman_tape_mode mode;
    elman_tape_mode_default(&mode);
    mode.train = true;
    mode.seed = 0x123456789abcdef0U;
    mode.pass = 3;
    return mode;
}

static elman_var *build(elman_tape *tape, elman_var **v, elman_parameter **p, const void *user)
{
    (void)p;
    const elman_sequences *s =
        user ? elman_tape_sequences(tape, T, B, lengths, numbers, first_time) : NULL;
    return elman_dropout(tape, v[0], s, probability, use);
}

static void formula(const double *const *in, double *out, const gradient_case *c)
{
    static const int64_t order[B] = {2, 4, 3, 0, 1}; /* longest first */
    int64_t row = 0, rows = c->inputs[0].shape[0];
    for (int64_t t = 0; row < rows; t++)
        for (int64_t i = 0; i < (c->user ? B : 1); i++) {
            int64_t b = order[i];
            if (c->user && t >= lengths[b])
                continue;
            uint32_t time = (uint32_t)t + (c->user ? first_time : 0);
            uint32_t number = c->user ? numbers[b] : 0;
            for (int64_t unit = 0; unit < F; unit++) {
                int64_t at = row * F + unit;
                out[at] = kept(c->mode.seed, c->mode.pass, time, number, unit)
                              ? in[0][at] / (1 - probability)
                              : 0;
            }
            row++;
        }
}

static void the_mask_is_the_published_one(void **state)
{
    (void)state;
    gradient_case c = {.name = "dropout", .count = 1, .build = build, .formula = formula};
    c.mode = training();
    c.user = lengths;
    c.inputs[0] = (gradient_input){.rank = 2, .shape = {17, F}};
    assert_true(gradient_check(&c));
    c.user = NULL;
    c.inputs[0].shape[0] = 40;
    assert_true(gradient_check(&c));
}

typedef struct fixture {
    elman_context *context;
    elman_tape *tape;
} fixture;

static int begin(void **state)
{
    static fixture f;
    if (elman_context_create(NULL, &f.context, NULL) != ELMAN_OK ||
        elman_tape_create(f.context, &f.tape, NULL) != ELMAN_OK)
        return -1;
    *state = &f;
    return 0;
}

static int end(void **state)
{
    fixture *f = *state;
    elman_tape_free(f->tape);
    elman_context_free(f->context);
    return 0;
}

static void a_share_of_the_units_is_kept(void **state)
{
    fixture *f = *state;
    enum { N = 300, W = 1000 };
    float *x = malloc(sizeof *x * N * W);
    for (int i = 0; i < N * W; i++)
        x[i] = 1;
    elman_tape_mode mode = training();
    elman_tape_begin(f->tape, &mode);
    elman_var *in = elman_tape_input(f->tape, 2, (int64_t[]){N, W}, x);
    for (double p = 0.1; p < 1; p += 0.2) {
        const float *y = elman_var_value(elman_dropout(f->tape, in, NULL, p, 0))->data;
        double ones = 0;
        for (int i = 0; i < N * W; i++)
            if (y[i] != 0) {
                assert_true(y[i] == (float)(1 / (1 - p)));
                ones++;
            }
        /* five standard deviations of a binomial share */
        assert_true(fabs(ones / (N * W) - (1 - p)) < 5 * sqrt(p * (1 - p) / (N * W)));
    }
    const float *none = elman_var_value(elman_dropout(f->tape, in, NULL, 1, 0))->data;
    for (int i = 0; i < N * W; i++)
        assert_true(none[i] == 0);
    free(x);
}

static void it_is_off_unless_training(void **state)
{
    fixture *f = *state;
    static const float x[3] = {1, 2, 3};
    elman_tape_mode mode = training();
    mode.train = false;
    elman_tape_begin(f->tape, &mode);
    elman_var *in = elman_tape_input(f->tape, 1, (int64_t[]){3}, x);
    assert_ptr_equal(elman_dropout(f->tape, in, NULL, 0.5, 0), in);
    mode.train = true;
    elman_tape_begin(f->tape, &mode);
    in = elman_tape_input(f->tape, 1, (int64_t[]){3}, x);
    assert_ptr_equal(elman_dropout(f->tape, in, NULL, 0, 0), in);
    assert_null(elman_dropout(f->tape, in, NULL, NAN, 0));
    assert_int_equal(elman_tape_status(f->tape, NULL), ELMAN_ERROR_ARGUMENT);
    for (int i = 0; i < 4; i++) {
        elman_tape_begin(f->tape, &mode);
        in = elman_tape_input(f->tape, 1, (int64_t[]){3}, x);
        assert_null(elman_dropout(f->tape, in, NULL,
                                  i == 0   ? -0.1
                                  : i == 1 ? 1.1
                                           : 0.5,
                                  i == 2   ? -1
                                  : i == 3 ? 240
                                           : 0));
        assert_int_equal(elman_tape_status(f->tape, NULL), ELMAN_ERROR_ARGUMENT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mask_is_the_published_one),
        cmocka_unit_test_setup_teardown(a_share_of_the_units_is_kept, begin, end),
        cmocka_unit_test_setup_teardown(it_is_off_unless_training, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
