/* Numbers read and written the same in every locale. */
#ifndef ELMAN_BASE_NUMBER_H
#define ELMAN_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The whole of text must be one number: no white space, no rest. A real may be
 * nan or inf; the caller decides. Decimal integers only. */
bool elman_parse_real(const char *text, double *value);
bool elman_parse_integer(const char *text, int64_t *value);
/* The shortest decimal that reads back as the same double; at most 32 bytes with
 * the zero byte; whole numbers below 1e15 without an exponent. "nan", "inf", "-inf" for what is not
 * finite. */
void elman_print_real(char text[32], double value);
/* The same of a number rounded to so many significant digits. */
void elman_print_rounded(char text[32], double value, int digits);

#endif
