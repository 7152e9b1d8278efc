/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every call on names and attributes alone: what a crash at any moment leaves must be the state before or after it; and
 * crashes in the recovery that ends a transaction, and in the first opening of an older pool.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/handles.h"
#include "workload.h"

#define BLK ((uint64_t)NOVA_BLOCK_SIZE)
#define ALL_ATTRS (NOVA_ATTR_MODE | NOVA_ATTR_UID | NOVA_ATTR_GID | NOVA_ATTR_ATIME | NOVA_ATTR_MTIME | NOVA_ATTR_BTIME)

/* A path of a name of len bytes, in dir ("" or ending with '/'). */
static const char *long_path(const char *dir, uint64_t len, char fill) {
    static char paths[4][300];
    static unsigned n;
    char *p = paths[n++ % 4];
    size_t at = (size_t)snprintf(p, sizeof paths[0], "%s", dir);
    memset(p + at, fill, len);
    p[at + len] = '\0';
    return p;
}

/* Directories "d" and "e", and files: "f" 5000 bytes, "d/x" 200, "e/y" 300 and its other name "g". Nothing is open. */
static void tree(struct world *w) {
    make_dir(w, "d");
    make_dir(w, "e");
    put(w, "f", 0, 5000);
    put(w, "d/x", 0, 200);
    put(w, "e/y", 0, 300);
    add_link(w, "e/y", "g");
    close_file(w, "f");
    close_file(w, "d/x");
    close_file(w, "e/y");
}

/* Appends entries to the log of a directory ("d/"), of which `used` lines are in use, until that are `lines`. */
static void fill_dir(struct world *w, const char *dir, uint64_t used, uint64_t lines) {
    char path[64];
    if (used < lines && (lines - used) % 2 != 0) {
        snprintf(path, sizeof path, "%.*s", (int)strlen(dir) - 1, dir);
        set_attr(w, path, NOVA_ATTR_UID);
        used++;
    }
    snprintf(path, sizeof path, "%sp", dir);
    for (; used < lines; used += 2) {
        make(w, path);
        drop(w, path);
    }
}

/* ---- making ---- */

static void mkdir_(struct world *w, const struct workload *row) {
    (void)row;
    record(w);
    make_dir(w, "d");
    make_dir(w, "d/e");
    put(w, "d/e/f", 0, 100);
}

/* Names of a bytes, in a directory whose log has b lines in use. */
static void mkdir_long(struct world *w, const struct workload *row) {
    make_dir(w, "d");
    fill_dir(w, "d/", 0, row->b);
    record(w);
    make_dir(w, long_path("d/", row->a, 'l'));
    make(w, "d/after");
    drop_dir(w, long_path("d/", row->a, 'l'));
}

static void symlink_(struct world *w, const struct workload *row) {
    make_dir(w, "d");
    record(w);
    make_symlink(w, "s", (uint32_t)row->a);
    make_symlink(w, "d/s", (uint32_t)row->a);
    drop(w, "s");
    put(w, "d/f", 0, 100);
}

static void link_(struct world *w, const struct workload *row) {
    tree(w);
    record(w);
    add_link(w, "f", row->a == 0 ? "h" : "d/h"); /* its first link */
    add_link(w, "d/h", "e/h2");
}

static void link_once(struct world *w, const struct workload *row) {
    tree(w);
    for (uint64_t i = 0; i < row->b; i++) /* entries of the file's log */
        put(w, "f", 5000 + i, 1);
    fill_dir(w, "d/", 1, row->c);
    record(w);
    add_link(w, "f", long_path("d/", row->a, 'l'));
    put(w, "f", 100, 10);
}

static void link_symlink(struct world *w, const struct workload *row) {
    tree(w);
    make_symlink(w, "s", (uint32_t)row->a);
    record(w);
    add_link(w, "s", "d/s");
    drop(w, "s");
    drop(w, "d/s");
}

/* Inodes until the next one needs a new block of the table. */
static void grow_table(struct world *w, const struct workload *row) {
    char name[16];
    make_dir(w, "d");
    for (int i = 0; i < 13; i++) {
        snprintf(name, sizeof name, "d/f%d", i);
        make(w, name);
    }
    record(w);
    if (row->a == 0)
        make_dir(w, "d/last");
    else
        make_symlink(w, "d/last", 100);
    make_dir(w, "d/next");
    make(w, "d/next/one");
}

