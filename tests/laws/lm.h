/* A small language model for the tests of the laws: its network, its batches, a training step. */
#ifndef LAWS_LM_H
#define LAWS_LM_H

#include <sys/stat.h>
#include <unistd.h>

#include "elman/model.h"
#include "elman/optimizer.h"
#include "elman/version.h"
#include "laws.h"

enum { LM_T = 9, LM_B = 14, LM_STEPS = 3 };

static inline elman_config lm_config(elman_cell cell, int64_t vocabulary)
{
    elman_config c;
    elman_config_default(&c);
    c.cell = (int)cell;
    c.layers = 2;
    c.hidden = 70;
    c.embedding = 21;
    c.dropout = 0.25;
    c.vocabulary = vocabulary;
    c.seed = 5;
    return c;
}

static inline elman_network *lm_network(elman_context *context, const elman_config *config,
                                        bool train)
{
    elman_network *network;
    elman_error error;
    if (elman_network_create(context, config, train, &network, &error) != ELMAN_OK ||
        elman_network_initialise(network, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    return network;
}

/* Tokens and their successors of N rows. */
static inline void lm_fill(const elman_config *config, int64_t N, uint64_t seed, int32_t *tokens,
                           int32_t *targets)
{
    uint64_t random = seed;
    for (int64_t i = 0; i < N; i++) {
        tokens[i] = (int32_t)(law_word(&random) % (uint32_t)config->vocabulary);
        targets[i] = (int32_t)((tokens[i] * 5 + 3) % config->vocabulary);
    }
}

typedef struct lm_trainer {
    elman_network *network;
    elman_optimizer *optimizer;
    elman_tape *tape;
    float *h, *c; /* carried */
    int step;
    double sum; /* nats of the last step */
    float loss;
} lm_trainer;

static inline lm_trainer lm_trainer_begin(elman_context *context, const elman_config *config)
{
    lm_trainer t = {.network = lm_network(context, config, true)};
    elman_optimizer_options options;
    elman_optimizer_options_default(&options);
    options.clip = 0.5;
    options.weight_decay = 0.01;
    assert_int_equal(elman_optimizer_create(context, elman_network_parameters(t.network), &options,
                                            &t.optimizer, NULL),
                     ELMAN_OK);
    assert_int_equal(elman_tape_create(context, &t.tape, NULL), ELMAN_OK);
    size_t state = (size_t)(config->layers * LM_B * config->hidden);
    t.h = law_zeros(state);
    t.c = law_zeros(state);
    return t;
}

/* One step; ragged: with lengths, one of them zero, else the state is carried. */
static inline void lm_train_step(lm_trainer *t, bool ragged)
{
    static const int64_t lengths[LM_B] = {9, 4, 0, 9, 7, 7, 1, 3, 9, 5, 2, 8, 6, 4};
    const elman_config *config = elman_network_config(t->network);
    elman_tape_mode mode;
    elman_tape_mode_default(&mode);
    mode.train = true;
    mode.seed = 9;
    elman_tape_begin(t->tape, &mode);
    const elman_sequences *s = elman_tape_sequences(t->tape, LM_T, LM_B, ragged ? lengths : NULL,
                                                    NULL, (uint32_t)(t->step * LM_T));
    int32_t tokens[LM_T * LM_B], targets[LM_T * LM_B];
    lm_fill(config, s->N, (uint64_t)t->step++, tokens, targets);
    elman_network_state state = {t->h, config->cell == ELMAN_CELL_LSTM ? t->c : NULL, LM_B};
    elman_var *loss =
        elman_network_loss(t->tape, t->network, tokens, targets, s, ragged ? NULL : &state,
                           ragged ? NULL : &state, 1.0F / (float)s->N, &t->sum);
    elman_error error;
    if (elman_tape_backward(t->tape, loss, &error) != ELMAN_OK ||
        elman_optimizer_step(t->optimizer, 0.01, NULL, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    t->loss = elman_var_value(loss)->data[0];
    elman_tape_begin(t->tape, NULL); /* the tape's blocks become one, as in the training loop */
}

static inline void lm_trainer_end(lm_trainer *t)
{
    elman_tape_free(t->tape);
    elman_optimizer_free(t->optimizer);
    elman_network_free(t->network);
    free(t->h);
    free(t->c);
}

/* The network as a model's folder, loaded again. */
static inline elman_model *lm_model(elman_context *context, const elman_config *config)
{
    char folder[] = "/tmp/elman-laws-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    elman_network *network = lm_network(context, config, false);
    elman_config_file file;
    elman_config_file_default(&file);
    memcpy(file.task, "lm", sizeof "lm");
    file.config = *config;
    file.numerics_version = ELMAN_NUMERICS_VERSION;
    elman_model *model = NULL;
    elman_error error;
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    elman_status status = elman_network_write(context, network, path, &error);
    char other[64];
    snprintf(other, sizeof other, "%s/config.json", folder);
    if (status == ELMAN_OK)
        status = elman_config_file_write(context, other, &file, &error);
    if (status == ELMAN_OK)
        status = elman_model_load(context, folder, &model, &error);
    unlink(path);
    unlink(other);
    rmdir(folder);
    elman_network_free(network);
    if (status != ELMAN_OK)
        fail_msg("%s", error.message);
    return model;
}

#endif
