/* What a classifier is worth: scores from counts, calibration, and the temperature that mends it.
 *
 * Plain double arithmetic in the order given; a caller that adds items in the order of the data
 * gets the same bits on every machine. */
#ifndef ELMAN_TASK_METRICS_H
#define ELMAN_TASK_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "elman/context.h"

/* Precision, recall and F1 = 2PR/(P+R); 0 where a denominator is 0 (sklearn's zero_division=0).
 * support: items that truly are of the class. */
typedef struct elman_score {
    double precision, recall, f1;
    int64_t support;
} elman_score;

/* From what was found rightly, what was answered and what was true. */
elman_score elman_score_of(int64_t right, int64_t answered, int64_t support);

/* For means of scores: precision, recall and F1 of `sum` += weight times the score's, and divided
 * by the sum of the weights (0 where that is 0). */
void elman_score_add(elman_score *sum, const elman_score *score, double weight);
void elman_score_divide(elman_score *sum, double weights);

typedef struct elman_class_scores {
    double accuracy;      /* NaN where there are no items */
    elman_score macro;    /* means over the classes that occur, as truth or as answer */
    elman_score micro;    /* from the sums; of one label an item all three are the accuracy */
    elman_score weighted; /* means over the classes, weighed by support */
    int64_t items, right;
} elman_class_scores;

/* counts [K,K]: counts[i*K + j] items of class i were answered as j. classes: [K] or NULL. */
void elman_class_scores_of(const int64_t *counts, int64_t K, elman_score *classes,
                           elman_class_scores *scores);

/* --- calibration -------------------------------------------------------------------------- */

/* Expected calibration error (Guo et al. 2017, "On calibration of modern neural networks",
 * equation 3): bin m holds the answers of a top probability in ((m-1)/15, m/15]. */
enum { ELMAN_CALIBRATION_BINS = 15 };
typedef struct elman_calibration {
    int64_t count[ELMAN_CALIBRATION_BINS], right[ELMAN_CALIBRATION_BINS];
    double probability[ELMAN_CALIBRATION_BINS]; /* sums of the answers' */
} elman_calibration;                            /* {0} is the empty one */

/* An answer of that probability, 0 to 1. */
void elman_calibration_add(elman_calibration *calibration, double probability, bool right);
/* sum over bins of |bin|/n * |accuracy - mean probability|; NaN where nothing was added. */
double elman_calibration_error(const elman_calibration *calibration);

/* A temperature: answers are softmax(logits * (float)(1/value)). */
typedef struct elman_temperature {
    double value;
    double before, after; /* nats an item at temperature 1 and at value; NaN without items */
} elman_temperature;

/* The temperature that minimises the mean of -log softmax(logits/T)[target] (Guo et al. 2017,
 * section 4.2) over items of logits [n,K] and targets [n]; those of ELMAN_IGNORE_TARGET do not
 * count. The loss is convex in b = 1/T: its slope, the mean of sum_k p_k (z_k - z_target), is
 * halved in on between T = 1/256 and 256, the ends where it has no zero between. 1 without items
 * and where the loss is the same at every temperature. softmax and losses are the kernels', slopes
 * add in double in the order of items: the same bits everywhere. DATA: a target outside 0..K-1;
 * NUMERIC: a logit that is not finite. */
elman_status elman_temperature_fit(elman_context *context, const float *logits,
                                   const int32_t *targets, int64_t n, int64_t K,
                                   elman_temperature *fitted, elman_error *error);

#endif
