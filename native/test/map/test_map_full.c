/* SPDX-License-Identifier: Apache-2.0 */
/* Faults that find no space: for the block, for a log page, or no way to the media. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lazy.h"
#include "map/region.h"
#include "mapped.h"
#include "pmem/pool_file.h"

#define PG 4096u
#define MB (1ull << 20)

/* ---- threads, until nothing is left ---- */

struct filling {
    struct mapped m;
    struct store_region r;
    uint64_t stored[4];
};

static void store_until_full(void *arg, unsigned id) {
    struct filling *f = arg;
    for (uint64_t page = id; page < f->r.len / PG; page += 4) {
        if (mapped_store_fails(f->r.addr + page * PG, (uint8_t)(page % 255 + 1)))
            return;
        f->stored[id]++;
    }
}

static void test_full_pool(void **state) {
    (void)state;
    struct filling f = {0};
    uint64_t sum = 0;
    mapped_open(&f.m, 8 * MB, 2);
    mapped_truncate(&f.m, 0, 16 * MB);
    f.r = mapped_map(&f.m, 0, 0, 16 * MB, 0);
    mapped_threads(4, store_until_full, &f);
    for (unsigned id = 0; id < 4; id++) {
        sum += f.stored[id];
        for (uint64_t i = 0; i < f.stored[id]; i++)
            assert_int_equal(get8(f.r.addr + (i * 4 + id) * PG), (i * 4 + id) % 255 + 1);
    }
    assert_in_range(sum, 1000, 8 * MB / PG);
    static const uint8_t two[2 * PG]; /* one is left if there was none for another page of the log */
    assert_int_equal(store_write(&f.m.file[1].f, 0, two, sizeof two), NOVA_ENOSPC);
    nova_region_free(f.r.r);
    mapped_reopen(&f.m);
    for (unsigned id = 0; id < 4; id++)
        for (uint64_t i = 0; i < f.stored[id]; i++) {
            uint8_t byte;
            mapped_read(&f.m, 0, (i * 4 + id) * PG, &byte, 1);
            assert_int_equal(byte, (i * 4 + id) % 255 + 1);
        }
    mapped_close(&f.m);
}

/* ---- one block after the other ---- */

/* Gives file 1 all space that is left; it has `holes` pages before. */
static uint64_t fill_pool(struct mapped *m) {
    static const uint8_t bytes[PG];
    uint64_t pages = 0;
    while (store_write(&m->file[1].f, pages * PG, bytes, PG) == NOVA_OK)
        pages++;
    assert_int_equal(m->s.err.code, NOVA_ENOSPC);
    return pages;
}

/* A write in place that finds no space for its entry may have changed its own bytes, but nothing else. */
static void test_in_place_without_a_log_page(void **state) {
    (void)state;
    struct mapped m;
    uint8_t all[4 * PG], now[4 * PG];
    unsigned writes = 0;
    mapped_open(&m, 8 * MB, 2);
    memset(all, 1, sizeof all);
    mapped_write(&m, 0, 0, all, sizeof all);
    struct store_region r = mapped_map(&m, 0, 0, sizeof all, NOVA_MAP_EAGER);
    (void)fill_pool(&m);
    uint64_t free_before = 0;
    struct nova_pool_info info;
    for (int rc = NOVA_OK; rc == NOVA_OK; writes++) {
        assert_in_range(writes, 0, 100); /* a page of the log is full by then */
        assert_int_equal(nova_pool_info(m.s.pool, &info), NOVA_OK);
        free_before = info.blocks_free;
        rc = store_write(&m.file[0].f, PG + 100, "in place", 8);
        assert_true(rc == NOVA_OK || rc == NOVA_ENOSPC);
    }
    assert_int_equal(nova_pool_info(m.s.pool, &info), NOVA_OK);
    assert_int_equal(info.blocks_free, free_before);
    assert_int_equal(m.file[0].f.size, sizeof all);
    mapped_read(&m, 0, 0, now, sizeof now);
    assert_memory_equal(now, r.addr, sizeof now);
    assert_memory_equal(now, all, PG + 100);
    assert_memory_equal(now + PG + 108, all + PG + 108, sizeof all - PG - 108);
    assert_int_equal(store_punch(&m.file[1].f, 0, 4 * PG), NOVA_OK);
    assert_int_equal(store_write(&m.file[0].f, PG + 100, "in place", 8), NOVA_OK);
    nova_region_free(r.r);
    mapped_reopen(&m);
    memcpy(all + PG + 100, "in place", 8);
    mapped_read(&m, 0, 0, now, sizeof now);
    assert_memory_equal(now, all, sizeof all);
    mapped_close(&m);
}

