#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/philox.h"

/* kat_vectors of Random123 (Salmon et al. 2011), philox4x32 10. */
static void test_known_answers(void **state)
{
    (void)state;
    static const struct {
        uint64_t key;
        uint32_t counter[4], words[4];
    } known[] = {
        {0, {0, 0, 0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {UINT64_MAX,
         {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {0x299f31d0a4093822,
         {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        uint32_t words[4];
        elman_philox(known[i].key, known[i].counter, words);
        assert_memory_equal(words, known[i].words, sizeof words);
    }
}

/* Output may be written over the counter. */
static void test_in_place(void **state)
{
    (void)state;
    uint32_t words[4] = {0, 0, 0, 0};
    elman_philox(0, words, words);
    assert_int_equal(words[0], 0x6627e8d5);
    assert_int_equal(words[3], 0x9b00dbd8);
}

static void test_uniform(void **state)
{
    (void)state;
    assert_true(elman_uniform(0) == 0.0F);
    assert_true(elman_uniform(UINT32_MAX) == 1.0F - 0x1p-24F);
    assert_true(elman_uniform(0x80000000) == 0.5F);
}

static void test_use(void **state)
{
    (void)state;
    assert_int_equal(elman_philox_use(ELMAN_USE_SHUFFLE, 7), 0x02000007);
    assert_int_equal(elman_philox_use(255, 0x1000001), 0xff000001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_uniform),
        cmocka_unit_test(test_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
