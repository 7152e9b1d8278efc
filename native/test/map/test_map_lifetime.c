/* SPDX-License-Identifier: Apache-2.0 */
/* How regions begin and end: beside stores and faults, with their inode, with their pool, with the file's last name. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "map/map_internal.h"
#include "mapped.h"
#include "report.h"

#define PG 4096u
#define MB (1ull << 20)

/* ---- ends beside each other ---- */

struct two_ends {
    struct mapped *m;
    struct store_region r[4];
};

static void end(void *arg, unsigned id) {
    struct two_ends *e = arg;
    if (id == 0)
        MUST(store_file_close(&e->m->file[0].f) == NOVA_OK);
    else
        nova_region_free(e->r[id - 1].r);
}

/* The inode is closed while others free its regions: both wait for the region's users, and each is one to the other. */
static void test_free_beside_inode_close(void **state) {
    (void)state;
    struct mapped m;
    struct two_ends e = {.m = &m};
    mapped_open(&m, 16 * MB, 1);
    for (unsigned round = 0; round < (mapped_short() ? 50 : 500); round++) {
        mapped_truncate(&m, 0, 16 * PG);
        for (unsigned i = 0; i < 4; i++) {
            e.r[i] = mapped_map(&m, 0, 0, 16 * PG, 0);
            put8(e.r[i].addr + round % 16 * PG, (uint8_t)round);
        }
        mapped_threads(5, end, &e);
        assert_int_equal(store_file_open(&m.s, "0", false, &m.file[0].f), NOVA_OK);
    }
    mapped_close(&m);
}

/* ---- ends beside stores and faults ---- */

struct storing {
    struct mapped *m;
    struct store_region stays, ends;
    void (*end)(struct storing *s);
    bool done; /* atomic */
    uint64_t stored[4];
};

/* Thread 0 ends a region in the middle of it all; 1 and 2 store to both: what lands in the one that stays is not lost.
 */
static void store_to_both(void *arg, unsigned id) {
    struct storing *s = arg;
    if (id == 0) {
        while (__atomic_load_n(&s->stored[1], __ATOMIC_RELAXED) < 50 ||
               __atomic_load_n(&s->stored[2], __ATOMIC_RELAXED) < 50)
            sched_yield();
        s->end(s);
        __atomic_store_n(&s->done, true, __ATOMIC_RELEASE);
        return;
    }
    uint64_t pages = s->stays.len / PG, n = 0;
    for (bool last = false; !last; n++) {
        last = __atomic_load_n(&s->done, __ATOMIC_ACQUIRE); /* then once more: that one must fail */
        uint8_t *p = s->ends.addr + n % pages * PG + id;
        bool failed = mapped_store_fails(p, (uint8_t)(n / pages + 1));
        MUST(!last || failed);
        put8(s->stays.addr + n % pages * PG + 8 + id, (uint8_t)(n / pages + 1));
        __atomic_store_n(&s->stored[id], n + 1, __ATOMIC_RELAXED);
    }
    for (uint64_t i = 0; i < n && i < pages; i++) {
        uint64_t last = (n - 1 - i) / pages; /* the last round that came to page i */
        MUST(get8(s->stays.addr + i * PG + 8 + id) == (uint8_t)(last + 1));
    }
}

static void end_region(struct storing *s) {
    nova_region_close(s->ends.r);
}

static void end_inode(struct storing *s) {
    MUST(store_file_close(&s->m->file[0].f) == NOVA_OK);
}

static void ends_beside_stores(void (*how)(struct storing *s), bool same_file, uint32_t flags) {
    for (unsigned round = 0; round < (mapped_short() ? 1 : 5); round++) {
        struct mapped m;
        struct storing s = {.m = &m, .end = how};
        mapped_open(&m, 32 * MB, 2);
        mapped_truncate(&m, 0, 2 * MB);
        mapped_truncate(&m, 1, 2 * MB);
        s.ends = mapped_map(&m, 0, 0, 2 * MB, flags);
        s.stays = mapped_map(&m, same_file ? 0 : 1, 0, 2 * MB, flags);
        mapped_threads(3, store_to_both, &s);
        uint8_t byte;
        assert_true(mapped_load_fails(s.ends.addr, &byte));
        nova_region_free(s.ends.r);
        assert_true(mapped_equal(&m, same_file ? 0 : 1, 0, s.stays.addr, 2 * MB));
        nova_region_free(s.stays.r);
        if (how == end_inode)
            assert_int_equal(store_file_open(&m.s, "0", false, &m.file[0].f), NOVA_OK);
        mapped_close(&m);
    }
}

