#include "train/schedule.h"

#include <string.h>

#include "base/error.h"
#include "base/number.h"

/* cos(pi x) for x in [0,1], by Taylor's series around the nearer of 0 and 1/2; the same bits
 * everywhere, which libm does not promise. */
static double cos_pi(double x)
{
    const double pi = 3.14159265358979323846;
    double sign = 1.0;
    if (x > 0.5) { /* cos(pi x) = -cos(pi (1 - x)) */
        x = 1.0 - x;
        sign = -1.0;
    }
    if (x <= 0.25) {
        double t = pi * x, t2 = t * t, sum = 1.0, term = 1.0;
        for (int n = 2; n <= 20; n += 2) {
            term = -term * t2 / (double)(n * (n - 1));
            sum += term;
        }
        return sign * sum;
    }
    double t = pi * (0.5 - x), t2 = t * t, sum = t, term = t; /* sin */
    for (int n = 3; n <= 21; n += 2) {
        term = -term * t2 / (double)(n * (n - 1));
        sum += term;
    }
    return sign * sum;
}

/* Cuts the next ":FIELD" off *rest into field; false where there is none or it is too long. */
static int next_field(const char **rest, char *field, size_t capacity)
{
    if (**rest != ':')
        return 0;
    const char *begin = *rest + 1;
    size_t length = strcspn(begin, ":");
    if (length == 0 || length >= capacity)
        return 0;
    memcpy(field, begin, length);
    field[length] = 0;
    *rest = begin + length;
    return 1;
}

elman_status elman_schedule_parse(const char *text, elman_schedule *schedule, elman_error *error)
{
    const char *rest = text + strcspn(text, ":");
    size_t length = (size_t)(rest - text);
    char field[64];
    schedule->factor = 0.5;
    schedule->after = 0;
    if (length == 8 && !memcmp(text, "constant", 8)) {
        schedule->kind = ELMAN_SCHEDULE_CONSTANT;
    } else if (length == 6 && !memcmp(text, "cosine", 6)) {
        schedule->kind = ELMAN_SCHEDULE_COSINE;
    } else if ((length == 4 && !memcmp(text, "step", 4)) ||
               (length == 7 && !memcmp(text, "plateau", 7))) {
        int step = length == 4;
        schedule->kind = step ? ELMAN_SCHEDULE_STEP : ELMAN_SCHEDULE_PLATEAU;
        if (next_field(&rest, field, sizeof field)) {
            if (!elman_parse_real(field, &schedule->factor) ||
                !(schedule->factor > 0 && schedule->factor < 1))
                return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                                  "schedule '%s': found the factor '%s', expected a number between "
                                  "0 and 1",
                                  text, field);
            if (next_field(&rest, field, sizeof field)) {
                if (!elman_parse_integer(field, &schedule->after) || schedule->after < 0)
                    return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                                      "schedule '%s': found '%s', expected a number of %s", text,
                                      field, step ? "epochs" : "validations");
            } else if (step) {
                return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                                  "schedule '%s': expected step:FACTOR:AFTER, as step:0.5:4", text);
            }
        } else if (step) {
            return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                              "schedule '%s': expected step:FACTOR:AFTER, as step:0.5:4", text);
        }
    } else {
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "schedule '%s': expected constant, step:FACTOR:AFTER, cosine or "
                          "plateau[:FACTOR[:PATIENCE]]",
                          text);
    }
    if (*rest)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "schedule '%s': found '%s' after its end",
                          text, rest);
    return ELMAN_OK;
}

double elman_schedule_rate(const elman_schedule *schedule, int64_t step, int64_t epoch)
{
    double rate = schedule->base;
    switch (schedule->kind) {
    case ELMAN_SCHEDULE_CONSTANT:
        break;
    case ELMAN_SCHEDULE_STEP:
        for (int64_t e = schedule->after; e <= epoch && rate > 0; e++)
            rate *= schedule->factor;
        break;
    case ELMAN_SCHEDULE_COSINE:
        if (schedule->steps > 0) {
            double done = (double)step / (double)schedule->steps;
            rate *= 0.5 * (1.0 + cos_pi(done < 1 ? done : 1.0));
        }
        break;
    case ELMAN_SCHEDULE_PLATEAU:
        rate *= schedule->scale;
        break;
    }
    if (step < schedule->warmup)
        rate *= (double)(step + 1) / (double)schedule->warmup;
    return rate;
}

void elman_schedule_validated(elman_schedule *schedule, int better)
{
    if (schedule->kind != ELMAN_SCHEDULE_PLATEAU)
        return;
    if (better) {
        schedule->waited = 0;
    } else if (++schedule->waited > schedule->after) {
        schedule->scale *= schedule->factor;
        schedule->waited = 0;
    }
}
