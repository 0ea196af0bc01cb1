/* Whole training steps of the networks that read sequences: forward, loss, backward, clip, Adam.
 * The batches are random, of lengths, words and spellings distributed like those of real data, and
 * sorted by length as src/task/shuffle.c sorts them.
 *
 *   bench_tasks              the milliseconds a step of every network
 *   bench_tasks NAME         for each line "STEPS FIRST" on standard input it makes STEPS steps,
 *                            from batch FIRST on, and answers their seconds, the processors'
 *                            seconds and the peak memory in KiB
 *   bench_tasks NAME batches the network and its batches as JSON, for PyTorch to be given the same
 *
 * bench/compare_tasks.py asks it and PyTorch in turn. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/pool.h"
#include "elman/elman.h"
#include "elman/encoder.h"

enum { BATCHES = 32, MOST = 256, LETTERS = 12 };

typedef struct network {
    const char *name, *cell, *pool;
    int64_t vocabulary, embedding, inputs, layers, hidden, outputs, batch;
    double length, spread; /* of the lengths: mean and deviation */
    int64_t least, most;   /* and bounds */
    double dropout;
    int64_t characters, char_hidden;
    bool bidirectional, crf, regression;
    int64_t skip; /* numbers of a window that is mapped to the answer beside the layers */
} network;

#define BOTH .bidirectional = true
#define TEXT .cell = "lstm", .layers = 1, .hidden = 100, .embedding = 100, .dropout = 0.5, BOTH
#define SST2                                                                                       \
    TEXT, .vocabulary = 14000, .outputs = 2, .batch = 32, .length = 18.5, .spread = 9, .least = 2, \
          .most = 52
#define PARTUT                                                                                     \
    .cell = "lstm", .pool = "", .layers = 2, .hidden = 200, .embedding = 100, .dropout = 0.5,      \
    BOTH, .vocabulary = 6000, .outputs = 17, .batch = 16, .length = 23, .spread = 11, .least = 2,  \
    .most = 80, .characters = 90, .char_hidden = 50
#define STEPS(n) .length = (n), .least = (n), .most = (n)
#define DRIFT    .layers = 1, .hidden = 128, .inputs = 256, .batch = 32, STEPS(10), .dropout = 0.2

static const network networks[] = {
    {"sst2-max", SST2, .pool = "max"},
    {"sst2-attention", SST2, .pool = "attention"},
    {"ag-news", TEXT, .pool = "max", .vocabulary = 20000, .outputs = 4, .batch = 32, .length = 45,
     .spread = 11, .least = 15, .most = 150},
    {"partut", PARTUT},
    {"partut-crf", PARTUT, .crf = true},
    {"etth1-days", .cell = "gru", .pool = "last", .layers = 1, .hidden = 64, .inputs = 24,
     .outputs = 24, .batch = 256, STEPS(4), .skip = 96, .regression = true},
    {"etth1-hours", .cell = "gru", .pool = "last", .layers = 1, .hidden = 128, .inputs = 7,
     .outputs = 168, .batch = 32, STEPS(96), .regression = true},
    {"series", .cell = "gru", .pool = "last", .layers = 1, .hidden = 32, .inputs = 1, .outputs = 12,
     .batch = 32, STEPS(36), .regression = true},
    {"digits", .cell = "lstm", .pool = "max", .layers = 1, .hidden = 96, .inputs = 8, .outputs = 10,
     .batch = 32, STEPS(8), .dropout = 0.2, BOTH},
    {"drift-clip", DRIFT, .cell = "gru", .pool = "max", .outputs = 8},
    {"drift-frames", DRIFT, .cell = "lstm", .pool = "", .outputs = 10, BOTH},
};
enum { NETWORKS = sizeof networks / sizeof networks[0] };

typedef struct batch {
    int64_t lengths[MOST], N;
    int32_t *tokens; /* [N] packed, as all that follows */
    int32_t *word_rows, *words;
    int64_t word_count, *word_lengths;
    float *vectors;
    int32_t *targets;
} batch;

typedef struct bench {
    const network *network;
    elman_context *context;
    elman_encoder *encoder;
    elman_linear_layer skip;
    elman_crf_layer crf;
    elman_optimizer *optimizer;
    elman_tape *tape;
    batch batches[BATCHES];
    float *window, *values; /* what a regression reads and answers */
} bench;

static double clock_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *room(int64_t count, size_t size)
{
    void *memory = calloc((size_t)count + 1, size);
    if (!memory) {
        fprintf(stderr, "bench_tasks: out of memory\n");
        exit(1);
    }
    return memory;
}

/* --- batches ------------------------------------------------------------------------------ */

