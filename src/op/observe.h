/* A look into a recurrent layer: what one direction computed at each step of a batch, and what
 * gradient reached its states, kept on the tape while its mode is `observe`. */
#ifndef ELMAN_OP_OBSERVE_H
#define ELMAN_OP_OBSERVE_H

#include "op/recurrent.h"

typedef struct elman_observation elman_observation;
struct elman_observation {
    const elman_recurrent_node *node; /* the layer: cell, sizes, sequences, inputs */
    const elman_recurrent_direction *direction;
    float *gates;   /* [N,P*H] activated; NULL: an RNN, whose only gate is h, or a layer-normalised
                     * cell, which keeps its own */
    float *dh, *dc; /* [N,H] after backward: the whole gradient that reached h and (LSTM) c at a
                     * row, by every path; c's by way of the same step's h among them. Zero where
                     * nothing flowed. dc NULL: no LSTM */
    elman_observation *previous; /* of the layer that ran before */
};

/* The newest, or NULL; they end with the round. */
static inline const elman_observation *elman_observations(const elman_tape *tape)
{
    return tape->observations;
}

/* "rnn.weight_hh_l0", by which a layer is known. */
static inline const char *elman_observation_name(const elman_observation *o)
{
    return o->direction->cell.weight_hh->name;
}

enum { ELMAN_LAYER_NAME = 64 };
/* The layer and direction of such a weight: "rnn.l0_reverse" of "rnn.weight_hh_l0_reverse". */
void elman_layer_name(const char *weight, char name[ELMAN_LAYER_NAME]);

/* Packed row's activated gates in PyTorch's order, behind a GRU's r,z,n its q; NULL of an RNN. */
const float *elman_observation_gates(const elman_observation *o, size_t row);
/* The states after a packed row's step; c NULL but for an LSTM. */
const float *elman_observation_h(const elman_observation *o, size_t row);
const float *elman_observation_c(const elman_observation *o, size_t row);

/* For the layer itself: begins to look at direction i; after the run keeps its gates, over which
 * backward writes their gradients. */
void elman_observe(elman_tape *tape, elman_recurrent_node *n, size_t i);
void elman_observe_gates(const elman_recurrent_node *n, size_t i);

#endif
