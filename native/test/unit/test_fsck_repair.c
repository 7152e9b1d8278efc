/* SPDX-License-Identifier: Apache-2.0 */
/* nova_fsck_repair(): what can be repaired is, and everything else stays as it is, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "image.h"
#include "pmem/pool_file.h"
#include "rng.h"
#include "victim.h"

#define BLK ((uint64_t)NOVA_BLOCK_SIZE)

static struct victim clean, dirty;
static char report[1 << 16];
static struct nova_fsck_summary sum;
static const struct nova_pool_options emulated = {.flags = NOVA_OPT_EMULATED};

static int repair(struct victim *v) {
    size_t needed;
    struct nova_error err;
    memset(&sum, 0xff, sizeof sum);
    int rc = nova_fsck_repair(v->path, &emulated, report, sizeof report, &needed, &sum, &err);
    if (rc == NOVA_OK) {
        assert_int_equal(needed, strlen(report));
        assert_int_equal(sum.blocks_used + sum.blocks_free, sum.blocks_total);
    }
    return rc;
}

static uint64_t count_lines(const char *level) {
    uint64_t n = 0;
    for (const char *line = report; *line != '\0'; line = strchr(line, '\n') + 1)
        n += strncmp(line, level, strlen(level)) == 0;
    return n;
}

/* Repair leaves nothing to find and changes nothing the second time; the contents are what they were. */
static void is_repaired(struct victim *v, const char *what) {
    static uint8_t before[NOVA_POOL_SIZE_MIN];
    static char text[1 << 16];
    struct nova_fsck_summary after;
    struct victim_look look;
    assert_int_equal(repair(v), NOVA_OK);
    if (sum.errors != 0 || sum.warnings != 0 || sum.repaired == 0)
        fail_msg("%s: not repaired:\n%s", what, report);
    assert_int_equal(count_lines("repaired\t"), sum.repaired);
    uint32_t says_clean = sum.clean;
    assert_int_equal(nova_fsck(v->path, text, sizeof text, NULL, &after, NULL), NOVA_OK);
    if (text[0] != '\0')
        fail_msg("%s: found after the repair:\n%s", what, text);
    assert_int_equal(after.clean, says_clean);
    memcpy(before, v->bytes, v->len);
    assert_int_equal(repair(v), NOVA_OK);
    assert_int_equal(sum.repaired, 0);
    assert_memory_equal(before, v->bytes, v->len);
    for (int use = 0; use < 2; use++) {
        victim_look(v, use, &look);
        if (look.error || look.wrong)
            fail_msg("%s: after the repair: %s", what, look.why);
    }
    victim_restore(v, true);
}

/* Repair reports it as an error and changes no byte. */
static void is_left(struct victim *v, const char *what) {
    static uint8_t before[NOVA_POOL_SIZE_MIN];
    memcpy(before, v->bytes, v->len);
    assert_int_equal(repair(v), NOVA_OK);
    if (sum.errors == 0 || sum.repaired != 0 || count_lines("error\t") != sum.errors)
        fail_msg("%s: %llu errors, %llu repaired:\n%s", what, (unsigned long long)sum.errors,
                 (unsigned long long)sum.repaired, report);
    if (memcmp(before, v->bytes, v->len) != 0)
        fail_msg("%s: reported as left, and yet changed", what);
    victim_restore(v, true);
}

/* ---- bytes of every kind, a bit of each chosen one turned ---- */

