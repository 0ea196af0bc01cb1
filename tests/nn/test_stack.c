/* Residual and layer-normalised stacks of recurrent layers: PyTorch's figures, the order of what
 * stands between two layers, and what a result must not depend on. */
#include "../op/reading_case.h"

#include "elman/layer.h"

static elman_recurrent_layer make(elman_parameters *set, elman_cell cell, int64_t I, int64_t H,
                                  int layers)
{
    elman_recurrent_options o;
    elman_recurrent_layer layer;
    elman_recurrent_options_default(&o);
    o.cell = cell;
    o.input = I;
    o.hidden = H;
    o.layers = layers;
    o.bidirectional = o.residual = o.output_norm = true;
    assert_int_equal(elman_recurrent_create(set, "", &o, &layer, NULL), ELMAN_OK);
    return layer;
}

static void figure(elman_tape *tape, golden *file, const char *prefix)
{
    elman_parameters *set;
    elman_recurrent_options o;
    elman_recurrent_layer layer;
    const int32_t *given = golden_integers(file, prefix, "options");
    elman_var *x = figure_leaf(tape, file, prefix, "x");
    elman_recurrent_options_default(&o);
    o.cell = (elman_cell)given[0];
    o.layers = given[1];
    o.bidirectional = given[2];
    o.residual = given[3];
    o.output_norm = given[4];
    o.hidden = given[5];
    o.input = x->value.shape[2];
    assert_int_equal(elman_parameters_create(tape->context, true, &set, NULL), ELMAN_OK);
    assert_int_equal(elman_recurrent_create(set, "", &o, &layer, NULL), ELMAN_OK);
    char name[128];
    for (int64_t i = 0; i < elman_parameters_count(set); i++) {
        elman_parameter *p = elman_parameters_at(set, i);
        snprintf(name, sizeof name, "w.%s", elman_parameter_name(p));
        const elman_tensor *w = golden_find(file, prefix, name);
        assert_true(w && elman_tensor_count(w) == elman_tensor_count(&p->value));
        memcpy(elman_parameter_edit(p), w->data, (size_t)elman_tensor_count(w) * sizeof(float));
    }
    const elman_sequences *s = figure_sequences(tape, file, prefix, x);
    elman_var *y = elman_recurrent_forward(tape, &layer, x, s, NULL, NULL);
    figure_agrees(file, prefix, "y", y);
    assert_int_equal(elman_tape_backward(tape, gradient_weigh(tape, y), NULL), ELMAN_OK);
    figure_gradient_agrees(file, prefix, "d.x", x);
    for (int64_t i = 0; i < elman_parameters_count(set); i++) {
        elman_parameter *p = elman_parameters_at(set, i);
        snprintf(name, sizeof name, "g.%s", elman_parameter_name(p));
        assert_true(
            golden_near(file, prefix, name, p->gradient, elman_tensor_count(&p->value), 32));
    }
    elman_parameters_free(set);
}

static void figures(void **state)
{
    (void)state;
    if (!for_each_figure("stack", 4, "x", figure))
        skip();
}

/* Names in order of first use: each layer's normalisation after its cells. */
static void names(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "weight_ih_l0",         "weight_hh_l0",         "bias_ih_l0",         "bias_hh_l0",
        "weight_ih_l0_reverse", "weight_hh_l0_reverse", "bias_ih_l0_reverse", "bias_hh_l0_reverse",
        "norm_l0.weight",       "norm_l0.bias",         "weight_ih_l1"};
    elman_context *context;
    elman_parameters *set;
    assert_int_equal(elman_context_create(NULL, &context, NULL), ELMAN_OK);
    assert_int_equal(elman_parameters_create(context, false, &set, NULL), ELMAN_OK);
    elman_recurrent_layer layer = make(set, ELMAN_CELL_GRU, 3, 5, 2);
    for (int64_t i = 0; i < 11; i++)
        assert_string_equal(elman_parameter_name(elman_parameters_at(set, i)), expected[i]);
    assert_int_equal(elman_parameters_count(set), 20);
    for (int l = 0; l < 2; l++) {
        assert_int_equal(elman_tensor_count(&layer.norms[l].weight->value), 10);
        assert_true(layer.norms[l].weight->value.data[9] == 1.0F);
        assert_true(layer.norms[l].bias->value.data[9] == 0.0F);
    }
    elman_parameters_free(set);
    elman_context_free(context);
}

/* -- bits -------------------------------------------------------------------------------------- */

enum { T = 9, B = 6, I = 7, H = 18, LAYERS = 3 };

static const int64_t lengths[B] = {4, 9, 0, 1, 9, 6};
static float *kept_y, *kept_hn, *kept_dx, *kept_g[64];

