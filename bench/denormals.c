/* Whole training steps whose numbers are tiny, as a ratio to the same step with ordinary ones:
 * none may fall off a cliff because of denormals. Gradients at a magnitude (the loss times a
 * factor), states at a magnitude (embeddings times a factor, biases zero), and gradients that
 * vanish through time from the last step's loss. One thread; the least of several runs.
 *
 *   bench_denormals [HIDDEN BATCH STEPS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "elman/elman.h"

enum { V = 65, REPEATS = 5 };

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
    int32_t *tokens, *targets; /* [T*B] */
    int64_t H, B, T;
} bench;

static void stop(const elman_error *error)
{
    fprintf(stderr, "bench_denormals: %s\n", error->message);
    exit(1);
}

static void scale_parameter(bench *b, const char *name, float factor)
{
    elman_parameter *p = elman_parameters_find(elman_network_parameters(b->network), name);
    float *values = elman_parameter_edit(p);
    for (int64_t i = 0; i < elman_tensor_count(elman_parameter_value(p)); i++)
        values[i] *= factor;
}

static void open_bench(bench *b, int cell)
{
    elman_error error;
    elman_config config;
    elman_config_default(&config);
    config.cell = cell;
    config.layers = 2;
    config.hidden = config.embedding = b->H;
    config.dropout = 0;
    config.vocabulary = V;
    elman_optimizer_options options;
    elman_optimizer_options_default(&options);
    options.clip = 0;
    elman_status status = elman_network_create(b->context, &config, true, &b->network, &error);
    if (status == ELMAN_OK)
        status = elman_network_initialise(b->network, &error);
    if (status == ELMAN_OK)
        status = elman_optimizer_create(b->context, elman_network_parameters(b->network), &options,
                                        &b->optimizer, &error);
    if (status == ELMAN_OK)
        status = elman_tape_create(b->context, &b->tape, &error);
    if (status != ELMAN_OK)
        stop(&error);
    for (int64_t i = 0; i < b->T * b->B; i++) {
        b->tokens[i] = (int32_t)(i * 31 % V);
        b->targets[i] = (int32_t)(i * 17 % V);
    }
}

static void close_bench(bench *b)
{
    elman_tape_free(b->tape);
    elman_optimizer_free(b->optimizer);
    elman_network_free(b->network);
}

/* Seconds of one step: the least of some. The weights stay as they are (the rate is 0). */
static double seconds(bench *b, float factor)
{
    double least = 1e9;
    for (int i = 0; i < REPEATS; i++) {
        elman_error error;
        double begin = now();
        elman_tape_begin(b->tape, NULL);
        const elman_sequences *s = elman_tape_sequences(b->tape, b->T, b->B, NULL, NULL, 0);
        elman_var *loss = elman_network_loss(b->tape, b->network, b->tokens, b->targets, s, NULL,
                                             NULL, factor / (float)(b->T * b->B), NULL);
        if (elman_tape_backward(b->tape, loss, &error) != ELMAN_OK ||
            elman_optimizer_step(b->optimizer, 0, NULL, &error) != ELMAN_OK)
            stop(&error);
        double taken = now() - begin;
        if (i > 0 && taken < least)
            least = taken;
    }
    return least;
}

static double worst;

static void report(const char *cell, const char *what, float factor, double taken, double usual)
{
    double ratio = taken / usual;
    if (ratio > worst)
        worst = ratio;
    printf("%-9s %-30s %6.0e  %8.2f ms  %6.2f\n", cell, what, (double)factor, taken * 1e3, ratio);
}

static void run_cell(bench *b, int cell)
{
    static const char *const names[] = {"rnn", "rnn-relu", "lstm", "gru"};
    static const float factors[] = {1e-30F, 1e-34F, 1e-35F, 1e-36F, 1e-37F,
                                    1e-38F, 1e-39F, 1e-41F, 1e-44F};
    enum { FACTORS = sizeof factors / sizeof *factors };
    open_bench(b, cell);
    double usual = seconds(b, 1);
    report(names[cell], "as usual", 1, usual, usual);
    for (int i = 0; i < FACTORS; i++)
        report(names[cell], "gradients times", factors[i], seconds(b, factors[i]), usual);

    for (int64_t i = 0; i < (b->T - 1) * b->B; i++)
        b->targets[i] = ELMAN_IGNORE_TARGET;
    const float shrink[] = {1, 0.5F, 0.1F};
    for (int i = 0; i < 3; i++) {
        scale_parameter(b, "rnn.weight_hh_l0", shrink[i]);
        scale_parameter(b, "rnn.weight_hh_l1", shrink[i]);
        report(names[cell], "loss at the end, W_hh times", shrink[i], seconds(b, 1), usual);
        report(names[cell], "the same, gradients times 1e-30", shrink[i], seconds(b, 1e-30F),
               usual);
    }
    close_bench(b);

    for (int i = 0; i < FACTORS; i++) {
        open_bench(b, cell);
        const char *const biases[] = {"rnn.bias_ih_l0", "rnn.bias_hh_l0", "rnn.bias_ih_l1",
                                      "rnn.bias_hh_l1"};
        for (int j = 0; j < 4; j++)
            scale_parameter(b, biases[j], 0);
        scale_parameter(b, "embedding.weight", factors[i]);
        report(names[cell], "states times", factors[i], seconds(b, 1), usual);
        close_bench(b);
    }
}

int main(int argc, char **argv)
{
    bench b = {.H = argc == 4 ? atoi(argv[1]) : 128,
               .B = argc == 4 ? atoi(argv[2]) : 16,
               .T = argc == 4 ? atoi(argv[3]) : 32};
    elman_context_options options;
    elman_error error;
    elman_context_options_default(&options);
    options.threads = 1;
    if (elman_context_create(&options, &b.context, &error) != ELMAN_OK)
        stop(&error);
    b.tokens = malloc((size_t)(b.T * b.B) * sizeof *b.tokens);
    b.targets = malloc((size_t)(b.T * b.B) * sizeof *b.targets);
    if (!b.tokens || !b.targets)
        return 1;
    printf("%-9s %-30s %6s  %11s  %6s\n", "cell", "step", "factor", "time", "ratio");
    for (int cell = 0; cell < 4; cell++)
        run_cell(&b, cell);
    printf("worst ratio %.2f on %s\n", worst, elman_isa_name(elman_context_isa(b.context)));
    free(b.tokens);
    free(b.targets);
    elman_context_free(b.context);
    return 0;
}
