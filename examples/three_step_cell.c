/* A recurrent network by hand: two inputs, three hidden units, one output, three steps.
 *
 *   h_t = tanh(W_xh x_t + W_hh h_{t-1} + b_h)     h_0 = 0
 *   y_t = W_hy h_t + b_y
 *
 * The weights stand below, so that every number can be checked with pencil and paper. */
#include <elman/elman.h>
#include <stdio.h>
#include <string.h>

enum { INPUT = 2, HIDDEN = 3, OUTPUT = 1, STEPS = 3 };

static const float w_xh[HIDDEN][INPUT] = {{0.5f, -0.3f}, {0.8f, 0.2f}, {-0.4f, 0.7f}};
static const float w_hh[HIDDEN][HIDDEN] = {
    {0.1f, 0.4f, -0.2f}, {-0.3f, 0.2f, 0.5f}, {0.6f, -0.1f, 0.3f}};
static const float b_h[HIDDEN] = {0.1f, -0.1f, 0.2f};
static const float w_hy[OUTPUT][HIDDEN] = {{1.0f, -0.5f, 0.8f}};
static const float b_y[OUTPUT] = {0.2f};
static const float x[STEPS][1][INPUT] = {{{1.0f, 0.5f}}, {{-0.5f, 1.0f}}, {{0.25f, -0.75f}}};

typedef struct cell {
    elman_linear_layer xh, hh, hy;
} cell;

static elman_status make_cell(elman_parameters *set, cell *c, elman_error *error)
{
    elman_status status = elman_linear_create(set, "xh", INPUT, HIDDEN, true, NULL, &c->xh, error);
    if (status == ELMAN_OK)
        status = elman_linear_create(set, "hh", HIDDEN, HIDDEN, false, NULL, &c->hh, error);
    if (status == ELMAN_OK)
        status = elman_linear_create(set, "hy", HIDDEN, OUTPUT, true, NULL, &c->hy, error);
    if (status != ELMAN_OK)
        return status;
    memcpy(elman_parameter_edit(c->xh.weight), w_xh, sizeof(w_xh));
    memcpy(elman_parameter_edit(c->xh.bias), b_h, sizeof(b_h));
    memcpy(elman_parameter_edit(c->hh.weight), w_hh, sizeof(w_hh));
    memcpy(elman_parameter_edit(c->hy.weight), w_hy, sizeof(w_hy));
    memcpy(elman_parameter_edit(c->hy.bias), b_y, sizeof(b_y));
    return ELMAN_OK;
}

/* One step reads like its equation: x_t [1,I] and h [1,H] give the next h [1,H]. */
static elman_var *step(elman_tape *tape, const cell *c, elman_var *x_t, elman_var *h)
{
    return elman_tanh(
        tape, elman_add(tape, elman_linear(tape, &c->xh, x_t), elman_linear(tape, &c->hh, h)));
}

static elman_status run(elman_tape *tape, const cell *c, elman_error *error)
{
    static const float zero[1][HIDDEN];
    elman_var *states[STEPS], *outputs[STEPS];
    elman_tape_begin(tape, NULL);
    elman_var *h = elman_tape_input(tape, 2, (const int64_t[]){1, HIDDEN}, &zero[0][0]);
    for (int t = 0; t < STEPS; t++) {
        elman_var *x_t = elman_tape_input(tape, 2, (const int64_t[]){1, INPUT}, &x[t][0][0]);
        states[t] = h = step(tape, c, x_t, h);
        outputs[t] = elman_linear(tape, &c->hy, h);
    }
    /* The tape kept the first error, if any, so asking once is enough. */
    elman_status status = elman_tape_status(tape, error);
    for (int t = 0; t < STEPS && status == ELMAN_OK; t++) {
        const float *v = elman_var_value(states[t])->data;
        printf("step %d: x = (%5.2f, %5.2f)  h = (%7.4f, %7.4f, %7.4f)  y = %7.4f\n", t + 1,
               x[t][0][0], x[t][0][1], v[0], v[1], v[2], elman_var_value(outputs[t])->data[0]);
    }
    return status;
}

int main(void)
{
    elman_error error = {ELMAN_OK, ""};
    elman_context *context = NULL;
    elman_parameters *set = NULL;
    elman_tape *tape = NULL;
    cell c;
    elman_status status = elman_context_create(NULL, &context, &error);
    if (status == ELMAN_OK)
        status = elman_parameters_create(context, false, &set, &error);
    if (status == ELMAN_OK)
        status = elman_tape_create(context, &tape, &error);
    if (status == ELMAN_OK)
        status = make_cell(set, &c, &error);
    if (status == ELMAN_OK)
        status = run(tape, &c, &error);
    if (status != ELMAN_OK)
        fprintf(stderr, "three_step_cell: %s\n", error.message);
    elman_tape_free(tape);
    elman_parameters_free(set);
    elman_context_free(context);
    return status == ELMAN_OK ? 0 : 1;
}
