#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "test_malloc.h"

static char folder[64];
static elman_context *context;
static elman_error error;

static const char *at(const char *name)
{
    static char paths[4][256];
    static int next;
    next = (next + 1) % 4;
    snprintf(paths[next], sizeof paths[next], "%s/%s", folder, name);
    return paths[next];
}

static void check_content(const char *path, const char *expected)
{
    unsigned char *bytes;
    size_t size;
    assert_int_equal(elman_file_read(context, path, 0, &bytes, &size, &error), ELMAN_OK);
    assert_int_equal(size, strlen(expected));
    assert_string_equal((char *)bytes, expected);
    elman_release(context, bytes);
}

static void test_read(void **state)
{
    (void)state;
    unsigned char *bytes;
    size_t size;
    assert_int_equal(elman_file_replace(at("a"), "hello", 5, &error), ELMAN_OK);
    check_content(at("a"), "hello");
    assert_int_equal(elman_file_replace(at("empty"), "", 0, &error), ELMAN_OK);
    check_content(at("empty"), "");
    assert_int_equal(elman_file_read(context, at("a"), 5, &bytes, &size, &error), ELMAN_OK);
    elman_release(context, bytes);
    assert_int_equal(elman_file_read(context, at("a"), 4, &bytes, &size, &error),
                     ELMAN_ERROR_FORMAT);
    assert_null(bytes);
    assert_non_null(strstr(error.message, "5 bytes, expected at most 4"));
    assert_int_equal(elman_file_read(context, at("none"), 0, &bytes, &size, &error),
                     ELMAN_ERROR_IO);
    assert_non_null(strstr(error.message, "none: cannot open: No such file"));
    assert_int_equal(elman_file_read(context, folder, 0, &bytes, &size, &error), ELMAN_ERROR_IO);
    assert_non_null(strstr(error.message, "is a folder"));
    assert_int_equal(mkfifo(at("pipe"), 0600), 0);
    assert_int_equal(elman_file_read(context, at("pipe"), 0, &bytes, &size, &error),
                     ELMAN_ERROR_IO);
    assert_int_equal(elman_file_read(context, "", 0, &bytes, &size, &error), ELMAN_ERROR_IO);
}

static void test_replace(void **state)
{
    (void)state;
    elman_writer writer;
    assert_int_equal(elman_file_replace(at("r"), "old", 3, &error), ELMAN_OK);
    /* Nothing counts before commit. */
    assert_int_equal(elman_writer_open(&writer, at("r"), &error), ELMAN_OK);
    elman_writer_put(&writer, "new", 3);
    check_content(at("r"), "old");
    elman_writer_abandon(&writer);
    elman_writer_abandon(&writer);
    check_content(at("r"), "old");
    assert_false(elman_path_exists(at("r.partial")));
    /* A leftover is overwritten. */
    assert_int_equal(elman_file_replace(at("r.partial"), "a long leftover", 15, &error), ELMAN_OK);
    assert_int_equal(elman_file_replace(at("r"), "new", 3, &error), ELMAN_OK);
    check_content(at("r"), "new");
    assert_false(elman_path_exists(at("r.partial")));
    /* A writer that was cleared, or committed. */
    memset(&writer, 0, sizeof writer);
    elman_writer_abandon(&writer);
    assert_int_equal(elman_writer_commit(&writer, &error), ELMAN_ERROR_ARGUMENT);
    assert_int_equal(elman_writer_open(&writer, folder, &error), ELMAN_ERROR_IO);
    elman_writer_abandon(&writer);
    assert_int_equal(elman_writer_open(&writer, at("none/x"), &error), ELMAN_ERROR_IO);
    assert_non_null(strstr(error.message, "none/x"));
}

/* Pieces of every size around the buffer's, put in any order. */
static void test_large(void **state)
{
    (void)state;
    enum { TOTAL = 500000 };
    const size_t pieces[] = {1, 65535, 65536, 65537, 131072, 7, 70000, 2847};
    unsigned char *bytes = malloc(TOTAL), *back;
    size_t sum = 0, size;
    elman_writer writer;
    assert_non_null(bytes);
    for (int i = 0; i < TOTAL; i++)
        bytes[i] = (unsigned char)(i * 131 >> 3);
    assert_int_equal(elman_writer_open(&writer, at("large"), &error), ELMAN_OK);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        elman_writer_put(&writer, bytes + sum, pieces[i]);
        sum += pieces[i];
    }
    assert_true(sum <= TOTAL);
    assert_int_equal(elman_writer_commit(&writer, &error), ELMAN_OK);
    assert_int_equal(elman_file_read(context, at("large"), 0, &back, &size, &error), ELMAN_OK);
    assert_int_equal(size, sum);
    assert_memory_equal(back, bytes, sum);
    elman_release(context, back);
    free(bytes);
}

