/* Which part of a text is for training and which for validation. */
#include <inttypes.h>

#include "base/error.h"
#include "base/number.h"
#include "task/lm_impl.h"

elman_status elman_lm_valid_kind(const elman_config *config, bool *is_file, double *fraction,
                                 elman_error *error)
{
    *is_file = !elman_parse_real(config->valid, fraction);
    if (!*is_file && !(*fraction >= 0 && *fraction <= 0.9))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "valid: found %s, expected a fraction from 0 to 0.9 or a file",
                          config->valid);
    return ELMAN_OK;
}

elman_status elman_lm_split_text(const elman_text *text, const elman_config *config,
                                 int64_t train_count, elman_lm_split *split, elman_error *error)
{
    uint64_t tokens = elman_text_tokens(text);
    bool is_file;
    double fraction;
    ELMAN_TRY(elman_lm_valid_kind(config, &is_file, &fraction, error));
    if (is_file) {
        split->train_end = elman_text_file(text, (int)train_count).first_token;
        split->valid_first = split->train_end;
    } else {
        split->train_end = (uint64_t)((double)tokens * (1.0 - fraction));
        split->valid_first = split->train_end;
    }
    split->valid_end = tokens;
    if (split->train_end < 2)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "%s: too little text: %" PRIu64 " token%s for training, expected at "
                          "least 2",
                          elman_text_file(text, 0).path, split->train_end,
                          split->train_end == 1 ? "" : "s");
    if (split->valid_end - split->valid_first < 2)
        split->valid_first = split->valid_end;
    return ELMAN_OK;
}
