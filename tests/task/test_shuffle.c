/* The order of examples: a function of seed and epoch, every example once an epoch, like lengths
 * together, and resumed exactly. */
#include "../data/data_support.h"

#include "elman/safetensors.h"
#include "task/shuffle.h"
#include "train/checkpoint.h"

static elman_context *context;

static int begin(void **state)
{
    return make_test_folder(state) || elman_context_create(NULL, &context, NULL) != ELMAN_OK;
}

static int end(void **state)
{
    elman_context_free(context);
    return remove_test_folder(state);
}

/* Numbers of `epochs` epochs one after the other; sizes[i] is that of batch i (may be NULL). */
static void draw(elman_shuffle *s, int64_t count, int64_t batch, int epochs, int64_t *order,
                 int64_t *sizes)
{
    int64_t batches = elman_shuffle_batches(s);
    assert_int_equal(batches, (count + batch - 1) / batch);
    for (int e = 0; e < epochs; e++)
        for (int64_t i = 0; i < batches; i++) {
            const int64_t *numbers;
            int64_t n;
            bool ends;
            elman_shuffle_next(s, &numbers, &n, &ends);
            assert_true(n >= 1 && n <= batch);
            assert_int_equal(ends, i == batches - 1);
            memcpy(order, numbers, (size_t)n * sizeof *order);
            order += n;
            if (sizes)
                *sizes++ = n;
        }
}

static elman_shuffle *made(int64_t count, int64_t batch, uint64_t seed, const int64_t *lengths)
{
    elman_shuffle *s;
    assert_ok(elman_shuffle_create(context, count, batch, seed, lengths, &s, &problem));
    return s;
}

static void check_each_once(const int64_t *order, int64_t count)
{
    bool *seen = calloc((size_t)count, 1);
    for (int64_t i = 0; i < count; i++) {
        assert_true(order[i] >= 0 && order[i] < count && !seen[order[i]]);
        seen[order[i]] = true;
    }
    free(seen);
}

static void each_once(void **state)
{
    (void)state;
    static const int64_t counts[] = {1, 2, 5, 31, 32, 33, 100, 1037}, batches[] = {1, 2, 7, 32};
    int64_t lengths[1037], order[3 * 1037];
    uint64_t random = 5;
    for (int i = 0; i < 1037; i++)
        lengths[i] = (int64_t)random_below(&random, 30);
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (size_t b = 0; b < sizeof batches / sizeof *batches; b++)
            for (int sorted = 0; sorted < 2; sorted++) {
                elman_shuffle *s = made(counts[c], batches[b], 3, sorted ? lengths : NULL);
                draw(s, counts[c], batches[b], 3, order, NULL);
                for (int e = 0; e < 3; e++)
                    check_each_once(order + e * counts[c], counts[c]);
                elman_shuffle_free(s);
            }
}

/* The same for the same seed and epoch, and another for another. */
static void of_seed_and_epoch(void **state)
{
    (void)state;
    enum { N = 200 };
    int64_t lengths[N], a[3 * N], b[3 * N], c[3 * N];
    for (int i = 0; i < N; i++)
        lengths[i] = i * 7 % 13;
    for (int sorted = 0; sorted < 2; sorted++) {
        const int64_t *l = sorted ? lengths : NULL;
        elman_shuffle *x = made(N, 9, 41, l), *y = made(N, 9, 41, l), *z = made(N, 9, 42, l);
        draw(x, N, 9, 3, a, NULL);
        draw(y, N, 9, 3, b, NULL);
        draw(z, N, 9, 3, c, NULL);
        assert_memory_equal(a, b, sizeof a);
        assert_memory_not_equal(a, c, sizeof a);
        assert_memory_not_equal(a, a + N, N * sizeof *a);
        assert_memory_not_equal(a + N, a + 2 * N, N * sizeof *a);
        elman_shuffle_free(x);
        elman_shuffle_free(y);
        elman_shuffle_free(z);
    }
    /* batches of another size are cut from the same order */
    elman_shuffle *x = made(N, 9, 41, NULL), *y = made(N, 50, 41, NULL);
    draw(x, N, 9, 3, a, NULL);
    draw(y, N, 50, 3, b, NULL);
    assert_memory_equal(a, b, sizeof a);
    elman_shuffle_free(x);
    elman_shuffle_free(y);
}

