/* SPDX-License-Identifier: Apache-2.0 */
/* Cleaning logs: what they say stays, pages come back, every error, and what the journal must forget. */
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
#define PAGES 64u

static const struct nova_pool_options emulated = {.flags = NOVA_OPT_EMULATED};
static const char *path, *copy;
static struct store s;
static struct store_file f;
static uint8_t bytes[PAGES * 4 * NOVA_BLOCK_SIZE], got[sizeof bytes];

static void must(int rc) {
    if (rc != NOVA_OK)
        fail_msg("status %d: %s", rc, s.err.msg);
}

static int set_up(void **state) {
    (void)state;
    struct nova_error err;
    path = store_path("clean");
    copy = store_path("clean-copy");
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i % 251 + 1);
    assert_int_equal(nova_pool_create(path, 8 * MIB, &emulated, &err), NOVA_OK);
    must(store_open(&s, path, NOVA_OPT_EMULATED));
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

static struct nova_stat stat_of(nova_inode *inode) {
    struct nova_stat st;
    assert_int_equal(nova_inode_stat(inode, &st), NOVA_OK);
    return st;
}

/* All that a log says, but not where. */
static struct nova_stat said(nova_inode *inode) {
    struct nova_stat st = stat_of(inode);
    st.log_pages = 0;
    st.entries = 0;
    return st;
}

static void check_said(nova_inode *inode, const struct nova_stat *want) {
    struct nova_stat st = said(inode);
    assert_memory_equal(&st, want, sizeof st);
}

/* The pool as it is now, after a crash, opened beside the test's own: "file" is in it as it is here, and nothing lost.
 */
static void check_crashed(void) {
    uint64_t want = store_read(&f, 0, bytes, sizeof bytes), free_blocks = image_blocks_free(s.pool);
    struct nova_stat st = said(f.inode);
    struct store t;
    struct store_file g;
    store_copy_file(path, copy);
    (void)image_no_findings(copy);
    assert_int_equal(store_open(&t, copy, NOVA_OPT_EMULATED), NOVA_OK);
    assert_int_equal(image_blocks_free(t.pool), free_blocks);
    assert_int_equal(store_file_open(&t, "file", false, &g), NOVA_OK);
    assert_int_equal(store_read(&g, 0, got, sizeof got), want);
    assert_memory_equal(got, bytes, want);
    check_said(g.inode, &st);
    assert_int_equal(g.attrs.n, f.attrs.n);
    assert_int_equal(store_file_close(&g), NOVA_OK);
    assert_int_equal(store_close(&t), NOVA_OK);
    assert_int_equal(t.strays, 0);
    (void)image_no_findings(copy);
    unlink(copy);
}

static void clean(uint32_t pages, uint32_t *freed) {
    struct store_log log = store_log_of(&f);
    struct nova_stat before = said(f.inode);
    must(store_clean(&log, pages, freed));
    check_said(f.inode, &before);
}

static void one_page(uint64_t pgoff, uint8_t byte) {
    uint8_t page[NOVA_BLOCK_SIZE];
    memset(page, byte, sizeof page);
    must(store_write(&f, pgoff * BLK, page, sizeof page));
}

/* ---- what a log says ---- */

static void overwritten(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    uint64_t before = 0;
    uint32_t freed, most = 0;
    for (uint32_t i = 0; i < 3000; i++) {
        one_page(i < PAGES ? i : rng_below(&r, PAGES), (uint8_t)(1 + i % 250));
        if (i == PAGES)
            before = image_blocks_free(s.pool) + stat_of(f.inode).log_pages;
        if (i % 50 == 0)
            clean(1 + i / 50 % 3, &freed);
        if (i % 500 == 0)
            check_crashed();
        struct nova_stat st = stat_of(f.inode);
        most = st.log_pages > most ? st.log_pages : most;
    }
    assert_in_range(most, 2, 5); /* of 48 that the log would have */
    assert_int_equal(image_blocks_free(s.pool) + stat_of(f.inode).log_pages, before);
    check_crashed();
}

