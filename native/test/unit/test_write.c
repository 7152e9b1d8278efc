/* SPDX-License-Identifier: Apache-2.0 */
/* Writing: content against a byte array at every awkward edge, intents, space accounting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/handles.h"
#include "write_pool.h"

/* ---- content ---- */

/* What the file is before the write. */
struct shape {
    uint64_t size;
    uint64_t hole_from, hole_to; /* pages that are holes */
};

static const struct shape shapes[] = {
    {0, 0, 0},     {1, 0, 0},     {100, 0, 0},   {4095, 0, 0},  {4096, 0, 0},  {4097, 0, 0},
    {8192, 0, 0},  {12289, 0, 0}, {20000, 0, 0}, {100, 0, 1},   {4097, 0, 2},  {12288, 0, 1},
    {12288, 1, 2}, {12288, 2, 3}, {12300, 3, 4}, {20000, 0, 5}, {20000, 1, 3}, {20000, 4, 5},
};

/* Makes the file so, and the model. Holes come from truncating up, and from writing behind the end. */
static void make_shape(struct store_file *f, const struct shape *sh, uint8_t *model, uint32_t salt) {
    fill_pattern(model, sh->size, salt);
    for (uint64_t off = 0; off < sh->size; off += BLK) {
        uint64_t n = sh->size - off < BLK ? sh->size - off : BLK, pg = off / BLK;
        if (pg >= sh->hole_from && pg < sh->hole_to)
            memset(model + off, 0, n);
        else
            must(store_write(f, off, model + off, n));
    }
    must(store_truncate(f, sh->size));
    assert_int_equal(f->size, sh->size);
}

static void check_content(struct store_file *f, const uint8_t *model, uint64_t size, const char *what, uint64_t off,
                          uint64_t len) {
    static uint8_t buf[64 << 10];
    assert_int_equal(f->size, size);
    assert_int_equal(store_read(f, 0, buf, sizeof buf), size);
    for (uint64_t i = 0; i < size; i++)
        if (buf[i] != model[i])
            fail_msg("%s of %llu at %llu: byte %llu is %02x, not %02x", what, (unsigned long long)len,
                     (unsigned long long)off, (unsigned long long)i, buf[i], model[i]);
}

static const uint64_t offs[] = {0, 1, 63, 64, 100, 4095, 4096, 4097, 8191, 8192, 12288, 16385, 20000, 24576};
static const uint64_t lens[] = {1, 63, 64, 65, 4095, 4096, 4097, 8191, 8192, 12289};

static void every_edge(void **state) {
    (void)state;
    static uint8_t model[64 << 10], data[64 << 10];
    poison();
    uint64_t before = blocks_free() + log_pages(s.root);
    uint32_t n = 0;
    for (size_t sh = 0; sh < sizeof shapes / sizeof *shapes; sh++)
        for (size_t o = 0; o < sizeof offs / sizeof *offs; o++)
            for (size_t l = 0; l < sizeof lens / sizeof *lens; l++, n++) {
                struct store_file f;
                uint64_t off = offs[o], len = lens[l], size = shapes[sh].size;
                memset(model, 0, sizeof model);
                must(store_file_open(&s, "file", true, &f));
                make_shape(&f, &shapes[sh], model, n);
                fill_pattern(data, len, n + 99);
                if (n % 3 == 0)
                    must(store_write(&f, off, data, len));
                else
                    must(store_write_pieces(&f, off, data, len, n % 3 == 1 ? 1000 : 4096, n % 2 == 0));
                memcpy(model + off, data, len);
                size = off + len > size ? off + len : size;
                check_content(&f, model, size, "write", off, len);
                /* What lies behind the end now must never show: the file grows, over it and past it. */
                must(store_truncate(&f, size + 5000));
                check_content(&f, model, size + 5000, "growth", off, len);
                must(store_truncate(&f, off + len / 2));
                memset(model + off + len / 2, 0, sizeof model - (off + len / 2));
                must(store_write(&f, off + len / 2 + 777, data, 10)); /* behind a gap */
                memcpy(model + off + len / 2 + 777, data, 10);
                check_content(&f, model, off + len / 2 + 787, "gap", off, len);
                must(store_file_close(&f));
                must(store_unlink(&s, "file"));
                assert_int_equal(blocks_free() + log_pages(s.root), before);
            }
    assert_true(n > 2000);
}

