/* safetensors: hostile files, each refused with the line that it deserves. */
#include "safetensors_fixture.h"

#include "base/file.h"
#include "base/memory.h"

/* A file of that header, padded to a multiple of 8, and so many bytes of data. */
static elman_status parse_header(fixture *f, const char *header, size_t data)
{
    size_t length = strlen(header);
    size_t padded = (length + 7) / 8 * 8;
    unsigned char *bytes = aligned_alloc(8, 8 + padded + (data + 7) / 8 * 8);
    uint64_t stored = padded;
    memcpy(bytes, &stored, 8);
    memcpy(bytes + 8, header, length);
    memset(bytes + 8 + length, ' ', padded - length);
    memset(bytes + 8 + padded, 1, data);
    elman_safetensors *file = NULL;
    f->error.message[0] = '\0';
    elman_status status =
        elman_safetensors_parse(f->context, bytes, 8 + padded + data, "file", &file, &f->error);
    if (status == ELMAN_OK)
        look_at_all(file);
    elman_safetensors_free(file);
    free(bytes);
    return status;
}

#define W(dtype, shape, offsets)                                                                   \
    "{\"w\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

static const struct {
    const char *header;
    size_t data;
    const char *message; /* after "file: " */
} hostile[] = {
    {"[]", 0, "byte 8: expected '{', the header"},
    {" {}", 0, "byte 8: expected '{', the header"},
    {"{", 0, "header: line 1, column 9: expected '\"' and a key, found the end"},
    {"{} x", 0, "header: line 1, column 4: expected the end, found 'x'"},
    {"{\"w\":{},\"w\":{}}", 0,
     "header: line 1, column 9: the key \"w\" for the second time in its object"},
    {"{\"w\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", 0,
     "header: line 1, column 21: the key \"dtype\" for the second time in its object"},
    {"{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0,
     "header: line 1, column 26: the key \"k\" for the second time in its object"},
    {"{\"w\":{\"shape\":[[1]]}}", 0, "header: line 1, column 16: nested deeper than 3 levels"},
    {"{\"\\u0000\":{}}", 0, "header: line 1, column 2: a key with U+0000 in it"},
    {"{\"w\":3}", 0,
     "tensor \"w\": entry: found the integer 3, expected an object of dtype, shape and "
     "data_offsets"},
    {"{\"w\":{}}", 0, "tensor \"w\": dtype: found nothing, expected a string"},
    {"{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"stride\":[1]}}", 1,
     "tensor \"w\": found field \"stride\", expected dtype, shape and data_offsets only"},
    {"{\"w\":{\"dtype\":32}}", 0, "tensor \"w\": dtype: found the integer 32, expected a string"},
    {W("F31", "[1]", "[0,4]"), 4,
     "tensor \"w\": dtype: found the string \"F31\", expected one of BOOL U8 I8 I16 U16 F16 BF16 "
     "I32 U32 F32 F64 I64 U64"},
    {W("F32", "4", "[0,4]"), 4,
     "tensor \"w\": shape: found the integer 4, expected an array of at most 8 dimensions"},
    {W("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4,
     "tensor \"w\": shape: found an array of 9, expected an array of at most 8 dimensions"},
    {W("F32", "[1,-1]", "[0,4]"), 4,
     "tensor \"w\": shape[1]: found the integer -1, expected an integer of at least 0"},
    {W("F32", "[1.0]", "[0,4]"), 4,
     "tensor \"w\": shape[0]: found the number 1, expected an integer of at least 0"},
    {W("F32", "[\"1\"]", "[0,4]"), 4,
     "tensor \"w\": shape[0]: found the string \"1\", expected an integer of at least 0"},
    {W("F32", "[4294967296,4294967296]", "[0,4]"), 4,
     "tensor \"w\": shape: found an array of 2, expected a size in bytes below 2^64"},
    {W("F32", "[4611686018427387904]", "[0,4]"), 4,
     "tensor \"w\": shape: found an array of 1, expected a size in bytes below 2^64"},
    {W("F32", "[0,4294967296,4294967296]", "[0,0]"), 0,
     "tensor \"w\": shape: found an array of 3, expected a size in bytes below 2^64"},
    {W("F32", "[99999999999999999999]", "[0,4]"), 4,
     "header: line 1, column 30: an integer outside -2^63..2^63-1"},
    {"{\"w\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4,
     "tensor \"w\": data_offsets: found nothing, expected an array of begin and end"},
    {W("F32", "[1]", "[0]"), 4,
     "tensor \"w\": data_offsets: found an array of 1, expected an array of begin and end"},
    {W("F32", "[1]", "[0,4,8]"), 4,
     "tensor \"w\": data_offsets: found an array of 3, expected an array of begin and end"},
    {W("F32", "[1]", "[-4,0]"), 4,
     "tensor \"w\": data_offsets[0]: found the integer -4, expected an integer of at least 0"},
    {W("F32", "[1]", "[0,true]"), 4,
     "tensor \"w\": data_offsets[1]: found true, expected an integer of at least 0"},
    {W("F32", "[1]", "[4,0]"), 4, "tensor \"w\": data_offsets: found begin 4 past end 0"},
    {W("F32", "[2]", "[0,8]"), 4,
     "tensor \"w\": data_offsets[1]: found 8, expected at most 4, the bytes of data in the file "
     "(was it cut short?)"},
    {W("F32", "[2]", "[0,4]"), 4,
     "tensor \"w\": data_offsets: found 4 bytes, expected 8 for its shape and dtype"},
    {W("F32", "[1]", "[0,4]"), 5, "found 5 bytes of data, expected 4, where the last tensor ends"},
    {"{}", 1, "found 1 bytes of data, expected 0, where the last tensor ends"},
    {"{\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
     "\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[1,5]}}",
     5, "tensor \"w\": data_offsets[0]: found 1, expected a multiple of 4 for dtype F32"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
     "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}",
     3, "tensor \"b\": data_offsets[0]: found 1, which overlaps tensor \"a\", expected 2"},
    {"{\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[3,5]},"
     "\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
     5, "tensor \"b\": data_offsets[0]: found 3, which leaves a gap, expected 2"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}", 2,
     "tensor \"a\": data_offsets[0]: found 1, which leaves a gap, expected 0"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
     "\"z\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[2,2]}}",
     4, "tensor \"z\": data_offsets[0]: found 2, which overlaps tensor \"a\", expected 4"},
    {"{\"__metadata__\":[]}", 0,
     "__metadata__: found an array of 0, expected an object of strings"},
    {"{\"__metadata__\":{\"k\":1}}", 0,
     "__metadata__: \"k\": found the integer 1, expected a string"},
    {"{\"__metadata__\":{\"k\":\"ab\\u0000c\"}}", 0,
     "__metadata__: \"k\": found U+0000 at byte 2, expected none"},
};

