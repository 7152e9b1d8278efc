/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that share an allocator: each block has one owner, and the reserve holds. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alloc_pool.h"
#include "rng.h"

#define THREADS 8

struct crowd {
    struct allocator *a;
    _Atomic uint8_t *owner;
    _Atomic uint32_t taken, wrong;
    _Atomic int stop;
    uint32_t data_blk;
    unsigned steps;
};

struct member {
    struct crowd *c;
    struct rng r;
    pthread_t t;
};

static void run_crowd(struct crowd *c, int n, void *(*fn)(void *), struct rng *r) {
    struct member m[THREADS];
    for (int i = 0; i < n; i++) {
        m[i].c = c;
        m[i].r.s = rng_next(r);
        assert_int_equal(pthread_create(&m[i].t, NULL, fn, &m[i]), 0);
    }
    for (int i = 0; i < n; i++)
        pthread_join(m[i].t, NULL);
}

static void own(struct crowd *c, uint32_t blk, uint32_t count) {
    for (uint32_t b = blk; b < blk + count; b++)
        c->wrong += atomic_exchange(&c->owner[b], 1) != 0;
}

static void disown(struct crowd *c, uint32_t blk, uint32_t count) {
    for (uint32_t b = blk; b < blk + count; b++)
        c->wrong += atomic_exchange(&c->owner[b], 0) != 1;
    c->wrong += !alloc_free(c->a, blk, count);
}

/* Takes and gives back at random; ends with nothing. */
static void *take_and_give(void *arg) {
    struct member *m = arg;
    struct crowd *c = m->c;
    struct nova_extent held[64];
    uint32_t n = 0;
    for (unsigned step = 0; step < c->steps; step++) {
        struct extent_list l;
        extent_list_init(&l);
        uint32_t want = rng_below(&m->r, 4) ? 1 : 1 + rng_below(&m->r, 600);
        if (n < 64 && alloc_blocks(c->a, want, rng_below(&m->r, 4) ? 0 : ALLOC_RESERVE, &l)) {
            c->wrong += list_blocks(&l) != want;
            for (uint32_t i = 0; i < l.n; i++) {
                own(c, l.ext[i].blk, l.ext[i].count);
                if (n < 64)
                    held[n++] = l.ext[i];
                else
                    disown(c, l.ext[i].blk, l.ext[i].count);
            }
        }
        extent_list_free(&l);
        for (uint32_t k = rng_below(&m->r, n > 40 ? 20 : 3); k && n; k--) {
            uint32_t i = rng_below(&m->r, n);
            disown(c, held[i].blk, held[i].count);
            held[i] = held[--n];
        }
    }
    while (n--)
        disown(c, held[n].blk, held[n].count);
    return NULL;
}

static void threads_never_share_a_block(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    for (uint32_t lanes = 1; lanes <= 8; lanes *= 2) {
        const uint32_t blocks = 10 * GROUP;
        struct crowd c = {.a = fresh(blocks, 9, blocks - 1, lanes), .steps = 4000};
        c.owner = calloc(blocks, 1);
        assert_non_null(c.owner);
        run_crowd(&c, THREADS, take_and_give, &r);
        assert_int_equal(c.wrong, 0);
        assert_int_equal(alloc_free_count(c.a), alloc_total(c.a));
        assert_int_equal(alloc_longest_free(c.a), alloc_total(c.a));
        assert_int_equal(count_used(c.a, 9, blocks - 1), 0);
        free(c.owner);
        alloc_delete(c.a);
    }
}

static void *take_until_none(void *arg) {
    struct member *m = arg;
    struct crowd *c = m->c;
    for (uint32_t most = 50;;) {
        uint32_t want = 1 + rng_below(&m->r, most);
        struct extent_list l;
        extent_list_init(&l);
        if (alloc_blocks(c->a, want, 0, &l)) {
            for (uint32_t i = 0; i < l.n; i++)
                own(c, l.ext[i].blk, l.ext[i].count);
            c->taken += want;
            extent_list_free(&l);
        } else if (want == 1) {
            return NULL;
        } else {
            most = want - 1;
        }
        c->wrong += alloc_free_count(c->a) < alloc_reserve(c->a); /* nobody frees, so the sum is never too low */
    }
}

static void threads_stop_exactly_at_the_reserve(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    for (int round = 0; round < 12; round++) {
        const uint32_t blocks = 3 * GROUP + rng_below(&r, 10 * GROUP), lanes = 1 + rng_below(&r, 12);
        struct crowd c = {.a = fresh(blocks, 20, blocks - 1, lanes)};
        c.owner = calloc(blocks, 1);
        assert_non_null(c.owner);
        run_crowd(&c, THREADS, take_until_none, &r);
        assert_int_equal(c.wrong, 0);
        assert_int_equal(c.taken, alloc_total(c.a) - alloc_reserve(c.a));
        assert_int_equal(alloc_free_count(c.a), alloc_reserve(c.a));
        free(c.owner);
        alloc_delete(c.a);
    }
}

