#include "data/intern.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"

void elman_intern_init(elman_intern *intern, elman_context *context)
{
    *intern = (elman_intern){.context = context, .key = elman_hash_key_of(intern)};
}

void elman_intern_free(elman_intern *intern)
{
    elman_release(intern->context, intern->text);
    elman_release(intern->context, intern->offsets);
    elman_release(intern->context, intern->slots);
    elman_intern_init(intern, intern->context);
}

void elman_intern_clear(elman_intern *intern)
{
    intern->count = 0;
    intern->text_used = 0;
    if (intern->slot_count)
        memset(intern->slots, 0xff, intern->slot_count * sizeof *intern->slots);
}

const char *elman_intern_text(const elman_intern *intern, int32_t number, size_t *size)
{
    size_t begin = intern->offsets[number];
    size_t end = number + 1 < intern->count ? intern->offsets[number + 1] : intern->text_used;
    if (size)
        *size = end - begin - 1;
    return intern->text + begin;
}

/* The slot where the bytes are, or would stand. */
static size_t slot_of(const elman_intern *intern, const char *bytes, size_t size)
{
    size_t mask = intern->slot_count - 1;
    size_t slot = (size_t)elman_hash(intern->key, bytes, size) & mask;
    for (; intern->slots[slot] >= 0; slot = (slot + 1) & mask) {
        size_t length;
        const char *text = elman_intern_text(intern, intern->slots[slot], &length);
        if (length == size && !memcmp(text, bytes, size))
            break;
    }
    return slot;
}

int32_t elman_intern_find(const elman_intern *intern, const char *bytes, size_t size)
{
    return intern->count ? intern->slots[slot_of(intern, bytes, size)] : -1;
}

/* Slots enough that at least half stay free. */
static bool grow_slots(elman_intern *intern)
{
    if (2 * ((size_t)intern->count + 1) <= intern->slot_count)
        return true;
    size_t count = intern->slot_count ? 2 * intern->slot_count : 64;
    int32_t *slots = elman_allocate(intern->context, count, sizeof *slots);
    if (!slots)
        return false;
    elman_release(intern->context, intern->slots);
    intern->slots = slots;
    intern->slot_count = count;
    memset(slots, 0xff, count * sizeof *slots);
    for (int32_t i = 0; i < intern->count; i++) {
        size_t size;
        const char *text = elman_intern_text(intern, i, &size);
        slots[slot_of(intern, text, size)] = i;
    }
    return true;
}

elman_status elman_intern_add(elman_intern *intern, const char *bytes, size_t size, int32_t *number,
                              elman_error *error)
{
    *number = elman_intern_find(intern, bytes, size);
    if (*number >= 0)
        return ELMAN_OK;
    if (intern->count == INT32_MAX - 1)
        return elman_fail(error, ELMAN_ERROR_DATA, "more than %d different words", INT32_MAX - 1);
    char *text = elman_grown(intern->context, intern->text, intern->text_used, &intern->text_room,
                             size + 1, 1);
    intern->text = text ? text : intern->text;
    size_t *offsets = elman_grown(intern->context, intern->offsets, (size_t)intern->count,
                                  &intern->offsets_room, 1, sizeof *offsets);
    intern->offsets = offsets ? offsets : intern->offsets;
    if (!text || !offsets || !grow_slots(intern))
        return elman_out_of_memory(error);
    size_t slot = slot_of(intern, bytes, size);
    memcpy(intern->text + intern->text_used, bytes, size);
    intern->text[intern->text_used + size] = 0;
    intern->offsets[intern->count] = intern->text_used;
    intern->text_used += size + 1;
    intern->slots[slot] = *number = intern->count++;
    return ELMAN_OK;
}
