#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "graph/tape_impl.h"
#include "model/network_impl.h"
#include "model/weights.h"
#include "op/op.h"

/* Dropout places: between the layers, then before the output. */
enum { FIRST_USE = 0 };

static elman_status build(elman_network *n, elman_error *error)
{
    const elman_config *c = &n->config;
    elman_recurrent_options options;
    elman_recurrent_options_default(&options);
    options.cell = (elman_cell)c->cell;
    options.input = c->embedding;
    options.hidden = c->hidden;
    options.layers = (int)c->layers;
    options.layer_norm = c->layer_norm;
    options.dropout = c->dropout;
    options.use = FIRST_USE;
    ELMAN_TRY(elman_embedding_create(n->parameters, "embedding", c->vocabulary, c->embedding,
                                     &n->embedding, error));
    ELMAN_TRY(elman_recurrent_create(n->parameters, "rnn", &options, &n->layers, error));
    return elman_linear_create(n->parameters, "output", c->hidden, c->vocabulary, true,
                               c->tied ? n->embedding.weight : NULL, &n->output, error);
}

elman_status elman_network_create(elman_context *context, const elman_config *config, bool train,
                                  elman_network **network, elman_error *error)
{
    if (config->vocabulary < 1 || config->vocabulary > INT32_MAX || config->hidden < 1 ||
        config->embedding < 1 || config->layers < 1 || config->layers > ELMAN_MAX_LAYERS)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "network: layers %" PRId64 ", hidden %" PRId64 ", embedding %" PRId64
                          ", vocabulary %" PRId64 "; expected 1 or more of each and at most %d "
                          "layers",
                          config->layers, config->hidden, config->embedding, config->vocabulary,
                          ELMAN_MAX_LAYERS);
    if (!(config->dropout >= 0 && config->dropout < 1))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "dropout: found %g, expected 0 <= dropout < 1", config->dropout);
    if (config->tied && config->embedding != config->hidden)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "tied: embedding %" PRId64 " and hidden %" PRId64
                          ", expected the same size of both",
                          config->embedding, config->hidden);
    elman_network *n = elman_allocate_zero(context, 1, sizeof *n);
    if (!n)
        return elman_out_of_memory(error);
    n->context = context;
    n->config = *config;
    elman_status status = elman_parameters_create(context, train, &n->parameters, error);
    if (status == ELMAN_OK)
        status = build(n, error);
    if (status != ELMAN_OK) {
        elman_network_free(n);
        return status;
    }
    *network = n;
    return ELMAN_OK;
}

void elman_network_free(elman_network *network)
{
    if (!network)
        return;
    elman_parameters_free(network->parameters);
    elman_release(network->context, network);
}

elman_parameters *elman_network_parameters(elman_network *network)
{
    return network->parameters;
}

const elman_config *elman_network_config(const elman_network *network)
{
    return &network->config;
}

elman_status elman_network_initialise(elman_network *network, elman_error *error)
{
    return elman_initialise(network->parameters, network->config.init,
                            (uint64_t)network->config.seed, error);
}

/* A copy on the tape: backward reads the state that the stretch began with, which by then the
 * caller's buffer no longer holds. */
static elman_var *state_var(elman_tape *tape, const elman_config *c, int64_t B, const float *state)
{
    if (!state)
        return NULL;
    int64_t shape[3] = {c->layers, B, c->hidden};
    size_t count = (size_t)(c->layers * B * c->hidden);
    float *copy = elman_tape_floats(tape, count);
    if (!copy)
        return NULL;
    memcpy(copy, state, count * sizeof *copy);
    return elman_tape_input(tape, 3, shape, copy);
}

static void keep_state(float *to, const elman_var *from)
{
    const elman_tensor *value = elman_var_value(from);
    if (to && value)
        memcpy(to, value->data, (size_t)elman_tensor_count(value) * sizeof *to);
}

elman_var *elman_network_forward(elman_tape *tape, elman_network *network, const int32_t *tokens,
                                 const elman_sequences *sequences,
                                 const elman_network_state *before, elman_network_state *after)
{
    const elman_config *c = &network->config;
    if (!sequences)
        return NULL;
    const elman_network_state *states[] = {before, after};
    for (int i = 0; i < 2; i++) {
        if (!states[i])
            continue;
        bool cell = c->cell == ELMAN_CELL_LSTM;
        if (states[i]->B != sequences->B || !states[i]->h || (cell && !states[i]->c)) {
            elman_tape_fail(
                tape, ELMAN_ERROR_SHAPE,
                "network: a state of %" PRId64 " sequences%s, expected %" PRId64, states[i]->B,
                states[i]->h && !(cell && !states[i]->c) ? "" : " without h or c", sequences->B);
            return NULL;
        }
    }
    elman_state initial = {0}, final = {0};
    if (before) {
        initial.h = state_var(tape, c, sequences->B, before->h);
        initial.c = state_var(tape, c, sequences->B, before->c);
    }
    elman_var *y =
        elman_recurrent_forward_tokens(tape, &network->layers, &network->embedding, tokens,
                                       sequences, &initial, after ? &final : NULL);
    if (after && y) {
        keep_state(after->h, final.h);
        keep_state(after->c, final.c);
    }
    return elman_dropout(tape, y, sequences, c->dropout, FIRST_USE + (int)c->layers - 1);
}

elman_var *elman_network_loss(elman_tape *tape, elman_network *network, const int32_t *tokens,
                              const int32_t *targets, const elman_sequences *sequences,
                              const elman_network_state *before, elman_network_state *after,
                              float scale, double *sum)
{
    elman_var *y = elman_network_forward(tape, network, tokens, sequences, before, after);
    return elman_op_linear_cross_entropy(tape, y, network->output.weight, network->output.bias,
                                         targets, scale, sum, sequences);
}

elman_status elman_network_write(elman_context *context, const elman_network *network,
                                 const char *path, elman_error *error)
{
    return elman_weights_write(context, network->parameters, path, error);
}

elman_status elman_network_read(elman_context *context, elman_network *network, const char *path,
                                elman_error *error)
{
    return elman_weights_read(context, network->parameters, path, error);
}
