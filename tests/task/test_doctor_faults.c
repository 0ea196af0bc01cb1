/* The doctor names the first number that is not finite: faults are planted into the weights of a
 * checkpoint at places from which it follows, by the equations of the cells alone, which number of
 * which step, layer, gate and unit is the first to leave the finite ones. */
#include "../data/data_support.h"

#include <math.h>
#include <signal.h>

#include "elman/elman.h"

enum { H = 8, E = 6, B = 3, K = 8, STREAM = 100, Z_STREAM = 1, Z_PLACE = 29, TENSORS = 128 };

/* --- a checkpoint whose weights can be changed --- */

typedef struct edited {
    elman_context *context;
    elman_safetensors *file;
    float *copy[TENSORS]; /* of the F32 tensors */
} edited;

static elman_context *context_of(int threads)
{
    elman_context_options options;
    elman_context *context;
    elman_context_options_default(&options);
    options.threads = threads;
    assert_ok(elman_context_create(&options, &context, &problem));
    return context;
}

static void open_checkpoint(edited *e, const char *base)
{
    char path[256];
    snprintf(path, sizeof path, "%s/checkpoint.safetensors", base);
    e->context = context_of(1);
    assert_ok(elman_safetensors_read(e->context, path, NULL, &e->file, &problem));
    assert_true(elman_safetensors_count(e->file) < TENSORS);
    for (size_t i = 0; i < elman_safetensors_count(e->file); i++) {
        const elman_tensor_view *v = elman_safetensors_at(e->file, i);
        e->copy[i] = malloc(v->bytes + 1);
        assert_non_null(e->copy[i]);
        memcpy(e->copy[i], v->data, v->bytes);
    }
}

static void write_checkpoint(edited *e, const char *folder)
{
    char path[256];
    elman_safetensors_writer *writer;
    const char *key, *value;
    snprintf(path, sizeof path, "%s/checkpoint.safetensors", folder);
    assert_ok(elman_safetensors_writer_create(e->context, &writer, &problem));
    for (size_t i = 0; elman_safetensors_metadata_at(e->file, i, &key, &value); i++)
        assert_ok(elman_safetensors_writer_metadata(writer, key, value, &problem));
    for (size_t i = 0; i < elman_safetensors_count(e->file); i++) {
        const elman_tensor_view *v = elman_safetensors_at(e->file, i);
        assert_ok(elman_safetensors_writer_add(writer, v->name, v->dtype, v->rank, v->shape,
                                               e->copy[i], &problem));
    }
    assert_ok(elman_safetensors_writer_write(writer, path, &problem));
    elman_safetensors_writer_free(writer);
    for (size_t i = 0; i < elman_safetensors_count(e->file); i++)
        free(e->copy[i]);
    elman_safetensors_free(e->file);
    elman_context_free(e->context);
}

/* The weight "rnn.weight_hh_l0", its first element and its columns. */
static float *weight(edited *e, const char *name, size_t *columns)
{
    char whole[128];
    snprintf(whole, sizeof whole, "parameter.%s", name);
    for (size_t i = 0; i < elman_safetensors_count(e->file); i++) {
        const elman_tensor_view *v = elman_safetensors_at(e->file, i);
        if (strcmp(v->name, whole))
            continue;
        *columns = v->rank == 2 ? v->shape[1] : 1;
        return e->copy[i];
    }
    *columns = 0;
    fail_msg("no %s", whole);
    return NULL;
}

static void set(edited *e, const char *name, size_t row, size_t column, float value)
{
    size_t columns;
    weight(e, name, &columns)[row * columns + column] = value;
}

static void fill_row(edited *e, const char *name, size_t row, float value)
{
    size_t columns;
    float *w = weight(e, name, &columns);
    for (size_t k = 0; k < columns; k++)
        w[row * columns + k] = value;
}

static void fill_column(edited *e, const char *name, size_t rows, size_t column, float value)
{
    for (size_t row = 0; row < rows; row++)
        set(e, name, row, column, value);
}

/* --- the trainings that the faults are planted into --- */

static volatile sig_atomic_t stop_flag;

static void stop_at_two(void *user, const elman_train_progress *progress)
{
    (void)user;
    if (progress->event == ELMAN_EVENT_STEP && progress->step >= 2)
        stop_flag = 1;
}

