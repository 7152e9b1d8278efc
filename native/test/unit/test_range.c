/* SPDX-License-Identifier: Apache-2.0 */
/* Holes, collapse, insert, allocate: what each shows and gives back, every error, full pools, the format's rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/handles.h"
#include "image.h"
#include "rng.h"
#include "store.h"

#define MIB ((uint64_t)1 << 20)
#define BLK ((uint64_t)NOVA_BLOCK_SIZE)
#define MAX 40000u

static const struct nova_pool_options emulated = {.flags = NOVA_OPT_EMULATED};
static const char *path;
static struct store s;
static struct store_file f;
static uint8_t model[MAX];

static void must(int rc) {
    if (rc != NOVA_OK)
        fail_msg("status %d: %s", rc, s.err.msg);
}

/* Free blocks are full of bytes that no test writes. */
static void poison(void) {
    for (uint32_t blk = s.pool->media.data_blk; blk < s.pool->media.data_end; blk++)
        if (!alloc_is_used(s.pool->alloc, blk))
            memset(s.pool->file.base + (size_t)blk * NOVA_BLOCK_SIZE, 0xd5, NOVA_BLOCK_SIZE);
}

static int set_up(void **state) {
    (void)state;
    struct nova_error err;
    path = store_path("range");
    assert_int_equal(nova_pool_create(path, 2 * MIB, &emulated, &err), NOVA_OK);
    must(store_open(&s, path, NOVA_OPT_EMULATED));
    poison();
    must(store_file_open(&s, "file", true, &f));
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    must(store_file_close(&f));
    assert_int_equal(store_close(&s), NOVA_OK);
    (void)image_no_findings(path);
    unlink(path);
    return 0;
}

static uint64_t blocks_free(void) {
    return image_blocks_free(s.pool);
}

static struct nova_stat stat_of(const struct store_file *file) {
    struct nova_stat st;
    assert_int_equal(nova_inode_stat(file->inode, &st), NOVA_OK);
    return st;
}

static void fill(uint64_t size) {
    memset(model, 0, sizeof model);
    for (uint64_t i = 0; i < size; i++)
        model[i] = (uint8_t)(i % 251 + 1);
    if (size != 0)
        must(store_write(&f, 0, model, size));
    assert_int_equal(f.size, size);
}

static void check(uint64_t size) {
    static uint8_t buf[MAX + 1];
    assert_int_equal(f.size, size);
    assert_int_equal(stat_of(&f).size, size);
    assert_int_equal(f.io.size, size);
    assert_int_equal(store_read(&f, 0, buf, sizeof buf), size);
    for (uint64_t i = 0; i < size; i++)
        if (buf[i] != model[i])
            fail_msg("byte %llu of %llu is %02x, not %02x", (unsigned long long)i, (unsigned long long)size, buf[i],
                     model[i]);
}

/* Ends a round: growth shows zeros, and everything comes back when the file goes. */
static void grow_and_drop(uint64_t size, uint64_t empty, uint32_t names) {
    memset(model + size, 0, sizeof model - size);
    must(store_truncate(&f, MAX));
    check(MAX);
    must(store_file_close(&f));
    must(store_unlink(&s, "file"));
    assert_int_equal(blocks_free() + stat_of(&(struct store_file){.inode = s.root}).log_pages, empty + names);
    if (stat_of(&(struct store_file){.inode = s.root}).log_pages > 60) {
        must(store_file_open(&s, "file", true, &f));
        tear_down(NULL);
        set_up(NULL);
    } else {
        must(store_file_open(&s, "file", true, &f));
    }
}

static const uint32_t places[] = {0, 1, 100, 4095, 4096, 4097, 8192, 8200, 12287, 12288, 20000};
#define PLACES (sizeof places / sizeof *places)

static void holes_of_every_shape(void **state) {
    (void)state;
    static const uint32_t sizes[] = {1, 4000, 4096, 9000, 12288, 12300};
    for (size_t a = 0; a < sizeof sizes / sizeof *sizes; a++)
        for (size_t b = 0; b < PLACES; b++)
            for (size_t c = b + 1; c < PLACES; c++) {
                uint64_t size = sizes[a], off = places[b], end = places[c];
                uint64_t empty = blocks_free() + stat_of(&f).log_pages;
                uint32_t names = stat_of(&(struct store_file){.inode = s.root}).log_pages;
                fill(size);
                must(store_truncate(&f, size + 5)); /* with bytes behind the end */
                must(store_truncate(&f, size));
                must(store_punch(&f, off, end - off));
                for (uint64_t i = off; i < end && i < size; i++)
                    model[i] = 0;
                check(size);
                uint64_t from = (off + BLK - 1) / BLK, to = end >= size ? (size + BLK - 1) / BLK : end / BLK;
                uint64_t whole = to > from ? to - from : 0;
                assert_int_equal(f.map.pages, (size + BLK - 1) / BLK - whole);
                assert_int_equal(empty - blocks_free(), f.map.pages + stat_of(&f).log_pages);
                grow_and_drop(size, empty, names);
            }
}

