/* c = initial + a b with b packed. Panels of b run through the first-level cache: for a block of
 * columns, a block of rows, a block of k: for each panel: for each tile of rows. Between two
 * blocks of k the chains' float32 values wait in c. */
#include "kernel/body/product.h"

/* One tile. Row r of a, c and from begins at the tile's first k and column. */
typedef struct tile_job {
    const float *a[TILE_ROWS_MOST];
    float *c[TILE_ROWS_MOST];
    const float *from[TILE_ROWS_MOST]; /* where the chains start; unread where zero */
    const float *b;
    size_t distance; /* from panel to panel, for tiles of several */
    size_t k;
    size_t last; /* columns of the last vector, VW or fewer */
    bool zero;
    const float *ahead; /* lines to fetch meanwhile, of the panel that comes next */
    size_t lines;
} tile_job;

enum { LINE = 16 }; /* floats of a cache line */

TILE_INLINE void tile_run(int mr, int nv, int per, const tile_job *t)
{
    vf acc[TILE_REGISTERS];
    if (t->zero) {
        TILE_UNROLL
        for (int i = 0; i < mr * nv; i++)
            acc[i] = vf_zero();
    } else if (t->last == VW) {
        TILE_UNROLL
        for (int r = 0; r < mr; r++) {
            TILE_UNROLL
            for (int j = 0; j < nv; j++)
                acc[r * nv + j] = vf_load(t->from[r] + j * VW);
        }
    } else {
        TILE_UNROLL
        for (int r = 0; r < mr; r++) {
            TILE_UNROLL
            for (int j = 0; j < nv - 1; j++)
                acc[r * nv + j] = vf_load(t->from[r] + j * VW);
            acc[r * nv + nv - 1] = vf_load_n(t->from[r] + (nv - 1) * VW, t->last);
        }
    }
    const float *a[TILE_ROWS_MOST];
    TILE_UNROLL
    for (int r = 0; r < mr; r++)
        a[r] = t->a[r];
    for (size_t i = 0; i < t->lines; i++)
        __builtin_prefetch(t->ahead + i * LINE, 0, 2);
    tile_chains(mr, nv, per, acc, a, 1, t->b, t->distance, (size_t)per * VW, t->k);
    TILE_UNROLL
    for (int r = 0; r < mr; r++) {
        TILE_UNROLL
        for (int j = 0; j < nv - 1; j++)
            vf_store(t->c[r] + j * VW, acc[r * nv + j]);
        if (t->last == VW)
            vf_store(t->c[r] + (nv - 1) * VW, acc[r * nv + nv - 1]);
        else
            vf_store_n(t->c[r] + (nv - 1) * VW, acc[r * nv + nv - 1], t->last);
    }
}

typedef void (*tile_function)(const tile_job *);

/* tile_MR_NV: one panel of NV vectors; group_MR_P: P whole panels side by side. Those that the
 * registers don't hold stay empty and are never called. */
#define TILE(mr, nv)                                                                               \
    static void tile_##mr##_##nv(const tile_job *t)                                                \
    {                                                                                              \
        if ((mr) * (nv) <= TILE_REGISTERS && (nv) <= TILE_VECTORS)                                 \
            tile_run(mr, nv, nv, t);                                                               \
    }
