/* The encoder against figures made with PyTorch (tests/golden/model/make_encoder.py): logits and
 * the gradient of every parameter; what must not change a bit: what else is in the batch, the path
 * by which words are read, threads; and what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "elman/encoder.h"
#include "golden.h"
#include "gradient_check.h"

enum { CASES = 14, SEQUENCES = 7, WORDS = 5, ROWS = 64, LOGITS = 256, WIDEST = 16 };

typedef struct subject {
    elman_context *context;
    elman_tape *tape;
    golden *file;
    char prefix[32];
    elman_config config;
    elman_encoder *encoder;
    /* of a batch, until the round ends */
    int32_t tokens[ROWS], word_rows[ROWS];
    float vectors[ROWS * WIDEST], extras[SEQUENCES * WIDEST];
} subject;

static elman_context *context_of(int threads)
{
    elman_context_options options;
    elman_context *context;
    elman_context_options_default(&options);
    options.threads = threads;
    assert_int_equal(elman_context_create(&options, &context, NULL), ELMAN_OK);
    return context;
}

static elman_config config_of(subject *s)
{
    static const char *const names[] = {"last", "mean", "max", "attention"};
    elman_config c;
    elman_config_default(&c);
    const int32_t *v = golden_integers(s->file, s->prefix, "config");
    const int32_t *pools = golden_integers(s->file, s->prefix, "pools");
    assert_non_null(v);
    assert_non_null(pools);
    c.cell = v[0];
    c.layers = v[1];
    c.hidden = v[2];
    c.bidirectional = v[3];
    c.vocabulary = v[4];
    c.embedding = v[5];
    c.inputs = v[6];
    c.char_hidden = v[7];
    c.char_embedding = v[8];
    c.characters = v[9];
    c.outputs = v[10];
    c.dense = v[11];
    c.extras = v[12];
    c.dropout = 0;
    c.pool[0] = 0;
    for (int i = 0; i < 4 && pools[i] >= 0; i++)
        snprintf(c.pool + strlen(c.pool), 16, "%s%s", i ? "," : "", names[pools[i]]);
    return c;
}

