/* A trained forecaster as elman/predict.h opens it, and its figures. */
#include "base/error.h"
#include "base/pool.h"
#include "task/forecast_impl.h"
#include "task/forecast_stream.h"

elman_status elman_forecast_open(elman_context *context, const char *folder,
                                 const elman_config_file *file, void **model, elman_error *error)
{
    elman_forecaster *forecaster;
    ELMAN_TRY(elman_forecaster_open_with(context, folder, file, &forecaster, error));
    *model = forecaster;
    return ELMAN_OK;
}

void elman_forecast_close(void *model)
{
    elman_forecaster_free(model);
}

static elman_status read_given(const elman_forecaster *f, const char *const *paths, int count,
                               elman_forecast_data *data, elman_error *error)
{
    elman_forecast_columns columns = f->columns; /* borrowed; the step is known */
    for (int i = 0; i < count; i++) {
        elman_table *table;
        ELMAN_TRY(elman_table_read(f->context, paths[i], NULL, &table, error));
        elman_status status = elman_forecast_data_add(data, table, &columns, NULL, false, error);
        elman_table_free(table);
        ELMAN_TRY(status);
    }
    return ELMAN_OK;
}

static elman_status read_recorded(const elman_forecaster *f, elman_forecast_data *data,
                                  elman_error *error)
{
    elman_forecast_columns columns = f->columns;
    elman_config_file file = *f->file; /* recorded files are compared, not written down */
    elman_files files;
    ELMAN_TRY(elman_files_of(f->context, NULL, &file, &files, error));
    elman_status status = elman_forecast_read(&files, &file, true, &columns, data, error);
    elman_files_free(&files);
    return status;
}

static elman_status measure(const elman_forecaster *f, const elman_forecast_measuring *how,
                            elman_metrics *metrics, elman_error *error)
{
    elman_tape *tape = NULL;
    elman_forecast_answers answers = {0};
    elman_forecast_result result;
    int64_t origins = ELMAN_FORECAST_BATCH / f->network.shape.sequences;
    elman_status status =
        elman_forecast_answers_create(&f->network, origins ? origins : 1, &answers, error);
    if (status == ELMAN_OK)
        status = elman_tape_create(f->context, &tape, error);
    elman_pool_begin(f->context);
    if (status == ELMAN_OK)
        status = elman_forecast_measure(how, tape, &answers, &result, error);
    elman_pool_end(f->context);
    if (status == ELMAN_OK)
        status =
            elman_forecast_report(f->context, &result, &f->network, how->season, metrics, error);
    elman_tape_free(tape);
    elman_forecast_answers_free(&answers);
    return status;
}

static elman_status evaluate(const elman_forecaster *f, const char *const *paths, int count,
                             bool test, elman_forecast_data *data, elman_metrics *metrics,
                             elman_error *error)
{
    elman_forecast_measuring how = {
        .network = &f->network,
        .data = data,
        .part = count  ? ELMAN_FORECAST_ALL
                : test ? ELMAN_FORECAST_TEST
                       : ELMAN_FORECAST_VALID,
        .season = f->file->config.season,
        .own_scale = count == 0,
        .model = true,
        .baselines = true,
    };
    ELMAN_TRY(count ? read_given(f, paths, count, data, error) : read_recorded(f, data, error));
    ELMAN_TRY(elman_forecast_data_fill(data, &f->columns, &f->network.scale, error));
    if (elman_forecast_count(&how) < 1)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          count ? "too few rows: a forecast looks at %lld and is compared with %lld"
                          : test ? "no test part that holds a forecast: lookback %lld, horizon "
                                   "%lld; train with --split TRAIN,VALID,TEST"
                                 : "no validation part that holds a forecast: lookback %lld, "
                                   "horizon %lld; give a file",
                          (long long)f->network.shape.L, (long long)f->network.shape.H);
    return measure(f, &how, metrics, error);
}

elman_status elman_forecast_eval(void *model, const char *const *paths, int count, bool test,
                                 elman_metrics *metrics, elman_error *error)
{
    const elman_forecaster *f = model;
    elman_forecast_data data = {.context = f->context};
    elman_status status = evaluate(f, paths, count, test, &data, metrics, error);
    elman_forecast_data_free(&data);
    return status;
}
