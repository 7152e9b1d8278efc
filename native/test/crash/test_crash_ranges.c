/* SPDX-License-Identifier: Apache-2.0 */
/* Calls on ranges of a file with awkward places and sizes (test_crash_calls.c has those of the other calls). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "workload.h"

#define BLK ((uint64_t)NOVA_BLOCK_SIZE)
#define SLOT_ENTRIES 3u  /* that fit an inode's slot */
#define PAGE_ENTRIES 63u /* that fit a log page */

/* A file of `size` bytes, with others behind its end. */
static void stale_file(struct world *w, uint64_t size) {
    put(w, "a", 0, size + 2 * BLK);
    cut(w, "a", size);
}

/* b bytes at a of a file of c bytes. */
static void punch_at(struct world *w, const struct workload *row) {
    stale_file(w, row->c);
    record(w);
    punch(w, "a", row->a, row->b);
}

/* The same in a file that has pages 1 and 3 only, and a byte at c. */
static void punch_sparse(struct world *w, const struct workload *row) {
    put(w, "a", BLK, BLK);
    put(w, "a", 3 * BLK, BLK);
    put(w, "a", row->c, 1);
    record(w);
    punch(w, "a", row->a, row->b);
}

static void collapse_at(struct world *w, const struct workload *row) {
    stale_file(w, row->c);
    record(w);
    collapse(w, "a", row->a, row->b);
    put(w, "b", 0, 5000); /* takes what came free */
}

static void insert_at(struct world *w, const struct workload *row) {
    stale_file(w, row->c);
    record(w);
    insert(w, "a", row->a, row->b);
    put(w, "a", row->a, 10);
}

static void allocate_at(struct world *w, const struct workload *row) {
    stale_file(w, row->c);
    record(w);
    allocate(w, "a", row->a, row->b, false);
}

/* Beyond the end; then the end moves over it. */
static void allocate_keep(struct world *w, const struct workload *row) {
    stale_file(w, row->c);
    record(w);
    allocate(w, "a", row->a, row->b, true);
    cut(w, "a", row->a + row->b - 100);
    cut(w, "a", 10);
}

/* Blocks beyond the end move with it, in both directions; a write lands among them. */
static void shift_allocated(struct world *w, const struct workload *row) {
    stale_file(w, row->c);
    allocate(w, "a", row->c, 3 * BLK, true);
    record(w);
    insert(w, "a", 0, BLK);
    collapse(w, "a", BLK, BLK);
    put(w, "a", row->c + BLK, 100);
}

/* Between pages that are there: more runs, and in single free blocks more entries than an answer holds. */
static void allocate_fragmented(struct world *w, const struct workload *row) {
    fragment(w, 60);
    put(w, "a", 2 * BLK, BLK);
    put(w, "a", 4 * BLK + 7, 100);
    record(w);
    allocate(w, "a", 0, row->a, row->b != 0);
}

/* Entries up to a; then a hole of three entries, and a collapse. */
static void log_end(struct world *w, const struct workload *row) {
    put(w, "a", 0, 4 * BLK);
    for (uint64_t i = 1; i < row->a; i++)
        put(w, "a", 4 * BLK + i, 1);
    record(w);
    punch(w, "a", 100, 3 * BLK);
    collapse(w, "a", BLK, BLK);
    insert(w, "a", BLK, BLK);
}

static void hole_of_a_collapsed_page(struct world *w, const struct workload *row) {
    stale_file(w, row->c);
    record(w);
    punch(w, "a", row->a, row->b);
    collapse(w, "a", 0, BLK);
    insert(w, "a", 0, 2 * BLK);
    cut(w, "a", row->c + 2 * BLK);
    put(w, "a", size_of(w, "a") + 10, 10);
}

