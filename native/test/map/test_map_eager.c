/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several eager regions of one file while its pages come, go and move: each shows the file as it is when the call
 * returns, whatever the steps in which they are given their blocks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mapped.h"
#include "report.h"
#include "../unit/rng.h"

#define PG 4096u
#define MB (1ull << 20)
#define REGIONS 3u

/* A file, what it should hold, and regions of it: all, its middle, and a lazy one of all. */
struct views {
    struct mapped m;
    struct store_region r[REGIONS];
    uint8_t *want;
    uint64_t size, max;
};

static void open_views(struct views *v, uint64_t max) {
    memset(v, 0, sizeof *v);
    v->max = max;
    v->want = calloc(1, max);
    MUST(v->want != NULL);
    mapped_open(&v->m, 2 * max + 16 * MB, 1);
    v->r[0] = mapped_map(&v->m, 0, 0, max, NOVA_MAP_EAGER);
    v->r[1] = mapped_map(&v->m, 0, max / 4 / PG * PG, max / 2 / PG * PG, NOVA_MAP_EAGER);
    v->r[2] = mapped_map(&v->m, 0, 0, max, 0);
}

static void check(const struct views *v, const struct store_region *r) {
    uint64_t end = r->off + r->len < v->size ? r->off + r->len : v->size;
    for (uint64_t at = r->off; at < end; at += PG)
        assert_memory_equal(r->addr + at - r->off, v->want + at, end - at < PG ? end - at : PG);
    uint64_t behind = (v->size + PG - 1) / PG * PG;
    if (behind >= r->off && behind < r->off + r->len)
        assert_true(mapped_load_fails(r->addr + behind - r->off, NULL));
}

/* Each region shows the file; and what is stored to one, all others show, and whoever reads. */
static void check_all(struct views *v, struct rng *rng) {
    struct nova_region_stat st;
    for (unsigned i = 0; i < REGIONS; i++)
        check(v, &v->r[i]);
    for (unsigned i = 0; i < 8 && v->size != 0; i++) {
        const struct store_region *r = &v->r[rng_below(rng, REGIONS)];
        uint64_t at = r->off + rng_below(rng, (uint32_t)r->len);
        if (at >= v->size)
            continue;
        v->want[at] = (uint8_t)rng_next(rng);
        put8(r->addr + at - r->off, v->want[at]);
    }
    for (unsigned i = 0; i < REGIONS; i++)
        check(v, &v->r[i]);
    MUST(mapped_equal(&v->m, 0, 0, v->want, v->size));
    nova_region_stat(v->r[0].r, &st);
    assert_int_equal(st.mapped, (v->size + PG - 1) / PG); /* all that there is */
}

static void resize(struct views *v, uint64_t size) {
    mapped_truncate(&v->m, 0, size);
    if (size < v->size)
        memset(v->want + size, 0, v->size - size);
    v->size = size;
}

static void write_some(struct views *v, struct rng *rng, uint64_t off, uint64_t len) {
    for (uint64_t i = 0; i < len; i++)
        v->want[off + i] = (uint8_t)rng_next(rng);
    mapped_write(&v->m, 0, off, v->want + off, len);
    v->size = off + len > v->size ? off + len : v->size;
}

static void punch(struct views *v, uint64_t off, uint64_t len) {
    MUST(store_punch(&v->m.file[0].f, off, len) == NOVA_OK);
    memset(v->want + off, 0, len);
}

static void collapse(struct views *v, uint64_t off, uint64_t len) {
    MUST(store_collapse(&v->m.file[0].f, off, len) == NOVA_OK);
    memmove(v->want + off, v->want + off + len, v->size - off - len);
    memset(v->want + v->size - len, 0, len);
    v->size -= len;
}

static void insert(struct views *v, uint64_t off, uint64_t len) {
    MUST(store_insert(&v->m.file[0].f, off, len) == NOVA_OK);
    memmove(v->want + off + len, v->want + off, v->size - off);
    memset(v->want + off, 0, len);
    v->size += len;
}

