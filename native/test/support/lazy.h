/* SPDX-License-Identifier: Apache-2.0 */
/* Whether regions can be lazy: not where the process may not use userfaultfd(2), as in many a container. */
#ifndef NOVA_TEST_SUPPORT_LAZY_H
#define NOVA_TEST_SUPPORT_LAZY_H

#include <stdbool.h>

bool lazy_possible(void);

/* What main() begins with where all is about lazy regions: else says that `what` is skipped, and ends the program with
 * the status that ctest takes for that. */
void lazy_need(const char *what);

#endif
