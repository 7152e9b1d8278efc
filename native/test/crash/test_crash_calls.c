/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every call alone, with awkward sizes: what a crash at any moment leaves must be the state before or after it. A new
 * call, or a new case of one, is a function and a row.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/layout.h"
#include "workload.h"

#define BLK ((uint64_t)NOVA_BLOCK_SIZE)
#define SLOT_ENTRIES FMT_INLINE_LINES /* of one line, that fit an inode's slot */
#define PAGE_ENTRIES FMT_PAGE_LINES   /* the same of a log page */

/* b bytes at offset a of a file of c bytes. */
static void write_at(struct world *w, const struct workload *row) {
    if (row->c != 0)
        put(w, "a", 0, row->c);
    else
        make(w, "a");
    record(w);
    put(w, "a", row->a, row->b);
}

/* The same in a file whose last block holds stale bytes behind the end. */
static void write_stale(struct world *w, const struct workload *row) {
    put(w, "a", 0, row->c + 3 * BLK);
    cut(w, "a", row->c);
    record(w);
    put(w, "a", row->a, row->b);
}

/* From c bytes to a bytes, and on to b bytes. */
static void truncate_to(struct world *w, const struct workload *row) {
    put(w, "a", 0, row->c);
    record(w);
    cut(w, "a", row->a);
    cut(w, "a", row->b);
}

/* a bytes into single free blocks. */
static void write_fragmented(struct world *w, const struct workload *row) {
    fragment(w, 100);
    make(w, "a");
    record(w);
    put(w, "a", 0, row->a);
    put(w, "a", row->b, row->c);
}

static void write_pieces(struct world *w, const struct workload *row) {
    put(w, "a", 0, row->c);
    record(w);
    put_pieces(w, "a", row->a, row->b, 777, row->a % 2 == 0);
}

/* Entries up to a before the slot's or page's end; then writes over it. */
static void log_end(struct world *w, const struct workload *row) {
    make(w, "a");
    for (uint64_t i = 0; i < row->a; i++)
        put(w, "a", i, 1);
    record(w);
    for (uint64_t i = 0; i < row->b; i++)
        put(w, "a", 100 + i, 1);
}

/* A write of several entries that begins in one page and ends in the next. */
static void log_end_fragmented(struct world *w, const struct workload *row) {
    fragment(w, (uint32_t)row->c);
    log_end(w, &(struct workload){.a = row->a});
    put(w, "a", 0, row->b);
}

static const char *name_of(uint64_t len, uint64_t no) {
    static char name[256];
    memset(name, 'n', sizeof name);
    int n = snprintf(name, sizeof name, "%llu", (unsigned long long)no);
    name[n] = 'n';
    name[len] = '\0';
    return name;
}

/* Fills a lines of the root's log with names, then makes and removes one of b bytes. */
static void long_name(struct world *w, const struct workload *row) {
    uint64_t lines = row->a;
    if (lines % 2 != 0) { /* of two lines; the rest in pairs */
        make(w, name_of(60, 1));
        drop(w, name_of(60, 1));
        make(w, "odd");
        lines -= 5;
    }
    for (uint64_t i = 0; i < lines / 2; i++) {
        make(w, "pair");
        drop(w, "pair");
    }
    put(w, "b", 0, 10);
    lines = row->b;
    record(w);
    make(w, name_of(lines, 2));
    move(w, name_of(lines, 2), "short");
    move(w, "short", name_of(lines, 3));
    drop(w, name_of(lines, 3));
}

static void make_and_drop(struct world *w, const struct workload *row) {
    record(w);
    put(w, "a", 0, row->a);
    drop(w, "a");
    put(w, "b", 0, row->b); /* the slot's and the blocks' second life */
}

static void drop_while_open(struct world *w, const struct workload *row) {
    put(w, "a", 0, row->a);
    put(w, "b", 0, 10);
    record(w);
    drop_open(w, "a");
    put(w, "b", 10, 5000);
    drop_close(w, "a");
    put(w, "c", 0, 5000);
}

/* The orphan is still there when the pool is closed. */
static void drop_and_close_pool(struct world *w, const struct workload *row) {
    put(w, "a", 0, row->a);
    record(w);
    drop_open(w, "a");
    close_pool(w);
    open_pool(w);
    put(w, "c", 0, 100);
}

