/* Tables and models that a forecast meets outside: pandas' row numbers, years beside months, empty
 * lines, holes at the end, a columns.json that somebody wrote. */
#include "forecast_help.h"

#include <fenv.h>

static char logged[2048];

static void keep_log(void *user, elman_log_level level, const char *line)
{
    (void)user;
    (void)level;
    strncat(logged, line, sizeof logged - strlen(logged) - 2);
    strcat(logged, "\n");
}

static elman_context *logging_context(void)
{
    elman_context *context;
    elman_context_options options;
    elman_context_options_default(&options);
    options.threads = 1;
    options.log = keep_log;
    assert_int_equal(elman_context_create(&options, &context, NULL), ELMAN_OK);
    return context;
}

static const char small[] = "--lookback 4 --horizon 2 --hidden 4 --epochs 1 --season 1";

/* Writes columns.json anew with `from` replaced, which must be there. */
static void change_columns(const char *model, const char *from, const char *to)
{
    char path[300], text[4096];
    snprintf(path, sizeof path, "%s/columns.json", in_root(model));
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t size = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[size] = 0;
    char *at = strstr(text, from);
    assert_non_null(at);
    f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    fclose(f);
}

static void columns_without_a_number(void **state)
{
    (void)state;
    static const char *const names[] = {"x", "0", "-1", "-9223372036854775808", ""};
    elman_context *context = context_of(1);
    const char *path = write_file("plain.csv", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        elman_error error = {0};
        talk t;
        char to[64];
        train(context, "numbers", path, small);
        snprintf(to, sizeof to, "\"%s\"", names[i]);
        change_columns("numbers", "\"1\"", to);
        assert_int_equal(ask(context, "numbers", "1\n2\n3\n4\n5\n", NULL, &t, &error),
                         ELMAN_ERROR_FORMAT);
        assert_non_null(strstr(error.message, "expected a number from 1"));
    }
    elman_context_free(context);
}

static void steps_beyond_the_calendar(void **state)
{
    (void)state;
    static const char rows[] = "month,y\n2000-01,1\n2000-02,2\n2000-03,1\n2000-04,3\n2000-05,2\n"
                               "2000-06,4\n2000-07,1\n2000-08,2\n2000-09,3\n2000-10,1\n";
    elman_context *context = context_of(1);
    elman_error error = {0};
    talk t;
    char options[200];
    snprintf(options, sizeof options, "%s --calendar true", small);
    train(context, "steps", write_file("months.csv", rows), options);
    change_columns("steps", "\"step\": 1", "\"step\": 2305843009213693951");
    assert_int_equal(ask(context, "steps", rows, NULL, &t, &error), ELMAN_ERROR_DATA);
    assert_non_null(strstr(error.message, "none that can be told"));
    train(context, "steps", in_root("months.csv"), small);
    change_columns("steps", "\"step\": 1", "\"step\": 2305843009213693951");
    assert_int_equal(ask(context, "steps", rows, NULL, &t, &error), ELMAN_OK);
    elman_context_free(context);
}

/* Whatever the caller rounds to, the bits are the same. */
static void rounding_of_the_caller(void **state)
{
    (void)state;
    elman_context *context = context_of(1);
    char text[2048] = "y\n", options[200];
    uint32_t seed = 2;
    double y[40], point[2][2], quantiles[2][18];
    for (int i = 0; i < 40; i++) {
        char row[32];
        snprintf(row, sizeof row, "%.3f\n", y[i] = 100.1 + 7 * noise(&seed));
        strcat(text, row);
    }
    snprintf(options, sizeof options, "%s --loss gaussian --quantiles %s", small,
             "0.01,0.02,0.03,0.04,0.05,0.06,0.97,0.98,0.99");
    train(context, "rounding", write_file("rounding.csv", text), options);
    for (int up = 0; up < 2; up++) {
        elman_forecaster *forecaster;
        elman_forecast_stream *stream;
        assert_int_equal(fesetround(up ? FE_UPWARD : FE_TONEAREST), 0);
        assert_int_equal(elman_forecaster_open(context, in_root("rounding"), &forecaster, NULL),
                         ELMAN_OK);
        assert_int_equal(elman_forecast_stream_create(forecaster, &stream, NULL), ELMAN_OK);
        for (int i = 0; i < 40; i++)
            assert_int_equal(elman_forecast_stream_push(stream, &y[i], NULL, NULL, NULL), ELMAN_OK);
        assert_int_equal(elman_forecast_stream_answer(stream, NULL, point[up], quantiles[up], NULL),
                         ELMAN_OK);
        fesetround(FE_TONEAREST);
        elman_forecast_stream_free(stream);
        elman_forecaster_free(forecaster);
    }
    assert_memory_equal(point[0], point[1], sizeof point[0]);
    assert_memory_equal(quantiles[0], quantiles[1], sizeof quantiles[0]);
    elman_context_free(context);
}

