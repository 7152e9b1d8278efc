/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing file contents, and truncating.
 *
 * A write of [off, off + len) to a file of `size` bytes, and where a crash leaves it:
 *   1. Blocks are allocated in DRAM, and the caller's bytes copied into them; if the range starts behind the end in a
 *      block that is there, into that block's bytes behind the end. Invisible: no entry names the blocks, and what lies
 *      behind the end does not show.
 *   2. Under logLock the rest of partly covered blocks is filled from the current blocks, and the bytes between the old
 *      end and off are zeroed in the block that holds the end. Invisible likewise.
 *   3. Entries, drain, tail, drain (log.h). All or nothing.
 * Where the call's bytes are all that is written, at most a block and into no mapped file, their checksum goes into the
 * entry, and step 3 is entry, drain.
 * The caller's memory is read in step 1 only, with no lock of the core held: it may be a mapping of this very file, and
 * reading it may fault.
 *
 * If the file is mapped (map/file_map.h), its log may have grown by faults since the caller looked: the blocks whose
 * bytes are carried over are looked up again in step 2, and stores to them wait until the regions show the new ones. If
 * it is to be written in place, step 1 fills the holes among the pages that the file has in commits of their own, and
 * the bytes there go to the blocks that are there; step 3 is about size and time. Pages beyond get new blocks as ever:
 * what lies beyond the size must be zeros until the size passes over it.
 *
 * A write may have holes: pages that get no block in step 1, and lose theirs with the entries of step 3.
 */
#include <stdlib.h>

#include "api/handles.h"
#include "map/pin.h"
#include "util/clock.h"

#define BLK ((uint64_t)NOVA_BLOCK_SIZE)

struct nova_intent {
    struct nova_inode *inode;
    uint64_t off, len;
    uint64_t old_size;
    uint32_t first_blk, last_blk, eof_blk;
    bool in_place;      /* the first page's bytes go into first_blk, behind the end of the file */
    bool all_in_place;  /* the bytes of pages below new_pgoff go to the blocks that the file has: the first of ext */
    bool froze;         /* the file is mapped, and its blocks stay where they are until this ends */
    uint64_t new_pgoff; /* first page that gets a new block */
    uint32_t new_count; /* pages that do */
    uint64_t ext_pgoff; /* page of the first block of ext */
    struct extent_list ext; /* block 0: a hole */
    /* Where fill left off: extent and the page of the range it starts at. */
    uint32_t at_ext;
    uint64_t at_pgoff;
};

/* What every writing call on a file checks first. Nothing may go by st before the view is known to be whole: it could
 * be an older size. */
int file_begin(struct nova_inode *inode, uint64_t *size, struct nova_io *io) {
    int rc = io_begin(inode->pool, io);
    if (rc == NOVA_OK && inode->log.type != NOVA_FILE)
        rc = nova_fail(&io->err, NOVA_EISDIR, "inode %u is not a file", inode->log.ino);
    if (rc != NOVA_OK)
        return rc;
    log_lock_owner(inode);
    rc = view_check_locked(inode, &io->err);
    *size = inode->map != NULL ? inode->map->size : inode->st.size;
    io->size = *size;
    log_unlock_owner(inode);
    return rc;
}

/* Those blocks of the i-th of ext that are new ones, and their first page. False if there are none; *pgoff: page of its
 * first block, and then of the next one's. */
static bool new_blocks(const struct nova_intent *in, uint32_t i, uint64_t *pgoff, uint64_t *first,
                       struct nova_extent *x) {
    *x = in->ext.ext[i];
    *first = *pgoff;
    *pgoff += x->count;
    if (*first < in->new_pgoff) {
        uint64_t skip = in->new_pgoff - *first < x->count ? in->new_pgoff - *first : x->count;
        *first += skip;
        x->blk += (uint32_t)skip;
        x->count -= (uint32_t)skip;
    }
    return x->count != 0;
}

