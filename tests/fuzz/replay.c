/* Runs a fuzz target over every file of its corpus folder, for builds without libFuzzer. */
#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

enum { INPUT_MAX_BYTES = 1024 * 1024 };

static uint8_t input[INPUT_MAX_BYTES];

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Says the name first, so that a crash shows whose it was. */
static bool replay_file(const char *folder, const char *name)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    printf("%s\n", path);
    fflush(stdout);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return false;
    }
    const size_t size = fread(input, 1, sizeof input, file);
    fclose(file);
    /* An exact copy on the heap lets the sanitizer see a read past its end. */
    uint8_t *exact = malloc(size > 0 ? size : 1);
    if (exact == NULL) {
        abort();
    }
    for (size_t i = 0; i < size; i++) {
        exact[i] = input[i];
    }
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return true;
}

int main(int argc, char **argv)
{
    struct dirent **entries = NULL;
    const int count = argc == 2 ? scandir(argv[1], &entries, is_shown, alphasort) : -1;
    if (count <= 0) {
        fprintf(stderr, "usage: %s FOLDER (of at least one file)\n", argv[0]);
        return EXIT_FAILURE;
    }
    bool is_good = true;
    for (int i = 0; i < count; i++) {
        is_good &= replay_file(argv[1], entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
