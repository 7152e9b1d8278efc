/* SPDX-License-Identifier: Apache-2.0 */
/* Runs inputs of the fuzzer without libFuzzer, in any build: what was found once stays found. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

static unsigned inputs;

static void replay(const char *path) {
    static uint8_t input[1 << 16];
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        perror(path);
        exit(1);
    }
    size_t len = fread(input, 1, sizeof input, f);
    fclose(f);
    printf("%s\n", path);
    fflush(stdout);
    uint8_t *exact = malloc(len + 1); /* so that a sanitizer sees a read behind the input */
    if (exact == NULL)
        exit(1);
    memcpy(exact, input, len);
    LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    inputs++;
}

static void replay_all(const char *dir) {
    char path[4096];
    struct dirent **list;
    int n = scandir(dir, &list, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        if (list[i]->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", dir, list[i]->d_name);
            replay(path);
        }
        free(list[i]);
    }
    if (n >= 0)
        free(list);
}

int main(int argc, char **argv) {
    struct stat st;
    if (argc < 2) {
        fprintf(stderr, "usage: %s FILE-OR-FOLDER...\n", argv[0]);
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
            replay_all(argv[i]);
        else
            replay(argv[i]);
    }
    printf("%u inputs, no unsound answer\n", inputs);
    return inputs == 0;
}