static void intent_end(struct nova_intent *in, bool committed) {
    struct nova_extent x;
    uint64_t pgoff = in->ext_pgoff, first;
    for (uint32_t i = 0; !committed && i < in->ext.n; i++)
        if (new_blocks(in, i, &pgoff, &first, &x) && x.blk != 0)
            give_back_blocks(in->inode->pool, &x, 1);
    extent_list_free(&in->ext);
    if (in->froze) {
        log_lock_owner(in->inode);
        in->inode->map->writers--;
        log_unlock_owner(in->inode);
    }
}

/* From now on no block of the mapped file moves. Says whether to write in place. */
static bool intent_freeze(struct nova_intent *in) {
    struct file_map *f = in->inode->map;
    log_lock_owner(in->inode);
    in->froze = true;
    f->writers++;
    uint64_t first = page_of(in->off), last = page_of(in->off + in->len - 1), end = pages_of(in->old_size);
    if (first < end) {
        uint64_t n = (last < end ? last + 1 : end) - first;
        in->all_in_place = file_map_in_place(f) || file_map_is_pinned_locked(f, first, n);
    }
    in->first_blk = file_map_block(f, page_of(in->off)); /* the caller's may have been moved, and be nobody's now */
    log_unlock_owner(in->inode);
    return in->all_in_place;
}

#define FILL_STEP 256u /* pages, in one hold of logLock */

/* Takes the blocks of pages [first, end) for a write in place, giving some to those that have none. */
static int blocks_in_place(struct nova_intent *in, uint64_t first, uint64_t end, struct nova_error *err) {
    struct file_map *f = in->inode->map;
    int rc = NOVA_OK;
    for (uint64_t at = first, n; rc == NOVA_OK && at < end; at += n) {
        n = end - at < FILL_STEP ? end - at : FILL_STEP;
        log_lock_owner(in->inode);
        rc = view_check_locked(in->inode, err);
        if (rc == NOVA_OK)
            rc = file_map_fill_locked(f, at, n, err);
        for (uint64_t i = 0; rc == NOVA_OK && i < n; i++)
            if (!extent_list_add(&in->ext, file_map_block(f, at + i), 1))
                rc = nova_fail(err, NOVA_ENOMEM, "no memory for a list of blocks");
        log_unlock_owner(in->inode);
    }
    return rc;
}

/* Adds blocks of `from` to ext. *at, *used: the first extent that has some left, and how many of it are gone. False
 * without memory. */
static bool take_blocks(struct nova_intent *in, const struct extent_list *from, uint32_t *at, uint32_t *used,
                        uint64_t pages) {
    while (pages != 0) {
        const struct nova_extent *x = &from->ext[*at];
        uint32_t n = pages < x->count - *used ? (uint32_t)pages : x->count - *used;
        if (!extent_list_add(&in->ext, x->blk + *used, n))
            return false;
        pages -= n;
        *used += n;
        if (*used == x->count) {
            ++*at;
            *used = 0;
        }
    }
    return true;
}

/* Puts new blocks, and holes between them, behind the blocks that ext has. */
static bool weave(struct nova_intent *in, const struct extent_list *fresh, const struct nova_run *holes, uint32_t n) {
    uint64_t page = in->new_pgoff, end = page_of(in->off + in->len - 1) + 1;
    uint32_t at = 0, used = 0;
    bool ok = true;
    for (uint32_t i = 0; ok && i < n; i++) {
        ok = take_blocks(in, fresh, &at, &used, holes[i].pgoff - page) &&
             extent_list_add(&in->ext, 0, (uint32_t)holes[i].count);
        page = holes[i].pgoff + holes[i].count;
    }
    ok = ok && take_blocks(in, fresh, &at, &used, end - page);
    if (!ok && at < fresh->n) { /* what ext has is given back with it */
        struct nova_extent rest = {fresh->ext[at].blk + used, fresh->ext[at].count - used};
        give_back_blocks(in->inode->pool, &rest, 1);
        give_back_blocks(in->inode->pool, fresh->ext + at + 1, fresh->n - at - 1);
    }
    return ok;
}

