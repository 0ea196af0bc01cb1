/* loss = scale * sum over sequences of (log Z - score(tags));  crf.h has the equations.
 * de_t(k) = g (p_t(k) - [y_t = k]);  dA_ij += g (p_t(i,j) - [y_t-1 = i, y_t = j]) */
#include "op/crf.h"

#include <inttypes.h>

#include "base/pool.h"
#include "op/share.h"

typedef struct crf_node {
    elman_node node;
    elman_crf crf;
    const elman_sequences *sequences;
    const int32_t *tags;
    float scale;
    elman_var *emissions, *loss;
    const float *into; /* A transposed */
    float *alpha;      /* [N,K] */
    double *nats;      /* [B] as given, while forward runs */
    float *rows;       /* scratch, [threads][2][K] */
    double *wide;      /* scratch, [threads][K] */
    double *sum;
} crf_node;

static size_t tags_of(const crf_node *c)
{
    return elman_row_width(c->emissions);
}

static elman_crf_sums sums_of(const crf_node *c, const elman_math_kernels *math, int thread)
{
    size_t K = tags_of(c);
    return (elman_crf_sums){math,
                            c->into,
                            c->crf.start->value.data,
                            c->crf.end->value.data,
                            c->rows + (size_t)thread * 2 * K,
                            c->wide ? c->wide + (size_t)thread * K : NULL};
}

/* --- forward ------------------------------------------------------------------------------ */

/* The score of the tags, added up as the forward sums of a single tag are. */
static double score_of(const crf_node *c, const elman_crf_line *line)
{
    size_t K = line->K, before = 0;
    double score = 0.0;
    for (size_t t = 0; t < line->T; t++) {
        size_t row = elman_crf_row(line, t), tag = (size_t)c->tags[row];
        float into = t == 0 ? c->crf.start->value.data[tag] : c->into[tag * K + before];
        score += (double)into + (double)c->emissions->value.data[row * K + tag];
        before = tag;
    }
    return score + (double)c->crf.end->value.data[before];
}

static void forward_job(const elman_crew *crew, void *argument)
{
    const crf_node *c = argument;
    elman_crf_sums sums = sums_of(c, c->crf.start->context->kernels->math, crew->index);
    for (size_t place = (size_t)crew->index; place < (size_t)c->sequences->B;
         place += (size_t)crew->count) {
        elman_crf_line line = elman_crf_line_of(c->sequences, tags_of(c), place);
        double nats = 0.0;
        if (line.T > 0)
            nats = elman_crf_forward(&sums, &line, c->emissions->value.data, c->alpha) -
                   score_of(c, &line);
        c->nats[c->sequences->order[place]] = nats;
    }
}

static void reduce_job(const elman_crew *crew, void *argument)
{
    (void)crew;
    const crf_node *c = argument;
    double sum = 0.0;
    for (int64_t b = 0; b < c->sequences->B; b++)
        sum += c->nats[b];
    c->loss->value.data[0] = elman_flush((float)((double)c->scale * sum));
    if (c->sum)
        *c->sum = sum;
}

/* --- backward ----------------------------------------------------------------------------- */

typedef struct crf_flow {
    const crf_node *c;
    const elman_math_kernels *math;
    float *p;    /* [N,K] */
    float *d;    /* [N,K] the emissions' gradient before it is added */
    float *into; /* what d is to be added to, or NULL */
} crf_flow;

/* At the rows of one sequence: p, and d = g (p - onehot). */
static void flow_line(const crf_flow *flow, const elman_crf_sums *sums, const elman_crf_line *line,
                      float g)
{
    const crf_node *c = flow->c;
    size_t K = line->K;
    elman_crf_backward(sums, line, c->alpha, flow->p);
    for (size_t t = 0; t < line->T; t++) {
        size_t row = elman_crf_row(line, t);
        const float *p = flow->p + row * K;
        float *d = flow->d + row * K;
        size_t tag = (size_t)c->tags[row];
        flow->math->scale(d, p, g, K, false);
        d[tag] = elman_flush(fmaf(p[tag], g, -g));
        if (flow->into)
            flow->math->accumulate(flow->into + row * K, d, K);
    }
}

/* Tags begin..end-1 of the gradients of start and end. */
static void flow_ends(const crf_flow *flow, size_t begin, size_t end)
{
    const elman_sequences *s = flow->c->sequences;
    const elman_crf *crf = &flow->c->crf;
    size_t K = tags_of(flow->c), n = end - begin;
    for (int64_t t = s->T - 1; t >= 0; t--) {
        int64_t next = t + 1 < s->T ? s->batch_sizes[t + 1] : 0;
        for (int64_t place = next; crf->end->gradient && place < s->batch_sizes[t]; place++)
            flow->math->accumulate_chain(crf->end->gradient + begin,
                                         flow->d + (size_t)(s->offsets[t] + place) * K + begin, n);
    }
    int64_t first = s->T > 0 && crf->start->gradient ? s->batch_sizes[0] : 0;
    for (int64_t row = 0; row < first; row++)
        flow->math->accumulate_chain(crf->start->gradient + begin,
                                     flow->d + (size_t)row * K + begin, n);
}

