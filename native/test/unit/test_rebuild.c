/* SPDX-License-Identifier: Apache-2.0 */
/* Recovery by scanning: it finds what is reachable, frees the rest, and reports what cannot be; on any image it ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "names.h"
#include "image.h"
#include "inode/block_map.h"
#include "recovery/rebuild.h"
#include "rng.h"
#include "store.h"
#include "util/crc32c.h"

#define MIB ((uint64_t)1 << 20)

static struct image im;
static struct log root;
static struct nova_error err;

static int set_up(void **state) {
    (void)state;
    image_new(&im, 8 * MIB, 1);
    image_inode(&im, NOVA_DIR, &root);
    assert_int_equal(root.ino, NOVA_ROOT_INO);
    memset(&err, 0, sizeof err);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    image_delete(&im);
    return 0;
}

/* ---- building ---- */

union entry {
    struct fmt_entry e;
    uint8_t bytes[FMT_ENTRY_LINES_MAX * FMT_LINE];
};

static void add_name(struct log *dir, const char *name, uint32_t ino, uint32_t gen, uint8_t type) {
    union entry x;
    image_dentry(&x, FMT_DENTRY_ADD, name, ino, gen, type);
    image_append(dir, &x.e);
}

static void remove_name(struct log *dir, const char *name) {
    union entry x;
    image_dentry(&x, FMT_DENTRY_REMOVE, name, 2, 1, NOVA_FILE);
    image_append(dir, &x.e);
}

static void count_names(struct log *log, uint32_t nlink) {
    struct fmt_link_body l = {.nlink = nlink, .ctime = 7};
    struct fmt_entry e = {.kind = FMT_LINK, .lines = 1};
    memcpy(e.payload, &l, sizeof l);
    image_append(log, &e);
}

static void new_inode(struct log *dir, const char *name, uint8_t type, struct log *log) {
    image_inode(&im, type, log);
    if (name != NULL)
        add_name(dir, name, log->ino, log->gen, type);
}

/* Writes count pages, all in new blocks, which are returned; frees nothing. */
static uint32_t write_pages(struct log *log, uint64_t pgoff, uint32_t count) {
    struct extent_list l;
    struct fmt_entry e;
    extent_list_init(&l);
    assert_true(alloc_blocks(im.a, count, 0, &l));
    assert_int_equal(l.n, 1);
    uint32_t blk = l.ext[0].blk;
    image_write_entry(&e, pgoff, blk, count, (pgoff + count) * NOVA_BLOCK_SIZE);
    image_append(log, &e);
    extent_list_free(&l);
    return blk;
}

static void write_blocks(struct log *log, uint64_t pgoff, uint32_t blk, uint32_t count) {
    struct fmt_entry e;
    image_write_entry(&e, pgoff, blk, count, (pgoff + count) * NOVA_BLOCK_SIZE);
    image_append(log, &e);
}

/* ---- rebuilding ---- */

struct result {
    struct allocator *a;
    struct inode_table t;
    struct rebuild_stats stats;
    struct nova_progress progress;
};

static int scan(struct result *r, uint32_t threads, uint32_t lanes) {
    memset(r, 0, sizeof *r);
    memset(&err, 0, sizeof err);
    const struct pmem_ops *counting = im.m.ops;
    if (threads > 1)
        im.m.ops = &pmem_ops_cpu;
    r->a = alloc_new(im.m.blocks, im.m.data_blk, im.m.data_end, lanes);
    assert_non_null(r->a);
    int rc = itable_load(&r->t, &im.m, r->a, &err);
    assert_int_equal(rc, NOVA_OK);
    rc = rebuild(&im.m, r->a, &r->t, threads, &r->progress, &r->stats, &err);
    assert_int_equal(rc, err.code);
    im.m.ops = counting;
    return rc;
}

static void drop(struct result *r) {
    itable_unload(&r->t);
    alloc_delete(r->a);
}

