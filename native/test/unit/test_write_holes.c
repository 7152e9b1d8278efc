/* SPDX-License-Identifier: Apache-2.0 */
/* Writes with holes: what they show and give back, what they refuse, and writing in place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/handles.h"
#include "image.h"
#include "store.h"

#define MIB ((uint64_t)1 << 20)
#define BLK ((uint64_t)NOVA_BLOCK_SIZE)

static const char *path;
static struct store s;
static struct store_file f, other;

static void must(int rc) {
    if (rc != NOVA_OK)
        fail_msg("status %d: %s", rc, s.err.msg);
}

static int set_up(void **state) {
    (void)state;
    const struct nova_pool_options emulated = {.flags = NOVA_OPT_EMULATED};
    struct nova_error err;
    path = store_path("holes");
    assert_int_equal(nova_pool_create(path, 2 * MIB, &emulated, &err), NOVA_OK);
    must(store_open(&s, path, NOVA_OPT_EMULATED));
    must(store_file_open(&s, "file", true, &f));
    must(store_file_open(&s, "other", true, &other));
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    must(store_file_close(&f));
    must(store_file_close(&other));
    assert_int_equal(store_close(&s), NOVA_OK);
    (void)image_no_findings(path);
    unlink(path);
    return 0;
}

static uint64_t blocks_free(void) {
    return image_blocks_free(s.pool);
}

static uint32_t blk(uint64_t page) {
    return block_map_get(&f.map, page);
}

static int begin(uint64_t off, uint64_t len, const struct nova_run *holes, uint32_t n, nova_intent **in) {
    return nova_write_begin_sparse(f.inode, off, len, holes, n, blk(off / BLK), blk((off + len - 1) / BLK),
                                   f.size % BLK == 0 ? 0 : blk(f.size / BLK), &f.io, in);
}

static void pages_of_bytes(struct store_file *to, uint64_t first, uint64_t count) {
    uint8_t bytes[16 * NOVA_BLOCK_SIZE];
    memset(bytes, 'x', sizeof bytes);
    must(store_write(to, first * BLK, bytes, count * BLK));
}

static void runs_that_do_not_fit_are_refused(void **state) {
    (void)state;
    static const struct {
        uint64_t off, len;
        struct nova_run run[2];
        uint32_t n;
        int rc;
    } row[] = {
        {0, 4 * BLK, {{0, 4}}, 1, NOVA_OK},
        {0, 4 * BLK, {{0, 1}, {1, 3}}, 2, NOVA_OK},
        {0, 4 * BLK, {{0, 0}}, 1, NOVA_EINVAL},
        {0, 4 * BLK, {{3, 2}}, 1, NOVA_EINVAL},
        {0, 4 * BLK, {{4, 1}}, 1, NOVA_EINVAL},
        {0, 4 * BLK, {{1, UINT64_MAX}}, 1, NOVA_EINVAL},
        {0, 4 * BLK, {{UINT64_MAX, 1}}, 1, NOVA_EINVAL},
        {0, 4 * BLK, {{1, 2}, {2, 1}}, 2, NOVA_EINVAL},
        {0, 4 * BLK, {{2, 1}, {0, 1}}, 2, NOVA_EINVAL},
        {1, 4 * BLK, {{0, 1}}, 1, NOVA_EINVAL},
        {1, 4 * BLK, {{1, 3}}, 1, NOVA_OK},
        {1, 4 * BLK, {{4, 1}}, 1, NOVA_EINVAL}, /* the file has bytes behind the range, in its last page */
        {0, 6 * BLK - 1, {{5, 1}}, 1, NOVA_EINVAL},
        {0, 6 * BLK + 5, {{6, 1}}, 1, NOVA_OK}, /* it has none there */
    };
    pages_of_bytes(&f, 0, 6);
    uint64_t before = blocks_free();
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        nova_intent *in;
        int rc = begin(row[i].off, row[i].len, row[i].run, row[i].n, &in);
        if (rc != row[i].rc)
            fail_msg("row %zu: status %d", i, rc);
        if (rc == NOVA_OK)
            nova_write_abort(in);
        assert_int_equal(blocks_free(), before);
    }
}

