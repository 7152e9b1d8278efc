/* SPDX-License-Identifier: Apache-2.0 */
/* Pool files: what creation and opening refuse and how, the lock, storage for every block, durability modes. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/handles.h"
#include "image.h"
#include "smaps.h"
#include "store.h"

#define SIZE ((uint64_t)2 << 20)

static const struct nova_pool_options emulated = {.flags = NOVA_OPT_EMULATED};
static char dir[128]; /* of this run's own */
static struct nova_error err;

static int make_dir(void **state) {
    (void)state;
    (void)snprintf(dir, sizeof dir, "%s", store_path("pool-file"));
    return mkdir(dir, 0755);
}

static int remove_dir(void **state) {
    (void)state;
    char cmd[256];
    (void)snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    return system(cmd);
}

static const char *in_dir(const char *name) {
    static char path[4][256];
    static int n;
    char *p = path[n++ % 4];
    (void)snprintf(p, sizeof path[0], "%s/%s", dir, name);
    return p;
}

/* A file of len bytes, the first `n` of them given; sparse. */
static const char *file_of(const char *name, uint64_t len, const void *bytes, size_t n) {
    const char *path = in_dir(name);
    unlink(path);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), n);
    assert_int_equal(ftruncate(fd, (off_t)len), 0);
    close(fd);
    return path;
}

static int create(const char *path, uint64_t size) {
    memset(&err, 0, sizeof err);
    int rc = nova_pool_create(path, size, &emulated, &err);
    assert_int_equal(err.code, rc);
    return rc;
}

static bool kernel_is_at_least(int major, int minor) {
    struct utsname u;
    int v[2] = {0, 0};
    assert_int_equal(uname(&u), 0);
    assert_int_equal(sscanf(u.release, "%d.%d", &v[0], &v[1]), 2);
    return v[0] > major || (v[0] == major && v[1] >= minor);
}

static int try_open(const char *path) {
    nova_pool *pool = (nova_pool *)(uintptr_t)1;
    memset(&err, 0, sizeof err);
    int rc = nova_pool_open(path, &emulated, &pool, &err);
    assert_int_equal(err.code, rc);
    assert_int_equal(pool == NULL, rc != NOVA_OK);
    if (rc == NOVA_OK)
        assert_int_equal(nova_pool_close(pool, &err), NOVA_OK);
    return rc;
}

static bool exists(const char *path) {
    return access(path, F_OK) == 0;
}

static uint64_t stored(const char *path) {
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return (uint64_t)st.st_blocks * 512;
}

