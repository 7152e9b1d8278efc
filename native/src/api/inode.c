/* SPDX-License-Identifier: Apache-2.0 */
/* Open inodes: handles, replay, release. */
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "log/file_replay.h"

/* ---- handles ---- */

struct nova_inode **open_entry_locked(struct nova_pool *pool, uint32_t ino) {
    struct nova_inode **chunk = pool->open[ino / OPEN_CHUNK];
    return chunk == NULL ? NULL : &chunk[ino % OPEN_CHUNK];
}

int find_slot(struct nova_pool *pool, uint32_t ino, uint32_t gen, struct fmt_inode **out, struct nova_error *err) {
    struct fmt_inode *slot = itable_slot(&pool->itable, ino);
    if (slot == NULL || !itable_is_used(&pool->itable, ino))
        return nova_fail(err, NOVA_ENOENT, "inode %u does not exist", ino);
    if (!fmt_inode_ok(&pool->media, slot, ino))
        return nova_fail_at(err, NOVA_ECORRUPT, media_off(&pool->media, slot), "slot of inode %u is damaged", ino);
    if (gen != 0 && slot->gen != gen)
        return nova_fail(err, NOVA_ENOENT, "inode %u, generation %u, does not exist any more", ino, gen);
    *out = slot;
    return NOVA_OK;
}

static int handle_new(struct nova_pool *pool, uint32_t ino, uint32_t gen, struct nova_inode **out,
                      struct nova_error *err) {
    struct fmt_inode *slot;
    int rc = find_slot(pool, ino, gen, &slot, err);
    if (rc != NOVA_OK)
        return rc;
    struct nova_inode *inode = calloc(1, sizeof *inode);
    if (inode == NULL)
        return nova_fail(err, NOVA_ENOMEM, "no memory to open inode %u", ino);
    rc = log_open(&inode->log, &pool->media, pool->alloc, slot, err);
    if (rc != NOVA_OK) {
        free(inode);
        return rc;
    }
    inode->pool = pool;
    biased_lock_init(&inode->log_lock, &pool->counts.log_lock_waits);
    inode->st = stat_created(slot);
    *out = inode;
    return NOVA_OK;
}

int nova_inode_open(nova_pool *pool, uint32_t ino, uint32_t gen, nova_inode **out, struct nova_error *err) {
    *out = NULL;
    if (ino == 0 || ino >= pool->media.inodes_max)
        return nova_fail(err, NOVA_ENOENT, "inode %u does not exist", ino);
    int rc = NOVA_OK;
    ranked_lock(&pool->open_lock, RANK_OPEN);
    struct nova_inode ***chunk = &pool->open[ino / OPEN_CHUNK];
    if (*chunk == NULL)
        *chunk = calloc(OPEN_CHUNK, sizeof **chunk);
    if (*chunk == NULL)
        rc = nova_fail(err, NOVA_ENOMEM, "no memory to open inode %u", ino);
    else if ((*chunk)[ino % OPEN_CHUNK] != NULL)
        rc = nova_fail(err, NOVA_EBUSY, "inode %u is open already", ino);
    else
        rc = handle_new(pool, ino, gen, &(*chunk)[ino % OPEN_CHUNK], err);
    if (rc == NOVA_OK)
        *out = (*chunk)[ino % OPEN_CHUNK];
    ranked_unlock(&pool->open_lock, RANK_OPEN);
    return rc;
}

int nova_inode_close(nova_inode *inode, struct nova_error *err) {
    if (inode == NULL)
        return NOVA_OK;
    struct nova_pool *pool = inode->pool;
    uint32_t ino = inode->log.ino, gen = inode->log.gen;
    file_map_delete(inode->map); /* nothing is stored to its blocks, or appended to its log, from now on */
    int settled = inode->released ? NOVA_OK : commit_answer(pool, log_settle(&inode->log, err));
    ranked_lock(&pool->open_lock, RANK_OPEN);
    struct nova_inode **entry = open_entry_locked(pool, ino);
    if (entry != NULL)
        *entry = NULL;
    bool released = inode->released;
    ranked_unlock(&pool->open_lock, RANK_OPEN);
    biased_lock_destroy(&inode->log_lock);
    free(inode);
    return released ? inode_reclaim(pool, ino, gen, err) : settled;
}

int nova_inode_stat(nova_inode *inode, struct nova_stat *st) {
    log_lock_guest(inode);
    *st = inode->st;
    st->log_pages = inode->cursor.pages;
    st->entries = inode->cursor.entries;
    log_unlock_guest(inode);
    return NOVA_OK;
}