/* Every kind of entry, cleaned at any moment. */
static void random_call(struct rng *r, uint32_t *links) {
    uint64_t off = rng_below(r, (uint32_t)(f.size + 3 * BLK)), len = 1 + rng_below(r, (uint32_t)(3 * BLK)),
             page = off & ~(BLK - 1);
    char name[20];
    switch (rng_below(r, 12)) {
    case 0: must(store_truncate(&f, rng_below(r, (uint32_t)(PAGES * BLK)))); break;
    case 1: must(store_punch(&f, off, len)); break;
    case 2:
        if (page + BLK < f.size)
            must(store_collapse(&f, page, BLK));
        break;
    case 3:
        if (page < f.size && f.size < PAGES * BLK)
            must(store_insert(&f, page, BLK));
        break;
    case 4: must(store_allocate(&f, off, len, rng_below(r, 2))); break;
    case 5: must(store_setxattr(&f, rng_below(r, 2) ? "user.a" : "user.b", bytes, rng_below(r, 6000))); break;
    case 6:
        if (attrs_get(&f.attrs, "user.a") != NULL)
            must(store_removexattr(&f, "user.a"));
        break;
    case 7:
        must(store_setattr(&s, "file", NOVA_ATTR_MODE | NOVA_ATTR_ATIME | (rng_below(r, 2) ? NOVA_ATTR_BTIME : 0), 0600,
                           0, 0, rng_below(r, 999), 0, rng_below(r, 999)));
        break;
    case 8:
        (void)snprintf(name, sizeof name, "link-%u", *links);
        if (*links < 3) {
            must(store_link(&s, "file", name));
            ++*links;
        }
        break;
    case 9:
        if (*links != 0) {
            (void)snprintf(name, sizeof name, "link-%u", --*links);
            must(store_unlink(&s, name));
        }
        break;
    default:
        if (off < PAGES * BLK)
            must(store_write(&f, off, bytes + rng_below(r, 100), len));
    }
}

static void anything(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    struct store_log log = store_log_of(&f);
    uint32_t links = 0, freed, all = 0, dead = 0, n, gathered = 0;
    bool fits;
    for (uint32_t i = 0; i < 4000; i++) {
        random_call(&r, &links);
        struct nova_stat before = said(f.inode);
        if (rng_below(&r, 40) == 0)
            clean(rng_below(&r, 4), &freed), all += freed;
        if (rng_below(&r, 40) == 0)
            must(store_cut_dead(&log, &freed)), dead += freed;
        if (rng_below(&r, 40) == 0)
            must(store_gather(&log, &n)), gathered += n;
        if (rng_below(&r, 300) == 0)
            must(store_restart(&log, &fits));
        check_said(f.inode, &before);
        if (rng_below(&r, 200) == 0)
            check_crashed();
    }
    assert_true(all > 10 && gathered != 0);
    check_crashed();
}

/* Pages of one that is overwritten again and again, behind one that still counts. */
static void dead_pages(void **state) {
    (void)state;
    struct store_log log = store_log_of(&f);
    uint32_t freed;
    for (uint32_t i = 0; i < 70; i++)
        one_page(i % 40, 1);
    clean(1, &freed);
    for (uint32_t i = 0; i < 63 * 5; i++)
        one_page(50, (uint8_t)(1 + i % 200));
    uint32_t pages = stat_of(f.inode).log_pages;
    uint64_t free_blocks = image_blocks_free(s.pool);
    must(store_cut_dead(&log, &freed));
    assert_in_range(freed, 4, 5);
    assert_int_equal(stat_of(f.inode).log_pages, pages - freed);
    assert_int_equal(image_blocks_free(s.pool), free_blocks + freed);
    check_crashed();
    one_page(3, 7); /* it can still be appended to */
    check_crashed();
}

/* What was said once, long ago: size, names, attributes, values. */
static void said_early(void **state) {
    (void)state;
    uint32_t freed;
    must(store_setxattr(&f, "user.large", bytes, 9000));
    must(store_setxattr(&f, "user.small", bytes, 90));
    must(store_setxattr(&f, "user.gone", bytes, 90));
    must(store_removexattr(&f, "user.gone"));
    must(store_truncate(&f, 100 * BLK + 7));
    must(store_link(&s, "file", "other"));
    must(store_setattr(&s, "file", NOVA_ATTR_MODE | NOVA_ATTR_UID | NOVA_ATTR_GID | NOVA_ATTR_MTIME | NOVA_ATTR_BTIME,
                       0611, 7, 8, 0, 9, 10));
    for (uint32_t i = 0; i < 200; i++)
        must(store_setattr(&s, "file", NOVA_ATTR_ATIME | NOVA_ATTR_KEEP_CTIME, 0, 0, 0, i, 0, 0));
    clean(UINT32_MAX, &freed);
    assert_int_equal(freed, 3);
    assert_int_equal(f.attrs.n, 2);
    check_crashed();
}

static void directory(void **state) {
    (void)state;
    struct store_log log = store_log_of_dir(&s, "");
    char name[200];
    uint32_t freed, most = 0;
    uint64_t before = 0;
    must(store_dir_setxattr(&s, "", "user.root", bytes, 5000));
    for (uint32_t i = 0; i < 600; i++) {
        (void)snprintf(name, sizeof name, "%0*u", 1 + i % 150, i);
        must(store_create(&s, name, 0644));
        if (i >= 5) {
            (void)snprintf(name, sizeof name, "%0*u", 1 + (i - 5) % 150, i - 5);
            must(store_unlink(&s, name));
        }
        struct nova_stat st = said(s.root);
        if (i % 20 == 19)
            must(store_clean(&log, 3, &freed));
        check_said(s.root, &st);
        if (i == 100)
            before = image_blocks_free(s.pool) + stat_of(s.root).log_pages;
        most = stat_of(s.root).log_pages > most ? stat_of(s.root).log_pages : most;
    }
    assert_in_range(most, 2, 6);
    assert_int_equal(image_blocks_free(s.pool) + stat_of(s.root).log_pages, before);
    assert_int_equal(s.names.live, 6);
    assert_int_equal(attrs_get(&s.root_attrs, "user.root")->value_len, 5000);
    check_crashed();
}