/* Each store to a hole finds a single free block, or two where the log needs another page as well. */
static void test_no_space_for_a_log_page(void **state) {
    (void)state;
    struct mapped m;
    unsigned without = 0, with = 0;
    mapped_open(&m, 8 * MB, 2);
    mapped_truncate(&m, 0, 4 * MB);
    struct store_region r = mapped_map(&m, 0, 0, 4 * MB, 0);
    uint64_t pages = fill_pool(&m);
    for (uint64_t i = 0; i < 200; i++) { /* pages apart: a fault has an entry each */
        uint8_t *p = r.addr + i * 5 * PG, byte;
        pages--;
        assert_int_equal(store_truncate(&m.file[1].f, pages * PG), NOVA_OK);
        if (!mapped_store_fails(p, (uint8_t)(i + 1))) {
            with++;
            continue;
        }
        without++;
        pages--; /* as for the other page that the log wants: then it works */
        assert_int_equal(store_truncate(&m.file[1].f, pages * PG), NOVA_OK);
        assert_false(mapped_load_fails(p, &byte));
        assert_int_equal(byte, 0);
        assert_false(mapped_store_fails(p, (uint8_t)(i + 1)));
    }
    assert_in_range(without, 1, 20);
    assert_in_range(with, 180, 199);
    for (uint64_t i = 0; i < 200; i++)
        assert_int_equal(r.addr[i * 5 * PG], i + 1);
    assert_true(mapped_equal(&m, 0, 0, r.addr, 200 * 5 * PG));
    nova_region_free(r.r);
    mapped_close(&m);
}

/* What could not be stored to once can when there is space again, whoever has made it. */
static void test_space_again(void **state) {
    (void)state;
    struct mapped m;
    uint8_t byte;
    mapped_open(&m, 8 * MB, 3);
    mapped_truncate(&m, 0, 16 * MB);
    struct store_region r = mapped_map(&m, 0, 0, 16 * MB, 0);
    for (unsigned how = 0; how < 3; how++) {
        (void)fill_pool(&m);
        uint8_t *p = r.addr + how * 100 * PG;
        uint64_t n = 0;
        while (!mapped_store_fails(p + n * PG, 1)) /* what the last write did not get */
            n++;
        assert_in_range(n, 0, 10);
        p += n * PG;
        assert_true(mapped_load_fails(p, &byte));
        assert_true(mapped_store_fails(p, 2));
        if (how == 0) {
            assert_int_equal(store_punch(&m.file[1].f, 0, MB), NOVA_OK);
        } else if (how == 1) {
            assert_int_equal(store_truncate(&m.file[1].f, 0), NOVA_OK);
        } else { /* its last name has gone */
            assert_int_equal(store_unlink(&m.s, "1"), NOVA_OK);
            assert_int_equal(store_file_close(&m.file[1].f), NOVA_OK);
        }
        assert_false(mapped_load_fails(p, &byte));
        assert_int_equal(byte, 0);
        assert_false(mapped_store_fails(p, 2));
        assert_int_equal(*p, 2);
    }
    assert_int_equal(store_file_open(&m.s, "1", true, &m.file[1].f), NOVA_OK);
    nova_region_free(r.r);
    mapped_close(&m);
}

/* Any number of pages may be refused, and takes few mappings; and there are few to be looked after when there is space.
 */
