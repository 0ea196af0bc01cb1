/* Initialisers: statistics, orthogonality, errors, and bits that depend on the seed alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fenv.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "elman/layer.h"

enum { V = 97, E = 60, H = 64, OUT = 200 };

typedef struct fixture {
    elman_context *context;
    elman_parameters *set;
    elman_recurrent_layer lstm, gru;
} fixture;

static fixture open_fixture(int threads)
{
    fixture f;
    elman_context_options options;
    elman_embedding_layer table;
    elman_linear_layer output;
    elman_layer_norm_layer norm;
    elman_recurrent_options o;
    elman_context_options_default(&options);
    options.threads = threads;
    assert_int_equal(elman_context_create(&options, &f.context, NULL), ELMAN_OK);
    assert_int_equal(elman_parameters_create(f.context, true, &f.set, NULL), ELMAN_OK);
    assert_int_equal(elman_embedding_create(f.set, "embedding", V, E, &table, NULL), ELMAN_OK);
    elman_recurrent_options_default(&o);
    o.input = E;
    o.hidden = H;
    o.learnt_state = true;
    assert_int_equal(elman_recurrent_create(f.set, "lstm", &o, &f.lstm, NULL), ELMAN_OK);
    o.cell = ELMAN_CELL_GRU;
    assert_int_equal(elman_recurrent_create(f.set, "gru", &o, &f.gru, NULL), ELMAN_OK);
    assert_int_equal(elman_layer_norm_create(f.set, "norm", H, true, &norm, NULL), ELMAN_OK);
    assert_int_equal(elman_linear_create(f.set, "output", H, OUT, true, NULL, &output, NULL),
                     ELMAN_OK);
    return f;
}

static void close_fixture(fixture *f)
{
    elman_parameters_free(f->set);
    elman_context_free(f->context);
}

static const elman_tensor *value(const fixture *f, const char *name)
{
    return elman_parameter_value(elman_parameters_find(f->set, name));
}

static void initialise(const fixture *f, const char *text)
{
    elman_error error = {ELMAN_OK, ""};
    if (elman_initialise(f->set, text, 42, &error) != ELMAN_OK)
        fail_msg("%s: %s", text ? text : "defaults", error.message);
}

static double deviation(const elman_tensor *t)
{
    double sum = 0, squares = 0, n = (double)elman_tensor_count(t);
    for (int64_t i = 0; i < elman_tensor_count(t); i++) {
        sum += (double)t->data[i];
        squares += (double)t->data[i] * (double)t->data[i];
    }
    return sqrt(squares / n - (sum / n) * (sum / n));
}

/* Uniform within a, or normal of deviation s: moments within five standard errors, and the
 * largest magnitude where one of so many stands. */
static void assert_uniform(const elman_tensor *t, double a)
{
    double n = (double)elman_tensor_count(t), sum = 0, largest = 0;
    for (int64_t i = 0; i < elman_tensor_count(t); i++) {
        sum += (double)t->data[i];
        largest = fmax(largest, fabs((double)t->data[i]));
    }
    assert_true(largest <= a * (1 + 1e-6) && largest > a * (1 - 20 / n));
    assert_true(fabs(sum / n) < 5 * a / sqrt(3 * n));
    assert_true(fabs(deviation(t) - a / sqrt(3)) < 5 * a / sqrt(3) * sqrt(0.2 / n));
}

static void assert_normal(const elman_tensor *t, double s)
{
    double n = (double)elman_tensor_count(t), sum = 0, fourth = 0;
    for (int64_t i = 0; i < elman_tensor_count(t); i++) {
        sum += (double)t->data[i];
        fourth += pow((double)t->data[i] / s, 4);
    }
    assert_true(fabs(sum / n) < 5 * s / sqrt(n));
    assert_true(fabs(deviation(t) / s - 1) < 5 * sqrt(0.5 / n));
    assert_true(fabs(fourth / n - 3) < 5 * sqrt(96 / n)); /* a uniform one has 1.8 */
}

