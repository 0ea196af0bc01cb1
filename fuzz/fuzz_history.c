/* metrics.jsonl: refused with a reason, or what it says; in both cases whole, and given back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "train/history.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int truth)
{
    if (!truth)
        abort();
}

static void demand_whole(const elman_history *h)
{
    demand(strlen(h->metric) < ELMAN_METRIC_NAME);
    for (size_t i = 0; i < h->interval_count; i++)
        demand(h->intervals[i].step >= 0);
    for (size_t i = 0; i < h->validation_count; i++)
        demand(h->validations[i].step >= 0);
    for (size_t i = 0; i < h->gradient_count; i++) {
        const elman_history_gradient *g = &h->gradients[i];
        demand(g->step >= 0 && g->lags >= 0 && g->horizon >= -1);
        demand(strlen(g->layer) < ELMAN_FLOW_NAME);
        int any = 0; /* one norm at least; none is below 0 */
        for (int64_t k = 0; k <= g->lags; k++) {
            any |= g->norm[k] >= 0;
            demand(!(g->norm[k] < 0));
        }
        demand(any);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static elman_context *context;
    elman_context_options options;
    elman_context_options_default(&options);
    options.threads = 1;
    if (context == NULL && elman_context_create(&options, &context, NULL) != ELMAN_OK)
        return 0;
    elman_history history;
    elman_error error = {0};
    if (elman_history_parse(context, "fuzz", data, size, &history, &error) != ELMAN_OK)
        demand(error.code == ELMAN_ERROR_FORMAT && strstr(error.message, "line ") != NULL);
    demand_whole(&history);
    elman_history_clear(context, &history);
    return 0;
}
