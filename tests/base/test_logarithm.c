/* elman_logarithm and elman_exponential against the C library's long double, and each other. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/logarithm.h"

static double units(double found, long double expected)
{
    double unit = nextafter(fabs((double)expected), INFINITY) - fabs((double)expected);
    return (double)fabsl((long double)found - expected) / unit;
}

static void test_log(void **state)
{
    (void)state;
    for (double x = 1e-300; x < 1e300; x *= 1.37)
        assert_true(units(elman_logarithm(x), logl(x)) <= 4);
    for (double x = 0.5; x < 2; x += 1.0 / 512)
        assert_true(x == 1 ? elman_logarithm(x) == 0 : units(elman_logarithm(x), logl(x)) <= 4);
    assert_true(units(elman_logarithm(0x1p-1070), logl(0x1p-1070L)) <= 4);
    assert_true(elman_logarithm(0) == -INFINITY);
    assert_true(elman_logarithm(INFINITY) == INFINITY);
    assert_true(isnan(elman_logarithm(-1)));
    assert_true(isnan(elman_logarithm(NAN)));
}

static void test_exp(void **state)
{
    (void)state;
    for (double x = -700; x < 709; x += 0.37)
        assert_true(units(elman_exponential(x), expl(x)) <= 4);
    assert_true(elman_exponential(0) == 1);
    assert_true(elman_exponential(-1000) == 0);
    assert_true(elman_exponential(-INFINITY) == 0);
    assert_true(elman_exponential(1000) == INFINITY);
    assert_true(isnan(elman_exponential(NAN)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_log), cmocka_unit_test(test_exp)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
