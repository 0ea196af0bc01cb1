/* One step of a recurrent cell made linear: J = ds_t/ds_{t-1} at a place that was observed, in
 * double, as a product with a vector. s is h [H]; of an LSTM h and then c [2H]. */
#ifndef ELMAN_OP_STEP_JACOBIAN_H
#define ELMAN_OP_STEP_JACOBIAN_H

#include "op/observe.h"

/* With v = N(W_hh dh), N the slope of the layer normalisation or nothing:
 *   RNN   dh' = v_0 gate_0
 *   LSTM  dc' = keep dc + v_i gate_i + v_f gate_f + v_g gate_g,  dh' = through(dc') + v_o gate_o
 *   GRU   dh' = keep dh + v_r gate_r + v_z gate_z + v_n gate_n
 * where gate_i and so on are the slopes below, and through(x) is out * x, or with the normalised
 * cell out * N(x). */
typedef struct elman_step_jacobian {
    elman_cell cell;
    size_t H, S, G;                          /* S: elements of s */
    const float *weight, *weight_transposed; /* W_hh [G*H,H] and [H,G*H] */
    double *gate;                            /* [G*H] */
    double *keep, *out;                      /* [H] */
    bool normalised;
    double *xhat, *gain; /* [G*H] of W_hh h; gain times the inverse deviation stands in gain */
    double *cell_xhat, *cell_gain; /* [H] of an LSTM's cell */
    double *scratch;               /* [G*H + 2H] */
} elman_step_jacobian;

/* Doubles that one of an observed layer takes. */
size_t elman_step_jacobian_size(const elman_observation *o);
/* W_hh of an observed layer, turned: to [H, G*H]. */
void elman_step_jacobian_turn(const elman_observation *o, float *to);
/* At the step t of the sequence in packed place p. memory: elman_step_jacobian_size doubles, and
 * `transposed` as _turn made it; both live as long as *j. */
void elman_step_jacobian_at(const elman_observation *o, int64_t t, size_t p,
                            const float *transposed, double *memory, elman_step_jacobian *j);
/* to [S] = J from [S]; to = J^T from. They do not overlap. */
void elman_step_jacobian_apply(const elman_step_jacobian *j, const double *from, double *to);
void elman_step_jacobian_transpose(const elman_step_jacobian *j, const double *from, double *to);

/* The largest singular value: |J v| for the v that power iteration on J^T J comes to. v, w: [S]
 * scratch. */
double elman_step_jacobian_singular(const elman_step_jacobian *j, double *v, double *w);
/* The spectral radius (|J^2n v| / |J^n v|)^(1/n), n = 50; 0 where J^n v is 0. */
double elman_step_jacobian_radius(const elman_step_jacobian *j, double *v, double *w);

#endif
