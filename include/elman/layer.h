/* Parameters, and layers made of them: linear, embedding, recurrent, layer normalisation.
 *
 * A layer is a small struct that names parameters of a set; it is made once, passed to its
 * function at every call and needs no end: the set owns what it points to. Parameters have
 * PyTorch's names under the layer's prefix ("rnn" gives rnn.weight_ih_l0) and its layouts; an
 * empty prefix gives the bare names. Values are zero, gains one, until elman_initialise or a
 * file sets them. */
#ifndef ELMAN_LAYER_H
#define ELMAN_LAYER_H

#include "elman/cell.h"
#include "elman/op.h"
#include "elman/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- parameters --------------------------------------------------------------------------- */

/* An ordered set of parameters: the layers of a model add to it in order of first use. */
typedef struct elman_parameters elman_parameters;

/* with_gradients: false for a model that is only run. *set is the caller's, ended by
 * elman_parameters_free (NULL is fine) after every layer and tape that uses it. */
ELMAN_API elman_status elman_parameters_create(elman_context *context, bool with_gradients,
                                               elman_parameters **set, elman_error *error);
ELMAN_API void elman_parameters_free(elman_parameters *set);

/* A parameter that is no layer's own; weights (rank 2 and more) are initialised as a linear
 * layer's, others as its bias. ARGUMENT: the name is empty, too long (127 bytes) or taken. */
ELMAN_API elman_status elman_parameters_add(elman_parameters *set, const char *name, int rank,
                                            const int64_t *shape, elman_parameter **parameter,
                                            elman_error *error);
/* A second place that uses the value of `other`, of this set. Its gradient is its own until
 * elman_parameters_gather adds it. */
ELMAN_API elman_status elman_parameters_tie(elman_parameters *set, const char *name,
                                            elman_parameter *other, elman_parameter **parameter,
                                            elman_error *error);

/* In order of creation, tied places included; NULL out of 0..count-1. */
ELMAN_API int64_t elman_parameters_count(const elman_parameters *set);
ELMAN_API elman_parameter *elman_parameters_at(const elman_parameters *set, int64_t index);
/* By its whole name; NULL where there is none. */
ELMAN_API elman_parameter *elman_parameters_find(const elman_parameters *set, const char *name);
/* Trained numbers in all, frozen ones among them; a tied value counts once. */
ELMAN_API int64_t elman_parameters_elements(const elman_parameters *set);

/* Every gradient becomes zero. Nothing happens in a set without gradients, or to one that is
 * frozen. */
ELMAN_API void elman_parameters_zero_gradients(elman_parameters *set);
/* Adds the gradients of tied places to their owner's, in order of creation, and clears them. */
ELMAN_API void elman_parameters_gather(elman_parameters *set);

/* --- linear ------------------------------------------------------------------------------- */

/* y = x W^T + b; torch.nn.Linear. */
typedef struct elman_linear_layer {
    elman_parameter *weight; /* [outputs, inputs] */
    elman_parameter *bias;   /* [outputs] or NULL */
} elman_linear_layer;

/* tied: NULL, or the parameter [outputs, inputs] whose value the weight shares (an embedding's,
 * Press & Wolf 2017). SHAPE: it has another shape. */
ELMAN_API elman_status elman_linear_create(elman_parameters *set, const char *prefix,
                                           int64_t inputs, int64_t outputs, bool bias,
                                           elman_parameter *tied, elman_linear_layer *layer,
                                           elman_error *error);
/* x [...,inputs] -> [...,outputs]. Of rank 3 the first dimension counts as the steps, else every
 * row is one; this fixes the order in which the weight's gradient is added up. */
ELMAN_API elman_var *elman_linear(elman_tape *tape, const elman_linear_layer *layer, elman_var *x);
/* The same for packed rows [N,inputs]. */
ELMAN_API elman_var *elman_linear_packed(elman_tape *tape, const elman_linear_layer *layer,
                                         elman_var *x, const elman_sequences *sequences);
/* scale * sum over rows of -log softmax(x W^T + b)[target], the logits never stored. A terminal
 * operation: while recording, it must be what backward starts from. *sum (may be NULL) receives
 * the unscaled sum of nats. x [...,inputs], targets one a row as in elman_cross_entropy; rows are
 * packed rows of `sequences`, or, where that is NULL, as elman_linear has them. */
ELMAN_API elman_var *elman_linear_cross_entropy(elman_tape *tape, const elman_linear_layer *layer,
                                                elman_var *x, const elman_sequences *sequences,
                                                const int32_t *targets, float scale, double *sum);

