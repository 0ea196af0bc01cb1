#include "task/forecast_answer.h"

#include <inttypes.h>
#include <stdio.h>

enum { CSV_DIGITS = 7, JSON_DIGITS = 9 };

static void put_delimiter(elman_text_buffer *t, char delimiter)
{
    char piece[2] = {delimiter, 0};
    elman_text_buffer_put(t, piece);
}

/* "0.1" of the float next to it. */
static void put_quantile(elman_text_buffer *t, float q)
{
    elman_text_buffer_number(t, (double)q, 6);
}

/* The date of row h, or its number: h + 1 of a forecast, rows so far of an origin. */
static void put_moment(elman_text_buffer *t, const elman_forecast_answer_of *a, int64_t h,
                       bool json)
{
    char text[40];
    elman_forecast_stream_date(a->stream, h, text);
    if (!text[0]) {
        int64_t n = h < 0 ? elman_forecast_stream_rows(a->stream) : h + 1;
        elman_text_buffer_number(t, (double)n, 15);
    } else if (json) {
        elman_text_buffer_string(t, text);
    } else {
        elman_text_buffer_cell(t, text, a->delimiter);
    }
}

void elman_forecast_put_header(elman_text_buffer *t, const elman_forecast_answer_of *a)
{
    const elman_forecast_columns *c = &a->model->columns;
    const elman_forecast_shape *s = &a->model->network.shape;
    if (a->rolling) {
        elman_text_buffer_put(t, "origin");
        put_delimiter(t, a->delimiter);
    }
    if (a->series) {
        elman_text_buffer_cell(t, c->series, a->delimiter);
        put_delimiter(t, a->delimiter);
    }
    elman_text_buffer_cell(t, c->date && c->header ? c->date : "step", a->delimiter);
    for (int64_t i = 0; i < s->C; i++) {
        put_delimiter(t, a->delimiter);
        elman_text_buffer_cell(t, c->header ? c->targets[i] : "value", a->delimiter);
        if (!c->header && s->C > 1)
            elman_text_buffer_put(t, c->targets[i]);
        for (int64_t q = 0; q < s->Q; q++) {
            put_delimiter(t, a->delimiter);
            elman_text_buffer_put(t, c->header ? "" : "value");
            elman_text_buffer_cell(t, c->targets[i], a->delimiter);
            elman_text_buffer_put(t, "_");
            put_quantile(t, s->quantiles[q]);
        }
    }
    elman_text_buffer_put(t, "\n");
}

void elman_forecast_put_lines(elman_text_buffer *t, const elman_forecast_answer_of *a)
{
    const elman_forecast_shape *s = &a->model->network.shape;
    for (int64_t h = 0; h < s->H; h++) {
        if (a->rolling) {
            put_moment(t, a, -1, false);
            put_delimiter(t, a->delimiter);
        }
        if (a->series) {
            elman_text_buffer_cell(t, a->series, a->delimiter);
            put_delimiter(t, a->delimiter);
        }
        put_moment(t, a, h, false);
        for (int64_t c = 0; c < s->C; c++) {
            int64_t at = h * s->C + c;
            put_delimiter(t, a->delimiter);
            elman_text_buffer_number(t, a->point[at], CSV_DIGITS);
            for (int64_t q = 0; q < s->Q; q++) {
                put_delimiter(t, a->delimiter);
                elman_text_buffer_number(t, a->quantiles[at * s->Q + q], CSV_DIGITS);
            }
        }
        elman_text_buffer_put(t, "\n");
    }
}

/* Numbers `stride` apart, one for each row. */
static void put_numbers(elman_text_buffer *t, const double *x, int64_t n, int64_t stride)
{
    elman_text_buffer_put(t, "[");
    for (int64_t i = 0; i < n; i++) {
        if (i)
            elman_text_buffer_put(t, ",");
        elman_text_buffer_number(t, x[i * stride], JSON_DIGITS);
    }
    elman_text_buffer_put(t, "]");
}

static void put_target(elman_text_buffer *t, const elman_forecast_answer_of *a, int64_t c)
{
    const elman_forecast_shape *s = &a->model->network.shape;
    elman_text_buffer_string(t, a->model->columns.targets[c]);
    elman_text_buffer_put(t, ":{\"point\":");
    put_numbers(t, a->point + c, s->H, s->C);
    for (int64_t q = 0; q < s->Q; q++) {
        elman_text_buffer_put(t, ",\"");
        put_quantile(t, s->quantiles[q]);
        elman_text_buffer_put(t, "\":");
        put_numbers(t, a->quantiles + c * s->Q + q, s->H, s->C * s->Q);
    }
    elman_text_buffer_put(t, "}");
}

void elman_forecast_put_record(elman_text_buffer *t, const elman_forecast_answer_of *a)
{
    const elman_forecast_shape *s = &a->model->network.shape;
    elman_text_buffer_put(t, "{");
    if (a->series) {
        elman_text_buffer_put(t, "\"series\":");
        elman_text_buffer_string(t, a->series);
        elman_text_buffer_put(t, ",");
    }
    elman_text_buffer_put(t, "\"origin\":");
    put_moment(t, a, -1, true);
    elman_text_buffer_put(t, ",\"dates\":[");
    for (int64_t h = 0; h < s->H; h++) {
        elman_text_buffer_put(t, h ? "," : "");
        put_moment(t, a, h, true);
    }
    elman_text_buffer_put(t, "],\"forecast\":{");
    for (int64_t c = 0; c < s->C; c++) {
        elman_text_buffer_put(t, c ? "," : "");
        put_target(t, a, c);
    }
    elman_text_buffer_put(t, "}}\n");
}
