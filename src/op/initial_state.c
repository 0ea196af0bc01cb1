/* A learnt initial state, the same for every sequence: y[d,b,:] = parameter[first+d,:]. */
#include <inttypes.h>
#include <string.h>

#include "op/op.h"
#include "op/share.h"

typedef struct initial_state_node {
    elman_node node;
    elman_parameter *parameter; /* [.., H] */
    const elman_sequences *s;
    size_t first; /* element of the parameter at which the rows begin */
    elman_var *y; /* [D,B,H] */
} initial_state_node;

static void forward_share(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    (void)kernels;
    const initial_state_node *n = argument;
    size_t H = elman_row_width(n->y), B = (size_t)n->s->B;
    for (size_t row = begin; row < end; row++)
        memcpy(n->y->value.data + row * H, n->parameter->value.data + n->first + row / B * H,
               H * sizeof(float));
}

/* dparameter += dy over sequences, longest first; units begin..end-1 of all directions. */
static void backward_share(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    const initial_state_node *n = argument;
    size_t H = elman_row_width(n->y), B = (size_t)n->s->B;
    for (size_t d = 0; d < (size_t)n->y->value.shape[0]; d++)
        for (size_t i = 0; i < B; i++) {
            size_t b = (size_t)n->s->order[i];
            kernels->math->accumulate_chain(n->parameter->gradient + n->first + d * H + begin,
                                            n->y->gradient + (d * B + b) * H + begin, end - begin);
        }
}

static void initial_state_backward(elman_tape *tape, elman_node *node)
{
    initial_state_node *n = (initial_state_node *)node;
    if (n->y->gradient)
        elman_share(tape, elman_row_width(n->y), elman_row_count(n->y), backward_share, n);
}

elman_var *elman_op_initial_state(elman_tape *tape, elman_parameter *parameter, int64_t first,
                                  int64_t rows, const elman_sequences *s)
{
    if (!s || elman_tape_failed(tape))
        return NULL;
    int64_t H = parameter->value.shape[parameter->value.rank - 1];
    bool recorded = tape->mode.record && parameter->gradient;
    elman_var *y = elman_tape_var(tape, 3, (int64_t[]){rows, s->B, H}, recorded);
    if (!y)
        return NULL;
    initial_state_node made = {.parameter = parameter, .s = s, .y = y};
    made.first = (size_t)(first * H);
    elman_share(tape, elman_row_count(y), (size_t)H, forward_share, &made);
    if (!recorded)
        return y;
    initial_state_node *n =
        elman_tape_node(tape, sizeof *n, "initial state", initial_state_backward);
    if (!n)
        return NULL;
    made.node = n->node;
    *n = made;
    return y;
}