/* ---- removing ---- */

static void rmdir_(struct world *w, const struct workload *row) {
    make_dir(w, "d");
    if (row->a != 0) { /* a log of some pages */
        fill_dir(w, "d/", 0, row->a);
        put(w, "f", 0, 100);
    }
    record(w);
    drop_dir(w, "d");
    make_dir(w, "e"); /* the slot's and the blocks' second life */
    put(w, "e/x", 0, 5000);
}

static void unlink_one(struct world *w, const struct workload *row) {
    tree(w);
    if (row->a != 0)
        put(w, "g", 300, 100); /* it is open */
    record(w);
    drop(w, row->b != 0 ? "g" : "e/y");
    drop(w, row->b != 0 ? "e/y" : "g");
    put(w, "d/new", 0, 5000);
}

static void unlink_open(struct world *w, const struct workload *row) {
    (void)row;
    tree(w);
    put(w, "g", 300, 100);
    record(w);
    drop_open(w, "e/y");
    put(w, "g", 400, 5000);
    drop_open(w, "g");
    put(w, "d/new", 0, 5000);
    drop_close(w, "g");
    put(w, "e/new", 0, 100);
}

/* ---- renaming and exchanging: row->a picks what, row->b whether the target is open ---- */

static const struct {
    const char *from, *to;
} renames[] = {
    {"f", "h"},       /* 0: within a directory */
    {"f", "d/h"},     /* 1: into another */
    {"d/x", "h"},     /* 2: and back */
    {"d/x", "f"},     /* 3: over a file, across */
    {"f", "g"},       /* 4: over one of several names, within */
    {"d/x", "e/y"},   /* 5: the same across: three logs */
    {"g", "d/h"},     /* 6: one of several names */
    {"g", "f"},       /* 7: one of several names, over a file */
    {"d", "h"},       /* 8: a directory */
    {"d", "e/d"},     /* 9: into another */
    {"d", "empty"},   /* 10: over an empty one */
    {"d", "e/empty"}, /* 11: the same across */
    {"g", "e/y"},     /* 12: two names of one file: nothing happens */
    {"d/x", "d/s"},   /* 13: over a symbolic link */
    {"d/s", "e/y"},   /* 14: a symbolic link over one of several names */
    {"f", "d/x"},     /* 15: over a file */
};

static void rename_(struct world *w, const struct workload *row) {
    const char *from = renames[row->a].from, *to = renames[row->a].to;
    tree(w);
    make_dir(w, "empty");
    make_dir(w, "e/empty");
    make_symlink(w, "d/s", 100);
    if (row->b != 0)
        put(w, to, 0, 10);
    record(w);
    move(w, from, to);
    put(w, "new", 0, 5000);
}

static void exchange_(struct world *w, const struct workload *row) {
    const char *from = renames[row->a].from, *to = renames[row->a].to;
    tree(w);
    make_dir(w, "empty");
    make_dir(w, "e/empty");
    make_symlink(w, "d/s", 100);
    if (row->a <= 2)
        put(w, to, 0, 100);
    if (row->a == 6 || row->a == 8 || row->a == 9)
        put(w, to, 0, 100); /* of a directory with a file, too */
    record(w);
    exchange(w, from, to);
    put(w, "new", 0, 5000);
}

/* Names of a and b bytes; the directories' logs have c lines in use. */
static void rename_long(struct world *w, const struct workload *row) {
    make_dir(w, "d");
    make_dir(w, "e");
    put(w, long_path("d/", row->a, 'l'), 0, 100);
    uint64_t used = row->a > 148 ? 3 + 5 : 1; /* the longest do not fit the slot */
    fill_dir(w, "d/", used, row->c);
    fill_dir(w, "e/", 0, row->c);
    record(w);
    move(w, long_path("d/", row->a, 'l'), long_path("e/", row->b, 'm'));
    move(w, long_path("e/", row->b, 'm'), long_path("e/", row->a, 'n'));
    move(w, long_path("e/", row->a, 'n'), long_path("d/", row->b, 'o'));
}

/* ---- attributes ---- */

