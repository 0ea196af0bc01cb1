/* What one direction of one layer is found to do, gathered from round to round. */
#ifndef ELMAN_TRAIN_FLOW_LAYER_H
#define ELMAN_TRAIN_FLOW_LAYER_H

#include "elman/gradient_flow.h"
#include "op/observe.h"

/* Of h and c together, of h, of c. */
enum { FLOW_STATE, FLOW_H, FLOW_C, FLOW_CURVES };
enum { FLOW_ARRAYS = 3 }; /* of a curve: norm, spread, samples */

/* A geometric mean: of logarithms, and how many values were 0. */
typedef struct elman_flow_mean {
    double sum, squares;
    int64_t count, zeros;
} elman_flow_mean;

void elman_flow_mean_add(elman_flow_mean *mean, double value);
/* 0 where any value was, NaN where there was none. */
double elman_flow_mean_value(const elman_flow_mean *mean);
/* The geometric standard deviation, a factor; 1 where there is less than one to compare with. */
double elman_flow_mean_spread(const elman_flow_mean *mean);

typedef struct elman_flow_gather {
    const char *name; /* of the recurrent weight */
    elman_cell cell;
    size_t H;
    int64_t lags;                         /* room: 0..lags */
    int64_t finite;                       /* lags that every sample had finite gradients at */
    elman_flow_mean *curves[FLOW_CURVES]; /* [lags+1] */
    elman_flow_mean singular, radius;
    int64_t rows; /* looked at for what follows */
    struct {
        double sum;
        int64_t open, closed, bins[ELMAN_FLOW_BINS];
    } gates[ELMAN_FLOW_GATES];
    double *held;    /* [H] sums of f (GRU: z) */
    float *greatest; /* [H] of a ReLU unit */
    float high;      /* of a ReLU's histogram */
    int64_t saturated;
} elman_flow_gather;

/* Memory is the tape's context's; released by _free, which is fine on one all zero. */
bool elman_flow_gather_init(elman_flow_gather *gather, elman_context *context,
                            const elman_observation *o, int64_t lags);
void elman_flow_gather_free(elman_flow_gather *gather, elman_context *context);

/* After backward: the curves of each sequence from the step of its loss on. steps as in
 * elman_flow_batch. */
void elman_flow_add_curves(elman_flow_gather *gather, const elman_observation *o,
                           const int64_t *steps);
/* The step that sequence b's loss is at, in the direction's own view: -1 where it has none. */
int64_t elman_flow_anchor(const elman_observation *o, const int64_t *steps, int64_t b);
/* The gates and units at every step. */
void elman_flow_add_gates(elman_flow_gather *gather, const elman_observation *o);
/* The Jacobian of one step of up to `count` sequences. MEMORY is the tape's. */
void elman_flow_add_jacobians(elman_flow_gather *gather, elman_tape *tape,
                              const elman_observation *o, const int64_t *steps, int64_t count);

/* What was gathered, for people. memory: of FLOW_CURVES * FLOW_ARRAYS * (lags+1) doubles, where the
 * curves come to stand. */
void elman_flow_finish(const elman_flow_gather *gather, double *memory, elman_flow_layer *layer);
/* Of the gates, units and time constants. scratch [H]. */
void elman_flow_finish_gates(const elman_flow_gather *gather, double *scratch,
                             elman_flow_layer *layer);

#endif