static void rename_over(struct world *w, const struct workload *row) {
    put(w, "a", 0, row->a);
    if (row->b != 0)
        put(w, "b", 0, row->b);
    if (row->c != 0) /* with nobody holding it open */
        close_file(w, "b");
    record(w);
    move(w, "a", "b");
    put(w, "c", 0, 5000);
    drop_close(w, "b");
}

static void grow_table(struct world *w, const struct workload *row) {
    (void)row;
    char name[8];
    for (int i = 0; i < 13; i++) {
        snprintf(name, sizeof name, "f%d", i);
        make(w, name);
    }
    record(w);
    make(w, "last");
    make(w, "next");
    put(w, "next", 0, 100);
}

/* Pages of the log that hold nothing of effect: a in front, b in the middle. Or, with c, back into the slot. */
static void clean(struct world *w, const struct workload *row) {
    put(w, "a", 0, 2 * BLK);
    put(w, "b", 0, 10);
    for (uint64_t i = 0; i < SLOT_ENTRIES + PAGE_ENTRIES * row->a; i++)
        put(w, "a", i, 1);
    put(w, "a", BLK, 100);
    clean_log(w, "a", 1);
    for (uint64_t i = 0; i < PAGE_ENTRIES * (row->b + (row->b != 0)); i++)
        put(w, "a", i, 1);
    record(w);
    clean_log(w, "a", row->c != 0 ? UINT32_MAX : 1);
    cut_dead(w, "a");
    put(w, "b", 5, 5 * BLK);
    if (row->c != 0)
        restart_log(w, "a");
    put(w, "b", 10, 7 * BLK); /* into the pages that came free */
    put(w, "a", 3, 3);
}

/* Pages in the middle of the log with little that counts. */
static void gather(struct world *w, const struct workload *row) {
    put(w, "a", 0, 9 * BLK);
    put(w, "b", 0, 10);
    for (uint64_t i = 0; i < SLOT_ENTRIES + PAGE_ENTRIES; i++)
        put(w, "a", i, 1);
    clean_log(w, "a", 1);
    for (uint64_t i = 0; i < PAGE_ENTRIES; i++)
        put(w, "a", i, 1);
    for (uint64_t k = 0; k <= row->a; k++) {
        put(w, "a", (2 * k + 2) * BLK, BLK + 1);
        for (uint64_t i = 0; i < PAGE_ENTRIES; i++)
            put(w, "a", i, 1);
    }
    record(w);
    assert_int_not_equal(gather_log(w, "a"), 0);
    cut_dead(w, "a");
    put(w, "b", 5, 5 * BLK); /* into the pages that came free */
    put(w, "a", 2 * BLK + 3, 3);
    clean_log(w, "a", 1);
}

