/* metrics.jsonl: one record an interval and a validation. It is only appended to; a resumed run
 * cuts it back to what its checkpoint counted. */
#ifndef ELMAN_TRAIN_METRICS_H
#define ELMAN_TRAIN_METRICS_H

#include "base/file.h"
#include "train/checkpoint.h"

/* The mean loss, gradient norm and speed since the last such record. */
elman_status elman_metrics_interval(elman_appender *log, const elman_progress *progress,
                                    double epoch, double loss, double norm, double rate,
                                    double tokens_per_second, elman_error *error);
elman_status elman_metrics_validation(elman_appender *log, const elman_progress *progress,
                                      double epoch, const elman_validation *validation, bool better,
                                      elman_error *error);

#endif
