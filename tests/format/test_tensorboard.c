/* Event files: every record read back, its frame checked; a run that goes on; pictures. */
#include "format/tensorboard.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(ELMAN_WITH_TENSORBOARD)

#include <png.h>

#include "base/file.h"
#include "base/memory.h"
#include "format/heat.h"
#include "format/png.h"
#include "format/tfrecord.h"
#include "tensorboard.pb-c.h"

typedef Elman__Tensorboard__Event event;

static elman_context *context;
static elman_error error;
static char folder[] = "/tmp/elman-board-XXXXXX";
static char path[64];

static int setup(void **state)
{
    (void)state;
    return mkdtemp(folder) && elman_context_create(NULL, &context, NULL) == ELMAN_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    for (int n = 1; n <= 2; n++) {
        snprintf(path, sizeof path, "%s/events.out.tfevents.%06d.elman", folder, n);
        unlink(path);
    }
    elman_context_free(context);
    return rmdir(folder);
}

static elman_tensorboard *open_board(int64_t step)
{
    elman_tensorboard *board;
    assert_int_equal(elman_tensorboard_open(context, folder, step, &board, &error), ELMAN_OK);
    snprintf(path, sizeof path, "%s", elman_tensorboard_path(board));
    return board;
}

/* The events of `path`; each is the caller's to free. */
static size_t read_events(event *events[], size_t room)
{
    unsigned char *bytes, head[ELMAN_TFRECORD_HEAD], tail[ELMAN_TFRECORD_TAIL];
    size_t size, count = 0;
    assert_int_equal(elman_file_read(context, path, 0, &bytes, &size, &error), ELMAN_OK);
    for (size_t at = 0; at < size; count++) {
        assert_true(count < room && size - at > ELMAN_TFRECORD_HEAD + ELMAN_TFRECORD_TAIL);
        size_t length = bytes[at] | (size_t)bytes[at + 1] << 8 | (size_t)bytes[at + 2] << 16;
        const unsigned char *body = bytes + at + ELMAN_TFRECORD_HEAD;
        elman_tfrecord_head(head, length);
        elman_tfrecord_tail(tail, body, length);
        assert_memory_equal(bytes + at, head, sizeof head);
        assert_memory_equal(body + length, tail, sizeof tail);
        events[count] = elman__tensorboard__event__unpack(NULL, length, body);
        assert_non_null(events[count]);
        assert_true(events[count]->wall_time > 1.6e9);
        at += ELMAN_TFRECORD_HEAD + length + ELMAN_TFRECORD_TAIL;
    }
    elman_release(context, bytes);
    return count;
}

static const Elman__Tensorboard__Value *value_of(const event *e, int64_t step, const char *tag)
{
    assert_int_equal(e->step, step);
    assert_int_equal(e->what_case, ELMAN__TENSORBOARD__EVENT__WHAT_SUMMARY);
    assert_int_equal(e->summary->n_value, 1);
    assert_string_equal(e->summary->value[0]->tag, tag);
    return e->summary->value[0];
}

