/* SPDX-License-Identifier: Apache-2.0 */
/* What the command lines share: exit codes, errors, reports of any length. */
#ifndef NOVA_TOOLS_TOOL_H
#define NOVA_TOOLS_TOOL_H

#include <stdio.h>
#include <stdlib.h>

#include "nova.h"

enum { EXIT_FINE = 0, EXIT_FINDINGS = 1, EXIT_CANNOT = 2 };

static inline int tool_fail(const char *tool, const struct nova_error *err) {
    if (err->pool_off == NOVA_NO_OFF)
        (void)fprintf(stderr, "%s: %s\n", tool, err->msg);
    else
        (void)fprintf(stderr, "%s: %s (at byte %llu of the pool)\n", tool, err->msg, (unsigned long long)err->pool_off);
    return EXIT_CANNOT;
}

static inline int tool_usage(const char *tool) {
    (void)fprintf(stderr, "Try '%s --help'.\n", tool);
    return EXIT_CANNOT;
}

/* Flushes stdout; a report that could not be written is no report. */
static inline int tool_done(const char *tool, int code) {
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    perror(tool);
    return EXIT_CANNOT;
}

#endif
