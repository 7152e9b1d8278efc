/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names. Each call is a transaction over the logs that it changes: of one log by its tail word (two drains), of several
 * by the journal (three). What each call appends:
 *
 *   create    dentry add; the new inode's slot is stored before, and nothing reaches it until the dentry is committed
 *   link      dentry add; link entry of the inode
 *   unlink    dentry remove; link entry of the inode if it keeps other names
 *   rename    dentry remove and add; link entry of a replaced inode if it keeps other names
 *   exchange  two dentry adds, over the names that are there
 *
 * An inode that loses its last name needs no entry: what no name reaches is free (native/RECOVERY.md).
 */
#include <string.h>

#include "api/handles.h"
#include "util/clock.h"

/* A call's own copy of a name: the caller's memory may change while the call runs. */
struct name {
    uint32_t len;
    char bytes[NOVA_NAME_MAX];
};

/* Copies a name, and checks the copy. */
static int take_name(struct name *n, const char *name, uint32_t len, struct nova_error *err) {
    if (name == NULL || len == 0 || len > NOVA_NAME_MAX)
        return nova_fail(err, NOVA_ENAME, "a name has 1 to %d bytes, not %u", NOVA_NAME_MAX, len);
    memcpy(n->bytes, name, len);
    n->len = len;
    if (memchr(n->bytes, '/', len) != NULL || memchr(n->bytes, '\0', len) != NULL)
        return nova_fail(err, NOVA_ENAME, "a name must not hold '/' or NUL");
    if (n->bytes[0] == '.' && (len == 1 || (len == 2 && n->bytes[1] == '.')))
        return nova_fail(err, NOVA_ENAME, "\".\" and \"..\" are no names for files");
    return NOVA_OK;
}

static int check_dir(struct nova_inode *dir, struct nova_io *io, struct nova_error *err) {
    int rc = io_begin(dir->pool, io);
    if (rc != NOVA_OK && &io->err != err)
        *err = io->err;
    if (rc == NOVA_OK && dir->log.type != NOVA_DIR)
        rc = nova_fail(err, NOVA_ENOTDIR, "inode %u is not a directory", dir->log.ino);
    return rc;
}

/* ---- transactions ---- */

/* An entry with its name, as many lines as it needs. */
struct change {
    union {
        struct fmt_entry e;
        uint8_t lines[FMT_DENTRY_LINES_MAX][FMT_LINE];
    } u;
};

static void change_dentry(struct change *c, enum fmt_kind kind, const struct name *name, uint32_t ino, uint32_t gen,
                          uint32_t type, int64_t now) {
    struct fmt_dentry_body body = {
        .ino = ino, .gen = gen, .time = now, .type = (uint8_t)type, .name_len = (uint8_t)name->len};
    memset(c, 0, sizeof *c);
    c->u.e.kind = (uint8_t)kind;
    c->u.e.lines = (uint8_t)((FMT_DENTRY_NAME_OFF + name->len + FMT_LINE - 1) / FMT_LINE);
    memcpy(c->u.e.payload, &body, sizeof body);
    memcpy((char *)c + FMT_DENTRY_NAME_OFF, name->bytes, name->len);
}

static void change_link(struct change *c, uint32_t nlink, int64_t now) {
    struct fmt_link_body body = {.nlink = nlink, .ctime = now};
    memset(c, 0, sizeof *c);
    c->u.e.kind = FMT_LINK;
    c->u.e.lines = 1;
    memcpy(c->u.e.payload, &body, sizeof body);
}

/* What one log gets in a transaction. */
struct part {
    struct nova_inode *inode;
    struct nova_io *io; /* where its records go; NULL: its user need not hear of them */
    struct change *changes;
    uint32_t n;
};

#define PARTS_MAX 3u
static_assert(PARTS_MAX <= FMT_JOURNAL_MOVES, "a journal record holds a transaction");
static_assert(2 * NOVA_RECORDS_MAX <= NOVA_IO_RECORDS, "the records of a rename fit one answer");

