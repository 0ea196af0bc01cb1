#include "kernel/ref/math_ref.h"

#include <math.h>

double elman_ref_sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

double elman_ref_sum(const float *x, size_t n, double *magnitude)
{
    double sum = 0.0, size = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)x[i];
        size += fabs((double)x[i]);
    }
    if (magnitude) {
        *magnitude = size;
    }
    return sum;
}

double elman_ref_sum_squares(const float *x, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)x[i] * (double)x[i];
    }
    return sum;
}

static double largest(const float *x, size_t n)
{
    double m = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        m = (double)x[i] > m ? (double)x[i] : m;
    }
    return m;
}

double elman_ref_log_sum_exp(const float *x, size_t n)
{
    double m = largest(x, n), s = 0.0;
    for (size_t i = 0; i < n; i++) {
        s += exp((double)x[i] - m);
    }
    return m + log(s);
}

void elman_ref_softmax(double *out, const float *x, size_t n)
{
    double lse = elman_ref_log_sum_exp(x, n);
    for (size_t i = 0; i < n; i++) {
        out[i] = exp((double)x[i] - lse);
    }
}

double elman_ref_cross_entropy(double *gradient, double *magnitude, const float *x, size_t n,
                               size_t target, double scale)
{
    double lse = elman_ref_log_sum_exp(x, n);
    for (size_t i = 0; i < n; i++) {
        double p = exp((double)x[i] - lse), hot = i == target ? 1.0 : 0.0;
        gradient[i] = scale * (p - hot);
        magnitude[i] = fabs(scale) * (p + hot);
    }
    return lse - (double)x[target];
}

void elman_ref_layer_norm(double *out, double *magnitude, const float *x, const float *gain,
                          const float *bias, size_t n, double epsilon, double *mean,
                          double *inverse)
{
    double size, center = elman_ref_sum(x, n, &size) / (double)n, squares = 0.0;
    for (size_t i = 0; i < n; i++) {
        squares += ((double)x[i] - center) * ((double)x[i] - center);
    }
    double slope = 1.0 / sqrt(squares / (double)n + epsilon);
    for (size_t i = 0; i < n; i++) {
        double g = gain ? (double)gain[i] : 1.0, b = bias ? (double)bias[i] : 0.0;
        out[i] = ((double)x[i] - center) * slope * g + b;
        magnitude[i] = (fabs((double)x[i]) + size / (double)n) * slope * fabs(g) + fabs(b);
    }
    *mean = center;
    *inverse = slope;
}

void elman_ref_layer_norm_backward(double *dx, double *magnitude, const float *dy, const float *x,
                                   const float *gain, size_t n, double epsilon)
{
    const double count = (double)n;
    double center = elman_ref_sum(x, n, NULL) / count, squares = 0.0;
    for (size_t i = 0; i < n; i++) {
        squares += ((double)x[i] - center) * ((double)x[i] - center);
    }
    double slope = 1.0 / sqrt(squares / count + epsilon);
    double plain = 0.0, product = 0.0, plain_size = 0.0, product_size = 0.0;
    for (size_t i = 0; i < n; i++) {
        double g = (double)dy[i] * (gain ? (double)gain[i] : 1.0);
        double xhat = ((double)x[i] - center) * slope;
        plain += g;
        product += g * xhat;
        plain_size += fabs(g);
        product_size += fabs(g * xhat);
    }
    for (size_t i = 0; i < n; i++) {
        double g = (double)dy[i] * (gain ? (double)gain[i] : 1.0);
        double xhat = ((double)x[i] - center) * slope;
        dx[i] = slope * (g - plain / count - xhat * product / count);
        magnitude[i] =
            slope * (fabs(g) + plain_size / count + (fabs(xhat) + 1.0) * product_size / count);
    }
}

bool elman_ref_dropout_keeps(uint64_t seed, int use, uint64_t pass, double p, size_t unit,
                             uint32_t time, uint32_t sequence)
{
    const uint32_t counter[4] = {(uint32_t)(unit / 4), time, sequence, elman_philox_use(use, pass)};
    uint32_t word[4];
    elman_philox(seed, counter, word);
    return (double)elman_uniform(word[unit % 4]) >= p;
}

static void fill_words(const elman_fill *from, uint64_t element, uint32_t word[4])
{
    const uint64_t block = element / 4;
    const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), from->stream, from->use};
    elman_philox(from->seed, counter, word);
}

double elman_ref_uniform(const elman_fill *from, uint64_t element, double low, double high)
{
    uint32_t word[4];
    fill_words(from, element, word);
    return low + (high - low) * (double)elman_uniform(word[element % 4]);
}

double elman_ref_normal(const elman_fill *from, uint64_t element, double mean, double deviation)
{
    const double pi = 3.14159265358979323846;
    uint32_t word[4];
    fill_words(from, element, word);
    const uint32_t *pair = word + element % 4 / 2 * 2;
    double u1 = ((double)(pair[0] >> 8) + 1.0) * 0x1p-24;
    double angle = 2.0 * pi * (double)elman_uniform(pair[1]);
    double r = sqrt(-2.0 * log(u1));
    return mean + deviation * r * (element % 2 ? sin(angle) : cos(angle));
}