/* The same after the pool was closed, and after a crash. */
static void every_shape_survives(void **state) {
    (void)state;
    static uint8_t model[sizeof shapes / sizeof *shapes][64 << 10], data[64 << 10];
    const char *copy = store_path("write-copy");
    char name[16];
    uint64_t size[sizeof shapes / sizeof *shapes];
    poison();
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct store_file f;
        (void)snprintf(name, sizeof name, "f%zu", i);
        must(store_file_open(&s, name, true, &f));
        make_shape(&f, &shapes[i], model[i], (uint32_t)i);
        fill_pattern(data, 6000, (uint32_t)i + 50);
        uint64_t off = offs[i % (sizeof offs / sizeof *offs)];
        must(store_write(&f, off, data, 6000));
        memcpy(model[i] + off, data, 6000);
        size[i] = off + 6000 > shapes[i].size ? off + 6000 : shapes[i].size;
        must(store_file_close(&f));
    }
    uint64_t before = blocks_free();
    store_copy_file(path, copy);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(store_close(&s), NOVA_OK);
        if (round == 1)
            assert_int_equal(rename(copy, path), 0);
        must(store_open(&s, path, NOVA_OPT_EMULATED));
        assert_int_equal(blocks_free(), before);
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            struct store_file f;
            (void)snprintf(name, sizeof name, "f%zu", i);
            must(store_file_open(&s, name, false, &f));
            check_content(&f, model[i], size[i], "reopen", 0, 0);
            must(store_file_close(&f));
        }
    }
}

/* Appends of all sizes up to some blocks: one block at a time, never more than needed. */
static void appends(void **state) {
    (void)state;
    struct store_file f;
    static uint8_t model[300000], buf[300000];
    fill_pattern(model, sizeof model, 3);
    uint64_t before = blocks_free() - 1; /* the table block is there */
    must(store_file_open(&s, "log", true, &f));
    before += before != blocks_free();
    uint64_t at = 0, start = blocks_free();
    for (uint64_t len = 1; at + len < sizeof model; len += len < 70 ? 1 : 61) {
        must(store_write(&f, at, model + at, len));
        at += len;
        assert_int_equal(start - blocks_free(), (at + BLK - 1) / BLK + log_pages(f.inode));
    }
    assert_int_equal(store_read(&f, 0, buf, sizeof buf), at);
    assert_memory_equal(buf, model, at);
    must(store_file_close(&f));
}

static void sparse_to_the_end_of_the_world(void **state) {
    (void)state;
    struct store_file f;
    uint8_t b = 0x42, buf[20];
    const uint64_t max = (uint64_t)NOVA_FILE_SIZE_MAX;
    must(store_file_open(&s, "sparse", true, &f));
    must(store_write(&f, max - 1, &b, 1));
    assert_int_equal(f.size, max);
    must(store_write(&f, max / 2 + 4095, "xy", 2)); /* over a block's end */
    assert_int_equal(store_read(&f, max - 10, buf, 20), 10);
    assert_int_equal(buf[9], b);
    assert_int_equal(buf[8], 0);
    assert_int_equal(store_read(&f, max / 2 + 4094, buf, 4), 4);
    assert_memory_equal(buf, "\0xy\0", 4);
    assert_int_equal(store_write(&f, max, &b, 1), NOVA_EFBIG);
    assert_int_equal(store_write(&f, max - 1, "xy", 2), NOVA_EFBIG);
    must(store_truncate(&f, max));
    must(store_truncate(&f, max - 1));
    assert_int_equal(store_truncate(&f, max + 1), NOVA_EFBIG);
    must(store_file_close(&f));
}

/* ---- one large write ---- */

