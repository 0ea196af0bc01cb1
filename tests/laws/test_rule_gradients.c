/* Parameter gradients, biases and embedding rows included, are one chain each: the direction's
 * last step first, within a step by sequence, longest first. Accumulated batches continue it. A
 * small table's gate gradients are first summed by row. */
#include "elman/layer.h"
#include "recurrent_run.h"

static const char *const part_names[PARTS] = {"dW_ih", "dW_hh", "db_ih", "db_hh"};

static void same_parameters(elman_context *context, const law_run *run, const law_layer *want)
{
    for (size_t d = 0; d < want->c.D; d++)
        for (int part = 0; part < PARTS; part++)
            if (run->parts[d][part])
                law_same(context, part_names[part], run->parts[d][part]->gradient,
                         want->dw[d][part], law_part(want, part));
    if (run->table)
        law_same(context, "dtable", run->table->gradient, want->dtable, want->c.V * want->c.I);
}

/* The gradients hold numbers beforehand, which the chains go on from. */
static void check(elman_context *context, void *user)
{
    const law_pair *pair = user;
    law_run run = law_run_begin(context, &pair->given);
    law_run_forward(&run, &pair->given);
    law_run_backward(&run, &pair->given);
    same_parameters(context, &run, &pair->want);
    law_run_end(&run);
}

static void test_recurrent(void **state)
{
    (void)state;
    law_each_layer(true, check);
}

/* Rows of a ragged batch in the order of the chain, by hand: lengths 2, 3, 0, 3. Step 2 holds
 * sequences 1, 3; step 1 and 0 sequences 1, 3, 0. */
static const int64_t lengths[] = {2, 3, 0, 3};
static const size_t chain[] = {6, 7, 3, 4, 5, 0, 1, 2};
enum { ROWS = 8, K = 45, O = 39, V = 7 };

typedef struct rows_case {
    float *x, *w, *b, *dy, *table, *dw, *db, *dtable; /* gradients: what is wanted */
    int32_t tokens[ROWS], targets[ROWS];
} rows_case;

static const elman_sequences *sequences(elman_tape *tape)
{
    return elman_tape_sequences(tape, 3, 4, lengths, NULL, 0);
}

static void check_linear(elman_context *context, void *user)
{
    const rows_case *r = user;
    elman_parameter *w = law_parameter(context, "w", O, K, r->w);
    elman_parameter *b = law_parameter(context, "b", O, 0, r->b);
    elman_parameter *table = law_parameter(context, "table", V, K, r->table);
    elman_tape *tape = law_tape(context);
    for (int round = 0; round < 2; round++) { /* the second batch continues the first's chain */
        elman_tape_begin(tape, NULL);
        const elman_sequences *s = sequences(tape);
        elman_var *x = elman_tape_leaf(tape, 2, (int64_t[]){ROWS, K}, r->x);
        elman_var *y = elman_op_linear(tape, x, w, b, s);
        elman_var *e = elman_op_embedding(tape, table, r->tokens, ROWS, s);
        law_ok(tape);
        law_flow(tape, y, r->dy);
        law_flow(tape, e, r->x);
        law_backward(tape);
    }
    law_same(context, "dW of linear", w->gradient, r->dw, O * K);
    law_same(context, "db of linear", b->gradient, r->db, O);
    law_same(context, "embedding rows", table->gradient, r->dtable, V * K);
    elman_tape_free(tape);
    elman_parameter_free(table);
    elman_parameter_free(b);
    elman_parameter_free(w);
}

static void test_linear_and_embedding(void **state)
{
    (void)state;
    rows_case r = {.x = law_numbers(ROWS * K, 1),
                   .w = law_numbers(O * K, 2),
                   .b = law_numbers(O, 3),
                   .dy = law_numbers(ROWS * O, 4),
                   .table = law_numbers(V * K, 5),
                   .dw = law_zeros(O * K),
                   .db = law_zeros(O),
                   .dtable = law_zeros(V * K),
                   .tokens = {3, 1, 3, 0, 3, 1, 3, 6}};
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < ROWS; i++) {
            const float *x = r.x + chain[i] * K, *dy = r.dy + chain[i] * O;
            for (size_t j = 0; j < O * K; j++)
                r.dw[j] = fmaf(dy[j / K], x[j % K], r.dw[j]);
            for (size_t j = 0; j < O; j++)
                r.db[j] += dy[j];
            for (size_t k = 0; k < K; k++)
                r.dtable[(size_t)r.tokens[chain[i]] * K + k] += x[k];
        }
    law_each(check_linear, &r);
    float *all[] = {r.x, r.w, r.b, r.dy, r.table, r.dw, r.db, r.dtable};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

