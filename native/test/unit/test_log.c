/* SPDX-License-Identifier: Apache-2.0 */
/* Logs: from the slot over page to page, padding, rollback, and every way in which a chain can be broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image.h"
#include "rng.h"

#define MIB ((uint64_t)1 << 20)

static struct image im;
static struct nova_error err;

static int set_up(void **state) {
    (void)state;
    image_new(&im, 4 * MIB, 1);
    memset(&err, 0, sizeof err);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    image_delete(&im);
    return 0;
}

union entry {
    struct fmt_entry e;
    uint8_t bytes[FMT_ENTRY_LINES_MAX * FMT_LINE];
};

/* An entry that says its number and takes `lines` lines; a truncate, or a dentry. */
static void numbered(union entry *x, uint64_t number, uint8_t lines) {
    char name[256] = {0};
    memset(x, 0, sizeof *x);
    if (lines == 1) {
        image_truncate_entry(&x->e, number);
        return;
    }
    memset(name, 'a', lines * FMT_LINE - FMT_DENTRY_NAME_OFF < 255 ? lines * FMT_LINE - FMT_DENTRY_NAME_OFF : 255);
    image_dentry(x, FMT_DENTRY_ADD, name, 2, (uint32_t)number + 1, NOVA_FILE);
    assert_int_equal(x->e.lines, lines);
}

static uint64_t number_of(const struct fmt_entry *e) {
    if (e->kind == FMT_TRUNCATE) {
        struct fmt_write_body w;
        memcpy(&w, e->payload, sizeof w);
        return w.size;
    }
    struct fmt_dentry_body d;
    memcpy(&d, e->payload, sizeof d);
    return d.gen - 1;
}

static void append(struct log *log, uint64_t number, uint8_t lines) {
    union entry x;
    numbered(&x, number, lines);
    image_append(log, &x.e);
}

/* Reads the log from its start: expects entries 0 .. n - 1; the pages entered. */
static uint32_t expect(const struct log *open, uint64_t n) {
    struct log log;
    struct log_cursor cur = {0};
    struct log_item item;
    uint32_t pages = 0;
    assert_int_equal(log_open(&log, &im.m, im.a, open->slot, &err), NOVA_OK);
    for (uint64_t i = 0; i < n; i++) {
        assert_int_equal(log_next(&log, &cur, &item, &err), NOVA_OK);
        assert_non_null(item.entry);
        assert_int_equal(number_of(item.entry), i);
        assert_ptr_equal(log_line(&log, item.pos), item.entry);
        assert_int_equal(cur.entries, i + 1);
        assert_int_equal(cur.seq, item.entry->seq);
        if (item.entered != 0) {
            pages++;
            assert_int_equal(item.entered, item.pos.blk);
            assert_int_equal(item.pos.idx, 0);
        }
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(log_next(&log, &cur, &item, &err), NOVA_OK);
        assert_null(item.entry);
        assert_int_equal(item.entered, 0);
    }
    assert_int_equal(cur.pages, pages);
    assert_int_equal(cur.pos.blk, log.tail.blk);
    assert_int_equal(cur.pos.idx, log.tail.idx);
    return pages;
}

/* ---- sound logs ---- */

static void an_empty_log(void **state) {
    (void)state;
    struct log log;
    image_inode(&im, NOVA_FILE, &log);
    assert_int_equal(expect(&log, 0), 0);
}

static void from_the_slot_to_pages(void **state) {
    (void)state;
    struct log log;
    image_inode(&im, NOVA_FILE, &log);
    uint32_t before = alloc_free_count(im.a);
    for (uint64_t n = 1; n < 400; n++) {
        append(&log, n - 1, 1);
        uint32_t pages = n <= FMT_INLINE_LINES
                             ? 0
                             : (uint32_t)((n - FMT_INLINE_LINES + FMT_PAGE_LINES - 1) / FMT_PAGE_LINES);
        assert_int_equal(expect(&log, n), pages);
        assert_int_equal(alloc_free_count(im.a), before - pages);
        assert_int_equal(log.seq, n);
    }
}

static void an_append_costs_two_drains(void **state) {
    (void)state;
    struct log log;
    image_inode(&im, NOVA_FILE, &log);
    for (uint64_t n = 0; n < 200; n++) {
        unsigned before = im.ops.drains;
        append(&log, n, 1);
        assert_int_equal(im.ops.drains, before + 2); /* also those that take another page */
    }
}

