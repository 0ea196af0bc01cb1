/* Networks built from a configuration, models loaded from a folder, and sessions: streams
 * through a model.
 *
 * A model is immutable and shared by any number of threads. A session is one stream with its
 * own state; it runs on the calling thread, in memory that the caller may own, and a step
 * neither allocates nor locks nor calls the operating system. */
#ifndef ELMAN_MODEL_H
#define ELMAN_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elman/config.h"
#include "elman/layer.h"
#include "elman/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The language model's network, of config's network group:
 *   e = embedding[token]              [N,E]
 *   y = layers(e)                     [N,H]   dropout between layers and after the last
 *   logits = y output.weight^T + output.bias  [N,V]
 * Parameters under PyTorch's names: embedding.weight [V,E], rnn.weight_ih_l0 …, output.weight
 * [V,H], output.bias [V]. Tied: output.weight is embedding.weight (Press & Wolf 2017). */
typedef struct elman_network elman_network;

/* config: layers, hidden and vocabulary >= 1 must be set (nothing auto). With gradients where
 * `train`. Values are cleared: initialise or load them. ARGUMENT: a value out of bounds, tied
 * with embedding unlike hidden. */
ELMAN_API elman_status elman_network_create(elman_context *context, const elman_config *config,
                                            bool train, elman_network **network,
                                            elman_error *error);
ELMAN_API void elman_network_free(elman_network *network);
ELMAN_API elman_parameters *elman_network_parameters(elman_network *network);
ELMAN_API const elman_config *elman_network_config(const elman_network *network);

/* By config.init and config.seed, as elman_initialise says. */
ELMAN_API elman_status elman_network_initialise(elman_network *network, elman_error *error);

/* The state carried from one stretch of time to the next: h, c [layers,B,hidden] (c only of an
 * LSTM, else NULL). */
typedef struct elman_network_state {
    float *h, *c;
    int64_t B;
} elman_network_state;

/* tokens [N] packed rows of `sequences`; `before` NULL: the zero state; `after` (may be NULL,
 * may be `before`) receives the state once the tape has computed it, without gradient.
 * Returns y [N,H]. SHAPE: a state that is not of sequences->B sequences, or lacks h or an LSTM's
 * c. */
ELMAN_API elman_var *elman_network_forward(elman_tape *tape, elman_network *network,
                                           const int32_t *tokens, const elman_sequences *sequences,
                                           const elman_network_state *before,
                                           elman_network_state *after);

/* scale * sum over rows of -log softmax(logits)[target]; *sum (may be NULL) the unscaled sum in
 * nats. A terminal operation, as elman_linear_cross_entropy. */
ELMAN_API elman_var *elman_network_loss(elman_tape *tape, elman_network *network,
                                        const int32_t *tokens, const int32_t *targets,
                                        const elman_sequences *sequences,
                                        const elman_network_state *before,
                                        elman_network_state *after, float scale, double *sum);

/* Writes the parameters as a safetensors file under PyTorch's names (tied weights under both),
 * and reads them: every name and shape must be there and nothing else (FORMAT). */
ELMAN_API elman_status elman_network_write(elman_context *context, const elman_network *network,
                                           const char *path, elman_error *error);
ELMAN_API elman_status elman_network_read(elman_context *context, elman_network *network,
                                          const char *path, elman_error *error);

/* A trained model from its folder: config.json and model.safetensors. */
typedef struct elman_model elman_model;
ELMAN_API elman_status elman_model_load(elman_context *context, const char *folder,
                                        elman_model **model, elman_error *error);
ELMAN_API void elman_model_free(elman_model *model);
ELMAN_API const elman_config_file *elman_model_config(const elman_model *model);
/* The network, for reading and for tapes that do not train: by one thread at a time, since a tape
 * keeps packed weights with the parameters. Sessions share the model freely. */
ELMAN_API elman_network *elman_model_network(const elman_model *model);
/* SHA-256 over the cell, whether it is layer-normalised, and every parameter's name, shape and
 * bytes: 64 hexadecimal digits. */
ELMAN_API const char *elman_model_hash(const elman_model *model);
/* V: tokens are 0..V-1 and logits have V elements. */
ELMAN_API int64_t elman_model_vocabulary(const elman_model *model);

typedef struct elman_session elman_session;

/* Bytes of a session of this model. */
ELMAN_API size_t elman_session_size(const elman_model *model);
/* Makes a session in memory of at least that size, aligned to 64, which the caller keeps until
 * the session is no longer used; there is nothing to end. Its state is zero. The model must
 * outlive it. ARGUMENT: too small or badly aligned. */
ELMAN_API elman_status elman_session_init(const elman_model *model, void *memory, size_t size,
                                          elman_session **session, elman_error *error);
/* The same in memory of the context; ended by elman_session_free. */
ELMAN_API elman_status elman_session_create(elman_context *context, const elman_model *model,
                                            elman_session **session, elman_error *error);
ELMAN_API void elman_session_free(elman_context *context, elman_session *session);

/* Feeds one token; logits [V] of the next one (NULL: not wanted, and not computed).
 * ARGUMENT: a token out of range; the state is as before. */
ELMAN_API elman_status elman_session_step(elman_session *session, int32_t token, float *logits,
                                          elman_error *error);
/* Feeds n tokens, one after the other; logits [V] after the last one (NULL: not wanted). */
ELMAN_API elman_status elman_session_run(elman_session *session, const int32_t *tokens, size_t n,
                                         float *logits, elman_error *error);
/* Back to the zero state. */
ELMAN_API void elman_session_reset(elman_session *session);
/* The state of `from` into `to`, both of the same model (ARGUMENT otherwise). */
ELMAN_API elman_status elman_session_copy(elman_session *to, const elman_session *from,
                                          elman_error *error);
/* The state as bytes, bound to the model's hash. */
ELMAN_API size_t elman_session_state_size(const elman_session *session);
ELMAN_API void elman_session_save(const elman_session *session, void *bytes);
/* FORMAT: not a saved state, cut, or of another model; the state is as before. */
ELMAN_API elman_status elman_session_load(elman_session *session, const void *bytes, size_t size,
                                          elman_error *error);

#ifdef __cplusplus
}
#endif

#endif
