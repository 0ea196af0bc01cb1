/* Labelled vectors from tables of both forms and from safetensors; and what is none. */
#include "../data/data_support.h"

#include <math.h>

#include "base/error.h"
#include "elman/safetensors.h"
#include "task/vectors_read.h"

static elman_context *context;

static int begin(void **state)
{
    return make_test_folder(state) || elman_context_create(NULL, &context, NULL) != ELMAN_OK;
}

static int end(void **state)
{
    elman_context_free(context);
    return remove_test_folder(state);
}

static elman_config config_of(const char *label, const char *features, const char *sequence,
                              const char *step, int64_t width)
{
    elman_config c;
    elman_config_default(&c);
    strcpy(c.label, label);
    strcpy(c.features, features);
    strcpy(c.sequence_column, sequence);
    strcpy(c.step_column, step);
    c.width = width;
    return c;
}

/* Everything as one line: "1 2|3 4=a; 5 6=b;", steps between bars, a label a step behind it. */
static const char *told(const elman_labelled_vectors *v)
{
    static char text[1024];
    size_t at = 0;
    text[0] = 0;
    for (int64_t i = 0; i < v->vectors.count; i++) {
        for (int64_t t = v->vectors.starts[i]; t < v->vectors.starts[i + 1]; t++) {
            at += (size_t)sprintf(text + at, "%s", t > v->vectors.starts[i] ? "|" : "");
            for (int64_t f = 0; f < v->vectors.width; f++)
                at += (size_t)sprintf(text + at, "%s%g", f ? " " : "",
                                      (double)v->vectors.values[t * v->vectors.width + f]);
            if (v->each_step)
                at += (size_t)sprintf(text + at, "=%s",
                                      elman_intern_text(&v->names, v->labels[t], NULL));
        }
        if (!v->each_step)
            at +=
                (size_t)sprintf(text + at, "=%s", elman_intern_text(&v->names, v->labels[i], NULL));
        at += (size_t)sprintf(text + at, "; ");
    }
    return text;
}

static void reads(const char *path, const elman_config *config, bool each_step, const char *all)
{
    elman_labelled_vectors v;
    elman_labelled_vectors_init(&v, context, each_step);
    assert_ok(elman_labelled_vectors_read(&v, path, config, &problem));
    assert_string_equal(told(&v), all);
    assert_int_equal(strlen(v.sha256), 64);
    assert_true(v.bytes > 0);
    elman_labelled_vectors_free(&v);
    elman_labelled_vectors_free(&v);
}

static void refuses(const char *path, const elman_config *config, bool each_step,
                    elman_status expected, const char *part)
{
    elman_labelled_vectors v;
    elman_labelled_vectors_init(&v, context, each_step);
    elman_status status = elman_labelled_vectors_read(&v, path, config, &problem);
    if (status != expected || !strstr(problem.message, part))
        fail_msg("status %d, \"%s\", expected \"%s\"", (int)status, problem.message, part);
    elman_labelled_vectors_free(&v);
}

static void wide(void **state)
{
    (void)state;
    need_csv();
    elman_config c = config_of("", "", "", "", 0);
    const char *path = write_text("wide.csv", "a,b,label,c,d\n1,2,x,3,4\n5,6,y,7,-8e1\n");
    reads(path, &c, false, "1 2 3 4=x; 5 6 7 -80=y; ");
    c.width = 2;
    reads(path, &c, false, "1 2|3 4=x; 5 6|7 -80=y; ");
    c = config_of("", "d,a", "", "", 1);
    reads(path, &c, false, "4|1=x; -80|5=y; ");
    c = config_of("b", "d,a", "", "", 2);
    reads(path, &c, false, "4 1=2; -80 5=6; ");
    /* no header: the last column is the label, columns have numbers */
    path = write_text("plain.csv", "1;2;0\n3;4;1\n");
    c = config_of("", "", "", "", 0);
    reads(path, &c, false, "1 2=0; 3 4=1; ");
    c = config_of("1", "3", "", "", 0);
    reads(path, &c, false, "0=1; 1=3; ");
    path = write_text("tabs.tsv", "1\t2\tup\n3\t4\tdown\n");
    c = config_of("", "", "", "", 1);
    reads(path, &c, false, "1|2=up; 3|4=down; ");
}

