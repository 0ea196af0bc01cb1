/* The step made linear, and the gradients that an observed layer keeps: against PyTorch's jacrev
 * and autograd (tests/golden/op/make_jacobian.py), against finite differences of the oracle in
 * double, and against each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elman/layer.h"
#include "golden.h"
#include "kernel/ref/recurrent_ref.h"
#include "op/step_jacobian.h"

enum { T = 9, I = 3, H = 5, MOST = 2 * H };

typedef struct looked {
    elman_context *context;
    elman_parameters *set;
    elman_recurrent_layer layer;
    elman_tape *tape;
    golden *file;
    char prefix[16];
    elman_cell cell;
    const elman_observation *seen; /* after backward of w . h_T */
} looked;

static void load(looked *l, elman_parameter *parameter, const char *name)
{
    const elman_tensor *t = golden_find(l->file, l->prefix, name);
    assert_non_null(t);
    assert_int_equal(elman_tensor_count(t), elman_tensor_count(elman_parameter_value(parameter)));
    memcpy(elman_parameter_edit(parameter), t->data, (size_t)elman_tensor_count(t) * sizeof(float));
}

/* with_gradients: of the parameters; a look does not ask for them. */
static void look(looked *l, elman_cell cell, bool normalised, bool with_gradients)
{
    elman_recurrent_options options;
    elman_tape_mode mode;
    elman_error error;
    *l = (looked){.cell = cell};
    snprintf(l->prefix, sizeof l->prefix, "%d.%d.", (int)cell, (int)normalised);
    assert_int_equal(elman_context_create(NULL, &l->context, &error), ELMAN_OK);
    l->file = golden_open(l->context, ELMAN_TEST_DATA "/op/jacobian.safetensors");
    assert_non_null(l->file);
    assert_int_equal(elman_parameters_create(l->context, with_gradients, &l->set, &error),
                     ELMAN_OK);
    elman_recurrent_options_default(&options);
    options.cell = cell;
    options.input = I;
    options.hidden = H;
    options.layer_norm = normalised;
    assert_int_equal(elman_recurrent_create(l->set, "rnn", &options, &l->layer, &error), ELMAN_OK);
    const elman_cell_parameters *p = l->layer.cells;
    load(l, p->weight_ih, "weight_ih");
    load(l, p->weight_hh, "weight_hh");
    load(l, p->bias_ih, "bias_ih");
    if (normalised) {
        load(l, p->gain_ih, "gain_ih");
        load(l, p->gain_hh, "gain_hh");
    } else {
        load(l, p->bias_hh, "bias_hh");
    }
    if (normalised && cell == ELMAN_CELL_LSTM) {
        load(l, p->gain_cell, "gain_cell");
        load(l, p->bias_cell, "bias_cell");
    }
    assert_int_equal(elman_tape_create(l->context, &l->tape, &error), ELMAN_OK);
    elman_tape_mode_default(&mode);
    mode.observe = true;
    elman_tape_begin(l->tape, &mode);
    const elman_sequences *s = elman_tape_sequences(l->tape, T, 1, NULL, NULL, 0);
    elman_var *x =
        elman_tape_input(l->tape, 2, (int64_t[]){T, I}, golden_find(l->file, l->prefix, "x")->data);
    elman_var *y = elman_recurrent_forward(l->tape, &l->layer, x, s, NULL, NULL);
    elman_var *w =
        elman_tape_input(l->tape, 2, (int64_t[]){1, H}, golden_find(l->file, l->prefix, "w")->data);
    elman_var *product = elman_multiply(l->tape, elman_pool_last(l->tape, y, s), w);
    elman_var *loss = NULL;
    for (int u = 0; u < H; u++) {
        elman_var *one = elman_reshape(l->tape, elman_slice(l->tape, product, u, u + 1), 0, NULL);
        loss = loss ? elman_add(l->tape, loss, one) : one;
    }
    if (elman_tape_backward(l->tape, loss, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    l->seen = elman_observations(l->tape);
    assert_non_null(l->seen);
}

static void look_away(looked *l)
{
    elman_tape_free(l->tape);
    elman_parameters_free(l->set);
    golden_close(l->file);
    elman_context_free(l->context);
}

typedef struct jacobian {
    elman_step_jacobian j;
    float *turned;
    double *memory;
} jacobian;

static jacobian jacobian_at(const looked *l, int64_t t)
{
    jacobian made = {.turned = malloc(4 * H * H * sizeof(float)),
                     .memory = malloc(elman_step_jacobian_size(l->seen) * sizeof(double))};
    elman_step_jacobian_turn(l->seen, made.turned);
    elman_step_jacobian_at(l->seen, t, 0, made.turned, made.memory, &made.j);
    return made;
}

static void jacobian_free(jacobian *j)
{
    free(j->turned);
    free(j->memory);
}

/* ds_T/ds_{T-k} as the product of steps, forwards; and J^T as the rows that come of going back. */
static size_t product_of(const looked *l, int64_t k, float *forward, float *back)
{
    jacobian steps[T];
    for (int64_t i = 0; i < k; i++)
        steps[i] = jacobian_at(l, T - k + i);
    const size_t S = steps[0].j.S;
    for (size_t e = 0; e < S; e++) {
        double v[MOST] = {0}, w[MOST], u[MOST] = {0};
        v[e] = u[e] = 1;
        for (int64_t i = 0; i < k; i++) {
            elman_step_jacobian_apply(&steps[i].j, v, w);
            memcpy(v, w, sizeof v);
        }
        for (int64_t i = k; i-- > 0;) {
            elman_step_jacobian_transpose(&steps[i].j, u, w);
            memcpy(u, w, sizeof u);
        }
        for (size_t r = 0; r < S; r++) {
            forward[r * S + e] = (float)v[r];
            back[e * S + r] = (float)u[r];
        }
    }
    for (int64_t i = 0; i < k; i++)
        jacobian_free(&steps[i]);
    return S;
}

static void test_against_pytorch(void **state)
{
    (void)state;
    for (int cell = 0; cell < ELMAN_CELL_COUNT; cell++)
        for (int normalised = 0; normalised < 2; normalised++) {
            static const int64_t lags[] = {1, 3, 8};
            looked l;
            look(&l, (elman_cell)cell, normalised, true);
            for (int i = 0; i < 3; i++) {
                float forward[MOST * MOST], back[MOST * MOST];
                char name[32];
                size_t S = product_of(&l, lags[i], forward, back);
                snprintf(name, sizeof name, "jacobian.%d", (int)lags[i]);
                assert_true(golden_near(l.file, l.prefix, name, forward, (int64_t)(S * S), 64));
                assert_true(golden_near(l.file, l.prefix, name, back, (int64_t)(S * S), 64));
            }
            assert_true(golden_near(l.file, l.prefix, "dh", l.seen->dh, T * H, 64));
            if (cell == ELMAN_CELL_LSTM)
                assert_true(golden_near(l.file, l.prefix, "dc", l.seen->dc, T * H, 64));
            else
                assert_null(l.seen->dc);
            look_away(&l);
        }
}

/* A look needs no gradient of a parameter, and sees the same without. */
static void test_without_gradients(void **state)
{
    (void)state;
    for (int cell = 0; cell < ELMAN_CELL_COUNT; cell++) {
        looked with, without;
        look(&with, (elman_cell)cell, false, true);
        look(&without, (elman_cell)cell, false, false);
        assert_memory_equal(with.seen->dh, without.seen->dh, T * H * sizeof(float));
        look_away(&with);
        look_away(&without);
    }
}

/* -- finite differences ------------------------------------------------------------------------ */

static void as_doubles(const elman_parameter *p, double *to)
{
    const elman_tensor *t = elman_parameter_value(p);
    for (int64_t i = 0; i < elman_tensor_count(t); i++)
        to[i] = (double)t->data[i];
}

/* s' = step(x_t, s) by the oracle. */
static void oracle_step(const looked *l, int64_t t, const double *s, double *out)
{
    const elman_cell_parameters *p = l->layer.cells;
    double w_ih[4 * H * I], w_hh[4 * H * H], b_ih[4 * H], b_hh[4 * H], x[I];
    const float *xs = golden_find(l->file, l->prefix, "x")->data + t * I;
    as_doubles(p->weight_ih, w_ih);
    as_doubles(p->weight_hh, w_hh);
    as_doubles(p->bias_ih, b_ih);
    as_doubles(p->bias_hh, b_hh);
    for (int i = 0; i < I; i++)
        x[i] = (double)xs[i];
    ref_layer layer = {.kind = l->cell,
                       .T = 1,
                       .I = I,
                       .H = H,
                       .cell = {w_ih, w_hh, b_ih, b_hh},
                       .x = x,
                       .h0 = s,
                       .c0 = s + H};
    double *work = malloc(ref_recurrent_work(&layer) * sizeof *work);
    double y[H], cn[H];
    ref_recurrent_forward(&layer, y, out, cn, work);
    if (l->cell == ELMAN_CELL_LSTM)
        memcpy(out + H, cn, sizeof cn);
    free(work);
}

static void test_against_differences(void **state)
{
    (void)state;
    const double step = 1e-6;
    for (int cell = 0; cell < ELMAN_CELL_COUNT; cell++) {
        looked l;
        look(&l, (elman_cell)cell, false, true);
        for (int64_t t = 1; t < T; t += 3) {
            jacobian at = jacobian_at(&l, t);
            double s[MOST] = {0};
            for (int u = 0; u < H; u++) {
                s[u] = (double)elman_observation_h(l.seen, (size_t)t - 1)[u];
                if (cell == ELMAN_CELL_LSTM)
                    s[H + u] = (double)elman_observation_c(l.seen, (size_t)t - 1)[u];
            }
            for (size_t e = 0; e < at.j.S; e++) {
                double up[MOST], down[MOST], unit[MOST] = {0}, column[MOST];
                unit[e] = 1;
                elman_step_jacobian_apply(&at.j, unit, column);
                s[e] += step;
                oracle_step(&l, t, s, up);
                s[e] -= 2 * step;
                oracle_step(&l, t, s, down);
                s[e] += step;
                for (size_t r = 0; r < at.j.S; r++) {
                    double slope = (up[r] - down[r]) / (2 * step);
                    if (fabs(slope - column[r]) > 2e-6)
                        fail_msg("cell %d, step %d, row %zu, column %zu: %g, by differences %g",
                                 cell, (int)t, r, e, column[r], slope);
                }
            }
            jacobian_free(&at);
        }
        look_away(&l);
    }
}

/* -- singular value and spectral radius ---------------------------------------------------------
 * An RNN at zero state and input is linear there: J is its recurrent weight. */

static void measure_matrix(const float *matrix, double *singular, double *radius)
{
    elman_context *context;
    elman_parameters *set;
    elman_recurrent_layer layer;
    elman_tape *tape;
    elman_recurrent_options options;
    elman_tape_mode mode;
    const float zeros[2 * H] = {0};
    assert_int_equal(elman_context_create(NULL, &context, NULL), ELMAN_OK);
    assert_int_equal(elman_parameters_create(context, true, &set, NULL), ELMAN_OK);
    elman_recurrent_options_default(&options);
    options.cell = ELMAN_CELL_RNN;
    options.input = 1;
    options.hidden = H;
    assert_int_equal(elman_recurrent_create(set, "rnn", &options, &layer, NULL), ELMAN_OK);
    memcpy(elman_parameter_edit(layer.cells->weight_hh), matrix, H * H * sizeof *matrix);
    assert_int_equal(elman_tape_create(context, &tape, NULL), ELMAN_OK);
    elman_tape_mode_default(&mode);
    mode.observe = true;
    elman_tape_begin(tape, &mode);
    elman_var *x = elman_tape_input(tape, 2, (int64_t[]){2, 1}, zeros);
    elman_recurrent_forward(tape, &layer, x, elman_tape_sequences(tape, 2, 1, NULL, NULL, 0), NULL,
                            NULL);
    looked l = {.seen = elman_observations(tape)};
    jacobian at = jacobian_at(&l, 1);
    double v[H], w[H];
    *singular = elman_step_jacobian_singular(&at.j, v, w);
    *radius = elman_step_jacobian_radius(&at.j, v, w);
    jacobian_free(&at);
    elman_tape_free(tape);
    elman_parameters_free(set);
    elman_context_free(context);
}

static void test_known_matrices(void **state)
{
    (void)state;
    double singular, radius;
    /* a rotation by 1 rad times 0.9 (eigenvalues 0.9 e^(+-i)) beside 0.5, 0.2, 0 */
    const float c = 0.9F * 0.5403023F, s = 0.9F * 0.84147098F;
    const float turning[H * H] = {c, -s, 0, 0, 0, s,    c, 0, 0, 0, 0, 0, 0.5F,
                                  0, 0,  0, 0, 0, 0.2F, 0, 0, 0, 0, 0, 0};
    measure_matrix(turning, &singular, &radius);
    assert_float_equal(singular, 0.9, 1e-6);
    assert_float_equal(radius, 0.9, 1e-6);
    /* far from normal: [0.5 100; 0 0.4] has the radius 0.5 and the singular value of about 100 */
    float sheared[H * H] = {0};
    sheared[0] = 0.5F;
    sheared[1] = 100;
    sheared[H + 1] = 0.4F;
    measure_matrix(sheared, &singular, &radius);
    assert_float_equal(singular, 100.00205, 1e-4);
    assert_float_equal(radius, 0.5, 2e-3);
    /* nilpotent: grows once, then is gone */
    float gone[H * H] = {0};
    gone[1] = 3;
    measure_matrix(gone, &singular, &radius);
    assert_float_equal(singular, 3, 1e-6);
    assert_true(radius == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_pytorch), cmocka_unit_test(test_without_gradients),
        cmocka_unit_test(test_against_differences), cmocka_unit_test(test_known_matrices)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
