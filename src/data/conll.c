/* Tagged sentences, pulled from lines. */
#include "data/conll.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"

enum { SENTENCE_LIMIT = 1 << 26 };

struct elman_conll_reader {
    elman_context *context;
    char *name;
    elman_line_file file;
    bool from_file, finished;
    elman_line_call call;
    void *user;
    uint64_t line; /* taken so far */
    elman_conll_form form;
    int64_t columns; /* of the file's last word; 0: none yet */
    elman_conll_sentence sentence;
    char *text;
    size_t text_used, text_room, lines_room, words_room, cells_used, cells_room;
};

void elman_conll_reader_free(elman_conll_reader *r)
{
    if (r == NULL)
        return;
    elman_line_file_close(&r->file);
    elman_release(r->context, r->name);
    elman_release(r->context, r->text);
    elman_release(r->context, r->sentence.lines);
    elman_release(r->context, r->sentence.words);
    elman_release(r->context, r->sentence.cells);
    elman_release(r->context, r);
}

elman_status elman_conll_reader_create(elman_context *context, const char *name,
                                       elman_line_call call, void *user, elman_conll_form form,
                                       elman_conll_reader **reader, elman_error *error)
{
    size_t size = strlen(name) + 1;
    elman_conll_reader *r = elman_allocate_zero(context, 1, sizeof *r);
    char *copy = elman_allocate(context, size, 1);
    if (r == NULL || copy == NULL) {
        elman_release(context, r);
        elman_release(context, copy);
        return elman_fail(error, ELMAN_ERROR_MEMORY, "%s: out of memory", name);
    }
    memcpy(copy, name, size);
    r->context = context;
    r->name = copy;
    r->call = call;
    r->user = user;
    r->form = form;
    *reader = r;
    return ELMAN_OK;
}

elman_status elman_conll_reader_open(elman_context *context, const char *path,
                                     elman_conll_form form, elman_conll_reader **reader,
                                     elman_error *error)
{
    elman_conll_reader *r = NULL;
    ELMAN_TRY(
        elman_conll_reader_create(context, path, elman_line_file_next, NULL, form, &r, error));
    elman_status status = elman_line_file_open(&r->file, context, path, error);
    if (status != ELMAN_OK) {
        elman_conll_reader_free(r);
        return status;
    }
    r->user = &r->file;
    r->from_file = true;
    *reader = r;
    return ELMAN_OK;
}

/* Room for `need` elements of `size` bytes at *block, of which `used` are kept. */
static elman_status grow(elman_conll_reader *r, void **block, size_t *room, size_t used,
                         size_t need, size_t size, elman_error *error)
{
    if (need <= *room)
        return ELMAN_OK;
    size_t larger = *room < 32 ? 64 : *room;
    while (larger < need && elman_size_multiply(larger, 2, &larger))
        continue;
    void *moved = larger < need ? NULL : elman_allocate(r->context, larger, size);
    if (moved == NULL)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "%s: line %llu: out of memory for a sentence",
                          r->name, (unsigned long long)r->line);
    if (used > 0)
        memcpy(moved, *block, used * size);
    elman_release(r->context, *block);
    *block = moved;
    *room = larger;
    return ELMAN_OK;
}

static elman_status check_bytes(const elman_conll_reader *r, const char *line, size_t size,
                                elman_error *error)
{
    for (size_t at = 0; at < size;) {
        size_t length = elman_utf8_length(line + at, size - at);
        if (length == 0 || line[at] == '\0') {
            char bytes[16];
            elman_utf8_print_bytes(bytes, (const unsigned char *)line + at, size - at);
            return elman_fail(error, ELMAN_ERROR_FORMAT,
                              "%s: line %llu, byte %zu: found %s (%s); expected UTF-8 text",
                              r->name, (unsigned long long)r->line, at + 1,
                              length == 0 ? "invalid UTF-8" : "a zero byte", bytes);
        }
        at += length;
    }
    return ELMAN_OK;
}

/* Appends the line's text; *stored is where it then stands. */
static elman_status store_text(elman_conll_reader *r, const char *line, size_t size,
                               elman_conll_line *stored, elman_error *error)
{
    void *text = r->text;
    if (size > SENTENCE_LIMIT - r->text_used)
        return elman_fail(
            error, ELMAN_ERROR_FORMAT,
            "%s: line %llu: found a sentence of more than %d bytes; expected an empty "
            "line between sentences",
            r->name, (unsigned long long)r->line, SENTENCE_LIMIT);
    elman_status status =
        grow(r, &text, &r->text_room, r->text_used, r->text_used + size, 1, error);
    r->text = text;
    ELMAN_TRY(status);
    if (size > 0)
        memcpy(r->text + r->text_used, line, size);
    memset(stored, 0, sizeof *stored);
    stored->offset = r->text_used;
    stored->size = size;
    stored->first_cell = r->cells_used;
    r->text_used += size;
    r->sentence.text = r->text;
    return ELMAN_OK;
}

