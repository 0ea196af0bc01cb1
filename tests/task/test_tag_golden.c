/* Taggers with PyTorch's weights answer as PyTorch does: words and characters composed, two
 * bidirectional layers, with and without a conditional random field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "elman/elman.h"
#include "elman/tag.h"
#include "golden.h"

enum { SENTENCES = 4, WORDS = 5 };
static const char *const sentences[SENTENCES][WORDS] = {
    {"the", "The", "cat"},
    {"sleeps"},
    {"zebra", "on", "\303\251t\303\251", "mats"},
    {"a", "cat", "sleeps", "the", "q"}};

static void answers_as_pytorch(const char *name)
{
    elman_context *context;
    elman_tagger *tagger;
    elman_error error = {0};
    char path[512];
    assert_int_equal(elman_context_create(NULL, &context, NULL), ELMAN_OK);
    snprintf(path, sizeof path, "%s/task/%s", ELMAN_TEST_DATA, name);
    if (elman_tagger_open(context, path, &tagger, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    snprintf(path, sizeof path, "%s/task/%s/expected.safetensors", ELMAN_TEST_DATA, name);
    golden *file = golden_open(context, path);
    for (int s = 0; file && s < SENTENCES; s++) {
        char prefix[16];
        int32_t tags[WORDS];
        int64_t n = 0;
        while (n < WORDS && sentences[s][n])
            n++;
        snprintf(prefix, sizeof prefix, "%d.", s);
        assert_int_equal(elman_tagger_words(tagger, sentences[s], n, tags, &error), ELMAN_OK);
        assert_true(golden_near(file, prefix, "probabilities", elman_tagger_probabilities(tagger),
                                n * elman_tagger_tags(tagger), 16));
        assert_memory_equal(tags, golden_integers(file, prefix, "tags"), (size_t)n * sizeof *tags);
    }
    bool found = file != NULL;
    golden_close(file);
    elman_tagger_free(tagger);
    elman_context_free(context);
    if (!found)
        skip();
}

static void each_word(void **state)
{
    (void)state;
    answers_as_pytorch("tag");
}

static void conditional_random_field(void **state)
{
    (void)state;
    answers_as_pytorch("tag_crf");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_word),
                                       cmocka_unit_test(conditional_random_field)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
