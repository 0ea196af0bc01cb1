/* A text corpus: files as one stream of tokens, read in bounded memory however
 * large they are. What tokens are, elman/vocabulary.h says.
 *
 * Files follow each other with nothing between; each must be valid by itself, and
 * at word level a file's end ends its last word and, where its last byte is not a
 * line end, adds the <eos> of that line. To train on some files and validate on
 * others, open them as one text and use token ranges: elman_text_file says where
 * each begins. A text, and what was opened on it, is used by one thread at a time. */
#ifndef ELMAN_TEXT_H
#define ELMAN_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "elman/vocabulary.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct elman_text elman_text;

typedef struct elman_text_file_info {
    const char *path;     /* as given */
    const char *sha256;   /* 64 lower-case hexadecimal digits */
    uint64_t size;        /* bytes */
    uint64_t first_token; /* the number of its first token in the whole text */
    uint64_t tokens;      /* at least 1 */
} elman_text_file_info;

/* Reads every file once, from beginning to end: validates, counts tokens, hashes,
 * and notes where every 65,536th token stands. Holds no text afterwards.
 * paths: `count` >= 1 regular files, kept as copies. *text is the caller's, to be
 * ended by elman_text_free after all that was opened on it.
 * ARGUMENT: no file, "-", not a regular file; IO: no such file, a folder, unreadable,
 * changed while it was read; FORMAT: char and word level, bytes that are not UTF-8
 * (path, byte offset and bytes are named); DATA: an empty file; char and word level,
 * a zero byte; word level, a word longer than ELMAN_WORD_LIMIT; MEMORY. */
ELMAN_API elman_status elman_text_open(elman_context *context, const char *const *paths, int count,
                                       elman_level level, elman_text **text, elman_error *error);
/* NULL is fine. */
ELMAN_API void elman_text_free(elman_text *text);

ELMAN_API elman_level elman_text_level(const elman_text *text);
ELMAN_API uint64_t elman_text_tokens(const elman_text *text);
ELMAN_API int elman_text_files(const elman_text *text);
/* file: 0..files-1. The strings live as long as the text. */
ELMAN_API elman_text_file_info elman_text_file(const elman_text *text, int file);

/* Makes the vocabulary of the tokens [first, end). Words that come fewer than
 * min_count (>= 1) times are left out and count as <unk>. A char vocabulary should
 * be of the whole text, since an unseen character is an error; only the word level
 * takes a min_count above 1.
 * ARGUMENT: a range that is empty or out of bounds, min_count; IO: a file changed;
 * DATA: more than ELMAN_VOCABULARY_LIMIT words; MEMORY. */
ELMAN_API elman_status elman_text_vocabulary(elman_text *text, uint64_t first, uint64_t end,
                                             uint64_t min_count, elman_vocabulary **vocabulary,
                                             elman_error *error);

/* Reads the tokens [first, end) as ids. text and vocabulary outlive the reader. */
typedef struct elman_text_reader elman_text_reader;

/* Stands at `first`. All memory is taken here: 64 KiB and the longest word.
 * ARGUMENT: a range out of bounds, or the vocabulary's level is not the text's;
 * MEMORY; IO as _read. */
ELMAN_API elman_status elman_text_reader_open(elman_text *text, const elman_vocabulary *vocabulary,
                                              uint64_t first, uint64_t end,
                                              elman_text_reader **reader, elman_error *error);
/* NULL is fine. */
ELMAN_API void elman_text_reader_free(elman_text_reader *reader);

/* Up to n ids; *count is fewer only at the end of the range, or where it fails.
 * Allocates nothing. DATA: a character that the vocabulary does not have (path, byte
 * offset and U+XXXX are named); IO: the file is gone or has changed since the text
 * was opened. After a failure the reader stands before the token that failed. */
ELMAN_API elman_status elman_text_reader_read(elman_text_reader *reader, int32_t *ids, size_t n,
                                              size_t *count, elman_error *error);

/* The number, in the whole text, of the token that is read next. */
ELMAN_API uint64_t elman_text_reader_position(const elman_text_reader *reader);

/* Moves to a token of [first, end]; reads at most 65,536 tokens to get there.
 * Allocates nothing. ARGUMENT: outside; IO as _read. */
ELMAN_API elman_status elman_text_reader_seek(elman_text_reader *reader, uint64_t token,
                                              elman_error *error);

#ifdef __cplusplus
}
#endif

#endif
