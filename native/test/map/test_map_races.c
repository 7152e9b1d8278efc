/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that change a file's size or its blocks, beside stores through mappings: what a page may hold is what somebody
 * put there for it; nothing comes from elsewhere, nothing that lies outside the call's range is lost.
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../unit/rng.h"
#include "mapped.h"

#define PG 4096u
#define MB (1ull << 20)
#define PAGES 512u /* of the region */
#define HALF (PAGES / 2)
#define THREADS 4u

/* Calls change what lies from page HALF on. Thread t stores to pages t, t + THREADS, ..., and finds below HALF what it
 * put there last, through the other region too. */
struct race {
    struct mapped m;
    struct store_region r[2]; /* they overlap: the second one shows the last 3/4 */
    struct rng rng;           /* of who makes the calls */
    uint64_t seed;
    uint32_t ops;
    bool done; /* atomic */
    uint64_t stored[THREADS], failed[THREADS];
};

/* Tells a word that somebody stored to the page. */
#define WORD(page, n) ((uint64_t)(page) << 32 | (n))

static uint8_t *addr(struct race *x, uint64_t page, bool second) {
    return second && page >= PAGES / 4 ? x->r[1].addr + (page - PAGES / 4) * PG : x->r[0].addr + page * PG;
}

static void store(struct race *x, unsigned id) {
    uint32_t last[PAGES] = {0};
    struct rng rng = {x->seed + id};
    for (uint32_t n = 1; !__atomic_load_n(&x->done, __ATOMIC_ACQUIRE); n++) {
        uint32_t page = rng_below(&rng, PAGES / THREADS) * THREADS + id;
        bool second = n % 2 == 0;
        if (page < HALF) {
            uint64_t word = get64(addr(x, page, !second) + 8 * id);
            MUST(word == (last[page] == 0 ? 0 : WORD(page, last[page])));
            put64(addr(x, page, second) + 8 * id, WORD(page, n));
            last[page] = n;
        } else { /* its last byte; it may lie beyond the end */
            x->failed[id] += mapped_store_fails(addr(x, page, second) + PG - 1, 0x5a);
        }
        __atomic_store_n(&x->stored[id], n, __ATOMIC_RELAXED);
    }
    for (uint32_t page = id; page < HALF; page += THREADS)
        MUST(get64(addr(x, page, true) + 8 * id) == (last[page] == 0 ? 0 : WORD(page, last[page])));
}

enum op { TRUNCATE, EXTEND, PUNCH, COLLAPSE, INSERT, ALLOCATE, WRITE, OPS };

static void call(struct race *x, enum op op) {
    struct store_file *f = &x->m.file[0].f;
    uint32_t page = HALF + rng_below(&x->rng, HALF), n = 1 + rng_below(&x->rng, 8);
    uint64_t off = (uint64_t)page * PG + rng_below(&x->rng, 2) * rng_below(&x->rng, PG);
    uint64_t len = 1 + rng_below(&x->rng, 5 * PG);
    static uint8_t bytes[5 * PG]; /* zeros */
    int rc = NOVA_OK;
    switch (op) {
    case TRUNCATE: rc = store_truncate(f, off < f->size ? off : f->size); break;
    case EXTEND: rc = store_truncate(f, off > f->size ? off : f->size); break;
    case PUNCH: rc = store_punch(f, off, len); break;
    case COLLAPSE:
        if ((uint64_t)(page + n) * PG < f->size)
            rc = store_collapse(f, (uint64_t)page * PG, (uint64_t)n * PG);
        break;
    case INSERT:
        if ((uint64_t)page * PG < f->size && f->size + 8 * PG < (uint64_t)PAGES * PG)
            rc = store_insert(f, (uint64_t)page * PG, (uint64_t)n * PG);
        break;
    case ALLOCATE: do { rc = store_allocate(f, off, len, rng_below(&x->rng, 2) != 0);
        } while (rc == NOVA_ESTALE); /* a fault came between */
        break;
    case WRITE: rc = store_write(f, off, bytes, len); break;
    case OPS: break;
    default: break;
    }
    MUST(rc == NOVA_OK);
}

static void store_or_call(void *arg, unsigned id) {
    struct race *x = arg;
    if (id < THREADS) {
        store(x, id);
        return;
    }
    for (unsigned i = 0; i < THREADS; i++)
        while (__atomic_load_n(&x->stored[i], __ATOMIC_RELAXED) < 50)
            sched_yield();
    for (uint32_t i = 0; i < 1500; i++) {
        enum op op;
        do {
            op = (enum op)rng_below(&x->rng, OPS);
        } while ((x->ops & 1u << op) == 0);
        call(x, op);
    }
    __atomic_store_n(&x->done, true, __ATOMIC_RELEASE);
}

