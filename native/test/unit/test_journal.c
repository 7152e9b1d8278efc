/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: transactions over several logs, and what recovery makes of their records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image.h"
#include "journal/journal.h"

#define MIB ((uint64_t)1 << 20)
#define LOGS 4u

static struct image im;
static struct journal j;
static struct log logs[LOGS];
static struct nova_error err;

static int set_up(void **state) {
    (void)state;
    image_new(&im, 2 * MIB, 1);
    for (uint32_t i = 0; i < LOGS; i++)
        image_inode(&im, NOVA_FILE, &logs[i]);
    journal_init(&j, &im.m);
    memset(&err, 0, sizeof err);
    im.ops.drains = 0;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    journal_destroy(&j);
    image_delete(&im);
    return 0;
}

/* An entry for each of the first n logs, committed together. */
static int commit(uint32_t n) {
    struct log_batch b[LOGS];
    struct fmt_entry e;
    for (uint32_t i = 0; i < n; i++) {
        image_truncate_entry(&e, 1000 + logs[i].seq);
        log_begin(&b[i], &logs[i], 0);
        assert_int_equal(log_append(&b[i], &e, &err), NOVA_OK);
    }
    return journal_commit(&j, b, n, &err);
}

static uint32_t entries(uint32_t ino) {
    struct log log;
    struct log_cursor cur = {0};
    struct log_item item;
    assert_int_equal(log_open(&log, &im.m, im.a, itable_slot(&im.t, ino), &err), NOVA_OK);
    while (log_next(&log, &cur, &item, &err) == NOVA_OK && item.entry != NULL)
        ;
    assert_int_equal(err.code, 0);
    return (uint32_t)cur.entries;
}

static void tails(fmt_ptr to[LOGS]) {
    for (uint32_t i = 0; i < LOGS; i++)
        to[i] = logs[i].slot->tail;
}

static void set_tails(const fmt_ptr from[LOGS]) {
    for (uint32_t i = 0; i < LOGS; i++)
        logs[i].slot->tail = from[i];
}

/* The one record that there is, or NULL. */
static struct fmt_journal *record(void) {
    static const struct fmt_journal nothing;
    struct fmt_journal *found = NULL;
    for (uint32_t i = 0; i < journal_records(&im.m); i++) {
        struct fmt_journal *rec = journal_record(&im.m, i);
        if (memcmp(rec, &nothing, sizeof nothing) != 0) {
            assert_null(found);
            found = rec;
        }
    }
    return found;
}

static uint64_t recover(void) {
    uint64_t redone = 99;
    assert_int_equal(journal_recover(&im.m, &im.t, &redone, &err), NOVA_OK);
    assert_null(record());
    return redone;
}

/* ---- commit ---- */

static void one_log_needs_no_record(void **state) {
    (void)state;
    assert_int_equal(commit(1), NOVA_OK);
    assert_int_equal(im.ops.drains, 2);
    assert_null(record());
    assert_int_equal(entries(logs[0].ino), 1);
}

static void several_logs_take_three_drains(void **state) {
    (void)state;
    for (uint32_t n = 2; n <= LOGS; n++) {
        fmt_ptr before[LOGS], after[LOGS];
        tails(before);
        im.ops.drains = 0;
        assert_int_equal(commit(n), NOVA_OK);
        assert_int_equal(im.ops.drains, 3);
        tails(after);
        const struct fmt_journal *rec = record(); /* it stays where it is */
        assert_non_null(rec);
        journal_clear(&j);
        assert_null(record());
        for (uint32_t i = 0; i < LOGS; i++) {
            assert_int_equal(before[i] != after[i], i < n);
            assert_int_equal(logs[i].tail.idx, entries(logs[i].ino));
        }
    }
    assert_int_equal(entries(logs[0].ino), 3);
    assert_int_equal(entries(logs[3].ino), 1);
}

static void a_record_names_the_tails(void **state) {
    (void)state;
    fmt_ptr before[LOGS];
    tails(before);
    assert_int_equal(commit(3), NOVA_OK);
    const struct fmt_journal *rec = record();
    assert_non_null(rec);
    assert_true(fmt_journal_ok(&im.m, rec));
    assert_int_equal(rec->count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(rec->moves[i].ino, logs[i].ino);
        assert_int_equal(rec->moves[i].gen, logs[i].gen);
        assert_int_equal(rec->moves[i].from, before[i]);
        assert_int_equal(rec->moves[i].to, logs[i].slot->tail);
    }
}

