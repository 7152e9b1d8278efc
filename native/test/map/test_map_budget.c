/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's mappings that regions take: never more than half of what it allows a process (or than a lower limit,
 * so that smaller files do), counted in /proc/self/maps, whatever fragments the file.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "map/region.h"
#include "lazy.h"
#include "mapped.h"
#include "report.h"
#include "smaps.h"
#include "../unit/rng.h"

#define PG 4096u
#define MB (1ull << 20)

struct budget {
    struct mapped m;
    struct store_region r;
    struct rng rng;
    uint64_t pages;
    uint64_t *value;    /* what each page holds, in its first and its last word */
    uint64_t others;    /* mappings that are not of regions */
    uint64_t max, most; /* the limit, and how many there have been */
};

static uint64_t count_mappings(void) {
    FILE *f = fopen("/proc/self/maps", "re");
    static char buf[1 << 16];
    uint64_t lines = 0;
    size_t n;
    MUST(f != NULL);
    while ((n = fread(buf, 1, sizeof buf, f)) != 0)
        for (size_t i = 0; i < n; i++)
            lines += buf[i] == '\n';
    fclose(f);
    return lines;
}

/* limit 0: the usual one. */
static void setup(struct budget *b, const char *test, uint64_t size, uint64_t pool_size, uint64_t limit) {
    memset(b, 0, sizeof *b);
    mapped_open(&b->m, pool_size, 1);
    mapped_truncate(&b->m, 0, size);
    b->rng = rng_start(test);
    b->pages = size / PG;
    b->value = calloc(b->pages, sizeof *b->value);
    MUST(b->value != NULL);
    region_vmas_limit(limit);
    b->others = count_mappings();
}

static void map(struct budget *b, uint32_t flags) {
    b->r = mapped_map(&b->m, 0, 0, b->pages * PG, flags);
    b->max = region_vmas_max();
}

static uint64_t any_page(struct budget *b) {
    return rng_below(&b->rng, (uint32_t)b->pages);
}

/* Mappings that come and go meanwhile: of the heap and such, and of a sanitizer for what it knows of the memory. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define OTHERS 512u
#else
#define OTHERS 64u
#endif

static void check_mappings(struct budget *b) {
    uint64_t now = count_mappings() - b->others;
    if (now > b->most)
        b->most = now;
    if (now > b->max)
        print_message("%llu mappings, %llu by the core's account, %llu allowed\n", (unsigned long long)now,
                      (unsigned long long)region_vmas(), (unsigned long long)b->max);
    assert_true(now <= b->max);
    assert_true(now <= region_vmas() + OTHERS); /* the account is no lower */
}

static uint64_t value_of(const struct budget *b, uint64_t page, bool last, const uint8_t *p) {
    (void)b;
    return get64(p + page * PG + (last ? PG - 8 : 0));
}

static void check_contents(struct budget *b) {
    uint64_t word[2];
    for (uint64_t i = 0; i < b->pages; i++) {
        if (b->r.r != NULL) {
            assert_int_equal(value_of(b, i, false, b->r.addr), b->value[i]);
            assert_int_equal(value_of(b, i, true, b->r.addr), b->value[i]);
        }
        mapped_read(&b->m, 0, i * PG, &word[0], 8);
        mapped_read(&b->m, 0, i * PG + PG - 8, &word[1], 8);
        assert_int_equal(word[0], b->value[i]);
        assert_int_equal(word[1], b->value[i]);
        if (i % 4096 == 0)
            check_mappings(b);
    }
}

/* Checks all, twice: now, and from the media. */
static void teardown(struct budget *b) {
    check_mappings(b);
    check_contents(b);
    check_mappings(b);
    if (b->r.r != NULL)
        nova_region_free(b->r.r);
    b->r.r = NULL;
    mapped_reopen(&b->m);
    check_contents(b);
    mapped_close(&b->m);
    region_vmas_limit(0);
    free(b->value);
}

static void write_page(struct budget *b, uint64_t page, uint64_t value) {
    uint64_t words[PG / 8] = {value};
    words[PG / 8 - 1] = value;
    mapped_write(&b->m, 0, page * PG, words, PG);
    b->value[page] = value;
}

static void store_page(struct budget *b, uint64_t page, uint64_t value) {
    put64(b->r.addr + page * PG, value);
    put64(b->r.addr + page * PG + PG - 8, value);
    b->value[page] = value;
}

static void write_all(struct budget *b) {
    static const uint64_t zeros[MB / 8];
    for (uint64_t at = 0; at < b->pages * PG; at += MB)
        mapped_write(&b->m, 0, at, zeros, MB);
}

