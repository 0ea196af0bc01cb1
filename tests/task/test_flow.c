/* The gradient through time of whole tasks: it is there for each, watching a training changes none
 * of its bits, and truncation that cuts nothing is the full gradient, bit for bit. */
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

static char root[64] = "/tmp/elman-flow-XXXXXX";

static const char *in_root(const char *name)
{
    static char path[8][256];
    static int at;
    at = (at + 1) % 8;
    snprintf(path[at], sizeof path[at], "%s/%s", root, name);
    return path[at];
}

static uint32_t random_state;

static uint32_t draw(uint32_t n)
{
    random_state = random_state * 1664525U + 1013904223U;
    return (random_state >> 8) % n;
}

static void write_files(void)
{
    FILE *f = fopen(in_root("text"), "w");
    for (int i = 0; i < 3000; i++)
        fputc("etaoin shrdlu\n"[draw(14)], f);
    fclose(f);
    f = fopen(in_root("reviews.tsv"), "w");
    for (int i = 0; i < 60; i++) {
        for (uint32_t n = 3 + draw(9); n > 0; n--)
            fprintf(f, "w%d ", (int)draw(20));
        fprintf(f, "end\t%s\n", draw(2) ? "yes" : "no");
    }
    fclose(f);
    f = fopen(in_root("words.conllu"), "w");
    for (int i = 0; i < 50; i++) {
        for (uint32_t n = 0, length = 2 + draw(9); n < length; n++)
            fprintf(f, "%d\tw%d\t_\t%s\t_\t_\t_\t_\t_\t_\n", (int)n + 1, (int)draw(20),
                    draw(2) ? "NOUN" : "VERB");
        fputc('\n', f);
    }
    fclose(f);
    f = fopen(in_root("rows.csv"), "w");
    fprintf(f, "a,b\n");
    for (int i = 0; i < 200; i++)
        fprintf(f, "%d,%d\n", (int)draw(100), i % 7);
    fclose(f);
}

static int begin(void **state)
{
    (void)state;
    random_state = 5;
    if (!mkdtemp(root))
        return -1;
    write_files();
    return 0;
}

