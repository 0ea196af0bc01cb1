/* The list of what was found. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "task/doctor_impl.h"

const char *elman_severity_name(elman_severity severity)
{
    static const char *const names[] = {"note", "warning", "error"};
    return names[severity];
}

/* Both lists in one place, which a caller needs not know. */
typedef struct memory {
    size_t room;
} memory;

elman_finding *elman_doctor_add(elman_doctor *doctor, const elman_found *found, elman_error *error)
{
    elman_diagnosis *d = doctor->diagnosis;
    if (!d->memory)
        d->memory = elman_allocate_zero(doctor->context, 1, sizeof(memory));
    memory *m = d->memory;
    elman_finding *grown =
        m ? elman_grown(doctor->context, d->findings, (size_t)d->count, &m->room, 1, sizeof *grown)
          : NULL;
    if (!grown) {
        (void)elman_out_of_memory(error);
        return NULL;
    }
    d->findings = grown;
    grown += d->count++;
    *grown = (elman_finding){.code = found->code,
                             .severity = found->severity,
                             .number = found->number,
                             .limit = found->limit,
                             .option = found->option};
    return grown;
}

void elman_finding_reason(elman_finding *finding, const char *format, ...)
{
    va_list arguments;
    if (!finding)
        return;
    va_start(arguments, format);
    vsnprintf(finding->reason, sizeof finding->reason, format, arguments);
    va_end(arguments);
}

void elman_finding_value(elman_finding *finding, const char *format, ...)
{
    va_list arguments;
    if (!finding)
        return;
    va_start(arguments, format);
    vsnprintf(finding->value, sizeof finding->value, format, arguments);
    va_end(arguments);
}

void elman_doctor_sort(elman_diagnosis *d)
{
    for (int64_t i = 1; i < d->count; i++) {
        elman_finding moved = d->findings[i];
        int64_t j = i;
        for (; j > 0 && d->findings[j - 1].severity < moved.severity; j--)
            d->findings[j] = d->findings[j - 1];
        d->findings[j] = moved;
    }
}

void elman_diagnosis_clear(elman_context *context, elman_diagnosis *diagnosis)
{
    if (!diagnosis)
        return;
    elman_release(context, diagnosis->findings);
    elman_release(context, diagnosis->range);
    elman_release(context, diagnosis->memory);
    *diagnosis = (elman_diagnosis){0};
}

const char *elman_doctor_count(char text[32], double count)
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%.0f", count), at = 0;
    for (int i = 0; i < length && at < 30; i++) {
        if (i && (length - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = 0;
    return text;
}

const char *elman_doctor_bytes(char text[32], double bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t unit = 0;
    for (; bytes >= 1024 && unit + 1 < sizeof units / sizeof *units; unit++)
        bytes /= 1024;
    snprintf(text, 32, bytes < 10 && unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
    return text;
}

/* Two digits: what more there were would not be true. */
const char *elman_doctor_rate(char text[32], double rate)
{
    double unit = 1;
    for (; rate > 0 && isfinite(rate) && rate / unit >= 100; unit *= 10)
        continue;
    for (; rate > 0 && rate / unit < 10; unit /= 10)
        continue;
    double digits = floor(rate / unit + 0.5);
    elman_print_real(text, unit < 1 ? digits / floor(1 / unit + 0.5) : digits * unit);
    return text;
}
