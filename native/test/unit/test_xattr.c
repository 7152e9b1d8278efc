/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attributes: values of every size on inodes of every type, blocks given back, every error, full pools. */
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
#define BLK ((uint64_t)NOVA_BLOCK_SIZE)

static const struct nova_pool_options emulated = {.flags = NOVA_OPT_EMULATED};
static const char *path;
static struct store s;
static struct store_file f;
static uint8_t bytes[NOVA_XATTR_MAX + 1], got[NOVA_XATTR_MAX];

static void must(int rc) {
    if (rc != NOVA_OK)
        fail_msg("status %d: %s", rc, s.err.msg);
}

static int set_up(void **state) {
    (void)state;
    struct nova_error err;
    path = store_path("xattr");
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i % 251 + 1);
    assert_int_equal(nova_pool_create(path, 2 * MIB, &emulated, &err), NOVA_OK);
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

static uint64_t blocks_free(void) {
    return image_blocks_free(s.pool);
}

static struct nova_stat stat_of(nova_inode *inode) {
    struct nova_stat st;
    assert_int_equal(nova_inode_stat(inode, &st), NOVA_OK);
    return st;
}

/* The attribute has `len` bytes from `start` on. */
static void check(nova_inode *inode, const struct attrs *attrs, const char *name, uint32_t start, uint32_t len) {
    const struct attr *a = attrs_get(attrs, name);
    struct nova_error err;
    uint32_t n;
    if (a == NULL)
        fail_msg("%s is not there", name);
    assert_int_equal(a->value_len, len);
    assert_int_equal(nova_xattr_read(inode, a->log_blk, a->log_idx, got, sizeof got, &n, &err), NOVA_OK);
    assert_int_equal(n, len);
    assert_memory_equal(got, bytes + start, len);
}

static void values_of_every_size(void **state) {
    (void)state;
    static const uint32_t sizes[] = {0, 1, 13, 14, 15, 77, 78, 461, 462, 463, 4095, 4096, 4097, 12288, 65535, 65536};
    uint64_t before = blocks_free();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            uint32_t start = k % 2;
            uint32_t len = sizes[k] > 65535 ? 65536 - start : sizes[k];
            must(store_setxattr(&f, "user.x", bytes, sizes[i]));
            check(f.inode, &f.attrs, "user.x", 0, sizes[i]);
            must(store_setxattr(&f, "user.x", bytes + start, len));
            check(f.inode, &f.attrs, "user.x", start, len);
            uint64_t held = len > 462 ? (len + BLK - 1) / BLK : 0;
            assert_int_equal(attrs_get(&f.attrs, "user.x")->blocks, held);
            assert_int_equal(before - blocks_free(), held + stat_of(f.inode).log_pages);
        }
    must(store_removexattr(&f, "user.x"));
    assert_null(attrs_get(&f.attrs, "user.x"));
    assert_int_equal(before - blocks_free(), stat_of(f.inode).log_pages);
}

static void names_of_every_length(void **state) {
    (void)state;
    char name[NOVA_NAME_MAX + 1];
    for (uint32_t len = 1; len <= NOVA_NAME_MAX; len++) {
        memset(name, 'a' + (int)(len % 26), len);
        name[len] = '\0';
        must(store_setxattr(&f, name, bytes, len));
        assert_int_equal(f.io.record_count, (48 + len + 63) / 64);
        assert_int_equal(f.io.records[0].kind, NOVA_REC_XATTR);
        assert_int_equal(f.io.records[0].lines, f.io.record_count);
        assert_int_equal(f.io.records[0].u.xattr.ctime, stat_of(f.inode).ctime);
        assert_int_equal(f.io.size, 0);
    }
    assert_int_equal(f.attrs.n, NOVA_NAME_MAX);
    must(store_setxattr(&f, "with/slash", bytes, 3));
    for (uint32_t len = 1; len <= NOVA_NAME_MAX; len += 3) {
        memset(name, 'a' + (int)(len % 26), len);
        name[len] = '\0';
        check(f.inode, &f.attrs, name, 0, len);
        must(store_removexattr(&f, name));
    }
    must(store_file_close(&f));
    must(store_file_open(&s, "file", false, &f));
    assert_int_equal(f.attrs.n, NOVA_NAME_MAX - 85 + 1);
    memset(name, 'a' + 2, 2);
    name[2] = '\0';
    check(f.inode, &f.attrs, name, 0, 2);
    check(f.inode, &f.attrs, "with/slash", 0, 3);
}