/* Entries of every length, at every position of slot and page: what does not fit is padded. */
static void padding(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    for (int round = 0; round < 30; round++) {
        struct log log;
        image_inode(&im, NOVA_DIR, &log);
        uint64_t n = 0;
        uint32_t left = FMT_INLINE_LINES, pages = 0;
        for (; n < 120; n++) {
            uint8_t take = (uint8_t)(2 + rng_below(&r, 4));
            append(&log, n, take);
            if (take > left) {
                pages++;
                left = FMT_PAGE_LINES;
            }
            left -= take;
        }
        assert_int_equal(expect(&log, n), pages);
        assert_true(log.seq >= n); /* padding counts */
    }
}

static void a_first_entry_that_does_not_fit_the_slot(void **state) {
    (void)state;
    for (uint8_t lines = 2; lines <= 5; lines++) {
        struct log log;
        image_inode(&im, NOVA_DIR, &log);
        append(&log, 0, lines);
        assert_int_equal(expect(&log, 1), lines > 3);
        append(&log, 1, 5);
        assert_int_equal(expect(&log, 2), 1);
    }
}

static void batches_are_whole(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    struct log log;
    image_inode(&im, NOVA_FILE, &log);
    uint64_t n = 0;
    for (int i = 0; i < 60; i++) {
        struct log_batch b;
        log_begin(&b, &log, 0);
        uint32_t many = rng_below(&r, 200);
        union entry x;
        for (uint32_t k = 0; k < many; k++) {
            numbered(&x, n + k, 1);
            assert_int_equal(log_append(&b, &x.e, &err), NOVA_OK);
        }
        expect(&log, n); /* nothing of it yet */
        if (rng_below(&r, 2) != 0) {
            assert_int_equal(log_commit(&b, &err), NOVA_OK);
            n += many;
        } else {
            uint32_t before = alloc_free_count(im.a);
            log_rollback(&b);
            assert_int_equal(alloc_free_count(im.a), before + b.new_pages);
        }
        expect(&log, n);
    }
    assert_true(n > 500);
}

/* No page for the batch: nothing of it stays, and the log goes on. */
static void no_space_for_a_page(void **state) {
    (void)state;
    struct log log;
    image_inode(&im, NOVA_FILE, &log);
    append(&log, 0, 1);
    append(&log, 1, 1);
    uint32_t held[4000], n = 0;
    while ((held[n] = alloc_one(im.a, 0)) != 0)
        n++;
    assert_true(alloc_free(im.a, held[--n], 1));
    assert_true(alloc_free(im.a, held[--n], 1));
    uint32_t left = alloc_free_count(im.a);
    struct log_batch b;
    union entry x;
    log_begin(&b, &log, 0);
    int rc = NOVA_OK;
    uint64_t k = 2;
    for (; rc == NOVA_OK; k++) {
        numbered(&x, k, 1);
        rc = log_append(&b, &x.e, &err);
    }
    assert_int_equal(rc, NOVA_ENOSPC);
    assert_int_equal(err.code, NOVA_ENOSPC);
    assert_int_equal(k - 1, FMT_INLINE_LINES + 2 * FMT_PAGE_LINES);
    log_rollback(&b);
    assert_int_equal(alloc_free_count(im.a), left);
    expect(&log, 2);
    append(&log, 2, 1);
    append(&log, 3, 1); /* needs a page */
    expect(&log, 4);
    assert_int_equal(alloc_free_count(im.a), left - 1);
    /* Without the reserve there is one block more, with it some more. */
    log_begin(&b, &log, ALLOC_RESERVE);
    for (k = 4; k < 4 + 3 * FMT_PAGE_LINES; k++) {
        numbered(&x, k, 1);
        assert_int_equal(log_append(&b, &x.e, &err), NOVA_OK);
    }
    assert_int_equal(log_commit(&b, &err), NOVA_OK);
    expect(&log, k);
}

