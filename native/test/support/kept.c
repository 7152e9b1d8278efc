/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mappings of pool files that are kept when they are given back, and given out when the same file is mapped again: in
 * programs that are linked with --wrap of the functions below (CMakeLists.txt). The explorer opens pools of a MiB
 * several hundred thousand times, and on a virtual machine most of that time would be mmap, munmap and page faults.
 */
#include <libpmem.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEPT_MAX 12u

enum kind {
    POOL,     /* by libpmem */
    READER,   /* of store_open_with(): for loads */
    SNAPSHOT, /* of pool_file_inspect(): what a file is like now, in memory of our own */
};

void *__real_pmem_map_file(const char *path, size_t len, int flags, mode_t mode, size_t *mapped, int *is_pmem);
int __real_pmem_unmap(void *addr, size_t len);
void *__real_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off);
int __real_munmap(void *addr, size_t len);
void *__wrap_pmem_map_file(const char *path, size_t len, int flags, mode_t mode, size_t *mapped, int *is_pmem);
int __wrap_pmem_unmap(void *addr, size_t len);
void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off);
int __wrap_munmap(void *addr, size_t len);

struct kept {
    void *addr; /* NULL: none */
    size_t len;
    enum kind kind;
    dev_t dev; /* of the file: nobody else gets its number while it is mapped */
    ino_t ino;
    int is_pmem;
    uint32_t users;
    uint64_t used; /* when it was given out last */
};

static struct {
    pthread_mutex_t lock; /* recursive: a static libpmem calls munmap() */
    struct kept kept[KEPT_MAX];
    uint64_t clock;
} table = {.lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP};

static void unmap(const struct kept *k) {
    if (k->kind == POOL)
        __real_pmem_unmap(k->addr, k->len);
    else
        __real_munmap(k->addr, k->len);
}

static struct kept *find_locked(enum kind kind, const struct stat *st) {
    for (uint32_t i = 0; i < KEPT_MAX; i++) {
        struct kept *k = &table.kept[i];
        if (k->addr != NULL && k->kind == kind && k->len == (size_t)st->st_size &&
            (kind == SNAPSHOT ? k->users == 0 : k->dev == st->st_dev && k->ino == st->st_ino))
            return k;
    }
    return NULL;
}

/* Takes the place of the one that nobody has used for the longest time; NULL: all are in use. */
static struct kept *add_locked(const struct kept *fresh) {
    struct kept *place = NULL;
    for (uint32_t i = 0; i < KEPT_MAX; i++) {
        struct kept *k = &table.kept[i];
        if (k->users == 0 && (place == NULL || k->used < place->used))
            place = k;
    }
    if (place == NULL)
        return NULL;
    if (place->addr != NULL)
        unmap(place);
    *place = *fresh;
    return place;
}

static void *use_locked(struct kept *k) {
    k->users++;
    k->used = ++table.clock;
    return k->addr;
}

/* Whether addr is one of them. */
static bool give_back(const void *addr, size_t len) {
    bool found = false;
    pthread_mutex_lock(&table.lock);
    for (uint32_t i = 0; i < KEPT_MAX && !found; i++) {
        struct kept *k = &table.kept[i];
        found = k->addr == addr && k->len == len && k->users != 0;
        if (found)
            k->users--;
    }
    pthread_mutex_unlock(&table.lock);
    return found;
}

/* ---- pools ---- */

void *__wrap_pmem_map_file(const char *path, size_t len, int flags, mode_t mode, size_t *mapped, int *is_pmem) {
    struct stat st;
    if (stat(path, &st) != 0)
        return __real_pmem_map_file(path, len, flags, mode, mapped, is_pmem);
    pthread_mutex_lock(&table.lock);
    struct kept *k = find_locked(POOL, &st);
    void *addr = NULL;
    if (k == NULL) {
        addr = __real_pmem_map_file(path, len, flags, mode, mapped, is_pmem);
        if (addr != NULL)
            k = add_locked(&(struct kept){addr, *mapped, POOL, st.st_dev, st.st_ino, *is_pmem, 0, 0});
    }
    if (k != NULL) {
        addr = use_locked(k);
        *mapped = k->len;
        *is_pmem = k->is_pmem;
    }
    pthread_mutex_unlock(&table.lock);
    return addr;
}

int __wrap_pmem_unmap(void *addr, size_t len) {
    return give_back(addr, len) ? 0 : __real_pmem_unmap(addr, len);
}

/* ---- readers and snapshots ---- */

static bool read_all(int fd, uint8_t *to, size_t len) {
    for (size_t at = 0; at < len;) {
        ssize_t n = pread(fd, to + at, len - at, (off_t)at);
        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

static struct kept *map_locked(enum kind kind, const struct stat *st, int fd) {
    struct kept *k = find_locked(kind, st);
    if (k == NULL) {
        size_t len = (size_t)st->st_size;
        void *addr = kind == READER
                         ? __real_mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0)
                         : __real_mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (addr == MAP_FAILED)
            return NULL;
        k = add_locked(&(struct kept){addr, len, kind, st->st_dev, st->st_ino, 0, 0, 0});
        if (k == NULL)
            __real_munmap(addr, len);
    }
    return kind == READER || k == NULL || read_all(fd, k->addr, k->len) ? k : NULL;
}

void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off) {
    bool reader = prot == PROT_READ && flags == MAP_SHARED;
    struct stat st;
    if (addr != NULL || fd < 0 || off != 0 || (!reader && flags != (MAP_PRIVATE | MAP_NORESERVE)) ||
        fstat(fd, &st) != 0 || (size_t)st.st_size != len)
        return __real_mmap(addr, len, prot, flags, fd, off);
    pthread_mutex_lock(&table.lock);
    struct kept *k = map_locked(reader ? READER : SNAPSHOT, &st, fd);
    void *to = k != NULL ? use_locked(k) : NULL;
    pthread_mutex_unlock(&table.lock);
    return to != NULL ? to : __real_mmap(addr, len, prot, flags, fd, off);
}

int __wrap_munmap(void *addr, size_t len) {
    return give_back(addr, len) ? 0 : __real_munmap(addr, len);
}
