#include <math.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "doctor.h"
#include "json_out.h"

/* "Change: --lr 0.003"; a flag has no value. */
static void remedy(const elman_finding *f, char text[192])
{
    text[0] = 0;
    if (f->option == NULL)
        return;
    if (f->value[0] == 0)
        snprintf(text, 192, " Change: --%s", f->option);
    else
        snprintf(text, 192, " Change: --%s %s", f->option, f->value);
}

static void print_finding(const elman_finding *f, int columns)
{
    char text[ELMAN_FINDING_REASON + 512], change[192];
    int indent = 2;
    printf("%s: %s (%.4g", elman_severity_name(f->severity), f->code, f->number);
    if (!isnan(f->limit))
        printf(", limit %.4g", f->limit);
    printf(")\n");
    remedy(f, change);
    snprintf(text, sizeof(text), "%s.%s", f->reason, change);
    printf("%*s", indent, "");
    cli_wrap(stdout, text, indent, indent, columns);
}

static void print_memory(double bytes)
{
    if (bytes >= 1024.0 * 1024 * 1024)
        printf("memory        %.1f GiB\n", bytes / (1024.0 * 1024 * 1024));
    else
        printf("memory        %.1f MiB\n", bytes / (1024.0 * 1024));
}

static void print_expectation(const elman_expectation *e)
{
    char text[32], each[32];
    cli_grouped(text, (unsigned long long)e->parameters);
    printf("weights       %s\n", text);
    if (e->memory > 0)
        print_memory(e->memory);
    if (!isnan(e->seconds_per_step)) {
        cli_duration(text, e->seconds_per_step * (double)e->steps);
        snprintf(each, sizeof(each), "%.3g ms", 1000 * e->seconds_per_step);
        printf("time          %s: %lld updates, %s each\n", text, (long long)e->steps, each);
    }
    if (!isnan(e->entropy))
        printf("guessing      %.4f nats by frequency, %.4f by chance\n", e->entropy, e->guess_loss);
    else if (!isnan(e->guess_loss))
        printf("guessing      %.4f\n", e->guess_loss);
    if (!isnan(e->initial_loss))
        printf("untrained     %.4f\n", e->initial_loss);
    if (!isnan(e->trial_loss))
        printf("after trial   %.4f\n", e->trial_loss);
    if (!isnan(e->best_lr))
        printf("steepest at   --lr %.2g\n", e->best_lr);
    if (isfinite(e->divergence_lr))
        printf("diverges at   --lr %.2g\n", e->divergence_lr);
    if (e->fit_updates >= 0)
        printf("one batch     learnt in %lld updates\n", (long long)e->fit_updates);
}

void cli_doctor_print(const elman_diagnosis *d, bool replay, bool expects)
{
    int columns = cli_columns(STDOUT_FILENO);
    columns = columns >= 40 && columns <= 100 ? columns : 80;
    for (int64_t i = 0; i < d->count; i++)
        print_finding(&d->findings[i], columns);
    if (!expects)
        return;
    if (replay && d->replayed_from < 0)
        printf("replayed      nothing: the training is finished\n");
    else if (replay)
        printf("replayed      steps %lld to %lld\n", (long long)d->replayed_from + 1,
               (long long)d->replayed_to);
    else
        print_expectation(&d->expects);
}

/* Of finding not-finite, where it stood. */
static void json_fault(cli_json *json, const elman_fault *f)
{
    cli_json_integer(json, "step", f->step);
    cli_json_integer(json, "batch", f->batch);
    cli_json_text(json, "pass", f->backward ? "backward" : "forward");
    cli_json_text(json, "operation", f->operation);
    if (f->layer[0] != 0)
        cli_json_text(json, "layer", f->layer);
    if (f->gate != NULL)
        cli_json_text(json, "gate", f->gate);
    if (f->unit >= 0)
        cli_json_integer(json, "unit", f->unit);
    if (f->sequence >= 0) {
        cli_json_integer(json, "sequence", f->sequence);
        cli_json_integer(json, "time", f->time);
        cli_json_text(json, "sample", f->sample);
    }
    cli_json_text(json, "value", isnan(f->value) ? "nan" : f->value > 0 ? "inf" : "-inf");
    cli_json_text(json, "fed", f->fed);
}

static void json_finding(const elman_finding *f, const elman_fault *fault)
{
    cli_json json;
    cli_json_begin(&json, stdout);
    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "finding", f->code);
    cli_json_text(&json, "severity", elman_severity_name(f->severity));
    cli_json_real(&json, "number", f->number);
    cli_json_real(&json, "limit", f->limit);
    cli_json_text(&json, "reason", f->reason);
    if (f->option != NULL) {
        cli_json_text(&json, "option", f->option);
        cli_json_text(&json, "value", f->value);
    }
    if (strcmp(f->code, "not-finite") == 0)
        json_fault(&json, fault);
    cli_json_close(&json, '}');
    cli_json_end(&json);
}

static void json_expectation(const elman_diagnosis *d, bool replay)
{
    const elman_expectation *e = &d->expects;
    cli_json json;
    cli_json_begin(&json, stdout);
    cli_json_open(&json, NULL, '{');
    cli_json_integer(&json, "findings", d->count);
    if (replay) {
        cli_json_integer(&json, "replayed_from", d->replayed_from);
        cli_json_integer(&json, "replayed_to", d->replayed_to);
    } else {
        cli_json_integer(&json, "parameters", e->parameters);
        cli_json_integer(&json, "steps", e->steps);
        cli_json_real(&json, "seconds_per_step", e->seconds_per_step);
        cli_json_real(&json, "memory_bytes", e->memory);
        cli_json_real(&json, "guess_loss", e->guess_loss);
        cli_json_real(&json, "entropy", e->entropy);
        cli_json_real(&json, "initial_loss", e->initial_loss);
        cli_json_real(&json, "trial_loss", e->trial_loss);
        cli_json_real(&json, "best_lr", e->best_lr);
        cli_json_real(&json, "divergence_lr", e->divergence_lr);
        cli_json_integer(&json, "fit_updates", e->fit_updates);
        cli_json_real(&json, "fit_loss", e->fit_loss);
        cli_json_open(&json, "range", '[');
        for (int64_t i = 0; i < d->range_count; i++) {
            cli_json_open(&json, NULL, '{');
            cli_json_real(&json, "lr", d->range[i].lr);
            cli_json_real(&json, "loss", d->range[i].loss);
            cli_json_real(&json, "smooth", d->range[i].smooth);
            cli_json_close(&json, '}');
        }
        cli_json_close(&json, ']');
    }
    cli_json_close(&json, '}');
    cli_json_end(&json);
}

void cli_doctor_json(const elman_diagnosis *d, bool replay)
{
    for (int64_t i = 0; i < d->count; i++)
        json_finding(&d->findings[i], &d->fault);
    json_expectation(d, replay);
}
