/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file bench_map.c
 * What memory mapping costs in C: page faults, and writes to files that are mapped.
 *
 * One thread, an emulated pool whose pages have all been touched before. Single calls are timed alone (median and 99th
 * percentile), walks as a whole (per page). After each part come the region's faults, its mappings, and the longest
 * time that a fault held logLock, and the 99th percentile. Output: a JSON line per measurement.
 */
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/handles.h"

#define BLK ((uint64_t)NOVA_BLOCK_SIZE)
#define FAR 97u /* pages between two faults that are to have nothing to do with each other */

struct bench {
    nova_pool *pool;
    nova_inode *inode;
    nova_region *region;
    uint8_t *addr;
    struct nova_io io;
    struct block_map map;
    uint64_t size, pages, appended, random;
    uint32_t calls;
    uint64_t *ns;
};

static void must(int rc, const struct nova_error *err, const char *what) {
    if (rc == NOVA_OK)
        return;
    fprintf(stderr, "bench_map: %s: %s\n", what, err->msg);
    exit(1);
}

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t any(struct bench *b, uint64_t n) {
    b->random ^= b->random << 13;
    b->random ^= b->random >> 7;
    b->random ^= b->random << 17;
    return (b->random >> 32) * n >> 32;
}

/* ---- the caller's part of a write ---- */

static void release(void *arg, uint64_t pgoff, uint32_t blk) {
    struct bench *b = arg;
    (void)pgoff;
    must(nova_free(b->pool, &(struct nova_extent){blk, 1}, 1, &b->io.err), &b->io.err, "free");
}

static void apply(struct bench *b, const struct nova_record *r, uint32_t n) {
    for (uint32_t i = 0; i < n; i += r[i].lines) {
        static const struct nova_error none = {.msg = "no memory"};
        bool ok = true;
        if ((r[i].kind == NOVA_REC_WRITE || r[i].kind == NOVA_REC_ALLOC) && r[i].u.write.count != 0)
            ok = block_map_set(&b->map, r[i].u.write.pgoff, r[i].u.write.blk, r[i].u.write.count, release, b);
        else if (r[i].kind == NOVA_REC_TRUNCATE)
            block_map_truncate(&b->map, (r[i].u.write.size + BLK - 1) / BLK, release, b);
        must(ok ? NOVA_OK : NOVA_ENOMEM, &none, "index");
    }
}

static void catch_up(struct bench *b) {
    static struct nova_record rec[256];
    do {
        must(nova_replay(b->inode, rec, 256, &b->io), &b->io.err, "replay");
        apply(b, rec, b->io.record_count);
    } while (b->io.more);
}

static void settle(struct bench *b, int rc, const char *what) {
    must(rc, &b->io.err, what);
    if (b->io.more)
        catch_up(b);
    else
        apply(b, b->io.records, b->io.record_count);
}

static void write_bytes(struct bench *b, uint64_t off, const void *src, uint64_t len) {
    settle(b,
           nova_write(b->inode, off, src, len, block_map_get(&b->map, off / BLK),
                      block_map_get(&b->map, (off + len - 1) / BLK), 0, &b->io),
           "write");
}

/* ---- figures ---- */

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void print_calls(struct bench *b, const char *what) {
    qsort(b->ns, b->calls, sizeof *b->ns, compare);
    printf("{\"op\": \"%s\", \"ns\": %" PRIu64 ", \"p99_ns\": %" PRIu64 "}\n", what, b->ns[b->calls / 2],
           b->ns[b->calls - 1 - b->calls / 100]);
    fflush(stdout);
}

static void print_walk(struct bench *b, const char *what, uint64_t ns, uint64_t pages) {
    struct nova_region_stat st;
    nova_region_stat(b->region, &st);
    printf("{\"op\": \"%s\", \"ns_per_page\": %" PRIu64 ", \"faults\": %" PRIu64 ", \"mappings\": %" PRIu64
           ", \"moved\": %" PRIu64 ", \"hold_max_ns\": %" PRIu64 ", \"hold_p99_ns\": %" PRIu64 "}\n",
           what, ns / pages, st.faults, st.vmas, st.moved, st.hold_max_ns, st.hold_p99_ns);
    fflush(stdout);
}

/* ---- regions ---- */

static void unmap(struct bench *b) {
    nova_region_free(b->region);
    b->region = NULL;
}

