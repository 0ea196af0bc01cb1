/* The framing of event files: CRC-32C of known strings, masks, lengths. */
#include "format/tfrecord.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* RFC 3720, B.4, and the check value of the CRC catalogue. */
static void test_crc(void **state)
{
    (void)state;
    unsigned char bytes[32] = {0};
    assert_int_equal(elman_crc32c("", 0), 0);
    assert_int_equal(elman_crc32c("123456789", 9), 0xe3069283);
    assert_int_equal(elman_crc32c(bytes, 32), 0x8a9136aa);
    memset(bytes, 0xff, 32);
    assert_int_equal(elman_crc32c(bytes, 32), 0x62a8ab43);
    for (unsigned i = 0; i < 32; i++)
        bytes[i] = (unsigned char)i;
    assert_int_equal(elman_crc32c(bytes, 32), 0x46dd794e);
    for (unsigned i = 0; i < 32; i++)
        bytes[i] = (unsigned char)(31 - i);
    assert_int_equal(elman_crc32c(bytes, 32), 0x113fdb5c);
}

/* The first record that TensorFlow writes: 24 bytes, whose frame is the same in every file. */
static void test_frame(void **state)
{
    (void)state;
    static const unsigned char wanted[ELMAN_TFRECORD_HEAD] = {0x18, 0, 0,    0,    0,    0,
                                                              0,    0, 0xa3, 0x7f, 0x4b, 0x22};
    unsigned char head[ELMAN_TFRECORD_HEAD], tail[ELMAN_TFRECORD_TAIL];
    elman_tfrecord_head(head, 24);
    assert_memory_equal(head, wanted, sizeof wanted);
    elman_tfrecord_tail(tail, "123456789", 9);
    uint32_t crc = 0xe3069283;
    uint32_t masked = ((crc >> 15) | (crc << 17)) + 0xa282ead8;
    for (int i = 0; i < 4; i++)
        assert_int_equal(tail[i], masked >> (8 * i) & 0xff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_crc), cmocka_unit_test(test_frame)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
