/* The C library's allocator, counted and made to fail. Every test program is
 * linked with it; under a sanitizer, which brings an allocator of its own, it
 * stands aside and test_malloc_works answers false. */
#ifndef TEST_MALLOC_H
#define TEST_MALLOC_H

#include <stdbool.h>
#include <stddef.h>

bool test_malloc_works(void);
/* Calls of malloc, calloc, realloc, aligned_alloc, posix_memalign and memalign so
 * far, of all threads. */
size_t test_malloc_calls(void);
/* Pieces of memory that are not yet freed. */
size_t test_malloc_live(void);
/* The nth call from now (1: the next) answers NULL, once; 0: none does. */
void test_malloc_fail_at(size_t n);
/* The nth call from now and all after it; 0: none. */
void test_malloc_fail_from(size_t n);
/* Whether a call was made to fail since the last fail_at or fail_from. */
bool test_malloc_failed(void);

#endif