static int part_append(struct part *p, struct log_batch *b, struct nova_error *err) {
    uint32_t records = 0;
    for (uint32_t i = 0; i < p->n; i++) {
        struct fmt_entry *e = &p->changes[i].u.e;
        int rc = log_append(b, e, err);
        if (rc != NOVA_OK)
            return rc;
        if (p->io != NULL) {
            record_fill(&p->io->records[records], e, b->at);
            records += p->io->records[records].lines;
        }
    }
    if (p->io != NULL)
        p->io->record_count = records;
    return NOVA_OK;
}

static int append_and_commit(struct part *parts, struct log_batch *b, uint32_t n, unsigned flags,
                             struct nova_error *err) {
    int rc = NOVA_OK;
    for (uint32_t i = 0; rc == NOVA_OK && i < n; i++) {
        struct nova_inode *inode = parts[i].inode;
        if (inode->st.nlink == 0) /* released: what it gets a name for would be lost with it */
            rc = nova_fail(err, NOVA_ENOENT, "inode %u has no name any more", inode->log.ino);
        else
            rc = view_check_locked(inode, err);
    }
    if (rc != NOVA_OK)
        return rc;
    for (uint32_t i = 0; i < n; i++)
        log_begin(&b[i], &parts[i].inode->log, flags);
    for (uint32_t i = 0; rc == NOVA_OK && i < n; i++)
        rc = part_append(&parts[i], &b[i], err);
    if (rc == NOVA_OK)
        return commit_answer(parts[0].inode->pool, journal_commit(&parts[0].inode->pool->journal, b, n, err));
    journal_rollback(b, n);
    return rc;
}

/* Makes all changes, of different inodes, or none. Takes their log locks in the order of inode numbers. */
static int transact(struct part *parts, uint32_t n, unsigned flags, struct nova_error *err) {
    struct log_batch b[PARTS_MAX];
    for (uint32_t i = 1; i < n; i++) /* insertion sort */
        for (uint32_t k = i; k != 0 && parts[k].inode->log.ino < parts[k - 1].inode->log.ino; k--) {
            struct part swap = parts[k];
            parts[k] = parts[k - 1];
            parts[k - 1] = swap;
        }
    bool whole[PARTS_MAX]; /* of directories always: they have no other way to change */
    for (uint32_t i = 0; i < n; i++) {
        log_lock_owner_nth(parts[i].inode);
        whole[i] = view_is_whole_locked(parts[i].inode);
    }
    int rc = append_and_commit(parts, b, n, flags, err);
    for (uint32_t i = 0; i < n; i++) {
        struct part *p = &parts[i];
        if (rc == NOVA_OK) {
            for (uint32_t k = 0; k < p->n; k++) /* a link entry may come before what the view lacks */
                stat_apply(&p->inode->st, &p->changes[k].u.e);
            view_advance_locked(p->inode, &b[i], p->n, whole[i], p->io);
        } else if (p->io != NULL) {
            p->io->record_count = 0;
        }
    }
    for (uint32_t i = n; i-- != 0;)
        log_unlock_owner(parts[i].inode);
    return rc;
}

/* ---- create ---- */

/* The content of a new symbolic link: its target in a block, and the entry that says so in its slot. */
static void put_target(struct nova_pool *pool, const void *target, uint32_t len, uint32_t blk, uint32_t ino,
                       const struct fmt_inode *proto) {
    const struct pmem_ops *ops = pool->media.ops;
    struct fmt_entry e = fmt_blocks_entry(FMT_WRITE, 0, (struct nova_extent){blk, 1}, len, proto->btime);
    e.ino = ino;
    e.gen = proto->gen;
    e.seq = 1;
    fmt_entry_seal(&pool->media, &e);
    ops->copy(ops, media_blk(&pool->media, blk), target, len);
    ops->copy(ops, itable_slot(&pool->itable, ino)->lines, &e, sizeof e);
}

