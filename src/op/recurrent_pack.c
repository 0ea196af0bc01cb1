/* The packed copies of a recurrent layer's weights, made again whenever the weights changed. */
#include "op/product.h"
#include "op/recurrent.h"

typedef enum pack_kind { PACK_GATES, PACK_CARRY, PACK_COLUMNS } pack_kind;

/* One copy to fill. */
typedef struct pack_work {
    const elman_kernels *kernels;
    pack_kind kind;
    elman_parameter *parameter;
    const float *weight;
    size_t G, H, K;
    float *packed;
} pack_work;

typedef struct pack_list {
    pack_work works[4];
    int count;
} pack_list;

static void pack_job(const elman_crew *crew, void *argument)
{
    const pack_list *list = argument;
    for (int i = 0; i < list->count; i++) {
        const pack_work *w = &list->works[i];
        const elman_recurrent_kernels *recurrent = w->kernels->recurrent;
        const elman_product_kernels *product = w->kernels->product;
        size_t begin, end, width = recurrent->width;
        if (w->kind == PACK_COLUMNS) {
            elman_rows_const rows = elman_rows_at(w->weight, (ptrdiff_t)w->K);
            elman_crew_share(crew, w->K, product->panel, &begin, &end);
            if (begin < end)
                product->pack_rows(&rows, w->G * w->H, w->K, begin, end, w->packed);
        } else if (w->kind == PACK_GATES) {
            elman_crew_share(crew, (w->H + width - 1) / width, recurrent->block_vectors(w->G),
                             &begin, &end);
            recurrent->pack_rows(w->weight, w->G, w->H, w->K, begin, end, w->packed);
        } else {
            elman_crew_share(crew, (w->H + width - 1) / width, recurrent->block_vectors(1), &begin,
                             &end);
            recurrent->pack_columns(w->weight, w->H, w->G * w->H, begin, end, w->packed);
        }
    }
}

static int slot(pack_kind kind)
{
    return kind == PACK_GATES ? ELMAN_PACK_GATES : ELMAN_PACK_COLUMNS;
}

/* The copy's place; it joins the list where it is stale. NULL: out of memory. */
static const float *place(elman_tape *tape, pack_list *list, const elman_recurrent_node *n,
                          elman_parameter *weight, pack_kind kind, size_t K)
{
    const elman_kernels *kernels = tape->context->kernels;
    bool stale = false;
    size_t count = kind == PACK_COLUMNS ? elman_product_packed(kernels->product, n->G * n->H, K)
                   : kind == PACK_GATES ? kernels->recurrent->panels(n->G, n->H, K)
                                        : kernels->recurrent->panels(1, n->H, n->G * n->H);
    float *packed = elman_parameter_pack(tape, weight, slot(kind), count, &stale);
    if (packed && stale)
        list->works[list->count++] =
            (pack_work){kernels, kind, weight, weight->value.data, n->G, n->H, K, packed};
    return packed;
}

/* Fills what is listed; where a place was not to be had, what was found before it stays stale. */
static bool fill(elman_tape *tape, pack_list *list)
{
    if (elman_tape_failed(tape)) {
        for (int i = 0; i < list->count; i++)
            elman_weight_lose(list->works[i].parameter, slot(list->works[i].kind));
        return false;
    }
    if (list->count > 0)
        elman_pool_run(tape->context, pack_job, list);
    return true;
}

bool elman_recurrent_pack_forward(elman_tape *tape, elman_recurrent_node *n)
{
    pack_list list = {.count = 0};
    for (size_t i = 0; i < n->D; i++) {
        elman_recurrent_direction *d = &n->directions[i];
        d->weights.panels_ih = place(tape, &list, n, d->cell.weight_ih, PACK_GATES, n->I);
        d->weights.panels_hh = place(tape, &list, n, d->cell.weight_hh, PACK_GATES, n->H);
    }
    return fill(tape, &list);
}

bool elman_recurrent_pack_backward(elman_tape *tape, const elman_recurrent_node *n,
                                   const float *panels_hh[2], const float *columns_ih[2])
{
    pack_list list = {.count = 0};
    bool inputs = n->layer.table ? n->layer.table->gradient != NULL : n->layer.x->needs_gradient;
    for (size_t i = 0; i < n->D; i++) {
        const elman_recurrent_direction *d = &n->directions[i];
        panels_hh[i] = place(tape, &list, n, d->cell.weight_hh, PACK_CARRY, n->H);
        columns_ih[i] =
            inputs ? place(tape, &list, n, d->cell.weight_ih, PACK_COLUMNS, n->I) : NULL;
    }
    return fill(tape, &list);
}
