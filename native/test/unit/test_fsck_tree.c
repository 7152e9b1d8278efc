/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nova_fsck() and nova_dump() on trees: transactions that a crash cut short, wrong numbers of names, symbolic links
 * without target; paths. And the first opening of a pool from before the namespace.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/handles.h"
#include "image.h"
#include "journal/journal.h"
#include "rng.h"
#include "store.h"

#define MIB ((uint64_t)1 << 20)

static const struct nova_pool_options emulated = {.flags = NOVA_OPT_EMULATED};
static const char *path;
static struct store s;
static struct media m; /* the closed pool, mapped */
static struct nova_stat f, y, link_, d, sub;

static void must(int rc) {
    if (rc != NOVA_OK)
        fail_msg("status %d: %s", rc, s.err.msg);
}

static void write_text(const char *name) {
    struct store_file file;
    must(store_file_open(&s, name, true, &file));
    must(store_write(&file, 0, "text", 4));
    must(store_file_close(&file));
}

/* "d" with "sub", "x" and the symbolic link "s"; "e" with "y", which is "g" too; "f". */
static void make_tree(void) {
    must(store_mkdir(&s, "d", 0755));
    must(store_mkdir(&s, "e", 0755));
    must(store_mkdir(&s, "d/sub", 0755));
    write_text("f");
    write_text("d/x");
    write_text("e/y");
    must(store_link(&s, "e/y", "g"));
    must(store_symlink(&s, "the target", 10, "d/s"));
    must(store_setattr(&s, "f", NOVA_ATTR_MODE | NOVA_ATTR_MTIME, 0741, 0, 0, 0, 86400, 0));
    must(store_stat(&s, "f", &f));
    must(store_stat(&s, "e/y", &y));
    must(store_stat(&s, "d/s", &link_));
    must(store_stat(&s, "d", &d));
    must(store_stat(&s, "d/sub", &sub));
}

static int set_up(void **state) {
    (void)state;
    struct nova_error err;
    path = store_path("fsck-tree");
    assert_int_equal(nova_pool_create(path, 2 * MIB, &emulated, &err), NOVA_OK);
    must(store_open(&s, path, NOVA_OPT_EMULATED));
    make_tree();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    unlink(path);
    return 0;
}

/* ---- running ---- */

static char report[20000];
static struct nova_fsck_summary sum;

static void check(void) {
    size_t needed;
    assert_int_equal(nova_fsck(path, report, sizeof report, &needed, &sum, NULL), NOVA_OK);
}

/* The one finding that there is. */
static void expect(const char *level, const char *what, uint64_t off, const char *says) {
    char start[100];
    check();
    (void)snprintf(start, sizeof start, "%s\t%s\t%llu\t", level, what, (unsigned long long)off);
    if (sum.errors + sum.warnings != 1 || strncmp(report, start, strlen(start)) != 0 || strstr(report, says) == NULL)
        fail_msg("instead of '%s...%s':\n%s", start, says, report);
    assert_int_equal(sum.errors, level[0] == 'e');
}

static void close_and_map(void) {
    must(store_close(&s));
    image_map_file(&m, path);
}

/* The pool as it is now, not closed. */
static void crash_and_map(void) {
    char copy[160];
    (void)snprintf(copy, sizeof copy, "%s-copy", path);
    store_copy_file(path, copy);
    must(store_close(&s));
    assert_int_equal(rename(copy, path), 0);
    image_map_file(&m, path);
}

static uint64_t off_of(const void *p) {
    return media_off(&m, p);
}

static void append(uint32_t ino, struct fmt_entry *e) {
    struct log log;
    struct log_cursor cur = {0};
    struct log_item item;
    image_log(&m, ino, &log);
    while (log_next(&log, &cur, &item, NULL) == NOVA_OK && item.entry != NULL)
        ;
    log.seq = cur.seq;
    image_append(&log, e);
}

