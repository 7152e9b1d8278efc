/* SPDX-License-Identifier: Apache-2.0 */
/* Writing: what is refused and that it changes nothing, what is freed with it, drains, records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "names.h"
#include "api/handles.h"
#include "write_pool.h"

/* ---- what is refused ---- */

static void block_arguments(void **state) {
    (void)state;
    struct store_file f;
    struct nova_pool_info info;
    nova_intent *in;
    must(store_file_open(&s, "file", true, &f));
    must(store_write(&f, 0, "abc", 3));
    nova_pool_info(s.pool, &info);
    const struct media *m = &s.pool->media;
    const uint32_t bad[] = {1,           m->state_blk,          m->itable_blk, m->data_blk - 1,
                            m->data_end, (uint32_t)info.blocks, INT32_MAX,     UINT32_MAX};
    uint64_t before = blocks_free();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        for (int which = 0; which < 3; which++) {
            uint32_t a[3] = {0, 0, 0};
            a[which] = bad[i];
            assert_int_equal(nova_write(f.inode, 1, "x", 9000, a[0], a[1], a[2], &f.io), NOVA_EINVAL);
            assert_int_equal(nova_write_begin(f.inode, 1, 9000, a[0], a[1], a[2], &f.io, &in), NOVA_EINVAL);
            assert_null(in);
        }
        assert_int_equal(nova_truncate(f.inode, 10, bad[i], &f.io), NOVA_EINVAL);
        assert_int_equal(f.io.record_count, 0);
    }
    assert_int_equal(blocks_free(), before);
    must(store_file_close(&f));
}

static void sizes(void **state) {
    (void)state;
    struct store_file f;
    nova_intent *in;
    const uint64_t max = (uint64_t)NOVA_FILE_SIZE_MAX, most = (uint64_t)NOVA_WRITE_MAX;
    must(store_file_open(&s, "file", true, &f));
    uint64_t before = blocks_free();
    assert_int_equal(nova_write(f.inode, 0, "x", 0, 0, 0, 0, &f.io), NOVA_EINVAL);
    assert_int_equal(nova_write(f.inode, 0, NULL, 1, 0, 0, 0, &f.io), NOVA_EINVAL);
    assert_int_equal(nova_write_begin(f.inode, 0, 0, 0, 0, 0, &f.io, &in), NOVA_EINVAL);
    assert_int_equal(nova_write_begin(f.inode, 0, most + 1, 0, 0, 0, &f.io, &in), NOVA_EFBIG);
    assert_int_equal(nova_write_begin(f.inode, 0, most, 0, 0, 0, &f.io, &in), NOVA_ENOSPC);
    assert_int_equal(nova_write_begin(f.inode, 0, UINT64_MAX, 0, 0, 0, &f.io, &in), NOVA_EFBIG);
    assert_int_equal(nova_write_begin(f.inode, max, 1, 0, 0, 0, &f.io, &in), NOVA_EFBIG);
    assert_int_equal(nova_write_begin(f.inode, max - 1, 2, 0, 0, 0, &f.io, &in), NOVA_EFBIG);
    assert_int_equal(nova_write_begin(f.inode, UINT64_MAX, 1, 0, 0, 0, &f.io, &in), NOVA_EFBIG);
    assert_int_equal(nova_write_begin(f.inode, UINT64_MAX - 10, 100, 0, 0, 0, &f.io, &in), NOVA_EFBIG);
    assert_int_equal(nova_truncate(f.inode, max + 1, 0, &f.io), NOVA_EFBIG);
    assert_int_equal(nova_truncate(f.inode, UINT64_MAX, 0, &f.io), NOVA_EFBIG);
    assert_int_equal(blocks_free(), before);
    must(store_file_close(&f));
}

/*
 * Before the log is replayed to its end the size is not known. A write that went by an older one would take committed
 * bytes for bytes behind the end and overwrite them in place.
 */
