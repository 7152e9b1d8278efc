/* SPDX-License-Identifier: Apache-2.0 */
/* Writes that certify themselves, as a power failure leaves them: behind the tail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "image.h"
#include "store.h"

#define BLK NOVA_BLOCK_SIZE
#define POOL (UINT64_C(1) << 21)
#define WRITES 8u

static const char *path;  /* of an open pool */
static const char *crash; /* of a copy of it, whose tail has not moved with the writes */
static struct store s;
static struct store_file f;
static uint32_t ino;
static struct log_end before; /* the writes */
static uint8_t bytes[WRITES][BLK];
static struct log_pos line[WRITES]; /* of their entries */

static void must(int rc) {
    assert_int_equal(rc, NOVA_OK);
}

/* A file of four pages, of which some are written again; the last writes append within a block. */
static void write_some(unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        memset(bytes[i], (int)('a' + i), BLK);
        if (i % 2 == 0)
            must(store_write(&f, i / 2 * BLK, bytes[i], BLK));
        else
            must(store_write(&f, f.size, bytes[i], 100));
        assert_int_equal(f.io.record_count, 1);
        line[i] = (struct log_pos){f.io.records[0].log_blk, f.io.records[0].log_idx};
    }
}

/* Copies the pool as it is, but for the tail. */
static void crash_now(void) {
    struct media m;
    store_copy_file(path, crash);
    image_map_file(&m, crash);
    struct fmt_inode *slot = image_slot(&m, ino);
    slot->tail = fmt_tail_make(&m, ino, slot->gen, before);
    image_unmap_file(&m);
}

static int set_up(void **state) {
    (void)state;
    struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED};
    static uint8_t zeros[4 * BLK];
    struct dir_name name;
    path = store_path("certified");
    crash = store_path("certified-crash");
    must(nova_pool_create(path, POOL, &opt, NULL));
    must(store_open(&s, path, NOVA_OPT_EMULATED));
    must(store_file_open(&s, "file", true, &f));
    must(store_lookup(&s, "file", &name));
    ino = name.ino;
    must(store_write(&f, 0, zeros, 4 * BLK));
    for (unsigned i = 0; i < 5; i++) /* into a page of the log, with room for all that follows */
        must(store_truncate(&f, 4 * BLK + 10 + i));
    must(store_write(&f, 4 * BLK, "0123456789", 10)); /* its last page has a block now */
    struct media m;
    image_map_file(&m, path);
    struct fmt_inode *slot = image_slot(&m, ino);
    assert_true(fmt_tail_get(&m, ino, slot->gen, slot->tail, &before));
    image_unmap_file(&m);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    must(store_file_close(&f));
    must(store_close(&s));
    unlink(path);
    unlink(crash);
    return 0;
}

/* What the crashed pool has of the first `there` of n writes, and nothing of the others. */
static void expect_writes(unsigned there, unsigned n) {
    struct store c;
    struct store_file g;
    struct nova_fsck_summary sum;
    struct nova_pool_info info;
    char report[400];
    uint8_t got[BLK];
    uint64_t size = 4 * BLK + 14;
    for (unsigned closed = 0; closed < 2; closed++) {
        must(nova_fsck(crash, report, sizeof report, NULL, &sum, NULL));
        assert_string_equal(report, "");
        assert_int_equal(sum.clean, closed);
        must(store_open(&c, crash, NOVA_OPT_EMULATED));
        nova_pool_info(c.pool, &info);
        assert_int_equal(info.recovered, !closed);
        assert_int_equal(info.blocks_free, sum.blocks_free);
        must(store_file_open(&c, "file", false, &g));
        assert_int_equal(g.size, size + there / 2 * 100);
        for (unsigned i = 0; i < n; i++) {
            uint64_t off = i % 2 == 0 ? i / 2 * BLK : size + i / 2 * 100, len = i % 2 == 0 ? BLK : 100;
            memset(got, 0, sizeof got);
            if (i < there) {
                assert_int_equal(store_read(&g, off, got, len), len);
                assert_memory_equal(got, bytes[i], len);
            } else if (i % 2 == 0) {
                assert_int_equal(store_read(&g, off, got, len), len);
                assert_int_equal(got[0], 0);
                assert_int_equal(got[BLK - 1], 0);
            }
        }
        must(store_file_close(&g));
        must(store_close(&c));
    }
}

/* How many it was does not matter, nor that they are appended or written over. */
static void what_lies_behind_the_tail_is_there(void **state) {
    (void)state;
    for (unsigned n = 1; n <= WRITES; n++) {
        tear_down(state);
        set_up(state);
        write_some(n);
        assert_int_equal(line[n - 1].blk, before.pos.blk);
        crash_now();
        expect_writes(n, n);
    }
}

