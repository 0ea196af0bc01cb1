/* Charts: axes, what is left out, hostile names, pages that stay small. */
#include "format/chart.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/chart_axis.h"

static elman_context *context;
static elman_text_buffer html;

static int setup(void **state)
{
    (void)state;
    return elman_context_create(NULL, &context, NULL) == ELMAN_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    elman_context_free(context);
    return 0;
}

static int begin(void **state)
{
    (void)state;
    elman_text_buffer_init(&html, context);
    return 0;
}

static int end(void **state)
{
    (void)state;
    elman_text_buffer_free(&html);
    return 0;
}

static bool holds(const char *text)
{
    elman_text_buffer_add(&html, "", 1);
    html.used--;
    return strstr(html.bytes, text);
}

static int count_of(const char *text)
{
    int n = 0;
    for (const char *at = holds(text) ? html.bytes : ""; (at = strstr(at, text)); at++)
        n++;
    return n;
}

static void expect_ticks(double low, double high, bool log, size_t count, const double *wanted)
{
    double ticks[ELMAN_AXIS_TICKS];
    elman_axis axis = elman_axis_empty(log);
    elman_axis_include(&axis, low);
    elman_axis_include(&axis, high);
    assert_int_equal(elman_axis_ticks(&axis, 5, ticks), count);
    for (size_t i = 0; i < count; i++)
        assert_true(fabs(ticks[i] - wanted[i]) <= 1e-9 * fabs(wanted[i]));
}

static void test_axes(void **state)
{
    (void)state;
    expect_ticks(0, 10, false, 6, (double[]){0, 2, 4, 6, 8, 10});
    expect_ticks(-0.13, 0.17, false, 3, (double[]){-0.1, 0, 0.1});
    expect_ticks(1.4, 2.9, false, 3, (double[]){1.5, 2, 2.5});
    expect_ticks(1e-9, 1, true, 5, (double[]){1e-8, 1e-6, 1e-4, 1e-2, 1});
    expect_ticks(0.9, 30, true, 5, (double[]){1, 2, 5, 10, 20});
    expect_ticks(1e-300, 1e300, true, 7,
                 (double[]){1e-300, 1e-200, 1e-100, 1, 1e100, 1e200, 1e300});
}

/* One value, and none, are axes too. */
static void test_narrow_axes(void **state)
{
    (void)state;
    static const double values[] = {0, 3, -3, 1e-12, 1e15};
    double ticks[ELMAN_AXIS_TICKS];
    for (int log = 0; log < 2; log++)
        for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
            if (log && values[i] <= 0)
                continue;
            elman_axis axis = elman_axis_empty(log);
            assert_true(elman_axis_is_empty(&axis));
            elman_axis_include(&axis, values[i]);
            elman_axis_settle(&axis, true);
            assert_true(axis.low < axis.high && elman_axis_holds(&axis, values[i]));
            assert_true(fabs(elman_axis_place(&axis, values[i]) - 0.5) < 0.01);
            assert_true(elman_axis_ticks(&axis, 5, ticks) <= ELMAN_AXIS_TICKS);
        }
}

static void test_lines(void **state)
{
    (void)state;
    static const double x[] = {1, 2, 3, 4, 5}, y[] = {1, (double)NAN, 2, (double)INFINITY, -1};
    elman_chart_series series[] = {{"<a>", x, y, 5, 0, true}, {"b", x, y, 5, 7, false}};
    elman_chart chart = {"\"t\" & <i>", "step", series, 2, false, true, 1.5, "--clip"};
    elman_chart_put_lines(&html, &chart);
    assert_int_equal(count_of("<circle"), 2); /* what is not finite or not above 0 is left out */
    assert_true(holds("&lt;a&gt;") && holds("&quot;t&quot; &amp; &lt;i&gt;"));
    assert_false(holds("<a>") || holds("<i>") || holds("nan") || holds("inf"));
    assert_true(holds("class=\"l s1\"") && holds("--clip"));
    assert_int_equal(count_of("<svg"), count_of("</svg>"));
    assert_int_equal(count_of("<figure"), count_of("</figure>"));
}