static void an_incomplete_view_is_refused(void **state) {
    (void)state;
    struct store_file f;
    struct nova_record rec[NOVA_RECORDS_MAX];
    static uint8_t model[4000], buf[4000];
    fill_pattern(model, sizeof model, 2);
    must(store_file_open(&s, "file", true, &f));
    for (uint64_t off = 0; off < sizeof model; off += 200)
        must(store_write(&f, off, model + off, 200));
    uint32_t blk = block_map_get(&f.map, 0);
    uint64_t before = blocks_free();
    for (int replays = 0; replays < 4; replays++) {
        must(store_file_close(&f));
        const struct dir_name *d = dir_map_get(&s.names, "file", 4);
        assert_int_equal(nova_inode_open(s.pool, d->ino, d->gen, &f.inode, &s.err), NOVA_OK);
        for (int i = 0; i < replays; i++) {
            assert_int_equal(nova_replay(f.inode, rec, NOVA_RECORDS_MAX, &f.io), NOVA_OK);
            assert_int_equal(f.io.more, 1);
            assert_int_equal(f.io.record_count, 1); /* room for one entry of any length */
        }
        struct nova_stat st;
        nova_intent *in;
        nova_inode_stat(f.inode, &st);
        assert_int_equal(st.size, replays * 200);
        assert_int_equal(nova_write(f.inode, st.size, "DAMAGE", 6, blk, blk, blk, &f.io), NOVA_ESTALE);
        assert_int_equal(nova_write_begin(f.inode, st.size, 6, blk, blk, blk, &f.io, &in), NOVA_ESTALE);
        assert_int_equal(nova_truncate(f.inode, st.size + 50, blk, &f.io), NOVA_ESTALE);
        assert_int_equal(nova_truncate(f.inode, st.size, blk, &f.io), NOVA_ESTALE); /* not "it has that size already" */
        assert_int_equal(nova_truncate(f.inode, 0, blk, &f.io), NOVA_ESTALE);
        assert_memory_equal(s.base + blk * BLK, model, sizeof model);
        assert_int_equal(blocks_free(), before);
        assert_int_equal(nova_inode_close(f.inode, &s.err), NOVA_OK);
        must(store_file_open(&s, "file", false, &f));
    }
    assert_int_equal(store_read(&f, 0, buf, sizeof buf), sizeof model);
    assert_memory_equal(buf, model, sizeof model);
    must(store_file_close(&f));
}

static void directories_are_not_written(void **state) {
    (void)state;
    nova_intent *in;
    assert_int_equal(nova_write(s.root, 0, "x", 1, 0, 0, 0, &s.io), NOVA_EISDIR);
    assert_int_equal(nova_write_begin(s.root, 0, 1, 0, 0, 0, &s.io, &in), NOVA_EISDIR);
    assert_int_equal(nova_truncate(s.root, 0, 0, &s.io), NOVA_EISDIR);
    assert_int_equal(s.io.err.code, NOVA_EISDIR);
}

/* ---- freeing ---- */

/* Blocks that ride along are released by every call that is handed them, also one that then fails. */
static void frees_ride_along(void **state) {
    (void)state;
    struct store_file f;
    nova_intent *in;
    must(store_file_open(&s, "file", true, &f));
    for (int how = 0; how < 9; how++) {
        uint64_t before = blocks_free();
        uint32_t a = alloc_one(s.pool->alloc, 0), b = alloc_one(s.pool->alloc, 0);
        struct nova_io *io = how == 8 ? &s.io : &f.io;
        io->free_count = 2;
        io->frees[0] = (struct nova_extent){a, 1};
        io->frees[1] = (struct nova_extent){b, 1};
        io->record_count = 77;
        int rc = NOVA_OK;
        switch (how) {
        case 0: rc = nova_truncate(f.inode, f.size, 0, io); break;
        case 1: rc = nova_write(f.inode, 0, "x", 0, 0, 0, 0, io); break;
        case 2: rc = nova_write(f.inode, 0, NULL, 5, 0, 0, 0, io); break;
        case 3: rc = nova_write_begin(f.inode, UINT64_MAX, 5, 0, 0, 0, io, &in); break;
        case 4: rc = nova_truncate(f.inode, UINT64_MAX, 0, io); break;
        case 5: rc = nova_write(s.root, 0, "x", 1, 0, 0, 0, io); break;
        case 6: rc = flat_create(f.inode, "x", 1, NOVA_FILE, 0, io); break;
        case 7: rc = flat_unlink(f.inode, "x", 1, 2, 1, io); break;
        default: rc = flat_create(s.root, "/", 1, NOVA_FILE, 0, io); break;
        }
        assert_int_equal(rc == NOVA_OK, how == 0);
        assert_int_equal(io->free_count, 0);
        assert_int_equal(io->record_count, 0);
        assert_int_equal(blocks_free(), before);
    }
    must(store_file_close(&f));
}

