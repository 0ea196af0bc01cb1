/* What does a text feel like, and which words say so? The label of a text, its probability, and how
 * far each word moved it.
 *
 *   sentiment [MODEL [TEXT]]     MODEL: `elman train classify REVIEWS.tsv -o MODEL`
 *
 * Without MODEL it learns from sixteen lines first, which is enough to see how it goes. */
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

static const char reviews[] = "text\tlabel\n"
                              "This movie is wonderful!\tPositive\n"
                              "An amazing film, I loved it\tPositive\n"
                              "I loved every minute of it\tPositive\n"
                              "The acting is great and the story is moving\tPositive\n"
                              "What a great film!\tPositive\n"
                              "Amazing actors, a wonderful story\tPositive\n"
                              "It is funny and warm, a joy to watch\tPositive\n"
                              "The best movie of the year\tPositive\n"
                              "This movie is terrible!\tNegative\n"
                              "An awful film, I hated it\tNegative\n"
                              "I hated every minute of it\tNegative\n"
                              "The acting is bad and the story is dull\tNegative\n"
                              "What a boring film!\tNegative\n"
                              "Awful actors, a terrible story\tNegative\n"
                              "It is slow and cold, a pain to watch\tNegative\n"
                              "The worst movie of the year\tNegative\n";

static elman_status train_reviews(elman_context *context, const char *table, const char *model,
                                  elman_error *error)
{
    FILE *file = fopen(table, "w");
    if (file != NULL)
        fputs(reviews, file);
    if (file == NULL || fclose(file) != 0)
        perror(table); /* elman_train says what it misses */
    elman_train_request request;
    elman_train_request_default(&request);
    request.task = "classify";
    elman_config_default_for(&request.config, request.task);
    request.config.min_count = 1;
    request.config.hidden = 16;
    request.config.embedding = 16;
    request.config.dropout = 0.2;
    request.config.lr = 0.01;
    request.config.epochs = 40;
    strcpy(request.config.valid, "0"); /* too few to keep any back */
    request.data = &table;
    request.data_count = 1;
    request.output = model;
    return elman_train(context, &request, error);
}

static void remove_reviews(const char *model)
{
    static const char *const names[] = {"config.json",
                                        "model.safetensors",
                                        "metrics.jsonl",
                                        "vocabulary.json",
                                        "labels.json",
                                        "reviews.tsv",
                                        "checkpoint.safetensors",
                                        ".lock",
                                        ""};
    char path[64];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", model, names[i]);
        remove(path);
    }
}

/* probabilities [K]; words: room for one a byte of the text, at least. */
static elman_status answer(elman_classifier *classifier, const char *text, float *probabilities,
                           elman_contribution *words, elman_error *error)
{
    TRY(elman_classifier_text(classifier, text, strlen(text), probabilities, error));
    int32_t best = 0;
    for (int32_t k = 1; k < elman_classifier_labels(classifier); k++)
        best = probabilities[k] > probabilities[best] ? k : best;
    printf("\"%s\" -> %s (%.2f)\n", text, elman_classifier_label(classifier, best),
           (double)probabilities[best]);

    size_t count;
    TRY(elman_classifier_explain(classifier, best, 50, words, strlen(text), &count, error));
    for (size_t i = 0; i < count; i++)
        printf("    %+.2f  %.*s\n", words[i].integrated_gradient,
               (int)(words[i].end - words[i].begin), text + words[i].begin);
    return ELMAN_OK;
}

static elman_status run(elman_context *context, const char *folder, const char *text,
                        elman_error *error)
{
    elman_classifier *classifier = NULL;
    float *probabilities = NULL;
    elman_contribution *words = calloc(strlen(text) + 1, sizeof(*words));
    elman_status status = elman_classifier_open(context, folder, &classifier, error);
    if (status == ELMAN_OK)
        probabilities = calloc((size_t)elman_classifier_labels(classifier), sizeof(float));
    if (probabilities != NULL && words != NULL)
        status = answer(classifier, text, probabilities, words, error);
    free(probabilities);
    free(words);
    elman_classifier_free(classifier);
    return status;
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/elman-XXXXXX", table[64];
    elman_error error = {ELMAN_OK, ""};
    elman_context *context = NULL;
    elman_status status = elman_context_create(NULL, &context, &error);
    int learning = argc < 2 && mkdtemp(folder) != NULL;
    if (status == ELMAN_OK && learning) {
        snprintf(table, sizeof(table), "%s/reviews.tsv", folder);
        status = train_reviews(context, table, folder, &error);
    }
    if (status == ELMAN_OK)
        status = run(context, argc > 1 ? argv[1] : folder,
                     argc > 2 ? argv[2] : "This movie is amazing!", &error);
    if (status != ELMAN_OK)
        fprintf(stderr, "sentiment: %s\n", error.message);
    elman_context_free(context);
    if (learning)
        remove_reviews(folder);
    return status == ELMAN_OK ? 0 : 1;
}