static void refused_drains(void **state) {
    (void)state;
    struct log log;
    union entry x;
    struct log_batch b;
    image_inode(&im, NOVA_FILE, &log);
    for (uint64_t n = 0; n < 3; n++)
        append(&log, n, 1);
    uint32_t left = alloc_free_count(im.a);
    im.ops.fail_from = 1; /* the first: nothing happened */
    log_begin(&b, &log, 0);
    numbered(&x, 3, 1);
    assert_int_equal(log_append(&b, &x.e, &err), NOVA_OK);
    assert_int_equal(log_commit(&b, &err), NOVA_EOS);
    assert_true(err.os_errno != 0);
    assert_int_equal(alloc_free_count(im.a), left);
    expect(&log, 3);
    assert_int_equal(log.seq, 3);
    im.ops.fail_from = 2; /* the second: unknown; the page must not be given to anyone else */
    log_begin(&b, &log, 0);
    assert_int_equal(log_append(&b, &x.e, &err), NOVA_OK);
    assert_int_equal(log_commit(&b, &err), NOVA_EOS);
    assert_int_equal(alloc_free_count(im.a), left - 1);
    im.ops.fail_from = 0;
    expect(&log, 4);
}

/* ---- broken logs ---- */

/* A log of the given number of one-line entries; with 200, slot and four pages. */
static void log_of(struct log *log, uint64_t n) {
    image_inode(&im, NOVA_FILE, log);
    for (uint64_t i = 0; i < n; i++)
        append(log, i, 1);
}

static struct fmt_page *page(const struct log *log, unsigned nth) {
    uint32_t blk;
    assert_true(fmt_ptr_get(&im.m, FMT_TAG_HEAD, log->ino, log->gen, 0, log->slot->head, &blk));
    while (nth-- != 0) {
        const struct fmt_page *p = (const struct fmt_page *)(const void *)media_blk(&im.m, blk);
        assert_true(fmt_ptr_get(&im.m, FMT_TAG_NEXT, log->ino, log->gen, blk, p->tail.next, &blk));
    }
    return (struct fmt_page *)(void *)media_blk(&im.m, blk);
}

static uint32_t blk_of(const struct fmt_page *p) {
    return (uint32_t)(media_off(&im.m, p) / NOVA_BLOCK_SIZE);
}

static fmt_ptr next_word(const struct log *log, const struct fmt_page *from, uint32_t to) {
    return fmt_ptr_make(&im.m, FMT_TAG_NEXT, log->ino, log->gen, blk_of(from), to);
}

/* Expects `good` entries and then ECORRUPT at the given place, again and again. */
static void breaks_after(const struct log *open, uint64_t good, const void *place) {
    struct log log;
    struct log_cursor cur = {0};
    struct log_item item;
    assert_int_equal(log_open(&log, &im.m, im.a, open->slot, &err), NOVA_OK);
    for (uint64_t i = 0; i < good; i++) {
        assert_int_equal(log_next(&log, &cur, &item, &err), NOVA_OK);
        assert_non_null(item.entry);
        assert_int_equal(number_of(item.entry), i);
    }
    for (int i = 0; i < 2; i++) {
        struct log_cursor before = cur;
        assert_int_equal(log_next(&log, &cur, &item, &err), NOVA_ECORRUPT);
        assert_null(item.entry);
        assert_int_equal(item.entered, 0);
        assert_memory_equal(&before, &cur, sizeof cur);
        assert_int_equal(err.code, NOVA_ECORRUPT);
        if (place != NULL)
            assert_int_equal(err.pool_off, media_off(&im.m, place));
    }
}

static void set_tail(struct log *log, uint32_t blk, uint32_t idx) {
    log->slot->tail = fmt_tail_make(&im.m, log->ino, log->gen, (struct log_end){{blk, idx}, false});
}

static void reseal(struct fmt_entry *e) {
    fmt_entry_seal(&im.m, e);
}

static struct fmt_entry *line(struct fmt_page *p, unsigned i) {
    return (struct fmt_entry *)(void *)p->lines[i];
}

static void a_damaged_tail_word(void **state) {
    (void)state;
    struct log log, again;
    log_of(&log, 5);
    fmt_ptr good = log.slot->tail;
    for (int bit = 0; bit < 64; bit++) {
        log.slot->tail = good ^ (fmt_ptr)1 << bit;
        assert_int_equal(log_open(&again, &im.m, im.a, log.slot, &err), NOVA_ECORRUPT);
        assert_int_equal(err.pool_off, media_off(&im.m, &log.slot->tail));
    }
    log.slot->tail = 0;
    assert_int_equal(log_open(&again, &im.m, im.a, log.slot, &err), NOVA_ENOENT);
}

