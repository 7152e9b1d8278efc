/* SPDX-License-Identifier: Apache-2.0 */
/* Truncate: every pair of sizes, what growth shows, blocks given back, a full pool, reopen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "image.h"
#include "rng.h"
#include "store.h"

#define MIB ((uint64_t)1 << 20)
#define BLK ((uint64_t)NOVA_BLOCK_SIZE)
#define MAX 30000u

static const struct nova_pool_options emulated = {.flags = NOVA_OPT_EMULATED};
static const char *path;
static struct store s;

static void must(int rc) {
    if (rc != NOVA_OK)
        fail_msg("status %d: %s", rc, s.err.msg);
}

static int set_up(void **state) {
    (void)state;
    struct nova_error err;
    path = store_path("truncate");
    assert_int_equal(nova_pool_create(path, 2 * MIB, &emulated, &err), NOVA_OK);
    must(store_open(&s, path, NOVA_OPT_EMULATED));
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    assert_int_equal(store_close(&s), NOVA_OK);
    unlink(path);
    return 0;
}

static uint64_t blocks_free(void) {
    return image_blocks_free(s.pool);
}

static uint32_t log_pages(nova_inode *inode) {
    struct nova_stat st;
    assert_int_equal(nova_inode_stat(inode, &st), NOVA_OK);
    return st.log_pages;
}

static void check(struct store_file *f, const uint8_t *model, uint64_t size) {
    static uint8_t buf[MAX + 1];
    assert_int_equal(f->size, size);
    assert_int_equal(store_read(f, 0, buf, sizeof buf), size);
    assert_memory_equal(buf, model, size);
}

static const uint32_t sizes[] = {0, 1, 63, 64, 4095, 4096, 4097, 8191, 8192, 8193, 12288, 20000};
#define SIZES (sizeof sizes / sizeof *sizes)

/* From each size to each other and back up: bytes cut off never come back, and blocks beyond the end are free. */
static void every_pair_of_sizes(void **state) {
    (void)state;
    static uint8_t model[MAX];
    for (size_t a = 0; a < SIZES; a++)
        for (size_t b = 0; b < SIZES; b++)
            for (size_t c = 0; c < SIZES; c++) {
                struct store_file f;
                must(store_file_open(&s, "file", true, &f));
                uint64_t empty = blocks_free();
                uint32_t names = log_pages(s.root);
                memset(model, 0, sizeof model);
                for (uint32_t i = 0; i < sizes[a]; i++)
                    model[i] = (uint8_t)(i % 251 + 1);
                if (sizes[a] != 0)
                    must(store_write(&f, 0, model, sizes[a]));
                must(store_truncate(&f, sizes[b]));
                memset(model + sizes[b], 0, MAX - sizes[b]);
                check(&f, model, sizes[b]);
                uint32_t kept = sizes[a] < sizes[b] ? sizes[a] : sizes[b];
                assert_int_equal(empty - blocks_free(), (kept + BLK - 1) / BLK + log_pages(f.inode));
                must(store_truncate(&f, sizes[c]));
                memset(model + sizes[c], 0, MAX - sizes[c]);
                check(&f, model, sizes[c]);
                must(store_write(&f, sizes[c] + 5, "tail", 4)); /* exposes five bytes */
                memcpy(model + sizes[c] + 5, "tail", 4);
                check(&f, model, sizes[c] + 9);
                must(store_file_close(&f));
                must(store_unlink(&s, "file"));
                assert_int_equal(blocks_free() + log_pages(s.root), empty + names);
                if (log_pages(s.root) > 100) { /* a new pool before the directory's log fills this one */
                    tear_down(NULL);
                    set_up(NULL);
                }
            }
}

static void nothing_to_do_logs_nothing(void **state) {
    (void)state;
    struct store_file f;
    struct nova_stat before, after;
    must(store_file_open(&s, "file", true, &f));
    must(store_write(&f, 0, "abc", 3));
    nova_inode_stat(f.inode, &before);
    must(store_truncate(&f, 3));
    nova_inode_stat(f.inode, &after);
    assert_int_equal(after.entries, before.entries);
    assert_int_equal(f.io.record_count, 0);
    assert_int_equal(f.io.size, 3);
    must(store_truncate(&f, 2));
    assert_int_equal(f.io.record_count, 1);
    assert_int_equal(f.io.records[0].kind, NOVA_REC_TRUNCATE);
    assert_int_equal(f.io.records[0].u.write.size, 2);
    assert_int_equal(f.io.size, 2);
    nova_inode_stat(f.inode, &after);
    assert_int_equal(after.entries, before.entries + 1);
    assert_int_equal(after.size, 2);
    assert_true(after.mtime >= before.mtime);
    must(store_file_close(&f));
}