/* Blocks for the pages that get new ones. */
static int blocks_new(struct nova_intent *in, const struct nova_run *holes, uint32_t n, struct nova_error *err) {
    struct allocator *a = in->inode->pool->alloc;
    struct extent_list fresh;
    if (in->new_count == 0 && n == 0)
        return NOVA_OK;
    bool only = in->ext.n == 0 && n == 0;
    extent_list_init(&fresh);
    if (in->new_count != 0 && !alloc_blocks(a, in->new_count, 0, only ? &in->ext : &fresh)) {
        extent_list_free(&fresh);
        return nova_fail(err, NOVA_ENOSPC, "no space for %u blocks of inode %u", in->new_count, in->inode->log.ino);
    }
    bool ok = only || weave(in, &fresh, holes, n);
    extent_list_free(&fresh);
    return ok ? NOVA_OK : nova_fail(err, NOVA_ENOMEM, "no memory for a list of blocks");
}

/* Whether runs of pages are what nova_write_begin_sparse() wants, and how many pages they are. */
static int check_holes(const struct nova_intent *in, const struct nova_run *holes, uint32_t n, uint32_t *pages,
                       struct nova_error *err) {
    uint64_t end = in->off + in->len, next = pages_of(in->off);
    uint64_t whole = end >= in->old_size ? pages_of(end) : page_of(end);
    *pages = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct nova_run *r = &holes[i];
        if (r->count == 0 || r->pgoff < next || r->pgoff >= whole || r->count > whole - r->pgoff)
            return nova_fail(err, NOVA_EINVAL,
                             "hole %u is empty, not behind the one before it, or not within the range", i);
        next = r->pgoff + r->count;
        *pages += (uint32_t)r->count; /* the range has less than 2^32 */
    }
    return NOVA_OK;
}

/* Where byte `off` of the file goes, and in *room how many bytes may follow it there; NULL in a hole. */
static uint8_t *target(struct nova_intent *in, uint64_t off, uint64_t *room) {
    const struct media *m = &in->inode->pool->media;
    uint64_t pgoff = page_of(off);
    if (pgoff < in->ext_pgoff) {
        *room = BLK - off % BLK;
        return media_blk(m, in->first_blk) + off % BLK;
    }
    if (pgoff < in->at_pgoff) { /* filled out of order: start over */
        in->at_ext = 0;
        in->at_pgoff = in->ext_pgoff;
    }
    const struct nova_extent *e = &in->ext.ext[in->at_ext];
    while (pgoff - in->at_pgoff >= e->count) {
        in->at_pgoff += e->count;
        e = &in->ext.ext[++in->at_ext];
    }
    uint64_t rel = off - in->at_pgoff * BLK;
    *room = e->count * BLK - rel;
    return e->blk == 0 ? NULL : media_blk(m, e->blk) + rel;
}

/* Of a write in place, what would be holes. */
static void fill_zeros(struct nova_intent *in, const struct nova_run *holes, uint32_t n) {
    const struct pmem_ops *ops = in->inode->pool->media.ops;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t off = holes[i].pgoff * BLK, end = off + holes[i].count * BLK, room;
        for (; off < end; off += room) {
            uint8_t *to = target(in, off, &room);
            room = room < end - off ? room : end - off;
            ops->zero(ops, to, room);
        }
    }
}

/* Whether a write begins behind the end of the file, in the block that holds that. */
static bool is_in_place(uint64_t off, uint64_t size, uint32_t first_blk) {
    return first_blk != 0 && off >= size && size % BLK != 0 && page_of(off) == page_of(size);
}

