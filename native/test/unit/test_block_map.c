/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "inode/block_map.h"
#include "rng.h"

#define PAGES_MAX (UINT64_C(1) << 48) /* NOVA_FILE_SIZE_MAX in pages */

struct heard {
    uint64_t n, sum_pgoff, sum_blk, last_pgoff;
};

static void hear(void *arg, uint64_t pgoff, uint32_t blk) {
    struct heard *h = arg;
    h->n++;
    h->sum_pgoff += pgoff;
    h->sum_blk += blk;
    h->last_pgoff = pgoff;
}

static void empty(void **state) {
    (void)state;
    struct block_map m;
    struct heard h = {0};
    block_map_init(&m);
    assert_int_equal(block_map_get(&m, 0), 0);
    assert_int_equal(block_map_get(&m, UINT64_MAX), 0);
    block_map_truncate(&m, 0, hear, &h);
    block_map_each(&m, hear, &h);
    assert_true(block_map_set(&m, 7, 9, 0, hear, &h));
    assert_int_equal(h.n, 0);
    assert_int_equal(m.pages, 0);
    block_map_free(&m);
    block_map_free(&m);
}

/* Every power of 512 is where the tree grows by a level. */
static void levels_on_both_sides(void **state) {
    (void)state;
    struct block_map m;
    block_map_init(&m);
    uint32_t blk = 1;
    uint64_t pages = 0;
    for (unsigned shift = 0; shift < 64; shift += 9) {
        for (int d = -1; d <= 1; d++) {
            uint64_t pgoff = (UINT64_C(1) << shift) + (uint64_t)(int64_t)d;
            if (shift == 0 && d < 1)
                continue;
            assert_int_equal(block_map_get(&m, pgoff), 0);
            assert_true(block_map_set(&m, pgoff, blk, 1, NULL, NULL));
            assert_int_equal(block_map_get(&m, pgoff), blk++);
            assert_int_equal(m.pages, ++pages);
        }
    }
    assert_int_equal(block_map_get(&m, 0), 0);
    assert_true(block_map_set(&m, UINT64_MAX, 77, 1, NULL, NULL));
    assert_int_equal(block_map_get(&m, UINT64_MAX), 77);
    struct heard h = {0};
    block_map_truncate(&m, UINT64_MAX, hear, &h);
    assert_int_equal(h.n, 1);
    assert_int_equal(h.sum_blk, 77);
    assert_int_equal(block_map_get(&m, UINT64_MAX), 0);
    block_map_free(&m);
}

static void ranges_cross_leaves(void **state) {
    (void)state;
    struct block_map m;
    struct heard h = {0};
    block_map_init(&m);
    assert_true(block_map_set(&m, 500, 1000, 1100, hear, &h)); /* touches four leaves */
    assert_int_equal(h.n, 0);
    assert_int_equal(m.pages, 1100);
    assert_int_equal(block_map_get(&m, 499), 0);
    for (uint32_t i = 0; i < 1100; i++)
        assert_int_equal(block_map_get(&m, 500 + i), 1000 + i);
    assert_int_equal(block_map_get(&m, 1600), 0);
    assert_true(block_map_set(&m, 1023, 5000, 2, hear, &h));
    assert_int_equal(h.n, 2);
    assert_int_equal(h.sum_pgoff, 1023 + 1024);
    assert_int_equal(h.sum_blk, 1523 + 1524);
    assert_int_equal(m.pages, 1100);
    block_map_free(&m);
}

static void truncate_shrinks_the_tree(void **state) {
    (void)state;
    struct block_map m;
    struct heard h = {0};
    block_map_init(&m);
    assert_true(block_map_set(&m, 0, 10, 3, NULL, NULL));
    assert_true(block_map_set(&m, PAGES_MAX - 1, 20, 1, NULL, NULL));
    assert_int_equal(m.height, 6);
    block_map_truncate(&m, PAGES_MAX, hear, &h);
    assert_int_equal(h.n, 0);
    block_map_truncate(&m, PAGES_MAX - 1, hear, &h);
    assert_int_equal(h.n, 1);
    assert_int_equal(h.sum_pgoff, PAGES_MAX - 1);
    assert_int_equal(m.height, 1);
    assert_int_equal(m.pages, 3);
    block_map_truncate(&m, 1, hear, &h);
    assert_int_equal(h.n, 3);
    assert_int_equal(block_map_get(&m, 0), 10);
    assert_int_equal(block_map_get(&m, 1), 0);
    block_map_truncate(&m, 0, NULL, NULL);
    assert_int_equal(m.height, 0);
    assert_null(m.root);
    block_map_free(&m);
}

struct order {
    uint64_t n, next;
};

static void ascending(void *arg, uint64_t pgoff, uint32_t blk) {
    struct order *o = arg;
    (void)blk;
    assert_true(pgoff >= o->next);
    o->next = pgoff + 1;
    o->n++;
}

#define MODEL 4096u

/* What leaves the model in [at, at + count). */
static void unmap_model(uint32_t *model, uint64_t base, uint32_t at, uint32_t count, struct heard *want) {
    for (uint32_t i = at; i < at + count; i++) {
        if (model[i])
            hear(want, base + i, model[i]);
        model[i] = 0;
    }
}