static elman_status add_cell(elman_conll_reader *r, elman_conll_line *line, size_t begin,
                             size_t end, elman_error *error)
{
    void *cells = r->sentence.cells;
    elman_status status = grow(r, &cells, &r->cells_room, r->cells_used, r->cells_used + 1,
                               sizeof *r->sentence.cells, error);
    r->sentence.cells = cells;
    ELMAN_TRY(status);
    r->sentence.cells[r->cells_used++] =
        (elman_conll_cell_place){line->offset + begin, end - begin};
    line->columns++;
    return ELMAN_OK;
}

/* Cells between tabs; where the line has none, between runs of spaces. */
static elman_status split_cells(elman_conll_reader *r, elman_conll_line *line, elman_error *error)
{
    size_t begin = 0, size = line->size;
    bool tabs = memchr(r->text + line->offset, '\t', size) != NULL;
    char separator = tabs ? '\t' : ' ';
    for (size_t at = 0; at <= size; at++) {
        if (at < size && r->text[line->offset + at] != separator)
            continue;
        if (tabs || at > begin)
            ELMAN_TRY(add_cell(r, line, begin, at, error));
        begin = at + 1;
    }
    return ELMAN_OK;
}

static const char *cell_of(const elman_conll_reader *r, const elman_conll_line *line,
                           int64_t column, size_t *size)
{
    const elman_conll_cell_place *c = r->sentence.cells + line->first_cell + column;
    *size = c->size;
    return r->text + c->offset;
}

static size_t digits(const char *text, size_t size)
{
    size_t n = 0;
    while (n < size && text[n] >= '0' && text[n] <= '9')
        n++;
    return n;
}

/* What a CoNLL-U number stands for: DOCUMENT where it is none of them. */
static elman_conll_kind kind_of_number(const char *id, size_t size)
{
    size_t first = digits(id, size);
    if (first == 0 || first > 9)
        return ELMAN_CONLL_DOCUMENT;
    if (first == size)
        return ELMAN_CONLL_WORD;
    size_t second = digits(id + first + 1, size - first - 1);
    if (second == 0 || second > 9 || first + 1 + second < size)
        return ELMAN_CONLL_DOCUMENT;
    if (id[first] == '-')
        return ELMAN_CONLL_RANGE;
    return id[first] == '.' ? ELMAN_CONLL_EMPTY : ELMAN_CONLL_DOCUMENT;
}

static size_t number_of(const char *id, size_t size)
{
    size_t value = 0;
    for (size_t i = 0; i < size && id[i] >= '0' && id[i] <= '9'; i++)
        value = 10 * value + (size_t)(id[i] - '0');
    return value;
}

static elman_conll_form find_form(const elman_conll_reader *r, const elman_conll_line *line)
{
    size_t size;
    bool tabs = memchr(r->text + line->offset, '\t', line->size) != NULL;
    const char *id = cell_of(r, line, 0, &size);
    return tabs && line->columns == 10 && kind_of_number(id, size) != ELMAN_CONLL_DOCUMENT
               ? ELMAN_CONLL_U
               : ELMAN_CONLL_COLUMNS;
}

/* Numbers ascend; a range or an empty node stands between them. */
static elman_status find_kind(const elman_conll_reader *r, elman_conll_line *line,
                              elman_error *error)
{
    static const char start[] = "-DOCSTART-";
    size_t size;
    const char *first = cell_of(r, line, 0, &size);
    line->kind = ELMAN_CONLL_WORD;
    if (size == sizeof start - 1 && memcmp(first, start, size) == 0)
        line->kind = ELMAN_CONLL_DOCUMENT;
    else if (r->form == ELMAN_CONLL_U) {
        line->kind = kind_of_number(first, size);
        size_t next = r->sentence.word_count + 1;
        bool none = line->kind == ELMAN_CONLL_DOCUMENT;
        if (none || (line->kind == ELMAN_CONLL_WORD && number_of(first, size) != next))
            return elman_fail(error, ELMAN_ERROR_FORMAT,
                              "%s: line %llu, column 1: found \"%.*s\"; expected the word's number "
                              "%zu%s",
                              r->name, (unsigned long long)r->line,
                              (int)elman_utf8_cut(first, size, 40), first, next,
                              none ? ", a range such as 3-4 or an empty node 5.1" : "");
    }
    return ELMAN_OK;
}

static elman_status check_word(elman_conll_reader *r, const elman_conll_line *line,
                               elman_error *error)
{
    elman_conll_sentence *s = &r->sentence;
    size_t size = 0;
    s->word_column = r->form == ELMAN_CONLL_U;
    if (s->columns == 0)
        s->columns = line->columns;
    if (line->columns != s->columns)
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "%s: line %llu: found %lld column%s; expected %lld, as in the sentence's "
                          "first word",
                          r->name, (unsigned long long)r->line, (long long)line->columns,
                          line->columns == 1 ? "" : "s", (long long)s->columns);
    if (s->word_column < line->columns)
        (void)cell_of(r, line, s->word_column, &size);
    if (size == 0)
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "%s: line %llu, column %lld: found no word; expected one", r->name,
                          (unsigned long long)r->line, (long long)s->word_column + 1);
    return ELMAN_OK;
}

