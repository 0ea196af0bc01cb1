/* The conditional random field against the sum over every path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/philox.h"
#include "compare.h"
#include "elman/op.h"
#include "gradient_check.h"
#include "op/crf.h"
#include "test_malloc.h"

/* --- every path --------------------------------------------------------------------------- */

/* One sequence in double: e [T,K], gathered from packed rows. */
typedef struct model {
    int64_t T, K;
    const double *e, *A, *start, *end;
} model;

static double score(const model *m, const int64_t *path)
{
    double sum = 0;
    for (int64_t t = 0; t < m->T; t++)
        sum += m->e[t * m->K + path[t]] +
               (t == 0 ? m->start[path[0]] : m->A[path[t - 1] * m->K + path[t]]);
    return sum + m->end[path[m->T - 1]];
}

/* The next path, the first tag turning fastest; false after the last. Paths then come in the order
 * of their last tag, then the one before: where scores are equal the first found wins. */
static bool next_path(const model *m, int64_t *path)
{
    for (int64_t t = 0; t < m->T; t++) {
        if (++path[t] < m->K)
            return true;
        path[t] = 0;
    }
    return false;
}

/* log Z; marginals [T,K] and best [T] where not NULL. */
static double enumerate(const model *m, double *marginals, int64_t *best)
{
    int64_t path[16] = {0};
    double z = 0, best_score = -INFINITY;
    do {
        double s = score(m, path);
        z += exp(s);
        for (int64_t t = 0; marginals && t < m->T; t++)
            marginals[t * m->K + path[t]] += exp(s);
        if (s > best_score) {
            best_score = s;
            for (int64_t t = 0; best && t < m->T; t++)
                best[t] = path[t];
        }
    } while (next_path(m, path));
    for (int64_t i = 0; marginals && i < m->T * m->K; i++)
        marginals[i] /= z;
    return log(z);
}

/* --- the loss ----------------------------------------------------------------------------- */

typedef struct batch {
    int64_t T, B;
    const int64_t *lengths; /* [B] */
    int64_t N, K;
    int32_t tags[4096];
    float scale;
} batch;

static void draw_tags(batch *b, int64_t K)
{
    b->K = K;
    b->N = 0;
    for (int64_t i = 0; i < b->B; i++)
        b->N += b->lengths[i];
    assert_true(b->N <= 4096);
    for (int64_t i = 0; i < b->N; i++) {
        uint32_t words[4], counter[4] = {(uint32_t)i, (uint32_t)K, 9, 0};
        elman_philox(3, counter, words);
        b->tags[i] = (int32_t)(words[0] % (uint32_t)K);
    }
}

/* Packed rows of sequence b, in the order of the steps; how many. */
static int64_t rows_of(const batch *b, int64_t which, int64_t *rows)
{
    int64_t row = 0;
    for (int64_t t = 0; t < b->T; t++)
        for (int64_t L = b->T; L > t; L--)
            for (int64_t i = 0; i < b->B; i++)
                if (b->lengths[i] == L) {
                    if (i == which)
                        rows[t] = row;
                    row++;
                }
    return b->lengths[which];
}

static elman_crf crf_of(elman_parameter **p)
{
    return (elman_crf){p[1], p[2], p[3]};
}

static elman_var *build(elman_tape *tape, elman_var **v, elman_parameter **p, const void *user)
{
    const batch *b = user;
    elman_crf crf = crf_of(p);
    const elman_sequences *s = elman_tape_sequences(tape, b->T, b->B, b->lengths, NULL, 0);
    double sum = NAN;
    elman_var *loss = elman_op_crf_loss(tape, &crf, v[0], b->tags, s, b->scale, &sum);
    if (loss)
        assert_true(fabs(sum * (double)b->scale - (double)loss->value.data[0]) <=
                    1e-6 * fabs(sum * (double)b->scale));
    return elman_scale(tape, loss, -1.5F);
}

static elman_var *build_again(elman_tape *tape, elman_var **v, elman_parameter **p,
                              const void *user)
{
    elman_var *loss = build(tape, v, p, user);
    return loss ? elman_add(tape, loss, elman_mean_squared_error(tape, v[0], v[4])) : NULL;
}

