/* SPDX-License-Identifier: Apache-2.0 */
/* What nova_pool_stats() counts: as much as was done, and nothing before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store.h"
#include "util/biased_lock.h"

#define MIB ((uint64_t)1 << 20)
#define BLK ((uint64_t)NOVA_BLOCK_SIZE)
#define SLOT_LINES 3u
#define PAGE_LINES 63u

static const char *path;
static struct store s;
static struct store_file f;
static uint8_t bytes[NOVA_BLOCK_SIZE];

static void must(int rc) {
    if (rc != NOVA_OK)
        fail_msg("status %d: %s", rc, s.err.msg);
}

static struct nova_pool_stats stats(void) {
    struct nova_pool_stats st;
    assert_int_equal(nova_pool_stats(s.pool, &st), NOVA_OK);
    return st;
}

static int set_up(void **state) {
    (void)state;
    struct nova_error err;
    path = store_path("stats");
    assert_int_equal(nova_pool_create(path, 8 * MIB, NULL, &err), NOVA_OK);
    must(store_open(&s, path, NOVA_OPT_EMULATED));
    must(store_file_open(&s, "file", true, &f));
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    must(store_file_close(&f));
    must(store_close(&s));
    unlink(path);
    return 0;
}

static void test_nothing_at_first(void **state) {
    (void)state;
    must(store_file_close(&f));
    must(store_close(&s));
    must(store_open(&s, path, NOVA_OPT_EMULATED));
    struct nova_pool_stats st = stats(), none = {.map_vmas = st.map_vmas, .map_vmas_max = st.map_vmas_max};
    assert_memory_equal(&st, &none, sizeof st);
    must(store_file_open(&s, "file", false, &f));
}

static void write_entries(uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        must(store_write(&f, 0, bytes, sizeof bytes));
}

static void test_log_pages(void **state) {
    (void)state;
    uint64_t before = stats().log_pages_added;
    write_entries(SLOT_LINES);
    assert_int_equal(stats().log_pages_added, before);
    write_entries(1 + 2 * PAGE_LINES);
    assert_int_equal(stats().log_pages_added, before + 3);
    assert_int_equal(stats().log_pages_freed, 0);

    struct store_log log = store_log_of(&f);
    uint32_t freed;
    must(store_clean(&log, 2, &freed));
    assert_true(freed != 0);
    assert_int_equal(stats().log_pages_freed, freed);

    /* What is left of them goes with the file; the one of the root directory is left. */
    must(store_file_close(&f));
    must(store_unlink(&s, "file"));
    struct nova_pool_stats st = stats();
    struct nova_stat root;
    assert_int_equal(nova_inode_stat(s.root, &root), NOVA_OK);
    assert_int_equal(st.log_pages_added - st.log_pages_freed, root.log_pages);
    must(store_file_open(&s, "file", true, &f));
}

static void test_faults(void **state) {
    (void)state;
    struct store_region r;
    struct nova_region_stat region;
    must(store_truncate(&f, MIB));
    must(store_map(&f, 0, MIB, NOVA_MAP_WRITE, &r));
    assert_int_equal(nova_region_stat(r.r, &region), NOVA_OK);
    if (region.lazy == 0)
        skip(); /* no userfaultfd */
    for (uint64_t at = 0; at < MIB; at += 16 * BLK)
        *(volatile uint8_t *)(r.addr + at) = 1;
    nova_region_stat(r.r, &region);
    struct nova_pool_stats st = stats();
    assert_int_equal(st.faults, region.faults);
    assert_int_equal(st.fault_pages, region.allocated);
    assert_int_equal(st.fault_hold_max_ns, region.hold_max_ns);
    assert_int_equal(st.map_vmas, region.vmas_all);
    assert_int_equal(st.map_vmas_max, region.vmas_max);
    assert_true(st.faults != 0 && st.fault_pages >= MIB / BLK / 16 && st.fault_hold_max_ns != 0);
    nova_region_free(r.r);
    assert_int_equal(stats().faults, st.faults); /* they stay when the region goes */
}

/* ---- waiting for logLock ---- */

static struct biased_lock lock;
static uint64_t waits;

static void *guest(void *arg) {
    biased_lock_guest(&lock);
    biased_unlock_guest(&lock);
    return arg;
}

static uint64_t waits_now(void) {
    return __atomic_load_n(&waits, __ATOMIC_RELAXED);
}

static void test_waits(void **state) {
    (void)state;
    pthread_t t;
    waits = 0;
    biased_lock_init(&lock, &waits);
    biased_lock_owner(&lock);
    biased_unlock_owner(&lock);
    guest(NULL);
    assert_int_equal(waits_now(), 0);
    biased_lock_owner(&lock);
    assert_int_equal(pthread_create(&t, NULL, guest, NULL), 0);
    while (waits_now() == 0)
        continue;
    biased_unlock_owner(&lock);
    pthread_join(t, NULL);
    assert_int_equal(waits_now(), 1);
    biased_lock_destroy(&lock);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing_at_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_log_pages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_faults, set_up, tear_down),
        cmocka_unit_test(test_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
