/* The gradient through time, watched while a network trains: a small measurement now and then, a
 * record of it in metrics.jsonl, and nothing that training goes by is changed. */
#ifndef ELMAN_TRAIN_WATCH_H
#define ELMAN_TRAIN_WATCH_H

#include "base/file.h"
#include "train/board.h"
#include "train/objective.h"

typedef struct elman_watch elman_watch;

/* accumulate: batches an update. UNSUPPORTED: the task has no gradient to follow; MEMORY. */
elman_status elman_watch_create(elman_context *context, const elman_objective *objective,
                                int64_t accumulate, elman_watch **watch, elman_error *error);
void elman_watch_free(elman_watch *watch);

/* Whether a look is due after so many updates: every hundred, or every few hundred where updates
 * are so small that a look would cost more than about 1 % of them. A function of the run alone, not
 * of the clock. */
bool elman_watch_due(const elman_watch *watch, int64_t step);

/* Measures with the weights as they are, shows it on the board (may be NULL), and appends
 *   {"event":"gradients","step":S,"layers":[{"layer":"rnn.l0","horizon":12,"factor":0.6,
 *    "saturated":0.1,"dead":null,"time_constant":1.4,"norm":[1,0.65,...]},...]}
 * norm by lag from 0 on (null: not measured); figures as elman/gradient_flow.h has them. The board
 * (NULL: none) shows them too. Nothing is appended where a loss is not finite: that is for training
 * to tell. It takes memory and gives it back; updates between two looks take none. */
elman_status elman_watch_look(elman_watch *watch, int64_t step, elman_appender *log,
                              elman_board *board, elman_error *error);

#endif
