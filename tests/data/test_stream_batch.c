#include <fcntl.h>
#include <sys/stat.h>

#include "data/text_impl.h"
#include "data_support.h"
#include "elman/batch.h"
#include "test_malloc.h"

/* Letters and digits that tell every position of 0..n from its neighbours. */
static elman_text *make_text(elman_context *context, size_t n, uint64_t interval, char *bytes)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)(32 + (i * 7 + i / 91) % 90);
    const char *path = write_file("stream", bytes, n);
    elman_text *text;
    assert_ok(
        elman_text_open_sized(context, &path, 1, ELMAN_LEVEL_BYTE, 32, interval, &text, &problem));
    return text;
}

/* One batch against the definition. */
static void check_batch(const elman_stream_batch *batch, const char *bytes, uint64_t first,
                        uint64_t n, int B)
{
    for (int t = 0; t < batch->steps; t++) {
        for (int b = 0; b < B; b++) {
            size_t at = (size_t)(first + (uint64_t)b * n + batch->position + (uint64_t)t);
            assert_int_equal(batch->inputs[t * B + b], bytes[at]);
            assert_int_equal(batch->targets[t * B + b], bytes[at + 1]);
        }
    }
}

static void test_against_naive(void **state)
{
    (void)state;
    enum { SIZE = 400 };
    char bytes[SIZE];
    counter c;
    elman_context *context = counted_context(&c);
    uint64_t random = 77;
    for (int round = 0; round < 200; round++) {
        elman_text *text = make_text(context, SIZE, 1 + random_below(&random, 50), bytes);
        elman_vocabulary *v;
        assert_ok(elman_vocabulary_create(context, ELMAN_LEVEL_BYTE, NULL, 0, &v, &problem));
        uint64_t first = random_below(&random, SIZE - 30);
        uint64_t end = first + 30 + random_below(&random, SIZE - 30 - first + 1);
        int B = 1 + (int)random_below(&random, 7), T = 1 + (int)random_below(&random, 40);
        uint64_t n = (end - first - 1) / (uint64_t)B;
        elman_stream_batches *batches, *resumed;
        assert_ok(elman_stream_batches_create(text, v, first, end, B, T, &batches, &problem));
        assert_ok(elman_stream_batches_create(text, v, first, end, B, T, &resumed, &problem));
        assert_int_equal(elman_stream_batches_length(batches), n);
        uint64_t position = 0, epoch = 0, count = 0;
        while (epoch < 3) {
            elman_stream_batch batch, again;
            uint64_t told_epoch, told;
            elman_stream_batches_tell(batches, &told_epoch, &told);
            assert_int_equal(told_epoch, epoch);
            assert_int_equal(told, position);
            size_t calls = test_malloc_calls();
            assert_ok(elman_stream_batches_next(batches, &batch, &problem));
            if (test_malloc_works())
                assert_int_equal(test_malloc_calls(), calls);
            assert_int_equal(batch.epoch, epoch);
            assert_int_equal(batch.position, position);
            assert_true(batch.steps >= 1 && batch.steps <= T);
            assert_true(batch.steps == T || batch.ends_epoch);
            check_batch(&batch, bytes, first, n, B);
            assert_ok(elman_stream_batches_seek(resumed, told_epoch, told, &problem));
            assert_ok(elman_stream_batches_next(resumed, &again, &problem));
            assert_int_equal(again.steps, batch.steps);
            assert_int_equal(again.epoch, epoch);
            check_batch(&again, bytes, first, n, B);
            position += (uint64_t)batch.steps;
            count++;
            assert_int_equal(batch.ends_epoch, position == n);
            if (position == n) {
                assert_int_equal(count, elman_stream_batches_count(batches));
                position = count = 0;
                epoch++;
            }
        }
        assert_int_equal(elman_stream_batches_seek(batches, 0, n, NULL), ELMAN_ERROR_ARGUMENT);
        elman_stream_batches_free(batches);
        elman_stream_batches_free(resumed);
        elman_vocabulary_free(v);
        elman_text_free(text);
    }
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static void test_refused(void **state)
{
    (void)state;
    char bytes[16];
    counter c;
    elman_context *context = counted_context(&c);
    elman_text *text = make_text(context, 16, 4, bytes);
    elman_vocabulary *v;
    elman_stream_batches *batches = NULL;
    elman_stream_batch batch;
    elman_error error;
    assert_ok(elman_vocabulary_create(context, ELMAN_LEVEL_BYTE, NULL, 0, &v, &problem));
    assert_int_equal(elman_stream_batches_create(text, v, 0, 16, 0, 3, &batches, &error),
                     ELMAN_ERROR_ARGUMENT);
    assert_int_equal(elman_stream_batches_create(text, v, 0, 16, 3, 0, &batches, &error),
                     ELMAN_ERROR_ARGUMENT);
    assert_int_equal(elman_stream_batches_create(text, v, 0, 17, 3, 3, &batches, &error),
                     ELMAN_ERROR_ARGUMENT);
    assert_int_equal(elman_stream_batches_create(text, v, 0, 16, 16, 3, &batches, &error),
                     ELMAN_ERROR_DATA);
    assert_contains(error.message, "found 16 tokens; expected at least 17 for 16 streams");
    assert_null(batches);
    assert_ok(elman_stream_batches_create(text, v, 0, 16, 15, 3, &batches, &problem));
    assert_ok(elman_stream_batches_next(batches, &batch, &problem));
    assert_int_equal(batch.steps, 1);
    check_batch(&batch, bytes, 0, 1, 15);
    assert_int_equal(elman_stream_batches_seek(batches, 0, 1, &error), ELMAN_ERROR_ARGUMENT);
    elman_stream_batches_free(batches);
    elman_stream_batches_free(NULL);
    elman_vocabulary_free(v);
    elman_text_free(text);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

/* A failure half-way through a batch: the same batch is tried again. */
static void test_failure(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    const char *path = write_text("unseen", "abababab?babab");
    static const char *const tokens[] = {"a", "b"};
    elman_text *text;
    elman_vocabulary *v;
    elman_stream_batches *batches;
    elman_stream_batch batch;
    elman_error error;
    assert_ok(elman_text_open(context, &path, 1, ELMAN_LEVEL_CHAR, &text, &problem));
    assert_ok(elman_vocabulary_create(context, ELMAN_LEVEL_CHAR, tokens, 2, &v, &problem));
    assert_ok(elman_stream_batches_create(text, v, 0, 14, 2, 2, &batches, &problem));
    for (int i = 0; i < 3; i++) {
        uint64_t epoch, position;
        assert_int_equal(elman_stream_batches_next(batches, &batch, &error), ELMAN_ERROR_DATA);
        assert_contains(error.message, "byte 8: U+003F (?)");
        elman_stream_batches_tell(batches, &epoch, &position);
        assert_int_equal(position, 0);
    }
    elman_stream_batches_free(batches);
    int live = c.live;
    for (int fail_at = 1;; fail_at++) {
        c.calls = 0;
        c.fail_at = fail_at;
        elman_status status = elman_stream_batches_create(text, v, 0, 8, 3, 2, &batches, NULL);
        if (status == ELMAN_OK)
            elman_stream_batches_free(batches);
        assert_int_equal(c.live, live);
        if (c.calls < fail_at)
            break;
        assert_int_equal(status, ELMAN_ERROR_MEMORY);
    }
    c.fail_at = 0;
    elman_vocabulary_free(v);
    elman_text_free(text);
    elman_context_free(context);
}

/* The file is touched between two batches so that the second of two streams fails
 * when the first has read; once its time is set back the batch comes whole. */
static void test_recovery(void **state)
{
    (void)state;
    char bytes[400];
    counter c;
    elman_context *context = counted_context(&c);
    elman_text *text = make_text(context, 400, 50, bytes);
    elman_vocabulary *v;
    elman_stream_batches *batches;
    elman_stream_batch batch;
    assert_ok(elman_vocabulary_create(context, ELMAN_LEVEL_BYTE, NULL, 0, &v, &problem));
    assert_ok(elman_stream_batches_create(text, v, 0, 400, 2, 8, &batches, &problem));
    assert_ok(elman_stream_batches_next(batches, &batch, &problem));
    const char *path = elman_text_file(text, 0).path;
    struct stat s;
    assert_int_equal(stat(path, &s), 0);
    const struct timespec past[2] = {{1000, 0}, {1000, 0}}, back[2] = {s.st_mtim, s.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, path, past, 0), 0);
    assert_int_equal(elman_stream_batches_next(batches, &batch, NULL), ELMAN_ERROR_IO);
    assert_int_equal(utimensat(AT_FDCWD, path, back, 0), 0);
    assert_ok(elman_stream_batches_next(batches, &batch, &problem));
    assert_int_equal(batch.position, 8);
    check_batch(&batch, bytes, 0, 199, 2);
    elman_stream_batches_free(batches);
    elman_vocabulary_free(v);
    elman_text_free(text);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_naive),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_failure),
        cmocka_unit_test(test_recovery),
    };
    return cmocka_run_group_tests(tests, make_test_folder, remove_test_folder);
}