static void wrong_frees_are_refused(void **state) {
    (void)state;
    struct store_file f;
    struct nova_pool_info info;
    const struct media *m = &s.pool->media;
    must(store_file_open(&s, "file", true, &f));
    must(store_write(&f, 0, "abc", 3));
    nova_pool_info(s.pool, &info);
    uint64_t before = blocks_free();
    uint32_t used = block_map_get(&f.map, 0), unused = m->data_end - 1;
    const struct {
        struct nova_extent x;
        int rc;
    } bad[] = {{{0, 1}, NOVA_EINVAL},
               {{m->data_blk - 1, 1}, NOVA_EINVAL},
               {{m->data_blk - 1, 2}, NOVA_EINVAL},
               {{m->data_end, 1}, NOVA_EINVAL},
               {{m->data_end - 1, 2}, NOVA_EINVAL},
               {{UINT32_MAX, 1}, NOVA_EINVAL},
               {{UINT32_MAX, UINT32_MAX}, NOVA_EINVAL},
               {{used, UINT32_MAX}, NOVA_EINVAL},
               {{used, 0}, NOVA_EINVAL},
               {{unused, 1}, NOVA_ECORRUPT},
               {{used, m->data_end - used}, NOVA_ECORRUPT}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(nova_free(s.pool, &bad[i].x, 1, &s.err), bad[i].rc);
        f.io.free_count = 1;
        f.io.frees[0] = bad[i].x;
        assert_int_equal(nova_write(f.inode, 3, "def", 3, used, used, used, &f.io), bad[i].rc);
        assert_int_equal(blocks_free(), before);
    }
    f.io.free_count = NOVA_IO_FREES + 1;
    assert_int_equal(nova_truncate(f.inode, 0, 0, &f.io), NOVA_EINVAL);
    f.io.free_count = UINT32_MAX;
    assert_int_equal(nova_truncate(f.inode, 0, 0, &f.io), NOVA_EINVAL);
    uint8_t buf[10];
    assert_int_equal(store_read(&f, 0, buf, 10), 3);
    /* A good one between bad ones is released all the same. */
    uint32_t one = alloc_one(s.pool->alloc, 0);
    struct nova_extent mix[] = {{0, 1}, {one, 1}, {one, 1}};
    assert_int_equal(nova_free(s.pool, mix, 3, &s.err), NOVA_EINVAL);
    assert_int_equal(blocks_free(), before);
    assert_int_equal(nova_free(s.pool, NULL, 0, NULL), NOVA_OK);
    must(store_file_close(&f));
}

/* ---- protocol ---- */

static unsigned drains;
static unsigned fail_from;

static int counting_drain(const struct pmem_ops *ops) {
    (void)ops;
    drains++;
    if (fail_from != 0 && drains >= fail_from)
        return 5;
    return pmem_ops_cpu.drain(&pmem_ops_cpu);
}

static struct pmem_ops counting;

static void count_drains(void) {
    counting = pmem_ops_cpu;
    counting.drain = counting_drain;
    s.pool->media.ops = &counting;
    drains = fail_from = 0;
}

static void drains_of_writes(void **state) {
    (void)state;
    struct store_file f;
    static uint8_t data[100000];
    fill_pattern(data, sizeof data, 1);
    must(store_file_open(&s, "file", true, &f));
    count_drains();
    for (unsigned n = 1; n < 300; n++) {
        drains = 0;
        switch (n % 5) {
        case 0: must(store_write(&f, f.size, data, 1000)); break;     /* append, now and then across blocks */
        case 1: must(store_write(&f, n * 10, data, 4096)); break;     /* overwrite across blocks */
        case 2: must(store_write(&f, f.size + 9000, data, 1)); break; /* behind a gap */
        case 3: must(store_truncate(&f, 3000 + n)); break;
        default: must(store_write_pieces(&f, 0, data, 20000, 999, true)); break;
        }
        if (n % 5 == 0)
            assert_in_range(drains, 1, 2);
        else
            assert_int_equal(drains, 2);
    }
    drains = 0;
    must(store_truncate(&f, f.size)); /* nothing to do */
    assert_int_equal(drains, 0);
    s.pool->media.ops = &s.pool->file.ops;
    must(store_file_close(&f));
}

/* What is one piece in one block, and all that is written, takes one, but for the first entry of each page of the log.
 */
static void one_drain(void **state) {
    (void)state;
    struct store_file f;
    static uint8_t data[4096];
    unsigned one = 0, two = 0, calls = 4 * FMT_PAGE_LINES;
    fill_pattern(data, sizeof data, 1);
    must(store_file_open(&s, "file", true, &f));
    count_drains();
    for (unsigned n = 0; n < calls; n++) {
        drains = 0;
        if (n % 2 == 0)
            must(store_write(&f, f.size, data, 128)); /* 4096 is a multiple: never across blocks */
        else
            must(store_write(&f, (uint64_t)n / 2 % 3 * 4096, data, f.size < 4096 ? f.size : 4096));
        one += drains == 1;
        two += drains == 2;
    }
    assert_int_equal(one + two, calls);
    assert_in_range(two, 3, 5 + 2); /* pages, and overwrites of what was not a block yet */
    s.pool->media.ops = &s.pool->file.ops;
    must(store_file_close(&f));
}

/* Where the media refuse: an error, and after a reopen the old content or the new. Of a write with two drains the first
 * and the second one, and that of a write with one. */
