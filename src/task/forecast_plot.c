#include "task/forecast_plot.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/text_buffer.h"
#include "format/plot.h"

enum { PANELS = 7, PANEL_HEIGHT = 200, WIDTH = 900 };

/* Columns: x; then per panel value, point, low, high. What is not there is NaN. */
static void put_row(elman_text_buffer *t, const elman_forecast_picture *p, int64_t row)
{
    const elman_forecast_shape *s = &p->model->network.shape;
    int64_t h = row - p->history;
    if (p->dates[0].text[0])
        elman_text_buffer_put(t, p->dates[row].text);
    else
        elman_text_buffer_number(t, (double)(p->first + row), 15);
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
            elman_text_buffer_put(t, "\t");
            if (isnan(cells[i]))
                elman_text_buffer_put(t, "NaN");
            else
                elman_text_buffer_number(t, cells[i], 9);
        }
    }
    elman_text_buffer_put(t, "\n");
}

static void put_format(elman_text_buffer *t, const elman_date_form *form)
{
    static const char *const days[] = {"%s", "%Y-%m", "%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y"};
    char separator[2] = {form->separator, 0};
    elman_text_buffer_put(t, days[form->order]);
    if (!form->separator)
        return;
    elman_text_buffer_put(t, separator);
    elman_text_buffer_put(t, form->seconds ? "%H:%M:%S" : "%H:%M");
}

/* How the last panel labels the x axis. */
static void put_axis(elman_text_buffer *t, const elman_forecast_picture *p)
{
    const elman_date_form *form = &p->model->columns.form;
    bool dates = p->dates[0].text[0] && form->order != ELMAN_DATE_NUMBER;
    elman_text_buffer_put(t, !dates                                 ? "set format x '%g'\n"
                             : form->order == ELMAN_DATE_YEAR_MONTH ? "set format x '%Y-%m'\n"
                             : form->separator ? "set format x \"%m-%d\\n%H:%M\"\nset bmargin 3\n"
                                               : "set format x '%Y-%m-%d'\n");
}

/* Panels share the x axis, whose labels stand under the last, and the key above the first. */
static void put_panel(elman_text_buffer *t, const elman_forecast_picture *p, int64_t c,
                      int64_t panels)
{
    const elman_forecast_shape *s = &p->model->network.shape;
    char columns[160];
    int at = 2 + 4 * (int)c;
    if (c == 1)
        elman_text_buffer_put(t, "unset key\n");
    if (panels > 1 && c == 0)
        elman_text_buffer_put(t, "set format x ''\n");
    if (c == panels - 1)
        put_axis(t, p);
    elman_text_buffer_put(t, "set title ");
    elman_plot_put_quoted(t, p->model->columns.targets[c]);
    elman_text_buffer_put(t, "\nplot ");
    if (s->Q > 1) {
        elman_text_buffer_put(t, "table");
        snprintf(columns, sizeof columns,
                 " using 1:%d:%d with filledcurves linecolor rgb '#f4c9a5' title '%d %% interval', "
                 "\\\n     ",
                 at + 2, at + 3, (int)(100.0F * (s->quantiles[s->Q - 1] - s->quantiles[0]) + 0.5F));
        elman_text_buffer_put(t, columns);
    }
    elman_text_buffer_put(t, "table");
    snprintf(columns, sizeof columns,
             " using 1:%d with lines linewidth 1.5 linecolor rgb '#30507a' title 'history', "
             "\\\n     ",
             at);
    elman_text_buffer_put(t, columns);
    elman_text_buffer_put(t, "table");
    snprintf(columns, sizeof columns,
             " using 1:%d with lines linewidth 2 linecolor rgb '#c8501e' title 'forecast'\n",
             at + 1);
    elman_text_buffer_put(t, columns);
}

static void put_body(elman_text_buffer *t, const elman_forecast_picture *p, int64_t panels)
{
    char line[64];
    elman_text_buffer_put(t, "set key outside top right horizontal\nset style fill solid noborder\n"
                             "set lmargin 10\nset rmargin 3\nset xrange [*:*] noextend\n");
    if (p->dates[0].text[0] && p->model->columns.form.order != ELMAN_DATE_NUMBER) {
        elman_text_buffer_put(t, "set xdata time\nset timefmt '");
        put_format(t, &p->model->columns.form);
        elman_text_buffer_put(t, "'\n");
    }
    snprintf(line, sizeof line, "set multiplot layout %" PRId64 ",1", panels);
    elman_text_buffer_put(t, line);
    if (p->series[0]) {
        elman_text_buffer_put(t, " title ");
        elman_plot_put_quoted(t, p->series);
    }
    elman_text_buffer_put(t, "\n");
    for (int64_t c = 0; c < panels; c++)
        put_panel(t, p, c, panels);
    elman_text_buffer_put(t, "unset multiplot\n");
}

elman_status elman_forecast_draw(elman_context *context, const elman_forecast_picture *picture,
                                 elman_error *error)
{
    const elman_forecast_shape *s = &picture->model->network.shape;
    int64_t panels = s->C < PANELS ? s->C : PANELS;
    elman_text_buffer table, body;
    elman_text_buffer_init(&table, context);
    elman_text_buffer_init(&body, context);
    for (int64_t row = 0; row < picture->history + s->H; row++)
        put_row(&table, picture, row);
    put_body(&body, picture, panels);
    elman_plot plot = {
        .path = picture->path,
        .width = WIDTH,
        .height = (int)(panels == 1 ? 2 : panels) * PANEL_HEIGHT,
        .table = &table,
        .body = &body,
    };
    elman_status status = elman_plot_draw(context, &plot, error);
    elman_text_buffer_free(&table);
    elman_text_buffer_free(&body);
    return status;
}
