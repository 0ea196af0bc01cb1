/* What must not change a bit of the recurrent layer: threads, instruction sets, chunks, the rest of
 * the batch, recording, a table in place of its rows, and streaming. And the order of every chain,
 * against a plain program that adds in the order of docs/numerics.md. */
#include "op/recurrent_step.h"
#include "recurrent_case.h"
#include "test_malloc.h"

static const int64_t ragged[] = {5, 0, 9, 3, 9, 1, 7, 2, 9, 4, 6, 8, 5, 5, 2, 1, 9, 0, 3};

static void test_threads_and_isas(void **state)
{
    (void)state;
    const int threads[] = {1, 2, 3, 8};
    const elman_isa isas[] = {ELMAN_ISA_SCALAR, ELMAN_ISA_AVX2, ELMAN_ISA_AVX512, ELMAN_ISA_NEON};
    for (int kind = 0; kind < 4; kind++)
        for (int variant = 0; variant < 5; variant++) {
            const int64_t hidden[] = {200, 33, 130, 257, 70};
            layer_case c = {.kind = (elman_cell)kind,
                            .directions = 1 + variant % 2,
                            .T = 9,
                            .B = variant == 3 ? 2 : 19,
                            .I = variant == 1 ? 300 : 21,
                            .H = hidden[variant],
                            .V = variant == 4 ? 30 : 0,
                            .lengths = variant == 1 || variant == 2 ? ragged : NULL,
                            .bias = true,
                            .states = variant != 2};
            size_t count = case_layout_of(&c).count;
            float *want = case_run(&c, 1, ELMAN_ISA_BEST);
            for (int i = 1; i < 4; i++) {
                float *got = case_run(&c, threads[i], ELMAN_ISA_BEST);
                assert_true(compare_bits(got, want, count));
                free(got);
            }
            for (int i = 0; i < 4; i++) {
                if (!elman_cpu_has(isas[i]) || (isas[i] == ELMAN_ISA_SCALAR && variant > 1))
                    continue;
                float *got = case_run(&c, 1 + i % 2, isas[i]);
                assert_true(compare_bits(got, want, count));
                free(got);
            }
            c.forward_only = true;
            float *got = case_run(&c, 2, ELMAN_ISA_BEST);
            assert_true(compare_bits(got, want, case_layout_of(&c).dx));
            free(got);
            free(want);
        }
}

/* -- a layer and its tape, kept over several runs ---------------------------------------------- */

typedef struct bench {
    layer_case c;
    elman_context *context;
    elman_tape *tape;
    case_parameters parameters;
} bench;

static bench bench_make(layer_case c, int threads)
{
    bench b = {.c = c, .context = case_context(threads, ELMAN_ISA_BEST)};
    case_parameters_make(b.context, &c, &b.parameters);
    assert_int_equal(elman_tape_create(b.context, &b.tape, NULL), ELMAN_OK);
    return b;
}

static void bench_free(bench *b)
{
    elman_tape_free(b->tape);
    case_parameters_free(&b->parameters);
    elman_context_free(b->context);
}

/* Steps [t0,t1) of sequences first..first+B-1 from the state in h, c [B,H], which is replaced; y
 * [t1-t0,B,H]. Forward only, one direction, all of a length. */
static void run_part(bench *b, int64_t t0, int64_t t1, int64_t first, int64_t B, float *h, float *c,
                     float *y)
{
    const layer_case *l = &b->c;
    size_t state = (size_t)(B * l->H), rows = (size_t)((t1 - t0) * B);
    elman_tape_mode mode;
    elman_tape_mode_default(&mode);
    mode.record = false;
    elman_tape_begin(b->tape, &mode);
    const elman_sequences *s = elman_tape_sequences(b->tape, t1 - t0, B, NULL, NULL, 0);
    float *x = elman_tape_floats(b->tape, rows * (size_t)l->I);
    int32_t *tokens = elman_tape_take(b->tape, rows, sizeof *tokens);
    for (int64_t t = t0; t < t1; t++)
        for (int64_t i = 0; i < B; i++) {
            int64_t row = (t - t0) * B + i;
            if (l->V)
                tokens[row] = case_token(l, first + i, t);
            for (int64_t k = 0; k < l->I; k++)
                x[row * l->I + k] =
                    l->V ? case_number(USE_TABLE, (uint64_t)tokens[row], (uint64_t)k, 0)
                         : case_number(USE_X, (uint64_t)(first + i), (uint64_t)t, (uint64_t)k);
        }
    elman_recurrent layer = {.kind = l->kind,
                             .input = l->I,
                             .hidden = l->H,
                             .directions = 1,
                             .cells = b->parameters.cells};
    if (l->V) {
        layer.table = b->parameters.table;
        layer.tokens = tokens;
    } else {
        layer.x = elman_tape_input(b->tape, 2, (int64_t[]){(int64_t)rows, l->I}, x);
    }
    const int64_t shape[3] = {1, B, l->H};
    layer.h0 = elman_tape_input(b->tape, 3, shape, h);
    if (l->kind == ELMAN_CELL_LSTM)
        layer.c0 = elman_tape_input(b->tape, 3, shape, c);
    elman_op_recurrent(b->tape, s, &layer);
    assert_int_equal(elman_tape_status(b->tape, NULL), ELMAN_OK);
    memcpy(y, layer.y->value.data, rows * (size_t)l->H * sizeof *y);
    memcpy(h, layer.hn->value.data, state * sizeof *h);
    if (layer.cn)
        memcpy(c, layer.cn->value.data, state * sizeof *c);
}

