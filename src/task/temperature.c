/* The temperature of a softmax, by halving on the slope of a convex loss.
 *
 * With b = 1/T the mean loss is L(b) = mean(log sum_k exp(b z_k) - b z_target), convex in b, and
 * L'(b) = mean(sum_k p_k (z_k - z_target)), p = softmax(b z). */
#include <inttypes.h>
#include <math.h>

#include "base/error.h"
#include "base/float_environment.h"
#include "base/memory.h"
#include "elman/op.h"
#include "kernel/kernels.h"
#include "task/metrics.h"

enum { HALVINGS = 30 }; /* of log b; by then a float does not tell the bounds apart */
static const double LARGEST = 256.0;

typedef struct items {
    const elman_math_kernels *math;
    const float *logits; /* [n,K] */
    const int32_t *targets;
    size_t n, K, counted;
    float *row; /* scratch, [K] */
} items;

/* n L'(b), or n L(b). */
static double add_up(const items *s, float b, bool slope)
{
    double sum = 0.0;
    for (size_t i = 0; i < s->n; i++) {
        const float *z = s->logits + i * s->K;
        if (s->targets[i] == ELMAN_IGNORE_TARGET)
            continue;
        size_t target = (size_t)s->targets[i];
        s->math->scale(s->row, z, b, s->K, false);
        if (!slope) {
            sum += s->math->cross_entropy_loss(s->row, s->K, target);
            continue;
        }
        double item = 0.0;
        s->math->softmax_row(s->row, s->row, s->K);
        for (size_t k = 0; k < s->K; k++)
            item += (double)s->row[k] * ((double)z[k] - (double)z[target]);
        sum += item;
    }
    return sum;
}

static elman_status check(items *s, elman_error *error)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->targets[i] == ELMAN_IGNORE_TARGET)
            continue;
        if (s->targets[i] < 0 || (size_t)s->targets[i] >= s->K)
            return elman_fail(error, ELMAN_ERROR_DATA,
                              "temperature: target %zu is %" PRId32 ", expected 0 to %zu", i,
                              s->targets[i], s->K - 1);
        if (s->math->first_nonfinite(s->logits + i * s->K, s->K) < s->K)
            return elman_fail(error, ELMAN_ERROR_NUMERIC,
                              "temperature: a logit of item %zu is not finite, expected numbers",
                              i);
        s->counted++;
    }
    return ELMAN_OK;
}

/* The slope grows with b: at or above zero at the low end the best is there or below. */
static double best_inverse(const items *s)
{
    double low = 1.0 / LARGEST, high = LARGEST;
    double at_low = add_up(s, (float)low, true), at_high = add_up(s, (float)high, true);
    if (at_low >= 0.0 && at_high <= 0.0)
        return 1.0; /* level */
    if (at_low >= 0.0 || at_high <= 0.0)
        return at_low >= 0.0 ? low : high;
    for (int i = 0; i < HALVINGS; i++) {
        double middle = sqrt(low * high);
        if (add_up(s, (float)middle, true) > 0.0)
            high = middle;
        else
            low = middle;
    }
    return sqrt(low * high);
}

static elman_status fit(elman_context *context, items *s, elman_temperature *fitted,
                        elman_error *error)
{
    ELMAN_TRY(check(s, error));
    if (s->counted == 0)
        return ELMAN_OK;
    s->row = elman_allocate(context, s->K, sizeof *s->row);
    if (!s->row)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "temperature: no memory for %zu logits", s->K);
    fitted->value = 1.0 / best_inverse(s);
    fitted->before = add_up(s, 1.0F, false) / (double)s->counted;
    fitted->after = add_up(s, (float)(1.0 / fitted->value), false) / (double)s->counted;
    elman_release(context, s->row);
    return ELMAN_OK;
}

elman_status elman_temperature_fit(elman_context *context, const float *logits,
                                   const int32_t *targets, int64_t n, int64_t K,
                                   elman_temperature *fitted, elman_error *error)
{
    items s = {elman_kernels_of(context)->math, logits, targets, (size_t)n, (size_t)K, 0, NULL};
    *fitted = (elman_temperature){1.0, (double)NAN, (double)NAN};
    elman_float_environment modes = elman_float_begin();
    elman_status status = fit(context, &s, fitted, error);
    elman_float_end(modes);
    return status;
}
