#include "data/hash.h"

#include <string.h>

elman_hash_key elman_hash_key_of(const void *address)
{
    elman_hash_key key;
    key.k0 = (uint64_t)(uintptr_t)address * UINT64_C(0x9E3779B97F4A7C15);
    key.k1 = (uint64_t)(uintptr_t)&key ^ UINT64_C(0xD1B54A32D192ED03);
    return key;
}

static uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static void round_of(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

/* Words are read in the machine's byte order: the hash never leaves the process. */
uint64_t elman_hash(elman_hash_key key, const void *bytes, size_t size)
{
    uint64_t v[4] = {key.k0 ^ UINT64_C(0x736f6d6570736575), key.k1 ^ UINT64_C(0x646f72616e646f6d),
                     key.k0 ^ UINT64_C(0x6c7967656e657261), key.k1 ^ UINT64_C(0x7465646279746573)};
    const unsigned char *p = bytes;
    size_t rest = size;
    for (; rest >= 8; rest -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        v[3] ^= word;
        round_of(v);
        v[0] ^= word;
    }
    uint64_t last = (uint64_t)size << 56;
    for (size_t i = 0; i < rest; i++)
        last |= (uint64_t)p[i] << (8 * i);
    v[3] ^= last;
    round_of(v);
    v[0] ^= last;
    v[2] ^= 0xFF;
    round_of(v);
    round_of(v);
    round_of(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