/* Each drain in turn is refused. What was there before the first one stays; later, the record says what happened. */
static void refused_drains(void **state) {
    (void)state;
    for (unsigned step = 1; step <= 3; step++) {
        fmt_ptr before[LOGS], after[LOGS];
        struct log was[LOGS];
        while (logs[0].tail.blk == 0 || logs[0].tail.idx < 63) /* so that the next entry takes a page */
            assert_int_equal(commit(LOGS), NOVA_OK);
        journal_clear(&j);
        tails(before);
        memcpy(was, logs, sizeof was);
        uint32_t free_blocks = alloc_free_count(im.a);
        im.ops.fail_from = step;
        assert_int_equal(commit(LOGS), NOVA_EOS);
        assert_int_equal(err.code, NOVA_EOS);
        tails(after);
        im.ops.fail_from = 0;
        if (step == 1) {
            assert_null(record());
            assert_int_equal(alloc_free_count(im.a), free_blocks);
            assert_memory_equal(was, logs, sizeof was);
            assert_memory_equal(before, after, sizeof before);
            assert_int_equal(recover(), 0);
            continue;
        }
        assert_int_equal(memcmp(before, after, sizeof before) == 0, step == 2);
        struct fmt_journal kept = *record(); /* a thread that waited for the lane must not take it away */
        assert_int_equal(commit(LOGS), NOVA_EOS);
        assert_memory_equal(record(), &kept, sizeof kept);
        journal_clear(&j); /* a close that goes on all the same must not take the record away */
        assert_non_null(record());
        assert_int_equal(recover(), step == 2); /* as if the system had written everything after all */
        for (uint32_t i = 0; i < LOGS; i++)
            assert_int_equal(logs[i].slot->tail != before[i], 1);
        journal_destroy(&j);
        journal_init(&j, &im.m); /* as after a reopen */
        memset(&err, 0, sizeof err);
        for (uint32_t i = 0; i < LOGS; i++) {
            uint32_t n = entries(logs[i].ino);
            assert_int_equal(n, entries(logs[0].ino));
        }
    }
}

/* ---- recovery ---- */

/* Any of the tails may have been lost. */
static void tails_are_stored_again(void **state) {
    (void)state;
    for (unsigned lost = 0; lost < 1u << LOGS; lost++) {
        fmt_ptr before[LOGS], after[LOGS], now[LOGS];
        tails(before);
        assert_int_equal(commit(LOGS), NOVA_OK);
        tails(after);
        for (uint32_t i = 0; i < LOGS; i++)
            if ((lost >> i & 1) != 0)
                logs[i].slot->tail = before[i];
        im.ops.drains = 0;
        assert_int_equal(recover(), lost != 0);
        assert_int_equal(im.ops.drains, 3); /* of the record as it is, of the tails before it goes, and as it goes */
        tails(now);
        assert_memory_equal(now, after, sizeof now);
        assert_int_equal(recover(), 0);
    }
}

static void a_torn_record_is_none(void **state) {
    (void)state;
    fmt_ptr before[LOGS], now[LOGS];
    tails(before);
    assert_int_equal(commit(LOGS), NOVA_OK);
    struct fmt_journal *rec = record(), whole = *rec;
    set_tails(before);
    for (size_t i = 0; i < sizeof whole; i += 8) {
        uint64_t word;
        memcpy(&word, (uint8_t *)&whole + i, sizeof word);
        if (word != 0) {
            memset((uint8_t *)rec + i, 0, 8); /* a word that did not come through */
            assert_int_equal(recover(), 0);
            *rec = whole;
        }
        ((uint8_t *)rec)[i + 3] ^= 0x40;
        assert_int_equal(recover(), 0);
        *rec = whole;
        tails(now);
        assert_memory_equal(now, before, sizeof now);
    }
    assert_int_equal(recover(), 1);
}

/* A record with good checksum whose counts or tails are not. */
static void a_forged_record_is_none(void **state) {
    (void)state;
    fmt_ptr before[LOGS], now[LOGS];
    tails(before);
    assert_int_equal(commit(3), NOVA_OK);
    struct fmt_journal *rec = record(), whole = *rec;
    set_tails(before);
    for (int i = 0; i < 6; i++) {
        *rec = whole;
        switch (i) {
        case 0: rec->count = 1; break;
        case 1: rec->count = FMT_JOURNAL_MOVES + 1; break;
        case 2: rec->count = UINT32_MAX; break;
        case 3: rec->moves[1].to ^= (uint64_t)1 << 50; break;
        case 4: rec->moves[2].from = 0; break;
        default: rec->moves[0].gen++;
        }
        fmt_journal_seal(&im.m, rec);
        assert_false(fmt_journal_ok(&im.m, rec));
        assert_int_equal(recover(), 0);
        tails(now);
        assert_memory_equal(now, before, sizeof now);
    }
}

