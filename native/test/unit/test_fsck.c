/* SPDX-License-Identifier: Apache-2.0 */
/* fsck. Sound pools, refusals, and damage to the fixed areas and to what is saved at a close; dump. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fsck_images.h"

/* ---- good pools ---- */

static void a_clean_pool_is_clean(void **state) {
    (void)state;
    struct image im = load(clean_bytes);
    check_image(&im);
    assert_string_equal(report, "");
    assert_int_equal(sum.errors, 0);
    assert_int_equal(sum.warnings, 0);
    assert_int_equal(sum.clean, 1);
    assert_int_equal(sum.inodes, 1 + 6 + 14);
    assert_int_equal(sum.bytes, 9 * BLK + 150 + 20 * BLK + 8 + 3 * BLK + 20 + 6 * BLK);
    assert_int_equal(sum.blocks_total, im.m.data_end - im.m.data_blk);
    /* Table, directory log, and what the three files hold: 10 pages and 2 log pages, 5 + 1 pages, 6 and 1 log page,
     * and the values of attributes: 2 and 1 log page, 2. */
    uint32_t dir_pages = 0, blk = 0;
    struct fmt_inode *root = slot_of(&im, NOVA_ROOT_INO);
    if (fmt_ptr_get(&im.m, FMT_TAG_HEAD, root->ino, root->gen, 0, root->head, &blk))
        dir_pages = 2;
    assert_int_equal(sum.blocks_used, 2 + dir_pages + 10 + 2 + 6 + 7 + 3 + 2);
}

static void a_new_pool_is_clean(void **state) {
    (void)state;
    const char *path = store_path("fsck-new");
    struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED};
    assert_int_equal(nova_pool_create(path, POOL_SIZE + BLK * 5 + 77, &opt, NULL), NOVA_OK);
    assert_int_equal(fsck(path), NOVA_OK);
    assert_string_equal(report, "");
    assert_int_equal(sum.clean, 1);
    assert_int_equal(sum.inodes, 1);
    assert_int_equal(sum.entries, 0);
    assert_int_equal(sum.blocks_used, 1);
    unlink(path);
}

static void a_dirty_pool_has_leftovers_only(void **state) {
    (void)state;
    struct image im = load(dirty_bytes);
    uint32_t orphan = ino_of(&im, "orphan");
    expect(&im, "warning", "inode", off_of(&im, slot_of(&im, orphan)), false);
    assert_int_equal(sum.errors, 0);
    assert_int_equal(sum.clean, 0);
    assert_non_null(strstr(report, "next recovery releases it"));
    /* Recovery does what the warning says. */
    struct store s;
    write_file(im.path, im.bytes, POOL_SIZE);
    assert_int_equal(store_open(&s, im.path, NOVA_OPT_EMULATED), NOVA_OK);
    assert_int_equal(store_close(&s), NOVA_OK);
    assert_int_equal(fsck(im.path), NOVA_OK);
    assert_string_equal(report, "");
    assert_int_equal(sum.clean, 1);
    unlink(im.path);
}

/* ---- refusals ---- */

static void refuses_what_is_no_pool(void **state) {
    (void)state;
    struct image im = load(clean_bytes);
    struct nova_error err;
    size_t needed = 7;
    const char *none = store_path("fsck-none");
    assert_int_equal(nova_fsck(none, report, sizeof report, &needed, NULL, &err), NOVA_ENOENT);
    assert_int_equal(needed, 0);
    assert_string_equal(report, "");
    assert_int_equal(nova_fsck("/dev", NULL, 0, NULL, NULL, &err), NOVA_EISDIR);
    assert_int_equal(nova_fsck(NULL, NULL, 0, NULL, NULL, &err), NOVA_EINVAL);
    assert_int_equal(nova_dump(none, NULL, NULL, 0, NULL, &err), NOVA_ENOENT);
    write_file(im.path, im.bytes, POOL_SIZE - BLK);
    assert_int_equal(fsck(im.path), NOVA_ETRUNCATED);
    memset(im.bytes, 0, POOL_SIZE);
    write_file(im.path, im.bytes, POOL_SIZE);
    assert_int_equal(fsck(im.path), NOVA_ENOTPOOL);
    assert_int_equal(nova_dump(im.path, NULL, NULL, 0, NULL, &err), NOVA_ENOTPOOL);
    unlink(im.path);
}

