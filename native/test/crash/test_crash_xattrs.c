/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes with awkward names, sizes and places: values that lie in the entry and in blocks, on inodes of
 * every type.
 */
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
#define IN_ENTRY 462u    /* longest value of a name of 6 bytes that lies in the entry */
#define SLOT_ENTRIES 3u  /* that fit an inode's slot */
#define PAGE_ENTRIES 63u /* that fit a log page */

/* Sets it to a bytes, then to b bytes, then removes it; c: on the root directory. */
static void set_and_remove(struct world *w, const struct workload *row) {
    const char *of = row->c != 0 ? "" : "a";
    put(w, "a", 0, 100);
    record(w);
    set_xattr(w, of, "user.x", (uint32_t)row->a);
    set_xattr(w, of, "user.x", (uint32_t)row->b);
    remove_xattr(w, of, "user.x");
    put(w, "b", 0, 5000); /* takes what came free */
}

/* Names of 1 and of 255 bytes, beside others. */
static void names(struct world *w, const struct workload *row) {
    char name[256];
    memset(name, 'n', 255);
    name[255] = '\0';
    make(w, "a");
    set_xattr(w, "a", "other", 10);
    record(w);
    set_xattr(w, "a", name, (uint32_t)row->a);
    set_xattr(w, "a", "n", (uint32_t)row->a);
    remove_xattr(w, "a", name);
    set_xattr(w, "a", "other", 11);
}

/* Entries up to a, then values of every size. */
static void log_end(struct world *w, const struct workload *row) {
    put(w, "a", 0, 10);
    for (uint64_t i = 1; i < row->a; i++)
        put(w, "a", 10 + i, 1);
    record(w);
    set_xattr(w, "a", "user.x", (uint32_t)row->b);
    set_xattr(w, "a", "user.y", 5000);
    remove_xattr(w, "a", "user.x");
}

/* In single free blocks: as many extents as there are. */
static void fragmented(struct world *w, const struct workload *row) {
    fragment(w, 60);
    make(w, "a");
    record(w);
    set_xattr(w, "a", "user.x", (uint32_t)row->a);
    set_xattr(w, "a", "user.x", (uint32_t)row->b);
}

/* On a pool without a free block but the reserve. */
static void full_pool(struct world *w, const struct workload *row) {
    put(w, "a", 0, 100);
    set_xattr(w, "a", "user.x", (uint32_t)row->a); /* the next entry needs a page, or has one */
    put(w, "a", 100, 1);
    put(w, "b", 0, 100);
    struct nova_pool_info info;
    nova_pool_info(w->s.pool, &info);
    put(w, "fill", 0, (info.blocks_free - info.blocks_reserve) * BLK);
    record(w);
    remove_xattr(w, "a", "user.x");
    if (row->a > 2 * BLK)
        put(w, "b", 50, 10);
}

static void drop_with_values(struct world *w, const struct workload *row) {
    put(w, "a", 0, 5000);
    set_xattr(w, "a", "user.x", (uint32_t)row->a);
    set_xattr(w, "a", "user.y", 9000);
    record(w);
    drop_open(w, "a");
    put(w, "b", 0, 5000);
    drop_close(w, "a");
    put(w, "c", 0, 20000);
}

static void moved_over(struct world *w, const struct workload *row) {
    put(w, "a", 0, 10);
    put(w, "b", 0, 10);
    set_xattr(w, "a", "user.x", (uint32_t)row->a);
    set_xattr(w, "b", "user.x", (uint32_t)row->b);
    close_file(w, "b");
    record(w);
    move(w, "a", "b");
    set_xattr(w, "b", "user.x", (uint32_t)row->b);
}

static void reopen(struct world *w, const struct workload *row) {
    put(w, "a", 0, 10);
    record(w);
    set_xattr(w, "a", "user.x", (uint32_t)row->a);
    set_xattr(w, "", "user.r", (uint32_t)row->a);
    close_pool(w);
    open_pool(w);
    set_xattr(w, "a", "user.x", (uint32_t)row->b);
    remove_xattr(w, "", "user.r");
    close_pool(w);
    open_pool(w);
    remove_xattr(w, "a", "user.x");
}

static const struct workload calls[] = {
    {"nothing, then a byte", set_and_remove, 0, 1, 0, 0},
    {"in a line, then in two", set_and_remove, 14, 15, 0, 0},
    {"longest in the entry, then a block", set_and_remove, IN_ENTRY, IN_ENTRY + 1, 0, 0},
    {"a block, then in the entry", set_and_remove, BLK, 10, 0, 0},
    {"blocks, then others", set_and_remove, BLK + 1, 3 * BLK - 7, 0, 0},
    {"the longest", set_and_remove, NOVA_XATTR_MAX, NOVA_XATTR_MAX - 1, 0, 0},
    {"directory: in the entry", set_and_remove, 10, 300, 1, 0},
    {"directory: blocks", set_and_remove, 5000, 9000, 1, 0},
    {"names, in the entry", names, 200, 0, 0, 0},
    {"names, blocks", names, 5000, 0, 0, 0},
    {"log: padded slot", log_end, SLOT_ENTRIES - 1, 100, 0, 0},
    {"log: page to page", log_end, SLOT_ENTRIES + PAGE_ENTRIES - 1, 10, 0, 0},
    {"log: padded page", log_end, SLOT_ENTRIES + PAGE_ENTRIES - 7, IN_ENTRY, 0, 0},
    {"log: last lines of a page", log_end, SLOT_ENTRIES + PAGE_ENTRIES - 8, IN_ENTRY, 0, 0},
    {"fragmented", fragmented, NOVA_XATTR_MAX, 30000, 0, 0},
    {"full pool: remove", full_pool, 20, 0, 0, 0},
    {"full pool: remove blocks", full_pool, 4 * BLK, 0, 0, 0},
    {"drop", drop_with_values, 20, 0, 0, 0},
    {"drop blocks", drop_with_values, 20000, 0, 0, 0},
    {"rename over", moved_over, 5000, 9000, 0, 0},
    {"close and open", reopen, 5000, 300, 0, 0},
};

static void test_calls(void **state) {
    (void)state;
    explore_calls("every call on an attribute alone", calls, sizeof calls / sizeof *calls);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_calls)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
