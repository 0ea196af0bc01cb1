/* Entities against seqeval (tests/golden/task/make_metrics.py) and by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "../golden/task/entities.h"
#include "task/entities.h"
#include "test_malloc.h"

#define COUNT(array) ((int64_t)(sizeof(array) / sizeof *(array)))

static elman_context *context;

static int begin(void **state)
{
    (void)state;
    return elman_context_create(NULL, &context, NULL) == ELMAN_OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    elman_context_free(context);
    return 0;
}

static void expect(elman_score score, const double *want)
{
    assert_true(fabs(score.precision - want[0]) <= 1e-13);
    assert_true(fabs(score.recall - want[1]) <= 1e-13);
    assert_true(fabs(score.f1 - want[2]) <= 1e-13);
    assert_int_equal(score.support, (int64_t)want[3]);
}

/* One label set's figures. */
typedef struct figures {
    const char *const *labels, *const *types;
    int64_t K, type_count, sentences;
    const int32_t *lengths, *truth, *answers;
    const double *each, *means;
} figures;

static void check(const figures *f)
{
    elman_entities *e;
    elman_score micro, macro, weighted;
    int64_t at = 0;
    assert_true(elman_entities_scheme(f->labels, f->K));
    assert_int_equal(elman_entities_create(context, f->labels, f->K, &e, NULL), ELMAN_OK);
    for (int64_t i = 0; i < f->sentences; i++) {
        elman_entities_add(e, f->truth + at, f->answers + at, f->lengths[i]);
        at += f->lengths[i];
    }
    assert_int_equal(elman_entities_types(e), f->type_count);
    for (int64_t type = 0; type < f->type_count; type++) {
        assert_string_equal(elman_entities_type(e, type), f->types[type]);
        expect(elman_entities_score_type(e, type), f->each + 4 * type);
    }
    elman_entities_score(e, &micro, &macro, &weighted);
    expect(micro, f->means);
    expect(macro, f->means + 4);
    expect(weighted, f->means + 8);
    elman_entities_score(e, NULL, NULL, NULL);
    elman_entities_free(e);
}

