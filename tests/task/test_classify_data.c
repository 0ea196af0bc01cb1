/* What the task classify reads: columns of texts and labels, parts of the data, files that are
 * wrong; its evaluation; and model folders that are broken. */
#include "classify_case.h"

static elman_context *context;
static char folder[128], data[128];

static int begin(void **state)
{
    if (make_test_folder(state))
        return 1;
    context = context_of(1);
#if defined(ELMAN_WITH_UNICODE) && defined(ELMAN_WITH_CSV)
    elman_config c = small_config();
    c.max_steps = 30;
    strcpy(c.split, "80,25,15");
    strcpy(data, write_reviews("data.tsv", 121, 2, 5));
    strcpy(folder, trained("model", data, &c, 1));
#endif
    return 0;
}

static int end(void **state)
{
    elman_context_free(context);
    return remove_test_folder(state);
}

#define need_model() (*folder ? (void)0 : skip())

static elman_config quick_config(void)
{
    elman_config c = small_config();
    c.max_steps = 2;
    strcpy(c.valid, "0");
    return c;
}

static int names; /* of folders */
static const char *new_folder(void)
{
    char name[32];
    snprintf(name, sizeof name, "run-%d", names++);
    return test_path(name);
}

static void refused(const char *text, const char *file, const elman_config *c, elman_status status,
                    const char *part)
{
    const char *to = new_folder();
    const char *path = text ? write_text(file, text) : file;
    elman_status found = train_into(context, to, path, c, &problem);
    if (found != status || !strstr(problem.message, part))
        fail_msg("status %d, \"%s\", expected \"%s\"", (int)found, problem.message, part);
    assert_false(elman_path_exists(to)); /* nothing was made */
}

/* --- columns --- */

/* The vocabulary of a model trained on that text has the words and not the others. */
static void reads_words(const char *text, const char *file, const elman_config *c,
                        const char *words, const char *others)
{
    char path[200], word[32];
    elman_vocabulary *vocabulary;
    const char *to = trained("columns", write_text(file, text), c, 1);
    snprintf(path, sizeof path, "%s/vocabulary.json", to);
    assert_ok(elman_vocabulary_load(context, path, &vocabulary, &problem));
    for (int k = 0; k < 2; k++)
        for (const char *at = k ? others : words; *at;) {
            size_t size = strcspn(at, " ");
            snprintf(word, sizeof word, "%.*s", (int)size, at);
            if ((elman_vocabulary_find(vocabulary, word, size) >= 0) == k)
                fail_msg("%s: %s", word, k ? "is there" : "is not there");
            at += size + (at[size] == ' ');
        }
    elman_vocabulary_free(vocabulary);
    char command[200];
    snprintf(command, sizeof command, "rm -rf '%s'", to);
    assert_int_equal(system(command), 0);
}

static void columns(void **state)
{
    (void)state;
    need_model();
    elman_config c = quick_config();
    /* the first that is neither label nor number */
    reads_words("id,stars,title,body,label\n1,5,one,two,good\n2,1,three,four,bad\n", "c.csv", &c,
                "one three", "two four good bad 1 5");
    /* texts may be numbers here and there */
    reads_words("id,title,label\n1,2012,good\n2,three,bad\n", "c.csv", &c, "2012 three",
                "1 2 good");
    /* the label first, by name and by number */
    reads_words("label,text\ngood,one\nbad,two\n", "c.csv", &c, "one two", "good bad");
    strcpy(c.label, "1");
    reads_words("good,one,1\nbad,two,2\n", "c.csv", &c, "one two", "good bad 1 2");
    strcpy(c.label, "stars");
    reads_words("stars,text,place\n5,one,here\n1,two,there\n", "c.csv", &c, "one two",
                "here there 5 1");
    strcpy(c.text, "place,text");
    reads_words("stars,text,place\n5,one,here\n1,two,there\n", "c.csv", &c,
                "one two here there <eos>", "5 1");
    /* quoted cells over lines, capitals, words that are seldom */
    c = quick_config();
    c.min_count = 2;
    reads_words("text,label\n\"One, two\nONE\",good\nthree Two,bad\n", "c.csv", &c, "one two <unk>",
                "One ONE Two three");
    c.fold_case = false;
    reads_words("text,label\n\"One, two\nONE One\",good\nthree Two,bad\n", "c.csv", &c, "One <unk>",
                "one ONE Two two three");
    /* TSV without a header */
    c = quick_config();
    reads_words("a \"fine film\tgood\nno, not\tbad\n", "c.tsv", &c, "a fine film \" , no not",
                "good bad");
}

