/* The recurrent layers alone: one layer or several stacked, forward or forward and backward.
 *
 *   bench_recurrent [CELL LAYERS INPUT HIDDEN BATCH STEPS]...
 *   bench_recurrent --serve CELL LAYERS INPUT HIDDEN BATCH STEPS
 *
 * The second form reads "train N" and "forward N" lines, runs that often and answers the seconds
 * that passed and those that the processor spent: compare_recurrent.py alternates it with PyTorch.
 *
 * One line a shape: GFLOP/s of training and of forward, and microseconds a step at batch 1 where
 * the batch is 1. FLOPs: 2*G*H*(H+I) a row forward, three times that with backward, less the first
 * layer's input gradient, which is not computed. ELMAN_THREADS sets the threads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/pool.h"
#include "elman/context.h"
#include "graph/tape_impl.h"
#include "op/op.h"

enum { MAX_LAYERS = 8 };

typedef struct shape {
    elman_cell cell;
    int64_t layers, input, hidden, batch, steps;
} shape;

static const shape standard[] = {
    {ELMAN_CELL_LSTM, 2, 128, 128, 50, 50},   {ELMAN_CELL_LSTM, 2, 512, 512, 50, 50},
    {ELMAN_CELL_LSTM, 2, 200, 200, 20, 35},   {ELMAN_CELL_LSTM, 2, 650, 650, 20, 35},
    {ELMAN_CELL_LSTM, 2, 1500, 1500, 20, 35}, {ELMAN_CELL_GRU, 1, 256, 256, 64, 50},
    {ELMAN_CELL_GRU, 1, 1024, 1024, 32, 25},  {ELMAN_CELL_RNN, 1, 256, 256, 64, 100},
    {ELMAN_CELL_LSTM, 1, 40, 64, 1, 100},     {ELMAN_CELL_LSTM, 1, 256, 256, 1, 100},
    {ELMAN_CELL_LSTM, 1, 1024, 1024, 1, 25},
};

static double seconds_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double seconds(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

static int64_t gates_of(elman_cell cell)
{
    return cell == ELMAN_CELL_LSTM ? 4 : cell == ELMAN_CELL_GRU ? 3 : 1;
}

static void check(elman_status status, const elman_error *error)
{
    if (status == ELMAN_OK)
        return;
    fprintf(stderr, "bench_recurrent: %s\n", error->message);
    exit(1);
}

typedef struct network {
    shape s;
    elman_context *context;
    elman_tape *tape;
    elman_cell_parameters cells[MAX_LAYERS];
    float *x, *dy;
} network;

static elman_parameter *parameter(elman_context *context, int64_t rows, int64_t columns)
{
    elman_parameter *p;
    elman_error error;
    const int64_t size[2] = {rows, columns};
    check(elman_parameter_create(context, "p", columns ? 2 : 1, size, true, &p, &error), &error);
    for (int64_t i = 0; i < elman_tensor_count(&p->value); i++)
        p->value.data[i] = 0.05F * (float)(i * 7919 % 200 - 100) / 100.0F;
    return p;
}

static float *numbers(int64_t n)
{
    float *x = malloc((size_t)n * sizeof *x);
    for (int64_t i = 0; x && i < n; i++)
        x[i] = (float)(i * 7919 % 2001 - 1000) / 1000.0F;
    return x;
}

static void network_make(network *n, elman_context *context, const shape *s)
{
    elman_error error;
    *n = (network){.s = *s, .context = context};
    check(elman_tape_create(context, &n->tape, &error), &error);
    for (int64_t i = 0; i < s->layers; i++) {
        int64_t G = gates_of(s->cell) * s->hidden;
        n->cells[i].weight_ih = parameter(context, G, i ? s->hidden : s->input);
        n->cells[i].weight_hh = parameter(context, G, s->hidden);
        n->cells[i].bias_ih = parameter(context, G, 0);
        n->cells[i].bias_hh = parameter(context, G, 0);
    }
    n->x = numbers(s->steps * s->batch * s->input);
    n->dy = numbers(s->steps * s->batch * s->hidden);
}

static void network_free(network *n)
{
    elman_tape_free(n->tape);
    for (int64_t i = 0; i < n->s.layers; i++) {
        elman_parameter_free(n->cells[i].weight_ih);
        elman_parameter_free(n->cells[i].weight_hh);
        elman_parameter_free(n->cells[i].bias_ih);
        elman_parameter_free(n->cells[i].bias_hh);
    }
    free(n->x);
    free(n->dy);
}

static void run(network *n, bool train)
{
    const shape *s = &n->s;
    elman_tape_mode mode;
    elman_tape_mode_default(&mode);
    mode.record = train;
    elman_pool_begin(n->context);
    elman_tape_begin(n->tape, &mode);
    const elman_sequences *sequences =
        elman_tape_sequences(n->tape, s->steps, s->batch, NULL, NULL, 0);
    const int64_t rows = s->steps * s->batch;
    elman_var *x = elman_tape_input(n->tape, 2, (int64_t[]){rows, s->input}, n->x);
    for (int64_t i = 0; i < s->layers; i++) {
        elman_recurrent layer = {.kind = s->cell,
                                 .input = i ? s->hidden : s->input,
                                 .hidden = s->hidden,
                                 .directions = 1,
                                 .cells = &n->cells[i],
                                 .x = x};
        elman_op_recurrent(n->tape, sequences, &layer);
        x = layer.y;
    }
    if (train && x) {
        bool add;
        float *dy = elman_tape_gradient(n->tape, x, &add);
        if (dy)
            memcpy(dy, n->dy, (size_t)(rows * s->hidden) * sizeof *dy);
        for (elman_node *node = n->tape->last; node; node = node->previous)
            node->backward(n->tape, node);
        for (int64_t i = 0; i < s->layers; i++) {
            elman_parameter_touch(n->cells[i].weight_ih);
            elman_parameter_touch(n->cells[i].weight_hh);
        }
    }
    elman_pool_end(n->context);
    elman_error error;
    check(elman_tape_status(n->tape, &error), &error);
}

/* The median of blocks of about 50 ms each. */
static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double time_of(network *n, bool train)
{
    enum { BLOCKS = 9 };
    double begin = seconds(), block[BLOCKS];
    run(n, train);
    run(n, train);
    double once = (seconds() - begin) / 2;
    int repeats = (int)(0.05 / once) + 1;
    for (int b = 0; b < BLOCKS; b++) {
        begin = seconds();
        for (int i = 0; i < repeats; i++)
            run(n, train);
        block[b] = (seconds() - begin) / repeats;
    }
    qsort(block, BLOCKS, sizeof *block, ascending);
    return block[BLOCKS / 2];
}

