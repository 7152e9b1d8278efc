/* SPDX-License-Identifier: Apache-2.0 */
/* fsck. Damage to inodes, logs and names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fsck_images.h"

/* ---- damage to inodes and logs ---- */

static void finds_a_damaged_root(void **state) {
    (void)state;
    struct image im = load(clean_bytes);
    uint64_t off = off_of(&im, slot_of(&im, NOVA_ROOT_INO));
    slot_of(&im, NOVA_ROOT_INO)->mode ^= 1;
    expect_error(&im, "root", off);
    im = load(clean_bytes);
    slot_of(&im, NOVA_ROOT_INO)->type = NOVA_FILE;
    fmt_inode_seal(&im.m, slot_of(&im, NOVA_ROOT_INO));
    expect(&im, "error", "root", off, true); /* and a file's log holds no names */
    im = load(clean_bytes);
    slot_of(&im, NOVA_ROOT_INO)->tail = 0;
    expect_error(&im, "root", off);
    im = load(clean_bytes);
    slot_of(&im, NOVA_ROOT_INO)->tail ^= 2;
    expect_error(&im, "log tail", off + offsetof(struct fmt_inode, tail));
}

static void finds_damaged_slots(void **state) {
    (void)state;
    struct image im = load(clean_bytes);
    uint32_t ino = ino_of(&im, "many");
    uint64_t off = off_of(&im, slot_of(&im, ino));
    slot_of(&im, ino)->uid++;
    expect_error(&im, "inode", off);
    im = load(clean_bytes);
    slot_of(&im, ino)->tail ^= UINT64_C(1) << 63;
    expect_error(&im, "log tail", off + offsetof(struct fmt_inode, tail));
    im = load(clean_bytes);
    slot_of(&im, ino)->head ^= 1;
    expect_error(&im, "log pointer", off + offsetof(struct fmt_inode, head));
    im = load(clean_bytes);
    slot_of(&im, ino)->tail = 0;
    expect(&im, "error", "dentry", off, true);
}

static void finds_damaged_entries(void **state) {
    (void)state;
    struct image im = load(clean_bytes);
    uint32_t many = ino_of(&im, "many");
    const struct {
        uint32_t ino;
        unsigned n;
    } at[] = {{NOVA_ROOT_INO, 0}, {NOVA_ROOT_INO, 5} /* removes "gone", which then still seems to be there */,
              {NOVA_ROOT_INO, 9}, {many, 0},
              {many, 2},          {many, 3},
              {many, 65},         {many, 66},
              {many, 10000}};
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        im = load(clean_bytes);
        struct fmt_entry *e = entry_of(&im, at[i].ino, at[i].n);
        e->payload[39] ^= 0x10;
        expect_error(&im, "log entry", off_of(&im, e));
    }
}

static void finds_damaged_log_pages(void **state) {
    (void)state;
    struct image im = load(clean_bytes);
    uint32_t ino = ino_of(&im, "many"), blk = 0;
    struct fmt_inode *slot = slot_of(&im, ino);
    assert_true(fmt_ptr_get(&im.m, FMT_TAG_HEAD, ino, slot->gen, 0, slot->head, &blk));
    struct fmt_page *page = (struct fmt_page *)(void *)media_blk(&im.m, blk);
    page->tail.zero[39] = 1;
    expect_error(&im, "log page", off_of(&im, &page->tail));
    im = load(clean_bytes);
    page->tail.next ^= 0x100;
    expect_error(&im, "log pointer", off_of(&im, &page->tail.next));
    im = load(clean_bytes);
    page->tail.next = fmt_ptr_make(&im.m, FMT_TAG_NEXT, ino, slot->gen, blk, blk); /* a ring */
    expect_error(&im, "log entry", off_of(&im, page));
}

/* Entries with good checksums that say what cannot be. */

static void patch_write(struct image *im, struct fmt_entry *e, const struct fmt_write_body *b) {
    memcpy(e->payload, b, sizeof *b);
    fmt_entry_seal(&im->m, e);
}

