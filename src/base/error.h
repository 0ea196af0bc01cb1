/* Filling a caller's elman_error, and sizes that cannot overflow. */
#ifndef ELMAN_BASE_ERROR_H
#define ELMAN_BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elman/status.h"

/* Fills *error (which may be NULL) with the code and the printf-formatted line,
 * control characters escaped, cut on a code point; returns code. */
elman_status elman_fail(elman_error *error, elman_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Where there is no more to say than that. */
elman_status elman_out_of_memory(elman_error *error);

/* The line for errno after a system call on a path: "PATH: WHAT: strerror". */
elman_status elman_fail_errno(elman_error *error, const char *path, const char *what);

/* *out = a*b or a+b; false (and *out untouched) where it would overflow. */
static inline bool elman_size_multiply(size_t a, size_t b, size_t *out)
{
    size_t r;
    if (__builtin_mul_overflow(a, b, &r))
        return false;
    *out = r;
    return true;
}

static inline bool elman_size_add(size_t a, size_t b, size_t *out)
{
    size_t r;
    if (__builtin_add_overflow(a, b, &r))
        return false;
    *out = r;
    return true;
}

/* Runs a call that returns elman_status; passes its failure on. */
#define ELMAN_TRY(call)                                                                            \
    do {                                                                                           \
        elman_status elman_try_status = (call);                                                    \
        if (elman_try_status != ELMAN_OK)                                                          \
            return elman_try_status;                                                               \
    } while (0)

#endif
