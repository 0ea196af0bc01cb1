/* Scores, calibration and temperature against scikit-learn and SciPy
 * (tests/golden/task/make_metrics.py) and by hand; and the table that carries them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../golden/task/metrics.h"
#include "elman/op.h"
#include "task/metrics.h"
#include "task/metrics_table.h"
#include "test_malloc.h"

#define COUNT(array) ((int64_t)(sizeof(array) / sizeof *(array)))

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-13;
}

static void expect(const elman_score *score, const double *want)
{
    assert_true(near(score->precision, want[0]));
    assert_true(near(score->recall, want[1]));
    assert_true(near(score->f1, want[2]));
}

static void check_classes(int64_t K, const int64_t *counts, const double *each, const double *means,
                          double accuracy)
{
    elman_score classes[8];
    elman_class_scores s;
    int64_t support = 0;
    elman_class_scores_of(counts, K, classes, &s);
    for (int64_t k = 0; k < K; k++) {
        expect(&classes[k], each + 4 * k);
        assert_int_equal(classes[k].support, (int64_t)each[4 * k + 3]);
        support += classes[k].support;
    }
    expect(&s.macro, means);
    expect(&s.micro, means + 3);
    expect(&s.weighted, means + 6);
    assert_true(near(s.accuracy, accuracy));
    assert_int_equal(s.items, support);
    assert_int_equal(s.macro.support, support);
    elman_class_scores_of(counts, K, NULL, &s);
    expect(&s.macro, means);
}

static void scores_of_classes(void **state)
{
    (void)state;
    check_classes(4, case0_counts, case0_classes, case0_means, case0_accuracy[0]);
    check_classes(6, case1_counts, case1_classes, case1_means, case1_accuracy[0]);
    check_classes(1, case2_counts, case2_classes, case2_means, case2_accuracy[0]);
}

static void scores_by_hand(void **state)
{
    (void)state;
    static const int64_t counts[4] = {3, 1, 2, 4}; /* class 0: 3 of 4; class 1: 4 of 6 */
    static const int64_t none[4] = {0};
    elman_score classes[2];
    elman_class_scores s;
    elman_class_scores_of(counts, 2, classes, &s);
    assert_true(near(s.accuracy, 0.7) && near(classes[0].precision, 0.6));
    assert_true(near(classes[0].recall, 0.75) && near(classes[0].f1, 2 * 0.45 / 1.35));
    assert_true(near(classes[1].precision, 0.8) && near(classes[1].recall, 4.0 / 6));
    assert_int_equal(classes[1].support, 6);
    elman_class_scores_of(none, 2, classes, &s);
    assert_true(isnan(s.accuracy));
    assert_true(s.macro.f1 == 0 && s.micro.f1 == 0 && s.weighted.f1 == 0);
    elman_class_scores_of(NULL, 0, NULL, &s);
    assert_true(isnan(s.accuracy) && s.items == 0);
}

static void calibration(void **state)
{
    (void)state;
    elman_calibration c = {0};
    assert_true(isnan(elman_calibration_error(&c)));
    for (int64_t i = 0; i < COUNT(top); i++)
        elman_calibration_add(&c, top[i], right[i]);
    assert_true(calibration_error[0] > 0.01);
    assert_true(near(elman_calibration_error(&c), calibration_error[0]));

    /* two of three right at 0.8, one wrong at 1, one right at 0, one on an edge */
    c = (elman_calibration){0};
    elman_calibration_add(&c, 0.8, true);
    elman_calibration_add(&c, 0.8, true);
    elman_calibration_add(&c, 0.8, false);
    elman_calibration_add(&c, 1.0, false);
    elman_calibration_add(&c, 0.0, true);
    assert_true(near(elman_calibration_error(&c), (0.4 + 1 + 1) / 5));
    assert_int_equal(c.count[11], 3); /* (11/15, 12/15] */
    assert_int_equal(c.count[14], 1);
    assert_int_equal(c.count[0], 1);
}

/* --- temperature -------------------------------------------------------------------------- */

static elman_context *open_context(elman_isa isa)
{
    elman_context *context;
    elman_context_options options;
    elman_context_options_default(&options);
    options.isa = isa;
    return elman_context_create(&options, &context, NULL) == ELMAN_OK ? context : NULL;
}

