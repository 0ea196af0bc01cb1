/* The conditional random field as a layer: names, first values, figures of pytorch-crf
 * (tests/golden/op/make_crf.py), and the path of one sequence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elman/layer.h"
#include "golden.h"
#include "test_malloc.h"

typedef struct fixture {
    elman_context *context;
    elman_tape *tape;
    elman_parameters *set;
    elman_crf_layer layer;
} fixture;

static fixture open_fixture(const char *prefix, int64_t K)
{
    fixture f = {0};
    assert_int_equal(elman_context_create(NULL, &f.context, NULL), ELMAN_OK);
    assert_int_equal(elman_tape_create(f.context, &f.tape, NULL), ELMAN_OK);
    assert_int_equal(elman_parameters_create(f.context, true, &f.set, NULL), ELMAN_OK);
    assert_int_equal(elman_crf_create(f.set, prefix, K, &f.layer, NULL), ELMAN_OK);
    return f;
}

static void close_fixture(fixture *f)
{
    elman_parameters_free(f->set);
    elman_tape_free(f->tape);
    elman_context_free(f->context);
}

static void names_shapes_and_first_values(void **state)
{
    (void)state;
    static const char *const names[] = {"crf.transitions", "crf.start_transitions",
                                        "crf.end_transitions"};
    fixture f = open_fixture("crf", 70);
    elman_error error;
    assert_int_equal(elman_parameters_count(f.set), 3);
    assert_int_equal(elman_parameters_elements(f.set), 70 * 70 + 70 + 70);
    assert_int_equal(elman_initialise(f.set, NULL, 1, NULL), ELMAN_OK);
    for (int i = 0; i < 3; i++) {
        elman_parameter *p = elman_parameters_at(f.set, i);
        const elman_tensor *value = elman_parameter_value(p);
        float largest = 0, least = 0;
        assert_string_equal(elman_parameter_name(p), names[i]);
        assert_int_equal(value->rank, i == 0 ? 2 : 1);
        for (int64_t k = 0; k < elman_tensor_count(value); k++) {
            largest = fmaxf(largest, value->data[k]);
            least = fminf(least, value->data[k]);
        }
        assert_true(largest <= 0.1F && largest > 0.09F && least >= -0.1F && least < -0.09F);
    }
    elman_crf_layer other;
    assert_int_equal(elman_crf_create(f.set, "none", 0, &other, &error), ELMAN_ERROR_ARGUMENT);
    assert_string_equal(error.message,
                        "crf none: the number of tags is 0, expected 1 to 2147483647");
    assert_int_equal(elman_crf_create(f.set, "crf", 2, &other, &error), ELMAN_ERROR_ARGUMENT);
    close_fixture(&f);
}

static void load(golden *file, const char *prefix, const char *name, elman_parameter *p)
{
    const elman_tensor *from = golden_find(file, prefix, name);
    assert_non_null(from);
    memcpy(elman_parameter_edit(p), from->data, (size_t)elman_tensor_count(from) * sizeof(float));
}

/* The path of each sequence alone, in the caller's memory and in the context's. */
static void decode_alone(const fixture *f, const elman_sequences *s, const float *e, int64_t K,
                         const int32_t *want, const double *scores)
{
    for (int64_t b = 0; b < s->B; b++) { /* longest first: place b is sequence b */
        int64_t T = s->lengths[b];
        float *own = calloc((size_t)(T * K), sizeof *own);
        int32_t *tags = calloc((size_t)T, sizeof *tags);
        size_t size = elman_crf_decode_size(&f->layer, T);
        void *memory = aligned_alloc(64, (size + 63) / 64 * 64);
        assert_true(own && tags && memory);
        for (int64_t t = 0; t < T; t++)
            memcpy(own + t * K, e + (s->offsets[t] + b) * K, (size_t)K * sizeof *own);
        for (int turn = 0; turn < 2; turn++) {
            double score = NAN;
            size_t calls = test_malloc_calls();
            assert_int_equal(elman_crf_decode(f->context, &f->layer, own, T, tags, &score,
                                              turn ? memory : NULL, NULL),
                             ELMAN_OK);
            assert_true(!turn || test_malloc_calls() == calls);
            assert_true(score == scores[b]);
            for (int64_t t = 0; t < T; t++)
                assert_int_equal(tags[t], want[s->offsets[t] + b]);
        }
        free(memory);
        free(tags);
        free(own);
    }
}

