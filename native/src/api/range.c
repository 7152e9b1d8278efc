/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranges of a file: holes, blocks of zeros, bytes removed from its middle or put into it.
 *
 * Each call is entries of one log behind one tail (log.h); blocks that get new contents (edges of a hole, allocated
 * pages) are filled before, where no committed entry names them, and are durable with the entries.
 *
 * What no call may show are the bytes behind the end of the file: those in the block that holds the end are arbitrary,
 * blocks beyond it hold zeros. Collapse and insert move the end and what lies behind it by whole pages, so both stays
 * true; a hole keeps of its edges only what lies within the size.
 */
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "map/pin.h"
#include "util/clock.h"

#define BLK ((uint64_t)NOVA_BLOCK_SIZE)

void range_entry(struct fmt_entry *e, enum fmt_kind kind, uint64_t pgoff, uint64_t count, uint64_t size, int64_t now) {
    struct fmt_range_body r = {.pgoff = pgoff, .count = count, .size = size, .mtime = now};
    *e = (struct fmt_entry){.kind = (uint8_t)kind, .lines = 1};
    memcpy(e->payload, &r, sizeof r);
}

/* ---- holes ---- */

/* A page that keeps some of its bytes: those of block `old` outside [from, to), both offsets in the page. */
struct edge {
    uint64_t pgoff;
    uint32_t old;
    uint32_t from, to;
    uint32_t blk; /* the new one */
};

/* What there is to do: the whole pages [pgoff, pgoff + count), unless count is 0, and the edges. */
struct punch {
    uint64_t pgoff, count;
    struct edge edge[2];
    uint32_t edges;
};

static void add_edge(struct punch *p, uint64_t pgoff, uint32_t old, uint64_t off, uint64_t end) {
    uint64_t start = pgoff * BLK;
    struct edge *e = &p->edge[p->edges++];
    *e = (struct edge){.pgoff = pgoff, .old = old, .to = NOVA_BLOCK_SIZE};
    if (off > start)
        e->from = (uint32_t)(off - start);
    if (end < start + BLK)
        e->to = (uint32_t)(end - start);
}

static void plan(struct punch *p, uint64_t off, uint64_t end, uint64_t size, uint32_t first_blk, uint32_t last_blk,
                 bool between) {
    uint64_t first = off / BLK, last = (end - 1) / BLK;
    uint64_t from = pages_of(off), to = end / BLK;
    if (end >= size && to < pages_of(size)) /* what lies behind the end need not be kept */
        to = pages_of(size);
    *p = (struct punch){.pgoff = from};
    bool first_whole = first >= from && first < to, last_whole = last >= from && last < to;
    if (from < to && (between || (first_whole && first_blk != 0) || (last_whole && last_blk != 0)))
        p->count = to - from;
    /* An edge beyond the size shows nothing, and is zeros already or behind the end. */
    bool head = off % BLK != 0 && off < size && first_blk != 0;
    bool tail = end % BLK != 0 && end < size && last_blk != 0;
    if (head)
        add_edge(p, first, first_blk, off, end);
    if (tail && !(head && first == last))
        add_edge(p, last, last_blk, off, end);
}

static void put_edge(const struct media *m, const struct edge *e, uint64_t size) {
    uint64_t start = e->pgoff * BLK;
    uint32_t valid = size - start < BLK ? (uint32_t)(size - start) : NOVA_BLOCK_SIZE;
    uint8_t *to = media_blk(m, e->blk);
    const uint8_t *from = media_blk(m, e->old);
    if (e->from != 0)
        m->ops->copy(m->ops, to, from, e->from);
    m->ops->zero(m->ops, to + e->from, e->to - e->from);
    if (e->to < valid)
        m->ops->copy(m->ops, to + e->to, from + e->to, valid - e->to);
}

static int edges_alloc(struct nova_inode *inode, struct punch *p, unsigned flags, struct nova_error *err) {
    struct allocator *a = inode->pool->alloc;
    for (uint32_t i = 0; i < p->edges; i++) {
        p->edge[i].blk = alloc_one(a, flags);
        if (p->edge[i].blk != 0)
            continue;
        while (i-- != 0)
            give_back_blocks(inode->pool, &(struct nova_extent){p->edge[i].blk, 1}, 1);
        return nova_fail(err, NOVA_ENOSPC, "no space for the edges of a hole in inode %u", inode->log.ino);
    }
    return NOVA_OK;
}