static void test_many_pages_without_space(void **state) {
    (void)state;
    struct mapped m;
    struct nova_region_stat st;
    uint64_t max = region_vmas_max(), size = mapped_short() ? 8 * MB : 64 * MB;
    mapped_open(&m, 8 * MB, 2);
    mapped_truncate(&m, 0, size);
    struct store_region r = mapped_map(&m, 0, 0, size, 0);
    (void)fill_pool(&m);
    region_vmas_limit(600);
    for (uint64_t at = 0; mapped_store_fails(r.addr + at, 1) == false; at += PG)
        assert_in_range(at, 0, 10 * PG); /* what the last write did not get */
    for (uint64_t at = MB; at < r.len; at += 2 * PG)
        assert_true(mapped_store_fails(r.addr + at, 1));
    assert_int_equal(nova_region_stat(r.r, &st), NOVA_OK);
    assert_in_range(st.vmas_all, 1, 300);
    uint8_t byte;
    assert_true(mapped_load_fails(r.addr + r.len - 2 * PG, &byte)); /* among the latest */
    assert_int_equal(store_truncate(&m.file[1].f, 0), NOVA_OK);
    for (uint64_t at = r.len - 400 * PG; at < r.len; at += 2 * PG)
        assert_false(mapped_store_fails(r.addr + at, 2));
    nova_region_free(r.r);
    region_vmas_limit(max);
    mapped_close(&m);
}

/* Blocks that a write had, and gives back since it is given up. */
static void test_space_of_a_write_that_is_given_up(void **state) {
    (void)state;
    struct mapped m;
    struct nova_pool_info info;
    nova_intent *in = NULL;
    uint8_t byte;
    mapped_open(&m, 8 * MB, 2);
    mapped_truncate(&m, 0, 16 * MB);
    struct store_region r = mapped_map(&m, 0, 0, 16 * MB, 0);
    uint64_t pages = fill_pool(&m);
    pages -= 30;
    assert_int_equal(store_truncate(&m.file[1].f, pages * PG), NOVA_OK);
    assert_int_equal(nova_pool_info(m.s.pool, &info), NOVA_OK);
    struct store_file *f = &m.file[1].f;
    for (uint64_t n = info.blocks_free; in == NULL; n--) {
        assert_int_not_equal(n, 0);
        (void)nova_write_begin(f->inode, pages * PG, n * PG, 0, 0, 0, &f->io, &in);
    }
    uint8_t *p = r.addr;
    while (!mapped_store_fails(p, 1))
        p += PG;
    assert_in_range(p - r.addr, 0, 10 * PG);
    assert_true(mapped_load_fails(p, &byte));
    nova_write_abort(in);
    assert_false(mapped_load_fails(p, &byte));
    assert_int_equal(byte, 0);
    assert_false(mapped_store_fails(p, 2));
    assert_int_equal(*p, 2);
    nova_region_free(r.r);
    mapped_close(&m);
}

/* An eager region has no faults to ask again: a call does that is about the same pages. */
static void test_space_again_eager(void **state) {
    (void)state;
    struct mapped m;
    uint8_t byte;
    mapped_open(&m, 8 * MB, 2);
    struct store_region r = mapped_map(&m, 0, 0, MB, NOVA_MAP_EAGER);
    for (unsigned how = 0; how < 4; how++) {
        mapped_truncate(&m, 0, 0);
        uint64_t spare = fill_pool(&m) * PG;
        mapped_truncate(&m, 0, MB); /* finds no blocks */
        assert_true(mapped_store_fails(r.addr + 100 * PG, 1));
        assert_int_equal(store_truncate(&m.file[1].f, spare - 2 * MB), NOVA_OK);
        assert_true(mapped_load_fails(r.addr + 100 * PG, &byte));
        if (how == 0)
            mapped_write(&m, 0, 100 * PG, "w", 1);
        else if (how == 1)
            assert_int_equal(store_punch(&m.file[0].f, 100 * PG, PG), NOVA_OK);
        else if (how == 2)
            assert_int_equal(store_populate(&m.file[0].f, &r, 100 * PG, PG, true), NOVA_OK);
        else {
            mapped_truncate(&m, 0, 100 * PG);
            mapped_truncate(&m, 0, MB);
        }
        assert_false(mapped_store_fails(r.addr + 100 * PG, 2));
        assert_true(mapped_load_fails(r.addr + 99 * PG, &byte)); /* not asked for */
    }
    nova_region_free(r.r);
    mapped_close(&m);
}

/* ---- a drain that fails ---- */

