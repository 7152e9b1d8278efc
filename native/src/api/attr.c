/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of an inode: one entry, one tail word. */
#include <string.h>

#include "api/handles.h"
#include "util/clock.h"

#define READ (NOVA_ATTR_ATIME | NOVA_ATTR_KEEP_CTIME) /* it was read, and nothing changed */
#define SETTABLE (NOVA_ATTR_MODE | NOVA_ATTR_UID | NOVA_ATTR_GID | NOVA_ATTR_ATIME | NOVA_ATTR_MTIME)

void times_entry(struct fmt_entry *e, int64_t now) {
    struct fmt_setattr_body a = {.mask = NOVA_ATTR_MTIME | NOVA_ATTR_CTIME, .mtime = now, .ctime = now};
    *e = (struct fmt_entry){.kind = FMT_SETATTR, .lines = 1};
    memcpy(e->payload, &a, sizeof a);
}

int nova_setattr(nova_inode *inode, uint32_t mask, uint32_t mode, uint32_t uid, uint32_t gid, int64_t atime,
                 int64_t mtime, struct nova_io *io) {
    int rc = io_begin(inode->pool, io);
    if (rc == NOVA_OK && mask != READ && (mask == 0 || (mask & ~SETTABLE) != 0))
        rc = nova_fail(&io->err, NOVA_EINVAL, "attribute mask %#x is empty or has bits that do not belong in it", mask);
    if (rc == NOVA_OK && (mask & NOVA_ATTR_MODE) != 0 && (mode & ~NOVA_MODE_BITS) != 0)
        rc = nova_fail(&io->err, NOVA_EINVAL, "mode %#o has more than permission bits", mode);
    if (rc != NOVA_OK)
        return rc;
    bool keep = mask == READ;
    struct fmt_setattr_body a = {.mask = keep ? NOVA_ATTR_ATIME : mask | NOVA_ATTR_CTIME,
                                 .mode = mask & NOVA_ATTR_MODE ? mode : 0,
                                 .uid = mask & NOVA_ATTR_UID ? uid : 0,
                                 .gid = mask & NOVA_ATTR_GID ? gid : 0,
                                 .atime = mask & NOVA_ATTR_ATIME ? atime : 0,
                                 .mtime = mask & NOVA_ATTR_MTIME ? mtime : 0,
                                 .ctime = keep ? 0 : nova_now()};
    struct fmt_entry e = {.kind = FMT_SETATTR, .lines = 1};
    memcpy(e.payload, &a, sizeof a);
    log_lock_owner(inode);
    rc = view_check_locked(inode, &io->err);
    if (rc == NOVA_OK)
        rc = entries_commit_locked(inode, &e, 1, 0, io);
    if (rc == NOVA_OK)
        io->size = inode->st.size;
    log_unlock_owner(inode);
    return rc;
}
