/* Backward: dh starts at the gradient from above plus its pointwise terms, then the gate rows of
 * the step after in PyTorch's order; a bidirectional input gradient takes the forward direction's
 * rows, then the reverse's; other reused values add the last use first. */
#include "elman/op.h"
#include "recurrent_run.h"

static void check(elman_context *context, void *user)
{
    const law_pair *pair = user;
    const law_layer *want = &pair->want;
    const law_case *c = &want->c;
    law_run run = law_run_begin(context, &pair->given);
    law_run_forward(&run, &pair->given);
    law_run_backward(&run, &pair->given);
    const size_t state = c->D * c->B * c->H;
    if (run.layer.x)
        law_same(context, "dx", elman_var_gradient(run.layer.x), want->dx, want->N * c->I);
    if (run.layer.h0)
        law_same(context, "dh0", elman_var_gradient(run.layer.h0), want->dh0, state);
    if (run.layer.c0)
        law_same(context, "dc0", elman_var_gradient(run.layer.c0), want->dc0, state);
    law_run_end(&run);
}

static void test_recurrent(void **state)
{
    (void)state;
    law_each_layer(true, check);
}

/* x is used three times: by a product, elsewhere by another, and by itself. */
typedef struct reuse {
    size_t rows, K, O;
    float *x, *w[2], *dy[2], *dz, *want;
} reuse;

static void check_reuse(elman_context *context, void *user)
{
    const reuse *r = user;
    const int64_t rows = (int64_t)r->rows, K = (int64_t)r->K;
    elman_parameter *first = law_parameter(context, "first", r->O, r->K, r->w[0]);
    elman_parameter *second = law_parameter(context, "second", r->O, r->K, r->w[1]);
    elman_tape *tape = law_tape(context);
    elman_var *x = elman_tape_leaf(tape, 2, (int64_t[]){rows, K}, r->x);
    elman_var *a = elman_op_linear(tape, x, first, NULL, NULL);
    elman_var *b = elman_op_linear(tape, x, second, NULL, NULL);
    elman_var *z = elman_scale(tape, x, 0.3F);
    law_ok(tape);
    law_flow(tape, a, r->dy[0]);
    law_flow(tape, b, r->dy[1]);
    law_flow(tape, z, r->dz);
    law_backward(tape);
    law_same(context, "dx of three uses", elman_var_gradient(x), r->want, r->rows * r->K);
    elman_tape_free(tape);
    elman_parameter_free(second);
    elman_parameter_free(first);
}

static void test_last_use_first(void **state)
{
    (void)state;
    reuse r = {.rows = 70, .K = 37, .O = 67};
    const size_t weights = r.O * r.K, outputs = r.rows * r.O, inputs = r.rows * r.K;
    r.x = law_numbers(inputs, 1);
    r.dz = law_numbers(inputs, 2);
    r.want = law_zeros(inputs);
    for (int i = 0; i < 2; i++) {
        r.w[i] = law_numbers(weights, 3 + (uint64_t)i);
        r.dy[i] = law_numbers(outputs, 5 + (uint64_t)i);
    }
    for (size_t i = 0; i < inputs; i++) {
        size_t row = i / r.K, k = i % r.K;
        float of_scale = law_flush(r.dz[i] * 0.3F), of[2];
        for (int j = 0; j < 2; j++)
            of[j] = law_chain(0.0F, r.dy[j] + row * r.O, r.w[j] + k, r.K, r.O);
        r.want[i] = law_flush(law_flush(of_scale + of[1]) + of[0]);
    }
    law_each(check_reuse, &r);
    float *all[] = {r.x, r.dz, r.want, r.w[0], r.w[1], r.dy[0], r.dy[1]};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recurrent),
        cmocka_unit_test(test_last_use_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
