/* Task forecast: what comes next in tables of numbers.
 *
 *   reads    CSV: a row a moment, columns of numbers; a date column, covariates and several series
 *            where there are
 *   network  forecast_network.h: windows through recurrent layers, and a linear map beside them
 *   loss     of the point (squared, absolute, Huber, ...) and the quantiles, in standardised units
 *   metric   mean squared error over the rolling origins of the validation part
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "graph/tape_impl.h"
#include "model/weights.h"
#include "task/forecast_baselines.h"
#include "task/forecast_impl.h"
#include "task/shuffle.h"

enum {
    FEW_WINDOWS = 50,  /* that deserve a word */
    FEWEST_ORIGINS = 8 /* by which weights may be chosen: the best for one month say nothing */
};

typedef struct forecast {
    elman_context *context;
    const volatile sig_atomic_t *stop;
    const elman_config *config; /* of the elman_config_file that train.c keeps */
    elman_forecast_columns columns;
    elman_forecast_data data;
    elman_forecast_windows windows;
    elman_forecast_network network;
    elman_forecast_buffer buffer;
    elman_forecast_answers answers;
    elman_shuffle *shuffle;
} forecast;

/* --- the objective ------------------------------------------------------------------------ */

/* Fills the buffer with B windows, given by their numbers. */
static void put_windows(forecast *m, const int64_t *numbers, int64_t B)
{
    const elman_forecast_shape *s = &m->network.shape;
    for (int64_t b = 0; b < B; b++) {
        elman_forecast_place at = elman_forecast_window(s, &m->data, &m->windows, numbers[b]);
        const elman_forecast_rows *rows = &m->data.series[at.series].rows;
        m->buffer.numbers[b] = (uint32_t)numbers[b];
        elman_forecast_put(s, &m->buffer, B, b, rows, at.t, at.column);
        elman_forecast_put_targets(s, &m->buffer, b, rows, at.t, at.column);
    }
}

static elman_status record(void *self, elman_tape *tape, elman_objective_batch *batch,
                           elman_error *error)
{
    forecast *m = self;
    const elman_forecast_shape *s = &m->network.shape;
    const int64_t *numbers;
    int64_t B;
    (void)error;
    elman_shuffle_next(m->shuffle, &numbers, &B, &batch->ends_epoch);
    put_windows(m, numbers, B);
    batch->count = 0;
    for (int64_t i = 0; i < B * s->columns * s->ahead; i++)
        batch->count += m->buffer.weights[i] > 0.0F;
    batch->sum = 0.0;
    elman_var *answer = elman_forecast_forward(tape, &m->network, &m->buffer, B);
    batch->loss = elman_forecast_cost(tape, &m->network, &m->buffer, B, answer,
                                      1.0 / (double)m->config->accumulate, &batch->sum);
    return ELMAN_OK;
}

/* The loss of all that one window forecasts, at the window's end. */
static elman_status flow(void *self, elman_tape *tape, const elman_flow_wish *wish,
                         elman_flow_batch *batch, elman_error *error)
{
    forecast *m = self;
    int64_t most = m->buffer.capacity < wish->count ? m->buffer.capacity : wish->count;
    int64_t *numbers = elman_tape_take(tape, (size_t)most, sizeof *numbers);
    (void)error; /* the tape keeps it */
    for (int64_t i = 0; numbers && i < most; i++) {
        numbers[i] = elman_flow_place(wish->first + i, wish->of, m->windows.count);
        if (numbers[i] < 0)
            break;
        batch->count++;
    }
    if (!batch->count)
        return ELMAN_OK;
    put_windows(m, numbers, batch->count);
    elman_var *answer = elman_forecast_forward(tape, &m->network, &m->buffer, batch->count);
    batch->loss = elman_forecast_cost(tape, &m->network, &m->buffer, batch->count, answer,
                                      (double)wish->scale, &batch->sum);
    batch->sum /= (double)(m->network.shape.columns * m->network.shape.ahead);
    return ELMAN_OK;
}

static elman_forecast_measuring measuring(const forecast *m)
{
    return (elman_forecast_measuring){
        .network = &m->network,
        .data = &m->data,
        .part = ELMAN_FORECAST_VALID,
        .season = m->config->season,
        .own_scale = true,
        .stop = m->stop,
    };
}

