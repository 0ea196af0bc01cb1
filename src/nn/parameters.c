/* An ordered set of parameters. */
#include "nn/parameters_impl.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/pool.h"
#include "kernel/kernels.h"

elman_status elman_parameters_create(elman_context *context, bool with_gradients,
                                     elman_parameters **set, elman_error *error)
{
    *set = NULL;
    elman_parameters *made = elman_allocate_zero(context, 1, sizeof *made);
    if (!made)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "parameters: out of memory");
    made->context = context;
    made->with_gradients = with_gradients;
    elman_arena_init(&made->arena, context);
    *set = made;
    return ELMAN_OK;
}

void elman_parameters_free(elman_parameters *set)
{
    if (!set)
        return;
    for (int64_t i = set->count - 1; i >= 0; i--) /* tied places before their owners */
        elman_parameter_free(set->entries[i].parameter);
    elman_release(set->context, set->entries);
    elman_arena_free(&set->arena);
    elman_release(set->context, set);
}

elman_status elman_parameters_join(const char *prefix, const char *name, char out[128],
                                   elman_error *error)
{
    int n = snprintf(out, 128, "%s%s%s", prefix, *prefix ? "." : "", name);
    if (n >= 0 && n < 128)
        return ELMAN_OK;
    return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                      "parameter %s%s%s: its name has %d bytes, expected at most 127", prefix,
                      *prefix ? "." : "", name, n);
}

/* Room for one more under a name that is free. */
static elman_status make_room(elman_parameters *set, const char *name, elman_error *error)
{
    if (!*name)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "parameter: its name is empty");
    if (elman_parameters_find(set, name))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "parameter %s: the name is taken, expected a new one", name);
    if (set->count < set->capacity)
        return ELMAN_OK;
    int64_t capacity = set->capacity ? 2 * set->capacity : 16;
    elman_entry *entries = elman_allocate(set->context, (size_t)capacity, sizeof *entries);
    if (!entries)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "parameter %s: out of memory", name);
    if (set->count > 0)
        memcpy(entries, set->entries, (size_t)set->count * sizeof *entries);
    elman_release(set->context, set->entries);
    set->entries = entries;
    set->capacity = capacity;
    return ELMAN_OK;
}

elman_status elman_parameters_add_as(elman_parameters *set, const char *prefix, const char *name,
                                     int rank, const int64_t *shape, const elman_entry *entry,
                                     elman_parameter **parameter, elman_error *error)
{
    char whole[128];
    *parameter = NULL;
    ELMAN_TRY(elman_parameters_join(prefix, name, whole, error));
    ELMAN_TRY(make_room(set, whole, error));
    ELMAN_TRY(elman_parameter_create(set->context, whole, rank, shape, set->with_gradients,
                                     parameter, error));
    (*parameter)->decays = entry->role == ELMAN_ROLE_WEIGHT ||
                           entry->role == ELMAN_ROLE_RECURRENT ||
                           entry->role == ELMAN_ROLE_EMBEDDING;
    if (entry->role == ELMAN_ROLE_GAIN) {
        int64_t count = elman_tensor_count(&(*parameter)->value);
        for (int64_t i = 0; i < count; i++)
            (*parameter)->value.data[i] = 1.0F;
    }
    set->entries[set->count] = *entry;
    set->entries[set->count++].parameter = *parameter;
    return ELMAN_OK;
}

elman_status elman_parameters_add(elman_parameters *set, const char *name, int rank,
                                  const int64_t *shape, elman_parameter **parameter,
                                  elman_error *error)
{
    elman_entry entry = {.role = rank >= 2 ? ELMAN_ROLE_WEIGHT : ELMAN_ROLE_BIAS, .gates = 1};
    entry.fan = rank >= 1 ? shape[rank - 1] : 1;
    return elman_parameters_add_as(set, "", name, rank, shape, &entry, parameter, error);
}

elman_status elman_parameters_tie(elman_parameters *set, const char *name, elman_parameter *other,
                                  elman_parameter **parameter, elman_error *error)
{
    *parameter = NULL;
    ELMAN_TRY(make_room(set, name, error));
    ELMAN_TRY(elman_parameter_tie(set->context, name, other, parameter, error));
    set->entries[set->count++] = (elman_entry){.parameter = *parameter, .gates = 1};
    return ELMAN_OK;
}

int64_t elman_parameters_count(const elman_parameters *set)
{
    return set->count;
}

elman_parameter *elman_parameters_at(const elman_parameters *set, int64_t index)
{
    return index >= 0 && index < set->count ? set->entries[index].parameter : NULL;
}

elman_parameter *elman_parameters_find(const elman_parameters *set, const char *name)
{
    for (int64_t i = 0; i < set->count; i++)
        if (strcmp(set->entries[i].parameter->name, name) == 0)
            return set->entries[i].parameter;
    return NULL;
}

int64_t elman_parameters_elements(const elman_parameters *set)
{
    int64_t elements = 0;
    for (int64_t i = 0; i < set->count; i++)
        if (!set->entries[i].parameter->tied)
            elements += elman_tensor_count(&set->entries[i].parameter->value);
    return elements;
}

/* Both jobs take every parameter in turn, each thread its own elements of it. */
static void zero_job(const elman_crew *crew, void *argument)
{
    const elman_parameters *set = argument;
    for (int64_t i = 0; i < set->count; i++) {
        const elman_parameter *p = set->entries[i].parameter;
        size_t begin, end;
        elman_crew_share(crew, (size_t)elman_tensor_count(&p->value), 4096, &begin, &end);
        if (p->gradient && begin < end)
            memset(p->gradient + begin, 0, (end - begin) * sizeof *p->gradient);
    }
}

void elman_parameters_zero_gradients(elman_parameters *set)
{
    if (set->with_gradients)
        elman_pool_run(set->context, zero_job, set);
}

static void gather_job(const elman_crew *crew, void *argument)
{
    const elman_parameters *set = argument;
    for (int64_t i = 0; i < set->count; i++) {
        const elman_parameter *p = set->entries[i].parameter;
        if (!p->tied || !p->gradient)
            continue;
        size_t begin, end;
        elman_crew_share(crew, (size_t)elman_tensor_count(&p->value), 4096, &begin, &end);
        if (begin >= end)
            continue;
        if (p->tied->gradient)
            set->context->kernels->math->accumulate_chain(p->tied->gradient + begin,
                                                          p->gradient + begin, end - begin);
        memset(p->gradient + begin, 0, (end - begin) * sizeof *p->gradient);
    }
}

void elman_parameters_gather(elman_parameters *set)
{
    bool tied = false;
    for (int64_t i = 0; i < set->count; i++)
        tied = tied || set->entries[i].parameter->tied;
    if (!tied || !set->with_gradients)
        return;
    elman_kernels_of(set->context);
    elman_pool_run(set->context, gather_job, set);
}

const elman_parameter *elman_parameters_first_nonfinite(const elman_parameters *set,
                                                        size_t *element)
{
    const elman_math_kernels *k = elman_kernels_of(set->context)->math;
    for (int64_t i = 0; i < set->count; i++) {
        const elman_parameter *p = set->entries[i].parameter;
        const size_t count = (size_t)elman_tensor_count(&p->value);
        *element = k->first_nonfinite(p->value.data, count);
        if (*element < count)
            return p;
    }
    return NULL;
}
