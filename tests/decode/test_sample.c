#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "elman/sample.h"
#include "test_malloc.h"

static int make_context(void **state)
{
    elman_context_options options;
    elman_context *context;
    elman_context_options_default(&options);
    options.threads = 1;
    if (elman_context_create(&options, &context, NULL) != ELMAN_OK)
        return -1;
    *state = context;
    return 0;
}

static int free_context(void **state)
{
    elman_context_free(*state);
    return 0;
}

static elman_sampler *make(void **state, int32_t V, elman_sample_options o)
{
    elman_sampler *s;
    elman_error error;
    if (elman_sampler_create(*state, V, &o, &s, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    return s;
}

static elman_sample_options defaults(void)
{
    elman_sample_options o;
    elman_sample_options_default(&o);
    return o;
}

static int32_t draw(elman_sampler *s, const float *logits)
{
    int32_t id = -1;
    elman_error error;
    if (elman_sampler_draw(s, logits, &id, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    return id;
}

enum { V = 8, DRAWS = 20000 };
/* log of 0.05 0.30 0.05 0.20 0.05 0.10 0.24 0.01 */
static const double share[V] = {0.05, 0.30, 0.05, 0.20, 0.05, 0.10, 0.24, 0.01};

static void share_logits(float *logits)
{
    for (int i = 0; i < V; i++)
        logits[i] = (float)(log(share[i]) + 3.0);
}

/* Draws follow p over `kept` (a bit a token): chi-square with up to 7 degrees of freedom,
 * beyond 24.3 once in a thousand. The seed is fixed, so it is beyond or it is not. */
static void check_draws(void **state, elman_sample_options o, unsigned kept)
{
    float logits[V];
    double p[V], all = 0, chi = 0;
    int counts[V] = {0};
    share_logits(logits);
    for (int i = 0; i < V; i++) {
        p[i] = kept >> i & 1 ? pow(share[i], 1 / o.temperature) : 0;
        all += p[i];
    }
    elman_sampler *s = make(state, V, o);
    for (int i = 0; i < DRAWS; i++)
        counts[draw(s, logits)]++;
    elman_sampler_free(s);
    for (int i = 0; i < V; i++) {
        double want = DRAWS * p[i] / all;
        if (want == 0)
            assert_int_equal(counts[i], 0);
        else
            chi += ((double)counts[i] - want) * ((double)counts[i] - want) / want;
    }
    if (chi > 24.3)
        fail_msg("chi-square %g", chi);
}

static void test_distribution(void **state)
{
    elman_sample_options o = defaults();
    for (o.seed = 0; o.seed < 5; o.seed++)
        check_draws(state, o, 0xFF);
    o.temperature = 0.5;
    check_draws(state, o, 0xFF);
    o.temperature = 3;
    check_draws(state, o, 0xFF);
    o.sequence = 12;
    check_draws(state, o, 0xFF);
}

static void test_top_k(void **state)
{
    elman_sample_options o = defaults();
    /* by probability: 1, 6, 3, 5, then 0, 2, 4 alike, 7 */
    static const unsigned kept[] = {0xFF, 0x02, 0x42, 0x4A, 0x6A, 0x6B, 0x6F, 0x7F, 0xFF, 0xFF};
    for (o.top_k = 0; o.top_k < 10; o.top_k++)
        check_draws(state, o, kept[o.top_k]);
    o.top_k = INT32_MAX;
    check_draws(state, o, 0xFF);
}

static void test_top_p(void **state)
{
    elman_sample_options o = defaults();
    static const struct {
        double top_p;
        unsigned kept;
    } cases[] = {{1e-9, 0x02}, {0.29, 0x02}, {0.31, 0x42},  {0.53, 0x42},
                 {0.55, 0x4A}, {0.75, 0x6A}, {0.83, 0x6A},  {0.86, 0x6B},
                 {0.91, 0x6F}, {0.98, 0x7F}, {0.995, 0xFF}, {1, 0xFF}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        o.top_p = cases[i].top_p;
        check_draws(state, o, cases[i].kept);
    }
    /* of what top_k left: 0.30 and 0.24 of 0.74 are 0.73, so that 0.7 needs no third */
    o.top_k = 3;
    o.top_p = 0.7;
    check_draws(state, o, 0x42);
    o.top_p = 0.75;
    check_draws(state, o, 0x4A);
    o.top_p = 0.2;
    check_draws(state, o, 0x02);
}

static void test_min_p(void **state)
{
    elman_sample_options o = defaults();
    static const struct {
        double min_p;
        unsigned kept;
    } cases[] = {{0, 0xFF},    {0.03, 0xFF}, {0.04, 0x7F}, {0.16, 0x7F}, {0.17, 0x6A},
                 {0.34, 0x4A}, {0.7, 0x42},  {0.81, 0x02}, {1, 0x02}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        o.min_p = cases[i].min_p;
        check_draws(state, o, cases[i].kept);
    }
    o.min_p = 0.17; /* after the temperature: (0.05/0.30)^(1/3) = 0.55 */
    o.temperature = 3;
    check_draws(state, o, 0xFF);
}

/* At 1 the most probable stay, all of them. */
static void test_min_p_ties(void **state)
{
    const float logits[4] = {1, 2, 2, 0};
    int counts[4] = {0};
    elman_sample_options o = defaults();
    o.min_p = 1;
    elman_sampler *s = make(state, 4, o);
    for (int i = 0; i < 1000; i++)
        counts[draw(s, logits)]++;
    assert_in_range(counts[1], 400, 600);
    assert_int_equal(counts[1] + counts[2], 1000);
    elman_sampler_free(s);
}

static void test_greedy(void **state)
{
    elman_sample_options o = defaults();
    o.temperature = 0;
    elman_sampler *s = make(state, 4, o);
    const float a[4] = {-1, 2, 2, 0}, b[4] = {-FLT_MAX, -FLT_MAX, -FLT_MAX, FLT_MAX};
    for (int i = 0; i < 10; i++) {
        assert_int_equal(draw(s, a), 1);
        assert_int_equal(draw(s, b), 3);
    }
    assert_int_equal(elman_sampler_position(s), 20);
    elman_sampler_free(s);
    /* extremes: as good as greedy, and never a number that is not one */
    o.temperature = DBL_MIN;
    s = make(state, 4, o);
    for (int i = 0; i < 10; i++) {
        assert_in_range(draw(s, a), 1, 2);
        assert_int_equal(draw(s, b), 3);
    }
    elman_sampler_free(s);
    s = make(state, 1, defaults());
    assert_int_equal(draw(s, a), 0);
    elman_sampler_free(s);
}

static void random_logits(float *logits, int32_t n, uint64_t seed)
{
    uint64_t x = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    for (int32_t i = 0; i < n; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        logits[i] = (float)(x >> 58) * 0.25F; /* many are alike */
    }
}

static const float *sorted_logits;

static int by_probability(const void *left, const void *right)
{
    int32_t a = *(const int32_t *)left, b = *(const int32_t *)right;
    if (sorted_logits[a] != sorted_logits[b])
        return sorted_logits[a] > sorted_logits[b] ? -1 : 1;
    return a < b ? -1 : 1;
}

static void test_top_tokens(void **state)
{
    enum { N = 301 };
    static const int32_t sizes[] = {1, 2, 3, 17, 64, N};
    float logits[N];
    int32_t order[N], count;
    elman_top_token top[N];
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        int32_t n = sizes[i];
        double all = 0;
        random_logits(logits, n, i);
        for (int32_t j = 0; j < n; j++) {
            order[j] = j;
            all += exp((double)logits[j]);
        }
        sorted_logits = logits;
        qsort(order, (size_t)n, sizeof order[0], by_probability);
        elman_sampler *s = make(state, n, defaults());
        for (int32_t k = 1; k <= n + 1; k += 1 + k / 4) {
            assert_int_equal(elman_top_tokens(s, logits, k, top, &count, NULL), ELMAN_OK);
            assert_int_equal(count, k < n ? k : n);
            for (int32_t j = 0; j < count; j++) {
                assert_int_equal(top[j].id, order[j]);
                double want = exp((double)logits[order[j]]) / all;
                assert_true(fabs((double)top[j].probability - want) <= 8 * 0x1p-24 * want);
            }
        }
        assert_int_equal(elman_sampler_position(s), 0);
        assert_int_equal(elman_top_tokens(s, logits, 0, top, &count, NULL), ELMAN_ERROR_ARGUMENT);
        elman_sampler_free(s);
    }
}

/* top_k and top_p against sorting, over random logits with ties. */
static void test_kept_sets(void **state)
{
    enum { N = 97, TRIES = 400 };
    float logits[N];
    int32_t order[N];
    for (uint64_t round = 0; round < 40; round++) {
        elman_sample_options o = defaults();
        o.seed = round;
        o.top_k = (int32_t)(round % 4 == 0 ? 0 : round * 3 % 50);
        o.top_p = round % 3 == 0 ? 1 : 0.02 * (double)(round + 1);
        random_logits(logits, N, round + 100);
        for (int32_t j = 0; j < N; j++)
            order[j] = j;
        sorted_logits = logits;
        qsort(order, N, sizeof order[0], by_probability);
        int32_t k = o.top_k == 0 ? N : o.top_k;
        double all = 0, part = 0;
        for (int32_t j = 0; j < k; j++)
            all += exp((double)logits[order[j]]);
        int32_t kept = 0;
        while (kept < k && part < o.top_p * all * (1 - 1e-12))
            part += exp((double)logits[order[kept++]]);
        elman_sampler *s = make(state, N, o);
        for (int i = 0; i < TRIES; i++) {
            int32_t id = draw(s, logits), rank = 0;
            while (order[rank] != id)
                rank++;
            if (o.top_p < 1 ? rank > kept : rank >= kept) /* one more, by rounding at the edge */
                fail_msg("round %d: rank %d of %d kept", (int)round, (int)rank, (int)kept);
        }
        elman_sampler_free(s);
    }
}

/* Draw n is the same whatever came before; other seeds and sequences differ. No memory
 * is asked for. */
static void test_determinism(void **state)
{
    enum { N = 200, LENGTH = 64 };
    float logits[N];
    int32_t ids[LENGTH];
    random_logits(logits, N, 9);
    elman_sample_options o = defaults();
    o.seed = UINT64_C(0xFEDCBA9876543210);
    o.top_k = 150;
    o.top_p = 0.95;
    o.min_p = 0.001;
    o.temperature = 2;
    elman_sampler *s = make(state, N, o), *t = make(state, N, o);
    size_t calls = test_malloc_calls();
    for (int i = 0; i < LENGTH; i++)
        ids[i] = draw(s, logits);
    if (test_malloc_works())
        assert_int_equal(test_malloc_calls(), calls);
    for (int i = LENGTH - 1; i >= 0; i--) {
        elman_sampler_seek(t, (uint64_t)i);
        assert_int_equal(draw(t, logits), ids[i]);
        assert_int_equal(elman_sampler_position(t), (uint64_t)i + 1);
    }
    elman_sampler_free(t);
    for (int which = 0; which < 3; which++) {
        elman_sample_options other = o;
        other.seed += which == 0;
        other.sequence += which == 1;
        t = make(state, N, other);
        if (which == 2)
            elman_sampler_seek(t, UINT64_C(1) << 32); /* the counter's upper part */
        int same = 0;
        for (int i = 0; i < LENGTH; i++)
            same += draw(t, logits) == ids[i];
        assert_true(same < LENGTH / 4);
        elman_sampler_free(t);
    }
    elman_sampler_free(s);
}

/* The numbers themselves, so that no machine or version changes them unnoticed. */
static void test_known_draws(void **state)
{
    static const int32_t want[16] = {3, 0, 5, 5, 5, 5, 2, 5, 0, 7, 5, 3, 2, 2, 5, 7};
    float logits[V];
    for (int i = 0; i < V; i++)
        logits[i] = 0.25F * (float)(i * i % 7);
    elman_sample_options o = defaults();
    o.seed = 1990;
    elman_sampler *s = make(state, V, o);
    for (int i = 0; i < 16; i++)
        assert_int_equal(draw(s, logits), want[i]);
    elman_sampler_free(s);
}

static void test_refused(void **state)
{
    elman_sampler *s = NULL;
    elman_error error;
    elman_sample_options o[12];
    for (int i = 0; i < 12; i++)
        o[i] = defaults();
    o[0].size = 0;
    o[1].temperature = -1;
    o[2].temperature = NAN;
    o[3].temperature = INFINITY;
    o[4].top_k = -1;
    o[5].top_p = 0;
    o[6].top_p = 1.01;
    o[7].top_p = NAN;
    o[8].min_p = -0.1;
    o[9].min_p = 1.1;
    o[10].min_p = NAN;
    for (int i = 0; i < 11; i++) {
        assert_int_equal(elman_sampler_create(*state, V, &o[i], &s, &error), ELMAN_ERROR_ARGUMENT);
        assert_non_null(strstr(error.message, "found"));
        assert_null(s);
    }
    assert_int_equal(elman_sampler_create(*state, 0, NULL, &s, &error), ELMAN_ERROR_ARGUMENT);
    assert_int_equal(elman_sampler_create(*state, 4, NULL, &s, &error), ELMAN_OK);
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 3; i++) {
        float logits[4] = {0, 1, 2, 3};
        int32_t id = -7, count = -7;
        elman_top_token top[4];
        logits[i + 1] = bad[i];
        assert_int_equal(elman_sampler_draw(s, logits, &id, &error), ELMAN_ERROR_NUMERIC);
        char part[16] = "logit 1";
        part[6] = (char)('1' + i);
        assert_non_null(strstr(error.message, part));
        assert_int_equal(elman_top_tokens(s, logits, 2, top, &count, &error), ELMAN_ERROR_NUMERIC);
        assert_int_equal(id, -7);
        assert_int_equal(count, -7);
    }
    assert_int_equal(elman_sampler_position(s), 0);
    elman_sampler_free(s);
    elman_sampler_free(NULL);
    for (size_t fail_at = 1; test_malloc_works(); fail_at++) {
        size_t live = test_malloc_live();
        test_malloc_fail_at(fail_at);
        elman_status status = elman_sampler_create(*state, V, NULL, &s, &error);
        bool failed = test_malloc_failed();
        test_malloc_fail_at(0);
        if (!failed) {
            assert_int_equal(status, ELMAN_OK);
            elman_sampler_free(s);
            break;
        }
        assert_int_equal(status, ELMAN_ERROR_MEMORY);
        assert_int_equal(test_malloc_live(), live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distribution), cmocka_unit_test(test_top_k),
        cmocka_unit_test(test_top_p),        cmocka_unit_test(test_min_p),
        cmocka_unit_test(test_min_p_ties),   cmocka_unit_test(test_greedy),
        cmocka_unit_test(test_top_tokens),   cmocka_unit_test(test_kept_sets),
        cmocka_unit_test(test_determinism),  cmocka_unit_test(test_known_draws),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, make_context, free_context);
}