static void one_large_write(uint64_t len) {
    struct store_file f;
    struct nova_pool_info info;
    drop_pool();
    make_pool(len * 5 / 4 + 16 * MIB);
    must(store_file_open(&s, "large", true, &f));
    uint8_t *bytes = malloc(len + 5000);
    assert_non_null(bytes);
    for (uint64_t i = 0; i < len / 8; i++)
        memcpy(bytes + 8 * i, &(uint64_t){i * 0x9e3779b97f4a7c15u}, 8);
    memset(bytes + len, 9, 5000);
    uint64_t before = blocks_free();
    must(store_write(&f, 0, bytes, len));
    assert_int_equal(before - blocks_free(), len / BLK);
    struct nova_stat st;
    assert_int_equal(nova_inode_stat(f.inode, &st), NOVA_OK);
    assert_true(st.entries <= 1 + (nova_pool_info(s.pool, &info), info.lanes)); /* as few extents as lanes allow */
    for (uint64_t off = 0; off < len; off += 4 * MIB) {
        static uint8_t buf[4 << 20];
        uint64_t n = store_read(&f, off, buf, sizeof buf);
        assert_memory_equal(buf, bytes + off, n);
    }
    must(store_file_close(&f));
    free(bytes);
}

static void sixty_four_mebibytes(void **state) {
    (void)state;
    one_large_write(64 * MIB);
}

static void a_gibibyte(void **state) {
    (void)state;
    struct statvfs vfs;
    if (getenv("NOVA_FULL") == NULL || statvfs("/dev/shm", &vfs) != 0 || vfs.f_bavail * vfs.f_bsize < 2048 * MIB)
        skip();
    one_large_write(1024 * MIB);
}

/* ---- intents ---- */

static void aborted_intents_leave_nothing(void **state) {
    (void)state;
    struct store_file f;
    static uint8_t model[40000], buf[40000];
    nova_intent *in;
    fill_pattern(model, sizeof model, 1);
    must(store_file_open(&s, "file", true, &f));
    must(store_write(&f, 0, model, 20001));
    uint64_t before = blocks_free();
    for (uint64_t off = 0; off < 30000; off += 1777) {
        uint64_t len = 9999;
        uint32_t first = block_map_get(&f.map, off / BLK), last = block_map_get(&f.map, (off + len - 1) / BLK);
        assert_int_equal(
            nova_write_begin(f.inode, off, len, first, last, block_map_get(&f.map, 20001 / BLK), &f.io, &in), NOVA_OK);
        memset(buf, 0x99, sizeof buf);
        if (off % 2 == 0)
            assert_int_equal(nova_write_fill(in, 0, buf, len, &f.io), NOVA_OK);
        nova_write_abort(in);
        assert_int_equal(blocks_free(), before);
        assert_int_equal(store_read(&f, 0, buf, sizeof buf), 20001);
        assert_memory_equal(buf, model, 20001);
    }
    nova_write_abort(NULL);
    must(store_truncate(&f, 40000)); /* an aborted append may have left bytes behind the end */
    memset(model + 20001, 0, sizeof model - 20001);
    assert_int_equal(store_read(&f, 0, buf, sizeof buf), 40000);
    assert_memory_equal(buf, model, 40000);
    must(store_file_close(&f));
}