static int run_child(int (*body)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(body());
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A disk that is full after 100,000 bytes. */
static int write_too_much(void)
{
    struct rlimit most = {100000, 100000};
    static unsigned char bytes[5000];
    elman_writer writer;
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &most) != 0)
        return 77;
    if (elman_writer_open(&writer, at("full"), &error) != ELMAN_OK)
        return 1;
    for (int i = 0; i < 100; i++)
        elman_writer_put(&writer, bytes, sizeof bytes);
    if (elman_writer_commit(&writer, &error) != ELMAN_ERROR_IO)
        return 2;
    if (!strstr(error.message, "full.partial: cannot write: "))
        return 3;
    elman_appender log;
    if (elman_appender_open(&log, at("full.log"), UINT64_MAX, &error) != ELMAN_OK)
        return 4;
    int good = 0;
    while (elman_appender_put(&log, bytes, 3000, &error) == ELMAN_OK)
        good++;
    elman_appender_close(&log);
    return good == 33 ? 0 : 5;
}

static void test_full_disk(void **state)
{
    (void)state;
    struct stat about;
    assert_int_equal(elman_file_replace(at("full"), "old", 3, &error), ELMAN_OK);
    int status = run_child(write_too_much);
    if (status == 77)
        skip();
    assert_int_equal(status, 0);
    check_content(at("full"), "old");
    assert_false(elman_path_exists(at("full.partial")));
    /* The record that did not fit left nothing behind. */
    assert_int_equal(stat(at("full.log"), &about), 0);
    assert_int_equal(about.st_size, 33 * 3000);
}

static int write_for_ever(void)
{
    static char bytes[200000];
    for (char letter = 'a';; letter = letter == 'z' ? 'a' : (char)(letter + 1)) {
        memset(bytes, letter, sizeof bytes);
        elman_file_replace(at("killed"), bytes, sizeof bytes, NULL);
    }
    return 0;
}

static void test_killed(void **state)
{
    (void)state;
    char first[200000];
    memset(first, 'A', sizeof first);
    assert_int_equal(elman_file_replace(at("killed"), first, sizeof first, &error), ELMAN_OK);
    for (int i = 0; i < 20; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            _exit(write_for_ever());
        usleep((useconds_t)(500 + 1700 * i));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        unsigned char *bytes;
        size_t size;
        assert_int_equal(elman_file_read(context, at("killed"), 0, &bytes, &size, &error),
                         ELMAN_OK);
        assert_int_equal(size, sizeof first);
        for (size_t k = 1; k < size; k++)
            assert_int_equal(bytes[k], bytes[0]);
        elman_release(context, bytes);
    }
}

static void test_appender(void **state)
{
    (void)state;
    elman_appender log;
    assert_int_equal(elman_appender_open(&log, at("log"), UINT64_MAX, &error), ELMAN_OK);
    assert_int_equal(elman_appender_put(&log, "one\n", 4, &error), ELMAN_OK);
    assert_int_equal(elman_appender_put(&log, "two\n", 4, &error), ELMAN_OK);
    assert_int_equal(elman_appender_sync(&log, &error), ELMAN_OK);
    assert_int_equal(log.size, 8);
    elman_appender_close(&log);
    elman_appender_close(&log);
    assert_int_equal(elman_appender_open(&log, at("log"), UINT64_MAX, &error), ELMAN_OK);
    assert_int_equal(log.size, 8);
    elman_appender_close(&log);
    assert_int_equal(elman_appender_open(&log, at("log"), 4, &error), ELMAN_OK);
    assert_int_equal(elman_appender_put(&log, "three\n", 6, &error), ELMAN_OK);
    elman_appender_close(&log);
    check_content(at("log"), "one\nthree\n");
    assert_int_equal(elman_appender_open(&log, at("log"), 11, &error), ELMAN_ERROR_FORMAT);
    assert_int_equal(log.fd, -1);
    assert_non_null(strstr(error.message, "10 bytes, expected at least the 11"));
    assert_int_equal(elman_appender_open(&log, folder, 0, &error), ELMAN_ERROR_IO);
    assert_int_equal(elman_appender_open(&log, at("none/log"), 0, &error), ELMAN_ERROR_IO);
    check_content(at("log"), "one\nthree\n");
}

