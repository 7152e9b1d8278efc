/* SPDX-License-Identifier: Apache-2.0 */
/* Names and inodes: names of every length, rename, unlink while open, release, full pools, reuse of inode numbers. */
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
#include "api/handles.h"
#include "image.h"
#include "rng.h"
#include "store.h"
#include "util/clock.h"

#define MIB ((uint64_t)1 << 20)

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
    path = store_path("dir");
    assert_int_equal(nova_pool_create(path, 4 * MIB, &emulated, &err), NOVA_OK);
    must(store_open(&s, path, NOVA_OPT_EMULATED));
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    assert_int_equal(store_close(&s), NOVA_OK);
    unlink(path);
    return 0;
}

static struct nova_pool_info info(void) {
    struct nova_pool_info i;
    assert_int_equal(nova_pool_info(s.pool, &i), NOVA_OK);
    return i;
}

static uint32_t root_pages(void) {
    struct nova_stat st;
    assert_int_equal(nova_inode_stat(s.root, &st), NOVA_OK);
    return st.log_pages;
}

/* Closes and opens; from a copy taken before the close if `crash`. */
static void reopen(bool crash) {
    char copy[160];
    (void)snprintf(copy, sizeof copy, "%s-copy", path);
    store_copy_file(path, copy);
    must(store_close(&s));
    if (crash)
        assert_int_equal(rename(copy, path), 0);
    else
        unlink(copy);
    must(store_open(&s, path, NOVA_OPT_EMULATED));
    assert_int_equal(info().recovered, crash);
}

static int create(const void *name, uint32_t len, uint32_t type) {
    int rc = nova_create(s.root, name, len, type, 0640, 1, 2, NULL, 0, &s.io);
    if (rc == NOVA_OK)
        assert_int_equal(s.io.record_count, s.io.records[0].lines);
    return rc;
}

/* ---- names ---- */

/* A name of that length; every byte but '/' and NUL occurs in one or the other. */
static void name_of(char *name, uint32_t len) {
    for (uint32_t i = 0; i < len; i++) {
        name[i] = (char)(1 + (len * 7 + i * 3) % 255);
        if (name[i] == '/')
            name[i] = 'x';
    }
    if (name[0] == '.')
        name[0] = 'y';
}

static void names_of_every_length(void **state) {
    (void)state;
    char name[256];
    for (uint32_t len = 1; len <= 255; len++) {
        name_of(name, len);
        assert_int_equal(create(name, len, NOVA_FILE), NOVA_OK);
        const struct nova_record *r = &s.io.records[0];
        assert_int_equal(r->kind, NOVA_REC_DENTRY_ADD);
        assert_int_equal(r->lines, (48 + len + 63) / 64);
        assert_true(r->lines <= NOVA_RECORDS_MAX);
        assert_int_equal(r->u.dentry.name_len, len);
        assert_int_equal(r->u.dentry.ino, len + 1);
        assert_int_equal(r->u.dentry.gen, 1);
        assert_int_equal(r->u.dentry.type, NOVA_FILE);
        assert_memory_equal(r->u.dentry.name, name, len);
        for (uint32_t i = len; i < r->lines * 64 - 48; i++)
            assert_int_equal(r->u.dentry.name[i], 0);
    }
    for (int crash = 0; crash < 2; crash++) {
        reopen(crash);
        uint32_t it = 0, n = 0;
        const struct dir_name *d;
        while ((d = dir_map_next(&s.names, &it)) != NULL) {
            n++;
            name_of(name, n);
            assert_int_equal(d->name_len, n);
            assert_memory_equal(d->name, name, n);
            assert_int_equal(d->ino, n + 1);
        }
        assert_int_equal(n, 255);
        assert_int_equal(info().inodes_used, 256);
    }
}

