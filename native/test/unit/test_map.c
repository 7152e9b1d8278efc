/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/handles.h"
#include "lazy.h"
#include "report.h"
#include "store.h"

#define PG 4096u
#define MB (1ull << 20)

struct fixture {
    struct store s;
    struct store_file f;
    const char *path;
    uint64_t appended;
};

static void setup(struct fixture *x, uint64_t size) {
    struct nova_error err;
    memset(x, 0, sizeof *x);
    x->path = store_path("map");
    assert_int_equal(nova_pool_create(x->path, size, NULL, &err), NOVA_OK);
    assert_int_equal(store_open(&x->s, x->path, 0), NOVA_OK);
    assert_int_equal(store_file_open(&x->s, "f", true, &x->f), NOVA_OK);
}

static void teardown(struct fixture *x) {
    struct nova_fsck_summary sum;
    char report[4096];
    size_t needed;
    struct nova_error err;
    assert_int_equal(store_file_close(&x->f), NOVA_OK);
    assert_int_equal(store_close(&x->s), NOVA_OK);
    assert_int_equal(nova_fsck(x->path, report, sizeof report, &needed, &sum, &err), NOVA_OK);
    if (sum.errors != 0)
        print_message("%s\n", report);
    assert_int_equal(sum.errors, 0);
    assert_int_equal(sum.blocks_used + sum.blocks_free, sum.blocks_total);
    unlink(x->path);
}

static nova_region *map(struct fixture *x, uint64_t off, uint64_t len, uint32_t flags, uint8_t **addr) {
    nova_region *r;
    struct nova_region_stat st;
    struct nova_error err;
    assert_int_equal(nova_map(x->f.inode, off, len, NOVA_MAP_WRITE | flags, &x->appended, &r, &err), NOVA_OK);
    nova_region_stat(r, &st);
    *addr = (uint8_t *)(uintptr_t)st.addr;
    assert_int_equal(st.lazy, (flags & NOVA_MAP_EAGER) == 0);
    return r;
}

static void test_stores_and_writes_meet(void **state) {
    uint32_t flags = (uint32_t)(uintptr_t)*state;
    struct fixture x;
    uint8_t *p, buf[2 * PG];
    setup(&x, 32 * MB);
    assert_int_equal(store_truncate(&x.f, 4 * MB), NOVA_OK);
    nova_region *r = map(&x, 0, 4 * MB, flags, &p);
    assert_int_equal(p[5], 0); /* a hole */
    p[5] = 7;                  /* a fault that allocates */
    p[MB] = 9;
    assert_int_equal(store_write(&x.f, 6, "abc", 3), NOVA_OK); /* partly over the page that the fault made */
    assert_int_equal(p[5], 7);
    assert_int_equal(p[6], 'a');
    assert_int_equal(p[9], 0);
    assert_int_equal(p[2 * MB], 0);
    assert_int_equal(store_write(&x.f, 2 * MB - 100, "xyz", 3), NOVA_OK); /* generic/428 */
    assert_int_equal(store_write(&x.f, 2 * MB, "xyz", 3), NOVA_OK);
    assert_memory_equal(p + 2 * MB - 100, "xyz", 3);
    assert_memory_equal(p + 2 * MB, "xyz", 3);
    memset(buf, 'q', sizeof buf);
    assert_int_equal(store_write(&x.f, 0, buf, PG), NOVA_OK); /* whole page */
    assert_memory_equal(p, buf, PG);
    p[10] = 1;
    assert_int_equal(store_read(&x.f, 0, buf, 16), 16);
    assert_int_equal(buf[10], 1);
    assert_int_equal(store_punch(&x.f, 0, PG), NOVA_OK);
    assert_int_equal(p[10], 0);
    p[11] = 3;
    assert_int_equal(store_punch(&x.f, 8, 2), NOVA_OK);
    assert_int_equal(p[11], 3);
    assert_int_equal(store_collapse(&x.f, 0, MB), NOVA_OK);
    assert_int_equal(p[0], 9);
    assert_int_equal(store_insert(&x.f, 0, MB), NOVA_OK);
    assert_int_equal(p[0], 0);
    assert_int_equal(p[MB], 9);
    assert_int_equal(store_truncate(&x.f, MB), NOVA_OK);
    assert_int_equal(store_truncate(&x.f, 4 * MB), NOVA_OK);
    assert_int_equal(p[MB], 0);
    p[MB] = 4;
    struct nova_error err;
    assert_int_equal(nova_force(r, 0, 4 * MB, &err), NOVA_OK);
    nova_region_close(r);
    nova_region_free(r);
    store_file_close(&x.f);
    assert_int_equal(store_file_open(&x.s, "f", false, &x.f), NOVA_OK);
    assert_int_equal(store_read(&x.f, MB, buf, 1), 1);
    assert_int_equal(buf[0], 4);
    teardown(&x);
}

static sigjmp_buf on_bus;

static void bus(int sig) {
    (void)sig;
    siglongjmp(on_bus, 1);
}

