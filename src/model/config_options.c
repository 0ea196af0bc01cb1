/* The table over elman_config: the one place where these options stand. */
#include <string.h>

#include "base/error.h"
#include "elman/config.h"
#include "nn/rules.h"

static const char *const levels[] = {"char", "byte", "word", NULL};
static const char *const cells[] = {"rnn", "rnn-relu", "lstm", "gru", NULL};
static const char *const optimizers[] = {"sgd", "adam", "adamw", NULL};
static const char *const reductions[] = {"token", "sequence", NULL};
static const char *const normalisations[] = {"none", "last", "mean", "scale", NULL};
static const char *const losses[] = {"squared", "absolute", "huber", "quantile", "gaussian", NULL};
static const char *const poolings[] = {"last", "mean", "max", "attention", NULL};
static const char *const probes[] = {"adding", "copy", "parity", "linear-recurrence", NULL};
static const char *const schedules[] = {"constant", "step", "cosine", "plateau", NULL};
static const char *const watches[] = {"nothing", "gradients", NULL};
/* those of nn/rules.c */
static const char *const initialisers[] = {
    "default",        "uniform",
    "normal",         "xavier-uniform",
    "xavier-normal",  "kaiming-uniform",
    "kaiming-normal", "orthogonal",
    "identity",       "forget-bias",
    "embedding",      "zero-bias",
    "zero",           NULL,
};

#define AT(field)         .offset = offsetof(elman_config, field)
#define TEXT_AT(field)    AT(field), .capacity = ELMAN_CONFIG_TEXT
#define RECORDED          .recorded = true, .bound = true
#define BOUNDS(low, high) .minimum = (low), .maximum = (high)

