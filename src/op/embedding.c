/* y_i = table[tokens_i]                     table [V,E], y [n,E]
 * dtable[v] += dy_i for the i with tokens_i = v, the last step's rows first */
#include <inttypes.h>

#include "base/pool.h"
#include "op/op.h"
#include "op/product.h"
#include "op/share.h"

typedef struct embedding_node {
    elman_node node;
    elman_parameter *table;
    const int32_t *tokens;
    size_t rows;
    const elman_sequences *sequences;
    elman_var *y;
} embedding_node;

static void forward_share(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    (void)kernels;
    const embedding_node *e = argument;
    size_t E = elman_row_width(e->y);
    for (size_t i = begin; i < end; i++)
        memcpy(e->y->value.data + i * E, e->table->value.data + (size_t)e->tokens[i] * E,
               E * sizeof(float));
}

typedef struct embedding_flow {
    const embedding_node *e;
    const float *dy;
    const size_t *order;
} embedding_flow;

/* Columns begin..end-1 of every row: a chain stays with one thread. */
static void backward_share(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    const embedding_flow *flow = argument;
    const embedding_node *e = flow->e;
    size_t E = elman_row_width(e->y);
    for (size_t i = 0; i < e->rows; i++) {
        size_t row = flow->order[i];
        kernels->product->add(end - begin, flow->dy + row * E + begin,
                              e->table->gradient + (size_t)e->tokens[row] * E + begin);
    }
}

static void embedding_backward(elman_tape *tape, elman_node *node)
{
    const embedding_node *e = (embedding_node *)node;
    embedding_flow flow = {.e = e, .dy = elman_var_gradient(e->y)};
    if (!flow.dy || !e->table->gradient)
        return;
    flow.order = elman_last_steps_first(tape, e->sequences, e->rows);
    if (flow.order)
        elman_share(tape, elman_row_width(e->y), e->rows, backward_share, &flow);
}

elman_var *elman_op_embedding(elman_tape *tape, elman_parameter *table, const int32_t *tokens,
                              int64_t n, const elman_sequences *sequences)
{
    if (elman_tape_failed(tape))
        return NULL;
    if (table->value.rank != 2 || n < 0 || (sequences && sequences->N != n)) {
        elman_tape_fail(tape, ELMAN_ERROR_SHAPE,
                        "embedding %s: %" PRId64 " tokens for a table of rank %d, expected %" PRId64
                        " for one of rank 2",
                        table->name, n, table->value.rank, sequences ? sequences->N : n);
        return NULL;
    }
    for (int64_t i = 0; i < n; i++)
        if (tokens[i] < 0 || tokens[i] >= table->value.shape[0]) {
            elman_tape_fail(tape, ELMAN_ERROR_DATA,
                            "embedding %s: token %" PRId64 " is %" PRId32
                            ", expected 0 to %" PRId64,
                            table->name, i, tokens[i], table->value.shape[0] - 1);
            return NULL;
        }
    int64_t shape[2] = {n, table->value.shape[1]};
    bool recorded = tape->mode.record && table->gradient;
    elman_var *y = elman_tape_var(tape, 2, shape, recorded);
    if (!y)
        return NULL;
    embedding_node made = {
        .table = table, .tokens = tokens, .rows = (size_t)n, .sequences = sequences, .y = y};
    elman_share(tape, (size_t)n, (size_t)shape[1], forward_share, &made);
    if (!recorded)
        return y;
    embedding_node *e = elman_tape_node(tape, sizeof *e, "embedding", embedding_backward);
    if (!e)
        return NULL;
    made.node = e->node;
    made.node.parameter = table;
    *e = made;
    return y;
}
