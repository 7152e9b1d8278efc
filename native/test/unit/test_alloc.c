/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_pool.h"
#include "rng.h"

/* ---- extent lists ---- */

static void extent_lists_merge_and_grow(void **state) {
    (void)state;
    struct extent_list l;
    extent_list_init(&l);
    assert_true(extent_list_add(&l, 10, 5));
    assert_true(extent_list_add(&l, 15, 1)); /* adjacent */
    assert_int_equal(l.n, 1);
    assert_int_equal(l.ext[0].count, 6);
    assert_true(extent_list_add(&l, 17, 1)); /* one apart */
    assert_int_equal(l.n, 2);
    for (uint32_t i = 2; i < 1000; i++) {
        assert_true(extent_list_add(&l, i * 2000, i));
        assert_int_equal(l.n, i + 1);
    }
    assert_int_equal(l.ext[0].blk, 10);
    assert_int_equal(l.ext[1].blk, 17);
    for (uint32_t i = 2; i < 1000; i++) {
        assert_int_equal(l.ext[i].blk, i * 2000);
        assert_int_equal(l.ext[i].count, i);
    }
    extent_list_free(&l);
    assert_int_equal(l.n, 0);
    struct extent_list zero;
    memset(&zero, 0, sizeof zero);
    extent_list_free(&zero);
    memset(&zero, 0, sizeof zero);
    assert_true(extent_list_add(&zero, 1, 1));
    assert_int_equal(zero.ext[0].blk, 1);
    extent_list_free(&zero);
}

/* ---- construction ---- */

static void bounds_of_construction(void **state) {
    (void)state;
    assert_null(alloc_new(100, 0, 100, 1));
    assert_null(alloc_new(100, 50, 50, 1));
    assert_null(alloc_new(100, 50, 101, 1));
    alloc_delete(NULL);
    const struct {
        uint32_t blocks, data_blk, data_end, lanes, want_lanes;
    } cases[] = {
        {256, 10, 255, 8, 1},
        {512, 1, 512, 8, 1},
        {513, 1, 513, 8, 2},
        {1024, 511, 1024, 8, 2},
        {1024, 512, 1024, 8, 1},
        {8 * GROUP, 1, 8 * GROUP - 1, 0, 1},
        {8 * GROUP, 1, 8 * GROUP - 1, 7, 7},
        {70 * GROUP, 3, 70 * GROUP - 1, 65, 64},
        {70 * GROUP, 3, 70 * GROUP - 1, 64, 64},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct allocator *a = fresh(cases[i].blocks, cases[i].data_blk, cases[i].data_end, cases[i].lanes);
        assert_int_equal(alloc_lanes(a), cases[i].want_lanes);
        assert_int_equal(alloc_total(a), cases[i].data_end - cases[i].data_blk);
        assert_int_equal(alloc_free_count(a), alloc_total(a));
        assert_int_equal(alloc_longest_free(a), alloc_total(a));
        assert_int_equal(count_used(a, 0, cases[i].data_blk), cases[i].data_blk);
        assert_int_equal(count_used(a, cases[i].data_blk, cases[i].data_end), 0);
        assert_int_equal(count_used(a, cases[i].data_end, cases[i].blocks), cases[i].blocks - cases[i].data_end);
        assert_true(alloc_is_used(a, cases[i].blocks));
        assert_true(alloc_is_used(a, UINT32_MAX));
        alloc_delete(a);
    }
}

static void size_of_the_reserve(void **state) {
    (void)state;
    const struct {
        uint32_t total, reserve;
    } cases[] = {{1, 0},    {3, 0},    {4, 1},         {31, 7},        {32, 8},       {1024, 8},
                 {1151, 8}, {1152, 9}, {524160, 4095}, {524288, 4096}, {600000, 4096}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct allocator *a = fresh(cases[i].total + 1, 1, cases[i].total + 1, 4);
        assert_int_equal(alloc_reserve(a), cases[i].reserve);
        alloc_delete(a);
    }
}

/* ---- exact ends of space ---- */

static const struct {
    uint32_t data_blk, total, lanes;
} pools[] = {{1, 1, 1}, {5, 40, 1}, {600, 3000, 3}, {511, 514, 2}, {77, 20 * GROUP, 8}, {513, 100 * GROUP + 13, 64}};
#define POOLS (sizeof pools / sizeof pools[0])

