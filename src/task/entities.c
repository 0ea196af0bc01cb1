/* Spans of tags by conlleval's rules, and counts of those found rightly. */
#include "task/entities.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

typedef struct label {
    char prefix;  /* B I E S O; L and U have become E and S */
    int64_t type; /* -1: O */
} label;

typedef struct type_counts {
    int64_t right, answered, support;
} type_counts;

struct elman_entities {
    elman_context *context;
    label *labels; /* [K] */
    char **names;  /* [types] in order */
    type_counts *counts;
    char *text;
    int64_t types;
};

/* The type of a label of a scheme, NULL of any other; "" of O. */
static const char *type_of(const char *name)
{
    if (strcmp(name, "O") == 0)
        return "";
    bool typed = *name && strchr("BIESLU", *name) && name[1] == '-' && name[2];
    return typed ? name + 2 : NULL;
}

bool elman_entities_scheme(const char *const *labels, int64_t K)
{
    bool typed = false;
    for (int64_t k = 0; k < K; k++) {
        const char *type = type_of(labels[k]);
        if (!type)
            return false;
        typed = typed || *type;
    }
    return typed;
}

static elman_status check(const char *const *labels, int64_t K, elman_error *error)
{
    for (int64_t k = 0; k < K; k++)
        if (!type_of(labels[k]))
            return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                              "entities: label %" PRId64
                              " is \"%s\", expected O or one of B I E S L U, a dash and a type",
                              k, labels[k]);
    if (!elman_entities_scheme(labels, K))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "entities: none of the %" PRId64 " labels has a type, expected such as "
                          "B-PER",
                          K);
    return ELMAN_OK;
}

