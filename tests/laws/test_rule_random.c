/* Random numbers: Philox 4x32-10; key: the seed; counter: unit / 4, absolute time, sequence, and
 * the pass with the use; word unit mod 4. Sequence is a number in the data, never a position. */
#include "elman/layer.h"
#include "elman/op.h"
#include "laws.h"

/* Written from the paper (Salmon et al. 2011). */
static uint32_t philox_word(uint64_t key, const uint32_t counter[4], int word)
{
    uint32_t c[4], k[2] = {(uint32_t)key, (uint32_t)(key >> 32)};
    memcpy(c, counter, sizeof c);
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)c[0] * 0xD2511F53U, b = (uint64_t)c[2] * 0xCD9E8D57U;
        uint32_t next[4] = {(uint32_t)(b >> 32) ^ c[1] ^ k[0], (uint32_t)b,
                            (uint32_t)(a >> 32) ^ c[3] ^ k[1], (uint32_t)a};
        memcpy(c, next, sizeof c);
        k[0] += 0x9E3779B9U;
        k[1] += 0xBB67AE85U;
    }
    return c[word];
}

static float uniform(uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, int word)
{
    const uint32_t counter[4] = {c0, c1, c2, c3};
    return (float)(philox_word(key, counter, word) >> 8) * 0x1p-24F;
}

enum { T = 5, B = 4, F = 77, USE = 2, TIME = 1000 };
static const uint64_t seed = 0x123456789abcdefU, pass = 3;
static const double p = 0.3;

static float dropped(float x, size_t unit, uint32_t t, uint32_t number)
{
    float u = uniform(seed, (uint32_t)(unit / 4), TIME + t, number, (16U + USE) << 24 | pass,
                      (int)(unit % 4));
    return (double)u >= p ? x * (float)(1.0 / (1.0 - p)) : 0.0F;
}

/* Two batches hold the same sequences in another order, among other lengths. */
static void check_dropout(elman_context *context, void *user)
{
    const float *values = user; /* [number][t][unit] */
    static const int64_t lengths[2][B] = {{3, 5, 0, 4}, {4, 3, 5, 1}};
    static const uint32_t numbers[2][B] = {{7, 1, 9, 8}, {8, 7, 1, 2}};
    elman_tape *tape = law_tape(context);
    elman_tape_mode mode;
    elman_tape_mode_default(&mode);
    mode.train = true;
    mode.seed = seed;
    mode.pass = pass;
    for (int batch = 0; batch < 2; batch++) {
        elman_tape_begin(tape, &mode);
        const elman_sequences *s =
            elman_tape_sequences(tape, T, B, lengths[batch], numbers[batch], TIME);
        float x[T * B * F], want[T * B * F];
        for (size_t t = 0; t < T; t++)
            for (size_t r = 0; r < (size_t)s->batch_sizes[t]; r++)
                for (size_t unit = 0; unit < F; unit++) {
                    size_t at = ((size_t)s->offsets[t] + r) * F + unit;
                    uint32_t number = numbers[batch][s->order[r]];
                    x[at] = values[(number * T + t) * F + unit];
                    want[at] = dropped(x[at], unit, (uint32_t)t, number);
                }
        elman_var *in = elman_tape_leaf(tape, 2, (int64_t[]){s->N, F}, x);
        elman_var *y = elman_dropout(tape, in, s, p, USE);
        law_ok(tape);
        law_same(context, "dropout", y->value.data, want, (size_t)s->N * F);
        law_flow(tape, y, x);
        law_backward(tape);
        law_same(context, "dropout's gradient", elman_var_gradient(in), want, (size_t)s->N * F);
    }
    elman_tape_free(tape);
}

static void test_dropout(void **state)
{
    (void)state;
    float *values = law_numbers(10 * T * F, 1);
    law_each(check_dropout, values);
    free(values);
}

/* An initialiser's counter: element / 4 (64 bits), the parameter's place, the use. */
static void check_initialise(elman_context *context, void *user)
{
    (void)user;
    elman_parameters *set;
    elman_parameter *parameters[3];
    const int64_t shapes[3][2] = {{3, 5}, {131, 77}, {1, 17}};
    assert_int_equal(elman_parameters_create(context, true, &set, NULL), ELMAN_OK);
    for (int i = 0; i < 3; i++) {
        const char name[2] = {(char)('a' + i), 0};
        assert_int_equal(elman_parameters_add(set, name, 2, shapes[i], &parameters[i], NULL), 0);
    }
    assert_int_equal(elman_initialise(set, "uniform:0.1", seed, NULL), ELMAN_OK);
    for (uint32_t i = 0; i < 3; i++) {
        size_t n = (size_t)(shapes[i][0] * shapes[i][1]);
        float *want = law_zeros(n);
        for (size_t j = 0; j < n; j++)
            want[j] = fmaf(0.1F - -0.1F,
                           uniform(seed, (uint32_t)(j / 4), 0, i, 1U << 24, (int)(j % 4)), -0.1F);
        law_same(context, "initialiser", parameters[i]->value.data, want, n);
        free(want);
    }
    elman_parameters_free(set);
}

static void test_initialise(void **state)
{
    (void)state;
    law_each(check_initialise, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_initialise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
