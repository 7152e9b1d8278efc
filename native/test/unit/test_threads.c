/* SPDX-License-Identifier: Apache-2.0 */
/* Threads on different inodes, at once: they share allocator, inode table and pool, and nothing of each other's
 * content. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "names.h"
#include "image.h"
#include "inode/block_map.h"
#include "rng.h"
#include "store.h"

#define MIB ((uint64_t)1 << 20)
#define BLK ((uint64_t)NOVA_BLOCK_SIZE)
#define THREADS 4
#define STEPS 600
#define SIZE_MAX_ 60000u

static const char *path;
static struct store s;
static pthread_mutex_t names = PTHREAD_MUTEX_INITIALIZER; /* the caller's lock of the root directory */
static atomic_int stop;

/* One thread's file: its index, and what it must hold. Failures are counted: cmocka's assertions are for the main
 * thread. */
struct client {
    pthread_t thread;
    struct rng r;
    uint32_t id, files;
    int wrong;
    uint64_t no_space;
    uint32_t ino, gen;
    nova_inode *inode;
    struct block_map map;
    uint64_t size;
    struct nova_io io;
    uint8_t model[SIZE_MAX_];
    char name[40];
    char why[400];
};

static bool wrong(struct client *c, const char *what) {
    if (c->wrong++ == 0)
        (void)snprintf(c->why, sizeof c->why, "thread %u: %s: %s", c->id, what, c->io.err.msg);
    return false;
}

/* A block that leaves the index goes back at once. */
static void release(void *arg, uint64_t pgoff, uint32_t blk) {
    struct client *c = arg;
    (void)pgoff;
    if (nova_free(s.pool, &(struct nova_extent){blk, 1}, 1, &c->io.err) != NOVA_OK)
        wrong(c, "free");
}

static void apply(struct client *c, const struct nova_record *r, uint32_t n, block_map_fn replaced) {
    for (uint32_t i = 0; i < n; i++) {
        c->size = r[i].u.write.size;
        if (r[i].kind == NOVA_REC_TRUNCATE)
            block_map_truncate(&c->map, (c->size + BLK - 1) / BLK, replaced, c);
        else if (!block_map_set(&c->map, r[i].u.write.pgoff, r[i].u.write.blk, r[i].u.write.count, replaced, c))
            wrong(c, "memory");
    }
}

static bool settle(struct client *c, int rc) {
    if (rc == NOVA_ENOSPC) {
        c->no_space++;
        return false;
    }
    if (rc != NOVA_OK)
        return wrong(c, "write");
    apply(c, c->io.records, c->io.record_count, release);
    while (c->io.more) {
        struct nova_record rec[32];
        if (nova_replay(c->inode, rec, 32, &c->io) != NOVA_OK)
            return wrong(c, "replay");
        apply(c, rec, c->io.record_count, release);
    }
    return true;
}

static uint32_t blk_at(const struct client *c, uint64_t off) {
    return block_map_get(&c->map, off / BLK);
}

static bool create(struct client *c) {
    (void)snprintf(c->name, sizeof c->name, "thread %u file %u", c->id, c->files++);
    pthread_mutex_lock(&names);
    int rc = nova_create(s.root, c->name, (uint32_t)strlen(c->name), NOVA_FILE, 0600, 0, 0, NULL, 0, &s.io);
    c->ino = s.io.records[0].u.dentry.ino;
    c->gen = s.io.records[0].u.dentry.gen;
    pthread_mutex_unlock(&names);
    if (rc == NOVA_ENOSPC) {
        c->no_space++;
        return false;
    }
    if (rc != NOVA_OK)
        return wrong(c, "create");
    if (nova_inode_open(s.pool, c->ino, c->gen, &c->inode, &c->io.err) != NOVA_OK)
        return wrong(c, "open");
    block_map_init(&c->map);
    c->size = 0;
    memset(c->model, 0, sizeof c->model);
    return true;
}

static void drop_handle(struct client *c) {
    block_map_free(&c->map);
    if (nova_inode_close(c->inode, &c->io.err) != NOVA_OK)
        wrong(c, "close");
    c->inode = NULL;
}

static void unlink_file(struct client *c) {
    bool open = rng_below(&c->r, 2) != 0;
    if (!open)
        drop_handle(c);
    pthread_mutex_lock(&names);
    int rc = flat_unlink(s.root, c->name, (uint32_t)strlen(c->name), c->ino, c->gen, &s.io);
    pthread_mutex_unlock(&names);
    if (rc != NOVA_OK || nova_inode_release(s.pool, c->ino, c->gen, &c->io.err) != NOVA_OK)
        wrong(c, "unlink");
    if (open)
        drop_handle(c);
}

static void check(struct client *c) {
    for (uint64_t off = 0; off < c->size;) {
        uint64_t n = BLK < c->size - off ? BLK : c->size - off;
        uint32_t blk = blk_at(c, off);
        static const uint8_t zeros[NOVA_BLOCK_SIZE];
        if (memcmp(blk == 0 ? zeros : s.base + blk * BLK, c->model + off, n) != 0) {
            wrong(c, "content");
            return;
        }
        off += n;
    }
}

