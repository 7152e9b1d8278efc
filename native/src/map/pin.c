/* SPDX-License-Identifier: Apache-2.0 */
#include "map/pin.h"

#include <pthread.h>
#include <stdlib.h>

#include "map/map_internal.h"
#include "pmem/pool_lock.h"
#include "util/error.h"

#define BLK ((uint64_t)NOVA_BLOCK_SIZE)

struct nova_pinned {
    struct nova_pinned *next; /* guarded by the lock of pins */
    struct pool_lock *lock;
    struct allocator *a; /* that holds the extent; NULL while the pool is closed. Guarded by the lock, too */
    struct nova_extent ext;
};

/* All there are, of all pools. */
static struct {
    pthread_mutex_t lock;
    struct nova_pinned *first;
} pins = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- life ---- */

/* The pool may be another one: files can be overwritten, whatever is locked. */
static int attach_locked(struct nova_pinned *p, const struct media *m, struct allocator *a, struct nova_error *err) {
    if (!media_is_data(m, p->ext.blk, p->ext.count))
        return nova_fail(err, NOVA_EBUSY,
                         "blocks %u+%u, outside the pool's data area, are pinned in what the file was before; release "
                         "the buffers over them first",
                         p->ext.blk, p->ext.count);
    if (!alloc_hold(a, p->ext.blk, p->ext.count))
        return nova_fail(err, NOVA_ENOMEM, "no memory to hold pinned blocks");
    p->a = a;
    return NOVA_OK;
}

int pins_attach(const struct pool_file *pool, const struct media *m, struct allocator *a, struct nova_error *err) {
    int rc = NOVA_OK;
    ranked_lock(&pins.lock, RANK_PINS);
    for (struct nova_pinned *p = pins.first; rc == NOVA_OK && p != NULL; p = p->next)
        if (p->a == NULL && pool_lock_is_of(p->lock, pool->fd))
            rc = attach_locked(p, m, a, err);
    ranked_unlock(&pins.lock, RANK_PINS);
    if (rc != NOVA_OK)
        pins_detach(a);
    return rc;
}

void pins_detach(struct allocator *a) {
    ranked_lock(&pins.lock, RANK_PINS);
    for (struct nova_pinned *p = pins.first; p != NULL; p = p->next)
        if (p->a == a)
            p->a = NULL;
    ranked_unlock(&pins.lock, RANK_PINS);
}

/* The caller holds logLock: the blocks are the file's, so that nobody frees them meanwhile. */
static bool enter_locked(struct nova_pinned *p, struct allocator *a, struct nova_extent ext) {
    ranked_lock(&pins.lock, RANK_PINS);
    bool ok = alloc_hold(a, ext.blk, ext.count);
    if (ok) {
        p->a = a;
        p->ext = ext;
        p->next = pins.first;
        pins.first = p;
    }
    ranked_unlock(&pins.lock, RANK_PINS);
    return ok;
}

void nova_unpin(nova_pinned *p) {
    if (p == NULL)
        return;
    ranked_lock(&pins.lock, RANK_PINS);
    struct nova_pinned **at = &pins.first;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    bool freed = p->a != NULL;
    if (freed)
        alloc_release(p->a, p->ext.blk, p->ext.count);
    ranked_unlock(&pins.lock, RANK_PINS);
    pool_lock_drop(p->lock);
    free(p);
    if (freed)
        file_map_space();
}

bool file_map_is_pinned_locked(const struct file_map *f, uint64_t pgoff, uint64_t n) {
    bool pinned = false;
    uint32_t blk;
    for (uint64_t i = 0, run; !pinned && i < n && alloc_has_holds(f->a); i += run) {
        run = map_run(f, pgoff + i, n - i < UINT32_MAX ? n - i : UINT32_MAX, &blk);
        pinned = blk != 0 && alloc_is_held(f->a, blk, (uint32_t)run);
    }
    return pinned;
}

/* ---- bringing pages together ---- */

/* Page pgoff + i is to have block base + i. */
struct row {
    uint64_t pgoff;
    uint32_t n, base;
};

static bool in_place(const struct file_map *f, const struct row *row, uint32_t i) {
    return file_map_block(f, row->pgoff + i) == row->base + i;
}

/* How many of the pages [i, end) from i on are in place, or are not. */
static uint32_t run_of(const struct file_map *f, const struct row *row, uint32_t i, uint32_t end, bool *placed) {
    uint32_t n = 1;
    *placed = in_place(f, row, i);
    while (i + n < end && in_place(f, row, i + n) == *placed)
        n++;
    return n;
}

