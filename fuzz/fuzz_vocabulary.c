/* vocabulary.json: refused with a reason, or a vocabulary that maps both ways. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/vocabulary_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int truth)
{
    if (!truth)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static elman_context *context;
    elman_context_options options;
    elman_context_options_default(&options);
    options.threads = 1;
    if (context == NULL && elman_context_create(&options, &context, NULL) != ELMAN_OK)
        return 0;
    elman_vocabulary *v = NULL;
    elman_error error = {0};
    if (elman_vocabulary_parse(context, "fuzz", data, size, &v, &error) != ELMAN_OK) {
        demand(error.code != ELMAN_OK && strlen(error.message) > 0);
        return 0;
    }
    elman_detokenizer *d;
    demand(elman_detokenizer_create(v, &d, NULL) == ELMAN_OK);
    for (int32_t id = 0; id < elman_vocabulary_count(v); id++) {
        size_t n, written;
        const char *token = elman_vocabulary_token(v, id, &n);
        demand(elman_vocabulary_find(v, token, n) == id);
        demand(strlen(elman_detokenizer_put(d, id, &written)) == written || id == 0);
    }
    elman_detokenizer_free(d);
    int32_t *ids = malloc((size + 1) * sizeof *ids);
    size_t count;
    demand(ids != NULL);
    if (elman_vocabulary_encode(v, (const char *)data, size, ids, size, &count, &error) == ELMAN_OK)
        for (size_t i = 0; i < count; i++)
            demand(ids[i] >= 0 && ids[i] < elman_vocabulary_count(v));
    free(ids);
    elman_vocabulary_free(v);
    return 0;
}
