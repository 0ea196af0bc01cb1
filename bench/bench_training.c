/* Whole training steps of a language model, on demand: for each line "N" on standard input it
 * makes N steps and answers the seconds that they took. bench/compare_training.py asks it and
 * PyTorch in turn. Random tokens; the state is carried as in training.
 *
 *   bench_training CELL LAYERS EMBEDDING HIDDEN BATCH STEPS VOCABULARY sgd|adam DROPOUT
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

static int fail(const elman_error *error)
{
    fprintf(stderr, "bench_training: %s\n", error->message);
    return 1;
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

int main(int argc, char **argv)
{
    if (argc != 10) {
        fprintf(stderr, "bench_training: see the head of bench/bench_training.c\n");
        return 2;
    }
    static const char *const cells[] = {"rnn", "rnn-relu", "lstm", "gru"};
    elman_error error = {0};
    bench b = {0};
    elman_config config;
    elman_config_default(&config);
    for (int i = 0; i < 4; i++)
        if (!strcmp(argv[1], cells[i]))
            config.cell = i;
    config.layers = atoi(argv[2]);
    config.embedding = atoi(argv[3]);
    config.hidden = atoi(argv[4]);
    config.batch = b.B = atoi(argv[5]);
    config.bptt = b.T = atoi(argv[6]);
    config.vocabulary = b.V = atoi(argv[7]);
    config.dropout = atof(argv[9]);
    bool adam = !strcmp(argv[8], "adam");
    b.rate = adam ? 2e-3 : 1.0;

    elman_optimizer_options options;
    elman_optimizer_options_default(&options);
    options.kind = adam ? ELMAN_OPTIMIZER_ADAM : ELMAN_OPTIMIZER_SGD;
    size_t count = (size_t)(config.layers * b.B * config.hidden);
    b.state.h = calloc(count, sizeof(float));
    b.state.c = config.cell == ELMAN_CELL_LSTM ? calloc(count, sizeof(float)) : NULL;
    b.state.B = b.B;
    b.tokens = malloc((size_t)((b.T + 1) * b.B) * sizeof *b.tokens);
    uint64_t random = 1;
    for (int64_t i = 0; i < (b.T + 1) * b.B; i++) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        b.tokens[i] = (int32_t)((random >> 33) % (uint64_t)b.V);
    }
    if (elman_context_create(NULL, &b.context, &error) ||
        elman_network_create(b.context, &config, true, &b.network, &error) ||
        elman_network_initialise(b.network, &error) ||
        elman_optimizer_create(b.context, elman_network_parameters(b.network), &options,
                               &b.optimizer, &error) ||
        elman_tape_create(b.context, &b.tape, &error))
        return fail(&error);

    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        int steps = atoi(line);
        double begin = now();
        for (int i = 0; i < steps; i++)
            if (step(&b, &error))
                return fail(&error);
        struct rusage usage;
        getrusage(RUSAGE_SELF, &usage);
        printf("%.9f %ld\n", now() - begin, usage.ru_maxrss);
        fflush(stdout);
    }
    elman_tape_free(b.tape);
    elman_optimizer_free(b.optimizer);
    elman_network_free(b.network);
    elman_context_free(b.context);
    free(b.tokens);
    free(b.state.h);
    free(b.state.c);
    return 0;
}
