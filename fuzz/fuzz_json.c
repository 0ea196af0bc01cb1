/* Any bytes: refused, or read, printed in both forms, and read again to the same text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "format/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool fine)
{
    if (!fine)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const elman_json_limits limits = {.bytes = 1 << 20, .depth = 32};
    elman_context_options options;
    elman_context *context;
    elman_json *first, *again;
    elman_error error = {.code = ELMAN_OK};
    elman_context_options_default(&options);
    options.threads = 1;
    expect(elman_context_create(&options, &context, NULL) == ELMAN_OK);
    if (elman_json_parse(context, data, size, "input", limits, &first, &error) == ELMAN_OK) {
        char *compact, *indented, *text;
        size_t length;
        expect(elman_json_print(context, first, ELMAN_JSON_COMPACT, &compact, NULL, NULL) ==
               ELMAN_OK);
        expect(elman_json_print(context, first, ELMAN_JSON_INDENT, &indented, &length, NULL) ==
               ELMAN_OK);
        expect(elman_json_parse(context, indented, length, "printed", limits, &again, NULL) ==
               ELMAN_OK);
        expect(elman_json_print(context, again, ELMAN_JSON_COMPACT, &text, NULL, NULL) == ELMAN_OK);
        expect(strcmp(text, compact) == 0);
        elman_release(context, compact);
        elman_release(context, indented);
        elman_release(context, text);
        elman_json_free(first);
        elman_json_free(again);
    } else {
        expect(error.code != ELMAN_OK && strpbrk(error.message, "\n\r") == NULL);
    }
    elman_context_free(context);
    return 0;
}