/* Attributes do not touch contents, sizes or mtime, nor the names of a directory. */
static void every_type_of_inode(void **state) {
    (void)state;
    static struct nova_io io;
    struct attrs attrs = {0};
    struct nova_error err;
    nova_inode *link;
    char data[3];
    must(store_write(&f, 0, "abc", 3));
    struct nova_stat before = stat_of(f.inode);
    must(store_setxattr(&f, "user.x", bytes, 5000));
    struct nova_stat after = stat_of(f.inode);
    assert_int_equal(after.size, 3);
    assert_int_equal(after.mtime, before.mtime);
    assert_true(after.ctime >= before.ctime);
    assert_int_equal(store_read(&f, 0, data, 3), 3);
    assert_memory_equal(data, "abc", 3);
    must(store_dir_setxattr(&s, "", "user.dir", bytes, 5000));
    must(store_dir_setxattr(&s, "", "user.small", bytes, 5));
    check(s.root, &s.root_attrs, "user.dir", 0, 5000);
    check(s.root, &s.root_attrs, "user.small", 0, 5);
    must(nova_create(s.root, "link", 4, NOVA_SYMLINK, 0777, 0, 0, "target", 6, &s.io));
    uint32_t ino = s.io.records[0].u.dentry.ino, gen = s.io.records[0].u.dentry.gen;
    must(nova_inode_open(s.pool, ino, gen, &link, &s.err));
    struct nova_record rec[8];
    must(nova_replay(link, rec, 8, &io));
    must(attrs_set(&attrs, link, "user.l", bytes, 9000, &io));
    attrs_apply(&attrs, &io.records[0]);
    check(link, &attrs, "user.l", 0, 9000);
    must(nova_inode_close(link, &err));
    attrs_free(&attrs);
    must(store_file_close(&f));
    for (int crash = 0; crash < 2; crash++) {
        const char *copy = store_path("xattr-copy");
        uint64_t free_blocks = blocks_free();
        store_copy_file(path, copy);
        assert_int_equal(store_close(&s), NOVA_OK);
        if (crash)
            assert_int_equal(rename(copy, path), 0);
        else
            unlink(copy);
        must(store_open(&s, path, NOVA_OPT_EMULATED));
        assert_int_equal(blocks_free(), free_blocks);
        check(s.root, &s.root_attrs, "user.dir", 0, 5000);
    }
    must(store_file_open(&s, "file", false, &f));
    check(f.inode, &f.attrs, "user.x", 0, 5000);
    uint64_t free_blocks = blocks_free();
    must(flat_unlink(s.root, "link", 4, ino, gen, &s.io));
    must(nova_inode_release(s.pool, ino, gen, &s.err));
    assert_int_equal(blocks_free(), free_blocks + 1 + 3); /* target and value; the entries fit the slot */
}

/* A directory goes with its values. */
static void a_released_directory_gives_back_its_values(void **state) {
    (void)state;
    static struct nova_io io;
    struct attrs attrs = {0};
    nova_inode *dir;
    must(nova_create(s.root, "dir", 3, NOVA_DIR, 0755, 0, 0, NULL, 0, &s.io));
    uint32_t ino = s.io.records[0].u.dentry.ino, gen = s.io.records[0].u.dentry.gen;
    uint64_t before = blocks_free();
    must(nova_inode_open(s.pool, ino, gen, &dir, &s.err));
    must(attrs_set(&attrs, dir, "user.d", bytes, 20000, &io));
    attrs_apply(&attrs, &io.records[0]);
    must(attrs_set(&attrs, dir, "user.d", bytes, 10000, &io));
    assert_int_equal(before - blocks_free(), 3);
    must(nova_inode_close(dir, &s.err));
    const struct nova_name n = {
        .dir = s.root, .name = "dir", .len = 3, .ino = ino, .gen = gen, .type = NOVA_DIR, .io = &s.io};
    must(nova_unlink(&n));
    must(nova_inode_release(s.pool, ino, gen, &s.err));
    assert_int_equal(blocks_free(), before);
    attrs_free(&attrs);
}