static void finds_impossible_writes(void **state) {
    (void)state;
    struct image im = load(clean_bytes);
    uint32_t many = ino_of(&im, "many"), two = ino_of(&im, "two");
    struct fmt_write_body b, other;
    memcpy(&other, entry_of(&im, many, 69)->payload, sizeof other);

    struct fmt_entry *e = entry_of(&im, two, 0); /* 5 pages */
    memcpy(&b, e->payload, sizeof b);
    b.blk = other.blk;
    b.count = 1;
    patch_write(&im, e, &b);
    expect(&im, "error", "block", other.blk * BLK, true);
    assert_true(strstr(report, "has another owner too") != NULL);

    im = load(clean_bytes);
    uint32_t table;
    assert_true(fmt_ptr_get(&im.m, FMT_TAG_ITABLE, 0, 0, 0, *table_ptr(&im, 0), &table));
    e = entry_of(&im, two, 0);
    memcpy(&b, e->payload, sizeof b);
    b.blk = table;
    b.count = 1;
    patch_write(&im, e, &b);
    expect(&im, "error", "block", table * BLK, true);

    im = load(clean_bytes);
    e = entry_of(&im, two, 1);
    memcpy(&b, e->payload, sizeof b);
    b.pgoff = 0;
    b.size = BLK; /* was 20 * BLK + 8 */
    patch_write(&im, e, &b);
    expect(&im, "error", "log entry", off_of(&im, e), true);

    /* Writes without pages: that move the end out of its block, or from the end of a block, or in a hole. */
    im = load(clean_bytes);
    e = entry_of(&im, many, 71);
    memcpy(&b, e->payload, sizeof b);
    assert_true(b.count == 0 && b.size == 9 * BLK + 150);
    b.size = 10 * BLK + 1;
    patch_write(&im, e, &b);
    expect(&im, "error", "log entry", off_of(&im, e), false);
    im = load(clean_bytes);
    e = entry_of(&im, many, 70); /* the truncate before it: now to a whole block */
    memcpy(&b, e->payload, sizeof b);
    b.size = 9 * BLK;
    patch_write(&im, e, &b);
    expect(&im, "error", "log entry", off_of(&im, entry_of(&im, many, 71)), true);
    im = load(clean_bytes);
    e = entry_of(&im, ino_of(&im, "holes"), 1);
    e->kind = FMT_WRITE;
    fmt_entry_seal(&im.m, e);
    expect(&im, "error", "log entry", off_of(&im, e), false);

    im = load(clean_bytes);
    e = entry_of(&im, two, 1);
    memcpy(&b, e->payload, sizeof b);
    b.blk = im.m.data_end;
    patch_write(&im, e, &b);
    expect_error(&im, "log entry", off_of(&im, e));
}

static void open_refuses(struct image *im) {
    struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED};
    struct nova_error err;
    nova_pool *pool;
    write_file(im->path, im->bytes, POOL_SIZE);
    assert_int_equal(nova_pool_open(im->path, &opt, &pool, &err), NOVA_ECORRUPT);
    unlink(im->path);
}

static void finds_impossible_ranges(void **state) {
    (void)state;
    const struct {
        unsigned entry;
        uint8_t kind;
    } entries[] = {{3, FMT_HOLE}, {4, FMT_COLLAPSE}, {5, FMT_INSERT}, {6, FMT_ALLOC}};
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        struct image im = load(clean_bytes);
        struct fmt_entry *e = entry_of(&im, ino_of(&im, "ranges"), entries[i].entry);
        struct fmt_write_body b; /* a range's size lies where a write's does */
        memcpy(&b, e->payload, sizeof b);
        assert_int_equal(e->kind, entries[i].kind);
        b.size -= 1;
        patch_write(&im, e, &b);
        expect(&im, "error", "log entry", off_of(&im, e), true);
        if (entries[i].kind == FMT_ALLOC)
            continue;
        im = load(dirty_bytes); /* whose logs are read by opening: pages must not be moved beyond all bounds */
        e = entry_of(&im, ino_of(&im, "ranges"), entries[i].entry);
        patch_write(&im, e, &b);
        open_refuses(&im);
    }
    struct image im = load(clean_bytes);
    uint32_t ino = ino_of(&im, "ranges");
    struct fmt_write_body b;
    memcpy(&b, entry_of(&im, ino, 6)->payload, sizeof b);
    assert_int_equal(b.pgoff, 6);
    media_blk(&im.m, b.blk)[77] = 1; /* a byte beyond the size that growth would show */
    expect_error(&im, "inode", off_of(&im, slot_of(&im, ino)));
}

