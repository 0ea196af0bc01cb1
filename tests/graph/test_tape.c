/* The tape: errors kept, views, gradients, memory used again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "graph/tape_impl.h"
#include "test_malloc.h"

typedef struct fixture {
    elman_context *context;
    elman_tape *tape;
} fixture;

static int begin(void **state)
{
    static fixture f;
    if (elman_context_create(NULL, &f.context, NULL) != ELMAN_OK ||
        elman_tape_create(f.context, &f.tape, NULL) != ELMAN_OK)
        return -1;
    elman_tape_begin(f.tape, NULL);
    *state = &f;
    return 0;
}

static int end(void **state)
{
    fixture *f = *state;
    elman_tape_free(f->tape);
    elman_context_free(f->context);
    return 0;
}

static elman_tape *tape_of(void **state)
{
    return ((fixture *)*state)->tape;
}

/* y = sum over i of (i+1) * x_i * x_i: enough of an operation to move gradient. */
typedef struct weigh_node {
    elman_node node;
    elman_var *x, *y;
} weigh_node;

static void weigh_backward(elman_tape *tape, elman_node *node)
{
    weigh_node *w = (weigh_node *)node;
    if (!w->y->gradient)
        return;
    bool add;
    float *dx = elman_tape_gradient(tape, w->x, &add);
    for (int64_t i = 0; dx && i < elman_tensor_count(&w->x->value); i++)
        dx[i] = (add ? dx[i] : 0) + 2 * (float)(i + 1) * w->x->value.data[i] * w->y->gradient[0];
}

static elman_var *weigh(elman_tape *tape, elman_var *x)
{
    if (!x)
        return NULL;
    elman_var *y = elman_tape_var(tape, 0, NULL, x->needs_gradient);
    if (!y)
        return NULL;
    y->value.data[0] = 0;
    for (int64_t i = 0; i < elman_tensor_count(&x->value); i++)
        y->value.data[0] += (float)(i + 1) * x->value.data[i] * x->value.data[i];
    if (!y->needs_gradient)
        return y;
    weigh_node *w = elman_tape_node(tape, sizeof *w, "weigh", weigh_backward);
    if (!w)
        return NULL;
    w->x = x;
    w->y = y;
    return y;
}

/* a + b of scalars, so that two branches meet. */
typedef struct join_node {
    elman_node node;
    elman_var *a, *b, *y;
} join_node;

static void join_backward(elman_tape *tape, elman_node *node)
{
    join_node *j = (join_node *)node;
    bool add;
    float *d = elman_tape_gradient(tape, j->b, &add);
    *d = (add ? *d : 0) + j->y->gradient[0];
    d = elman_tape_gradient(tape, j->a, &add);
    *d = (add ? *d : 0) + j->y->gradient[0];
}

static elman_var *join(elman_tape *tape, elman_var *a, elman_var *b)
{
    elman_var *y = elman_tape_var(tape, 0, NULL, true);
    join_node *j = elman_tape_node(tape, sizeof *j, "join", join_backward);
    y->value.data[0] = a->value.data[0] + b->value.data[0];
    j->a = a;
    j->b = b;
    j->y = y;
    return y;
}

static const float six[6] = {1, 2, 3, 4, 5, 6};

static void gradient_flows_to_a_leaf_and_no_further(void **state)
{
    elman_tape *t = tape_of(state);
    elman_var *leaf = elman_tape_leaf(t, 1, (int64_t[]){6}, six);
    elman_var *input = elman_tape_input(t, 1, (int64_t[]){6}, six);
    elman_var *loss = weigh(t, leaf);
    assert_int_equal(elman_tape_backward(t, loss, NULL), ELMAN_OK);
    const float *d = elman_var_gradient(leaf);
    assert_non_null(d);
    for (int i = 0; i < 6; i++)
        assert_float_equal(d[i], 2 * (float)(i + 1) * six[i], 0);
    assert_null(elman_var_gradient(input));
    assert_null(elman_var_gradient(NULL));
    assert_null(elman_var_value(NULL));
    assert_float_equal(elman_var_value(loss)->data[0], 441, 0);
}

