/* SPDX-License-Identifier: Apache-2.0 */
/* Following the log of a mapped file: what its regions show of each commit; and commits that fill its holes. */
#include "map/file_map.h"

#include <stdlib.h>
#include <string.h>

#include "log/file_replay.h"
#include "map/map_internal.h"
#include "util/clock.h"
#include "util/error.h"

#define BLK ((uint64_t)NOVA_BLOCK_SIZE)
#define SETTLE_MAX 4096u  /* pages that are looked at in one hold of logLock */
#define HIDE_GAP 512u     /* missing pages that are hidden with those around them, to save a call */
#define POPULATE_MAX 512u /* pages that get their page-table entries with their mapping */

unsigned file_map_without;

bool map_overlap(const struct region *r, uint64_t pgoff, uint64_t n, uint64_t *page, uint64_t *count) {
    uint64_t from = pgoff > r->pgoff ? pgoff : r->pgoff;
    uint64_t end = n < UINT64_MAX - pgoff ? pgoff + n : UINT64_MAX;
    if (end > r->pgoff + r->pages)
        end = r->pgoff + r->pages;
    if (from >= end)
        return false;
    *page = from - r->pgoff;
    *count = end - from;
    return true;
}

/* The first page of the file from pgoff on that a region of these kinds has; UINT64_MAX if none has. A file may be far
 * larger than its regions: whoever goes through its pages in steps goes through theirs. */
static uint64_t next_mapped(const struct file_map *f, uint64_t pgoff, bool lazy, bool eager) {
    uint64_t next = UINT64_MAX, page, count;
    for (const struct region *r = f->regions; r != NULL; r = r->next)
        if ((r->lazy ? lazy : eager) && map_overlap(r, pgoff, UINT64_MAX, &page, &count) && r->pgoff + page < next)
            next = r->pgoff + page;
    return next;
}

/* ---- making regions show what the log says ---- */

uint64_t map_run(const struct file_map *f, uint64_t pgoff, uint64_t max, uint32_t *blk) {
    uint64_t n = 1;
    *blk = file_map_block(f, pgoff);
    while (n < max && file_map_block(f, pgoff + n) == (*blk == 0 ? 0 : *blk + n))
        n++;
    return n;
}

/* Whether the region, a lazy one, shows anything of these pages, or zeros for them. */
static bool shows_any(const struct region *r, uint64_t page, uint64_t n) {
    return region_next_shown(r, page, page + n) != page + n;
}

/* Hides what the region shows of these pages, which may be few of many. */
static void hide_shown(struct region *r, uint64_t page, uint64_t n) {
    uint64_t end = page + n, next;
    for (uint64_t i = region_next_shown(r, page, end); i < end; i = next) {
        uint64_t last = i;
        while ((next = region_next_shown(r, last + 1, end)) < end && next - last <= HIDE_GAP)
            last = next;
        region_hide(r, i, last + 1 - i, PAGE_MISSING);
        if (r->shows[i] == PAGE_BUS)
            return; /* the kernel refuses: all of the region raises SIGBUS */
    }
}

/* The same for an eager region, whose pages raise SIGBUS then. */
static void bus_shown(struct region *r, uint64_t page, uint64_t n) {
    uint64_t end = page + n, next;
    for (uint64_t i = region_next_shown(r, page, end); i < end; i = region_next_shown(r, next, end)) {
        next = end - i < REGION_SPAN ? end : i + REGION_SPAN;
        region_bus(r, i, next - i);
    }
}

/* Before pages get other blocks: only the region that is shown them first keeps what it shows until then. Or else
 * somebody could see the new block in one, and then the old one in another, or store to that. */
static void hide_but_one(struct file_map *f, uint64_t pgoff, uint64_t n) {
    uint64_t page, count;
    const struct region *first = f->faulting;
    for (struct region *r = f->regions; r != NULL; r = r->next) {
        if (r == first || !r->lazy || !map_overlap(r, pgoff, n, &page, &count) || !shows_any(r, page, count))
            continue;
        if (first == NULL)
            first = r;
        else
            hide_shown(r, page, count);
    }
}

