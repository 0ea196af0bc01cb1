/* Layer-normalised cells keep two chains, from zero; in a vector that is normalised each gate is
 * reduced alone, gates added in order, squares in double. */
#include "recurrent_law.h"

enum { T = 4, B = 13, I = 37, H = 67 };

/* gain * (a - mean) * inverse over some gates of H. */
static void normalise(const float *a, const float *gain, size_t gates, float *out)
{
    double sum = 0.0, squares = 0.0;
    const size_t count = gates * H;
    for (size_t g = 0; g < gates; g++) {
        float lane[16] = {0};
        for (size_t u = 0; u < H; u++)
            lane[u % 16] += a[g * H + u];
        for (int half = 8; half > 0; half /= 2)
            for (int i = 0; i < half; i++)
                lane[i] += lane[i + half];
        sum += (double)lane[0];
    }
    const float mean = (float)(sum / (double)count);
    for (size_t g = 0; g < gates; g++) {
        double lane[16] = {0};
        for (size_t u = 0; u < H; u++) {
            float d = a[g * H + u] - mean;
            lane[u % 16] += (double)d * (double)d;
        }
        for (int half = 8; half > 0; half /= 2)
            for (int i = 0; i < half; i++)
                lane[i] += lane[i + half];
        squares += lane[0];
    }
    const float inverse = 1.0F / sqrtf((float)(squares / (double)count) + 1e-5F);
    for (size_t j = 0; j < count; j++)
        out[j] = (a[j] - mean) * inverse * gain[j];
}

typedef struct norm_case {
    elman_cell cell;
    size_t G;
    float *w[2], *gain[2], *bias, *x, *want;
} norm_case;

static void sums(const float *w, size_t rows, const float *x, size_t n, float *to)
{
    for (size_t j = 0; j < rows; j++)
        to[j] = law_chain(0.0F, x, w + j * n, 1, n);
}

static void step(const norm_case *c, const float *x, const float *h, float *y)
{
    float a[3 * H], b[3 * H], from_x[3 * H], from_h[3 * H];
    const size_t joint = c->cell == ELMAN_CELL_GRU ? 2 : 1;
    sums(c->w[0], c->G * H, x, I, a);
    sums(c->w[1], c->G * H, h, H, b);
    normalise(a, c->gain[0], joint, from_x);
    normalise(b, c->gain[1], joint, from_h);
    if (c->cell == ELMAN_CELL_RNN) {
        for (size_t u = 0; u < H; u++)
            y[u] = law_tanh((from_x[u] + c->bias[u]) + from_h[u]);
        return;
    }
    normalise(a + 2 * H, c->gain[0] + 2 * H, 1, from_x + 2 * H);
    normalise(b + 2 * H, c->gain[1] + 2 * H, 1, from_h + 2 * H);
    for (size_t u = 0; u < H; u++) {
        float r = law_sigmoid((from_x[u] + c->bias[u]) + from_h[u]);
        float z = law_sigmoid((from_x[H + u] + c->bias[H + u]) + from_h[H + u]);
        float n = law_tanh((from_x[2 * H + u] + c->bias[2 * H + u]) + r * from_h[2 * H + u]);
        y[u] = law_flush(n + z * (h[u] - n));
    }
}

static void check(elman_context *context, void *user)
{
    const norm_case *c = user;
    elman_cell_parameters p = {.weight_ih = law_parameter(context, "ih", c->G * H, I, c->w[0]),
                               .weight_hh = law_parameter(context, "hh", c->G * H, H, c->w[1]),
                               .gain_ih = law_parameter(context, "gi", c->G * H, 0, c->gain[0]),
                               .gain_hh = law_parameter(context, "gh", c->G * H, 0, c->gain[1]),
                               .bias_ih = law_parameter(context, "b", c->G * H, 0, c->bias)};
    elman_tape *tape = law_tape(context);
    elman_recurrent layer = {
        .kind = c->cell, .input = I, .hidden = H, .directions = 1, .cells = &p};
    layer.x = elman_tape_leaf(tape, 2, (int64_t[]){T * B, I}, c->x);
    elman_op_recurrent(tape, elman_tape_sequences(tape, T, B, NULL, NULL, 0), &layer);
    law_ok(tape);
    law_same(context, "layer-normalised cell", layer.y->value.data, c->want, T * B * H);
    elman_tape_free(tape);
    elman_parameter *all[] = {p.weight_ih, p.weight_hh, p.gain_ih, p.gain_hh, p.bias_ih};
    for (int i = 0; i < 5; i++)
        elman_parameter_free(all[i]);
}

static void test_cells(void **state)
{
    (void)state;
    const elman_cell cells[] = {ELMAN_CELL_RNN, ELMAN_CELL_GRU};
    for (int i = 0; i < 2; i++) {
        norm_case c = {.cell = cells[i], .G = elman_cell_gates(cells[i])};
        c.w[0] = law_numbers(c.G * H * I, 1);
        c.w[1] = law_numbers(c.G * H * H, 2);
        c.gain[0] = law_numbers(c.G * H, 3);
        c.gain[1] = law_numbers(c.G * H, 4);
        c.bias = law_numbers(c.G * H, 5);
        c.x = law_numbers(T * B * I, 6);
        c.want = law_zeros((T + 1) * B * H);
        for (size_t row = 0; row < T * B; row++) {
            const float zeros[H] = {0};
            step(&c, c.x + row * I, row < B ? zeros : c.want + (row - B) * H, c.want + row * H);
        }
        law_each(check, &c);
        float *all[] = {c.w[0], c.w[1], c.gain[0], c.gain[1], c.bias, c.x, c.want};
        for (int j = 0; j < 7; j++)
            free(all[j]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cells)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