/* Scans, and expects exactly what im.a and im.t hold. */
static void expect_the_same(uint32_t threads, uint32_t lanes) {
    struct result r;
    if (scan(&r, threads, lanes) != NOVA_OK)
        fail_msg("%s", err.msg);
    for (uint32_t b = 0; b < im.m.blocks; b++)
        if (alloc_is_used(r.a, b) != alloc_is_used(im.a, b))
            fail_msg("block %u is %s", b, alloc_is_used(r.a, b) ? "used" : "free");
    for (uint32_t i = 0; i < im.m.inodes_max; i++)
        assert_int_equal(itable_is_used(&r.t, i), itable_is_used(&im.t, i));
    assert_int_equal(alloc_free_count(r.a), alloc_free_count(im.a));
    assert_int_equal(r.t.used_count, im.t.used_count);
    assert_int_equal(r.stats.inodes, r.t.used_count);
    assert_int_equal(r.progress.done, r.t.used_count);
    assert_int_equal(r.progress.total, r.t.used_count);
    drop(&r);
}

/* Scans, and expects damage at that place, whatever the number of threads; nothing is written. */
static void expect_corrupt_at(uint64_t off) {
    const size_t looked_at = 2 * MIB; /* the slots are there */
    uint8_t *before = malloc(looked_at);
    assert_non_null(before);
    memcpy(before, im.m.base, looked_at);
    for (uint32_t threads = 1; threads <= 4; threads += 3) {
        struct result r;
        assert_int_equal(scan(&r, threads, 1), NOVA_ECORRUPT);
        if (off != 0)
            assert_int_equal(err.pool_off, off);
        assert_true(err.msg[0] != 0);
        drop(&r);
    }
    assert_memory_equal(before, im.m.base, looked_at);
    free(before);
}

static void expect_corrupt(const void *place) {
    expect_corrupt_at(place == NULL ? 0 : media_off(&im.m, place));
}

static uint64_t byte_of(uint32_t blk) {
    return (uint64_t)blk * NOVA_BLOCK_SIZE;
}

/* ---- sound pools ---- */

static void an_empty_root(void **state) {
    (void)state;
    expect_the_same(1, 1);
    expect_the_same(64, 64);
}

/* Random files; replaced and cut blocks are given back at once. */
static void random_files(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    for (int i = 0; i < 300; i++) {
        char name[64];
        struct log log;
        struct block_map map;
        (void)snprintf(name, sizeof name, "file %d of a longer name, sometimes %.*s", i, (int)rng_below(&r, 20),
                       "xxxxxxxxxxxxxxxxxxxx");
        new_inode(&root, name, NOVA_FILE, &log);
        block_map_init(&map);
        uint64_t size = 0;
        for (uint32_t k = rng_below(&r, 12) == 0 ? 100 : rng_below(&r, 6); k != 0; k--) {
            if (rng_below(&r, 4) == 0) {
                struct fmt_entry e;
                size = rng_below(&r, 12) * NOVA_BLOCK_SIZE - rng_below(&r, 2) * 7;
                size = size > NOVA_FILE_SIZE_MAX ? 0 : size;
                image_truncate_entry(&e, size);
                image_append(&log, &e);
                for (uint64_t p = (size + NOVA_BLOCK_SIZE - 1) / NOVA_BLOCK_SIZE; p < 16; p++)
                    if (block_map_get(&map, p) != 0)
                        assert_true(alloc_free(im.a, block_map_get(&map, p), 1));
                block_map_truncate(&map, (size + NOVA_BLOCK_SIZE - 1) / NOVA_BLOCK_SIZE, NULL, NULL);
                continue;
            }
            uint32_t count = 1 + rng_below(&r, 3);
            uint64_t pgoff = rng_below(&r, 12);
            uint32_t blk = write_pages(&log, pgoff, count);
            for (uint64_t p = pgoff; p < pgoff + count; p++)
                if (block_map_get(&map, p) != 0)
                    assert_true(alloc_free(im.a, block_map_get(&map, p), 1));
            assert_true(block_map_set(&map, pgoff, blk, count, NULL, NULL));
        }
        block_map_free(&map);
    }
    for (uint32_t threads = 1; threads <= 9; threads += 4)
        expect_the_same(threads, threads);
}

