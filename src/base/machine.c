#include "base/machine.h"

#include <stdio.h>
#include <unistd.h>

/* Linux writes "max" where a group has no limit. */
static double group_limit(void)
{
    double limit = 0;
    FILE *file = fopen("/sys/fs/cgroup/memory.max", "r");
    if (!file)
        return 0;
    unsigned long long bytes;
    if (fscanf(file, "%llu", &bytes) == 1)
        limit = (double)bytes;
    fclose(file);
    return limit;
}

double elman_machine_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    double machine = pages > 0 && page > 0 ? (double)pages * (double)page : 0;
    double group = group_limit();
    return group > 0 && (machine <= 0 || group < machine) ? group : machine;
}
