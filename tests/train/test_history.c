/* metrics.jsonl read back: what is written, what is cut, what is no record. */
#include "train/history.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "test_malloc.h"
#include "train/metrics.h"

static elman_context *context;
static elman_error error;
static char path[] = "/tmp/elman-history-XXXXXX";

static int setup(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd >= 0 && !close(fd) && elman_context_create(NULL, &context, NULL) == ELMAN_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    elman_context_free(context);
    return unlink(path);
}

static void write_log(const char *text)
{
    assert_int_equal(elman_file_replace(path, text, strlen(text), &error), ELMAN_OK);
}

/* What the loop writes comes back. */
static void test_written(void **state)
{
    (void)state;
    elman_appender log;
    elman_history h;
    elman_progress progress = {.integers.step = 100, .reals.seconds = 2.5};
    elman_validation valid = {.loss = 0.1 + 0.2,
                              .count = 7,
                              .metric = "accuracy",
                              .value = 0.75,
                              .score = 0.25,
                              .reached = true};
    write_log("");
    assert_int_equal(elman_appender_open(&log, path, 0, &error), ELMAN_OK);
    assert_int_equal(
        elman_metrics_interval(&log, &progress, 0.5, 1.25, 3, 0.001, (double)INFINITY, &error),
        ELMAN_OK);
    assert_int_equal(elman_metrics_validation(&log, &progress, 0.5, &valid, true, &error),
                     ELMAN_OK);
    elman_appender_close(&log);
    assert_int_equal(elman_history_read(context, path, &h, &error), ELMAN_OK);
    assert_int_equal(h.interval_count, 1);
    assert_int_equal(h.validation_count, 1);
    assert_int_equal(h.intervals[0].step, 100);
    assert_true(h.intervals[0].loss == 1.25 && h.intervals[0].gradient_norm == 3);
    assert_true(h.intervals[0].lr == 0.001 && isnan(h.intervals[0].tokens_per_second));
    assert_true(h.validations[0].loss == 0.1 + 0.2 && h.validations[0].value == 0.75);
    assert_true(h.validations[0].best);
    assert_string_equal(h.metric, "accuracy");
    elman_history_clear(context, &h);
    assert_null(h.intervals);
    /* a task without a figure of its own */
    valid.metric = NULL;
    write_log("");
    assert_int_equal(elman_appender_open(&log, path, 0, &error), ELMAN_OK);
    assert_int_equal(elman_metrics_validation(&log, &progress, 0.5, &valid, true, &error),
                     ELMAN_OK);
    elman_appender_close(&log);
    assert_int_equal(elman_history_read(context, path, &h, &error), ELMAN_OK);
    assert_string_equal(h.metric, "");
    elman_history_clear(context, &h);
}

static void test_gradients(void **state)
{
    (void)state;
    elman_history h;
    write_log("{\"event\":\"gradients\",\"step\":5,\"layers\":[{\"layer\":\"rnn.l0\",\"norm\":[1,"
              "0.5,null],\"horizon\":2},{\"layer\":\"rnn.l1\",\"norm\":[1],\"horizon\":null}]}\n"
              "{\"event\":\"of another version\",\"x\":[]}\n"
              "{\"event\":\"interval\",\"step\":6");
    assert_int_equal(elman_history_read(context, path, &h, &error), ELMAN_OK);
    assert_int_equal(h.gradient_count, 2);
    assert_int_equal(h.interval_count, 0);
    assert_string_equal(h.gradients[0].layer, "rnn.l0");
    assert_true(h.gradients[0].lags == 2 && h.gradients[0].horizon == 2);
    assert_true(h.gradients[0].norm[1] == 0.5 && isnan(h.gradients[0].norm[2]));
    assert_true(h.gradients[1].lags == 0 && h.gradients[1].horizon == -1);
    elman_history_clear(context, &h);
}

