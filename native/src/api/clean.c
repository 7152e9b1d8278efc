/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cleaning a log, in the order of the log: what still counts in its first pages is appended again, then they are cut
 * off (log.h). NOVA's garbage collection has the same two parts, "fast" (a page without live entries is unlinked) and
 * "thorough" (live entries are copied); Xu and Swanson, FAST 2016, section 3.6.
 *
 * Which entries still count the caller's index says. What is not in an index (size, number of names, attributes) goes
 * with everything that is appended again, so that no entry in front of that has any effect but through those kept.
 */
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"

#define KEEP_ENTRIES (2u + ATTR_ENTRIES_MAX) /* that nova_clean_append() appends by itself */

/* ---- reading ---- */

static uint32_t lines_of(const struct log *log, uint32_t blk) {
    if (blk == log->tail.blk)
        return log->tail.idx;
    return blk != 0 ? FMT_PAGE_LINES : log->slot_cut ? 0 : FMT_INLINE_LINES;
}

/* Whether blk is a page of the log, as far as it says so itself; 0 is the slot. */
static int check_page(const struct log *log, uint32_t blk, struct nova_error *err) {
    if (blk == 0)
        return NOVA_OK;
    if (!media_is_data(log->m, blk, 1) || !alloc_is_used(log->a, blk) ||
        !fmt_page_tail_ok(log->m, &((struct fmt_page *)(void *)media_blk(log->m, blk))->tail, log->ino, log->gen))
        return nova_fail(err, NOVA_EINVAL, "block %u is no page of the log of inode %u", blk, log->ino);
    return NOVA_OK;
}

/* The entry at a place, as it is. */
static const struct fmt_entry *entry_unverified(const struct log *log, struct log_pos at) {
    return (const struct fmt_entry *)(const void *)log_line(log, at);
}

/* The verified entry at a place before the tail. */
static int entry_at(const struct log *log, struct log_pos at, const struct fmt_entry **out, struct nova_error *err) {
    uint32_t lines = lines_of(log, at.blk);
    if (at.idx >= lines)
        return nova_fail(err, NOVA_EINVAL, "line %u of block %u is no place in the log of inode %u", at.idx, at.blk,
                         log->ino);
    const struct fmt_entry *e = entry_unverified(log, at);
    const char *bad = fmt_entry_check(log->m, e, lines - at.idx, log->ino, log->gen, log->type);
    if (bad != NULL)
        return nova_fail_at(err, NOVA_ECORRUPT, media_off(log->m, e), "log of inode %u: %s", log->ino, bad);
    *out = e;
    return NOVA_OK;
}

/*
 * Whether an entry says of blocks, and no damage keeps it from being passed over (true, and its blocks may
 * be none). That saves its checksum: the caller's index says whether blocks count, and what is appended again is what
 * the index knows. Of a page with a damaged entry that counts it knows that something is left.
 */
static bool is_of_blocks(const struct log *log, const struct fmt_entry *e, uint32_t avail, struct fmt_write_body *w) {
    if ((e->kind != FMT_WRITE && e->kind != FMT_ALLOC) ||
        fmt_entry_look(log->m, e, avail, log->ino, log->gen, log->type) != NULL)
        return false;
    memcpy(w, e->payload, sizeof *w);
    return true;
}

/* Whether it is a write of no blocks, of which nothing is kept: most entries of a file that is appended to. So it is
 * not looked at any further. */
static bool is_of_none(const struct log *log, const struct fmt_entry *e) {
    struct fmt_write_body w;
    memcpy(&w, e->payload, sizeof w);
    return log->type == NOVA_FILE && e->kind == FMT_WRITE && e->lines == 1 && e->ino == log->ino &&
           e->gen == log->gen && w.count == 0;
}

static uint64_t first_lines(uint32_t n) {
    return ((uint64_t)1 << n) - 1;
}

/* No builtin: gcc takes a function of nothing but those for one without an effect, and leaves its calls out. */
static inline void prefetch(const uint8_t *line) {
#if defined(__x86_64__)
    __asm__ volatile("prefetcht0 %0" : : "m"(*line));
#else
    __builtin_prefetch(line);
#endif
}

