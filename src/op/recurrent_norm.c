#include "op/op.h"
#include "op/recurrent.h"

void elman_op_recurrent_norm(elman_tape *tape, const elman_sequences *sequences,
                             elman_recurrent *layer)
{
    (void)sequences;
    (void)layer;
    elman_tape_fail(tape, ELMAN_ERROR_UNSUPPORTED, "layer-normalised cells");
}
