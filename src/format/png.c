#include "format/png.h"

#include "base/error.h"
#include "base/memory.h"

/* Built only with its library; the header says who asks. */
#if defined(ELMAN_WITH_TENSORBOARD)

#include <png.h>
#include <string.h>

elman_status elman_png_encode(elman_context *context, const unsigned char *pixels, int width,
                              int height, unsigned char **bytes, size_t *size, elman_error *error)
{
    enum { SIDE = 1 << 14 };
    png_image image;
    if (width < 1 || height < 1 || width > SIDE || height > SIDE)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "png: found %d x %d pixels, expected sides of 1 to %d", width, height,
                          SIDE);
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    image.width = (png_uint_32)width;
    image.height = (png_uint_32)height;
    image.format = PNG_FORMAT_RGB;
    png_alloc_size_t room = PNG_IMAGE_PNG_SIZE_MAX(image);
    unsigned char *out = elman_allocate(context, room, 1);
    if (!out)
        return elman_out_of_memory(error);
    if (!png_image_write_to_memory(&image, out, &room, 0, pixels, 0, NULL)) {
        elman_release(context, out);
        return elman_fail(error, ELMAN_ERROR_MEMORY, "png: %s", image.message);
    }
    *bytes = out;
    *size = room;
    return ELMAN_OK;
}

#endif
