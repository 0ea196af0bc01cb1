#include "train/metrics.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "base/number.h"

/* A number as JSON has it: what is not finite is null. */
static const char *real(char text[32], double value)
{
    if (!isfinite(value))
        return "null";
    elman_print_real(text, value);
    return text;
}

elman_status elman_metrics_interval(elman_appender *log, const elman_progress *progress,
                                    double epoch, double loss, double norm, double rate,
                                    double tokens_per_second, elman_error *error)
{
    char line[512], a[32], b[32], c[32], d[32], e[32], f[32];
    int n = snprintf(line, sizeof line,
                     "{\"event\":\"interval\",\"step\":%" PRId64 ",\"epoch\":%s,\"loss\":%s,"
                     "\"gradient_norm\":%s,\"lr\":%s,\"tokens_per_second\":%s,\"seconds\":%s}\n",
                     progress->integers.step, real(a, epoch), real(b, loss), real(c, norm),
                     real(d, rate), real(e, tokens_per_second), real(f, progress->reals.seconds));
    return elman_appender_put(log, line, (size_t)n, error);
}

elman_status elman_metrics_validation(elman_appender *log, const elman_progress *progress,
                                      double epoch, const elman_validation *valid, bool better,
                                      elman_error *error)
{
    char line[512], metric[96] = "", a[32], b[32], c[32], d[32];
    if (valid->metric)
        snprintf(metric, sizeof metric, "\"%s\":%s,", valid->metric, real(a, valid->value));
    int n = snprintf(line, sizeof line,
                     "{\"event\":\"validation\",\"step\":%" PRId64 ",\"epoch\":%s,\"loss\":%s,"
                     "%s\"score\":%s,\"tokens\":%" PRIu64 ",\"best\":%s,%s\"seconds\":%s}\n",
                     progress->integers.step, real(a, epoch), real(b, valid->loss), metric,
                     real(d, valid->score), valid->count, better ? "true" : "false",
                     valid->reached ? "\"reached\":true," : "", real(c, progress->reals.seconds));
    return elman_appender_put(log, line, (size_t)n, error);
}
