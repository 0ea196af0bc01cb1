/* What the files of the matrix products share, once for each instruction set. */
#ifndef ELMAN_KERNEL_BODY_PRODUCT_H
#define ELMAN_KERNEL_BODY_PRODUCT_H

#include "kernel/body/tile.h"
#include "kernel/product_kernels.h"

enum {
    PANEL = TILE_VECTORS * VW,
    TILE_ROWS_MOST = 8,
    /* Rows or columns of C that are finished before the next: the block of C and the rows of A
     * that it needs stay in the second-level cache. */
    BLOCK_ROWS = 120,
    BLOCK_COLUMNS = 1024,
    /* One panel over this many k is 32 KiB, which leaves the first-level cache room for A. */
    BLOCK_K = 8192 / PANEL,
};

/* Rows of a tile of nv vectors. */
static inline size_t product_tile_rows(size_t nv)
{
    size_t rows = TILE_REGISTERS / nv;
    return rows < TILE_ROWS_MOST ? rows : TILE_ROWS_MOST;
}

/* `total` cut into the fewest parts of at most `most`, evenly: the part that begins at `begin`. */
static inline size_t product_part(size_t total, size_t begin, size_t most)
{
    size_t left = total - begin, parts = (left + most - 1) / most;
    return parts > 1 ? (left + parts - 1) / parts : left;
}

/* Columns [column, column+n) of b's k rows as the panels that begin at packed. */
void ELMAN_KERNEL(elman_product_pack_panels)(const elman_rows_const *b, size_t k, size_t column,
                                             size_t n, float *packed);
void ELMAN_KERNEL(elman_product_pack_rows)(const elman_rows_const *b, size_t k, size_t n, size_t n0,
                                           size_t n1, float *packed);
void ELMAN_KERNEL(elman_product_pack_columns)(const elman_rows_const *b, size_t k, size_t n,
                                              size_t n0, size_t n1, float *packed);
void ELMAN_KERNEL(elman_product_rows)(const elman_product_rows *call);
size_t ELMAN_KERNEL(elman_product_columns_scratch)(size_t m, size_t n, size_t k);
void ELMAN_KERNEL(elman_product_columns)(const elman_product_columns *call);
void ELMAN_KERNEL(elman_product_add)(size_t n, const float *x, float *y);

#endif
