/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file bench_core.c
 * What the writes of bench_protocol.c cost through nova.h, called from C: no Java, but allocator, log, locks,
 * checksums.
 *
 * One thread, an emulated pool, one file. The index is what a user in C needs at least: an array from page to block,
 * kept from the records that calls return; replaced blocks go along with the next call. read4k looks a random page up
 * there and copies it out of the pool's file, without any validation. Nobody cleans the log: what is overwritten makes
 * it longer. The file is filled once for all rounds that need it full, and made anew before each round of appends. The
 * pool is touched ahead. Output: as bench_protocol.c.
 */
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "nova.h"
#include "timing.h"

#define LARGE_LEN (1u << 20)
#define ROOM (UINT64_C(1) << 30) /* for appends and the log */
#define NAME "file"

struct bench {
    const char *path;
    nova_pool *pool;
    nova_inode *root, *file;
    struct nova_io root_io, io;
    uint32_t ino, gen;
    uint64_t pages;     /* that are filled and overwritten */
    uint64_t index_len; /* pages that the index has room for */
    uint32_t *blk;      /* page -> block; 0: none */
    uint64_t size, pool_len;
    bool full; /* the file is filled, and nothing but its pages has been written since */
    uint64_t random, large_next;
    const char *base; /* the pool's file, mapped read-only */
    char *buffer;
};

static void must(int rc, const struct nova_error *err, const char *what) {
    if (rc == NOVA_OK)
        return;
    (void)fprintf(stderr, "bench_core: %s: %s: %s\n", what, nova_strerror(rc), err->msg);
    exit(1);
}

static uint64_t next_page(struct bench *b) {
    b->random ^= b->random << 13;
    b->random ^= b->random >> 7;
    b->random ^= b->random << 17;
    return (uint64_t)(((b->random >> 32) * b->pages) >> 32);
}

/* One block goes with the next call, joined with the one before if they lie in a row. */
static void free_later(struct bench *b, uint32_t blk) {
    struct nova_io *io = &b->io;
    if (io->free_count > 0) {
        struct nova_extent *last = &io->frees[io->free_count - 1];
        if (last->blk + last->count == blk) {
            last->count++;
            return;
        }
    }
    if (io->free_count == NOVA_IO_FREES) {
        must(nova_free(b->pool, io->frees, io->free_count, &io->err), &io->err, "free");
        io->free_count = 0;
    }
    io->frees[io->free_count++] = (struct nova_extent){blk, 1};
}

static void apply(struct bench *b, const struct nova_record *r) {
    if (r->kind != NOVA_REC_WRITE)
        return;
    for (uint32_t i = 0; i < r->u.write.count; i++) {
        uint32_t *slot = &b->blk[r->u.write.pgoff + i];
        if (*slot != 0)
            free_later(b, *slot);
        *slot = r->u.write.blk + i;
    }
}

static void take_records(struct bench *b) {
    struct nova_record rec[NOVA_IO_RECORDS];
    for (uint32_t i = 0; i < b->io.record_count; i += b->io.records[i].lines)
        apply(b, &b->io.records[i]);
    while (b->io.more != 0) {
        must(nova_replay(b->file, rec, NOVA_IO_RECORDS, &b->io), &b->io.err, "replay");
        for (uint32_t i = 0; i < b->io.record_count; i += rec[i].lines)
            apply(b, &rec[i]);
    }
    b->size = b->io.size;
}

static void write_at(struct bench *b, uint64_t off, uint32_t len) {
    uint32_t first = b->blk[off / NOVA_BLOCK_SIZE], last = b->blk[(off + len - 1) / NOVA_BLOCK_SIZE];
    uint32_t eof = b->size % NOVA_BLOCK_SIZE == 0 ? 0 : b->blk[b->size / NOVA_BLOCK_SIZE];
    must(nova_write(b->file, off, b->buffer, len, first, last, eof, &b->io), &b->io.err, "write");
    take_records(b);
}

static void write4k(void *bench) {
    write_at(bench, next_page(bench) * NOVA_BLOCK_SIZE, NOVA_BLOCK_SIZE);
}

static void write1m(void *bench) {
    struct bench *b = bench;
    uint64_t large = b->pages * NOVA_BLOCK_SIZE / LARGE_LEN;
    write_at(b, b->large_next++ % large * LARGE_LEN, LARGE_LEN);
}

static void append64(void *bench) {
    write_at(bench, ((struct bench *)bench)->size, 64);
}
static void append128(void *bench) {
    write_at(bench, ((struct bench *)bench)->size, 128);
}
static void append1k(void *bench) {
    write_at(bench, ((struct bench *)bench)->size, 1024);
}

static void read4k(void *bench) {
    struct bench *b = bench;
    memcpy(b->buffer, b->base + (uint64_t)b->blk[next_page(b)] * NOVA_BLOCK_SIZE, NOVA_BLOCK_SIZE);
    __asm__ volatile("" : : "r"(b->buffer) : "memory"); /* the copy must happen */
}

static nova_inode *open_inode(struct bench *b, uint32_t ino, uint32_t gen, struct nova_io *io) {
    struct nova_record rec[NOVA_RECORDS_MAX];
    nova_inode *inode;
    must(nova_inode_open(b->pool, ino, gen, &inode, &io->err), &io->err, "open");
    do {
        must(nova_replay(inode, rec, NOVA_RECORDS_MAX, io), &io->err, "replay");
    } while (io->more != 0);
    return inode;
}

