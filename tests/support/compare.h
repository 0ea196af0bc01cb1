/* Comparing what was computed with what it should be. A mismatch is described on
 * standard error. */
#ifndef COMPARE_H
#define COMPARE_H

#include <stdbool.h>
#include <stddef.h>

/* |got - want| <= k * 2^-23 * magnitude for each of n elements, where magnitude is
 * the sum of the absolute values of the terms that were added up for the element
 * (NULL: |want|), and results below 2^-126 may have become zero. A NaN matches
 * only a NaN, an infinity only itself. */
bool compare_close(const float *got, const double *want, const double *magnitude, size_t n,
                   double k);

/* The same bits, where any NaN equals any NaN. */
bool compare_bits(const float *a, const float *b, size_t n);

/* Whether the elements hold at least two different finite values: data that are all
 * zeros prove nothing. */
bool compare_varied(const float *a, size_t n);

#endif