#define FIGURES(name)                                                                              \
    {                                                                                              \
        name##_labels, name##_types, COUNT(name##_labels), COUNT(name##_types),                    \
            COUNT(name##_lengths), name##_lengths, name##_truth, name##_answers, name##_each,      \
            name##_means                                                                           \
    }

static void figures_of_seqeval(void **state)
{
    (void)state;
    static const figures all[] = {FIGURES(iob), FIGURES(io), FIGURES(iobes), FIGURES(bilou),
                                  FIGURES(rare)};
    for (int i = 0; i < 5; i++)
        check(&all[i]);
}

/* Tags by name -> "PER 0-2, LOC 3-3". */
static void expect_spans(const char *const *tags, int64_t n, const elman_entity *want,
                         int64_t count)
{
    static const char *const labels[] = {"O",     "B-LOC", "I-LOC", "E-LOC", "S-LOC", "L-LOC",
                                         "U-LOC", "B-PER", "I-PER", "E-PER", "S-PER"};
    elman_entities *e;
    elman_entity found[16];
    int32_t ids[16];
    assert_int_equal(elman_entities_create(context, labels, COUNT(labels), &e, NULL), ELMAN_OK);
    for (int64_t i = 0; i < n; i++)
        for (int32_t k = 0; k < COUNT(labels); k++)
            if (strcmp(tags[i], labels[k]) == 0)
                ids[i] = k;
    assert_int_equal(elman_entities_find(e, ids, n, found), count);
    for (int64_t i = 0; i < count; i++) {
        assert_int_equal(found[i].begin, want[i].begin);
        assert_int_equal(found[i].end, want[i].end);
        assert_int_equal(found[i].type, want[i].type);
    }
    elman_entities_free(e);
}

#define EXPECT_SPANS(tags, ...)                                                                    \
    do {                                                                                           \
        const elman_entity spans[] = {__VA_ARGS__};                                                \
        expect_spans(tags, COUNT(tags), spans, COUNT(spans));                                      \
    } while (0)

static void spans_by_hand(void **state)
{
    (void)state;
    enum { LOC, PER };
    static const char *const iob2[] = {"B-PER", "I-PER", "O", "B-LOC", "B-LOC", "I-LOC"};
    static const char *const iob1[] = {"I-PER", "I-PER", "B-PER", "I-LOC", "O", "I-LOC"};
    static const char *const iobes[] = {"B-PER", "I-PER", "E-PER", "S-LOC", "S-LOC", "O"};
    static const char *const bilou[] = {"B-LOC", "L-LOC", "U-LOC", "U-LOC"};
    static const char *const broken[] = {"E-PER", "I-PER", "I-LOC", "E-LOC", "E-LOC"};
    static const char *const outside[] = {"O", "O"};
    EXPECT_SPANS(iob2, {0, 2, PER}, {3, 4, LOC}, {4, 6, LOC});
    EXPECT_SPANS(iob1, {0, 2, PER}, {2, 3, PER}, {3, 4, LOC}, {5, 6, LOC});
    EXPECT_SPANS(iobes, {0, 3, PER}, {3, 4, LOC}, {4, 5, LOC});
    EXPECT_SPANS(bilou, {0, 2, LOC}, {2, 3, LOC}, {3, 4, LOC});
    EXPECT_SPANS(broken, {0, 1, PER}, {1, 2, PER}, {2, 4, LOC}, {4, 5, LOC});
    expect_spans(outside, 2, NULL, 0);
    expect_spans(outside, 0, NULL, 0);
}

static void which_labels_are_entities(void **state)
{
    (void)state;
    static const char *const good[] = {"U-x", "O"};
    static const char *const pos[] = {"NOUN", "VERB"};
    static const char *const bare[] = {"O", "B"};
    static const char *const untyped[] = {"O", "B-"};
    static const char *const only_o[] = {"O"};
    static const char *const special[] = {"<unk>", "B-PER", "O"};
    static const char *const empty[] = {""};
    elman_entities *e;
    elman_error error;
    assert_true(elman_entities_scheme(good, 2));
    assert_false(elman_entities_scheme(pos, 2));
    assert_false(elman_entities_scheme(bare, 2));
    assert_false(elman_entities_scheme(untyped, 2));
    assert_false(elman_entities_scheme(only_o, 1));
    assert_false(elman_entities_scheme(special, 3));
    assert_false(elman_entities_scheme(empty, 1));
    assert_false(elman_entities_scheme(NULL, 0));
    assert_int_equal(elman_entities_create(context, bare, 2, &e, &error), ELMAN_ERROR_ARGUMENT);
    assert_null(e);
    assert_string_equal(error.message, "entities: label 1 is \"B\", expected O or one of B I E S L "
                                       "U, a dash and a type");
    assert_int_equal(elman_entities_create(context, only_o, 1, &e, &error), ELMAN_ERROR_ARGUMENT);
    assert_string_equal(error.message, "entities: none of the 1 labels has a type, expected such "
                                       "as B-PER");
    elman_entities_free(NULL);
}

static void nothing_found(void **state)
{
    (void)state;
    elman_entities *e;
    elman_score micro, macro;
    static const int32_t o[3] = {0, 0, 0}, person[3] = {0, 1, 2};
    assert_int_equal(elman_entities_create(context, iob_labels, COUNT(iob_labels), &e, NULL),
                     ELMAN_OK);
    elman_entities_score(e, &micro, &macro, NULL);
    assert_true(micro.f1 == 0 && macro.f1 == 0 && micro.support == 0);
    elman_entities_add(e, person, o, 3);
    elman_entities_score(e, &micro, &macro, NULL);
    assert_true(micro.f1 == 0 && macro.f1 == 0 && micro.support == 1);
    elman_entities_add(e, person, person, 3);
    elman_entities_score(e, &micro, &macro, NULL);
    assert_true(micro.precision == 1 && micro.recall == 0.5 && macro.support == 2);
    elman_entities_free(e);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    if (!test_malloc_works())
        skip();
    size_t live = test_malloc_live(), n = 1;
    for (bool failed = true; failed; n++) {
        elman_entities *e;
        test_malloc_fail_at(n);
        elman_status status = elman_entities_create(context, iobes_labels, 5, &e, NULL);
        failed = test_malloc_failed();
        test_malloc_fail_at(0);
        assert_int_equal(status, failed ? ELMAN_ERROR_MEMORY : ELMAN_OK);
        elman_entities_free(e);
        assert_int_equal(test_malloc_live(), live);
    }
    assert_true(n > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_of_seqeval),        cmocka_unit_test(spans_by_hand),
        cmocka_unit_test(which_labels_are_entities), cmocka_unit_test(nothing_found),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