static void assert_constant(const elman_tensor *t, float v)
{
    for (int64_t i = 0; i < elman_tensor_count(t); i++)
        assert_true(t->data[i] == v);
}

static void defaults_are_pytorchs(void **state)
{
    (void)state;
    fixture f = open_fixture(0);
    initialise(&f, NULL);
    assert_normal(value(&f, "embedding.weight"), 1);
    assert_uniform(value(&f, "lstm.weight_ih_l0"), 1 / sqrt(H));
    assert_uniform(value(&f, "lstm.weight_hh_l0"), 1 / sqrt(H));
    assert_uniform(value(&f, "gru.weight_hh_l0"), 1 / sqrt(H));
    assert_uniform(value(&f, "lstm.bias_ih_l0"), 1 / sqrt(H));
    assert_uniform(value(&f, "lstm.bias_hh_l0"), 1 / sqrt(H));
    assert_uniform(value(&f, "output.weight"), 1 / sqrt(H));
    assert_uniform(value(&f, "output.bias"), 1 / sqrt(H));
    assert_constant(value(&f, "norm.weight"), 1);
    assert_constant(value(&f, "norm.bias"), 0);
    assert_constant(value(&f, "lstm.h0"), 0);
    close_fixture(&f);
}

static void weights_by_their_fans(void **state)
{
    (void)state;
    fixture f = open_fixture(0);
    initialise(&f, "uniform:0.1");
    assert_uniform(value(&f, "embedding.weight"), 0.1);
    assert_uniform(value(&f, "gru.bias_hh_l0"), 0.1);
    assert_uniform(value(&f, "output.weight"), 0.1);
    assert_constant(value(&f, "norm.weight"), 1);
    initialise(&f, "normal:0.02");
    assert_normal(value(&f, "embedding.weight"), 0.02);
    assert_normal(value(&f, "lstm.weight_hh_l0"), 0.02);
    assert_constant(value(&f, "output.bias"), 0);
    initialise(&f, "xavier-uniform:2");
    assert_uniform(value(&f, "lstm.weight_ih_l0"), 2 * sqrt(6.0 / (E + H)));
    assert_uniform(value(&f, "output.weight"), 2 * sqrt(6.0 / (H + OUT)));
    assert_normal(value(&f, "embedding.weight"), 1);
    assert_constant(value(&f, "gru.bias_ih_l0"), 0);
    initialise(&f, "xavier-normal");
    assert_normal(value(&f, "gru.weight_ih_l0"), sqrt(2.0 / (E + H)));
    initialise(&f, "kaiming-uniform");
    assert_uniform(value(&f, "output.weight"), sqrt(6.0 / H));
    initialise(&f, "kaiming-normal:1");
    assert_normal(value(&f, "lstm.weight_ih_l0"), sqrt(1.0 / E));
    close_fixture(&f);
}

/* W W^T = gain^2 I for each gate. */
static void assert_orthogonal(const elman_tensor *t, double gain)
{
    for (int64_t gate = 0; gate < t->shape[0] / H; gate++)
        for (int64_t i = 0; i < H; i++)
            for (int64_t j = 0; j < H; j++) {
                double sum = 0;
                for (int64_t k = 0; k < H; k++)
                    sum += (double)t->data[(gate * H + i) * H + k] *
                           (double)t->data[(gate * H + j) * H + k];
                assert_true(fabs(sum - (i == j ? gain * gain : 0)) < 2e-6 * gain * gain);
            }
}

