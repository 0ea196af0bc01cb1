/* The recursions of one sequence; crf.h has the equations. */
#include "op/crf.h"

#include "op/share.h"

/* at = v less its largest, which is answered. */
static double settle(size_t K, const double *v, float *at)
{
    double largest = v[0];
    for (size_t j = 1; j < K; j++)
        largest = v[j] > largest ? v[j] : largest;
    for (size_t j = 0; j < K; j++)
        at[j] = elman_flush((float)(v[j] - largest));
    return largest;
}

double elman_crf_forward(const elman_crf_sums *sums, const elman_crf_line *line,
                         const float *emissions, float *alpha)
{
    size_t K = line->K;
    double taken = 0.0;
    const float *before = NULL;
    for (size_t t = 0; t < line->T; t++) {
        size_t at = elman_crf_row(line, t) * K;
        for (size_t j = 0; j < K; j++) {
            double into = (double)sums->start[j];
            if (before) {
                sums->math->add(sums->row, before, sums->into + j * K, K);
                into = sums->math->log_sum_exp(sums->row, K);
            }
            sums->wide[j] = into + (double)emissions[at + j];
        }
        taken += settle(K, sums->wide, alpha + at);
        before = alpha + at;
    }
    sums->math->add(sums->row, before, sums->end, K);
    return taken + sums->math->log_sum_exp(sums->row, K);
}

void elman_crf_backward(const elman_crf_sums *sums, const elman_crf_line *line, const float *alpha,
                        float *p)
{
    size_t K = line->K, last = elman_crf_row(line, line->T - 1) * K;
    sums->math->add(sums->row, alpha + last, sums->end, K);
    sums->math->softmax_row(p + last, sums->row, K);
    for (size_t t = line->T - 1; t > 0; t--) {
        const float *after = p + elman_crf_row(line, t) * K;
        size_t at = elman_crf_row(line, t - 1) * K;
        for (size_t j = 0; j < K; j++) {
            sums->math->add(sums->row, alpha + at, sums->into + j * K, K);
            sums->math->softmax_row(sums->row, sums->row, K);
            sums->math->scale(p + at, sums->row, after[j], K, j > 0);
        }
    }
}

/* next(j) = max over i of best(i) + A_ij, from(j) the lowest such i. */
static void extend(size_t K, const double *best, const float *A, double *next, int32_t *from)
{
    for (size_t j = 0; j < K; j++) {
        next[j] = best[0] + (double)A[j];
        from[j] = 0;
    }
    for (size_t i = 1; i < K; i++)
        for (size_t j = 0; j < K; j++) {
            double score = best[i] + (double)A[i * K + j];
            bool better = score > next[j];
            next[j] = better ? score : next[j];
            from[j] = better ? (int32_t)i : from[j];
        }
}

double elman_crf_viterbi(const elman_crf_path *path, const elman_crf_line *line,
                         const float *emissions, int32_t *tags)
{
    size_t K = line->K;
    double *best = path->best[0], *next = path->best[1];
    if (line->T == 0)
        return 0.0;
    for (size_t t = 0; t < line->T; t++) {
        const float *e = emissions + elman_crf_row(line, t) * K;
        if (t == 0)
            for (size_t j = 0; j < K; j++)
                next[j] = (double)path->start[j];
        else
            extend(K, best, path->transitions, next, path->from + t * K);
        for (size_t j = 0; j < K; j++)
            next[j] += (double)e[j];
        double *other = best;
        best = next;
        next = other;
    }
    size_t tag = 0;
    for (size_t j = 0; j < K; j++) {
        best[j] += (double)path->end[j];
        tag = best[j] > best[tag] ? j : tag;
    }
    double score = best[tag];
    for (size_t t = line->T - 1; t > 0; t--) {
        tags[elman_crf_row(line, t)] = (int32_t)tag;
        tag = (size_t)path->from[t * K + tag];
    }
    tags[elman_crf_row(line, 0)] = (int32_t)tag;
    return score;
}
