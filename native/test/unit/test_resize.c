/* SPDX-License-Identifier: Apache-2.0 */
/* nova_pool_resize(): what it keeps, what it gives, what it refuses, and what it leaves when the system refuses. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/handles.h"
#include "image.h"
#include "rng.h"
#include "store.h"

#define MIB ((uint64_t)1 << 20)
#define BLK ((uint64_t)NOVA_BLOCK_SIZE)

static const struct nova_pool_options emulated = {.flags = NOVA_OPT_EMULATED};
static char path[256];
static struct nova_error err;
static struct store s;

static int resize(uint64_t size) {
    int rc = nova_pool_resize(path, size, &emulated, &err);
    if (rc != NOVA_OK)
        assert_int_equal(rc, err.code);
    return rc;
}

static void make_pool(uint64_t size) {
    (void)snprintf(path, sizeof path, "%s", store_path("resize"));
    assert_int_equal(nova_pool_create(path, size, &emulated, &err), NOVA_OK);
}

static uint64_t length(void) {
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return (uint64_t)st.st_size;
}

static void open_store(void) {
    assert_int_equal(store_open(&s, path, NOVA_OPT_EMULATED), NOVA_OK);
}

static struct nova_pool_info info(void) {
    struct nova_pool_info i;
    assert_int_equal(nova_pool_info(s.pool, &i), NOVA_OK);
    return i;
}

static void write_file(const char *name, uint64_t len, uint8_t fill) {
    struct store_file f;
    uint8_t *bytes = malloc(len);
    assert_non_null(bytes);
    memset(bytes, fill, len);
    assert_int_equal(store_file_open(&s, name, true, &f), NOVA_OK);
    assert_int_equal(store_write(&f, 0, bytes, len), NOVA_OK);
    assert_int_equal(store_file_close(&f), NOVA_OK);
    free(bytes);
}

static void expect_file(const char *name, uint64_t len, uint8_t fill) {
    struct store_file f;
    uint8_t *bytes = malloc(len);
    assert_non_null(bytes);
    assert_int_equal(store_file_open(&s, name, false, &f), NOVA_OK);
    assert_int_equal(f.size, len);
    store_read(&f, 0, bytes, len);
    for (uint64_t i = 0; i < len; i++)
        assert_int_equal(bytes[i], fill);
    assert_int_equal(store_file_close(&f), NOVA_OK);
    free(bytes);
}

/* fsck finds nothing; clean: the pool was closed in order. */
static void expect_sound(uint32_t clean) {
    assert_int_equal(image_no_findings(path).clean, clean);
}

/* The superblock there, changed by `change`, in both places. */
static void change_superblocks(void (*change)(struct fmt_sb *sb)) {
    const uint64_t at[] = {0, length() - BLK};
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    for (int i = 0; i < 2; i++) {
        struct fmt_sb sb;
        assert_int_equal(fseek(f, (long)at[i], SEEK_SET), 0);
        assert_int_equal(fread(&sb, sizeof sb, 1, f), 1);
        change(&sb);
        fmt_sb_seal(&sb);
        assert_int_equal(fseek(f, (long)at[i], SEEK_SET), 0);
        assert_int_equal(fwrite(&sb, sizeof sb, 1, f), 1);
    }
    assert_int_equal(fclose(f), 0);
}

static void cut_short(struct fmt_sb *sb) {
    *sb = fmt_sb_growing(sb, sb->size + 100 * BLK);
}

/* ---- what it keeps and gives ---- */

static void files_stay_and_space_comes(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    for (int round = 0; round < 20; round++) {
        uint64_t size = MIB + rng_below(&r, 4 * MIB) / BLK * BLK;
        make_pool(size);
        open_store();
        write_file("a", 300000, 7);
        assert_int_equal(store_mkdir(&s, "d", 0755), NOVA_OK);
        write_file("d/b", 5000, 9);
        struct nova_pool_info before = info();
        bool crashed = rng_below(&r, 2);
        s.pool->leaked = crashed; /* what makes close save nothing */
        assert_int_equal(store_close(&s), NOVA_OK);
        uint64_t more = size + BLK + rng_below(&r, (uint32_t)(7 * size)) / BLK * BLK;
        assert_int_equal(resize(more + rng_below(&r, BLK)), NOVA_OK);
        assert_int_equal(length(), more);
        expect_sound(1);
        open_store();
        struct nova_pool_info after = info();
        assert_int_equal(after.recovered, 0);
        assert_int_equal(after.size, more);
        assert_int_equal(after.blocks - before.blocks, (more - size) / BLK);
        assert_int_equal(after.blocks_free - before.blocks_free, (more - size) / BLK);
        assert_int_equal(after.blocks_data - before.blocks_data, (more - size) / BLK);
        assert_int_equal(after.inodes_used, before.inodes_used);
        assert_int_equal(after.size_max, before.size_max);
        assert_true(after.inodes_max >= after.blocks - 1 && before.inodes_max >= before.blocks - 1);
        assert_memory_equal(after.uuid, before.uuid, sizeof after.uuid);
        expect_file("a", 300000, 7);
        expect_file("d/b", 5000, 9);
        write_file("c", (after.blocks_free - after.blocks_reserve - 4) * BLK, 3); /* all that there is */
        expect_file("c", (after.blocks_free - after.blocks_reserve - 4) * BLK, 3);
        assert_int_equal(store_close(&s), NOVA_OK);
        expect_sound(1);
        unlink(path);
    }
}

