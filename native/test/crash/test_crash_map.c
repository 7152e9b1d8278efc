/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mapped files: faults, stores through the mapping and nova_force(), and the calls that write beneath it. The core's
 * own threads serve the faults, and are actors of their own: what one of them stored, no drain of the caller's covers.
 * A store is recorded as what it is, bytes in the cache, when it has been made; its bytes are loose (model.h) until
 * they are forced.
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
#include "lazy.h"
#include "map/region.h"
#include "workload.h"

#define BLK ((uint64_t)NOVA_BLOCK_SIZE)
#define SLOT_ENTRIES FMT_INLINE_LINES
#define PAGES 12u
#define ALL (PAGES * BLK)

/* Rows: c is how the file is mapped. */
enum how { LAZY, IN_PLACE, EAGER };

static void map_all(struct world *w, uint64_t how) {
    map_file(w, "a", 0, ALL, how == EAGER ? NOVA_MAP_EAGER : 0);
    if (how == IN_PLACE)
        set_in_place(w, "a", true);
}

/* Pages 0 and 2 have bytes, the last one ends the file, all others are holes. */
static void sparse(struct world *w) {
    put(w, "a", 0, 100);
    put(w, "a", 2 * BLK, BLK);
    put(w, "a", (PAGES - 1) * BLK, 200);
}

/* Of a store to a hole at a, b bytes; then a neighbour's, which is there. */
static void fill(struct world *w, const struct workload *row) {
    sparse(w);
    map_all(w, row->c);
    record(w);
    store_bytes(w, "a", row->a, row->b);
    force(w, "a", 0, ALL);
    store_bytes(w, "a", row->a / BLK * BLK + 60, 10);
    load_all(w, "a");
}

/* Faults in order: batches of 4, 8, ... pages. */
static void fill_in_order(struct world *w, const struct workload *row) {
    put(w, "a", (PAGES - 1) * BLK, 1);
    map_all(w, row->c);
    record(w);
    for (uint64_t i = 0; i < PAGES; i++)
        store_bytes(w, "a", i * BLK + (i + 1 < PAGES ? 8 : 0), 1);
    force(w, "a", 0, ALL);
}

/* The log has a lines left in the slot and its first page: the entries of the batch go on in another one. */
static void fill_over_log_end(struct world *w, const struct workload *row) {
    if (row->b != 0)
        fragment(w, 60); /* an entry per block */
    put(w, "a", (PAGES - 1) * BLK, 1);
    for (uint64_t i = 1; i < row->a; i++)
        put(w, "a", (PAGES - 1) * BLK + i, 1);
    map_all(w, row->c);
    record(w);
    store_bytes(w, "a", BLK, 100);
    force(w, "a", 0, ALL);
    put(w, "a", 5 * BLK, 10);
}

static void two_regions(struct world *w, const struct workload *row) {
    sparse(w);
    map_all(w, row->c);
    map_file(w, "a", BLK, 6 * BLK, 0);
    load_all(w, "a"); /* zeros in both */
    record(w);
    store_bytes(w, "a", 3 * BLK + 5, 20);
    load_all(w, "a");
    force(w, "a", 3 * BLK, BLK);
    put(w, "a", 3 * BLK, BLK);
    load_all(w, "a");
}

static void populate_holes(struct world *w, const struct workload *row) {
    sparse(w);
    map_all(w, row->c);
    record(w);
    populate_bytes(w, "a", BLK, 6 * BLK, true);
    store_bytes(w, "a", 5 * BLK, 10);
    force(w, "a", 0, ALL);
}

static void map_recorded(struct world *w, const struct workload *row) {
    sparse(w);
    record(w);
    map_all(w, row->c);
    store_bytes(w, "a", 5 * BLK, 10);
    force(w, "a", 5 * BLK, BLK);
    put(w, "a", 5 * BLK + 5, 10);
    cut(w, "a", ALL);
    unmap_file(w, "a");
}

/* b bytes at a over a page that a store has just filled, which the caller's view lacks. */
static void write_over(struct world *w, const struct workload *row) {
    sparse(w);
    map_all(w, row->c);
    record(w);
    store_bytes(w, "a", row->a / BLK * BLK + 30, 10);
    put(w, "a", row->a, row->b);
    load_all(w, "a");
}

