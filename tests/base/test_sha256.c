#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

/* FIPS 180-2, appendix B, and the empty message. */
static const struct {
    const char *text, *hex;
} known[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
     "lmnopqrsmnopqrstnopqrstu",
     "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
};
static const char million[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

static void test_known_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        for (size_t step = 1; step <= 70; step++) {
            elman_sha256 sha;
            char hex[65];
            size_t length = strlen(known[i].text);
            elman_sha256_begin(&sha);
            for (size_t at = 0; at < length; at += step)
                elman_sha256_add(&sha, known[i].text + at, length - at < step ? length - at : step);
            elman_sha256_end(&sha, hex);
            assert_string_equal(hex, known[i].hex);
        }
}

static void test_million(void **state)
{
    (void)state;
    elman_sha256 sha;
    char hex[65], run[997];
    memset(run, 'a', sizeof run);
    elman_sha256_begin(&sha);
    size_t left = 1000000;
    while (left) {
        size_t part = left < sizeof run ? left : sizeof run;
        elman_sha256_add(&sha, run, part);
        left -= part;
    }
    elman_sha256_end(&sha, hex);
    assert_string_equal(hex, million);
}

static void test_file(void **state)
{
    (void)state;
    char path[] = "/tmp/elman-test-XXXXXX", hex[65];
    uint64_t size = 0;
    elman_error error;
    close(mkstemp(path));
    char *text = malloc(1000000);
    assert_non_null(text);
    memset(text, 'a', 1000000);
    assert_int_equal(elman_file_replace(path, text, 1000000, &error), ELMAN_OK);
    free(text);
    assert_int_equal(elman_file_sha256(path, hex, &size, &error), ELMAN_OK);
    assert_string_equal(hex, million);
    assert_int_equal(size, 1000000);
    unlink(path);
    assert_int_equal(elman_file_sha256(path, hex, NULL, &error), ELMAN_ERROR_IO);
    assert_non_null(strstr(error.message, path));
    assert_int_equal(elman_file_sha256("/tmp", hex, NULL, &error), ELMAN_ERROR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_million),
        cmocka_unit_test(test_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
