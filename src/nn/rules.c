#include "nn/rules.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/number.h"
#include "elman/options.h"

typedef enum value_need { VALUE_NONE, VALUE_OPTIONAL, VALUE_REQUIRED } value_need;

typedef struct rule_form {
    const char *name;
    value_need need;
    double fallback;
    bool signed_value; /* it may be negative */
} rule_form;

static const rule_form forms[ELMAN_RULE_KINDS] = {
    [ELMAN_RULE_DEFAULT] = {"default", VALUE_NONE, 0, false},
    [ELMAN_RULE_UNIFORM] = {"uniform", VALUE_REQUIRED, 0, false},
    [ELMAN_RULE_NORMAL] = {"normal", VALUE_REQUIRED, 0, false},
    [ELMAN_RULE_XAVIER_UNIFORM] = {"xavier-uniform", VALUE_OPTIONAL, 1, false},
    [ELMAN_RULE_XAVIER_NORMAL] = {"xavier-normal", VALUE_OPTIONAL, 1, false},
    [ELMAN_RULE_KAIMING_UNIFORM] = {"kaiming-uniform", VALUE_OPTIONAL, 0x1.6a09e667f3bcdp0, false},
    [ELMAN_RULE_KAIMING_NORMAL] = {"kaiming-normal", VALUE_OPTIONAL, 0x1.6a09e667f3bcdp0, false},
    [ELMAN_RULE_ORTHOGONAL] = {"orthogonal", VALUE_OPTIONAL, 1, false},
    [ELMAN_RULE_IDENTITY] = {"identity", VALUE_OPTIONAL, 1, true},
    [ELMAN_RULE_FORGET_BIAS] = {"forget-bias", VALUE_REQUIRED, 0, true},
    [ELMAN_RULE_EMBEDDING] = {"embedding", VALUE_REQUIRED, 0, false},
    [ELMAN_RULE_ZERO_BIAS] = {"zero-bias", VALUE_NONE, 0, false},
    [ELMAN_RULE_ZERO] = {"zero", VALUE_NONE, 0, false},
};

const char *elman_rule_name(elman_rule_kind kind)
{
    return forms[kind].name;
}

static elman_status find(const char *name, elman_rule_kind *kind, elman_error *error)
{
    const char *names[ELMAN_RULE_KINDS];
    for (int i = 0; i < ELMAN_RULE_KINDS; i++) {
        names[i] = forms[i].name;
        if (strcmp(forms[i].name, name) == 0) {
            *kind = (elman_rule_kind)i;
            return ELMAN_OK;
        }
    }
    const char *nearest = elman_nearest_word(name, names, ELMAN_RULE_KINDS);
    if (nearest)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "initialiser: unknown name \"%s\", the nearest is \"%s\"", name, nearest);
    return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                      "initialiser: unknown name \"%s\", expected default, uniform, normal, "
                      "xavier-uniform, xavier-normal, kaiming-uniform, kaiming-normal, orthogonal, "
                      "identity, forget-bias, embedding, zero-bias or zero",
                      name);
}

/* NAME or NAME:VALUE; item is cut at its colon. */
static elman_status parse_item(char *item, elman_rule *rule, elman_error *error)
{
    char *value = strchr(item, ':');
    if (value)
        *value++ = '\0';
    ELMAN_TRY(find(item, &rule->kind, error));
    const rule_form *form = &forms[rule->kind];
    rule->value = form->fallback;
    if (!value && form->need == VALUE_REQUIRED)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "initialiser: %s has no value, expected %s:NUMBER", item, item);
    if (value && form->need == VALUE_NONE)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "initialiser: %s takes no value, found \"%s\"", item, value);
    if (!value)
        return ELMAN_OK;
    double number;
    if (!elman_parse_real(value, &number) || !(fabs(number) <= (double)FLT_MAX) ||
        (number < 0 && !form->signed_value))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "initialiser: the value of %s is \"%s\", expected a finite number%s",
                          item, value, form->signed_value ? "" : " of at least 0");
    rule->value = number;
    return ELMAN_OK;
}

elman_status elman_rules_parse(const char *text, elman_rules *rules, elman_error *error)
{
    rules->count = 0;
    if (!text || !*text)
        return ELMAN_OK;
    for (;;) {
        char item[64];
        size_t size = strcspn(text, ",");
        if (size >= sizeof item)
            return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                              "initialiser: unknown name \"%.40s...\", expected NAME[:VALUE]",
                              text);
        if (rules->count == ELMAN_MAX_RULES)
            return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                              "initialiser: more than %d rules, expected at most so many",
                              ELMAN_MAX_RULES);
        memcpy(item, text, size);
        item[size] = '\0';
        ELMAN_TRY(parse_item(item, &rules->rules[rules->count++], error));
        if (!text[size])
            return ELMAN_OK;
        text += size + 1;
    }
}
