/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every ordered pair of calls on two small files, after the bounded exploration of Mohan et al., "Finding
 * Crash-Consistency Bugs with Bounded Black-Box Crash Testing" (OSDI 2018): crashes are explored in the second call of
 * each pair, with whatever the first one left behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "workload.h"

/* Each works on what the other call of the pair left: a missing file is made again first. */
static void have(struct world *w, const char *name) {
    if (size_of(w, name) == 0)
        put(w, name, 0, 300);
}

static void append_in_block(struct world *w) {
    put(w, "a", size_of(w, "a"), 50);
}
static void append_over_block(struct world *w) {
    put(w, "a", size_of(w, "a"), 4100);
}
static void overwrite(struct world *w) {
    put(w, "a", 60, 10);
}
static void overwrite_over_block(struct world *w) {
    put(w, "a", 4090, 20);
}
static void gap_in_block(struct world *w) {
    put(w, "a", size_of(w, "a") + 30, 10);
}
static void gap_over_blocks(struct world *w) {
    put(w, "a", size_of(w, "a") + 9000, 10);
}
static void grow_in_block(struct world *w) {
    have(w, "a"), cut(w, "a", size_of(w, "a") + 50);
}
static void grow_over_blocks(struct world *w) {
    have(w, "a"), cut(w, "a", size_of(w, "a") + 5000);
}
static void shrink(struct world *w) {
    have(w, "a"), cut(w, "a", size_of(w, "a") / 2 + 1);
}
static void empty(struct world *w) {
    have(w, "a"), cut(w, "a", 0);
}
static void drop_a(struct world *w) {
    have(w, "a"), drop(w, "a");
}
static void drop_open_a(struct world *w) {
    have(w, "a"), drop_open(w, "a");
}
static void close_gone(struct world *w) {
    drop_close(w, "a"), put(w, "d", 0, 10);
}
static void move_away(struct world *w) {
    have(w, "a"), move(w, "a", "c");
}
static void move_onto(struct world *w) {
    have(w, "a"), have(w, "b"), move(w, "a", "b");
}
static void move_back(struct world *w) {
    have(w, "a"), have(w, "b"), move(w, "b", "a");
}
static void write_other(struct world *w) {
    put(w, "b", 10, 100);
}
static void by_pieces(struct world *w) {
    have(w, "a"), put_pieces(w, "a", 50, 4200, 1000, true);
}
static void reopen(struct world *w) {
    close_pool(w), open_pool(w);
}

static void make_new(struct world *w) {
    if (model_get(w->now[0], "d") != NULL)
        drop(w, "d");
    make(w, "d");
}

static const struct {
    const char *name;
    void (*run)(struct world *w);
} calls[] = {
    {"append in the block", append_in_block},
    {"append over the block's end", append_over_block},
    {"overwrite", overwrite},
    {"overwrite over a block's end", overwrite_over_block},
    {"gap in the block", gap_in_block},
    {"gap over blocks", gap_over_blocks},
    {"grow in the block", grow_in_block},
    {"grow over blocks", grow_over_blocks},
    {"shrink", shrink},
    {"empty", empty},
    {"drop", drop_a},
    {"drop while open", drop_open_a},
    {"close what was dropped", close_gone},
    {"move away", move_away},
    {"move onto", move_onto},
    {"move back", move_back},
    {"write another", write_other},
    {"write by pieces", by_pieces},
    {"make", make_new},
    {"reopen", reopen},
};
#define CALLS (sizeof calls / sizeof *calls)

static void pair(size_t first, size_t second, const struct explore_limits *limits, struct explore_stats *st) {
    static struct world w;
    char name[128];
    snprintf(name, sizeof name, "%s, then %s", calls[first].name, calls[second].name);
    world_init(&w, (uint64_t)NOVA_POOL_SIZE_MIN);
    put(&w, "a", 0, 5000);
    put(&w, "b", 0, 100);
    cut(&w, "a", 4500);
    record(&w);
    calls[first].run(&w);
    size_t from = w.trace.n;
    calls[second].run(&w);
    record_end(&w);
    explore_world(&w, name, from, limits, st);
    world_free(&w);
}

static void test_pairs(void **state) {
    (void)state;
    struct explore_limits limits = explore_limits_default();
    struct explore_stats st = {0};
    limits.exhaustive /= 2;
    limits.samples /= 2;
    limits.lines = limits.lines / 16 + 6; /* a block's lines, and a few more */
    limits.nested_every *= 4;
    printf("NOVA_SEED=%llu\n", (unsigned long long)limits.seed);
    for (size_t i = limits.seed % limits.stride; i < CALLS * CALLS; i += limits.stride)
        pair(i / CALLS, i % CALLS, &limits, &st);
    explore_stats_print("pairs of calls", &st);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pairs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