static void a_hole_where_one_was_logs_nothing(void **state) {
    (void)state;
    fill(3 * BLK);
    must(store_punch(&f, BLK, BLK));
    uint64_t entries = stat_of(&f).entries;
    must(store_punch(&f, BLK, BLK));
    must(store_punch(&f, BLK + 10, 100));
    must(store_punch(&f, 3 * BLK + 10, 100)); /* beyond the size */
    assert_int_equal(stat_of(&f).entries, entries);
    assert_int_equal(f.io.record_count, 0);
    assert_int_equal(f.io.size, 3 * BLK);
    must(store_punch(&f, BLK - 1, 2)); /* one edge has a block */
    assert_int_equal(stat_of(&f).entries, entries + 1);
    assert_int_equal(f.io.records[0].kind, NOVA_REC_WRITE);
    /* A caller that does not know says that there is something between. */
    int rc = nova_punch(f.inode, BLK, BLK, 0, 0, 1, &f.io);
    assert_int_equal(rc, NOVA_OK);
    assert_int_equal(stat_of(&f).entries, entries + 2);
    assert_int_equal(f.io.record_count, 1);
    assert_int_equal(f.io.records[0].kind, NOVA_REC_HOLE);
    assert_int_equal(f.io.records[0].u.range.pgoff, 1);
    assert_int_equal(f.io.records[0].u.range.count, 1);
    assert_int_equal(f.io.records[0].u.range.size, 3 * BLK);
    assert_int_equal(f.io.records[0].u.range.mtime, stat_of(&f).mtime);
}

static void records_of_a_hole(void **state) {
    (void)state;
    fill(4 * BLK);
    must(store_punch(&f, 10, 100)); /* both edges are in one page: one block */
    assert_int_equal(f.io.record_count, 1);
    must(store_punch(&f, 10, 3 * BLK));
    assert_int_equal(f.io.record_count, 3);
    assert_int_equal(f.io.records[0].kind, NOVA_REC_WRITE);
    assert_int_equal(f.io.records[0].u.write.pgoff, 0);
    assert_int_equal(f.io.records[1].kind, NOVA_REC_WRITE);
    assert_int_equal(f.io.records[1].u.write.pgoff, 3);
    assert_int_equal(f.io.records[2].kind, NOVA_REC_HOLE);
    assert_int_equal(f.io.records[2].u.range.pgoff, 1);
    assert_int_equal(f.io.records[2].u.range.count, 2);
}

static void collapse_and_insert(void **state) {
    (void)state;
    static const uint32_t sizes[] = {4097, 8192, 12288, 16000};
    for (size_t a = 0; a < sizeof sizes / sizeof *sizes; a++)
        for (uint64_t off = 0; off < 5 * BLK; off += BLK)
            for (uint64_t len = BLK; len < 5 * BLK; len += BLK) {
                uint64_t size = sizes[a], empty = blocks_free() + stat_of(&f).log_pages;
                uint32_t names = stat_of(&(struct store_file){.inode = s.root}).log_pages;
                fill(size);
                int rc = store_insert(&f, off, len);
                if (off >= size) {
                    assert_int_equal(rc, NOVA_EINVAL);
                } else {
                    must(rc);
                    memmove(model + off + len, model + off, size - off);
                    memset(model + off, 0, len);
                    size += len;
                    assert_int_equal(f.io.records[0].kind, NOVA_REC_INSERT);
                }
                if (rc == NOVA_OK)
                    check(size);
                uint64_t mapped = f.map.pages;
                rc = store_collapse(&f, off, 2 * BLK);
                if (off + 2 * BLK >= size) {
                    assert_int_equal(rc, NOVA_EINVAL);
                } else {
                    must(rc);
                    assert_true(f.map.pages <= mapped && f.map.pages + 2 >= mapped);
                    memmove(model + off, model + off + 2 * BLK, size - off - 2 * BLK);
                    size -= 2 * BLK;
                    assert_int_equal(f.io.records[0].kind, NOVA_REC_COLLAPSE);
                    assert_int_equal(f.io.records[0].u.range.size, size);
                    check(size);
                }
                assert_int_equal(empty - blocks_free(), f.map.pages + stat_of(&f).log_pages);
                grow_and_drop(size, empty, names);
            }
}