static void count(uint32_t ino, uint32_t nlink) {
    struct fmt_link_body l = {.nlink = nlink, .ctime = 7};
    struct fmt_entry e = {.kind = FMT_LINK, .lines = 1};
    memcpy(e.payload, &l, sizeof l);
    append(ino, &e);
}

/* ---- fsck ---- */

static void a_clean_tree_is_clean(void **state) {
    (void)state;
    must(store_close(&s));
    check();
    assert_string_equal(report, "");
    assert_int_equal(sum.clean, 1);
    assert_int_equal(sum.inodes, 8);
    assert_int_equal(sum.bytes, 3 * 4 + 10);
}

/* As a crash between the record and the tails leaves it: fsck sees the tree after the transaction, and warns. */
static void a_pending_transaction_is_a_warning(void **state) {
    (void)state;
    struct fmt_journal rec = {0};
    static const char *const dirs[] = {"d", "e"};
    uint32_t ino[2];
    fmt_ptr from[2];
    for (int i = 0; i < 2; i++) {
        struct nova_stat st;
        must(store_stat(&s, dirs[i], &st));
        ino[i] = st.ino;
        from[i] = itable_slot(&s.pool->itable, st.ino)->tail;
    }
    must(store_rename(&s, "d/x", "e/x"));
    crash_and_map();
    uint64_t journal = (uint64_t)m.journal_blk * NOVA_BLOCK_SIZE;
    bool found = false;
    for (uint32_t i = 0; i < journal_records(&m); i++)
        if (fmt_journal_ok(&m, journal_record(&m, i)) && journal_record(&m, i)->moves[0].from == from[0]) {
            rec = *journal_record(&m, i);
            found = true;
        }
    assert_true(found);
    for (unsigned lost = 0; lost < 4; lost++) {
        for (int i = 0; i < 2; i++)
            image_slot(&m, ino[i])->tail = (lost >> i & 1) != 0 ? from[i] : rec.moves[i].to;
        if (lost == 0) {
            check();
            assert_string_equal(report, "");
        } else {
            expect("warning", "journal", journal, "1 transactions were cut short");
        }
        assert_int_equal(sum.inodes, 8);
        static char text[20000];
        size_t needed;
        assert_int_equal(nova_dump(path, "e/x", text, sizeof text, &needed, NULL), NOVA_OK); /* as fsck */
        assert_int_equal(nova_dump(path, "d/x", text, sizeof text, &needed, NULL), NOVA_ENOENT);
    }
    image_unmap_file(&m);
    must(store_open(&s, path, NOVA_OPT_EMULATED));
    assert_int_equal(s.pool->redone, 1);
    struct dir_name n;
    assert_int_equal(store_lookup(&s, "e/x", &n), NOVA_OK);
    assert_int_equal(store_lookup(&s, "d/x", &n), NOVA_ENOENT);
    must(store_close(&s));
    check();
    assert_string_equal(report, "");
}

static void bytes_in_the_journal(void **state) {
    (void)state;
    must(store_rename(&s, "d/x", "e/x")); /* leaves a record, which the close clears */
    close_and_map();
    uint8_t *journal = media_blk(&m, m.journal_blk);
    check();
    assert_string_equal(report, "");
    for (uint32_t at = 0; at < m.journal_count * NOVA_BLOCK_SIZE; at += 4097 - 128) {
        journal[at] = 1;
        expect("error", "journal", off_of(journal + at), "must be zero");
        journal[at] = 0;
    }
    image_unmap_file(&m);
    must(store_open(&s, path, NOVA_OPT_EMULATED));
    crash_and_map();
    journal = media_blk(&m, m.journal_blk);
    journal[300] = 1; /* in a dirty pool it means nothing */
    check();
    assert_string_equal(report, "");
    /* But before there were transactions there were no torn records either. */
    for (int i = 0; i < 2; i++) {
        struct fmt_sb *sb = (struct fmt_sb *)(void *)(m.base + (i == 0 ? 0 : m.size - NOVA_BLOCK_SIZE));
        sb->incompat = 0;
        fmt_sb_seal(sb);
    }
    expect("error", "journal", off_of(journal + 300), "must be zero");
    image_unmap_file(&m);
}

