/* TensorBoard's event files: a run's figures by step, as TensorBoard reads them. There with
 * ELMAN_WITH_TENSORBOARD alone: train/board.h asks. */
#ifndef ELMAN_FORMAT_TENSORBOARD_H
#define ELMAN_FORMAT_TENSORBOARD_H

#include <stddef.h>
#include <stdint.h>

#include "elman/context.h"

typedef struct elman_tensorboard elman_tensorboard;

/* Begins an event file of its own in the folder, which is made where it is missing. What earlier
 * files there say of steps from `step` on no longer counts: TensorBoard drops it, so that a run
 * which goes on from a checkpoint is one curve. *board is the caller's, ended by _close. IO;
 * MEMORY. */
elman_status elman_tensorboard_open(elman_context *context, const char *folder, int64_t step,
                                    elman_tensorboard **board, elman_error *error);
/* The file's path, as long as the board is open. */
const char *elman_tensorboard_path(const elman_tensorboard *board);

/* One figure under a tag, "GROUP/NAME". What is not finite is shown as such. */
elman_status elman_tensorboard_scalar(elman_tensorboard *board, int64_t step, const char *tag,
                                      double value, elman_error *error);
/* How values are spread: 50 equal buckets from the least to the greatest; those that are not
 * finite are left out. */
elman_status elman_tensorboard_histogram(elman_tensorboard *board, int64_t step, const char *tag,
                                         const float *values, size_t count, elman_error *error);
/* Bars as they are, bar i between i - 1/2 and i + 1/2: a curve over whole numbers. */
elman_status elman_tensorboard_bars(elman_tensorboard *board, int64_t step, const char *tag,
                                    const double *bars, size_t count, elman_error *error);
/* pixels: [height,width,3], as elman_png_encode has them. */
elman_status elman_tensorboard_image(elman_tensorboard *board, int64_t step, const char *tag,
                                     const unsigned char *pixels, int width, int height,
                                     elman_error *error);

elman_status elman_tensorboard_sync(elman_tensorboard *board, elman_error *error);
/* NULL is fine. */
void elman_tensorboard_close(elman_tensorboard *board);

#endif