/* The kind of a line with cells, and where it belongs. */
static elman_status place_line(elman_conll_reader *r, elman_conll_line *line, elman_error *error)
{
    elman_conll_sentence *s = &r->sentence;
    size_t size;
    const char *first = cell_of(r, line, 0, &size);
    bool hash = r->text[line->offset] == '#';
    if (hash && (r->form == ELMAN_CONLL_U || r->columns == 0 || line->columns != r->columns)) {
        r->cells_used = line->first_cell;
        line->kind = ELMAN_CONLL_COMMENT;
        line->columns = 0;
        return ELMAN_OK;
    }
    bool document = size == 10 && memcmp(first, "-DOCSTART-", 10) == 0;
    if (r->form == ELMAN_CONLL_AUTO && !document)
        r->form = find_form(r, line);
    ELMAN_TRY(find_kind(r, line, error));
    if (line->kind == ELMAN_CONLL_DOCUMENT)
        return ELMAN_OK;
    ELMAN_TRY(check_word(r, line, error));
    r->columns = line->columns;
    if (line->kind != ELMAN_CONLL_WORD)
        return ELMAN_OK;
    void *words = s->words;
    elman_status status =
        grow(r, &words, &r->words_room, s->word_count, s->word_count + 1, sizeof *s->words, error);
    s->words = words;
    ELMAN_TRY(status);
    s->words[s->word_count++] = s->line_count;
    return ELMAN_OK;
}

static elman_status add_line(elman_conll_reader *r, const char *text, size_t size,
                             elman_error *error)
{
    elman_conll_sentence *s = &r->sentence;
    elman_conll_line line = {.kind = ELMAN_CONLL_WORD};
    void *lines = s->lines;
    elman_status status =
        grow(r, &lines, &r->lines_room, s->line_count, s->line_count + 1, sizeof *s->lines, error);
    s->lines = lines;
    ELMAN_TRY(status);
    ELMAN_TRY(check_bytes(r, text, size, error));
    ELMAN_TRY(store_text(r, text, size, &line, error));
    ELMAN_TRY(split_cells(r, &line, error));
    ELMAN_TRY(place_line(r, &line, error));
    s->lines[s->line_count++] = line;
    return ELMAN_OK;
}

static bool is_empty(const char *line, size_t size)
{
    while (size > 0 && (line[size - 1] == ' ' || line[size - 1] == '\t' || line[size - 1] == '\r'))
        size--;
    return size == 0;
}

elman_status elman_conll_next(elman_conll_reader *r, const elman_conll_sentence **sentence,
                              elman_error *error)
{
    elman_conll_sentence *s = &r->sentence;
    *sentence = NULL;
    s->line_count = s->word_count = 0;
    s->columns = s->word_column = 0;
    s->number = 0;
    r->text_used = r->cells_used = 0;
    while (!r->finished) {
        const char *line;
        size_t size;
        ELMAN_TRY(r->call(r->user, &line, &size, error));
        r->finished = line == NULL;
        r->line += line != NULL;
        if (line == NULL || is_empty(line, size)) {
            if (s->line_count > 0)
                break;
            continue;
        }
        if (line[size - 1] == '\r')
            size--;
        if (s->line_count == 0)
            s->number = r->line;
        ELMAN_TRY(add_line(r, line, size, error));
    }
    if (s->line_count > 0)
        *sentence = s;
    return ELMAN_OK;
}

elman_conll_form elman_conll_form_of(const elman_conll_reader *r)
{
    return r->form;
}

bool elman_conll_digest(elman_conll_reader *r, char hex[65], uint64_t *bytes)
{
    if (!r->from_file || !r->finished)
        return false;
    elman_line_file_digest(&r->file, hex, bytes);
    return true;
}

const char *elman_conll_cell(const elman_conll_sentence *s, size_t line, int64_t column,
                             size_t *size)
{
    const elman_conll_line *l = &s->lines[line];
    if (column < 0 || column >= l->columns) {
        *size = 0;
        return NULL;
    }
    const elman_conll_cell_place *c = s->cells + l->first_cell + column;
    *size = c->size;
    return s->text + c->offset;
}

const char *elman_conll_word_cell(const elman_conll_sentence *s, size_t i, int64_t column,
                                  size_t *size)
{
    return elman_conll_cell(s, s->words[i], column, size);
}

const char *elman_conll_word(const elman_conll_sentence *s, size_t i, size_t *size)
{
    return elman_conll_word_cell(s, i, s->word_column, size);
}

uint64_t elman_conll_word_line(const elman_conll_sentence *s, size_t i)
{
    return s->number + s->words[i];
}