static void wrong_numbers_of_names(void **state) {
    (void)state;
    close_and_map();
    struct fmt_inode *slot = image_slot(&m, y.ino);
    struct fmt_inode was = *slot;
    for (uint32_t nlink = 1; nlink <= 3; nlink += 2) {
        count(y.ino, nlink);
        expect("error", "inode", off_of(slot), nlink == 1 ? "2 names, and its log says 1" : "its log says 3");
        *slot = was;
    }
    check();
    assert_string_equal(report, "");
    slot = image_slot(&m, f.ino); /* one name, and no link entry before */
    was = *slot;
    count(f.ino, 2);
    expect("error", "inode", off_of(slot), "1 names, and its log says 2");
    *slot = was;
    image_unmap_file(&m);
}

static void a_tail_that_hides_links(void **state) {
    (void)state;
    close_and_map();
    struct fmt_inode *slot = image_slot(&m, y.ino);
    struct log_end end;
    struct log log;
    struct log_cursor cur = {0};
    struct log_item item;
    image_log(&m, y.ino, &log);
    do
        assert_int_equal(log_next(&log, &cur, &item, NULL), NOVA_OK);
    while (item.entry->kind != FMT_LINK);
    assert_true(fmt_tail_get(&m, y.ino, y.gen, slot->tail, &end));
    assert_true(end.linked);
    end.linked = false;
    slot->tail = fmt_tail_make(&m, y.ino, y.gen, end);
    expect("error", "log entry", off_of(item.entry), "link entry that the log's tail does not tell of");
    image_unmap_file(&m);
}

static void symlinks_without_target(void **state) {
    (void)state;
    close_and_map();
    struct fmt_inode *slot = image_slot(&m, link_.ino);
    struct fmt_inode was = *slot;
    struct log_end start = {{0, 0}, false};
    slot->tail = fmt_tail_make(&m, link_.ino, link_.gen, start); /* nothing was written */
    check();
    assert_non_null(strstr(report, "has a target of 0 bytes\n"));
    assert_int_equal(sum.errors, 3); /* and its block is saved as used, and counted, without an owner */
    *slot = was;
    struct fmt_entry *e = (struct fmt_entry *)(void *)slot->lines[0];
    struct fmt_write_body w;
    memcpy(&w, e->payload, sizeof w);
    w.size = NOVA_SYMLINK_MAX + 1;
    memcpy(e->payload, &w, sizeof w);
    fmt_entry_seal(&m, e);
    expect("error", "inode", off_of(slot), "target of 4096 bytes");
    *slot = was;
    struct fmt_entry cut;
    image_truncate_entry(&cut, 3);
    append(link_.ino, &cut);
    check();
    assert_non_null(strstr(report, "truncate entry in the log of something that is no file"));
    *slot = was;
    check();
    assert_string_equal(report, "");
    image_unmap_file(&m);
}

static void entries_in_the_wrong_log(void **state) {
    (void)state;
    close_and_map();
    struct fmt_inode was = *image_slot(&m, sub.ino);
    count(sub.ino, 2);
    check();
    assert_non_null(strstr(report, "link entry in the log of a directory"));
    *image_slot(&m, sub.ino) = was;
    for (int i = 0; i < 3; i++) {
        struct fmt_link_body l = {.nlink = i == 0 ? 0 : i == 1 ? NOVA_LINK_MAX + 1 : 2, .ctime = 7, .zero = i == 2};
        struct fmt_entry e = {.kind = FMT_LINK, .lines = 1};
        struct fmt_inode *slot = image_slot(&m, f.ino), before = *slot;
        memcpy(e.payload, &l, sizeof l);
        append(f.ino, &e);
        check();
        assert_non_null(strstr(report, "link entry with a field out of range"));
        *slot = before;
    }
    image_unmap_file(&m);
}

