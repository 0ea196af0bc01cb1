/* The gradient through time as a picture: curves by lag, their course through a training that was
 * watched, and what the gates do. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/context_impl.h"
#include "base/error.h"
#include "base/file.h"
#include "elman/gradient_flow.h"
#include "format/plot.h"
#include "train/history.h"

/* Blocks of the table in their order: the curves, layer by layer; the histograms, layer by layer;
 * the watched curves, layer by layer. gnuplot calls a block an index. */
typedef struct picture {
    const elman_flow *flow;
    const elman_history *history;
    elman_text_buffer *table, *body;
    int panels;
} picture;

enum { WIDTH = 900, PANEL = 300 };
static const double darkest = 1e-4; /* of the colours */
static const char colours[] = "#30507a #c8501e #4a8a3a #8a3a7a #b08a1e #3a8a8a #7a7a7a #a03030";

static void put_cell(elman_text_buffer *t, double value, const char *end)
{
    if (isfinite(value))
        elman_text_buffer_number(t, value, 7);
    else
        elman_text_buffer_put(t, "NaN");
    elman_text_buffer_put(t, end);
}

static void end_block(elman_text_buffer *t)
{
    elman_text_buffer_put(t, "\n\n");
}

static void put_curves(const picture *p)
{
    for (int64_t i = 0; i < p->flow->count; i++) {
        const elman_flow_layer *l = &p->flow->layers[i];
        for (int64_t k = 0; k <= l->lags; k++) {
            const double norm = l->state.norm[k], spread = l->state.spread[k];
            put_cell(p->table, (double)k, "\t");
            put_cell(p->table, norm > 0 ? norm : (double)NAN, "\t");
            put_cell(p->table, norm > 0 ? norm / spread : (double)NAN, "\t");
            put_cell(p->table, norm > 0 ? norm * spread : (double)NAN, "\n");
        }
        end_block(p->table);
    }
}

static void put_histograms(const picture *p)
{
    for (int64_t i = 0; i < p->flow->count; i++) {
        const elman_flow_layer *l = &p->flow->layers[i];
        for (int b = 0; b < ELMAN_FLOW_BINS; b++) {
            for (int g = 0; g < l->gate_count; g++) {
                const elman_flow_gate *gate = &l->gates[g];
                double width = (gate->high - gate->low) / ELMAN_FLOW_BINS;
                put_cell(p->table, gate->low + (b + 0.5) * width, "\t");
                put_cell(p->table, 100 * gate->histogram[b], g + 1 < l->gate_count ? "\t" : "\n");
            }
        }
        end_block(p->table);
    }
}

/* Where the box of a watched curve ends: where the layer's next begins; the last is a mark at its
 * step. */
static double box_end(const elman_history *h, size_t i)
{
    for (size_t j = i + 1; j < h->gradient_count; j++)
        if (!strcmp(h->gradients[j].layer, h->gradients[i].layer))
            return (double)h->gradients[j].step;
    return (double)h->gradients[i].step * 1.01 + 1e-3;
}

static bool watched(const picture *p, const elman_flow_layer *layer)
{
    for (size_t i = 0; i < p->history->gradient_count; i++)
        if (!strcmp(p->history->gradients[i].layer, layer->name))
            return true;
    return false;
}

/* x, y, x from, x to, y from, y to, the logarithm of the norm */
static void put_watched(const picture *p)
{
    const elman_history *h = p->history;
    for (int64_t i = 0; i < p->flow->count; i++) {
        for (size_t j = 0; j < h->gradient_count; j++) {
            const elman_history_gradient *g = &h->gradients[j];
            if (strcmp(g->layer, p->flow->layers[i].name))
                continue;
            const double from = (double)g->step, to = box_end(h, j);
            for (int64_t k = 0; k <= g->lags; k++) {
                put_cell(p->table, (from + to) / 2, "\t");
                put_cell(p->table, (double)k, "\t");
                put_cell(p->table, from, "\t");
                put_cell(p->table, to, "\t");
                put_cell(p->table, (double)k - 0.55, "\t"); /* no gap shows between boxes */
                put_cell(p->table, (double)k + 0.55, "\t");
                put_cell(p->table, g->norm[k] <= 1e-30 ? 1e-30 : g->norm[k], "\n");
            }
        }
        if (watched(p, &p->flow->layers[i]))
            end_block(p->table);
    }
}

/* A piece of the script with numbers in it. */
__attribute__((format(printf, 2, 3))) static void put(const picture *p, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    elman_text_buffer_put(p->body, line);
}

static void plot_curves(const picture *p)
{
    put(p, "set title 'Gradient of one step''s loss, by lag'\nset xlabel 'lag, steps'\n"
           "set ylabel 'relative to lag 0'\nset logscale y\nset format y '%%.0e'\n"
           "set yrange [1e-8:*]\nset style fill transparent solid 0.15 noborder\nplot 0.01 "
           "with lines dashtype 2 linecolor rgb '#888888' title '1 %%'");
    for (int64_t i = 0; i < p->flow->count; i++) {
        put(p,
            ", \\\n     table index %" PRId64 " using 1:3:4 with filledcurves linecolor rgb "
            "word(colours,%" PRId64 ") notitle, \\\n     table index %" PRId64
            " using 1:2 with lines linewidth 2 linecolor rgb word(colours,%" PRId64 ") title ",
            i, i % 8 + 1, i, i % 8 + 1);
        elman_plot_put_quoted(p->body, p->flow->layers[i].name);
    }
    put(p, "\nunset logscale y\nset format y '%%g'\nset yrange [*:*]\n");
}

