#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "elman/config.h"
#include "elman/options.h"
#include "nn/rules.h"

typedef struct sample {
    bool flag;
    int64_t integer, chosen;
    double real, rate;
    int choice;
    char text[8], words[32];
} sample;

static const char *const colours[] = {"red", "green", "dark-green", NULL};
static const elman_option entries[] = {
    {.name = "flag", .type = ELMAN_OPTION_FLAG, .offset = offsetof(sample, flag)},
    {.name = "an-integer",
     .type = ELMAN_OPTION_INTEGER,
     .argument = "N",
     .initial = "3",
     .minimum = -2,
     .maximum = 10,
     .offset = offsetof(sample, integer)},
    {.name = "chosen",
     .type = ELMAN_OPTION_INTEGER,
     .argument = "N",
     .initial = "auto",
     .minimum = 1,
     .maximum = 10,
     .offset = offsetof(sample, chosen)},
    {.name = "real",
     .type = ELMAN_OPTION_REAL,
     .argument = "X",
     .initial = "0.25",
     .minimum = 0,
     .maximum = 1,
     .offset = offsetof(sample, real)},
    {.name = "rate",
     .type = ELMAN_OPTION_REAL,
     .argument = "X",
     .initial = "auto",
     .minimum = 0,
     .maximum = 1,
     .automatic = -1,
     .offset = offsetof(sample, rate)},
    {.name = "choice",
     .type = ELMAN_OPTION_CHOICE,
     .argument = "COLOUR",
     .initial = "green",
     .choices = colours,
     .offset = offsetof(sample, choice)},
    {.name = "text",
     .type = ELMAN_OPTION_TEXT,
     .argument = "TEXT",
     .initial = "abc",
     .offset = offsetof(sample, text),
     .capacity = 8},
    {.name = "words",
     .type = ELMAN_OPTION_TEXT,
     .argument = "WORD[:VALUE],...",
     .choices = colours,
     .offset = offsetof(sample, words),
     .capacity = 32},
};
static const elman_option_table table = {entries, sizeof(entries) / sizeof(entries[0])};

static const elman_option *find(const char *name)
{
    const elman_option *option = elman_options_find(&table, name);
    assert_non_null(option);
    return option;
}

static void check_defaults(void **state)
{
    (void)state;
    sample s;
    memset(&s, 0xa5, sizeof(s));
    elman_options_default(&table, &s);
    assert_false(s.flag);
    assert_int_equal(s.integer, 3);
    assert_int_equal(s.chosen, 0);
    assert_true(s.real == 0.25);
    assert_true(s.rate == -1);
    assert_int_equal(s.choice, 1);
    assert_string_equal(s.text, "abc");
    assert_string_equal(s.words, "");
    assert_int_equal(elman_options_validate(&table, &s, NULL), ELMAN_OK);
}

static void check_accepted(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *back;
    } good[] = {
        {"flag", NULL, "true"},     {"flag", "true", "true"},
        {"flag", "false", "false"}, {"an-integer", "-2", "-2"},
        {"an_integer", "10", "10"}, {"chosen", "auto", "auto"},
        {"chosen", "1", "1"},       {"real", "0", "0"},
        {"real", "1e-3", "0.001"},  {"rate", "auto", "auto"},
        {"rate", "0.1", "0.1"},     {"choice", "dark-green", "dark-green"},
        {"text", "", ""},           {"text", "1234567", "1234567"},
        {"words", "red", "red"},    {"words", "red:0.1,green", "red:0.1,green"},
        {"words", "", ""},
    };
    sample s;
    elman_options_default(&table, &s);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        char text[64];
        elman_error error = {ELMAN_OK, ""};
        const elman_option *option = find(good[i].name);
        assert_int_equal(elman_options_set(option, &s, good[i].text, "here", &error), ELMAN_OK);
        assert_string_equal(error.message, "");
        elman_options_get(option, &s, text, sizeof(text));
        if (strcmp(text, good[i].back) != 0)
            fail_msg("%s: found %s, expected %s", good[i].name, text, good[i].back);
    }
}

