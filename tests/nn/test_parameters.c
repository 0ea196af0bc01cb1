/* Sets of parameters, and the names and shapes that layers give. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "elman/layer.h"
#include "graph/tape_impl.h"
#include "test_malloc.h"

typedef struct fixture {
    elman_context *context;
    elman_parameters *set;
} fixture;

static int begin(void **state)
{
    static fixture f;
    if (elman_context_create(NULL, &f.context, NULL) != ELMAN_OK ||
        elman_parameters_create(f.context, true, &f.set, NULL) != ELMAN_OK)
        return -1;
    *state = &f;
    return 0;
}

static int end(void **state)
{
    fixture *f = *state;
    elman_parameters_free(f->set);
    elman_context_free(f->context);
    return 0;
}

static void names_are_kept_in_order(void **state)
{
    fixture *f = *state;
    elman_parameter *p;
    elman_error error;
    char name[32];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "p%d", i);
        assert_int_equal(elman_parameters_add(f->set, name, 1, (int64_t[]){i + 1}, &p, NULL),
                         ELMAN_OK);
    }
    assert_int_equal(elman_parameters_count(f->set), 40);
    assert_int_equal(elman_parameters_elements(f->set), 820);
    assert_string_equal(elman_parameter_name(elman_parameters_at(f->set, 17)), "p17");
    assert_ptr_equal(elman_parameters_find(f->set, "p39"), p);
    assert_null(elman_parameters_find(f->set, "p40"));
    assert_null(elman_parameters_at(f->set, -1));
    assert_null(elman_parameters_at(f->set, 40));
    assert_int_equal(elman_parameters_add(f->set, "p3", 1, (int64_t[]){1}, &p, &error),
                     ELMAN_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "p3"));
    assert_null(p);
    assert_int_equal(elman_parameters_add(f->set, "", 1, (int64_t[]){1}, &p, &error),
                     ELMAN_ERROR_ARGUMENT);
    char lengthy[200];
    memset(lengthy, 'n', sizeof lengthy - 1);
    lengthy[sizeof lengthy - 1] = '\0';
    assert_int_equal(elman_parameters_add(f->set, lengthy, 1, (int64_t[]){1}, &p, &error),
                     ELMAN_ERROR_ARGUMENT);
    assert_int_equal(elman_parameters_count(f->set), 40);
}

static void tied_gradients_are_gathered(void **state)
{
    fixture *f = *state;
    elman_embedding_layer table;
    elman_linear_layer output, other;
    elman_error error;
    assert_int_equal(elman_embedding_create(f->set, "embedding", 11, 7, &table, NULL), ELMAN_OK);
    assert_int_equal(
        elman_linear_create(f->set, "output", 7, 11, true, table.weight, &output, NULL), ELMAN_OK);
    assert_int_equal(
        elman_linear_create(f->set, "other", 7, 10, true, table.weight, &other, &error),
        ELMAN_ERROR_SHAPE);
    assert_non_null(strstr(error.message, "other.weight"));
    assert_int_equal(elman_parameters_elements(f->set), 7 * 11 + 11);
    assert_ptr_equal(elman_parameter_value(output.weight)->data,
                     elman_parameter_value(table.weight)->data);
    for (int i = 0; i < 77; i++) {
        elman_parameter_gradient(table.weight)[i] = (float)i;
        elman_parameter_gradient(output.weight)[i] = 0.5F;
    }
    elman_parameters_gather(f->set);
    for (int i = 0; i < 77; i++) {
        assert_true(elman_parameter_gradient(table.weight)[i] == (float)i + 0.5F);
        assert_true(elman_parameter_gradient(output.weight)[i] == 0);
    }
    elman_parameters_zero_gradients(f->set);
    for (int i = 0; i < 77; i++)
        assert_true(elman_parameter_gradient(table.weight)[i] == 0);
}

/* name:shape of every parameter of a set */
static void list(const elman_parameters *set, char *out, size_t size)
{
    size_t used = 0;
    for (int64_t i = 0; i < elman_parameters_count(set); i++) {
        const elman_parameter *p = elman_parameters_at(set, i);
        const elman_tensor *value = elman_parameter_value(p);
        used += (size_t)snprintf(out + used, size - used, "%s:%lld", elman_parameter_name(p),
                                 (long long)value->shape[0]);
        if (value->rank == 2)
            used += (size_t)snprintf(out + used, size - used, "x%lld", (long long)value->shape[1]);
        used += (size_t)snprintf(out + used, size - used, " ");
    }
}

static void recurrent_names_are_pytorchs(void **state)
{
    fixture *f = *state;
    char names[2048];
    elman_recurrent_layer layer;
    elman_recurrent_options o;
    elman_recurrent_options_default(&o);
    o.input = 3;
    o.hidden = 5;
    o.layers = 2;
    o.bidirectional = true;
    assert_int_equal(elman_recurrent_create(f->set, "rnn", &o, &layer, NULL), ELMAN_OK);
    list(f->set, names, sizeof names);
    assert_string_equal(
        names, "rnn.weight_ih_l0:20x3 rnn.weight_hh_l0:20x5 rnn.bias_ih_l0:20 rnn.bias_hh_l0:20 "
               "rnn.weight_ih_l0_reverse:20x3 rnn.weight_hh_l0_reverse:20x5 "
               "rnn.bias_ih_l0_reverse:20 rnn.bias_hh_l0_reverse:20 "
               "rnn.weight_ih_l1:20x10 rnn.weight_hh_l1:20x5 rnn.bias_ih_l1:20 rnn.bias_hh_l1:20 "
               "rnn.weight_ih_l1_reverse:20x10 rnn.weight_hh_l1_reverse:20x5 "
               "rnn.bias_ih_l1_reverse:20 rnn.bias_hh_l1_reverse:20 ");
    assert_true(layer.cells[0].weight_ih->decays);
    assert_false(layer.cells[0].bias_hh->decays);
}

