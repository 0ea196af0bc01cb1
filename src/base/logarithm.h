/* Natural logarithm and exponential in double, the same bits on every machine; for figures about
 * a network, not for what it computes. */
#ifndef ELMAN_BASE_LOGARITHM_H
#define ELMAN_BASE_LOGARITHM_H

/* ln x, within 4 units of the last place; x > 0 (0: -infinity; below 0, NaN: NaN). */
double elman_logarithm(double x);
/* e^x, within 4 units of the last place; 0 and infinity beyond the range. */
double elman_exponential(double x);
/* To the base 10: exact at powers of ten, else within 1e-15 of x's logarithm, relative where that
 * is above 1, and within 1e-14 of the power, relative. */
double elman_logarithm10(double x);
double elman_exponential10(double x);

#endif