static struct fmt_entry *entry_of(const struct media *m, unsigned i) {
    return (struct fmt_entry *)(void *)(media_blk(m, line[i].blk) + (size_t)line[i].idx * FMT_LINE);
}

static void spoil_bytes(unsigned i) {
    struct media m;
    struct fmt_write_body w;
    image_map_file(&m, crash);
    memcpy(&w, entry_of(&m, i)->payload, sizeof w);
    assert_int_equal(w.data_len, i % 2 == 0 ? BLK : 100);
    uint64_t at = w.count != 0 ? 0 : (w.size - w.data_len) % BLK;
    media_blk(&m, w.blk)[at + w.data_len - 1] ^= 1;
    image_unmap_file(&m);
}

/* The last one's bytes may not have arrived; its entry goes, and with it what could be taken for it one day. */
static void the_last_one_may_be_torn(void **state) {
    (void)state;
    for (unsigned n = 1; n <= WRITES; n++) {
        tear_down(state);
        set_up(state);
        write_some(n);
        crash_now();
        spoil_bytes(n - 1);
        expect_writes(n - 1, n);
        struct media m;
        static const uint8_t zero[FMT_LINE];
        image_map_file(&m, crash);
        assert_memory_equal(entry_of(&m, n - 1), zero, FMT_LINE);
        image_unmap_file(&m);
    }
}

/* An entry that is not whole is the end, if nothing comes behind it; */
static void an_entry_may_be_torn(void **state) {
    (void)state;
    struct media m;
    write_some(WRITES);
    crash_now();
    image_map_file(&m, crash);
    entry_of(&m, WRITES - 1)->payload[3] ^= 1;
    image_unmap_file(&m);
    expect_writes(WRITES - 1, WRITES);
}

/* and damage, if something does. */
static void damage_in_the_row_is_found(void **state) {
    (void)state;
    struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED};
    struct nova_fsck_summary sum;
    struct nova_error err;
    nova_pool *pool;
    char report[400];
    write_some(WRITES);
    for (unsigned i = 0; i + 1 < WRITES; i++) {
        struct media m;
        crash_now();
        image_map_file(&m, crash);
        uint64_t off = media_off(&m, entry_of(&m, i));
        entry_of(&m, i)->payload[3] ^= 1;
        image_unmap_file(&m);
        assert_int_equal(nova_pool_open(crash, &opt, &pool, &err), NOVA_ECORRUPT);
        assert_int_equal(err.pool_off, off);
        must(nova_fsck(crash, report, sizeof report, NULL, &sum, NULL));
        assert_true(sum.errors != 0);
    }
}

/* Bytes of entries before the last one may be another file's by now. */
static void bytes_of_others_do_not_count(void **state) {
    (void)state;
    write_some(1);
    memset(bytes[0], 'x', BLK);
    must(store_write(&f, 0, bytes[0], BLK)); /* the block of the first one is free */
    struct store_file g;
    must(store_file_open(&s, "other", true, &g));
    for (unsigned i = 0; i < 20; i++)
        must(store_write(&g, i * BLK, bytes[1], BLK));
    must(store_file_close(&g));
    crash_now();
    expect_writes(1, 1);
}

/* A mapping may change what the last entry certifies: the tail is behind it then. */
static void a_mapping_makes_the_tail_durable(void **state) {
    (void)state;
    struct log_end end;
    struct media m;
    struct store_region r;
    write_some(WRITES);
    assert_true(f.inode != NULL);
    must(store_map(&f, 0, 4 * BLK, NOVA_MAP_WRITE, &r));
    must(store_write(&f, 0, bytes[3], BLK));
    image_map_file(&m, path);
    struct fmt_inode *slot = image_slot(&m, ino);
    assert_true(fmt_tail_get(&m, ino, slot->gen, slot->tail, &end));
    image_unmap_file(&m);
    assert_true(end.pos.idx > line[WRITES - 1].idx);
    struct fmt_write_body w;
    image_map_file(&m, path);
    memcpy(&w,
           ((struct fmt_entry *)(void *)(media_blk(&m, end.pos.blk) + (size_t)(end.pos.idx - 1) * FMT_LINE))->payload,
           sizeof w);
    image_unmap_file(&m);
    assert_int_equal(w.data_len, 0); /* nothing certifies itself while there is a mapping */
    nova_region_free(r.r);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_lies_behind_the_tail_is_there),
        TEST(the_last_one_may_be_torn),
        TEST(an_entry_may_be_torn),
        TEST(damage_in_the_row_is_found),
        TEST(bytes_of_others_do_not_count),
        TEST(a_mapping_makes_the_tail_durable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
