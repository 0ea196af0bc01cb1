/* Memory from a context's allocator, and arenas on top of it. */
#ifndef ELMAN_BASE_MEMORY_H
#define ELMAN_BASE_MEMORY_H

#include <stddef.h>

#include "elman/context.h"

/* count*size bytes aligned to 64, not cleared; NULL on overflow or when memory
 * is out. A count or size of zero gives a pointer that may be released. */
void *elman_allocate(elman_context *context, size_t count, size_t size);
/* The same, cleared. */
void *elman_allocate_zero(elman_context *context, size_t count, size_t size);
/* NULL is fine. */
void elman_release(elman_context *context, void *memory);

/* An arena hands out memory that is given back all at once. It grows by blocks
 * when it must; elman_arena_reset keeps what it has as one block, so that the
 * second round of the same work allocates nothing. */
typedef struct elman_arena_block elman_arena_block;
typedef struct elman_arena {
    elman_context *context;
    elman_arena_block *blocks; /* newest first */
    size_t used;               /* bytes handed out since the last reset */
    size_t peak;               /* the most that was ever used */
} elman_arena;

typedef struct elman_arena_mark {
    elman_arena_block *block;
    size_t block_used, used;
} elman_arena_mark;

void elman_arena_init(elman_arena *arena, elman_context *context);
/* Makes sure that `bytes` can be taken without a call of the allocator. */
elman_status elman_arena_reserve(elman_arena *arena, size_t bytes, elman_error *error);
/* count*size bytes aligned to 64, not cleared; NULL on overflow or when memory is out. */
void *elman_arena_take(elman_arena *arena, size_t count, size_t size);
void *elman_arena_take_zero(elman_arena *arena, size_t count, size_t size);
/* Scratch: what was taken after the mark is given back. */
elman_arena_mark elman_arena_get_mark(const elman_arena *arena);
void elman_arena_return(elman_arena *arena, elman_arena_mark mark);
/* Gives everything back; several blocks become one of their total size. */
void elman_arena_reset(elman_arena *arena);
void elman_arena_free(elman_arena *arena);

#endif