static void directories_below_directories(void **state) {
    (void)state;
    struct log dir = root, sub, file;
    for (int i = 0; i < 30; i++) {
        new_inode(&dir, "sub", NOVA_DIR, &sub);
        new_inode(&dir, "file", NOVA_FILE, &file);
        write_pages(&file, 0, 1);
        dir = sub;
    }
    expect_the_same(1, 1);
    expect_the_same(4, 2);
}

/* Directories some levels deep, each file with names in several of them. */
static void a_tree_with_links(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    struct log dir[40], file[60];
    char name[64];
    dir[0] = root;
    for (uint32_t i = 1; i < 40; i++) {
        (void)snprintf(name, sizeof name, "dir %u", i);
        new_inode(&dir[rng_below(&r, i)], name, NOVA_DIR, &dir[i]);
    }
    for (uint32_t i = 0; i < 60; i++) {
        (void)snprintf(name, sizeof name, "file %u", i);
        new_inode(&dir[rng_below(&r, 40)], name, NOVA_FILE, &file[i]);
        write_pages(&file[i], 0, 1);
        uint32_t names = rng_below(&r, 6);
        for (uint32_t k = 0; k < names; k++) {
            (void)snprintf(name, sizeof name, "another name of file %u: %u", i, k);
            add_name(&dir[rng_below(&r, 40)], name, file[i].ino, file[i].gen, NOVA_FILE);
            count_names(&file[i], k + 2);
        }
    }
    for (uint32_t threads = 1; threads <= 9; threads += 4)
        expect_the_same(threads, threads);
    count_names(&file[30], NOVA_LINK_MAX);
    expect_corrupt(file[30].slot);
}

/* What only hangs on itself is free, with all that hangs on it. */
static void cycles_are_released(void **state) {
    (void)state;
    struct log a, b, file;
    new_inode(NULL, NULL, NOVA_DIR, &a);
    new_inode(&a, "b", NOVA_DIR, &b);
    add_name(&b, "a", a.ino, a.gen, NOVA_DIR);
    new_inode(&b, "file", NOVA_FILE, &file);
    write_pages(&file, 0, 2);
    struct result r;
    assert_int_equal(scan(&r, 2, 1), NOVA_OK);
    assert_int_equal(r.stats.orphans, 3);
    assert_int_equal(r.t.used_count, 1);
    drop(&r);
    new_inode(&root, "a", NOVA_DIR, &a);
    new_inode(&a, "b", NOVA_DIR, &b);
    add_name(&b, "a", a.ino, a.gen, NOVA_DIR);
    expect_corrupt(a.slot); /* reached: it has two names */
}

static void two_names_of_one_file(void **state) {
    (void)state;
    struct log file;
    new_inode(&root, "one", NOVA_FILE, &file);
    write_pages(&file, 0, 3);
    add_name(&root, "two", file.ino, file.gen, NOVA_FILE);
    count_names(&file, 2);
    expect_the_same(1, 1);
    remove_name(&root, "one");
    count_names(&file, 1);
    expect_the_same(1, 1);
}

/* Else removing one name would free what the other one names. */
static void names_must_be_as_many_as_the_log_says(void **state) {
    (void)state;
    struct log file;
    new_inode(&root, "one", NOVA_FILE, &file);
    add_name(&root, "two", file.ino, file.gen, NOVA_FILE);
    expect_corrupt(file.slot);
    count_names(&file, 3);
    expect_corrupt(file.slot);
    count_names(&file, 2);
    expect_the_same(1, 1);
}

static void renamed_replaced_and_removed(void **state) {
    (void)state;
    struct log a, b;
    new_inode(&root, "a", NOVA_FILE, &a);
    new_inode(&root, "b", NOVA_FILE, &b);
    remove_name(&root, "a");
    add_name(&root, "b", a.ino, a.gen, NOVA_FILE); /* b's inode has no name now */
    itable_free(&im.t, b.ino);
    expect_the_same(1, 1);
    remove_name(&root, "b");
    itable_free(&im.t, a.ino);
    expect_the_same(1, 1);
}

/* ---- what no name reaches ---- */

