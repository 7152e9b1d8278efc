/* SPDX-License-Identifier: Apache-2.0 */
/* Crashes where no call on a file runs: while a pool is created, opened, recovered, repaired, made larger and
 * closed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/layout.h"
#include "workload.h"

static struct explore_limits limits; /* one seed for all */
static struct explore_stats total;

static int start(void **state) {
    (void)state;
    limits = explore_limits_default();
    printf("NOVA_SEED=%llu\n", (unsigned long long)limits.seed);
    return 0;
}

static void test_create(void **state) {
    static char failure[2000];
    (void)state;
    struct trace t;
    record_create(&t, (uint64_t)NOVA_POOL_SIZE_MIN);
    bool ok = explore(&t, 0, &limits, &total, failure, sizeof failure);
    trace_free(&t);
    if (!ok)
        fail_msg("NOVA_SEED=%llu: %s", (unsigned long long)limits.seed, failure);
}

/* ---- recovery and repair ---- */

#define REPLICA_OFF ((uint64_t)NOVA_POOL_SIZE_MIN - NOVA_BLOCK_SIZE)
#define STATE_OFF ((uint64_t)NOVA_BLOCK_SIZE)
#define JOURNAL_OFF (2 * (uint64_t)NOVA_BLOCK_SIZE)
#define SNAP_OFF (19 * (uint64_t)NOVA_BLOCK_SIZE) /* in the smallest pool */

/* Some files, some of them removed while open. */
static void some_files(struct world *w) {
    put(w, "a", 0, 5000);
    put(w, "b", 0, 100);
    put(w, "c", 0, 100);
    put(w, "d", 0, 100);
    cut(w, "a", 4500);
    drop_open(w, "b");
    drop_open(w, "c");
}

/* A crash, and the byte at a damaged if a is not 0. */
static void recover(struct world *w, const struct workload *row) {
    some_files(w);
    crash_pool(w);
    if (row->a != 0)
        damage(w, row->a - 1);
    record(w);
    open_pool(w);
    put(w, "a", 4500, 200);
    close_pool(w);
}

/* An orderly close, and the byte at a damaged if a is not 0. */
static void reopen(struct world *w, const struct workload *row) {
    some_files(w);
    close_pool(w);
    if (row->a != 0)
        damage(w, row->a - 1);
    record(w);
    open_pool(w);
    put(w, "a", 4500, 200);
    close_pool(w);
    open_pool(w);
}

static const struct workload openings[] = {
    {"recovery", recover, 0, 0, 0, 0},
    {"recovery, superblock damaged", recover, 1 + 60, 0, 0, 0},
    {"recovery, superblock's magic damaged", recover, 1 + 3, 0, 0, 0},
    {"recovery, replica damaged", recover, 1 + REPLICA_OFF + 60, 0, 0, 0},
    {"recovery, first state slot damaged", recover, 1 + STATE_OFF + 8, 0, 0, 0},
    {"recovery, second state slot damaged", recover, 1 + STATE_OFF + FMT_STATE_SLOT_OFF + 8, 0, 0, 0},
    {"reopening", reopen, 0, 0, 0, 0},
    {"reopening, superblock damaged", reopen, 1 + 60, 0, 0, 0},
    {"reopening, replica damaged", reopen, 1 + REPLICA_OFF + 60, 0, 0, 0},
    {"reopening, saved state damaged", reopen, 1 + SNAP_OFF + 100, 0, 0, 0},
    {"reopening, first state slot damaged", reopen, 1 + STATE_OFF + 8, 0, 0, 0},
    {"reopening, second state slot damaged", reopen, 1 + STATE_OFF + FMT_STATE_SLOT_OFF + 8, 0, 0, 0},
};

/* ---- repair without opening ---- */

/* What c may be. */
enum {
    THEN_OPENED,       /* if the repair itself crashes, opening follows */
    AGAIN,             /* nova_fsck_repair() follows again */
    AGAIN_BOTH_STATES, /* the same, and the second state is damaged too */
};

/* A crash or an orderly close (b), the byte at a damaged if a is not 0, and the pool repaired. */
static void repair(struct world *w, const struct workload *row) {
    some_files(w);
    if (row->b != 0)
        close_pool(w);
    else
        crash_pool(w);
    if (row->a != 0)
        damage(w, row->a - 1);
    if (row->c == AGAIN_BOTH_STATES)
        damage(w, STATE_OFF + FMT_STATE_SLOT_OFF + 8);
    w->repairs = row->c != THEN_OPENED;
    record(w);
    repair_pool(w);
    open_pool(w);
    put(w, "a", 4500, 200);
    close_pool(w);
}

