/* SPDX-License-Identifier: Apache-2.0 */
/* What the calls on regions do: opening and closing one, giving its pages blocks, making it durable, reading it. */
#include <string.h>

#include "map/map_internal.h"
#include "util/error.h"

#define BLK ((uint64_t)NOVA_BLOCK_SIZE)
#define READ_MAX 8u       /* pages that are copied in one hold of logLock */
#define FORCE_MAX 4096u   /* pages that are looked up in one hold of logLock */
#define SHOW_RUNS_MAX 64u /* of blocks, in one hold */

static bool shows_run(const struct region *r, uint64_t page, uint64_t n, uint32_t blk) {
    uint64_t i = 0;
    while (i < n && r->shows[page + i] == blk + i)
        i++;
    return i == n;
}

static int closed(struct nova_error *err) {
    return nova_fail(err, NOVA_EINVAL, "the region has been closed, by itself or with its file or pool");
}

/* Up to SHOW_RUNS_MAX runs of a new region's pages [page, end) show the blocks that are there, as long as these do not
 * take too many mappings. Where to go on. */
static uint64_t show_present_locked(struct file_map *f, struct region *r, uint64_t page, uint64_t end) {
    uint32_t shown = 0, blk;
    for (uint64_t n; page < end && r->open && shown < SHOW_RUNS_MAX; page += n) {
        n = map_run(f, r->pgoff + page, end - page, &blk);
        if (blk == 0 || (r->lazy && region_vmas() >= region_vmas_max() / 4) || shows_run(r, page, n, blk))
            continue;
        (void)map_show_run_locked(r, page, n, blk, false);
        shown++;
    }
    return page;
}

/* All of them do, in steps. */
static void show_present(struct file_map *f, struct region *r) {
    bool more = true;
    for (uint64_t i = 0; more;) {
        map_lock_step(f);
        uint64_t page, count, size = pages_of(f->size);
        more = r->open && !f->failed && map_overlap(r, 0, size, &page, &count) && i < count;
        if (more)
            i = show_present_locked(f, r, i, count - i < MAP_HIDE_MAX ? count : i + MAP_HIDE_MAX);
        map_unlock(f);
    }
}

static int populate(struct region *r, uint64_t page, uint64_t n, bool allocate, struct nova_error *err) {
    struct file_map *f = r->file;
    int rc = NOVA_OK;
    bool full = false;
    uint64_t step;
    for (uint64_t i = page; rc == NOVA_OK && i < page + n; i += step) {
        step = page + n - i < MAP_FILL_MAX ? page + n - i : MAP_FILL_MAX;
        map_lock_step(f);
        uint64_t end = pages_of(f->size), at = r->pgoff + i;
        if (!r->open || at >= end) {
            rc = r->open ? NOVA_OK : closed(err);
            map_unlock(f);
            break;
        }
        if (step > end - at)
            step = end - at;
        uint64_t before = f->blocks.pages;
        if (f->failed)
            rc = map_cannot(f, err);
        else if (allocate)
            rc = file_map_fill_locked(f, at, step, err);
        r->allocated += f->blocks.pages - before;
        for (uint64_t k = i, run; rc == NOVA_OK && r->open && !full && k < i + step; k += run) {
            uint32_t blk;
            run = map_run(f, r->pgoff + k, i + step - k, &blk);
            if (blk == 0 || shows_run(r, k, run, blk))
                continue;
            full = r->lazy && region_vmas() >= region_vmas_max(); /* they come by faults, which make room */
            if (!full && !map_show_run_locked(r, k, run, blk, true))
                rc = nova_fail(err, NOVA_ENOMEM, "no more mappings of the kernel for pieces of inode %u", f->log->ino);
        }
        map_unlock(f);
    }
    return rc;
}

int file_map_add(struct file_map *f, uint64_t pgoff, uint64_t len, int prot, bool lazy, struct region **out,
                 struct nova_error *err) {
    struct region *r;
    int rc = region_new(&r, f, f->pool, pgoff, len, prot, lazy, err);
    if (rc != NOVA_OK)
        return rc;
    if (!r->lazy)
        rc = populate(r, 0, r->pages, true, err);
    map_lock(f);
    if (rc == NOVA_OK && f->failed)
        rc = map_cannot(f, err);
    if (rc == NOVA_OK) {
        r->next = f->regions;
        f->regions = r;
        f->eager += !r->lazy;
    }
    map_unlock(f);
    if (rc != NOVA_OK) {
        region_delete(r);
        return rc;
    }
    show_present(f, r);
    *out = r;
    return NOVA_OK;
}

