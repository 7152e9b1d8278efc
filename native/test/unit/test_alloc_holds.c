/* SPDX-License-Identifier: Apache-2.0 */
/* Held blocks, and blocks in a row. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc_pool.h"
#include "rng.h"

#define DATA 16u

static uint32_t take_all(struct allocator *a) {
    uint32_t n = 0;
    while (alloc_one(a, ALLOC_RESERVE) != 0)
        n++;
    return n;
}

static void test_a_held_block_is_given_to_nobody(void **state) {
    (void)state;
    struct allocator *a = fresh(4 * GROUP, DATA, 4 * GROUP, 2);
    uint32_t blk = alloc_in_a_row(a, 8), free = alloc_free_count(a);
    assert_true(alloc_hold(a, blk, 4));
    assert_true(alloc_is_held(a, blk + 3, 1));
    assert_false(alloc_is_held(a, blk + 4, 1));
    assert_true(alloc_free(a, blk, 8));
    assert_int_equal(alloc_free_count(a), free + 4);
    assert_int_equal(alloc_held_free(a), 4);
    assert_false(alloc_free(a, blk + 2, 1)); /* once is enough */
    assert_false(alloc_free(a, blk, 8));
    assert_int_equal(take_all(a), free + 4); /* all, and no block of them */
    assert_true(alloc_is_used(a, blk));
    alloc_release(a, blk, 4);
    assert_int_equal(alloc_free_count(a), 4);
    assert_int_equal(alloc_held_free(a), 0);
    assert_false(alloc_has_holds(a));
    assert_int_equal(take_all(a), 4);
    alloc_delete(a);
}

static void test_several_holds(void **state) {
    (void)state;
    struct allocator *a = fresh(4 * GROUP, DATA, 4 * GROUP, 2);
    uint32_t blk = alloc_in_a_row(a, 200), free = alloc_free_count(a);
    assert_true(alloc_hold(a, blk, 130));
    assert_true(alloc_hold(a, blk + 60, 100));
    assert_true(alloc_hold(a, blk + 60, 100));
    assert_true(alloc_free(a, blk, 200));
    assert_int_equal(alloc_free_count(a), free + 40);
    alloc_release(a, blk + 60, 100);
    assert_int_equal(alloc_free_count(a), free + 40);
    alloc_release(a, blk, 130);
    assert_int_equal(alloc_free_count(a), free + 100);
    assert_true(alloc_is_held(a, blk + 60, 1));
    assert_false(alloc_is_held(a, blk + 59, 1));
    alloc_release(a, blk + 60, 100);
    assert_int_equal(alloc_free_count(a), free + 200);
    alloc_delete(a);
}

/* What was not freed stays used when it is no longer held; what the media hear is what was freed. */
static void test_bitmap_of_held_blocks(void **state) {
    (void)state;
    uint8_t bits[GROUP];
    struct allocator *a = fresh(4 * GROUP, DATA, 4 * GROUP, 2), *b = alloc_new(4 * GROUP, DATA, 4 * GROUP, 1);
    uint32_t blk = alloc_in_a_row(a, 8), free = alloc_free_count(a);
    assert_true(alloc_hold(a, blk, 8));
    assert_true(alloc_free(a, blk + 2, 3));
    alloc_bitmap_save(a, 0, bits, alloc_bitmap_bytes(a));
    alloc_bitmap_load(b, 0, bits, alloc_bitmap_bytes(a));
    alloc_ready(b);
    assert_int_equal(alloc_free_count(b), free + 3);
    assert_int_equal(alloc_free_count(b), alloc_free_count(a) + alloc_held_free(a));
    /* Held again: those that are free are nobody's. */
    assert_true(alloc_hold(b, blk, 8));
    assert_int_equal(alloc_free_count(b), free);
    assert_int_equal(alloc_held_free(b), 3);
    assert_int_equal(take_all(b), free);
    alloc_release(b, blk, 8);
    assert_int_equal(take_all(b), 3);
    alloc_delete(b);
    alloc_delete(a);
}

static void test_in_a_row_over_lanes(void **state) {
    (void)state;
    struct allocator *a = fresh(16 * GROUP, DATA, 16 * GROUP, 16);
    struct extent_list l;
    assert_int_equal(alloc_lanes(a), 16);
    uint32_t blk = alloc_in_a_row(a, 10 * GROUP);
    assert_int_equal(blk, 3 * GROUP); /* at the start of a group, with half of the rest behind */
    assert_int_equal(alloc_free_count(a), 16 * GROUP - DATA - 10 * GROUP);
    assert_int_equal(alloc_in_a_row(a, 3 * GROUP + 1), 0); /* there are two pieces */
    extent_list_init(&l);
    assert_true(alloc_blocks(a, 4 * GROUP, 0, &l));
    free_list(a, &l);
    assert_false(alloc_these(a, blk - 4, 8));
    assert_true(alloc_these(a, blk + 10 * GROUP, 600)); /* over the bounds of lanes */
    assert_true(alloc_free(a, blk, 10 * GROUP + 600));
    assert_false(alloc_these(a, DATA - 1, 2));
    assert_false(alloc_these(a, 16 * GROUP - 1, 2));
    assert_int_equal(alloc_free_count(a), 16 * GROUP - DATA);
    assert_int_equal(alloc_in_a_row(a, 16 * GROUP), 0);
    alloc_delete(a);
}

