/* The context's threads. A job runs on all of them at once, each told its index;
 * it splits its work by index and count alone, and never so that a result
 * depends on the split. */
#ifndef ELMAN_BASE_POOL_H
#define ELMAN_BASE_POOL_H

#include <stddef.h>

#include "elman/context.h"

typedef struct elman_pool elman_pool;

/* What a job knows about where it runs. */
typedef struct elman_crew {
    elman_pool *pool;
    int index; /* 0..count-1; 0 is the caller's own thread */
    int count;
} elman_crew;

typedef void (*elman_job)(const elman_crew *crew, void *argument);

/* Runs job on every thread and returns when all are done. The caller's rounding
 * and flush modes are set aside for the length of the call and restored; every
 * thread computes in round-to-nearest with gradual underflow. Workers that sleep
 * are woken; a pool that was inherited over fork makes its threads anew (where
 * that fails, the caller's thread does all the work, as a crew of one). */
void elman_pool_run(elman_context *context, elman_job job, void *argument);

/* The same on at most `count` threads; a crew of one never wakes anybody. */
void elman_pool_run_on(elman_context *context, int count, elman_job job, void *argument);

/* Between begin and end the workers spin for the next job instead of sleeping
 * (yielding where there are more threads than cores). Calls nest. A training
 * step is one begin..end. */
void elman_pool_begin(elman_context *context);
void elman_pool_end(elman_context *context);

/* Inside a job: waits until every thread of the crew has come here. A crew of
 * one passes at once. Writes made before it are seen by all after it. */
void elman_crew_wait(const elman_crew *crew);

/* This thread's share [*begin, *end) of `total` items, in whole multiples of
 * `grain` (>= 1) but for the last. */
void elman_crew_share(const elman_crew *crew, size_t total, size_t grain, size_t *begin,
                      size_t *end);

/* Ends the threads and releases the pool, if there is one. In a child of fork,
 * which has no threads to end, it releases the memory. */
void elman_pool_free(elman_context *context);

#endif
