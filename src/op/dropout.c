/* y = kept ? x / (1-p) : 0, the mask a function of a counter, so that backward draws it again. */
#include <inttypes.h>

#include "base/number.h"
#include "elman/op.h"
#include "op/share.h"

enum { DROPOUT_USES = 256 - ELMAN_USE_DROPOUT };

typedef struct dropout_node {
    elman_node node;
    const elman_sequences *s; /* NULL: row i is step i of one sequence */
    double p;
    int use;
    elman_var *x, *y;
} dropout_node;

typedef struct dropout_work {
    const dropout_node *node;
    const elman_tape_mode *mode;
    const float *from;
    float *to;
    bool add;
} dropout_work;

/* The last step that begins at or before the row, and holds it. */
static int64_t step_of(const elman_sequences *s, int64_t row)
{
    int64_t low = 0, high = s->T;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (s->offsets[middle] <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void dropout_share(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    const dropout_work *w = argument;
    const elman_sequences *s = w->node->s;
    size_t F = elman_row_width(w->node->x);
    elman_dropout_mask mask = elman_dropout_mask_of(w->mode->seed, ELMAN_USE_DROPOUT + w->node->use,
                                                    w->mode->pass, w->node->p);
    int64_t t = s ? step_of(s, (int64_t)begin) : 0;
    for (size_t i = begin; i < end; i++) {
        uint32_t time = (uint32_t)i, number = 0;
        if (s) {
            while (s->offsets[t + 1] <= (int64_t)i)
                t++;
            time = s->time + (uint32_t)t;
            number = s->numbers[s->order[(int64_t)i - s->offsets[t]]];
        }
        kernels->math->dropout_row(w->to + i * F, w->from + i * F, F, &mask, time, number, w->add);
    }
}

/* dx = kept ? dy / (1-p) : 0. */
static void dropout_backward(elman_tape *tape, elman_node *node)
{
    const dropout_node *d = (dropout_node *)node;
    if (!d->y->gradient)
        return;
    dropout_work w = {.node = d, .mode = &tape->mode, .from = d->y->gradient};
    w.to = elman_tape_gradient(tape, d->x, &w.add);
    elman_share(tape, elman_row_count(d->x), elman_row_width(d->x), dropout_share, &w);
}

elman_var *elman_dropout(elman_tape *tape, elman_var *x, const elman_sequences *s, double p,
                         int use)
{
    if (!x || elman_tape_failed(tape))
        return NULL;
    if (!(p >= 0 && p <= 1) || use < 0 || use >= DROPOUT_USES) {
        char probability[32];
        elman_print_real(probability, p);
        elman_tape_fail(tape, ELMAN_ERROR_ARGUMENT,
                        "dropout: the probability is %s, expected 0 to 1, and the use %d, expected "
                        "0 to %d",
                        probability, use, DROPOUT_USES - 1);
        return NULL;
    }
    if (x->value.rank < 1 || (s && (int64_t)elman_row_count(x) != s->N)) {
        elman_tape_fail(tape, ELMAN_ERROR_SHAPE,
                        "dropout: the shape is %s, expected %" PRId64 " rows",
                        elman_shape_print(x).text, s ? s->N : 1);
        return NULL;
    }
    if (!tape->mode.train || !(p > 0))
        return x;
    bool recorded = elman_wants_gradient(tape, x, NULL);
    elman_var *y = elman_tape_var(tape, x->value.rank, x->value.shape, recorded);
    if (!y)
        return NULL;
    dropout_node made = {.s = s, .p = p, .use = use, .x = x, .y = y};
    dropout_work w = {&made, &tape->mode, x->value.data, y->value.data, false};
    elman_share(tape, elman_row_count(x), elman_row_width(x), dropout_share, &w);
    if (!recorded)
        return y;
    dropout_node *d = elman_tape_node(tape, sizeof *d, "dropout", dropout_backward);
    if (!d)
        return NULL;
    made.node = d->node;
    *d = made;
    return y;
}
