#include "train/history.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "format/json.h"

enum { DEPTH = 8, LAGS = 1 << 20 };

typedef struct reading {
    elman_context *context;
    const char *path;
    size_t line; /* counted from 1 */
    elman_history *history;
} reading;

static double real_of(const elman_json *record, const char *key)
{
    double value;
    return elman_json_to_real(elman_json_get(record, key), -DBL_MAX, DBL_MAX, &value) ? value
                                                                                      : (double)NAN;
}

static elman_status step_of(const reading *r, const elman_json *record, int64_t *step,
                            elman_error *error)
{
    char found[96];
    const elman_json *value = elman_json_get(record, "step");
    if (elman_json_to_integer(value, 0, INT64_MAX, step))
        return ELMAN_OK;
    elman_json_describe(value, found);
    return elman_fail(error, ELMAN_ERROR_FORMAT,
                      "%s: line %zu: step: found %s, expected a number of steps", r->path, r->line,
                      found);
}

static elman_status read_interval(reading *r, const elman_json *record, elman_error *error)
{
    elman_history *h = r->history;
    elman_history_interval *list = elman_grown(r->context, h->intervals, h->interval_count,
                                               &h->interval_room, 1, sizeof *list);
    if (!list)
        return elman_out_of_memory(error);
    h->intervals = list;
    elman_history_interval *to = &list[h->interval_count];
    *to = (elman_history_interval){
        .epoch = real_of(record, "epoch"),
        .loss = real_of(record, "loss"),
        .gradient_norm = real_of(record, "gradient_norm"),
        .lr = real_of(record, "lr"),
        .tokens_per_second = real_of(record, "tokens_per_second"),
        .seconds = real_of(record, "seconds"),
    };
    ELMAN_TRY(step_of(r, record, &to->step, error));
    h->interval_count++;
    return ELMAN_OK;
}

/* The task's figure stands under its own name: what is none of the names that we give. */
static const char *metric_of(const elman_json *record)
{
    static const char *const ours[] = {"event",  "step", "epoch",   "loss",   "score",
                                       "tokens", "best", "reached", "seconds"};
    elman_json_member m = elman_json_members(record);
    while (elman_json_next(&m)) {
        size_t i = 0;
        while (i < sizeof ours / sizeof *ours && strcmp(ours[i], m.key))
            i++;
        if (i == sizeof ours / sizeof *ours && strlen(m.key) < ELMAN_METRIC_NAME)
            return m.key;
    }
    return "";
}

static elman_status read_validation(reading *r, const elman_json *record, elman_error *error)
{
    elman_history *h = r->history;
    elman_history_validation *list = elman_grown(r->context, h->validations, h->validation_count,
                                                 &h->validation_room, 1, sizeof *list);
    if (!list)
        return elman_out_of_memory(error);
    h->validations = list;
    if (!h->metric[0])
        snprintf(h->metric, sizeof h->metric, "%s", metric_of(record));
    elman_history_validation *to = &list[h->validation_count];
    *to = (elman_history_validation){
        .epoch = real_of(record, "epoch"),
        .loss = real_of(record, "loss"),
        .value = h->metric[0] ? real_of(record, h->metric) : (double)NAN,
        .seconds = real_of(record, "seconds"),
    };
    (void)elman_json_to_boolean(elman_json_get(record, "best"), &to->best);
    ELMAN_TRY(step_of(r, record, &to->step, error));
    h->validation_count++;
    return ELMAN_OK;
}

/* Of a layer whose gradient was not measured, or was not finite, there is no norm or none but null.
 */
static bool any_measured(const elman_json *norm)
{
    double value;
    bool any = false;
    for (size_t i = 0; i < elman_json_size(norm) && !any; i++)
        any = elman_json_to_real(elman_json_at(norm, i), 0, DBL_MAX, &value);
    return any;
}

