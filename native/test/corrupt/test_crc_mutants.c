/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each check is good for. A structure whose check nobody looked at is a structure whose check always fits: here
 * bits are turned and the check is sealed again. For every kind that has one, the checks that remain (ranges, sequence
 * numbers, owners, counts, replicas) must let something through when its own is gone; test_bit_flips shows that with it
 * nothing gets through. So each check is needed, and the sweep notices when one is missing.
 *
 * Bits: every one but the check's own, of the first ITEMS_MAX structures of the kind. Two kinds need more than one bit
 * to be forged well: pointers, which are made to name each other block, and the snapshot, where a used block is called
 * free and a free one used, since a count in the state covers single bits.
 *
 * In a state, a page tail and a padding entry, what gets through is in fields that nobody reads: it goes unseen, but
 * makes no data wrong. In all other kinds some of it does.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../unit/rng.h"
#include "report.h"
#include "victim.h"

#if defined(__SANITIZE_THREAD__)
#define BITS_EVERY 61u
#elif defined(__SANITIZE_ADDRESS__)
#define BITS_EVERY 29u
#else
#define BITS_EVERY 1u
#endif
#define BITS_MIN 1024u
#define ITEMS_MAX 24 /* of a kind with more, the first ones and the last */

static struct tally {
    uint64_t tried;
    uint64_t refused; /* by opening or reading, or replaced by the replica or a scan */
    uint64_t wrong;   /* wrong data returned as good */
    uint64_t unseen;  /* accepted with the content right: a field that only the check covers */
    uint64_t fsck;    /* of wrong and unseen: nova_fsck() finds an inconsistency */
} tally[META_KINDS];

/* Opens the pool with the forged structure. */
static void judge(struct victim *v, const struct meta_item *it, bool use) {
    static char report[1 << 16];
    uint8_t forged[NOVA_BLOCK_SIZE];
    struct victim_look look;
    struct tally *t = &tally[it->kind];
    bool found = victim_fsck(v, report, sizeof report) != 0;
    memcpy(forged, v->bytes + it->off, it->len);
    victim_look(v, use, &look);
    bool replaced = it->kind == META_SUPERBLOCK && memcmp(v->bytes + it->off, forged, it->len) != 0;
    bool scanned = (it->kind == META_STATE || it->kind == META_SNAPSHOT) && look.recovered;
    t->tried++;
    if (look.wrong)
        t->wrong++;
    else if (look.error || replaced || scanned)
        t->refused++;
    else
        t->unseen++;
    t->fsck += found && (look.wrong || !(look.error || replaced || scanned));
    victim_restore(v, true);
}

static bool is_check_bit(const struct meta_item *it, uint32_t bit) {
    uint32_t first, count;
    metadata_check_bits(it->kind, &first, &count);
    return bit >= first && bit < first + count;
}

static void forge_bits(struct victim *v, const struct meta_item *it, uint32_t every_bit, struct rng *r) {
    for (uint32_t bit = 0; bit < it->len * 8; bit++) {
        /* Of the bitmaps, which are mostly zeros, and of values one bit of eight. */
        bool many = (it->kind == META_SNAPSHOT && bit >= 64 * 8) || it->kind == META_VALUE;
        uint32_t every = every_bit * (many ? 8u : 1u);
        if (is_check_bit(it, bit) || rng_below(r, every) != 0)
            continue;
        v->bytes[it->off + bit / 8] ^= (uint8_t)(1u << bit % 8);
        metadata_seal(&v->m, it);
        judge(v, it, false);
    }
}

static bool snap_bit(const struct victim *v, const struct meta_item *it, uint32_t blk) {
    return (v->sound[it->off + offsetof(struct fmt_snap, payload) + blk / 8] >> blk % 8 & 1) != 0;
}

/* A used block is called free and a free one used: the count stays. The next file overwrites the used one. */
static void forge_pairs(struct victim *v, const struct meta_item *it) {
    uint32_t free_blk = v->m.data_end - 1;
    assert_false(snap_bit(v, it, free_blk));
    for (uint32_t blk = v->m.data_blk; blk < free_blk; blk++) {
        if (!snap_bit(v, it, blk))
            continue;
        uint8_t *payload = v->bytes + it->off + offsetof(struct fmt_snap, payload);
        payload[blk / 8] ^= (uint8_t)(1u << blk % 8);
        payload[free_blk / 8] ^= (uint8_t)(1u << free_blk % 8);
        metadata_seal(&v->m, it);
        judge(v, it, true);
    }
}

/* The pointer names each block of the data area; into a block of the inode table new files are then written. */
static void forge_blocks(struct victim *v, const struct meta_item *it) {
    for (uint32_t blk = v->m.data_blk; blk < v->m.data_end; blk++) {
        uint64_t *word = (uint64_t *)(void *)(v->bytes + it->off);
        if ((uint32_t)*word == blk)
            continue;
        *word = (*word & ~(uint64_t)UINT32_MAX) | blk;
        metadata_seal(&v->m, it);
        judge(v, it, it->kind == META_TABLE_POINTER);
    }
}

static void sweep(struct victim *v, enum meta_kind kind, struct rng *r) {
    uint32_t of_kind = 0, nth = 0;
    uint64_t bits = 0, every;
    for (size_t i = 0; i < v->map.n; i++) {
        of_kind += v->map.item[i].kind == kind;
        bits += v->map.item[i].kind == kind ? v->map.item[i].len * 8 : 0;
    }
    /* About BITS_MIN at least: one of 25 of the superblock's bits gets through, and a sample must not miss all of them.
     */
    every = (bits - 1) / BITS_MIN < BITS_EVERY ? (bits - 1) / BITS_MIN : BITS_EVERY;
    for (size_t i = 0; i < v->map.n; i++) {
        const struct meta_item *it = &v->map.item[i];
        if (it->kind != kind)
            continue;
        nth++;
        if (nth >= ITEMS_MAX && nth < of_kind)
            continue;
        forge_bits(v, it, every == 0 ? 1 : (uint32_t)every, r);
        if (kind == META_SNAPSHOT && nth == 1)
            forge_pairs(v, it);
        if (kind == META_TABLE_POINTER || kind == META_HEAD || kind == META_FIRST || kind == META_NEXT)
            forge_blocks(v, it);
        alarm(60);
    }
}

static void each_check_is_missed(void **state) {
    (void)state;
    static struct victim v;
    struct rng r = rng_start(__func__);
    uint32_t kinds = 0, noticed = 0;
    printf("%-14s %8s %8s %8s %8s %8s\n", "without check", "forged", "refused", "wrong", "unseen", "by fsck");
    victim_init(&v, false);
    for (enum meta_kind kind = META_JOURNAL; kind < META_KINDS; kind++) {
        if (kind == META_ZERO) /* has none */
            continue;
        if (kind == META_JOURNAL + 1) { /* only a dirty pool has records */
            victim_free(&v);
            victim_init(&v, true);
        }
        sweep(&v, kind, &r);
        const struct tally *t = &tally[kind];
        printf("%-14s %8llu %8llu %8llu %8llu %8llu\n", meta_kind_name(kind), (unsigned long long)t->tried,
               (unsigned long long)t->refused, (unsigned long long)t->wrong, (unsigned long long)t->unseen,
               (unsigned long long)t->fsck);
        kinds++;
        noticed += t->wrong + t->unseen != 0;
    }
    alarm(0);
    victim_free(&v);
    report_line("corrupt: %u checksums removed one at a time, %u noticed", kinds, noticed);
    assert_int_equal(noticed, kinds);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_check_is_missed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL); /* a hang ends by the alarm */
}