static double draw(uint64_t *random)
{
    *random = *random * 6364136223846793005U + 1442695040888963407U;
    return (double)(*random >> 40) / (double)(1 << 24);
}

static double draw_normal(uint64_t *random)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += draw(random);
    return sum;
}

/* The n-th most frequent of V words comes with a probability of about 1/n. */
static int32_t draw_word(uint64_t *random, int64_t V)
{
    int32_t word = (int32_t)exp(draw(random) * log((double)V + 1)) - 1;
    return word < V ? word : (int32_t)V - 1;
}

static int64_t bounded(int64_t least, double x, int64_t most)
{
    return x < (double)least ? least : x > (double)most ? most : (int64_t)x;
}

/* Letters by the word's number, so that a word is always spelt the same. */
static int64_t spell(int32_t word, int64_t characters, int32_t *letters)
{
    uint64_t random = (uint64_t)word * 2654435761U + 7;
    draw(&random);
    int64_t length = bounded(1, 5.5 + 2.5 * draw_normal(&random), LETTERS);
    for (int64_t i = 0; i < length; i++)
        letters[i] = 1 + draw_word(&random, characters - 1);
    return length;
}

static void collect_words(const network *n, batch *b)
{
    int32_t *seen = room(n->vocabulary, sizeof *seen);
    b->word_rows = room(b->N, sizeof *b->word_rows);
    b->words = room(b->N, sizeof *b->words);
    b->word_lengths = room(b->N, sizeof *b->word_lengths);
    for (int64_t i = 0; i < b->N; i++) {
        int32_t word = b->tokens[i], letters[LETTERS];
        if (!seen[word]) {
            b->words[b->word_count] = word;
            b->word_lengths[b->word_count] = spell(word, n->characters, letters);
            seen[word] = (int32_t)++b->word_count;
        }
        b->word_rows[i] = seen[word] - 1;
    }
    free(seen);
}

static void fill_batch(const network *n, batch *b, uint64_t *random)
{
    for (int64_t i = 0; i < n->batch; i++)
        b->N += b->lengths[i];
    b->targets = room(b->N, sizeof *b->targets);
    for (int64_t i = 0; i < b->N; i++)
        b->targets[i] = (int32_t)(draw(random) * (double)n->outputs);
    if (n->inputs) {
        b->vectors = room(b->N * n->inputs, sizeof *b->vectors);
        for (int64_t i = 0; i < b->N * n->inputs; i++)
            b->vectors[i] = (float)draw_normal(random);
        return;
    }
    b->tokens = room(b->N, sizeof *b->tokens);
    for (int64_t i = 0; i < b->N; i++)
        b->tokens[i] = draw_word(random, n->vocabulary);
    if (n->char_hidden)
        collect_words(n, b);
}

static int longer_first(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x < y) - (x > y);
}

static void make_batches(bench *b)
{
    const network *n = b->network;
    uint64_t random = 1;
    int64_t *lengths = room(BATCHES * n->batch, sizeof *lengths);
    for (int64_t i = 0; i < BATCHES * n->batch; i++)
        lengths[i] = bounded(n->least, n->length + 0.5 + n->spread * draw_normal(&random), n->most);
    qsort(lengths, (size_t)(BATCHES * n->batch), sizeof *lengths, longer_first);
    for (int i = 0; i < BATCHES; i++) {
        batch *at = &b->batches[i * 13 % BATCHES]; /* in an order without order */
        memcpy(at->lengths, lengths + i * n->batch, (size_t)n->batch * sizeof *lengths);
        fill_batch(n, at, &random);
    }
    free(lengths);
    b->window = room(n->batch * n->skip, sizeof *b->window);
    b->values = room(n->batch * n->outputs, sizeof *b->values);
    for (int64_t i = 0; i < n->batch * n->skip; i++)
        b->window[i] = (float)draw_normal(&random);
    for (int64_t i = 0; i < n->batch * n->outputs; i++)
        b->values[i] = (float)draw_normal(&random);
}

static void free_batches(bench *b)
{
    for (int i = 0; i < BATCHES; i++) {
        batch *at = &b->batches[i];
        free(at->tokens);
        free(at->word_rows);
        free(at->words);
        free(at->word_lengths);
        free(at->vectors);
        free(at->targets);
    }
    free(b->window);
    free(b->values);
}

/* --- a step ------------------------------------------------------------------------------- */

