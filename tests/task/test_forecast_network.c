/* What a forecaster reads, answers and learns from, against figures of PyTorch
 * (tests/golden/task/make_forecast.py) and against itself: alone as in a batch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare.h"
#include "golden.h"
#include "task/forecast_network.h"
#include "task/forecast_normal.h"

enum { ROWS = 40, TRAIN = 30, MOST = 4, ORIGINS = 4 };

typedef struct example {
    int64_t C, K, L, H, width, hidden, layers;
    int cell, normalise, loss;
    bool shared, stepwise, bidirectional, indicator;
    const char *quantiles;
} example;

static const example examples[] = {
    {2, 1, 8, 4, 2, 5, 1, ELMAN_CELL_GRU, ELMAN_NORMALISE_SCALE, ELMAN_FORECAST_HUBER, true, false,
     false, true, "0.1,0.9"},
    {2, 0, 8, 3, 4, 4, 2, ELMAN_CELL_LSTM, ELMAN_NORMALISE_LAST, ELMAN_FORECAST_GAUSSIAN, false,
     false, true, false, "0.05,0.5,0.975"},
    {2, 2, 6, 5, 2, 3, 1, ELMAN_CELL_GRU, ELMAN_NORMALISE_MEAN, ELMAN_FORECAST_ABSOLUTE, true, true,
     false, false, "0.25"},
    {1, 0, 6, 3, 1, 3, 1, ELMAN_CELL_GRU, ELMAN_NORMALISE_NONE, ELMAN_FORECAST_SQUARED, true, true,
     false, true, ""},
    {3, 0, 9, 2, 3, 6, 1, ELMAN_CELL_GRU, ELMAN_NORMALISE_SCALE, ELMAN_FORECAST_QUANTILE, false,
     false, false, true, "0.2, 0.5, 0.8"},
};
enum { EXAMPLES = sizeof examples / sizeof *examples };

static char target_names[MOST][2] = {"a", "b", "c", "d"};

typedef struct bench {
    elman_context *context;
    golden *file;
    char prefix[16];
    elman_forecast_columns columns;
    elman_config config;
    elman_forecast_network network;
    elman_forecast_data data; /* one series of ROWS */
    elman_forecast_series series;
    elman_forecast_rows rows;
    int64_t origins[ORIGINS];
    elman_tape *tape;
} bench;

static float filled[ROWS * MOST], covariates[ROWS * MOST];
static unsigned char missing[ROWS * MOST];
static double values[ROWS * MOST], known[ROWS * MOST];

static const float *figures(bench *b, const char *name)
{
    const elman_tensor *t = golden_find(b->file, b->prefix, name);
    return t ? t->data : NULL;
}