static elman_status validate(void *self, elman_tape *tape, elman_validation *validation,
                             elman_error *error)
{
    forecast *m = self;
    elman_forecast_measuring how = measuring(m);
    elman_forecast_result result;
    validation->count = 0;
    if (!m->columns.validated)
        return ELMAN_OK;
    how.model = true;
    ELMAN_TRY(m->network.margin ? elman_forecast_calibrate(&how, tape, &m->answers, &result, error)
                                : elman_forecast_measure(&how, tape, &m->answers, &result, error));
    validation->loss = result.loss;
    validation->count = result.count;
    validation->metric = "mse";
    validation->value = elman_forecast_mse(&result.standard[ELMAN_FORECAST_MODEL]);
    validation->score =
        m->network.margin || m->network.shape.gaussian ? validation->loss : validation->value;
    return ELMAN_OK;
}

static elman_status write_weights(void *self, const char *path, elman_error *error)
{
    forecast *m = self;
    return elman_weights_write(m->context, elman_forecast_network_parameters(&m->network), path,
                               error);
}

static elman_status remember(void *self, elman_safetensors_writer *writer, elman_error *error)
{
    return elman_shuffle_remember(((forecast *)self)->shuffle, writer, error);
}

static elman_status restore(void *self, const elman_safetensors *file, elman_error *error)
{
    return elman_shuffle_restore(((forecast *)self)->shuffle, file, error);
}

/* --- what the data hold ------------------------------------------------------------------- */

static elman_status survey(void *self, elman_survey *survey, elman_error *error)
{
    const forecast *m = self;
    ELMAN_TRY(elman_survey_begin(survey, m->context, 0, error));
    survey->examples = m->windows.count;
    survey->longest = m->network.shape.steps;
    for (int64_t i = 0; i < m->data.count; i++)
        survey->steps += m->data.series[i].parts.train * m->data.C;
    survey->targets = survey->steps;
    return ELMAN_OK;
}

static void sample_name(void *self, uint32_t number, int64_t time, char *text, size_t capacity)
{
    const forecast *m = self;
    const elman_forecast_shape *s = &m->network.shape;
    elman_forecast_place at = elman_forecast_window(s, &m->data, &m->windows, number);
    snprintf(text, capacity, "the window before row %" PRId64 " of %s, step %" PRId64, at.t + 1,
             s->sequences > 1 ? m->columns.targets[at.column] : "the table", time + 1);
}

/* --- reading ------------------------------------------------------------------------------ */

elman_status elman_forecast_read(const elman_files *files, elman_config_file *file, bool found,
                                 elman_forecast_columns *columns, elman_forecast_data *data,
                                 elman_error *error)
{
    for (int i = 0; i < files->count; i++) {
        elman_table *table;
        ELMAN_TRY(elman_table_read(files->context, files->paths[i], NULL, &table, error));
        elman_status status = elman_files_read(files, i, elman_table_sha256(table),
                                               elman_table_bytes(table), file, error);
        if (status == ELMAN_OK && i == 0 && !found)
            status =
                elman_forecast_columns_of(files->context, table, &file->config, columns, error);
        if (status == ELMAN_OK)
            status = elman_forecast_data_add(data, table, columns, &file->config,
                                             i < files->train_count, error);
        elman_table_free(table);
        ELMAN_TRY(status);
    }
    return ELMAN_OK;
}

static bool training_misses(const elman_forecast_data *data)
{
    for (int64_t i = 0; i < data->count; i++)
        for (int64_t j = 0; j < data->series[i].parts.train * data->C; j++)
            if (isnan(data->series[i].values[j]))
                return true;
    return false;
}

static elman_status read_files(forecast *m, const elman_train_request *request,
                               elman_config_file *file, elman_error *error)
{
    elman_files files;
    ELMAN_TRY(elman_files_of(m->context, request, file, &files, error));
    elman_status status = ELMAN_OK;
    if (request->resume)
        status = elman_forecast_columns_read(m->context, request->output, &m->columns, error);
    if (status == ELMAN_OK)
        status = elman_forecast_read(&files, file, request->resume, &m->columns, &m->data, error);
    elman_files_free(&files);
    if (status == ELMAN_OK && !request->resume)
        m->columns.indicator = training_misses(&m->data);
    return status;
}

/* --- what is said ------------------------------------------------------------------------- */

