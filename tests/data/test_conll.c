#include "data/conll.h"
#include "data_support.h"

/* Lines of a text in memory, each handed out in memory of its own that is then spoilt. */
typedef struct feeder {
    const char *text;
    size_t left;
    char *line;
} feeder;

static elman_status feed(void *user, const char **line, size_t *size, elman_error *error)
{
    feeder *f = user;
    (void)error;
    free(f->line);
    f->line = NULL;
    *line = NULL;
    if (f->left == 0)
        return ELMAN_OK;
    const char *end = memchr(f->text, '\n', f->left);
    *size = end != NULL ? (size_t)(end - f->text) : f->left;
    f->line = malloc(*size > 0 ? *size : 1);
    memcpy(f->line, f->text, *size);
    f->text += *size + (end != NULL);
    f->left -= *size + (end != NULL);
    *line = f->line;
    return ELMAN_OK;
}

static const char kinds[] = "wcred";

/* Each line as its kind and its cells: "w:1|The c: w:..."; '/' between sentences. */
static elman_status show(elman_context *context, const char *bytes, size_t bytes_size,
                         elman_conll_form form, char *text, elman_error *error)
{
    feeder f = {bytes, bytes_size, NULL};
    elman_conll_reader *r = NULL;
    const elman_conll_sentence *s = NULL;
    char *out = text;
    elman_status status = elman_conll_reader_create(context, "x", feed, &f, form, &r, error);
    while (status == ELMAN_OK) {
        status = elman_conll_next(r, &s, error);
        if (status != ELMAN_OK || s == NULL)
            break;
        out += sprintf(out, "%s", out > text ? "/" : "");
        size_t words = 0, size;
        for (size_t i = 0; i < s->line_count; i++) {
            out += sprintf(out, "%s%c:", i > 0 ? " " : "", kinds[s->lines[i].kind]);
            for (int64_t c = 0; c < s->lines[i].columns; c++) {
                const char *cell = elman_conll_cell(s, i, c, &size);
                out += sprintf(out, "%s%.*s", c > 0 ? "|" : "", (int)size, cell);
            }
            if (s->lines[i].kind == ELMAN_CONLL_WORD) {
                assert_int_equal(s->words[words], i);
                assert_int_equal(elman_conll_word_line(s, words), s->number + i);
                const char *word = elman_conll_word(s, words++, &size);
                assert_non_null(word);
                assert_true(size > 0);
                assert_int_equal(s->lines[i].columns, s->columns);
            }
            assert_null(elman_conll_cell(s, i, s->lines[i].columns, &size));
            assert_int_equal(size, 0);
        }
        assert_int_equal(words, s->word_count);
    }
    if (status == ELMAN_OK) {
        assert_ok(elman_conll_next(r, &s, &problem));
        assert_null(s);
    }
    *out = '\0';
    elman_conll_reader_free(r);
    free(f.line);
    return status;
}

static void check(elman_context *context, const char *bytes, elman_conll_form form,
                  const char *want)
{
    char text[4096];
    assert_ok(show(context, bytes, strlen(bytes), form, text, &problem));
    assert_string_equal(text, want);
}

static void refuse(elman_context *context, const char *bytes, elman_conll_form form,
                   const char *part)
{
    char text[4096];
    elman_error error = {0};
    assert_int_equal(show(context, bytes, strlen(bytes), form, text, &error), ELMAN_ERROR_FORMAT);
    assert_contains(error.message, "x: line ");
    assert_contains(error.message, part);
}

#define TEN   "\t_\t_\t_\t_\t_\t_\t_\t_\n"
#define SHOWN "|_|_|_|_|_|_|_|_"

static const char universal[] =
    "# sent_id = 1\n# text = vamonos al mar\n1-2\tvamonos" TEN "1\tvamos" TEN "2\tnos" TEN
    "2.1\tgo" TEN "3\tel mar" TEN "\n# alone\n\n\n1\t#" TEN "# late\n2\t-DOCSTART-" TEN;