static bool faults(volatile uint8_t *p) {
    signal(SIGBUS, bus);
    bool hit = sigsetjmp(on_bus, 1) != 0;
    if (!hit)
        (void)*p;
    signal(SIGBUS, SIG_DFL);
    return hit;
}

static void test_beyond_the_end(void **state) {
    uint32_t flags = (uint32_t)(uintptr_t)*state;
    struct fixture x;
    uint8_t *p;
    setup(&x, 8 * MB);
    assert_int_equal(store_truncate(&x.f, PG + 1), NOVA_OK);
    nova_region *r = map(&x, 0, 8 * PG, flags, &p);
    assert_false(faults(p + PG));
    assert_true(faults(p + 2 * PG));
    assert_int_equal(store_write(&x.f, 3 * PG, "a", 1), NOVA_OK); /* grows */
    assert_false(faults(p + 2 * PG));
    assert_int_equal(p[3 * PG], 'a');
    p[2 * PG] = 5;
    assert_int_equal(store_truncate(&x.f, 1), NOVA_OK);
    assert_true(faults(p + 2 * PG));
    assert_int_equal(store_truncate(&x.f, 4 * PG), NOVA_OK);
    assert_int_equal(p[2 * PG], 0);
    p[2 * PG] = 6;
    assert_int_equal(store_file_close(&x.f), NOVA_OK); /* closes the region */
    assert_true(faults(p));
    nova_region_free(r);
    assert_int_equal(store_file_open(&x.s, "f", false, &x.f), NOVA_OK);
    teardown(&x);
}

/* Stores to page after page until one raises SIGBUS. How many pages it stored to. */
static uint64_t store_until_full(volatile uint8_t *p, uint64_t pages) {
    static volatile uint64_t stored;
    stored = 0;
    signal(SIGBUS, bus);
    if (sigsetjmp(on_bus, 1) == 0)
        for (; stored < pages; stored++)
            p[stored * PG] = (uint8_t)(1 + stored % 255);
    signal(SIGBUS, SIG_DFL);
    return stored;
}

static void test_full_pool(void **state) {
    (void)state;
    struct fixture x;
    uint8_t *p;
    setup(&x, 2 * MB);
    assert_int_equal(store_truncate(&x.f, 8 * MB), NOVA_OK);
    nova_region *r = map(&x, 0, 8 * MB, 0, &p);
    uint64_t stored = store_until_full(p, 8 * MB / PG);
    assert_in_range(stored, 100, 510);
    for (uint64_t i = 0; i < stored; i++)
        assert_int_equal(p[i * PG], 1 + i % 255);
    nova_region_free(r);
    teardown(&x);
}

/* Pages that got no block for lack of space get one when a call has given blocks back, whatever it gave back. */
static void test_space_that_comes_back(void **state) {
    (void)state;
    static const uint8_t value[60000];
    struct fixture x;
    struct store_file other;
    uint8_t *p;
    uint32_t freed;
    bool fits;
    setup(&x, 2 * MB);
    assert_int_equal(store_file_open(&x.s, "other", true, &other), NOVA_OK);
    for (int i = 0; i < 300; i++)
        assert_int_equal(store_write(&other, 0, value, PG), NOVA_OK);
    assert_int_equal(store_setxattr(&other, "user.v", value, sizeof value), NOVA_OK);
    assert_int_equal(store_truncate(&x.f, 8 * MB), NOVA_OK);
    nova_region *r = map(&x, 0, 8 * MB, 0, &p);
    struct store_log log = store_log_of(&other);

    uint64_t refused = store_until_full(p, 8 * MB / PG);
    assert_true(faults(p + refused * PG));
    assert_int_equal(store_removexattr(&other, "user.v"), NOVA_OK);
    assert_false(faults(p + refused * PG));

    uint64_t next = store_until_full(p, 8 * MB / PG);
    assert_in_range(next, refused + 1, refused + 16);
    assert_true(faults(p + next * PG));
    assert_int_equal(store_clean(&log, 100, &freed), NOVA_OK);
    assert_in_range(freed, 3, 10);
    assert_false(faults(p + next * PG));

    while (other.inode->log.tail.idx != FMT_PAGE_LINES)
        assert_int_equal(store_write(&other, 0, value, PG), NOVA_OK);
    uint32_t blk = alloc_one(x.s.pool->alloc, 0), first = block_map_get(&other.map, 0);
    next = store_until_full(p, 8 * MB / PG);
    assert_true(faults(p + next * PG));
    other.io.frees[other.io.free_count++] = (struct nova_extent){blk, 1};
    assert_int_equal(other.io.free_count, 1);
    assert_int_equal(nova_write(other.inode, 0, value, PG, first, first, 0, &other.io), NOVA_ENOSPC);
    assert_false(faults(p + next * PG)); /* a call that fails gives back, too */

    nova_intent *in;
    assert_int_equal(nova_write_begin(other.inode, 0, PG, first, first, 0, &other.io, &in), NOVA_OK);
    next = store_until_full(p, 8 * MB / PG);
    assert_true(faults(p + next * PG));
    nova_write_abort(in); /* and one that is given up */
    assert_false(faults(p + next * PG));

    next = store_until_full(p, 8 * MB / PG);
    assert_true(faults(p + next * PG));
    assert_int_equal(store_restart(&log, &fits), NOVA_OK);
    assert_true(fits);
    assert_false(faults(p + next * PG));
    assert_int_equal(store_file_close(&other), NOVA_OK);
    nova_region_free(r);
    teardown(&x);
}

