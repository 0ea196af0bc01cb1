/* Packing weights into panels, and the chains that run over them. */
#include <string.h>

#include "kernel/body/recurrent.h"
#include "kernel/simd/transpose.h"

static size_t vectors_of(size_t width)
{
    return (width + VW - 1) / VW;
}

size_t ELMAN_KERNEL(elman_recurrent_panels)(size_t groups, size_t width, size_t K)
{
    return vectors_of(width) * VW * groups * K;
}

/* VW units, `real` of them there, of one group: their weights, K each, into a column of a block
 * whose rows lie `lead` apart. */
static void pack_units(const float *w, size_t real, size_t K, float *to, size_t lead)
{
    size_t k = 0;
    for (; real == VW && k + VW <= K; k += VW) {
        vf x[VW];
        TILE_UNROLL
        for (int u = 0; u < VW; u++)
            x[u] = vf_load(w + (size_t)u * K + k);
        vf_transpose(x);
        TILE_UNROLL
        for (int u = 0; u < VW; u++)
            vf_store(to + (k + (size_t)u) * lead, x[u]);
    }
    for (; k < K; k++)
        for (size_t u = 0; u < VW; u++)
            to[k * lead + u] = u < real ? w[u * K + k] : 0.0F;
}

void ELMAN_KERNEL(elman_recurrent_pack_rows)(const float *w, size_t groups, size_t width, size_t K,
                                             size_t v0, size_t v1, float *panels)
{
    size_t vectors = vectors_of(width), block = block_vectors(groups);
    for (size_t v = v0; v < v1; v += block) {
        size_t many = vectors - v < block ? vectors - v : block;
        float *to = panels + v * VW * groups * K;
        for (size_t g = 0; g < groups; g++)
            for (size_t j = 0; j < many; j++) {
                size_t unit = (v + j) * VW, real = width - unit < VW ? width - unit : VW;
                pack_units(w + (g * width + unit) * K, real, K, to + (g * many + j) * VW,
                           groups * many * VW);
            }
    }
}

void ELMAN_KERNEL(elman_recurrent_pack_columns)(const float *w, size_t width, size_t K, size_t v0,
                                                size_t v1, float *panels)
{
    size_t vectors = vectors_of(width);
    for (size_t v = v0; v < v1; v += ONE_GROUP_VECTORS) {
        size_t wide = (vectors - v < ONE_GROUP_VECTORS ? vectors - v : ONE_GROUP_VECTORS) * VW;
        size_t real = width - v * VW < wide ? width - v * VW : wide;
        float *to = panels + v * VW * K;
        for (size_t k = 0; k < K; k++, to += wide) {
            memcpy(to, w + k * width + v * VW, real * sizeof *to);
            memset(to + real, 0, (wide - real) * sizeof *to);
        }
    }
}

/* The n lanes that are real: masks where they cost nothing, else a branch around them. */
TILE_INLINE vf tail_load(const float *p, size_t n)
{
#if defined(ELMAN_KERNEL_AVX512)
    return vf_load_n(p, n);
#else
    return n < VW ? vf_load_n(p, n) : vf_load(p);
#endif
}

TILE_INLINE void tail_store(float *p, vf x, size_t n)
{
#if defined(ELMAN_KERNEL_AVX512)
    vf_store_n(p, x, n);
#else
    if (n < VW)
        vf_store_n(p, x, n);
    else
        vf_store(p, x);
#endif
}

/* One tile: mr rows, nb blocks of `per` vectors, chains over [k0,k1). */
typedef struct tile_place {
    elman_rows_const left, start;
    elman_rows_mutable out;
    size_t row, k0, k1, shift;
    size_t column, advance;      /* of the first block in start and out, from block to block */
    size_t offsets[MOST_GROUPS]; /* a block's vectors, from its column */
    size_t real[MOST_GROUPS];    /* lanes of the last block's vectors that are units */
    const float *panel;          /* of the first block, at k = 0 */
    size_t distance, lead;       /* from block to block, from k to k */
    const float *ahead;          /* what to prefetch, from k to k */
    size_t ahead_step;
} tile_place;

TILE_INLINE size_t column_of(const tile_place *t, int per, int j)
{
    return t->column + (size_t)(j / per) * t->advance + t->offsets[j % per];
}

/* tile_chains, and with each k a prefetch of what the next tiles read: the weights of a step come
 * from a cache too far away for a tile that meets them first to wait for. */