static void allocation(void **state) {
    (void)state;
    fill(5000);
    must(store_truncate(&f, 4500)); /* with bytes behind the end */
    memset(model + 4500, 0, MAX - 4500);
    uint64_t before = blocks_free();
    must(store_allocate(&f, 0, 5 * BLK, true)); /* three pages, all beyond the size */
    assert_int_equal(f.map.pages, 5);
    assert_int_equal(before - blocks_free(), 3);
    assert_int_equal(f.io.records[0].kind, NOVA_REC_ALLOC);
    check(4500);
    uint64_t entries = stat_of(&f).entries;
    must(store_allocate(&f, 0, 5 * BLK, true)); /* there is no hole: the store asks for nothing */
    assert_int_equal(stat_of(&f).entries, entries);
    must(store_allocate(&f, 5 * BLK, 100, false)); /* grows, over what was allocated */
    assert_int_equal(f.map.pages, 6);
    check(5 * BLK + 100);
    must(store_truncate(&f, 5 * BLK + 100)); /* nothing to do */
    must(store_write(&f, 3 * BLK + 7, "bytes", 5));
    memcpy(model + 3 * BLK + 7, "bytes", 5);
    check(5 * BLK + 100);
    assert_int_equal(f.map.pages, 6);
    must(store_allocate(&f, 7 * BLK, 2 * BLK, true));
    must(store_insert(&f, BLK, BLK)); /* what lies beyond moves along */
    memmove(model + 2 * BLK, model + BLK, 5 * BLK);
    memset(model + BLK, 0, BLK);
    assert_int_not_equal(block_map_get(&f.map, 9), 0);
    assert_int_equal(block_map_get(&f.map, 7), 0);
    check(6 * BLK + 100);
    must(store_collapse(&f, BLK, BLK));
    memmove(model + BLK, model + 2 * BLK, 5 * BLK);
    assert_int_not_equal(block_map_get(&f.map, 8), 0);
    check(5 * BLK + 100);
    must(store_punch(&f, 5 * BLK + 200, 3 * BLK)); /* from behind the end: page 7 is whole, page 8 is not */
    assert_int_equal(block_map_get(&f.map, 7), 0);
    assert_int_not_equal(block_map_get(&f.map, 5), 0);
    assert_int_not_equal(block_map_get(&f.map, 8), 0);
    check(5 * BLK + 100);
    must(store_write(&f, 9 * BLK - 1, "x", 1)); /* the rest of a page that was beyond the size is zeros */
    memset(model + 5 * BLK + 100, 0, MAX - 5 * BLK - 100);
    model[9 * BLK - 1] = 'x';
    check(9 * BLK);
    must(store_truncate(&f, 100));
    must(store_allocate(&f, 3 * BLK, BLK, true));
    must(store_truncate(&f, 50));
    assert_int_equal(f.map.pages, 1); /* what lay beyond is gone */
    check(50);
}

/* Pages allocated over single free blocks: more entries than an answer holds. */
static void fragmented_allocation(void **state) {
    (void)state;
    struct store_file other;
    must(store_file_open(&s, "other", true, &other));
    uint8_t page[NOVA_BLOCK_SIZE] = {1};
    for (uint64_t i = 0; i < 60; i++) {
        must(store_write(&f, i * BLK, page, BLK));
        must(store_write(&other, i * BLK, page, BLK));
    }
    struct nova_pool_info info;
    nova_pool_info(s.pool, &info);
    must(store_write(&other, 60 * BLK, page, 1));
    for (uint64_t at = 61; info.blocks_free > info.blocks_reserve + 3; at++) {
        must(store_write(&other, at * BLK, page, 1));
        nova_pool_info(s.pool, &info);
    }
    must(store_truncate(&f, 0));
    uint64_t before = blocks_free();
    must(store_allocate(&f, 3, 40 * BLK, true));
    assert_int_equal(f.map.pages, 41);
    assert_int_equal(f.io.more, 0);
    assert_true(before - blocks_free() >= 41);
    must(store_allocate(&f, 0, 30 * BLK, false));
    memset(model, 0, sizeof model);
    static uint8_t buf[30 * NOVA_BLOCK_SIZE];
    assert_int_equal(store_read(&f, 0, buf, sizeof buf), sizeof buf);
    for (size_t i = 0; i < sizeof buf; i++)
        assert_int_equal(buf[i], 0);
    before = blocks_free();
    struct store_file third;
    must(store_file_open(&s, "third", true, &third));
    assert_int_equal(store_allocate(&third, 0, 2 * MIB, false), NOVA_ENOSPC);
    assert_int_equal(third.size, 0);
    assert_true(before - blocks_free() <= 1); /* the directory's log */
    must(store_file_close(&third));
    must(store_file_close(&other));
}

