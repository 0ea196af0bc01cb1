/* What the doctor finds of the training that made the model, were it begun again. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "elman/doctor.h"
#include "format/chart.h"
#include "format/html.h"
#include "task/report_impl.h"

static void put_finding(elman_report *r, const elman_finding *f)
{
    char number[40], limit[40], line[128];
    elman_text_buffer *html = &r->html;
    elman_text_buffer_put(html, "<div class=\"finding ");
    elman_html_put(html, elman_severity_name(f->severity));
    elman_text_buffer_put(html, "\"><p class=\"kicker\">");
    elman_html_put(html, elman_severity_name(f->severity));
    elman_text_buffer_put(html, "</p><p>");
    elman_html_put(html, f->reason);
    elman_text_buffer_put(html, "</p><p class=\"lead\"><code>");
    elman_html_put(html, f->code);
    elman_report_number(number, f->number, 4);
    elman_report_number(limit, f->limit, 4);
    snprintf(line, sizeof line, isnan(f->limit) ? "</code>: %s" : "</code>: %s, held against %s",
             number, limit);
    elman_text_buffer_put(html, line);
    if (f->option) {
        elman_text_buffer_put(html, ". Change <code>--");
        elman_html_put(html, f->option);
        elman_text_buffer_put(html, f->value[0] ? " " : "");
        elman_html_put(html, f->value);
        elman_text_buffer_put(html, "</code>");
    }
    elman_text_buffer_put(html, ".</p></div>\n");
}

/* Where the loss explodes, what it was before would be a flat line beside it: it is cut off. */
static double bounded(double loss, double first)
{
    double most = first + 3 * fabs(first);
    return loss <= most ? loss : most;
}

/* The loss by learning rate, and where the run's own rate stands on it. */
static elman_status draw_range(elman_report *r, const elman_diagnosis *d, elman_error *error)
{
    size_t n = (size_t)d->range_count;
    if (!n)
        return ELMAN_OK;
    double *lr = elman_allocate(r->context, n, 3 * sizeof *lr);
    if (!lr)
        return elman_out_of_memory(error);
    double *loss = lr + n, *smooth = loss + n, own = (double)NAN;
    for (size_t i = 0; i < n; i++) {
        lr[i] = d->range[i].lr;
        loss[i] = bounded(d->range[i].loss, d->range[0].loss);
        smooth[i] = bounded(d->range[i].smooth, d->range[0].loss);
        if (lr[i] <= d->configured_lr)
            own = smooth[i];
    }
    elman_chart_series series[] = {{"loss", lr, loss, n, 5, false},
                                   {"smoothed", lr, smooth, n, 0, false},
                                   {"this run's rate", &d->configured_lr, &own, 1, 1, true}};
    elman_chart chart = {.title = "Loss while the learning rate grows, up to 4 times the first",
                         .x_label = "learning rate",
                         .series = series,
                         .count = 3,
                         .log_x = true,
                         .y_line = (double)NAN};
    elman_text_buffer_put(&r->html, "<div class=\"charts\">\n");
    elman_chart_put_lines(&r->html, &chart);
    elman_text_buffer_put(&r->html, "</div>\n");
    elman_release(r->context, lr);
    return ELMAN_OK;
}

/* The training as it was asked for: what the data said is for the data to say again. */
static elman_status examine(elman_report *r, elman_diagnosis *diagnosis, elman_error *found)
{
    elman_train_request request;
    elman_doctor_options options;
    size_t count = (size_t)r->file.train_count;
    const char **paths = elman_allocate(r->context, count ? count : 1, sizeof *paths);
    if (!paths)
        return elman_fail(found, ELMAN_ERROR_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++)
        paths[i] = r->file.data[i].path;
    elman_train_request_default(&request);
    request.task = r->file.task;
    request.config = r->file.config;
    request.config.vocabulary = request.config.inputs = 0;
    request.config.outputs = request.config.characters = request.config.extras = 0;
    request.data = paths;
    request.data_count = (int)count;
    elman_doctor_options_default(&options);
    options.updates = r->options->updates;
    options.stop = r->options->stop;
    elman_status status = elman_doctor_request(r->context, &request, &options, diagnosis, found);
    elman_release(r->context, paths);
    return status;
}

elman_status elman_report_findings(elman_report *r, elman_error *error)
{
    elman_diagnosis d = {0};
    elman_error found = {0};
    elman_report_begin_section(&r->html, "findings", "What the doctor finds",
                               r->options->updates
                                   ? "Of this training, were it begun again: its data and sizes "
                                     "looked over, and tried for a moment."
                                   : "Of this training, were it begun again: its data and sizes "
                                     "looked over.");
    elman_status status = examine(r, &d, &found);
    if (status == ELMAN_OK) {
        for (int64_t i = 0; i < d.count; i++)
            put_finding(r, &d.findings[i]);
        if (!d.count)
            elman_text_buffer_put(&r->html, "<p>It finds nothing wrong.</p>\n");
        status = draw_range(r, &d, error);
    } else {
        status = elman_report_lack(r, "the doctor's findings", status, &found, error);
    }
    elman_report_end_section(&r->html);
    elman_diagnosis_clear(r->context, &d);
    return status;
}
