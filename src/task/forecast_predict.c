/* Rows of CSV in, forecasts out: after the last row, or after each. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/context_impl.h"
#include "base/error.h"
#include "base/memory.h"
#include "data/intern.h"
#include "format/plot.h"
#include "task/forecast_answer.h"
#include "task/forecast_impl.h"
#include "task/forecast_plot.h"

/* A series of the input. Rows without a single target are what is known in advance; those that
 * nothing follows are the forecast's own. */
typedef struct input_series {
    elman_forecast_stream *stream;
    double *known;              /* [waiting,Kf] of rows that wait */
    elman_forecast_date *dates; /* [waiting] */
    int64_t waiting;
    bool seen, misses; /* any value; one in the last row */
    size_t known_room, dates_room;
    double *values; /* [kept,C] for the picture */
    elman_forecast_date *kept_dates;
    int64_t kept;
    size_t values_room, kept_room;
} input_series;

typedef struct desk {
    const elman_forecaster *model;
    const elman_predict_options *options;
    const elman_lines *lines;
    elman_context *context;
    elman_forecast_places places;
    elman_table_line line;
    uint64_t number; /* of the line */
    bool began;      /* the places are known */
    bool headed;     /* the answer's header was written */
    elman_intern names;
    input_series *series; /* [names.count] */
    size_t series_room;
    double *targets, *known, *point, *quantiles;
    elman_text_buffer text;
} desk;

/* --- answers ------------------------------------------------------------------------------ */

static elman_status write_answer(desk *d, int64_t i, const double *ahead, elman_error *error)
{
    input_series *s = &d->series[i];
    ELMAN_TRY(elman_forecast_stream_answer(s->stream, ahead, d->point, d->quantiles, error));
    elman_forecast_answer_of answer = {
        .model = d->model,
        .stream = s->stream,
        .series = d->model->columns.series ? elman_intern_text(&d->names, (int32_t)i, NULL) : NULL,
        .rolling = d->options->rolling,
        .delimiter = d->line.delimiter,
        .point = d->point,
        .quantiles = d->quantiles,
    };
    elman_text_buffer_clear(&d->text);
    if (d->options->json) {
        elman_forecast_put_record(&d->text, &answer);
    } else {
        if (!d->headed)
            elman_forecast_put_header(&d->text, &answer);
        elman_forecast_put_lines(&d->text, &answer);
    }
    d->headed = true;
    if (d->text.failed)
        return elman_out_of_memory(error);
    ELMAN_TRY(d->lines->write(d->lines->user, d->text.bytes, d->text.used, error));
    bool more = d->lines->ready && d->lines->ready(d->lines->user);
    return more || !d->lines->flush ? ELMAN_OK : d->lines->flush(d->lines->user, error);
}

static elman_status draw(desk *d, int64_t i, elman_error *error)
{
    input_series *s = &d->series[i];
    const elman_forecast_shape *shape = &d->model->network.shape;
    elman_forecast_date *dates = elman_grown(d->context, s->kept_dates, (size_t)s->kept,
                                             &s->kept_room, (size_t)shape->H, sizeof *dates);
    if (!dates)
        return elman_out_of_memory(error);
    s->kept_dates = dates;
    for (int64_t h = 0; h < shape->H; h++)
        elman_forecast_stream_date(s->stream, h, dates[s->kept + h].text);
    int64_t wanted = shape->L > 4 * shape->H ? shape->L : 4 * shape->H;
    int64_t history = s->kept < wanted ? s->kept : wanted, from = s->kept - history;
    elman_forecast_picture picture = {
        .model = d->model,
        .path = d->options->plot,
        .series = elman_intern_text(&d->names, (int32_t)i, NULL),
        .history = history,
        .values = s->values + from * shape->C,
        .dates = dates + from,
        .first = from + 1,
        .point = d->point,
        .quantiles = d->quantiles,
    };
    return elman_forecast_draw(d->context, &picture, error);
}

/* --- rows --------------------------------------------------------------------------------- */

static elman_status keep_row(desk *d, input_series *s, const char *date, elman_error *error)
{
    size_t C = (size_t)d->model->columns.target_count;
    double *values =
        elman_grown(d->context, s->values, (size_t)s->kept * C, &s->values_room, C, sizeof *values);
    if (!values)
        return elman_out_of_memory(error);
    s->values = values;
    elman_forecast_date *dates =
        elman_grown(d->context, s->kept_dates, (size_t)s->kept, &s->kept_room, 1, sizeof *dates);
    if (!dates)
        return elman_out_of_memory(error);
    s->kept_dates = dates;
    memcpy(values + (size_t)s->kept * C, d->targets, C * sizeof *values);
    snprintf(dates[s->kept].text, sizeof dates->text, "%s", date ? date : "");
    s->kept++;
    return ELMAN_OK;
}

