#include "elman/sample.h"

#include <math.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/float_environment.h"
#include "base/memory.h"
#include "base/philox.h"
#include "kernel/kernels.h"

struct elman_sampler {
    elman_context *context;
    elman_sample_options options;
    int32_t vocabulary; /* V */
    uint64_t draw;
    float *weight;  /* [V] exp((logit - max) / temperature): probabilities but for their sum */
    int32_t *order; /* [V] a heap of ids, the most probable on top */
};

void elman_sample_options_default(elman_sample_options *options)
{
    elman_sample_options defaults = {
        .size = sizeof *options, .temperature = 1, .top_k = 0, .top_p = 1, .min_p = 0};
    *options = defaults;
}

static elman_status check_options(const elman_sample_options *o, elman_error *error)
{
    if (o->size != sizeof *o)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "sample options: found size %zu; expected %zu, as _default sets it",
                          o->size, sizeof *o);
    if (!(o->temperature >= 0 && o->temperature <= 1000))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "temperature: found %g; expected 0 to 1000",
                          o->temperature);
    if (o->top_k < 0)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "top-k: found %ld; expected 0 or more",
                          (long)o->top_k);
    if (!(o->top_p > 0 && o->top_p <= 1))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "top-p: found %g; expected more than 0, at most 1", o->top_p);
    if (!(o->min_p >= 0 && o->min_p <= 1))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "min-p: found %g; expected 0 to 1",
                          o->min_p);
    return ELMAN_OK;
}

elman_status elman_sampler_create(elman_context *context, int32_t vocabulary,
                                  const elman_sample_options *options, elman_sampler **sampler,
                                  elman_error *error)
{
    elman_sample_options o;
    elman_sample_options_default(&o);
    if (options != NULL)
        o = *options;
    ELMAN_TRY(check_options(&o, error));
    if (vocabulary < 1)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "sampler: found %ld tokens; expected at least 1", (long)vocabulary);
    elman_sampler *s = elman_allocate_zero(context, 1, sizeof *s);
    if (s != NULL) {
        s->context = context;
        s->options = o;
        s->vocabulary = vocabulary;
        s->weight = elman_allocate(context, (size_t)vocabulary, sizeof *s->weight);
        s->order = elman_allocate(context, (size_t)vocabulary, sizeof *s->order);
    }
    if (s == NULL || s->weight == NULL || s->order == NULL) {
        elman_sampler_free(s);
        return elman_fail(error, ELMAN_ERROR_MEMORY, "sampler: out of memory for %ld tokens",
                          (long)vocabulary);
    }
    *sampler = s;
    return ELMAN_OK;
}

void elman_sampler_free(elman_sampler *s)
{
    if (s == NULL)
        return;
    elman_release(s->context, s->weight);
    elman_release(s->context, s->order);
    elman_release(s->context, s);
}

uint64_t elman_sampler_position(const elman_sampler *s)
{
    return s->draw;
}

void elman_sampler_seek(elman_sampler *s, uint64_t draw)
{
    s->draw = draw;
}

/* The most probable token, ties to the lower id. */
static elman_status find_greatest(const elman_sampler *s, const float *logits, int32_t *id,
                                  elman_error *error)
{
    *id = 0;
    for (int32_t i = 0; i < s->vocabulary; i++) {
        if (!isfinite(logits[i]))
            return elman_fail(error, ELMAN_ERROR_NUMERIC, "logit %ld: found %g; expected a number",
                              (long)i, (double)logits[i]);
        if (logits[i] > logits[*id])
            *id = i;
    }
    return ELMAN_OK;
}

/* weight = exp((logit - greatest) / temperature), 1 for the greatest. Far below it the
 * exponential is zero, and the difference may not even be finite. */
static void weigh(elman_sampler *s, const float *logits, int32_t greatest, double temperature)
{
    const double least = -200;
    for (int32_t i = 0; i < s->vocabulary; i++) {
        double x = ((double)logits[i] - (double)logits[greatest]) / temperature;
        s->weight[i] = (float)(x < least ? least : x);
    }
    elman_kernels_of(s->context)->math->exp(s->weight, s->weight, (size_t)s->vocabulary);
}

static double sum_weights(const elman_sampler *s)
{
    double sum = 0;
    for (int32_t i = 0; i < s->vocabulary; i++)
        sum += (double)s->weight[i];
    return sum;
}

/* a is more probable than b. Logits decide, since rounding may level their weights. */
static bool before(const float *logits, int32_t a, int32_t b)
{
    return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
}