/* Whole = in chunks of 1, 7, 64 = alone = step by step without a tape. */
static void test_chunks_and_company(void **state)
{
    (void)state;
    enum { T = 130, B = 14, I = 19, H = 37 };
    static float whole[T * B * H], part[T * B * H];
    for (int kind = 0; kind < 4; kind++)
        for (int64_t V = 0; V <= 40; V += 40) {
            bench b = bench_make((layer_case){.kind = (elman_cell)kind,
                                              .directions = 1,
                                              .T = T,
                                              .B = B,
                                              .I = I,
                                              .H = H,
                                              .V = V,
                                              .bias = true},
                                 2);
            float h[B * H] = {0}, c[B * H] = {0}, h_end[B * H], c_end[B * H];
            run_part(&b, 0, T, 0, B, h, c, whole);
            memcpy(h_end, h, sizeof h);
            memcpy(c_end, c, sizeof c);
            const int64_t chunks[] = {1, 7, 64};
            for (int i = 0; i < 3; i++) {
                memset(h, 0, sizeof h);
                memset(c, 0, sizeof c);
                for (int64_t t = 0; t < T; t += chunks[i])
                    run_part(&b, t, t + chunks[i] < T ? t + chunks[i] : T, 0, B, h, c,
                             part + t * B * H);
                assert_true(compare_bits(part, whole, T * B * H));
                assert_true(compare_bits(h, h_end, B * H));
                assert_true(compare_bits(c, c_end, B * H));
            }
            for (int64_t one = 0; one < B; one += 5) {
                memset(h, 0, sizeof h);
                memset(c, 0, sizeof c);
                run_part(&b, 0, T, one, 1, h, c, part);
                for (int64_t t = 0; t < T; t++)
                    assert_true(compare_bits(part + t * H, whole + (t * B + one) * H, H));
                assert_true(compare_bits(h, h_end + one * H, H));
            }
            bench_free(&b);
        }
}

/* Packed rows of different lengths = the same rows where all run to the end. */
static void test_padded_is_packed(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        layer_case c = {.kind = (elman_cell)kind,
                        .directions = 1,
                        .T = 9,
                        .B = 19,
                        .I = 5,
                        .H = 40,
                        .bias = true,
                        .forward_only = true};
        float *padded = case_run(&c, 2, ELMAN_ISA_BEST);
        c.lengths = ragged;
        float *packed = case_run(&c, 2, ELMAN_ISA_BEST);
        size_t row = 0;
        for (int64_t t = 0; t < c.T; t++)
            for (int64_t length = 9; length > t; length--)
                for (int64_t b = 0; b < c.B; b++)
                    if (ragged[b] == length)
                        assert_true(
                            compare_bits(packed + row++ * 40, padded + (t * c.B + b) * 40, 40));
        assert_int_equal(row, case_rows(&c));
        free(padded);
        free(packed);
    }
}

/* The step of a session, which knows no tape, alone and by several threads. */
typedef struct stream {
    const elman_kernels *kernels;
    const elman_recurrent_weights *weights;
    elman_recurrent_step_call call;
} stream;

static void stream_job(const elman_crew *crew, void *argument)
{
    const stream *s = argument;
    elman_recurrent_step(s->kernels, s->weights, &s->call, crew);
}

