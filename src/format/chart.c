#include "format/chart.h"

#include <math.h>
#include <stdio.h>

#include "format/chart_axis.h"
#include "format/html.h"

enum { WIDTH = 480, HEIGHT = 260, LEFT = 52, RIGHT = 14, TOP = 10, BOTTOM = 38, MOST_POINTS = 480 };

const char *elman_chart_style(void)
{
    return ":root{--s0:#0b6bab;--s1:#c8501e;--s2:#12805c;--s3:#8a4fa3;--s4:#a37200;--s5:#4a5a6a}\n"
           "figure{margin:0;padding:14px 14px 8px;background:var(--card);border:1px solid "
           "var(--line);border-radius:10px;min-width:0}\n"
           "figcaption{display:flex;flex-wrap:wrap;gap:2px 14px;align-items:baseline;"
           "font-size:13px;margin:0 0 6px}\n"
           "figcaption b{font-weight:600;margin-right:auto}\n"
           "figcaption span{color:var(--muted);white-space:nowrap}\n"
           "figcaption i{display:inline-block;width:14px;height:3px;border-radius:2px;"
           "margin:0 5px 3px 0}\n"
           "figcaption .d{background:none;height:0;border-top:1px dashed var(--muted);"
           "margin-bottom:4px}\n"
           "svg{display:block;width:100%;height:auto;overflow:visible}\n"
           "svg text{font:12px system-ui,sans-serif;fill:var(--muted)}\n"
           "svg .g{stroke:var(--line);stroke-width:1}\n"
           "svg .r{stroke:var(--muted);stroke-width:1;stroke-dasharray:4 3}\n"
           "svg .l{fill:none;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}\n"
           "svg .m{stroke:var(--card);stroke-width:1}\n"
           ".s0{stroke:var(--s0)}.s1{stroke:var(--s1)}.s2{stroke:var(--s2)}"
           ".s3{stroke:var(--s3)}.s4{stroke:var(--s4)}.s5{stroke:var(--s5)}\n"
           ".f0{fill:var(--s0);background:var(--s0)}.f1{fill:var(--s1);background:var(--s1)}"
           ".f2{fill:var(--s2);background:var(--s2)}.f3{fill:var(--s3);background:var(--s3)}"
           ".f4{fill:var(--s4);background:var(--s4)}.f5{fill:var(--s5);background:var(--s5)}\n"
           ".heat i{width:22px;height:10px;margin:0;border-radius:0}\n";
}

const char *elman_chart_style_dark(void)
{
    return ":root{--s0:#5db3ee;--s1:#f0875a;--s2:#4fc39a;--s3:#c694de;--s4:#dcb04a;--s5:#9fb0c0}\n";
}

static void put_format(elman_text_buffer *t, const char *before, double value, const char *after)
{
    elman_text_buffer_put(t, before);
    elman_text_buffer_number(t, value, 4);
    elman_text_buffer_put(t, after);
}

bool elman_chart_is_wide(const double *values, size_t count)
{
    double low = (double)INFINITY, high = -(double)INFINITY;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i]))
            continue;
        low = values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
    }
    return low > 0 && high > 30 * low;
}

void elman_chart_put_number(elman_text_buffer *html, double value)
{
    double size = fabs(value);
    if (!isfinite(value))
        elman_text_buffer_put(html, "–");
    else if (size >= 1e9 || (size > 0 && size < 1e-3))
        elman_text_buffer_number(html, value, 3);
    else if (size >= 1e6)
        put_format(html, "", value / 1e6, "M");
    else if (size >= 1e4)
        put_format(html, "", value / 1e3, "k");
    else
        elman_text_buffer_number(html, value, 4);
}

/* Between the pixels of the two ends. */
static double across(const elman_axis *axis, double value, double begin, double end)
{
    return begin + elman_axis_place(axis, value) * (end - begin);
}

static double x_of(const elman_axis *axis, double value)
{
    return across(axis, value, LEFT, WIDTH - RIGHT);
}

static double y_of(const elman_axis *axis, double value)
{
    return across(axis, value, HEIGHT - BOTTOM, TOP);
}

static void put_line(elman_text_buffer *t, const char *class, double x1, double y1, double x2,
                     double y2)
{
    elman_text_buffer_put(t, "<line class=\"");
    elman_text_buffer_put(t, class);
    put_format(t, "\" x1=\"", x1, "\"");
    put_format(t, " y1=\"", y1, "\"");
    put_format(t, " x2=\"", x2, "\"");
    put_format(t, " y2=\"", y2, "\"/>");
}