/* Lines are looked at by the bits that are set: a branch for each would be mistaken as often as not. */
static void prefetch_lines(const struct log *log, uint32_t blk, uint64_t lines) {
    const uint8_t *page = media_blk(log->m, blk);
    prefetch(page + (size_t)FMT_PAGE_LINES * FMT_LINE); /* its tail */
    for (; lines != 0; lines &= lines - 1)
        prefetch(page + (size_t)__builtin_ctzll(lines) * FMT_LINE);
}

int nova_clean_read(nova_inode *inode, uint32_t log_blk, uint64_t wanted, uint32_t next_blk, uint64_t next_wanted,
                    struct nova_record *out, uint32_t cap, struct nova_io *io) {
    const struct log *log = &inode->log;
    const struct fmt_entry *e;
    struct fmt_write_body w;
    io->record_count = io->more = 0;
    if (out == NULL || cap < NOVA_PAGE_RECORDS)
        return nova_fail(&io->err, NOVA_EINVAL, "a page of a log needs room for %u records", NOVA_PAGE_RECORDS);
    uint32_t n = 0;
    log_lock_owner(inode);
    int rc = check_page(log, log_blk, &io->err);
    uint32_t lines = lines_of(log, log_blk);
    if (rc == NOVA_OK && log_blk != 0)
        prefetch_lines(log, log_blk, wanted & first_lines(lines));
    if (media_is_data(log->m, next_blk, 1))
        prefetch_lines(log, next_blk, next_wanted & first_lines(FMT_PAGE_LINES));
    for (uint64_t left = wanted & first_lines(lines), step; rc == NOVA_OK && left != 0; left &= ~step) {
        struct log_pos at = {log_blk, (uint32_t)__builtin_ctzll(left)};
        step = left & -left;
        e = entry_unverified(log, at);
        if (is_of_none(log, e))
            continue;
        if (is_of_blocks(log, e, lines - at.idx, &w)) {
            if (w.count != 0)
                record_fill(&out[n++], e, at);
            continue;
        }
        rc = entry_at(log, at, &e, &io->err);
        if (rc != NOVA_OK || e->kind == FMT_PAD)
            break;
        record_fill(&out[n], e, at);
        n += out[n].lines;
        step = first_lines(e->lines) << at.idx;
    }
    log_unlock_owner(inode);
    io->record_count = rc == NOVA_OK ? n : 0;
    return rc;
}

/* ---- what is kept, as entries ---- */

/* Entries one behind the other, with room for what is to come. */
struct entries {
    uint8_t *bytes;
    uint32_t lines, n;
};

static void add(struct entries *es, const struct fmt_entry *e) {
    memcpy(es->bytes + (size_t)es->lines * FMT_LINE, e, (size_t)e->lines * FMT_LINE);
    es->lines += e->lines;
    es->n++;
}

static void add_body(struct entries *es, enum fmt_kind kind, const void *body) {
    struct fmt_entry e = {.kind = (uint8_t)kind, .lines = 1};
    memcpy(e.payload, body, sizeof e.payload);
    add(es, &e);
}

static void add_blocks(struct entries *es, enum fmt_kind kind, uint64_t pgoff, struct nova_extent ext,
                       const struct nova_stat *st) {
    struct fmt_entry e = fmt_blocks_entry(kind, pgoff, ext, st->size, st->mtime);
    add(es, &e);
}

/* An extent: a write within the size, blocks that were allocated beyond it. */
static void add_extent(struct entries *es, const struct nova_keep *k, const struct nova_stat *st) {
    uint64_t end = pages_of(st->size);
    uint32_t in = k->at >= end ? 0 : end - k->at < k->count ? (uint32_t)(end - k->at) : k->count;
    struct nova_extent within = {k->blk, in}, beyond = {k->blk + in, k->count - in};
    if (within.count != 0)
        add_blocks(es, FMT_WRITE, k->at, within, st);
    if (beyond.count != 0)
        add_blocks(es, FMT_ALLOC, k->at + in, beyond, st);
}

static int check_extent(const struct log *log, const struct nova_keep *k, struct nova_error *err) {
    if (log->type == NOVA_DIR)
        return nova_fail(err, NOVA_EISDIR, "inode %u is a directory, and has no pages", log->ino);
    if (k->at >= FMT_FILE_PAGES || k->count > FMT_FILE_PAGES - k->at || !media_is_data(log->m, k->blk, k->count))
        return nova_fail(err, NOVA_EINVAL, "pages %llu+%u, blocks %u+%u are no extent of a file",
                         (unsigned long long)k->at, k->count, k->blk, k->count);
    return NOVA_OK;
}