static void views_share_the_gradient_of_their_base(void **state)
{
    elman_tape *t = tape_of(state);
    elman_var *leaf = elman_tape_leaf(t, 2, (int64_t[]){3, 2}, six);
    /* elements 2..5 as [4], and of these the last two, and the whole as another shape */
    elman_var *rest = elman_tape_alias(t, leaf, 2, 1, (int64_t[]){4});
    elman_var *last = elman_tape_alias(t, rest, 2, 2, (int64_t[]){1, 2});
    elman_var *whole = elman_tape_alias(t, leaf, 0, 1, (int64_t[]){6});
    assert_ptr_equal(last->value.data, six + 4);
    elman_var *loss = join(t, join(t, weigh(t, whole), weigh(t, rest)), weigh(t, last));
    assert_int_equal(elman_tape_backward(t, loss, NULL), ELMAN_OK);
    const float *d = elman_var_gradient(leaf);
    for (int i = 0; i < 6; i++) {
        int terms = (i + 1) + (i >= 2 ? i - 1 : 0) + (i >= 4 ? i - 3 : 0);
        assert_float_equal(d[i], 2 * (float)terms * six[i], 0);
    }
    assert_ptr_equal(elman_var_gradient(last), d + 4);
    assert_ptr_equal(elman_var_gradient(whole), d);
}

static void a_part_alone_leaves_zeros_elsewhere(void **state)
{
    elman_tape *t = tape_of(state);
    /* dirty memory first: a round that is thrown away */
    memset(elman_tape_floats(t, 4096), 0x7f, 4096 * sizeof(float));
    elman_tape_begin(t, NULL);
    elman_var *leaf = elman_tape_leaf(t, 1, (int64_t[]){6}, six);
    elman_var *part = elman_tape_alias(t, leaf, 1, 1, (int64_t[]){2});
    assert_int_equal(elman_tape_backward(t, weigh(t, part), NULL), ELMAN_OK);
    const float want[6] = {0, 4, 12, 0, 0, 0};
    assert_memory_equal(elman_var_gradient(leaf), want, sizeof want);
}

static void the_first_error_is_kept(void **state)
{
    elman_tape *t = tape_of(state);
    elman_error error = {ELMAN_OK, ""};
    assert_int_equal(elman_tape_status(t, &error), ELMAN_OK);
    elman_tape_fail(t, ELMAN_ERROR_SHAPE, "the %s", "first");
    elman_tape_fail(t, ELMAN_ERROR_DATA, "the second");
    assert_null(elman_tape_leaf(t, 1, (int64_t[]){6}, six));
    assert_null(elman_tape_input(t, 1, (int64_t[]){6}, six));
    assert_null(elman_tape_var(t, 0, NULL, true));
    assert_null(elman_tape_floats(t, 1));
    assert_null(elman_tape_sequences(t, 1, 1, NULL, NULL, 0));
    assert_int_equal(elman_tape_backward(t, NULL, &error), ELMAN_ERROR_SHAPE);
    assert_string_equal(error.message, "the first");
    elman_tape_begin(t, NULL);
    assert_int_equal(elman_tape_status(t, NULL), ELMAN_OK);
    assert_non_null(elman_tape_leaf(t, 1, (int64_t[]){6}, six));
}