static void test_region_close_beside_stores(void **state) {
    (void)state;
    ends_beside_stores(end_region, false, 0);
    ends_beside_stores(end_region, true, 0);
    ends_beside_stores(end_region, true, NOVA_MAP_EAGER);
}

static void test_inode_close_beside_stores(void **state) {
    (void)state;
    ends_beside_stores(end_inode, false, 0);
    ends_beside_stores(end_inode, false, NOVA_MAP_EAGER);
}

/* ---- after the end ---- */

static void assert_closed(const struct store_region *r) {
    struct nova_error err;
    uint8_t byte;
    for (unsigned i = 0; i < 3; i++) {
        memset(&err, 0, sizeof err);
        int rc = i == 0   ? nova_force(r->r, 0, PG, &err)
                 : i == 1 ? nova_populate(r->r, 0, PG, 1, &err)
                          : nova_region_read(r->r, 0, &byte, 1, &err);
        assert_int_equal(rc, NOVA_EINVAL);
        assert_non_null(strstr(err.msg, "closed"));
    }
    assert_true(mapped_load_fails(r->addr, NULL));
}

static void test_calls_on_what_is_closed(void **state) {
    (void)state;
    for (uint32_t flags = 0; flags <= NOVA_MAP_EAGER; flags += NOVA_MAP_EAGER) {
        struct mapped m;
        mapped_open(&m, 16 * MB, 1);
        mapped_truncate(&m, 0, 16 * PG);
        struct store_region a = mapped_map(&m, 0, 0, 16 * PG, flags), b = mapped_map(&m, 0, 0, 16 * PG, flags);
        put8(a.addr, 1);
        nova_region_close(a.r);
        assert_closed(&a);
        assert_int_equal(store_force(&m.file[0].f, &b, 0, PG), NOVA_OK);
        assert_int_equal(store_file_close(&m.file[0].f), NOVA_OK);
        assert_closed(&b);
        nova_region_close(b.r);
        nova_region_free(a.r);
        nova_region_free(b.r);
        assert_int_equal(store_file_open(&m.s, "0", false, &m.file[0].f), NOVA_OK);
        mapped_close(&m);
    }
}

/* ---- the pool ends ---- */

struct until_bus {
    struct store_region r[2];
    uint64_t stored[2];
    struct mapped *m;
};

static void store_until_bus(void *arg, unsigned id) {
    struct until_bus *u = arg;
    if (id == 2) {
        while (__atomic_load_n(&u->stored[0], __ATOMIC_RELAXED) < 300 ||
               __atomic_load_n(&u->stored[1], __ATOMIC_RELAXED) < 300)
            sched_yield();
        MUST(nova_pool_close(u->m->s.pool, &u->m->s.err) == NOVA_OK);
        return;
    }
    const struct store_region *r = &u->r[id];
    for (uint64_t n = 0; !mapped_store_fails(r->addr + n % (r->len / PG) * PG, 1); n++)
        __atomic_store_n(&u->stored[id], n + 1, __ATOMIC_RELAXED);
}

static void test_pool_close_with_regions(void **state) {
    (void)state;
    struct mapped m;
    struct until_bus u = {.m = &m};
    struct nova_fsck_summary sum;
    struct nova_region_stat st;
    size_t needed;
    mapped_open(&m, 32 * MB, 2);
    for (unsigned i = 0; i < 2; i++) {
        mapped_truncate(&m, i, 4 * MB);
        u.r[i] = mapped_map(&m, i, 0, 4 * MB, 0);
    }
    mapped_threads(3, store_until_bus, &u);
    assert_int_equal(nova_fsck(m.path, NULL, 0, &needed, &sum, NULL), NOVA_OK);
    assert_int_equal(sum.errors + sum.warnings, 0);
    assert_int_equal(sum.clean, 1);
    assert_int_equal(sum.blocks_used + sum.blocks_free, sum.blocks_total);
    for (unsigned i = 0; i < 2; i++) { /* what remains of a region works as the interface has it */
        struct nova_error err;
        assert_int_equal(nova_region_stat(u.r[i].r, &st), NOVA_OK);
        assert_int_equal(st.mapped, 0);
        assert_int_equal(nova_force(u.r[i].r, 0, PG, &err), NOVA_EINVAL);
        assert_int_equal(nova_populate(u.r[i].r, 0, PG, 1, &err), NOVA_EINVAL);
        nova_region_close(u.r[i].r);
        nova_region_free(u.r[i].r);
        block_map_free(&m.file[i].f.map);
        attrs_free(&m.file[i].f.attrs);
        free(m.file[i].f.appended);
    }
    dir_map_free(&m.s.names);
    attrs_free(&m.s.root_attrs);
    munmap((void *)(uintptr_t)m.s.base, m.s.len);
    unlink(m.path);
}

