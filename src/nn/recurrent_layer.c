/* Recurrent layers one above the other, over padded or packed sequences. */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "nn/parameters_impl.h"
#include "op/op.h"

/* Where the first layer's rows come from: x, or a table and tokens. */
typedef struct rows_source {
    elman_var *x;
    elman_parameter *table;
    const int32_t *tokens;
} rows_source;

static int directions_of(const elman_recurrent_layer *layer)
{
    return layer->options.bidirectional ? 2 : 1;
}

/* A given state is [layers*directions, B, H]. */
static bool check_state(elman_tape *tape, const elman_recurrent_layer *layer, const char *name,
                        const elman_var *state, int64_t B)
{
    int64_t rows = layer->options.layers * directions_of(layer), H = layer->options.hidden;
    if (!state)
        return true;
    const int64_t *shape = state->value.shape;
    if (state->value.rank == 3 && shape[0] == rows && shape[1] == B && shape[2] == H)
        return true;
    elman_tape_fail(tape, ELMAN_ERROR_SHAPE,
                    "recurrent layer: the initial %s has another shape, expected [%" PRId64
                    ", %" PRId64 ", %" PRId64 "]",
                    name, rows, B, H);
    return false;
}

/* Layer l's part of what is given, learnt, or zero. */
static elman_var *initial_of(elman_tape *tape, elman_var *given, elman_parameter *learnt, int l,
                             int directions, const elman_sequences *s)
{
    int64_t first = (int64_t)l * directions;
    if (given)
        return elman_steps(tape, given, first, first + directions);
    return learnt ? elman_op_initial_state(tape, learnt, first, directions, s) : NULL;
}

/* [directions,B,H] of every layer -> [layers*directions,B,H]. */
static elman_var *stack(elman_tape *tape, elman_var *const *parts, int layers)
{
    if (layers == 1 || !parts[0])
        return parts[0];
    elman_var *rows[ELMAN_MAX_LAYERS];
    int64_t shape[3], flat[2] = {1, elman_tensor_count(&parts[0]->value)};
    memcpy(shape, parts[0]->value.shape, sizeof shape);
    shape[0] *= layers;
    for (int l = 0; l < layers; l++)
        rows[l] = elman_reshape(tape, parts[l], 2, flat);
    return elman_reshape(tape, elman_concatenate(tape, rows, layers), 3, shape);
}

/* What is given, taken before *final is cleared, which may be the same place. */
static elman_state take_states(const elman_state *initial, elman_state *final)
{
    elman_state taken = initial ? *initial : (elman_state){NULL, NULL};
    if (final)
        *final = (elman_state){NULL, NULL};
    return taken;
}

/* Packed rows in, packed rows out. */
static elman_var *run(elman_tape *tape, const elman_recurrent_layer *layer, rows_source rows,
                      const elman_sequences *s, elman_state initial, elman_state *final)
{
    const elman_recurrent_options *o = &layer->options;
    int directions = directions_of(layer);
    elman_var *hn[ELMAN_MAX_LAYERS], *cn[ELMAN_MAX_LAYERS];
    bool is_lstm = o->cell == ELMAN_CELL_LSTM;
    if (!check_state(tape, layer, "h", initial.h, s->B) ||
        (is_lstm && !check_state(tape, layer, "c", initial.c, s->B)))
        return NULL;
    elman_var *x = rows.x;
    for (int l = 0; l < o->layers; l++) {
        elman_recurrent r = {.kind = o->cell, .hidden = o->hidden, .directions = directions};
        r.input = l == 0 ? o->input : o->hidden * directions;
        r.cells = layer->cells + l * directions;
        r.x = x;
        r.table = l == 0 ? rows.table : NULL;
        r.tokens = l == 0 ? rows.tokens : NULL;
        r.h0 = initial_of(tape, initial.h, layer->h0, l, directions, s);
        r.c0 = is_lstm ? initial_of(tape, initial.c, layer->c0, l, directions, s) : NULL;
        elman_op_recurrent(tape, s, &r);
        if (elman_tape_failed(tape))
            return NULL;
        hn[l] = r.hn;
        cn[l] = is_lstm ? r.cn : NULL;
        /* D(N(y + x)) */
        elman_var *y = o->residual && l > 0 ? elman_add(tape, r.y, x) : r.y;
        if (layer->norms)
            y = elman_layer_norm(tape, &layer->norms[l], y, s);
        x = l + 1 < o->layers ? elman_dropout(tape, y, s, o->dropout, o->use + l) : y;
    }
    if (final) {
        final->h = stack(tape, hn, o->layers);
        final->c = is_lstm ? stack(tape, cn, o->layers) : NULL;
    }
    return x;
}

