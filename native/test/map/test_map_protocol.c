/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the protocol are for: the same programs with one of them left out deadlock, lose a store, or show a
 * stale page, and as it is do not. Each runs in a process of its own, with a watchdog.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "map/file_map.h"
#include "lazy.h"
#include "mapped.h"
#include "report.h"

#define PG 4096u
#define MB (1ull << 20)
#define HUNG (-1)
#define LOST 50 /* exit status: what a program found */
#define STALE 51
#define TOO_LONG 60000u /* ms; each takes a fraction of a second, under sanitizers and load too */
#define DEADLOCK 3000u

struct program {
    void (*run)(void);
    unsigned without;
};

static void start(void *arg) {
    const struct program *p = arg;
    file_map_without = p->without;
    p->run();
}

static int run(void (*program)(void), unsigned without, unsigned ms) {
    struct program p = {program, without};
    return mapped_child(start, &p, ms);
}

/* ---- one lock ---- */

/* The source is a mapping of the same file that nobody has looked at. */
static void write_from_itself(void) {
    struct mapped m;
    mapped_open(&m, 16 * MB, 1);
    mapped_truncate(&m, 0, MB);
    struct store_region r = mapped_map(&m, 0, 0, MB, 0);
    unlink(m.path); /* also if this is the end */
    mapped_write(&m, 0, 0, r.addr, MB);
    mapped_write(&m, 0, 100, r.addr + 50, MB - 200);
}

struct pair {
    struct mapped m;
    struct store_region r[2];
    pthread_barrier_t both;
};

static void write_from_other(void *arg, unsigned id) {
    struct pair *p = arg;
    for (uint64_t at = 0; at < 16 * MB; at += MB) { /* long enough for both to be at it at once */
        pthread_barrier_wait(&p->both);
        mapped_write(&p->m, id, at, p->r[1 - id].addr + at, MB);
    }
}

/* Two files, each written from a mapping of the other. */
static void write_from_each_other(void) {
    static struct pair p;
    mapped_open(&p.m, 64 * MB, 2);
    unlink(p.m.path);
    pthread_barrier_init(&p.both, NULL, 2);
    for (unsigned i = 0; i < 2; i++) {
        mapped_truncate(&p.m, i, 16 * MB);
        p.r[i] = mapped_map(&p.m, i, 0, 16 * MB, 0);
    }
    mapped_threads(2, write_from_other, &p);
}

static void test_one_lock_is_a_deadlock(void **state) {
    (void)state;
    assert_int_equal(run(write_from_itself, 0, TOO_LONG), 0);
    assert_int_equal(run(write_from_each_other, 0, TOO_LONG), 0);
    assert_int_equal(run(write_from_itself, MAP_ONE_LOCK, DEADLOCK), HUNG);
    assert_int_equal(run(write_from_each_other, MAP_ONE_LOCK, DEADLOCK), HUNG);
    report_line("one lock for writes and faults: writing from a mapping of the file, or two files from each other, "
                "hangs; with the inner lock both end");
}

/* ---- stores to what is being copied ---- */

struct word {
    struct mapped m;
    struct store_region r;
    bool done; /* atomic */
    uint64_t rounds;
};

/* One word is stored to by one thread alone, which must find there what it stored last. */
static void store_or_write(void *arg, unsigned id) {
    struct word *w = arg;
    if (id == 0) {
        for (uint64_t i = 0; i < w->rounds; i++)
            mapped_write(&w->m, 0, 8, &i, 8);
        __atomic_store_n(&w->done, true, __ATOMIC_RELEASE);
        return;
    }
    for (uint64_t i = 1; !__atomic_load_n(&w->done, __ATOMIC_ACQUIRE); i++) {
        put64(w->r.addr, i);
        for (int again = 0; again < 64; again++)
            if (get64(w->r.addr) != i)
                _exit(LOST);
    }
}

static void keep_a_word(void) {
    static struct word w;
    mapped_open(&w.m, 64 * MB, 1);
    unlink(w.m.path);
    mapped_truncate(&w.m, 0, PG);
    w.r = mapped_map(&w.m, 0, 0, PG, 0);
    w.rounds = file_map_without == 0 ? 3000 : UINT64_MAX; /* until one is lost */
    mapped_threads(2, store_or_write, &w);
}

static void test_without_hold_a_store_is_lost(void **state) {
    (void)state;
    assert_int_equal(run(keep_a_word, 0, TOO_LONG), 0);
    assert_int_equal(run(keep_a_word, MAP_NO_HOLD, TOO_LONG), LOST);
}

/* ---- a hole that was looked at ---- */

static void look_write_look(void) {
    struct mapped m;
    uint8_t buf[PG];
    mapped_open(&m, 16 * MB, 1);
    unlink(m.path);
    mapped_truncate(&m, 0, 2 * MB);
    struct store_region r = mapped_map(&m, 0, 0, 2 * MB, 0);
    MUST(get8(r.addr + MB) == 0);
    memset(buf, 1, sizeof buf);
    mapped_write(&m, 0, MB, buf, PG);
    mapped_read(&m, 0, MB, buf, PG);
    MUST(buf[0] == 1);
    if (get8(r.addr + MB) != 1)
        _exit(STALE);
}

static void test_without_remap_a_page_is_stale(void **state) {
    (void)state;
    assert_int_equal(run(look_write_look, 0, TOO_LONG), 0);
    assert_int_equal(run(look_write_look, MAP_NO_REMAP, TOO_LONG), STALE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_lock_is_a_deadlock),
        cmocka_unit_test(test_without_hold_a_store_is_lost),
        cmocka_unit_test(test_without_remap_a_page_is_stale),
    };
    lazy_need("mapping without parts of its protocol");
    mapped_main(300);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