/* Bounds are wide enough for any use and narrow enough that sizes do not overflow. */
/* clang-format off */
static const elman_option table[] = {
    {.name = "level", .type = ELMAN_OPTION_CHOICE, .argument = "LEVEL", .group = "data",
     .initial = "char", .choices = levels, AT(level), RECORDED, .tasks = "lm",
     .help = "What a token is: a Unicode character, a byte or a word"},
    {.name = "min-count", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "data",
     .initial = "1", BOUNDS(1, 1e9), AT(min_count), RECORDED, .tasks = "lm classify tag",
     .help = "Words that the training text holds fewer than N times become <unk>"},
    {.name = "valid", .type = ELMAN_OPTION_TEXT, .argument = "FRACTION|FILE", .group = "data",
     .initial = "0.1", TEXT_AT(valid), RECORDED, .tasks = "lm classify tag forecast",
     .help = "What to validate on: this fraction of the data, from its end, or a file"},
    {.name = "split", .type = ELMAN_OPTION_TEXT, .argument = "TRAIN,VALID[,TEST]",
     .group = "data", TEXT_AT(split), RECORDED, .tasks = "classify tag forecast",
     .help = "Rows or examples for each part, in this order, instead of --valid"},
    {.name = "fold-case", .type = ELMAN_OPTION_FLAG, .group = "data", AT(fold_case), RECORDED,
     .tasks = "classify tag",
     .help = "Read words as if they stood in lower case; classify and tag do so by default"},
    {.name = "text", .type = ELMAN_OPTION_TEXT, .argument = "NAME,...", .group = "data",
     TEXT_AT(text), RECORDED, .tasks = "classify",
     .help = "Columns that hold the text; without it the first that is neither label nor number"},
    {.name = "label", .type = ELMAN_OPTION_TEXT, .argument = "NAME", .group = "data",
     TEXT_AT(label), RECORDED, .tasks = "classify tag",
     .help = "The column that holds the label; without it label, else the last"},
    {.name = "features", .type = ELMAN_OPTION_TEXT, .argument = "NAME,...", .group = "data",
     TEXT_AT(features), RECORDED, .tasks = "classify tag",
     .help = "Columns that hold the numbers of a step; without it all the rest"},
    {.name = "sequence-column", .type = ELMAN_OPTION_TEXT, .argument = "NAME", .group = "data",
     TEXT_AT(sequence_column), RECORDED, .tasks = "classify tag",
     .help = "The column that says to which sequence a row belongs: a row is a step"},
    {.name = "step-column", .type = ELMAN_OPTION_TEXT, .argument = "NAME", .group = "data",
     TEXT_AT(step_column), RECORDED, .tasks = "classify tag",
     .help = "The column of numbers that orders the steps of a sequence; it must ascend"},
    {.name = "width", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "data",
     .initial = "0", BOUNDS(0, 1e6), AT(width), RECORDED, .tasks = "classify tag forecast",
     .help = "Numbers a step, where a row is a whole sequence, and of a forecast's window; 0: auto"},
    {.name = "embeddings", .type = ELMAN_OPTION_TEXT, .argument = "FILE", .group = "data",
     TEXT_AT(embeddings), RECORDED, .tasks = "classify tag",
     .help = "Word vectors to begin with, as text: GloVe's or word2vec's"},
    {.name = "freeze-embeddings", .type = ELMAN_OPTION_FLAG, .group = "data",
     AT(freeze_embeddings), RECORDED, .tasks = "classify tag",
     .help = "Leave the vectors of --embeddings as they are"},
    {.name = "target", .type = ELMAN_OPTION_TEXT, .argument = "NAME,...", .group = "data",
     TEXT_AT(target), RECORDED, .tasks = "forecast",
     .help = "Columns to forecast; without it all that hold numbers"},
    {.name = "series-column", .type = ELMAN_OPTION_TEXT, .argument = "NAME", .group = "data",
     TEXT_AT(series_column), RECORDED, .tasks = "forecast",
     .help = "The column that says to which series a row belongs"},
    {.name = "covariates", .type = ELMAN_OPTION_TEXT, .argument = "NAME,...", .group = "data",
     TEXT_AT(covariates), RECORDED, .tasks = "forecast",
     .help = "Columns that are known in advance: holidays, prices, plans"},
    {.name = "calendar", .type = ELMAN_OPTION_FLAG, .group = "data", AT(calendar), RECORDED,
     .tasks = "forecast",
     .help = "Hour, weekday, day and month as further covariates; needs a date column"},
    {.name = "lookback", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "data",
     .initial = "auto", BOUNDS(1, 1e6), AT(lookback), RECORDED, .tasks = "forecast",
     .help = "Rows that a forecast looks at"},
    {.name = "horizon", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "data",
     .initial = "auto", BOUNDS(1, 1e5), AT(horizon), RECORDED, .tasks = "forecast",
     .help = "Rows to forecast"},
    {.name = "season", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "data",
     .initial = "auto", BOUNDS(1, 1e6), AT(season), RECORDED, .tasks = "forecast",
     .help = "Rows after which things come again; for the baselines; auto: from the dates"},
    {.name = "normalise", .type = ELMAN_OPTION_CHOICE, .argument = "HOW", .group = "data",
     .initial = "scale", .choices = normalisations, AT(normalise), RECORDED, .tasks = "forecast",
     .help = "What each window is freed of: its last value, its mean, its mean and its deviation"},
    {.name = "task", .type = ELMAN_OPTION_CHOICE, .argument = "NAME", .group = "data",
     .initial = "adding", .choices = probes, AT(probe), RECORDED, .key = "probe", .tasks = "probe",
     .help = "What the network is asked about a sequence that is made up for it"},
    {.name = "lag", .type = ELMAN_OPTION_TEXT, .argument = "N|N..M", .group = "data",
     .initial = "50", TEXT_AT(lag), RECORDED, .tasks = "probe",
     .help = "Steps over which it must remember; N..M: from N on, growing to M, as the square of the "
             "updates, in the first three quarters of them"},
    {.name = "inputs", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "network",
     .initial = "0", BOUNDS(0, 1e6), AT(inputs), RECORDED, .untyped = true,
     .tasks = "classify tag forecast probe", .help = "Numbers a step; the data say how many"},
    {.name = "extras", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "network",
     .initial = "0", BOUNDS(0, 1e6), AT(extras), RECORDED, .untyped = true, .tasks = "classify",
     .help = "Numbers of a whole sequence beside what the pools say"},
    {.name = "outputs", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "network",
     .initial = "0", BOUNDS(0, 1e6), AT(outputs), RECORDED, .untyped = true,
     .tasks = "classify tag forecast probe",
     .help = "Classes, tags or numbers that are answered; the data say how many"},
    {.name = "characters", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "network",
     .initial = "0", BOUNDS(0, ELMAN_VOCABULARY_LIMIT), AT(characters), RECORDED, .untyped = true,
     .tasks = "classify tag", .help = "Characters of words; the data say how many"},

    {.name = "cell", .type = ELMAN_OPTION_CHOICE, .argument = "CELL", .group = "network",
     .initial = "lstm", .choices = cells, AT(cell), RECORDED,
     .help = "The recurrent layer: Elman's own (tanh or ReLU), LSTM or GRU"},
    {.name = "layers", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "network",
     .initial = "auto", BOUNDS(1, 64), AT(layers), RECORDED,
     .help = "Recurrent layers, one above the other"},
    {.name = "hidden", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "network",
     .initial = "auto", BOUNDS(1, 65536), AT(hidden), RECORDED,
     .help = "Hidden units of each layer"},
    {.name = "embedding", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "network",
     .initial = "auto", BOUNDS(1, 65536), AT(embedding), RECORDED, .tasks = "lm classify tag",
     .help = "Numbers that stand for a token; auto: as many as hidden units"},
    {.name = "dropout", .type = ELMAN_OPTION_REAL, .argument = "P", .group = "network",
     .initial = "auto", BOUNDS(0, 0.99), .automatic = -1, AT(dropout), RECORDED,
     .help = "Probability of dropping a unit between layers and before the output"},
    {.name = "tied", .type = ELMAN_OPTION_FLAG, .group = "network", AT(tied), RECORDED, .tasks = "lm",
     .help = "Use the embedding's weights for the output too; embedding must equal hidden"},
    {.name = "layer-norm", .type = ELMAN_OPTION_FLAG, .group = "network", AT(layer_norm),
     RECORDED,
     .help = "Normalise within the cells (Ba et al. 2016)"},
    {.name = "bidirectional", .type = ELMAN_OPTION_FLAG, .group = "network", AT(bidirectional),
     RECORDED, .tasks = "classify tag forecast",
     .help = "Read from the end too; classify and tag do so by default"},
    {.name = "residual", .type = ELMAN_OPTION_FLAG, .group = "network", AT(residual), RECORDED,
     .tasks = "classify tag forecast",
     .help = "Add a layer's input to its output, from the second layer on"},
    {.name = "output-norm", .type = ELMAN_OPTION_FLAG, .group = "network", AT(output_norm),
     RECORDED, .tasks = "classify tag forecast",
     .help = "Normalise the output of each recurrent layer (Ba et al. 2016)"},
    {.name = "pool", .type = ELMAN_OPTION_TEXT, .argument = "NAME,...", .group = "network",
     .initial = "last", .choices = poolings, TEXT_AT(pool), RECORDED, .tasks = "classify",
     .help = "How the steps become one; several stand side by side; without it max of words, last of "
             "numbers"},
    {.name = "char-hidden", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "network",
     .initial = "0", BOUNDS(0, 65536), AT(char_hidden), RECORDED, .tasks = "classify tag",
     .help = "Units in each direction that compose a word of its characters; 0: none"},
    {.name = "char-embedding", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "network",
     .initial = "25", BOUNDS(1, 65536), AT(char_embedding), RECORDED, .tasks = "classify tag",
     .help = "Numbers that stand for a character of a word"},
    {.name = "crf", .type = ELMAN_OPTION_FLAG, .group = "network", AT(crf), RECORDED,
     .tasks = "tag",
     .help = "Score whole rows of tags by a conditional random field (Lafferty et al. 2001)"},
    {.name = "dense", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "network",
     .initial = "0", BOUNDS(0, 65536), AT(dense), RECORDED, .tasks = "classify tag",
     .help = "ReLU units that read each step before the recurrent layers do; 0: none"},
    {.name = "linear-skip", .type = ELMAN_OPTION_FLAG, .group = "network", AT(linear_skip),
     RECORDED, .tasks = "classify forecast",
     .help = "Something linear beside the network: a map from the window to the forecast (Lai et "
             "al. 2018); how much each word speaks for a label by its counts (Wang & Manning "
             "2012)"},
    {.name = "shared", .type = ELMAN_OPTION_FLAG, .group = "network", AT(shared), RECORDED,
     .tasks = "forecast",
     .help = "Read each column by itself, all with the same weights"},
    {.name = "stepwise", .type = ELMAN_OPTION_FLAG, .group = "network", AT(stepwise), RECORDED,
     .tasks = "forecast",
     .help = "Forecast one row at a time, and read it before the next; otherwise all at once"},
    {.name = "quantiles", .type = ELMAN_OPTION_TEXT, .argument = "P,...", .group = "network",
     TEXT_AT(quantiles), RECORDED, .tasks = "forecast",
     .help = "Quantiles to forecast beside the point, such as 0.1,0.9"},
    {.name = "init", .type = ELMAN_OPTION_TEXT, .argument = "NAME[:VALUE],...", .group = "network",
     .choices = initialisers, TEXT_AT(init), RECORDED,
     .help = "Initial weights, such as orthogonal,forget-bias:1; without it as in PyTorch"},
    {.name = "vocabulary", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "network",
     .initial = "0", BOUNDS(0, ELMAN_VOCABULARY_LIMIT), AT(vocabulary), RECORDED, .untyped = true,
     .help = "Tokens; the data say how many"},

    {.name = "batch", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "training",
     .initial = "auto", BOUNDS(1, 65536), AT(batch), RECORDED,
     .help = "Sequences that are read side by side"},
    {.name = "bptt", .type = ELMAN_OPTION_INTEGER, .argument = "K", .group = "training",
     .initial = "auto", BOUNDS(1, 1048576), AT(bptt), RECORDED, .tasks = "lm",
     .help = "Tokens through which the gradient flows back; the state is carried further"},
    {.name = "epochs", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "training",
     .initial = "auto", BOUNDS(1, 2147483647), AT(epochs), RECORDED,
     .help = "Times to read the whole training part"},
    {.name = "max-steps", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "training",
     .initial = "0", BOUNDS(0, 1e12), AT(max_steps), RECORDED,
     .help = "Stop after so many updates; 0: no limit"},
    {.name = "accumulate", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "training",
     .initial = "1", BOUNDS(1, 65536), AT(accumulate), RECORDED,
     .help = "Batches whose gradients are added before an update"},
    {.name = "optimizer", .type = ELMAN_OPTION_CHOICE, .argument = "NAME", .group = "training",
     .initial = "adam", .choices = optimizers, AT(optimizer), RECORDED,
     .help = "How a gradient becomes an update"},
    {.name = "lr", .type = ELMAN_OPTION_REAL, .argument = "RATE", .group = "training",
     .initial = "auto", BOUNDS(1e-12, 1000), .automatic = -1, AT(lr), RECORDED,
     .help = "Learning rate"},
    {.name = "momentum", .type = ELMAN_OPTION_REAL, .argument = "M", .group = "training",
     .initial = "0", BOUNDS(0, 0.99999), AT(momentum), RECORDED,
     .help = "Momentum of sgd"},
    {.name = "nesterov", .type = ELMAN_OPTION_FLAG, .group = "training", AT(nesterov),
     RECORDED,
     .help = "Nesterov's momentum, of sgd"},
    {.name = "weight-decay", .type = ELMAN_OPTION_REAL, .argument = "W", .group = "training",
     .initial = "0", BOUNDS(0, 100), AT(weight_decay), RECORDED,
     .help = "Decoupled weight decay; biases and gains are left alone"},
    {.name = "clip", .type = ELMAN_OPTION_REAL, .argument = "NORM", .group = "training",
     .initial = "5", BOUNDS(0, 1e9), AT(clip), RECORDED,
     .help = "Scale a gradient down to this norm; 0: never"},
    {.name = "clip-value", .type = ELMAN_OPTION_REAL, .argument = "V", .group = "training",
     .initial = "0", BOUNDS(0, 1e9), AT(clip_value), RECORDED,
     .help = "Limit each element of the gradient to -V..V; 0: no limit"},
    {.name = "reduction", .type = ELMAN_OPTION_CHOICE, .argument = "HOW", .group = "training",
     .initial = "token", .choices = reductions, AT(reduction), RECORDED, .tasks = "lm",
     .help = "The loss: its mean over tokens, or its sum over time and mean over the batch"},
    {.name = "loss", .type = ELMAN_OPTION_CHOICE, .argument = "NAME", .group = "training",
     .initial = "squared", .choices = losses, AT(loss), RECORDED, .tasks = "forecast",
     .help = "What a wrong forecast costs"},
    {.name = "word-dropout", .type = ELMAN_OPTION_REAL, .argument = "P", .group = "training",
     .initial = "0", BOUNDS(0, 0.99), AT(word_dropout), RECORDED, .tasks = "classify tag",
     .help = "Probability that training reads <unk> in place of a word"},
    {.name = "noise", .type = ELMAN_OPTION_REAL, .argument = "DEVIATION", .group = "training",
     .initial = "0", BOUNDS(0, 1e6), AT(noise), RECORDED, .tasks = "classify tag",
     .help = "Training adds noise of this deviation to the numbers, which are standardised"},
    {.name = "label-smoothing", .type = ELMAN_OPTION_REAL, .argument = "P", .group = "training",
     .initial = "0", BOUNDS(0, 0.99), AT(label_smoothing), RECORDED, .tasks = "classify tag",
     .help = "Share of each target that is spread over all classes"},
    {.name = "balance", .type = ELMAN_OPTION_FLAG, .group = "training", AT(balance), RECORDED,
     .tasks = "classify tag",
     .help = "Weigh classes as if each were as frequent as the others"},
    {.name = "calibrate", .type = ELMAN_OPTION_FLAG, .group = "training", AT(calibrate), RECORDED,
     .tasks = "classify",
     .help = "Fit a temperature on the validation part, so that 0.95 means 95 % (Guo et al. 2017)"},
    {.name = "average", .type = ELMAN_OPTION_REAL, .argument = "DECAY", .group = "training",
     .initial = "0", BOUNDS(0, 0.999999), AT(average), RECORDED,
     .help = "Keep a moving average of the weights, with this decay an update; 0: the weights"},
    {.name = "schedule", .type = ELMAN_OPTION_TEXT, .argument = "NAME[:VALUE:VALUE]",
     .group = "training", .initial = "cosine", .choices = schedules, TEXT_AT(schedule),
     RECORDED,
     .help = "How the rate falls: constant, step:FACTOR:AFTER (times FACTOR at each epoch after "
             "the AFTER-th), cosine or plateau[:FACTOR[:PATIENCE]]"},
    {.name = "warmup", .type = ELMAN_OPTION_INTEGER, .argument = "STEPS", .group = "training",
     .initial = "0", BOUNDS(0, 1e9), AT(warmup), RECORDED,
     .help = "Steps in which the rate rises from zero"},
    {.name = "patience", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "training",
     .initial = "0", BOUNDS(0, 1e6), AT(patience), RECORDED,
     .help = "Stop after N validations without a better one; 0: never"},
    {.name = "eval-every", .type = ELMAN_OPTION_INTEGER, .argument = "STEPS", .group = "training",
     .initial = "0", BOUNDS(0, 1e12), AT(eval_every), RECORDED,
     .help = "Steps between validations; 0: at the end of each epoch"},
    {.name = "stop-at", .type = ELMAN_OPTION_REAL, .argument = "VALUE", .group = "training",
     .initial = "auto", BOUNDS(0, 1), .automatic = -1, AT(stop_at), RECORDED, .tasks = "probe",
     .help = "Stop once the accuracy or r2 of a validation is no less than this; auto: where the "
             "task counts as solved; 0: never"},
    {.name = "seed", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "training",
     .initial = "0", BOUNDS(0, 9007199254740991.0), AT(seed), RECORDED,
     .help = "What all random numbers come from"},

    {.name = "threads", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "run",
     .initial = "auto", BOUNDS(1, 256), AT(threads),
     .help = "Threads; the result does not depend on them; auto: ELMAN_THREADS, or all processors"},
    {.name = "checkpoint-every", .type = ELMAN_OPTION_INTEGER, .argument = "STEPS", .group = "run",
     .initial = "0", BOUNDS(0, 1e12), AT(checkpoint_every), .recorded = true,
     .help = "Steps between checkpoints; 0: at each validation"},
    {.name = "watch", .type = ELMAN_OPTION_CHOICE, .argument = "WHAT", .group = "run",
     .initial = "nothing", .choices = watches, AT(watch), .recorded = true,
     .help = "What to measure while training, every 100 updates, into metrics.jsonl; no bit of the "
             "result changes"},
};
/* clang-format on */