/* ---- names ---- */

/* The file's last name goes while it is mapped: it lives on, and its space comes back when it is closed. */
static void gone_while_mapped(bool replace, uint32_t flags) {
    struct mapped m;
    struct nova_pool_info before, after;
    mapped_open(&m, 32 * MB, 2);
    mapped_truncate(&m, 0, 4 * MB);
    nova_pool_info(m.s.pool, &before);
    struct store_region r = mapped_map(&m, 0, 0, 4 * MB, flags);
    put8(r.addr, 1);
    assert_int_equal(replace ? store_rename(&m.s, "1", "0") : store_unlink(&m.s, "0"), NOVA_OK);
    for (uint64_t i = 0; i < 4 * MB; i += PG)
        put8(r.addr + i, 2);
    mapped_write(&m, 0, MB + 1, "abc", 3);
    assert_memory_equal(r.addr + MB, "\2abc", 4);
    assert_true(mapped_equal(&m, 0, 0, r.addr, 4 * MB));
    assert_int_equal(store_file_close(&m.file[0].f), NOVA_OK);
    assert_true(mapped_store_fails(r.addr, 3));
    nova_region_free(r.r);
    nova_pool_info(m.s.pool, &after);
    assert_true(after.blocks_free + 1 >= before.blocks_free); /* the directory may have taken a log page */
    assert_int_equal(store_file_close(&m.file[1].f), NOVA_OK);
    assert_int_equal(store_file_open(&m.s, "0", !replace, &m.file[0].f), NOVA_OK);
    assert_int_equal(store_file_open(&m.s, "1", replace, &m.file[1].f), NOVA_OK);
    assert_int_equal(m.file[0].f.size, 0);
    mapped_close(&m);
}

static void test_gone_while_mapped(void **state) {
    (void)state;
    for (uint32_t flags = 0; flags <= NOVA_MAP_EAGER; flags += NOVA_MAP_EAGER) {
        gone_while_mapped(false, flags);
        gone_while_mapped(true, flags);
    }
}

/* ---- force ---- */

static void test_force_and_reopen(void **state) {
    (void)state;
    struct mapped m;
    struct nova_fsck_summary sum;
    size_t needed;
    char copy[256];
    mapped_open(&m, 32 * MB, 1);
    mapped_truncate(&m, 0, 4 * MB - 5);
    struct store_region r = mapped_map(&m, 0, 0, 8 * MB, 0);
    for (uint64_t i = 0; i < 4 * MB; i += 3 * PG)
        put64(r.addr + i, i + 1);
    assert_int_equal(store_force(&m.file[0].f, &r, 0, 8 * MB), NOVA_OK);
    (void)snprintf(copy, sizeof copy, "%s", store_path("copy"));
    store_copy_file(m.path, copy); /* as a crash now would leave it */
    struct store s;
    struct store_file f;
    uint64_t value;
    assert_int_equal(store_open(&s, copy, 0), NOVA_OK);
    assert_int_equal(store_file_open(&s, "0", false, &f), NOVA_OK);
    for (uint64_t i = 0; i < 4 * MB; i += PG) {
        assert_int_equal(store_read(&f, i, &value, sizeof value), sizeof value);
        assert_int_equal(value, i % (3 * PG) == 0 ? i + 1 : 0);
    }
    assert_int_equal(store_file_close(&f), NOVA_OK);
    assert_int_equal(store_close(&s), NOVA_OK);
    assert_int_equal(nova_fsck(copy, NULL, 0, &needed, &sum, NULL), NOVA_OK);
    assert_int_equal(sum.errors, 0);
    unlink(copy);
    nova_region_free(r.r);
    mapped_close(&m);
}

