#include "train/truncation.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/pool.h"
#include "graph/tape_impl.h"

enum { LENGTH = 256 };

typedef struct measuring {
    elman_tape *tape;
    const elman_objective *objective;
    int64_t length;
    float *full; /* the full gradient, parameter after parameter */
} measuring;

void elman_truncation_options_default(elman_truncation_options *options)
{
    *options = (elman_truncation_options){.size = sizeof *options};
}

static size_t elements_of(const elman_parameters *set)
{
    size_t elements = 0;
    for (int64_t i = 0; i < elman_parameters_count(set); i++)
        elements += (size_t)elman_tensor_count(elman_parameter_value(elman_parameters_at(set, i)));
    return elements;
}

/* The stretch in pieces of K steps; the gradients are then the parameters'. */
static elman_status run_pieces(measuring *m, int64_t K, elman_truncation *row, elman_error *error)
{
    elman_parameters_zero_gradients(m->objective->parameters);
    row->bytes = 0;
    double began = elman_clock();
    for (int64_t begin = 0; begin < m->length; begin += K) {
        elman_stretch piece = {.length = m->length,
                               .begin = begin,
                               .steps = m->length - begin < K ? m->length - begin : K};
        elman_var *loss = NULL;
        elman_tape_begin(m->tape, NULL);
        ELMAN_TRY(m->objective->stretch(m->objective->self, m->tape, &piece, &loss, error));
        ELMAN_TRY(elman_tape_status(m->tape, error));
        ELMAN_TRY(elman_tape_backward(m->tape, loss, error));
        row->bytes = m->tape->arena.used > row->bytes ? m->tape->arena.used : row->bytes;
    }
    row->seconds = elman_clock() - began;
    elman_parameters_gather(m->objective->parameters);
    return ELMAN_OK;
}

typedef struct products {
    double truncated, full, both;
} products;

/* take: the gradient at hand is the full one. */
static products compare(measuring *m, bool take)
{
    products sums = {0};
    const elman_parameters *set = m->objective->parameters;
    float *full = m->full;
    for (int64_t i = 0; i < elman_parameters_count(set); i++) {
        elman_parameter *p = elman_parameters_at(set, i);
        const size_t n = (size_t)elman_tensor_count(elman_parameter_value(p));
        const float *gradient = elman_parameter_gradient(p);
        for (size_t j = 0; gradient && j < n; j++) {
            double g = (double)gradient[j];
            if (take)
                full[j] = gradient[j];
            sums.truncated += g * g;
            sums.full += (double)full[j] * (double)full[j];
            sums.both += g * (double)full[j];
        }
        full += n;
    }
    return sums;
}

static elman_status measure_row(measuring *m, int64_t K, elman_truncation *row, elman_error *error)
{
    row->bptt = K;
    ELMAN_TRY(run_pieces(m, K, row, error));
    products sums = compare(m, K >= m->length);
    if (!isfinite(sums.truncated) || !isfinite(sums.full) || !(sums.full > 0))
        return elman_fail(error, ELMAN_ERROR_NUMERIC,
                          "the gradient through %" PRId64 " steps is %s", K,
                          sums.full == 0 ? "zero" : "not finite");
    row->cosine = sums.truncated > 0 ? sums.both / sqrt(sums.truncated * sums.full) : 0;
    row->norm_ratio = sqrt(sums.truncated / sums.full);
    return ELMAN_OK;
}

/* The full gradient first, since all are compared with it. */
static elman_status measure_all(measuring *m, elman_truncation *rows, int *count,
                                elman_error *error)
{
    int n = 0;
    for (int64_t K = 1; K < m->length; K *= 2)
        n++;
    elman_truncation warm;
    ELMAN_TRY(run_pieces(m, m->length, &warm, error)); /* memory is taken, packs are made */
    ELMAN_TRY(measure_row(m, m->length, &rows[n], error));
    for (int i = 0; i < n; i++)
        ELMAN_TRY(measure_row(m, (int64_t)1 << i, &rows[i], error));
    *count = n + 1;
    return ELMAN_OK;
}

elman_status elman_truncation_measure(elman_tape *tape, const elman_objective *objective,
                                      const elman_truncation_options *options,
                                      elman_truncation *rows, int *count, elman_error *error)
{
    elman_truncation_options defaults;
    elman_truncation_options_default(&defaults);
    const elman_truncation_options *o = options ? options : &defaults;
    *count = 0;
    if (o->size != sizeof *o)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "elman_truncation_options: wrong size; use its _default");
    if (!objective->stretch)
        return elman_fail(error, ELMAN_ERROR_UNSUPPORTED,
                          "this task takes its sequences whole: nothing is truncated; a language "
                          "model's text is (--bptt)");
    int64_t longest = objective->longest(objective->self);
    measuring m = {.tape = tape, .objective = objective, .length = o->length};
    if (!m.length)
        m.length = longest < LENGTH ? longest : LENGTH;
    if (m.length < 1 || m.length > longest)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "truncation: a stretch of %" PRId64 " steps, expected 1 to %" PRId64
                          " of this text",
                          m.length, longest);
    m.full = elman_allocate_zero(tape->context, elements_of(objective->parameters), sizeof *m.full);
    if (!m.full)
        return elman_out_of_memory(error);
    elman_pool_begin(tape->context);
    elman_status status = measure_all(&m, rows, count, error);
    elman_pool_end(tape->context);
    elman_release(tape->context, m.full);
    elman_parameters_zero_gradients(objective->parameters);
    return status;
}
