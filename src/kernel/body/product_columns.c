/* c = initial + a^T b, both given as rows over k: the gradients of weights. For a block of k: both
 * operands are copied into panels (rows of a as wide as a tile is high), then tiles run over them;
 * between blocks the chains' float32 values wait in c. */
#include <string.h>

#include "kernel/body/product.h"

/* k of a block here: packing and the passage through c are paid once a block. */
enum { COLUMNS_K = 2 * BLOCK_K, COLUMNS_M = 192, LINE = 16 };

/* One tile: a is [k][mr], b is [k][nv*VW], packed. */
typedef struct tile_job {
    const float *a, *b;
    float *c;
    const float *next; /* the c of the tile that follows, fetched meanwhile, or NULL */
    size_t ldc, k, last;
    bool zero;
} tile_job;

TILE_INLINE void tile_run(int mr, int nv, const tile_job *t)
{
    vf acc[TILE_REGISTERS];
    TILE_UNROLL
    for (int r = 0; r < mr; r++) {
        float *c = t->c + (size_t)r * t->ldc;
        TILE_UNROLL
        for (int j = 0; j < nv; j++) {
            if (t->zero)
                acc[r * nv + j] = vf_zero();
            else if (j < nv - 1 || t->last == VW)
                acc[r * nv + j] = vf_load(c + j * VW);
            else
                acc[r * nv + j] = vf_load_n(c + j * VW, t->last);
        }
    }
    const float *a[TILE_ROWS_MOST];
    TILE_UNROLL
    for (int r = 0; r < mr; r++)
        a[r] = t->a + r;
    if (t->next) {
        TILE_UNROLL
        for (int r = 0; r < mr; r++) {
            TILE_UNROLL
            for (int j = 0; j < nv * VW; j += LINE)
                __builtin_prefetch(t->next + (size_t)r * t->ldc + j, 1, 3);
        }
    }
    tile_chains(mr, nv, nv, acc, a, (size_t)mr, t->b, 0, (size_t)nv * VW, t->k);
    TILE_UNROLL
    for (int r = 0; r < mr; r++) {
        float *c = t->c + (size_t)r * t->ldc;
        TILE_UNROLL
        for (int j = 0; j < nv; j++) {
            if (j < nv - 1 || t->last == VW)
                vf_store(c + j * VW, acc[r * nv + j]);
            else
                vf_store_n(c + j * VW, acc[r * nv + j], t->last);
        }
    }
}

typedef void (*tile_function)(const tile_job *);
#define TILE(mr, nv)                                                                               \
    static void tile_##mr##_##nv(const tile_job *t)                                                \
    {                                                                                              \
        if ((mr) * (nv) <= TILE_REGISTERS && (nv) <= TILE_VECTORS)                                 \
            tile_run(mr, nv, t);                                                                   \
    }
#define TILES(mr) TILE(mr, 1) TILE(mr, 2) TILE(mr, 3) TILE(mr, 4)
#define NAMES(mr)                                                                                  \
    {                                                                                              \
        tile_##mr##_1, tile_##mr##_2, tile_##mr##_3, tile_##mr##_4                                 \
    }

TILES(1)
TILES(2)
TILES(3)
TILES(4)
TILES(5)
TILES(6)

static const tile_function tiles[6][4] = {NAMES(1), NAMES(2), NAMES(3),
                                          NAMES(4), NAMES(5), NAMES(6)};

/* One tile's columns of a over k rows: [k][rows]. */
TILE_INLINE void pack_tile(const elman_rows_const *a, size_t k0, size_t k1, size_t column, int rows,
                           float *to)
{
    for (size_t i = k0; i < k1; i++)
        memcpy(to + i * (size_t)rows, elman_row(a, i) + column, (size_t)rows * sizeof(float));
}

/* a's columns [m0,m0+m) over k rows as tiles, cut evenly. Some rows at a time, so that each line
 * that is fetched serves all the tiles that it holds. */
static void pack_left(const elman_rows_const *a, size_t k, size_t m0, size_t m, float *packed)
{
    enum { AT_ONCE = 32 };
    for (size_t k0 = 0; k0 < k; k0 += AT_ONCE) {
        size_t k1 = k - k0 < AT_ONCE ? k : k0 + AT_ONCE;
        for (size_t j = 0; j < m;) {
            size_t rows = product_part(m, j, TILE_ROWS);
            float *to = packed + j * k;
            switch (rows) {
            case 1:
                pack_tile(a, k0, k1, m0 + j, 1, to);
                break;
            case 2:
                pack_tile(a, k0, k1, m0 + j, 2, to);
                break;
            case 3:
                pack_tile(a, k0, k1, m0 + j, 3, to);
                break;
            case 4:
                pack_tile(a, k0, k1, m0 + j, 4, to);
                break;
            case 5:
                pack_tile(a, k0, k1, m0 + j, 5, to);
                break;
            default:
                pack_tile(a, k0, k1, m0 + j, 6, to);
                break;
            }
            j += rows;
        }
    }
}