static void wrong_files(void **state)
{
    (void)state;
    need_model();
    elman_config c = quick_config();
    refused("one\ntwo\n", "w.csv", &c, ELMAN_ERROR_DATA, "w.csv: one column, expected a text");
    refused("text,label\n", "w.csv", &c, ELMAN_ERROR_DATA, "no examples to train on");
    refused("text,label\none,good\ntwo,good\n", "w.csv", &c, ELMAN_ERROR_DATA,
            "w.csv: found 1 label, expected at least 2");
    refused("text,label\none,good\ntwo,\n", "w.csv", &c, ELMAN_ERROR_DATA,
            "w.csv: line 3: an empty label");
    refused("text,label\none,good\ntwo,bad,worse\n", "w.csv", &c, ELMAN_ERROR_FORMAT,
            "w.csv: line 3");
    refused("text,label\none,good\ntwo\n", "w.csv", &c, ELMAN_ERROR_FORMAT, "w.csv: line 3");
    refused("text,label\none,good\n\xff,bad\n", "w.csv", &c, ELMAN_ERROR_FORMAT, "w.csv: line 3");
    refused("", "w.csv", &c, ELMAN_ERROR_DATA, "w.csv");
    refused(NULL, "/nowhere/w.csv", &c, ELMAN_ERROR_IO, "/nowhere/w.csv");
    strcpy(c.text, "label");
    refused("text,label\none,good\ntwo,bad\n", "w.csv", &c, ELMAN_ERROR_ARGUMENT,
            "text: it names the column that holds the label");
    strcpy(c.text, "texts");
    refused("text,label\none,good\ntwo,bad\n", "w.csv", &c, ELMAN_ERROR_DATA, "text");
    c.text[0] = 0;
    strcpy(c.label, "stars");
    refused("text,label\none,good\ntwo,bad\n", "w.csv", &c, ELMAN_ERROR_DATA, "stars");
}

static void wrong_options(void **state)
{
    (void)state;
    need_model();
    elman_config c = quick_config();
    static const char text[] = "text,label\none,good\ntwo,bad\nthree,good\n",
                      vectors[] = "x,label\n1,good\n2,bad\n3,good\n";
    c.calibrate = true;
    refused(text, "o.csv", &c, ELMAN_ERROR_ARGUMENT, "calibrate: it needs a validation part");
    c = quick_config();
    c.patience = 3;
    refused(text, "o.csv", &c, ELMAN_ERROR_ARGUMENT, "patience: it needs a validation part");
    c = quick_config();
    strcpy(c.schedule, "plateau");
    refused(text, "o.csv", &c, ELMAN_ERROR_ARGUMENT, "schedule plateau: it needs");
    c = quick_config();
    strcpy(c.pool, "max,sum");
    refused(text, "o.csv", &c, ELMAN_ERROR_ARGUMENT, "pool: found \"max,sum\"");
    c = quick_config();
    strcpy(c.embeddings, "/nowhere.txt");
    refused(text, "o.csv", &c, ELMAN_ERROR_IO, "/nowhere.txt");
    refused(vectors, "o.csv", &c, ELMAN_ERROR_ARGUMENT, "embeddings: it means something only to");
    c = quick_config();
    c.noise = 0.5;
    refused(text, "o.csv", &c, ELMAN_ERROR_ARGUMENT, "noise: it means something only to numbers");
    c = quick_config();
    c.word_dropout = 0.5;
    refused(vectors, "o.csv", &c, ELMAN_ERROR_ARGUMENT, "word-dropout: it means something only to");
    c = quick_config();
    c.char_hidden = 3;
    refused(vectors, "o.csv", &c, ELMAN_ERROR_ARGUMENT, "char-hidden");
    c = quick_config();
    strcpy(c.split, "2,5");
    refused(text, "o.csv", &c, ELMAN_ERROR_ARGUMENT, "split: 2,5 asks for 7 examples");
    c.split[0] = 0;
    strcpy(c.valid, "/nowhere.csv");
    refused(text, "o.csv", &c, ELMAN_ERROR_IO, "/nowhere.csv");
    c = quick_config();
    c.width = 2;
    refused(vectors, "o.csv", &c, ELMAN_ERROR_DATA, "1 numbers a row, expected steps of --width 2");
    c.width = 0;
    strcpy(c.init, "forget-bias:1");
    c.cell = ELMAN_CELL_GRU;
    refused(vectors, "o.csv", &c, ELMAN_ERROR_ARGUMENT, "forget-bias");
}