static void formula(const double *const *in, double *out, const gradient_case *c)
{
    const batch *b = c->user;
    double sum = 0;
    for (int64_t i = 0; i < b->B; i++) {
        int64_t rows[16], path[16];
        double e[256];
        model m = {rows_of(b, i, rows), b->K, e, in[1], in[2], in[3]};
        if (m.T == 0)
            continue;
        for (int64_t t = 0; t < m.T; t++) {
            path[t] = b->tags[rows[t]];
            memcpy(e + t * b->K, in[0] + rows[t] * b->K, (size_t)b->K * sizeof *e);
        }
        sum += enumerate(&m, NULL, NULL) - score(&m, path);
    }
    out[0] = -1.5 * (double)b->scale * sum;
    if (c->count == 5)
        for (int64_t i = 0; i < b->N * b->K; i++)
            out[0] += (in[0][i] - in[4][i]) * (in[0][i] - in[4][i]) / (double)(b->N * b->K);
}

static gradient_case case_of(const batch *b)
{
    gradient_case c = {.name = "crf", .count = 4, .build = build, .user = b};
    c.inputs[0] = (gradient_input){.rank = 2, .shape = {b->N, b->K}};
    c.inputs[1] = (gradient_input){2, {b->K, b->K}, true};
    c.inputs[2] = (gradient_input){1, {b->K}, true};
    c.inputs[3] = c.inputs[2];
    c.inputs[4] = c.inputs[0];
    return c;
}

static const int64_t ragged[5] = {2, 0, 4, 1, 4};
static const int64_t single[1] = {5};
static const int64_t steps[3] = {1, 1, 1};
static const int64_t nothing[2] = {0, 0};

static void loss_and_gradients(void **state)
{
    (void)state;
    static const struct {
        int64_t T, B;
        const int64_t *lengths;
    } batches[] = {{4, 5, ragged}, {5, 1, single}, {1, 3, steps}, {0, 2, nothing}};
    for (int64_t K = 1; K <= 5; K++)
        for (int i = 0; i < 4; i++) {
            batch b = {.T = batches[i].T, .B = batches[i].B, .scale = 0.625F};
            b.lengths = batches[i].lengths;
            draw_tags(&b, K);
            gradient_case c = case_of(&b);
            c.formula = formula;
            assert_true(gradient_check(&c));
            if (b.N == 0)
                continue;
            c.count = 5; /* what flows into the emissions is added to what is there */
            c.build = build_again;
            assert_true(gradient_check(&c));
        }
}

/* Enough work for every thread. */
static void the_same_bits_for_any_number_of_threads(void **state)
{
    (void)state;
    static const int64_t lengths[9] = {20, 3, 20, 0, 7, 19, 1, 20, 12};
    static const int64_t sizes[] = {1, 7, 16, 17, 61, 130};
    for (int i = 0; i < 6; i++) {
        batch b = {.T = 20, .B = 9, .lengths = lengths, .scale = 1.0F / 64};
        draw_tags(&b, sizes[i]);
        gradient_case c = case_of(&b);
        assert_true(gradient_check(&c));
    }
}

/* --- one model on a tape ------------------------------------------------------------------ */

enum { TAGS = 4, STEPS = 5, BATCH = 6, MANY = 36 };
static const int64_t lengths[MANY] = {3, 5, 0, 5, 1, 4, 2, 2, 5, 1, 3, 0, 4, 4, 5, 3, 1, 2,
                                      5, 4, 3, 1, 0, 2, 4, 5, 5, 1, 2, 3, 3, 4, 1, 5, 2, 0};

typedef struct fixture {
    elman_context *context;
    elman_tape *tape;
    elman_parameter *p[4];
    batch b;
    int64_t K;
    float *e;
} fixture;

/* whole: values are whole numbers, so that many paths have the same score. */
static void fill(float *to, int64_t n, uint32_t stream, bool whole)
{
    for (int64_t i = 0; i < n; i++) {
        uint32_t words[4], counter[4] = {(uint32_t)i, stream, 1, 0};
        elman_philox(11, counter, words);
        to[i] = whole ? (float)(words[0] % 3) : 4 * elman_uniform(words[0]) - 2;
    }
}

