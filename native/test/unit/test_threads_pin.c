/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads with files of their own, and mappings of the pool's file over pages of them that they have pinned. Each
 * thread writes one byte only, its own, by calls, through regions, and through what it has pinned, also long after the
 * file has lost those pages, and over closing and opening the pool. So whatever shows another thread's byte shows a
 * block that has two owners.
 */
#include "write_pool.h"

#include <pthread.h>

#include "api/handles.h"
#include "rng.h"

#define THREADS 4u
#define FILES 2u
#define PINS 5u
#define PAGES 150u
#define STEPS 2000u
#define ROUNDS 3u
#define MOST (30 * BLK)

static pthread_mutex_t names = PTHREAD_MUTEX_INITIALIZER; /* the caller's lock of the root directory */

/* One thread's own. Failures are counted: cmocka's assertions are for the main thread. */
struct client {
    pthread_t thread;
    struct rng r;
    struct store s; /* the pool, with an error of its own */
    struct file {
        char name[24];
        bool open;
        struct store_file f;
        struct store_region map;
    } file[FILES];
    struct store_pin pin[PINS];
    uint64_t pinned;
    uint8_t byte, bytes[MOST], back[MOST];
    int wrong;
    char why[400];
};

static void wrong(struct client *c, const char *what) {
    if (c->wrong++ == 0)
        (void)snprintf(c->why, sizeof c->why, "thread %u: %s: %s", c->byte, what, c->s.err.msg);
}

/* A small pool has no space for much, and pins are in each other's way. */
static bool done(struct client *c, const char *what, int rc) {
    if (rc != NOVA_OK && rc != NOVA_ENOSPC && rc != NOVA_EBUSY)
        wrong(c, what);
    return rc == NOVA_OK;
}

static void is_own(struct client *c, const char *what, const uint8_t *p, uint64_t len) {
    for (uint64_t i = 0; i < len; i++)
        if (p[i] != 0 && p[i] != c->byte)
            wrong(c, what);
}

static void open_file(struct client *c, struct file *f) {
    pthread_mutex_lock(&names);
    f->open = done(c, "open", store_file_open(&s, f->name, true, &f->f));
    pthread_mutex_unlock(&names);
    f->f.store = &c->s;
}

static void close_file(struct client *c, struct file *f, bool drop) {
    nova_region_free(f->map.r);
    f->map.r = NULL;
    f->open = false;
    done(c, "close", store_file_close(&f->f));
    if (!drop)
        return;
    pthread_mutex_lock(&names);
    done(c, "unlink", store_unlink(&s, f->name));
    pthread_mutex_unlock(&names);
}

/* What lies behind the end in its page is arbitrary. */
static void pin_some(struct client *c, struct store_file *f, struct store_pin *pin) {
    uint64_t pages = (f->size + BLK - 1) / BLK, first = rng_below(&c->r, PAGES), n = 1 + rng_below(&c->r, 12);
    store_unpin(pin);
    if (first >= pages)
        return;
    if (n > pages - first || rng_below(&c->r, 3) == 0)
        n = pages - first;
    if (!done(c, "pin", store_pin(f, first * BLK, n * BLK, pin))) {
        pin->p = NULL;
        return;
    }
    c->pinned++;
    if (pin->off + pin->len > f->size)
        pin->len = f->size - pin->off;
    is_own(c, "what was pinned", pin->addr, pin->len);
}

static void use_pin(struct client *c, const struct store_pin *pin) {
    if (pin->p == NULL)
        return;
    is_own(c, "what is pinned", pin->addr, pin->len);
    uint64_t at = rng_below(&c->r, (uint32_t)pin->len);
    memset(pin->addr + at, c->byte, 1 + rng_below(&c->r, (uint32_t)(pin->len - at)));
}

static void use_region(struct client *c, struct file *f) {
    struct store_region *map = &f->map;
    uint64_t at = rng_below(&c->r, PAGES * NOVA_BLOCK_SIZE);
    if (map->r == NULL) {
        uint32_t flags = rng_below(&c->r, 5) == 0 ? NOVA_MAP_EAGER : 0;
        if (rng_below(&c->r, 3) == 0 && !done(c, "map", store_map(&f->f, 0, PAGES * BLK, flags, map)))
            map->r = NULL;
    } else if (rng_below(&c->r, 8) == 0) {
        nova_region_free(map->r);
        map->r = NULL;
    } else if (map->lazy && at < f->f.size && block_map_get(&f->f.map, at / BLK) != 0) {
        map->addr[at] = c->byte; /* without a block there may be none to be had: SIGBUS */
        is_own(c, "a region", map->addr + at / BLK * BLK, at % BLK);
    }
}

