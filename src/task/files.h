/* The files of a run: those that are read, their record in config.json, and which examples of them
 * are for what. For tasks that read their files whole. */
#ifndef ELMAN_TASK_FILES_H
#define ELMAN_TASK_FILES_H

#include "elman/task.h"

/* Training files, then the validation file if there is one. */
typedef struct elman_files {
    elman_context *context;
    const char **paths; /* borrowed from the request or from config.json */
    int count, train_count;
    bool recorded; /* from config.json: what is read must be what it records */
} elman_files;

/* Of a new run: the request's, and config.valid where it is no number; room for their record is
 * made in *file. Of a resumed one, or where request is NULL: those that *file records. Ended by
 * elman_files_free. ARGUMENT: a path that is too long; DATA: no files are recorded; MEMORY. */
elman_status elman_files_of(elman_context *context, const elman_train_request *request,
                            elman_config_file *file, elman_files *files, elman_error *error);
void elman_files_free(elman_files *files);

/* After file number i was read: records what it was, or compares (DATA: it has changed). */
elman_status elman_files_read(const elman_files *files, int i, const char *sha256, uint64_t bytes,
                              elman_config_file *file, elman_error *error);

/* Examples for each part: [0, train), [train, valid), [test_first, test_end). */
typedef struct elman_parts {
    int64_t train, valid, test_first, test_end;
} elman_parts;

/* Of `count` examples, `train_count` of which come from training files: by config.split, else by
 * config.valid. A part may be empty but training's. ARGUMENT: a split that is no row of counts, or
 * of more than there are; a split beside a file to validate on; DATA: none to train on. `unit`
 * ("rows", "sentences") is what is counted. */
elman_status elman_parts_of(const elman_config *config, int64_t count, int64_t train_count,
                            const char *unit, elman_parts *parts, elman_error *error);

#endif