/* Where a name stands among the sorted ones, or belongs. */
static int64_t place_of(const elman_entities *e, const char *name)
{
    int64_t low = 0, high = e->types;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (strcmp(e->names[middle], name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void collect_types(elman_entities *e, const char *const *labels, int64_t K)
{
    char *text = e->text;
    for (int64_t k = 0; k < K; k++) {
        const char *type = type_of(labels[k]);
        int64_t place = place_of(e, type);
        if (!*type || (place < e->types && strcmp(e->names[place], type) == 0))
            continue;
        memmove(e->names + place + 1, e->names + place,
                (size_t)(e->types - place) * sizeof *e->names);
        size_t n = strlen(type) + 1;
        e->names[place] = memcpy(text, type, n);
        text += n;
        e->types++;
    }
}

static void read_labels(elman_entities *e, const char *const *labels, int64_t K)
{
    for (int64_t k = 0; k < K; k++) {
        const char *type = type_of(labels[k]);
        char prefix = labels[k][0];
        e->labels[k].prefix = prefix == 'L' ? 'E' : prefix == 'U' ? 'S' : prefix;
        e->labels[k].type = *type ? place_of(e, type) : -1;
    }
}

elman_status elman_entities_create(elman_context *context, const char *const *labels, int64_t K,
                                   elman_entities **entities, elman_error *error)
{
    *entities = NULL;
    ELMAN_TRY(check(labels, K, error));
    size_t bytes = 0;
    bool fits = true;
    for (int64_t k = 0; k < K; k++)
        fits = fits && elman_size_add(bytes, strlen(labels[k]) + 1, &bytes);
    elman_entities *e = elman_allocate_zero(context, 1, sizeof *e);
    if (!e)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "entities: out of memory");
    e->context = context;
    e->labels = elman_allocate(context, (size_t)K, sizeof *e->labels);
    e->names = elman_allocate(context, (size_t)K, sizeof *e->names);
    e->counts = elman_allocate_zero(context, (size_t)K, sizeof *e->counts);
    e->text = fits ? elman_allocate(context, bytes, 1) : NULL;
    if (!e->labels || !e->names || !e->counts || !e->text) {
        elman_entities_free(e);
        return elman_fail(error, ELMAN_ERROR_MEMORY, "entities: out of memory");
    }
    collect_types(e, labels, K);
    read_labels(e, labels, K);
    *entities = e;
    return ELMAN_OK;
}

void elman_entities_free(elman_entities *entities)
{
    if (!entities)
        return;
    elman_context *context = entities->context;
    elman_release(context, entities->labels);
    elman_release(context, entities->names);
    elman_release(context, entities->counts);
    elman_release(context, entities->text);
    elman_release(context, entities);
}

int64_t elman_entities_types(const elman_entities *entities)
{
    return entities->types;
}

const char *elman_entities_type(const elman_entities *entities, int64_t type)
{
    return entities->names[type];
}

/* --- spans -------------------------------------------------------------------------------- */

static bool ends(label before, label now)
{
    if (before.prefix == 'O')
        return false;
    return before.prefix == 'E' || before.prefix == 'S' || now.prefix == 'B' || now.prefix == 'S' ||
           before.type != now.type; /* O has no type */
}

static bool begins(label before, label now)
{
    if (now.prefix == 'O')
        return false;
    return now.prefix == 'B' || now.prefix == 'S' || before.prefix == 'E' || before.prefix == 'S' ||
           before.type != now.type;
}

/* The reading of one sentence, tag by tag. */
typedef struct reading {
    label before;
    int64_t begin;
} reading;

static const label outside = {'O', -1};

/* Takes the tag of item i (O behind the last); whether a span ended before it, which is then in
 * *found. */
static bool take(reading *r, label now, int64_t i, elman_entity *found)
{
    bool ended = ends(r->before, now);
    if (ended)
        *found = (elman_entity){r->begin, i, r->before.type};
    if (begins(r->before, now))
        r->begin = i;
    r->before = now;
    return ended;
}

int64_t elman_entities_find(const elman_entities *entities, const int32_t *tags, int64_t n,
                            elman_entity *found)
{
    reading r = {outside, 0};
    elman_entity last = {0};
    int64_t count = 0;
    for (int64_t i = 0; i <= n; i++)
        if (take(&r, i < n ? entities->labels[tags[i]] : outside, i, &last))
            found[count++] = last;
    return count;
}

void elman_entities_add(elman_entities *entities, const int32_t *truth, const int32_t *answers,
                        int64_t n)
{
    reading true_one = {outside, 0}, answered = true_one;
    for (int64_t i = 0; i <= n; i++) {
        elman_entity a = {0}, b = {0};
        bool is = take(&true_one, i < n ? entities->labels[truth[i]] : outside, i, &a);
        bool said = take(&answered, i < n ? entities->labels[answers[i]] : outside, i, &b);
        if (is)
            entities->counts[a.type].support++;
        if (said)
            entities->counts[b.type].answered++;
        if (is && said && a.begin == b.begin && a.type == b.type)
            entities->counts[a.type].right++;
    }
}

/* --- scores ------------------------------------------------------------------------------- */

elman_score elman_entities_score_type(const elman_entities *entities, int64_t type)
{
    const type_counts *c = &entities->counts[type];
    return elman_score_of(c->right, c->answered, c->support);
}

static elman_score mean(const elman_entities *e, bool weighed)
{
    elman_score sum = {0};
    double weights = 0.0;
    for (int64_t type = 0; type < e->types; type++) {
        const type_counts *c = &e->counts[type];
        elman_score score = elman_entities_score_type(e, type);
        double weight = weighed ? (double)c->support : c->answered > 0 || c->support > 0;
        elman_score_add(&sum, &score, weight);
        weights += weight;
        sum.support += c->support;
    }
    elman_score_divide(&sum, weights);
    return sum;
}

void elman_entities_score(const elman_entities *entities, elman_score *micro, elman_score *macro,
                          elman_score *weighted)
{
    type_counts all = {0};
    for (int64_t type = 0; type < entities->types; type++) {
        all.right += entities->counts[type].right;
        all.answered += entities->counts[type].answered;
        all.support += entities->counts[type].support;
    }
    if (micro)
        *micro = elman_score_of(all.right, all.answered, all.support);
    if (macro)
        *macro = mean(entities, false);
    if (weighted)
        *weighted = mean(entities, true);
}
