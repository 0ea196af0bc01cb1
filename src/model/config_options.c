/* The table over elman_config: the one place where these options stand. */
#include <string.h>

#include "base/error.h"
#include "elman/config.h"
#include "nn/rules.h"

static const char *const levels[] = {"char", "byte", "word", NULL};
static const char *const cells[] = {"rnn", "rnn-relu", "lstm", "gru", NULL};
static const char *const optimizers[] = {"sgd", "adam", "adamw", NULL};
static const char *const reductions[] = {"token", "sequence", NULL};
static const char *const schedules[] = {"constant", "step", "cosine", "plateau", NULL};
/* those of nn/rules.c */
static const char *const initialisers[] = {
    "default",         "uniform",        "normal",     "xavier-uniform", "xavier-normal",
    "kaiming-uniform", "kaiming-normal", "orthogonal", "identity",       "forget-bias",
    "zero-bias",       "zero",           NULL,
};

#define AT(field)         .offset = offsetof(elman_config, field)
#define TEXT_AT(field)    AT(field), .capacity = ELMAN_CONFIG_TEXT
#define BOUNDS(low, high) .minimum = (low), .maximum = (high)

/* Bounds are wide enough for any use and narrow enough that sizes do not overflow. */
/* clang-format off */
static const elman_option table[] = {
    {.name = "level", .type = ELMAN_OPTION_CHOICE, .argument = "LEVEL", .group = "data",
     .initial = "char", .choices = levels, AT(level), .recorded = true, .bound = true,
     .help = "What a token is: a Unicode character, a byte or a word"},
    {.name = "min-count", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "data",
     .initial = "1", BOUNDS(1, 1e9), AT(min_count), .recorded = true, .bound = true,
     .help = "Words that the training text holds fewer than N times become <unk>"},
    {.name = "valid", .type = ELMAN_OPTION_TEXT, .argument = "FRACTION|FILE", .group = "data",
     .initial = "0.1", TEXT_AT(valid), .recorded = true, .bound = true,
     .help = "What to validate on: this fraction of the text, from its end, or a file"},

    {.name = "cell", .type = ELMAN_OPTION_CHOICE, .argument = "CELL", .group = "network",
     .initial = "lstm", .choices = cells, AT(cell), .recorded = true, .bound = true,
     .help = "The recurrent layer: Elman's own (tanh or ReLU), LSTM or GRU"},
    {.name = "layers", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "network",
     .initial = "auto", BOUNDS(1, 64), AT(layers), .recorded = true, .bound = true,
     .help = "Recurrent layers, one above the other"},
    {.name = "hidden", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "network",
     .initial = "auto", BOUNDS(1, 65536), AT(hidden), .recorded = true, .bound = true,
     .help = "Hidden units of each layer"},
    {.name = "embedding", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "network",
     .initial = "auto", BOUNDS(1, 65536), AT(embedding), .recorded = true, .bound = true,
     .help = "Numbers that stand for a token; auto: as many as hidden units"},
    {.name = "dropout", .type = ELMAN_OPTION_REAL, .argument = "P", .group = "network",
     .initial = "auto", BOUNDS(0, 0.99), .automatic = -1, AT(dropout), .recorded = true,
     .bound = true,
     .help = "Probability of dropping a unit between layers and before the output"},
    {.name = "tied", .type = ELMAN_OPTION_FLAG, .group = "network", AT(tied), .recorded = true,
     .bound = true,
     .help = "Use the embedding's weights for the output too; embedding must equal hidden"},
    {.name = "layer-norm", .type = ELMAN_OPTION_FLAG, .group = "network", AT(layer_norm),
     .recorded = true, .bound = true,
     .help = "Normalise within the cells (Ba et al. 2016)"},
    {.name = "init", .type = ELMAN_OPTION_TEXT, .argument = "NAME[:VALUE],...", .group = "network",
     .choices = initialisers, TEXT_AT(init), .recorded = true, .bound = true,
     .help = "Initial weights, such as orthogonal,forget-bias:1; without it as in PyTorch"},
    {.name = "vocabulary", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "network",
     .initial = "0", BOUNDS(0, ELMAN_VOCABULARY_LIMIT), AT(vocabulary), .recorded = true,
     .bound = true, .untyped = true,
     .help = "Tokens; the data say how many"},

    {.name = "batch", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "training",
     .initial = "auto", BOUNDS(1, 65536), AT(batch), .recorded = true, .bound = true,
     .help = "Places in the text that are read side by side"},
    {.name = "bptt", .type = ELMAN_OPTION_INTEGER, .argument = "K", .group = "training",
     .initial = "auto", BOUNDS(1, 1048576), AT(bptt), .recorded = true, .bound = true,
     .help = "Tokens through which the gradient flows back; the state is carried further"},
    {.name = "epochs", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "training",
     .initial = "auto", BOUNDS(1, 2147483647), AT(epochs), .recorded = true, .bound = true,
     .help = "Times to read the whole text"},
    {.name = "max-steps", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "training",
     .initial = "0", BOUNDS(0, 1e12), AT(max_steps), .recorded = true, .bound = true,
     .help = "Stop after so many updates; 0: no limit"},
    {.name = "accumulate", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "training",
     .initial = "1", BOUNDS(1, 65536), AT(accumulate), .recorded = true, .bound = true,
     .help = "Batches whose gradients are added before an update"},
    {.name = "optimizer", .type = ELMAN_OPTION_CHOICE, .argument = "NAME", .group = "training",
     .initial = "adam", .choices = optimizers, AT(optimizer), .recorded = true, .bound = true,
     .help = "How a gradient becomes an update"},
    {.name = "lr", .type = ELMAN_OPTION_REAL, .argument = "RATE", .group = "training",
     .initial = "auto", BOUNDS(1e-12, 1000), .automatic = -1, AT(lr), .recorded = true,
     .bound = true,
     .help = "Learning rate"},
    {.name = "momentum", .type = ELMAN_OPTION_REAL, .argument = "M", .group = "training",
     .initial = "0", BOUNDS(0, 0.99999), AT(momentum), .recorded = true, .bound = true,
     .help = "Momentum of sgd"},
    {.name = "nesterov", .type = ELMAN_OPTION_FLAG, .group = "training", AT(nesterov),
     .recorded = true, .bound = true,
     .help = "Nesterov's momentum, of sgd"},
    {.name = "weight-decay", .type = ELMAN_OPTION_REAL, .argument = "W", .group = "training",
     .initial = "0", BOUNDS(0, 100), AT(weight_decay), .recorded = true, .bound = true,
     .help = "Decoupled weight decay; biases and gains are left alone"},
    {.name = "clip", .type = ELMAN_OPTION_REAL, .argument = "NORM", .group = "training",
     .initial = "5", BOUNDS(0, 1e9), AT(clip), .recorded = true, .bound = true,
     .help = "Scale a gradient down to this norm; 0: never"},
    {.name = "clip-value", .type = ELMAN_OPTION_REAL, .argument = "V", .group = "training",
     .initial = "0", BOUNDS(0, 1e9), AT(clip_value), .recorded = true, .bound = true,
     .help = "Limit each element of the gradient to -V..V; 0: no limit"},
    {.name = "reduction", .type = ELMAN_OPTION_CHOICE, .argument = "HOW", .group = "training",
     .initial = "token", .choices = reductions, AT(reduction), .recorded = true, .bound = true,
     .help = "The loss: its mean over tokens, or its sum over time and mean over the batch"},
    {.name = "schedule", .type = ELMAN_OPTION_TEXT, .argument = "NAME[:VALUE:VALUE]",
     .group = "training", .initial = "cosine", .choices = schedules, TEXT_AT(schedule),
     .recorded = true, .bound = true,
     .help = "How the rate falls: constant, step:FACTOR:AFTER (times FACTOR at each epoch after "
             "the AFTER-th), cosine or plateau[:FACTOR[:PATIENCE]]"},
    {.name = "warmup", .type = ELMAN_OPTION_INTEGER, .argument = "STEPS", .group = "training",
     .initial = "0", BOUNDS(0, 1e9), AT(warmup), .recorded = true, .bound = true,
     .help = "Steps in which the rate rises from zero"},
    {.name = "patience", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "training",
     .initial = "0", BOUNDS(0, 1e6), AT(patience), .recorded = true, .bound = true,
     .help = "Stop after N validations without a better one; 0: never"},
    {.name = "eval-every", .type = ELMAN_OPTION_INTEGER, .argument = "STEPS", .group = "training",
     .initial = "0", BOUNDS(0, 1e12), AT(eval_every), .recorded = true, .bound = true,
     .help = "Steps between validations; 0: at the end of each epoch"},
    {.name = "seed", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "training",
     .initial = "0", BOUNDS(0, 9007199254740991.0), AT(seed), .recorded = true, .bound = true,
     .help = "What all random numbers come from"},

    {.name = "threads", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "run",
     .initial = "auto", BOUNDS(1, 256), AT(threads),
     .help = "Threads; the result does not depend on them; auto: ELMAN_THREADS, or all processors"},
    {.name = "checkpoint-every", .type = ELMAN_OPTION_INTEGER, .argument = "STEPS", .group = "run",
     .initial = "0", BOUNDS(0, 1e12), AT(checkpoint_every), .recorded = true,
     .help = "Steps between checkpoints; 0: at each validation"},
};
/* clang-format on */