static void long_form(void **state)
{
    (void)state;
    need_csv();
    const char *path = write_text("long.csv", "id,t,x,y,label\n"
                                              "a,1,1,2,up\na,2,3,4,up\n"
                                              "b,7,5,6,down\n"
                                              "c,-2,7,8,up\nc,0.5,9,10,up\nc,3,11,12,up\n");
    elman_config c = config_of("", "", "id", "t", 0);
    reads(path, &c, false, "1 2|3 4=up; 5 6=down; 7 8|9 10|11 12=up; ");
    c = config_of("", "", "id", "", 0);
    reads(path, &c, false, "1 1 2|2 3 4=up; 7 5 6=down; -2 7 8|0.5 9 10|3 11 12=up; ");
    c = config_of("label", "y,x", "id", "t", 0);
    reads(path, &c, false, "2 1|4 3=up; 6 5=down; 8 7|10 9|12 11=up; ");
    path = write_text("steps.csv", "id,x,label\na,1,p\na,2,q\nb,3,p\n");
    c = config_of("", "", "id", "", 0);
    reads(path, &c, true, "1=p|2=q; 3=p; ");
}

static void several_files(void **state)
{
    (void)state;
    need_csv();
    elman_labelled_vectors v;
    elman_config c = config_of("", "", "id", "", 0);
    const char *one = write_text("one.csv", "id,x,label\na,1,p\na,2,p\n");
    const char *two = write_text("two.csv", "id,x,label\na,3,q\nb,4,p\n");
    elman_labelled_vectors_init(&v, context, false);
    assert_ok(elman_labelled_vectors_read(&v, one, &c, &problem));
    char first[65];
    strcpy(first, v.sha256);
    assert_ok(elman_labelled_vectors_read(&v, two, &c, &problem)); /* another a */
    assert_string_equal(told(&v), "1|2=p; 3=q; 4=p; ");
    assert_string_not_equal(first, v.sha256);
    const char *wider = write_text("wider.csv", "id,x,y,label\na,3,1,q\n");
    assert_int_equal(elman_labelled_vectors_read(&v, wider, &c, &problem), ELMAN_ERROR_DATA);
    assert_contains(problem.message, "wider.csv: found 2 numbers a step, expected 1");
    elman_labelled_vectors_free(&v);
}