/* ---- processes ---- */

struct spawning {
    struct mapped *m;
    struct store_region r;
    bool done; /* atomic */
};

static void spawn_and_store(void *arg, unsigned id) {
    struct spawning *s = arg;
    if (id == 0) {
        for (int i = 0; i < 10; i++) {
            char *argv[] = {(char *)(uintptr_t) "true", NULL};
            pid_t pid;
            int status = -1;
            if (i % 2 == 0) {
                MUST(posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ) == 0);
            } else if ((pid = fork()) == 0) {
                execv("/bin/true", argv);
                _exit(1);
            }
            MUST(waitpid(pid, &status, 0) == pid && status == 0);
        }
        __atomic_store_n(&s->done, true, __ATOMIC_RELEASE);
        return;
    }
    uint64_t pages = s->r.len / PG;
    for (uint64_t n = 0; !__atomic_load_n(&s->done, __ATOMIC_ACQUIRE) || n < 2 * pages; n++) {
        uint8_t *p = s->r.addr + n % pages * PG + id * 8, value = (uint8_t)(n / pages % 200 + 1);
        if (id == 1)
            mapped_write(s->m, 0, (uint64_t)(p - s->r.addr), &value, 1);
        else
            put8(p, value);
        MUST(get8(p) == value);
    }
}

/* A copied address space is no matter to who goes on; /bin/true is not what a child waits for. */
static void test_fork_and_exec(void **state) {
    (void)state;
    struct mapped m;
    mapped_open(&m, 32 * MB, 1);
    mapped_truncate(&m, 0, 2 * MB);
    struct spawning s = {&m, mapped_map(&m, 0, 0, 2 * MB, 0), false};
    mapped_threads(3, spawn_and_store, &s);
    assert_true(mapped_equal(&m, 0, 0, s.r.addr, 2 * MB));
    nova_region_free(s.r.r);
    mapped_close(&m);
}

