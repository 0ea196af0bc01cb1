/* Dropout and random fills: numbers that are a function of where they are used. */
#include "kernel/body/functions.h"
#include "kernel/body/math_bodies.h"
#include "kernel/body/philox.h"

enum { GROUP = 4 * VW }; /* the words of VW blocks */

ELMAN_INLINE void dropout(float *out, const float *x, size_t n, const elman_dropout_mask *d,
                          uint32_t time, uint32_t sequence, bool add)
{
    const vf scale = vf_set1(d->scale);
    const vi below = vi_set1(d->threshold - 1U); /* signed: -1 keeps all */
    for (size_t unit = 0; unit < n; unit += GROUP) {
        vi w[4];
        vi_philox_blocks(d->seed, (uint32_t)(unit / 4), time, sequence, d->use, w);
        vi_interleave4(w);
        ELMAN_UNROLL
        for (size_t j = 0; j < 4; j++) {
            size_t i = unit + j * VW;
            vm kept = vi_gt(vi_shr(w[j], 8), below);
            if (i + VW <= n) {
                vf y = vf_select(kept, vf_mul(vf_load(x + i), scale), vf_zero());
                vf_deliver(out + i, y, VW, true, add);
            } else if (i < n) {
                vf y = vf_select(kept, vf_mul(vf_load_n(x + i, n - i), scale), vf_zero());
                vf_deliver(out + i, y, n - i, false, add);
            }
        }
    }
}

void B(dropout_row)(float *out, const float *x, size_t n, const elman_dropout_mask *d,
                    uint32_t time, uint32_t sequence, bool add)
{
    if (add) {
        dropout(out, x, n, d, time, sequence, true);
    } else {
        dropout(out, x, n, d, time, sequence, false);
    }
}

/* Copies what elements [group, group + GROUP) and [first, first + n) share. */
static void copy_shared(float *out, size_t n, uint64_t first, const float *values, uint64_t group)
{
    uint64_t begin = group > first ? group : first;
    uint64_t end = group + GROUP < first + n ? group + GROUP : first + n;
    memcpy(out + (begin - first), values + (begin - group), (size_t)(end - begin) * sizeof *out);
}

void B(fill_uniform)(float *out, size_t n, uint64_t first, const elman_fill *from, float low,
                     float high)
{
    const vf base = vf_set1(low), span = vf_set1(high - low);
    for (uint64_t group = first / GROUP * GROUP; group < first + n; group += GROUP) {
        uint64_t block = group / 4;
        vi w[4];
        float values[GROUP];
        vi_philox_blocks(from->seed, (uint32_t)block, (uint32_t)(block >> 32), from->stream,
                         from->use, w);
        vi_interleave4(w);
        for (size_t j = 0; j < 4; j++) {
            vf_store(values + j * VW, vf_flush(vf_fma(span, vf_uniform(w[j]), base)));
        }
        copy_shared(out, n, first, values, group);
    }
}

/* cosine, sine = of 2 pi u, 0 <= u < 1: 4u = k + f, |f| <= 1/2, and polynomials in f^2. */
ELMAN_INLINE void circle(vf u, vf *cosine, vf *sine)
{
    vf quarter = vf_mul(u, vf_set1(4.0F));
    vf whole = vf_round(quarter);
    vi k = vi_from_vf(whole);
    vf f = vf_sub(quarter, whole);
    vf z = vf_mul(f, f);
    /* sin(pi f / 2) / f, relative error 2^-25; cos(pi f / 2), 2^-31 */
    vf s = vf_set1(-0x1.2f5a1cp-8F);
    s = vf_fma(s, z, vf_set1(0x1.466b22p-4F));
    s = vf_fma(s, z, vf_set1(-0x1.4abbecp-1F));
    s = vf_mul(vf_fma(s, z, vf_set1(0x1.921fb6p+0F)), f);
    vf c = vf_set1(0x1.d4f632p-11F);
    c = vf_fma(c, z, vf_set1(-0x1.55b2b4p-6F));
    c = vf_fma(c, z, vf_set1(0x1.03c1b0p-2F));
    c = vf_fma(c, z, vf_set1(-0x1.3bd3ccp+0F));
    c = vf_fma(c, z, vf_set1(1.0F));
    /* odd quarters swap; the sine is negative in k = 2, 3, the cosine in k = 1, 2 */
    vm odd = vi_eq(vi_and(k, vi_set1(1)), vi_set1(1));
    vi sine_sign = vi_shl(vi_and(k, vi_set1(2)), 30);
    vi cosine_sign = vi_shl(vi_and(vi_add(k, vi_set1(1)), vi_set1(2)), 30);
    *sine = vf_from_bits(vi_xor(vi_from_bits(vf_select(odd, c, s)), sine_sign));
    *cosine = vf_from_bits(vi_xor(vi_from_bits(vf_select(odd, s, c)), cosine_sign));
}

/* Two words to two numbers, in place. */
ELMAN_INLINE void normal_pair(vi *a, vi *b, vf mean, vf deviation)
{
    vf u1 = vf_mul(vf_from_vi(vi_add(vi_shr(*a, 8), vi_set1(1))), vf_set1(0x1p-24F));
    vf r = vf_sqrt(vf_mul(vf_set1(-2.0F), vf_log(u1)));
    vf cosine, sine;
    circle(vf_uniform(*b), &cosine, &sine);
    *a = vi_from_bits(vf_flush(vf_fma(vf_mul(r, cosine), deviation, mean)));
    *b = vi_from_bits(vf_flush(vf_fma(vf_mul(r, sine), deviation, mean)));
}

void B(fill_normal)(float *out, size_t n, uint64_t first, const elman_fill *from, float mean,
                    float deviation)
{
    const vf center = vf_set1(mean), spread = vf_set1(deviation);
    for (uint64_t group = first / GROUP * GROUP; group < first + n; group += GROUP) {
        uint64_t block = group / 4;
        vi w[4];
        float values[GROUP];
        vi_philox_blocks(from->seed, (uint32_t)block, (uint32_t)(block >> 32), from->stream,
                         from->use, w);
        normal_pair(&w[0], &w[1], center, spread);
        normal_pair(&w[2], &w[3], center, spread);
        vi_interleave4(w);
        for (size_t j = 0; j < 4; j++) {
            vf_store(values + j * VW, vf_from_bits(w[j]));
        }
        copy_shared(out, n, first, values, group);
    }
}
