/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes: what is set and what stays, on every type of inode, over reopening; errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "rng.h"
#include "store.h"

#define MIB ((uint64_t)1 << 20)
#define READ (NOVA_ATTR_ATIME | NOVA_ATTR_KEEP_CTIME)
#define SETTABLE (NOVA_ATTR_MODE | NOVA_ATTR_UID | NOVA_ATTR_GID | NOVA_ATTR_ATIME | NOVA_ATTR_MTIME | NOVA_ATTR_BTIME)

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
    path = store_path("attr");
    assert_int_equal(nova_pool_create(path, 4 * MIB, &emulated, &err), NOVA_OK);
    must(store_open(&s, path, NOVA_OPT_EMULATED));
    must(store_mkdir(&s, "d", 0755));
    must(store_create(&s, "d/f", 0644));
    must(store_symlink(&s, "target", 6, "d/s"));
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    assert_int_equal(store_close(&s), NOVA_OK);
    unlink(path);
    return 0;
}

static void reopen(void) {
    must(store_close(&s));
    must(store_open(&s, path, NOVA_OPT_EMULATED));
}

static struct nova_stat stat_of(const char *name) {
    struct nova_stat st;
    must(store_stat(&s, name, &st));
    return st;
}

static void assert_same(const struct nova_stat *a, const struct nova_stat *b) {
    assert_int_equal(a->mode, b->mode);
    assert_int_equal(a->uid, b->uid);
    assert_int_equal(a->gid, b->gid);
    assert_int_equal(a->atime, b->atime);
    assert_int_equal(a->mtime, b->mtime);
    assert_int_equal(a->ctime, b->ctime);
    assert_int_equal(a->btime, b->btime);
    assert_int_equal(a->size, b->size);
    assert_int_equal(a->nlink, b->nlink);
}

/* Each choice of attributes on a file, a directory, a symbolic link and the root. */
static void only_what_the_mask_names(void **state) {
    (void)state;
    static const char *const of[] = {"d/f", "d", "d/s", ""};
    struct rng r = rng_start(__func__);
    for (int i = 0; i < 4; i++) {
        struct nova_stat want = stat_of(of[i]), got;
        for (uint32_t mask = 1; mask <= SETTABLE; mask++) {
            if ((mask & ~SETTABLE) != 0)
                continue;
            uint32_t mode = rng_below(&r, 010000), uid = (uint32_t)rng_next(&r), gid = (uint32_t)rng_next(&r);
            int64_t atime = (int64_t)rng_next(&r), mtime = (int64_t)rng_next(&r), btime = (int64_t)rng_next(&r);
            must(store_setattr(&s, of[i], mask, mode, uid, gid, atime, mtime, btime));
            want.mode = mask & NOVA_ATTR_MODE ? mode : want.mode;
            want.uid = mask & NOVA_ATTR_UID ? uid : want.uid;
            want.gid = mask & NOVA_ATTR_GID ? gid : want.gid;
            want.atime = mask & NOVA_ATTR_ATIME ? atime : want.atime;
            want.mtime = mask & NOVA_ATTR_MTIME ? mtime : want.mtime;
            want.btime = mask & NOVA_ATTR_BTIME ? btime : want.btime;
            got = stat_of(of[i]);
            assert_true(got.ctime >= want.ctime);
            want.ctime = got.ctime;
            assert_same(&got, &want);
        }
        reopen();
        got = stat_of(of[i]);
        assert_same(&got, &want);
    }
}

