#include "task/forecast_plot.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "task/forecast_text.h"

enum { PANELS = 7, PANEL_HEIGHT = 200, WIDTH = 900 };

static bool ends_in(const char *path, const char *ending)
{
    size_t a = strlen(path), b = strlen(ending);
    return a > b && !strcmp(path + a - b, ending);
}

elman_status elman_forecast_draw_check(const char *path, elman_error *error)
{
    if (ends_in(path, ".svg") || ends_in(path, ".png"))
        return ELMAN_OK;
    return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                      "plot: found %s, expected a file that ends in .svg or .png", path);
}

/* Columns: x; then per panel value, point, low, high. What is not there is NaN. */
static void put_row(elman_forecast_text *t, const elman_forecast_picture *p, int64_t row)
{
    const elman_forecast_shape *s = &p->model->network.shape;
    int64_t h = row - p->history;
    if (p->dates[0].text[0])
        elman_forecast_text_put(t, p->dates[row].text);
    else
        elman_forecast_text_number(t, (double)(p->first + row), 15);
    for (int64_t c = 0; c < s->C && c < PANELS; c++) {
        double cells[4] = {NAN, NAN, NAN, NAN};
        if (h < 0)
            cells[0] = p->values[row * s->C + c];
        else
            cells[1] = p->point[h * s->C + c];
        if (h == -1) /* so that the line of the forecast begins at the last value */
            cells[1] = cells[2] = cells[3] = cells[0];
        if (h >= 0 && s->Q > 1) {
            const double *q = p->quantiles + (h * s->C + c) * s->Q;
            cells[2] = q[0];
            cells[3] = q[s->Q - 1];
        }
        for (int i = 0; i < 4; i++) {
            elman_forecast_text_put(t, "\t");
            if (isnan(cells[i]))
                elman_forecast_text_put(t, "NaN");
            else
                elman_forecast_text_number(t, cells[i], 9);
        }
    }
    elman_forecast_text_put(t, "\n");
}

/* A string of gnuplot's that nothing in it can end. */
static void put_quoted(elman_forecast_text *t, const char *piece)
{
    char one[2] = {0};
    elman_forecast_text_put(t, "'");
    for (const char *at = piece; *at; at++) {
        one[0] = (unsigned char)*at < 0x20 ? ' ' : *at;
        elman_forecast_text_put(t, *at == '\'' ? "''" : one);
    }
    elman_forecast_text_put(t, "'");
}

static void put_format(elman_forecast_text *t, const elman_date_form *form)
{
    static const char *const days[] = {"%s", "%Y-%m", "%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y"};
    char separator[2] = {form->separator, 0};
    elman_forecast_text_put(t, days[form->order]);
    if (!form->separator)
        return;
    elman_forecast_text_put(t, separator);
    elman_forecast_text_put(t, form->seconds ? "%H:%M:%S" : "%H:%M");
}

/* How the last panel labels the x axis. */
static void put_axis(elman_forecast_text *t, const elman_forecast_picture *p)
{
    const elman_date_form *form = &p->model->columns.form;
    bool dates = p->dates[0].text[0] && form->order != ELMAN_DATE_NUMBER;
    elman_forecast_text_put(t, !dates                                 ? "set format x '%g'\n"
                               : form->order == ELMAN_DATE_YEAR_MONTH ? "set format x '%Y-%m'\n"
                               : form->separator ? "set format x \"%m-%d\\n%H:%M\"\nset bmargin 3\n"
                                                 : "set format x '%Y-%m-%d'\n");
}

/* Panels share the x axis, whose labels stand under the last, and the key above the first. */
static void put_panel(elman_forecast_text *t, const elman_forecast_picture *p, int64_t c,
                      int64_t panels, const char *table)
{
    const elman_forecast_shape *s = &p->model->network.shape;
    char columns[160];
    int at = 2 + 4 * (int)c;
    if (c == 1)
        elman_forecast_text_put(t, "unset key\n");
    if (panels > 1 && c == 0)
        elman_forecast_text_put(t, "set format x ''\n");
    if (c == panels - 1)
        put_axis(t, p);
    elman_forecast_text_put(t, "set title ");
    put_quoted(t, p->model->columns.targets[c]);
    elman_forecast_text_put(t, "\nplot ");
    if (s->Q > 1) {
        put_quoted(t, table);
        snprintf(columns, sizeof columns,
                 " using 1:%d:%d with filledcurves linecolor rgb '#f4c9a5' title '%d %% interval', "
                 "\\\n     ",
                 at + 2, at + 3, (int)(100.0F * (s->quantiles[s->Q - 1] - s->quantiles[0]) + 0.5F));
        elman_forecast_text_put(t, columns);
    }
    put_quoted(t, table);
    snprintf(columns, sizeof columns,
             " using 1:%d with lines linewidth 1.5 linecolor rgb '#30507a' title 'history', "
             "\\\n     ",
             at);
    elman_forecast_text_put(t, columns);
    put_quoted(t, table);
    snprintf(columns, sizeof columns,
             " using 1:%d with lines linewidth 2 linecolor rgb '#c8501e' title 'forecast'\n",
             at + 1);
    elman_forecast_text_put(t, columns);
}

