/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two production pmem_ops ask of libpmem. The crash tests replace the ops, and no test machine's power fails:
 * a flush that is missing here would show nowhere else. libpmem's functions are wrapped (--wrap).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <libpmem.h>

#include "pmem/pmem_ops.h"

enum call { NONE, MEMCPY, MEMSET, FLUSH, DRAIN, MSYNC };

/* The only call since it was cleared. */
static struct {
    unsigned n;
    enum call call;
    const void *addr;
    size_t len;
    unsigned flags;
    uint8_t first; /* byte at addr, when it was called */
} last;

static void note(enum call call, const void *addr, size_t len, unsigned flags) {
    last.n++;
    last.call = call;
    last.addr = addr;
    last.len = len;
    last.flags = flags;
    last.first = addr == NULL ? 0 : *(const uint8_t *)addr;
}

void *__wrap_pmem_memcpy(void *dst, const void *src, size_t len, unsigned flags);
void *__wrap_pmem_memset(void *dst, int c, size_t len, unsigned flags);
void __wrap_pmem_flush(const void *addr, size_t len);
void __wrap_pmem_drain(void);
int __wrap_pmem_msync(const void *addr, size_t len);

void *__wrap_pmem_memcpy(void *dst, const void *src, size_t len, unsigned flags) {
    note(MEMCPY, dst, len, flags);
    return memcpy(dst, src, len);
}

void *__wrap_pmem_memset(void *dst, int c, size_t len, unsigned flags) {
    note(MEMSET, dst, len, flags);
    return memset(dst, c, len);
}

void __wrap_pmem_flush(const void *addr, size_t len) {
    note(FLUSH, addr, len, 0);
}

void __wrap_pmem_drain(void) {
    note(DRAIN, NULL, 0, 0);
}

int __wrap_pmem_msync(const void *addr, size_t len) {
    note(MSYNC, addr, len, 0);
    return 0;
}

static uint8_t mem[1024] __attribute__((aligned(64)));
static const uint8_t bytes[1024] = {7};

static void is_call(enum call call, const void *addr, size_t len) {
    assert_int_equal(last.n, call == NONE ? 0 : 1);
    assert_int_equal(last.call, call);
    assert_ptr_equal(last.addr, addr);
    assert_int_equal(last.len, len);
    memset(&last, 0, sizeof last);
}

static void cpu_ops_flush(void **state) {
    (void)state;
    const struct pmem_ops *ops = &pmem_ops_cpu;
    ops->copy(ops, mem + 3, bytes, 300);
    assert_int_equal(last.flags, PMEM_F_MEM_NODRAIN); /* that alone: flushed, or past the cache */
    is_call(MEMCPY, mem + 3, 300);
    ops->zero(ops, mem + 3, 500);
    assert_int_equal(last.flags, PMEM_F_MEM_NODRAIN);
    is_call(MEMSET, mem + 3, 500);
    assert_int_equal(mem[3], 0);
    ops->store8(ops, mem + 8, 9);
    is_call(NONE, NULL, 0);
    ops->flush(ops, mem + 8, 8);
    is_call(FLUSH, mem + 8, 8);
    assert_int_equal(ops->drain(ops), 0);
    is_call(DRAIN, NULL, 0);
}

static void msync_ops_sync_what_is_there_already(void **state) {
    (void)state;
    struct pmem_ops sync;
    int failed = 0;
    pmem_ops_msync_init(&sync, &failed);
    mem[3] = 1;
    sync.copy(&sync, mem + 3, bytes, 300);
    assert_int_equal(last.first, 7);
    is_call(MSYNC, mem + 3, 300);
    sync.zero(&sync, mem + 3, 500);
    assert_int_equal(last.first, 0);
    is_call(MSYNC, mem + 3, 500);
    sync.store8(&sync, mem + 8, 9);
    is_call(NONE, NULL, 0);
    sync.flush(&sync, mem + 8, 8);
    assert_int_equal(last.first, 9);
    is_call(MSYNC, mem + 8, 8);
    assert_int_equal(sync.drain(&sync), 0);
    is_call(NONE, NULL, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cpu_ops_flush),
        cmocka_unit_test(msync_ops_sync_what_is_there_already),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
