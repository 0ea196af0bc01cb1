/* model.safetensors: a set of parameters under PyTorch's names. */
#ifndef ELMAN_MODEL_WEIGHTS_H
#define ELMAN_MODEL_WEIGHTS_H

#include "elman/layer.h"

/* Tied weights stand under both names. Whole or not at all. */
elman_status elman_weights_write(elman_context *context, const elman_parameters *parameters,
                                 const char *path, elman_error *error);
/* Every name and shape must be there and nothing else (FORMAT). */
elman_status elman_weights_read(elman_context *context, elman_parameters *parameters,
                                const char *path, elman_error *error);

#endif
