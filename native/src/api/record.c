/* SPDX-License-Identifier: Apache-2.0 */
/* What an entry says, for the caller of nova.h: as records, and of an inode's attributes. */
#include <string.h>

#include "api/handles.h"

/* Puts a name into a record from byte `at` on, and as many further records as that takes. */
static void record_name(struct nova_record *rec, size_t at, const char *name, uint8_t len) {
    rec->lines = (uint32_t)((at + len + NOVA_RECORD_SIZE - 1) / NOVA_RECORD_SIZE);
    memset(rec + 1, 0, (size_t)(rec->lines - 1) * NOVA_RECORD_SIZE);
    memcpy((char *)rec + at, name, len);
}

void record_fill(struct nova_record *rec, const struct fmt_entry *e, struct log_pos at) {
    memset(rec, 0, sizeof *rec);
    rec->lines = 1;
    rec->log_blk = at.blk;
    rec->log_idx = at.idx;
    rec->seq = e->seq;
    switch (e->kind) {
    case FMT_WRITE:
    case FMT_ALLOC:
    case FMT_TRUNCATE: {
        struct fmt_write_body w;
        memcpy(&w, e->payload, sizeof w);
        rec->kind = e->kind == FMT_WRITE ? NOVA_REC_WRITE : e->kind == FMT_ALLOC ? NOVA_REC_ALLOC : NOVA_REC_TRUNCATE;
        rec->u.write.pgoff = w.pgoff;
        rec->u.write.blk = w.blk;
        rec->u.write.count = w.count;
        rec->u.write.size = w.size;
        rec->u.write.mtime = w.mtime;
        break;
    }
    case FMT_HOLE:
    case FMT_COLLAPSE:
    case FMT_INSERT: {
        struct fmt_range_body r;
        memcpy(&r, e->payload, sizeof r);
        rec->kind = e->kind == FMT_HOLE ? NOVA_REC_HOLE : e->kind == FMT_COLLAPSE ? NOVA_REC_COLLAPSE : NOVA_REC_INSERT;
        rec->u.range.pgoff = r.pgoff;
        rec->u.range.count = r.count;
        rec->u.range.size = r.size;
        rec->u.range.mtime = r.mtime;
        break;
    }
    case FMT_SETATTR: {
        struct fmt_setattr_body a;
        memcpy(&a, e->payload, sizeof a);
        rec->kind = NOVA_REC_SETATTR;
        rec->u.attr.mask = a.mask;
        rec->u.attr.mode = a.mode;
        rec->u.attr.uid = a.uid;
        rec->u.attr.gid = a.gid;
        rec->u.attr.atime = a.atime;
        rec->u.attr.mtime = a.mtime;
        rec->u.attr.ctime = a.ctime;
        break;
    }
    case FMT_LINK: {
        struct fmt_link_body l;
        memcpy(&l, e->payload, sizeof l);
        rec->kind = NOVA_REC_LINK;
        rec->u.link.nlink = l.nlink;
        rec->u.link.ctime = l.ctime;
        break;
    }
    case FMT_XATTR: {
        struct fmt_xattr_body x;
        memcpy(&x, e->payload, sizeof x);
        rec->kind = NOVA_REC_XATTR;
        rec->u.xattr.ctime = x.ctime;
        rec->u.xattr.value_len = x.value_len;
        rec->u.xattr.blocks = x.extents == 0 ? 0 : (uint32_t)pages_of(x.value_len);
        rec->u.xattr.removed = x.op == FMT_XATTR_REMOVE;
        rec->u.xattr.name_len = x.name_len;
        record_name(rec, offsetof(struct nova_record, u.xattr.name), (const char *)e + FMT_XATTR_NAME_OFF, x.name_len);
        break;
    }
    default: {
        struct fmt_dentry_body d;
        memcpy(&d, e->payload, sizeof d);
        rec->kind = e->kind == FMT_DENTRY_ADD ? NOVA_REC_DENTRY_ADD : NOVA_REC_DENTRY_REMOVE;
        rec->u.dentry.ino = d.ino;
        rec->u.dentry.gen = d.gen;
        rec->u.dentry.type = d.type;
        rec->u.dentry.name_len = d.name_len;
        rec->u.dentry.time = d.time;
        record_name(rec, offsetof(struct nova_record, u.dentry.name), (const char *)e + FMT_DENTRY_NAME_OFF,
                    d.name_len);
        break;
    }
    }
}

struct nova_stat stat_created(const struct fmt_inode *slot) {
    return (struct nova_stat){.atime = slot->btime,
                              .mtime = slot->btime,
                              .ctime = slot->btime,
                              .btime = slot->btime,
                              .ino = slot->ino,
                              .gen = slot->gen,
                              .type = slot->type,
                              .nlink = 1,
                              .mode = slot->mode,
                              .uid = slot->uid,
                              .gid = slot->gid};
}

void stat_apply(struct nova_stat *st, const struct fmt_entry *e) {
    if (fmt_says_size(e)) {
        struct fmt_write_body w;
        memcpy(&w, e->payload, sizeof w);
        st->size = w.size;
        st->mtime = st->ctime = w.mtime;
        return;
    }
    switch (e->kind) {
    case FMT_SETATTR: {
        struct fmt_setattr_body a;
        memcpy(&a, e->payload, sizeof a);
        if (a.mask & NOVA_ATTR_MODE)
            st->mode = a.mode;
        if (a.mask & NOVA_ATTR_UID)
            st->uid = a.uid;
        if (a.mask & NOVA_ATTR_GID)
            st->gid = a.gid;
        if (a.mask & NOVA_ATTR_ATIME)
            st->atime = a.atime;
        if (a.mask & NOVA_ATTR_BTIME)
            st->btime = a.atime;
        if (a.mask & NOVA_ATTR_MTIME)
            st->mtime = a.mtime;
        if (a.mask & NOVA_ATTR_CTIME)
            st->ctime = a.ctime;
        break;
    }
    case FMT_LINK: {
        struct fmt_link_body l;
        memcpy(&l, e->payload, sizeof l);
        st->nlink = l.nlink;
        st->ctime = l.ctime;
        break;
    }
    case FMT_XATTR: {
        struct fmt_xattr_body x;
        memcpy(&x, e->payload, sizeof x);
        st->ctime = x.ctime;
        break;
    }
    default: {
        struct fmt_dentry_body d;
        memcpy(&d, e->payload, sizeof d);
        st->mtime = st->ctime = d.time;
        break;
    }
    }
}