static int lock_is_refused(void)
{
    int fd;
    char name[64];
    snprintf(name, sizeof name, "process %ld;", (long)getppid());
    return elman_folder_lock(folder, &fd, &error) != ELMAN_ERROR_BUSY || fd != -1 ||
           !strstr(error.message, name);
}

static int lock_is_given(void)
{
    int fd;
    return elman_folder_lock(folder, &fd, &error) != ELMAN_OK;
}

static void test_lock(void **state)
{
    (void)state;
    int fd, second;
    assert_int_equal(elman_folder_lock(folder, &fd, &error), ELMAN_OK);
    assert_int_equal(run_child(lock_is_refused), 0);
    assert_int_equal(elman_folder_lock(folder, &second, &error), ELMAN_ERROR_BUSY);
    elman_folder_unlock(fd);
    /* Given again after an unlock, and after the end of a process that held it. */
    assert_int_equal(run_child(lock_is_given), 0);
    assert_int_equal(run_child(lock_is_given), 0);
    assert_int_equal(elman_folder_lock(at("none"), &fd, &error), ELMAN_ERROR_IO);
    elman_folder_unlock(-1);
}

static void test_folders(void **state)
{
    (void)state;
    assert_int_equal(elman_folder_make(at("x/y//z/"), &error), ELMAN_OK);
    assert_true(elman_path_is_folder(at("x/y/z")));
    assert_int_equal(elman_folder_make(at("x/y/z"), &error), ELMAN_OK);
    assert_int_equal(elman_file_replace(at("x/f"), "f", 1, &error), ELMAN_OK);
    assert_int_equal(elman_folder_make(at("x/f"), &error), ELMAN_ERROR_IO);
    assert_non_null(strstr(error.message, "x/f: is a file, expected a folder"));
    assert_int_equal(elman_folder_make(at("x/f/g"), &error), ELMAN_ERROR_IO);
    assert_int_equal(elman_folder_make("", &error), ELMAN_ERROR_ARGUMENT);
    assert_int_equal(elman_folder_make("/", &error), ELMAN_OK);
    assert_true(elman_path_exists(at("x/f")));
    assert_false(elman_path_is_folder(at("x/f")));
    assert_false(elman_path_exists(at("x/g")));
    /* What mkdir said is told, not what a look at it says after. */
    assert_int_equal(symlink("nowhere", at("x/dangling")), 0);
    assert_int_equal(elman_folder_make(at("x/dangling"), &error), ELMAN_ERROR_IO);
    assert_non_null(strstr(error.message, "x/dangling: is a file, expected a folder"));
    const char *const joins[][3] = {
        {"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"/", "b", "/b"}, {"", "b", "b"}};
    for (size_t i = 0; i < 4; i++) {
        char *path = elman_path_join(joins[i][0], joins[i][1]);
        assert_string_equal(path, joins[i][2]);
        free(path);
    }
}

/* Only what is missing is not there; what cannot be seen is an error. */
static void test_look(void **state)
{
    (void)state;
    bool exists = false;
    uint64_t size = 0;
    assert_int_equal(elman_file_replace(at("seen"), "four", 4, &error), ELMAN_OK);
    assert_int_equal(elman_path_look(at("seen"), &exists, &error), ELMAN_OK);
    assert_true(exists);
    assert_int_equal(elman_path_look(at("unseen"), &exists, &error), ELMAN_OK);
    assert_false(exists);
    assert_int_equal(elman_path_look(at("seen/below"), &exists, &error), ELMAN_OK);
    assert_false(exists);
    assert_int_equal(symlink("circle", at("circle")), 0);
    assert_int_equal(elman_path_look(at("circle"), &exists, &error), ELMAN_ERROR_IO);
    assert_false(exists);
    assert_non_null(strstr(error.message, "circle: cannot look at it: "));

    assert_int_equal(elman_file_size(at("seen"), &size, &error), ELMAN_OK);
    assert_int_equal(size, 4);
    assert_int_equal(elman_file_size(at("unseen"), &size, &error), ELMAN_ERROR_IO);
}

/* Every function with its nth allocation failing: an answer and no leak. */
static void test_no_memory(void **state)
{
    (void)state;
    if (!test_malloc_works())
        skip();
    static char bytes[100000];
    int missed = 0;
    assert_int_equal(elman_file_replace(at("m"), "old", 3, &error), ELMAN_OK);
    for (int what = 0; what < 6; what++)
        for (size_t n = 1; n < 12; n++) {
            size_t live = test_malloc_live(), size;
            unsigned char *read = NULL;
            elman_appender log;
            elman_status status = ELMAN_OK;
            const char *path = at("m"), *deep = at("m1/m2");
            int fd = -1;
            test_malloc_fail_at(n);
            if (what == 0)
                status = elman_file_replace(path, bytes, sizeof bytes, &error);
            else if (what == 1)
                status = elman_file_read(context, path, 0, &read, &size, &error);
            else if (what == 2)
                status = elman_folder_make(deep, &error);
            else if (what == 3)
                status = elman_folder_lock(folder, &fd, &error);
            else if (what == 4)
                status = elman_appender_open(&log, path, UINT64_MAX, &error);
            else if (!(read = (unsigned char *)elman_path_join("a", "b")))
                status = ELMAN_ERROR_MEMORY;
            bool failed = test_malloc_failed();
            test_malloc_fail_at(0);
            assert_int_equal(status, failed ? ELMAN_ERROR_MEMORY : ELMAN_OK);
            missed += failed;
            if (what == 5)
                free(read);
            else
                elman_release(context, read);
            if (what == 4)
                elman_appender_close(&log);
            elman_folder_unlock(fd);
            assert_int_equal(test_malloc_live(), live);
        }
    assert_true(missed >= 8);
}

static void test_read_only_folder(void **state)
{
    (void)state;
    if (geteuid() == 0)
        skip();
    assert_int_equal(elman_folder_make(at("ro"), &error), ELMAN_OK);
    assert_int_equal(elman_file_replace(at("ro/f"), "old", 3, &error), ELMAN_OK);
    assert_int_equal(chmod(at("ro"), 0500), 0);
    assert_int_equal(elman_file_replace(at("ro/f"), "new", 3, &error), ELMAN_ERROR_IO);
    assert_non_null(strstr(error.message, "Permission denied"));
    check_content(at("ro/f"), "old");
    assert_int_equal(chmod(at("ro"), 0700), 0);
}

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/elman-test-XXXXXX");
    return !mkdtemp(folder) || elman_context_create(NULL, &context, NULL) != ELMAN_OK;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    elman_context_free(context);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* Of several that create one log at once, one does; what stands there stays. */
static void test_create(void **state)
{
    (void)state;
    enum { RUNS = 8 };
    elman_appender log;
    bool stands;
    pid_t children[RUNS];
    int made = 0;
    assert_int_equal(elman_appender_create(&log, at("new"), &stands, &error), ELMAN_OK);
    assert_false(stands);
    assert_int_equal(elman_appender_put(&log, "one\n", 4, &error), ELMAN_OK);
    elman_appender_close(&log);
    assert_int_equal(elman_appender_create(&log, at("new"), &stands, &error), ELMAN_OK);
    assert_true(stands && log.fd == -1);
    check_content(at("new"), "one\n");
    assert_int_equal(symlink(at("nowhere"), at("link")), 0);
    assert_int_equal(elman_appender_create(&log, at("link"), &stands, &error), ELMAN_OK);
    assert_true(stands && log.fd == -1);
    assert_int_equal(elman_appender_create(&log, at("none/new"), &stands, &error), ELMAN_ERROR_IO);
    assert_false(stands);
    for (int i = 0; i < RUNS; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            bool there = true;
            elman_status status = elman_appender_create(&log, at("race"), &there, &error);
            _exit(status != ELMAN_OK ? 2 : there ? 1 : 0);
        }
    }
    for (int i = 0; i < RUNS; i++) {
        int status = -1;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
        made += WEXITSTATUS(status) == 0;
    }
    assert_int_equal(made, 1);
}

static void test_begins(void **state)
{
    (void)state;
    bool begins;
    assert_int_equal(elman_file_replace(at("page"), "<!DOCTYPE", 9, &error), ELMAN_OK);
    assert_int_equal(elman_file_begins(at("page"), "<!DOC", &begins, &error), ELMAN_OK);
    assert_true(begins);
    assert_int_equal(elman_file_begins(at("page"), "<!DOCTYPE html>", &begins, &error), ELMAN_OK);
    assert_false(begins);
    assert_int_equal(elman_file_begins(at("page"), "<html", &begins, &error), ELMAN_OK);
    assert_false(begins);
    assert_int_equal(elman_file_begins(folder, "<", &begins, &error), ELMAN_ERROR_IO);
    assert_int_equal(elman_file_begins("/dev/null", "<", &begins, &error), ELMAN_ERROR_IO);
    assert_int_equal(elman_file_begins(at("no page"), "<", &begins, &error), ELMAN_ERROR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_replace),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_appender),
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_begins),
        cmocka_unit_test(test_lock),
        cmocka_unit_test(test_folders),
        cmocka_unit_test(test_look),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_read_only_folder),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