static void fills_stay_in_their_range(void **state) {
    (void)state;
    struct store_file f;
    uint8_t buf[6000] = {0};
    nova_intent *in;
    must(store_file_open(&s, "file", true, &f));
    assert_int_equal(nova_write_begin(f.inode, 100, 5000, 0, 0, 0, &f.io, &in), NOVA_OK);
    assert_int_equal(nova_write_fill(in, 0, buf, 5001, &f.io), NOVA_EINVAL);
    assert_int_equal(nova_write_fill(in, 5000, buf, 1, &f.io), NOVA_EINVAL);
    assert_int_equal(nova_write_fill(in, 5001, buf, 1, &f.io), NOVA_EINVAL);
    assert_int_equal(nova_write_fill(in, UINT64_MAX, buf, 2, &f.io), NOVA_EINVAL);
    assert_int_equal(nova_write_fill(in, 1, buf, UINT64_MAX, &f.io), NOVA_EINVAL);
    assert_int_equal(nova_write_fill(in, 0, NULL, 1, &f.io), NOVA_EINVAL);
    assert_int_equal(f.io.err.code, NOVA_EINVAL);
    assert_int_equal(nova_write_fill(in, 5000, NULL, 0, &f.io), NOVA_OK);
    for (uint64_t at = 0; at < 5000; at += 2) { /* odd after even */
        assert_int_equal(nova_write_fill(in, at, "e", 1, &f.io), NOVA_OK);
        buf[at] = 'e';
    }
    for (uint64_t at = 4999; at < 5000; at -= 2) {
        assert_int_equal(nova_write_fill(in, at, "o", 1, &f.io), NOVA_OK);
        buf[at] = 'o';
    }
    assert_int_equal(nova_write_commit(in, &f.io), NOVA_OK);
    assert_int_equal(f.io.record_count, 1);
    assert_int_equal(f.io.size, 5100);
    uint32_t blk = f.io.records[0].u.write.blk;
    assert_memory_equal(s.base + blk * BLK + 100, buf, 5000);
    for (uint64_t i = 0; i < 100; i++)
        assert_int_equal(s.base[blk * BLK + i], 0);
    must(store_file_close(&f));
}

/* Commit releases the blocks that ride along; if they are wrong, the intent is gone and so are its blocks. */
static void a_commit_that_fails_ends_the_intent(void **state) {
    (void)state;
    struct store_file f;
    nova_intent *in;
    must(store_file_open(&s, "file", true, &f));
    must(store_write(&f, 0, "old", 3));
    uint64_t before = blocks_free();
    uint32_t blk = block_map_get(&f.map, 0);
    assert_int_equal(nova_write_begin(f.inode, 0, 3, blk, blk, blk, &f.io, &in), NOVA_OK);
    assert_int_equal(nova_write_fill(in, 0, "new", 3, &f.io), NOVA_OK);
    f.io.free_count = 1;
    f.io.frees[0] = (struct nova_extent){1, 1};
    assert_int_equal(nova_write_commit(in, &f.io), NOVA_EINVAL);
    assert_int_equal(f.io.free_count, 0);
    assert_int_equal(blocks_free(), before);
    uint8_t buf[3];
    assert_int_equal(store_read(&f, 0, buf, 3), 3);
    assert_memory_equal(buf, "old", 3);
    must(store_write(&f, 0, "new", 3)); /* and the file goes on */
    must(store_file_close(&f));
}

/* ---- no space ---- */

/* Takes free blocks until exactly `left` can still be had without the reserve. */
static struct nova_extent *squeeze(uint32_t left, uint32_t *n) {
    struct nova_pool_info info;
    nova_pool_info(s.pool, &info);
    uint64_t take = info.blocks_free - info.blocks_reserve - left;
    struct nova_extent *held = calloc(take + 1, sizeof *held);
    assert_non_null(held);
    for (*n = 0; *n < take; ++*n) {
        held[*n] = (struct nova_extent){alloc_one(s.pool->alloc, 0), 1};
        assert_true(held[*n].blk != 0);
    }
    nova_pool_info(s.pool, &info);
    assert_int_equal(info.blocks_free - info.blocks_reserve, left);
    return held;
}

static void unsqueeze(struct nova_extent *held, uint32_t n) {
    assert_int_equal(nova_free(s.pool, held, n, &s.err), NOVA_OK);
    free(held);
}

/* With any number of blocks left, writes that fit work and the others change nothing; also where only the log page is
 * missing. */
