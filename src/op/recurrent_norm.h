/* A step of a layer-normalised cell on plain memory; recurrent_step.h chooses it by the gains. */
#ifndef ELMAN_OP_RECURRENT_NORM_H
#define ELMAN_OP_RECURRENT_NORM_H

#include "op/recurrent_step.h"

/* Floats of scratch for a row. */
size_t elman_recurrent_norm_floats(const elman_recurrent_weights *weights);

/* elman_recurrent_step for such a cell; crew is not NULL. */
void elman_recurrent_norm_step(const elman_kernels *kernels, const elman_recurrent_weights *weights,
                               const elman_recurrent_step_call *call, const elman_crew *crew);

#endif
