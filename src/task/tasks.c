/* The tasks there are, and a trained model of one of them in use. */
#include <string.h>

#include "base/error.h"
#include "base/float_environment.h"
#include "base/memory.h"
#include "task/task_impl.h"

static const elman_task *const tasks[] = {&elman_task_lm,    &elman_task_classify,
                                          &elman_task_tag,   &elman_task_forecast,
                                          &elman_task_probe, NULL};

const elman_task *const *elman_tasks(void)
{
    return tasks;
}

elman_status elman_task_find(const char *name, const elman_task **task, elman_error *error)
{
    char known[256] = "";
    for (int i = 0; tasks[i]; i++) {
        if (!strcmp(tasks[i]->name, name)) {
            *task = tasks[i];
            return ELMAN_OK;
        }
        strncat(known, i ? ", " : "", sizeof known - strlen(known) - 1);
        strncat(known, tasks[i]->name, sizeof known - strlen(known) - 1);
    }
    return elman_fail(error, ELMAN_ERROR_ARGUMENT, "task '%s' is not known; known are: %s", name,
                      known);
}

bool elman_task_reads_data(const char *name)
{
    const elman_task *task;
    return elman_task_find(name, &task, NULL) != ELMAN_OK || !task->own_data;
}

struct elman_predictor {
    elman_context *context;
    elman_config_file file;
    const elman_task *task;
    void *model;
};

static elman_status open(elman_predictor *p, const char *folder, elman_error *error)
{
    ELMAN_TRY(elman_config_file_read_model(p->context, folder, &p->file, error));
    elman_error found;
    elman_status status = elman_task_find(p->file.task, &p->task, &found);
    if (status != ELMAN_OK)
        return elman_fail(error, status, "%s/config.json: %s", folder, found.message);
    if (!p->task->open)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "%s: a model of task '%s', which answers otherwise", folder,
                          p->file.task);
    return p->task->open(p->context, folder, &p->file, &p->model, error);
}

elman_status elman_predictor_open(elman_context *context, const char *folder,
                                  elman_predictor **predictor, elman_error *error)
{
    elman_predictor *p = elman_allocate_zero(context, 1, sizeof *p);
    if (!p)
        return elman_out_of_memory(error);
    p->context = context;
    elman_status status = open(p, folder, error);
    if (status != ELMAN_OK) {
        elman_predictor_free(p);
        return status;
    }
    *predictor = p;
    return ELMAN_OK;
}

void elman_predictor_free(elman_predictor *p)
{
    if (!p)
        return;
    if (p->model)
        p->task->close(p->model);
    elman_config_file_clear(p->context, &p->file);
    elman_release(p->context, p);
}

const elman_config_file *elman_predictor_config(const elman_predictor *p)
{
    return &p->file;
}

elman_status elman_predictor_eval(elman_predictor *p, const char *const *paths, int count,
                                  bool test, elman_metrics *metrics, elman_error *error)
{
    elman_float_environment modes = elman_float_begin();
    elman_status status = p->task->eval(p->model, paths, count, test, metrics, error);
    elman_float_end(modes);
    return status;
}

elman_status elman_predictor_lag(elman_predictor *p, int64_t lag, elman_error *error)
{
    if (!p->task->lag)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "lag: it means nothing to the task %s; it belongs to: probe",
                          p->task->name);
    return p->task->lag(p->model, lag, error);
}

void elman_predict_options_default(elman_predict_options *options)
{
    *options = (elman_predict_options){.size = sizeof *options, .top = 1};
}

elman_status elman_predictor_run(elman_predictor *p, const elman_predict_options *options,
                                 const elman_lines *lines, elman_error *error)
{
    if (options->size != sizeof *options || options->top < 1)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "elman_predict_options: wrong size or top below 1; use "
                          "elman_predict_options_default");
    elman_float_environment modes = elman_float_begin();
    elman_status status = p->task->predict(p->model, options, lines, error);
    elman_float_end(modes);
    return status;
}