static void map(struct bench *b) {
    struct nova_region_stat st;
    struct nova_error err;
    unmap(b);
    must(nova_map(b->inode, 0, b->size, NOVA_MAP_WRITE, &b->appended, &b->region, &err), &err, "map");
    nova_region_stat(b->region, &st);
    b->addr = (uint8_t *)(uintptr_t)st.addr;
    if (!st.lazy)
        fputs("bench_map: no userfaultfd here: regions are eager, and there are no faults to measure\n", stderr);
}

/* A file of holes, and a region that has not looked at any. */
static void map_sparse(struct bench *b) {
    unmap(b);
    settle(b, nova_truncate(b->inode, 0, 0, &b->io), "truncate");
    settle(b, nova_truncate(b->inode, b->size, 0, &b->io), "truncate");
    map(b);
}

/* ---- what is measured ---- */

static volatile uint8_t *page(struct bench *b, uint64_t i) {
    return b->addr + i % b->pages * BLK;
}

static void single_faults(struct bench *b) {
    map_sparse(b);
    for (uint32_t i = 0; i < b->calls; i++) {
        uint64_t start = now();
        (void)*page(b, (uint64_t)i * FAR);
        b->ns[i] = now() - start;
    }
    print_calls(b, "fault: load of a hole");
    for (uint32_t i = 0; i < b->calls; i++) {
        uint64_t start = now();
        *page(b, (uint64_t)i * FAR) = 1;
        b->ns[i] = now() - start;
    }
    print_calls(b, "fault: store to zeros");
    map_sparse(b);
    for (uint32_t i = 0; i < b->calls; i++) {
        uint64_t start = now();
        *page(b, (uint64_t)i * FAR) = 1;
        b->ns[i] = now() - start;
    }
    print_calls(b, "fault: store to a hole");
}

static void walks(struct bench *b) {
    map_sparse(b);
    uint64_t start = now();
    for (uint64_t i = 0; i < b->pages; i++)
        (void)*page(b, i);
    print_walk(b, "walk of a sparse file: loads", now() - start, b->pages);
    map_sparse(b);
    start = now();
    for (uint64_t i = 0; i < b->pages; i++)
        *page(b, i) = 1;
    print_walk(b, "walk of a sparse file: stores", now() - start, b->pages);
    map_sparse(b);
    struct nova_error err;
    start = now();
    must(nova_populate(b->region, 0, b->size, 1, &err), &err, "populate");
    print_walk(b, "nova_populate() of a sparse file", now() - start, b->pages);
    map_sparse(b);
    start = now();
    for (uint64_t i = 0; i < b->pages / 4; i++)
        *page(b, any(b, b->pages)) = 1;
    print_walk(b, "random stores to a sparse file, per store", now() - start, b->pages / 4);
}

static void time_writes(struct bench *b, const char *what, uint64_t at, uint64_t len, bool look) {
    static uint8_t bytes[NOVA_BLOCK_SIZE];
    for (uint32_t i = 0; i < b->calls; i++) {
        uint64_t pgoff = (uint64_t)i * FAR % b->pages;
        if (look)
            *page(b, pgoff) = 2;
        uint64_t start = now();
        write_bytes(b, pgoff * BLK + at, bytes, len);
        b->ns[i] = now() - start;
    }
    print_calls(b, what);
}

static void writes(struct bench *b) {
    map_sparse(b);
    struct nova_error err;
    must(nova_populate(b->region, 0, b->size, 1, &err), &err, "populate");
    catch_up(b);
    time_writes(b, "write: 4096 bytes, page is mapped", 0, BLK, true);
    time_writes(b, "write: 128 bytes, page is mapped", 256, 128, true);
    must(nova_set_in_place(b->inode, 1), &err, "in place");
    time_writes(b, "write: 4096 bytes in place, page is mapped", 0, BLK, true);
    must(nova_set_in_place(b->inode, 0), &err, "in place");
    unmap(b);
    time_writes(b, "write: 4096 bytes, the file was mapped", 0, BLK, false);
    time_writes(b, "write: 128 bytes, the file was mapped", 256, 128, false);
}

static void overwrites(struct bench *b) {
    static uint8_t bytes[NOVA_BLOCK_SIZE];
    map(b);
    uint64_t start = now();
    for (uint64_t i = 0; i < b->pages; i++)
        write_bytes(b, any(b, b->pages) * BLK, bytes, BLK);
    print_walk(b, "random overwrites of all of a mapped file, per write", now() - start, b->pages);
    start = now();
    for (uint64_t i = 0; i < b->pages / 4; i++)
        *page(b, any(b, b->pages)) = 3;
    print_walk(b, "random stores to it then, per store", now() - start, b->pages / 4);
    unmap(b);
}