static void no_space_changes_nothing(void **state) {
    (void)state;
    static uint8_t model[60000], buf[60000], data[60000];
    fill_pattern(model, sizeof model, 5);
    fill_pattern(data, sizeof data, 6);
    for (uint32_t entries = 1; entries <= 4; entries++) /* 3 fit the slot: the 4th needs a page */
        for (uint32_t left = 0; left < 6; left++)
            for (uint32_t pages = 1; pages < 7; pages++) {
                struct store_file f;
                uint32_t n;
                must(store_file_open(&s, "file", true, &f));
                for (uint32_t e = 1; e < entries; e++)
                    must(store_write(&f, 0, model, 10000));
                uint64_t size = entries > 1 ? 10000 : 0;
                struct nova_extent *held = squeeze(left, &n);
                uint64_t before = blocks_free();
                uint64_t off = entries % 2 == 0 ? 8192 : 0, len = pages * BLK - 100;
                int rc = store_write(&f, off, data, len);
                if (pages + (entries == 4) <= left) {
                    must(rc);
                    memcpy(buf, data, sizeof buf);
                    assert_int_equal(f.size, off + len > size ? off + len : size);
                } else {
                    assert_int_equal(rc, NOVA_ENOSPC);
                    assert_int_equal(blocks_free(), before);
                    assert_int_equal(f.size, size);
                    assert_int_equal(store_read(&f, 0, buf, sizeof buf), size);
                    assert_memory_equal(buf, model, size);
                    struct nova_stat st;
                    nova_inode_stat(f.inode, &st);
                    assert_int_equal(st.size, size);
                    assert_int_equal(st.entries, entries - 1);
                }
                unsqueeze(held, n);
                if (rc != NOVA_OK)
                    must(store_write(&f, off, data, len));
                must(store_file_close(&f));
                must(store_unlink(&s, "file"));
            }
}

static void intents_without_space(void **state) {
    (void)state;
    struct store_file f;
    nova_intent *in = (nova_intent *)(uintptr_t)1;
    uint32_t n;
    must(store_file_open(&s, "file", true, &f));
    for (int i = 0; i < 3; i++)
        must(store_write(&f, 0, "abc", 3));
    struct nova_extent *held = squeeze(2, &n);
    uint64_t before = blocks_free();
    assert_int_equal(nova_write_begin(f.inode, 0, 3 * BLK, 0, 0, 0, &f.io, &in), NOVA_ENOSPC);
    assert_null(in);
    assert_int_equal(blocks_free(), before);
    /* Room for the data, not for the log page: the commit fails and gives all back. */
    uint32_t blk = block_map_get(&f.map, 0);
    assert_int_equal(nova_write_begin(f.inode, 0, 2 * BLK, blk, 0, blk, &f.io, &in), NOVA_OK);
    assert_int_equal(blocks_free(), before - 2);
    assert_int_equal(nova_write_commit(in, &f.io), NOVA_ENOSPC);
    assert_int_equal(blocks_free(), before);
    assert_int_equal(f.io.record_count, 0);
    unsqueeze(held, n);
    must(store_file_close(&f));
}

/* ---- fragments ---- */

static int by_block(const void *a, const void *b) {
    uint32_t x = ((const struct nova_extent *)a)->blk, y = ((const struct nova_extent *)b)->blk;
    return x < y ? -1 : x > y;
}

/* Leaves every second block free. */
static void fragment(struct nova_extent **held, uint32_t *n, uint32_t gaps) {
    uint32_t all;
    struct nova_extent *h = squeeze(0, &all);
    qsort(h, all, sizeof *h, by_block); /* each lane gives first what was freed lately */
    *held = h;
    *n = all;
    uint32_t given = 0;
    for (uint32_t i = 0; i + 1 < all && given < gaps; i += 2) {
        assert_true(alloc_free(s.pool->alloc, h[i].blk, 1));
        h[i].count = 0;
        given++;
    }
    assert_int_equal(given, gaps);
}

static void give_back(struct nova_extent *held, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        if (held[i].count != 0)
            assert_true(alloc_free(s.pool->alloc, held[i].blk, 1));
    free(held);
}

static void write_page(struct store_file *f, uint64_t page, int rc) {
    static uint8_t data[BLK];
    uint32_t blk = block_map_get(&f->map, page);
    assert_int_equal(nova_write(f->inode, page * BLK, data, BLK, blk, blk, 0, &f->io), rc);
    assert_int_equal(f->io.free_count, 0);
}

/* The block that a call gives back may be the one that it writes; whatever becomes of the call, none is lost, and none
 * that is free already is taken. */
