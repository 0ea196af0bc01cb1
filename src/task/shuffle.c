#include "task/shuffle.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/philox.h"
#include "train/checkpoint.h"

enum { STRETCH = 32 }; /* batches that are sorted by length together */

struct elman_shuffle {
    elman_context *context;
    uint64_t seed;
    const int64_t *lengths;
    int64_t count, batch, batches;
    int64_t place[2]; /* epoch and batch of the next one */
    int64_t *order;   /* [count] of the epoch `ordered` */
    int64_t *starts;  /* [batches] where in the order a batch begins */
    int64_t *scratch; /* [count] */
    int64_t ordered;  /* -1: none yet */
};

void elman_shuffle_free(elman_shuffle *shuffle)
{
    if (!shuffle)
        return;
    elman_release(shuffle->context, shuffle->order);
    elman_release(shuffle->context, shuffle->starts);
    elman_release(shuffle->context, shuffle->scratch);
    elman_release(shuffle->context, shuffle);
}

elman_status elman_shuffle_create(elman_context *context, int64_t count, int64_t batch,
                                  uint64_t seed, const int64_t *lengths, elman_shuffle **shuffle,
                                  elman_error *error)
{
    elman_shuffle *s = elman_allocate_zero(context, 1, sizeof *s);
    if (s) {
        s->context = context;
        s->seed = seed;
        s->lengths = lengths;
        s->count = count;
        s->batch = batch;
        s->batches = (count + batch - 1) / batch;
        s->ordered = -1;
        s->order = elman_allocate(context, (size_t)count, sizeof *s->order);
        s->scratch = elman_allocate(context, (size_t)count, sizeof *s->scratch);
        s->starts = elman_allocate(context, (size_t)s->batches, sizeof *s->starts);
    }
    if (!s || !s->order || !s->scratch || !s->starts) {
        elman_shuffle_free(s);
        return elman_out_of_memory(error);
    }
    *shuffle = s;
    return ELMAN_OK;
}

/* Fisher and Yates: place i changes with one of 0..i. `what` tells the draws of examples from those
 * of batches. */
static void permute(const elman_shuffle *s, int64_t *list, int64_t count, uint32_t what)
{
    for (int64_t i = count - 1; i > 0; i--) {
        uint32_t counter[4] = {(uint32_t)i, (uint32_t)((uint64_t)i >> 32), what,
                               elman_philox_use(ELMAN_USE_SHUFFLE, (uint64_t)s->place[0])};
        uint32_t word[4];
        elman_philox(s->seed, counter, word);
        uint64_t draw = (uint64_t)word[0] << 32 | word[1];
        int64_t j = (int64_t)(draw % (uint64_t)(i + 1));
        int64_t kept = list[i];
        list[i] = list[j];
        list[j] = kept;
    }
}

/* Merge sort, longest first, ties as they stand. */
static void sort_by_length(const elman_shuffle *s, int64_t *list, int64_t count, int64_t *scratch)
{
    for (int64_t width = 1; width < count; width *= 2) {
        for (int64_t begin = 0; begin < count; begin += 2 * width) {
            int64_t middle = begin + width < count ? begin + width : count;
            int64_t end = begin + 2 * width < count ? begin + 2 * width : count;
            int64_t a = begin, b = middle;
            for (int64_t i = begin; i < end; i++) {
                bool first = a < middle && (b == end || s->lengths[list[a]] >= s->lengths[list[b]]);
                scratch[i] = first ? list[a++] : list[b++];
            }
        }
        memcpy(list, scratch, (size_t)count * sizeof *list);
    }
}

static void make_order(elman_shuffle *s)
{
    if (s->ordered == s->place[0])
        return;
    for (int64_t i = 0; i < s->count; i++)
        s->order[i] = i;
    permute(s, s->order, s->count, 0);
    for (int64_t i = 0; i < s->batches; i++)
        s->starts[i] = i * s->batch;
    if (s->lengths) {
        int64_t stretch = STRETCH * s->batch;
        for (int64_t at = 0; at < s->count; at += stretch)
            sort_by_length(s, s->order + at, s->count - at < stretch ? s->count - at : stretch,
                           s->scratch);
        permute(s, s->starts, s->batches, 1);
    }
    s->ordered = s->place[0];
}

int64_t elman_shuffle_batches(const elman_shuffle *shuffle)
{
    return shuffle->batches;
}

void elman_shuffle_next(elman_shuffle *s, const int64_t **numbers, int64_t *n, bool *ends_epoch)
{
    make_order(s);
    int64_t begin = s->starts[s->place[1]];
    *numbers = s->order + begin;
    *n = s->count - begin < s->batch ? s->count - begin : s->batch;
    *ends_epoch = ++s->place[1] == s->batches;
    if (*ends_epoch) {
        s->place[0]++;
        s->place[1] = 0;
    }
}

elman_status elman_shuffle_remember(elman_shuffle *s, elman_safetensors_writer *writer,
                                    elman_error *error)
{
    size_t shape[1] = {2};
    return elman_safetensors_writer_add(writer, "state.place", ELMAN_DTYPE_I64, 1, shape, s->place,
                                        error);
}

elman_status elman_shuffle_restore(elman_shuffle *s, const elman_safetensors *file,
                                   elman_error *error)
{
    const elman_tensor_view *place = elman_safetensors_find(file, "state.place");
    const elman_tensor_view *progress = elman_safetensors_find(file, "progress.integers");
    struct elman_progress_integers n; /* checked before */
    int64_t found[2] = {-1, -1};
    memcpy(&n, progress->data, sizeof n);
    if (place && place->dtype == ELMAN_DTYPE_I64 && place->bytes == sizeof found)
        memcpy(found, place->data, sizeof found);
    if (found[0] != n.epoch || found[1] != n.batch || found[1] >= s->batches)
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "checkpoint.safetensors: state.place: epoch %" PRId64 ", batch %" PRId64
                          ", expected epoch %" PRId64 ", batch %" PRId64,
                          found[0], found[1], n.epoch, n.batch);
    memcpy(s->place, found, sizeof found);
    s->ordered = -1;
    return ELMAN_OK;
}
