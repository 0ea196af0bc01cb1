/* Pretrained word vectors: the rows of one vocabulary, out of a stream of lines. */
#include "data/word_vectors.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/float_environment.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/utf8.h"
#include "data/lines.h"
#include "data/unicode.h"
#include "data/word_table.h"

typedef struct vector_reader {
    elman_context *context;
    const char *path;
    const elman_vocabulary *vocabulary;
    elman_word_vectors *out;
    elman_line_file file;
    elman_word_table folded; /* of the vocabulary's words */
    int32_t *next;           /* [V]: the next word that folds to the same, -1 at the end */
    int32_t *heads;          /* [V]: the first word of an entry of `folded` */
    char *fold;
    int32_t *scratch;
    size_t fold_room;
    float *row;         /* [E] */
    uint64_t announced; /* lines, of the first line; 0: it says nothing */
} vector_reader;

void elman_word_vectors_clear(elman_context *context, elman_word_vectors *vectors)
{
    elman_release(context, vectors->rows);
    elman_release(context, vectors->found);
    memset(vectors, 0, sizeof *vectors);
}

static elman_status no_memory(const vector_reader *r, elman_error *error)
{
    return elman_fail(error, ELMAN_ERROR_MEMORY, "%s: out of memory for vectors", r->path);
}

/* Folds into r->fold; *size is 0 where the word is not UTF-8. */
static elman_status fold_word(vector_reader *r, const char *word, size_t bytes, size_t *size,
                              elman_error *error)
{
    size_t room = elman_unicode_fold_room(bytes);
    *size = 0;
    if (bytes == 0 || bytes > ELMAN_WORD_LIMIT)
        return ELMAN_OK;
    if (room > r->fold_room) {
        elman_release(r->context, r->fold);
        elman_release(r->context, r->scratch);
        r->fold_room = 0;
        r->fold = elman_allocate(r->context, 2 * room, 1);
        r->scratch = elman_allocate(r->context, 2 * room, sizeof *r->scratch);
        if (r->fold == NULL || r->scratch == NULL)
            return no_memory(r, error);
        r->fold_room = 2 * room;
    }
    ptrdiff_t folded = elman_unicode_fold(word, bytes, true, r->fold, r->scratch);
    *size = folded > 0 ? (size_t)folded : 0;
    return ELMAN_OK;
}

/* Which words of the vocabulary fold to what. */
static elman_status fold_vocabulary(vector_reader *r, elman_error *error)
{
    int32_t V = elman_vocabulary_count(r->vocabulary);
    r->next = elman_allocate(r->context, (size_t)V, sizeof *r->next);
    r->heads = elman_allocate(r->context, (size_t)V, sizeof *r->heads);
    if (r->next == NULL || r->heads == NULL)
        return no_memory(r, error);
    for (int32_t id = 0; id < V; id++) {
        size_t bytes, size, count = r->folded.count;
        const char *word = elman_vocabulary_token(r->vocabulary, id, &bytes);
        r->next[id] = -1;
        ELMAN_TRY(fold_word(r, word, bytes, &size, error));
        if (size == 0)
            continue;
        ELMAN_TRY(elman_word_table_add(&r->folded, r->fold, size, 1, error));
        size_t entry = elman_word_table_find(&r->folded, r->fold, size);
        if (r->folded.count == count)
            r->next[id] = r->heads[entry];
        r->heads[entry] = id;
    }
    return ELMAN_OK;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static size_t trim_end(const char *line, size_t size)
{
    while (size > 0 && is_blank(line[size - 1]))
        size--;
    return size;
}

/* The beginning of the last field of line[0..size), which ends in none. */
static size_t last_field(const char *line, size_t size)
{
    while (size > 0 && !is_blank(line[size - 1]))
        size--;
    return size;
}

static size_t count_fields(const char *line, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i < size; i++)
        count += !is_blank(line[i]) && (i == 0 || is_blank(line[i - 1]));
    return count;
}

/* [-]digits[.digits] of at most 15 digits: their whole number and the power of ten are exact
 * doubles, so that the one division rounds right (Clinger 1990). */
