/* The laws, for the task forecast: the same bits for any number of threads and when stopped and
 * resumed; no allocation while running; errors that name the place; nothing lost where memory is
 * out; hostile files. */
#include "forecast_help.h"

#include <errno.h>

#include "base/file.h"
#include "base/memory.h"
#include "test_malloc.h"

/* Two series, two columns, a covariate, holes. */
static const char *write_table(void)
{
    const char *path = in_root("table.csv");
    FILE *f = fopen(path, "w");
    uint32_t seed = 5;
    assert_non_null(f);
    fputs("date,shop,known,a,b\n", f);
    for (int i = 0; i < 150; i++)
        for (int s = 0; s < 2; s++) {
            double a = 5 * sin(i / 3.0) + s + 0.3 * noise(&seed), b = i % 7 + 0.3 * noise(&seed);
            fprintf(f, "%d-%02d-%02d,%c,%d,", 2020 + i / 336, 1 + i / 28 % 12, 1 + i % 28, 'x' + s,
                    i % 5);
            fprintf(f, i % 31 == 4 ? ",%.3f\n" : "%.3f,%.3f\n", i % 31 == 4 ? b : a, b);
        }
    fclose(f);
    return path;
}

static const char setup[] =
    "--covariates known --series-column shop --horizon 4 --lookback 12 "
    "--width 3 --hidden 6 --layers 2 --dropout 0.2 --batch 16 "
    "--accumulate 2 --quantiles 0.2,0.8 --epochs 2 --eval-every 9 --lr 0.01";

static void digest(const char *model, char hex[65])
{
    char path[300];
    snprintf(path, sizeof path, "%s/model.safetensors", in_root(model));
    assert_int_equal(elman_file_sha256(path, hex, NULL, NULL), ELMAN_OK);
}

static void same_bits_on_threads(void **state)
{
    (void)state;
    const char *path = write_table();
    char one[65], other[65];
    for (int threads = 1; threads <= 3; threads += 2) {
        elman_context *context = context_of(threads);
        train(context, "threads", path, setup);
        digest("threads", threads == 1 ? one : other);
        elman_context_free(context);
    }
    assert_string_equal(one, other);
}

static volatile sig_atomic_t stop_flag;
static int64_t stop_after;

static void stop_then(void *user, const elman_train_progress *progress)
{
    (void)user;
    if (progress->event == ELMAN_EVENT_STEP && progress->step >= stop_after)
        stop_flag = 1;
}

static void resumed_as_never_stopped(void **state)
{
    (void)state;
    const char *path = write_table();
    elman_context *context = context_of(1);
    char whole[65], pieces[65];
    train(context, "whole", path, setup);
    digest("whole", whole);
    elman_status status = ELMAN_ERROR_INTERRUPTED;
    elman_error error = {0};
    stop_after = 3;
    for (int run = 0; run < 40 && status == ELMAN_ERROR_INTERRUPTED; run++, stop_after += 3) {
        elman_train_request request;
        request_of(&request, "pieces", &path, 1, setup);
        request.force = run == 0;
        request.resume = run > 0;
        request.data_count = run == 0;
        request.progress = stop_then;
        request.stop = &stop_flag;
        stop_flag = 0;
        status = elman_train(context, &request, &error);
    }
    if (status != ELMAN_OK)
        fail_msg("%s", error.message);
    assert_true(stop_after > 15);
    digest("pieces", pieces);
    assert_string_equal(whole, pieces);
    elman_context_free(context);
}

/* Allocations between one update and the next of the same epoch. */
static size_t calls_before, most_calls;
static int64_t steps_seen;

static void count_calls(void *user, const elman_train_progress *progress)
{
    (void)user;
    size_t calls = test_malloc_calls();
    if (progress->event == ELMAN_EVENT_STEP && progress->step > 3 && calls_before &&
        calls - calls_before > most_calls)
        most_calls = calls - calls_before;
    calls_before = progress->event == ELMAN_EVENT_STEP ? test_malloc_calls() : 0;
    steps_seen += progress->event == ELMAN_EVENT_STEP;
}