static void sift_down(int32_t *heap, int32_t n, int32_t at, const float *logits)
{
    int32_t id = heap[at];
    while (at < n / 2) {
        int32_t child = 2 * at + 1;
        if (child + 1 < n && before(logits, heap[child + 1], heap[child]))
            child++;
        if (!before(logits, heap[child], id))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = id;
}

static void make_heap(elman_sampler *s, const float *logits)
{
    for (int32_t i = 0; i < s->vocabulary; i++)
        s->order[i] = i;
    for (int32_t i = s->vocabulary / 2; i-- > 0;)
        sift_down(s->order, s->vocabulary, i, logits);
}

/* Takes the most probable of the n that are left. */
static int32_t pop(elman_sampler *s, int32_t n, const float *logits)
{
    int32_t id = s->order[0];
    s->order[0] = s->order[n - 1];
    sift_down(s->order, n - 1, 0, logits);
    s->order[n - 1] = id; /* sorted from the back, for a second look */
    return id;
}

/* The least probable token that top_k and top_p keep. */
static int32_t last_kept(elman_sampler *s, const float *logits)
{
    const elman_sample_options *o = &s->options;
    int32_t V = s->vocabulary, k = o->top_k == 0 || o->top_k > V ? V : o->top_k, id = 0;
    double all = 0, share = 0;
    make_heap(s, logits);
    if (k == V) {
        all = sum_weights(s);
    } else {
        for (int32_t i = 0; i < k; i++)
            all += (double)s->weight[id = pop(s, V - i, logits)];
        if (o->top_p >= 1)
            return id;
    }
    for (int32_t i = 0; i < k; i++) {
        id = k == V ? pop(s, V - i, logits) : s->order[V - 1 - i];
        share += (double)s->weight[id];
        if (share >= o->top_p * all)
            break;
    }
    return id;
}

/* A number in [0, 1) with 53 bits, of this draw alone. */
static double uniform_of(const elman_sampler *s)
{
    const uint32_t counter[4] = {0, (uint32_t)s->draw, s->options.sequence,
                                 elman_philox_use(ELMAN_USE_SAMPLE, s->draw >> 32)};
    uint32_t words[4];
    elman_philox(s->options.seed, counter, words);
    return ((double)(words[0] >> 5) * 0x1p26 + (double)(words[1] >> 6)) * 0x1p-53;
}

/* Drops what the options do not keep (weight 0), then walks the ids until the share of
 * what is left passes the random number. */
static int32_t draw_one(elman_sampler *s, const float *logits, int32_t greatest)
{
    const elman_sample_options *o = &s->options;
    weigh(s, logits, greatest, o->temperature);
    if ((o->top_k > 0 && o->top_k < s->vocabulary) || o->top_p < 1) {
        int32_t last = last_kept(s, logits);
        for (int32_t i = 0; i < s->vocabulary; i++) {
            if (before(logits, last, i))
                s->weight[i] = 0;
        }
    }
    double least = o->min_p * (double)s->weight[greatest];
    for (int32_t i = 0; i < s->vocabulary; i++) {
        if ((double)s->weight[i] < least)
            s->weight[i] = 0;
    }
    double target = uniform_of(s) * sum_weights(s), passed = 0;
    int32_t chosen = greatest;
    for (int32_t i = 0; i < s->vocabulary; i++) {
        if (s->weight[i] == 0)
            continue;
        chosen = i;
        passed += (double)s->weight[i];
        if (passed > target)
            break;
    }
    return chosen;
}

elman_status elman_sampler_draw(elman_sampler *s, const float *logits, int32_t *id,
                                elman_error *error)
{
    elman_float_environment environment = elman_float_begin();
    int32_t greatest;
    elman_status status = find_greatest(s, logits, &greatest, error);
    if (status == ELMAN_OK) {
        *id = s->options.temperature > 0 ? draw_one(s, logits, greatest) : greatest;
        s->draw++;
    }
    elman_float_end(environment);
    return status;
}

elman_status elman_top_tokens(elman_sampler *s, const float *logits, int32_t k,
                              elman_top_token *top, int32_t *count, elman_error *error)
{
    if (k < 1)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "top tokens: found %ld; expected at least 1",
                          (long)k);
    elman_float_environment environment = elman_float_begin();
    int32_t greatest;
    elman_status status = find_greatest(s, logits, &greatest, error);
    if (status == ELMAN_OK) {
        weigh(s, logits, greatest, 1);
        double all = sum_weights(s);
        *count = k < s->vocabulary ? k : s->vocabulary;
        make_heap(s, logits);
        for (int32_t i = 0; i < *count; i++) {
            top[i].id = pop(s, s->vocabulary - i, logits);
            top[i].probability = (float)((double)s->weight[top[i].id] / all);
        }
    }
    elman_float_end(environment);
    return status;
}