/* On a pool without a free block but the reserve. */
static void full_pool(struct world *w, const struct workload *row) {
    put(w, "a", 0, 5 * BLK + 100);
    for (uint64_t i = 0; i < SLOT_ENTRIES - 1; i++)
        put(w, "a", i, 1); /* the next entry needs a page */
    put(w, "b", 0, 100);
    struct nova_pool_info info;
    nova_pool_info(w->s.pool, &info);
    put(w, "fill", 0, (info.blocks_free - info.blocks_reserve) * BLK);
    record(w);
    if (row->a == 0) {
        punch(w, "a", BLK - 10, 3 * BLK);
        punch(w, "a", 4 * BLK, 2 * BLK);
    } else {
        collapse(w, "a", BLK, 2 * BLK);
    }
    put(w, "b", 50, 10);
}

/* "b": pages of bytes and of holes in turns, the last one cut short. a: bytes of "b" left out at its start; b: where
 * they go in "a"; c: size of "a". */
static void copy_at(struct world *w, const struct workload *row) {
    stale_file(w, row->c);
    make(w, "b");
    for (uint64_t page = 0; page < 6; page += 2)
        put(w, "b", page * BLK, BLK);
    cut(w, "b", 8 * BLK - 100);
    record(w);
    copy_range(w, "b", row->a, "a", row->b, size_of(w, "b") - row->a);
    put(w, "a", size_of(w, "a"), 100); /* what was behind the end does not show */
    cut(w, "a", size_of(w, "a") + BLK);
}

static void copy_nothing_but_holes(struct world *w, const struct workload *row) {
    stale_file(w, row->c);
    make(w, "b");
    cut(w, "b", 5 * BLK + 10);
    record(w);
    copy_range(w, "b", 0, "a", row->b, size_of(w, "b"));
    put(w, "a", size_of(w, "a"), 100);
}

/* More entries than fit an answer, over more than a page of the log. */
static void copy_many_holes(struct world *w, const struct workload *row) {
    stale_file(w, row->c);
    make(w, "b");
    for (uint64_t page = 0; page < 80; page += 2)
        put(w, "b", page * BLK, BLK);
    record(w);
    copy_range(w, "b", 0, "a", 0, size_of(w, "b"));
}

static void reopen(struct world *w, const struct workload *row) {
    stale_file(w, row->c);
    record(w);
    punch(w, "a", 100, 5000);
    close_pool(w);
    open_pool(w);
    collapse(w, "a", 0, BLK);
    allocate(w, "a", 0, row->c + 2 * BLK, true);
    close_pool(w);
    open_pool(w);
    cut(w, "a", row->c + BLK);
}