static fixture open_fixture(int threads, int64_t T, int64_t B, const int64_t *given, int64_t K,
                            bool whole)
{
    fixture f = {.K = K, .b = {.T = T, .B = B, .lengths = given, .scale = 1}};
    elman_context_options options;
    elman_context_options_default(&options);
    options.threads = threads;
    assert_int_equal(elman_context_create(&options, &f.context, NULL), ELMAN_OK);
    assert_int_equal(elman_tape_create(f.context, &f.tape, NULL), ELMAN_OK);
    for (int i = 1; i < 4; i++) {
        assert_int_equal(elman_parameter_create(f.context, "crf", i == 1 ? 2 : 1, (int64_t[]){K, K},
                                                true, &f.p[i], NULL),
                         ELMAN_OK);
        fill(elman_parameter_edit(f.p[i]), i == 1 ? K * K : K, (uint32_t)i, whole);
    }
    draw_tags(&f.b, K);
    f.e = calloc((size_t)(f.b.N * K) + 1, sizeof *f.e);
    assert_non_null(f.e);
    fill(f.e, f.b.N * K, 77, whole);
    return f;
}

static void close_fixture(fixture *f)
{
    for (int i = 1; i < 4; i++)
        elman_parameter_free(f->p[i]);
    elman_tape_free(f->tape);
    elman_context_free(f->context);
    free(f->e);
}

static elman_var *begin(fixture *f, const elman_sequences **s)
{
    elman_tape_begin(f->tape, NULL);
    *s = elman_tape_sequences(f->tape, f->b.T, f->b.B, f->b.lengths, NULL, 0);
    return elman_tape_leaf(f->tape, 2, (int64_t[]){f->b.N, f->K}, f->e);
}

/* Sequence i of the fixture in double. */
typedef struct widened {
    double e[STEPS * TAGS], A[TAGS * TAGS], start[TAGS], end[TAGS];
    int64_t rows[STEPS];
    model m;
} widened;

static void widen(const fixture *f, int64_t i, widened *w)
{
    w->m = (model){rows_of(&f->b, i, w->rows), TAGS, w->e, w->A, w->start, w->end};
    for (int64_t t = 0; t < w->m.T; t++)
        for (int64_t k = 0; k < TAGS; k++)
            w->e[t * TAGS + k] = (double)f->e[w->rows[t] * TAGS + k];
    for (int k = 0; k < TAGS * TAGS; k++)
        w->A[k] = (double)f->p[1]->value.data[k];
    for (int k = 0; k < TAGS; k++) {
        w->start[k] = (double)f->p[2]->value.data[k];
        w->end[k] = (double)f->p[3]->value.data[k];
    }
}

static void marginals_are_those_of_all_paths(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 3; threads += 2) {
        fixture f = open_fixture(threads, STEPS, BATCH, lengths, TAGS, false);
        const elman_sequences *s;
        elman_crf crf = crf_of(f.p);
        elman_var *e = begin(&f, &s), *p = elman_op_crf_marginals(f.tape, &crf, e, s);
        assert_non_null(p);
        assert_true(compare_varied(p->value.data, (size_t)(f.b.N * TAGS)));
        for (int64_t i = 0; i < BATCH; i++) {
            widened w;
            double want[STEPS * TAGS] = {0};
            widen(&f, i, &w);
            if (w.m.T == 0)
                continue;
            enumerate(&w.m, want, NULL);
            for (int64_t t = 0; t < w.m.T; t++)
                for (int64_t k = 0; k < TAGS; k++)
                    assert_true(fabs((double)p->value.data[w.rows[t] * TAGS + k] -
                                     want[t * TAGS + k]) < 1e-6);
        }
        close_fixture(&f);
    }
}

