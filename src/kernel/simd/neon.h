/* Four floats: AArch64's Advanced SIMD. */
#ifndef ELMAN_KERNEL_SIMD_NEON_H
#define ELMAN_KERNEL_SIMD_NEON_H

#include <arm_neon.h>

#define VW 4

typedef float32x4_t vf;
typedef uint32x4_t vi;
typedef uint32x4_t vm; /* all bits of a lane, or none */
typedef struct vd {
    float64x2_t low, high;
} vd;

ELMAN_INLINE vi vi_from_bits(vf x)
{
    return vreinterpretq_u32_f32(x);
}
ELMAN_INLINE vf vf_from_bits(vi x)
{
    return vreinterpretq_f32_u32(x);
}

ELMAN_INLINE vi vi_load(const uint32_t *p)
{
    return vld1q_u32(p);
}
ELMAN_INLINE void vi_store(uint32_t *p, vi x)
{
    vst1q_u32(p, x);
}
ELMAN_INLINE vi vi_set1(uint32_t x)
{
    return vdupq_n_u32(x);
}
ELMAN_INLINE vi vi_iota(void)
{
    static const uint32_t lane[4] = {0, 1, 2, 3};
    return vld1q_u32(lane);
}

ELMAN_INLINE vm vm_first(size_t n)
{
    return vcltq_u32(vi_iota(), vdupq_n_u32((uint32_t)n));
}
ELMAN_INLINE vm vm_and(vm a, vm b)
{
    return vandq_u32(a, b);
}
ELMAN_INLINE vm vm_or(vm a, vm b)
{
    return vorrq_u32(a, b);
}
ELMAN_INLINE vm vm_not(vm a)
{
    return vmvnq_u32(a);
}
ELMAN_INLINE bool vm_any(vm a)
{
    return vmaxvq_u32(a) != 0;
}

ELMAN_INLINE vf vf_set1(float x)
{
    return vdupq_n_f32(x);
}
ELMAN_INLINE vf vf_zero(void)
{
    return vdupq_n_f32(0.0F);
}
ELMAN_INLINE vf vf_load(const float *p)
{
    return vld1q_f32(p);
}
ELMAN_INLINE void vf_store(float *p, vf x)
{
    vst1q_f32(p, x);
}
ELMAN_INLINE vf vf_load_n(const float *p, size_t n)
{
    float lane[4] = {0};
    for (size_t i = 0; i < n; i++) {
        lane[i] = p[i];
    }
    return vld1q_f32(lane);
}
ELMAN_INLINE void vf_store_n(float *p, vf x, size_t n)
{
    float lane[4];
    vst1q_f32(lane, x);
    for (size_t i = 0; i < n; i++) {
        p[i] = lane[i];
    }
}

ELMAN_INLINE vf vf_add(vf a, vf b)
{
    return vaddq_f32(a, b);
}
ELMAN_INLINE vf vf_sub(vf a, vf b)
{
    return vsubq_f32(a, b);
}
ELMAN_INLINE vf vf_mul(vf a, vf b)
{
    return vmulq_f32(a, b);
}
ELMAN_INLINE vf vf_div(vf a, vf b)
{
    return vdivq_f32(a, b);
}
ELMAN_INLINE vf vf_sqrt(vf a)
{
    return vsqrtq_f32(a);
}
ELMAN_INLINE vf vf_fma(vf a, vf b, vf c)
{
    return vfmaq_f32(c, a, b);
}
ELMAN_INLINE vf vf_fnma(vf a, vf b, vf c)
{
    return vfmsq_f32(c, a, b);
}
ELMAN_INLINE vf vf_neg(vf a)
{
    return vnegq_f32(a);
}
ELMAN_INLINE vf vf_abs(vf a)
{
    return vabsq_f32(a);
}
ELMAN_INLINE vf vf_copysign(vf a, vf sign)
{
    return vbslq_f32(vi_set1(0x80000000U), sign, a);
}

ELMAN_INLINE vm vf_lt(vf a, vf b)
{
    return vcltq_f32(a, b);
}
ELMAN_INLINE vm vf_le(vf a, vf b)
{
    return vcleq_f32(a, b);
}
ELMAN_INLINE vm vf_gt(vf a, vf b)
{
    return vcgtq_f32(a, b);
}
ELMAN_INLINE vm vf_ge(vf a, vf b)
{
    return vcgeq_f32(a, b);
}
ELMAN_INLINE vm vf_eq(vf a, vf b)
{
    return vceqq_f32(a, b);
}
ELMAN_INLINE vm vf_isnan(vf a)
{
    return vmvnq_u32(vceqq_f32(a, a));
}
ELMAN_INLINE vf vf_select(vm m, vf a, vf b)
{
    return vbslq_f32(m, a, b);
}
ELMAN_INLINE vf vf_max(vf a, vf b)
{
    return vbslq_f32(vcgtq_f32(a, b), a, b);
}
ELMAN_INLINE vf vf_min(vf a, vf b)
{
    return vbslq_f32(vcltq_f32(a, b), a, b);
}
ELMAN_INLINE vf vf_keep_normal(vf x)
{
    return vf_from_bits(
        vandq_u32(vi_from_bits(x), vtstq_u32(vi_from_bits(x), vi_set1(0x7f800000U))));
}

