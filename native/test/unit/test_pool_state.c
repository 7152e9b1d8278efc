/* SPDX-License-Identifier: Apache-2.0 */
/* The two state slots as a decision table, torn and damaged ones, and snapshots that cannot be used: then the logs are
 * scanned. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "image.h"
#include "recovery/pool_state.h"
#include "rng.h"
#include "store.h"

#define MIB ((uint64_t)1 << 20)

static struct fmt_state *slot(const struct media *m, unsigned i) {
    return (struct fmt_state *)(void *)(media_blk(m, m->state_blk) + i * FMT_STATE_SLOT_OFF);
}

/* ---- the decision table ---- */

enum content { ZERO, DAMAGED, DIRTY, CLEAN, CLEAN_OTHER_SNAP, UNKNOWN, CONTENTS };

static struct fmt_state state_of(const struct media *m, enum content c, uint64_t seq) {
    struct fmt_state st = {0};
    if (c == ZERO)
        return st;
    st.magic = FMT_STATE_MAGIC;
    st.state = c == DIRTY || c == DAMAGED ? FMT_STATE_DIRTY : c == UNKNOWN ? 3 : FMT_STATE_CLEAN;
    st.seq = seq;
    st.snap_seq = c == CLEAN ? seq : c == CLEAN_OTHER_SNAP ? seq + 1 : 0;
    st.blocks_free = 17;
    fmt_state_seal(m, &st);
    if (c == DAMAGED)
        st.crc ^= 1;
    return st;
}

static void every_pair_of_slots(void **state) {
    (void)state;
    struct image im;
    image_new(&im, 2 * MIB, 1);
    static const uint64_t seqs[] = {0, 1, 2, 3, 4, 5, 6, 7, 1000, UINT64_MAX - 1, UINT64_MAX};
    const size_t n = sizeof seqs / sizeof *seqs;
    unsigned cleans = 0;
    for (unsigned a = 0; a < CONTENTS; a++)
        for (unsigned b = 0; b < CONTENTS; b++)
            for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < n; j++) {
                    struct pool_state ps;
                    *slot(&im.m, 0) = state_of(&im.m, (enum content)a, seqs[i]);
                    *slot(&im.m, 1) = state_of(&im.m, (enum content)b, seqs[j]);
                    bool even = a >= DIRTY && a != UNKNOWN && seqs[i] % 2 == 0,
                         odd = b >= DIRTY && b != UNKNOWN && seqs[j] % 2 == 1;
                    uint64_t seq = even && odd ? (seqs[i] > seqs[j] ? seqs[i] : seqs[j])
                                   : even      ? seqs[i]
                                   : odd       ? seqs[j]
                                               : 0;
                    unsigned last = even && seq == seqs[i] ? a : b;
                    uint64_t other = even && seq == seqs[i] ? seqs[j] : seqs[i];
                    bool clean = even && odd && other == seq - 1 && last == CLEAN;
                    pool_state_read(&im.m, &ps);
                    assert_int_equal(ps.seq, seq);
                    assert_int_equal(ps.clean, clean);
                    assert_int_equal(ps.st.blocks_free, clean ? 17 : 0);
                    cleans += clean;
                }
    assert_true(cleans > 10);
    image_delete(&im);
}

static void states_are_written_in_turn(void **state) {
    (void)state;
    struct image im;
    image_new(&im, 2 * MIB, 1);
    struct pool_state ps, again;
    pool_state_read(&im.m, &ps);
    assert_int_equal(ps.seq, 0);
    assert_false(ps.clean);
    for (uint64_t n = 1; n < 20; n++) {
        struct fmt_state next = {.state = n % 3 == 0 ? FMT_STATE_CLEAN : FMT_STATE_DIRTY, .blocks_free = n};
        struct fmt_state kept = *slot(&im.m, (unsigned)(n + 1) % 2);
        pool_state_write(&im.m, &ps, &next);
        assert_memory_equal(slot(&im.m, (unsigned)(n + 1) % 2), &kept, sizeof kept); /* the state before stays */
        pool_state_read(&im.m, &again);
        assert_int_equal(again.seq, n);
        assert_int_equal(ps.seq, n);
        assert_int_equal(again.clean, n % 3 == 0);
        assert_int_equal(ps.clean, again.clean);
        if (again.clean)
            assert_int_equal(again.st.blocks_free, n);
    }
    assert_int_equal(im.ops.drains, 0); /* the caller's business */
    image_delete(&im);
}

/* Any of the new slot's words may be there or not. Clean is only what was clean before, or the whole of the new state.
 */
