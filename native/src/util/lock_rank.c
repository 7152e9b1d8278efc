/* SPDX-License-Identifier: Apache-2.0 */
#include "util/lock_rank.h"

#ifdef NOVA_DEBUG
#include <stdio.h>
#include <stdlib.h>

/* How many locks of each rank this thread holds, and the key of the last one that has some. */
static _Thread_local int held[RANK_LANE + 1];
static _Thread_local uint64_t last_key[RANK_LANE + 1];

static void check_from(int lowest, enum lock_rank rank) {
    for (int r = lowest; r <= RANK_LANE; r++) {
        if (held[r] != 0) {
            fprintf(stderr, "lock order violated: rank %d taken while rank %d is held\n", (int)rank, r);
            abort();
        }
    }
}

void lock_rank_enter(enum lock_rank rank) {
    check_from((int)rank, rank);
    last_key[rank] = UINT64_MAX; /* no other may follow */
    held[rank]++;
}

void lock_rank_enter_nth(enum lock_rank rank, uint64_t key) {
    check_from((int)rank + 1, rank);
    if (held[rank] != 0 && key <= last_key[rank]) {
        fprintf(stderr, "lock order violated: rank %d taken twice, the second one before the first\n", (int)rank);
        abort();
    }
    last_key[rank] = key;
    held[rank]++;
}

void lock_rank_leave(enum lock_rank rank) {
    held[rank]--;
}
#else
typedef int lock_rank_is_compiled_away; /* a translation unit needs a declaration */
#endif
