/* B parallel streams through a text, T steps at a time. */
#include <limits.h>

#include "base/error.h"
#include "base/memory.h"
#include "data/text_impl.h"
#include "elman/batch.h"

struct elman_stream_batches {
    elman_context *context;
    elman_text_reader **readers; /* [B] */
    int32_t *inputs, *targets;   /* [T,B] */
    int32_t *before;             /* [B] the input of the next step, already read */
    int32_t *scratch;            /* [T] */
    uint64_t first, length;      /* n */
    uint64_t epoch, position;
    int B, T;
    bool lost; /* the readers do not stand at position */
};

void elman_stream_batches_free(elman_stream_batches *s)
{
    if (s == NULL)
        return;
    for (int b = 0; s->readers != NULL && b < s->B; b++)
        elman_text_reader_free(s->readers[b]);
    elman_release(s->context, s->readers);
    elman_release(s->context, s->inputs);
    elman_release(s->context, s->targets);
    elman_release(s->context, s->before);
    elman_release(s->context, s->scratch);
    elman_release(s->context, s);
}

static elman_status open_streams(elman_stream_batches *s, elman_text *text,
                                 const elman_vocabulary *vocabulary, elman_error *error)
{
    size_t B = (size_t)s->B, T = (size_t)s->T, cells;
    if (elman_size_multiply(B, T, &cells)) {
        s->readers = elman_allocate_zero(s->context, B, sizeof(elman_text_reader *));
        s->inputs = elman_allocate(s->context, cells, sizeof *s->inputs);
        s->targets = elman_allocate(s->context, cells, sizeof *s->targets);
        s->before = elman_allocate(s->context, B, sizeof *s->before);
        s->scratch = elman_allocate(s->context, T, sizeof *s->scratch);
    }
    if (s->readers == NULL || s->inputs == NULL || s->targets == NULL || s->before == NULL ||
        s->scratch == NULL)
        return elman_fail(error, ELMAN_ERROR_MEMORY,
                          "batches: out of memory for %d streams of %d steps", s->B, s->T);
    /* All streams together buffer some 4 MiB, each at least a page. */
    size_t buffer = ((size_t)1 << 22) / B;
    buffer = buffer < 4096 ? 4096 : buffer;
    buffer = buffer > text->buffer ? text->buffer : buffer;
    for (int b = 0; b < s->B; b++) {
        uint64_t first = s->first + (uint64_t)b * s->length;
        ELMAN_TRY(elman_text_reader_open_sized(text, vocabulary, first, first + s->length + 1,
                                               buffer, &s->readers[b], error));
    }
    return ELMAN_OK;
}

elman_status elman_stream_batches_create(elman_text *text, const elman_vocabulary *vocabulary,
                                         uint64_t first, uint64_t end, int B, int T,
                                         elman_stream_batches **batches, elman_error *error)
{
    ELMAN_TRY(elman_text_check_range(text, first, end, error));
    if (B < 1 || T < 1)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "batches: found %d streams of %d steps; expected at least 1 of each", B,
                          T);
    if (end - first < (uint64_t)B + 1)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "text: found %llu tokens; expected at least %lld for %d streams",
                          (unsigned long long)(end - first), (long long)B + 1, B);
    elman_stream_batches *s = elman_allocate_zero(text->context, 1, sizeof *s);
    if (s == NULL)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "batches: out of memory");
    s->context = text->context;
    s->B = B;
    s->length = (end - first - 1) / (uint64_t)B;
    s->T = (uint64_t)T > s->length ? (int)s->length : T;
    s->first = first;
    s->lost = true;
    elman_status status = open_streams(s, text, vocabulary, error);
    if (status != ELMAN_OK) {
        elman_stream_batches_free(s);
        return status;
    }
    *batches = s;
    return ELMAN_OK;
}

uint64_t elman_stream_batches_length(const elman_stream_batches *s)
{
    return s->length;
}

uint64_t elman_stream_batches_count(const elman_stream_batches *s)
{
    return (s->length - 1) / (uint64_t)s->T + 1;
}

/* Brings every reader behind the input at position. */
static elman_status find_position(elman_stream_batches *s, elman_error *error)
{
    s->lost = true;
    for (int b = 0; b < s->B; b++) {
        size_t count;
        uint64_t token = s->first + (uint64_t)b * s->length + s->position;
        ELMAN_TRY(elman_text_reader_seek(s->readers[b], token, error));
        ELMAN_TRY(elman_text_reader_read(s->readers[b], &s->before[b], 1, &count, error));
    }
    s->lost = false;
    return ELMAN_OK;
}

elman_status elman_stream_batches_next(elman_stream_batches *s, elman_stream_batch *batch,
                                       elman_error *error)
{
    if (s->lost)
        ELMAN_TRY(find_position(s, error));
    uint64_t left = s->length - s->position;
    size_t steps = left < (uint64_t)s->T ? (size_t)left : (size_t)s->T, B = (size_t)s->B;
    for (size_t b = 0; b < B; b++) {
        size_t count;
        elman_status status =
            elman_text_reader_read(s->readers[b], s->scratch, steps, &count, error);
        if (status != ELMAN_OK) {
            s->lost = true; /* the streams before this one have gone ahead */
            return status;
        }
        int32_t input = s->before[b];
        for (size_t t = 0; t < steps; t++) {
            s->inputs[t * B + b] = input;
            input = s->targets[t * B + b] = s->scratch[t];
        }
        s->before[b] = input;
    }
    batch->inputs = s->inputs;
    batch->targets = s->targets;
    batch->steps = (int)steps;
    batch->epoch = s->epoch;
    batch->position = s->position;
    batch->ends_epoch = steps == left;
    s->position += steps;
    if (batch->ends_epoch) {
        s->position = 0;
        s->epoch++;
        s->lost = true;
    }
    return ELMAN_OK;
}

void elman_stream_batches_tell(const elman_stream_batches *s, uint64_t *epoch, uint64_t *position)
{
    *epoch = s->epoch;
    *position = s->position;
}

elman_status elman_stream_batches_seek(elman_stream_batches *s, uint64_t epoch, uint64_t position,
                                       elman_error *error)
{
    if (position >= s->length || position % (uint64_t)s->T != 0)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "batches: found position %llu; expected a multiple of %d below %llu",
                          (unsigned long long)position, s->T, (unsigned long long)s->length);
    s->epoch = epoch;
    s->position = position;
    return find_position(s, error);
}