static void temperature_is_the_best(void **state)
{
    (void)state;
    elman_context *context = open_context(ELMAN_ISA_BEST);
    elman_temperature t;
    int64_t n = COUNT(targets), K = COUNT(logits) / n;
    assert_int_equal(elman_temperature_fit(context, logits, targets, n, K, &t, NULL), ELMAN_OK);
    assert_true(fabs(t.value - temperature[0]) < 2e-6 * temperature[0]);
    assert_true(fabs(t.before - temperature[1]) < 1e-6);
    assert_true(fabs(t.after - temperature[2]) < 1e-6);
    assert_true(t.after < t.before - 0.01);

    /* with logits that were divided by it already */
    float scaled[COUNT(logits)];
    for (int64_t i = 0; i < COUNT(logits); i++)
        scaled[i] = logits[i] / (float)t.value;
    assert_int_equal(elman_temperature_fit(context, scaled, targets, n, K, &t, NULL), ELMAN_OK);
    assert_true(fabs(t.value - 1) < 2e-6);
    elman_context_free(context);
}

/* Items that do not count are as if they were not there. */
static void temperature_of_some_items(void **state)
{
    (void)state;
    elman_context *context = open_context(ELMAN_ISA_BEST);
    elman_temperature some, alone;
    int64_t n = COUNT(targets), K = COUNT(logits) / n, left = 0;
    float few[COUNT(logits)];
    int32_t marked[COUNT(targets)], few_targets[COUNT(targets)];
    for (int64_t i = 0; i < n; i++) {
        marked[i] = i % 3 ? targets[i] : ELMAN_IGNORE_TARGET;
        if (i % 3 == 0)
            continue;
        memcpy(few + left * K, logits + i * K, (size_t)K * sizeof *few);
        few_targets[left++] = targets[i];
    }
    assert_int_equal(elman_temperature_fit(context, logits, marked, n, K, &some, NULL), ELMAN_OK);
    assert_int_equal(elman_temperature_fit(context, few, few_targets, left, K, &alone, NULL),
                     ELMAN_OK);
    assert_memory_equal(&some, &alone, sizeof some);
    elman_context_free(context);
}

static void temperature_has_the_same_bits_everywhere(void **state)
{
    (void)state;
    elman_temperature first = {0}, t;
    int64_t n = COUNT(targets), K = COUNT(logits) / n;
    for (elman_isa isa = ELMAN_ISA_SCALAR; isa <= ELMAN_ISA_NEON; isa++) {
        elman_context *context = open_context(isa);
        if (!context)
            continue;
        assert_int_equal(elman_temperature_fit(context, logits, targets, n, K, &t, NULL), ELMAN_OK);
        if (isa == ELMAN_ISA_SCALAR)
            first = t;
        assert_memory_equal(&first, &t, sizeof t);
        elman_context_free(context);
    }
}

static void temperature_at_its_ends(void **state)
{
    (void)state;
    static const float z[4] = {1, 0, 0, 1}, level[4] = {2, 2, 2, 2}, odd[4] = {1, 0, NAN, 1};
    static const int32_t right_ones[2] = {0, 1}, wrong_ones[2] = {1, 0}, beyond[2] = {0, 2};
    static const int32_t none[2] = {ELMAN_IGNORE_TARGET, ELMAN_IGNORE_TARGET};
    elman_context *context = open_context(ELMAN_ISA_BEST);
    elman_temperature t;
    elman_error error;
    assert_int_equal(elman_temperature_fit(context, z, right_ones, 2, 2, &t, NULL), ELMAN_OK);
    assert_true(t.value == 1.0 / 256 && t.after < 1e-30);
    assert_int_equal(elman_temperature_fit(context, z, wrong_ones, 2, 2, &t, NULL), ELMAN_OK);
    assert_true(t.value == 256 && t.after < t.before);
    assert_int_equal(elman_temperature_fit(context, level, right_ones, 2, 2, &t, NULL), ELMAN_OK);
    assert_true(t.value == 1 && t.after == t.before);
    assert_int_equal(elman_temperature_fit(context, z, none, 2, 2, &t, NULL), ELMAN_OK);
    assert_true(t.value == 1 && isnan(t.after));
    assert_int_equal(elman_temperature_fit(context, z, beyond, 2, 2, &t, &error), ELMAN_ERROR_DATA);
    assert_string_equal(error.message, "temperature: target 1 is 2, expected 0 to 1");
    assert_int_equal(elman_temperature_fit(context, odd, right_ones, 2, 2, &t, &error),
                     ELMAN_ERROR_NUMERIC);
    assert_string_equal(error.message,
                        "temperature: a logit of item 1 is not finite, expected numbers");
    elman_context_free(context);
}

/* --- tables ------------------------------------------------------------------------------- */

