/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share; nobody else includes it. All but map_lock() wants logLock held, if nothing else
 * is said. */
#ifndef NOVA_MAP_MAP_INTERNAL_H
#define NOVA_MAP_MAP_INTERNAL_H

#include "map/file_map.h"
#include "util/lock_rank.h"

/* logLock of the file, from the side of those who may come at any time. */
static inline void map_lock(struct file_map *f) {
    lock_rank_enter(RANK_LOG);
    biased_lock_guest(f->lock);
}

/* The same for one of many steps: who waits comes first. */
static inline void map_lock_step(struct file_map *f) {
    lock_rank_enter(RANK_LOG);
    biased_lock_guest_in_turn(f->lock);
}

static inline void map_unlock(struct file_map *f) {
    biased_unlock_guest(f->lock);
    lock_rank_leave(RANK_LOG);
}

/* ---- file_map.c ---- */

#define MAP_FILL_MAX 256u /* pages that get blocks in one hold of logLock, and nobody waits for */
/* Pages that are hidden in one such hold. Smaller steps hold up those who map pages of other files. */
#define MAP_HIDE_MAX 4096u

/* The pages of a region among [pgoff, pgoff + n) of the file. False if there are none. */
bool map_overlap(const struct region *r, uint64_t pgoff, uint64_t n, uint64_t *page, uint64_t *count);

/* How many pages of the file from pgoff on have blocks that lie in a row, *blk being the first; or, *blk being 0, have
 * none. 1..max. */
uint64_t map_run(const struct file_map *f, uint64_t pgoff, uint64_t max, uint32_t *blk);

/*
 * Makes the region show a run of blocks; an eager one SIGBUS, if that took too many mappings: nobody would show it the
 * blocks later. Whether it shows them. populate: as for region_show().
 */
bool map_show_run_locked(struct region *r, uint64_t page, uint64_t n, uint32_t blk, bool populate);

/* Appends a write or alloc entry: pages from pgoff on become the blocks of ext. */
int map_append_locked(struct file_map *f, struct log_batch *b, enum fmt_kind kind, uint64_t pgoff,
                      struct nova_extent ext, int64_t mtime, struct nova_error *err);
/* The answer where f->failed. */
int map_cannot(const struct file_map *f, struct nova_error *err);
/* Commits what no caller asked for: counts it, and follows. */
int map_commit_locked(struct file_map *f, struct log_batch *b, struct nova_error *err);
/* The same of entries that move pages among [pgoff, pgoff + n), which are held: the times stay as they are. rc: of
 * appending them; if that or the commit failed, the pages are released. */
int map_commit_moves_locked(struct file_map *f, struct log_batch *b, int rc, uint64_t pgoff, uint64_t n,
                            struct nova_error *err);

/* ---- region_calls.c ---- */

/* Closes a region, if it is open. The caller has it held (region_hold()), and no lock. */
void map_close_region(struct region *r);

/* ---- map_budget.c ---- */

/* The chunks that these pages lie in are missing from now on, in this region. */
void map_budget_hide_locked(struct region *r, uint64_t page, uint64_t n);

/*
 * Called before a fault makes the region show a block of this page, or a new one. If there are many mappings: gives up
 * others, and moves the blocks of the chunk together if they lie apart.
 */
void map_budget_fault_locked(struct region *r, uint64_t page);

/* The same after a fault, with no lock held: gives up mappings of regions that are not used. */
void map_budget_relieve(void);

/* ---- fault.c ---- */

/* What 99 of 100 holds of logLock by those who serve faults in this region did not exceed. */
uint64_t map_hold_p99_locked(const struct region *r);

#endif
