/* SPDX-License-Identifier: Apache-2.0 */
/* nova_dump(): one inode and its log, readable. */
#include <stdio.h>
#include <string.h>

#include "check/inspect.h"
#include "check/text.h"
#include "log/log.h"
#include "recovery/pool_state.h"

static const char *type_name(unsigned type) {
    return type == NOVA_FILE      ? "file"
           : type == NOVA_DIR     ? "directory"
           : type == NOVA_SYMLINK ? "symlink"
                                  : "unknown type";
}

static const char *kind_name(unsigned kind) {
    switch (kind) {
    case FMT_WRITE: return "write";
    case FMT_TRUNCATE: return "truncate";
    case FMT_SETATTR: return "setattr";
    case FMT_DENTRY_ADD: return "add";
    case FMT_DENTRY_REMOVE: return "remove";
    case FMT_PAD: return "padding";
    case FMT_LINK: return "link";
    case FMT_HOLE: return "hole";
    case FMT_COLLAPSE: return "collapse";
    case FMT_INSERT: return "insert";
    case FMT_ALLOC: return "alloc";
    case FMT_XATTR: return "xattr";
    default: return "?";
    }
}

/* ---- the slot ---- */

static void dump_pos(struct text *t, struct log_pos pos) {
    if (pos.blk == 0)
        text_add(t, "line %u of the slot", pos.idx);
    else
        text_add(t, "line %u of block %u", pos.idx, pos.blk);
}

static void dump_slot(struct text *t, const struct media *m, const struct fmt_inode *slot, uint32_t ino) {
    bool ok = fmt_inode_ok(m, slot, ino);
    struct log_end end = {{0, 0}, false};
    uint32_t head;
    text_add(t, "inode %u, slot at byte %llu: %s\n", ino, (unsigned long long)media_off(m, slot),
             ok ? "checksum good" : "DAMAGED; what follows is what it says");
    text_add(t, "  %-11s%u\n  %-11s%s\n  %-11s%04o\n  %-11suid %u, gid %u\n  %-11s", "generation", slot->gen, "type",
             type_name(slot->type), "mode", slot->mode, "owner", slot->uid, slot->gid, "created");
    text_time(t, slot->btime);
    text_add(t, "\n  %-11s", "tail");
    if (slot->tail == 0)
        text_add(t, "0: the slot is free");
    else if (!fmt_tail_get(m, ino, slot->gen, slot->tail, &end))
        text_add(t, "DAMAGED (%016llx)", (unsigned long long)slot->tail);
    else
        dump_pos(t, end.pos);
    if (end.linked)
        text_add(t, ", with link entries before it");
    text_add(t, "\n  %-11s", "head");
    if (slot->tail != 0 && end.pos.blk == 0)
        text_add(t, "not in use: the log fits the slot\n");
    else if (fmt_ptr_get(m, FMT_TAG_HEAD, ino, slot->gen, 0, slot->head, &head))
        text_add(t, "block %u\n", head);
    else if (fmt_ptr_get(m, FMT_TAG_FIRST, ino, slot->gen, 0, slot->head, &head))
        text_add(t, "block %u, where the log begins: the slot's lines are not part of it\n", head);
    else
        text_add(t, "DAMAGED (%016llx)\n", (unsigned long long)slot->head);
}

/* ---- entries ---- */

static void dump_write(struct text *t, const struct fmt_entry *e) {
    struct fmt_write_body w;
    memcpy(&w, e->payload, sizeof w);
    char pages[80] = "";
    if (w.count != 0)
        (void)snprintf(pages, sizeof pages, "pages %llu+%u = blocks %u+%u", (unsigned long long)w.pgoff, w.count, w.blk,
                       w.count);
    text_add(t, "%-40s size %-12llu ", e->kind == FMT_TRUNCATE || w.count != 0 ? pages : "in place",
             (unsigned long long)w.size);
    text_time(t, w.mtime);
    if (w.data_len != 0)
        text_add(t, ", certifies %u bytes", w.data_len);
}

static void dump_range(struct text *t, const struct fmt_entry *e) {
    struct fmt_range_body r;
    char pages[80];
    memcpy(&r, e->payload, sizeof r);
    (void)snprintf(pages, sizeof pages, "pages %llu+%llu", (unsigned long long)r.pgoff, (unsigned long long)r.count);
    text_add(t, "%-40s size %-12llu ", pages, (unsigned long long)r.size);
    text_time(t, r.mtime);
}