const elman_option_table *elman_config_options(void)
{
    static const elman_option_table all = {table, sizeof(table) / sizeof(table[0])};
    return &all;
}

/* Defaults that a task has of its own. */
static const struct {
    const char *task, *option, *initial;
} initials[] = {
    {"classify", "level", "word"},
    {"classify", "fold-case", "true"},
    {"classify", "bidirectional", "true"},
    {"classify", "pool", ""},
    {"classify", "weight-decay", "0.1"},
    {"classify", "label-smoothing", "0.1"},
    {"classify", "average", "0.995"},
    {"classify", "min-count", "2"},
    {"tag", "bidirectional", "true"},
    {"tag", "char-hidden", "50"},
    {"tag", "level", "word"},
    {"tag", "fold-case", "true"},
    {"tag", "min-count", "2"},
    {"tag", "char-embedding", "50"},
    {"tag", "word-dropout", "0.2"},
    {"tag", "average", "0.99"},
    {"tag", "residual", "true"},
    {"tag", "output-norm", "true"},
    {"forecast", "shared", "true"},
    {"forecast", "linear-skip", "true"},
    {"forecast", "cell", "gru"},
    {"forecast", "loss", "huber"},
    {"forecast", "clip", "1"},
    {"probe", "schedule", "constant"},
    {"probe", "clip", "1"},
};

const char *elman_config_initial(const elman_option *option, const char *task)
{
    for (size_t i = 0; task != NULL && i < sizeof(initials) / sizeof(initials[0]); i++)
        if (strcmp(initials[i].task, task) == 0 && strcmp(initials[i].option, option->name) == 0)
            return initials[i].initial;
    return option->initial;
}

void elman_config_default(elman_config *config)
{
    elman_config_default_for(config, NULL);
}

void elman_config_default_for(elman_config *config, const char *task)
{
    memset(config, 0, sizeof(*config));
    config->size = sizeof(*config);
    elman_options_default(elman_config_options(), config);
    for (size_t i = 0; task != NULL && i < sizeof(initials) / sizeof(initials[0]); i++)
        if (strcmp(initials[i].task, task) == 0)
            (void)elman_options_set(elman_options_find(elman_config_options(), initials[i].option),
                                    config, initials[i].initial, initials[i].option, NULL);
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