static struct allocator *pool(size_t i) {
    return fresh(pools[i].data_blk + pools[i].total + 3, pools[i].data_blk, pools[i].data_blk + pools[i].total,
                 pools[i].lanes);
}

static void one_by_one_to_the_last(void **state) {
    (void)state;
    for (size_t p = 0; p < POOLS; p++) {
        struct allocator *a = pool(p);
        uint32_t total = alloc_total(a), reserve = alloc_reserve(a), blk;
        uint8_t *seen = calloc(pools[p].data_blk + total, 1);
        assert_non_null(seen);
        for (uint32_t i = 0; i < total; i++) {
            unsigned flags = i < total - reserve ? 0 : ALLOC_RESERVE;
            if (flags)
                assert_int_equal(alloc_one(a, 0), 0);
            blk = alloc_one(a, flags);
            assert_in_range(blk, pools[p].data_blk, pools[p].data_blk + total - 1);
            assert_int_equal(seen[blk]++, 0);
            assert_true(alloc_is_used(a, blk));
            assert_int_equal(alloc_free_count(a), total - 1 - i);
        }
        assert_int_equal(alloc_one(a, ALLOC_RESERVE), 0);
        assert_int_equal(alloc_one(a, 0), 0);
        assert_int_equal(alloc_longest_free(a), 0);
        /* The reserve fills up again before anybody else gets a block. */
        for (uint32_t i = 0; i < total; i++) {
            assert_true(alloc_free(a, pools[p].data_blk + i, 1));
            assert_int_equal(alloc_free_count(a), i + 1);
            blk = alloc_one(a, 0);
            assert_int_equal(blk != 0, i + 1 > reserve);
            if (blk)
                assert_true(alloc_free(a, blk, 1));
        }
        free(seen);
        alloc_delete(a);
    }
}

static void exactly_all_but_the_reserve(void **state) {
    (void)state;
    for (size_t p = 0; p < POOLS; p++) {
        struct allocator *a = pool(p);
        uint32_t total = alloc_total(a), reserve = alloc_reserve(a);
        struct extent_list l;
        extent_list_init(&l);
        assert_false(alloc_blocks(a, total - reserve + 1, 0, &l));
        assert_int_equal(l.n, 0);
        assert_int_equal(alloc_free_count(a), total);
        assert_true(alloc_blocks(a, total - reserve, 0, &l));
        assert_int_equal(list_blocks(&l), total - reserve);
        assert_in_range(l.n, 1, 2); /* lanes are neighbours; the rest may lie in the middle of one */
        assert_int_equal(alloc_free_count(a), reserve);
        struct extent_list m;
        extent_list_init(&m);
        assert_false(alloc_blocks(a, 1, 0, &m));
        assert_false(alloc_blocks(a, reserve + 1, ALLOC_RESERVE, &m));
        assert_int_equal(m.n, 0);
        assert_int_equal(alloc_free_count(a), reserve);
        assert_true(alloc_blocks(a, reserve, ALLOC_RESERVE, &m)); /* of nothing, if it is nothing */
        assert_int_equal(alloc_free_count(a), 0);
        free_list(a, &m);
        free_list(a, &l);
        assert_int_equal(alloc_free_count(a), total);
        assert_int_equal(count_used(a, pools[p].data_blk, pools[p].data_blk + total), 0);
        alloc_delete(a);
    }
}

static void nothing_wanted(void **state) {
    (void)state;
    struct allocator *a = pool(2);
    struct extent_list l;
    extent_list_init(&l);
    assert_true(alloc_blocks(a, 0, 0, &l));
    assert_int_equal(l.n, 0);
    assert_false(alloc_blocks(a, UINT32_MAX, 0, &l));
    assert_false(alloc_blocks(a, UINT32_MAX, ALLOC_RESERVE, &l));
    assert_int_equal(alloc_free_count(a), alloc_total(a));
    alloc_delete(a);
}

/* ---- contiguity ---- */

static void one_extent_where_there_is_one(void **state) {
    (void)state;
    struct allocator *a = fresh(64 * GROUP, 7, 64 * GROUP - 1, 4); /* 16 groups a lane */
    const uint32_t sizes[] = {2, 3, 63, 64, 65, 511, 512, 513, 700, 1024, 4 * GROUP + 100, 15 * GROUP};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct extent_list l;
        extent_list_init(&l);
        assert_true(alloc_blocks(a, sizes[i], 0, &l));
        assert_int_equal(l.n, 1);
        assert_int_equal(l.ext[0].count, sizes[i]);
        if (sizes[i] >= GROUP)
            assert_int_equal(l.ext[0].blk % GROUP, 0);
        assert_int_equal(count_used(a, l.ext[0].blk, l.ext[0].blk + sizes[i]), sizes[i]);
        extent_list_free(&l);
    }
    alloc_delete(a);
}