static void recurrent_weights(void **state)
{
    (void)state;
    fixture f = open_fixture(0);
    initialise(&f, "orthogonal");
    assert_orthogonal(value(&f, "lstm.weight_hh_l0"), 1);
    assert_orthogonal(value(&f, "gru.weight_hh_l0"), 1);
    assert_uniform(value(&f, "lstm.weight_ih_l0"), 1 / sqrt(H)); /* the rest is the default */
    /* gates differ, and both signs of a diagonal occur */
    const float *w = value(&f, "lstm.weight_hh_l0")->data;
    assert_memory_not_equal(w, w + H * H, H * H * sizeof *w);
    int positive = 0;
    for (int i = 0; i < H; i++)
        positive += w[i * H + i] > 0;
    assert_in_range(positive, H / 5, H - H / 5);

    initialise(&f, "xavier-uniform,orthogonal:1.5,forget-bias:1");
    assert_orthogonal(value(&f, "lstm.weight_hh_l0"), 1.5);
    const float *ih = value(&f, "lstm.bias_ih_l0")->data;
    const float *hh = value(&f, "lstm.bias_hh_l0")->data;
    for (int i = 0; i < 4 * H; i++) {
        assert_true(ih[i] == (i / H == 1 ? 1.0F : 0.0F));
        assert_true(hh[i] == 0);
    }
    initialise(&f, "forget-bias:-2");
    assert_true(ih[H] == -2 && ih[2 * H - 1] == -2 && ih[H - 1] != -2 && ih[2 * H] != -2);
    assert_true(hh[H] == 0 && hh[2 * H - 1] == 0 && hh[H - 1] != 0 && hh[2 * H] != 0);

    initialise(&f, "identity:0.5");
    const float *g = value(&f, "gru.weight_hh_l0")->data;
    for (int i = 0; i < 3 * H * H; i++)
        assert_true(g[i] == ((i / H) % H == i % H ? 0.5F : 0.0F));
    assert_constant(value(&f, "gru.bias_ih_l0"), 0);
    assert_uniform(value(&f, "output.bias"), 1 / sqrt(H));
    initialise(&f, "zero-bias");
    assert_constant(value(&f, "output.bias"), 0);
    assert_uniform(value(&f, "output.weight"), 1 / sqrt(H));
    initialise(&f, "zero");
    assert_constant(value(&f, "embedding.weight"), 0);
    assert_constant(value(&f, "lstm.weight_ih_l0"), 0);
    assert_constant(value(&f, "norm.weight"), 1);
    close_fixture(&f);
}

static void hash(const fixture *f, char hex[65])
{
    elman_sha256 sha;
    elman_sha256_begin(&sha);
    for (int64_t i = 0; i < elman_parameters_count(f->set); i++) {
        const elman_tensor *t = elman_parameter_value(elman_parameters_at(f->set, i));
        elman_sha256_add(&sha, t->data, (size_t)elman_tensor_count(t) * sizeof(float));
    }
    elman_sha256_end(&sha, hex);
}

static void the_bits_are_fixed(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sha256;
    } known[] = {
        {"", "365353b07633644c94a5bdc3bc8fe5f30f314bfe5718ff7d32bbef84bb061f3d"},
        {"kaiming-normal,orthogonal,forget-bias:1",
         "905f30017d9b2a4c9e8f49c5fdb3fa85ca2a65a8e0ef65d50685a9839929c577"},
        {"xavier-normal:0.7,identity",
         "87c59e6b41c75fdad1da49f6fc0982f6f4aa1e6ebc70ad4da1d46d193c8c19ce"},
        {"uniform:0.1", "d8eee32258f96192b43d9355bc128a4f3dffc370bad91115c50ff86b76f2837c"},
    };
    static const int threads[] = {1, 2, 3, 8};
    char hex[65];
    for (int i = 0; i < 4; i++) {
        fixture f = open_fixture(threads[i]);
        for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
            fesetround(i % 2 ? FE_UPWARD : FE_TONEAREST);
            initialise(&f, known[k].text);
            fesetround(FE_TONEAREST);
            hash(&f, hex);
            assert_string_equal(hex, known[k].sha256);
        }
        assert_int_equal(elman_initialise(f.set, "", 43, NULL), ELMAN_OK);
        hash(&f, hex);
        assert_string_not_equal(hex, known[0].sha256);
        close_fixture(&f);
    }
}

