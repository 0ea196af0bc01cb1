/* Whole updates against PyTorch's (tests/golden/train/make_optimizer.py), clipping, what is not
 * finite, tied places, and the same bits for any number of threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "elman/optimizer.h"
#include "golden.h"
#include "graph/tape_impl.h"
#include "kernel/kernels.h"

enum { UPDATES = 6 };

static const double rates[UPDATES] = {0.125, 0.125, 0.0625, 0.25, 0.03125, 0.125};
static const float scales[UPDATES] = {1, 0.0078125F, 4, 0.5F, 0, 16};

static elman_context *make_context(int threads)
{
    elman_context_options options;
    elman_context *context;
    elman_context_options_default(&options);
    options.threads = threads;
    assert_int_equal(elman_context_create(&options, &context, NULL), ELMAN_OK);
    return context;
}

/* A set of parameters and its optimiser. */
typedef struct trained {
    elman_context *context;
    elman_parameters *set;
    elman_optimizer *optimizer;
} trained;

static elman_parameter *at(const trained *t, int64_t p)
{
    return elman_parameters_at(t->set, p);
}

static int64_t count_of(const elman_parameter *p)
{
    return elman_tensor_count(elman_parameter_value(p));
}

static elman_parameter *add(trained *t, const char *name, int64_t rows, int64_t columns)
{
    elman_parameter *p;
    const int64_t shape[2] = {rows, columns};
    assert_int_equal(elman_parameters_add(t->set, name, columns ? 2 : 1, shape, &p, NULL),
                     ELMAN_OK);
    int64_t number = elman_parameters_count(t->set) - 1;
    float *value = elman_parameter_edit(p);
    for (int64_t i = 0; i < count_of(p); i++)
        value[i] = (float)((i * 29 + number * 7) % 127 - 63) / 64;
    return p;
}

static void fill_gradients(const trained *t, int64_t s)
{
    for (int64_t p = 0; p < elman_parameters_count(t->set); p++)
        for (int64_t i = 0; i < count_of(at(t, p)); i++)
            at(t, p)->gradient[i] =
                (float)((i * 37 + p * 11 + s * 101) % 129 - 64) / 64 * scales[s];
}

static trained begin(int threads)
{
    trained t = {.context = make_context(threads)};
    assert_int_equal(elman_parameters_create(t.context, true, &t.set, NULL), ELMAN_OK);
    return t;
}

static trained begin_small(const elman_optimizer_options *options)
{
    trained t = begin(1);
    add(&t, "first.weight", 17, 13);
    add(&t, "first.bias", 17, 0);
    add(&t, "second.weight", 3, 5);
    assert_int_equal(elman_optimizer_create(t.context, t.set, options, &t.optimizer, NULL),
                     ELMAN_OK);
    return t;
}

static void end(trained *t)
{
    elman_optimizer_free(t->optimizer);
    elman_parameters_free(t->set);
    elman_context_free(t->context);
}

static elman_optimizer_options plain(elman_optimizer_kind kind)
{
    elman_optimizer_options o;
    elman_optimizer_options_default(&o);
    o.kind = kind;
    o.clip = 0;
    return o;
}

/* The case of that name in the file; where its options and what is asked differ nothing agrees. */
static void compare(const char *name, const elman_optimizer_options *options)
{
    char prefix[64];
    trained t = begin_small(options);
    golden *file = golden_open(t.context, ELMAN_TEST_DATA "/train/optimizer.safetensors");
    if (!file) {
        end(&t);
        skip();
    }
    float norms[UPDATES], values[3][UPDATES * 17 * 13];
    for (int64_t s = 0; s < UPDATES; s++) {
        double norm;
        elman_error error = {0};
        fill_gradients(&t, s);
        assert_int_equal(elman_optimizer_steps(t.optimizer), s);
        if (elman_optimizer_step(t.optimizer, rates[s], &norm, &error) != ELMAN_OK)
            fail_msg("%s", error.message);
        norms[s] = (float)norm;
        for (int64_t p = 0; p < 3; p++) {
            int64_t n = count_of(at(&t, p));
            memcpy(values[p] + s * n, elman_parameter_value(at(&t, p))->data,
                   (size_t)n * sizeof(float));
            for (int64_t i = 0; i < n; i++)
                assert_true(at(&t, p)->gradient[i] == 0);
        }
    }
    snprintf(prefix, sizeof prefix, "%s.", name);
    for (int64_t p = 0; p < 3; p++)
        assert_true(golden_near(file, prefix, elman_parameter_name(at(&t, p)), values[p],
                                UPDATES * count_of(at(&t, p)), 16));
    assert_true(golden_near(file, prefix, "norm", norms, UPDATES, 1));
    golden_close(file);
    end(&t);
}