void map_close_region(struct region *r) {
    struct file_map *f = r->file;
    /* Most of it in steps; then the rest, and what came back meanwhile. */
    for (uint64_t at = 0; r->pages - at > MAP_HIDE_MAX;) {
        map_lock_step(f);
        at = r->open ? region_next_shown(r, at, r->pages) : r->pages;
        bool some = r->pages - at > MAP_HIDE_MAX;
        if (some)
            region_bus(r, at, MAP_HIDE_MAX);
        map_unlock(f);
        at += some ? MAP_HIDE_MAX : 0;
    }
    map_lock(f);
    if (r->open) {
        r->open = false;
        struct region **at = &f->regions;
        while (*at != r)
            at = &(*at)->next;
        *at = r->next;
        f->eager -= !r->lazy;
        region_close(r);
    }
    map_unlock(f);
}

void file_map_remove(struct region *r) {
    if (!region_hold(r))
        return;
    map_close_region(r);
    region_done(r);
}

/* ---- durable ---- */

static int force(struct region *r, uint64_t page, uint64_t n, struct nova_error *err) {
    struct file_map *f = r->file;
    const struct pmem_ops *ops = f->m->ops;
    for (uint64_t i = page; i < page + n;) {
        struct extent_list runs;
        extent_list_init(&runs);
        uint64_t stop = page + n - i < FORCE_MAX ? page + n : i + FORCE_MAX;
        map_lock_step(f);
        bool open = r->open;
        for (; open && i < stop && runs.n < EXTENT_LIST_INLINE; i++) {
            uint32_t blk = file_map_block(f, r->pgoff + i);
            if (blk != 0)
                extent_list_add(&runs, blk, 1);
        }
        map_unlock(f);
        if (!open)
            return closed(err);
        /* If a block is moved or given back meanwhile, then flushing it does nothing, and no harm. */
        for (uint32_t k = 0; k < runs.n; k++)
            ops->flush(ops, media_blk(f->m, runs.ext[k].blk), runs.ext[k].count * BLK);
        extent_list_free(&runs);
    }
    int os = ops->drain(ops);
    if (os != 0) {
        __atomic_store_n(f->leaked, 1, __ATOMIC_RELAXED);
        return nova_fail_os(err, NOVA_EOS, os, "cannot persist the pool");
    }
    return NOVA_OK;
}

int file_map_force(struct region *r, uint64_t page, uint64_t n, struct nova_error *err) {
    if (!region_hold(r))
        return closed(err);
    int rc = force(r, page, n, err);
    region_done(r);
    return rc;
}

int file_map_populate(struct region *r, uint64_t page, uint64_t n, bool allocate, struct nova_error *err) {
    if (!region_hold(r))
        return closed(err);
    int rc = populate(r, page, n, allocate, err);
    region_done(r);
    return rc;
}

/* Up to READ_MAX pages of it; how many bytes, or 0 if the first one cannot be read. */
static uint64_t read_some(struct region *r, uint64_t off, uint8_t *buf, uint64_t len) {
    struct file_map *f = r->file;
    uint64_t done = 0, page = off / BLK, step;
    map_lock(f);
    uint64_t end = r->open && !f->failed ? pages_of(f->size) : 0;
    for (; done < len && page < off / BLK + READ_MAX && r->pgoff + page < end; page++, done += step) {
        uint64_t skip = (off + done) % BLK;
        uint32_t blk = file_map_block(f, r->pgoff + page);
        step = BLK - skip < len - done ? BLK - skip : len - done;
        if (blk != 0)
            memcpy(buf + done, media_blk(f->m, blk) + skip, step);
        else
            memset(buf + done, 0, step);
    }
    map_unlock(f);
    return done;
}

int file_map_read(struct region *r, uint64_t off, uint8_t *buf, uint64_t len, struct nova_error *err) {
    if (!region_hold(r))
        return closed(err);
    uint64_t done = 0, n = 1;
    while (done < len && n != 0) {
        uint8_t copy[READ_MAX * NOVA_BLOCK_SIZE]; /* to store to buf may be a fault that needs the lock */
        n = read_some(r, off + done, copy, len - done);
        memcpy(buf + done, copy, n);
        done += n;
    }
    region_done(r);
    if (done < len)
        return nova_fail(err, NOVA_EINVAL, "byte %llu of a region lies beyond the end of the file, or it is closed",
                         (unsigned long long)(off + done));
    return NOVA_OK;
}

bool file_map_stat(struct region *r, struct nova_region_stat *stat) {
    bool open = region_hold(r);
    struct file_map *f = r->file;
    if (open)
        map_lock(f);
    *stat = (struct nova_region_stat){.addr = (uintptr_t)r->addr,
                                      .len = r->len,
                                      .faults = r->faults,
                                      .allocated = r->allocated,
                                      .mapped = r->mapped,
                                      .vmas = r->vmas,
                                      .vmas_all = region_vmas(),
                                      .vmas_max = region_vmas_max(),
                                      .moved = r->moved,
                                      .hold_max_ns = r->hold_max_ns,
                                      .hold_p99_ns = map_hold_p99_locked(r),
                                      .lazy = r->lazy,
                                      .in_place = open && file_map_in_place(f)};
    if (open) {
        map_unlock(f);
        region_done(r);
    }
    return open;
}
