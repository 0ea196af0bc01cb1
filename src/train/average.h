/* A moving average of the weights (Polyak & Juditsky 1992), kept beside them:
 *   a = a + (1 - d) (w - a),  d = min(decay, (1 + n) / (10 + n)) at update n,
 * so that it forgets where it began. What is validated and written is the average. */
#ifndef ELMAN_TRAIN_AVERAGE_H
#define ELMAN_TRAIN_AVERAGE_H

#include <stdint.h>

#include "elman/layer.h"

typedef struct elman_average elman_average;

/* The average begins as the weights are. Frozen and tied parameters have none. */
elman_status elman_average_create(elman_context *context, elman_parameters *parameters,
                                  double decay, elman_average **average, elman_error *error);
/* NULL is fine, here and below: there is no average. */
void elman_average_free(elman_average *average);
/* After update number n (0-based). */
void elman_average_update(elman_average *average, int64_t n);
/* The weights become the average and the average the weights; a second call undoes it. */
void elman_average_swap(elman_average *average);
/* The average of parameter i of the set, or NULL. */
float *elman_average_of(const elman_average *average, int64_t i);

#endif
