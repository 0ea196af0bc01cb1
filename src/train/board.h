/* What TensorBoard shows of a run (elman train --tensorboard): written beside metrics.jsonl from
 * the same figures, and taking nothing else from the run than the weights to look at. Every
 * function does nothing on a board that is NULL. */
#ifndef ELMAN_TRAIN_BOARD_H
#define ELMAN_TRAIN_BOARD_H

#include "elman/gradient_flow.h"
#include "elman/layer.h"
#include "train/objective.h"

typedef struct elman_board elman_board;

/* Begins an event file in the folder (NULL: no board, *board NULL) for a run that stands at `step`;
 * what earlier files say of later steps no longer counts. metrics: the path of metrics.jsonl, cut
 * back to that step, whose gradients the pictures begin with. UNSUPPORTED: built without
 * ELMAN_WITH_TENSORBOARD; IO; MEMORY. */
elman_status elman_board_open(elman_context *context, const char *folder, const char *metrics,
                              int64_t step, elman_board **board, elman_error *error);
/* Whether there can be one, asked before a run is begun; makes the folder. NULL is fine. */
elman_status elman_board_check(const char *folder, elman_error *error);
void elman_board_close(elman_board *board);

/* The means of an interval, the last update's rate, and predictions a second. */
typedef struct elman_board_figures {
    double loss, gradient_norm, lr, per_second;
    const char *unit; /* of the predictions */
} elman_board_figures;
elman_status elman_board_interval(elman_board *board, int64_t step,
                                  const elman_board_figures *figures, elman_error *error);
/* Its figures, and how each parameter's weights are spread. */
elman_status elman_board_validation(elman_board *board, int64_t step,
                                    const elman_validation *validation,
                                    const elman_parameters *parameters, elman_error *error);
/* Of each layer the gradient by lag: its norm at some lags, the curve, and the picture lag by step
 * of all that were measured until now. */
elman_status elman_board_gradients(elman_board *board, int64_t step, const elman_flow *flow,
                                   elman_error *error);
elman_status elman_board_sync(elman_board *board, elman_error *error);

#endif
