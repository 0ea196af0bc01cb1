/* The text of an initialiser as a list of rules. */
#ifndef ELMAN_NN_RULES_H
#define ELMAN_NN_RULES_H

#include <stdbool.h>

#include "elman/status.h"

typedef enum elman_rule_kind {
    ELMAN_RULE_DEFAULT,
    ELMAN_RULE_UNIFORM,
    ELMAN_RULE_NORMAL,
    ELMAN_RULE_XAVIER_UNIFORM,
    ELMAN_RULE_XAVIER_NORMAL,
    ELMAN_RULE_KAIMING_UNIFORM,
    ELMAN_RULE_KAIMING_NORMAL,
    ELMAN_RULE_ORTHOGONAL,
    ELMAN_RULE_IDENTITY,
    ELMAN_RULE_FORGET_BIAS,
    ELMAN_RULE_EMBEDDING,
    ELMAN_RULE_ZERO_BIAS,
    ELMAN_RULE_ZERO,
    ELMAN_RULE_KINDS
} elman_rule_kind;

enum { ELMAN_MAX_RULES = 16 };

typedef struct elman_rule {
    elman_rule_kind kind;
    double value; /* its default where none was given */
} elman_rule;

typedef struct elman_rules {
    elman_rule rules[ELMAN_MAX_RULES];
    int count;
} elman_rules;

/* NULL and empty: none. */
elman_status elman_rules_parse(const char *text, elman_rules *rules, elman_error *error);
/* "forget-bias". */
const char *elman_rule_name(elman_rule_kind kind);

#endif
