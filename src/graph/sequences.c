/* A batch of sequences of different lengths, packed longest first. */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "graph/tape_impl.h"

/* T, B >= 0, every length within 0..T, T*B within int64. */
static bool check(elman_tape *tape, int64_t T, int64_t B, const int64_t *lengths)
{
    int64_t cells;
    if (T < 0 || B < 0 || T == INT64_MAX || __builtin_mul_overflow(T, B, &cells)) {
        elman_tape_fail(tape, ELMAN_ERROR_SHAPE,
                        "sequences: T is %" PRId64 " and B is %" PRId64
                        ", expected at least 0 and a product that fits",
                        T, B);
        return false;
    }
    for (int64_t b = 0; lengths && b < B; b++)
        if (lengths[b] < 0 || lengths[b] > T) {
            elman_tape_fail(tape, ELMAN_ERROR_SHAPE,
                            "sequences: the length of sequence %" PRId64 " is %" PRId64
                            ", expected 0 to T = %" PRId64,
                            b, lengths[b], T);
            return false;
        }
    return true;
}

const elman_sequences *elman_tape_sequences(elman_tape *tape, int64_t T, int64_t B,
                                            const int64_t *lengths, const uint32_t *numbers,
                                            uint32_t time)
{
    if (elman_tape_failed(tape) || !check(tape, T, B, lengths))
        return NULL;
    elman_sequences *s = elman_tape_take(tape, 1, sizeof *s);
    int64_t *kept = elman_tape_take(tape, (size_t)B, sizeof *kept);
    int64_t *order = elman_tape_take(tape, (size_t)B, sizeof *order);
    int64_t *batch_sizes = elman_tape_take(tape, (size_t)T, sizeof *batch_sizes);
    int64_t *offsets = elman_tape_take(tape, (size_t)T + 1, sizeof *offsets);
    uint32_t *names = elman_tape_take(tape, (size_t)B, sizeof *names);
    if (!names)
        return NULL;
    *s = (elman_sequences){T, B, 0, kept, order, batch_sizes, offsets, names, time, true};

    /* offsets[L] first counts the sequences of length L, then the places taken by longer ones:
     * a counting sort, stable. */
    memset(offsets, 0, ((size_t)T + 1) * sizeof *offsets);
    for (int64_t b = 0; b < B; b++) {
        kept[b] = lengths ? lengths[b] : T;
        names[b] = numbers ? numbers[b] : (uint32_t)b;
        s->uniform = s->uniform && kept[b] == T;
        s->N += kept[b];
        offsets[kept[b]]++;
    }
    int64_t longer = 0;
    for (int64_t L = T; L >= 0; L--) {
        int64_t here = offsets[L];
        offsets[L] = longer;
        if (L < T)
            batch_sizes[L] = longer;
        longer += here;
    }
    for (int64_t b = 0; b < B; b++)
        order[offsets[kept[b]]++] = b;

    offsets[0] = 0;
    for (int64_t t = 0; t < T; t++)
        offsets[t + 1] = offsets[t] + batch_sizes[t];
    return s;
}
