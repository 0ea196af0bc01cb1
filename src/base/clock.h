/* Time, for progress and never for a result. */
#ifndef ELMAN_BASE_CLOCK_H
#define ELMAN_BASE_CLOCK_H

/* Seconds since some fixed moment; it never goes back. */
double elman_clock(void);
/* Seconds since 1970. */
double elman_clock_wall(void);

#endif
