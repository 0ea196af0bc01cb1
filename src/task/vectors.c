#include "task/vectors.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/philox.h"
#include "graph/tape_impl.h"
#include "kernel/kernels.h"
#include "op/share.h"

void elman_vectors_init(elman_vectors *v, elman_context *context, int64_t width)
{
    *v = (elman_vectors){.context = context, .width = width};
}

void elman_vectors_free(elman_vectors *v)
{
    elman_release(v->context, v->starts);
    elman_release(v->context, v->values);
    elman_vectors_init(v, v->context, v->width);
}

void elman_vectors_clear(elman_vectors *v)
{
    v->count = v->step_count = 0;
}

void elman_vectors_cut(elman_vectors *v, int64_t count)
{
    if (count >= v->count)
        return;
    v->count = count;
    v->step_count = v->starts[count];
}

elman_status elman_vectors_begin(elman_vectors *v, elman_error *error)
{
    int64_t *starts = elman_grown(v->context, v->starts, (size_t)v->count + 1, &v->starts_room, 1,
                                  sizeof *starts);
    if (!starts)
        return elman_out_of_memory(error);
    v->starts = starts;
    starts[v->count++] = v->step_count;
    starts[v->count] = v->step_count;
    return ELMAN_OK;
}

elman_status elman_vectors_add(elman_vectors *v, const float *step, elman_error *error)
{
    size_t width = (size_t)v->width;
    float *values = elman_grown(v->context, v->values, (size_t)v->step_count * width,
                                &v->values_room, width, sizeof *values);
    if (!values)
        return elman_out_of_memory(error);
    v->values = values;
    memcpy(values + (size_t)v->step_count * width, step, width * sizeof *step);
    v->starts[v->count] = ++v->step_count;
    return ELMAN_OK;
}

int64_t elman_vectors_length(const elman_vectors *v, int64_t i)
{
    return v->starts[i + 1] - v->starts[i];
}

void elman_vectors_scale(const elman_vectors *v, int64_t count, float *mean, float *deviation)
{
    int64_t steps = count ? v->starts[count] : 0, width = v->width;
    for (int64_t f = 0; f < width; f++) {
        double sum = 0, squares = 0;
        for (int64_t t = 0; t < steps; t++)
            sum += (double)v->values[t * width + f];
        double m = steps ? sum / (double)steps : 0;
        for (int64_t t = 0; t < steps; t++) {
            double d = (double)v->values[t * width + f] - m;
            squares += d * d;
        }
        double s = steps ? sqrt(squares / (double)steps) : 0;
        mean[f] = (float)m;
        deviation[f] = (float)s >= 0x1p-126F ? (float)s : 1.0F;
    }
}

bool elman_vectors_record(elman_tape *tape, const elman_vectors *v, const int64_t *numbers,
                          int64_t n, const float *mean, const float *deviation,
                          elman_encoder_batch *batch)
{
    *batch = (elman_encoder_batch){0};
    int64_t *lengths = elman_tape_take(tape, (size_t)n, sizeof *lengths), T = 0;
    uint32_t *names = elman_tape_take(tape, (size_t)n, sizeof *names);
    for (int64_t i = 0; lengths && names && i < n; i++) {
        lengths[i] = elman_vectors_length(v, numbers[i]);
        names[i] = (uint32_t)numbers[i];
        T = T < lengths[i] ? lengths[i] : T;
    }
    const elman_sequences *q = names ? elman_tape_sequences(tape, T, n, lengths, names, 0) : NULL;
    float *rows = q ? elman_tape_floats(tape, (size_t)(q->N * v->width)) : NULL;
    if (!rows)
        return false;
    for (int64_t t = 0; t < T; t++)
        for (int64_t p = 0; p < q->batch_sizes[t]; p++) {
            const float *from = v->values + (v->starts[numbers[q->order[p]]] + t) * v->width;
            float *to = rows + (q->offsets[t] + p) * v->width;
            for (int64_t f = 0; f < v->width; f++)
                to[f] = elman_flush((from[f] - mean[f]) / deviation[f]);
        }
    batch->sequences = q;
    batch->vectors = rows;
    return true;
}

bool elman_vectors_disturb(elman_tape *tape, const int64_t *numbers, int64_t width,
                           const elman_vector_noise *noise, elman_encoder_batch *batch)
{
    const elman_sequences *q = batch->sequences;
    if (!(noise->deviation > 0))
        return true;
    const elman_math_kernels *k = elman_kernels_of(tape->context)->math;
    float *rows = elman_tape_floats(tape, (size_t)(q->N * width));
    if (!rows)
        return false;
    elman_fill from = {.seed = noise->seed, .use = elman_philox_use(ELMAN_USE_NOISE, noise->pass)};
    for (int64_t t = 0; t < q->T; t++)
        for (int64_t p = 0; p < q->batch_sizes[t]; p++) {
            size_t at = (size_t)((q->offsets[t] + p) * width);
            from.stream = (uint32_t)numbers[q->order[p]];
            k->fill_normal(rows + at, (size_t)width, (uint64_t)(t * width), &from, 0,
                           (float)noise->deviation);
            k->add(rows + at, rows + at, batch->vectors + at, (size_t)width);
        }
    batch->vectors = rows;
    return true;
}