/* What every write checks first; *size as of file_begin(). */
static int write_begin(struct nova_inode *inode, uint64_t off, uint64_t len, uint32_t first_blk, uint32_t last_blk,
                       uint32_t eof_blk, uint64_t *size, struct nova_io *io) {
    struct nova_pool *pool = inode->pool;
    int rc = file_begin(inode, size, io);
    if (rc != NOVA_OK)
        return rc;
    if (len == 0)
        return nova_fail(&io->err, NOVA_EINVAL, "a write of no bytes");
    if (len > (uint64_t)NOVA_WRITE_MAX || off > (uint64_t)NOVA_FILE_SIZE_MAX ||
        len > (uint64_t)NOVA_FILE_SIZE_MAX - off)
        return nova_fail(&io->err, NOVA_EFBIG, "write of %llu bytes at offset %llu is beyond the limits",
                         (unsigned long long)len, (unsigned long long)off);
    if (!blk_arg_ok(pool, first_blk) || !blk_arg_ok(pool, last_blk) || !blk_arg_ok(pool, eof_blk))
        return nova_fail(&io->err, NOVA_EINVAL, "block outside the data area");
    return NOVA_OK;
}

/* After write_begin(). */
static int intent_begin(struct nova_intent *in, struct nova_inode *inode, uint64_t off, uint64_t len,
                        const struct nova_run *holes, uint32_t n, uint32_t first_blk, uint32_t last_blk,
                        uint32_t eof_blk, uint64_t size, struct nova_io *io) {
    uint64_t first = page_of(off), last = page_of(off + len - 1);
    *in = (struct nova_intent){.inode = inode,
                               .off = off,
                               .len = len,
                               .old_size = size,
                               .first_blk = first_blk,
                               .last_blk = first == last ? first_blk : last_blk,
                               .eof_blk = eof_blk};
    uint32_t hole_pages = 0;
    extent_list_init(&in->ext);
    int rc = check_holes(in, holes, n, &hole_pages, &io->err);
    if (rc != NOVA_OK)
        return rc;
    if (inode->map != NULL && intent_freeze(in)) {
        in->new_pgoff = last < pages_of(size) ? last + 1 : pages_of(size);
        in->ext_pgoff = first;
        rc = blocks_in_place(in, first, in->new_pgoff, &io->err);
    } else {
        in->in_place = is_in_place(off, size, first_blk);
        in->new_pgoff = in->ext_pgoff = first + in->in_place;
    }
    in->new_count = (uint32_t)(last + 1 - in->new_pgoff) - (in->all_in_place ? 0 : hole_pages);
    in->at_pgoff = in->ext_pgoff;
    if (rc == NOVA_OK)
        rc = blocks_new(in, holes, in->all_in_place ? 0 : n, &io->err);
    if (rc != NOVA_OK)
        intent_end(in, false);
    else if (in->all_in_place)
        fill_zeros(in, holes, n);
    return rc;
}

/* False if there is a hole among them. */
static bool intent_fill(struct nova_intent *in, uint64_t rel, const void *src, uint64_t len) {
    const struct pmem_ops *ops = in->inode->pool->media.ops;
    const uint8_t *from = src;
    uint64_t off = in->off + rel;
    while (len != 0) {
        uint64_t room;
        uint8_t *to = target(in, off, &room);
        uint64_t n = len < room ? len : room;
        if (to == NULL)
            return false;
        ops->copy(ops, to, from, n);
        off += n;
        from += n;
        len -= n;
    }
    return true;
}

/* Bytes [from, to) of one page whose block is old (0 = hole) and whose bytes at or beyond `size` do not count. */
static void carry_over(const struct media *m, uint8_t *dst, uint32_t old, uint64_t from, uint64_t to, uint64_t size) {
    uint64_t valid = old == 0 || size <= from ? from : size < to ? size : to;
    if (valid > from)
        m->ops->copy(m->ops, dst, media_blk(m, old) + from % BLK, valid - from);
    if (to > valid)
        m->ops->zero(m->ops, dst + (valid - from), to - valid);
}

/* Fills what the caller's bytes leave open: the start of the first block, the rest of the last, the gap behind the old
 * end. */
