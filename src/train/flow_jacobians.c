/* What one step does to a change of the state: singular value and spectral radius, in double. */
#include "base/pool.h"
#include "graph/tape_impl.h"
#include "op/step_jacobian.h"
#include "train/flow_layer.h"

typedef struct place {
    int64_t t;
    size_t p;
    double singular, radius;
} place;

typedef struct jacobians {
    const elman_observation *o;
    const float *turned;
    double *memory; /* a thread: the Jacobian, and two vectors */
    size_t size;    /* doubles of a thread's */
    place *places;
    size_t count;
} jacobians;

static void job(const elman_crew *crew, void *argument)
{
    const jacobians *work = argument;
    double *memory = work->memory + (size_t)crew->index * work->size;
    for (size_t i = (size_t)crew->index; i < work->count; i += (size_t)crew->count) {
        elman_step_jacobian j;
        place *at = &work->places[i];
        elman_step_jacobian_at(work->o, at->t, at->p, work->turned, memory, &j);
        double *v = memory + elman_step_jacobian_size(work->o);
        at->singular = elman_step_jacobian_singular(&j, v, v + j.S);
        at->radius = elman_step_jacobian_radius(&j, v, v + j.S);
    }
}

/* The step of the loss; where nothing came before it, the direction's last. */
static int64_t choose_step(const elman_observation *o, int64_t anchor, int64_t length)
{
    const bool reverse = o->direction->reverse;
    const int64_t first = reverse ? length - 1 : 0, last = reverse ? 0 : length - 1;
    return anchor == first ? last : anchor;
}

void elman_flow_add_jacobians(elman_flow_gather *g, elman_tape *tape, const elman_observation *o,
                              const int64_t *steps, int64_t count)
{
    const elman_recurrent_node *n = o->node;
    const size_t wanted = count < n->s->B ? (size_t)count : n->B;
    jacobians work = {.o = o, .size = elman_step_jacobian_size(o) + 4 * n->H};
    elman_arena_mark mark = elman_arena_get_mark(&tape->arena);
    float *turned = elman_tape_take(tape, n->G * n->H, n->H * sizeof *turned);
    work.places = elman_tape_take(tape, wanted, sizeof *work.places);
    work.memory = elman_tape_take(tape, (size_t)elman_context_threads(tape->context),
                                  work.size * sizeof *work.memory);
    if (!elman_tape_failed(tape) && wanted > 0) {
        elman_step_jacobian_turn(o, turned);
        work.turned = turned;
        for (size_t p = 0; p < n->B && work.count < wanted; p++) {
            const int64_t b = n->s->order[p], anchor = elman_flow_anchor(o, steps, b);
            if (anchor >= 0)
                work.places[work.count++] =
                    (place){.t = choose_step(o, anchor, n->s->lengths[b]), .p = p};
        }
        elman_pool_run(tape->context, job, &work);
        for (size_t i = 0; i < work.count; i++) {
            elman_flow_mean_add(&g->singular, work.places[i].singular);
            elman_flow_mean_add(&g->radius, work.places[i].radius);
        }
    }
    elman_arena_return(&tape->arena, mark);
}
