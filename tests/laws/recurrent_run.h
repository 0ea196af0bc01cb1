/* The library's recurrent layer on what a law_layer is given. */
#ifndef RECURRENT_RUN_H
#define RECURRENT_RUN_H

#include "recurrent_law.h"

static const int64_t law_ragged[] = {4, 7, 0, 7, 2, 5, 7, 1, 3, 7, 6, 0, 4, 5, 2};

/* Cases that take every path: one thread and several for a step, tables that are multiplied once
 * and not, small and large, short batches and ragged ones. */
static const law_case law_cases[] = {
    {.D = 1, .T = 7, .B = 5, .I = 13, .H = 19, .lengths = law_ragged, .bias = true},
    {.D = 2,
     .T = 7,
     .B = 15,
     .I = 11,
     .H = 67,
     .lengths = law_ragged,
     .bias = true,
     .states = true},
    {.D = 1, .T = 3, .B = 13, .I = 17, .H = 131, .states = true},
    {.D = 1, .T = 5, .B = 1, .I = 1, .H = 1, .bias = true, .states = true},
    {.D = 1, .T = 7, .B = 15, .I = 9, .H = 33, .lengths = law_ragged, .V = 23, .bias = true},
    {.D = 2, .T = 7, .B = 5, .I = 9, .H = 17, .lengths = law_ragged, .V = 1024, .bias = true},
    {.D = 2, .T = 7, .B = 15, .I = 35, .H = 21, .lengths = law_ragged, .V = 1025, .bias = true},
};
enum { LAW_CASES = sizeof law_cases / sizeof *law_cases };

/* The library's layer: its parameters and, after a run, the tape's values. */
typedef struct law_run {
    elman_parameter *parts[2][PARTS], *table;
    elman_tape *tape;
    elman_recurrent layer;
} law_run;

/* given: values and what the gradients hold beforehand. */
static inline law_run law_run_begin(elman_context *context, const law_layer *given)
{
    law_run run = {.table = NULL};
    const law_case *c = &given->c;
    const size_t G = given->G * c->H, widths[PARTS] = {c->I, c->H, 0, 0};
    for (size_t d = 0; d < c->D; d++)
        for (int part = 0; part < PARTS; part++)
            if (law_part(given, part)) {
                run.parts[d][part] =
                    law_parameter(context, "p", G, widths[part], given->w[d][part]);
                memcpy(run.parts[d][part]->gradient, given->dw[d][part],
                       law_part(given, part) * sizeof(float));
            }
    if (c->V) {
        run.table = law_parameter(context, "table", c->V, c->I, given->x);
        memcpy(run.table->gradient, given->dtable, c->V * c->I * sizeof(float));
    }
    run.tape = law_tape(context);
    return run;
}

static inline void law_run_forward(law_run *run, const law_layer *given)
{
    const law_case *c = &given->c;
    elman_tape *tape = run->tape;
    elman_cell_parameters *cells = elman_tape_take(tape, 2, sizeof *cells);
    for (int d = 0; d < 2; d++)
        cells[d] = (elman_cell_parameters){
            .weight_ih = run->parts[d][0],
            .weight_hh = run->parts[d][1],
            .bias_ih = run->parts[d][2],
            .bias_hh = run->parts[d][3],
        };
    const elman_sequences *s =
        elman_tape_sequences(tape, (int64_t)c->T, (int64_t)c->B, c->lengths, NULL, 0);
    const int64_t D = (int64_t)c->D, B = (int64_t)c->B, I = (int64_t)c->I, H = (int64_t)c->H;
    const int64_t state[3] = {D, B, H};
    run->layer = (elman_recurrent){.kind = c->cell,
                                   .input = I,
                                   .hidden = H,
                                   .directions = (int)D,
                                   .cells = cells,
                                   .table = run->table,
                                   .tokens = given->tokens};
    if (!c->V)
        run->layer.x = elman_tape_leaf(tape, 2, (int64_t[]){(int64_t)given->N, I}, given->x);
    if (c->states)
        run->layer.h0 = elman_tape_leaf(tape, 3, state, given->h0);
    if (c->states && c->cell == ELMAN_CELL_LSTM)
        run->layer.c0 = elman_tape_leaf(tape, 3, state, given->c0);
    elman_op_recurrent(tape, s, &run->layer);
    law_ok(tape);
}

static inline void law_run_backward(law_run *run, const law_layer *given)
{
    law_flow(run->tape, run->layer.y, given->dy);
    if (given->c.states)
        law_flow(run->tape, run->layer.hn, given->dhn);
    if (given->c.states && run->layer.cn)
        law_flow(run->tape, run->layer.cn, given->dcn);
    law_backward(run->tape);
}

static inline void law_run_end(law_run *run)
{
    elman_tape_free(run->tape);
    for (int d = 0; d < 2; d++)
        for (int part = 0; part < PARTS; part++)
            elman_parameter_free(run->parts[d][part]);
    elman_parameter_free(run->table);
}

/* Calls the check with what is given and what the rules say comes of it, for every cell. */
typedef struct law_pair {
    law_layer given, want;
} law_pair;

static inline void law_each_layer(bool backward, void (*check)(elman_context *context, void *pair))
{
    for (int cell = ELMAN_CELL_RNN; cell <= ELMAN_CELL_GRU; cell++)
        for (int i = 0; i < LAW_CASES; i++) {
            law_case c = law_cases[i];
            c.cell = (elman_cell)cell;
            uint64_t seed = (uint64_t)(cell * LAW_CASES + i) * 100;
            law_pair pair = {law_make(&c, seed), law_make(&c, seed)};
            law_forward(&pair.want);
            if (backward)
                law_back(&pair.want);
            law_each(check, &pair);
            law_free(&pair.given);
            law_free(&pair.want);
        }
}

#endif