static void the_best_path_is_the_best_of_all(void **state)
{
    (void)state;
    for (int turn = 0; turn < 8; turn++) {
        bool whole = turn % 2;
        fixture f = open_fixture(1 + turn / 2, STEPS, BATCH, lengths, TAGS, whole);
        fill(f.e, f.b.N * TAGS, (uint32_t)turn, whole);
        const elman_sequences *s;
        elman_crf crf = crf_of(f.p);
        int32_t tags[BATCH * STEPS];
        double scores[BATCH];
        elman_var *e = begin(&f, &s);
        elman_op_crf_decode(f.tape, &crf, e, s, tags, scores);
        assert_int_equal(elman_tape_status(f.tape, NULL), ELMAN_OK);
        for (int64_t i = 0; i < BATCH; i++) {
            widened w;
            int64_t best[STEPS];
            widen(&f, i, &w);
            if (w.m.T == 0) {
                assert_true(scores[i] == 0);
                continue;
            }
            enumerate(&w.m, NULL, best);
            assert_true(fabs(scores[i] - score(&w.m, best)) < 1e-12);
            for (int64_t t = 0; t < w.m.T; t++)
                assert_int_equal(tags[w.rows[t]], best[t]);
        }
        close_fixture(&f);
    }
}

/* --- laws --------------------------------------------------------------------------------- */

/* Nats, gradients of emissions, marginals and path of a sequence are the same bits alone. */
static void a_sequence_alone_and_in_a_batch(void **state)
{
    (void)state;
    enum { K = 61 };
    fixture f = open_fixture(3, STEPS, MANY, lengths, K, false);
    const elman_sequences *s;
    elman_crf crf = crf_of(f.p);
    double whole = 0, sum = 0, scores[MANY];
    int32_t paths[MANY * STEPS];
    elman_var *e = begin(&f, &s), *p = elman_op_crf_marginals(f.tape, &crf, e, s);
    elman_op_crf_decode(f.tape, &crf, e, s, paths, scores);
    assert_int_equal(elman_tape_backward(
                         f.tape, elman_op_crf_loss(f.tape, &crf, e, f.b.tags, s, 1, &whole), NULL),
                     ELMAN_OK);
    for (int64_t i = 0; i < MANY; i++) {
        int64_t rows[STEPS], T = rows_of(&f.b, i, rows);
        fixture g = open_fixture(1, T, 1, &T, K, false);
        double nats, score_alone;
        int32_t path[STEPS];
        for (int64_t t = 0; t < T; t++) {
            memcpy(g.e + t * K, f.e + rows[t] * K, K * sizeof *g.e);
            g.b.tags[t] = f.b.tags[rows[t]];
        }
        elman_crf own = crf_of(g.p);
        elman_var *x = begin(&g, &s), *q = elman_op_crf_marginals(g.tape, &own, x, s);
        elman_op_crf_decode(g.tape, &own, x, s, path, &score_alone);
        elman_tape_backward(g.tape, elman_op_crf_loss(g.tape, &own, x, g.b.tags, s, 1, &nats),
                            NULL);
        sum += nats;
        assert_true(score_alone == scores[i]);
        for (int64_t t = 0; t < T; t++) {
            assert_int_equal(path[t], paths[rows[t]]);
            assert_true(compare_bits(q->value.data + t * K, p->value.data + rows[t] * K, K));
            assert_true(compare_bits(x->gradient + t * K, e->gradient + rows[t] * K, K));
        }
        close_fixture(&g);
    }
    assert_true(sum == whole);
    close_fixture(&f);
}

/* dA, link by link. */
static void chain_of_transitions(const fixture *f, const elman_sequences *s, const float *p,
                                 float g, float *dA)
{
    enum { K = 3 };
    float into[K * K], alpha[MANY * STEPS * K], row[K], q[K];
    double wide[K];
    const elman_math_kernels *math = elman_kernels_of(f->context)->math;
    for (int i = 0; i < K * K; i++)
        into[i % K * K + i / K] = f->p[1]->value.data[i];
    elman_crf_sums sums = {math, into, f->p[2]->value.data, f->p[3]->value.data, row, wide};
    for (size_t place = 0; place < (size_t)s->batch_sizes[0]; place++) {
        elman_crf_line line = elman_crf_line_of(s, K, place);
        elman_crf_forward(&sums, &line, f->e, alpha);
    }
    for (int64_t t = s->T - 1; t > 0; t--)
        for (int64_t place = 0; place < s->batch_sizes[t]; place++)
            for (int j = 0; j < K; j++) {
                int64_t now = s->offsets[t] + place, before = s->offsets[t - 1] + place;
                math->add(row, alpha + before * K, into + j * K, K);
                math->softmax_row(q, row, K);
                float weight = g * p[now * K + j];
                for (int i = 0; i < K; i++) {
                    bool gold = f->b.tags[before] == i && f->b.tags[now] == j;
                    dA[i * K + j] += gold ? fmaf(q[i], weight, -g) : q[i] * weight;
                }
            }
}

