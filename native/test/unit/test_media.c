/* SPDX-License-Identifier: Apache-2.0 */
/* Superblocks: each field out of its range, checksum, replica and its repair, versions and features. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/media.h"
#include "image.h"
#include "rng.h"
#include "store.h"

#define MIB ((uint64_t)1 << 20)

static struct fmt_sb layout(uint64_t size) {
    struct fmt_sb sb;
    struct nova_error err;
    assert_int_equal(media_layout(size, &sb, &err), NOVA_OK);
    memset(sb.uuid, 0x77, sizeof sb.uuid);
    fmt_sb_seal(&sb);
    return sb;
}

static int verify(struct fmt_sb sb) {
    struct nova_error err = {0};
    fmt_sb_seal(&sb);
    int rc = fmt_sb_verify(&sb, 4096, &err);
    assert_int_equal(err.code, rc);
    if (rc != NOVA_OK)
        assert_int_equal(err.pool_off, 4096);
    return rc;
}

/* ---- layout ---- */

static void sizes_out_of_range_are_refused(void **state) {
    (void)state;
    static const uint64_t bad[] = {0, 1, 4096, NOVA_POOL_SIZE_MIN - 1, (uint64_t)NOVA_POOL_SIZE_MAX + 1, UINT64_MAX};
    struct fmt_sb sb;
    struct nova_error err;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(media_layout(bad[i], &sb, &err), NOVA_EINVAL);
}

static void check_layout(uint64_t size) {
    struct fmt_sb sb = layout(size);
    assert_int_equal(verify(sb), NOVA_OK);
    assert_true(sb.size <= size && size - sb.size < NOVA_BLOCK_SIZE);
    uint64_t blocks = sb.size / NOVA_BLOCK_SIZE,
             slots = (uint64_t)sb.itable_count * FMT_PTRS_PER_BLK * FMT_SLOTS_PER_BLK;
    assert_true(slots >= blocks); /* as many inodes as blocks */
    uint64_t inodes = slots < INT32_MAX ? slots : INT32_MAX;
    uint64_t bits = FMT_SNAP_PAYLOAD * 8;
    assert_true(sb.snap_count * bits >= blocks + inodes);
    assert_int_equal(sb.data_end, blocks - 1);
    assert_true((uint64_t)(sb.data_end - sb.data_blk) * 100 >= blocks * 88); /* the overhead stays small */
    uint64_t later = size > (uint64_t)NOVA_POOL_SIZE_MAX / 8 ? (uint64_t)NOVA_POOL_SIZE_MAX : 8 * sb.size;
    assert_in_range(fmt_sb_size_max(&sb), later, NOVA_POOL_SIZE_MAX);
    uint64_t now = (blocks + 8191) / 8192, snap = (blocks + bits - 1) / bits + (now * 8192 + bits - 1) / bits;
    uint64_t spare = sb.itable_count - now + sb.snap_count - snap;
    assert_int_equal(fmt_sb_itable_used(&sb), now);
    assert_true(spare * 500 <= blocks); /* what is set aside for growing: 0.2 % at most */
}

/* The largest size that is allowed has a valid superblock, and a block more has not. */
static void as_large_as_the_snapshot_allows(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    for (int shift = 20; shift < 43; shift++) {
        for (int i = 0; i < 50; i++) {
            struct fmt_sb sb = layout(((uint64_t)1 << shift) + rng_next(&r) % ((uint64_t)1 << shift));
            uint32_t as_made = sb.snap_count;
            sb.snap_count -= rng_below(&r, sb.snap_count); /* as of an older pool */
            if (verify(sb) != NOVA_OK)
                sb.snap_count = as_made;
            uint64_t max = fmt_sb_size_max(&sb);
            assert_true(max >= sb.size && max <= (uint64_t)NOVA_POOL_SIZE_MAX);
            struct fmt_sb growing = fmt_sb_growing(&sb, max + NOVA_BLOCK_SIZE), grown;
            assert_int_equal(verify(growing), NOVA_ECORRUPT);
            if (max == sb.size)
                continue;
            growing = fmt_sb_growing(&sb, max);
            assert_int_equal(fmt_sb_verify(&growing, 0, NULL), NOVA_OK);
            grown = fmt_sb_grown(&growing);
            assert_int_equal(fmt_sb_verify(&grown, 0, NULL), NOVA_OK);
            assert_int_equal(grown.size, max);
        }
    }
}

static void every_size_has_a_valid_layout(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    check_layout(NOVA_POOL_SIZE_MIN);
    check_layout(NOVA_POOL_SIZE_MIN + 4095);
    check_layout(NOVA_POOL_SIZE_MAX);
    check_layout(NOVA_POOL_SIZE_MAX - 1);
    for (int shift = 20; shift < 43; shift++)
        for (int i = 0; i < 50; i++)
            check_layout(((uint64_t)1 << shift) + rng_next(&r) % ((uint64_t)1 << shift));
}