static void merge_locked(struct nova_intent *in) {
    const struct media *m = &in->inode->pool->media;
    uint64_t size = in->old_size, end = in->off + in->len, room;
    if (in->all_in_place) { /* off lies in a page that the file has */
        if (in->off > size)
            m->ops->zero(m->ops, target(in, size, &room), in->off - size);
        return;
    }
    if (in->in_place) {
        if (in->off > size)
            m->ops->zero(m->ops, media_blk(m, in->first_blk) + size % BLK, in->off - size);
    } else {
        uint64_t start = in->off - in->off % BLK;
        if (start < in->off)
            carry_over(m, target(in, start, &room), in->first_blk, start, in->off, size);
        if (in->off > size && size % BLK != 0 && in->eof_blk != 0 && page_of(size) != page_of(in->off))
            m->ops->zero(m->ops, media_blk(m, in->eof_blk) + size % BLK, BLK - size % BLK);
    }
    /* Bytes behind the new end stay as they are: invisible. */
    uint64_t stop = end + (BLK - end % BLK) % BLK;
    if (stop > size)
        stop = size;
    if (end < stop && page_of(end) >= in->new_pgoff)
        carry_over(m, target(in, end, &room), in->last_blk, end, stop, size);
}

/*
 * Of a mapped file: what the caller said of its blocks may be older than a fault. Pages of which bytes will be carried
 * over are held: first and last, at most.
 */
static void look_again_locked(struct nova_intent *in) {
    struct file_map *f = in->inode->map;
    uint64_t first = page_of(in->off), last = page_of(in->off + in->len - 1);
    in->eof_blk = in->old_size % BLK == 0 ? 0 : file_map_block(f, page_of(in->old_size));
    if (!in->in_place)
        in->first_blk = file_map_block(f, first);
    in->last_blk = file_map_block(f, last);
    if (in->all_in_place)
        return;
    bool head = in->off % BLK != 0 && !in->in_place; /* else its block stays, or nothing of it does */
    if (head)
        file_map_hold_locked(f, first, 1);
    bool hole = in->ext.n != 0 && in->ext.ext[in->ext.n - 1].blk == 0;
    bool tail = (in->off + in->len) % BLK != 0 && !hole && !(in->in_place && first == last);
    if (tail)
        file_map_hold_locked(f, last, 1);
}

/* The entry of a write without new blocks. */
static void in_place_entry(struct fmt_entry *e, uint64_t size, uint64_t old_size, int64_t now) {
    if (size == old_size)
        times_entry(e, now);
    else
        *e = fmt_blocks_entry(FMT_WRITE, 0, (struct nova_extent){0, 0}, size, now);
}

/* Extents of new blocks, and holes. */
static uint32_t new_extents(const struct nova_intent *in) {
    struct nova_extent x;
    uint64_t pgoff = in->ext_pgoff, first;
    uint32_t n = 0;
    for (uint32_t i = 0; i < in->ext.n; i++)
        n += new_blocks(in, i, &pgoff, &first, &x);
    return n;
}

static int append_entry(struct log_batch *b, struct fmt_entry *e, struct nova_io *io) {
    int rc = log_append(b, e, &io->err);
    if (rc == NOVA_OK && io->more == 0)
        record_fill(&io->records[io->record_count++], e, b->at);
    return rc;
}

/* The new blocks, or the holes. */
static int append_extents(struct nova_intent *in, struct log_batch *b, bool holes, uint64_t size, int64_t now,
                          struct fmt_entry *e, struct nova_io *io) {
    uint64_t pgoff = in->ext_pgoff, first;
    struct nova_extent x;
    int rc = NOVA_OK;
    for (uint32_t i = 0; rc == NOVA_OK && i < in->ext.n; i++) {
        if (!new_blocks(in, i, &pgoff, &first, &x) || (x.blk == 0) != holes)
            continue;
        if (holes)
            range_entry(e, FMT_HOLE, first, x.count, size, now);
        else
            *e = fmt_blocks_entry(FMT_WRITE, first, x, size, now);
        rc = append_entry(b, e, io);
    }
    return rc;
}