static void setattr_(struct world *w, const struct workload *row) {
    tree(w);
    make_symlink(w, "d/s", 100);
    record(w);
    set_attr(w, "f", (uint32_t)row->a);
    set_attr(w, "d", (uint32_t)row->a);
    set_attr(w, "e/y", (uint32_t)row->a);
    set_attr(w, "d/s", (uint32_t)row->a);
    put(w, "f", 4900, 10); /* a write changes the time again */
    make(w, "d/new");
}

static void setattr_log_end(struct world *w, const struct workload *row) {
    make(w, "f");
    for (uint64_t i = 0; i < row->a; i++)
        set_attr(w, "f", NOVA_ATTR_MTIME);
    record(w);
    set_attr(w, "f", ALL_ATTRS); /* two entries, with the end between them */
    set_attr(w, "f", NOVA_ATTR_MODE);
}

/* Of inodes of every type, and then without them. */
static void xattr_(struct world *w, const struct workload *row) {
    static const char *const paths[] = {"", "d", "f", "d/s", "e/y"};
    uint32_t n = (uint32_t)(sizeof paths / sizeof *paths);
    tree(w);
    make_symlink(w, "d/s", 100);
    record(w);
    for (uint32_t i = 0; i < n; i++)
        set_xattr(w, paths[i], "user.x", (uint32_t)row->a);
    drop(w, "d/s");
    move(w, "d", "moved");
    for (uint32_t i = 0; i < n; i++)
        if (i != 1 && i != 3)
            remove_xattr(w, paths[i], "user.x");
}

/* ---- full pools ---- */

/* No block is left but the reserve, and the logs of "d" and of the file need a page for the next entry. */
static void full_pool(struct world *w, const struct workload *row) {
    make_dir(w, "d");
    make_dir(w, "d/e");
    make_dir(w, "d/e/f");
    put(w, "d/a", 0, 100);
    add_link(w, "d/a", "b");
    put(w, "d/a", 100, 10);
    fill_dir(w, "d/", 2, 3);
    struct nova_pool_info info;
    nova_pool_info(w->s.pool, &info);
    put(w, "fill", 0, (info.blocks_free - info.blocks_reserve) * BLK);
    record(w);
    if (row->a == 0) {
        drop(w, "d/a");
        drop(w, "b");
    } else if (row->a == 1) {
        drop_dir(w, "d/e/f");
        drop_dir(w, "d/e");
    } else {
        drop(w, "fill");
    }
}

