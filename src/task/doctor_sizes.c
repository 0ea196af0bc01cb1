/* Sizes that cannot work or waste: memory, batches, vector lanes, embeddings; and how many weights
 * there are for each step that is read. */
#include <math.h>

#include "base/error.h"
#include "base/machine.h"
#include "graph/tape_impl.h"
#include "kernel/kernels.h"
#include "task/doctor_impl.h"

static const double wasted_lanes = 0.2; /* of a vector's, in a layer that costs something */
static const double wide_embedding = 4; /* times as many numbers as there are tokens */
static const double weights_per_step = 100;

enum { FEW_UNITS = 32 }; /* a smaller layer costs next to nothing */

/* Copies of a weight: value, gradient, what the optimiser and the average keep, and the packed ones
 * that kernels read. */
static double copies(const elman_config *c)
{
    double slots = c->optimizer != ELMAN_OPTIMIZER_SGD ? 2 : c->momentum > 0 ? 1 : 0;
    return 2 + slots + (c->average > 0 ? 1 : 0) + 2;
}

static double machine_memory(const elman_doctor *d)
{
    return d->options->memory > 0 ? d->options->memory : elman_machine_memory();
}

static elman_status report_memory(elman_doctor *d, double bytes, const char *option, double value,
                                  elman_error *error)
{
    double machine = machine_memory(d);
    char needed[32], there[32];
    d->diagnosis->expects.memory = bytes;
    if (!(machine > 0) || bytes <= machine)
        return ELMAN_OK;
    elman_found found = {"memory-exceeded", ELMAN_SEVERITY_ERROR, bytes, machine, option};
    elman_finding *f = elman_doctor_add(d, &found, error);
    if (!f)
        return ELMAN_ERROR_MEMORY;
    elman_finding_reason(f, "training takes about %s of memory, and there are %s",
                         elman_doctor_bytes(needed, bytes), elman_doctor_bytes(there, machine));
    elman_finding_value(f, "%.0f", fmax(floor(value), 1));
    d->hopeless = true;
    return ELMAN_OK;
}

/* What the recurrent layers alone would take, before anything is read or allocated. */
elman_status elman_doctor_weigh(elman_doctor *d, elman_error *error)
{
    const elman_config *c = d->config;
    double H = (double)c->hidden, D = c->bidirectional ? 2 : 1;
    double G = (double)elman_cell_gates((elman_cell)c->cell);
    double layers = c->layers ? (double)c->layers : 1;
    double weights = D * G * H * (H + (layers - 1) * (H + D * H));
    double bytes = weights * copies(c) * sizeof(float), machine = machine_memory(d);
    if (!(machine > 0) || bytes <= machine)
        return ELMAN_OK;
    return report_memory(d, bytes, "hidden", H * sqrt(machine / bytes) / 2, error);
}

/* Numbers that the tape keeps of one step of one sequence, with their gradients. */
static double step_floats(const elman_config *c)
{
    double H = (double)c->hidden, D = c->bidirectional ? 2 : 1;
    double parts = (double)elman_cell_parts((elman_cell)c->cell);
    double layer = D * H *
                   (parts + 1 + 2 + (c->dropout > 0 ? 2 : 0) + (c->output_norm ? 2 : 0) +
                    (c->residual ? 2 : 0));
    double input = c->vocabulary ? (double)c->embedding : (double)c->inputs;
    double output = c->pool[0] || c->vocabulary == c->outputs ? 0 : 2 * (double)c->outputs;
    return (double)c->layers * layer + 2 * input + output;
}

static elman_status judge_memory(elman_doctor *d, elman_error *error)
{
    const elman_config *c = d->config;
    double steps = (double)c->batch * (double)(c->bptt ? c->bptt : d->survey.longest);
    double weights = (double)elman_parameters_elements(d->objective.parameters) * copies(c);
    double batch = steps * step_floats(c), machine = machine_memory(d) / sizeof(float);
    bool batch_leads = batch > weights;
    double value = batch_leads ? (double)c->batch * fmax(machine / 2 - weights, 0) / batch
                               : (double)c->hidden * sqrt(machine / (weights + batch)) / 2;
    return report_memory(d, (weights + batch) * sizeof(float), batch_leads ? "batch" : "hidden",
                         value, error);
}

static elman_status judge_batch(elman_doctor *d, elman_error *error)
{
    const elman_config *c = d->config;
    const elman_survey *s = &d->survey;
    if (d->asked.batch && s->examples > 1 && c->batch > s->examples) {
        elman_found found = {"batch-exceeds-data", ELMAN_SEVERITY_WARNING, (double)c->batch,
                             (double)s->examples, "batch"};
        elman_finding *f = elman_doctor_add(d, &found, error);
        if (!f)
            return ELMAN_ERROR_MEMORY;
        elman_finding_reason(f,
                             "a batch of %lld is more than the %lld examples that there are to "
                             "train on: an epoch is one update",
                             (long long)c->batch, (long long)s->examples);
        elman_finding_value(f, "%lld", (long long)(s->examples > 8 ? s->examples / 8 : 1));
    }
    if (d->asked.bptt && s->longest && c->bptt > s->longest) {
        elman_found found = {"bptt-exceeds-stream", ELMAN_SEVERITY_WARNING, (double)c->bptt,
                             (double)s->longest, "bptt"};
        elman_finding *f = elman_doctor_add(d, &found, error);
        if (!f)
            return ELMAN_ERROR_MEMORY;
        elman_finding_reason(f,
                             "the text gives each of the %lld streams %lld tokens, fewer than the "
                             "%lld that the gradient is to flow through: an epoch is one update",
                             (long long)c->batch, (long long)s->longest, (long long)c->bptt);
        elman_finding_value(f, "%lld", (long long)(s->longest > 8 ? s->longest / 8 : 1));
    }
    return ELMAN_OK;
}