static void a_block_given_back_is_used(void **state) {
    (void)state;
    struct store_file f;
    static uint8_t data[4 * BLK];
    must(store_file_open(&s, "file", true, &f));
    must(store_write(&f, 0, data, sizeof data));
    uint64_t before = blocks_free();
    uint32_t blk = alloc_one(s.pool->alloc, 0);
    f.io.frees[0] = (struct nova_extent){blk, 1};
    f.io.free_count = 1;
    write_page(&f, 1, NOVA_OK);
    assert_int_equal(f.io.records[0].u.write.blk, blk);
    assert_int_equal(blocks_free(), before - 1); /* the old one is still the caller's */
    must(store_done(&f, NOVA_OK));
    assert_int_equal(blocks_free(), before);

    blk = alloc_one(s.pool->alloc, 0); /* a call that fails */
    f.io.frees[0] = (struct nova_extent){blk, 1};
    f.io.free_count = 1;
    assert_int_equal(nova_write(f.inode, 0, data, 0, 0, 0, 0, &f.io), NOVA_EINVAL);
    assert_int_equal(f.io.free_count, 0);
    assert_int_equal(blocks_free(), before);

    f.io.frees[0] = (struct nova_extent){blk, 1}; /* which now is free */
    f.io.free_count = 1;
    write_page(&f, 1, NOVA_ECORRUPT);
    assert_false(alloc_is_used(s.pool->alloc, blk));

    blk = alloc_one(s.pool->alloc, 0); /* one that is longer than a block */
    f.io.frees[0] = (struct nova_extent){blk, 1};
    f.io.free_count = 1;
    must(store_done(
        &f, nova_write(f.inode, 0, data, 2 * BLK, block_map_get(&f.map, 0), block_map_get(&f.map, 1), 0, &f.io)));
    assert_int_equal(blocks_free(), before);

    f.io.frees[0] = (struct nova_extent){UINT32_MAX, 1};
    f.io.free_count = 1;
    write_page(&f, 1, NOVA_EINVAL);

    write_page(&f, 1, NOVA_OK); /* the log enters a page */
    must(store_done(&f, NOVA_OK));

    before = blocks_free();
    blk = alloc_one(s.pool->alloc, 0); /* one that needs no block */
    f.io.frees[0] = (struct nova_extent){blk, 1};
    f.io.free_count = 1;
    must(store_write(&f, f.size, data, 10));
    assert_int_equal(blocks_free(), --before);
    blk = alloc_one(s.pool->alloc, 0);
    f.io.frees[0] = (struct nova_extent){blk, 1};
    f.io.free_count = 1;
    must(store_write(&f, f.size, data, 10));
    assert_int_equal(blocks_free(), before);

    blk = alloc_in_a_row(s.pool->alloc, 2); /* more than it needs */
    f.io.frees[0] = (struct nova_extent){blk, 2};
    f.io.free_count = 1;
    write_page(&f, 1, NOVA_OK);
    must(store_done(&f, NOVA_OK));
    assert_int_equal(blocks_free(), before);
    must(store_truncate(&f, 4 * BLK));
    for (uint64_t page = 3; page < 5; page++) { /* the last block of the pool: overwriting, and appending */
        uint32_t n;
        struct nova_extent *held = squeeze(0, &n);
        write_page(&f, page, NOVA_ENOSPC);
        f.io.frees[0] = held[--n];
        f.io.free_count = 1;
        write_page(&f, page, NOVA_OK);
        must(store_done(&f, NOVA_OK));
        unsqueeze(held, n);
    }
    must(store_file_close(&f));
    must(store_unlink(&s, "file"));
}

static void an_appended_file_lies_in_a_row(void **state) {
    (void)state;
    struct store_file f;
    static uint8_t data[128];
    must(store_file_open(&s, "file", true, &f));
    for (unsigned i = 0; i < 64 * BLK / sizeof data; i++)
        must(store_write(&f, f.size, data, sizeof data));
    unsigned breaks = 0;
    for (uint64_t page = 1; page < 64; page++)
        breaks += block_map_get(&f.map, page) != block_map_get(&f.map, page - 1) + 1;
    assert_in_range(breaks, 0, 64 * BLK / sizeof data / FMT_PAGE_LINES + 1); /* its log goes between */
    must(store_file_close(&f));
    must(store_unlink(&s, "file"));
}