static void check_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *message;
    } bad[] = {
        {"flag", "yes", "here: found \"yes\", expected true or false"},
        {"an-integer", "11", "here: found \"11\", expected an integer from -2 to 10"},
        {"an-integer", "-3", "here: found \"-3\", expected an integer from -2 to 10"},
        {"an-integer", "1.5", "here: found \"1.5\", expected an integer from -2 to 10"},
        {"an-integer", "auto", "here: found \"auto\", expected an integer from -2 to 10"},
        {"an-integer", "99999999999999999999",
         "here: found \"99999999999999999999\", expected an integer from -2 to 10"},
        {"an-integer", "", "here: found \"\", expected an integer from -2 to 10"},
        {"an-integer", NULL, "here: needs a value, N"},
        {"chosen", "0", "here: found \"0\", expected an integer from 1 to 10, or auto"},
        {"real", "nan", "here: found \"nan\", expected a number from 0 to 1"},
        {"real", "inf", "here: found \"inf\", expected a number from 0 to 1"},
        {"real", "0,5", "here: found \"0,5\", expected a number from 0 to 1"},
        {"real", "1.0000001", "here: found \"1.0000001\", expected a number from 0 to 1"},
        {"rate", "-1", "here: found \"-1\", expected a number from 0 to 1, or auto"},
        {"rate", "-0.5", "here: found \"-0.5\", expected a number from 0 to 1, or auto"},
        {"choice", "gren",
         "here: found \"gren\", expected red, green or dark-green; did you mean green?"},
        {"choice", "", "here: found \"\", expected red, green or dark-green"},
        {"text", "12345678", "here: found 8 bytes, expected at most 7"},
        {"words", "red:1,gren:2",
         "here: found \"red:1,gren:2\", expected red, green or dark-green; did you mean green?"},
        {"words", "red,", "here: found \"red,\", expected red, green or dark-green"},
        {"text", "a\nb\x1b[31mcdef", "here: found 12 bytes, expected at most 7"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        sample s, before;
        memset(&s, 0, sizeof(s));
        elman_options_default(&table, &s);
        before = s;
        elman_error error = {ELMAN_OK, ""};
        const elman_option *option = find(bad[i].name);
        assert_int_equal(elman_options_set(option, &s, bad[i].text, "here", &error),
                         ELMAN_ERROR_ARGUMENT);
        assert_int_equal(error.code, ELMAN_ERROR_ARGUMENT);
        assert_string_equal(error.message, bad[i].message);
        assert_true(elman_options_equal(option, &s, &before));
        assert_int_equal(elman_options_set(option, &s, bad[i].text, "here", NULL),
                         ELMAN_ERROR_ARGUMENT);
    }
}

static void check_validated(void **state)
{
    (void)state;
    sample s;
    elman_error error;
    elman_options_default(&table, &s);
    s.integer = 11;
    assert_int_equal(elman_options_validate(&table, &s, &error), ELMAN_ERROR_ARGUMENT);
    assert_string_equal(error.message,
                        "an-integer: found \"11\", expected an integer from -2 to 10");
    elman_options_default(&table, &s);
    s.real = NAN;
    assert_int_equal(elman_options_validate(&table, &s, &error), ELMAN_ERROR_ARGUMENT);
    elman_options_default(&table, &s);
    s.rate = -0.5;
    assert_int_equal(elman_options_validate(&table, &s, &error), ELMAN_ERROR_ARGUMENT);
    elman_options_default(&table, &s);
    s.choice = 3;
    assert_int_equal(elman_options_validate(&table, &s, &error), ELMAN_ERROR_ARGUMENT);
    s.choice = -1;
    assert_int_equal(elman_options_validate(&table, &s, &error), ELMAN_ERROR_ARGUMENT);
    elman_options_default(&table, &s);
    memset(s.text, 'x', sizeof(s.text));
    assert_int_equal(elman_options_validate(&table, &s, &error), ELMAN_ERROR_ARGUMENT);
    elman_options_default(&table, &s);
    strcpy(s.words, "blue");
    assert_int_equal(elman_options_validate(&table, &s, &error), ELMAN_ERROR_ARGUMENT);
}

static void check_nearest(void **state)
{
    (void)state;
    const elman_option_table *config = elman_config_options();
    static const struct {
        const char *wrong, *meant;
    } pairs[] = {
        {"hiden", "hidden"},
        {"epoch", "epochs"},
        {"learning-rate", "lr"},
        {"batch-size", "batch"},
        {"num-layers", "layers"},
        {"weight_decya", "weight-decay"},
        {"optimiser", "optimizer"},
        {"droput", "dropout"},
        {"embeding", "embedding"},
        {"LAYERS", "layers"},
        {"layre", "layers"},
        {"hidden-size", "hidden"},
        {"ssed", "seed"},
        {"zzz", NULL},
        {"", NULL},
        {"q", NULL},
        {"an-option-that-has-a-very-long-name-indeed-it-has", NULL},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        const char *near = elman_options_nearest(config, pairs[i].wrong);
        if (pairs[i].meant == NULL ? near != NULL
                                   : near == NULL || strcmp(near, pairs[i].meant) != 0)
            fail_msg("%s: found %s, expected %s", pairs[i].wrong, near ? near : "none",
                     pairs[i].meant ? pairs[i].meant : "none");
    }
    static const char *const verbs[] = {"train", "eval", "predict", "generate"};
    assert_string_equal(elman_nearest_word("trian", verbs, 4), "train");
    assert_string_equal(elman_nearest_word("evaluate", verbs, 4), "eval");
    assert_null(elman_nearest_word("sing", verbs, 4));
    assert_null(elman_nearest_word("train", verbs, 0));
}