static const struct workload repairs[] = {
    {"repair after a crash", repair, 0, 0, AGAIN, 0},
    {"repair after a crash, superblock damaged", repair, 1 + 60, 0, THEN_OPENED, 0},
    {"repair after a crash, superblock damaged, again", repair, 1 + 60, 0, AGAIN, 0},
    {"repair after a crash, replica damaged, again", repair, 1 + REPLICA_OFF + 60, 0, AGAIN, 0},
    {"repair after a crash, first state slot damaged", repair, 1 + STATE_OFF + 8, 0, THEN_OPENED, 0},
    {"repair after a crash, second state slot damaged, again", repair, 1 + STATE_OFF + FMT_STATE_SLOT_OFF + 8, 0, AGAIN,
     0},
    {"repair after a crash, both state slots damaged, again", repair, 1 + STATE_OFF + 8, 0, AGAIN_BOTH_STATES, 0},
    {"repair, superblock damaged", repair, 1 + 60, 1, THEN_OPENED, 0},
    {"repair, replica damaged, again", repair, 1 + REPLICA_OFF + 60, 1, AGAIN, 0},
    {"repair, first state slot damaged", repair, 1 + STATE_OFF + 8, 1, THEN_OPENED, 0},
    {"repair, second state slot damaged, again", repair, 1 + STATE_OFF + FMT_STATE_SLOT_OFF + 8, 1, AGAIN, 0},
    {"repair, both state slots damaged, again", repair, 1 + STATE_OFF + 8, 1, AGAIN_BOTH_STATES, 0},
    {"repair, saved state damaged", repair, 1 + SNAP_OFF + 100, 1, THEN_OPENED, 0},
    {"repair, saved state damaged, again", repair, 1 + SNAP_OFF + 100, 1, AGAIN, 0},
    {"repair, journal touched, again", repair, 1 + JOURNAL_OFF + 5000, 1, AGAIN, 0},
    {"repair, a byte behind the superblock, again", repair, 1 + 1000, 1, AGAIN, 0},
};

/* ---- growing ---- */

/*
 * The pool made larger by a blocks, twice if d says so, after an orderly close or a crash (b), the byte at c damaged if
 * that is not 0. Then the new blocks are used up.
 */
static void grow(struct world *w, const struct workload *row) {
    uint64_t size = w->s.len + row->a * NOVA_BLOCK_SIZE;
    some_files(w);
    if (row->b != 0)
        close_pool(w);
    else
        crash_pool(w);
    if (row->c != 0)
        damage(w, row->c - 1);
    w->superblocks = true;
    record(w);
    resize_pool(w, size);
    open_pool(w);
    put(w, "a", 4500, (row->a < 20 ? row->a : 20) * NOVA_BLOCK_SIZE);
    close_pool(w);
}

static void grow_twice(struct world *w, const struct workload *row) {
    uint64_t size = w->s.len + row->a * NOVA_BLOCK_SIZE;
    some_files(w);
    close_pool(w);
    w->superblocks = true;
    record(w);
    resize_pool(w, size);
    resize_pool(w, size + row->b * NOVA_BLOCK_SIZE);
}

/* What the explorer finds after a crash is repaired first. */
static void grow_repaired(struct world *w, const struct workload *row) {
    w->repairs = true;
    grow(w, row);
}

static const struct workload growings[] = {
    {"growing by a block", grow, 1, 1, 0, 0},
    {"growing to twice the size", grow, 256, 1, 0, 0},
    {"growing after a crash", grow, 100, 0, 0, 0},
    {"growing, superblock damaged", grow, 70, 1, 1 + 60, 0},
    {"growing, replica damaged", grow, 70, 1, 1 + REPLICA_OFF + 60, 0},
    {"growing, saved state damaged", grow, 70, 1, 1 + SNAP_OFF + 100, 0},
    {"growing twice", grow_twice, 1, 3, 0, 0},
    {"growing, then repair", grow_repaired, 9, 1, 0, 0},
    {"growing after a crash, then repair", grow_repaired, 9, 0, 0, 0},
};

static void test_growings(void **state) {
    (void)state;
    explore_rows(growings, sizeof growings / sizeof *growings, &limits, &total);
}

static void test_repairs(void **state) {
    (void)state;
    explore_rows(repairs, sizeof repairs / sizeof *repairs, &limits, &total);
}

static void test_openings(void **state) {
    (void)state;
    explore_rows(openings, sizeof openings / sizeof *openings, &limits, &total);
}

static void end(void **state) {
    (void)state;
    explore_stats_print("create, open, recover, repair, grow, close", &total);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create),   cmocka_unit_test(test_openings), cmocka_unit_test(test_repairs),
        cmocka_unit_test(test_growings), cmocka_unit_test(end),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
