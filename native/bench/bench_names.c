/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file bench_names.c
 * What each call on names costs in C: drains, flushes, and nanoseconds (median and 99th percentile of single calls).
 *
 * One thread, an emulated pool, two directories; every call is timed alone, in cycles of calls that leave the names as
 * they were. Drains are counted through the seam that all stores go through. Output: a JSON line per
 * call. The clock's own cost (two readings, some 40 ns) is in the figures.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/handles.h"

#define POOL_SIZE (256u << 20)

enum call {
    CREATE,
    MKDIR,
    SYMLINK,
    LINK,
    UNLINK_LINK,
    RENAME,
    RENAME_ACROSS,
    EXCHANGE_ACROSS,
    RENAME_OVER,
    RENAME_OVER_ACROSS,
    SETATTR,
    UNLINK,
    RMDIR,
    CALLS
};
static const char *const call_names[CALLS] = {"create",
                                              "mkdir",
                                              "symlink",
                                              "link",
                                              "unlink, other names left",
                                              "rename",
                                              "rename, across",
                                              "exchange, across",
                                              "rename over",
                                              "rename over, across",
                                              "setattr",
                                              "unlink and release",
                                              "rmdir and release"};

struct child {
    uint32_t ino, gen, type;
};

struct bench {
    nova_pool *pool;
    nova_inode *dir[2];
    struct nova_io io[2], child_io;
    uint32_t cycles;
    uint64_t *ns[CALLS];
    uint64_t n; /* cycle */
    uint64_t drains[CALLS], flushes[CALLS];
};

static struct pmem_ops real_ops;
static uint64_t drains, flushes;

static int count_drain(const struct pmem_ops *ops) {
    (void)ops;
    drains++;
    return real_ops.drain(&real_ops);
}

static void count_flush(const struct pmem_ops *ops, const void *addr, size_t len) {
    (void)ops;
    flushes++;
    real_ops.flush(&real_ops, addr, len);
}

static void count(struct pool_file *file) {
    real_ops = file->ops;
    file->ops.drain = count_drain;
    file->ops.flush = count_flush;
}

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void must(int rc, const struct nova_error *err, const char *what) {
    if (rc == NOVA_OK)
        return;
    (void)fprintf(stderr, "bench_names: %s: %s: %s\n", what, nova_strerror(rc), err->msg);
    exit(1);
}

static uint64_t start_ns, start_drains, start_flushes;

static void start(void) {
    start_drains = drains;
    start_flushes = flushes;
    start_ns = now_ns();
}

static void stop(struct bench *b, enum call c, int rc, const struct nova_error *err) {
    b->ns[c][b->n] = now_ns() - start_ns;
    b->drains[c] = drains - start_drains;
    b->flushes[c] = flushes - start_flushes;
    must(rc, err, call_names[c]);
}

static struct child made(const struct nova_io *io) {
    return (struct child){io->records[0].u.dentry.ino, io->records[0].u.dentry.gen, io->records[0].u.dentry.type};
}

static struct child make(struct bench *b, enum call c, const char *name, uint32_t type, const char *target) {
    uint32_t len = target == NULL ? 0 : (uint32_t)strlen(target);
    start();
    int rc = nova_create(b->dir[0], name, (uint32_t)strlen(name), type, 0644, 0, 0, target, len, &b->io[0]);
    stop(b, c, rc, &b->io[0].err);
    return made(&b->io[0]);
}

static struct nova_name named(struct bench *b, int dir, const char *name, const struct child *c, nova_inode *handle) {
    struct nova_name n = {
        .dir = b->dir[dir], .name = name, .len = (uint32_t)strlen(name), .child = handle, .io = &b->io[dir]};
    if (c != NULL)
        n.ino = c->ino, n.gen = c->gen, n.type = c->type;
    return n;
}

static nova_inode *open_inode(struct bench *b, const struct child *c, struct nova_io *io) {
    struct nova_record rec[NOVA_RECORDS_MAX];
    nova_inode *inode;
    must(nova_inode_open(b->pool, c->ino, c->gen, &inode, &io->err), &io->err, "open");
    do {
        must(nova_replay(inode, rec, NOVA_RECORDS_MAX, io), &io->err, "replay");
    } while (io->more != 0);
    return inode;
}

static void remove_name(struct bench *b, enum call c, int dir, const char *name, const struct child *child) {
    struct nova_name n = named(b, dir, name, child, NULL);
    start();
    int rc = nova_unlink(&n);
    if (rc == NOVA_OK)
        rc = nova_inode_release(b->pool, child->ino, child->gen, &n.io->err);
    stop(b, c, rc, &n.io->err);
}

/* A new file takes the only name of another. */
static struct child rename_over(struct bench *b, enum call c, int to_dir, const char *to_name,
                                const struct child *replaced) {
    struct child other = make(b, CREATE, "other", NOVA_FILE, NULL);
    struct nova_name a = named(b, 0, "other", &other, NULL), to = named(b, to_dir, to_name, replaced, NULL);
    start();
    int rc = nova_rename(&a, &to);
    if (rc == NOVA_OK)
        rc = nova_inode_release(b->pool, replaced->ino, replaced->gen, &b->io[0].err);
    stop(b, c, rc, &b->io[0].err);
    return other;
}

