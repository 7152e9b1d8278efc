/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes: one entry each, which holds the value or names the blocks that do.
 *
 *   1. the value is copied into new blocks, or into the entry being built     - invisible: no entry names them
 *   2. entry, drain, tail, drain (log.h)                                       - all or nothing
 *   3. the blocks of the value that it replaces are freed                      - no state that a crash brings back
 * names them
 */
#include <string.h>

#include "api/handles.h"
#include "util/clock.h"

union xattr_entry {
    struct fmt_entry e;
    uint8_t bytes[FMT_ENTRY_LINES_MAX * FMT_LINE];
};

/* A value on its way into the log. */
struct value {
    union xattr_entry entry;
    struct extent_list ext; /* blocks that it takes */
};

static int check_name(const char *name, uint32_t len, struct nova_error *err) {
    if (name == NULL || len == 0 || len > NOVA_NAME_MAX)
        return nova_fail(err, NOVA_ENAME, "the name of an attribute has 1 to %d bytes, not %u", NOVA_NAME_MAX, len);
    if (memchr(name, '\0', len) != NULL)
        return nova_fail(err, NOVA_ENAME, "the name of an attribute must not hold NUL");
    return NOVA_OK;
}

/* The verified entry with a value at a place that the caller names. EINVAL, ECORRUPT. */
static int find_entry(const struct nova_inode *inode, struct log_pos at, const struct fmt_entry **out,
                      struct fmt_xattr_body *body, struct nova_error *err) {
    const struct log *log = &inode->log;
    uint32_t lines = at.blk == 0 ? FMT_INLINE_LINES : FMT_PAGE_LINES;
    if (at.idx >= lines || (at.blk != 0 && !media_is_data(log->m, at.blk, 1)))
        return nova_fail(err, NOVA_EINVAL, "line %u of block %u is no place in a log", at.idx, at.blk);
    const struct fmt_entry *e = (const struct fmt_entry *)(const void *)log_line(log, at);
    const char *bad = fmt_entry_check(log->m, e, lines - at.idx, log->ino, log->gen, log->type);
    if (bad != NULL)
        return nova_fail_at(err, NOVA_ECORRUPT, media_off(log->m, e), "attribute of inode %u: %s", log->ino, bad);
    memcpy(body, e->payload, sizeof *body);
    if (e->kind != FMT_XATTR || body->op != FMT_XATTR_SET)
        return nova_fail(err, NOVA_EINVAL, "line %u of block %u holds no attribute", at.idx, at.blk);
    *out = e;
    return NOVA_OK;
}

/* The entry of the value that `name` has, or NULL if the caller says that it has none. */
static int find_old(const struct nova_inode *inode, const char *name, uint32_t len, struct log_pos at,
                    const struct fmt_entry **old, struct nova_error *err) {
    struct fmt_xattr_body body;
    *old = NULL;
    if (at.idx == NOVA_NO_LINE)
        return NOVA_OK;
    int rc = find_entry(inode, at, old, &body, err);
    if (rc == NOVA_OK && (body.name_len != len || memcmp((const char *)*old + FMT_XATTR_NAME_OFF, name, len) != 0))
        rc = nova_fail(err, NOVA_EINVAL, "line %u of block %u holds another attribute", at.idx, at.blk);
    return rc;
}

static uint32_t extents_of(const struct fmt_entry *e, struct nova_extent ext[FMT_XATTR_EXTENTS]) {
    struct fmt_xattr_body body;
    memcpy(&body, e->payload, sizeof body);
    for (uint32_t i = 0; i < body.extents; i++)
        ext[i] = fmt_xattr_extent(e, i);
    return body.extents;
}

