/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads on names at once, under the locks that a user of nova.h holds: one per directory, taken in the order of inode
 * numbers, and one per inode. Each works in a directory of its own; or all in all of them, renaming in all directions,
 * so that transactions over the same logs meet. What they leave must be what their indexes say, also after a crash.
 */
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

#include "report.h"
#include "rng.h"
#include "store.h"

#define MIB ((uint64_t)1 << 20)
#define THREADS 4u
#define NAMES 12u
#define INODES 8192u /* numbers that the pool has */

static const struct nova_pool_options emulated = {.flags = NOVA_OPT_EMULATED};
static const char *path;
static struct store s;
static atomic_int stop;

/* A directory and the caller's lock of it. */
static struct dir {
    pthread_mutex_t lock; /* guards the rest, and serialises the calls on it */
    struct store_dir *d;
} dirs[THREADS];

/* What has a name is open. */
static struct file {
    pthread_mutex_t lock; /* ioLock: guards the handle and its calls; taken inside the directories' */
    nova_inode *inode;
} files[INODES];

struct worker {
    pthread_t thread;
    struct rng r;
    uint32_t id;
    bool alone; /* in its own directory */
    uint64_t done, journaled;
    int wrong;
    char why[300];
};

static void wrong(struct worker *k, const char *what, int rc, const struct nova_error *err) {
    if (k->wrong++ == 0)
        (void)snprintf(k->why, sizeof k->why, "thread %u: %s: status %d: %s", k->id, what, rc, err->msg);
}

static const char *name_of(uint32_t i) {
    static const char *const names[NAMES] = {"a",
                                             "b",
                                             "c",
                                             "d",
                                             "e",
                                             "f",
                                             "g",
                                             "h",
                                             "a name of two lines, so that logs have padding",
                                             "another name of two lines, so that logs have padding",
                                             "k",
                                             "l"};
    return names[i];
}

static struct nova_name name_in(struct dir *dir, const char *name) {
    struct nova_name n = {.dir = dir->d->inode, .io = &dir->d->io, .name = name, .len = (uint32_t)strlen(name)};
    const struct dir_name *found = dir_map_get(&dir->d->names, name, (uint8_t)n.len);
    if (found != NULL) {
        n.ino = found->ino;
        n.gen = found->gen;
        n.type = found->type;
    }
    return n;
}

static void apply(struct dir *dir) {
    store_apply_names(&dir->d->names, &dir->d->attrs, dir->d->io.records, dir->d->io.record_count);
}

/* ---- calls; the directories are locked ---- */

static void create(struct worker *k, struct dir *dir, const struct nova_name *n) {
    struct nova_error err;
    struct nova_io io = {0};
    struct nova_record rec[NOVA_RECORDS_MAX];
    int rc = nova_create(n->dir, n->name, n->len, NOVA_FILE, 0600, 0, 0, NULL, 0, n->io);
    if (rc != NOVA_OK) {
        wrong(k, "create", rc, &n->io->err);
        return;
    }
    apply(dir);
    uint32_t ino = n->io->records[0].u.dentry.ino, gen = n->io->records[0].u.dentry.gen;
    pthread_mutex_lock(&files[ino].lock);
    rc = nova_inode_open(s.pool, ino, gen, &files[ino].inode, &err);
    if (rc == NOVA_OK)
        rc = nova_replay(files[ino].inode, rec, NOVA_RECORDS_MAX, &io);
    if (rc != NOVA_OK)
        wrong(k, "open", rc, &err);
    pthread_mutex_unlock(&files[ino].lock);
}

static int call_unlink(const struct nova_name *from, const struct nova_name *n) {
    (void)from;
    return nova_unlink(n);
}

