/* SPDX-License-Identifier: Apache-2.0 */
/* nova_fsck(): inodes and their logs. */
#include <stdlib.h>
#include <string.h>

#include "check/fsck.h"
#include "inode/block_map.h"
#include "inode/dir_map.h"
#include "inode/ino_list.h"
#include "log/file_replay.h"

/* ---- walking a log ---- */

struct walk {
    struct fsck *f;
    struct log log;
    struct log_cursor cur;
    struct log_pos at; /* of the entry that walk_next() answered */
    bool whole;        /* read to its end */
    bool at_tail;      /* what lies behind it has been taken in */
};

/* What a damaged place in a log is: log.c names the offset of the line, of the page tail, or of the pointer. */
static const char *place(const struct walk *w, uint64_t off) {
    if (off == fsck_off(w->f, log_line(&w->log, w->cur.pos)))
        return "log entry";
    uint64_t in_blk = off % NOVA_BLOCK_SIZE;
    if (in_blk == offsetof(struct fmt_page, tail))
        return "log page";
    return in_blk % FMT_LINE == 0 ? "log entry" : "log pointer"; /* pointers lie inside a line, entries start one */
}

static bool walk_open(struct walk *w, struct fsck *f, struct fmt_inode *slot) {
    struct nova_error err;
    *w = (struct walk){.f = f, .whole = true};
    f->sum.inodes++;
    if (log_open(&w->log, &f->in.m, NULL, slot, &err) == NOVA_OK)
        return true;
    fsck_error(f, "log tail", fsck_off(f, &slot->tail), "%s", err.msg);
    f->logs_whole = false;
    return false;
}

/* As log_next(), and over the tail that a crash has left, as recovery does. */
static int next_or_adopted(struct walk *w, struct log_item *item, struct nova_error *err) {
    uint8_t *torn;
    int rc = log_next(&w->log, &w->cur, item, err);
    if (rc != NOVA_OK || item->entry != NULL || w->at_tail || w->f->state.clean || w->log.type != NOVA_FILE)
        return rc;
    w->at_tail = true;
    rc = log_adopt(&w->log, &w->cur, &torn, err);
    return rc == NOVA_OK ? log_next(&w->log, &w->cur, item, err) : rc;
}

/* The next entry, NULL at the end or at damage. */
static const struct fmt_entry *walk_next(struct walk *w) {
    struct nova_error err;
    struct log_item item;
    if (next_or_adopted(w, &item, &err) != NOVA_OK) {
        fsck_error(w->f, place(w, err.pool_off), err.pool_off, "%s", err.msg);
        w->whole = w->f->logs_whole = false;
        return NULL;
    }
    if (item.entered != 0) {
        fsck_claim(w->f, item.entered, 1, w->log.ino, "a log page");
        fsck_flush_page(w->f, item.entered);
    }
    if (item.entry != NULL)
        w->f->sum.entries++;
    w->at = item.pos;
    return item.entry;
}

/* ---- directories ---- */

static void replay_dir(struct walk *w, struct dir_map *names, struct xattr_map *xattrs) {
    struct fsck *f = w->f;
    for (const struct fmt_entry *e; !f->oom && (e = walk_next(w)) != NULL;) {
        fsck_xattr_entry(f, xattrs, &w->log, e, w->at);
        if (e->kind != FMT_DENTRY_ADD && e->kind != FMT_DENTRY_REMOVE)
            continue;
        struct fmt_dentry_body d;
        memcpy(&d, e->payload, sizeof d);
        const char *name = (const char *)e + FMT_DENTRY_NAME_OFF;
        if (e->kind == FMT_DENTRY_ADD) {
            if (!dir_map_put(names, name, d.name_len, d.ino, d.gen, d.type)) {
                f->oom = true;
                return;
            }
            continue;
        }
        const struct dir_name *n = dir_map_get(names, name, d.name_len);
        if (n == NULL && w->log.slot_cut) /* its entry has been cleaned away */
            continue;
        if (n == NULL)
            fsck_warning(f, "dentry", fsck_off(f, e), "directory %u removes a name that it does not hold: no effect",
                         w->log.ino);
        else if (n->ino != d.ino || n->gen != d.gen)
            fsck_warning(f, "dentry", fsck_off(f, e),
                         "directory %u removes the name of inode %u, generation %u, for %u, %u", w->log.ino, n->ino,
                         n->gen, d.ino, d.gen);
        (void)dir_map_remove(names, name, d.name_len);
    }
}

/* What a name refers to. In a directory that was not read to its end, the name may be gone: then no misfit is an error.
 */
