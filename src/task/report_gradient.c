/* Where the gradient goes through time: after the training, and while it went on. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "elman/gradient_flow.h"
#include "format/chart.h"
#include "format/html.h"
#include "task/report_impl.h"

enum { LAYERS = ELMAN_CHART_COLOURS };
/* Below this a curve only says that nothing is left. */
#define FAINT 1e-9

static elman_status draw_curves(elman_report *r, const elman_flow *flow, elman_error *error)
{
    elman_chart_series series[LAYERS];
    size_t count = flow->count < LAYERS ? (size_t)flow->count : LAYERS;
    size_t points = 0, at = 0;
    for (size_t i = 0; i < count; i++)
        points += (size_t)flow->layers[i].lags + 1;
    double *numbers = elman_allocate(r->context, points ? points : 1, 2 * sizeof *numbers);
    if (!numbers)
        return elman_out_of_memory(error);
    for (size_t i = 0; i < count; i++) {
        const elman_flow_layer *l = &flow->layers[i];
        size_t n = (size_t)l->lags + 1;
        double *x = numbers + 2 * at, *y = x + n;
        for (size_t k = 0; k < n; k++) {
            x[k] = (double)k;
            y[k] = l->state.norm[k] >= FAINT ? l->state.norm[k] : (double)NAN;
        }
        series[i] = (elman_chart_series){l->name, x, y, n, (int)i, false};
        at += n;
    }
    elman_chart chart = {.title = "After training: gradient by lag",
                         .x_label = "lag, steps",
                         .series = series,
                         .count = count,
                         .log_y = true,
                         .y_line = 0.01,
                         .line_name = "0.01, the horizon"};
    elman_chart_put_lines(&r->html, &chart);
    elman_release(r->context, numbers);
    return ELMAN_OK;
}

typedef struct watched {
    const double **columns; /* [measurements] */
    size_t *heights;
    double *x;
} watched;

/* One layer's column of each measurement that training made. */
static void draw_watched(elman_report *r, const char *layer, const watched *w)
{
    const elman_history *h = &r->history;
    char title[ELMAN_FLOW_NAME + 64];
    size_t count = 0, rows = 0;
    for (size_t i = 0; i < h->gradient_count; i++) {
        const elman_history_gradient *g = &h->gradients[i];
        if (strcmp(g->layer, layer))
            continue;
        w->columns[count] = g->norm;
        w->heights[count] = (size_t)g->lags + 1;
        w->x[count] = (double)g->step;
        rows = w->heights[count] > rows ? w->heights[count] : rows;
        count++;
    }
    snprintf(title, sizeof title, "During training: %s", layer);
    elman_chart_heat heat = {title, "step", "lag", w->columns, w->heights, w->x, count, rows};
    elman_chart_put_heat(&r->html, &heat);
}

/* The layers in the order in which their first record stands. */
static elman_status draw_all_watched(elman_report *r, elman_error *error)
{
    const elman_history *h = &r->history;
    size_t n = h->gradient_count;
    watched w = {elman_allocate(r->context, n, sizeof *w.columns),
                 elman_allocate(r->context, n, sizeof *w.heights),
                 elman_allocate(r->context, n, sizeof *w.x)};
    bool room = w.columns && w.heights && w.x;
    for (size_t i = 0; i < n && room; i++) {
        bool seen = false;
        for (size_t k = 0; k < i && !seen; k++)
            seen = !strcmp(h->gradients[k].layer, h->gradients[i].layer);
        if (!seen)
            draw_watched(r, h->gradients[i].layer, &w);
    }
    elman_release(r->context, w.columns);
    elman_release(r->context, w.heights);
    elman_release(r->context, w.x);
    return room ? ELMAN_OK : elman_out_of_memory(error);
}

static void put_horizon(elman_report *r, const elman_flow_layer *l)
{
    char text[64];
    if (isnan(l->state.norm[0])) /* nothing was measured */
        snprintf(text, sizeof text, "<td>–</td>");
    else if (l->state.horizon >= 0)
        snprintf(text, sizeof text, "<td>%" PRId64 "</td>", l->state.horizon);
    else
        snprintf(text, sizeof text, "<td>&gt; %" PRId64 "</td>", l->lags);
    elman_text_buffer_put(&r->html, text);
}