static void wrong_texts_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"othogonal", "the nearest is \"orthogonal\""},
        {"xavier_uniform", "the nearest is \"xavier-uniform\""},
        {"orthogonal,forget_bias:1", "the nearest is \"forget-bias\""},
        {"qqqqqqqqq", "expected default, uniform"},
        {"uniform", "uniform has no value"},
        {"uniform:", "the value of uniform is \"\""},
        {"uniform:x", "is \"x\""},
        {"uniform:nan", "is \"nan\""},
        {"uniform:1e39", "is \"1e39\""},
        {"uniform:-1", "of at least 0"},
        {"uniform:0.1:2", "is \"0.1:2\""},
        {"zero:1", "takes no value"},
        {"forget-bias", "has no value"},
        {"forget-bias:inf", "is \"inf\""},
        {",", "unknown name \"\""},
        {"orthogonal,", "unknown name \"\""},
        {" orthogonal", "unknown name"},
        {"zero,zero,zero,zero,zero,zero,zero,zero,zero,zero,zero,zero,zero,zero,zero,zero,zero",
         "more than 16"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "unknown name"},
    };
    fixture f = open_fixture(2);
    char before[65], after[65];
    initialise(&f, NULL);
    hash(&f, before);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        elman_error error = {ELMAN_OK, ""};
        assert_int_equal(elman_initialise(f.set, cases[i].text, 1, &error), ELMAN_ERROR_ARGUMENT);
        if (!strstr(error.message, cases[i].says))
            fail_msg("%s: %s", cases[i].text, error.message);
        assert_int_equal(elman_initialise_check(cases[i].text, NULL), ELMAN_ERROR_ARGUMENT);
    }
    assert_int_equal(elman_initialise_check("identity,forget-bias:-1e3", NULL), ELMAN_OK);
    hash(&f, after);
    assert_string_equal(before, after);
    close_fixture(&f);
}

static void rules_that_nothing_obeys(void **state)
{
    (void)state;
    elman_context *context;
    elman_parameters *set;
    elman_linear_layer linear;
    elman_recurrent_layer layer;
    elman_recurrent_options o;
    elman_error error;
    assert_int_equal(elman_context_create(NULL, &context, NULL), ELMAN_OK);
    assert_int_equal(elman_parameters_create(context, false, &set, NULL), ELMAN_OK);
    assert_int_equal(elman_linear_create(set, "l", 1, 1, true, NULL, &linear, NULL), ELMAN_OK);
    assert_int_equal(elman_initialise(set, "orthogonal", 1, &error), ELMAN_ERROR_ARGUMENT);
    assert_string_equal(
        error.message,
        "initialiser: orthogonal has nothing to set here, expected a recurrent layer");
    assert_int_equal(elman_initialise(set, "forget-bias:1", 1, &error), ELMAN_ERROR_ARGUMENT);
    elman_recurrent_options_default(&o);
    o.cell = ELMAN_CELL_RNN;
    o.input = o.hidden = 1; /* of one unit: +1 or -1 */
    assert_int_equal(elman_recurrent_create(set, "r", &o, &layer, NULL), ELMAN_OK);
    assert_int_equal(elman_initialise(set, "orthogonal:3", 1, &error), ELMAN_OK);
    assert_true(fabsf(elman_parameter_value(layer.cells[0].weight_hh)->data[0]) == 3);
    assert_int_equal(elman_initialise(set, "forget-bias:1", 1, &error), ELMAN_ERROR_ARGUMENT);
    elman_parameters_free(set);
    elman_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_pytorchs),   cmocka_unit_test(weights_by_their_fans),
        cmocka_unit_test(recurrent_weights),       cmocka_unit_test(the_bits_are_fixed),
        cmocka_unit_test(wrong_texts_are_refused), cmocka_unit_test(rules_that_nothing_obeys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
