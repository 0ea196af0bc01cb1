/* The colours in which a gradient by lag is painted. */
#ifndef ELMAN_FORMAT_HEAT_H
#define ELMAN_FORMAT_HEAT_H

/* By the logarithm of a norm relative to that at lag 0: dark violet at 1e-4 and below, by blue and
 * green to yellow at 1, and on to red at 100 and above; grey where it is not a number. */
void elman_heat_colour(double norm, unsigned char colour[3]);

#endif