static void put_script(elman_forecast_text *t, const elman_forecast_picture *p, const char *table)
{
    const elman_forecast_shape *s = &p->model->network.shape;
    int64_t panels = s->C < PANELS ? s->C : PANELS;
    char line[160];
    snprintf(line, sizeof line, "set terminal %s size %d,%" PRId64 " noenhanced\nset output ",
             ends_in(p->path, ".svg") ? "svg background rgb 'white'" : "pngcairo", WIDTH,
             panels == 1 ? 2 * (int64_t)PANEL_HEIGHT : panels * PANEL_HEIGHT);
    elman_forecast_text_put(t, "# Drawn by gnuplot; change it and draw it again.\n");
    elman_forecast_text_put(t, line);
    put_quoted(t, p->path);
    elman_forecast_text_put(
        t, "\nset datafile separator \"\\t\"\nset datafile missing 'NaN'\n"
           "set grid linecolor rgb '#cccccc'\nset key outside top right horizontal\n"
           "set style fill solid noborder\nset lmargin 10\nset rmargin 3\n"
           "set tics nomirror font ',9'\nset xrange [*:*] noextend\n");
    if (p->dates[0].text[0] && p->model->columns.form.order != ELMAN_DATE_NUMBER) {
        elman_forecast_text_put(t, "set xdata time\nset timefmt ");
        elman_forecast_text_put(t, "'");
        put_format(t, &p->model->columns.form);
        elman_forecast_text_put(t, "'\n");
    }
    snprintf(line, sizeof line, "set multiplot layout %" PRId64 ",1", panels);
    elman_forecast_text_put(t, line);
    if (p->series[0]) {
        elman_forecast_text_put(t, " title ");
        put_quoted(t, p->series);
    }
    elman_forecast_text_put(t, "\n");
    for (int64_t c = 0; c < panels; c++)
        put_panel(t, p, c, panels, table);
    elman_forecast_text_put(t, "unset multiplot\n");
}

static elman_status write_text(const elman_forecast_text *t, const char *path, elman_error *error)
{
    return t->failed ? elman_fail(error, ELMAN_ERROR_MEMORY, "out of memory")
                     : elman_file_replace(path, t->bytes, t->used, error);
}

extern char **environ;

/* Its messages go where ours go: to standard error. */
static elman_status run_gnuplot(const char *script, elman_error *error)
{
    char name[] = "gnuplot";
    char *path = strdup(script), *arguments[] = {name, path, NULL};
    pid_t child;
    int status = 0;
    if (!path)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "out of memory");
    int failure = posix_spawnp(&child, name, NULL, NULL, arguments, environ);
    free(path);
    if (failure)
        return elman_fail(error, ELMAN_ERROR_IO,
                          "plot: cannot run gnuplot: %s; its script stands in %s",
                          strerror(failure), script);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return elman_fail_errno(error, script, "cannot wait for gnuplot");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return ELMAN_OK;
    return elman_fail(error, ELMAN_ERROR_IO,
                      WIFEXITED(status) && WEXITSTATUS(status) == 127
                          ? "plot: gnuplot is not there; its script stands in %s"
                          : "plot: gnuplot could not draw %s",
                      script);
}

elman_status elman_forecast_draw(elman_context *context, const elman_forecast_picture *picture,
                                 elman_error *error)
{
    elman_forecast_text text;
    char table[4096], script[4096];
    ELMAN_TRY(elman_forecast_draw_check(picture->path, error));
    if (strlen(picture->path) + 5 > sizeof table)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "plot: too long a path");
    snprintf(table, sizeof table, "%s.dat", picture->path);
    snprintf(script, sizeof script, "%s.gp", picture->path);
    elman_forecast_text_init(&text, context);
    for (int64_t row = 0; row < picture->history + picture->model->network.shape.H; row++)
        put_row(&text, picture, row);
    elman_status status = write_text(&text, table, error);
    elman_forecast_text_clear(&text);
    put_script(&text, picture, table);
    if (status == ELMAN_OK)
        status = write_text(&text, script, error);
    elman_forecast_text_free(&text);
    return status == ELMAN_OK ? run_gnuplot(script, error) : status;
}