static void shapes_that_are_none_are_refused(void **state)
{
    elman_tape *t = tape_of(state);
    const int64_t negative[1] = {-1}, huge[2] = {INT64_MAX / 2, 3},
                  wide[4] = {1 << 20, 1 << 20, 1 << 20, 1 << 20};
    struct {
        int rank;
        const int64_t *shape;
        elman_status status;
    } cases[] = {{1, negative, ELMAN_ERROR_SHAPE},
                 {-1, huge, ELMAN_ERROR_SHAPE},
                 {5, wide, ELMAN_ERROR_SHAPE},
                 {2, huge, ELMAN_ERROR_MEMORY},
                 {4, wide, ELMAN_ERROR_MEMORY}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        elman_tape_begin(t, NULL);
        assert_null(elman_tape_var(t, cases[i].rank, cases[i].shape, false));
        assert_int_equal(elman_tape_status(t, NULL), cases[i].status);
        elman_tape_begin(t, NULL);
        assert_null(elman_tape_input(t, cases[i].rank, cases[i].shape, six));
        assert_int_equal(elman_tape_status(t, NULL), cases[i].status);
    }
    elman_tape_begin(t, NULL);
    elman_var *empty = elman_tape_input(t, 2, (int64_t[]){0, 7}, NULL);
    assert_non_null(empty);
    assert_int_equal(elman_tensor_count(elman_var_value(empty)), 0);
    assert_null(elman_tape_input(t, 1, (int64_t[]){1}, NULL));
    assert_int_equal(elman_tape_status(t, NULL), ELMAN_ERROR_ARGUMENT);
}

static void backward_is_refused(void **state)
{
    elman_tape *t = tape_of(state);
    elman_error error;
    elman_var *leaf = elman_tape_leaf(t, 1, (int64_t[]){6}, six);
    assert_int_equal(elman_tape_backward(t, leaf, &error), ELMAN_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "rank 1"));

    elman_tape_begin(t, NULL);
    assert_int_equal(elman_tape_backward(t, NULL, &error), ELMAN_ERROR_ARGUMENT);

    elman_tape_begin(t, NULL);
    elman_var *loss = weigh(t, elman_tape_leaf(t, 1, (int64_t[]){6}, six));
    assert_int_equal(elman_tape_backward(t, loss, &error), ELMAN_OK);
    assert_int_equal(elman_tape_backward(t, loss, &error), ELMAN_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "already"));

    elman_tape_mode mode;
    elman_tape_mode_default(&mode);
    mode.record = false;
    elman_tape_begin(t, &mode);
    leaf = elman_tape_leaf(t, 1, (int64_t[]){6}, six);
    assert_false(leaf->needs_gradient);
    loss = weigh(t, leaf);
    assert_int_equal(elman_tape_backward(t, loss, &error), ELMAN_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "record"));

    elman_tape_begin(t, NULL);
    leaf = elman_tape_leaf(t, 1, (int64_t[]){6}, six);
    t->terminal = weigh(t, leaf);
    assert_int_equal(elman_tape_backward(t, weigh(t, leaf), &error), ELMAN_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "fused"));

    mode.size = 3;
    elman_tape_begin(t, &mode);
    assert_int_equal(elman_tape_status(t, &error), ELMAN_ERROR_ARGUMENT);
}

static void round_of_work(elman_tape *t, elman_parameter *p)
{
    static float data[20000];
    int64_t lengths[50];
    uint32_t numbers[50];
    bool stale;
    for (int i = 0; i < 50; i++) {
        lengths[i] = (i * 7) % 31;
        numbers[i] = (uint32_t)i;
    }
    elman_tape_begin(t, NULL);
    elman_tape_sequences(t, 30, 50, lengths, numbers, 3);
    elman_var *leaf = elman_tape_leaf(t, 1, (int64_t[]){20000}, data);
    elman_var *loss = weigh(t, elman_tape_alias(t, leaf, 100, 1, (int64_t[]){200}));
    for (int i = 0; i < 30; i++)
        loss = join(t, loss, weigh(t, leaf));
    elman_parameter_pack(t, p, ELMAN_PACK_ROWS, 1000, &stale);
    assert_int_equal(elman_tape_backward(t, loss, NULL), ELMAN_OK);
}