/* The same over pages that are there, with stores that are not forced in them. */
static void write_over_stores(struct world *w, const struct workload *row) {
    put(w, "a", 0, 3 * BLK + 100);
    map_all(w, row->c);
    record(w);
    store_bytes(w, "a", BLK + 70, 20);
    put(w, "a", row->a, row->b);
    store_bytes(w, "a", 2 * BLK + 5, 3);
    force(w, "a", 0, 4 * BLK);
    load_all(w, "a");
}

static void write_pieces(struct world *w, const struct workload *row) {
    sparse(w);
    map_all(w, row->c);
    record(w);
    put_pieces(w, "a", row->a, row->b, 777, true);
    put_abort(w, "a", row->a, row->b, row->b / 2);
    put(w, "b", 0, 100);
}

/* The source is a mapping of the file, nobody has looked at it before. */
static void write_itself(struct world *w, const struct workload *row) {
    sparse(w);
    map_all(w, row->c);
    record(w);
    put_mapped(w, "a", row->a, row->b, 2 * BLK + 3);
    load_all(w, "a");
}

static void append(struct world *w, const struct workload *row) {
    sparse(w);
    cut(w, "a", 2 * BLK + 100);
    map_all(w, row->c);
    record(w);
    store_bytes(w, "a", 2 * BLK, 10);
    put(w, "a", 2 * BLK + 100 + row->a, row->b);
    force(w, "a", 2 * BLK, BLK);
    load_all(w, "a");
}

static void change_size(struct world *w, const struct workload *row) {
    sparse(w);
    map_all(w, row->c);
    record(w);
    store_bytes(w, "a", 5 * BLK, 100);
    cut(w, "a", row->a);
    cut(w, "a", row->b);
    load_all(w, "a");
}

static void punch_at(struct world *w, const struct workload *row) {
    sparse(w);
    map_all(w, row->c);
    record(w);
    store_bytes(w, "a", 5 * BLK + 7, 100);
    punch(w, "a", row->a, row->b);
    load_all(w, "a");
}

static void shift(struct world *w, const struct workload *row) {
    sparse(w);
    map_all(w, row->c);
    record(w);
    store_bytes(w, "a", 5 * BLK + 7, 100);
    force(w, "a", 0, ALL);
    collapse(w, "a", BLK, 2 * BLK);
    store_bytes(w, "a", 5 * BLK + 7, 10);
    force(w, "a", 0, ALL);
    insert(w, "a", 2 * BLK, BLK);
    load_all(w, "a");
}

static void allocate_beneath(struct world *w, const struct workload *row) {
    sparse(w);
    map_all(w, row->c);
    load_all(w, "a");
    record(w);
    store_bytes(w, "a", 5 * BLK + 7, 100);
    allocate(w, "a", 0, 8 * BLK, true);
    allocate(w, "a", ALL, 2 * BLK, true);
    force(w, "a", 0, ALL);
    cut(w, "a", ALL + 100);
    load_all(w, "a");
}

static uint64_t moved(const struct world *w) {
    uint64_t n = 0;
    for (uint32_t i = 0; i < MODEL_FILES; i++) {
        struct nova_region_stat st = {0};
        if (w->file[i].open && w->file[i].map[0].r != NULL)
            nova_region_stat(w->file[i].map[0].r, &st);
        n += st.moved;
    }
    return n;
}

/* Blocks that lie apart, and few mappings. */
static void moves(struct world *w, const struct workload *row) {
    if (!lazy_possible()) { /* what is eager never moves */
        record(w);
        return;
    }
    for (uint64_t i = 0; i < PAGES; i++) {
        put(w, "a", i * BLK, BLK);
        put(w, "b", i * BLK, BLK);
    }
    region_vmas_limit(8);
    map_all(w, row->c);
    store_bytes(w, "a", 7, 10);
    record(w);
    load_all(w, "a"); /* some fault moves the blocks */
    region_vmas_limit(0);
    assert_int_equal(moved(w), PAGES);
    put(w, "a", ALL - 20, 30);
    store_bytes(w, "a", 3 * BLK, 10);
    force(w, "a", 0, ALL);
    load_all(w, "a");
}