static void refuses_other_lengths_and_open_pools(void **state) {
    (void)state;
    struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED};
    const char *path = store_path("fsck-open");
    nova_pool *pool;
    assert_int_equal(nova_pool_create(path, 2 * POOL_SIZE, &opt, NULL), NOVA_OK);
    assert_int_equal(nova_pool_open(path, &opt, &pool, NULL), NOVA_OK);
    assert_int_equal(fsck(path), NOVA_EBUSY);
    assert_int_equal(nova_dump(path, NULL, NULL, 0, NULL, NULL), NOVA_EBUSY);
    assert_int_equal(nova_pool_close(pool, NULL), NOVA_OK);
    assert_int_equal(fsck(path), NOVA_OK);
    assert_int_equal(truncate(path, (off_t)(2 * POOL_SIZE - BLK)), 0);
    assert_int_equal(fsck(path), NOVA_ETRUNCATED);
    unlink(path);
}

static void reports_are_cut_to_the_buffer(void **state) {
    (void)state;
    struct image im = load(clean_bytes);
    size_t needed;
    char small[10];
    media_blk(&im.m, im.m.journal_blk)[5] = 1;
    write_file(im.path, im.bytes, POOL_SIZE);
    assert_int_equal(fsck(im.path), NOVA_OK);
    assert_int_equal(nova_fsck(im.path, small, sizeof small, &needed, NULL, NULL), NOVA_OK);
    assert_int_equal(needed, strlen(report));
    assert_string_equal(small, "error\tjou");
    assert_int_equal(nova_fsck(im.path, NULL, 0, &needed, NULL, NULL), NOVA_OK);
    assert_int_equal(needed, strlen(report));
    unlink(im.path);
}

/* ---- damage to the fixed areas ---- */

static void finds_damaged_superblocks(void **state) {
    (void)state;
    uint64_t last = POOL_SIZE - BLK;
    struct image im = load(clean_bytes);
    im.bytes[0] ^= 1; /* magic */
    expect_error(&im, "superblock", 0);
    im = load(clean_bytes);
    im.bytes[60] ^= 0x80;
    expect_error(&im, "superblock", 0);
    im = load(clean_bytes);
    im.bytes[last + 100] ^= 1;
    expect_error(&im, "superblock", last);
    im = load(clean_bytes);
    struct fmt_sb *replica = (struct fmt_sb *)(void *)(im.bytes + last);
    replica->seq++;
    fmt_sb_seal(replica);
    expect_error(&im, "superblock", last);
    im = load(clean_bytes);
    im.bytes[300] = 1;
    expect_error(&im, "superblock", 300);
}

static void finds_damaged_states(void **state) {
    (void)state;
    struct image im = load(clean_bytes);
    uint64_t base = im.m.state_blk * BLK;
    for (unsigned i = 0; i < 2; i++) {
        im = load(clean_bytes);
        im.bytes[base + i * FMT_STATE_SLOT_OFF + 20] ^= 4;
        expect(&im, "warning", "state", base + i * FMT_STATE_SLOT_OFF, false);
        assert_int_equal(sum.clean, 0);
    }
    im.bytes[base + 20] ^= 4;
    expect(&im, "error", "state", base, true);
    assert_int_equal(sum.errors, 2);
    im = load(clean_bytes);
    im.bytes[base + 100] = 9;
    expect_error(&im, "state", base + 100);
    im = load(clean_bytes);
    struct fmt_state *st = current_state(&im);
    assert_int_equal(st->state, FMT_STATE_CLEAN);
    st->blocks_free++;
    fmt_state_seal(&im.m, st);
    expect_error(&im, "state", off_of(&im, st));
    im = load(clean_bytes);
    st = current_state(&im);
    st->inodes_used--;
    fmt_state_seal(&im.m, st);
    expect_error(&im, "state", off_of(&im, st));
    im = load(clean_bytes);
    st = current_state(&im);
    st->snap_seq--;
    fmt_state_seal(&im.m, st);
    expect_error(&im, "state", off_of(&im, st));
    assert_int_equal(sum.clean, 0);
    im = load(clean_bytes);
    st = current_state(&im);
    st->seq += 2;
    st->snap_seq += 2;
    fmt_state_seal(&im.m, st);
    expect_error(&im, "state", base);
}

static void finds_a_touched_journal(void **state) {
    (void)state;
    struct image im = load(clean_bytes);
    uint64_t base = im.m.journal_blk * BLK, end = base + im.m.journal_count * BLK;
    im.bytes[base] = 1;
    expect_error(&im, "journal", base);
    im = load(clean_bytes);
    im.bytes[end - 1] = 1;
    expect_error(&im, "journal", end - 1);
}