/* The table itself: names unlike each other, defaults that are accepted, bounds that refuse
 * nonsense, help in one sentence. */
static void check_config_table(void **state)
{
    (void)state;
    const elman_option_table *all = elman_config_options();
    elman_config config;
    elman_error error;
    elman_config_default(&config);
    assert_int_equal(elman_config_validate(&config, &error), ELMAN_OK);
    for (size_t i = 0; i < all->count; i++) {
        const elman_option *o = &all->options[i];
        assert_ptr_equal(elman_options_find(all, o->name), o);
        assert_string_equal(elman_options_nearest(all, o->name), o->name);
        assert_non_null(o->help);
        assert_true(o->help[0] != 0 && o->help[strlen(o->help) - 1] != '.');
        assert_true((o->argument == NULL) == (o->type == ELMAN_OPTION_FLAG));
        if (o->initial != NULL)
            assert_int_equal(elman_options_set(o, &config, o->initial, o->name, &error), ELMAN_OK);
        if (o->type == ELMAN_OPTION_INTEGER || o->type == ELMAN_OPTION_REAL) {
            static const char *const nonsense[] = {"-1",  "nan",   "-nan",
                                                   "inf", "1e999", "9223372036854775807",
                                                   "x",   "",      "-9223372036854775808"};
            for (size_t k = 0; k < sizeof(nonsense) / sizeof(nonsense[0]); k++)
                assert_int_equal(elman_options_set(o, &config, nonsense[k], o->name, &error),
                                 ELMAN_ERROR_ARGUMENT);
        }
    }
}

static void check_config_whole(void **state)
{
    (void)state;
    elman_config config;
    elman_error error;
    elman_config_default(&config);
    config.size = 0;
    assert_int_equal(elman_config_validate(&config, &error), ELMAN_ERROR_ARGUMENT);
    elman_config_default(&config);
    config.tied = true;
    assert_int_equal(elman_config_validate(&config, &error), ELMAN_OK);
    config.embedding = 8;
    config.hidden = 16;
    assert_int_equal(elman_config_validate(&config, &error), ELMAN_ERROR_ARGUMENT);
    elman_config_default(&config);
    config.momentum = 0.9;
    assert_int_equal(elman_config_validate(&config, &error), ELMAN_ERROR_ARGUMENT);
    config.optimizer = ELMAN_OPTIMIZER_SGD;
    assert_int_equal(elman_config_validate(&config, &error), ELMAN_OK);
    config.momentum = 0;
    config.nesterov = true;
    assert_int_equal(elman_config_validate(&config, &error), ELMAN_ERROR_ARGUMENT);
    elman_config_default(&config);
    config.min_count = 2;
    assert_int_equal(elman_config_validate(&config, &error), ELMAN_ERROR_ARGUMENT);
    config.level = ELMAN_LEVEL_WORD;
    assert_int_equal(elman_config_validate(&config, &error), ELMAN_OK);
}

/* The words of the option are the rules that the layers know. */
static void check_initialisers(void **state)
{
    (void)state;
    const elman_option *init = elman_options_find(elman_config_options(), "init");
    for (int i = 0; i < ELMAN_RULE_KINDS; i++)
        assert_string_equal(init->choices[i], elman_rule_name((elman_rule_kind)i));
    assert_null(init->choices[ELMAN_RULE_KINDS]);
    elman_config config;
    elman_error error;
    elman_config_default(&config);
    strcpy(config.init, "orthogonal,forget-bias:1");
    assert_int_equal(elman_config_validate(&config, &error), ELMAN_OK);
    strcpy(config.init, "uniform");
    assert_int_equal(elman_config_validate(&config, &error), ELMAN_ERROR_ARGUMENT);
    strcpy(config.init, "uniform:nan");
    assert_int_equal(elman_config_validate(&config, &error), ELMAN_ERROR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_defaults),     cmocka_unit_test(check_accepted),
        cmocka_unit_test(check_refused),      cmocka_unit_test(check_validated),
        cmocka_unit_test(check_nearest),      cmocka_unit_test(check_config_table),
        cmocka_unit_test(check_config_whole), cmocka_unit_test(check_initialisers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