static const struct workload calls[] = {
    {"punch a whole page", punch_at, BLK, BLK, 3 * BLK, 0},
    {"punch whole pages", punch_at, BLK, 2 * BLK, 5 * BLK + 9, 0},
    {"punch one byte", punch_at, 100, 1, 500, 0},
    {"punch the first byte", punch_at, 0, 1, BLK, 0},
    {"punch the last byte of a page", punch_at, 2 * BLK - 1, 1, 3 * BLK, 0},
    {"punch within a page", punch_at, 63, 66, 500, 0},
    {"punch across pages", punch_at, BLK - 7, 14, 2 * BLK, 0},
    {"punch across three pages", punch_at, BLK - 1, BLK + 2, 3 * BLK, 0},
    {"punch from a page's start", punch_at, BLK, 100, 3 * BLK, 0},
    {"punch to a page's end", punch_at, BLK + 100, 2 * BLK - 100, 4 * BLK, 0},
    {"punch over the end, in its page", punch_at, 2 * BLK + 50, 500, 2 * BLK + 100, 0},
    {"punch the end's page", punch_at, 2 * BLK, 100, 2 * BLK + 100, 0},
    {"punch up to the byte before the end", punch_at, 2 * BLK, 99, 2 * BLK + 100, 0},
    {"punch over the end and beyond", punch_at, BLK + 9, 50 * BLK, 2 * BLK + 100, 0},
    {"punch all", punch_at, 0, 3 * BLK, 2 * BLK + 100, 0},
    {"punch beyond the end", punch_at, 2 * BLK + 200, 5 * BLK, 2 * BLK + 100, 0},
    {"punch over holes", punch_sparse, 100, 4 * BLK, 6 * BLK + 5, 0},
    {"punch from hole to hole", punch_sparse, 2 * BLK + 10, 2 * BLK, 6 * BLK + 5, 0},
    {"punch a hole", punch_sparse, 2 * BLK, BLK, 6 * BLK, 0},
    {"collapse the first page", collapse_at, 0, BLK, 3 * BLK + 100, 0},
    {"collapse a page", collapse_at, BLK, BLK, 3 * BLK + 100, 0},
    {"collapse pages", collapse_at, BLK, 3 * BLK, 5 * BLK, 0},
    {"collapse up to the end's page", collapse_at, BLK, 2 * BLK, 3 * BLK + 1, 0},
    {"insert at the start", insert_at, 0, BLK, 2 * BLK + 100, 0},
    {"insert pages", insert_at, BLK, 3 * BLK, 2 * BLK + 100, 0},
    {"insert before the end's page", insert_at, 2 * BLK, BLK, 2 * BLK + 1, 0},
    {"insert in whole pages", insert_at, BLK, BLK, 2 * BLK, 0},
    {"allocate an empty file", allocate_at, 0, 2 * BLK + 10, 1, 0},
    {"allocate over the end", allocate_at, 0, 4 * BLK, BLK + 100, 0},
    {"allocate behind a page's end", allocate_at, 2 * BLK + 7, 100, 2 * BLK, 0},
    {"allocate beyond the end", allocate_keep, 3 * BLK, 2 * BLK, BLK + 100, 0},
    {"allocate beyond a page's end", allocate_keep, 2 * BLK, 2 * BLK, 2 * BLK, 0},
    {"shift allocated pages", shift_allocated, 0, 0, BLK + 100, 0},
    {"allocate fragmented", allocate_fragmented, 7 * BLK, 0, 0, 0},
    {"allocate fragmented, more records than fit an answer", allocate_fragmented, 25 * BLK, 1, 0, 0},
    {"log: slot to first page", log_end, SLOT_ENTRIES - 1, 0, 0, 0},
    {"log: page to page", log_end, SLOT_ENTRIES + PAGE_ENTRIES - 1, 0, 0, 0},
    {"log: page to page, between the entries", log_end, SLOT_ENTRIES + PAGE_ENTRIES - 2, 0, 0, 0},
    {"copy over blocks", copy_at, 0, 0, 7 * BLK + 5, 0},
    {"copy over the end", copy_at, 0, BLK, 2 * BLK + 100, 0},
    {"copy into a longer file", copy_at, 0, 0, 12 * BLK, 0},
    {"copy from a hole to behind the end", copy_at, BLK, 3 * BLK, BLK + 100, 0},
    {"copy to the end, in its page", copy_at, 10, BLK + 100, BLK + 100, 0},
    {"copy behind the end, in its page", copy_at, 10, BLK + 300, BLK + 100, 0},
    {"copy from a page's middle to a page's start", copy_at, 500, 2 * BLK, 4 * BLK, 0},
    {"copy to odd places", copy_at, 77, 1001, 4 * BLK + 7, 0},
    {"copy a hole over all", copy_nothing_but_holes, 0, 0, 3 * BLK + 100, 0},
    {"copy a hole behind the end", copy_nothing_but_holes, 0, 2 * BLK, BLK + 100, 0},
    {"copy a hole into a longer file", copy_nothing_but_holes, 0, BLK, 9 * BLK, 0},
    {"copy many holes", copy_many_holes, 0, 0, BLK, 1u << 21},
    {"hole, collapse, insert", hole_of_a_collapsed_page, BLK - 5, 500, 2 * BLK + 100, 0},
    {"full pool: punch", full_pool, 0, 0, 0, 0},
    {"full pool: collapse", full_pool, 1, 0, 0, 0},
    {"close and open", reopen, 0, 0, 3 * BLK + 100, 0},
};

static void test_calls(void **state) {
    (void)state;
    explore_calls("every call on a range alone", calls, sizeof calls / sizeof *calls);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_calls)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