static void record_words(elman_tape *tape, const network *n, const batch *b, int32_t *characters,
                         elman_encoder_batch *read)
{
    int64_t T = 0;
    for (int64_t i = 0; i < b->word_count; i++)
        T = b->word_lengths[i] > T ? b->word_lengths[i] : T;
    read->words = elman_tape_sequences(tape, T, b->word_count, b->word_lengths, NULL, 0);
    read->characters = characters;
    read->word_rows = b->word_rows;
    for (int64_t place = 0; read->words && place < b->word_count; place++) {
        int32_t letters[LETTERS];
        int64_t length = spell(b->words[read->words->order[place]], n->characters, letters);
        for (int64_t t = 0; t < length; t++)
            characters[read->words->offsets[t] + place] = letters[t];
    }
}

static elman_var *loss_of(const bench *b, const batch *at, const elman_encoder_batch *read)
{
    const network *n = b->network;
    double sum;
    elman_var *y = elman_encoder_forward(b->tape, b->encoder, read, NULL);
    if (n->skip) {
        const elman_sequences *rows = elman_tape_sequences(b->tape, 1, n->batch, NULL, NULL, 0);
        elman_var *window = elman_tape_input(b->tape, 2, (int64_t[]){n->batch, n->skip}, b->window);
        y = elman_add(b->tape, y, elman_linear_packed(b->tape, &b->skip, window, rows));
    }
    if (n->regression)
        return elman_element_loss(b->tape, y, b->values, NULL, NULL, &sum);
    if (n->crf)
        return elman_crf_loss(b->tape, &b->crf, y, at->targets, read->sequences,
                              1.0F / (float)at->N, &sum);
    return elman_class_loss(b->tape, y, at->targets, NULL, &sum);
}

static elman_status step(bench *b, const batch *at, int32_t *characters, elman_error *error)
{
    const network *n = b->network;
    elman_tape_mode mode;
    elman_tape_mode_default(&mode);
    mode.train = true;
    elman_tape_begin(b->tape, &mode);
    elman_encoder_batch read = {.tokens = at->tokens, .vectors = at->vectors};
    read.sequences = elman_tape_sequences(b->tape, at->lengths[0], n->batch, at->lengths, NULL, 0);
    if (n->char_hidden)
        record_words(b->tape, n, at, characters, &read);
    elman_status status = elman_tape_backward(b->tape, loss_of(b, at, &read), error);
    return status == ELMAN_OK ? elman_optimizer_step(b->optimizer, 1e-3, NULL, error) : status;
}

static elman_status run_steps(bench *b, int64_t steps, int64_t first, double *seconds,
                              elman_error *error)
{
    int64_t most = 0;
    for (int i = 0; i < BATCHES; i++)
        most = b->batches[i].word_count > most ? b->batches[i].word_count : most;
    int32_t *characters = room(most * LETTERS, sizeof *characters);
    elman_status status = ELMAN_OK;
    double begin = clock_of(CLOCK_MONOTONIC);
    for (int64_t i = 0; status == ELMAN_OK && i < steps; i++) {
        elman_pool_begin(b->context); /* as the training loop does */
        status = step(b, &b->batches[(first + i) % BATCHES], characters, error);
        elman_pool_end(b->context);
    }
    *seconds = clock_of(CLOCK_MONOTONIC) - begin;
    free(characters);
    return status;
}

static elman_status open_bench(bench *b, elman_error *error)
{
    const network *n = b->network;
    elman_config config;
    elman_config_default(&config);
    config.cell = strcmp(n->cell, "gru") ? ELMAN_CELL_LSTM : ELMAN_CELL_GRU;
    config.layers = n->layers;
    config.hidden = n->hidden;
    config.vocabulary = n->vocabulary;
    config.embedding = n->embedding;
    config.inputs = n->inputs;
    config.outputs = n->outputs;
    config.dropout = n->dropout;
    config.bidirectional = n->bidirectional;
    config.characters = n->characters;
    config.char_hidden = config.char_embedding = n->char_hidden;
    snprintf(config.pool, sizeof config.pool, "%s", n->pool);
    make_batches(b);
    elman_status status = elman_context_create(NULL, &b->context, error);
    if (status == ELMAN_OK)
        status = elman_encoder_create(b->context, &config, true, &b->encoder, error);
    if (status != ELMAN_OK)
        return status;
    elman_parameters *set = elman_encoder_parameters(b->encoder);
    if (n->skip)
        status =
            elman_linear_create(set, "skip", n->skip, n->outputs, false, NULL, &b->skip, error);
    if (status == ELMAN_OK && n->crf)
        status = elman_crf_create(set, "crf", n->outputs, &b->crf, error);
    if (status == ELMAN_OK)
        status = elman_initialise(set, NULL, 1, error);
    if (status == ELMAN_OK)
        status = elman_optimizer_create(b->context, set, NULL, &b->optimizer, error);
    if (status == ELMAN_OK)
        status = elman_tape_create(b->context, &b->tape, error);
    return status;
}

