/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "rng.h"
#include "format/media.h"
#include "log/log.h"
#include "metadata_map.h"
#include "store.h"

#define BLK ((uint64_t)NOVA_BLOCK_SIZE)
#define POOL_SIZE (UINT64_C(1) << 20)

/* ---- images ---- */

/* A pool file in memory: patched there, then written out and checked. */
struct image {
    uint8_t *bytes;
    struct media m;
    char path[128];
};

static uint8_t clean_bytes[POOL_SIZE],
    dirty_bytes[POOL_SIZE]; /* the same files; dirty: not closed, and one unlinked while open */
static uint8_t work_bytes[POOL_SIZE];

static void read_file(const char *path, uint8_t *to) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, to, POOL_SIZE), (ssize_t)POOL_SIZE);
    close(fd);
}

static void write_file(const char *path, const uint8_t *from, size_t len) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, from, len), (ssize_t)len);
    close(fd);
}

static unsigned root_xattr; /* which entry of the root's log sets an attribute */

static void fill_store(struct store *s) {
    struct store_file f;
    static uint8_t data[5 * BLK];
    char long_name[256];
    memset(data, 0x5a, sizeof data);
    memset(long_name, 'n', 255);
    long_name[255] = '\0';
    assert_int_equal(store_file_open(s, "many", true, &f), NOVA_OK);
    for (unsigned i = 0; i < 70; i++) /* slot, and two log pages */
        assert_int_equal(store_write(&f, (i * 37 % 11) * BLK, data, BLK), NOVA_OK);
    assert_int_equal(store_truncate(&f, 9 * BLK + 100), NOVA_OK);
    assert_int_equal(store_write(&f, 9 * BLK + 100, data, 50), NOVA_OK); /* in place */
    assert_int_equal(store_file_close(&f), NOVA_OK);
    assert_int_equal(store_file_open(s, "two", true, &f), NOVA_OK);
    assert_int_equal(store_write(&f, 0, data, 5 * BLK), NOVA_OK);
    assert_int_equal(store_write(&f, 20 * BLK + 5, data, 3), NOVA_OK);
    assert_int_equal(store_file_close(&f), NOVA_OK);
    assert_int_equal(store_file_open(s, "empty", true, &f), NOVA_OK);
    assert_int_equal(store_file_close(&f), NOVA_OK);
    assert_int_equal(store_file_open(s, "holes", true, &f), NOVA_OK);
    assert_int_equal(store_truncate(&f, 3 * BLK + 10), NOVA_OK);
    assert_int_equal(store_truncate(&f, 3 * BLK + 20), NOVA_OK);
    assert_int_equal(store_file_close(&f), NOVA_OK);
    assert_int_equal(store_file_open(s, "gone", true, &f), NOVA_OK);
    assert_int_equal(store_write(&f, 0, data, 3 * BLK), NOVA_OK);
    assert_int_equal(store_file_close(&f), NOVA_OK);
    assert_int_equal(store_unlink(s, "gone"), NOVA_OK);
    for (unsigned i = 0; i < 14; i++) { /* names enough for a log page of the directory, and a second table block */
        long_name[0] = (char)('A' + i);
        assert_int_equal(store_file_open(s, long_name, true, &f), NOVA_OK);
        assert_int_equal(store_file_close(&f), NOVA_OK);
    }
    assert_int_equal(store_rename(s, long_name, "renamed"), NOVA_OK);
    assert_int_equal(store_file_open(s, "ranges", true, &f), NOVA_OK);
    assert_int_equal(store_write(&f, 0, data, 5 * BLK), NOVA_OK);
    assert_int_equal(store_punch(&f, BLK + 1, BLK), NOVA_OK); /* two edges, no hole */
    assert_int_equal(store_punch(&f, BLK, BLK), NOVA_OK);
    assert_int_equal(store_collapse(&f, 2 * BLK, BLK), NOVA_OK);
    assert_int_equal(store_insert(&f, 3 * BLK, 2 * BLK), NOVA_OK);
    assert_int_equal(store_allocate(&f, 5 * BLK, 4 * BLK, true), NOVA_OK); /* three pages beyond the size */
    assert_int_equal(store_file_close(&f), NOVA_OK);
    assert_int_equal(store_file_open(s, "attrs", true, &f), NOVA_OK);
    assert_int_equal(store_setxattr(&f, "user.small", data, 300), NOVA_OK);
    assert_int_equal(store_setxattr(&f, "user.large", data, 5000), NOVA_OK);
    assert_int_equal(store_setxattr(&f, "user.gone", data, 9000), NOVA_OK);
    assert_int_equal(store_removexattr(&f, "user.gone"), NOVA_OK);
    assert_int_equal(store_file_close(&f), NOVA_OK);
    struct nova_stat st;
    nova_inode_stat(s->root, &st);
    root_xattr = (unsigned)st.entries;
    assert_int_equal(store_dir_setxattr(s, "", "user.root", data, 5000), NOVA_OK);
}