/* ---- the caller's view of the log ---- */

int nova_replay(nova_inode *inode, struct nova_record *out, uint32_t cap, struct nova_io *io) {
    io->record_count = 0;
    io->more = 0;
    if (out == NULL || cap < NOVA_RECORDS_MAX)
        return nova_fail(&io->err, NOVA_EINVAL, "replay needs room for %u records", NOVA_RECORDS_MAX);
    int rc = NOVA_OK;
    uint32_t n = 0;
    log_lock_owner(inode);
    while (cap - n >= NOVA_RECORDS_MAX) {
        struct log_item item;
        rc = log_next(&inode->log, &inode->cursor, &item, &io->err);
        if (rc != NOVA_OK || item.entry == NULL)
            break;
        record_fill(&out[n], item.entry, item.pos);
        stat_apply(&inode->st, item.entry);
        n += out[n].lines;
    }
    bool at_end = view_is_whole_locked(inode);
    if (at_end)
        inode->log.seq = inode->cursor.seq;
    if (at_end && inode->map != NULL)
        inode->map->unseen = 0;
    io->size = inode->st.size;
    log_unlock_owner(inode);
    io->record_count = n;
    io->more = rc == NOVA_OK && !at_end;
    return rc;
}

int view_whole_locked(struct nova_inode *inode, struct nova_error *err) {
    if (view_is_whole_locked(inode))
        return NOVA_OK;
    return nova_fail(err, NOVA_ESTALE, "inode %u: its log must be replayed to the end before it is written",
                     inode->log.ino);
}

int view_check_locked(struct nova_inode *inode, struct nova_error *err) {
    if (inode->map == NULL)
        return view_whole_locked(inode, err);
    if (inode->map->failed)
        return nova_fail(err, NOVA_ENOMEM, "inode %u was mapped, and memory ran out; close it and open it again",
                         inode->log.ino);
    return NOVA_OK;
}

void view_advance_locked(struct nova_inode *inode, const struct log_batch *b, uint64_t entries, bool whole,
                         struct nova_io *io) {
    if (io != NULL && io->more != 0) {
        io->record_count = 0;
    } else if (whole) {
        inode->cursor.pos = inode->log.tail;
        inode->cursor.seq = inode->log.seq;
        inode->cursor.entries += entries;
        inode->cursor.pages = b->in_slot ? 0 : inode->cursor.pages + b->new_pages;
        if (inode->map != NULL)
            inode->map->unseen = 0;
    }
    if (inode->map != NULL) {
        if (b->in_slot)
            inode->map->cursor.pos = (struct log_pos){0, 0};
        file_map_follow_locked(inode->map);
    }
}

static struct fmt_entry *next_entry(struct fmt_entry *e) {
    return (struct fmt_entry *)(void *)((uint8_t *)e + (size_t)e->lines * FMT_LINE);
}

int entries_commit_locked(struct nova_inode *inode, struct fmt_entry *e, uint32_t n, unsigned flags,
                          struct nova_io *io) {
    struct log_batch b;
    log_begin(&b, &inode->log, flags);
    return batch_commit_locked(inode, &b, e, n, io);
}

int batch_commit_locked(struct nova_inode *inode, struct log_batch *b, struct fmt_entry *e, uint32_t n,
                        struct nova_io *io) {
    struct fmt_entry *at = e;
    int rc = NOVA_OK;
    bool whole = view_is_whole_locked(inode);
    io->more = !whole; /* then replay brings all of them, in order */
    for (uint32_t i = 0; rc == NOVA_OK && i < n; i++, at = next_entry(at)) {
        rc = log_append(b, at, &io->err);
        io->more = io->more || NOVA_IO_RECORDS - io->record_count < NOVA_RECORDS_MAX;
        if (rc == NOVA_OK && io->more == 0) {
            record_fill(&io->records[io->record_count], at, b->at);
            io->record_count += io->records[io->record_count].lines;
        }
    }
    if (rc == NOVA_OK)
        rc = commit_answer(inode->pool, log_commit(b, &io->err));
    else
        log_rollback(b);
    if (rc != NOVA_OK) {
        io->record_count = io->more = 0;
        return rc;
    }
    if (io->more == 0) { /* else replay applies them */
        at = e;
        for (uint32_t i = 0; i < n; i++, at = next_entry(at))
            stat_apply(&inode->st, at);
    }
    view_advance_locked(inode, b, n, whole, io);
    return NOVA_OK;
}