/* --- embedding ---------------------------------------------------------------------------- */

/* torch.nn.Embedding. */
typedef struct elman_embedding_layer {
    elman_parameter *weight; /* [V, E] */
} elman_embedding_layer;

ELMAN_API elman_status elman_embedding_create(elman_parameters *set, const char *prefix,
                                              int64_t rows, int64_t width,
                                              elman_embedding_layer *layer, elman_error *error);
/* tokens [T,B], in the caller's memory until the round ends -> [T,B,E]. DATA: a token outside
 * 0..V-1. */
ELMAN_API elman_var *elman_embedding(elman_tape *tape, const elman_embedding_layer *layer,
                                     const int32_t *tokens, int64_t T, int64_t B);
/* tokens [N] of packed rows -> [N,E]. */
ELMAN_API elman_var *elman_embedding_packed(elman_tape *tape, const elman_embedding_layer *layer,
                                            const int32_t *tokens,
                                            const elman_sequences *sequences);

/* --- layer normalisation ------------------------------------------------------------------ */

/* torch.nn.LayerNorm over the last dimension (Ba et al. 2016), epsilon 1e-5. */
typedef struct elman_layer_norm_layer {
    elman_parameter *weight; /* the gain, [width] */
    elman_parameter *bias;   /* [width] or NULL */
} elman_layer_norm_layer;

ELMAN_API elman_status elman_layer_norm_create(elman_parameters *set, const char *prefix,
                                               int64_t width, bool bias,
                                               elman_layer_norm_layer *layer, elman_error *error);
/* x [...,width], rows as elman_linear has them; sequences NULL, or x is packed rows. */
ELMAN_API elman_var *elman_layer_norm(elman_tape *tape, const elman_layer_norm_layer *layer,
                                      elman_var *x, const elman_sequences *sequences);

/* --- attention over time ------------------------------------------------------------------- */

/* What a sequence says, as a weighted mean of its steps (Yang et al. 2016, "Hierarchical Attention
 * Networks for Document Classification", equations 5 to 7):
 *   u_t = tanh(x_t W^T + b);  a = softmax over t of u_t . context;  y = sum over t of a_t x_t */
typedef struct elman_attention_pool_layer {
    elman_parameter *weight;  /* [A,F] */
    elman_parameter *bias;    /* [A] */
    elman_parameter *context; /* [A] */
} elman_attention_pool_layer;

/* prefix.weight, prefix.bias, prefix.context. width: F, size: A, both at least 1 (SHAPE). The
 * context is initialised as a linear layer's weight of A inputs. */
ELMAN_API elman_status elman_attention_pool_create(elman_parameters *set, const char *prefix,
                                                   int64_t width, int64_t size,
                                                   elman_attention_pool_layer *layer,
                                                   elman_error *error);
/* Packed rows x [N,F] -> [B,F] in the given order; a sequence of length 0 gives a row of +0.
 * *weights (weights may be NULL) receives a [N], a packed row each, to be read; no gradient flows
 * through it. */
ELMAN_API elman_var *elman_attention_pool(elman_tape *tape, const elman_attention_pool_layer *layer,
                                          elman_var *x, const elman_sequences *sequences,
                                          elman_var **weights);

/* --- conditional random field ------------------------------------------------------------- */

/* Linear-chain conditional random field (Lafferty et al. 2001) over K tags; pytorch-crf's names
 * and meaning. A path y of T steps with the emissions e [T,K] has the score
 *   start[y_0] + sum of e[t,y_t] + sum of transitions[y_(t-1),y_t] + end[y_(T-1)]
 * and the probability exp(score) / sum over all paths of exp(score). */
typedef struct elman_crf_layer {
    elman_parameter *transitions; /* [K,K], from row to column */
    elman_parameter *start;       /* [K], start_transitions */
    elman_parameter *end;         /* [K], end_transitions */
} elman_crf_layer;

/* K >= 1 (ARGUMENT). By default U(-0.1,0.1); to other rules the transitions are a weight, start
 * and end a bias. */
ELMAN_API elman_status elman_crf_create(elman_parameters *set, const char *prefix, int64_t K,
                                        elman_crf_layer *layer, elman_error *error);
/* scale * sum over sequences of -log p(tags); a scalar. emissions [N,K] and tags [N] are packed
 * rows, the tags in the caller's memory until the round ends. *sum (may be NULL) receives the
 * unscaled nats. Sequences of length zero count nothing. DATA: a tag outside 0..K-1. Emissions
 * and parameters must be finite: an infinity gives NaN. */