static void test_events(void **state)
{
    (void)state;
    static const float weights[] = {-1, 0, 0, 0.25F, 3, NAN}, same[] = {2, 2};
    static const double bars[] = {1, 0.5, 0.25};
    static const unsigned char pixels[] = {255, 0, 0, 0, 255, 0};
    event *e[16];
    elman_tensorboard *b = open_board(0);
    assert_int_equal(elman_tensorboard_scalar(b, 100, "loss/training", 0.5, &error), ELMAN_OK);
    assert_int_equal(elman_tensorboard_scalar(b, 101, "zero", 0, &error), ELMAN_OK);
    assert_int_equal(elman_tensorboard_histogram(b, 100, "w", weights, 6, &error), ELMAN_OK);
    assert_int_equal(elman_tensorboard_histogram(b, 100, "same", same, 2, &error), ELMAN_OK);
    assert_int_equal(elman_tensorboard_bars(b, 200, "curve", bars, 3, &error), ELMAN_OK);
    assert_int_equal(elman_tensorboard_image(b, 200, "i", pixels, 2, 1, &error), ELMAN_OK);
    assert_int_equal(elman_tensorboard_image(b, 200, "i", pixels, 0, 1, &error),
                     ELMAN_ERROR_ARGUMENT);
    assert_int_equal(elman_tensorboard_sync(b, &error), ELMAN_OK);
    elman_tensorboard_close(b);
    elman_tensorboard_close(NULL);

    assert_int_equal(read_events(e, 16), 8);
    assert_int_equal(e[0]->what_case, ELMAN__TENSORBOARD__EVENT__WHAT_FILE_VERSION);
    assert_string_equal(e[0]->file_version, "brain.Event:2");
    assert_int_equal(e[1]->what_case, ELMAN__TENSORBOARD__EVENT__WHAT_SESSION_LOG);
    assert_int_equal(e[1]->session_log->status, ELMAN__TENSORBOARD__SESSION_LOG__STATUS__START);
    assert_int_equal(e[1]->step, 0);
    assert_true(value_of(e[2], 100, "loss/training")->simple_value == 0.5F);
    const Elman__Tensorboard__Value *zero = value_of(e[3], 101, "zero");
    assert_int_equal(zero->value_case, ELMAN__TENSORBOARD__VALUE__VALUE_SIMPLE_VALUE);

    const Elman__Tensorboard__Histogram *h = value_of(e[4], 100, "w")->histo;
    double counted = 0;
    assert_true(h->min == -1 && h->max == 3 && h->num == 5 && h->sum == 2.25);
    assert_true(h->sum_squares == 10.0625);
    assert_int_equal(h->n_bucket, h->n_bucket_limit);
    for (size_t i = 0; i < h->n_bucket; i++)
        counted += h->bucket[i];
    assert_true(counted == 5 && h->bucket[0] == 1 && h->bucket[h->n_bucket - 1] == 1);
    assert_true(h->bucket_limit[h->n_bucket - 1] == 3 && h->bucket[12] == 2);

    h = value_of(e[5], 100, "same")->histo;
    assert_true(h->n_bucket == 1 && h->bucket[0] == 2 && h->min == 2 && h->max == 2);
    h = value_of(e[6], 200, "curve")->histo;
    assert_true(h->min == -0.5 && h->max == 2.5 && h->num == 1.75 && h->n_bucket == 3);
    assert_true(h->bucket[1] == 0.5 && h->bucket_limit[1] == 1.5);

    const Elman__Tensorboard__Image *i = value_of(e[7], 200, "i")->image;
    unsigned char back[6];
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(i->width == 2 && i->height == 1 && i->colorspace == 3);
    assert_true(png_image_begin_read_from_memory(&image, i->encoded_image_string.data,
                                                 i->encoded_image_string.len));
    image.format = PNG_FORMAT_RGB;
    assert_true(png_image_finish_read(&image, NULL, back, 0, NULL));
    assert_memory_equal(back, pixels, sizeof back);
    for (size_t k = 0; k < 8; k++)
        elman__tensorboard__event__free_unpacked(e[k], NULL);
}

/* A run that goes on has a file behind the first, which says from where. */
static void test_going_on(void **state)
{
    (void)state;
    event *e[4];
    elman_tensorboard_close(open_board(301));
    assert_non_null(strstr(path, "000002"));
    assert_int_equal(read_events(e, 4), 2);
    assert_int_equal(e[1]->step, 301);
    for (size_t k = 0; k < 2; k++)
        elman__tensorboard__event__free_unpacked(e[k], NULL);
}

static void test_no_folder(void **state)
{
    (void)state;
    elman_tensorboard *board;
    char file[96];
    snprintf(file, sizeof file, "%s/events.out.tfevents.000001.elman", folder);
    assert_int_equal(elman_tensorboard_open(context, file, 0, &board, &error), ELMAN_ERROR_IO);
    assert_null(board);
}

static void test_heat(void **state)
{
    (void)state;
    unsigned char a[3], b[3];
    elman_heat_colour(1, a);
    assert_true(a[0] == 0xfd && a[1] == 0xe7 && a[2] == 0x25);
    elman_heat_colour(0, a);
    elman_heat_colour(1e-9, b);
    assert_memory_equal(a, b, 3);
    elman_heat_colour(1e9, a);
    elman_heat_colour(INFINITY, b);
    assert_memory_equal(a, b, 3);
    elman_heat_colour((double)NAN, a);
    assert_true(a[0] == a[1] && a[1] == a[2]);
    elman_heat_colour(0.03162277660168379, a); /* half-way between 0.01 and 0.1 */
    assert_true(a[1] > 0x91 && a[1] < 0xc9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events), cmocka_unit_test(test_going_on),
        cmocka_unit_test(test_no_folder), cmocka_unit_test(test_heat)};
    return cmocka_run_group_tests(tests, setup, teardown);
}

#else

int main(void)
{
    return 77;
}

#endif
