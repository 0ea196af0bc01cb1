/* One run of a comparison: trained, gone on with, or found finished. Beside the files of a model
 * its folder holds
 *
 *   compare.json   how the run came out, under the SHA-256 of the config.json that it is of: a run
 *                  is a function of that file, so while the two agree it need not be made again.
 *                  Also the budget that its updates come from, which stands there, the outcome
 *                  pending, from the run's beginning on. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/logarithm.h"
#include "elman/gradient_flow.h"
#include "elman/version.h"
#include "format/json.h"
#include "task/compare_impl.h"

enum { FORMAT = 1 };

static const char *const outcomes[] = {"pending", "finished", "solved", "diverged"};
static const elman_json_limits limits = {.bytes = 1 << 20, .depth = 4};

typedef struct doing {
    elman_compare_work *work;
    const elman_compare_plan *plan;
    elman_compare_run *run;
    elman_compare_budget budget; /* that its updates come from */
    int64_t number;
    char *config, *result, *metrics; /* paths */
    char sha256[65];                 /* of config.json */
} doing;

/* Whether what is recorded is what is asked for: the options, what was chosen among them, and the
 * data. */
static elman_status check_same(const doing *d, const elman_config_file *had, elman_error *error)
{
    const elman_option_table *table = elman_config_options();
    const elman_config_file *now = &d->plan->file;
    elman_config wanted = now->config;
    const char *folder = d->run->folder;
    wanted.seed = d->run->seed;
    if (strcmp(had->task, now->task))
        return elman_fail(error, ELMAN_ERROR_EXISTS,
                          "%s: a model of the task %s stands there, expected %s; choose another "
                          "-o, or --force to begin anew",
                          folder, had->task, now->task);
    for (size_t i = 0; i < table->count; i++) {
        const elman_option *o = &table->options[i];
        char was[ELMAN_CONFIG_TEXT], is[ELMAN_CONFIG_TEXT];
        if (!o->recorded || !o->bound || !elman_option_concerns(o, now->task) ||
            elman_options_equal(o, &had->config, &wanted))
            continue;
        elman_options_get(o, &had->config, was, sizeof was);
        elman_options_get(o, &wanted, is, sizeof is);
        return elman_fail(error, ELMAN_ERROR_EXISTS,
                          "%s: it was trained with %s %.100s, asked for is %.100s; choose another "
                          "-o, or --force to begin anew",
                          folder, o->name, *was ? was : "none", *is ? is : "none");
    }
    bool same = had->data_count == now->data_count && had->train_count == now->train_count;
    for (int64_t i = 0; same && i < now->data_count; i++)
        same = !strcmp(had->data[i].sha256, now->data[i].sha256);
    if (!same)
        return elman_fail(error, ELMAN_ERROR_EXISTS,
                          "%s: it was trained on other data; choose another -o, or "
                          "--force to begin anew",
                          folder);
    if (had->numerics_version != ELMAN_NUMERICS_VERSION)
        return elman_fail(error, ELMAN_ERROR_EXISTS,
                          "%s: it was trained with numerics version %" PRId64 ", this program has "
                          "%d; choose another -o, or --force to begin anew",
                          folder, had->numerics_version, ELMAN_NUMERICS_VERSION);
    return ELMAN_OK;
}

/* *stands: a training was begun in the folder, and it is this one. */
static elman_status look(doing *d, bool *stands, elman_error *error)
{
    elman_context *context = d->work->context;
    elman_config_file had;
    ELMAN_TRY(elman_path_look(d->config, stands, error));
    if (d->work->request->force) {
        *stands = false;
        if (unlink(d->result) && errno != ENOENT && errno != ENOTDIR)
            return elman_fail_errno(error, d->result, "cannot remove it");
    }
    if (!*stands)
        return ELMAN_OK;
    ELMAN_TRY(elman_config_file_read(context, d->config, &had, error));
    elman_status status = check_same(d, &had, error);
    elman_config_file_clear(context, &had);
    return status == ELMAN_OK ? elman_file_sha256(d->config, d->sha256, NULL, error) : status;
}