ELMAN_API elman_var *elman_crf_loss(elman_tape *tape, const elman_crf_layer *layer,
                                    elman_var *emissions, const int32_t *tags,
                                    const elman_sequences *sequences, float scale, double *sum);
/* p(y_t = k | emissions), [N,K]; a constant, through which no gradient flows. */
ELMAN_API elman_var *elman_crf_marginals(elman_tape *tape, const elman_crf_layer *layer,
                                         const elman_var *emissions,
                                         const elman_sequences *sequences);

/* The best path of one sequence (Viterbi 1967): emissions [T,K] -> tags [T], in double; among
 * equals the path whose last tag is lowest, then the one before it, and so on. *score (may be
 * NULL) receives its score. memory: elman_crf_decode_size bytes aligned to 64, or NULL: taken
 * from the context and given back. T = 0: a score of 0. MEMORY: it is out. */
ELMAN_API elman_status elman_crf_decode(elman_context *context, const elman_crf_layer *layer,
                                        const float *emissions, int64_t T, int32_t *tags,
                                        double *score, void *memory, elman_error *error);
/* 0 where the size overflows. */
ELMAN_API size_t elman_crf_decode_size(const elman_crf_layer *layer, int64_t T);
/* The same for packed rows [N,K] -> tags [N], on the tape's threads and memory; scores (may be
 * NULL) [B] in the given order. An error is the tape's. */
ELMAN_API void elman_crf_decode_packed(elman_tape *tape, const elman_crf_layer *layer,
                                       const elman_var *emissions, const elman_sequences *sequences,
                                       int32_t *tags, double *scores);

/* --- recurrent ---------------------------------------------------------------------------- */

enum { ELMAN_MAX_LAYERS = 64 };

typedef struct elman_recurrent_options {
    size_t size;           /* sizeof(elman_recurrent_options), set by _default */
    elman_cell cell;       /* default ELMAN_CELL_LSTM */
    int64_t input, hidden; /* I, H >= 1; to be set */
    int layers;            /* 1..ELMAN_MAX_LAYERS; default 1 */
    bool bidirectional;    /* outputs side by side, forward first; default false */
    bool bias;             /* default true */
    bool batch_first;      /* padded x and y are [B,T,..]; default false */
    bool layer_norm;       /* layer-normalised cells (Ba et al. 2016); default false */
    bool learnt_state;     /* the initial state is a parameter where none is given; default false */
    double dropout;        /* on the outputs of every layer but the last; 0..1, default 0 */
    int use;          /* elman_dropout's use of the first of these layers-1 places; default 0 */
    bool residual;    /* from the second layer on, a layer's input is added to its output (He et al.
                       * 2016); default false */
    bool output_norm; /* each layer's output is layer-normalised; default false */
} elman_recurrent_options;

ELMAN_API void elman_recurrent_options_default(elman_recurrent_options *options);

/* A stack: with x_0 the input, R_l layer l's cells and D dropout (which the last layer has not),
 *   x_l+1 = D(N_l(R_l(x_l) + [l >= 1] x_l)),
 * N_l the layer normalisation over directions*H where output_norm is set, the term [l >= 1] x_l
 * where residual is; the first layer's input, whatever its width, is never added. Final states are
 * the cells' own, before all this.
 *
 * torch.nn.RNN, LSTM and GRU: weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, then their
 * _reverse, then (output_norm) norm_l0.weight and norm_l0.bias, [directions*H] each, then l1.
 * Layer-normalised: weight_ih, weight_hh, gain_ih, gain_hh, bias_ih, and for an LSTM gain_cell,
 * bias_cell. Learnt states: h0 and, for an LSTM, c0, [layers*directions, H]. */
typedef struct elman_recurrent_layer {
    elman_recurrent_options options;
    elman_cell_parameters *cells;  /* [layers*directions], the set's; layer by layer */
    elman_parameter *h0, *c0;      /* NULL: not learnt */
    elman_layer_norm_layer *norms; /* [layers], the set's; NULL: no output_norm */
} elman_recurrent_layer;

/* ARGUMENT: an option out of its bounds. */
ELMAN_API elman_status elman_recurrent_create(elman_parameters *set, const char *prefix,
                                              const elman_recurrent_options *options,
                                              elman_recurrent_layer *layer, elman_error *error);

/* What is carried from step to step: [layers*directions, B, H] each, sequences in the given
 * order. c is NULL but for an LSTM. */
typedef struct elman_state {
    elman_var *h, *c;
} elman_state;

