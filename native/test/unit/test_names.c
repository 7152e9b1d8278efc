/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls on names in directories of any depth: links and their counts, rename and exchange of everything with anything,
 * symbolic links; every error, and that nothing has changed after it.
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

#include "api/handles.h"
#include "image.h"
#include "names.h"
#include "store.h"

#define MIB ((uint64_t)1 << 20)

static const struct nova_pool_options emulated = {.flags = NOVA_OPT_EMULATED};
static const char *path;
static struct store s;

static void must(int rc) {
    if (rc != NOVA_OK)
        fail_msg("status %d: %s", rc, s.err.msg);
}

static void write_file(const char *name, const char *text) {
    struct store_file f;
    must(store_file_open(&s, name, true, &f));
    must(store_write(&f, 0, text, strlen(text)));
    must(store_file_close(&f));
}

static void expect_text(const char *name, const char *text) {
    struct store_file f;
    char buf[100] = "";
    must(store_file_open(&s, name, false, &f));
    assert_int_equal(store_read(&f, 0, buf, sizeof buf), strlen(text));
    assert_memory_equal(buf, text, strlen(text));
    must(store_file_close(&f));
}

/* "d" and "e" with a directory "sub" each, files "f", "d/x", "e/y"; the last with another name "g". */
static int set_up(void **state) {
    (void)state;
    struct nova_error err;
    path = store_path("names");
    assert_int_equal(nova_pool_create(path, 4 * MIB, &emulated, &err), NOVA_OK);
    must(store_open(&s, path, NOVA_OPT_EMULATED));
    must(store_mkdir(&s, "d", 0755));
    must(store_mkdir(&s, "e", 0755));
    must(store_mkdir(&s, "d/sub", 0755));
    must(store_mkdir(&s, "e/sub", 0755));
    write_file("f", "F");
    write_file("d/x", "X");
    write_file("e/y", "Y");
    must(store_link(&s, "e/y", "g"));
    return 0;
}

static struct nova_pool_info info(void) {
    struct nova_pool_info i;
    assert_int_equal(nova_pool_info(s.pool, &i), NOVA_OK);
    return i;
}

/* Closes and opens; from a copy taken before the close if `crash`. Recovery finds what the allocator had. */
static void reopen(bool crash) {
    char copy[160];
    struct nova_pool_info before = info();
    (void)snprintf(copy, sizeof copy, "%s-copy", path);
    store_copy_file(path, copy);
    must(store_close(&s));
    if (crash)
        assert_int_equal(rename(copy, path), 0);
    else
        unlink(copy);
    must(store_open(&s, path, NOVA_OPT_EMULATED));
    assert_int_equal(info().recovered, crash);
    assert_int_equal(info().inodes_used, before.inodes_used);
    assert_int_equal(info().blocks_free, before.blocks_free);
}

static void check_pool(void) {
    static char report[4000];
    size_t needed;
    struct nova_fsck_summary sum;
    must(store_close(&s));
    assert_int_equal(nova_fsck(path, report, sizeof report, &needed, &sum, NULL), NOVA_OK);
    assert_string_equal(report, "");
    assert_int_equal(sum.clean, 1);
    must(store_open(&s, path, NOVA_OPT_EMULATED));
}

static int tear_down(void **state) {
    (void)state;
    reopen(true); /* whatever the test has left */
    check_pool();
    assert_int_equal(store_close(&s), NOVA_OK);
    unlink(path);
    return 0;
}

static struct nova_stat stat_of(const char *name) {
    struct nova_stat st;
    must(store_stat(&s, name, &st));
    return st;
}

static bool there(const char *name) {
    struct dir_name d;
    return store_lookup(&s, name, &d) == NOVA_OK;
}

/* A name as the calls of nova.h want it, in a directory that has been opened. */
static struct nova_name at(const char *dir, const char *name) {
    const struct dir_map *names;
    struct dir_name d = {0};
    char whole[100];
    must(store_dir_open(&s, dir, &names));
    (void)snprintf(whole, sizeof whole, "%s%s%s", dir, *dir != 0 ? "/" : "", name);
    (void)store_lookup(&s, whole, &d);
    struct nova_name n = {.dir = s.root,
                          .io = &s.io,
                          .name = name,
                          .len = (uint32_t)strlen(name),
                          .ino = d.ino,
                          .gen = d.gen,
                          .type = d.type};
    for (struct store_dir *k = s.dirs; *dir != 0 && k != NULL; k = k->next)
        if (&k->names == names) {
            n.dir = k->inode;
            n.io = &k->io;
        }
    return n;
}