/* Behind HALF there is nothing but zeros and what stores left at the end of a page. */
static void check(struct race *x) {
    uint8_t page[PG];
    for (uint64_t at = (uint64_t)HALF * PG; at < x->m.file[0].f.size; at += PG) {
        uint64_t n = x->m.file[0].f.size - at < PG ? x->m.file[0].f.size - at : PG;
        mapped_read(&x->m, 0, at, page, n);
        if (x->r[0].r != NULL && at + n <= (uint64_t)PAGES * PG)
            MUST(memcmp(page, x->r[0].addr + at, n) == 0);
        for (uint64_t i = 0; i < n; i++)
            MUST(page[i] == 0 || (i == PG - 1 && page[i] == 0x5a));
    }
}

static void race(const char *what, uint32_t ops, uint32_t flags) {
    struct race *x = calloc(1, sizeof *x);
    MUST(x != NULL);
    mapped_open(&x->m, 64 * MB, 1);
    x->rng = rng_start(what);
    x->seed = x->rng.s;
    x->ops = ops;
    mapped_truncate(&x->m, 0, (uint64_t)PAGES * PG - 100);
    x->r[0] = mapped_map(&x->m, 0, 0, (uint64_t)PAGES * PG, flags);
    x->r[1] = mapped_map(&x->m, 0, PAGES / 4 * PG, (uint64_t)PAGES / 4 * 3 * PG, 0);
    mapped_threads(THREADS + 1, store_or_call, x);
    check(x);
    assert_true(mapped_equal(&x->m, 0, 0, x->r[0].addr, HALF * PG));
    uint8_t *before = malloc(HALF * PG);
    memcpy(before, x->r[0].addr, HALF * PG);
    nova_region_free(x->r[0].r);
    nova_region_free(x->r[1].r);
    x->r[0].r = NULL;
    mapped_reopen(&x->m);
    check(x);
    assert_true(mapped_equal(&x->m, 0, 0, before, HALF * PG));
    free(before);
    mapped_close(&x->m);
    free(x);
}

#define BOTH(what, ops)                                                                                                \
    do {                                                                                                               \
        race(what, ops, 0);                                                                                            \
        race(what ", eager", ops, NOVA_MAP_EAGER);                                                                     \
    } while (0)

static void test_truncate_and_extend(void **state) {
    (void)state;
    BOTH("truncate and extend", 1u << TRUNCATE | 1u << EXTEND);
}

static void test_punch_and_write(void **state) {
    (void)state;
    BOTH("punch and write", 1u << PUNCH | 1u << WRITE);
}

static void test_collapse_and_insert(void **state) {
    (void)state;
    BOTH("collapse and insert", 1u << COLLAPSE | 1u << INSERT | 1u << EXTEND);
}

static void test_allocate_and_punch(void **state) {
    (void)state;
    BOTH("allocate and punch", 1u << ALLOCATE | 1u << PUNCH);
}

static void test_all_of_them(void **state) {
    (void)state;
    BOTH("all of them", (1u << OPS) - 1);
}

/* ---- regions of one file that overlap ---- */

struct overlap {
    struct mapped m;
    struct store_region r[4];
};

/* Each thread stores through one region what it then finds through the others. */
static void store_and_look(void *arg, unsigned id) {
    struct overlap *o = arg;
    for (uint32_t page = 0; page < PAGES; page++)
        for (unsigned k = 0; k < 4; k++) {
            uint64_t at = (uint64_t)page * PG, word = WORD(page, id + 1 + k);
            if (at < o->r[k].off)
                continue;
            put64(o->r[k].addr + (at - o->r[k].off) + id * 8, word);
            for (unsigned other = 0; other < 4; other++)
                if (at >= o->r[other].off)
                    MUST(get64(o->r[other].addr + (at - o->r[other].off) + id * 8) == word);
            if (id == 0 && k == 0) {
                mapped_write(&o->m, 0, at + 2048, &word, 8);
                MUST(get64(o->r[0].addr + at + 2048) == word);
            }
        }
}

static void test_regions_overlap(void **state) {
    (void)state;
    for (uint32_t flags = 0; flags <= NOVA_MAP_EAGER; flags += NOVA_MAP_EAGER) {
        struct overlap o;
        mapped_open(&o.m, 64 * MB, 1);
        mapped_truncate(&o.m, 0, (uint64_t)PAGES * PG);
        for (unsigned k = 0; k < 4; k++) /* lazy ones beside eager ones */
            o.r[k] = mapped_map(&o.m, 0, k * 100 * PG, (PAGES - k * 100) * PG, k % 2 == 0 ? flags : 0);
        for (unsigned k = 0; k < 4; k++) /* all of it looked at, as holes */
            for (uint64_t at = 0; at < o.r[k].len; at += PG)
                assert_int_equal(o.r[k].addr[at], 0);
        mapped_threads(4, store_and_look, &o);
        for (unsigned k = 0; k < 4; k++) {
            assert_true(mapped_equal(&o.m, 0, o.r[k].off, o.r[k].addr, o.r[k].len));
            nova_region_free(o.r[k].r);
        }
        mapped_close(&o.m);
    }
}

