/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every bit of every metadata structure of a small pool turned, one at a time, and the pool taken through the
 * production code: checked, opened, listed, every file read, closed, opened and read again, used, checked. What may
 * come of it:
 *
 *   detected   opening or reading was refused, with the place of the damage, or nova_fsck() reports it; what was not
 *              refused is right, and nova_fsck() still reports it afterwards
 *   repaired   nova_fsck() reports it before; all content is right; afterwards the pool is whole
 *   harmless   the bit has no meaning (META_UNUSED): lines and words behind a log's tail, slots without a name but for
 *              their tail word, the snapshot of a pool that was not closed in order, what a structure leaves of its
 *              block; all content is right
 *
 * and must not: wrong data returned as good, damage that nothing reports, content lost by a later opening or by use.
 * A crash ends the program, a hang is ended by an alarm; both name the bit.
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

/* Sanitizers make an opening many times slower: one bit of so many then, chosen by the seed. */
#if defined(__SANITIZE_THREAD__)
#define BITS_EVERY 97u
#elif defined(__SANITIZE_ADDRESS__)
#define BITS_EVERY 17u
#else
#define BITS_EVERY 1u
#endif
#define HUNG_AFTER 60 /* seconds without a bit done */

enum outcome { DETECTED, REPAIRED, HARMLESS, WRONG, SILENT, LOST, OUTCOMES };

static struct {
    uint64_t n[OUTCOMES], bits, pools;
    uint64_t by_kind[META_KINDS][OUTCOMES];
} total;

/* ---- naming the bit that crashes or hangs ---- */

static struct {
    const struct victim *v;
    uint64_t off;
    unsigned bit;
} now;

static void name_bit(char *out, size_t cap) {
    snprintf(out, cap, "%s pool, %s, byte %llu (block %llu, byte %llu), bit %u", now.v->clean ? "clean" : "dirty",
             meta_kind_name(now.v->map.kind[now.off]), (unsigned long long)now.off,
             (unsigned long long)(now.off / NOVA_BLOCK_SIZE), (unsigned long long)(now.off % NOVA_BLOCK_SIZE), now.bit);
}

static void on_signal(int sig) { /* the program is lost anyway: stdio will do */
    char where[160];
    name_bit(where, sizeof where);
    fprintf(stderr, "%s at %s\n", sig == SIGALRM ? "hung" : "crashed", where);
    signal(sig, SIG_DFL);
    raise(sig == SIGALRM ? SIGABRT : sig);
}

/* ---- one bit ---- */

/* What became of a pool with a bit of the byte at off turned; why gets the reason if it is a bad one. */
static enum outcome judge(struct victim *v, uint64_t off, char *why, size_t cap) {
    static char before[1 << 16], after[1 << 16];
    struct victim_look look;
    bool has_meaning = meta_has_meaning(v->map.kind[off]);
    uint8_t damaged = v->bytes[off];
    uint64_t found = victim_fsck(v, before, sizeof before);
    victim_look(v, false, &look);
    snprintf(why, cap, "%s", look.why);
    if (look.wrong)
        return WRONG;
    if (has_meaning && found == 0)
        return SILENT;
    if (look.error) {
        if (!look.placed || found == 0)
            return SILENT; /* fsck must know what opening refuses, and the user where it is */
        return v->bytes[off] == damaged ? DETECTED : LOST; /* nobody has written over what is refused */
    }
    bool remains = victim_fsck(v, after, sizeof after) != 0;
    if (remains && found == 0) {
        snprintf(why, cap, "fsck found nothing before, afterwards: %.300s", after);
        return LOST;
    }
    /* Where damage stays in place, the next opening tells; use costs much, and the many bits without meaning are alike.
     */
    bool used = !remains && (has_meaning || off % 4 == 0);
    for (int use = 0; use < (used ? 2 : 1); use++) {
        victim_look(v, use, &look);
        if (look.error || look.wrong) {
            snprintf(why, cap, "%s: %s", use ? "in use" : "at the second opening", look.why);
            return LOST;
        }
    }
    if (used && victim_fsck(v, after, sizeof after) != 0) {
        snprintf(why, cap, "after use: %.300s", after);
        return LOST;
    }
    return remains ? DETECTED : found != 0 ? REPAIRED : HARMLESS;
}