static void torn_states_are_never_clean(void **state) {
    (void)state;
    for (int to_clean = 0; to_clean < 2; to_clean++) {
        struct image im;
        image_new(&im, 2 * MIB, 1);
        struct pool_state ps, read;
        pool_state_read(&im.m, &ps);
        for (int i = 0; i < 4; i++) {
            struct fmt_state st = {.state = (i == 3 && !to_clean) ? FMT_STATE_CLEAN : FMT_STATE_DIRTY,
                                   .blocks_free = 5};
            pool_state_write(&im.m, &ps, &st);
        }
        struct fmt_state *target = slot(&im.m, (unsigned)(ps.seq + 1) % 2), old = *target;
        struct fmt_state st = {
            .state = to_clean ? FMT_STATE_CLEAN : FMT_STATE_DIRTY, .blocks_free = 6, .inodes_used = 3};
        pool_state_write(&im.m, &ps, &st);
        struct fmt_state new = *target;
        for (unsigned words = 0; words < 256; words++) {
            for (unsigned w = 0; w < 8; w++)
                memcpy((uint8_t *)target + 8 * w, (const uint8_t *)(words >> w & 1 ? &new : &old) + 8 * w, 8);
            bool is_old = memcmp(target, &old, sizeof old) == 0, is_new = memcmp(target, &new, sizeof new) == 0;
            pool_state_read(&im.m, &read);
            assert_int_equal(read.clean, (is_old && !to_clean) || (is_new && to_clean));
            assert_int_equal(read.seq, is_new ? ps.seq : ps.seq - 1);
        }
        image_delete(&im);
    }
}

/* ---- snapshots in memory ---- */

static void a_snapshot_of_several_blocks(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    struct image im;
    image_new(&im, 136 * MIB, 2);
    for (int i = 0; i < 3000; i++) {
        uint32_t ino;
        (void)itable_alloc(&im.t, &ino, NULL);
        (void)alloc_one(im.a, 0);
    }
    for (int i = 0; i < 3000; i++)
        (void)alloc_free(im.a, im.m.data_blk + 1000 + rng_below(&r, 3000), 1);
    struct extent_list l;
    extent_list_init(&l);
    assert_true(alloc_blocks(im.a, 20000, 0, &l));
    extent_list_free(&l);
    snapshot_save(&im.m, im.a, &im.t, 42);
    struct fmt_state st = {.snap_seq = 42, .blocks_free = alloc_free_count(im.a), .inodes_used = im.t.used_count};
    for (int wrong = 0; wrong < 5; wrong++) {
        struct fmt_state asked = st;
        asked.snap_seq += wrong == 1;
        asked.blocks_free += wrong == 2;
        asked.inodes_used -= wrong == 3;
        uint32_t bits = FMT_SNAP_PAYLOAD * 8, n = (im.m.blocks + bits - 1) / bits + (im.m.inodes_max + bits - 1) / bits;
        struct fmt_snap *last = (struct fmt_snap *)(void *)media_blk(&im.m, im.m.snap_blk + n - 1);
        last->payload[0] ^= wrong == 4;
        struct allocator *a = alloc_new(im.m.blocks, im.m.data_blk, im.m.data_end, 7); /* any number of lanes */
        struct inode_table t;
        assert_int_equal(itable_load(&t, &im.m, a, NULL), NOVA_OK);
        assert_int_equal(snapshot_load(&im.m, a, &t, &asked), wrong == 0);
        if (wrong == 0) {
            for (uint32_t b = 0; b < im.m.blocks; b++)
                assert_int_equal(alloc_is_used(a, b), alloc_is_used(im.a, b));
            for (uint32_t i = 0; i < im.m.inodes_max; i++)
                assert_int_equal(itable_is_used(&t, i), itable_is_used(&im.t, i));
        }
        itable_unload(&t);
        alloc_delete(a);
    }
    image_delete(&im);
}

/* ---- on a pool ---- */

static const struct nova_pool_options emulated = {.flags = NOVA_OPT_EMULATED};

struct facts {
    uint32_t recovered;
    uint64_t blocks_free, inodes_used;
};

static struct facts open_and_close(const char *path) {
    struct nova_error err;
    struct nova_pool_info info;
    nova_pool *pool;
    if (nova_pool_open(path, &emulated, &pool, &err) != NOVA_OK)
        fail_msg("%s", err.msg);
    nova_pool_info(pool, &info);
    assert_int_equal(nova_pool_close(pool, &err), NOVA_OK);
    return (struct facts){info.recovered, info.blocks_free, info.inodes_used};
}

/* A cleanly closed pool with some files; a copy of it in *bytes. */
static const char *clean_pool(uint8_t **bytes, struct media *m, struct facts *facts) {
    const char *path = store_path("state");
    struct store s;
    struct store_file f;
    struct nova_error err;
    static const uint8_t data[50000];
    assert_int_equal(nova_pool_create(path, 2 * MIB, &emulated, &err), NOVA_OK);
    assert_int_equal(store_open(&s, path, NOVA_OPT_EMULATED), NOVA_OK);
    for (unsigned i = 0; i < 20; i++) {
        char name[20];
        (void)snprintf(name, sizeof name, "file%u", i);
        assert_int_equal(store_file_open(&s, name, true, &f), NOVA_OK);
        assert_int_equal(store_write(&f, 0, data, 100 + i * 2000), NOVA_OK);
        assert_int_equal(store_file_close(&f), NOVA_OK);
    }
    *facts = (struct facts){0, image_blocks_free(s.pool), 21};
    assert_int_equal(store_close(&s), NOVA_OK);
    image_map_file(m, path);
    *bytes = malloc(m->size);
    assert_non_null(*bytes);
    memcpy(*bytes, m->base, m->size);
    return path;
}