static void finds_damaged_attributes(void **state) {
    (void)state;
    struct image im = load(clean_bytes);
    uint32_t ino = ino_of(&im, "attrs");
    struct fmt_entry *e = entry_of(&im, ino, 1), *last = entry_of(&im, ino, 9);
    struct nova_extent ext = fmt_xattr_extent(e, 0);
    assert_int_equal(e->kind, FMT_XATTR);
    media_blk(&im.m, ext.blk)[4999] ^= 1;
    expect_error(&im, "attribute", off_of(&im, e));
    media_blk(&im.m, ext.blk)[4999] ^= 1;
    media_blk(&im.m, ext.blk)[5000] ^= 1; /* behind the value */
    check_image(&im);
    assert_int_equal(sum.errors + sum.warnings, 0);

    struct fmt_xattr_body body;
    memcpy(&body, last->payload, sizeof body);
    assert_int_equal(body.op, FMT_XATTR_REMOVE);
    ((uint8_t *)last)[FMT_XATTR_NAME_OFF] ^= 1;
    fmt_entry_seal(&im.m, last);
    expect(&im, "warning", "attribute", off_of(&im, last), true);

    /* A block of another owner: fsck and open say so, of a file and of a directory. */
    const uint32_t owners[] = {ino, NOVA_ROOT_INO};
    for (size_t i = 0; i < 2; i++) {
        im = load(dirty_bytes);
        e = owners[i] == ino ? entry_of(&im, ino, 1) : entry_of(&im, NOVA_ROOT_INO, root_xattr);
        assert_int_equal(e->kind, FMT_XATTR);
        ext = fmt_xattr_extent(e, 0);
        struct fmt_write_body b;
        memcpy(&b, entry_of(&im, ino_of(&im, "two"), 0)->payload, sizeof b);
        ext.blk = b.blk;
        memcpy(&body, e->payload, sizeof body);
        memcpy((uint8_t *)e + FMT_XATTR_NAME_OFF + body.name_len, &ext, sizeof ext);
        fmt_entry_seal(&im.m, e);
        expect(&im, "error", "block", ext.blk * BLK, true);
        open_refuses(&im);
    }
}

/* For a while more pages than blocks, though none at the end: recovery would need memory without bound. */
static void finds_too_many_pages(void **state) {
    (void)state;
    struct image im = load(dirty_bytes);
    uint32_t many = ino_of(&im, "many");
    struct fmt_write_body b;
    struct fmt_entry *e = NULL;
    for (unsigned i = 0; i < 70; i++) {
        e = entry_of(&im, many, i);
        memcpy(&b, e->payload, sizeof b);
        b.pgoff = 100 + i * 3;
        b.size = 1000 * BLK;
        b.count = 3;
        b.data_crc = b.data_len = 0;
        patch_write(&im, e, &b);
    }
    assert_true(im.m.data_end - im.m.data_blk > 3 * 69); /* the last one is too much */
    b.count = im.m.data_end - b.blk;
    patch_write(&im, e, &b);
    struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED};
    struct nova_error err;
    nova_pool *pool;
    expect(&im, "error", "log entry", off_of(&im, e), true);
    write_file(im.path, im.bytes, POOL_SIZE);
    assert_int_equal(nova_pool_open(im.path, &opt, &pool, &err), NOVA_ECORRUPT);
    assert_int_equal(err.pool_off, off_of(&im, e));
    unlink(im.path);
}

