/* A training of a few updates, small enough for the thread sanitizer: the same files for any
 * number of threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "elman/elman.h"

static char root[64] = "/tmp/elman-threads-XXXXXX";

static int begin(void **state)
{
    (void)state;
    return mkdtemp(root) == NULL;
}

static int end(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

static void train(const char *folder, const char *text, const elman_config *config, int threads)
{
    elman_context *context;
    elman_context_options options;
    elman_train_request request;
    elman_error error = {0};
    elman_context_options_default(&options);
    options.threads = threads;
    assert_int_equal(elman_context_create(&options, &context, NULL), ELMAN_OK);
    elman_train_request_default(&request);
    request.config = *config;
    request.data = &text;
    request.data_count = 1;
    request.output = folder;
    if (elman_train(context, &request, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    elman_context_free(context);
}

static void same_files(void **state)
{
    (void)state;
    static const int threads[] = {1, 3, 2};
    char text[128];
    snprintf(text, sizeof text, "%s/text.txt", root);
    FILE *f = fopen(text, "w");
    assert_non_null(f);
    uint32_t r = 11;
    for (int i = 0; i < 4000; i++) {
        r = r * 1664525U + 1013904223U;
        fputc("etaoin shrdlu\n"[(r >> 24) % 14], f);
    }
    fclose(f);
    for (int tied = 0; tied < 2; tied++) {
        char digest[3][65];
        for (int i = 0; i < 3; i++) {
            elman_config config;
            char folder[128], model[160];
            elman_error error = {0};
            elman_config_default(&config);
            config.cell = tied ? ELMAN_CELL_GRU : ELMAN_CELL_LSTM;
            config.layers = 2;
            config.hidden = 33;
            config.batch = 5;
            config.bptt = 9;
            config.max_steps = 20;
            config.eval_every = 10;
            config.dropout = 0.25;
            config.tied = tied;
            snprintf(folder, sizeof folder, "%s/%d-%d", root, tied, threads[i]);
            train(folder, text, &config, threads[i]);
            snprintf(model, sizeof model, "%s/model.safetensors", folder);
            assert_int_equal(elman_file_sha256(model, digest[i], NULL, &error), ELMAN_OK);
            assert_string_equal(digest[i], digest[0]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_files)};
    return cmocka_run_group_tests(tests, begin, end);
}