/* A file gets a second name, loses it, is renamed to and fro, exchanged and replaced, and goes. */
static void cycle(struct bench *b) {
    struct child file = make(b, CREATE, "file", NOVA_FILE, NULL);
    struct child dir = make(b, MKDIR, "directory", NOVA_DIR, NULL);
    struct child link = make(b, SYMLINK, "symlink", NOVA_SYMLINK, "../some/where/else");
    nova_inode *inode = open_inode(b, &file, &b->child_io);
    start();
    int rc = nova_link(b->dir[1], "second", 6, inode, &b->io[1]);
    stop(b, LINK, rc, &b->io[1].err);
    start();
    rc = nova_setattr(inode, NOVA_ATTR_MODE, 0600, 0, 0, 0, 0, 0, &b->child_io);
    stop(b, SETATTR, rc, &b->child_io.err);
    struct nova_name second = named(b, 1, "second", &file, inode);
    start();
    rc = nova_unlink(&second);
    stop(b, UNLINK_LINK, rc, &b->io[1].err);
    must(nova_inode_close(inode, &b->child_io.err), &b->child_io.err, "close");

    struct nova_name a = named(b, 0, "directory", &dir, NULL), to = named(b, 0, "renamed", NULL, NULL);
    start();
    rc = nova_rename(&a, &to);
    stop(b, RENAME, rc, &b->io[0].err);
    a = named(b, 0, "renamed", &dir, NULL), to = named(b, 1, "renamed", NULL, NULL);
    start();
    rc = nova_rename(&a, &to);
    stop(b, RENAME_ACROSS, rc, &b->io[0].err);
    a = named(b, 0, "symlink", &link, NULL), to = named(b, 1, "renamed", &dir, NULL);
    start();
    rc = nova_exchange(&a, &to);
    stop(b, EXCHANGE_ACROSS, rc, &b->io[0].err);
    /* Now "symlink" is the directory, and "renamed" in the other one is the link. */
    struct child other = rename_over(b, RENAME_OVER_ACROSS, 1, "renamed", &link);
    remove_name(b, UNLINK, 1, "renamed", &other);
    struct child target = make(b, CREATE, "target", NOVA_FILE, NULL);
    target = rename_over(b, RENAME_OVER, 0, "target", &target);
    remove_name(b, UNLINK, 0, "target", &target);
    remove_name(b, RMDIR, 0, "symlink", &dir);
    struct nova_inode *again = open_inode(b, &file, &b->child_io);
    struct nova_name first = named(b, 0, "file", &file, again);
    must(nova_unlink(&first), &b->io[0].err, "unlink");
    must(nova_inode_close(again, &b->child_io.err), &b->child_io.err, "close");
    must(nova_inode_release(b->pool, file.ino, file.gen, &b->io[0].err), &b->io[0].err, "release");
}

static int compare_u64(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void setup(struct bench *b, const char *path) {
    struct nova_error err;
    struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED | NOVA_OPT_PREFAULT};
    must(nova_pool_create(path, POOL_SIZE, &opt, &err), &err, "create the pool");
    pool_mapped_hook = count;
    must(nova_pool_open(path, &opt, &b->pool, &err), &err, "open the pool");
    struct child root = {NOVA_ROOT_INO, 0, NOVA_DIR};
    b->dir[0] = open_inode(b, &root, &b->io[0]);
    must(nova_create(b->dir[0], "sub", 3, NOVA_DIR, 0755, 0, 0, NULL, 0, &b->io[0]), &b->io[0].err, "mkdir");
    struct child sub = made(&b->io[0]);
    b->dir[1] = open_inode(b, &sub, &b->io[1]);
    for (int c = 0; c < CALLS; c++)
        if ((b->ns[c] = calloc(b->cycles, sizeof *b->ns[c])) == NULL)
            exit(1);
}

static void print(const struct bench *b) {
    for (int c = 0; c < CALLS; c++) {
        qsort(b->ns[c], b->cycles, sizeof *b->ns[c], compare_u64);
        (void)printf("{\"call\": \"%s\", \"drains\": %" PRIu64 ", \"flushes\": %" PRIu64 ", \"p50_ns\": %" PRIu64
                     ", \"p99_ns\": %" PRIu64 "}\n",
                     call_names[c], b->drains[c], b->flushes[c], b->ns[c][b->cycles / 2],
                     b->ns[c][(uint64_t)b->cycles * 99 / 100]);
    }
}

static const char usage[] = "Usage: bench_names [-n CYCLES] FILE\n"
                            "Makes the pool FILE, which must not be there, and removes it.\n";

int main(int argc, char **argv) {
    static struct bench b = {.cycles = 20000};
    for (int c; (c = getopt(argc, argv, "n:")) != -1;) {
        if (c != 'n' || (b.cycles = (uint32_t)strtoul(optarg, NULL, 10)) == 0) {
            (void)fputs(usage, stderr);
            return 2;
        }
    }
    if (argc - optind != 1) {
        (void)fputs(usage, stderr);
        return 2;
    }
    setup(&b, argv[optind]);
    for (b.n = 0; b.n < b.cycles; b.n++)
        cycle(&b);
    print(&b);
    struct nova_error err;
    must(nova_pool_close(b.pool, &err), &err, "close the pool");
    unlink(argv[optind]);
    return 0;
}