static int make_images(void **state) {
    (void)state;
    const char *path = store_path("fsck-make"), *copy = store_path("fsck-copy");
    struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED};
    struct store s;
    struct store_file f;
    assert_int_equal(nova_pool_create(path, POOL_SIZE, &opt, NULL), NOVA_OK);
    assert_int_equal(store_open(&s, path, NOVA_OPT_EMULATED), NOVA_OK);
    fill_store(&s);
    assert_int_equal(store_file_open(&s, "orphan", true, &f), NOVA_OK);
    assert_int_equal(store_write(&f, 0, "orphan", 6), NOVA_OK);
    assert_int_equal(store_unlink(&s, "orphan"), NOVA_OK);
    store_copy_file(path, copy);
    read_file(copy, dirty_bytes);
    assert_int_equal(store_file_close(&f), NOVA_OK);
    assert_int_equal(store_close(&s), NOVA_OK);
    read_file(path, clean_bytes);
    unlink(path);
    unlink(copy);
    return 0;
}

static struct image load(const uint8_t *from) {
    struct image im = {.bytes = work_bytes};
    bool from_replica;
    memcpy(work_bytes, from, POOL_SIZE);
    assert_int_equal(media_attach(&im.m, im.bytes, POOL_SIZE, NULL, &from_replica, NULL), NOVA_OK);
    snprintf(im.path, sizeof im.path, "%s", store_path("fsck"));
    return im;
}

static fmt_ptr *table_ptr(struct image *im, uint32_t i) {
    return (fmt_ptr *)(void *)media_blk(&im->m, im->m.itable_blk) + i;
}

static struct fmt_inode *slot_of(struct image *im, uint32_t ino) {
    uint32_t blk = 0;
    assert_true(fmt_ptr_get(&im->m, FMT_TAG_ITABLE, ino / FMT_SLOTS_PER_BLK, 0, 0,
                            *table_ptr(im, ino / FMT_SLOTS_PER_BLK), &blk));
    return (struct fmt_inode *)(void *)(media_blk(&im->m, blk) + ino % FMT_SLOTS_PER_BLK * FMT_SLOT);
}

/* The n-th entry of an inode's log; with n too large the last one. */
static struct fmt_entry *entry_of(struct image *im, uint32_t ino, unsigned n) {
    struct log log;
    struct log_cursor cur = {0};
    struct log_item item;
    struct fmt_entry *e = NULL;
    assert_int_equal(log_open(&log, &im->m, NULL, slot_of(im, ino), NULL), NOVA_OK);
    for (unsigned i = 0; i <= n; i++) {
        assert_int_equal(log_next(&log, &cur, &item, NULL), NOVA_OK);
        if (item.entry == NULL)
            break;
        e = (struct fmt_entry *)(void *)log_line(&log, item.pos);
    }
    assert_non_null(e);
    return e;
}