/* Calls that must fail and change nothing. */
#define REFUSED(status, call, io_)                                                                                     \
    do {                                                                                                               \
        struct nova_pool_info before_ = info(), after_;                                                                \
        assert_int_equal(call, status);                                                                                \
        assert_int_equal((io_)->err.code, status);                                                                     \
        after_ = info();                                                                                               \
        assert_int_equal(before_.blocks_free, after_.blocks_free);                                                     \
        assert_int_equal(before_.inodes_used, after_.inodes_used);                                                     \
    } while (0)

/* ---- links ---- */

static void counts_of_names(void **state) {
    (void)state;
    char name[20];
    assert_int_equal(stat_of("e/y").nlink, 2);
    assert_int_equal(stat_of("f").nlink, 1);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof name, "%s/l%d", i % 2 ? "d" : "e", i);
        must(store_link(&s, "f", name));
        assert_int_equal(stat_of("f").nlink, i + 2);
        assert_int_equal(stat_of(name).ino, stat_of("f").ino);
        if (i % 40 == 0)
            reopen(i == 40);
    }
    expect_text("e/l98", "F");
    for (int i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof name, "%s/l%d", i % 2 ? "d" : "e", i);
        must(store_unlink(&s, name));
        assert_int_equal(stat_of("f").nlink, 100 - i);
    }
    must(store_link(&s, "f", "h")); /* one name more again, and then the first one goes */
    must(store_unlink(&s, "f"));
    assert_int_equal(stat_of("h").nlink, 1);
    expect_text("h", "F");
    uint64_t used = info().inodes_used;
    must(store_unlink(&s, "h"));
    assert_int_equal(info().inodes_used, used - 1);
}

static void records_of_a_link(void **state) {
    (void)state;
    struct store_file f;
    struct nova_name n = at("d", "new");
    must(store_file_open(&s, "f", false, &f));
    int64_t before = stat_of("f").ctime;
    assert_int_equal(nova_link(n.dir, n.name, n.len, f.inode, n.io), NOVA_OK);
    assert_int_equal(n.io->record_count, 1);
    assert_int_equal(n.io->records[0].kind, NOVA_REC_DENTRY_ADD);
    assert_int_equal(n.io->records[0].u.dentry.ino, stat_of("f").ino);
    assert_true(stat_of("f").ctime > before);
    must(store_write(&f, 1, "Z", 1)); /* the view has moved on */
    must(store_file_close(&f));
    struct nova_record rec[8];
    must(store_file_open(&s, "f", false, &f));
    nova_inode_close(f.inode, &s.err);
    must(nova_inode_open(s.pool, stat_of("f").ino, 0, &f.inode, &s.err));
    assert_int_equal(nova_replay(f.inode, rec, 8, &f.io), NOVA_OK);
    assert_int_equal(f.io.record_count, 3);
    assert_int_equal(rec[1].kind, NOVA_REC_LINK);
    assert_int_equal(rec[1].u.link.nlink, 2);
    must(store_file_close(&f));
}

static void no_more_than_link_max(void **state) {
    (void)state;
    struct store_file f;
    must(store_file_open(&s, "g", false, &f));
    struct fmt_link_body l = {.nlink = NOVA_LINK_MAX - 1, .ctime = 7}; /* so many names take long to make */
    struct fmt_entry e = {.kind = FMT_LINK, .lines = 1};
    memcpy(e.payload, &l, sizeof l);
    image_append(&f.inode->log, &e);
    must(store_file_close(&f));
    must(store_link(&s, "g", "last"));
    assert_int_equal(stat_of("g").nlink, NOVA_LINK_MAX);
    assert_int_equal(store_link(&s, "g", "more"), NOVA_EMLINK);
    assert_int_equal(s.err.code, NOVA_EMLINK);
    assert_false(there("more"));
    must(store_unlink(&s, "last"));
    must(store_link(&s, "g", "more"));
    assert_int_equal(stat_of("g").nlink, NOVA_LINK_MAX);
    must(store_unlink(&s, "more"));
    must(store_file_open(&s, "g", false, &f)); /* what it really has */
    l.nlink = 2;
    memcpy(e.payload, &l, sizeof l);
    image_append(&f.inode->log, &e);
    must(store_file_close(&f));
}