static void orphans_are_released(void **state) {
    (void)state;
    struct log file[40];
    uint32_t before = alloc_free_count(im.a), table = im.t.count;
    for (int i = 0; i < 40; i++) {
        new_inode(&root, i % 4 == 0 ? "kept, each the one before replaced" : NULL, NOVA_FILE, &file[i]);
        write_pages(&file[i], 0, 2);
    }
    struct fmt_inode *broken = itable_slot(&im.t, file[5].ino);
    broken->crc ^= 1; /* an inode without a name may be anything */
    struct result r;
    assert_int_equal(scan(&r, 2, 1), NOVA_OK);
    assert_int_equal(r.stats.orphans, 39);
    assert_int_equal(r.t.used_count, 2);
    assert_int_equal(alloc_free_count(r.a),
                     before - (im.t.count - table) - 2 - (alloc_is_used(im.a, root.tail.blk) && root.tail.blk != 0));
    drop(&r);
    for (int i = 0; i < 40; i++)
        assert_int_equal(itable_slot(&im.t, file[i].ino)->tail != 0, i == 36);
    assert_int_equal(scan(&r, 1, 1), NOVA_OK); /* once */
    assert_int_equal(r.stats.orphans, 0);
    drop(&r);
}

static void what_was_not_committed_is_free(void **state) {
    (void)state;
    struct log file;
    new_inode(&root, "file", NOVA_FILE, &file);
    write_pages(&file, 0, 1);
    struct log_batch b;
    struct fmt_entry e;
    log_begin(&b, &file, 0);
    uint32_t before = alloc_free_count(im.a);
    for (uint32_t i = 0; i < 200; i++) {
        image_write_entry(&e, 5, alloc_one(im.a, 0), 1, 6 * NOVA_BLOCK_SIZE);
        assert_int_equal(log_append(&b, &e, &err), NOVA_OK);
    }
    struct result r;
    assert_int_equal(scan(&r, 1, 1), NOVA_OK);
    assert_int_equal(alloc_free_count(r.a), before);
    drop(&r);
    log_rollback(&b);
}

/* ---- damage ---- */

static void names_of_inodes_that_are_not_there(void **state) {
    (void)state;
    struct log file;
    new_inode(&root, "file", NOVA_FILE, &file);
    struct fmt_inode *slot = itable_slot(&im.t, file.ino), good = *slot;
    expect_the_same(1, 1);
    slot->tail = 0; /* released */
    expect_corrupt(slot);
    *slot = good;
    slot->gen++; /* reused */
    fmt_inode_seal(&im.m, slot);
    expect_corrupt(slot);
    *slot = good;
    slot->type = NOVA_SYMLINK;
    fmt_inode_seal(&im.m, slot);
    expect_corrupt(slot);
    *slot = good;
    for (size_t bit = 0; bit < 48 * 8; bit += 11) {
        ((uint8_t *)slot)[bit / 8] ^= (uint8_t)(1u << bit % 8);
        expect_corrupt(slot);
        *slot = good;
    }
    for (size_t bit = 0; bit < 64; bit += 3) {
        slot->tail = good.tail ^ (fmt_ptr)1 << bit;
        expect_corrupt(&slot->tail);
        slot->tail = good.tail;
    }
    memset(slot, 0, sizeof *slot);
    expect_corrupt(slot);
    *slot = good;
    expect_the_same(1, 1);
    add_name(&root, "no slot", itable_slots(&im.t), 1, NOVA_FILE);
    expect_corrupt_at(NOVA_NO_OFF);
    add_name(&root, "no slot", im.m.inodes_max - 1, 1, NOVA_FILE);
    expect_corrupt_at(NOVA_NO_OFF);
    remove_name(&root, "no slot");
    expect_the_same(1, 1);
}

static void a_name_removed_that_was_not_there(void **state) {
    (void)state;
    remove_name(&root, "nothing");
    expect_the_same(1, 1); /* no effect */
}

static void directories_with_two_names(void **state) {
    (void)state;
    struct log dir, sub;
    new_inode(&root, "dir", NOVA_DIR, &dir);
    new_inode(&dir, "sub", NOVA_DIR, &sub);
    expect_the_same(1, 1);
    add_name(&sub, "up", dir.ino, dir.gen, NOVA_DIR); /* a ring */
    expect_corrupt(itable_slot(&im.t, dir.ino));
    remove_name(&sub, "up");
    expect_the_same(1, 1);
    add_name(&sub, "itself", sub.ino, sub.gen, NOVA_DIR);
    expect_corrupt(itable_slot(&im.t, sub.ino));
    remove_name(&sub, "itself");
    add_name(&root, "second", sub.ino, sub.gen, NOVA_DIR);
    expect_corrupt(itable_slot(&im.t, sub.ino));
}