/* Runs fn in a child without root's rights; its return value, 0 to 255. */
static int as_nobody(int (*fn)(void)) {
    pid_t pid = fork();
    if (pid == 0) {
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(254);
        _exit(fn());
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* ---- create ---- */

static void creates_a_pool_with_all_its_storage(void **state) {
    (void)state;
    const char *path = in_dir("new");
    assert_int_equal(create(path, SIZE + 4095), NOVA_OK); /* rounded down */
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, SIZE);
    assert_true(stored(path) >= SIZE);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(try_open(path), NOVA_OK);
    assert_int_equal(create(path, SIZE), NOVA_EEXIST);
    assert_int_equal(try_open(path), NOVA_OK); /* untouched */
    unlink(path);
}

static void create_refuses_what_exists(void **state) {
    (void)state;
    assert_int_equal(create(file_of("empty", 0, "", 0), SIZE), NOVA_EEXIST);
    assert_true(exists(in_dir("empty")));
    assert_int_equal(create(dir, SIZE), NOVA_EEXIST);
    assert_int_equal(symlink(in_dir("nowhere"), in_dir("link")), 0);
    assert_int_equal(create(in_dir("link"), SIZE), NOVA_EEXIST);
    assert_false(exists(in_dir("nowhere")));
    unlink(in_dir("link"));
}

static void create_needs_a_folder(void **state) {
    (void)state;
    assert_int_equal(create(in_dir("no/such/folder"), SIZE), NOVA_ENOENT);
    assert_int_equal(create(in_dir("empty/below-a-file"), SIZE), NOVA_ENOENT);
    assert_true(err.os_errno != 0);
}

static void create_checks_its_arguments(void **state) {
    (void)state;
    const char *path = in_dir("never");
    struct nova_pool_options opt = emulated;
    assert_int_equal(create(NULL, SIZE), NOVA_EINVAL);
    assert_int_equal(create("", SIZE), NOVA_EINVAL);
    assert_int_equal(create(path, NOVA_POOL_SIZE_MIN - 1), NOVA_EINVAL);
    assert_int_equal(create(path, (uint64_t)NOVA_POOL_SIZE_MAX + 4096), NOVA_EINVAL);
    assert_int_equal(create(path, 0), NOVA_EINVAL);
    opt.flags = 4;
    assert_int_equal(nova_pool_create(path, SIZE, &opt, &err), NOVA_EINVAL);
    opt = emulated;
    opt.lanes = 65;
    assert_int_equal(nova_pool_create(path, SIZE, &opt, NULL), NOVA_EINVAL);
    opt = emulated;
    opt.recovery_threads = 65;
    assert_int_equal(nova_pool_create(path, SIZE, &opt, &err), NOVA_EINVAL);
    assert_false(exists(path));
    char name[4200];
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = 0;
    assert_int_equal(create(name, SIZE), NOVA_EOS);
    assert_int_equal(err.os_errno, ENAMETOOLONG);
    assert_int_equal(strlen(err.msg), sizeof err.msg - 1); /* cut, and a string */
}

static int create_as_nobody(void) {
    return nova_pool_create(in_dir("forbidden"), SIZE, &emulated, NULL);
}

static void create_without_permission(void **state) {
    (void)state;
    if (geteuid() != 0)
        assert_int_equal(chmod(dir, 0555), 0);
    assert_int_equal(as_nobody(create_as_nobody), NOVA_EACCES);
    chmod(dir, 0755);
    assert_false(exists(in_dir("forbidden")));
}

/* A file system with no room. Answers false where this process may not mount one. */
static bool small_fs(const char *at, const char *options) {
    mkdir(at, 0755);
    return mount("none", at, "tmpfs", 0, options) == 0;
}

static void create_on_a_full_file_system(void **state) {
    (void)state;
    const char *at = in_dir("small");
    char path[300];
    (void)snprintf(path, sizeof path, "%s/pool", at);
    if (!small_fs(at, "size=1536k")) {
        print_message("no permission to mount; skipped\n");
        skip();
    }
    assert_int_equal(create(path, SIZE), NOVA_ENOSPC);
    assert_int_equal(err.os_errno, ENOSPC);
    assert_false(exists(path));
    struct statvfs vfs;
    assert_int_equal(statvfs(at, &vfs), 0);
    assert_int_equal(vfs.f_bfree, vfs.f_blocks); /* nothing is left behind */
    assert_int_equal(create(path, NOVA_POOL_SIZE_MIN), NOVA_OK);
    /* A sparse copy of it has no room beside it: an error now, not a SIGBUS later. */
    char copy[300], cmd[700];
    (void)snprintf(copy, sizeof copy, "%s/copy", at);
    (void)snprintf(cmd, sizeof cmd, "cp --sparse=always %s %s", path, copy);
    assert_int_equal(system(cmd), 0);
    assert_int_equal(try_open(copy), NOVA_ENOSPC);
    unlink(path);
    assert_int_equal(try_open(copy), NOVA_OK);
    assert_true(stored(copy) >= NOVA_POOL_SIZE_MIN);
    umount(at);
    if (small_fs(at, "nr_inodes=1")) { /* not even an empty file */
        assert_int_equal(create(path, SIZE), NOVA_ENOSPC);
        umount(at);
    }
}

static int create_beyond_the_file_size_limit(void) {
    struct rlimit limit = {1 << 20, 1 << 20};
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 253;
    int rc = nova_pool_create(in_dir("limited"), SIZE, &emulated, NULL);
    return exists(in_dir("limited")) ? 252 : rc;
}

static void create_beyond_a_limit(void **state) {
    (void)state;
    pid_t pid = fork();
    if (pid == 0)
        _exit(create_beyond_the_file_size_limit());
    int status;
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), NOVA_ENOSPC);
    assert_int_equal(create(in_dir("absurd"), (uint64_t)NOVA_POOL_SIZE_MAX), NOVA_ENOSPC);
    assert_false(exists(in_dir("absurd")));
}

/* ---- open: what is no pool ---- */

