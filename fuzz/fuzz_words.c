/* Text into words, the first byte says whether folded. The words' ranges ascend, what they say is
 * UTF-8 that a vocabulary takes, and between them stands nothing but what is not seen. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "data/unicode.h"
#include "data/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int truth)
{
    if (!truth)
        abort();
}

static void check_gap(const char *line, size_t begin, size_t end)
{
    while (begin < end) {
        uint32_t c;
        int length = elman_utf8_decode((const unsigned char *)line + begin, end - begin, &c);
        demand(length > 0);
        elman_unicode_class class = elman_unicode_class_of(c);
        demand(class == ELMAN_UNICODE_SPACE || class == ELMAN_UNICODE_IGNORABLE);
        begin += (size_t)length;
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
    if (size < 1)
        return 0;
    const char *line = (const char *)data + 1;
    size--;
    elman_words w;
    elman_error error = {0};
    elman_words_init(&w, context);
    elman_status status = elman_words_split(&w, line, size, data[0] % 2 == 1, &error);
    if (status == ELMAN_OK) {
        elman_word_counter *counter;
        elman_vocabulary *v;
        size_t end = 0;
        for (size_t i = 0; i < w.count; i++) {
            size_t bytes;
            const char *word = elman_words_text(&w, i, &bytes);
            demand(bytes > 0 && strlen(word) == bytes && elman_utf8_valid(word, bytes));
            demand(w.words[i].begin >= end && w.words[i].end > w.words[i].begin);
            check_gap(line, end, w.words[i].begin);
            end = w.words[i].end;
        }
        demand(end <= size);
        check_gap(line, end, size);
        demand(elman_word_counter_create(context, &counter, NULL) == ELMAN_OK);
        demand(elman_word_counter_add(counter, &w, NULL) == ELMAN_OK);
        demand(elman_word_counter_vocabulary(counter, 1, 0, &v, &error) == ELMAN_OK);
        int32_t *ids = malloc((w.count + 1) * sizeof *ids);
        demand(ids != NULL && elman_words_encode(&w, v, ids) == 0);
        free(ids);
        elman_vocabulary_free(v);
        elman_word_counter_free(counter);
    } else {
        demand(status == ELMAN_ERROR_UNSUPPORTED || strncmp(error.message, "byte ", 5) == 0);
    }
    elman_words_free(&w);
    return 0;
}
