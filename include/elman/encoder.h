/* The network that reads a sequence and answers for it as a whole, or for each of its steps:
 * what classifying, tagging and forecasting share. */
#ifndef ELMAN_ENCODER_H
#define ELMAN_ENCODER_H

#include "elman/config.h"
#include "elman/layer.h"
#include "elman/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Of config's network group:
 *   x = embedding[word], beside it, where char_hidden > 0, the word composed of its characters:
 *       the last state of a layer that reads them forwards, and of one that reads them backwards
 *       (Ling et al. 2015; Lample et al. 2016); or the given vectors
 *   x = relu(x dense.weight^T + dense.bias)   [N,dense], where dense > 0
 *   y = layers(dropout(x))             [N, D*H], D = 2 where bidirectional; dropout between layers.
 *                                      Vectors that go to the layers as they are have no dropout
 *   z = the pools of y, side by side   [B, pools*D*H]; without a pool y itself
 *   answer = [dropout(z), extras] output.weight^T + output.bias
 * Parameters: embedding.weight [V,E]; char_embedding.weight [C,Ec], char_rnn.*; dense.*; rnn.*;
 * attention.*; output.weight [outputs, .], output.bias. A pool "last" is the forward direction at
 * the last step beside the reverse one at the first. */
typedef struct elman_encoder elman_encoder;

/* One batch. What a pointer shows lives until the tape's round ends. */
typedef struct elman_encoder_batch {
    const elman_sequences *sequences;
    const int32_t *tokens; /* [N] packed; NULL where vectors are read */
    const float *vectors;  /* [N,inputs] packed */
    const float *extras; /* [B,extras], sequences in the given order; read where they are pooled */
    elman_var *extras_var; /* the same where a gradient of them is wanted; NULL: extras are read */
    /* where words are composed of characters: every distinct word of the batch once */
    const elman_sequences *words; /* W sequences of characters */
    const int32_t *characters;    /* [words->N] packed */
    const int32_t *word_rows;     /* [N] packed: which of the W words, -1: none */
} elman_encoder_batch;

/* config: layers, hidden, outputs and either vocabulary or inputs >= 1 (nothing auto). With
 * gradients where `train`. Values are cleared: initialise or load them. ARGUMENT: a value out of
 * bounds. */
ELMAN_API elman_status elman_encoder_create(elman_context *context, const elman_config *config,
                                            bool train, elman_encoder **encoder,
                                            elman_error *error);
ELMAN_API void elman_encoder_free(elman_encoder *encoder);
ELMAN_API elman_parameters *elman_encoder_parameters(elman_encoder *encoder);
ELMAN_API const elman_config *elman_encoder_config(const elman_encoder *encoder);

/* What the layers read, before dropout: [N,I]. */
ELMAN_API elman_var *elman_encoder_inputs(elman_tape *tape, elman_encoder *encoder,
                                          const elman_encoder_batch *batch);
/* inputs NULL: those of the batch. Pooled: [B,outputs], sequences in the given order; without a
 * pool [N,outputs] packed. SHAPE: inputs of another shape. */
ELMAN_API elman_var *elman_encoder_forward(elman_tape *tape, elman_encoder *encoder,
                                           const elman_encoder_batch *batch, elman_var *inputs);

#ifdef __cplusplus
}
#endif

#endif
