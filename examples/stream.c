/* Opens a model that `elman train lm` made and streams from it: feeds a text, looks at what may
 * come next and draws; then steps a bare session, ids in and logits out.
 *
 *   stream [MODEL [TEXT]]     without MODEL it trains a tiny one first */
#define _POSIX_C_SOURCE 200809L /* mkdtemp */
#include <elman/elman.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRY(call)                                                                                  \
    do {                                                                                           \
        elman_status status_ = (call);                                                             \
        if (status_ != ELMAN_OK)                                                                   \
            return status_;                                                                        \
    } while (0)

static const char verse[] = "the cat sat on the mat. the dog sat on the log. ";

/* Trains on the verse, said often, into the folder `model`. */
static elman_status train_tiny(elman_context *context, const char *text, const char *model,
                               elman_error *error)
{
    FILE *file = fopen(text, "w");
    for (int i = 0; file != NULL && i < 100; i++)
        fputs(verse, file);
    if (file == NULL || fclose(file) != 0)
        perror(text); /* elman_train says what it misses */
    elman_train_request request;
    elman_train_request_default(&request);
    request.config.layers = 1;
    request.config.hidden = 32;
    request.config.batch = 4;
    request.config.bptt = 32;
    request.config.epochs = 6;
    request.config.lr = 0.01;
    request.data = &text;
    request.data_count = 1;
    request.output = model;
    return elman_train(context, &request, error);
}

static void remove_tiny(const char *model)
{
    static const char *const names[] = {"config.json",
                                        "model.safetensors",
                                        "metrics.jsonl",
                                        "vocabulary.json",
                                        "checkpoint.safetensors",
                                        "verse.txt",
                                        ".lock",
                                        ""};
    char path[64];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", model, names[i]);
        remove(path);
    }
}

static elman_status stream_text(elman_lm_stream *stream, const char *text, elman_error *error)
{
    elman_lm_choice choices[3];
    int found;
    TRY(elman_lm_stream_feed(stream, text, strlen(text), error));
    TRY(elman_lm_stream_predict(stream, choices, 3, &found, error));
    for (int i = 0; i < found; i++)
        printf("after \"%s\" comes \"%s\" with probability %.4f\n", text, choices[i].token,
               choices[i].probability);
    printf("%s|", text);
    for (int i = 0; i < 60; i++) {
        const char *drawn;
        size_t size;
        TRY(elman_lm_stream_draw(stream, &drawn, &size, error));
        fwrite(drawn, 1, size, stdout);
    }
    putchar('\n');
    return ELMAN_OK;
}

/* A step takes no memory and no lock; `logits` has room for the vocabulary. */
static elman_status step_ids(elman_session *session, float *logits, elman_error *error)
{
    for (int32_t id = 0; id < 3; id++) {
        TRY(elman_session_step(session, id, logits, error));
        printf("session: after token %d the logit of token 0 is %.4f\n", id, logits[0]);
    }
    return ELMAN_OK;
}

static elman_status run(elman_context *context, const char *path, const char *text,
                        elman_error *error)
{
    elman_lm *lm = NULL;
    elman_lm_stream *stream = NULL;
    elman_model *model = NULL;
    elman_session *session = NULL;
    float *logits = NULL;
    elman_sample_options options;
    elman_sample_options_default(&options);
    options.temperature = 0.5;
    elman_status status = elman_lm_open(context, path, &lm, error);
    if (status == ELMAN_OK)
        status = elman_lm_stream_create(context, lm, &options, &stream, error);
    if (status == ELMAN_OK)
        status = stream_text(stream, text, error);
    if (status == ELMAN_OK)
        status = elman_model_load(context, path, &model, error);
    if (status == ELMAN_OK)
        status = elman_session_create(context, model, &session, error);
    if (status == ELMAN_OK)
        logits = calloc((size_t)elman_model_vocabulary(model), sizeof(float));
    if (logits != NULL)
        status = step_ids(session, logits, error);
    free(logits);
    elman_session_free(context, session);
    elman_model_free(model);
    elman_lm_stream_free(stream);
    elman_lm_free(lm);
    return status;
}

int main(int argc, char **argv)
{
    char model[] = "/tmp/elman-XXXXXX", text[64];
    elman_error error = {ELMAN_OK, ""};
    elman_context *context = NULL;
    elman_status status = elman_context_create(NULL, &context, &error);
    bool train = argc < 2 && mkdtemp(model) != NULL;
    if (status == ELMAN_OK && train) {
        snprintf(text, sizeof(text), "%s/verse.txt", model);
        status = train_tiny(context, text, model, &error);
    }
    if (status == ELMAN_OK)
        status = run(context, argc > 1 ? argv[1] : model, argc > 2 ? argv[2] : "the ", &error);
    if (status != ELMAN_OK)
        fprintf(stderr, "stream: %s\n", error.message);
    elman_context_free(context);
    if (train)
        remove_tiny(model);
    return status == ELMAN_OK ? 0 : 1;
}
