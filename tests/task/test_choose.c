/* What is chosen where a newcomer chooses nothing, and that what was asked for is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "task/lm_impl.h"

static const int levels[] = {ELMAN_LEVEL_CHAR, ELMAN_LEVEL_BYTE, ELMAN_LEVEL_WORD};

static elman_config chosen(int level, uint64_t tokens)
{
    elman_config c;
    elman_config_default(&c);
    c.level = level;
    elman_lm_choose(&c, tokens, 77);
    return c;
}

/* Nothing stays auto, and what comes out is a configuration. */
static void complete(void **state)
{
    (void)state;
    for (int l = 0; l < 3; l++)
        for (uint64_t tokens = 2;; tokens = tokens * 3 + 1) {
            elman_error error = {0};
            elman_config c = chosen(levels[l], tokens);
            assert_int_equal(c.vocabulary, 77);
            assert_true(c.layers > 0 && c.hidden > 0 && c.batch > 0 && c.bptt > 0);
            assert_true(c.epochs > 0 && c.lr > 0 && c.dropout >= 0);
            assert_int_equal(c.embedding, c.hidden);
            assert_true((uint64_t)c.batch < tokens || c.batch == 1);
            if (elman_config_validate(&c, &error) != ELMAN_OK)
                fail_msg("%s", error.message);
            if (tokens > UINT64_MAX / 4)
                break;
        }
}

/* More text never makes a smaller network, smaller batches or more epochs. */
static void monotone(void **state)
{
    (void)state;
    for (int l = 0; l < 3; l++) {
        elman_config before = chosen(levels[l], 2);
        for (uint64_t tokens = 3; tokens < UINT64_C(1) << 40; tokens += tokens / 50 + 1) {
            elman_config c = chosen(levels[l], tokens);
            if (c.hidden < before.hidden || c.batch < before.batch || c.epochs > before.epochs ||
                c.layers < before.layers || c.bptt != before.bptt ||
                c.checkpoint_every < before.checkpoint_every)
                fail_msg("level %d: at %llu tokens", levels[l], (unsigned long long)tokens);
            before = c;
        }
        assert_true(before.hidden > chosen(levels[l], 2).hidden);
        assert_true(before.epochs < chosen(levels[l], 2).epochs);
    }
}

/* There are some batches in an epoch of a little text. */
static void little_text(void **state)
{
    (void)state;
    for (int l = 0; l < 3; l++)
        for (uint64_t tokens = 300; tokens < 30000; tokens += 37) {
            elman_config c = chosen(levels[l], tokens);
            assert_true(tokens / (uint64_t)(c.batch * c.bptt) >= 4 || c.batch == 1);
        }
}

/* Each option of its own, and all together. */
static void asked_for(void **state)
{
    (void)state;
    elman_config want;
    elman_config_default(&want);
    want.layers = 3;
    want.hidden = 33;
    want.embedding = 21;
    want.dropout = 0;
    want.batch = 65536;
    want.bptt = 7;
    want.epochs = 5;
    want.lr = 1e-12;
    want.checkpoint_every = 123456;
    want.max_steps = 12;
    want.momentum = 0.25;
    want.weight_decay = 0.5;
    want.clip = 0;
    want.seed = 9;
    want.warmup = 4;
    want.patience = 6;
    want.eval_every = 8;
    want.accumulate = 2;
    want.cell = ELMAN_CELL_GRU;
    want.optimizer = ELMAN_OPTIMIZER_SGD;
    strcpy(want.schedule, "constant");
    strcpy(want.valid, "0.25");
    for (int l = 0; l < 3; l++)
        for (uint64_t tokens = 2; tokens < UINT64_C(1) << 50; tokens *= 7) {
            elman_config c = want;
            c.level = levels[l];
            elman_config expected = c;
            expected.vocabulary = 77;
            elman_lm_choose(&c, tokens, 77);
            assert_memory_equal(&c, &expected, sizeof c);

            /* the others are chosen as ever but where one follows from another */
            elman_config free_choice = chosen(levels[l], tokens);
#define ALONE(field, value)                                                                        \
    do {                                                                                           \
        elman_config_default(&c);                                                                  \
        c.level = levels[l];                                                                       \
        c.field = value;                                                                           \
        elman_lm_choose(&c, tokens, 77);                                                           \
        assert_true(c.field == value);                                                             \
        assert_true(c.hidden == free_choice.hidden || c.hidden == 33);                             \
        assert_true(c.layers == free_choice.layers || c.layers == 3);                              \
        assert_true(c.lr == free_choice.lr || c.lr == 0.5);                                        \
    } while (0)
            ALONE(layers, 3);
            ALONE(hidden, 33);
            ALONE(embedding, 21);
            ALONE(dropout, 0);
            ALONE(dropout, 0.75);
            ALONE(batch, 17);
            ALONE(bptt, 9);
            ALONE(epochs, 1000);
            ALONE(lr, 0.5);
            ALONE(max_steps, 3);
            ALONE(checkpoint_every, 7);
#undef ALONE
        }
}

/* A limit in steps alone is not met by epochs first; tied weights need one width. */
static void together(void **state)
{
    (void)state;
    elman_config c;
    elman_config_default(&c);
    c.max_steps = 1000000;
    elman_lm_choose(&c, 5000, 10);
    assert_int_equal(c.epochs, INT32_MAX);
    elman_config_default(&c);
    c.tied = true;
    c.embedding = 48;
    elman_lm_choose(&c, 5000, 10);
    assert_int_equal(c.hidden, 48);
    elman_config_default(&c);
    c.tied = true;
    c.hidden = 40;
    elman_lm_choose(&c, 5000, 10);
    assert_int_equal(c.embedding, 40);
    elman_config_default(&c);
    c.embedding = 48;
    elman_lm_choose(&c, 5000, 10);
    assert_int_not_equal(c.hidden, 48);
    /* the largest that can be asked for */
    elman_config_default(&c);
    c.batch = 65536;
    c.bptt = 1048576;
    c.accumulate = 65536;
    elman_lm_choose(&c, UINT64_MAX / 2, 10);
    assert_int_equal(c.batch, 65536);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complete),  cmocka_unit_test(monotone), cmocka_unit_test(little_text),
        cmocka_unit_test(asked_for), cmocka_unit_test(together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
