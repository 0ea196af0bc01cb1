/* What the checkpoint needs of an optimiser. */
#ifndef ELMAN_TRAIN_OPTIMIZER_IMPL_H
#define ELMAN_TRAIN_OPTIMIZER_IMPL_H

#include "elman/optimizer.h"

/* Slots an element has: 0 (plain SGD), 1 (momentum_buffer), 2 (exp_avg, exp_avg_sq). */
int elman_optimizer_slots(const elman_optimizer *optimizer);
/* PyTorch's name of a slot; a static string. */
const char *elman_optimizer_slot_name(const elman_optimizer *optimizer, int slot);
/* What a slot holds for parameter number `parameter`, shaped as its value; NULL for one that is
 * tied or was frozen. */
float *elman_optimizer_slot(elman_optimizer *optimizer, int slot, int64_t parameter);
void elman_optimizer_set_steps(elman_optimizer *optimizer, int64_t steps);

#endif
