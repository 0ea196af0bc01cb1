/* The picture of the learning-rate range test. */
#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "base/text_buffer.h"
#include "elman/doctor.h"
#include "format/plot.h"

enum { WIDTH = 800, HEIGHT = 480 };

elman_status elman_diagnosis_plot_check(const char *path, elman_error *error)
{
    return elman_plot_check(path, error);
}

static void put_table(elman_text_buffer *t, const elman_diagnosis *d)
{
    for (int64_t i = 0; i < d->range_count; i++) {
        elman_text_buffer_number(t, d->range[i].lr, 9);
        elman_text_buffer_put(t, "\t");
        elman_text_buffer_number(t, d->range[i].loss, 9);
        elman_text_buffer_put(t, "\t");
        elman_text_buffer_number(t, d->range[i].smooth, 9);
        elman_text_buffer_put(t, "\n");
    }
}

/* A line from bottom to top at a rate, with its name beside it. */
static void put_mark(elman_text_buffer *t, double lr, const char *name, const char *colour)
{
    if (!isfinite(lr))
        return;
    elman_text_buffer_put(t, "set arrow from first ");
    elman_text_buffer_number(t, lr, 9);
    elman_text_buffer_put(t, ", graph 0 to first ");
    elman_text_buffer_number(t, lr, 9);
    elman_text_buffer_put(t, ", graph 1 nohead linewidth 1.5 linecolor rgb '");
    elman_text_buffer_put(t, colour);
    elman_text_buffer_put(t, "'\nset label '");
    elman_text_buffer_put(t, name);
    elman_text_buffer_put(t, "' at first ");
    elman_text_buffer_number(t, lr, 9);
    elman_text_buffer_put(t, ", graph 0.97 right offset -0.7,0 rotate by 90 textcolor rgb '");
    elman_text_buffer_put(t, colour);
    elman_text_buffer_put(t, "'\n");
}

/* The loss that a diverging end reaches would flatten all that is to be seen. */
static void put_range(elman_text_buffer *t, const elman_diagnosis *d)
{
    double low = INFINITY, high = d->expects.initial_loss;
    for (int64_t i = 0; i < d->range_count; i++)
        low = fmin(low, d->range[i].loss);
    if (!isfinite(low) || !isfinite(high) || high <= low)
        return;
    elman_text_buffer_put(t, "set yrange [");
    elman_text_buffer_number(t, low - 0.1 * (high - low), 6);
    elman_text_buffer_put(t, ":");
    elman_text_buffer_number(t, high + 0.6 * (high - low), 6);
    elman_text_buffer_put(t, "]\n");
}

static void put_body(elman_text_buffer *t, const elman_diagnosis *d)
{
    elman_text_buffer_put(t, "set logscale x\nset format x '%g'\nset xlabel 'learning rate'\n"
                             "set ylabel 'loss'\nset grid linecolor rgb '#cccccc'\n"
                             "set key outside top right horizontal\n");
    put_range(t, d);
    put_mark(t, d->configured_lr, "configured", "#30507a");
    put_mark(t, d->expects.best_lr, "falls most steeply", "#3a7d44");
    put_mark(t, d->expects.divergence_lr, "diverges", "#c8501e");
    elman_text_buffer_put(t, "plot table using 1:2 with points pointtype 7 pointsize 0.4 "
                             "linecolor rgb '#999999' title 'loss of an update', \\\n"
                             "     table using 1:3 with lines linewidth 2 linecolor rgb '#30507a' "
                             "title 'smoothed'\n");
}

elman_status elman_diagnosis_plot(elman_context *context, const elman_diagnosis *diagnosis,
                                  const char *path, elman_error *error)
{
    elman_text_buffer table, body;
    if (!diagnosis->range_count)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "plot: there is no range test to draw; updates was 0, or the run cannot "
                          "be tried");
    elman_text_buffer_init(&table, context);
    elman_text_buffer_init(&body, context);
    put_table(&table, diagnosis);
    put_body(&body, diagnosis);
    elman_plot plot = {
        .path = path, .width = WIDTH, .height = HEIGHT, .table = &table, .body = &body};
    elman_status status = elman_plot_draw(context, &plot, error);
    elman_text_buffer_free(&table);
    elman_text_buffer_free(&body);
    return status;
}
