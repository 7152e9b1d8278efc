/* SPDX-License-Identifier: Apache-2.0 */
#include "lazy.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "map/fault_server.h"
#include "report.h"

#define SKIPPED 77 /* as CMakeLists.txt has it */

static void no_fault(void *addr, bool store) {
    (void)addr;
    (void)store;
}

bool lazy_possible(void) {
    static int known; /* 1: yes, -1: no */
    if (known == 0) {
        int status = -1;
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0)
            _exit(fault_server_start(no_fault) ? 0 : 1);
        if (pid < 0 || waitpid(pid, &status, 0) != pid)
            abort();
        known = status == 0 ? 1 : -1;
    }
    return known > 0;
}

void lazy_need(const char *what) {
    if (lazy_possible())
        return;
    report_line("%s: skipped, this process may not use userfaultfd", what);
    exit(SKIPPED);
}
