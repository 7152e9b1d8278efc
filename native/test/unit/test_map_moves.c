/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping the number of mappings small: blocks that faults move together, chunks that they hide. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/layout.h"
#include "map/region.h"
#include "lazy.h"
#include "store.h"

#define PG ((uint64_t)NOVA_BLOCK_SIZE)
#define PAGES 128u /* that move together */
#define FEW 16u    /* mappings */

static struct store s;
static struct store_file f, g;
static struct store_region r;
static uint8_t bytes[PG], buf[PAGES * NOVA_BLOCK_SIZE];
static const char *path;

static int set_up(void **state) {
    struct nova_error err;
    (void)state;
    path = store_path("map-moves");
    assert_int_equal(nova_pool_create(path, 32u << 20, NULL, &err), NOVA_OK);
    assert_int_equal(store_open(&s, path, NOVA_OPT_EMULATED), NOVA_OK);
    assert_int_equal(store_file_open(&s, "f", true, &f), NOVA_OK);
    assert_int_equal(store_file_open(&s, "g", true, &g), NOVA_OK);
    return 0;
}

/* clean: as it must be said to be. */
static void close_all(uint32_t clean) {
    struct nova_fsck_summary sum;
    struct nova_error err;
    char report[1000];
    assert_int_equal(store_close(&s), NOVA_OK);
    assert_int_equal(nova_fsck(path, report, sizeof report, NULL, &sum, &err), NOVA_OK);
    if (sum.errors != 0)
        fail_msg("%s", report);
    assert_int_equal(sum.clean, clean);
}

static int tear_down(void **state) {
    (void)state;
    nova_region_free(r.r);
    r.r = NULL;
    if (f.inode != NULL)
        assert_int_equal(store_file_close(&f), NOVA_OK);
    assert_int_equal(store_file_close(&g), NOVA_OK);
    close_all(1);
    unlink(path);
    region_vmas_limit(0);
    return 0;
}

static struct nova_region_stat stat_of(const struct store_region *region) {
    struct nova_region_stat st;
    nova_region_stat(region->r, &st);
    return st;
}

/* Maps the file. There may be so many mappings. */
static void map(uint64_t len, uint64_t vmas) {
    region_vmas_limit(vmas);
    assert_int_equal(store_map(&f, 0, len, 0, &r), NOVA_OK);
}

/* A file of PAGES pages, whose last one has 100 bytes, none of whose blocks are neighbours. */
static void scatter(void) {
    for (uint64_t i = 0; i < PAGES; i++) {
        memset(bytes, (int)(1 + i), sizeof bytes);
        assert_int_equal(store_write(&f, i * PG, bytes, i + 1 < PAGES ? PG : 100), NOVA_OK);
        assert_int_equal(store_write(&g, i * PG, bytes, PG), NOVA_OK);
    }
}

/* Loads until a fault has moved its chunk. */
static void load_until_moved(void) {
    for (uint64_t i = 0; i < PAGES && stat_of(&r).moved == 0; i++)
        assert_int_equal(r.addr[i * PG], 1 + i);
    assert_int_equal(stat_of(&r).moved, PAGES);
    assert_true(stat_of(&r).vmas <= FEW);
}

static void check_bytes(void) {
    assert_int_equal(store_read(&f, 0, buf, sizeof buf), f.size);
    for (uint64_t i = 0; i < (PAGES - 1) * PG + 100; i++)
        assert_int_equal(buf[i], 1 + i / PG);
    assert_memory_equal(buf, r.addr, f.size);
}

static void scattered_blocks_move_together(void **state) {
    (void)state;
    scatter();
    map(PAGES * PG, FEW);
    load_until_moved();
    check_bytes();
}

/* The block of the caller's view is nobody's any more. */
static void appending_to_a_block_that_has_moved(void **state) {
    (void)state;
    scatter();
    map(PAGES * PG, FEW);
    load_until_moved();
    memset(bytes, 'q', sizeof bytes);
    assert_int_equal(store_write(&f, f.size, bytes, 50), NOVA_OK);
    assert_memory_equal(r.addr + (PAGES - 1) * PG + 100, bytes, 50);
    check_bytes();
    assert_memory_equal(buf + (PAGES - 1) * PG + 100, bytes, 50);
}