/* Every place is as likely as any other. */
static void fair(void **state)
{
    (void)state;
    enum { N = 5, EPOCHS = 5000 };
    static int64_t order[N * EPOCHS];
    int seen[N][N] = {{0}};
    elman_shuffle *s = made(N, 2, 9, NULL);
    draw(s, N, 2, EPOCHS, order, NULL);
    for (int i = 0; i < N * EPOCHS; i++)
        seen[i % N][order[i]]++;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            assert_in_range(seen[i][j], EPOCHS / N - 150, EPOCHS / N + 150);
    elman_shuffle_free(s);
}

/* A batch is longest first, ties in the order of their draw; its lengths lie together; the batches
 * come in no order of length. */
static void lengths_together(void **state)
{
    (void)state;
    enum { N = 3000, B = 16, BATCHES = (N + B - 1) / B, STRETCH = 32 * B };
    static int64_t lengths[N], order[N], plain[N], sizes[BATCHES];
    uint64_t random = 11;
    for (int i = 0; i < N; i++)
        lengths[i] = (int64_t)random_below(&random, 50);
    elman_shuffle *s = made(N, B, 1, lengths), *p = made(N, B, 1, NULL);
    draw(s, N, B, 1, order, sizes);
    draw(p, N, B, 1, plain, NULL);
    static int64_t place[N];
    for (int64_t i = 0; i < N; i++)
        place[plain[i]] = i;
    int64_t spread = 0, falls = 0, short_batches = 0, at = 0, before = -1;
    for (int b = 0; b < BATCHES; b++) {
        const int64_t *one = order + at;
        for (int64_t i = 1; i < sizes[b]; i++) {
            assert_true(lengths[one[i - 1]] >= lengths[one[i]]);
            if (lengths[one[i - 1]] == lengths[one[i]])
                assert_true(place[one[i - 1]] < place[one[i]]);
            /* of one stretch of the drawn order */
            assert_int_equal(place[one[i - 1]] / STRETCH, place[one[i]] / STRETCH);
        }
        spread += lengths[one[0]] - lengths[one[sizes[b] - 1]];
        falls += before >= 0 && lengths[one[0]] < before;
        before = lengths[one[0]];
        short_batches += sizes[b] < B;
        at += sizes[b];
    }
    assert_int_equal(at, N);
    assert_int_equal(short_batches, N % B != 0);
    assert_true(spread < 4 * BATCHES);
    assert_in_range(falls, BATCHES / 4, 3 * BATCHES / 4);
    elman_shuffle_free(s);
    elman_shuffle_free(p);
}

/* A checkpoint of that place. */
static const char *remember(elman_shuffle *s, int64_t epoch, int64_t batch)
{
    static elman_progress progress;
    const size_t shape[1] = {sizeof progress.integers / sizeof(int64_t)};
    elman_safetensors_writer *writer;
    const char *path = test_path("checkpoint.safetensors");
    progress.integers.epoch = epoch;
    progress.integers.batch = batch;
    assert_ok(elman_safetensors_writer_create(context, &writer, &problem));
    assert_ok(elman_safetensors_writer_add(writer, "progress.integers", ELMAN_DTYPE_I64, 1, shape,
                                           &progress.integers, &problem));
    assert_ok(elman_shuffle_remember(s, writer, &problem));
    assert_ok(elman_safetensors_writer_write(writer, path, &problem));
    elman_safetensors_writer_free(writer);
    return path;
}

static elman_status restore(elman_shuffle *s, const char *path, elman_error *error)
{
    elman_safetensors *file;
    assert_ok(elman_safetensors_read(context, path, NULL, &file, &problem));
    elman_status status = elman_shuffle_restore(s, file, error);
    elman_safetensors_free(file);
    return status;
}