static void fill_pool(struct store_file *big) {
    static const uint8_t data[64 << 10] = {7};
    uint64_t len = sizeof data, at = 0;
    while (len != 0)
        if (store_write(big, at, data, len) == NOVA_OK)
            at += len;
        else
            len /= 2;
}

static void works_on_a_full_pool(void **state) {
    (void)state;
    struct store_file big;
    must(store_file_open(&s, "big", true, &big));
    fill(30000);
    for (int i = 0; i < 2; i++)
        must(store_write(&f, 0, model, 1)); /* the slot is full: the next entry needs a page */
    fill_pool(&big);
    assert_int_equal(store_write(&f, 0, model, 1), NOVA_ENOSPC);
    assert_int_equal(store_insert(&f, 0, BLK), NOVA_ENOSPC);
    uint64_t before = blocks_free();
    must(store_punch(&f, BLK + 10, 3 * BLK));
    memset(model + BLK + 10, 0, 3 * BLK);
    check(30000);
    assert_int_equal(blocks_free(), before + 2 - 1); /* two pages; one for the log */
    must(store_collapse(&f, 0, BLK));
    memmove(model, model + BLK, 30000 - BLK);
    check(30000 - BLK);
    assert_int_equal(blocks_free(), before + 2);
    for (int i = 0; i < 200; i++) /* until half the reserve is gone */
        if (store_punch(&f, 5 * BLK + 10, 10) != NOVA_OK)
            break;
    must(store_punch(&big, 0, 20 * BLK));
    must(store_punch(&f, 0, 30000));
    assert_int_equal(f.map.pages, 0);
    must(store_file_close(&big));
}

/* Edges alone give nothing back: however many, names can be removed and whole pages be given back afterwards. */
static void edges_leave_enough_to_remove_names(void **state) {
    (void)state;
    struct store_file big, gone;
    must(store_file_open(&s, "gone", true, &gone));
    must(store_file_close(&gone));
    must(store_file_open(&s, "big", true, &big));
    must(store_unlink(&s, "gone")); /* the directory's slot is full: the next entry needs a page */
    fill_pool(&big);
    int rc = NOVA_OK;
    for (int i = 0; i < 100000 && rc == NOVA_OK; i++)
        rc = store_punch(&big, BLK - 1, 2);
    assert_int_equal(rc, NOVA_ENOSPC);
    must(store_punch(&big, 10, 3 * BLK));
    must(store_unlink(&s, "big"));
    must(store_file_close(&big));
}