static void linked_inodes_need_their_handle(void **state) {
    (void)state;
    struct store_file f;
    struct nova_name g = at("", "g"), x = at("d", "x"), y = at("e", "y");
    REFUSED(NOVA_ELINKED, nova_unlink(&g), g.io);
    REFUSED(NOVA_ELINKED, nova_rename(&x, &y), x.io);
    must(store_file_open(&s, "g", false, &f));
    must(store_file_close(&f));
    must(nova_inode_open(s.pool, g.ino, g.gen, &g.child, &s.err)); /* not replayed */
    REFUSED(NOVA_ESTALE, nova_unlink(&g), g.io);
    y.child = g.child;
    REFUSED(NOVA_ESTALE, nova_rename(&x, &y), x.io);
    REFUSED(NOVA_ESTALE, nova_link(x.dir, "new", 3, g.child, x.io), x.io);
    struct nova_record rec[8];
    struct nova_io io = {0};
    must(nova_replay(g.child, rec, 8, &io));
    must(nova_unlink(&g));
    assert_true(dir_map_remove(&s.names, "g", 1));
    struct nova_stat st;
    nova_inode_stat(g.child, &st);
    assert_int_equal(st.nlink, 1);
    /* It stays one that may have several: the last name too takes the handle, and leaves the count to release. */
    y.child = NULL;
    REFUSED(NOVA_ELINKED, nova_unlink(&y), y.io);
    must(nova_inode_close(g.child, &s.err));
    must(store_unlink(&s, "e/y"));
}

static void handles_must_fit(void **state) {
    (void)state;
    struct store_file f;
    struct nova_name g = at("", "g"), x = at("d", "x");
    must(store_file_open(&s, "f", false, &f));
    g.child = f.inode; /* of another inode */
    REFUSED(NOVA_EINVAL, nova_unlink(&g), g.io);
    REFUSED(NOVA_EINVAL, nova_rename(&x, &g), x.io);
    REFUSED(NOVA_EINVAL, nova_link(x.dir, "new", 3, NULL, x.io), x.io);
    struct nova_name own = at("", "f");
    own.child = f.inode; /* needless, and right */
    must(nova_unlink(&own));
    assert_true(dir_map_remove(&s.names, "f", 1));
    must(nova_inode_release(s.pool, own.ino, own.gen, &s.err));
    must(store_file_close(&f));
}

/* Numbers and generations mean nothing in another pool. */
static void two_pools_do_not_mix(void **state) {
    (void)state;
    struct store other;
    struct store_file f;
    const char *second = store_path("names-2");
    assert_int_equal(nova_pool_create(second, MIB, &emulated, &s.err), NOVA_OK);
    assert_int_equal(store_open(&other, second, NOVA_OPT_EMULATED), NOVA_OK);
    for (int i = 0; i < 7; i++) { /* until there is the number of "e/y" too */
        char name[8];
        (void)snprintf(name, sizeof name, "o%d", i);
        assert_int_equal(store_create(&other, name, 0600), NOVA_OK);
    }
    struct nova_name g = at("", "g"), x = at("d", "x");
    assert_int_equal(store_file_open_ino(&other, g.ino, g.gen, &f), NOVA_OK);
    REFUSED(NOVA_EINVAL, nova_link(x.dir, "new", 3, f.inode, x.io), x.io);
    g.child = f.inode;
    REFUSED(NOVA_EINVAL, nova_unlink(&g), g.io);
    REFUSED(NOVA_EINVAL, nova_rename(&x, &g), x.io);
    struct nova_name there_ = {.dir = other.root, .name = "new", .len = 3, .io = &other.io};
    REFUSED(NOVA_EINVAL, nova_rename(&x, &there_), x.io);
    REFUSED(NOVA_EINVAL, nova_exchange(&x, &there_), x.io);
    assert_int_equal(store_file_close(&f), NOVA_OK);
    assert_int_equal(store_close(&other), NOVA_OK);
    unlink(second);
}