/* sums[j] += a[0][j] + a[1][j] + ..., several vectors of chains at once. */
static void add_sums(const elman_rows_const *a, size_t k, size_t m0, size_t m, float *sums)
{
    enum { AT_ONCE = 8 };
    size_t j = 0;
    for (; j + AT_ONCE * VW <= m; j += AT_ONCE * VW) {
        vf acc[AT_ONCE];
        TILE_UNROLL
        for (int v = 0; v < AT_ONCE; v++)
            acc[v] = vf_load(sums + j + (size_t)(v * VW));
        for (size_t i = 0; i < k; i++) {
            const float *row = elman_row(a, i) + m0 + j;
            TILE_UNROLL
            for (int v = 0; v < AT_ONCE; v++)
                acc[v] = vf_add(acc[v], vf_load(row + v * VW));
        }
        TILE_UNROLL
        for (int v = 0; v < AT_ONCE; v++)
            vf_store(sums + j + (size_t)(v * VW), acc[v]);
    }
    for (; j < m; j += VW) {
        size_t some = m - j < VW ? m - j : VW;
        vf acc = vf_load_n(sums + j, some);
        for (size_t i = 0; i < k; i++)
            acc = vf_add(acc, vf_load_n(elman_row(a, i) + m0 + j, some));
        vf_store_n(sums + j, acc, some);
    }
}

/* c's rows [m0,m0+m), columns [n0,n0+n), over packed operands. */
static void run_block(const elman_product_columns *call, size_t m0, size_t m, size_t n0, size_t n,
                      tile_job *t, const float *left, const float *right)
{
    for (size_t j = 0; j < n;) {
        size_t wide = n - j < PANEL ? n - j : PANEL, nv = (wide + VW - 1) / VW;
        t->last = wide - (nv - 1) * VW;
        t->b = right + j * t->k;
        for (size_t i = 0; i < m;) {
            size_t rows = product_part(m, i, TILE_ROWS);
            t->a = left + i * t->k;
            t->c = call->c + (m0 + i) * call->ldc + n0 + j;
            t->next = i + 2 * rows <= m && !t->zero ? t->c + rows * call->ldc : NULL;
            tiles[rows - 1][nv - 1](t);
            i += rows;
        }
        j += wide;
    }
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t ELMAN_KERNEL(elman_product_columns_scratch)(size_t m, size_t n, size_t k)
{
    size_t wide = (smaller(n, BLOCK_COLUMNS) + VW - 1) / VW * VW;
    return smaller(k, COLUMNS_K) * (smaller(m, COLUMNS_M) + wide) + VW;
}

void ELMAN_KERNEL(elman_product_columns)(const elman_product_columns *call)
{
    size_t m = call->m1 - call->m0;
    if (call->k == 0 && !call->keep) {
        for (size_t i = call->m0; i < call->m1; i++)
            for (size_t j = call->n0; j < call->n; j++)
                call->c[i * call->ldc + j] = 0.0F;
    }
    if (call->sums && !call->keep) {
        for (size_t i = call->m0; i < call->m1; i++)
            call->sums[i] = 0.0F;
    }
    for (size_t k0 = 0; k0 < call->k;) {
        size_t k = product_part(call->k, k0, COLUMNS_K);
        elman_rows_const a = elman_rows_skip(call->a, k0);
        elman_rows_const b =
            call->n0 < call->n ? elman_rows_skip(call->b, k0) : (elman_rows_const){0};
        tile_job t = {.ldc = call->ldc, .k = k, .zero = k0 == 0 && !call->keep};
        if (call->sums)
            add_sums(&a, k, call->m0, m, call->sums + call->m0);
        for (size_t n0 = call->n0; n0 < call->n;) {
            size_t n = call->n - n0 > BLOCK_COLUMNS ? BLOCK_COLUMNS : call->n - n0;
            float *right = call->scratch;
            float *left = right + (n + VW - 1) / VW * VW * k;
            ELMAN_KERNEL(elman_product_pack_panels)(&b, k, n0, n, right);
            for (size_t i = 0; i < m;) {
                size_t some = product_part(m, i, COLUMNS_M);
                pack_left(&a, k, call->m0 + i, some, left);
                run_block(call, call->m0 + i, some, n0, n, &t, left, right);
                i += some;
            }
            n0 += n;
        }
        k0 += k;
    }
}

void ELMAN_KERNEL(elman_product_add)(size_t n, const float *x, float *y)
{
    size_t i = 0;
    for (; i + VW <= n; i += VW)
        vf_store(y + i, vf_add(vf_load(y + i), vf_load(x + i)));
    if (i < n)
        vf_store_n(y + i, vf_add(vf_load_n(y + i, n - i), vf_load_n(x + i, n - i)), n - i);
}
