/* A random orthogonal matrix. */
#ifndef ELMAN_NN_ORTHOGONAL_H
#define ELMAN_NN_ORTHOGONAL_H

#include <stddef.h>

/* m [n,n], drawn from N(0,1), becomes gain times the orthogonal factor of its rows, by modified
 * Gram-Schmidt in double; uniform over the orthogonal matrices, since the triangular factor's
 * diagonal is positive (Mezzadri 2007). work: [n,n]. */
void elman_orthogonalise(float *m, size_t n, double gain, double *work);

#endif
