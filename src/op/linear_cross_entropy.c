/* logits = x W^T + b; nats_i = -log softmax(logits_i)[target_i]; loss = scale * sum of nats
 * dlogits = scale * (softmax - onehot); dx = dlogits W; dW += dlogits^T x; db += sum of dlogits
 *
 * Chunks of rows in the order of dW's chain, the last step's first: the logits of one chunk become
 * its dlogits and are used up before the next. */
#include <inttypes.h>

#include "base/float_environment.h"
#include "op/op.h"
#include "op/product.h"
#include "op/share.h"

enum {
    /* Fewer rows would read the weights too often; more than this many logits would not stay in
     * cache. */
    CHUNK_ROWS = 256,
    CHUNK_LOGITS = 1 << 20
};

typedef struct fused_loss {
    const elman_kernels *kernels;
    elman_weight rows, columns; /* of logits, and of dx */
    size_t n, K, V;
    size_t counted;      /* rows whose target counts */
    const size_t *order; /* [counted] those rows, the last step's first */
    const int32_t *targets;
    const float **x; /* [counted] in that order */
    float **dx;      /* [counted], or NULL: not wanted */
    float *dw, *db;  /* or NULL */
    bool gradients;
    const float *bias;
    float scale;
    size_t chunk;
    float *logits;  /* [chunk, V] */
    float *scratch; /* of the weight gradient */
    double *nats;   /* [counted] by row; 0 where ignored */
    double sum;
} fused_loss;

static void run_chunk(const elman_crew *crew, fused_loss *f, size_t first, size_t rows)
{
    const elman_product_kernels *product = f->kernels->product;
    const elman_math_kernels *math = f->kernels->math;
    const ptrdiff_t V = (ptrdiff_t)f->V;
    elman_product_rows forward = {.m = rows,
                                  .k = f->K,
                                  .n = f->V,
                                  .a = elman_rows_from(f->x + first),
                                  .b = f->rows.packed,
                                  .c = elman_rows_mutable_at(f->logits, V),
                                  .initial = f->bias ? ELMAN_PRODUCT_BIAS : ELMAN_PRODUCT_ZERO,
                                  .bias = f->bias};
    elman_product_rows_shared(crew, product, &forward);
    elman_crew_wait(crew);

    size_t begin, end;
    elman_crew_share(crew, rows, 1, &begin, &end);
    for (size_t i = begin; i < end; i++) {
        size_t row = f->order[first + i], target = (size_t)f->targets[row];
        float *logits = f->logits + i * f->V;
        f->nats[row] = f->gradients ? math->cross_entropy_row(logits, f->V, target, f->scale)
                                    : math->cross_entropy_loss(logits, f->V, target);
    }
    elman_crew_wait(crew);

    if (f->dx) {
        elman_product_rows backward = {.m = rows,
                                       .k = f->V,
                                       .n = f->K,
                                       .a = elman_rows_at(f->logits, V),
                                       .b = f->columns.packed,
                                       .c = elman_rows_mutable_from(f->dx + first)};
        elman_product_rows_shared(crew, product, &backward);
    }
    if (f->dw || f->db) {
        elman_product_columns weights = {.k = rows,
                                         .m = f->V,
                                         .n = f->dw ? f->K : 0,
                                         .a = elman_rows_at(f->logits, V),
                                         .b = elman_rows_from(f->x + first),
                                         .c = f->dw,
                                         .ldc = f->K,
                                         .sums = f->db,
                                         .keep = true};
        elman_product_columns_shared(crew, product, &weights, f->scratch);
    }
}

static void loss_job(const elman_crew *crew, void *argument)
{
    fused_loss *f = argument;
    elman_weight_fill(crew, &f->rows);
    elman_weight_fill(crew, &f->columns);
    for (size_t first = 0, rows; first < f->counted; first += rows) {
        /* Even chunks. */
        size_t left = f->counted - first, chunks = (left + f->chunk - 1) / f->chunk;
        rows = (left + chunks - 1) / chunks;
        elman_crew_wait(crew);
        run_chunk(crew, f, first, rows);
    }
    elman_crew_wait(crew);
    if (crew->index > 0)
        return;
    f->sum = 0.0;
    for (size_t i = 0; i < f->n; i++)
        f->sum += f->nats[i];
}

/* dx += what was computed beside it: where x was given gradient before. */
typedef struct add_work {
    float *to;
    const float *from;
} add_work;

static void add_share(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    const add_work *w = argument;
    kernels->math->accumulate(w->to + begin, w->from + begin, end - begin);
}