/* Whether the file's map, if it has one, still says of the edges what they were planned by. */
static bool edges_hold(const struct nova_inode *inode, uint64_t off, uint64_t end, const uint32_t blk[2]) {
    return inode->map == NULL ||
           (file_map_block(inode->map, off / BLK) == blk[0] && file_map_block(inode->map, (end - 1) / BLK) == blk[1]);
}

static int punch_locked(struct nova_inode *inode, struct punch *p, uint64_t size, bool in_place, unsigned flags,
                        struct nova_io *io) {
    const struct media *m = &inode->pool->media;
    struct fmt_entry e[3];
    uint32_t n = 0;
    int64_t now = nova_now();
    for (uint32_t i = 0; i < p->edges; i++) {
        struct edge *edge = &p->edge[i];
        if (in_place) {
            m->ops->zero(m->ops, media_blk(m, edge->old) + edge->from, edge->to - edge->from);
            continue;
        }
        if (inode->map != NULL)
            file_map_hold_locked(inode->map, edge->pgoff, 1);
        put_edge(m, edge, size);
        e[n++] = fmt_blocks_entry(FMT_WRITE, edge->pgoff, (struct nova_extent){edge->blk, 1}, size, now);
    }
    if (p->count != 0)
        range_entry(&e[n++], FMT_HOLE, p->pgoff, p->count, size, now);
    if (n == 0) /* all was done in place */
        times_entry(&e[n++], now);
    int rc = entries_commit_locked(inode, e, n, flags, io);
    for (uint32_t i = 0; rc != NOVA_OK && inode->map != NULL && i < p->edges; i++)
        file_map_release_locked(inode->map, p->edge[i].pgoff, 1);
    return rc;
}

/* One attempt. *again: a fault has filled the page of an edge meanwhile, and nothing has happened. */
static int punch(struct nova_inode *inode, uint64_t off, uint64_t end, uint64_t size, uint32_t blk[2], bool between,
                 bool *again, struct nova_io *io) {
    struct nova_pool *pool = inode->pool;
    struct file_map *map = inode->map;
    bool in_place = false;
    *again = false;
    if (map != NULL) {
        log_lock_owner(inode);
        in_place = file_map_in_place(map) || file_map_is_pinned_locked(map, off / BLK, 1) ||
                   file_map_is_pinned_locked(map, (end - 1) / BLK, 1);
        blk[0] = file_map_block(map, off / BLK);
        blk[1] = file_map_block(map, (end - 1) / BLK);
        between = true;
        map->writers++;
        log_unlock_owner(inode);
    }
    struct punch p;
    plan(&p, off, end, size, blk[0], blk[1], between);
    unsigned flags = p.count != 0 ? ALLOC_RESERVE_MOST : ALLOC_RESERVE_HALF;
    int rc = NOVA_OK;
    bool nothing = p.count == 0 && p.edges == 0;
    if (!nothing && !in_place)
        rc = edges_alloc(inode, &p, flags, &io->err);
    bool own = rc == NOVA_OK && !nothing && !in_place;
    if (rc == NOVA_OK && map != NULL)
        file_map_clear(map, p.pgoff, p.pgoff + p.count, false);
    log_lock_owner(inode);
    if (rc == NOVA_OK && !nothing)
        rc = view_check_locked(inode, &io->err);
    if (rc == NOVA_OK && !nothing) {
        *again = !edges_hold(inode, off, end, blk);
        if (!*again)
            rc = punch_locked(inode, &p, size, in_place, flags, io);
    }
    if (map != NULL)
        map->writers--;
    log_unlock_settle(inode);
    if (own && (*again || (rc != NOVA_OK && rc != NOVA_EOS))) /* after EOS the tail on the media may name them */
        for (uint32_t i = 0; i < p.edges; i++)
            give_back_blocks(pool, &(struct nova_extent){p.edge[i].blk, 1}, 1);
    return rc;
}

int nova_punch(nova_inode *inode, uint64_t off, uint64_t len, uint32_t first_blk, uint32_t last_blk, uint32_t between,
               struct nova_io *io) {
    struct nova_pool *pool = inode->pool;
    uint64_t size = 0;
    int rc = file_begin(inode, &size, io);
    if (rc != NOVA_OK)
        return rc;
    if (len == 0)
        return nova_fail(&io->err, NOVA_EINVAL, "a hole of no bytes");
    if (off > (uint64_t)NOVA_FILE_SIZE_MAX || len > (uint64_t)NOVA_FILE_SIZE_MAX - off)
        return nova_fail(&io->err, NOVA_EFBIG, "hole of %llu bytes at offset %llu is beyond the limit",
                         (unsigned long long)len, (unsigned long long)off);
    if (!blk_arg_ok(pool, first_blk) || !blk_arg_ok(pool, last_blk))
        return nova_fail(&io->err, NOVA_EINVAL, "block outside the data area");
    uint32_t blk[2] = {first_blk, last_blk};
    bool again;
    do { /* as often as one of the two pages gets a block: once each */
        rc = punch(inode, off, off + len, size, blk, between != 0, &again, io);
    } while (again);
    return rc;
}

