/* The learning rate against the words of docs/training.md and against libm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "train/schedule.h"

static elman_schedule parsed(const char *text)
{
    elman_error error = {0};
    elman_schedule s = {.base = 1, .scale = 1};
    if (elman_schedule_parse(text, &s, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    return s;
}

static void words(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        elman_schedule_kind kind;
        double factor;
        int64_t after;
    } good[] = {
        {"constant", ELMAN_SCHEDULE_CONSTANT, 0.5, 0},
        {"cosine", ELMAN_SCHEDULE_COSINE, 0.5, 0},
        {"step:0.5:4", ELMAN_SCHEDULE_STEP, 0.5, 4},
        {"step:1e-1:0", ELMAN_SCHEDULE_STEP, 0.1, 0},
        {"plateau", ELMAN_SCHEDULE_PLATEAU, 0.5, 0},
        {"plateau:0.25", ELMAN_SCHEDULE_PLATEAU, 0.25, 0},
        {"plateau:0.25:3", ELMAN_SCHEDULE_PLATEAU, 0.25, 3},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        elman_schedule s = parsed(good[i].text);
        assert_int_equal(s.kind, good[i].kind);
        assert_true(s.factor == good[i].factor);
        assert_int_equal(s.after, good[i].after);
    }
}

/* Each says what was found and what would do. */
static void mistakes(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"", "expected constant, step:FACTOR:AFTER, cosine or plateau[:FACTOR[:PATIENCE]]"},
        {"linear", "'linear': expected constant, step"},
        {"Constant", "expected constant"},
        {" constant", "expected constant"},
        {"const", "expected constant"},
        {":0.5:4", "expected constant"},
        {"constant:1", "found ':1' after its end"},
        {"cosine:", "found ':' after its end"},
        {"step", "expected step:FACTOR:AFTER, as step:0.5:4"},
        {"step:", "expected step:FACTOR:AFTER"},
        {"step:0.5", "expected step:FACTOR:AFTER"},
        {"step::4", "expected step:FACTOR:AFTER"},
        {"step:0.5:", "expected step:FACTOR:AFTER"},
        {"step:0.5:4:1", "found ':1' after its end"},
        {"step:0.5:4.5", "found '4.5', expected a number of epochs"},
        {"step:0.5:-1", "found '-1', expected a number of epochs"},
        {"step:0.5:99999999999999999999", "expected a number of epochs"},
        {"step:0:4", "found the factor '0', expected a number between 0 and 1"},
        {"step:1:4", "found the factor '1'"},
        {"step:-0.5:4", "found the factor '-0.5'"},
        {"step:nan:4", "found the factor 'nan'"},
        {"step:half:4", "found the factor 'half'"},
        {"step:0.5 :4", "found the factor '0.5 '"},
        {"plateau:2", "found the factor '2'"},
        {"plateau:", "found ':' after its end"},
        {"plateau:0.5:", "found ':' after its end"},
        {"plateau:0.5:x", "found 'x', expected a number of validations"},
        {"plateau:0.5:1:", "found ':' after its end"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        elman_error error = {0};
        elman_schedule s = {.base = 1, .scale = 1};
        if (elman_schedule_parse(bad[i][0], &s, &error) != ELMAN_ERROR_ARGUMENT)
            fail_msg("'%s' was taken", bad[i][0]);
        if (!strstr(error.message, bad[i][1]))
            fail_msg("'%s': %s", bad[i][0], error.message);
        assert_int_equal(elman_schedule_parse(bad[i][0], &s, NULL), ELMAN_ERROR_ARGUMENT);
    }
    char text[300] = "step:0.";
    elman_error error = {0};
    elman_schedule s;
    memset(text + 7, '1', 200);
    strcpy(text + 207, ":4");
    assert_int_equal(elman_schedule_parse(text, &s, &error), ELMAN_ERROR_ARGUMENT);
}

static void constant(void **state)
{
    (void)state;
    elman_schedule s = parsed("constant");
    s.base = 0.3;
    s.steps = 10;
    for (int64_t i = 0; i < 20; i++)
        assert_true(elman_schedule_rate(&s, i, i) == 0.3);
    elman_schedule_validated(&s, 0);
    assert_true(elman_schedule_rate(&s, 20, 3) == 0.3);
}

