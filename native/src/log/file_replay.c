/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "log/file_replay.h"

static bool apply_range(const struct fmt_entry *e, struct block_map *map) {
    struct fmt_range_body r;
    memcpy(&r, e->payload, sizeof r);
    switch (e->kind) {
    case FMT_HOLE: block_map_unmap(map, r.pgoff, r.count, NULL, NULL); return true;
    case FMT_COLLAPSE: return block_map_collapse(map, r.pgoff, r.count, NULL, NULL);
    default: return block_map_insert(map, r.pgoff, r.count);
    }
}

bool file_apply(const struct fmt_entry *e, struct block_map *map) {
    struct fmt_write_body w;
    memcpy(&w, e->payload, sizeof w);
    switch (e->kind) {
    case FMT_TRUNCATE:
        block_map_truncate(map, (w.size + NOVA_BLOCK_SIZE - 1) >> NOVA_BLOCK_SHIFT, NULL, NULL);
        return true;
    case FMT_WRITE:
    case FMT_ALLOC: return w.count == 0 || block_map_set(map, w.pgoff, w.blk, w.count, NULL, NULL);
    case FMT_HOLE:
    case FMT_COLLAPSE:
    case FMT_INSERT: return apply_range(e, map);
    default: return true;
    }
}

const char *file_check_range(const struct log *log, const struct fmt_entry *e, uint64_t size) {
    struct fmt_range_body r;
    memcpy(&r, e->payload, sizeof r);
    uint64_t bytes = r.count << NOVA_BLOCK_SHIFT; /* at most NOVA_FILE_SIZE_MAX */
    /* The size before it, as it says itself; of an insert of more bytes than it leaves, none. */
    uint64_t before = e->kind == FMT_COLLAPSE ? r.size + bytes : e->kind == FMT_INSERT ? r.size - bytes : r.size;
    bool fits = before == size || (log->slot_cut && before > size && before <= (uint64_t)NOVA_FILE_SIZE_MAX);
    switch (e->kind) {
    case FMT_HOLE: return fits ? NULL : "a hole that changes the size";
    case FMT_COLLAPSE: return fits ? NULL : "a collapse whose sizes do not fit";
    case FMT_INSERT: return fits ? NULL : "an insert whose sizes do not fit";
    default: return NULL;
    }
}

static uint64_t size_after(const struct fmt_entry *e, uint64_t size) {
    struct fmt_write_body w;
    memcpy(&w, e->payload, sizeof w);
    return fmt_says_size(e) ? w.size : size;
}

static int apply(const struct log *log, const struct log_item *item, struct file_contents *c, uint32_t blocks_max,
                 struct nova_error *err) {
    const char *bad = file_check_range(log, item->entry, c->size);
    if (bad != NULL)
        return nova_fail_at(err, NOVA_ECORRUPT, media_off(log->m, item->entry), "log of inode %u: %s", log->ino, bad);
    c->size = size_after(item->entry, c->size);
    if (!file_apply(item->entry, &c->map) || !xattr_apply(&c->xattrs, item->entry, item->pos))
        return nova_fail(err, NOVA_ENOMEM, "no memory for the block map of inode %u", log->ino);
    if (c->map.pages > blocks_max)
        return nova_fail_at(err, NOVA_ECORRUPT, media_off(log->m, item->entry),
                            "inode %u has more blocks than the pool", log->ino);
    if (item->entry->kind == FMT_LINK) {
        struct fmt_link_body l;
        memcpy(&l, item->entry->payload, sizeof l);
        c->nlink = l.nlink;
    }
    return NOVA_OK;
}

void file_contents_free(struct file_contents *c) {
    block_map_free(&c->map);
    xattr_map_free(&c->xattrs);
}

/* What lies between the cursor and the log's tail. */
static int replay_on(const struct log *log, struct log_cursor *cur, struct file_contents *out, uint32_t blocks_max,
                     file_replay_page page, void *arg, struct nova_error *err) {
    struct log_item item;
    int rc;
    while ((rc = log_next(log, cur, &item, err)) == NOVA_OK && item.entry != NULL) {
        if (item.entered != 0 && (rc = page(arg, item.entered, err)) != NOVA_OK)
            return rc;
        rc = apply(log, &item, out, blocks_max, err);
        if (rc != NOVA_OK)
            return rc;
    }
    return rc;
}

static void contents_init(struct file_contents *c) {
    *c = (struct file_contents){.nlink = 1};
    block_map_init(&c->map);
}

int file_replay(const struct log *log, struct file_contents *out, uint32_t blocks_max, file_replay_page page, void *arg,
                struct nova_error *err) {
    struct log_cursor cur = {0};
    contents_init(out);
    return replay_on(log, &cur, out, blocks_max, page, arg, err);
}

int file_replay_adopting(struct log *log, struct file_contents *out, uint32_t blocks_max, file_replay_page page,
                         void *arg, uint8_t **torn, struct nova_error *err) {
    struct log_cursor cur = {0};
    *torn = NULL;
    contents_init(out);
    int rc = replay_on(log, &cur, out, blocks_max, page, arg, err);
    if (rc == NOVA_OK)
        rc = log_adopt(log, &cur, torn, err);
    return rc == NOVA_OK ? replay_on(log, &cur, out, blocks_max, page, arg, err) : rc;
}
