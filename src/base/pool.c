#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/context_impl.h"
#include "base/cpu.h"
#include "base/float_environment.h"
#include "base/memory.h"

/* Turns of a spin before the processor is offered to others: few where there are
 * more threads than processors, many where it can only be somebody else's. */
enum { TURNS_CROWDED = 16, TURNS_ALONE = 1 << 10 };

/* A ticket's low bits hold its crew, so that one load tells a worker whether the
 * job is its own; what else describes the job may then be read without a race,
 * since run waits for everyone in the crew. */
enum { CREW_BITS = 16 };
static const uint64_t crew_mask = ((uint64_t)1 << CREW_BITS) - 1;

typedef struct worker {
    alignas(64) atomic_bool asleep;
    bool joinable;
    int index;
    uint64_t seen; /* the last ticket that this worker looked at */
    elman_pool *pool;
    pthread_t thread;
    pthread_cond_t wake;
} worker;

struct elman_pool {
    alignas(64) _Atomic uint64_t ticket;
    atomic_int spinning; /* depth of begin..end */
    atomic_bool quit;
    elman_job job;
    void *argument;
    alignas(64) atomic_int pending; /* workers of the crew that are still at it */
    alignas(64) atomic_int arrived; /* at the barrier */
    alignas(64) atomic_uint phase;  /* of the barrier */
    alignas(64) pthread_mutex_t mutex;
    pid_t owner; /* the process that the threads live in */
    int count;   /* 1 where no threads could be made */
    int turns;
    bool running;
    worker workers[]; /* [count - 1] */
};

static void spin_once(int *turn, int turns)
{
    if (++*turn < turns) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        __asm__ volatile("isb" ::: "memory");
#endif
        return;
    }
    *turn = 0;
    sched_yield();
}

/* Sleeping: the worker says that it sleeps and looks at the ticket again, the
 * caller changes the ticket and looks who sleeps; in the single order of these
 * four one sees the other. The changes are exchanges rather than stores: emulators
 * of AArch64 keep the order of an exchange and a later load, but not of a store. */
static void sleep_until_called(worker *w)
{
    elman_pool *pool = w->pool;
    pthread_mutex_lock(&pool->mutex);
    (void)atomic_exchange(&w->asleep, true);
    while (atomic_load(&pool->ticket) == w->seen && !atomic_load(&pool->quit))
        pthread_cond_wait(&w->wake, &pool->mutex);
    atomic_store(&w->asleep, false);
    pthread_mutex_unlock(&pool->mutex);
}

static void wake(elman_pool *pool, worker *w)
{
    if (!atomic_load(&w->asleep))
        return;
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&pool->mutex);
}

static void *work(void *argument)
{
    worker *w = argument;
    elman_pool *pool = w->pool;
    (void)elman_float_begin();
    for (;;) {
        uint64_t ticket;
        int turn = 0;
        while ((ticket = atomic_load_explicit(&pool->ticket, memory_order_acquire)) == w->seen) {
            if (atomic_load_explicit(&pool->quit, memory_order_acquire))
                return NULL;
            if (atomic_load_explicit(&pool->spinning, memory_order_relaxed) > 0)
                spin_once(&turn, pool->turns);
            else
                sleep_until_called(w);
        }
        w->seen = ticket;
        int count = (int)(ticket & crew_mask);
        if (w->index >= count)
            continue;
        elman_crew crew = {pool, w->index, count};
        pool->job(&crew, pool->argument);
        (void)elman_float_begin(); /* whatever the job left */
        atomic_fetch_sub_explicit(&pool->pending, 1, memory_order_release);
    }
}

static void end_threads(elman_pool *pool)
{
    (void)atomic_exchange(&pool->quit, true);
    for (int i = 0; i < pool->count - 1; i++) {
        worker *w = &pool->workers[i];
        if (!w->joinable)
            continue;
        wake(pool, w);
        pthread_join(w->thread, NULL);
        pthread_cond_destroy(&w->wake);
        w->joinable = false;
    }
}

/* Makes the threads of a cleared or an inherited pool. Signals stay with the
 * caller's threads. Where one cannot be made, none is. */
static void make_threads(elman_pool *pool, int count)
{
    atomic_init(&pool->ticket, 0);
    /* A parent that was between begin and end has its count here; its end is not ours. */
    atomic_init(&pool->spinning, 0);
    atomic_init(&pool->quit, false);
    atomic_init(&pool->pending, 0);
    atomic_init(&pool->arrived, 0);
    atomic_init(&pool->phase, 0);
    pool->running = false;
    pool->owner = getpid();
    pool->count = count;
    pool->turns = count > elman_cpu_count() ? TURNS_CROWDED : TURNS_ALONE;
    memset(pool->workers, 0, (size_t)(count - 1) * sizeof pool->workers[0]);
    pthread_mutex_init(&pool->mutex, NULL);

    sigset_t all, before;
    sigfillset(&all);
    bool masked = pthread_sigmask(SIG_SETMASK, &all, &before) == 0;
    bool made = masked;
    for (int i = 0; made && i < count - 1; i++) {
        worker *w = &pool->workers[i];
        w->pool = pool;
        w->index = i + 1;
        pthread_cond_init(&w->wake, NULL);
        made = pthread_create(&w->thread, NULL, work, w) == 0;
        w->joinable = made;
        if (!made)
            pthread_cond_destroy(&w->wake);
    }
    if (masked)
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!made) {
        end_threads(pool);
        pool->count = 1;
    }
}

