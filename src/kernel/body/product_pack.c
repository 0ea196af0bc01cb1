/* Right operands copied into panels. */
#include "kernel/body/product.h"
#include "kernel/simd/transpose.h"

void ELMAN_KERNEL(elman_product_pack_panels)(const elman_rows_const *b, size_t k, size_t column,
                                             size_t n, float *packed)
{
    for (size_t i = 0; i < k; i++) {
        const float *row = elman_row(b, i) + column;
        size_t j = 0;
        for (; j + PANEL <= n; j += PANEL) {
            float *to = packed + j * k + i * PANEL;
            TILE_UNROLL
            for (int v = 0; v < TILE_VECTORS; v++)
                vf_store(to + v * VW, vf_load(row + j + (size_t)(v * VW)));
        }
        if (j == n)
            continue;
        float *to = packed + j * k + i * ((n - j + VW - 1) / VW * VW);
        for (; j < n; j += VW, to += VW)
            vf_store(to, n - j < VW ? vf_load_n(row + j, n - j) : vf_load(row + j));
    }
}

void ELMAN_KERNEL(elman_product_pack_rows)(const elman_rows_const *b, size_t k, size_t n, size_t n0,
                                           size_t n1, float *packed)
{
    (void)n;
    ELMAN_KERNEL(elman_product_pack_panels)(b, k, n0, n1 - n0, packed + n0 * k);
}

/* VW columns j.. of the operand (rows of b), `some` of them there, over all k. */
static void pack_vector(const elman_rows_const *b, size_t k, size_t j, size_t some, float *to,
                        size_t lead)
{
    const float *row[VW];
    for (size_t v = 0; v < VW; v++)
        row[v] = elman_row(b, v < some ? j + v : j);
    size_t i = 0;
    for (; some == VW && i + VW <= k; i += VW) {
        vf x[VW];
        TILE_UNROLL
        for (int v = 0; v < VW; v++)
            x[v] = vf_load(row[v] + i);
        vf_transpose(x);
        TILE_UNROLL
        for (int v = 0; v < VW; v++)
            vf_store(to + (i + (size_t)v) * lead, x[v]);
    }
    for (; i < k; i++)
        for (size_t v = 0; v < VW; v++)
            to[i * lead + v] = v < some ? row[v][i] : 0.0F;
}

void ELMAN_KERNEL(elman_product_pack_columns)(const elman_rows_const *b, size_t k, size_t n,
                                              size_t n0, size_t n1, float *packed)
{
    (void)n;
    for (size_t j = n0; j < n1; j += PANEL) {
        size_t wide = n1 - j < PANEL ? n1 - j : PANEL;
        size_t lead = (wide + VW - 1) / VW * VW;
        for (size_t v = 0; v < wide; v += VW)
            pack_vector(b, k, j + v, wide - v < VW ? wide - v : VW, packed + j * k + v, lead);
    }
}