/* ---- bytes removed and put in ---- */

/* From old bytes to size ones. */
static int shift(struct nova_inode *inode, enum fmt_kind kind, uint64_t off, uint64_t len, uint64_t old, uint64_t size,
                 unsigned flags, struct nova_io *io) {
    struct fmt_entry e;
    range_entry(&e, kind, off / BLK, len / BLK, size, nova_now());
    if (inode->map != NULL)
        file_map_clear(inode->map, off / BLK, pages_of(old), false);
    log_lock_owner(inode);
    int rc = view_check_locked(inode, &io->err);
    if (rc == NOVA_OK)
        rc = entries_commit_locked(inode, &e, 1, flags, io);
    if (rc == NOVA_OK)
        io->size = size;
    log_unlock_settle(inode);
    return rc;
}

static int check_pages(uint64_t off, uint64_t len, struct nova_error *err) {
    if (len == 0 || off % BLK != 0 || len % BLK != 0)
        return nova_fail(err, NOVA_EINVAL, "bytes %llu+%llu are not whole pages", (unsigned long long)off,
                         (unsigned long long)len);
    return NOVA_OK;
}

int nova_collapse(nova_inode *inode, uint64_t off, uint64_t len, struct nova_io *io) {
    uint64_t size = 0;
    int rc = file_begin(inode, &size, io);
    if (rc == NOVA_OK)
        rc = check_pages(off, len, &io->err);
    if (rc == NOVA_OK && (off >= size || len >= size - off))
        rc = nova_fail(&io->err, NOVA_EINVAL, "bytes %llu+%llu reach the end of a file of %llu bytes",
                       (unsigned long long)off, (unsigned long long)len, (unsigned long long)size);
    return rc != NOVA_OK ? rc : shift(inode, FMT_COLLAPSE, off, len, size, size - len, ALLOC_RESERVE_MOST, io);
}

int nova_insert(nova_inode *inode, uint64_t off, uint64_t len, struct nova_io *io) {
    uint64_t size = 0;
    int rc = file_begin(inode, &size, io);
    if (rc == NOVA_OK)
        rc = check_pages(off, len, &io->err);
    if (rc == NOVA_OK && off >= size)
        rc = nova_fail(&io->err, NOVA_EINVAL, "offset %llu is not within a file of %llu bytes", (unsigned long long)off,
                       (unsigned long long)size);
    if (rc == NOVA_OK && len > (uint64_t)NOVA_FILE_SIZE_MAX - size)
        rc = nova_fail(&io->err, NOVA_EFBIG, "%llu bytes more than %llu are beyond the limit", (unsigned long long)len,
                       (unsigned long long)size);
    return rc != NOVA_OK ? rc : shift(inode, FMT_INSERT, off, len, size, size + len, 0, io);
}

/* ---- blocks of zeros ---- */

static int check_runs(const struct nova_run *runs, uint32_t n, uint32_t *blocks, struct nova_error *err) {
    uint64_t next = 0, sum = 0;
    if (runs == NULL || n == 0)
        return nova_fail(err, NOVA_EINVAL, "no pages to allocate");
    for (uint32_t i = 0; i < n; i++) {
        const struct nova_run *r = &runs[i];
        if (r->count == 0 || (i != 0 && r->pgoff < next))
            return nova_fail(err, NOVA_EINVAL, "run %u is empty or not behind the one before it", i);
        if (r->pgoff >= FMT_FILE_PAGES || r->count > FMT_FILE_PAGES - r->pgoff)
            return nova_fail(err, NOVA_EFBIG, "pages %llu+%llu are beyond the limit", (unsigned long long)r->pgoff,
                             (unsigned long long)r->count);
        next = r->pgoff + r->count;
        sum += r->count; /* at most FMT_FILE_PAGES */
    }
    if (sum > UINT32_MAX)
        return nova_fail(err, NOVA_ENOSPC, "no pool has %llu blocks", (unsigned long long)sum);
    *blocks = (uint32_t)sum;
    return NOVA_OK;
}

/* An entry for each piece that is one run of pages and one extent of blocks. Returns how many; out NULL: only counts.
 */
