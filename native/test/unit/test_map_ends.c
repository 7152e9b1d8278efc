/* SPDX-License-Identifier: Apache-2.0 */
/* Mapped files at their end: blocks beyond it, and writes in place that pass it. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "image.h"
#include "store.h"

#define PG ((uint64_t)NOVA_BLOCK_SIZE)
#define PAGES 8u

static struct store s;
static struct store_file f;
static struct store_region r;
static uint8_t buf[PAGES * NOVA_BLOCK_SIZE], bytes[PAGES * NOVA_BLOCK_SIZE];
static const char *path;

static int set_up(void **state) {
    struct nova_error err;
    (void)state;
    path = store_path("map-ends");
    memset(bytes, 'q', sizeof bytes);
    assert_int_equal(nova_pool_create(path, (uint64_t)NOVA_POOL_SIZE_MIN, NULL, &err), NOVA_OK);
    assert_int_equal(store_open(&s, path, NOVA_OPT_EMULATED), NOVA_OK);
    assert_int_equal(store_file_open(&s, "f", true, &f), NOVA_OK);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    nova_region_free(r.r);
    assert_int_equal(store_file_close(&f), NOVA_OK);
    assert_int_equal(store_close(&s), NOVA_OK);
    assert_int_equal(image_no_findings(path).clean, 1);
    unlink(path);
    return 0;
}

static void map(void **state) {
    assert_int_equal(store_map(&f, 0, PAGES * PG, (uint32_t)(uintptr_t)*state, &r), NOVA_OK);
}

static sigjmp_buf on_bus;

static void bus(int sig) {
    (void)sig;
    siglongjmp(on_bus, 1);
}

static bool load_faults(const uint8_t *p) {
    signal(SIGBUS, bus);
    bool hit = sigsetjmp(on_bus, 1) != 0;
    if (!hit)
        (void)*(const volatile uint8_t *)p;
    signal(SIGBUS, SIG_DFL);
    return hit;
}

static bool faults(uint64_t off) {
    return load_faults(r.addr + off);
}

static void assert_zeros(uint64_t from, uint64_t to) {
    static const uint8_t zeros[sizeof buf];
    assert_int_equal(store_read(&f, 0, buf, sizeof buf), f.size < sizeof buf ? f.size : sizeof buf);
    assert_memory_equal(buf + from, zeros, to - from);
    assert_memory_equal(r.addr + from, zeros, to - from);
}

/* Stored to by a mapping, they would show when the size passes over them. */
static void allocated_blocks_beyond_the_end_stay_out_of_reach(void **state) {
    assert_int_equal(store_write(&f, 0, bytes, PG), NOVA_OK);
    assert_int_equal(store_allocate(&f, PG, 3 * PG, true), NOVA_OK);
    map(state);
    assert_int_equal(r.addr[0], 'q');
    assert_true(faults(PG));
    assert_true(faults(6 * PG));
    assert_int_equal(store_allocate(&f, 5 * PG, 3 * PG, true), NOVA_OK);
    assert_true(faults(6 * PG));
    assert_int_equal(store_truncate(&f, PAGES * PG), NOVA_OK);
    assert_zeros(PG, PAGES * PG);
    r.addr[6 * PG] = 1;
    assert_int_equal(store_truncate(&f, PG), NOVA_OK);
    assert_true(faults(6 * PG));
}

static void writes_in_place_that_are_given_up_leave_zeros_beyond_the_end(void **state) {
    map(state);
    assert_int_equal(nova_set_in_place(f.inode, 1), NOVA_OK);
    assert_int_equal(store_write(&f, 0, bytes, 100), NOVA_OK);
    assert_int_equal(store_write_abort(&f, 3 * PG, bytes, 6000, 6000), NOVA_OK);
    assert_int_equal(store_write_abort(&f, 50, bytes, 3 * PG, 3 * PG), NOVA_OK);
    assert_int_equal(f.size, 100);
    assert_int_equal(store_truncate(&f, PAGES * PG), NOVA_OK);
    assert_zeros(100, PAGES * PG);
    assert_memory_equal(buf, bytes, 100);
}

