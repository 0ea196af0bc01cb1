/* What truncated back-propagation through time loses, as elman/gradient_flow.h says it. */
#ifndef ELMAN_TRAIN_TRUNCATION_H
#define ELMAN_TRAIN_TRUNCATION_H

#include "elman/gradient_flow.h"
#include "train/objective.h"

/* rows [ELMAN_TRUNCATIONS]. Clears the parameters' gradients. ARGUMENT: a stretch longer than the
 * data; NUMERIC: a gradient is not finite, or all of it is 0. */
elman_status elman_truncation_measure(elman_tape *tape, const elman_objective *objective,
                                      const elman_truncation_options *options,
                                      elman_truncation *rows, int *count, elman_error *error);

#endif