static void say_what_was_read(const forecast *m, const elman_train_request *request)
{
    const elman_forecast_columns *c = &m->columns;
    char step[40] = "", series[64] = "";
    int64_t train = 0, valid = 0, test = 0;
    for (int64_t i = 0; i < m->data.count; i++) {
        const elman_parts *p = &m->data.series[i].parts;
        train += p->train;
        valid += p->valid - p->train;
        test += p->test_end - p->test_first;
    }
    if (c->date && c->step.size)
        elman_date_describe_step(&c->step, step);
    if (m->data.count > 1)
        snprintf(series, sizeof series, " of %" PRId64 " series", m->data.count);
    elman_task_note(request,
                    "%" PRId64 " rows%s%s%s: %" PRId64 " to train, %" PRId64
                    " to validate, %" PRId64 " to test; to forecast: %s%s",
                    m->data.rows, series, *step ? ", one each " : "", step, train, valid, test,
                    c->targets[0], c->target_count > 1 ? " and others" : "");
    if (c->ignored)
        elman_task_note(request, "columns without a name or without numbers are not read: %s%s",
                        c->first_ignored, c->ignored > 1 ? " and others" : "");
    if (m->data.left_out)
        elman_task_note(request,
                        "the dates leave out %" PRId64 " moments; rows are taken as they follow",
                        m->data.left_out);
    if (m->data.irregular)
        elman_task_note(request,
                        "%" PRId64 " dates do not go by the step; rows are taken as they "
                        "follow",
                        m->data.irregular);
    if (m->data.missing)
        elman_task_note(request,
                        "%" PRId64 " values are missing in the training part; they cost "
                        "nothing, and the last known one is read for them",
                        m->data.missing);
}

static elman_status say_what_is_easy(const forecast *m, const elman_train_request *request,
                                     elman_error *error)
{
    elman_forecast_measuring how = measuring(m);
    elman_forecast_result r;
    how.baselines = true;
    if (m->columns.windows < FEW_WINDOWS)
        elman_task_note(request,
                        "only %" PRId64 " windows to learn from, %s: a forecast from so little is "
                        "hardly better than the last value",
                        m->columns.windows,
                        m->columns.validated ? "and few to validate on" : "and no validation");
    int64_t origins = elman_forecast_count(&how);
    if (!m->columns.validated && origins)
        elman_task_note(request,
                        "the validation part holds %" PRId64 " forecasts, too few to choose by: "
                        "the last weights are kept",
                        origins);
    if (!m->columns.validated)
        return ELMAN_OK;
    ELMAN_TRY(elman_forecast_measure(&how, NULL, NULL, &r, error));
    char season[64] = "", linear[64] = "";
    if (how.season > 1)
        snprintf(season, sizeof season, ", %" PRId64 " rows before %.4f", how.season,
                 elman_forecast_mse(&r.standard[ELMAN_FORECAST_SEASONAL]));
    if (m->network.baseline)
        snprintf(linear, sizeof linear, ", linear %.4f",
                 elman_forecast_mse(&r.standard[ELMAN_FORECAST_LINEAR]));
    elman_task_note(request, "validation mse to beat: last value %.4f%s%s",
                    elman_forecast_mse(&r.standard[ELMAN_FORECAST_LAST]), season, linear);
    return ELMAN_OK;
}

/* --- beginning and ending ----------------------------------------------------------------- */

/* MASE's scale for files of which no training part is known: the mean of the series'. */
static void keep_seasonal(forecast *m)
{
    float *kept = elman_parameter_edit(m->network.seasonal);
    for (int64_t c = 0; c < m->data.C; c++) {
        double sum = 0.0;
        int64_t count = 0;
        for (int64_t i = 0; i < m->data.count; i++) {
            const elman_forecast_series *s = &m->data.series[i];
            double scale =
                elman_seasonal_scale(s->values + c, s->parts.train, m->data.C, m->config->season);
            if (isfinite(scale)) {
                sum += scale;
                count++;
            }
        }
        kept[c] = count ? (float)(sum / (double)count) : 0.0F;
    }
}

/* What is not trained: scales, baseline, and the rows that they make. */
static elman_status fill_in(forecast *m, elman_error *error)
{
    elman_forecast_network *n = &m->network;
    (void)elman_parameter_edit(n->mean);
    (void)elman_parameter_edit(n->deviation);
    if (n->covariate_mean) {
        (void)elman_parameter_edit(n->covariate_mean);
        (void)elman_parameter_edit(n->covariate_deviation);
    }
    ELMAN_TRY(elman_forecast_data_scale(&m->data, &m->columns, &n->scale, error));
    keep_seasonal(m);
    ELMAN_TRY(elman_forecast_data_fill(&m->data, &m->columns, &n->scale, error));
    if (n->margin)
        memset(elman_parameter_edit(n->margin), 0,
               (size_t)(n->shape.H * n->shape.Q) * sizeof(float));
    if (n->baseline)
        return elman_forecast_fit_linear(&n->shape, &m->data, elman_parameter_edit(n->baseline),
                                         error);
    return ELMAN_OK;
}

