/* Prints the SHA-256 of every parameter after some training steps of small two-layer networks with
 * dropout and ragged lengths, a line each. scripts/check-bits runs it for every thread count,
 * instruction set, compiler and optimisation level, and under emulation; it links the core alone.
 *
 *   train_bits small|wide
 *
 * Every cell, and of each: table, the first layer reads the embedding's table; rows, dropout
 * stands between them, so that the embedded rows are stored; norm, layer-normalised cells. Beside
 * them two that read from both ends: pooled, an LSTM whose steps become one by maximum and by
 * attention, with weighted and smoothed classes; tagged, a GRU with a conditional random field over
 * its steps. small: 200 steps (those of both ends half as many), what an emulator does in seconds;
 * wide: 12 at which threads share the work of a step. Threads and instruction set by ELMAN_THREADS
 * and ELMAN_ISA. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "elman/context.h"
#include "elman/layer.h"
#include "elman/optimizer.h"
#include "graph/tape_impl.h"
#include "op/op.h"

enum { V = 23, E = 11, CLASSES = 7, ATTENTION = 9, LAYERS = 2, MOST_T = 5, MOST_B = 13 };

typedef enum variant { TABLE, ROWS, NORM, POOLED, TAGGED } variant;

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
    elman_attention_pool_layer attention;
    elman_linear_layer output;
    elman_crf_layer crf;
    variant variant;
} model;

/* What stands on the layers: H columns. */
static elman_status build_head(model *m, int64_t H, elman_error *error)
{
    elman_status status = ELMAN_OK;
    if (m->variant == POOLED)
        status = elman_attention_pool_create(m->parameters, "attention", H, ATTENTION,
                                             &m->attention, error);
    if (status == ELMAN_OK)
        status =
            elman_linear_create(m->parameters, "output", m->variant == POOLED ? 2 * H : H,
                                m->variant < POOLED ? V : CLASSES, true, NULL, &m->output, error);
    if (status == ELMAN_OK && m->variant == TAGGED)
        status = elman_crf_create(m->parameters, "crf", CLASSES, &m->crf, error);
    return status;
}

static elman_status build(elman_context *context, const size *z, elman_cell cell, model *m,
                          elman_error *error)
{
    bool both = m->variant >= POOLED;
    elman_recurrent_options options;
    elman_recurrent_options_default(&options);
    options.cell = cell;
    options.input = E;
    options.hidden = z->H[cell];
    options.layers = LAYERS;
    options.dropout = 0.3;
    options.layer_norm = m->variant == NORM;
    options.bidirectional = both;
    elman_status status = elman_parameters_create(context, true, &m->parameters, error);
    if (status == ELMAN_OK)
        status = elman_embedding_create(m->parameters, "embedding", V, E, &m->embedding, error);
    if (status == ELMAN_OK)
        status = elman_recurrent_create(m->parameters, "rnn", &options, &m->layers, error);
    if (status == ELMAN_OK)
        status = build_head(m, options.hidden * (both ? 2 : 1), error);
    if (status == ELMAN_OK)
        status = elman_initialise(m->parameters, NULL, 7, error);
    return status;
}

/* A ragged batch: lengths 0..T, targets that are a function of the tokens. */
static void fill(const size *z, uint64_t *random, int64_t *lengths, int32_t *tokens,
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
}

static elman_var *loss_of(elman_tape *tape, const model *m, elman_var *y, int32_t *targets,
                          const elman_sequences *s)
{
    static const float weights[CLASSES] = {1, 0.5F, 2, 1.25F, 0.75F, 1, 3};
    if (m->variant < POOLED)
        return elman_op_linear_cross_entropy(tape, elman_dropout(tape, y, s, 0.3, 101),
                                             m->output.weight, m->output.bias, targets,
                                             1.0F / (float)s->N, NULL, s);
    if (m->variant == TAGGED) {
        for (int64_t i = 0; i < s->N; i++)
            targets[i] %= CLASSES;
        y = elman_linear_packed(tape, &m->output, elman_dropout(tape, y, s, 0.3, 101), s);
        return elman_crf_loss(tape, &m->crf, y, targets, s, 1.0F / (float)s->N, NULL);
    }
    for (int64_t b = 0; b < s->B; b++)
        targets[b] = (int32_t)((s->lengths[b] * 3 + b) % CLASSES);
    elman_class_loss_options options;
    elman_class_loss_options_default(&options);
    options.weights = weights;
    options.smoothing = 0.1;
    elman_var *pools[2] = {elman_pool_max(tape, y, s),
                           elman_attention_pool(tape, &m->attention, y, s, NULL)};
    /* a sequence of one step each */
    const elman_sequences *one = elman_tape_sequences(tape, 1, s->B, NULL, s->numbers, s->time);
    y = elman_dropout(tape, elman_concatenate(tape, pools, 2), one, 0.3, 101);
    return elman_class_loss(tape, elman_linear_packed(tape, &m->output, y, one), targets, &options,
                            NULL);
}

static elman_status train(elman_context *context, const size *z, model *m, elman_error *error)
{
    int steps = m->variant < POOLED ? z->steps : (z->steps + 1) / 2;
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
    for (int step = 0; step < steps && status == ELMAN_OK; step++) {
        int64_t lengths[MOST_B];
        int32_t tokens[MOST_T * MOST_B], targets[MOST_T * MOST_B];
        fill(z, &random, lengths, tokens, targets);
        elman_tape_mode mode;
        elman_tape_mode_default(&mode);
        mode.train = true;
        mode.seed = 11;
        mode.pass = (uint64_t)step / 8;
        elman_tape_begin(tape, &mode);
        const elman_sequences *s =
            elman_tape_sequences(tape, z->T, z->B, lengths, NULL, (uint32_t)(step * z->T));
        elman_var *y;
        if (m->variant == ROWS) {
            elman_var *x = elman_embedding_packed(tape, &m->embedding, tokens, s);
            x = elman_dropout(tape, x, s, 0.2, 100);
            y = elman_recurrent_forward(tape, &m->layers, x, s, NULL, NULL);
        } else {
            y = elman_recurrent_forward_tokens(tape, &m->layers, &m->embedding, tokens, s, NULL,
                                               NULL);
        }
        status = elman_tape_backward(tape, loss_of(tape, m, y, targets, s), error);
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
    static const char *const variants[] = {"table", "rows", "norm", "pooled", "tagged"};
    enum { CELLS = 4, OF_EACH = 3, RUNS = CELLS * OF_EACH + 2 };
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
    for (int run = 0; run < RUNS && status == ELMAN_OK; run++) {
        int further = run - CELLS * OF_EACH; /* an LSTM and a GRU */
        int cell = further < 0 ? run / OF_EACH : (int)ELMAN_CELL_LSTM + further;
        model m = {.variant = (variant)(further < 0 ? run % OF_EACH : POOLED + further)};
        status = build(context, z, (elman_cell)cell, &m, &error);
        if (status == ELMAN_OK)
            status = train(context, z, &m, &error);
        if (status == ELMAN_OK)
            print((const char *const[3]){z->name, cells[cell], variants[m.variant]}, m.parameters);
        elman_parameters_free(m.parameters);
    }
    if (status != ELMAN_OK)
        fprintf(stderr, "train_bits: %s\n", error.message);
    elman_context_free(context);
    return status == ELMAN_OK ? 0 : 1;
}
