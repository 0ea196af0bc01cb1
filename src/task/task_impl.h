/* What one task is to the floor it stands on. */
#ifndef ELMAN_TASK_TASK_IMPL_H
#define ELMAN_TASK_TASK_IMPL_H

#include "elman/predict.h"
#include "elman/task.h"
#include "train/objective.h"

/* Says one line to the user through the request's progress call. */
void elman_task_note(const elman_train_request *request, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same line of what was chosen, "chosen for this size: --hidden 200 ...": the options in which
 * `got` differs from `asked`, if any. */
void elman_task_note_choice(const elman_train_request *request, const elman_config *got);

typedef struct elman_task {
    const char *name;
    bool own_data; /* it makes its examples itself, and takes no files */

    /* Opens the data, builds what is trained and gives it its first values. A new run: file->config
     * is the request's, and what is auto in it is chosen; the data records are filled. A resumed
     * one: file is config.json, and the data must be what it records (DATA otherwise). */
    elman_status (*begin)(elman_context *context, const elman_train_request *request,
                          elman_config_file *file, elman_objective *objective, elman_error *error);
    /* Before the first step: writes what the folder needs beside config.json and the weights. */
    elman_status (*found)(elman_objective *objective, const char *folder, elman_error *error);
    void (*end)(elman_objective *objective);

    /* The trained model in use, as elman/predict.h says; NULL where the task has another face.
     * `file` outlives the model. */
    elman_status (*open)(elman_context *context, const char *folder, const elman_config_file *file,
                         void **model, elman_error *error);
    elman_status (*eval)(void *model, const char *const *paths, int count, bool test,
                         elman_metrics *metrics, elman_error *error);
    elman_status (*predict)(void *model, const elman_predict_options *options,
                            const elman_lines *lines, elman_error *error);
    void (*close)(void *model);
    /* elman_predictor_lag; NULL where a model has no such thing. */
    elman_status (*lag)(void *model, int64_t lag, elman_error *error);
} elman_task;

extern const elman_task elman_task_lm, elman_task_classify, elman_task_tag, elman_task_forecast,
    elman_task_probe;

/* ARGUMENT: no data files for a task that reads them, or some for one that makes its own. */
elman_status elman_task_check_data(const char *task, const char *const *data, int count,
                                   elman_error *error);

/* NULL-ended, in the order of the help. */
const elman_task *const *elman_tasks(void);
/* ARGUMENT: no such task; the message names those there are. */
elman_status elman_task_find(const char *name, const elman_task **task, elman_error *error);

#endif
