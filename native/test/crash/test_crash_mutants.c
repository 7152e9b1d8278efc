/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The explorer must be able to fail: every flush, drain, store, copy and zeroing of every kind of call is left out,
 * delayed or torn, one at a time, and the explorer must find an image that is judged bad. Those few that do no harm are
 * listed with the reason; one of the list that is found all the same fails the test too, so that the list stays true.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mutant.h"
#include "report.h"
#include "workload.h"

#define BLK ((uint64_t)NOVA_BLOCK_SIZE)

/* ---- the calls ---- */

static void in_place(struct world *w, const struct workload *row) {
    (void)row;
    put(w, "a", 0, 100);
    record(w);
    put(w, "a", 100, 7);
}

static void new_block(struct world *w, const struct workload *row) {
    (void)row;
    put(w, "a", 0, 500);
    record(w);
    put(w, "a", 63, 66);
}

static void hole(struct world *w, const struct workload *row) {
    (void)row;
    make(w, "a");
    record(w);
    put(w, "a", 77, 100);
}

/* A file of 100 bytes with stale ones behind, and then a write at row->a. */
static void gap(struct world *w, const struct workload *row) {
    put(w, "a", 0, 3 * BLK);
    cut(w, "a", 100);
    record(w);
    put(w, "a", row->a, 100);
}

static void grow(struct world *w, const struct workload *row) {
    put(w, "a", 0, 300);
    cut(w, "a", 100);
    record(w);
    cut(w, "a", row->a);
}

static void to_page(struct world *w, const struct workload *row) {
    make(w, "a");
    for (uint64_t i = 0; i < row->a; i++)
        put(w, "a", i, 1);
    record(w);
    put(w, "a", 100, 100);
}

static void padded(struct world *w, const struct workload *row) {
    char name[] = "a name that takes a line more than is left of the inode's slot, so that it goes to a page: a name "
                  "that takes "
                  "a line more than is left of the inode's slot, so that it goes to a page";
    (void)row;
    make(w, "b");
    record(w);
    make(w, name);
}

static void create(struct world *w, const struct workload *row) {
    (void)row;
    record(w);
    make(w, "a");
}

static void reuse(struct world *w, const struct workload *row) {
    (void)row;
    put(w, "a", 0, 100);
    record(w);
    drop(w, "a");
    make(w, "b");
}

static void replace(struct world *w, const struct workload *row) {
    (void)row;
    put(w, "a", 0, 100);
    put(w, "b", 0, 100);
    close_file(w, "b");
    record(w);
    move(w, "a", "b");
}

static void table(struct world *w, const struct workload *row) {
    char name[8];
    (void)row;
    for (int i = 0; i < 14; i++) {
        snprintf(name, sizeof name, "f%d", i);
        make(w, name);
    }
    record(w);
    make(w, "last");
}

static void close_clean(struct world *w, const struct workload *row) {
    (void)row;
    put(w, "a", 0, 100);
    record(w);
    close_pool(w);
}

static void open_clean(struct world *w, const struct workload *row) {
    (void)row;
    recorder_set_actor(1);
    put(w, "a", 0, 100);
    recorder_set_actor(0);
    close_pool(w);
    record(w);
    open_pool(w);
    recorder_set_actor(1); /* another thread's drain does nothing for what open left */
    put(w, "a", 0, 200);
    recorder_set_actor(0);
}

static void recover(struct world *w, const struct workload *row) {
    (void)row;
    put(w, "a", 0, 100);
    put(w, "b", 0, 100);
    drop_open(w, "a");
    crash_pool(w);
    record(w);
    open_pool(w);
}

static const struct workload hosts[] = {
    {"append in place", in_place, 0, 0, 0, 0},
    {"new block", new_block, 0, 0, 0, 0},
    {"into a hole", hole, 0, 0, 0, 0},
    {"gap in the block", gap, 200, 0, 0, 0},
    {"gap over blocks", gap, 2 * BLK + 10, 0, 0, 0},
    {"grow in the block", grow, 200, 0, 0, 0},
    {"grow over blocks", grow, 2 * BLK, 0, 0, 0},
    {"shrink", grow, 50, 0, 0, 0},
    {"slot to page", to_page, 3, 0, 0, 0},
    {"page to page", to_page, 66, 0, 0, 0},
    {"padding", padded, 0, 0, 0, 0},
    {"create", create, 0, 0, 0, 0},
    {"unlink and reuse", reuse, 0, 0, 0, 0},
    {"rename over", replace, 0, 0, 0, 0},
    {"table growth", table, 0, 0, 0, 0},
    {"close", close_clean, 0, 0, 0, 0},
    {"open after close", open_clean, 0, 0, 0, 0},
    {"recovery", recover, 0, 0, 0, 0},
};

/* ---- mutants that do no harm ---- */

#define BIT(mutation) (1u << (mutation))
#define FLUSHES (BIT(MUTANT_NO_FLUSH) | BIT(MUTANT_EARLY_FLUSH))
#define DRAINS (BIT(MUTANT_NO_DRAIN) | BIT(MUTANT_EARLY_DRAIN))
#define ZEROS (BIT(MUTANT_NO_ZERO) | BIT(MUTANT_CACHED_ZERO))
#define COPIES (BIT(MUTANT_NO_COPY) | BIT(MUTANT_CACHED_COPY))
#define STORES (BIT(MUTANT_NO_STORE) | BIT(MUTANT_TORN_STORE))

