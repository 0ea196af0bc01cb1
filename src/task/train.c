/* elman_train: the folder, the lock and the loop, for every task. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/context_impl.h"
#include "base/error.h"
#include "base/file.h"
#include "base/float_environment.h"
#include "elman/version.h"
#include "task/task_impl.h"
#include "train/board.h"
#include "train/loop.h"

/* The files of a run, in the order in which they are cleared. */
static const char *const run_files[] = {
    "checkpoint.safetensors", "model.safetensors", "metrics.jsonl", "vocabulary.json",
    "characters.json",        "labels.json",       "columns.json",  "config.json"};

void elman_task_note(const elman_train_request *request, const char *format, ...)
{
    if (!request->progress)
        return;
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    elman_train_progress note = {.event = ELMAN_EVENT_NOTE, .text = line};
    request->progress(request->user, &note);
}

void elman_task_note_choice(const elman_train_request *request, const elman_config *got)
{
    char chosen[512] = "", was[ELMAN_CONFIG_TEXT], is[ELMAN_CONFIG_TEXT];
    size_t at = 0;
    const elman_option_table *table = elman_config_options();
    for (size_t i = 0; i < table->count; i++) {
        const elman_option *o = &table->options[i];
        if (o->untyped || elman_options_equal(o, &request->config, got))
            continue;
        elman_options_get(o, &request->config, was, sizeof was);
        elman_options_get(o, got, is, sizeof is);
        bool endless = got->epochs == INT32_MAX && !strcmp(o->name, "epochs"); /* steps end it */
        if (!strcmp(was, "auto") && !endless && at < sizeof chosen)
            at += (size_t)snprintf(chosen + at, sizeof chosen - at, " --%s %.100s", o->name, is);
    }
    if (at)
        elman_task_note(request, "chosen for this size:%s", chosen);
}

void elman_train_request_default(elman_train_request *request)
{
    *request = (elman_train_request){.size = sizeof *request, .task = "lm"};
    elman_config_default(&request->config);
}

/* Whether one of the first `count` run files stands in the folder. A look that fails is an error:
 * what cannot be seen may be somebody's work. */
static elman_status holds(const char *folder, const char *const *names, size_t count, bool *found,
                          elman_error *error)
{
    *found = false;
    for (size_t i = 0; i < count && !*found; i++) {
        char *path = elman_path_join(folder, names[i]);
        if (!path)
            return elman_out_of_memory(error);
        elman_status status = elman_path_look(path, found, error);
        free(path);
        ELMAN_TRY(status);
    }
    return ELMAN_OK;
}

/* What the request may do with a folder that stands already. */
static elman_status check_folder(const elman_train_request *request, elman_error *error)
{
    /* a run that was killed at its very start may have left the others */
    static const char *const marks[] = {"config.json", "checkpoint.safetensors",
                                        "model.safetensors"};
    const char *folder = request->output;
    bool stands, model;
    ELMAN_TRY(elman_path_look(folder, &stands, error));
    if (!stands)
        return request->resume ? elman_fail(error, ELMAN_ERROR_IO,
                                            "%s: no such folder; nothing to resume", folder)
                               : ELMAN_OK;
    if (!elman_path_is_folder(folder))
        return elman_fail(error, ELMAN_ERROR_EXISTS,
                          "%s: a file stands there; -o wants a folder of its own", folder);
    if (request->resume) {
        ELMAN_TRY(holds(folder, marks, 1, &model, error));
        return model ? ELMAN_OK
                     : elman_fail(error, ELMAN_ERROR_IO,
                                  "%s: no config.json in it; nothing to resume", folder);
    }
    if (request->force)
        return ELMAN_OK;
    ELMAN_TRY(holds(folder, marks, sizeof marks / sizeof *marks, &model, error));
    if (model)
        return elman_fail(error, ELMAN_ERROR_EXISTS,
                          "%s: a model stands there; --resume continues it, --force begins anew",
                          folder);
    return ELMAN_OK;
}

/* Clears what an earlier run left, the checkpoint first: without it nothing resumes. */
static elman_status clear_folder(const char *folder, elman_error *error)
{
    for (size_t i = 0; i < sizeof run_files / sizeof *run_files; i++) {
        char *path = elman_path_join(folder, run_files[i]);
        if (!path)
            return elman_out_of_memory(error);
        elman_status status = unlink(path) && errno != ENOENT
                                  ? elman_fail_errno(error, path, "cannot remove it")
                                  : ELMAN_OK;
        free(path);
        ELMAN_TRY(status);
    }
    return ELMAN_OK;
}

static elman_status write_config(elman_context *context, const char *folder,
                                 const elman_config_file *file, elman_error *error)
{
    char *path = elman_path_join(folder, "config.json");
    if (!path)
        return elman_out_of_memory(error);
    elman_status status = elman_config_file_write(context, path, file, error);
    free(path);
    return status;
}

/* The recorded run, with what the request may change about how it runs. */
static elman_status read_config(elman_context *context, const elman_train_request *request,
                                elman_config_file *file, elman_error *error)
{
    char *path = elman_path_join(request->output, "config.json");
    if (!path)
        return elman_out_of_memory(error);
    elman_status status = elman_config_file_read(context, path, file, error);
    if (status == ELMAN_OK && file->numerics_version != ELMAN_NUMERICS_VERSION)
        status = elman_fail(error, ELMAN_ERROR_UNSUPPORTED,
                            "%s: the run began with numerics version %lld, this program has %d; "
                            "resume it with the program that began it",
                            path, (long long)file->numerics_version, ELMAN_NUMERICS_VERSION);
    free(path);
    return status;
}

