/* Entities from tags such as B-PER, and how well they were found.
 *
 * Spans follow the rules of conlleval (Tjong Kim Sang & De Meulder 2003, the CoNLL-2003 task) as
 * seqeval's default mode has them, which read IOB1, IOB2, IO, IOBES and BILOU alike, and any
 * broken mixture: a span begins at B and S, at I or E after O, S or E, and where the type
 * changes; it ends before B, S and O, after E and S, and where the type changes. L counts as E
 * and U as S. */
#ifndef ELMAN_TASK_ENTITIES_H
#define ELMAN_TASK_ENTITIES_H

#include <stdbool.h>
#include <stdint.h>

#include "task/metrics.h"

/* Whether these K labels are of such a scheme: every one is O or one of B I E S L U, a dash and a
 * type, and one at least has a type. */
bool elman_entities_scheme(const char *const *labels, int64_t K);

/* Counts over sentences, of a label set of such a scheme. */
typedef struct elman_entities elman_entities;

/* labels [K] are read now, and need not live on. ARGUMENT: not of such a scheme, the first label
 * that is not is named. *entities is the caller's, ended by elman_entities_free (NULL is fine). */
elman_status elman_entities_create(elman_context *context, const char *const *labels, int64_t K,
                                   elman_entities **entities, elman_error *error);
void elman_entities_free(elman_entities *entities);

/* Types in order of their bytes; the name lives as long as `entities`. */
int64_t elman_entities_types(const elman_entities *entities);
const char *elman_entities_type(const elman_entities *entities, int64_t type);

/* Items begin..end-1 of a sentence. */
typedef struct elman_entity {
    int64_t begin, end;
    int64_t type;
} elman_entity;

/* The entities of one sentence, tags [n] each 0..K-1; found has room for n. How many. */
int64_t elman_entities_find(const elman_entities *entities, const int32_t *tags, int64_t n,
                            elman_entity *found);

/* Adds one sentence, truth [n] and answers [n] each 0..K-1. Nothing is allocated. */
void elman_entities_add(elman_entities *entities, const int32_t *truth, const int32_t *answers,
                        int64_t n);

/* So far; right means the same type, begin and end. support: entities that are truly there. */
elman_score elman_entities_score_type(const elman_entities *entities, int64_t type);
/* micro from the sums; macro and weighted means over the types that occur as truth or answer. Any
 * may be NULL. */
void elman_entities_score(const elman_entities *entities, elman_score *micro, elman_score *macro,
                          elman_score *weighted);

#endif