static void measure(elman_context *context, const shape *s)
{
    static const char *const names[] = {"rnn", "relu", "lstm", "gru"};
    network n;
    network_make(&n, context, s);
    double rows = (double)(s->batch * s->steps), forward = 0, train = 0;
    for (int64_t i = 0; i < s->layers; i++) {
        double G = (double)(gates_of(s->cell) * s->hidden), H = (double)s->hidden;
        double I = (double)(i ? s->hidden : s->input);
        forward += 2 * G * (H + I) * rows;
        train += (6 * G * (H + I) - (i ? 0 : 2 * G * I)) * rows;
    }
    double a = time_of(&n, true), b = time_of(&n, false);
    printf("%-4s %lld x %4lld -> %4lld  B %3lld T %3lld   train %6.1f GF %10.1f us   forward %6.1f "
           "GF %10.1f us",
           names[s->cell], (long long)s->layers, (long long)s->input, (long long)s->hidden,
           (long long)s->batch, (long long)s->steps, train / a * 1e-9, a * 1e6, forward / b * 1e-9,
           b * 1e6);
    if (s->batch == 1)
        printf("   %.2f us a step", b * 1e6 / (double)s->steps);
    printf("\n");
    fflush(stdout);
    network_free(&n);
}

static shape shape_of(char **words)
{
    shape s = {ELMAN_CELL_LSTM, atoll(words[1]), atoll(words[2]),
               atoll(words[3]), atoll(words[4]), atoll(words[5])};
    if (strcmp(words[0], "gru") == 0)
        s.cell = ELMAN_CELL_GRU;
    else if (strcmp(words[0], "rnn") == 0)
        s.cell = ELMAN_CELL_RNN;
    if (s.layers < 1 || s.layers > MAX_LAYERS || s.input < 1 || s.hidden < 1 || s.batch < 1 ||
        s.steps < 1) {
        fprintf(stderr, "bench_recurrent: expected CELL LAYERS INPUT HIDDEN BATCH STEPS\n");
        exit(2);
    }
    return s;
}

static void serve(elman_context *context, const shape *s)
{
    network n;
    network_make(&n, context, s);
    char what[16];
    int times;
    while (scanf("%15s %d", what, &times) == 2) {
        double begin = seconds(), used = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
        for (int i = 0; i < times; i++)
            run(&n, what[0] == 't');
        printf("%.9f %.9f\n", seconds() - begin, seconds_of(CLOCK_PROCESS_CPUTIME_ID) - used);
        fflush(stdout);
    }
    network_free(&n);
}

int main(int argc, char **argv)
{
    elman_context *context;
    elman_error error;
    check(elman_context_create(NULL, &context, &error), &error);
    if (argc == 8 && strcmp(argv[1], "--serve") == 0) {
        shape s = shape_of(argv + 2);
        serve(context, &s);
        elman_context_free(context);
        return 0;
    }
    printf("%s, %d threads\n", elman_isa_name(elman_context_isa(context)),
           elman_context_threads(context));
    if (argc >= 7) {
        for (int i = 1; i + 5 < argc; i += 6) {
            shape s = shape_of(argv + i);
            measure(context, &s);
        }
    } else {
        for (size_t i = 0; i < sizeof standard / sizeof *standard; i++)
            measure(context, &standard[i]);
    }
    elman_context_free(context);
    return 0;
}
