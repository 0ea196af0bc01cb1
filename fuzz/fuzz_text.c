/* A text of any bytes. The first byte says level, buffer and where the second file
 * begins. Tokens read from anywhere are those read from the beginning. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "data/text_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int truth)
{
    if (!truth)
        abort();
}

static int memory_file(const uint8_t *data, size_t size, char path[32])
{
    int fd = memfd_create("fuzz", 0);
    demand(fd >= 0);
    demand(write(fd, data, size) == (ssize_t)size);
    snprintf(path, 32, "/proc/self/fd/%d", fd);
    return fd;
}

static void check(elman_text *text, size_t buffer)
{
    uint64_t tokens = elman_text_tokens(text);
    elman_vocabulary *v;
    elman_text_reader *reader;
    size_t count;
    demand(tokens > 0);
    demand(elman_text_vocabulary(text, 0, tokens, 1, &v, NULL) == ELMAN_OK);
    int32_t *ids = malloc((size_t)tokens * sizeof *ids);
    demand(ids != NULL);
    demand(elman_text_reader_open(text, v, 0, tokens, &reader, NULL) == ELMAN_OK);
    demand(elman_text_reader_read(reader, ids, (size_t)tokens, &count, NULL) == ELMAN_OK);
    demand(count == tokens);
    elman_text_reader_free(reader);
    demand(elman_text_reader_open_sized(text, v, 0, tokens, buffer, &reader, NULL) == ELMAN_OK);
    for (uint64_t at = tokens; at > 0; at -= at / 5 + 1) {
        int32_t some[7];
        demand(elman_text_reader_seek(reader, at - 1, NULL) == ELMAN_OK);
        demand(elman_text_reader_read(reader, some, 7, &count, NULL) == ELMAN_OK);
        demand(count == (tokens - at + 1 < 7 ? tokens - at + 1 : 7));
        demand(memcmp(some, ids + at - 1, count * sizeof some[0]) == 0);
    }
    elman_text_reader_free(reader);
    free(ids);
    elman_vocabulary_free(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static elman_context *context;
    elman_context_options options;
    elman_context_options_default(&options);
    options.threads = 1;
    if (context == NULL && elman_context_create(&options, &context, NULL) != ELMAN_OK)
        return 0;
    if (size < 2)
        return 0;
    elman_level level = (elman_level)(data[0] % 3);
    size_t buffer = 4 + data[0] / 3 % 8, cut = (size - 1) * (data[0] / 24) / 10;
    char paths[2][32];
    const char *list[2] = {paths[0], paths[1]};
    int files = cut > 0 && cut < size - 1 ? 2 : 1;
    int fds[2] = {memory_file(data + 1, files == 2 ? cut : size - 1, paths[0]),
                  memory_file(data + 1 + cut, size - 1 - cut, paths[1])};
    elman_text *text;
    elman_error error = {0};
    if (elman_text_open_sized(context, list, files, level, buffer, 1 + data[0] % 7, &text,
                              &error) == ELMAN_OK) {
        check(text, buffer);
        elman_text_free(text);
    } else {
        demand(level != ELMAN_LEVEL_BYTE && strstr(error.message, ": byte ") != NULL);
    }
    close(fds[0]);
    close(fds[1]);
    return 0;
}
