/* Over the steps t of each sequence, L of them:
 *   last      y = x_L-1               dx_L-1 = dy
 *   mean      y = (sum of x_t) / L    dx_t = dy / L
 *   max       y = x_m, m the first    dx_m = dy, column by column
 *   weighted  y = sum of a_t x_t      dx_t = a_t dy
 *             a = softmax(scores)     dscores_t = a_t * (da_t - sum over u of a_u da_u),
 *                                     da_t = dy . x_t
 * Work is cut by sequences and columns, never along a sequence. */
#include <inttypes.h>

#include "op/op.h"
#include "op/share.h"

enum { COLUMNS = 64 }; /* of a piece */

/* Some columns of one sequence. */
typedef struct pool_piece {
    const elman_math_kernels *math;
    const elman_sequences *s;
    size_t place, length; /* among the packed sequences */
    size_t F, column, n;  /* columns column..column+n-1 */
    const float *a;       /* [N], of a weighted pool */
    const float *x;       /* [N,F]; NULL in a backward */
    float *dx;            /* the same */
    bool add;             /* to dx */
    float *y;             /* [n]; in a backward its gradient */
    uint32_t *at;         /* [n] the step that the maximum comes from */
} pool_piece;

typedef void (*pool_call)(const pool_piece *piece);

typedef struct pool_kind {
    const char *name;
    pool_call forward, backward;
} pool_kind;

typedef struct pool_node {
    elman_node node;
    const pool_kind *kind;
    const elman_sequences *s;
    elman_var *x, *scores, *y;
    float *a;     /* [N] */
    uint32_t *at; /* [B,F] */
} pool_node;

/* -- pieces ------------------------------------------------------------------------------------ */

static size_t row_of(const elman_sequences *s, size_t t, size_t place)
{
    return (size_t)s->offsets[t] + place;
}

static size_t element_of(const pool_piece *p, size_t t)
{
    return row_of(p->s, t, p->place) * p->F + p->column;
}

static void last_forward(const pool_piece *p)
{
    memcpy(p->y, p->x + element_of(p, p->length - 1), p->n * sizeof *p->y);
}

static void last_backward(const pool_piece *p)
{
    for (size_t t = 0; !p->add && t + 1 < p->length; t++)
        memset(p->dx + element_of(p, t), 0, p->n * sizeof *p->dx);
    elman_put_row(p->n, p->y, p->add, p->dx + element_of(p, p->length - 1));
}

static void mean_forward(const pool_piece *p)
{
    memcpy(p->y, p->x + element_of(p, 0), p->n * sizeof *p->y);
    for (size_t t = 1; t < p->length; t++)
        p->math->accumulate_chain(p->y, p->x + element_of(p, t), p->n);
    p->math->scale(p->y, p->y, (float)(1.0 / (double)p->length), p->n, false);
}

static void mean_backward(const pool_piece *p)
{
    const float share = (float)(1.0 / (double)p->length);
    for (size_t t = 0; t < p->length; t++)
        p->math->scale(p->dx + element_of(p, t), p->y, share, p->n, p->add);
}

/* NaN gives way to any number. */
static void max_forward(const pool_piece *p)
{
    memcpy(p->y, p->x + element_of(p, 0), p->n * sizeof *p->y);
    memset(p->at, 0, p->n * sizeof *p->at);
    for (size_t t = 1; t < p->length; t++) {
        const float *x = p->x + element_of(p, t);
        for (size_t i = 0; i < p->n; i++) {
            float most = p->y[i], here = x[i];
            bool larger = here > most || (most != most && here == here);
            p->y[i] = larger ? here : most;
            p->at[i] = larger ? (uint32_t)t : p->at[i];
        }
    }
}

static void max_backward(const pool_piece *p)
{
    for (size_t t = 0; !p->add && t < p->length; t++)
        memset(p->dx + element_of(p, t), 0, p->n * sizeof *p->dx);
    for (size_t i = 0; i < p->n; i++)
        elman_put_row(1, p->y + i, p->add, p->dx + element_of(p, p->at[i]) + i);
}

static void weighted_forward(const pool_piece *p)
{
    for (size_t t = 0; t < p->length; t++)
        p->math->scale(p->y, p->x + element_of(p, t), p->a[row_of(p->s, t, p->place)], p->n, t > 0);
}

static void weighted_backward(const pool_piece *p)
{
    for (size_t t = 0; t < p->length; t++)
        p->math->scale(p->dx + element_of(p, t), p->y, p->a[row_of(p->s, t, p->place)], p->n,
                       p->add);
}

static const pool_kind last_kind = {"pool last", last_forward, last_backward};
static const pool_kind mean_kind = {"pool mean", mean_forward, mean_backward};
static const pool_kind max_kind = {"pool max", max_forward, max_backward};
static const pool_kind weighted_kind = {"pool weighted", weighted_forward, weighted_backward};