bool map_show_run_locked(struct region *r, uint64_t page, uint64_t n, uint32_t blk, bool populate) {
    if (!r->lazy && region_vmas() >= region_vmas_max()) {
        region_bus(r, page, n);
        return false;
    }
    region_show(r, page, n, blk, populate);
    return r->open && r->shows[page] == blk;
}

/* Pages [pgoff, pgoff + n) have become blocks from blk on. What nobody has looked at may stay missing, and blocks
 * beyond the end of the file are never shown: they stay zeros. */
static void show(struct file_map *f, uint64_t pgoff, uint64_t n, uint32_t blk) {
    uint64_t page, count, end = pages_of(f->size);
    if (pgoff >= end)
        return;
    if (n > end - pgoff)
        n = end - pgoff;
    hide_but_one(f, pgoff, n);
    for (struct region *r = f->regions; r != NULL; r = r->next) {
        if (!map_overlap(r, pgoff, n, &page, &count))
            continue;
        if (r->lazy && r != f->faulting && (!shows_any(r, page, count) || (file_map_without & MAP_NO_REMAP) != 0))
            continue;
        if (r->lazy && r != f->faulting && count > MAP_HIDE_MAX)
            hide_shown(r, page, count); /* file_map_clear() has left little of it */
        else if (r->lazy && r != f->faulting && region_vmas() >= region_vmas_max() / 2)
            map_budget_hide_locked(r, page, count);
        else
            (void)map_show_run_locked(r, page, count, blk + (uint32_t)(r->pgoff + page - pgoff), count <= POPULATE_MAX);
    }
}

/* Eager regions do not show what they should of the pages [from, end) of the file. */
static void add_stale(struct file_map *f, uint64_t from, uint64_t end) {
    bool none = f->stale == f->stale_end;
    f->stale = none || from < f->stale ? from : f->stale;
    f->stale_end = none || end > f->stale_end ? end : f->stale_end;
}

/* Pages [pgoff, pgoff + n) have no block any more, or other ones. */
static void forget(struct file_map *f, uint64_t pgoff, uint64_t n) {
    uint64_t page, count;
    add_stale(f, pgoff, n < UINT64_MAX - pgoff ? pgoff + n : UINT64_MAX);
    for (struct region *r = f->regions; r != NULL; r = r->next)
        if (r->lazy && map_overlap(r, pgoff, n, &page, &count))
            hide_shown(r, page, count);
}

static void resize(struct file_map *f, uint64_t size) {
    uint64_t before = pages_of(f->size), after = pages_of(size), page, count;
    f->size = size;
    if (after > before)
        add_stale(f, before, after);
    uint64_t from = before < after ? before : after, n = before < after ? after - before : before - after;
    for (struct region *r = f->regions; r != NULL; r = r->next) {
        if (!map_overlap(r, from, n, &page, &count))
            continue;
        if (r->lazy) /* a fault behind the end raises SIGBUS, and shows that to those that follow */
            hide_shown(r, page, count);
        else if (after < before)
            bus_shown(r, page, count);
    }
}

/* What an entry that is not about contents does to the times. */
static void apply_times(struct file_map *f, const struct fmt_entry *e) {
    struct fmt_setattr_body a;
    struct fmt_link_body l;
    struct fmt_xattr_body x;
    switch (e->kind) {
    case FMT_SETATTR:
        memcpy(&a, e->payload, sizeof a);
        if ((a.mask & NOVA_ATTR_MTIME) != 0)
            f->mtime = a.mtime;
        if ((a.mask & NOVA_ATTR_CTIME) != 0)
            f->ctime = a.ctime;
        break;
    case FMT_LINK:
        memcpy(&l, e->payload, sizeof l);
        f->ctime = l.ctime;
        break;
    case FMT_XATTR:
        memcpy(&x, e->payload, sizeof x);
        f->ctime = x.ctime;
        break;
    default: break;
    }
}