/* A whole group that came free again is preferred to a run that is long enough but begins elsewhere. */
static void freed_groups_are_whole_again(void **state) {
    (void)state;
    struct allocator *a = fresh(8 * GROUP, 1, 8 * GROUP, 1);
    struct extent_list l;
    extent_list_init(&l);
    assert_true(alloc_blocks(a, alloc_total(a), ALLOC_RESERVE, &l));
    extent_list_free(&l);
    for (uint32_t b = GROUP + 100; b < 3 * GROUP; b += 100) /* in pieces: 100 to 1536 */
        assert_true(alloc_free(a, b, 3 * GROUP - b < 100 ? 3 * GROUP - b : 100));
    uint32_t one = alloc_one(a, 0); /* the first request after a full pool decides for all lanes, and reopens them */
    assert_true(alloc_free(a, one, 1));
    assert_true(alloc_blocks(a, GROUP, 0, &l));
    assert_int_equal(l.n, 1);
    assert_int_equal(l.ext[0].blk, 2 * GROUP);
    extent_list_free(&l);
    alloc_delete(a);
}

/* A single run, wherever it lies, is found for every want up to its length, and not cut for want of alignment. */
static void finds_the_only_run(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    for (int round = 0; round < 60; round++) {
        uint32_t blocks = 16 * GROUP, lanes = 4, len = 10 + rng_below(&r, 3 * GROUP);
        uint32_t lane = rng_below(&r, lanes), blk = lane * 4 * GROUP + rng_below(&r, 4 * GROUP - len) + (lane == 0),
                 dup;
        struct allocator *a = alloc_new(blocks, 1, blocks, lanes);
        assert_non_null(a);
        blk = blk < blocks - len ? blk : blocks - len;
        for (uint32_t b = 1; b < blocks; b++) /* dust elsewhere, so that the reserve is no matter */
            if ((b < blk || b >= blk + len) && (b % 2 || b + 1 == blk || b == blk + len))
                assert_true(alloc_mark_used(a, b, 1, &dup));
        alloc_ready(a);
        assert_in_range(alloc_longest_free(a), len, len + 1);
        uint32_t want = 2 + rng_below(&r, len - 1);
        struct extent_list l;
        extent_list_init(&l);
        assert_true(alloc_blocks(a, want, 0, &l));
        assert_int_equal(l.n, 1);
        assert_in_range(l.ext[0].blk, blk, blk + len - want);
        free_list(a, &l);
        alloc_delete(a);
    }
}

static void fragments_when_it_must(void **state) {
    (void)state;
    struct allocator *a = alloc_new(8 * GROUP + 1, 1, 8 * GROUP + 1, 4);
    uint32_t dup, free_n = 4 * GROUP;
    assert_non_null(a);
    for (uint32_t b = 1; b < 8 * GROUP + 1; b += 2)
        assert_true(alloc_mark_used(a, b, 1, &dup));
    alloc_ready(a);
    assert_int_equal(alloc_free_count(a), free_n);
    assert_int_equal(alloc_longest_free(a), 1);
    struct extent_list l, m;
    extent_list_init(&l);
    assert_true(alloc_blocks(a, 1000, 0, &l));
    assert_int_equal(l.n, 1000);
    assert_int_equal(list_blocks(&l), 1000);
    assert_int_equal(alloc_free_count(a), free_n - 1000);
    free_list(a, &l);
    /* Two longer runs, in different lanes: they come first. */
    assert_true(alloc_free(a, 4 * GROUP + 101, 1));
    assert_true(alloc_free(a, 4 * GROUP + 103, 1));
    assert_true(alloc_free(a, 6 * GROUP + 101, 1));
    assert_int_equal(alloc_longest_free(a), 5);
    extent_list_init(&m);
    assert_true(alloc_blocks(a, 4, 0, &m));
    assert_int_equal(m.n, 1);
    free_list(a, &m);
    assert_true(alloc_blocks(a, 8, 0, &m));
    assert_int_equal(m.n, 2);
    free_list(a, &m);
    assert_int_equal(alloc_free_count(a), free_n + 3);
    alloc_delete(a);
}

