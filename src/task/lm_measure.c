/* How well a language model predicts a stretch of text. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/pool.h"
#include "elman/layer.h"
#include "task/lm_impl.h"

enum { STRETCH = 512 }; /* tokens a round; the result does not depend on it */

size_t elman_lm_state_floats(const elman_config *config, int64_t B)
{
    size_t n = (size_t)config->layers * (size_t)B * (size_t)config->hidden;
    return config->cell == ELMAN_CELL_LSTM ? 2 * n : n;
}

elman_status elman_lm_state_create(elman_context *context, const elman_config *config, int64_t B,
                                   elman_network_state *state, elman_error *error)
{
    size_t n = elman_lm_state_floats(config, B);
    state->h = elman_allocate_zero(context, n, sizeof(float));
    if (!state->h)
        return elman_out_of_memory(error);
    state->c = config->cell == ELMAN_CELL_LSTM ? state->h + n / 2 : NULL;
    state->B = B;
    return ELMAN_OK;
}

static elman_status measure(elman_tape *tape, elman_network *network, elman_text_reader *reader,
                            elman_network_state *state, int32_t *ids,
                            const volatile sig_atomic_t *stop, double *total, uint64_t *count,
                            elman_error *error)
{
    elman_tape_mode mode;
    elman_tape_mode_default(&mode);
    mode.record = false;
    size_t got;
    ELMAN_TRY(elman_text_reader_read(reader, ids, 1, &got, error));
    for (;;) {
        if (stop && *stop)
            return elman_fail(error, ELMAN_ERROR_INTERRUPTED, "stopped while validating");
        ELMAN_TRY(elman_text_reader_read(reader, ids + 1, STRETCH, &got, error));
        if (!got)
            return ELMAN_OK;
        double sum = 0;
        elman_tape_begin(tape, &mode);
        const elman_sequences *sequences =
            elman_tape_sequences(tape, (int64_t)got, 1, NULL, NULL, 0);
        elman_network_loss(tape, network, ids, ids + 1, sequences, state, state, 1, &sum);
        ELMAN_TRY(elman_tape_status(tape, error));
        *total += sum;
        *count += got;
        ids[0] = ids[got];
    }
}

elman_status elman_lm_measure(elman_context *context, elman_tape *tape, elman_network *network,
                              elman_text *text, const elman_vocabulary *vocabulary, uint64_t first,
                              uint64_t end, const volatile sig_atomic_t *stop, double *loss,
                              uint64_t *count, elman_error *error)
{
    int32_t ids[STRETCH + 1];
    elman_text_reader *reader = NULL;
    elman_network_state state = {0};
    double total = 0;
    *count = 0;
    elman_status status =
        elman_lm_state_create(context, elman_network_config(network), 1, &state, error);
    if (status == ELMAN_OK)
        status = elman_text_reader_open(text, vocabulary, first, end, &reader, error);
    if (status == ELMAN_OK) {
        elman_pool_begin(context);
        status = measure(tape, network, reader, &state, ids, stop, &total, count, error);
        elman_pool_end(context);
        elman_tape_begin(tape, NULL); /* what grew here becomes one block here */
    }
    *loss = *count ? total / (double)*count : 0;
    elman_text_reader_free(reader);
    elman_release(context, state.h);
    return status;
}