static void expect(const char *path, const struct facts *want, uint32_t recovered) {
    struct facts got = open_and_close(path);
    assert_int_equal(got.recovered, recovered);
    assert_int_equal(got.blocks_free, want->blocks_free);
    assert_int_equal(got.inodes_used, want->inodes_used);
}

/* Whatever is wrong with the saved state, the logs say the same; and the next close repairs it. */
static void a_useless_snapshot_means_a_scan(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    uint8_t *bytes;
    struct media m;
    struct facts facts;
    const char *path = clean_pool(&bytes, &m, &facts);
    expect(path, &facts, 0);
    for (int i = 0; i < 60; i++) {
        memcpy(m.base, bytes, m.size);
        struct fmt_snap *snap[2] = {(struct fmt_snap *)(void *)media_blk(&m, m.snap_blk),
                                    (struct fmt_snap *)(void *)media_blk(&m, m.snap_blk + 1)};
        struct fmt_snap *x = snap[i % 2];
        switch (i / 2) {
        case 0: memset(x, 0, sizeof *x); break;
        case 1: /* another block's content */ *x = *snap[1 - i % 2]; break;
        case 2: /* of an earlier close */
            x->seq -= 2;
            fmt_snap_seal(&m, x);
            break;
        case 3:
            x->index ^= 1;
            fmt_snap_seal(&m, x);
            break;
        case 4: /* counts that do not add up */
            x->payload[10] ^= 4;
            fmt_snap_seal(&m, x);
            break;
        case 5: /* an inode number that has no slot */
            snap[1]->payload[100] = 1;
            fmt_snap_seal(&m, snap[1]);
            break;
        default: ((uint8_t *)x)[rng_below(&r, NOVA_BLOCK_SIZE)] ^= (uint8_t)(1u << rng_below(&r, 8));
        }
        expect(path, &facts, 1);
        expect(path, &facts, 0);
    }
    image_unmap_file(&m);
    free(bytes);
    unlink(path);
}

static void damaged_states_mean_a_scan(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    uint8_t *bytes;
    struct media m;
    struct facts facts;
    const char *path = clean_pool(&bytes, &m, &facts);
    for (int i = 0; i < 60; i++) {
        memcpy(m.base, bytes, m.size);
        struct fmt_state *clean = slot(&m, 0), *x;
        if (clean->state != FMT_STATE_CLEAN)
            clean = slot(&m, 1);
        switch (i) {
        case 0:
            memset(media_blk(&m, m.state_blk), 0, NOVA_BLOCK_SIZE); /* both */
            break;
        case 1: memset(media_blk(&m, m.state_blk), 0xff, NOVA_BLOCK_SIZE); break;
        case 2:
            clean->blocks_free++;
            fmt_state_seal(&m, clean);
            break;
        case 3:
            clean->inodes_used++;
            fmt_state_seal(&m, clean);
            break;
        case 4:
            clean->state = FMT_STATE_DIRTY;
            fmt_state_seal(&m, clean);
            break;
        default:
            x = slot(&m, (unsigned)i % 2);
            ((uint8_t *)x)[rng_below(&r, sizeof *x)] ^= (uint8_t)(1u << rng_below(&r, 8));
        }
        expect(path, &facts, 1);
        expect(path, &facts, 0);
    }
    /* The largest sequence numbers do not trap the pool. */
    memcpy(m.base, bytes, m.size);
    for (unsigned i = 0; i < 2; i++) {
        struct fmt_state *x = slot(&m, i);
        x->seq = UINT64_MAX - 1 + i;
        x->state = FMT_STATE_DIRTY;
        fmt_state_seal(&m, x);
    }
    for (int i = 0; i < 3; i++) {
        struct facts got = open_and_close(path);
        assert_int_equal(got.blocks_free, facts.blocks_free);
    }
    expect(path, &facts, 0);
    image_unmap_file(&m);
    free(bytes);
    unlink(path);
}

/* An open pool is dirty from the first moment: whoever dies after nova_pool_open() leaves a pool that is scanned. */
static void open_means_dirty(void **state) {
    (void)state;
    uint8_t *bytes;
    struct media m;
    struct facts facts;
    struct nova_error err;
    nova_pool *pool;
    const char *path = clean_pool(&bytes, &m, &facts), *copy = store_path("state-copy");
    assert_int_equal(nova_pool_open(path, &emulated, &pool, &err), NOVA_OK);
    store_copy_file(path, copy);
    assert_int_equal(nova_pool_close(pool, &err), NOVA_OK);
    expect(copy, &facts, 1);
    expect(path, &facts, 0);
    image_unmap_file(&m);
    free(bytes);
    unlink(path);
    unlink(copy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_slots),
        cmocka_unit_test(states_are_written_in_turn),
        cmocka_unit_test(torn_states_are_never_clean),
        cmocka_unit_test(a_snapshot_of_several_blocks),
        cmocka_unit_test(a_useless_snapshot_means_a_scan),
        cmocka_unit_test(damaged_states_mean_a_scan),
        cmocka_unit_test(open_means_dirty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