static void writes_in_place_pass_the_end(void **state) {
    map(state);
    assert_int_equal(nova_set_in_place(f.inode, 1), NOVA_OK);
    assert_int_equal(store_write(&f, 0, bytes, 100), NOVA_OK);
    r.addr[7] = 'm';
    assert_int_equal(store_write(&f, 50, bytes, 3 * PG), NOVA_OK);
    assert_int_equal(f.size, 50 + 3 * PG);
    assert_int_equal(store_write_pieces(&f, 3 * PG, bytes, 4 * PG + 9, 1000, true), NOVA_OK);
    assert_int_equal(store_read(&f, 0, buf, sizeof buf), 7 * PG + 9);
    assert_memory_equal(buf, r.addr, 7 * PG + 9);
    assert_int_equal(buf[7], 'm');
    buf[7] = 'q';
    assert_memory_equal(buf, bytes, 7 * PG + 9);
    assert_int_equal(store_truncate(&f, 7 * PG + 30), NOVA_OK);
    assert_zeros(7 * PG + 9, 7 * PG + 30);
    assert_int_equal(store_write(&f, 7 * PG + 90, bytes, 10), NOVA_OK); /* a gap in the block */
    assert_zeros(7 * PG + 9, 7 * PG + 90);
}

static void appending_in_place_keeps_what_is_allocated_beyond(void **state) {
    struct nova_pool_info before, after;
    map(state);
    assert_int_equal(nova_set_in_place(f.inode, 1), NOVA_OK);
    assert_int_equal(store_write(&f, 0, bytes, 100), NOVA_OK);
    assert_int_equal(store_allocate(&f, 0, 5 * PG, true), NOVA_OK);
    nova_pool_info(s.pool, &before);
    assert_int_equal(store_write(&f, 100, bytes, 100), NOVA_OK);
    nova_pool_info(s.pool, &after);
    assert_int_equal(after.blocks_free, before.blocks_free);
}

/* What a call on a mapped file costs goes by its regions, not by its size. */
static void files_far_larger_than_their_regions(void **state) {
    const uint64_t most = (uint64_t)NOVA_FILE_SIZE_MAX;
    struct store_region far;
    map(state);
    alarm(60); /* to look at all its pages would take days */
    assert_int_equal(store_truncate(&f, most), NOVA_OK);
    assert_int_equal(store_map(&f, most - PG, PG, (uint32_t)(uintptr_t)*state, &far), NOVA_OK);
    r.addr[2 * PG] = far.addr[0] = 7;
    assert_int_equal(store_punch(&f, PG, most - 2 * PG), NOVA_OK);
    assert_int_equal(r.addr[2 * PG], 0);
    assert_int_equal(far.addr[0], 7);
    assert_int_equal(store_collapse(&f, PG, PG), NOVA_OK);
    assert_true(load_faults(far.addr));
    assert_int_equal(store_insert(&f, 2 * PG, PG), NOVA_OK);
    assert_int_equal(far.addr[0], 7);
    r.addr[2 * PG] = 9;
    assert_int_equal(store_truncate(&f, 3 * PG), NOVA_OK);
    assert_true(faults(3 * PG));
    assert_int_equal(r.addr[2 * PG], 9);
    nova_region_free(far.r);
    assert_int_equal(store_truncate(&f, most), NOVA_OK);
    assert_zeros(3 * PG, PAGES * PG);
    alarm(0);
}

#define LAZY_EAGER(test)                                                                                               \
    {#test ", lazy", test, set_up, tear_down, NULL}, {                                                                 \
#test ", eager", test, set_up, tear_down, (void *)(uintptr_t)NOVA_MAP_EAGER                                    \
    }

int main(void) {
    const struct CMUnitTest tests[] = {
        LAZY_EAGER(allocated_blocks_beyond_the_end_stay_out_of_reach),
        LAZY_EAGER(writes_in_place_that_are_given_up_leave_zeros_beyond_the_end),
        LAZY_EAGER(writes_in_place_pass_the_end),
        LAZY_EAGER(appending_in_place_keeps_what_is_allocated_beyond),
        LAZY_EAGER(files_far_larger_than_their_regions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
