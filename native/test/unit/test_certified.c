/* SPDX-License-Identifier: Apache-2.0 */
/* Writes that certify themselves, as a power failure leaves them: behind the tail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/handles.h"
#include "crash_image.h"
#include "image.h"
#include "recorder.h"
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
    recorder_install();
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

/* A pin outlives its handle, and the next one knows no mapping: still, what is stored through the pin is in the bytes
 * that an append in place certifies. */
static void stores_through_a_pin_tear_nothing(void **state) {
    (void)state;
    struct store_pin pin;
    struct store c;
    struct store_file g;
    struct media m;
    must(store_pin(&f, 0, 4 * BLK, &pin));
    must(store_file_close(&f));
    must(store_file_open(&s, "file", false, &f));
    must(store_truncate(&f, 50));
    image_map_file(&m, path);
    struct fmt_inode *slot = image_slot(&m, ino);
    assert_true(fmt_tail_get(&m, ino, slot->gen, slot->tail, &before));
    image_unmap_file(&m);
    memset(bytes[0], 'a', BLK);
    must(store_write(&f, 50, bytes[0], 100));
    pin.addr[60] = 'x';
    if (f.inode->log.tail_lags)
        crash_now();
    else
        store_copy_file(path, crash);
    store_unpin(&pin);
    must(store_open(&c, crash, NOVA_OPT_EMULATED));
    must(store_file_open(&c, "file", false, &g));
    assert_int_equal(g.size, 150);
    must(store_file_close(&g));
    must(store_close(&c));
}

static int refuse(const struct pmem_ops *ops) {
    (void)ops;
    return 5;
}

/* What a drain has refused may lack its bytes: the tail, which may reach the media, does not say that they are there.
 */
static void a_refused_write_is_whole_or_not_there(void **state) {
    (void)state;
    struct pmem_ops refusing = pmem_ops_cpu;
    struct store c;
    struct store_file g;
    struct media m;
    uint8_t got[BLK];
    refusing.drain = refuse;
    s.pool->media.ops = &refusing;
    memset(bytes[0], 'a', BLK);
    assert_int_equal(store_write(&f, 0, bytes[0], BLK), NOVA_EOS);
    s.pool->media.ops = &s.pool->file.ops;
    store_copy_file(path, crash); /* with the tail as it is: the line may have been evicted */
    image_map_file(&m, crash);
    line[0] = before.pos;
    struct fmt_write_body w;
    memcpy(&w, entry_of(&m, 0)->payload, sizeof w);
    assert_int_equal(w.data_len, BLK);
    memset(media_blk(&m, w.blk), 'y', BLK); /* they did not arrive */
    image_unmap_file(&m);
    must(store_open(&c, crash, NOVA_OPT_EMULATED));
    must(store_file_open(&c, "file", false, &g));
    assert_int_equal(store_read(&g, 0, got, BLK), BLK);
    assert_int_equal(got[7], 0);
    must(store_file_close(&g));
    must(store_close(&c));
}

/* Half an entry that a crash has left, filled up by half of the next one in its place, which a second crash cuts short:
 * not the write that the first recovery has said did not happen. */
static void halves_of_two_entries_are_none(void **state) {
    (void)state;
    struct store c;
    struct store_file g;
    struct media m;
    char *again = strdup(store_path("certified-again"));
    uint64_t size = f.size, word[FMT_LINE / 8];
    memset(bytes[0], 'a', BLK);
    must(store_write(&f, size, bytes[0], 100));
    line[0] = before.pos;
    crash_now();
    image_map_file(&m, crash);
    entry_of(&m, 0)->seq = 0; /* this word did not arrive, and all others did */
    image_unmap_file(&m);
    must(store_open(&c, crash, NOVA_OPT_EMULATED));
    must(store_file_open(&c, "file", false, &g));
    assert_int_equal(g.size, size);
    store_copy_file(crash, again);
    memset(bytes[1], 'b', BLK);
    must(store_write(&g, size, bytes[1], 100));
    image_map_file(&m, crash);
    memcpy(word, entry_of(&m, 0), sizeof word);
    image_unmap_file(&m);
    must(store_file_close(&g));
    must(store_close(&c));
    image_map_file(&m, again);
    entry_of(&m, 0)->seq = ((struct fmt_entry *)(void *)word)->seq; /* the only word that arrived, and no byte */
    image_unmap_file(&m);
    must(store_open(&c, again, NOVA_OPT_EMULATED));
    must(store_file_open(&c, "file", false, &g));
    assert_int_equal(g.size, size);
    must(store_file_close(&g));
    must(store_close(&c));
    unlink(again);
    free(again);
}

/* ---- when the tail becomes durable ---- */

static struct trace trace;