static void close_bench(bench *b)
{
    elman_tape_free(b->tape);
    elman_optimizer_free(b->optimizer);
    elman_encoder_free(b->encoder);
    elman_context_free(b->context);
    free_batches(b);
}

/* --- what is asked ------------------------------------------------------------------------ */

static void print_list(const char *name, int64_t count, const int32_t *list)
{
    printf(", \"%s\": [", name);
    for (int64_t i = 0; i < count; i++)
        printf("%s%" PRId32, i ? "," : "", list[i]);
    printf("]");
}

static void print_batch(const network *n, const batch *b)
{
    printf("{\"lengths\": [");
    for (int64_t i = 0; i < n->batch; i++)
        printf("%s%" PRId64, i ? "," : "", b->lengths[i]);
    printf("]");
    print_list("targets", b->N, b->targets);
    if (b->tokens)
        print_list("tokens", b->N, b->tokens);
    if (b->words) {
        print_list("word_rows", b->N, b->word_rows);
        printf(", \"words\": [");
        for (int64_t i = 0; i < b->word_count; i++) {
            int32_t letters[LETTERS];
            int64_t length = spell(b->words[i], n->characters, letters);
            for (int64_t j = 0; j < length; j++)
                printf("%s%" PRId32, j ? "," : i ? ",[" : "[", letters[j]);
            printf("]");
        }
        printf("]");
    }
    printf("}");
}

static void print_json(const bench *b)
{
    const network *n = b->network;
    printf("{\"cell\": \"%s\", \"pool\": \"%s\", \"dropout\": %g", n->cell, n->pool, n->dropout);
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {{"vocabulary", n->vocabulary},
                   {"embedding", n->embedding},
                   {"inputs", n->inputs},
                   {"layers", n->layers},
                   {"hidden", n->hidden},
                   {"outputs", n->outputs},
                   {"batch", n->batch},
                   {"characters", n->characters},
                   {"char_hidden", n->char_hidden},
                   {"bidirectional", n->bidirectional},
                   {"crf", n->crf},
                   {"regression", n->regression},
                   {"skip", n->skip}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        printf(", \"%s\": %" PRId64, numbers[i].name, numbers[i].value);
    printf(", \"batches\": [");
    for (int i = 0; i < BATCHES; i++) {
        printf(i ? ",\n" : "\n");
        print_batch(n, &b->batches[i]);
    }
    printf("]}\n");
}

static elman_status answer_lines(bench *b, elman_error *error)
{
    char line[64];
    elman_status status = ELMAN_OK;
    while (status == ELMAN_OK && fgets(line, sizeof line, stdin)) {
        char *end;
        double seconds;
        int64_t steps = strtol(line, &end, 10), first = strtol(end, NULL, 10);
        double used = -clock_of(CLOCK_PROCESS_CPUTIME_ID);
        status = run_steps(b, steps, first, &seconds, error);
        used += clock_of(CLOCK_PROCESS_CPUTIME_ID);
        struct rusage usage;
        getrusage(RUSAGE_SELF, &usage);
        if (status == ELMAN_OK)
            printf("%.9f %.9f %ld\n", seconds, used, usage.ru_maxrss);
        fflush(stdout);
    }
    return status;
}

/* Whole rounds of the batches, about a second long. */
static elman_status measure(bench *b, elman_error *error)
{
    double seconds = 0;
    int64_t steps = BATCHES;
    elman_status status = run_steps(b, steps, 0, &seconds, error);
    do {
        steps *= seconds < 0.1 ? 8 : 1 + (int64_t)(1 / seconds);
        status = status == ELMAN_OK ? run_steps(b, steps, 0, &seconds, error) : status;
    } while (status == ELMAN_OK && seconds < 0.5);
    if (status == ELMAN_OK)
        printf("%-15s %8.3f ms a step\n", b->network->name, 1e3 * seconds / (double)steps);
    return status;
}

int main(int argc, char **argv)
{
    elman_error error = {0};
    elman_status status = ELMAN_OK;
    bool found = false;
    for (int i = 0; status == ELMAN_OK && i < NETWORKS; i++) {
        if (argc > 1 && strcmp(argv[1], networks[i].name) != 0)
            continue;
        found = true;
        bench *b = room(1, sizeof *b);
        b->network = &networks[i];
        status = open_bench(b, &error);
        if (status == ELMAN_OK && argc > 2)
            print_json(b);
        else if (status == ELMAN_OK)
            status = argc > 1 ? answer_lines(b, &error) : measure(b, &error);
        close_bench(b);
        free(b);
    }
    if (!found || status != ELMAN_OK) {
        fprintf(stderr, "bench_tasks: %s\n", found ? error.message : "no such network");
        return found ? 1 : 2;
    }
    return 0;
}