static void a_broken_root(void **state) {
    (void)state;
    struct fmt_inode good = *root.slot;
    root.slot->crc ^= 4;
    expect_corrupt(root.slot);
    *root.slot = good;
    root.slot->tail = 0;
    expect_corrupt(root.slot);
    *root.slot = good;
    root.slot->type = NOVA_FILE;
    fmt_inode_seal(&im.m, root.slot);
    expect_corrupt(root.slot);
    *root.slot = good;
    expect_the_same(1, 1);
    fmt_ptr *first = (fmt_ptr *)(void *)media_blk(&im.m, im.m.itable_blk); /* no table at all */
    *first = 0;
    expect_corrupt_at(NOVA_NO_OFF);
}

static void blocks_that_two_own(void **state) {
    (void)state;
    struct log a, b, c;
    new_inode(&root, "a", NOVA_FILE, &a);
    new_inode(&root, "b", NOVA_FILE, &b);
    new_inode(&root, "c", NOVA_FILE, &c);
    uint32_t blk = write_pages(&a, 0, 10);
    write_pages(&b, 0, 10);
    struct fmt_entry cut;
    image_truncate_entry(&cut, 0);
    expect_the_same(1, 1);
    write_blocks(&c, 3, blk + 4, 1); /* another file's */
    expect_corrupt_at(byte_of(blk + 4));
    image_append(&c, &cut); /* an entry of the past harms nobody */
    expect_the_same(2, 1);
    write_blocks(&c, 100, blk + 9, 5); /* overlapping in part */
    expect_corrupt_at(byte_of(blk + 9));
    image_append(&c, &cut);
    write_blocks(&a, 50, blk, 1); /* the file's own */
    expect_corrupt_at(byte_of(blk));
    write_blocks(&a, 0, blk + 2, 1); /* and without a gap in between */
    expect_corrupt(NULL);
    struct fmt_entry back;
    image_write_entry(&back, 0, blk, 10, 10 * NOVA_BLOCK_SIZE);
    image_append(&a, &back);
    image_truncate_entry(&cut, 10 * NOVA_BLOCK_SIZE);
    image_append(&a, &cut);
    image_truncate_entry(&cut, 0);
    expect_the_same(1, 1);
    write_blocks(&c, 0, im.t.blks[0], 1); /* the inode table's */
    expect_corrupt_at(byte_of(im.t.blks[0]));
    image_append(&c, &cut);
    while (a.tail.blk == 0) {
        image_truncate_entry(&back, 10 * NOVA_BLOCK_SIZE);
        image_append(&a, &back);
    }
    expect_the_same(1, 1);
    write_blocks(&c, 0, a.tail.blk, 1); /* a log page */
    expect_corrupt_at(byte_of(a.tail.blk));
    write_blocks(&c, 0, c.tail.blk, 1); /* its own log page */
    expect_corrupt(NULL);
}

static void a_log_page_that_is_a_table_block(void **state) {
    (void)state;
    struct log a;
    new_inode(&root, "a", NOVA_FILE, &a);
    uint32_t blk = im.t.blks[0];
    struct fmt_entry e;
    image_truncate_entry(&e, 1);
    for (int i = 0; i < 5; i++)
        image_append(&a, &e);
    /* The page's content over the table block would destroy the slots; its pointer alone, to a block with no page in
     * it: */
    a.slot->head = fmt_ptr_make(&im.m, FMT_TAG_HEAD, a.ino, a.gen, 0, blk);
    expect_corrupt_at(byte_of(blk) + offsetof(struct fmt_page, tail));
}

/* A file that maps more pages than the pool has blocks must repeat some: noticed before it takes all memory. */
static void absurdly_many_pages(void **state) {
    (void)state;
    struct log a;
    new_inode(&root, "a", NOVA_FILE, &a);
    uint32_t all = im.m.data_end - im.m.data_blk;
    for (uint64_t i = 0; i < 40; i++)
        write_blocks(&a, i * all, im.m.data_blk, all);
    expect_corrupt(a.slot->lines[1]);
}

