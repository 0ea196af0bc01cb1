/* Layers against figures made with PyTorch (tests/golden/op/make_op.py): values, final states
 * and every gradient; and what must not change a bit: threads, padding, packing, order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "compare.h"
#include "elman/layer.h"
#include "golden.h"
#include "gradient_check.h"

typedef struct fixture {
    elman_context *context;
    elman_tape *tape;
    elman_parameters *set;
    golden *file;
} fixture;

static int begin_with(fixture *f, int threads)
{
    elman_context_options options;
    elman_context_options_default(&options);
    options.threads = threads;
    if (elman_context_create(&options, &f->context, NULL) != ELMAN_OK ||
        elman_tape_create(f->context, &f->tape, NULL) != ELMAN_OK)
        return -1;
    f->file = golden_open(f->context, ELMAN_TEST_DATA "/op/layers.safetensors");
    return 0;
}

static int begin(void **state)
{
    static fixture f;
    *state = &f;
    return begin_with(&f, 0);
}

static int end(void **state)
{
    fixture *f = *state;
    golden_close(f->file);
    elman_tape_free(f->tape);
    elman_context_free(f->context);
    return 0;
}

static void begin_case(fixture *f)
{
    elman_tape_begin(f->tape, NULL);
    assert_int_equal(elman_parameters_create(f->context, true, &f->set, NULL), ELMAN_OK);
}

static elman_var *leaf(fixture *f, const char *prefix, const char *name)
{
    const elman_tensor *t = golden_find(f->file, prefix, name);
    return t ? elman_tape_leaf(f->tape, t->rank, t->shape, t->data) : NULL;
}

/* Every parameter of the set from WHAT.NAME. */
static void load(fixture *f, const char *prefix, const char *what)
{
    for (int64_t i = 0; i < elman_parameters_count(f->set); i++) {
        elman_parameter *p = elman_parameters_at(f->set, i);
        char name[128];
        snprintf(name, sizeof name, "%s%s", what, elman_parameter_name(p));
        const elman_tensor *t = golden_find(f->file, prefix, name);
        assert_non_null(t);
        assert_int_equal(elman_tensor_count(t), elman_tensor_count(elman_parameter_value(p)));
        memcpy(elman_parameter_edit(p), t->data, (size_t)elman_tensor_count(t) * sizeof(float));
    }
}

static void gradients_agree(fixture *f, const char *prefix, const char *what)
{
    for (int64_t i = 0; i < elman_parameters_count(f->set); i++) {
        elman_parameter *p = elman_parameters_at(f->set, i);
        char name[128];
        snprintf(name, sizeof name, "%s%s", what, elman_parameter_name(p));
        assert_true(golden_near(f->file, prefix, name, elman_parameter_gradient(p),
                                elman_tensor_count(elman_parameter_value(p)), 32));
    }
}

static void agrees(fixture *f, const char *prefix, const char *name, const elman_var *y)
{
    assert_non_null(y);
    assert_true(golden_near(f->file, prefix, name, elman_var_value(y)->data,
                            elman_tensor_count(elman_var_value(y)), 16));
}

static void input_gradient_agrees(fixture *f, const char *prefix, const char *name,
                                  const elman_var *x)
{
    if (x)
        assert_true(golden_near(f->file, prefix, name, elman_var_gradient(x),
                                elman_tensor_count(elman_var_value(x)), 32));
}

static void linear(void **state)
{
    fixture *f = *state;
    if (!f->file)
        skip();
    int cases = 0;
    for (elman_var *x = NULL;; cases++) {
        char prefix[64];
        elman_linear_layer layer;
        snprintf(prefix, sizeof prefix, "linear.%d.", cases);
        begin_case(f);
        if (!(x = leaf(f, prefix, "x")))
            break;
        int64_t I = elman_var_value(x)->shape[2];
        int64_t O = golden_find(f->file, prefix, "bias")->shape[0];
        assert_int_equal(elman_linear_create(f->set, "", I, O, true, NULL, &layer, NULL), ELMAN_OK);
        load(f, prefix, "");
        elman_var *y = elman_linear(f->tape, &layer, x);
        agrees(f, prefix, "y", y);
        assert_int_equal(elman_tape_backward(f->tape, gradient_weigh(f->tape, y), NULL), ELMAN_OK);
        input_gradient_agrees(f, prefix, "d.x", x);
        gradients_agree(f, prefix, "d.");
        elman_parameters_free(f->set);
    }
    elman_parameters_free(f->set);
    assert_int_equal(cases, 4);
}

