/* How it was trained: the curves of metrics.jsonl. */
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "format/chart.h"
#include "task/report_impl.h"

/* A field of each record as an array: what a chart draws. */
static double *column(elman_report *r, const void *records, size_t count, size_t size,
                      size_t offset)
{
    double *out = elman_allocate(r->context, count ? count : 1, sizeof *out);
    for (size_t i = 0; out && i < count; i++)
        memcpy(&out[i], (const char *)records + i * size + offset, sizeof *out);
    return out;
}

static double *steps(elman_report *r, const void *records, size_t count, size_t size, size_t offset)
{
    double *out = column(r, records, count, size, offset);
    for (size_t i = 0; out && i < count; i++) {
        int64_t step;
        memcpy(&step, &out[i], sizeof step);
        out[i] = (double)step;
    }
    return out;
}

#define INTERVALS(field)                                                                           \
    column(r, h->intervals, h->interval_count, sizeof *h->intervals,                               \
           offsetof(elman_history_interval, field))
#define VALIDATIONS(field)                                                                         \
    column(r, h->validations, h->validation_count, sizeof *h->validations,                         \
           offsetof(elman_history_validation, field))

typedef struct curves {
    double *step, *valid_step; /* of the intervals; of the validations */
    double *loss, *norm, *lr, *speed, *valid_loss, *value;
} curves;

static void draw_all(elman_report *r, const curves *c)
{
    const elman_history *h = &r->history;
    size_t n = h->interval_count, m = h->validation_count;
    elman_chart_series loss[] = {{"training", c->step, c->loss, n, 0, false},
                                 {"validation", c->valid_step, c->valid_loss, m, 1, true}};
    elman_chart_series value = {h->metric, c->valid_step, c->value, m, 2, true};
    elman_chart_series norm = {"norm", c->step, c->norm, n, 3, false};
    elman_chart_series lr = {"lr", c->step, c->lr, n, 4, false};
    elman_chart_series speed = {"speed", c->step, c->speed, n, 5, false};
    char title[96];
    snprintf(title, sizeof title, "Validation %s", h->metric);
    elman_chart charts[] = {
        {"Loss", "step", loss, m ? 2 : 1, false, false, (double)NAN, ""},
        {title, "step", &value, 1, false, false, (double)NAN, ""},
        {"Gradient norm before clipping", "step", &norm, 1, false, elman_chart_is_wide(c->norm, n),
         r->file.config.clip > 0 ? r->file.config.clip : (double)NAN, "--clip"},
        {"Learning rate", "step", &lr, 1, false, false, (double)NAN, ""},
        {"Speed, predictions a second", "step", &speed, 1, false, false, (double)NAN, ""},
    };
    elman_text_buffer_put(&r->html, "<div class=\"charts\">\n");
    for (size_t i = 0; i < sizeof charts / sizeof *charts; i++)
        if (charts[i].series != &value || (h->metric[0] && m))
            elman_chart_put_lines(&r->html, &charts[i]);
    elman_text_buffer_put(&r->html, "</div>\n");
}

/* What the curves come to, in a sentence. */
static void sum_up(const elman_history *h, char text[256])
{
    const elman_history_validation *best = NULL;
    char loss[40], last[40];
    int64_t since = 0;
    for (size_t i = 0; i < h->validation_count; i++) {
        since++;
        if (h->validations[i].best) {
            best = &h->validations[i];
            since = 0;
        }
    }
    snprintf(text, 256, "There was no validation; the weights are the last.");
    if (!best)
        return;
    elman_report_number(loss, best->loss, 4);
    elman_report_number(last, h->interval_count ? h->intervals[h->interval_count - 1].loss : NAN,
                        4);
    int n = snprintf(text, 256,
                     "The weights are those of step %" PRId64 ", with a validation loss of %s; the "
                     "training loss ended at %s.",
                     best->step, loss, last);
    if (since)
        snprintf(text + n, 256 - (size_t)n, " %" PRId64 " later validation%s no better.", since,
                 since == 1 ? " was" : "s were");
}

elman_status elman_report_training(elman_report *r, elman_error *error)
{
    const elman_history *h = &r->history;
    char text[256];
    if (!h->interval_count && !h->validation_count)
        return ELMAN_OK;
    curves c = {
        .step = steps(r, h->intervals, h->interval_count, sizeof *h->intervals,
                      offsetof(elman_history_interval, step)),
        .valid_step = steps(r, h->validations, h->validation_count, sizeof *h->validations,
                            offsetof(elman_history_validation, step)),
        .loss = INTERVALS(loss),
        .norm = INTERVALS(gradient_norm),
        .lr = INTERVALS(lr),
        .speed = INTERVALS(tokens_per_second),
        .valid_loss = VALIDATIONS(loss),
        .value = VALIDATIONS(value),
    };
    elman_status status = ELMAN_OK;
    double *all[] = {c.step, c.valid_step, c.loss, c.norm, c.lr, c.speed, c.valid_loss, c.value};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!all[i])
            status = elman_out_of_memory(error);
    if (status == ELMAN_OK) {
        sum_up(h, text);
        elman_report_begin_section(&r->html, "training", "Training", text);
        draw_all(r, &c);
        elman_report_end_section(&r->html);
    }
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        elman_release(r->context, all[i]);
    return status;
}
