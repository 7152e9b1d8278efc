/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names: each call is one batch in the directory's log, so one tail word commits it: two drains, no journal.
 *
 * Create, and where a crash leaves it: the new inode's slot is copied (nothing refers to it), the dentry appended,
 * drain, tail, drain. Before the tail moved, the slot is one that no name reaches: recovery frees it.
 */
#include <string.h>

#include "api/handles.h"
#include "util/clock.h"

static int check_name(const char *name, uint32_t len, struct nova_error *err) {
    if (name == NULL || len == 0 || len > NOVA_NAME_MAX)
        return nova_fail(err, NOVA_ENAME, "a name has 1 to %d bytes, not %u", NOVA_NAME_MAX, len);
    if (memchr(name, '/', len) != NULL || memchr(name, '\0', len) != NULL)
        return nova_fail(err, NOVA_ENAME, "a name must not hold '/' or NUL");
    if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
        return nova_fail(err, NOVA_ENAME, "\".\" and \"..\" are no names for files");
    return NOVA_OK;
}

static int check_dir(struct nova_inode *dir, struct nova_io *io) {
    int rc = io_begin(dir->pool, io);
    if (rc == NOVA_OK && dir->log.type != NOVA_DIR)
        rc = nova_fail(&io->err, NOVA_ENOTDIR, "inode %u is not a directory", dir->log.ino);
    return rc;
}

/* A dentry with its name, as many lines as it needs. */
struct dentry {
    union {
        struct fmt_entry e;
        uint8_t lines[FMT_ENTRY_LINES_MAX][FMT_LINE];
    } u;
};

static void dentry_fill(struct dentry *d, enum fmt_kind kind, const char *name, uint32_t len, uint32_t ino,
                        uint32_t gen, uint32_t type, int64_t now) {
    struct fmt_dentry_body body = {
        .ino = ino, .gen = gen, .time = now, .type = (uint8_t)type, .name_len = (uint8_t)len};
    memset(d, 0, sizeof *d);
    d->u.e.kind = (uint8_t)kind;
    d->u.e.lines = (uint8_t)((FMT_DENTRY_NAME_OFF + len + FMT_LINE - 1) / FMT_LINE);
    memcpy(d->u.e.payload, &body, sizeof body);
    memcpy((char *)d + FMT_DENTRY_NAME_OFF, name, len);
}

/* Appends n dentries to the directory's log and commits them together. */
static int update(struct nova_inode *dir, struct dentry *d, uint32_t n, unsigned flags, struct nova_io *io) {
    struct log_batch b;
    uint32_t records = 0;
    log_lock_owner(dir);
    int rc = view_check_locked(dir, &io->err);
    if (rc == NOVA_OK) {
        log_begin(&b, &dir->log, flags);
        for (uint32_t i = 0; rc == NOVA_OK && i < n; i++) {
            rc = log_append(&b, &d[i].u.e, &io->err);
            if (rc == NOVA_OK) {
                record_fill(&io->records[records], &d[i].u.e, b.at);
                records += io->records[records].lines;
            }
        }
        if (rc == NOVA_OK)
            rc = log_commit(&b, &io->err);
        else
            log_rollback(&b);
    }
    if (rc == NOVA_OK) {
        io->record_count = records;
        stat_apply(&dir->st, &d[n - 1].u.e);
        view_advance_locked(dir, &b, n, io);
    }
    log_unlock_owner(dir);
    return rc;
}

static_assert(2 * NOVA_RECORDS_MAX <= NOVA_IO_RECORDS, "the records of a rename fit one answer");

int nova_create(nova_inode *dir, const char *name, uint32_t name_len, uint32_t type, uint32_t mode, uint32_t uid,
                uint32_t gid, struct nova_io *io) {
    struct inode_table *t = &dir->pool->itable;
    int rc = check_dir(dir, io);
    if (rc == NOVA_OK)
        rc = check_name(name, name_len, &io->err);
    if (rc == NOVA_OK && type != NOVA_FILE)
        rc = nova_fail(&io->err, NOVA_EINVAL, "inodes of type %u cannot be made by this version", type);
    if (rc != NOVA_OK)
        return rc;
    uint32_t ino;
    rc = itable_alloc(t, &ino, &io->err);
    if (rc != NOVA_OK)
        return rc;
    int64_t now = nova_now();
    struct fmt_inode proto = {.type = (uint8_t)type, .mode = mode, .uid = uid, .gid = gid, .btime = now};
    struct dentry d;
    itable_init_slot(t, ino, &proto);
    dentry_fill(&d, FMT_DENTRY_ADD, name, name_len, ino, proto.gen, type, now);
    rc = update(dir, &d, 1, 0, io);
    if (rc != NOVA_OK && rc != NOVA_EOS) /* after EOS the dentry may be durable */
        itable_free(t, ino);
    return rc;
}

int nova_unlink(nova_inode *dir, const char *name, uint32_t name_len, uint32_t ino, uint32_t gen, struct nova_io *io) {
    int rc = check_dir(dir, io);
    if (rc == NOVA_OK)
        rc = check_name(name, name_len, &io->err);
    if (rc == NOVA_OK && (ino <= NOVA_ROOT_INO || ino >= dir->pool->media.inodes_max || gen == 0))
        rc = nova_fail(&io->err, NOVA_EINVAL, "no inode %u, generation %u, can have a name", ino, gen);
    if (rc != NOVA_OK)
        return rc;
    struct dentry d;
    dentry_fill(&d, FMT_DENTRY_REMOVE, name, name_len, ino, gen, NOVA_FILE, nova_now());
    return update(dir, &d, 1, ALLOC_RESERVE, io);
}

int nova_rename(nova_inode *dir, const char *from, uint32_t from_len, const char *to, uint32_t to_len, uint32_t ino,
                uint32_t gen, uint32_t type, struct nova_io *io) {
    int rc = check_dir(dir, io);
    if (rc == NOVA_OK)
        rc = check_name(from, from_len, &io->err);
    if (rc == NOVA_OK)
        rc = check_name(to, to_len, &io->err);
    if (rc == NOVA_OK && (ino <= NOVA_ROOT_INO || ino >= dir->pool->media.inodes_max || gen == 0 || type < NOVA_FILE ||
                          type > NOVA_SYMLINK))
        rc = nova_fail(&io->err, NOVA_EINVAL, "no inode %u, generation %u, type %u, can have a name", ino, gen, type);
    if (rc == NOVA_OK && from_len == to_len && memcmp(from, to, to_len) == 0)
        rc = nova_fail(&io->err, NOVA_EINVAL, "a rename needs two names");
    struct fmt_inode *slot = NULL; /* a name for an inode that is not there would make the pool unreadable */
    if (rc == NOVA_OK)
        rc = find_slot(dir->pool, ino, gen, &slot, &io->err);
    if (rc == NOVA_OK && slot->type != type)
        rc = nova_fail(&io->err, NOVA_EINVAL, "inode %u is not of type %u", ino, type);
    if (rc != NOVA_OK)
        return rc;
    int64_t now = nova_now();
    struct dentry d[2];
    dentry_fill(&d[0], FMT_DENTRY_REMOVE, from, from_len, ino, gen, type, now);
    dentry_fill(&d[1], FMT_DENTRY_ADD, to, to_len, ino, gen, type, now);
    return update(dir, d, 2, 0, io);
}
