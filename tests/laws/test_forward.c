/* A sequence's forward result is the same bits whole and in chunks, alone and inside any batch,
 * padded and packed, on the tape and in a session. */
#include "lm.h"

enum { V = 29, LENGTH = 130 };

/* Logits [n,V] of n tokens, the state carried from h, c where they are given. */
static void logits_of(elman_context *context, elman_network *network, const int32_t *tokens,
                      int64_t n, elman_network_state *state, float *logits)
{
    elman_tape *tape;
    elman_tape_mode mode;
    elman_tape_mode_default(&mode);
    mode.record = false;
    assert_int_equal(elman_tape_create(context, &tape, NULL), ELMAN_OK);
    elman_tape_begin(tape, &mode);
    const elman_sequences *s = elman_tape_sequences(tape, n, 1, NULL, NULL, 0);
    elman_var *y = elman_network_forward(tape, network, tokens, s, state, state);
    elman_parameters *set = elman_network_parameters(network);
    elman_linear_layer output = {elman_parameters_find(set, "output.weight"),
                                 elman_parameters_find(set, "output.bias")};
    elman_var *z = elman_linear_packed(tape, &output, y, s);
    law_ok(tape);
    memcpy(logits, elman_var_value(z)->data, (size_t)(n * V) * sizeof *logits);
    elman_tape_free(tape);
}

typedef struct subject {
    elman_config config;
    const elman_model *model;
    elman_context *context;
    int32_t tokens[LENGTH];
    float whole[LENGTH * V];
} subject;

static void check_chunks(const subject *s)
{
    const int64_t chunks[] = {1, 7, 64};
    const int64_t H = s->config.hidden, layers = s->config.layers;
    float *h = law_zeros((size_t)(layers * H)), *c = law_zeros((size_t)(layers * H));
    float *logits = law_zeros(LENGTH * V);
    for (int i = 0; i < 3; i++) {
        memset(h, 0, (size_t)(layers * H) * sizeof *h);
        memset(c, 0, (size_t)(layers * H) * sizeof *c);
        elman_network_state state = {h, s->config.cell == ELMAN_CELL_LSTM ? c : NULL, 1};
        for (int64_t at = 0; at < LENGTH; at += chunks[i]) {
            int64_t n = LENGTH - at < chunks[i] ? LENGTH - at : chunks[i];
            logits_of(s->context, elman_model_network(s->model), s->tokens + at, n, &state,
                      logits + at * V);
        }
        law_same(s->context, "in chunks", logits, s->whole, LENGTH * V);
    }
    free(h);
    free(c);
    free(logits);
}

static void check_session(const subject *s)
{
    const size_t chunks[] = {1, 7, 64};
    elman_session *session;
    float logits[V];
    assert_int_equal(elman_session_create(s->context, s->model, &session, NULL), ELMAN_OK);
    for (int i = 0; i < 3; i++) {
        elman_session_reset(session);
        for (size_t at = 0, n; at < LENGTH; at += n) {
            n = LENGTH - at < chunks[i] ? LENGTH - at : chunks[i];
            assert_int_equal(elman_session_run(session, s->tokens + at, n, logits, NULL), ELMAN_OK);
            law_same(s->context, "in a session", logits, s->whole + (at + n - 1) * V, V);
        }
    }
    elman_session_free(s->context, session);
}

/* The same sequence at every place of batches of many sizes, among sequences of other lengths. */
static void check_batches(const subject *s)
{
    static const int64_t sizes[] = {2, 5, 13, 33};
    enum { SHORT = 17, MOST = 33 };
    elman_tape *tape;
    elman_tape_mode mode;
    elman_tape_mode_default(&mode);
    assert_int_equal(elman_tape_create(s->context, &tape, NULL), ELMAN_OK);
    elman_parameters *set = elman_network_parameters(elman_model_network(s->model));
    elman_linear_layer output = {elman_parameters_find(set, "output.weight"),
                                 elman_parameters_find(set, "output.bias")};
    for (int i = 0; i < 4; i++) {
        int64_t B = sizes[i], place = B / 2, lengths[MOST];
        int32_t tokens[MOST * LENGTH];
        mode.record = i % 2;
        elman_tape_begin(tape, &mode);
        for (int64_t b = 0; b < B; b++)
            lengths[b] = b == place ? SHORT : b * 11 % (2 * SHORT);
        const elman_sequences *q = elman_tape_sequences(tape, 2 * SHORT, B, lengths, NULL, 0);
        for (int64_t t = 0; t < q->T; t++)
            for (int64_t r = 0; r < q->batch_sizes[t]; r++)
                tokens[q->offsets[t] + r] =
                    q->order[r] == place ? s->tokens[t] : (int32_t)((t * 3 + q->order[r]) % V);
        elman_var *y =
            elman_network_forward(tape, elman_model_network(s->model), tokens, q, NULL, NULL);
        elman_var *z = elman_linear_packed(tape, &output, y, q);
        law_ok(tape);
        for (int64_t t = 0; t < SHORT; t++)
            for (int64_t r = 0; r < q->batch_sizes[t]; r++)
                if (q->order[r] == place)
                    law_same(s->context, "inside a batch",
                             elman_var_value(z)->data + (q->offsets[t] + r) * V, s->whole + t * V,
                             V);
    }
    elman_tape_free(tape);
}