static void test_hostile_headers(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        elman_status status = parse_header(f, hostile[i].header, hostile[i].data);
        assert_true(status == ELMAN_ERROR_FORMAT || status == ELMAN_ERROR_UNSUPPORTED);
        assert_int_equal(status, f->error.code);
        assert_memory_equal(f->error.message, "file: ", 6);
        assert_string_equal(f->error.message + 6, hostile[i].message);
    }
    assert_int_equal(parse_header(f, W("F31", "[1]", "[0,4]"), 4), ELMAN_ERROR_UNSUPPORTED);

    /* What a hair's breadth away is legal. */
    assert_int_equal(parse_header(f, W("F32", "[1]", "[0,4]"), 4), ELMAN_OK);
    assert_int_equal(parse_header(f, W("F32", "[]", "[0,4]"), 4), ELMAN_OK);
    assert_int_equal(parse_header(f, W("F32", "[1,1,1,1,1,1,1,1]", "[0,4]"), 4), ELMAN_OK);
    assert_int_equal(parse_header(f, W("F32", "[0,4611686018427387903]", "[0,0]"), 0), ELMAN_OK);
    assert_int_equal(parse_header(f,
                                  "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
                                  "\"z\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[2,2]},"
                                  "\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[2,3]}}",
                                  3),
                     ELMAN_OK);
    assert_int_equal(
        parse_header(f, "{\"\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0),
        ELMAN_OK);
}

static void test_long_names(void **state)
{
    fixture *f = *state;
    char header[1200];
    for (int length = 1024; length < 1026; length++) {
        char name[1026];
        memset(name, 'n', sizeof name);
        name[length] = '\0';
        snprintf(header, sizeof header,
                 "{\"%s\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", name);
        assert_int_equal(parse_header(f, header, 1),
                         length == 1024 ? ELMAN_OK : ELMAN_ERROR_FORMAT);
    }
    assert_non_null(strstr(f->error.message, "nn...\": found a name of 1025 bytes, expected at "
                                             "most 1024"));
}

static void expect_parse(fixture *f, const void *bytes, size_t size, elman_status status,
                         const char *message)
{
    elman_safetensors *file;
    assert_int_equal(elman_safetensors_parse(f->context, bytes, size, "file", &file, &f->error),
                     status);
    assert_string_equal(f->error.message, message);
}

