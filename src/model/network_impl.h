/* The inside of a network, for models and sessions. */
#ifndef ELMAN_MODEL_NETWORK_IMPL_H
#define ELMAN_MODEL_NETWORK_IMPL_H

#include "elman/model.h"

struct elman_network {
    elman_context *context;
    elman_config config;
    elman_parameters *parameters;
    elman_embedding_layer embedding;
    elman_recurrent_layer layers;
    elman_linear_layer output;
};

#endif
