/* Stretches of a text through which a language model's gradient is followed. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "elman/layer.h"
#include "graph/tape_impl.h"
#include "model/network_impl.h"
#include "task/lm_impl.h"

/* Lags that are of use where nothing is said, tokens that are read before them, and streams of a
 * stretch. */
enum { LAGS = 100, BEFORE = 64, STREAMS = 8 };

void elman_lm_flow_free(elman_lm_flow *flow)
{
    elman_release(flow->context, flow->ids);
    elman_release(flow->context, flow->state.h);
}

/* A stretch: `before` tokens, then T inputs, then the target of the last. */
typedef struct stretch {
    int64_t before, T;
    uint64_t places; /* where one can begin: 0..places-1 */
} stretch;

static stretch stretch_of(const elman_lm_flow *flow, int64_t lags)
{
    const elman_config *config = elman_network_config(flow->network);
    int64_t wanted = lags ? lags : config->bptt > LAGS ? config->bptt : LAGS;
    int64_t most = flow->tokens > INT32_MAX ? INT32_MAX : (int64_t)flow->tokens;
    stretch s = {.T = wanted + 1 < most ? wanted + 1 : most - 1};
    s.before = most - 1 - s.T < BEFORE ? most - 1 - s.T : BEFORE;
    s.places = flow->tokens - (uint64_t)(s.before + s.T);
    return s;
}

/* ids [count, before+T+1] of the samples; fewer where there are fewer. */
static elman_status read_stretches(elman_lm_flow *flow, const stretch *s,
                                   const elman_flow_wish *wish, int64_t *count, elman_error *error)
{
    const size_t length = (size_t)(s->before + s->T + 1);
    void *ids = elman_grown(flow->context, flow->ids, 0, &flow->room, length * (size_t)wish->count,
                            sizeof *flow->ids);
    if (!ids)
        return elman_out_of_memory(error);
    flow->ids = ids;
    elman_text_reader *reader;
    ELMAN_TRY(
        elman_text_reader_open(flow->text, flow->vocabulary, 0, flow->tokens, &reader, error));
    elman_status status = ELMAN_OK;
    for (*count = 0; status == ELMAN_OK && *count < wish->count; ++*count) {
        int64_t at = elman_flow_place(wish->first + *count, wish->of, (int64_t)s->places);
        size_t got;
        if (at < 0)
            break;
        status = elman_text_reader_seek(reader, (uint64_t)at, error);
        if (status == ELMAN_OK)
            status = elman_text_reader_read(reader, flow->ids + (size_t)*count * length, length,
                                            &got, error);
    }
    elman_text_reader_free(reader);
    return status;
}

/* tokens [T,B] from place `first` of each stretch on. */
static int32_t *turn(elman_tape *tape, const elman_lm_flow *flow, const stretch *s, int64_t first,
                     int64_t T, int64_t B)
{
    const int64_t length = s->before + s->T + 1;
    int32_t *tokens = elman_tape_take(tape, (size_t)T, (size_t)B * sizeof *tokens);
    for (int64_t t = 0; tokens && t < T; t++)
        for (int64_t b = 0; b < B; b++)
            tokens[t * B + b] = flow->ids[b * length + first + t];
    return tokens;
}

elman_status elman_lm_flow_record(elman_lm_flow *flow, elman_tape *tape,
                                  const elman_flow_wish *wish, elman_flow_batch *batch,
                                  elman_error *error)
{
    const stretch s = stretch_of(flow, wish->lags);
    int64_t B = 0;
    flow->stretch = 0;
    ELMAN_TRY(read_stretches(flow, &s, wish, &B, error));
    if (!B)
        return ELMAN_OK;
    const elman_config *c = elman_network_config(flow->network);
    const size_t states = (size_t)c->layers * (size_t)B * (size_t)c->hidden;
    elman_network_state state = {.h = elman_tape_floats(tape, states), .B = B};
    if (c->cell == ELMAN_CELL_LSTM)
        state.c = elman_tape_floats(tape, states);
    if (elman_tape_failed(tape))
        return ELMAN_OK;
    memset(state.h, 0, states * sizeof *state.h);
    if (state.c)
        memset(state.c, 0, states * sizeof *state.c);
    if (s.before)
        elman_network_forward(tape, flow->network, turn(tape, flow, &s, 0, s.before, B),
                              elman_tape_sequences(tape, s.before, B, NULL, NULL, 0), &state,
                              &state);
    batch->sequences = elman_tape_sequences(tape, s.T, B, NULL, NULL, (uint32_t)s.before);
    elman_var *y =
        elman_network_forward(tape, flow->network, turn(tape, flow, &s, s.before, s.T, B),
                              batch->sequences, &state, NULL);
    batch->count = B;
    batch->loss = elman_linear_cross_entropy(
        tape, &flow->network->output, elman_pool_last(tape, y, batch->sequences), NULL,
        turn(tape, flow, &s, s.before + s.T, 1, B), wish->scale, &batch->sum);
    return ELMAN_OK;
}

int64_t elman_lm_flow_longest(const elman_lm_flow *flow)
{
    return flow->tokens > INT32_MAX ? INT32_MAX : (int64_t)flow->tokens - 1;
}

elman_status elman_lm_flow_stretch(elman_lm_flow *flow, elman_tape *tape,
                                   const elman_stretch *piece, elman_var **loss, elman_error *error)
{
    const stretch s = {.T = piece->length, .places = flow->tokens - (uint64_t)piece->length};
    const elman_flow_wish wish = {.count = STREAMS, .of = STREAMS};
    const elman_config *c = elman_network_config(flow->network);
    int64_t B = flow->state.B;
    if (flow->stretch != s.T) { /* a measurement of time is not one of reading */
        flow->stretch = 0;
        ELMAN_TRY(read_stretches(flow, &s, &wish, &B, error));
        flow->stretch = s.T;
    }
    if (flow->state.B != B) {
        elman_release(flow->context, flow->state.h);
        flow->state = (elman_network_state){0};
        ELMAN_TRY(elman_lm_state_create(flow->context, c, B, &flow->state, error));
    }
    if (piece->begin == 0)
        memset(flow->state.h, 0, elman_lm_state_floats(c, B) * sizeof(float));
    const elman_sequences *sequences =
        elman_tape_sequences(tape, piece->steps, B, NULL, NULL, (uint32_t)piece->begin);
    double sum;
    *loss = elman_network_loss(
        tape, flow->network, turn(tape, flow, &s, piece->begin, piece->steps, B),
        turn(tape, flow, &s, piece->begin + 1, piece->steps, B), sequences, &flow->state,
        &flow->state, (float)(1.0 / ((double)B * (double)piece->length)), &sum);
    return ELMAN_OK;
}

int64_t elman_lm_flow_steps(const elman_lm_flow *flow)
{
    const stretch s = stretch_of(flow, 0);
    return s.before + s.T;
}
