/* Heat: cells of one colour are one path, so that a picture of thousands stays small. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "format/chart.h"
#include "format/chart_axis.h"
#include "format/heat.h"
#include "format/html.h"

/* Cells reach a little into the next, so that no seam shows. */
#define OVERLAP 0.3

enum {
    WIDTH = 480,
    HEIGHT = 260,
    LEFT = 52,
    RIGHT = 14,
    TOP = 10,
    BOTTOM = 38,
    COLUMNS = 96,
    ROWS = 72,
    STEPS = 4,              /* colours a decade */
    LEVELS = 6 * STEPS + 1, /* 1e-4 to 100 */
    NONE = LEVELS
};

/* The colour's number; those beyond the ends are the ends. */
static int level_of(double norm)
{
    double level = norm > 0 ? (log10(norm) + 4) * STEPS + 0.5 : norm <= 0 ? 0 : NONE;
    return level < 0 ? 0 : level >= LEVELS ? (isnan(norm) ? NONE : LEVELS - 1) : (int)level;
}

static void put_fill(elman_text_buffer *t, int level, const char *before, const char *after)
{
    char text[96];
    unsigned char c[3];
    elman_heat_colour(pow(10, (double)level / STEPS - 4), c);
    snprintf(text, sizeof text, "%s#%02x%02x%02x%s", before, c[0], c[1], c[2], after);
    elman_text_buffer_put(t, text);
}

typedef struct painting {
    size_t columns, rows; /* as drawn */
    unsigned char level[COLUMNS][ROWS];
} painting;

static void choose_cells(const elman_chart_heat *heat, painting *out)
{
    out->columns = heat->count < COLUMNS ? heat->count : COLUMNS;
    out->rows = heat->rows < ROWS ? heat->rows : ROWS;
    for (size_t c = 0; c < out->columns; c++)
        for (size_t r = 0; r < out->rows; r++) {
            size_t column = c * heat->count / out->columns, row = r * heat->rows / out->rows;
            bool there = row < heat->heights[column];
            out->level[c][r] = (unsigned char)(there ? level_of(heat->columns[column][row]) : NONE);
        }
}

/* The same in every locale, as printf is not. */
static void put_number(elman_text_buffer *t, const char *before, double value)
{
    elman_text_buffer_put(t, before);
    elman_text_buffer_number(t, value, 4);
}

/* All cells of one level; neighbours above each other are one rectangle. */
static void put_level(elman_text_buffer *t, const painting *cells, int level)
{
    bool any = false;
    double wide = (double)(WIDTH - LEFT - RIGHT) / (double)cells->columns;
    double high = (double)(HEIGHT - TOP - BOTTOM) / (double)cells->rows;
    for (size_t c = 0; c < cells->columns; c++)
        for (size_t r = 0; r < cells->rows; r++) {
            size_t end = r;
            while (end < cells->rows && cells->level[c][end] == level)
                end++;
            if (end == r)
                continue;
            if (!any)
                put_fill(t, level, "<path fill=\"", "\" d=\"");
            any = true;
            put_number(t, "M", LEFT + (double)c * wide);
            put_number(t, " ", HEIGHT - BOTTOM - (double)r * high);
            put_number(t, "h", wide + OVERLAP);
            put_number(t, "v", -(double)(end - r) * high - OVERLAP);
            put_number(t, "h", -wide - OVERLAP);
            elman_text_buffer_put(t, "z");
            r = end;
        }
    elman_text_buffer_put(t, any ? "\"/>\n" : "");
}

static void put_text(elman_text_buffer *t, double x, double y, const char *anchor)
{
    put_number(t, "<text x=\"", x);
    put_number(t, "\" y=\"", y);
    elman_text_buffer_put(t, "\" text-anchor=\"");
    elman_text_buffer_put(t, anchor);
    elman_text_buffer_put(t, "\">");
}

static void put_axes(elman_text_buffer *t, const elman_chart_heat *heat)
{
    double ticks[ELMAN_AXIS_TICKS];
    elman_axis y = {false, 0, (double)heat->rows};
    int count = elman_axis_ticks(&y, 5, ticks);
    for (int i = 0; i < count && ticks[i] < (double)heat->rows; i++) {
        if (ticks[i] != floor(ticks[i]))
            continue; /* there is no half a row */
        put_text(t, LEFT - 7,
                 HEIGHT - BOTTOM + 4 -
                     elman_axis_place(&y, ticks[i] + 0.5) * (HEIGHT - TOP - BOTTOM),
                 "end");
        elman_chart_put_number(t, ticks[i]);
        elman_text_buffer_put(t, "</text>\n");
    }
    size_t each =
        (heat->count + 5) / 6; /* the columns are what was measured, evenly apart or not */
    for (size_t c = 0; c < heat->count; c += each) {
        put_text(t, LEFT + ((double)c + 0.5) * (WIDTH - LEFT - RIGHT) / (double)heat->count,
                 HEIGHT - BOTTOM + 17, "middle");
        elman_chart_put_number(t, heat->x[c]);
        elman_text_buffer_put(t, "</text>\n");
    }
    put_text(t, (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 4, "middle");
    elman_html_put(t, heat->x_label);
    elman_text_buffer_put(t, "</text>\n<text transform=\"rotate(-90)\" x=\"");
    elman_text_buffer_number(t, -(TOP + HEIGHT - BOTTOM) / 2.0, 4);
    elman_text_buffer_put(t, "\" y=\"12\" text-anchor=\"middle\">");
    elman_html_put(t, heat->y_label);
    elman_text_buffer_put(t, "</text>\n");
}

/* The scale: a swatch each decade. */
static void put_key(elman_text_buffer *t)
{
    elman_text_buffer_put(t, "<span>1e-4 ");
    for (int level = 0; level < LEVELS; level += STEPS)
        put_fill(t, level, "<i style=\"background:", "\"></i>");
    elman_text_buffer_put(t, " 100</span>");
}

void elman_chart_put_heat(elman_text_buffer *html, const elman_chart_heat *heat)
{
    painting drawn;
    char box[64];
    elman_text_buffer_put(html, "<figure class=\"heat\"><figcaption><b>");
    elman_html_put(html, heat->title);
    elman_text_buffer_put(html, "</b>");
    put_key(html);
    elman_text_buffer_put(html, "</figcaption>\n");
    snprintf(box, sizeof box, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH,
             HEIGHT);
    elman_text_buffer_put(html, box);
    elman_html_put(html, heat->title);
    elman_text_buffer_put(html, "\">\n");
    if (heat->count && heat->rows) {
        choose_cells(heat, &drawn);
        for (int level = 0; level < LEVELS; level++)
            put_level(html, &drawn, level);
        put_axes(html, heat);
    }
    elman_text_buffer_put(html, "</svg></figure>\n");
}
