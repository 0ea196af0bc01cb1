/* A trained model of the tasks classify, tag, forecast and probe in use: evaluated on files, and
 * asked line by line. What the verbs eval and predict of the command line call; elman/classify.h
 * and its kin answer a program directly. */
#ifndef ELMAN_PREDICT_H
#define ELMAN_PREDICT_H

#include <stdbool.h>

#include "elman/config.h"
#include "elman/context.h"
#include "elman/metrics.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct elman_predictor elman_predictor;

/* Opens a model's folder. *predictor is the caller's, ended by elman_predictor_free (NULL is fine)
 * before its context; one thread at a time. ARGUMENT: a task that answers otherwise (lm: see
 * elman/task.h). */
ELMAN_API elman_status elman_predictor_open(elman_context *context, const char *folder,
                                            elman_predictor **predictor, elman_error *error);
ELMAN_API void elman_predictor_free(elman_predictor *predictor);
ELMAN_API const elman_config_file *elman_predictor_config(const elman_predictor *predictor);

/* The task's figures over files of the form that it was trained on; without files over the
 * validation part of the data that it was trained with (`test`: the test part of --split). The
 * first value is the loss. *metrics is the caller's, ended by elman_metrics_clear. DATA, FORMAT,
 * IO: the files. */
ELMAN_API elman_status elman_predictor_eval(elman_predictor *predictor, const char *const *paths,
                                            int count, bool test, elman_metrics *metrics,
                                            elman_error *error);

/* Of a probe: elman_predictor_eval makes examples of this lag from now on, rather than of the one
 * that the model was trained for. ARGUMENT: another task, or no lag that the probe can have. */
ELMAN_API elman_status elman_predictor_lag(elman_predictor *predictor, int64_t lag,
                                           elman_error *error);

/* Where lines come from and answers go. */
typedef struct elman_lines {
    void *user;
    const char *name; /* of the input, for messages */
    /* The next line without its line end, the caller's until the next call; *line NULL: no more. */
    elman_status (*read)(void *user, const char **line, size_t *size, elman_error *error);
    /* Whether read would answer without waiting: what waits is answered together. NULL: never. */
    bool (*ready)(void *user);
    elman_status (*write)(void *user, const char *text, size_t size, elman_error *error);
    /* What was written is to be seen now. */
    elman_status (*flush)(void *user, elman_error *error);
} elman_lines;

typedef struct elman_predict_options {
    size_t size;      /* sizeof(elman_predict_options), set by _default */
    bool json;        /* a record a line */
    bool explain;     /* classify: how far each token or number moved the answer */
    int64_t top;      /* classify: labels to answer, best first; default 1 */
    bool rolling;     /* forecast: an answer after each row, from as soon as there are enough */
    const char *plot; /* forecast: also drawn into this file (.svg, .png); NULL: not */
} elman_predict_options;

ELMAN_API void elman_predict_options_default(elman_predict_options *options);

/* Answers line by line until there are no more, each as soon as it can. What cannot be answered is
 * an error that names line and column, after the answers before it were written. */
ELMAN_API elman_status elman_predictor_run(elman_predictor *predictor,
                                           const elman_predict_options *options,
                                           const elman_lines *lines, elman_error *error);

#ifdef __cplusplus
}
#endif

#endif
