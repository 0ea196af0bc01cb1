/* What the tests of operations that read whole sequences share: cases of PyTorch's figures
 * (tests/golden/op/make_reading.py), and results kept to be compared between contexts. */
#ifndef READING_CASE_H
#define READING_CASE_H

#include <stdio.h>

#include "golden.h"
#include "gradient_check.h"
#include "product_case.h"

/* Calls `one` with every case "KIND.i." of the figures; false where this build can't read them. */
static inline bool for_each_figure(const char *kind, int expected, const char *first,
                                   void (*one)(elman_tape *tape, golden *file, const char *prefix))
{
    elman_context *context;
    elman_tape *tape;
    int cases = 0;
    assert_int_equal(elman_context_create(NULL, &context, NULL), ELMAN_OK);
    assert_int_equal(elman_tape_create(context, &tape, NULL), ELMAN_OK);
    golden *file = golden_open(context, ELMAN_TEST_DATA "/op/reading.safetensors");
    for (; file; cases++) {
        char prefix[64];
        snprintf(prefix, sizeof prefix, "%s.%d.", kind, cases);
        if (!golden_find(file, prefix, first))
            break;
        elman_tape_begin(tape, NULL);
        one(tape, file, prefix);
    }
    bool read = file != NULL;
    golden_close(file);
    elman_tape_free(tape);
    elman_context_free(context);
    if (read)
        assert_int_equal(cases, expected);
    return read;
}

static inline elman_var *figure_leaf(elman_tape *tape, golden *file, const char *prefix,
                                     const char *name)
{
    const elman_tensor *t = golden_find(file, prefix, name);
    assert_non_null(t);
    return elman_tape_leaf(tape, t->rank, t->shape, t->data);
}

/* Of a padded x [T,B,..] with the figures' lengths. */
static inline const elman_sequences *figure_sequences(elman_tape *tape, golden *file,
                                                      const char *prefix, const elman_var *x)
{
    int64_t lengths[16];
    const int32_t *given = golden_integers(file, prefix, "lengths");
    int64_t B = x->value.shape[1];
    assert_true(given && B <= 16);
    for (int64_t b = 0; b < B; b++)
        lengths[b] = given[b];
    return elman_tape_sequences(tape, x->value.shape[0], B, lengths, NULL, 0);
}

static inline void figure_agrees(golden *file, const char *prefix, const char *name,
                                 const elman_var *y)
{
    assert_non_null(y);
    assert_true(golden_near(file, prefix, name, y->value.data, elman_tensor_count(&y->value), 16));
}

static inline void figure_gradient_agrees(golden *file, const char *prefix, const char *name,
                                          const elman_var *x)
{
    assert_non_null(elman_var_gradient(x));
    assert_true(
        golden_near(file, prefix, name, elman_var_gradient(x), elman_tensor_count(&x->value), 32));
}

/* The first call keeps a copy in *kept; later ones must have the same bits. */
static inline void same_bits(float **kept, const float *now, size_t n)
{
    assert_non_null(now);
    if (!*kept) {
        *kept = calloc(n + 1, sizeof **kept);
        memcpy(*kept, now, n * sizeof **kept);
        assert_true(n < 2 || compare_varied(now, n));
    }
    assert_true(compare_bits(*kept, now, n));
}

#endif