/* ---- back into the slot ---- */

static void grow(uint32_t entries) {
    for (uint32_t i = 0; i < entries; i++)
        must(store_setattr(&s, "file", NOVA_ATTR_ATIME, 0, 0, 0, i, 0, 0));
}

static bool restart(void) {
    struct store_log log = store_log_of(&f);
    struct nova_stat before = said(f.inode);
    bool fits;
    must(store_restart(&log, &fits));
    check_said(f.inode, &before);
    assert_int_equal(stat_of(f.inode).log_pages == 0, fits);
    check_crashed();
    return fits;
}

static void slot_again(void **state) {
    (void)state;
    grow(70);
    uint64_t free_blocks = image_blocks_free(s.pool);
    assert_true(restart()); /* empty, but for its times */
    assert_int_equal(image_blocks_free(s.pool), free_blocks + 2);
    must(store_write(&f, 0, bytes, 5000));
    grow(70);
    assert_true(restart()); /* an extent */
    must(store_truncate(&f, 0));
    must(store_truncate(&f, 100 * BLK + 3));
    grow(70);
    assert_true(restart()); /* holes only */
    must(store_truncate(&f, 0));
    must(store_allocate(&f, 5 * BLK, BLK, true));
    grow(70);
    assert_true(restart()); /* blocks behind the end only */
    must(store_link(&s, "file", "other"));
    grow(70);
    assert_true(restart()); /* another name */
    assert_true(f.inode->log.linked);
    must(store_unlink(&s, "other"));
    grow(70);
    assert_true(restart());
    assert_false(f.inode->log.linked);
    must(store_setxattr(&f, "user.x", bytes, 100));
    grow(70);
    assert_false(restart()); /* extent, attributes, and an xattr of three lines */
    must(store_removexattr(&f, "user.x"));
    must(store_punch(&f, 0, 100 * BLK));
    must(store_setxattr(&f, "user.y", bytes, 3));
    assert_true(restart());
    one_page(0, 1); /* and on into a page: with the slot's lines this time */
    one_page(2, 1);
    one_page(4, 1);
    assert_int_equal(stat_of(f.inode).log_pages, 1);
    assert_false(f.inode->log.slot_cut);
    check_crashed();
}

/* The time of creation is the slot's, unless it was set: kept if so, and not if that was taken back. */
static void birth_again(void **state) {
    (void)state;
    uint32_t freed;
    int64_t made = stat_of(f.inode).btime;
    must(store_write(&f, 0, bytes, 5000));
    must(store_setattr(&s, "file", NOVA_ATTR_BTIME, 0, 0, 0, 0, 0, 4711));
    grow(70);
    assert_true(restart()); /* an extent, and both times that share a place */
    assert_int_equal(stat_of(f.inode).btime, 4711);
    grow(70);
    must(store_setattr(&s, "file", NOVA_ATTR_BTIME, 0, 0, 0, 0, 0, made));
    grow(70);
    clean(UINT32_MAX, &freed);
    assert_in_range(freed, 1, 3);
    check_crashed();
    assert_true(restart());
    assert_int_equal(stat_of(f.inode).btime, made);
}

static void symlink_again(void **state) {
    (void)state;
    struct store_file l;
    char target[NOVA_SYMLINK_MAX];
    uint32_t len;
    bool fits;
    must(store_symlink(&s, bytes, 300, "symlink"));
    must(store_file_open(&s, "symlink", false, &l));
    for (uint32_t i = 0; i < 200; i++)
        must(store_setxattr(&l, "user.x", bytes, i));
    struct store_log log = store_log_of(&l);
    must(store_removexattr(&l, "user.x"));
    must(store_restart(&log, &fits));
    assert_true(fits);
    must(store_file_close(&l));
    must(store_readlink(&s, "symlink", target, &len));
    assert_int_equal(len, 300);
    assert_memory_equal(target, bytes, len);
}

/* ---- the journal ---- */