static void check_name(struct fsck *f, uint32_t dir, bool sure, const struct dir_name *n, struct ino_list *q) {
    struct fmt_inode *slot = inspect_slot(&f->in, n->ino);
    if (slot == NULL) {
        if (sure && f->in.table_n != 0 && n->ino >= inspect_slots(&f->in))
            fsck_error(f, "dentry", NOVA_NO_OFF, "directory %u has a name for inode %u, which has no slot", dir,
                       n->ino);
        return; /* else its part of the table is damaged, and reported */
    }
    uint64_t off = fsck_off(f, slot);
    if (!fmt_inode_ok(&f->in.m, slot, n->ino)) {
        if (sure && !fsck_is_live(f, n->ino)) {
            fsck_error(f, "inode", off, "slot of inode %u, which has a name, is damaged", n->ino);
            fsck_set_live(f, n->ino);
            f->logs_whole = false;
            f->dirs_whole = f->dirs_whole && n->type != NOVA_DIR;
        }
        return;
    }
    if (slot->gen != n->gen || slot->type != n->type || slot->tail == 0) {
        if (sure)
            fsck_error(f, "dentry", off,
                       "directory %u has a name for inode %u, generation %u, type %u; there is %s%u, type %u", dir,
                       n->ino, n->gen, n->type, slot->tail == 0 ? "a free slot, generation " : "generation ", slot->gen,
                       slot->type);
        return;
    }
    bool first = !fsck_is_live(f, n->ino);
    fsck_set_live(f, n->ino);
    if (n->type == NOVA_DIR && !first && sure)
        fsck_error(f, "dentry", off, "directory %u has two names", n->ino);
    if (n->type == NOVA_DIR ? first && !ino_list_add(q, n->ino) : !first && !ino_list_add(&f->more, n->ino))
        f->oom = true;
}

static void check_dir(struct fsck *f, uint32_t ino, struct ino_list *q) {
    struct walk w;
    struct dir_map names;
    if (!walk_open(&w, f, inspect_slot(&f->in, ino))) {
        f->dirs_whole = false;
        return;
    }
    dir_map_init(&names);
    struct xattr_map xattrs = {0};
    replay_dir(&w, &names, &xattrs);
    if (!w.whole)
        f->dirs_whole = false;
    else if (!f->oom)
        fsck_xattr_values(f, &xattrs, &w.log);
    xattr_map_free(&xattrs);
    uint32_t it = 0;
    for (const struct dir_name *n; !f->oom && (n = dir_map_next(&names, &it)) != NULL;)
        check_name(f, ino, w.whole, n, q);
    dir_map_free(&names);
}

void fsck_dirs(struct fsck *f) {
    struct ino_list q = {0};
    struct fmt_inode *root = inspect_slot(&f->in, NOVA_ROOT_INO);
    const char *bad = root == NULL                                   ? "the root directory has no slot"
                      : !fmt_inode_ok(&f->in.m, root, NOVA_ROOT_INO) ? "slot of the root directory is damaged"
                      : root->type != NOVA_DIR                       ? "the root inode is no directory"
                      : root->tail == 0                              ? "the root directory's slot is free"
                                                                     : NULL;
    if (bad != NULL) {
        fsck_error(f, "root", root == NULL ? NOVA_NO_OFF : fsck_off(f, root), "%s", bad);
        f->dirs_whole = f->logs_whole = false;
        if (root != NULL)
            fsck_set_live(f, NOVA_ROOT_INO);
        return;
    }
    fsck_set_live(f, NOVA_ROOT_INO);
    f->oom = !ino_list_add(&q, NOVA_ROOT_INO);
    for (uint32_t i = 0; i < q.n && !f->oom; i++)
        check_dir(f, q.ino[i], &q);
    ino_list_free(&q);
    ino_list_sort(&f->more);
}

/* ---- files ---- */

/* A write never makes the file shorter; one without pages moves the end within the block that holds it, or says where
 * it is: what that repeats may have gone from a log that has been cut. */
static const char *check_write(const struct log *log, const struct block_map *map, const struct fmt_write_body *b,
                               uint64_t size) {
    if (b->size < size)
        return "a write that makes the file shorter";
    if (b->count != 0 || b->size == size || log->slot_cut)
        return NULL;
    if (size % NOVA_BLOCK_SIZE == 0 || pages_of(b->size) != pages_of(size))
        return "a write without pages that does not stay in the file's last block";
    return block_map_get(map, size >> NOVA_BLOCK_SHIFT) == 0 ? "a write without pages into a hole" : NULL;
}

/* What an entry of any kind that changes the size must not do to the size before it; NULL if it does not. */
static const char *check_size(const struct log *log, const struct block_map *map, const struct fmt_entry *e,
                              uint64_t size) {
    struct fmt_write_body b;
    memcpy(&b, e->payload, sizeof b);
    switch (e->kind) {
    case FMT_WRITE: return check_write(log, map, &b, size);
    case FMT_ALLOC: return b.size < size ? "an allocation that makes the file shorter" : NULL;
    default: return file_check_range(log, e, size);
    }
}

struct claims {
    struct fsck *f;
    uint32_t ino;
    uint32_t blk, count; /* neighbours are claimed in one go */
    uint64_t pages;      /* of the file's size */
    bool stale;
};

static bool is_zero(const struct media *m, uint32_t blk) {
    static const uint8_t zero[NOVA_BLOCK_SIZE];
    return memcmp(media_blk(m, blk), zero, sizeof zero) == 0;
}

