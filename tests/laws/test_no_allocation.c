/* A training step after the first and a streaming step ever allocate nothing: malloc is counted. */
#include "lm.h"
#include "test_malloc.h"

/* The first step takes what all steps of its kind need. */
static void check_training(elman_context *context, void *user)
{
    const elman_config *config = user;
    for (int ragged = 0; ragged < 2; ragged++) {
        lm_trainer t = lm_trainer_begin(context, config);
        lm_train_step(&t, ragged);
        size_t calls = test_malloc_calls();
        for (int i = 0; i < 4; i++)
            lm_train_step(&t, ragged);
        size_t more = test_malloc_calls() - calls;
        if (more)
            fail_msg("%zu allocations in four %s steps of cell %d%s, vocabulary %d, on %s with %d "
                     "threads",
                     more, ragged ? "ragged" : "whole", config->cell,
                     config->layer_norm ? ", layer-normalised" : "", (int)config->vocabulary,
                     elman_isa_name(elman_context_isa(context)), elman_context_threads(context));
        lm_trainer_end(&t);
    }
}

static void check_streaming(elman_context *context, void *user)
{
    const elman_config *config = user;
    elman_model *model = lm_model(context, config);
    size_t size = elman_session_size(model);
    void *memory = aligned_alloc(64, (size + 63) / 64 * 64);
    float *logits = law_zeros((size_t)config->vocabulary);
    assert_non_null(memory);
    size_t calls = test_malloc_calls();
    elman_session *session;
    assert_int_equal(elman_session_init(model, memory, size, &session, NULL), ELMAN_OK);
    for (int32_t i = 0; i < 50; i++)
        assert_int_equal(elman_session_step(session, i % 20, i % 3 ? logits : NULL, NULL),
                         ELMAN_OK);
    elman_session_reset(session);
    assert_int_equal(elman_session_step(session, 1, logits, NULL), ELMAN_OK);
    assert_int_equal(test_malloc_calls() - calls, 0);
    free(logits);
    free(memory);
    elman_model_free(model);
}

/* Every cell; tables that are summed by row and not; tied; all threads asleep or awake. */
static void each_network(void (*check)(elman_context *context, void *user))
{
    for (int i = 0; i < 16; i++) {
        elman_config config = lm_config((elman_cell)(i % 4), i & 8 ? 1030 : 29);
        config.layer_norm = i & 4;
        config.tied = i % 4 == 3;
        if (config.tied)
            config.embedding = config.hidden;
        const int threads[] = {1, 2, 8};
        for (int t = 0; t < 3; t++) {
            elman_context *context = law_context(ELMAN_ISA_BEST, threads[t]);
            check(context, &config);
            elman_context_free(context);
        }
    }
}

static void test_training(void **state)
{
    (void)state;
    if (!test_malloc_works())
        skip();
    each_network(check_training);
}

static void test_streaming(void **state)
{
    (void)state;
    if (!test_malloc_works())
        skip();
    each_network(check_streaming);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_training),
        cmocka_unit_test(test_streaming),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
