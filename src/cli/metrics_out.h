/* The figures of an evaluation, for a person and for a script. */
#ifndef ELMAN_CLI_METRICS_OUT_H
#define ELMAN_CLI_METRICS_OUT_H

#include "elman/metrics.h"

/* A line a figure, then the tables that fit 80 columns. */
void cli_metrics_print(const elman_metrics *metrics);
/* One record: the figures by name, and the tables, a list of rows each:
 * {"accuracy":0.9,"classes":[{"name":"good","precision":0.9,...},...],
 *  "confusion":[{"name":"good","answered":{"good":9,"bad":1}},...]} */
void cli_metrics_json(const elman_metrics *metrics);

#endif