static void tails_that_lie(void **state) {
    (void)state;
    struct log log, dir;
    log_of(&log, 70);
    struct fmt_page *p0 = page(&log, 0), *p1 = page(&log, 1);
    set_tail(&log, 0, 2); /* earlier is legal: the log as it once was */
    expect(&log, 2);
    set_tail(&log, blk_of(p0), 10);
    expect(&log, 13);
    set_tail(&log, blk_of(p1), 10); /* beyond the last entry: old bytes of the block */
    breaks_after(&log, 70, p1->lines[4]);
    set_tail(&log, blk_of(p0) + 7, 5); /* in a page that is not of this log */
    breaks_after(&log, 70, NULL);
    image_inode(&im, NOVA_DIR, &dir);
    append(&dir, 0, 5);
    set_tail(&dir, dir.tail.blk, 3); /* inside an entry */
    breaks_after(&dir, 0, page(&dir, 0)->lines[0]);
}

static void pointers_to_the_wrong_page(void **state) {
    (void)state;
    struct log log, other;
    log_of(&log, 200);
    log_of(&other, 200);
    struct fmt_page *p[3] = {page(&log, 0), page(&log, 1), page(&log, 2)};
    fmt_ptr head = log.slot->head, next = p[0]->tail.next;
    for (int bit = 0; bit < 64; bit++) { /* flipped bits */
        log.slot->head = head ^ (fmt_ptr)1 << bit;
        breaks_after(&log, 3, &log.slot->head);
        log.slot->head = head;
        p[0]->tail.next = next ^ (fmt_ptr)1 << bit;
        breaks_after(&log, 66, &p[0]->tail.next);
        p[0]->tail.next = next;
    }
    log.slot->head = 0;
    breaks_after(&log, 3, &log.slot->head);
    log.slot->head = head;
    /* words that are valid elsewhere */
    p[0]->tail.next = p[1]->tail.next;
    breaks_after(&log, 66, &p[0]->tail.next);
    p[0]->tail.next = page(&other, 0)->tail.next;
    breaks_after(&log, 66, &p[0]->tail.next);
    p[0]->tail.next = head;
    breaks_after(&log, 66, &p[0]->tail.next);
    /* sealed words to blocks that are no page of this log */
    p[0]->tail.next = next_word(&log, p[0], blk_of(page(&other, 1)));
    breaks_after(&log, 66, &page(&other, 1)->tail);
    p[0]->tail.next = next_word(&log, p[0], im.m.data_end - 1);
    breaks_after(&log, 66, NULL);
    p[0]->tail.next = next_word(&log, p[0], im.m.data_end);
    breaks_after(&log, 66, &p[0]->tail.next);
    p[0]->tail.next = next_word(&log, p[0], 0);
    breaks_after(&log, 66, &p[0]->tail.next);
    p[0]->tail.next = next_word(&log, p[0], im.m.itable_blk);
    breaks_after(&log, 66, &p[0]->tail.next);
    p[0]->tail.next = next;
    expect(&log, 200);
}

/* Pages in a ring, sealed as if they belonged so: their sequence numbers end it. */
static void rings_end(void **state) {
    (void)state;
    struct log log;
    log_of(&log, 200);
    for (unsigned from = 0; from < 4; from++) {
        for (unsigned to = 0; to <= from; to++) {
            struct fmt_page *pf = page(&log, from), *pt = page(&log, to);
            fmt_ptr good = pf->tail.next, tail = log.slot->tail;
            pf->tail.next = next_word(&log, pf, blk_of(pt));
            if (from == 3) /* the tail's own page is never left; put the tail where no ring reaches it */
                set_tail(&log, blk_of(page(&log, 0)) + 100, 1);
            breaks_after(&log, from == 3 ? 200 : 66 + 63 * from, from == 3 ? NULL : pt->lines[0]);
            pf->tail.next = good;
            log.slot->tail = tail;
        }
    }
    expect(&log, 200);
}

/* A page of nothing but padding would let a ring run without a sequence number growing. */
static void pages_of_padding(void **state) {
    (void)state;
    struct log log;
    log_of(&log, 200);
    struct fmt_page *p = page(&log, 1);
    line(p, 0)->kind = FMT_PAD;
    reseal(line(p, 0));
    breaks_after(&log, 66, p->lines[0]);
}

