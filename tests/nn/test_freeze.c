/* Frozen parameters: whichever are frozen, the other gradients and the input's have the same bits
 * as if none were; a model that is only run still answers its input's gradient. */
#include "../op/reading_case.h"

#include "elman/layer.h"

enum { T = 5, B = 4, I = 6, H = 9, V = 11, LARGE = 1100, MOST = 64 };

static const int64_t lengths[B] = {3, 5, 0, 5};
static const int32_t tokens[T * B] = {3, 1, 3, 0, 9, 1, 4, 10, 3, 2, 2, 7, 5};
static const int32_t targets[T * B] = {1, 0, 2, -100, 3, 3, 0, 1, 2, 4, -100, 1, 0};
static const int32_t classes[B] = {1, 0, 2, 3};

/* One network, its parameters in a set of their own. x: leaf [N,I], which some don't read. */
typedef struct network {
    elman_cell cell;
    bool layer_norm, learnt_state;
    int kind;
} network;

enum { STEPS, POOLED, ATTENTION, TOKENS, LARGE_TOKENS, EMBEDDED, KINDS };

static elman_recurrent_layer make_recurrent(elman_parameters *set, const network *n)
{
    elman_recurrent_options o;
    elman_recurrent_layer layer;
    elman_recurrent_options_default(&o);
    o.cell = n->cell;
    o.input = I;
    o.hidden = H;
    o.layers = 2;
    o.bidirectional = o.residual = o.output_norm = true;
    o.layer_norm = n->layer_norm;
    o.learnt_state = n->learnt_state;
    assert_int_equal(elman_recurrent_create(set, "rnn", &o, &layer, NULL), ELMAN_OK);
    return layer;
}

/* A round's loss; set is empty, or what an earlier call made where `layers` says so. */
typedef struct layers {
    elman_embedding_layer embedding;
    elman_recurrent_layer recurrent;
    elman_attention_pool_layer attention;
    elman_linear_layer linear;
} layers;

static layers make_layers(elman_parameters *set, const network *n)
{
    layers l;
    int64_t rows = n->kind == LARGE_TOKENS ? LARGE : V;
    if (n->kind >= TOKENS)
        assert_int_equal(elman_embedding_create(set, "embedding", rows, I, &l.embedding, NULL),
                         ELMAN_OK);
    l.recurrent = make_recurrent(set, n);
    if (n->kind == ATTENTION)
        assert_int_equal(elman_attention_pool_create(set, "pool", 2 * H, 5, &l.attention, NULL),
                         ELMAN_OK);
    assert_int_equal(elman_linear_create(set, "out", 2 * H, 5, true, NULL, &l.linear, NULL),
                     ELMAN_OK);
    assert_int_equal(elman_initialise(set, "uniform:0.5", 5, NULL), ELMAN_OK);
    return l;
}

static elman_var *loss_of(elman_tape *tape, const network *n, const layers *l, elman_var *x,
                          const elman_sequences *s)
{
    if (n->kind == EMBEDDED)
        x = elman_embedding_packed(tape, &l->embedding, tokens, s);
    elman_var *y = n->kind == TOKENS || n->kind == LARGE_TOKENS
                       ? elman_recurrent_forward_tokens(tape, &l->recurrent, &l->embedding, tokens,
                                                        s, NULL, NULL)
                       : elman_recurrent_forward(tape, &l->recurrent, x, s, NULL, NULL);
    if (n->kind == STEPS || n->kind >= TOKENS)
        return elman_linear_cross_entropy(tape, &l->linear, y, s, targets, 1.0F, NULL);
    y = n->kind == ATTENTION
            ? elman_attention_pool(tape, &l->attention, y, s, NULL)
            : elman_concatenate(
                  tape, (elman_var *[]){elman_pool_max(tape, y, s), elman_pool_mean(tape, y, s)},
                  2);
    if (n->kind == POOLED)
        y = elman_add(tape, elman_slice(tape, y, 0, 2 * H), elman_slice(tape, y, 2 * H, 4 * H));
    return elman_class_loss(tape, elman_linear(tape, &l->linear, y), classes, NULL, NULL);
}

/* What a run answers; g: NULL where frozen. */
typedef struct outcome {
    int64_t count;
    float loss;
    float *dx, *g[MOST];
} outcome;

