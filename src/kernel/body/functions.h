/* exp, log, tanh, sigmoid as vectors: our own polynomials, the same operations on every
 * instruction set, hence the same bits. Measured over all floats (tests/kernel/test_functions.c):
 * exp 1.06, log 0.94, tanh 1.35, sigmoid 1.75 units in the last place at most.
 *
 * Results below 2^-126 are +0, so tanh(-0) is +0 too. NaN gives NaN. */
#ifndef ELMAN_KERNEL_BODY_FUNCTIONS_H
#define ELMAN_KERNEL_BODY_FUNCTIONS_H

#include "kernel/simd/simd.h"

/* e^x = s + s*t with s = 2^n, n = round(x log2 e), t = e^r - 1, |r| <= log(2)/2. power is n at
 * the place of the exponent. For -88 <= x <= 88.7; outside t is anything, NaN where x is NaN. */
typedef struct vf_exp_parts {
    vi power;
    vf t;
} vf_exp_parts;

ELMAN_INLINE vf_exp_parts vf_exp_split(vf x)
{
    const vf magic = vf_set1(0x1.8p23F);
    vf z = vf_fma(x, vf_set1(0x1.715476p+0F), magic); /* n in the low bits */
    vf n = vf_sub(z, magic);
    vf r = vf_fnma(n, vf_set1(0x1.62e430p-1F), x);
    r = vf_fnma(n, vf_set1(-0x1.05c610p-29F), r);
    /* (e^r - 1 - r) / r^2, relative error 2^-26.1 of e^r - 1 */
    vf q = vf_set1(0x1.6b97a6p-10F);
    q = vf_fma(q, r, vf_set1(0x1.122538p-7F));
    q = vf_fma(q, r, vf_set1(0x1.5556f6p-5F));
    q = vf_fma(q, r, vf_set1(0x1.5554b4p-3F));
    q = vf_fma(q, r, vf_set1(0x1.fffffep-2F));
    /* r*q before r*r: the square of a tiny r would be denormal, and slow */
    return (vf_exp_parts){vi_shl(vi_from_bits(z), 23), vf_fma(vf_mul(r, q), r, r)};
}

ELMAN_INLINE vf vf_exp_scale(vf_exp_parts e)
{
    return vf_from_bits(vi_add(e.power, vi_set1(0x3f800000U)));
}

/* +0 below -87.33, inf above 88.72. */
ELMAN_INLINE vf vf_exp(vf x)
{
    x = vf_flush(x); /* denormal arithmetic is slow */
    vf_exp_parts e = vf_exp_split(vf_max(vf_set1(-88.0F), x));
    vf p = vf_add(vf_set1(1.0F), e.t);
    /* an exponent field that falls to 0 is a result below 2^-126 */
    vf y = vf_flush(vf_from_bits(vi_add(vi_from_bits(p), e.power)));
    vm in_range = vf_le(x, vf_set1(0x1.62e42ep+6F));
    return vf_select(in_range, y, vf_add(x, vf_set1(INFINITY)));
}

/* 1 / (1 + e^-x) */
ELMAN_INLINE vf vf_sigmoid(vf x)
{
    const vf limit = vf_set1(0x1.5d589ep+6F); /* sigmoid(-limit) >= 2^-126 */
    vf y = vf_neg(vf_flush(x));               /* denormal arithmetic is slow */
    vf_exp_parts e = vf_exp_split(vf_max(vf_neg(limit), vf_min(limit, y)));
    vf s = vf_exp_scale(e);
    vf a = vf_add(s, vf_set1(1.0F));
    vf lost = vf_sub(vf_set1(1.0F), vf_sub(a, s)); /* what s + 1 rounded away, from 2^24 on */
    vf d = vf_add(a, vf_fma(s, e.t, lost));
    return vf_select(vf_gt(y, limit), vf_zero(), vf_div(vf_set1(1.0F), d));
}

/* With the sign of x: 1 - 2 / (e^2|x| + 1), near zero an odd polynomial. */
ELMAN_INLINE vf vf_tanh(vf x)
{
    x = vf_flush(x); /* tanh x = x there */
    vf a = vf_abs(x);
    vf_exp_parts e = vf_exp_split(vf_min(vf_set1(20.0F), vf_add(a, a)));
    vf s = vf_exp_scale(e);
    vf q = vf_fma(s, e.t, vf_add(s, vf_set1(1.0F)));
    vf large = vf_sub(vf_set1(1.0F), vf_div(vf_set1(2.0F), q));
    /* (tanh(a) - a) / a^3 in z = a^2, relative error 2^-29.7 of tanh; the square of a tiny a
     * would be denormal, and slow */
    vf b = vf_max(vf_set1(0x1p-40F), a);
    vf z = vf_mul(b, b);
    vf r = vf_set1(-0x1.9921a2p-8F);
    r = vf_fma(r, z, vf_set1(0x1.58e518p-6F));
    r = vf_fma(r, z, vf_set1(-0x1.b91e7ep-5F));
    r = vf_fma(r, z, vf_set1(0x1.110ceep-3F));
    r = vf_fma(r, z, vf_set1(-0x1.55554ap-2F));
    vf small = vf_fma(vf_mul(r, z), a, a);
    return vf_copysign(vf_select(vf_lt(a, vf_set1(0.55F)), small, large), x);
}

/* -inf at +-0, NaN below; denormal x is taken exactly. */
ELMAN_INLINE vf vf_log(vf x)
{
    vm tiny = vf_lt(x, vf_set1(0x1p-126F));
    vf y =
        vf_select(tiny, vf_from_vi(vi_from_bits(x)), x); /* the bits of a denormal count 2^-149 */
    vf bias = vf_select(tiny, vf_set1(-149.0F), vf_zero());
    /* y = 2^n * m, m in [2/3, 4/3) */
    vi n = vi_sra(vi_sub(vi_from_bits(y), vi_set1(0x3f2aaaabU)), 23);
    vf f = vf_sub(vf_from_bits(vi_sub(vi_from_bits(y), vi_shl(n, 23))), vf_set1(1.0F));
    vf k = vf_add(vf_from_vi(n), bias);
    /* (log(1+f) - f) / f^2, relative error 2^-27.6 of log(1+f) */
    vf f2 = vf_mul(f, f);
    vf a = vf_set1(-0x1.07e4a6p-3F), b = vf_set1(0x1.1e75c0p-3F);
    a = vf_fma(a, f2, vf_set1(-0x1.f32312p-4F));
    b = vf_fma(b, f2, vf_set1(0x1.1ed3f2p-3F));
    a = vf_fma(a, f2, vf_set1(-0x1.559d04p-3F));
    b = vf_fma(b, f2, vf_set1(0x1.99d05ep-3F));
    a = vf_fma(a, f2, vf_set1(-0x1.fffef6p-3F));
    a = vf_fma(b, f, a);
    a = vf_fma(a, f, vf_set1(0x1.555506p-2F));
    a = vf_fma(a, f, vf_set1(-0.5F));
    vf r = vf_fma(a, f2, f);
    r = vf_fma(k, vf_set1(0x1.62e430p-1F), r);
    vm regular = vm_and(vf_gt(x, vf_zero()), vf_lt(x, vf_set1(INFINITY)));
    /* 0: -inf;  inf and NaN: themselves;  negative: NaN */
    vf special = vf_select(vf_eq(x, vf_zero()), vf_set1(-INFINITY),
                           vf_select(vf_lt(x, vf_zero()), vf_set1(NAN), x));
    return vf_select(regular, r, special);
}

#endif