static void claim_run(struct claims *c) {
    if (c->count != 0)
        fsck_claim(c->f, c->blk, c->count, c->ino, "data");
    c->count = 0;
}

static void claim_block(void *arg, uint64_t pgoff, uint32_t blk) {
    struct claims *c = arg;
    c->stale = c->stale || (pgoff >= c->pages && !is_zero(&c->f->in.m, blk));
    if (c->count != 0 && blk == c->blk + c->count) {
        c->count++;
        return;
    }
    claim_run(c);
    c->blk = blk;
    c->count = 1;
}

/* The number of names that an inode's log gives it, against those that there are. */
static void check_names(struct fsck *f, uint32_t ino, const struct fmt_inode *slot, uint32_t nlink) {
    uint32_t names = 1 + ino_list_count(&f->more, ino);
    if (f->dirs_whole && fsck_is_live(f, ino) && names != nlink)
        fsck_error(f, "inode", fsck_off(f, slot), "inode %u has %u names, and its log says %u", ino, names, nlink);
}

static void check_file(struct fsck *f, uint32_t ino, struct fmt_inode *slot) {
    struct walk w;
    struct block_map map;
    struct xattr_map xattrs = {0};
    uint64_t size = 0;
    uint32_t nlink = 1;
    if (!walk_open(&w, f, slot))
        return;
    block_map_init(&map);
    for (const struct fmt_entry *e; !f->oom && (e = walk_next(&w)) != NULL;) {
        if (e->kind == FMT_LINK) {
            struct fmt_link_body l;
            memcpy(&l, e->payload, sizeof l);
            nlink = l.nlink;
        }
        fsck_xattr_entry(f, &xattrs, &w.log, e, w.at);
        if (e->kind == FMT_LINK || e->kind == FMT_SETATTR || e->kind == FMT_XATTR)
            continue;
        struct fmt_write_body b; /* a range's size lies where a write's does */
        memcpy(&b, e->payload, sizeof b);
        const char *bad = check_size(&w.log, &map, e, size);
        if (bad != NULL)
            fsck_error(f, "log entry", fsck_off(f, e), "log of inode %u: %s", ino, bad);
        f->oom = !file_apply(e, &map);
        if (map.pages > alloc_total(f->owned)) { /* some block more than once; recovery refuses it too */
            fsck_error(f, "log entry", fsck_off(f, e), "log of inode %u: more pages mapped than the pool has blocks",
                       ino);
            w.whole = f->logs_whole = false;
            break;
        }
        size = b.size;
    }
    if (w.whole && !f->oom) { /* else what the rest of the log replaced is not known */
        struct claims c = {.f = f, .ino = ino, .pages = pages_of(size)};
        block_map_each(&map, claim_block, &c);
        claim_run(&c);
        if (c.stale)
            fsck_error(f, "inode", fsck_off(f, slot),
                       "inode %u has bytes other than zero in blocks beyond its size of "
                       "%llu bytes",
                       ino, (unsigned long long)size);
        if (slot->type == NOVA_SYMLINK && (size == 0 || size > NOVA_SYMLINK_MAX || block_map_get(&map, 0) == 0))
            fsck_error(f, "inode", fsck_off(f, slot), "symbolic link %u has a target of %llu bytes%s", ino,
                       (unsigned long long)size, size != 0 ? ", or none" : "");
        f->sum.bytes += size;
        fsck_xattr_values(f, &xattrs, &w.log);
        check_names(f, ino, slot, nlink);
    }
    block_map_free(&map);
    xattr_map_free(&xattrs);
}

/* A slot in use that no name reaches. */
static void check_unnamed(struct fsck *f, uint32_t ino, struct fmt_inode *slot) {
    uint64_t off = fsck_off(f, slot);
    if (!f->dirs_whole) { /* it may have a name where we cannot read: then its log must be good */
        if (!fmt_inode_ok(&f->in.m, slot, ino))
            fsck_error(f, "inode", off, "slot of inode %u is damaged", ino);
        else
            check_file(f, ino, slot);
    } else {
        fsck_fixable(f, FSCK_FIX_TAIL, !f->state.clean, "inode", off, FMT_SLOT, "inode %u is in use but has no name%s",
                     ino, f->state.clean ? ", in a pool that was closed in order" : "; the next recovery releases it");
    }
}

void fsck_files(struct fsck *f) {
    uint32_t slots = inspect_slots(&f->in);
    for (uint32_t ino = 1; ino < slots && !f->oom; ino++) {
        struct fmt_inode *slot = inspect_slot(&f->in, ino);
        if (slot == NULL)
            continue;
        if (!fsck_is_live(f, ino)) {
            if (slot->tail != 0)
                check_unnamed(f, ino, slot);
        } else if (fmt_inode_ok(&f->in.m, slot, ino) && slot->type != NOVA_DIR) {
            check_file(f, ino, slot);
        }
    }
}
