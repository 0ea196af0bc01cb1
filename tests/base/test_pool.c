#include <fenv.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/context_impl.h"
#include "base/float_environment.h"
#include "base/pool.h"
#include "test_malloc.h"

enum { MOST = 16 };

/* The thread sanitizer does not follow threads that are made after fork. */
#if defined(__SANITIZE_THREAD__)
enum { FORK_WORKS = 0 };
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
enum { FORK_WORKS = 0 };
#else
enum { FORK_WORKS = 1 };
#endif
#else
enum { FORK_WORKS = 1 };
#endif

static elman_context *make_context(int threads)
{
    elman_context_options options;
    elman_context *context;
    elman_context_options_default(&options);
    options.threads = threads;
    assert_int_equal(elman_context_create(&options, &context, NULL), ELMAN_OK);
    return context;
}

/* Each index comes once a run, with the right count. */
typedef struct roll {
    int count;
    int seen[MOST];
} roll;

static void call_roll(const elman_crew *crew, void *argument)
{
    roll *r = argument;
    r->seen[crew->index]++;
    if (crew->index == 0)
        r->count = crew->count;
}

static void check_roll(elman_context *context, int expected)
{
    roll r = {0};
    elman_pool_run(context, call_roll, &r);
    assert_int_equal(r.count, expected);
    for (int i = 0; i < MOST; i++)
        assert_int_equal(r.seen[i], i < expected);
}

static void test_every_size(void **state)
{
    (void)state;
    for (int threads = 1; threads <= MOST; threads++) {
        elman_context *context = make_context(threads);
        for (int i = 0; i < 20; i++)
            check_roll(context, threads);
        elman_pool_begin(context);
        elman_pool_begin(context);
        for (int i = 0; i < 20; i++)
            check_roll(context, threads);
        elman_pool_end(context);
        for (int i = 0; i < 20; i++)
            check_roll(context, threads);
        elman_pool_end(context);
        check_roll(context, threads);
        elman_context_free(context);
    }
}

/* Crews of changing size follow each other at once, asleep and spinning. */
static void test_changing_crews(void **state)
{
    (void)state;
    elman_context *context = make_context(5);
    for (int i = 0; i < 4000; i++) {
        if (i % 100 == 0)
            elman_pool_begin(context);
        if (i % 100 == 50)
            elman_pool_end(context);
        roll r = {0};
        int asked = i * 7 % 8;
        int expected = asked < 1 ? 1 : asked > 5 ? 5 : asked;
        elman_pool_run_on(context, asked, call_roll, &r);
        assert_int_equal(r.count, expected);
        for (int k = 0; k < MOST; k++)
            assert_int_equal(r.seen[k], k < expected);
    }
    elman_context_free(context);
}

static void test_crew_of_one_makes_no_pool(void **state)
{
    (void)state;
    elman_context *context = make_context(4);
    roll r = {0};
    elman_pool_run_on(context, 1, call_roll, &r);
    assert_null(context->pool);
    elman_context_free(context);
    elman_context_free(NULL);
}

/* Plain writes before the barrier are read by everyone after it. */
typedef struct relay {
    int rounds;
    int values[MOST][16];
    atomic_int wrong;
} relay;

static void run_relay(const elman_crew *crew, void *argument)
{
    relay *r = argument;
    for (int round = 0; round < r->rounds; round++) {
        r->values[crew->index][0] = round * 31 + crew->index;
        elman_crew_wait(crew);
        for (int i = 0; i < crew->count; i++)
            if (r->values[i][0] != round * 31 + i)
                atomic_fetch_add(&r->wrong, 1);
        elman_crew_wait(crew);
    }
}

static void test_barrier(void **state)
{
    (void)state;
    const int sizes[] = {1, 2, 3, 8, 16};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        elman_context *context = make_context(sizes[i]);
        relay r = {.rounds = 300};
        for (int k = 0; k < 3; k++)
            elman_pool_run(context, run_relay, &r);
        assert_int_equal(atomic_load(&r.wrong), 0);
        elman_context_free(context);
    }
}