/* A directory below itself, cut off from the root; recovery frees it. */
static void a_cycle_is_not_reached(void **state) {
    (void)state;
    union {
        struct fmt_entry e;
        uint8_t bytes[FMT_ENTRY_LINES_MAX * FMT_LINE];
    } x;
    uint64_t used = s.pool->itable.used_count;
    crash_and_map();
    image_dentry(&x, FMT_DENTRY_REMOVE, "d", d.ino, d.gen, NOVA_DIR);
    append(NOVA_ROOT_INO, &x.e);
    image_dentry(&x, FMT_DENTRY_ADD, "up", d.ino, d.gen, NOVA_DIR);
    append(sub.ino, &x.e);
    check();
    assert_int_equal(sum.errors, 0);
    assert_int_equal(sum.warnings, 4); /* d, d/sub, d/x, d/s */
    image_unmap_file(&m);
    must(store_open(&s, path, NOVA_OPT_EMULATED));
    assert_int_equal(s.pool->itable.used_count, used - 4);
    must(store_close(&s));
    check();
    assert_string_equal(report, "");
}

/* A directory that is its own parent, reached: two names, which recovery refuses too. */
static void a_cycle_from_the_root(void **state) {
    (void)state;
    union {
        struct fmt_entry e;
        uint8_t bytes[FMT_ENTRY_LINES_MAX * FMT_LINE];
    } x;
    crash_and_map();
    image_dentry(&x, FMT_DENTRY_ADD, "up", d.ino, d.gen, NOVA_DIR);
    append(sub.ino, &x.e);
    expect("error", "dentry", off_of(image_slot(&m, d.ino)), "has two names");
    image_unmap_file(&m);
    assert_int_equal(store_open(&s, path, NOVA_OPT_EMULATED), NOVA_ECORRUPT);
}

/* ---- forged trees ---- */

static uint32_t some_ino(struct rng *r) {
    return 1 + rng_below(r, 12);
}

static struct log_end some_end(struct rng *r) {
    return (struct log_end){{rng_below(r, 4) ? 0 : m.data_blk + rng_below(r, 40), rng_below(r, 5)},
                            rng_below(r, 2) != 0};
}

static void forge_entry(struct rng *r) {
    struct fmt_inode *slot = image_slot(&m, some_ino(r));
    struct fmt_entry *e = (struct fmt_entry *)(void *)slot->lines[rng_below(r, FMT_INLINE_LINES)];
    uint32_t avail = FMT_INLINE_LINES - (uint32_t)(((uint8_t *)e - slot->lines[0]) / FMT_LINE);
    switch (rng_below(r, 4)) {
    case 0: e->kind = (uint8_t)rng_below(r, 9); break;
    case 1: ((uint32_t *)(void *)e->payload)[0] = some_ino(r); break; /* a child's number, a count of names */
    case 2: ((uint32_t *)(void *)e->payload)[1] = rng_below(r, 3); break;
    default: e->payload[16] = (uint8_t)rng_below(r, 5); /* a child's type */
    }
    if (e->lines >= 1 && e->lines <= avail)
        fmt_entry_seal(&m, e);
}

static void forge_slot(struct rng *r) {
    struct fmt_inode *slot = image_slot(&m, some_ino(r));
    switch (rng_below(r, 4)) {
    case 0: slot->type = (uint8_t)rng_below(r, 5); break;
    case 1: slot->gen = rng_below(r, 3); break;
    case 2: slot->tail = 0; break;
    default: slot->tail = fmt_tail_make(&m, slot->ino, slot->gen, some_end(r));
    }
    fmt_inode_seal(&m, slot);
}