/* While no more than the reserve is free, however its users take and give, plain requests get nothing. */
static void *knock(void *arg) {
    struct member *m = arg;
    struct crowd *c = m->c;
    while (!c->stop) {
        uint32_t want = 1 + rng_below(&m->r, 3);
        struct extent_list l;
        extent_list_init(&l);
        c->wrong += alloc_blocks(c->a, want, 0, &l);
        extent_list_free(&l);
    }
    return NULL;
}

static void *use_reserve(void *arg) {
    struct member *m = arg;
    struct crowd *c = m->c;
    for (unsigned step = 0; step < c->steps; step++) {
        uint32_t got[6], n = 0;
        while (n < 6 && (got[n] = alloc_one(c->a, ALLOC_RESERVE)) != 0)
            n++;
        while (n--)
            c->wrong += !alloc_free(c->a, got[n], 1);
    }
    c->stop = 1;
    return NULL;
}

static void *knock_or_use(void *arg) {
    struct member *m = arg;
    return m->r.s % 2 ? knock(arg) : use_reserve(arg);
}

static void the_reserve_holds_under_fire(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    const uint32_t blocks = 12 * GROUP;
    struct crowd c = {.a = fresh(blocks, 20, blocks - 1, 6), .steps = 3000};
    struct extent_list l;
    extent_list_init(&l);
    assert_true(alloc_blocks(c.a, alloc_total(c.a) - alloc_reserve(c.a), 0, &l));
    extent_list_free(&l);
    for (int round = 0; round < 4; round++) {
        struct member user = {.c = &c, .r = {rng_next(&r)}};
        c.stop = 0;
        assert_int_equal(pthread_create(&user.t, NULL, use_reserve, &user), 0);
        run_crowd(&c, 4, knock_or_use, &r);
        pthread_join(user.t, NULL);
        assert_int_equal(c.wrong, 0);
        assert_int_equal(alloc_free_count(c.a), alloc_reserve(c.a));
    }
    assert_true(alloc_free(c.a, 20, 1) || alloc_free(c.a, 20 + alloc_reserve(c.a), 1));
    assert_int_not_equal(alloc_one(c.a, 0), 0); /* one more than the reserve: open again, for one */
    assert_int_equal(alloc_one(c.a, 0), 0);
    alloc_delete(c.a);
}

static void *mark_some(void *arg) {
    struct member *m = arg;
    struct crowd *c = m->c;
    for (unsigned step = 0; step < c->steps; step++) {
        uint32_t blk = c->data_blk + rng_below(&m->r, 6 * GROUP - 64), count = 1 + rng_below(&m->r, 64), dup = 0;
        bool fresh_marks = alloc_mark_used(c->a, blk, count, &dup);
        uint32_t clashes = 0;
        for (uint32_t b = blk; b < blk + count; b++)
            clashes += atomic_fetch_add(&c->owner[b], 1) != 0;
        c->taken += count - clashes;
        c->wrong += !fresh_marks && (dup < blk || dup >= blk + count);
    }
    return NULL;
}

static void threads_mark_what_they_mark(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    const uint32_t blocks = 6 * GROUP + 20;
    struct crowd c = {.a = alloc_new(blocks, 10, blocks, 3), .data_blk = 10, .steps = 20};
    assert_non_null(c.a);
    c.owner = calloc(blocks, 1);
    assert_non_null(c.owner);
    run_crowd(&c, THREADS, mark_some, &r);
    alloc_ready(c.a);
    assert_int_equal(c.wrong, 0);
    assert_int_equal(alloc_free_count(c.a), alloc_total(c.a) - c.taken);
    for (uint32_t b = 10; b < blocks; b++)
        assert_int_equal(alloc_is_used(c.a, b), c.owner[b] != 0);
    free(c.owner);
    alloc_delete(c.a);
}

#define MARK_BLKS (100 * GROUP)

/* Every thread marks the same blocks: each block must be fresh to exactly one of them. */
static void *mark_all(void *arg) {
    struct member *m = arg;
    struct crowd *c = m->c;
    uint32_t mine = 0;
    for (uint32_t b = 10; b < 10 + MARK_BLKS; b++) {
        uint32_t dup;
        mine += alloc_mark_used(c->a, b, 1, &dup);
    }
    c->taken += mine;
    return NULL;
}

static void one_thread_wins_each_mark(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    for (int round = 0; round < 30; round++) {
        struct crowd c = {.a = alloc_new(MARK_BLKS + 20, 10, MARK_BLKS + 20, 3)};
        assert_non_null(c.a);
        run_crowd(&c, THREADS, mark_all, &r);
        assert_int_equal(c.taken, MARK_BLKS);
        alloc_delete(c.a);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_never_share_a_block),  cmocka_unit_test(threads_stop_exactly_at_the_reserve),
        cmocka_unit_test(the_reserve_holds_under_fire), cmocka_unit_test(threads_mark_what_they_mark),
        cmocka_unit_test(one_thread_wins_each_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
