/* A board's pictures of the gradient by lag: begun, gone on with from metrics.jsonl, and thinned.
 */
#include "train/board.h"

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

#include "base/file.h"
#include "base/memory.h"
#include "base/text_buffer.h"
#include "format/tfrecord.h"
#include "tensorboard.pb-c.h"
#include "test_malloc.h"

static elman_context *context;
static elman_error error;
static char folder[] = "/tmp/elman-board-XXXXXX";
static char events[64], log_path[64];

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(folder) || elman_context_create(NULL, &context, NULL) != ELMAN_OK)
        return -1;
    snprintf(events, sizeof events, "%s/events", folder);
    snprintf(log_path, sizeof log_path, "%s/metrics.jsonl", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char path[128];
    for (int n = 1; n < 9; n++) {
        snprintf(path, sizeof path, "%s/events.out.tfevents.%06d.elman", events, n);
        unlink(path);
    }
    unlink(log_path);
    rmdir(events);
    elman_context_free(context);
    return rmdir(folder);
}

/* The last picture of event file n: how wide; 0: there is none. Scalars counted too. */
static int last_width(int n, int *scalars)
{
    char path[128];
    unsigned char *bytes;
    size_t size;
    int width = 0;
    snprintf(path, sizeof path, "%s/events.out.tfevents.%06d.elman", events, n);
    assert_int_equal(elman_file_read(context, path, 0, &bytes, &size, &error), ELMAN_OK);
    *scalars = 0;
    for (size_t at = 0; at < size;) {
        size_t length = bytes[at] | (size_t)bytes[at + 1] << 8 | (size_t)bytes[at + 2] << 16;
        Elman__Tensorboard__Event *e =
            elman__tensorboard__event__unpack(NULL, length, bytes + at + ELMAN_TFRECORD_HEAD);
        assert_non_null(e);
        if (e->what_case == ELMAN__TENSORBOARD__EVENT__WHAT_SUMMARY) {
            const Elman__Tensorboard__Value *v = e->summary->value[0];
            if (v->value_case == ELMAN__TENSORBOARD__VALUE__VALUE_IMAGE)
                width = v->image->width;
            *scalars += v->value_case == ELMAN__TENSORBOARD__VALUE__VALUE_SIMPLE_VALUE;
        }
        elman__tensorboard__event__free_unpacked(e, NULL);
        at += ELMAN_TFRECORD_HEAD + length + ELMAN_TFRECORD_TAIL;
    }
    elman_release(context, bytes);
    return width;
}

static void put_gradients(elman_board *board, int64_t step)
{
    static const double norm[] = {1, 0.5, 0.25, 0.125, 0.0625, 0.03125};
    elman_flow_layer layer = {.name = "rnn.l0", .lags = 5, .state.norm = norm};
    elman_flow flow = {.layers = &layer, .count = 1};
    assert_int_equal(elman_board_gradients(board, step, &flow, &error), ELMAN_OK);
}

static void test_pictures(void **state)
{
    (void)state;
    static const char log[] =
        "{\"event\":\"gradients\",\"step\":1,\"layers\":[{\"layer\":\"rnn.l0\",\"norm\":"
        "[1,1,1,1,1,1]}]}\nbroken\n";
    elman_board *board;
    int scalars;
    assert_int_equal(elman_board_open(context, NULL, log_path, 0, &board, &error), ELMAN_OK);
    assert_null(board);
    assert_int_equal(elman_board_gradients(board, 1, NULL, &error), ELMAN_OK);

    assert_int_equal(elman_board_open(context, events, log_path, 0, &board, &error), ELMAN_OK);
    put_gradients(board, 1);
    elman_board_close(board);
    assert_int_equal(last_width(1, &scalars), 256); /* one column, widened */
    assert_int_equal(scalars, 3);                   /* lags 1, 2 and 5 */

    /* gone on with: the log's column stands before */
    assert_int_equal(elman_file_replace(log_path, log, strlen(log), &error), ELMAN_OK);
    assert_int_equal(elman_board_open(context, events, log_path, 1, &board, &error), ELMAN_OK);
    put_gradients(board, 2);
    put_gradients(board, 3);
    elman_board_close(board);
    assert_int_equal(last_width(2, &scalars), 3 * (256 / 3));

    /* more than there are columns: thinned to half, and never wider */
    assert_int_equal(elman_board_open(context, events, "nowhere", 0, &board, &error), ELMAN_OK);
    for (int64_t step = 0; step < 300; step++)
        put_gradients(board, step);
    elman_board_close(board);
    assert_int_equal(last_width(3, &scalars), 150); /* every second of 300 */
    assert_int_equal(scalars, 900);
}