/* Of one that cannot be written to, and of a directory, with names and attributes of several lines. */
static void clean_names(struct world *w, const struct workload *row) {
    make_dir(w, "d");
    make_symlink(w, "d/link", 300);
    for (uint64_t i = 0; i < row->a; i++) {
        set_xattr(w, "d/link", "user.x", 100);
        make(w, "d/passing");
        move(w, "d/passing", "d/passed");
        drop(w, "d/passed");
    }
    make(w,
         "d/an-entry-of-more-than-two-lines-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    set_xattr(w, "d", "user.y", 5000);
    put(w, "b", 0, 10);
    move(w, "b", "d/b"); /* a record of the journal names the directory */
    record(w);
    clean_log(w, "d", 2);
    clean_log(w, "d/link", 2);
    put(w, "d/b", 5, 5 * BLK);
    restart_log(w, "d/link");
    drop(w, "d/b");
    restart_log(w, "d");
    put(w, "c", 10, 7 * BLK);
    make(w, "d/new");
    set_attr(w, "d/link", NOVA_ATTR_MTIME);
}

/* On a pool without a free block but the reserve. */
static void full_pool(struct world *w, const struct workload *row) {
    put(w, "a", 0, 5 * BLK + 100);
    put(w, "b", 0, 100);
    for (uint64_t i = 0; i < SLOT_ENTRIES - 1; i++)
        put(w, "b", 100 + i, 1); /* the next entry needs a page */
    struct nova_pool_info info;
    nova_pool_info(w->s.pool, &info);
    put(w, "fill", 0, (info.blocks_free - info.blocks_reserve) * BLK);
    record(w);
    if (row->a == 0) {
        cut(w, "b", 50);
        cut(w, "a", 10);
    } else {
        drop(w, "a");
    }
    put(w, "b", 50, 10);
}

/* Blocks for the bytes, but none for the log: refused when all is written but the entry. In place if a is 1. */
static void full_log(struct world *w, const struct workload *row) {
    struct nova_pool_info info;
    put(w, "b", 0, 100);
    put(w, "a", 0, 100);
    for (uint64_t i = 0; i < SLOT_ENTRIES - 1; i++)
        put(w, "a", 100 + i, 1); /* the next entry needs a page */
    nova_pool_info(w->s.pool, &info);
    put(w, "fill", 0, (info.blocks_free - info.blocks_reserve - row->b) * BLK);
    record(w);
    put_fails(w, "a", row->a == 1 ? size_of(w, "a") : 50, row->a == 1 ? 1000 : row->b * BLK - 60);
    put(w, "b", 100, 50);
}

static void give_up(struct world *w, const struct workload *row) {
    put(w, "a", 0, row->c);
    record(w);
    put_abort(w, "a", row->a, row->b, row->b / 2);
    put(w, "a", row->c, 100);
}

static void reopen(struct world *w, const struct workload *row) {
    put(w, "a", 0, row->a);
    record(w);
    put(w, "a", 100, 100);
    close_pool(w);
    open_pool(w);
    put(w, "a", 200, 100);
    close_pool(w);
}

static const struct workload calls[] = {
    {"write into an empty file, 1", write_at, 0, 1, 0, 0},
    {"write into an empty file, 7", write_at, 0, 7, 0, 0},
    {"write into an empty file, 63", write_at, 0, 63, 0, 0},
    {"write into an empty file, 64", write_at, 0, 64, 0, 0},
    {"write into an empty file, 65", write_at, 0, 65, 0, 0},
    {"write into an empty file, 4095", write_at, 0, 4095, 0, 0},
    {"write into an empty file, 4096", write_at, 0, 4096, 0, 0},
    {"write into an empty file, 4097", write_at, 0, 4097, 0, 0},
    {"write into an empty file, several blocks", write_at, 0, 3 * BLK + 5, 0, 0},
    {"write into an empty file, not from the start", write_at, 77, 1000, 0, 0},
    {"write into an empty file, blocks from the start", write_at, 2 * BLK + 77, 1000, 0, 0},
    {"overwrite within a block, 1", write_at, 100, 1, 500, 0},
    {"overwrite within a block, unaligned", write_at, 63, 66, 500, 0},
    {"overwrite a whole block", write_at, BLK, BLK, 3 * BLK, 0},
    {"overwrite across blocks", write_at, BLK - 7, 14, 2 * BLK, 0},
    {"overwrite across three blocks", write_at, BLK - 1, BLK + 2, 3 * BLK, 0},
    {"overwrite across the end", write_at, 400, 200, 500, 0},
    {"overwrite all and beyond", write_at, 0, 5000, 4500, 0},
    {"append in place, 1", write_at, 100, 1, 100, 0},
    {"append in place, 7", write_at, 57, 7, 57, 0},
    {"append in place, 63", write_at, 3, 63, 3, 0},
    {"append in place, up to the block's end", write_at, 4000, 96, 4000, 0},
    {"append in place, a line", write_at, 64, 64, 64, 0},
    {"append in place, non-temporal", write_at, 65, 1000, 65, 0},
    {"append across blocks", write_at, 4000, 200, 4000, 0},
    {"append across three blocks", write_at, 4095, BLK + 2, 4095, 0},
    {"append at a block's end", write_at, BLK, 100, BLK, 0},
    {"append over stale bytes", write_stale, 100, 20, 100, 0},
    {"append over stale bytes, across blocks", write_stale, 100, 2 * BLK, 100, 0},
    {"gap in the block", write_at, 200, 10, 100, 0},
    {"gap in the block, stale bytes", write_stale, 200, 10, 100, 0},
    {"gap in the block, then another block", write_at, 200, BLK, 100, 0},
    {"gap over blocks", write_at, 2 * BLK + 10, 10, 100, 0},
    {"gap over blocks, stale bytes", write_stale, 2 * BLK + 10, 10, 100, 0},
    {"gap to the next block", write_at, BLK, 10, 100, 0},
    {"gap over blocks, end at a block's", write_at, 2 * BLK + 10, 10, BLK, 0},
    {"truncate up in the block", truncate_to, 200, 300, 100, 0},
    {"truncate up over blocks", truncate_to, 2 * BLK + 10, 3 * BLK, 100, 0},
    {"truncate up by one", truncate_to, 101, 102, 100, 0},
    {"truncate from a block's end", truncate_to, BLK + 1, BLK + 2, BLK, 0},
    {"truncate to nothing", truncate_to, 0, 100, 2 * BLK + 5, 0},
    {"truncate within the block, then up", truncate_to, 50, 150, 200, 0},
    {"truncate within the block, then up over blocks", truncate_to, 50, 3 * BLK, 2 * BLK + 200, 0},
    {"truncate to a block's end, then up", truncate_to, BLK, 2 * BLK, 2 * BLK + 200, 0},
    {"fragmented write", write_fragmented, 3 * BLK, 0, 3 * BLK, 0},
    {"fragmented write, unaligned", write_fragmented, 3 * BLK - 9, 100, 3 * BLK, 0},
    {"fragmented write, more records than fit an answer", write_fragmented, 20 * BLK, 19 * BLK - 5, 10, 0},
    {"write by pieces", write_pieces, 100, 5000, 200, 0},
    {"write by pieces, backwards", write_pieces, 201, 5000, 300, 0},
    {"append by pieces", write_pieces, 300, 5000, 300, 0},
    {"write by pieces beyond the end", write_pieces, BLK + 301, 2000, 300, 0},
    {"log: slot to first page", log_end, SLOT_ENTRIES - 1, 3, 0, 0},
    {"log: page to page", log_end, SLOT_ENTRIES + PAGE_ENTRIES - 1, 3, 0, 0},
    {"log: several entries over the slot's end", log_end_fragmented, SLOT_ENTRIES - 1, 4 * BLK, 100, 0},
    {"log: several entries over a page's end", log_end_fragmented, SLOT_ENTRIES + PAGE_ENTRIES - 2, 4 * BLK, 100, 0},
    {"log: two pages in one write", log_end_fragmented, SLOT_ENTRIES, 67 * BLK, 106, 0},
    {"clean: a page", clean, 1, 0, 0, 0},
    {"clean: pages", clean, 3, 0, 0, 0},
    {"clean: pages in the middle", clean, 1, 3, 0, 0},
    {"clean: sparse pages in the middle", gather, 0, 0, 0, 0},
    {"clean: sparse pages in the middle, two", gather, 1, 0, 0, 0},
    {"clean: back into the slot", clean, 1, 0, 1, 0},
    {"clean: names and attributes", clean_names, 35, 0, 0, 0},
    {"names of a line", long_name, 0, 20, 0, 0},
    {"names of two lines", long_name, 0, 21, 0, 0},
    {"names of five lines, padded slot", long_name, 0, 255, 0, 0},
    {"names of five lines, padded page", long_name, 60, 255, 0, 0},
    {"names of five lines, page of the last line", long_name, 64, 255, 0, 0},
    {"make and drop, empty", make_and_drop, 1, 1, 0, 0},
    {"make and drop", make_and_drop, 5000, 200, 0, 0},
    {"drop while open", drop_while_open, 5000, 0, 0, 0},
    {"drop while open, close the pool", drop_and_close_pool, 5000, 0, 0, 0},
    {"rename", rename_over, 100, 0, 0, 0},
    {"rename over an open file", rename_over, 100, 200, 0, 0},
    {"rename over a file", rename_over, 100, 5000, 1, 0},
    {"table growth", grow_table, 0, 0, 0, 0},
    {"full pool: truncate", full_pool, 0, 0, 0, 0},
    {"full pool: drop", full_pool, 1, 0, 0, 0},
    {"full pool: no page for the log, in place", full_log, 1, 0, 0, 0},
    {"full pool: no page for the log, new block", full_log, 0, 1, 0, 0},
    {"full pool: no page for the log, blocks", full_log, 0, 3, 0, 0},
    {"give up a write", give_up, 50, 5000, 300, 0},
    {"give up a write in place", give_up, 300, 1000, 300, 0},
    {"lanes: make and drop", make_and_drop, 5000, 200, 0, NOVA_POOL_SIZE_MIN * 4},
    {"lanes: close and open", reopen, 5000, 0, 0, NOVA_POOL_SIZE_MIN * 4},
    {"close and open", reopen, 5000, 0, 0, 0},
};

static void test_calls(void **state) {
    (void)state;
    explore_calls("every call alone", calls, sizeof calls / sizeof *calls);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_calls)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