static void test_nothing(void **state)
{
    (void)state;
    static const double x[] = {1}, y[] = {(double)NAN};
    elman_chart_series series = {"a", x, y, 1, 0, true};
    elman_chart chart = {"t", "step", &series, 1, false, false, (double)NAN, ""};
    elman_chart_put_lines(&html, &chart);
    chart.count = 0;
    elman_chart_put_lines(&html, &chart);
    elman_chart_heat heat = {.title = "none", .x_label = "", .y_label = ""};
    elman_chart_put_heat(&html, &heat);
    assert_int_equal(count_of("Nothing was measured"), 2);
}

/* A long curve is thinned, and its mean stays where it is; the decimal point is always a point. */
static void test_long(void **state)
{
    (void)state;
    enum { N = 100000 };
    double *x = malloc(N * sizeof *x), *y = malloc(N * sizeof *y);
    for (size_t i = 0; i < N; i++) {
        x[i] = (double)i;
        y[i] = i % 2 ? 1.25 : -1.25;
    }
    setlocale(LC_ALL, "de_DE.UTF-8");
    elman_chart_series series = {"a", x, y, N, 0, false};
    elman_chart chart = {"t", "step", &series, 1, false, false, (double)NAN, ""};
    elman_chart_put_lines(&html, &chart);
    setlocale(LC_ALL, "C");
    assert_in_range(html.used, 1000, 20000);
    assert_false(holds(","));
    free(x);
    free(y);
}

static void test_bars_and_heat(void **state)
{
    (void)state;
    static const double shares[] = {0, 0.5, 0.25, (double)NAN};
    static const double a[] = {1, 0.1, 0.01, 0}, b[] = {1, (double)NAN};
    static const double *const columns[] = {a, b};
    static const size_t heights[] = {4, 2};
    static const double steps[] = {0, 100};
    elman_chart_bars bars = {"bars", shares, 4, 0, 1};
    elman_chart_put_bars(&html, &bars);
    assert_int_equal(count_of("<rect"), 2);
    elman_chart_heat heat = {"<h>", "step", "lag", columns, heights, steps, 2, 4};
    elman_chart_put_heat(&html, &heat);
    /* 1, 0.1, 0.01, 0: a path each; both columns begin with 1; NaN and what is missing stay empty
     */
    assert_int_equal(count_of("<path fill"), 4);
    assert_int_equal(count_of("z"), 5);
    assert_true(holds("#fde725") && holds("#440154") && holds("&lt;h&gt;"));
}

static void test_large_heat(void **state)
{
    (void)state;
    enum { ROWS = 1001, COLUMNS = 3000 };
    double *column = malloc(ROWS * sizeof *column), *x = malloc(COLUMNS * sizeof *x);
    const double **columns = malloc(COLUMNS * sizeof *columns);
    size_t *heights = malloc(COLUMNS * sizeof *heights);
    for (size_t i = 0; i < ROWS; i++)
        column[i] = pow(0.5, (double)(i * 7919 % 20));
    for (size_t i = 0; i < COLUMNS; i++) {
        columns[i] = column;
        heights[i] = ROWS;
        x[i] = (double)i;
    }
    elman_chart_heat heat = {"h", "step", "lag", columns, heights, x, COLUMNS, ROWS};
    elman_chart_put_heat(&html, &heat);
    assert_in_range(html.used, 1000, 400000);
    free(column);
    free(x);
    free(columns);
    free(heights);
}

static void test_numbers(void **state)
{
    (void)state;
    static const double values[] = {0,     -0.25, 0.00012, 1234.56,    12346,
                                    2.5e6, 3e10,  1.0 / 3, (double)NAN};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        elman_chart_put_number(&html, values[i]);
        elman_text_buffer_put(&html, " ");
    }
    assert_true(elman_chart_is_wide((double[]){1, (double)NAN, 40}, 3));
    assert_false(elman_chart_is_wide((double[]){1, 20}, 2));
    assert_false(elman_chart_is_wide((double[]){0, 20}, 2));
    assert_true(holds("0 -0.25 0.00012 1235 12.35k 2.5M 30000000000 0.3333 – "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_axes, begin, end),
        cmocka_unit_test_setup_teardown(test_narrow_axes, begin, end),
        cmocka_unit_test_setup_teardown(test_lines, begin, end),
        cmocka_unit_test_setup_teardown(test_nothing, begin, end),
        cmocka_unit_test_setup_teardown(test_long, begin, end),
        cmocka_unit_test_setup_teardown(test_bars_and_heat, begin, end),
        cmocka_unit_test_setup_teardown(test_large_heat, begin, end),
        cmocka_unit_test_setup_teardown(test_numbers, begin, end),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