/* A pool without a block left for anyone: files can be cut, again and again, as log pages come from the reserve. */
/* However many truncates: files can still be cut by pages, and removed, afterwards. */
static void leaves_enough_to_remove_names(void **state) {
    (void)state;
    struct store_file big, gone;
    static const uint8_t data[64 << 10] = {7};
    must(store_file_open(&s, "gone", true, &gone));
    must(store_file_close(&gone));
    must(store_file_open(&s, "big", true, &big));
    must(store_unlink(&s, "gone")); /* the directory's slot is full: the next entry needs a page */
    uint64_t len = sizeof data, at = 0;
    while (len != 0)
        if (store_write(&big, at, data, len) == NOVA_OK)
            at += len;
        else
            len /= 2;
    int rc;
    uint64_t size = at;
    while ((rc = store_truncate(&big, --size)) == NOVA_OK && size % NOVA_BLOCK_SIZE > 1)
        ;
    while (rc == NOVA_OK && size % NOVA_BLOCK_SIZE != 0 && size > 1)
        rc = store_truncate(&big, --size);
    for (int i = 0; i < 100000 && rc == NOVA_OK; i++) { /* up takes a line as well, and gives nothing back */
        rc = store_truncate(&big, size + 1);
        if (rc == NOVA_OK)
            rc = store_truncate(&big, size);
    }
    assert_int_equal(rc, NOVA_ENOSPC);
    must(store_truncate(&big, size - 3 * NOVA_BLOCK_SIZE));
    must(store_unlink(&s, "big"));
    must(store_file_close(&big));
}

static void works_on_a_full_pool(void **state) {
    (void)state;
    struct store_file big, small;
    static const uint8_t data[64 << 10] = {7};
    must(store_file_open(&s, "big", true, &big));
    must(store_file_open(&s, "small", true, &small));
    for (int i = 0; i < 3; i++) /* the slot is full: the next entry needs a page */
        must(store_write(&small, 0, data, 3000));
    uint64_t len = sizeof data, at = 0;
    while (len != 0)
        if (store_write(&big, at, data, len) == NOVA_OK)
            at += len;
        else
            len /= 2;
    assert_int_equal(store_write(&small, 0, data, 1), NOVA_ENOSPC);
    assert_int_equal(store_truncate(&small, 5000), NOVA_ENOSPC); /* growing needs a page, too, and gives nothing back */
    uint64_t before = blocks_free();
    must(store_truncate(&small, 100));
    assert_int_equal(blocks_free(), before - 1);
    for (uint64_t size = at - 1; size > at - 60; size--)
        must(store_truncate(&big, size));
    must(store_truncate(&big, 0));
    must(store_write(&small, 0, data, 60000));
    must(store_file_close(&big));
    must(store_file_close(&small));
}

static void survives_reopen_and_crash(void **state) {
    (void)state;
    static uint8_t model[MAX];
    struct store_file f;
    const char *copy = store_path("truncate-copy");
    for (uint32_t i = 0; i < MAX; i++)
        model[i] = (uint8_t)(i % 250 + 1);
    for (size_t a = 0; a < SIZES; a++) {
        must(store_file_open(&s, "file", true, &f));
        must(store_write(&f, 0, model, 20000));
        must(store_truncate(&f, sizes[a]));
        must(store_truncate(&f, 25000));
        must(store_file_close(&f));
        uint64_t before = blocks_free();
        store_copy_file(path, copy);
        assert_int_equal(store_close(&s), NOVA_OK);
        if (a % 2 == 0)
            assert_int_equal(rename(copy, path), 0);
        must(store_open(&s, path, NOVA_OPT_EMULATED));
        assert_int_equal(blocks_free(), before);
        must(store_file_open(&s, "file", false, &f));
        static uint8_t want[MAX];
        memcpy(want, model, sizes[a]);
        memset(want + sizes[a], 0, MAX - sizes[a]);
        check(&f, want, 25000);
        must(store_file_close(&f));
        must(store_unlink(&s, "file"));
    }
    unlink(copy);
}

static void random_sizes(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    static uint8_t model[MAX];
    struct store_file f;
    uint64_t size = 0;
    must(store_file_open(&s, "file", true, &f));
    for (int i = 0; i < 3000; i++) {
        uint64_t to = rng_below(&r, MAX);
        if (rng_below(&r, 2)) {
            must(store_truncate(&f, to));
            if (to < size)
                memset(model + to, 0, MAX - to);
            size = to;
        } else {
            uint8_t bytes[3000];
            uint64_t len = 1 + rng_below(&r, sizeof bytes);
            len = len < MAX - to ? len : MAX - to;
            memset(bytes, 1 + i % 255, len);
            must(store_write(&f, to, bytes, len));
            memcpy(model + to, bytes, len);
            size = to + len > size ? to + len : size;
        }
        if (i % 5 == 0)
            check(&f, model, size);
    }
    must(store_file_close(&f));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_pair_of_sizes),  TEST(nothing_to_do_logs_nothing), TEST(leaves_enough_to_remove_names),
        TEST(works_on_a_full_pool), TEST(survives_reopen_and_crash),  TEST(random_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
