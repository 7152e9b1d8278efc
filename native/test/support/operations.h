/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One table of everything a store can be asked to do. A row here is explored alone, before and after every other row
 * (test_crash_pairs.c), in random sequences of three (its long run), and with every fault of the write protocol that
 * mutant.h knows (test_crash_mutants.c). Awkward sizes of an operation are rows of test_crash_calls.c. RECOVERY.md, at
 * its end, lists what else a new operation needs.
 */
#ifndef NOVA_TEST_SUPPORT_OPERATIONS_H
#define NOVA_TEST_SUPPORT_OPERATIONS_H

#include "workload.h"

/* Works on whatever other operations left: makes missing files first. One or more calls. */
struct operation {
    const char *name;
    void (*run)(struct world *w);
};
extern const struct operation operations[];
extern const size_t operations_n;

/* What lies behind the files and under the writes. */
enum scene {
    SCENE_PLAIN,
    SCENE_FRAGMENTED, /* no two free blocks are neighbours: a write has an entry per block */
    SCENE_LOG_END,    /* the logs of "a" and of the root directory have one line left in their first page */
    SCENES
};

/* Two open files: "a" of 4500 bytes with stale ones behind, "b" of 100 bytes. */
void scene_set(struct world *w, enum scene scene);

#endif
