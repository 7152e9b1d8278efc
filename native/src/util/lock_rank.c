/* SPDX-License-Identifier: Apache-2.0 */
#include "util/lock_rank.h"

#ifdef NOVA_DEBUG
#include <stdio.h>
#include <stdlib.h>

/* How many locks of each rank this thread holds. */
static _Thread_local int held[RANK_LANE + 1];

void lock_rank_enter(enum lock_rank rank) {
    /* Several at a time, in ascending order: lanes by alloc_free() alone, logs by transact() alone. */
    int lowest = rank == RANK_LANE || rank == RANK_LOG ? (int)rank + 1 : (int)rank;
    for (int r = lowest; r <= RANK_LANE; r++) {
        if (held[r] != 0) {
            fprintf(stderr, "lock order violated: rank %d taken while rank %d is held\n", (int)rank, r);
            abort();
        }
    }
    held[rank]++;
}

void lock_rank_leave(enum lock_rank rank) {
    held[rank]--;
}
#else
typedef int lock_rank_is_compiled_away; /* a translation unit needs a declaration */
#endif
