/* Status values and the error that a caller owns.
 *
 * A library function that can fail returns an elman_status and, where the
 * caller passed an elman_error, fills it. It never prints, exits or aborts on
 * what a caller or a file can cause. */
#ifndef ELMAN_STATUS_H
#define ELMAN_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define ELMAN_API __attribute__((visibility("default")))
#else
#define ELMAN_API
#endif

typedef enum elman_status {
    ELMAN_OK = 0,
    ELMAN_ERROR_ARGUMENT,    /* a value that the function does not accept */
    ELMAN_ERROR_SHAPE,       /* shapes that do not fit each other */
    ELMAN_ERROR_MEMORY,      /* the allocator answered NULL, or a size overflows */
    ELMAN_ERROR_IO,          /* the operating system refused a file operation */
    ELMAN_ERROR_FORMAT,      /* a file's bytes are not what its format demands */
    ELMAN_ERROR_DATA,        /* well-formed data that cannot be used */
    ELMAN_ERROR_EXISTS,      /* something stands where a new thing was to be written */
    ELMAN_ERROR_NUMERIC,     /* a value that is not finite */
    ELMAN_ERROR_UNSUPPORTED, /* legal, but not on this machine or in this build */
    ELMAN_ERROR_INTERRUPTED, /* a signal or a callback asked to stop; state was saved */
    ELMAN_ERROR_BUSY         /* somebody else holds it */
} elman_status;

enum { ELMAN_ERROR_CAPACITY = 1024 };

/* Filled by a function that fails: one line of UTF-8 without a line end that
 * names the file, line, field or shape, what was found and what was expected.
 * A function that succeeds leaves it alone. */
typedef struct elman_error {
    elman_status code;
    char message[ELMAN_ERROR_CAPACITY];
} elman_error;

/* The short name of a status, such as "out of memory"; a static string. */
ELMAN_API const char *elman_status_name(elman_status status);

#ifdef __cplusplus
}
#endif

#endif