static void reopened(struct world *w, const struct workload *row) {
    sparse(w);
    map_all(w, row->c);
    record(w);
    store_bytes(w, "a", 5 * BLK, 100);
    close_pool(w); /* forces nothing */
    open_pool(w);
    map_all(w, row->c);
    store_bytes(w, "a", 6 * BLK, 100);
    force(w, "a", 6 * BLK, BLK);
}

static void dropped(struct world *w, const struct workload *row) {
    sparse(w);
    map_all(w, row->c);
    put(w, "b", 0, 100);
    record(w);
    store_bytes(w, "a", 5 * BLK, 100);
    force(w, "a", 5 * BLK, BLK);
    drop_open(w, "a");
    drop_close(w, "a");
    put(w, "b", 0, 5000);
}

#define THREE(name, run, a, b)                                                                                         \
    {name ", lazy", run, a, b, LAZY, 0}, {name ", in place", run, a, b, IN_PLACE, 0}, {                                \
        name ", eager", run, a, b, EAGER, 0                                                                            \
    }

static const struct workload calls[] = {
    THREE("fill", fill, 5 * BLK, 10),
    THREE("fill, stores over two pages", fill, 6 * BLK - 100, 300),
    {"fill of one page", fill, BLK + 5, 10, LAZY, 0},
    {"fill in order", fill_in_order, 0, 0, LAZY, 0},
    {"fill, entry in a new log page", fill_over_log_end, SLOT_ENTRIES, 0, LAZY, 0},
    {"fill, entries over the slot's end", fill_over_log_end, SLOT_ENTRIES - 1, 1, LAZY, 0},
    {"fill, entries over a page's end", fill_over_log_end, SLOT_ENTRIES + FMT_PAGE_LINES - 2, 1, LAZY, 0},
    THREE("two regions", two_regions, 0, 0),
    THREE("populate", populate_holes, 0, 0),
    THREE("map, write, grow, unmap", map_recorded, 0, 0),
    THREE("write a page that a store has filled", write_over, 5 * BLK, BLK),
    THREE("write part of a page that a store has filled", write_over, 5 * BLK + 35, 70),
    THREE("write over page ends, first one just filled", write_over, 6 * BLK - 9, BLK + 20),
    THREE("write over page ends, last one just filled", write_over, 5 * BLK - 9, 30),
    THREE("write over stores, a page", write_over_stores, BLK, BLK),
    THREE("write over stores, in a page", write_over_stores, BLK + 75, 30),
    THREE("write over stores and the end", write_over_stores, BLK + 80, 3 * BLK),
    THREE("write by pieces", write_pieces, 5 * BLK + 100, BLK + 50),
    THREE("write what is mapped, into a hole", write_itself, 6 * BLK + 7, 300),
    THREE("write what is mapped, from holes", write_itself, 7 * BLK + 7, 3 * BLK),
    THREE("append", append, 0, 50),
    THREE("append over the page's end", append, 0, BLK + 50),
    THREE("append with a gap", append, 30, BLK),
    THREE("append behind a hole", append, 2 * BLK, 50),
    THREE("cut and grow", change_size, 5 * BLK + 50, ALL),
    THREE("cut before the stores", change_size, 50, 5 * BLK + 60),
    THREE("punch pages", punch_at, 4 * BLK, 3 * BLK),
    THREE("punch edges", punch_at, 2 * BLK + 100, 3 * BLK),
    THREE("punch in a page", punch_at, 5 * BLK + 50, 20),
    THREE("collapse and insert", shift, 0, 0),
    THREE("allocate", allocate_beneath, 0, 0),
    {"moves", moves, 0, 0, LAZY, 0},
    THREE("close and open", reopened, 0, 0),
    THREE("drop", dropped, 0, 0),
};

static void test_calls(void **state) {
    (void)state;
    explore_calls("mapped files", calls, sizeof calls / sizeof *calls);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_calls)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