static float *copy(const float *from, int64_t n)
{
    float *to = NULL;
    if (from) {
        to = calloc((size_t)n + 1, sizeof *to);
        memcpy(to, from, (size_t)n * sizeof *to);
    }
    return to;
}

static void forget(outcome *o)
{
    free(o->dx);
    for (int64_t i = 0; i < o->count; i++)
        free(o->g[i]);
}

/* Freezes number `one`, or, where `others`, all the rest; one = -1: none, or all. */
static outcome run(elman_context *context, elman_tape *tape, const network *n, int64_t one,
                   bool others, bool with_gradients)
{
    elman_parameters *set;
    assert_int_equal(elman_parameters_create(context, with_gradients, &set, NULL), ELMAN_OK);
    layers l = make_layers(set, n);
    outcome o = {.count = elman_parameters_count(set)};
    assert_true(o.count <= MOST);
    for (int64_t i = 0; i < o.count; i++)
        if ((i == one) != others) {
            elman_parameter_freeze(elman_parameters_at(set, i));
            elman_parameter_freeze(elman_parameters_at(set, i));
        }
    float *x = random_floats(T * B * I, 1);
    elman_tape_begin(tape, NULL);
    const elman_sequences *s = elman_tape_sequences(tape, T, B, lengths, NULL, 0);
    elman_var *leaf = elman_tape_leaf(tape, 2, (int64_t[]){s->N, I}, x);
    elman_var *loss = loss_of(tape, n, &l, leaf, s);
    assert_non_null(loss);
    assert_int_equal(elman_tape_backward(tape, loss, NULL), ELMAN_OK);
    o.loss = loss->value.data[0];
    o.dx = copy(elman_var_gradient(leaf), s->N * I);
    for (int64_t i = 0; i < o.count; i++) {
        elman_parameter *p = elman_parameters_at(set, i);
        o.g[i] = copy(elman_parameter_gradient(p), elman_tensor_count(&p->value));
        if (with_gradients && !others && one >= 0)
            assert_true((o.g[i] == NULL) == (i == one));
    }
    elman_parameters_zero_gradients(set);
    free(x);
    elman_parameters_free(set);
    return o;
}

static int64_t elements(const network *n, elman_context *context, int64_t i)
{
    elman_parameters *set;
    assert_int_equal(elman_parameters_create(context, false, &set, NULL), ELMAN_OK);
    make_layers(set, n);
    int64_t count = elman_tensor_count(&elman_parameters_at(set, i)->value);
    elman_parameters_free(set);
    return count;
}

static void compare(const network *n, elman_context *context, const outcome *whole,
                    const outcome *part)
{
    assert_true(whole->loss == part->loss);
    if (whole->dx) {
        assert_non_null(part->dx);
        assert_true(compare_bits(whole->dx, part->dx, 13 * I));
    }
    for (int64_t i = 0; i < whole->count; i++)
        if (part->g[i])
            assert_true(compare_bits(whole->g[i], part->g[i], (size_t)elements(n, context, i)));
}

static void freeze_each(elman_context *context, elman_tape *tape, const network *n)
{
    outcome whole = run(context, tape, n, -1, false, true);
    assert_true((whole.dx != NULL) == (n->kind < TOKENS));
    assert_true(!whole.dx || compare_varied(whole.dx, 13 * I));
    for (int64_t i = 0; i < whole.count; i++)
        for (int others = 0; others < 2; others++) {
            outcome part = run(context, tape, n, i, others, true);
            compare(n, context, &whole, &part);
            assert_true(!others || part.g[i]);
            forget(&part);
        }
    if (n->kind < TOKENS) {
        outcome all = run(context, tape, n, -1, true, true);
        outcome run_only = run(context, tape, n, -1, false, false);
        compare(n, context, &whole, &all);
        compare(n, context, &whole, &run_only);
        forget(&all);
        forget(&run_only);
    }
    forget(&whole);
}

