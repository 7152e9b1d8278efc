/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The published tests of mapping and writing at once, by what they do: generic/344 (two threads, one that stores and
 * one that writes, on every page of a file), generic/428 (a hole that was looked at, and then written), and the writes
 * whose source is a mapping of what they write to. Each is a deadlock, a lost store or a stale page where the fault
 * path and the writing calls share their lock, or do not know of each other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mapped.h"
#include "report.h"

#define PG 4096u
#define MB (1ull << 20)

/* ---- generic/344 ---- */

enum contents { ZERO_FILLED, PREALLOCATED, SPARSE, CONTENTS };

struct markers {
    struct mapped *m;
    uint8_t *p;
    uint64_t len;
    unsigned threads;
};

/* Where thread `id` puts its marker in a page: those of storing and writing threads lie side by side. */
static uint64_t place(unsigned id) {
    return (uint64_t)id * 8 + (id % 3) * 1024;
}

static uint64_t marker(unsigned id, uint64_t page) {
    return (page << 8 | id) + 1;
}

/* Even threads store, odd ones write. */
static void mark_every_page(void *arg, unsigned id) {
    struct markers *k = arg;
    for (uint64_t page = 0; page < k->len / PG; page++) {
        uint64_t value = marker(id, page), at = page * PG + place(id);
        if (id % 2 == 0)
            put64(k->p + at, value);
        else
            mapped_write(k->m, 0, at, &value, sizeof value);
    }
}

static void fill(struct mapped *m, enum contents contents, uint64_t len) {
    static const uint8_t zeros[MB];
    if (contents == PREALLOCATED)
        MUST(store_allocate(&m->file[0].f, 0, len, false) == NOVA_OK);
    else if (contents == SPARSE)
        mapped_truncate(m, 0, len);
    for (uint64_t at = 0; contents == ZERO_FILLED && at < len; at += MB)
        mapped_write(m, 0, at, zeros, MB);
}

static void generic_344(uint64_t len, enum contents contents, bool prefault, uint32_t flags, unsigned threads) {
    struct mapped m;
    uint64_t sum = 0, page[PG / 8];
    mapped_open(&m, len * 2 + 16 * MB, 1);
    fill(&m, contents, len);
    struct store_region r = mapped_map(&m, 0, 0, len, flags);
    for (uint64_t at = 0; prefault && at < len; at += PG)
        sum += r.addr[at];
    assert_int_equal(sum, 0);
    struct markers k = {&m, r.addr, len, threads};
    mapped_threads(threads, mark_every_page, &k);
    for (int again = 0; again < 2; again++) { /* once more from the media */
        for (uint64_t i = 0; i < len / PG; i++) {
            mapped_read(&m, 0, i * PG, page, PG);
            for (unsigned id = 0; id < threads; id++) {
                assert_int_equal(page[place(id) / 8], marker(id, i));
                if (again == 0)
                    assert_int_equal(get64(r.addr + i * PG + place(id)), marker(id, i));
            }
        }
        if (again == 0) {
            nova_region_free(r.r);
            mapped_reopen(&m);
        }
    }
    mapped_close(&m);
}

static void generic_344_all(uint64_t len, unsigned threads) {
    unsigned runs = 0;
    for (int eager = 0; eager <= mapped_lazy(); eager++)
        for (int contents = 0; contents < CONTENTS; contents++)
            for (int prefault = 0; prefault < 2; prefault++, runs++)
                generic_344(len, (enum contents)contents, prefault != 0, eager != 0 ? NOVA_MAP_EAGER : 0, threads);
    report_line("generic/344%s: %u threads on every page of %llu MiB, %u kinds of file: every marker is there",
                mapped_lazy() ? "" : ", without userfaultfd", threads, (unsigned long long)(len / MB), runs);
}

static void test_generic_344(void **state) {
    (void)state;
    generic_344_all(mapped_short() ? MB : 16 * MB, 2);
}

static void test_generic_344_long(void **state) {
    (void)state;
    if (getenv("NOVA_FULL") == NULL)
        skip();
    generic_344_all(256 * MB, 2);
}

static void test_generic_344_many_threads(void **state) {
    (void)state;
    generic_344_all(mapped_short() ? 64 * PG : MB, 16);
}

/* ---- generic/428 ---- */

static void generic_428(uint32_t flags) {
    struct mapped m;
    uint8_t buf[PG];
    mapped_open(&m, 16 * MB, 1);
    mapped_truncate(&m, 0, 2 * MB);
    struct store_region r = mapped_map(&m, 0, 0, 2 * MB, flags);
    for (uint64_t i = 0; i < 2 * MB; i += PG) { /* page by page, so that each is looked at as a hole before */
        memset(buf, (int)(1 + i / PG % 255), PG);
        assert_int_equal(r.addr[i], 0);
        uint64_t len = i / PG % 3 == 0 ? PG : i / PG % 3 == 1 ? 1 : 100; /* whole, its first byte, some inside */
        uint64_t at = i / PG % 3 == 2 ? i + 2000 : i;
        mapped_write(&m, 0, at, buf, len);
        assert_memory_equal(r.addr + at, buf, len);
        if (len != PG)
            assert_int_equal(r.addr[i + PG - 1], 0);
    }
    assert_true(mapped_equal(&m, 0, 0, r.addr, 2 * MB));
    nova_region_free(r.r);
    mapped_close(&m);
}

