#include <fenv.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/number.h"
#include "base/philox.h"
#include "test_malloc.h"

static void check_numbers(void)
{
    static const struct {
        const char *text;
        double value;
    } good[] = {{"0", 0},
                {"1", 1},
                {"-1.5", -1.5},
                {"+2", 2},
                {".5", 0.5},
                {"5.", 5},
                {"1e3", 1000},
                {"1E-3", 0.001},
                {"0.1", 0.1},
                {"1e999", INFINITY},
                {"-inf", -INFINITY},
                {"Infinity", INFINITY},
                {"5e-324", 5e-324},
                {"1e-999", 0}};
    static const char *const bad[] = {"",      " 1", "1 ",  "1,5", "0x10",  "1e",    "1e+",
                                      "e5",    ".",  "-",   "+-1", "--1",   "1.2.3", "nan(1)",
                                      "infin", "1f", "\t1", "1\n", "1_000", "１"};
    static const char *const not_integers[] = {"",
                                               "-",
                                               "+",
                                               "1.0",
                                               "1e3",
                                               " 1",
                                               "1 ",
                                               "0x1",
                                               "9223372036854775808",
                                               "-9223372036854775809",
                                               "99999999999999999999"};
    double value;
    int64_t integer;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(elman_parse_real(good[i].text, &value));
        assert_true(value == good[i].value);
    }
    assert_true(elman_parse_real("nan", &value) && isnan(value));
    assert_true(elman_parse_real("-0", &value) && value == 0 && signbit(value));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(elman_parse_real(bad[i], &value));
    assert_true(elman_parse_integer("-9223372036854775808", &integer) && integer == INT64_MIN);
    assert_true(elman_parse_integer("9223372036854775807", &integer) && integer == INT64_MAX);
    assert_true(elman_parse_integer("+007", &integer) && integer == 7);
    assert_true(elman_parse_integer("-0", &integer) && integer == 0);
    for (size_t i = 0; i < sizeof not_integers / sizeof not_integers[0]; i++)
        assert_false(elman_parse_integer(not_integers[i], &integer));
}

static void check_print(double value, const char *expected)
{
    char text[32];
    elman_print_real(text, value);
    assert_string_equal(text, expected);
}

static void check_prints(void)
{
    check_print(0.1, "0.1");
    check_print(1.0 / 3, "0.3333333333333333");
    check_print(-0.0, "-0");
    check_print(1e300, "1e+300");
    check_print(5e-324, "5e-324");
    check_print(-1.7976931348623157e308, "-1.7976931348623157e+308");
    check_print(NAN, "nan");
    check_print(-INFINITY, "-inf");
    check_print(INFINITY, "inf");
    check_print(100, "100");
    check_print(-123000, "-123000");
    check_print(999999999999999, "999999999999999");
    check_print(1e15, "1e+15");
}

static void test_plain(void **state)
{
    (void)state;
    check_numbers();
    check_prints();
}

/* A locale whose numbers have a comma, made here where the machine has what it is
 * made from. */
static void test_locales(void **state)
{
    (void)state;
    char folder[] = "/tmp/elman-test-XXXXXX", command[256];
    assert_non_null(mkdtemp(folder));
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >/dev/null 2>&1",
             folder);
    int made = system(command);
    setenv("LOCPATH", folder, 1);
    bool comma = made == 0 && setlocale(LC_ALL, "de_DE.UTF-8") &&
                 strcmp(localeconv()->decimal_point, ",") == 0;
    if (comma) {
        check_numbers();
        check_prints();
        assert_string_equal(localeconv()->decimal_point, ",");
    }
    setlocale(LC_ALL, "C");
    unsetenv("LOCPATH");
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
    if (!comma)
        skip();
}

static void test_rounding_modes(void **state)
{
    (void)state;
    const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    for (int i = 0; i < 3; i++) {
        fesetround(modes[i]);
        check_numbers();
        check_prints();
        assert_int_equal(fegetround(), modes[i]);
        fesetround(FE_TONEAREST);
    }
}

/* Any double is read back as itself, also where the caller flushes denormals. */
static void test_round_trip(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 20000; i++) {
        const uint32_t counter[4] = {i, 0, 0, 0};
        uint32_t words[4];
        elman_philox(1, counter, words);
        double value, back;
        memcpy(&value, words, sizeof value);
        char text[32];
        memset(text, 'x', sizeof text);
        elman_print_real(text, value);
        assert_non_null(memchr(text, 0, sizeof text));
        assert_true(elman_parse_real(text, &back));
        if (isnan(value))
            assert_true(isnan(back));
        else
            assert_memory_equal(&value, &back, sizeof value);
    }
}

/* No power of ten is off by one where none is exact. */
static void test_rounded_far(void **state)
{
    (void)state;
    static const double values[] = {1e-30, 9.9999996e-30, 1.2345678e-25, -4.5e-310,
                                    1e23,  9.87654321e22, -1.5e300,      1e-323};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        for (int digits = 1; digits <= 9; digits++) {
            char text[32], expected[48];
            snprintf(expected, sizeof expected, "%.*e", digits - 1, values[i]);
            elman_print_rounded(text, values[i], digits);
            assert_true(strtod(text, NULL) == strtod(expected, NULL));
        }
}

static void test_no_memory(void **state)
{
    (void)state;
    if (!test_malloc_works())
        skip();
    size_t live = test_malloc_live();
    for (size_t n = 1; n < 10; n++) {
        double value = 0;
        char text[32];
        test_malloc_fail_at(n);
        bool read = elman_parse_real("1.5", &value);
        elman_print_real(text, 2.5);
        test_malloc_fail_at(0);
        assert_true(!read || value == 1.5);
    }
    assert_int_equal(test_malloc_live(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),          cmocka_unit_test(test_locales),
        cmocka_unit_test(test_rounding_modes), cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_rounded_far),    cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
