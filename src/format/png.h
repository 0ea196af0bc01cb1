/* A picture of pixels as a PNG file in memory. There with ELMAN_WITH_TENSORBOARD alone. */
#ifndef ELMAN_FORMAT_PNG_H
#define ELMAN_FORMAT_PNG_H

#include <stddef.h>

#include "elman/context.h"

/* pixels: [height,width,3] red, green, blue, the first row at the top. *bytes is the context's
 * memory, the caller's to release. ARGUMENT: no pixels, or too many; MEMORY. */
elman_status elman_png_encode(elman_context *context, const unsigned char *pixels, int width,
                              int height, unsigned char **bytes, size_t *size, elman_error *error);

#endif
