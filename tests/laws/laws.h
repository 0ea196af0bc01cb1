/* What the tests of the laws share: every instruction set of this processor with 1, 2, 3 and 8
 * threads, numbers on which the order of additions shows, and comparison bit by bit. */
#ifndef LAWS_H
#define LAWS_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/context_impl.h"
#include "base/cpu.h"
#include "compare.h"
#include "elman/op.h"
#include "graph/tape_impl.h"
#include "kernel/kernels.h"

static const elman_isa law_isas[] = {ELMAN_ISA_SCALAR, ELMAN_ISA_AVX2, ELMAN_ISA_AVX512,
                                     ELMAN_ISA_NEON};
static const int law_threads[] = {1, 2, 3, 8};

static inline elman_context *law_context(elman_isa isa, int threads)
{
    elman_context_options options;
    elman_context_options_default(&options);
    options.isa = isa;
    options.threads = threads;
    elman_context *context;
    assert_int_equal(elman_context_create(&options, &context, NULL), ELMAN_OK);
    elman_kernels_of(context);
    return context;
}

/* Runs the check on every instruction set that is here, with every number of threads. */
static inline void law_each(void (*check)(elman_context *context, void *user), void *user)
{
    for (size_t i = 0; i < sizeof law_isas / sizeof *law_isas; i++)
        for (size_t t = 0; t < sizeof law_threads / sizeof *law_threads; t++)
            if (elman_cpu_has(law_isas[i])) {
                elman_context *context = law_context(law_isas[i], law_threads[t]);
                check(context, user);
                elman_context_free(context);
            }
}

/* The same bits, any NaN as any NaN. */
static inline void law_same(const elman_context *context, const char *what, const float *got,
                            const float *want, size_t n)
{
    if (!compare_bits(got, want, n))
        fail_msg("%s on %s with %d threads", what, elman_isa_name(elman_context_isa(context)),
                 elman_context_threads(context));
}

static inline void law_ok(const elman_tape *tape)
{
    elman_error error;
    if (elman_tape_status(tape, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
}

static inline elman_tape *law_tape(elman_context *context)
{
    elman_tape *tape;
    assert_int_equal(elman_tape_create(context, &tape, NULL), ELMAN_OK);
    elman_tape_begin(tape, NULL);
    return tape;
}

static inline uint32_t law_word(uint64_t *random)
{
    *random = *random * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(*random >> 32);
}

/* Signs and magnitudes mixed over eight binary orders: hardly two orders of adding them up give
 * the same sum. */
static inline float law_number(uint64_t *random)
{
    float x = (float)(law_word(random) >> 8) * 0x1p-23F - 1.0F;
    return ldexpf(x, -(int)(law_word(random) >> 29));
}

static inline float *law_numbers(size_t n, uint64_t seed)
{
    float *x = malloc((n + 1) * sizeof *x);
    assert_non_null(x);
    uint64_t random = seed * 0x9e3779b97f4a7c15U + 1;
    law_word(&random);
    for (size_t i = 0; i < n; i++)
        x[i] = law_number(&random);
    return x;
}

static inline float *law_zeros(size_t n)
{
    float *x = calloc(n + 1, sizeof *x);
    assert_non_null(x);
    return x;
}

static inline float *law_copy(const float *from, size_t n)
{
    float *x = law_zeros(n);
    memcpy(x, from, n * sizeof *x);
    return x;
}

/* A parameter [a,b] (b 0: [a]) that holds a copy of the values, its gradient zero. */
static inline elman_parameter *law_parameter(elman_context *context, const char *name, size_t a,
                                             size_t b, const float *values)
{
    elman_parameter *p;
    const int64_t shape[2] = {(int64_t)a, (int64_t)b};
    assert_int_equal(elman_parameter_create(context, name, b ? 2 : 1, shape, true, &p, NULL), 0);
    memcpy(elman_parameter_edit(p), values, a * (b ? b : 1) * sizeof *values);
    return p;
}

/* What flows into a value, put there by hand. */
static inline void law_flow(elman_tape *tape, elman_var *var, const float *from)
{
    bool add;
    float *to = elman_tape_gradient(tape, var, &add);
    assert_non_null(to);
    assert_false(add);
    memcpy(to, from, (size_t)elman_tensor_count(&var->value) * sizeof *to);
}

/* Runs the tape backwards, from what law_flow put: the loss has nothing to do with it. */
static inline void law_backward(elman_tape *tape)
{
    static const float zero = 0.0F;
    elman_var *loss = elman_scale(tape, elman_tape_leaf(tape, 0, NULL, &zero), 1.0F);
    assert_int_equal(elman_tape_backward(tape, loss, NULL), ELMAN_OK);
}

static inline float law_flush(float x)
{
    return fabsf(x) < 0x1p-126F ? 0.0F : x;
}

/* What a recurrent step stores. */
static inline float law_settle(float x)
{
    return fabsf(x) < 0x1p-100F ? 0.0F : x;
}

/* The library's function of one number: the functions have a test of their own. */
static inline float law_apply(void (*const function)(float *, const float *, size_t), float x)
{
    float y;
    function(&y, &x, 1);
    return y;
}
static inline float law_sigmoid(float x)
{
    return law_apply(elman_kernels_for(ELMAN_ISA_SCALAR)->math->sigmoid, x);
}
static inline float law_tanh(float x)
{
    return law_apply(elman_kernels_for(ELMAN_ISA_SCALAR)->math->tanh, x);
}

#endif
