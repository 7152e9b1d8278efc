/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Serving a page fault. A fault brings its neighbours along, because each costs more than many pages do: of a block
 * those that lie in a row with it; of a hole that is stored to, a run of pages whose length doubles as long as one run
 * follows the other.
 */
#include "map/map_internal.h"
#include "util/clock.h"

#define BLK ((uint64_t)NOVA_BLOCK_SIZE)
/* Pages that one fault brings, at most: */
#define FILL_MIN 4u    /* of a hole that is stored to, the first time */
#define FILL_MAX 256u  /* after stores in order */
#define ZERO_PAGES 16u /* of a hole that is loaded from */
#define SHOW_MAX 256u  /* of blocks in a row, on each side */
#define BUS_MAX 512u   /* beyond the end of the file */

static bool is_missing(const struct region *r, uint64_t page) {
    return r->shows[page] == PAGE_MISSING || r->shows[page] == PAGE_HELD;
}

/* The region's pages up to the end of the file. */
static uint64_t pages_below_end(const struct file_map *f, const struct region *r) {
    uint64_t end = pages_of(f->size);
    if (end <= r->pgoff)
        return 0;
    return end - r->pgoff < r->pages ? end - r->pgoff : r->pages;
}

/* Pages from `page` on that are holes, at most max, within the file and its region. */
static uint32_t hole_run(const struct file_map *f, const struct region *r, uint64_t page, uint32_t max) {
    uint64_t end = pages_below_end(f, r);
    uint32_t n = 1;
    while (n < max && page + n < end && file_map_block(f, r->pgoff + page + n) == 0)
        n++;
    return n;
}

static void show_around(struct file_map *f, struct region *r, uint64_t page) {
    map_budget_fault_locked(r, page);
    uint32_t blk = file_map_block(f, r->pgoff + page);
    if (!r->open || r->shows[page] == blk)
        return;
    uint64_t from = page, end = page + 1, max = pages_below_end(f, r);
    while (from > 0 && page - from < SHOW_MAX && is_missing(r, from - 1) &&
           file_map_block(f, r->pgoff + from - 1) == blk - (page - from) - 1)
        from--;
    while (end < max && end - page < SHOW_MAX && is_missing(r, end) &&
           file_map_block(f, r->pgoff + end) == blk + (end - page))
        end++;
    region_show(r, from, end - from, blk - (uint32_t)(page - from), true);
}

static void zero_around(struct file_map *f, struct region *r, uint64_t page) {
    uint32_t n = 1, max = hole_run(f, r, page, ZERO_PAGES);
    while (n < max && is_missing(r, page + n))
        n++;
    region_zero(r, page, n);
}

static void fill_around(struct file_map *f, struct region *r, uint64_t page) {
    map_budget_fault_locked(r, page);
    bool in_order = page == r->next_fill && r->fill != 0;
    uint32_t want = !in_order ? FILL_MIN : r->fill < FILL_MAX ? 2 * r->fill : FILL_MAX;
    if (region_vmas() >= region_vmas_max() / 4 * 3)
        want = FILL_MIN; /* each page may take a mapping of its own */
    uint32_t n = hole_run(f, r, page, want);
    f->faulting = r;
    int rc = file_map_fill_locked(f, r->pgoff + page, n, NULL);
    if (rc == NOVA_ENOSPC) {
        n = 1;
        region_refuse(r); /* first: what is given back after the next attempt is not overlooked */
        rc = file_map_fill_locked(f, r->pgoff + page, 1, NULL);
    }
    f->faulting = NULL;
    if (rc != NOVA_OK) {
        region_bus(r, page, 1);
        return;
    }
    r->fill = want;
    r->next_fill = page + n;
    r->allocated += n;
}

static void serve_locked(struct file_map *f, struct region *r, uint64_t page, bool store) {
    uint64_t end = pages_below_end(f, r);
    r->faults++;
    if (page >= end)
        region_bus(r, page, r->pages - page < BUS_MAX ? r->pages - page : BUS_MAX);
    else if (file_map_block(f, r->pgoff + page) != 0)
        show_around(f, r, page);
    else if (store)
        fill_around(f, r, page);
    else if (is_missing(r, page))
        zero_around(f, r, page);
}

void file_map_space(void) {
    struct region *r;
    while ((r = region_take_refused()) != NULL) {
        map_lock(r->file);
        uint64_t end = pages_below_end(r->file, r);
        for (uint64_t i = 0, n; r->open && !r->file->failed && i < end; i += n) {
            for (n = 1; r->shows[i] == PAGE_BUS && i + n < end && r->shows[i + n] == PAGE_BUS;)
                n++;
            if (r->shows[i] == PAGE_BUS)
                region_hide(r, i, n, PAGE_MISSING);
        }
        map_unlock(r->file);
        region_done(r);
    }
}

void file_map_fault(void *addr, bool store) {
    struct region *r = region_find(addr);
    if (r == NULL)
        return; /* closed meanwhile, which has woken whoever waited in it */
    struct file_map *f = r->file;
    uint64_t page = (uint64_t)((uint8_t *)addr - r->addr) / BLK;
    map_lock(f);
    uint64_t start = nova_monotonic();
    if (r->open && !f->failed)
        serve_locked(f, r, page, store);
    region_wake(r, page, 1); /* it may show what it should already */
    uint64_t held = nova_monotonic() - start;
    if (held > r->hold_max_ns)
        r->hold_max_ns = held;
    map_unlock(f);
    region_done(r);
}
