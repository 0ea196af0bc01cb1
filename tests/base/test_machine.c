/* What the machine has is told, and is no fancy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/machine.h"

static void test_memory(void **state)
{
    (void)state;
    double bytes = elman_machine_memory();
    assert_true(bytes > 16e6 && bytes < 1e18);
    assert_true(bytes == elman_machine_memory());
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
