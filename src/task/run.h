/* A task opened to be looked at, not trained: its data, its network with gradients, its objective.
 * Nothing is written. */
#ifndef ELMAN_TASK_RUN_H
#define ELMAN_TASK_RUN_H

#include "task/task_impl.h"

typedef struct elman_task_run {
    elman_context *context;
    const elman_task *task; /* NULL: nothing was begun */
    elman_config_file file;
    elman_objective objective;
} elman_task_run;

/* A model's folder with the weights that evaluate best, over files of the form that it was trained
 * on, all of them as training data; without files over those that it was trained with. run is to be
 * closed whatever is answered. */
elman_status elman_task_run_open(elman_context *context, const char *folder,
                                 const char *const *paths, int count, elman_task_run *run,
                                 elman_error *error);
/* What elman_train would begin with this request, before the first step. */
elman_status elman_task_run_begin(elman_context *context, const elman_train_request *request,
                                  elman_task_run *run, elman_error *error);
void elman_task_run_close(elman_task_run *run);

#endif
