/* What must not change a bit of a layer's result: threads, padding, packing, the rest of the
 * batch, chunks of time, a fused embedding. And no allocation after the first round. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "elman/layer.h"
#include "gradient_check.h"
#include "test_malloc.h"

enum { T = 7, B = 5, V = 13, E = 11, H = 19, L = 2 };
static const int64_t lengths[B] = {3, 0, 7, 1, 7};
static const uint32_t numbers[B] = {4, 8, 15, 16, 23};

typedef struct net {
    elman_context *context;
    elman_tape *tape;
    elman_parameters *set;
    elman_embedding_layer embedding;
    elman_recurrent_layer layers;
    elman_linear_layer output;
    float x[T * B * E];
    int32_t tokens[T * B], targets[T * B];
} net;

static net *open_net(int threads, elman_cell cell, bool learnt, double dropout, bool layer_norm)
{
    net *n = calloc(1, sizeof *n);
    elman_context_options options;
    elman_recurrent_options o;
    assert_non_null(n);
    elman_context_options_default(&options);
    options.threads = threads;
    assert_int_equal(elman_context_create(&options, &n->context, NULL), ELMAN_OK);
    assert_int_equal(elman_tape_create(n->context, &n->tape, NULL), ELMAN_OK);
    assert_int_equal(elman_parameters_create(n->context, true, &n->set, NULL), ELMAN_OK);
    assert_int_equal(elman_embedding_create(n->set, "embedding", V, E, &n->embedding, NULL),
                     ELMAN_OK);
    elman_recurrent_options_default(&o);
    o.cell = cell;
    o.input = E;
    o.hidden = H;
    o.layers = L;
    o.learnt_state = learnt;
    o.dropout = dropout;
    o.layer_norm = layer_norm;
    assert_int_equal(elman_recurrent_create(n->set, "rnn", &o, &n->layers, NULL), ELMAN_OK);
    assert_int_equal(elman_linear_create(n->set, "output", H, V, true, NULL, &n->output, NULL),
                     ELMAN_OK);
    assert_int_equal(elman_initialise(n->set, NULL, 5, NULL), ELMAN_OK);
    if (learnt)
        for (int i = 0; i < L * H; i++)
            elman_parameter_edit(n->layers.h0)[i] = 0.01F * (float)i - 0.1F;
    for (int i = 0; i < T * B * E; i++)
        n->x[i] = sinf((float)i * 1.7F);
    for (int i = 0; i < T * B; i++) {
        n->tokens[i] = (i * 5) % V;
        n->targets[i] = (i * 7 + 3) % V;
    }
    return n;
}

static void close_net(net *n)
{
    elman_parameters_free(n->set);
    elman_tape_free(n->tape);
    elman_context_free(n->context);
    free(n);
}

static void begin(net *n, bool record, bool train)
{
    elman_tape_mode mode;
    elman_tape_mode_default(&mode);
    mode.record = record;
    mode.train = train;
    mode.seed = 77;
    elman_tape_begin(n->tape, &mode);
}

/* Packed rows through the fused embedding, the layers and the fused loss, and back. */
static float step(net *n)
{
    begin(n, true, true);
    const elman_sequences *s = elman_tape_sequences(n->tape, T, B, lengths, numbers, 3);
    elman_state final;
    elman_var *y = elman_recurrent_forward_tokens(n->tape, &n->layers, &n->embedding, n->tokens, s,
                                                  NULL, &final);
    elman_var *loss =
        elman_linear_cross_entropy(n->tape, &n->output, y, s, n->targets, 0.25F, NULL);
    elman_error error = {ELMAN_OK, ""};
    if (elman_tape_backward(n->tape, loss, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    return elman_var_value(loss)->data[0];
}

static void the_same_bits_for_any_number_of_threads(void **state)
{
    (void)state;
    static const int threads[] = {2, 3, 8};
    for (int cell = 0; cell < 4; cell++)
        for (int norm = 0; norm < 2; norm++) {
            net *one = open_net(1, (elman_cell)cell, true, 0.4, norm);
            float loss = step(one);
            assert_true(isfinite(loss) && loss > 0);
            for (int i = 0; i < 3; i++) {
                net *other = open_net(threads[i], (elman_cell)cell, true, 0.4, norm);
                assert_true(step(other) == loss);
                for (int64_t k = 0; k < elman_parameters_count(one->set); k++) {
                    elman_parameter *p = elman_parameters_at(one->set, k);
                    elman_parameter *q = elman_parameters_at(other->set, k);
                    size_t size = (size_t)elman_tensor_count(elman_parameter_value(p));
                    assert_true(compare_varied(elman_parameter_gradient(p), size));
                    assert_true(compare_bits(elman_parameter_gradient(p),
                                             elman_parameter_gradient(q), size));
                }
                close_net(other);
            }
            close_net(one);
        }
}

static void padded_packed_and_alone(void **state)
{
    (void)state;
    for (int cell = 0; cell < 4; cell++) {
        net *n = open_net(0, (elman_cell)cell, true, 0.3, false);
        begin(n, false, true);
        const elman_sequences *s = elman_tape_sequences(n->tape, T, B, lengths, numbers, 3);
        elman_var *x = elman_tape_input(n->tape, 3, (int64_t[]){T, B, E}, n->x);
        elman_state final, final_packed, final_alone;
        elman_var *y = elman_recurrent_forward(n->tape, &n->layers, x, s, NULL, &final);
        elman_var *packed = elman_recurrent_forward(n->tape, &n->layers, elman_pack(n->tape, x, s),
                                                    s, NULL, &final_packed);
        assert_non_null(y);
        assert_non_null(packed);
        const float *again = elman_var_value(elman_unpack(n->tape, packed, s))->data;
        assert_true(compare_varied(again, T * B * H));
        assert_true(compare_bits(elman_var_value(y)->data, again, T * B * H));
        assert_true(compare_bits(elman_var_value(final.h)->data,
                                 elman_var_value(final_packed.h)->data, L * B * H));
        for (int b = 0; b < B; b++) { /* a batch of one, with padding of another length */
            const elman_sequences *one =
                elman_tape_sequences(n->tape, lengths[b], 1, NULL, &numbers[b], 3);
            float own[T * E];
            for (int t = 0; t < T; t++)
                memcpy(own + t * E, n->x + (t * B + b) * E, sizeof(float) * E);
            elman_var *in = elman_tape_input(n->tape, 3, (int64_t[]){lengths[b], 1, E}, own);
            elman_var *alone =
                elman_recurrent_forward(n->tape, &n->layers, in, one, NULL, &final_alone);
            assert_non_null(alone);
            for (int t = 0; t < T; t++)
                for (int u = 0; u < H; u++) {
                    float got = elman_var_value(y)->data[(t * B + b) * H + u];
                    assert_true(got ==
                                (t < lengths[b] ? elman_var_value(alone)->data[t * H + u] : 0.0F));
                }
            for (int l = 0; l < L; l++)
                assert_true(compare_bits(elman_var_value(final.h)->data + (l * B + b) * H,
                                         elman_var_value(final_alone.h)->data + l * H, H));
        }
        /* a sequence of no steps ends where it began */
        assert_true(compare_bits(elman_var_value(final.h)->data + 1 * H,
                                 elman_parameter_value(n->layers.h0)->data, H));
        close_net(n);
    }
}

static void in_chunks(void **state)
{
    (void)state;
    for (int cell = 0; cell < 4; cell++) {
        net *n = open_net(0, (elman_cell)cell, false, 0.3, false);
        begin(n, false, true);
        elman_var *x = elman_tape_input(n->tape, 3, (int64_t[]){T, B, E}, n->x);
        elman_state whole, carried = {NULL, NULL};
        const elman_sequences *all = elman_tape_sequences(n->tape, T, B, NULL, NULL, 10);
        elman_var *y = elman_recurrent_forward(n->tape, &n->layers, x, all, NULL, &whole);
        for (int64_t t = 0, next; t < T; t = next) {
            next = t + 3 < T ? t + 3 : T;
            const elman_sequences *s =
                elman_tape_sequences(n->tape, next - t, B, NULL, NULL, 10 + (uint32_t)t);
            elman_var *part = elman_recurrent_forward(
                n->tape, &n->layers, elman_steps(n->tape, x, t, next), s, &carried, &carried);
            assert_non_null(part);
            assert_true(compare_bits(elman_var_value(part)->data,
                                     elman_var_value(y)->data + t * B * H,
                                     (size_t)(next - t) * B * H));
        }
        assert_true(compare_bits(elman_var_value(carried.h)->data, elman_var_value(whole.h)->data,
                                 L * B * H));
        close_net(n);
    }
}

static void a_fused_embedding_is_an_embedding(void **state)
{
    (void)state;
    for (int cell = 0; cell < 4; cell++) {
        net *n = open_net(0, (elman_cell)cell, false, 0, false);
        begin(n, true, false);
        const elman_sequences *s = elman_tape_sequences(n->tape, T, B, lengths, numbers, 0);
        elman_var *fused = elman_recurrent_forward_tokens(n->tape, &n->layers, &n->embedding,
                                                          n->tokens, s, NULL, NULL);
        elman_var *rows = elman_embedding_packed(n->tape, &n->embedding, n->tokens, s);
        elman_var *apart = elman_recurrent_forward(n->tape, &n->layers, rows, s, NULL, NULL);
        assert_non_null(fused);
        assert_non_null(apart);
        assert_true(compare_bits(elman_var_value(fused)->data, elman_var_value(apart)->data,
                                 (size_t)(s->N * H)));
        /* the loss without logits is the loss of the logits */
        double nats = 0;
        elman_var *loss =
            elman_linear_cross_entropy(n->tape, &n->output, fused, s, n->targets, 1, &nats);
        begin(n, false, false);
        s = elman_tape_sequences(n->tape, T, B, lengths, numbers, 0);
        fused = elman_recurrent_forward_tokens(n->tape, &n->layers, &n->embedding, n->tokens, s,
                                               NULL, NULL);
        loss = elman_cross_entropy(n->tape, elman_linear_packed(n->tape, &n->output, fused, s),
                                   n->targets, ELMAN_REDUCTION_SUM);
        assert_non_null(loss);
        assert_true(fabs((double)elman_var_value(loss)->data[0] - nats) < 1e-5 * nats);
        close_net(n);
    }
}

/* Three layers are three single ones with dropout of their own use between them. */
static void dropout_between_layers(void **state)
{
    (void)state;
    enum { DEEP = 3, FIRST_USE = 4 };
    net *n = open_net(0, ELMAN_CELL_GRU, false, 0, false);
    elman_recurrent_layer deep, single;
    elman_recurrent_options o = n->layers.options;
    o.layers = DEEP;
    o.dropout = 0.5;
    o.use = FIRST_USE;
    assert_int_equal(elman_recurrent_create(n->set, "deep", &o, &deep, NULL), ELMAN_OK);
    assert_int_equal(elman_initialise(n->set, NULL, 6, NULL), ELMAN_OK);
    begin(n, false, true);
    const elman_sequences *s = elman_tape_sequences(n->tape, T, B, lengths, numbers, 3);
    elman_var *x = elman_pack(n->tape, elman_tape_input(n->tape, 3, (int64_t[]){T, B, E}, n->x), s);
    elman_var *y = elman_recurrent_forward(n->tape, &deep, x, s, NULL, NULL);
    for (int l = 0; l < DEEP; l++) {
        single = deep;
        single.options.layers = 1;
        single.options.input = l == 0 ? E : H;
        single.cells = deep.cells + l;
        x = elman_recurrent_forward(n->tape, &single, x, s, NULL, NULL);
        if (l + 1 < DEEP)
            x = elman_dropout(n->tape, x, s, 0.5, FIRST_USE + l);
    }
    assert_non_null(y);
    assert_true(
        compare_bits(elman_var_value(y)->data, elman_var_value(x)->data, (size_t)(s->N * H)));
    close_net(n);
}

static void later_steps_allocate_nothing(void **state)
{
    (void)state;
    if (!test_malloc_works())
        skip();
    for (int cell = 0; cell < 4; cell++) {
        net *n = open_net(2, (elman_cell)cell, true, 0.3, false);
        float loss = step(n);
        elman_tape_begin(n->tape, NULL); /* the arena becomes one block */
        size_t calls = test_malloc_calls();
        for (int i = 0; i < 3; i++) {
            elman_parameter_edit(n->output.weight); /* packed copies are made anew in place */
            elman_parameter_edit(n->layers.cells[0].weight_hh);
            elman_parameters_zero_gradients(n->set);
            assert_true(step(n) == loss);
            elman_parameters_gather(n->set);
        }
        assert_int_equal(test_malloc_calls(), calls);
        close_net(n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_bits_for_any_number_of_threads),
        cmocka_unit_test(padded_packed_and_alone),
        cmocka_unit_test(in_chunks),
        cmocka_unit_test(a_fused_embedding_is_an_embedding),
        cmocka_unit_test(dropout_between_layers),
        cmocka_unit_test(later_steps_allocate_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