/* The entry with its name; `behind` are the bytes that follow it. */
static void build_entry(struct value *v, struct fmt_xattr_body *body, const char *name, const void *behind,
                        uint32_t behind_len) {
    uint32_t bytes = FMT_XATTR_NAME_OFF + body->name_len + behind_len;
    memset(&v->entry, 0, sizeof v->entry);
    v->entry.e.kind = FMT_XATTR;
    v->entry.e.lines = (uint8_t)((bytes + FMT_LINE - 1) / FMT_LINE);
    memcpy(v->entry.e.payload, body, sizeof *body);
    memcpy(v->entry.bytes + FMT_XATTR_NAME_OFF, name, body->name_len);
    if (behind_len != 0)
        memcpy(v->entry.bytes + FMT_XATTR_NAME_OFF + body->name_len, behind, behind_len);
}

/* Step 1 for a value that does not fit its entry. No lock is held: the caller's memory may fault. ENOSPC. */
static int put_value(struct nova_inode *inode, struct value *v, struct fmt_xattr_body *body, const void *value,
                     struct nova_error *err) {
    const struct media *m = &inode->pool->media;
    uint32_t blocks = (uint32_t)pages_of(body->value_len), done = 0;
    if (!alloc_blocks(inode->pool->alloc, blocks, 0, &v->ext))
        return nova_fail(err, NOVA_ENOSPC, "no space for %u blocks of an attribute of inode %u", blocks,
                         inode->log.ino);
    for (uint32_t i = 0; i < v->ext.n; i++) {
        uint32_t len = v->ext.ext[i].count * NOVA_BLOCK_SIZE;
        if (len > body->value_len - done)
            len = body->value_len - done;
        m->ops->copy(m->ops, media_blk(m, v->ext.ext[i].blk), (const uint8_t *)value + done, len);
        done += len;
    }
    /* Of what was stored: the caller's bytes might have changed since. */
    body->extents = (uint8_t)v->ext.n;
    body->value_crc = fmt_xattr_crc(m, v->ext.ext, v->ext.n, body->value_len);
    return NOVA_OK;
}

static int build_set(struct nova_inode *inode, struct value *v, const char *name, uint32_t name_len, const void *value,
                     uint32_t value_len, struct nova_error *err) {
    struct fmt_xattr_body body = {
        .ctime = nova_now(), .op = FMT_XATTR_SET, .name_len = (uint8_t)name_len, .value_len = value_len};
    if (FMT_XATTR_NAME_OFF + name_len + value_len <= FMT_ENTRY_LINES_MAX * FMT_LINE) {
        build_entry(v, &body, name, value, value_len);
        return NOVA_OK;
    }
    int rc = put_value(inode, v, &body, value, err);
    if (rc == NOVA_OK)
        build_entry(v, &body, name, v->ext.ext, body.extents * FMT_XATTR_EXTENT);
    return rc;
}

/* The entry's own copy of the name. */
static const char *name_of(const struct value *v) {
    return (const char *)v->entry.bytes + FMT_XATTR_NAME_OFF;
}

/* Commits the entry. gone: the blocks of the value that it replaces, *n extents. */
static int replace_locked(struct nova_inode *inode, struct value *v, uint32_t name_len, struct log_pos at, bool remove,
                          struct nova_extent *gone, uint32_t *n, struct nova_io *io) {
    const struct fmt_entry *old;
    int rc = view_check_locked(inode, &io->err);
    if (rc == NOVA_OK)
        rc = find_old(inode, name_of(v), name_len, at, &old, &io->err);
    if (rc != NOVA_OK)
        return rc;
    *n = old == NULL ? 0 : extents_of(old, gone);
    /* A removal that gives blocks back has the claim of a truncate that does; any other, that of one within a page. */
    unsigned flags = !remove ? 0 : *n != 0 ? ALLOC_RESERVE_MOST : ALLOC_RESERVE_HALF;
    rc = entries_commit_locked(inode, &v->entry.e, 1, flags, io);
    if (rc == NOVA_OK)
        io->size = inode->st.size;
    return rc;
}