/* Texts of nothing, before and behind others. */
static void empty_texts(void **state)
{
    (void)state;
    need_model();
    elman_config c = quick_config();
    for (int characters = 0; characters < 2; characters++) {
        c.char_hidden = 3 * characters;
        c.char_embedding = 2;
        c.batch = 1;
        c.max_steps = 0;
        c.epochs = 2;
        const char *path =
            write_text("empty.csv", "text,label\n,good\n\"\",bad\none,good\n\" \t \",bad\n");
        const char *to = new_folder();
        assert_ok(train_into(context, to, path, &c, &problem));
        assert_true(metric_of(to, path, false, "examples") == 4.0);
        assert_true(isfinite(metric_of(to, path, false, "loss")));
    }
    refused("text,label\n\" \",good\n\"\",bad\n", "none.csv", &c, ELMAN_ERROR_DATA, "word");
}

/* --- parts and evaluation --- */

static elman_status eval(const char *const *paths, int count, bool test, elman_metrics *metrics)
{
    elman_predictor *predictor;
    assert_ok(elman_predictor_open(context, folder, &predictor, &problem));
    elman_status status = elman_predictor_eval(predictor, paths, count, test, metrics, &problem);
    elman_predictor_free(predictor);
    return status;
}

static void parts(void **state)
{
    (void)state;
    need_model();
    assert_true(metric_of(folder, NULL, false, "examples") == 25.0);
    assert_true(metric_of(folder, NULL, true, "examples") == 15.0);
    assert_true(metric_of(folder, data, false, "examples") == 121.0);
    /* the validation part is what metrics.jsonl was written of */
    char path[200], line[600], last[600] = "";
    snprintf(path, sizeof path, "%s/metrics.jsonl", folder);
    FILE *file = fopen(path, "r");
    double best = 9;
    while (fgets(line, sizeof line, file)) {
        const char *loss = strstr(line, "\"loss\":");
        if (strstr(line, "\"validation\"") && strstr(line, "\"best\":true")) {
            best = strtod(loss + 7, NULL);
            strcpy(last, line);
        }
    }
    fclose(file);
    assert_contains(last, "\"accuracy\":");
    assert_contains(last, "\"tokens\":25");
    assert_true(fabs(metric_of(folder, NULL, false, "loss") - best) < 1e-12);
    /* a model without such parts */
    elman_config c = quick_config();
    const char *to = new_folder();
    assert_ok(train_into(context, to, data, &c, &problem));
    elman_predictor *predictor;
    elman_metrics metrics = {0};
    assert_ok(elman_predictor_open(context, to, &predictor, &problem));
    assert_int_equal(elman_predictor_eval(predictor, NULL, 0, false, &metrics, &problem),
                     ELMAN_ERROR_DATA);
    assert_contains(problem.message, "trained without a validation part");
    assert_int_equal(elman_predictor_eval(predictor, NULL, 0, true, &metrics, &problem),
                     ELMAN_ERROR_DATA);
    assert_contains(problem.message, "trained without a test part");
    elman_metrics_clear(context, &metrics);
    elman_predictor_free(predictor);
}

/* A file to validate on, which may have a label of its own. */
static void validated_on_a_file(void **state)
{
    (void)state;
    need_model();
    elman_config c = quick_config();
    strcpy(c.valid, write_text("v.csv", "text,label\none,good\nfour,mixed\n"));
    const char *to = new_folder();
    assert_ok(train_into(context, to,
                         write_text("t.csv", "text,label\none,good\ntwo,bad\nthree,good\n"), &c,
                         &problem));
    assert_true(metric_of(to, NULL, false, "examples") == 2.0);
    elman_classifier *classifier;
    assert_ok(elman_classifier_open(context, to, &classifier, &problem));
    assert_int_equal(elman_classifier_labels(classifier), 3);
    assert_string_equal(elman_classifier_label(classifier, 2), "mixed");
    elman_classifier_free(classifier);
    /* changed since */
    write_text("v.csv", "text,label\none,good\nfive,mixed\n");
    elman_predictor *predictor;
    elman_metrics metrics = {0};
    assert_ok(elman_predictor_open(context, to, &predictor, &problem));
    assert_int_equal(elman_predictor_eval(predictor, NULL, 0, false, &metrics, &problem),
                     ELMAN_ERROR_DATA);
    assert_contains(problem.message, "v.csv: not the file that the training began with");
    elman_metrics_clear(context, &metrics);
    elman_predictor_free(predictor);
}

