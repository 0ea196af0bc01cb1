/* config.json from hostile bytes. What is accepted must be valid. */
#include <stdint.h>
#include <stdlib.h>

#include "elman/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    elman_context_options options;
    elman_context *context;
    elman_config_file file;
    elman_error error;
    elman_context_options_default(&options);
    options.threads = 1;
    if (elman_context_create(&options, &context, &error) != ELMAN_OK)
        abort();
    if (elman_config_file_parse(context, data, size, "config.json", &file, &error) == ELMAN_OK &&
        elman_config_validate(&file.config, &error) != ELMAN_OK)
        abort();
    elman_config_file_clear(context, &file);
    elman_context_free(context);
    return 0;
}