static void sgd(void **state)
{
    (void)state;
    elman_optimizer_options o = plain(ELMAN_OPTIMIZER_SGD);
    compare("sgd", &o);
    o.momentum = 0.9;
    compare("momentum", &o);
    o.momentum = 0.75;
    o.nesterov = true;
    compare("nesterov", &o);
}

static void adam(void **state)
{
    (void)state;
    elman_optimizer_options o = plain(ELMAN_OPTIMIZER_ADAM);
    compare("adam", &o);
    o.beta1 = 0.5;
    o.beta2 = 0.75;
    o.epsilon = 0.125;
    compare("betas", &o);
}

/* Of the weights only; the biases' figures are those without decay. */
static void weight_decay(void **state)
{
    (void)state;
    elman_optimizer_options o = plain(ELMAN_OPTIMIZER_ADAMW);
    o.weight_decay = 0.5;
    compare("adamw", &o);
    o.kind = ELMAN_OPTIMIZER_ADAM; /* another name */
    compare("adamw", &o);
    o = plain(ELMAN_OPTIMIZER_SGD);
    o.momentum = 0.5;
    o.weight_decay = 0.25;
    compare("sgd_decay", &o);
}

/* torch.nn.utils.clip_grad_value_, then clip_grad_norm_. */
static void clipping(void **state)
{
    (void)state;
    elman_optimizer_options o = plain(ELMAN_OPTIMIZER_SGD);
    o.clip = 5;
    compare("clip", &o);
    o.clip = 0;
    o.clip_value = 0.375;
    compare("clip_value", &o);
    o.clip = 3;
    o.clip_value = 0.5;
    o.momentum = 0.9;
    compare("clip_both", &o);
}

/* What layers make: gains, biases and learnt states do not decay, matrices do. */
static void what_decays(void **state)
{
    (void)state;
    trained t = begin(1);
    elman_recurrent_options r;
    elman_recurrent_options_default(&r);
    r.input = 5;
    r.hidden = 7;
    r.layer_norm = true;
    elman_embedding_layer embedding;
    elman_recurrent_layer lstm;
    elman_linear_layer linear;
    assert_int_equal(elman_embedding_create(t.set, "embedding", 6, 5, &embedding, NULL), ELMAN_OK);
    assert_int_equal(elman_recurrent_create(t.set, "rnn", &r, &lstm, NULL), ELMAN_OK);
    assert_int_equal(elman_linear_create(t.set, "out", 7, 6, true, NULL, &linear, NULL), ELMAN_OK);
    assert_int_equal(elman_initialise(t.set, "uniform:0.5", 3, NULL), ELMAN_OK);
    elman_optimizer_options o = plain(ELMAN_OPTIMIZER_SGD);
    o.weight_decay = 0.5;
    assert_int_equal(elman_optimizer_create(t.context, t.set, &o, &t.optimizer, NULL), ELMAN_OK);
    elman_parameters_zero_gradients(t.set);
    int weights = 0, others = 0;
    for (int64_t p = 0; p < elman_parameters_count(t.set); p++)
        for (int64_t i = 0; i < count_of(at(&t, p)); i++)
            elman_parameter_edit(at(&t, p))[i] = 0.5F;
    assert_int_equal(elman_optimizer_step(t.optimizer, 1, NULL, NULL), ELMAN_OK);
    for (int64_t p = 0; p < elman_parameters_count(t.set); p++) {
        bool weight = strstr(elman_parameter_name(at(&t, p)), "weight") != NULL;
        float expected = weight ? 0.25F : 0.5F;
        weight ? weights++ : others++;
        for (int64_t i = 0; i < count_of(at(&t, p)); i++)
            if (elman_parameter_value(at(&t, p))->data[i] != expected)
                fail_msg("%s", elman_parameter_name(at(&t, p)));
    }
    assert_int_equal(weights, 4);
    assert_true(others >= 4);
    end(&t);
}

