/* The naive recurrent layer in double precision: one direction over one sequence. What tests
 * compare the kernels and the operation with. */
#ifndef ELMAN_KERNEL_REF_RECURRENT_REF_H
#define ELMAN_KERNEL_REF_RECURRENT_REF_H

#include <stddef.h>

#include "elman/cell.h"

/* Parameters, and in a second one of these their gradients; biases may be NULL. */
typedef struct ref_cell {
    double *w_ih, *w_hh, *b_ih, *b_hh; /* [G*H,I], [G*H,H], [G*H], [G*H] */
} ref_cell;

typedef struct ref_layer {
    elman_cell kind;
    size_t T, I, H;
    ref_cell cell;
    const double *x;       /* [T,I] in the direction's own order */
    const double *h0, *c0; /* [H] */
} ref_layer;

/* What backward is given and what it adds to. */
typedef struct ref_gradients {
    const double *dy;        /* [T,H] */
    const double *dhn, *dcn; /* [H] */
    ref_cell cell;
    double *dx;        /* [T,I] */
    double *dh0, *dc0; /* [H] */
} ref_gradients;

/* y [T,H], hn, cn [H]; work: ref_recurrent_work doubles, kept for backward. */
size_t ref_recurrent_work(const ref_layer *layer);
void ref_recurrent_forward(const ref_layer *layer, double *y, double *hn, double *cn, double *work);
/* After forward with the same work. Adds to what the gradients point to. */
void ref_recurrent_backward(const ref_layer *layer, const ref_gradients *gradients, double *work);

#endif