/* ---- random overwrites of a mapped file ---- */

static void overwrites(uint64_t size, uint64_t limit) {
    struct budget b;
    setup(&b, "overwrites", size, size + size / 8 + 64 * MB, limit);
    write_all(&b);
    map(&b, 0);
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (uint64_t i = 0; i < b.pages; i++) {
        uint64_t page = any_page(&b);
        write_page(&b, page, i + 1);
        if (i % 8 == 0) /* as a program does that looks at what it maps */
            assert_int_equal(get64(b.r.addr + page * PG), i + 1);
        if (i % (b.pages / 64) == 0)
            check_mappings(&b);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    struct nova_region_stat st;
    nova_region_stat(b.r.r, &st);
    uint64_t most, ns = (uint64_t)((to.tv_sec - from.tv_sec) * 1000000000 + to.tv_nsec - from.tv_nsec);
    check_contents(&b);
    most = b.most;
    report_line("mapped file of %llu MiB: %llu random overwrites of 4 KiB, %.1f us each; at most %llu mappings of %llu "
                "allowed; %llu pages moved",
                (unsigned long long)(size / MB), (unsigned long long)b.pages, (double)ns / 1e3 / (double)b.pages,
                (unsigned long long)most, (unsigned long long)b.max, (unsigned long long)st.moved);
    teardown(&b);
}

static void test_overwrites(void **state) {
    (void)state;
    if (getenv("NOVA_FULL") != NULL)
        overwrites(1024 * MB, 0);
    else
        overwrites(128 * MB, 3000);
}

/* ---- loads and stores of a file whose blocks lie apart ---- */

static void test_fragmented_file(void **state) {
    (void)state;
    struct budget b;
    setup(&b, "fragmented file", 64 * MB, 128 * MB, 2000);
    write_all(&b);
    for (uint64_t i = 0; i < 2 * b.pages; i++)
        write_page(&b, any_page(&b), i + 1);
    map(&b, 0);
    struct nova_region_stat st;
    for (uint64_t i = 0; i < 20000; i++) {
        uint64_t page = any_page(&b);
        if (i % 3 == 0)
            assert_int_equal(value_of(&b, page, i % 2 == 0, b.r.addr), b.value[page]);
        else if (i % 30 == 1)
            write_page(&b, page, i << 32);
        else
            store_page(&b, page, i << 32);
        if (i % 500 == 0)
            check_mappings(&b);
    }
    nova_region_stat(b.r.r, &st);
    assert_true(st.moved != 0);
    report_line("fragmented file of 64 MiB, mapped: 20000 random loads and stores; at most %llu mappings of %llu "
                "allowed; %llu pages moved",
                (unsigned long long)b.most, (unsigned long long)b.max, (unsigned long long)st.moved);
    teardown(&b);
}

/* A file that keeps blocks beyond its end has them moved no more than any other page shows them. */
static void test_moves_at_the_end_of_the_file(void **state) {
    (void)state;
    struct budget b;
    setup(&b, "end of the file", 4 * MB, 64 * MB, 100);
    write_all(&b);
    for (uint64_t i = 0; i < 4 * b.pages; i++)
        write_page(&b, any_page(&b), i + 1);
    uint64_t end = b.pages - 100; /* in the middle of what moves at once */
    mapped_truncate(&b.m, 0, end * PG);
    assert_int_equal(store_allocate(&b.m.file[0].f, end * PG, 100 * PG, true), NOVA_OK);
    map(&b, 0);
    b.pages = end;
    for (uint64_t i = 0; i < 3000; i++)
        store_page(&b, b.pages - 1 - any_page(&b), i << 32);
    struct nova_region_stat st;
    nova_region_stat(b.r.r, &st);
    assert_true(st.moved != 0);
    assert_true(mapped_store_fails(b.r.addr + end * PG, 1));
    teardown(&b);
}

/* ---- holes ---- */

static void test_stores_to_holes(void **state) {
    (void)state;
    struct budget b;
    setup(&b, "stores to holes", 256 * MB, 320 * MB, 2000);
    map(&b, 0);
    for (uint64_t i = 0; i < 20000; i++) {
        store_page(&b, any_page(&b), i + 1);
        if (i % 500 == 0)
            check_mappings(&b);
    }
    teardown(&b);
}

/* Zeros that were looked at are memory of several pieces to the kernel, however they came apart. */
static void test_zeros_that_came_apart(void **state) {
    (void)state;
    struct budget b;
    setup(&b, "zeros", 16 * MB, 64 * MB, 10000);
    map(&b, 0);
    for (uint64_t round = 0; round < 3; round++) {
        for (uint64_t i = 0; i < b.pages; i += 2) { /* apart, */
            write_page(&b, i, i + 1);
            assert_int_equal(get64(b.r.addr + i * PG), i + 1);
        }
        for (uint64_t i = 1; i < b.pages; i += 2) /* looked at in this state, */
            assert_int_equal(get64(b.r.addr + i * PG), 0);
        check_mappings(&b);
        for (uint64_t i = 0; i < b.pages; i += 2) { /* and joined page by page */
            assert_int_equal(store_punch(&b.m.file[0].f, i * PG, PG), NOVA_OK);
            b.value[i] = 0;
            if (i % 1024 == 0)
                check_mappings(&b);
        }
    }
    teardown(&b);
}

/* And one load may want zeros on both sides of where two of them meet. */
static void test_zeros_across_a_seam(void **state) {
    (void)state;
    struct budget b;
    setup(&b, "seam", 16 * MB, 64 * MB, 0);
    map(&b, 0);
    for (uint64_t apart = 8; apart < 64; apart += 8) {
        write_page(&b, apart, 1);
        assert_int_equal(get64(b.r.addr + apart * PG), 1);
        assert_int_equal(get64(b.r.addr + (apart - 1) * PG), 0);
        assert_int_equal(get64(b.r.addr + (apart + 1) * PG), 0);
        assert_int_equal(store_punch(&b.m.file[0].f, apart * PG, PG), NOVA_OK);
        b.value[apart] = 0;
    }
    for (uint64_t i = 0; i < b.pages; i += 15)
        assert_int_equal(get64(b.r.addr + i * PG), 0);
    teardown(&b);
}

/* What is hidden becomes one with the memory around it, wherever the kernel finds room to make it. */
static void test_hidden_from_beside_the_region(void **state) {
    (void)state;
    enum { PIECE = 8 };
    static const uint8_t bytes[PIECE * PG];
    struct budget b;
    void *room[1 << 12] = {NULL};
    unsigned n = 0;
    setup(&b, "beside", 80 * MB, 128 * MB, 0);
    map(&b, 0);
    assert_int_equal(get64(b.r.addr), 0);
    do { /* what it takes next is the place before the region */
        MUST(n < sizeof room / sizeof *room);
        room[n] = mmap(NULL, sizeof bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        MUST(room[n] != MAP_FAILED);
    } while ((uint8_t *)room[n++] + sizeof bytes != b.r.addr);
    munmap(room[--n], sizeof bytes);
    const uint64_t others = b.others;
    b.others = count_mappings() - region_vmas();
    for (uint64_t i = 4 * PIECE; i + PIECE <= b.pages; i += 2 * PIECE) {
        mapped_write(&b.m, 0, i * PG, bytes, sizeof bytes);
        assert_int_equal(get64(b.r.addr + i * PG), 0);
    }
    check_mappings(&b);
    for (uint64_t i = 4 * PIECE; i + PIECE <= b.pages; i += 2 * PIECE)
        assert_int_equal(store_punch(&b.m.file[0].f, i * PG, sizeof bytes), NOVA_OK);
    check_mappings(&b);
    for (unsigned i = 0; i < n; i++)
        munmap(room[i], sizeof bytes);
    b.others = others;
    teardown(&b);
}

/* Zeros in mappings of their own, that stores and holes cut to pieces, and that are shown anew. */
static void test_long_runs_of_zeros(void **state) {
    (void)state;
    struct budget b;
    setup(&b, "long runs", 32 * MB, 64 * MB, 0);
    map(&b, 0);
    for (uint64_t round = 1; round <= 400; round++) {
        uint64_t at = any_page(&b), page = any_page(&b), n = 1 + rng_below(&b.rng, 600);
        for (uint64_t i = at; i < at + 600 && i < b.pages; i++)
            assert_int_equal(get64(b.r.addr + i * PG), b.value[i]);
        for (uint64_t i = 0; i < 3; i++)
            store_page(&b, any_page(&b), round);
        n = n < b.pages - page ? n : b.pages - page;
        assert_int_equal(store_punch(&b.m.file[0].f, page * PG, n * PG), NOVA_OK);
        memset(&b.value[page], 0, n * sizeof *b.value);
        check_mappings(&b);
    }
    teardown(&b);
}

/* ---- memory ---- */

/* Memory of the process's own in a region, which the kernel's one page of zeros is not. */
static uint64_t anonymous_pages(const struct store_region *r) {
    return smaps_kib(r->addr, r->len, "Anonymous") * 1024 / PG;
}

/* Zeros that are looked at in order take no memory; here and there they do, and give it back to those that come later.
 */
static void test_zeros_take_little_memory(void **state) {
    (void)state;
    struct budget b;
    uint64_t most = 0;
    setup(&b, "memory", 256 * MB, 320 * MB, 0);
    map(&b, 0);
    for (uint64_t i = 0; i < 2 * b.pages; i++) {
        uint64_t page = i < b.pages ? i : any_page(&b);
        assert_int_equal(get64(b.r.addr + page * PG), b.value[page]);
        if (i % 4096 == 0) {
            uint64_t now = anonymous_pages(&b.r);
            most = now > most ? now : most;
            store_page(&b, page, i + 1);
        }
    }
    assert_in_range(most, 1024, 16 * MB / PG + 1024);
    report_line("256 MiB of holes, mapped: %llu loads; at most %llu pages of zeros", (unsigned long long)(2 * b.pages),
                (unsigned long long)most);
    teardown(&b);
}

/* Pages of memory that the process has. */
static uint64_t resident_pages(void) {
    FILE *f = fopen("/proc/self/statm", "re");
    uint64_t all, resident;
    MUST(f != NULL && fscanf(f, "%" SCNu64 " %" SCNu64, &all, &resident) == 2);
    fclose(f);
    return resident;
}

/* A thread sanitizer keeps memory of its own for what is mapped. */
#ifdef __SANITIZE_THREAD__
#define MORE_PAGES UINT32_MAX
#else
#define MORE_PAGES (8 * MB / PG)
#endif

/* What a region keeps of pages that nobody has looked at takes no memory, whatever happens to them. */
static void test_huge_region(void **state) {
    (void)state;
    struct mapped m;
    const uint64_t size = 64 * 1024 * MB;
    mapped_open(&m, 64 * MB, 1);
    mapped_truncate(&m, 0, size);
    uint64_t before = resident_pages();
    struct store_region r = mapped_map(&m, 0, 0, size, 0);
    for (unsigned i = 1; i <= 3; i++) {
        put8(r.addr + size / 4 * i, 7);
        assert_int_equal(get8(r.addr + size / 4 * i - PG), 0);
    }
    assert_int_equal(store_punch(&m.file[0].f, PG, size / 2), NOVA_OK);
    assert_int_equal(get8(r.addr + size / 2), 0);
    mapped_truncate(&m, 0, size / 8 * 5);
    assert_true(mapped_load_fails(r.addr + size / 4 * 3, NULL));
    mapped_truncate(&m, 0, size);
    assert_int_equal(get8(r.addr + size / 4 * 3), 0);
    nova_region_close(r.r);
    assert_true(mapped_load_fails(r.addr + size / 4, NULL));
    assert_true(mapped_load_fails(r.addr + size - 1, NULL));
    assert_in_range(resident_pages(), 0, before + MORE_PAGES);
    nova_region_free(r.r);
    mapped_close(&m);
}

/* ---- many regions ---- */

#define SMALL 64u /* pages */

/* Of a file whose blocks lie apart: as many as there may be, each of which shows all it should. */
static void test_many_small_regions(void **state) {
    (void)state;
    struct budget b;
    static struct store_region r[4096];
    uint64_t n = 0, wanted = sizeof r / sizeof *r;
    int rc = NOVA_OK;
    setup(&b, "small regions", 64 * MB, 128 * MB, 2000);
    write_all(&b);
    for (uint64_t i = 0; i < 2 * b.pages; i++)
        write_page(&b, any_page(&b), i + 1);
    while (n < wanted &&
           (rc = store_map(&b.m.file[0].f, any_page(&b) / SMALL * SMALL * PG, SMALL * PG, 0, &r[n])) == NOVA_OK)
        n++;
    assert_int_equal(rc, NOVA_ENOMEM);
    assert_non_null(strstr(b.m.s.err.msg, "vm.max_map_count"));
    b.max = region_vmas_max();
    check_mappings(&b);
    assert_true(n > 400);
    for (uint64_t i = 0; i < 20000; i++) {
        const struct store_region *at = &r[rng_below(&b.rng, (uint32_t)n)];
        uint64_t page = rng_below(&b.rng, SMALL), of_file = at->off / PG + page;
        if (i % 3 == 0) {
            put64(at->addr + page * PG, i << 32);
            put64(at->addr + page * PG + PG - 8, i << 32);
            b.value[of_file] = i << 32;
        }
        assert_int_equal(value_of(&b, page, i % 2 == 0, at->addr), b.value[of_file]);
        if (i % 500 == 0)
            check_mappings(&b);
    }
    report_line("%llu mapped regions of %u pages, 20000 random loads and stores; at most %llu mappings of %llu allowed",
                (unsigned long long)n, SMALL, (unsigned long long)b.most, (unsigned long long)b.max);
    for (uint64_t i = 0; i < n; i += 2) {
        nova_region_free(r[i].r);
        r[i].r = NULL;
    }
    assert_int_equal(store_map(&b.m.file[0].f, 0, SMALL * PG, 0, &r[0]), NOVA_OK);
    for (uint64_t i = 0; i < n; i++)
        nova_region_free(r[i].r);
    assert_int_equal(region_vmas(), 0);
    teardown(&b);
}

/* One of each of several files: the mappings of one file's region make room for those of another's. */
static void test_small_regions_of_many_files(void **state) {
    (void)state;
    struct budget b;
    struct store_region r[MAPPED_FILES];
    uint64_t pages = 100, value[MAPPED_FILES][100] = {{0}};
    memset(&b, 0, sizeof b);
    mapped_open(&b.m, 32 * MB, MAPPED_FILES);
    b.rng = rng_start("regions of many files");
    region_vmas_limit(300);
    b.others = count_mappings();
    for (uint64_t page = 0; page < pages; page++) /* no two of a file lie side by side */
        for (unsigned i = 0; i < MAPPED_FILES; i++)
            mapped_write(&b.m, i, page * PG, &value[i][page], 8);
    for (unsigned i = 0; i < MAPPED_FILES; i++)
        r[i] = mapped_map(&b.m, i, 0, pages * PG, 0);
    b.max = region_vmas_max();
    for (uint64_t i = 0; i < 20000; i++) {
        unsigned f = (unsigned)(i / 200 % MAPPED_FILES);
        uint64_t page = rng_below(&b.rng, (uint32_t)pages);
        assert_int_equal(get64(r[f].addr + page * PG), value[f][page]);
        value[f][page] = i + 1;
        if (i % 50 == 0)
            mapped_write(&b.m, f, page * PG, &value[f][page], 8);
        else
            put64(r[f].addr + page * PG, i + 1);
        if (i % 50 == 0)
            check_mappings(&b);
    }
    for (unsigned i = 0; i < MAPPED_FILES; i++) {
        assert_true(mapped_equal(&b.m, i, 0, r[i].addr, (pages - 1) * PG + 8));
        nova_region_free(r[i].r);
    }
    mapped_close(&b.m);
    region_vmas_limit(0);
}

/* ---- eager regions ---- */

/* They need all of their mappings: if those are too many, there is no region. */
static void test_eager_region_of_fragments(void **state) {
    (void)state;
    struct budget b;
    setup(&b, "eager", 16 * MB, 64 * MB, 500);
    write_all(&b);
    for (uint64_t i = 0; i < 2 * b.pages; i++)
        write_page(&b, any_page(&b), i + 1);
    struct store_region r;
    assert_int_equal(store_map(&b.m.file[0].f, 0, b.pages * PG, NOVA_MAP_EAGER, &r), NOVA_ENOMEM);
    b.max = region_vmas_max();
    check_mappings(&b);
    assert_int_equal(region_vmas(), 0);
    region_vmas_limit(0);
    map(&b, NOVA_MAP_EAGER);
    store_page(&b, 5, 7);
    teardown(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overwrites),
        cmocka_unit_test(test_fragmented_file),
        cmocka_unit_test(test_moves_at_the_end_of_the_file),
        cmocka_unit_test(test_stores_to_holes),
        cmocka_unit_test(test_zeros_that_came_apart),
        cmocka_unit_test(test_zeros_across_a_seam),
        cmocka_unit_test(test_hidden_from_beside_the_region),
        cmocka_unit_test(test_long_runs_of_zeros),
        cmocka_unit_test(test_zeros_take_little_memory),
        cmocka_unit_test(test_huge_region),
        cmocka_unit_test(test_many_small_regions),
        cmocka_unit_test(test_small_regions_of_many_files),
        cmocka_unit_test(test_eager_region_of_fragments),
    };
    lazy_need("mappings of regions");
    mapped_main(getenv("NOVA_FULL") != NULL ? 3000 : 500);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