static void no_allocation_while_running(void **state)
{
    (void)state;
    if (!test_malloc_works())
        skip();
    const char *path = write_table();
    elman_context *context = context_of(1);
    elman_train_request request;
    elman_error error = {0};
    elman_forecaster *forecaster;
    elman_forecast_stream *stream;
    request_of(&request, "calls", &path, 1, setup);
    request.config.eval_every = 1000;
    request.progress = count_calls;
    calls_before = most_calls = 0;
    steps_seen = 0;
    if (elman_train(context, &request, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    assert_true(steps_seen > 20);
    assert_int_equal(most_calls, 0);
    assert_int_equal(elman_forecaster_open(context, in_root("calls"), &forecaster, NULL), ELMAN_OK);
    assert_int_equal(elman_forecast_stream_create(forecaster, &stream, NULL), ELMAN_OK);
    double targets[2], known[1] = {1}, ahead[4] = {0, 1, 2, 3}, point[8], quantiles[16];
    size_t before = 0;
    for (int i = 0; i < 300; i++) {
        targets[0] = sin(i);
        targets[1] = i % 9 ? cos(i) : NAN;
        assert_int_equal(elman_forecast_stream_push(stream, targets, known, NULL, NULL), ELMAN_OK);
        if (i >= 12)
            assert_int_equal(elman_forecast_stream_answer(stream, ahead, point, quantiles, NULL),
                             ELMAN_OK);
        if (i == 14)
            before = test_malloc_calls();
    }
    assert_int_equal(test_malloc_calls(), before);
    elman_forecast_stream_free(stream);
    elman_forecaster_free(forecaster);
    elman_context_free(context);
}

/* Every allocation of opening, pushing and answering fails once: an error, and nothing leaks. */
static void memory_runs_out(void **state)
{
    (void)state;
    if (!test_malloc_works())
        skip();
    elman_context *context = context_of(1);
    train(context, "memory", write_table(), setup);
    size_t live = 0;
    for (size_t n = 0;; n++) {
        elman_forecaster *forecaster = NULL;
        elman_forecast_stream *stream = NULL;
        elman_error error = {0};
        double targets[2] = {1, 2}, known[1] = {1}, ahead[4] = {0, 1, 2, 3}, point[8];
        const char *folder = in_root("memory");
        test_malloc_fail_at(n);
        elman_status status = elman_forecaster_open(context, folder, &forecaster, &error);
        if (status == ELMAN_OK)
            status = elman_forecast_stream_create(forecaster, &stream, &error);
        for (int i = 0; i < 12 && status == ELMAN_OK; i++)
            status = elman_forecast_stream_push(stream, targets, known, NULL, &error);
        if (status == ELMAN_OK)
            status = elman_forecast_stream_answer(stream, ahead, point, NULL, &error);
        bool failed = test_malloc_failed();
        test_malloc_fail_at(0);
        elman_forecast_stream_free(stream);
        elman_forecaster_free(forecaster);
        if (n == 0) {
            live = test_malloc_live();
            continue;
        }
        if (!failed)
            break;
        assert_true(status != ELMAN_OK);
        assert_int_equal(test_malloc_live(), live);
    }
    elman_context_free(context);
}

/* A table that cannot be read, and what is said of it. */
static void wrong_tables(void **state)
{
    (void)state;
    static const struct {
        const char *table, *options, *says;
    } wrong[] = {
        {"date,y\n2020-01-01,1\n2020-01-03,2\n2020-01-02,3\n", "",
         "table.csv: line 4, column date: found 2020-01-02 after 2020-01-03, expected dates"},
        {"date,y\n2020-01-01,1\n2020-01-02,2\n2020-01-02,3\n", "",
         "table.csv: line 4, column date: found 2020-01-02 after 2020-01-02"},
        {"date,y\n2020-01-01,1\n2020-02-30,2\n", "", "table.csv: line 3, column date"},
        {"date,y\n2020-01-01,1\n2020-01-02,x2\n", "",
         "table.csv: line 3, column y: found \"x2\", expected a number"},
        {"date,y\n2020-01-01,1\n2020-01-02\n", "", "table.csv: line 3"},
        {"date,y\n2020-01-01,1\n", "--target z", "z"},
        {"date,y\n2020-01-01,1\n", "--target y --covariates y",
         "column y: it is a covariate already, not a target too"},
        {"y,x\n1,2\n3,\n4,5\n5,6\n", "--covariates x --target y",
         "table.csv: line 3, column x: found nothing, expected a number"},
        {"y\n1\n2\n3\n", "--calendar true", "calendar: it needs a column of dates"},
        {"word\nab\ncd\n", "", "no column of numbers to forecast"},
        {"y,z\n", "", "a header and no rows"},
        {"y\n1\n2\n3\n4\n", "--lookback 9", "too little data: lookback 9 and horizon 1 ask for 10"},
        {"y\n1\n2\n3\n4\n", "--split 2,1,9", "split: 2,1,9 asks for 12 rows, the data have 4"},
        {"y\nNA\nNA\nNA\n", "", "no column of numbers"},
        {"y,z\nNA,1\nNA,2\n3,3\n4,4\n", "--split 2,2 --target y",
         "column y: its training part holds no number"},
        {"y\n1\n2\n3\n4\n5\n6\n", "--patience 3", "patience: it needs a validation part"},
        {"y\n1\n2\n3\n4\n5\n6\n", "--quantiles 0.9,0.1", "quantiles: found 0.9,0.1"},
        {"y\n1\n2\n3\n4\n5\n6\n", "--lookback 4 --width 3", "width: found 3, expected a divisor"},
    };
    elman_context *context = context_of(1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        elman_error error = {0};
        const char *path = write_file("table.csv", wrong[i].table);
        elman_status status = train_with(context, "wrong", path, wrong[i].options, &error);
        if (status == ELMAN_OK || !strstr(error.message, wrong[i].says) ||
            strchr(error.message, '\n'))
            fail_msg("%zu: found \"%s\", expected \"%s\"", i, error.message, wrong[i].says);
        assert_int_equal(access(in_root("wrong"), F_OK), -1);
    }
    elman_context_free(context);
}

static void wrong_lines(void **state)
{
    (void)state;
    static const struct {
        const char *lines, *says;
    } wrong[] = {
        {"", "input: no rows"},
        {"date,shop,known,a\n", "input: line 1: no column 'b'"},
        {"date,shop,known,a,b,b\n", "input: line 1: two columns 'b'"},
        {"date,shop,known,a,b\n2024-01-01,x,1,2\n", "input: line 2: found 4 columns, expected 5"},
        {"date,shop,known,a,b\n2024-01-01,x,1,2,two\n",
         "input: line 2, column b: found \"two\", expected a number"},
        {"date,shop,known,a,b\n2024-01-01,x,,2,3\n", "input: line 2: covariate known: found nan"},
        {"date,shop,known,a,b\nsoon,x,1,2,3\n", "input: line 2: date: found \"soon\""},
        {"date,shop,known,a,b\n2024-01-02,x,1,2,3\n\n2024-01-02,x,1,2,3\n",
         "input: line 4: date: found 2024-01-02 after 2024-01-02"},
        {"date,shop,known,a,b\n2024-01-02,x,1,2,3\n",
         "input: found 1 rows of series x, expected at least 12"},
        {"date,shop,known,a,b\n\"2024-01-02,x,1,2,3\n", "input: line 2"},
        {"date,shop,known,a,b\n2024-01-02,x,1,inf,3\n",
         "input: line 2, column a: found \"inf\", expected a number"},
    };
    elman_context *context = context_of(1);
    talk t;
    train(context, "lines", write_table(), setup);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        elman_error error = {0};
        assert_true(ask(context, "lines", wrong[i].lines, NULL, &t, &error) != ELMAN_OK);
        if (!strstr(error.message, wrong[i].says))
            fail_msg("%zu: found \"%s\", expected \"%s\"", i, error.message, wrong[i].says);
    }
    elman_error error = {0};
    elman_predict_options options;
    elman_predict_options_default(&options);
    options.rolling = true;
    assert_int_equal(ask(context, "lines", "", &options, &t, &error), ELMAN_ERROR_ARGUMENT);
    options.rolling = false;
    options.plot = in_root("picture.jpg");
    assert_int_equal(ask(context, "lines", "", &options, &t, &error), ELMAN_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, ".svg or .png"));
    elman_context_free(context);
}