static int child_status(void (*run)(const struct store_region *r), const struct store_region *r) {
    int status;
    fflush(NULL);
    pid_t pid = fork();
    MUST(pid >= 0);
    if (pid == 0) {
        run(r);
        _exit(0);
    }
    MUST(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void store_in_child(const struct store_region *r) {
    signal(SIGSEGV, SIG_DFL); /* a sanitizer's own would make an exit of it */
    put8(r->addr, 7);
}

static void load_hole_in_child(const struct store_region *r) {
    signal(SIGSEGV, SIG_DFL);
    (void)get8(r->addr + PG);
}

/* A thread sanitizer has no threads in a child of a process that had some. */
#ifdef __SANITIZE_THREAD__
#define NO_CHILDREN true
#else
#define NO_CHILDREN false
#endif

/* A pool and regions of its own, beside its parent's. */
static void map_in_child(const struct store_region *r) {
    (void)r;
    struct mapped m;
    alarm(60);
    mapped_open(&m, 16 * MB, 1);
    mapped_truncate(&m, 0, MB);
    struct store_region own = mapped_map(&m, 0, 0, MB, 0);
    put8(own.addr + 5 * PG, 5);
    MUST(get8(own.addr + 9 * PG) == 0);
    MUST(mapped_equal(&m, 0, 0, own.addr, MB));
    nova_region_free(own.r);
    mapped_close(&m);
}

static void free_in_child(const struct store_region *r) {
    struct nova_error err;
    alarm(20); /* if it waits for a thread that is its parent's */
    MUST(nova_force(r->r, 0, PG, &err) == NOVA_EINVAL);
    nova_region_close(r->r);
    nova_region_free(r->r);
    MUST(msync(r->addr, PG, MS_ASYNC) != 0 && errno == ENOMEM);
}

struct freeing {
    struct store_region r;
    bool held, done; /* atomic */
    int status;
};

/* Thread 1 has the region and logLock, as one that serves a fault: it does not exist in the child. */
static void free_while_held(void *arg, unsigned id) {
    struct freeing *f = arg;
    if (id == 0) {
        while (!__atomic_load_n(&f->held, __ATOMIC_ACQUIRE))
            sched_yield();
        f->status = child_status(free_in_child, &f->r);
        __atomic_store_n(&f->done, true, __ATOMIC_RELEASE);
        return;
    }
    struct region *r = region_find(f->r.addr);
    map_lock(r->file);
    __atomic_store_n(&f->held, true, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&f->done, __ATOMIC_ACQUIRE))
        sched_yield();
    map_unlock(r->file);
    region_done(r);
}

static void test_free_in_child(void **state) {
    (void)state;
    for (uint32_t flags = 0; flags <= NOVA_MAP_EAGER && !NO_CHILDREN; flags += NOVA_MAP_EAGER) {
        struct mapped m;
        mapped_open(&m, 16 * MB, 1);
        mapped_truncate(&m, 0, MB);
        struct freeing f = {.r = mapped_map(&m, 0, 0, MB, flags)};
        put8(f.r.addr, 3);
        mapped_threads(2, free_while_held, &f);
        assert_int_equal(f.status, 0);
        put8(f.r.addr + 20 * PG, 4);
        assert_true(mapped_equal(&m, 0, 0, f.r.addr, MB));
        nova_region_free(f.r.r);
        mapped_close(&m);
    }
}

/* What a child of fork() stores to its parent's region would be lost: it is not let. */
static void test_fork(void **state) {
    (void)state;
    for (uint32_t flags = 0; flags <= NOVA_MAP_EAGER; flags += NOVA_MAP_EAGER) {
        struct mapped m;
        mapped_open(&m, 16 * MB, 1);
        mapped_truncate(&m, 0, MB);
        struct store_region r = mapped_map(&m, 0, 0, MB, flags);
        put8(r.addr, 3);
        assert_int_equal(child_status(store_in_child, &r), 128 + SIGSEGV);
        assert_int_equal(child_status(load_hole_in_child, &r), 128 + SIGSEGV);
        if (!NO_CHILDREN)
            assert_int_equal(child_status(map_in_child, &r), 0);
        assert_int_equal(get8(r.addr), 3);
        put8(r.addr + 20 * PG, 4); /* its own faults go on */
        assert_true(mapped_equal(&m, 0, 0, r.addr, MB));
        nova_region_free(r.r);
        mapped_close(&m);
    }
}

/* ---- locked memory ---- */

#define CANNOT_LOCK 3

/* Both kinds of pages that it is about: those that are there when it is called, and those that come later. */
static void lock_and_store(void *arg) {
    int what = *(int *)arg;
    struct mapped m;
    struct nova_region_stat st;
    mapped_open(&m, 16 * MB, 2);
    mapped_truncate(&m, 0, MB);
    mapped_truncate(&m, 1, MB);
    struct store_region r[2] = {mapped_map(&m, 0, 0, MB, 0)};
    put8(r[0].addr, 1);
    MUST(get8(r[0].addr + 64 * PG) == 0);
    if (mlockall(what) != 0)
        _exit(CANNOT_LOCK);
    r[1] = mapped_map(&m, 1, 0, MB, 0);
    nova_region_stat(r[1].r, &st);
    MUST(!st.lazy || st.mapped == 0);               /* not filled, and not by anything else */
    for (uint64_t page = 0; page < MB / PG; page++) /* in order: long runs of zeros, too */
        MUST(get8(r[1].addr + page * PG) == 0);
    for (unsigned i = 0; i < 2; i++) {
        for (uint64_t page = 0; page < MB / PG; page += 2) {
            put8(r[i].addr + page * PG, 2);
            mapped_write(&m, i, page * PG + 100, "w", 1);
        }
        MUST(store_punch(&m.file[i].f, 8 * PG, 8 * PG) == NOVA_OK);
        put8(r[i].addr + 10 * PG, 3);
        MUST(get8(r[i].addr + 8 * PG) == 0 && get8(r[i].addr + 16 * PG) == 2);
        MUST(mapped_equal(&m, i, 0, r[i].addr, MB));
        nova_region_free(r[i].r);
    }
    mapped_close(&m);
}

static void test_mlockall(void **state) {
    (void)state;
    if (NO_CHILDREN)
        skip(); /* it would have mlockall() do nothing, too */
    static const int what[] = {MCL_FUTURE, MCL_CURRENT, MCL_CURRENT | MCL_FUTURE,
                               MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT};
    for (unsigned i = 0; i < sizeof what / sizeof *what; i++) {
        int arg = what[i], status = mapped_child(lock_and_store, &arg, 60000);
        if (status == CANNOT_LOCK) {
            report_line("mapped files in locked memory: skipped, this process may not mlockall()");
            skip();
        }
        assert_int_equal(status, 0);
    }
}

/* ---- no mapping left ---- */

/* Others take all mappings that the kernel allows: none can be replaced, not even by one that raises SIGBUS. */
static void map_until_refused(void *arg) {
    struct mapped m;
    struct nova_error err;
    unsigned char in_core;
    void *other[2] = {NULL, NULL};
    (void)arg;
    mapped_open(&m, 16 * MB, 1);
    mapped_truncate(&m, 0, MB);
    struct store_region r = mapped_map(&m, 0, 0, MB, 0);
    put8(r.addr, 1);
    for (unsigned i = 0; other[i % 2] != MAP_FAILED; i++) /* two in a row do not become one */
        other[i % 2] = mmap(NULL, PG, i % 2 == 0 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MUST(nova_populate(r.r, 8 * PG, PG, 1, &err) != NOVA_OK);
    MUST(mincore(r.addr, PG, &in_core) == 0); /* its addresses are not free for others */
    MUST(mincore(r.addr + MB - PG, PG, &in_core) == 0);
    signal(SIGSEGV, SIG_DFL);
    put8(r.addr, 2);
}

static void test_no_mapping_left(void **state) {
    (void)state;
    if (NO_CHILDREN)
        skip();
    if (mapped_lazy())
        assert_int_equal(mapped_child(map_until_refused, NULL, 60000), 128 + SIGSEGV);
}

/* ---- memory that is dropped ---- */

/* What a page shows is known to the core alone; so pages that somebody has the kernel drop come back as they were. */
static void test_dropped_pages(void **state) {
    (void)state;
    struct mapped m;
    mapped_open(&m, 16 * MB, 1);
    mapped_truncate(&m, 0, 4 * MB);
    struct store_region r = mapped_map(&m, 0, 0, 4 * MB, 0);
    for (unsigned round = 1; round <= 3; round++) {
        put8(r.addr + round * PG, (uint8_t)round);
        for (uint64_t page = 4; page < 4 * MB / PG; page++) /* in order: short runs of zeros and long ones */
            MUST(get8(r.addr + page * PG) == 0);
        assert_int_equal(madvise(r.addr, r.len, MADV_DONTNEED), 0);
        for (uint64_t page = 1; page <= round; page++)
            MUST(get8(r.addr + page * PG) == page);
        put8(r.addr + MB + 9, (uint8_t)round);
        assert_true(mapped_equal(&m, 0, 0, r.addr, 4 * MB));
    }
    nova_region_free(r.r);
    mapped_close(&m);
}

/* ---- the kernel's own loads and stores ---- */

struct calls {
    struct mapped *m;
    struct store_region r;
    int fd;
    bool done; /* atomic */
};

#define PIECE (64u * 1024)

/* Thread 0 calls the kernel, with pages that nobody has looked at first; 1 hides pages under its hands, by writes. */
static void call_and_write(void *arg, unsigned id) {
    struct calls *c = arg;
    uint8_t *p = c->r.addr;
    if (id == 1) {
        /* Not for ever: the log grows with each. */
        for (uint64_t n = 0; n < 100000 && !__atomic_load_n(&c->done, __ATOMIC_ACQUIRE); n++)
            mapped_write(c->m, 0, n * 7 % (c->r.len / PG) * PG + PG - 1, "w", 1);
        return;
    }
    for (uint64_t at = 0; at < c->r.len; at += PIECE) {
        uint8_t buf[PG];
        struct iovec mine = {buf, PG}, theirs = {p + at, PG};
        MUST(pwrite(c->fd, p + at, PIECE - 1, 0) == PIECE - 1);                /* a load of holes */
        MUST(process_vm_readv(getpid(), &mine, 1, &theirs, 1, 0) == (int)PG);  /* by pinned pages */
        MUST(pread(c->fd, p + at + PIECE / 2, PIECE / 4, 0) == PIECE / 4);     /* stores where nothing was */
        MUST(lseek(c->fd, 0, SEEK_SET) == 0 && read(c->fd, p + at, PG) == PG); /* stores to zeros */
        MUST(process_vm_writev(getpid(), &mine, 1, &theirs, 1, 0) == (int)PG);
        memset(buf, (int)(at / PIECE % 200 + 1), PG);
        int fds[2];
        MUST(pipe(fds) == 0 && write(fds[1], buf, PG - 1) == PG - 1);
        MUST(read(fds[0], p + at, PG) == PG - 1); /* the pipe's lock is held across the faults */
        MUST(write(fds[1], p + at, PG) == PG && read(fds[0], buf, PG) == PG);
        MUST(buf[0] == (uint8_t)(at / PIECE % 200 + 1) && buf[PG - 2] == buf[0]);
        close(fds[0]);
        close(fds[1]);
    }
    __atomic_store_n(&c->done, true, __ATOMIC_RELEASE);
}

static void test_system_calls(void **state) {
    (void)state;
    struct mapped m;
    uint64_t size = mapped_short() ? MB : 8 * MB;
    mapped_open(&m, 64 * MB, 1);
    mapped_truncate(&m, 0, size);
    struct calls c = {&m, mapped_map(&m, 0, 0, size, 0), memfd_create("test", MFD_CLOEXEC), false};
    assert_true(c.fd >= 0);
    mapped_threads(2, call_and_write, &c);
    for (uint64_t i = 0; i < size; i += PIECE)
        assert_int_equal(c.r.addr[i], i / PIECE % 200 + 1);
    assert_true(mapped_equal(&m, 0, 0, c.r.addr, size));
    close(c.fd);
    nova_region_free(c.r.r);
    mapped_close(&m);
}

/* ---- no system calls ---- */

static atomic_uint trapped;

static void count_trap(int sig) {
    (void)sig;
    atomic_fetch_add(&trapped, 1);
}

/* From now on this thread's system calls are counted, and do nothing: of the kinds that nova_force() could make, and
 * that no sanitizer makes when a thread ends. */
static void trap_system_calls(void) {
    static const long counted[] = {SYS_membarrier, SYS_msync, SYS_fsync, SYS_ioctl, SYS_sched_yield, SYS_getppid};
    enum { N = sizeof counted / sizeof *counted };
    struct sock_filter code[N + 3] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
    for (uint8_t i = 0; i < N; i++)
        code[1 + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)counted[i], (uint8_t)(N - i),
                                                   0);
    code[1 + N] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    code[2 + N] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP);
    struct sock_fprog filter = {N + 3, code};
    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    MUST(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0);
}

