/* A page on a model: options, stopping, and a model that is broken. */
#include "elman/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "elman/gradient_flow.h"
#include "elman/task.h"
#include "test_malloc.h"

static elman_context *context;
static elman_error error;
static char root[] = "/tmp/elman-report-XXXXXX";
static char text[64], model[64], page[64];
static int notes;

static int setup(void **state)
{
    (void)state;
    elman_train_request request;
    if (!mkdtemp(root) || elman_context_create(NULL, &context, NULL) != ELMAN_OK)
        return -1;
    snprintf(text, sizeof text, "%s/text", root);
    snprintf(model, sizeof model, "%s/model", root);
    snprintf(page, sizeof page, "%s/page.html", root);
    FILE *file = fopen(text, "w");
    for (int i = 0; file && i < 300; i++)
        fprintf(file, "the %s sat on the %s\n", i % 2 ? "cat" : "dog", i % 3 ? "mat" : "log");
    if (!file || fclose(file))
        return -1;
    const char *data[] = {text};
    elman_train_request_default(&request);
    request.data = data;
    request.data_count = 1;
    request.output = model;
    request.config.layers = 1;
    request.config.hidden = 8;
    request.config.max_steps = 5;
    return elman_train(context, &request, &error) == ELMAN_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    char command[96];
    elman_context_free(context);
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

static void note(void *user, const char *line)
{
    assert_non_null(strstr(line, user));
    notes++;
}

static elman_report_options quick(void)
{
    elman_report_options options;
    elman_report_options_default(&options);
    options.updates = 0;
    options.length = 20;
    return options;
}

static char *read_page(void)
{
    unsigned char *bytes;
    size_t size;
    assert_int_equal(elman_file_read(context, page, 0, &bytes, &size, &error), ELMAN_OK);
    return (char *)bytes;
}

static void test_page(void **state)
{
    (void)state;
    elman_report_options options = quick();
    options.title = "A <title>";
    assert_int_equal(elman_report_write(context, model, page, &options, &error), ELMAN_OK);
    char *html = read_page();
    assert_non_null(strstr(html, "<title>A &lt;title&gt;</title>"));
    assert_non_null(strstr(html, "1 LSTM layer of 8 units"));
    assert_non_null(strstr(html, "</html>"));
    assert_null(strstr(html, "Not measured"));
    elman_release(context, html);
    unlink(page);
}

static void test_options(void **state)
{
    (void)state;
    elman_report_options options = quick();
    options.length = -1;
    assert_int_equal(elman_report_write(context, model, page, &options, &error),
                     ELMAN_ERROR_ARGUMENT);
    options = quick();
    options.updates = -1;
    assert_int_equal(elman_report_write(context, model, page, &options, &error),
                     ELMAN_ERROR_ARGUMENT);
    options.size = 3;
    assert_int_equal(elman_report_write(context, model, page, &options, &error),
                     ELMAN_ERROR_ARGUMENT);
    options = quick();
    assert_int_equal(elman_report_write(context, root, page, &options, &error), ELMAN_ERROR_IO);
    assert_false(elman_path_exists(page));
}

static void expect_kept(const char *path)
{
    elman_report_options options = quick();
    unsigned char *before, *after;
    size_t size, later;
    assert_int_equal(elman_file_read(context, path, 0, &before, &size, &error), ELMAN_OK);
    assert_int_equal(elman_report_write(context, model, path, &options, &error),
                     ELMAN_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, path));
    assert_int_equal(elman_file_read(context, path, 0, &after, &later, &error), ELMAN_OK);
    assert_int_equal(size, later);
    assert_memory_equal(before, after, size);
    elman_release(context, before);
    elman_release(context, after);
}

