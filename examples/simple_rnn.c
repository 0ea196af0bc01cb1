/* SimpleRNN, as PyTorch users write it: 10 inputs, 20 hidden units, 5 outputs, batch first.
 *
 *   y, h = rnn(x, h)     x [32,15,10] -> y [32,15,20], h [1,32,20]
 *   out = fc(y)          [32,15,5]
 *
 * The hidden state may be left out (zero), and is handed back: feeding it with what comes next
 * goes on with the sequence, to the same bits as the whole at once. */
#include <elman/elman.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { BATCH = 32, STEPS = 15, FIRST = 6, INPUT = 10, HIDDEN = 20, OUTPUT = 5 };

typedef struct simple_rnn {
    elman_recurrent_layer rnn;
    elman_linear_layer fc;
} simple_rnn;

static elman_status simple_rnn_create(elman_parameters *set, simple_rnn *m, elman_error *error)
{
    elman_recurrent_options options;
    elman_recurrent_options_default(&options);
    options.cell = ELMAN_CELL_RNN;
    options.input = INPUT;
    options.hidden = HIDDEN;
    options.batch_first = true;
    elman_status status = elman_recurrent_create(set, "rnn", &options, &m->rnn, error);
    if (status == ELMAN_OK)
        status = elman_linear_create(set, "fc", HIDDEN, OUTPUT, true, NULL, &m->fc, error);
    return status == ELMAN_OK ? elman_initialise(set, NULL, 1, error) : status;
}

/* x [B,T,10] -> [B,T,5]; h0 and *hn [1,B,20], either may be NULL. */
static elman_var *simple_rnn_forward(elman_tape *tape, const simple_rnn *m, elman_var *x,
                                     elman_var *h0, elman_var **hn)
{
    elman_var *y = elman_rnn(tape, &m->rnn, x, h0, hn);
    return elman_linear(tape, &m->fc, y);
}

static void print_shape(const char *name, const elman_var *var)
{
    const elman_tensor *value = elman_var_value(var);
    printf("%-9s(", name);
    for (int d = 0; d < value->rank; d++)
        printf("%s%" PRId64, d > 0 ? ", " : "", value->shape[d]);
    printf(")\n");
}

/* Steps first..end-1 of x, copied side by side into `part`. */
static elman_var *steps(elman_tape *tape, float x[BATCH][STEPS][INPUT], int first, int end,
                        float *part)
{
    size_t row = (size_t)(end - first) * INPUT;
    for (int b = 0; b < BATCH; b++)
        memcpy(part + (size_t)b * row, x[b][first], row * sizeof(float));
    return elman_tape_input(tape, 3, (const int64_t[]){BATCH, end - first, INPUT}, part);
}

static elman_status run(elman_tape *tape, const simple_rnn *m, elman_error *error)
{
    static float x[BATCH][STEPS][INPUT], one[BATCH * FIRST * INPUT];
    static float two[BATCH * (STEPS - FIRST) * INPUT];
    for (int i = 0; i < BATCH * STEPS * INPUT; i++)
        (&x[0][0][0])[i] = (float)(i * 37 % 101) / 50.0f - 1.0f;
    elman_tape_begin(tape, NULL);
    elman_var *all = elman_tape_input(tape, 3, (const int64_t[]){BATCH, STEPS, INPUT}, &x[0][0][0]);
    elman_var *hn, *half, *hn_two;
    elman_var *out = simple_rnn_forward(tape, m, all, NULL, &hn);
    elman_var *out_one = simple_rnn_forward(tape, m, steps(tape, x, 0, FIRST, one), NULL, &half);
    elman_var *out_two =
        simple_rnn_forward(tape, m, steps(tape, x, FIRST, STEPS, two), half, &hn_two);
    elman_status status = elman_tape_status(tape, error);
    if (status != ELMAN_OK)
        return status;
    print_shape("x", all);
    print_shape("out", out);
    print_shape("hidden", hn);
    const float *whole = elman_var_value(out)->data, *begin = elman_var_value(out_one)->data;
    const float *rest = elman_var_value(out_two)->data;
    const size_t head = FIRST * OUTPUT, tail = (STEPS - FIRST) * OUTPUT;
    int differ = memcmp(elman_var_value(hn)->data, elman_var_value(hn_two)->data,
                        BATCH * HIDDEN * sizeof(float));
    for (size_t b = 0; b < BATCH; b++) {
        const float *row = whole + b * (head + tail);
        differ |= memcmp(row, begin + b * head, head * sizeof(float));
        differ |= memcmp(row + head, rest + b * tail, tail * sizeof(float));
    }
    printf("15 steps at once and 6, then 9 from the returned hidden state: %s\n",
           differ ? "they differ" : "the same bits");
    return ELMAN_OK;
}

int main(void)
{
    elman_error error = {ELMAN_OK, ""};
    elman_context *context = NULL;
    elman_parameters *set = NULL;
    elman_tape *tape = NULL;
    simple_rnn m;
    elman_status status = elman_context_create(NULL, &context, &error);
    if (status == ELMAN_OK)
        status = elman_parameters_create(context, false, &set, &error);
    if (status == ELMAN_OK)
        status = elman_tape_create(context, &tape, &error);
    if (status == ELMAN_OK)
        status = simple_rnn_create(set, &m, &error);
    if (status == ELMAN_OK)
        status = run(tape, &m, &error);
    if (status != ELMAN_OK)
        fprintf(stderr, "simple_rnn: %s\n", error.message);
    elman_tape_free(tape);
    elman_parameters_free(set);
    elman_context_free(context);
    return status == ELMAN_OK ? 0 : 1;
}