static void errors(void **state) {
    (void)state;
    const uint64_t limit = (uint64_t)NOVA_FILE_SIZE_MAX;
    fill(3 * BLK);
    uint64_t entries = stat_of(&f).entries, before = blocks_free();
    nova_inode *in = f.inode;
    struct nova_io *io = &f.io;
    assert_int_equal(nova_punch(in, 0, 0, 0, 0, 0, io), NOVA_EINVAL);
    assert_int_equal(nova_punch(in, 1, limit, 0, 0, 0, io), NOVA_EFBIG);
    assert_int_equal(nova_punch(in, limit + 1, 1, 0, 0, 0, io), NOVA_EFBIG);
    assert_int_equal(nova_punch(in, 0, UINT64_MAX, 0, 0, 0, io), NOVA_EFBIG);
    assert_int_equal(nova_punch(in, 10, 10, 1, 1, 0, io), NOVA_EINVAL);
    assert_int_equal(nova_punch(in, 10, 2 * BLK, block_map_get(&f.map, 0), UINT32_MAX, 0, io), NOVA_EINVAL);
    assert_int_equal(nova_collapse(in, 0, 0, io), NOVA_EINVAL);
    assert_int_equal(nova_collapse(in, 1, BLK, io), NOVA_EINVAL);
    assert_int_equal(nova_collapse(in, 0, BLK + 1, io), NOVA_EINVAL);
    assert_int_equal(nova_collapse(in, 0, 3 * BLK, io), NOVA_EINVAL);
    assert_int_equal(nova_collapse(in, 2 * BLK, BLK, io), NOVA_EINVAL);
    assert_int_equal(nova_collapse(in, 3 * BLK, BLK, io), NOVA_EINVAL);
    assert_int_equal(nova_collapse(in, BLK, UINT64_MAX - BLK + 1, io), NOVA_EINVAL);
    assert_int_equal(nova_insert(in, 0, 0, io), NOVA_EINVAL);
    assert_int_equal(nova_insert(in, 100, BLK, io), NOVA_EINVAL);
    assert_int_equal(nova_insert(in, 0, 100, io), NOVA_EINVAL);
    assert_int_equal(nova_insert(in, 3 * BLK, BLK, io), NOVA_EINVAL);
    assert_int_equal(nova_insert(in, BLK, limit - 2 * BLK, io), NOVA_EFBIG);
    assert_int_equal(nova_insert(in, BLK, UINT64_MAX - BLK + 1, io), NOVA_EFBIG);
    const struct nova_run one = {5, 1}, none = {5, 0}, twice[] = {{5, 2}, {6, 1}}, back[] = {{5, 1}, {4, 1}};
    const struct nova_run far = {limit / BLK, 1}, wrap = {1, UINT64_MAX}, huge = {0, limit / BLK};
    uint64_t size = f.size;
    assert_int_equal(nova_allocate(in, NULL, 1, size, 0, io), NOVA_EINVAL);
    assert_int_equal(nova_allocate(in, &one, 0, size, 0, io), NOVA_EINVAL);
    assert_int_equal(nova_allocate(in, &none, 1, size, 0, io), NOVA_EINVAL);
    assert_int_equal(nova_allocate(in, twice, 2, size, 0, io), NOVA_EINVAL);
    assert_int_equal(nova_allocate(in, back, 2, size, 0, io), NOVA_EINVAL);
    assert_int_equal(nova_allocate(in, &one, 1, size - 1, 0, io), NOVA_EINVAL);
    assert_int_equal(nova_allocate(in, &one, 1, size, 1, io), NOVA_EINVAL);
    assert_int_equal(nova_allocate(in, &one, 1, limit + 1, 0, io), NOVA_EFBIG);
    assert_int_equal(nova_allocate(in, &far, 1, size, 0, io), NOVA_EFBIG);
    assert_int_equal(nova_allocate(in, &wrap, 1, size, 0, io), NOVA_EFBIG);
    assert_int_equal(nova_allocate(in, &huge, 1, size, 0, io), NOVA_ENOSPC);
    assert_int_equal(stat_of(&f).entries, entries);
    assert_int_equal(blocks_free(), before);
    check(3 * BLK);
    must(store_insert(&f, BLK, limit - 3 * BLK)); /* the limit itself */
    assert_int_equal(f.size, limit);
    must(store_collapse(&f, BLK, limit - 3 * BLK));
    check(3 * BLK);
}

static void wrong_type_and_stale_view(void **state) {
    (void)state;
    static struct nova_io io;
    const struct nova_run one = {5, 1};
    assert_int_equal(nova_punch(s.root, 0, 1, 0, 0, 0, &io), NOVA_EISDIR);
    assert_int_equal(nova_collapse(s.root, 0, BLK, &io), NOVA_EISDIR);
    assert_int_equal(nova_insert(s.root, 0, BLK, &io), NOVA_EISDIR);
    assert_int_equal(nova_allocate(s.root, &one, 1, 0, 0, &io), NOVA_EISDIR);
    fill(3 * BLK);
    must(store_file_close(&f));
    const struct dir_name *d = dir_map_get(&s.names, "file", 4);
    assert_int_equal(nova_inode_open(s.pool, d->ino, d->gen, &f.inode, &s.err), NOVA_OK);
    assert_int_equal(nova_punch(f.inode, 0, 1, 0, 0, 0, &io), NOVA_ESTALE);
    assert_int_equal(nova_collapse(f.inode, 0, BLK, &io), NOVA_ESTALE);
    assert_int_equal(nova_insert(f.inode, 0, BLK, &io), NOVA_ESTALE);
    assert_int_equal(nova_allocate(f.inode, &one, 1, 4 * BLK, 0, &io), NOVA_ESTALE);
    assert_int_equal(nova_inode_close(f.inode, &s.err), NOVA_OK);
    must(store_file_open(&s, "file", false, &f));
}

