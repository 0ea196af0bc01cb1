#include "elman/version.h"

const char *elman_version(void)
{
    return ELMAN_VERSION;
}

int elman_numerics_version(void)
{
    return ELMAN_NUMERICS_VERSION;
}