static void invalid_names(void **state) {
    (void)state;
    char longest[300];
    memset(longest, 'a', sizeof longest);
    const struct {
        const char *name;
        uint32_t len;
    } bad[] = {{NULL, 1},   {"", 0},    {"a", 0},    {".", 1},       {"..", 2},
               {"/", 1},    {"a/", 2},  {"/a", 2},   {"a/b", 3},     {"\0", 1},
               {"ab\0", 3}, {"\0a", 2}, {"a\0b", 3}, {longest, 256}, {longest, UINT32_MAX}};
    uint64_t before = info().blocks_free;
    assert_int_equal(create("ok", 2, NOVA_FILE), NOVA_OK);
    uint64_t used = info().inodes_used;
    before = info().blocks_free;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(create(bad[i].name, bad[i].len, NOVA_FILE), NOVA_ENAME);
        assert_int_equal(s.io.err.code, NOVA_ENAME);
        assert_int_equal(flat_unlink(s.root, bad[i].name, bad[i].len, 2, 1, &s.io), NOVA_ENAME);
        assert_int_equal(flat_rename(s.root, "ok", 2, bad[i].name, bad[i].len, 2, 1, NOVA_FILE, &s.io), NOVA_ENAME);
        assert_int_equal(flat_rename(s.root, bad[i].name, bad[i].len, "ok", 2, 2, 1, NOVA_FILE, &s.io), NOVA_ENAME);
    }
    assert_int_equal(info().blocks_free, before);
    assert_int_equal(info().inodes_used, used);
    assert_int_equal(create("...", 3, NOVA_FILE), NOVA_OK); /* these are good */
    assert_int_equal(create(".a", 2, NOVA_FILE), NOVA_OK);
    assert_int_equal(create("..a", 3, NOVA_FILE), NOVA_OK);
    assert_int_equal(create(" ", 1, NOVA_FILE), NOVA_OK);
    assert_int_equal(create("\n", 1, NOVA_FILE), NOVA_OK);
    assert_int_equal(create("\xff\xfe", 2, NOVA_FILE), NOVA_OK);
    assert_int_equal(create(longest, 255, NOVA_FILE), NOVA_OK);
}

static void invalid_arguments(void **state) {
    (void)state;
    struct store_file f;
    must(store_file_open(&s, "file", true, &f));
    uint64_t used = info().inodes_used;
    const uint32_t types[] = {0, 4, 5, UINT32_MAX, 256 + NOVA_FILE};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(create("x", 1, types[i]), NOVA_EINVAL);
        assert_int_equal(flat_rename(s.root, "file", 4, "x", 1, 2, 1, types[i], &s.io), NOVA_EINVAL);
    }
    const uint32_t inos[] = {0, NOVA_ROOT_INO, (uint32_t)info().inodes_max + 1, UINT32_MAX};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(flat_unlink(s.root, "file", 4, inos[i], 1, &s.io), NOVA_EINVAL);
        assert_int_equal(flat_rename(s.root, "file", 4, "x", 1, inos[i], 1, NOVA_FILE, &s.io), NOVA_EINVAL);
    }
    assert_int_equal(flat_unlink(s.root, "file", 4, 2, 0, &s.io), NOVA_EINVAL);
    assert_int_equal(flat_rename(s.root, "file", 4, "x", 1, 2, 0, NOVA_FILE, &s.io), NOVA_EINVAL);
    assert_int_equal(flat_rename(s.root, "file", 4, "file", 4, 2, 1, NOVA_FILE, &s.io), NOVA_EINVAL);
    /* a file is no directory */
    assert_int_equal(flat_create(f.inode, "x", 1, NOVA_FILE, 0, &f.io), NOVA_ENOTDIR);
    assert_int_equal(flat_unlink(f.inode, "x", 1, 2, 1, &f.io), NOVA_ENOTDIR);
    assert_int_equal(flat_rename(f.inode, "x", 1, "y", 1, 2, 1, NOVA_FILE, &f.io), NOVA_ENOTDIR);
    assert_int_equal(info().inodes_used, used);
    must(store_file_close(&f));
    reopen(true);
    assert_non_null(dir_map_get(&s.names, "file", 4));
}

static void stale_directories(void **state) {
    (void)state;
    assert_int_equal(create("a", 1, NOVA_FILE), NOVA_OK);
    assert_int_equal(nova_inode_close(s.root, &s.err), NOVA_OK);
    assert_int_equal(nova_inode_open(s.pool, NOVA_ROOT_INO, 0, &s.root, &s.err), NOVA_OK);
    uint64_t used = info().inodes_used, blocks = info().blocks_free;
    assert_int_equal(create("b", 1, NOVA_FILE), NOVA_ESTALE);
    assert_int_equal(flat_unlink(s.root, "a", 1, 2, 1, &s.io), NOVA_ESTALE);
    assert_int_equal(flat_rename(s.root, "a", 1, "b", 1, 2, 1, NOVA_FILE, &s.io), NOVA_ESTALE);
    assert_int_equal(info().inodes_used, used);
    assert_int_equal(info().blocks_free, blocks);
    struct nova_record rec[NOVA_RECORDS_MAX];
    assert_int_equal(nova_replay(s.root, rec, NOVA_RECORDS_MAX, &s.io), NOVA_OK);
    assert_int_equal(create("b", 1, NOVA_FILE), NOVA_OK);
}