/* So many that the table needs pointers which did not count before. What damage left there is gone. */
static void more_inodes(void **state) {
    (void)state;
    make_pool(24 * MIB);
    open_store();
    struct media m = s.pool->media;
    assert_int_equal(m.itable_count, 1);
    assert_true(m.sb.itable_count > 4);
    assert_int_equal(info().inodes_max, 8191);
    assert_int_equal(store_close(&s), NOVA_OK);
    FILE *f = fopen(path, "r+b");
    assert_true(f != NULL && fseek(f, (long)(m.itable_blk + 2) * NOVA_BLOCK_SIZE + 77, SEEK_SET) == 0);
    assert_true(fputc(5, f) == 5 && fclose(f) == 0);
    struct nova_fsck_summary sum;
    assert_int_equal(nova_fsck(path, NULL, 0, NULL, &sum, &err), NOVA_OK);
    assert_int_equal(sum.errors, 1);
    assert_int_equal(resize(100 * MIB), NOVA_OK);
    expect_sound(1);
    open_store();
    assert_int_equal(s.pool->media.itable_count, 4);
    assert_int_equal(info().inodes_max, 4 * 8192 - 1);
    for (int i = 0; i < 8500; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "%d", i);
        assert_int_equal(store_create(&s, name, 0644), NOVA_OK);
    }
    assert_int_equal(store_close(&s), NOVA_OK);
    expect_sound(1);
    unlink(path);
}

static void repair_zeroes_unused_pointers(void **state) {
    (void)state;
    char report[1000];
    size_t needed;
    struct nova_fsck_summary sum;
    make_pool(24 * MIB);
    open_store();
    long at = (long)(s.pool->media.itable_blk + 1) * NOVA_BLOCK_SIZE;
    assert_int_equal(store_close(&s), NOVA_OK);
    FILE *f = fopen(path, "r+b");
    assert_true(f != NULL && fseek(f, at, SEEK_SET) == 0 && fputc(5, f) == 5 && fclose(f) == 0);
    assert_int_equal(nova_fsck_repair(path, &emulated, report, sizeof report, &needed, &sum, &err), NOVA_OK);
    assert_int_equal(sum.repaired, 1);
    assert_non_null(strstr(report, "repaired\tinode table\t"));
    expect_sound(1);
    unlink(path);
}

/* A pool that opens by its snapshot only, since a log is damaged, is still there afterwards. */
static void a_damaged_log_does_not_matter(void **state) {
    (void)state;
    struct media m;
    make_pool(2 * MIB);
    open_store();
    write_file("bad", 100, 1);
    write_file("good", 100, 2);
    struct dir_name name;
    assert_int_equal(store_lookup(&s, "bad", &name), NOVA_OK);
    assert_int_equal(store_close(&s), NOVA_OK);
    image_map_file(&m, path);
    image_slot(&m, name.ino)->lines[0][30] ^= 1;
    image_unmap_file(&m);
    assert_int_equal(resize(3 * MIB), NOVA_OK);
    open_store();
    assert_int_equal(info().recovered, 0);
    expect_file("good", 100, 2);
    assert_int_equal(store_close(&s), NOVA_OK);
    unlink(path);
}

/* ---- what it refuses ---- */

static void only_larger_and_not_too_large(void **state) {
    (void)state;
    make_pool(2 * MIB);
    open_store();
    write_file("a", 100, 7);
    uint64_t max = info().size_max;
    assert_true(max >= 16 * MIB);
    assert_int_equal(store_close(&s), NOVA_OK);
    const uint64_t bad[] = {0, 1, MIB, 2 * MIB - 1, 2 * MIB, 2 * MIB + BLK - 1, max + BLK, UINT64_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(resize(bad[i]), NOVA_EINVAL);
        assert_non_null(strstr(err.msg, bad[i] > max ? "copy the files" : "larger"));
        assert_int_equal(length(), 2 * MIB);
        expect_sound(1);
    }
    assert_int_equal(resize(max + BLK - 1), NOVA_OK); /* rounded down */
    expect_sound(1);
    assert_int_equal(resize(max + BLK), NOVA_EINVAL);
    open_store();
    assert_int_equal(info().size, max);
    expect_file("a", 100, 7);
    assert_int_equal(store_close(&s), NOVA_OK);
    unlink(path);
}