/* The chains that crf.h states, link by link, from what accumulated batches left. */
static void check_chains(float sharp)
{
    enum { K = 3 };
    fixture f = open_fixture(2, STEPS, MANY, lengths, K, false);
    for (int64_t i = 0; i < f.b.N; i++)
        f.e[i * K + f.b.tags[i]] += sharp;
    const elman_sequences *s;
    elman_crf crf = crf_of(f.p);
    elman_var *e = begin(&f, &s), *p = elman_op_crf_marginals(f.tape, &crf, e, s);
    float transitions[K * K], start[K], end[K];
    for (int i = 0; i < K * K; i++)
        transitions[i] = f.p[1]->gradient[i] = 0.01F * (float)i;
    for (int k = 0; k < K; k++) {
        start[k] = f.p[2]->gradient[k] = 0.1F * (float)(k + 1);
        end[k] = f.p[3]->gradient[k] = -0.3F * (float)(k + 1);
    }
    const float g = 0.7F;
    elman_tape_backward(f.tape, elman_op_crf_loss(f.tape, &crf, e, f.b.tags, s, g, NULL), NULL);
    for (int64_t t = s->T - 1; t >= 0; t--)
        for (int64_t place = 0; place < s->batch_sizes[t]; place++) {
            int64_t row = s->offsets[t] + place;
            for (int k = 0; k < K; k++) {
                float pk = p->value.data[row * K + k];
                float link = f.b.tags[row] == k ? fmaf(pk, g, -g) : pk * g;
                if (s->lengths[s->order[place]] == t + 1)
                    end[k] += link;
                if (t == 0)
                    start[k] += link;
            }
        }
    chain_of_transitions(&f, s, p->value.data, g, transitions);
    assert_true(compare_bits(transitions, f.p[1]->gradient, K * K));
    assert_true(compare_bits(start, f.p[2]->gradient, K));
    assert_true(compare_bits(end, f.p[3]->gradient, K));
    close_fixture(&f);
}

static void parameter_gradients_are_chains(void **state)
{
    (void)state;
    check_chains(0);
    check_chains(5); /* small links leave small sums, which show every bit */
}

/* A long sequence of large scores against the same recursion in long double. */
static void long_sequences_lose_nothing(void **state)
{
    (void)state;
    enum { LONG = 1000, K = 4 };
    static const int64_t length = LONG;
    fixture f = open_fixture(2, LONG, 1, &length, K, false);
    for (int64_t i = 0; i < LONG * K; i++)
        f.e[i] = f.e[i] * 20 + 300;
    const elman_sequences *s;
    elman_crf crf = crf_of(f.p);
    double sum, gold = 0;
    elman_var *e = begin(&f, &s);
    elman_op_crf_loss(f.tape, &crf, e, f.b.tags, s, 1, &sum);
    long double a[K], next[K], z = 0;
    for (int t = 0; t < LONG; t++) {
        int tag = f.b.tags[t];
        gold += (double)f.e[t * K + tag];
        gold += t ? (double)f.p[1]->value.data[f.b.tags[t - 1] * K + tag]
                  : (double)f.p[2]->value.data[tag];
        for (int j = 0; j < K; j++) {
            long double into = 0, top = t ? a[0] : 0;
            for (int i = 0; t && i < K; i++)
                into += expl(a[i] - top + (long double)f.p[1]->value.data[i * K + j]);
            next[j] = (t ? top + logl(into) : (long double)f.p[2]->value.data[j]) +
                      (long double)f.e[t * K + j];
        }
        memcpy(a, next, sizeof a);
    }
    gold += (double)f.p[3]->value.data[f.b.tags[LONG - 1]];
    for (int j = 0; j < K; j++)
        z += expl(a[j] - a[0] + (long double)f.p[3]->value.data[j]);
    double want = (double)(a[0] + logl(z)) - gold;
    assert_true(want > 1000);
    assert_true(fabs(sum - want) < 1e-6 * want);
    close_fixture(&f);
}