/* -- all pieces -------------------------------------------------------------------------------- */

typedef struct pool_work {
    const pool_node *node;
    size_t F, cuts; /* pieces a sequence */
    float *dx;      /* NULL: forward */
    bool add;
} pool_work;

static void pool_share(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    const pool_work *w = argument;
    const pool_node *node = w->node;
    for (size_t i = begin; i < end; i++) {
        size_t place = i / w->cuts, column = i % w->cuts * COLUMNS;
        size_t b = (size_t)node->s->order[place], at = b * w->F + column;
        pool_piece piece = {.math = kernels->math, .s = node->s, .place = place, .F = w->F};
        piece.length = (size_t)node->s->lengths[b];
        piece.column = column;
        piece.n = w->F - column < COLUMNS ? w->F - column : COLUMNS;
        piece.a = node->a;
        piece.x = node->x->value.data;
        piece.dx = w->dx;
        piece.add = w->add;
        piece.y = (w->dx ? node->y->gradient : node->y->value.data) + at;
        piece.at = node->at ? node->at + at : NULL;
        if (piece.length > 0)
            (w->dx ? node->kind->backward : node->kind->forward)(&piece);
        else if (!w->dx)
            memset(piece.y, 0, piece.n * sizeof *piece.y);
    }
}

/* dx NULL: forward. */
static void run_pieces(elman_tape *tape, const pool_node *node, float *dx, bool add)
{
    pool_work w = {.node = node, .F = elman_row_width(node->y), .dx = dx, .add = add};
    w.cuts = (w.F + COLUMNS - 1) / COLUMNS;
    elman_share(tape, (size_t)node->s->B * w.cuts, (size_t)node->s->T * COLUMNS, pool_share, &w);
}

/* -- weights of a weighted pool ---------------------------------------------------------------- */

/* One sequence after another, since its steps lie apart. */
typedef struct weights_work {
    const pool_node *node;
    const size_t *begins; /* [B] where a packed sequence's steps begin in what follows */
    float *grouped;       /* [N] the scores */
    double *flows;        /* [N] da */
    float *dscores;
    bool add;
} weights_work;

static void softmax_share(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    const weights_work *w = argument;
    const elman_sequences *s = w->node->s;
    for (size_t place = begin; place < end; place++) {
        size_t length = (size_t)s->lengths[s->order[place]];
        float *row = w->grouped + w->begins[place];
        for (size_t t = 0; t < length; t++)
            row[t] = w->node->scores->value.data[row_of(s, t, place)];
        kernels->math->softmax_row(row, row, length);
        for (size_t t = 0; t < length; t++)
            w->node->a[row_of(s, t, place)] = row[t];
    }
}

/* The sum of products, each rounded to float. */
static double dot(const elman_math_kernels *math, const float *x, const float *y, size_t n)
{
    float products[ELMAN_REDUCE_BLOCK];
    double sum = 0.0;
    for (size_t i = 0; i < n; i += ELMAN_REDUCE_BLOCK) {
        size_t some = n - i < ELMAN_REDUCE_BLOCK ? n - i : ELMAN_REDUCE_BLOCK;
        math->multiply(products, x + i, y + i, some, false);
        sum += (double)math->sum_block(products, some);
    }
    return sum;
}

static void scores_share(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    const weights_work *w = argument;
    const pool_node *node = w->node;
    const elman_sequences *s = node->s;
    size_t F = elman_row_width(node->y);
    for (size_t place = begin; place < end; place++) {
        size_t b = (size_t)s->order[place], length = (size_t)s->lengths[b];
        double *da = w->flows + w->begins[place], mean = 0.0;
        for (size_t t = 0; t < length; t++) {
            size_t row = row_of(s, t, place);
            da[t] = dot(kernels->math, node->y->gradient + b * F, node->x->value.data + row * F, F);
            mean += (double)node->a[row] * da[t];
        }
        for (size_t t = 0; t < length; t++) {
            size_t row = row_of(s, t, place);
            float d = elman_flush((float)((double)node->a[row] * (da[t] - mean)));
            elman_put_row(1, &d, w->add, w->dscores + row);
        }
    }
}

static size_t *find_begins(elman_tape *tape, const elman_sequences *s)
{
    size_t *begins = elman_tape_take(tape, (size_t)s->B, sizeof *begins), next = 0;
    for (int64_t place = 0; begins && place < s->B; place++) {
        begins[place] = next;
        next += (size_t)s->lengths[s->order[place]];
    }
    return begins;
}