static void records_of_ended_transactions_do_nothing(void **state) {
    (void)state;
    fmt_ptr now[LOGS], after[LOGS];
    assert_int_equal(commit(LOGS), NOVA_OK);
    struct fmt_journal old = *record();
    for (int i = 0; i < 100; i++) { /* over the slot's and a page's end */
        tails(now);
        assert_int_equal(recover(), 0);
        struct fmt_entry e;
        image_truncate_entry(&e, 5);
        image_append(&logs[i % 2], &e);
        if (i % 10 == 0)
            assert_int_equal(commit(2 + (uint32_t)i % 3), NOVA_OK);
        *journal_record(&im.m, 63) = old; /* nobody has used its place */
        tails(now);
        uint64_t redone;
        assert_int_equal(journal_recover(&im.m, &im.t, &redone, &err), NOVA_OK);
        assert_int_equal(redone, 0);
        tails(after);
        assert_memory_equal(now, after, sizeof now);
    }
}

static void another_generation_is_left_alone(void **state) {
    (void)state;
    fmt_ptr before[LOGS];
    tails(before);
    assert_int_equal(commit(2), NOVA_OK);
    fmt_ptr after = logs[1].slot->tail;
    set_tails(before);
    struct fmt_inode *slot = logs[0].slot;
    slot->gen++;
    fmt_inode_seal(&im.m, slot);
    assert_int_equal(recover(), 1); /* for the other one */
    assert_int_equal(slot->tail, before[0]);
    assert_int_equal(logs[1].slot->tail, after);
}

static void a_damaged_slot_is_left_alone(void **state) {
    (void)state;
    fmt_ptr before[LOGS];
    tails(before);
    assert_int_equal(commit(2), NOVA_OK);
    set_tails(before);
    logs[0].slot->mode ^= 1;
    assert_int_equal(recover(), 1);
    assert_int_equal(logs[0].slot->tail, before[0]);
}

/* A forged record that speaks of an inode without a slot. */
static void an_inode_without_a_slot(void **state) {
    (void)state;
    assert_int_equal(commit(2), NOVA_OK);
    struct fmt_journal *rec = record();
    struct log_end end = {{0, 1}, false};
    const uint32_t inos[] = {0, itable_slots(&im.t), im.m.inodes_max, UINT32_MAX};
    for (size_t i = 0; i < sizeof inos / sizeof *inos; i++) {
        struct fmt_journal forged = {.magic = FMT_JOURNAL_MAGIC, .count = 2};
        for (int k = 0; k < 2; k++)
            forged.moves[k] = (struct fmt_move){inos[i], 1, fmt_tail_make(&im.m, inos[i], 1, end),
                                                fmt_tail_make(&im.m, inos[i], 1, end)};
        fmt_journal_seal(&im.m, &forged);
        assert_true(fmt_journal_ok(&im.m, &forged));
        *rec = forged;
        assert_int_equal(recover(), 0);
    }
}

static void a_refused_drain_fails_recovery(void **state) {
    (void)state;
    fmt_ptr before[LOGS];
    uint64_t redone;
    tails(before);
    assert_int_equal(commit(2), NOVA_OK);
    set_tails(before);
    im.ops.fail_from = 1;
    assert_int_equal(journal_recover(&im.m, &im.t, &redone, &err), NOVA_EOS);
    assert_non_null(record()); /* what it stored may be lost */
    im.ops.fail_from = 0;
    set_tails(before);
    assert_int_equal(recover(), 1);
}

/* ---- places ---- */

static void a_small_journal_has_few_lanes(void **state) {
    (void)state;
    struct journal small;
    assert_int_equal(j.lanes_n, JOURNAL_LANES);
    im.m.journal_count = 1;
    journal_init(&small, &im.m);
    assert_int_equal(small.lanes_n, NOVA_BLOCK_SIZE / FMT_JOURNAL_RECORD);
    journal_destroy(&small);
    im.m.journal_count = FMT_JOURNAL_BLKS;
    struct fmt_sb sb = im.m.sb;
    sb.journal_count = 0; /* a record would lie in the next area */
    fmt_sb_seal(&sb);
    assert_int_equal(fmt_sb_verify(&sb, 0, &err), NOVA_ECORRUPT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(one_log_needs_no_record),          TEST(several_logs_take_three_drains),
        TEST(a_record_names_the_tails),         TEST(refused_drains),
        TEST(tails_are_stored_again),           TEST(a_torn_record_is_none),
        TEST(a_forged_record_is_none),          TEST(records_of_ended_transactions_do_nothing),
        TEST(another_generation_is_left_alone), TEST(a_damaged_slot_is_left_alone),
        TEST(an_inode_without_a_slot),          TEST(a_refused_drain_fails_recovery),
        TEST(a_small_journal_has_few_lanes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