static void force_all(void *arg, unsigned id) {
    const struct store_region *r = arg;
    struct nova_error err;
    (void)id;
    trap_system_calls();
    for (uint64_t at = 0; at < r->len; at += PG)
        MUST(nova_force(r->r, at, PG, &err) == NOVA_OK);
    MUST(nova_force(r->r, 0, r->len, &err) == NOVA_OK);
    MUST(atomic_load(&trapped) == 0);
    (void)getppid();
    MUST(atomic_load(&trapped) == 1); /* they are counted */
}

static void test_force_makes_no_system_call(void **state) {
    (void)state;
    struct mapped m;
    mapped_open(&m, 64 * MB, 1);
    mapped_truncate(&m, 0, 32 * MB);
    struct store_region r = mapped_map(&m, 0, 0, 32 * MB, 0);
    for (uint64_t at = 0; at < r.len; at += MB)
        put8(r.addr + at, 1);
    mapped_write(&m, 0, MB, "bytes", 5); /* the other side of the lock has had it in between */
    struct sigaction count = {.sa_handler = count_trap}, before;
    assert_int_equal(sigaction(SIGSYS, &count, &before), 0);
    mapped_threads(1, force_all, &r);
    assert_int_equal(sigaction(SIGSYS, &before, NULL), 0);
    nova_region_free(r.r);
    mapped_close(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_free_beside_inode_close),
        cmocka_unit_test(test_region_close_beside_stores),
        cmocka_unit_test(test_inode_close_beside_stores),
        cmocka_unit_test(test_calls_on_what_is_closed),
        cmocka_unit_test(test_pool_close_with_regions),
        cmocka_unit_test(test_gone_while_mapped),
        cmocka_unit_test(test_force_and_reopen),
        cmocka_unit_test(test_fork_and_exec),
        cmocka_unit_test(test_fork),
        cmocka_unit_test(test_free_in_child),
        cmocka_unit_test(test_mlockall),
        cmocka_unit_test(test_no_mapping_left),
        cmocka_unit_test(test_dropped_pages),
        cmocka_unit_test(test_system_calls),
        cmocka_unit_test(test_force_makes_no_system_call),
    };
    mapped_main(500);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