/* Of a layer that could not be measured there is nothing; the others of the record count. */
static void test_not_measured(void **state)
{
    (void)state;
    elman_history h;
    write_log("{\"event\":\"gradients\",\"step\":5,\"layers\":[{\"layer\":\"a\",\"norm\":[]},"
              "{\"layer\":\"b\",\"norm\":[null,null]},{\"layer\":\"c\",\"norm\":[null,0.5]}]}\n");
    assert_int_equal(elman_history_read(context, path, &h, &error), ELMAN_OK);
    assert_int_equal(h.gradient_count, 1);
    assert_string_equal(h.gradients[0].layer, "c");
    assert_true(h.gradients[0].lags == 1 && isnan(h.gradients[0].norm[0]));
    elman_history_clear(context, &h);
}

static void test_hostile(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\n",
        "{}\n",
        "[1]\n",
        "{\"event\":\"interval\"}\n",
        "{\"event\":\"interval\",\"step\":-1}\n",
        "{\"event\":\"interval\",\"step\":1.5}\n",
        "{\"event\":\"validation\",\"step\":\"x\"}\n",
        "{\"event\":\"gradients\",\"step\":1,\"layers\":[{}]}\n",
        "{\"event\":\"gradients\",\"step\":1,\"layers\":[{\"layer\":\"a\"}]}\n",
        "{\"event\":\"gradients\",\"step\":1,\"layers\":[{\"layer\":\"a\",\"norm\":3}]}\n",
    };
    elman_history h;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_log(bad[i]);
        assert_int_equal(elman_history_read(context, path, &h, &error), ELMAN_ERROR_FORMAT);
        assert_non_null(strstr(error.message, "line 1"));
        elman_history_clear(context, &h);
    }
    assert_int_equal(elman_history_read(context, "/nowhere/at/all", &h, &error), ELMAN_OK);
    assert_int_equal(h.interval_count, 0);
}

/* Cut at every byte and with every byte changed: an answer, never more. */
static void test_damaged(void **state)
{
    (void)state;
    static const char good[] =
        "{\"event\":\"interval\",\"step\":6,\"loss\":1.5}\n"
        "{\"event\":\"validation\",\"step\":6,\"f1\":0.5,\"best\":true}\n"
        "{\"event\":\"gradients\",\"step\":5,\"layers\":[{\"layer\":\"a\",\"norm\":[1,0.5]}]}\n";
    char bad[sizeof good];
    elman_history h;
    for (size_t i = 0; i < 2 * (sizeof good - 1); i++) {
        size_t at = i / 2;
        memcpy(bad, good, sizeof good);
        bad[at] = i % 2 ? 0 : (char)(bad[at] ^ 0x15);
        assert_int_equal(elman_file_replace(path, bad, i % 2 ? at : sizeof good - 1, &error),
                         ELMAN_OK);
        elman_status status = elman_history_read(context, path, &h, &error);
        assert_true(status == ELMAN_OK || status == ELMAN_ERROR_FORMAT);
        elman_history_clear(context, &h);
    }
}

/* The nth allocation fails: MEMORY, and nothing is lost. */
static void test_out_of_memory(void **state)
{
    (void)state;
    elman_history h;
    bool failed = true;
    if (!test_malloc_works())
        skip();
    write_log("{\"event\":\"interval\",\"step\":6}\n{\"event\":\"validation\",\"step\":6}\n"
              "{\"event\":\"gradients\",\"step\":5,\"layers\":[{\"layer\":\"a\",\"norm\":[1]}]}\n");
    size_t live = test_malloc_live();
    for (size_t n = 1; failed; n++) {
        test_malloc_fail_at(n);
        elman_status status = elman_history_read(context, path, &h, &error);
        failed = test_malloc_failed();
        test_malloc_fail_at(0);
        assert_int_equal(status, failed ? ELMAN_ERROR_MEMORY : ELMAN_OK);
        elman_history_clear(context, &h);
        assert_int_equal(test_malloc_live(), live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written),      cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_not_measured), cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_damaged),      cmocka_unit_test(test_out_of_memory)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