/* A call that takes a name from `loser`, if that names anything. */
static int take_name(struct worker *k, int (*call)(const struct nova_name *, const struct nova_name *),
                     const struct nova_name *from, struct nova_name *loser) {
    struct file *f = &files[loser->ino];
    struct nova_stat st = {0};
    struct nova_error err;
    if (loser->ino == 0)
        return call(from, loser);
    pthread_mutex_lock(&f->lock); /* no link is added meanwhile */
    nova_inode_stat(f->inode, &st);
    if (rng_below(&k->r, 2) == 0)
        loser->child = f->inode;
    int rc = call(from, loser);
    if (rc == NOVA_ELINKED) {
        loser->child = f->inode;
        rc = call(from, loser);
    }
    k->journaled += st.nlink > 1;
    if (rc == NOVA_OK && st.nlink == 1) {
        int closed = nova_inode_release(s.pool, loser->ino, loser->gen, &err);
        nova_inode *inode = f->inode;
        f->inode = NULL; /* from the close on the number may be another's */
        if (closed == NOVA_OK)
            closed = nova_inode_close(inode, &err);
        if (closed != NOVA_OK)
            wrong(k, "release", closed, &err);
    }
    pthread_mutex_unlock(&f->lock);
    return rc;
}

static void unlink_(struct worker *k, struct dir *dir, struct nova_name *n) {
    int rc = take_name(k, call_unlink, NULL, n);
    if (rc != NOVA_OK)
        wrong(k, "unlink", rc, &n->io->err);
    else
        apply(dir);
}

static void link_(struct worker *k, struct dir *to, const struct nova_name *of, const struct nova_name *n) {
    struct file *f = &files[of->ino];
    pthread_mutex_lock(&f->lock);
    int rc = nova_link(n->dir, n->name, n->len, f->inode, n->io);
    pthread_mutex_unlock(&f->lock);
    k->journaled++;
    if (rc != NOVA_OK)
        wrong(k, "link", rc, &n->io->err);
    else
        apply(to);
}

static void two_names(struct worker *k, struct dir *from, struct dir *to, const struct nova_name *a,
                      struct nova_name *b) {
    int rc;
    if (a->ino == b->ino)
        return;
    if (b->ino == 0 && rng_below(&k->r, 2) == 0) {
        link_(k, to, a, b);
        return;
    }
    if (b->ino != 0 && rng_below(&k->r, 2) == 0)
        rc = nova_exchange(a, b);
    else
        rc = take_name(k, nova_rename, a, b);
    k->journaled += from != to;
    if (rc != NOVA_OK) {
        wrong(k, "rename or exchange", rc, &a->io->err);
        return;
    }
    apply(from);
    if (from != to)
        apply(to);
}

static void step(struct worker *k) {
    uint32_t i = k->alone ? k->id : rng_below(&k->r, THREADS), j = k->alone ? k->id : rng_below(&k->r, THREADS);
    struct dir *from = &dirs[i], *to = &dirs[j], *first = i < j ? from : to, *second = i < j ? to : from;
    pthread_mutex_lock(&first->lock);
    if (second != first)
        pthread_mutex_lock(&second->lock);
    struct nova_name a = name_in(from, name_of(rng_below(&k->r, NAMES))),
                     b = name_in(to, name_of(rng_below(&k->r, NAMES)));
    if (a.ino == 0)
        create(k, from, &a);
    else if (rng_below(&k->r, 4) == 0)
        unlink_(k, from, &a);
    else
        two_names(k, from, to, &a, &b);
    k->done++;
    if (second != first)
        pthread_mutex_unlock(&second->lock);
    pthread_mutex_unlock(&first->lock);
}

static void *work(void *arg) {
    struct worker *k = arg;
    uint64_t steps = getenv("NOVA_FULL") != NULL ? 100000 : 10000;
    while (k->done < steps && k->wrong == 0)
        step(k);
    return NULL;
}

/* Asks what may be asked at any time: takes the log locks from the other side. */
static void *watch(void *arg) {
    struct worker *k = arg;
    while (!atomic_load(&stop)) {
        struct nova_stat st;
        for (uint32_t i = 0; i < THREADS; i++)
            if (nova_inode_stat(dirs[i].d->inode, &st) != NOVA_OK || st.type != NOVA_DIR || st.nlink != 1)
                wrong(k, "stat", (int)st.type, &s.err);
        k->done++;
        usleep(50); /* so that the others get on: this lock is unfair to them */
    }
    return NULL;
}

/* ---- the runs ---- */