/* Whether these pages are these blocks already: an entry that cleaning the log has appended again. */
static bool is_again(const struct file_map *f, const struct fmt_write_body *w) {
    for (uint32_t i = 0; i < w->count; i++)
        if (file_map_block(f, w->pgoff + i) != w->blk + i)
            return false;
    return true;
}

/* What one entry has done. */
static int apply(struct file_map *f, const struct log_item *item, struct nova_error *err) {
    const struct fmt_entry *e = item->entry;
    struct fmt_write_body w;
    struct fmt_range_body r;
    memcpy(&w, e->payload, sizeof w);
    memcpy(&r, e->payload, sizeof r);
    if (!fmt_says_size(e)) {
        apply_times(f, e);
        return NOVA_OK;
    }
    const char *bad = file_check_range(f->log, e, f->size);
    if (bad != NULL)
        return nova_fail_at(err, NOVA_ECORRUPT, media_off(f->m, e), "log of inode %u: %s", f->log->ino, bad);
    bool blocks = (e->kind == FMT_WRITE || e->kind == FMT_ALLOC) && !is_again(f, &w);
    if (!file_apply(e, &f->blocks))
        return nova_fail(err, NOVA_ENOMEM, "no memory for the block map of inode %u", f->log->ino);
    if (f->blocks.pages > f->m->data_end - f->m->data_blk) /* memory that damage could take */
        return nova_fail_at(err, NOVA_ECORRUPT, media_off(f->m, e), "inode %u has more blocks than the pool",
                            f->log->ino);
    f->mtime = f->ctime = w.mtime;
    if (e->kind == FMT_HOLE)
        forget(f, r.pgoff, r.count);
    else if (e->kind == FMT_COLLAPSE || e->kind == FMT_INSERT)
        forget(f, r.pgoff, UINT64_MAX);
    resize(f, w.size);
    if (blocks)
        show(f, w.pgoff, w.count, w.blk);
    return NOVA_OK;
}

static int follow(struct file_map *f, struct nova_error *err) {
    for (;;) {
        struct log_item item;
        int rc = log_next(f->log, &f->cursor, &item, err);
        if (rc == NOVA_OK && item.entry != NULL)
            rc = apply(f, &item, err);
        if (rc != NOVA_OK || item.entry == NULL)
            return rc;
    }
}

static void fail(struct file_map *f) {
    f->failed = true;
    for (struct region *r = f->regions; r != NULL; r = r->next)
        region_bus(r, 0, r->pages);
}

void file_map_follow_locked(struct file_map *f) {
    if (!f->failed && follow(f, NULL) != NOVA_OK)
        fail(f);
}

void file_map_clear(struct file_map *f, uint64_t pgoff, uint64_t end, bool cut) {
    uint64_t at = pgoff, page, count;
    while (at < end && end - at > MAP_HIDE_MAX) {
        map_lock_step(f);
        at = f->failed ? end : next_mapped(f, at, true, cut);
        bool some = at < end && end - at > MAP_HIDE_MAX;
        if (some && cut)
            add_stale(f, at, at + MAP_HIDE_MAX); /* if the call fails */
        for (struct region *r = some ? f->regions : NULL; r != NULL; r = r->next) {
            if (!map_overlap(r, at, MAP_HIDE_MAX, &page, &count))
                continue;
            if (r->lazy)
                hide_shown(r, page, count);
            else if (cut)
                bus_shown(r, page, count);
        }
        map_unlock(f);
        at += some ? MAP_HIDE_MAX : 0;
    }
}

void file_map_hold_locked(struct file_map *f, uint64_t pgoff, uint64_t n) {
    uint64_t page, count;
    if ((file_map_without & MAP_NO_HOLD) != 0)
        return;
    for (struct region *r = f->regions; r != NULL; r = r->next)
        if (r->lazy && map_overlap(r, pgoff, n, &page, &count) && shows_any(r, page, count))
            region_hide(r, page, count, PAGE_HELD);
}