static void many_tags(void **state)
{
    (void)state;
    static const int64_t two[2] = {2, 3};
    fixture f = open_fixture(4, 3, 2, two, 1000, false);
    const elman_sequences *s;
    elman_crf crf = crf_of(f.p);
    elman_var *e = begin(&f, &s);
    elman_var *loss = elman_op_crf_loss(f.tape, &crf, e, f.b.tags, s, 1, NULL);
    assert_int_equal(elman_tape_backward(f.tape, loss, NULL), ELMAN_OK);
    double all = 0, largest = 0;
    for (int i = 0; i < 1000 * 1000; i++) {
        all += (double)f.p[1]->gradient[i];
        largest = fmax(largest, fabs((double)f.p[1]->gradient[i]));
    }
    assert_true(fabs(all) < 1e-4); /* pairs have as much mass as there are steps */
    assert_true(largest > 0.5);
    close_fixture(&f);
}

static void frozen_parameters_and_fixed_emissions(void **state)
{
    (void)state;
    enum { K = 7 };
    fixture f = open_fixture(2, STEPS, BATCH, lengths, K, false);
    fixture g = open_fixture(2, STEPS, BATCH, lengths, K, false);
    const elman_sequences *s;
    elman_crf crf = crf_of(f.p), own = crf_of(g.p);
    elman_var *e = begin(&f, &s);
    elman_tape_backward(f.tape, elman_op_crf_loss(f.tape, &crf, e, f.b.tags, s, 1, NULL), NULL);

    begin(&g, &s);
    elman_var *x = elman_tape_input(g.tape, 2, (int64_t[]){g.b.N, K}, g.e);
    elman_tape_backward(g.tape, elman_op_crf_loss(g.tape, &own, x, g.b.tags, s, 1, NULL), NULL);
    for (int i = 1; i < 4; i++)
        assert_true(compare_bits(f.p[i]->gradient, g.p[i]->gradient, i == 1 ? K * K : K));
    assert_null(elman_var_gradient(x));

    for (int i = 1; i < 4; i++)
        elman_parameter_freeze(g.p[i]);
    x = begin(&g, &s);
    elman_tape_backward(g.tape, elman_op_crf_loss(g.tape, &own, x, g.b.tags, s, 1, NULL), NULL);
    assert_true(compare_bits(x->gradient, e->gradient, (size_t)(f.b.N * K)));
    close_fixture(&f);
    close_fixture(&g);
}

static void nothing_is_allocated_after_the_first_round(void **state)
{
    (void)state;
    if (!test_malloc_works())
        skip();
    fixture f = open_fixture(2, STEPS, BATCH, lengths, 23, false);
    elman_crf crf = crf_of(f.p);
    int32_t tags[BATCH * STEPS];
    size_t calls = 0;
    for (int round = 0; round < 3; round++) {
        const elman_sequences *s;
        calls = test_malloc_calls();
        elman_var *e = begin(&f, &s);
        elman_op_crf_marginals(f.tape, &crf, e, s);
        elman_op_crf_decode(f.tape, &crf, e, s, tags, NULL);
        elman_tape_backward(f.tape, elman_op_crf_loss(f.tape, &crf, e, f.b.tags, s, 1, NULL), NULL);
        calls = test_malloc_calls() - calls;
    }
    assert_int_equal(calls, 0);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_and_gradients),
        cmocka_unit_test(the_same_bits_for_any_number_of_threads),
        cmocka_unit_test(marginals_are_those_of_all_paths),
        cmocka_unit_test(the_best_path_is_the_best_of_all),
        cmocka_unit_test(a_sequence_alone_and_in_a_batch),
        cmocka_unit_test(parameter_gradients_are_chains),
        cmocka_unit_test(long_sequences_lose_nothing),
        cmocka_unit_test(many_tags),
        cmocka_unit_test(frozen_parameters_and_fixed_emissions),
        cmocka_unit_test(nothing_is_allocated_after_the_first_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
