/* The recurrent cells, and the parameters of one. */
#ifndef ELMAN_CELL_H
#define ELMAN_CELL_H

#include "elman/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* G gates: 1, 1, 4, 3. x [I] is the input, h [H] the state, a dash the next step's. */
typedef enum elman_cell {
    /* Elman 1990: h' = tanh(W_ih x + b_ih + W_hh h + b_hh) */
    ELMAN_CELL_RNN,
    /* the same with max(., 0) for tanh */
    ELMAN_CELL_RNN_RELU,
    /* Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000; gates i,f,g,o:
     * c' = f*c + i*g, h' = o*tanh(c') */
    ELMAN_CELL_LSTM,
    /* Cho et al. 2014, with the reset after the recurrent product; gates r,z,n:
     * n = tanh(W_in x + b_in + r*(W_hn h + b_hn)), h' = (1-z)*n + z*h */
    ELMAN_CELL_GRU
} elman_cell;

/* One direction's parameters of one layer, in PyTorch's layouts. */
typedef struct elman_cell_parameters {
    elman_parameter *weight_ih; /* [G*H, I] */
    elman_parameter *weight_hh; /* [G*H, H] */
    elman_parameter *bias_ih;   /* [G*H] or NULL */
    elman_parameter *bias_hh;   /* [G*H] or NULL */
    /* layer-normalised cells (Ba et al. 2016, equations 20 to 22): gains [G*H], [G*H], and for
     * the LSTM's cell [H] with its bias; the bias of the sum is bias_ih. All NULL: plain. */
    elman_parameter *gain_ih, *gain_hh, *gain_cell, *bias_cell;
} elman_cell_parameters;

#ifdef __cplusplus
}
#endif

#endif