static void open_case(subject *s, int number, int threads, double dropout)
{
    elman_error error = {0};
    memset(s, 0, sizeof *s);
    s->context = context_of(threads);
    assert_int_equal(elman_tape_create(s->context, &s->tape, NULL), ELMAN_OK);
    s->file = golden_open(s->context, ELMAN_TEST_DATA "/model/encoder.safetensors");
    if (!s->file)
        skip();
    snprintf(s->prefix, sizeof s->prefix, "encoder.%d.", number);
    s->config = config_of(s);
    s->config.dropout = dropout;
    if (elman_encoder_create(s->context, &s->config, true, &s->encoder, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    elman_parameters *set = elman_encoder_parameters(s->encoder);
    for (int64_t i = 0; i < elman_parameters_count(set); i++) {
        elman_parameter *p = elman_parameters_at(set, i);
        const elman_tensor *t = golden_find(s->file, s->prefix, elman_parameter_name(p));
        if (!t)
            fail_msg("no %s%s", s->prefix, elman_parameter_name(p));
        assert_int_equal(elman_tensor_count(t), elman_tensor_count(elman_parameter_value(p)));
        memcpy(elman_parameter_edit(p), t->data, (size_t)elman_tensor_count(t) * sizeof(float));
    }
}

static void close_case(subject *s)
{
    elman_encoder_free(s->encoder);
    golden_close(s->file);
    elman_tape_free(s->tape);
    elman_context_free(s->context);
}

/* The sequences `chosen`, [n] numbers of the figures' seven, in that order. */
static elman_encoder_batch batch_of(subject *s, const int *chosen, int n)
{
    static const int all[SEQUENCES] = {0, 1, 2, 3, 4, 5, 6};
    const int32_t *given = golden_integers(s->file, s->prefix, "lengths");
    const int32_t *tokens = golden_integers(s->file, s->prefix, "tokens");
    const int32_t *word_rows = golden_integers(s->file, s->prefix, "word_rows");
    const elman_tensor *vectors = golden_find(s->file, s->prefix, "vectors");
    const float *from = vectors ? vectors->data : NULL;
    int64_t lengths[SEQUENCES], whole[SEQUENCES], T = 0;
    uint32_t numbers[SEQUENCES];
    for (int i = 0; i < SEQUENCES; i++)
        whole[i] = given[i];
    chosen = chosen ? chosen : all;
    for (int i = 0; i < n; i++) {
        lengths[i] = given[chosen[i]];
        numbers[i] = (uint32_t)chosen[i];
        T = T < lengths[i] ? lengths[i] : T;
    }
    const elman_sequences *a = elman_tape_sequences(s->tape, 6, SEQUENCES, whole, NULL, 0);
    const elman_sequences *b = elman_tape_sequences(s->tape, T, n, lengths, numbers, 0);
    assert_non_null(a);
    assert_non_null(b);
    for (int64_t t = 0; t < b->T; t++)
        for (int64_t p = 0; p < b->batch_sizes[t]; p++) {
            int64_t to = b->offsets[t] + p, place = 0;
            while (a->order[place] != chosen[b->order[p]])
                place++;
            int64_t row = a->offsets[t] + place;
            s->tokens[to] = tokens ? tokens[row] : 0;
            s->word_rows[to] = word_rows ? word_rows[row] : 0;
            if (from)
                memcpy(s->vectors + to * s->config.inputs, from + row * s->config.inputs,
                       (size_t)s->config.inputs * sizeof *from);
        }
    elman_encoder_batch batch = {.sequences = b, .extras = s->extras};
    const elman_tensor *extras = golden_find(s->file, s->prefix, "extras");
    for (int i = 0; extras && i < n; i++)
        memcpy(s->extras + i * s->config.extras, extras->data + chosen[i] * s->config.extras,
               (size_t)s->config.extras * sizeof *s->extras);
    if (s->config.vocabulary)
        batch.tokens = s->tokens;
    else
        batch.vectors = s->vectors;
    if (s->config.char_hidden) {
        const int32_t *of = golden_integers(s->file, s->prefix, "word_lengths");
        int64_t sizes[WORDS];
        for (int i = 0; i < WORDS; i++)
            sizes[i] = of[i];
        batch.words = elman_tape_sequences(s->tape, 7, WORDS, sizes, NULL, 0);
        batch.characters = golden_integers(s->file, s->prefix, "characters");
        batch.word_rows = s->word_rows;
    }
    return batch;
}

static void check_ok(const elman_tape *tape)
{
    elman_error error = {0};
    if (elman_tape_status(tape, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
}

static void figures(void **state)
{
    (void)state;
    for (int number = 0; number < CASES; number++) {
        subject s;
        open_case(&s, number, 0, 0);
        elman_tape_begin(s.tape, NULL);
        elman_encoder_batch batch = batch_of(&s, NULL, SEQUENCES);
        elman_var *y = elman_encoder_forward(s.tape, s.encoder, &batch, NULL);
        check_ok(s.tape);
        assert_true(golden_near(s.file, s.prefix, "logits", elman_var_value(y)->data,
                                elman_tensor_count(elman_var_value(y)), 16));
        assert_int_equal(elman_tape_backward(s.tape, gradient_weigh(s.tape, y), NULL), ELMAN_OK);
        elman_parameters *set = elman_encoder_parameters(s.encoder);
        for (int64_t i = 0; i < elman_parameters_count(set); i++) {
            elman_parameter *p = elman_parameters_at(set, i);
            char name[128];
            snprintf(name, sizeof name, "d.%s", elman_parameter_name(p));
            assert_true(golden_near(s.file, s.prefix, name, elman_parameter_gradient(p),
                                    elman_tensor_count(elman_parameter_value(p)), 32));
        }
        assert_string_equal(elman_encoder_config(s.encoder)->pool, s.config.pool);
        close_case(&s);
    }
    subject s; /* no figures were left out */
    open_case(&s, 0, 1, 0);
    assert_null(golden_integers(s.file, "encoder.14.", "config"));
    close_case(&s);
}

/* Logits of the chosen sequences, and the description of their batch. */
static elman_encoder_batch logits_of(subject *s, bool train, const int *chosen, int n,
                                     bool embedded, float *logits, int64_t *count)
{
    elman_tape_mode mode;
    elman_tape_mode_default(&mode);
    mode.train = train;
    mode.record = train;
    mode.seed = 77;
    mode.pass = 3;
    elman_tape_begin(s->tape, &mode);
    elman_encoder_batch batch = batch_of(s, chosen, n);
    elman_var *x = embedded ? elman_encoder_inputs(s->tape, s->encoder, &batch) : NULL;
    elman_var *y = elman_encoder_forward(s->tape, s->encoder, &batch, x);
    check_ok(s->tape);
    *count = elman_tensor_count(elman_var_value(y));
    assert_true(*count <= LOGITS);
    memcpy(logits, elman_var_value(y)->data, (size_t)*count * sizeof *logits);
    return batch;
}

/* That of what `whole` has for sequence b, `alone` has the same bits; place: its place there. */
static void same_rows(const subject *s, const elman_sequences *all, const float *whole, int b,
                      const elman_sequences *few, const float *alone, int64_t place)
{
    size_t K = (size_t)s->config.outputs;
    if (s->config.pool[0]) {
        assert_true(compare_bits(alone + (size_t)place * K, whole + (size_t)b * K, K));
        return;
    }
    int64_t i = 0, j = 0;
    while (all->order[i] != b)
        i++;
    while (few->order[j] != place)
        j++;
    for (int64_t t = 0; t < all->lengths[b]; t++)
        assert_true(compare_bits(alone + (size_t)(few->offsets[t] + j) * K,
                                 whole + (size_t)(all->offsets[t] + i) * K, K));
}

/* Alone, and among others in another order: in use, and in training with dropout. */
static void alone(void **state)
{
    (void)state;
    static const int shuffled[] = {5, 1, 6, 0, 3};
    for (int number = 0; number < CASES; number++)
        for (int train = 0; train < 2; train++) {
            subject s;
            float whole[LOGITS], some[LOGITS];
            int64_t lengths[SEQUENCES], count;
            open_case(&s, number, 1 + number % 3, train ? 0.4 : 0);
            logits_of(&s, train, NULL, SEQUENCES, false, whole, &count);
            assert_true(compare_varied(whole, (size_t)count));
            const int32_t *given = golden_integers(s.file, s.prefix, "lengths");
            for (int i = 0; i < SEQUENCES; i++)
                lengths[i] = given[i];
            elman_tape *other; /* keeps the description of the whole batch */
            assert_int_equal(elman_tape_create(s.context, &other, NULL), ELMAN_OK);
            elman_tape_begin(other, NULL);
            const elman_sequences *all =
                elman_tape_sequences(other, 6, SEQUENCES, lengths, NULL, 0);
            for (int b = 0; b < SEQUENCES; b++) {
                elman_encoder_batch one = logits_of(&s, train, &b, 1, false, some, &count);
                same_rows(&s, all, whole, b, one.sequences, some, 0);
            }
            elman_encoder_batch few = logits_of(&s, train, shuffled, 5, false, some, &count);
            for (int i = 0; i < 5; i++)
                same_rows(&s, all, whole, shuffled[i], few.sequences, some, i);
            elman_tape_free(other);
            close_case(&s);
        }
}

/* Words read row by row from the table, and as embedded rows. */
static void paths(void **state)
{
    (void)state;
    for (int number = 0; number < CASES; number++) {
        subject s;
        float read[LOGITS], embedded[LOGITS];
        int64_t count, other;
        open_case(&s, number, 2, 0);
        logits_of(&s, false, NULL, SEQUENCES, false, read, &count);
        logits_of(&s, false, NULL, SEQUENCES, true, embedded, &other);
        assert_int_equal(count, other);
        assert_true(compare_bits(read, embedded, (size_t)count));
        close_case(&s);
    }
}

static void threads(void **state)
{
    (void)state;
    static const int counts[] = {1, 2, 3, 8};
    for (int number = 0; number < CASES; number++) {
        float *first = NULL;
        size_t size = 0;
        for (int i = 0; i < 4; i++) {
            subject s;
            float logits[LOGITS];
            int64_t count;
            open_case(&s, number, counts[i], 0.3);
            elman_tape_mode mode;
            elman_tape_mode_default(&mode);
            mode.train = true;
            elman_tape_begin(s.tape, &mode);
            elman_encoder_batch batch = batch_of(&s, NULL, SEQUENCES);
            elman_var *y = elman_encoder_forward(s.tape, s.encoder, &batch, NULL);
            check_ok(s.tape);
            count = elman_tensor_count(elman_var_value(y));
            memcpy(logits, elman_var_value(y)->data, (size_t)count * sizeof *logits);
            assert_int_equal(elman_tape_backward(s.tape, gradient_weigh(s.tape, y), NULL),
                             ELMAN_OK);
            elman_parameters *set = elman_encoder_parameters(s.encoder);
            size_t n = (size_t)count;
            for (int64_t p = 0; p < elman_parameters_count(set); p++)
                n += (size_t)elman_tensor_count(elman_parameter_value(elman_parameters_at(set, p)));
            float *all = malloc(n * sizeof *all), *at = all;
            assert_non_null(all);
            memcpy(at, logits, (size_t)count * sizeof *at);
            at += count;
            for (int64_t p = 0; p < elman_parameters_count(set); p++) {
                elman_parameter *one = elman_parameters_at(set, p);
                size_t elements = (size_t)elman_tensor_count(elman_parameter_value(one));
                memcpy(at, elman_parameter_gradient(one), elements * sizeof *at);
                at += elements;
            }
            if (!first) {
                first = all;
                size = n;
            } else {
                assert_int_equal(n, size);
                assert_true(compare_bits(all, first, n));
                free(all);
            }
            close_case(&s);
        }
        free(first);
    }
}

/* No word at all: nothing but the bias, and no crash where words have characters. */
static void nothing(void **state)
{
    (void)state;
    for (int number = 0; number < CASES; number++) {
        subject s;
        open_case(&s, number, 2, 0);
        elman_tape_begin(s.tape, NULL);
        elman_encoder_batch batch = {
            .sequences = elman_tape_sequences(s.tape, 0, 2, (int64_t[]){0, 0}, NULL, 0)};
        batch.tokens = s.tokens;
        batch.vectors = s.vectors;
        batch.extras = s.extras; /* all zero */
        batch.words = elman_tape_sequences(s.tape, 0, 0, NULL, NULL, 0);
        batch.characters = s.tokens;
        batch.word_rows = s.word_rows;
        elman_var *y = elman_encoder_forward(s.tape, s.encoder, &batch, NULL);
        check_ok(s.tape);
        const elman_tensor *v = elman_var_value(y);
        assert_int_equal(v->shape[0], s.config.pool[0] ? 2 : 0);
        const elman_tensor *bias = elman_parameter_value(
            elman_parameters_find(elman_encoder_parameters(s.encoder), "output.bias"));
        for (int64_t b = 0; b < v->shape[0]; b++)
            assert_true(
                compare_bits(v->data + b * s.config.outputs, bias->data, (size_t)s.config.outputs));
        close_case(&s);
    }
}

static void refuses(elman_context *context, const elman_config *config, const char *part)
{
    elman_encoder *encoder = NULL;
    elman_error error = {0};
    elman_status status = elman_encoder_create(context, config, true, &encoder, &error);
    if (status != ELMAN_ERROR_ARGUMENT || !strstr(error.message, part))
        fail_msg("status %d, \"%s\", expected \"%s\"", (int)status, error.message, part);
    assert_null(encoder);
}

static void wrong(void **state)
{
    (void)state;
    elman_context *context = context_of(1);
    elman_config good, c;
    elman_config_default(&good);
    good.layers = 1;
    good.hidden = good.outputs = 3;
    good.vocabulary = 5;
    good.embedding = 2;
    good.dropout = 0.5;
#define WITH(field, value, part)                                                                   \
    do {                                                                                           \
        c = good;                                                                                  \
        c.field = (value);                                                                         \
        refuses(context, &c, part);                                                                \
    } while (0)
    WITH(layers, 0, "layers 0");
    WITH(layers, 65, "layers 65");
    WITH(hidden, 0, "hidden 0");
    WITH(hidden, -1, "hidden -1");
    WITH(outputs, 0, "outputs 0");
    WITH(vocabulary, 0, "vocabulary 0");
    WITH(vocabulary, -1, "vocabulary -1");
    WITH(vocabulary, (int64_t)1 << 32, "vocabulary 4294967296");
    WITH(embedding, 0, "embedding 0");
    WITH(dropout, -1, "found -1");
    WITH(dropout, 1, "found 1");
    WITH(dropout, (double)NAN, "dropout: found");
    WITH(char_hidden, 3, "char-hidden");
    c = good;
    c.vocabulary = 0;
    c.inputs = 4;
    c.char_hidden = c.characters = 3;
    refuses(context, &c, "char-hidden");
    static const char *const pools[] = {
        "sum", "max,max", ",", "max,,mean", "last ", "MAX", "last,mean,max,attention,last"};
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++) {
        c = good;
        strcpy(c.pool, pools[i]);
        refuses(context, &c, pools[i]);
    }
    elman_encoder_free(NULL);
    elman_context_free(context);
}

/* Inputs of another shape are an error of the tape, and so is an error before. */
static void wrong_inputs(void **state)
{
    (void)state;
    subject s;
    float numbers[ROWS * WIDEST] = {0};
    open_case(&s, 5, 1, 0);
    elman_tape_begin(s.tape, NULL);
    elman_encoder_batch batch = batch_of(&s, NULL, SEQUENCES);
    int64_t N = batch.sequences->N;
    elman_var *x = elman_tape_input(s.tape, 2, (int64_t[]){N - 1, s.config.inputs}, numbers);
    assert_null(elman_encoder_forward(s.tape, s.encoder, &batch, x));
    assert_int_equal(elman_tape_status(s.tape, NULL), ELMAN_ERROR_SHAPE);
    assert_null(elman_encoder_inputs(s.tape, s.encoder, &batch));
    assert_null(elman_encoder_forward(s.tape, s.encoder, &batch, NULL));
    elman_tape_begin(s.tape, NULL);
    batch = (elman_encoder_batch){0};
    assert_null(elman_encoder_forward(s.tape, s.encoder, &batch, NULL));
    close_case(&s);
}

typedef struct counter {
    int calls, live, fail_at;
} counter;

static void *counter_allocate(void *user, size_t bytes)
{
    counter *c = user;
    if (++c->calls == c->fail_at)
        return NULL;
    c->live++;
    return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

static void counter_release(void *user, void *memory)
{
    counter *c = user;
    c->live--;
    free(memory);
}

static void out_of_memory(void **state)
{
    (void)state;
    counter c = {0, 0, 0};
    elman_context_options options;
    elman_context *context;
    elman_context_options_default(&options);
    options.allocator = (elman_allocator){counter_allocate, counter_release, &c};
    options.threads = 1;
    assert_int_equal(elman_context_create(&options, &context, NULL), ELMAN_OK);
    elman_config config;
    elman_config_default(&config);
    config.layers = 2;
    config.hidden = config.outputs = config.vocabulary = config.embedding = 3;
    config.dropout = 0;
    config.bidirectional = true;
    config.char_hidden = config.char_embedding = config.characters = 2;
    strcpy(config.pool, "attention,last");
    int before = c.live, failures = 0;
    for (;; failures++) {
        elman_encoder *encoder = NULL;
        elman_error error = {0};
        c.calls = 0;
        c.fail_at = failures + 1;
        elman_status status = elman_encoder_create(context, &config, true, &encoder, &error);
        if (status == ELMAN_OK) {
            elman_encoder_free(encoder);
            break;
        }
        assert_int_equal(status, ELMAN_ERROR_MEMORY);
        assert_int_equal(c.live, before);
    }
    assert_int_equal(c.live, before);
    assert_true(failures > 20);
    c.fail_at = 0;
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures),      cmocka_unit_test(alone),         cmocka_unit_test(paths),
        cmocka_unit_test(threads),      cmocka_unit_test(nothing),       cmocka_unit_test(wrong),
        cmocka_unit_test(wrong_inputs), cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