/* Nothing changes, and the parameter and element are named; also where elements are clipped,
 * which would make 1 of infinity. */
static void not_finite(void **state)
{
    (void)state;
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    for (int clip_value = 0; clip_value < 2; clip_value++)
        for (int kind = ELMAN_OPTIMIZER_SGD; kind <= ELMAN_OPTIMIZER_ADAM; kind++)
            for (int b = 0; b < 3; b++) {
                elman_optimizer_options o = plain((elman_optimizer_kind)kind);
                o.clip_value = clip_value;
                o.clip = 5;
                o.weight_decay = 0.5;
                trained t = begin(2), same = begin_small(&o);
                add(&t, "first.weight", 17, 13);
                add(&t, "large.weight", 3, 4099);
                elman_parameter *tie;
                assert_int_equal(elman_parameters_tie(t.set, "tied.weight", at(&t, 0), &tie, NULL),
                                 ELMAN_OK);
                assert_int_equal(elman_optimizer_create(t.context, t.set, &o, &t.optimizer, NULL),
                                 ELMAN_OK);
                static const struct {
                    int64_t parameter, element;
                    const char *message;
                } places[] = {
                    {0, 0, "the gradient of first.weight is not finite (element 0)"},
                    {0, 220, "the gradient of first.weight is not finite (element 220)"},
                    {1, 4095, "the gradient of large.weight is not finite (element 4095)"},
                    {1, 4096, "the gradient of large.weight is not finite (element 4096)"},
                    {1, 12296, "the gradient of large.weight is not finite (element 12296)"},
                    {2, 7, "the gradient of first.weight is not finite (element 7)"},
                };
                for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
                    elman_error error = {0};
                    fill_gradients(&t, 0);
                    at(&t, 1)->gradient[12296] = NAN; /* the first of several is named */
                    at(&t, places[i].parameter)->gradient[places[i].element] = bad[b];
                    assert_int_equal(elman_optimizer_step(t.optimizer, 0.5, NULL, &error),
                                     ELMAN_ERROR_NUMERIC);
                    assert_string_equal(error.message, places[i].message);
                    assert_int_equal(elman_optimizer_steps(t.optimizer), 0);
                    for (int64_t p = 0; p < 2; p++)
                        for (int64_t e = 0; e < count_of(at(&t, p)); e++)
                            assert_true(elman_parameter_value(at(&t, p))->data[e] ==
                                        (float)((e * 29 + p * 7) % 127 - 63) / 64);
                }
                /* nor has what the optimiser keeps: the next update is a first one */
                elman_parameters_zero_gradients(t.set);
                fill_gradients(&same, 0);
                for (int64_t p = 1; p < 3; p++)
                    memset(at(&same, p)->gradient, 0, (size_t)count_of(at(&same, p)) * 4);
                memcpy(at(&t, 0)->gradient, at(&same, 0)->gradient, 17 * 13 * sizeof(float));
                assert_int_equal(elman_optimizer_step(t.optimizer, 0.5, NULL, NULL), ELMAN_OK);
                assert_int_equal(elman_optimizer_step(same.optimizer, 0.5, NULL, NULL), ELMAN_OK);
                assert_memory_equal(elman_parameter_value(at(&t, 0))->data,
                                    elman_parameter_value(at(&same, 0))->data,
                                    17 * 13 * sizeof(float));
                end(&same);
                end(&t);
            }
}

