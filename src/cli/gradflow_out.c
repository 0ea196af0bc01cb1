#include "gradflow.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "json_out.h"

static const char *const cell_names[] = {"rnn", "rnn-relu", "lstm", "gru"};

/* -- for a person ------------------------------------------------------------------------------ */

enum { BAR = 30, DECADES = 6 };

/* 1 2 3 5 7 10 14 20 30 50 70 100 140 ... */
static bool is_shown(int64_t lag, int64_t last)
{
    static const int64_t steps[] = {10, 14, 20, 30, 50, 70};
    if (lag < 4 || lag == 5 || lag == 7 || lag == last)
        return true;
    int64_t power = 1;
    while (lag >= power * 100)
        power *= 10;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (lag == steps[i] * power)
            return true;
    return false;
}

/* Four digits, with an exponent where it needs one. */
static void number(char text[16], double value)
{
    if (value != 0 && (value < 1e-4 || value >= 1e5))
        snprintf(text, 16, "%.1e", value);
    else
        snprintf(text, 16, "%.4g", value);
}

/* A bar of eighths of a column, or of #, on a logarithmic axis. */
static void print_bar(double norm, double top)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    double share = norm > 0 ? 1 + log10(norm / top) / (DECADES + log10(top)) : 0;
    int width = share > 0 ? (int)(share * BAR * 8 + 0.5) : 0;
    bool blocks = cli_is_utf8();
    for (int i = 0; i < width / 8; i++)
        fputs(blocks ? "█" : "#", stdout);
    if (blocks)
        fputs(eighths[width % 8], stdout);
}

static void print_curve(const elman_flow_layer *l)
{
    double top = 1;
    char norm[16], h[16] = "", c[16] = "";
    const bool lstm = l->cell == ELMAN_CELL_LSTM;
    for (int64_t k = 0; k <= l->lags; k++)
        top = fmax(top, l->state.norm[k]);
    printf(lstm ? "  lag     h and c         h         c    spread\n"
                : "  lag           h    spread\n");
    for (int64_t k = 0; k <= l->lags; k++) {
        if (!is_shown(k, l->lags))
            continue;
        number(norm, l->state.norm[k]);
        printf("%5lld  %10s", (long long)k, norm);
        if (lstm) {
            number(h, l->h.norm[k]);
            number(c, l->c.norm[k]);
            printf("%10s%10s", h, c);
        }
        printf("    x %-5.3g ", l->state.spread[k]);
        print_bar(l->state.norm[k], top);
        putchar('\n');
    }
}

/* How many samples there are, where that is not the same at every lag, and where they end. */
static void print_samples(const elman_flow_layer *l, int64_t asked)
{
    const double *samples = l->state.samples;
    if (samples[l->lags] < samples[0])
        printf(
            "  samples           %.0f at lag 0, %.0f at lag %lld: not all sequences are so long\n",
            samples[0], samples[l->lags], (long long)l->lags);
    if (asked > l->lags)
        printf("  --lags %-10lld the sequences reach no further than %lld\n", (long long)asked,
               (long long)l->lags);
}

static void print_horizon(const elman_flow_layer *l)
{
    char factor[16];
    number(factor, l->state.factor);
    if (!isnan(l->state.factor))
        printf("  per step          x %s\n", factor);
    if (l->state.horizon >= 0)
        printf("  memory horizon    %lld steps: from there on 1 %% or less\n",
               (long long)l->state.horizon);
    else if (l->state.horizon == ELMAN_FLOW_BEYOND)
        printf("  memory horizon    beyond the %lld steps measured\n", (long long)l->lags);
}

static void print_gates(const elman_flow_layer *l)
{
    for (int i = 0; i < l->gate_count && l->gate_count > 1; i++) {
        const elman_flow_gate *g = &l->gates[i];
        printf("  gate %s            mean %6.3f   %s 0.9 %3.0f %%   below 0.1 %3.0f %%\n", g->name,
               g->mean, g->low < 0 ? "beyond" : " above", 100 * g->open, 100 * g->closed);
    }
    if (!isnan(l->time_constant))
        printf("  held for          %.3g steps by the median unit's gate %s, %.3g by one in ten\n",
               l->time_constant, l->cell == ELMAN_CELL_LSTM ? "f" : "z", l->time_constant_90);
}

static void print_layer(const elman_flow_layer *l, int64_t asked)
{
    printf("\n%s: %s, %lld units\n", l->name, cell_names[l->cell], (long long)l->hidden);
    if (l->state.horizon == ELMAN_FLOW_UNMEASURED)
        printf(
            "  not measured: no step comes before that of the loss, or no finite gradient reaches\n"
            "  the layer there\n");
    else
        print_curve(l);
    print_samples(l, asked);
    print_horizon(l);
    if (!isnan(l->singular_value))
        printf("  one step          largest singular value %.4g, spectral radius %.4g\n",
               l->singular_value, l->spectral_radius);
    if (!isnan(l->saturated))
        printf("  saturated         %.1f %% of the %s beyond 0.95\n", 100 * l->saturated,
               l->cell == ELMAN_CELL_RNN    ? "units"
               : l->cell == ELMAN_CELL_LSTM ? "gate g"
                                            : "gate n");
    if (!isnan(l->dead))
        printf("  dead              %.1f %% of the units are 0 at every step\n", 100 * l->dead);
    print_gates(l);
}

