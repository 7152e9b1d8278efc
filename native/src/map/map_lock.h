/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of this folder. */
#ifndef NOVA_MAP_MAP_LOCK_H
#define NOVA_MAP_MAP_LOCK_H

#include "map/file_map.h"
#include "util/lock_rank.h"

static inline void map_lock(struct file_map *f) {
    lock_rank_enter(RANK_LOG);
    biased_lock_guest(f->lock);
}

static inline void map_unlock(struct file_map *f) {
    biased_unlock_guest(f->lock);
    lock_rank_leave(RANK_LOG);
}

/* Appends a write or alloc entry: pages from pgoff on become the blocks of ext. */
int map_append_locked(struct file_map *f, struct log_batch *b, enum fmt_kind kind, uint64_t pgoff,
                      struct nova_extent ext, int64_t mtime, struct nova_error *err);
/* Commits, and follows. */
int map_commit_locked(struct file_map *f, struct log_batch *b, struct nova_error *err);

void map_free(struct file_map *f, const struct extent_list *ext);

/* Statistics of who serves faults in this region: what 99 of 100 holds of logLock did not exceed. */
uint64_t map_hold_p99_locked(const struct region *r);

/* The bounds of the pages around `page` that are kept or given up together. */
void map_chunk(const struct region *r, uint64_t page, uint64_t *from, uint64_t *n);

/* The chunks of these pages are missing from now on, in this region. */
void map_budget_hide_locked(struct region *r, uint64_t page, uint64_t n);

/*
 * Called before a fault makes the region show a block of this page, or a new one. If there are many mappings: gives up
 * others, and moves the blocks of the chunk together if they lie apart.
 */
void map_budget_fault_locked(struct region *r, uint64_t page);

/* The same after a fault, with no lock held: gives up mappings of regions that are not used. */
void map_budget_relieve(void);

#endif