static const struct workload calls[] = {
    {"mkdir", mkdir_, 0, 0, 0, 0},
    {"mkdir, name of two lines", mkdir_long, 21, 0, 0, 0},
    {"mkdir, name of five lines, padded slot", mkdir_long, 255, 2, 0, 0},
    {"mkdir, name of two lines, padded slot", mkdir_long, 80, 2, 0, 0},
    {"mkdir, name of five lines, padded page", mkdir_long, 255, 64, 0, 0},
    {"mkdir, name at a page's end", mkdir_long, 20, 66, 0, 0},
    {"mkdir, table growth", grow_table, 0, 0, 0, 0},
    {"symlink, table growth", grow_table, 1, 0, 0, 0},
    {"rmdir", rmdir_, 0, 0, 0, 0},
    {"rmdir, log of pages", rmdir_, 130, 0, 0, 0},
    {"symlink, 1", symlink_, 1, 0, 0, 0},
    {"symlink, 63", symlink_, 63, 0, 0, 0},
    {"symlink, 64", symlink_, 64, 0, 0, 0},
    {"symlink, 65", symlink_, 65, 0, 0, 0},
    {"symlink, 4095", symlink_, 4095, 0, 0, 0},
    {"link, across", link_, 1, 0, 0, 0},
    {"link, both logs at the slot's end", link_once, 20, 1, 3, 0},
    {"link, long name, padded slot", link_once, 255, 2, 2, 0},
    {"link, long name, both logs at a page's end", link_once, 255, 64, 66, 0},
    {"link of a symlink", link_symlink, 77, 0, 0, 0},
    {"unlink one name", unlink_one, 0, 0, 0, 0},
    {"unlink the other name", unlink_one, 0, 1, 0, 0},
    {"unlink one name, open", unlink_one, 1, 0, 0, 0},
    {"unlink all names, open", unlink_open, 0, 0, 0, 0},
    {"rename within", rename_, 0, 0, 0, 0},
    {"rename across", rename_, 1, 0, 0, 0},
    {"rename across, to the root", rename_, 2, 0, 0, 0},
    {"rename over a file, across", rename_, 3, 0, 0, 0},
    {"rename over an open file, across", rename_, 3, 1, 0, 0},
    {"rename over one of several names", rename_, 4, 0, 0, 0},
    {"rename over one of several names, open", rename_, 4, 1, 0, 0},
    {"rename over one of several names, across", rename_, 5, 0, 0, 0},
    {"rename over one of several names, across, open", rename_, 5, 1, 0, 0},
    {"rename one of several names", rename_, 6, 0, 0, 0},
    {"rename one of several names over a file", rename_, 7, 0, 0, 0},
    {"rename a directory", rename_, 8, 0, 0, 0},
    {"rename a directory, across", rename_, 9, 0, 0, 0},
    {"rename a directory over an empty one", rename_, 10, 0, 0, 0},
    {"rename a directory over an empty one, across", rename_, 11, 0, 0, 0},
    {"rename between two names of a file", rename_, 12, 0, 0, 0},
    {"rename over a symlink", rename_, 13, 0, 0, 0},
    {"rename a symlink over one of several names", rename_, 14, 0, 0, 0},
    {"rename over a file, into a directory", rename_, 15, 0, 0, 0},
    {"rename, names of five lines, padded slots", rename_long, 255, 250, 2, 0},
    {"rename, names of five lines, padded pages", rename_long, 255, 255, 65, 0},
    {"rename, names of one and five lines", rename_long, 1, 255, 3, 0},
    {"rename, names of one line at the pages' ends", rename_long, 20, 19, 66, 0},
    {"exchange within", exchange_, 0, 0, 0, 0},
    {"exchange across", exchange_, 1, 0, 0, 0},
    {"exchange across, to the root", exchange_, 2, 0, 0, 0},
    {"exchange two files", exchange_, 3, 0, 0, 0},
    {"exchange with one of several names", exchange_, 4, 0, 0, 0},
    {"exchange a file and a directory", exchange_, 8, 0, 0, 0},
    {"exchange a directory and a file, across", exchange_, 9, 0, 0, 0},
    {"exchange two directories", exchange_, 10, 0, 0, 0},
    {"exchange two directories, across", exchange_, 11, 0, 0, 0},
    {"exchange two names of a file", exchange_, 12, 0, 0, 0},
    {"exchange a file and a symlink", exchange_, 13, 0, 0, 0},
    {"extended attributes, in the entry", xattr_, 40, 0, 0, 0},
    {"extended attributes, in blocks", xattr_, 5000, 0, 0, 0},
    {"setattr, all", setattr_, ALL_ATTRS, 0, 0, 0},
    {"setattr, mode", setattr_, NOVA_ATTR_MODE, 0, 0, 0},
    {"setattr, times", setattr_, NOVA_ATTR_ATIME | NOVA_ATTR_MTIME, 0, 0, 0},
    {"setattr, birth", setattr_, NOVA_ATTR_MODE | NOVA_ATTR_BTIME, 0, 0, 0},
    {"setattr, read", setattr_, NOVA_ATTR_ATIME | NOVA_ATTR_KEEP_CTIME, 0, 0, 0},
    {"setattr, slot to page", setattr_log_end, 2, 0, 0, 0},
    {"setattr, page to page", setattr_log_end, 65, 0, 0, 0},
    {"full pool: unlink of one of several names", full_pool, 0, 0, 0, 0},
    {"full pool: rmdir", full_pool, 1, 0, 0, 0},
    {"full pool: unlink", full_pool, 2, 0, 0, 0},
};

static void test_calls(void **state) {
    (void)state;
    struct explore_limits limits = explore_limits_default();
    struct explore_stats st = {0};
    printf("NOVA_SEED=%llu\n", (unsigned long long)limits.seed);
    limits.exhaustive /= 2;
    limits.lines = limits.lines / 8 + 6;
    explore_rows(calls, sizeof calls / sizeof *calls, &limits, &st);
    explore_stats_print("tree: every call on names alone", &st);
}