static void embedding(void **state)
{
    fixture *f = *state;
    if (!f->file)
        skip();
    int cases = 0;
    for (const elman_tensor *w = NULL;; cases++) {
        char prefix[64];
        elman_embedding_layer layer;
        snprintf(prefix, sizeof prefix, "embedding.%d.", cases);
        begin_case(f);
        if (!(w = golden_find(f->file, prefix, "weight")))
            break;
        const elman_tensor *y_wanted = golden_find(f->file, prefix, "y");
        assert_int_equal(elman_embedding_create(f->set, "", w->shape[0], w->shape[1], &layer, NULL),
                         ELMAN_OK);
        load(f, prefix, "");
        elman_var *y = elman_embedding(f->tape, &layer, golden_integers(f->file, prefix, "tokens"),
                                       y_wanted->shape[0], y_wanted->shape[1]);
        agrees(f, prefix, "y", y);
        assert_int_equal(elman_tape_backward(f->tape, gradient_weigh(f->tape, y), NULL), ELMAN_OK);
        gradients_agree(f, prefix, "d.");
        elman_parameters_free(f->set);
    }
    elman_parameters_free(f->set);
    assert_int_equal(cases, 3);
}

static const char *const cells[] = {"rnn", "rnn-relu", "lstm", "gru"};

/* The layer of a case with its weights. */
static void make_layer(fixture *f, const char *prefix, int cell, elman_recurrent_layer *layer)
{
    const int32_t *o = golden_integers(f->file, prefix, "options");
    elman_recurrent_options options;
    elman_error error = {ELMAN_OK, ""};
    elman_recurrent_options_default(&options);
    options.cell = (elman_cell)cell;
    options.input = golden_find(f->file, prefix, "x")->shape[2];
    options.hidden = golden_find(f->file, prefix, "hn")->shape[2];
    options.layers = o[0];
    options.bidirectional = o[1];
    options.bias = o[2];
    options.batch_first = o[3];
    if (elman_recurrent_create(f->set, "", &options, layer, &error) != ELMAN_OK)
        fail_msg("%s%s", prefix, error.message);
    load(f, prefix, "w.");
}

static const elman_sequences *sequences_of(fixture *f, const char *prefix, bool batch_first)
{
    const int32_t *given = golden_integers(f->file, prefix, "lengths");
    const elman_tensor *x = golden_find(f->file, prefix, "x");
    int64_t B = x->shape[batch_first ? 0 : 1], lengths[16];
    if (!given)
        return NULL;
    for (int64_t b = 0; b < B; b++)
        lengths[b] = given[b];
    return elman_tape_sequences(f->tape, x->shape[batch_first ? 1 : 0], B, lengths, NULL, 0);
}

static void recurrent(void **state)
{
    fixture *f = *state;
    if (!f->file)
        skip();
    for (int cell = 0; cell < 4; cell++) {
        int cases = 0;
        for (elman_var *x = NULL;; cases++) {
            char prefix[64];
            elman_recurrent_layer layer;
            snprintf(prefix, sizeof prefix, "%s.%d.", cells[cell], cases);
            begin_case(f);
            if (!(x = leaf(f, prefix, "x")))
                break;
            make_layer(f, prefix, cell, &layer);
            const elman_sequences *s = sequences_of(f, prefix, layer.options.batch_first);
            elman_state initial = {leaf(f, prefix, "h0"), leaf(f, prefix, "c0")}, final;
            elman_var *y = elman_recurrent_forward(f->tape, &layer, x, s, &initial, &final);
            elman_error error = {ELMAN_OK, ""};
            if (elman_tape_status(f->tape, &error) != ELMAN_OK)
                fail_msg("%s%s", prefix, error.message);
            agrees(f, prefix, "y", y);
            agrees(f, prefix, "hn", final.h);
            elman_var *loss =
                elman_add(f->tape, gradient_weigh(f->tape, y), gradient_weigh(f->tape, final.h));
            if (cell == ELMAN_CELL_LSTM) {
                agrees(f, prefix, "cn", final.c);
                loss = elman_add(f->tape, loss, gradient_weigh(f->tape, final.c));
            } else {
                assert_null(final.c);
            }
            assert_int_equal(elman_tape_backward(f->tape, loss, NULL), ELMAN_OK);
            input_gradient_agrees(f, prefix, "d.x", x);
            input_gradient_agrees(f, prefix, "d.h0", initial.h);
            input_gradient_agrees(f, prefix, "d.c0", initial.c);
            gradients_agree(f, prefix, "g.");
            elman_parameters_free(f->set);
        }
        elman_parameters_free(f->set);
        assert_int_equal(cases, 6);
    }
}

