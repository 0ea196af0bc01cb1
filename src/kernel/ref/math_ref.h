/* What the kernels of math_kernels.h should give, naively, in double and with the C library's
 * functions. magnitude (may be NULL) receives the sum of the absolute values of an element's
 * terms, for compare_close. Only tests link this. */
#ifndef ELMAN_KERNEL_REF_MATH_REF_H
#define ELMAN_KERNEL_REF_MATH_REF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/math_kernels.h"

double elman_ref_sigmoid(double x);
double elman_ref_sum(const float *x, size_t n, double *magnitude);
double elman_ref_sum_squares(const float *x, size_t n);
double elman_ref_log_sum_exp(const float *x, size_t n);
void elman_ref_softmax(double *out, const float *x, size_t n);
/* nats; gradient = scale * (softmax - onehot) */
double elman_ref_cross_entropy(double *gradient, double *magnitude, const float *x, size_t n,
                               size_t target, double scale);
void elman_ref_layer_norm(double *out, double *magnitude, const float *x, const float *gain,
                          const float *bias, size_t n, double epsilon, double *mean,
                          double *inverse);
void elman_ref_layer_norm_backward(double *dx, double *magnitude, const float *dy, const float *x,
                                   const float *gain, size_t n, double epsilon);
/* One element: whether unit is kept, from the scalar generator. */
bool elman_ref_dropout_keeps(uint64_t seed, int use, uint64_t pass, double p, size_t unit,
                             uint32_t time, uint32_t sequence);
double elman_ref_uniform(const elman_fill *from, uint64_t element, double low, double high);
double elman_ref_normal(const elman_fill *from, uint64_t element, double mean, double deviation);

#endif