static int end(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

static elman_context *context_of(int threads)
{
    elman_context_options options;
    elman_context *context;
    elman_context_options_default(&options);
    options.threads = threads;
    assert_int_equal(elman_context_create(&options, &context, NULL), ELMAN_OK);
    return context;
}

/* data: of the files above; NULL of a probe. */
static elman_train_request request_of(const char *task, const char *const *data)
{
    elman_train_request request;
    elman_train_request_default(&request);
    request.task = task;
    elman_config_default_for(&request.config, task);
    request.data = data;
    request.data_count = data ? 1 : 0;
    request.config.hidden = 9;
    request.config.batch = 4;
    request.config.epochs = 2;
    request.config.dropout = 0.2;
    return request;
}

static void assert_ok(elman_status status, const elman_error *error)
{
    if (status != ELMAN_OK)
        fail_msg("%s", error->message);
}

/* -- every task has one -------------------------------------------------------------------------
 */

static void check_layer(const elman_flow_layer *l)
{
    assert_true(l->lags >= 1);
    assert_true(l->state.norm[0] == 1);
    for (int64_t k = 0; k <= l->lags; k++) {
        assert_true(isfinite(l->state.norm[k]) && l->state.norm[k] >= 0);
        assert_true(l->state.spread[k] >= 1);
    }
    assert_true(l->state.norm[1] > 0 || l->cell == ELMAN_CELL_RNN_RELU);
    assert_true(l->singular_value >= l->spectral_radius * 0.99);
    assert_true(l->spectral_radius > 0 || l->cell == ELMAN_CELL_RNN_RELU);
    for (int g = 0; g < l->gate_count; g++) {
        double sum = 0;
        for (int b = 0; b < ELMAN_FLOW_BINS; b++)
            sum += l->gates[g].histogram[b];
        assert_float_equal(sum, 1, 1e-9);
        assert_true(l->gates[g].mean >= l->gates[g].low && l->gates[g].mean <= l->gates[g].high);
    }
    assert_int_equal(l->c.norm != NULL, l->cell == ELMAN_CELL_LSTM);
}

static void test_every_task(void **state)
{
    (void)state;
    static const struct {
        const char *task, *file;
        int layers; /* with their directions */
    } cases[] = {{"lm", "text", 2},
                 {"classify", "reviews.tsv", 4},
                 {"tag", "words.conllu", 4},
                 {"forecast", "rows.csv", 2},
                 {"probe", NULL, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int cell = 0; cell < 4; cell++) {
            const char *data[] = {cases[i].file ? in_root(cases[i].file) : NULL};
            elman_train_request request = request_of(cases[i].task, cases[i].file ? data : NULL);
            elman_error error;
            elman_flow flows[2];
            request.config.cell = cell;
            request.config.layers = 2;
            for (int threads = 1; threads <= 2; threads++) {
                elman_context *context = context_of(threads);
                assert_ok(elman_flow_request(context, &request, NULL, &flows[threads - 1], &error),
                          &error);
                elman_flow *flow = &flows[threads - 1];
                assert_int_equal(flow->count, cases[i].layers);
                assert_true(flow->samples >= 8 && isfinite(flow->loss));
                for (int64_t l = 0; l < flow->count; l++)
                    check_layer(&flow->layers[l]);
                if (threads == 2)
                    for (int64_t l = 0; l < flow->count; l++)
                        assert_memory_equal(flows[0].layers[l].state.norm,
                                            flows[1].layers[l].state.norm,
                                            (size_t)(flow->layers[l].lags + 1) * sizeof(double));
                if (threads == 2) {
                    elman_flow_clear(context, &flows[0]);
                    elman_flow_clear(context, &flows[1]);
                }
                elman_context_free(context);
            }
        }
}

/* -- watching -----------------------------------------------------------------------------------
 */

static volatile sig_atomic_t stop_flag;
static int64_t stop_after;

static void count_steps(void *user, const elman_train_progress *progress)
{
    (void)user;
    if (progress->event == ELMAN_EVENT_STEP && progress->step == stop_after)
        stop_flag = 1;
}

/* The weights of a run, to compare. stop: interrupted there, and gone on with. */
static void run(const char *task, const char *const *data, bool watch, int64_t stop,
                const char *folder, char digest[65])
{
    elman_context *context = context_of(2);
    elman_train_request request = request_of(task, data);
    elman_error error = {0};
    request.output = folder;
    request.config.watch = watch ? ELMAN_WATCH_GRADIENTS : ELMAN_WATCH_NOTHING;
    request.config.batch = 16; /* so that a look costs less than 1 % of a hundred updates */
    request.config.bptt = 165;
    request.config.max_steps = 130;
    request.config.epochs = 1000;
    request.config.eval_every = 50;
    request.progress = count_steps;
    request.stop = &stop_flag;
    stop_after = stop;
    stop_flag = 0;
    elman_status status = elman_train(context, &request, &error);
    if (stop) {
        assert_int_equal(status, ELMAN_ERROR_INTERRUPTED);
        stop_flag = 0;
        stop_after = 0;
        request.resume = true;
        request.data_count = 0;
        request.config.watch = ELMAN_WATCH_NOTHING; /* the folder's says it */
        status = elman_train(context, &request, &error);
    }
    assert_ok(status, &error);
    elman_context_free(context);
    char path[300];
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    assert_ok(elman_file_sha256(path, digest, NULL, &error), &error);
}

/* The steps of the records of gradients, as "0 100 130". */
static void steps_watched(const char *folder, char *steps, size_t capacity)
{
    char path[300];
    char *line = NULL;
    size_t room = 0, used = 0;
    snprintf(path, sizeof path, "%s/metrics.jsonl", folder);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    steps[0] = 0;
    while (getline(&line, &room, f) > 0) {
        int step;
        if (sscanf(line, "{\"event\":\"gradients\",\"step\":%d,", &step) != 1)
            continue;
        assert_non_null(strstr(line, "\"layer\":\"rnn.l0\""));
        assert_non_null(strstr(line, "\"norm\":[1,"));
        used += (size_t)snprintf(steps + used, capacity - used, used ? " %d" : "%d", step);
    }
    free(line);
    fclose(f);
}

static void test_watching_changes_nothing(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"lm", "text"},
                                           {"classify", "reviews.tsv"},
                                           {"tag", "words.conllu"},
                                           {"forecast", "rows.csv"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char plain[65], watched[65], resumed[65], steps[64], folder[256];
        const char *data[] = {in_root(cases[i][1])};
        snprintf(folder, sizeof folder, "%s", in_root(cases[i][0]));
        strcat(folder, "-plain");
        run(cases[i][0], data, false, 0, folder, plain);
        steps_watched(folder, steps, sizeof steps);
        assert_string_equal(steps, "");
        strcat(folder, "-watched");
        run(cases[i][0], data, true, 0, folder, watched);
        assert_string_equal(watched, plain);
        steps_watched(folder, steps, sizeof steps);
        assert_string_equal(steps, "0 100 130");
        strcat(folder, "-resumed");
        run(cases[i][0], data, true, 77, folder, resumed);
        assert_string_equal(resumed, plain);
        steps_watched(folder, steps, sizeof steps);
        assert_string_equal(steps, "0 100 130");
    }
}

/* -- truncation ---------------------------------------------------------------------------------
 */

static void train_with_bptt(int64_t bptt, const char *folder, char digest[65])
{
    elman_context *context = context_of(1);
    const char *data[] = {in_root("text")};
    elman_train_request request = request_of("lm", data);
    elman_error error;
    char path[300];
    request.output = folder;
    request.config.bptt = bptt;
    request.config.batch = 30;
    request.config.max_steps = 3;
    assert_ok(elman_train(context, &request, &error), &error);
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    assert_ok(elman_file_sha256(path, digest, NULL, &error), &error);
    elman_context_free(context);
}

/* 2,700 characters train; of 30 streams each has 89 steps. */
static void test_whole_streams(void **state)
{
    (void)state;
    char whole[65], longer[65], cut[65];
    train_with_bptt(89, in_root("bptt89"), whole);
    train_with_bptt(5000, in_root("bptt5000"), longer);
    train_with_bptt(88, in_root("bptt88"), cut);
    assert_string_equal(whole, longer);
    assert_string_not_equal(whole, cut);
}

static void test_truncation(void **state)
{
    (void)state;
    elman_context *context = context_of(2);
    const char *data[] = {in_root("text")};
    elman_train_request request = request_of("lm", data);
    elman_truncation rows[ELMAN_TRUNCATIONS];
    elman_truncation_options options;
    elman_error error;
    int count;
    elman_truncation_options_default(&options);
    options.length = 40;
    assert_ok(elman_truncation_request(context, &request, &options, rows, &count, &error), &error);
    assert_int_equal(count, 7); /* 1 2 4 8 16 32 40 */
    assert_int_equal(rows[6].bptt, 40);
    assert_true(rows[6].cosine == 1 && rows[6].norm_ratio == 1);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(rows[i].bptt, 1 << i);
        assert_true(rows[i].cosine > 0 && rows[i].cosine < 1);
        assert_true(rows[i].norm_ratio != 1 && rows[i].bytes < rows[i + 1].bytes);
    }
    assert_true(rows[0].cosine < rows[5].cosine);
    options.length = 2700;
    assert_int_equal(elman_truncation_request(context, &request, &options, rows, &count, &error),
                     ELMAN_ERROR_ARGUMENT);
    request = request_of("probe", NULL);
    assert_int_equal(elman_truncation_request(context, &request, NULL, rows, &count, &error),
                     ELMAN_ERROR_UNSUPPORTED);
    elman_context_free(context);
}

