/* The recurrent kernels on every instruction set: products over panels against double precision,
 * steps that give the same bits, memory that ends where a page does, NaN and infinity. */
#include "math_support.h"

#include <math.h>
#include <stdio.h>

#include "compare.h"

static const size_t widths[] = {1, 3, 4, 5, 15, 16, 17, 31, 64, 67, 129};
static const size_t row_counts[] = {1, 2, 3, 4, 6, 7, 8, 9, 13, 25};
static const size_t depths[] = {0, 1, 2, 17, 128, 131, 300};

#define COUNT(a) (sizeof(a) / sizeof *(a))

static float number(size_t i, size_t use)
{
    uint64_t x = (i + 1) * 0x9e3779b97f4a7c15U + use * 0xbf58476d1ce4e5b9U;
    x ^= x >> 29;
    x *= 0x94d049bb133111ebU;
    return (float)(x >> 40) * 0x1p-23F - 1.0F;
}

/* n numbers whose end is followed by a page that cannot be touched. */
static guarded numbers(size_t n, size_t use)
{
    guarded g = guarded_make(n, true);
    for (size_t i = 0; i < n; i++)
        g.x[i] = number(i, use);
    return g;
}

static float *panels_of(const elman_recurrent_kernels *k, const float *w, size_t groups,
                        size_t width, size_t K)
{
    size_t vectors = (width + k->width - 1) / k->width;
    float *panels = aligned_alloc(64, (k->panels(groups, width, K) * 4 + 127) / 64 * 64);
    assert_non_null(panels);
    k->pack_rows(w, groups, width, K, 0, vectors, panels);
    return panels;
}

static void check_product(const elman_recurrent_kernels *k, size_t groups, size_t width,
                          size_t rows, size_t K, float *keep)
{
    const size_t parts = groups == 3 ? 4 : groups, row = parts * width;
    guarded w = numbers(groups * width * K, 1), left = numbers(rows * K, 2);
    guarded start = numbers(rows * row, 3), out = numbers(rows * row, 4);
    float *panels = panels_of(k, w.x, groups, width, K);
    elman_panel_product call = {.K = K,
                                .groups = groups,
                                .parts = parts,
                                .width = width,
                                .panels = panels,
                                .left = elman_rows_at(left.x, (ptrdiff_t)K),
                                .start = elman_rows_at(start.x, (ptrdiff_t)row),
                                .out = elman_rows_mutable_at(out.x, (ptrdiff_t)row)};
    /* in shares: some rows, then the others; some vectors, then the others */
    size_t vectors = (width + k->width - 1) / k->width, block = k->block_vectors(groups);
    size_t v = vectors / 2 / block * block, r = rows / 3;
    const elman_piece pieces[4] = {
        {0, v, 0, r}, {v, vectors, 0, r}, {0, v, r, rows}, {v, vectors, r, rows}};
    for (int i = 0; i < 4; i++)
        if (pieces[i].v0 < pieces[i].v1)
            k->product(&call, &pieces[i]);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < row; j++) {
            double want = (double)start.x[i * row + j], magnitude = fabs(want);
            for (size_t n = 0; n < K && j < groups * width; n++) {
                double term = (double)left.x[i * K + n] * (double)w.x[j * K + n];
                want += term;
                magnitude += fabs(term);
            }
            assert_true(compare_close(&out.x[i * row + j], &want, &magnitude, 1, (double)K + 1));
        }
    memcpy(keep, out.x, rows * row * sizeof *keep);
    free(panels);
    guarded_free(w);
    guarded_free(left);
    guarded_free(start);
    guarded_free(out);
}

static void test_product(void **state)
{
    (void)state;
    static float first[25 * 4 * 129], other[25 * 4 * 129];
    for (size_t groups = 1; groups <= 4; groups += groups == 1 ? 2 : 1)
        for (size_t a = 0; a < COUNT(widths); a++)
            for (size_t b = 0; b < COUNT(row_counts); b++) {
                size_t K = depths[(a + b) % COUNT(depths)], done = 0;
                size_t n = row_counts[b] * (groups == 3 ? 4 : groups) * widths[a];
                for (size_t i = 0; i < COUNT(all_isas); i++) {
                    if (!elman_cpu_has(all_isas[i]))
                        continue;
                    check_product(elman_kernels_for(all_isas[i])->recurrent, groups, widths[a],
                                  row_counts[b], K, done ? other : first);
                    assert_true(!done++ || compare_bits(first, other, n));
                }
            }
}

