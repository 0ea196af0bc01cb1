#include "format/tfrecord.h"

/* A bit at a time: what is summed is a few kilobytes an interval. */
uint32_t elman_crc32c(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        crc ^= at[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return ~crc;
}

/* So that the CRC of bytes that hold CRCs says something. */
static uint32_t masked(uint32_t crc)
{
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
}

static void put_low_first(unsigned char *out, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        out[i] = (unsigned char)(value >> (8 * i));
}

void elman_tfrecord_head(unsigned char head[ELMAN_TFRECORD_HEAD], size_t size)
{
    put_low_first(head, size, 8);
    put_low_first(head + 8, masked(elman_crc32c(head, 8)), 4);
}

void elman_tfrecord_tail(unsigned char tail[ELMAN_TFRECORD_TAIL], const void *bytes, size_t size)
{
    put_low_first(tail, masked(elman_crc32c(bytes, size)), 4);
}