void file_map_release_locked(struct file_map *f, uint64_t pgoff, uint64_t n) {
    uint64_t page, count;
    for (struct region *r = f->regions; r != NULL; r = r->next)
        if (r->lazy && map_overlap(r, pgoff, n, &page, &count))
            region_release(r, page, count);
}

int map_cannot(const struct file_map *f, struct nova_error *err) {
    return nova_fail(err, NOVA_ENOMEM, "inode %u cannot be mapped until it has been closed", f->log->ino);
}

/* ---- commits of our own ---- */

int map_append_locked(struct file_map *f, struct log_batch *b, enum fmt_kind kind, uint64_t pgoff,
                      struct nova_extent ext, int64_t mtime, struct nova_error *err) {
    struct fmt_entry e = fmt_blocks_entry(kind, pgoff, ext, f->size, mtime);
    return log_append(b, &e, err);
}

int map_commit_locked(struct file_map *f, struct log_batch *b, struct nova_error *err) {
    int rc = log_commit(b, err);
    if (rc == NOVA_EOS)
        __atomic_store_n(f->leaked, 1, __ATOMIC_RELAXED);
    if (rc == NOVA_OK) {
        if (f->appended != NULL)
            __atomic_add_fetch(f->appended, 1, __ATOMIC_SEQ_CST); /* before anybody can store to what it brought */
        file_map_follow_locked(f);
    }
    return rc;
}

/* Keeps ctime as it is: entries of blocks make both times one. */
static int append_ctime(const struct file_map *f, struct log_batch *b, struct nova_error *err) {
    struct fmt_setattr_body a = {.mask = NOVA_ATTR_CTIME, .ctime = f->ctime};
    struct fmt_entry e = {.kind = FMT_SETATTR, .lines = 1};
    if (f->ctime == f->mtime)
        return NOVA_OK;
    memcpy(e.payload, &a, sizeof a);
    return log_append(b, &e, err);
}

int map_commit_moves_locked(struct file_map *f, struct log_batch *b, int rc, uint64_t pgoff, uint64_t n,
                            struct nova_error *err) {
    if (rc == NOVA_OK)
        rc = append_ctime(f, b, err);
    if (rc == NOVA_OK)
        rc = map_commit_locked(f, b, err);
    else
        log_rollback(b);
    if (rc != NOVA_OK)
        file_map_release_locked(f, pgoff, n);
    return rc;
}

/* Appends entries for the holes among [pgoff, pgoff + n), which the blocks of ext are for, in order. */
static int append_holes(struct file_map *f, struct log_batch *b, uint64_t pgoff, uint64_t n,
                        const struct extent_list *ext, struct nova_error *err) {
    int64_t now = nova_now();
    uint32_t x = 0, used = 0;
    for (uint64_t i = 0; i < n;) {
        if (file_map_block(f, pgoff + i) != 0) {
            i++;
            continue;
        }
        uint32_t run = 1;
        while (i + run < n && used + run < ext->ext[x].count && file_map_block(f, pgoff + i + run) == 0)
            run++;
        const struct nova_extent piece = {ext->ext[x].blk + used, run};
        int rc = map_append_locked(f, b, FMT_ALLOC, pgoff + i, piece, now, err);
        if (rc != NOVA_OK)
            return rc;
        i += run;
        used += run;
        if (used == ext->ext[x].count) {
            x++;
            used = 0;
        }
    }
    return NOVA_OK;
}

