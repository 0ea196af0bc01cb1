#include "task/forecast_stream.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/float_environment.h"
#include "base/memory.h"
#include "model/weights.h"

/* --- the model ---------------------------------------------------------------------------- */

static elman_status open_files(elman_forecaster *f, const char *folder, elman_error *error)
{
    const elman_config *c = &f->file->config;
    if (c->lookback < 1 || c->horizon < 1 || c->season < 1)
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "%s/config.json: lookback, horizon and season must have been chosen",
                          folder);
    ELMAN_TRY(elman_forecast_columns_read(f->context, folder, &f->columns, error));
    ELMAN_TRY(elman_forecast_network_create(f->context, c, &f->columns, false, &f->network, error));
    char *path = elman_path_join(folder, "model.safetensors");
    if (!path)
        return elman_out_of_memory(error);
    elman_status status =
        elman_weights_read(f->context, elman_forecast_network_parameters(&f->network), path, error);
    free(path);
    return status;
}

static elman_status open_own(elman_forecaster *f, const char *folder, elman_error *error)
{
    char *path = elman_path_join(folder, "config.json");
    if (!path)
        return elman_out_of_memory(error);
    elman_status status = elman_config_file_read(f->context, path, &f->own, error);
    free(path);
    ELMAN_TRY(status);
    if (strcmp(f->own.task, "forecast") != 0)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "%s: a model of task '%s', expected forecast", folder, f->own.task);
    f->file = &f->own;
    return ELMAN_OK;
}

elman_status elman_forecaster_open_with(elman_context *context, const char *folder,
                                        const elman_config_file *file,
                                        elman_forecaster **forecaster, elman_error *error)
{
    elman_forecaster *f = elman_allocate_zero(context, 1, sizeof *f);
    if (!f)
        return elman_out_of_memory(error);
    f->context = context;
    f->file = file;
    elman_status status = file ? ELMAN_OK : open_own(f, folder, error);
    if (status == ELMAN_OK)
        status = open_files(f, folder, error);
    if (status != ELMAN_OK) {
        elman_forecaster_free(f);
        return status;
    }
    *forecaster = f;
    return ELMAN_OK;
}

elman_status elman_forecaster_open(elman_context *context, const char *folder,
                                   elman_forecaster **forecaster, elman_error *error)
{
    return elman_forecaster_open_with(context, folder, NULL, forecaster, error);
}

void elman_forecaster_free(elman_forecaster *forecaster)
{
    if (!forecaster)
        return;
    elman_forecast_network_free(&forecaster->network);
    elman_forecast_columns_free(&forecaster->columns);
    elman_config_file_clear(forecaster->context, &forecaster->own);
    elman_release(forecaster->context, forecaster);
}

const elman_config_file *elman_forecaster_config(const elman_forecaster *forecaster)
{
    return forecaster->file;
}

int64_t elman_forecaster_targets(const elman_forecaster *forecaster)
{
    return forecaster->columns.target_count;
}

const char *elman_forecaster_target(const elman_forecaster *forecaster, int64_t number)
{
    bool there = number >= 0 && number < forecaster->columns.target_count;
    return there ? forecaster->columns.targets[number] : NULL;
}

int64_t elman_forecaster_covariates(const elman_forecaster *forecaster)
{
    return forecaster->columns.covariate_count;
}

const char *elman_forecaster_covariate(const elman_forecaster *forecaster, int64_t number)
{
    bool there = number >= 0 && number < forecaster->columns.covariate_count;
    return there ? forecaster->columns.covariates[number] : NULL;
}

int64_t elman_forecaster_horizon(const elman_forecaster *forecaster)
{
    return forecaster->network.shape.H;
}

int64_t elman_forecaster_lookback(const elman_forecaster *forecaster)
{
    return forecaster->network.shape.L;
}

int64_t elman_forecaster_quantile_count(const elman_forecaster *forecaster)
{
    return forecaster->network.shape.Q;
}

const float *elman_forecaster_quantiles(const elman_forecaster *forecaster)
{
    return forecaster->network.shape.quantiles;
}

int64_t elman_forecaster_windows(const elman_forecaster *forecaster)
{
    return forecaster->columns.windows;
}

int64_t elman_forecaster_validated(const elman_forecaster *forecaster)
{
    return forecaster->columns.validated;
}

/* --- a stream ----------------------------------------------------------------------------- */

enum { SLACK = 64 }; /* rows between one move of the window to the front and the next, at least */

