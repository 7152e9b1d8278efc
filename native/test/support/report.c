/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report.h"

void report_line(const char *fmt, ...) {
    char line[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line - 1, fmt, args);
    va_end(args);
    strcat(line, "\n");
    fputs(line, stdout);
    fflush(stdout);
    const char *path = getenv("NOVA_REPORT");
    if (path == NULL)
        return;
    /* One write of a short line to a file opened for appending: test programs that run side by side do not mix. */
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    size_t len = strlen(line);
    if (fd < 0 || write(fd, line, len) != (ssize_t)len)
        abort();
    close(fd);
}