static void attributes_of_a_new_inode(void **state) {
    (void)state;
    assert_int_equal(create("file", 4, NOVA_FILE), NOVA_OK);
    nova_inode *inode;
    struct nova_stat st;
    assert_int_equal(nova_inode_open(s.pool, 2, 1, &inode, &s.err), NOVA_OK);
    assert_int_equal(nova_inode_stat(inode, &st), NOVA_OK);
    assert_int_equal(st.type, NOVA_FILE);
    assert_int_equal(st.mode, 0640);
    assert_int_equal(st.uid, 1);
    assert_int_equal(st.gid, 2);
    assert_int_equal(st.ino, 2);
    assert_int_equal(st.gen, 1);
    assert_int_equal(st.size, 0);
    assert_true(st.btime > 1600000000LL * 1000000000);
    assert_int_equal(st.atime, st.btime);
    assert_int_equal(nova_inode_close(inode, &s.err), NOVA_OK);
}

/* ---- open, close, release ---- */

static void opening(void **state) {
    (void)state;
    nova_inode *inode, *again = (nova_inode *)(uintptr_t)1;
    assert_int_equal(create("file", 4, NOVA_FILE), NOVA_OK);
    assert_int_equal(nova_inode_open(s.pool, 2, 0, &inode, &s.err), NOVA_OK);
    assert_int_equal(nova_inode_open(s.pool, 2, 0, &again, &s.err), NOVA_EBUSY);
    assert_null(again);
    assert_int_equal(nova_inode_open(s.pool, NOVA_ROOT_INO, 0, &again, &s.err), NOVA_EBUSY);
    assert_int_equal(nova_inode_close(inode, &s.err), NOVA_OK);
    assert_int_equal(nova_inode_open(s.pool, 2, 1, &inode, &s.err), NOVA_OK);
    assert_int_equal(nova_inode_close(inode, NULL), NOVA_OK);
    assert_int_equal(nova_inode_close(NULL, NULL), NOVA_OK);
    assert_int_equal(nova_inode_open(s.pool, 2, 2, &again, &s.err), NOVA_ENOENT);
    const uint32_t none[] = {
        0, 3, 15, 16, 4096, 8191, 8192, (uint32_t)info().inodes_max, (uint32_t)info().inodes_max + 1, UINT32_MAX};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_int_equal(nova_inode_open(s.pool, none[i], 0, &again, &s.err), NOVA_ENOENT);
        assert_null(again);
        assert_int_equal(nova_inode_release(s.pool, none[i], 0, &s.err), NOVA_ENOENT);
    }
    assert_int_equal(nova_inode_release(s.pool, NOVA_ROOT_INO, 0, &s.err), NOVA_ENOENT);
}

static void replay_arguments(void **state) {
    (void)state;
    struct nova_record rec[NOVA_RECORDS_MAX];
    assert_int_equal(nova_replay(s.root, NULL, 100, &s.io), NOVA_EINVAL);
    for (uint32_t cap = 0; cap < NOVA_RECORDS_MAX; cap++)
        assert_int_equal(nova_replay(s.root, rec, cap, &s.io), NOVA_EINVAL);
    assert_int_equal(nova_replay(s.root, rec, NOVA_RECORDS_MAX, &s.io), NOVA_OK);
    assert_int_equal(s.io.record_count, 0);
    assert_int_equal(s.io.more, 0);
}

static void replay_with_any_capacity(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    char name[256];
    for (uint32_t i = 0; i < 150; i++) {
        uint32_t len = 5 + (i * 37) % 250;
        memset(name, 'n', sizeof name);
        name[0] = (char)('a' + i / 26);
        name[1] = (char)('a' + i % 26);
        assert_int_equal(create(name, len, NOVA_FILE), NOVA_OK);
    }
    for (uint32_t cap = NOVA_RECORDS_MAX; cap < 40; cap++) {
        struct nova_record *rec = malloc(cap * sizeof *rec); /* under ASan its end is watched */
        assert_non_null(rec);
        assert_int_equal(nova_inode_close(s.root, &s.err), NOVA_OK);
        assert_int_equal(nova_inode_open(s.pool, NOVA_ROOT_INO, 0, &s.root, &s.err), NOVA_OK);
        uint32_t names = 0;
        do {
            uint32_t most = NOVA_RECORDS_MAX + rng_below(&r, cap - NOVA_RECORDS_MAX + 1);
            assert_int_equal(nova_replay(s.root, rec, most, &s.io), NOVA_OK);
            assert_true(s.io.record_count <= most && s.io.record_count > 0);
            for (uint32_t k = 0; k < s.io.record_count; k += rec[k].lines, names++)
                assert_int_equal(rec[k].u.dentry.ino, names + 2);
        } while (s.io.more);
        assert_int_equal(names, 150);
        free(rec);
    }
}