static void start_pool(void) {
    path = store_path("threads-names");
    assert_int_equal(nova_pool_create(path, 8 * MIB, &emulated, &s.err), NOVA_OK);
    assert_int_equal(store_open(&s, path, NOVA_OPT_EMULATED), NOVA_OK);
    for (uint32_t i = 0; i < THREADS; i++) { /* in the order of inode numbers */
        char name[8];
        const struct dir_map *names;
        (void)snprintf(name, sizeof name, "d%u", i);
        assert_int_equal(store_mkdir(&s, name, 0755), NOVA_OK);
        assert_int_equal(store_dir_open(&s, name, &names), NOVA_OK);
        dirs[i].d = s.dirs;
        pthread_mutex_init(&dirs[i].lock, NULL);
    }
    for (uint32_t i = 0; i < INODES; i++)
        pthread_mutex_init(&files[i].lock, NULL);
}

/* What the indexes hold: names by directory; and names by inode. */
static struct {
    uint32_t ino[THREADS][NAMES];
    uint32_t nlink[INODES];
    uint64_t inodes;
} want;

static void take_down(void) {
    memset(&want, 0, sizeof want);
    want.inodes = 1 + THREADS;
    for (uint32_t i = 0; i < THREADS; i++)
        for (uint32_t n = 0; n < NAMES; n++) {
            uint32_t ino = name_in(&dirs[i], name_of(n)).ino;
            want.ino[i][n] = ino;
            if (ino != 0 && want.nlink[ino]++ == 0)
                want.inodes++;
        }
}

static void check_pool(const char *file, bool crashed) {
    static char report[4000];
    struct nova_fsck_summary sum;
    struct nova_pool_info info;
    size_t needed;
    assert_int_equal(nova_fsck(file, report, sizeof report, &needed, &sum, NULL), NOVA_OK);
    assert_string_equal(report, "");
    assert_int_equal(sum.inodes, want.inodes);
    assert_int_equal(store_open(&s, file, NOVA_OPT_EMULATED), NOVA_OK);
    nova_pool_info(s.pool, &info);
    assert_int_equal(info.recovered, crashed);
    assert_int_equal(info.inodes_used, want.inodes);
    assert_int_equal(info.blocks_data - info.blocks_free, sum.blocks_used);
    for (uint32_t i = 0; i < THREADS; i++)
        for (uint32_t n = 0; n < NAMES; n++) {
            char name[100];
            struct nova_stat st = {0};
            (void)snprintf(name, sizeof name, "d%u/%s", i, name_of(n));
            assert_int_equal(store_stat(&s, name, &st), want.ino[i][n] != 0 ? NOVA_OK : NOVA_ENOENT);
            assert_int_equal(st.ino, want.ino[i][n]);
            assert_int_equal(st.nlink, want.nlink[st.ino]);
        }
    assert_int_equal(store_close(&s), NOVA_OK);
}

static void crowd(bool alone, struct rng r) {
    struct worker k[THREADS + 1];
    uint64_t done = 0, journaled = 0;
    memset(k, 0, sizeof k);
    start_pool();
    atomic_store(&stop, 0);
    for (uint32_t i = 0; i <= THREADS; i++) {
        k[i].id = i;
        k[i].alone = alone;
        k[i].r.s = rng_next(&r);
        assert_int_equal(pthread_create(&k[i].thread, NULL, i == THREADS ? watch : work, &k[i]), 0);
    }
    for (uint32_t i = 0; i <= THREADS; i++) {
        if (i == THREADS)
            atomic_store(&stop, 1);
        pthread_join(k[i].thread, NULL);
    }
    for (uint32_t i = 0; i <= THREADS; i++) {
        if (k[i].wrong != 0)
            fail_msg("%s", k[i].why);
        done += i < THREADS ? k[i].done : 0;
        journaled += k[i].journaled;
    }
    take_down();
    char copy[200];
    (void)snprintf(copy, sizeof copy, "%s-copy", path);
    store_copy_file(path, copy);
    assert_int_equal(store_close(&s), NOVA_OK); /* the files are open */
    memset(files, 0, sizeof files);
    check_pool(copy, true);
    check_pool(path, false);
    unlink(path);
    unlink(copy);
    report_line("threads: names: %u threads, %s: %llu calls, %llu of them over several logs", THREADS,
                alone ? "a directory each" : "all directories", (unsigned long long)done,
                (unsigned long long)journaled);
}

static void a_directory_each(void **state) {
    (void)state;
    crowd(true, rng_start(__func__));
}

static void renames_in_all_directions(void **state) {
    (void)state;
    crowd(false, rng_start(__func__));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_directory_each),
        cmocka_unit_test(renames_in_all_directions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