int io_begin(struct nova_pool *pool, struct nova_io *io) {
    io->record_count = 0;
    io->more = 0;
    uint32_t n = io->free_count;
    io->free_count = 0;
    if (n == 0)
        return NOVA_OK;
    if (n > NOVA_IO_FREES)
        return nova_fail(&io->err, NOVA_EINVAL, "%u extents to free; at most %u fit", n, (uint32_t)NOVA_IO_FREES);
    return nova_free(pool, io->frees, n, &io->err);
}

/* ---- release ---- */

void give_back_blocks(struct nova_pool *pool, const struct nova_extent *ext, uint32_t n) {
    if (!alloc_free_all(pool->alloc, ext, n)) /* the next open scans, and says what is wrong */
        __atomic_store_n(&pool->leaked, 1, __ATOMIC_RELAXED);
    if (n != 0)
        file_map_space();
}

struct reclaim {
    struct allocator *a;
    bool ok;
};

static void reclaim_block(void *arg, uint64_t pgoff, uint32_t blk) {
    struct reclaim *r = arg;
    (void)pgoff;
    r->ok = alloc_free(r->a, blk, 1) && r->ok;
}

static bool reclaim_value(void *arg, struct nova_extent ext) {
    struct reclaim *r = arg;
    r->ok = alloc_free(r->a, ext.blk, ext.count) && r->ok;
    return true;
}

static int reclaim_page(void *arg, uint32_t blk, struct nova_error *err) {
    return extent_list_add(arg, blk, 1) ? NOVA_OK : nova_fail(err, NOVA_ENOMEM, "no memory for a list of log pages");
}

/*
 * The name is durably gone, so nothing reaches the inode: its space may be reused at once, in any order. The slot's
 * tail word is cleared on the way for the sake of fsck and of a quicker recovery.
 */
int inode_reclaim(struct nova_pool *pool, uint32_t ino, uint32_t gen, struct nova_error *err) {
    struct fmt_inode *slot;
    struct log log;
    int rc = find_slot(pool, ino, gen, &slot, err);
    if (rc == NOVA_OK)
        rc = log_open(&log, &pool->media, pool->alloc, slot, err);
    if (rc == NOVA_ENOENT)
        return rc;
    struct file_contents c = {0};
    struct extent_list pages;
    extent_list_init(&pages);
    if (rc == NOVA_OK)
        rc = file_replay(&log, &c, alloc_total(pool->alloc), reclaim_page, &pages, err);
    struct reclaim r = {.a = pool->alloc, .ok = true};
    if (rc == NOVA_OK) {
        block_map_each(&c.map, reclaim_block, &r);
        xattr_map_extents(&c.xattrs, &log, reclaim_value, &r); /* before the log's pages go, which name them */
        r.ok = alloc_free_all(pool->alloc, pages.ext, pages.n) && r.ok;
        for (uint32_t i = 0; i < pages.n; i++)
            work_count(&pool->counts.log_pages_freed, pages.ext[i].count);
        itable_free(&pool->itable, ino);
        if (!r.ok)
            rc = nova_fail_at(err, NOVA_ECORRUPT, media_off(&pool->media, slot), "inode %u held blocks that are free",
                              ino);
    }
    file_contents_free(&c);
    extent_list_free(&pages);
    file_map_space();
    if (rc != NOVA_OK) /* the next open scans and finds the space again */
        __atomic_store_n(&pool->leaked, 1, __ATOMIC_RELAXED);
    return rc;
}

int nova_inode_release(nova_pool *pool, uint32_t ino, uint32_t gen, struct nova_error *err) {
    if (ino <= NOVA_ROOT_INO || ino >= pool->media.inodes_max)
        return nova_fail(err, NOVA_ENOENT, "inode %u cannot be released", ino);
    ranked_lock(&pool->open_lock, RANK_OPEN);
    struct nova_inode **entry = open_entry_locked(pool, ino);
    bool open = entry != NULL && *entry != NULL && (gen == 0 || (*entry)->log.gen == gen);
    if (open) {
        (*entry)->released = true;
        log_lock_guest(*entry);
        (*entry)->st.nlink = 0;
        log_unlock_guest(*entry);
    }
    ranked_unlock(&pool->open_lock, RANK_OPEN);
    return open ? NOVA_OK : inode_reclaim(pool, ino, gen, err);
}