static int check_create(uint32_t type, uint32_t mode, const void *content, uint32_t content_len, struct nova_io *io) {
    int rc = NOVA_OK;
    if (type < NOVA_FILE || type > NOVA_SYMLINK)
        rc = nova_fail(&io->err, NOVA_EINVAL, "there are no inodes of type %u", type);
    if (rc == NOVA_OK && (mode & ~NOVA_MODE_BITS) != 0)
        rc = nova_fail(&io->err, NOVA_EINVAL, "mode %#o has more than permission bits", mode);
    if (rc == NOVA_OK && type == NOVA_SYMLINK &&
        (content == NULL || content_len == 0 || content_len > NOVA_SYMLINK_MAX))
        rc = nova_fail(&io->err, NOVA_EINVAL, "the target of a symbolic link has 1 to %d bytes, not %u",
                       NOVA_SYMLINK_MAX, content_len);
    if (rc == NOVA_OK && type != NOVA_SYMLINK && content_len != 0)
        rc = nova_fail(&io->err, NOVA_EINVAL, "only a symbolic link is made with its content");
    return rc;
}

int nova_create(nova_inode *dir, const char *name, uint32_t name_len, uint32_t type, uint32_t mode, uint32_t uid,
                uint32_t gid, const void *content, uint32_t content_len, struct nova_io *io) {
    struct nova_pool *pool = dir->pool;
    struct inode_table *t = &pool->itable;
    struct name own;
    int rc = check_dir(dir, io, &io->err);
    if (rc == NOVA_OK)
        rc = take_name(&own, name, name_len, &io->err);
    if (rc == NOVA_OK)
        rc = check_create(type, mode, content, content_len, io);
    if (rc != NOVA_OK)
        return rc;
    uint32_t ino;
    rc = itable_alloc(t, &ino, &io->err);
    if (rc != NOVA_OK)
        return rc;
    int64_t now = nova_now();
    struct fmt_inode proto = {.type = (uint8_t)type, .mode = mode, .uid = uid, .gid = gid, .btime = now};
    uint32_t target_blk = 0;
    if (type == NOVA_SYMLINK && (target_blk = alloc_one(pool->alloc, 0)) == 0) {
        itable_free(t, ino);
        return nova_fail(&io->err, NOVA_ENOSPC, "no space for the target of a symbolic link");
    }
    itable_init_slot(t, ino, target_blk != 0 ? 1 : 0, &proto);
    if (target_blk != 0)
        put_target(pool, content, content_len, target_blk, ino, &proto);
    struct change add;
    change_dentry(&add, FMT_DENTRY_ADD, &own, ino, proto.gen, type, now);
    struct part part = {dir, io, &add, 1};
    rc = transact(&part, 1, 0, &io->err);
    if (rc != NOVA_OK && rc != NOVA_EOS) { /* after EOS the dentry may be durable */
        if (target_blk != 0)
            give_back_blocks(pool, &(struct nova_extent){target_blk, 1}, 1);
        itable_free(t, ino);
    }
    return rc;
}

/* ---- names that there are ---- */

static int check_child(const struct nova_name *n, struct nova_error *err) {
    if (n->ino <= NOVA_ROOT_INO || n->ino >= n->dir->pool->media.inodes_max || n->gen == 0 || n->type < NOVA_FILE ||
        n->type > NOVA_SYMLINK)
        return nova_fail(err, NOVA_EINVAL, "no inode %u, generation %u, type %u, can have a name", n->ino, n->gen,
                         n->type);
    if (n->child != NULL && n->child->pool != n->dir->pool)
        return nova_fail(err, NOVA_EINVAL, "the handle is of another pool");
    if (n->child != NULL && (n->child->log.ino != n->ino || n->child->log.gen != n->gen))
        return nova_fail(err, NOVA_EINVAL, "the handle is of inode %u, generation %u, the name of %u, %u",
                         n->child->log.ino, n->child->log.gen, n->ino, n->gen);
    return NOVA_OK;
}

