#include "format/tensorboard.h"

#include "base/error.h"

/* Built only with its library; the header says who asks. */
#if defined(ELMAN_WITH_TENSORBOARD)

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "format/png.h"
#include "format/tfrecord.h"
#include "tensorboard.pb-c.h"

typedef Elman__Tensorboard__Event tb_event;
typedef Elman__Tensorboard__Value tb_value;
typedef Elman__Tensorboard__Histogram tb_histogram;

enum { BUCKETS = 50, LAST_FILE = 999999 };

struct elman_tensorboard {
    elman_context *context;
    elman_appender file;
    unsigned char *record; /* [room] */
    size_t room;
};

static elman_status put_event(elman_tensorboard *b, tb_event *event, elman_error *error)
{
    event->wall_time = elman_clock_wall();
    size_t size = elman__tensorboard__event__get_packed_size(event);
    size_t whole = ELMAN_TFRECORD_HEAD + size + ELMAN_TFRECORD_TAIL;
    unsigned char *record = elman_grown(b->context, b->record, 0, &b->room, whole, 1);
    if (!record)
        return elman_out_of_memory(error);
    b->record = record;
    elman__tensorboard__event__pack(event, record + ELMAN_TFRECORD_HEAD);
    elman_tfrecord_head(record, size);
    elman_tfrecord_tail(record + ELMAN_TFRECORD_HEAD + size, record + ELMAN_TFRECORD_HEAD, size);
    return elman_appender_put(&b->file, record, whole, error);
}

static elman_status put_value(elman_tensorboard *b, int64_t step, tb_value *value,
                              elman_error *error)
{
    tb_value *values[] = {value};
    Elman__Tensorboard__Summary summary = ELMAN__TENSORBOARD__SUMMARY__INIT;
    tb_event event = ELMAN__TENSORBOARD__EVENT__INIT;
    summary.n_value = 1;
    summary.value = values;
    event.step = step;
    event.what_case = ELMAN__TENSORBOARD__EVENT__WHAT_SUMMARY;
    event.summary = &summary;
    return put_event(b, &event, error);
}

static tb_value tagged(const char *tag, Elman__Tensorboard__Value__ValueCase kind)
{
    tb_value value = ELMAN__TENSORBOARD__VALUE__INIT;
    value.tag = (char *)(uintptr_t)tag; /* only read */
    value.value_case = kind;
    return value;
}

/* TensorBoard reads a folder's files in the order of their names. Of two runs that begin at once in
 * one folder each has a file of its own. */
static elman_status open_file(elman_tensorboard *b, const char *folder, elman_error *error)
{
    char name[64];
    bool stands;
    for (int n = 1; n <= LAST_FILE; n++) {
        snprintf(name, sizeof name, "events.out.tfevents.%06d.elman", n);
        char *path = elman_path_join(folder, name);
        if (!path)
            return elman_out_of_memory(error);
        elman_status status = elman_appender_create(&b->file, path, &stands, error);
        free(path);
        if (status != ELMAN_OK || !stands)
            return status;
    }
    return elman_fail(error, ELMAN_ERROR_IO, "%s: too many event files in it", folder);
}

/* The version that makes TensorBoard go by session logs, and the log that says where we are. */
static elman_status put_start(elman_tensorboard *b, int64_t step, elman_error *error)
{
    char version[] = "brain.Event:2";
    tb_event event = ELMAN__TENSORBOARD__EVENT__INIT;
    event.what_case = ELMAN__TENSORBOARD__EVENT__WHAT_FILE_VERSION;
    event.file_version = version;
    ELMAN_TRY(put_event(b, &event, error));
    Elman__Tensorboard__SessionLog log = ELMAN__TENSORBOARD__SESSION_LOG__INIT;
    log.status = ELMAN__TENSORBOARD__SESSION_LOG__STATUS__START;
    event.step = step;
    event.what_case = ELMAN__TENSORBOARD__EVENT__WHAT_SESSION_LOG;
    event.session_log = &log;
    return put_event(b, &event, error);
}

elman_status elman_tensorboard_open(elman_context *context, const char *folder, int64_t step,
                                    elman_tensorboard **board, elman_error *error)
{
    elman_tensorboard *b = elman_allocate_zero(context, 1, sizeof *b);
    *board = NULL;
    if (!b)
        return elman_out_of_memory(error);
    b->context = context;
    b->file.fd = -1;
    elman_status status = elman_folder_make(folder, error);
    if (status == ELMAN_OK)
        status = open_file(b, folder, error);
    if (status == ELMAN_OK)
        status = put_start(b, step, error);
    if (status == ELMAN_OK)
        *board = b;
    else
        elman_tensorboard_close(b);
    return status;
}

