/* The matrix products alone.
 *
 *   bench_product [M N K]...
 *   bench_product --serve M N K
 *
 * One line a shape: GFLOP/s of c [M,N] = a [M,K] W^T ("rows", W packed), of the weight gradient
 * dW [N,K] = c^T a ("columns"), and nanoseconds an element to pack W. The second form reads
 * "rows N" and "columns N" lines, runs that often and answers the seconds: compare_product.py
 * alternates it with PyTorch. ELMAN_THREADS and ELMAN_ISA hold. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/context_impl.h"
#include "base/memory.h"
#include "op/product.h"

typedef struct shape {
    size_t m, n, k;
} shape;

static const shape standard[] = {
    {50, 512, 128},    {50, 2048, 512}, {400, 800, 200},   {700, 2600, 650},  {2500, 512, 128},
    {2500, 2048, 512}, {2500, 65, 512}, {256, 10000, 200}, {256, 10000, 650}, {256, 200, 10000},
    {256, 650, 10000}, {20, 800, 200},  {1, 1024, 256},    {1, 2048, 512},    {2, 2048, 512},
    {4, 2048, 512},    {7, 1028, 257},
};

typedef struct work {
    elman_context *context;
    const elman_product_kernels *kernels;
    elman_weight weight;
    elman_product_rows rows;
    elman_product_columns columns;
    float *scratch;
} work;

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void pack_job(const elman_crew *crew, void *argument)
{
    elman_weight_fill(crew, &((work *)argument)->weight);
}

static void rows_job(const elman_crew *crew, void *argument)
{
    work *w = argument;
    elman_product_rows_shared(crew, w->kernels, &w->rows);
}

static void columns_job(const elman_crew *crew, void *argument)
{
    work *w = argument;
    elman_product_columns_shared(crew, w->kernels, &w->columns, w->scratch);
}

static double run(work *w, elman_job job, long times)
{
    elman_pool_begin(w->context);
    double begin = seconds();
    for (long i = 0; i < times; i++)
        elman_pool_run(w->context, job, w);
    double took = seconds() - begin;
    elman_pool_end(w->context);
    return took;
}

static float *numbers(elman_context *context, size_t n)
{
    float *x = elman_allocate(context, n + 1, sizeof *x);
    if (!x) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    uint32_t state = 1;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525U + 1013904223U;
        x[i] = (float)(state >> 8) * 0x1p-24F - 0.5F;
    }
    return x;
}

static work prepare(elman_context *context, shape s, float *taken[6])
{
    work w = {.context = context, .kernels = elman_kernels_of(context)->product};
    int threads = elman_context_threads(context);
    const size_t sizes[6] = {
        s.m * s.k, s.n * s.k,
        s.m * s.n, elman_product_packed(w.kernels, s.k, s.n),
        s.n * s.k, elman_product_columns_floats(w.kernels, s.n, s.k, s.m, threads)};
    for (int i = 0; i < 6; i++)
        taken[i] = numbers(context, sizes[i]);
    w.weight = (elman_weight){w.kernels, taken[1], s.k, s.n, true, true, taken[3]};
    w.rows = (elman_product_rows){.m = s.m, .k = s.k, .n = s.n, .b = taken[3]};
    w.rows.a = elman_rows_at(taken[0], (ptrdiff_t)s.k);
    w.rows.c = elman_rows_mutable_at(taken[2], (ptrdiff_t)s.n);
    w.columns = (elman_product_columns){.k = s.m, .m = s.n, .n = s.k, .c = taken[4], .ldc = s.k};
    w.columns.a = elman_rows_at(taken[2], (ptrdiff_t)s.n);
    w.columns.b = elman_rows_at(taken[0], (ptrdiff_t)s.k);
    w.scratch = taken[5];
    run(&w, pack_job, 1);
    return w;
}

/* The best of some runs of about 20 ms. */
static double best(work *w, elman_job job)
{
    double once = run(w, job, 1), least = 1e9;
    long times = once < 0.02 ? (long)(0.02 / (once + 1e-7)) + 1 : 1;
    for (int i = 0; i < 12; i++) {
        double took = run(w, job, times) / (double)times;
        least = took < least ? took : least;
    }
    return least;
}

static void release(elman_context *context, float *taken[6])
{
    for (int i = 0; i < 6; i++)
        elman_release(context, taken[i]);
}

static void measure(elman_context *context, shape s)
{
    float *taken[6];
    work w = prepare(context, s, taken);
    double giga = 2e-9 * (double)s.m * (double)s.n * (double)s.k;
    double rows = giga / best(&w, rows_job), columns = giga / best(&w, columns_job);
    double pack = best(&w, pack_job) * 1e9 / (double)(s.n * s.k);
    printf("%5zu x %5zu x %5zu  rows %6.1f  columns %6.1f GFLOP/s  pack %.2f ns\n", s.m, s.n, s.k,
           rows, columns, pack);
    fflush(stdout);
    release(context, taken);
}

static int serve(elman_context *context, shape s)
{
    float *taken[6];
    work w = prepare(context, s, taken);
    char what[16];
    long times;
    while (scanf("%15s %ld", what, &times) == 2) {
        printf("%.9f\n", run(&w, strcmp(what, "rows") == 0 ? rows_job : columns_job, times));
        fflush(stdout);
    }
    release(context, taken);
    return 0;
}

static shape read_shape(char **words)
{
    return (shape){strtoul(words[0], NULL, 10), strtoul(words[1], NULL, 10),
                   strtoul(words[2], NULL, 10)};
}

int main(int count, char **words)
{
    elman_context *context;
    elman_error error;
    if (elman_context_create(NULL, &context, &error) != ELMAN_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    if (count == 5 && strcmp(words[1], "--serve") == 0) {
        int status = serve(context, read_shape(words + 2));
        elman_context_free(context);
        return status;
    }
    printf("%s, %d threads\n", elman_isa_name(elman_context_isa(context)),
           elman_context_threads(context));
    for (int i = 1; i + 2 < count; i += 3)
        measure(context, read_shape(words + i));
    for (size_t i = 0; count == 1 && i < sizeof standard / sizeof standard[0]; i++)
        measure(context, standard[i]);
    elman_context_free(context);
    return 0;
}