/* ---- freeing ---- */

static void refuses_wrong_frees(void **state) {
    (void)state;
    struct allocator *a = fresh(8 * GROUP, 100, 8 * GROUP - 50, 4);
    uint32_t total = alloc_total(a);
    struct extent_list l;
    extent_list_init(&l);
    assert_true(alloc_blocks(a, total, ALLOC_RESERVE, &l));
    extent_list_free(&l);
    assert_false(alloc_free(a, 100, 0));
    assert_false(alloc_free(a, 0, 1));
    assert_false(alloc_free(a, 99, 1));
    assert_false(alloc_free(a, 99, 2));
    assert_false(alloc_free(a, 8 * GROUP - 50, 1));
    assert_false(alloc_free(a, 8 * GROUP - 51, 2));
    assert_false(alloc_free(a, UINT32_MAX, 1));
    assert_false(alloc_free(a, 200, UINT32_MAX));
    assert_false(alloc_free(a, UINT32_MAX, UINT32_MAX));
    assert_int_equal(alloc_free_count(a), 0);
    assert_true(alloc_free(a, 100, 1));
    assert_true(alloc_free(a, 8 * GROUP - 51, 1));
    assert_false(alloc_free(a, 100, 1));
    assert_int_equal(alloc_free_count(a), 2);
    assert_int_equal(count_used(a, 101, 8 * GROUP - 51), total - 2);
    alloc_delete(a);
}

/* What follows a block is put behind it; if that is not to be had, not into the gaps that were left lately. */
static void blocks_behind_others(void **state) {
    (void)state;
    struct allocator *a = fresh(4 * GROUP, 1, 4 * GROUP, 1);
    uint32_t first = alloc_one(a, 0);
    assert_int_equal(alloc_behind(a, first), first + 1);
    uint32_t other = alloc_one(a, 0); /* takes the next one */
    assert_int_equal(other, first + 2);
    assert_true(alloc_free(a, first, 1));
    assert_int_equal(alloc_behind(a, first + 1), first + 3);
    assert_int_equal(alloc_one(a, 0), first);
    assert_int_equal(alloc_behind(a, 0), first + 4);
    assert_int_equal(alloc_behind(a, 4 * GROUP - 1), first + 5); /* none is behind the last one */
    assert_int_equal(alloc_behind(a, UINT32_MAX), first + 6);
    struct extent_list l;
    extent_list_init(&l);
    uint32_t most = alloc_free_count(a) - alloc_reserve(a);
    assert_true(alloc_blocks(a, most, 0, &l));
    assert_int_equal(alloc_behind(a, first + 6), 0);
    assert_int_equal(alloc_free_count(a), alloc_reserve(a));
    extent_list_free(&l);
    alloc_delete(a);
}

/* One free block anywhere in a range over three lanes: nothing of it is freed. */
static void a_hole_in_the_range_stops_all_of_it(void **state) {
    (void)state;
    const uint32_t holes[] = {1000, 1023, 1024, 1500, 2047, 2048, 2559, 2560, 2999};
    for (size_t i = 0; i < sizeof holes / sizeof holes[0]; i++) {
        struct allocator *a = fresh(8 * GROUP, 100, 8 * GROUP - 50, 4);
        struct extent_list l;
        extent_list_init(&l);
        assert_true(alloc_blocks(a, alloc_total(a), ALLOC_RESERVE, &l));
        extent_list_free(&l);
        assert_true(alloc_free(a, holes[i], 1));
        assert_false(alloc_free(a, 1000, 2000));
        assert_false(alloc_free(a, holes[i], 1));
        assert_int_equal(alloc_free_count(a), 1);
        assert_int_equal(count_used(a, 100, 8 * GROUP - 50), alloc_total(a) - 1);
        assert_int_equal(alloc_one(a, ALLOC_RESERVE), holes[i]);
        assert_true(alloc_free(a, 1000, 2000)); /* all of it used: goes at once */
        assert_int_equal(alloc_free_count(a), 2000);
        assert_int_equal(count_used(a, 1000, 3000), 0);
        assert_true(alloc_is_used(a, 999) && alloc_is_used(a, 3000));
        assert_int_equal(alloc_longest_free(a), 2000);
        alloc_delete(a);
    }
}

/* ---- marking and snapshots ---- */

