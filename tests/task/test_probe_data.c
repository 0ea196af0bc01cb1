/* The probes' examples: what they show and ask, by their own definition; that guessing costs what
 * is said; that an example is a function of seed, stream, number and lag alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "task/probe_data.h"

enum { MANY = 20000 };

static elman_probe_task task_of(elman_probe kind, const char *lag)
{
    elman_probe_task task;
    elman_config config;
    elman_error error = {0};
    elman_config_default_for(&config, "probe");
    config.probe = (int)kind;
    strcpy(config.lag, lag);
    if (elman_probe_task_of(&config, &task, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    return task;
}

typedef struct examples {
    elman_probe_draw draw;
    int64_t T, I;
    float *inputs, *numbers;
    int32_t *classes;
} examples;

static examples drawn(const elman_probe_task *task, const elman_probe_draw *draw)
{
    examples e = {
        .draw = *draw, .T = elman_probe_steps(task, draw->lag), .I = elman_probe_inputs(task)};
    size_t steps = (size_t)(e.T * draw->count);
    e.inputs = malloc(steps * (size_t)e.I * sizeof *e.inputs);
    e.numbers = malloc((size_t)draw->count * sizeof *e.numbers);
    e.classes = malloc(steps * sizeof *e.classes);
    bool each = elman_probe_each_step(task);
    elman_probe_examples(task, draw, e.inputs, each ? NULL : e.numbers, each ? e.classes : NULL);
    return e;
}

static void drop(examples *e)
{
    free(e->inputs);
    free(e->numbers);
    free(e->classes);
}

static float input(const examples *e, int64_t t, int64_t b, int64_t i)
{
    return e->inputs[(t * e->draw.count + b) * e->I + i];
}

/* --- what is shown and asked -------------------------------------------------------------- */

static void adding(void **state)
{
    (void)state;
    static const char *const lags[] = {"2", "3", "10", "101"};
    for (size_t l = 0; l < 4; l++) {
        elman_probe_task task = task_of(ELMAN_PROBE_ADDING, lags[l]);
        elman_probe_draw draw = {.seed = 9, .count = 300, .lag = task.last};
        examples e = drawn(&task, &draw);
        assert_int_equal(e.T, task.last);
        assert_int_equal(e.I, 2);
        for (int64_t b = 0; b < draw.count; b++) {
            int64_t marks[2] = {0, 0};
            float sum = 0;
            for (int64_t t = 0; t < e.T; t++) {
                float value = input(&e, t, b, 0), mark = input(&e, t, b, 1);
                assert_true(value >= 0 && value < 1 && (mark == 0 || mark == 1));
                marks[t >= e.T / 2] += mark == 1;
                sum += mark * value;
            }
            assert_true(marks[0] == 1 && marks[1] == 1 && sum == e.numbers[b]);
        }
        drop(&e);
    }
}

static void copy(void **state)
{
    (void)state;
    static const char *const lags[] = {"1", "2", "30"};
    for (size_t l = 0; l < 3; l++) {
        elman_probe_task task = task_of(ELMAN_PROBE_COPY, lags[l]);
        elman_probe_draw draw = {.seed = 9, .count = 50, .lag = task.last};
        examples e = drawn(&task, &draw);
        assert_int_equal(e.T, task.last + 20);
        for (int64_t b = 0; b < draw.count; b++)
            for (int64_t t = 0; t < e.T; t++) {
                int symbol = -1;
                for (int s = 0; s < 10; s++)
                    if (input(&e, t, b, s) == 1 && symbol < 0)
                        symbol = s;
                    else
                        assert_true(input(&e, t, b, s) == 0);
                int32_t asked = e.classes[t * draw.count + b];
                assert_true(t < 10               ? symbol >= 0 && symbol < 8
                            : t == task.last + 9 ? symbol == 9
                                                 : symbol == 8);
                if (t < task.last + 10)
                    assert_int_equal(asked, 8);
                else
                    assert_true(input(&e, t - task.last - 10, b, asked) == 1);
            }
        drop(&e);
    }
}

static void parity(void **state)
{
    (void)state;
    static const char *const lags[] = {"1", "31", "33", "130"};
    for (size_t l = 0; l < 4; l++) {
        elman_probe_task task = task_of(ELMAN_PROBE_PARITY, lags[l]);
        elman_probe_draw draw = {.seed = 9, .count = 200, .lag = task.last};
        examples e = drawn(&task, &draw);
        for (int64_t b = 0; b < draw.count; b++) {
            float product = 1; /* of signs: -1 where the zeros are odd in number */
            for (int64_t t = 0; t < e.T; t++) {
                assert_true(fabsf(input(&e, t, b, 0)) == 1);
                product *= -input(&e, t, b, 0);
            }
            assert_true(e.numbers[b] == (product < 0 ? 1 : 0));
        }
        drop(&e);
    }
}