/* Takes down what happens from now on; the file as it is has reached the media. */
static void trace_from_now(void) {
    struct media m;
    image_map_file(&m, path);
    recorder_start(&trace, m.base, POOL);
    image_unmap_file(&m);
}

/* The tail word that is durable for certain behind n events. */
static fmt_ptr durable_tail(size_t n) {
    struct crash_cursor c;
    struct media m;
    fmt_ptr tail;
    crash_cursor_init(&c, &trace);
    while (c.at < n)
        crash_cursor_step(&c);
    image_map_file(&m, path);
    memcpy(&tail, c.image + media_off(&m, &image_slot(&m, ino)->tail), sizeof tail);
    image_unmap_file(&m);
    crash_cursor_free(&c);
    return tail;
}

static fmt_ptr stored_tail(void) {
    struct media m;
    image_map_file(&m, path);
    fmt_ptr tail = image_slot(&m, ino)->tail;
    image_unmap_file(&m);
    return tail;
}

static void a_write_leaves_the_tail_behind(void **state) {
    (void)state;
    trace_from_now();
    write_some(1);
    recorder_stop();
    assert_true(durable_tail(trace.n) != stored_tail());
    trace_free(&trace);
}

static void a_close_makes_the_tail_durable(void **state) {
    (void)state;
    trace_from_now();
    write_some(1);
    must(store_file_close(&f));
    recorder_stop();
    assert_true(durable_tail(trace.n) == stored_tail());
    trace_free(&trace);
    must(store_file_open(&s, "file", false, &f));
}

static void a_new_mapping_finds_the_tail_durable(void **state) {
    (void)state;
    struct store_region r;
    trace_from_now();
    write_some(1);
    must(store_map(&f, 0, 4 * BLK, NOVA_MAP_WRITE, &r));
    recorder_stop();
    assert_true(durable_tail(trace.n) == stored_tail());
    trace_free(&trace);
    nova_region_free(r.r);
}

/* Redo looks for the tail that the record says was there before. */
static void a_record_finds_its_tails_durable(void **state) {
    (void)state;
    unsigned records = 0;
    trace_from_now();
    write_some(1);
    fmt_ptr from = stored_tail();
    must(store_link(&s, "file", "other name"));
    recorder_stop();
    for (size_t i = 0; i < trace.n; i++) {
        const struct trace_event *e = &trace.ev[i];
        if (e->kind != TRACE_COPY || e->len != sizeof(struct fmt_journal))
            continue;
        records++;
        assert_true(durable_tail(i) == from);
    }
    assert_int_equal(records, 1);
    trace_free(&trace);
}

/* Whether an event before n flushes a byte. */
static bool is_flushed(size_t n, uint64_t off) {
    for (size_t i = 0; i < n; i++) {
        const struct trace_event *e = &trace.ev[i];
        if (e->kind == TRACE_FLUSH && e->off / FMT_LINE <= off / FMT_LINE &&
            off / FMT_LINE <= (e->off + e->len - 1) / FMT_LINE)
            return true;
    }
    return false;
}

/* Of a process that was killed before its drain, entry and bytes may be in the caches only. */
static void recovery_makes_durable_what_it_takes_in(void **state) {
    (void)state;
    struct store c;
    struct media m;
    struct fmt_write_body w;
    write_some(3);
    crash_now();
    must(store_file_close(&f));
    must(store_close(&s));
    image_map_file(&m, crash);
    memcpy(&w, entry_of(&m, 2)->payload, sizeof w);
    uint64_t entry = media_off(&m, entry_of(&m, 2)), tail = media_off(&m, &image_slot(&m, ino)->tail);
    recorder_start(&trace, m.base, POOL);
    image_unmap_file(&m);
    must(store_open(&c, crash, NOVA_OPT_EMULATED));
    recorder_stop();
    size_t at = 0;
    while (at < trace.n && !(trace.ev[at].kind == TRACE_STORE8 && trace.ev[at].off == tail))
        at++;
    assert_true(at < trace.n);
    while (at > 0 && trace.ev[at].kind != TRACE_DRAIN)
        at--;
    assert_true(is_flushed(at, entry));
    for (uint64_t i = 0; i < w.data_len; i += FMT_LINE)
        assert_true(is_flushed(at, w.blk * (uint64_t)BLK + i));
    trace_free(&trace);
    must(store_close(&c));
    must(store_open(&s, path, NOVA_OPT_EMULATED));
    must(store_file_open(&s, "file", false, &f));
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
        TEST(stores_through_a_pin_tear_nothing),
        TEST(a_refused_write_is_whole_or_not_there),
        TEST(halves_of_two_entries_are_none),
        TEST(a_write_leaves_the_tail_behind),
        TEST(a_close_makes_the_tail_durable),
        TEST(a_new_mapping_finds_the_tail_durable),
        TEST(a_record_finds_its_tails_durable),
        TEST(recovery_makes_durable_what_it_takes_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