/* The entry of a name or an attribute that is kept. */
static int keep_entry(const struct log *log, const struct nova_keep *k, const struct fmt_entry **out,
                      struct nova_error *err) {
    struct fmt_xattr_body x;
    int rc = check_page(log, k->blk, err);
    if (rc == NOVA_OK)
        rc = entry_at(log, (struct log_pos){k->blk, k->at < FMT_PAGE_LINES ? (uint32_t)k->at : FMT_PAGE_LINES}, out,
                      err);
    if (rc != NOVA_OK)
        return rc;
    memcpy(&x, (*out)->payload, sizeof x);
    if ((*out)->kind != FMT_DENTRY_ADD && ((*out)->kind != FMT_XATTR || x.op != FMT_XATTR_SET))
        return nova_fail(err, NOVA_EINVAL, "line %llu of block %u holds no name and no attribute",
                         (unsigned long long)k->at, k->blk);
    return NOVA_OK;
}

static int add_keeps(const struct nova_inode *inode, struct entries *es, const struct nova_keep *keep, uint32_t n,
                     struct nova_error *err) {
    const struct fmt_entry *e;
    int rc = NOVA_OK;
    for (uint32_t i = 0; rc == NOVA_OK && i < n; i++) {
        if (keep[i].count != 0) {
            rc = check_extent(&inode->log, &keep[i], err);
            if (rc == NOVA_OK)
                add_extent(es, &keep[i], &inode->st);
        } else {
            rc = keep_entry(&inode->log, &keep[i], &e, err);
            if (rc == NOVA_OK)
                add(es, e);
        }
    }
    return rc;
}

static void add_size(struct entries *es, enum fmt_kind kind, const struct nova_stat *st) {
    add_blocks(es, kind, 0, (struct nova_extent){0, 0}, st);
}

static void add_link(struct entries *es, const struct nova_stat *st) {
    struct fmt_link_body l = {.nlink = st->nlink, .ctime = st->ctime};
    add_body(es, FMT_LINK, &l);
}

static void add_attributes(struct entries *es, uint32_t mask, const struct nova_stat *st) {
    struct fmt_entry e[ATTR_ENTRIES_MAX];
    uint32_t n = attr_entries(e, mask, st);
    for (uint32_t i = 0; i < n; i++)
        add(es, &e[i]);
}

/* ---- the calls ---- */

static int clean_begin(struct nova_inode *inode, const struct nova_keep *keep, uint32_t n, struct nova_io *io) {
    int rc = io_begin(inode->pool, io);
    if (rc == NOVA_OK && (n > NOVA_KEEP_MAX || (n != 0 && keep == NULL)))
        rc = nova_fail(&io->err, NOVA_EINVAL, "%u things to keep; there may be 0 to %d", n, NOVA_KEEP_MAX);
    return rc;
}

static int append_locked(struct nova_inode *inode, struct entries *es, const struct nova_keep *keep, uint32_t n,
                         struct nova_io *io) {
    const struct nova_stat *st = &inode->st;
    uint32_t all = NOVA_ATTR_MODE | NOVA_ATTR_UID | NOVA_ATTR_GID | NOVA_ATTR_ATIME | NOVA_ATTR_MTIME | NOVA_ATTR_CTIME;
    if (st->btime != inode->log.slot->btime)
        all |= NOVA_ATTR_BTIME;
    int rc = view_whole_locked(inode, &io->err);
    if (rc == NOVA_OK)
        rc = add_keeps(inode, es, keep, n, &io->err);
    if (rc != NOVA_OK)
        return rc;
    if (inode->log.type != NOVA_DIR)
        add_size(es, FMT_WRITE, st);
    if (inode->log.linked && st->nlink != 0) /* 0: nobody will ask */
        add_link(es, st);
    add_attributes(es, all, st); /* last: the others set times */
    rc = entries_commit_locked(inode, (struct fmt_entry *)(void *)es->bytes, es->n, ALLOC_RESERVE, io);
    if (rc == NOVA_OK)
        io->size = st->size;
    return rc;
}