static bool read_integer(const elman_json *o, const char *key, int64_t least, int64_t most,
                         int64_t *value)
{
    return elman_json_to_integer(elman_json_get(o, key), least, most, value);
}

static bool read_horizon(const elman_json *o, const char *key, int64_t *value)
{
    return read_integer(o, key, ELMAN_COMPARE_UNMEASURED, ELMAN_FLOW_MOST_LAGS, value);
}

/* A metric's name stands in tables and in messages. */
static bool is_metric(const char *name)
{
    static const char known[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    return strlen(name) < ELMAN_METRIC_NAME && !name[strspn(name, known)];
}

static bool is_record(const elman_json *o)
{
    int64_t format;
    return read_integer(o, "format", FORMAT, FORMAT, &format);
}

/* Takes the record over; false where it is not of this config.json or was measured otherwise. */
static bool take_result(doing *d, const elman_json *o)
{
    elman_compare_run *r = d->run;
    int64_t asked;
    const char *outcome = elman_json_to_string(elman_json_get(o, "outcome"), NULL);
    const char *sha256 = elman_json_to_string(elman_json_get(o, "config"), NULL);
    const char *message = elman_json_to_string(elman_json_get(o, "message"), NULL);
    const char *metric = elman_json_to_string(elman_json_get(o, "metric"), NULL);
    if (!is_record(o) || !outcome || !sha256 || !message || !metric || !is_metric(metric) ||
        strcmp(sha256, d->sha256) ||
        !read_integer(o, "lags_asked", 0, ELMAN_FLOW_MOST_LAGS, &asked) ||
        asked != d->work->request->lags ||
        !read_integer(o, "steps", 0, ELMAN_COMPARE_UPDATES, &r->steps) ||
        !read_horizon(o, "memory_before", &r->memory_before) ||
        !read_horizon(o, "memory_after", &r->memory_after) ||
        !read_integer(o, "lags", 0, ELMAN_FLOW_MOST_LAGS, &r->lags) ||
        !elman_json_to_real(elman_json_get(o, "seconds"), 0, 1e15, &r->seconds))
        return false;
    int known = ELMAN_COMPARE_DIVERGED;
    while (known > ELMAN_COMPARE_PENDING && strcmp(outcome, outcomes[known]))
        known--;
    if (known == ELMAN_COMPARE_PENDING)
        return false;
    r->message = elman_compare_keep(d->work, message);
    if (*metric) /* one that diverged before its first validation knows of none */
        snprintf(d->work->comparison->metric, ELMAN_METRIC_NAME, "%s", metric);
    r->outcome = (elman_compare_outcome)known;
    r->found = true;
    return r->message != NULL;
}

/* A record that cannot be read is as good as none (*record NULL): the run is then looked at again.
 */
static elman_status read_record(elman_context *context, const char *path, elman_json **record,
                                elman_error *error)
{
    bool stands;
    *record = NULL;
    ELMAN_TRY(elman_path_look(path, &stands, error));
    if (stands && elman_json_read(context, path, limits, record, NULL) != ELMAN_OK)
        *record = NULL;
    if (*record && !is_record(*record)) {
        elman_json_free(*record);
        *record = NULL;
    }
    return ELMAN_OK;
}

/* What it came from; nothing where it does not say. */
static elman_compare_budget budget_of(const elman_json *record)
{
    elman_compare_budget b = {0, 0};
    if (record &&
        (!read_integer(record, "budget_updates", 0, ELMAN_COMPARE_UPDATES, &b.updates) ||
         !elman_json_to_real(elman_json_get(record, "budget_seconds"), 0, 1e9, &b.seconds)))
        b = (elman_compare_budget){0, 0};
    return b;
}

elman_status elman_compare_budget_of(elman_context *context, const char *folder,
                                     elman_compare_budget *budget, elman_error *error)
{
    elman_json *record;
    char *path = elman_path_join(folder, "compare.json");
    elman_status status =
        path ? read_record(context, path, &record, error) : elman_out_of_memory(error);
    if (status == ELMAN_OK) {
        *budget = budget_of(record);
        elman_json_free(record);
    }
    free(path);
    return status;
}

static elman_status read_result(doing *d, elman_error *error)
{
    elman_json *record;
    ELMAN_TRY(read_record(d->work->context, d->result, &record, error));
    if (record) {
        d->budget = budget_of(record);
        take_result(d, record);
    }
    elman_json_free(record);
    return ELMAN_OK;
}

static elman_status write_result(doing *d, elman_error *error)
{
    elman_context *context = d->work->context;
    const elman_compare_run *r = d->run;
    elman_json *o = elman_json_object();
    char *text = NULL;
    size_t size;
    bool good = o && elman_json_set(o, "format", elman_json_integer(FORMAT)) &&
                elman_json_set(o, "config", elman_json_string(d->sha256)) &&
                elman_json_set(o, "outcome", elman_json_string(outcomes[r->outcome])) &&
                elman_json_set(o, "message", elman_json_string(r->message)) &&
                elman_json_set(o, "metric", elman_json_string(d->work->comparison->metric)) &&
                elman_json_set(o, "steps", elman_json_integer(r->steps)) &&
                elman_json_set(o, "seconds", elman_json_real(r->seconds)) &&
                elman_json_set(o, "memory_before", elman_json_integer(r->memory_before)) &&
                elman_json_set(o, "memory_after", elman_json_integer(r->memory_after)) &&
                elman_json_set(o, "lags", elman_json_integer(r->lags)) &&
                elman_json_set(o, "lags_asked", elman_json_integer(d->work->request->lags)) &&
                elman_json_set(o, "budget_updates", elman_json_integer(d->budget.updates)) &&
                elman_json_set(o, "budget_seconds", elman_json_real(d->budget.seconds));
    elman_status status =
        good ? elman_json_print(context, o, ELMAN_JSON_INDENT | ELMAN_JSON_LINE_END, &text, &size,
                                error)
             : elman_out_of_memory(error);
    elman_json_free(o);
    if (status == ELMAN_OK)
        status = elman_file_replace(d->result, text, size, error);
    elman_release(context, text);
    return status;
}

/* A validation of metrics.jsonl; what is none is passed over. */
static void read_point(doing *d, const elman_json *o, elman_compare_point *points)
{
    elman_compare_run *r = d->run;
    elman_compare_point p = {.loss = NAN, .value = NAN};
    const char *event = elman_json_to_string(elman_json_get(o, "event"), NULL);
    const char *metric = d->work->comparison->metric;
    bool best = false, reached = false;
    if (!event || strcmp(event, "validation") ||
        !read_integer(o, "step", 0, ELMAN_COMPARE_UPDATES, &p.step) ||
        !elman_json_to_real(elman_json_get(o, "loss"), -1e300, 1e300, &p.loss))
        return;
    if (!strcmp(metric, "perplexity"))
        p.value = elman_exponential(p.loss);
    else if (*metric)
        elman_json_to_real(elman_json_get(o, metric), -1e300, 1e300, &p.value);
    points[r->points++] = p;
    elman_json_to_boolean(elman_json_get(o, "best"), &best);
    elman_json_to_boolean(elman_json_get(o, "reached"), &reached);
    if (reached && r->outcome == ELMAN_COMPARE_FINISHED)
        r->outcome = ELMAN_COMPARE_SOLVED;
    if (!best)
        return;
    r->loss = p.loss;
    r->value = p.value;
    r->score = p.loss;
    elman_json_to_real(elman_json_get(o, "score"), -1e300, 1e300, &r->score);
}

static int64_t count_lines(const char *text)
{
    int64_t count = 1;
    for (; (text = strchr(text, '\n')); text++)
        count++;
    return count;
}

/* The validations, from metrics.jsonl. */
static elman_status read_curve(doing *d, elman_error *error)
{
    elman_context *context = d->work->context;
    unsigned char *bytes;
    size_t size;
    bool stands;
    ELMAN_TRY(elman_path_look(d->metrics, &stands, error));
    if (!stands)
        return ELMAN_OK;
    ELMAN_TRY(elman_file_read(context, d->metrics, 0, &bytes, &size, error));
    char *text = (char *)bytes;
    elman_compare_point *points =
        elman_arena_take(d->work->arena, (size_t)count_lines(text), sizeof *points);
    for (char *line = text, *next; points && line; line = next) {
        elman_json *record = NULL;
        next = strchr(line, '\n');
        size_t length = next ? (size_t)(next - line) : strlen(line);
        if (next)
            next++;
        if (elman_json_parse(context, line, length, "metrics.jsonl", limits, &record, NULL) ==
            ELMAN_OK)
            read_point(d, record, points);
        elman_json_free(record);
    }
    d->run->curve = points;
    elman_release(context, bytes);
    return points ? ELMAN_OK : elman_out_of_memory(error);
}

static void tell(const doing *d, elman_compare_event event, const elman_train_progress *train)
{
    const elman_compare_request *r = d->work->request;
    if (!r->progress)
        return;
    elman_compare_progress now = {.event = event,
                                  .number = d->number + 1,
                                  .runs = d->work->run_count,
                                  .variant = r->variants[d->run->variant].name,
                                  .seed = d->run->seed,
                                  .train = train,
                                  .run = event == ELMAN_COMPARE_END ? d->run : NULL,
                                  .metric = d->work->comparison->metric};
    r->progress(r->user, &now);
}

static void on_train(void *user, const elman_train_progress *event)
{
    doing *d = user;
    if (event->event == ELMAN_EVENT_NOTE)
        return; /* said once, of the first variant */
    d->run->steps = event->step;
    d->run->seconds = event->seconds;
    if (event->metric)
        snprintf(d->work->comparison->metric, ELMAN_METRIC_NAME, "%s", event->metric);
    else if (!strcmp(d->work->request->task, "lm"))
        snprintf(d->work->comparison->metric, ELMAN_METRIC_NAME, "perplexity");
    tell(d, ELMAN_COMPARE_TRAIN, event);
}

/* The longest of the layers'. */
static int64_t longest(const elman_flow *flow, int64_t *lags)
{
    int64_t most = ELMAN_COMPARE_UNMEASURED;
    for (int64_t i = 0; i < flow->count; i++) {
        const elman_flow_layer *layer = &flow->layers[i];
        if (layer->lags > *lags)
            *lags = layer->lags;
        if (layer->state.horizon == ELMAN_FLOW_BEYOND)
            most = ELMAN_COMPARE_BEYOND;
        else if (most != ELMAN_COMPARE_BEYOND && layer->state.horizon > most)
            most = layer->state.horizon;
    }
    return most;
}

/* The memory horizon; a network whose gradient is not finite, and a task that cannot be measured,
 * have none. */
static elman_status measure(doing *d, const elman_train_request *request, int64_t *horizon,
                            elman_error *error)
{
    elman_context *context = d->work->context;
    elman_flow_options options;
    elman_flow flow = {0};
    elman_error found = {0};
    elman_flow_options_default(&options);
    options.lags = d->work->request->lags;
    options.jacobians = 0;
    elman_status status =
        request ? elman_flow_request(context, request, &options, &flow, &found)
                : elman_flow_model(context, d->run->folder, NULL, 0, &options, &flow, &found);
    *horizon = ELMAN_COMPARE_UNMEASURED;
    if (status == ELMAN_OK)
        *horizon = longest(&flow, &d->run->lags);
    elman_flow_clear(context, &flow);
    if (status == ELMAN_ERROR_NUMERIC || status == ELMAN_ERROR_UNSUPPORTED)
        return ELMAN_OK;
    return status == ELMAN_OK ? status : elman_fail(error, status, "%s", found.message);
}

static elman_status interrupted(const doing *d, elman_error *error)
{
    return elman_fail(error, ELMAN_ERROR_INTERRUPTED,
                      "stopped in run %" PRId64 " of %" PRId64 " (%s, seed %" PRId64
                      ") after step %" PRId64 " of %" PRId64 " and saved; the same command goes on",
                      d->number + 1, d->work->run_count,
                      d->work->request->variants[d->run->variant].name, d->run->seed, d->run->steps,
                      d->plan->updates);
}

static elman_status train(doing *d, bool resume, elman_error *error)
{
    const elman_compare_request *r = d->work->request;
    elman_error found = {0};
    elman_train_request request;
    elman_train_request_default(&request);
    request.task = r->task;
    request.config = d->plan->config;
    request.config.seed = d->run->seed;
    request.data = r->data;
    request.data_count = r->data_count;
    request.output = d->run->folder;
    request.stop = r->stop;
    ELMAN_TRY(measure(d, &request, &d->run->memory_before, error));
    request.progress = on_train;
    request.user = d;
    request.resume = resume;
    request.force = r->force;
    elman_status status = elman_train(d->work->context, &request, &found);
    switch (status) {
    case ELMAN_OK:
        d->run->outcome = ELMAN_COMPARE_FINISHED;
        break;
    case ELMAN_ERROR_NUMERIC:
        d->run->outcome = ELMAN_COMPARE_DIVERGED;
        d->run->message = elman_compare_keep(d->work, found.message);
        return d->run->message ? ELMAN_OK : elman_out_of_memory(error);
    case ELMAN_ERROR_INTERRUPTED:
        return interrupted(d, error);
    default:
        return elman_fail(error, status, "%s", found.message);
    }
    return measure(d, NULL, &d->run->memory_after, error);
}

static elman_status do_run(doing *d, elman_error *error)
{
    const elman_compare_request *r = d->work->request;
    bool stands = false;
    ELMAN_TRY(look(d, &stands, error));
    if (stands)
        ELMAN_TRY(read_result(d, error));
    if (!stands) {
        d->budget = (elman_compare_budget){r->updates, r->seconds};
        ELMAN_TRY(elman_folder_make(d->run->folder, error));
        ELMAN_TRY(write_result(d, error));
    }
    if (!d->run->found) {
        tell(d, ELMAN_COMPARE_BEGIN, NULL);
        ELMAN_TRY(train(d, stands, error));
        ELMAN_TRY(elman_file_sha256(d->config, d->sha256, NULL, error));
    }
    ELMAN_TRY(read_curve(d, error));
    if (!d->run->found)
        ELMAN_TRY(write_result(d, error));
    tell(d, ELMAN_COMPARE_END, NULL);
    return ELMAN_OK;
}

elman_status elman_compare_do_run(elman_compare_work *work, int64_t number, elman_error *error)
{
    elman_compare_run *run = &work->runs[number];
    doing d = {.work = work, .plan = &work->plans[run->variant], .run = run, .number = number};
    elman_error found = {0};
    d.config = elman_path_join(run->folder, "config.json");
    d.result = elman_path_join(run->folder, "compare.json");
    d.metrics = elman_path_join(run->folder, "metrics.jsonl");
    elman_status status = ELMAN_OK;
    if (!d.config || !d.result || !d.metrics)
        status = elman_out_of_memory(&found);
    else if (elman_compare_stopped(work->request))
        status = interrupted(&d, &found);
    else
        status = do_run(&d, &found);
    if (status != ELMAN_OK) {
        run->outcome = ELMAN_COMPARE_PENDING;
        bool ours = status == ELMAN_ERROR_INTERRUPTED || status == ELMAN_ERROR_EXISTS;
        status = ours ? elman_fail(error, status, "%s", found.message)
                      : elman_fail(error, status, "variant %s: %s",
                                   work->request->variants[run->variant].name, found.message);
    }
    free(d.config);
    free(d.result);
    free(d.metrics);
    return status;
}