static void finds_impossible_names(void **state) {
    (void)state;
    struct image im = load(clean_bytes);
    uint32_t two = ino_of(&im, "two");
    struct fmt_entry *e = entry_of(&im, NOVA_ROOT_INO, 1);
    struct fmt_dentry_body d;
    memcpy(&d, e->payload, sizeof d);
    assert_int_equal(d.ino, two);
    const struct fmt_dentry_body good = d;

    d.gen++;
    memcpy(e->payload, &d, FMT_DENTRY_NAME_OFF - FMT_PAYLOAD_OFF);
    fmt_entry_seal(&im.m, e);
    expect(&im, "error", "dentry", off_of(&im, slot_of(&im, two)), true);

    im = load(clean_bytes);
    d = good;
    d.type = NOVA_SYMLINK;
    memcpy(e->payload, &d, FMT_DENTRY_NAME_OFF - FMT_PAYLOAD_OFF);
    fmt_entry_seal(&im.m, e);
    expect(&im, "error", "dentry", off_of(&im, slot_of(&im, two)), true);

    im = load(clean_bytes);
    d = good;
    d.ino = im.m.inodes_max - 1; /* no table block so far */
    memcpy(e->payload, &d, FMT_DENTRY_NAME_OFF - FMT_PAYLOAD_OFF);
    fmt_entry_seal(&im.m, e);
    expect(&im, "error", "dentry", NOVA_NO_OFF, true);

    im = load(clean_bytes);
    e->kind = FMT_DENTRY_REMOVE;
    fmt_entry_seal(&im.m, e);
    expect(&im, "warning", "dentry", off_of(&im, e), true); /* nothing to remove */
}

static void notes_a_remove_for_another_inode(void **state) {
    (void)state;
    struct image im = load(clean_bytes);
    struct fmt_entry *e = entry_of(&im, NOVA_ROOT_INO, 5);
    assert_int_equal(e->kind, FMT_DENTRY_REMOVE);
    e->payload[4]++; /* generation */
    fmt_entry_seal(&im.m, e);
    expect(&im, "warning", "dentry", off_of(&im, e), false);
}

static void finds_a_directory_of_two_names(void **state) {
    (void)state;
    struct image im = load(clean_bytes);
    uint32_t empty = ino_of(&im, "empty");
    struct fmt_inode *slot = slot_of(&im, empty);
    slot->type = NOVA_DIR;
    fmt_inode_seal(&im.m, slot);
    for (unsigned n = 1; n <= 2; n++) { /* "two" and "empty" */
        struct fmt_entry *e = entry_of(&im, NOVA_ROOT_INO, n);
        struct fmt_dentry_body d;
        memcpy(&d, e->payload, sizeof d);
        d.ino = empty;
        d.gen = slot->gen;
        d.type = NOVA_DIR;
        memcpy(e->payload, &d, FMT_DENTRY_NAME_OFF - FMT_PAYLOAD_OFF);
        fmt_entry_seal(&im.m, e);
    }
    expect(&im, "error", "dentry", off_of(&im, slot), true);
}

static void finds_inodes_without_a_name(void **state) {
    (void)state;
    struct image im = load(clean_bytes);
    uint32_t gone = ino_of(&im, "gone");
    struct fmt_inode *slot = slot_of(&im, gone);
    if (slot->tail != 0) /* reused by a later file: take the last slot of the table */
        slot = slot_of(&im, gone = 31);
    assert_int_equal(slot->tail, 0);
    *slot = (struct fmt_inode){.magic = FMT_INODE_MAGIC, .type = NOVA_FILE, .ino = gone, .gen = 9};
    fmt_inode_seal(&im.m, slot);
    slot->tail = fmt_tail_make(&im.m, gone, 9, (struct log_end){{0, 0}, false});
    expect_error(&im, "inode", off_of(&im, slot));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_a_damaged_root),           cmocka_unit_test(finds_damaged_slots),
        cmocka_unit_test(finds_damaged_entries),          cmocka_unit_test(finds_damaged_log_pages),
        cmocka_unit_test(finds_impossible_writes),        cmocka_unit_test(finds_impossible_ranges),
        cmocka_unit_test(finds_damaged_attributes),       cmocka_unit_test(finds_too_many_pages),
        cmocka_unit_test(finds_impossible_names),         cmocka_unit_test(notes_a_remove_for_another_inode),
        cmocka_unit_test(finds_a_directory_of_two_names), cmocka_unit_test(finds_inodes_without_a_name),
    };
    return cmocka_run_group_tests(tests, make_images, NULL);
}