static void open_refuses_what_is_no_pool(void **state) {
    (void)state;
    uint8_t text[5000];
    memset(text, 'x', sizeof text);
    assert_int_equal(try_open(NULL), NOVA_EINVAL);
    assert_int_equal(try_open(""), NOVA_EINVAL);
    assert_int_equal(try_open(in_dir("missing")), NOVA_ENOENT);
    assert_int_equal(try_open(in_dir("no/such/folder")), NOVA_ENOENT);
    assert_int_equal(try_open(dir), NOVA_EISDIR);
    assert_int_equal(try_open(file_of("empty", 0, "", 0)), NOVA_ENOTPOOL);
    assert_int_equal(try_open(file_of("one", 1, "x", 1)), NOVA_ENOTPOOL);
    assert_int_equal(try_open(file_of("text", sizeof text, text, sizeof text)), NOVA_ENOTPOOL);
    assert_int_equal(try_open(file_of("long", SIZE, text, sizeof text)), NOVA_ENOTPOOL);
    assert_int_equal(try_open(file_of("zero", SIZE, "", 0)), NOVA_ENOTPOOL);
    assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
    assert_int_equal(try_open(in_dir("fifo")), NOVA_ENOTPOOL);
    assert_int_equal(try_open("/dev/null"), NOVA_ENOTPOOL);
    assert_int_equal(try_open("/dev/zero"), NOVA_ENOTPOOL);
}

/* Giving storage to the holes of a file that is no pool could fill a disk. */
static void open_leaves_foreign_sparse_files_alone(void **state) {
    (void)state;
    const char *path = file_of("disk-image", (uint64_t)64 << 20,
                               "\x7f"
                               "ELF",
                               4);
    uint64_t before = stored(path);
    assert_int_equal(try_open(path), NOVA_ENOTPOOL);
    assert_int_equal(stored(path), before);
    path = file_of("all-hole", (uint64_t)1 << 40, "", 0);
    assert_int_equal(try_open(path), NOVA_ENOTPOOL);
    assert_int_equal(stored(path), 0);
    unlink(path);
}

static void open_sees_lengths_that_changed(void **state) {
    (void)state;
    const char *path = in_dir("cut");
    static const uint64_t to[] = {2 * SIZE, SIZE + 4096, SIZE + 1, SIZE - 1, SIZE - 4096, SIZE / 2, 500000, 4096, 256};
    assert_int_equal(create(path, SIZE), NOVA_OK);
    for (size_t i = 0; i < sizeof to / sizeof *to; i++) {
        assert_int_equal(truncate(path, (off_t)to[i]), 0);
        assert_int_equal(try_open(path), NOVA_ETRUNCATED);
    }
    assert_int_equal(truncate(path, 100), 0);
    assert_int_equal(try_open(path), NOVA_ENOTPOOL);
    unlink(path);
}