/* A new file without contents. The old one takes its log along. */
static void empty_file(void *bench) {
    struct bench *b = bench;
    if (b->file != NULL) {
        must(nova_free(b->pool, b->io.frees, b->io.free_count, &b->io.err), &b->io.err, "free");
        b->io.free_count = 0;
        struct nova_name n = {.dir = b->root,
                              .name = NAME,
                              .len = sizeof NAME - 1,
                              .ino = b->ino,
                              .gen = b->gen,
                              .type = NOVA_FILE,
                              .child = b->file,
                              .io = &b->root_io};
        must(nova_unlink(&n), &b->root_io.err, "unlink");
        must(nova_inode_close(b->file, &b->io.err), &b->io.err, "close");
        must(nova_inode_release(b->pool, b->ino, b->gen, &b->io.err), &b->io.err, "release");
    }
    int rc = nova_create(b->root, NAME, sizeof NAME - 1, NOVA_FILE, 0644, 0, 0, NULL, 0, &b->root_io);
    must(rc, &b->root_io.err, "create");
    b->ino = b->root_io.records[0].u.dentry.ino;
    b->gen = b->root_io.records[0].u.dentry.gen;
    b->file = open_inode(b, b->ino, b->gen, &b->io);
    b->io.free_count = 0;
    memset(b->blk, 0, b->index_len * sizeof *b->blk);
    b->size = 0;
    b->full = false;
}

static void filled_file(void *bench) {
    struct bench *b = bench;
    if (b->full)
        return;
    empty_file(b);
    for (uint64_t at = 0; at < b->pages * NOVA_BLOCK_SIZE; at += LARGE_LEN)
        write_at(b, at, LARGE_LEN);
    b->full = true;
}

static const struct operation operations[] = {
    {"write4k", NOVA_BLOCK_SIZE, write4k, filled_file},
    {"write1m", LARGE_LEN, write1m, filled_file},
    {"append64", 64, append64, empty_file},
    {"append128", 128, append128, empty_file},
    {"append1k", 1024, append1k, empty_file},
    {"read4k", NOVA_BLOCK_SIZE, read4k, filled_file},
};
#define OPERATIONS (sizeof operations / sizeof operations[0])

static int setup(struct bench *b, const struct timing *t) {
    struct nova_error err;
    struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED | NOVA_OPT_PREFAULT};
    b->path = t->path;
    b->random = UINT64_C(0x9E3779B97F4A7C15);
    b->pages = t->working_set / LARGE_LEN * (LARGE_LEN / NOVA_BLOCK_SIZE);
    b->index_len = b->pages + ROOM / NOVA_BLOCK_SIZE;
    b->pool_len = t->working_set + ROOM;
    b->blk = calloc(b->index_len, sizeof *b->blk);
    b->buffer = aligned_alloc(NOVA_BLOCK_SIZE, LARGE_LEN);
    if (b->blk == NULL || b->buffer == NULL)
        return -1;
    memset(b->buffer, 0xA5, LARGE_LEN);
    must(nova_pool_create(b->path, b->pool_len, &opt, &err), &err, "create the pool");
    must(nova_pool_open(b->path, &opt, &b->pool, &err), &err, "open the pool");
    b->root = open_inode(b, NOVA_ROOT_INO, 0, &b->root_io);
    int fd = open(b->path, O_RDONLY | O_CLOEXEC);
    b->base = fd < 0 ? MAP_FAILED : mmap(NULL, b->pool_len, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (fd >= 0)
        close(fd);
    return b->base == MAP_FAILED ? -1 : 0;
}

static const char
    usage[] = "Usage: bench_core [--working-set BYTES] [--ops N] [--rounds N] [--op NAME]... --file PATH\n"
              "Makes the pool PATH, which must not be there, and removes it. Prints a JSON line per operation: "
              "write4k, write1m,\n"
              "append64, append128, append1k, read4k; ns is the median over the rounds.\n";

int main(int argc, char **argv) {
    static const struct option options[] = {
        {"file", required_argument, NULL, 'f'}, {"working-set", required_argument, NULL, 'w'},
        {"ops", required_argument, NULL, 'n'},  {"rounds", required_argument, NULL, 'r'},
        {"op", required_argument, NULL, 'o'},   {NULL, 0, NULL, 0}};
    static struct bench b;
    struct timing t = {.working_set = 64u << 20, .ops = 100000, .rounds = 7};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == '?' || timing_option(&t, c, optarg, operations, OPERATIONS) != 0) {
            (void)fputs(usage, stderr);
            return 2;
        }
    }
    if (optind != argc || t.path == NULL) {
        (void)fputs(usage, stderr);
        return 2;
    }
    int failed = setup(&b, &t) != 0 || timing_run(&t, &b, operations, OPERATIONS) != 0;
    if (failed)
        (void)fprintf(stderr, "bench_core: out of memory, or %s cannot be mapped\n", t.path);
    struct nova_error err;
    must(nova_pool_close(b.pool, &err), &err, "close the pool");
    unlink(t.path);
    return failed ? 1 : 0;
}