static void set_up(bench *b, int number, bool train)
{
    static char *targets[MOST] = {target_names[0], target_names[1], target_names[2],
                                  target_names[3]};
    const example *e = &examples[number];
    elman_error error = {0};
    memset(b, 0, sizeof *b);
    snprintf(b->prefix, sizeof b->prefix, "%d.", number);
    assert_int_equal(elman_context_create(NULL, &b->context, NULL), ELMAN_OK);
    b->file = golden_open(b->context, ELMAN_TEST_DATA "/task/forecast.safetensors");
    if (!b->file)
        skip();
    b->columns = (elman_forecast_columns){.context = b->context,
                                          .targets = targets,
                                          .target_count = e->C,
                                          .covariates = targets,
                                          .covariate_count = e->K,
                                          .indicator = e->indicator};
    elman_config_default_for(&b->config, "forecast");
    b->config.lookback = e->L;
    b->config.horizon = e->H;
    b->config.width = e->width;
    b->config.season = 2;
    b->config.hidden = e->hidden;
    b->config.layers = e->layers;
    b->config.dropout = 0;
    b->config.cell = e->cell;
    b->config.normalise = e->normalise;
    b->config.loss = e->loss;
    b->config.shared = e->shared;
    b->config.stepwise = e->stepwise;
    b->config.bidirectional = e->bidirectional;
    strcpy(b->config.quantiles, e->quantiles);
    if (elman_forecast_network_create(b->context, &b->config, &b->columns, train, &b->network,
                                      &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    elman_parameters *set = elman_forecast_network_parameters(&b->network);
    for (int64_t i = 0; i < elman_parameters_count(set); i++) {
        elman_parameter *p = elman_parameters_at(set, i);
        const float *from = figures(b, elman_parameter_name(p));
        size_t n = (size_t)elman_tensor_count(elman_parameter_value(p));
        if (from)
            memcpy(elman_parameter_edit(p), from, n * sizeof *from);
    }
    const float *y = figures(b, "values"), *x = figures(b, "known");
    for (int64_t i = 0; i < ROWS * e->C; i++)
        values[i] = (double)y[i];
    for (int64_t i = 0; i < ROWS * e->K; i++)
        known[i] = (double)x[i];
    b->series = (elman_forecast_series){
        .n = ROWS, .values = values, .known = known, .parts = {TRAIN, ROWS, ROWS, ROWS}};
    b->data = (elman_forecast_data){
        .context = b->context, .C = e->C, .Kf = e->K, .K = e->K, .series = &b->series, .count = 1};
    b->rows = (elman_forecast_rows){filled, missing, covariates};
    for (int64_t row = 0; row < ROWS; row++) {
        elman_forecast_fill_row(&b->columns, &b->network.scale, values + row * e->C, &b->rows, row,
                                row > 0);
        elman_forecast_fill_covariates(&b->columns, &b->network.scale, known + row * e->K, 0,
                                       &b->rows, row);
    }
    b->origins[0] = e->L;
    b->origins[1] = 10;
    b->origins[2] = 15;
    b->origins[3] = 22;
    assert_int_equal(elman_tape_create(b->context, &b->tape, NULL), ELMAN_OK);
}

static void tear_down(bench *b)
{
    elman_tape_free(b->tape);
    elman_forecast_network_free(&b->network);
    golden_close(b->file);
    elman_context_free(b->context);
}

static void as_pytorch_answers(void **state)
{
    (void)state;
    for (int number = 0; number < EXAMPLES; number++) {
        bench b;
        elman_forecast_answers answers;
        elman_forecast_origin origins[ORIGINS];
        elman_error error = {0};
        set_up(&b, number, false);
        const elman_forecast_shape *s = &b.network.shape;
        for (int i = 0; i < ORIGINS; i++)
            origins[i] = (elman_forecast_origin){&b.rows, b.origins[i]};
        assert_int_equal(elman_forecast_answers_create(&b.network, ORIGINS, &answers, NULL),
                         ELMAN_OK);
        if (elman_forecast_answer(&b.network, b.tape, origins, ORIGINS, &answers, NULL, NULL,
                                  &error) != ELMAN_OK)
            fail_msg("%s", error.message);
        assert_true(
            golden_near(b.file, b.prefix, "point", answers.point, ORIGINS * s->H * s->C, 40));
        if (s->Q)
            assert_true(golden_near(b.file, b.prefix, "quantiles", answers.quantiles,
                                    ORIGINS * s->H * s->C * s->Q, 40));
        elman_forecast_answers_free(&answers);
        tear_down(&b);
    }
}

static void as_pytorch_learns(void **state)
{
    (void)state;
    for (int number = 0; number < EXAMPLES; number++) {
        bench b;
        elman_forecast_buffer buffer;
        elman_error error = {0};
        set_up(&b, number, true);
        const elman_forecast_shape *s = &b.network.shape;
        int64_t B = ORIGINS * s->sequences;
        double sum = 0;
        assert_int_equal(elman_forecast_buffer_create(b.context, s, B, &buffer, NULL), ELMAN_OK);
        for (int64_t i = 0; i < B; i++) {
            int64_t t = b.origins[i / s->sequences], column = i % s->sequences;
            elman_forecast_put(s, &buffer, B, i, &b.rows, t, column);
            elman_forecast_put_targets(s, &buffer, i, &b.rows, t, column);
        }
        elman_tape_begin(b.tape, NULL);
        elman_var *answer = elman_forecast_forward(b.tape, &b.network, &buffer, B);
        elman_var *loss = elman_forecast_cost(b.tape, &b.network, &buffer, B, answer, 1.0, &sum);
        if (elman_tape_backward(b.tape, loss, &error) != ELMAN_OK)
            fail_msg("%s", error.message);
        float mean = (float)(sum / (double)figures(&b, "count")[0]);
        assert_true(golden_near(b.file, b.prefix, "loss", &mean, 1, 20));
        assert_true(golden_near(b.file, b.prefix, "loss", elman_var_value(loss)->data, 1, 20));
        elman_parameters *set = elman_forecast_network_parameters(&b.network);
        int trained = 0;
        for (int64_t i = 0; i < elman_parameters_count(set); i++) {
            elman_parameter *p = elman_parameters_at(set, i);
            char name[64];
            snprintf(name, sizeof name, "d.%s", elman_parameter_name(p));
            if (!elman_parameter_gradient(p))
                continue; /* kept beside the weights */
            assert_true(golden_near(b.file, b.prefix, name, elman_parameter_gradient(p),
                                    elman_tensor_count(elman_parameter_value(p)), 40));
            trained++;
        }
        assert_true(trained >= 7);
        elman_forecast_buffer_free(&buffer);
        tear_down(&b);
    }
}

/* An origin's answer has the same bits alone, in any batch and at any place in it. */
static void alone_as_in_a_batch(void **state)
{
    (void)state;
    for (int number = 0; number < EXAMPLES; number++) {
        bench b;
        elman_forecast_answers all, one;
        elman_forecast_origin origins[ORIGINS];
        set_up(&b, number, false);
        const elman_forecast_shape *s = &b.network.shape;
        size_t cells = (size_t)(s->H * s->C), Q = (size_t)s->Q;
        for (int i = 0; i < ORIGINS; i++)
            origins[i] = (elman_forecast_origin){&b.rows, b.origins[i]};
        elman_forecast_answers_create(&b.network, ORIGINS, &all, NULL);
        elman_forecast_answers_create(&b.network, 1, &one, NULL);
        assert_int_equal(
            elman_forecast_answer(&b.network, b.tape, origins, ORIGINS, &all, NULL, NULL, NULL),
            ELMAN_OK);
        assert_true(compare_varied(all.point, ORIGINS * cells));
        for (size_t i = 0; i < ORIGINS; i++) {
            assert_int_equal(
                elman_forecast_answer(&b.network, b.tape, &origins[i], 1, &one, NULL, NULL, NULL),
                ELMAN_OK);
            assert_true(compare_bits(one.point, all.point + i * cells, cells));
            assert_true(compare_bits(one.quantiles, all.quantiles + i * cells * Q, cells * Q));
        }
        elman_forecast_answers_free(&all);
        elman_forecast_answers_free(&one);
        tear_down(&b);
    }
}

static void scales_of_training_alone(void **state)
{
    (void)state;
    bench b;
    set_up(&b, 0, false);
    float mean[MOST], deviation[MOST], covariate_mean[MOST], covariate_deviation[MOST];
    elman_forecast_scale scale = {mean, deviation, covariate_mean, covariate_deviation};
    for (int64_t i = TRAIN * b.data.C; i < ROWS * b.data.C; i++)
        values[i] = 1e6; /* beyond the training part: must not matter */
    assert_int_equal(elman_forecast_data_scale(&b.data, &b.columns, &scale, NULL), ELMAN_OK);
    assert_true(golden_near(b.file, b.prefix, "scale.mean", mean, b.data.C, 2));
    assert_true(golden_near(b.file, b.prefix, "scale.deviation", deviation, b.data.C, 2));
    assert_true(golden_near(b.file, b.prefix, "covariate.mean", covariate_mean, b.data.Kf, 2));
    assert_true(
        golden_near(b.file, b.prefix, "covariate.deviation", covariate_deviation, b.data.Kf, 2));
    for (int64_t i = 0; i < ROWS; i++)
        values[i * b.data.C] = NAN;
    elman_error error = {0};
    assert_int_equal(elman_forecast_data_scale(&b.data, &b.columns, &scale, &error),
                     ELMAN_ERROR_DATA);
    assert_non_null(strstr(error.message, "column a"));
    tear_down(&b);
}

static void normal_quantiles(void **state)
{
    (void)state;
    static const struct {
        float p;
        double z;
    } known_ones[] = {{0.5F, 0},
                      {0.975F, 1.959963985},
                      {0.025F, -1.959963985},
                      {0.9F, 1.281551566},
                      {0.1F, -1.281551566},
                      {0.999F, 3.090232306},
                      {1e-6F, -4.753424309},
                      {1e-20F, -9.262340090}};
    elman_context *context;
    assert_int_equal(elman_context_create(NULL, &context, NULL), ELMAN_OK);
    for (size_t i = 0; i < sizeof known_ones / sizeof *known_ones; i++) {
        double z = (double)elman_normal_quantile(context, known_ones[i].p);
        assert_true(fabs(z - known_ones[i].z) < 5e-6);
    }
    elman_context_free(context);
}

static elman_status shape_with(void (*change)(elman_config *), elman_error *error)
{
    elman_config config;
    elman_forecast_shape shape;
    elman_forecast_columns columns = {.target_count = 2};
    elman_config_default_for(&config, "forecast");
    config.lookback = 96;
    config.horizon = 24;
    config.width = 24;
    change(&config);
    return elman_forecast_shape_of(&config, &columns, &shape, error);
}

static void no_change(elman_config *c)
{
    (void)c;
}
static void odd_width(elman_config *c)
{
    c->width = 7;
}
static void wide_steps(elman_config *c)
{
    c->stepwise = true;
    c->width = 48;
}
static void falling(elman_config *c)
{
    strcpy(c->quantiles, "0.9,0.1");
}
static void beyond(elman_config *c)
{
    strcpy(c->quantiles, "0.5,1");
}
static void words(elman_config *c)
{
    strcpy(c->quantiles, "low");
}
static void endless(elman_config *c)
{
    c->horizon = 100000;
    strcpy(c->quantiles, "0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,0.95,0.99");
}

static void shapes_that_cannot_be(void **state)
{
    (void)state;
    static const struct {
        void (*change)(elman_config *);
        const char *says;
    } wrong[] = {
        {odd_width, "width: found 7, expected a divisor of lookback 96"},
        {wide_steps, "width: found 48, expected at most the horizon, 24"},
        {falling, "quantiles: found 0.9,0.1, expected"},
        {beyond, "quantiles: found 0.5,1, expected"},
        {words, "quantiles: found low, expected"},
        {endless, "more than a network can read and answer"},
    };
    elman_error error = {0};
    assert_int_equal(shape_with(no_change, &error), ELMAN_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(shape_with(wrong[i].change, &error), ELMAN_ERROR_ARGUMENT);
        if (!strstr(error.message, wrong[i].says))
            fail_msg("found \"%s\", expected \"%s\"", error.message, wrong[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_pytorch_answers),  cmocka_unit_test(as_pytorch_learns),
        cmocka_unit_test(alone_as_in_a_batch), cmocka_unit_test(scales_of_training_alone),
        cmocka_unit_test(normal_quantiles),    cmocka_unit_test(shapes_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
