/* Runs a fuzz target over files and folders of files, without a fuzzer. */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t size = 0;
    bool fine = file && fseek(file, 0, SEEK_END) == 0;
    if (fine) {
        long length = ftell(file);
        rewind(file);
        fine = length >= 0;
        size = fine ? (size_t)length : 0;
        /* Exactly the bytes, so that a sanitizer sees a read past them. */
        data = malloc(size ? size : 1);
        fine = fine && data && fread(data, 1, size, file) == size;
    }
    if (fine)
        LLVMFuzzerTestOneInput(data, size);
    else
        fprintf(stderr, "%s: cannot read: %s\n", path, strerror(errno));
    free(data);
    if (file)
        fclose(file);
    return fine;
}

static int replay_folder(const char *path, int *count)
{
    DIR *folder = opendir(path);
    if (!folder) {
        *count += 1;
        return replay_file(path) ? 0 : 1;
    }
    int failures = 0;
    struct dirent *entry;
    while ((entry = readdir(folder))) {
        char name[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        failures += replay_file(name) ? 0 : 1;
        *count += 1;
    }
    closedir(folder);
    return failures;
}

int main(int argc, char **argv)
{
    static const uint8_t nothing[1];
    int failures = 0, count = 0;
    LLVMFuzzerTestOneInput(nothing, 0);
    for (int i = 1; i < argc; i++)
        failures += replay_folder(argv[i], &count);
    printf("%d inputs\n", count);
    if (count == 0)
        fprintf(stderr, "no corpus to replay\n");
    return failures || count == 0;
}