/* One layer of a record: its name and the norms from lag 0 on. */
static elman_status read_layer(reading *r, int64_t step, const elman_json *layer,
                               elman_error *error)
{
    elman_history *h = r->history;
    const elman_json *norm = elman_json_get(layer, "norm");
    const char *name = elman_json_to_string(elman_json_get(layer, "layer"), NULL);
    size_t count = elman_json_size(norm);
    if (!name || !elman_json_is(norm, ELMAN_JSON_ARRAY) || count > LAGS)
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "%s: line %zu: found a layer without its name or its norms, expected "
                          "\"layer\" and \"norm\"",
                          r->path, r->line);
    if (!any_measured(norm))
        return ELMAN_OK;
    elman_history_gradient *list = elman_grown(r->context, h->gradients, h->gradient_count,
                                               &h->gradient_room, 1, sizeof *list);
    if (!list)
        return elman_out_of_memory(error);
    h->gradients = list;
    elman_history_gradient *to = &list[h->gradient_count];
    *to = (elman_history_gradient){.step = step, .lags = (int64_t)count - 1, .horizon = -1};
    snprintf(to->layer, sizeof to->layer, "%s", name);
    (void)elman_json_to_integer(elman_json_get(layer, "horizon"), 0, INT64_MAX, &to->horizon);
    to->norm = elman_allocate(r->context, count, sizeof *to->norm);
    if (!to->norm)
        return elman_out_of_memory(error);
    h->gradient_count++;
    for (size_t i = 0; i < count; i++)
        if (!elman_json_to_real(elman_json_at(norm, i), 0, DBL_MAX, &to->norm[i]))
            to->norm[i] = (double)NAN;
    return ELMAN_OK;
}

static elman_status read_gradients(reading *r, const elman_json *record, elman_error *error)
{
    int64_t step;
    const elman_json *layers = elman_json_get(record, "layers");
    ELMAN_TRY(step_of(r, record, &step, error));
    for (size_t i = 0; i < elman_json_size(layers); i++)
        ELMAN_TRY(read_layer(r, step, elman_json_at(layers, i), error));
    return ELMAN_OK;
}

static elman_status read_record(reading *r, const elman_json *record, elman_error *error)
{
    const char *event = elman_json_to_string(elman_json_get(record, "event"), NULL);
    if (!event)
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "%s: line %zu: found no \"event\", expected a record of training",
                          r->path, r->line);
    if (!strcmp(event, "interval"))
        return read_interval(r, record, error);
    if (!strcmp(event, "validation"))
        return read_validation(r, record, error);
    if (!strcmp(event, "gradients"))
        return read_gradients(r, record, error);
    return ELMAN_OK;
}

static elman_status read_line(reading *r, const char *line, size_t size, elman_error *error)
{
    elman_json *record;
    elman_error found = {0};
    elman_status status = elman_json_parse(r->context, line, size, "",
                                           (elman_json_limits){.depth = DEPTH}, &record, &found);
    const char *where = strstr(found.message, "column");
    if (status == ELMAN_ERROR_FORMAT)
        return elman_fail(error, status, "%s: line %zu, %s", r->path, r->line,
                          where ? where : found.message);
    if (status != ELMAN_OK)
        return elman_fail(error, status, "%s", found.message);
    status = read_record(r, record, error);
    elman_json_free(record);
    return status;
}

elman_status elman_history_parse(elman_context *context, const char *path, const void *bytes,
                                 size_t size, elman_history *history, elman_error *error)
{
    reading r = {.context = context, .path = path, .history = history};
    const char *at = bytes, *end = at + size, *stop;
    *history = (elman_history){0};
    while ((stop = memchr(at, '\n', (size_t)(end - at)))) {
        r.line++;
        ELMAN_TRY(read_line(&r, at, (size_t)(stop - at), error));
        at = stop + 1;
    }
    return ELMAN_OK;
}

elman_status elman_history_read(elman_context *context, const char *path, elman_history *history,
                                elman_error *error)
{
    unsigned char *bytes;
    size_t size;
    bool there;
    *history = (elman_history){0};
    ELMAN_TRY(elman_path_look(path, &there, error));
    if (!there)
        return ELMAN_OK;
    ELMAN_TRY(elman_file_read(context, path, 0, &bytes, &size, error));
    elman_status status = elman_history_parse(context, path, bytes, size, history, error);
    elman_release(context, bytes);
    return status;
}

elman_status elman_history_read_run(elman_context *context, const char *folder,
                                    elman_history *history, elman_error *error)
{
    *history = (elman_history){0};
    char *path = elman_path_join(folder, "metrics.jsonl");
    if (!path)
        return elman_out_of_memory(error);
    elman_status status = elman_history_read(context, path, history, error);
    free(path);
    return status;
}

void elman_history_clear(elman_context *context, elman_history *history)
{
    for (size_t i = 0; i < history->gradient_count; i++)
        elman_release(context, history->gradients[i].norm);
    elman_release(context, history->intervals);
    elman_release(context, history->validations);
    elman_release(context, history->gradients);
    *history = (elman_history){0};
}