/* ---- one superblock ---- */

static void every_flipped_bit_is_detected(void **state) {
    (void)state;
    struct fmt_sb sb = layout(8 * MIB);
    assert_int_equal(fmt_sb_verify(&sb, 0, NULL), NOVA_OK);
    for (size_t bit = 0; bit < sizeof sb * 8; bit++) {
        struct fmt_sb x = sb;
        ((uint8_t *)&x)[bit / 8] ^= (uint8_t)(1u << bit % 8);
        int rc = fmt_sb_verify(&x, 0, NULL);
        assert_int_equal(rc, bit < 64 ? NOVA_ENOTPOOL : NOVA_ECORRUPT);
    }
}

static void versions_and_features(void **state) {
    (void)state;
    struct fmt_sb sb = layout(8 * MIB), x;
    static const uint32_t versions[] = {0, 2, 3, UINT32_MAX};
    for (size_t i = 0; i < 4; i++) {
        x = sb;
        x.version = versions[i];
        assert_int_equal(verify(x), NOVA_EVERSION);
    }
    for (int bit = 0; bit < 64; bit++) {
        x = sb;
        x.incompat = (uint64_t)1 << bit;
        assert_int_equal(verify(x), (x.incompat & FMT_INCOMPAT_ALL) != 0  ? NOVA_OK
                                    : x.incompat == FMT_INCOMPAT_RESIZING ? NOVA_ECORRUPT /* to what size? */
                                                                          : NOVA_EVERSION);
        x = sb;
        x.ro_compat = (uint64_t)1 << bit;
        assert_int_equal(verify(x), NOVA_EVERSION);
        x = sb;
        x.compat = (uint64_t)1 << bit;
        assert_int_equal(verify(x), NOVA_OK);
    }
}