static void check_case(golden *file, const char *prefix)
{
    const elman_tensor emissions = *golden_find(file, prefix, "emissions");
    int64_t N = emissions.shape[0], K = emissions.shape[1], T = 0, B = 0, rows = 0, given[8];
    fixture f = open_fixture("crf", K);
    for (const int32_t *L = golden_integers(file, prefix, "lengths"); rows < N; B++) {
        given[B] = L[B];
        rows += L[B];
        T = L[B] > T ? L[B] : T;
    }
    load(file, prefix, "transitions", f.layer.transitions);
    load(file, prefix, "start_transitions", f.layer.start);
    load(file, prefix, "end_transitions", f.layer.end);
    elman_tape_begin(f.tape, NULL);
    const elman_sequences *s = elman_tape_sequences(f.tape, T, B, given, NULL, 0);
    elman_var *e = elman_tape_leaf(f.tape, 2, emissions.shape, emissions.data);
    const int32_t *want = golden_integers(file, prefix, "paths");
    int32_t *paths = calloc((size_t)N, sizeof *paths);
    double sum = NAN, scores[8];
    assert_non_null(paths);
    elman_var *p = elman_crf_marginals(f.tape, &f.layer, e, s);
    elman_crf_decode_packed(f.tape, &f.layer, e, s, paths, scores);
    elman_var *loss =
        elman_crf_loss(f.tape, &f.layer, e, golden_integers(file, prefix, "tags"), s, 0.75F, &sum);
    assert_int_equal(elman_tape_backward(f.tape, loss, NULL), ELMAN_OK);
    assert_true(golden_near(file, prefix, "loss", elman_var_value(loss)->data, 1, 4));
    float again = (float)(0.75 * sum);
    assert_true(golden_near(file, prefix, "loss", &again, 1, 4));
    assert_true(golden_near(file, prefix, "marginals", elman_var_value(p)->data, N * K, 32));
    assert_true(golden_near(file, prefix, "d.emissions", elman_var_gradient(e), N * K, 32));
    assert_true(golden_near(file, prefix, "d.transitions",
                            elman_parameter_gradient(f.layer.transitions), K * K, 32));
    assert_true(golden_near(file, prefix, "d.start_transitions",
                            elman_parameter_gradient(f.layer.start), K, 32));
    assert_true(golden_near(file, prefix, "d.end_transitions",
                            elman_parameter_gradient(f.layer.end), K, 32));
    assert_memory_equal(paths, want, (size_t)N * sizeof *paths);
    decode_alone(&f, s, emissions.data, K, want, scores);
    free(paths);
    close_fixture(&f);
}

static void figures_of_pytorch_crf(void **state)
{
    (void)state;
    elman_context *context;
    assert_int_equal(elman_context_create(NULL, &context, NULL), ELMAN_OK);
    golden *file = golden_open(context, ELMAN_TEST_DATA "/op/crf.safetensors");
    int cases = 0;
    for (char prefix[32]; file; cases++) {
        snprintf(prefix, sizeof prefix, "crf.%d.", cases);
        if (!golden_find(file, prefix, "emissions"))
            break;
        check_case(file, prefix);
    }
    bool had = file != NULL;
    golden_close(file);
    elman_context_free(context);
    if (!had)
        skip();
    assert_int_equal(cases, 8);
}

static void a_path_of_nothing_and_out_of_memory(void **state)
{
    (void)state;
    fixture f = open_fixture("", 3);
    double score = NAN;
    elman_error error;
    assert_int_equal(elman_crf_decode(f.context, &f.layer, NULL, 0, NULL, &score, NULL, NULL),
                     ELMAN_OK);
    assert_true(score == 0);
    assert_true(elman_crf_decode_size(&f.layer, INT64_MAX) == 0);
    assert_true(elman_crf_decode_size(&f.layer, -1) == 0);
    assert_int_equal(
        elman_crf_decode(f.context, &f.layer, NULL, INT64_MAX, NULL, &score, NULL, &error),
        ELMAN_ERROR_MEMORY);
    if (test_malloc_works()) {
        float e[6] = {0};
        int32_t tags[2];
        size_t live = test_malloc_live();
        assert_int_equal(elman_crf_decode(f.context, &f.layer, e, 2, tags, NULL, NULL, NULL),
                         ELMAN_OK);
        assert_int_equal(test_malloc_live(), live);
        test_malloc_fail_at(1);
        assert_int_equal(elman_crf_decode(f.context, &f.layer, e, 2, tags, NULL, NULL, &error),
                         ELMAN_ERROR_MEMORY);
        test_malloc_fail_at(0);
        assert_string_equal(error.message,
                            "crf transitions: no memory for a path of 2 steps over 3 tags");
    }
    close_fixture(&f);
}

static void what_does_not_fit(void **state)
{
    (void)state;
    fixture f = open_fixture("crf", 4);
    static const int64_t lengths[2] = {2, 4};
    float e[6 * 4] = {0};
    int32_t tags[6] = {0, 1, 2, 3, 0, 1};
    elman_error error;
    for (int turn = 0; turn < 2; turn++) {
        elman_tape_begin(f.tape, NULL);
        const elman_sequences *s = elman_tape_sequences(f.tape, 4, 2, lengths, NULL, 0);
        elman_var *x = elman_tape_leaf(f.tape, 2, (int64_t[]){6, 4}, e);
        tags[5] = turn ? 4 : ELMAN_IGNORE_TARGET;
        assert_null(elman_crf_loss(f.tape, &f.layer, x, tags, s, 1, NULL));
        assert_int_equal(elman_tape_status(f.tape, &error), ELMAN_ERROR_DATA);
        assert_string_equal(error.message, turn ? "crf: the tag of row 5 is 4, expected 0 to 3"
                                                : "crf: the tag of row 5 is -100, expected 0 to 3");
    }
    elman_tape_begin(f.tape, NULL);
    const elman_sequences *s = elman_tape_sequences(f.tape, 4, 2, lengths, NULL, 0);
    elman_var *x = elman_tape_leaf(f.tape, 2, (int64_t[]){3, 8}, e);
    assert_null(elman_crf_marginals(f.tape, &f.layer, x, s));
    assert_int_equal(elman_tape_status(f.tape, &error), ELMAN_ERROR_SHAPE);
    assert_string_equal(error.message,
                        "crf crf.transitions: the emissions are [3, 8], expected [6, 4]");
    assert_null(elman_crf_loss(f.tape, &f.layer, x, tags, s, 1, NULL)); /* after an error */
    elman_crf_decode_packed(f.tape, &f.layer, x, s, tags, NULL);
    assert_null(elman_crf_loss(f.tape, &f.layer, NULL, tags, s, 1, NULL));
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_shapes_and_first_values),
        cmocka_unit_test(figures_of_pytorch_crf),
        cmocka_unit_test(a_path_of_nothing_and_out_of_memory),
        cmocka_unit_test(what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
