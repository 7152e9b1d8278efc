/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "log/log.h"

static uint32_t lines_of(uint32_t blk) {
    return blk == 0 ? FMT_INLINE_LINES : FMT_PAGE_LINES;
}

uint8_t *log_line(const struct log *log, struct log_pos pos) {
    uint8_t *lines = pos.blk == 0 ? &log->slot->lines[0][0] : media_blk(log->m, pos.blk);
    return lines + (size_t)pos.idx * FMT_LINE;
}

static struct fmt_page_tail *page_tail(const struct log *log, uint32_t blk) {
    return &((struct fmt_page *)(void *)media_blk(log->m, blk))->tail;
}

int log_open(struct log *log, const struct media *m, struct allocator *a, struct fmt_inode *slot,
             struct nova_error *err) {
    *log = (struct log){.m = m, .a = a, .slot = slot, .ino = slot->ino, .gen = slot->gen, .type = slot->type};
    uint64_t word = __atomic_load_n(&slot->tail, __ATOMIC_ACQUIRE);
    if (word == 0)
        return nova_fail(err, NOVA_ENOENT, "inode %u does not exist", slot->ino);
    struct log_end end;
    if (!fmt_tail_get(m, log->ino, log->gen, word, &end))
        return nova_fail_at(err, NOVA_ECORRUPT, media_off(m, &slot->tail), "log tail of inode %u is damaged", log->ino);
    log->tail = end.pos;
    log->linked = end.linked;
    uint32_t first;
    log->slot_cut = end.pos.blk != 0 && fmt_ptr_get(m, FMT_TAG_FIRST, log->ino, log->gen, 0, slot->head, &first);
    return NOVA_OK;
}

/* ---- reading ---- */

/* The page behind page `from`, or behind the slot (0). */
static int page_behind(const struct log *log, uint32_t from, uint32_t *out, struct nova_error *err) {
    const fmt_ptr *ptr = from == 0 ? &log->slot->head : &page_tail(log, from)->next;
    enum fmt_ptr_tag tag = from != 0 ? FMT_TAG_NEXT : log->slot_cut ? FMT_TAG_FIRST : FMT_TAG_HEAD;
    uint32_t blk;
    if (!fmt_ptr_get(log->m, tag, log->ino, log->gen, from, *ptr, &blk))
        return nova_fail_at(err, NOVA_ECORRUPT, media_off(log->m, ptr),
                            "log of inode %u: pointer to the next page is damaged", log->ino);
    const struct fmt_page_tail *tail = page_tail(log, blk);
    if (!fmt_page_tail_ok(log->m, tail, log->ino, log->gen))
        return nova_fail_at(err, NOVA_ECORRUPT, media_off(log->m, tail),
                            "log of inode %u: page tail of block %u is damaged", log->ino, blk);
    *out = blk;
    return NOVA_OK;
}

int log_next(const struct log *log, struct log_cursor *cur, struct log_item *item, struct nova_error *err) {
    struct log_cursor c = *cur;
    *item = (struct log_item){0};
    for (;;) {
        if (c.pos.blk == log->tail.blk && c.pos.idx == log->tail.idx) {
            *cur = c;
            return NOVA_OK;
        }
        if (c.pos.idx == lines_of(c.pos.blk) || (c.pos.blk == 0 && log->slot_cut)) {
            uint32_t blk;
            int rc = page_behind(log, c.pos.blk, &blk, err);
            if (rc != NOVA_OK)
                return rc;
            c.pos = (struct log_pos){blk, 0};
            c.pages++;
            item->entered = blk;
        }
        const struct fmt_entry *e = (const struct fmt_entry *)(const void *)log_line(log, c.pos);
        const char *bad = fmt_entry_check(log->m, e, lines_of(c.pos.blk) - c.pos.idx, log->ino, log->gen, log->type);
        if (bad == NULL && e->seq <= c.seq)
            bad = "entry out of sequence";
        if (bad == NULL && e->kind == FMT_LINK && !log->linked) /* one of its names would be taken for the only one */
            bad = "link entry that the log's tail does not tell of";
        if (bad == NULL && e->kind == FMT_PAD && c.pos.idx == 0 && c.pos.blk != 0)
            bad = "padding where an entry must be";
        uint32_t next = c.pos.idx;
        if (bad == NULL) {
            next = e->kind == FMT_PAD ? lines_of(c.pos.blk) : c.pos.idx + e->lines;
            if (c.pos.blk == log->tail.blk && next > log->tail.idx)
                bad = "entry reaches beyond the log's tail";
        }
        if (bad != NULL) {
            item->entered = 0;
            return nova_fail_at(err, NOVA_ECORRUPT, media_off(log->m, e), "log of inode %u: %s", log->ino, bad);
        }
        struct log_pos at = c.pos;
        c.pos.idx = next;
        c.seq = e->seq;
        if (e->kind == FMT_PAD) /* its page has been entered and reported with the entry before it */
            continue;
        c.entries++;
        *cur = c;
        item->entry = e;
        item->pos = at;
        return NOVA_OK;
    }
}

