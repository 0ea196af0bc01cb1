/* Any bytes: refused, or tensors whose every byte can be read. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "elman/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool fine)
{
    if (!fine)
        abort();
}

static void look_at_all(const elman_safetensors *file, size_t size)
{
    size_t total = 0;
    volatile unsigned char sum = 0;
    for (size_t i = 0; i < elman_safetensors_count(file); i++) {
        const elman_tensor_view *view = elman_safetensors_at(file, i);
        size_t product = elman_dtype_bytes(view->dtype);
        expect(elman_safetensors_find(file, view->name) == view);
        expect(view->rank >= 0 && view->rank <= ELMAN_TENSOR_RANK_MAX);
        for (int r = 0; r < view->rank; r++)
            product *= view->shape[r];
        expect(product == view->bytes);
        expect((uintptr_t)view->data % elman_dtype_bytes(view->dtype) == 0);
        for (size_t b = 0; b < view->bytes; b++)
            sum = (unsigned char)(sum + ((const unsigned char *)view->data)[b]);
        total += view->bytes;
    }
    expect(total < size); /* no two share a byte */
    for (size_t i = 0; i < elman_safetensors_metadata_count(file); i++) {
        const char *key, *value;
        expect(elman_safetensors_metadata_at(file, i, &key, &value));
        expect(elman_safetensors_metadata(file, key) == value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    elman_context_options options;
    elman_context *context;
    elman_safetensors *file;
    elman_error error = {.code = ELMAN_OK};
    elman_context_options_default(&options);
    options.threads = 1;
    expect(elman_context_create(&options, &context, NULL) == ELMAN_OK);
    uint8_t *aligned = malloc(size > 0 ? size : 1); /* exactly the bytes, for a sanitizer */
    expect(aligned != NULL);
    memcpy(aligned, data, size);
    if (elman_safetensors_parse(context, aligned, size, "input", &file, &error) == ELMAN_OK) {
        look_at_all(file, size);
        elman_safetensors_free(file);
    } else {
        expect(error.code != ELMAN_OK && strpbrk(error.message, "\n\r") == NULL);
    }
    free(aligned);
    elman_context_free(context);
    return 0;
}