static void reopen_file(struct client *c) {
    struct nova_record rec[16];
    drop_handle(c);
    if (nova_inode_open(s.pool, c->ino, c->gen, &c->inode, &c->io.err) != NOVA_OK) {
        wrong(c, "reopen");
        return;
    }
    block_map_init(&c->map);
    c->size = 0;
    do {
        if (nova_replay(c->inode, rec, 16, &c->io) != NOVA_OK) {
            wrong(c, "replay");
            return;
        }
        apply(c, rec, c->io.record_count, NULL);
    } while (c->io.more);
}

static void write_some(struct client *c) {
    uint8_t bytes[9000];
    uint64_t off = rng_below(&c->r, 3) != 0 ? c->size : rng_below(&c->r, SIZE_MAX_),
             len = 1 + rng_below(&c->r, sizeof bytes);
    if (off >= SIZE_MAX_)
        return;
    len = len < SIZE_MAX_ - off ? len : SIZE_MAX_ - off;
    memset(bytes, (int)(c->id * 50 + rng_below(&c->r, 50)), len);
    uint32_t first = blk_at(c, off), last = blk_at(c, off + len - 1), eof = c->size % BLK == 0 ? 0 : blk_at(c, c->size);
    int rc;
    if (rng_below(&c->r, 2) != 0) {
        rc = nova_write(c->inode, off, bytes, len, first, last, eof, &c->io);
    } else {
        nova_intent *in;
        rc = nova_write_begin(c->inode, off, len, first, last, eof, &c->io, &in);
        if (rc == NOVA_OK) {
            uint64_t half = len / 2;
            if (nova_write_fill(in, half, bytes + half, len - half, &c->io) != NOVA_OK ||
                nova_write_fill(in, 0, bytes, half, &c->io) != NOVA_OK)
                wrong(c, "fill");
            if (rng_below(&c->r, 5) == 0) {
                nova_write_abort(in);
                return;
            }
            rc = nova_write_commit(in, &c->io);
        }
    }
    if (settle(c, rc))
        memcpy(c->model + off, bytes, len);
}

static void *work(void *arg) {
    struct client *c = arg;
    for (int step = 0; step < STEPS && c->wrong == 0; step++) {
        if (c->inode == NULL && !create(c))
            continue;
        switch (rng_below(&c->r, 12)) {
        case 0: unlink_file(c); break;
        case 1: {
            uint64_t to = rng_below(&c->r, SIZE_MAX_), old = c->size;
            if (settle(c, nova_truncate(c->inode, to, old % BLK == 0 ? 0 : blk_at(c, old), &c->io)) && to < old)
                memset(c->model + to, 0, SIZE_MAX_ - to);
            break;
        }
        case 2: reopen_file(c); break;
        default: write_some(c);
        }
        if (c->inode != NULL && step % 8 == 0)
            check(c);
    }
    if (c->inode != NULL && c->wrong == 0)
        check(c);
    return NULL;
}

/* Asks what may be asked at any time. */
static void *watch(void *arg) {
    struct client *c = arg;
    while (!atomic_load(&stop)) {
        struct nova_pool_info info;
        if (nova_pool_info(s.pool, &info) != NOVA_OK || info.blocks_free > info.blocks_data ||
            info.inodes_used > info.inodes_max)
            wrong(c, "info");
        struct nova_stat st;
        if (nova_inode_stat(s.root, &st) != NOVA_OK || st.type != NOVA_DIR)
            wrong(c, "stat");
        nova_inode *none;
        if (nova_inode_open(s.pool, (uint32_t)info.inodes_max + 1, 0, &none, NULL) != NOVA_ENOENT ||
            nova_inode_open(s.pool, NOVA_ROOT_INO, 0, &none, NULL) != NOVA_EBUSY)
            wrong(c, "open");
    }
    return NULL;
}

/* A file that leaves so many blocks to the others; the blocks it takes. */
static uint64_t ballast(uint32_t left) {
    struct store_file f;
    struct nova_pool_info info;
    static const uint8_t data[2 << 20];
    assert_int_equal(store_file_open(&s, "ballast", true, &f), NOVA_OK);
    nova_pool_info(s.pool, &info);
    uint64_t blocks = info.blocks_free - info.blocks_reserve - left;
    assert_int_equal(store_write(&f, 0, data, blocks * BLK), NOVA_OK);
    assert_int_equal(store_file_close(&f), NOVA_OK);
    return blocks;
}

/* All threads on a pool of that size, or with so little room in it; then every block must be accounted for, before and
 * after a crash. */