/* A model on disk: its own data, and others, read as they are. */
static void test_model(void **state)
{
    (void)state;
    elman_context *context = context_of(2);
    const char *folder = in_root("lm-plain"), *data[] = {in_root("text")};
    elman_flow own, other, start;
    elman_error error;
    assert_ok(elman_flow_model(context, folder, NULL, 0, NULL, &own, &error), &error);
    assert_ok(elman_flow_model(context, folder, data, 1, NULL, &other, &error), &error);
    elman_train_request request = request_of("lm", data);
    assert_ok(elman_flow_request(context, &request, NULL, &start, &error), &error);
    assert_true(own.loss != start.loss); /* trained weights, not the first */
    assert_true(other.loss != own.loss); /* all of the text, not its training part */
    elman_flow_clear(context, &own);
    elman_flow_clear(context, &other);
    elman_flow_clear(context, &start);
    const char *missing[] = {in_root("none")};
    assert_int_equal(elman_flow_model(context, folder, missing, 1, NULL, &own, &error),
                     ELMAN_ERROR_IO);
    assert_non_null(strstr(error.message, "none"));
    assert_null(own.layers);
    elman_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_task),    cmocka_unit_test(test_watching_changes_nothing),
        cmocka_unit_test(test_whole_streams), cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_model),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
