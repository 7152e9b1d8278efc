/* SPDX-License-Identifier: Apache-2.0 */
/* The inode table: growth, numbers given out once each, generations over reuse, damage of the pointer array,
 * exhaustion, threads. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image.h"
#include "rng.h"

#define MIB ((uint64_t)1 << 20)

static struct nova_error err;

static fmt_ptr *pointers(struct image *im) {
    return (fmt_ptr *)(void *)media_blk(&im->m, im->m.itable_blk);
}

static uint32_t take(struct image *im) {
    uint32_t ino = 0;
    assert_int_equal(itable_alloc(&im->t, &ino, &err), NOVA_OK);
    assert_true(ino >= 1);
    return ino;
}

static uint32_t init(struct image *im, uint32_t ino) {
    struct fmt_inode proto = {.type = NOVA_FILE};
    itable_init_slot(&im->t, ino, 0, &proto);
    assert_true(fmt_inode_ok(&im->m, itable_slot(&im->t, ino), ino));
    return itable_slot(&im->t, ino)->gen;
}

/* Loads the table again from the media; the status. */
static int reload(struct image *im) {
    struct inode_table t;
    memset(&err, 0, sizeof err);
    int rc = itable_load(&t, &im->m, im->a, &err);
    if (rc == NOVA_OK) {
        assert_int_equal(t.count, im->t.count);
        assert_memory_equal(t.blks, im->t.blks, t.count * sizeof *t.blks);
        itable_unload(&t);
    }
    return rc;
}

static void starts_empty_and_gives_out_the_root_first(void **state) {
    (void)state;
    struct image im;
    image_new(&im, 2 * MIB, 1);
    assert_int_equal(itable_slots(&im.t), 0);
    assert_null(itable_slot(&im.t, 0));
    assert_null(itable_slot(&im.t, 1));
    assert_null(itable_slot(&im.t, UINT32_MAX));
    assert_int_equal(take(&im), NOVA_ROOT_INO);
    assert_int_equal(itable_slots(&im.t), FMT_SLOTS_PER_BLK);
    assert_int_equal(im.t.used_count, 1);
    assert_null(itable_slot(&im.t, 0));
    assert_non_null(itable_slot(&im.t, 15));
    assert_null(itable_slot(&im.t, 16));
    image_delete(&im);
}

static void grows_by_a_block_of_slots(void **state) {
    (void)state;
    struct image im;
    image_new(&im, 4 * MIB, 1);
    uint32_t before = alloc_free_count(im.a);
    for (uint32_t ino = 1; ino < 200; ino++) {
        assert_int_equal(take(&im), ino);
        assert_int_equal(im.t.count, ino / FMT_SLOTS_PER_BLK + 1);
        assert_int_equal(alloc_free_count(im.a), before - im.t.count);
        assert_int_equal(itable_slot(&im.t, ino)->tail, 0); /* a fresh block is zeroed, whatever was in it */
        uint32_t blk;
        assert_true(fmt_ptr_get(&im.m, FMT_TAG_ITABLE, ino / FMT_SLOTS_PER_BLK, 0, 0,
                                pointers(&im)[ino / FMT_SLOTS_PER_BLK], &blk));
        assert_ptr_equal((uint8_t *)itable_slot(&im.t, ino),
                         media_blk(&im.m, blk) + ino % FMT_SLOTS_PER_BLK * FMT_SLOT);
        assert_int_equal(reload(&im), NOVA_OK);
    }
    image_delete(&im);
}

static void new_table_blocks_are_zeroed(void **state) {
    (void)state;
    struct image im;
    image_new(&im, 2 * MIB, 1);
    memset(media_blk(&im.m, im.m.data_blk), 0xa5, (size_t)(im.m.data_end - im.m.data_blk) * NOVA_BLOCK_SIZE);
    for (int i = 0; i < 40; i++) {
        uint32_t ino = take(&im);
        const uint8_t *slot = (const uint8_t *)itable_slot(&im.t, ino);
        for (size_t k = 0; k < FMT_SLOT; k++)
            assert_int_equal(slot[k], 0);
    }
    image_delete(&im);
}

static void generations_never_repeat(void **state) {
    (void)state;
    struct image im;
    image_new(&im, 2 * MIB, 1);
    uint32_t ino = take(&im);
    assert_int_equal(init(&im, ino), 1);
    for (uint32_t gen = 2; gen < 100; gen++) {
        itable_free(&im.t, ino);
        assert_int_equal(itable_slot(&im.t, ino)->tail, 0);
        assert_int_equal(im.t.used_count, 0);
        assert_false(itable_is_used(&im.t, ino));
        assert_int_equal(take(&im), ino);
        assert_int_equal(init(&im, ino), gen);
        assert_int_equal(im.t.used_count, 1);
    }
    /* The generation after the last one is 1: 0 means "any". */
    struct fmt_inode *slot = itable_slot(&im.t, ino);
    slot->gen = UINT32_MAX;
    fmt_inode_seal(&im.m, slot);
    assert_int_equal(init(&im, ino), 1);
    image_delete(&im);
}

