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

#include "image.h"
#include "inode/block_map.h"
#include "recovery/rebuild.h"
#include "rng.h"

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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
