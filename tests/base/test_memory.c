#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "test_malloc.h"

/* An allocator that counts, and fails the nth call. */
typedef struct counter {
    int calls, live, fail_at;
} counter;

static void *count_allocate(void *user, size_t bytes)
{
    counter *c = user;
    if (++c->calls == c->fail_at)
        return NULL;
    c->live++;
    return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

static void count_release(void *user, void *memory)
{
    counter *c = user;
    assert_non_null(memory);
    c->live--;
    free(memory);
}

static elman_context *make_context(counter *c)
{
    elman_context_options options;
    elman_context *context;
    *c = (counter){0, 0, 0};
    elman_context_options_default(&options);
    options.allocator = (elman_allocator){count_allocate, count_release, c};
    options.threads = 1;
    assert_int_equal(elman_context_create(&options, &context, NULL), ELMAN_OK);
    return context;
}

static void test_allocate(void **state)
{
    (void)state;
    counter c;
    elman_context *context = make_context(&c);
    const size_t sizes[][2] = {{0, 4}, {4, 0}, {1, 1}, {63, 1}, {1000, 12}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        unsigned char *memory = elman_allocate_zero(context, sizes[i][0], sizes[i][1]);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % 64, 0);
        for (size_t j = 0; j < sizes[i][0] * sizes[i][1]; j++)
            assert_int_equal(memory[j], 0);
        elman_release(context, memory);
    }
    elman_release(context, NULL);
    int before = c.calls;
    assert_null(elman_allocate(context, SIZE_MAX, 2));
    assert_null(elman_allocate(context, SIZE_MAX / 4 + 1, 4));
    assert_null(elman_allocate(context, SIZE_MAX, 1));
    assert_null(elman_allocate(context, SIZE_MAX - 60, 1));
    assert_null(elman_allocate_zero(context, (size_t)1 << 63, 1));
    assert_int_equal(c.calls, before);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

/* The same work again, with scratch inside and blocks of many sizes. */
static void work(elman_arena *arena)
{
    for (size_t i = 1; i < 200; i++) {
        unsigned char *kept = elman_arena_take(arena, i * 97, 3);
        assert_non_null(kept);
        assert_int_equal((uintptr_t)kept % 64, 0);
        memset(kept, (int)i, i * 97 * 3);
        elman_arena_mark mark = elman_arena_get_mark(arena);
        unsigned char *scratch = elman_arena_take_zero(arena, i * 1501, 2);
        assert_non_null(scratch);
        for (size_t j = 0; j < i * 3002; j += 61)
            assert_int_equal(scratch[j], 0);
        memset(scratch, 0xee, i * 3002);
        elman_arena_return(arena, mark);
        for (size_t j = 0; j < i * 97 * 3; j += 13)
            assert_int_equal(kept[j], i);
    }
}

static void test_second_round_allocates_nothing(void **state)
{
    (void)state;
    counter c;
    elman_context *context = make_context(&c);
    elman_arena arena;
    elman_arena_init(&arena, context);
    work(&arena);
    assert_true(c.calls > 3);
    assert_true(c.calls < 40);
    size_t used = arena.used;
    assert_true(used > 0);
    elman_arena_reset(&arena);
    assert_int_equal(arena.used, 0);
    int before = c.calls;
    for (int round = 0; round < 3; round++) {
        work(&arena);
        assert_int_equal(arena.used, used);
        elman_arena_reset(&arena);
    }
    assert_int_equal(c.calls, before);
    elman_arena_free(&arena);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

/* Scratch that begins in one block and goes on in another is given back whole. */
static void test_scratch_over_blocks(void **state)
{
    (void)state;
    counter c;
    elman_context *context = make_context(&c);
    elman_arena arena;
    elman_arena_init(&arena, context);
    assert_non_null(elman_arena_take(&arena, 100, 1));
    elman_arena_mark mark = elman_arena_get_mark(&arena);
    for (int i = 0; i < 1000; i++) {
        assert_non_null(elman_arena_take(&arena, 60000, 1));
        assert_non_null(elman_arena_take(&arena, 50000, 1));
        assert_non_null(elman_arena_take(&arena, 40000, 1));
        elman_arena_return(&arena, mark);
        assert_int_equal(arena.used, mark.used);
    }
    assert_true(c.calls < 8);
    elman_arena_free(&arena);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static void test_overflow(void **state)
{
    (void)state;
    counter c;
    elman_context *context = make_context(&c);
    elman_arena arena;
    elman_arena_init(&arena, context);
    assert_null(elman_arena_take(&arena, SIZE_MAX, SIZE_MAX));
    assert_null(elman_arena_take(&arena, SIZE_MAX, 1));
    assert_null(elman_arena_take(&arena, SIZE_MAX - 100, 1));
    assert_null(elman_arena_take_zero(&arena, SIZE_MAX / 2 + 1, 2));
    assert_int_equal(arena.used, 0);
    assert_non_null(elman_arena_take(&arena, 0, 8));
    elman_arena_free(&arena);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

/* Each call of the allocator fails once: an answer, no leak, and usable after. */
static void test_failures(void **state)
{
    (void)state;
    for (int nth = 1; nth < 20; nth++) {
        counter c;
        elman_context *context = make_context(&c);
        elman_arena arena;
        elman_arena_init(&arena, context);
        c.fail_at = c.calls + nth;
        bool failed = false;
        for (size_t i = 0; i < 12; i++)
            failed |= !elman_arena_take(&arena, (size_t)1 << 16 << i % 6, 1);
        elman_arena_reset(&arena);
        /* A failure within reset is made good by the next take. */
        assert_true(!failed || c.calls >= c.fail_at);
        assert_true(failed || nth > 3);
        assert_non_null(elman_arena_take(&arena, 1000, 1));
        elman_arena_free(&arena);
        elman_context_free(context);
        assert_int_equal(c.live, 0);
    }
    counter c = {0, 0, 1};
    elman_context_options options;
    elman_context *context = (elman_context *)&c;
    elman_error error;
    elman_context_options_default(&options);
    options.allocator = (elman_allocator){count_allocate, count_release, &c};
    assert_int_equal(elman_context_create(&options, &context, &error), ELMAN_ERROR_MEMORY);
    assert_null(context);
}

static void test_interposer(void **state)
{
    (void)state;
    if (!test_malloc_works())
        skip();
    size_t calls = test_malloc_calls(), live = test_malloc_live();
    void *volatile a = malloc(10);
    void *volatile b = calloc(3, 5);
    a = realloc(a, 1000);
    void *volatile c = aligned_alloc(64, 128);
    assert_int_equal(test_malloc_calls(), calls + 4);
    assert_int_equal(test_malloc_live(), live + 3);
    test_malloc_fail_at(2);
    void *volatile d = malloc(1);
    void *volatile e = malloc(1);
    void *volatile f = malloc(1);
    assert_true(d && !e && f && test_malloc_failed());
    test_malloc_fail_from(1);
    void *volatile g = malloc(1);
    void *volatile h = strdup("h");
    test_malloc_fail_from(0);
    assert_true(!g && !h);
    free(a), free(b), free(c), free(d), free(f);
    assert_int_equal(test_malloc_live(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocate),
        cmocka_unit_test(test_second_round_allocates_nothing),
        cmocka_unit_test(test_scratch_over_blocks),
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_interposer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
