/* Whole training steps of a language model. Random tokens; the state is carried as in training.
 *
 *   bench_training    the tokens a second of four shapes
 *   bench_training CELL LAYERS EMBEDDING HIDDEN BATCH STEPS VOCABULARY sgd|adam DROPOUT
 *                     one shape on demand: for each line "N" on standard input it makes N steps
 *                     and answers the seconds that they took and the peak memory in KiB;
 *                     bench/compare_training.py asks it and PyTorch in turn
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "elman/elman.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct bench {
    elman_context *context;
    elman_network *network;
    elman_optimizer *optimizer;
    elman_tape *tape;
    elman_network_state state;
    int32_t *tokens; /* [(T+1)*B] */
    int64_t T, B, V;
    double rate;
    uint64_t position;
} bench;

static elman_status step(bench *b, elman_error *error)
{
    elman_tape_mode mode;
    elman_tape_mode_default(&mode);
    mode.train = true;
    elman_tape_begin(b->tape, &mode);
    const elman_sequences *sequences =
        elman_tape_sequences(b->tape, b->T, b->B, NULL, NULL, (uint32_t)b->position);
    b->position += (uint64_t)b->T;
    elman_var *loss =
        elman_network_loss(b->tape, b->network, b->tokens, b->tokens + b->B, sequences, &b->state,
                           &b->state, 1.0F / (float)(b->T * b->B), NULL);
    elman_status status = elman_tape_backward(b->tape, loss, error);
    return status == ELMAN_OK ? elman_optimizer_step(b->optimizer, b->rate, NULL, error) : status;
}

/* values: CELL … DROPOUT. */
static elman_status open_bench(bench *b, char *const *values, elman_error *error)
{
    static const char *const cells[] = {"rnn", "rnn-relu", "lstm", "gru"};
    elman_config config;
    elman_config_default(&config);
    for (int i = 0; i < 4; i++)
        if (!strcmp(values[0], cells[i]))
            config.cell = i;
    config.layers = atoi(values[1]);
    config.embedding = atoi(values[2]);
    config.hidden = atoi(values[3]);
    config.batch = b->B = atoi(values[4]);
    config.bptt = b->T = atoi(values[5]);
    config.vocabulary = b->V = atoi(values[6]);
    config.dropout = atof(values[8]);
    bool adam = !strcmp(values[7], "adam");
    b->rate = adam ? 2e-3 : 1.0;

    elman_optimizer_options options;
    elman_optimizer_options_default(&options);
    options.kind = adam ? ELMAN_OPTIMIZER_ADAM : ELMAN_OPTIMIZER_SGD;
    size_t count = (size_t)(config.layers * b->B * config.hidden);
    b->state.h = calloc(count, sizeof(float));
    b->state.c = config.cell == ELMAN_CELL_LSTM ? calloc(count, sizeof(float)) : NULL;
    b->state.B = b->B;
    b->tokens = malloc((size_t)((b->T + 1) * b->B) * sizeof *b->tokens);
    uint64_t random = 1;
    for (int64_t i = 0; i < (b->T + 1) * b->B; i++) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        b->tokens[i] = (int32_t)((random >> 33) % (uint64_t)b->V);
    }
    elman_status status = elman_context_create(NULL, &b->context, error);
    if (status == ELMAN_OK)
        status = elman_network_create(b->context, &config, true, &b->network, error);
    if (status == ELMAN_OK)
        status = elman_network_initialise(b->network, error);
    if (status == ELMAN_OK)
        status = elman_optimizer_create(b->context, elman_network_parameters(b->network), &options,
                                        &b->optimizer, error);
    if (status == ELMAN_OK)
        status = elman_tape_create(b->context, &b->tape, error);
    return status;
}

static void close_bench(bench *b)
{
    elman_tape_free(b->tape);
    elman_optimizer_free(b->optimizer);
    elman_network_free(b->network);
    elman_context_free(b->context);
    free(b->tokens);
    free(b->state.h);
    free(b->state.c);
}

static elman_status run_steps(bench *b, int steps, double *seconds, elman_error *error)
{
    double begin = now();
    for (int i = 0; i < steps; i++) {
        elman_status status = step(b, error);
        if (status != ELMAN_OK)
            return status;
    }
    *seconds = now() - begin;
    return ELMAN_OK;
}

static elman_status answer_lines(bench *b, elman_error *error)
{
    char line[64];
    double seconds;
    while (fgets(line, sizeof line, stdin)) {
        elman_status status = run_steps(b, atoi(line), &seconds, error);
        if (status != ELMAN_OK)
            return status;
        struct rusage usage;
        getrusage(RUSAGE_SELF, &usage);
        printf("%.9f %ld\n", seconds, usage.ru_maxrss);
        fflush(stdout);
    }
    return ELMAN_OK;
}

/* Enough steps to last about two seconds. */
static elman_status measure(bench *b, const char *name, elman_error *error)
{
    double seconds = 0;
    int steps = 1;
    elman_status status = run_steps(b, 2, &seconds, error);
    while (status == ELMAN_OK && seconds < 2) {
        steps = seconds > 0.02 ? (int)(steps * 2.5 / seconds) + 1 : steps * 8;
        status = run_steps(b, steps, &seconds, error);
    }
    if (status == ELMAN_OK)
        printf("%-11s %9.0f tokens/s\n", name, steps * (double)(b->T * b->B) / seconds);
    return status;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name, *values[9];
    } shapes[] = {
        {"char-128", {"lstm", "2", "128", "128", "50", "50", "65", "adam", "0"}},
        {"char-512", {"lstm", "2", "512", "512", "50", "50", "65", "adam", "0"}},
        {"ptb-small", {"lstm", "2", "200", "200", "20", "20", "10000", "sgd", "0"}},
        {"ptb-medium", {"lstm", "2", "650", "650", "20", "35", "10000", "sgd", "0.5"}},
    };
    elman_error error = {0};
    elman_status status = ELMAN_OK;
    if (argc != 1 && argc != 10) {
        fprintf(stderr, "bench_training: see the head of bench/training.c\n");
        return 2;
    }
    for (size_t i = 0; status == ELMAN_OK && i < (argc == 10 ? 1 : 4); i++) {
        bench b = {0};
        char *const *values = argc == 10 ? argv + 1 : (char *const *)shapes[i].values;
        status = open_bench(&b, values, &error);
        if (status == ELMAN_OK)
            status = argc == 10 ? answer_lines(&b, &error) : measure(&b, shapes[i].name, &error);
        close_bench(&b);
    }
    if (status != ELMAN_OK) {
        fprintf(stderr, "bench_training: %s\n", error.message);
        return 1;
    }
    return 0;
}