/* Times FACTOR at each epoch after the AFTER-th: halved from the fifth on. */
static void step(void **state)
{
    (void)state;
    static const double rates[] = {1, 1, 1, 1, 0.5, 0.25, 0.125};
    elman_schedule s = parsed("step:0.5:4");
    for (int64_t epoch = 0; epoch < 7; epoch++)
        for (int64_t i = 0; i < 3; i++)
            assert_true(elman_schedule_rate(&s, 100 * epoch + i, epoch) == rates[epoch]);
    s = parsed("step:0.5:0");
    assert_true(elman_schedule_rate(&s, 0, 0) == 0.5);
    s = parsed("step:0.1:1");
    for (int64_t epoch = 0; epoch < 20; epoch++)
        assert_true(fabs(elman_schedule_rate(&s, 0, epoch) / pow(0.1, (double)epoch) - 1) < 1e-14);
    assert_true(elman_schedule_rate(&s, 0, INT64_MAX - 1) == 0); /* and soon */
}

static void cosine(void **state)
{
    (void)state;
    elman_schedule s = parsed("cosine");
    s.base = 0.75;
    for (s.steps = 1; s.steps < 3000; s.steps = s.steps * 2 + 1) {
        double before = INFINITY;
        for (int64_t i = 0; i <= s.steps; i++) {
            double x = acos(-1.0) * (double)i / (double)s.steps;
            double rate = elman_schedule_rate(&s, i, 0);
            assert_true(fabs(rate - 0.375 * (1 + cos(x))) <= 1e-12);
            assert_true(rate <= before && rate >= 0);
            before = rate;
        }
        assert_true(elman_schedule_rate(&s, 0, 0) == 0.75);
        assert_true(elman_schedule_rate(&s, s.steps, 0) == 0);
        assert_true(elman_schedule_rate(&s, s.steps + 7, 0) == 0);
    }
    /* the seams of the series */
    s.steps = INT64_C(1) << 50;
    for (int64_t quarter = 1; quarter < 4; quarter++)
        for (int64_t i = -2; i <= 2; i++) {
            int64_t at = quarter * (s.steps / 4) + i;
            double x = acos(-1.0) * ((double)at / (double)s.steps);
            assert_true(fabs(elman_schedule_rate(&s, at, 0) - 0.375 * (1 + cos(x))) <= 1e-12);
        }
}

/* After more than PATIENCE validations without a better one. */
static void plateau(void **state)
{
    (void)state;
    static const struct {
        const char *text, *told; /* + better, - not */
        double rate;
    } cases[] = {
        {"plateau", "", 1},
        {"plateau", "+", 1},
        {"plateau", "-", 0.5},
        {"plateau", "+-+-", 0.25},
        {"plateau:0.1", "-", 0.1},
        {"plateau:0.5:2", "--", 1},
        {"plateau:0.5:2", "---", .5},
        {"plateau:0.5:2", "--+--", 1},
        {"plateau:0.5:2", "-----", .5},
        {"plateau:0.5:2", "------", .25},
        {"plateau:0.5:2", "+---+", .5},
        {"step:0.5:9", "---", 1},
        {"cosine", "---", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        elman_schedule s = parsed(cases[i].text);
        for (const char *c = cases[i].told; *c; c++)
            elman_schedule_validated(&s, *c == '+');
        if (elman_schedule_rate(&s, 0, 0) != cases[i].rate)
            fail_msg("%s after %s: %g, expected %g", cases[i].text, cases[i].told,
                     elman_schedule_rate(&s, 0, 0), cases[i].rate);
    }
}

/* Rises over the first N steps to the full rate, on top of any of them. */
static void warm_up(void **state)
{
    (void)state;
    static const char *const texts[] = {"constant", "cosine", "step:0.5:2", "plateau"};
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
        elman_schedule s = parsed(texts[k]);
        s.steps = 100;
        for (int64_t i = 0; i < 30; i++) {
            s.warmup = 0;
            double whole = elman_schedule_rate(&s, i, i / 10);
            s.warmup = 8;
            double rate = elman_schedule_rate(&s, i, i / 10);
            assert_true(rate == (i < 8 ? whole * (double)(i + 1) / 8 : whole));
            assert_true(rate > 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),   cmocka_unit_test(mistakes), cmocka_unit_test(constant),
        cmocka_unit_test(step),    cmocka_unit_test(cosine),   cmocka_unit_test(plateau),
        cmocka_unit_test(warm_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