struct elman_forecast_stream {
    elman_context *context;
    const elman_forecaster *model;
    elman_tape *tape;
    elman_forecast_answers answers; /* of one origin */
    elman_forecast_rows rows;       /* [room + H]; those ahead hold covariates alone */
    int64_t room, held, pushed;     /* rows that fit, that are there, that were pushed in all */
    int64_t moment;                 /* of the last one */
    bool dated;
};

static elman_status take_memory(elman_forecast_stream *s, elman_error *error)
{
    const elman_forecast_shape *shape = &s->model->network.shape;
    s->room = 2 * shape->L + SLACK;
    size_t rows = (size_t)(s->room + shape->H), C = (size_t)shape->C, K = (size_t)shape->K;
    s->rows.filled = elman_allocate(s->context, rows, C * sizeof(float));
    s->rows.missing = elman_allocate(s->context, rows, C);
    s->rows.covariates = elman_allocate(s->context, rows, K * sizeof(float));
    if (!s->rows.filled || !s->rows.missing || !s->rows.covariates)
        return elman_out_of_memory(error);
    ELMAN_TRY(elman_tape_create(s->context, &s->tape, error));
    return elman_forecast_answers_create(&s->model->network, 1, &s->answers, error);
}

elman_status elman_forecast_stream_create(const elman_forecaster *forecaster,
                                          elman_forecast_stream **stream, elman_error *error)
{
    elman_forecast_stream *s = elman_allocate_zero(forecaster->context, 1, sizeof *s);
    if (!s)
        return elman_out_of_memory(error);
    s->context = forecaster->context;
    s->model = forecaster;
    elman_status status = take_memory(s, error);
    if (status != ELMAN_OK) {
        elman_forecast_stream_free(s);
        return status;
    }
    *stream = s;
    return ELMAN_OK;
}

void elman_forecast_stream_free(elman_forecast_stream *stream)
{
    if (!stream)
        return;
    elman_release(stream->context, stream->rows.filled);
    elman_release(stream->context, stream->rows.missing);
    elman_release(stream->context, stream->rows.covariates);
    elman_forecast_answers_free(&stream->answers);
    elman_tape_free(stream->tape);
    elman_release(stream->context, stream);
}

void elman_forecast_stream_reset(elman_forecast_stream *stream)
{
    stream->held = stream->pushed = 0;
    stream->dated = false;
}

int64_t elman_forecast_stream_rows(const elman_forecast_stream *stream)
{
    return stream->pushed;
}

/* The last L rows go to the front. */
static void make_room(elman_forecast_stream *s)
{
    const elman_forecast_shape *shape = &s->model->network.shape;
    if (s->held < s->room)
        return;
    int64_t from = s->held - shape->L;
    size_t C = (size_t)shape->C, K = (size_t)shape->K, L = (size_t)shape->L;
    memmove(s->rows.filled, s->rows.filled + (size_t)from * C, L * C * sizeof(float));
    memmove(s->rows.missing, s->rows.missing + (size_t)from * C, L * C);
    memmove(s->rows.covariates, s->rows.covariates + (size_t)from * K, L * K * sizeof(float));
    s->held = shape->L;
}

static elman_status check_covariates(const elman_forecast_stream *s, const double *covariates,
                                     int64_t rows, elman_error *error)
{
    int64_t Kf = s->model->columns.covariate_count;
    if (Kf && !covariates)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "covariates: found none, expected %" PRId64 " a row", Kf);
    for (int64_t i = 0; i < rows * Kf; i++)
        if (!isfinite(covariates[i]))
            return elman_fail(error, ELMAN_ERROR_DATA,
                              "covariate %s: found %g, expected a number that is known in advance",
                              s->model->columns.covariates[i % Kf], covariates[i]);
    return ELMAN_OK;
}

static elman_status read_date(const elman_forecast_stream *s, const char *date, int64_t *moment,
                              elman_error *error)
{
    const elman_forecast_columns *c = &s->model->columns;
    char before[40] = "", last[40] = "";
    if (!elman_date_parse(&c->form, date, strlen(date), moment)) {
        elman_date_form form;
        if (!elman_date_recognise(date, strlen(date), &form, moment) ||
            elman_date_unit_of(&form) != elman_date_unit_of(&c->form))
            return elman_fail(error, ELMAN_ERROR_DATA,
                              "date: found \"%.40s\", expected one as in training", date);
    }
    if (s->pushed && s->dated && *moment <= s->moment) {
        (void)elman_date_print(&c->form, s->moment, last);
        (void)elman_date_print(&c->form, *moment, before);
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "date: found %s after %s, expected dates that ascend", before, last);
    }
    return ELMAN_OK;
}