static void the_second_round_allocates_nothing(void **state)
{
    fixture *f = *state;
    if (!test_malloc_works())
        skip();
    elman_parameter *p;
    assert_int_equal(elman_parameter_create(f->context, "w", 1, (int64_t[]){1000}, true, &p, NULL),
                     ELMAN_OK);
    round_of_work(f->tape, p);
    round_of_work(f->tape, p); /* one block of the total size is made at its begin */
    size_t calls = test_malloc_calls();
    for (int i = 0; i < 3; i++)
        round_of_work(f->tape, p);
    assert_int_equal(test_malloc_calls(), calls);
    elman_parameter_free(p);
}

static void running_out_of_memory_is_an_error(void **state)
{
    fixture *f = *state;
    if (!test_malloc_works())
        skip();
    elman_error error;
    test_malloc_fail_from(1);
    elman_var *big = elman_tape_var(f->tape, 1, (int64_t[]){1 << 24}, true);
    test_malloc_fail_from(0);
    assert_null(big);
    assert_int_equal(elman_tape_status(f->tape, &error), ELMAN_ERROR_MEMORY);
}

static void sequences_are_sorted_and_packed(void **state)
{
    elman_tape *t = tape_of(state);
    const int64_t lengths[7] = {2, 0, 4, 2, 4, 1, 0}, order[7] = {2, 4, 0, 3, 5, 1, 6};
    const int64_t batch_sizes[5] = {5, 4, 2, 2, 0}, offsets[6] = {0, 5, 9, 11, 13, 13};
    const uint32_t numbers[7] = {70, 71, 72, 73, 74, 75, 76};
    const elman_sequences *s = elman_tape_sequences(t, 5, 7, lengths, numbers, 9);
    assert_non_null(s);
    assert_int_equal(s->N, 13);
    assert_int_equal(s->time, 9);
    assert_false(s->uniform);
    assert_memory_equal(s->lengths, lengths, sizeof lengths);
    assert_memory_equal(s->order, order, sizeof order);
    assert_memory_equal(s->batch_sizes, batch_sizes, sizeof batch_sizes);
    assert_memory_equal(s->offsets, offsets, sizeof offsets);
    assert_memory_equal(s->numbers, numbers, sizeof numbers);
    s = elman_tape_sequences(t, 3, 2, NULL, NULL, 0);
    assert_true(s->uniform);
    assert_int_equal(s->N, 6);
    assert_int_equal(s->numbers[1], 1);
    assert_int_equal(s->order[1], 1);
    assert_non_null(elman_tape_sequences(t, 0, 3, NULL, NULL, 0));
    assert_non_null(elman_tape_sequences(t, 4, 0, NULL, NULL, 0));
    assert_null(elman_tape_sequences(t, 3, 7, lengths, NULL, 0));
    elman_error error;
    assert_int_equal(elman_tape_status(t, &error), ELMAN_ERROR_SHAPE);
    assert_non_null(strstr(error.message, "sequence 2 is 4"));
    elman_tape_begin(t, NULL);
    assert_null(elman_tape_sequences(t, -1, 7, NULL, NULL, 0));
    elman_tape_begin(t, NULL);
    assert_null(elman_tape_sequences(t, INT64_MAX / 2, 7, NULL, NULL, 0));
}