/* Sets one field, expects ECORRUPT. */
#define BAD(field, value)                                                                                              \
    do {                                                                                                               \
        struct fmt_sb x_ = sb;                                                                                         \
        x_.field = (value);                                                                                            \
        if (verify(x_) != NOVA_ECORRUPT)                                                                               \
            fail_msg("%s = %llu is accepted", #field, (unsigned long long)(value));                                    \
    } while (0)
#define GOOD(field, value)                                                                                             \
    do {                                                                                                               \
        struct fmt_sb x_ = sb;                                                                                         \
        x_.field = (value);                                                                                            \
        if (verify(x_) != NOVA_OK)                                                                                     \
            fail_msg("%s = %llu is refused", #field, (unsigned long long)(value));                                     \
    } while (0)

static void every_field_out_of_range_is_refused(void **state) {
    (void)state;
    struct fmt_sb sb = layout(8 * MIB);
    assert_int_equal(verify(sb), NOVA_OK);
    BAD(block_size, 0u);
    BAD(block_size, 8192u);
    BAD(size, sb.size + 1);
    BAD(size, sb.size + NOVA_BLOCK_SIZE);
    BAD(size, sb.size - NOVA_BLOCK_SIZE);
    BAD(size, (uint64_t)0);
    BAD(size, (uint64_t)NOVA_POOL_SIZE_MAX + NOVA_BLOCK_SIZE);
    BAD(size, UINT64_MAX);
    BAD(state_blk, 0u);
    BAD(state_blk, sb.journal_blk);
    BAD(state_blk, UINT32_MAX);
    BAD(journal_blk, 0u);
    BAD(journal_blk, sb.state_blk);
    BAD(journal_blk, sb.journal_blk + 1);
    BAD(journal_blk, UINT32_MAX);
    BAD(journal_count, sb.journal_count + 1);
    BAD(journal_count, UINT32_MAX);
    BAD(journal_count, 0u);
    GOOD(journal_count, 1u);
    BAD(itable_blk, sb.itable_blk - 1);
    BAD(itable_blk, sb.itable_blk + 1);
    BAD(itable_blk, UINT32_MAX);
    BAD(itable_count, 0u);
    BAD(itable_count, sb.itable_count + 1);
    BAD(itable_count, UINT32_MAX);
    BAD(snap_blk, sb.snap_blk - 1);
    BAD(snap_blk, sb.snap_blk + 1);
    BAD(snap_blk, UINT32_MAX);
    BAD(snap_count, sb.snap_count - 1);
    BAD(snap_count, sb.snap_count + 1);
    BAD(snap_count, UINT32_MAX);
    BAD(snap_count, 0u);
    BAD(data_blk, sb.data_blk - 1);
    BAD(data_blk, sb.data_end);
    BAD(data_blk, UINT32_MAX);
    GOOD(data_blk, sb.data_end - 1);
    BAD(data_end, sb.data_end + 1);
    BAD(data_end, sb.data_end - 1);
    BAD(data_end, 0u);
    for (size_t i = 0; i < sizeof sb.zero; i++)
        BAD(zero[i], (uint8_t)1);
    BAD(grow_to, sb.size + NOVA_BLOCK_SIZE); /* without the feature */
    sb = fmt_sb_growing(&sb, sb.size + NOVA_BLOCK_SIZE);
    assert_int_equal(verify(sb), NOVA_OK);
    BAD(grow_to, (uint64_t)0);
    BAD(grow_to, sb.size);
    BAD(grow_to, sb.size - NOVA_BLOCK_SIZE);
    BAD(grow_to, sb.size + 1);
    BAD(grow_to, (uint64_t)NOVA_POOL_SIZE_MAX + NOVA_BLOCK_SIZE);
    BAD(grow_to, UINT64_MAX);
    GOOD(grow_to, sb.size + 3 * NOVA_BLOCK_SIZE);
    GOOD(seq, UINT32_MAX);
    GOOD(created, INT64_MIN);
}

/* An array of pointer blocks so long that its number of pointers does not fit 32 bits: more than any pool needs. */
static void inode_table_cannot_be_absurdly_long(void **state) {
    (void)state;
    for (int shift = 19; shift < 31; shift++) {
        struct fmt_sb sb = layout(NOVA_POOL_SIZE_MAX);
        uint32_t more = ((uint32_t)1 << shift) - sb.itable_count;
        if (sb.data_blk + (uint64_t)more >= sb.data_end)
            continue;
        sb.itable_count += more;
        sb.snap_blk += more;
        sb.data_blk += more;
        assert_int_equal(verify(sb), NOVA_ECORRUPT);
    }
}

/* ---- attaching ---- */

struct mem {
    uint8_t *base;
    uint64_t len;
};

static struct mem two_superblocks(const struct fmt_sb *first, const struct fmt_sb *last, uint64_t len) {
    struct mem x = {calloc(1, len), len};
    assert_non_null(x.base);
    if (first != NULL)
        memcpy(x.base, first, sizeof *first);
    if (last != NULL)
        memcpy(x.base + (len / NOVA_BLOCK_SIZE - 1) * NOVA_BLOCK_SIZE, last, sizeof *last);
    return x;
}

/* Attaches and frees. -1: from the primary, -2: from the replica, else the error. */
static int attach(struct mem x) {
    struct media m = {0};
    struct nova_error err = {0};
    bool from_replica = true;
    int rc = media_attach(&m, x.base, x.len, &pmem_ops_cpu, &from_replica, &err);
    assert_int_equal(rc, err.code);
    if (rc == NOVA_OK) {
        assert_int_equal(m.size, x.len);
        assert_int_equal(m.blocks, x.len / NOVA_BLOCK_SIZE);
        assert_int_equal(m.inodes_max, FMT_PTRS_PER_BLK * FMT_SLOTS_PER_BLK * m.itable_count);
        rc = from_replica ? -2 : -1;
    }
    free(x.base);
    return rc;
}

static void primary_first_replica_if_it_is_damaged(void **state) {
    (void)state;
    struct fmt_sb sb = layout(2 * MIB), bad = sb, newer = sb;
    bad.crc ^= 1;
    newer.version = 2;
    fmt_sb_seal(&newer);
    uint64_t len = 2 * MIB;
    assert_int_equal(attach(two_superblocks(&sb, &sb, len)), -1);
    assert_int_equal(attach(two_superblocks(&sb, &bad, len)), -1);
    assert_int_equal(attach(two_superblocks(&sb, NULL, len)), -1);
    assert_int_equal(attach(two_superblocks(&bad, &sb, len)), -2);
    assert_int_equal(attach(two_superblocks(NULL, &sb, len)), -2); /* creation stopped between the two */
    assert_int_equal(attach(two_superblocks(&bad, &bad, len)), NOVA_ECORRUPT);
    assert_int_equal(attach(two_superblocks(NULL, &bad, len)), NOVA_ENOTPOOL);
    assert_int_equal(attach(two_superblocks(NULL, NULL, len)), NOVA_ENOTPOOL);
    /* A pool of another version is not opened through an older replica. */
    assert_int_equal(attach(two_superblocks(&newer, &sb, len)), NOVA_EVERSION);
}

static void length_must_fit(void **state) {
    (void)state;
    struct fmt_sb sb = layout(2 * MIB), bad = sb;
    bad.crc ^= 1;
    assert_int_equal(attach(two_superblocks(&sb, NULL, 2 * MIB - NOVA_BLOCK_SIZE)), NOVA_ETRUNCATED);
    assert_int_equal(attach(two_superblocks(&sb, NULL, 2 * MIB - 1)), NOVA_ETRUNCATED);
    assert_int_equal(attach(two_superblocks(&sb, NULL, 2 * MIB + 1)), NOVA_ETRUNCATED);
    assert_int_equal(attach(two_superblocks(&sb, &sb, 2 * MIB + NOVA_BLOCK_SIZE)), NOVA_ETRUNCATED);
    assert_int_equal(attach(two_superblocks(&sb, NULL, NOVA_POOL_SIZE_MIN)), NOVA_ETRUNCATED);
    /* Cut shorter than any pool: its superblock still says what it was. */
    assert_int_equal(attach(two_superblocks(&sb, NULL, NOVA_POOL_SIZE_MIN - 1)), NOVA_ETRUNCATED);
    assert_int_equal(attach(two_superblocks(&sb, NULL, NOVA_BLOCK_SIZE)), NOVA_ETRUNCATED);
    assert_int_equal(attach(two_superblocks(&bad, NULL, NOVA_BLOCK_SIZE)), NOVA_ECORRUPT);
    assert_int_equal(attach(two_superblocks(NULL, NULL, NOVA_BLOCK_SIZE)), NOVA_ENOTPOOL);
    /* A replica of another length does not count. */
    assert_int_equal(attach(two_superblocks(&bad, &sb, 2 * MIB + NOVA_BLOCK_SIZE)), NOVA_ECORRUPT);
    static const uint64_t small[] = {1, 8, 255, 256};
    for (size_t i = 0; i < 4; i++) {
        struct mem x = {calloc(1, small[i]), small[i]};
        memcpy(x.base, &sb, small[i] < sizeof sb ? small[i] : sizeof sb);
        assert_int_equal(attach(x), small[i] < sizeof sb ? NOVA_ENOTPOOL : NOVA_ETRUNCATED);
    }
}

/* ---- a pool file ---- */

/* Damages one superblock of a pool file, opens, and finds both whole again. */
static void repaired_on_open(uint64_t off, uint64_t bytes, uint8_t with) {
    const char *path = store_path("media");
    struct nova_error err;
    struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED};
    assert_int_equal(nova_pool_create(path, 2 * MIB, &opt, &err), NOVA_OK);
    struct media m;
    image_map_file(&m, path);
    uint8_t good[sizeof(struct fmt_sb)];
    memcpy(good, m.base, sizeof good);
    memset(m.base + off, with, bytes);
    nova_pool *pool;
    assert_int_equal(nova_pool_open(path, &opt, &pool, &err), NOVA_OK);
    assert_memory_equal(m.base, good, sizeof good);
    assert_memory_equal(m.base + m.size - NOVA_BLOCK_SIZE, good, sizeof good);
    assert_int_equal(nova_pool_close(pool, &err), NOVA_OK);
    image_unmap_file(&m);
    unlink(path);
}

static void damaged_superblocks_are_repaired(void **state) {
    (void)state;
    repaired_on_open(0, 256, 0);
    repaired_on_open(0, 8, 0xff);
    repaired_on_open(60, 1, 0xff);
    repaired_on_open(2 * MIB - NOVA_BLOCK_SIZE, 256, 0);
    repaired_on_open(2 * MIB - NOVA_BLOCK_SIZE + 252, 4, 0x11);
}

static void both_damaged_is_an_error(void **state) {
    (void)state;
    const char *path = store_path("media");
    struct nova_error err;
    struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED};
    assert_int_equal(nova_pool_create(path, 2 * MIB, &opt, &err), NOVA_OK);
    struct media m;
    image_map_file(&m, path);
    m.base[100] ^= 1;
    m.base[m.size - NOVA_BLOCK_SIZE + 100] ^= 1;
    nova_pool *pool;
    assert_int_equal(nova_pool_open(path, &opt, &pool, &err), NOVA_ECORRUPT);
    assert_null(pool);
    assert_int_equal(err.pool_off, 0);
    m.base[0] ^= 1;
    assert_int_equal(nova_pool_open(path, &opt, &pool, &err), NOVA_ENOTPOOL);
    image_unmap_file(&m);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_out_of_range_are_refused),
        cmocka_unit_test(every_size_has_a_valid_layout),
        cmocka_unit_test(as_large_as_the_snapshot_allows),
        cmocka_unit_test(every_flipped_bit_is_detected),
        cmocka_unit_test(versions_and_features),
        cmocka_unit_test(every_field_out_of_range_is_refused),
        cmocka_unit_test(inode_table_cannot_be_absurdly_long),
        cmocka_unit_test(primary_first_replica_if_it_is_damaged),
        cmocka_unit_test(length_must_fit),
        cmocka_unit_test(damaged_superblocks_are_repaired),
        cmocka_unit_test(both_damaged_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
