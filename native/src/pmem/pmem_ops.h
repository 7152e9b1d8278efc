/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one seam through which the core writes persistent memory. Production binds it to libpmem (pmem_libpmem.c);
 * tests bind a recorder. Nothing else in the core stores to the pool's mapping.
 *
 * Order and durability: bytes given to copy, zero or flush are durable after the next drain of the same thread; before
 * it, each cache line may or may not have reached the media, in any order. store8 becomes durable by flush + drain.
 */
#ifndef NOVA_PMEM_PMEM_OPS_H
#define NOVA_PMEM_PMEM_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pmem_ops {
    void *ctx;        /* the implementation's own; libpmem's needs none */
    bool flush_calls; /* a flush is a system call: one of much is cheaper than many of little */
    /* One 8-byte store to an 8-byte aligned address, atomic to readers and on the media. Not flushed. */
    void (*store8)(const struct pmem_ops *ops, void *dst, uint64_t val);
    /* Bulk copy of any size and alignment, written back (non-temporal when large, or a whole line); needs a drain. */
    void (*copy)(const struct pmem_ops *ops, void *dst, const void *src, size_t len);
    /* The same, reading each byte of src once; continues the CRC32C crc over what is copied. */
    uint32_t (*copy_crc)(const struct pmem_ops *ops, void *dst, const void *src, size_t len, uint32_t crc);
    /* Zeros, as copy. */
    void (*zero)(const struct pmem_ops *ops, void *dst, size_t len);
    /* Starts writing back the cache lines of [addr, addr + len). */
    void (*flush)(const struct pmem_ops *ops, const void *addr, size_t len);
    /*
     * Waits until everything this thread copied, zeroed or flushed is durable. 0, or the errno with which the operating
     * system refused; then what of it is durable is unknown, and every later drain fails too.
     */
    int (*drain)(const struct pmem_ops *ops);
};

/* CPU cache flush instructions through libpmem: DAX, and emulated persistent memory. */
extern const struct pmem_ops pmem_ops_cpu;

/*
 * msync through libpmem: pools in the page cache. Every copy, zero and flush is durable when it returns. A refused
 * msync leaves its errno in *failed, which drain answers from then on.
 */
void pmem_ops_msync_init(struct pmem_ops *ops, int *failed);

#endif