/* e becomes the last entry. What sets the size comes before holes, which do not. */
static int intent_append(struct nova_intent *in, struct log_batch *b, uint64_t size, struct fmt_entry *e,
                         struct nova_io *io) {
    int64_t now = nova_now();
    uint32_t entries = new_extents(in);
    int rc = NOVA_OK;
    if (entries == 0) {
        in_place_entry(e, size, in->old_size, now);
        return append_entry(b, e, io);
    }
    bool grows = in->new_count == 0 && size > in->old_size;
    io->more = io->more || entries + grows > NOVA_IO_RECORDS;
    if (grows) {
        *e = fmt_blocks_entry(FMT_TRUNCATE, 0, (struct nova_extent){0, 0}, size, now); /* the new pages are all holes */
        rc = append_entry(b, e, io);
    }
    if (rc == NOVA_OK)
        rc = append_extents(in, b, false, size, now, e, io);
    return rc == NOVA_OK ? append_extents(in, b, true, size, now, e, io) : rc;
}

static int intent_commit_locked(struct nova_intent *in, struct nova_io *io) {
    struct nova_inode *inode = in->inode;
    uint64_t end = in->off + in->len, size = end > in->old_size ? end : in->old_size;
    bool whole = view_is_whole_locked(inode);
    struct fmt_entry e; /* the last one */
    struct log_batch b;
    int rc = view_check_locked(inode, &io->err);
    if (rc != NOVA_OK)
        return rc;
    if (inode->map != NULL)
        look_again_locked(in);
    merge_locked(in);
    io->more = !whole; /* then replay brings all of them, in order */
    log_begin(&b, &inode->log, 0);
    rc = intent_append(in, &b, size, &e, io);
    if (rc == NOVA_OK)
        rc = commit_answer(inode->pool, log_commit(&b, &io->err));
    else
        log_rollback(&b);
    if (rc != NOVA_OK) {
        io->record_count = io->more = 0;
        if (inode->map != NULL)
            file_map_release_locked(inode->map, page_of(in->off), page_of(end - 1) + 1 - page_of(in->off));
        return rc;
    }
    if (io->more == 0) /* else replay applies them */
        stat_apply(&inode->st, &e);
    view_advance_locked(inode, &b, b.appended, whole, io);
    io->size = size;
    return NOVA_OK;
}

static int intent_commit(struct nova_intent *in, struct nova_io *io) {
    if (in->inode->map != NULL && !in->all_in_place) /* of the pages that get new blocks as a whole */
        file_map_clear(in->inode->map, pages_of(in->off), page_of(in->off + in->len), false);
    log_lock_owner(in->inode);
    int rc = intent_commit_locked(in, io);
    log_unlock_settle(in->inode);
    /* A commit whose outcome is unknown (EOS) keeps its blocks: the tail on the media may name them. */
    intent_end(in, rc == NOVA_OK || rc == NOVA_EOS);
    return rc;
}

/* ---- writes that certify themselves ---- */

/* Whether a write is of at most a block, and writes nothing but its own bytes, which stay as they are: until there is a
 * mapping, and unless a pin that has outlived its handle may change the block that they are written to in place. */
static bool can_certify(const struct nova_inode *inode, uint64_t off, uint64_t len, uint64_t size, bool in_place,
                        uint32_t first_blk) {
    uint64_t end = off + len;
    if (inode->map != NULL || len > BLK || page_of(off) != page_of(end - 1))
        return false;
    return in_place ? off == size && !alloc_is_held(inode->pool->alloc, first_blk, 1)
                    : off % BLK == 0 && off <= size && (end % BLK == 0 || end >= size);
}

/*
 * Who overwrites a block gives another one back as a rule, which the call before replaced: it may be the new one
 * without a way through the allocator. Takes it, if it is all that the call gives back; 0 if not.
 */