static bool is_repairable(const struct victim *v, uint64_t off) {
    bool fixed = off < v->m.data_blk * BLK || off >= v->m.data_end * BLK;
    bool table = off / BLK >= v->m.itable_blk && off / BLK < v->m.snap_blk;
    switch ((enum meta_kind)v->map.kind[off]) {
    case META_SUPERBLOCK:
    case META_STATE:
    case META_SNAPSHOT: return true;
    case META_ZERO: return !table || !fixed; /* a pointer too many may be all that is left of several */
    case META_DATA:
    case META_UNUSED:
    case META_JOURNAL:
    case META_TABLE_POINTER:
    case META_SLOT:
    case META_HEAD:
    case META_FIRST:
    case META_TAIL:
    case META_PAGE_TAIL:
    case META_NEXT:
    case META_WRITE:
    case META_TRUNCATE:
    case META_SETATTR:
    case META_ADD:
    case META_REMOVE:
    case META_PADDING:
    case META_LINK:
    case META_HOLE:
    case META_COLLAPSE:
    case META_INSERT:
    case META_ALLOC:
    case META_XATTR:
    case META_VALUE:
    case META_KINDS: return false;
    }
    return false;
}

/* Sanitizers make it slow and have little to find in repetitions. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STEP 400u
#else
#define STEP 57u
#endif

static void all_bytes(struct victim *v, struct rng *r) {
    uint64_t repaired = 0, left = 0;
    for (uint64_t off = rng_below(r, STEP); off < v->len; off += 1 + rng_below(r, STEP)) {
        char what[80];
        if (!meta_has_meaning(v->map.kind[off]))
            continue;
        v->bytes[off] ^= (uint8_t)(1u << rng_below(r, 8));
        snprintf(what, sizeof what, "%s pool, %s at byte %llu", v->clean ? "clean" : "dirty",
                 meta_kind_name((enum meta_kind)v->map.kind[off]), (unsigned long long)off);
        bool can = is_repairable(v, off);
        (can ? is_repaired : is_left)(v, what);
        repaired += can;
        left += !can;
    }
    assert_true(repaired > 20000 / STEP && left > 15000 / STEP);
}

static void any_byte_is_repaired_or_left(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    all_bytes(&clean, &r);
    all_bytes(&dirty, &r);
}

/* ---- particular damage ---- */

static struct fmt_state *state_slot(const struct victim *v, unsigned i) {
    return (struct fmt_state *)(void *)(v->bytes + v->m.state_blk * BLK + i * FMT_STATE_SLOT_OFF);
}

static struct fmt_state *current_state(const struct victim *v) {
    return state_slot(v, state_slot(v, 0)->seq > state_slot(v, 1)->seq ? 0 : 1);
}

static struct fmt_snap *snapshot(const struct victim *v, uint32_t i) {
    return (struct fmt_snap *)(void *)media_blk(&v->m, v->m.snap_blk + i);
}

static void states_are_repaired(void **state) {
    (void)state;
    struct victim *const pools[] = {&clean, &dirty};
    for (size_t i = 0; i < 2; i++) {
        struct victim *v = pools[i];
        state_slot(v, 0)->time++;
        state_slot(v, 1)->time++;
        is_repaired(v, "both states damaged");
        memset(state_slot(v, 0), 0, sizeof(struct fmt_state));
        memset(state_slot(v, 1), 0, sizeof(struct fmt_state));
        is_repaired(v, "both states lost");
        struct fmt_state *st = current_state(v);
        st->seq += 2;
        st->snap_seq = st->state == FMT_STATE_CLEAN ? st->seq : 0;
        fmt_state_seal(&v->m, st);
        is_repaired(v, "states not in succession");
    }
    struct fmt_state *st = current_state(&clean);
    st->blocks_free++;
    fmt_state_seal(&clean.m, st);
    is_repaired(&clean, "wrong count of blocks");
    assert_int_equal(sum.clean, 0);
    st->inodes_used--;
    fmt_state_seal(&clean.m, st);
    is_repaired(&clean, "wrong count of inodes");
    st->snap_seq--;
    fmt_state_seal(&clean.m, st);
    is_repaired(&clean, "wrong snapshot named");
}

