/* The comparisons that other tests trust must themselves reject. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "compare.h"

enum { N = 37 };

static void fill(float *got, double *want)
{
    for (int i = 0; i < N; i++) {
        want[i] = 0.1 * i - 1.05;
        got[i] = (float)want[i];
    }
}

static void test_accepts_rounding(void **state)
{
    (void)state;
    float got[N];
    double want[N];
    fill(got, want);
    assert_true(compare_close(got, want, NULL, N, 1));
    for (int i = 0; i < N; i++)
        got[i] = nextafterf(got[i], 2);
    assert_true(compare_close(got, want, NULL, N, 2));
    assert_false(compare_close(got, want, NULL, N, 0.4));
}

static void test_rejects_zeros(void **state)
{
    (void)state;
    float got[N];
    double want[N];
    fill(got, want);
    memset(got, 0, sizeof got);
    assert_false(compare_close(got, want, NULL, N, 100));
    assert_false(compare_varied(got, N));
}

static void test_rejects_one_wrong_element(void **state)
{
    (void)state;
    for (int wrong = 0; wrong < N; wrong++) {
        float got[N], bits[N];
        double want[N], magnitude[N];
        fill(got, want);
        memcpy(bits, got, sizeof bits);
        for (int i = 0; i < N; i++)
            magnitude[i] = 3;
        got[wrong] += 1e-4F;
        assert_false(compare_close(got, want, NULL, N, 4));
        assert_false(compare_close(got, want, magnitude, N, 4));
        assert_false(compare_bits(got, bits, N));
        got[wrong] = -bits[wrong];
        assert_false(compare_close(got, want, magnitude, N, 4));
    }
}

/* Where large terms cancel, the tolerance is theirs, not the small result's. */
static void test_magnitude(void **state)
{
    (void)state;
    float got = 1e-7F;
    double want = 0, magnitude = 1;
    assert_true(compare_close(&got, &want, &magnitude, 1, 1));
    assert_false(compare_close(&got, &want, NULL, 1, 1));
}

static void test_not_finite(void **state)
{
    (void)state;
    const float values[] = {1, NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            double want = (double)values[j], magnitude = INFINITY;
            assert_int_equal(compare_close(&values[i], &want, NULL, 1, 1), i == j);
            if (i != j && j != 0)
                assert_false(compare_close(&values[i], &want, &magnitude, 1, 1));
            assert_int_equal(compare_bits(&values[i], &values[j], 1), i == j);
        }
}

static void test_bits(void **state)
{
    (void)state;
    const uint32_t words[] = {0x7fc00000, 0xffc00001, 0x7f800001};
    float nans[3], zero = 0, minus = -0.0F;
    memcpy(nans, words, sizeof nans);
    assert_true(compare_bits(nans, nans + 1, 1));
    assert_true(compare_bits(nans, nans + 2, 1));
    assert_false(compare_bits(&zero, &minus, 1));
    assert_true(compare_bits(&zero, &minus, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts_rounding),
        cmocka_unit_test(test_rejects_zeros),
        cmocka_unit_test(test_rejects_one_wrong_element),
        cmocka_unit_test(test_magnitude),
        cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
