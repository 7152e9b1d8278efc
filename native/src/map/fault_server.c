/* SPDX-License-Identifier: Apache-2.0 */
#include "map/fault_server.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WORKERS 2u
#define STACK ((size_t)1 << 20)
#define QUEUE 4096u /* faults that wait; a power of two */
#define READ_AT_ONCE 16
#define GUARD ((size_t)NOVA_BLOCK_SIZE)
#define ZEROS ((size_t)16 * NOVA_BLOCK_SIZE)

struct fault {
    void *addr;
    bool store;
};

static struct {
    pthread_mutex_t start_lock; /* guards the next ones */
    bool started, fork_noted;
    unsigned workers; /* that run, and sleep as long as nobody reads faults */
    int fd;
    fault_handler *handler;
    pthread_mutex_t lock; /* guards the queue; nothing is done under it but that */
    pthread_cond_t filled;
    uint32_t first, end; /* of the queue; they only grow */
    struct fault queue[QUEUE];
} server = {.start_lock = PTHREAD_MUTEX_INITIALIZER,
            .lock = PTHREAD_MUTEX_INITIALIZER,
            .filled = PTHREAD_COND_INITIALIZER,
            .fd = -1};

static const uint8_t zeros[ZEROS] __attribute__((aligned(NOVA_BLOCK_SIZE)));

/* ---- threads ---- */

static void push(const struct uffd_msg *msg) {
    struct fault f = {(void *)(uintptr_t)(msg->arg.pagefault.address & ~(uint64_t)(NOVA_BLOCK_SIZE - 1)),
                      (msg->arg.pagefault.flags & (UFFD_PAGEFAULT_FLAG_WRITE | UFFD_PAGEFAULT_FLAG_WP)) != 0};
    pthread_mutex_lock(&server.lock);
    bool room = server.end - server.first < QUEUE;
    if (room)
        server.queue[server.end++ % QUEUE] = f;
    pthread_cond_signal(&server.filled);
    pthread_mutex_unlock(&server.lock);
    if (!room)
        fault_wake(f.addr, NOVA_BLOCK_SIZE); /* it will be back */
}

static void *read_faults(void *arg) {
    (void)arg;
    struct uffd_msg msg[READ_AT_ONCE];
    for (;;) {
        ssize_t n = read(server.fd, msg, sizeof msg);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return NULL; /* somebody has closed the descriptor */
        for (ssize_t i = 0; i * (ssize_t)sizeof *msg < n; i++)
            if (msg[i].event == UFFD_EVENT_PAGEFAULT)
                push(&msg[i]); /* the other events are about what fault_hide() does, and need but be read */
    }
    return NULL;
}

static void *serve_faults(void *arg) {
    (void)arg;
    for (;;) {
        pthread_mutex_lock(&server.lock);
        while (server.first == server.end)
            pthread_cond_wait(&server.filled, &server.lock);
        struct fault f = server.queue[server.first++ % QUEUE];
        pthread_mutex_unlock(&server.lock);
        server.handler(f.addr, f.store);
    }
    return NULL;
}

static bool start_thread(void *(*run)(void *), const char *name) {
    pthread_t thread;
    pthread_attr_t attr;
    sigset_t all, old;
    if (pthread_attr_init(&attr) != 0)
        return false;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, STACK);
    sigfillset(&all); /* the process's signals are for its own threads */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    bool ok = pthread_create(&thread, &attr, run, NULL) == 0;
    if (ok)
        (void)pthread_setname_np(thread, name);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return ok;
}

/* ---- starting ---- */

/* A descriptor that serves faults inside system calls too, which takes a privilege. */
static int open_uffd(void) {
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
    if (fd >= 0)
        return fd;
#ifdef USERFAULTFD_IOC_NEW
    int dev = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
    if (dev >= 0) {
        fd = ioctl(dev, USERFAULTFD_IOC_NEW, O_CLOEXEC);
        close(dev);
    }
#endif
    return fd;
}

static int register_range(void *addr, size_t len) {
    struct uffdio_register reg = {.range = {(uintptr_t)addr, len},
                                  .mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP};
    return ioctl(server.fd, UFFDIO_REGISTER, &reg) == 0 ? 0 : errno;
}

