/* What the tests of safetensors share: a context whose allocations are counted and made
 * to fail, and a folder of its own. */
#ifndef SAFETENSORS_FIXTURE_H
#define SAFETENSORS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "elman/safetensors.h"

#define REFERENCE ELMAN_TEST_DATA "/format/reference.safetensors"

typedef struct fixture {
    elman_context *context;
    elman_error error;
    char folder[64], path[96];
    long countdown; /* the allocation that fails: 0 none, 1 the next */
    long live;
} fixture;

static void *allocate(void *user, size_t bytes)
{
    fixture *f = user;
    if (f->countdown > 0 && --f->countdown == 0)
        return NULL;
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64 + (bytes == 0 ? 64 : 0));
    f->live += memory != NULL;
    return memory;
}

static void release(void *user, void *memory)
{
    fixture *f = user;
    f->live--;
    free(memory);
}

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    elman_context_options options;
    elman_context_options_default(&options);
    options.threads = 1;
    options.allocator = (elman_allocator){allocate, release, f};
    assert_int_equal(elman_context_create(&options, &f->context, &f->error), ELMAN_OK);
    const char *temporary = getenv("TMPDIR");
    snprintf(f->folder, sizeof f->folder, "%.40s/elman-XXXXXX", temporary ? temporary : "/tmp");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof f->path, "%s/file", f->folder);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    unlink(f->path);
    rmdir(f->folder);
    elman_context_free(f->context);
    assert_int_equal(f->live, 0);
    free(f);
    return 0;
}

/* Everything that a file answers, so that a sanitizer sees every byte read. */
static unsigned look_at_all(const elman_safetensors *file)
{
    unsigned sum = 0;
    for (size_t i = 0; i < elman_safetensors_count(file); i++) {
        const elman_tensor_view *view = elman_safetensors_at(file, i);
        assert_ptr_equal(elman_safetensors_find(file, view->name), view);
        assert_int_equal((uintptr_t)view->data % elman_dtype_bytes(view->dtype), 0);
        for (size_t b = 0; b < view->bytes; b++)
            sum += ((const unsigned char *)view->data)[b];
    }
    for (size_t i = 0; i < elman_safetensors_metadata_count(file); i++) {
        const char *key, *value;
        assert_true(elman_safetensors_metadata_at(file, i, &key, &value));
        assert_ptr_equal(elman_safetensors_metadata(file, key), value);
        sum += (unsigned)strlen(value);
    }
    return sum;
}

#endif
