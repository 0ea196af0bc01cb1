/* The validation curves of a comparison. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "elman/compare.h"
#include "format/plot.h"

enum { WIDTH = 900, HEIGHT = 500, DIGITS = 9 };

/* Apart for most eyes (Okabe & Ito 2008), and then again. */
static const char *const colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                      "#56b4e9", "#e69f00", "#000000", "#999999"};
enum { COLOURS = sizeof colours / sizeof *colours };

elman_status elman_comparison_plot_check(const char *path, elman_error *error)
{
    return elman_plot_check(path, error);
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The steps at which any run was validated, each once. */
static int64_t *steps_of(elman_context *context, const elman_comparison *c, int64_t *count)
{
    int64_t all = 0, kept = 0;
    for (int64_t i = 0; i < c->run_count; i++)
        all += c->runs[i].points;
    int64_t *steps = elman_allocate(context, (size_t)all, sizeof *steps);
    all = 0;
    for (int64_t i = 0; steps && i < c->run_count; i++)
        for (int64_t p = 0; p < c->runs[i].points; p++)
            steps[all++] = c->runs[i].curve[p].step;
    if (steps && all)
        qsort(steps, (size_t)all, sizeof *steps, ascending);
    for (int64_t i = 0; i < all; i++)
        if (!kept || steps[i] != steps[kept - 1])
            steps[kept++] = steps[i];
    *count = kept;
    return steps;
}

static double loss_at(const elman_compare_run *run, int64_t step)
{
    for (int64_t p = 0; p < run->points; p++)
        if (run->curve[p].step == step)
            return run->curve[p].loss;
    return NAN;
}

static void put_loss(elman_text_buffer *table, double loss)
{
    elman_text_buffer_put(table, "\t");
    if (isnan(loss))
        elman_text_buffer_put(table, "NaN");
    else
        elman_text_buffer_number(table, loss, DIGITS);
}

/* Of the runs that were made: a mean where all of them have a loss; NaN else. */
static double mean_at(const elman_comparison *c, int variant, int64_t step)
{
    double sum = 0;
    int64_t count = 0;
    for (int64_t i = 0; i < c->run_count; i++) {
        const elman_compare_run *r = &c->runs[i];
        if (r->variant != variant || r->outcome == ELMAN_COMPARE_PENDING)
            continue;
        sum += loss_at(r, step); /* NaN where one is missing */
        count++;
    }
    return count ? sum / (double)count : NAN;
}

/* Columns: step, the runs in their order, the means of the variants. */
static void put_table(elman_text_buffer *table, const elman_comparison *c, const int64_t *steps,
                      int64_t count)
{
    char number[32];
    for (int64_t s = 0; s < count; s++) {
        snprintf(number, sizeof number, "%" PRId64, steps[s]);
        elman_text_buffer_put(table, number);
        for (int64_t i = 0; i < c->run_count; i++)
            put_loss(table, loss_at(&c->runs[i], steps[s]));
        for (int v = 0; v < c->variant_count; v++)
            put_loss(table, mean_at(c, v, steps[s]));
        elman_text_buffer_put(table, "\n");
    }
}

/* Losses that fall by orders of magnitude. */
static bool wants_logarithm(const elman_comparison *c)
{
    double least = INFINITY, most = 0;
    for (int64_t i = 0; i < c->run_count; i++)
        for (int64_t p = 0; p < c->runs[i].points; p++) {
            double loss = c->runs[i].curve[p].loss;
            least = loss < least ? loss : least;
            most = loss > most ? loss : most;
        }
    return least > 0 && most > 20 * least;
}

static void put_body(elman_text_buffer *body, const elman_comparison *c)
{
    char line[192];
    elman_text_buffer_put(body, "set xlabel 'updates'\nset ylabel 'validation loss'\nset grid\n"
                                "set key outside top right horizontal\nset xrange [0:*]\n");
    if (wants_logarithm(c))
        elman_text_buffer_put(body, "set logscale y\n");
    elman_text_buffer_put(body, "plot ");
    for (int64_t i = 0; i < c->run_count; i++) {
        snprintf(line, sizeof line,
                 "table using 1:%" PRId64 " with lines linewidth 0.7 dashtype 2 linecolor rgb '%s' "
                 "notitle, \\\n     ",
                 2 + i, colours[c->runs[i].variant % COLOURS]);
        elman_text_buffer_put(body, line);
    }
    for (int v = 0; v < c->variant_count; v++) {
        snprintf(line, sizeof line,
                 "table using 1:%" PRId64 " with linespoints pointtype 7 pointsize 0.3 linewidth 2 "
                 "linecolor rgb '%s' title ",
                 2 + c->run_count + v, colours[v % COLOURS]);
        elman_text_buffer_put(body, line);
        elman_plot_put_quoted(body, c->variants[v].name);
        elman_text_buffer_put(body, v + 1 < c->variant_count ? ", \\\n     " : "\n");
    }
}

elman_status elman_comparison_plot(elman_context *context, const elman_comparison *comparison,
                                   const char *path, elman_error *error)
{
    int64_t count;
    elman_text_buffer table, body;
    ELMAN_TRY(elman_plot_check(path, error));
    int64_t *steps = steps_of(context, comparison, &count);
    if (!steps)
        return elman_out_of_memory(error);
    elman_text_buffer_init(&table, context);
    elman_text_buffer_init(&body, context);
    elman_status status = ELMAN_OK;
    if (!count)
        status = elman_fail(error, ELMAN_ERROR_DATA, "plot: nothing was validated");
    put_table(&table, comparison, steps, count);
    put_body(&body, comparison);
    const elman_plot plot = {
        .path = path, .width = WIDTH, .height = HEIGHT, .table = &table, .body = &body};
    if (status == ELMAN_OK)
        status = elman_plot_draw(context, &plot, error);
    elman_text_buffer_free(&table);
    elman_text_buffer_free(&body);
    elman_release(context, steps);
    return status;
}
