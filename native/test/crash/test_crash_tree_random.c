/* SPDX-License-Identifier: Apache-2.0 */
/* Random calls on a tree, and threads at once on trees of their own: crashes anywhere in between. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/handles.h"
#include "crash_image.h"
#include "random_tree.h"
#include "report.h"

static struct explore_limits less(void) {
    struct explore_limits l = explore_limits_default();
    l.exhaustive = l.exhaustive / 8 + 1;
    l.samples = l.samples / 4 + 1;
    l.lines = l.lines < 16 ? l.lines : 16;
    l.nested_every *= 4;
    return l;
}

/* ---- random calls ---- */

static const char *const paths[] = {
    "a", "b", "d", "e", "d/a", "d/b", "d/e", "e/a", "e/d", "d/e/a", "d/e/b-name-of-two-lines-and-a-bit"};
#define PATHS (sizeof paths / sizeof *paths)

static void test_random(void **state) {
    static struct world w;
    (void)state;
    struct explore_limits limits = less();
    struct explore_stats st = {0};
    bool one = getenv("NOVA_SEED") != NULL;
    uint32_t runs = one ? 1 : (getenv("NOVA_FULL") != NULL ? 20u : 6u) / limits.stride + (limits.stride > 6);
    for (uint32_t i = 0; i < runs; i++, limits.seed++) {
        uint64_t rng = limits.seed;
        printf("NOVA_SEED=%llu\n", (unsigned long long)limits.seed);
        fflush(stdout);
        world_init(&w, (uint64_t)NOVA_POOL_SIZE_MIN);
        uint64_t quiet = crash_random(&rng) % 200; /* so that logs have come to any length */
        for (uint64_t n = 0; n < quiet; n++)
            tree_random_call(&w, paths, PATHS, &rng);
        record(&w);
        for (int n = 0; n < 80; n++)
            tree_random_call(&w, paths, PATHS, &rng);
        record_end(&w);
        explore_world(&w, "random calls on a tree", 0, &limits, &st);
        world_free(&w);
    }
    explore_stats_print("tree: random calls on names", &st);
}

/* ---- threads ---- */

#define THREADS 2u
#define CALLS_EACH 30u

/* Each in two directories that are loaded, on what is not open: then the store's tables are only read. */
static const char *const own[THREADS][6] = {
    {"d0/a", "d0/b", "d0/a-name-of-two-lines-and-a-bit", "e0/a", "e0/b", "e0/c"},
    {"d1/a", "d1/b", "d1/a-name-of-two-lines-and-a-bit", "e1/a", "e1/b", "e1/c"},
};

struct worker {
    struct world *w;
    uint64_t rng;
    uint8_t actor;
    pthread_barrier_t *start;
};

static void own_call(struct world *w, const char *const *names, uint64_t *rng) {
    const char *a = names[crash_random(rng) % 6], *b = names[crash_random(rng) % 6];
    if (!tree_has(w, a))
        make_symlink(w, a, 1 + (uint32_t)(crash_random(rng) % 100));
    else if (a == b)
        set_attr(w, a, NOVA_ATTR_MODE);
    else if (!tree_has(w, b) && crash_random(rng) % 2 == 0)
        add_link(w, a, b);
    else if (crash_random(rng) % 4 == 0)
        drop(w, a);
    else if (tree_has(w, b) && crash_random(rng) % 2 == 0)
        exchange(w, a, b);
    else
        move(w, a, b);
}

static void *work(void *arg) {
    struct worker *k = arg;
    recorder_set_actor(k->actor);
    pthread_barrier_wait(k->start);
    for (uint32_t n = 0; n < CALLS_EACH; n++)
        own_call(k->w, own[k->actor], &k->rng);
    recorder_set_actor(0);
    return NULL;
}

/* Calls that began while another thread was in one. */
static uint32_t overlaps(const struct trace *t) {
    bool in[THREADS] = {false};
    uint32_t n = 0;
    for (size_t i = 0; i < t->n; i++) {
        const struct trace_event *e = &t->ev[i];
        if (e->kind != TRACE_BEGIN && e->kind != TRACE_END)
            continue;
        in[e->actor] = e->kind == TRACE_BEGIN;
        n += e->kind == TRACE_BEGIN && in[1 - e->actor];
    }
    return n;
}

static void set_scene(struct world *w) {
    for (uint8_t a = 0; a < THREADS; a++) {
        recorder_set_actor(a);
        for (int i = 0; i < 6; i += 3) {
            char dir[3] = {own[a][i][0], own[a][i][1], '\0'};
            const struct dir_map *names;
            make_dir(w, dir);
            assert_int_equal(store_dir_open(&w->s, dir, &names), NOVA_OK);
        }
        make_symlink(w, own[a][0], 10);
    }
    recorder_set_actor(0);
}

/* What the schedule makes of it is not in the seed. */
static void test_threads(void **state) {
    static struct world w;
    (void)state;
    struct explore_limits limits = less();
    struct explore_stats st = {0};
    uint32_t overlapping = 0, runs = ((getenv("NOVA_FULL") != NULL ? 20u : 6u) - 1) / limits.stride + 1;
    for (uint32_t i = 0; i < runs; i++, limits.seed++) {
        pthread_barrier_t start;
        pthread_t thread[THREADS];
        struct worker worker[THREADS];
        world_init(&w, 2u << 20);
        set_scene(&w);
        if (i % 2 != 0) /* every other run: all transactions in one lane, whatever the CPU */
            w.s.pool->journal.lanes_n = 1;
        pthread_barrier_init(&start, NULL, THREADS);
        record(&w);
        for (uint8_t a = 0; a < THREADS; a++) {
            worker[a] = (struct worker){.w = &w, .rng = limits.seed * THREADS + a, .actor = a, .start = &start};
            assert_int_equal(pthread_create(&thread[a], NULL, work, &worker[a]), 0);
        }
        for (uint32_t a = 0; a < THREADS; a++)
            pthread_join(thread[a], NULL);
        record_end(&w);
        pthread_barrier_destroy(&start);
        overlapping += overlaps(&w.trace);
        explore_world(&w, "threads on trees", 0, &limits, &st);
        world_free(&w);
    }
    report_line("crash: tree: threads: %u of %u calls overlapped another", overlapping, runs * THREADS * CALLS_EACH);
    explore_stats_print("tree: threads on names", &st);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