/* A whole record, of whatever moves. */
static void forge_record(struct rng *r) {
    struct fmt_journal rec = {.magic = FMT_JOURNAL_MAGIC,
                              .count = rng_below(r, 8) ? 2 + rng_below(r, 3) : rng_below(r, 7)};
    for (uint32_t i = 0; i < FMT_JOURNAL_MOVES; i++) {
        uint32_t ino = rng_below(r, 20) ? some_ino(r) : (uint32_t)rng_next(r);
        struct fmt_inode *slot = ino < 16 ? image_slot(&m, ino) : NULL;
        uint32_t gen = slot != NULL && rng_below(r, 8) ? slot->gen : 1;
        rec.moves[i] = (struct fmt_move){
            ino, gen, slot != NULL && rng_below(r, 4) ? slot->tail : fmt_tail_make(&m, ino, gen, some_end(r)),
            fmt_tail_make(&m, ino, gen, some_end(r))};
    }
    fmt_journal_seal(&m, &rec);
    *journal_record(&m, rng_below(r, journal_records(&m))) = rec;
}

/* What fsck finds no error in opens, and is sound after an orderly close; the rest is refused, or survived. */
static void forged_trees_are_survived(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    unsigned sound = 0, refused = 0, redone = 0, rounds = getenv("NOVA_FULL") != NULL ? 100000 : 3000;
    crash_and_map();
    uint8_t *whole = malloc(m.size);
    assert_non_null(whole);
    memcpy(whole, m.base, m.size);
    for (unsigned i = 0; i < rounds; i++) {
        for (uint64_t at = 0; at < m.size; at += NOVA_BLOCK_SIZE)
            if (memcmp(m.base + at, whole + at, NOVA_BLOCK_SIZE) != 0)
                memcpy(m.base + at, whole + at, NOVA_BLOCK_SIZE);
        for (uint32_t n = 1 + rng_below(&r, 2); n != 0; n--)
            (rng_below(&r, 3) == 0 ? forge_record : rng_below(&r, 2) ? forge_slot : forge_entry)(&r);
        check();
        bool good = sum.errors == 0;
        nova_pool *pool;
        int rc = nova_pool_open(path, &emulated, &pool, &s.err);
        if (good && rc != NOVA_OK)
            fail_msg("fsck found no error, opening did: %s\n%s", s.err.msg, report);
        if (rc != NOVA_OK) {
            assert_int_equal(rc, NOVA_ECORRUPT);
            refused++;
            continue;
        }
        redone += pool->redone != 0;
        assert_int_equal(nova_pool_close(pool, &s.err), NOVA_OK);
        check();
        if (good && sum.errors != 0)
            fail_msg("after opening and closing a sound pool:\n%s", report);
        sound += good;
    }
    printf("%u sound, %u refused, %u with transactions to end\n", sound, refused, redone);
    assert_true(sound > rounds / 100 && refused > rounds / 10 && redone > rounds / 300);
    free(whole);
    image_unmap_file(&m);
}

/* ---- dump ---- */

static char text[20000];

static int dump(const char *what) {
    size_t needed;
    return nova_dump(path, what, text, sizeof text, &needed, NULL);
}

static void dumps_of_new_entries(void **state) {
    (void)state;
    must(store_setattr(&s, "f", NOVA_ATTR_ATIME | NOVA_ATTR_KEEP_CTIME, 0, 0, 0, (int64_t)86400 * 1000000000, 0, 0));
    must(store_setattr(&s, "f", NOVA_ATTR_MODE | NOVA_ATTR_BTIME, 0640, 0, 0, 0, 0, (int64_t)2 * 86400 * 1000000000));
    must(store_close(&s));
    assert_int_equal(dump("e/y"), NOVA_OK);
    assert_non_null(strstr(text, ", with link entries before it\n"));
    assert_non_null(strstr(text, "link      good  2 names "));
    assert_int_equal(dump("f"), NOVA_OK);
    assert_null(strstr(text, "with link entries"));
    assert_non_null(strstr(text, "setattr   good   mode 0741 mtime "));
    assert_non_null(strstr(text, "setattr   good   atime 1970-01-02T00:00:00.000000000Z\n"));
    assert_non_null(strstr(text, "setattr   good   mode 0640 btime 1970-01-03T00:00:00.000000000Z ctime "));
    assert_int_equal(dump("d/s"), NOVA_OK);
    assert_non_null(strstr(text, "type       symlink\n"));
    assert_non_null(strstr(text, "size 10 "));
    assert_int_equal(dump("d"), NOVA_OK);
    assert_non_null(strstr(text, "(directory)"));
    assert_non_null(strstr(text, "(symlink)"));
}

