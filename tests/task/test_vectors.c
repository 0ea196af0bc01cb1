/* Sequences of vectors: kept, cut, standardised, batched. */
#include "../data/data_support.h"

#include <math.h>

#include "graph/tape_impl.h"
#include "task/vectors.h"

enum { W = 3, COUNT = 7 };
static const int64_t lengths[COUNT] = {2, 0, 5, 1, 5, 0, 3};

/* Number f of step t of sequence i. */
static float number(int64_t i, int64_t t, int64_t f)
{
    return (float)(10 * i + t) * 0.37F - (float)f * 5.5F;
}

static elman_status fill(elman_vectors *v, int64_t first)
{
    elman_status status = ELMAN_OK;
    for (int64_t i = first; status == ELMAN_OK && i < COUNT; i++) {
        status = elman_vectors_begin(v, &problem);
        for (int64_t t = 0; status == ELMAN_OK && t < lengths[i]; t++) {
            float step[W] = {number(i, t, 0), number(i, t, 1), number(i, t, 2)};
            status = elman_vectors_add(v, step, &problem);
        }
    }
    return status;
}

static void check(const elman_vectors *v, int64_t count)
{
    assert_int_equal(v->count, count);
    for (int64_t i = 0; i < count; i++) {
        assert_int_equal(elman_vectors_length(v, i), lengths[i]);
        for (int64_t t = 0; t < lengths[i]; t++)
            for (int64_t f = 0; f < W; f++)
                assert_true(v->values[(v->starts[i] + t) * W + f] == number(i, t, f));
    }
}

