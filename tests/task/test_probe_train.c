/* Training on the probes: the same bits for any number of threads and when stopped and resumed,
 * under a curriculum too; ended where the task is solved; samples for a measurement of the gradient
 * that training does not notice. */
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

#include "base/file.h"
#include "elman/elman.h"
#include "elman/predict.h"
#include "task/probe_data.h"
#include "task/task_impl.h"
#include "test_malloc.h"
#include "train/checkpoint.h"

static char root[64] = "/tmp/elman-probe-XXXXXX";

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
    static char path[8][256];
    static int at;
    at = (at + 1) % 8;
    snprintf(path[at], sizeof path[at], "%s/%s", root, name);
    return path[at];
}

/* What a training said, and when it is to stop. */
typedef struct listener {
    int64_t stop_after;
    volatile sig_atomic_t stop;
    elman_train_progress last;
    char notes[2048];

    int validations;
} listener;

static void listen(void *user, const elman_train_progress *progress)
{
    listener *l = user;
    if (progress->event == ELMAN_EVENT_NOTE) {
        strncat(l->notes, progress->text, sizeof l->notes - strlen(l->notes) - 2);
        strcat(l->notes, "\n");
        return;
    }
    l->last = *progress;
    l->validations += progress->event == ELMAN_EVENT_VALIDATION;
    if (progress->event == ELMAN_EVENT_STEP && l->stop_after && progress->step >= l->stop_after)
        l->stop = 1;
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

static elman_train_request request_of(const char *folder, const elman_config *config)
{
    elman_train_request request;
    elman_train_request_default(&request);
    request.task = "probe";
    if (config)
        request.config = *config;
    request.output = folder;
    request.resume = config == NULL;
    return request;
}

/* config NULL: resumed. */
static elman_status train(const char *folder, const elman_config *config, int threads, listener *l)
{
    elman_error error = {0};
    elman_context *context = context_of(threads);
    elman_train_request request = request_of(folder, config);
    request.progress = listen;
    request.user = l;
    request.stop = &l->stop;
    elman_status status = elman_train(context, &request, &error);
    if (status != ELMAN_OK && status != ELMAN_ERROR_INTERRUPTED)
        fail_msg("%s", error.message);
    elman_context_free(context);
    return status;
}

static elman_config config_of(elman_probe kind, const char *lag)
{
    elman_config c;
    elman_config_default_for(&c, "probe");
    c.probe = (int)kind;
    strcpy(c.lag, lag);
    c.layers = 1;
    c.hidden = 13;
    c.batch = 5;
    return c;
}

/* Two batches an update, dropout, a curriculum, an epoch's end on the way. */
static elman_config long_config(elman_probe kind)
{
    elman_config c = config_of(kind, "2..9");
    c.layers = 2;
    c.cell = kind == ELMAN_PROBE_COPY ? ELMAN_CELL_GRU : ELMAN_CELL_LSTM;
    c.dropout = 0.2;
    c.accumulate = 2;
    c.max_steps = 120;
    c.eval_every = 50;
    c.stop_at = 0;
    strcpy(c.schedule, "plateau");
    return c;
}

/* The last checkpoint but for its clock and the length of a log with times; the weights for use. */
static void digest(const char *folder, char out[2][65])
{
    elman_context *context = context_of(1);
    elman_safetensors *file;
    elman_error error = {0};
    char path[300];
    snprintf(path, sizeof path, "%s/checkpoint.safetensors", folder);
    if (elman_safetensors_read(context, path, NULL, &file, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    elman_sha256 sha;
    elman_sha256_begin(&sha);
    for (size_t i = 0; i < elman_safetensors_count(file); i++) {
        const elman_tensor_view *v = elman_safetensors_at(file, i);
        if (strcmp(v->name, "progress.integers") == 0) {
            struct elman_progress_integers n;
            memcpy(&n, v->data, sizeof n);
            n.metrics_bytes = 0;
            elman_sha256_add(&sha, &n, sizeof n);
        } else {
            bool reals = strcmp(v->name, "progress.reals") == 0;
            elman_sha256_add(&sha, v->data, v->bytes - (reals ? sizeof(double) : 0));
        }
    }
    elman_sha256_end(&sha, out[0]);
    elman_safetensors_free(file);
    elman_context_free(context);
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    assert_int_equal(elman_file_sha256(path, out[1], NULL, &error), ELMAN_OK);
}

static void same_bits(void **state)
{
    (void)state;
    for (int k = 0; k < 4; k++) {
        elman_config config = long_config((elman_probe)k);
        char expected[2][65], found[2][65], name[32];
        listener whole = {0}, three = {0};
        snprintf(name, sizeof name, "whole-%d", k);
        assert_int_equal(train(in_root(name), &config, 1, &whole), ELMAN_OK);
        assert_int_equal(whole.last.step, 120);
        assert_int_equal(whole.validations, 3);
        digest(in_root(name), expected);

        snprintf(name, sizeof name, "three-%d", k);
        assert_int_equal(train(in_root(name), &config, 3, &three), ELMAN_OK);
        digest(in_root(name), found);
        assert_string_equal(found[0], expected[0]);
        assert_string_equal(found[1], expected[1]);

        snprintf(name, sizeof name, "stopped-%d", k);
        elman_status status = ELMAN_ERROR_INTERRUPTED;
        int times = 0;
        for (int64_t after = 17; status == ELMAN_ERROR_INTERRUPTED; after += 17, times++) {
            listener l = {.stop_after = after};
            status = train(in_root(name), times ? NULL : &config, 1 + times % 2, &l);
        }
        assert_int_equal(status, ELMAN_OK);
        assert_true(times > 5);
        digest(in_root(name), found);
        assert_string_equal(found[0], expected[0]);
        assert_string_equal(found[1], expected[1]);
    }
}

/* What eval says of the best weights is what the training's validation said of them. */
static double evaluated(const char *folder, const char *name)
{
    elman_context *context = context_of(2);
    elman_predictor *predictor;
    elman_metrics metrics = {0};
    elman_error error = {0};
    if (elman_predictor_open(context, folder, &predictor, &error) != ELMAN_OK ||
        elman_predictor_eval(predictor, NULL, 0, false, &metrics, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    double value = *elman_metrics_find(&metrics, name);
    elman_metrics_clear(context, &metrics);
    elman_predictor_free(predictor);
    elman_context_free(context);
    return value;
}

static void solved(void **state)
{
    (void)state;
    /* easily solved: one by its loss, one by its accuracy */
    elman_config config = config_of(ELMAN_PROBE_LINEAR_RECURRENCE, "6");
    config.lr = 0.02;
    config.eval_every = 20;
    config.max_steps = 2000;
    listener l = {0};
    assert_int_equal(train(in_root("linear"), &config, 1, &l), ELMAN_OK);
    assert_true(l.last.step < 2000 && l.last.step % 20 == 0);
    assert_true(l.last.valid_loss <= 0.01 && l.last.best_loss == l.last.valid_loss);
    assert_string_equal(l.last.metric, "r2");
    assert_true(evaluated(in_root("linear"), "loss") == l.last.valid_loss);
    assert_true(evaluated(in_root("linear"), "solved") == 1.0);
    assert_non_null(strstr(l.notes, "guessing costs 1"));
    assert_non_null(strstr(l.notes, "--stop-at 0.99"));
    int64_t solved_at = l.last.step;

    /* done: nothing more happens */
    listener again = {0};
    assert_int_equal(train(in_root("linear"), NULL, 1, &again), ELMAN_OK);
    assert_int_equal(again.last.step, solved_at);
    assert_int_equal(again.validations, 0);

    config = config_of(ELMAN_PROBE_PARITY, "2");
    config.lr = 0.02;
    config.eval_every = 20;
    config.max_steps = 2000;
    l = (listener){0};
    assert_int_equal(train(in_root("parity"), &config, 1, &l), ELMAN_OK);
    assert_true(l.last.step < 2000);
    assert_string_equal(l.last.metric, "accuracy");
    assert_true(l.last.valid_value >= 0.99 && l.last.best_value == l.last.valid_value);
    assert_non_null(strstr(l.notes, "guessing costs 0.6931"));

    /* a mark of one's own, and none */
    config.stop_at = 0.6;
    l = (listener){0};
    assert_int_equal(train(in_root("sooner"), &config, 1, &l), ELMAN_OK);
    assert_true(l.last.valid_value >= 0.6);
    config.stop_at = 0;
    config.max_steps = l.last.step + 40;
    l = (listener){0};
    assert_int_equal(train(in_root("never"), &config, 1, &l), ELMAN_OK);
    assert_int_equal(l.last.step, config.max_steps);
}

/* --- memory ------------------------------------------------------------------------------- */

static void count_calls(void *user, const elman_train_progress *progress)
{
    size_t *calls = user;
    if (progress->event == ELMAN_EVENT_STEP && (progress->step == 2 || progress->step == 50))
        calls[progress->step == 50] = test_malloc_calls();
}

/* An update after the first takes no memory. */
static void no_allocation(void **state)
{
    (void)state;
    if (!test_malloc_works())
        skip();
    for (int k = 0; k < 4; k++) {
        elman_config config = config_of((elman_probe)k, "12");
        elman_context *context = context_of(2);
        elman_train_request request = request_of(in_root("memory"), &config);
        elman_error error = {0};
        size_t calls[2] = {0, 1};
        request.config.max_steps = 50;
        request.force = true;
        request.progress = count_calls;
        request.user = calls;
        if (elman_train(context, &request, &error) != ELMAN_OK)
            fail_msg("%s", error.message);
        assert_true(calls[0] == calls[1]);
        elman_context_free(context);
    }
}

/* Any allocation may fail: it is said, and what was taken is given back. */
static void memory_is_out(void **state)
{
    (void)state;
    if (!test_malloc_works())
        skip();
    elman_config config = config_of(ELMAN_PROBE_ADDING, "4");
    config.max_steps = 1;
    listener l = {0};
    assert_int_equal(train(in_root("small"), &config, 1, &l), ELMAN_OK);
    elman_context *context = context_of(1);
    elman_train_request request = request_of("unused", &config);
    size_t live = test_malloc_live();
    for (int open = 0; open < 2; open++)
        for (size_t n = 1;; n++) {
            elman_config_file file = {.config = config};
            elman_objective objective = {0};
            elman_predictor *predictor = NULL;
            elman_metrics metrics = {0};
            elman_error error = {0};
            test_malloc_fail_at(n);
            elman_status status =
                open ? elman_predictor_open(context, in_root("small"), &predictor, &error)
                     : elman_task_probe.begin(context, &request, &file, &objective, &error);
            if (open && status == ELMAN_OK)
                status = elman_predictor_eval(predictor, NULL, 0, false, &metrics, &error);
            bool failed = test_malloc_failed();
            test_malloc_fail_at(0);
            elman_metrics_clear(context, &metrics);
            elman_predictor_free(predictor);
            elman_task_probe.end(&objective);
            if (status != (failed ? ELMAN_ERROR_MEMORY : ELMAN_OK))
                fail_msg("allocation %zu, open %d: %s", n, open, error.message);
            assert_int_equal(test_malloc_live(), live);
            if (!failed)
                break;
        }
    elman_context_free(context);
}

/* --- samples for the gradient ------------------------------------------------------------- */

typedef struct sampled {
    double sum, loss;
    int64_t count, T;
    float gradient[4];
} sampled;

static sampled sample(elman_context *context, elman_objective *objective, int64_t first,
                      int64_t count, float scale)
{
    elman_tape *tape;
    elman_error error = {0};
    elman_flow_wish wish = {.first = first, .count = count, .of = 8, .lags = 5, .scale = scale};
    elman_flow_batch batch = {0};
    sampled s = {0};
    assert_int_equal(elman_tape_create(context, &tape, NULL), ELMAN_OK);
    elman_tape_begin(tape, NULL);
    assert_int_equal(objective->flow(objective->self, tape, &wish, &batch, &error), ELMAN_OK);
    if (elman_tape_backward(tape, batch.loss, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    s.sum = batch.sum;
    s.loss = (double)elman_var_value(batch.loss)->data[0];
    s.count = batch.count;
    s.T = batch.sequences->T;
    assert_null(batch.steps);
    assert_int_equal(batch.sequences->B, count);
    for (int64_t i = 0; i < elman_parameters_count(objective->parameters); i++) {
        elman_parameter *p = elman_parameters_at(objective->parameters, i);
        float *gradient = elman_parameter_gradient(p);
        if (strcmp(elman_parameter_name(p), "rnn.weight_hh_l0") == 0)
            memcpy(s.gradient, gradient, sizeof s.gradient);
        memset(gradient, 0,
               (size_t)elman_tensor_count(elman_parameter_value(p)) * sizeof *gradient);
    }
    elman_tape_free(tape);
    return s;
}

static double next_batch(elman_context *context, elman_objective *objective)
{
    elman_tape *tape;
    elman_error error = {0};
    elman_objective_batch batch = {0};
    assert_int_equal(elman_tape_create(context, &tape, NULL), ELMAN_OK);
    elman_tape_begin(tape, NULL);
    assert_int_equal(objective->record(objective->self, tape, &batch, &error), ELMAN_OK);
    elman_tape_free(tape);
    return batch.sum;
}

static void flow(void **state)
{
    (void)state;
    for (int k = 0; k < 4; k++) {
        elman_config config = config_of((elman_probe)k, "3..11");
        elman_context *context = context_of(2);
        elman_train_request request = request_of("unused", &config);
        elman_config_file file = {.config = config}, other = {.config = config};
        elman_objective objective = {0}, untouched = {0};
        elman_error error = {0};
        strcpy(file.task, "probe");
        assert_int_equal(elman_task_probe.begin(context, &request, &file, &objective, &error),
                         ELMAN_OK);
        assert_int_equal(elman_task_probe.begin(context, &request, &other, &untouched, &error),
                         ELMAN_OK);
        assert_true(next_batch(context, &objective) == next_batch(context, &untouched));
        sampled all = sample(context, &objective, 0, 8, 0.5F);
        sampled low = sample(context, &objective, 0, 3, 0.5F);
        sampled high = sample(context, &objective, 3, 5, 0.5F);
        assert_int_equal(all.count, 8);
        assert_int_equal(all.T, k == ELMAN_PROBE_COPY ? 31 : 11);
        assert_true(all.sum > 0 && low.sum != high.sum);
        assert_true(fabs(all.loss - 0.5 * all.sum) < 1e-5 * all.sum);
        assert_true(fabs(low.sum + high.sum - all.sum) < 1e-5 * all.sum);
        bool flowed = false;
        for (int i = 0; i < 4; i++) {
            double both = (double)low.gradient[i] + (double)high.gradient[i];
            assert_true(fabs(both - (double)all.gradient[i]) < 1e-5);
            flowed = flowed || all.gradient[i] != 0;
        }
        assert_true(flowed);
        assert_true(next_batch(context, &objective) == next_batch(context, &untouched));
        assert_true(sample(context, &objective, 0, 8, 0.5F).sum == all.sum);
        elman_task_probe.end(&objective);
        elman_task_probe.end(&untouched);
        elman_context_free(context);
    }
}

/* Both batches of an update have its lag, by the number of updates since the run began. */
static void grows(void **state)
{
    (void)state;
    elman_config config = config_of(ELMAN_PROBE_COPY, "2..60");
    config.accumulate = 2;
    config.hidden = 2;
    config.batch = 1;
    config.max_steps = 160;
    elman_context *context = context_of(1);
    elman_train_request request = request_of("unused", &config);
    elman_config_file file = {.config = config};
    elman_objective objective = {0};
    elman_error error = {0};
    elman_tape *tape;
    elman_probe_task task;
    assert_int_equal(elman_probe_task_of(&config, &task, &error), ELMAN_OK);
    assert_int_equal(elman_task_probe.begin(context, &request, &file, &objective, &error),
                     ELMAN_OK);
    assert_int_equal(elman_tape_create(context, &tape, NULL), ELMAN_OK);
    for (int64_t i = 0; i < 320; i++) {
        elman_objective_batch batch = {0};
        elman_tape_begin(tape, NULL);
        assert_int_equal(objective.record(objective.self, tape, &batch, &error), ELMAN_OK);
        assert_int_equal((int64_t)batch.count, 20 + elman_probe_lag_at(&task, i / 2, 160));
        assert_true(batch.ends_epoch == (i == 199));
    }
    elman_tape_free(tape);
    elman_task_probe.end(&objective);
    elman_context_free(context);
}

/* --- what is refused ---------------------------------------------------------------------- */

static void expect(elman_train_request *request, elman_status code, const char *words)
{
    elman_error error = {0};
    elman_context *context = context_of(1);
    elman_status status = elman_train(context, request, &error);
    if (status != code || !strstr(error.message, words))
        fail_msg("found %d: %s; expected \"%s\"", (int)status, error.message, words);
    assert_false(elman_path_exists(request->output));
    elman_context_free(context);
}

static void refused(void **state)
{
    (void)state;
    elman_config config = config_of(ELMAN_PROBE_ADDING, "10");
    elman_train_request request = request_of(in_root("refused"), &config);
    const char *data[] = {"text.txt"};
    request.data = data;
    request.data_count = 1;
    expect(&request, ELMAN_ERROR_ARGUMENT, "text.txt, but the task probe makes its own examples");
    request.data_count = 0;
    strcpy(request.config.lag, "9..5");
    expect(&request, ELMAN_ERROR_ARGUMENT, "lag: found 9..5");
    request.task = "classify";
    expect(&request, ELMAN_ERROR_ARGUMENT, "no data");
    assert_false(elman_task_reads_data("probe"));
    assert_true(elman_task_reads_data("lm") && elman_task_reads_data("sing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bits),     cmocka_unit_test(solved), cmocka_unit_test(no_allocation),
        cmocka_unit_test(memory_is_out), cmocka_unit_test(flow),   cmocka_unit_test(grows),
        cmocka_unit_test(refused)};
    return cmocka_run_group_tests(tests, begin, end);
}
