/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeping the number of mappings small. A file whose blocks lie apart takes one mapping per piece. Regions keep to half
 * of what the kernel allows a process (region_vmas_max()), and from half of that on
 *  - a write to what a region shows hides the chunk around instead of showing each new block by itself;
 *  - a fault first moves the blocks of its chunk together, if they lie apart, and hides a chunk elsewhere in its
 * region.
 *
 * A move is a write of the bytes that are there to other blocks, and as atomic as any. The blocks that it replaces are
 * given back by whoever keeps the caller's index, when it has caught up: until then that index may still lead to them.
 * So there is a limit to how many wait for it, which is part of the free space, too.
 */
#include <stdlib.h>

#include "map/map_lock.h"

#define BLK ((uint64_t)NOVA_BLOCK_SIZE)
#define CHUNK 128u        /* pages */
#define UNSEEN_MAX 16384u /* blocks replaced by moves that the caller's view still has */
#define WORTH 4u          /* pieces that a move must turn into one */

void map_chunk(const struct region *r, uint64_t page, uint64_t *from, uint64_t *n) {
    uint64_t start = (r->pgoff + page) / CHUNK * CHUNK; /* of the file */
    uint64_t end = start + CHUNK;
    *from = start > r->pgoff ? start - r->pgoff : 0;
    *n = (end - r->pgoff < r->pages ? end - r->pgoff : r->pages) - *from;
}

static void hide_chunk(struct region *r, uint64_t page) {
    uint64_t from, n;
    map_chunk(r, page, &from, &n);
    region_hide(r, from, n, PAGE_MISSING);
}

void map_budget_hide_locked(struct region *r, uint64_t page, uint64_t n) {
    for (uint64_t i = page; i < page + n && r->open;) {
        uint64_t from, count;
        map_chunk(r, i, &from, &count);
        region_hide(r, from, count, PAGE_MISSING);
        i = from + count;
    }
}

/* Hides the next chunk, of those behind the hand, that shows something. */
static void hide_another(struct region *r, uint64_t page) {
    uint64_t not_from, not_n;
    if (r->mapped + r->zeros <= CHUNK)
        return; /* it is others who have the many */
    map_chunk(r, page, &not_from, &not_n);
    for (uint64_t seen = 0; seen < r->pages; seen++) {
        uint64_t at = r->hand;
        r->hand = at + 1 < r->pages ? at + 1 : 0;
        if (r->shows[at] == PAGE_MISSING || r->shows[at] == PAGE_BUS || (at >= not_from && at < not_from + not_n))
            continue;
        hide_chunk(r, at);
        return;
    }
}

/* Moves the blocks of pages [pgoff, pgoff + n) of which `count` have one. */
static bool move_together(struct file_map *f, uint64_t pgoff, uint64_t n, uint32_t count, uint32_t pieces) {
    const struct pmem_ops *ops = f->m->ops;
    struct extent_list ext;
    extent_list_init(&ext);
    bool ok = alloc_blocks(f->a, count, 0, &ext) && ext.n * WORTH <= pieces;
    if (!ok) {
        map_free(f, &ext);
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
        rc = map_append_locked(f, &b, FMT_WRITE, pgoff + i, &piece, 1, f->mtime, NULL);
        i += run;
        used += run;
        if (used == ext.ext[x].count) {
            x++;
            used = 0;
        }
        if (x == ext.n)
            break;
    }
    if (rc == NOVA_OK)
        rc = map_commit_locked(f, &b, NULL);
    else
        log_rollback(&b);
    if (rc != NOVA_OK) {
        file_map_release_locked(f, pgoff, n);
        if (rc != NOVA_EOS)
            map_free(f, &ext);
    }
    extent_list_free(&ext);
    return rc == NOVA_OK;
}

/* Whether so many more blocks may wait for the caller. Space is better kept for stores that need it. */
static bool may_wait(const struct file_map *f, uint32_t count) {
    uint64_t share = alloc_free_count(f->a) / 8;
    return f->unseen + count <= (share < UNSEEN_MAX ? share : UNSEEN_MAX);
}

/* Moves the blocks of the chunk together, if that is worth it. */
static void defragment(struct file_map *f, struct region *r, uint64_t page) {
    uint64_t from, n;
    map_chunk(r, page, &from, &n);
    uint32_t count = 0, pieces = 0, before = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t blk = file_map_block(f, r->pgoff + from + i);
        count += blk != 0;
        pieces += blk != 0 && (before == 0 || blk != before + 1);
        before = blk;
    }
    if (pieces < 2 * WORTH || f->pins != 0 || f->eager != 0 /* cannot be held */ || !may_wait(f, count))
        return;
    f->faulting = r;
    if (move_together(f, r->pgoff + from, n, count, pieces)) {
        f->unseen += count;
        r->moved += count;
    }
    f->faulting = NULL;
}

void map_budget_fault_locked(struct region *r, uint64_t page) {
    uint64_t soft = region_vmas_max() / 2;
    if (region_vmas() < soft)
        return;
    defragment(r->file, r, page);
    if (region_vmas() >= soft && r->open)
        hide_another(r, page);
}