elman_var *elman_recurrent_forward(elman_tape *tape, const elman_recurrent_layer *layer,
                                   elman_var *x, const elman_sequences *s,
                                   const elman_state *initial, elman_state *final)
{
    elman_state from = take_states(initial, final);
    if (!x || elman_tape_failed(tape))
        return NULL;
    int rank = x->value.rank;
    bool swapped = rank == 3 && layer->options.batch_first;
    if (rank < 2 || rank > 3 || (rank == 2 && !s) ||
        x->value.shape[rank - 1] != layer->options.input) {
        elman_tape_fail(tape, ELMAN_ERROR_SHAPE,
                        "recurrent layer: x has rank %d and %" PRId64
                        " features, expected [T, B, %" PRId64 "], or packed rows with sequences",
                        rank, rank > 0 ? x->value.shape[rank - 1] : 0, layer->options.input);
        return NULL;
    }
    if (swapped)
        x = elman_swap_steps(tape, x);
    if (x && !s)
        s = elman_tape_sequences(tape, x->value.shape[0], x->value.shape[1], NULL, NULL, 0);
    if (rank == 3)
        x = elman_pack(tape, x, s);
    if (!x || !s)
        return NULL;
    elman_var *y = run(tape, layer, (rows_source){.x = x}, s, from, final);
    if (rank == 3)
        y = elman_unpack(tape, y, s);
    return swapped ? elman_swap_steps(tape, y) : y;
}

elman_var *elman_recurrent_forward_tokens(elman_tape *tape, const elman_recurrent_layer *layer,
                                          const elman_embedding_layer *embedding,
                                          const int32_t *tokens, const elman_sequences *s,
                                          const elman_state *initial, elman_state *final)
{
    elman_state from = take_states(initial, final);
    if (!s || elman_tape_failed(tape))
        return NULL;
    int64_t width = embedding->weight->value.shape[1];
    if (width != layer->options.input) {
        elman_tape_fail(tape, ELMAN_ERROR_SHAPE,
                        "recurrent layer: %s has rows of %" PRId64 ", expected %" PRId64,
                        embedding->weight->name, width, layer->options.input);
        return NULL;
    }
    rows_source rows = {.table = embedding->weight, .tokens = tokens};
    return run(tape, layer, rows, s, from, final);
}

/* Fails the tape unless the layer's cell is one of first..last. */
static bool has_cell(elman_tape *tape, const char *function, const elman_recurrent_layer *layer,
                     elman_cell first, elman_cell last)
{
    static const char *const names[] = {"rnn", "rnn-relu", "lstm", "gru"};
    elman_cell cell = layer->options.cell;
    if (cell >= first && cell <= last)
        return true;
    elman_tape_fail(tape, ELMAN_ERROR_ARGUMENT, "%s: the layer's cell is %s, expected %s", function,
                    names[cell], names[first]);
    return false;
}

static elman_var *only_h(elman_tape *tape, const elman_recurrent_layer *layer, elman_var *x,
                         elman_var *h0, elman_var **hn)
{
    elman_state initial = {.h = h0}, final;
    elman_var *y = elman_recurrent_forward(tape, layer, x, NULL, &initial, hn ? &final : NULL);
    if (hn)
        *hn = final.h;
    return y;
}

elman_var *elman_rnn(elman_tape *tape, const elman_recurrent_layer *layer, elman_var *x,
                     elman_var *h0, elman_var **hn)
{
    if (hn)
        *hn = NULL;
    return has_cell(tape, "elman_rnn", layer, ELMAN_CELL_RNN, ELMAN_CELL_RNN_RELU)
               ? only_h(tape, layer, x, h0, hn)
               : NULL;
}

elman_var *elman_gru(elman_tape *tape, const elman_recurrent_layer *layer, elman_var *x,
                     elman_var *h0, elman_var **hn)
{
    if (hn)
        *hn = NULL;
    return has_cell(tape, "elman_gru", layer, ELMAN_CELL_GRU, ELMAN_CELL_GRU)
               ? only_h(tape, layer, x, h0, hn)
               : NULL;
}

elman_var *elman_lstm(elman_tape *tape, const elman_recurrent_layer *layer, elman_var *x,
                      const elman_state *initial, elman_state *final)
{
    elman_state from = take_states(initial, final);
    return has_cell(tape, "elman_lstm", layer, ELMAN_CELL_LSTM, ELMAN_CELL_LSTM)
               ? elman_recurrent_forward(tape, layer, x, NULL, &from, final)
               : NULL;
}