/* Which columns a table's forecast is of, as "a,b,". */
static void check_targets(elman_context *context, const char *table, const char *options,
                          const char *expected)
{
    elman_forecaster *forecaster;
    char found[256] = "", all[256];
    snprintf(all, sizeof all, "%s %s", small, options);
    train(context, "targets", write_file("targets.csv", table), all);
    assert_int_equal(elman_forecaster_open(context, in_root("targets"), &forecaster, NULL),
                     ELMAN_OK);
    for (int64_t i = 0; i < elman_forecaster_targets(forecaster); i++) {
        strcat(found, elman_forecaster_target(forecaster, i));
        strcat(found, ",");
    }
    elman_forecaster_free(forecaster);
    assert_string_equal(found, expected);
}

static void columns_that_are_found(void **state)
{
    (void)state;
    elman_context *context = context_of(1);
    elman_error error = {0};
    talk t;
    static const char pandas[] = ",value\n0,5\n1,7\n2,6\n3,8\n4,5\n5,7\n6,6\n7,8\n8,3\n9,1\n";
    check_targets(context, pandas, "", "value,");
    assert_int_equal(ask(context, "targets", pandas, NULL, &t, &error), ELMAN_OK);
    assert_int_equal(strncmp(t.answer, "step,value\n", 11), 0);
    check_targets(context,
                  "year,month,value\n1949,1,5\n1949,2,6\n1949,3,7\n1949,4,5\n1949,5,6\n"
                  "1949,6,7\n1949,7,5\n1949,8,6\n1949,9,7\n1949,10,5\n",
                  "", "year,month,value,");
    check_targets(context, "year,value\n1940,1\n1941,3\n1942,2\n1943,4\n1944,1\n1945,2\n1946,3\n",
                  "", "value,");
    /* it ascends within each series */
    check_targets(context,
                  "step,shop,value\n1,a,1\n1,b,3\n2,a,2\n2,b,4\n3,a,1\n3,b,2\n4,a,3\n4,b,1\n"
                  "5,a,1\n5,b,2\n6,a,3\n6,b,1\n7,a,1\n7,b,2\n8,a,3\n8,b,1\n",
                  "--series-column shop", "value,");
    elman_context_free(context);
}

static void empty_first_line(void **state)
{
    (void)state;
    elman_context *context = context_of(1);
    elman_error error = {0};
    talk t;
    train(context, "empty",
          write_file("empty.csv", "y;z\n1;2\n2;3\n3;4\n4;3\n5;2\n6;1\n7;2\n8;3\n9;4\n"), small);
    if (ask(context, "empty", "\n\ny;z\n1;2\n2;3\n3;4\n4;3\n5;2\n", NULL, &t, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    assert_int_equal(strncmp(t.answer, "step;y", 6), 0);
    elman_context_free(context);
}

static void choices(void **state)
{
    (void)state;
    elman_context *context = context_of(1);
    elman_forecaster *forecaster;
    train(context, "choices", write_file("choices.csv", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n"),
          "--lookback 4 --horizon 2 --max-steps 300 --optimizer sgd --hidden 2");
    assert_int_equal(elman_forecaster_open(context, in_root("choices"), &forecaster, NULL),
                     ELMAN_OK);
    const elman_config *c = &elman_forecaster_config(forecaster)->config;
    assert_int_equal(c->epochs, INT32_MAX);
    assert_true(c->lr == 0.1);
    elman_forecaster_free(forecaster);
    elman_context_free(context);
}

static void holes_at_the_end(void **state)
{
    (void)state;
    elman_context *context = logging_context();
    elman_error error = {0};
    talk t;
    train(context, "holes", write_file("holes.csv", "y\n1\n2\n3\n4\n5\n6\n7\n8\n9\n"), small);
    logged[0] = 0;
    assert_int_equal(ask(context, "holes", "y\n1\n2\nNA\n4\n5\n", NULL, &t, &error), ELMAN_OK);
    assert_null(strstr(logged, "misses a value"));
    assert_int_equal(ask(context, "holes", "y\n1\n2\n3\n4\nNA\n", NULL, &t, &error), ELMAN_OK);
    assert_non_null(strstr(logged, "input: the last row misses a value; the last known one"));
    assert_int_equal(ask(context, "holes", "y\nNA\nNA\nNA\nNA\nNA\n", NULL, &t, &error),
                     ELMAN_ERROR_DATA);
    assert_non_null(strstr(error.message, "found nothing but missing values"));
    elman_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_without_a_number), cmocka_unit_test(steps_beyond_the_calendar),
        cmocka_unit_test(rounding_of_the_caller),   cmocka_unit_test(columns_that_are_found),
        cmocka_unit_test(empty_first_line),         cmocka_unit_test(choices),
        cmocka_unit_test(holes_at_the_end),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