static void fragmented_writes(void **state) {
    (void)state;
    static uint8_t data[1000 * 4096], buf[1000 * 4096];
    fill_pattern(data, sizeof data, 8);
    static const uint32_t pages[] = {2, 15, 16, 17, 18, 62, 63, 64, 100, 500};
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        struct store_file f;
        struct nova_extent *held;
        struct nova_pool_info info;
        uint32_t n;
        nova_pool_info(s.pool, &info);
        must(store_file_open(&s, "file", true, &f));
        uint64_t empty = blocks_free() + log_pages(s.root);
        fragment(&held, &n, 700);
        uint64_t before = blocks_free(), len = pages[i] * BLK - 9;
        assert_int_equal(nova_write(f.inode, 5, data, len, 0, 0, 0, &f.io), NOVA_OK);
        uint32_t log = (uint32_t)(before - blocks_free()) - pages[i];
        if (f.io.more == 0) {
            assert_true(f.io.record_count <= NOVA_IO_RECORDS);
        } else {
            assert_int_equal(f.io.record_count, 0);
            /* Until the rest is replayed, nothing else may be written. */
            struct nova_io io = {0};
            assert_int_equal(nova_write(f.inode, 0, data, 1, 0, 0, 0, &io), NOVA_ESTALE);
            assert_int_equal(nova_truncate(f.inode, 0, 0, &io), NOVA_ESTALE);
            assert_int_equal(blocks_free(), before - pages[i] - log);
        }
        assert_int_equal(f.io.size, len + 5);
        struct nova_record rec[NOVA_RECORDS_MAX];
        uint64_t entries = 0, next = 0;
        struct nova_io io = f.io;
        const struct nova_record *r = io.records;
        uint32_t count = io.record_count;
        do { /* what was committed, in file order and without gaps */
            if (count == 0) {
                assert_int_equal(nova_replay(f.inode, rec, NOVA_RECORDS_MAX, &io), NOVA_OK);
                r = rec;
                count = io.record_count;
            }
            for (uint32_t k = 0; k < count; k++, entries++) {
                assert_int_equal(r[k].kind, NOVA_REC_WRITE);
                assert_int_equal(r[k].u.write.pgoff, next);
                assert_int_equal(r[k].u.write.size, len + 5);
                assert_true(block_map_set(&f.map, next, r[k].u.write.blk, r[k].u.write.count, NULL, NULL));
                next += r[k].u.write.count;
            }
            count = 0;
        } while (io.more);
        f.size = len + 5;
        assert_int_equal(next, pages[i]);
        assert_true(entries + info.blocks_reserve >= pages[i]); /* single blocks, but for the run of the reserve */
        assert_int_equal(f.io.more, entries > NOVA_IO_RECORDS);
        assert_int_equal(log_pages(f.inode), log);
        assert_int_equal(store_read(&f, 0, buf, sizeof buf), len + 5);
        assert_memory_equal(buf + 5, data, len);
        must(store_write(&f, len + 5, data, 100)); /* it goes on */
        give_back(held, n);
        must(store_file_close(&f));
        must(store_unlink(&s, "file"));
        assert_int_equal(blocks_free(), empty - log_pages(s.root));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_edge),
        TEST(every_shape_survives),
        TEST(appends),
        TEST(sparse_to_the_end_of_the_world),
        TEST(sixty_four_mebibytes),
        TEST(a_gibibyte),
        TEST(aborted_intents_leave_nothing),
        TEST(fills_stay_in_their_range),
        TEST(a_commit_that_fails_ends_the_intent),
        TEST(no_space_changes_nothing),
        TEST(intents_without_space),
        TEST(a_block_given_back_is_used),
        TEST(an_appended_file_lies_in_a_row),
        TEST(fragmented_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
