/* The inside of a context, for the library's own floors. */
#ifndef ELMAN_BASE_CONTEXT_IMPL_H
#define ELMAN_BASE_CONTEXT_IMPL_H

#include "elman/context.h"

struct elman_pool;
struct elman_kernels;

struct elman_context {
    elman_allocator allocator;
    elman_log_call log;
    void *log_user;
    int threads;
    elman_isa isa;                       /* never BEST */
    struct elman_pool *pool;             /* made at the first job with more than one thread */
    const struct elman_kernels *kernels; /* kernel/table.h fills it at the first use */
};

/* printf-formatted, to the context's log call. */
void elman_log(elman_context *context, elman_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
