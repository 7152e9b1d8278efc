/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random calls on a tree against a model of it; in between, a clean reopen, or a crash between two calls (the pool file
 * copied as it is), after which everything must be there, with its names, attributes and link counts, and no block may
 * be lost or shared. NOVA_SEED repeats a run; NOVA_FULL makes it longer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/handles.h"
#include "crash_image.h"
#include "judge.h"
#include "random_tree.h"
#include "report.h"

#define POOL (4u << 20)

static struct world w;
static struct judge j;
static uint64_t calls, opens, orphans;

/* Some names of several lines, so that logs have padding in all places. */
static const char
    long_a[] = "b/a-name-of-three-lines-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    long_b[] = "a/c/a-name-of-two-lines-bbbbbbbbbbbbbbbbbbbbbbb";
static const char *const paths[] = {"a",       "b",       "c",         "d",         "a/a",   "a/b",   "a/c",
                                    "b/a",     "b/b",     "b/c",       "c/a",       "c/b",   "a/a/a", "a/a/b",
                                    "a/b/a",   "a/c/a",   long_a,      long_b,      "b/a/a", "b/a/b", "b/b/a",
                                    "a/a/a/a", "a/a/a/b", "a/a/a/a/a", "a/a/a/a/b", "c/a/a"};
#define PATHS (sizeof paths / sizeof *paths)

static void must(int rc) {
    if (rc != NOVA_OK)
        fail_msg("status %d: %s", rc, w.s.err.msg);
}

static void fsck(bool clean) {
    struct nova_fsck_summary sum;
    struct nova_error err;
    static char report[2000];
    size_t needed;
    assert_int_equal(nova_fsck(w.path, report, sizeof report, &needed, &sum, &err), NOVA_OK);
    if (sum.errors != 0 || (clean && sum.warnings != 0))
        fail_msg("fsck: %s", report);
}

/* Closes or crashes, and opens: the tree must be what the model says. */
static void reopen(bool crash) {
    struct nova_pool_info info;
    uint64_t state, used;
    char why[300];
    if (crash)
        crash_pool(&w);
    else
        close_pool(&w);
    fsck(!crash);
    open_pool(&w);
    nova_pool_info(w.s.pool, &info);
    assert_int_equal(info.recovered, crash);
    opens++;
    orphans += info.orphans;
    if (!judge_store(&j, &w.s, &state, &used, why, sizeof why))
        fail_msg("%s", why);
    if (state != w.now[0]->hash) {
        for (uint32_t i = 0; i < w.now[0]->n; i++) {
            struct nova_stat st;
            const struct model_file *f = w.now[0]->file[i];
            if (store_stat(&w.s, f->name, &st) != NOVA_OK || st.type != f->node->type || st.size != f->node->size ||
                st.nlink != model_nlink(w.now[0], f->name))
                print_error("%s is not as it was\n", f->name);
        }
        fail_msg("the tree is another one");
    }
}

static void run(uint64_t seed, int steps) {
    uint64_t rng = seed;
    world_init(&w, POOL);
    for (int n = 0; n < steps; n++) {
        tree_random_call(&w, paths, PATHS, &rng);
        calls++;
        uint64_t what = crash_random(&rng) % 60;
        if (what < 2)
            reopen(what == 0);
    }
    /* Nothing is lost: without names, only the root's log and the inode table remain. */
    for (size_t i = 0; i < PATHS; i++)
        tree_lose(&w, paths[i]);
    reopen(false);
    assert_int_equal(w.now[0]->n, 0);
    struct nova_pool_info info;
    struct nova_stat root;
    nova_pool_info(w.s.pool, &info);
    must(store_stat(&w.s, "", &root));
    assert_int_equal(info.inodes_used, 1);
    assert_int_equal(info.blocks_free, info.blocks_data - root.log_pages - w.s.pool->itable.count);
    world_free(&w);
}

static void test_random(void **state) {
    (void)state;
    const char *env = getenv("NOVA_SEED");
    uint64_t seed = env != NULL ? strtoull(env, NULL, 0) : (uint64_t)time(NULL);
    int rounds = env != NULL ? 1 : getenv("NOVA_FULL") != NULL ? 200 : 10;
    for (int i = 0; i < rounds; i++) {
        printf("NOVA_SEED=%llu\n", (unsigned long long)(seed + (uint64_t)i));
        fflush(stdout);
        run(seed + (uint64_t)i, 2000);
    }
    report_line("model: tree: %llu calls, %llu reopens and crashes, %llu orphans released", (unsigned long long)calls,
                (unsigned long long)opens, (unsigned long long)orphans);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
