/* What a conditional random field answers: marginals and best paths; and what all of its
 * operations share. */
#include <inttypes.h>

#include "base/pool.h"
#include "op/crf.h"
#include "op/share.h"

bool elman_crf_fits(elman_tape *tape, const elman_crf *crf, const elman_var *emissions,
                    const elman_sequences *sequences)
{
    int64_t K = crf->start->value.shape[0];
    if (emissions->value.rank == 2 && emissions->value.shape[0] == sequences->N &&
        emissions->value.shape[1] == K)
        return true;
    elman_tape_fail(tape, ELMAN_ERROR_SHAPE,
                    "crf %s: the emissions are %s, expected [%" PRId64 ", %" PRId64 "]",
                    crf->transitions->name, elman_shape_print(emissions).text, sequences->N, K);
    return false;
}

float *elman_crf_transpose(elman_tape *tape, const elman_crf *crf)
{
    const float *A = crf->transitions->value.data;
    size_t K = (size_t)crf->start->value.shape[0];
    float *into = elman_tape_floats(tape, K * K);
    for (size_t i = 0; into && i < K; i++)
        for (size_t j = 0; j < K; j++)
            into[j * K + i] = A[i * K + j];
    return into;
}

int elman_crf_threads(const elman_tape *tape, const elman_sequences *sequences, size_t K)
{
    enum { TERMS = 16384 }; /* of a share worth a thread */
    int threads = elman_context_threads(tape->context);
    double shares = (double)sequences->N * (double)K * (double)K / TERMS + 1.0;
    return shares < (double)threads ? (int)shares : threads;
}

/* One of the two. */
typedef struct answers {
    const elman_crf *crf;
    const elman_var *emissions;
    const elman_sequences *sequences;
    const elman_math_kernels *math;
    const float *into;
    float *alpha, *p, *rows; /* marginals: [N,K], [N,K], [threads][K] */
    double *wide;            /* [threads][K], paths [threads][2][K] */
    int32_t *from, *tags;    /* paths: [threads][T,K], [N] */
    double *scores;          /* paths: [B] as given, or NULL */
} answers;

static void marginals_job(const elman_crew *crew, void *argument)
{
    const answers *a = argument;
    size_t K = elman_row_width(a->emissions), thread = (size_t)crew->index;
    elman_crf_sums sums = {a->math,
                           a->into,
                           a->crf->start->value.data,
                           a->crf->end->value.data,
                           a->rows + thread * K,
                           a->wide + thread * K};
    for (size_t place = thread; place < (size_t)a->sequences->B; place += (size_t)crew->count) {
        elman_crf_line line = elman_crf_line_of(a->sequences, K, place);
        if (line.T == 0)
            continue;
        elman_crf_forward(&sums, &line, a->emissions->value.data, a->alpha);
        elman_crf_backward(&sums, &line, a->alpha, a->p);
    }
}

elman_var *elman_op_crf_marginals(elman_tape *tape, const elman_crf *crf,
                                  const elman_var *emissions, const elman_sequences *sequences)
{
    if (!emissions || !sequences || elman_tape_failed(tape) ||
        !elman_crf_fits(tape, crf, emissions, sequences))
        return NULL;
    size_t K = elman_row_width(emissions), N = (size_t)sequences->N;
    int threads = elman_crf_threads(tape, sequences, K);
    elman_var *p = elman_tape_var(tape, 2, emissions->value.shape, false);
    answers a = {.crf = crf, .emissions = emissions, .sequences = sequences};
    a.into = elman_crf_transpose(tape, crf);
    a.alpha = elman_tape_floats(tape, N * K);
    a.rows = elman_tape_floats(tape, (size_t)threads * K);
    a.wide = elman_tape_take(tape, (size_t)threads * K, sizeof *a.wide);
    if (elman_tape_failed(tape))
        return NULL;
    a.p = p->value.data;
    a.math = elman_kernels_of(tape->context)->math;
    elman_pool_run_on(tape->context, threads, marginals_job, &a);
    return p;
}

static void paths_job(const elman_crew *crew, void *argument)
{
    const answers *a = argument;
    size_t K = elman_row_width(a->emissions), T = (size_t)a->sequences->T;
    size_t thread = (size_t)crew->index;
    double *best = a->wide + thread * 2 * K;
    elman_crf_path path = {a->crf->transitions->value.data,
                           a->crf->start->value.data,
                           a->crf->end->value.data,
                           {best, best + K},
                           a->from + thread * T * K};
    for (size_t place = thread; place < (size_t)a->sequences->B; place += (size_t)crew->count) {
        elman_crf_line line = elman_crf_line_of(a->sequences, K, place);
        double score = elman_crf_viterbi(&path, &line, a->emissions->value.data, a->tags);
        if (a->scores)
            a->scores[a->sequences->order[place]] = score;
    }
}

void elman_op_crf_decode(elman_tape *tape, const elman_crf *crf, const elman_var *emissions,
                         const elman_sequences *sequences, int32_t *tags, double *scores)
{
    if (!emissions || !sequences || elman_tape_failed(tape) ||
        !elman_crf_fits(tape, crf, emissions, sequences))
        return;
    size_t K = elman_row_width(emissions), T = (size_t)sequences->T;
    int threads = elman_crf_threads(tape, sequences, K);
    answers a = {.crf = crf, .emissions = emissions, .sequences = sequences};
    a.tags = tags;
    a.scores = scores;
    a.wide = elman_tape_take(tape, (size_t)threads * 2 * K, sizeof *a.wide);
    a.from = elman_tape_take(tape, (size_t)threads * T, K * sizeof *a.from);
    if (!elman_tape_failed(tape))
        elman_pool_run_on(tape->context, threads, paths_job, &a);
}
