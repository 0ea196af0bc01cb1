/* safetensors: round trips, what the reference implementation wrote, failing memory. */
#include "safetensors_fixture.h"

#include "base/file.h"
#include "base/memory.h"
#include "test_malloc.h"

/* The tensors of make_safetensors.py, in its order. */
static const struct {
    const char *name;
    elman_dtype dtype;
    int rank;
    size_t shape[8];
} tensors[] = {
    {"bool", ELMAN_DTYPE_BOOL, 1, {3}},
    {"uint8", ELMAN_DTYPE_U8, 2, {2, 3}},
    {"int8", ELMAN_DTYPE_I8, 1, {5}},
    {"int16", ELMAN_DTYPE_I16, 2, {2, 2}},
    {"uint16", ELMAN_DTYPE_U16, 1, {1}},
    {"float16", ELMAN_DTYPE_F16, 1, {3}},
    {"bfloat16", ELMAN_DTYPE_BF16, 1, {7}},
    {"int32", ELMAN_DTYPE_I32, 3, {2, 1, 2}},
    {"uint32", ELMAN_DTYPE_U32, 1, {3}},
    {"weight_ih_l0", ELMAN_DTYPE_F32, 2, {4, 3}},
    {"bias_ih_l0", ELMAN_DTYPE_F32, 1, {4}},
    {"float64", ELMAN_DTYPE_F64, 1, {2}},
    {"int64", ELMAN_DTYPE_I64, 8, {1, 1, 1, 1, 1, 1, 1, 2}},
    {"uint64", ELMAN_DTYPE_U64, 1, {3}},
    {"scalar", ELMAN_DTYPE_F32, 0, {0}},
    {"empty", ELMAN_DTYPE_F32, 2, {0, 4}},
    {"Gewicht \u00e4\u4e2d\U0001f600 \"\\\n\x01", ELMAN_DTYPE_F32, 1, {1}},
};
enum { TENSORS = sizeof tensors / sizeof tensors[0] };
#define METADATA_KEY   "made by"
#define METADATA_VALUE "caf\u00e9 \"safetensors\"\t/\x7f"

static size_t make_data(size_t t, unsigned char data[64])
{
    size_t bytes = elman_dtype_bytes(tensors[t].dtype);
    for (int i = 0; i < tensors[t].rank; i++)
        bytes *= tensors[t].shape[i];
    for (size_t i = 0; i < bytes; i++)
        data[i] =
            (unsigned char)((31 * t + 7 * i) & (tensors[t].dtype == ELMAN_DTYPE_BOOL ? 1 : 255));
    return bytes;
}

static void expect_tensors(const elman_safetensors *file)
{
    assert_int_equal(elman_safetensors_count(file), TENSORS);
    for (size_t t = 0; t < TENSORS; t++) {
        unsigned char data[64];
        size_t bytes = make_data(t, data);
        const elman_tensor_view *view = elman_safetensors_find(file, tensors[t].name);
        assert_non_null(view);
        assert_string_equal(view->name, tensors[t].name);
        assert_int_equal(view->dtype, tensors[t].dtype);
        assert_int_equal(view->rank, tensors[t].rank);
        for (int i = 0; i < 8; i++)
            assert_int_equal(view->shape[i], i < view->rank ? tensors[t].shape[i] : 1);
        assert_int_equal(view->bytes, bytes);
        assert_memory_equal(view->data, data, bytes);
    }
    assert_null(elman_safetensors_find(file, "weight_ih_l1"));
    assert_null(elman_safetensors_at(file, TENSORS));
    assert_int_equal(elman_safetensors_metadata_count(file), 1);
    assert_string_equal(elman_safetensors_metadata(file, METADATA_KEY), METADATA_VALUE);
    assert_null(elman_safetensors_metadata(file, "made"));
    assert_false(elman_safetensors_metadata_at(file, 1, NULL, NULL));
    look_at_all(file);
}