/* ---- appending ---- */

void log_begin(struct log_batch *b, struct log *log, unsigned flags) {
    b->log = log;
    b->pos = log->tail;
    b->at = log->tail;
    b->seq = log->seq;
    b->linked = log->linked;
    b->in_slot = false;
    b->certified = false;
    b->flags = flags;
    b->new_pages = 0;
    b->appended = 0;
    extent_list_init(&b->pages);
}

void log_restart(struct log_batch *b, struct log *log) {
    log_begin(b, log, 0);
    b->pos = (struct log_pos){0, 0};
    b->linked = false;
    b->in_slot = true;
}

static void put_entry(struct log_batch *b, struct fmt_entry *e) {
    const struct log *log = b->log;
    /* By words, as checksum and copy load them: to put two stores together for one load takes longer than both. */
    const uint64_t header[] = {fmt_entry_first(e->kind, e->lines), log->ino | (uint64_t)log->gen << 32, b->seq + 1};
    static_assert(sizeof header == offsetof(struct fmt_entry, payload), "what every entry starts with");
    b->seq++;
    memcpy(e, header, sizeof header);
    fmt_entry_seal(log->m, e);
    log->m->ops->copy(log->m->ops, log_line(log, b->pos), e, (size_t)e->lines * FMT_LINE);
}

/* Closes the current page (or slot) with padding if lines remain, and links a new page behind it. */
static int next_page(struct log_batch *b, struct nova_error *err) {
    const struct log *log = b->log;
    const struct pmem_ops *ops = log->m->ops;
    uint32_t blk = alloc_one(log->a, b->flags);
    if (blk == 0)
        return nova_fail(err, NOVA_ENOSPC, "no space for another page of the log of inode %u", log->ino);
    if (!extent_list_add(&b->pages, blk, 1)) {
        alloc_free(log->a, blk, 1);
        return nova_fail(err, NOVA_ENOMEM, "no memory for a list of log pages");
    }
    if (b->pos.idx < lines_of(b->pos.blk)) {
        struct fmt_entry pad = {.kind = FMT_PAD, .lines = 1};
        put_entry(b, &pad);
    }
    struct fmt_page_tail tail = {.magic = FMT_PAGE_MAGIC, .ino = log->ino, .gen = log->gen};
    fmt_page_tail_seal(log->m, &tail);
    ops->copy(ops, page_tail(log, blk), &tail, sizeof tail);
    /* This word lies behind the tail as long as the batch is not committed: nobody reads it, so it may tear. */
    uint32_t from = b->pos.blk;
    fmt_ptr next = fmt_ptr_make(log->m, from == 0 ? FMT_TAG_HEAD : FMT_TAG_NEXT, log->ino, log->gen, from, blk);
    ops->copy(ops, from == 0 ? &log->slot->head : &page_tail(log, from)->next, &next, sizeof next);
    b->pos = (struct log_pos){blk, 0};
    b->new_pages++;
    return NOVA_OK;
}

int log_append(struct log_batch *b, struct fmt_entry *e, struct nova_error *err) {
    if (b->seq >= INT64_MAX - 1) /* padding and an entry; only a damaged log gets there */
        return nova_fail_at(err, NOVA_ECORRUPT, media_off(b->log->m, b->log->slot),
                            "log of inode %u: its sequence numbers are used up", b->log->ino);
    if (b->pos.idx + e->lines > lines_of(b->pos.blk)) {
        int rc = next_page(b, err);
        if (rc != NOVA_OK)
            return rc;
    }
    put_entry(b, e);
    b->linked = b->linked || e->kind == FMT_LINK;
    b->certified = fmt_entry_certifies(e);
    b->at = b->pos;
    b->pos.idx += e->lines;
    b->appended++;
    return NOVA_OK;
}

fmt_ptr log_batch_tail(const struct log_batch *b) {
    return fmt_tail_make(b->log->m, b->log->ino, b->log->gen, (struct log_end){b->pos, b->linked});
}

void log_batch_store_tail(struct log_batch *b) {
    const struct pmem_ops *ops = b->log->m->ops;
    fmt_ptr *tail = &b->log->slot->tail;
    ops->store8(ops, tail, log_batch_tail(b));
    ops->flush(ops, tail, sizeof *tail);
    b->log->tail_lags = false;
}

void log_batch_end(struct log_batch *b) {
    b->log->tail = b->pos;
    b->log->linked = b->linked;
    b->log->seq = b->seq;
    if (b->new_pages != 0 && b->log->m->counts != NULL)
        work_count(&b->log->m->counts->log_pages_added, b->new_pages);
    if (b->in_slot)
        b->log->slot_cut = false;
    extent_list_free(&b->pages);
}