static void parameters_own_tie_and_pack(void **state)
{
    fixture *f = *state;
    elman_error error;
    elman_parameter *p, *q, *run, *none;
    const int64_t shape[2] = {3, 5};
    bool stale;
    assert_int_equal(elman_parameter_create(f->context, "p", 2, shape, true, &p, NULL), ELMAN_OK);
    assert_int_equal(elman_parameter_tie(f->context, "q", p, &q, NULL), ELMAN_OK);
    assert_ptr_equal(q->value.data, p->value.data);
    assert_ptr_not_equal(q->gradient, p->gradient);
    assert_string_equal(elman_parameter_name(q), "q");
    float *pack = elman_parameter_pack(f->tape, p, ELMAN_PACK_ROWS, 15, &stale);
    assert_true(stale);
    assert_ptr_equal(elman_parameter_pack(f->tape, q, ELMAN_PACK_ROWS, 15, &stale), pack);
    assert_false(stale);
    elman_parameter_edit(q)[0] = 1; /* through either name */
    assert_ptr_equal(elman_parameter_pack(f->tape, p, ELMAN_PACK_ROWS, 15, &stale), pack);
    assert_true(stale);
    assert_non_null(elman_parameter_pack(f->tape, p, ELMAN_PACK_ROWS, 30, &stale));
    assert_true(stale);

    assert_int_equal(elman_parameter_create(f->context, "run", 2, shape, false, &run, NULL),
                     ELMAN_OK);
    assert_null(elman_parameter_gradient(run));
    char name[200];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(elman_parameter_create(f->context, name, 2, shape, true, &none, &error),
                     ELMAN_ERROR_ARGUMENT);
    assert_null(none);
    assert_int_equal(
        elman_parameter_create(f->context, "p", 2, (int64_t[]){0, 2}, true, &none, &error),
        ELMAN_ERROR_SHAPE);
    assert_int_equal(elman_parameter_create(f->context, "p", 2,
                                            (int64_t[]){INT64_MAX / 2, INT64_MAX / 2}, true, &none,
                                            &error),
                     ELMAN_ERROR_MEMORY);
    elman_parameter_free(run);
    elman_parameter_free(q);
    elman_parameter_free(p);
    elman_parameter_free(NULL);
    elman_tape_free(NULL);
}

/* Newest first, each with what made it: operations their results, nothing a view. */
static void values_know_what_made_them(void **state)
{
    elman_tape *tape = tape_of(state);
    const int64_t shape[1] = {2};
    const float numbers[2] = {1, 2};
    elman_var *given = elman_tape_input(tape, 1, shape, numbers);
    elman_var *a = elman_tape_var(tape, 1, shape, true), *b = elman_tape_var(tape, 1, shape, true);
    elman_var *constant = elman_tape_var(tape, 1, shape, false);
    elman_node *first = elman_tape_node(tape, sizeof *first, "first", NULL);
    elman_var *view = elman_tape_alias(tape, a, 0, 1, shape);
    elman_var *c = elman_tape_var(tape, 1, shape, true);
    elman_node *second = elman_tape_node(tape, sizeof *second, "second", NULL);
    elman_var *const order[] = {c, view, constant, b, a, given};
    const elman_node *const made_by[] = {second, NULL, NULL, first, first, &elman_node_given};
    const elman_var *at = tape->newest;
    for (int i = 0; i < 6; i++, at = at->previous) {
        assert_ptr_equal(at, order[i]);
        assert_ptr_equal(at->node, made_by[i]);
    }
    assert_null(at);
    elman_tape_begin(tape, NULL);
    assert_null(tape->newest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gradient_flows_to_a_leaf_and_no_further, begin, end),
        cmocka_unit_test_setup_teardown(views_share_the_gradient_of_their_base, begin, end),
        cmocka_unit_test_setup_teardown(a_part_alone_leaves_zeros_elsewhere, begin, end),
        cmocka_unit_test_setup_teardown(the_first_error_is_kept, begin, end),
        cmocka_unit_test_setup_teardown(shapes_that_are_none_are_refused, begin, end),
        cmocka_unit_test_setup_teardown(backward_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(the_second_round_allocates_nothing, begin, end),
        cmocka_unit_test_setup_teardown(running_out_of_memory_is_an_error, begin, end),
        cmocka_unit_test_setup_teardown(sequences_are_sorted_and_packed, begin, end),
        cmocka_unit_test_setup_teardown(parameters_own_tie_and_pack, begin, end),
        cmocka_unit_test_setup_teardown(values_know_what_made_them, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