static void one_damaged_file_among_many(void **state) {
    (void)state;
    struct log file[500];
    for (int i = 0; i < 500; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "%d", i);
        new_inode(&root, name, NOVA_FILE, &file[i]);
        write_pages(&file[i], 0, 1);
    }
    struct log orphan;
    new_inode(&root, NULL, NOVA_FILE, &orphan);
    for (int i = 0; i < 500; i += 77) {
        file[i].slot->lines[0][40] ^= 1;
        expect_corrupt(file[i].slot->lines[0]); /* and the orphan keeps its slot */
        file[i].slot->lines[0][40] ^= 1;
    }
    itable_free(&im.t, orphan.ino);
    expect_the_same(8, 1);
}

/* ---- any image ---- */

#define POOL_SIZE (1u << 20)

/* A small pool with files, holes, long names, log pages and a few orphans, as a crash leaves it; or closed in order. */
static uint8_t *small_pool(const char *path, bool clean) {
    static const struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED};
    static const uint8_t data[9000] = {1, 2, 3};
    const char *copy = store_path("rebuild-copy");
    struct store s;
    struct store_file f, gone;
    assert_int_equal(nova_pool_create(path, POOL_SIZE, &opt, &err), NOVA_OK);
    assert_int_equal(store_open(&s, path, NOVA_OPT_EMULATED), NOVA_OK);
    for (unsigned i = 0; i < 12; i++) {
        char name[256];
        (void)snprintf(name, sizeof name, "%*u", (int)(1 + i * 23), i);
        for (char *p = name; *p == ' '; p++)
            *p = 'n';
        assert_int_equal(store_file_open(&s, name, true, &f), NOVA_OK);
        for (unsigned k = 0; k < (i % 4 == 0 ? 80 : i); k++)
            assert_int_equal(store_write(&f, k * 3000 % 20000, data, 1 + k * 97 % 9000), NOVA_OK);
        assert_int_equal(store_truncate(&f, i * 1111), NOVA_OK);
        assert_int_equal(store_file_close(&f), NOVA_OK);
        if (i % 5 == 4)
            assert_int_equal(store_unlink(&s, name), NOVA_OK);
    }
    assert_int_equal(store_file_open(&s, "gone", true, &gone), NOVA_OK);
    assert_int_equal(store_write(&gone, 0, data, 9000), NOVA_OK);
    assert_int_equal(store_unlink(&s, "gone"), NOVA_OK);
    store_copy_file(path, copy);
    assert_int_equal(store_file_close(&gone), NOVA_OK);
    assert_int_equal(store_close(&s), NOVA_OK);
    if (clean)
        unlink(copy);
    else
        assert_int_equal(rename(copy, path), 0);
    uint8_t *bytes = malloc(POOL_SIZE);
    FILE *in = fopen(path, "r");
    assert_true(bytes != NULL && in != NULL && fread(bytes, 1, POOL_SIZE, in) == POOL_SIZE);
    fclose(in);
    return bytes;
}

/* A user of the pool: reads all, writes, removes. Any answer will do; what counts is that there is one. */
static void use(const char *path, unsigned *opened) {
    struct store s;
    struct nova_fsck_summary sum;
    size_t needed;
    static char report[4096];
    static uint8_t buf[30000];
    (void)nova_fsck(path, report, sizeof report, &needed, &sum, &err);
    (void)nova_dump(path, NULL, report, sizeof report, &needed, &err);
    if (store_open(&s, path, NOVA_OPT_EMULATED) != NOVA_OK)
        return;
    ++*opened;
    uint32_t it = 0;
    const struct dir_name *d;
    while ((d = dir_map_next(&s.names, &it)) != NULL) {
        char name[256];
        memcpy(name, d->name, d->name_len);
        name[d->name_len] = 0;
        (void)nova_dump(path, name, report, sizeof report, &needed, &err);
        struct store_file f;
        if (store_file_open(&s, name, false, &f) != NOVA_OK)
            continue;
        (void)store_read(&f, 0, buf, sizeof buf);
        (void)store_write(&f, f.size < 20000 ? f.size : 20000, buf, 5000);
        (void)store_truncate(&f, 100);
        (void)store_file_close(&f);
        (void)store_unlink(&s, name);
    }
    (void)store_close(&s);
}

