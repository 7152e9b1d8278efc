/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file bench_protocol.c
 * The limit: what the write protocol costs when nothing is left of it but its stores.
 *
 * A loop over a mapped file, with libpmem alone: no allocator, no index, no locks, no checksums, no language boundary.
 * JNova's own figures are read as a ratio to these, taken in the same run on the same file system. Per operation
 *
 *   write4k              4 KiB into a fresh block (non-temporal), a 64-byte log entry, drain, the log tail, drain
 *   write1m              the same with 256 blocks in a row and one entry, sequentially
 *   append64, 128, 1k    so many bytes behind the last ones in place, a 64-byte log entry, drain, the log tail, drain
 *   read4k               a 4 KiB copy out of a random block
 *
 * Blocks are random over the working set, and a fresh block is one replaced a while ago. (JNova's is the one replaced
 * last; nobody has touched either since it was written. Of 1 MiB the fresh blocks are the next ones in the file.)
 * Everything is touched once before the clock starts, on tmpfs in huge pages if there are any, as a pool that is opened
 * with NOVA_OPT_PREFAULT is. Output: a JSON line per operation.
 */
#include <getopt.h>
#include <libpmem.h>
#include <sys/mman.h>
#include <unistd.h>

#include "timing.h"

#define BLOCK_LEN 4096u
#define ENTRY_LEN 64u
#define LARGE_LEN (1u << 20)
#define LOG_LEN (16u << 20) /* reused from the start when full; larger than the second-level cache */
#define SPARE_BLOCKS 256u   /* free blocks beyond the working set */
#define COLLAPSE 25         /* MADV_COLLAPSE, which headers before Linux 6.1 lack */

struct bench {
    char *base; /* of the mapping: a block with the tail, the log, then the data blocks */
    size_t mapped_len;
    char *log;
    char *data;
    uint32_t pages;     /* of the file that is overwritten */
    uint32_t blocks;    /* pages + SPARE_BLOCKS */
    uint32_t *page_blk; /* file page -> data block */
    uint32_t *free_blk; /* ring of SPARE_BLOCKS free data blocks */
    uint32_t free_next;
    uint64_t log_pos; /* bytes appended since the start */
    uint64_t append_pos;
    uint64_t large_next; /* MiB written since the start */
    uint64_t random;
    char *buffer; /* the caller's bytes */
};

static uint32_t next_page(struct bench *b) {
    b->random ^= b->random << 13;
    b->random ^= b->random >> 7;
    b->random ^= b->random << 17;
    return (uint32_t)(((b->random >> 32) * b->pages) >> 32);
}

/** Logs an operation and commits it. The drain before the tail orders data and entry before the commit. */
static void append_and_commit(struct bench *b, uint64_t first, uint64_t second) {
    uint64_t entry[ENTRY_LEN / sizeof(uint64_t)] = {first, second, b->log_pos, b->random};
    char *to = b->log + b->log_pos % LOG_LEN;
    pmem_memcpy(to, entry, ENTRY_LEN, PMEM_F_MEM_NODRAIN | PMEM_F_MEM_NONTEMPORAL);
    pmem_drain();
    b->log_pos += ENTRY_LEN;
    __atomic_store_n((uint64_t *)(void *)b->base, b->log_pos, __ATOMIC_RELEASE);
    pmem_flush(b->base, sizeof(uint64_t));
    pmem_drain();
}

static void write4k(void *bench) {
    struct bench *b = bench;
    uint32_t page = next_page(b);
    uint32_t slot = b->free_next++ % SPARE_BLOCKS;
    uint32_t fresh = b->free_blk[slot];
    pmem_memcpy(b->data + (size_t)fresh * BLOCK_LEN, b->buffer, BLOCK_LEN, PMEM_F_MEM_NODRAIN | PMEM_F_MEM_NONTEMPORAL);
    append_and_commit(b, page, fresh);
    b->free_blk[slot] = b->page_blk[page];
    b->page_blk[page] = fresh;
}

static void write1m(void *bench) {
    struct bench *b = bench;
    uint64_t large = (uint64_t)b->pages * BLOCK_LEN / LARGE_LEN;
    uint64_t at = b->large_next++ % large;
    pmem_memcpy(b->data + at * LARGE_LEN, b->buffer, LARGE_LEN, PMEM_F_MEM_NODRAIN | PMEM_F_MEM_NONTEMPORAL);
    append_and_commit(b, at, LARGE_LEN);
}

static inline void append(struct bench *b, uint32_t len) {
    uint64_t in_data = b->append_pos % ((uint64_t)b->blocks * BLOCK_LEN);
    pmem_memcpy(b->data + in_data, b->buffer, len, PMEM_F_MEM_NODRAIN | PMEM_F_MEM_NONTEMPORAL);
    b->append_pos += len;
    append_and_commit(b, b->append_pos, in_data);
}