static void wrong_tables(void **state)
{
    (void)state;
    need_csv();
    elman_config plain = config_of("", "", "", "", 0), steps = config_of("", "", "id", "t", 0);
    static const struct {
        const char *text, *part;
    } rows[] = {
        {"a,b,label\n1,2,x\n3,?,y\n", "t.csv: line 3, column b: found \"?\", expected a number"},
        {"a,b,label\n1,nan,x\n", "t.csv: line 2, column b: found \"nan\""},
        {"a,b,label\n1,,x\n", "t.csv: line 2, column b: found \"\""},
        {"a,b,label\n1,inf,x\n", "t.csv: line 2, column b: found \"inf\""},
        {"a,b,label\n1,1e39,x\n", "t.csv: line 2, column b: found \"1e39\""},
        {"a,b,label\n1,two,x\n", "t.csv: line 2, column b: found \"two\""},
        {"a,b,label\n1,2,x\n1,2\n", "t.csv: line 3"},
        {"a,b,label\n1,2,x\n1,2,3,x\n", "t.csv: line 3"},
        {"a,b,label\n1,2,\n", "t.csv: line 2: an empty label"},
        {"1,2,x\n3,b,y\n", "t.csv: line 2, column 2: found \"b\""},
        {"label\nx\n", "no column of numbers beside the label"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        elman_labelled_vectors v;
        const char *path = write_text("t.csv", rows[i].text);
        elman_labelled_vectors_init(&v, context, false);
        elman_status status = elman_labelled_vectors_read(&v, path, &plain, &problem);
        assert_true(status == ELMAN_ERROR_DATA || status == ELMAN_ERROR_FORMAT);
        assert_contains(problem.message, rows[i].part);
        elman_labelled_vectors_free(&v);
    }
    const char *path = write_text("t.csv", "a,b,c,label\n1,2,3,x\n");
    elman_config c = config_of("", "", "", "", 2);
    refuses(path, &c, false, ELMAN_ERROR_DATA, "3 numbers a row, expected steps of --width 2");
    c = config_of("", "", "", "a", 0);
    refuses(path, &c, false, ELMAN_ERROR_ARGUMENT, "step-column");
    c = config_of("", "a,bb", "", "", 0);
    refuses(path, &c, false, ELMAN_ERROR_DATA, "bb");
    c = config_of("", "a,b,c,a,b", "", "", 0);
    refuses(path, &c, false, ELMAN_ERROR_ARGUMENT, "more names than the 4 columns");
    c = config_of("lable", "", "", "", 0);
    refuses(path, &c, false, ELMAN_ERROR_DATA, "label");
    refuses(path, &plain, true, ELMAN_ERROR_ARGUMENT, "--sequence-column");
    refuses("/nowhere/t.csv", &plain, false, ELMAN_ERROR_IO, "/nowhere/t.csv");
    static const struct {
        const char *text, *part;
    } series[] = {
        {"id,t,x,label\na,1,1,p\nb,1,1,p\na,2,1,p\n",
         "line 4: sequence \"a\" begins again; its rows are expected to stand together"},
        {"id,t,x,label\na,2,1,p\na,1,1,p\n",
         "line 3: step \"1\" after \"2\", expected a later one"},
        {"id,t,x,label\na,2,1,p\na,2,1,p\n",
         "line 3: step \"2\" after \"2\", expected a later one"},
        {"id,t,x,label\na,1,1,p\na,2,1,q\n",
         "line 3: label \"q\" within a sequence of \"p\", expected one label a sequence"},
        {"id,t,x,label\na,1,1,p\na,y,1,p\n", "line 3, column t: found \"y\""},
        {"id,t,x,label\na,1,1,p\na,,1,p\n", "line 3: step \"\" after \"1\""},
    };
    for (size_t i = 0; i < sizeof series / sizeof *series; i++)
        refuses(write_text("t.csv", series[i].text), &steps, false, ELMAN_ERROR_DATA,
                series[i].part);
}

/* The labels that there may be. */
static void known_labels(void **state)
{
    (void)state;
    need_csv();
    elman_labels labels;
    elman_labelled_vectors v;
    elman_config c = config_of("", "", "", "", 0);
    elman_labels_init(&labels, context);
    assert_ok(elman_labels_add(&labels, "x", 1, &problem));
    assert_ok(elman_labels_order(&labels, NULL, &problem));
    const char *path = write_text("known.csv", "a,label\n1,x\n2,x\n3,z\n");
    elman_labelled_vectors_init(&v, context, false);
    v.known = &labels;
    assert_int_equal(elman_labelled_vectors_read(&v, path, &c, &problem), ELMAN_ERROR_DATA);
    assert_contains(problem.message, "known.csv: line 4: label \"z\" is none of the 1");
    elman_labelled_vectors_free(&v);
    elman_labels_free(&labels);
}

/* --- safetensors --- */

enum { N = 3, T = 2, F = 2 };
static const float x[N * T * F] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
static const int64_t lengths[N] = {2, 0, 1}, labels[N] = {7, -1, 7},
                     each[N * T] = {1, 2, 3, 4, 5, 6};

typedef struct tensors {
    int rank;
    size_t shape[3];
    const float *x;
    const int64_t *lengths, *labels;
    size_t length_count;
    int label_rank;
    bool wrong_type;
} tensors;

static const char *write_tensors(const tensors *t)
{
    elman_safetensors_writer *w;
    const char *path = test_path("t.safetensors");
    const size_t n[2] = {N, T};
    assert_ok(elman_safetensors_writer_create(context, &w, &problem));
    if (t->x)
        assert_ok(elman_safetensors_writer_add(w, "x", ELMAN_DTYPE_F32, t->rank, t->shape, t->x,
                                               &problem));
    if (t->lengths)
        assert_ok(elman_safetensors_writer_add(w, "lengths", ELMAN_DTYPE_I64, 1, &t->length_count,
                                               t->lengths, &problem));
    if (t->labels)
        assert_ok(elman_safetensors_writer_add(w, "labels",
                                               t->wrong_type ? ELMAN_DTYPE_F64 : ELMAN_DTYPE_I64,
                                               t->label_rank, n, t->labels, &problem));
    assert_ok(elman_safetensors_writer_write(w, path, &problem));
    elman_safetensors_writer_free(w);
    return path;
}

static void from_tensors(void **state)
{
    (void)state;
    elman_config c = config_of("", "", "", "", 0);
    const tensors good = {3, {N, T, F}, x, lengths, labels, N, 1, false};
    reads(write_tensors(&good), &c, false, "1 2|3 4=7; =-1; 9 10=7; ");
    tensors t = good;
    t.lengths = NULL;
    reads(write_tensors(&t), &c, false, "1 2|3 4=7; 5 6|7 8=-1; 9 10|11 12=7; ");
    t.rank = 2;
    t.shape[1] = 4;
    reads(write_tensors(&t), &c, false, "1 2 3 4=7; 5 6 7 8=-1; 9 10 11 12=7; ");
    t = good;
    t.labels = each;
    t.label_rank = 2;
    reads(write_tensors(&t), &c, true, "1 2=1|3 4=2; ; 9 10=5; ");

    refuses(write_tensors(&t), &c, false, ELMAN_ERROR_FORMAT, "labels: expected I64, one each");
    refuses(write_tensors(&good), &c, true, ELMAN_ERROR_FORMAT, "labels: expected I64, one a step");
    t = good;
    t.x = NULL;
    refuses(write_tensors(&t), &c, false, ELMAN_ERROR_FORMAT, "expected a tensor x");
    t = good;
    t.labels = NULL;
    refuses(write_tensors(&t), &c, false, ELMAN_ERROR_FORMAT, "labels: expected I64");
    t = good;
    t.wrong_type = true;
    refuses(write_tensors(&t), &c, false, ELMAN_ERROR_FORMAT, "labels: expected I64");
    t = good;
    t.length_count = 2;
    refuses(write_tensors(&t), &c, false, ELMAN_ERROR_FORMAT, "lengths: expected I64 [3]");
    static const int64_t far[2][N] = {{2, 3, 1}, {2, -1, 1}};
    for (int i = 0; i < 2; i++) {
        t = good;
        t.lengths = far[i];
        refuses(write_tensors(&t), &c, false, ELMAN_ERROR_FORMAT, "lengths[1]: found");
    }
    t = good;
    t.shape[2] = 0;
    refuses(write_tensors(&t), &c, false, ELMAN_ERROR_FORMAT, "x has no numbers a step");
    /* a file of a few bytes could promise any number of sequences without steps */
    t = good;
    t.shape[1] = 0;
    refuses(write_tensors(&t), &c, false, ELMAN_ERROR_FORMAT, "x has no steps");
    t = good;
    t.rank = 1;
    t.shape[0] = 12;
    refuses(write_tensors(&t), &c, false, ELMAN_ERROR_FORMAT, "expected a tensor x");
    float bad[N * T * F];
    memcpy(bad, x, sizeof bad);
    bad[9] = NAN;
    t = good;
    t.x = bad;
    refuses(write_tensors(&t), &c, false, ELMAN_ERROR_DATA, "x[2,0,1]: not a finite number");
    refuses(write_text("cut.safetensors", "abc"), &c, false, ELMAN_ERROR_FORMAT, "cut.safetensors");
    /* the longest: no more than there are */
    t = good;
    t.shape[0] = 2;
    refuses(write_tensors(&t), &c, false, ELMAN_ERROR_FORMAT, "lengths: expected I64 [2]");
}

/* --- of what form a file is --- */

static void forms(void **state)
{
    (void)state;
    need_csv();
    static const struct {
        const char *name, *text, *label;
        bool vectors;
    } files[] = {
        {"a.csv", "a,b,label\n1,2,good\n", "", true},
        {"b.csv", "a,b,label\n1,two,good\n", "", false},
        {"c.tsv", "a fine film\tpositive\nno\tnegative\n", "", false},
        {"d.tsv", "12\t1\n13\t0\n", "", true},
        {"e.csv", "good,1\nbad,2\n", "1", true},
        {"f.csv", "good,1\nbad,2\n", "", false},
        {"g.csv", "one\ntwo\n", "", false},
        {"h.csv", "a,label\n", "", false},
        {"i.csv", "1,?,good\n2,3,bad\n", "", true},
        {"j.csv", "a,b,label\n1,?,good\n2,x,bad\n3,4,bad\n3,5,bad\n", "", true},
        {"k.csv", "title,label\n2012,good\nthe film,bad\n", "", false},
        {"l.csv", "title,label\n,good\nthe film,bad\n", "", false},
        {"m.csv", "title,label\n,good\n,bad\n", "", false},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        bool vectors;
        elman_config c = config_of(files[i].label, "", "", "", 0);
        const char *path = write_text(files[i].name, files[i].text);
        assert_ok(elman_holds_vectors(context, path, &c, &vectors, &problem));
        if (vectors != files[i].vectors)
            fail_msg("%s", files[i].name);
        strcpy(c.text, "a");
        assert_ok(elman_holds_vectors(context, path, &c, &vectors, &problem));
        assert_false(vectors);
        c = config_of(files[i].label, "", "id", "", 0);
        assert_ok(elman_holds_vectors(context, path, &c, &vectors, &problem));
        assert_true(vectors);
    }
    bool vectors;
    elman_config c = config_of("nothing", "", "", "", 0);
    assert_int_equal(elman_holds_vectors(context, test_path("a.csv"), &c, &vectors, &problem),
                     ELMAN_ERROR_DATA);
    c.label[0] = 0;
    assert_int_equal(elman_holds_vectors(context, "/nowhere", &c, &vectors, &problem),
                     ELMAN_ERROR_IO);
    assert_ok(elman_holds_vectors(context, "x.safetensors", &c, &vectors, &problem));
    assert_true(vectors);
}

static elman_status everything(elman_context *counted, const char *table, const char *file)
{
    elman_labelled_vectors v;
    elman_config c = config_of("", "", "id", "t", 0), none = config_of("", "", "", "", 0);
    bool vectors;
    elman_status status = ELMAN_OK;
    for (int i = 0; i < 2 && status == ELMAN_OK; i++) {
        elman_labelled_vectors_init(&v, counted, false);
        status = elman_labelled_vectors_read(&v, i ? file : table, i ? &none : &c, &problem);
        elman_labelled_vectors_free(&v);
    }
    return status == ELMAN_OK ? elman_holds_vectors(counted, table, &none, &vectors, &problem)
                              : status;
}

static void memory(void **state)
{
    (void)state;
    need_csv();
    counter c;
    elman_context *counted = counted_context(&c);
    const tensors good = {3, {N, T, F}, x, lengths, labels, N, 1, false};
    char file[128];
    strcpy(file, write_tensors(&good));
    const char *table = write_text("m.csv", "id,t,x,label\na,1,1,p\na,2,1,p\nb,1,4,q\n");
    int before = c.live, failures = 0;
    for (elman_status status = ELMAN_ERROR_MEMORY; status != ELMAN_OK; failures++) {
        c.calls = 0;
        c.fail_at = failures + 1;
        status = everything(counted, table, file);
        assert_true(status == ELMAN_OK || status == ELMAN_ERROR_MEMORY);
        assert_int_equal(c.live, before);
    }
    assert_true(failures > 20);
    elman_context_free(counted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wide),          cmocka_unit_test(long_form),
        cmocka_unit_test(several_files), cmocka_unit_test(wrong_tables),
        cmocka_unit_test(known_labels),  cmocka_unit_test(from_tensors),
        cmocka_unit_test(forms),         cmocka_unit_test(memory),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