static void unlinked_while_open(void **state) {
    (void)state;
    struct store_file f;
    char buf[2] = "";
    must(store_file_open(&s, "g", false, &f));
    uint64_t used = info().inodes_used, blocks = info().blocks_free;
    must(store_unlink(&s, "e/y"));
    assert_int_equal(stat_of("g").nlink, 1);
    must(store_unlink(&s, "g"));
    struct nova_stat st;
    nova_inode_stat(f.inode, &st);
    assert_int_equal(st.nlink, 0);
    assert_int_equal(store_read(&f, 0, buf, 1), 1);
    assert_int_equal(buf[0], 'Y');
    must(store_write(&f, 1, "Z", 1));
    struct nova_name n = at("d", "again"); /* no name for what has been released */
    REFUSED(NOVA_ENOENT, nova_link(n.dir, n.name, n.len, f.inode, n.io), n.io);
    assert_int_equal(info().inodes_used, used);
    must(store_file_close(&f));
    assert_int_equal(info().inodes_used, used - 1);
    assert_true(info().blocks_free > blocks);
}

/* ---- errors ---- */

static void bad_names(void **state) {
    (void)state;
    char longest[300];
    memset(longest, 'a', sizeof longest);
    const struct {
        const char *name;
        uint32_t len;
    } bad[] = {{NULL, 1}, {"", 0}, {".", 1}, {"..", 2}, {"a/b", 3}, {"a\0b", 3}, {longest, 256}};
    struct store_file f;
    must(store_file_open(&s, "f", false, &f));
    struct nova_name x = at("d", "x"), y = at("e", "new"), to;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        REFUSED(NOVA_ENAME, nova_link(x.dir, bad[i].name, bad[i].len, f.inode, x.io), x.io);
        to = y;
        to.name = bad[i].name;
        to.len = bad[i].len;
        REFUSED(NOVA_ENAME, nova_rename(&x, &to), x.io);
        REFUSED(NOVA_ENAME, nova_exchange(&x, &to), x.io);
        struct nova_name from = x;
        from.name = bad[i].name;
        from.len = bad[i].len;
        REFUSED(NOVA_ENAME, nova_unlink(&from), from.io);
        REFUSED(NOVA_ENAME, nova_rename(&from, &y), x.io);
    }
    must(store_file_close(&f));
}

static void wrong_types(void **state) {
    (void)state;
    struct store_file f, g;
    must(store_file_open(&s, "f", false, &f));
    must(store_file_open(&s, "g", false, &g));
    struct nova_name x = at("d", "x"), sub = at("d", "sub"), e = at("", "e"), y = at("e", "y"), n = x;
    n.dir = f.inode; /* a file is no directory */
    n.io = &f.io;
    REFUSED(NOVA_ENOTDIR, nova_unlink(&n), &f.io);
    REFUSED(NOVA_ENOTDIR, nova_rename(&n, &y), &f.io);
    REFUSED(NOVA_ENOTDIR, nova_rename(&x, &n), x.io);
    REFUSED(NOVA_ENOTDIR, nova_exchange(&y, &n), y.io);
    REFUSED(NOVA_ENOTDIR, nova_link(f.inode, "h", 1, g.inode, &f.io), &f.io);
    REFUSED(NOVA_ENOTDIR, nova_create(f.inode, "h", 1, NOVA_DIR, 0, 0, 0, NULL, 0, &f.io), &f.io);
    REFUSED(NOVA_EISDIR, nova_link(s.root, "h", 1, sub.dir, &s.io), &s.io);
    REFUSED(NOVA_EISDIR, nova_rename(&x, &e), x.io);
    REFUSED(NOVA_ENOTDIR, nova_rename(&sub, &y), sub.io);
    n = x;
    n.type = NOVA_DIR; /* the caller's index is wrong */
    REFUSED(NOVA_EINVAL, nova_rename(&n, &e), x.io);
    REFUSED(NOVA_EINVAL, nova_exchange(&n, &y), x.io);
    REFUSED(NOVA_EINVAL, nova_exchange(&y, &n), y.io);
    must(store_file_close(&f));
    must(store_file_close(&g));
}