static void errors(void **state) {
    (void)state;
    nova_inode *in = f.inode;
    struct nova_io *io = &f.io;
    struct nova_error err;
    uint32_t len;
    must(store_setxattr(&f, "user.x", bytes, 5000));
    must(store_setxattr(&f, "user.y", bytes, 10));
    must(store_truncate(&f, 10));
    const struct attr x = *attrs_get(&f.attrs, "user.x"), y = *attrs_get(&f.attrs, "user.y");
    uint64_t entries = stat_of(in).entries, before = blocks_free();
    const uint32_t none = NOVA_NO_LINE;
    char name[300];
    memset(name, 'n', sizeof name);
    assert_int_equal(nova_setxattr(in, NULL, 3, bytes, 1, 0, none, io), NOVA_ENAME);
    assert_int_equal(nova_setxattr(in, "", 0, bytes, 1, 0, none, io), NOVA_ENAME);
    assert_int_equal(nova_setxattr(in, name, 256, bytes, 1, 0, none, io), NOVA_ENAME);
    assert_int_equal(nova_setxattr(in, "a\0b", 3, bytes, 1, 0, none, io), NOVA_ENAME);
    assert_int_equal(nova_setxattr(in, "a", 1, bytes, NOVA_XATTR_MAX + 1, 0, none, io), NOVA_EFBIG);
    assert_int_equal(nova_setxattr(in, "a", 1, NULL, 1, 0, none, io), NOVA_EINVAL);
    assert_int_equal(nova_setxattr(in, "a", 1, bytes, 1, x.log_blk, x.log_idx, io), NOVA_EINVAL);
    assert_int_equal(nova_setxattr(in, "user.x", 6, bytes, 1, y.log_blk, y.log_idx, io), NOVA_EINVAL);
    assert_int_equal(nova_setxattr(in, "user.x", 6, bytes, 9000, 0, 63, io), NOVA_EINVAL);
    assert_int_equal(nova_setxattr(in, "user.x", 6, bytes, 9000, 1, 0, io), NOVA_EINVAL);
    assert_int_equal(nova_setxattr(in, "user.x", 6, bytes, 9000, UINT32_MAX, 0, io), NOVA_EINVAL);
    assert_int_equal(nova_removexattr(in, "", 0, x.log_blk, x.log_idx, io), NOVA_ENAME);
    assert_int_equal(nova_removexattr(in, "user.x", 6, 0, none, io), NOVA_EINVAL);
    assert_int_equal(nova_removexattr(in, "user.x", 6, y.log_blk, y.log_idx, io), NOVA_EINVAL);
    assert_int_equal(nova_xattr_read(in, x.log_blk, x.log_idx, got, 4999, &len, &err), NOVA_EINVAL);
    assert_int_equal(len, 5000);
    assert_int_equal(nova_xattr_read(in, 0, none, got, sizeof got, &len, &err), NOVA_EINVAL);
    assert_int_equal(nova_xattr_read(in, 0, 2, got, sizeof got, &len, &err), NOVA_EINVAL); /* the truncate */
    assert_int_equal(stat_of(in).entries, entries);
    assert_int_equal(blocks_free(), before);
    struct nova_stat root = stat_of(s.root);
    assert_true(root.entries != 0);
    assert_int_equal(nova_xattr_read(s.root, x.log_blk, x.log_idx, got, sizeof got, &len, &err), NOVA_EINVAL);
    /* Damage to the value, and to the entry. */
    struct fmt_entry *e = (struct fmt_entry *)(void *)log_line(&in->log, (struct log_pos){x.log_blk, x.log_idx});
    struct nova_extent ext = fmt_xattr_extent(e, 0);
    uint8_t *value = media_blk(&s.pool->media, ext.blk);
    value[100] ^= 4;
    assert_int_equal(nova_xattr_read(in, x.log_blk, x.log_idx, got, sizeof got, &len, &err), NOVA_ECORRUPT);
    assert_int_equal(err.pool_off, media_off(&s.pool->media, e));
    value[100] ^= 4;
    e->payload[0] ^= 1;
    assert_int_equal(nova_xattr_read(in, x.log_blk, x.log_idx, got, sizeof got, &len, &err), NOVA_ECORRUPT);
    assert_int_equal(nova_removexattr(in, "user.x", 6, x.log_blk, x.log_idx, io), NOVA_ECORRUPT);
    e->payload[0] ^= 1;
    check(in, &f.attrs, "user.x", 0, 5000);
    assert_int_equal(blocks_free(), before);
    /* A stale view. */
    must(store_file_close(&f));
    const struct dir_name *d = dir_map_get(&s.names, "file", 4);
    must(nova_inode_open(s.pool, d->ino, d->gen, &f.inode, &s.err));
    assert_int_equal(nova_setxattr(f.inode, "a", 1, bytes, 5000, 0, none, io), NOVA_ESTALE);
    assert_int_equal(nova_removexattr(f.inode, "user.x", 6, x.log_blk, x.log_idx, io), NOVA_ESTALE);
    must(nova_inode_close(f.inode, &s.err));
    must(store_file_open(&s, "file", false, &f));
    assert_int_equal(blocks_free(), before);
}

