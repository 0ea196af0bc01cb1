/* The context: threads, memory, instruction set and log, in place of globals.
 *
 * It comes first in every call that needs one. A context is used by one caller
 * thread at a time; its own worker threads are its business. */
#ifndef ELMAN_CONTEXT_H
#define ELMAN_CONTEXT_H

#include <stddef.h>

#include "elman/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct elman_context elman_context;

/* Vector instruction sets; every one gives the same bits. */
typedef enum elman_isa {
    ELMAN_ISA_BEST = 0, /* the best that this processor has */
    ELMAN_ISA_SCALAR,
    ELMAN_ISA_AVX2,
    ELMAN_ISA_AVX512,
    ELMAN_ISA_NEON
} elman_isa;

/* Memory comes from here. allocate answers at least `bytes` bytes aligned to 64,
 * or NULL; release takes what allocate answered, never NULL. Both may be called
 * from the thread that calls the library only. */
typedef struct elman_allocator {
    void *(*allocate)(void *user, size_t bytes);
    void (*release)(void *user, void *memory);
    void *user;
} elman_allocator;

typedef enum elman_log_level { ELMAN_LOG_INFO, ELMAN_LOG_WARNING } elman_log_level;

/* One line, without a line end; the string lives for the length of the call. */
typedef void (*elman_log_call)(void *user, elman_log_level level, const char *line);

typedef struct elman_context_options {
    size_t size;               /* sizeof(elman_context_options), set by _default */
    int threads;               /* 1..256; 0: ELMAN_THREADS, else the processors available */
    elman_isa isa;             /* BEST: ELMAN_ISA (scalar avx2 avx512 neon), else the best */
    elman_allocator allocator; /* all NULL: aligned_alloc and free */
    elman_log_call log;        /* NULL: silence */
    void *log_user;
} elman_context_options;

/* Fills every field with its default. */
ELMAN_API void elman_context_options_default(elman_context_options *options);

/* Makes a context. options may be NULL (the defaults). *context belongs to the
 * caller, who ends it with elman_context_free after everything made from it.
 * ARGUMENT: a thread count out of bounds, an unreadable ELMAN_THREADS or
 * ELMAN_ISA; UNSUPPORTED: an instruction set that this processor lacks. */
ELMAN_API elman_status elman_context_create(const elman_context_options *options,
                                            elman_context **context, elman_error *error);

/* Ends the worker threads and frees the context; NULL is fine. */
ELMAN_API void elman_context_free(elman_context *context);

ELMAN_API int elman_context_threads(const elman_context *context);
ELMAN_API elman_isa elman_context_isa(const elman_context *context);

/* "scalar", "avx2", "avx512", "neon"; a static string. */
ELMAN_API const char *elman_isa_name(elman_isa isa);

#ifdef __cplusplus
}
#endif

#endif
