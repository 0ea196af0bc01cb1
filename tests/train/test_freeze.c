/* The optimiser leaves what is frozen alone, whether it was frozen before or after the optimiser
 * was made, and updates the rest as ever. */
#include "../op/reading_case.h"

#include "elman/layer.h"
#include "elman/optimizer.h"

/* Gradients of 1, 2, 3.. three times; `frozen` is frozen before the optimiser is made, or after its
 * first step. */
static void train(elman_context *context, elman_optimizer_kind kind, int frozen, bool later,
                  float values[3][7])
{
    elman_parameters *set;
    elman_parameter *p[3];
    elman_optimizer *optimizer;
    elman_optimizer_options o;
    const int64_t seven = 7;
    static const char *const names[3] = {"a", "b", "c"};
    elman_optimizer_options_default(&o);
    o.kind = kind;
    o.clip = 0;
    assert_int_equal(elman_parameters_create(context, true, &set, NULL), ELMAN_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(elman_parameters_add(set, names[i], 1, &seven, &p[i], NULL), ELMAN_OK);
        memset(p[i]->value.data, 0, 7 * sizeof(float));
    }
    if (frozen >= 0 && !later)
        elman_parameter_freeze(p[frozen]);
    assert_int_equal(elman_optimizer_create(context, set, &o, &optimizer, NULL), ELMAN_OK);
    for (int step = 0; step < 3; step++) {
        double norm = -1;
        for (int i = 0; i < 3; i++)
            for (int k = 0; p[i]->gradient && k < 7; k++)
                p[i]->gradient[k] = (float)(k + 1 + i + step);
        uint64_t version = frozen >= 0 ? p[frozen]->version : 0;
        assert_int_equal(elman_optimizer_step(optimizer, 0.1, &norm, NULL), ELMAN_OK);
        assert_true(norm > 0);
        if (frozen >= 0 && (!later || step > 0))
            assert_true(version == p[frozen]->version);
        if (frozen >= 0 && later)
            elman_parameter_freeze(p[frozen]);
        if (frozen >= 0 && later && step == 0)
            memset(elman_parameter_edit(p[frozen]), 0, 7 * sizeof(float));
    }
    for (int i = 0; i < 3; i++)
        memcpy(values[i], p[i]->value.data, sizeof values[i]);
    elman_optimizer_free(optimizer);
    elman_parameters_free(set);
}

static void optimise(elman_context *context, elman_tape *tape)
{
    (void)tape;
    for (int kind = 0; kind < 2; kind++) {
        elman_optimizer_kind k = kind ? ELMAN_OPTIMIZER_SGD : ELMAN_OPTIMIZER_ADAM;
        float whole[3][7], part[3][7];
        const float zeros[7] = {0};
        train(context, k, -1, false, whole);
        for (int frozen = 0; frozen < 3; frozen++)
            for (int later = 0; later < 2; later++) {
                train(context, k, frozen, later, part);
                for (int i = 0; i < 3; i++)
                    assert_true(compare_bits(part[i], i == frozen ? zeros : whole[i], 7));
            }
        assert_true(compare_varied(whole[0], 7) || kind == 0);
    }
}

static void optimised(void **state)
{
    (void)state;
    for_each_context(optimise);
}

static void nothing_to_train(void **state)
{
    (void)state;
    elman_context *context;
    elman_parameters *set;
    elman_parameter *p;
    elman_optimizer *optimizer;
    elman_error error;
    assert_int_equal(elman_context_create(NULL, &context, NULL), ELMAN_OK);
    assert_int_equal(elman_parameters_create(context, true, &set, NULL), ELMAN_OK);
    assert_int_equal(elman_parameters_add(set, "a", 1, (int64_t[]){2}, &p, NULL), ELMAN_OK);
    elman_parameter_freeze(p);
    assert_int_equal(elman_optimizer_create(context, set, NULL, &optimizer, &error),
                     ELMAN_ERROR_ARGUMENT);
    elman_parameters_free(set);
    elman_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(optimised),
        cmocka_unit_test(nothing_to_train),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
