/* The gradient through time of what a task trains, as elman/gradient_flow.h says what it is. */
#ifndef ELMAN_TRAIN_GRADIENT_FLOW_H
#define ELMAN_TRAIN_GRADIENT_FLOW_H

#include "elman/gradient_flow.h"
#include "train/objective.h"

/* Greatest lag that is looked at where options.lags is 0. */
enum { ELMAN_FLOW_LAGS = 1000 };

/* Measures with the parameters as they are; clears their gradients, and changes nothing else that
 * training goes by. The rounds are tape's. flow is the caller's, to be cleared, whatever is
 * answered. UNSUPPORTED: the objective has no flow; DATA: no sample; NUMERIC: a loss is not
 * finite. */
elman_status elman_flow_measure(elman_tape *tape, const elman_objective *objective,
                                const elman_flow_options *options, elman_flow *flow,
                                elman_error *error);

#endif