static void kept_and_cut(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    elman_vectors v;
    elman_vectors_init(&v, context, W);
    assert_ok(fill(&v, 0));
    check(&v, COUNT);
    elman_vectors_cut(&v, COUNT + 1);
    check(&v, COUNT);
    elman_vectors_cut(&v, 3);
    check(&v, 3);
    assert_int_equal(v.step_count, 7);
    assert_ok(fill(&v, 3));
    check(&v, COUNT);
    c.calls = 0;
    elman_vectors_clear(&v);
    assert_int_equal(v.count, 0);
    assert_ok(fill(&v, 0));
    check(&v, COUNT);
    assert_int_equal(c.calls, 0);
    elman_vectors_free(&v);
    elman_vectors_free(&v);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static void scaled(void **state)
{
    (void)state;
    elman_context *context;
    assert_ok(elman_context_create(NULL, &context, &problem));
    elman_vectors v;
    float mean[W], deviation[W];
    elman_vectors_init(&v, context, W);
    elman_vectors_scale(&v, 0, mean, deviation);
    assert_true(mean[0] == 0 && deviation[0] == 1);
    /* constant; 1, 2, 3, ... far from zero; so near zero that a float does not tell */
    for (int i = 0; i < 4; i++) {
        assert_ok(elman_vectors_begin(&v, &problem));
        for (int t = 0; t < 2; t++) {
            float step[W] = {0.1F, 1e6F + (float)(2 * i + t), (float)(t + 1) * 0x1p-149F};
            assert_ok(elman_vectors_add(&v, step, &problem));
        }
    }
    elman_vectors_scale(&v, 3, mean, deviation);
    assert_true(mean[0] == 0.1F && deviation[0] == 1);
    assert_true(mean[1] == 1e6F + 2.5F);
    assert_true(fabs((double)deviation[1] - sqrt(35.0 / 12.0)) < 1e-6);
    assert_true(deviation[2] == 1);
    elman_vectors_scale(&v, 4, mean, deviation);
    assert_true(mean[1] == 1e6F + 3.5F);
    elman_vectors_free(&v);
    elman_context_free(context);
}

static void batches(void **state)
{
    (void)state;
    elman_context *context;
    elman_tape *tape;
    assert_ok(elman_context_create(NULL, &context, &problem));
    assert_ok(elman_tape_create(context, &tape, &problem));
    static const float mean[W] = {1, -2, 0.5F}, deviation[W] = {2, 0.3F, 1};
    static const int64_t chosen[][COUNT] = {{0, 1, 2, 3, 4, 5, 6}, {6, 4, 1, 2}, {5}, {1, 5}};
    static const int64_t counts[] = {7, 4, 1, 2};
    elman_vectors v;
    elman_vectors_init(&v, context, W);
    assert_ok(fill(&v, 0));
    for (int k = 0; k < 4; k++) {
        elman_encoder_batch b;
        elman_tape_begin(tape, NULL);
        assert_true(elman_vectors_record(tape, &v, chosen[k], counts[k], mean, deviation, &b));
        const elman_sequences *s = b.sequences;
        assert_int_equal(s->B, counts[k]);
        assert_null(b.tokens);
        int64_t rows = 0;
        for (int64_t i = 0; i < counts[k]; i++) {
            assert_int_equal(s->lengths[i], lengths[chosen[k][i]]);
            assert_int_equal(s->numbers[i], chosen[k][i]);
        }
        for (int64_t t = 0; t < s->T; t++)
            for (int64_t p = 0; p < s->batch_sizes[t]; p++, rows++)
                for (int64_t f = 0; f < W; f++) {
                    float x = number(chosen[k][s->order[p]], t, f);
                    assert_true(b.vectors[rows * W + f] == (x - mean[f]) / deviation[f]);
                }
        assert_int_equal(rows, s->N);
    }
    elman_vectors_free(&v);
    elman_tape_free(tape);
    elman_context_free(context);
}

/* Noise is of that deviation, a sequence's own whatever its batch, and other in another epoch. */
static void disturbed(void **state)
{
    (void)state;
    enum { MANY = 400, STEPS = 5 };
    elman_context *context;
    elman_tape *tape;
    assert_ok(elman_context_create(NULL, &context, &problem));
    assert_ok(elman_tape_create(context, &tape, &problem));
    static const float mean[W] = {0}, deviation[W] = {1, 1, 1}, zero[W] = {0};
    static float first[MANY * STEPS * W];
    elman_vectors v;
    int64_t numbers[MANY];
    elman_vectors_init(&v, context, W);
    for (int i = 0; i < MANY; i++) {
        numbers[i] = i;
        assert_ok(elman_vectors_begin(&v, &problem));
        for (int t = 0; t < STEPS; t++)
            assert_ok(elman_vectors_add(&v, zero, &problem));
    }
    elman_vector_noise noise = {.deviation = 0.5, .seed = 3, .pass = 2};
    elman_encoder_batch b;
    double sum = 0, squares = 0;
    elman_tape_begin(tape, NULL);
    assert_true(elman_vectors_record(tape, &v, numbers, MANY, mean, deviation, &b));
    assert_true(elman_vectors_disturb(tape, numbers, W, &noise, &b));
    memcpy(first, b.vectors, sizeof first);
    for (int i = 0; i < MANY * STEPS * W; i++) {
        sum += (double)first[i];
        squares += (double)first[i] * (double)first[i];
    }
    assert_true(fabs(sum / (MANY * STEPS * W)) < 0.03);
    assert_true(fabs(sqrt(squares / (MANY * STEPS * W)) - 0.5) < 0.02);
    for (int64_t i = 0; i < MANY; i += 41) {
        elman_tape_begin(tape, NULL);
        assert_true(elman_vectors_record(tape, &v, &numbers[i], 1, mean, deviation, &b));
        assert_true(elman_vectors_disturb(tape, &numbers[i], W, &noise, &b));
        for (int t = 0; t < STEPS; t++)
            assert_memory_equal(b.vectors + t * W, first + (t * MANY + i) * W, W * sizeof *first);
    }
    for (int other = 0; other < 3; other++) {
        elman_vector_noise changed = noise;
        int same = 0;
        changed.seed += (uint64_t)(other == 0);
        changed.pass += (uint64_t)(other == 1);
        changed.deviation *= other < 2;
        elman_tape_begin(tape, NULL);
        assert_true(elman_vectors_record(tape, &v, numbers, MANY, mean, deviation, &b));
        assert_true(elman_vectors_disturb(tape, numbers, W, &changed, &b));
        for (int i = 0; i < MANY * STEPS * W; i++)
            same += b.vectors[i] == (other < 2 ? first[i] : 0);
        assert_in_range(same, other < 2 ? 0 : MANY * STEPS * W, other < 2 ? 5 : MANY * STEPS * W);
    }
    /* no two numbers of a sequence are the same draw */
    int twice = 0;
    for (int i = 0; i < STEPS * W; i++)
        for (int j = 0; j < i; j++)
            twice += first[(i / W) * MANY * W + i % W] == first[(j / W) * MANY * W + j % W];
    assert_int_equal(twice, 0);
    elman_vectors_free(&v);
    elman_tape_free(tape);
    elman_context_free(context);
}

static void memory(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    int before = c.live, failures = 0;
    for (elman_status status = ELMAN_ERROR_MEMORY; status != ELMAN_OK; failures++) {
        elman_vectors v;
        elman_vectors_init(&v, context, W);
        c.calls = 0;
        c.fail_at = failures + 1;
        status = fill(&v, 0);
        assert_true(status == ELMAN_OK || status == ELMAN_ERROR_MEMORY);
        c.fail_at = 0;
        if (status != ELMAN_OK) /* the sequence that was begun last has not all of its steps */
            elman_vectors_cut(&v, v.count ? v.count - 1 : 0);
        check(&v, v.count);
        elman_vectors_free(&v);
        assert_int_equal(c.live, before);
    }
    assert_true(failures > 5);
    elman_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_and_cut), cmocka_unit_test(scaled), cmocka_unit_test(batches),
        cmocka_unit_test(disturbed),    cmocka_unit_test(memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
