/* What the tests of the task forecast share: files, trainings, lines in and out. */
#ifndef FORECAST_HELP_H
#define FORECAST_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elman/elman.h"
#include "elman/forecast.h"
#include "elman/predict.h"

static char root[64] = "/tmp/elman-forecast-XXXXXX";

static int begin(void **state)
{
    (void)state;
    return mkdtemp(root) == NULL;
}

static int end(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

static const char *in_root(const char *name)
{
    static char path[256][256];
    static int at;
    at = (at + 1) % 256;
    snprintf(path[at], sizeof path[at], "%s/%s", root, name);
    return path[at];
}

static const char *write_file(const char *name, const char *text)
{
    const char *path = in_root(name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return path;
}

/* In -1..1, the same everywhere. */
static double noise(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return (double)(*seed >> 8) / 8388608.0 - 1.0;
}

static elman_context *context_of(int threads)
{
    elman_context *context;
    elman_context_options options;
    elman_context_options_default(&options);
    options.threads = threads;
    assert_int_equal(elman_context_create(&options, &context, NULL), ELMAN_OK);
    return context;
}

/* The request for a training of this file into in_root(model), with "--name value" options. */
static void request_of(elman_train_request *request, const char *model, const char *const *data,
                       int count, const char *options)
{
    char text[1024];
    elman_train_request_default(request);
    request->task = "forecast";
    elman_config_default_for(&request->config, "forecast");
    request->data = data;
    request->data_count = count;
    request->output = in_root(model);
    request->force = true;
    snprintf(text, sizeof text, "%s", options);
    for (char *name = strtok(text, " "); name; name = strtok(NULL, " ")) {
        elman_error error = {0};
        char *value = strtok(NULL, " ");
        const elman_option *o = elman_options_find(elman_config_options(), name + 2);
        if (!o || elman_options_set(o, &request->config, value, name, &error) != ELMAN_OK)
            fail_msg("%s: %s", name, error.message);
    }
}

static elman_status train_with(elman_context *context, const char *model, const char *path,
                               const char *options, elman_error *error)
{
    elman_train_request request;
    request_of(&request, model, &path, 1, options);
    return elman_train(context, &request, error);
}

static void train(elman_context *context, const char *model, const char *path, const char *options)
{
    elman_error error = {0};
    if (train_with(context, model, path, options, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
}

/* Lines from a text, answers into a text. */
typedef struct talk {
    const char *at;
    char answer[65536];
    size_t size;
} talk;

static elman_status read_line(void *user, const char **line, size_t *size, elman_error *error)
{
    talk *t = user;
    (void)error;
    *line = *t->at ? t->at : NULL;
    *size = strcspn(t->at, "\n");
    t->at += *size + (t->at[*size] == '\n');
    return ELMAN_OK;
}

static elman_status write_answer(void *user, const char *text, size_t size, elman_error *error)
{
    talk *t = user;
    (void)error;
    assert_true(t->size + size < sizeof t->answer);
    memcpy(t->answer + t->size, text, size);
    t->size += size;
    t->answer[t->size] = 0;
    return ELMAN_OK;
}

static elman_status flush_answer(void *user, elman_error *error)
{
    (void)user;
    (void)error;
    return ELMAN_OK;
}

static elman_status ask(elman_context *context, const char *model, const char *lines,
                        const elman_predict_options *options, talk *t, elman_error *error)
{
    elman_predict_options plain;
    elman_predict_options_default(&plain);
    elman_predictor *predictor = NULL;
    elman_lines face = {t, "input", read_line, NULL, write_answer, flush_answer};
    t->at = lines;
    t->size = 0;
    t->answer[0] = 0;
    elman_status status = elman_predictor_open(context, in_root(model), &predictor, error);
    if (status == ELMAN_OK)
        status = elman_predictor_run(predictor, options ? options : &plain, &face, error);
    elman_predictor_free(predictor);
    return status;
}

static inline elman_status figures_of(elman_context *context, const char *model, const char *path,
                                      bool test, elman_metrics *metrics, elman_error *error)
{
    elman_predictor *predictor = NULL;
    elman_status status = elman_predictor_open(context, in_root(model), &predictor, error);
    if (status == ELMAN_OK)
        status = elman_predictor_eval(predictor, &path, path ? 1 : 0, test, metrics, error);
    elman_predictor_free(predictor);
    return status;
}

static inline double figure(const elman_metrics *metrics, const char *name)
{
    const double *value = elman_metrics_find(metrics, name);
    assert_non_null(value);
    return *value;
}

#endif
