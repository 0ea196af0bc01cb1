#include "train/average.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/pool.h"
#include "graph/tape_impl.h"
#include "op/share.h"

enum { SHARE = 4096 }; /* elements that a thread takes at least */

struct elman_average {
    elman_context *context;
    elman_parameters *parameters;
    double decay;
    float *values; /* one after the other */
    float **of;    /* [count] into values, or NULL */
};

static bool averaged(const elman_parameter *p)
{
    return !p->tied && p->gradient;
}

elman_status elman_average_create(elman_context *context, elman_parameters *parameters,
                                  double decay, elman_average **average, elman_error *error)
{
    int64_t count = elman_parameters_count(parameters);
    size_t elements = 0;
    for (int64_t i = 0; i < count; i++) {
        const elman_parameter *p = elman_parameters_at(parameters, i);
        elements += averaged(p) ? (size_t)elman_tensor_count(&p->value) : 0;
    }
    elman_average *a = elman_allocate_zero(context, 1, sizeof *a);
    if (a) {
        a->context = context;
        a->parameters = parameters;
        a->decay = decay;
        a->values = elman_allocate(context, elements ? elements : 1, sizeof *a->values);
        a->of = elman_allocate_zero(context, count ? (size_t)count : 1, sizeof *a->of);
    }
    if (!a || !a->values || !a->of) {
        elman_average_free(a);
        return elman_out_of_memory(error);
    }
    float *at = a->values;
    for (int64_t i = 0; i < count; i++) {
        const elman_parameter *p = elman_parameters_at(parameters, i);
        if (!averaged(p))
            continue;
        size_t n = (size_t)elman_tensor_count(&p->value);
        a->of[i] = at;
        if (n)
            memcpy(at, p->value.data, n * sizeof *at);
        at += n;
    }
    *average = a;
    return ELMAN_OK;
}

void elman_average_free(elman_average *average)
{
    if (!average)
        return;
    elman_release(average->context, average->values);
    elman_release(average->context, average->of);
    elman_release(average->context, average);
}

typedef struct update_work {
    const elman_average *average;
    float rate;
} update_work;

/* This thread's elements of every parameter. */
static void update_job(const elman_crew *crew, void *argument)
{
    const update_work *work = argument;
    for (int64_t i = 0; i < elman_parameters_count(work->average->parameters); i++) {
        const elman_parameter *p = elman_parameters_at(work->average->parameters, i);
        float *a = work->average->of[i];
        size_t begin = 0, end = 0;
        if (a)
            elman_crew_share(crew, (size_t)elman_tensor_count(&p->value), SHARE, &begin, &end);
        for (size_t j = begin; j < end; j++)
            a[j] = elman_flush(a[j] + work->rate * (p->value.data[j] - a[j]));
    }
}

void elman_average_update(elman_average *average, int64_t n)
{
    if (!average)
        return;
    double d = (1.0 + (double)n) / (10.0 + (double)n);
    update_work work = {average, (float)(1.0 - (d < average->decay ? d : average->decay))};
    elman_pool_run(average->context, update_job, &work);
}

void elman_average_swap(elman_average *average)
{
    if (!average)
        return;
    for (int64_t i = 0; i < elman_parameters_count(average->parameters); i++) {
        elman_parameter *p = elman_parameters_at(average->parameters, i);
        float *a = average->of[i];
        size_t count = a ? (size_t)elman_tensor_count(&p->value) : 0;
        for (size_t j = 0; j < count; j++) {
            float w = p->value.data[j];
            p->value.data[j] = a[j];
            a[j] = w;
        }
        if (a)
            elman_parameter_touch(p);
    }
}

float *elman_average_of(const elman_average *average, int64_t i)
{
    return average ? average->of[i] : NULL;
}
