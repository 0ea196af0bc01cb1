/* What the model is worth on data, and what it writes. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/logarithm.h"
#include "elman/predict.h"
#include "elman/task.h"
#include "format/html.h"
#include "task/report_impl.h"

enum { MOST = 40 }; /* rows and columns of a table */

static void put_figure(elman_report *r, const char *name, double value, int digits)
{
    char text[40];
    bool counts = value == floor(value) && fabs(value) >= 1000 && fabs(value) < 1e15;
    elman_text_buffer_put(&r->html, "<tr><th>");
    elman_html_put(&r->html, name);
    elman_text_buffer_put(&r->html, "</th><td>");
    if (counts)
        elman_report_grouped(text, (int64_t)value);
    else
        elman_report_number(text, value, digits);
    elman_text_buffer_put(&r->html, text);
    elman_text_buffer_put(&r->html, "</td></tr>\n");
}

/* Names as they are read by people: "root_mean_squared" without its underscores. */
static void put_metric(elman_report *r, const elman_metric *metric)
{
    char name[ELMAN_METRIC_NAME];
    snprintf(name, sizeof name, "%s", metric->name);
    for (char *c = name; *c; c++)
        *c = *c == '_' ? ' ' : *c;
    put_figure(r, name, metric->value, fabs(metric->value) >= 1e4 ? 12 : 4);
}

static void put_table(elman_report *r, const elman_metrics_table *t)
{
    int64_t rows = t->rows < MOST ? t->rows : MOST, columns = t->columns < MOST ? t->columns : MOST;
    char text[96];
    elman_text_buffer_put(&r->html, "<div class=\"scroll\"><table><caption>");
    elman_html_put(&r->html, t->title);
    if (!strcmp(t->title, "confusion"))
        elman_text_buffer_put(&r->html, ": a row of what is true, a column of what was answered");
    elman_text_buffer_put(&r->html, "</caption><thead><tr><th></th>");
    for (int64_t c = 0; c < columns; c++) {
        elman_text_buffer_put(&r->html, "<th>");
        elman_html_put(&r->html, t->column_names[c]);
        elman_text_buffer_put(&r->html, "</th>");
    }
    elman_text_buffer_put(&r->html, "</tr></thead><tbody>\n");
    for (int64_t row = 0; row < rows; row++) {
        elman_text_buffer_put(&r->html, "<tr><th>");
        elman_html_put(&r->html, t->row_names[row]);
        elman_text_buffer_put(&r->html, "</th>");
        for (int64_t c = 0; c < columns; c++) {
            double value = t->values[row * t->columns + c];
            elman_report_put_cell(&r->html, value, value == floor(value) ? 12 : 4);
        }
        elman_text_buffer_put(&r->html, "</tr>\n");
    }
    elman_text_buffer_put(&r->html, "</tbody></table></div>\n");
    if (rows == t->rows && columns == t->columns)
        return;
    snprintf(text, sizeof text, "The first of %" PRId64 " rows and %" PRId64 " columns.", t->rows,
             t->columns);
    elman_text_buffer_put(&r->html, "<p class=\"lead\">");
    elman_text_buffer_put(&r->html, text);
    elman_text_buffer_put(&r->html, "</p>\n");
}

static void begin_figures(elman_report *r)
{
    elman_text_buffer_put(&r->html, "<div class=\"scroll narrow\"><table><tbody>\n");
}

static void end_figures(elman_report *r)
{
    elman_text_buffer_put(&r->html, "</tbody></table></div>\n");
}

static elman_status put_other(elman_report *r, elman_error *error)
{
    elman_predictor *predictor = NULL;
    elman_metrics metrics = {0};
    elman_error found = {0};
    elman_status status = elman_predictor_open(r->context, r->folder, &predictor, &found);
    if (status == ELMAN_OK)
        status = elman_predictor_eval(predictor, r->options->data, r->options->data_count, false,
                                      &metrics, &found);
    if (status == ELMAN_OK) {
        begin_figures(r);
        for (int64_t i = 0; i < metrics.count; i++)
            put_metric(r, &metrics.values[i]);
        end_figures(r);
        for (int i = 0; i < metrics.table_count; i++)
            put_table(r, &metrics.tables[i]);
    }
    elman_metrics_clear(r->context, &metrics);
    elman_predictor_free(predictor);
    return elman_report_lack(r, "the figures", status, &found, error);
}

