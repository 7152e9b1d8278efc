/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recovery by scanning: what is in use is what can be reached from the root directory by committed log entries.
 *
 * Reachability is the whole rule, so that a crash anywhere needs no repair: blocks and log pages of a write that did
 * not commit, an inode whose name did not commit, an inode whose last name is gone (also one that was open): none is
 * reached, all are free. Each log is read once, files in parallel. What was read is made durable: after
 * a kill, unlike after a power failure, it may still be in the caches only. Nothing is written but the tail words of
 * slots that no name reaches, at the end and only if the scan found no damage, and not drained: recovering again, or
 * after a crash inside, does the same.
 */
#ifndef NOVA_RECOVERY_REBUILD_H
#define NOVA_RECOVERY_REBUILD_H

#include "alloc/alloc.h"
#include "format/media.h"
#include "inode/inode_table.h"

struct rebuild_stats {
    uint64_t inodes;  /* logs read */
    uint64_t orphans; /* slots released */
};

/*
 * Fills a new allocator and the inode table's in-use bits. threads >= 1. progress may be NULL: inodes done, inodes in
 * all. ECORRUPT (what and where), ENOMEM, EOS.
 */
int rebuild(const struct media *m, struct allocator *a, struct inode_table *t, uint32_t threads,
            struct nova_progress *progress, struct rebuild_stats *stats, struct nova_error *err);

#endif
