/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <libpmem.h>
#include <string.h>

#include "pmem/pmem_ops.h"
#include "util/crc32c.h"

/* Release order: a reader on another CPU that sees the new word sees what was stored before it. */
static void store8(const struct pmem_ops *ops, void *dst, uint64_t val) {
    (void)ops;
    __atomic_store_n((uint64_t *)dst, val, __ATOMIC_RELEASE);
}

/* ---- CPU cache flush ---- */

#define LINE 64u

#if defined(__x86_64__)
/* Past the cache, as libpmem does with much: a log entry, which nobody reads for a while. To store it in the cache and
 * write it back from there takes longer; so does to load in larger pieces what was just stored in words. */
static void copy_line(uint8_t *dst, const uint8_t *src) {
    for (unsigned i = 0; i < LINE; i += sizeof(long long)) {
        long long word;
        memcpy(&word, src + i, sizeof word);
        __builtin_ia32_movnti64((long long *)(void *)(dst + i), word);
    }
}
#endif

static void cpu_copy(const struct pmem_ops *ops, void *dst, const void *src, size_t len) {
    (void)ops;
#if defined(__x86_64__)
    if (len == LINE && (uintptr_t)dst % LINE == 0) {
        copy_line(dst, src);
        return;
    }
#endif
    pmem_memcpy(dst, src, len, PMEM_F_MEM_NODRAIN);
}

/* libpmem has no copy that looks at the bytes. From its own threshold on, and with whole lines, this one goes past the
 * cache as well: what the drain waits for. */
#define STREAM_MIN 256u

static uint32_t cpu_copy_crc(const struct pmem_ops *ops, void *dst, const void *src, size_t len, uint32_t crc) {
    uint8_t step[STREAM_MIN];
    size_t done = 0;
    (void)ops;
    if ((len >= STREAM_MIN && (uintptr_t)dst % 8 == 0) || ((uintptr_t)dst | len) % LINE == 0) {
        done = len & ~(size_t)7;
        crc = nova_crc32c_stream(crc, dst, src, done);
    }
    for (size_t n; done < len; done += n) {
        n = len - done < sizeof step ? len - done : sizeof step;
        memcpy(step, (const uint8_t *)src + done, n);
        crc = nova_crc32c(crc, step, n);
        pmem_memcpy((uint8_t *)dst + done, step, n, PMEM_F_MEM_NODRAIN);
    }
    return crc;
}

static void cpu_zero(const struct pmem_ops *ops, void *dst, size_t len) {
    (void)ops;
    pmem_memset(dst, 0, len, PMEM_F_MEM_NODRAIN);
}

/* libpmem picks clwb, clflushopt or clflush at load time, and nothing at all where the caches are durable (eADR). */
static void cpu_flush(const struct pmem_ops *ops, const void *addr, size_t len) {
    (void)ops;
    pmem_flush(addr, len);
}

/* The second fence is for non-temporal stores of ours: where there is nothing but clflush, libpmem's drain is none,
 * since libpmem fences its own non-temporal stores at once. Behind a first one it takes no time. */
static int cpu_drain(const struct pmem_ops *ops) {
    (void)ops;
    pmem_drain();
#if defined(__x86_64__)
    __builtin_ia32_sfence();
#endif
    return 0;
}

const struct pmem_ops pmem_ops_cpu = {.store8 = store8,
                                      .copy = cpu_copy,
                                      .copy_crc = cpu_copy_crc,
                                      .zero = cpu_zero,
                                      .flush = cpu_flush,
                                      .drain = cpu_drain};

/* ---- msync ---- */

static void msync_flush(const struct pmem_ops *ops, const void *addr, size_t len) {
    if (pmem_msync(addr, len) != 0) {
        int none = 0;
        __atomic_compare_exchange_n((int *)ops->ctx, &none, errno != 0 ? errno : EIO, 0, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED);
    }
}

static void msync_copy(const struct pmem_ops *ops, void *dst, const void *src, size_t len) {
    memcpy(dst, src, len);
    msync_flush(ops, dst, len);
}

static uint32_t msync_copy_crc(const struct pmem_ops *ops, void *dst, const void *src, size_t len, uint32_t crc) {
    memcpy(dst, src, len);
    crc = nova_crc32c(crc, dst, len); /* nobody else changes that */
    msync_flush(ops, dst, len);
    return crc;
}

static void msync_zero(const struct pmem_ops *ops, void *dst, size_t len) {
    memset(dst, 0, len);
    msync_flush(ops, dst, len);
}

static int msync_drain(const struct pmem_ops *ops) {
    return __atomic_load_n((const int *)ops->ctx, __ATOMIC_RELAXED);
}

void pmem_ops_msync_init(struct pmem_ops *ops, int *failed) {
    *ops = (struct pmem_ops){.ctx = failed,
                             .flush_calls = true,
                             .store8 = store8,
                             .copy = msync_copy,
                             .copy_crc = msync_copy_crc,
                             .zero = msync_zero,
                             .flush = msync_flush,
                             .drain = msync_drain};
}
