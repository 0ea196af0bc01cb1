/* How elman doctor prints what it found. */
#ifndef ELMAN_CLI_DOCTOR_H
#define ELMAN_CLI_DOCTOR_H

#include <stdbool.h>

#include "elman/doctor.h"

/* A finding a paragraph: severity, code, reason and remedy. replay: of elman_doctor_model. expects:
 * what was measured, too. */
void cli_doctor_print(const elman_diagnosis *diagnosis, bool replay, bool expects);
/* {"finding": CODE, ...} each, then one of what was measured. */
void cli_doctor_json(const elman_diagnosis *diagnosis, bool replay);

#endif