static void train(const char *task, const char *folder, const char *data,
                  const elman_config *config)
{
    elman_context *context = context_of(2);
    elman_train_request request;
    elman_train_request_default(&request);
    request.task = task;
    request.config = *config;
    request.data = &data;
    request.data_count = 1;
    request.output = folder;
    request.progress = stop_at_two;
    request.stop = &stop_flag;
    stop_flag = 0;
    assert_int_equal(elman_train(context, &request, &problem), ELMAN_ERROR_INTERRUPTED);
    elman_context_free(context);
}

/* Streams of STREAM letters side by side; Z stands once. */
static const char *text_file(void)
{
    char text[B * STREAM + 2];
    uint64_t seed = 7;
    for (int i = 0; i < B * STREAM + 1; i++)
        text[i] = "abcdefgh"[random_below(&seed, 8)];
    text[Z_STREAM * STREAM + Z_PLACE] = 'Z';
    text[B * STREAM + 1] = 0;
    return write_text("text.txt", text);
}

/* A path that lives on. */
static const char *kept(const char *name)
{
    static char paths[8][128];
    static int next;
    assert_true(next < 8);
    strcpy(paths[next], test_path(name));
    return paths[next++];
}

static const char *lm(const char *name, elman_cell cell, int64_t layers)
{
    const char *folder = kept(name);
    elman_config c;
    elman_config_default_for(&c, "lm");
    c.cell = (int)cell;
    c.layers = layers;
    c.hidden = H;
    c.embedding = E;
    c.batch = B;
    c.bptt = K;
    c.dropout = 0;
    c.epochs = 3;
    strcpy(c.valid, "0");
    train("lm", folder, text_file(), &c);
    return folder;
}

/* Sentences of 3 to 9 words, the longest the fourth; "zed" is the sixth of eight words of the
 * third. All are one batch. */
enum { SENTENCES = 12, LONGEST = 3, LONGEST_WORDS = 9, ZED_SENTENCE = 2, ZED_PLACE = 5 };

static int sentence_length(int i)
{
    return i == LONGEST ? LONGEST_WORDS : i == ZED_SENTENCE ? 8 : 3 + i % 4;
}

static const char *tagger(const char *name)
{
    static const char *const words[] = {"the", "a", "dog", "cat", "sees", "hears"};
    const char *folder = kept(name), *path = test_path("tags.conll");
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    uint64_t seed = 3;
    for (int i = 0; i < SENTENCES; i++) {
        for (int t = 0; t < sentence_length(i); t++) {
            size_t w = random_below(&seed, 6);
            bool zed = i == ZED_SENTENCE && t == ZED_PLACE;
            fprintf(file, "%s\t%s\n", zed ? "zed" : words[w], w < 2 ? "DET" : w < 4 ? "N" : "V");
        }
        fprintf(file, "\n");
    }
    assert_int_equal(fclose(file), 0);
    elman_config c;
    elman_config_default_for(&c, "tag");
    c.layers = 2;
    c.hidden = H;
    c.embedding = E;
    c.char_hidden = 0;
    c.batch = 64;
    c.dropout = c.word_dropout = c.average = 0;
    c.residual = c.output_norm = false;
    c.min_count = 1;
    c.epochs = 50;
    strcpy(c.valid, "0");
    train("tag", folder, path, &c);
    return folder;
}

static size_t word_number(const char *folder, const char *word)
{
    char path[256];
    elman_context *context = context_of(1);
    elman_vocabulary *vocabulary;
    snprintf(path, sizeof path, "%s/vocabulary.json", folder);
    assert_ok(elman_vocabulary_load(context, path, &vocabulary, &problem));
    int32_t number = elman_vocabulary_find(vocabulary, word, strlen(word));
    assert_true(number >= 0);
    elman_vocabulary_free(vocabulary);
    elman_context_free(context);
    return (size_t)number;
}

/* --- a planting and what must be said of it --- */

typedef struct truth {
    bool backward;
    int64_t step;
    const char *layer, *gate, *operation;
    int64_t unit, sequence, time;
} truth;

static int plantings;

