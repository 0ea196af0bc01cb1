/* What training and answering share of the language-model task. */
#ifndef ELMAN_TASK_LM_IMPL_H
#define ELMAN_TASK_LM_IMPL_H

#include "elman/model.h"
#include "elman/task.h"
#include "elman/text.h"
#include "train/objective.h"

struct elman_lm {
    elman_context *context;
    elman_model *model;
    elman_vocabulary *vocabulary;
};

/* Which tokens of a text are for what. */
typedef struct elman_lm_split {
    uint64_t train_end;              /* training: [0, train_end) */
    uint64_t valid_first, valid_end; /* validation; empty: none */
} elman_lm_split;

/* Splits by config.valid: a fraction of the end, or where `train_count` files end. */
elman_status elman_lm_split_text(const elman_text *text, const elman_config *config,
                                 int64_t train_count, elman_lm_split *split, elman_error *error);

/* Whether config.valid names a file: it is no number. ARGUMENT: a number outside [0, 0.9]. */
elman_status elman_lm_valid_kind(const elman_config *config, bool *is_file, double *fraction,
                                 elman_error *error);

/* Where a language model's gradient is followed: stretches of the first `tokens` tokens of a text.
 */
typedef struct elman_lm_flow {
    elman_context *context;
    elman_text *text;
    const elman_vocabulary *vocabulary;
    elman_network *network;
    uint64_t tokens;
    int32_t *ids; /* its own, for stretches */
    size_t room;
    int64_t stretch; /* the length of the stretch whose tokens stand in ids; 0: something else */
    elman_network_state state; /* between the pieces of a stretch */
} elman_lm_flow;
void elman_lm_flow_free(elman_lm_flow *flow);
/* An objective's flow: the loss of one token at the end of each stretch, which begins from the
 * state that the text before it leaves. */
elman_status elman_lm_flow_record(elman_lm_flow *flow, elman_tape *tape,
                                  const elman_flow_wish *wish, elman_flow_batch *batch,
                                  elman_error *error);

/* An objective's stretch and longest: a few streams, spread over the text. */
elman_status elman_lm_flow_stretch(elman_lm_flow *flow, elman_tape *tape,
                                   const elman_stretch *stretch, elman_var **loss,
                                   elman_error *error);
int64_t elman_lm_flow_longest(const elman_lm_flow *flow);
/* Steps that one sample of a flow takes where no lags are asked for. */
int64_t elman_lm_flow_steps(const elman_lm_flow *flow);

/* Opens the files that config.json names, training then validation. An error says where the
 * path comes from; DATA: a file is not the one that was recorded. */
elman_status elman_lm_open_recorded(elman_context *context, const elman_config_file *file,
                                    elman_text **text, elman_error *error);

/* Chooses what is auto in config for a text of that many training tokens. */
void elman_lm_choose(elman_config *config, uint64_t train_tokens, int64_t vocabulary);

/* The loss of tokens [first+1, end) of a text, each predicted from all before it from `first`
 * on: one stream from the zero state, dropout off, summed in double. *count predictions.
 * stop (may be NULL): INTERRUPTED once it is not 0. */
elman_status elman_lm_measure(elman_context *context, elman_tape *tape, elman_network *network,
                              elman_text *text, const elman_vocabulary *vocabulary, uint64_t first,
                              uint64_t end, const volatile sig_atomic_t *stop, double *loss,
                              uint64_t *count, elman_error *error);

/* The states h, c [layers,B,hidden] of a network of this configuration, cleared, as one block
 * that elman_release frees by state->h. */
elman_status elman_lm_state_create(elman_context *context, const elman_config *config, int64_t B,
                                   elman_network_state *state, elman_error *error);
size_t elman_lm_state_floats(const elman_config *config, int64_t B);

#endif