/* ---- how long others wait ---- */

struct asker {
    nova_region *region;
    int end; /* atomic */
    uint64_t longest;
};

/* Takes logLock every now and then, as a fault does. */
static void *ask(void *arg) {
    struct asker *a = arg;
    while (!__atomic_load_n(&a->end, __ATOMIC_ACQUIRE)) {
        struct nova_region_stat st;
        uint64_t start = now();
        nova_region_stat(a->region, &st);
        uint64_t ns = now() - start;
        a->longest = ns > a->longest ? ns : a->longest;
        nanosleep(&(struct timespec){0, 50000}, NULL);
    }
    return NULL;
}

static void shrink(struct bench *b, const char *what, bool hole) {
    map_sparse(b);
    struct nova_error err;
    must(nova_populate(b->region, 0, b->size, 1, &err), &err, "populate");
    catch_up(b);
    struct asker a = {.region = b->region};
    pthread_t thread;
    must(pthread_create(&thread, NULL, ask, &a) == 0 ? NOVA_OK : NOVA_EOS, &(struct nova_error){.msg = "no thread"},
         what);
    uint64_t start = now();
    int rc = hole ? nova_punch(b->inode, 0, b->size, 0, 0, 1, &b->io) : nova_truncate(b->inode, 0, 0, &b->io);
    uint64_t ns = now() - start;
    __atomic_store_n(&a.end, 1, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    settle(b, rc, what);
    printf("{\"op\": \"%s\", \"ns\": %" PRIu64 ", \"others_wait_max_ns\": %" PRIu64 "}\n", what, ns, a.longest);
    fflush(stdout);
}

static void shrinks(struct bench *b) {
    shrink(b, "truncate of a file that is mapped and populated", false);
    shrink(b, "hole in it", true);
    unmap(b);
}

/* ---- the pool ---- */

static void prepare(struct bench *b, const char *path) {
    struct nova_error err;
    struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED};
    struct nova_record rec[NOVA_RECORDS_MAX];
    must(nova_pool_create(path, b->size + b->size / 8 + (64u << 20), &opt, &err), &err, "create pool");
    must(nova_pool_open(path, &opt, &b->pool, &err), &err, "open pool");
    unlink(path);
    for (uint64_t i = 0; i < b->pool->file.len; i += BLK)
        (void)*(volatile uint8_t *)(b->pool->file.base + i);
    nova_inode *root;
    struct nova_io *io = &b->io;
    must(nova_inode_open(b->pool, NOVA_ROOT_INO, 0, &root, &err), &err, "open root");
    must(nova_replay(root, rec, NOVA_RECORDS_MAX, io), &io->err, "replay");
    must(nova_create(root, "file", 4, NOVA_FILE, 0600, 0, 0, NULL, 0, io), &io->err, "create");
    must(nova_inode_open(b->pool, io->records[0].u.dentry.ino, io->records[0].u.dentry.gen, &b->inode, &err), &err,
         "open file");
    block_map_init(&b->map);
    catch_up(b);
}

static void usage(FILE *out) {
    fputs(
        "usage: bench_map [--file PATH] [--size MIB] [--calls N]\n"
        "Times mapping on a new pool (default: under /dev/shm) that is gone afterwards. A JSON line per measurement.\n",
        out);
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"file", required_argument, NULL, 'f'},
                                            {"size", required_argument, NULL, 's'},
                                            {"calls", required_argument, NULL, 'n'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    static struct bench b = {.random = 88172645463325252u, .calls = 2000, .size = 1ull << 30};
    char default_path[64];
    snprintf(default_path, sizeof default_path, "/dev/shm/jnova-map-%ld", (long)getpid());
    const char *path = default_path;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'f': path = optarg; break;
        case 's': b.size = strtoull(optarg, NULL, 10) << 20; break;
        case 'n': b.calls = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 'h': usage(stdout); return 0;
        default: usage(stderr); return 2;
        }
    }
    b.pages = b.size / BLK;
    if (optind != argc || b.calls < 100 || b.pages / FAR < b.calls) { /* no page twice */
        usage(stderr);
        return 2;
    }
    b.ns = malloc(b.calls * sizeof *b.ns);
    if (b.ns == NULL)
        return 1;
    prepare(&b, path);
    single_faults(&b);
    walks(&b);
    writes(&b);
    overwrites(&b);
    shrinks(&b);
    block_map_free(&b.map);
    free(b.ns);
    struct nova_error err;
    must(nova_pool_close(b.pool, &err), &err, "close pool");
    return 0;
}