static int gather_locked(struct nova_inode *inode, struct entries *es, const struct nova_keep *keep, uint32_t n,
                         struct nova_io *io) {
    int rc = view_whole_locked(inode, &io->err);
    bool extents = n != 0;
    for (uint32_t i = 0; i < n; i++)
        extents = extents && keep[i].count != 0;
    if (rc == NOVA_OK && (!extents || inode->st.mtime != inode->st.ctime))
        rc = nova_fail(&io->err, NOVA_EINVAL, "inode %u has other things to keep than extents, or two times",
                       inode->log.ino);
    if (rc == NOVA_OK)
        rc = add_keeps(inode, es, keep, n, &io->err);
    if (rc == NOVA_OK)
        rc = entries_commit_locked(inode, (struct fmt_entry *)(void *)es->bytes, es->n, ALLOC_RESERVE, io);
    if (rc == NOVA_OK)
        io->size = inode->st.size;
    return rc;
}

typedef int append_call(struct nova_inode *inode, struct entries *es, const struct nova_keep *keep, uint32_t n,
                        struct nova_io *io);

static int append_again(struct nova_inode *inode, const struct nova_keep *keep, uint32_t n, append_call *call,
                        struct nova_io *io) {
    int rc = clean_begin(inode, keep, n, io);
    if (rc != NOVA_OK)
        return rc;
    size_t lines = KEEP_ENTRIES;
    for (uint32_t i = 0; i < n; i++)
        lines += keep[i].count != 0 ? 2 : FMT_ENTRY_LINES_MAX;
    struct entries es = {.bytes = malloc(lines * FMT_LINE)};
    if (es.bytes == NULL)
        return nova_fail(&io->err, NOVA_ENOMEM, "no memory for %zu lines of a log", lines);
    log_lock_owner(inode);
    rc = call(inode, &es, keep, n, io);
    log_unlock_owner(inode);
    free(es.bytes);
    return rc;
}

int nova_clean_append(nova_inode *inode, const struct nova_keep *keep, uint32_t n, struct nova_io *io) {
    return append_again(inode, keep, n, append_locked, io);
}

int nova_clean_gather(nova_inode *inode, const struct nova_keep *keep, uint32_t n, struct nova_io *io) {
    return append_again(inode, keep, n, gather_locked, io);
}

/* Whether an entry in the middle of a log has no effect once what it says of pages, names and values no longer counts.
 */
static bool may_go(const struct fmt_entry *e) {
    struct fmt_write_body w;
    struct fmt_xattr_body x;
    memcpy(&w, e->payload, sizeof w);
    memcpy(&x, e->payload, sizeof x);
    switch (e->kind) {
    case FMT_WRITE: return true; /* of no pages: as long as one behind it says the size */
    case FMT_ALLOC: return w.count != 0;
    case FMT_XATTR: return x.op == FMT_XATTR_SET;
    default: return e->kind == FMT_DENTRY_ADD || e->kind == FMT_PAD;
    }
}

/* Whether some entry of a page says the size. */
static int find_size(const struct log *log, uint32_t blk, bool *found, struct nova_error *err) {
    const struct fmt_entry *e;
    uint32_t lines = lines_of(log, blk);
    for (struct log_pos at = {blk, 0}; !*found && at.idx < lines; at.idx += e->lines) {
        int rc = entry_at(log, at, &e, err);
        if (rc != NOVA_OK || e->kind == FMT_PAD)
            return rc;
        *found = fmt_says_size(e);
    }
    return NOVA_OK;
}

/* Entries that say nothing but the size are going: one behind them must say it, and is looked for where it will be. */
static int check_size_behind(const struct log *log, uint32_t keep_blk, struct nova_error *err) {
    bool found = false;
    int rc = find_size(log, keep_blk, &found, err);
    if (rc == NOVA_OK)
        rc = find_size(log, log->tail.blk, &found, err);
    if (rc == NOVA_OK && !found)
        rc = nova_fail(err, NOVA_EINVAL, "the last entry that says the size of inode %u may be among them", log->ino);
    return rc;
}

/*
 * Whether all entries of pages may go. sizes: whether one of them may say nothing but the size; unverified, any that
 * says of blocks, for how many these are may be damaged.
 */