/* Copies the base, lets the fault be planted, and asks, on one thread and on three. */
static void expect(const char *base, void (*plant)(edited *, const char *), const truth *want)
{
    char command[512];
    const char *folder = test_path("planted");
    edited e = {0};
    snprintf(command, sizeof command, "rm -rf '%s' && cp -r '%s' '%s'", folder, base, folder);
    assert_int_equal(system(command), 0);
    open_checkpoint(&e, base);
    plant(&e, base);
    write_checkpoint(&e, folder);
    for (int threads = 1; threads <= 3; threads += 2) {
        elman_context *context = context_of(threads);
        elman_diagnosis d = {0};
        assert_ok(elman_doctor_model(context, folder, NULL, &d, &problem));
        const elman_fault *f = &d.fault;
        bool same = f->step == want->step && f->backward == want->backward &&
                    !strcmp(f->layer, want->layer) && f->gate && !strcmp(f->gate, want->gate) &&
                    !strcmp(f->operation, want->operation) && f->unit == want->unit &&
                    f->sequence == want->sequence && f->time == want->time;
        if (!same)
            fail_msg("planting %d: %s", plantings + 1,
                     d.count ? d.findings[d.count - 1].reason : "nothing found");
        assert_false(f->value - f->value == 0); /* infinite or NaN */
        assert_string_equal(d.findings[d.count - 1].code, "not-finite");
        elman_diagnosis_clear(context, &d);
        elman_context_free(context);
    }
    plantings++;
}

/* Row of gate g of unit u. */
static size_t row_of(size_t gate, size_t unit)
{
    return gate * H + unit;
}

/* --- forwards: a weight that is NaN spoils its gate at the first step that is run --- */

static struct {
    const char *name;
    size_t row, column;
    float value;
} planted;

static void plant_one(edited *e, const char *base)
{
    (void)base;
    set(e, planted.name, planted.row, planted.column, planted.value);
}

static void expect_one(const char *base, const char *name, size_t gate, size_t unit, size_t column,
                       const truth *want)
{
    planted.name = name;
    planted.row = row_of(gate, unit);
    planted.column = column;
    planted.value = gate % 2 ? -NAN : NAN;
    expect(base, plant_one, want);
}

/* --- forwards: an infinity that only one token brings --- */

/* Two columns of the token's embedding become infinite. Where a unit's weights of both have the
 * same sign its gate saturates, which is finite; those of the planted gate have not: infinity less
 * infinity. Other tokens have zeros there, so that these weights say nothing of them. */
static void make_infinite(edited *e, const char *base, const char *token, const char *target,
                          size_t row, const char *const *others)
{
    size_t columns, number = word_number(base, token);
    const elman_tensor_view *v = elman_safetensors_find(e->file, "parameter.embedding.weight");
    fill_column(e, "embedding.weight", v->shape[0], 0, 0);
    fill_column(e, "embedding.weight", v->shape[0], 1, 0);
    set(e, "embedding.weight", number, 0, INFINITY);
    set(e, "embedding.weight", number, 1, INFINITY);
    for (; *others; others++) {
        (void)weight(e, *others, &columns);
        fill_column(e, *others, 4 * H, 0, 0.25F);
        fill_column(e, *others, 4 * H, 1, 0.25F);
    }
    set(e, target, row, 1, -0.25F);
}

static void plant_letter(edited *e, const char *base)
{
    const char *const all[] = {"rnn.weight_ih_l0", NULL};
    make_infinite(e, base, "Z", all[0], row_of(2, 3), all);
}

static void plant_word(edited *e, const char *base)
{
    const char *const all[] = {"rnn.weight_ih_l0", "rnn.weight_ih_l0_reverse", NULL};
    make_infinite(e, base, "zed", all[1], row_of(3, 6), all);
}

/* --- forwards: finite weights, a product that no float holds --- */

static void plant_overflow(edited *e, const char *base)
{
    const elman_tensor_view *v = elman_safetensors_find(e->file, "parameter.embedding.weight");
    fill_column(e, "embedding.weight", v->shape[0], 0, 0);
    set(e, "embedding.weight", word_number(base, "Z"), 0, 1e30F);
    fill_column(e, "rnn.weight_ih_l0", H, 0, 0);
    set(e, "rnn.weight_ih_l0", 5, 0, 1e20F);
}