/* Reads what the reference implementation wrote, into memory and mapped. */
static void test_reference(void **state)
{
    fixture *f = *state;
    for (int map = 0; map < 2; map++) {
        elman_safetensors *file;
        elman_safetensors_options options;
        elman_safetensors_options_default(&options);
        assert_false(options.map);
        options.map = map == 1;
        assert_int_equal(elman_safetensors_read(f->context, REFERENCE, &options, &file, &f->error),
                         ELMAN_OK);
        expect_tensors(file);
        elman_safetensors_free(file);
    }
    elman_safetensors_free(NULL);
}

/* What the writer makes in memory is what it made on disk. */
static elman_status compare_memory(fixture *f, const elman_safetensors_writer *writer)
{
    void *bytes;
    unsigned char *file = NULL;
    size_t size, file_size;
    elman_status status = elman_safetensors_writer_bytes(writer, &bytes, &size, &f->error);
    if (status == ELMAN_OK)
        status = elman_file_read(f->context, f->path, 0, &file, &file_size, &f->error);
    if (status == ELMAN_OK) {
        assert_int_equal(size, file_size);
        assert_memory_equal(bytes, file, size);
    }
    elman_release(f->context, file);
    elman_release(f->context, bytes);
    return status;
}

/* Adds the tensors from the one given on, and round again; `data` must outlive the write. */
static elman_status write_tensors(fixture *f, size_t first, unsigned char (*data)[64])
{
    elman_safetensors_writer *writer;
    elman_status status = elman_safetensors_writer_create(f->context, &writer, &f->error);
    if (status != ELMAN_OK)
        return status;
    for (size_t i = 0; i < TENSORS && status == ELMAN_OK; i++) {
        size_t t = (first + i) % TENSORS;
        size_t bytes = make_data(t, data[t]);
        status =
            elman_safetensors_writer_add(writer, tensors[t].name, tensors[t].dtype, tensors[t].rank,
                                         tensors[t].shape, bytes > 0 ? data[t] : NULL, &f->error);
    }
    if (status == ELMAN_OK)
        status = elman_safetensors_writer_metadata(writer, METADATA_KEY, "not this", &f->error);
    if (status == ELMAN_OK)
        status = elman_safetensors_writer_metadata(writer, METADATA_KEY, METADATA_VALUE, &f->error);
    if (status == ELMAN_OK)
        status = elman_safetensors_writer_write(writer, f->path, &f->error);
    if (status == ELMAN_OK)
        status = compare_memory(f, writer);
    elman_safetensors_writer_free(writer);
    return status;
}

/* Writes byte for byte what the reference implementation wrote, in whatever order. */
static void test_writer_equals_reference(void **state)
{
    fixture *f = *state;
    unsigned char data[TENSORS][64], *want, *got;
    size_t want_size, got_size;
    assert_int_equal(elman_file_read(f->context, REFERENCE, 0, &want, &want_size, &f->error),
                     ELMAN_OK);
    for (size_t first = 0; first < TENSORS; first++) {
        assert_int_equal(write_tensors(f, first, data), ELMAN_OK);
        assert_int_equal(elman_file_read(f->context, f->path, 0, &got, &got_size, &f->error),
                         ELMAN_OK);
        assert_int_equal(got_size, want_size);
        assert_memory_equal(got, want, want_size);
        elman_release(f->context, got);
    }
    elman_release(f->context, want);
}

