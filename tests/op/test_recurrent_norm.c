/* Layer-normalised cells: values against a plain program in double precision, gradients against its
 * central differences, and what must not change a bit. */
#include "op/recurrent_step.h"
#include "recurrent_case.h"

enum { PARTS = 7, MOST_T = 4, MOST_B = 5, MOST_H = 20, MOST_I = 6 };

/* A small batch: everything it depends on in one array, x [B,T,I] first. */
typedef struct problem {
    elman_cell kind;
    int directions;
    size_t T, B, I, H, G;
    int64_t lengths[MOST_B];
    size_t h0, c0, parts[2][PARTS], count; /* where they begin */
} problem;

/* w_ih, w_hh, gain_ih, gain_hh, bias_ih, gain_cell, bias_cell */
static size_t part_size(const problem *p, int part)
{
    const size_t gates = p->G * p->H;
    const size_t sizes[PARTS] = {gates * p->I, gates * p->H, gates, gates, gates, p->H, p->H};
    return part >= 5 && p->kind != ELMAN_CELL_LSTM ? 0 : sizes[part];
}

static problem problem_of(elman_cell kind, int directions, size_t T, size_t B, size_t I, size_t H)
{
    problem p = {.kind = kind, .directions = directions, .T = T, .B = B, .I = I, .H = H};
    p.G = kind == ELMAN_CELL_LSTM ? 4 : kind == ELMAN_CELL_GRU ? 3 : 1;
    for (size_t b = 0; b < B; b++)
        p.lengths[b] = b == 0 ? (int64_t)T : (int64_t)((b * 2 + 1) % (T + 1));
    p.h0 = B * T * I;
    p.c0 = p.h0 + (size_t)directions * B * H;
    p.count = p.c0 + (size_t)directions * B * H;
    for (int d = 0; d < directions; d++)
        for (int part = 0; part < PARTS; part++) {
            p.parts[d][part] = p.count;
            p.count += part_size(&p, part);
        }
    return p;
}

/* -- the plain program ----------------------------------------------------------------------------
 */