static elman_status push(desk *d, input_series *s, const double *known, const char *date,
                         elman_error *error)
{
    elman_error found = {0};
    elman_status status = elman_forecast_stream_push(s->stream, d->targets, known, date, &found);
    if (status != ELMAN_OK)
        return elman_fail(error, status, "%s: line %" PRIu64 ": %s", d->lines->name, d->number,
                          found.message);
    s->misses = false;
    for (int64_t c = 0; c < d->model->columns.target_count; c++) {
        s->seen = s->seen || !isnan(d->targets[c]);
        s->misses = s->misses || isnan(d->targets[c]);
    }
    return d->options->plot ? keep_row(d, s, date, error) : ELMAN_OK;
}

/* Rows that waited turn out to be rows whose targets are missing. */
static elman_status push_waiting(desk *d, input_series *s, elman_error *error)
{
    int64_t C = d->model->columns.target_count, Kf = d->model->columns.covariate_count;
    if (!s->waiting)
        return ELMAN_OK;
    for (int64_t c = 0; c < C; c++)
        d->point[c] = d->targets[c]; /* put aside; an answer comes later */
    for (int64_t c = 0; c < C; c++)
        d->targets[c] = NAN;
    for (int64_t i = 0; i < s->waiting; i++)
        ELMAN_TRY(
            push(d, s, s->known + i * Kf, d->model->columns.date ? s->dates[i].text : NULL, error));
    for (int64_t c = 0; c < C; c++)
        d->targets[c] = d->point[c];
    s->waiting = 0;
    return ELMAN_OK;
}

static elman_status wait(desk *d, input_series *s, const char *date, elman_error *error)
{
    size_t Kf = (size_t)d->model->columns.covariate_count, n = (size_t)s->waiting;
    double *known = elman_grown(d->context, s->known, n * Kf, &s->known_room, Kf, sizeof *known);
    if (!known)
        return elman_out_of_memory(error);
    s->known = known;
    elman_forecast_date *dates =
        elman_grown(d->context, s->dates, n, &s->dates_room, 1, sizeof *dates);
    if (!dates)
        return elman_out_of_memory(error);
    s->dates = dates;
    memcpy(known + n * Kf, d->known, Kf * sizeof *known);
    snprintf(dates[n].text, sizeof dates->text, "%s", date ? date : "");
    s->waiting++;
    return ELMAN_OK;
}

static elman_status read_number(const desk *d, int64_t place, const char *name, double *value,
                                elman_error *error)
{
    size_t size;
    const char *cell = elman_table_line_cell(&d->line, place, &size);
    if (elman_table_number_of(cell, size, value))
        return ELMAN_OK;
    return elman_fail(error, ELMAN_ERROR_DATA,
                      "%s: line %" PRIu64 ", column %s: found \"%.60s\", expected a number",
                      d->lines->name, d->number, name, cell);
}

static elman_status series_of(desk *d, int64_t *number, elman_error *error)
{
    size_t size = 0;
    int32_t found;
    int32_t before = d->names.count;
    const char *name =
        d->places.series < 0 ? "" : elman_table_line_cell(&d->line, d->places.series, &size);
    ELMAN_TRY(elman_intern_add(&d->names, name, size, &found, error));
    *number = found;
    if (d->names.count == before)
        return ELMAN_OK;
    input_series *grown =
        elman_grown(d->context, d->series, (size_t)before, &d->series_room, 1, sizeof *grown);
    if (!grown) {
        d->names.count = before;
        return elman_out_of_memory(error);
    }
    d->series = grown;
    memset(&grown[before], 0, sizeof *grown);
    return elman_forecast_stream_create(d->model, &grown[before].stream, error);
}

