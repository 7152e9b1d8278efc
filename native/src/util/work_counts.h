/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has been done since a pool was opened, for nova_pool_stats(). Counted where something rare happens (a new log
 * page, a fault, a lock that is not free), so that the ordinary write touches none of these words.
 */
#ifndef NOVA_UTIL_WORK_COUNTS_H
#define NOVA_UTIL_WORK_COUNTS_H

#include <stdint.h>

struct work_counts {
    uint64_t log_pages_added, log_pages_freed;
    uint64_t faults, fault_pages, fault_moved;
    uint64_t fault_hold_max_ns;
    uint64_t log_lock_waits;
};

/* Any thread; no order. */
static inline void work_count(uint64_t *counter, uint64_t n) {
    __atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

static inline void work_count_max(uint64_t *counter, uint64_t n) {
    uint64_t now = __atomic_load_n(counter, __ATOMIC_RELAXED);
    while (n > now && !__atomic_compare_exchange_n(counter, &now, n, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
}

static inline uint64_t work_counted(const uint64_t *counter) {
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

#endif