static void the_record_says_what_was_set(void **state) {
    (void)state;
    const struct nova_stat was = stat_of("d/f");
    struct store_file f;
    must(store_file_open(&s, "d/f", false, &f));
    must(store_write(&f, 0, "abc", 3));
    assert_int_equal(nova_setattr(f.inode, NOVA_ATTR_MODE | NOVA_ATTR_MTIME, 0111, 2, 3, 4, 5, 0, &f.io), NOVA_OK);
    assert_int_equal(f.io.record_count, 1);
    assert_int_equal(f.io.more, 0);
    assert_int_equal(f.io.size, 3);
    const struct nova_record *rec = &f.io.records[0];
    assert_int_equal(rec->kind, NOVA_REC_SETATTR);
    assert_int_equal(rec->lines, 1);
    assert_int_equal(rec->u.attr.mask, NOVA_ATTR_MODE | NOVA_ATTR_MTIME | NOVA_ATTR_CTIME);
    assert_int_equal(rec->u.attr.mode, 0111);
    assert_int_equal(rec->u.attr.uid, 0); /* not in the mask: zero on the media */
    assert_int_equal(rec->u.attr.atime, 0);
    assert_int_equal(rec->u.attr.mtime, 5);
    assert_true(rec->u.attr.ctime > was.ctime);
    assert_int_equal(nova_setattr(f.inode, NOVA_ATTR_BTIME, 0, 0, 0, 1, 2, 3, &f.io), NOVA_OK);
    assert_int_equal(f.io.record_count, 1);
    assert_int_equal(rec->u.attr.mask, NOVA_ATTR_BTIME | NOVA_ATTR_CTIME);
    assert_int_equal(rec->u.attr.atime, 3);
    assert_int_equal(nova_setattr(f.inode, NOVA_ATTR_ATIME | NOVA_ATTR_BTIME, 0, 0, 0, 1, 2, 4, &f.io), NOVA_OK);
    assert_int_equal(f.io.record_count, 2); /* behind one tail */
    assert_int_equal(rec[0].u.attr.mask, NOVA_ATTR_BTIME);
    assert_int_equal(rec[0].u.attr.atime, 4);
    assert_int_equal(rec[1].u.attr.mask, NOVA_ATTR_ATIME | NOVA_ATTR_CTIME);
    assert_int_equal(rec[1].u.attr.atime, 1);
    must(store_write(&f, 3, "d", 1)); /* the view has moved on; and the time changes */
    must(store_file_close(&f));
    assert_true(stat_of("d/f").mtime > was.mtime);
    assert_int_equal(stat_of("d/f").mode, 0111);
}

/* The time of a read, alone: no other time changes, on every type of inode; but the next change moves ctime again. */
static void a_read_is_no_change(void **state) {
    (void)state;
    static const char *const of[] = {"d/f", "d", "d/s", ""};
    for (int i = 0; i < 4; i++) {
        struct nova_stat want = stat_of(of[i]), got;
        for (int64_t atime = -1; atime < 60; atime++) { /* the slot becomes full */
            must(store_setattr(&s, of[i], READ, 07777, 1, 2, atime, 3, 0));
            want.atime = atime;
            got = stat_of(of[i]);
            assert_same(&got, &want);
        }
        reopen();
        got = stat_of(of[i]);
        assert_same(&got, &want);
        must(store_setattr(&s, of[i], NOVA_ATTR_ATIME, 0, 0, 0, 60, 0, 0));
        assert_true(stat_of(of[i]).ctime > want.ctime);
    }
    struct store_file f;
    must(store_file_open(&s, "d/f", false, &f));
    assert_int_equal(nova_setattr(f.inode, READ, 0, 0, 0, 7, 0, 0, &f.io), NOVA_OK);
    assert_int_equal(f.io.record_count, 1);
    assert_int_equal(f.io.records[0].u.attr.mask, NOVA_ATTR_ATIME);
    assert_int_equal(f.io.records[0].u.attr.atime, 7);
    assert_int_equal(f.io.records[0].u.attr.ctime, 0);
    must(store_file_close(&f));
}

/* Names change a directory's times, and nothing of what they name but the change time of what is linked. */
static void what_names_change(void **state) {
    (void)state;
    must(store_setattr(&s, "d", NOVA_ATTR_ATIME | NOVA_ATTR_MTIME, 0, 0, 0, 1, 2, 0));
    must(store_setattr(&s, "d/f", NOVA_ATTR_ATIME | NOVA_ATTR_MTIME, 0, 0, 0, 3, 4, 0));
    must(store_rename(&s, "d/f", "f"));
    assert_int_equal(stat_of("d").atime, 1);
    assert_true(stat_of("d").mtime > 2);
    assert_int_equal(stat_of("d").mtime, stat_of("").mtime); /* one transaction, one time */
    must(store_link(&s, "f", "g"));
    assert_int_equal(stat_of("f").atime, 3);
    assert_int_equal(stat_of("f").mtime, 4);
    assert_int_equal(stat_of("f").ctime, stat_of("").ctime);
}