#define GROUP(mr, p)                                                                               \
    static void group_##mr##_##p(const tile_job *t)                                                \
    {                                                                                              \
        if ((mr) * (p)*TILE_VECTORS <= TILE_REGISTERS)                                             \
            tile_run(mr, (p)*TILE_VECTORS, TILE_VECTORS, t);                                       \
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
TILES(7)
TILES(8)
GROUP(1, 2)
GROUP(1, 3)
GROUP(1, 4)
GROUP(2, 2)
GROUP(2, 3)
GROUP(3, 2)

static const tile_function tiles[TILE_ROWS_MOST][4] = {NAMES(1), NAMES(2), NAMES(3), NAMES(4),
                                                       NAMES(5), NAMES(6), NAMES(7), NAMES(8)};
enum { GROUP_ROWS = 3, GROUP_PANELS = 4 };
static const tile_function groups[GROUP_ROWS][GROUP_PANELS - 1] = {
    {group_1_2, group_1_3, group_1_4}, {group_2_2, group_2_3, NULL}, {group_3_2, NULL, NULL}};

/* Panels to take at once with so few rows that one would leave the units waiting. */
static size_t group_panels(size_t rows)
{
    static const size_t most[GROUP_ROWS] = {4, 3, 2};
    if (rows > GROUP_ROWS)
        return 1;
    size_t fit = TILE_REGISTERS / (rows * TILE_VECTORS);
    return fit < 1 ? 1 : fit < most[rows - 1] ? fit : most[rows - 1];
}

/* Rows [m0,m1), columns [n0,n1), k in [k0,k0+k). */
typedef struct block {
    size_t m0, m1, n0, n1, k0, k;
} block;

static void tile_prepare(tile_job *t, const elman_product_rows *call, const block *s, size_t m,
                         size_t rows, size_t n)
{
    for (size_t r = 0; r < rows; r++) {
        t->a[r] = elman_row(&call->a, m + r) + s->k0;
        t->c[r] = elman_row_mutable(&call->c, m + r) + n;
        if (s->k0 > 0)
            t->from[r] = t->c[r];
        else if (call->initial == ELMAN_PRODUCT_BIAS)
            t->from[r] = call->bias + n;
        else if (call->initial == ELMAN_PRODUCT_ROWS)
            t->from[r] = elman_row(&call->from, m + r) + n;
    }
}

static void run_block(const elman_product_rows *call, const block *s)
{
    tile_job t = {.k = s->k, .distance = PANEL * call->k};
    t.zero = s->k0 == 0 && call->initial == ELMAN_PRODUCT_ZERO;
    size_t rows = s->m1 - s->m0, group = group_panels(rows);
    for (size_t n = s->n0; n < s->n1;) {
        size_t left = s->n1 - n, whole = left / PANEL, wide = left < PANEL ? left : PANEL;
        size_t nv = (wide + VW - 1) / VW, most = product_tile_rows(nv);
        t.last = wide - (nv - 1) * VW;
        t.b = call->b + n * call->k + s->k0 * nv * VW;
        if (group > 1 && whole > 1) {
            size_t panels = product_part(whole, 0, group);
            tile_prepare(&t, call, s, s->m0, rows, n);
            groups[rows - 1][panels - 2](&t);
            n += panels * PANEL;
            continue;
        }
        /* A block of rows lasts long enough to bring the next panel from the third-level cache or
         * memory: each tile fetches its part. */
        bool fetch = rows >= 10 * TILE_ROWS && left > wide;
        t.ahead = t.b + PANEL * call->k;
        t.lines = fetch ? (s->k * PANEL / LINE * most + rows - 1) / rows : 0;
        for (size_t m = s->m0, some; m < s->m1; m += some) {
            some = product_part(s->m1, m, most);
            tile_prepare(&t, call, s, m, some, n);
            tiles[some - 1][nv - 1](&t);
            t.ahead += t.lines * LINE;
        }
        t.lines = 0;
        n += wide;
    }
}

void ELMAN_KERNEL(elman_product_rows)(const elman_product_rows *call)
{
    /* Few rows use a panel once: nothing would come back from the cache. */
    size_t most_k = call->m > 2 * TILE_ROWS ? BLOCK_K : call->k + 1;
    block s;
    for (s.n0 = call->n0; s.n0 < call->n1; s.n0 = s.n1) {
        s.n1 = call->n1 - s.n0 > BLOCK_COLUMNS ? s.n0 + BLOCK_COLUMNS : call->n1;
        for (s.m0 = 0; s.m0 < call->m; s.m0 = s.m1) {
            s.m1 = s.m0 + product_part(call->m, s.m0, BLOCK_ROWS);
            s.k0 = 0;
            do {
                s.k = product_part(call->k, s.k0, most_k);
                run_block(call, &s);
                s.k0 += s.k;
            } while (s.k0 < call->k);
        }
    }
}
