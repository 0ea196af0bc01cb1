/* What several runs of a variant come to, and which variant did best. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "task/compare_impl.h"

elman_compare_statistic elman_compare_statistic_of(const double *values, int64_t count)
{
    elman_compare_statistic s = {0, NAN, NAN, NAN, NAN};
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < count; i++) {
        if (isnan(values[i]))
            continue;
        s.least = s.count && s.least < values[i] ? s.least : values[i];
        s.most = s.count && s.most > values[i] ? s.most : values[i];
        sum += values[i];
        s.count++;
    }
    if (!s.count)
        return s;
    s.mean = sum / (double)s.count;
    for (int64_t i = 0; i < count; i++)
        if (!isnan(values[i]))
            squares += (values[i] - s.mean) * (values[i] - s.mean);
    if (s.count > 1)
        s.deviation = sqrt(squares / (double)(s.count - 1));
    return s;
}

/* Longer than any that was measured. */
static int64_t rank_of(int64_t horizon)
{
    return horizon == ELMAN_COMPARE_BEYOND ? INT64_MAX : horizon;
}

int64_t elman_compare_median(int64_t *horizons, int64_t count)
{
    int64_t n = 0;
    for (int64_t i = 0; i < count; i++)
        if (horizons[i] != ELMAN_COMPARE_UNMEASURED)
            horizons[n++] = horizons[i];
    for (int64_t i = 1; i < n; i++)
        for (int64_t j = i; j > 0 && rank_of(horizons[j]) < rank_of(horizons[j - 1]); j--) {
            int64_t other = horizons[j];
            horizons[j] = horizons[j - 1];
            horizons[j - 1] = other;
        }
    return n ? horizons[(n - 1) / 2] : ELMAN_COMPARE_UNMEASURED;
}

/* The lists that a summary is made of: [runs] each. */
typedef struct lists {
    double *loss, *value, *score, *steps, *seconds;
    int64_t *before, *after;
} lists;

static void summarise(const elman_compare_run *runs, int64_t run_count, int variant, const lists *l,
                      elman_compare_summary *s)
{
    int64_t n = 0;
    s->runs = s->solved = s->diverged = 0;
    s->best = s->level = false;
    for (int64_t i = 0; i < run_count; i++) {
        const elman_compare_run *r = &runs[i];
        if (r->variant != variant || r->outcome == ELMAN_COMPARE_PENDING)
            continue;
        bool good = r->outcome != ELMAN_COMPARE_DIVERGED;
        bool solved = r->outcome == ELMAN_COMPARE_SOLVED;
        s->runs++;
        s->solved += solved;
        s->diverged += !good;
        l->loss[n] = good ? r->loss : NAN;
        l->value[n] = good ? r->value : NAN;
        l->score[n] = good ? r->score : NAN;
        l->steps[n] = solved ? (double)r->steps : NAN;
        l->seconds[n] = good ? r->seconds : NAN;
        l->before[n] = r->memory_before;
        l->after[n] = good ? r->memory_after : ELMAN_COMPARE_UNMEASURED;
        n++;
    }
    s->loss = elman_compare_statistic_of(l->loss, n);
    s->value = elman_compare_statistic_of(l->value, n);
    s->score = elman_compare_statistic_of(l->score, n);
    s->steps = elman_compare_statistic_of(l->steps, n);
    s->seconds = elman_compare_statistic_of(l->seconds, n);
    s->memory_before = elman_compare_median(l->before, n);
    s->memory_after = elman_compare_median(l->after, n);
}

static bool all_solved(const elman_compare_summary *s)
{
    return s->runs && s->solved == s->runs;
}

/* What decides between two that solved the task and diverged as often: of the first of them. While
 * runs are pending one may have solved it in all of its runs and the other not. */
static const elman_compare_statistic *decider(const elman_compare_summary *of,
                                              const elman_compare_summary *against)
{
    return all_solved(of) && all_solved(against) ? &of->steps : &of->score;
}

static bool tied(const elman_compare_summary *a, const elman_compare_summary *b)
{
    return a->solved == b->solved && a->diverged == b->diverged;
}

static bool is_better(const elman_compare_summary *a, const elman_compare_summary *b)
{
    if (a->solved != b->solved)
        return a->solved > b->solved;
    if (a->diverged != b->diverged)
        return a->diverged < b->diverged;
    double own = decider(a, b)->mean, other = decider(b, a)->mean;
    if (own != other)
        return own < other;
    return a->loss.mean < b->loss.mean;
}

static void choose(elman_compare_summary *summaries, int count)
{
    elman_compare_summary *best = NULL;
    for (int v = 0; v < count; v++) {
        elman_compare_summary *s = &summaries[v];
        if (s->score.count && (!best || is_better(s, best)))
            best = s;
    }
    if (!best || count < 2)
        return;
    best->best = true;
    for (int v = 0; v < count; v++) {
        elman_compare_summary *s = &summaries[v];
        const elman_compare_statistic *a = decider(s, best), *b = decider(best, s);
        if (s != best && s->score.count && tied(s, best))
            s->level = a->least <= b->most && b->least <= a->most;
    }
}

elman_status elman_compare_summarise(elman_context *context, const elman_compare_run *runs,
                                     int64_t run_count, elman_compare_summary *summaries,
                                     int variant_count, elman_error *error)
{
    size_t n = (size_t)run_count;
    double *numbers = elman_allocate(context, 5 * n, sizeof *numbers);
    int64_t *horizons = elman_allocate(context, 2 * n, sizeof *horizons);
    if (numbers && horizons) {
        const lists l = {numbers,         numbers + n, numbers + 2 * n, numbers + 3 * n,
                         numbers + 4 * n, horizons,    horizons + n};
        for (int v = 0; v < variant_count; v++)
            summarise(runs, run_count, v, &l, &summaries[v]);
        choose(summaries, variant_count);
    }
    bool good = numbers && horizons;
    elman_release(context, numbers);
    elman_release(context, horizons);
    return good ? ELMAN_OK : elman_out_of_memory(error);
}
