#include "task/forecast_normal.h"

#include <math.h>

#include "base/context_impl.h"
#include "kernel/kernels.h"

/* Wichura 1988, "Algorithm AS 241: the percentage points of the normal distribution", the
 * seven-figure PPND7; its logarithm is the kernels'. */
float elman_normal_quantile(elman_context *context, float p)
{
    static const double a[] = {3.3871327179, 50.434271938, 159.29113202, 59.109374720};
    static const double b[] = {17.895169469, 78.757757664, 67.187563600};
    static const double c[] = {1.4234372777, 2.7568153900, 1.3067284816, 0.17023821103};
    static const double d[] = {0.73700164250, 0.12021132975};
    static const double e[] = {6.6579051150, 3.0812263860, 0.42868294337, 0.017337203997};
    static const double f[] = {0.24197894225, 0.012258202635};
    double q = (double)p - 0.5;
    if (fabs(q) <= 0.425) {
        double r = 0.180625 - q * q;
        return (float)(q * (((a[3] * r + a[2]) * r + a[1]) * r + a[0]) /
                       (((b[2] * r + b[1]) * r + b[0]) * r + 1.0));
    }
    float tail = q < 0 ? p : (float)(1.0 - (double)p), logarithm;
    elman_kernels_of(context)->math->log(&logarithm, &tail, 1);
    double r = sqrt(-(double)logarithm), z;
    if (r <= 5.0) {
        r -= 1.6;
        z = (((c[3] * r + c[2]) * r + c[1]) * r + c[0]) / ((d[1] * r + d[0]) * r + 1.0);
    } else {
        r -= 5.0;
        z = (((e[3] * r + e[2]) * r + e[1]) * r + e[0]) / ((f[1] * r + f[0]) * r + 1.0);
    }
    return (float)(q < 0 ? -z : z);
}
