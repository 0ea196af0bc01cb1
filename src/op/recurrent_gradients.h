/* From the gates' gradients to those of the parameters and of the input. */
#ifndef ELMAN_OP_RECURRENT_GRADIENTS_H
#define ELMAN_OP_RECURRENT_GRADIENTS_H

#include "op/recurrent.h"
#include "op/share.h"

/* Continues the gradients of all parameters of the layer, and of its table; dx [N,I] (NULL: not
 * wanted) is written, or added to. columns: the packed W_ih of each direction. */
void elman_recurrent_gradients(elman_tape *tape, const elman_recurrent_node *n,
                               const float *const columns[2], float *dx, bool add);

#endif
