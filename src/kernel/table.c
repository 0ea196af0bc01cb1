/* The table of an instruction set, and a context's. */
#include "kernel/kernels.h"

#include "base/context_impl.h"
#include "base/cpu.h"

extern const elman_kernels elman_kernels_table_scalar;
#if defined(ELMAN_HAVE_X86)
extern const elman_kernels elman_kernels_table_avx2, elman_kernels_table_avx512;
#endif
#if defined(ELMAN_HAVE_NEON)
extern const elman_kernels elman_kernels_table_neon;
#endif

static const elman_kernels *const tables[] = {
/* best first */
#if defined(ELMAN_HAVE_X86)
    &elman_kernels_table_avx512,
    &elman_kernels_table_avx2,
#endif
#if defined(ELMAN_HAVE_NEON)
    &elman_kernels_table_neon,
#endif
    &elman_kernels_table_scalar,
};

const elman_kernels *elman_kernels_for(elman_isa isa)
{
    const size_t count = sizeof tables / sizeof tables[0];
    for (size_t i = 0; i + 1 < count; i++) {
        if ((isa == ELMAN_ISA_BEST || isa == tables[i]->isa) && elman_cpu_has(tables[i]->isa)) {
            return tables[i];
        }
    }
    return tables[count - 1];
}

const elman_kernels *elman_kernels_of(elman_context *context)
{
    if (!context->kernels) {
        context->kernels = elman_kernels_for(context->isa);
    }
    return context->kernels;
}
