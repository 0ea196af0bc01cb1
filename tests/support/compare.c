#include "compare.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool close_enough(float got, double want, double magnitude, double k)
{
    if (isnan(want) || isnan(got))
        return isnan(want) && isnan(got);
    if (isinf(want) || isinf(got))
        return (double)got == want;
    return fabs((double)got - want) <= k * 0x1p-23 * magnitude + 0x1p-126;
}

bool compare_close(const float *got, const double *want, const double *magnitude, size_t n,
                   double k)
{
    for (size_t i = 0; i < n; i++) {
        double m = magnitude ? magnitude[i] : fabs(want[i]);
        if (!close_enough(got[i], want[i], m, k)) {
            fprintf(stderr, "element %zu of %zu: %.9g, expected %.9g within %g * 2^-23 * %.9g\n", i,
                    n, (double)got[i], want[i], k, m);
            return false;
        }
    }
    return true;
}

bool compare_bits(const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t x, y;
        memcpy(&x, a + i, sizeof x);
        memcpy(&y, b + i, sizeof y);
        if (x != y && !(isnan(a[i]) && isnan(b[i]))) {
            fprintf(stderr, "element %zu of %zu: %.9g (%08x) and %.9g (%08x)\n", i, n, (double)a[i],
                    x, (double)b[i], y);
            return false;
        }
    }
    return true;
}

bool compare_varied(const float *a, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (isfinite(a[0]) && isfinite(a[i]) && a[i] != a[0])
            return true;
    fprintf(stderr, "%zu elements without two different finite values\n", n);
    return false;
}
