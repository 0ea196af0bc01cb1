/* Padded [T,B,F] <-> packed [N,F]. */
#include <inttypes.h>
#include <string.h>

#include "elman/op.h"
#include "op/share.h"

typedef struct pack_node {
    elman_node node;
    const elman_sequences *s;
    const int64_t *place; /* [B] as given -> packed place */
    elman_var *x, *y;
} pack_node;

/* Rows move between both; `padded` and `packed`: one is written, the other read. */
typedef struct pack_work {
    const elman_sequences *s;
    const int64_t *place;
    size_t F;
    const float *from;
    float *to;
    bool add;
} pack_work;

/* packed[offsets[t] + place[b]] (+)= padded[t,b], t < lengths[b]. */
static void pack_share(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    (void)kernels;
    const pack_work *w = argument;
    size_t B = (size_t)w->s->B;
    for (size_t row = begin; row < end; row++) {
        int64_t t = (int64_t)(row / B), b = (int64_t)(row % B);
        if (t < w->s->lengths[b]) {
            size_t packed = (size_t)(w->s->offsets[t] + w->place[b]);
            elman_put_row(w->F, w->from + row * w->F, w->add, w->to + packed * w->F);
        }
    }
}

/* padded[t,b] (+)= packed[offsets[t] + place[b]], or zero beyond the length. */
static void unpack_share(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    (void)kernels;
    const pack_work *w = argument;
    size_t B = (size_t)w->s->B;
    for (size_t row = begin; row < end; row++) {
        int64_t t = (int64_t)(row / B), b = (int64_t)(row % B);
        if (t < w->s->lengths[b]) {
            size_t packed = (size_t)(w->s->offsets[t] + w->place[b]);
            elman_put_row(w->F, w->from + packed * w->F, w->add, w->to + row * w->F);
        } else if (!w->add) {
            memset(w->to + row * w->F, 0, w->F * sizeof *w->to);
        }
    }
}

static void move(elman_tape *tape, const pack_node *p, elman_share_call call, const float *from,
                 bool add, float *to)
{
    pack_work w = {p->s, p->place, elman_row_width(p->x), from, to, add};
    elman_share(tape, (size_t)(p->s->T * p->s->B), w.F, call, &w);
}

static void flow(elman_tape *tape, elman_node *node, elman_share_call call)
{
    pack_node *p = (pack_node *)node;
    if (!p->y->gradient)
        return;
    bool add;
    float *dx = elman_tape_gradient(tape, p->x, &add);
    if (dx)
        move(tape, p, call, p->y->gradient, add, dx);
}

static void pack_backward(elman_tape *tape, elman_node *node)
{
    flow(tape, node, unpack_share);
}

static void unpack_backward(elman_tape *tape, elman_node *node)
{
    flow(tape, node, pack_share);
}

static elman_var *moved(elman_tape *tape, const char *name, elman_var *x, const elman_sequences *s,
                        const elman_tensor *to, elman_share_call call,
                        void (*backward)(elman_tape *, elman_node *))
{
    bool recorded = elman_wants_gradient(tape, x, NULL);
    int64_t *place = elman_tape_take(tape, (size_t)s->B, sizeof *place);
    elman_var *y = elman_tape_var(tape, to->rank, to->shape, recorded);
    if (!y)
        return NULL;
    for (int64_t i = 0; i < s->B; i++)
        place[s->order[i]] = i;
    pack_node made = {.s = s, .place = place, .x = x, .y = y};
    move(tape, &made, call, x->value.data, false, y->value.data);
    if (!recorded)
        return y;
    pack_node *p = elman_tape_node(tape, sizeof *p, name, backward);
    if (!p)
        return NULL;
    made.node = p->node;
    *p = made;
    return y;
}

elman_var *elman_pack(elman_tape *tape, elman_var *x, const elman_sequences *s)
{
    if (!x || !s || elman_tape_failed(tape))
        return NULL;
    const int64_t *shape = x->value.shape;
    if (x->value.rank != 3 || shape[0] != s->T || shape[1] != s->B) {
        elman_tape_fail(tape, ELMAN_ERROR_SHAPE,
                        "pack: the shape is %s, expected [%" PRId64 ", %" PRId64 ", F]",
                        elman_shape_print(x).text, s->T, s->B);
        return NULL;
    }
    elman_tensor packed = {.rank = 2, .shape = {s->N, shape[2]}};
    if (s->uniform)
        return elman_tape_alias(tape, x, 0, packed.rank, packed.shape);
    return moved(tape, "pack", x, s, &packed, pack_share, pack_backward);
}

elman_var *elman_unpack(elman_tape *tape, elman_var *x, const elman_sequences *s)
{
    if (!x || !s || elman_tape_failed(tape))
        return NULL;
    const int64_t *shape = x->value.shape;
    if (x->value.rank != 2 || shape[0] != s->N) {
        elman_tape_fail(tape, ELMAN_ERROR_SHAPE,
                        "unpack: the shape is %s, expected [%" PRId64 ", F]",
                        elman_shape_print(x).text, s->N);
        return NULL;
    }
    elman_tensor padded = {.rank = 3, .shape = {s->T, s->B, shape[1]}};
    if (s->uniform)
        return elman_tape_alias(tape, x, 0, padded.rank, padded.shape);
    return moved(tape, "unpack", x, s, &padded, unpack_share, unpack_backward);
}
