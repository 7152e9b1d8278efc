/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeping the number of mappings small. A file whose blocks lie apart takes one mapping per piece. Regions keep to half
 * of what the kernel allows a process (region_vmas_max()), and from half of that on
 *  - a write to what a region shows hides the chunk around instead of showing each new block by itself;
 *  - a fault first moves the blocks of its chunk together, if they lie apart, and hides a chunk elsewhere in its
 * region; or, where that shows little, in another one, of any file, that has had no fault for a while.
 * From three quarters of it on there are no new regions.
 *
 * A move is a write of the bytes that are there to other blocks, and as atomic as any. The blocks that it replaces are
 * given back by whoever keeps the caller's index, when it has caught up: until then that index may still lead to them.
 * So there is a limit to how many wait for it, which is part of the free space, too.
 */
#include <stdlib.h>

#include "map/map_internal.h"
#include "map/pin.h"

#define BLK ((uint64_t)NOVA_BLOCK_SIZE)
#define CHUNK 128u        /* pages */
#define UNSEEN_MAX 16384u /* blocks replaced by moves that the caller's view still has */
#define LOOK_MAX 32768u   /* pages that a fault looks at for others to hide */
#define WORTH 4u          /* pieces that a move must turn into one */

/* The bounds of the pages around `page` that are hidden, and moved, together. */
static void chunk_of(const struct region *r, uint64_t page, uint64_t *from, uint64_t *n) {
    uint64_t start = (r->pgoff + page) / CHUNK * CHUNK; /* of the file */
    uint64_t end = start + CHUNK;
    *from = start > r->pgoff ? start - r->pgoff : 0;
    *n = (end - r->pgoff < r->pages ? end - r->pgoff : r->pages) - *from;
}

void map_budget_hide_locked(struct region *r, uint64_t page, uint64_t n) {
    uint64_t from, last, count;
    chunk_of(r, page, &from, &count);
    chunk_of(r, page + n - 1, &last, &count);
    region_hide(r, from, last + count - from, PAGE_MISSING);
}

/* Hides the next chunk, of those behind the hand, that shows something: not the one of those pages. */
static void hide_next(struct region *r, uint64_t not_from, uint64_t not_n) {
    for (uint64_t seen = 0; seen < r->pages && seen < LOOK_MAX; seen++) {
        uint64_t at = r->hand;
        r->hand = at + 1 < r->pages ? at + 1 : 0;
        if (!region_is_shown(r, at) || (at >= not_from && at < not_from + not_n))
            continue;
        map_budget_hide_locked(r, at, 1);
        return;
    }
}

/* What there is to a few pages stays: they may be what one instruction needs. */
static void hide_another(struct region *r, uint64_t page) {
    uint64_t not_from, not_n;
    if (r->mapped + r->zeros + r->seams <= CHUNK)
        return; /* it is others who have the many */
    chunk_of(r, page, &not_from, &not_n);
    hide_next(r, not_from, not_n);
}

/* What pages have blocks, among some of a file. */
struct chunk {
    uint64_t pgoff, n;
    uint32_t count;  /* blocks */
    uint32_t runs;   /* of pages that have them, */
    uint32_t pieces; /* and mappings that these take */
};

static void count_chunk(const struct file_map *f, struct chunk *c) {
    uint32_t before = 0;
    for (uint64_t i = 0; i < c->n; i++) {
        uint32_t blk = file_map_block(f, c->pgoff + i);
        c->count += blk != 0;
        c->runs += blk != 0 && before == 0;
        c->pieces += blk != 0 && (before == 0 || blk != before + 1);
        before = blk;
    }
}

/* Moves the blocks of the chunk to as few extents as possible, if that is worth it. */
static bool move_together(struct file_map *f, const struct chunk *c) {
    uint64_t pgoff = c->pgoff, n = c->n;
    const struct pmem_ops *ops = f->m->ops;
    struct extent_list ext;
    extent_list_init(&ext);
    bool ok = alloc_blocks(f->a, c->count, 0, &ext) && (c->runs + ext.n) * WORTH <= c->pieces;
    if (!ok) {
        alloc_free_all(f->a, ext.ext, ext.n);
        extent_list_free(&ext);
        return false;
    }
    file_map_hold_locked(f, pgoff, n);
    struct log_batch b;
    log_begin(&b, f->log, 0);
    uint32_t x = 0, used = 0;
    int rc = NOVA_OK;
    for (uint64_t i = 0; rc == NOVA_OK && i < n;) {
        uint32_t run = 0;
        for (; i + run < n && file_map_block(f, pgoff + i + run) != 0 && used + run < ext.ext[x].count; run++)
            ops->copy(ops, media_blk(f->m, ext.ext[x].blk + used + run),
                      media_blk(f->m, file_map_block(f, pgoff + i + run)), BLK);
        if (run == 0) {
            i++;
            continue;
        }
        const struct nova_extent piece = {ext.ext[x].blk + used, run};
        rc = map_append_locked(f, &b, FMT_WRITE, pgoff + i, piece, f->mtime, NULL);
        i += run;
        used += run;
        if (used == ext.ext[x].count) {
            x++;
            used = 0;
        }
        if (x == ext.n)
            break;
    }
    rc = map_commit_moves_locked(f, &b, rc, pgoff, n, NULL);
    if (rc != NOVA_OK && rc != NOVA_EOS)
        alloc_free_all(f->a, ext.ext, ext.n);
    extent_list_free(&ext);
    return rc == NOVA_OK;
}

/* Whether so many more blocks may wait for the caller. Space is better kept for stores that need it. */
static bool may_wait(const struct file_map *f, uint32_t count) {
    uint64_t share = alloc_free_count(f->a) / 8;
    return f->unseen + count <= (share < UNSEEN_MAX ? share : UNSEEN_MAX);
}

/* Moves the blocks of the chunk together, if that is worth it; those of the file, not what it keeps beyond its end. */
static void defragment(struct file_map *f, struct region *r, uint64_t page) {
    uint64_t from, end = pages_of(f->size);
    struct chunk c = {0};
    chunk_of(r, page, &from, &c.n);
    c.pgoff = r->pgoff + from;
    if (c.pgoff >= end)
        return;
    if (c.n > end - c.pgoff)
        c.n = end - c.pgoff;
    count_chunk(f, &c);
    if ((c.runs + 1) * WORTH > c.pieces || f->writers != 0 || f->eager != 0 /* cannot be held */ ||
        !may_wait(f, c.count) || file_map_is_pinned_locked(f, c.pgoff, c.n))
        return;
    f->faulting = r;
    if (move_together(f, &c)) {
        f->unseen += c.count;
        r->moved += c.count;
        work_count(&f->m->counts->fault_moved, c.count);
    }
    f->faulting = NULL;
}

void map_budget_fault_locked(struct region *r, uint64_t page) {
    uint64_t soft = region_vmas_max() / 2;
    if (region_vmas() < soft)
        return;
    defragment(r->file, r, page);
    for (int i = 0; i < 2 && region_vmas() >= soft && r->open; i++) /* faster than one fault adds them */
        hide_another(r, page);
}

void map_budget_relieve(void) {
    uint64_t soft = region_vmas_max() / 2;
    for (int i = 0; i < 2 && region_vmas() >= soft; i++) {
        struct region *r = region_take_unused();
        if (r == NULL)
            return;
        map_lock(r->file);
        for (int k = 0; k < 2 && r->open; k++)
            hide_next(r, 0, 0);
        map_unlock(r->file);
        region_done(r);
    }
}