int file_map_fill_locked(struct file_map *f, uint64_t pgoff, uint64_t n, struct nova_error *err) {
    uint32_t holes = 0;
    for (uint64_t i = 0; i < n; i++)
        holes += file_map_block(f, pgoff + i) == 0;
    if (holes == 0)
        return NOVA_OK;
    struct extent_list ext;
    extent_list_init(&ext);
    uint32_t before = pgoff == 0 ? 0 : file_map_block(f, pgoff - 1);
    if (before != 0 && alloc_at(f->a, before + 1, holes)) {
        (void)extent_list_add(&ext, before + 1, holes); /* the first one needs no memory */
    } else if (!alloc_blocks(f->a, holes, 0, &ext)) {
        extent_list_free(&ext);
        return nova_fail(err, NOVA_ENOSPC, "no space for %u blocks of inode %u", holes, f->log->ino);
    }
    for (uint32_t i = 0; i < ext.n; i++)
        f->m->ops->zero(f->m->ops, media_blk(f->m, ext.ext[i].blk), ext.ext[i].count * BLK);
    struct log_batch b;
    log_begin(&b, f->log, 0);
    int rc = append_holes(f, &b, pgoff, n, &ext, err);
    if (rc == NOVA_OK)
        rc = map_commit_locked(f, &b, err);
    else
        log_rollback(&b);
    if (rc != NOVA_OK && rc != NOVA_EOS) /* after EOS the tail on the media may name them */
        alloc_free_all(f->a, ext.ext, ext.n);
    extent_list_free(&ext);
    return rc;
}

/* ---- files ---- */

int file_map_new(struct file_map **out, const struct pool_file *pool, struct log *log, struct biased_lock *lock,
                 int *leaked, struct nova_error *err) {
    *out = NULL;
    struct file_map *f = calloc(1, sizeof *f);
    if (f == NULL)
        return nova_fail(err, NOVA_ENOMEM, "no memory to map inode %u", log->ino);
    *f = (struct file_map){.pool = pool, .m = log->m, .a = log->a, .log = log, .lock = lock, .leaked = leaked};
    block_map_init(&f->blocks);
    int rc = follow(f, err);
    if (rc != NOVA_OK) {
        block_map_free(&f->blocks);
        free(f);
        return rc;
    }
    *out = f;
    return NOVA_OK;
}

/* Up to MAP_FILL_MAX stale pages of an eager region, from the file's page `at` on. How many it looked at. */
static uint64_t settle_some(struct file_map *f, struct region *r, uint64_t at, uint64_t n) {
    uint64_t page, count, run;
    if (r->lazy || !map_overlap(r, at, n, &page, &count))
        return n;
    for (uint64_t i = page; i < page + count; i += run) {
        uint32_t blk = file_map_block(f, r->pgoff + i);
        run = 1;
        if (blk != 0 && r->shows[i] == blk)
            continue;
        run = map_run(f, r->pgoff + i, page + count - i < MAP_FILL_MAX ? page + count - i : MAP_FILL_MAX, &blk);
        if (blk != 0)
            (void)map_show_run_locked(r, i, run, blk, run <= POPULATE_MAX);
        else if (file_map_fill_locked(f, r->pgoff + i, run, NULL) != NOVA_OK)
            region_bus(r, i, run);
        return r->pgoff + i + run - at;
    }
    return n;
}

void file_map_settle(struct file_map *f) {
    bool more = true;
    while (more) {
        map_lock_step(f);
        uint64_t end = pages_of(f->size) < f->stale_end ? pages_of(f->size) : f->stale_end;
        f->stale = next_mapped(f, f->stale, false, true);
        uint64_t n = f->stale >= end || f->failed ? 0 : end - f->stale < SETTLE_MAX ? end - f->stale : SETTLE_MAX;
        for (struct region *r = f->regions; r != NULL && n != 0; r = r->next) {
            uint64_t looked = settle_some(f, r, f->stale, n);
            n = looked < n ? looked : n; /* the other regions catch up with this one */
        }
        f->stale += n;
        more = n != 0;
        if (!more)
            f->stale = f->stale_end = 0;
        map_unlock(f);
    }
}

void file_map_delete(struct file_map *f) {
    if (f == NULL)
        return;
    region_detach(f, map_close_region);
    if (f->unseen != 0) /* the caller has not given them back: the next open will */
        __atomic_store_n(f->leaked, 1, __ATOMIC_RELAXED);
    block_map_free(&f->blocks);
    free(f);
}