static void slots_begin_with_an_empty_log(void **state) {
    (void)state;
    struct image im;
    image_new(&im, 2 * MIB, 1);
    uint32_t ino = take(&im);
    struct fmt_inode proto = {.type = NOVA_DIR, .mode = 0711, .uid = 3, .gid = 4, .btime = 55, .head = 99, .tail = 99};
    itable_init_slot(&im.t, ino, 0, &proto);
    struct fmt_inode *slot = itable_slot(&im.t, ino);
    struct log_end end;
    assert_true(fmt_tail_get(&im.m, ino, slot->gen, slot->tail, &end));
    assert_int_equal(end.pos.blk, 0);
    assert_int_equal(end.pos.idx, 0);
    assert_false(end.linked);
    assert_int_equal(slot->head, 0);
    assert_int_equal(slot->type, NOVA_DIR);
    assert_int_equal(slot->mode, 0711);
    assert_int_equal(slot->uid, 3);
    assert_int_equal(slot->gid, 4);
    assert_int_equal(slot->btime, 55);
    image_delete(&im);
}

/* ---- the pointer array on the media ---- */

static void damaged_pointers_are_reported(void **state) {
    (void)state;
    struct image im;
    image_new(&im, 8 * MIB, 1);
    while (im.t.count < 10)
        take(&im);
    fmt_ptr *p = pointers(&im);
    for (uint32_t i = 0; i < 10; i++) {
        fmt_ptr good = p[i];
        for (int bit = 0; bit < 64; bit++) {
            p[i] = good ^ (fmt_ptr)1 << bit;
            assert_int_equal(reload(&im), NOVA_ECORRUPT);
            assert_int_equal(err.pool_off, media_off(&im.m, &p[i]));
        }
        p[i] = 0; /* a gap, unless it is the last one */
        if (i < 9) {
            assert_int_equal(reload(&im), NOVA_ECORRUPT);
            assert_int_equal(err.pool_off, media_off(&im.m, &p[i]));
        }
        p[i] = fmt_ptr_make(&im.m, FMT_TAG_ITABLE, i, 0, 0, im.m.data_end); /* sealed, but outside */
        assert_int_equal(reload(&im), NOVA_ECORRUPT);
        p[i] = p[(i + 1) % 10]; /* another one's */
        assert_int_equal(reload(&im), NOVA_ECORRUPT);
        p[i] = good;
    }
    p[10] = 1;
    assert_int_equal(reload(&im), NOVA_ECORRUPT);
    p[10] = 0;
    p[FMT_PTRS_PER_BLK - 1] = 1;
    assert_int_equal(reload(&im), NOVA_ECORRUPT);
    p[FMT_PTRS_PER_BLK - 1] = 0;
    assert_int_equal(reload(&im), NOVA_OK);
    image_delete(&im);
}

static void a_block_named_twice_is_reported(void **state) {
    (void)state;
    struct image im;
    image_new(&im, 8 * MIB, 1);
    while (im.t.count < 3)
        take(&im);
    fmt_ptr *p = pointers(&im);
    struct inode_table t;
    struct allocator *a = alloc_new(im.m.blocks, im.m.data_blk, im.m.data_end, 1);
    assert_int_equal(itable_load(&t, &im.m, a, &err), NOVA_OK);
    assert_int_equal(itable_mark_blocks(&t, &err), NOVA_OK);
    for (uint32_t i = 0; i < 3; i++)
        assert_true(alloc_is_used(a, t.blks[i]));
    itable_unload(&t);
    alloc_delete(a);
    p[2] = fmt_ptr_make(&im.m, FMT_TAG_ITABLE, 2, 0, 0, im.t.blks[0]);
    a = alloc_new(im.m.blocks, im.m.data_blk, im.m.data_end, 1);
    assert_int_equal(itable_load(&t, &im.m, a, &err), NOVA_OK);
    assert_int_equal(itable_mark_blocks(&t, &err), NOVA_ECORRUPT);
    assert_int_equal(err.pool_off, media_off(&im.m, &p[2]));
    itable_unload(&t);
    alloc_delete(a);
    image_delete(&im);
}

/* ---- the bitmap ---- */