/* The same without an index, by inode number: what the saved state of a clean pool says is believed, so it may be at
 * odds with the logs. */
static void use_blindly(const char *path, unsigned *opened) {
    static const struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED};
    static const uint8_t data[10000];
    static struct nova_io io;
    nova_pool *pool;
    if (nova_pool_open(path, &opt, &pool, &err) != NOVA_OK)
        return;
    ++*opened;
    for (uint32_t ino = 1; ino < 20; ino++) {
        nova_inode *inode;
        struct nova_record rec[16];
        struct nova_stat st;
        uint32_t blk = 0, steps = 0;
        if (nova_inode_open(pool, ino, 0, &inode, &err) != NOVA_OK)
            continue;
        while (nova_replay(inode, rec, 16, &io) == NOVA_OK && io.record_count != 0) {
            assert_true(++steps < 2000);
            if (rec[0].kind == NOVA_REC_WRITE && rec[0].u.write.count != 0)
                blk = rec[0].u.write.blk;
        }
        nova_inode_stat(inode, &st);
        (void)nova_write(inode, st.size, data, 5000, blk, 0, blk, &io);
        (void)nova_free(pool, &(struct nova_extent){blk, 2}, 1, &err);
        (void)nova_truncate(inode, 77, blk, &io);
        (void)flat_create(inode, "new", 3, NOVA_FILE, 0, &io);
        (void)flat_unlink(inode, "1", 1, 3, 1, &io);
        if (ino % 3 == 0)
            (void)nova_inode_release(pool, ino, 0, &err);
        if (ino % 2 == 0)
            (void)nova_inode_close(inode, &err);
    }
    for (uint32_t ino = 2; ino < 20; ino += 2)
        (void)nova_inode_release(pool, ino, 0, &err);
    (void)nova_pool_close(pool, &err);
}

/*
 * Damage, most of it under good checksums: pointers, tails, entries and slots that are sealed but wrong. Nothing may
 * crash or hang.
 */