TILE_INLINE void chains(int mr, int nv, int per, vf *acc, const float *const *left,
                        const tile_place *t)
{
    const float *panel = t->panel + t->k0 * t->lead, *ahead = t->ahead;
    const size_t lead = t->lead, distance = t->distance, count = t->k1 - t->k0;
    for (size_t i = 0; i < count; i++) {
        vf weights[TILE_REGISTERS];
        TILE_UNROLL
        for (int j = 0; j < nv; j++)
            weights[j] = vf_load(panel + (size_t)(j / per) * distance + (size_t)(j % per) * VW);
        panel += lead;
        if (mr > 2) { /* fewer: the only tile there is */
            __builtin_prefetch(ahead, 0, 2);
            ahead += t->ahead_step;
        }
        TILE_UNROLL
        for (int r = 0; r < mr; r++) {
            vf h = vf_set1(left[r][i]);
            TILE_UNROLL
            for (int j = 0; j < nv; j++)
                acc[r * nv + j] = vf_fma(h, weights[j], acc[r * nv + j]);
        }
    }
}

TILE_INLINE void run_tile(int mr, int nb, int per, const tile_place *place)
{
    const tile_place local = *place, *t = &local; /* no store can change it */
    const int nv = nb * per, whole = nv - per;
    if (mr * nv > TILE_REGISTERS)
        return;
    vf acc[TILE_REGISTERS];
    const float *left[TILE_REGISTERS];
    TILE_UNROLL
    for (int r = 0; r < mr; r++) {
        left[r] = elman_row(&t->left, t->row + (size_t)r) + t->shift + t->k0;
        const float *from = elman_row(&t->start, t->row + (size_t)r);
        TILE_UNROLL
        for (int j = 0; j < nv; j++) {
            const float *p = from + column_of(t, per, j);
            acc[r * nv + j] = j < whole ? vf_load(p) : tail_load(p, t->real[j % per]);
        }
    }
    chains(mr, nv, per, acc, left, t);
    TILE_UNROLL
    for (int r = 0; r < mr; r++) {
        float *to = elman_row_mutable(&t->out, t->row + (size_t)r);
        TILE_UNROLL
        for (int j = 0; j < nv; j++) {
            float *p = to + column_of(t, per, j);
            if (j < whole)
                vf_store(p, acc[r * nv + j]);
            else
                tail_store(p, acc[r * nv + j], t->real[j % per]);
        }
    }
}

#define TILE(mr, nb, per)                                                                          \
    static void tile_##mr##_##nb##_##per(const tile_place *t)                                      \
    {                                                                                              \
        run_tile(mr, nb, per, t);                                                                  \
    }
#define TILES(nb, per)                                                                             \
    TILE(1, nb, per)                                                                               \
    TILE(2, nb, per)                                                                               \
    TILE(3, nb, per)                                                                               \
    TILE(4, nb, per) TILE(5, nb, per) TILE(6, nb, per) TILE(7, nb, per) TILE(8, nb, per)
TILES(1, 1)
TILES(1, 2)
TILES(1, 3)
TILES(1, 4)
TILE(1, 2, 3)
TILE(2, 2, 3)
TILE(3, 2, 3)
TILE(4, 2, 3)
TILE(1, 2, 4)
TILE(2, 2, 4)
TILE(3, 2, 4)
TILE(1, 4, 3)
TILE(2, 4, 3)
TILE(1, 4, 4)

enum { MOST_ROWS = 8 };
typedef void (*tile_function)(const tile_place *);
#define ROW(nb, per)                                                                               \
    {                                                                                              \
        tile_1_##nb##_##per, tile_2_##nb##_##per, tile_3_##nb##_##per, tile_4_##nb##_##per,        \
            tile_5_##nb##_##per, tile_6_##nb##_##per, tile_7_##nb##_##per, tile_8_##nb##_##per     \
    }
static const tile_function one_block[4][MOST_ROWS] = {ROW(1, 1), ROW(1, 2), ROW(1, 3), ROW(1, 4)};
static const tile_function two_blocks[2][4] = {{tile_1_2_3, tile_2_2_3, tile_3_2_3, tile_4_2_3},
                                               {tile_1_2_4, tile_2_2_4, tile_3_2_4, NULL}};
static const tile_function four_blocks[2][2] = {{tile_1_4_3, tile_2_4_3}, {tile_1_4_4, NULL}};

/* Blocks that run at once: enough chains to hide the latency of a multiply-add, no more than the
 * registers hold. */