static int unknown(int os, struct nova_error *err) {
    return nova_fail_os(err, NOVA_EOS, os, "cannot persist the pool; close it and open it again to see its state");
}

/* The entry is the commit: what its drain refused may have happened. */
static int commit_certified(struct log_batch *b, struct nova_error *err) {
    const struct pmem_ops *ops = b->log->m->ops;
    int os = ops->drain(ops);
    if (os != 0) { /* and may lack its bytes: no tail, which could reach the media before them, may lie behind it */
        log_rollback(b);
        return unknown(os, err);
    }
    ops->store8(ops, &b->log->slot->tail, log_batch_tail(b));
    b->log->tail_lags = true;
    log_batch_end(b);
    return NOVA_OK;
}

int log_commit(struct log_batch *b, struct nova_error *err) {
    const struct pmem_ops *ops = b->log->m->ops;
    if (b->certified && b->appended == 1 && b->new_pages == 0 && !b->in_slot)
        return commit_certified(b, err);
    int os = ops->drain(ops);
    if (os != 0) {
        log_rollback(b);
        return nova_fail_os(err, NOVA_EOS, os, "cannot persist the pool; nothing was committed");
    }
    log_batch_store_tail(b);
    os = ops->drain(ops);
    log_batch_end(b);
    return os == 0 ? NOVA_OK : unknown(os, err);
}

void log_rollback(struct log_batch *b) {
    alloc_free_all(b->log->a, b->pages.ext, b->pages.n);
    extent_list_free(&b->pages);
}

int log_settle(struct log *log, struct nova_error *err) {
    const struct pmem_ops *ops = log->m->ops;
    if (!log->tail_lags)
        return NOVA_OK;
    ops->flush(ops, &log->slot->tail, sizeof log->slot->tail);
    int os = ops->drain(ops);
    log->tail_lags = os != 0;
    return os == 0 ? NOVA_OK : nova_fail_os(err, NOVA_EOS, os, "cannot persist the pool");
}

/* ---- after a crash ---- */

/* The entry at a place behind the tail, if it certifies itself. */
static const struct fmt_entry *certified_at(const struct log *log, struct log_pos pos) {
    const struct fmt_entry *e = (const struct fmt_entry *)(const void *)log_line(log, pos);
    bool looks = e->kind == FMT_WRITE && e->lines == 1 && e->ino == log->ino && e->gen == log->gen;
    return looks && fmt_entry_certifies(e) &&
                   fmt_entry_check(log->m, e, lines_of(pos.blk) - pos.idx, log->ino, log->gen, log->type) == NULL
               ? e
               : NULL;
}

int log_adopt(struct log *log, const struct log_cursor *end, uint8_t **torn, struct nova_error *err) {
    const struct fmt_entry *e, *last = NULL;
    struct log_pos at = log->tail;
    uint64_t seq = end->seq;
    *torn = NULL;
    while (at.idx < lines_of(at.blk) && (e = certified_at(log, at)) != NULL && e->seq == seq + 1) {
        last = e;
        seq++;
        at.idx++;
    }
    for (struct log_pos p = at; p.idx < lines_of(p.blk); p.idx++)
        if ((e = certified_at(log, p)) != NULL && e->seq > seq)
            return nova_fail_at(err, NOVA_ECORRUPT, media_off(log->m, log_line(log, at)),
                                "log of inode %u: an entry is damaged, behind which there are others", log->ino);
    if (last != NULL && !fmt_entry_data_ok(log->m, last)) {
        at.idx--;
        *torn = log_line(log, at);
    }
    log->tail = at;
    return NOVA_OK;
}

/* ---- cutting ---- */

int log_pages_between(const struct log *log, uint32_t prev, uint32_t keep, uint32_t max, struct extent_list *out,
                      struct nova_error *err) {
    uint32_t blk = prev;
    for (uint32_t n = 0; n <= max && blk != log->tail.blk; n++) {
        int rc = page_behind(log, blk, &blk, err);
        if (rc != NOVA_OK)
            return rc;
        if (blk == keep)
            return NOVA_OK;
        if (n < max && !extent_list_add(out, blk, 1))
            return nova_fail(err, NOVA_ENOMEM, "no memory for a list of log pages");
    }
    return nova_fail(err, NOVA_EINVAL, "block %u is none of the %u pages of the log of inode %u behind block %u", keep,
                     max + 1, log->ino, prev);
}

void log_cut(struct log *log, uint32_t prev, uint32_t keep) {
    const struct pmem_ops *ops = log->m->ops;
    fmt_ptr *ptr = prev == 0 ? &log->slot->head : &page_tail(log, prev)->next;
    ops->store8(ops, ptr,
                fmt_ptr_make(log->m, prev == 0 ? FMT_TAG_FIRST : FMT_TAG_NEXT, log->ino, log->gen, prev, keep));
    ops->flush(ops, ptr, sizeof *ptr);
    log->slot_cut = log->slot_cut || prev == 0;
}