/* Pages of the window removed from its middle, or put in. What comes in at its end, or leaves it there, is unmapped. */
static void shift_model(struct rng *r, struct block_map *m, uint32_t *model, uint64_t base) {
    uint32_t at = rng_below(r, MODEL), count = 1 + rng_below(r, rng_below(r, 2) ? 5 : 1500);
    struct heard h = {0}, want = {0};
    count = count < MODEL - at ? count : MODEL - at;
    if (rng_below(r, 2)) {
        unmap_model(model, base, at, count, &want);
        assert_true(block_map_collapse(m, base + at, count, hear, &h));
        memmove(model + at, model + at + count, (MODEL - at - count) * sizeof *model);
        memset(model + MODEL - count, 0, count * sizeof *model);
    } else {
        unmap_model(model, base, MODEL - count, count, &want);
        block_map_unmap(m, base + MODEL - count, count, hear, &h);
        assert_true(block_map_insert(m, base + at, count));
        memmove(model + at + count, model + at, (MODEL - at - count) * sizeof *model);
        memset(model + at, 0, count * sizeof *model);
    }
    assert_memory_equal(&h, &want, sizeof h);
}

/* Window `base` of the page space against an array. */
static void random_run(struct rng *r, uint64_t base) {
    static uint32_t model[MODEL];
    struct block_map m;
    block_map_init(&m);
    memset(model, 0, sizeof model);
    for (int step = 0; step < 400; step++) {
        uint32_t at = rng_below(r, MODEL);
        struct heard h = {0}, want = {0};
        if (rng_below(r, 5) == 0) {
            shift_model(r, &m, model, base);
        } else if (rng_below(r, 4)) {
            uint32_t count = 1 + rng_below(r, rng_below(r, 2) ? 5 : 1500), blk = 1 + rng_below(r, 1u << 30);
            count = count < MODEL - at ? count : MODEL - at;
            for (uint32_t i = 0; i < count; i++) {
                if (model[at + i])
                    hear(&want, base + at + i, model[at + i]);
                model[at + i] = blk + i;
            }
            assert_true(block_map_set(&m, base + at, blk, count, hear, &h));
        } else if (rng_below(r, 2)) {
            uint32_t count = 1 + rng_below(r, MODEL - at);
            unmap_model(model, base, at, count, &want);
            block_map_unmap(&m, base + at, count, hear, &h);
        } else {
            at = rng_below(r, 8) ? at : 0;
            unmap_model(model, base, at, MODEL - at, &want);
            block_map_truncate(&m, base + at, hear, &h);
        }
        assert_memory_equal(&h, &want, sizeof h);
        uint64_t pages = 0;
        for (uint32_t i = 0; i < MODEL; i++) {
            assert_int_equal(block_map_get(&m, base + i), model[i]);
            pages += model[i] != 0;
        }
        assert_int_equal(m.pages, pages);
        if (base)
            assert_int_equal(block_map_get(&m, base - 1), 0);
        struct order o = {0, base};
        block_map_each(&m, ascending, &o);
        assert_int_equal(o.n, pages);
    }
    block_map_free(&m);
}

/* A queue: pages come at the end and go at the start, for ever. Nothing moves. */
static void collapse_at_the_start(void **state) {
    (void)state;
    struct block_map m;
    block_map_init(&m);
    for (uint32_t i = 0; i < 3000; i++) {
        assert_true(block_map_set(&m, i < 100 ? i : 100, i + 1, 1, NULL, NULL));
        if (i < 100)
            continue;
        struct heard h = {0};
        assert_true(block_map_collapse(&m, 0, 1, hear, &h));
        assert_int_equal(h.n, 1);
        assert_int_equal(h.sum_pgoff, 0);
        assert_int_equal(h.sum_blk, i - 99);
        assert_int_equal(m.base, i - 99);
        assert_int_equal(block_map_get(&m, 0), i - 98);
        assert_int_equal(block_map_get(&m, 99), i + 1);
    }
    assert_true(block_map_insert(&m, 1, 2000)); /* one page moves, not 99 */
    assert_int_equal(m.base, 900);
    assert_int_equal(block_map_get(&m, 0), 2901);
    assert_int_equal(block_map_get(&m, 2001), 2902);
    block_map_unmap(&m, 0, UINT64_MAX, NULL, NULL);
    assert_int_equal(m.pages, 0);
    assert_int_equal(m.base, 0);
    assert_true(block_map_collapse(&m, 0, 5, NULL, NULL));
    assert_true(block_map_insert(&m, 0, 5));
    block_map_free(&m);
}

static void random_against_array(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    random_run(&r, 0);
    random_run(&r, 512 * 512 - 1000);
    random_run(&r, (UINT64_C(1) << 45) - 77);
    random_run(&r, PAGES_MAX - MODEL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty),
        cmocka_unit_test(levels_on_both_sides),
        cmocka_unit_test(ranges_cross_leaves),
        cmocka_unit_test(truncate_shrinks_the_tree),
        cmocka_unit_test(collapse_at_the_start),
        cmocka_unit_test(random_against_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
