/* Figures of forecasts against scikit-learn and NumPy (tests/golden/task/make_metrics.py) and by
 * hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdbool.h>

#include "../golden/task/forecast.h"
#include "task/forecast_metrics.h"

#define COUNT(array) ((int64_t)(sizeof(array) / sizeof *(array)))

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-12 * fmax(1, fabs(b));
}

static void add(elman_forecast_sums *s, int64_t i)
{
    elman_forecast_add(s, truth[i], answers[i], scale[0]);
    elman_forecast_add_interval(s, truth[i], low[i], high[i]);
    elman_forecast_add_quantile(s, truth[i], answers[i], 0.1);
}

static void check(const elman_forecast_sums *s)
{
    assert_true(near(elman_forecast_mse(s), figures[0]));
    assert_true(near(elman_forecast_mae(s), figures[1]));
    assert_true(near(elman_forecast_smape(s), figures[2]));
    assert_true(near(elman_forecast_mase(s), figures[3]));
    assert_true(near(elman_forecast_coverage(s), figures[4]));
    assert_true(near(elman_forecast_width(s), figures[5]));
    assert_true(near(elman_forecast_pinball(s), figures[6]));
}

static void figures_of_peers(void **state)
{
    (void)state;
    elman_forecast_sums all = {0}, ahead[4] = {{0}}, merged = {0};
    for (int64_t i = 0; i < COUNT(truth); i++) {
        add(&all, i);
        add(&ahead[i % 4], i);
    }
    check(&all);
    assert_int_equal(all.count, COUNT(truth) - 2);
    for (int h = 0; h < 4; h++)
        elman_forecast_merge(&merged, &ahead[h]);
    check(&merged);
    assert_true(elman_forecast_mae(&ahead[0]) != elman_forecast_mae(&ahead[1]));
}

static void scale_of_a_season(void **state)
{
    (void)state;
    float narrow[2 * 200];
    assert_int_equal(COUNT(train), 200);
    assert_true(near(elman_seasonal_scale(train, 200, 1, 12), scale[0]));
    for (int i = 0; i < 200; i++) {
        narrow[2 * i] = (float)train[i];
        narrow[2 * i + 1] = NAN;
    }
    assert_true(fabs(elman_seasonal_scale_floats(narrow, 200, 2, 12) - scale[0]) < 1e-5);
    static const double y[5] = {1, 4, 2, NAN, 7};
    assert_true(near(elman_seasonal_scale(y, 5, 1, 1), 2.5));
    assert_true(near(elman_seasonal_scale(y, 5, 1, 2), 3));
    assert_true(isnan(elman_seasonal_scale(y, 5, 1, 5)));
    assert_true(isnan(elman_seasonal_scale(y, 0, 1, 1)));
}

static void by_hand(void **state)
{
    (void)state;
    elman_forecast_sums s = {0};
    assert_true(isnan(elman_forecast_mse(&s)) && isnan(elman_forecast_mase(&s)));
    assert_true(isnan(elman_forecast_coverage(&s)) && isnan(elman_forecast_pinball(&s)));
    elman_forecast_add(&s, 2, -2, 0);       /* no scale */
    elman_forecast_add(&s, 0, 0, INFINITY); /* none either */
    elman_forecast_add(&s, NAN, 100, 1);    /* missing */
    elman_forecast_add(&s, 3, 1, 4);
    assert_int_equal(s.count, 3);
    assert_int_equal(s.scaled_count, 1);
    assert_true(near(elman_forecast_mse(&s), 20.0 / 3));
    assert_true(near(elman_forecast_mae(&s), 2));
    assert_true(near(elman_forecast_smape(&s), (200.0 + 0 + 100) / 3));
    assert_true(near(elman_forecast_mase(&s), 0.5));
    elman_forecast_add_interval(&s, 1, 1, 2); /* ends are inside */
    elman_forecast_add_interval(&s, 2, 1, 2);
    elman_forecast_add_interval(&s, 2.1, 1, 2);
    elman_forecast_add_interval(&s, NAN, 1, 2);
    assert_true(near(elman_forecast_coverage(&s), 2.0 / 3));
    elman_forecast_add_quantile(&s, 5, 3, 0.9);
    elman_forecast_add_quantile(&s, 3, 5, 0.9);
    elman_forecast_add_quantile(&s, NAN, 5, 0.9);
    assert_true(near(elman_forecast_pinball(&s), (1.8 + 0.2) / 2));
    elman_forecast_add(&s, 1, NAN, 1); /* a broken answer shows */
    assert_true(isnan(elman_forecast_mae(&s)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_of_peers),
        cmocka_unit_test(scale_of_a_season),
        cmocka_unit_test(by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