/* The fused loss: the chains of the linear layer, over the rows whose target counts. */
static void check_fused(elman_context *context, void *user)
{
    const rows_case *r = user;
    const elman_kernels *scalar = elman_kernels_for(ELMAN_ISA_SCALAR);
    elman_parameter *w = law_parameter(context, "w", O, K, r->w);
    elman_parameter *b = law_parameter(context, "b", O, 0, r->b);
    elman_tape *tape = law_tape(context);
    elman_var *x = elman_tape_leaf(tape, 2, (int64_t[]){ROWS, K}, r->x);
    double sum;
    elman_var *loss =
        elman_op_linear_cross_entropy(tape, x, w, b, r->targets, 0.125F, &sum, sequences(tape));
    law_ok(tape);
    assert_int_equal(elman_tape_backward(tape, loss, NULL), ELMAN_OK);
    float *dw = law_zeros(O * K), *db = law_zeros(O), *dx = law_zeros(ROWS * K);
    double nats[ROWS] = {0}, total = 0.0;
    for (size_t i = 0; i < ROWS; i++) {
        const float *row = r->x + chain[i] * K;
        float logits[O];
        if (r->targets[chain[i]] == ELMAN_IGNORE_TARGET)
            continue;
        for (size_t j = 0; j < O; j++)
            logits[j] = law_chain(r->b[j], row, r->w + j * K, 1, K);
        nats[chain[i]] =
            scalar->math->cross_entropy_row(logits, O, (size_t)r->targets[chain[i]], 0.125F);
        for (size_t j = 0; j < O * K; j++)
            dw[j] = fmaf(logits[j / K], row[j % K], dw[j]);
        for (size_t j = 0; j < O; j++)
            db[j] += logits[j];
        for (size_t k = 0; k < K; k++)
            dx[chain[i] * K + k] = law_chain(0.0F, logits, r->w + k, K, O);
    }
    for (size_t i = 0; i < ROWS; i++)
        total += nats[i];
    const float value = (float)((double)0.125F * total);
    assert_true(sum == total);
    law_same(context, "loss", loss->value.data, &value, 1);
    law_same(context, "dW of the loss", w->gradient, dw, O * K);
    law_same(context, "db of the loss", b->gradient, db, O);
    law_same(context, "dx of the loss", elman_var_gradient(x), dx, ROWS * K);
    free(dw);
    free(db);
    free(dx);
    elman_tape_free(tape);
    elman_parameter_free(b);
    elman_parameter_free(w);
}

static void test_fused_loss(void **state)
{
    (void)state;
    rows_case r = {.x = law_numbers(ROWS * K, 6),
                   .w = law_numbers(O * K, 7),
                   .b = law_numbers(O, 8),
                   .targets = {3, 1, ELMAN_IGNORE_TARGET, 38, 0, 1, 17, 6}};
    law_each(check_fused, &r);
    free(r.x);
    free(r.w);
    free(r.b);
}

/* A weight in two places has a buffer a place, added in order of first use. */
static void check_tied(elman_context *context, void *user)
{
    float *const *numbers = user;
    elman_parameters *set;
    elman_parameter *owner, *second, *third;
    const int64_t shape[2] = {V, K};
    assert_int_equal(elman_parameters_create(context, true, &set, NULL), ELMAN_OK);
    assert_int_equal(elman_parameters_add(set, "a", 2, shape, &owner, NULL), ELMAN_OK);
    assert_int_equal(elman_parameters_tie(set, "b", owner, &second, NULL), ELMAN_OK);
    assert_int_equal(elman_parameters_tie(set, "c", owner, &third, NULL), ELMAN_OK);
    elman_parameter *places[] = {owner, second, third};
    for (int i = 0; i < 3; i++)
        memcpy(places[i]->gradient, numbers[i], V * K * sizeof(float));
    elman_parameters_gather(set);
    float want[V * K];
    for (size_t i = 0; i < V * K; i++)
        want[i] = (numbers[0][i] + numbers[1][i]) + numbers[2][i];
    law_same(context, "tied gradients", owner->gradient, want, V * K);
    for (size_t i = 0; i < V * K; i++)
        assert_true(second->gradient[i] == 0.0F && third->gradient[i] == 0.0F);
    elman_parameters_free(set);
}

