/* SPDX-License-Identifier: Apache-2.0 */
/* Random calls on a few files, mapped, pinned, or not, and several threads at once on a file each: crashes anywhere in
 * between.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crash_image.h"
#include "report.h"
#include "workload.h"

#define FILE_MAX 40000u /* bytes */

static uint64_t below(uint64_t *rng, uint64_t n) {
    return crash_random(rng) % n;
}

static uint64_t awkward(uint64_t *rng) {
    static const uint64_t sizes[] = {1, 7, 63, 64, 65, 127, 128, 4095, 4096, 4097, 8191, 8192, 8193};
    return below(rng, 3) == 0 ? 1 + below(rng, 6000) : sizes[below(rng, sizeof sizes / sizeof *sizes)];
}

static uint64_t place(struct world *w, const char *name, uint64_t *rng) {
    uint64_t size = size_of(w, name);
    uint64_t off = below(rng, 3) == 0 ? size : below(rng, 4) == 0 ? size + awkward(rng) : below(rng, size + 1);
    off = below(rng, 4) == 0 ? off & ~(uint64_t)4095 : off;
    return off < FILE_MAX ? off : FILE_MAX - 1;
}

static uint64_t fitting(uint64_t off, uint64_t *rng) {
    uint64_t len = awkward(rng);
    return len < FILE_MAX - off ? len : FILE_MAX - off;
}

/* A call on the contents of a file that is there. */
static void change(struct world *w, const char *name, uint64_t *rng) {
    uint64_t off = place(w, name, rng), len = fitting(off, rng);
    switch (below(rng, 7)) {
    case 0: cut(w, name, below(rng, 2) ? off : size_of(w, name) / 2); break;
    case 1:
        put_pieces(w, name, off, len, len / 8 + awkward(rng), below(rng, 2)); /* each piece is a point */
        break;
    case 2: put_abort(w, name, off, len, below(rng, len + 1)); break;
    default: put(w, name, off, len);
    }
}

/* Something with the file's memory, which may be mapped from another time. */
static void use_map(struct world *w, const char *name, uint64_t *rng) {
    uint64_t size = size_of(w, name), off = size == 0 ? 0 : below(rng, size), len = awkward(rng);
    if (len > size - off)
        len = size - off;
    map_file(w, name, 0, FILE_MAX, below(rng, 4) == 0 ? NOVA_MAP_EAGER : 0);
    switch (below(rng, 10)) {
    case 0: unmap_file(w, name); break;
    case 1: set_in_place(w, name, below(rng, 2) != 0); break;
    case 2: populate_bytes(w, name, off, len, below(rng, 2) != 0); break;
    case 3: punch(w, name, off, awkward(rng)); break;
    case 4: {
        uint64_t to = place(w, name, rng) / 2;
        if (len != 0 && put_mapped_fits(w, name, to, len, off))
            put_mapped(w, name, to, len, off);
        break;
    }
    default:
        if (len != 0)
            store_bytes(w, name, off, len);
        if (below(rng, 3) != 0)
            force(w, name, 0, size);
    }
    load_all(w, name);
}

/* Something with pages that are pinned, and may stay so. */
static void use_pin(struct world *w, const char *name, uint64_t *rng) {
    uint64_t size = size_of(w, name), pages = (size + NOVA_BLOCK_SIZE - 1) / NOVA_BLOCK_SIZE;
    if (pages == 0)
        return;
    uint64_t first = below(rng, pages), n = 1 + below(rng, pages - first), off = first * NOVA_BLOCK_SIZE;
    if (!pin_file(w, name, off, n * NOVA_BLOCK_SIZE))
        return;
    uint64_t end = off + n * NOVA_BLOCK_SIZE < size ? off + n * NOVA_BLOCK_SIZE : size;
    uint64_t at = off + below(rng, end - off), len = awkward(rng);
    load_pinned(w, name);
    store_pinned(w, name, at, len < end - at ? len : end - at);
    if (below(rng, 3) != 0)
        force_pinned(w, name);
    if (below(rng, 2) != 0)
        unpin_file(w, name);
}

/* Something that changes nothing. */
static void clean(struct world *w, const char *name, uint64_t *rng) {
    switch (below(rng, 4)) {
    case 0: restart_log(w, name); break;
    case 1: cut_dead(w, name); break;
    case 2: (void)gather_log(w, name); break;
    default: clean_log(w, name, (uint32_t)below(rng, 3));
    }
}