static bool parse_short(const char *text, size_t size, double *value)
{
    static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    size_t at = size > 0 && text[0] == '-', digits = 0, behind = 0;
    bool point = false;
    int64_t whole = 0;
    for (; at < size; at++) {
        if (text[at] == '.' && !point) {
            point = true;
            continue;
        }
        if (text[at] < '0' || text[at] > '9' || ++digits > 15)
            return false;
        whole = 10 * whole + (text[at] - '0');
        behind += point;
    }
    if (digits == 0)
        return false;
    double magnitude = (double)whole / powers[behind];
    *value = text[0] == '-' ? -magnitude : magnitude;
    return true;
}

static bool parse_number(const char *text, size_t size, float *value)
{
    char copy[512];
    double real;
    if (!parse_short(text, size, &real)) {
        if (size >= sizeof copy || memchr(text, '\0', size) != NULL)
            return false;
        memcpy(copy, text, size);
        copy[size] = '\0';
        if (!elman_parse_real(copy, &real))
            return false;
    }
    if (!(fabs(real) <= (double)FLT_MAX))
        return false;
    *value = (float)real;
    return true;
}

static elman_status no_number(const vector_reader *r, const char *field, size_t size, int64_t k,
                              elman_error *error)
{
    size_t shown = 0;
    while (shown < size && shown < 40 && (unsigned char)field[shown] >= ' ' &&
           (unsigned char)field[shown] < 0x7F)
        shown++;
    return elman_fail(error, ELMAN_ERROR_FORMAT,
                      "%s: line %llu: found \"%.*s\"%s as number %lld; expected a finite number, "
                      "%lld of them behind the word",
                      r->path, (unsigned long long)r->file.number, (int)shown, field,
                      shown < size ? "..." : "", (long long)k + 1, (long long)r->out->width);
}

/* The line's last E numbers into r->row; *word is the size of what stands before. */
static elman_status parse_line(vector_reader *r, const char *line, size_t size, size_t *word,
                               elman_error *error)
{
    size = trim_end(line, size);
    for (int64_t k = r->out->width - 1; k >= 0; k--) {
        size_t begin = last_field(line, size);
        /* The first field is the word, whatever it is. */
        if (begin == 0)
            return elman_fail(error, ELMAN_ERROR_FORMAT,
                              "%s: line %llu: found %lld numbers; expected %lld behind the word",
                              r->path, (unsigned long long)r->file.number,
                              (long long)(r->out->width - 1 - k), (long long)r->out->width);
        if (!parse_number(line + begin, size - begin, &r->row[k]))
            return no_number(r, line + begin, size - begin, k, error);
        size = trim_end(line, begin);
        if (size == 0 && k > 0)
            return elman_fail(error, ELMAN_ERROR_FORMAT,
                              "%s: line %llu: found %lld numbers; expected %lld behind the word",
                              r->path, (unsigned long long)r->file.number,
                              (long long)(r->out->width - k), (long long)r->out->width);
    }
    *word = size;
    return ELMAN_OK;
}

static void keep(vector_reader *r, int32_t id, elman_word_found how)
{
    elman_word_vectors *out = r->out;
    if (out->found[id] >= how)
        return;
    memcpy(out->rows + (size_t)id * (size_t)out->width, r->row,
           (size_t)out->width * sizeof *out->rows);
    out->folded_count += how == ELMAN_WORD_FOUND_FOLDED;
    if (how == ELMAN_WORD_FOUND_EXACT) {
        out->folded_count -= out->found[id] == ELMAN_WORD_FOUND_FOLDED;
        out->exact_count++;
    }
    out->found[id] = (unsigned char)how;
}

static elman_status take_line(vector_reader *r, const char *line, size_t size, elman_error *error)
{
    size_t word = 0, folded;
    ELMAN_TRY(parse_line(r, line, size, &word, error));
    r->out->lines++;
    if (word == 0 || memchr(line, ' ', word) != NULL || memchr(line, '\t', word) != NULL)
        return ELMAN_OK;
    int32_t id = elman_vocabulary_find(r->vocabulary, line, word);
    if (id >= 0)
        keep(r, id, ELMAN_WORD_FOUND_EXACT);
    ELMAN_TRY(fold_word(r, line, word, &folded, error));
    size_t entry =
        folded > 0 ? elman_word_table_find(&r->folded, r->fold, folded) : ELMAN_WORD_TABLE_NONE;
    if (entry == ELMAN_WORD_TABLE_NONE)
        return ELMAN_OK;
    for (int32_t other = r->heads[entry]; other >= 0; other = r->next[other])
        keep(r, other, ELMAN_WORD_FOUND_FOLDED);
    return ELMAN_OK;
}

