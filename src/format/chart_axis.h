/* The picture of a chart and its axes: what one spans, where a value stands on it, and where it is
 * ruled. */
#ifndef ELMAN_FORMAT_CHART_AXIS_H
#define ELMAN_FORMAT_CHART_AXIS_H

#include <stdbool.h>

/* The size of a picture, in units of its own, and the edges of what its axes span. */
enum {
    ELMAN_CHART_WIDTH = 480,
    ELMAN_CHART_HEIGHT = 260,
    ELMAN_CHART_LEFT = 52,
    ELMAN_CHART_RIGHT = 466,
    ELMAN_CHART_TOP = 10,
    ELMAN_CHART_BOTTOM = 222
};

enum { ELMAN_AXIS_TICKS = 24 };

typedef struct elman_axis {
    bool log;
    double low, high; /* low > high: nothing was included */
} elman_axis;

elman_axis elman_axis_empty(bool log);
bool elman_axis_is_empty(const elman_axis *axis);
/* value: finite, above 0 on a logarithmic axis. */
void elman_axis_include(elman_axis *axis, double value);
bool elman_axis_holds(const elman_axis *axis, double value);
/* Once all is included: an axis of one value is made wider; with room, so are its ends. */
void elman_axis_settle(elman_axis *axis, bool room);
/* 0 at the low end, 1 at the high one. */
double elman_axis_place(const elman_axis *axis, double value);
/* Round values within, about `wanted` of them; returns how many. */
int elman_axis_ticks(const elman_axis *axis, int wanted, double ticks[ELMAN_AXIS_TICKS]);

#endif