static void test_streaming(void **state)
{
    (void)state;
    enum { T = 20, B = 3, I = 19, H = 70 };
    static float whole[T * B * H], gates[B * 4 * H], start[4 * H], x[B * I], states[2][2][B * H];
    for (int kind = 0; kind < 4; kind++) {
        bench b = bench_make((layer_case){.kind = (elman_cell)kind,
                                          .directions = 1,
                                          .T = T,
                                          .B = B,
                                          .I = I,
                                          .H = H,
                                          .bias = true},
                             2);
        float h[B * H] = {0}, c[B * H] = {0};
        run_part(&b, 0, T, 0, B, h, c, whole);
        const elman_kernels *kernels = elman_kernels_of(b.context);
        elman_parameter **p = b.parameters.parts[0];
        float *ih = elman_allocate(b.context, elman_recurrent_panel_floats(kernels, b.c.kind, H, I),
                                   sizeof *ih);
        float *hh = elman_allocate(b.context, elman_recurrent_panel_floats(kernels, b.c.kind, H, H),
                                   sizeof *hh);
        elman_recurrent_pack(kernels, b.c.kind, H, I, p[0]->value.data, ih);
        elman_recurrent_pack(kernels, b.c.kind, H, H, p[1]->value.data, hh);
        elman_recurrent_start(b.c.kind, H, p[2]->value.data, p[3]->value.data, start);
        elman_recurrent_weights weights = {.cell = b.c.kind,
                                           .input = I,
                                           .hidden = H,
                                           .panels_ih = ih,
                                           .panels_hh = hh,
                                           .start = start};
        memset(states, 0, sizeof states);
        for (int64_t t = 0; t < T; t++) {
            for (int64_t i = 0; i < B * I; i++)
                x[i] = case_number(USE_X, (uint64_t)(i / I), (uint64_t)t, (uint64_t)(i % I));
            float(*from)[B * H] = states[t % 2], (*to)[B * H] = states[(t + 1) % 2];
            const ptrdiff_t parts = (ptrdiff_t)elman_cell_parts(b.c.kind) * H;
            stream s = {kernels,
                        &weights,
                        {.rows = B,
                         .x = elman_rows_at(x, I),
                         .h = elman_rows_at(from[0], H),
                         .c = elman_rows_at(from[1], H),
                         .gates = elman_rows_mutable_at(gates, parts),
                         .h_out = elman_rows_mutable_at(to[0], H),
                         .c_out = elman_rows_mutable_at(to[1], H)}};
            elman_rows_const made = elman_rows_at(gates, parts);
            if (t % 3 == 1) { /* the input product made apart */
                elman_recurrent_input(kernels, &weights, B, s.call.x, s.call.gates);
                s.call.from = &made;
            }
            if (t % 3 == 2)
                elman_recurrent_step(kernels, &weights, &s.call, NULL);
            else
                elman_pool_run(b.context, stream_job, &s);
            assert_true(compare_bits(to[0], whole + t * B * H, B * H));
        }
        elman_release(b.context, ih);
        elman_release(b.context, hh);
        bench_free(&b);
    }
}

/* -- the order of the chains --------------------------------------------------------------------
 */