static void open_fills_the_holes_of_a_sparse_copy(void **state) {
    (void)state;
    const char *path = in_dir("full"), *copy = in_dir("sparse");
    assert_int_equal(create(path, SIZE), NOVA_OK);
    struct media m;
    image_map_file(&m, path);
    int fd = open(copy, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    for (uint64_t off = 0; off < SIZE; off += 4096) {
        bool zero = true;
        for (size_t i = 0; i < 4096 && zero; i++)
            zero = m.base[off + i] == 0;
        if (!zero)
            assert_int_equal(pwrite(fd, m.base + off, 4096, (off_t)off), 4096);
    }
    assert_int_equal(ftruncate(fd, (off_t)SIZE), 0);
    close(fd);
    image_unmap_file(&m);
    assert_true(stored(copy) < SIZE);
    assert_int_equal(try_open(copy), NOVA_OK);
    assert_true(stored(copy) >= SIZE);
    unlink(path);
    unlink(copy);
}

static int open_as_nobody(void) {
    nova_pool *pool;
    return nova_pool_open(in_dir("read-only"), &emulated, &pool, NULL);
}

static void open_without_permission(void **state) {
    (void)state;
    assert_int_equal(create(in_dir("read-only"), SIZE), NOVA_OK);
    assert_int_equal(chmod(in_dir("read-only"), 0444), 0);
    assert_int_equal(as_nobody(open_as_nobody), NOVA_EACCES);
    assert_int_equal(chmod(in_dir("read-only"), 0000), 0);
    assert_int_equal(as_nobody(open_as_nobody), NOVA_EACCES);
    unlink(in_dir("read-only"));
}

static void open_on_a_read_only_file_system(void **state) {
    (void)state;
    const char *at = in_dir("ro");
    char path[300];
    (void)snprintf(path, sizeof path, "%s/pool", at);
    if (!small_fs(at, "size=4m")) {
        print_message("no permission to mount; skipped\n");
        skip();
    }
    assert_int_equal(create(path, SIZE), NOVA_OK);
    assert_int_equal(mount("none", at, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), 0);
    assert_int_equal(try_open(path), NOVA_EACCES);
    (void)snprintf(path, sizeof path, "%s/other", at);
    assert_int_equal(create(path, SIZE), NOVA_EACCES);
    umount(at);
}

/* ---- mapping ahead ---- */

/* Whether the kernel makes huge pages of a file on tmpfs for who asks. */
static bool has_huge_pages(uint64_t size) {
    const char *path = in_dir("huge");
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(posix_fallocate(fd, 0, (off_t)size), 0);
    const uint64_t huge = (uint64_t)2 << 20; /* what their addresses are multiples of */
    uint8_t *room = mmap(NULL, size + huge, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(room, MAP_FAILED);
    uint8_t *p = room + (huge - (uintptr_t)room % huge) % huge;
    assert_ptr_equal(mmap(p, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0), p);
    memset(p, 1, size);
    bool has = madvise(p, size, POOL_FILE_COLLAPSE) == 0 && smaps_kib(p, size, "ShmemPmdMapped") != 0;
    munmap(room, size + huge);
    close(fd);
    unlink(path);
    return has;
}

/* So many page faults that stores to every page of a pool meet; those of a sanitizer's own memory do not count. */
__attribute__((no_sanitize("address", "thread"))) static long faults_of(nova_pool *pool) {
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    for (uint64_t at = 0; at < pool->file.len; at += NOVA_BLOCK_SIZE) {
        volatile uint8_t *p = pool->file.base + at;
        *p = *p;
    }
    getrusage(RUSAGE_SELF, &after);
    return after.ru_minflt - before.ru_minflt;
}

static void a_pool_can_be_mapped_ahead(void **state) {
    (void)state;
    const uint64_t size = (uint64_t)16 << 20;
    const long pages = (long)(size / NOVA_BLOCK_SIZE);
    const struct nova_pool_options ahead = {.flags = NOVA_OPT_EMULATED | NOVA_OPT_PREFAULT};
    const char *path = in_dir("ahead");
    nova_pool *pool;
    bool before = has_huge_pages(size);
    assert_int_equal(create(path, size), NOVA_OK);
    assert_int_equal(nova_pool_open(path, &ahead, &pool, &err), NOVA_OK);
    uint64_t huge = smaps_kib(pool->file.base, pool->file.len, "ShmemPmdMapped");
    if (before && has_huge_pages(size))
        assert_true(huge >= 2048);
    if (kernel_is_at_least(5, 14))
        assert_true(faults_of(pool) <= pages / 32);
    assert_int_equal(nova_pool_close(pool, &err), NOVA_OK);
    unlink(path);
}

/* ---- the lock ---- */

static void one_process_at_a_time(void **state) {
    (void)state;
    const char *path = in_dir("locked"), *other = in_dir("locked-link");
    nova_pool *pool;
    assert_int_equal(create(path, SIZE), NOVA_OK);
    assert_int_equal(nova_pool_open(path, &emulated, &pool, &err), NOVA_OK);
    assert_int_equal(try_open(path), NOVA_EBUSY); /* the same process */
    assert_int_equal(link(path, other), 0);
    assert_int_equal(try_open(other), NOVA_EBUSY); /* by another name */
    pid_t pid = fork();
    if (pid == 0) {
        nova_pool *mine;
        _exit(nova_pool_open(path, &emulated, &mine, NULL));
    }
    int status;
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), NOVA_EBUSY);
    assert_int_equal(nova_pool_close(pool, &err), NOVA_OK);
    assert_int_equal(try_open(path), NOVA_OK);
    unlink(path);
    unlink(other);
}