/* Unit 2 of the first layer says 1e10 at Z and else nothing; only unit 4 of the second hears it. */
static void plant_overflow_above(edited *e, const char *base)
{
    const elman_tensor_view *v = elman_safetensors_find(e->file, "parameter.embedding.weight");
    fill_column(e, "embedding.weight", v->shape[0], 0, 0);
    set(e, "embedding.weight", word_number(base, "Z"), 0, 1e10F);
    fill_column(e, "rnn.weight_ih_l0", H, 0, 0);
    fill_row(e, "rnn.weight_ih_l0", 2, 0);
    set(e, "rnn.weight_ih_l0", 2, 0, 1);
    fill_row(e, "rnn.weight_hh_l0", 2, 0);
    fill_column(e, "rnn.weight_hh_l0", H, 2, 0);
    set(e, "rnn.bias_ih_l0", 2, 0, 0);
    set(e, "rnn.bias_hh_l0", 2, 0, 0);
    fill_column(e, "rnn.weight_ih_l1", H, 2, 0);
    set(e, "rnn.weight_ih_l1", 4, 2, 1e30F);
}

/* --- backwards: a unit that says nothing and whose gradient explodes --- */

/* Nothing goes into unit u: h stays at exactly 0, and what its own weight on itself is makes no
 * difference forwards. Backwards that weight multiplies the gradient at each step by 1e15 times 1
 * or (gates at 1/2) 1/4 and a little. What comes from above is between 1e-5 and 1e7, so that after
 * two steps it is finite and after three it is not: 1e-5 * (1e15/4)^3 > 3.4e38 > 1e7 * 1e15^2. */
enum { STEPS_BACK = 3 };

typedef struct silent {
    const char *suffix; /* of the weights */
    size_t gates, gate, unit, input;
    const char *above; /* the weight that reads it */
    size_t above_column;
    float loud;
} silent;

static silent quiet;

static void plant_silent(edited *e, const char *base)
{
    static const char *const parts[] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"};
    char name[64];
    (void)base;
    for (int i = 0; i < 4; i++)
        for (size_t g = 0; g < quiet.gates; g++) {
            snprintf(name, sizeof name, "rnn.%s%s", parts[i], quiet.suffix);
            fill_row(e, name, row_of(g, quiet.unit), 0);
        }
    snprintf(name, sizeof name, "rnn.weight_hh%s", quiet.suffix);
    fill_column(e, name, quiet.gates * H, quiet.unit, 0);
    set(e, name, row_of(quiet.gate, quiet.unit), quiet.unit, 1e15F);
    size_t columns;
    const elman_tensor_view *v;
    snprintf(name, sizeof name, "parameter.%s", quiet.above);
    v = elman_safetensors_find(e->file, name);
    assert_non_null(v);
    (void)weight(e, quiet.above, &columns);
    fill_column(e, quiet.above, v->shape[0], quiet.above_column, 0);
    set(e, quiet.above, 0, quiet.above_column, quiet.loud);
    /* what it said before the checkpoint is no longer so */
    for (size_t i = 0; i < elman_safetensors_count(e->file); i++) {
        v = elman_safetensors_at(e->file, i);
        if (!strcmp(v->name, "state.recurrent"))
            memset(e->copy[i], 0, v->bytes);
    }
}

static void expect_silent(const char *base, silent what, const truth *want)
{
    quiet = what;
    expect(base, plant_silent, want);
}

static void test_lstm(void **state)
{
    (void)state;
    const char *base = lm("lstm", ELMAN_CELL_LSTM, 2);
    const char *const gates[] = {"i", "f", "g", "o"};
    truth want = {false, 3, "rnn.l0", NULL, "recurrent product", 0, 0, 2 * K};
    for (size_t g = 0; g < 4; g++) {
        want.gate = gates[g];
        want.unit = (int64_t)(2 * g + 1);
        expect_one(base, "rnn.weight_hh_l0", g, 2 * g + 1, 7 - g, &want);
    }
    want = (truth){false, 3, "rnn.l1", "f", "recurrent product", 5, 0, 2 * K};
    expect_one(base, "rnn.weight_hh_l1", 1, 5, 2, &want);
    want = (truth){false, 3, "rnn.l1", "g", "input product", 0, 0, 2 * K};
    expect_one(base, "rnn.weight_ih_l1", 2, 0, 7, &want);
    want = (truth){false, 3, "rnn.l1", "o", "bias", 7, 0, 2 * K};
    expect_one(base, "rnn.bias_ih_l1", 3, 7, 0, &want);
    want = (truth){false, Z_PLACE / K + 1, "rnn.l0", "g", "input product", 3, Z_STREAM, Z_PLACE};
    expect(base, plant_letter, &want);
    want = (truth){true, 3, "rnn.l1", "g", "recurrent product", 6, 0, 3 * K - 1 - STEPS_BACK};
    expect_silent(base, (silent){"_l1", 4, 2, 6, H, "output.weight", 6, 1}, &want);
    want = (truth){true, 3, "rnn.l0", "g", "recurrent product", 1, 0, 3 * K - 1 - STEPS_BACK};
    expect_silent(base, (silent){"_l0", 4, 2, 1, E, "rnn.weight_ih_l1", 1, 1e3F}, &want);
}

