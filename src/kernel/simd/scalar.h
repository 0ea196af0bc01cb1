/* One float a vector: the reference that every other instruction set must equal bit for bit. */
#ifndef ELMAN_KERNEL_SIMD_SCALAR_H
#define ELMAN_KERNEL_SIMD_SCALAR_H

#define VW 1

typedef float vf;
typedef uint32_t vi;
typedef bool vm;
typedef double vd;

ELMAN_INLINE vi vi_from_bits(vf x)
{
    vi r;
    memcpy(&r, &x, sizeof r);
    return r;
}
ELMAN_INLINE vf vf_from_bits(vi x)
{
    vf r;
    memcpy(&r, &x, sizeof r);
    return r;
}

ELMAN_INLINE vf vf_set1(float x)
{
    return x;
}
ELMAN_INLINE vf vf_zero(void)
{
    return 0.0F;
}
ELMAN_INLINE vf vf_load(const float *p)
{
    return *p;
}
ELMAN_INLINE void vf_store(float *p, vf x)
{
    *p = x;
}
ELMAN_INLINE vf vf_load_n(const float *p, size_t n)
{
    return n ? *p : 0.0F;
}
ELMAN_INLINE void vf_store_n(float *p, vf x, size_t n)
{
    if (n) {
        *p = x;
    }
}
ELMAN_INLINE vi vi_load(const uint32_t *p)
{
    return *p;
}
ELMAN_INLINE void vi_store(uint32_t *p, vi x)
{
    *p = x;
}

ELMAN_INLINE vf vf_add(vf a, vf b)
{
    return a + b;
}
ELMAN_INLINE vf vf_sub(vf a, vf b)
{
    return a - b;
}
ELMAN_INLINE vf vf_mul(vf a, vf b)
{
    return a * b;
}
ELMAN_INLINE vf vf_div(vf a, vf b)
{
    return a / b;
}
ELMAN_INLINE vf vf_sqrt(vf a)
{
    return sqrtf(a);
}
ELMAN_INLINE vf vf_fma(vf a, vf b, vf c)
{
    return fmaf(a, b, c);
}
ELMAN_INLINE vf vf_fnma(vf a, vf b, vf c)
{
    return fmaf(-a, b, c);
}
ELMAN_INLINE vf vf_neg(vf a)
{
    return -a;
}
ELMAN_INLINE vf vf_abs(vf a)
{
    return vf_from_bits(vi_from_bits(a) & 0x7fffffffU);
}
ELMAN_INLINE vf vf_copysign(vf a, vf sign)
{
    return vf_from_bits((vi_from_bits(a) & 0x7fffffffU) | (vi_from_bits(sign) & 0x80000000U));
}

ELMAN_INLINE vm vf_lt(vf a, vf b)
{
    return a < b;
}
ELMAN_INLINE vm vf_le(vf a, vf b)
{
    return a <= b;
}
ELMAN_INLINE vm vf_gt(vf a, vf b)
{
    return a > b;
}
ELMAN_INLINE vm vf_ge(vf a, vf b)
{
    return a >= b;
}
ELMAN_INLINE vm vf_eq(vf a, vf b)
{
    return a == b;
}
ELMAN_INLINE vm vf_isnan(vf a)
{
    return a != a;
}
ELMAN_INLINE vf vf_select(vm m, vf a, vf b)
{
    return m ? a : b;
}
ELMAN_INLINE vf vf_max(vf a, vf b)
{
    return a > b ? a : b;
}
ELMAN_INLINE vf vf_min(vf a, vf b)
{
    return a < b ? a : b;
}
ELMAN_INLINE vf vf_keep_normal(vf x)
{
    return vi_from_bits(x) & 0x7f800000U ? x : 0.0F;
}

ELMAN_INLINE vm vm_first(size_t n)
{
    return n > 0;
}
ELMAN_INLINE vm vm_and(vm a, vm b)
{
    return a && b;
}
ELMAN_INLINE vm vm_or(vm a, vm b)
{
    return a || b;
}
ELMAN_INLINE vm vm_not(vm a)
{
    return !a;
}
ELMAN_INLINE bool vm_any(vm a)
{
    return a;
}

/* Without the C library's rintf: |x| + 2^23 rounds to a whole number. */
ELMAN_INLINE vf vf_round(vf x)
{
    vf a = vf_abs(x);
    return a < 0x1p23F ? vf_copysign((a + 0x1p23F) - 0x1p23F, x) : x;
}
ELMAN_INLINE vi vi_from_vf(vf x)
{
    return (vi)(int32_t)vf_round(x);
}
ELMAN_INLINE vf vf_from_vi(vi x)
{
    return (vf)(int32_t)x;
}

ELMAN_INLINE vi vi_set1(uint32_t x)
{
    return x;
}
ELMAN_INLINE vi vi_iota(void)
{
    return 0;
}
ELMAN_INLINE vi vi_add(vi a, vi b)
{
    return a + b;
}
ELMAN_INLINE vi vi_sub(vi a, vi b)
{
    return a - b;
}
ELMAN_INLINE vi vi_xor(vi a, vi b)
{
    return a ^ b;
}
ELMAN_INLINE vi vi_and(vi a, vi b)
{
    return a & b;
}
ELMAN_INLINE vi vi_or(vi a, vi b)
{
    return a | b;
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
    return (vi)((int32_t)a >> n);
}
ELMAN_INLINE vm vi_eq(vi a, vi b)
{
    return a == b;
}
ELMAN_INLINE vm vi_gt(vi a, vi b)
{
    return (int32_t)a > (int32_t)b;
}
ELMAN_INLINE void vi_mul_wide(vi a, vi b, vi *high, vi *low)
{
    uint64_t p = (uint64_t)a * b;
    *high = (vi)(p >> 32);
    *low = (vi)p;
}
ELMAN_INLINE void vi_interleave4(vi w[4])
{
    (void)w;
}

ELMAN_INLINE vd vd_zero(void)
{
    return 0.0;
}
ELMAN_INLINE vd vd_from_vf(vf x)
{
    return x;
}
ELMAN_INLINE vd vd_add(vd a, vd b)
{
    return a + b;
}
ELMAN_INLINE vd vd_mul(vd a, vd b)
{
    return a * b;
}
ELMAN_INLINE void vd_store(double *p, vd x)
{
    *p = x;
}

ELMAN_INLINE float vf_tree_sum(vf a)
{
    return a;
}
ELMAN_INLINE float vf_tree_max(vf a)
{
    return a;
}

#endif