/* A tail that comes back to where a transaction began: the record of that one must not be redone. */
static void tail_comes_back(void **state) {
    (void)state;
    struct store_log log;
    const struct dir_map *names;
    struct store t;
    bool fits;
    must(store_mkdir(&s, "d", 0755));
    must(store_mkdir(&s, "e", 0755));
    must(store_create(&s, "d/a", 0644));
    must(store_rename(&s, "d/a", "e/a")); /* d's tail: from line 1 of the slot to line 2 */
    log = store_log_of_dir(&s, "d");
    for (uint32_t i = 0; i < 100; i++)
        must(store_setattr(&s, "d", NOVA_ATTR_MODE, 0700 + i % 8, 0, 0, 0, 0, 0));
    must(store_restart(&log, &fits)); /* one entry: attributes */
    assert_true(fits);
    store_copy_file(path, copy);
    (void)image_no_findings(copy);
    assert_int_equal(store_open(&t, copy, NOVA_OPT_EMULATED), NOVA_OK);
    assert_int_equal(store_dir_open(&t, "d", &names), NOVA_OK);
    assert_int_equal(names->live, 0);
    assert_int_equal(store_dir_open(&t, "e", &names), NOVA_OK);
    assert_int_equal(names->live, 1);
    assert_int_equal(store_close(&t), NOVA_OK);
    (void)image_no_findings(copy);
    unlink(copy);
}

/* Pages of a file that is appended to in small pieces: few entries of each go on counting. */
static void sparse_pages(void **state) {
    (void)state;
    struct store_log log = store_log_of(&f);
    uint32_t freed, gathered;
    grow(70);
    clean(1, &freed);
    for (uint32_t i = 0; i < 63 * 5; i++)
        one_page(i % 21 == 0 ? i / 21 : 50, (uint8_t)(1 + i % 200));
    struct nova_stat before = said(f.inode);
    uint32_t pages = stat_of(f.inode).log_pages;
    uint64_t free_blocks = image_blocks_free(s.pool);
    must(store_gather(&log, &gathered));
    assert_in_range(gathered, 4, 12); /* neighbours in one extent */
    check_said(f.inode, &before);
    check_crashed();
    must(store_cut_dead(&log, &freed));
    assert_in_range(freed, 3, 5);
    assert_int_equal(stat_of(f.inode).log_pages, pages - freed);
    assert_int_equal(image_blocks_free(s.pool), free_blocks + freed);
    check_said(f.inode, &before);
    check_crashed();
    for (uint32_t i = 0; i < 63 * 2; i++) /* what has been gathered may be gathered again */
        one_page(51, (uint8_t)(1 + i % 200));
    must(store_gather(&log, &gathered));
    assert_true(gathered != 0);
    must(store_cut_dead(&log, &freed));
    assert_true(freed != 0);
    check_crashed();
    grow(1); /* sets ctime alone */
    assert_int_equal(nova_clean_gather(f.inode, &(struct nova_keep){0, block_map_get(&f.map, 0), 1}, 1, &f.io),
                     NOVA_EINVAL);
}

/* ---- errors ---- */

static uint32_t first_page(const nova_inode *inode) {
    return (uint32_t)inode->log.slot->head;
}

