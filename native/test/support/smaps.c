/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "smaps.h"

uint64_t smaps_kib(const void *addr, size_t len, const char *field) {
    char line[512];
    uint64_t sum = 0, start = 0, from, to, kib;
    size_t name = strlen(field);
    FILE *f = fopen("/proc/self/smaps", "re");
    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL) {
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &from, &to) == 2) /* the first line of a mapping */
            start = from;
        else if (start >= (uintptr_t)addr && start < (uintptr_t)addr + len && strncmp(line, field, name) == 0 &&
                 sscanf(line + name, ": %" SCNu64, &kib) == 1)
            sum += kib;
    }
    fclose(f);
    return sum;
}