static size_t blocks_at_once(size_t per, size_t rows)
{
    if (per < 3)
        return 1;
    for (size_t nb = 4; nb > 1; nb /= 2)
        if (rows * nb * per <= TILE_REGISTERS && (nb == 2 || rows * per <= 6))
            return nb;
    return 1;
}

size_t ELMAN_KERNEL(elman_recurrent_stride)(size_t groups, size_t rows)
{
    size_t per = groups == 1 ? ONE_GROUP_VECTORS : groups;
    return blocks_at_once(per, rows) * block_vectors(groups);
}

static size_t most_rows(size_t nb, size_t per)
{
    size_t most = TILE_REGISTERS / (per * nb);
    return most < MOST_ROWS ? most : MOST_ROWS;
}

/* Tiles of as even a height as rows allow, down all rows, for one k range. */
static void run_rows(tile_place *t, size_t nb, size_t per, const elman_piece *piece)
{
    size_t rows = piece->r1 - piece->r0, most = most_rows(nb, per);
    size_t tiles = (rows + most - 1) / most;
    const tile_function *functions = nb == 1   ? one_block[per - 1]
                                     : nb == 2 ? two_blocks[per - 3]
                                               : four_blocks[per - 3];
    /* Each tile brings its share of the panel's next range, which lies behind this one. */
    const size_t line = 16, next = t->k1 * t->lead,
                 share = (per * nb * VW / line + tiles - 1) / tiles;
    t->ahead_step = share * line;
    for (size_t i = 0; i < tiles; i++) {
        size_t begin = rows * i / tiles, end = rows * (i + 1) / tiles;
        t->ahead = t->panel + next + i * (t->k1 - t->k0) * t->ahead_step;
        t->row = piece->r0 + begin;
        functions[end - begin - 1](t);
    }
}

/* The place of what begins at vector v: blocks of groups, or up to four vectors of one group (of a
 * block that may be narrower, from wherever v stands in it). Answers how many blocks run at once.
 */
static size_t place_at(tile_place *t, const recurrent_chains *call, const elman_piece *piece,
                       size_t v, size_t *per)
{
    size_t rows = piece->r1 - piece->r0, vectors = vectors_of(call->width), nb = 1, first = v;
    if (call->groups > 1) {
        *per = call->groups;
        nb = blocks_at_once(*per, rows);
        while (v + nb > piece->v1)
            nb /= 2;
        t->lead = *per * VW;
        t->advance = VW;
    } else {
        first = v / ONE_GROUP_VECTORS * ONE_GROUP_VECTORS;
        size_t wide = vectors - first < ONE_GROUP_VECTORS ? vectors - first : ONE_GROUP_VECTORS;
        *per = first + wide - v < piece->v1 - v ? first + wide - v : piece->v1 - v;
        /* a narrower last block does not join those before it */
        if (*per == ONE_GROUP_VECTORS)
            nb = blocks_at_once(*per, rows);
        while (v + nb * *per > piece->v1)
            nb /= 2;
        t->lead = wide * VW;
        t->advance = ONE_GROUP_VECTORS * VW;
    }
    t->panel = call->panels + first * VW * call->groups * call->K + (v - first) * VW;
    t->distance = t->lead * call->K;
    t->column = v * VW;
    for (size_t j = 0; j < *per; j++) {
        size_t step = call->groups > 1 ? call->offsets[j] : j * VW;
        size_t unit = v * VW + (nb - 1) * t->advance + (call->groups > 1 ? 0 : step);
        t->offsets[j] = step;
        t->real[j] = call->width - unit < VW ? call->width - unit : VW;
    }
    return nb;
}

void ELMAN_KERNEL(elman_recurrent_chains)(const recurrent_chains *call, const elman_piece *piece)
{
    if (piece->r1 <= piece->r0)
        return;
    tile_place t = {.left = call->left, .shift = call->shift, .out = call->out};
    for (size_t v = piece->v0; v < piece->v1;) {
        size_t per, nb = place_at(&t, call, piece, v, &per);
        v += call->groups > 1 ? nb : nb * per;
        /* The panel of a range of k stays in the first cache while the rows go by. */
        size_t range = call->k1 - call->k0;
        if (piece->r1 - piece->r0 > most_rows(nb, per))
            range = 8192 / (per * VW);
        for (size_t k = call->k0;; k = t.k1) {
            t.k0 = k;
            t.k1 = call->k1 - k < range ? call->k1 : k + range;
            t.start = k == call->k0 ? call->start : elman_rows_of(call->out);
            run_rows(&t, nb, per, piece);
            if (t.k1 == call->k1)
                break;
        }
    }
}
