/* The training so far, from the lines of metrics.jsonl that this library wrote: flat records
 * whose keys stand once. A line that is none of them is passed over. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect.h"

enum { KEY = 32 };

/* What stands behind "key":, or NULL. */
static const char *value_of(const char *line, const char *key)
{
    char quoted[KEY];
    snprintf(quoted, sizeof(quoted), "\"%s\":", key);
    const char *at = strstr(line, quoted);
    return at != NULL ? at + strlen(quoted) : NULL;
}

static double number_of(const char *line, const char *key)
{
    const char *at = value_of(line, key);
    char *end = NULL;
    double value = at != NULL ? strtod(at, &end) : NAN;
    return end != at ? value : NAN;
}

static bool is(const char *line, const char *key, const char *value)
{
    const char *at = value_of(line, key);
    return at != NULL && strncmp(at, value, strlen(value)) == 0;
}

static void read_line(const char *line, cli_training *t)
{
    double step = number_of(line, "step");
    bool validation = is(line, "event", "\"validation\"");
    if (!(step >= 0 && step < 1e15) || (!validation && !is(line, "event", "\"interval\"")))
        return;
    t->any = true;
    t->step = (int64_t)step;
    t->epoch = number_of(line, "epoch");
    t->seconds = number_of(line, "seconds");
    double loss = number_of(line, "loss");
    if (!validation) {
        t->loss = loss;
        return;
    }
    t->valid_loss = loss;
    if (is(line, "best", "true")) { /* the task's own figure may be what chooses */
        t->best_loss = loss;
        t->best_step = t->step;
        t->best_epoch = t->epoch;
    }
    t->validated = true;
}

void cli_training_read(const char *path, cli_training *training)
{
    char *line = NULL;
    size_t capacity = 0;
    memset(training, 0, sizeof(*training));
    training->loss = training->valid_loss = training->best_loss = NAN;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return;
    while (getline(&line, &capacity, file) > 0)
        read_line(line, training);
    free(line);
    fclose(file);
}
