/* Where lines wait for their answer: they come in one by one, are answered together as soon as no
 * more are there without waiting, and go out as they stood, each with its tag behind it. */
#ifndef ELMAN_TASK_TAG_DESK_H
#define ELMAN_TASK_TAG_DESK_H

#include "data/intern.h"
#include "task/tag_impl.h"

/* What is written behind a line. */
typedef enum elman_tag_ending {
    ELMAN_TAG_NOTHING, /* it stays as it stood */
    ELMAN_TAG_NONE,    /* a column that says nothing, _ */
    ELMAN_TAG_HEADER,  /* the column's name, tag */
    ELMAN_TAG_TAG      /* the next step's tag */
} elman_tag_ending;

typedef struct elman_tag_line {
    size_t offset, size; /* in desk->text */
    elman_tag_ending ending;
    char separator;
} elman_tag_line;

/* The examples that wait are those of the tagger. */
typedef struct elman_tag_desk {
    elman_tagger *tagger;
    const elman_lines *lines;
    bool json;
    char *text;
    elman_tag_line *list; /* [count] */
    size_t count, text_used, text_room, list_room;
    elman_intern names; /* of sequences of vectors */
    int32_t *sequences; /* [examples] numbers of names; for records */
    size_t sequences_room;
    char *out; /* what is being written */
    size_t out_used, out_room;
} elman_tag_desk;

void elman_tag_desk_init(elman_tag_desk *desk, elman_tagger *tagger, const elman_lines *lines,
                         bool json);
void elman_tag_desk_free(elman_tag_desk *desk);
/* Takes a copy of a line. MEMORY. */
elman_status elman_tag_desk_put(elman_tag_desk *desk, const char *text, size_t size,
                                elman_tag_ending ending, char separator, elman_error *error);
/* An elman_line_call, user the desk: answers what waits if the next line would keep it waiting. */
elman_status elman_tag_desk_read(void *user, const char **line, size_t *size, elman_error *error);
/* Answers and writes everything that waits. */
elman_status elman_tag_desk_answer(elman_tag_desk *desk, elman_error *error);
/* The same once so many examples wait that there is nothing in waiting for more. */
elman_status elman_tag_desk_turn(elman_tag_desk *desk, elman_error *error);

/* The forms that lines come in: sentences in columns, and rows of vectors. */
elman_status elman_tag_predict_sentences(elman_tag_desk *desk, elman_error *error);
elman_status elman_tag_predict_rows(elman_tag_desk *desk, elman_error *error);

#endif