/* As pools were made before they could grow. */
static void without_room(struct fmt_sb *sb) {
    uint64_t blocks = sb->size / BLK, bits = FMT_SNAP_PAYLOAD * 8;
    sb->itable_count = (uint32_t)((blocks + 8191) / 8192);
    uint64_t inodes = (uint64_t)sb->itable_count * 8192;
    sb->snap_count = (uint32_t)((blocks + bits - 1) / bits + (inodes + bits - 1) / bits);
}

static void older_pools_grow_as_far_as_rounding_goes(void **state) {
    (void)state;
    make_pool(40 * MIB);
    change_superblocks(without_room);
    expect_sound(1);
    open_store();
    uint64_t max = info().size_max;
    assert_int_equal(max, FMT_SNAP_PAYLOAD * 8 * BLK); /* 126 MiB: one block of the snapshot */
    uint64_t inodes = info().inodes_max;
    assert_int_equal(store_close(&s), NOVA_OK);
    assert_int_equal(resize(max + BLK), NOVA_EINVAL);
    assert_int_equal(resize(max), NOVA_OK);
    expect_sound(1);
    open_store();
    assert_int_equal(info().inodes_max, inodes);
    write_file("a", 60 * MIB, 1);
    write_file("b", 60 * MIB, 2);
    expect_file("a", 60 * MIB, 1);
    assert_int_equal(store_close(&s), NOVA_OK);
    expect_sound(1);
    unlink(path);
}

static void not_an_open_pool_nor_none(void **state) {
    (void)state;
    make_pool(2 * MIB);
    open_store();
    assert_int_equal(resize(3 * MIB), NOVA_EBUSY);
    assert_int_equal(length(), 2 * MIB);
    assert_int_equal(store_close(&s), NOVA_OK);
    struct nova_pool_options bad = {.flags = 1u << 31};
    assert_int_equal(nova_pool_resize(path, 3 * MIB, &bad, &err), NOVA_EINVAL);
    assert_int_equal(nova_pool_resize(NULL, 3 * MIB, &emulated, &err), NOVA_EINVAL);
    assert_int_equal(nova_pool_resize("", 3 * MIB, &emulated, NULL), NOVA_EINVAL);
    unlink(path);
    assert_int_equal(resize(3 * MIB), NOVA_ENOENT);
}

static int resize_beyond_a_limit(void) {
    struct rlimit limit = {.rlim_cur = 2 * MIB + 5 * BLK, .rlim_max = RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    return setrlimit(RLIMIT_FSIZE, &limit) != 0 ? 255 : nova_pool_resize(path, 3 * MIB, &emulated, NULL);
}

static void no_room_on_the_file_system(void **state) {
    (void)state;
    make_pool(2 * MIB);
    pid_t pid = fork();
    if (pid == 0)
        _exit(resize_beyond_a_limit());
    int status;
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), NOVA_ENOSPC);
    assert_int_equal(length(), 2 * MIB);
    expect_sound(1);
    assert_int_equal(resize(3 * MIB), NOVA_OK);
    unlink(path);
}

/* The file system has less than is needed; and a resize cut short needs nothing of it. */
static void a_full_file_system(void **state) {
    (void)state;
    char at[128];
    char *durability = getenv("NOVA_TEST_DURABILITY");
    durability = durability == NULL ? NULL : strdup(durability);
    (void)snprintf(at, sizeof at, "%s", store_path("resize-fs"));
    assert_int_equal(mkdir(at, 0755), 0);
    if (mount("none", at, "tmpfs", 0, "size=3m") != 0) {
        rmdir(at);
        print_message("no permission to mount; skipped\n");
        skip();
    }
    (void)unsetenv("NOVA_TEST_DURABILITY"); /* of the other tests' file system: this one is never persistent memory */
    (void)snprintf(path, sizeof path, "%s/pool", at);
    assert_int_equal(nova_pool_create(path, 2 * MIB, &emulated, &err), NOVA_OK);
    open_store();
    write_file("a", 5000, 7);
    assert_int_equal(store_close(&s), NOVA_OK);
    assert_int_equal(resize(4 * MIB), NOVA_ENOSPC);
    assert_int_equal(err.os_errno, ENOSPC);
    assert_int_equal(length(), 2 * MIB);
    expect_sound(1);
    assert_int_equal(resize(2 * MIB + 50 * BLK), NOVA_OK);
    change_superblocks(cut_short);
    assert_int_equal(truncate(path, (off_t)(length() + 100 * BLK)), 0);
    char cmd[300];
    (void)snprintf(cmd, sizeof cmd, "cat /dev/zero >%s/rest 2>/dev/null", at);
    assert_int_not_equal(system(cmd), 0);
    open_store();
    assert_int_equal(length(), 2 * MIB + 50 * BLK);
    expect_file("a", 5000, 7);
    assert_int_equal(store_close(&s), NOVA_OK);
    expect_sound(1);
    umount(at);
    rmdir(at);
    if (durability != NULL)
        (void)setenv("NOVA_TEST_DURABILITY", durability, 1);
    free(durability);
}

