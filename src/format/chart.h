/* Charts as SVG within a page of HTML: lines, bars and heat, drawn in the colours of the page's
 * style sheet (elman_chart_style), so that they follow the reader's theme. Numbers are double; what
 * is not finite is left out. Text is escaped. */
#ifndef ELMAN_FORMAT_CHART_H
#define ELMAN_FORMAT_CHART_H

#include <stdint.h>

#include "base/text_buffer.h"

enum { ELMAN_CHART_COLOURS = 6 };

typedef struct elman_chart_series {
    const char *name;
    const double *x, *y; /* [count] x ascending */
    size_t count;
    int colour; /* 0..ELMAN_CHART_COLOURS-1 */
    bool marks; /* each point is marked and says its value when pointed at; else long ones are
                 * thinned to means of neighbours */
} elman_chart_series;

typedef struct elman_chart {
    const char *title, *x_label;
    const elman_chart_series *series;
    size_t count;
    bool log_x, log_y;     /* what is not above 0 is then left out */
    double y_line;         /* a level that is ruled across where the axis holds it; NaN: none */
    const char *line_name; /* what it means */
} elman_chart;

/* A <figure>: the title and the names of the series above the lines. Nothing to draw: it says so.
 */
void elman_chart_put_lines(elman_text_buffer *html, const elman_chart *chart);

/* A histogram: equal bins between low and high. */
typedef struct elman_chart_bars {
    const char *title;
    const double *shares; /* [count] */
    int count;
    double low, high;
} elman_chart_bars;
void elman_chart_put_bars(elman_text_buffer *html, const elman_chart_bars *bars);

/* Rows by columns in the colours of elman_heat_colour, row 0 at the bottom, columns left to right;
 * large ones are thinned. NaN stays empty. */
typedef struct elman_chart_heat {
    const char *title, *x_label, *y_label;
    const double *const *columns; /* [count] */
    const size_t *heights;        /* [count] values in each; what is above them stays empty */
    const double *x;              /* [count] what stands under the columns */
    size_t count, rows;           /* rows: the greatest height */
} elman_chart_heat;
void elman_chart_put_heat(elman_text_buffer *html, const elman_chart_heat *heat);

/* Whether values go over so wide a range that only their logarithm shows it; those that are not
 * finite do not count, and one that is not above 0 has none. */
bool elman_chart_is_wide(const double *values, size_t count);
/* A number for a person: few digits, k and M. */
void elman_chart_put_number(elman_text_buffer *html, double value);
/* The rules of the style sheet that the charts go by; they use the variables --ink, --muted, --line
 * and --card of the page, and bring the series' own, --s0 to --s5. */
const char *elman_chart_style(void);
/* Those of a dark theme. */
const char *elman_chart_style_dark(void);

#endif
