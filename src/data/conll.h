/* Tagged sentences in columns: CoNLL-U (universaldependencies.org/format.html) and CoNLL-2003
 * (Tjong Kim Sang and De Meulder 2003) and their like: a word a line, its cells in columns, an
 * empty line between sentences. Read sentence by sentence, so that an answer can be given as
 * soon as a sentence has ended.
 *
 * Cells are separated by a tab where the line has one, else by runs of spaces. All word lines of
 * a sentence have the same number of columns. In CoNLL-U the first column numbers the words 1, 2,
 * 3, ...; lines numbered 3-4 (a range that was one written word) or 5.1 (an empty node) are kept
 * but are no words, and a line that begins with # is a comment. In other files # may be a word: a
 * line that begins with it is a comment where its columns are not as many as the rows' before it,
 * or where no row came before. A line whose first cell is -DOCSTART- is kept and no word. */
#ifndef ELMAN_DATA_CONLL_H
#define ELMAN_DATA_CONLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/lines.h"
#include "elman/context.h"

typedef enum elman_conll_kind {
    ELMAN_CONLL_WORD,
    ELMAN_CONLL_COMMENT,  /* has no cells */
    ELMAN_CONLL_RANGE,    /* 3-4 */
    ELMAN_CONLL_EMPTY,    /* 5.1 */
    ELMAN_CONLL_DOCUMENT, /* -DOCSTART- */
} elman_conll_kind;

typedef enum elman_conll_form {
    ELMAN_CONLL_AUTO,   /* U where the file's first row has ten columns between tabs and a
                           number, range or empty node as its first cell; else COLUMNS */
    ELMAN_CONLL_U,      /* the word is column 1 (from 0) */
    ELMAN_CONLL_COLUMNS /* the word is column 0 */
} elman_conll_form;

/* One line as it stood, without its line end. Offsets are into sentence->text. */
typedef struct elman_conll_line {
    elman_conll_kind kind;
    size_t offset, size;
    size_t first_cell; /* in sentence->cells */
    int64_t columns;   /* 0 for a comment */
} elman_conll_line;

typedef struct elman_conll_cell_place {
    size_t offset, size;
} elman_conll_cell_place;

/* Valid until the reader's next call. */
typedef struct elman_conll_sentence {
    uint64_t number; /* the file's line on which it begins, from 1 */
    elman_conll_line *lines;
    size_t line_count;
    size_t *words; /* [word_count]: which lines are words */
    size_t word_count;
    int64_t columns; /* of its words; 0 where it has none */
    int64_t word_column;
    const char *text;
    elman_conll_cell_place *cells;
} elman_conll_sentence;

typedef struct elman_conll_reader elman_conll_reader;

/* Reads a file. *reader is the caller's, to be ended by elman_conll_reader_free. IO, DATA (an
 * empty file), MEMORY. */
elman_status elman_conll_reader_open(elman_context *context, const char *path,
                                     elman_conll_form form, elman_conll_reader **reader,
                                     elman_error *error);
/* Reads lines as they come from a call; `name` begins the errors and is copied. */
elman_status elman_conll_reader_create(elman_context *context, const char *name,
                                       elman_line_call call, void *user, elman_conll_form form,
                                       elman_conll_reader **reader, elman_error *error);
/* The next sentence: its lines up to an empty one, comments and lines that are no words among
 * them (it may have no word at all). *sentence is NULL after the last. FORMAT: FILE: line 12: ...
 * what was found and expected: not UTF-8, a zero byte, another number of columns, an empty word, a
 * CoNLL-U number out of its order, a sentence of more than 64 MiB. MEMORY, and what the call
 * answers. After a failure the reader can only be freed. */
elman_status elman_conll_next(elman_conll_reader *reader, const elman_conll_sentence **sentence,
                              elman_error *error);
/* The form: AUTO as long as no row has been seen. */
elman_conll_form elman_conll_form_of(const elman_conll_reader *reader);
/* After the last sentence of a file: its bytes and SHA-256. false where the lines came from a
 * call, or are not all read. */
bool elman_conll_digest(elman_conll_reader *reader, char hex[65], uint64_t *bytes);
/* NULL is fine. */
void elman_conll_reader_free(elman_conll_reader *reader);

/* A cell of a line, not zero-terminated; NULL (size 0) where the line has no such column. */
const char *elman_conll_cell(const elman_conll_sentence *sentence, size_t line, int64_t column,
                             size_t *size);
/* Word i (0..word_count-1) itself, and its cell in another column. */
const char *elman_conll_word(const elman_conll_sentence *sentence, size_t i, size_t *size);
const char *elman_conll_word_cell(const elman_conll_sentence *sentence, size_t i, int64_t column,
                                  size_t *size);
/* The file's line of word i. */
uint64_t elman_conll_word_line(const elman_conll_sentence *sentence, size_t i);

#endif