static bool find_weights(elman_tape *tape, const pool_node *node)
{
    weights_work w = {.node = node, .begins = find_begins(tape, node->s)};
    w.grouped = elman_tape_floats(tape, (size_t)node->s->N);
    if (!w.grouped)
        return false;
    elman_share(tape, (size_t)node->s->B, (size_t)node->s->T, softmax_share, &w);
    return true;
}

static void flow_to_scores(elman_tape *tape, const pool_node *node)
{
    weights_work w = {.node = node, .begins = find_begins(tape, node->s)};
    w.flows = elman_tape_take(tape, (size_t)node->s->N, sizeof *w.flows);
    w.dscores = elman_tape_gradient(tape, node->scores, &w.add);
    if (w.flows && w.dscores)
        elman_share(tape, (size_t)node->s->B, (size_t)node->s->T * elman_row_width(node->y),
                    scores_share, &w);
}

/* -- the operations ---------------------------------------------------------------------------- */

static void pool_backward(elman_tape *tape, elman_node *node)
{
    const pool_node *p = (pool_node *)node;
    if (!p->y->gradient)
        return;
    if (p->scores && p->scores->needs_gradient)
        flow_to_scores(tape, p);
    if (!p->x->needs_gradient)
        return;
    bool add;
    float *dx = elman_tape_gradient(tape, p->x, &add);
    if (dx)
        run_pieces(tape, p, dx, add);
}

static bool check(elman_tape *tape, const pool_node *p)
{
    const elman_tensor *x = &p->x->value;
    if (x->rank != 2 || x->shape[0] != p->s->N) {
        elman_tape_fail(tape, ELMAN_ERROR_SHAPE, "%s: x is %s, expected [%" PRId64 ", F]",
                        p->kind->name, elman_shape_print(p->x).text, p->s->N);
        return false;
    }
    if (!p->scores)
        return true;
    const elman_tensor *scores = &p->scores->value;
    if (scores->rank < 1 || scores->rank > 2 || scores->shape[0] != p->s->N ||
        (scores->rank == 2 && scores->shape[1] != 1)) {
        elman_tape_fail(tape, ELMAN_ERROR_SHAPE, "%s: the scores are %s, expected [%" PRId64 "]",
                        p->kind->name, elman_shape_print(p->scores).text, p->s->N);
        return false;
    }
    return true;
}

static elman_var *pooled(elman_tape *tape, const pool_kind *kind, elman_var *x, elman_var *scores,
                         const elman_sequences *s, elman_var **weights)
{
    pool_node made = {.kind = kind, .s = s, .x = x, .scores = scores};
    if (!check(tape, &made))
        return NULL;
    int64_t shape[2] = {s->B, x->value.shape[1]};
    bool recorded = elman_wants_gradient(tape, x, scores);
    made.y = elman_tape_var(tape, 2, shape, recorded);
    if (kind == &max_kind)
        made.at = elman_tape_take(tape, (size_t)(shape[0] * shape[1]), sizeof *made.at);
    elman_var *a = scores ? elman_tape_var(tape, 1, &s->N, false) : NULL;
    if (elman_tape_failed(tape))
        return NULL;
    made.a = a ? a->value.data : NULL;
    if (a && !find_weights(tape, &made))
        return NULL;
    run_pieces(tape, &made, NULL, false);
    if (recorded) {
        pool_node *p = elman_tape_node(tape, sizeof *p, kind->name, pool_backward);
        if (!p)
            return NULL;
        made.node = p->node;
        *p = made;
    }
    if (weights)
        *weights = a;
    return made.y;
}

elman_var *elman_pool_last(elman_tape *tape, elman_var *x, const elman_sequences *s)
{
    return x && s && !elman_tape_failed(tape) ? pooled(tape, &last_kind, x, NULL, s, NULL) : NULL;
}

elman_var *elman_pool_mean(elman_tape *tape, elman_var *x, const elman_sequences *s)
{
    return x && s && !elman_tape_failed(tape) ? pooled(tape, &mean_kind, x, NULL, s, NULL) : NULL;
}

elman_var *elman_pool_max(elman_tape *tape, elman_var *x, const elman_sequences *s)
{
    return x && s && !elman_tape_failed(tape) ? pooled(tape, &max_kind, x, NULL, s, NULL) : NULL;
}

elman_var *elman_pool_weighted(elman_tape *tape, elman_var *x, elman_var *scores,
                               const elman_sequences *s)
{
    return elman_op_pool_weighted(tape, x, scores, s, NULL);
}

elman_var *elman_op_pool_weighted(elman_tape *tape, elman_var *x, elman_var *scores,
                                  const elman_sequences *s, elman_var **weights)
{
    if (weights)
        *weights = NULL;
    if (!x || !scores || !s || elman_tape_failed(tape))
        return NULL;
    return pooled(tape, &weighted_kind, x, scores, s, weights);
}
