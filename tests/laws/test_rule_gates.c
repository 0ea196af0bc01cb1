/* Gates: the chain starts at b_ih + b_hh, added once, then input k, then recurrent k; a GRU's n
 * keeps two chains, from b_in and b_hn. */
#include "recurrent_run.h"

static void check(elman_context *context, void *user)
{
    const law_pair *pair = user;
    const law_case *c = &pair->want.c;
    law_run run = law_run_begin(context, &pair->given);
    law_run_forward(&run, &pair->given);
    const size_t state = c->D * c->B * c->H;
    law_same(context, "y", run.layer.y->value.data, pair->want.y, pair->want.N * c->D * c->H);
    law_same(context, "hn", run.layer.hn->value.data, pair->want.hn, state);
    if (run.layer.cn)
        law_same(context, "cn", run.layer.cn->value.data, pair->want.cn, state);
    law_run_end(&run);
}

static void test_gates(void **state)
{
    (void)state;
    law_each_layer(false, check);
}

/* The numbers tell orders apart: the same gates begun with b_hh alone, b_ih added last, differ. */
static void test_numbers_tell(void **state)
{
    (void)state;
    law_layer l = law_make(&law_cases[0], 1);
    size_t differ = 0;
    for (size_t u = 0; u < l.c.H; u++) {
        const float *x = law_input(&l, 0), *h = law_before(&l, 0, 0, 0, false);
        float right = law_gate(&l, 0, 0, u, x, h);
        float wrong = law_chain(l.w[0][PART_B_HH][u], x, l.w[0][PART_W_IH] + u * l.c.I, 1, l.c.I);
        wrong = law_chain(wrong, h, l.w[0][PART_W_HH] + u * l.c.H, 1, l.c.H);
        wrong += l.w[0][PART_B_IH][u];
        differ += right != wrong;
    }
    assert_true(differ > l.c.H / 4);
    law_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gates),
        cmocka_unit_test(test_numbers_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