static void nothing_is_filled_into_a_hole(void **state) {
    (void)state;
    const struct nova_run hole = {1, 2};
    uint8_t bytes[2 * NOVA_BLOCK_SIZE] = {1};
    nova_intent *in;
    assert_int_equal(begin(0, 4 * BLK, &hole, 1, &in), NOVA_OK);
    assert_int_equal(nova_write_fill(in, BLK, bytes, 1, &f.io), NOVA_EINVAL);
    assert_int_equal(nova_write_fill(in, 3 * BLK - 1, bytes, 1, &f.io), NOVA_EINVAL);
    assert_int_equal(nova_write_fill(in, BLK - 1, bytes, 2, &f.io), NOVA_EINVAL);
    assert_int_equal(nova_write_fill(in, 3 * BLK, bytes, BLK, &f.io), NOVA_OK);
    assert_int_equal(nova_write_fill(in, 0, bytes, BLK, &f.io), NOVA_OK);
    nova_write_abort(in);
}

/* Blocks of the copy's pages: only those that the source has. */
static void copies_give_blocks_back(void **state) {
    (void)state;
    pages_of_bytes(&f, 0, 10);
    pages_of_bytes(&other, 3, 2);
    must(store_truncate(&other, 9 * BLK + 7));
    uint64_t before = blocks_free();
    must(store_copy(&other, 0, &f, 0, 9 * BLK + 7));
    for (uint64_t page = 0; page < 10; page++)
        assert_int_equal(blk(page) != 0, page == 3 || page == 4 || page == 9); /* the last keeps some bytes */
    assert_int_equal(f.size, 10 * BLK);
    assert_true(blocks_free() >= before + 7 - 1); /* a page of the log, at most */
    must(store_copy(&other, 5 * BLK, &f, 20 * BLK, 4 * BLK + 7));
    assert_int_equal(f.size, 24 * BLK + 7);
    for (uint64_t page = 10; page < 30; page++)
        assert_int_equal(blk(page), 0);
}

/* Blocks beyond the end are given back, too, where the holes are. */
static void a_hole_takes_what_was_allocated(void **state) {
    (void)state;
    pages_of_bytes(&f, 0, 1);
    must(store_allocate(&f, BLK, 4 * BLK, true));
    must(store_truncate(&other, 3 * BLK));
    must(store_copy(&other, 0, &f, BLK, 3 * BLK));
    assert_true(blk(0) != 0 && blk(1) == 0 && blk(2) == 0 && blk(3) == 0);
}

static void in_place_holes_are_zeros(void **state) {
    (void)state;
    const struct nova_run hole = {1, 6};
    uint8_t bytes[NOVA_BLOCK_SIZE], back[NOVA_BLOCK_SIZE];
    struct store_region r;
    nova_intent *in;
    memset(bytes, 'n', sizeof bytes);
    pages_of_bytes(&f, 0, 4);
    must(store_map(&f, 0, 4 * BLK, NOVA_MAP_EAGER, &r));
    assert_int_equal(begin(0, 8 * BLK, &hole, 1, &in), NOVA_OK);
    assert_int_equal(nova_write_fill(in, 0, bytes, BLK, &f.io), NOVA_OK);
    assert_int_equal(nova_write_fill(in, 7 * BLK, bytes, BLK, &f.io), NOVA_OK);
    assert_int_equal(nova_write_commit(in, &f.io), NOVA_OK);
    nova_region_free(r.r);
    must(store_file_close(&f));
    must(store_file_open(&s, "file", false, &f));
    for (uint64_t page = 0; page < 8; page++) {
        assert_true(blk(page) != 0);
        memset(bytes, page % 7 == 0 ? 'n' : 0, sizeof bytes);
        assert_int_equal(store_read(&f, page * BLK, back, BLK), BLK);
        assert_memory_equal(back, bytes, BLK);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(runs_that_do_not_fit_are_refused), TEST(nothing_is_filled_into_a_hole), TEST(copies_give_blocks_back),
        TEST(a_hole_takes_what_was_allocated),  TEST(in_place_holes_are_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