static void put_table(elman_report *r, const elman_flow *flow)
{
    elman_text_buffer_put(
        &r->html,
        "<div class=\"scroll\"><table><thead><tr><th>Layer</th><th>Memory horizon</th>"
        "<th>Factor a step</th><th>Singular value</th><th>Spectral radius</th><th>Saturated</th>"
        "<th>Dead</th><th>Time constant</th></tr></thead><tbody>\n");
    for (int64_t i = 0; i < flow->count; i++) {
        const elman_flow_layer *l = &flow->layers[i];
        elman_text_buffer_put(&r->html, "<tr><th>");
        elman_html_put(&r->html, l->name);
        elman_text_buffer_put(&r->html, "</th>");
        put_horizon(r, l);
        elman_report_put_cell(&r->html, l->state.factor, 3);
        elman_report_put_cell(&r->html, l->singular_value, 3);
        elman_report_put_cell(&r->html, l->spectral_radius, 3);
        elman_report_put_cell(&r->html, l->saturated, 3);
        elman_report_put_cell(&r->html, l->dead, 3);
        elman_report_put_cell(&r->html, l->time_constant, 3);
        elman_text_buffer_put(&r->html, "</tr>\n");
    }
    elman_text_buffer_put(
        &r->html,
        "</tbody></table></div>\n<p class=\"lead\">Memory horizon: the lag from which less than a "
        "hundredth of the gradient is left. Singular value and spectral radius: of the Jacobian of "
        "one step; above 1 a gradient can grow. Saturated, dead: shares of the units. Time "
        "constant: steps for which a unit holds what it has, 1 / (1 - the mean of its forget "
        "gate).</p>\n");
}

static const char *gate_title(const elman_flow_layer *l, const elman_flow_gate *g)
{
    static const char *const lstm[] = {"i", "input",     "f", "forget",
                                       "g", "candidate", "o", "output"};
    static const char *const gru[] = {"r", "reset", "z", "update", "n", "candidate"};
    const char *const *names = l->gate_count == 4 ? lstm : gru;
    int count = l->gate_count == 4 ? 8 : l->gate_count == 3 ? 6 : 0;
    for (int i = 0; i < count; i += 2)
        if (!strcmp(names[i], g->name))
            return names[i + 1];
    return "state";
}

static void draw_gates(elman_report *r, const elman_flow *flow)
{
    char title[80], mean[40];
    for (int64_t i = 0; i < flow->count; i++) {
        const elman_flow_layer *l = &flow->layers[i];
        if (!l->gate_count)
            continue;
        elman_text_buffer_put(&r->html, "<h3>What the gates of ");
        elman_html_put(&r->html, l->name);
        elman_text_buffer_put(&r->html, " do</h3>\n<div class=\"gates\">\n");
        for (int g = 0; g < l->gate_count; g++) {
            const elman_flow_gate *gate = &l->gates[g];
            elman_report_number(mean, gate->mean, 2);
            snprintf(title, sizeof title, "%s %s, mean %s", gate_title(l, gate), gate->name, mean);
            elman_chart_bars bars = {title, gate->histogram, ELMAN_FLOW_BINS, gate->low,
                                     gate->high};
            elman_chart_put_bars(&r->html, &bars);
        }
        elman_text_buffer_put(&r->html, "</div>\n");
    }
}

static const char lead[] =
    "How much of the gradient of one step's loss reaches a layer's state so many steps before, "
    "relative to lag 0: a geometric mean over steps spread over the data. Where it has fallen "
    "below "
    "0.01 (the dashed line) the loss says hardly anything of what stood there.";

elman_status elman_report_gradient(elman_report *r, elman_error *error)
{
    elman_flow flow = {0};
    elman_error found = {0};
    elman_report_begin_section(&r->html, "gradient", "The gradient through time", lead);
    elman_status status = elman_flow_model(r->context, r->folder, r->options->data,
                                           r->options->data_count, NULL, &flow, &found);
    bool measured = status == ELMAN_OK;
    status = elman_report_lack(r, "the gradient through time", status, &found, error);
    elman_text_buffer_put(&r->html, "<div class=\"charts\">\n");
    if (status == ELMAN_OK && measured)
        status = draw_curves(r, &flow, error);
    if (status == ELMAN_OK)
        status = draw_all_watched(r, error);
    elman_text_buffer_put(&r->html, "</div>\n");
    if (status == ELMAN_OK && measured) {
        put_table(r, &flow);
        draw_gates(r, &flow);
    }
    elman_report_end_section(&r->html);
    elman_flow_clear(r->context, &flow);
    return status;
}