static void unlinked_while_open(void **state) {
    (void)state;
    struct store_file f;
    static uint8_t data[50000], buf[50000];
    memset(data, 0x3d, sizeof data);
    must(store_file_open(&s, "file", true, &f));
    uint64_t empty = info().blocks_free, used = info().inodes_used;
    must(store_write(&f, 0, data, 30000));
    must(store_unlink(&s, "file"));
    assert_int_equal(info().inodes_used, used);
    must(store_write(&f, 30000, data, 20000)); /* it lives on */
    assert_int_equal(store_read(&f, 0, buf, sizeof buf), sizeof buf);
    assert_memory_equal(buf, data, sizeof buf);
    struct store_file other;
    must(store_file_open(&s, "file", true, &other)); /* the name is free for another */
    must(store_file_close(&other));
    assert_int_equal(dir_map_get(&s.names, "file", 4)->ino, 3);
    const char *copy = store_path("dir-copy");
    store_copy_file(path, copy);
    must(store_file_close(&f));
    assert_int_equal(info().blocks_free, empty - root_pages());
    assert_int_equal(info().inodes_used, used);
    /* a crash before that close */
    must(store_close(&s));
    assert_int_equal(rename(copy, path), 0);
    must(store_open(&s, path, NOVA_OPT_EMULATED));
    assert_int_equal(info().orphans, 1);
    assert_int_equal(info().inodes_used, used);
    assert_int_equal(info().blocks_free, empty - root_pages());
    reopen(true);
    assert_int_equal(info().orphans, 0);
}

static void closing_the_pool_closes_inodes(void **state) {
    (void)state;
    struct store_file f;
    must(store_file_open(&s, "a", true, &f));
    uint64_t empty = info().blocks_free;
    must(store_write(&f, 0, "abc", 3));
    must(store_unlink(&s, "a"));
    block_map_free(&f.map);
    reopen(false); /* with the unlinked file open */
    assert_int_equal(info().inodes_used, 1);
    assert_int_equal(info().blocks_free, empty);
}

static void released_twice(void **state) {
    (void)state;
    struct store_file f;
    must(store_file_open(&s, "a", true, &f));
    must(store_write(&f, 0, "abc", 3));
    const struct dir_name *d = dir_map_get(&s.names, "a", 1);
    uint32_t ino = d->ino, gen = d->gen;
    must(store_unlink(&s, "a")); /* releases: it is open */
    assert_int_equal(nova_inode_release(s.pool, ino, gen, &s.err), NOVA_OK);
    assert_int_equal(nova_inode_release(s.pool, ino, 0, &s.err), NOVA_OK);
    assert_int_equal(nova_inode_release(s.pool, ino, gen + 1, &s.err), NOVA_ENOENT);
    uint64_t before = info().blocks_free;
    must(store_file_close(&f));
    assert_int_equal(info().blocks_free, before + 1);
    assert_int_equal(nova_inode_release(s.pool, ino, gen, &s.err), NOVA_ENOENT);
    assert_int_equal(nova_inode_release(s.pool, ino, 0, &s.err), NOVA_ENOENT);
    assert_int_equal(nova_inode_open(s.pool, ino, gen, &f.inode, &s.err), NOVA_ENOENT);
    assert_int_equal(create("b", 1, NOVA_FILE), NOVA_OK); /* the number again, of another generation */
    assert_int_equal(s.io.records[0].u.dentry.ino, ino);
    assert_int_equal(s.io.records[0].u.dentry.gen, gen + 1);
    assert_int_equal(nova_inode_release(s.pool, ino, gen, &s.err), NOVA_ENOENT);
    assert_int_equal(nova_inode_open(s.pool, ino, gen, &f.inode, &s.err), NOVA_ENOENT);
    assert_int_equal(info().inodes_used, 2);
    reopen(false); /* nothing was lost: the state was saved */
}