static void finds_damage_to_the_inode_table(void **state) {
    (void)state;
    struct image im = load(clean_bytes);
    *table_ptr(&im, 1) ^= 1;
    expect(&im, "error", "inode table", off_of(&im, table_ptr(&im, 1)), false);
    im = load(clean_bytes);
    *table_ptr(&im, 0) ^= UINT64_C(1) << 60;
    expect(&im, "error", "inode table", off_of(&im, table_ptr(&im, 0)), true);
    assert_true(reported("error", "root", NOVA_NO_OFF));
    im = load(clean_bytes);
    uint32_t blk;
    assert_true(fmt_ptr_get(&im.m, FMT_TAG_ITABLE, 0, 0, 0, *table_ptr(&im, 0), &blk));
    *table_ptr(&im, 2) = fmt_ptr_make(&im.m, FMT_TAG_ITABLE, 2, 0, 0, blk);
    expect_error(&im, "inode table", off_of(&im, table_ptr(&im, 2)));
    im = load(clean_bytes);
    *table_ptr(&im, 100) = 77;
    expect(&im, "error", "inode table", off_of(&im, table_ptr(&im, 2)), true); /* missing: 2 to 99 */
    assert_true(reported("error", "inode table", off_of(&im, table_ptr(&im, 100))));
    assert_int_equal(sum.errors, 2);
    im = load(clean_bytes);
    *table_ptr(&im, 1) = 0;
    expect(&im, "error", "dentry", NOVA_NO_OFF, true);
    im = load(clean_bytes);
    uint64_t inode0 = off_of(&im, slot_of(&im, 0));
    im.bytes[inode0 + 200] = 1;
    expect_error(&im, "inode", inode0 + 200);
}

static void finds_wrong_snapshots(void **state) {
    (void)state;
    struct image im = load(clean_bytes);
    struct fmt_snap *snap = snap_of(&im, 0);
    uint32_t free_blk = im.m.data_end - 1, used_blk = 0;
    assert_true(fmt_ptr_get(&im.m, FMT_TAG_ITABLE, 0, 0, 0, *table_ptr(&im, 0), &used_blk));
    assert_int_equal(snap->payload[free_blk / 8] >> free_blk % 8 & 1, 0);

    snap->payload[free_blk / 8] |= (uint8_t)(1u << free_blk % 8);
    fmt_snap_seal(&im.m, snap);
    expect_error(&im, "snapshot", off_of(&im, &snap->payload[free_blk / 8]));
    assert_non_null(strstr(report, "saved as used"));

    im = load(clean_bytes);
    snap->payload[used_blk / 8] &= (uint8_t) ~(1u << used_blk % 8);
    fmt_snap_seal(&im.m, snap);
    expect_error(&im, "snapshot", off_of(&im, &snap->payload[used_blk / 8]));
    assert_non_null(strstr(report, "saved as free"));

    im = load(
        clean_bytes); /* two runs, of two bits and of one; the latter over the end of a byte would be the same run */
    uint32_t byte = free_blk / 8 - 1;
    snap->payload[byte] |= 0x40 | 0x80;
    snap->payload[byte + 1] |= 2;
    fmt_snap_seal(&im.m, snap);
    expect(&im, "error", "snapshot", off_of(&im, &snap->payload[byte]), true);
    assert_true(reported("error", "snapshot", off_of(&im, &snap->payload[byte + 1])));
    assert_int_equal(sum.errors, 2);

    im = load(clean_bytes);
    snap->payload[FMT_SNAP_PAYLOAD - 1] = 1;
    fmt_snap_seal(&im.m, snap);
    expect_error(&im, "snapshot", off_of(&im, &snap->payload[FMT_SNAP_PAYLOAD - 1]));

    im = load(clean_bytes);
    snap->payload[0] ^= 1;
    expect_error(&im, "snapshot", off_of(&im, snap));

    im = load(clean_bytes);
    snap->seq--;
    fmt_snap_seal(&im.m, snap);
    expect_error(&im, "snapshot", off_of(&im, snap));

    im = load(clean_bytes);
    snap->index = 1;
    fmt_snap_seal(&im.m, snap);
    expect_error(&im, "snapshot", off_of(&im, snap));

    im = load(clean_bytes);
    struct fmt_snap *inodes = snap_of(&im, 1);
    inodes->payload[0] ^= 2; /* the root */
    fmt_snap_seal(&im.m, inodes);
    expect_error(&im, "snapshot", off_of(&im, &inodes->payload[0]));

    im = load(dirty_bytes); /* of no account there */
    snap->payload[0] ^= 1;
    check_image(&im);
    assert_int_equal(sum.errors, 0);
}

