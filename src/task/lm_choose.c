/* What a newcomer need not choose: sizes by the amount of text. */
#include "elman/layer.h"
#include "task/lm_impl.h"

/* A row for texts of up to so many training tokens. The network grows with the text, and the
 * number of epochs shrinks so that the default training takes minutes, not hours. */
typedef struct choice {
    uint64_t tokens;
    int64_t hidden, batch, epochs;
    double dropout;
} choice;

static const choice by_character[] = {
    {20000, 128, 8, 40, 0.2},      {100000, 192, 16, 24, 0.2}, {400000, 256, 32, 14, 0.2},
    {1500000, 256, 32, 9, 0.1},    {6000000, 384, 50, 4, 0.1}, {30000000, 512, 64, 2, 0.0},
    {UINT64_MAX, 512, 64, 1, 0.0},
};

static const choice by_word[] = {
    {20000, 100, 8, 20, 0.3},    {200000, 200, 20, 13, 0.4},    {2000000, 256, 20, 10, 0.3},
    {20000000, 512, 32, 4, 0.2}, {UINT64_MAX, 512, 64, 1, 0.1},
};

void elman_lm_choose(elman_config *config, uint64_t train_tokens, int64_t vocabulary)
{
    const choice *c = config->level == ELMAN_LEVEL_WORD ? by_word : by_character;
    while (train_tokens > c->tokens)
        c++;
    config->vocabulary = vocabulary;
    if (!config->layers)
        config->layers = 2;
    if (!config->hidden)
        config->hidden = config->tied && config->embedding ? config->embedding : c->hidden;
    if (!config->embedding)
        config->embedding = config->hidden;
    if (!config->epochs) /* a limit in steps is met before this many epochs */
        config->epochs = config->max_steps ? INT32_MAX : c->epochs;
    if (config->dropout < 0)
        config->dropout = c->dropout;
    if (!config->bptt)
        config->bptt = config->level == ELMAN_LEVEL_WORD ? 35 : 64;
    if (!config->batch) {
        config->batch = c->batch;
        /* at least a few batches an epoch, so that there is something to learn by */
        while (config->batch > 1 &&
               train_tokens / (uint64_t)config->batch < 4 * (uint64_t)config->bptt)
            config->batch /= 2;
    }
    /* an hour's work is not to hang on an epoch's end */
    int64_t updates =
        (int64_t)(train_tokens / (uint64_t)(config->batch * config->bptt)) / config->accumulate;
    if (!config->checkpoint_every && updates > 5000)
        config->checkpoint_every = 1000;
    if (config->lr < 0) {
        if (config->optimizer == ELMAN_OPTIMIZER_SGD)
            config->lr = config->momentum > 0 ? 0.1 : 1.0;
        else
            config->lr =
                config->cell == ELMAN_CELL_RNN || config->cell == ELMAN_CELL_RNN_RELU ? 1e-3 : 3e-3;
    }
}