/* The inode of a name, by the directory's last word. */
static uint32_t ino_of(struct image *im, const char *name) {
    struct log log;
    struct log_cursor cur = {0};
    struct log_item item;
    uint32_t ino = 0;
    assert_int_equal(log_open(&log, &im->m, NULL, slot_of(im, NOVA_ROOT_INO), NULL), NOVA_OK);
    while (log_next(&log, &cur, &item, NULL) == NOVA_OK && item.entry != NULL) {
        struct fmt_dentry_body d;
        memcpy(&d, item.entry->payload, sizeof d);
        if (d.name_len == strlen(name) && memcmp((const char *)item.entry + FMT_DENTRY_NAME_OFF, name, d.name_len) == 0)
            ino = d.ino;
    }
    assert_int_not_equal(ino, 0);
    return ino;
}

static uint64_t off_of(struct image *im, const void *p) {
    return media_off(&im->m, p);
}

static struct fmt_snap *snap_of(struct image *im, uint32_t i) {
    return (struct fmt_snap *)(void *)media_blk(&im->m, im->m.snap_blk + i);
}

static struct fmt_state *state_of(struct image *im, unsigned i) {
    return (struct fmt_state *)(void *)(media_blk(&im->m, im->m.state_blk) + i * FMT_STATE_SLOT_OFF);
}

/* The current state: of the later sequence number. */
static struct fmt_state *current_state(struct image *im) {
    return state_of(im, state_of(im, 0)->seq > state_of(im, 1)->seq ? 0 : 1);
}

/* ---- running ---- */

static char report[1 << 20];
static struct nova_fsck_summary sum;

static int fsck(const char *path) {
    size_t needed;
    memset(&sum, 0xff, sizeof sum);
    int rc = nova_fsck(path, report, sizeof report, &needed, &sum, NULL);
    if (rc == NOVA_OK) {
        assert_int_equal(needed, strlen(report));
        assert_int_equal(sum.blocks_used + sum.blocks_free, sum.blocks_total);
    }
    return rc;
}

/* Whether the report has such a line. */
static bool reported(const char *level, const char *what, uint64_t off) {
    char start[100];
    int n = off == NOVA_NO_OFF ? snprintf(start, sizeof start, "%s\t%s\t-\t", level, what)
                               : snprintf(start, sizeof start, "%s\t%s\t%llu\t", level, what, (unsigned long long)off);
    for (const char *line = report; *line != '\0'; line = strchr(line, '\n') + 1)
        if (strncmp(line, start, (size_t)n) == 0)
            return true;
    return false;
}

static void check_image(struct image *im) {
    write_file(im->path, im->bytes, POOL_SIZE);
    assert_int_equal(fsck(im->path), NOVA_OK);
    unlink(im->path);
}

/* The patched image has this finding; other lines must be consequences, which `others` allows or not. */
static void expect(struct image *im, const char *level, const char *what, uint64_t off, bool others) {
    check_image(im);
    if (!reported(level, what, off))
        fail_msg("no line '%s %s %llu' in:\n%s", level, what, (unsigned long long)off, report);
    if (!others && sum.errors + sum.warnings != 1)
        fail_msg("one finding was expected:\n%s", report);
}

static void expect_error(struct image *im, const char *what, uint64_t off) {
    expect(im, "error", what, off, false);
}

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

    /* Writes without pages: that do not move the end, or out of its block, or from the end of a block, or in a hole. */
    const uint64_t sizes[] = {9 * BLK + 100, 10 * BLK + 1};
    for (size_t i = 0; i < 2; i++) {
        im = load(clean_bytes);
        e = entry_of(&im, many, 71);
        memcpy(&b, e->payload, sizeof b);
        assert_true(b.count == 0 && b.size == 9 * BLK + 150);
        b.size = sizes[i];
        patch_write(&im, e, &b);
        expect(&im, "error", "log entry", off_of(&im, e), false);
    }
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

/* ---- every bit ---- */

static bool line_is_zero(const uint8_t *p) {
    for (unsigned i = 0; i < FMT_LINE; i++)
        if (p[i] != 0)
            return false;
    return true;
}