/* The rows whose target counts, in dW's order; false where one is out of range. */
static bool choose_rows(elman_tape *tape, const elman_sequences *sequences, fused_loss *f)
{
    size_t *order = elman_last_steps_first(tape, sequences, f->n);
    f->nats = elman_tape_take(tape, f->n, sizeof *f->nats);
    if (!f->nats)
        return false;
    for (size_t i = 0; i < f->n; i++) {
        int32_t target = f->targets[i];
        f->nats[i] = 0.0;
        if (target != ELMAN_IGNORE_TARGET && (target < 0 || (size_t)target >= f->V)) {
            elman_tape_fail(tape, ELMAN_ERROR_DATA,
                            "linear cross entropy: target %zu is %" PRId32
                            ", expected 0 to %zu, or %d for none",
                            i, target, f->V - 1, ELMAN_IGNORE_TARGET);
            return false;
        }
    }
    for (size_t i = 0; i < f->n; i++)
        if (f->targets[order[i]] != ELMAN_IGNORE_TARGET)
            order[f->counted++] = order[i];
    f->order = order;
    f->chunk = CHUNK_LOGITS / f->V > CHUNK_ROWS ? CHUNK_LOGITS / f->V : CHUNK_ROWS;
    if (f->chunk > f->counted)
        f->chunk = f->counted;
    return true;
}

/* Where the gradient of x goes; *beside: where it must be added from. Ignored rows are zero. */
static bool prepare_dx(elman_tape *tape, elman_var *x, fused_loss *f, float **to, float **beside)
{
    bool add;
    float *dx = *to = elman_tape_gradient(tape, x, &add);
    if (add)
        dx = *beside = elman_tape_floats(tape, f->n * f->K);
    f->dx = elman_tape_take(tape, f->counted, sizeof *f->dx);
    if (!f->dx)
        return false;
    if (f->counted < f->n)
        memset(dx, 0, f->n * f->K * sizeof *dx);
    for (size_t i = 0; i < f->counted; i++)
        f->dx[i] = dx + f->order[i] * f->K;
    return true;
}

static bool check(elman_tape *tape, const elman_var *x, const elman_parameter *w,
                  const elman_parameter *b, const elman_sequences *sequences)
{
    bool fits = x->value.rank >= 1 && w->value.rank == 2 &&
                x->value.shape[x->value.rank - 1] == w->value.shape[1] &&
                (!b || (b->value.rank == 1 && b->value.shape[0] == w->value.shape[0])) &&
                (!sequences || sequences->N == (int64_t)elman_row_count(x));
    if (!fits)
        elman_tape_fail(tape, ELMAN_ERROR_SHAPE,
                        "linear cross entropy: x is %s, expected %s [.., %" PRId64
                        "] for the weight %s, and a bias of its %" PRId64 " rows",
                        elman_shape_print(x).text, sequences ? "as many packed rows," : "",
                        w->value.rank == 2 ? w->value.shape[1] : 0, w->name, w->value.shape[0]);
    return fits;
}

elman_var *elman_op_linear_cross_entropy(elman_tape *tape, elman_var *x, elman_parameter *w,
                                         elman_parameter *b, const int32_t *targets, float scale,
                                         double *sum, const elman_sequences *sequences)
{
    if (!x || elman_tape_failed(tape) || !check(tape, x, w, b, sequences))
        return NULL;
    fused_loss f = {.kernels = elman_kernels_of(tape->context),
                    .n = elman_row_count(x),
                    .K = elman_row_width(x),
                    .V = (size_t)w->value.shape[0],
                    .targets = targets,
                    .bias = b ? b->value.data : NULL,
                    .scale = scale};
    bool wanted = tape->mode.record && x->needs_gradient;
    f.dw = tape->mode.record ? w->gradient : NULL;
    f.db = tape->mode.record && b ? b->gradient : NULL;
    f.gradients = wanted || f.dw || f.db;
    elman_var *loss = elman_tape_var(tape, 0, NULL, f.gradients);
    if (!loss || !choose_rows(tape, sequences, &f))
        return NULL;
    float *to = NULL, *beside = NULL;
    if (wanted && !prepare_dx(tape, x, &f, &to, &beside))
        return NULL;

    int threads = elman_product_threads(tape, f.counted, f.K, f.V);
    elman_arena_mark mark = elman_arena_get_mark(&tape->arena);
    f.x = elman_rows_in_order(tape, f.order, f.counted, x->value.data, f.K);
    f.logits = elman_tape_floats(tape, f.chunk * f.V);
    f.scratch =
        elman_tape_floats(tape, f.dw || f.db ? elman_product_columns_floats(f.kernels->product, f.V,
                                                                            f.K, f.chunk, threads)
                                             : 0);
    if (!f.scratch)
        return NULL;
    if (f.dx) {
        f.columns = elman_weight_find(tape, w, ELMAN_PACK_COLUMNS);
        if (!f.columns.packed)
            return NULL;
    }
    f.rows = elman_weight_find(tape, w, ELMAN_PACK_ROWS);
    if (!f.rows.packed) {
        elman_weight_lose(w, ELMAN_PACK_COLUMNS);
        return NULL;
    }
    elman_pool_run_on(tape->context, threads, loss_job, &f);
    elman_arena_return(&tape->arena, mark);
    if (beside) {
        add_work work = {to, beside};
        elman_share(tape, f.n * f.K, 1, add_share, &work);
    }
    if (sum)
        *sum = f.sum;
    elman_float_environment modes = elman_float_begin();
    loss->value.data[0] = elman_flush((float)((double)scale * f.sum));
    elman_float_end(modes);
    if (f.gradients)
        tape->terminal = loss;
    return loss;
}