static elman_status read_row(desk *d, elman_error *error)
{
    const elman_forecast_columns *c = &d->model->columns;
    int64_t number;
    bool any = false;
    if (d->line.count != d->places.count)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "%s: line %" PRIu64 ": found %" PRId64 " columns, expected %" PRId64,
                          d->lines->name, d->number, d->line.count, d->places.count);
    for (int64_t i = 0; i < c->target_count; i++) {
        ELMAN_TRY(read_number(d, d->places.targets[i], c->targets[i], &d->targets[i], error));
        any = any || !isnan(d->targets[i]);
    }
    for (int64_t i = 0; i < c->covariate_count; i++)
        ELMAN_TRY(read_number(d, d->places.covariates[i], c->covariates[i], &d->known[i], error));
    ELMAN_TRY(series_of(d, &number, error));
    input_series *s = &d->series[number];
    const char *date =
        d->places.date < 0 ? NULL : elman_table_line_cell(&d->line, d->places.date, NULL);
    if (c->covariate_count && !any)
        return wait(d, s, date, error);
    ELMAN_TRY(push_waiting(d, s, error));
    ELMAN_TRY(push(d, s, d->known, date, error));
    if (!d->options->rolling || elman_forecast_stream_rows(s->stream) < d->model->network.shape.L)
        return ELMAN_OK;
    return write_answer(d, number, NULL, error);
}

/* --- from the first line to the last ------------------------------------------------------ */

/* The delimiter that stands on the first line that is not empty, as tables find it. */
static char delimiter_of(const char *text, size_t size)
{
    bool quoted = false, tab = false, semicolon = false;
    for (size_t i = 0; i < size; i++) {
        quoted = quoted != (text[i] == '"');
        if (quoted)
            continue;
        if (text[i] == ',')
            return ',';
        tab = tab || text[i] == '\t';
        semicolon = semicolon || text[i] == ';';
    }
    return tab ? '\t' : semicolon ? ';' : ',';
}

static elman_status begin(desk *d, bool *header, elman_error *error)
{
    const elman_forecast_columns *c = &d->model->columns;
    *header = c->header;
    d->began = true;
    ELMAN_TRY(elman_forecast_places_of_line(c, c->header ? &d->line : NULL, d->lines->name,
                                            &d->places, error));
    d->places.count = d->line.count;
    for (int64_t i = 0; i < c->target_count; i++)
        if (d->places.targets[i] >= d->line.count)
            return elman_fail(error, ELMAN_ERROR_DATA,
                              "%s: line %" PRIu64 ": found %" PRId64
                              " columns, column %s is missing",
                              d->lines->name, d->number, d->line.count, c->targets[i]);
    for (int64_t i = 0; i < c->covariate_count; i++)
        if (d->places.covariates[i] >= d->line.count)
            return elman_fail(error, ELMAN_ERROR_DATA,
                              "%s: line %" PRIu64 ": found %" PRId64
                              " columns, column %s is missing",
                              d->lines->name, d->number, d->line.count, c->covariates[i]);
    if (d->places.date >= d->line.count || d->places.series >= d->line.count)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "%s: line %" PRIu64 ": found %" PRId64
                          " columns, the date or the series is missing",
                          d->lines->name, d->number, d->line.count);
    return ELMAN_OK;
}

static elman_status read_lines(desk *d, elman_error *error)
{
    for (;;) {
        const char *text;
        size_t size;
        bool header = false;
        ELMAN_TRY(d->lines->read(d->lines->user, &text, &size, error));
        if (!text)
            return ELMAN_OK;
        if (!d->number++)
            elman_table_line_init(&d->line, d->context, ',');
        if (!d->began)
            d->line.delimiter = delimiter_of(text, size);
        ELMAN_TRY(elman_table_line_parse(&d->line, d->lines->name, d->number, text, size, error));
        if (!d->line.count)
            continue;
        if (!d->began)
            ELMAN_TRY(begin(d, &header, error));
        if (!header)
            ELMAN_TRY(read_row(d, error));
    }
}

/* One line for all series whose last row has a hole. */
static void say_what_is_missing(const desk *d)
{
    int64_t count = 0;
    const char *name = "";
    for (int64_t i = d->names.count - 1; i >= 0; i--)
        if (d->series[i].misses) {
            name = elman_intern_text(&d->names, (int32_t)i, NULL);
            count++;
        }
    if (count)
        elman_log(d->context, ELMAN_LOG_WARNING,
                  "%s: the last row%s%s%s misses a value; the last known one is read for it",
                  d->lines->name, *name ? " of series " : "", name,
                  count > 1 ? " (and others)" : "");
}

