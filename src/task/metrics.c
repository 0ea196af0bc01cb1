/* Scores from counts, and calibration. */
#include "task/metrics.h"

#include <math.h>

static double ratio(double a, double b)
{
    return b > 0.0 ? a / b : 0.0;
}

elman_score elman_score_of(int64_t right, int64_t answered, int64_t support)
{
    /* 2PR/(P+R) = 2 right / (answered + support) */
    return (elman_score){ratio((double)right, (double)answered),
                         ratio((double)right, (double)support),
                         ratio(2.0 * (double)right, (double)answered + (double)support), support};
}

void elman_score_add(elman_score *sum, const elman_score *score, double weight)
{
    sum->precision += weight * score->precision;
    sum->recall += weight * score->recall;
    sum->f1 += weight * score->f1;
}

void elman_score_divide(elman_score *sum, double weights)
{
    sum->precision = ratio(sum->precision, weights);
    sum->recall = ratio(sum->recall, weights);
    sum->f1 = ratio(sum->f1, weights);
}

void elman_class_scores_of(const int64_t *counts, int64_t K, elman_score *classes,
                           elman_class_scores *scores)
{
    int64_t occurring = 0;
    *scores = (elman_class_scores){0};
    for (int64_t k = 0; k < K; k++) {
        int64_t answered = 0, support = 0, right = counts[k * K + k];
        for (int64_t i = 0; i < K; i++) {
            answered += counts[i * K + k];
            support += counts[k * K + i];
        }
        elman_score score = elman_score_of(right, answered, support);
        if (classes)
            classes[k] = score;
        scores->items += support;
        scores->right += right;
        occurring += answered > 0 || support > 0;
        elman_score_add(&scores->macro, &score, 1.0);
        elman_score_add(&scores->weighted, &score, (double)support);
    }
    elman_score_divide(&scores->macro, (double)occurring);
    elman_score_divide(&scores->weighted, (double)scores->items);
    scores->micro = elman_score_of(scores->right, scores->items, scores->items);
    scores->macro.support = scores->weighted.support = scores->items;
    scores->accuracy =
        scores->items > 0 ? (double)scores->right / (double)scores->items : (double)NAN;
}

void elman_calibration_add(elman_calibration *calibration, double probability, bool right)
{
    int bin = 0;
    while (bin < ELMAN_CALIBRATION_BINS - 1 &&
           probability > (double)(bin + 1) / ELMAN_CALIBRATION_BINS)
        bin++;
    calibration->count[bin]++;
    calibration->right[bin] += right;
    calibration->probability[bin] += probability;
}

double elman_calibration_error(const elman_calibration *calibration)
{
    int64_t n = 0;
    double sum = 0.0;
    for (int bin = 0; bin < ELMAN_CALIBRATION_BINS; bin++) {
        n += calibration->count[bin];
        sum += fabs((double)calibration->right[bin] - calibration->probability[bin]);
    }
    return n > 0 ? sum / (double)n : (double)NAN;
}