static void test_hostile_lengths(void **state)
{
    fixture *f = *state;
    uint64_t words[4] = {0};
    expect_parse(f, words, 0, ELMAN_ERROR_FORMAT,
                 "file: found 0 bytes, expected at least 8: the header's length");
    expect_parse(f, words, 7, ELMAN_ERROR_FORMAT,
                 "file: found 7 bytes, expected at least 8: the header's length");
    expect_parse(f, words, 8, ELMAN_ERROR_FORMAT, "file: byte 8: expected '{', the header");
    memcpy(&words[1], "{}              ", 16);
    words[0] = UINT64_MAX;
    expect_parse(f, words, 24, ELMAN_ERROR_FORMAT,
                 "file: bytes 0..7: found a header of 18446744073709551615 bytes, expected at most "
                 "100000000 (is this a safetensors file?)");
    words[0] = 100000000;
    expect_parse(
        f, words, 24, ELMAN_ERROR_FORMAT,
        "file: bytes 0..7: found a header of 100000000 bytes, expected at most the 16 that "
        "follow (was it cut short?)");
    words[0] = 17;
    expect_parse(
        f, words, 24, ELMAN_ERROR_FORMAT,
        "file: bytes 0..7: found a header of 17 bytes, expected at most the 16 that follow "
        "(was it cut short?)");
    words[0] = 15;
    expect_parse(f, words, 24, ELMAN_ERROR_FORMAT,
                 "file: bytes 0..7: found a header of 15 bytes, expected a multiple of 8");
    expect_parse(f, (const char *)words + 1, 23, ELMAN_ERROR_ARGUMENT,
                 "file: bytes at an address not aligned to 8");
}

static void test_no_file(void **state)
{
    fixture *f = *state;
    for (int map = 0; map < 2; map++) {
        elman_safetensors *file;
        elman_safetensors_options options;
        elman_safetensors_options_default(&options);
        options.map = map == 1;
        assert_int_equal(elman_safetensors_read(f->context, f->path, &options, &file, &f->error),
                         ELMAN_ERROR_IO);
        assert_memory_equal(f->error.message, f->path, strlen(f->path));
        assert_int_equal(elman_safetensors_read(f->context, f->folder, &options, &file, &f->error),
                         ELMAN_ERROR_IO);
        assert_memory_equal(f->error.message, f->folder, strlen(f->folder));
        assert_int_equal(elman_file_replace(f->path, "", 0, NULL), ELMAN_OK);
        assert_int_equal(elman_safetensors_read(f->context, f->path, &options, &file, &f->error),
                         ELMAN_ERROR_FORMAT);
        assert_non_null(strstr(f->error.message, ": found 0 bytes, expected at least 8"));
        unlink(f->path);
        options.size = 1;
        assert_int_equal(elman_safetensors_read(f->context, REFERENCE, &options, &file, &f->error),
                         ELMAN_ERROR_ARGUMENT);
    }
}

/* Cut at each byte: always refused. Each bit of each byte flipped: read, or refused. */
static void test_cut_and_flipped(void **state)
{
    fixture *f = *state;
    unsigned char *bytes;
    size_t size;
    elman_safetensors *file;
    assert_int_equal(elman_file_read(f->context, REFERENCE, 0, &bytes, &size, &f->error), ELMAN_OK);
    for (size_t cut = 0; cut < size; cut++) {
        unsigned char *copy = malloc(cut + 1); /* its own, so that a sanitizer sees its end */
        unsigned char *exact = realloc(copy, cut > 0 ? cut : 1);
        memcpy(exact, bytes, cut);
        assert_int_equal(elman_safetensors_parse(f->context, exact, cut, "cut", &file, &f->error),
                         ELMAN_ERROR_FORMAT);
        free(exact);
    }
    size_t accepted = 0, refused = 0;
    for (size_t i = 0; i < size; i++) {
        for (unsigned flip = 1; flip < 256; flip = flip < 128 ? flip * 2 : flip + 127) {
            bytes[i] ^= (unsigned char)flip;
            elman_status status =
                elman_safetensors_parse(f->context, bytes, size, "flip", &file, &f->error);
            bytes[i] ^= (unsigned char)flip;
            if (status == ELMAN_OK) {
                accepted++;
                look_at_all(file);
                elman_safetensors_free(file);
            } else {
                assert_true(status == ELMAN_ERROR_FORMAT || status == ELMAN_ERROR_UNSUPPORTED);
                assert_null(strpbrk(f->error.message, "\n\r"));
                refused++;
            }
        }
    }
    assert_true(accepted > 0 && refused > size); /* flips of data and of names; of the rest */
    elman_release(f->context, bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hostile_headers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_lengths, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut_and_flipped, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