ELMAN_INLINE vf vf_round(vf x)
{
    return vrndnq_f32(x);
}
ELMAN_INLINE vi vi_from_vf(vf x)
{
    return vreinterpretq_u32_s32(vcvtnq_s32_f32(x));
}
ELMAN_INLINE vf vf_from_vi(vi x)
{
    return vcvtq_f32_s32(vreinterpretq_s32_u32(x));
}

ELMAN_INLINE vi vi_add(vi a, vi b)
{
    return vaddq_u32(a, b);
}
ELMAN_INLINE vi vi_sub(vi a, vi b)
{
    return vsubq_u32(a, b);
}
ELMAN_INLINE vi vi_xor(vi a, vi b)
{
    return veorq_u32(a, b);
}
ELMAN_INLINE vi vi_and(vi a, vi b)
{
    return vandq_u32(a, b);
}
ELMAN_INLINE vi vi_or(vi a, vi b)
{
    return vorrq_u32(a, b);
}
ELMAN_INLINE vi vi_shl(vi a, unsigned n)
{
    return a << n;
}
ELMAN_INLINE vi vi_shr(vi a, unsigned n)
{
    return a >> n;
}
ELMAN_INLINE vi vi_sra(vi a, unsigned n)
{
    return vreinterpretq_u32_s32(vreinterpretq_s32_u32(a) >> (int)n);
}
ELMAN_INLINE vm vi_eq(vi a, vi b)
{
    return vceqq_u32(a, b);
}
ELMAN_INLINE vm vi_gt(vi a, vi b)
{
    return vcgtq_s32(vreinterpretq_s32_u32(a), vreinterpretq_s32_u32(b));
}
ELMAN_INLINE void vi_mul_wide(vi a, vi b, vi *high, vi *low)
{
    uint32x4_t first = vreinterpretq_u32_u64(vmull_u32(vget_low_u32(a), vget_low_u32(b)));
    uint32x4_t second = vreinterpretq_u32_u64(vmull_high_u32(a, b));
    *low = vuzp1q_u32(first, second);
    *high = vuzp2q_u32(first, second);
}
/* Lane i of w[0..3] becomes elements 4i..4i+3 of the four vectors in a row. */
ELMAN_INLINE void vi_interleave4(vi w[4])
{
    uint32x4_t ac_low = vzip1q_u32(w[0], w[2]), ac_high = vzip2q_u32(w[0], w[2]);
    uint32x4_t bd_low = vzip1q_u32(w[1], w[3]), bd_high = vzip2q_u32(w[1], w[3]);
    w[0] = vzip1q_u32(ac_low, bd_low);
    w[1] = vzip2q_u32(ac_low, bd_low);
    w[2] = vzip1q_u32(ac_high, bd_high);
    w[3] = vzip2q_u32(ac_high, bd_high);
}

ELMAN_INLINE vd vd_zero(void)
{
    return (vd){vdupq_n_f64(0.0), vdupq_n_f64(0.0)};
}
ELMAN_INLINE vd vd_from_vf(vf x)
{
    return (vd){vcvt_f64_f32(vget_low_f32(x)), vcvt_high_f64_f32(x)};
}
ELMAN_INLINE vd vd_add(vd a, vd b)
{
    return (vd){vaddq_f64(a.low, b.low), vaddq_f64(a.high, b.high)};
}
ELMAN_INLINE vd vd_mul(vd a, vd b)
{
    return (vd){vmulq_f64(a.low, b.low), vmulq_f64(a.high, b.high)};
}
ELMAN_INLINE void vd_store(double *p, vd x)
{
    vst1q_f64(p, x.low);
    vst1q_f64(p + 2, x.high);
}

ELMAN_INLINE float vf_tree_sum(vf a)
{
    float32x2_t b = vadd_f32(vget_low_f32(a), vget_high_f32(a));
    return vget_lane_f32(b, 0) + vget_lane_f32(b, 1);
}
ELMAN_INLINE float vf_tree_max(vf a)
{
    float32x2_t low = vget_low_f32(a), high = vget_high_f32(a);
    float32x2_t b = vbsl_f32(vcgt_f32(high, low), high, low);
    float x = vget_lane_f32(b, 0), y = vget_lane_f32(b, 1);
    return y > x ? y : x;
}

#endif