/* Neither the model's files nor the data nor any other file is lost to a page. */
static void test_no_page(void **state)
{
    (void)state;
    static const char *const names[] = {"config.json", "model.safetensors",
                                        "checkpoint.safetensors", "metrics.jsonl",
                                        "vocabulary.json"};
    elman_report_options options = quick();
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", model, names[i]);
        expect_kept(path);
    }
    expect_kept(text);
    assert_int_equal(elman_file_replace(page, "<!DOCTYPE htm", 13, &error), ELMAN_OK);
    expect_kept(page);
    /* data that would pass for a page */
    assert_int_equal(elman_file_replace(page, "<!DOCTYPE html>the cat", 22, &error), ELMAN_OK);
    const char *data[] = {page};
    options.data = data;
    options.data_count = 1;
    assert_int_equal(elman_report_write(context, model, page, &options, &error),
                     ELMAN_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "one of the data"));
    options.data_count = 0;
    assert_int_equal(elman_report_write(context, model, page, &options, &error), ELMAN_OK);
    unlink(page);
}

static void test_stop(void **state)
{
    (void)state;
    static const volatile sig_atomic_t stop = 1;
    elman_report_options options = quick();
    options.stop = &stop;
    assert_int_equal(elman_report_write(context, model, page, &options, &error),
                     ELMAN_ERROR_INTERRUPTED);
    assert_false(elman_path_exists(page));
}

/* An allocation fails, here and there on the way: MEMORY, no page, and nothing is lost. */
static void test_out_of_memory(void **state)
{
    (void)state;
    elman_report_options options = quick();
    bool failed = true;
    if (!test_malloc_works())
        skip();
    for (size_t n = 1; failed; n += 1 + n / 8) {
        size_t live = test_malloc_live();
        test_malloc_fail_at(n);
        elman_status status = elman_report_write(context, model, page, &options, &error);
        failed = test_malloc_failed();
        test_malloc_fail_at(0);
        assert_int_equal(status, failed ? ELMAN_ERROR_MEMORY : ELMAN_OK);
        assert_int_equal(elman_path_exists(page), !failed);
        assert_int_equal(test_malloc_live(), live);
    }
    unlink(page);
}

/* What was measured is drawn, whatever the log is. */
static void expect_drawn(void)
{
    char path[128];
    elman_flow flow = {0};
    if (system("command -v gnuplot >/dev/null"))
        return;
    snprintf(path, sizeof path, "%s/flow.svg", root);
    assert_int_equal(elman_flow_linear(context, 0.5, NULL, &flow, &error), ELMAN_OK);
    assert_int_equal(elman_flow_plot(context, &flow, model, path, &error), ELMAN_OK);
    assert_true(elman_path_exists(path));
    elman_flow_clear(context, &flow);
}

/* A log that is broken, and a vocabulary that is gone: said, on the page and to the caller. */
static void test_lacks(void **state)
{
    (void)state;
    char path[128], other[128];
    elman_appender log;
    elman_report_options options = quick();
    options.note = note;
    snprintf(path, sizeof path, "%s/metrics.jsonl", model);
    assert_int_equal(elman_appender_open(&log, path, UINT64_MAX, &error), ELMAN_OK);
    assert_int_equal(elman_appender_put(&log, "{\"event\":1}\n", 12, &error), ELMAN_OK);
    elman_appender_close(&log);
    options.user = "metrics.jsonl";
    assert_int_equal(elman_report_write(context, model, page, &options, &error), ELMAN_OK);
    assert_int_equal(notes, 1);
    expect_drawn();
    snprintf(path, sizeof path, "%s/vocabulary.json", model);
    snprintf(other, sizeof other, "%s/elsewhere", model);
    assert_int_equal(rename(path, other), 0);
    options.user = "";
    assert_int_equal(elman_report_write(context, model, page, &options, &error), ELMAN_OK);
    assert_true(notes >= 3);
    char *html = read_page();
    assert_non_null(strstr(html, "Not measured: the figures"));
    elman_release(context, html);
    assert_int_equal(rename(other, path), 0);
    /* without its weights there is no model */
    snprintf(path, sizeof path, "%s/model.safetensors", model);
    assert_int_equal(truncate(path, 100), 0);
    assert_int_equal(elman_report_write(context, model, page, &options, &error),
                     ELMAN_ERROR_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),       cmocka_unit_test(test_no_page),
        cmocka_unit_test(test_stop),          cmocka_unit_test(test_page),
        cmocka_unit_test(test_out_of_memory), cmocka_unit_test(test_lacks)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