static void generations_over_reopen(void **state) {
    (void)state;
    for (uint32_t gen = 1; gen < 40; gen++) {
        struct store_file f;
        must(store_file_open(&s, "file", true, &f));
        must(store_file_close(&f));
        const struct dir_name *d = dir_map_get(&s.names, "file", 4);
        assert_int_equal(d->ino, 2);
        assert_int_equal(d->gen, gen);
        must(store_unlink(&s, "file"));
        reopen(gen % 2 == 0);
    }
}

/* ---- rename ---- */

static void renames(void **state) {
    (void)state;
    struct store_file a, b;
    uint8_t buf[8];
    must(store_file_open(&s, "a", true, &a));
    must(store_file_open(&s, "b", true, &b));
    must(store_write(&a, 0, "A", 1));
    must(store_write(&b, 0, "B", 1));
    must(store_rename(&s, "a", "c"));
    const struct nova_record *r = s.io.records;
    assert_int_equal(s.io.record_count, 2);
    assert_int_equal(r[0].kind, NOVA_REC_DENTRY_REMOVE);
    assert_int_equal(r[1].kind, NOVA_REC_DENTRY_ADD);
    assert_int_equal(r[1].u.dentry.ino, 2);
    uint64_t before = info().blocks_free;
    must(store_rename(&s, "c", "b")); /* replaces b, which is open */
    assert_int_equal(store_read(&b, 0, buf, 8), 1);
    assert_int_equal(buf[0], 'B');
    must(store_file_close(&b));
    assert_int_equal(info().blocks_free, before + 1);
    must(store_file_close(&a));
    for (int crash = 0; crash < 2; crash++) {
        reopen(crash);
        assert_null(dir_map_get(&s.names, "a", 1));
        assert_null(dir_map_get(&s.names, "c", 1));
        must(store_file_open(&s, "b", false, &b));
        assert_int_equal(store_read(&b, 0, buf, 8), 1);
        assert_int_equal(buf[0], 'A');
        must(store_file_close(&b));
    }
}

/* Old and new names of all lengths: ten records at most, also across a page's end. */
static void renames_of_every_length(void **state) {
    (void)state;
    char from[256], to[256];
    uint32_t len = 1;
    memset(from, 'f', sizeof from);
    memset(to, 't', sizeof to);
    assert_int_equal(create(from, len, NOVA_FILE), NOVA_OK);
    for (int i = 0; i < 260; i++) {
        uint32_t next = 1 + (uint32_t)(i * 97) % 255;
        char *x = i % 2 == 0 ? from : to, *y = i % 2 == 0 ? to : from;
        assert_int_equal(flat_rename(s.root, x, len, y, next, 2, 1, NOVA_FILE, &s.io), NOVA_OK);
        assert_int_equal(s.io.record_count, (48 + len + 63) / 64 + (48 + next + 63) / 64);
        assert_int_equal(s.io.records[s.io.records[0].lines].u.dentry.name_len, next);
        len = next;
        if (i % 50 == 0) {
            reopen(true);
            assert_non_null(dir_map_get(&s.names, y, (uint8_t)len));
            assert_int_equal(s.names.live, 1);
        }
    }
}

/* ---- full pools ---- */

static void no_space_for_a_name(void **state) {
    (void)state;
    static const uint8_t data[500 * 4096];
    struct store_file f; /* so that blocks run out before inode numbers do */
    must(store_file_open(&s, "large", true, &f));
    must(store_write(&f, 0, data, sizeof data));
    must(store_file_close(&f));
    char name[32];
    uint32_t n = 0;
    int rc;
    do {
        (void)snprintf(name, sizeof name, "file %u", n++);
        rc = create(name, (uint32_t)strlen(name), NOVA_FILE);
    } while (rc == NOVA_OK);
    assert_int_equal(rc, NOVA_ENOSPC);
    struct nova_pool_info full = info();
    assert_int_equal(full.blocks_free, full.blocks_reserve);
    assert_int_equal(full.inodes_used, n + 1); /* the root, the large one, and one less than were tried */
    for (int i = 0; i < 40; i++) {
        assert_int_equal(create(name, (uint32_t)strlen(name), NOVA_FILE), NOVA_ENOSPC);
        assert_int_equal(info().blocks_free, full.blocks_free);
        assert_int_equal(info().inodes_used, full.inodes_used);
    }
    reopen(true);
    assert_int_equal(info().blocks_free, full.blocks_free);
    assert_int_equal(info().inodes_used, full.inodes_used);
    assert_int_equal(info().orphans, 0);
}

