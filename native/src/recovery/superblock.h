/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The superblock and its replica on the media. At every moment one of the two is whole, durable and not being written:
 * a crash in between leaves it, and the next open goes on.
 */
#ifndef NOVA_RECOVERY_SUPERBLOCK_H
#define NOVA_RECOVERY_SUPERBLOCK_H

#include "format/media.h"

/* All answer 0, or the errno of a drain. */

/* Stores m->sb as the first superblock, or as its replica, and drains. */
int superblock_put(const struct media *m, bool replica);

/*
 * Makes both superblocks what m->sb says, as media_attach() found it: from the replica, or at the end of a resize that
 * a crash has cut short. In that case the file's length must be durable.
 */
int superblock_settle(struct media *m);

/* Says in both that this build's features may be found, before any is used. */
int superblock_enable(struct media *m);

/*
 * Growing, in three steps; native/RECOVERY.md says what a crash leaves at each point. Between the first two the file
 * gets its new length, durably, and m->base the new mapping.
 */
int superblock_announce(struct media *m, uint64_t size);
int superblock_grow(struct media *m);
int superblock_give_up(struct media *m); /* instead of that: the file has its old length */

#endif
