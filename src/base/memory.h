/* Memory from a context's allocator, and arenas on top of it. */
#ifndef ELMAN_BASE_MEMORY_H
#define ELMAN_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "elman/context.h"

/* count*size bytes aligned to 64, not cleared; NULL on overflow or when memory
 * is out. A count or size of zero gives a pointer that may be released. */
void *elman_allocate(elman_context *context, size_t count, size_t size);
/* The same, cleared. */
void *elman_allocate_zero(elman_context *context, size_t count, size_t size);
/* NULL is fine. */
void elman_release(elman_context *context, void *memory);

/* A list with room for `more` elements behind the `used` it holds: itself, or a larger one into
 * which they were moved, the old one being released; *room is brought up to date. NULL: out of
 * memory, and the list is as it was. */
void *elman_grown(elman_context *context, void *list, size_t used, size_t *room, size_t more,
                  size_t size);

/* An arena hands out memory that is given back all at once. It grows by blocks when it must;
 * elman_arena_reset keeps them, and they are taken in the same order again, so that the second
 * round of the same work allocates nothing. Where a later round had to grow all the same, its
 * reset makes one block of all, which any round of no more bytes then fits into. */
typedef struct elman_arena_block elman_arena_block;
typedef struct elman_arena {
    elman_context *context;
    elman_arena_block *blocks; /* in use, newest first */
    elman_arena_block *spare;  /* kept by a reset, in the order in which they were used */
    size_t used;               /* bytes handed out since the last reset */
    size_t rounds;             /* resets after which there was something to reset */
    bool grown_twice;          /* a block was added after the first round */
} elman_arena;

typedef struct elman_arena_mark {
    elman_arena_block *block;
    size_t block_used, used;
} elman_arena_mark;

void elman_arena_init(elman_arena *arena, elman_context *context);
/* count*size bytes aligned to 64, not cleared; NULL on overflow or when memory is out. */
void *elman_arena_take(elman_arena *arena, size_t count, size_t size);
void *elman_arena_take_zero(elman_arena *arena, size_t count, size_t size);
/* Scratch: what was taken after the mark is given back. */
elman_arena_mark elman_arena_get_mark(const elman_arena *arena);
void elman_arena_return(elman_arena *arena, elman_arena_mark mark);
/* Bytes that it holds, in use or kept. */
size_t elman_arena_bytes(const elman_arena *arena);
/* Gives everything back. */
void elman_arena_reset(elman_arena *arena);
void elman_arena_free(elman_arena *arena);

#endif