static void impossible_renames(void **state) {
    (void)state;
    struct nova_name x = at("d", "x"), d = at("", "d"), inside = at("d", "new"), g = at("", "g"), y = at("e", "y"), n;
    REFUSED(NOVA_EINVAL, nova_rename(&x, &x), x.io);
    REFUSED(NOVA_EINVAL, nova_exchange(&x, &x), x.io);
    REFUSED(NOVA_EINVAL, nova_rename(&g, &y), g.io); /* two names of one inode: nothing to do, says POSIX */
    REFUSED(NOVA_EINVAL, nova_exchange(&g, &y), g.io);
    REFUSED(NOVA_EINVAL, nova_rename(&d, &inside), d.io);
    REFUSED(NOVA_EINVAL, nova_exchange(&d, &x), d.io);
    REFUSED(NOVA_EINVAL, nova_exchange(&x, &d), x.io);
    n = inside;
    n.dir = y.dir; /* with the answer of the other directory */
    REFUSED(NOVA_EINVAL, nova_rename(&x, &n), x.io);
    n = x;
    n.gen = 9;
    REFUSED(NOVA_ENOENT, nova_rename(&n, &inside), x.io);
    REFUSED(NOVA_ENOENT, nova_exchange(&y, &n), y.io);
    n.gen = 0;
    REFUSED(NOVA_EINVAL, nova_rename(&n, &inside), x.io);
    REFUSED(NOVA_EINVAL, nova_unlink(&n), x.io);
    n = x;
    n.ino = 4000;
    REFUSED(NOVA_ENOENT, nova_rename(&n, &inside), x.io);
    n.ino = UINT32_MAX;
    REFUSED(NOVA_EINVAL, nova_rename(&n, &inside), x.io);
    n.ino = NOVA_ROOT_INO;
    REFUSED(NOVA_EINVAL, nova_rename(&n, &inside), x.io);
    n.ino = 0; /* nothing is there to exchange with */
    REFUSED(NOVA_EINVAL, nova_exchange(&y, &n), y.io);
}

static void stale_views(void **state) {
    (void)state;
    struct nova_name x = at("d", "x"), y = at("e", "y"), n = x, new = at("e", "new");
    nova_inode *d = x.dir;
    uint32_t d_ino = stat_of("d").ino;
    must(nova_inode_close(d, &s.err));
    must(nova_inode_open(s.pool, d_ino, 0, &n.dir, &s.err)); /* not replayed */
    REFUSED(NOVA_ESTALE, nova_unlink(&n), n.io);
    REFUSED(NOVA_ESTALE, nova_rename(&n, &new), n.io);
    REFUSED(NOVA_ESTALE, nova_exchange(&y, &n), y.io);
    n.name = "fresh";
    n.len = 5;
    n.ino = 0;
    struct nova_name f = at("", "f");
    REFUSED(NOVA_ESTALE, nova_rename(&f, &n), f.io);
    assert_int_equal(n.io->record_count, 0);
    for (struct store_dir *k = s.dirs; k != NULL; k = k->next)
        if (k->inode == d)
            k->inode = n.dir;
    struct nova_record rec[16];
    must(nova_replay(n.dir, rec, 16, n.io));
    must(store_unlink(&s, "d/x"));
}

static void removed_directories_take_no_names(void **state) {
    (void)state;
    struct store_file f;
    struct nova_name sub = at("d", "sub"), in = at("d/sub", "new"), x = at("d", "x");
    struct nova_io io = {0};
    must(store_file_open(&s, "f", false, &f));
    in.io = &io;
    must(nova_unlink(&sub));
    must(nova_inode_release(s.pool, sub.ino, sub.gen, &s.err)); /* it is open still */
    REFUSED(NOVA_ENOENT, nova_create(in.dir, "new", 3, NOVA_FILE, 0, 0, 0, NULL, 0, &io), &io);
    REFUSED(NOVA_ENOENT, nova_create(in.dir, "new", 3, NOVA_SYMLINK, 0, 0, 0, "t", 1, &io), &io);
    REFUSED(NOVA_ENOENT, nova_link(in.dir, "new", 3, f.inode, &io), &io);
    REFUSED(NOVA_ENOENT, nova_rename(&x, &in), x.io);
    must(store_file_close(&f));
    must(store_close(&s));
    must(store_open(&s, path, NOVA_OPT_EMULATED));
}

/* ---- symbolic links ---- */