static void linear_recurrence(void **state)
{
    (void)state;
    static const char *const lags[] = {"1", "2", "5..40"};
    static const int64_t at[] = {1, 2, 17};
    for (size_t l = 0; l < 3; l++) {
        elman_probe_task task = task_of(ELMAN_PROBE_LINEAR_RECURRENCE, lags[l]);
        elman_probe_draw draw = {.seed = 9, .count = 100, .lag = at[l]};
        double a = 1.0 - 1.0 / (double)task.last;
        double b2 = (1 - a * a) / (1 - pow(a, 2.0 * (double)task.last));
        examples e = drawn(&task, &draw);
        for (int64_t b = 0; b < draw.count; b++) {
            double sum = 0;
            for (int64_t t = 0; t < e.T; t++) {
                double x = (double)input(&e, t, b, 0);
                assert_true(fabs(x) <= 1.7320509);
                sum += sqrt(b2) * pow(a, (double)(e.T - 1 - t)) * x;
            }
            assert_true(fabs(sum - (double)e.numbers[b]) < 1e-6);
        }
        drop(&e);
    }
}

/* --- what guessing costs ------------------------------------------------------------------ */

static void guessing(void **state)
{
    (void)state;
    static const char *const lags[] = {"12", "5", "40", "3..20"};
    static const int64_t at[] = {12, 5, 40, 9};
    static const double best[] = {1.0, 0, 0, 0.0}; /* what is guessed of a number */
    for (int k = 0; k < 4; k++) {
        elman_probe_task task = task_of((elman_probe)k, lags[k]);
        elman_probe_draw draw = {.seed = 3, .count = MANY, .lag = at[k]};
        examples e = drawn(&task, &draw);
        double loss = 0, counts[8] = {0}, ones = 0;
        for (int64_t b = 0; b < MANY; b++) {
            double error = k == ELMAN_PROBE_COPY ? 0 : (double)e.numbers[b] - best[k];
            loss += error * error / MANY;
            ones += k == ELMAN_PROBE_PARITY ? (double)e.numbers[b] / MANY : 0;
            for (int64_t t = e.T - 10; k == ELMAN_PROBE_COPY && t < e.T; t++)
                counts[e.classes[t * MANY + b]] += 1.0 / (10.0 * MANY);
        }
        double entropy = 0;
        for (int s = 0; s < 8; s++)
            entropy -= counts[s] > 0 ? counts[s] * log(counts[s]) : 0;
        if (k == ELMAN_PROBE_COPY) /* nothing for the blanks, what the symbols' frequencies leave */
            loss = entropy * 10 / (double)e.T;
        if (k == ELMAN_PROBE_PARITY)
            loss = -log(1 - ones) * (1 - ones) - log(ones) * ones;
        double guess = elman_probe_guess(&task, at[k]);
        if (!(fabs(loss / guess - 1) < 0.03))
            fail_msg("task %d: guessing costs %g, expected %g", k, loss, guess);
        drop(&e);
    }
    elman_probe_task task = task_of(ELMAN_PROBE_LINEAR_RECURRENCE, "3..20");
    assert_true(elman_probe_guess(&task, 20) == 1.0);
    task = task_of(ELMAN_PROBE_LINEAR_RECURRENCE, "1000000");
    assert_true(isfinite(task.gain) && elman_probe_guess(&task, 1000000) == 1.0);
}

/* Every place of a half is marked as often as the others. */
static void marks(void **state)
{
    (void)state;
    elman_probe_task task = task_of(ELMAN_PROBE_ADDING, "7");
    elman_probe_draw draw = {.seed = 5, .count = MANY, .lag = 7};
    examples e = drawn(&task, &draw);
    for (int64_t t = 0; t < 7; t++) {
        double share = 0, expected = t < 3 ? 1.0 / 3 : 1.0 / 4;
        for (int64_t b = 0; b < MANY; b++)
            share += (double)input(&e, t, b, 1) / MANY;
        assert_true(fabs(share - expected) < 0.02);
    }
    drop(&e);
}

/* --- an example is its own ---------------------------------------------------------------- */

static void same(const elman_probe_task *task, const elman_probe_draw *all,
                 const elman_probe_draw *some, bool expected)
{
    examples a = drawn(task, all), b = drawn(task, some);
    bool equal = true;
    for (int64_t i = 0; i < some->count; i++) {
        int64_t j = (int64_t)(some->first - all->first) + i;
        for (int64_t t = 0; t < a.T; t++) {
            for (int64_t f = 0; f < a.I; f++)
                equal = equal && input(&a, t, j, f) == input(&b, t, i, f);
            if (elman_probe_each_step(task))
                equal = equal && a.classes[t * all->count + j] == b.classes[t * some->count + i];
        }
        if (!elman_probe_each_step(task))
            equal = equal && a.numbers[j] == b.numbers[i];
    }
    assert_true(equal == expected);
    drop(&a);
    drop(&b);
}