static void dump_setattr(struct text *t, const struct fmt_entry *e) {
    struct fmt_setattr_body a;
    memcpy(&a, e->payload, sizeof a);
    const struct {
        uint32_t bit;
        const char *name;
        int64_t time;
    } times[] = {{NOVA_ATTR_BTIME, " btime ", a.atime},
                 {NOVA_ATTR_ATIME, " atime ", a.atime},
                 {NOVA_ATTR_MTIME, " mtime ", a.mtime},
                 {NOVA_ATTR_CTIME, " ctime ", a.ctime}};
    if (a.mask & NOVA_ATTR_MODE)
        text_add(t, " mode %04o", a.mode);
    if (a.mask & NOVA_ATTR_UID)
        text_add(t, " uid %u", a.uid);
    if (a.mask & NOVA_ATTR_GID)
        text_add(t, " gid %u", a.gid);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        if (a.mask & times[i].bit) {
            text_add(t, "%s", times[i].name);
            text_time(t, times[i].time);
        }
    }
}

static void dump_link(struct text *t, const struct fmt_entry *e) {
    struct fmt_link_body l;
    char what[80];
    memcpy(&l, e->payload, sizeof l);
    (void)snprintf(what, sizeof what, "%u names", l.nlink);
    text_add(t, "%-40s ", what);
    text_time(t, l.ctime);
}

static void dump_xattr(struct text *t, const struct media *m, const struct fmt_entry *e) {
    struct fmt_xattr_body x;
    char what[80] = "removed";
    memcpy(&x, e->payload, sizeof x);
    if (x.op == FMT_XATTR_SET)
        (void)snprintf(what, sizeof what, "%u bytes in %u extents", x.value_len, x.extents);
    text_add(t, "%-40s ", what);
    text_time(t, x.ctime);
    text_add(t, " ");
    text_bytes(t, (const char *)e + FMT_XATTR_NAME_OFF, x.name_len);
    for (uint32_t i = 0; i < x.extents; i++) {
        struct nova_extent ext = fmt_xattr_extent(e, i);
        text_add(t, "%s%u+%u", i == 0 ? " blocks " : ", ", ext.blk, ext.count);
    }
    if (!fmt_xattr_value_ok(m, e)) /* blocks of a value that was replaced hold what came later */
        text_add(t, " (replaced, or DAMAGED)");
}

static void dump_dentry(struct text *t, const struct fmt_entry *e) {
    struct fmt_dentry_body d;
    char what[80];
    memcpy(&d, e->payload, sizeof d);
    (void)snprintf(what, sizeof what, "inode %u.%u (%s)", d.ino, d.gen, type_name(d.type));
    text_add(t, "%-40s ", what);
    text_time(t, d.time);
    text_add(t, " ");
    text_bytes(t, (const char *)e + FMT_DENTRY_NAME_OFF, d.name_len);
}

static void dump_entry(struct text *t, const struct media *m, const struct fmt_entry *e, struct log_pos pos) {
    char at[32];
    if (pos.blk == 0)
        (void)snprintf(at, sizeof at, "slot:%u", pos.idx);
    else
        (void)snprintf(at, sizeof at, "%u:%u", pos.blk, pos.idx);
    text_add(t, "  %-14s %8llu  %-8s  good  ", at, (unsigned long long)e->seq, kind_name(e->kind));
    switch (e->kind) {
    case FMT_WRITE:
    case FMT_ALLOC:
    case FMT_TRUNCATE: dump_write(t, e); break;
    case FMT_HOLE:
    case FMT_COLLAPSE:
    case FMT_INSERT: dump_range(t, e); break;
    case FMT_SETATTR: dump_setattr(t, e); break;
    case FMT_LINK: dump_link(t, e); break;
    case FMT_XATTR: dump_xattr(t, m, e); break;
    default: dump_dentry(t, e);
    }
    text_add(t, "\n");
}

static int dump_to_tail(struct text *t, const struct log *log, struct log_cursor *cur, struct nova_error *err) {
    struct log_item item;
    int rc;
    while ((rc = log_next(log, cur, &item, err)) == NOVA_OK && item.entry != NULL) {
        if (item.entered != 0)
            text_add(t, "  log page %u: page tail good\n", item.entered);
        dump_entry(t, log->m, item.entry, item.pos);
    }
    return rc;
}

/* What recovery will take in, as it does. */
static int dump_behind_tail(struct text *t, struct log *log, struct log_cursor *cur, struct nova_error *err) {
    struct pool_state state;
    struct log_pos tail = log->tail;
    uint8_t *torn;
    pool_state_read(log->m, &state);
    if (state.clean || log->type != NOVA_FILE)
        return NOVA_OK;
    int rc = log_adopt(log, cur, &torn, err);
    if (rc == NOVA_OK && log->tail.idx != tail.idx) {
        text_add(t, "  behind the tail:\n");
        rc = dump_to_tail(t, log, cur, err);
    }
    if (rc == NOVA_OK && torn != NULL)
        text_add(t, "  behind that: an entry whose bytes are not there\n");
    return rc;
}

