/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lazy.h"
#include "mapped.h"

_Noreturn void mapped_die(const char *file, int line, const char *what) {
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
    fflush(NULL);
    _exit(99); /* no atexit handlers beside threads that go on */
}

/* ---- the process ---- */

void mapped_refuse_userfaultfd(void) {
    /* What can be told of opening /dev/userfaultfd is its one ioctl. */
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_userfaultfd, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])), /* little-endian */
#ifdef USERFAULTFD_IOC_NEW
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)USERFAULTFD_IOC_NEW, 0, 1),
#else
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
#endif
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof code / sizeof *code, code};
    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    MUST(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0);
    MUST(syscall(SYS_userfaultfd, 0) < 0 && errno == EPERM);
}

void mapped_main(unsigned seconds) {
    alarm(seconds); /* SIGALRM kills */
    if (getenv("NOVA_TEST_NO_USERFAULTFD") != NULL)
        mapped_refuse_userfaultfd();
}

bool mapped_short(void) {
    return getenv("NOVA_SHORT") != NULL;
}

bool mapped_lazy(void) {
    return lazy_possible();
}

int mapped_child(void (*run)(void *arg), void *arg, unsigned milliseconds) {
    fflush(NULL);
    pid_t pid = fork();
    MUST(pid >= 0);
    if (pid == 0) {
        alarm(0); /* the parent's watch is enough, and tells how it ended */
        run(arg);
        fflush(NULL);
        _exit(0);
    }
    int fd = (int)syscall(SYS_pidfd_open, pid, 0), status;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    MUST(fd >= 0);
    int ended = poll(&p, 1, (int)milliseconds);
    MUST(ended >= 0);
    if (ended == 0)
        kill(pid, SIGKILL);
    MUST(waitpid(pid, &status, 0) == pid);
    close(fd);
    if (ended == 0)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- threads ---- */

struct start {
    void (*run)(void *arg, unsigned id);
    void *arg;
    unsigned id;
    pthread_barrier_t *barrier;
};

static void *start(void *arg) {
    struct start *s = arg;
    pthread_barrier_wait(s->barrier);
    s->run(s->arg, s->id);
    return NULL;
}

void mapped_threads(unsigned n, void (*run)(void *arg, unsigned id), void *arg) {
    pthread_barrier_t barrier;
    pthread_t thread[64];
    struct start s[64];
    MUST(n <= 64 && pthread_barrier_init(&barrier, NULL, n) == 0);
    for (unsigned i = 0; i < n; i++) {
        s[i] = (struct start){run, arg, i, &barrier};
        MUST(pthread_create(&thread[i], NULL, start, &s[i]) == 0);
    }
    for (unsigned i = 0; i < n; i++)
        pthread_join(thread[i], NULL);
    pthread_barrier_destroy(&barrier);
}

/* ---- the pool ---- */

static const char *const names[MAPPED_FILES] = {"0", "1", "2", "3", "4", "5", "6", "7"};

static void open_all(struct mapped *m, bool create) {
    MUST(store_open(&m->s, m->path, 0) == NOVA_OK);
    for (unsigned i = 0; i < m->files; i++)
        MUST(store_file_open(&m->s, names[i], create, &m->file[i].f) == NOVA_OK);
}

static void close_all(struct mapped *m) {
    struct nova_fsck_summary sum;
    char report[8192];
    size_t needed;
    struct nova_error err;
    for (unsigned i = 0; i < m->files; i++)
        MUST(m->file[i].f.inode == NULL || store_file_close(&m->file[i].f) == NOVA_OK);
    MUST(store_close(&m->s) == NOVA_OK);
    MUST(nova_fsck(m->path, report, sizeof report, &needed, &sum, &err) == NOVA_OK);
    if (needed > 1)
        fprintf(stderr, "%s\n", report);
    MUST(sum.errors == 0 && sum.warnings == 0 && sum.clean == 1);
    MUST(sum.blocks_used + sum.blocks_free == sum.blocks_total);
}

void mapped_open(struct mapped *m, uint64_t pool_size, unsigned files) {
    struct nova_error err;
    memset(m, 0, sizeof *m);
    m->path = store_path("mapped");
    m->files = files;
    MUST(files <= MAPPED_FILES && nova_pool_create(m->path, pool_size, NULL, &err) == NOVA_OK);
    for (unsigned i = 0; i < files; i++)
        pthread_mutex_init(&m->file[i].io, NULL);
    open_all(m, true);
}

void mapped_reopen(struct mapped *m) {
    close_all(m);
    open_all(m, false);
}

void mapped_close(struct mapped *m) {
    close_all(m);
    unlink(m->path);
    for (unsigned i = 0; i < m->files; i++)
        pthread_mutex_destroy(&m->file[i].io);
}

/* ---- files ---- */

static void lock(struct mapped *m, unsigned i) {
    pthread_mutex_lock(&m->file[i].io);
}

static void unlock(struct mapped *m, unsigned i) {
    pthread_mutex_unlock(&m->file[i].io);
}

struct store_region mapped_map(struct mapped *m, unsigned i, uint64_t off, uint64_t len, uint32_t flags) {
    struct store_region r;
    lock(m, i);
    MUST(store_map(&m->file[i].f, off, len, flags, &r) == NOVA_OK);
    unlock(m, i);
    MUST(r.lazy == ((flags & NOVA_MAP_EAGER) == 0 && mapped_lazy()));
    return r;
}

void mapped_write(struct mapped *m, unsigned i, uint64_t off, const void *src, uint64_t len) {
    lock(m, i);
    int rc = store_write(&m->file[i].f, off, src, len);
    if (rc != NOVA_OK)
        fprintf(stderr, "%s\n", m->s.err.msg);
    MUST(rc == NOVA_OK);
    unlock(m, i);
}

void mapped_read(struct mapped *m, unsigned i, uint64_t off, void *dst, uint64_t len) {
    lock(m, i);
    MUST(store_read(&m->file[i].f, off, dst, len) == len);
    unlock(m, i);
}

void mapped_truncate(struct mapped *m, unsigned i, uint64_t size) {
    lock(m, i);
    MUST(store_truncate(&m->file[i].f, size) == NOVA_OK);
    unlock(m, i);
}

bool mapped_equal(struct mapped *m, unsigned i, uint64_t off, const uint8_t *p, uint64_t len) {
    uint8_t buf[NOVA_BLOCK_SIZE];
    for (uint64_t at = 0; at < len; at += sizeof buf) {
        uint64_t n = len - at < sizeof buf ? len - at : sizeof buf;
        mapped_read(m, i, off + at, buf, n);
        if (memcmp(buf, p + at, n) != 0)
            return false;
    }
    return true;
}

/* ---- SIGBUS ---- */

static _Thread_local sigjmp_buf *on_bus;

static void bus(int sig) {
    if (on_bus != NULL)
        siglongjmp(*on_bus, 1);
    signal(sig, SIG_DFL); /* it comes again */
}

static bool fails(uint8_t *p, uint8_t *value, bool store) {
    sigjmp_buf back;
    struct sigaction sa = {.sa_handler = bus};
    MUST(sigaction(SIGBUS, &sa, NULL) == 0);
    bool hit = sigsetjmp(back, 1) != 0;
    if (!hit) {
        on_bus = &back;
        atomic_signal_fence(memory_order_seq_cst);
        if (store)
            put8(p, *value);
        else
            *value = get8(p);
        atomic_signal_fence(memory_order_seq_cst);
    }
    on_bus = NULL;
    return hit;
}

bool mapped_load_fails(const uint8_t *p, uint8_t *value) {
    uint8_t loaded;
    return fails((uint8_t *)(uintptr_t)p, value == NULL ? &loaded : value, false);
}

bool mapped_store_fails(uint8_t *p, uint8_t value) {
    return fails(p, &value, true);
}
