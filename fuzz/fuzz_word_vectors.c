/* Word vectors of any bytes: refused with a reason, or finite rows for what was found. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "data/word_vectors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int truth)
{
    if (!truth)
        abort();
}

static const char *const tokens[] = {"<unk>", "<eos>", "the", "The", "a", "stra\xC3\x9F", "1"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static elman_context *context;
    static elman_vocabulary *v;
    elman_context_options options;
    elman_context_options_default(&options);
    options.threads = 1;
    if (context == NULL && elman_context_create(&options, &context, NULL) != ELMAN_OK)
        return 0;
    if (v == NULL)
        demand(elman_vocabulary_create(context, ELMAN_LEVEL_WORD, tokens, 7, &v, NULL) == ELMAN_OK);
    char path[32];
    int fd = memfd_create("fuzz", 0);
    demand(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    elman_word_vectors w;
    elman_error error = {0};
    if (elman_word_vectors_read(context, path, v, &w, &error) == ELMAN_OK) {
        int64_t counts[3] = {0, 0, 0};
        demand(w.file_bytes == size && w.width >= 1);
        for (int64_t i = 0; i < 7; i++) {
            counts[w.found[i]]++;
            for (int64_t k = 0; k < w.width; k++) {
                float value = w.rows[i * w.width + k];
                demand(isfinite(value));
                demand(w.found[i] != ELMAN_WORD_NOT_FOUND || value == 0);
            }
        }
        demand(counts[1] == w.folded_count && counts[2] == w.exact_count);
    } else {
        demand(w.rows == NULL && strncmp(error.message, path, strlen(path)) == 0);
    }
    elman_word_vectors_clear(context, &w);
    close(fd);
    return 0;
}
