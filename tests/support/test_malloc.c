#include "test_malloc.h"

#include <errno.h>
#include <stdatomic.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif

static atomic_size_t calls, live;
static atomic_long countdown; /* 0: not armed */
static atomic_bool keep_failing, failed;

size_t test_malloc_calls(void)
{
    return atomic_load(&calls);
}

size_t test_malloc_live(void)
{
    return atomic_load(&live);
}

static void arm(size_t n, bool keep)
{
    atomic_store(&countdown, 0);
    atomic_store(&failed, false);
    atomic_store(&keep_failing, keep);
    atomic_store(&countdown, (long)n);
}

void test_malloc_fail_at(size_t n)
{
    arm(n, false);
}

void test_malloc_fail_from(size_t n)
{
    arm(n, true);
}

bool test_malloc_failed(void)
{
    return atomic_load(&failed);
}

#if defined(SANITIZED) || !defined(__GLIBC__)

bool test_malloc_works(void)
{
    return false;
}

#else

bool test_malloc_works(void)
{
    return true;
}

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

/* Seen by the shared libraries too, whatever the build hides. */
#pragma GCC visibility push(default)
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *memory, size_t size);
void *memalign(size_t alignment, size_t size);
void *aligned_alloc(size_t alignment, size_t size);
int posix_memalign(void **memory, size_t alignment, size_t size);
void free(void *memory);
#pragma GCC visibility pop

/* Counts a call; true where it must fail. */
static bool refuse(void)
{
    atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
    long left = atomic_load_explicit(&countdown, memory_order_relaxed);
    if (left == 0)
        return false;
    if (left > 1) {
        atomic_fetch_sub_explicit(&countdown, 1, memory_order_relaxed);
        return false;
    }
    if (!atomic_load_explicit(&keep_failing, memory_order_relaxed))
        atomic_store_explicit(&countdown, 0, memory_order_relaxed);
    atomic_store_explicit(&failed, true, memory_order_relaxed);
    errno = ENOMEM;
    return true;
}

static void *count(void *memory)
{
    if (memory)
        atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
    return memory;
}

void *malloc(size_t size)
{
    return refuse() ? NULL : count(__libc_malloc(size));
}

void *calloc(size_t number, size_t size)
{
    return refuse() ? NULL : count(__libc_calloc(number, size));
}

void *realloc(void *memory, size_t size)
{
    if (refuse())
        return NULL;
    void *moved = __libc_realloc(memory, size);
    if (!memory)
        count(moved);
    else if (!moved && size == 0)
        atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
    return moved;
}

void *memalign(size_t alignment, size_t size)
{
    return refuse() ? NULL : count(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return refuse() ? NULL : count(__libc_memalign(alignment, size));
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    void *made = refuse() ? NULL : count(__libc_memalign(alignment, size));
    if (!made)
        return ENOMEM;
    *memory = made;
    return 0;
}

void free(void *memory)
{
    if (!memory)
        return;
    atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
    __libc_free(memory);
}

#endif