/* A gradient that came in through two places is the gradient that came through one. */
static void tied(void **state)
{
    (void)state;
    elman_optimizer_options o = plain(ELMAN_OPTIMIZER_ADAM);
    o.clip = 2;
    o.weight_decay = 0.125;
    trained one = begin(1), two = begin(2);
    elman_parameter *tie;
    add(&one, "weight", 83, 101);
    add(&two, "weight", 83, 101);
    assert_int_equal(elman_parameters_tie(two.set, "again", at(&two, 0), &tie, NULL), ELMAN_OK);
    assert_int_equal(elman_optimizer_create(one.context, one.set, &o, &one.optimizer, NULL),
                     ELMAN_OK);
    assert_int_equal(elman_optimizer_create(two.context, two.set, &o, &two.optimizer, NULL),
                     ELMAN_OK);
    for (int64_t s = 0; s < UPDATES; s++) {
        double a, b;
        fill_gradients(&one, s);
        for (int64_t i = 0; i < 83 * 101; i++) { /* 3 x - 2 x, exactly */
            at(&two, 0)->gradient[i] = 3 * at(&one, 0)->gradient[i];
            tie->gradient[i] = -2 * at(&one, 0)->gradient[i];
        }
        assert_int_equal(elman_optimizer_step(one.optimizer, rates[s], &a, NULL), ELMAN_OK);
        assert_int_equal(elman_optimizer_step(two.optimizer, rates[s], &b, NULL), ELMAN_OK);
        assert_true(a == b);
        assert_memory_equal(elman_parameter_value(at(&one, 0))->data,
                            elman_parameter_value(at(&two, 0))->data, 83 * 101 * sizeof(float));
        for (int64_t i = 0; i < 83 * 101; i++)
            assert_true(at(&two, 0)->gradient[i] == 0 && tie->gradient[i] == 0);
    }
    end(&two);
    end(&one);
}

static void same_bits(void **state)
{
    (void)state;
    static const int threads[] = {1, 2, 3, 8};
    enum { KINDS = 3 };
    static float first[KINDS][70000];
    for (int k = 0; k < KINDS; k++)
        for (int c = 0; c < 4; c++) {
            elman_optimizer_options o = plain(k == 2 ? ELMAN_OPTIMIZER_ADAM : ELMAN_OPTIMIZER_SGD);
            o.momentum = k == 1 ? 0.9 : 0;
            o.clip = 5;
            o.clip_value = 0.7;
            o.weight_decay = 0.1;
            trained t = begin(threads[c]);
            elman_parameter *tie;
            add(&t, "large.weight", 11, 4099);
            add(&t, "large.bias", 5000, 0);
            assert_int_equal(elman_parameters_tie(t.set, "tied", at(&t, 0), &tie, NULL), ELMAN_OK);
            add(&t, "small.weight", 3, 5);
            add(&t, "edge.weight", 2, 4096);
            assert_int_equal(elman_optimizer_create(t.context, t.set, &o, &t.optimizer, NULL),
                             ELMAN_OK);
            float found[70000];
            size_t n = 0;
            for (int64_t s = 0; s < 4; s++) {
                double norm;
                fill_gradients(&t, s);
                /* off the fractions of 64, so that orders of adding would show */
                for (int64_t p = 0; p < elman_parameters_count(t.set); p++)
                    for (int64_t i = 0; i < count_of(at(&t, p)); i++)
                        at(&t, p)->gradient[i] *= 1.0F + (float)(i % 1013) * 0x1.23p-9F;
                assert_int_equal(elman_optimizer_step(t.optimizer, rates[s], &norm, NULL),
                                 ELMAN_OK);
                memcpy(found + n, &norm, sizeof norm);
                n += 2;
            }
            for (int64_t p = 0; p < elman_parameters_count(t.set); p++) {
                if (at(&t, p)->tied)
                    continue;
                size_t count = (size_t)count_of(at(&t, p));
                memcpy(found + n, elman_parameter_value(at(&t, p))->data, count * sizeof(float));
                n += count;
            }
            assert_true(n > 58000 && n < 70000);
            if (c == 0)
                memcpy(first[k], found, n * sizeof(float));
            else
                assert_memory_equal(found, first[k], n * sizeof(float));
            end(&t);
        }
}

