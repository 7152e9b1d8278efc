/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the pool was closed in order, and the allocator's state that a clean close saves. native/RECOVERY.md has the
 * decision table.
 */
#ifndef NOVA_RECOVERY_POOL_STATE_H
#define NOVA_RECOVERY_POOL_STATE_H

#include "alloc/alloc.h"
#include "format/media.h"
#include "inode/inode_table.h"

/*
 * Reads the state slots: the sequence number of the current state, and whether it can be trusted to be clean, which
 * takes two valid slots in succession, the later one clean. A damaged slot may have been the newer one: then the logs
 * decide.
 */
struct pool_state {
    uint64_t seq;
    bool clean;
    struct fmt_state st; /* if clean */
};
void pool_state_read(const struct media *m, struct pool_state *ps);

/* Makes both slots durable as they are read: a process that was killed may have left one in the caches, and the slot of
 * the state before it is overwritten next. 0, or the errno of the drain. */
int pool_state_settle(const struct media *m);

/* Writes the successor of *ps and updates *ps. Not yet drained. */
void pool_state_write(const struct media *m, struct pool_state *ps, const struct fmt_state *next);

/* Saves both bitmaps under a sequence number. Not yet drained. */
void snapshot_save(const struct media *m, const struct allocator *a, const struct inode_table *t, uint64_t seq);

/* Loads them; false if a block of them is damaged, of another sequence number, or at odds with st. Then nothing
 * may be relied on: make a new allocator and scan. */
bool snapshot_load(const struct media *m, struct allocator *a, struct inode_table *t, const struct fmt_state *st);

#endif