/* The same layer by layer, written out. */
static elman_var *by_hand(elman_tape *tape, const elman_recurrent_layer *layer, elman_var *x,
                          const elman_sequences *s)
{
    for (int l = 0; l < LAYERS; l++) {
        elman_recurrent_layer one = {.options = layer->options, .cells = layer->cells + 2 * l};
        one.options.layers = 1;
        one.options.input = l == 0 ? I : 2 * H;
        elman_var *y = elman_recurrent_forward(tape, &one, x, s, NULL, NULL);
        if (l > 0)
            y = elman_add(tape, y, x);
        y = elman_layer_norm(tape, &layer->norms[l], y, s);
        x = l + 1 < LAYERS ? elman_dropout(tape, y, s, 0.3, 5 + l) : y;
    }
    return x;
}

static elman_var *begin(elman_tape *tape, const float *x, const elman_sequences **s)
{
    elman_tape_mode mode;
    elman_tape_mode_default(&mode);
    mode.train = true;
    mode.seed = 11;
    elman_tape_begin(tape, &mode);
    *s = elman_tape_sequences(tape, T, B, lengths, NULL, 0);
    return elman_tape_leaf(tape, 2, (int64_t[]){(*s)->N, I}, x);
}

static void compare(elman_context *context, elman_tape *tape)
{
    elman_parameters *set;
    const elman_sequences *s;
    elman_state final;
    assert_int_equal(elman_parameters_create(context, true, &set, NULL), ELMAN_OK);
    elman_recurrent_layer layer = make(set, ELMAN_CELL_LSTM, I, H, LAYERS);
    layer.options.dropout = 0.3;
    layer.options.use = 5;
    assert_int_equal(elman_initialise(set, "uniform:0.4", 3, NULL), ELMAN_OK);
    float *x = random_floats(T * B * I, 1);

    elman_var *leaf = begin(tape, x, &s);
    elman_var *y = elman_recurrent_forward(tape, &layer, leaf, s, NULL, &final);
    assert_int_equal(elman_tape_backward(tape, gradient_weigh(tape, y), NULL), ELMAN_OK);
    same_bits(&kept_y, y->value.data, (size_t)s->N * 2 * H);
    same_bits(&kept_hn, final.h->value.data, LAYERS * 2 * B * H);
    same_bits(&kept_dx, elman_var_gradient(leaf), (size_t)s->N * I);
    for (int64_t i = 0; i < elman_parameters_count(set); i++) {
        elman_parameter *p = elman_parameters_at(set, i);
        same_bits(&kept_g[i], p->gradient, (size_t)elman_tensor_count(&p->value));
    }

    elman_parameters_zero_gradients(set);
    leaf = begin(tape, x, &s);
    y = by_hand(tape, &layer, leaf, s);
    assert_int_equal(elman_tape_backward(tape, gradient_weigh(tape, y), NULL), ELMAN_OK);
    assert_true(compare_bits(y->value.data, kept_y, (size_t)s->N * 2 * H));
    assert_true(compare_bits(elman_var_gradient(leaf), kept_dx, (size_t)s->N * I));

    /* Each sequence alone, with its number. */
    leaf = begin(tape, x, &s);
    int64_t N = s->N;
    float *padded = calloc(T * B * I, sizeof *padded), *want = calloc(T * B * 2 * H, sizeof *want);
    elman_var *whole = elman_unpack(tape, leaf, s);
    memcpy(padded, whole->value.data, T * B * I * sizeof *padded);
    elman_var *rows = elman_tape_input(tape, 2, (int64_t[]){N, 2 * H}, kept_y);
    memcpy(want, elman_unpack(tape, rows, s)->value.data, T * B * 2 * H * sizeof *want);
    for (uint32_t b = 0; b < B; b++) {
        float own[T * I];
        for (int64_t t = 0; t < lengths[b]; t++)
            memcpy(own + t * I, padded + (t * B + b) * I, I * sizeof *own);
        begin(tape, x, &s);
        s = elman_tape_sequences(tape, lengths[b], 1, NULL, &b, 0);
        leaf = elman_tape_leaf(tape, 2, (int64_t[]){lengths[b], I}, own);
        y = elman_recurrent_forward(tape, &layer, leaf, s, NULL, NULL);
        for (int64_t t = 0; t < lengths[b]; t++)
            assert_true(compare_bits(y->value.data + t * 2 * H, want + (t * B + b) * 2 * H, 2 * H));
    }
    free(padded);
    free(want);
    free(x);
    elman_parameters_free(set);
}

static void bits(void **state)
{
    (void)state;
    for_each_context(compare);
    free(kept_y);
    free(kept_hn);
    free(kept_dx);
    for (int i = 0; i < 64; i++)
        free(kept_g[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures),
        cmocka_unit_test(names),
        cmocka_unit_test(bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