/* fsck of the file with one bit turned: found if and only if the bit says something. */
static void turn(int fd, struct image *im, uint64_t off, unsigned bit, bool covered) {
    uint8_t was = im->bytes[off], is = (uint8_t)(was ^ 1u << bit);
    assert_int_equal(pwrite(fd, &is, 1, (off_t)off), 1);
    assert_int_equal(fsck(im->path), NOVA_OK);
    if ((sum.errors + sum.warnings != 0) != covered)
        fail_msg("bit %u of byte %llu (block %llu, byte %llu): %s", bit, (unsigned long long)off,
                 (unsigned long long)(off / BLK), (unsigned long long)(off % BLK), covered ? "not found" : report);
    assert_int_equal(pwrite(fd, &was, 1, (off_t)off), 1);
}

/* Mapping the file anew costs much under a race detector, which has nothing to find here: one byte of 16 then. */
#if defined(__SANITIZE_THREAD__)
#define BYTES_EVERY 16
#define FORGED_POOLS 400
#else
#define BYTES_EVERY 1
#define FORGED_POOLS 4000
#endif

static void every_bit_that_says_something_is_checked(void **state) {
    (void)state;
    struct metadata_map map;
    struct rng r = rng_start(__func__);
    struct image im = load(clean_bytes);
    uint64_t turned = 0;
    metadata_map_init(&map, &im.m);
    write_file(im.path, im.bytes, POOL_SIZE);
    int fd = open(im.path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    for (uint64_t line = 0; line < POOL_SIZE; line += FMT_LINE) {
        bool zero = line_is_zero(im.bytes + line);
        for (uint64_t off = line; off < line + FMT_LINE; off++) {
            if (map.kind[off] == META_DATA ||
                (zero && off % FMT_LINE != line / FMT_LINE % FMT_LINE)) /* one byte of a line of zeros */
                continue;
            if (off % BYTES_EVERY != rng_below(&r, BYTES_EVERY))
                continue;
            for (unsigned bit = 0; bit < 8; bit++, turned++)
                if (!zero || bit == rng_below(&r, 8))
                    turn(fd, &im, off, bit, meta_has_meaning(map.kind[off]));
        }
    }
    close(fd);
    unlink(im.path);
    metadata_map_free(&map);
    assert_true(turned > 50000 / BYTES_EVERY);
}

/* ---- forged and random damage: nothing crashes, and what open refuses fsck has found ---- */

static void open_agrees(struct image *im) {
    struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED};
    struct nova_error err = {0};
    nova_pool *pool;
    uint64_t errors = sum.errors, warnings = sum.warnings;
    int rc = nova_pool_open(im->path, &opt, &pool, &err);
    if (rc != NOVA_OK && errors == 0)
        fail_msg("open says '%s', fsck found nothing wrong:\n%s", err.msg, report);
    if (rc != NOVA_OK)
        return;
    rc = nova_pool_close(pool, NULL);
    if (errors != 0)
        return;
    assert_int_equal(rc, NOVA_OK);
    assert_int_equal(fsck(im->path), NOVA_OK);
    if (sum.errors != 0 || (sum.warnings != 0 && warnings == 0))
        fail_msg("after opening and closing a sound pool:\n%s", report);
}

static void forge_entry(struct image *im, struct rng *r) {
    uint32_t inos[] = {NOVA_ROOT_INO, ino_of(im, "many"), ino_of(im, "two"), ino_of(im, "ranges"), ino_of(im, "attrs")};
    struct fmt_entry *e = entry_of(im, inos[rng_below(r, 5)], rng_below(r, 80));
    uint8_t *p = (uint8_t *)e;
    for (uint32_t n = 1 + rng_below(r, 3); n != 0; n--) {
        uint32_t at = 4 + rng_below(r, FMT_LINE - 4);
        p[at] = rng_below(r, 3) ? (uint8_t)rng_next(r) : (uint8_t)(p[at] + 1);
    }
    if (e->lines >= 1 && e->lines <= FMT_ENTRY_LINES_MAX)
        fmt_entry_seal(&im->m, e);
}