static void test_no_tensors(void **state)
{
    fixture *f = *state;
    elman_safetensors_writer *writer;
    elman_safetensors *file;
    unsigned char *bytes;
    size_t size;
    assert_int_equal(elman_safetensors_writer_create(f->context, &writer, &f->error), ELMAN_OK);
    assert_int_equal(elman_safetensors_writer_write(writer, f->path, &f->error), ELMAN_OK);
    elman_safetensors_writer_free(writer);
    assert_int_equal(elman_file_read(f->context, f->path, 0, &bytes, &size, NULL), ELMAN_OK);
    assert_int_equal(size, 16);
    assert_memory_equal(bytes, "\10\0\0\0\0\0\0\0{}      ", 16);
    elman_release(f->context, bytes);
    assert_int_equal(elman_safetensors_read(f->context, f->path, NULL, &file, &f->error), ELMAN_OK);
    assert_int_equal(elman_safetensors_count(file), 0);
    assert_null(elman_safetensors_find(file, ""));
    assert_null(elman_safetensors_metadata(file, ""));
    elman_safetensors_free(file);
}

/* As few spaces as make the header's length a multiple of 8. */
static void test_padding(void **state)
{
    fixture *f = *state;
    static const unsigned char value = 5;
    static const size_t one[1] = {1};
    for (int length = 1; length <= 16; length++) {
        char name[32];
        elman_safetensors_writer *writer;
        elman_safetensors *file;
        unsigned char *bytes;
        size_t size;
        snprintf(name, sizeof name, "%0*d", length, 0);
        assert_int_equal(elman_safetensors_writer_create(f->context, &writer, NULL), ELMAN_OK);
        assert_int_equal(
            elman_safetensors_writer_add(writer, name, ELMAN_DTYPE_I8, 1, one, &value, NULL),
            ELMAN_OK);
        assert_int_equal(elman_safetensors_writer_write(writer, f->path, NULL), ELMAN_OK);
        elman_safetensors_writer_free(writer);
        assert_int_equal(elman_file_read(f->context, f->path, 0, &bytes, &size, NULL), ELMAN_OK);
        size_t header =
            (size_t)length + strlen("{'':{'dtype':'I8','shape':[1],'data_offsets':[0,1]}}");
        assert_int_equal(size, 8 + (header + 7) / 8 * 8 + 1);
        assert_int_equal(bytes[0], (header + 7) / 8 * 8);
        elman_release(f->context, bytes);
        assert_int_equal(elman_safetensors_read(f->context, f->path, NULL, &file, NULL), ELMAN_OK);
        look_at_all(file);
        elman_safetensors_free(file);
    }
}

static void expect_add(fixture *f, elman_safetensors_writer *writer, const char *name,
                       elman_dtype dtype, int rank, const size_t *shape, const void *data,
                       const char *message)
{
    f->error.message[0] = '\0';
    elman_status status =
        elman_safetensors_writer_add(writer, name, dtype, rank, shape, data, &f->error);
    assert_string_equal(f->error.message, message);
    assert_int_equal(status == ELMAN_OK, message[0] == '\0');
}

