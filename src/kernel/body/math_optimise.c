/* Optimiser updates in one pass: torch.optim's SGD, Adam and AdamW in float. */
#include "kernel/body/math_bodies.h"

/* p = keep * p;  g = flush(factor * flush(gradient)) + decay * p; a denormal factor of a product
 * would be slow. Without a gradient g is zero but for the decay. */
ELMAN_INLINE vf begin_update(const elman_update *u, float *gradient, vf *p, size_t k, bool whole)
{
    vf g = vf_zero();
    if (gradient) {
        g = vf_flush(vf_mul(vf_flush(vf_get(gradient, k, whole)), vf_set1(u->factor)));
    }
    if (gradient && u->zero_gradient) {
        vf_put(gradient, vf_zero(), k, whole);
    }
    if (u->decay != 0.0F) {
        g = vf_fma(vf_set1(u->decay), *p, g);
    }
    if (u->keep != 1.0F) {
        *p = vf_mul(*p, vf_set1(u->keep));
    }
    return g;
}

ELMAN_INLINE void sgd_step(float *parameter, float *gradient, float *buffer, const elman_sgd *o,
                           size_t k, bool whole)
{
    vf p = vf_get(parameter, k, whole);
    vf g = begin_update(&o->common, gradient, &p, k, whole);
    if (o->momentum != 0.0F) {
        const vf momentum = vf_set1(o->momentum);
        vf b = g;
        if (!o->first) {
            vf fresh = vf_mul(vf_set1(1.0F - o->dampening), g);
            b = vf_fma(momentum, vf_get(buffer, k, whole), fresh);
        }
        b = vf_flush(b);
        vf_put(buffer, b, k, whole);
        g = o->nesterov ? vf_fma(momentum, b, g) : b;
    }
    vf_put(parameter, vf_flush(vf_fnma(vf_set1(o->common.rate), g, p)), k, whole);
}

void B(sgd)(float *parameter, float *gradient, float *buffer, size_t n, const elman_sgd *options)
{
    const elman_sgd o = *options;
#define STEP(i, k, whole)                                                                          \
    sgd_step(parameter + (i), gradient + (i), buffer ? buffer + (i) : NULL, &o, k, whole)
    ELMAN_EACH_VECTOR(n, STEP);
#undef STEP
}

ELMAN_INLINE void adam_step(float *parameter, float *gradient, float *first, float *second,
                            const elman_adam *o, size_t k, bool whole)
{
    vf p = vf_get(parameter, k, whole);
    vf g = begin_update(&o->common, gradient, &p, k, whole);
    vf m = vf_get(first, k, whole), v = vf_get(second, k, whole);
    m = vf_flush(vf_fma(vf_set1(o->one_minus_beta1), vf_sub(g, m), m));
    /* 0.001 * (2^-58)^2 is about 2^-126: left out, a denormal sum would be slow */
    vf h = vf_select(vf_lt(vf_abs(g), vf_set1(0x1p-58F)), vf_zero(), g);
    v = vf_flush(vf_fma(vf_mul(vf_set1(o->one_minus_beta2), h), h, vf_mul(vf_set1(o->beta2), v)));
    vf root = vf_fma(vf_sqrt(v), vf_set1(o->root_correction), vf_set1(o->epsilon));
    vf_put(first, m, k, whole);
    vf_put(second, v, k, whole);
    p = vf_fnma(vf_set1(o->step_size), vf_div(m, root), p);
    vf_put(parameter, vf_flush(p), k, whole);
}

void B(adam)(float *parameter, float *gradient, float *m, float *v, size_t n,
             const elman_adam *options)
{
    const elman_adam o = *options;
#define STEP(i, k, whole)  adam_step(parameter + (i), gradient + (i), m + (i), v + (i), &o, k, whole)
#define STILL(i, k, whole) adam_step(parameter + (i), NULL, m + (i), v + (i), &o, k, whole)
    if (gradient) {
        ELMAN_EACH_VECTOR(n, STEP);
    } else {
        ELMAN_EACH_VECTOR(n, STILL);
    }
#undef STILL
#undef STEP
}