static void its_own(void **state)
{
    (void)state;
    static const uint64_t firsts[] = {0, 1000, UINT64_C(0x1fffffffe)};
    for (int k = 0; k < 4; k++)
        for (int f = 0; f < 3; f++) {
            elman_probe_task task = task_of((elman_probe)k, "40");
            elman_probe_draw all = {.seed = 77, .first = firsts[f], .count = 9, .lag = 40};
            elman_probe_draw some = {.seed = 77, .first = firsts[f] + 4, .count = 3, .lag = 40};
            same(&task, &all, &some, true);
            some.seed = UINT64_C(77) | UINT64_C(1) << 40;
            same(&task, &all, &some, false);
            some.seed = 77;
            some.stream = ELMAN_PROBE_VALID;
            same(&task, &all, &some, false);
            all.stream = ELMAN_PROBE_FLOW;
            same(&task, &all, &some, false);
        }
    /* the upper half of a number counts */
    elman_probe_task task = task_of(ELMAN_PROBE_ADDING, "40");
    elman_probe_draw low = {.first = 1, .count = 1, .lag = 40}, high = low;
    examples a = drawn(&task, &low);
    high.first = UINT64_C(1) << 32 | 1;
    examples b = drawn(&task, &high);
    assert_memory_not_equal(a.inputs, b.inputs, 80 * sizeof(float));
    drop(&a);
    drop(&b);
}

/* --- lags --------------------------------------------------------------------------------- */

static void curriculum(void **state)
{
    (void)state;
    elman_probe_task task = task_of(ELMAN_PROBE_COPY, "10..400");
    static const int64_t updates[] = {1, 2, 3, 4, 5, 1000, INT64_C(3000000000000)};
    for (size_t u = 0; u < sizeof updates / sizeof *updates; u++) {
        int64_t all = updates[u], before = 10, ramp = all - all / 4, stride = all / 500 + 1;
        assert_int_equal(elman_probe_lag_at(&task, 0, all), 10);
        for (int64_t i = 0; i < all; i += stride) {
            int64_t lag = elman_probe_lag_at(&task, i, all);
            assert_true(lag >= before && lag <= 400);
            assert_true(i < ramp || lag == 400);
            before = lag;
        }
        assert_int_equal(elman_probe_lag_at(&task, all, all), 400);
    }
    /* as the square: a quarter of the way after half of the rise */
    assert_int_equal(elman_probe_lag_at(&task, 375, 1000), 107);
    assert_int_equal(elman_probe_lag_at(&task, 749, 1000), 398);
    assert_int_equal(elman_probe_lag_at(&task, 750, 1000), 400);
    task = task_of(ELMAN_PROBE_COPY, "30");
    assert_int_equal(elman_probe_lag_at(&task, 0, 1000), 30);
    assert_int_equal(elman_probe_lag_at(&task, 999, 1000), 30);
}

static void refused(void **state)
{
    (void)state;
    static const char *const lags[] = {
        "",      "0",    "-3",      "1.5",        "ten",
        "10..",  "..10", "10..5",   "10...20",    "1..2..3",
        "10-20", " 10",  "1000001", "1..1000001", "99999999999999999999999999"};
    for (size_t i = 0; i < sizeof lags / sizeof *lags; i++) {
        elman_probe_task task;
        elman_config config;
        elman_error error = {0};
        elman_config_default_for(&config, "probe");
        strcpy(config.lag, lags[i]);
        if (elman_probe_task_of(&config, &task, &error) != ELMAN_ERROR_ARGUMENT)
            fail_msg("'%s' is accepted", lags[i]);
        assert_non_null(strstr(error.message, "lag: found"));
    }
    elman_config config;
    elman_probe_task task;
    elman_error error = {0};
    elman_config_default_for(&config, "probe");
    strcpy(config.lag, "1");
    assert_int_equal(elman_probe_task_of(&config, &task, &error), ELMAN_ERROR_ARGUMENT);
    config.probe = ELMAN_PROBE_PARITY;
    assert_int_equal(elman_probe_task_of(&config, &task, &error), ELMAN_OK);
    assert_int_equal(elman_probe_check_lag(&task, 0, &error), ELMAN_ERROR_ARGUMENT);
    assert_int_equal(elman_probe_check_lag(&task, 1000001, &error), ELMAN_ERROR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adding),
        cmocka_unit_test(copy),
        cmocka_unit_test(parity),
        cmocka_unit_test(guessing),
        cmocka_unit_test(marks),
        cmocka_unit_test(its_own),
        cmocka_unit_test(refused),
        cmocka_unit_test(curriculum),
        cmocka_unit_test(linear_recurrence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