static void forge_slot(struct image *im, struct rng *r) {
    struct fmt_inode *slot = slot_of(im, 1 + rng_below(r, 30));
    uint8_t *p = (uint8_t *)slot;
    p[4 + rng_below(r, 44)] = (uint8_t)rng_below(r, 4);
    if (rng_below(r, 2))
        slot->tail = fmt_tail_make(
            &im->m, slot->ino, slot->gen,
            (struct log_end){{rng_below(r, 2) ? 0 : im->m.data_blk + rng_below(r, 40), rng_below(r, 4)},
                             rng_below(r, 2) != 0});
    fmt_inode_seal(&im->m, slot);
}

static void forge_pointer(struct image *im, struct rng *r) {
    uint32_t ino = ino_of(im, "many"), head = 0, blk = im->m.data_blk + rng_below(r, 60);
    struct fmt_inode *slot = slot_of(im, ino);
    assert_true(fmt_ptr_get(&im->m, FMT_TAG_HEAD, ino, slot->gen, 0, slot->head, &head));
    struct fmt_page *page = (struct fmt_page *)(void *)media_blk(&im->m, head);
    if (rng_below(r, 2))
        slot->head = fmt_ptr_make(&im->m, FMT_TAG_HEAD, ino, slot->gen, 0, blk);
    else
        page->tail.next = fmt_ptr_make(&im->m, FMT_TAG_NEXT, ino, slot->gen, head, blk);
}

static void scribble(struct image *im, struct rng *r) {
    uint64_t off = rng_below(r, (uint32_t)(rng_below(r, 2) ? POOL_SIZE : 60 * BLK)),
             len = 1 + rng_below(r, rng_below(r, 2) ? 16 : 5000);
    for (; len != 0 && off < POOL_SIZE; off++, len--)
        im->bytes[off] = rng_below(r, 2) ? 0 : (uint8_t)rng_next(r);
}

static void forged_pools_are_survived(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    static char text[1 << 20];
    uint64_t sound = 0, refused = 0;
    for (int round = 0; round < FORGED_POOLS; round++) {
        struct image im = load(rng_below(&r, 2) ? clean_bytes : dirty_bytes);
        void (*const forges[])(struct image *, struct rng *) = {forge_entry, forge_slot, forge_pointer, scribble};
        for (uint32_t n = rng_below(&r, 8) ? 1 : 1 + rng_below(&r, 3), first = 1; n != 0; n--, first = 0)
            forges[first ? rng_below(&r, 4) : 3](&im, &r);
        write_file(im.path, im.bytes, POOL_SIZE);
        int rc = fsck(im.path);
        if (rc == NOVA_OK) {
            sound += sum.errors == 0;
            (void)nova_dump(im.path, round % 3 ? "many" : NULL, text, sizeof text, NULL, NULL);
            open_agrees(&im);
        } else {
            refused++;
        }
        unlink(im.path);
    }
    assert_true(sound > FORGED_POOLS / 40 && sound < FORGED_POOLS - FORGED_POOLS / 8); /* both sides were seen */
    assert_true(refused < FORGED_POOLS / 4);
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
        cmocka_unit_test(finds_a_damaged_root),
        cmocka_unit_test(finds_damaged_slots),
        cmocka_unit_test(finds_damaged_entries),
        cmocka_unit_test(finds_damaged_log_pages),
        cmocka_unit_test(finds_impossible_writes),
        cmocka_unit_test(finds_impossible_ranges),
        cmocka_unit_test(finds_damaged_attributes),
        cmocka_unit_test(finds_too_many_pages),
        cmocka_unit_test(finds_impossible_names),
        cmocka_unit_test(notes_a_remove_for_another_inode),
        cmocka_unit_test(finds_a_directory_of_two_names),
        cmocka_unit_test(finds_inodes_without_a_name),
        cmocka_unit_test(finds_wrong_snapshots),
        cmocka_unit_test(finds_what_a_lost_tail_loses),
        cmocka_unit_test(every_bit_that_says_something_is_checked),
        cmocka_unit_test(forged_pools_are_survived),
        cmocka_unit_test(dump_shows_every_entry),
    };
    return cmocka_run_group_tests(tests, make_images, NULL);
}
