#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"

/* By the definition: arithmetic first, then what is excluded. */
static int naive_decode(const unsigned char *p, size_t n, uint32_t *c)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    int length = p[0] < 0x80       ? 1
                 : p[0] >> 5 == 6  ? 2
                 : p[0] >> 4 == 14 ? 3
                 : p[0] >> 3 == 30 ? 4
                                   : 0;
    if (length == 0 || (size_t)length > n)
        return 0;
    uint32_t value = length == 1 ? p[0] : p[0] & (0x7FU >> length);
    for (int i = 1; i < length; i++) {
        if (p[i] >> 6 != 2)
            return 0;
        value = value << 6 | (p[i] & 0x3FU);
    }
    if (value < least[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
        return 0;
    *c = value;
    return length;
}

static void test_every_code_point(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        if (c >= 0xD800 && c <= 0xDFFF)
            continue;
        unsigned char bytes[4];
        uint32_t back = 0;
        int size = elman_utf8_encode(c, bytes);
        assert_int_equal(elman_utf8_decode(bytes, (size_t)size, &back), size);
        assert_int_equal(back, c);
        for (int cut = 1; cut < size; cut++)
            assert_int_equal(elman_utf8_decode(bytes, (size_t)cut, &back), 0);
    }
}

/* Every sequence of up to three bytes, and four where the fourth is at an edge. */
static void test_every_sequence(void **state)
{
    (void)state;
    static const unsigned char edges[] = {0x00, 0x41, 0x7F, 0x80, 0xBF, 0xC0, 0xFF};
    for (uint32_t i = 0; i < 1U << 24; i++) {
        unsigned char p[4] = {(unsigned char)(i >> 16), (unsigned char)(i >> 8), (unsigned char)i,
                              edges[i % sizeof edges]};
        uint32_t got = 0, want = 0;
        int decoded = elman_utf8_decode(p, 4, &got);
        int naive = naive_decode(p, 4, &want);
        if (naive > 0 ? decoded != naive || got != want : decoded >= 0)
            fail_msg("%02X %02X %02X %02X: %d, expected %d", p[0], p[1], p[2], p[3], decoded,
                     naive);
    }
}

/* Unicode 15, section 3.9, tables 3-8 to 3-11: where each U+FFFD begins. */
static void test_maximal_subparts(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        int lengths[10];
    } cases[] = {
        {"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41", {-1, -1, -1, -1, -1, -1, -1, -1, 1}},
        {"\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41", {-1, -1, -1, -1, -1, -1, -1, -1, 1}},
        {"\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", {-1, -1, -1, -1, -1, 1, -1, -1, 1}},
        {"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", {-2, -1, -3, -2, 1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const unsigned char *p = (const unsigned char *)cases[i].bytes;
        size_t at = 0, size = strlen(cases[i].bytes);
        for (int j = 0; at < size; j++) {
            uint32_t c;
            int length = elman_utf8_decode(p + at, size - at, &c);
            assert_int_equal(length, cases[i].lengths[j]);
            at += (size_t)abs(length);
        }
        assert_int_equal(at, size);
    }
}

static void test_spaces(void **state)
{
    (void)state;
    int count = 0;
    for (uint32_t c = 0; c <= 0x10FFFF; c++)
        count += elman_utf8_is_space(c);
    assert_int_equal(count, 25);
    static const uint32_t some[] = {9, 10, 13, 32, 0x85, 0xA0, 0x1680, 0x2003, 0x2028, 0x3000};
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++)
        assert_true(elman_utf8_is_space(some[i]));
    assert_false(elman_utf8_is_space(0x200B));
    assert_false(elman_utf8_is_space(0xFEFF));
}

static void test_print_bytes(void **state)
{
    (void)state;
    char text[16];
    elman_utf8_print_bytes(text, (const unsigned char *)"\xE2\x28\xA1\x00\x99", 5);
    assert_string_equal(text, "E2 28 A1 00");
    elman_utf8_print_bytes(text, (const unsigned char *)"\xFF", 1);
    assert_string_equal(text, "FF");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_point), cmocka_unit_test(test_every_sequence),
        cmocka_unit_test(test_maximal_subparts), cmocka_unit_test(test_spaces),
        cmocka_unit_test(test_print_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