static void normalise(const double *a, const double *gain, size_t n, double *out)
{
    double mean = 0, variance = 0;
    for (size_t i = 0; i < n; i++)
        mean += a[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        variance += (a[i] - mean) * (a[i] - mean) / (double)n;
    for (size_t i = 0; i < n; i++)
        out[i] = gain[i] * (a[i] - mean) / sqrt(variance + 1e-5);
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static void cell_step(const problem *p, const double *const w[PARTS], const double *x, double *h,
                      double *c)
{
    const size_t H = p->H, G = p->G;
    double a[4 * MOST_H] = {0}, b[4 * MOST_H] = {0}, nx[4 * MOST_H], nh[4 * MOST_H], t[MOST_H];
    for (size_t j = 0; j < G * H; j++) {
        for (size_t k = 0; k < p->I; k++)
            a[j] += w[0][j * p->I + k] * x[k];
        for (size_t k = 0; k < H; k++)
            b[j] += w[1][j * H + k] * h[k];
    }
    const size_t first = p->kind == ELMAN_CELL_GRU ? 2 * H : G * H;
    normalise(a, w[2], first, nx);
    normalise(b, w[3], first, nh);
    if (first < G * H) {
        normalise(a + first, w[2] + first, H, nx + first);
        normalise(b + first, w[3] + first, H, nh + first);
    }
    for (size_t j = 0; j < G * H; j++)
        nx[j] += w[4][j];
    if (p->kind == ELMAN_CELL_LSTM) {
        for (size_t u = 0; u < H; u++)
            c[u] = sigmoid(nx[H + u] + nh[H + u]) * c[u] +
                   sigmoid(nx[u] + nh[u]) * tanh(nx[2 * H + u] + nh[2 * H + u]);
        normalise(c, w[5], H, t);
        for (size_t u = 0; u < H; u++)
            h[u] = sigmoid(nx[3 * H + u] + nh[3 * H + u]) * tanh(t[u] + w[6][u]);
        return;
    }
    for (size_t u = 0; u < H; u++) {
        if (p->kind == ELMAN_CELL_GRU) {
            double r = sigmoid(nx[u] + nh[u]), z = sigmoid(nx[H + u] + nh[H + u]);
            double n = tanh(nx[2 * H + u] + r * nh[2 * H + u]);
            h[u] = (1 - z) * n + z * h[u];
        } else {
            double s = nx[u] + nh[u];
            h[u] = p->kind == ELMAN_CELL_RNN ? tanh(s) : fmax(s, 0);
        }
    }
}

/* The scalar sum of results times numbers; y [B,T,D*H] and finals [D,B,H] where not NULL. */
static double plain_loss(const problem *p, const double *all, double *y, double *hn, double *cn)
{
    const size_t D = (size_t)p->directions, H = p->H;
    double loss = 0;
    for (size_t d = 0; d < D; d++) {
        const double *w[PARTS];
        for (int part = 0; part < PARTS; part++)
            w[part] = all + p->parts[d][part];
        for (size_t b = 0; b < p->B; b++) {
            double h[MOST_H], c[MOST_H];
            const size_t state = (d * p->B + b) * H, length = (size_t)p->lengths[b];
            memcpy(h, all + p->h0 + state, H * sizeof *h);
            memcpy(c, all + p->c0 + state, H * sizeof *c);
            for (size_t i = 0; i < length; i++) {
                size_t t = d ? length - 1 - i : i;
                cell_step(p, w, all + (b * p->T + t) * p->I, h, c);
                for (size_t u = 0; u < H; u++) {
                    loss += h[u] * (double)case_number(USE_DY, b, t, d * H + u);
                    if (y)
                        y[(b * p->T + t) * D * H + d * H + u] = h[u];
                }
            }
            for (size_t u = 0; u < H; u++) {
                loss += h[u] * (double)case_number(USE_DHN, b, d, u);
                if (p->kind == ELMAN_CELL_LSTM)
                    loss += c[u] * (double)case_number(USE_DCN, b, d, u);
                if (hn)
                    hn[state + u] = h[u];
                if (cn)
                    cn[state + u] = c[u];
            }
        }
    }
    return loss;
}

/* -- on the tape
 * ------------------------------------------------------------------------------------ */

/* y as above, then hn, cn, then the gradient of everything in the order of `all`. */
static float *tape_run(const problem *p, const double *all, int threads, elman_isa isa)
{
    const size_t D = (size_t)p->directions, H = p->H, state = D * p->B * H;
    const size_t outputs = p->B * p->T * D * H;
    const int64_t G = (int64_t)(p->G * H), states[3] = {(int64_t)D, (int64_t)p->B, (int64_t)H};
    float *out = calloc(outputs + 2 * state + p->count, sizeof *out);
    float *gradient = out + outputs + 2 * state;
    elman_context *context = case_context(threads, isa);
    elman_tape *tape;
    assert_int_equal(elman_tape_create(context, &tape, NULL), ELMAN_OK);
    elman_tape_begin(tape, NULL);
    const elman_sequences *s =
        elman_tape_sequences(tape, (int64_t)p->T, (int64_t)p->B, p->lengths, NULL, 0);
    elman_parameter *parameters[2][PARTS] = {{0}};
    elman_cell_parameters cells[2] = {{0}};
    for (int d = 0; d < p->directions; d++) {
        const int64_t rows[PARTS] = {G, G, G, G, G, (int64_t)H, (int64_t)H};
        const int64_t columns[PARTS] = {(int64_t)p->I, (int64_t)H};
        for (int part = 0; part < PARTS && part_size(p, part); part++) {
            parameters[d][part] = case_parameter(context, rows[part], columns[part]);
            for (size_t i = 0; i < part_size(p, part); i++)
                parameters[d][part]->value.data[i] = (float)all[p->parts[d][part] + i];
        }
        elman_parameter **q = parameters[d];
        cells[d] = (elman_cell_parameters){.weight_ih = q[0],
                                           .weight_hh = q[1],
                                           .gain_ih = q[2],
                                           .gain_hh = q[3],
                                           .bias_ih = q[4],
                                           .gain_cell = q[5],
                                           .bias_cell = q[6]};
    }
    const size_t N = (size_t)s->N;
    float *x = elman_tape_floats(tape, N * p->I), *h0 = elman_tape_floats(tape, state);
    float *c0 = elman_tape_floats(tape, state), *dy = elman_tape_floats(tape, N * D * H + state);
    for (int64_t t = 0; t < s->T; t++)
        for (int64_t r = 0; r < s->batch_sizes[t]; r++) {
            const size_t row = (size_t)(s->offsets[t] + r), b = (size_t)s->order[r];
            for (size_t i = 0; i < p->I; i++)
                x[row * p->I + i] = (float)all[(b * p->T + (size_t)t) * p->I + i];
            for (size_t u = 0; u < D * H; u++)
                dy[row * D * H + u] = case_number(USE_DY, b, (uint64_t)t, u);
        }
    for (size_t i = 0; i < state; i++) {
        h0[i] = (float)all[p->h0 + i];
        c0[i] = (float)all[p->c0 + i];
    }
    elman_recurrent layer = {.kind = p->kind,
                             .input = (int64_t)p->I,
                             .hidden = (int64_t)H,
                             .directions = p->directions,
                             .cells = cells};
    layer.x = elman_tape_leaf(tape, 2, (int64_t[]){(int64_t)N, (int64_t)p->I}, x);
    layer.h0 = elman_tape_leaf(tape, 3, states, h0);
    if (p->kind == ELMAN_CELL_LSTM)
        layer.c0 = elman_tape_leaf(tape, 3, states, c0);
    elman_op_recurrent(tape, s, &layer);
    assert_int_equal(elman_tape_status(tape, NULL), ELMAN_OK);
    case_flow(tape, layer.y, dy, N * D * H);
    layer_case shape = {.directions = p->directions, .B = (int64_t)p->B, .H = (int64_t)H};
    case_fill_state(&shape, USE_DHN, dy);
    case_flow(tape, layer.hn, dy, state);
    case_fill_state(&shape, USE_DCN, dy);
    if (layer.cn)
        case_flow(tape, layer.cn, dy, state);
    tape->last->backward(tape, tape->last);
    assert_int_equal(elman_tape_status(tape, NULL), ELMAN_OK);

    for (int64_t t = 0; t < s->T; t++)
        for (int64_t r = 0; r < s->batch_sizes[t]; r++) {
            const size_t row = (size_t)(s->offsets[t] + r);
            const size_t to = (size_t)s->order[r] * p->T + (size_t)t;
            memcpy(out + to * D * H, layer.y->value.data + row * D * H, D * H * sizeof *out);
            memcpy(gradient + to * p->I, layer.x->gradient + row * p->I, p->I * sizeof *out);
        }
    memcpy(out + outputs, layer.hn->value.data, state * sizeof *out);
    memcpy(gradient + p->h0, layer.h0->gradient, state * sizeof *out);
    if (layer.cn) {
        memcpy(out + outputs + state, layer.cn->value.data, state * sizeof *out);
        memcpy(gradient + p->c0, layer.c0->gradient, state * sizeof *out);
    }
    for (int d = 0; d < p->directions; d++)
        for (int part = 0; part < PARTS; part++) {
            if (parameters[d][part])
                memcpy(gradient + p->parts[d][part], parameters[d][part]->gradient,
                       part_size(p, part) * sizeof *out);
            elman_parameter_free(parameters[d][part]);
        }
    elman_tape_free(tape);
    elman_context_free(context);
    return out;
}

static void fill(const problem *p, double *all)
{
    for (size_t i = 0; i < p->count; i++)
        all[i] = (double)case_number(55, i, (uint64_t)p->kind, 0);
}

static void test_values_and_gradients(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++)
        for (int variant = 0; variant < 3; variant++) {
            problem p = problem_of((elman_cell)kind, 1 + variant % 2, MOST_T, MOST_B,
                                   variant == 2 ? 1 : 3, variant == 2 ? 17 : 5);
            double *all = calloc(p.count, sizeof *all);
            const size_t D = (size_t)p.directions, outputs = p.B * p.T * D * p.H;
            const size_t final = D * p.B * p.H, size = outputs + 2 * final + p.count;
            double *want = calloc(size, sizeof *want), *magnitude = calloc(size, sizeof *magnitude);
            fill(&p, all);
            plain_loss(&p, all, want, want + outputs,
                       p.kind == ELMAN_CELL_LSTM ? want + outputs + final : NULL);
            for (size_t i = 0; i < p.count; i++) {
                const double step = 1e-6, kept = all[i];
                all[i] = kept + step;
                double up = plain_loss(&p, all, NULL, NULL, NULL);
                all[i] = kept - step;
                double down = plain_loss(&p, all, NULL, NULL, NULL);
                all[i] = kept;
                want[outputs + 2 * final + i] = (up - down) / (2 * step);
            }
            if (p.kind != ELMAN_CELL_LSTM)
                for (size_t i = 0; i < final; i++)
                    want[outputs + 2 * final + p.c0 + i] = 0;
            for (size_t i = 0; i < size; i++)
                magnitude[i] = 1 + fabs(want[i]);
            float *got = tape_run(&p, all, 1 + variant, ELMAN_ISA_BEST);
            assert_true(compare_varied(got, outputs));
            assert_true(compare_close(got, want, magnitude, outputs + 2 * final, 100));
            assert_true(compare_close(got + outputs + 2 * final, want + outputs + 2 * final,
                                      magnitude + outputs + 2 * final, p.count, 1500));
            free(got);
            free(all);
            free(want);
            free(magnitude);
        }
}

static void test_bits(void **state)
{
    (void)state;
    const elman_isa isas[] = {ELMAN_ISA_SCALAR, ELMAN_ISA_AVX2, ELMAN_ISA_AVX512, ELMAN_ISA_NEON};
    for (int kind = 0; kind < 4; kind++) {
        problem p = problem_of((elman_cell)kind, 2, MOST_T, MOST_B, 6, 200);
        const size_t size = (p.B * p.T + 2 * p.B) * 2 * p.H + p.count;
        double *all = calloc(p.count, sizeof *all);
        fill(&p, all);
        float *want = tape_run(&p, all, 1, ELMAN_ISA_BEST);
        for (int threads = 2; threads <= 8; threads += 3) {
            float *got = tape_run(&p, all, threads, ELMAN_ISA_BEST);
            assert_true(compare_bits(got, want, size));
            free(got);
        }
        for (int i = 0; i < 4; i++) {
            if (!elman_cpu_has(isas[i]))
                continue;
            float *got = tape_run(&p, all, 2, isas[i]);
            assert_true(compare_bits(got, want, size));
            free(got);
        }
        free(want);
        free(all);
    }
}

/* Step by step without a tape = the whole; forwards, one direction, all of a length. */
static void test_streaming(void **state)
{
    (void)state;
    enum { T = MOST_T, B = MOST_B, I = 6, H = 37 };
    for (int kind = 0; kind < 4; kind++) {
        problem p = problem_of((elman_cell)kind, 1, T, B, I, H);
        for (size_t b = 0; b < B; b++)
            p.lengths[b] = T;
        double *all = calloc(p.count, sizeof *all);
        float *values = calloc(p.count, sizeof *values);
        fill(&p, all);
        for (size_t i = 0; i < p.count; i++)
            values[i] = (float)all[i];
        float *want = tape_run(&p, all, 2, ELMAN_ISA_BEST);
        elman_context *context = case_context(1, ELMAN_ISA_BEST);
        const elman_kernels *kernels = elman_kernels_of(context);
        const size_t *at = p.parts[0];
        float *ih = elman_allocate(context, elman_recurrent_panel_floats(kernels, p.kind, H, I), 4);
        float *hh = elman_allocate(context, elman_recurrent_panel_floats(kernels, p.kind, H, H), 4);
        float zeros[4 * H] = {0}, x[B * I], h[2][B * H], c[B * H];
        elman_recurrent_pack(kernels, p.kind, H, I, values + at[0], ih);
        elman_recurrent_pack(kernels, p.kind, H, H, values + at[1], hh);
        elman_recurrent_weights weights = {.cell = p.kind,
                                           .input = I,
                                           .hidden = H,
                                           .panels_ih = ih,
                                           .panels_hh = hh,
                                           .start = zeros,
                                           .gain_ih = values + at[2],
                                           .gain_hh = values + at[3],
                                           .bias = values + at[4],
                                           .gain_cell = values + at[5],
                                           .bias_cell = values + at[6]};
        const ptrdiff_t row = (ptrdiff_t)elman_recurrent_gate_floats(&weights);
        float *gates = elman_allocate(context, B * (size_t)row, 4), from[B * 4 * H];
        memcpy(h[0], values + p.h0, sizeof h[0]);
        memcpy(c, values + p.c0, sizeof c);
        for (size_t t = 0; t < T; t++) {
            for (size_t b = 0; b < B; b++)
                memcpy(x + b * I, values + (b * T + t) * I, I * sizeof *x);
            const ptrdiff_t width = (ptrdiff_t)(p.G * H);
            elman_rows_const made = elman_rows_at(from, width);
            elman_recurrent_step_call call = {.rows = B,
                                              .x = elman_rows_at(x, I),
                                              .h = elman_rows_at(h[t % 2], H),
                                              .c = elman_rows_at(c, H),
                                              .gates = elman_rows_mutable_at(gates, row),
                                              .h_out = elman_rows_mutable_at(h[(t + 1) % 2], H),
                                              .c_out = elman_rows_mutable_at(c, H)};
            if (t % 2) {
                elman_recurrent_input(kernels, &weights, B, call.x,
                                      elman_rows_mutable_at(from, width));
                call.from = &made;
            }
            elman_recurrent_step(kernels, &weights, &call, NULL);
            for (size_t b = 0; b < B; b++)
                assert_true(compare_bits(h[(t + 1) % 2] + b * H, want + (b * T + t) * H, H));
        }
        elman_release(context, ih);
        elman_release(context, hh);
        elman_release(context, gates);
        elman_context_free(context);
        free(want);
        free(values);
        free(all);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values_and_gradients),
                                       cmocka_unit_test(test_bits),
                                       cmocka_unit_test(test_streaming)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