elman_status elman_forecast_stream_push(elman_forecast_stream *s, const double *targets,
                                        const double *covariates, const char *date,
                                        elman_error *error)
{
    const elman_forecast_columns *c = &s->model->columns;
    int64_t moment = s->moment;
    bool dated = c->date && date;
    for (int64_t i = 0; i < c->target_count; i++)
        if (isinf(targets[i]))
            return elman_fail(error, ELMAN_ERROR_DATA, "%s: found %g, expected a number",
                              c->targets[i], targets[i]);
    ELMAN_TRY(check_covariates(s, covariates, 1, error));
    if (dated)
        ELMAN_TRY(read_date(s, date, &moment, error));
    else if (c->calendar)
        return elman_fail(error, ELMAN_ERROR_DATA, "date: found none; the calendar needs it");
    make_room(s);
    elman_float_environment modes = elman_float_begin();
    elman_forecast_fill_row(c, &s->model->network.scale, targets, &s->rows, s->held, s->held > 0);
    if (s->model->network.shape.K)
        elman_forecast_fill_covariates(c, &s->model->network.scale, covariates, moment, &s->rows,
                                       s->held);
    elman_float_end(modes);
    s->moment = moment;
    s->dated = dated;
    s->held++;
    s->pushed++;
    return ELMAN_OK;
}

static bool moment_ahead(const elman_forecast_stream *s, int64_t h, int64_t *moment)
{
    const elman_forecast_columns *c = &s->model->columns;
    if (!s->dated || !s->pushed)
        return false;
    *moment = s->moment;
    return h < 0 || (c->step.size && elman_date_add(&c->form, &c->step, s->moment, h + 1, moment));
}

void elman_forecast_stream_date(const elman_forecast_stream *stream, int64_t h, char text[40])
{
    int64_t moment;
    if (!moment_ahead(stream, h, &moment) ||
        !elman_date_print(&stream->model->columns.form, moment, text))
        text[0] = 0;
}

static elman_status fill_ahead(elman_forecast_stream *s, const double *covariates,
                               elman_error *error)
{
    const elman_forecast_columns *c = &s->model->columns;
    for (int64_t h = 0; h < s->model->network.shape.H; h++) {
        int64_t moment = 0;
        if (c->calendar && !moment_ahead(s, h, &moment))
            return elman_fail(error, ELMAN_ERROR_DATA,
                              "date: row %" PRId64 " of the forecast has none that can be told",
                              h + 1);
        elman_forecast_fill_covariates(c, &s->model->network.scale,
                                       covariates ? covariates + h * c->covariate_count : NULL,
                                       moment, &s->rows, s->held + h);
    }
    return ELMAN_OK;
}

static elman_status copy_answer(elman_forecast_stream *s, double *point, double *quantiles,
                                elman_error *error)
{
    const elman_forecast_network *n = &s->model->network;
    const elman_forecast_shape *shape = &n->shape;
    for (int64_t i = 0; i < shape->H * shape->C; i++) {
        double mean = (double)n->scale.mean[i % shape->C];
        double deviation = (double)n->scale.deviation[i % shape->C];
        point[i] = (double)s->answers.point[i] * deviation + mean;
        bool finite = isfinite(point[i]);
        for (int64_t q = 0; q < shape->Q; q++) {
            double x = (double)s->answers.quantiles[i * shape->Q + q] * deviation + mean;
            finite = finite && isfinite(x);
            if (quantiles)
                quantiles[i * shape->Q + q] = x;
        }
        if (!finite)
            return elman_fail(error, ELMAN_ERROR_NUMERIC,
                              "the forecast of %s, row %" PRId64 ", is not finite",
                              s->model->columns.targets[i % shape->C], i / shape->C + 1);
    }
    return ELMAN_OK;
}

elman_status elman_forecast_stream_answer(elman_forecast_stream *s, const double *covariates,
                                          double *point, double *quantiles, elman_error *error)
{
    const elman_forecast_shape *shape = &s->model->network.shape;
    if (s->pushed < shape->L)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "%" PRId64 " rows are not enough: the model looks at %" PRId64, s->pushed,
                          shape->L);
    ELMAN_TRY(check_covariates(s, covariates, shape->H, error));
    elman_float_environment modes = elman_float_begin();
    elman_forecast_origin origin = {&s->rows, s->held};
    elman_status status = shape->K ? fill_ahead(s, covariates, error) : ELMAN_OK;
    if (status == ELMAN_OK)
        status = elman_forecast_answer(&s->model->network, s->tape, &origin, 1, &s->answers, NULL,
                                       NULL, error);
    if (status == ELMAN_OK)
        status = copy_answer(s, point, quantiles, error);
    elman_float_end(modes);
    return status;
}
