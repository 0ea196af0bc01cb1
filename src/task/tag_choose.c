/* What a newcomer need not choose for tagging: sizes by the amount of data. */
#include "task/tag_impl.h"

/* A row for data of up to so many training steps. */
typedef struct choice {
    int64_t steps, hidden, batch, epochs;
    double dropout;
} choice;

static const choice by_words[] = {
    {5000, 100, 8, 30, 0.33},
    {100000, 200, 16, 15, 0.33},
    {1000000, 256, 32, 10, 0.33},
    {INT64_MAX, 256, 32, 5, 0.3},
};

static const choice by_vectors[] = {
    {20000, 64, 16, 40, 0.2},
    {1000000, 128, 32, 20, 0.2},
    {INT64_MAX, 128, 32, 8, 0.1},
};

void elman_tag_choose(elman_config *config, int64_t steps)
{
    const choice *c = config->vocabulary ? by_words : by_vectors;
    while (steps > c->steps)
        c++;
    if (!config->layers)
        config->layers = config->vocabulary ? 2 : 1;
    if (!config->hidden)
        config->hidden = c->hidden;
    if (!config->embedding && config->vocabulary)
        config->embedding = 100;
    if (!config->epochs) /* a limit in steps is met before this many epochs */
        config->epochs = config->max_steps ? INT32_MAX : c->epochs;
    if (config->dropout < 0)
        config->dropout = c->dropout;
    if (!config->batch)
        config->batch = c->batch;
    if (config->lr < 0)
        config->lr = config->optimizer == ELMAN_OPTIMIZER_SGD ? 0.1 : 5e-3;
}