static elman_status put_lm_figures(elman_report *r, const elman_lm *lm, elman_error *error)
{
    elman_lm_result result;
    elman_error found = {0};
    elman_status status =
        elman_lm_eval(r->context, lm, r->options->data, r->options->data_count, &result, &found);
    if (status == ELMAN_OK) {
        begin_figures(r);
        put_figure(r, "loss, nats a token", result.loss, 5);
        put_figure(r, "perplexity", elman_exponential(result.loss), 4);
        put_figure(r, "bits a token", result.loss / M_LN2, 5);
        put_figure(r, "tokens", (double)result.tokens, 15);
        end_figures(r);
    }
    return elman_report_lack(r, "the figures", status, &found, error);
}

static elman_status write_sample(elman_report *r, elman_lm_stream *stream, elman_error *error)
{
    const char *text;
    size_t size;
    for (int64_t i = 0; i < r->options->length; i++) {
        ELMAN_TRY(elman_lm_stream_draw(stream, &text, &size, error));
        elman_html_put_of(&r->html, text, size);
    }
    elman_lm_stream_finish(stream, &text, &size);
    elman_html_put_of(&r->html, text, size);
    return ELMAN_OK;
}

static elman_status put_sample(elman_report *r, const elman_lm *lm, elman_error *error)
{
    elman_lm_stream *stream = NULL;
    elman_sample_options sample;
    elman_error found = {0};
    char line[160];
    if (!r->options->length)
        return ELMAN_OK;
    elman_sample_options_default(&sample);
    sample.temperature = 0.8;
    sample.seed = r->options->seed;
    snprintf(
        line, sizeof line,
        "<h3>What it writes</h3>\n<p class=\"lead\">From nothing, with temperature 0.8 and seed "
        "%" PRIu64 ": the same on every machine.</p>\n<pre>",
        sample.seed);
    elman_text_buffer_put(&r->html, line);
    elman_status status = elman_lm_stream_create(r->context, lm, &sample, &stream, &found);
    if (status == ELMAN_OK)
        status = write_sample(r, stream, &found);
    elman_lm_stream_free(stream);
    elman_text_buffer_put(&r->html, "</pre>\n");
    return elman_report_lack(r, "the text", status, &found, error);
}

static elman_status put_lm(elman_report *r, elman_error *error)
{
    elman_lm *lm = NULL;
    elman_error found = {0};
    elman_status status = elman_lm_open(r->context, r->folder, &lm, &found);
    if (status != ELMAN_OK)
        return elman_report_lack(r, "the figures", status, &found, error);
    status = put_lm_figures(r, lm, error);
    if (status == ELMAN_OK)
        status = put_sample(r, lm, error);
    elman_lm_free(lm);
    return status;
}

elman_status elman_report_answers(elman_report *r, elman_error *error)
{
    char lead[ELMAN_CONFIG_TEXT + 64] = "On the part of its data that was kept for validation.";
    if (r->options->data_count == 1)
        snprintf(lead, sizeof lead, "On %s.", r->options->data[0]);
    else if (r->options->data_count)
        snprintf(lead, sizeof lead, "On %s and %d more.", r->options->data[0],
                 r->options->data_count - 1);
    if (!strcmp(r->file.task, "probe"))
        snprintf(lead, sizeof lead, "On examples that training has not seen.");
    elman_report_begin_section(&r->html, "figures", "What it is worth", lead);
    elman_status status = strcmp(r->file.task, "lm") ? put_other(r, error) : put_lm(r, error);
    elman_report_end_section(&r->html);
    return status;
}
