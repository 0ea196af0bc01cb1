/* Functions are the same operations on every instruction set: their bits over every 509th float,
 * over every 29th of ordinary magnitude, and those of the numbers that they make, as committed
 * here. A change is a new version of the numerics. */
#include "base/file.h"
#include "elman/version.h"
#include "laws.h"

enum { CHUNK = 1 << 14 };

/* 2^-4 <= |x| < 104: a coefficient's last place shows in few results. */
static uint64_t stride(uint32_t bits)
{
    uint32_t magnitude = bits & 0x7fffffffU;
    return magnitude >= 0x3d800000U && magnitude < 0x42d00000U ? 29 : 509;
}

typedef struct function {
    const char *name, *sha256;
} function;

/* exp log tanh sigmoid relu, then a normal fill. */
static const function functions[] = {
    {"exp", "a0d52a1b70ac1b87ea407190648ec3bd4d3d616c3623d9cf6d5267b885d673cc"},
    {"log", "3b501503c4bad9b7348561948f6fa8bfae34e977d104ffb1c34e89e36940a839"},
    {"tanh", "700c169272abbe44a956d53d93eec7c8aa429ec207ecb18d1f3f496c1e90fef9"},
    {"sigmoid", "1a54cdc6a22afec375492ec0196376ee30a203c6ee7ffb34ea23763e96b7a17a"},
    {"normal", "3b6687ed3bc1ca715c2a728bfa7ec006d4d60e0a32b77e6b57cdea777007c35a"},
};

static void add(elman_sha256 *sha, float *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isnan(values[i])) {
            const uint32_t nan = 0x7fc00000U;
            memcpy(&values[i], &nan, sizeof nan);
        }
    elman_sha256_add(sha, values, n * sizeof *values);
}

static void hash(const elman_math_kernels *k, int which, char hex[65])
{
    void (*const calls[4])(float *, const float *, size_t) = {k->exp, k->log, k->tanh, k->sigmoid};
    static float x[CHUNK];
    elman_sha256 sha;
    elman_sha256_begin(&sha);
    uint64_t bits = 0;
    while (which < 4 && bits < (uint64_t)1 << 32) {
        size_t n = 0;
        for (; n < CHUNK && bits < (uint64_t)1 << 32; bits += stride((uint32_t)bits), n++) {
            uint32_t word = (uint32_t)bits;
            memcpy(&x[n], &word, sizeof word);
        }
        calls[which](x, x, n);
        add(&sha, x, n);
    }
    const elman_fill from = {1, 2, 3};
    for (uint64_t first = 0; which == 4 && first < 20 * CHUNK; first += CHUNK - 3) {
        k->fill_normal(x, CHUNK - 3, first, &from, 0.5F, 3.0F);
        add(&sha, x, CHUNK - 3);
    }
    elman_sha256_end(&sha, hex);
}

static void test_bits(void **state)
{
    (void)state;
    assert_int_equal(ELMAN_NUMERICS_VERSION, 1);
    for (size_t i = 0; i < sizeof law_isas / sizeof *law_isas; i++)
        for (int f = 0; f < 5 && elman_cpu_has(law_isas[i]); f++) {
            char hex[65];
            hash(elman_kernels_for(law_isas[i])->math, f, hex);
            if (strcmp(hex, functions[f].sha256))
                fail_msg("%s on %s: %s, expected %s", functions[f].name,
                         elman_isa_name(law_isas[i]), hex, functions[f].sha256);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