static void test_share(void **state)
{
    (void)state;
    const size_t totals[] = {0, 1, 2, 15, 16, 17, 100, 101, 4096};
    for (size_t t = 0; t < sizeof totals / sizeof totals[0]; t++)
        for (size_t grain = 1; grain <= 33; grain++)
            for (int count = 1; count <= MOST; count++) {
                size_t next = 0, most = 0, least = SIZE_MAX;
                for (int index = 0; index < count; index++) {
                    elman_crew crew = {NULL, index, count};
                    size_t begin, end;
                    elman_crew_share(&crew, totals[t], grain, &begin, &end);
                    assert_int_equal(begin, next);
                    assert_true(end >= begin);
                    assert_true(end == totals[t] || end % grain == 0);
                    next = end;
                    size_t grains = (end - begin + grain - 1) / grain;
                    most = grains > most ? grains : most;
                    least = grains < least ? grains : least;
                }
                assert_int_equal(next, totals[t]);
                assert_true(most - least <= 1);
            }
    elman_crew crew = {NULL, 1, 2};
    size_t begin, end;
    elman_crew_share(&crew, SIZE_MAX, 64, &begin, &end);
    assert_true(begin > SIZE_MAX / 3 && end == SIZE_MAX);
}

/* 1 + 2^-24 and its like round by the mode; 2^-126 / 2 is lost where flushed. */
static void compute(const elman_crew *crew, void *argument)
{
    volatile float one = 1, tiny = 0x1p-126F, small = 0x1.8p-24F;
    float *out = (float *)argument + 2 * crew->index;
    out[0] = one + small;
    out[1] = tiny / 2;
    fesetround(FE_DOWNWARD); /* what a job leaves behind is not the next one's */
}

static void test_float_environment(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 4; threads += 3) {
        elman_context *context = make_context(threads);
        for (int i = 0; i < 3; i++) {
            float out[2 * MOST] = {0};
            fesetround(FE_UPWARD);
#if defined(__SSE2__)
            unsigned before = _mm_getcsr() | 0x8040; /* flush, denormals are zero */
            _mm_setcsr(before);
#endif
            elman_pool_run(context, compute, out);
#if defined(__SSE2__)
            unsigned after = _mm_getcsr();
            _mm_setcsr(0x1f80);
            assert_int_equal(after, before);
#endif
            fesetround(FE_TONEAREST);
            for (int k = 0; k < threads; k++) {
                assert_true(out[2 * k] == 1 + 0x1p-23F);
                assert_true(out[2 * k + 1] == 0x1p-127F);
            }
        }
        elman_context_free(context);
    }
}

/* Runs body in a child; its exit status. */
static int in_child(int (*body)(elman_context *), elman_context *context)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(body(context));
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

static int use_and_free(elman_context *context)
{
    relay r = {.rounds = 50};
    int threads = elman_context_threads(context), good = 1;
    for (int i = 0; i < 20; i++) {
        roll counted = {0};
        elman_pool_run(context, call_roll, &counted);
        good &= counted.count == threads && counted.seen[threads - 1] == 1;
        elman_pool_run(context, run_relay, &r);
    }
    good &= atomic_load(&r.wrong) == 0;
    elman_context_free(context);
    return !good;
}

static int free_only(elman_context *context)
{
    elman_context_free(context);
    return 0;
}

/* A parent between begin and end has its workers awake; the child's sleep. */
static int rests(elman_context *context)
{
    roll r = {0};
    struct timespec pause = {0, 200000000}, before, after;
    elman_pool_run(context, call_roll, &r);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    nanosleep(&pause, NULL);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    double used =
        (double)(after.tv_sec - before.tv_sec) + 1e-9 * (double)(after.tv_nsec - before.tv_nsec);
    elman_context_free(context);
    return used > 0.02;
}

