/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that serve faults and cannot be started: regions are eager meanwhile, and nothing is left over. */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lazy.h"
#include "mapped.h"

#define PG 4096u
#define MB (1ull << 20)

/* ---- threads that are refused ---- */

static unsigned refused;         /* kinds of threads, as bits */
static void *(*kind[2])(void *); /* in the order in which they first came */

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg) {
    unsigned i = kind[0] == NULL || kind[0] == run ? 0 : 1;
    kind[i] = run;
    return (refused >> i & 1) != 0 ? EAGAIN : __real_pthread_create(thread, attr, run, arg);
}

static unsigned entries(const char *path) {
    unsigned n = 0;
    DIR *dir = opendir(path);
    MUST(dir != NULL);
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

/* ---- tests ---- */

static bool map_and_free(struct mapped *m) {
    struct nova_region_stat st;
    struct store_region r;
    MUST(store_map(&m->file[0].f, 0, MB, 0, &r) == NOVA_OK);
    MUST(nova_region_stat(r.r, &st) == NOVA_OK);
    put8(r.addr + 7 * PG, (uint8_t)(get8(r.addr + 7 * PG) + 1));
    MUST(mapped_equal(m, 0, 0, r.addr, MB));
    nova_region_free(r.r);
    mapped_truncate(m, 0, 0);
    mapped_truncate(m, 0, MB);
    return st.lazy != 0;
}

static void test_threads_that_cannot_be_started(void **state) {
    (void)state;
    struct mapped m;
    mapped_open(&m, 16 * MB, 1);
    mapped_truncate(&m, 0, MB);
    nova_region_free(mapped_map(&m, 0, 0, MB, NOVA_MAP_EAGER).r); /* what all regions need is there */
    unsigned threads = entries("/proc/self/task"), fds = entries("/proc/self/fd");

    refused = 1; /* those that serve */
    for (unsigned i = 0; i < 3; i++)
        assert_false(map_and_free(&m));
    assert_int_equal(entries("/proc/self/task"), threads);
    assert_int_equal(entries("/proc/self/fd"), fds);

    refused = 2; /* the one that reads */
    assert_false(map_and_free(&m));
    unsigned serving = entries("/proc/self/task");
    assert_true(serving > threads);
    for (unsigned i = 0; i < 3; i++)
        assert_false(map_and_free(&m));
    assert_int_equal(entries("/proc/self/task"), serving);
    assert_int_equal(entries("/proc/self/fd"), fds);

    refused = 0;
    for (unsigned i = 0; i < 3; i++)
        assert_true(map_and_free(&m));
    assert_int_equal(entries("/proc/self/task"), serving + 1);
    assert_int_equal(entries("/proc/self/fd"), fds + 1);
    mapped_close(&m);
}

int main(void) {
    lazy_need("threads that serve faults");
    mapped_main(60);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_threads_that_cannot_be_started)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