static void numbers_and_tables(void **state)
{
    (void)state;
    static const char *const rows[] = {"cat", "a longer name of a class", ""};
    static const char *const columns[] = {"precision", "recall"};
    static const double values[] = {1, 2, 3, 4, 5, 6};
    elman_metrics_rows table = {"classes", 3, 2, rows, columns, values};
    elman_context *context = open_context(ELMAN_ISA_BEST);
    elman_metrics m = {0};
    elman_error error;
    char name[64];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "figure%d", i);
        assert_int_equal(elman_metrics_add(context, &m, name, i, NULL), ELMAN_OK);
    }
    assert_int_equal(m.count, 40);
    assert_string_equal(m.values[17].name, "figure17");
    assert_true(*elman_metrics_find(&m, "figure39") == 39);
    assert_null(elman_metrics_find(&m, "figure40"));
    assert_int_equal(elman_metrics_add(context, &m, "figure3", 0, &error), ELMAN_ERROR_ARGUMENT);
    assert_string_equal(error.message, "metric figure3: the name is taken, expected a new one");
    assert_int_equal(elman_metrics_add(context, &m, "", 0, NULL), ELMAN_ERROR_ARGUMENT);
    memset(name, 'x', 32);
    name[32] = '\0';
    assert_int_equal(elman_metrics_add(context, &m, name, 0, NULL), ELMAN_ERROR_ARGUMENT);
    assert_int_equal(elman_metrics_add(context, &m, name + 1, 7, NULL), ELMAN_OK);
    assert_true(*elman_metrics_find(&m, name + 1) == 7);

    for (int i = 0; i < ELMAN_MAX_METRIC_TABLES; i++) {
        snprintf(name, sizeof name, "table %d", i);
        table.title = name;
        table.rows = 3 - i;
        assert_int_equal(elman_metrics_add_table(context, &m, &table, NULL), ELMAN_OK);
        assert_int_equal(elman_metrics_add_table(context, &m, &table, NULL), ELMAN_ERROR_ARGUMENT);
    }
    table.title = "one more";
    assert_int_equal(elman_metrics_add_table(context, &m, &table, NULL), ELMAN_ERROR_ARGUMENT);
    const elman_metrics_table *found = elman_metrics_find_table(&m, "table 0");
    assert_non_null(found);
    assert_true(found->rows == 3 && found->columns == 2);
    for (int i = 0; i < 6; i++)
        assert_true(found->values[i] == values[i]);
    for (int i = 0; i < 3; i++)
        assert_string_equal(found->row_names[i], rows[i]);
    assert_string_equal(found->column_names[1], "recall");
    assert_null(elman_metrics_find_table(&m, "table 4"));
    elman_metrics_clear(context, &m);
    assert_true(m.count == 0 && m.table_count == 0 && !m.values);
    elman_metrics_clear(context, &m);
    elman_context_free(context);
}

static elman_status fill(elman_context *context, elman_metrics *m, elman_error *error)
{
    static const char *const names[] = {"a", "b"};
    static const double values[4] = {0};
    elman_status status = ELMAN_OK;
    for (int i = 0; i < 20 && status == ELMAN_OK; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        status = elman_metrics_add(context, m, name, i, error);
    }
    if (status == ELMAN_OK)
        status = elman_metrics_add_table(
            context, m, &(elman_metrics_rows){"t", 2, 2, names, names, values}, error);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    if (!test_malloc_works())
        skip();
    elman_context *context = open_context(ELMAN_ISA_BEST);
    size_t live = test_malloc_live();
    size_t n = 1;
    for (bool failed = true; failed; n++) {
        elman_metrics m = {0};
        elman_temperature t;
        test_malloc_fail_at(n);
        elman_status status = fill(context, &m, NULL);
        if (status == ELMAN_OK)
            status = elman_temperature_fit(context, logits, targets, 2, 5, &t, NULL);
        failed = test_malloc_failed();
        test_malloc_fail_at(0);
        assert_int_equal(status, failed ? ELMAN_ERROR_MEMORY : ELMAN_OK);
        elman_metrics_clear(context, &m);
        assert_int_equal(test_malloc_live(), live);
    }
    assert_true(n > 4);
    elman_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_of_classes),
        cmocka_unit_test(scores_by_hand),
        cmocka_unit_test(calibration),
        cmocka_unit_test(temperature_is_the_best),
        cmocka_unit_test(temperature_of_some_items),
        cmocka_unit_test(temperature_has_the_same_bits_everywhere),
        cmocka_unit_test(temperature_at_its_ends),
        cmocka_unit_test(numbers_and_tables),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
