#include "base/utf8.h"

int elman_utf8_decode(const unsigned char *p, size_t n, uint32_t *code_point)
{
    unsigned lead = p[0];
    if (lead < 0x80) {
        *code_point = lead;
        return 1;
    }
    int length;
    uint32_t value;
    /* The second byte's bounds exclude overlong forms, surrogates and the beyond. */
    unsigned low = 0x80, high = 0xBF;
    if (lead >= 0xC2 && lead <= 0xDF) {
        length = 2;
        value = lead & 0x1FU;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
        length = 3;
        value = lead & 0x0FU;
        if (lead == 0xE0)
            low = 0xA0;
        if (lead == 0xED)
            high = 0x9F;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
        length = 4;
        value = lead & 0x07U;
        if (lead == 0xF0)
            low = 0x90;
        if (lead == 0xF4)
            high = 0x8F;
    } else {
        return -1;
    }
    for (int i = 1; i < length; i++) {
        if ((size_t)i >= n)
            return 0;
        if (p[i] < low || p[i] > high)
            return -i;
        value = value << 6 | (p[i] & 0x3FU);
        low = 0x80;
        high = 0xBF;
    }
    *code_point = value;
    return length;
}

size_t elman_utf8_length(const char *text, size_t left)
{
    uint32_t ignored;
    if (left == 0)
        return 0;
    int length = elman_utf8_decode((const unsigned char *)text, left, &ignored);
    return length > 0 ? (size_t)length : 0;
}

bool elman_utf8_valid(const char *text, size_t size)
{
    for (size_t i = 0, step; i < size; i += step)
        if ((step = elman_utf8_length(text + i, size - i)) == 0)
            return false;
    return true;
}

size_t elman_utf8_cut(const char *text, size_t size, size_t limit)
{
    if (size <= limit)
        return size;
    while (limit > 0 && ((unsigned char)text[limit] & 0xC0) == 0x80)
        limit--;
    return limit;
}

int elman_utf8_encode(uint32_t c, unsigned char out[4])
{
    if (c < 0x80) {
        out[0] = (unsigned char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (unsigned char)(0xC0 | c >> 6);
        out[1] = (unsigned char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (unsigned char)(0xE0 | c >> 12);
        out[1] = (unsigned char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (unsigned char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (unsigned char)(0xF0 | c >> 18);
    out[1] = (unsigned char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (unsigned char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (unsigned char)(0x80 | (c & 0x3F));
    return 4;
}

bool elman_utf8_is_space(uint32_t c)
{
    if (c <= 0x20)
        return c == 0x20 || (c >= 0x09 && c <= 0x0D);
    if (c < 0x1680)
        return c == 0x85 || c == 0xA0;
    return c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

void elman_utf8_print_bytes(char text[16], const unsigned char *p, size_t n)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t at = 0;
    for (size_t i = 0; i < n && i < 4; i++) {
        if (i > 0)
            text[at++] = ' ';
        text[at++] = digits[p[i] >> 4];
        text[at++] = digits[p[i] & 15];
    }
    text[at] = '\0';
}