void cli_flow_print(const elman_flow *flow, int64_t lags)
{
    char loss[32];
    cli_loss(loss, flow->loss);
    printf("The gradient of one step's loss, by lag: its norm over that at lag 0.\n");
    printf("Geometric mean over %lld steps (mean loss %s), spread as a factor; bars are\n"
           "logarithmic and end at 1e-%d.\n",
           (long long)flow->samples, loss, DECADES);
    for (int64_t i = 0; i < flow->count; i++)
        print_layer(&flow->layers[i], lags);
}

/* -- for a script ------------------------------------------------------------------------------ */

static void json_curve(cli_json *json, const elman_flow_layer *l)
{
    for (int64_t k = 0; k <= l->lags; k++) {
        cli_json_open(json, NULL, '{');
        cli_json_text(json, "layer", l->name);
        cli_json_integer(json, "lag", k);
        cli_json_real(json, "norm", l->state.norm[k]);
        cli_json_real(json, "spread", l->state.spread[k]);
        cli_json_integer(json, "samples", (int64_t)l->state.samples[k]);
        if (l->cell == ELMAN_CELL_LSTM) {
            cli_json_real(json, "h", l->h.norm[k]);
            cli_json_real(json, "c", l->c.norm[k]);
        }
        cli_json_close(json, '}');
        cli_json_end(json);
    }
}

static void json_horizon(cli_json *json, const char *key, int64_t horizon)
{
    if (horizon >= 0)
        cli_json_integer(json, key, horizon);
    else
        cli_json_real(json, key, NAN);
}

static void json_gates(cli_json *json, const elman_flow_layer *l)
{
    cli_json_open(json, "gates", '[');
    for (int i = 0; i < l->gate_count; i++) {
        const elman_flow_gate *g = &l->gates[i];
        cli_json_open(json, NULL, '{');
        cli_json_text(json, "gate", g->name);
        cli_json_real(json, "mean", g->mean);
        cli_json_real(json, "open", g->open);
        cli_json_real(json, "closed", g->closed);
        cli_json_real(json, "low", g->low);
        cli_json_real(json, "high", g->high);
        cli_json_open(json, "histogram", '[');
        for (int b = 0; b < ELMAN_FLOW_BINS; b++)
            cli_json_real(json, NULL, g->histogram[b]);
        cli_json_close(json, ']');
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
}

static void json_layer(cli_json *json, const elman_flow_layer *l)
{
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "layer", l->name);
    cli_json_text(json, "cell", cell_names[l->cell]);
    cli_json_integer(json, "hidden", l->hidden);
    cli_json_integer(json, "lags", l->lags);
    cli_json_real(json, "factor", l->state.factor);
    json_horizon(json, "horizon", l->state.horizon);
    if (l->cell == ELMAN_CELL_LSTM) {
        json_horizon(json, "horizon_h", l->h.horizon);
        json_horizon(json, "horizon_c", l->c.horizon);
    }
    cli_json_real(json, "singular_value", l->singular_value);
    cli_json_real(json, "spectral_radius", l->spectral_radius);
    cli_json_real(json, "saturated", l->saturated);
    cli_json_real(json, "dead", l->dead);
    cli_json_real(json, "time_constant", l->time_constant);
    cli_json_real(json, "time_constant_90", l->time_constant_90);
    json_gates(json, l);
    cli_json_close(json, '}');
    cli_json_end(json);
}

void cli_flow_json(const elman_flow *flow)
{
    cli_json json;
    cli_json_begin(&json, stdout);
    for (int64_t i = 0; i < flow->count; i++)
        json_curve(&json, &flow->layers[i]);
    for (int64_t i = 0; i < flow->count; i++)
        json_layer(&json, &flow->layers[i]);
}

/* -- truncation -------------------------------------------------------------------------------- */

void cli_truncation_print(const elman_truncation *rows, int count)
{
    printf("The gradient of the loss over %lld steps, taken in pieces of K steps, beside that\n"
           "taken through all of them.\n\n",
           (long long)rows[count - 1].bptt);
    printf("    K    cosine    norm ratio    time         memory\n");
    for (int i = 0; i < count; i++) {
        const elman_truncation *r = &rows[i];
        const bool small = r->bytes < 10 << 20;
        printf("%5lld    %6.4f    %6.4f      %6.1f ms    %6.0f %s\n", (long long)r->bptt, r->cosine,
               r->norm_ratio, 1e3 * r->seconds, (double)r->bytes / (small ? 0x1p10 : 0x1p20),
               small ? "KiB" : "MiB");
    }
}

void cli_truncation_json(const elman_truncation *rows, int count)
{
    cli_json json;
    cli_json_begin(&json, stdout);
    for (int i = 0; i < count; i++) {
        cli_json_open(&json, NULL, '{');
        cli_json_integer(&json, "bptt", rows[i].bptt);
        cli_json_real(&json, "cosine", rows[i].cosine);
        cli_json_real(&json, "norm_ratio", rows[i].norm_ratio);
        cli_json_real(&json, "seconds", rows[i].seconds);
        cli_json_integer(&json, "bytes", (int64_t)rows[i].bytes);
        cli_json_close(&json, '}');
        cli_json_end(&json);
    }
}