static void test_universal(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    check(context, universal, ELMAN_CONLL_AUTO,
          "c: c: r:1-2|vamonos" SHOWN " w:1|vamos" SHOWN " w:2|nos" SHOWN " e:2.1|go" SHOWN
          " w:3|el mar" SHOWN "/c:/w:1|#" SHOWN " c: w:2|-DOCSTART-" SHOWN);
    check(context, "1\tA\n2\tb\r\n\r\n1\tc", ELMAN_CONLL_U, "w:1|A w:2|b/w:1|c");
    check(context, "", ELMAN_CONLL_AUTO, "");
    check(context, "\n\n", ELMAN_CONLL_AUTO, "");
    refuse(context, "1\ta\n3\tb\n", ELMAN_CONLL_U,
           "x: line 2, column 1: found \"3\"; expected the word's number 2");
    refuse(context, "1\ta\nx\tb\n", ELMAN_CONLL_U, "line 2, column 1: found \"x\"");
    refuse(context, "1\ta\n1-\tb\n", ELMAN_CONLL_U, "a range such as 3-4");
    refuse(context, "1\ta\n\n1\ta\n2\tb\tc\n", ELMAN_CONLL_U,
           "line 4: found 3 columns; expected 2");
    refuse(context, "1\ta\n2\n", ELMAN_CONLL_U, "line 2: found 1 column; expected 2");
    refuse(context, "1\t\n", ELMAN_CONLL_U, "line 1, column 2: found no word");
    refuse(context, "1\n", ELMAN_CONLL_U, "line 1, column 2: found no word");
    refuse(context, "1\ta" TEN "one\ta" TEN, ELMAN_CONLL_AUTO, "found \"one\"");
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static void test_columns(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    check(context,
          "-DOCSTART- -X- -X- O\n\nEU NNP I-NP  B-ORG \nrejects VBZ I-VP O\n\n# NN O O\n1 CD O O\n",
          ELMAN_CONLL_AUTO,
          "d:-DOCSTART-|-X-|-X-|O/w:EU|NNP|I-NP|B-ORG w:rejects|VBZ|I-VP|O/w:#|NN|O|O w:1|CD|O|O");
    check(context, "# a b\na b\n# c d\n# d\nx y\n", ELMAN_CONLL_AUTO, "c: w:a|b c: w:#|d w:x|y");
    check(context, "one\ntwo\n", ELMAN_CONLL_AUTO, "w:one w:two");
    check(context, "New York\tB\n\nin\tO\tx\n", ELMAN_CONLL_AUTO, "w:New York|B/w:in|O|x");
    check(context, "1\ta\n", ELMAN_CONLL_AUTO, "w:1|a");
    check(context, "a\t\t\n", ELMAN_CONLL_AUTO, "w:a||");
    check(context, "-DOCSTART-\n\n1\ta" TEN, ELMAN_CONLL_AUTO, "d:-DOCSTART-/w:1|a" SHOWN);
    refuse(context, "a b\nc d e\n", ELMAN_CONLL_AUTO, "line 2: found 3 columns; expected 2");
    refuse(context, "a b\n\n\tb\n", ELMAN_CONLL_AUTO, "line 3, column 1: found no word");
    refuse(context, "a b\nc \xFF\n", ELMAN_CONLL_AUTO, "line 2, byte 3: found invalid UTF-8 (FF)");
    char text[64];
    elman_error error;
    assert_int_equal(show(context, "a\n\0b\n", 5, ELMAN_CONLL_AUTO, text, &error),
                     ELMAN_ERROR_FORMAT);
    assert_contains(error.message, "x: line 2, byte 1: found a zero byte");
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

/* A file gives what its lines give, whatever the buffer's size; then its digest. */
static void test_file(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    const char *path = write_text("one.conllu", "\xEF\xBB\xBF"
                                                "1\tabc" TEN "\r\n1\tlong" TEN);
    elman_conll_reader *r = NULL;
    const elman_conll_sentence *s;
    char hex[65];
    uint64_t bytes;
    size_t size;
    assert_ok(elman_conll_reader_open(context, path, ELMAN_CONLL_AUTO, &r, &problem));
    assert_int_equal(elman_conll_form_of(r), ELMAN_CONLL_AUTO);
    assert_ok(elman_conll_next(r, &s, &problem));
    assert_int_equal(elman_conll_form_of(r), ELMAN_CONLL_U);
    assert_memory_equal(elman_conll_word(s, 0, &size), "abc", 3);
    assert_false(elman_conll_digest(r, hex, &bytes));
    assert_ok(elman_conll_next(r, &s, &problem));
    assert_int_equal(s->number, 3);
    assert_ok(elman_conll_next(r, &s, &problem));
    assert_null(s);
    assert_true(elman_conll_digest(r, hex, &bytes));
    char want[65];
    uint64_t file_size;
    assert_ok(elman_file_sha256(path, want, &file_size, &problem));
    assert_string_equal(hex, want);
    assert_int_equal(bytes, file_size);
    elman_conll_reader_free(r);
    elman_conll_reader_free(NULL);
    elman_error error;
    assert_int_equal(
        elman_conll_reader_open(context, test_path("none"), ELMAN_CONLL_AUTO, &r, &error),
        ELMAN_ERROR_IO);
    assert_contains(error.message, "none");
    assert_int_equal(
        elman_conll_reader_open(context, write_text("empty", ""), ELMAN_CONLL_AUTO, &r, &error),
        ELMAN_ERROR_DATA);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static void test_lines(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    static const char text[] = "\xEF\xBB\xBF"
                               "a\r\n\nbcdefghijk\r\n\r\nl\rm\n\xEF\xBB\xBF\nlast\r";
    static const char *const want[] = {"a", "", "bcdefghijk", "", "l\rm", "\xEF\xBB\xBF", "last\r"};
    const char *path = write_text("lines", text);
    for (size_t buffer = 0; buffer < sizeof text + 2; buffer++) {
        elman_line_file file;
        const char *line;
        size_t size;
        assert_ok(elman_line_file_open_sized(&file, context, path, buffer, &problem));
        for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
            assert_ok(elman_line_file_next(&file, &line, &size, &problem));
            assert_int_equal(size, strlen(want[i]));
            assert_memory_equal(line, want[i], size);
            assert_int_equal(file.number, i + 1);
        }
        for (int i = 0; i < 2; i++) {
            assert_ok(elman_line_file_next(&file, &line, &size, &problem));
            assert_null(line);
        }
        elman_line_file_close(&file);
        elman_line_file_close(&file);
    }
    size_t limit = ELMAN_LINE_LIMIT;
    char *bytes = malloc(limit + 3);
    memset(bytes, 'x', limit + 3);
    bytes[limit] = '\n';
    elman_line_file file;
    const char *line;
    size_t size;
    elman_error error;
    path = write_file("long", bytes, limit + 3);
    assert_ok(elman_line_file_open(&file, context, path, &problem));
    assert_ok(elman_line_file_next(&file, &line, &size, &problem));
    assert_int_equal(size, limit);
    elman_line_file_close(&file);
    memset(bytes, '\n', 4);
    bytes[limit] = 'x';
    path = write_file("longer", bytes + 3, limit);
    assert_ok(elman_line_file_open(&file, context, path, &problem));
    assert_ok(elman_line_file_next(&file, &line, &size, &problem));
    assert_ok(elman_line_file_next(&file, &line, &size, &problem));
    elman_line_file_close(&file);
    memset(bytes, 'x', limit + 3);
    path = write_file("longest", bytes, limit + 1);
    assert_ok(elman_line_file_open(&file, context, path, &problem));
    assert_int_equal(elman_line_file_next(&file, &line, &size, &error), ELMAN_ERROR_FORMAT);
    assert_contains(error.message, "longest: line 1: found ");
    elman_line_file_close(&file);
    free(bytes);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static void test_damaged(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    static const elman_conll_form forms[] = {ELMAN_CONLL_AUTO, ELMAN_CONLL_U, ELMAN_CONLL_COLUMNS};
    char text[8192];
    size_t size = sizeof universal - 1;
    int read = 0;
    for (size_t f = 0; f < 3; f++) {
        for (size_t cut = 0; cut <= size; cut++)
            read += show(context, universal, cut, forms[f], text, NULL) == ELMAN_OK;
        for (size_t bit = 0; bit < 8 * size; bit++) {
            char bytes[sizeof universal];
            memcpy(bytes, universal, sizeof universal);
            bytes[bit / 8] ^= (char)(1 << bit % 8);
            read += show(context, bytes, size, forms[f], text, NULL) == ELMAN_OK;
        }
    }
    assert_true(read > 100);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static void test_memory(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    const char *path = write_text("memory.conllu", universal);
    int live = c.live;
    for (int fail_at = 1;; fail_at++) {
        elman_conll_reader *r = NULL;
        const elman_conll_sentence *s = NULL;
        c.calls = 0;
        c.fail_at = fail_at;
        elman_status status = elman_conll_reader_open(context, path, ELMAN_CONLL_AUTO, &r, NULL);
        for (int i = 0; i < 3 && status == ELMAN_OK; i++)
            status = elman_conll_next(r, &s, NULL);
        elman_conll_reader_free(r);
        assert_int_equal(c.live, live);
        if (c.calls < fail_at) {
            assert_int_equal(status, ELMAN_OK);
            assert_true(fail_at > 8);
            break;
        }
        assert_int_equal(status, ELMAN_ERROR_MEMORY);
    }
    c.fail_at = 0;
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static void test_shared(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t sentences, words;
    } files[] = {{"en_partut.train.conllu", 1781, 43504}, {"en_partut.dev.conllu", 156, 2722}};
    if (access(ELMAN_SHARED_DATA "/tagging/en_partut.dev.conllu", R_OK) != 0) {
        print_message("the shared data is not here: real sentences are left out\n");
        skip();
    }
    counter c;
    elman_context *context = counted_context(&c);
    for (size_t i = 0; i < 2; i++) {
        char path[512];
        elman_conll_reader *r = NULL;
        const elman_conll_sentence *s;
        size_t sentences = 0, words = 0, size;
        snprintf(path, sizeof path, "%s/tagging/%s", ELMAN_SHARED_DATA, files[i].name);
        assert_ok(elman_conll_reader_open(context, path, ELMAN_CONLL_AUTO, &r, &problem));
        for (;;) {
            assert_ok(elman_conll_next(r, &s, &problem));
            if (s == NULL)
                break;
            sentences++;
            words += s->word_count;
            for (size_t w = 0; w < s->word_count; w++)
                assert_non_null(elman_conll_word_cell(s, w, 3, &size));
        }
        assert_int_equal(elman_conll_form_of(r), ELMAN_CONLL_U);
        assert_int_equal(sentences, files[i].sentences);
        assert_int_equal(words, files[i].words);
        elman_conll_reader_free(r);
    }
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_universal), cmocka_unit_test(test_columns),
        cmocka_unit_test(test_file),      cmocka_unit_test(test_lines),
        cmocka_unit_test(test_damaged),   cmocka_unit_test(test_memory),
        cmocka_unit_test(test_shared),
    };
    return cmocka_run_group_tests(tests, make_test_folder, remove_test_folder);
}