static void wrong_options(void **state)
{
    (void)state;
    trained t = begin(1);
    add(&t, "w", 2, 3);
    const elman_optimizer_options good = plain(ELMAN_OPTIMIZER_SGD);
    elman_optimizer_options bad[12];
    for (int i = 0; i < 12; i++)
        bad[i] = good;
    bad[0].size--;
    bad[1].momentum = 1;
    bad[2].momentum = -0.1;
    bad[3].beta1 = 1;
    bad[4].beta2 = NAN;
    bad[5].epsilon = 0;
    bad[6].weight_decay = -1;
    bad[7].clip = NAN;
    bad[8].clip = -1;
    bad[9].clip_value = -1;
    bad[10].nesterov = true;
    bad[11].beta2 = 1;
    static const char *const names[] = {"size",  "momentum",   "momentum",     "beta1",
                                        "beta2", "epsilon",    "weight_decay", "clip",
                                        "clip",  "clip_value", "nesterov",     "beta2"};
    for (int i = 0; i < 12; i++) {
        elman_error error = {0};
        assert_int_equal(elman_optimizer_create(t.context, t.set, &bad[i], &t.optimizer, &error),
                         ELMAN_ERROR_ARGUMENT);
        if (!strstr(error.message, names[i]))
            fail_msg("%d: %s", i, error.message);
        assert_null(t.optimizer);
    }
    elman_optimizer_free(NULL);
    end(&t);

    elman_error error = {0};
    t = begin(1);
    elman_parameters_free(t.set);
    assert_int_equal(elman_parameters_create(t.context, false, &t.set, NULL), ELMAN_OK);
    add(&t, "run.only", 2, 3);
    assert_int_equal(elman_optimizer_create(t.context, t.set, NULL, &t.optimizer, &error),
                     ELMAN_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "run.only"));
    end(&t);
}

/* Where most elements have no gradient, the update is as if each had been looked at. */
static void few_gradients(void **state)
{
    (void)state;
    enum { COUNT = 2 * ELMAN_REDUCE_BLOCK + 333 };
    static const int moved[] = {0, 127, 128, 640, 4095, 4096, 8191, 8192, COUNT - 1};
    static float value[COUNT], gradient[COUNT], m[COUNT], v[COUNT];
    elman_optimizer_options options;
    elman_optimizer_options_default(&options);
    options.clip = 0;
    trained t = begin(2);
    elman_parameter *table = add(&t, "table", COUNT, 0);
    assert_int_equal(elman_optimizer_create(t.context, t.set, &options, &t.optimizer, NULL),
                     ELMAN_OK);
    memcpy(value, table->value.data, sizeof value);
    memset(m, 0, sizeof m);
    memset(v, 0, sizeof v);
    double beta1 = 1, beta2 = 1;
    for (int step = 0; step < 4; step++) {
        memset(gradient, 0, sizeof gradient);
        for (size_t i = (size_t)step % 2; i < sizeof moved / sizeof moved[0]; i += 2)
            gradient[moved[i]] = i == 2 ? -0.0F : (float)i + 0.5F;
        memcpy(table->gradient, gradient, sizeof gradient);
        assert_int_equal(elman_optimizer_step(t.optimizer, 0.01, NULL, NULL), ELMAN_OK);
        beta1 *= 0.9;
        beta2 *= 0.999;
        const elman_adam adam = {
            .common = {.factor = 1, .rate = 0.01F, .keep = 1, .zero_gradient = true},
            .one_minus_beta1 = (float)(1 - 0.9),
            .beta2 = 0.999F,
            .one_minus_beta2 = (float)(1 - 0.999),
            .step_size = (float)(0.01 / (1 - beta1)),
            .root_correction = (float)(1 / sqrt(1 - beta2)),
            .epsilon = 1e-8F};
        elman_kernels_of(t.context)->math->adam(value, gradient, m, v, COUNT, &adam);
        assert_memory_equal(table->value.data, value, sizeof value);
        assert_memory_equal(table->gradient, gradient, sizeof gradient);
    }
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sgd),           cmocka_unit_test(adam),
        cmocka_unit_test(weight_decay),  cmocka_unit_test(clipping),
        cmocka_unit_test(what_decays),   cmocka_unit_test(not_finite),
        cmocka_unit_test(tied),          cmocka_unit_test(same_bits),
        cmocka_unit_test(wrong_options), cmocka_unit_test(few_gradients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
