/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <libpmem.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "pmem/pool_file.h"
#include "pmem/pool_lock.h"
#include "util/error.h"

#define BLK ((uint64_t)NOVA_BLOCK_SIZE)

void (*pool_mapped_hook)(struct pool_file *file);

static int fail_open(struct nova_error *err, int os_errno, const char *path) {
    switch (os_errno) {
    case ENOENT:
    case ENOTDIR: return nova_fail_os(err, NOVA_ENOENT, os_errno, "cannot open pool %s", path);
    case EACCES:
    case EPERM:
    case EROFS: return nova_fail_os(err, NOVA_EACCES, os_errno, "cannot open pool %s", path);
    case EEXIST: return nova_fail(err, NOVA_EEXIST, "%s exists already; remove it first, or open it", path);
    case ENOSPC:
    case EDQUOT: return nova_fail_os(err, NOVA_ENOSPC, os_errno, "no room for pool %s on its file system", path);
    case EISDIR: return nova_fail(err, NOVA_EISDIR, "%s is a directory; a pool is a regular file", path);
    default: return nova_fail_os(err, NOVA_EOS, os_errno, "cannot open pool %s", path);
    }
}

/* Every block of the file gets storage now, so that no store into the mapping can fail with SIGBUS later. */
static int allocate(int fd, uint64_t size, const char *path, struct nova_error *err) {
    struct rlimit limit;
    int rc;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < size)
        return nova_fail_os(err, NOVA_ENOSPC, EFBIG, "the process may not write files of %llu bytes (RLIMIT_FSIZE)",
                            (unsigned long long)size); /* before the kernel sends SIGXFSZ */
    do {
        rc = posix_fallocate(fd, 0, (off_t)size);
    } while (rc == EINTR);
    if (rc == 0)
        return NOVA_OK;
    if (rc == ENOSPC || rc == EDQUOT || rc == EFBIG)
        return nova_fail_os(err, NOVA_ENOSPC, rc, "no room for the %llu bytes of pool %s on its file system",
                            (unsigned long long)size, path);
    return nova_fail_os(err, NOVA_EOS, rc, "cannot allocate the %llu bytes of pool %s", (unsigned long long)size, path);
}

