/* SPDX-License-Identifier: Apache-2.0 */
/* Images for tests of fsck: a sound pool, closed or not, to be damaged, and what fsck says of it. */
#ifndef NOVA_TEST_UNIT_FSCK_IMAGES_H
#define NOVA_TEST_UNIT_FSCK_IMAGES_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/media.h"
#include "log/log.h"
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

static inline void read_file(const char *path, uint8_t *to) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, to, POOL_SIZE), (ssize_t)POOL_SIZE);
    close(fd);
}

static inline void write_file(const char *path, const uint8_t *from, size_t len) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, from, len), (ssize_t)len);
    close(fd);
}

static unsigned root_xattr; /* which entry of the root's log sets an attribute */

static inline void fill_store(struct store *s) {
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

static inline int make_images(void **state) {
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

static inline struct image load(const uint8_t *from) {
    struct image im = {.bytes = work_bytes};
    bool from_replica;
    memcpy(work_bytes, from, POOL_SIZE);
    assert_int_equal(media_attach(&im.m, im.bytes, POOL_SIZE, NULL, &from_replica, NULL), NOVA_OK);
    snprintf(im.path, sizeof im.path, "%s", store_path("fsck"));
    return im;
}

static inline fmt_ptr *table_ptr(struct image *im, uint32_t i) {
    return (fmt_ptr *)(void *)media_blk(&im->m, im->m.itable_blk) + i;
}

static inline struct fmt_inode *slot_of(struct image *im, uint32_t ino) {
    uint32_t blk = 0;
    assert_true(fmt_ptr_get(&im->m, FMT_TAG_ITABLE, ino / FMT_SLOTS_PER_BLK, 0, 0,
                            *table_ptr(im, ino / FMT_SLOTS_PER_BLK), &blk));
    return (struct fmt_inode *)(void *)(media_blk(&im->m, blk) + ino % FMT_SLOTS_PER_BLK * FMT_SLOT);
}

/* The n-th entry of an inode's log; with n too large the last one. */
static inline struct fmt_entry *entry_of(struct image *im, uint32_t ino, unsigned n) {
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
static inline uint32_t ino_of(struct image *im, const char *name) {
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

static inline uint64_t off_of(struct image *im, const void *p) {
    return media_off(&im->m, p);
}

static inline struct fmt_snap *snap_of(struct image *im, uint32_t i) {
    return (struct fmt_snap *)(void *)media_blk(&im->m, im->m.snap_blk + i);
}

static inline struct fmt_state *state_of(struct image *im, unsigned i) {
    return (struct fmt_state *)(void *)(media_blk(&im->m, im->m.state_blk) + i * FMT_STATE_SLOT_OFF);
}

/* The current state: of the later sequence number. */
static inline struct fmt_state *current_state(struct image *im) {
    return state_of(im, state_of(im, 0)->seq > state_of(im, 1)->seq ? 0 : 1);
}

/* ---- running ---- */

static char report[1 << 20];
static struct nova_fsck_summary sum;

static inline int fsck(const char *path) {
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
static inline bool reported(const char *level, const char *what, uint64_t off) {
    char start[100];
    int n = off == NOVA_NO_OFF ? snprintf(start, sizeof start, "%s\t%s\t-\t", level, what)
                               : snprintf(start, sizeof start, "%s\t%s\t%llu\t", level, what, (unsigned long long)off);
    for (const char *line = report; *line != '\0'; line = strchr(line, '\n') + 1)
        if (strncmp(line, start, (size_t)n) == 0)
            return true;
    return false;
}

static inline void check_image(struct image *im) {
    write_file(im->path, im->bytes, POOL_SIZE);
    assert_int_equal(fsck(im->path), NOVA_OK);
    unlink(im->path);
}

/* The patched image has this finding; other lines must be consequences, which `others` allows or not. */
static inline void expect(struct image *im, const char *level, const char *what, uint64_t off, bool others) {
    check_image(im);
    if (!reported(level, what, off))
        fail_msg("no line '%s %s %llu' in:\n%s", level, what, (unsigned long long)off, report);
    if (!others && sum.errors + sum.warnings != 1)
        fail_msg("one finding was expected:\n%s", report);
}

static inline void expect_error(struct image *im, const char *what, uint64_t off) {
    expect(im, "error", what, off, false);
}

#endif