/* A name for an inode that is not there would make the pool unreadable. */
static int check_there(const struct nova_name *n, struct nova_error *err) {
    struct fmt_inode *slot = NULL;
    int rc = find_slot(n->dir->pool, n->ino, n->gen, &slot, err);
    if (rc == NOVA_OK && slot->type != n->type)
        rc = nova_fail(err, NOVA_EINVAL, "inode %u is not of type %u", n->ino, n->type);
    return rc;
}

/*
 * What becomes of the inode that n names when it loses this name: nothing, if that was its last one; else *c and *p are
 * set up to count its names, and *parts counts the part. ELINKED.
 */
static int lose_name(const struct nova_name *n, int64_t now, struct change *c, struct part *p, uint32_t *parts,
                     struct nova_error *err) {
    struct nova_pool *pool = n->dir->pool;
    struct fmt_inode *slot;
    struct log_end end;
    /* A slot that is damaged can lose its name all the same. */
    if (n->type == NOVA_DIR || find_slot(pool, n->ino, n->gen, &slot, NULL) != NOVA_OK ||
        !fmt_tail_get(&pool->media, n->ino, n->gen, __atomic_load_n(&slot->tail, __ATOMIC_ACQUIRE), &end) ||
        !end.linked)
        return NOVA_OK;
    if (n->child == NULL)
        return nova_fail(err, NOVA_ELINKED, "inode %u may have several names: its handle is needed", n->ino);
    log_lock_owner(n->child);
    int rc = view_check_locked(n->child, err);
    uint32_t nlink = n->child->st.nlink;
    log_unlock_owner(n->child);
    if (rc != NOVA_OK || nlink <= 1)
        return rc;
    change_link(c, nlink - 1, now);
    *p = (struct part){n->child, NULL, c, 1};
    ++*parts;
    return NOVA_OK;
}

int nova_link(nova_inode *dir, const char *name, uint32_t name_len, nova_inode *child, struct nova_io *io) {
    struct nova_stat st;
    struct name own;
    int rc = check_dir(dir, io, &io->err);
    if (rc == NOVA_OK)
        rc = take_name(&own, name, name_len, &io->err);
    if (rc == NOVA_OK && child == NULL)
        rc = nova_fail(&io->err, NOVA_EINVAL, "no inode given");
    if (rc == NOVA_OK && child->pool != dir->pool)
        rc = nova_fail(&io->err, NOVA_EINVAL, "an inode of another pool");
    if (rc != NOVA_OK)
        return rc;
    nova_inode_stat(child, &st);
    if (st.type == NOVA_DIR)
        return nova_fail(&io->err, NOVA_EISDIR, "inode %u is a directory: it has one name", st.ino);
    if (st.nlink >= NOVA_LINK_MAX)
        return nova_fail(&io->err, NOVA_EMLINK, "inode %u has %u names already", st.ino, st.nlink);
    int64_t now = nova_now();
    struct change add, count;
    change_dentry(&add, FMT_DENTRY_ADD, &own, st.ino, st.gen, st.type, now);
    change_link(&count, st.nlink + 1, now);
    struct part parts[] = {{dir, io, &add, 1}, {child, NULL, &count, 1}};
    return transact(parts, 2, 0, &io->err);
}

int nova_unlink(const struct nova_name *n) {
    struct nova_error *err = &n->io->err;
    struct name own;
    int rc = check_dir(n->dir, n->io, err);
    if (rc == NOVA_OK)
        rc = take_name(&own, n->name, n->len, err);
    if (rc == NOVA_OK)
        rc = check_child(n, err);
    int64_t now = nova_now();
    struct change remove, count;
    struct part parts[2] = {{n->dir, n->io, &remove, 1}};
    uint32_t used = 1;
    if (rc == NOVA_OK)
        rc = lose_name(n, now, &count, &parts[1], &used, err);
    if (rc != NOVA_OK)
        return rc;
    change_dentry(&remove, FMT_DENTRY_REMOVE, &own, n->ino, n->gen, n->type, now);
    return transact(parts, used, ALLOC_RESERVE, err);
}

