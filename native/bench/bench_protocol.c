/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file bench_protocol.c
 * The limit: what the write protocol costs when nothing is left of it but its stores.
 *
 * A loop over a mapped file, with libpmem alone: no allocator, no index, no locks, no checksums, no language boundary.
 * JNova's own figures are read as a ratio to these, taken in the same run on the same file system. Per operation
 *
 *   write4k    4 KiB into a fresh block (non-temporal), a 64-byte log entry, drain, the log tail, drain
 *   append128  128 bytes behind the last ones in place, a 64-byte log entry, drain, the log tail, drain
 *   read4k     a 4 KiB copy out of a random block
 *
 * Blocks are random over the working set, and a fresh block is the one replaced longest ago, as with a store whose
 * free space is used in turn. Everything is touched once before the clock starts. Output: a JSON line per operation.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <libpmem.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BLOCK_LEN 4096u
#define ENTRY_LEN 64u
#define APPEND_LEN 128u
#define LOG_LEN (16u << 20) /* reused from the start when full; larger than the second-level cache */
#define SPARE_BLOCKS 256u   /* free blocks beyond the working set */
#define ROUNDS_MAX 101u

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

static void write4k(struct bench *b) {
    uint32_t page = next_page(b);
    uint32_t slot = b->free_next++ % SPARE_BLOCKS;
    uint32_t fresh = b->free_blk[slot];
    pmem_memcpy(b->data + (size_t)fresh * BLOCK_LEN, b->buffer, BLOCK_LEN, PMEM_F_MEM_NODRAIN | PMEM_F_MEM_NONTEMPORAL);
    append_and_commit(b, page, fresh);
    b->free_blk[slot] = b->page_blk[page];
    b->page_blk[page] = fresh;
}

static void append128(struct bench *b) {
    uint64_t in_data = b->append_pos % ((uint64_t)b->blocks * BLOCK_LEN);
    pmem_memcpy(b->data + in_data, b->buffer, APPEND_LEN, PMEM_F_MEM_NODRAIN | PMEM_F_MEM_NONTEMPORAL);
    b->append_pos += APPEND_LEN;
    append_and_commit(b, b->append_pos, in_data);
}

static void read4k(struct bench *b) {
    memcpy(b->buffer, b->data + (size_t)b->page_blk[next_page(b)] * BLOCK_LEN, BLOCK_LEN);
    __asm__ volatile("" : : "r"(b->buffer) : "memory"); /* the copy must happen */
}

static const struct operation {
    const char *name;
    void (*run)(struct bench *b);
} operations[] = {{"write4k", write4k}, {"append128", append128}, {"read4k", read4k}};

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int compare_double(const void *a, const void *b) {
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(struct bench *b, const struct operation *op, uint32_t ops, uint32_t rounds) {
    double ns[ROUNDS_MAX];
    for (uint32_t i = 0; i < ops / 4; i++) {
        op->run(b);
    }
    for (uint32_t r = 0; r < rounds; r++) {
        uint64_t start = now_ns();
        for (uint32_t i = 0; i < ops; i++) {
            op->run(b);
        }
        ns[r] = (double)(now_ns() - start) / ops;
    }
    qsort(ns, rounds, sizeof ns[0], compare_double);
    printf("{\"op\":\"%s\",\"ns\":%.1f,\"min_ns\":%.1f,\"max_ns\":%.1f,\"rounds\":%" PRIu32 ",\"ops\":%" PRIu32
           ",\"working_set\":%" PRIu64 "}\n",
           op->name, ns[rounds / 2], ns[0], ns[rounds - 1], rounds, ops, (uint64_t)b->pages * BLOCK_LEN);
    fflush(stdout);
}

/** Maps a new file with every block allocated and touched, and deals the blocks out in random
 * order. */
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
    b->buffer = aligned_alloc(BLOCK_LEN, BLOCK_LEN);
    if (b->page_blk == NULL || b->free_blk == NULL || order == NULL || b->buffer == NULL) {
        fprintf(stderr, "bench_protocol: out of memory\n");
        free(order);
        return -1;
    }
    memset(b->base, 0x5A, len);
    memset(b->buffer, 0xA5, BLOCK_LEN);
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

/** A whole number between low and high, or exit. */
static uint64_t number(const char *option, const char *text, uint64_t low, uint64_t high) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || end == text || value < low || value > high) {
        fprintf(stderr, "bench_protocol: %s takes a number from %" PRIu64 " to %" PRIu64 ", not \"%s\"\n", option, low,
                high, text);
        exit(2);
    }
    return value;
}

static void usage(FILE *out) {
    fputs("usage: bench_protocol [--file PATH] [--working-set BYTES] [--ops N] [--rounds N] [--op NAME]\n"
          "Times the bare write protocol on a new file (default: under /dev/shm) that is gone afterwards.\n"
          "Prints a JSON line per operation: write4k, append128, read4k; ns is the median over the rounds.\n",
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
    const char *path = default_path;
    const char *only = NULL;
    uint64_t working_set = 64u << 20;
    uint32_t ops = 100000;
    uint32_t rounds = 7;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'f': path = optarg; break;
        case 'w': working_set = number("--working-set", optarg, BLOCK_LEN, UINT64_C(1) << 40); break;
        case 'n': ops = (uint32_t)number("--ops", optarg, 1, 1000000000); break;
        case 'r': rounds = (uint32_t)number("--rounds", optarg, 1, ROUNDS_MAX); break;
        case 'o': only = optarg; break;
        case 'h': usage(stdout); return 0;
        default: usage(stderr); return 2;
        }
    }
    if (optind != argc) {
        usage(stderr);
        return 2;
    }
    struct bench b = {0};
    int failed = prepare(&b, path, working_set);
    int matched = 0;
    for (size_t i = 0; !failed && i < sizeof operations / sizeof operations[0]; i++) {
        if (only == NULL || strcmp(only, operations[i].name) == 0) {
            measure(&b, &operations[i], ops, rounds);
            matched = 1;
        }
    }
    release(&b);
    if (!failed && !matched) {
        fprintf(stderr, "bench_protocol: no operation \"%s\"\n", only);
        return 2;
    }
    return failed ? 1 : 0;
}