/* A sound checksum over wrong bits: opening would believe them, and write over what is in use. */
static void believable_snapshots_are_repaired(void **state) {
    (void)state;
    uint32_t used = clean.m.data_blk, last = clean.m.data_end - 1;
    uint8_t *payload = snapshot(&clean, 0)->payload;
    assert_true((payload[used / 8] >> used % 8 & 1) == 1 && (payload[last / 8] >> last % 8 & 1) == 0);
    payload[used / 8] ^= (uint8_t)(1u << used % 8);
    payload[last / 8] ^= (uint8_t)(1u << last % 8);
    fmt_snap_seal(&clean.m, snapshot(&clean, 0));
    is_repaired(&clean, "a used block saved as free");
    snapshot(&clean, 1)->payload[0] ^= 4;
    fmt_snap_seal(&clean.m, snapshot(&clean, 1));
    is_repaired(&clean, "a used inode saved as free");
}

static void several_at_once_are_repaired(void **state) {
    (void)state;
    uint64_t journal = clean.m.journal_blk * BLK;
    clean.bytes[17] ^= 1;
    clean.bytes[1000] ^= 1;
    clean.bytes[journal] = clean.bytes[journal + clean.m.journal_count * BLK - 1] = 0xff;
    state_slot(&clean, 0)->zero ^= 1;
    memset(snapshot(&clean, 0), 0xff, BLK);
    memset(image_slot(&clean.m, 0), 0xff, FMT_SLOT);
    is_repaired(&clean, "superblock, journal, state, snapshot, slot 0");
    dirty.bytes[dirty.len - BLK] ^= 1;
    dirty.bytes[dirty.len - 1] ^= 1;
    is_repaired(&dirty, "replica, and an orphan");
}

/* Beside damage in a log nothing that hangs on what the logs say is touched; what has a replica still is repaired. */
static void damage_in_a_log_stays(void **state) {
    (void)state;
    uint64_t log = 0;
    for (size_t i = 0; i < clean.map.n && log == 0; i++)
        if (clean.map.item[i].kind == META_WRITE)
            log = clean.map.item[i].off + 40;
    clean.bytes[log] ^= 1;
    snapshot(&clean, 0)->payload[100] ^= 1;
    is_left(&clean, "a log and the snapshot");
    clean.bytes[log] ^= 1;
    clean.bytes[100] ^= 1;
    assert_int_equal(repair(&clean), NOVA_OK);
    assert_int_equal(sum.repaired, 1);
    assert_int_equal(sum.errors, 1);
    assert_non_null(strstr(report, "error\tlog entry\t"));
    clean.bytes[log] ^= 1;
    assert_memory_equal(clean.bytes, clean.sound, clean.len);
}

/* The first superblock of another pool: by its uuid everything else looks damaged, and the replica is all there is. */
static void the_last_right_superblock_stays(void **state) {
    (void)state;
    struct victim *const pools[] = {&clean, &dirty};
    for (size_t i = 0; i < 2; i++) {
        struct fmt_sb *sb = (struct fmt_sb *)(void *)pools[i]->bytes;
        sb->uuid[0] ^= 1;
        fmt_sb_seal(sb);
        is_left(pools[i], "the first superblock of another pool");
    }
    struct fmt_sb *replica = (struct fmt_sb *)(void *)(clean.bytes + clean.len - BLK);
    replica->uuid[0] ^= 1;
    fmt_sb_seal(replica);
    is_repaired(&clean, "the replica of another pool");
}

/* ---- refusals ---- */

