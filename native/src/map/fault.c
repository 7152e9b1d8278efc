/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Serving a page fault. A fault brings its neighbours along, because each costs more than many pages do: of a block
 * those that lie in a row with it; of a hole a run of pages whose length doubles as long as one run follows the other.
 * But a thread that waits for a page may be one that others wait for (a virtual machine for its safepoint): the more
 * faults there are, the fewer pages each of them fills.
 */
#include "map/fault_server.h"
#include "map/map_internal.h"
#include "util/clock.h"

#define BLK ((uint64_t)NOVA_BLOCK_SIZE)
/* Pages that one fault brings, at most: */
#define FILL_MIN 4u   /* of a hole that is stored to, the first time */
#define FILL_MAX 256u /* after stores in order */
#define ZERO_MIN 16u  /* of a hole that is loaded from, the first time */
#define ZERO_MAX 256u /* after loads in order */
#define SHOW_MAX 256u /* of blocks in a row, on each side */
#define BUS_MAX 512u  /* beyond the end of the file */

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

/* Pages from `page`, a hole, on that are holes, at most max, within the file and its region. */
static uint32_t hole_run(const struct file_map *f, const struct region *r, uint64_t page, uint32_t max) {
    uint64_t left = pages_below_end(f, r) - page;
    uint32_t blk;
    return (uint32_t)map_run(f, r->pgoff + page, left < max ? left : max, &blk);
}

/* How many pages the fault at `page` should bring along. */
static uint32_t pages_ahead(const struct run_ahead *a, uint64_t page, uint32_t min, uint32_t max) {
    uint32_t n = page != a->next || a->n == 0 ? min : a->n < max ? 2 * a->n : max;
    uint32_t share = max / (1 + fault_waiting());
    return n <= share ? n : share > min ? share : min;
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
    uint32_t want = pages_ahead(&r->zero, page, ZERO_MIN, ZERO_MAX), n = 1, max = hole_run(f, r, page, want);
    while (n < max && is_missing(r, page + n))
        n++;
    region_zero(r, page, n);
    r->zero = (struct run_ahead){page + n, want};
}

static void fill_around(struct file_map *f, struct region *r, uint64_t page) {
    map_budget_fault_locked(r, page);
    uint32_t want = pages_ahead(&r->fill, page, FILL_MIN, FILL_MAX);
    if (region_vmas() >= region_vmas_max() / 4 * 3)
        want = FILL_MIN; /* each page may take a mapping of its own */
    uint32_t n = hole_run(f, r, page, want);
    f->faulting = r;
    int rc = file_map_fill_locked(f, r->pgoff + page, n, NULL);
    if (rc != NOVA_OK && rc != NOVA_EOS) { /* after which no commit succeeds */
        n = 1;
        region_refuse(r); /* first: what is given back after the next attempt is not overlooked */
        rc = file_map_fill_locked(f, r->pgoff + page, 1, NULL);
    }
    f->faulting = NULL;
    if (rc != NOVA_OK) {
        region_bus_refused(r, page);
        return;
    }
    r->fill = (struct run_ahead){page + n, want};
    r->allocated += n;
    work_count(&f->m->counts->fault_pages, n);
}

/* ---- statistics ---- */

/* Holds of up to this many nanoseconds are counted at step i: four steps to each power of two. */
static uint64_t hold_step(uint32_t i) {
    return (4ull + i % 4 + 1) << i / 4;
}

static void count_hold(struct region *r, uint64_t ns) {
    uint32_t i = 0;
    while (i < HOLD_STEPS - 1 && ns > hold_step(i))
        i++;
    r->holds[i]++;
    r->hold_max_ns = ns > r->hold_max_ns ? ns : r->hold_max_ns;
}

uint64_t map_hold_p99_locked(const struct region *r) {
    uint64_t all = 0, beyond = 0;
    for (uint32_t i = 0; i < HOLD_STEPS; i++)
        all += r->holds[i];
    for (uint32_t i = HOLD_STEPS; i-- != 0;) {
        beyond += r->holds[i];
        if (beyond > all / 100)
            return hold_step(i) < r->hold_max_ns ? hold_step(i) : r->hold_max_ns;
    }
    return 0;
}

/* ---- faults ---- */

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
    else
        region_zero_again(r, page);
}

void file_map_space(void) {
    struct region *r;
    const void *after = NULL;
    while ((r = region_take_refused(&after)) != NULL) {
        struct file_map *f = r->file;
        for (bool more = true; more;) {
            map_lock_step(f);
            more = r->open && !f->failed && region_ask_again(r, pages_below_end(f, r));
            map_unlock(f);
        }
        region_done(r);
    }
}

void file_map_fault(void *addr, bool store) {
    struct region *r = region_find(addr);
    if (r == NULL)
        return; /* closed meanwhile, which has woken whoever waited in it */
    struct file_map *f = r->file;
    uint64_t page = (uint64_t)((uint8_t *)addr - r->addr) / BLK;
    region_use(r);
    map_lock(f);
    uint64_t start = nova_monotonic();
    if (r->open && !f->failed)
        serve_locked(f, r, page, store);
    region_wake(r, page, 1); /* it may show what it should already */
    uint64_t held = nova_monotonic() - start;
    count_hold(r, held);
    work_count(&f->m->counts->faults, 1);
    work_count_max(&f->m->counts->fault_hold_max_ns, held);
    map_unlock(f);
    region_done(r);
    map_budget_relieve();
}
