/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pinned pages: bringing them together, stores through a mapping that the core knows nothing of, and the calls that
 * write beneath it. Stores are loose (model.h) until they are forced, as those through regions; pinning changes nothing
 * that a crash could show.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "format/layout.h"
#include "lazy.h"
#include "workload.h"

#define BLK ((uint64_t)NOVA_BLOCK_SIZE)
#define SLOT_ENTRIES FMT_INLINE_LINES
#define PAGES 10u
#define ALL (PAGES * BLK)

/* Pages that lie apart, and two holes; the end is in the last page. */
static void apart(struct world *w) {
    for (uint64_t i = 0; i < PAGES; i++) {
        if (i != 3 && i != 4)
            put(w, "a", i * BLK, i + 1 < PAGES ? BLK : 100);
        put(w, "b", i * BLK, BLK);
    }
}

static void pin_recorded(struct world *w, const struct workload *row) {
    apart(w);
    if (row->c != 0)
        fragment(w, 60); /* one page is in a row in any case */
    record(w);
    assert_true(pin_file(w, "a", row->a, row->b));
    load_pinned(w, "a");
    store_pinned(w, "a", row->a + 70, 10);
    force_pinned(w, "a");
    unpin_file(w, "a");
    put(w, "a", row->a, 100);
}

/* The log has some lines left in the slot and its first page: the entries of the pin go on in another one. */
static void pin_over_log_end(struct world *w, const struct workload *row) {
    apart(w);
    for (uint64_t i = 0; i < row->a; i++)
        put(w, "a", 9 * BLK + 100 + i, 1);
    record(w);
    assert_true(pin_file(w, "a", 0, ALL));
    load_pinned(w, "a");
}

static void pin_mapped(struct world *w, const struct workload *row) {
    (void)row;
    apart(w);
    if (!lazy_possible()) { /* what is eager never moves */
        record(w);
        return;
    }
    map_file(w, "a", 0, ALL, 0);
    store_bytes(w, "a", BLK + 5, 20);
    record(w);
    assert_true(pin_file(w, "a", BLK, 6 * BLK));
    store_bytes(w, "a", 3 * BLK + 5, 20);
    load_pinned(w, "a");
    store_pinned(w, "a", 4 * BLK, 100);
    load_all(w, "a");
    force(w, "a", 0, ALL);
    put(w, "a", 2 * BLK + 9, 2 * BLK);
    load_all(w, "a");
    load_pinned(w, "a");
}

static void write_beneath(struct world *w, const struct workload *row) {
    apart(w);
    assert_true(pin_file(w, "a", 2 * BLK, 8 * BLK));
    record(w);
    store_pinned(w, "a", (row->a < 2 * BLK ? 2 * BLK : row->a / BLK * BLK) + 70, 20);
    put(w, "a", row->a, row->b);
    load_pinned(w, "a");
    force_pinned(w, "a");
}

static void punch_beneath(struct world *w, const struct workload *row) {
    apart(w);
    assert_true(pin_file(w, "a", 0, ALL));
    record(w);
    store_pinned(w, "a", 70, 20);
    punch(w, "a", row->a, row->b);
    put(w, "b", 0, 3 * BLK);
    put(w, "a", row->a, row->b);
}

static void size_beneath(struct world *w, const struct workload *row) {
    apart(w);
    assert_true(pin_file(w, "a", 0, ALL));
    record(w);
    store_pinned(w, "a", 70, 20);
    cut(w, "a", row->a);
    put(w, "b", 0, 4 * BLK); /* in no block of a */
    cut(w, "a", row->b);
    put(w, "a", row->a, 100);
    unpin_file(w, "a");
    put(w, "b", BLK, 2 * BLK);
}

static void shift_beneath(struct world *w, const struct workload *row) {
    (void)row;
    apart(w);
    assert_true(pin_file(w, "a", 0, ALL));
    record(w);
    collapse(w, "a", BLK, 2 * BLK);
    put(w, "a", 2 * BLK + 5, 100);
    insert(w, "a", BLK, BLK);
    put(w, "a", BLK + 5, 2 * BLK);
}

static void drop_pinned(struct world *w, const struct workload *row) {
    (void)row;
    apart(w);
    assert_true(pin_file(w, "a", 0, ALL));
    record(w);
    drop_open(w, "a");
    put(w, "b", 0, 4 * BLK);
    drop_close(w, "a");
    put(w, "b", 0, 4 * BLK);
}

static void close_with_kept_blocks(struct world *w, const struct workload *row) {
    (void)row;
    apart(w);
    assert_true(pin_file(w, "a", 0, ALL));
    record(w);
    cut(w, "a", BLK);
    close_pool(w);
    open_pool(w);
    put(w, "b", 0, 4 * BLK);
}

static const struct workload calls[] = {
    {"pin all", pin_recorded, 0, ALL, 0, 0},
    {"pin some", pin_recorded, 2 * BLK, 4 * BLK, 0, 0},
    {"pin the last page", pin_recorded, 9 * BLK, BLK, 1, 0},
    {"pin, entries over the slot's end", pin_over_log_end, 0, 0, 0, 0},
    {"pin, entries over a page's end", pin_over_log_end, FMT_PAGE_LINES - 12, 0, 0, 0},
    {"pin what is mapped", pin_mapped, 0, 0, 0, 0},
    {"write a page", write_beneath, 5 * BLK, BLK, 0, 0},
    {"write in a page", write_beneath, 5 * BLK + 75, 30, 0, 0},
    {"write over both edges of the pin", write_beneath, BLK + 100, 9 * BLK, 0, 0},
    {"write over the end", write_beneath, 9 * BLK + 50, 2 * BLK, 0, 0},
    {"append", write_beneath, 9 * BLK + 100, 50, 0, 0},
    {"punch pages", punch_beneath, 4 * BLK, 3 * BLK, 0, 0},
    {"punch edges", punch_beneath, BLK + 100, 3 * BLK, 0, 0},
    {"cut and grow", size_beneath, 5 * BLK + 50, ALL, 0, 0},
    {"cut to nothing and grow", size_beneath, 0, 2 * BLK, 0, 0},
    {"collapse and insert", shift_beneath, 0, 0, 0, 0},
    {"drop", drop_pinned, 0, 0, 0, 0},
    {"close and open", close_with_kept_blocks, 0, 0, 0, 0},
};

static void test_calls(void **state) {
    (void)state;
    explore_calls("pinned pages", calls, sizeof calls / sizeof *calls);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_calls)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