static void check_model(elman_context *context, void *user)
{
    subject *s = user;
    elman_model *model = lm_model(context, &s->config);
    s->model = model;
    s->context = context;
    int32_t unused[LENGTH];
    lm_fill(&s->config, LENGTH, 3, s->tokens, unused);
    logits_of(context, elman_model_network(model), s->tokens, LENGTH, NULL, s->whole);
    assert_true(compare_varied(s->whole, LENGTH * V));
    check_chunks(s);
    check_session(s);
    check_batches(s);
    elman_model_free(model);
}

static void each_cell(bool layer_norm)
{
    for (int cell = ELMAN_CELL_RNN; cell <= ELMAN_CELL_GRU; cell++) {
        subject s = {.config = lm_config((elman_cell)cell, V)};
        s.config.layer_norm = layer_norm;
        if (cell == ELMAN_CELL_LSTM && !layer_norm) {
            law_each(check_model, &s);
            continue;
        }
        for (int threads = 1; threads < 4; threads++) {
            elman_context *context = law_context(ELMAN_ISA_BEST, threads);
            check_model(context, &s);
            elman_context_free(context);
        }
    }
}

static void test_plain(void **state)
{
    (void)state;
    each_cell(false);
}

static void test_layer_normalised(void **state)
{
    (void)state;
    each_cell(true);
}

/* Bidirectional layers too: padded [T,B,I] as packed rows; what lies beyond a length is not read.
 */
static void check_padded(elman_context *context, void *user)
{
    const elman_cell cell = *(const elman_cell *)user;
    enum { T = 6, B = 7, I = 11, H = 35, W = 2 * H };
    static const int64_t lengths[B] = {3, 6, 0, 6, 1, 2, 5};
    elman_parameters *set;
    elman_recurrent_layer layer;
    elman_recurrent_options options;
    elman_recurrent_options_default(&options);
    options.cell = cell;
    options.input = I;
    options.hidden = H;
    options.layers = 2;
    options.bidirectional = true;
    assert_int_equal(elman_parameters_create(context, true, &set, NULL), ELMAN_OK);
    assert_int_equal(elman_recurrent_create(set, "rnn", &options, &layer, NULL), ELMAN_OK);
    assert_int_equal(elman_initialise(set, NULL, 4, NULL), ELMAN_OK);
    float *x = law_numbers(T * B * I, 5), *packed = law_zeros(T * B * I);
    elman_tape *tape = law_tape(context);
    const elman_sequences *s = elman_tape_sequences(tape, T, B, lengths, NULL, 0);
    for (int64_t t = 0; t < T; t++)
        for (int64_t p = 0; p < B; p++) {
            float *row = x + (t * B + s->order[p]) * I;
            if (p < s->batch_sizes[t])
                memcpy(packed + (s->offsets[t] + p) * I, row, I * sizeof *row);
            else
                for (int i = 0; i < I; i++)
                    row[i] = NAN;
        }
    elman_state after, other;
    elman_var *a = elman_recurrent_forward(
        tape, &layer, elman_tape_leaf(tape, 3, (int64_t[]){T, B, I}, x), s, NULL, &after);
    elman_var *b = elman_recurrent_forward(
        tape, &layer, elman_tape_leaf(tape, 2, (int64_t[]){s->N, I}, packed), s, NULL, &other);
    law_ok(tape);
    const float *padded = elman_var_value(a)->data, *rows = elman_var_value(b)->data;
    const float zeros[W] = {0};
    for (int64_t t = 0; t < T; t++)
        for (int64_t p = 0; p < B; p++)
            law_same(context, "padded and packed", padded + (t * B + s->order[p]) * W,
                     p < s->batch_sizes[t] ? rows + (s->offsets[t] + p) * W : zeros, W);
    law_same(context, "final states", elman_var_value(after.h)->data,
             elman_var_value(other.h)->data, 4 * B * H);
    elman_tape_free(tape);
    elman_parameters_free(set);
    free(x);
    free(packed);
}