static void refused_drains(void **state) {
    (void)state;
    static uint8_t buf[5000];
    const char *copy = store_path("write-copy");
    for (unsigned at = 1; at <= 3; at++) {
        struct store_file f;
        must(store_file_open(&s, "file", true, &f));
        must(store_write(&f, 0, "old content", 11));
        count_drains();
        fail_from = at < 3 ? at : 1;
        assert_int_equal(store_write(&f, 0, "new content", at < 3 ? 3 : 11), NOVA_EOS);
        assert_int_equal(s.err.code, NOVA_EOS);
        fail_from = 0;
        s.pool->media.ops = &s.pool->file.ops;
        if (at == 1) { /* nothing was committed, and writing can go on */
            assert_int_equal(store_read(&f, 0, buf, sizeof buf), 11);
            assert_memory_equal(buf, "old content", 11);
        } else {
            assert_int_equal(store_write(&f, 0, "x", 1), NOVA_ESTALE);
        }
        store_copy_file(path, copy);
        must(store_file_close(&f));
        assert_int_equal(store_close(&s), NOVA_OK);
        assert_int_equal(rename(copy, path), 0);
        must(store_open(&s, path, NOVA_OPT_EMULATED));
        must(store_file_open(&s, "file", false, &f));
        assert_int_equal(store_read(&f, 0, buf, sizeof buf), 11);
        assert_memory_equal(buf, at == 1 ? "old content" : "new content", 11);
        must(store_file_close(&f));
    }
}

/* Nor does a pool that refused a commit, and works again, say when it is closed that its space is in order. */
static void a_refused_commit_is_scanned(void **state) {
    (void)state;
    for (unsigned at = 1; at <= 3; at++) {
        struct store_file f;
        struct nova_pool_info info;
        struct nova_fsck_summary sum;
        char report[300];
        must(store_file_open(&s, "file", true, &f));
        must(store_write(&f, 0, "old content", 11));
        count_drains();
        fail_from = at < 3 ? at : 1;
        assert_int_equal(store_write(&f, 0, "new content", at < 3 ? 3 : 11), NOVA_EOS);
        s.pool->media.ops = &s.pool->file.ops;
        must(store_file_close(&f));
        assert_int_equal(store_close(&s), NOVA_OK);
        for (int closed = 0; closed < 2; closed++) {
            assert_int_equal(nova_fsck(path, report, sizeof report, NULL, &sum, NULL), NOVA_OK);
            if (sum.errors != 0)
                fail_msg("fsck: %s", report);
            assert_int_equal(sum.clean, closed);
            must(store_open(&s, path, NOVA_OPT_EMULATED));
            nova_pool_info(s.pool, &info);
            assert_int_equal(info.recovered, !closed);
            assert_int_equal(info.blocks_free, sum.blocks_free);
            if (closed == 0)
                assert_int_equal(store_close(&s), NOVA_OK);
        }
    }
}

static void records_and_times(void **state) {
    (void)state;
    struct store_file f;
    struct nova_stat st, later;
    must(store_file_open(&s, "file", true, &f));
    nova_inode_stat(f.inode, &st);
    assert_int_equal(st.size, 0);
    assert_int_equal(st.entries, 0);
    assert_int_equal(st.mtime, st.btime);
    uint64_t seq = 0;
    for (int i = 0; i < 100; i++) {
        must(store_write(&f, (uint64_t)i * 10, "0123456789", 10));
        assert_int_equal(f.io.record_count, 1);
        const struct nova_record *r = &f.io.records[0];
        assert_int_equal(r->kind, NOVA_REC_WRITE);
        assert_int_equal(r->lines, 1);
        assert_true(r->seq > seq);
        seq = r->seq;
        assert_int_equal(r->log_blk == 0, i < 3);
        assert_true(r->log_idx < (i < 3 ? 3 : 63));
        assert_int_equal(r->u.write.size, i * 10 + 10);
        assert_int_equal(r->u.write.count, i == 0); /* the others go into the block that is there */
        nova_inode_stat(f.inode, &later);
        assert_int_equal(later.mtime, r->u.write.mtime);
        assert_int_equal(later.ctime, r->u.write.mtime);
        assert_true(later.mtime >= st.mtime);
        assert_int_equal(later.size, f.io.size);
        assert_int_equal(later.entries, i + 1);
        assert_int_equal(later.btime, st.btime);
    }
    must(store_file_close(&f));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(block_arguments),
        TEST(sizes),
        TEST(an_incomplete_view_is_refused),
        TEST(directories_are_not_written),
        TEST(frees_ride_along),
        TEST(wrong_frees_are_refused),
        TEST(drains_of_writes),
        TEST(one_drain),
        TEST(refused_drains),
        TEST(a_refused_commit_is_scanned),
        TEST(records_and_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
