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
#include "elman/version.h"
#include "task/task_impl.h"
#include "train/loop.h"

static const elman_task *const tasks[] = {&elman_task_lm};

/* The files of a run; the first is what a model is known by. */
static const char *const run_files[] = {"checkpoint.safetensors", "model.safetensors",
                                        "metrics.jsonl", "vocabulary.json", "config.json"};

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

void elman_train_request_default(elman_train_request *request)
{
    *request = (elman_train_request){.size = sizeof *request, .task = "lm"};
    elman_config_default(&request->config);
}

static elman_status find_task(const char *name, const elman_task **task, elman_error *error)
{
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++)
        if (!strcmp(tasks[i]->name, name)) {
            *task = tasks[i];
            return ELMAN_OK;
        }
    return elman_fail(error, ELMAN_ERROR_ARGUMENT, "task '%s' is not known; known are: lm", name);
}

static elman_status out_of_memory(elman_error *error)
{
    return elman_fail(error, ELMAN_ERROR_MEMORY, "out of memory");
}

static bool holds(const char *folder, const char *name)
{
    char *path = elman_path_join(folder, name);
    bool found = path && elman_path_exists(path);
    free(path);
    return found;
}

/* What the request may do with a folder that stands already. */
static elman_status check_folder(const elman_train_request *request, elman_error *error)
{
    const char *folder = request->output;
    if (!elman_path_exists(folder))
        return request->resume ? elman_fail(error, ELMAN_ERROR_IO,
                                            "%s: no such folder; nothing to resume", folder)
                               : ELMAN_OK;
    if (!elman_path_is_folder(folder))
        return elman_fail(error, ELMAN_ERROR_EXISTS,
                          "%s: a file stands there; -o wants a folder of its own", folder);
    bool model = holds(folder, "config.json");
    if (request->resume)
        return model ? ELMAN_OK
                     : elman_fail(error, ELMAN_ERROR_IO,
                                  "%s: no config.json in it; nothing to resume", folder);
    if (model && !request->force)
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
            return out_of_memory(error);
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
        return out_of_memory(error);
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
        return out_of_memory(error);
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
    bool checkpoint = holds(request->output, "checkpoint.safetensors");
    if (!request->resume) {
        ELMAN_TRY(clear_folder(request->output, error));
        checkpoint = false;
    }
    if (!checkpoint) {
        ELMAN_TRY(task->found(objective, request->output, error));
        ELMAN_TRY(write_config(context, request->output, file, error));
    }
    elman_loop_options options = {
        .config = &file->config,
        .folder = request->output,
        .resume = checkpoint,
        .checkpoint_every = request->resume && request->config.checkpoint_every
                                ? request->config.checkpoint_every
                                : file->config.checkpoint_every,
        .progress = request->progress,
        .user = request->user,
        .stop = request->stop,
    };
    return elman_loop_run(context, objective, &options, error);
}

static elman_status train_into(elman_context *context, const elman_train_request *request,
                               const elman_task *task, elman_config_file *file, elman_error *error)
{
    elman_objective objective = {0};
    int lock = -1;
    /* A resumed folder is locked before anything in it is read twice; a new one is made only
     * when the data have proved to be good. */
    if (request->resume)
        ELMAN_TRY(elman_folder_lock(request->output, &lock, error));
    elman_status status = task->begin(context, request, file, &objective, error);
    if (status == ELMAN_OK && !request->resume) {
        status = elman_folder_make(request->output, error);
        if (status == ELMAN_OK)
            status = elman_folder_lock(request->output, &lock, error);
        if (status == ELMAN_OK) /* another may have begun meanwhile */
            status = check_folder(request, error);
    }
    if (status == ELMAN_OK)
        status = train_locked(context, request, task, file, &objective, error);
    task->end(&objective);
    if (lock >= 0)
        elman_folder_unlock(lock);
    return status;
}

elman_status elman_train(elman_context *context, const elman_train_request *request,
                         elman_error *error)
{
    if (!request || request->size != sizeof *request)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "elman_train_request: wrong size; use elman_train_request_default");
    if (!request->output || !*request->output)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "no output folder given");
    if (!request->resume && request->data_count < 1)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "no data given");
    ELMAN_TRY(check_folder(request, error));

    elman_config_file file = {.format_version = 1, .numerics_version = ELMAN_NUMERICS_VERSION};
    file.config = request->config;
    snprintf(file.task, sizeof file.task, "%s", request->task);
    if (request->resume)
        ELMAN_TRY(read_config(context, request, &file, error));
    const elman_task *task;
    elman_status status = find_task(file.task, &task, error);
    if (status == ELMAN_OK)
        status = elman_loop_check(&file.config, error);
    if (status == ELMAN_OK)
        status = train_into(context, request, task, &file, error);
    elman_config_file_clear(context, &file);
    return status;
}