/* The pool with its threads alive in this process; NULL when memory is out. */
static elman_pool *ready_pool(elman_context *context)
{
    elman_pool *pool = context->pool;
    if (pool && pool->owner == getpid())
        return pool;
    if (!pool) {
        size_t workers = (size_t)(context->threads - 1) * sizeof(worker);
        pool = elman_allocate_zero(context, 1, sizeof *pool + workers);
        if (!pool)
            return NULL;
        context->pool = pool;
    }
    make_threads(pool, context->threads);
    return pool;
}

void elman_pool_run_on(elman_context *context, int count, elman_job job, void *argument)
{
    elman_float_environment modes = elman_float_begin();
    elman_pool *pool = NULL;
    if (count > context->threads)
        count = context->threads;
    if (count > 1) {
        pool = ready_pool(context);
        /* A job that starts a job has its crew's other members busy. */
        if (!pool || pool->running)
            count = 1;
        else if (count > pool->count)
            count = pool->count;
    }
    if (count <= 1) {
        elman_crew alone = {pool, 0, 1};
        job(&alone, argument);
        elman_float_end(modes);
        return;
    }

    pool->running = true;
    pool->job = job;
    pool->argument = argument;
    atomic_store_explicit(&pool->pending, count - 1, memory_order_relaxed);
    uint64_t number = (atomic_load_explicit(&pool->ticket, memory_order_relaxed) >> CREW_BITS) + 1;
    (void)atomic_exchange(&pool->ticket, number << CREW_BITS | (uint64_t)count);
    for (int i = 0; i < count - 1; i++)
        wake(pool, &pool->workers[i]);

    elman_crew crew = {pool, 0, count};
    job(&crew, argument);
    int turn = 0;
    while (atomic_load_explicit(&pool->pending, memory_order_acquire) > 0)
        spin_once(&turn, pool->turns);
    pool->running = false;
    elman_float_end(modes);
}

void elman_pool_run(elman_context *context, elman_job job, void *argument)
{
    elman_pool_run_on(context, context->threads, job, argument);
}

void elman_pool_begin(elman_context *context)
{
    if (context->threads == 1)
        return;
    elman_pool *pool = ready_pool(context);
    if (pool)
        atomic_fetch_add_explicit(&pool->spinning, 1, memory_order_relaxed);
}

void elman_pool_end(elman_context *context)
{
    /* A begin that found no memory for a pool is not counted. */
    if (context->pool && atomic_load_explicit(&context->pool->spinning, memory_order_relaxed) > 0)
        atomic_fetch_sub_explicit(&context->pool->spinning, 1, memory_order_relaxed);
}

void elman_crew_wait(const elman_crew *crew)
{
    if (crew->count == 1)
        return;
    elman_pool *pool = crew->pool;
    unsigned phase = atomic_load_explicit(&pool->phase, memory_order_relaxed);
    int before = atomic_fetch_add_explicit(&pool->arrived, 1, memory_order_acq_rel);
    if (before + 1 == crew->count) {
        atomic_store_explicit(&pool->arrived, 0, memory_order_relaxed);
        atomic_store_explicit(&pool->phase, phase + 1, memory_order_release);
        return;
    }
    int turn = 0;
    while (atomic_load_explicit(&pool->phase, memory_order_acquire) == phase)
        spin_once(&turn, pool->turns);
}

void elman_crew_share(const elman_crew *crew, size_t total, size_t grain, size_t *begin,
                      size_t *end)
{
    size_t grains = total / grain + (total % grain != 0);
    size_t index = (size_t)crew->index, count = (size_t)crew->count;
    size_t each = grains / count, more = grains % count;
    /* The first `more` members take one grain more. */
    size_t first = index * each + (index < more ? index : more);
    size_t last = first + each + (index < more);
    *begin = first < grains ? first * grain : total;
    *end = last < grains ? last * grain : total;
}

void elman_pool_free(elman_context *context)
{
    elman_pool *pool = context->pool;
    if (!pool)
        return;
    if (pool->owner == getpid()) {
        end_threads(pool);
        pthread_mutex_destroy(&pool->mutex);
    }
    context->pool = NULL;
    elman_release(context, pool);
}
