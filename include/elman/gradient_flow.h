/* Where the gradient goes through time: how it falls or grows with the lag, what one step of a
 * layer does to it, and what the gates and units of the layer are doing meanwhile.
 *
 * Of a layer with the state s_t (h_t; of an LSTM h_t and c_t) and the loss L_t of one step t, the
 * curve is |dL_t/ds_{t-k}| over |dL_t/ds_t| for lags k = 0, 1, …: the gradient that reaches the
 * state by all paths, through this layer and those above, dropout off (Bengio, Simard & Frasconi
 * 1994; Pascanu, Mikolov & Bengio 2013, equations 3 to 5; Hochreiter & Schmidhuber 1997, section
 * 3). It is measured at many t spread over the data, and averaged geometrically. A bidirectional
 * layer's reverse direction counts lags forwards in time. */
#ifndef ELMAN_GRADIENT_FLOW_H
#define ELMAN_GRADIENT_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "elman/context.h"
#include "elman/task.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ELMAN_FLOW_NAME = 64,
    ELMAN_FLOW_BINS = 20,
    ELMAN_FLOW_GATES = 4,
    ELMAN_FLOW_MOST_LAGS = 100000 /* the greatest lag that can be asked for */
};

/* Horizons that are no lag. */
enum {
    ELMAN_FLOW_BEYOND = -1,    /* the curve is still above 0.01 at the last lag measured */
    ELMAN_FLOW_UNMEASURED = -2 /* no step comes before that of the loss, or no finite gradient that
                                * is not 0 reached the layer at lag 0 */
};

typedef struct elman_flow_options {
    size_t size;       /* sizeof(elman_flow_options), set by _default */
    int64_t lags;      /* greatest lag, 0: auto, 100 or as far as the sequences reach */
    int64_t samples;   /* steps t, default 64; fewer where the data have fewer */
    int64_t jacobians; /* steps at which the step Jacobian is taken, default 8; 0: none */
} elman_flow_options;

ELMAN_API void elman_flow_options_default(elman_flow_options *options);

/* One curve over the lags. */
typedef struct elman_flow_curve {
    const double *norm;    /* [lags+1] geometric mean over the samples; norm[0] is 1, or NaN where
                            * nothing could be measured; 0 where the gradient of any sample has
                            * vanished altogether. Samples whose gradient is 0 at lag 0 do not
                            * count: with the pool "max" those whose last step is the largest in no
                            * unit */
    const double *samples; /* [lags+1] how many the mean at a lag is of: short sequences end */
    const double *spread;  /* [lags+1] geometric standard deviation, a factor of at least 1 */
    double factor;         /* per step: norm[k]^(1/k) at the last lag k where norm is above 0 */
    int64_t horizon;       /* the smallest lag from which the curve stays at or below 0.01, or
                            * ELMAN_FLOW_BEYOND or _UNMEASURED */
} elman_flow_curve;

/* What a gate does over all the steps that were read. */
typedef struct elman_flow_gate {
    const char *name; /* "i" "f" "g" "o"; "r" "z" "n"; "h": an RNN's state; a static string */
    double mean;
    double open, closed; /* share above 0.9 and below 0.1 (Karpathy et al. 2015); of a gate that
                          * runs from -1 to 1, of its magnitude; NaN for an RNN's ReLU */
    double histogram[ELMAN_FLOW_BINS]; /* shares, of equal bins from low to high */
    double low, high;                  /* 0 and 1, -1 and 1; of a ReLU 0 and its greatest value */
} elman_flow_gate;

typedef struct elman_flow_layer {
    char name[ELMAN_FLOW_NAME]; /* PyTorch's: "rnn.l0", "rnn.l1_reverse" */
    elman_cell cell;
    int64_t hidden, lags;
    elman_flow_curve state; /* of an LSTM h and c together */
    elman_flow_curve h, c;  /* each alone; c of an LSTM only, else norm is NULL */
    /* Of the Jacobian of one step ds_t/ds_{t-1} along the data, geometric means over the steps at
     * which it was taken: its largest singular value, by power iteration on J^T J, and its spectral
     * radius (|J^2n v| / |J^n v|)^(1/n) with n = 50 (eigenvalues may be complex); in double. NaN:
     * not taken. */
    double singular_value, spectral_radius;
    double saturated; /* share of tanh units beyond 0.95 in magnitude: h, g or n; NaN for a ReLU */
    double dead;      /* share of ReLU units that were 0 at every step read; NaN for others */
    /* For how many steps a unit holds what it has, by its forget gate (GRU: z) alone: 1 / (1 - mean
     * of f) (Tallec & Ollivier 2018, "Can recurrent neural networks warp time?"); median and 90th
     * percentile over the units. NaN without such a gate. */
    double time_constant, time_constant_90;
    elman_flow_gate gates[ELMAN_FLOW_GATES];
    int gate_count;
} elman_flow_layer;