/* Gives back the blocks that were allocated for pages [0, end) and that no page has got. */
static void give_up_locked(struct file_map *f, const struct row *row, uint32_t end) {
    bool placed;
    for (uint32_t i = 0, n; i < end; i += n) {
        n = run_of(f, row, i, end, &placed);
        if (!placed)
            (void)alloc_free(f->a, row->base + i, n);
    }
}

/* Allocates the blocks of a row for all pages that are not in place; or none. */
static bool take_locked(struct file_map *f, const struct row *row) {
    bool placed;
    for (uint32_t i = 0, n; i < row->n; i += n) {
        n = run_of(f, row, i, row->n, &placed);
        if (placed || alloc_these(f->a, row->base + i, n))
            continue;
        give_up_locked(f, row, i);
        return false;
    }
    return true;
}

/* Where the row would begin, if the first page that has a block (held: that is pinned) stayed; 0 if there is none.
 * *apart: such pages do not agree. */
static uint32_t base_of(const struct file_map *f, const struct row *row, bool held, bool *apart) {
    uint32_t base = 0, blk;
    *apart = false;
    for (uint32_t i = 0, run; i < row->n; i += run) {
        run = (uint32_t)map_run(f, row->pgoff + i, row->n - i, &blk);
        if (blk == 0 || (held && !alloc_is_held(f->a, blk, run)))
            continue;
        if (blk <= i || (base != 0 && base != blk - i)) {
            *apart = true;
            break;
        }
        base = blk - i;
        if (!held)
            break;
    }
    return base;
}

/* Whether an eager region, which cannot be held while bytes are copied, shows a page that is to move. */
static bool is_shown_eagerly(const struct file_map *f, const struct row *row) {
    uint64_t page, count;
    for (const struct region *r = f->regions; r != NULL; r = r->next) {
        if (r->lazy || !map_overlap(r, row->pgoff, row->n, &page, &count))
            continue;
        for (uint64_t at = r->pgoff + page; at < r->pgoff + page + count; at++)
            if (file_map_block(f, at) != 0 && !in_place(f, row, (uint32_t)(at - row->pgoff)))
                return true;
    }
    return false;
}

/* Chooses the row's blocks, and allocates those that are to be new. */
static int choose_locked(struct file_map *f, struct row *row, struct nova_error *err) {
    bool apart = false, none;
    uint32_t held = alloc_has_holds(f->a) ? base_of(f, row, true, &apart) : 0;
    if (held != 0 || apart) {
        row->base = held;
        if (apart || !take_locked(f, row))
            return nova_fail(err, NOVA_EBUSY,
                             "pages of inode %u that are pinned already would have to move, for there is no room "
                             "behind them; release the buffers over them first",
                             f->log->ino);
    } else {
        row->base = base_of(f, row, false, &none);
        if (row->base == 0 || !take_locked(f, row)) {
            row->base = alloc_in_a_row(f->a, row->n);
            if (row->base == 0)
                return nova_fail(err, NOVA_ENOSPC,
                                 "inode %u needs %u free blocks in a row, and there are %u at most (%u in all, some of "
                                 "them reserved); map fewer bytes at once, or make the pool larger",
                                 f->log->ino, row->n, alloc_longest_free(f->a), alloc_free_count(f->a));
        }
    }
    if (!is_shown_eagerly(f, row))
        return NOVA_OK;
    give_up_locked(f, row, row->n);
    return nova_fail(err, NOVA_EBUSY, "pages of inode %u would have to move, and an eager region shows them; close it",
                     f->log->ino);
}

/* Fills blocks for the pages [from, end) of the row that are not in place, and appends their entries. *moved counts
 * those that had other blocks. */
static int append_pages(struct file_map *f, struct log_batch *b, const struct row *row, uint32_t from, uint32_t end,
                        uint32_t *moved, struct nova_error *err) {
    const struct pmem_ops *ops = f->m->ops;
    int rc = NOVA_OK;
    for (uint32_t i = from, n; rc == NOVA_OK && i < end; i += n) {
        n = 1;
        if (in_place(f, row, i))
            continue;
        bool hole = file_map_block(f, row->pgoff + i) == 0;
        while (i + n < end && !in_place(f, row, i + n) && (file_map_block(f, row->pgoff + i + n) == 0) == hole)
            n++;
        if (hole)
            ops->zero(ops, media_blk(f->m, row->base + i), n * BLK);
        for (uint32_t k = i; !hole && k < i + n; k++)
            ops->copy(ops, media_blk(f->m, row->base + k), media_blk(f->m, file_map_block(f, row->pgoff + k)), BLK);
        *moved += hole ? 0 : n;
        rc = map_append_locked(f, b, hole ? FMT_ALLOC : FMT_WRITE, row->pgoff + i,
                               (struct nova_extent){row->base + i, n}, f->mtime, err);
    }
    return rc;
}