static void bitmap_goes_out_and_in(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    struct image im;
    image_new(&im, 8 * MIB, 1);
    for (int i = 0; i < 500; i++)
        take(&im);
    for (int i = 0; i < 200; i++) {
        uint32_t ino = 1 + rng_below(&r, 500);
        if (itable_is_used(&im.t, ino))
            itable_free(&im.t, ino);
    }
    uint32_t bytes = itable_bitmap_bytes(&im.t);
    assert_int_equal(bytes, (im.m.inodes_max + 7) / 8);
    uint8_t *map = malloc(bytes);
    for (uint32_t off = 0; off < bytes;) {
        uint32_t n = 1 + rng_below(&r, 700);
        n = n < bytes - off ? n : bytes - off;
        itable_bitmap_save(&im.t, off, map + off, n);
        off += n;
    }
    struct inode_table t;
    assert_int_equal(itable_load(&t, &im.m, im.a, &err), NOVA_OK);
    map[0] &= 0xfe; /* loading ignores inode 0 */
    for (uint32_t off = 0; off < bytes;) {
        uint32_t n = 1 + rng_below(&r, 700);
        n = n < bytes - off ? n : bytes - off;
        itable_bitmap_load(&t, off, map + off, n);
        off += n;
    }
    assert_true(itable_ready(&t));
    assert_int_equal(t.used_count, im.t.used_count);
    assert_true(itable_is_used(&t, 0));
    for (uint32_t ino = 1; ino < itable_slots(&t); ino++)
        assert_int_equal(itable_is_used(&t, ino), itable_is_used(&im.t, ino));
    /* A number in use that has no slot. */
    for (uint32_t ino = itable_slots(&t); ino < im.m.inodes_max; ino += 1 + rng_below(&r, 300)) {
        map[ino / 8] |= (uint8_t)(1u << ino % 8);
        itable_bitmap_load(&t, 0, map, bytes);
        assert_false(itable_ready(&t));
        map[ino / 8] &= (uint8_t) ~(1u << ino % 8);
    }
    itable_bitmap_load(&t, 0, map, bytes);
    assert_true(itable_ready(&t));
    itable_unload(&t);
    free(map);
    image_delete(&im);
}

static void marks_are_taken_once(void **state) {
    (void)state;
    struct image im;
    image_new(&im, 2 * MIB, 1);
    uint32_t ino = take(&im);
    assert_false(itable_mark_used(&im.t, ino));
    assert_true(itable_mark_used(&im.t, ino + 1));
    assert_false(itable_mark_used(&im.t, ino + 1));
    assert_int_equal(im.t.used_count, 2);
    assert_int_equal(take(&im), ino + 2);
    image_delete(&im);
}

/* ---- exhaustion and failure ---- */

static void no_block_no_inode(void **state) {
    (void)state;
    struct image im;
    image_new(&im, 2 * MIB, 1);
    while (im.t.count < 2)
        take(&im);
    while (alloc_one(im.a, 0) != 0)
        ;
    uint32_t left = alloc_free_count(im.a), ino = 0, n = 0, last = 0;
    while (itable_alloc(&im.t, &ino, &err) == NOVA_OK) { /* what is left of the second block */
        n++;
        last = ino;
    }
    assert_int_equal(err.code, NOVA_ENOSPC);
    assert_int_equal(n, 15);
    assert_int_equal(alloc_free_count(im.a), left); /* the reserve is not for this */
    assert_int_equal(im.t.count, 2);
    itable_free(&im.t, last);
    assert_int_equal(take(&im), last); /* any free number is found again */
    assert_true(alloc_free(im.a, im.m.data_blk + 5, 1));
    take(&im);
    assert_int_equal(im.t.count, 3);
    image_delete(&im);
}

/* A table as large as its pointer array: every number is given out once, then ENOSPC. */
static void every_number_to_the_last(void **state) {
    (void)state;
    struct image im;
    image_new(&im, 8 * MIB, 1);
    uint8_t *seen = calloc(im.m.inodes_max, 1);
    for (uint32_t n = 1; n < im.m.inodes_max; n++) {
        uint32_t ino = take(&im);
        assert_true(ino < im.m.inodes_max);
        assert_int_equal(seen[ino], 0);
        seen[ino] = 1;
    }
    free(seen);
    uint32_t ino, left = alloc_free_count(im.a);
    assert_int_equal(itable_alloc(&im.t, &ino, &err), NOVA_ENOSPC);
    assert_int_equal(alloc_free_count(im.a), left);
    assert_int_equal(itable_slots(&im.t), im.m.inodes_max);
    assert_int_equal(reload(&im), NOVA_OK);
    itable_free(&im.t, 4321);
    assert_int_equal(take(&im), 4321);
    assert_int_equal(itable_alloc(&im.t, &ino, &err), NOVA_ENOSPC);
    assert_int_equal(im.t.used_count, im.m.inodes_max - 1);
    image_delete(&im);
}