static void errors(void **state) {
    (void)state;
    struct nova_record rec[NOVA_PAGE_RECORDS];
    struct nova_keep keep[NOVA_KEEP_MAX + 1] = {{0, 0, 0}};
    nova_inode *i = f.inode;
    struct nova_io *io = &f.io;
    uint32_t data;
    assert_int_equal(nova_clean_cut(i, 0, 0, io), NOVA_EINVAL); /* there is no page */
    assert_int_equal(nova_clean_restart(i, NULL, 0, io), NOVA_EINVAL);
    must(store_write(&f, 0, bytes, 3 * BLK));
    data = block_map_get(&f.map, 0);
    grow(200);
    uint32_t first = first_page(i), tail = i->log.tail.blk;
    struct nova_stat before = stat_of(i);

    assert_int_equal(nova_clean_read(i, first, UINT64_MAX, 0, 0, rec, NOVA_PAGE_RECORDS - 1, io), NOVA_EINVAL);
    assert_int_equal(nova_clean_read(i, data, UINT64_MAX, 0, 0, rec, NOVA_PAGE_RECORDS, io), NOVA_EINVAL);
    assert_int_equal(nova_clean_read(i, 1u << 31, UINT64_MAX, 0, 0, rec, NOVA_PAGE_RECORDS, io), NOVA_EINVAL);
    assert_int_equal(nova_clean_append(i, keep, NOVA_KEEP_MAX + 1, io), NOVA_EINVAL);
    assert_int_equal(nova_clean_append(i, NULL, 1, io), NOVA_EINVAL);
    assert_int_equal(nova_clean_gather(i, NULL, 0, io), NOVA_EINVAL);
    assert_int_equal(nova_clean_gather(i, keep, NOVA_KEEP_MAX + 1, io), NOVA_EINVAL);
    const struct nova_keep bad[] = {{0, 0, 0}, /* a write is kept as an extent */
                                    {70, first, 0},   {UINT64_MAX, first, 0}, {0, data, 0},
                                    {0, 1u << 31, 1}, {UINT64_MAX, data, 1},  {FMT_FILE_PAGES, data, 1},
                                    {0, 1, 1},        {62, tail, 0}};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
        assert_int_equal(nova_clean_append(i, &bad[k], 1, io), NOVA_EINVAL),
            assert_int_equal(nova_clean_gather(i, &bad[k], 1, io), NOVA_EINVAL);
    assert_int_equal(nova_clean_append(s.root, &(struct nova_keep){0, data, 1}, 1, &s.io), NOVA_EISDIR);
    assert_int_equal(nova_clean_cut(i, 0, data, io), NOVA_EINVAL);
    assert_int_equal(nova_clean_cut(i, data, tail, io), NOVA_EINVAL);
    assert_int_equal(nova_clean_cut(i, first, tail, io), NOVA_EINVAL); /* before the front was cut off */
    assert_int_equal(nova_clean_restart(i, NULL, 0, io), NOVA_EINVAL);
    struct nova_stat after = stat_of(i);
    assert_memory_equal(&after, &before, sizeof after);

    must(store_done(&f, nova_clean_append(i, &(struct nova_keep){0, data, 3}, 1, io)));
    tail = i->log.tail.blk;
    must(nova_clean_cut(i, 0, first, io)); /* the slot's lines */
    assert_int_equal(io->size, 0);
    must(nova_clean_cut(i, 0, first, io)); /* nothing */
    assert_int_equal(nova_clean_read(i, 0, UINT64_MAX, 0, 0, rec, NOVA_PAGE_RECORDS, io), NOVA_OK);
    assert_int_equal(io->record_count, 0);
    assert_int_equal(nova_clean_cut(i, tail, first, io), NOVA_EINVAL); /* against the order */
    assert_int_equal(nova_clean_cut(i, tail, tail, io), NOVA_EINVAL);
    assert_int_equal(nova_clean_cut(i, first, tail, io), NOVA_EINVAL); /* attributes in between */
    assert_int_equal(nova_clean_restart(i, NULL, 0, io), NOVA_EINVAL); /* more than a page */
    must(nova_clean_cut(i, 0, tail, io));
    assert_true(io->size >= 2);
    assert_int_equal(nova_clean_restart(i, keep, FMT_INLINE_LINES + 1, io), NOVA_EINVAL);
    check_crashed();
}

static void stale_view(void **state) {
    (void)state;
    struct nova_io io = {.free_count = 0};
    nova_inode *inode;
    grow(100);
    uint32_t ino = f.inode->log.ino, tail = f.inode->log.tail.blk;
    must(store_file_close(&f));
    must(nova_inode_open(s.pool, ino, 0, &inode, &s.err));
    assert_int_equal(nova_clean_append(inode, NULL, 0, &io), NOVA_ESTALE);
    assert_int_equal(nova_clean_gather(inode, NULL, 0, &io), NOVA_ESTALE);
    assert_int_equal(nova_clean_cut(inode, 0, tail, &io), NOVA_ESTALE);
    assert_int_equal(nova_clean_restart(inode, NULL, 0, &io), NOVA_ESTALE);
    must(nova_inode_close(inode, &s.err));
    must(store_file_open(&s, "file", false, &f));
}

static void more_than_one_cut(void **state) {
    (void)state;
    uint32_t freed;
    grow(63 * (NOVA_CUT_MAX + 9));
    uint32_t first = first_page(f.inode), tail = f.inode->log.tail.blk;
    must(store_done(&f, nova_clean_append(f.inode, NULL, 0, &f.io)));
    assert_int_equal(nova_clean_cut(f.inode, 0, tail, &f.io), NOVA_EINVAL); /* too far in one go */
    assert_int_equal(first_page(f.inode), first);
    clean(UINT32_MAX, &freed);
    assert_in_range(freed, NOVA_CUT_MAX + 8, NOVA_CUT_MAX + 10);
    check_crashed();
}

/* A full pool: cleaning takes of the reserve, and gives more back. */
static void full_pool(void **state) {
    (void)state;
    uint32_t freed;
    for (uint32_t i = 0; i < 63 * 6; i++)
        one_page(i % PAGES, 1);
    must(store_file_close(&f));
    struct store_file g;
    must(store_file_open(&s, "filler", true, &g));
    uint64_t len = sizeof bytes;
    while (len != 0)
        if (store_write(&g, g.size, bytes, len) != NOVA_OK)
            len /= 2;
    must(store_file_close(&g));
    must(store_file_open(&s, "file", false, &f));
    struct nova_pool_info info;
    nova_pool_info(s.pool, &info);
    assert_true(info.blocks_free <= info.blocks_reserve);
    clean(UINT32_MAX, &freed);
    assert_in_range(freed, 5, 7);
    check_crashed();
}