static void crowd(uint64_t size, uint32_t room, struct rng r) {
    static const struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED, .lanes = 3};
    struct nova_error err;
    char copy[200];
    path = store_path("threads");
    (void)snprintf(copy, sizeof copy, "%s-copy", path);
    assert_int_equal(nova_pool_create(path, size, &opt, &err), NOVA_OK);
    assert_int_equal(store_open(&s, path, NOVA_OPT_EMULATED), NOVA_OK);
    uint64_t no_space = 0, blocks = room == 0 ? 0 : ballast(room), files = room != 0;
    struct client *c = calloc(THREADS + 1, sizeof *c);
    assert_non_null(c);
    atomic_store(&stop, 0);
    for (uint32_t i = 0; i <= THREADS; i++) {
        c[i].id = i;
        c[i].r.s = rng_next(&r);
        assert_int_equal(pthread_create(&c[i].thread, NULL, i == THREADS ? watch : work, &c[i]), 0);
    }
    for (uint32_t i = 0; i <= THREADS; i++) {
        if (i == THREADS)
            atomic_store(&stop, 1);
        pthread_join(c[i].thread, NULL);
        no_space += c[i].no_space;
    }
    for (uint32_t i = 0; i <= THREADS; i++)
        if (c[i].wrong != 0)
            fail_msg("%s", c[i].why);
    assert_int_equal(no_space != 0, room != 0);
    struct nova_stat st;
    for (uint32_t i = 0; i < THREADS; i++) {
        if (c[i].inode == NULL)
            continue;
        assert_int_equal(nova_inode_stat(c[i].inode, &st), NOVA_OK);
        assert_int_equal(st.size, c[i].size);
        blocks += c[i].map.pages + st.log_pages;
        files++;
        drop_handle(&c[i]);
    }
    assert_int_equal(nova_inode_stat(s.root, &st), NOVA_OK);
    blocks += st.log_pages;
    struct nova_pool_info info, again;
    nova_pool_info(s.pool, &info);
    assert_int_equal(info.inodes_used, files + 1);
    uint64_t table = info.blocks_data - info.blocks_free - blocks;
    assert_true(table >= 1 && table <= 4); /* 16 inodes each; THREADS files and a few on the way */
    store_copy_file(path, copy);
    assert_int_equal(store_close(&s), NOVA_OK);
    for (int crash = 0; crash < 2; crash++) {
        struct nova_fsck_summary sum;
        size_t needed;
        static char report[2000];
        assert_int_equal(nova_fsck(crash ? copy : path, report, sizeof report, &needed, &sum, &err), NOVA_OK);
        if (sum.errors != 0)
            fail_msg("%s", report);
        assert_int_equal(store_open(&s, crash ? copy : path, NOVA_OPT_EMULATED), NOVA_OK);
        nova_pool_info(s.pool, &again);
        assert_int_equal(again.recovered, crash);
        assert_int_equal(again.blocks_free, info.blocks_free);
        assert_int_equal(again.inodes_used, info.inodes_used);
        for (uint32_t i = 0; i < THREADS; i++) {
            struct store_file f;
            static uint8_t buf[SIZE_MAX_];
            if (dir_map_get(&s.names, c[i].name, (uint8_t)strlen(c[i].name)) == NULL)
                continue;
            assert_int_equal(store_file_open(&s, c[i].name, false, &f), NOVA_OK);
            assert_int_equal(store_read(&f, 0, buf, sizeof buf), c[i].size);
            assert_memory_equal(buf, c[i].model, c[i].size);
            assert_int_equal(store_file_close(&f), NOVA_OK);
        }
        assert_int_equal(store_close(&s), NOVA_OK);
    }
    free(c);
    unlink(path);
    unlink(copy);
}

static void with_room(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    crowd(16 * MIB, 0, r);
}

/* A pool that is full again and again. */
static void without_room(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    for (int i = 0; i < 3; i++) {
        r.s++;
        crowd(MIB + MIB / 2, 16, r); /* less than a file and its replacement: it must run out */
    }
}

/* Opens of one pool by several threads: one wins. */
static void *race_to_open(void *arg) {
    static const struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED};
    nova_pool *pool;
    int *got = arg;
    for (int i = 0; i < 50; i++) {
        struct nova_error err;
        int rc = nova_pool_open(path, &opt, &pool, &err);
        if (rc == NOVA_OK) {
            got[0]++;
            rc = nova_pool_close(pool, &err);
        } else if (rc == NOVA_EBUSY) {
            rc = NOVA_OK;
        }
        got[1] += rc != NOVA_OK;
    }
    return NULL;
}

static void races_to_open(void **state) {
    (void)state;
    static const struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED};
    pthread_t t[THREADS];
    int got[THREADS][2] = {{0}};
    int sum = 0;
    path = store_path("threads-open");
    assert_int_equal(nova_pool_create(path, MIB, &opt, NULL), NOVA_OK);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, race_to_open, got[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(t[i], NULL);
        assert_int_equal(got[i][1], 0);
        sum += got[i][0];
    }
    assert_true(sum >= 1);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_room),
        cmocka_unit_test(without_room),
        cmocka_unit_test(races_to_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
