/* The products over panels that stand outside the steps. */
#include <string.h>

#include "kernel/body/recurrent.h"

/* The parts that no weight feeds go along: a GRU's q starts from b_hn. */
static void copy_parts(const elman_panel_product *call, const elman_piece *piece)
{
    size_t begin = piece->v0 * VW, end = piece->v1 * VW;
    if (end > call->width)
        end = call->width;
    for (size_t r = piece->r0; r < piece->r1; r++) {
        const float *from = elman_row(&call->start, r);
        float *to = elman_row_mutable(&call->out, r);
        if (from == to)
            continue;
        for (size_t g = call->groups; g < call->parts; g++)
            memcpy(to + g * call->width + begin, from + g * call->width + begin,
                   (end - begin) * sizeof *to);
    }
}

void ELMAN_KERNEL(elman_recurrent_product)(const elman_panel_product *call,
                                           const elman_piece *piece)
{
    size_t width = call->width;
    const size_t offsets[MOST_GROUPS] = {0, width, 2 * width, 3 * width};
    recurrent_chains chains = {.K = call->K,
                               .k1 = call->K,
                               .groups = call->groups,
                               .width = width,
                               .offsets = offsets,
                               .panels = call->panels,
                               .left = call->left,
                               .start = call->start,
                               .out = call->out};
    ELMAN_KERNEL(elman_recurrent_chains)(&chains, piece);
    if (call->parts > call->groups)
        copy_parts(call, piece);
}

void ELMAN_KERNEL(elman_recurrent_carry_product)(elman_cell cell, const elman_panel_product *call,
                                                 const elman_piece *piece)
{
    static const size_t none[1] = {0};
    recurrent_chains chains = {.K = call->K,
                               .k1 = call->K,
                               .groups = 1,
                               .width = call->width,
                               .offsets = none,
                               .panels = call->panels,
                               .left = call->left,
                               .start = call->start,
                               .out = call->out};
    if (cell == ELMAN_CELL_GRU) {
        /* r and z, then the recurrent product's n, which stands in part q */
        chains.k1 = 2 * call->width;
        ELMAN_KERNEL(elman_recurrent_chains)(&chains, piece);
        chains.k0 = chains.k1;
        chains.k1 = call->K;
        chains.shift = call->width;
        chains.start = elman_rows_of(call->out);
    }
    ELMAN_KERNEL(elman_recurrent_chains)(&chains, piece);
}