static bool is_count(const char *text, size_t size, int64_t *value)
{
    char copy[20];
    if (size == 0 || size >= sizeof copy || memchr(text, '\0', size) != NULL)
        return false;
    memcpy(copy, text, size);
    copy[size] = '\0';
    return elman_parse_integer(copy, value) && *value > 0;
}

/* The first line says how wide the rows are: as "COUNT E", or as a vector. */
static elman_status begin(vector_reader *r, const char *line, size_t size, bool *is_vector,
                          elman_error *error)
{
    elman_word_vectors *out = r->out;
    size_t V = (size_t)elman_vocabulary_count(r->vocabulary), rows;
    size = trim_end(line, size);
    size_t fields = count_fields(line, size), second = last_field(line, size);
    int64_t count = 0, width = 0;
    *is_vector = !(fields == 2 && is_count(line, trim_end(line, second), &count) &&
                   is_count(line + second, size - second, &width));
    if (*is_vector)
        width = fields > 0 ? (int64_t)fields - 1 : 0;
    else
        r->announced = (uint64_t)count;
    if (width < 1 || width > ELMAN_WORD_VECTORS_WIDTH)
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "%s: line 1: found vectors of %lld numbers; expected a word and 1 to %d "
                          "numbers, or \"COUNT WIDTH\"",
                          r->path, (long long)width, ELMAN_WORD_VECTORS_WIDTH);
    out->width = width;
    if (elman_size_multiply(V, (size_t)width, &rows))
        out->rows = elman_allocate_zero(r->context, rows, sizeof *out->rows);
    out->found = elman_allocate_zero(r->context, V, 1);
    r->row = elman_allocate(r->context, (size_t)width, sizeof *r->row);
    if (out->rows == NULL || out->found == NULL || r->row == NULL)
        return no_memory(r, error);
    return ELMAN_OK;
}

static elman_status read_all(vector_reader *r, elman_error *error)
{
    const char *line;
    size_t size;
    bool is_vector = true;
    ELMAN_TRY(fold_vocabulary(r, error));
    for (;;) {
        ELMAN_TRY(elman_line_file_next(&r->file, &line, &size, error));
        if (line == NULL)
            break;
        if (r->file.number == 1)
            ELMAN_TRY(begin(r, line, size, &is_vector, error));
        if (is_vector)
            ELMAN_TRY(take_line(r, line, size, error));
        is_vector = true;
    }
    if (r->file.number == 0)
        return elman_fail(error, ELMAN_ERROR_FORMAT, "%s: found no line; expected word vectors",
                          r->path);
    if (r->announced > 0 && r->announced != r->out->lines)
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "%s: found %llu vectors; expected %llu, as line 1 says", r->path,
                          (unsigned long long)r->out->lines, (unsigned long long)r->announced);
    elman_line_file_digest(&r->file, r->out->sha256, &r->out->file_bytes);
    return ELMAN_OK;
}

elman_status elman_word_vectors_read(elman_context *context, const char *path,
                                     const elman_vocabulary *vocabulary,
                                     elman_word_vectors *vectors, elman_error *error)
{
    vector_reader r = {.context = context, .path = path, .vocabulary = vocabulary, .out = vectors};
    memset(vectors, 0, sizeof *vectors);
    if (elman_vocabulary_level(vocabulary) != ELMAN_LEVEL_WORD)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "%s: found a vocabulary of level %s; word vectors expect words", path,
                          elman_level_name(elman_vocabulary_level(vocabulary)));
    ELMAN_TRY(elman_line_file_open(&r.file, context, path, error));
    elman_word_table_init(&r.folded, context, path);
    elman_float_environment modes = elman_float_begin();
    elman_status status = read_all(&r, error);
    elman_float_end(modes);
    elman_line_file_close(&r.file);
    elman_word_table_free(&r.folded);
    elman_release(context, r.next);
    elman_release(context, r.heads);
    elman_release(context, r.fold);
    elman_release(context, r.scratch);
    elman_release(context, r.row);
    if (status != ELMAN_OK)
        elman_word_vectors_clear(context, vectors);
    return status;
}