static void test_tied(void **state)
{
    (void)state;
    float *numbers[3];
    for (uint64_t i = 0; i < 3; i++)
        numbers[i] = law_numbers(V * K, 30 + i);
    law_each(check_tied, numbers);
    for (int i = 0; i < 3; i++)
        free(numbers[i]);
}

/* Dropout between the table and the layer: the rows are stored, so no sums by row; the table's
 * rows take their gradients one after the other. */
static void check_dropout(elman_context *context, void *user)
{
    law_pair *pair = user;
    const law_layer *given = &pair->given;
    law_run run = law_run_begin(context, given);
    elman_parameter *table = law_parameter(context, "table", V, given->c.I, given->dtable);
    int32_t tokens[64];
    for (size_t i = 0; i < given->N; i++)
        tokens[i] = (int32_t)(i * 5 % V);
    elman_tape_mode mode;
    elman_tape_mode_default(&mode);
    mode.train = true;
    elman_tape_begin(run.tape, &mode);
    const elman_sequences *s = elman_tape_sequences(run.tape, (int64_t)given->c.T,
                                                    (int64_t)given->c.B, given->c.lengths, NULL, 0);
    elman_cell_parameters cell = {.weight_ih = run.parts[0][0],
                                  .weight_hh = run.parts[0][1],
                                  .bias_ih = run.parts[0][2],
                                  .bias_hh = run.parts[0][3]};
    elman_var *e = elman_op_embedding(run.tape, table, tokens, (int64_t)given->N, s);
    elman_recurrent layer = {.kind = given->c.cell,
                             .input = (int64_t)given->c.I,
                             .hidden = (int64_t)given->c.H,
                             .directions = 1,
                             .cells = &cell};
    layer.x = elman_dropout(run.tape, e, s, 0.25, 3);
    elman_op_recurrent(run.tape, s, &layer);
    law_ok(run.tape);
    law_layer want = law_make(&given->c, 1);
    for (int part = 0; part < PARTS; part++) {
        memcpy(want.w[0][part], given->w[0][part], law_part(&want, part) * sizeof(float));
        memcpy(want.dw[0][part], given->dw[0][part], law_part(&want, part) * sizeof(float));
    }
    memcpy(want.x, layer.x->value.data, want.N * want.c.I * sizeof(float));
    memcpy(want.dy, given->dy, want.N * want.c.H * sizeof(float));
    law_forward(&want);
    law_back(&want);
    law_flow(run.tape, layer.y, given->dy);
    law_backward(run.tape);
    same_parameters(context, &run, &want);
    float *dtable = law_zeros(V * want.c.I);
    size_t *order = law_chain_order(&want, 0);
    for (size_t n = 0; n < want.N; n++) /* what was kept was divided by 0.75 */
        for (size_t k = 0; k < want.c.I; k++) {
            size_t at = order[n] * want.c.I + k;
            bool kept = layer.x->value.data[at] != 0.0F;
            dtable[(size_t)tokens[order[n]] * want.c.I + k] +=
                kept ? law_flush(want.dx[at] * (float)(1.0 / 0.75)) : 0.0F;
        }
    law_same(context, "embedding rows behind dropout", table->gradient, dtable, V * want.c.I);
    free(dtable);
    free(order);
    law_free(&want);
    elman_parameter_free(table);
    law_run_end(&run);
}

static void test_dropout(void **state)
{
    (void)state;
    for (int cell = ELMAN_CELL_RNN; cell <= ELMAN_CELL_GRU; cell++) {
        law_case c = law_cases[0];
        c.cell = (elman_cell)cell;
        law_pair pair = {.given = law_make(&c, 400)};
        free(pair.given.dtable);
        pair.given.dtable = law_numbers(V * c.I, 9); /* the table's values */
        law_each(check_dropout, &pair);
        law_free(&pair.given);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recurrent),  cmocka_unit_test(test_linear_and_embedding),
        cmocka_unit_test(test_fused_loss), cmocka_unit_test(test_tied),
        cmocka_unit_test(test_dropout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
