/* What one task is to the floor it stands on. */
#ifndef ELMAN_TASK_TASK_IMPL_H
#define ELMAN_TASK_TASK_IMPL_H

#include "elman/task.h"
#include "train/objective.h"

/* Says one line to the user through the request's progress call. */
void elman_task_note(const elman_train_request *request, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

typedef struct elman_task {
    const char *name;

    /* Opens the data, builds what is trained and gives it its first values. A new run: file->config
     * is the request's, and what is auto in it is chosen; the data records are filled. A resumed
     * one: file is config.json, and the data must be what it records (DATA otherwise). */
    elman_status (*begin)(elman_context *context, const elman_train_request *request,
                          elman_config_file *file, elman_objective *objective, elman_error *error);
    /* Before the first step: writes what the folder needs beside config.json and the weights. */
    elman_status (*found)(elman_objective *objective, const char *folder, elman_error *error);
    void (*end)(elman_objective *objective);
} elman_task;

extern const elman_task elman_task_lm;

#endif
