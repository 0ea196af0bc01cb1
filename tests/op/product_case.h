/* What the tests of linear, embedding and the fused loss share: every instruction set and number
 * of threads, and the chains as numerics defines them. */
#ifndef PRODUCT_CASE_H
#define PRODUCT_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cpu.h"
#include "base/philox.h"
#include "compare.h"
#include "graph/tape_impl.h"
#include "kernel/ref/product_ref.h"
#include "op/op.h"

typedef void (*product_run)(elman_context *context, elman_tape *tape);

/* Runs it on every instruction set with one thread, and on the best with several. */
static inline void for_each_context(product_run run)
{
    static const struct {
        elman_isa isa;
        int threads;
    } cases[] = {{ELMAN_ISA_SCALAR, 2}, {ELMAN_ISA_AVX2, 1}, {ELMAN_ISA_AVX512, 1},
                 {ELMAN_ISA_NEON, 1},   {ELMAN_ISA_BEST, 1}, {ELMAN_ISA_BEST, 2},
                 {ELMAN_ISA_BEST, 3},   {ELMAN_ISA_BEST, 8}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (cases[i].isa != ELMAN_ISA_BEST && !elman_cpu_has(cases[i].isa))
            continue;
        elman_context_options options;
        elman_context *context;
        elman_tape *tape;
        elman_context_options_default(&options);
        options.isa = cases[i].isa;
        options.threads = cases[i].threads;
        assert_int_equal(elman_context_create(&options, &context, NULL), ELMAN_OK);
        assert_int_equal(elman_tape_create(context, &tape, NULL), ELMAN_OK);
        run(context, tape);
        elman_tape_free(tape);
        elman_context_free(context);
    }
}

static inline float *random_floats(size_t n, uint32_t stream)
{
    float *x = calloc(n + 1, sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++) {
        uint32_t words[4], counter[4] = {(uint32_t)i, stream, 0, 0};
        elman_philox(3, counter, words);
        x[i] = 2.0F * elman_uniform(words[0]) - 1.0F;
    }
    return x;
}

static inline elman_parameter *random_parameter(elman_context *context, int rank, int64_t d0,
                                                int64_t d1, uint32_t stream)
{
    elman_parameter *p;
    int64_t shape[2] = {d0, d1};
    assert_int_equal(elman_parameter_create(context, "p", rank, shape, true, &p, NULL), ELMAN_OK);
    size_t n = (size_t)elman_tensor_count(&p->value);
    float *x = random_floats(n, stream);
    memcpy(p->value.data, x, n * sizeof *x);
    elman_parameter_touch(p);
    free(x);
    return p;
}

/* The rows of packed sequences, last step first, within a step as packed. */
static inline size_t *chain_order(const elman_sequences *s)
{
    size_t *order = calloc((size_t)s->N + 1, sizeof *order), next = 0;
    assert_non_null(order);
    for (int64_t t = s->T - 1; t >= 0; t--)
        for (int64_t i = 0; i < s->batch_sizes[t]; i++)
            order[next++] = (size_t)(s->offsets[t] + i);
    return order;
}

/* c [m,n] continued by one chain each over the rows of a [.,m] and b [.,n] that order names. */
static inline void chain_columns(float *c, const float *a, size_t m, const float *b, size_t n,
                                 const size_t *order, size_t k)
{
    float *x = calloc(k + 1, sizeof *x), *y = calloc(n * k + 1, sizeof *y);
    assert_true(x && y);
    for (size_t j = 0; j < n; j++)
        for (size_t q = 0; q < k; q++)
            y[j * k + q] = b[order[q] * n + j];
    for (size_t i = 0; i < m; i++) {
        for (size_t q = 0; q < k; q++)
            x[q] = a[order[q] * m + i];
        for (size_t j = 0; j < n; j++)
            c[i * n + j] = elman_ref_chain(c[i * n + j], k, x, 1, y + j * k, 1);
    }
    free(x);
    free(y);
}

/* A loss whose gradient of y is dy: sum of y * dy. */
typedef struct given_node {
    elman_node node;
    elman_var *y;
    const float *dy;
} given_node;

static inline void given_backward(elman_tape *tape, elman_node *node)
{
    given_node *g = (given_node *)node;
    bool add;
    float *to = elman_tape_gradient(tape, g->y, &add);
    size_t n = (size_t)elman_tensor_count(&g->y->value);
    assert_false(add);
    memcpy(to, g->dy, n * sizeof *to);
}

static inline elman_var *given_gradient(elman_tape *tape, elman_var *y, const float *dy)
{
    elman_var *loss = elman_tape_var(tape, 0, NULL, true);
    given_node *g = elman_tape_node(tape, sizeof *g, "given", given_backward);
    assert_true(loss && g && y);
    loss->value.data[0] = 0.0F;
    g->y = y;
    g->dy = dy;
    return loss;
}

#endif