static int check_entries(const struct log *log, const struct extent_list *pages, bool verify, bool *sizes,
                         struct nova_error *err) {
    const struct fmt_entry *e;
    struct fmt_write_body w;
    *sizes = false;
    for (uint32_t i = 0; i < pages->n; i++)
        for (uint32_t k = 0; k < pages->ext[i].count; k++)
            for (struct log_pos at = {pages->ext[i].blk + k, 0}; at.idx < FMT_PAGE_LINES; at.idx += e->lines) {
                e = entry_unverified(log, at);
                if (!verify && is_of_blocks(log, e, FMT_PAGE_LINES - at.idx, &w)) {
                    *sizes = true;
                    continue;
                }
                int rc = entry_at(log, at, &e, err);
                if (rc == NOVA_OK && !may_go(e))
                    rc = nova_fail(err, NOVA_EINVAL, "page %u of the log of inode %u has an entry that must stay",
                                   at.blk, log->ino);
                if (rc != NOVA_OK)
                    return rc;
                if (e->kind == FMT_PAD)
                    break;
                memcpy(&w, e->payload, sizeof w);
                *sizes = *sizes || (e->kind == FMT_WRITE && w.count == 0);
            }
    return NOVA_OK;
}

/* The caller may not know of all pages: calls on names append to the logs of inodes, too. */
static int check_middle(const struct log *log, const struct extent_list *pages, uint32_t keep_blk,
                        struct nova_error *err) {
    bool sizes;
    int rc = check_entries(log, pages, false, &sizes, err);
    if (rc != NOVA_OK || !sizes || check_size_behind(log, keep_blk, NULL) == NOVA_OK)
        return rc;
    rc = check_entries(log, pages, true, &sizes, err); /* rarely */
    return rc == NOVA_OK && sizes ? check_size_behind(log, keep_blk, err) : rc;
}

static int cut_locked(struct nova_inode *inode, uint32_t prev_blk, uint32_t keep_blk, struct extent_list *pages,
                      struct nova_io *io) {
    struct log *log = &inode->log;
    const struct pmem_ops *ops = log->m->ops;
    int rc = view_whole_locked(inode, &io->err);
    if (rc == NOVA_OK)
        rc = check_page(log, prev_blk, &io->err);
    if (rc == NOVA_OK && prev_blk != 0 && !log->slot_cut)
        rc = nova_fail(&io->err, NOVA_EINVAL, "the log of inode %u has not been cut at its beginning", log->ino);
    if (rc == NOVA_OK)
        rc = log_pages_between(log, prev_blk, keep_blk, NOVA_CUT_MAX, pages, &io->err);
    if (rc == NOVA_OK && prev_blk != 0)
        rc = check_middle(log, pages, keep_blk, &io->err);
    if (rc == NOVA_OK)
        rc = journal_forget(&inode->pool->journal, log->ino, &io->err);
    if (rc != NOVA_OK)
        return rc;
    log_cut(log, prev_blk, keep_blk);
    int os = ops->drain(ops);
    if (os != 0)
        rc = nova_fail_os(&io->err, NOVA_EOS, os, "cannot persist the pool; no page of a log was freed");
    for (uint32_t i = 0; i < pages->n; i++)
        io->size += pages->ext[i].count;
    inode->cursor.pages -= (uint32_t)io->size;
    return commit_answer(inode->pool, rc);
}

int nova_clean_cut(nova_inode *inode, uint32_t prev_blk, uint32_t keep_blk, struct nova_io *io) {
    struct extent_list pages;
    int rc = io_begin(inode->pool, io);
    if (rc != NOVA_OK)
        return rc;
    io->size = 0;
    extent_list_init(&pages);
    log_lock_owner(inode);
    rc = cut_locked(inode, prev_blk, keep_blk, &pages, io);
    log_unlock_owner(inode);
    if (rc == NOVA_OK) {
        work_count(&inode->pool->counts.log_pages_freed, io->size);
        give_back_blocks(inode->pool, pages.ext, pages.n);
    }
    extent_list_free(&pages);
    return rc;
}