static void marks_report_the_first_duplicate(void **state) {
    (void)state;
    struct allocator *a = alloc_new(4 * GROUP, 10, 4 * GROUP, 2);
    uint32_t dup = 0;
    assert_non_null(a);
    assert_true(alloc_mark_used(a, 1000, 200, &dup));
    assert_false(alloc_mark_used(a, 900, 101, &dup));
    assert_int_equal(dup, 1000);
    assert_false(alloc_mark_used(a, 1199, 10, &dup));
    assert_int_equal(dup, 1199);
    assert_true(alloc_mark_used(a, 1209, 1, &dup));
    assert_false(alloc_mark_used(a, 10, 4 * GROUP - 10, &dup));
    assert_int_equal(dup, 900);
    alloc_ready(a);
    assert_int_equal(alloc_free_count(a), 0);
    alloc_delete(a);
}

static void bitmap_goes_out_and_in(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    const uint32_t blocks = 5 * GROUP + 77;
    for (int round = 0; round < 20; round++) {
        uint32_t data_blk = 1 + rng_below(&r, 700), data_end = blocks - rng_below(&r, 700), dup;
        struct allocator *a = alloc_new(blocks, data_blk, data_end, 1 + rng_below(&r, 4));
        struct allocator *b = alloc_new(blocks, data_blk, data_end, 1 + rng_below(&r, 4));
        assert_non_null(a);
        assert_non_null(b);
        for (int i = 0; i < 1000; i++)
            (void)alloc_mark_used(a, data_blk + rng_below(&r, data_end - data_blk), 1, &dup);
        alloc_ready(a);
        uint8_t map[(5 * GROUP + 77 + 7) / 8], back[sizeof map];
        assert_int_equal(alloc_bitmap_bytes(a), sizeof map);
        for (uint32_t off = 0; off < sizeof map;) { /* in pieces of any size */
            uint32_t n = 1 + rng_below(&r, 100);
            n = n < sizeof map - off ? n : (uint32_t)sizeof map - off;
            alloc_bitmap_save(a, off, map + off, n);
            off += n;
        }
        for (uint32_t i = 0; i < blocks; i++)
            assert_int_equal(map[i / 8] >> i % 8 & 1, alloc_is_used(a, i));
        for (uint32_t i = blocks; i < 8 * sizeof map; i++)
            assert_int_equal(map[i / 8] >> i % 8 & 1, 1);
        uint32_t split = rng_below(&r, sizeof map);
        alloc_bitmap_load(b, split, map + split, (uint32_t)sizeof map - split);
        alloc_bitmap_load(b, 0, map, split);
        alloc_ready(b);
        alloc_bitmap_save(b, 0, back, sizeof back);
        assert_memory_equal(map, back, sizeof map);
        assert_int_equal(alloc_free_count(a), alloc_free_count(b));
        alloc_delete(b);
        /* Hostile contents free nothing outside. */
        b = alloc_new(blocks, data_blk, data_end, 3);
        assert_non_null(b);
        memset(map, 0, sizeof map);
        alloc_bitmap_load(b, 0, map, sizeof map);
        alloc_ready(b);
        assert_int_equal(alloc_free_count(b), data_end - data_blk);
        assert_int_equal(count_used(b, 0, data_blk), data_blk);
        assert_int_equal(count_used(b, data_end, blocks), blocks - data_end);
        alloc_delete(b);
        alloc_delete(a);
    }
}

/* ---- against a naive model ---- */

#define MODEL_BLKS (12 * GROUP + 100)
#define HELD_MAX 2000u