/* One call that changes the file, somewhere. */
static void change(struct views *v, struct rng *rng) {
    uint64_t pages = v->size / PG, at = pages == 0 ? 0 : rng_below(rng, (uint32_t)pages);
    uint64_t n = 1 + rng_below(rng, (uint32_t)(v->max / PG / 3));
    switch (rng_below(rng, 6)) {
    case 0: resize(v, rng_below(rng, (uint32_t)v->max + 1)); break;
    case 1:
        if (at * PG + n * PG < v->size)
            punch(v, at * PG + rng_below(rng, PG), (n - 1) * PG + 1);
        break;
    case 2:
        if (at * PG + n * PG < v->size)
            collapse(v, at * PG, n * PG);
        break;
    case 3:
        if (v->size + n * PG <= v->max && at * PG < v->size)
            insert(v, at * PG, n * PG);
        break;
    default: {
        uint64_t off = rng_below(rng, (uint32_t)v->max), len = 1 + rng_below(rng, 3 * PG);
        write_some(v, rng, off, len < v->max - off ? len : v->max - off);
    }
    }
}

static void close_views(struct views *v) {
    for (unsigned i = 0; i < REGIONS; i++)
        nova_region_free(v->r[i].r);
    mapped_reopen(&v->m);
    MUST(mapped_equal(&v->m, 0, 0, v->want, v->size));
    mapped_close(&v->m);
    free(v->want);
}

static void test_random_changes(void **state) {
    (void)state;
    struct views v;
    struct rng rng = rng_start("eager regions");
    unsigned calls = mapped_short() ? 100 : getenv("NOVA_FULL") != NULL ? 20000 : 2000;
    open_views(&v, 64 * PG);
    for (unsigned i = 0; i < calls; i++) {
        change(&v, &rng);
        check_all(&v, &rng);
    }
    report_line("eager regions: two that overlap, and a lazy one: %u calls that change the file, all show it", calls);
    close_views(&v);
}

/* So many pages that it takes many steps to give them blocks. */
static void test_many_pages(void **state) {
    (void)state;
    struct views v;
    uint64_t unit = mapped_short() ? 64 * PG : MB;
    struct rng rng = rng_start("eager regions, many pages");
    open_views(&v, 40 * unit);
    resize(&v, 20 * unit + 5);
    check_all(&v, &rng);
    for (uint64_t at = 0; at < v.size; at += unit)
        write_some(&v, &rng, at + 7, PG);
    check_all(&v, &rng);
    punch(&v, 3 * unit + 9, 12 * unit);
    check_all(&v, &rng);
    insert(&v, 2 * unit, 18 * unit);
    check_all(&v, &rng);
    collapse(&v, unit, 19 * unit);
    check_all(&v, &rng);
    write_some(&v, &rng, 39 * unit, 10);
    check_all(&v, &rng);
    close_views(&v);
}

/* ---- beside stores ---- */

struct storing {
    struct views v;
    bool done; /* atomic */
};

#define KEPT 16u /* pages at the start that all calls leave alone */

/* Thread 0 changes what lies behind; 1 and 2 store to the first pages, by regions that are given blocks meanwhile. */
static void change_and_store(void *arg, unsigned id) {
    struct storing *s = arg;
    struct views *v = &s->v;
    if (id == 0) {
        for (unsigned i = 0; i < (mapped_short() ? 3 : 20); i++) {
            pthread_mutex_lock(&v->m.file[0].io);
            MUST(store_punch(&v->m.file[0].f, KEPT * PG, 6 * MB) == NOVA_OK);
            MUST(store_collapse(&v->m.file[0].f, KEPT * PG, MB) == NOVA_OK);
            MUST(store_insert(&v->m.file[0].f, KEPT * PG, MB) == NOVA_OK);
            pthread_mutex_unlock(&v->m.file[0].io);
        }
        __atomic_store_n(&s->done, true, __ATOMIC_RELEASE);
        return;
    }
    uint8_t *to = v->r[id == 1 ? 0 : 2].addr + id * 8, *from = v->r[id == 1 ? 2 : 0].addr + id * 8;
    for (uint64_t n = 1; !__atomic_load_n(&s->done, __ATOMIC_ACQUIRE); n++) {
        put64(to + n % KEPT * PG, n);
        MUST(get64(from + n % KEPT * PG) == n);
    }
}

static void test_beside_stores(void **state) {
    (void)state;
    struct storing *s = calloc(1, sizeof *s);
    open_views(&s->v, 8 * MB);
    resize(&s->v, 8 * MB);
    mapped_threads(3, change_and_store, s);
    MUST(mapped_equal(&s->v.m, 0, 0, s->v.r[0].addr, 8 * MB));
    MUST(mapped_equal(&s->v.m, 0, 0, s->v.r[2].addr, 8 * MB));
    memcpy(s->v.want, s->v.r[0].addr, 8 * MB);
    close_views(&s->v);
    free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_changes),
        cmocka_unit_test(test_many_pages),
        cmocka_unit_test(test_beside_stores),
    };
    mapped_main(500);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
