/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "map/fault_server.h"
#include "lazy.h"

#define PG ((size_t)NOVA_BLOCK_SIZE)
#define PAGES 40u

static volatile uint8_t *base;
/* Atomic: the threads that serve faults outlive a test. */
static int ones_fd; /* a page of ones */
static int loads, stores;

/* Zeros for loads, and for stores ones. mmap(2) as it is: not a store, as a thread sanitizer would think. */
static void serve(void *addr, bool store) {
    if (store) {
        __atomic_add_fetch(&stores, 1, __ATOMIC_SEQ_CST);
        syscall(SYS_mmap, addr, PG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
                __atomic_load_n(&ones_fd, __ATOMIC_SEQ_CST), (off_t)0);
    } else {
        __atomic_add_fetch(&loads, 1, __ATOMIC_SEQ_CST);
        fault_zeros(addr, PG);
    }
    fault_wake(addr, PG);
}

static int set_up(void **state) {
    (void)state;
    static uint8_t ones[NOVA_BLOCK_SIZE];
    memset(ones, 1, sizeof ones);
    int fd = memfd_create("ones", MFD_CLOEXEC);
    __atomic_store_n(&ones_fd, fd, __ATOMIC_SEQ_CST);
    assert_int_equal(write(fd, ones, sizeof ones), sizeof ones);
    __atomic_store_n(&loads, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&stores, 0, __ATOMIC_SEQ_CST);
    base = mmap(NULL, PAGES * PG, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(fault_server_start(serve));
    return (void *)(uintptr_t)base == MAP_FAILED;
}

static int tear_down(void **state) {
    (void)state;
    close(__atomic_load_n(&ones_fd, __ATOMIC_SEQ_CST));
    return munmap((void *)(uintptr_t)base, PAGES * PG);
}

static int hide(size_t page, size_t n) {
    return fault_hide((void *)(uintptr_t)(base + page * PG), n * PG, PROT_READ | PROT_WRITE);
}

static void loads_see_zeros_and_stores_are_faults(void **state) {
    (void)state;
    assert_int_equal(hide(0, PAGES), 0);
    assert_int_equal(base[5 * PG], 0);
    assert_int_equal(base[5 * PG + 1], 0);
    assert_int_equal(__atomic_load_n(&loads, __ATOMIC_SEQ_CST), 1);
    base[5 * PG + 1] = 7;
    assert_int_equal(__atomic_load_n(&stores, __ATOMIC_SEQ_CST), 1);
    assert_int_equal(base[5 * PG], 1);
    assert_int_equal(base[5 * PG + 1], 7);
    assert_int_equal(hide(5, 1), 0);
    assert_int_equal(base[5 * PG + 1], 0);
    assert_int_equal(__atomic_load_n(&loads, __ATOMIC_SEQ_CST), 2);
    assert_int_equal(fault_zeros((void *)(uintptr_t)(base + 6 * PG), (PAGES - 6) * PG), 0);
    assert_int_equal(base[(PAGES - 1) * PG], 0);
    assert_int_equal(__atomic_load_n(&loads, __ATOMIC_SEQ_CST), 2);
}

/* Pages that come to lie between others which have been used join the mapping of one side, not of both. */
static void zeros_over_several_mappings(void **state) {
    (void)state;
    assert_int_equal(hide(0, 3), 0);
    assert_int_equal(hide(5, PAGES - 5), 0);
    assert_int_equal(base[0], 0);
    assert_int_equal(base[(PAGES - 1) * PG], 0);
    assert_int_equal(hide(3, 2), 0);
    assert_int_equal(fault_zeros((void *)(uintptr_t)(base + PG), (PAGES - 2) * PG), 0);
    for (size_t i = 0; i < PAGES; i++)
        assert_int_equal(base[i * PG], 0);
    assert_int_equal(__atomic_load_n(&loads, __ATOMIC_SEQ_CST), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(loads_see_zeros_and_stores_are_faults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(zeros_over_several_mappings, set_up, tear_down),
    };
    lazy_need("faults in user space");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