/* With the folder locked and the task begun. */
static elman_status train_locked(elman_context *context, const elman_train_request *request,
                                 const elman_task *task, elman_config_file *file,
                                 elman_objective *objective, elman_error *error)
{
    bool checkpoint = false;
    if (request->resume) {
        ELMAN_TRY(holds(request->output, run_files, 1, &checkpoint, error));
        if (!checkpoint)
            elman_task_note(request, "%s: no checkpoint in it; it begins anew", request->output);
    } else
        ELMAN_TRY(clear_folder(request->output, error));
    if (!checkpoint) {
        ELMAN_TRY(task->found(objective, request->output, error));
        ELMAN_TRY(write_config(context, request->output, file, error));
    }
    char configuration[65];
    char *path = elman_path_join(request->output, "config.json");
    if (!path)
        return elman_out_of_memory(error);
    elman_status status = elman_file_sha256(path, configuration, NULL, error);
    free(path);
    ELMAN_TRY(status);
    elman_loop_options options = {
        .config = &file->config,
        .folder = request->output,
        .configuration = configuration,
        .resume = checkpoint,
        .checkpoint_every = request->resume && request->config.checkpoint_every
                                ? request->config.checkpoint_every
                                : file->config.checkpoint_every,
        .watch = file->config.watch == ELMAN_WATCH_GRADIENTS ||
                 (request->resume && request->config.watch == ELMAN_WATCH_GRADIENTS),
        .tensorboard = request->tensorboard,
        .progress = request->progress,
        .user = request->user,
        .stop = request->stop,
    };
    return elman_loop_run(context, objective, &options, error);
}

/* No text that is read may be a file that would be written. */
static elman_status check_inputs(const char *folder, const elman_config_file *file,
                                 elman_error *error)
{
    for (size_t i = 0; i < sizeof run_files / sizeof *run_files; i++) {
        char *path = elman_path_join(folder, run_files[i]);
        if (!path)
            return elman_out_of_memory(error);
        bool same = false;
        for (int64_t d = 0; d < file->data_count && !same; d++)
            same = elman_path_same(path, file->data[d].path);
        free(path);
        if (same)
            return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                              "%s: its %s is one of the texts; choose another folder", folder,
                              run_files[i]);
    }
    return ELMAN_OK;
}

/* A new run's folder is made and locked only when its data and options have proved to be good. */
static elman_status take_folder(const elman_train_request *request, const elman_config_file *file,
                                int *lock, elman_error *error)
{
    ELMAN_TRY(elman_config_file_validate(file, error));
    ELMAN_TRY(check_inputs(request->output, file, error));
    ELMAN_TRY(elman_folder_make(request->output, error));
    ELMAN_TRY(elman_folder_lock(request->output, lock, error));
    return check_folder(request, error); /* another may have begun meanwhile */
}

/* A resumed folder is locked before anything in it is read. */
static elman_status take_run(elman_context *context, const elman_train_request *request,
                             elman_config_file *file, int *lock, elman_error *error)
{
    ELMAN_TRY(check_folder(request, error));
    if (!request->resume)
        return elman_config_validate(&file->config, error);
    ELMAN_TRY(elman_folder_lock(request->output, lock, error));
    return read_config(context, request, file, error);
}

static elman_status train(elman_context *context, const elman_train_request *request,
                          elman_config_file *file, int *lock, elman_error *error)
{
    const elman_task *task;
    elman_objective objective = {0};
    ELMAN_TRY(take_run(context, request, file, lock, error));
    ELMAN_TRY(elman_task_find(file->task, &task, error));
    ELMAN_TRY(elman_loop_check(&file->config, error));
    ELMAN_TRY(elman_board_check(request->tensorboard, error));
    elman_status status = task->begin(context, request, file, &objective, error);
    if (status == ELMAN_OK && !request->resume)
        status = take_folder(request, file, lock, error);
    if (status == ELMAN_OK)
        status = train_locked(context, request, task, file, &objective, error);
    task->end(&objective);
    return status;
}

elman_status elman_task_check_data(const char *task, const char *const *data, int count,
                                   elman_error *error)
{
    if (count < 1 && elman_task_reads_data(task))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "no data given, and the task %s learns from it", task);
    if (count > 0 && !elman_task_reads_data(task))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "found %s, but the task %s makes its own examples; leave the data out",
                          data[0], task);
    return ELMAN_OK;
}

elman_status elman_train(elman_context *context, const elman_train_request *request,
                         elman_error *error)
{
    if (!request || request->size != sizeof *request)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "elman_train_request: wrong size; use elman_train_request_default");
    if (!request->output || !*request->output)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "no output folder given");
    if (!request->resume && !request->task)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "no task given");
    if (!request->resume)
        ELMAN_TRY(elman_task_check_data(request->task, request->data, request->data_count, error));

    int lock = -1;
    elman_config_file file = {.format_version = 1, .numerics_version = ELMAN_NUMERICS_VERSION};
    file.config = request->config;
    snprintf(file.task, sizeof file.task, "%s", request->resume ? "" : request->task);
    elman_float_environment modes = elman_float_begin();
    elman_status status = train(context, request, &file, &lock, error);
    elman_float_end(modes);
    elman_config_file_clear(context, &file);
    if (lock >= 0)
        elman_folder_unlock(lock);
    return status;
}