static void test_gru(void **state)
{
    (void)state;
    const char *base = lm("gru", ELMAN_CELL_GRU, 1);
    const char *const gates[] = {"r", "z", "n"};
    truth want = {false, 3, "rnn.l0", NULL, "recurrent product", 0, 0, 2 * K};
    for (size_t g = 0; g < 3; g++) {
        want.gate = gates[g];
        want.unit = (int64_t)(g + 4);
        expect_one(base, "rnn.weight_hh_l0", g, g + 4, g, &want);
    }
    want = (truth){false, 3, "rnn.l0", "n", "bias", 0, 0, 2 * K};
    expect_one(base, "rnn.bias_hh_l0", 2, 0, 0, &want);
    want = (truth){true, 3, "rnn.l0", "n", "recurrent product", 2, 0, 3 * K - 1 - STEPS_BACK};
    expect_silent(base, (silent){"_l0", 3, 2, 2, E, "output.weight", 2, 1}, &want);
}

static void test_rnn(void **state)
{
    (void)state;
    const char *base = lm("rnn", ELMAN_CELL_RNN, 1);
    truth want = {false, 3, "rnn.l0", "h", "input product", 3, 0, 2 * K};
    expect_one(base, "rnn.weight_ih_l0", 0, 3, 4, &want);
    want = (truth){true, 3, "rnn.l0", "h", "recurrent product", 7, 0, 3 * K - 1 - STEPS_BACK};
    expect_silent(base, (silent){"_l0", 1, 0, 7, E, "output.weight", 7, 1}, &want);
}

static void test_relu(void **state)
{
    (void)state;
    const char *base = lm("relu", ELMAN_CELL_RNN_RELU, 2);
    truth want = {false, Z_PLACE / K + 1, "rnn.l0", "h", "input product", 5, Z_STREAM, Z_PLACE};
    expect(base, plant_overflow, &want);
    want = (truth){false, Z_PLACE / K + 1, "rnn.l1", "h", "input product", 4, Z_STREAM, Z_PLACE};
    expect(base, plant_overflow_above, &want);
}

static void test_both_directions(void **state)
{
    (void)state;
    const char *base = tagger("tagger");
    truth want = {false, 3, "rnn.l0_reverse", "o", "input product", 6, ZED_SENTENCE, ZED_PLACE};
    expect(base, plant_word, &want);
    want = (truth){false, 3,       "rnn.l1_reverse", "i", "recurrent product",
                   2,     LONGEST, LONGEST_WORDS - 1};
    expect_one(base, "rnn.weight_hh_l1_reverse", 0, 2, 4, &want);
    want = (truth){false, 3, "rnn.l1", "f", "recurrent product", 4, LONGEST, 0};
    expect_one(base, "rnn.weight_hh_l1", 1, 4, 1, &want);
    /* the reverse direction ends at step 0, and its gradient goes forwards in time */
    want = (truth){true, 3, "rnn.l1_reverse", "g", "recurrent product", 5, LONGEST, STEPS_BACK};
    expect_silent(base, (silent){"_l1_reverse", 4, 2, 5, 2 * H, "output.weight", H + 5, 1}, &want);
    want = (truth){
        true, 3, "rnn.l1", "g", "recurrent product", 0, LONGEST, LONGEST_WORDS - 1 - STEPS_BACK};
    expect_silent(base, (silent){"_l1", 4, 2, 0, 2 * H, "output.weight", 0, 1}, &want);
}

static void test_there_were_enough(void **state)
{
    (void)state;
    assert_true(plantings >= 20);
    print_message("%d plantings, each named rightly\n", plantings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lstm),
        cmocka_unit_test(test_gru),
        cmocka_unit_test(test_rnn),
        cmocka_unit_test(test_relu),
        cmocka_unit_test(test_both_directions),
        cmocka_unit_test(test_there_were_enough),
    };
    return cmocka_run_group_tests(tests, make_test_folder, remove_test_folder);
}