static int replace(struct nova_inode *inode, struct value *v, uint32_t name_len, struct log_pos at, bool remove,
                   struct nova_io *io) {
    int rc = check_name(name_of(v), name_len, &io->err); /* again: the caller's memory may have changed since */
    if (rc != NOVA_OK)
        return rc;
    struct nova_extent gone[FMT_XATTR_EXTENTS];
    uint32_t n = 0;
    log_lock_owner(inode);
    rc = replace_locked(inode, v, name_len, at, remove, gone, &n, io);
    log_unlock_owner(inode);
    if (rc == NOVA_OK)
        give_back_blocks(inode->pool, gone, n);
    return rc;
}

int nova_setxattr(nova_inode *inode, const char *name, uint32_t name_len, const void *value, uint32_t value_len,
                  uint32_t old_blk, uint32_t old_idx, struct nova_io *io) {
    struct value v;
    int rc = io_begin(inode->pool, io);
    if (rc == NOVA_OK)
        rc = check_name(name, name_len, &io->err);
    if (rc == NOVA_OK && value_len > NOVA_XATTR_MAX)
        rc = nova_fail(&io->err, NOVA_EFBIG, "the value of an attribute has at most %d bytes, not %u", NOVA_XATTR_MAX,
                       value_len);
    if (rc == NOVA_OK && value == NULL && value_len != 0)
        rc = nova_fail(&io->err, NOVA_EINVAL, "no value");
    if (rc != NOVA_OK)
        return rc;
    extent_list_init(&v.ext);
    rc = build_set(inode, &v, name, name_len, value, value_len, &io->err);
    if (rc == NOVA_OK)
        rc = replace(inode, &v, name_len, (struct log_pos){old_blk, old_idx}, false, io);
    if (rc != NOVA_OK && rc != NOVA_EOS) /* after EOS the tail on the media may name them */
        give_back_blocks(inode->pool, v.ext.ext, v.ext.n);
    extent_list_free(&v.ext);
    return rc;
}

int nova_removexattr(nova_inode *inode, const char *name, uint32_t name_len, uint32_t old_blk, uint32_t old_idx,
                     struct nova_io *io) {
    struct value v;
    int rc = io_begin(inode->pool, io);
    if (rc == NOVA_OK)
        rc = check_name(name, name_len, &io->err);
    if (rc == NOVA_OK && old_idx == NOVA_NO_LINE)
        rc = nova_fail(&io->err, NOVA_EINVAL, "no place of the attribute to remove");
    if (rc != NOVA_OK)
        return rc;
    struct fmt_xattr_body body = {.ctime = nova_now(), .op = FMT_XATTR_REMOVE, .name_len = (uint8_t)name_len};
    build_entry(&v, &body, name, NULL, 0);
    return replace(inode, &v, name_len, (struct log_pos){old_blk, old_idx}, true, io);
}

int nova_xattr_read(nova_inode *inode, uint32_t log_blk, uint32_t log_idx, void *buf, uint32_t cap, uint32_t *len,
                    struct nova_error *err) {
    const struct media *m = &inode->pool->media;
    struct nova_extent ext[FMT_XATTR_EXTENTS];
    struct fmt_xattr_body body;
    const struct fmt_entry *e;
    *len = 0;
    int rc = find_entry(inode, (struct log_pos){log_blk, log_idx}, &e, &body, err);
    if (rc != NOVA_OK)
        return rc;
    *len = body.value_len;
    if (cap < body.value_len)
        return nova_fail(err, NOVA_EINVAL, "a value of %u bytes does not fit %u", body.value_len, cap);
    if (!fmt_xattr_value_ok(m, e))
        return nova_fail_at(err, NOVA_ECORRUPT, media_off(m, e), "value of an attribute of inode %u is damaged",
                            inode->log.ino);
    uint32_t n = extents_of(e, ext), done = 0;
    if (n == 0 && body.value_len != 0)
        memcpy(buf, (const char *)e + FMT_XATTR_NAME_OFF + body.name_len, body.value_len);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t bytes = ext[i].count * NOVA_BLOCK_SIZE;
        if (bytes > body.value_len - done)
            bytes = body.value_len - done;
        memcpy((uint8_t *)buf + done, media_blk(m, ext[i].blk), bytes);
        done += bytes;
    }
    return NOVA_OK;
}
