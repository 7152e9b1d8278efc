/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of an inode: one or two entries, one tail word. */
#include <string.h>

#include "api/handles.h"
#include "util/clock.h"

#define READ (NOVA_ATTR_ATIME | NOVA_ATTR_KEEP_CTIME) /* it was read, and nothing changed */
#define SETTABLE (NOVA_ATTR_MODE | NOVA_ATTR_UID | NOVA_ATTR_GID | NOVA_ATTR_ATIME | NOVA_ATTR_MTIME | NOVA_ATTR_BTIME)

static struct fmt_entry entry_of(const struct fmt_setattr_body *a) {
    struct fmt_entry e = {.kind = FMT_SETATTR, .lines = 1};
    memcpy(e.payload, a, sizeof *a);
    return e;
}

void times_entry(struct fmt_entry *e, int64_t now) {
    struct fmt_setattr_body a = {.mask = NOVA_ATTR_MTIME | NOVA_ATTR_CTIME, .mtime = now, .ctime = now};
    *e = entry_of(&a);
}

uint32_t attr_entries(struct fmt_entry out[ATTR_ENTRIES_MAX], uint32_t mask, const struct nova_stat *st) {
    const uint32_t both = NOVA_ATTR_ATIME | NOVA_ATTR_BTIME;
    uint32_t n = 0;
    if ((mask & both) == both) {
        struct fmt_setattr_body birth = {.mask = NOVA_ATTR_BTIME, .atime = st->btime};
        out[n++] = entry_of(&birth);
        mask &= ~NOVA_ATTR_BTIME;
    }
    struct fmt_setattr_body a = {.mask = mask,
                                 .mode = mask & NOVA_ATTR_MODE ? st->mode : 0,
                                 .uid = mask & NOVA_ATTR_UID ? st->uid : 0,
                                 .gid = mask & NOVA_ATTR_GID ? st->gid : 0,
                                 .atime = mask & NOVA_ATTR_ATIME   ? st->atime
                                          : mask & NOVA_ATTR_BTIME ? st->btime
                                                                   : 0,
                                 .mtime = mask & NOVA_ATTR_MTIME ? st->mtime : 0,
                                 .ctime = mask & NOVA_ATTR_CTIME ? st->ctime : 0};
    out[n++] = entry_of(&a);
    return n;
}

int nova_setattr(nova_inode *inode, uint32_t mask, uint32_t mode, uint32_t uid, uint32_t gid, int64_t atime,
                 int64_t mtime, int64_t btime, struct nova_io *io) {
    int rc = io_begin(inode->pool, io);
    if (rc == NOVA_OK && mask != READ && (mask == 0 || (mask & ~SETTABLE) != 0))
        rc = nova_fail(&io->err, NOVA_EINVAL, "attribute mask %#x is empty or has bits that do not belong in it", mask);
    if (rc == NOVA_OK && (mask & NOVA_ATTR_MODE) != 0 && (mode & ~NOVA_MODE_BITS) != 0)
        rc = nova_fail(&io->err, NOVA_EINVAL, "mode %#o has more than permission bits", mode);
    if (rc != NOVA_OK)
        return rc;
    struct nova_stat st = {
        .mode = mode, .uid = uid, .gid = gid, .atime = atime, .mtime = mtime, .btime = btime, .ctime = nova_now()};
    struct fmt_entry es[ATTR_ENTRIES_MAX];
    uint32_t n = attr_entries(es, mask == READ ? NOVA_ATTR_ATIME : mask | NOVA_ATTR_CTIME, &st);
    log_lock_owner(inode);
    rc = view_check_locked(inode, &io->err);
    if (rc == NOVA_OK)
        rc = entries_commit_locked(inode, es, n, 0, io);
    if (rc == NOVA_OK)
        io->size = inode->st.size;
    log_unlock_owner(inode);
    return rc;
}
