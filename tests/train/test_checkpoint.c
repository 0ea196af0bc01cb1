/* A checkpoint that was cut or changed: resuming answers an error that names it, or the change
 * lies in the numbers of the run; and a refused one is left as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elman/elman.h"
#include "train/checkpoint.h"

static char root[64] = "/tmp/elman-checkpoint-XXXXXX";
static volatile sig_atomic_t stop_flag;
static int64_t stop_after;

static const char *const run_files[] = {"checkpoint.safetensors", "model.safetensors",
                                        "metrics.jsonl"};
enum { FILES = 3 };

/* The run's files as they were when it was stopped. */
typedef struct content {
    unsigned char *bytes;
    size_t size;
} content;
static content kept[FILES];
static uint64_t header; /* bytes of the checkpoint before its data */

static const char *in_root(const char *name)
{
    static char path[4][160];
    static int at;
    at = (at + 1) % 4;
    snprintf(path[at], sizeof path[at], "%s/%s", root, name);
    return path[at];
}

static void put(const char *path, const void *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

static content get(const char *path)
{
    content c = {malloc(1 << 20), 0};
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    c.size = fread(c.bytes, 1, 1 << 20, f);
    fclose(f);
    return c;
}

static void step_done(void *user, const elman_train_progress *progress)
{
    (void)user;
    if (progress->event == ELMAN_EVENT_STEP && stop_after && progress->step >= stop_after)
        stop_flag = 1;
}

static elman_status train(const char *folder, bool resume, int hidden, elman_error *error)
{
    elman_context *context;
    elman_context_options options;
    elman_train_request request;
    const char *data[] = {in_root("text.txt")};
    elman_context_options_default(&options);
    options.threads = 1;
    assert_int_equal(elman_context_create(&options, &context, NULL), ELMAN_OK);
    elman_train_request_default(&request);
    request.data = data;
    request.data_count = resume ? 0 : 1;
    request.output = folder;
    request.resume = resume;
    request.progress = step_done;
    request.stop = &stop_flag;
    request.config.layers = 1;
    request.config.hidden = hidden;
    request.config.embedding = 2;
    request.config.batch = 2;
    request.config.bptt = 5;
    request.config.epochs = 2;
    request.config.max_steps = 7;
    request.config.eval_every = 3;
    strcpy(request.config.schedule, "plateau:0.5:1");
    elman_status status = elman_train(context, &request, error);
    elman_context_free(context);
    return status;
}

/* A folder as a run of that many units leaves it after its fourth update. */
static void stopped_run(const char *folder, int hidden)
{
    elman_error error = {0};
    stop_after = 4;
    elman_status status = train(folder, false, hidden, &error);
    if (status != ELMAN_ERROR_INTERRUPTED)
        fail_msg("%d: %s", status, error.message);
    stop_after = 0;
    stop_flag = 0;
}

static int begin(void **state)
{
    (void)state;
    if (!mkdtemp(root))
        return 1;
    char text[201];
    for (int i = 0; i < 200; i++)
        text[i] = "abcde\n"[i * i % 31 % 6];
    put(in_root("text.txt"), text, 200);
    stopped_run(in_root("run"), 3);
    for (int i = 0; i < FILES; i++) {
        char path[160];
        snprintf(path, sizeof path, "%s/run/%s", root, run_files[i]);
        kept[i] = get(path);
    }
    header = 8;
    for (int i = 0; i < 8; i++)
        header += (uint64_t)kept[0].bytes[i] << 8 * i;
    return header >= kept[0].size;
}

static int end(void **state)
{
    (void)state;
    char command[160];
    for (int i = 0; i < FILES; i++)
        free(kept[i].bytes);
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

/* Before anything was done. */
static bool refusal(elman_status status)
{
    return status == ELMAN_ERROR_FORMAT || status == ELMAN_ERROR_UNSUPPORTED ||
           status == ELMAN_ERROR_DATA;
}

/* Resumes from these bytes; what was refused is as it was. */
static elman_status resumed(const void *bytes, size_t size, elman_error *error)
{
    for (int i = 1; i < FILES; i++) {
        char path[160];
        snprintf(path, sizeof path, "%s/run/%s", root, run_files[i]);
        put(path, kept[i].bytes, kept[i].size);
    }
    put(in_root("run/checkpoint.safetensors"), bytes, size);
    *error = (elman_error){0};
    elman_status status = train(in_root("run"), true, 3, error);
    if (refusal(status)) {
        content now = get(in_root("run/checkpoint.safetensors"));
        assert_int_equal(now.size, size);
        assert_memory_equal(now.bytes, bytes, size);
        free(now.bytes);
        assert_true(strlen(error->message) > 0 && !strchr(error->message, '\n'));
    }
    return status;
}

static void whole(void **state)
{
    (void)state;
    elman_error error;
    if (resumed(kept[0].bytes, kept[0].size, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
}

/* At each byte of the header and its edges, at every seventh of the data. */
static void cut(void **state)
{
    (void)state;
    for (size_t size = 0; size < kept[0].size;
         size += size < header + 16 || size + 16 > kept[0].size ? 1 : 7) {
        elman_error error;
        elman_status status = resumed(kept[0].bytes, size, &error);
        if (status != ELMAN_ERROR_FORMAT || !strstr(error.message, "run/checkpoint.safetensors"))
            fail_msg("cut at %zu of %zu: %d %s", size, kept[0].size, status, error.message);
    }
    unsigned char *longer = calloc(kept[0].size + 1, 1);
    elman_error error;
    memcpy(longer, kept[0].bytes, kept[0].size);
    assert_int_equal(resumed(longer, kept[0].size + 1, &error), ELMAN_ERROR_FORMAT);
    free(longer);
}

/* No byte of the header can change without being noticed. */
static void flipped_header(void **state)
{
    (void)state;
    unsigned char *bytes = malloc(kept[0].size);
    memcpy(bytes, kept[0].bytes, kept[0].size);
    for (size_t i = 0; i < header; i++) {
        elman_error error;
        bytes[i] ^= (unsigned char)(1 << (i % 3));
        elman_status status = resumed(bytes, kept[0].size, &error);
        if (!refusal(status) || !strstr(error.message, "checkpoint.safetensors"))
            fail_msg("byte %zu: %d %s", i, status, error.message);
        bytes[i] = kept[0].bytes[i];
    }
    free(bytes);
}

/* The offset of a tensor's data in the file. */
static size_t place_of(const char *name, size_t *bytes)
{
    elman_context *context;
    elman_safetensors *file;
    elman_error error = {0};
    put(in_root("kept.safetensors"), kept[0].bytes, kept[0].size);
    assert_int_equal(elman_context_create(NULL, &context, NULL), ELMAN_OK);
    if (elman_safetensors_read(context, in_root("kept.safetensors"), NULL, &file, &error))
        fail_msg("%s", error.message);
    const elman_tensor_view *view = elman_safetensors_find(file, name);
    assert_non_null(view);
    *bytes = view->bytes;
    size_t at = header;
    while (at + view->bytes <= kept[0].size && memcmp(kept[0].bytes + at, view->data, view->bytes))
        at++;
    assert_true(at + view->bytes <= kept[0].size);
    elman_safetensors_free(file);
    elman_context_free(context);
    return at;
}

/* Weights, what the optimiser keeps, and where the run stands: an end, or a clean error. */
static void flipped_data(void **state)
{
    (void)state;
    unsigned char *bytes = malloc(kept[0].size);
    memcpy(bytes, kept[0].bytes, kept[0].size);
    size_t sizes[3];
    size_t places[3] = {place_of("progress.integers", &sizes[0]),
                        place_of("progress.reals", &sizes[1]), place_of("state.place", &sizes[2])};
    assert_int_equal(sizes[0], sizeof(struct elman_progress_integers));
    assert_int_equal(sizes[1], sizeof(struct elman_progress_reals));
    int refused = 0, taken = 0;
    for (size_t i = header; i < kept[0].size; i++) {
        bool progress = false;
        for (int p = 0; p < 3; p++)
            progress = progress || (i >= places[p] && i < places[p] + sizes[p]);
        if (!progress && i % 13)
            continue;
        for (int bit = 0; bit < 8; bit += progress ? 7 : 8) {
            elman_error error;
            bytes[i] ^= (unsigned char)(1 << (progress ? bit : (int)(i % 8)));
            elman_status status = resumed(bytes, kept[0].size, &error);
            if (status != ELMAN_OK && status != ELMAN_ERROR_FORMAT && status != ELMAN_ERROR_NUMERIC)
                fail_msg("byte %zu: %d %s", i, status, error.message);
            if (status != ELMAN_OK && !progress && status != ELMAN_ERROR_NUMERIC)
                fail_msg("byte %zu: %d %s", i, status, error.message);
            status == ELMAN_OK ? taken++ : refused++;
            bytes[i] = kept[0].bytes[i];
        }
    }
    print_message("%d refused, %d taken\n", refused, taken);
    assert_true(refused > 30 && taken > 30);
    free(bytes);
}

/* A place in no run: the field is named. */
static void impossible_places(void **state)
{
    (void)state;
    static const char *const names[] = {
        "step",           "batch",           "epoch",          "validations_waited",
        "plateau_waited", "interval_tokens", "interval_steps", "metrics_bytes",
        "finished",       "validated"};
    static const int64_t bad[] = {-2, INT64_MIN, INT64_MAX};
    static const double bad_reals[] = {NAN, INFINITY, -INFINITY, -1};
    enum { INTEGERS = sizeof names / sizeof *names };
    size_t size, place = place_of("progress.integers", &size);
    assert_int_equal(size, INTEGERS * sizeof(int64_t));
    unsigned char *bytes = malloc(kept[0].size);
    memcpy(bytes, kept[0].bytes, kept[0].size);
    for (size_t f = 0; f < INTEGERS; f++)
        for (int b = 0; b < 3; b++) {
            elman_error error;
            memcpy(bytes + place + f * sizeof bad[b], &bad[b], sizeof bad[b]);
            elman_status status = resumed(bytes, kept[0].size, &error);
            if (status != ELMAN_ERROR_FORMAT ||
                (!strstr(error.message, names[f]) && !strstr(error.message, "metrics.jsonl")))
                fail_msg("%s %lld: %d %s", names[f], (long long)bad[b], status, error.message);
            memcpy(bytes, kept[0].bytes, kept[0].size);
        }
    place = place_of("progress.reals", &size);
    for (size_t f = 0; f < size / sizeof(double); f++)
        for (int b = 0; b < 4; b++) {
            elman_error error;
            memcpy(bytes + place + f * sizeof(double), &bad_reals[b], sizeof(double));
            elman_status status = resumed(bytes, kept[0].size, &error);
            /* best and last may be NaN: none yet; losses and norms are checked for being finite */
            bool may = f < 5 ? b == 0 || b == 3 || f == 2 || f == 4 : b == 3 && f != 5 && f != 8;
            if (!may && (status != ELMAN_ERROR_FORMAT || !strstr(error.message, "progress.reals")))
                fail_msg("real %zu, %g: %d %s", f, bad_reals[b], status, error.message);
            memcpy(bytes, kept[0].bytes, kept[0].size);
        }
    free(bytes);
}

/* Replaces the first `from` in the header by `to` of the same length. */
static elman_status with(const char *from, const char *to, elman_error *error)
{
    size_t n = strlen(from);
    assert_int_equal(n, strlen(to));
    unsigned char *bytes = malloc(kept[0].size);
    memcpy(bytes, kept[0].bytes, kept[0].size);
    size_t at = 8;
    while (at + n < header && memcmp(bytes + at, from, n))
        at++;
    if (at + n >= header)
        fail_msg("no '%s' in the header", from);
    memcpy(bytes + at, to, n);
    elman_status status = resumed(bytes, kept[0].size, error);
    free(bytes);
    return status;
}

static void named(void **state)
{
    (void)state;
    elman_error error;
    assert_int_equal(with("\"format\":\"1\"", "\"format\":\"7\"", &error), ELMAN_ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "format version 7, this program has version 1"));
    assert_int_equal(with("\"numerics\"", "\"numeric5\"", &error), ELMAN_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "no 'numerics' in its metadata"));
    assert_int_equal(with("parameter.rnn.weight_hh", "parameter.rnn.weight_HH", &error),
                     ELMAN_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "no tensor 'parameter.rnn.weight_hh_l0'"));
    assert_int_equal(with("optimizer.exp_avg_sq.", "optimizer.exp_avg_Sq.", &error),
                     ELMAN_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "no tensor 'optimizer.exp_avg_sq."));
    assert_int_equal(with("state.recurrent", "state.recurrenT", &error), ELMAN_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "state.recurrent"));
    assert_int_equal(with("\"I64\"", "\"U64\"", &error), ELMAN_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "expected I64"));
    assert_int_equal(with("\"F64\"", "\"I64\"", &error), ELMAN_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "found I64, expected F64"));
}