static void targets(void **state) {
    (void)state;
    static char target[NOVA_SYMLINK_MAX + 1], got[NOVA_SYMLINK_MAX];
    const uint32_t lens[] = {1, 63, 64, 65, 4094, 4095};
    uint32_t len;
    memset(target, 't', sizeof target);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        uint64_t blocks = info().blocks_free;
        must(store_symlink(&s, target, lens[i], "d/s"));
        assert_true(blocks - info().blocks_free <= 2); /* its block, and perhaps a log page of "d" */
        for (int crash = 0; crash < 2; crash++) {
            reopen(crash);
            memset(got, 0, sizeof got);
            must(store_readlink(&s, "d/s", got, &len));
            assert_int_equal(len, lens[i]);
            assert_memory_equal(got, target, len);
            assert_int_equal(stat_of("d/s").size, len);
            assert_int_equal(stat_of("d/s").type, NOVA_SYMLINK);
        }
        must(store_link(&s, "d/s", "e/s"));
        must(store_unlink(&s, "d/s"));
        must(store_unlink(&s, "e/s"));
    }
    struct nova_name d = at("d", "s");
    REFUSED(NOVA_EINVAL, nova_create(d.dir, "s", 1, NOVA_SYMLINK, 0, 0, 0, target, 0, d.io), d.io);
    REFUSED(NOVA_EINVAL, nova_create(d.dir, "s", 1, NOVA_SYMLINK, 0, 0, 0, target, 4096, d.io), d.io);
    REFUSED(NOVA_EINVAL, nova_create(d.dir, "s", 1, NOVA_SYMLINK, 0, 0, 0, NULL, 5, d.io), d.io);
    REFUSED(NOVA_EINVAL, nova_create(d.dir, "s", 1, NOVA_FILE, 0, 0, 0, target, 5, d.io), d.io);
    REFUSED(NOVA_EINVAL, nova_create(d.dir, "s", 1, NOVA_DIR, 0, 0, 0, target, 5, d.io), d.io);
    REFUSED(NOVA_EINVAL, nova_create(d.dir, "s", 1, NOVA_FILE, 010000, 0, 0, NULL, 0, d.io), d.io);
}

/* ---- rename and exchange ---- */

static void renames_of_everything(void **state) {
    (void)state;
    must(store_rename(&s, "d/x", "e/x"));
    expect_text("e/x", "X");
    must(store_rename(&s, "e/x", "e/y")); /* over one of two names */
    assert_int_equal(stat_of("g").nlink, 1);
    expect_text("e/y", "X");
    expect_text("g", "Y");
    must(store_rename(&s, "g", "f")); /* over the last name; itself once linked */
    expect_text("f", "Y");
    must(store_rename(&s, "e", "d/sub/e"));
    expect_text("d/sub/e/y", "X");
    reopen(true);
    expect_text("d/sub/e/y", "X");
    assert_int_equal(store_rename(&s, "d", "d/sub/e/d"), NOVA_EINVAL);
    must(store_rename(&s, "d/sub/e", "e"));
    must(store_rename(&s, "e/sub", "d/sub")); /* over an empty directory */
    assert_int_equal(store_rename(&s, "e", "d"), STORE_ENOTEMPTY);
    must(store_rmdir(&s, "d/sub"));
    must(store_rename(&s, "e", "d"));
    expect_text("d/y", "X");
    assert_false(there("e"));
    assert_int_equal(info().inodes_used, 1 + 1 + 2);
}

static void exchanges_of_everything(void **state) {
    (void)state;
    must(store_exchange(&s, "d/x", "f"));
    expect_text("f", "X");
    expect_text("d/x", "F");
    must(store_exchange(&s, "d/sub", "d/x"));
    expect_text("d/sub", "F");
    must(store_create(&s, "d/x/in", 0600));
    must(store_exchange(&s, "e", "d"));
    expect_text("e/sub", "F");
    expect_text("d/y", "Y");
    assert_true(there("e/x/in"));
    must(store_exchange(&s, "d/y", "f"));
    expect_text("f", "Y");
    assert_int_equal(stat_of("g").nlink, 2);
    assert_int_equal(stat_of("f").ino, stat_of("g").ino);
    reopen(true);
    expect_text("d/y", "X");
    must(store_exchange(&s, "e/x", "d/sub"));
    assert_true(there("d/sub/in"));
}