/* ---- recovery ---- */

/* What a call that crashes is; rows cut it short at its drain number b, with c cache lines of what then may be lost. */
static void crashing_call(struct world *w, uint64_t which) {
    switch (which) {
    case 0: move(w, "d/x", "e/y"); break;
    case 1: move(w, "f", "d/h"); break;
    case 2: exchange(w, "f", "e/y"); break;
    case 3: add_link(w, "f", "e/h"); break;
    default: drop(w, "g");
    }
}

static void recover(struct world *w, const struct workload *row) {
    tree(w);
    record(w);
    crashing_call(w, row->a);
    crash_in_call(w, (uint32_t)row->b, (uint32_t)row->c, row->b == 2);
    record(w);
    open_pool(w);
    struct nova_pool *pool = w->s.pool;
    assert_int_equal(pool->redone, row->b == 2); /* or the row does not show what it says */
    put(w, "f", 4900, 200);
    move(w, "f", "e/f"); /* through the journal again */
    close_pool(w);
    open_pool(w);
}

/* Half a record over one of more moves: a crash while recovery clears it must not make it a whole one. */
static void recover_half(struct world *w, const struct workload *row) {
    tree(w);
    w->s.pool->journal.lanes_n = 1;
    move(w, "d/x", "e/y"); /* three logs */
    record(w);
    crashing_call(w, row->a); /* two */
    crash_in_call(w, 1, 1, false);
    record(w);
    open_pool(w);
    assert_int_equal(w->s.pool->redone, 0);
    put(w, "f", 4900, 200);
    close_pool(w);
}

/* The first opening of an older pool, by this build; a: after a crash; b: with the byte at b - 1 damaged. */
static void upgrade(struct world *w, const struct workload *row) {
    put(w, "a", 0, 5000);
    put(w, "b", 0, 100);
    drop_open(w, "b");
    if (row->a != 0)
        crash_pool(w);
    else
        close_pool(w);
    downgrade(w);
    if (row->b != 0)
        damage(w, row->b - 1);
    record(w);
    open_pool(w);
    make_dir(w, "d");
    move(w, "a", "d/a");
    close_pool(w);
}

static const struct workload openings[] = {
    {"recovery, no record", recover, 0, 1, 0, 0},
    {"recovery, half a record", recover, 0, 1, 1, 0},
    {"recovery of a rename over a link: no tail stored", recover, 0, 2, 0, 0},
    {"recovery of a rename over a link: one tail stored", recover, 0, 2, 1, 0},
    {"recovery of a rename over a link: two tails stored", recover, 0, 2, 2, 0},
    {"recovery of a rename: no tail stored", recover, 1, 2, 0, 0},
    {"recovery of a rename: one tail stored", recover, 1, 2, 1, 0},
    {"recovery of an exchange: no tail stored", recover, 2, 2, 0, 0},
    {"recovery of an exchange: one tail stored", recover, 2, 2, 1, 0},
    {"recovery of a link: no tail stored", recover, 3, 2, 0, 0},
    {"recovery of a link: one tail stored", recover, 3, 2, 1, 0},
    {"recovery of an unlink: no tail stored", recover, 4, 2, 0, 0},
    {"recovery of an unlink: one tail stored", recover, 4, 2, 1, 0},
    {"recovery, half a record over a longer one", recover_half, 1, 0, 0, 0},
    {"upgrade", upgrade, 0, 0, 0, 0},
    {"upgrade after a crash", upgrade, 1, 0, 0, 0},
    {"upgrade, superblock damaged", upgrade, 0, 1 + 60, 0, 0},
    {"upgrade, replica damaged", upgrade, 0, 1 + NOVA_POOL_SIZE_MIN - BLK + 60, 0, 0},
};

static void test_openings(void **state) {
    (void)state;
    struct explore_limits limits = explore_limits_default();
    struct explore_stats st = {0};
    limits.nested_every = limits.nested_every / 8 + (limits.nested_every != 0);
    explore_rows(openings, sizeof openings / sizeof *openings, &limits, &st);
    explore_stats_print("tree: recovery of pending transactions, upgrade", &st);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_openings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