static uint32_t take_spare(struct nova_pool *pool, struct nova_io *io) {
    uint32_t blk = io->frees[0].blk;
    if (io->free_count != 1 || io->frees[0].count != 1 || !media_is_data(&pool->media, blk, 1) ||
        !alloc_is_used(pool->alloc, blk) || alloc_has_holds(pool->alloc))
        return 0;
    io->free_count = 0;
    return blk;
}

/* After write_begin(). blk: the block that they go into, in place or as a new one; 0 for one of the allocator's. */
static int write_certified(struct nova_inode *inode, uint64_t off, const void *src, uint32_t len, uint32_t blk,
                           bool in_place, uint64_t size, struct nova_io *io) {
    struct nova_pool *pool = inode->pool;
    const struct media *m = &pool->media;
    struct fmt_entry e;
    uint64_t end = off + len;
    if (blk == 0) /* what is appended is best put behind what is there */
        blk = off >= size ? alloc_behind(pool->alloc, inode->end_blk) : alloc_one(pool->alloc, 0);
    if (blk == 0)
        return nova_fail(&io->err, NOVA_ENOSPC, "no space for a block of inode %u", inode->log.ino);
    if (end > size)
        inode->end_blk = blk;
    uint32_t crc = m->ops->copy_crc(m->ops, media_blk(m, blk) + off % BLK, src, len, m->seed);
    fmt_certified_entry(&e, page_of(off), (struct nova_extent){blk, in_place ? 0 : 1}, end > size ? end : size,
                        nova_now(), crc, len);
    log_lock_owner(inode);
    int rc = view_check_locked(inode, &io->err);
    if (rc == NOVA_OK)
        rc = entries_commit_locked(inode, &e, 1, 0, io);
    log_unlock_owner(inode);
    if (rc == NOVA_OK)
        io->size = end > size ? end : size;
    else if (rc != NOVA_EOS && !in_place) /* after EOS the entry may be there */
        give_back_blocks(pool, &(struct nova_extent){blk, 1}, 1);
    return rc;
}

int nova_write(nova_inode *inode, uint64_t off, const void *src, uint64_t len, uint32_t first_blk, uint32_t last_blk,
               uint32_t eof_blk, struct nova_io *io) {
    struct nova_intent in;
    uint64_t size = 0;
    uint32_t spare = take_spare(inode->pool, io);
    int rc = write_begin(inode, off, len, first_blk, last_blk, eof_blk, &size, io);
    if (rc == NOVA_OK && src == NULL)
        rc = nova_fail(&io->err, NOVA_EINVAL, "no bytes to write");
    bool in_place = is_in_place(off, size, first_blk);
    bool certified = rc == NOVA_OK && can_certify(inode, off, len, size, in_place, first_blk);
    if (spare != 0 && (!certified || in_place || off >= size)) { /* no block is replaced */
        give_back_blocks(inode->pool, &(struct nova_extent){spare, 1}, 1);
        spare = 0;
    }
    if (rc != NOVA_OK)
        return rc;
    if (certified)
        return write_certified(inode, off, src, (uint32_t)len, in_place ? first_blk : spare, in_place, size, io);
    rc = intent_begin(&in, inode, off, len, NULL, 0, first_blk, last_blk, eof_blk, size, io);
    if (rc != NOVA_OK)
        return rc;
    bool one_lock = (file_map_without & MAP_ONE_LOCK) != 0;
    if (one_lock)
        log_lock_owner(inode);
    (void)intent_fill(&in, 0, src, len);
    if (one_lock)
        log_unlock_owner(inode);
    return intent_commit(&in, io);
}

int nova_write_begin(nova_inode *inode, uint64_t off, uint64_t len, uint32_t first_blk, uint32_t last_blk,
                     uint32_t eof_blk, struct nova_io *io, nova_intent **out) {
    return nova_write_begin_sparse(inode, off, len, NULL, 0, first_blk, last_blk, eof_blk, io, out);
}