static uint32_t alloc_entries(const struct nova_run *runs, uint32_t n, const struct extent_list *ext, uint64_t size,
                              int64_t now, struct fmt_entry *out) {
    uint32_t entries = 0, x = 0, used = 0;
    for (uint32_t i = 0; i < n; i++) {
        for (uint64_t done = 0; done < runs[i].count; entries++) {
            struct nova_extent piece = {ext->ext[x].blk + used, ext->ext[x].count - used};
            if (piece.count > runs[i].count - done)
                piece.count = (uint32_t)(runs[i].count - done);
            if (out != NULL)
                out[entries] = fmt_blocks_entry(FMT_ALLOC, runs[i].pgoff + done, piece, size, now);
            done += piece.count;
            used += piece.count;
            if (used == ext->ext[x].count) {
                x++;
                used = 0;
            }
        }
    }
    return entries;
}

static int allocate_locked(struct nova_inode *inode, struct fmt_entry *e, uint32_t n, uint64_t old, uint64_t size,
                           uint32_t eof_blk, struct nova_io *io) {
    const struct media *m = &inode->pool->media;
    int rc = view_whole_locked(inode, &io->err); /* a fault may just have given a page its block */
    if (rc != NOVA_OK)
        return rc;
    if (inode->map != NULL)
        eof_blk = file_map_block(inode->map, old / BLK);
    if (size > old && old % BLK != 0 && eof_blk != 0)
        m->ops->zero(m->ops, media_blk(m, eof_blk) + old % BLK, BLK - old % BLK);
    rc = entries_commit_locked(inode, e, n, 0, io);
    if (rc == NOVA_OK)
        io->size = size;
    return rc;
}

static int allocate(struct nova_inode *inode, const struct nova_run *runs, uint32_t n, const struct extent_list *ext,
                    uint64_t old, uint64_t size, uint32_t eof_blk, struct nova_io *io) {
    const struct media *m = &inode->pool->media;
    int64_t now = nova_now();
    uint32_t entries = alloc_entries(runs, n, ext, size, now, NULL);
    struct fmt_entry *e = malloc(entries * sizeof *e);
    if (e == NULL)
        return nova_fail(&io->err, NOVA_ENOMEM, "no memory for %u log entries", entries);
    alloc_entries(runs, n, ext, size, now, e);
    for (uint32_t i = 0; i < ext->n; i++)
        m->ops->zero(m->ops, media_blk(m, ext->ext[i].blk), ext->ext[i].count * BLK);
    for (uint32_t i = 0; inode->map != NULL && i < n; i++)
        file_map_clear(inode->map, runs[i].pgoff, runs[i].pgoff + runs[i].count, false);
    log_lock_owner(inode);
    int rc = allocate_locked(inode, e, entries, old, size, eof_blk, io);
    log_unlock_settle(inode);
    free(e);
    return rc;
}

int nova_allocate(nova_inode *inode, const struct nova_run *runs, uint32_t n, uint64_t size, uint32_t eof_blk,
                  struct nova_io *io) {
    struct allocator *a = inode->pool->alloc;
    uint64_t old = 0;
    uint32_t blocks = 0;
    int rc = file_begin(inode, &old, io);
    if (rc == NOVA_OK)
        rc = check_runs(runs, n, &blocks, &io->err);
    if (rc == NOVA_OK && size < old)
        rc = nova_fail(&io->err, NOVA_EINVAL, "a size of %llu bytes is below the present one",
                       (unsigned long long)size);
    if (rc == NOVA_OK && size > (uint64_t)NOVA_FILE_SIZE_MAX)
        rc = nova_fail(&io->err, NOVA_EFBIG, "size %llu is beyond the limit", (unsigned long long)size);
    if (rc == NOVA_OK && !blk_arg_ok(inode->pool, eof_blk))
        rc = nova_fail(&io->err, NOVA_EINVAL, "block outside the data area");
    if (rc != NOVA_OK)
        return rc;
    struct extent_list ext;
    extent_list_init(&ext);
    if (!alloc_blocks(a, blocks, 0, &ext))
        rc = nova_fail(&io->err, NOVA_ENOSPC, "no space for %u blocks of inode %u", blocks, inode->log.ino);
    else
        rc = allocate(inode, runs, n, &ext, old, size, eof_blk, io);
    if (rc != NOVA_OK && rc != NOVA_EOS) /* after EOS the tail on the media may name them */
        give_back_blocks(inode->pool, ext.ext, ext.n);
    extent_list_free(&ext);
    return rc;
}