/* The records of both directories, each in its own answer. */
static void records_across(void **state) {
    (void)state;
    struct nova_name x = at("d", "x"), y = at("e", "new");
    must(nova_rename(&x, &y));
    assert_int_equal(x.io->record_count, 1);
    assert_int_equal(y.io->record_count, 1);
    assert_int_equal(x.io->records[0].kind, NOVA_REC_DENTRY_REMOVE);
    assert_int_equal(y.io->records[0].kind, NOVA_REC_DENTRY_ADD);
    assert_int_equal(y.io->records[0].u.dentry.ino, x.ino);
    reopen(false);
    expect_text("e/new", "X");
}

/* ---- space ---- */

static void refused_without_space(nova_inode *f, bool d_is_full) {
    struct nova_name n = at("d", "new"), x = at("d", "x"), e = at("e", "new"), y = at("e", "y");
    if (d_is_full) {
        REFUSED(NOVA_ENOSPC, nova_create(n.dir, "new", 3, NOVA_DIR, 0, 0, 0, NULL, 0, n.io), n.io);
        REFUSED(NOVA_ENOSPC, nova_create(n.dir, "new", 3, NOVA_SYMLINK, 0, 0, 0, "t", 1, n.io), n.io);
        REFUSED(NOVA_ENOSPC, nova_link(n.dir, "new", 3, f, n.io), n.io);
        REFUSED(NOVA_ENOSPC, nova_rename(&x, &n), x.io);
    }
    REFUSED(NOVA_ENOSPC, nova_create(e.dir, "new", 3, NOVA_SYMLINK, 0, 0, 0, "t", 1, e.io), e.io);
    REFUSED(NOVA_ENOSPC, nova_link(e.dir, "new", 3, f, e.io), e.io);
    REFUSED(NOVA_ENOSPC, nova_exchange(&x, &y), x.io);
    REFUSED(NOVA_ENOSPC, nova_rename(&x, &e), x.io);
    assert_int_equal(x.io->record_count, 0);
    assert_int_equal(e.io->record_count, 0);
}

/* Takes lines of a directory's log to the end of its page, where the next entry needs another one. */
static void fill_log(const char *name) {
    while (store_create(&s, name, 0600) == NOVA_OK)
        must(store_unlink(&s, name));
}

/* No block is left but the reserve; first the second of two logs cannot take its entry, then none can. */
static void nothing_changes_without_space(void **state) {
    (void)state;
    struct store_file f;
    static const uint8_t data[4 * MIB] = {1};
    for (int k = 0; k < 3; k++) { /* a page each, with room */
        must(store_setattr(&s, "d", NOVA_ATTR_MODE, 0700, 0, 0, 0, 0, 0));
        must(store_setattr(&s, "e", NOVA_ATTR_MODE, 0700, 0, 0, 0, 0, 0));
    }
    must(store_file_open(&s, "f", false, &f));
    must(store_write(&f, 1, data, (info().blocks_free - info().blocks_reserve) * NOVA_BLOCK_SIZE - 1));
    for (int full = 0; full < 2; full++) {
        fill_log(full ? "d/new" : "e/new");
        for (int i = 0; i < 40; i++)
            refused_without_space(f.inode, full);
    }
    must(store_file_close(&f));
    reopen(true);
    expect_text("d/x", "X");
    assert_int_equal(stat_of("f").nlink, 1);
    must(store_unlink(&s, "d/x")); /* from the reserve */
    must(store_unlink(&s, "e/y"));
    must(store_unlink(&s, "g"));
    must(store_rmdir(&s, "d/sub"));
    must(store_unlink(&s, "f"));
    must(store_mkdir(&s, "d/sub", 0755));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(counts_of_names),
        TEST(records_of_a_link),
        TEST(no_more_than_link_max),
        TEST(linked_inodes_need_their_handle),
        TEST(handles_must_fit),
        TEST(two_pools_do_not_mix),
        TEST(unlinked_while_open),
        TEST(bad_names),
        TEST(wrong_types),
        TEST(impossible_renames),
        TEST(stale_views),
        TEST(removed_directories_take_no_names),
        TEST(targets),
        TEST(renames_of_everything),
        TEST(exchanges_of_everything),
        TEST(records_across),
        TEST(nothing_changes_without_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