static elman_status check(const forecast *m, elman_error *error)
{
    const elman_config *c = m->config;
    if (!m->columns.validated && (c->patience || !strncmp(c->schedule, "plateau", 7)))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "%s: it needs a validation part of at least %" PRId64 " rows",
                          c->patience ? "patience" : "schedule plateau",
                          c->horizon + FEWEST_ORIGINS - 1);
    return ELMAN_OK;
}

static elman_status prepare(forecast *m, elman_config_file *file, elman_error *error)
{
    elman_context *context = m->context;
    const elman_config *c = &file->config;
    ELMAN_TRY(elman_forecast_network_create(context, c, &m->columns, true, &m->network, error));
    const elman_forecast_shape *s = &m->network.shape;
    file->config.inputs = s->inputs;
    file->config.outputs = s->outputs;
    ELMAN_TRY(elman_initialise(elman_forecast_network_parameters(&m->network), c->init,
                               (uint64_t)c->seed, error));
    ELMAN_TRY(fill_in(m, error));
    ELMAN_TRY(elman_forecast_windows_of(s, &m->data, &m->windows, error));
    elman_forecast_measuring how = measuring(m);
    m->columns.windows = m->windows.count;
    m->columns.validated = elman_forecast_count(&how);
    if (m->columns.validated < FEWEST_ORIGINS)
        m->columns.validated = 0;
    ELMAN_TRY(check(m, error));
    int64_t batch = c->batch < m->windows.count ? c->batch : m->windows.count;
    int64_t origins = ELMAN_FORECAST_BATCH / s->sequences;
    ELMAN_TRY(elman_forecast_buffer_create(context, s, batch, &m->buffer, error));
    ELMAN_TRY(
        elman_forecast_answers_create(&m->network, origins ? origins : 1, &m->answers, error));
    return elman_shuffle_create(context, m->windows.count, c->batch, (uint64_t)c->seed, NULL,
                                &m->shuffle, error);
}

static void forecast_free(forecast *m)
{
    if (!m)
        return;
    elman_shuffle_free(m->shuffle);
    elman_forecast_answers_free(&m->answers);
    elman_forecast_buffer_free(&m->buffer);
    elman_forecast_windows_free(&m->windows);
    elman_forecast_network_free(&m->network);
    elman_forecast_data_free(&m->data);
    elman_forecast_columns_free(&m->columns);
    elman_release(m->context, m);
}

static elman_status open_run(forecast *m, const elman_train_request *request,
                             elman_config_file *file, elman_error *error)
{
    ELMAN_TRY(read_files(m, request, file, error));
    if (!request->resume)
        elman_forecast_choose(&file->config, &m->columns, &m->data);
    ELMAN_TRY(prepare(m, file, error));
    if (request->resume)
        return ELMAN_OK;
    say_what_was_read(m, request);
    elman_task_note_choice(request, &file->config);
    return say_what_is_easy(m, request, error);
}

static elman_status begin(elman_context *context, const elman_train_request *request,
                          elman_config_file *file, elman_objective *objective, elman_error *error)
{
    forecast *m = elman_allocate_zero(context, 1, sizeof *m);
    if (!m)
        return elman_out_of_memory(error);
    m->context = m->data.context = context;
    m->stop = request->stop;
    m->config = &file->config;
    elman_status status = open_run(m, request, file, error);
    if (status != ELMAN_OK) {
        forecast_free(m);
        return status;
    }
    *objective = (elman_objective){
        .self = m,
        .parameters = elman_forecast_network_parameters(&m->network),
        .unit = "values",
        .batches = elman_shuffle_batches(m->shuffle),
        .batch_steps = file->config.batch, /* of windows of one length */
        .flow_steps = 1,
        .record = record,
        .validate = validate,
        .flow = flow,
        .write = write_weights,
        .survey = survey,
        .sample_name = sample_name,
        .remember = remember,
        .restore = restore,
    };
    return ELMAN_OK;
}

static elman_status found(elman_objective *objective, const char *folder, elman_error *error)
{
    return elman_forecast_columns_write(&((forecast *)objective->self)->columns, folder, error);
}

static void end(elman_objective *objective)
{
    forecast_free(objective->self);
}

const elman_task elman_task_forecast = {
    .name = "forecast",
    .begin = begin,
    .found = found,
    .end = end,
    .open = elman_forecast_open,
    .eval = elman_forecast_eval,
    .predict = elman_forecast_predict,
    .close = elman_forecast_close,
};