/* ---- a system that refuses to persist ---- */

static struct image_ops failing;

static void put_under(struct pool_file *file) {
    file->ops = failing.ops;
}

static void a_refused_drain_leaves_one_size_or_the_other(void **state) {
    (void)state;
    unsigned n = 0, grown = 0;
    int rc;
    do {
        make_pool(2 * MIB);
        open_store();
        write_file("a", 5000, 7);
        assert_int_equal(store_close(&s), NOVA_OK);
        image_ops_init(&failing);
        failing.fail_from = ++n;
        pool_mapped_hook = put_under;
        rc = resize(3 * MIB);
        pool_mapped_hook = NULL;
        if (rc != NOVA_OK)
            assert_int_equal(rc, NOVA_EOS);
        struct nova_fsck_summary sum;
        assert_int_equal(nova_fsck(path, NULL, 0, NULL, &sum, &err), NOVA_OK);
        assert_int_equal(sum.errors, 0);
        open_store();
        assert_true(info().size == 2 * MIB || info().size == 3 * MIB);
        assert_int_equal(info().size, length());
        grown += info().size == 3 * MIB;
        expect_file("a", 5000, 7);
        assert_int_equal(store_close(&s), NOVA_OK);
        expect_sound(1);
        unlink(path);
    } while (rc != NOVA_OK && n < 30);
    assert_true(rc == NOVA_OK && grown > 1 && grown < n);
}

/* ---- what is no resize cut short ---- */

static void lengths_in_between_are_cut_others_refused(void **state) {
    (void)state;
    const struct {
        uint64_t len;
        int rc;
    } cases[] = {
        {2 * MIB - 1, NOVA_ETRUNCATED},
        {2 * MIB, NOVA_OK},
        {2 * MIB + 1, NOVA_OK},
        {2 * MIB + 50 * BLK, NOVA_OK},
        {2 * MIB + 100 * BLK, NOVA_OK},
        {2 * MIB + 100 * BLK + 1, NOVA_ETRUNCATED},
        {2 * MIB + 101 * BLK, NOVA_ETRUNCATED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make_pool(2 * MIB);
        open_store();
        write_file("a", 5000, 7);
        assert_int_equal(store_close(&s), NOVA_OK);
        change_superblocks(cut_short);
        assert_int_equal(truncate(path, (off_t)cases[i].len), 0);
        struct nova_fsck_summary sum;
        size_t needed;
        char report[1000];
        assert_int_equal(nova_fsck(path, report, sizeof report, &needed, &sum, &err), cases[i].rc);
        assert_int_equal(length(), cases[i].len);
        if (cases[i].rc == NOVA_OK) {
            assert_int_equal(sum.errors, 0);
            assert_int_equal(sum.warnings, 1);
            assert_non_null(strstr(report, "takes it back"));
            bool repair = i % 2;
            if (repair)
                assert_int_equal(nova_fsck_repair(path, &emulated, report, sizeof report, &needed, &sum, &err),
                                 NOVA_OK);
            if (repair) {
                assert_int_equal(length(), 2 * MIB);
                expect_sound(1);
            }
        }
        assert_int_equal(store_open(&s, path, NOVA_OPT_EMULATED), cases[i].rc);
        if (cases[i].rc == NOVA_OK) {
            assert_int_equal(length(), 2 * MIB);
            expect_file("a", 5000, 7);
            assert_int_equal(store_close(&s), NOVA_OK);
            expect_sound(1);
        } else {
            assert_int_equal(length(), cases[i].len);
        }
        unlink(path);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_stay_and_space_comes),
        cmocka_unit_test(more_inodes),
        cmocka_unit_test(repair_zeroes_unused_pointers),
        cmocka_unit_test(a_damaged_log_does_not_matter),
        cmocka_unit_test(only_larger_and_not_too_large),
        cmocka_unit_test(older_pools_grow_as_far_as_rounding_goes),
        cmocka_unit_test(not_an_open_pool_nor_none),
        cmocka_unit_test(no_room_on_the_file_system),
        cmocka_unit_test(a_full_file_system),
        cmocka_unit_test(a_refused_drain_leaves_one_size_or_the_other),
        cmocka_unit_test(lengths_in_between_are_cut_others_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
