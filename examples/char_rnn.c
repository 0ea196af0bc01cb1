/* CharRNN: embedding -> RNN -> linear, trained on one line of text until it knows it, then asked
 * what follows a few words of it. */
#include <elman/elman.h>
#include <stdio.h>
#include <string.h>

#define TRY(call)                                                                                  \
    do {                                                                                           \
        elman_status status_ = (call);                                                             \
        if (status_ != ELMAN_OK)                                                                   \
            return status_;                                                                        \
    } while (0)

enum { V = 256, EMBEDDING = 16, HIDDEN = 48, UPDATES = 300, CAPACITY = 256 };

static const char line[] = "finding structure in time is what a recurrent network does: "
                           "it reads one thing after another, and remembers.";

typedef struct char_rnn {
    elman_embedding_layer embedding;
    elman_recurrent_layer rnn;
    elman_linear_layer output;
} char_rnn;

typedef struct program {
    elman_context *context;
    elman_parameters *set;
    elman_optimizer *optimizer;
    elman_tape *tape;
    elman_vocabulary *bytes;
    char_rnn model;
} program;

static elman_status create(program *p, elman_error *error)
{
    char_rnn *m = &p->model;
    elman_recurrent_options rnn;
    elman_recurrent_options_default(&rnn);
    rnn.cell = ELMAN_CELL_RNN;
    rnn.input = EMBEDDING;
    rnn.hidden = HIDDEN;
    elman_optimizer_options adam;
    elman_optimizer_options_default(&adam);
    TRY(elman_context_create(NULL, &p->context, error));
    TRY(elman_vocabulary_create(p->context, ELMAN_LEVEL_BYTE, NULL, 0, &p->bytes, error));
    TRY(elman_parameters_create(p->context, true, &p->set, error));
    TRY(elman_embedding_create(p->set, "embedding", V, EMBEDDING, &m->embedding, error));
    TRY(elman_recurrent_create(p->set, "rnn", &rnn, &m->rnn, error));
    TRY(elman_linear_create(p->set, "output", HIDDEN, V, true, NULL, &m->output, error));
    TRY(elman_initialise(p->set, NULL, 1, error));
    TRY(elman_optimizer_create(p->context, p->set, &adam, &p->optimizer, error));
    return elman_tape_create(p->context, &p->tape, error);
}

/* tokens [T,1] -> logits [T,1,V]; h (may be NULL) is read and replaced. */
static elman_var *forward(program *p, const int32_t *tokens, int64_t T, elman_var **h)
{
    elman_var *e = elman_embedding(p->tape, &p->model.embedding, tokens, T, 1);
    elman_var *y = elman_rnn(p->tape, &p->model.rnn, e, h != NULL ? *h : NULL, h);
    return elman_linear(p->tape, &p->model.output, y);
}

static elman_status train(program *p, elman_error *error)
{
    int32_t ids[CAPACITY];
    size_t n;
    TRY(elman_vocabulary_encode(p->bytes, line, strlen(line), ids, CAPACITY, &n, error));
    for (int update = 0; update <= UPDATES; update++) {
        elman_tape_begin(p->tape, NULL);
        elman_var *logits = forward(p, ids, (int64_t)n - 1, NULL);
        elman_var *loss = elman_cross_entropy(p->tape, logits, ids + 1, ELMAN_REDUCTION_MEAN);
        TRY(elman_tape_backward(p->tape, loss, error));
        if (update % 50 == 0)
            printf("%3d updates: loss %.4f\n", update, elman_var_value(loss)->data[0]);
        TRY(elman_optimizer_step(p->optimizer, 0.01, NULL, error));
    }
    return ELMAN_OK;
}

/* Prints the prefix and the most probable characters after it, each fed back. */
static elman_status go_on(program *p, const char *prefix, int length, elman_error *error)
{
    int32_t ids[CAPACITY];
    size_t n;
    TRY(elman_vocabulary_encode(p->bytes, prefix, strlen(prefix), ids, CAPACITY, &n, error));
    elman_tape_begin(p->tape, NULL);
    elman_var *h = NULL, *logits = forward(p, ids, (int64_t)n, &h);
    printf("%s|", prefix);
    for (int i = 0; i < length && logits != NULL; i++) {
        const elman_tensor *value = elman_var_value(logits);
        const float *last = value->data + (value->shape[0] - 1) * V;
        int32_t *next = &ids[n++], best = 0;
        for (int32_t k = 1; k < V; k++)
            best = last[k] > last[best] ? k : best;
        *next = best;
        putchar(best);
        logits = forward(p, next, 1, &h);
    }
    putchar('\n');
    return elman_tape_status(p->tape, error);
}

int main(void)
{
    static program p;
    elman_error error = {ELMAN_OK, ""};
    elman_status status = create(&p, &error);
    if (status == ELMAN_OK)
        status = train(&p, &error);
    if (status == ELMAN_OK)
        status = go_on(&p, "it reads ", 40, &error);
    if (status != ELMAN_OK)
        fprintf(stderr, "char_rnn: %s\n", error.message);
    elman_tape_free(p.tape);
    elman_optimizer_free(p.optimizer);
    elman_parameters_free(p.set);
    elman_vocabulary_free(p.bytes);
    elman_context_free(p.context);
    return status == ELMAN_OK ? 0 : 1;
}