static const struct harmless {
    const char *host;
    uint32_t mutations;   /* BIT each */
    uint32_t first, last; /* among the host's mutants of that kind, from 1 */
    const char *why;
} harmless[] = {
    {"create a pool", DRAINS, 1, 1, "the table's drain orders for other threads, which are not there yet"},
    {"create a pool", BIT(MUTANT_EARLY_DRAIN), 2, 2, "a clean state that is lost costs a scan"},
    {"create a pool", DRAINS, 4, 4, "the replica is durable; the next open repairs the first superblock"},
    {"create a pool", COPIES, 7, 7, "the same"},
    {"create a pool", ZEROS, 1, 1, "a slot without a name is freed by recovery, whatever is in it"},
    {"create a pool", BIT(MUTANT_TORN_STORE), 1, 1, "until the superblocks are there nobody reads the word"},
    {"slot to page", BIT(MUTANT_CACHED_COPY), 3, 3,
     "the head word shares its line with the tail, is stored before it, and is flushed with it"},
    {"padding", BIT(MUTANT_CACHED_COPY), 4, 4, "as in slot to page"},
    {"rename over", BIT(MUTANT_CACHED_COPY), 3, 3, "as in slot to page"},
    {"rename over", FLUSHES | STORES, 2, 2,
     "the slot has lost its name: recovery frees it if its tail word does not say so"},
    {"unlink and reuse", FLUSHES | STORES, 2, 2, "the same"},
    {"table growth", DRAINS, 1, 1, "the first drain of the create that follows comes before the slot gets a name"},
    {"table growth", ZEROS, 1, 1, "a slot without a name is freed by recovery, whatever is in it"},
    {"recovery", FLUSHES | STORES, 1, 1, "the next recovery frees the slot just so"},
    {"recovery", DRAINS, 1, 1, "the state was dirty before; the new one only has a higher number"},
    {"recovery", COPIES, 1, 1, "the same"},
};

static bool is_harmless(const char *host, enum mutation m, uint32_t nth) {
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
        const struct harmless *h = &harmless[i];
        if ((h->mutations & BIT(m)) != 0 && nth >= h->first && nth <= h->last && strcmp(h->host, host) == 0)
            return true;
    }
    return false;
}

/* ---- the test ---- */

struct tally {
    uint32_t killed, harmless, wrong;
    struct explore_stats st;
};

static void hunt(const struct trace *t, const char *host, enum mutation m, const struct explore_limits *limits,
                 struct tally *tally) {
    static char failure[2000];
    uint32_t nth = 0;
    for (size_t i = 0; i < t->n; i++) {
        struct trace mutant;
        if (!mutant_make(t, m, i, &mutant))
            continue;
        nth++;
        bool survived = explore(&mutant, 0, limits, &tally->st, failure, sizeof failure);
        mutant_free(&mutant);
        if (!survived && getenv("NOVA_VERBOSE") != NULL)
            print_message("%s: %s %u dies: %s\n", host, mutation_name(m), nth, failure);
        if (survived == is_harmless(host, m, nth)) {
            tally->killed += !survived;
            tally->harmless += survived;
            continue;
        }
        tally->wrong++;
        print_error("%s: %s %u (event %zu, %s at %#llx, %llu bytes) %s\n", host, mutation_name(m), nth, i,
                    trace_kind_name(t->ev[i].kind), (unsigned long long)t->ev[i].off, (unsigned long long)t->ev[i].len,
                    survived ? "survives" : "is listed as harmless but dies");
    }
}

static void hunt_all(const struct trace *t, const char *host, const struct explore_limits *limits,
                     struct tally *tally) {
    for (int m = 0; m < MUTANT_KINDS; m++)
        hunt(t, host, (enum mutation)m, limits, tally);
}

static void test_mutants(void **state) {
    static struct world w;
    (void)state;
    struct tally tally = {0};
    /* The same in every build: a mutant must not live because few images were looked at. */
    struct explore_limits limits = {
        .seed = explore_limits_default().seed, .exhaustive = 1024, .samples = 64, .lines = 1024};
    uint32_t stride = explore_limits_default().stride;
    printf("NOVA_SEED=%llu\n", (unsigned long long)limits.seed);
    struct trace t;
    record_create(&t, (uint64_t)NOVA_POOL_SIZE_MIN);
    hunt_all(&t, "create a pool", &limits, &tally);
    trace_free(&t);
    for (size_t i = limits.seed % stride; i < sizeof hosts / sizeof *hosts; i += stride) {
        world_init(&w, (uint64_t)NOVA_POOL_SIZE_MIN);
        hosts[i].run(&w, &hosts[i]);
        record_end(&w);
        hunt_all(&w.trace, hosts[i].name, &limits, &tally);
        world_free(&w);
    }
    report_line("crash: mutants: %u killed, %u harmless and listed", tally.killed, tally.harmless);
    explore_stats_print("mutants", &tally.st);
    assert_int_equal(tally.wrong, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mutants)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