/* A ReLU cell has no function in it: every number below is a chain, spelt out. */
static void test_order(void **state)
{
    (void)state;
    enum { T = 5, B = 4, I = 3, H = 6, V = 4 };
    static const int64_t lengths[B] = {3, 5, 1, 5};
    const int place[B] = {1, 3, 0, 2}; /* longest first, ties as given */
    for (int table = 0; table < 2; table++) {
        layer_case c = {.kind = ELMAN_CELL_RNN_RELU,
                        .directions = 1,
                        .T = T,
                        .B = B,
                        .I = I,
                        .H = H,
                        .V = table ? V : 0,
                        .lengths = lengths,
                        .bias = true,
                        .states = true};
        case_layout l = case_layout_of(&c);
        float *got = case_run(&c, 2, ELMAN_ISA_BEST), h[T + 1][B][H], da[T][B][H], x[T][B][I];
        float w_ih[H][I], w_hh[H][H], start[H];
        for (size_t j = 0; j < H; j++) {
            for (size_t k = 0; k < I; k++)
                w_ih[j][k] = case_weight(&c, 0, 0, j * I + k);
            for (size_t k = 0; k < H; k++)
                w_hh[j][k] = case_weight(&c, 0, 1, j * H + k);
            start[j] = case_weight(&c, 0, 2, j) + case_weight(&c, 0, 3, j);
        }
        int rows[T] = {0}, tokens[T][B];
        for (int t = 0; t < T; t++)
            for (int r = 0; r < B && lengths[place[r]] > t; r++, rows[t]++) {
                uint64_t b = (uint64_t)place[r];
                tokens[t][r] = table ? case_token(&c, place[r], t) : 0;
                for (uint64_t k = 0; k < I; k++)
                    x[t][r][k] = table ? case_number(USE_TABLE, (uint64_t)tokens[t][r], k, 0)
                                       : case_number(USE_X, b, (uint64_t)t, k);
            }
        for (uint64_t r = 0; r < B; r++)
            for (uint64_t u = 0; u < H; u++)
                h[0][r][u] = case_number(USE_H0, (uint64_t)place[r], 0, u);
        size_t row = 0;
        for (int t = 0; t < T; t++)
            for (int r = 0; r < rows[t]; r++, row++)
                for (int j = 0; j < H; j++) {
                    float a = start[j];
                    for (int k = 0; k < I; k++)
                        a = fmaf(w_ih[j][k], x[t][r][k], a);
                    for (int k = 0; k < H; k++)
                        a = fmaf(w_hh[j][k], h[t][r][k], a);
                    h[t + 1][r][j] = a > 0 ? a : 0;
                    assert_true(compare_bits(&h[t + 1][r][j], got + l.y + row * H + (size_t)j, 1));
                }
        for (int t = T - 1; t >= 0; t--)
            for (int r = 0; r < rows[t]; r++)
                for (int u = 0; u < H; u++) {
                    uint64_t b = (uint64_t)place[r];
                    float dh = case_number(USE_DY, b, (uint64_t)t, (uint64_t)u);
                    if (t == T - 1 || r >= rows[t + 1])
                        dh += case_number(USE_DHN, b, 0, (uint64_t)u);
                    else
                        for (int j = 0; j < H; j++)
                            dh = fmaf(da[t + 1][r][j], w_hh[j][u], dh);
                    da[t][r][u] = h[t + 1][r][u] > 0 ? dh : 0;
                }
        for (int r = 0; r < B; r++)
            for (int u = 0; u < H; u++) {
                float dh = 0;
                for (int j = 0; j < H; j++)
                    dh = fmaf(da[0][r][j], w_hh[j][u], dh);
                assert_true(compare_bits(&dh, got + l.dh0 + place[r] * H + u, 1));
            }
        float dw_ih[H][I] = {0}, dw_hh[H][H] = {0}, db[H] = {0}, sums[V][H] = {0};
        for (int t = T - 1; t >= 0; t--)
            for (int r = 0; r < rows[t]; r++)
                for (int j = 0; j < H; j++) {
                    for (int k = 0; k < I && !table; k++)
                        dw_ih[j][k] = fmaf(da[t][r][j], x[t][r][k], dw_ih[j][k]);
                    for (int k = 0; k < H; k++)
                        dw_hh[j][k] = fmaf(da[t][r][j], h[t][r][k], dw_hh[j][k]);
                    db[j] += da[t][r][j];
                    sums[tokens[t][r]][j] += da[t][r][j];
                }
        float dx[T * B * I] = {0};
        row = 0;
        for (int t = 0; t < T && !table; t++)
            for (int r = 0; r < rows[t]; r++, row++)
                for (int j = 0; j < H; j++)
                    for (size_t k = 0; k < I; k++)
                        dx[row * I + k] = fmaf(da[t][r][j], w_ih[j][k], dx[row * I + k]);
        for (uint64_t v = 0; v < V && table; v++)
            for (int j = 0; j < H; j++)
                for (uint64_t k = 0; k < I; k++) {
                    dw_ih[j][k] = fmaf(sums[v][j], case_number(USE_TABLE, v, k, 0), dw_ih[j][k]);
                    dx[v * I + k] = fmaf(sums[v][j], w_ih[j][k], dx[v * I + k]);
                }
        const float *cell = got + l.cells[0];
        assert_true(compare_bits(dx, got + l.dx, l.dh0 - l.dx));
        assert_true(compare_bits(dw_ih[0], cell, H * I));
        assert_true(compare_bits(dw_hh[0], cell + H * I, H * H));
        assert_true(compare_bits(db, cell + H * (I + H), H));
        assert_true(compare_bits(db, cell + H * (I + H) + H, H));
        free(got);
    }
}

/* After the first, a round takes no memory from the allocator. */
static void test_no_allocation(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++)
        for (int64_t V = 0; V < 2000; V += 30 + V * 60) {
            layer_case c = {.kind = (elman_cell)kind,
                            .directions = 2,
                            .T = 9,
                            .B = 19,
                            .I = 6,
                            .H = 20,
                            .V = V,
                            .lengths = ragged,
                            .bias = true,
                            .states = true};
            bench b = bench_make(c, 2);
            float *flat = malloc(case_layout_of(&c).count * sizeof *flat);
            case_round(b.tape, &c, &b.parameters, flat);
            case_round(b.tape, &c, &b.parameters, flat);
            size_t before = test_malloc_calls();
            case_round(b.tape, &c, &b.parameters, flat);
            assert_int_equal(test_malloc_calls(), before);
            free(flat);
            bench_free(&b);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_chunks_and_company),
        cmocka_unit_test(test_padded_is_packed),
        cmocka_unit_test(test_streaming),
        cmocka_unit_test(test_threads_and_isas),
        cmocka_unit_test(test_no_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