/* elman_rnn, elman_gru and elman_lstm say the same as elman_recurrent_forward. */
static void by_their_names(void **state)
{
    fixture *f = *state;
    if (!f->file)
        skip();
    for (int cell = 0; cell < 4; cell++) {
        char prefix[64];
        elman_recurrent_layer layer;
        elman_state initial, final = {NULL, NULL};
        snprintf(prefix, sizeof prefix, "%s.1.", cells[cell]);
        begin_case(f);
        make_layer(f, prefix, cell, &layer);
        elman_var *x = leaf(f, prefix, "x"), *y;
        initial = (elman_state){leaf(f, prefix, "h0"), leaf(f, prefix, "c0")};
        if (cell == ELMAN_CELL_LSTM)
            y = elman_lstm(f->tape, &layer, x, &initial, &final);
        else
            y = (cell == ELMAN_CELL_GRU ? elman_gru : elman_rnn)(f->tape, &layer, x, initial.h,
                                                                 &final.h);
        agrees(f, prefix, "y", y);
        agrees(f, prefix, "hn", final.h);
        elman_error error;
        elman_var *hn;
        if (cell == ELMAN_CELL_LSTM)
            assert_null(elman_gru(f->tape, &layer, x, NULL, &hn));
        else
            assert_null(elman_lstm(f->tape, &layer, x, NULL, NULL));
        assert_int_equal(elman_tape_status(f->tape, &error), ELMAN_ERROR_ARGUMENT);
        assert_non_null(strstr(error.message, cells[cell]));
        elman_parameters_free(f->set);
    }
}

static void shapes_that_do_not_fit(void **state)
{
    fixture *f = *state;
    static const float data[120];
    elman_recurrent_layer layer;
    elman_recurrent_options o;
    begin_case(f);
    elman_recurrent_options_default(&o);
    o.input = 5;
    o.hidden = 4;
    assert_int_equal(elman_recurrent_create(f->set, "", &o, &layer, NULL), ELMAN_OK);
    for (int i = 0; i < 6; i++) {
        elman_tape_begin(f->tape, NULL);
        const elman_sequences *s = elman_tape_sequences(f->tape, 3, 2, NULL, NULL, 0);
        elman_var *x = elman_tape_input(f->tape, 3, (int64_t[]){3, 2, 5}, data);
        elman_var *wide = elman_tape_input(f->tape, 3, (int64_t[]){3, 2, 6}, data);
        elman_var *packed = elman_tape_input(f->tape, 2, (int64_t[]){7, 5}, data);
        elman_var *h = elman_tape_input(f->tape, 3, (int64_t[]){1, 3, 4}, data);
        elman_state wrong_h = {h, NULL}, wrong_c = {NULL, h};
        elman_var *y = i == 0   ? elman_recurrent_forward(f->tape, &layer, wide, NULL, NULL, NULL)
                       : i == 1 ? elman_recurrent_forward(f->tape, &layer, packed, NULL, NULL, NULL)
                       : i == 2 ? elman_recurrent_forward(f->tape, &layer, packed, s, NULL, NULL)
                       : i == 3 ? elman_recurrent_forward(f->tape, &layer, x, s, &wrong_h, NULL)
                       : i == 4 ? elman_recurrent_forward(f->tape, &layer, x, s, &wrong_c, NULL)
                                : elman_lstm(f->tape, &layer, h, NULL, NULL);
        assert_null(y);
        if (elman_tape_status(f->tape, NULL) != ELMAN_ERROR_SHAPE)
            fail_msg("case %d: status %d", i, (int)elman_tape_status(f->tape, NULL));
    }
    elman_parameters_free(f->set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(linear, begin, end),
        cmocka_unit_test_setup_teardown(embedding, begin, end),
        cmocka_unit_test_setup_teardown(recurrent, begin, end),
        cmocka_unit_test_setup_teardown(by_their_names, begin, end),
        cmocka_unit_test_setup_teardown(shapes_that_do_not_fit, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