static const char *const names[] = {"a", "b", "a-name-of-two-lines-and-a-bit", "c"};
#define NAMES (sizeof names / sizeof *names)

static void step(struct world *w, uint64_t *rng) {
    const char *name = names[below(rng, NAMES)], *other = names[below(rng, NAMES)];
    if (model_get(w->now[0], name) == NULL) {
        make(w, name);
        return;
    }
    switch (below(rng, 19)) {
    case 0: drop(w, name); break;
    case 1:
        drop_close(w, name); /* if one is open under that name still */
        drop_open(w, name);
        break;
    case 2:
        if (name == other)
            break;
        drop_close(w, other);
        move(w, name, other);
        break;
    case 3:
        close_pool(w);
        open_pool(w);
        break;
    case 4:
    case 5:
    case 6: use_map(w, name, rng); break;
    case 7:
    case 8: use_pin(w, name, rng); break;
    case 9: clean(w, name, rng); break;
    default: change(w, name, rng);
    }
}

static struct explore_stats total;

static struct explore_limits less(void) {
    struct explore_limits l = explore_limits_default();
    l.exhaustive = l.exhaustive / 8 + 1;
    l.samples = l.samples / 4 + 1;
    l.lines = l.lines < 16 ? l.lines : 16;
    return l;
}

static void test_random(void **state) {
    static struct world w;
    (void)state;
    struct explore_limits limits = less();
    bool one = getenv("NOVA_SEED") != NULL;
    bool full = getenv("NOVA_FULL") != NULL;
    uint32_t runs = one ? 1 : (full ? 24u : 8u) / limits.stride;
    for (uint32_t i = 0; i < runs; i++, limits.seed++) {
        uint64_t rng = limits.seed;
        printf("NOVA_SEED=%llu\n", (unsigned long long)limits.seed);
        fflush(stdout);
        world_init(&w, (uint64_t)NOVA_POOL_SIZE_MIN << (limits.seed % 4 == 1 ? 2 : 0)); /* one lane, or two */
        uint64_t quiet = below(&rng, 60); /* so that logs have come to any length */
        for (uint64_t n = 0; n < quiet; n++)
            step(&w, &rng);
        record(&w);
        for (int n = 0; n < (full ? 120 : 50); n++)
            step(&w, &rng);
        record_end(&w);
        explore_world(&w, "random calls", 0, &limits, &total);
        world_free(&w);
    }
}

/* ---- threads ---- */

#define THREADS 2
static const char *const own_file[THREADS] = {"own-0", "own-1"};

struct worker {
    struct world *w;
    uint64_t rng;
    uint8_t actor;
    pthread_barrier_t *start;
};

static void *work(void *arg) {
    struct worker *k = arg;
    recorder_set_actor(k->actor);
    pthread_barrier_wait(k->start);
    for (int n = 0; n < 25; n++)
        change(k->w, own_file[k->actor], &k->rng);
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

/* Two lanes, two logs, two threads' drains; what the schedule makes of it is not in the seed. */
static void test_threads(void **state) {
    static struct world w;
    (void)state;
    struct explore_limits limits = less();
    uint32_t overlapping = 0;
    uint32_t runs = ((getenv("NOVA_FULL") != NULL ? 10u : 4u) - 1) / limits.stride + 1;
    for (uint32_t i = 0; i < runs; i++, limits.seed++) {
        pthread_barrier_t start;
        pthread_t thread[THREADS];
        struct worker worker[THREADS];
        world_init(&w, 4u << 20);
        for (uint8_t a = 0; a < THREADS; a++) {
            recorder_set_actor(a);
            put(&w, own_file[a], 0, 100);
            worker[a] = (struct worker){.w = &w, .rng = limits.seed * THREADS + a, .actor = a, .start = &start};
        }
        recorder_set_actor(0);
        pthread_barrier_init(&start, NULL, THREADS);
        record(&w);
        for (int a = 0; a < THREADS; a++)
            assert_int_equal(pthread_create(&thread[a], NULL, work, &worker[a]), 0);
        for (int a = 0; a < THREADS; a++)
            pthread_join(thread[a], NULL);
        record_end(&w);
        pthread_barrier_destroy(&start);
        overlapping += overlaps(&w.trace);
        explore_world(&w, "threads", 0, &limits, &total);
        world_free(&w);
    }
    report_line("crash: threads: %u of %u calls overlapped another", overlapping, runs * THREADS * 25);
}

static void end(void **state) {
    (void)state;
    explore_stats_print("random calls, threads", &total);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