static void a_refused_drain_is_an_error(void **state) {
    (void)state;
    struct image im;
    image_new(&im, 2 * MIB, 1);
    take(&im);
    for (int i = 0; i < 14; i++)
        take(&im);
    im.ops.fail_from = 1;
    uint32_t ino = 7777;
    assert_int_equal(itable_alloc(&im.t, &ino, &err), NOVA_EOS);
    assert_int_equal(ino, 7777);
    assert_int_equal(im.t.count, 1);
    image_delete(&im);
}

/* ---- threads ---- */

#define THREADS 4
#define ROUNDS 3000
#define HOLD 40

struct worker {
    struct image *im;
    _Atomic uint32_t *owner;
    uint32_t id;
    struct rng r;
    int wrong;
    pthread_t t;
};

static void *work(void *arg) {
    struct worker *w = arg;
    uint32_t held[HOLD], n = 0;
    struct nova_error e;
    for (int i = 0; i < ROUNDS; i++) {
        if (n < HOLD && rng_below(&w->r, 5) < 3) {
            uint32_t ino;
            if (itable_alloc(&w->im->t, &ino, &e) != NOVA_OK) {
                w->wrong++;
                continue;
            }
            w->wrong += __atomic_exchange_n((uint32_t *)(uintptr_t)&w->owner[ino], w->id, __ATOMIC_RELAXED) != 0;
            struct fmt_inode proto = {.type = NOVA_FILE, .uid = w->id};
            itable_init_slot(&w->im->t, ino, 0, &proto);
            held[n++] = ino;
        } else if (n != 0) {
            uint32_t k = rng_below(&w->r, n), ino = held[k];
            held[k] = held[--n];
            struct fmt_inode *slot = itable_slot(&w->im->t, ino);
            w->wrong += slot == NULL || !fmt_inode_ok(&w->im->m, slot, ino) || slot->uid != w->id || slot->tail == 0;
            w->wrong += __atomic_exchange_n((uint32_t *)(uintptr_t)&w->owner[ino], 0, __ATOMIC_RELAXED) != w->id;
            itable_free(&w->im->t, ino);
        }
    }
    while (n != 0) {
        __atomic_store_n((uint32_t *)(uintptr_t)&w->owner[held[--n]], 0, __ATOMIC_RELAXED);
        itable_free(&w->im->t, held[n]);
    }
    return NULL;
}

static void threads_never_share_a_number(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    struct image im;
    image_new(&im, 8 * MIB, 4);
    im.ops.ops = pmem_ops_cpu; /* the counting one is not for threads */
    _Atomic uint32_t *owner = calloc(im.m.inodes_max, sizeof *owner);
    struct worker w[THREADS];
    for (uint32_t i = 0; i < THREADS; i++) {
        w[i] = (struct worker){.im = &im, .owner = owner, .id = i + 1, .r = {rng_next(&r)}};
        assert_int_equal(pthread_create(&w[i].t, NULL, work, &w[i]), 0);
    }
    int wrong = 0;
    for (uint32_t i = 0; i < THREADS; i++) {
        pthread_join(w[i].t, NULL);
        wrong += w[i].wrong;
    }
    assert_int_equal(wrong, 0);
    assert_int_equal(im.t.used_count, 0);
    assert_true(im.t.count * FMT_SLOTS_PER_BLK <=
                THREADS * HOLD + THREADS * FMT_SLOTS_PER_BLK + 64); /* reuse before growth */
    assert_int_equal(alloc_free_count(im.a), alloc_total(im.a) - im.t.count);
    assert_int_equal(reload(&im), NOVA_OK);
    free((void *)(uintptr_t)owner);
    image_delete(&im);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_empty_and_gives_out_the_root_first),
        cmocka_unit_test(grows_by_a_block_of_slots),
        cmocka_unit_test(new_table_blocks_are_zeroed),
        cmocka_unit_test(generations_never_repeat),
        cmocka_unit_test(slots_begin_with_an_empty_log),
        cmocka_unit_test(damaged_pointers_are_reported),
        cmocka_unit_test(a_block_named_twice_is_reported),
        cmocka_unit_test(bitmap_goes_out_and_in),
        cmocka_unit_test(marks_are_taken_once),
        cmocka_unit_test(no_block_no_inode),
        cmocka_unit_test(every_number_to_the_last),
        cmocka_unit_test(a_refused_drain_is_an_error),
        cmocka_unit_test(threads_never_share_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