static void dump_log(struct text *t, const struct media *m, struct fmt_inode *slot) {
    struct log log;
    struct log_cursor cur = {0};
    struct nova_error err;
    int rc = log_open(&log, m, NULL, slot, &err);
    text_add(t, "  %-14s %8s  %-8s  %s\n", "block:line", "sequence", "entry", "checksum and contents");
    if (rc == NOVA_OK)
        rc = dump_to_tail(t, &log, &cur, &err);
    if (rc == NOVA_OK)
        rc = dump_behind_tail(t, &log, &cur, &err);
    if (rc == NOVA_OK)
        text_add(t, "  end: %llu entries, %u log pages\n", (unsigned long long)cur.entries, cur.pages);
    else
        text_add(t, "  DAMAGED at byte %llu: %s\n", (unsigned long long)err.pool_off, err.msg);
}

/* ---- names ---- */

/* What a directory last says of a name, as far as its log can be read. */
static int find_name(const struct inspect *in, uint32_t dir, const char *name, size_t len, uint32_t *ino, uint32_t *gen,
                     struct nova_error *err) {
    struct fmt_inode *slot = inspect_slot(in, dir);
    struct log log;
    struct log_cursor cur = {0};
    struct log_item item;
    *ino = 0;
    if (slot == NULL || !fmt_inode_ok(&in->m, slot, dir))
        return nova_fail(err, NOVA_ECORRUPT, "the slot of directory %u is damaged", dir);
    if (slot->type != NOVA_DIR)
        return nova_fail(err, NOVA_ENOTDIR, "inode %u is not a directory", dir);
    int rc = log_open(&log, &in->m, NULL, slot, err);
    while (rc == NOVA_OK && (rc = log_next(&log, &cur, &item, err)) == NOVA_OK && item.entry != NULL) {
        struct fmt_dentry_body d;
        memcpy(&d, item.entry->payload, sizeof d);
        bool add = item.entry->kind == FMT_DENTRY_ADD;
        if ((add || item.entry->kind == FMT_DENTRY_REMOVE) && d.name_len == len &&
            memcmp((const char *)item.entry + FMT_DENTRY_NAME_OFF, name, len) == 0) {
            *ino = add ? d.ino : 0;
            *gen = d.gen;
        }
    }
    if (*ino != 0)
        return NOVA_OK;
    return rc != NOVA_OK ? rc : nova_fail(err, NOVA_ENOENT, "there is no such name");
}

/* Follows a path from the root directory; symbolic links are not followed. */
static int find_path(const struct inspect *in, const char *path, uint32_t *ino, uint32_t *gen, struct nova_error *err) {
    *ino = NOVA_ROOT_INO;
    *gen = 0;
    int rc = NOVA_OK;
    while (rc == NOVA_OK && *path != '\0') {
        size_t len = strcspn(path, "/");
        uint32_t dir = *ino;
        if (len != 0)
            rc = find_name(in, dir, path, len, ino, gen, err);
        path += len;
        path += *path == '/';
    }
    return rc;
}

int nova_dump(const char *path, const char *what, char *report, size_t cap, size_t *needed, struct nova_error *err) {
    struct inspect in;
    struct text t = {0};
    uint32_t ino = NOVA_ROOT_INO, gen = 0;
    if (needed != NULL)
        *needed = 0;
    if (report != NULL && cap != 0)
        report[0] = '\0';
    int rc = inspect_open(&in, path, err);
    if (rc != NOVA_OK)
        return rc;
    if (what != NULL)
        rc = find_path(&in, what, &ino, &gen, err);
    struct fmt_inode *slot = rc == NOVA_OK ? inspect_slot(&in, ino) : NULL;
    if (rc == NOVA_OK && slot == NULL)
        rc = nova_fail(err, NOVA_ECORRUPT, "inode %u has no slot", ino);
    if (rc == NOVA_OK) {
        dump_slot(&t, &in.m, slot, ino);
        if (gen != 0 && slot->gen != gen)
            text_add(&t, "  DAMAGED: the name refers to generation %u\n", gen);
        if (fmt_inode_ok(&in.m, slot, ino))
            dump_log(&t, &in.m, slot);
        if (t.oom)
            rc = nova_fail(err, NOVA_ENOMEM, "no memory for the report");
        else
            text_out(&t, report, cap, needed);
    }
    text_free(&t);
    inspect_close(&in);
    return rc;
}