/* Where the SHA-256 of config.json stands in the header. */
static unsigned char *configuration(const content *file)
{
    static const char key[] = "\"config\":\"";
    for (size_t at = 8; at + sizeof key + 64 < file->size; at++)
        if (!memcmp(file->bytes + at, key, sizeof key - 1))
            return file->bytes + at + sizeof key - 1;
    fail_msg("no %s in the header", key);
    return NULL;
}

/* Another run's, whole in itself. */
static void of_another_run(void **state)
{
    (void)state;
    elman_error error;
    stopped_run(in_root("other"), 4);
    content other = get(in_root("other/checkpoint.safetensors"));
    assert_int_equal(resumed(other.bytes, other.size, &error), ELMAN_ERROR_DATA);
    assert_non_null(strstr(error.message, "config.json is not the one"));
    memcpy(configuration(&other), configuration(&kept[0]), 64);
    assert_int_equal(resumed(other.bytes, other.size, &error), ELMAN_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "its shape is not that of the run in config.json"));
    free(other.bytes);
    content model = get(in_root("other/model.safetensors"));
    assert_true(refusal(resumed(model.bytes, model.size, &error)));
    free(model.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),          cmocka_unit_test(cut),
        cmocka_unit_test(flipped_header), cmocka_unit_test(flipped_data),
        cmocka_unit_test(named),          cmocka_unit_test(impossible_places),
        cmocka_unit_test(of_another_run),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
