/* The inside of a text, and the scan that cuts its bytes into tokens. */
#ifndef ELMAN_DATA_TEXT_IMPL_H
#define ELMAN_DATA_TEXT_IMPL_H

#include <stdbool.h>

#include "base/file.h"
#include "data/source.h"
#include "elman/text.h"

enum {
    ELMAN_TEXT_BUFFER = 1 << 16,  /* bytes that a scan reads at once */
    ELMAN_TEXT_BUFFER_LEAST = 4,  /* one code point */
    ELMAN_TEXT_INTERVAL = 1 << 16 /* tokens between two entries of the index */
};

typedef struct elman_text_place {
    uint64_t offset; /* in the file */
    int file;
} elman_text_place;

typedef struct elman_text_part {
    uint64_t first_token;
    char sha256[65];
    bool open_ended; /* the last byte is no line end */
} elman_text_part;

struct elman_text {
    elman_context *context;
    elman_level level;
    elman_source source;
    elman_text_part *parts; /* one a file */
    uint64_t tokens;
    size_t longest_word; /* bytes */
    uint64_t interval;
    elman_text_place *index; /* token i*interval is the first that ends after index[i] */
    size_t index_count, index_capacity;
    size_t buffer; /* bytes, for scans that name no other size */
};

/* elman_text_open with sizes of one's own, for tests. */
elman_status elman_text_open_sized(elman_context *context, const char *const *paths, int count,
                                   elman_level level, size_t buffer, uint64_t interval,
                                   elman_text **text, elman_error *error);
elman_status elman_text_reader_open_sized(elman_text *text, const elman_vocabulary *vocabulary,
                                          uint64_t first, uint64_t end, size_t buffer,
                                          elman_text_reader **reader, elman_error *error);

/* A scan: one pass over tokens, from any place where one may begin. */
typedef struct elman_text_scan {
    elman_text *text;
    int file;
    uint64_t filled;       /* offset in the file just after the buffered bytes */
    unsigned char *buffer; /* bytes begin..end are not scanned yet */
    size_t capacity, begin, end;
    unsigned char *word; /* word level: `kept` bytes, all of it where they are its size */
    size_t word_capacity, kept;
    elman_sha256 *sha; /* the first pass hashes what it reads */
} elman_text_scan;

typedef enum elman_token_kind {
    ELMAN_TOKEN_VALUE, /* char, byte: value; word: scan->word, size bytes */
    ELMAN_TOKEN_END_OF_LINE,
    ELMAN_TOKEN_NONE /* the end of the text */
} elman_token_kind;

typedef struct elman_token {
    elman_token_kind kind;
    uint32_t value;
    size_t size;            /* of the word, maybe more than was kept */
    elman_text_place place; /* of its first byte */
} elman_token;

/* Words longer than word_capacity are not kept whole (0 is fine: none are). */
elman_status elman_text_scan_begin(elman_text_scan *scan, elman_text *text, size_t buffer,
                                   size_t word_capacity, elman_error *error);
void elman_text_scan_free(elman_text_scan *scan);
/* Goes to a place. */
void elman_text_scan_move(elman_text_scan *scan, elman_text_place place);
/* Where the next token will be looked for. */
elman_text_place elman_text_scan_place(const elman_text_scan *scan);
elman_status elman_text_scan_next(elman_text_scan *scan, elman_token *token, elman_error *error);
/* Goes to the token of that number, 0..tokens. */
elman_status elman_text_scan_seek(elman_text_scan *scan, uint64_t token, elman_error *error);

/* ARGUMENT where [first, end) is not within the text. */
elman_status elman_text_check_range(const elman_text *text, uint64_t first, uint64_t end,
                                    elman_error *error);

#endif
