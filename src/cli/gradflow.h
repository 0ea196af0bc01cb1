/* The gradient through time, for a person and for a script. */
#ifndef ELMAN_CLI_GRADFLOW_H
#define ELMAN_CLI_GRADFLOW_H

#include "elman/gradient_flow.h"

/* A section a layer: a row a lag with a bar, then what a step, the units and the gates do. lags:
 * those that were asked for, 0: none. */
void cli_flow_print(const elman_flow *flow, int64_t lags);
/* {"layer","lag","norm","spread","samples"} a lag (of an LSTM also "h" and "c"), then one record a
 * layer:
 * {"layer","cell","horizon","singular_value","spectral_radius",...,"gates":[...]}. */
void cli_flow_json(const elman_flow *flow);

/* A row a K. */
void cli_truncation_print(const elman_truncation *rows, int count);
/* {"bptt","cosine","norm_ratio","seconds","bytes"} a K. */
void cli_truncation_json(const elman_truncation *rows, int count);

#endif
