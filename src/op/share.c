#include "op/share.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/pool.h"

enum { SHARE_ELEMENTS = 4096 };

typedef struct share_work {
    elman_context *context;
    size_t count, grain;
    elman_share_call call;
    void *argument;
} share_work;

static void share_job(const elman_crew *crew, void *argument)
{
    const share_work *work = argument;
    size_t begin, end;
    elman_crew_share(crew, work->count, work->grain, &begin, &end);
    if (begin < end)
        work->call(work->context->kernels, work->argument, begin, end);
}

void elman_share(elman_tape *tape, size_t count, size_t width, elman_share_call call,
                 void *argument)
{
    if (count == 0 || elman_tape_failed(tape))
        return;
    elman_kernels_of(tape->context); /* looked up here, so that the threads only read it */
    size_t grain = width >= SHARE_ELEMENTS ? 1 : SHARE_ELEMENTS / (width ? width : 1);
    share_work work = {tape->context, count, grain, call, argument};
    size_t shares = (count - 1) / grain + 1;
    int threads = elman_context_threads(tape->context);
    elman_pool_run_on(tape->context, shares < (size_t)threads ? (int)shares : threads, share_job,
                      &work);
}

elman_shape_text elman_shape_print(const elman_var *x)
{
    elman_shape_text out = {"["};
    size_t used = 1;
    for (int i = 0; i < x->value.rank; i++)
        used += (size_t)snprintf(out.text + used, sizeof out.text - used, "%s%" PRId64,
                                 i ? ", " : "", x->value.shape[i]);
    snprintf(out.text + used, sizeof out.text - used, "]");
    return out;
}
