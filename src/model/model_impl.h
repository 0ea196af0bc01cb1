/* The inside of a loaded model: the network and its weights as the kernels want them. */
#ifndef ELMAN_MODEL_MODEL_IMPL_H
#define ELMAN_MODEL_MODEL_IMPL_H

#include "elman/model.h"
#include "op/recurrent_step.h"

/* Up to so many rows a table's product with the first layer's input weights is kept: a step then
 * begins with a row of it instead of a product. */
enum { ELMAN_TABLE_ROWS = 1024 };

struct elman_model {
    elman_context *context;
    const elman_kernels *kernels;
    elman_config_file file;
    elman_network *network;
    char hash[65];
    elman_recurrent_weights *layers; /* [layers], the memory their members point to is `packs` */
    float *packs;
    const float *table_gates; /* [V, parts*H], or NULL */
    const float *output;      /* packed output.weight */
    size_t parts;             /* of a gate row */
};

#endif