/* A directory whose log was cut by a forged tail: the names behind it are gone, and all they held. */
static void finds_what_a_lost_tail_loses(void **state) {
    (void)state;
    struct image im = load(clean_bytes);
    struct fmt_inode *root = slot_of(&im, NOVA_ROOT_INO);
    root->tail = fmt_tail_make(&im.m, NOVA_ROOT_INO, root->gen, (struct log_end){{0, 1}, false});
    check_image(&im);
    assert_true(sum.errors > 10);
    assert_non_null(strstr(report, "has no name"));
    assert_non_null(strstr(report, "the logs do not use them"));
}

/* ---- dump ---- */

static void dump_shows_every_entry(void **state) {
    (void)state;
    struct image im = load(clean_bytes);
    static char text[1 << 20];
    size_t needed;
    struct nova_error err;
    write_file(im.path, im.bytes, POOL_SIZE);
    assert_int_equal(nova_dump(im.path, "many", text, sizeof text, &needed, &err), NOVA_OK);
    assert_int_equal(needed, strlen(text));
    assert_non_null(strstr(text, "checksum good"));
    assert_non_null(strstr(text, "type       file\n"));
    assert_non_null(strstr(text, "mode       0644\n"));
    assert_non_null(strstr(text, "end: 72 entries, 2 log pages\n"));
    assert_non_null(strstr(text, "  slot:0                1  write     good  pages 0+1 = blocks "));
    assert_non_null(strstr(text, "truncate"));
    assert_non_null(strstr(text, "in place"));
    assert_int_equal(nova_dump(im.path, "ranges", text, sizeof text, &needed, &err), NOVA_OK);
    assert_non_null(strstr(text, "  hole      good  pages 1+1  "));
    assert_non_null(strstr(text, "  collapse  good  pages 2+1  "));
    assert_non_null(strstr(text, "  insert    good  pages 3+2  "));
    assert_non_null(strstr(text, "  alloc     good  pages "));
    assert_int_equal(nova_dump(im.path, "attrs", text, sizeof text, &needed, &err), NOVA_OK);
    assert_non_null(strstr(text, "  xattr     good  300 bytes in 0 extents "));
    assert_non_null(strstr(text, "  xattr     good  removed "));
    assert_non_null(strstr(text, " user.large blocks "));
    assert_int_equal(nova_dump(im.path, NULL, text, sizeof text, &needed, &err), NOVA_OK);
    assert_non_null(strstr(text, "type       directory\n"));
    assert_non_null(strstr(text, "remove"));
    assert_non_null(strstr(text, " renamed\n"));
    assert_int_equal(nova_dump(im.path, "gone", text, sizeof text, &needed, &err), NOVA_ENOENT);
    assert_int_equal(nova_dump(im.path, "renamed", text, 12, &needed, &err), NOVA_OK);
    assert_int_equal(strlen(text), 11);
    assert_true(needed > 11);
    entry_of(&im, ino_of(&im, "many"), 30)->seq++;
    write_file(im.path, im.bytes, POOL_SIZE);
    assert_int_equal(nova_dump(im.path, "many", text, sizeof text, &needed, &err), NOVA_OK);
    assert_non_null(strstr(text, "DAMAGED at byte "));
    unlink(im.path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clean_pool_is_clean),
        cmocka_unit_test(a_new_pool_is_clean),
        cmocka_unit_test(a_dirty_pool_has_leftovers_only),
        cmocka_unit_test(refuses_what_is_no_pool),
        cmocka_unit_test(refuses_other_lengths_and_open_pools),
        cmocka_unit_test(reports_are_cut_to_the_buffer),
        cmocka_unit_test(finds_damaged_superblocks),
        cmocka_unit_test(finds_damaged_states),
        cmocka_unit_test(finds_a_touched_journal),
        cmocka_unit_test(finds_damage_to_the_inode_table),
        cmocka_unit_test(finds_wrong_snapshots),
        cmocka_unit_test(finds_what_a_lost_tail_loses),
        cmocka_unit_test(dump_shows_every_entry),
    };
    return cmocka_run_group_tests(tests, make_images, NULL);
}