/* One step forwards and one back; everything that they write goes to `keep`. */
static size_t run_steps(const elman_recurrent_kernels *k, elman_cell cell, size_t H, size_t rows,
                        float strange, float *keep)
{
    const size_t G = elman_cell_gates(cell), P = elman_cell_parts(cell), state = rows * H;
    guarded w = numbers(G * H * H, 5), start = numbers(rows * P * H, 6), h = numbers(state, 7);
    guarded c = numbers(state, 8), gates = numbers(rows * P * H, 9), h_out = numbers(state, 10);
    guarded c_out = numbers(state, 11), next = numbers(rows * P * H, 12), dy = numbers(state, 13);
    guarded dh = numbers(state, 14), dc = numbers(state, 15);
    if (strange != 0) {
        h.x[state / 2] = strange;
        next.x[rows * P * H / 3] = strange;
        start.x[0] = -strange;
    }
    float *forward = panels_of(k, w.x, G, H, H);
    float *back = aligned_alloc(64, (k->panels(1, H, G * H) * 4 + 127) / 64 * 64);
    size_t vectors = (H + k->width - 1) / k->width;
    k->pack_columns(w.x, H, G * H, 0, vectors, back);
    const ptrdiff_t row = (ptrdiff_t)H, gate_row = (ptrdiff_t)(P * H);
    elman_step_forward f = {.H = H,
                            .panels = forward,
                            .start = elman_rows_at(start.x, gate_row),
                            .h = elman_rows_at(h.x, row),
                            .c = elman_rows_at(c.x, row),
                            .gates = elman_rows_mutable_at(gates.x, gate_row),
                            .h_out = elman_rows_mutable_at(h_out.x, row),
                            .c_out = elman_rows_mutable_at(c_out.x, row)};
    elman_step_backward b = {.H = H,
                             .panels = back,
                             .chained = rows - rows / 3,
                             .next = elman_rows_at(next.x, gate_row),
                             .dy = elman_rows_at(dy.x, row),
                             .h = f.h,
                             .c = f.c,
                             .h_out = elman_rows_at(h_out.x, row),
                             .c_out = elman_rows_at(c_out.x, row),
                             .gates = f.gates,
                             .dh = elman_rows_mutable_at(dh.x, row),
                             .dc = elman_rows_mutable_at(dc.x, row)};
    size_t r = rows / 2;
    const elman_piece pieces[2] = {{0, vectors, 0, r}, {0, vectors, r, rows}};
    for (int i = 0; i < 2; i++)
        if (pieces[i].r0 < pieces[i].r1)
            k->forward[cell](&f, &pieces[i]);
    memcpy(keep, h_out.x, state * sizeof *keep);
    memcpy(keep + state, c_out.x, state * sizeof *keep);
    memcpy(keep + 2 * state, gates.x, rows * P * H * sizeof *keep);
    size_t used = 2 * state + rows * P * H;
    for (int i = 0; i < 2; i++)
        if (pieces[i].r0 < pieces[i].r1)
            k->backward[cell](&b, &pieces[i]);
    memcpy(keep + used, gates.x, rows * P * H * sizeof *keep);
    used += rows * P * H;
    memcpy(keep + used, dh.x, state * sizeof *keep);
    memcpy(keep + used + state, dc.x, state * sizeof *keep);
    guarded *all[] = {&w, &start, &h, &c, &gates, &h_out, &c_out, &next, &dy, &dh, &dc};
    for (size_t i = 0; i < COUNT(all); i++)
        guarded_free(*all[i]);
    free(forward);
    free(back);
    return used + 2 * state;
}

static void compare_steps(float strange)
{
    static float first[25 * 129 * 12], other[25 * 129 * 12];
    for (int cell = 0; cell < ELMAN_CELL_COUNT; cell++)
        for (size_t a = 0; a < COUNT(widths); a++)
            for (size_t b = 0; b < COUNT(row_counts); b++) {
                size_t done = 0;
                for (size_t i = 0; i < COUNT(all_isas); i++) {
                    if (!elman_cpu_has(all_isas[i]))
                        continue;
                    size_t n =
                        run_steps(elman_kernels_for(all_isas[i])->recurrent, (elman_cell)cell,
                                  widths[a], row_counts[b], strange, done ? other : first);
                    assert_true(!done++ || compare_bits(first, other, n));
                }
            }
}

static void test_steps(void **state)
{
    (void)state;
    compare_steps(0);
}

static void test_strange_numbers(void **state)
{
    (void)state;
    compare_steps(NAN);
    compare_steps(INFINITY);
    compare_steps(0x1p-130F);
    /* NaN goes through every cell, however few of its inputs have it */
    static float keep[25 * 129 * 12];
    for (int cell = 0; cell < ELMAN_CELL_COUNT; cell++) {
        run_steps(elman_kernels_for(ELMAN_ISA_SCALAR)->recurrent, (elman_cell)cell, 16, 1, NAN,
                  keep);
        assert_true(isnan(keep[3]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_product), cmocka_unit_test(test_steps),
                                       cmocka_unit_test(test_strange_numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