/* A failed second open must not take the lock of the first one away. */
static void a_refused_open_leaves_the_lock(void **state) {
    (void)state;
    const char *path = in_dir("locked");
    nova_pool *pool;
    assert_int_equal(create(path, SIZE), NOVA_OK);
    assert_int_equal(nova_pool_open(path, &emulated, &pool, &err), NOVA_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(try_open(path), NOVA_EBUSY);
    assert_int_equal(create(path, SIZE), NOVA_EEXIST);
    assert_int_equal(try_open(path), NOVA_EBUSY);
    assert_int_equal(nova_pool_close(pool, &err), NOVA_OK);
    unlink(path);
}

static void the_lock_dies_with_its_holder(void **state) {
    (void)state;
    const char *path = in_dir("killed");
    int ready[2];
    char c;
    assert_int_equal(create(path, SIZE), NOVA_OK);
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        nova_pool *pool;
        c = (char)nova_pool_open(path, &emulated, &pool, NULL);
        if (write(ready[1], &c, 1) == 1)
            pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    assert_int_equal(c, NOVA_OK);
    assert_int_equal(try_open(path), NOVA_EBUSY);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    nova_pool *pool;
    assert_int_equal(nova_pool_open(path, &emulated, &pool, &err), NOVA_OK);
    struct nova_pool_info info;
    nova_pool_info(pool, &info);
    assert_int_equal(info.recovered, 1);
    assert_int_equal(nova_pool_close(pool, &err), NOVA_OK);
    close(ready[0]);
    close(ready[1]);
    unlink(path);
}

/* A child forked while a pool is open inherits the descriptor; closing the pool must unlock it all the same. */
static void children_do_not_keep_the_lock(void **state) {
    (void)state;
    const char *path = in_dir("inherited");
    nova_pool *pool;
    assert_int_equal(create(path, SIZE), NOVA_OK);
    assert_int_equal(nova_pool_open(path, &emulated, &pool, &err), NOVA_OK);
    pid_t pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    assert_int_equal(nova_pool_close(pool, &err), NOVA_OK);
    int rc = try_open(path);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_int_equal(rc, NOVA_OK);
    unlink(path);
}

/* ---- durability modes ---- */

static uint32_t durability(const char *path, const struct nova_pool_options *opt) {
    nova_pool *pool;
    struct nova_pool_info info;
    assert_int_equal(nova_pool_open(path, opt, &pool, &err), NOVA_OK);
    nova_pool_info(pool, &info);
    assert_int_equal(nova_pool_close(pool, &err), NOVA_OK);
    return info.durability;
}

/* Of a pool on a disk if there is one to write to. */
static void modes_are_reported(void **state) {
    (void)state;
    char path[128];
    (void)snprintf(path, sizeof path, "/var/tmp/jnova-test-%d-disk", (int)getpid());
    unlink(path);
    assert_int_equal(create(path, SIZE), NOVA_OK);
    assert_int_equal(durability(path, &emulated), NOVA_DURABLE_EMULATED);
    assert_int_equal(durability(path, NULL), NOVA_DURABLE_MSYNC);
    /* libpmem believes this one; we do not report it as persistent memory */
    assert_int_equal(setenv("PMEM_IS_PMEM_FORCE", "0", 1), 0);
    assert_int_equal(durability(path, NULL), NOVA_DURABLE_MSYNC);
    unsetenv("PMEM_IS_PMEM_FORCE");
    unlink(path);
    assert_int_equal(nova_pool_create(path, SIZE, NULL, &err), NOVA_OK); /* formatted by msync */
    assert_int_equal(durability(path, NULL), NOVA_DURABLE_MSYNC);
    unlink(path);
}

static void msync_mode_really_writes(void **state) {
    (void)state;
    char path[128], copy[128];
    uint8_t bytes[10000], back[10000];
    (void)snprintf(path, sizeof path, "/var/tmp/jnova-test-%d-disk", (int)getpid());
    (void)snprintf(copy, sizeof copy, "/var/tmp/jnova-test-%d-copy", (int)getpid());
    unlink(path);
    assert_int_equal(nova_pool_create(path, SIZE, NULL, &err), NOVA_OK);
    struct store s;
    struct store_file f;
    assert_int_equal(store_open(&s, path, 0), NOVA_OK);
    assert_int_equal(store_file_open(&s, "file", true, &f), NOVA_OK);
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    for (uint64_t off = 0; off < sizeof bytes; off += 1000)
        assert_int_equal(store_write(&f, off, bytes + off, 1000), NOVA_OK);
    assert_int_equal(store_write(&f, 3000, bytes, 5000), NOVA_OK);
    memmove(bytes + 3000, bytes, 5000);
    assert_int_equal(store_truncate(&f, 9999), NOVA_OK);
    store_copy_file(path, copy);
    assert_int_equal(store_file_close(&f), NOVA_OK);
    assert_int_equal(store_close(&s), NOVA_OK);
    for (int i = 0; i < 2; i++) { /* the crash image, then what was closed */
        assert_int_equal(store_open(&s, i == 0 ? copy : path, 0), NOVA_OK);
        assert_int_equal(store_file_open(&s, "file", false, &f), NOVA_OK);
        assert_int_equal(f.size, 9999);
        assert_int_equal(store_read(&f, 0, back, sizeof back), 9999);
        assert_memory_equal(back, bytes, 9999);
        assert_int_equal(store_file_close(&f), NOVA_OK);
        assert_int_equal(store_close(&s), NOVA_OK);
    }
    unlink(path);
    unlink(copy);
}

/* msync refuses a range that is not mapped: the first errno stays, and every drain from then on says it. */
static void a_refused_msync_is_remembered(void **state) {
    (void)state;
    struct pmem_ops ops;
    int failed = 0;
    static uint8_t word[64] __attribute__((aligned(64)));
    pmem_ops_msync_init(&ops, &failed);
    uint8_t *hole = (uint8_t *)(uintptr_t)0x10000;
    assert_int_equal(ops.drain(&ops), 0);
    ops.flush(&ops, hole, 64);
    int os = ops.drain(&ops);
    assert_int_not_equal(os, 0);
    assert_int_equal(ops.drain(&ops), os);
    ops.store8(&ops, word, 5);
    assert_int_equal(word[0], 5);
    assert_int_equal(ops.drain(&ops), os);
}

/* ---- operations on memory ---- */

static void copies_and_zeros_of_any_size(void **state) {
    (void)state;
    struct pmem_ops sync;
    int failed = 0;
    pmem_ops_msync_init(&sync, &failed);
    const struct pmem_ops *ops[] = {&pmem_ops_cpu, &sync};
    static uint8_t dst[40000], src[40000];
    for (size_t i = 0; i < sizeof src; i++)
        src[i] = (uint8_t)(1 + i % 255);
    static const size_t sizes[] = {0, 1, 7, 8, 63, 64, 65, 255, 256, 257, 4095, 4096, 4097, 20000};
    for (size_t o = 0; o < 2; o++)
        for (size_t at = 0; at < 70; at++)
            for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
                size_t n = sizes[k];
                memset(dst, 0, sizeof dst);
                ops[o]->copy(ops[o], dst + at, src + 3, n);
                (void)ops[o]->drain(ops[o]);
                assert_memory_equal(dst + at, src + 3, n);
                assert_int_equal(dst[at + n], 0);
                assert_true(at == 0 || dst[at - 1] == 0);
                memset(dst, 0xff, sizeof dst);
                ops[o]->zero(ops[o], dst + at, n);
                for (size_t i = 0; i < n; i++)
                    assert_int_equal(dst[at + i], 0);
                assert_int_equal(dst[at + n], 0xff);
            }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creates_a_pool_with_all_its_storage),
        cmocka_unit_test(create_refuses_what_exists),
        cmocka_unit_test(create_needs_a_folder),
        cmocka_unit_test(create_checks_its_arguments),
        cmocka_unit_test(create_without_permission),
        cmocka_unit_test(create_on_a_full_file_system),
        cmocka_unit_test(create_beyond_a_limit),
        cmocka_unit_test(open_refuses_what_is_no_pool),
        cmocka_unit_test(open_leaves_foreign_sparse_files_alone),
        cmocka_unit_test(open_sees_lengths_that_changed),
        cmocka_unit_test(open_fills_the_holes_of_a_sparse_copy),
        cmocka_unit_test(open_without_permission),
        cmocka_unit_test(open_on_a_read_only_file_system),
        cmocka_unit_test(a_pool_can_be_mapped_ahead),
        cmocka_unit_test(one_process_at_a_time),
        cmocka_unit_test(a_refused_open_leaves_the_lock),
        cmocka_unit_test(the_lock_dies_with_its_holder),
        cmocka_unit_test(children_do_not_keep_the_lock),
        cmocka_unit_test(modes_are_reported),
        cmocka_unit_test(msync_mode_really_writes),
        cmocka_unit_test(a_refused_msync_is_remembered),
        cmocka_unit_test(copies_and_zeros_of_any_size),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