/* columns.json cut at every byte, and with every byte changed: an error, or another model. */
static void hostile_columns(void **state)
{
    (void)state;
    elman_context *context = context_of(1);
    char path[300];
    unsigned char *bytes;
    size_t size;
    train(context, "hostile", write_table(), setup);
    snprintf(path, sizeof path, "%s/columns.json", in_root("hostile"));
    assert_int_equal(elman_file_read(context, path, 0, &bytes, &size, NULL), ELMAN_OK);
    for (size_t i = 0; i + 2 < size; i++) {
        elman_forecaster *forecaster;
        elman_error error = {0};
        FILE *f = fopen(path, "w");
        fwrite(bytes, 1, i, f);
        fclose(f);
        assert_int_equal(elman_forecaster_open(context, in_root("hostile"), &forecaster, &error),
                         ELMAN_ERROR_FORMAT);
        assert_non_null(strstr(error.message, "columns.json"));
        f = fopen(path, "w");
        fwrite(bytes, 1, i, f);
        fputc(bytes[i] ^ 1, f);
        fwrite(bytes + i + 1, 1, size - i - 1, f);
        fclose(f);
        if (elman_forecaster_open(context, in_root("hostile"), &forecaster, &error) == ELMAN_OK)
            elman_forecaster_free(forecaster);
    }
    elman_release(context, bytes);
    elman_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bits_on_threads),
        cmocka_unit_test(resumed_as_never_stopped),
        cmocka_unit_test(no_allocation_while_running),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(wrong_tables),
        cmocka_unit_test(wrong_lines),
        cmocka_unit_test(hostile_columns),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