/* Whether this kernel can do with anonymous memory what is asked of it. */
static bool probe(void) {
    struct uffdio_api api = {.api = UFFD_API, .features = UFFD_FEATURE_EVENT_REMAP | UFFD_FEATURE_PAGEFAULT_FLAG_WP};
    if (ioctl(server.fd, UFFDIO_API, &api) != 0)
        return false;
    void *page = mmap(NULL, NOVA_BLOCK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return false;
    bool ok = register_range(page, NOVA_BLOCK_SIZE) == 0 && fault_zeros(page, NOVA_BLOCK_SIZE) == 0;
    munmap(page, NOVA_BLOCK_SIZE);
    return ok;
}

bool fault_server_possible(void) {
    pthread_mutex_lock(&server.start_lock);
    bool ok = server.started;
    if (!ok) {
        server.fd = open_uffd();
        ok = server.fd >= 0 && probe();
        if (server.fd >= 0)
            close(server.fd);
        server.fd = -1;
    }
    pthread_mutex_unlock(&server.start_lock);
    return ok;
}

/* In a child of fork(). */
static void forget(void) {
    if (server.started)
        close(server.fd); /* it is about the parent's memory */
    server.started = false;
    server.workers = 0;
    server.fd = -1;
    server.first = server.end = 0;
    pthread_mutex_init(&server.start_lock, NULL);
    pthread_mutex_init(&server.lock, NULL);
    pthread_cond_init(&server.filled, NULL);
}

bool fault_server_start(fault_handler *handler) {
    pthread_mutex_lock(&server.start_lock);
    if (!server.started) {
        server.fd = open_uffd();
        server.handler = handler;
        server.fork_noted = server.fork_noted || pthread_atfork(NULL, NULL, forget) == 0;
        if (server.fd >= 0 && server.fork_noted && probe()) {
            while (server.workers < WORKERS && start_thread(serve_faults, "nova-fault"))
                server.workers++;
            server.started = server.workers != 0 && start_thread(read_faults, "nova-fault-read");
        }
        if (!server.started && server.fd >= 0) { /* nobody reads it; the next start uses the workers that there are */
            close(server.fd);
            server.fd = -1;
        }
    }
    bool ok = server.started;
    pthread_mutex_unlock(&server.start_lock);
    return ok;
}

unsigned fault_waiting(void) {
    pthread_mutex_lock(&server.lock);
    unsigned n = server.end - server.first;
    pthread_mutex_unlock(&server.lock);
    return n;
}

/* ---- pages ---- */

/* Pages of fresh memory, where nobody stores to them before they are protected. */
static int zero_and_protect(void *fresh, size_t len) {
    struct uffdio_zeropage zero = {.range = {(uintptr_t)fresh, len}, .mode = UFFDIO_ZEROPAGE_MODE_DONTWAKE};
    struct uffdio_writeprotect protect = {.range = {(uintptr_t)fresh, len}, .mode = UFFDIO_WRITEPROTECT_MODE_WP};
    while (ioctl(server.fd, UFFDIO_ZEROPAGE, &zero) != 0) {
        if (errno != EAGAIN) /* somebody's fault_hide() is under way */
            return errno;
        uint64_t done = zero.zeropage > 0 ? (uint64_t)zero.zeropage : 0;
        zero.range.start += done;
        zero.range.len -= done;
        zero.zeropage = 0; /* not every failure sets it */
        sched_yield();
    }
    while (ioctl(server.fd, UFFDIO_WRITEPROTECT, &protect) != 0) {
        if (errno != EAGAIN)
            return errno;
        sched_yield();
    }
    return 0;
}

/*
 * Puts fresh memory over the pages, in one step: missing, or zeros that are protected. It comes from between two pages
 * that nobody may access: side by side with other memory of the server, as a region's, the two would become one
 * mapping, and what is cut out of that joins nothing at addr.
 */
static int replace(void *addr, size_t len, int prot, bool zero) {
    uint8_t *before = mmap(NULL, len + 2 * GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (before == MAP_FAILED)
        return errno;
    uint8_t *fresh = before + GUARD, *behind = fresh + len;
    /* After mlockall(2) what can be accessed is filled when it is mapped; and then nothing is missing. */
    int os = munlock(fresh, len) == 0 ? register_range(fresh, len) : errno;
    if (os == 0 && mprotect(fresh, len, prot) != 0)
        os = errno;
    if (os == 0 && zero)
        os = zero_and_protect(fresh, len);
    if (os == 0 && mremap(fresh, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, addr) == MAP_FAILED)
        os = errno;
    if (os != 0)
        munmap(fresh, len);
    munmap(before, GUARD);
    munmap(behind, GUARD);
    return os;
}

int fault_hide(void *addr, size_t len, int prot) {
    return replace(addr, len, prot, false);
}

int fault_zeros_apart(void *addr, size_t len, int prot) {
    return replace(addr, len, prot, true);
}

int fault_zeros(void *addr, size_t len) {
    size_t most = ZEROS;
    for (size_t done = 0; done < len;) {
        struct uffdio_copy copy = {.dst = (uintptr_t)addr + done,
                                   .src = (uintptr_t)zeros,
                                   .len = len - done < most ? len - done : most,
                                   .mode = UFFDIO_COPY_MODE_WP | UFFDIO_COPY_MODE_DONTWAKE};
        if (ioctl(server.fd, UFFDIO_COPY, &copy) == 0) {
            done += copy.len;
        } else if (errno == EAGAIN) { /* somebody's fault_hide() is under way */
            done += copy.copy > 0 ? (size_t)copy.copy : 0;
            sched_yield();
        } else if (errno == ENOENT && most > NOVA_BLOCK_SIZE) { /* it lies in several mappings */
            most = NOVA_BLOCK_SIZE;
        } else {
            return errno;
        }
    }
    return 0;
}

void fault_wake(void *addr, size_t len) {
    struct uffdio_range range = {(uintptr_t)addr, len};
    (void)ioctl(server.fd, UFFDIO_WAKE, &range);
}
