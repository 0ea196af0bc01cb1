#include "base/logarithm.h"

#include <math.h>
#include <stdio.h>

#include "base/number.h"

/* ln 2 in two parts: the first has 21 zero bits at its end, so that its multiples are exact. */
static const double ln2_high = 0x1.62e42fee00000p-1, ln2_low = 0x1.a39ef35793c76p-33;

/* x = m 2^e with m within sqrt(1/2)..sqrt(2);  ln m = 2 artanh(s), s = (m-1)/(m+1):
 * 2 (s + s^3/3 + s^5/5 + ...) */
double elman_logarithm(double x)
{
    int e;
    if (!(x > 0) || isinf(x))
        return x == 0 ? -INFINITY : x > 0 ? x : NAN;
    double m = frexp(x, &e);
    if (m < 0x1.6a09e667f3bcdp-1) {
        m *= 2;
        e--;
    }
    double s = (m - 1) / (m + 1), square = s * s, sum = 0;
    for (int k = 23; k >= 3; k -= 2)
        sum = (sum + 1.0 / k) * square;
    double series = 2 * s * sum + e * ln2_low;
    return e * ln2_high + (series + 2 * s);
}

/* x = k ln 2 + r, |r| <= ln 2 / 2;  e^r = 1 + r (1 + r/2 (1 + r/3 (...))) */
double elman_exponential(double x)
{
    if (!(x > -746 && x < 710))
        return x < 0 ? 0 : x > 0 ? INFINITY : x;
    double k = floor(x / (ln2_high + ln2_low) + 0.5);
    double r = (x - k * ln2_high) - k * ln2_low, sum = 1;
    for (int n = 14; n >= 1; n--)
        sum = 1 + sum * r / n;
    return ldexp(sum, (int)k);
}

static const double ln10 = 0x1.26bb1bbb55516p+1;

/* The double next to 10^k: up to 22 a product is exact, beyond it its decimals are read. */
static double power10(int k)
{
    double power = 1;
    char text[16];
    if (k < -22 || k > 22) {
        snprintf(text, sizeof text, "1e%d", k);
        return elman_parse_real(text, &power) ? power : NAN;
    }
    for (int i = 0; i < k || i < -k; i++)
        power *= 10;
    return k < 0 ? 1 / power : power;
}

/* x = 10^k m with m within 1..10;  lg x = k + ln m / ln 10 */
double elman_logarithm10(double x)
{
    if (!(x > 0) || isinf(x))
        return elman_logarithm(x);
    if (x < 1e-290) /* whose power of ten may be none */
        return elman_logarithm10(x * 1e300) - 300;
    int k = (int)floor(elman_logarithm(x) / ln10);
    double power = power10(k);
    if (power > x)
        power = power10(--k);
    else if (k < 308 && power10(k + 1) <= x)
        power = power10(++k);
    return k + elman_logarithm(x / power) / ln10;
}

/* 10^x = 10^k e^((x-k) ln 10), k = floor x */
double elman_exponential10(double x)
{
    double k = floor(x);
    if (!(x > -324 && x < 309))
        return elman_exponential(x * ln10);
    return x == k ? power10((int)k) : power10((int)k) * elman_exponential((x - k) * ln10);
}
