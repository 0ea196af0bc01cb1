/* Which rows of a padded value are one step. */
#ifndef ELMAN_NN_ROWS_H
#define ELMAN_NN_ROWS_H

#include "graph/tape_impl.h"

/* [T,B,F]: T steps of B rows; NULL for other ranks, whose rows are steps, and where nothing is
 * recorded, since the order of a gradient is all that it decides. */
static inline const elman_sequences *elman_rows_as_steps(elman_tape *tape, const elman_var *x)
{
    if (!x || x->value.rank != 3 || !tape->mode.record)
        return NULL;
    return elman_tape_sequences(tape, x->value.shape[0], x->value.shape[1], NULL, NULL, 0);
}

#endif