static bool broken; /* atomic */
static struct pmem_ops real;

static int drain(const struct pmem_ops *ops) {
    int os = real.drain(&real);
    (void)ops;
    return __atomic_load_n(&broken, __ATOMIC_ACQUIRE) ? EIO : os;
}

static void break_drains(struct pool_file *file) {
    real = file->ops;
    file->ops.drain = drain;
}

/* The thread that stores is told; what had been durable is there after the next open. */
static void test_failing_drain(void **state) {
    (void)state;
    struct mapped m;
    struct nova_fsck_summary sum;
    size_t needed;
    pool_mapped_hook = break_drains;
    mapped_open(&m, 8 * MB, 1);
    pool_mapped_hook = NULL;
    mapped_truncate(&m, 0, MB);
    struct store_region r = mapped_map(&m, 0, 0, MB, 0);
    put8(r.addr, 1);
    assert_int_equal(store_force(&m.file[0].f, &r, 0, MB), NOVA_OK);
    __atomic_store_n(&broken, true, __ATOMIC_RELEASE);
    assert_true(mapped_store_fails(r.addr + 100 * PG, 1));
    assert_int_equal(store_force(&m.file[0].f, &r, 0, MB), NOVA_EOS);
    (void)store_file_close(&m.file[0].f);
    (void)store_close(&m.s);
    __atomic_store_n(&broken, false, __ATOMIC_RELEASE);
    assert_true(mapped_store_fails(r.addr, 1));
    nova_region_free(r.r);
    struct store s;
    struct store_file f;
    uint8_t byte = 0;
    assert_int_equal(store_open(&s, m.path, 0), NOVA_OK);
    assert_int_equal(store_file_open(&s, "0", false, &f), NOVA_OK);
    assert_int_equal(store_read(&f, 0, &byte, 1), 1);
    assert_int_equal(byte, 1);
    assert_int_equal(store_file_close(&f), NOVA_OK);
    assert_int_equal(store_close(&s), NOVA_OK);
    assert_int_equal(nova_fsck(m.path, NULL, 0, &needed, &sum, NULL), NOVA_OK);
    assert_int_equal(sum.errors, 0);
    assert_int_equal(sum.blocks_used + sum.blocks_free, sum.blocks_total);
    unlink(m.path);
}

/* Pages that were cut off before the commit are shown again: of an eager region, which has no faults to do so. */
static void test_failing_cut(void **state) {
    (void)state;
    struct mapped m;
    uint8_t byte;
    pool_mapped_hook = break_drains;
    mapped_open(&m, 48 * MB, 1);
    pool_mapped_hook = NULL;
    mapped_truncate(&m, 0, 40 * MB);
    struct store_region r = mapped_map(&m, 0, 0, 40 * MB, NOVA_MAP_EAGER);
    for (uint64_t at = 0; at < 40 * MB; at += MB)
        put8(r.addr + at, (uint8_t)(at / MB + 1));
    mapped_truncate(&m, 0, 40 * MB - 1); /* the region shows all that it should from now on */
    __atomic_store_n(&broken, true, __ATOMIC_RELEASE);
    assert_int_equal(store_truncate(&m.file[0].f, MB), NOVA_EOS);
    for (uint64_t at = 0; at < 40 * MB; at += MB) {
        assert_false(mapped_load_fails(r.addr + at, &byte));
        assert_int_equal(byte, at / MB + 1);
    }
    __atomic_store_n(&broken, false, __ATOMIC_RELEASE);
    nova_region_free(r.r);
    (void)store_file_close(&m.file[0].f);
    (void)store_close(&m.s);
    unlink(m.path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_pool),
        cmocka_unit_test(test_no_space_for_a_log_page),
        cmocka_unit_test(test_in_place_without_a_log_page),
        cmocka_unit_test(test_space_again),
        cmocka_unit_test(test_space_again_eager),
        cmocka_unit_test(test_space_of_a_write_that_is_given_up),
        cmocka_unit_test(test_many_pages_without_space),
        cmocka_unit_test(test_failing_drain),
        cmocka_unit_test(test_failing_cut),
    };
    lazy_need("faults in a full pool");
    mapped_main(300);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