/* Every file of a full pool can be deleted, and then all its space is there again. */
static void delete_on_a_full_pool(void **state) {
    (void)state;
    static const uint8_t data[20000] = {1};
    uint64_t empty = info().blocks_free;
    for (int round = 0; round < 3; round++) {
        char name[80];
        uint32_t n = 0;
        for (;; n++) {
            struct store_file f;
            (void)snprintf(name, sizeof name, "a file of a full pool with a name of two lines %u", n);
            if (store_file_open(&s, name, true, &f) != NOVA_OK)
                break;
            int rc = store_write(&f, 0, data, sizeof data);
            must(store_file_close(&f));
            if (rc != NOVA_OK) {
                n++;
                break;
            }
        }
        assert_true(n > 100);
        struct store_file f; /* take what the files could not */
        for (uint64_t len = 8000; len != 0 && store_file_open(&s, "a file of a full pool with a name of two lines 0",
                                                              false, &f) == NOVA_OK;) {
            if (store_write(&f, f.size, data, len) != NOVA_OK)
                len /= 2;
            must(store_file_close(&f));
        }
        assert_true(info().blocks_free <= info().blocks_reserve + 1);
        for (uint32_t i = n; i-- != 0;) {
            (void)snprintf(name, sizeof name, "a file of a full pool with a name of two lines %u", i);
            must(store_unlink(&s, name));
        }
        assert_int_equal(s.names.live, 0);
        assert_int_equal(info().inodes_used, 1);
        reopen(round == 1);
        assert_true(empty - info().blocks_free < 20 + root_pages()); /* the table and the directory's log */
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

/* ---- a name that changes while it is used ---- */

static char changing[] = "a-name";

/* The first store of a call, of the new inode's slot, comes between the check of the name and its entry. */
static void copy_and_change(const struct pmem_ops *ops, void *dst, const void *src, size_t len) {
    changing[1] = '/';
    s.pool->file.ops.copy(&s.pool->file.ops, dst, src, len);
    (void)ops;
}

static void name_that_changes(void **state) {
    (void)state;
    struct pmem_ops ops = s.pool->file.ops;
    ops.copy = copy_and_change;
    s.pool->media.ops = &ops;
    int rc = create(changing, 6, NOVA_FILE);
    s.pool->media.ops = &s.pool->file.ops;
    must(rc);
    assert_string_equal(changing, "a/name");
    assert_int_equal(s.io.records[0].u.dentry.name_len, 6);
    assert_memory_equal(s.io.records[0].u.dentry.name, "a-name", 6);
    reopen(true); /* which reads the entry */
    struct nova_stat st;
    must(store_stat(&s, "a-name", &st));
}

/* ---- times ---- */

/* The directory's times are the last call's, also to who recovers it. */
static void changed_since(int64_t before) {
    int64_t mtime = 0;
    for (int round = 0; round < 3; round++) {
        struct nova_stat st;
        assert_int_equal(nova_inode_stat(s.root, &st), NOVA_OK);
        assert_true(st.mtime >= before && st.mtime <= nova_now());
        assert_true(st.ctime == st.mtime && (round == 0 || st.mtime == mtime));
        mtime = st.mtime;
        if (round < 2)
            reopen(round == 0);
    }
}

static void each_call_sets_the_times(void **state) {
    (void)state;
    struct store_file f;
    struct nova_stat st;
    int64_t before = nova_now();
    must(store_file_open(&s, "a", true, &f));
    assert_int_equal(nova_inode_stat(f.inode, &st), NOVA_OK);
    assert_true(st.btime >= before && st.mtime == st.btime && st.ctime == st.btime && st.atime == st.btime);
    must(store_file_close(&f));
    changed_since(before);
    before = nova_now();
    must(store_rename(&s, "a", "b"));
    changed_since(before);
    before = nova_now();
    must(store_unlink(&s, "b"));
    changed_since(before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(each_call_sets_the_times),
        TEST(names_of_every_length),
        TEST(invalid_names),
        TEST(invalid_arguments),
        TEST(stale_directories),
        TEST(attributes_of_a_new_inode),
        TEST(opening),
        TEST(replay_arguments),
        TEST(replay_with_any_capacity),
        TEST(unlinked_while_open),
        TEST(closing_the_pool_closes_inodes),
        TEST(released_twice),
        TEST(generations_over_reopen),
        TEST(renames),
        TEST(renames_of_every_length),
        TEST(name_that_changes),
        TEST(no_space_for_a_name),
        TEST(delete_on_a_full_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
