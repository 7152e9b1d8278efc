/* SPDX-License-Identifier: Apache-2.0 */
#include "lazy.h"

#include <stdlib.h>

#include "map/fault_server.h"
#include "report.h"

#define SKIPPED 77 /* as CMakeLists.txt has it */

bool lazy_possible(void) {
    return fault_server_possible();
}

void lazy_need(const char *what) {
    if (lazy_possible())
        return;
    report_line("%s: skipped, this process may not use userfaultfd", what);
    exit(SKIPPED);
}
