/* What the tests of this folder share: a context that counts its memory, files in a
 * folder of their own, and random numbers. */
#ifndef DATA_SUPPORT_H
#define DATA_SUPPORT_H

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "elman/text.h"

/* The nth allocation fails, once (0: none). */
typedef struct counter {
    int calls, live, fail_at;
} counter;

static inline void *counter_allocate(void *user, size_t bytes)
{
    counter *c = user;
    if (++c->calls == c->fail_at)
        return NULL;
    c->live++;
    return aligned_alloc(64, (bytes + 64) / 64 * 64);
}

static inline void counter_release(void *user, void *memory)
{
    counter *c = user;
    c->live--;
    free(memory);
}

/* A folder that goes with the program. */
static char test_folder[64];

static inline int make_test_folder(void **state)
{
    (void)state;
    strcpy(test_folder, "/tmp/elman-test-XXXXXX");
    return mkdtemp(test_folder) == NULL;
}

static inline int remove_test_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", test_folder);
    return system(command);
}

/* The path of a name in it; eight may be in use at once. */
static inline const char *test_path(const char *name)
{
    static char paths[8][128];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", test_folder, name);
    return path;
}

static inline const char *write_file(const char *name, const void *bytes, size_t size)
{
    const char *path = test_path(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    return path;
}

static inline const char *write_text(const char *name, const char *text)
{
    return write_file(name, text, strlen(text));
}

/* xorshift64 (Marsaglia 2003). */
static inline uint64_t random_below(uint64_t *state, uint64_t limit)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state % limit;
}

#define assert_contains(text, part)                                                                \
    do {                                                                                           \
        if (strstr(text, part) == NULL)                                                            \
            fail_msg("\"%s\" does not hold \"%s\"", text, part);                                   \
    } while (0)

/* Tests of what a build leaves out. */
#if defined(ELMAN_WITH_CSV)
#define need_csv() (void)0
#else
#define need_csv() skip()
#endif
#if defined(ELMAN_WITH_UNICODE)
#define need_unicode() (void)0
#else
#define need_unicode() skip()
#endif

/* The error of an assert_ok(thing(..., &problem)) is printed. */
static elman_error problem;

#define assert_ok(call)                                                                            \
    do {                                                                                           \
        if ((call) != ELMAN_OK)                                                                    \
            fail_msg("%s", problem.message);                                                       \
    } while (0)

static inline elman_context *counted_context(counter *c)
{
    elman_context_options options;
    elman_context *context;
    *c = (counter){0, 0, 0};
    elman_context_options_default(&options);
    options.allocator = (elman_allocator){counter_allocate, counter_release, c};
    options.threads = 1;
    assert_ok(elman_context_create(&options, &context, &problem));
    return context;
}

#endif