static void works_on_a_full_pool(void **state) {
    (void)state;
    static const uint8_t data[64 << 10] = {7};
    struct store_file big;
    must(store_setxattr(&f, "user.x", bytes, 20000));
    must(store_setxattr(&f, "user.y", bytes, 10));
    must(store_truncate(&f, 10)); /* the slot is full: the next entry needs a page */
    must(store_file_open(&s, "big", true, &big));
    uint64_t len = sizeof data, at = 0;
    while (len != 0)
        if (store_write(&big, at, data, len) == NOVA_OK)
            at += len;
        else
            len /= 2;
    uint64_t before = blocks_free();
    assert_int_equal(store_setxattr(&f, "user.z", bytes, 5000), NOVA_ENOSPC);
    assert_int_equal(store_setxattr(&f, "user.z", bytes, 10), NOVA_ENOSPC);
    assert_int_equal(store_setxattr(&f, "user.x", bytes, 10), NOVA_ENOSPC);
    check(f.inode, &f.attrs, "user.x", 0, 20000);
    assert_int_equal(blocks_free(), before);
    must(store_removexattr(&f, "user.y"));
    assert_int_equal(blocks_free(), before - 1);
    must(store_removexattr(&f, "user.x"));
    assert_int_equal(blocks_free(), before - 1 + 5);
    must(store_setxattr(&f, "user.z", bytes, 10));
    must(store_file_close(&big));
}

static void two_drains(void **state) {
    (void)state;
    struct image_ops ops;
    image_ops_init(&ops);
    s.pool->media.ops = &ops.ops;
    for (uint32_t round = 0; round < 100; round++) { /* across log pages */
        ops.drains = 0;
        must(store_setxattr(&f, "user.x", bytes, round * 601));
        assert_int_equal(ops.drains, 2);
        if (round % 3 == 0) {
            must(store_removexattr(&f, "user.x"));
            assert_int_equal(ops.drains, 4);
        }
    }
    s.pool->media.ops = &s.pool->file.ops;
}

/* Where the media refuse: the value from before, or, at the commit, that or the new one after a reopen. */
static void refused_drains(void **state) {
    (void)state;
    const char *copy = store_path("xattr-copy");
    for (unsigned at = 1; at <= 2; at++) {
        struct image_ops ops;
        must(store_setxattr(&f, "user.x", bytes, 9000));
        uint64_t before = blocks_free();
        image_ops_init(&ops);
        ops.fail_from = at;
        s.pool->media.ops = &ops.ops;
        assert_int_equal(store_setxattr(&f, "user.x", bytes + 1, 5000), NOVA_EOS);
        s.pool->media.ops = &s.pool->file.ops;
        check(f.inode, &f.attrs, "user.x", 0, 9000); /* its blocks have not been given away */
        assert_int_equal(blocks_free(), before - 2);
        store_copy_file(path, copy);
        must(store_file_close(&f));
        assert_int_equal(store_close(&s), NOVA_OK);
        assert_int_equal(rename(copy, path), 0);
        must(store_open(&s, path, NOVA_OPT_EMULATED));
        must(store_file_open(&s, "file", false, &f));
        check(f.inode, &f.attrs, "user.x", at == 1 ? 0 : 1, at == 1 ? 9000 : 5000);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(values_of_every_size),
        TEST(names_of_every_length),
        TEST(every_type_of_inode),
        TEST(a_released_directory_gives_back_its_values),
        TEST(errors),
        TEST(works_on_a_full_pool),
        TEST(two_drains),
        TEST(refused_drains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
