/* What is to be told apart: classes that training never sees, that it seldom sees, words that the
 * vocabulary lacks; and the entropy of the targets, which is the loss of guessing by frequency. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/logarithm.h"
#include "task/doctor_impl.h"

static const double even_share = 0.1;    /* of a class's share if all were as frequent */
static const double one_for_all = 0.9;   /* share of the most frequent label of steps */
static const double lost_tokens = 0.001; /* share of validation that cannot be answered */
static const double lost_words = 0.01;   /* the same where they are <unk> */
static const double unknown_words = 0.5; /* share of validation */

static int64_t total(const int64_t *counts, int64_t n)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += counts[i];
    return sum;
}

static double entropy(const elman_survey *s)
{
    double all = (double)total(s->train, s->classes), sum = 0;
    for (int64_t i = 0; i < s->classes; i++)
        if (s->train[i]) {
            double p = (double)s->train[i] / all;
            sum -= p * elman_logarithm(p);
        }
    return sum;
}

static void name(const elman_doctor *d, int64_t target, char text[64])
{
    text[0] = 0;
    if (d->objective.target_name)
        d->objective.target_name(d->objective.self, target, text, 64);
}

/* --- never seen --- */

static elman_status report_unseen(elman_doctor *d, int64_t classes, int64_t first, int64_t lost,
                                  double limit, elman_error *error)
{
    const elman_survey *s = &d->survey;
    char text[64];
    bool words = limit == lost_words;
    double validated = (double)total(s->valid, s->classes);
    double share = validated > 0 ? (double)lost / validated : 0;
    elman_found found = {"target-unseen", ELMAN_SEVERITY_WARNING, share, limit,
                         words ? "min-count" : "valid"};
    elman_finding *f = elman_doctor_add(d, &found, error);
    if (!f)
        return ELMAN_ERROR_MEMORY;
    name(d, first, text);
    elman_finding_reason(f,
                         "%" PRId64 " target%s training never sees (%s) stand%s in the validation "
                         "part, %.2g %% of it: no network can answer them, and the loss there says "
                         "little of the rest",
                         classes, classes == 1 ? " that" : "s that", text, classes == 1 ? "s" : "",
                         100 * share);
    if (words)
        elman_finding_value(f, "%" PRId64, d->config->min_count + 1);
    return ELMAN_OK;
}

static elman_status judge_unseen(elman_doctor *d, elman_error *error)
{
    const elman_survey *s = &d->survey;
    bool text = !strcmp(d->task->name, "lm");
    int64_t classes = 0, first = -1, lost = 0;
    for (int64_t i = 0; i < s->classes; i++)
        if (!s->train[i] && s->valid[i]) {
            classes++;
            lost += s->valid[i];
            first = first < 0 || s->valid[i] > s->valid[first] ? i : first;
        }
    double limit = !text ? 0 : d->config->level == ELMAN_LEVEL_WORD ? lost_words : lost_tokens;
    if (!classes || (double)lost <= limit * (double)total(s->valid, s->classes))
        return ELMAN_OK;
    return report_unseen(d, classes, first, lost, limit, error);
}

/* An output that neither part ever asks for; of a text's vocabulary <unk> may be one. */
static elman_status judge_idle(elman_doctor *d, elman_error *error)
{
    const elman_survey *s = &d->survey;
    int64_t idle = 0, first = -1;
    char text[64];
    for (int64_t i = 0; i < s->classes; i++)
        if (!s->train[i] && !s->valid[i]) {
            idle++;
            first = first < 0 ? i : first;
        }
    if (!idle || !strcmp(d->task->name, "lm"))
        return ELMAN_OK;
    elman_found found = {"output-idle", ELMAN_SEVERITY_WARNING, (double)idle, 0, "split"};
    elman_finding *f = elman_doctor_add(d, &found, error);
    if (!f)
        return ELMAN_ERROR_MEMORY;
    name(d, first, text);
    elman_finding_reason(f,
                         "%" PRId64 " label%s only in the test part (%s): nothing teaches the "
                         "network to answer %s",
                         idle, idle == 1 ? " stands" : "s stand", text, idle == 1 ? "it" : "them");
    return ELMAN_OK;
}

