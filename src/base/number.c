#include "base/number.h"

#include <fenv.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/float_environment.h"

/* What the C library's conversions look at: the thread's locale, and both the
 * rounding mode of the vector unit and that of the x87 unit, which glibc asks. */
typedef struct surroundings {
    locale_t plain, before;
    fenv_t rounding;
    elman_float_environment modes;
} surroundings;

static bool enter(surroundings *s)
{
    s->plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!s->plain)
        return false;
    s->before = uselocale(s->plain);
    feholdexcept(&s->rounding);
    fesetround(FE_TONEAREST);
    s->modes = elman_float_begin();
    return true;
}

static void leave(surroundings *s)
{
    elman_float_end(s->modes);
    fesetenv(&s->rounding);
    uselocale(s->before);
    freelocale(s->plain);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *skip_digits(const char *text)
{
    while (is_digit(*text))
        text++;
    return text;
}

/* [+-] (digits [. digits] | . digits) [e [+-] digits]  or  [+-] inf|infinity|nan */
static bool is_real(const char *text)
{
    if (*text == '+' || *text == '-')
        text++;
    if (strcasecmp(text, "inf") == 0 || strcasecmp(text, "infinity") == 0 ||
        strcasecmp(text, "nan") == 0)
        return true;
    const char *whole = text;
    text = skip_digits(text);
    bool digits = text > whole;
    if (*text == '.') {
        const char *fraction = ++text;
        text = skip_digits(text);
        digits |= text > fraction;
    }
    if (!digits)
        return false;
    if (*text == 'e' || *text == 'E') {
        text++;
        if (*text == '+' || *text == '-')
            text++;
        if (!is_digit(*text))
            return false;
        text = skip_digits(text);
    }
    return *text == 0;
}

bool elman_parse_real(const char *text, double *value)
{
    surroundings s;
    if (!is_real(text) || !enter(&s))
        return false;
    *value = strtod(text, NULL);
    leave(&s);
    return true;
}

bool elman_parse_integer(const char *text, int64_t *value)
{
    bool negative = *text == '-';
    if (*text == '+' || *text == '-')
        text++;
    if (!*text)
        return false;
    /* Summed below zero, where there is one number more. */
    int64_t sum = 0;
    for (; *text; text++) {
        if (!is_digit(*text) || __builtin_mul_overflow(sum, (int64_t)10, &sum) ||
            __builtin_sub_overflow(sum, (int64_t)(*text - '0'), &sum))
            return false;
    }
    if (!negative && sum == INT64_MIN)
        return false;
    *value = negative ? sum : -sum;
    return true;
}

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

void elman_print_real(char text[32], double value)
{
    uint64_t bits = bits_of(value);
    bool negative = bits >> 63;
    if ((bits >> 52 & 0x7ff) == 0x7ff) {
        bool infinite = (bits & (((uint64_t)1 << 52) - 1)) == 0;
        strcpy(text, !infinite ? "nan" : negative ? "-inf" : "inf");
        return;
    }
    surroundings s;
    text[0] = 0;
    if (!enter(&s))
        return;
    bool whole = fabs(value) < 1e15 && value == trunc(value);
    if (whole)
        snprintf(text, 32, "%.0f", value);
    /* Bits are compared, not values: -0 is not 0. */
    for (int digits = 1; !whole && digits <= 17; digits++) {
        snprintf(text, 32, "%.*g", digits, value);
        if (bits_of(strtod(text, NULL)) == bits)
            break;
    }
    leave(&s);
}

/* The same where no power of ten is exact: by its decimals, which are read back. */
static double rounded_by_text(double x, int digits)
{
    char text[48];
    int exponent = (int)floor(log10(fabs(x))) - digits + 1;
    double whole = exponent < -300 ? x * 1e300 / pow(10, exponent + 300) : x / pow(10, exponent);
    snprintf(text, sizeof text, "%.0fe%d", nearbyint(whole), exponent);
    double read;
    return elman_parse_real(text, &read) && fabs(read) <= DBL_MAX ? read : x;
}

/* x rounded to so many digits: a whole number over, or times, a power of ten that is exact. */
static double rounded(double x, int digits)
{
    double size = fabs(x), power = 1.0, below = 1.0;
    int up = 0, down = 0;
    while (size >= below * 10.0 && down < 22) {
        below *= 10.0;
        down++;
    }
    while (size * power < 1.0 && up < 22) {
        power *= 10.0;
        up++;
    }
    int places = digits - 1 - down + up; /* behind the point */
    if (!(size > 0.0) || size > DBL_MAX)
        return x;
    if (up >= 22 || down >= 22 || places > 22 || places < -22)
        return rounded_by_text(x, digits);
    power = 1.0;
    for (int i = 0; i < (places < 0 ? -places : places); i++)
        power *= 10.0;
    return places < 0 ? nearbyint(x / power) * power : nearbyint(x * power) / power;
}

void elman_print_rounded(char text[32], double value, int digits)
{
    elman_print_real(text, rounded(value, digits));
}
