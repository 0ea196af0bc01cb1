/* Names of classes: their order, finding them, labels.json there and back, and files that are no
 * such thing. */
#include "../data/data_support.h"

#include "task/labels.h"

static elman_context *context;

static int begin(void **state)
{
    return make_test_folder(state) || elman_context_create(NULL, &context, NULL) != ELMAN_OK;
}

static int end(void **state)
{
    elman_context_free(context);
    return remove_test_folder(state);
}

static void make(elman_labels *labels, const char *const *names, int32_t *to)
{
    elman_labels_init(labels, context);
    for (int i = 0; names[i]; i++)
        assert_ok(elman_labels_add(labels, names[i], strlen(names[i]), &problem));
    assert_ok(elman_labels_order(labels, to, &problem));
}

/* That the names stand in that order, are found there, and `to` says where each has gone. */
static void check(const char *const *names, const char *const *ordered)
{
    elman_labels labels;
    int32_t to[32];
    make(&labels, names, to);
    for (int32_t i = 0; i < labels.count; i++) {
        assert_string_equal(labels.names[i], ordered[i]);
        assert_string_equal(labels.names[to[i]], names[i]);
        assert_int_equal(elman_labels_find(&labels, ordered[i], strlen(ordered[i])), i);
    }
    assert_null(ordered[labels.count]);
    static const char *const none[] = {"", "zzz", "neg", "negative ", "0.", "\xff", "1 "};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(elman_labels_find(&labels, none[i], strlen(none[i])), -1);
    elman_labels_free(&labels);
    elman_labels_free(&labels);
}

static void orders(void **state)
{
    (void)state;
    check((const char *const[]){"positive", "negative", NULL},
          (const char *const[]){"negative", "positive", NULL});
    check((const char *const[]){"b", "B", "ab", "a", "\xc3\xa4", NULL},
          (const char *const[]){"B", "a", "ab", "b", "\xc3\xa4", NULL});
    /* numbers by value */
    check((const char *const[]){"10", "9", "-1", "2.5", "1e1.", NULL},
          (const char *const[]){"-1", "10", "1e1.", "2.5", "9", NULL});
    check((const char *const[]){"10", "9", "-1", "2.5", NULL},
          (const char *const[]){"-1", "2.5", "9", "10", NULL});
    /* equal values by bytes */
    check((const char *const[]){"1.0", "01", "1", "0", NULL},
          (const char *const[]){"0", "01", "1", "1.0", NULL});
    check((const char *const[]){"one", NULL}, (const char *const[]){"one", NULL});
}

static void of_intern(void **state)
{
    (void)state;
    elman_intern names;
    elman_labels labels;
    int32_t number, to[40];
    elman_intern_init(&names, context);
    for (int i = 0; i < 40; i++) {
        char text[8];
        int size = snprintf(text, sizeof text, "%d", i * 17 % 40);
        assert_ok(elman_intern_add(&names, text, (size_t)size, &number, &problem));
    }
    elman_labels_init(&labels, context);
    assert_ok(elman_labels_from(&labels, &names, to, &problem));
    for (int32_t i = 0; i < 40; i++) {
        char text[8];
        int size = snprintf(text, sizeof text, "%d", i);
        assert_string_equal(labels.names[i], text);
        assert_int_equal(elman_labels_find(&labels, text, (size_t)size), i);
        assert_int_equal(to[i], i * 17 % 40);
    }
    elman_labels_free(&labels);
    elman_intern_free(&names);
}

static void check_label(void **state)
{
    (void)state;
    elman_labels labels;
    elman_error error;
    make(&labels, (const char *const[]){"yes", "no", NULL}, NULL);
    assert_int_equal(elman_labels_check(&labels, "yes", 3, &error), ELMAN_OK);
    assert_int_equal(elman_labels_check(NULL, "perhaps", 7, &error), ELMAN_OK);
    assert_int_equal(elman_labels_check(NULL, "", 0, &error), ELMAN_ERROR_DATA);
    assert_string_equal(error.message, "an empty label");
    assert_int_equal(elman_labels_check(NULL, "a\tb", 3, &error), ELMAN_ERROR_DATA);
    assert_non_null(strstr(error.message, "a control character"));
    assert_int_equal(elman_labels_check(&labels, "perhaps", 7, &error), ELMAN_ERROR_DATA);
    assert_string_equal(error.message,
                        "label \"perhaps\" is none of the 2 that the model was trained with");
    elman_labels_free(&labels);
}