static void moves_keep_the_time_that_was_set(void **state) {
    struct nova_stat st;
    (void)state;
    scatter();
    map(PAGES * PG, FEW);
    assert_int_equal(nova_setattr(f.inode, NOVA_ATTR_MTIME, 0, 0, 0, 0, 4711, 0, &f.io), NOVA_OK);
    load_until_moved();
    assert_int_equal(store_catch_up(&f), NOVA_OK);
    nova_inode_stat(f.inode, &st);
    assert_int_equal(st.mtime, 4711);
}

/* The blocks that were left are still given to the file when it is closed: the next open finds them free. */
static void closed_before_the_caller_has_seen_a_move(void **state) {
    struct nova_pool_info info;
    (void)state;
    scatter();
    map(PAGES * PG, FEW);
    load_until_moved();
    assert_int_equal(nova_inode_close(f.inode, &s.err), NOVA_OK);
    f.inode = NULL;
    block_map_free(&f.map);
    free(f.appended);
    assert_int_equal(store_file_close(&g), NOVA_OK);
    close_all(0);
    assert_int_equal(store_open(&s, path, NOVA_OPT_EMULATED), NOVA_OK);
    nova_pool_info(s.pool, &info);
    assert_int_equal(info.recovered, 1);
    assert_int_equal(store_file_open(&s, "g", true, &g), NOVA_OK);
}

/* Fills of holes take mappings, too. */
static void stores_here_and_there_keep_to_the_limit(void **state) {
    const uint64_t limit = 1024, n = 1024;
    (void)state;
    assert_int_equal(store_truncate(&f, 8 * n * PG), NOVA_OK);
    map(8 * n * PG, limit);
    for (uint64_t i = 0; i < n; i++) {
        r.addr[i * 619 % n * 8 * PG] = (uint8_t)(1 + i % 255); /* 619 and n have no common divisor */
        assert_true(stat_of(&r).vmas_all <= limit);
    }
    for (uint64_t i = 0; i < n; i++)
        assert_int_equal(r.addr[i * 619 % n * 8 * PG], 1 + i % 255);
}

static void populating_beyond_the_limit_stops(void **state) {
    (void)state;
    scatter();
    map(PAGES * PG, FEW);
    assert_int_equal(store_populate(&f, &r, 0, PAGES * PG, false), NOVA_OK);
    assert_true(stat_of(&r).vmas_all <= FEW + 2);
    check_bytes();
}

/* A write that fails at its very end leaves the page that it held missing. */
static void populating_finds_a_page_in_the_middle(void **state) {
    struct nova_pool_info info;
    (void)state;
    memset(buf, 'b', sizeof buf);
    assert_int_equal(store_write(&f, 0, buf, 10 * PG), NOVA_OK);
    for (uint32_t i = 1; i < FMT_INLINE_LINES; i++) /* the next entry needs a page */
        assert_int_equal(nova_setattr(f.inode, NOVA_ATTR_MTIME, 0, 0, 0, 0, i, 0, &f.io), NOVA_OK);
    assert_int_equal(store_map(&f, 0, 10 * PG, 0, &r), NOVA_OK);
    assert_int_equal(store_populate(&f, &r, 0, 10 * PG, false), NOVA_OK);
    assert_int_equal(stat_of(&r).mapped, 10);
    while (nova_pool_info(s.pool, &info), info.blocks_free > info.blocks_reserve + 1) {
        uint64_t n = info.blocks_free - info.blocks_reserve - 1;
        n = n < PAGES ? n : PAGES;
        assert_int_equal(store_write(&g, g.size, buf, n * PG), NOVA_OK);
    }
    assert_int_equal(store_write(&f, 5 * PG + 10, buf, 1), NOVA_ENOSPC);
    assert_int_equal(stat_of(&r).mapped, 9);
    assert_int_equal(store_populate(&f, &r, 0, 10 * PG, false), NOVA_OK);
    assert_int_equal(stat_of(&r).mapped, 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(scattered_blocks_move_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(appending_to_a_block_that_has_moved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(moves_keep_the_time_that_was_set, set_up, tear_down),
        cmocka_unit_test_setup_teardown(closed_before_the_caller_has_seen_a_move, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stores_here_and_there_keep_to_the_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(populating_beyond_the_limit_stops, set_up, tear_down),
        cmocka_unit_test_setup_teardown(populating_finds_a_page_in_the_middle, set_up, tear_down),
    };
    lazy_need("moves of mapped blocks");
    store_one_processor(); /* see scatter() */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
