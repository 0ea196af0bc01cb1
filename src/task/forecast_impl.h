/* What training, back-testing and answering share of the task forecast. */
#ifndef ELMAN_TASK_FORECAST_IMPL_H
#define ELMAN_TASK_FORECAST_IMPL_H

#include "task/forecast_measure.h"
#include "task/task_impl.h"

/* Reads the files of a run into data, each by the columns; where `found` is false they are found
 * from the first. DATA, FORMAT, IO: the files. */
elman_status elman_forecast_read(const elman_files *files, elman_config_file *file, bool found,
                                 elman_forecast_columns *columns, elman_forecast_data *data,
                                 elman_error *error);

/* Chooses what is auto in config from the dates and from how much there is to train on. */
void elman_forecast_choose(elman_config *config, const elman_forecast_columns *columns,
                           const elman_forecast_data *data);

/* elman_task_forecast's face to eval and predict. */
elman_status elman_forecast_open(elman_context *context, const char *folder,
                                 const elman_config_file *file, void **model, elman_error *error);
elman_status elman_forecast_eval(void *model, const char *const *paths, int count, bool test,
                                 elman_metrics *metrics, elman_error *error);
elman_status elman_forecast_predict(void *model, const elman_predict_options *options,
                                    const elman_lines *lines, elman_error *error);
void elman_forecast_close(void *model);

#endif