/* The gradients of A_ij for one j, all its chains; column and terms are scratch, [K] each. */
static void flow_into(const crf_flow *flow, size_t j, float g, float *column, float *terms)
{
    const crf_node *c = flow->c;
    const elman_sequences *s = c->sequences;
    size_t K = tags_of(c);
    float *dA = c->crf.transitions->gradient + j;
    for (size_t i = 0; i < K; i++)
        column[i] = dA[i * K];
    for (int64_t t = s->T - 1; t > 0; t--)
        for (int64_t place = 0; place < s->batch_sizes[t]; place++) {
            size_t row = (size_t)(s->offsets[t] + place);
            size_t before = (size_t)(s->offsets[t - 1] + place), tag = (size_t)c->tags[before];
            float weight = elman_flush(g * flow->p[row * K + j]);
            flow->math->add(terms, c->alpha + before * K, c->into + j * K, K);
            flow->math->softmax_row(terms, terms, K);
            float q = terms[tag];
            flow->math->scale(terms, terms, weight, K, false);
            if ((size_t)c->tags[row] == j)
                terms[tag] = elman_flush(fmaf(q, weight, -g));
            flow->math->accumulate_chain(column, terms, K);
        }
    for (size_t i = 0; i < K; i++)
        dA[i * K] = column[i];
}

static void backward_job(const elman_crew *crew, void *argument)
{
    const crf_flow *flow = argument;
    const crf_node *c = flow->c;
    size_t K = tags_of(c), begin, end;
    elman_crf_sums sums = sums_of(c, flow->math, crew->index);
    float g = elman_flush(c->loss->gradient[0] * c->scale);
    for (size_t place = (size_t)crew->index; place < (size_t)c->sequences->B;
         place += (size_t)crew->count) {
        elman_crf_line line = elman_crf_line_of(c->sequences, K, place);
        if (line.T > 0)
            flow_line(flow, &sums, &line, g);
    }
    elman_crew_wait(crew);
    elman_crew_share(crew, K, 1, &begin, &end);
    if (begin < end)
        flow_ends(flow, begin, end);
    if (c->crf.transitions->gradient)
        for (size_t j = begin; j < end; j++)
            flow_into(flow, j, g, sums.row, sums.row + K);
}

static void crf_backward(elman_tape *tape, elman_node *node)
{
    crf_node *c = (crf_node *)node;
    size_t elements = (size_t)c->sequences->N * tags_of(c);
    bool add = true;
    float *flowed = NULL;
    if (!c->loss->gradient || elements == 0)
        return;
    int threads = elman_crf_threads(tape, c->sequences, tags_of(c));
    crf_flow flow = {.c = c, .math = elman_kernels_of(tape->context)->math};
    if (c->emissions->needs_gradient)
        flowed = elman_tape_gradient(tape, c->emissions, &add);
    flow.d = add ? elman_tape_floats(tape, elements) : flowed;
    flow.into = add ? flowed : NULL;
    flow.p = elman_tape_floats(tape, elements);
    c->rows = elman_tape_floats(tape, (size_t)threads * 2 * tags_of(c));
    c->wide = NULL;
    if (!elman_tape_failed(tape))
        elman_pool_run_on(tape->context, threads, backward_job, &flow);
}

/* ------------------------------------------------------------------------------------------ */

static bool tags_fit(elman_tape *tape, const int32_t *tags, int64_t N, size_t K)
{
    for (int64_t i = 0; i < N; i++)
        if (tags[i] < 0 || (size_t)tags[i] >= K) {
            elman_tape_fail(tape, ELMAN_ERROR_DATA,
                            "crf: the tag of row %" PRId64 " is %" PRId32 ", expected 0 to %zu", i,
                            tags[i], K - 1);
            return false;
        }
    return true;
}

static bool wanted(const elman_tape *tape, const elman_crf *crf, const elman_var *emissions)
{
    return tape->mode.record && (emissions->needs_gradient || crf->transitions->gradient ||
                                 crf->start->gradient || crf->end->gradient);
}

elman_var *elman_op_crf_loss(elman_tape *tape, const elman_crf *crf, elman_var *emissions,
                             const int32_t *tags, const elman_sequences *sequences, float scale,
                             double *sum)
{
    if (!emissions || !sequences || elman_tape_failed(tape) ||
        !elman_crf_fits(tape, crf, emissions, sequences))
        return NULL;
    size_t K = elman_row_width(emissions), N = (size_t)sequences->N;
    if (!tags_fit(tape, tags, sequences->N, K))
        return NULL;
    bool recorded = wanted(tape, crf, emissions);
    int threads = elman_crf_threads(tape, sequences, K);
    crf_node made = {.crf = *crf, .sequences = sequences, .tags = tags, .scale = scale, .sum = sum};
    made.emissions = emissions;
    made.loss = elman_tape_var(tape, 0, NULL, recorded);
    made.into = elman_crf_transpose(tape, crf);
    made.alpha = elman_tape_floats(tape, N * K);
    made.nats = elman_tape_take(tape, (size_t)sequences->B, sizeof *made.nats);
    made.rows = elman_tape_floats(tape, (size_t)threads * 2 * K);
    made.wide = elman_tape_take(tape, (size_t)threads * K, sizeof *made.wide);
    if (elman_tape_failed(tape))
        return NULL;
    elman_kernels_of(tape->context);
    elman_pool_run_on(tape->context, threads, forward_job, &made);
    elman_pool_run_on(tape->context, 1, reduce_job, &made);
    if (!recorded)
        return made.loss;
    crf_node *c = elman_tape_node(tape, sizeof *c, "crf", crf_backward);
    if (!c)
        return NULL;
    made.node = c->node;
    *c = made;
    return c->loss;
}
