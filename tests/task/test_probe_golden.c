/* Probes with PyTorch's weights lose over the validation examples what PyTorch loses over examples
 * that were made without this library: data, losses and guesses, at the lag of training and at
 * another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../golden/task/probe.h"
#include "elman/elman.h"
#include "elman/predict.h"

static double figure(const elman_metrics *metrics, const char *name)
{
    const double *value = elman_metrics_find(metrics, name);
    if (!value)
        fail_msg("no %s", name);
    return *value;
}

static void near(const char *what, double found, double expected, double tolerance)
{
    if (!(fabs(found - expected) <= tolerance))
        fail_msg("%s: found %.17g, expected %.17g", what, found, expected);
}

static void loses_as_pytorch(void **state)
{
    (void)state;
    elman_context *context;
    elman_error error = {0};
    assert_int_equal(elman_context_create(NULL, &context, NULL), ELMAN_OK);
    for (size_t i = 0; i < sizeof probes / sizeof *probes; i++) {
        elman_predictor *predictor;
        elman_metrics metrics = {0};
        char path[512];
        snprintf(path, sizeof path, "%s/task/%s", ELMAN_TEST_DATA, probes[i].name);
        if (elman_predictor_open(context, path, &predictor, &error) != ELMAN_OK)
            fail_msg("%s", error.message);
        bool own = i % 2 == 0; /* the lag that is trained for needs no word */
        if (!own && elman_predictor_lag(predictor, probes[i].lag, &error) != ELMAN_OK)
            fail_msg("%s", error.message);
        if (elman_predictor_eval(predictor, NULL, 0, false, &metrics, &error) != ELMAN_OK)
            fail_msg("%s", error.message);
        bool numbers = elman_metrics_find(&metrics, "r2") != NULL;
        near(probes[i].name, figure(&metrics, "loss"), probes[i].loss, 2e-6 * probes[i].loss);
        near("guess", figure(&metrics, "guessing_loss"), probes[i].guess, 1e-14);
        near("metric", figure(&metrics, numbers ? "r2" : "accuracy"), probes[i].value,
             numbers ? 2e-5 : 1e-12);
        near("lag", figure(&metrics, "lag"), (double)probes[i].lag, 0);
        near("solved", figure(&metrics, "solved"), 0, 0);
        elman_metrics_clear(context, &metrics);
        elman_predictor_free(predictor);
    }
    elman_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(loses_as_pytorch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