static void test_writer_refuses(void **state)
{
    fixture *f = *state;
    elman_safetensors_writer *w;
    static const float x[2] = {1, 2};
    static const size_t two[1] = {2}, huge[2] = {SIZE_MAX / 2, 3},
                        hidden[3] = {0, SIZE_MAX, SIZE_MAX};
    char name[1030];
    memset(name, 'n', sizeof name);
    name[1025] = '\0';
    assert_int_equal(elman_safetensors_writer_create(f->context, &w, &f->error), ELMAN_OK);
    expect_add(f, w, "w", ELMAN_DTYPE_F32, 1, two, x, "");
    expect_add(f, w, "w", ELMAN_DTYPE_F32, 1, two, x, "tensor \"w\": added for the second time");
    expect_add(f, w, "\xff", ELMAN_DTYPE_F32, 1, two, x,
               "tensor 1: found a name that is not UTF-8");
    expect_add(f, w, "__metadata__", ELMAN_DTYPE_F32, 1, two, x,
               "tensor \"__metadata__\": the format has this name for its metadata");
    expect_add(f, w, name, ELMAN_DTYPE_F32, 1, two, x,
               "tensor \"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
               "nnnnnnnn...\": found a name of 1025 bytes, expected at most 1024");
    expect_add(f, w, "x", (elman_dtype)99, 1, two, x,
               "tensor \"x\": found dtype 99, expected an elman_dtype");
    expect_add(f, w, "x", ELMAN_DTYPE_F32, 9, two, x, "tensor \"x\": found rank 9, expected 0..8");
    expect_add(f, w, "x", ELMAN_DTYPE_F32, -1, two, x,
               "tensor \"x\": found rank -1, expected 0..8");
    expect_add(f, w, "x", ELMAN_DTYPE_F32, 1, NULL, x, "tensor \"x\": found no shape for rank 1");
    expect_add(f, w, "x", ELMAN_DTYPE_F32, 1, two, NULL, "tensor \"x\": found no data for 8 bytes");
    expect_add(f, w, "x", ELMAN_DTYPE_F32, 2, huge, x,
               "tensor \"x\": found a shape whose size in bytes overflows");
    expect_add(f, w, "x", ELMAN_DTYPE_F32, 3, hidden, x,
               "tensor \"x\": found a shape whose size in bytes overflows");
    assert_int_equal(elman_safetensors_writer_metadata(w, "\xc3", "v", &f->error),
                     ELMAN_ERROR_ARGUMENT);
    assert_string_equal(f->error.message, "metadata: found a key that is not UTF-8");
    assert_int_equal(elman_safetensors_writer_metadata(w, "k", "\xc3", &f->error),
                     ELMAN_ERROR_ARGUMENT);
    assert_string_equal(f->error.message, "metadata \"k\": found a value that is not UTF-8");
    assert_int_equal(elman_safetensors_writer_write(w, "/no/such/folder/w", &f->error),
                     ELMAN_ERROR_IO);
    elman_safetensors_writer_free(w);
    elman_safetensors_writer_free(NULL);
}

/* What must work, or fail with MEMORY and nothing left behind. */
static elman_status write_and_read(fixture *f)
{
    unsigned char data[TENSORS][64];
    elman_safetensors *file;
    elman_status status = write_tensors(f, 0, data);
    if (status != ELMAN_OK)
        return status;
    status = elman_safetensors_read(f->context, f->path, NULL, &file, &f->error);
    if (status != ELMAN_OK)
        return status;
    expect_tensors(file);
    elman_safetensors_free(file);
    return ELMAN_OK;
}

static void test_allocations_fail(void **state)
{
    fixture *f = *state;
    long n = 1, live = f->live;
    for (;; n++) {
        f->countdown = n;
        elman_status status = write_and_read(f);
        bool done = f->countdown > 0;
        f->countdown = 0;
        assert_int_equal(f->live, live);
        if (done) {
            assert_int_equal(status, ELMAN_OK);
            break;
        }
        assert_int_equal(status, ELMAN_ERROR_MEMORY);
    }
    assert_true(n > 20);
}

/* The same for the C library's allocator, which jansson and the file writer use. */
static void test_mallocs_fail(void **state)
{
    fixture *f = *state;
    if (!test_malloc_works())
        skip();
    assert_int_equal(write_and_read(f), ELMAN_OK); /* what is allocated once */
    for (int from = 0; from < 2; from++) {
        size_t n = 1;
        for (;; n++) {
            size_t live = test_malloc_live();
            (from ? test_malloc_fail_from : test_malloc_fail_at)(n);
            elman_status status = write_and_read(f);
            bool failed = test_malloc_failed();
            test_malloc_fail_at(0);
            assert_int_equal(test_malloc_live(), live);
            if (!failed) {
                assert_int_equal(status, ELMAN_OK);
                break;
            }
            assert_true(status == ELMAN_ERROR_MEMORY || status == ELMAN_OK); /* qsort goes on */
        }
        assert_true(n > 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_reference, setup, teardown),
        cmocka_unit_test_setup_teardown(test_writer_equals_reference, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_tensors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_padding, setup, teardown),
        cmocka_unit_test_setup_teardown(test_writer_refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_allocations_fail, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mallocs_fail, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
