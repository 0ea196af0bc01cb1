/* Prints the SHA-256 of every parameter after some training steps of small two-layer networks with
 * dropout and ragged lengths, a line each. scripts/check-bits runs it for every thread count,
 * instruction set, compiler and optimisation level, and under emulation; it links the core alone.
 *
 *   train_bits small|wide
 *
 * Every cell, and of each: table, the first layer reads the embedding's table; rows, dropout
 * stands between them, so that the embedded rows are stored; norm, layer-normalised cells. small:
 * 200 steps, what an emulator does in seconds; wide: 12 at which threads share the work of a step.
 * Threads and instruction set by ELMAN_THREADS and ELMAN_ISA. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "elman/context.h"
#include "elman/layer.h"
#include "elman/optimizer.h"
#include "graph/tape_impl.h"
#include "op/op.h"

enum { V = 23, E = 11, LAYERS = 2, MOST_T = 5, MOST_B = 13 };

/* Hidden units of each cell: for wide the fewest that three threads share, and a few. */
typedef struct size {
    const char *name;
    int steps, T, B, H[4];
} size;

static const size sizes[] = {
    {"small", 200, 5, 3, {17, 17, 17, 17}},
    {"wide", 12, 5, 13, {91, 91, 47, 53}},
};

typedef struct model {
    elman_parameters *parameters;
    elman_embedding_layer embedding;
    elman_recurrent_layer layers;
    elman_linear_layer output;
} model;

static elman_status build(elman_context *context, const size *z, elman_cell cell, bool norm,
                          model *m, elman_error *error)
{
    elman_recurrent_options options;
    elman_recurrent_options_default(&options);
    options.cell = cell;
    options.input = E;
    options.hidden = z->H[cell];
    options.layers = LAYERS;
    options.dropout = 0.3;
    options.layer_norm = norm;
    elman_status status = elman_parameters_create(context, true, &m->parameters, error);
    if (status == ELMAN_OK)
        status = elman_embedding_create(m->parameters, "embedding", V, E, &m->embedding, error);
    if (status == ELMAN_OK)
        status = elman_recurrent_create(m->parameters, "rnn", &options, &m->layers, error);
    if (status == ELMAN_OK)
        status = elman_linear_create(m->parameters, "output", options.hidden, V, true, NULL,
                                     &m->output, error);
    if (status == ELMAN_OK)
        status = elman_initialise(m->parameters, NULL, 7, error);
    return status;
}

/* A ragged batch: lengths 0..T, targets that are a function of the tokens. */
static int64_t fill(const size *z, uint64_t *random, int64_t *lengths, int32_t *tokens,
                    int32_t *targets)
{
    int64_t n = 0;
    for (int b = 0; b < z->B; b++) {
        *random = *random * 6364136223846793005U + 1442695040888963407U;
        lengths[b] = (int64_t)((*random >> 33) % ((uint64_t)z->T + 1));
        n += lengths[b];
    }
    if (!n)
        n = lengths[0] = 1;
    for (int64_t i = 0; i < n; i++) {
        *random = *random * 6364136223846793005U + 1442695040888963407U;
        tokens[i] = (int32_t)((*random >> 33) % V);
        targets[i] = (tokens[i] * 5 + (i ? tokens[i - 1] : 0)) % V;
    }
    return n;
}

static elman_status train(elman_context *context, const size *z, model *m, bool rows,
                          elman_error *error)
{
    elman_optimizer_options options;
    elman_optimizer_options_default(&options);
    options.clip = 1;
    options.weight_decay = 0.01;
    elman_optimizer *optimizer;
    elman_tape *tape;
    elman_status status =
        elman_optimizer_create(context, m->parameters, &options, &optimizer, error);
    if (status != ELMAN_OK)
        return status;
    status = elman_tape_create(context, &tape, error);
    uint64_t random = 3;
    for (int step = 0; step < z->steps && status == ELMAN_OK; step++) {
        int64_t lengths[MOST_B];
        int32_t tokens[MOST_T * MOST_B], targets[MOST_T * MOST_B];
        int64_t n = fill(z, &random, lengths, tokens, targets);
        elman_tape_mode mode;
        elman_tape_mode_default(&mode);
        mode.train = true;
        mode.seed = 11;
        mode.pass = (uint64_t)step / 8;
        elman_tape_begin(tape, &mode);
        const elman_sequences *s =
            elman_tape_sequences(tape, z->T, z->B, lengths, NULL, (uint32_t)(step * z->T));
        elman_var *y;
        if (rows) {
            elman_var *x = elman_embedding_packed(tape, &m->embedding, tokens, s);
            x = elman_dropout(tape, x, s, 0.2, 100);
            y = elman_recurrent_forward(tape, &m->layers, x, s, NULL, NULL);
        } else {
            y = elman_recurrent_forward_tokens(tape, &m->layers, &m->embedding, tokens, s, NULL,
                                               NULL);
        }
        y = elman_dropout(tape, y, s, 0.3, 101);
        elman_var *loss = elman_op_linear_cross_entropy(tape, y, m->output.weight, m->output.bias,
                                                        targets, 1.0F / (float)n, NULL, s);
        status = elman_tape_backward(tape, loss, error);
        if (status == ELMAN_OK)
            status = elman_optimizer_step(optimizer, 0.01, NULL, error);
    }
    elman_tape_free(tape);
    elman_optimizer_free(optimizer);
    return status;
}

static void print(const char *const words[3], const elman_parameters *parameters)
{
    elman_sha256 sha;
    char hex[65];
    elman_sha256_begin(&sha);
    for (int64_t i = 0; i < elman_parameters_count(parameters); i++) {
        const elman_parameter *p = elman_parameters_at(parameters, i);
        elman_sha256_add(&sha, p->value.data,
                         (size_t)elman_tensor_count(&p->value) * sizeof(float));
    }
    elman_sha256_end(&sha, hex);
    printf("%s %s %s %s\n", words[0], words[1], words[2], hex);
}

int main(int argc, char **argv)
{
    static const char *const cells[] = {"rnn", "rnn-relu", "lstm", "gru"};
    static const char *const variants[] = {"table", "rows", "norm"};
    const size *z = NULL;
    for (int i = 0; argc == 2 && i < 2; i++)
        if (!strcmp(argv[1], sizes[i].name))
            z = &sizes[i];
    if (!z) {
        fprintf(stderr, "train_bits: expected small or wide\n");
        return 2;
    }
    elman_error error = {0};
    elman_context *context = NULL;
    elman_status status = elman_context_create(NULL, &context, &error);
    for (int run = 0; run < 12 && status == ELMAN_OK; run++) {
        int cell = run / 3, variant = run % 3;
        model m = {0};
        status = build(context, z, (elman_cell)cell, variant == 2, &m, &error);
        if (status == ELMAN_OK)
            status = train(context, z, &m, variant == 1, &error);
        if (status == ELMAN_OK)
            print((const char *const[3]){z->name, cells[cell], variants[variant]}, m.parameters);
        elman_parameters_free(m.parameters);
    }
    if (status != ELMAN_OK)
        fprintf(stderr, "train_bits: %s\n", error.message);
    elman_context_free(context);
    return status == ELMAN_OK ? 0 : 1;
}