/* Every kind of entry, reopened after a clean close and after a crash. */
static void survives_reopen_and_crash(void **state) {
    (void)state;
    const char *copy = store_path("range-copy");
    for (int crash = 0; crash < 2; crash++) {
        fill(30000);
        must(store_punch(&f, 5000, 10000));
        memset(model + 5000, 0, 10000);
        must(store_collapse(&f, BLK, BLK));
        memmove(model + BLK, model + 2 * BLK, 30000 - 2 * BLK);
        must(store_insert(&f, 2 * BLK, 3 * BLK));
        memmove(model + 5 * BLK, model + 2 * BLK, 30000 - 3 * BLK);
        memset(model + 2 * BLK, 0, 3 * BLK);
        uint64_t size = 30000 + 2 * BLK;
        must(store_allocate(&f, 2 * BLK, 10 * BLK, true));
        check(size);
        must(store_file_close(&f));
        uint64_t before = blocks_free();
        store_copy_file(path, copy);
        assert_int_equal(store_close(&s), NOVA_OK);
        if (crash)
            assert_int_equal(rename(copy, path), 0);
        must(store_open(&s, path, NOVA_OPT_EMULATED));
        assert_int_equal(blocks_free(), before);
        must(store_file_open(&s, "file", false, &f));
        f.io.size = f.size;
        check(size);
        must(store_truncate(&f, 0));
    }
    unlink(copy);
}

static int any_call(int which) {
    switch (which) {
    case 0: return store_punch(&f, 100, 2 * BLK);
    case 1: return store_collapse(&f, BLK, BLK);
    case 2: return store_insert(&f, BLK, 2 * BLK);
    default: return store_allocate(&f, 0, 9 * BLK, false);
    }
}

static void two_drains(void **state) {
    (void)state;
    struct image_ops ops;
    fill(5 * BLK + 100);
    image_ops_init(&ops);
    s.pool->media.ops = &ops.ops;
    for (int round = 0; round < 100; round++) { /* across log pages */
        ops.drains = 0;
        int call = round % 4;
        must(call == 3 ? store_allocate(&f, 0, f.size + BLK, false) : any_call(call));
        assert_int_equal(ops.drains, 2);
    }
    ops.drains = 0;
    must(store_punch(&f, f.size + 5 * BLK, 100));
    assert_int_equal(ops.drains, 0);
    s.pool->media.ops = &s.pool->file.ops;
}

/* Where the media refuse: before the commit nothing has changed; at it, whether it happened shows after a reopen. */
static void refused_drains(void **state) {
    (void)state;
    static uint8_t before[MAX], after[MAX];
    const char *copy = store_path("range-copy");
    for (int which = 0; which < 4; which++)
        for (unsigned at = 1; at <= 2; at++) {
            struct image_ops ops;
            must(store_truncate(&f, 0));
            fill(5 * BLK + 100);
            uint64_t size = f.size, blocks = blocks_free();
            store_read(&f, 0, before, size);
            image_ops_init(&ops);
            ops.fail_from = at;
            s.pool->media.ops = &ops.ops;
            assert_int_equal(any_call(which), NOVA_EOS);
            s.pool->media.ops = &s.pool->file.ops;
            assert_int_equal(f.io.record_count, 0);
            assert_true(blocks_free() <= blocks); /* what the call took is in doubt until a recovery */
            if (at == 1) {
                must(store_write(&f, 0, before, 1)); /* writing can go on */
            } else {
                assert_int_equal(store_write(&f, 0, before, 1), NOVA_ESTALE);
            }
            store_copy_file(path, copy);
            must(store_file_close(&f));
            assert_int_equal(store_close(&s), NOVA_OK);
            assert_int_equal(rename(copy, path), 0);
            must(store_open(&s, path, NOVA_OPT_EMULATED));
            must(store_file_open(&s, "file", false, &f));
            store_read(&f, 0, after, f.size);
            bool same = f.size == size && memcmp(after, before, size) == 0;
            assert_int_equal(same, at == 1);
        }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(holes_of_every_shape),
        TEST(a_hole_where_one_was_logs_nothing),
        TEST(records_of_a_hole),
        TEST(collapse_and_insert),
        TEST(allocation),
        TEST(fragmented_allocation),
        TEST(works_on_a_full_pool),
        TEST(edges_leave_enough_to_remove_names),
        TEST(errors),
        TEST(wrong_type_and_stale_view),
        TEST(survives_reopen_and_crash),
        TEST(two_drains),
        TEST(refused_drains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