static void dumps_of_paths(void **state) {
    (void)state;
    must(store_close(&s));
    static const char *const same[] = {"d/sub", "/d/sub", "d//sub/", "//d/sub//"};
    char first[sizeof text];
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        assert_int_equal(dump(same[i]), NOVA_OK);
        if (i == 0)
            memcpy(first, text, sizeof first);
        assert_string_equal(text, first);
    }
    assert_int_equal(dump("/"), NOVA_OK);
    assert_non_null(strncmp(text, "inode 1,", 8) == 0 ? text : NULL);
    assert_int_equal(dump("d/none"), NOVA_ENOENT);
    assert_int_equal(dump("none/x"), NOVA_ENOENT);
    assert_int_equal(dump("d/x/y"), NOVA_ENOTDIR);
    assert_int_equal(dump("d/s/y"), NOVA_ENOTDIR);
    assert_int_equal(dump("d/.."), NOVA_ENOENT);
}

/* ---- the feature bit ---- */

static uint64_t bits_of(bool replica) {
    struct fmt_sb *sb = (struct fmt_sb *)(void *)(m.base + (replica ? m.size - NOVA_BLOCK_SIZE : 0));
    assert_int_equal(fmt_sb_verify(sb, 0, NULL), NOVA_OK);
    return sb->incompat;
}

static void older_pools_get_the_feature(void **state) {
    (void)state;
    static const uint64_t older[] = {0, FMT_INCOMPAT_NAMESPACE, FMT_INCOMPAT_NAMESPACE | FMT_INCOMPAT_CLEANING,
                                     FMT_INCOMPAT_ALL & ~(uint64_t)FMT_INCOMPAT_CERTIFIED};
    for (int k = 0; k < 12; k++) {
        int damaged = k % 3; /* none, the first superblock, the replica */
        close_and_map();
        assert_int_equal(bits_of(false), FMT_INCOMPAT_ALL); /* a new pool has it */
        uint32_t seq = m.sb.seq;
        for (int i = 0; i < 2; i++) {
            struct fmt_sb *sb = (struct fmt_sb *)(void *)(m.base + (i == 0 ? 0 : m.size - NOVA_BLOCK_SIZE));
            sb->incompat = older[k / 3];
            fmt_sb_seal(sb);
            if (damaged == i + 1)
                sb->created ^= 1;
        }
        image_unmap_file(&m);
        check();
        assert_int_equal(sum.errors, damaged != 0);
        must(store_open(&s, path, NOVA_OPT_EMULATED));
        struct nova_pool_info info;
        nova_pool_info(s.pool, &info);
        assert_int_equal(info.incompat, FMT_INCOMPAT_ALL);
        close_and_map();
        assert_int_equal(bits_of(false), FMT_INCOMPAT_ALL);
        assert_int_equal(bits_of(true), FMT_INCOMPAT_ALL);
        assert_memory_equal(m.base, m.base + m.size - NOVA_BLOCK_SIZE, sizeof(struct fmt_sb));
        assert_int_equal(m.sb.seq, seq + 1);
        image_unmap_file(&m);
        check();
        assert_string_equal(report, "");
        must(store_open(&s, path, NOVA_OPT_EMULATED));
    }
    must(store_close(&s));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_clean_tree_is_clean),       TEST(a_pending_transaction_is_a_warning),
        TEST(bytes_in_the_journal),        TEST(wrong_numbers_of_names),
        TEST(a_tail_that_hides_links),     TEST(symlinks_without_target),
        TEST(entries_in_the_wrong_log),    TEST(a_cycle_is_not_reached),
        TEST(a_cycle_from_the_root),       TEST(forged_trees_are_survived),
        TEST(dumps_of_new_entries),        TEST(dumps_of_paths),
        TEST(older_pools_get_the_feature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