static void resumed(void **state)
{
    (void)state;
    enum { N = 41, B = 4, BATCHES = 11 };
    int64_t lengths[N], whole[3 * N], sizes[3 * BATCHES];
    for (int i = 0; i < N; i++)
        lengths[i] = i * 5 % 7;
    for (int sorted = 0; sorted < 2; sorted++) {
        const int64_t *l = sorted ? lengths : NULL;
        elman_shuffle *s = made(N, B, 6, l);
        draw(s, N, B, 3, whole, sizes);
        elman_shuffle_free(s);
        int64_t done = 0;
        for (int stop = 0; stop < 2 * BATCHES; done += sizes[stop++]) {
            elman_shuffle *a = made(N, B, 6, l), *b = made(N, B, 6, l);
            const int64_t *numbers;
            int64_t n;
            bool ends;
            for (int i = 0; i < stop; i++)
                elman_shuffle_next(a, &numbers, &n, &ends);
            assert_ok(restore(b, remember(a, stop / BATCHES, stop % BATCHES), &problem));
            int64_t at = done;
            for (int i = stop; i < 3 * BATCHES; i++) {
                elman_shuffle_next(b, &numbers, &n, &ends);
                assert_int_equal(n, sizes[i]);
                assert_memory_equal(numbers, whole + at, (size_t)n * sizeof *numbers);
                assert_int_equal(ends, i % BATCHES == BATCHES - 1);
                at += n;
            }
            elman_shuffle_free(a);
            elman_shuffle_free(b);
        }
    }
}

/* A place that is not the run's. */
static void hostile(void **state)
{
    (void)state;
    elman_error error;
    elman_shuffle *s = made(10, 3, 6, NULL);
    const int64_t *numbers;
    int64_t n;
    bool ends;
    elman_shuffle_next(s, &numbers, &n, &ends); /* epoch 0, batch 1 */
    static const int64_t places[][2] = {{0, 0}, {0, 2}, {1, 1}, {-1, 1}, {0, -1}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *path = remember(s, places[i][0], places[i][1]);
        assert_int_equal(restore(s, path, &error), ELMAN_ERROR_FORMAT);
        assert_contains(error.message, "state.place: epoch 0, batch 1, expected epoch");
    }
    /* beyond the last batch */
    elman_shuffle *longer = made(30, 3, 6, NULL);
    for (int i = 0; i < 4; i++)
        elman_shuffle_next(longer, &numbers, &n, &ends);
    assert_int_equal(restore(s, remember(longer, 0, 4), &error), ELMAN_ERROR_FORMAT);
    elman_shuffle_free(longer);
    /* no place, and one of another type */
    for (int wrong = 0; wrong < 2; wrong++) {
        elman_progress progress = {.integers.batch = 1};
        const size_t shape[1] = {sizeof progress.integers / sizeof(int64_t)}, two[1] = {2};
        const float place[2] = {0, 1};
        elman_safetensors_writer *writer;
        assert_ok(elman_safetensors_writer_create(context, &writer, &problem));
        assert_ok(elman_safetensors_writer_add(writer, "progress.integers", ELMAN_DTYPE_I64, 1,
                                               shape, &progress.integers, &problem));
        if (wrong)
            assert_ok(elman_safetensors_writer_add(writer, "state.place", ELMAN_DTYPE_F32, 1, two,
                                                   place, &problem));
        const char *path = test_path("wrong.safetensors");
        assert_ok(elman_safetensors_writer_write(writer, path, &problem));
        elman_safetensors_writer_free(writer);
        assert_int_equal(restore(s, path, &error), ELMAN_ERROR_FORMAT);
    }
    elman_shuffle_free(s);
    elman_shuffle_free(NULL);
}

static void memory(void **state)
{
    (void)state;
    counter c;
    elman_context *counted = counted_context(&c);
    elman_shuffle *s = NULL;
    int64_t lengths[50] = {0};
    int before = c.live;
    for (int at = 1;; at++) {
        c.calls = 0;
        c.fail_at = at;
        elman_status status = elman_shuffle_create(counted, 50, 4, 1, lengths, &s, &problem);
        if (status == ELMAN_OK) {
            assert_int_equal(at, 5);
            break;
        }
        assert_int_equal(status, ELMAN_ERROR_MEMORY);
        assert_int_equal(c.live, before);
    }
    c.calls = 0;
    int64_t order[3 * 50];
    draw(s, 50, 4, 3, order, NULL);
    assert_int_equal(c.calls, 0);
    elman_shuffle_free(s);
    elman_context_free(counted);
    assert_int_equal(c.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_once), cmocka_unit_test(of_seed_and_epoch),
        cmocka_unit_test(fair),      cmocka_unit_test(lengths_together),
        cmocka_unit_test(resumed),   cmocka_unit_test(hostile),
        cmocka_unit_test(memory),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