static void random_against_array(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    static uint8_t used[MODEL_BLKS];
    static struct nova_extent held[HELD_MAX];
    for (uint32_t lanes = 1; lanes <= 7; lanes += 2) {
        uint32_t data_blk = 300, data_end = MODEL_BLKS - 5, total = data_end - data_blk, held_n = 0, free_n = total;
        struct allocator *a = fresh(MODEL_BLKS, data_blk, data_end, lanes);
        uint32_t reserve = alloc_reserve(a);
        memset(used, 0, sizeof used);
        for (int step = 0; step < 6000; step++) {
            bool grow = rng_below(&r, 100) < (step / 1000 % 2 ? 30u : 65u);
            if (grow && held_n + 700 < HELD_MAX) {
                uint32_t want = rng_below(&r, 3) ? 1 : 1 + rng_below(&r, rng_below(&r, 4) ? 20 : 1300);
                unsigned flags = rng_below(&r, 8) ? 0 : ALLOC_RESERVE;
                struct extent_list l;
                extent_list_init(&l);
                bool ok = alloc_blocks(a, want, flags, &l);
                assert_int_equal(ok, free_n >= want + (flags ? 0 : reserve));
                if (!ok)
                    assert_int_equal(l.n, 0);
                else
                    assert_int_equal(list_blocks(&l), want);
                for (uint32_t i = 0; i < l.n; i++) {
                    for (uint32_t b = l.ext[i].blk; b < l.ext[i].blk + l.ext[i].count; b++) {
                        assert_in_range(b, data_blk, data_end - 1);
                        assert_int_equal(used[b]++, 0);
                    }
                    free_n -= l.ext[i].count;
                    if (held_n < HELD_MAX)
                        held[held_n++] = l.ext[i];
                    else
                        fail_msg("more extents than the test holds");
                }
                extent_list_free(&l);
            } else if (held_n) {
                uint32_t i = rng_below(&r, held_n), skip = rng_below(&r, held[i].count);
                uint32_t blk = held[i].blk + skip,
                         count = held[i].count - skip; /* the tail of an extent, or all of it */
                assert_true(alloc_free(a, blk, count));
                memset(used + blk, 0, count);
                free_n += count;
                held[i].count = skip;
                if (!skip)
                    held[i] = held[--held_n];
            }
            assert_int_equal(alloc_free_count(a), free_n);
            if (step % 500 == 0) {
                uint32_t longest = 0, run = 0;
                for (uint32_t b = data_blk; b < data_end; b++) {
                    assert_int_equal(alloc_is_used(a, b), used[b]);
                    run = used[b] ? 0 : run + 1;
                    longest = run > longest ? run : longest;
                }
                assert_int_equal(alloc_longest_free(a), longest);
            }
        }
        alloc_delete(a);
    }
}

static void test_alloc_at_takes_what_is_free_there(void **state) {
    (void)state;
    struct allocator *a = alloc_new(4096, 512, 4096, 2);
    struct extent_list out;
    extent_list_init(&out);
    alloc_ready(a);
    uint32_t free_before = alloc_free_count(a);
    assert_true(alloc_at(a, 600, 40));
    assert_int_equal(alloc_free_count(a), free_before - 40);
    assert_true(alloc_is_used(a, 600) && alloc_is_used(a, 639) && !alloc_is_used(a, 640));
    assert_false(alloc_at(a, 590, 11)); /* the last one is used */
    assert_false(alloc_at(a, 639, 2));  /* the first one is */
    assert_true(alloc_at(a, 640, 1));   /* right behind */
    assert_false(alloc_at(a, 0, 1));    /* outside the data area */
    assert_false(alloc_at(a, 511, 2));
    assert_false(alloc_at(a, 4095, 2));
    assert_false(alloc_at(a, UINT32_MAX, 1));
    assert_false(alloc_at(a, 4096, 1));
    assert_int_equal(alloc_free_count(a), free_before - 41);
    /* The reserve is not for it. */
    while (alloc_blocks(a, 1, 0, &out))
        out.n = 0;
    uint32_t blk = 512;
    while (blk < 4096 && alloc_is_used(a, blk))
        blk++;
    assert_true(blk < 4096);
    assert_false(alloc_at(a, blk, 1));
    extent_list_free(&out);
    alloc_delete(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extent_lists_merge_and_grow),
        cmocka_unit_test(bounds_of_construction),
        cmocka_unit_test(size_of_the_reserve),
        cmocka_unit_test(one_by_one_to_the_last),
        cmocka_unit_test(exactly_all_but_the_reserve),
        cmocka_unit_test(nothing_wanted),
        cmocka_unit_test(one_extent_where_there_is_one),
        cmocka_unit_test(freed_groups_are_whole_again),
        cmocka_unit_test(finds_the_only_run),
        cmocka_unit_test(fragments_when_it_must),
        cmocka_unit_test(refuses_wrong_frees),
        cmocka_unit_test(blocks_behind_others),
        cmocka_unit_test(a_hole_in_the_range_stops_all_of_it),
        cmocka_unit_test(marks_report_the_first_duplicate),
        cmocka_unit_test(bitmap_goes_out_and_in),
        cmocka_unit_test(random_against_array),
        cmocka_unit_test(test_alloc_at_takes_what_is_free_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