/* Both directions of a sequence, and what its steps become by each pool, alone and inside a batch
 * whose other sequences are shorter and longer. */
static void check_both_ends(elman_context *context, void *user)
{
    const elman_cell cell = *(const elman_cell *)user;
    enum { T = 9, B = 14, I = 11, H = 35, W = 2 * H, A = 13, POOLS = 4 };
    static const int64_t lengths[B] = {9, 4, 0, 9, 7, 7, 1, 3, 9, 5, 2, 8, 6, 4};
    elman_parameters *set;
    elman_recurrent_layer layer;
    elman_attention_pool_layer attention;
    elman_recurrent_options options;
    elman_recurrent_options_default(&options);
    options.cell = cell;
    options.input = I;
    options.hidden = H;
    options.layers = 2;
    options.bidirectional = true;
    assert_int_equal(elman_parameters_create(context, false, &set, NULL), ELMAN_OK);
    assert_int_equal(elman_recurrent_create(set, "rnn", &options, &layer, NULL), ELMAN_OK);
    assert_int_equal(elman_attention_pool_create(set, "attention", W, A, &attention, NULL),
                     ELMAN_OK);
    assert_int_equal(elman_initialise(set, NULL, 4, NULL), ELMAN_OK);
    float *x = law_numbers(T * B * I, 6), *packed = law_zeros(T * B * I);
    elman_tape *tapes[2] = {law_tape(context), law_tape(context)};
    const float *whole = NULL;
    const elman_var *wholes[POOLS] = {NULL};
    const elman_sequences *all = NULL;
    for (int64_t b = -1; b < B; b++) { /* all, and each */
        elman_tape *tape = tapes[b >= 0];
        int64_t n = b < 0 ? B : 1;
        elman_tape_begin(tape, NULL);
        const elman_sequences *s = elman_tape_sequences(tape, b < 0 ? T : lengths[b], n,
                                                        b < 0 ? lengths : &lengths[b], NULL, 0);
        for (int64_t t = 0; t < s->T; t++)
            for (int64_t p = 0; p < s->batch_sizes[t]; p++)
                memcpy(packed + (s->offsets[t] + p) * I,
                       x + (t * B + (b < 0 ? s->order[p] : b)) * I, I * sizeof *x);
        const int64_t shape[2] = {s->N, I};
        elman_var *y = elman_recurrent_forward(
            tape, &layer, elman_tape_input(tape, 2, shape, packed), s, NULL, NULL);
        const elman_var *pools[POOLS] = {elman_pool_last(tape, y, s), elman_pool_mean(tape, y, s),
                                         elman_pool_max(tape, y, s),
                                         elman_attention_pool(tape, &attention, y, s, NULL)};
        law_ok(tape);
        if (b < 0) {
            all = s;
            whole = elman_var_value(y)->data;
            memcpy(wholes, pools, sizeof pools);
            continue;
        }
        for (int i = 0; i < POOLS; i++)
            law_same(context, "pooled alone", elman_var_value(pools[i])->data,
                     elman_var_value(wholes[i])->data + b * W, W);
        int64_t place = 0;
        while (all->order[place] != b)
            place++;
        for (int64_t t = 0; t < lengths[b]; t++)
            law_same(context, "both ends alone", elman_var_value(y)->data + t * W,
                     whole + (all->offsets[t] + place) * W, W);
    }
    elman_tape_free(tapes[0]);
    elman_tape_free(tapes[1]);
    elman_parameters_free(set);
    free(x);
    free(packed);
}

static void test_both_ends(void **state)
{
    (void)state;
    for (elman_cell cell = ELMAN_CELL_RNN; cell <= ELMAN_CELL_GRU; cell++)
        law_each(check_both_ends, &cell);
}

static void test_padded(void **state)
{
    (void)state;
    for (elman_cell cell = ELMAN_CELL_RNN; cell <= ELMAN_CELL_GRU; cell++)
        law_each(check_padded, &cell);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_layer_normalised),
        cmocka_unit_test(test_padded),
        cmocka_unit_test(test_both_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