/* One step: pages [from, end) get their blocks. */
static int move_locked(struct file_map *f, const struct row *row, uint32_t from, uint32_t end, struct nova_error *err) {
    uint32_t moved = 0;
    bool placed;
    if (run_of(f, row, from, end, &placed) == end - from && placed)
        return NOVA_OK;
    file_map_hold_locked(f, row->pgoff + from, end - from);
    struct log_batch b;
    log_begin(&b, f->log, 0);
    int rc = append_pages(f, &b, row, from, end, &moved, err);
    rc = map_commit_moves_locked(f, &b, rc, row->pgoff + from, end - from, err);
    if (rc == NOVA_OK)
        f->unseen += moved;
    return rc;
}

/* All steps; between them faults come to logLock, but nobody moves a block. */
static int move_all(struct file_map *f, const struct row *row, struct nova_error *err) {
    int rc = NOVA_OK;
    for (uint32_t i = 0, n; rc == NOVA_OK && i < row->n; i += n) {
        n = row->n - i < MAP_FILL_MAX ? row->n - i : MAP_FILL_MAX;
        map_lock_step(f);
        if (f->failed) {
            rc = map_cannot(f, err);
            /* The log may have given pages blocks that the map does not show: none is free for certain. */
            __atomic_store_n(f->leaked, 1, __ATOMIC_RELAXED);
        } else {
            rc = move_locked(f, row, i, i + n, err);
            if (rc != NOVA_OK && rc != NOVA_EOS) /* after EOS the tail on the media may name them */
                give_up_locked(f, row, row->n);
        }
        map_unlock(f);
    }
    return rc;
}

static int pin_pages(struct file_map *f, struct row *row, struct nova_pinned *p, struct nova_error *err) {
    map_lock(f);
    int rc = f->failed ? map_cannot(f, err) : NOVA_OK;
    if (rc == NOVA_OK && row->pgoff + row->n > pages_of(f->size))
        rc = nova_fail(err, NOVA_EINVAL, "pages %llu+%u of inode %u lie beyond its end", (unsigned long long)row->pgoff,
                       row->n, f->log->ino);
    f->writers++;
    if (rc == NOVA_OK)
        rc = choose_locked(f, row, err);
    map_unlock(f);
    if (rc == NOVA_OK)
        rc = move_all(f, row, err);
    map_lock(f);
    f->writers--;
    if (rc == NOVA_OK && f->failed)
        rc = map_cannot(f, err);
    if (rc == NOVA_OK && !enter_locked(p, f->a, (struct nova_extent){row->base, row->n}))
        rc = nova_fail(err, NOVA_ENOMEM, "no memory to hold the blocks of inode %u", f->log->ino);
    map_unlock(f);
    return rc;
}

int file_map_pin(struct file_map *f, uint64_t pgoff, uint64_t n, struct nova_pinned **out, uint32_t *blk,
                 struct nova_error *err) {
    struct row row = {.pgoff = pgoff, .n = (uint32_t)n};
    *out = NULL;
    if (n > alloc_total(f->a))
        return nova_fail(err, NOVA_ENOSPC, "the pool has fewer than %llu blocks", (unsigned long long)n);
    struct nova_pinned *p = calloc(1, sizeof *p);
    if (p == NULL || (p->lock = pool_lock_share(f->pool->fd)) == NULL) {
        free(p);
        return nova_fail(err, NOVA_ENOMEM, "no memory to pin pages of inode %u", f->log->ino);
    }
    int rc = pin_pages(f, &row, p, err);
    if (rc != NOVA_OK) {
        pool_lock_drop(p->lock);
        free(p);
        file_map_space(); /* blocks may have been given up */
        return rc;
    }
    *out = p;
    *blk = row.base;
    return NOVA_OK;
}

int file_map_force_pinned(const struct file_map *f, const struct nova_pinned *p, struct nova_error *err) {
    const struct pmem_ops *ops = f->m->ops;
    ops->flush(ops, media_blk(f->m, p->ext.blk), p->ext.count * BLK); /* whoever has the blocks by now */
    int os = ops->drain(ops);
    if (os == 0)
        return NOVA_OK;
    __atomic_store_n(f->leaked, 1, __ATOMIC_RELAXED);
    return nova_fail_os(err, NOVA_EOS, os, "cannot persist the pool");
}
