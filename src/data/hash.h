/* SipHash-1-3 (Aumasson and Bernstein 2012) of a token's bytes. Keyed, since the
 * words come from files that may be made to collide. */
#ifndef ELMAN_DATA_HASH_H
#define ELMAN_DATA_HASH_H

#include <stddef.h>
#include <stdint.h>

typedef struct elman_hash_key {
    uint64_t k0, k1;
} elman_hash_key;

/* Differs from process to process where addresses do; nothing that comes out of the
 * library depends on it. */
elman_hash_key elman_hash_key_of(const void *address);

uint64_t elman_hash(elman_hash_key key, const void *bytes, size_t size);

#endif