/* What follows the last row of every series. */
static elman_status finish(desk *d, elman_error *error)
{
    const elman_forecast_shape *shape = &d->model->network.shape;
    int64_t Kf = d->model->columns.covariate_count;
    if (d->names.count < 1)
        return elman_fail(error, ELMAN_ERROR_DATA, "%s: no rows", d->lines->name);
    for (int64_t i = 0; i < d->names.count; i++) {
        input_series *s = &d->series[i];
        const char *name = elman_intern_text(&d->names, (int32_t)i, NULL);
        int64_t rows = elman_forecast_stream_rows(s->stream);
        if (rows < shape->L)
            return elman_fail(error, ELMAN_ERROR_DATA,
                              "%s: found %" PRId64 " rows%s%s, expected at least %" PRId64
                              ", the model's lookback",
                              d->lines->name, rows, *name ? " of series " : "", name, shape->L);
        if (!s->seen)
            return elman_fail(error, ELMAN_ERROR_DATA,
                              "%s: found nothing but missing values%s%s, expected numbers",
                              d->lines->name, *name ? " in series " : "", name);
        if (Kf && s->waiting < shape->H)
            return elman_fail(error, ELMAN_ERROR_DATA,
                              "%s: found %" PRId64 " rows%s%s behind the last one with a target, "
                              "expected %" PRId64 ", with the covariates that are known of them",
                              d->lines->name, s->waiting, *name ? " of series " : "", name,
                              shape->H);
        if (!d->options->rolling)
            ELMAN_TRY(write_answer(d, i, s->known, error));
    }
    say_what_is_missing(d);
    return d->options->plot ? draw(d, d->names.count - 1, error) : ELMAN_OK;
}

static elman_status check(const desk *d, elman_error *error)
{
    if (d->options->plot)
        ELMAN_TRY(elman_plot_check(d->options->plot, error));
    if (d->options->rolling && d->model->columns.covariate_count)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "rolling: after each row the covariates of the rows to come would have "
                          "to be known; eval does that with a file");
    if (d->options->rolling && d->options->plot)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "plot: it draws one forecast, and rolling makes one after each row");
    return ELMAN_OK;
}

enum { FEW_WINDOWS = 50 };

static elman_status open_desk(desk *d, elman_error *error)
{
    const elman_forecast_shape *s = &d->model->network.shape;
    elman_intern_init(&d->names, d->context);
    elman_text_buffer_init(&d->text, d->context);
    d->targets = elman_allocate(d->context, (size_t)s->C, sizeof(double));
    d->known =
        elman_allocate(d->context, (size_t)d->model->columns.covariate_count, sizeof(double));
    d->point = elman_allocate(d->context, (size_t)(s->H * s->C), sizeof(double));
    d->quantiles = elman_allocate(d->context, (size_t)(s->H * s->C), (size_t)s->Q * sizeof(double));
    if (!d->targets || !d->known || !d->point || !d->quantiles)
        return elman_out_of_memory(error);
    if (d->model->columns.windows < FEW_WINDOWS)
        elman_log(d->context, ELMAN_LOG_WARNING,
                  "the model knows little: it learnt from %" PRId64 " windows and was validated "
                  "on %" PRId64,
                  d->model->columns.windows, d->model->columns.validated);
    return check(d, error);
}

static void close_desk(desk *d)
{
    for (int64_t i = 0; i < d->names.count; i++) {
        input_series *s = &d->series[i];
        elman_forecast_stream_free(s->stream);
        elman_release(d->context, s->known);
        elman_release(d->context, s->dates);
        elman_release(d->context, s->values);
        elman_release(d->context, s->kept_dates);
    }
    elman_release(d->context, d->series);
    elman_intern_free(&d->names);
    elman_release(d->context, d->targets);
    elman_release(d->context, d->known);
    elman_release(d->context, d->point);
    elman_release(d->context, d->quantiles);
    elman_text_buffer_free(&d->text);
    elman_forecast_places_free(&d->model->columns, &d->places);
    if (d->number)
        elman_table_line_free(&d->line);
}

elman_status elman_forecast_predict(void *model, const elman_predict_options *options,
                                    const elman_lines *lines, elman_error *error)
{
    const elman_forecaster *f = model;
    desk d = {.model = f, .options = options, .lines = lines, .context = f->context};
    elman_status status = open_desk(&d, error);
    if (status == ELMAN_OK)
        status = read_lines(&d, error);
    if (status == ELMAN_OK)
        status = finish(&d, error);
    close_desk(&d);
    return status;
}
