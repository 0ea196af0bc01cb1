#include "op/product.h"

elman_weight elman_weight_find(elman_tape *tape, elman_parameter *parameter, int kind)
{
    size_t O = (size_t)elman_weight_outputs(parameter), K = (size_t)elman_weight_inputs(parameter);
    elman_weight w = {.kernels = elman_kernels_of(tape->context)->product,
                      .value = parameter->value.data,
                      .k = kind == ELMAN_PACK_ROWS ? K : O,
                      .n = kind == ELMAN_PACK_ROWS ? O : K,
                      .transposed = kind == ELMAN_PACK_ROWS};
    w.packed = elman_parameter_pack(tape, parameter, kind,
                                    elman_product_packed(w.kernels, w.k, w.n), &w.stale);
    return w;
}

void elman_weight_lose(elman_parameter *parameter, int kind)
{
    elman_parameter_owner(parameter)->packs[kind].version = 0;
}

void elman_weight_fill(const elman_crew *crew, const elman_weight *w)
{
    size_t begin, end;
    if (!w->stale)
        return;
    elman_rows_const rows = elman_rows_at(w->value, (ptrdiff_t)(w->transposed ? w->k : w->n));
    elman_crew_share(crew, w->n, w->kernels->panel, &begin, &end);
    if (begin >= end)
        return;
    if (w->transposed)
        w->kernels->pack_columns(&rows, w->k, w->n, begin, end, w->packed);
    else
        w->kernels->pack_rows(&rows, w->k, w->n, begin, end, w->packed);
}

/* The largest share when `total` is cut into multiples of grain. */
static size_t largest_share(size_t total, size_t grain, size_t count)
{
    size_t grains = (total + grain - 1) / grain, share = (grains + count - 1) / count * grain;
    return share < total ? share : total;
}

void elman_product_rows_shared(const elman_crew *crew, const elman_product_kernels *kernels,
                               const elman_product_rows *whole)
{
    /* Below so many rows a tile no longer fills the units. */
    enum { FEW = 4 };
    size_t count = (size_t)crew->count, begin, end;
    elman_product_rows call = *whole;
    size_t by_columns = largest_share(whole->n, kernels->panel, count) * whole->m;
    size_t rows = largest_share(whole->m, 1, count);
    size_t by_rows = (rows < FEW && whole->m > rows ? (size_t)FEW : rows) * whole->n;
    if (by_columns <= by_rows) {
        elman_crew_share(crew, whole->n, kernels->panel, &begin, &end);
        call.n0 = begin;
        call.n1 = end;
    } else {
        elman_crew_share(crew, whole->m, 1, &begin, &end);
        call.a = elman_rows_skip(whole->a, begin);
        call.c = elman_rows_mutable_skip(whole->c, begin);
        if (whole->initial == ELMAN_PRODUCT_ROWS)
            call.from = elman_rows_skip(whole->from, begin);
        call.m = end - begin;
        call.n0 = 0;
        call.n1 = whole->n;
    }
    if (begin < end)
        kernels->rows(&call);
}

static size_t scratch_of_one(const elman_product_kernels *kernels, size_t m, size_t n, size_t k)
{
    return (kernels->columns_scratch(m, n, k) + 15) / 16 * 16;
}

size_t elman_product_columns_floats(const elman_product_kernels *kernels, size_t m, size_t n,
                                    size_t k, int threads)
{
    return scratch_of_one(kernels, m, n, k) * (size_t)threads;
}

void elman_product_columns_shared(const elman_crew *crew, const elman_product_kernels *kernels,
                                  const elman_product_columns *whole, float *scratch)
{
    size_t begin, end;
    elman_product_columns call = *whole;
    call.scratch =
        scratch + (size_t)crew->index * scratch_of_one(kernels, whole->m, whole->n, whole->k);
    /* Each thread packs the whole of the operand that is not cut: cut the wider one. */
    elman_crew_share(crew, whole->m, 8, &begin, &end);
    call.m0 = begin;
    call.m1 = end;
    call.n0 = 0;
    if (whole->m >= whole->n || crew->count == 1) {
        if (begin < end)
            kernels->columns(&call);
        return;
    }
    if (whole->sums && begin < end) {
        call.n = 0;
        kernels->columns(&call);
    }
    elman_crew_share(crew, whole->n, kernels->width, &begin, &end);
    call.m0 = 0;
    call.m1 = whole->m;
    call.n0 = begin;
    call.n = end;
    call.sums = NULL;
    if (begin < end)
        kernels->columns(&call);
}

int elman_product_threads(const elman_tape *tape, size_t m, size_t n, size_t k)
{
    /* About 2 us of one core: several times what waking and waiting cost. */
    const double grain = 131072;
    double shares = (double)m * (double)n * (double)k / grain;
    int threads = elman_context_threads(tape->context);
    return shares >= threads ? threads : shares < 1 ? 1 : (int)shares;
}

size_t *elman_last_steps_first(elman_tape *tape, const elman_sequences *sequences, size_t rows)
{
    size_t *order = elman_tape_take(tape, rows, sizeof *order), next = 0;
    if (!order)
        return NULL;
    if (!sequences) {
        for (size_t i = rows; i-- > 0;)
            order[next++] = i;
        return order;
    }
    for (int64_t t = sequences->T; t-- > 0;)
        for (int64_t i = sequences->offsets[t]; i < sequences->offsets[t + 1]; i++)
            order[next++] = (size_t)i;
    return order;
}

const float **elman_rows_in_order(elman_tape *tape, const size_t *order, size_t count,
                                  const float *base, size_t stride)
{
    const float **rows = elman_tape_take(tape, count, sizeof *rows);
    for (size_t i = 0; rows && i < count; i++)
        rows[i] = base + order[i] * stride;
    return rows;
}