/* Who gives back space looks after each region once, though stores to it may be refused again at once. */
static void test_refused_regions_come_once(void **state) {
    struct fixture x;
    uint8_t *p;
    const void *after = NULL;
    (void)state;
    setup(&x, 32 * MB);
    nova_region *r = map(&x, 0, MB, 0, &p);
    struct region *region = x.f.inode->map->regions;
    for (unsigned round = 0; round < 3; round++, after = NULL) {
        region_refuse(region);
        assert_ptr_equal(region_take_refused(&after), region);
        region_done(region);
        region_refuse(region);
        assert_null(region_take_refused(&after));
    }
    nova_region_free(r);
    teardown(&x);
}

/* ---- the two threads of generic/344, in small ---- */

struct race {
    struct fixture *x;
    uint8_t *p;
    uint64_t pages;
    int stop;
};

static void *storer(void *arg) {
    struct race *race = arg;
    for (uint64_t round = 1; round <= 3; round++)
        for (uint64_t i = 0; i < race->pages; i++)
            for (unsigned k = 0; k < 8; k++)
                race->p[i * PG + k * 512] = (uint8_t)round;
    return NULL;
}

static void test_stores_beside_writes(void **state) {
    uint32_t flags = (uint32_t)(uintptr_t)*state;
    struct fixture x;
    struct race race = {.x = &x, .pages = 1024};
    setup(&x, 32 * MB);
    assert_int_equal(store_truncate(&x.f, race.pages * PG), NOVA_OK);
    nova_region *r = map(&x, 0, race.pages * PG, flags, &race.p);
    pthread_t t;
    pthread_create(&t, NULL, storer, &race);
    for (uint64_t round = 1; round <= 3; round++)
        for (uint64_t i = 0; i < race.pages; i++)
            for (unsigned k = 0; k < 2; k++) {
                uint8_t mark = (uint8_t)(round + 10);
                assert_int_equal(store_write(&x.f, i * PG + k * 2048 + 100, &mark, 1), NOVA_OK);
            }
    pthread_join(t, NULL);
    for (uint64_t i = 0; i < race.pages; i++) {
        for (unsigned k = 0; k < 8; k++)
            assert_int_equal(race.p[i * PG + k * 512], 3);
        for (unsigned k = 0; k < 2; k++)
            assert_int_equal(race.p[i * PG + k * 2048 + 100], 13);
    }
    nova_region_free(r);
    teardown(&x);
}

static void test_source_is_the_mapping(void **state) {
    uint32_t flags = (uint32_t)(uintptr_t)*state;
    struct fixture x;
    uint8_t *p;
    setup(&x, 32 * MB);
    assert_int_equal(store_truncate(&x.f, 4 * MB), NOVA_OK);
    nova_region *r = map(&x, 0, 4 * MB, flags, &p);
    assert_int_equal(store_write(&x.f, 100, p + MB, MB), NOVA_OK);
    p[2 * MB] = 8;
    assert_int_equal(store_write(&x.f, 2 * MB - 50, p + 2 * MB - 60, 100), NOVA_OK);
    assert_int_equal(p[2 * MB + 10], 8);
    nova_region_free(r);
    teardown(&x);
}

/* Where the bytes go may be a mapping of the same file that nobody has looked at. */
static void test_read_into_the_mapping(void **state) {
    uint32_t flags = (uint32_t)(uintptr_t)*state;
    struct fixture x;
    uint8_t *p;
    struct nova_error err;
    setup(&x, 32 * MB);
    assert_int_equal(store_truncate(&x.f, 4 * MB), NOVA_OK);
    nova_region *r = map(&x, 0, 4 * MB, flags, &p);
    memset(p + 5, 'r', 100000);
    alarm(30); /* a store that waits for ever */
    assert_int_equal(nova_region_read(r, 0, p + MB + 7, MB, &err), NOVA_OK);
    alarm(0);
    assert_memory_equal(p + MB + 7, p, MB);
    nova_region_free(r);
    teardown(&x);
}

#define EAGER ((void *)(uintptr_t)NOVA_MAP_EAGER)
#define BOTH(test)                                                                                                     \
    {#test " lazy", test, NULL, NULL, NULL}, {                                                                         \
#test " eager", test, NULL, NULL, EAGER                                                                        \
    }

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(test_stores_and_writes_meet),
        BOTH(test_beyond_the_end),
        cmocka_unit_test(test_full_pool),
        cmocka_unit_test(test_space_that_comes_back),
        cmocka_unit_test(test_refused_regions_come_once),
        BOTH(test_stores_beside_writes),
        BOTH(test_source_is_the_mapping),
        BOTH(test_read_into_the_mapping),
    };
    if (!lazy_possible()) {
        report_line("mapping: lazy regions skipped, this process may not use userfaultfd");
        cmocka_set_test_filter("*eager");
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