/* A file system in volatile memory: msync persists nothing there, and to say otherwise would be a lie. */
static bool is_volatile(int fd) {
    struct statfs fs;
    return fstatfs(fd, &fs) == 0 && (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

static bool env_is_one(const char *name) {
    const char *val = getenv(name);
    return val != NULL && strcmp(val, "1") == 0;
}

static int map(struct pool_file *pf, int fd, const char *path, uint64_t size, bool emulated, struct nova_error *err) {
    size_t len = 0;
    int is_pmem = 0;
    char self[32]; /* the very file that is locked, whatever path names by now */
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    void *addr = pmem_map_file(access(self, F_OK) == 0 ? self : path, 0, 0, 0, &len, &is_pmem);
    if (addr == NULL)
        return nova_fail_os(err, NOVA_EOS, errno, "cannot map pool %s", path);
    if (len != size) {
        pmem_unmap(addr, len);
        return nova_fail(err, NOVA_EBUSY, "pool %s changed its size while it was being opened", path);
    }
    /* An answer forced on libpmem, or flushes switched off, are no evidence of persistence: report it as what it is. */
    bool forced = env_is_one("PMEM_IS_PMEM_FORCE") || env_is_one("PMEM_NO_FLUSH");
    if (forced && !emulated)
        is_pmem = 0;
    pf->base = addr;
    pf->len = len;
    pf->msync_errno = 0;
    pf->map_flags = MAP_SHARED;
    if (is_pmem || emulated || is_volatile(fd)) {
        pf->durability = is_pmem && !forced ? NOVA_DURABLE_PMEM : NOVA_DURABLE_EMULATED;
        if (pf->durability == NOVA_DURABLE_PMEM)
            pf->map_flags = MAP_SHARED_VALIDATE | MAP_SYNC;
        pf->ops = pmem_ops_cpu;
    } else {
        pf->durability = NOVA_DURABLE_MSYNC;
        pmem_ops_msync_init(&pf->ops, &pf->msync_errno);
    }
    return NOVA_OK;
}

int pool_file_create(struct pool_file *pf, const char *path, uint64_t size, bool emulated, struct nova_error *err) {
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail_open(err, errno, path);
    int rc = pool_lock_take(&fd, path, err);
    if (rc == NOVA_OK)
        rc = allocate(fd, size, path, err);
    if (rc == NOVA_OK)
        rc = map(pf, fd, path, size, emulated, err);
    if (rc != NOVA_OK) {
        unlink(path);
        pool_lock_give_back(fd);
        return rc;
    }
    pf->fd = fd;
    if (pool_mapped_hook != NULL)
        pool_mapped_hook(pf);
    return NOVA_OK;
}

/* Opens path if it is a regular file of at least one byte. */
static int open_regular(const char *path, int flags, int *fd_out, struct stat *st, struct nova_error *err) {
    int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return fail_open(err, errno, path);
    int rc = NOVA_OK;
    if (fstat(fd, st) != 0)
        rc = nova_fail_os(err, NOVA_EOS, errno, "cannot examine pool %s", path);
    else if (S_ISDIR(st->st_mode))
        rc = fail_open(err, EISDIR, path);
    else if (!S_ISREG(st->st_mode) || st->st_size == 0)
        rc = nova_fail(err, NOVA_ENOTPOOL, "%s is not a pool: %s", path,
                       S_ISREG(st->st_mode) ? "the file is empty" : "not a regular file");
    if (rc != NOVA_OK) {
        close(fd);
        return rc;
    }
    *fd_out = fd;
    return NOVA_OK;
}

/* By read(2): a load from the mapping of a hole takes space on tmpfs, and is a SIGBUS if there is none. */
static int probe_file(int fd, uint64_t len, pool_file_probe *probe, uint64_t *keep, const char *path,
                      struct nova_error *err) {
    uint8_t first[POOL_FILE_PROBE] = {0}, last[POOL_FILE_PROBE] = {0};
    if (pread(fd, first, sizeof first, 0) < 0 ||
        (len >= BLK && pread(fd, last, sizeof last, (off_t)((len / BLK - 1) * BLK)) < 0))
        return nova_fail_os(err, NOVA_EOS, errno, "cannot read pool %s", path);
    return probe(first, last, len, keep, err);
}

/* The new length is durable before anything is stored that goes by it. */
static int cut(int fd, uint64_t size, const char *path, struct nova_error *err) {
    if (ftruncate(fd, (off_t)size) != 0 || fsync(fd) != 0)
        return nova_fail_os(err, NOVA_EOS, errno, "cannot cut pool %s to its %llu bytes", path,
                            (unsigned long long)size);
    return NOVA_OK;
}

int pool_file_open(struct pool_file *pf, const char *path, bool emulated, pool_file_probe *probe,
                   struct nova_error *err) {
    int fd;
    struct stat st;
    int rc = open_regular(path, O_RDWR, &fd, &st, err);
    if (rc != NOVA_OK)
        return rc;
    rc = pool_lock_take(&fd, path, err);
    uint64_t keep = (uint64_t)st.st_size;
    if (rc == NOVA_OK)
        rc = probe_file(fd, (uint64_t)st.st_size, probe, &keep, path, err);
    if (rc == NOVA_OK && keep < (uint64_t)st.st_size)
        rc = cut(fd, keep, path, err);
    if (rc == NOVA_OK && fstat(fd, &st) != 0)
        rc = nova_fail_os(err, NOVA_EOS, errno, "cannot examine pool %s", path);
    /* A copy of a pool may have come out sparse. */
    if (rc == NOVA_OK && (uint64_t)st.st_blocks * 512 < (uint64_t)st.st_size)
        rc = allocate(fd, (uint64_t)st.st_size, path, err);
    if (rc == NOVA_OK)
        rc = map(pf, fd, path, (uint64_t)st.st_size, emulated, err);
    if (rc != NOVA_OK) {
        pool_lock_give_back(fd);
        return rc;
    }
    pf->fd = fd;
    if (pool_mapped_hook != NULL)
        pool_mapped_hook(pf);
    return NOVA_OK;
}

/* Of madvise(), as MADV_*; the headers may be older than the kernel, which refuses what it does not know. */
enum { POPULATE_READ = 22, POPULATE_WRITE = 23 };

void pool_file_prefault(const struct pool_file *pf) {
    /* First in huge pages: on tmpfs, who asks is given them, if they are not denied to all. Of a new file it takes no
     * longer. Where there are none it does nothing; a DAX mapping has them by itself. */
    if (pf->durability == NOVA_DURABLE_EMULATED)
        (void)madvise(pf->base, pf->len, POOL_FILE_COLLAPSE);
    /* Pages of the page cache that are mapped for writing would all be written back. */
    (void)madvise(pf->base, pf->len, pf->durability == NOVA_DURABLE_MSYNC ? POPULATE_READ : POPULATE_WRITE);
}

int pool_file_sync_length(const struct pool_file *pf, const char *path, struct nova_error *err) {
    if (fsync(pf->fd) != 0)
        return nova_fail_os(err, NOVA_EOS, errno, "cannot make the file of pool %s durable", path);
    return NOVA_OK;
}

int pool_file_extend(struct pool_file *pf, const char *path, uint64_t size, bool emulated, struct nova_error *err) {
    uint8_t *base = pf->base;
    uint64_t len = pf->len;
    int rc = allocate(pf->fd, size, path, err);
    if (rc == NOVA_OK)
        rc = pool_file_sync_length(pf, path, err);
    if (rc == NOVA_OK)
        rc = map(pf, pf->fd, path, size, emulated, err);
    if (rc != NOVA_OK) {
        (void)cut(pf->fd, len, path, NULL); /* if even that fails, the next open does it */
        return rc;
    }
    pmem_unmap(base, len);
    if (pool_mapped_hook != NULL)
        pool_mapped_hook(pf);
    return NOVA_OK;
}

/* The content of a file with holes in memory of our own: loads from a mapped hole take space on tmpfs, see above. */
static void *read_sparse(int fd, uint64_t size) {
    uint8_t *addr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    off_t data = 0, hole;
    while (addr != MAP_FAILED && (data = lseek(fd, data, SEEK_DATA)) >= 0 && (hole = lseek(fd, data, SEEK_HOLE)) >= 0) {
        ssize_t n = pread(fd, addr + data, (size_t)(hole - data), data);
        if (n <= 0) {
            munmap(addr, size);
            return MAP_FAILED;
        }
        data += n;
    }
    return addr;
}

int pool_file_inspect(struct pool_file *pf, const char *path, struct nova_error *err) {
    int fd;
    struct stat st;
    int rc = open_regular(path, O_RDONLY, &fd, &st, err);
    if (rc != NOVA_OK)
        return rc;
    rc = pool_lock_take_shared(&fd, path, err);
    if (rc == NOVA_OK) {
        uint64_t size = (uint64_t)st.st_size;
        void *addr = (uint64_t)st.st_blocks * 512 < size
                         ? read_sparse(fd, size)
                         : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
        if (addr == MAP_FAILED)
            rc = nova_fail_os(err, NOVA_EOS, errno, "cannot map pool %s", path);
        else
            *pf = (struct pool_file){.base = addr, .len = (uint64_t)st.st_size, .fd = fd, .ops = pmem_ops_cpu};
    }
    if (rc != NOVA_OK)
        pool_lock_give_back(fd);
    return rc;
}

int pool_file_sync(const struct pool_file *pf, const char *path, struct nova_error *err) {
    char *dir = strdup(path);
    if (dir == NULL)
        return nova_fail(err, NOVA_ENOMEM, "no memory for a path");
    char *slash = strrchr(dir, '/');
    if (slash != NULL)
        slash[slash == dir] = '\0'; /* keeps the slash of "/" */
    int dir_fd = open(slash == NULL ? "." : dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(dir);
    int rc = NOVA_OK;
    if (fsync(pf->fd) != 0 || dir_fd < 0 || fsync(dir_fd) != 0)
        rc = nova_fail_os(err, NOVA_EOS, errno, "cannot make the file of pool %s durable", path);
    if (dir_fd >= 0)
        close(dir_fd);
    return rc;
}

void pool_file_close(struct pool_file *pf) {
    pmem_unmap(pf->base, pf->len);
    pool_lock_give_back(pf->fd);
    pf->base = NULL;
    pf->fd = -1;
}
