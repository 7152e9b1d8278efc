/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pinned pages of a file: they lie in a row in the pool's file and stay where they are, so that somebody else can map
 * that piece of it (the Java runtime, whose mapped buffers are over one range of one file). The core does not know that
 * mapping and cannot change what it shows. So, as long as the pin lasts,
 *  - writes to these pages go to the blocks that they have (file_map_in_place()), and no block is moved;
 *  - a block that the file loses is held (alloc/holds.h): nobody else gets it.
 *
 * Pages are brought together in steps, each a commit of its own that leaves the file as it was, and may be crashed in
 * or between:
 *   1. new blocks in a row are allocated in DRAM, for pages that lie elsewhere or are holes  - nothing happened
 *   2. step by step: bytes are copied, holes zeroed; entries (FMT_WRITE, FMT_ALLOC), drain, tail, drain - the same file
 *   3. the blocks are held, in DRAM                                                          - the same file
 *
 * A pin outlives the pool. Until it ends, the file of a pool that has been closed stays locked (pmem/pool_lock.h), and
 * if this process opens the pool again, the blocks are held again, whoever has them, or nobody.
 */
#ifndef NOVA_MAP_PIN_H
#define NOVA_MAP_PIN_H

#include "map/file_map.h"

struct nova_pinned;

/*
 * Pins the pages [pgoff, pgoff + n), all below the end of the file. *blk: the block of the first one. No lock is held;
 * the caller lets no other change to the file run. EINVAL, EBUSY (pages that would have to move are pinned, or shown by
 * an eager region), ENOSPC (also: no blocks in a row), ENOMEM, ECORRUPT, EOS.
 */
int file_map_pin(struct file_map *f, uint64_t pgoff, uint64_t n, struct nova_pinned **out, uint32_t *blk,
                 struct nova_error *err);

/* What nova_pin_force() does. */
int file_map_force_pinned(const struct file_map *f, const struct nova_pinned *p, struct nova_error *err);

/* Whether any of these pages is pinned. The caller holds logLock. */
bool file_map_is_pinned_locked(const struct file_map *f, uint64_t pgoff, uint64_t n);

/* Holds what is pinned of a pool that has been opened, before anybody allocates a block. ENOMEM, EBUSY (the file has
 * been overwritten by a smaller pool). */
int pins_attach(const struct pool_file *pool, const struct media *m, struct allocator *a, struct nova_error *err);
/* The allocator goes away: holds do not change any more. */
void pins_detach(struct allocator *a);

#endif
