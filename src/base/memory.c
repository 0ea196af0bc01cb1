#include "base/memory.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "base/context_impl.h"
#include "base/error.h"

enum { ALIGNMENT = 64, SMALLEST_BLOCK = 1 << 16, LARGEST_SLACK = 1 << 24 };

static bool round_up(size_t bytes, size_t *rounded)
{
    if (!elman_size_add(bytes, ALIGNMENT - 1, rounded))
        return false;
    *rounded &= ~(size_t)(ALIGNMENT - 1);
    return true;
}

void *elman_allocate(elman_context *context, size_t count, size_t size)
{
    size_t bytes;
    if (!elman_size_multiply(count, size, &bytes) || !round_up(bytes, &bytes) ||
        bytes > PTRDIFF_MAX)
        return NULL;
    if (bytes == 0)
        bytes = ALIGNMENT;
    return context->allocator.allocate(context->allocator.user, bytes);
}

void *elman_allocate_zero(elman_context *context, size_t count, size_t size)
{
    void *memory = elman_allocate(context, count, size);
    if (memory)
        memset(memory, 0, count * size);
    return memory;
}

void elman_release(elman_context *context, void *memory)
{
    if (memory)
        context->allocator.release(context->allocator.user, memory);
}

/* Memory is taken from the newest block alone. What a mark gives back stays in
 * the list, empty, so that the next reset counts it. */
struct elman_arena_block {
    elman_arena_block *older;
    size_t size, used;
    alignas(ALIGNMENT) unsigned char bytes[];
};

void *elman_grown(elman_context *context, void *list, size_t used, size_t *room, size_t more,
                  size_t size)
{
    size_t wanted;
    if (__builtin_add_overflow(used, more, &wanted))
        return NULL;
    if (wanted <= *room && list)
        return list;
    size_t bigger = *room > SIZE_MAX / 2 || 2 * *room < wanted ? wanted : 2 * *room;
    void *made = elman_allocate(context, bigger, size);
    if (!made)
        return NULL;
    if (used && list)
        memcpy(made, list, used * size);
    elman_release(context, list);
    *room = bigger;
    return made;
}

void elman_arena_init(elman_arena *arena, elman_context *context)
{
    *arena = (elman_arena){.context = context};
}

static bool add_block(elman_arena *arena, size_t size)
{
    size_t bytes;
    if (!elman_size_add(size, sizeof(elman_arena_block), &bytes))
        return false;
    elman_arena_block *block = elman_allocate(arena->context, bytes, 1);
    if (!block)
        return false;
    block->older = arena->blocks;
    block->size = size;
    block->used = 0;
    arena->blocks = block;
    return true;
}

size_t elman_arena_bytes(const elman_arena *arena)
{
    size_t total = 0;
    for (const elman_arena_block *b = arena->blocks; b; b = b->older)
        total += b->size;
    for (const elman_arena_block *b = arena->spare; b; b = b->older)
        total += b->size;
    return total;
}

/* Takes the first spare block of at least that size back into use. */
static bool reuse_block(elman_arena *arena, size_t size)
{
    for (elman_arena_block **at = &arena->spare; *at; at = &(*at)->older) {
        elman_arena_block *block = *at;
        if (block->size < size)
            continue;
        *at = block->older;
        block->older = arena->blocks;
        block->used = 0;
        arena->blocks = block;
        return true;
    }
    return false;
}

static bool has_room(const elman_arena *arena, size_t bytes)
{
    return arena->blocks && arena->blocks->size - arena->blocks->used >= bytes;
}

static void release_list(elman_arena *arena, elman_arena_block **list)
{
    while (*list) {
        elman_arena_block *block = *list;
        *list = block->older;
        elman_release(arena->context, block);
    }
}

static void release_blocks(elman_arena *arena)
{
    release_list(arena, &arena->blocks);
    release_list(arena, &arena->spare);
}

void *elman_arena_take(elman_arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (!elman_size_multiply(count, size, &bytes) || !round_up(bytes, &bytes))
        return NULL;
    if (bytes == 0)
        bytes = ALIGNMENT;
    if (!has_room(arena, bytes) && !reuse_block(arena, bytes)) {
        /* Doubling keeps the blocks few; the cap keeps the waste small. */
        size_t slack = elman_arena_bytes(arena);
        if (slack > LARGEST_SLACK)
            slack = LARGEST_SLACK;
        if (slack < SMALLEST_BLOCK)
            slack = SMALLEST_BLOCK;
        arena->grown_twice = arena->grown_twice || arena->rounds > 0;
        if (!add_block(arena, bytes > slack ? bytes : slack))
            return NULL;
    }
    elman_arena_block *block = arena->blocks;
    void *memory = block->bytes + block->used;
    block->used += bytes;
    arena->used += bytes;
    return memory;
}

void *elman_arena_take_zero(elman_arena *arena, size_t count, size_t size)
{
    void *memory = elman_arena_take(arena, count, size);
    if (memory)
        memset(memory, 0, count * size);
    return memory;
}

elman_arena_mark elman_arena_get_mark(const elman_arena *arena)
{
    elman_arena_mark mark = {arena->blocks, 0, arena->used};
    if (arena->blocks)
        mark.block_used = arena->blocks->used;
    return mark;
}

void elman_arena_return(elman_arena *arena, elman_arena_mark mark)
{
    for (elman_arena_block *b = arena->blocks; b && b != mark.block; b = b->older)
        b->used = 0;
    if (mark.block)
        mark.block->used = mark.block_used;
    arena->used = mark.used;
}

void elman_arena_reset(elman_arena *arena)
{
    if (arena->grown_twice) {
        size_t total = elman_arena_bytes(arena);
        release_blocks(arena);
        /* Where this fails the arena is empty, and the next take asks again. */
        (void)add_block(arena, total);
    }
    while (arena->blocks) { /* the oldest comes to the head of the spare ones */
        elman_arena_block *block = arena->blocks;
        arena->blocks = block->older;
        block->older = arena->spare;
        arena->spare = block;
    }
    arena->grown_twice = false;
    arena->rounds += arena->used > 0;
    arena->used = 0;
}

void elman_arena_free(elman_arena *arena)
{
    release_blocks(arena);
    arena->used = 0;
}