static void test_generic_428(void **state) {
    (void)state;
    generic_428(0);
    generic_428(NOVA_MAP_EAGER);
}

/* ---- the source of a write is a mapping of the file ---- */

/* A file of `len` bytes whose pages hold their number, and a region of it that has not looked at any. */
static struct store_region unfaulted(struct mapped *m, unsigned i, uint64_t len, uint32_t flags) {
    uint8_t buf[PG];
    mapped_truncate(m, i, len);
    struct store_region r = mapped_map(m, i, 0, len, flags);
    for (uint64_t at = 0; at < len; at += PG) {
        memset(buf, (int)(1 + at / PG % 255), PG);
        mapped_write(m, i, at, buf, PG);
    }
    return r;
}

static void source_is_target(uint64_t from, uint64_t to, uint64_t len, bool hole, uint32_t flags) {
    struct mapped m;
    mapped_open(&m, 32 * MB, 1);
    if (hole)
        mapped_truncate(&m, 0, 2 * MB);
    struct store_region r = hole ? mapped_map(&m, 0, 0, 2 * MB, flags) : unfaulted(&m, 0, 2 * MB, flags);
    uint8_t *want = malloc(2 * MB);
    mapped_read(&m, 0, 0, want, 2 * MB);
    memmove(want + to, want + from, len);
    mapped_write(&m, 0, to, r.addr + from, len);
    if (r.lazy || from == to) /* in place the source changes under the copy, if they overlap */
        assert_memory_equal(r.addr, want, 2 * MB);
    else
        assert_memory_equal(r.addr, want, from < to ? from : to);
    assert_true(mapped_equal(&m, 0, 0, r.addr, 2 * MB));
    free(want);
    nova_region_free(r.r);
    mapped_close(&m);
}

static void test_source_is_target(void **state) {
    (void)state;
    for (uint32_t flags = 0; flags <= NOVA_MAP_EAGER; flags += NOVA_MAP_EAGER)
        for (int hole = 0; hole < 2; hole++) {
            source_is_target(0, 0, 2 * MB, hole != 0, flags);
            source_is_target(100, 100, MB, hole != 0, flags);
            source_is_target(0, 50, MB + 3, hole != 0, flags);
            source_is_target(MB + 7, PG, MB - PG, hole != 0, flags);
            source_is_target(PG, 0, PG, hole != 0, flags);
        }
}

/* Thread i writes file i % n from a mapping of the next one, pages that nobody has looked at first. */
struct ring {
    struct mapped m;
    struct store_region r[4];
    unsigned files, rounds;
};

static void write_from_the_next(void *arg, unsigned id) {
    struct ring *k = arg;
    unsigned to = id % k->files, from = (id + 1) % k->files;
    for (unsigned round = 0; round < k->rounds; round++)
        for (uint64_t at = 0; at < MB; at += 16 * PG) /* not all of it covers whole pages */
            mapped_write(&k->m, to, at + id % 3 * 100, k->r[from].addr + at, 16 * PG - 1000);
}

static void ring(unsigned files, unsigned threads, uint32_t flags) {
    struct ring *k = calloc(1, sizeof *k);
    k->files = files;
    k->rounds = mapped_short() ? 1 : 3;
    mapped_open(&k->m, 64 * MB, files);
    for (unsigned i = 0; i < files; i++)
        k->r[i] = unfaulted(&k->m, i, MB, flags);
    mapped_threads(threads, write_from_the_next, k);
    for (unsigned i = 0; i < files; i++) {
        assert_true(mapped_equal(&k->m, i, 0, k->r[i].addr, MB));
        for (uint64_t at = 0; at < MB; at++) /* only bytes that somebody wrote */
            assert_int_not_equal(k->r[i].addr[at], 0);
        nova_region_free(k->r[i].r);
    }
    mapped_close(&k->m);
    free(k);
}

static void test_two_files_from_each_other(void **state) {
    (void)state;
    ring(2, 2, 0);
    ring(2, 2, NOVA_MAP_EAGER);
}

static void test_many_files_and_threads(void **state) {
    (void)state;
    ring(1, 16, 0);
    ring(2, 16, 0);
    ring(4, 16, 0);
    ring(4, 16, NOVA_MAP_EAGER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_generic_428),
        cmocka_unit_test(test_generic_344),
        cmocka_unit_test(test_generic_344_long),
        cmocka_unit_test(test_generic_344_many_threads),
        cmocka_unit_test(test_source_is_target),
        cmocka_unit_test(test_two_files_from_each_other),
        cmocka_unit_test(test_many_files_and_threads),
    };
    mapped_main(getenv("NOVA_FULL") != NULL ? 3000 : 500);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