/* A released inode, which nobody will open again, has no name to log. */
static void without_a_name(void **state) {
    (void)state;
    uint32_t freed;
    must(store_link(&s, "file", "other"));
    for (uint32_t i = 0; i < 100; i++)
        one_page(i % 7, 1);
    must(store_unlink(&s, "other"));
    must(store_unlink(&s, "file"));
    clean(1, &freed);
    assert_int_equal(freed, 1);
    assert_int_equal(stat_of(f.inode).nlink, 0);
    must(store_file_close(&f));
    must(store_file_open(&s, "file", true, &f));
}

/* What a region shows of blocks that are appended again, it goes on to show. */
static void mapped(void **state) {
    (void)state;
    struct store_region r;
    struct nova_region_stat before, after;
    uint32_t freed;
    bool fits;
    struct store_log log = store_log_of(&f);
    must(store_map(&f, 0, 32 * BLK, 0, &r));
    for (uint32_t i = 0; i < 130; i++)
        one_page(i % 16, (uint8_t)(1 + i));
    for (uint64_t i = 0; i < 16; i++)
        assert_int_not_equal(r.addr[i * BLK], 0);
    nova_region_stat(r.r, &before);
    clean(2, &freed);
    for (uint64_t i = 0; i < 16; i++)
        r.addr[i * BLK + 5] = 99;
    nova_region_stat(r.r, &after);
    assert_int_equal(freed, 2);
    assert_int_equal(after.faults, before.faults);
    assert_int_equal(after.mapped, before.mapped);
    must(store_punch(&f, BLK, 31 * BLK));
    must(store_restart(&log, &fits));
    assert_true(fits);
    if (r.lazy) {
        r.addr[9 * BLK] = 7; /* a fault appends to the log that has begun again */
        must(store_catch_up(&f));
        assert_int_not_equal(block_map_get(&f.map, 9), 0);
    }
    nova_region_free(r.r);
    check_crashed();
}

/* ---- damage ---- */

static void fill_log(uint32_t from, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        one_page(50, (uint8_t)(1 + (from + i) % 200));
}

/* Begins a new page of the log, and says which. */
static uint32_t next_log_page(void) {
    uint32_t blk = f.inode->log.tail.blk;
    while (f.inode->log.tail.blk == blk)
        fill_log(0, 1);
    return f.inode->log.tail.blk;
}