static void turn(struct victim *v, uint64_t off, unsigned bit) {
    char why[400], where[160];
    uint8_t kind = v->map.kind[off];
    now.v = v;
    now.off = off;
    now.bit = bit;
    v->bytes[off] ^= (uint8_t)(1u << bit);
    enum outcome o = judge(v, off, why, sizeof why);
    victim_restore(v, o != DETECTED);
    if (++total.bits % 256 == 0)
        alarm(HUNG_AFTER);
    total.n[o]++;
    total.by_kind[kind][o]++;
    if (o < WRONG)
        return;
    name_bit(where, sizeof where);
    print_error("%s: %s: %s\n", where,
                o == WRONG    ? "wrong data returned as good"
                : o == SILENT ? "unnoticed"
                              : "lost",
                why);
}

/* ---- all bits ---- */

static bool line_is_zero(const uint8_t *p) {
    for (unsigned i = 0; i < FMT_LINE; i++)
        if (p[i] != 0)
            return false;
    return true;
}

/* Of a line of zeros, as most lines of bitmaps and empty areas are, one bit stands for all; of an attribute's value one
 * of each byte. */
static void turn_all(struct victim *v, struct rng *r) {
    for (uint64_t line = 0; line < v->len; line += FMT_LINE) {
        bool zero = line_is_zero(v->sound + line);
        uint64_t chosen = line + rng_below(r, FMT_LINE);
        for (uint64_t off = line; off < line + FMT_LINE; off++) {
            if (v->map.kind[off] == META_DATA || (zero && off != chosen))
                continue;
            unsigned chosen_bit = rng_below(r, 8);
            for (unsigned bit = 0; bit < 8; bit++)
                if (((!zero && v->map.kind[off] != META_VALUE) || bit == chosen_bit) && rng_below(r, BITS_EVERY) == 0)
                    turn(v, off, bit);
        }
    }
}

static void sweep(bool clean) {
    static struct victim v;
    struct rng r = rng_start(clean ? "clean" : "dirty");
    victim_init(&v, clean);
    total.pools++;
    alarm(HUNG_AFTER);
    turn_all(&v, &r);
    alarm(0);
    victim_free(&v);
}

static void every_bit_of_a_clean_pool(void **state) {
    (void)state;
    sweep(true);
}

static void every_bit_of_a_dirty_pool(void **state) {
    (void)state;
    sweep(false);
}

static void nothing_wrong_was_returned(void **state) {
    (void)state;
    printf("%-14s %9s %9s %9s %9s %9s %9s\n", "structure", "detected", "repaired", "harmless", "wrong", "unnoticed",
           "lost");
    for (unsigned k = META_UNUSED; k < META_KINDS; k++) {
        printf("%-14s", meta_kind_name((enum meta_kind)k));
        for (unsigned o = 0; o < OUTCOMES; o++)
            printf(" %9llu", (unsigned long long)total.by_kind[k][o]);
        printf("\n");
    }
    assert_int_equal(total.n[WRONG] + total.n[SILENT] + total.n[LOST], 0);
    assert_true(total.n[DETECTED] > 100000 / BITS_EVERY && total.n[REPAIRED] > 1000 / BITS_EVERY &&
                total.n[HARMLESS] > 100 / BITS_EVERY);
    report_line("corrupt: %llu bits of metadata flipped in %llu pools: %llu detected, %llu repaired, %llu harmless, "
                "%llu wrong data returned as good",
                (unsigned long long)total.bits, (unsigned long long)total.pools, (unsigned long long)total.n[DETECTED],
                (unsigned long long)total.n[REPAIRED], (unsigned long long)total.n[HARMLESS],
                (unsigned long long)total.n[WRONG]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit_of_a_clean_pool),
        cmocka_unit_test(every_bit_of_a_dirty_pool),
        cmocka_unit_test(nothing_wrong_was_returned),
    };
    signal(SIGALRM, on_signal);
#ifndef __SANITIZE_ADDRESS__ /* which reports crashes itself */
    signal(SIGSEGV, on_signal);
    signal(SIGBUS, on_signal);
#endif
    return cmocka_run_group_tests(tests, NULL, NULL);
}
