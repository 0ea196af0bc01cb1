#include "format/chart_axis.h"

#include <math.h>

#include "base/logarithm.h"

elman_axis elman_axis_empty(bool log)
{
    return (elman_axis){log, (double)INFINITY, -(double)INFINITY};
}

bool elman_axis_is_empty(const elman_axis *axis)
{
    return axis->low > axis->high;
}

void elman_axis_include(elman_axis *axis, double value)
{
    axis->low = value < axis->low ? value : axis->low;
    axis->high = value > axis->high ? value : axis->high;
}

bool elman_axis_holds(const elman_axis *axis, double value)
{
    return value >= axis->low && value <= axis->high;
}

static double scaled(const elman_axis *axis, double value)
{
    return axis->log ? elman_logarithm10(value) : value;
}

void elman_axis_settle(elman_axis *axis, bool room)
{
    double low = scaled(axis, axis->low), high = scaled(axis, axis->high);
    double more = room ? 0.04 * (high - low) : 0;
    if (!(high - low > 1e-12 * (fabs(low) + fabs(high))))
        more = low == 0 ? 1 : axis->log ? 0.1 : 0.05 * fabs(low);
    if (more == 0)
        return; /* the ends stay what they are, to the last bit */
    axis->low = axis->log ? elman_exponential10(low - more) : low - more;
    axis->high = axis->log ? elman_exponential10(high + more) : high + more;
}

double elman_axis_place(const elman_axis *axis, double value)
{
    double low = scaled(axis, axis->low), high = scaled(axis, axis->high);
    return (scaled(axis, value) - low) / (high - low);
}

/* 1, 2 or 5 times a power of ten, at least `least`. */
static double round_step(double least)
{
    double power = elman_exponential10(floor(elman_logarithm10(least)));
    double share = least / power;
    return power * (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10);
}

static int linear_ticks(const elman_axis *axis, int wanted, double ticks[])
{
    double step = round_step((axis->high - axis->low) / wanted);
    int count = 0;
    for (double n = ceil(axis->low / step); n * step <= axis->high && count < ELMAN_AXIS_TICKS; n++)
        ticks[count++] = n * step + 0.0; /* no negative zero */
    return count;
}

/* Decades, every so many; where there is hardly one, 1, 2 and 5 of each. */
static int log_ticks(const elman_axis *axis, int wanted, double ticks[])
{
    double low = elman_logarithm10(axis->low), high = elman_logarithm10(axis->high);
    double each = ceil((high - low) / (wanted + 1));
    bool close = high - low < 2;
    int count = 0;
    if (high - low < 0.8)
        return linear_ticks(axis, wanted, ticks);
    for (double n = floor(low / each) * each; n <= high; n += each)
        for (int i = 0; i < (close ? 3 : 1); i++) {
            double at = elman_exponential10(n) * (i == 2 ? 5 : i + 1);
            if (elman_axis_holds(axis, at) && count < ELMAN_AXIS_TICKS)
                ticks[count++] = at;
        }
    return count;
}

int elman_axis_ticks(const elman_axis *axis, int wanted, double ticks[ELMAN_AXIS_TICKS])
{
    return axis->log ? log_ticks(axis, wanted, ticks) : linear_ticks(axis, wanted, ticks);
}