int nova_write_begin_sparse(nova_inode *inode, uint64_t off, uint64_t len, const struct nova_run *holes, uint32_t n,
                            uint32_t first_blk, uint32_t last_blk, uint32_t eof_blk, struct nova_io *io,
                            nova_intent **out) {
    *out = NULL;
    struct nova_intent *in = malloc(sizeof *in);
    if (in == NULL)
        return nova_fail(&io->err, NOVA_ENOMEM, "no memory for a write");
    uint64_t size = 0;
    int rc = write_begin(inode, off, len, first_blk, last_blk, eof_blk, &size, io);
    if (rc == NOVA_OK)
        rc = intent_begin(in, inode, off, len, holes, n, first_blk, last_blk, eof_blk, size, io);
    if (rc != NOVA_OK) {
        free(in);
        return rc;
    }
    *out = in;
    return NOVA_OK;
}

int nova_write_fill(nova_intent *in, uint64_t rel, const void *src, uint64_t len, struct nova_io *io) {
    if (len == 0)
        return NOVA_OK;
    if (src == NULL || rel > in->len || len > in->len - rel)
        return nova_fail(&io->err, NOVA_EINVAL, "bytes %llu+%llu lie outside a write of %llu", (unsigned long long)rel,
                         (unsigned long long)len, (unsigned long long)in->len);
    if (!intent_fill(in, rel, src, len))
        return nova_fail(&io->err, NOVA_EINVAL, "bytes %llu+%llu lie in a hole of the write", (unsigned long long)rel,
                         (unsigned long long)len);
    return NOVA_OK;
}

int nova_write_commit(nova_intent *in, struct nova_io *io) {
    int rc = io_begin(in->inode->pool, io);
    if (rc == NOVA_OK)
        rc = intent_commit(in, io);
    else
        intent_end(in, false);
    free(in);
    return rc;
}

void nova_write_abort(nova_intent *in) {
    if (in == NULL)
        return;
    intent_end(in, false);
    free(in);
}

/*
 * Truncate: one entry. Growing exposes the bytes behind the old end in its block: zeroed first, durable with the entry,
 * invisible until the tail moves. Shrinking leaves stale bytes behind the new end, zeroed when something exposes them.
 */
int nova_truncate(nova_inode *inode, uint64_t size, uint32_t eof_blk, struct nova_io *io) {
    const struct media *m = &inode->pool->media;
    uint64_t old = 0;
    int rc = file_begin(inode, &old, io);
    if (rc != NOVA_OK)
        return rc;
    if (size > (uint64_t)NOVA_FILE_SIZE_MAX)
        return nova_fail(&io->err, NOVA_EFBIG, "size %llu is beyond the limit", (unsigned long long)size);
    if (!blk_arg_ok(inode->pool, eof_blk))
        return nova_fail(&io->err, NOVA_EINVAL, "block outside the data area");
    if (size == old)
        return NOVA_OK;
    struct fmt_entry e = fmt_blocks_entry(FMT_TRUNCATE, 0, (struct nova_extent){0, 0}, size, nova_now());
    if (inode->map != NULL)
        file_map_clear(inode->map, pages_of(size), pages_of(old), true);
    log_lock_owner(inode);
    rc = view_check_locked(inode, &io->err);
    if (rc == NOVA_OK) {
        if (inode->map != NULL) /* a fault may have given it one since the caller looked */
            eof_blk = file_map_block(inode->map, page_of(old));
        if (size > old && old % BLK != 0 && eof_blk != 0)
            m->ops->zero(m->ops, media_blk(m, eof_blk) + old % BLK, BLK - old % BLK);
        bool gives = pages_of(size) < pages_of(old);
        rc = entries_commit_locked(inode, &e, 1, gives ? ALLOC_RESERVE_MOST : size < old ? ALLOC_RESERVE_HALF : 0, io);
    }
    if (rc == NOVA_OK)
        io->size = size;
    log_unlock_settle(inode);
    return rc;
}