const elman_option_table *elman_config_options(void)
{
    static const elman_option_table all = {table, sizeof(table) / sizeof(table[0])};
    return &all;
}

void elman_config_default(elman_config *config)
{
    memset(config, 0, sizeof(*config));
    config->size = sizeof(*config);
    elman_options_default(elman_config_options(), config);
}

elman_status elman_config_validate(const elman_config *config, elman_error *error)
{
    if (config->size != sizeof(*config))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "elman_config: found size %zu, expected %zu as elman_config_default "
                          "sets it",
                          config->size, sizeof(*config));
    ELMAN_TRY(elman_options_validate(elman_config_options(), config, error));
    elman_rules rules;
    ELMAN_TRY(elman_rules_parse(config->init, &rules, error));
    if (config->tied && config->embedding != 0 && config->hidden != 0 &&
        config->embedding != config->hidden)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "tied: found embedding %lld and hidden %lld, expected them equal",
                          (long long)config->embedding, (long long)config->hidden);
    bool sgd = config->optimizer == ELMAN_OPTIMIZER_SGD;
    if (!sgd && config->momentum != 0)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "momentum: belongs to optimizer sgd, found %s",
                          optimizers[config->optimizer]);
    if (config->nesterov && (!sgd || config->momentum == 0))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "nesterov: expected optimizer sgd with a momentum above 0");
    if (config->min_count > 1 && config->level != ELMAN_LEVEL_WORD)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "min-count: belongs to level word, found level %s",
                          levels[config->level]);
    return ELMAN_OK;
}
