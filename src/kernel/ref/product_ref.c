#include "kernel/ref/product_ref.h"

#include <math.h>

float elman_ref_chain(float initial, size_t k, const float *a, ptrdiff_t da, const float *b,
                      ptrdiff_t db)
{
    float sum = initial;
    for (size_t i = 0; i < k; i++)
        sum = fmaf(a[(ptrdiff_t)i * da], b[(ptrdiff_t)i * db], sum);
    return sum;
}

double elman_ref_dot(float initial, size_t k, const float *a, ptrdiff_t da, const float *b,
                     ptrdiff_t db, double *magnitude)
{
    double sum = (double)initial;
    *magnitude = fabs((double)initial);
    for (size_t i = 0; i < k; i++) {
        double term = (double)a[(ptrdiff_t)i * da] * (double)b[(ptrdiff_t)i * db];
        sum += term;
        *magnitude += fabs(term);
    }
    return sum;
}
