/* What the files of the doctor share: a run begun in memory, and the list of what is found. */
#ifndef ELMAN_TASK_DOCTOR_IMPL_H
#define ELMAN_TASK_DOCTOR_IMPL_H

#include "elman/doctor.h"
#include "task/task_impl.h"
#include "train/trainer.h"

typedef struct elman_doctor {
    elman_context *context;
    const elman_doctor_options *options;
    const elman_task *task;
    elman_config_file file;
    const elman_config *config; /* the file's */
    elman_objective objective;
    elman_trainer trainer;
    elman_survey survey;
    void *start_bytes;        /* a checkpoint in memory: */
    elman_safetensors *start; /* where the run began */
    elman_diagnosis *diagnosis;
    elman_config asked; /* before what is auto was chosen */
    double first_guess; /* the loss of guessing of the first update's batches */
    bool hopeless;      /* nothing can be tried: it would not fit into memory */
} elman_doctor;

/* Adds a finding, whose reason and value are then written. NULL: MEMORY. */
typedef struct elman_found {
    const char *code;
    elman_severity severity;
    double number, limit;
    const char *option;
} elman_found;
elman_finding *elman_doctor_add(elman_doctor *doctor, const elman_found *found, elman_error *error);
/* Writes into a finding; NULL finding: nothing. */
void elman_finding_reason(elman_finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void elman_finding_value(elman_finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The most severe first, else as they were found. */
void elman_doctor_sort(elman_diagnosis *diagnosis);

/* 1234567 as "1,234,567"; bytes as "1.2 GiB". */
const char *elman_doctor_count(char text[32], double count);
const char *elman_doctor_bytes(char text[32], double bytes);
/* A number that reads well and that an option accepts: two digits, "0.003". */
const char *elman_doctor_rate(char text[32], double rate);

/* Keeps the run as it stands, and goes back to that; only where in the data it stands, too. */
elman_status elman_doctor_keep(elman_doctor *doctor, elman_error *error);
elman_status elman_doctor_rewind(elman_doctor *doctor, elman_error *error);
elman_status elman_doctor_rewind_data(elman_doctor *doctor, elman_error *error);
/* INTERRUPTED where it was asked to stop. */
elman_status elman_doctor_stop(const elman_doctor *doctor, elman_error *error);

/* Options as they are asked for: the defaults where NULL. ARGUMENT. */
enum { ELMAN_DOCTOR_UPDATES = 1000000 };
elman_status elman_doctor_check(const elman_doctor_options **options,
                                elman_doctor_options *defaults, elman_error *error);
void elman_doctor_expect_nothing(elman_diagnosis *diagnosis);
/* Frees all but the diagnosis. */
void elman_doctor_end(elman_doctor *doctor);
/* After some updates: what they took. */
void elman_doctor_measure_memory(elman_doctor *doctor);

/* The examinations, each adding what it finds. */
elman_status elman_doctor_weigh(elman_doctor *doctor, elman_error *error);   /* before the data */
elman_status elman_doctor_sizes(elman_doctor *doctor, elman_error *error);   /* shapes, memory */
elman_status elman_doctor_targets(elman_doctor *doctor, elman_error *error); /* and classes */
elman_status elman_doctor_trial(elman_doctor *doctor, elman_error *error);   /* losses and rates */
elman_status elman_doctor_fit(elman_doctor *doctor, elman_error *error);     /* one batch */
elman_status elman_doctor_bptt(elman_doctor *doctor, elman_error *error);    /* truncation */

#endif
