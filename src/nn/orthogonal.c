#include "nn/orthogonal.h"

#include <math.h>
#include <string.h>

enum { LANES = 8 };

/* Element i goes to lane i mod 8; the lanes are added as a tree. */
static double dot(const double *a, const double *b, size_t n)
{
    double lane[LANES] = {0};
    size_t whole = n - n % LANES;
    for (size_t i = 0; i < whole; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            lane[l] += a[i + l] * b[i + l];
    for (size_t l = 0; whole + l < n; l++)
        lane[l] += a[whole + l] * b[whole + l];
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) +
           ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

/* row = row / |row|; a row of zeros becomes the unit vector i. */
static void normalise(double *row, size_t n, size_t i)
{
    double norm = sqrt(dot(row, row, n));
    if (norm > 0) {
        for (size_t k = 0; k < n; k++)
            row[k] /= norm;
    } else {
        memset(row, 0, n * sizeof *row);
        row[i] = 1;
    }
}

void elman_orthogonalise(float *m, size_t n, double gain, double *work)
{
    for (size_t k = 0; k < n * n; k++)
        work[k] = (double)m[k];
    for (size_t i = 0; i < n; i++) {
        double *q = work + i * n;
        normalise(q, n, i);
        for (size_t j = i + 1; j < n; j++) {
            double *row = work + j * n, part = dot(q, row, n);
            for (size_t k = 0; k < n; k++)
                row[k] -= part * q[k];
        }
    }
    for (size_t k = 0; k < n * n; k++)
        m[k] = (float)(gain * work[k]);
}