static void page_tails_are_checked(void **state) {
    (void)state;
    struct log log;
    log_of(&log, 200);
    struct fmt_page *p = page(&log, 1);
    for (size_t bit = 0; bit < offsetof(struct fmt_page_tail, next) * 8; bit += 3) {
        ((uint8_t *)&p->tail)[bit / 8] ^= (uint8_t)(1u << bit % 8);
        breaks_after(&log, 66, &p->tail);
        ((uint8_t *)&p->tail)[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    struct fmt_page_tail good = p->tail;
    p->tail.gen++; /* of an earlier life of the inode */
    fmt_page_tail_seal(&im.m, &p->tail);
    breaks_after(&log, 66, &p->tail);
    p->tail = good;
    p->tail.ino++;
    fmt_page_tail_seal(&im.m, &p->tail);
    breaks_after(&log, 66, &p->tail);
    p->tail = good;
    expect(&log, 200);
}

static void sequence_numbers_grow(void **state) {
    (void)state;
    struct log log;
    log_of(&log, 80);
    struct fmt_page *p = page(&log, 0);
    struct fmt_entry *e = line(p, 20);
    uint64_t good = e->seq;
    const uint64_t bad[] = {good - 1, 1, 0, UINT64_MAX};
    for (size_t i = 0; i < 4; i++) {
        e->seq = bad[i];
        reseal(e);
        breaks_after(&log, 23, e);
    }
    e->seq = good + 1; /* then the next one does not grow */
    reseal(e);
    breaks_after(&log, 24, line(p, 21));
    e->seq = good;
    reseal(e);
    for (unsigned i = 21; i < 63; i++) { /* gaps are legal */
        line(p, i)->seq += 1000;
        reseal(line(p, i));
    }
    breaks_after(&log, 66, NULL);
}

static void entries_out_of_place(void **state) {
    (void)state;
    struct log log, other;
    log_of(&log, 80);
    log_of(&other, 80);
    struct fmt_page *p = page(&log, 0);
    uint8_t good[FMT_LINE];
    memcpy(good, p->lines[7], sizeof good);
    memcpy(p->lines[7], p->lines[6], FMT_LINE); /* twice the same */
    breaks_after(&log, 10, p->lines[7]);
    memcpy(p->lines[7], page(&other, 0)->lines[7], FMT_LINE);
    breaks_after(&log, 10, p->lines[7]);
    memset(p->lines[7], 0, FMT_LINE);
    breaks_after(&log, 10, p->lines[7]);
    memset(p->lines[7], 0xff, FMT_LINE);
    breaks_after(&log, 10, p->lines[7]);
    memcpy(p->lines[7], good, sizeof good);
    line(p, 7)->kind = FMT_PAD; /* padding in mid-page hides what follows it: the next page goes on */
    reseal(line(p, 7));
    struct log_cursor cur = {0};
    struct log_item item;
    for (int i = 0; i < 11; i++)
        assert_int_equal(log_next(&log, &cur, &item, &err), NOVA_OK);
    assert_int_equal(item.entered, blk_of(page(&log, 1)));
    memcpy(p->lines[7], good, sizeof good);
    for (size_t bit = 0; bit < FMT_LINE * 8; bit++) {
        p->lines[7][bit / 8] ^= (uint8_t)(1u << bit % 8);
        breaks_after(&log, 10, p->lines[7]);
        p->lines[7][bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    expect(&log, 80);
}

static void entries_of_the_wrong_inode_type(void **state) {
    (void)state;
    struct log log;
    log_of(&log, 5);
    log.slot->type = NOVA_DIR;
    fmt_inode_seal(&im.m, log.slot);
    breaks_after(&log, 0, log.slot->lines[0]);
}

/* The last sequence number there is: the log refuses to grow instead of becoming unreadable. */
static void the_last_sequence_number(void **state) {
    (void)state;
    struct log log;
    log_of(&log, 1);
    struct fmt_entry *e = (struct fmt_entry *)(void *)log.slot->lines[0];
    e->seq = INT64_MAX;
    reseal(e);
    struct log_cursor cur = {0};
    struct log_item item;
    assert_int_equal(log_next(&log, &cur, &item, &err), NOVA_OK);
    log.seq = cur.seq;
    union entry x;
    struct log_batch b;
    numbered(&x, 1, 1);
    log_begin(&b, &log, 0);
    assert_int_equal(log_append(&b, &x.e, &err), NOVA_ECORRUPT);
    log_rollback(&b);
    expect(&log, 1);
}

/* Random damage, half of it under a good checksum: every read ends, with an error or at the end. */
static void random_damage_is_survived(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    uint8_t *copy = malloc(im.m.size);
    assert_non_null(copy);
    struct log logs[2];
    image_inode(&im, NOVA_DIR, &logs[0]);
    for (uint64_t n = 0; n < 60; n++)
        append(&logs[0], n, (uint8_t)(2 + n % 4));
    log_of(&logs[1], 200);
    memcpy(copy, im.m.base, im.m.size);
    unsigned corrupt = 0, sound = 0;
    for (int round = 0; round < 30000; round++) {
        const struct log *open = &logs[round % 2];
        struct fmt_page *p = page(open, rng_below(&r, 3));
        uint32_t blks[4] = {blk_of(p), blk_of(page(&logs[0], 0)), blk_of(page(&logs[1], 1)), open->tail.blk};
        for (uint32_t k = 1 + rng_below(&r, 3); k != 0; k--) {
            unsigned i = rng_below(&r, FMT_PAGE_LINES);
            switch (rng_below(&r, 6)) {
            case 0: ((uint8_t *)p)[rng_below(&r, NOVA_BLOCK_SIZE)] ^= (uint8_t)(1u << rng_below(&r, 8)); break;
            case 1: p->tail.next = next_word(open, p, blks[rng_below(&r, 4)]); break;
            case 2: set_tail((struct log *)(uintptr_t)open, blks[rng_below(&r, 4)], rng_below(&r, 66)); break;
            case 3:
                line(p, i)->lines = (uint8_t)rng_below(&r, 7);
                if (line(p, i)->lines >= 1 && line(p, i)->lines <= FMT_PAGE_LINES - i)
                    reseal(line(p, i));
                break;
            case 4:
                line(p, i)->kind = (uint8_t)rng_below(&r, 8);
                if (line(p, i)->lines >= 1 && line(p, i)->lines <= FMT_PAGE_LINES - i)
                    reseal(line(p, i));
                break;
            default:
                line(p, i)->seq = rng_below(&r, 300);
                if (line(p, i)->lines >= 1 && line(p, i)->lines <= FMT_PAGE_LINES - i)
                    reseal(line(p, i));
            }
        }
        struct log log;
        struct log_cursor cur = {0};
        struct log_item item;
        int rc = log_open(&log, &im.m, im.a, open->slot, &err);
        unsigned steps = 0;
        do {
            if (rc == NOVA_OK)
                rc = log_next(&log, &cur, &item, &err);
            assert_true(++steps < 500);
        } while (rc == NOVA_OK && item.entry != NULL);
        assert_true(rc == NOVA_OK || rc == NOVA_ECORRUPT);
        corrupt += rc != NOVA_OK;
        sound += rc == NOVA_OK;
        for (unsigned b = 0; b < 4; b++) { /* undo */
            uint64_t off = (uint64_t)blks[b] * NOVA_BLOCK_SIZE;
            memcpy(im.m.base + off, copy + off, NOVA_BLOCK_SIZE);
        }
        uint64_t off = media_off(&im.m, open->slot);
        memcpy(im.m.base + off, copy + off, FMT_SLOT);
    }
    assert_memory_equal(im.m.base, copy, im.m.size);
    assert_true(corrupt > 1000 && sound > 100);
    free(copy);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_empty_log),
        TEST(from_the_slot_to_pages),
        TEST(an_append_costs_two_drains),
        TEST(padding),
        TEST(a_first_entry_that_does_not_fit_the_slot),
        TEST(batches_are_whole),
        TEST(no_space_for_a_page),
        TEST(refused_drains),
        TEST(a_damaged_tail_word),
        TEST(tails_that_lie),
        TEST(pointers_to_the_wrong_page),
        TEST(rings_end),
        TEST(pages_of_padding),
        TEST(page_tails_are_checked),
        TEST(sequence_numbers_grow),
        TEST(entries_out_of_place),
        TEST(entries_of_the_wrong_inode_type),
        TEST(the_last_sequence_number),
        TEST(random_damage_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
