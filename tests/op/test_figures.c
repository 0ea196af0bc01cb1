/* Values and gradients against figures made with PyTorch (tests/golden/op/make_op.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "golden.h"
#include "gradient_check.h"
#include "op/op.h"

typedef struct fixture {
    elman_context *context;
    elman_tape *tape;
    golden *file;
} fixture;

static int begin(void **state)
{
    static fixture f;
    if (elman_context_create(NULL, &f.context, NULL) != ELMAN_OK ||
        elman_tape_create(f.context, &f.tape, NULL) != ELMAN_OK)
        return -1;
    f.file = golden_open(f.context, ELMAN_TEST_DATA "/op/operations.safetensors");
    *state = &f;
    return 0;
}

static int end(void **state)
{
    fixture *f = *state;
    golden_close(f->file);
    elman_tape_free(f->tape);
    elman_context_free(f->context);
    return 0;
}

/* Case `number` of a kind: the leaf of its input, or NULL. */
static elman_var *leaf(fixture *f, const char *prefix, const char *name)
{
    const elman_tensor *t = golden_find(f->file, prefix, name);
    return t ? elman_tape_leaf(f->tape, t->rank, t->shape, t->data) : NULL;
}

static elman_parameter *parameter(fixture *f, const char *prefix, const char *name)
{
    elman_parameter *p;
    const elman_tensor *t = golden_find(f->file, prefix, name);
    assert_int_equal(elman_parameter_create(f->context, name, t->rank, t->shape, true, &p, NULL),
                     ELMAN_OK);
    memcpy(elman_parameter_edit(p), t->data, (size_t)elman_tensor_count(t) * sizeof(float));
    return p;
}

static void agrees(fixture *f, const char *prefix, const char *name, const elman_var *y)
{
    const elman_tensor *t = elman_var_value(y);
    assert_non_null(t);
    assert_true(golden_near(f->file, prefix, name, t->data, elman_tensor_count(t), 4));
}

static void gradient_agrees(fixture *f, const char *prefix, const char *name, const elman_var *x)
{
    assert_true(golden_near(f->file, prefix, name, elman_var_gradient(x),
                            elman_tensor_count(elman_var_value(x)), 16));
}

static void pointwise(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *name;
        elman_var *(*one)(elman_tape *, elman_var *);
        elman_var *(*two)(elman_tape *, elman_var *, elman_var *);
    } kinds[] = {{"tanh", elman_tanh, NULL},         {"sigmoid", elman_sigmoid, NULL},
                 {"relu", elman_relu, NULL},         {"add", NULL, elman_add},
                 {"subtract", NULL, elman_subtract}, {"multiply", NULL, elman_multiply}};
    if (!f->file)
        skip();
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        int cases = 0;
        for (elman_var *a = NULL;; cases++) {
            char prefix[64];
            snprintf(prefix, sizeof prefix, "%s.%d.", kinds[k].name, cases);
            elman_tape_begin(f->tape, NULL);
            if (!(a = leaf(f, prefix, "a")))
                break;
            elman_var *b = leaf(f, prefix, "b");
            elman_var *y = b ? kinds[k].two(f->tape, a, b) : kinds[k].one(f->tape, a);
            agrees(f, prefix, "y", y);
            assert_int_equal(elman_tape_backward(f->tape, gradient_weigh(f->tape, y), NULL),
                             ELMAN_OK);
            gradient_agrees(f, prefix, "d.a", a);
            if (b)
                gradient_agrees(f, prefix, "d.b", b);
        }
        assert_int_equal(cases, 9);
    }
}

static void layer_norm(void **state)
{
    fixture *f = *state;
    if (!f->file)
        skip();
    int cases = 0;
    for (elman_var *x = NULL;; cases++) {
        char prefix[64];
        snprintf(prefix, sizeof prefix, "layer_norm.%d.", cases);
        elman_tape_begin(f->tape, NULL);
        if (!(x = leaf(f, prefix, "x")))
            break;
        elman_parameter *gain = parameter(f, prefix, "gain"), *bias = parameter(f, prefix, "bias");
        elman_var *y = elman_op_layer_norm(f->tape, x, gain, bias, NULL);
        agrees(f, prefix, "y", y);
        assert_int_equal(elman_tape_backward(f->tape, gradient_weigh(f->tape, y), NULL), ELMAN_OK);
        gradient_agrees(f, prefix, "d.x", x);
        int64_t n = elman_tensor_count(elman_parameter_value(gain));
        assert_true(golden_near(f->file, prefix, "d.gain", gain->gradient, n, 16));
        assert_true(golden_near(f->file, prefix, "d.bias", bias->gradient, n, 16));
        elman_parameter_free(gain);
        elman_parameter_free(bias);
    }
    assert_int_equal(cases, 8);
}

static void losses(void **state)
{
    fixture *f = *state;
    static const char *const kinds[] = {"cross_entropy_mean", "cross_entropy_sum",
                                        "mean_squared_error"};
    if (!f->file)
        skip();
    for (int k = 0; k < 3; k++) {
        int cases = 0;
        for (elman_var *x = NULL;; cases++) {
            char prefix[64];
            snprintf(prefix, sizeof prefix, "%s.%d.", kinds[k], cases);
            elman_tape_begin(f->tape, NULL);
            if (!(x = leaf(f, prefix, k < 2 ? "x" : "a")))
                break;
            elman_var *b = leaf(f, prefix, "b");
            elman_var *loss =
                b ? elman_mean_squared_error(f->tape, x, b)
                  : elman_cross_entropy(f->tape, x, golden_integers(f->file, prefix, "targets"),
                                        k == 0 ? ELMAN_REDUCTION_MEAN : ELMAN_REDUCTION_SUM);
            agrees(f, prefix, "y", loss);
            assert_int_equal(elman_tape_backward(f->tape, loss, NULL), ELMAN_OK);
            gradient_agrees(f, prefix, b ? "d.a" : "d.x", x);
            if (b)
                gradient_agrees(f, prefix, "d.b", b);
        }
        assert_int_equal(cases, 9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pointwise, begin, end),
        cmocka_unit_test_setup_teardown(layer_norm, begin, end),
        cmocka_unit_test_setup_teardown(losses, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