static void append64(void *bench) {
    append(bench, 64);
}
static void append128(void *bench) {
    append(bench, 128);
}
static void append1k(void *bench) {
    append(bench, 1024);
}

static void from_start(void *bench) {
    ((struct bench *)bench)->append_pos = 0;
}

static void read4k(void *bench) {
    struct bench *b = bench;
    memcpy(b->buffer, b->data + (size_t)b->page_blk[next_page(b)] * BLOCK_LEN, BLOCK_LEN);
    __asm__ volatile("" : : "r"(b->buffer) : "memory"); /* the copy must happen */
}

static const struct operation operations[] = {
    {"write4k", BLOCK_LEN, write4k, NULL},    {"write1m", LARGE_LEN, write1m, NULL},
    {"append64", 64, append64, from_start},   {"append128", 128, append128, from_start},
    {"append1k", 1024, append1k, from_start}, {"read4k", BLOCK_LEN, read4k, NULL},
};
#define OPERATIONS (sizeof operations / sizeof operations[0])

/** Maps a new file with every block allocated and touched, and deals the blocks out in random order. */
static int prepare(struct bench *b, const char *path, uint64_t working_set) {
    b->pages = (uint32_t)(working_set / BLOCK_LEN);
    b->blocks = b->pages + SPARE_BLOCKS;
    size_t len = BLOCK_LEN + LOG_LEN + (size_t)b->blocks * BLOCK_LEN;
    b->base = pmem_map_file(path, len, PMEM_FILE_CREATE | PMEM_FILE_EXCL, 0600, &b->mapped_len, NULL);
    if (b->base == NULL) {
        fprintf(stderr, "bench_protocol: cannot make %s of %zu bytes: %s\n", path, len, pmem_errormsg());
        return -1;
    }
    unlink(path); /* the mapping keeps it; nothing to clean up whatever happens */
    b->log = b->base + BLOCK_LEN;
    b->data = b->log + LOG_LEN;
    b->random = 0x9E3779B97F4A7C15u;
    b->page_blk = calloc(b->pages, sizeof *b->page_blk);
    b->free_blk = calloc(SPARE_BLOCKS, sizeof *b->free_blk);
    uint32_t *order = calloc(b->blocks, sizeof *order);
    b->buffer = aligned_alloc(BLOCK_LEN, LARGE_LEN);
    if (b->page_blk == NULL || b->free_blk == NULL || order == NULL || b->buffer == NULL) {
        fprintf(stderr, "bench_protocol: out of memory\n");
        free(order);
        return -1;
    }
    (void)madvise(b->base, len, COLLAPSE);
    memset(b->base, 0x5A, len);
    memset(b->buffer, 0xA5, LARGE_LEN);
    for (uint32_t i = 0; i < b->blocks; i++) {
        order[i] = i;
    }
    for (uint32_t i = 0; i < b->pages; i++) {
        uint32_t j = i + next_page(b) % (b->blocks - i);
        uint32_t t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
    memcpy(b->page_blk, order, b->pages * sizeof *order);
    memcpy(b->free_blk, order + b->pages, SPARE_BLOCKS * sizeof *order);
    free(order);
    return 0;
}

static void release(struct bench *b) {
    if (b->base != NULL) {
        pmem_unmap(b->base, b->mapped_len);
    }
    free(b->page_blk);
    free(b->free_blk);
    free(b->buffer);
}

static void usage(FILE *out) {
    fputs("usage: bench_protocol [--file PATH] [--working-set BYTES] [--ops N] [--rounds N] [--op NAME]...\n"
          "Times the bare write protocol on a new file (default: under /dev/shm) that is gone afterwards.\n"
          "Prints a JSON line per operation: write4k, write1m, append64, append128, append1k, read4k; ns is the median "
          "over\n"
          "the rounds, percentiles are of single operations in one more round.\n",
          out);
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"file", required_argument, NULL, 'f'},
                                            {"working-set", required_argument, NULL, 'w'},
                                            {"ops", required_argument, NULL, 'n'},
                                            {"rounds", required_argument, NULL, 'r'},
                                            {"op", required_argument, NULL, 'o'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    char default_path[64];
    snprintf(default_path, sizeof default_path, "/dev/shm/jnova-limit-%ld", (long)getpid());
    struct timing t = {.path = default_path, .working_set = 64u << 20, .ops = 100000, .rounds = 7};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'h') {
            usage(stdout);
            return 0;
        }
        if (c == '?' || timing_option(&t, c, optarg, operations, OPERATIONS) != 0) {
            usage(stderr);
            return 2;
        }
    }
    if (optind != argc) {
        usage(stderr);
        return 2;
    }
    struct bench b = {0};
    int failed = prepare(&b, t.path, t.working_set);
    if (!failed) {
        failed = timing_run(&t, &b, operations, OPERATIONS);
    }
    release(&b);
    return failed ? 1 : 0;
}