/* --- seldom seen --- */

static elman_status report_rare(elman_doctor *d, int64_t class, const elman_found *found,
                                elman_error *error)
{
    const elman_survey *s = &d->survey;
    int64_t all = total(s->train, s->classes);
    char text[64];
    elman_finding *f = elman_doctor_add(d, found, error);
    if (!f)
        return ELMAN_ERROR_MEMORY;
    name(d, class, text);
    elman_finding_reason(f,
                         "%s is the label of %" PRId64 " in %" PRId64
                         " (%.2g %%; even shares would "
                         "be %.2g %%): %s",
                         text, s->train[class], all, 100 * (double)s->train[class] / (double)all,
                         100.0 / (double)s->classes,
                         found->number > found->limit && found->limit == one_for_all
                             ? "who always says so is nearly always right and has learnt nothing"
                             : "who never says so is nearly always right");
    return ELMAN_OK;
}

static elman_status judge_balance(elman_doctor *d, elman_error *error)
{
    const elman_survey *s = &d->survey;
    bool labels = strcmp(d->task->name, "lm") != 0;
    int64_t rarest = -1, most = 0, seen = 0;
    double all = (double)total(s->train, s->classes);
    if (d->config->balance || !labels || !(all > 0))
        return ELMAN_OK;
    for (int64_t i = 0; i < s->classes; i++) {
        seen += s->train[i] > 0;
        if (s->train[i] && (rarest < 0 || s->train[i] < s->train[rarest]))
            rarest = i;
        most = s->train[i] > s->train[most] ? i : most;
    }
    if (seen < 2)
        return ELMAN_OK;
    const char *option = d->config->crf ? NULL : "balance";
    double share = (double)s->train[most] / all;
    if (share > one_for_all) {
        elman_found found = {"classes-unbalanced", ELMAN_SEVERITY_WARNING, share, one_for_all,
                             option};
        return report_rare(d, most, &found, error);
    }
    /* labels of steps follow a language, where some are rare by nature */
    double even = (double)s->train[rarest] / all * (double)s->classes;
    if (!s->weighable || !(even < even_share))
        return ELMAN_OK;
    elman_found found = {"classes-unbalanced", ELMAN_SEVERITY_WARNING, even, even_share, option};
    return report_rare(d, rarest, &found, error);
}

static elman_status judge_words(elman_doctor *d, elman_error *error)
{
    const elman_survey *s = &d->survey;
    double share = s->words ? (double)s->unknown / (double)s->words : 0;
    if (!(share > unknown_words))
        return ELMAN_OK;
    bool counted = d->config->min_count > 1;
    elman_found found = {"words-unknown", ELMAN_SEVERITY_WARNING, share, unknown_words,
                         counted                        ? "min-count"
                         : !strcmp(d->task->name, "lm") ? "level"
                         : d->config->embeddings[0]     ? NULL
                                                        : "embeddings"};
    elman_finding *f = elman_doctor_add(d, &found, error);
    if (!f)
        return ELMAN_ERROR_MEMORY;
    elman_finding_reason(f,
                         "%.0f %% of the validation part's words are not in the vocabulary, which "
                         "has %" PRId64 ": they all read as the same one",
                         100 * share, d->config->vocabulary);
    elman_finding_value(f, "%s", counted ? "1" : !strcmp(d->task->name, "lm") ? "char" : "");
    return ELMAN_OK;
}

elman_status elman_doctor_targets(elman_doctor *d, elman_error *error)
{
    if (!d->survey.context)
        return ELMAN_OK;
    if (d->survey.classes) {
        d->diagnosis->expects.entropy = entropy(&d->survey);
        ELMAN_TRY(judge_unseen(d, error));
        ELMAN_TRY(judge_idle(d, error));
        ELMAN_TRY(judge_balance(d, error));
    }
    return judge_words(d, error);
}
