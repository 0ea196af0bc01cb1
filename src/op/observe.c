#include "op/observe.h"

#include <stdio.h>
#include <string.h>

static bool keeps_gates(const elman_recurrent_node *n)
{
    return !n->normalised && n->P > 1;
}

void elman_observe(elman_tape *tape, elman_recurrent_node *n, size_t i)
{
    elman_recurrent_direction *d = &n->directions[i];
    elman_observation *o = elman_tape_take(tape, 1, sizeof *o);
    const size_t row = n->H * sizeof(float);
    if (!o)
        return;
    *o = (elman_observation){.node = n, .direction = d, .previous = tape->observations};
    o->dh = elman_tape_take(tape, n->N, row);
    if (d->c)
        o->dc = elman_tape_take(tape, n->N, row);
    if (keeps_gates(n))
        o->gates = elman_tape_take(tape, n->N, n->P * row);
    if (elman_tape_failed(tape))
        return;
    memset(o->dh, 0, n->N * row);
    if (o->dc)
        memset(o->dc, 0, n->N * row);
    d->seen = o;
    tape->observations = o;
}

void elman_observe_gates(const elman_recurrent_node *n, size_t i)
{
    const elman_recurrent_direction *d = &n->directions[i];
    if (d->seen && d->seen->gates)
        memcpy(d->seen->gates, d->gates, n->N * n->P * n->H * sizeof(float));
}

const float *elman_observation_gates(const elman_observation *o, size_t row)
{
    const elman_recurrent_node *n = o->node;
    if (n->G == 1)
        return NULL;
    return n->normalised ? elman_recurrent_norm_gates(o->direction, row, n->H)
                         : o->gates + row * n->P * n->H;
}

const float *elman_observation_h(const elman_observation *o, size_t row)
{
    return elman_recurrent_y(o->node, o->direction, row).base;
}

const float *elman_observation_c(const elman_observation *o, size_t row)
{
    return o->direction->c ? o->direction->c + row * o->node->H : NULL;
}

void elman_layer_name(const char *weight, char name[ELMAN_LAYER_NAME])
{
    static const char part[] = "weight_hh_";
    const char *at = strstr(weight, part);
    const int before = at && at - weight < 32 ? (int)(at - weight) : 0;
    snprintf(name, ELMAN_LAYER_NAME, "%.*s%.31s", before, weight,
             at ? at + sizeof part - 1 : weight);
}