/* The attributes in which b differs from a. */
static uint32_t differing(const struct nova_stat *a, const struct nova_stat *b) {
    return (a->mode != b->mode ? NOVA_ATTR_MODE : 0) | (a->uid != b->uid ? NOVA_ATTR_UID : 0) |
           (a->gid != b->gid ? NOVA_ATTR_GID : 0) | (a->atime != b->atime ? NOVA_ATTR_ATIME : 0) |
           (a->mtime != b->mtime ? NOVA_ATTR_MTIME : 0) | (a->ctime != b->ctime ? NOVA_ATTR_CTIME : 0) |
           (a->btime != b->btime ? NOVA_ATTR_BTIME : 0);
}

/* The whole of what a short log says: what is kept, and of the rest what does not follow from that and the slot. */
static int whole_log(struct nova_inode *inode, struct entries *es, const struct nova_keep *keep, uint32_t n,
                     struct nova_error *err) {
    const struct nova_stat *st = &inode->st;
    struct nova_stat after = stat_created(inode->log.slot);
    int rc = add_keeps(inode, es, keep, n, err);
    if (rc != NOVA_OK)
        return rc;
    const uint8_t *at = es->bytes;
    for (uint32_t i = 0; i < es->n; i++) {
        const struct fmt_entry *e = (const struct fmt_entry *)(const void *)at;
        stat_apply(&after, e);
        at += (size_t)e->lines * FMT_LINE;
    }
    uint32_t first = es->n;
    if (after.size != st->size) /* a file of holes */
        add_size(es, FMT_TRUNCATE, st);
    if (st->nlink > 1)
        add_link(es, st);
    for (uint32_t i = first; i < es->n; i++, at += FMT_LINE)
        stat_apply(&after, (const struct fmt_entry *)(const void *)at);
    uint32_t mask = differing(&after, st);
    if (mask != 0)
        add_attributes(es, mask, st);
    if (es->lines > FMT_INLINE_LINES)
        rc = nova_fail(err, NOVA_EINVAL, "the log of inode %u needs %u lines, and its slot has %u", inode->log.ino,
                       es->lines, FMT_INLINE_LINES);
    return rc;
}

static int restart_locked(struct nova_inode *inode, struct entries *es, const struct nova_keep *keep, uint32_t n,
                          struct nova_io *io) {
    struct log *log = &inode->log;
    struct log_batch b;
    struct extent_list none;
    extent_list_init(&none);
    int rc = view_whole_locked(inode, &io->err);
    if (rc == NOVA_OK && !log->slot_cut)
        rc = nova_fail(&io->err, NOVA_EINVAL, "the log of inode %u has not been cut at its beginning", log->ino);
    if (rc == NOVA_OK)
        rc = log_pages_between(log, 0, log->tail.blk, 0, &none, &io->err);
    if (rc == NOVA_OK)
        rc = whole_log(inode, es, keep, n, &io->err);
    if (rc == NOVA_OK)
        rc = journal_forget(&inode->pool->journal, log->ino, &io->err);
    if (rc != NOVA_OK)
        return rc;
    log_restart(&b, log);
    rc = batch_commit_locked(inode, &b, (struct fmt_entry *)(void *)es->bytes, es->n, io);
    if (rc == NOVA_OK)
        io->size = inode->st.size;
    return rc;
}

int nova_clean_restart(nova_inode *inode, const struct nova_keep *keep, uint32_t n, struct nova_io *io) {
    uint64_t bytes[FMT_INLINE_LINES * (FMT_ENTRY_LINES_MAX + 1) + KEEP_ENTRIES][FMT_LINE / sizeof(uint64_t)];
    struct entries es = {.bytes = (uint8_t *)bytes};
    int rc = clean_begin(inode, keep, n, io);
    if (rc == NOVA_OK && n > FMT_INLINE_LINES)
        rc = nova_fail(&io->err, NOVA_EINVAL, "%u things to keep need more than the %u lines of a slot", n,
                       FMT_INLINE_LINES);
    if (rc != NOVA_OK)
        return rc;
    log_lock_owner(inode);
    struct nova_extent page = {inode->log.tail.blk, 1};
    rc = restart_locked(inode, &es, keep, n, io);
    log_unlock_owner(inode);
    if (rc == NOVA_OK) {
        work_count(&inode->pool->counts.log_pages_freed, 1);
        give_back_blocks(inode->pool, &page, 1);
    }
    return rc;
}