static void test_validation(void **state)
{
    (void)state;
    elman_board *board;
    elman_parameters *set;
    elman_validation valid = {.loss = 1, .count = 0};
    int scalars;
    assert_int_equal(elman_parameters_create(context, false, &set, &error), ELMAN_OK);
    assert_int_equal(elman_board_open(context, events, log_path, 5, &board, &error), ELMAN_OK);
    assert_int_equal(elman_board_validation(board, 6, &valid, set, &error), ELMAN_OK);
    valid.count = 3;
    valid.metric = "accuracy";
    assert_int_equal(elman_board_validation(board, 7, &valid, set, &error), ELMAN_OK);
    elman_board_figures figures = {1, 2, 3, 4, "rows"};
    assert_int_equal(elman_board_interval(board, 8, &figures, &error), ELMAN_OK);
    elman_board_close(board);
    assert_int_equal(last_width(4, &scalars), 0);
    assert_int_equal(scalars, 6);
    elman_parameters_free(set);
}

/* A log of any layers and lags stops no training and takes no more room than its pictures may. */
static void test_hostile_log(void **state)
{
    (void)state;
    elman_board *board;
    elman_text_buffer log;
    char name[64];
    int scalars;
    elman_text_buffer_init(&log, context);
    elman_text_buffer_put(&log, "{\"event\":\"gradients\",\"step\":1,\"layers\":[{\"layer\":"
                                "\"rnn.l0\",\"norm\":[1");
    for (int i = 1; i < 20000; i++)
        elman_text_buffer_put(&log, ",1");
    elman_text_buffer_put(&log, "]}");
    for (int i = 0; i < 2000; i++) {
        snprintf(name, sizeof name, ",{\"layer\":\"%d\",\"norm\":[%s1]}", i, i % 2 ? "null," : "");
        elman_text_buffer_put(&log, name);
    }
    elman_text_buffer_put(&log, "]}\n");
    assert_int_equal(elman_file_replace(log_path, log.bytes, log.used, &error), ELMAN_OK);
    elman_text_buffer_free(&log);
    size_t live = test_malloc_live();
    assert_int_equal(elman_board_open(context, events, log_path, 1, &board, &error), ELMAN_OK);
    assert_true(test_malloc_live() - live < 500); /* 64 pictures and not 2000 */
    put_gradients(board, 2);
    elman_board_close(board);
    assert_int_equal(last_width(5, &scalars), 2 * 128);
    assert_int_equal(elman_board_open(context, events, folder, 1, &board, &error), ELMAN_OK);
    elman_board_close(board); /* a log that cannot be read at all */
}

/* Of a layer that could not be measured nothing is shown. */
static void test_not_measured(void **state)
{
    (void)state;
    static const double norm[] = {(double)NAN, (double)NAN, (double)NAN};
    elman_flow_layer layers[] = {{.name = "a", .lags = 2, .state.norm = norm},
                                 {.name = "b", .lags = 0, .state.norm = norm}};
    elman_flow flow = {.layers = layers, .count = 2};
    elman_board *board;
    int scalars;
    assert_int_equal(elman_board_open(context, events, "nowhere", 0, &board, &error), ELMAN_OK);
    assert_int_equal(elman_board_gradients(board, 1, &flow, &error), ELMAN_OK);
    elman_board_close(board);
    assert_int_equal(last_width(7, &scalars), 0);
    assert_int_equal(scalars, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pictures), cmocka_unit_test(test_validation),
        cmocka_unit_test(test_hostile_log), cmocka_unit_test(test_not_measured)};
    return cmocka_run_group_tests(tests, setup, teardown);
}

#else

int main(void)
{
    return 77;
}

#endif