/* The greatest lag at which there is anything to see. */
static int64_t seen_lags(const picture *p, const elman_flow_layer *layer)
{
    int64_t most = 4;
    for (size_t i = 0; i < p->history->gradient_count; i++) {
        const elman_history_gradient *g = &p->history->gradients[i];
        for (int64_t k = most; k <= g->lags && !strcmp(g->layer, layer->name); k++)
            most = g->norm[k] > darkest ? k : most;
    }
    return most;
}

static void plot_watched(const picture *p)
{
    int64_t index = 2 * p->flow->count;
    for (int64_t i = 0; i < p->flow->count; i++) {
        const elman_flow_layer *l = &p->flow->layers[i];
        if (!watched(p, l))
            continue;
        put(p, "set title ");
        elman_text_buffer_put(p->body, "'Through training, ' . ");
        elman_plot_put_quoted(p->body, l->name);
        put(p,
            "\nset xlabel 'training step'\nset ylabel 'lag, steps'\nset logscale cb\n"
            "set cbrange [1e-4:1]\nset format cb '%%.0e'\nset palette defined (0 '#1d1147', "
            "1 '#51127c', 2 '#b63679', 3 '#fb8861', 4 '#fcfdbf')\nset style fill solid noborder\n"
            "set autoscale xfix\n");
        put(p, "set yrange [-0.5:%" PRId64 ".5]\n", seen_lags(p, l));
        put(p,
            "plot table index %" PRId64 " using 1:2:3:4:5:6:7 with boxxyerror fillcolor palette "
            "notitle\nunset logscale cb\nset autoscale\nset yrange [*:*]\n",
            index++);
    }
}

static void plot_histograms(const picture *p)
{
    for (int64_t i = 0; i < p->flow->count; i++) {
        const elman_flow_layer *l = &p->flow->layers[i];
        put(p, "set title 'Gates of ' . ");
        elman_plot_put_quoted(p->body, l->name);
        put(p, "\nset xlabel 'value'\nset ylabel 'share, %%'\nplot ");
        for (int g = 0; g < l->gate_count; g++)
            put(p,
                "%stable index %" PRId64 " using %d:%d with histeps linewidth 2 linecolor rgb "
                "word(colours,%d) title '%s'",
                g ? ", \\\n     " : "", p->flow->count + i, 2 * g + 1, 2 * g + 2, g + 1,
                l->gates[g].name);
        put(p, "\n");
    }
}

static elman_status draw(elman_context *context, picture *p, const char *path, elman_error *error)
{
    p->panels = 1;
    for (int64_t i = 0; i < p->flow->count; i++)
        p->panels += 1 + watched(p, &p->flow->layers[i]);
    put_curves(p);
    put_histograms(p);
    put_watched(p);
    put(p, "colours = '%s'\n", colours);
    put(p,
        "set grid\nset key outside right top\nset lmargin 12\nset rmargin 18\n"
        "set multiplot layout %d,1\n",
        p->panels);
    plot_curves(p);
    plot_watched(p);
    plot_histograms(p);
    put(p, "unset multiplot\n");
    elman_plot plot = {.path = path,
                       .width = WIDTH,
                       .height = p->panels * PANEL + (p->panels == 1 ? PANEL / 2 : 0),
                       .table = p->table,
                       .body = p->body};
    return elman_plot_draw(context, &plot, error);
}

/* A log that is broken does not take what was measured: drawn is what could be read of it. */
static elman_status read_history(elman_context *context, const char *folder, elman_history *history,
                                 elman_error *error)
{
    elman_error found = {0};
    elman_status status = elman_history_read_run(context, folder, history, &found);
    if (status == ELMAN_OK || status == ELMAN_ERROR_MEMORY)
        return status == ELMAN_OK ? status : elman_fail(error, status, "%s", found.message);
    elman_log(context, ELMAN_LOG_WARNING, "plot: not all of the training is drawn: %s",
              found.message);
    return ELMAN_OK;
}

elman_status elman_flow_plot_check(const char *path, elman_error *error)
{
    return elman_plot_check(path, error);
}

elman_status elman_flow_plot(elman_context *context, const elman_flow *flow, const char *folder,
                             const char *path, elman_error *error)
{
    elman_history history = {0};
    elman_text_buffer table, body;
    elman_text_buffer_init(&table, context);
    elman_text_buffer_init(&body, context);
    picture p = {.flow = flow, .history = &history, .table = &table, .body = &body};
    elman_status status = elman_plot_check(path, error);
    if (status == ELMAN_OK && folder)
        status = read_history(context, folder, &history, error);
    if (status == ELMAN_OK)
        status = draw(context, &p, path, error);
    elman_history_clear(context, &history);
    elman_text_buffer_free(&table);
    elman_text_buffer_free(&body);
    return status;
}