/* The figures against the answers one by one. */
static void figures(void **state)
{
    (void)state;
    need_model();
    elman_metrics metrics = {0};
    elman_classifier *classifier;
    const char *const paths[] = {data, write_text("more.csv", "label,text\nbad,dull\ngood,\n")};
    assert_ok(eval(paths, 2, false, &metrics));
    assert_ok(elman_classifier_open(context, folder, &classifier, &problem));
    double counts[2][2] = {{0}}, loss = 0;
    char line[512];
    FILE *file = fopen(data, "r");
    assert_non_null(fgets(line, sizeof line, file));
    for (int i = 0; i < 123; i++) {
        char *tab = line;
        if (i < 121) {
            assert_non_null(fgets(line, sizeof line, file));
            tab = strchr(line, '\t');
        } else {
            strcpy(line, i == 121 ? "dull\tbad" : "\tgood");
            tab = strchr(line, '\t');
        }
        float p[2];
        int truth = tab[1] == 'g';
        assert_ok(elman_classifier_text(classifier, line, (size_t)(tab - line), p, &problem));
        counts[truth][p[1] > p[0]]++;
        loss -= log((double)p[truth]);
    }
    fclose(file);
    assert_true(*elman_metrics_find(&metrics, "examples") == 123.0);
    assert_true(fabs(*elman_metrics_find(&metrics, "loss") - loss / 123) < 1e-5);
    assert_true(fabs(*elman_metrics_find(&metrics, "accuracy") -
                     (counts[0][0] + counts[1][1]) / 123) < 1e-12);
    const elman_metrics_table *t = elman_metrics_find_table(&metrics, "confusion");
    assert_non_null(t);
    assert_string_equal(t->row_names[0], "bad");
    assert_string_equal(t->column_names[1], "good");
    for (int i = 0; i < 4; i++)
        assert_true(t->values[i] == counts[i / 2][i % 2]);
    t = elman_metrics_find_table(&metrics, "classes");
    assert_int_equal(t->columns, 4);
    assert_string_equal(t->column_names[1], "recall");
    assert_true(t->values[3] == counts[0][0] + counts[0][1]);
    assert_true(fabs(t->values[1] - counts[0][0] / (counts[0][0] + counts[0][1])) < 1e-12);
    elman_classifier_free(classifier);
    elman_metrics_clear(context, &metrics);
}

