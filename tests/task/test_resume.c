/* Law 5, nothing is lost: a run that is killed at any instant, interrupted, or whose folder turns
 * full or read-only goes on from its last checkpoint to the same bits as one that never stopped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "elman/elman.h"
#include "train/checkpoint.h"

static char root[64] = "/tmp/elman-resume-XXXXXX";
static char text_path[128];

static const char *in_root(const char *name)
{
    static char path[4][256];
    static int at;
    at = (at + 1) % 4;
    snprintf(path[at], sizeof path[at], "%s/%s", root, name);
    return path[at];
}

static void write_text(const char *path)
{
    FILE *f = fopen(path, "w");
    uint32_t r = 5;
    for (int i = 0; i < 6000; i++) {
        r = r * 1664525U + 1013904223U;
        fputc("etaoin shrdlu\n"[(r >> 24) % 14], f);
    }
    fclose(f);
}

static volatile sig_atomic_t stop_flag;
static int64_t stop_after;

static void count_steps(void *user, const elman_train_progress *progress)
{
    (void)user;
    if (progress->event == ELMAN_EVENT_STEP && stop_after && progress->step >= stop_after)
        stop_flag = 1;
}

static elman_status train(const char *folder, bool resume, int threads, elman_error *error)
{
    elman_context_options options;
    elman_context *context;
    elman_context_options_default(&options);
    options.threads = threads;
    elman_status status = elman_context_create(&options, &context, error);
    if (status != ELMAN_OK)
        return status;
    elman_train_request request;
    elman_train_request_default(&request);
    const char *data[] = {text_path};
    request.data = data;
    request.data_count = resume ? 0 : 1;
    request.output = folder;
    request.resume = resume;
    request.progress = count_steps;
    request.stop = &stop_flag;
    if (!resume) {
        request.config.layers = 2;
        request.config.hidden = 17;
        request.config.batch = 4;
        request.config.bptt = 11;
        request.config.epochs = 2;
        request.config.max_steps = 90;
        request.config.dropout = 0.2;
        request.config.checkpoint_every = 1;
        request.config.eval_every = 40;
        request.config.accumulate = 2;
        strcpy(request.config.schedule, "plateau");
    }
    status = elman_train(context, &request, error);
    elman_context_free(context);
    return status;
}

static void remove_folder(const char *folder)
{
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

/* What must be equal: the last checkpoint but for its clock, and the weights for use. */
static void digest(const char *folder, char out[2][65])
{
    elman_context *context;
    elman_safetensors *file;
    elman_error error = {0};
    char path[300];
    assert_int_equal(elman_context_create(NULL, &context, &error), ELMAN_OK);
    snprintf(path, sizeof path, "%s/checkpoint.safetensors", folder);
    if (elman_safetensors_read(context, path, NULL, &file, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    elman_sha256 sha;
    elman_sha256_begin(&sha);
    for (size_t i = 0; i < elman_safetensors_count(file); i++) {
        const elman_tensor_view *v = elman_safetensors_at(file, i);
        size_t bytes = v->bytes;
        if (!strcmp(v->name, "progress.reals"))
            bytes -= sizeof(double); /* seconds, the last */
        if (strcmp(v->name, "progress.integers")) {
            elman_sha256_add(&sha, v->data, bytes);
        } else { /* all but the length of a log with times */
            struct elman_progress_integers n;
            assert_int_equal(bytes, sizeof n);
            memcpy(&n, v->data, sizeof n);
            n.metrics_bytes = 0;
            elman_sha256_add(&sha, &n, sizeof n);
        }
    }
    elman_sha256_end(&sha, out[0]);
    elman_safetensors_free(file);
    elman_context_free(context);
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    assert_int_equal(elman_file_sha256(path, out[1], NULL, &error), ELMAN_OK);
}

static char expected[2][65];

static void assert_as_never_stopped(const char *folder)
{
    char found[2][65];
    digest(folder, found);
    assert_string_equal(found[0], expected[0]);
    assert_string_equal(found[1], expected[1]);
}

static int setup(void **state)
{
    (void)state;
    elman_error error = {0};
    if (!mkdtemp(root))
        return 1;
    snprintf(text_path, sizeof text_path, "%s/text.txt", root);
    write_text(text_path);
    if (train(in_root("whole"), false, 1, &error) != ELMAN_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    digest(in_root("whole"), expected);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    remove_folder(root);
    return 0;
}

/* Runs train in a child; answers its exit status, or -1 where it was killed after `micros`. */
static int run_child(const char *folder, bool resume, long micros, bool nobody, rlim_t file_limit)
{
    pid_t child = fork();
    if (child == 0) {
        elman_error error = {0};
        if (file_limit) {
            struct rlimit limit = {file_limit, file_limit};
            signal(SIGXFSZ, SIG_IGN);
            setrlimit(RLIMIT_FSIZE, &limit);
        }
        if (nobody && setuid(65534))
            _exit(99);
        elman_status status = train(folder, resume, 2, &error);
        if (status != ELMAN_OK)
            fprintf(stderr, "    child: %s\n", error.message);
        _exit((int)status);
    }
    if (micros) {
        struct timespec wait = {micros / 1000000, micros % 1000000 * 1000};
        nanosleep(&wait, NULL);
        kill(child, SIGKILL);
    }
    int status;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void killed_anywhere(void **state)
{
    (void)state;
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    assert_int_equal(run_child(in_root("timed"), false, 0, false, 0), 0);
    clock_gettime(CLOCK_MONOTONIC, &b);
    long whole = (b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000;
    assert_as_never_stopped(in_root("timed"));

    uint32_t r = (uint32_t)getpid();
    int killed = 0, resumed = 0;
    for (int tries = 0; killed < 20 && tries < 100; tries++) {
        remove_folder(in_root("killed"));
        r = r * 1664525U + 1013904223U;
        long at = 1 + (long)((double)(r >> 8) / 0x1p24 * (double)whole);
        if (run_child(in_root("killed"), false, at, false, 0) == -1)
            killed++;
        else
            whole = at; /* it was done by then: the machine is less busy than it was */
        bool resume = elman_path_exists(in_root("killed/config.json"));
        resumed += resume;
        if (run_child(in_root("killed"), resume, 0, false, 0) != 0)
            fail_msg("kill after %ld us: resuming failed", at);
        assert_as_never_stopped(in_root("killed"));
    }
    print_message("%d killed within %ld us, %d resumed\n", killed, whole, resumed);
    assert_int_equal(killed, 20);
    assert_true(resumed > 0);
}

/* Stopped again and again, each time after a few steps. */
static void interrupted(void **state)
{
    (void)state;
    elman_error error = {0};
    const char *folder = in_root("interrupted");
    elman_status status = ELMAN_OK;
    bool resume = false;
    int times = 0;
    for (stop_after = 7;; stop_after += 7, times++) {
        stop_flag = 0;
        status = train(folder, resume, 3, &error);
        resume = true;
        if (status != ELMAN_ERROR_INTERRUPTED)
            break;
    }
    stop_flag = 0;
    stop_after = 0;
    assert_int_equal(status, ELMAN_OK);
    assert_true(times >= 10);
    assert_as_never_stopped(folder);
}

static void full_disk(void **state)
{
    (void)state;
    elman_error error = {0};
    const char *folder = in_root("full");
    stop_after = 30;
    assert_int_equal(train(folder, false, 1, &error), ELMAN_ERROR_INTERRUPTED);
    stop_after = 0;
    stop_flag = 0;
    char before[65], after[65];
    assert_int_equal(
        elman_file_sha256(in_root("full/checkpoint.safetensors"), before, NULL, &error), ELMAN_OK);
    assert_int_equal(run_child(folder, true, 0, false, 2000), ELMAN_ERROR_IO);
    assert_int_equal(elman_file_sha256(in_root("full/checkpoint.safetensors"), after, NULL, &error),
                     ELMAN_OK);
    assert_string_equal(before, after);
    assert_false(elman_path_exists(in_root("full/checkpoint.safetensors.partial")));
    assert_int_equal(run_child(in_root("full"), true, 0, false, 0), 0);
    assert_as_never_stopped(in_root("full"));
}

static void read_only_folder(void **state)
{
    (void)state;
    elman_error error = {0};
    const char *folder = in_root("readonly");
    stop_after = 30;
    assert_int_equal(train(folder, false, 1, &error), ELMAN_ERROR_INTERRUPTED);
    stop_after = 0;
    stop_flag = 0;
    chmod(root, 0755);
    chmod(folder, 0555);
    bool root_user = geteuid() == 0;
    assert_int_equal(run_child(folder, true, 0, root_user, 0), ELMAN_ERROR_IO);
    chmod(in_root("readonly"), 0755);
    assert_int_equal(run_child(in_root("readonly"), true, 0, false, 0), 0);
    assert_as_never_stopped(in_root("readonly"));
}

static void two_at_once(void **state)
{
    (void)state;
    elman_error error = {0};
    int lock;
    stop_after = 5;
    assert_int_equal(train(in_root("two"), false, 1, &error), ELMAN_ERROR_INTERRUPTED);
    stop_after = 0;
    stop_flag = 0;
    assert_int_equal(elman_folder_lock(in_root("two"), &lock, &error), ELMAN_OK);
    assert_int_equal(run_child(in_root("two"), true, 0, false, 0), ELMAN_ERROR_BUSY);
    elman_folder_unlock(lock);
    assert_int_equal(run_child(in_root("two"), true, 0, false, 0), 0);
    assert_as_never_stopped(in_root("two"));
}

static void changed_data(void **state)
{
    (void)state;
    elman_error error = {0};
    const char *folder = in_root("changed");
    stop_after = 5;
    assert_int_equal(train(folder, false, 1, &error), ELMAN_ERROR_INTERRUPTED);
    stop_after = 0;
    stop_flag = 0;
    FILE *f = fopen(text_path, "r+");
    fseek(f, 100, SEEK_SET);
    fputc('e', f);
    fputc('t', f);
    fclose(f);
    assert_int_equal(train(folder, true, 1, &error), ELMAN_ERROR_DATA);
    assert_non_null(strstr(error.message, "SHA-256"));
    write_text(text_path);
    assert_int_equal(train(folder, true, 1, &error), ELMAN_OK);
    assert_as_never_stopped(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_anywhere), cmocka_unit_test(interrupted),
        cmocka_unit_test(full_disk),       cmocka_unit_test(read_only_folder),
        cmocka_unit_test(two_at_once),     cmocka_unit_test(changed_data),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