static void refuses(void **state) {
    (void)state;
    nova_pool *pool;
    struct nova_error err;
    size_t needed = 7;
    const struct nova_pool_options unknown = {.flags = 1u << 31};
    assert_int_equal(nova_pool_open(clean.path, &emulated, &pool, NULL), NOVA_OK);
    assert_int_equal(repair(&clean), NOVA_EBUSY);
    assert_int_equal(nova_pool_close(pool, NULL), NOVA_OK);
    victim_restore(&clean, true);
    assert_int_equal(nova_fsck_repair(NULL, NULL, report, sizeof report, &needed, NULL, &err), NOVA_EINVAL);
    assert_int_equal(nova_fsck_repair("", NULL, report, sizeof report, &needed, NULL, &err), NOVA_EINVAL);
    assert_int_equal(nova_fsck_repair(clean.path, &unknown, report, 10, &needed, NULL, &err), NOVA_EINVAL);
    assert_int_equal(nova_fsck_repair(clean.path, NULL, report, 10, NULL, NULL, &err), NOVA_EINVAL);
    assert_int_equal(nova_fsck_repair(store_path("none"), NULL, report, 10, &needed, NULL, &err), NOVA_ENOENT);
    assert_int_equal(needed, 0);
    assert_string_equal(report, "");
    clean.bytes[100] ^= 1;
    clean.bytes[clean.len - BLK + 100] ^= 1;
    assert_int_equal(repair(&clean), NOVA_ECORRUPT);
    clean.bytes[100] ^= 1;
    clean.bytes[clean.len - BLK + 100] ^= 1;
    assert_memory_equal(clean.bytes, clean.sound, clean.len);
}

/* Whoever asks again with more room must still hear what was repaired. */
static void a_report_that_does_not_fit_changes_nothing(void **state) {
    (void)state;
    static uint8_t before[NOVA_POOL_SIZE_MIN];
    size_t needed, again;
    clean.bytes[100] ^= 1;
    memcpy(before, clean.bytes, clean.len);
    assert_int_equal(nova_fsck_repair(clean.path, &emulated, NULL, 0, &needed, &sum, NULL), NOVA_OK);
    assert_true(needed > 20);
    assert_int_equal(nova_fsck_repair(clean.path, &emulated, report, needed, &again, &sum, NULL), NOVA_OK);
    assert_int_equal(again, needed);
    assert_memory_equal(before, clean.bytes, clean.len);
    assert_int_equal(nova_fsck_repair(clean.path, &emulated, report, needed + 1, &again, &sum, NULL), NOVA_OK);
    assert_int_equal(strlen(report), needed);
    assert_memory_equal(clean.sound, clean.bytes, clean.len);
}

/* ---- a system that refuses to persist ---- */

static struct image_ops failing;

static void put_under(struct pool_file *file) {
    file->ops = failing.ops;
}

static void a_refused_drain_ends_the_repair(void **state) {
    (void)state;
    unsigned n = 0;
    int rc;
    do {
        clean.bytes[17] ^= 1;
        clean.bytes[1000] ^= 1;
        state_slot(&clean, 0)->zero ^= 1;
        state_slot(&clean, 1)->zero ^= 1;
        image_slot(&clean.m, 0)->gen = 5;
        image_ops_init(&failing);
        failing.fail_from = ++n;
        pool_mapped_hook = put_under;
        rc = repair(&clean);
        pool_mapped_hook = NULL;
        if (rc == NOVA_OK)
            break;
        assert_int_equal(rc, NOVA_EOS);
        assert_string_equal(report, "");
        clean.bytes[2000] ^= 1; /* the stores have all arrived in this memory: something must be left to repair */
        is_repaired(&clean, "after a repair that was cut short");
    } while (n < 20);
    assert_int_equal(n, 8); /* the replica as found, superblock, the states as found, two new ones, what lies behind the
                               superblock, slot 0; then all went well */
    victim_restore(&clean, true);
}

static int make(void **state) {
    (void)state;
    victim_init(&clean, true);
    victim_init(&dirty, false);
    return 0;
}

static int drop(void **state) {
    (void)state;
    victim_free(&clean);
    victim_free(&dirty);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_byte_is_repaired_or_left),
        cmocka_unit_test(states_are_repaired),
        cmocka_unit_test(believable_snapshots_are_repaired),
        cmocka_unit_test(several_at_once_are_repaired),
        cmocka_unit_test(damage_in_a_log_stays),
        cmocka_unit_test(the_last_right_superblock_stays),
        cmocka_unit_test(refuses),
        cmocka_unit_test(a_report_that_does_not_fit_changes_nothing),
        cmocka_unit_test(a_refused_drain_ends_the_repair),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