static void test_fork(void **state)
{
    (void)state;
    if (!FORK_WORKS)
        skip();
    elman_context *context = make_context(3);
    check_roll(context, 3);
    assert_int_equal(in_child(use_and_free, context), 0);
    assert_int_equal(in_child(free_only, context), 0);
    elman_pool_begin(context);
    check_roll(context, 3);
    assert_int_equal(in_child(use_and_free, context), 0);
    assert_int_equal(in_child(rests, context), 0);
    check_roll(context, 3);
    elman_pool_end(context);
    elman_context_free(context);
}

static int without_room_for_threads(elman_context *context)
{
    struct rlimit room;
    long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (!statm || fscanf(statm, "%ld", &pages) != 1)
        return 77;
    fclose(statm);
    room.rlim_cur = room.rlim_max = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + (1 << 21);
    if (setrlimit(RLIMIT_AS, &room) != 0)
        return 77;
    roll r = {0};
    elman_pool_run(context, call_roll, &r);
    elman_pool_run(context, call_roll, &r);
    int good = r.count == 1 && r.seen[0] == 2 && r.seen[1] == 0;
    elman_context_free(context);
    return !good;
}

static void test_threads_that_cannot_be_made(void **state)
{
    (void)state;
    if (!test_malloc_works())
        skip();
    /* More than the C library keeps stacks of threads that have ended. */
    elman_context *context = make_context(MOST);
    int status = in_child(without_room_for_threads, context);
    elman_context_free(context);
    if (status == 77)
        skip();
    assert_int_equal(status, 0);
}

static void test_no_memory_for_the_pool(void **state)
{
    (void)state;
    if (!test_malloc_works())
        skip();
    elman_context *context = make_context(4);
    roll r = {0};
    test_malloc_fail_from(1);
    elman_pool_begin(context);
    elman_pool_run(context, call_roll, &r);
    elman_pool_end(context);
    test_malloc_fail_from(0);
    assert_int_equal(r.count, 1);
    check_roll(context, 4);
    elman_context_free(context);
}

static void test_allocates_once(void **state)
{
    (void)state;
    if (!test_malloc_works())
        skip();
    elman_context *context = make_context(3);
    check_roll(context, 3);
    size_t before = test_malloc_calls();
    roll r = {0};
    for (int i = 0; i < 100; i++)
        elman_pool_run(context, call_roll, &r);
    assert_int_equal(test_malloc_calls(), before);
    elman_context_free(context);
}

/* A job that starts a job does it alone. */
static void run_inner(const elman_crew *crew, void *argument)
{
    elman_context *context = argument;
    if (crew->index == 0) {
        roll r = {0};
        elman_pool_run(context, call_roll, &r);
        if (r.count != 1 || r.seen[0] != 1)
            abort();
    }
}

static void test_job_within_a_job(void **state)
{
    (void)state;
    elman_context *context = make_context(3);
    elman_pool_run(context, run_inner, context);
    check_roll(context, 3);
    elman_context_free(context);
}

static void look_at_mask(const elman_crew *crew, void *argument)
{
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    ((int *)argument)[crew->index] = sigismember(&mask, SIGINT);
}

static void test_signals_go_to_the_caller(void **state)
{
    (void)state;
    elman_context *context = make_context(3);
    int blocked[3];
    elman_pool_run(context, look_at_mask, blocked);
    assert_int_equal(blocked[0], 0);
    assert_int_equal(blocked[1], 1);
    assert_int_equal(blocked[2], 1);
    elman_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_size),
        cmocka_unit_test(test_changing_crews),
        cmocka_unit_test(test_crew_of_one_makes_no_pool),
        cmocka_unit_test(test_barrier),
        cmocka_unit_test(test_share),
        cmocka_unit_test(test_float_environment),
        cmocka_unit_test(test_fork),
        cmocka_unit_test(test_threads_that_cannot_be_made),
        cmocka_unit_test(test_no_memory_for_the_pool),
        cmocka_unit_test(test_allocates_once),
        cmocka_unit_test(test_job_within_a_job),
        cmocka_unit_test(test_signals_go_to_the_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