/* What others take next does not come from behind a row; so that it can go on. */
static void test_a_row_goes_on(void **state) {
    (void)state;
    struct allocator *a = fresh(8 * GROUP, DATA, 8 * GROUP, 2);
    uint32_t blk = alloc_in_a_row(a, 1), n = 1;
    for (; n < 200; n++) {
        assert_int_not_equal(alloc_one(a, 0), 0);
        assert_true(alloc_these(a, blk + n, 1));
    }
    alloc_delete(a);
}

/* Against a count per block. */
static void test_random_holds(void **state) {
    (void)state;
    enum { BLOCKS = 3 * GROUP, MAX = 40 };
    struct rng r = rng_start("random holds");
    struct nova_extent held[MAX];
    uint8_t holds[BLOCKS] = {0}, gone[BLOCKS] = {0}, used[BLOCKS] = {0};
    uint32_t n = 0;
    struct allocator *a = fresh(BLOCKS, DATA, BLOCKS, 3);
    for (int step = 0; step < 20000; step++) {
        uint32_t len = 1 + rng_below(&r, 70), at = DATA + rng_below(&r, BLOCKS - DATA - len);
        switch (rng_below(&r, 4)) {
        case 0: { /* take */
            bool ok = alloc_these(a, at, len), want = alloc_free_count(a) >= alloc_reserve(a);
            for (uint32_t i = at; i < at + len; i++)
                want = want && !used[i] && !gone[i];
            assert_true(!ok || want);
            for (uint32_t i = at; ok && i < at + len; i++)
                used[i] = 1;
            break;
        }
        case 1: { /* give back */
            bool want = true;
            for (uint32_t i = at; i < at + len; i++)
                want = want && used[i];
            assert_int_equal(alloc_free(a, at, len), want);
            for (uint32_t i = at; want && i < at + len; i++) {
                used[i] = 0;
                gone[i] = holds[i] != 0;
            }
            break;
        }
        case 2: { /* hold what is used */
            bool ok = n < MAX;
            for (uint32_t i = at; i < at + len; i++)
                ok = ok && used[i];
            if (!ok)
                break;
            assert_true(alloc_hold(a, at, len));
            held[n++] = (struct nova_extent){at, len};
            for (uint32_t i = at; i < at + len; i++)
                holds[i]++;
            break;
        }
        default:
            if (n == 0)
                break;
            uint32_t x = rng_below(&r, n);
            alloc_release(a, held[x].blk, held[x].count);
            for (uint32_t i = held[x].blk; i < held[x].blk + held[x].count; i++)
                gone[i] = --holds[i] == 0 ? 0 : gone[i];
            held[x] = held[--n];
        }
        if (step % 64 == 0) {
            uint32_t held_free = 0, taken = 0;
            for (uint32_t i = DATA; i < BLOCKS; i++) {
                assert_int_equal(alloc_is_used(a, i), used[i] || gone[i]);
                assert_int_equal(alloc_is_held(a, i, 1), holds[i] != 0);
                held_free += gone[i];
                taken += used[i];
            }
            assert_int_equal(alloc_held_free(a), held_free);
            assert_int_equal(alloc_free_count(a) + held_free + taken, BLOCKS - DATA);
        }
    }
    alloc_delete(a);
}

/* ---- threads: a block belongs to whoever has taken it until it is freed, and nobody holds it ---- */

#define THREADS 4u
#define SHARED (4 * GROUP)

static struct {
    struct allocator *a;
    _Atomic uint32_t owner[SHARED];
} shared;

static void *take_hold_free(void *arg) {
    struct rng *r = arg;
    for (int i = 0; i < 5000; i++) {
        struct extent_list l;
        extent_list_init(&l);
        if (!alloc_blocks(shared.a, 1 + rng_below(r, 9), 0, &l))
            continue;
        struct nova_extent x = l.ext[0];
        for (uint32_t k = 1; k < l.n; k++)
            assert_true(alloc_free(shared.a, l.ext[k].blk, l.ext[k].count));
        extent_list_free(&l);
        for (uint32_t b = x.blk; b < x.blk + x.count; b++)
            assert_int_equal(atomic_exchange(&shared.owner[b], 1), 0);
        bool hold = rng_below(r, 2) == 0;
        if (hold) {
            assert_true(alloc_hold(shared.a, x.blk, x.count));
            assert_true(alloc_free(shared.a, x.blk, x.count));
        }
        for (uint32_t b = x.blk; b < x.blk + x.count; b++)
            assert_int_equal(atomic_exchange(&shared.owner[b], 0), 1);
        if (hold)
            alloc_release(shared.a, x.blk, x.count);
        else
            assert_true(alloc_free(shared.a, x.blk, x.count));
    }
    return NULL;
}

static void test_holds_beside_threads(void **state) {
    (void)state;
    pthread_t thread[THREADS];
    struct rng seed = rng_start("holds beside threads"), r[THREADS];
    shared.a = fresh(SHARED, DATA, SHARED, 3);
    for (uint32_t i = 0; i < THREADS; i++) {
        r[i] = (struct rng){rng_next(&seed)};
        assert_int_equal(pthread_create(&thread[i], NULL, take_hold_free, &r[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    assert_int_equal(alloc_free_count(shared.a), SHARED - DATA);
    assert_int_equal(alloc_held_free(shared.a), 0);
    alloc_delete(shared.a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_held_block_is_given_to_nobody),
        cmocka_unit_test(test_several_holds),
        cmocka_unit_test(test_bitmap_of_held_blocks),
        cmocka_unit_test(test_in_a_row_over_lanes),
        cmocka_unit_test(test_a_row_goes_on),
        cmocka_unit_test(test_random_holds),
        cmocka_unit_test(test_holds_beside_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