static void wrong_evaluations(void **state)
{
    (void)state;
    need_model();
    static const struct {
        const char *text, *part;
    } files[] = {
        {"text,label\none,good\n\"two\nlines\",bad\nthree,mixed\n",
         "e.csv: line 5: label \"mixed\" is none of the 2 that the model was trained with"},
        {"text,label\none,\n", "e.csv: line 2: an empty label"},
        {"text,label\none,good\none\n", "e.csv: line 3"},
        {"text,label\n", "no examples in the files"},
        {"one\ntwo\n", "e.csv: one column"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        elman_metrics metrics = {0};
        const char *path = write_text("e.csv", files[i].text);
        elman_status status = eval(&path, 1, false, &metrics);
        assert_true(status == ELMAN_ERROR_DATA || status == ELMAN_ERROR_FORMAT);
        assert_contains(problem.message, files[i].part);
        elman_metrics_clear(context, &metrics);
    }
    elman_metrics metrics = {0};
    const char *none = "/nowhere.csv";
    assert_int_equal(eval(&none, 1, false, &metrics), ELMAN_ERROR_IO);
    elman_metrics_clear(context, &metrics);
    /* vectors: a label, a number too many */
    elman_config c = quick_config();
    c.width = 2;
    const char *to = new_folder();
    assert_ok(train_into(context, to, write_wide("w.csv", 6), &c, &problem));
    static const char *const texts[] = {"a,b,label\n1,2,up\n3,4,side\n", "a,b,c,label\n1,2,3,up\n",
                                        "a,b,label\n1,nan,up\n"};
    static const char *const found[] = {"x.csv: line 3: label \"side\" is none of the 2",
                                        "x.csv: 3 numbers a row, expected steps of --width 2",
                                        "x.csv: line 2, column b: found \"nan\""};
    for (int i = 0; i < 3; i++) {
        elman_predictor *predictor;
        const char *path = write_text("x.csv", texts[i]);
        assert_ok(elman_predictor_open(context, to, &predictor, &problem));
        assert_int_equal(elman_predictor_eval(predictor, &path, 1, false, &metrics, &problem),
                         ELMAN_ERROR_DATA);
        assert_contains(problem.message, found[i]);
        elman_metrics_clear(context, &metrics);
        elman_predictor_free(predictor);
    }
}

/* --- broken folders --- */

static const char *copy_of_model(void)
{
    const char *to = new_folder();
    char command[300];
    snprintf(command, sizeof command, "cp -r '%s' '%s'", folder, to);
    assert_int_equal(system(command), 0);
    return to;
}

static void broken(const char *to, const char *part)
{
    elman_classifier *classifier = NULL;
    elman_predictor *predictor = NULL;
    elman_status status = elman_classifier_open(context, to, &classifier, &problem);
    if (status == ELMAN_OK || !strstr(problem.message, part))
        fail_msg("status %d, \"%s\", expected \"%s\"", (int)status, problem.message, part);
    assert_null(classifier);
    assert_int_equal(elman_predictor_open(context, to, &predictor, &problem), status);
    assert_null(predictor);
}

/* In a copy of the folder, a file has another text in place of one. */
static void broken_by(const char *name, const char *from, const char *with, const char *part)
{
    const char *to = copy_of_model();
    char path[300], text[1 << 15];
    snprintf(path, sizeof path, "%s/%s", to, name);
    FILE *file = fopen(path, "r");
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = 0;
    char *at = from ? strstr(text, from) : text;
    if (!at)
        fail_msg("no %s in %s", from, text);
    file = fopen(path, "w");
    fprintf(file, "%.*s%s%s", (int)(at - text), text, with, from ? at + strlen(from) : "");
    fclose(file);
    broken(to, part);
}

static void broken_folders(void **state)
{
    (void)state;
    need_model();
    broken_by("labels.json", "\"bad\",", "", "labels.json");
    broken_by("labels.json", "\"bad\"", "\"good\"", "\"good\" stands twice");
    broken_by("labels.json", NULL, "{}", "labels.json");
    broken_by("labels.json", "\"bad\"", "\"\\u001b[31mbad\"", "without control characters");
    broken_by("vocabulary.json", NULL, "{}", "vocabulary.json");
    broken_by("config.json", "\"outputs\": 2", "\"outputs\": 3", "labels.json");
    broken_by("config.json", "\"hidden\": 12", "\"hidden\": 13", "model.safetensors");
    broken_by("config.json", "\"pool\": \"max\"", "\"pool\": \"\"", "pool");
    broken_by("config.json", "\"pool\": \"max\"", "\"pool\": \"max,mean\"", "model.safetensors");
    broken_by("config.json", "\"layers\": 1", "\"layers\": \"auto\"", "layers 0");
    broken_by("config.json", "\"extras\": 0", "\"extras\": 9", "extras: found 9");
    broken_by("config.json", "\"char_hidden\": 0", "\"char_hidden\": 3", "characters.json");
    broken_by("config.json", "\"task\": \"classify\"", "\"task\": \"lm\"", "");
    broken_by("config.json", "\"task\": \"classify\"", "\"task\": \"classyfi\"", "");
    broken_by("model.safetensors", NULL, "12345678", "model.safetensors");
    static const char *const files[] = {"labels.json", "vocabulary.json", "config.json",
                                        "model.safetensors"};
    for (int i = 0; i < 4; i++) {
        const char *to = copy_of_model();
        char path[300];
        snprintf(path, sizeof path, "%s/%s", to, files[i]);
        assert_int_equal(unlink(path), 0);
        broken(to, files[i]);
    }
    /* a temperature that is none */
    static const float wrong[] = {0, -1, NAN, INFINITY};
    for (int i = 0; i < 4; i++) {
        char path[300];
        elman_safetensors *file;
        elman_safetensors_writer *writer;
        const char *to = copy_of_model();
        snprintf(path, sizeof path, "%s/model.safetensors", to);
        assert_ok(elman_safetensors_read(context, path, NULL, &file, &problem));
        assert_ok(elman_safetensors_writer_create(context, &writer, &problem));
        for (size_t k = 0; k < elman_safetensors_count(file); k++) {
            const elman_tensor_view *v = elman_safetensors_at(file, k);
            bool it = !strcmp(v->name, "temperature");
            assert_ok(elman_safetensors_writer_add(writer, v->name, v->dtype, v->rank, v->shape,
                                                   it ? &wrong[i] : v->data, &problem));
        }
        assert_ok(elman_safetensors_writer_write(writer, path, &problem));
        elman_safetensors_writer_free(writer);
        elman_safetensors_free(file);
        broken(to, "temperature: found");
    }
}

/* --- no memory --- */

static elman_status use_it(elman_context *counted)
{
    elman_classifier *classifier = NULL;
    elman_predictor *predictor = NULL;
    elman_contribution list[4];
    elman_metrics metrics = {0};
    float p[2];
    size_t count;
    const char *path = test_path("few.csv");
    elman_status status = elman_classifier_open(counted, folder, &classifier, &problem);
    if (status == ELMAN_OK)
        status = elman_classifier_text(classifier, "a great film", 12, p, &problem);
    if (status == ELMAN_OK)
        status = elman_classifier_explain(classifier, 0, 2, list, 4, &count, &problem);
    elman_classifier_free(classifier);
    if (status == ELMAN_OK)
        status = elman_predictor_open(counted, folder, &predictor, &problem);
    if (status == ELMAN_OK)
        status = elman_predictor_eval(predictor, &path, 1, false, &metrics, &problem);
    static told t;
    static const char *const two[] = {"great", "dull film", NULL};
    elman_predict_options o;
    elman_predict_options_default(&o);
    for (int i = 0; i < 4 && status == ELMAN_OK; i++) {
        o.json = i % 2;
        o.explain = i / 2;
        status = ask(predictor, &o, two, 2, &t, &problem);
    }
    elman_metrics_clear(counted, &metrics);
    elman_predictor_free(predictor);
    return status;
}

static void memory_in_use(void **state)
{
    (void)state;
    need_model();
    counter c;
    elman_context *counted = counted_context(&c);
    write_text("few.csv", "text,label\none,good\ntwo,bad\n");
    int before = c.live, failures = 0;
    for (elman_status status = ELMAN_ERROR_MEMORY; status != ELMAN_OK; failures++) {
        c.calls = 0;
        c.fail_at = failures + 1;
        status = use_it(counted);
        if (status != ELMAN_OK && status != ELMAN_ERROR_MEMORY)
            fail_msg("allocation %d: status %d, %s", failures + 1, (int)status, problem.message);
        assert_int_equal(c.live, before);
    }
    assert_true(failures > 100);
    elman_context_free(counted);
    assert_int_equal(c.live, 0);
}

static void memory_in_training(void **state)
{
    (void)state;
    need_model();
    elman_config config = quick_config();
    config.max_steps = 1;
    config.char_hidden = config.char_embedding = 2;
    config.average = 0.9;
    config.balance = config.calibrate = config.linear_skip = true;
    strcpy(config.split, "3,1");
    strcpy(config.valid, "0.1");
    strcpy(config.embeddings, write_text("m.txt", "film 1 2 3\n"));
    config.embedding = 0;
    char path[128];
    strcpy(path, write_text("m.csv", "text,label\na film,good\nfilm,bad\n,good\nb,bad\n"));
    stop_after = 0;
    for (int vectors = 0; vectors < 2; vectors++) {
        int failures = 0;
        if (vectors) {
            strcpy(path, write_text("n.csv", "x,y,label\n1,2,good\n2,3,bad\n3,4,good\n4,5,bad\n"));
            config.linear_skip = false;
            config.char_hidden = 0;
            config.embeddings[0] = 0;
        }
        for (elman_status status = ELMAN_ERROR_MEMORY; status != ELMAN_OK; failures++) {
            counter c;
            elman_context *counted = counted_context(&c);
            int before = c.live;
            const char *to = new_folder();
            c.calls = 0;
            c.fail_at = failures + 1;
            status = train_into(counted, to, path, &config, &problem);
            if (status != ELMAN_OK && status != ELMAN_ERROR_MEMORY)
                fail_msg("allocation %d: status %d, %s", failures + 1, (int)status,
                         problem.message);
            assert_int_equal(c.live, before);
            elman_context_free(counted);
        }
        assert_true(failures > 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns),
        cmocka_unit_test(wrong_files),
        cmocka_unit_test(wrong_options),
        cmocka_unit_test(empty_texts),
        cmocka_unit_test(parts),
        cmocka_unit_test(validated_on_a_file),
        cmocka_unit_test(figures),
        cmocka_unit_test(wrong_evaluations),
        cmocka_unit_test(broken_folders),
        cmocka_unit_test(memory_in_use),
        cmocka_unit_test(memory_in_training),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