static void begin_text(elman_text_buffer *t, double x, double y, const char *anchor)
{
    put_format(t, "<text x=\"", x, "\"");
    put_format(t, " y=\"", y, "\" text-anchor=\"");
    elman_text_buffer_put(t, anchor);
    elman_text_buffer_put(t, "\">");
}

static void begin_svg(elman_text_buffer *t, const char *title, int width, int height)
{
    char box[64];
    snprintf(box, sizeof box, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", width,
             height);
    elman_text_buffer_put(t, box);
    elman_html_put(t, title);
    elman_text_buffer_put(t, "\">\n");
}

static void begin_figure(elman_text_buffer *t, const char *class, const char *title)
{
    elman_text_buffer_put(t, "<figure class=\"");
    elman_text_buffer_put(t, class);
    elman_text_buffer_put(t, "\"><figcaption><b>");
    elman_html_put(t, title);
    elman_text_buffer_put(t, "</b>");
}

static void put_frame(elman_text_buffer *t, const elman_axis *x, const elman_axis *y,
                      const char *x_label)
{
    double ticks[ELMAN_AXIS_TICKS];
    int count = elman_axis_ticks(y, 5, ticks);
    for (int i = 0; i < count; i++) {
        double at = y_of(y, ticks[i]);
        put_line(t, "g", LEFT, at, WIDTH - RIGHT, at);
        begin_text(t, LEFT - 7, at + 4, "end");
        elman_chart_put_number(t, ticks[i]);
        elman_text_buffer_put(t, "</text>\n");
    }
    count = elman_axis_ticks(x, 6, ticks);
    for (int i = 0; i < count; i++) {
        begin_text(t, x_of(x, ticks[i]), HEIGHT - BOTTOM + 17, "middle");
        elman_chart_put_number(t, ticks[i]);
        elman_text_buffer_put(t, "</text>\n");
    }
    begin_text(t, (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 4, "middle");
    elman_html_put(t, x_label);
    elman_text_buffer_put(t, "</text>\n");
}

static bool is_drawn(const elman_chart *c, const elman_chart_series *s, size_t i)
{
    return isfinite(s->x[i]) && isfinite(s->y[i]) && (!c->log_x || s->x[i] > 0) &&
           (!c->log_y || s->y[i] > 0);
}

/* A path; a gap where a point is left out. Neighbours whose mean is one point share a pixel. */
static void put_path(elman_text_buffer *t, const elman_chart *c, const elman_chart_series *s,
                     const elman_axis *x, const elman_axis *y)
{
    char head[64];
    size_t each = s->marks ? 1 : (s->count + MOST_POINTS - 1) / MOST_POINTS;
    bool pen = false;
    snprintf(head, sizeof head, "<path class=\"l s%d\" d=\"", s->colour % ELMAN_CHART_COLOURS);
    elman_text_buffer_put(t, head);
    for (size_t i = 0; i < s->count; i += each) {
        double sum_x = 0, sum_y = 0;
        size_t n = 0;
        for (size_t k = i; k < s->count && k < i + each; k++)
            if (is_drawn(c, s, k)) {
                sum_x += x_of(x, s->x[k]);
                sum_y += y_of(y, s->y[k]);
                n++;
            }
        if (n) {
            put_format(t, pen ? "L" : "M", sum_x / (double)n, " ");
            put_format(t, "", sum_y / (double)n, "");
        }
        pen = n > 0;
    }
    elman_text_buffer_put(t, "\"/>\n");
}

static void put_marks(elman_text_buffer *t, const elman_chart *c, const elman_chart_series *s,
                      const elman_axis *x, const elman_axis *y)
{
    char head[64];
    snprintf(head, sizeof head, "<circle class=\"m f%d\" r=\"%s\"", s->colour % ELMAN_CHART_COLOURS,
             s->count > 40 ? "2" : "3.5");
    for (size_t i = 0; i < s->count; i++) {
        if (!is_drawn(c, s, i))
            continue;
        elman_text_buffer_put(t, head);
        put_format(t, " cx=\"", x_of(x, s->x[i]), "\"");
        put_format(t, " cy=\"", y_of(y, s->y[i]), "\"><title>");
        elman_html_put(t, s->name);
        elman_text_buffer_put(t, " ");
        elman_text_buffer_number(t, s->y[i], 5);
        elman_text_buffer_put(t, " at ");
        elman_html_put(t, c->x_label);
        elman_text_buffer_put(t, " ");
        elman_text_buffer_number(t, s->x[i], 12);
        elman_text_buffer_put(t, "</title></circle>\n");
    }
}

/* The names of what is drawn, beside the title. */
static void put_key(elman_text_buffer *html, const elman_chart *chart, bool ruled)
{
    char swatch[64];
    for (size_t i = 0; i < chart->count && chart->count > 1; i++) {
        const elman_chart_series *s = &chart->series[i];
        snprintf(swatch, sizeof swatch, "<span><i class=\"f%d\"></i>",
                 s->colour % ELMAN_CHART_COLOURS);
        elman_text_buffer_put(html, swatch);
        elman_html_put(html, s->name);
        elman_text_buffer_put(html, "</span>");
    }
    if (!ruled)
        return;
    elman_text_buffer_put(html, "<span><i class=\"d\"></i>");
    elman_html_put(html, chart->line_name);
    elman_text_buffer_put(html, "</span>");
}

void elman_chart_put_lines(elman_text_buffer *html, const elman_chart *chart)
{
    elman_axis x = elman_axis_empty(chart->log_x), y = elman_axis_empty(chart->log_y);
    for (size_t i = 0; i < chart->count; i++) {
        const elman_chart_series *s = &chart->series[i];
        for (size_t k = 0; k < s->count; k++)
            if (is_drawn(chart, s, k)) {
                elman_axis_include(&x, s->x[k]);
                elman_axis_include(&y, s->y[k]);
            }
    }
    begin_figure(html, "chart", chart->title);
    if (elman_axis_is_empty(&x)) {
        elman_text_buffer_put(html, "</figcaption>\n<p>Nothing was measured.</p></figure>\n");
        return;
    }
    elman_axis_settle(&x, false);
    elman_axis_settle(&y, true);
    bool ruled = isfinite(chart->y_line) && elman_axis_holds(&y, chart->y_line);
    put_key(html, chart, ruled);
    elman_text_buffer_put(html, "</figcaption>\n");
    begin_svg(html, chart->title, WIDTH, HEIGHT);
    put_frame(html, &x, &y, chart->x_label);
    if (ruled)
        put_line(html, "r", LEFT, y_of(&y, chart->y_line), WIDTH - RIGHT, y_of(&y, chart->y_line));
    for (size_t i = 0; i < chart->count; i++) {
        put_path(html, chart, &chart->series[i], &x, &y);
        if (chart->series[i].marks)
            put_marks(html, chart, &chart->series[i], &x, &y);
    }
    elman_text_buffer_put(html, "</svg></figure>\n");
}

void elman_chart_put_bars(elman_text_buffer *html, const elman_chart_bars *bars)
{
    enum { WIDE = 150, HIGH = 84, FOOT = 18 };
    double most = 0, wide = (double)WIDE / (bars->count > 0 ? bars->count : 1);
    for (int i = 0; i < bars->count; i++)
        most = bars->shares[i] > most ? bars->shares[i] : most;
    begin_figure(html, "bars", bars->title);
    elman_text_buffer_put(html, "</figcaption>\n");
    begin_svg(html, bars->title, WIDE, HIGH);
    for (int i = 0; i < bars->count; i++) {
        double high = most > 0 ? bars->shares[i] / most * (HIGH - FOOT - 4) : 0;
        if (!(high > 0))
            continue;
        put_format(html, "<rect class=\"f0\" x=\"", i * wide + 0.5, "\"");
        put_format(html, " y=\"", HIGH - FOOT - high, "\"");
        put_format(html, " width=\"", wide - 1, "\"");
        put_format(html, " height=\"", high, "\"><title>");
        elman_text_buffer_number(html, 100 * bars->shares[i], 3);
        elman_text_buffer_put(html, " %</title></rect>\n");
    }
    put_line(html, "g", 0, HIGH - FOOT, WIDE, HIGH - FOOT);
    begin_text(html, 0, HIGH - 4, "start");
    elman_chart_put_number(html, bars->low);
    elman_text_buffer_put(html, "</text>");
    begin_text(html, WIDE, HIGH - 4, "end");
    elman_chart_put_number(html, bars->high);
    elman_text_buffer_put(html, "</text></svg></figure>\n");
}