static void refused(void **state) {
    (void)state;
    struct store_file f;
    const struct nova_stat was = stat_of("d/f");
    must(store_file_open(&s, "d/f", false, &f));
    const uint32_t masks[] = {0,
                              NOVA_ATTR_CTIME,
                              NOVA_ATTR_CTIME | NOVA_ATTR_MODE,
                              NOVA_ATTR_KEEP_CTIME,
                              READ | NOVA_ATTR_MTIME,
                              NOVA_ATTR_KEEP_CTIME | NOVA_ATTR_MODE,
                              READ | NOVA_ATTR_CTIME,
                              READ | NOVA_ATTR_BTIME,
                              256,
                              UINT32_MAX};
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
        assert_int_equal(nova_setattr(f.inode, masks[i], 0, 0, 0, 0, 0, 0, &f.io), NOVA_EINVAL);
        assert_int_equal(f.io.err.code, NOVA_EINVAL);
        assert_int_equal(f.io.record_count, 0);
    }
    assert_int_equal(nova_setattr(f.inode, NOVA_ATTR_MODE, 010000, 0, 0, 0, 0, 0, &f.io), NOVA_EINVAL);
    assert_int_equal(nova_setattr(f.inode, NOVA_ATTR_UID, 010000, was.uid, 0, 0, 0, 0, &f.io),
                     NOVA_OK); /* not looked at */
    must(store_file_close(&f));
    must(nova_inode_open(s.pool, was.ino, was.gen, &f.inode, &s.err));
    assert_int_equal(nova_setattr(f.inode, NOVA_ATTR_UID, 0, 1, 0, 0, 0, 0, &f.io), NOVA_ESTALE);
    must(nova_inode_close(f.inode, &s.err));
    assert_int_equal(stat_of("d/f").uid, was.uid);
    assert_int_equal(stat_of("d/f").mode, was.mode);
}

static void no_space(void **state) {
    (void)state;
    struct store_file f, big;
    static const uint8_t data[4 * MIB];
    struct nova_pool_info info;
    must(store_file_open(&s, "d/f", false, &f));
    for (int i = 0; i < 2; i++)
        assert_int_equal(nova_setattr(f.inode, NOVA_ATTR_UID, 0, 7, 0, 0, 0, 0, &f.io), NOVA_OK);
    must(store_file_open(&s, "big", true, &big));
    nova_pool_info(s.pool, &info);
    must(store_write(&big, 0, data, (info.blocks_free - info.blocks_reserve) * NOVA_BLOCK_SIZE));
    struct nova_stat was, st;
    nova_inode_stat(f.inode, &was);
    assert_int_equal(nova_setattr(f.inode, NOVA_ATTR_ATIME | NOVA_ATTR_BTIME, 0, 0, 0, 1, 0, 2, &f.io),
                     NOVA_ENOSPC); /* the slot has a line for one of the two entries */
    nova_inode_stat(f.inode, &st);
    assert_same(&st, &was);
    assert_int_equal(nova_setattr(f.inode, NOVA_ATTR_UID, 0, 1, 0, 0, 0, 0, &f.io), NOVA_OK);
    assert_int_equal(nova_setattr(f.inode, NOVA_ATTR_UID, 0, 2, 0, 0, 0, 0, &f.io), NOVA_ENOSPC);
    nova_inode_stat(f.inode, &st);
    assert_int_equal(st.uid, 1);
    must(store_file_close(&big));
    must(store_unlink(&s, "big"));
    assert_int_equal(nova_setattr(f.inode, NOVA_ATTR_UID, 0, 2, 0, 0, 0, 0, &f.io), NOVA_OK);
    must(store_file_close(&f));
    reopen();
    assert_int_equal(stat_of("d/f").btime, was.btime);
    assert_int_equal(stat_of("d/f").uid, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(only_what_the_mask_names),
        TEST(the_record_says_what_was_set),
        TEST(a_read_is_no_change),
        TEST(what_names_change),
        TEST(refused),
        TEST(no_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