static void other_recurrent_names(void **state)
{
    fixture *f = *state;
    char names[2048];
    elman_recurrent_layer layer;
    elman_recurrent_options o;
    elman_recurrent_options_default(&o);
    o.input = 3;
    o.hidden = 5;
    o.layer_norm = true;
    o.learnt_state = true;
    assert_int_equal(elman_recurrent_create(f->set, "", &o, &layer, NULL), ELMAN_OK);
    o.cell = ELMAN_CELL_GRU;
    o.layer_norm = o.bias = false;
    assert_int_equal(elman_recurrent_create(f->set, "g", &o, &layer, NULL), ELMAN_OK);
    o.cell = ELMAN_CELL_RNN;
    o.learnt_state = false;
    assert_int_equal(elman_recurrent_create(f->set, "r", &o, &layer, NULL), ELMAN_OK);
    list(f->set, names, sizeof names);
    assert_string_equal(names, "weight_ih_l0:20x3 weight_hh_l0:20x5 gain_ih_l0:20 gain_hh_l0:20 "
                               "bias_ih_l0:20 gain_cell_l0:5 bias_cell_l0:5 h0:1x5 c0:1x5 "
                               "g.weight_ih_l0:15x3 g.weight_hh_l0:15x5 g.h0:1x5 "
                               "r.weight_ih_l0:5x3 r.weight_hh_l0:5x5 ");
    const elman_parameter *gain = elman_parameters_find(f->set, "gain_hh_l0");
    assert_true(elman_parameter_value(gain)->data[19] == 1);
    assert_false(elman_parameters_find(f->set, "h0")->decays);
}

static void recurrent_options_are_validated(void **state)
{
    fixture *f = *state;
    elman_recurrent_layer layer;
    for (int i = 0; i < 9; i++) {
        elman_error error = {ELMAN_OK, ""};
        elman_recurrent_options o;
        elman_recurrent_options_default(&o);
        o.input = i == 0 ? 0 : 3;
        o.hidden = i == 1 ? -1 : i == 2 ? INT64_MAX : 5;
        o.layers = i == 3 ? 0 : i == 4 ? ELMAN_MAX_LAYERS + 1 : 1;
        o.dropout = i == 5 ? NAN : i == 6 ? 1.5 : 0;
        o.cell = i == 7 ? (elman_cell)4 : ELMAN_CELL_LSTM;
        o.size = i == 8 ? 1 : sizeof o;
        assert_int_equal(elman_recurrent_create(f->set, "rnn", &o, &layer, &error),
                         ELMAN_ERROR_ARGUMENT);
        assert_memory_equal(error.message, "rnn: ", 5);
    }
    assert_int_equal(elman_parameters_count(f->set), 0);
}

/* The nth allocation fails: an error, and nothing leaks. */
static void allocation_failures(void **state)
{
    (void)state;
    if (!test_malloc_works())
        skip();
    elman_context *context;
    elman_context_options options;
    elman_context_options_default(&options);
    options.threads = 1; /* a pool that can't start threads does without */
    assert_int_equal(elman_context_create(&options, &context, NULL), ELMAN_OK);
    size_t live = test_malloc_live();
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        assert_true(n < 1000);
        elman_parameters *set = NULL;
        elman_recurrent_layer layer;
        elman_linear_layer linear;
        elman_recurrent_options o;
        elman_error error = {ELMAN_OK, ""};
        elman_recurrent_options_default(&o);
        o.input = o.hidden = 4;
        o.layers = 3;
        test_malloc_fail_at(n);
        elman_status status = elman_parameters_create(context, true, &set, &error);
        if (status == ELMAN_OK)
            status = elman_recurrent_create(set, "rnn", &o, &layer, &error);
        if (status == ELMAN_OK)
            status = elman_linear_create(set, "l", 16, 4, false, layer.cells[0].weight_hh, &linear,
                                         &error);
        if (status == ELMAN_ERROR_SHAPE)
            status = elman_initialise(set, "orthogonal", 1, &error);
        failed = test_malloc_failed();
        test_malloc_fail_at(0);
        assert_int_equal(status, failed ? ELMAN_ERROR_MEMORY : ELMAN_OK);
        elman_parameters_free(set);
        assert_int_equal(test_malloc_live(), live);
    }
    elman_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_are_kept_in_order, begin, end),
        cmocka_unit_test_setup_teardown(tied_gradients_are_gathered, begin, end),
        cmocka_unit_test_setup_teardown(recurrent_names_are_pytorchs, begin, end),
        cmocka_unit_test_setup_teardown(other_recurrent_names, begin, end),
        cmocka_unit_test_setup_teardown(recurrent_options_are_validated, begin, end),
        cmocka_unit_test(allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