static void every_network(void **state)
{
    (void)state;
    static const elman_cell cells[] = {ELMAN_CELL_RNN, ELMAN_CELL_LSTM, ELMAN_CELL_GRU};
    elman_context_options options;
    elman_context *context;
    elman_tape *tape;
    elman_context_options_default(&options);
    options.threads = 2;
    assert_int_equal(elman_context_create(&options, &context, NULL), ELMAN_OK);
    assert_int_equal(elman_tape_create(context, &tape, NULL), ELMAN_OK);
    for (int c = 0; c < 3; c++)
        for (int norm = 0; norm < 2; norm++)
            for (int kind = 0; kind < KINDS; kind++) {
                network n = {cells[c], norm, kind != ATTENTION, kind};
                freeze_each(context, tape, &n);
            }
    elman_tape_free(tape);
    elman_context_free(context);
}

/* -- many columns, cut among threads ---------------------------------------------------------- */

enum { WIDE = 600, ROWS = 50 };

/* A gradient of a layer normalisation, or of a linear layer, with the other parameter frozen. */
static float *wide_gradient(elman_context *context, elman_tape *tape, bool linear, int wanted,
                            bool freeze)
{
    elman_parameters *set;
    elman_layer_norm_layer norm;
    elman_linear_layer line;
    assert_int_equal(elman_parameters_create(context, true, &set, NULL), ELMAN_OK);
    if (linear)
        assert_int_equal(elman_linear_create(set, "l", WIDE, WIDE, true, NULL, &line, NULL),
                         ELMAN_OK);
    else
        assert_int_equal(elman_layer_norm_create(set, "n", WIDE, true, &norm, NULL), ELMAN_OK);
    assert_int_equal(elman_initialise(set, NULL, 7, NULL), ELMAN_OK);
    if (freeze)
        elman_parameter_freeze(elman_parameters_at(set, 1 - wanted));
    float *x = random_floats(ROWS * WIDE, 1);
    elman_tape_begin(tape, NULL);
    elman_var *leaf = elman_tape_leaf(tape, 2, (int64_t[]){ROWS, WIDE}, x);
    elman_var *y =
        linear ? elman_linear(tape, &line, leaf) : elman_layer_norm(tape, &norm, leaf, NULL);
    assert_int_equal(elman_tape_backward(tape, gradient_weigh(tape, y), NULL), ELMAN_OK);
    elman_parameter *p = elman_parameters_at(set, wanted);
    float *gradient = copy(p->gradient, elman_tensor_count(&p->value));
    free(x);
    elman_parameters_free(set);
    return gradient;
}

static void wide(elman_context *context, elman_tape *tape)
{
    for (int linear = 0; linear < 2; linear++)
        for (int wanted = 0; wanted < 2; wanted++) {
            float *whole = wide_gradient(context, tape, linear, wanted, false);
            float *part = wide_gradient(context, tape, linear, wanted, true);
            assert_true(compare_bits(whole, part, linear && wanted == 0 ? WIDE * WIDE : WIDE));
            free(whole);
            free(part);
        }
}

static void wide_layers(void **state)
{
    (void)state;
    for_each_context(wide);
}

/* -- tied places ---------------------------------------------------------------------------------
 */

static void tied_places(elman_context *context, elman_tape *tape)
{
    elman_parameters *set;
    elman_embedding_layer embedding;
    elman_linear_layer linear;
    (void)tape;
    assert_int_equal(elman_parameters_create(context, true, &set, NULL), ELMAN_OK);
    assert_int_equal(elman_embedding_create(set, "e", 3, 2, &embedding, NULL), ELMAN_OK);
    assert_int_equal(elman_linear_create(set, "o", 2, 3, true, embedding.weight, &linear, NULL),
                     ELMAN_OK);
    for (int i = 0; i < 6; i++)
        linear.weight->gradient[i] = (float)i;
    elman_parameter_freeze(embedding.weight);
    elman_parameters_gather(set); /* nowhere to go */
    for (int i = 0; i < 6; i++)
        assert_true(linear.weight->gradient[i] == 0.0F);
    elman_parameter_freeze(linear.weight);
    elman_parameters_gather(set);
    elman_parameters_zero_gradients(set);
    assert_non_null(linear.bias->gradient);
    elman_parameters_free(set);
}

static void tied(void **state)
{
    (void)state;
    for_each_context(tied_places);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_network),
        cmocka_unit_test(wide_layers),
        cmocka_unit_test(tied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