/* A page may not leave the middle of the log, whatever bit of an entry of it is wrong. */
static void refuses_each_bit(uint32_t prev, uint32_t keep, uint32_t at, uint32_t idx, const char *what) {
    uint8_t *e = log_line(&f.inode->log, (struct log_pos){at, idx});
    uint32_t lines = ((const struct fmt_entry *)(void *)e)->lines;
    assert_int_equal(nova_clean_cut(f.inode, prev, keep, &f.io), NOVA_EINVAL);
    for (uint32_t bit = 0; bit < lines * FMT_LINE * 8; bit++) {
        e[bit / 8] ^= (uint8_t)(1u << bit % 8);
        int rc = nova_clean_cut(f.inode, prev, keep, &f.io);
        e[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (rc != NOVA_EINVAL && rc != NOVA_ECORRUPT)
            fail_msg("status %d with bit %u of %s wrong", rc, bit, what);
    }
}

static void say(uint32_t what) {
    switch (what) {
    case 0: must(store_truncate(&f, 60 * BLK + 7)); break;
    case 1: must(store_punch(&f, 3 * BLK, BLK)); break;
    case 2: must(store_collapse(&f, 40 * BLK, BLK)); break;
    case 3: must(store_insert(&f, 40 * BLK, BLK)); break;
    case 4: must(store_setattr(&s, "file", NOVA_ATTR_MODE | NOVA_ATTR_UID, 0640, 1000, 0, 0, 0, 0)); break;
    case 5: must(store_link(&s, "file", "other")); break;
    default: must(store_setxattr(&f, "user.x", bytes, 3)), must(store_removexattr(&f, "user.x"));
    }
}

static void damaged_entry_that_must_stay(void **state) {
    (void)state;
    static const char *const name[] = {"truncate", "hole", "collapse", "insert", "setattr", "link", "xattr"};
    uint32_t freed;
    for (uint32_t i = 0; i < 60; i++)
        one_page(i, 1);
    grow(70);
    clean(1, &freed);
    for (uint32_t i = 0; i < sizeof name / sizeof *name; i++) {
        uint32_t prev = f.inode->log.tail.blk, at = next_log_page();
        say(i);
        uint32_t idx = f.inode->log.tail.idx - 1, keep = next_log_page();
        (void)next_log_page();
        refuses_each_bit(prev, keep, at, idx, name[i]);
    }
    check_crashed();
}

/* Whether records are those of `want` but for the one of a line, which may be another or missing. */
static bool same_but(uint32_t line, const struct nova_record *want, uint32_t want_n, const struct nova_record *rec,
                     uint32_t n) {
    uint32_t i = 0, k = 0;
    while (i < want_n || k < n) {
        if (i < want_n && want[i].log_idx == line)
            i += want[i].lines;
        else if (k < n && rec[k].log_idx == line)
            k += rec[k].lines;
        else if (i == want_n || k == n || memcmp(&want[i], &rec[k], want[i].lines * sizeof *want) != 0)
            return false;
        else
            k += want[i].lines, i += want[i].lines;
    }
    return true;
}

/* What counts is read of a page, writes of no blocks excepted; a damaged entry hides none of the others. */
static void records_of_a_page(void **state) {
    (void)state;
    static struct nova_record want[NOVA_PAGE_RECORDS], rec[NOVA_PAGE_RECORDS];
    static const uint16_t kinds[] = {NOVA_REC_WRITE, NOVA_REC_ALLOC,   NOVA_REC_XATTR,
                                     NOVA_REC_HOLE,  NOVA_REC_SETATTR, NOVA_REC_WRITE};
    must(store_write(&f, 0, bytes, 100));
    grow(70);
    uint32_t blk = next_log_page(), n = 0;
    must(store_write(&f, 51 * BLK, bytes, 100));
    must(store_write(&f, f.size, bytes, 10)); /* in place */
    must(store_allocate(&f, 60 * BLK, BLK, true));
    must(store_setxattr(&f, "user.long", bytes, 200));
    must(store_write(&f, f.size, bytes, 10));
    must(store_punch(&f, 51 * BLK, BLK));
    grow(1);
    must(store_write(&f, 0, bytes, 2 * BLK));
    assert_int_equal(f.inode->log.tail.blk, blk);
    uint32_t end = f.inode->log.tail.idx;
    must(nova_clean_read(f.inode, blk, UINT64_MAX, 0, 0, want, NOVA_PAGE_RECORDS, &f.io));
    uint32_t want_n = f.io.record_count;
    for (uint32_t i = 1; i < want_n; i += want[i].lines, n++) { /* behind the one that entered the page */
        assert_in_range(n, 0, sizeof kinds / sizeof *kinds - 1);
        assert_int_equal(want[i].kind, kinds[n]);
        assert_int_equal(want[i].log_blk, blk);
    }
    assert_int_equal(n, sizeof kinds / sizeof *kinds);
    uint32_t lines;
    for (uint32_t idx = 0, i = 0; idx < end; idx += lines) { /* one alone */
        const struct fmt_entry *e = (const void *)log_line(&f.inode->log, (struct log_pos){blk, idx});
        lines = e->lines;
        uint64_t its = (((uint64_t)1 << lines) - 1) << idx;
        must(nova_clean_read(f.inode, blk, its, blk, UINT64_MAX, rec, NOVA_PAGE_RECORDS, &f.io));
        bool reported = i < want_n && want[i].log_idx == idx;
        assert_int_equal(f.io.record_count, reported ? want[i].lines : 0);
        assert_memory_equal(rec, &want[i], f.io.record_count * sizeof *rec);
        uint32_t own = f.io.record_count;
        i += own;
        must(nova_clean_read(f.inode, blk, ~its, 1u << 31, its, rec, NOVA_PAGE_RECORDS, &f.io));
        assert_true(same_but(idx, want, want_n, rec, f.io.record_count));
        assert_int_equal(f.io.record_count, want_n - own);
    }
    must(nova_clean_read(f.inode, blk, 0, 0, 0, rec, NOVA_PAGE_RECORDS, &f.io));
    assert_int_equal(f.io.record_count, 0);
    for (uint32_t idx = 0; idx < end; idx += lines) {
        uint8_t *e = log_line(&f.inode->log, (struct log_pos){blk, idx});
        lines = ((const struct fmt_entry *)(void *)e)->lines;
        for (uint32_t bit = 0; bit < lines * FMT_LINE * 8; bit++) {
            e[bit / 8] ^= (uint8_t)(1u << bit % 8);
            int rc = nova_clean_read(f.inode, blk, UINT64_MAX, 0, 0, rec, NOVA_PAGE_RECORDS, &f.io);
            e[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (rc != NOVA_ECORRUPT && (rc != NOVA_OK || !same_but(idx, want, want_n, rec, f.io.record_count)))
                fail_msg("status %d with bit %u of line %u wrong", rc, bit, idx);
        }
    }
    check_crashed();
}

/* Whatever lines are wanted, also such in the middle of an entry whose bytes look like one, and such behind the tail:
 * what is reported fits, and has what is wanted whole. */
static void any_lines_wanted(void **state) {
    (void)state;
    static struct nova_record want[NOVA_PAGE_RECORDS], rec[NOVA_PAGE_RECORDS + 1];
    static uint8_t value[12 * FMT_LINE];
    struct rng r = rng_start(__func__);
    must(store_write(&f, 0, bytes, 100));
    grow(70);
    uint32_t blk = next_log_page();
    must(store_write(&f, 51 * BLK, bytes, BLK));
    struct fmt_entry *e = (void *)log_line(&f.inode->log, (struct log_pos){blk, f.inode->log.tail.idx - 1});
    assert_int_equal(e->kind, FMT_WRITE);
    for (uint32_t i = 0; i < 8; i++) { /* entries, and such that claim to be longer, by turns, at every 16th byte */
        for (uint32_t at = i * 16 % FMT_LINE; at + FMT_LINE <= sizeof value; at += FMT_LINE) {
            memcpy(value + at, e, FMT_LINE);
            if (rng_below(&r, 2) == 0)
                ((struct fmt_entry *)(void *)(value + at))->lines = (uint8_t)rng_below(&r, 64);
        }
        must(store_setxattr(&f, i % 2 == 0 ? "user.an-even-one" : "user.an-odd-one", value, 40 + i / 2 * 100));
    }
    assert_int_equal(f.inode->log.tail.blk, blk);
    must(nova_clean_read(f.inode, blk, UINT64_MAX, 0, 0, want, NOVA_PAGE_RECORDS, &f.io));
    uint32_t want_n = f.io.record_count, forged = 0, last = f.inode->log.m->data_end - 1;
    for (uint32_t i = 0; i < 20000; i++) {
        uint64_t wanted = rng_next(&r) & (rng_below(&r, 2) == 0 ? rng_next(&r) : UINT64_MAX);
        uint32_t next = i % 3 == 0 ? last : i % 3 == 1 ? blk : (uint32_t)rng_next(&r);
        memset(&rec[NOVA_PAGE_RECORDS], 0x5a, sizeof *rec);
        int rc = nova_clean_read(f.inode, blk, wanted, next, rng_next(&r), rec, NOVA_PAGE_RECORDS, &f.io);
        for (uint32_t k = 0; k < sizeof *rec; k++)
            assert_int_equal(((uint8_t *)&rec[NOVA_PAGE_RECORDS])[k], 0x5a);
        if (rc == NOVA_ECORRUPT) {
            assert_int_equal(f.io.record_count, 0);
            forged++;
            continue;
        }
        assert_int_equal(rc, NOVA_OK);
        uint32_t n = 0;
        for (uint32_t k = 0; k < f.io.record_count; k += rec[k].lines) {
            assert_true(rec[k].log_idx < f.inode->log.tail.idx && (wanted >> rec[k].log_idx & 1) != 0);
            while (n < want_n && want[n].log_idx < rec[k].log_idx) {
                if ((wanted >> want[n].log_idx & 1) != 0)
                    fail_msg("line %u is missing", want[n].log_idx);
                n += want[n].lines;
            }
            if (n < want_n && want[n].log_idx == rec[k].log_idx) {
                assert_memory_equal(&want[n], &rec[k], want[n].lines * sizeof *want);
                n += want[n].lines;
            } else {
                forged++;
            }
        }
        for (; n < want_n; n += want[n].lines)
            assert_int_equal(wanted >> want[n].log_idx & 1, 0);
    }
    assert_true(forged != 0);
    check_crashed();
}

static void set_values(uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        must(store_setxattr(&f, "user.x", bytes, i % 10));
}

/* The last that says the size, bytes behind the end in a block that is there, among values that are replaced. */
static void damaged_entry_of_the_size(void **state) {
    (void)state;
    uint32_t freed, page[4];
    must(store_write(&f, 0, bytes, 100));
    grow(70);
    clean(1, &freed);
    for (uint32_t i = 0; i < 4; i++) {
        page[i] = f.inode->log.tail.blk;
        while (f.inode->log.tail.blk == page[i])
            set_values(1);
        if (i == 0)
            must(store_write(&f, f.size, bytes, 10));
    }
    assert_int_equal(f.inode->log.tail.blk == page[3], 0);
    refuses_each_bit(page[0], page[2], page[1], 1, "the size");
    must(store_write(&f, f.size, bytes, 10));
    must(nova_clean_cut(f.inode, page[0], page[2], &f.io)); /* another one says it */
    assert_int_equal(f.io.size, 1);
    check_crashed();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(overwritten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(anything, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dead_pages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sparse_pages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(said_early, set_up, tear_down),
        cmocka_unit_test_setup_teardown(directory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(slot_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(birth_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(symlink_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tail_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(errors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stale_view, set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_than_one_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(full_pool, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mapped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(records_of_a_page, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_lines_wanted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damaged_entry_that_must_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damaged_entry_of_the_size, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