static void survive(bool clean, struct rng r) {
    const char *path = store_path("rebuild");
    uint8_t *bytes = small_pool(path, clean);
    struct media m;
    image_map_file(&m, path);
    unsigned opened = 0;
    const int rounds = getenv("NOVA_FULL") != NULL ? 40000 : 400;
    struct fmt_inode *slots[15];
    for (uint32_t ino = 1; ino < 15; ino++)
        slots[ino] = image_slot(&m, ino);
    for (int round = 0; round < rounds; round++) {
        memcpy(m.base, bytes, POOL_SIZE);
        for (uint32_t k = 1 + rng_below(&r, 4); k != 0; k--) {
            uint32_t ino = 1 + rng_below(&r, 14), blk = m.data_blk + rng_below(&r, 60);
            struct fmt_inode *slot = slots[ino];
            struct fmt_page *page = (struct fmt_page *)(void *)media_blk(&m, blk);
            uint32_t idx = rng_below(&r, FMT_PAGE_LINES);
            struct fmt_entry *e = (struct fmt_entry *)(void *)(rng_below(&r, 3) == 0
                                                                   ? slot->lines[idx % FMT_INLINE_LINES]
                                                                   : page->lines[idx]);
            switch (rng_below(&r, 10)) {
            case 0: /* anything */ m.base[rng_below(&r, POOL_SIZE)] ^= (uint8_t)(1u << rng_below(&r, 8)); break;
            case 1: /* the bytes that are in use */
                m.base[byte_of(blk) + rng_below(&r, NOVA_BLOCK_SIZE)] = (uint8_t)rng_next(&r);
                break;
            case 2: slot->head = fmt_ptr_make(&m, FMT_TAG_HEAD, ino, slot->gen, 0, blk); break;
            case 3:
                slot->tail = fmt_tail_make(
                    &m, ino, slot->gen,
                    (struct log_end){{rng_below(&r, 2) ? blk : 0, rng_below(&r, 64)}, rng_below(&r, 2) != 0});
                break;
            case 4:
                page->tail.next = fmt_ptr_make(&m, FMT_TAG_NEXT, page->tail.ino, page->tail.gen, blk,
                                               m.data_blk + rng_below(&r, 60));
                break;
            case 5:
                slot->gen = rng_below(&r, 3);
                slot->type = (uint8_t)rng_below(&r, 4);
                fmt_inode_seal(&m, slot);
                break;
            case 6: { /* itable pointers */
                fmt_ptr *p = (fmt_ptr *)(void *)media_blk(&m, m.itable_blk);
                p[rng_below(&r, 2)] = rng_below(&r, 4) == 0
                                          ? 0
                                          : fmt_ptr_make(&m, FMT_TAG_ITABLE, rng_below(&r, 2), 0, 0, blk);
                break;
            }
            default: /* an entry's field, resealed */
                if (e->lines == 0 || e->lines > FMT_PAGE_LINES - idx || e->lines > 5 || (uint8_t *)e < page->lines[0] ||
                    (uint8_t *)e > page->lines[62])
                    break;
                switch (rng_below(&r, 6)) {
                case 0: e->kind = (uint8_t)rng_below(&r, 8); break;
                case 1:
                    e->seq = rng_below(&r, 2) ? rng_below(&r, 200) : UINT64_MAX - rng_below(&r, 2) * (UINT64_MAX / 2);
                    break;
                case 2: {
                    struct fmt_write_body w;
                    memcpy(&w, e->payload, sizeof w);
                    w.pgoff = rng_below(&r, 2) ? rng_next(&r) >> rng_below(&r, 64) : w.pgoff;
                    w.blk = rng_below(&r, 2) ? m.data_blk + rng_below(&r, 230) : w.blk;
                    w.count = rng_below(&r, 2) ? rng_below(&r, 300) : w.count;
                    w.size = rng_below(&r, 2) ? rng_next(&r) >> rng_below(&r, 64) : w.size;
                    memcpy(e->payload, &w, sizeof w);
                    break;
                }
                case 3: {
                    struct fmt_dentry_body d;
                    memcpy(&d, e->payload, sizeof d);
                    d.ino = rng_below(&r, 40);
                    d.gen = rng_below(&r, 3);
                    d.type = (uint8_t)rng_below(&r, 4);
                    memcpy(e->payload, &d, sizeof d);
                    break;
                }
                default: ((uint8_t *)e)[4 + rng_below(&r, 60)] = (uint8_t)rng_next(&r);
                }
                if (e->lines >= 1 && e->lines <= FMT_PAGE_LINES - idx && e->lines <= 5)
                    fmt_entry_seal(&m, e);
            }
        }
        if (clean || round % 4 == 0)
            use_blindly(path, &opened);
        else
            use(path, &opened);
    }
    assert_true(opened > (unsigned)rounds / 20 && (clean || opened < (unsigned)rounds));
    image_unmap_file(&m);
    free(bytes);
    unlink(path);
}

static void any_crashed_image_is_survived(void **state) {
    (void)state;
    survive(false, rng_start(__func__));
}

static void any_clean_image_is_survived(void **state) {
    (void)state;
    survive(true, rng_start(__func__));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_empty_root),
        TEST(random_files),
        TEST(directories_below_directories),
        TEST(a_tree_with_links),
        TEST(cycles_are_released),
        TEST(two_names_of_one_file),
        TEST(names_must_be_as_many_as_the_log_says),
        TEST(renamed_replaced_and_removed),
        TEST(orphans_are_released),
        TEST(what_was_not_committed_is_free),
        TEST(names_of_inodes_that_are_not_there),
        TEST(a_name_removed_that_was_not_there),
        TEST(directories_with_two_names),
        TEST(a_broken_root),
        TEST(blocks_that_two_own),
        TEST(a_log_page_that_is_a_table_block),
        TEST(absurdly_many_pages),
        TEST(one_damaged_file_among_many),
        cmocka_unit_test(any_crashed_image_is_survived),
        cmocka_unit_test(any_clean_image_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