/* Runs the layers over whole sequences.
 *   sequences NULL: x [T,B,I] (or [B,T,I] where batch_first), all lengths T
 *   x of rank 3:    padded, the same shapes; what lies beyond a length is not read
 *   x of rank 2:    packed rows [N,I]; sequences is needed
 * Answers y of the same form with directions*H for I; padded rows beyond a length are +0.
 * initial: NULL, or a member NULL: the learnt state, or zero. final (may be NULL, may be initial)
 * receives the state after each sequence's last step (of the reverse direction, its first); a
 * sequence of length zero ends where it began. Only what is read of y and final costs a gradient.
 */
ELMAN_API elman_var *elman_recurrent_forward(elman_tape *tape, const elman_recurrent_layer *layer,
                                             elman_var *x, const elman_sequences *sequences,
                                             const elman_state *initial, elman_state *final);
/* The same, x the embedded tokens [N] of packed rows, read row by row from the table and never
 * stored; y packed. The embedding's width is I. For where nothing stands between the embedding
 * and the first layer. */
ELMAN_API elman_var *elman_recurrent_forward_tokens(elman_tape *tape,
                                                    const elman_recurrent_layer *layer,
                                                    const elman_embedding_layer *embedding,
                                                    const int32_t *tokens,
                                                    const elman_sequences *sequences,
                                                    const elman_state *initial, elman_state *final);

/* All lengths T, as torch.nn.RNN, GRU and LSTM are called: x [T,B,I] -> [T,B,directions*H]; h0
 * (may be NULL) and *hn (hn may be NULL) [layers*directions,B,H]. ARGUMENT: the layer has
 * another cell. */
ELMAN_API elman_var *elman_rnn(elman_tape *tape, const elman_recurrent_layer *layer, elman_var *x,
                               elman_var *h0, elman_var **hn);
ELMAN_API elman_var *elman_gru(elman_tape *tape, const elman_recurrent_layer *layer, elman_var *x,
                               elman_var *h0, elman_var **hn);
ELMAN_API elman_var *elman_lstm(elman_tape *tape, const elman_recurrent_layer *layer, elman_var *x,
                                const elman_state *initial, elman_state *final);

/* --- initialisers ------------------------------------------------------------------------- */

/* Sets every value of the set: first PyTorch's defaults, then the rules of `text` from left to
 * right, each NAME or NAME:VALUE, between commas ("orthogonal,forget-bias:1"); NULL or empty:
 * the defaults alone. "Weights" are those of linear and recurrent layers; a recurrent layer's
 * are taken gate by gate, [H,I] and [H,H]. Gains are 1 and learnt states 0 throughout.
 *
 *   default               linear: U(+-1/sqrt(inputs)); recurrent: U(+-1/sqrt(H)), biases too;
 *                         embedding: N(0,1); normalisation: 1 and 0; CRF: U(-0.1,0.1)
 *   uniform:A             weights, biases and embeddings U(-A,A)
 *   normal:S              weights and embeddings N(0,S^2), biases zero
 *   xavier-uniform[:G]    weights U(+-G sqrt(6/(in+out))), biases zero; G is 1
 *   xavier-normal[:G]     weights N(0, 2G^2/(in+out)), biases zero       (Glorot & Bengio 2010)
 *   kaiming-uniform[:G]   weights U(+-G sqrt(3/in)), biases zero; G is sqrt(2)
 *   kaiming-normal[:G]    weights N(0, G^2/in), biases zero              (He et al. 2015)
 *   orthogonal[:G]        recurrent weights G times an orthogonal matrix (Saxe et al. 2014)
 *   identity[:S]          recurrent weights S times the identity, recurrent layers' biases zero;
 *                         S is 1                                         (Le et al. 2015, IRNN)
 *   forget-bias:V         an LSTM's forget gates begin with the bias V, in bias_ih; their part of
 *                         bias_hh zero                                   (Jozefowicz et al. 2015)
 *   embedding:A           embeddings U(-A,A)
 *   zero-bias             biases zero
 *   zero                  weights, biases and embeddings zero
 *
 * Numbers come from Philox by the seed, the parameter's place in the set and the element, so
 * they are the same for any number of threads. ARGUMENT: an unknown name (the nearest is named), a
 * value missing, unwanted or not finite, or a rule that no parameter of the set obeys; the values
 * are then as before. */
ELMAN_API elman_status elman_initialise(elman_parameters *set, const char *text, uint64_t seed,
                                        elman_error *error);
/* Whether the text would be accepted, but for what the set has. */
ELMAN_API elman_status elman_initialise_check(const char *text, elman_error *error);

#ifdef __cplusplus
}
#endif

#endif
