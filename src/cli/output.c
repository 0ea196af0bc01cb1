/* Standard output that is not lost in silence, messages, the terminal, signals. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

void cli_put_clean(FILE *file, const char *text)
{
    for (; *text != 0; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7f)
            fprintf(file, "\\x%02x", c);
        else
            putc(c, file);
    }
}

static void put_line(const char *line)
{
    fputs("elman: ", stderr);
    cli_put_clean(stderr, line);
    putc('\n', stderr);
}

static void put_message(const char *format, va_list arguments)
{
    char line[2 * CLI_PATH];
    vsnprintf(line, sizeof(line), format, arguments);
    put_line(line);
}

int cli_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    put_message(format, arguments);
    va_end(arguments);
    return CLI_FAILED;
}

int cli_wrong(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    put_message(format, arguments);
    va_end(arguments);
    return CLI_WRONG;
}

int cli_fail_error(const elman_error *error)
{
    put_line(error->message);
    return CLI_FAILED;
}

const char *cli_meant(char text[128], const char *before, const char *word,
                      const char *const *words, size_t count)
{
    const char *near = elman_nearest_word(word, words, count);
    text[0] = 0;
    if (near != NULL)
        snprintf(text, 128, "; did you mean %s%s?", before, near);
    return text;
}

static bool output_failed; /* and said */

bool cli_flush(void)
{
    if (output_failed)
        return false;
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    output_failed = true;
    if (errno == EPIPE) /* who reads has seen enough, and says nothing either */
        return false;
    cli_fail("standard output: %s", errno != 0 ? strerror(errno) : "could not be written");
    return false;
}

int cli_finish(int status)
{
    bool good = cli_flush();
    errno = 0;
    if (fclose(stdout) != 0 && good) {
        good = false;
        cli_fail("standard output: %s", strerror(errno));
    }
    return good ? status : CLI_FAILED;
}

int cli_columns(int descriptor)
{
    struct winsize size;
    const char *terminal = getenv("TERM");
    if (!isatty(descriptor) || terminal == NULL || strcmp(terminal, "dumb") == 0)
        return 0;
    if (ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 80;
    return size.ws_col;
}

bool cli_join(char path[CLI_PATH], const char *folder, const char *name)
{
    size_t size = strlen(folder);
    const char *slash = size > 0 && folder[size - 1] == '/' ? "" : "/";
    int n = snprintf(path, CLI_PATH, "%s%s%s", folder, slash, name);
    return n > 0 && n < CLI_PATH;
}

static void log_line(void *user, elman_log_level level, const char *line)
{
    (void)user;
    if (level == ELMAN_LOG_WARNING)
        put_line(line);
}

elman_status cli_context(int threads, elman_context **context, elman_error *error)
{
    elman_context_options options;
    elman_context_options_default(&options);
    options.threads = threads;
    options.log = log_line;
    return elman_context_create(&options, context, error);
}

/* A signal handler has nothing else to write to. */
static volatile sig_atomic_t stop;

static struct timespec stopped;

/* The first asks to save and stop; one that comes a second later or more ends the program as it
 * would have without us. Between the two stands what sends to a process and then to its group. */
static void on_signal(int number)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (!stop) {
        stopped = now;
        stop = 1;
    } else if (now.tv_sec - stopped.tv_sec > (now.tv_nsec < stopped.tv_nsec ? 1 : 0)) {
        signal(number, SIG_DFL);
        raise(number);
    }
}

const volatile sig_atomic_t *cli_catch_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct sigaction action, before;
        memset(&action, 0, sizeof(action));
        action.sa_handler = on_signal;
        action.sa_flags = SA_RESTART;
        sigemptyset(&action.sa_mask);
        /* what a shell's `&` or nohup ignores stays ignored */
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(numbers[i], &action, NULL);
    }
    return &stop;
}

void cli_stop(void)
{
    stop = 1;
}