static elman_status judge_lanes(elman_doctor *d, elman_error *error)
{
    int64_t H = d->config->hidden;
    int64_t lanes = (int64_t)elman_kernels_of(d->context)->recurrent->width;
    int64_t taken = (H + lanes - 1) / lanes * lanes;
    double waste = (double)(taken - H) / (double)taken;
    if (H < FEW_UNITS || !(waste > wasted_lanes))
        return ELMAN_OK;
    elman_found found = {"lanes-wasted", ELMAN_SEVERITY_NOTE, waste, wasted_lanes, "hidden"};
    elman_finding *f = elman_doctor_add(d, &found, error);
    if (!f)
        return ELMAN_ERROR_MEMORY;
    elman_finding_reason(f,
                         "%lld units take the time of %lld, since this machine computes %lld at "
                         "once: %.0f %% of it is for nothing",
                         (long long)H, (long long)taken, (long long)lanes, 100 * waste);
    elman_finding_value(f, "%lld", (long long)(2 * (taken - H) > lanes ? taken - lanes : taken));
    return ELMAN_OK;
}

static elman_status judge_embedding(elman_doctor *d, elman_error *error)
{
    const elman_config *c = d->config;
    bool chosen = d->asked.embedding && c->embedding != c->hidden && !c->embeddings[0];
    if (!chosen || !c->vocabulary ||
        !((double)c->embedding > wide_embedding * (double)c->vocabulary))
        return ELMAN_OK;
    elman_found found = {"embedding-wide", ELMAN_SEVERITY_NOTE, (double)c->embedding,
                         wide_embedding * (double)c->vocabulary, "embedding"};
    elman_finding *f = elman_doctor_add(d, &found, error);
    if (!f)
        return ELMAN_ERROR_MEMORY;
    elman_finding_reason(f,
                         "%lld different tokens are told apart by %lld numbers already; %lld only "
                         "cost time",
                         (long long)c->vocabulary, (long long)c->vocabulary,
                         (long long)c->embedding);
    elman_finding_value(f, "%lld", (long long)c->vocabulary);
    return ELMAN_OK;
}

static int64_t trained_weights(const elman_doctor *d)
{
    int64_t count = 0;
    for (int64_t i = 0; i < elman_parameters_count(d->objective.parameters); i++) {
        const elman_parameter *p = elman_parameters_at(d->objective.parameters, i);
        if (p->gradient && !p->tied)
            count += elman_tensor_count(&p->value);
    }
    return count;
}

static elman_status judge_data(elman_doctor *d, elman_error *error)
{
    const elman_survey *s = &d->survey;
    double weights = (double)trained_weights(d);
    double steps = (double)(s->steps > s->targets ? s->steps : s->targets);
    char a[32], b[32];
    d->diagnosis->expects.parameters = (int64_t)weights;
    if (!(steps > 0) || weights <= weights_per_step * steps)
        return ELMAN_OK;
    elman_found found = {"data-few", ELMAN_SEVERITY_WARNING, weights / steps, weights_per_step,
                         "hidden"};
    elman_finding *f = elman_doctor_add(d, &found, error);
    if (!f)
        return ELMAN_ERROR_MEMORY;
    elman_finding_reason(f,
                         "%s weights are to be learnt from %s steps, %.0f for each: the network "
                         "can know the data by heart, and what it says of others is a guess",
                         elman_doctor_count(a, weights), elman_doctor_count(b, steps),
                         weights / steps);
    double units = (double)d->config->hidden * sqrt(weights_per_step * steps / weights) / 2;
    elman_finding_value(f, "%.0f", fmax(floor(units), 4));
    return ELMAN_OK;
}

elman_status elman_doctor_sizes(elman_doctor *d, elman_error *error)
{
    ELMAN_TRY(judge_memory(d, error));
    ELMAN_TRY(judge_batch(d, error));
    ELMAN_TRY(judge_lanes(d, error));
    ELMAN_TRY(judge_embedding(d, error));
    return judge_data(d, error);
}

void elman_doctor_measure_memory(elman_doctor *d)
{
    const elman_config *c = d->config;
    double kept = copies(c) - 2, floats = 0;
    for (int64_t i = 0; i < elman_parameters_count(d->objective.parameters); i++) {
        const elman_parameter *p = elman_parameters_at(d->objective.parameters, i);
        double count = (double)elman_tensor_count(&p->value);
        if (!p->tied)
            floats += p->gradient ? count * kept : count;
        for (int kind = 0; kind < ELMAN_PACK_KINDS; kind++)
            floats += (double)p->packs[kind].count;
    }
    d->diagnosis->expects.memory =
        floats * sizeof(float) + (double)elman_arena_bytes(&d->trainer.tape->arena);
}