/* Saved in that order, not put into another. */
static void there_and_back(void **state)
{
    (void)state;
    static const char *const names[] = {"\"quoted\"",  "caf\xc3\xa9", "a\\b",
                                        "no tab here", "1",           NULL};
    elman_labels labels, loaded;
    make(&labels, names, NULL);
    assert_ok(elman_labels_save(&labels, test_folder, &problem));
    elman_labels_init(&loaded, context);
    assert_ok(elman_labels_load(&loaded, test_folder, &problem));
    assert_int_equal(loaded.count, labels.count);
    for (int32_t i = 0; i < labels.count; i++) {
        assert_string_equal(loaded.names[i], labels.names[i]);
        assert_int_equal(elman_labels_find(&loaded, labels.names[i], strlen(labels.names[i])), i);
    }
    elman_labels_free(&labels);
    elman_labels_free(&loaded);
    assert_int_not_equal(elman_labels_load(&loaded, "/nowhere", &problem), ELMAN_OK);
    assert_contains(problem.message, "/nowhere/labels.json");
}

static void hostile(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"", "labels.json"},
        {"[", "labels.json"},
        {"{}", "expected an array of strings"},
        {"\"a\"", "labels.json"},
        {"[]", "expected an array of strings"},
        {"[1]", "[0]: found the integer 1, expected a string"},
        {"[\"a\", null]", "[1]: found null, expected a string"},
        {"[\"a\", [\"b\"]]", "labels.json"},
        {"[\"a\", \"b\", \"a\"]", "\"a\" stands twice"},
        {"[\"a\\u0000b\"]", "labels.json"},
        {"[\"a\"", "labels.json"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        elman_labels labels;
        write_text("labels.json", cases[i].text);
        elman_labels_init(&labels, context);
        if (elman_labels_load(&labels, test_folder, &problem) == ELMAN_OK)
            fail_msg("%s was taken", cases[i].text);
        assert_contains(problem.message, cases[i].part);
        assert_contains(problem.message, test_folder);
        elman_labels_free(&labels);
    }
}

static elman_status everything(elman_context *counted)
{
    elman_labels labels, loaded;
    elman_labels_init(&labels, counted);
    elman_labels_init(&loaded, counted);
    elman_status status = ELMAN_OK;
    for (int i = 0; i < 20 && status == ELMAN_OK; i++) {
        char text[8];
        int size = snprintf(text, sizeof text, "n%d", 20 - i);
        status = elman_labels_add(&labels, text, (size_t)size, &problem);
    }
    if (status == ELMAN_OK)
        status = elman_labels_order(&labels, NULL, &problem);
    if (status == ELMAN_OK)
        status = elman_labels_save(&labels, test_folder, &problem);
    if (status == ELMAN_OK)
        status = elman_labels_load(&loaded, test_folder, &problem);
    elman_labels_free(&labels);
    elman_labels_free(&loaded);
    return status;
}

static void memory(void **state)
{
    (void)state;
    counter c;
    elman_context *counted = counted_context(&c);
    int before = c.live, failures = 0;
    for (elman_status status = ELMAN_ERROR_MEMORY; status != ELMAN_OK; failures++) {
        c.calls = 0;
        c.fail_at = failures + 1;
        status = everything(counted);
        assert_true(status == ELMAN_OK || status == ELMAN_ERROR_MEMORY);
        assert_int_equal(c.live, before);
    }
    assert_true(failures > 40);
    elman_context_free(counted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders),      cmocka_unit_test(of_intern),
        cmocka_unit_test(check_label), cmocka_unit_test(there_and_back),
        cmocka_unit_test(hostile),     cmocka_unit_test(memory),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