const char *elman_tensorboard_path(const elman_tensorboard *board)
{
    return board->file.path;
}

elman_status elman_tensorboard_scalar(elman_tensorboard *board, int64_t step, const char *tag,
                                      double value, elman_error *error)
{
    tb_value v = tagged(tag, ELMAN__TENSORBOARD__VALUE__VALUE_SIMPLE_VALUE);
    v.simple_value = (float)value;
    return put_value(board, step, &v, error);
}

static elman_status put_histogram(elman_tensorboard *board, int64_t step, const char *tag,
                                  tb_histogram *histogram, elman_error *error)
{
    tb_value v = tagged(tag, ELMAN__TENSORBOARD__VALUE__VALUE_HISTO);
    v.histo = histogram;
    return put_value(board, step, &v, error);
}

elman_status elman_tensorboard_histogram(elman_tensorboard *board, int64_t step, const char *tag,
                                         const float *values, size_t count, elman_error *error)
{
    double limits[BUCKETS], counts[BUCKETS] = {0};
    tb_histogram h = ELMAN__TENSORBOARD__HISTOGRAM__INIT;
    for (size_t i = 0; i < count; i++) {
        double x = (double)values[i];
        if (!isfinite(x))
            continue;
        h.min = h.num > 0 && h.min < x ? h.min : x;
        h.max = h.num > 0 && h.max > x ? h.max : x;
        h.num++;
        h.sum += x;
        h.sum_squares += x * x;
    }
    double width = (h.max - h.min) / BUCKETS;
    h.n_bucket = h.n_bucket_limit = width > 0 ? BUCKETS : 1;
    h.bucket = counts;
    h.bucket_limit = limits;
    for (size_t i = 0; i < h.n_bucket; i++)
        limits[i] = h.min + width * (double)(i + 1);
    limits[h.n_bucket - 1] = h.max;
    for (size_t i = 0; i < count; i++) {
        double x = (double)values[i];
        if (!isfinite(x))
            continue;
        size_t at = width > 0 ? (size_t)((x - h.min) / width) : 0;
        counts[at < h.n_bucket ? at : h.n_bucket - 1]++;
    }
    return put_histogram(board, step, tag, &h, error);
}

elman_status elman_tensorboard_bars(elman_tensorboard *board, int64_t step, const char *tag,
                                    const double *bars, size_t count, elman_error *error)
{
    tb_histogram h = ELMAN__TENSORBOARD__HISTOGRAM__INIT;
    double *numbers = elman_allocate(board->context, count ? count : 1, 2 * sizeof *numbers);
    if (!numbers)
        return elman_out_of_memory(error);
    h.min = -0.5;
    h.max = (double)count - 0.5;
    h.n_bucket = h.n_bucket_limit = count;
    h.bucket = numbers;
    h.bucket_limit = numbers + count;
    for (size_t i = 0; i < count; i++) {
        double x = (double)i;
        h.bucket[i] = isfinite(bars[i]) ? bars[i] : 0;
        h.bucket_limit[i] = x + 0.5;
        h.num += h.bucket[i];
        h.sum += x * h.bucket[i];
        h.sum_squares += x * x * h.bucket[i];
    }
    elman_status status = put_histogram(board, step, tag, &h, error);
    elman_release(board->context, numbers);
    return status;
}

elman_status elman_tensorboard_image(elman_tensorboard *board, int64_t step, const char *tag,
                                     const unsigned char *pixels, int width, int height,
                                     elman_error *error)
{
    unsigned char *png;
    size_t size;
    Elman__Tensorboard__Image image = ELMAN__TENSORBOARD__IMAGE__INIT;
    tb_value v = tagged(tag, ELMAN__TENSORBOARD__VALUE__VALUE_IMAGE);
    ELMAN_TRY(elman_png_encode(board->context, pixels, width, height, &png, &size, error));
    image.height = height;
    image.width = width;
    image.colorspace = 3;
    image.encoded_image_string.data = png;
    image.encoded_image_string.len = size;
    v.image = &image;
    elman_status status = put_value(board, step, &v, error);
    elman_release(board->context, png);
    return status;
}

elman_status elman_tensorboard_sync(elman_tensorboard *board, elman_error *error)
{
    return elman_appender_sync(&board->file, error);
}

void elman_tensorboard_close(elman_tensorboard *board)
{
    if (!board)
        return;
    elman_appender_close(&board->file);
    elman_release(board->context, board->record);
    elman_release(board->context, board);
}

#endif