/* `elman_flow flow = {0};` is the empty one; what fills it is given back by elman_flow_clear. */
typedef struct elman_flow {
    elman_flow_layer *layers; /* [count], in the order in which they run */
    int64_t count, samples;
    double loss; /* mean of the L_t */
    void *memory;
} elman_flow;

ELMAN_API void elman_flow_clear(elman_context *context, elman_flow *flow);

/* Of a trained model over files of the form that it was trained on; without files over those. */
ELMAN_API elman_status elman_flow_model(elman_context *context, const char *folder,
                                        const char *const *paths, int count,
                                        const elman_flow_options *options, elman_flow *flow,
                                        elman_error *error);
/* Of a network before training, as elman_train would begin it with this request; nothing is
 * written, output is not read. */
ELMAN_API elman_status elman_flow_request(elman_context *context,
                                          const elman_train_request *request,
                                          const elman_flow_options *options, elman_flow *flow,
                                          elman_error *error);
/* Of the linear recurrence h_t = factor h_{t-1} + x_t, L_t = h_t, whose curve is factor^k: no model
 * and no data, the same code. ARGUMENT: factor outside (0, 2]. */
ELMAN_API elman_status elman_flow_linear(elman_context *context, double factor,
                                         const elman_flow_options *options, elman_flow *flow,
                                         elman_error *error);

/* Draws a picture into a file that ends in .svg or .png, by gnuplot, whose script and table stay
 * beside it: the curves with their spread, on a logarithmic axis; what the gates do; and where
 * `folder` (may be NULL) is a model that was trained with --watch gradients, the curves through the
 * training, lag by step. ARGUMENT: another ending; IO: gnuplot is not there, or a file cannot be
 * written. */
ELMAN_API elman_status elman_flow_plot(elman_context *context, const elman_flow *flow,
                                       const char *folder, const char *path, elman_error *error);
/* Whether the path ends in what can be drawn, before anything is measured for it. */
ELMAN_API elman_status elman_flow_plot_check(const char *path, elman_error *error);

/* --- truncation --------------------------------------------------------------------------------
 */

/* What truncated back-propagation through time loses: the gradient of the mean loss over a stretch
 * of text, once through all of it, and once in pieces of K steps between which the state is carried
 * and no gradient flows (Williams & Peng 1990; Tallec & Ollivier 2017). Dropout off, all parameters
 * taken together. With K at least the stretch both are the same bits. */
typedef struct elman_truncation {
    int64_t bptt;      /* K */
    double cosine;     /* of the angle between the two gradients */
    double norm_ratio; /* the truncated gradient's 2-norm over the full one's */
    double seconds;    /* forwards and backwards through the stretch */
    uint64_t bytes;    /* that the tape took for one piece */
} elman_truncation;

typedef struct elman_truncation_options {
    size_t size;    /* sizeof(elman_truncation_options), set by _default */
    int64_t length; /* steps of the stretch, 0: auto, 256 or as many as the text has */
} elman_truncation_options;

ELMAN_API void elman_truncation_options_default(elman_truncation_options *options);

enum { ELMAN_TRUNCATIONS = 32 };

/* K = 1, 2, 4, … up to the stretch, in rows[0..*count-1], of which there is room for
 * ELMAN_TRUNCATIONS; the last is the full gradient. options NULL: the defaults. The rest as
 * elman_flow_model and elman_flow_request. UNSUPPORTED: a task that does not truncate. */
ELMAN_API elman_status elman_truncation_model(elman_context *context, const char *folder,
                                              const char *const *paths, int path_count,
                                              const elman_truncation_options *options,
                                              elman_truncation *rows, int *count,
                                              elman_error *error);
ELMAN_API elman_status elman_truncation_request(elman_context *context,
                                                const elman_train_request *request,
                                                const elman_truncation_options *options,
                                                elman_truncation *rows, int *count,
                                                elman_error *error);

#ifdef __cplusplus
}
#endif

#endif
