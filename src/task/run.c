#include "task/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "elman/version.h"
#include "model/weights.h"
#include "nn/parameters_impl.h"

/* The run as if it had been begun with these files, and with nothing kept apart. */
static elman_status take_files(elman_task_run *run, const char *const *paths, int count,
                               elman_error *error)
{
    elman_config *config = &run->file.config;
    elman_data_record *records = elman_allocate_zero(run->context, (size_t)count, sizeof *records);
    if (!records)
        return elman_out_of_memory(error);
    elman_release(run->context, run->file.data);
    run->file.data = records;
    run->file.data_count = run->file.train_count = count;
    snprintf(config->valid, sizeof config->valid, "0");
    config->split[0] = 0;
    for (int i = 0; i < count; i++) {
        if (strlen(paths[i]) >= sizeof records[i].path)
            return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                              "%.60s…: a path of %zu bytes, expected less than %zu", paths[i],
                              strlen(paths[i]), sizeof records[i].path);
        strcpy(records[i].path, paths[i]);
        ELMAN_TRY(elman_file_sha256(paths[i], records[i].sha256, &records[i].bytes, error));
    }
    return ELMAN_OK;
}

/* A number that is not finite would be found again in all that follows from it. */
static elman_status check_finite(const elman_task_run *run, const char *path, elman_error *error)
{
    size_t at;
    const elman_parameter *p = elman_parameters_first_nonfinite(run->objective.parameters, &at);
    return p ? elman_fail(error, ELMAN_ERROR_NUMERIC,
                          "%s: %s is not finite (element %zu of %" PRId64 ")", path,
                          elman_parameter_name(p), at, elman_tensor_count(elman_parameter_value(p)))
             : ELMAN_OK;
}

static elman_status read_weights(elman_task_run *run, const char *folder, elman_error *error)
{
    bool there = false;
    char *path = elman_path_join(folder, "model.safetensors");
    if (!path)
        return elman_out_of_memory(error);
    elman_status status = elman_path_look(path, &there, error);
    if (status == ELMAN_OK && !there)
        status =
            elman_fail(error, ELMAN_ERROR_IO,
                       "%s: no model.safetensors in it; its training has not saved yet", folder);
    if (status == ELMAN_OK)
        status = elman_weights_read(run->context, run->objective.parameters, path, error);
    if (status == ELMAN_OK)
        status = check_finite(run, path, error);
    free(path);
    return status;
}

elman_status elman_task_run_open(elman_context *context, const char *folder,
                                 const char *const *paths, int count, elman_task_run *run,
                                 elman_error *error)
{
    const elman_task *task;
    elman_train_request request;
    *run = (elman_task_run){.context = context};
    elman_config_file_default(&run->file);
    ELMAN_TRY(elman_config_file_read_model(context, folder, &run->file, error));
    elman_error found;
    elman_status status = elman_task_find(run->file.task, &task, &found);
    if (status != ELMAN_OK)
        return elman_fail(error, status, "%s/config.json: %s", folder, found.message);
    if (count > 0)
        ELMAN_TRY(elman_task_check_data(run->file.task, paths, count, error));
    if (count > 0)
        ELMAN_TRY(take_files(run, paths, count, error));
    /* what only training asks for, and may not be there */
    run->file.config.patience = 0;
    snprintf(run->file.config.schedule, sizeof run->file.config.schedule, "constant");
    if (count > 0 && !strcmp(run->file.task, "lm"))
        run->file.config.batch = 1; /* parallel streams, for which a text may be too short */
    elman_train_request_default(&request);
    request.task = run->file.task;
    request.output = folder;
    request.resume = true;
    ELMAN_TRY(task->begin(context, &request, &run->file, &run->objective, error));
    run->task = task;
    return read_weights(run, folder, error);
}

elman_status elman_task_run_begin(elman_context *context, const elman_train_request *request,
                                  elman_task_run *run, elman_error *error)
{
    const elman_task *task;
    *run = (elman_task_run){.context = context};
    elman_config_file_default(&run->file);
    ELMAN_TRY(elman_task_find(request->task, &task, error));
    ELMAN_TRY(elman_task_check_data(request->task, request->data, request->data_count, error));
    ELMAN_TRY(elman_config_validate(&request->config, error));
    run->file.format_version = 1;
    run->file.numerics_version = ELMAN_NUMERICS_VERSION;
    run->file.config = request->config;
    snprintf(run->file.task, sizeof run->file.task, "%s", request->task);
    elman_train_request fresh = *request;
    fresh.resume = false;
    ELMAN_TRY(task->begin(context, &fresh, &run->file, &run->objective, error));
    run->task = task;
    return ELMAN_OK;
}

void elman_task_run_close(elman_task_run *run)
{
    if (run->task)
        run->task->end(&run->objective);
    elman_config_file_clear(run->context, &run->file);
}