/* What rename and exchange take and check alike: two different names, of which `from` is there. */
static int take_two(const struct nova_name *from, const struct nova_name *to, struct name own[2],
                    struct nova_error *err) {
    int rc = check_dir(from->dir, from->io, err);
    if (rc == NOVA_OK && to->dir != from->dir)
        rc = to->dir->pool == from->dir->pool ? check_dir(to->dir, to->io, err)
                                              : nova_fail(err, NOVA_EINVAL, "directories of two pools");
    if (rc == NOVA_OK && to->dir != from->dir && to->io == from->io) /* the second's records would cover the first's */
        rc = nova_fail(err, NOVA_EINVAL, "two directories need two answers");
    if (rc == NOVA_OK)
        rc = take_name(&own[0], from->name, from->len, err);
    if (rc == NOVA_OK)
        rc = take_name(&own[1], to->name, to->len, err);
    if (rc == NOVA_OK && from->dir == to->dir && own[0].len == own[1].len &&
        memcmp(own[0].bytes, own[1].bytes, own[0].len) == 0)
        rc = nova_fail(err, NOVA_EINVAL, "two names are needed");
    if (rc == NOVA_OK)
        rc = check_child(from, err);
    if (rc == NOVA_OK)
        rc = check_there(from, err);
    if (rc == NOVA_OK && from->ino == to->ino)
        rc = nova_fail(err, NOVA_EINVAL, "both names are of inode %u", to->ino);
    if (rc == NOVA_OK && to->dir->log.ino == from->ino)
        rc = nova_fail(err, NOVA_EINVAL, "a directory cannot be moved into itself");
    return rc;
}

int nova_rename(const struct nova_name *from, const struct nova_name *to) {
    struct nova_error *err = &from->io->err;
    struct name own[2];
    int rc = take_two(from, to, own, err);
    if (rc == NOVA_OK && to->ino != 0)
        rc = check_child(to, err);
    if (rc == NOVA_OK && to->ino != 0 && (from->type == NOVA_DIR) != (to->type == NOVA_DIR))
        rc = nova_fail(err, from->type == NOVA_DIR ? NOVA_ENOTDIR : NOVA_EISDIR,
                       "a directory replaces directories only, and nothing else does");
    int64_t now = nova_now();
    struct change changes[2], count;
    bool same = from->dir == to->dir;
    struct part parts[PARTS_MAX] = {{from->dir, from->io, changes, same ? 2 : 1}, {to->dir, to->io, &changes[1], 1}};
    uint32_t used = same ? 1 : 2;
    if (rc == NOVA_OK && to->ino != 0)
        rc = lose_name(to, now, &count, &parts[used], &used, err);
    if (rc != NOVA_OK)
        return rc;
    change_dentry(&changes[0], FMT_DENTRY_REMOVE, &own[0], from->ino, from->gen, from->type, now);
    change_dentry(&changes[1], FMT_DENTRY_ADD, &own[1], from->ino, from->gen, from->type, now);
    return transact(parts, used, 0, err);
}

int nova_exchange(const struct nova_name *a, const struct nova_name *b) {
    struct nova_error *err = &a->io->err;
    struct name own[2];
    int rc = take_two(a, b, own, err);
    if (rc == NOVA_OK)
        rc = check_child(b, err);
    if (rc == NOVA_OK)
        rc = check_there(b, err);
    if (rc == NOVA_OK && a->dir->log.ino == b->ino)
        rc = nova_fail(err, NOVA_EINVAL, "a directory cannot be moved into itself");
    if (rc != NOVA_OK)
        return rc;
    int64_t now = nova_now();
    struct change changes[2];
    change_dentry(&changes[0], FMT_DENTRY_ADD, &own[0], b->ino, b->gen, b->type, now);
    change_dentry(&changes[1], FMT_DENTRY_ADD, &own[1], a->ino, a->gen, a->type, now);
    bool same = a->dir == b->dir;
    struct part parts[] = {{a->dir, a->io, changes, same ? 2 : 1}, {b->dir, b->io, &changes[1], 1}};
    return transact(parts, same ? 1 : 2, 0, err);
}