/* ---- edges of holes ---- */

#define PUNCHES 3000u

/* Thread t < THREADS stores to word t of a page of which the next thread punches the rest, again and again. */
struct edges {
    struct mapped m;
    struct store_region r;
    bool done; /* atomic */
    uint64_t stored[THREADS];
};

static void store_to_edge(void *arg, unsigned id) {
    struct edges *x = arg;
    if (id < THREADS) {
        uint8_t *first = x->r.addr + 8 * id, *last = x->r.addr + 3 * PG - 8 - 8 * id; /* both edges */
        for (uint64_t n = 1; !__atomic_load_n(&x->done, __ATOMIC_ACQUIRE); n++) {
            put64(first, n);
            put64(last, n);
            x->stored[id] = n;
            MUST(get64(first) == n && get64(last) == n);
        }
        return;
    }
    for (unsigned i = 0; i < PUNCHES; i++)
        MUST(store_punch(&x->m.file[0].f, 8 * THREADS + i % 100, 3 * PG - 16 * THREADS - 200) == NOVA_OK);
    __atomic_store_n(&x->done, true, __ATOMIC_RELEASE);
}

static void test_edges_keep_stores(void **state) {
    (void)state;
    struct edges x = {0};
    static const uint8_t bytes[3 * PG] = {1};
    mapped_open(&x.m, 64 * MB, 1);
    mapped_write(&x.m, 0, 0, bytes, sizeof bytes);
    x.r = mapped_map(&x.m, 0, 0, sizeof bytes, 0);
    mapped_threads(THREADS + 1, store_to_edge, &x);
    for (unsigned id = 0; id < THREADS; id++) {
        uint64_t now;
        mapped_read(&x.m, 0, 8 * id, &now, 8);
        assert_int_equal(now, x.stored[id]);
        mapped_read(&x.m, 0, 3 * PG - 8 - 8 * id, &now, 8);
        assert_int_equal(now, x.stored[id]);
    }
    nova_region_free(x.r.r);
    mapped_reopen(&x.m);
    mapped_close(&x.m);
}

/* ---- holes that a fault and nova_allocate() fill at once ---- */

static void store_or_allocate(void *arg, unsigned id) {
    struct edges *x = arg;
    if (id < THREADS) {
        for (uint32_t page = id; page < PAGES; page += THREADS)
            put64(x->r.addr + (uint64_t)page * PG, page + 1);
        return;
    }
    struct store_file *f = &x->m.file[0].f;
    for (uint32_t page = 0; page < PAGES; page++)
        while (store_allocate(f, (uint64_t)page * PG, PG, true) != NOVA_OK)
            MUST(f->store->err.code == NOVA_ESTALE); /* a fault came between */
}

static void test_allocation_keeps_stores(void **state) {
    (void)state;
    struct edges x = {0};
    mapped_open(&x.m, 64 * MB, 1);
    mapped_truncate(&x.m, 0, (uint64_t)PAGES * PG);
    x.r = mapped_map(&x.m, 0, 0, (uint64_t)PAGES * PG, 0);
    for (unsigned round = 0; round < 30; round++) {
        mapped_threads(THREADS + 1, store_or_allocate, &x);
        for (uint32_t page = 0; page < PAGES; page++)
            assert_int_equal(get64(x.r.addr + (uint64_t)page * PG), page + 1);
        assert_true(mapped_equal(&x.m, 0, 0, x.r.addr, x.r.len));
        assert_int_equal(store_punch(&x.m.file[0].f, 0, (uint64_t)PAGES * PG), NOVA_OK);
    }
    nova_region_free(x.r.r);
    mapped_reopen(&x.m);
    mapped_close(&x.m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_truncate_and_extend), cmocka_unit_test(test_punch_and_write),
        cmocka_unit_test(test_collapse_and_insert), cmocka_unit_test(test_allocate_and_punch),
        cmocka_unit_test(test_all_of_them),         cmocka_unit_test(test_regions_overlap),
        cmocka_unit_test(test_edges_keep_stores),   cmocka_unit_test(test_allocation_keeps_stores),
    };
    mapped_main(500);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
