/* elman_logarithm and elman_exponential against the C library's long double, and each other. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

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

/* Powers of ten are exact both ways, so that a floor of the logarithm is the decade. */
static void test_tens(void **state)
{
    (void)state;
    char text[16];
    for (int k = -323; k <= 308; k++) {
        snprintf(text, sizeof text, "1e%d", k);
        double power = strtod(text, NULL);
        assert_true(elman_exponential10(k) == power);
        assert_true(elman_logarithm10(power) == k || k < -307); /* those have few digits */
        assert_true(fabs(elman_logarithm10(power) - (double)log10l(power)) <= 1e-13);
        if (k < -300)
            continue;
        assert_true(floor(elman_logarithm10(nextafter(power, INFINITY))) == k);
        assert_true(elman_logarithm10(nextafter(power, 0)) <= k);
    }
    for (double x = 1e-300; x < 1e300; x *= 1.37) {
        double found = elman_logarithm10(x), expected = (double)log10l(x);
        assert_true(fabs(found - expected) <= 1e-15 * fmax(1, fabs(expected)));
        assert_true(fabs(elman_exponential10(0.3) / (double)powl(10, 0.3) - 1) < 1e-15);
        assert_true(fabs(elman_exponential10(expected) / x - 1) < 1e-12);
    }
    assert_true(elman_logarithm10(0) == -INFINITY && elman_logarithm10(INFINITY) == INFINITY);
    assert_true(isnan(elman_logarithm10(-1)) && isnan(elman_logarithm10(NAN)));
    assert_true(elman_exponential10(400) == INFINITY && elman_exponential10(-400) == 0);
    assert_true(elman_exponential10(-INFINITY) == 0 && isnan(elman_exponential10(NAN)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_log), cmocka_unit_test(test_exp),
                                       cmocka_unit_test(test_tens)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