static void change(struct client *c, struct store_file *f) {
    uint64_t off = rng_below(&c->r, PAGES * NOVA_BLOCK_SIZE), pages = 1 + rng_below(&c->r, 12);
    uint64_t len = 1 + rng_below(&c->r, rng_below(&c->r, 4) == 0 ? (uint32_t)MOST : 9000), start = off / BLK * BLK;
    struct store_log log = store_log_of(f);
    uint32_t freed;
    switch (rng_below(&c->r, 10)) {
    case 0: done(c, "truncate", store_truncate(f, rng_below(&c->r, 4) == 0 ? 0 : off)); break;
    case 1: done(c, "punch", store_punch(f, off, len)); break;
    case 2:
        if (start + pages * BLK < f->size)
            done(c, "collapse", store_collapse(f, start, pages * BLK));
        break;
    case 3:
        if (start < f->size && f->size < PAGES * BLK)
            done(c, "insert", store_insert(f, start, pages * BLK));
        break;
    case 4: done(c, "allocate", store_allocate(f, off, len, rng_below(&c->r, 2) == 0)); break;
    case 5: done(c, "clean", store_clean(&log, 2, &freed)); break;
    default: done(c, "write", store_write(f, off, c->bytes, len));
    }
}

static void *run(void *arg) {
    struct client *c = arg;
    for (uint32_t i = 0; i < STEPS && c->wrong == 0; i++) {
        struct file *f = &c->file[rng_below(&c->r, FILES)];
        struct store_pin *pin = &c->pin[rng_below(&c->r, PINS)];
        if (!f->open) {
            open_file(c, f);
            continue;
        }
        switch (rng_below(&c->r, 16)) {
        case 0:
        case 1:
        case 2: pin_some(c, &f->f, pin); break;
        case 3:
        case 4: use_pin(c, pin); break;
        case 5: store_unpin(pin); break;
        case 6: use_region(c, f); break;
        case 7: {
            uint64_t off = rng_below(&c->r, PAGES * NOVA_BLOCK_SIZE);
            is_own(c, "a file", c->back, store_read(&f->f, off, c->back, sizeof c->back));
            break;
        }
        case 8:
            if (rng_below(&c->r, 6) == 0)
                close_file(c, f, rng_below(&c->r, 2) == 0);
            break;
        default: change(c, &f->f);
        }
    }
    return NULL;
}

static struct client clients[THREADS];

static void round_of_all(void) {
    for (uint32_t i = 0; i < THREADS; i++)
        clients[i].s = s;
    for (uint32_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&clients[i].thread, NULL, run, &clients[i]), 0);
    for (uint32_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(clients[i].thread, NULL), 0);
    for (uint32_t i = 0; i < THREADS; i++) {
        if (clients[i].wrong != 0)
            fail_msg("%s", clients[i].why);
        for (uint32_t k = 0; k < FILES; k++)
            if (clients[i].file[k].open)
                close_file(&clients[i], &clients[i].file[k], false);
    }
    assert_int_equal(store_close(&s), NOVA_OK);
    assert_int_equal(image_no_findings(path).clean, 1);
    must(store_open(&s, path, NOVA_OPT_EMULATED));
}

static void test_no_block_has_two_owners(void **state) {
    (void)state;
    struct rng seed = rng_start("pins beside threads");
    uint64_t pinned = 0;
    for (uint32_t i = 0; i < THREADS; i++) {
        struct client *c = &clients[i];
        c->r = (struct rng){rng_next(&seed)};
        c->byte = (uint8_t)(i + 1);
        memset(c->bytes, c->byte, sizeof c->bytes);
        for (uint32_t k = 0; k < FILES; k++)
            (void)snprintf(c->file[k].name, sizeof c->file[k].name, "thread %u file %u", i, k);
    }
    for (uint32_t n = 0; n < ROUNDS; n++)
        round_of_all();
    for (uint32_t i = 0; i < THREADS; i++) {
        pinned += clients[i].pinned;
        for (uint32_t k = 0; k < PINS; k++)
            store_unpin(&clients[i].pin[k]);
    }
    assert_true(pinned > 100);
    assert_false(alloc_has_holds(s.pool->alloc));
    assert_int_equal(alloc_held_free(s.pool->alloc), 0);
}

static int small_pool(void **state) {
    (void)state;
    make_pool(5 * MIB);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_no_block_has_two_owners, small_pool, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
