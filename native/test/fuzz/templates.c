/* SPDX-License-Identifier: Apache-2.0 */
/* The sound pools that damage starts from, and where their structures lie. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "fuzz.h"
#include "journal/journal.h"
#include "log/log.h"
#include "store.h"

/*
 * What differs from process to process (--wrap), so that one input does the same in each: a pool's uuid seeds every
 * checksum, and the CPU says where to look for a free inode first.
 */
ssize_t __wrap_getrandom(void *buf, size_t len, unsigned flags);
int __wrap_sched_getcpu(void);

int __wrap_sched_getcpu(void) {
    return 0;
}

ssize_t __wrap_getrandom(void *buf, size_t len, unsigned flags) {
    (void)flags;
    memset(buf, 0x5c, len);
    return (ssize_t)len;
}

static void need(bool ok, const char *what) {
    if (!ok)
        fuzz_fail("cannot make the templates: %s", what);
}

#define NEED(call) need((call) == NOVA_OK, #call)

/* ---- pools, through the API ---- */

static uint8_t data[16 * NOVA_BLOCK_SIZE];

static void put(struct store *s, const char *name, unsigned writes, uint64_t step, uint64_t len) {
    struct store_file f;
    NEED(store_file_open(s, name, true, &f));
    for (unsigned i = 0; i < writes; i++)
        NEED(store_write(&f, i * step, data, len));
    NEED(store_file_close(&f));
}

static void cut(struct store *s, const char *name, uint64_t size) {
    struct store_file f;
    NEED(store_file_open(s, name, true, &f));
    NEED(store_truncate(&f, size));
    NEED(store_file_close(&f));
}

static void long_names(struct store *s, unsigned n) {
    char name[NOVA_NAME_MAX + 1];
    for (unsigned i = 0; i < n; i++) {
        size_t len = i % 3 == 0 ? NOVA_NAME_MAX : 20 + i * 13 % 200;
        memset(name, 'a' + (int)(i % 26), len);
        name[0] = (char)('A' + i % 26);
        name[len] = '\0';
        put(s, name, i % 4 == 0, 0, 10);
    }
}

static void some_files(struct store *s) {
    put(s, "two", 2, 20 * FUZZ_BLK + 5, FUZZ_BLK + 3);
    put(s, "empty", 0, 0, 0);
    put(s, "gone", 1, 0, 3 * FUZZ_BLK);
    NEED(store_unlink(s, "gone"));
    put(s, "small", 3, 100, 100); /* grows in place */
    cut(s, "holes", 3 * FUZZ_BLK + 10);
    cut(s, "holes", (uint64_t)NOVA_FILE_SIZE_MAX - 1);
}

static void ranges(struct store *s) {
    struct store_file f;
    put(s, "ranges", 1, 0, 6 * FUZZ_BLK);
    NEED(store_file_open(s, "ranges", false, &f));
    NEED(store_punch(&f, FUZZ_BLK + 1, 2 * FUZZ_BLK));
    NEED(store_collapse(&f, 3 * FUZZ_BLK, FUZZ_BLK));
    NEED(store_insert(&f, 0, 2 * FUZZ_BLK));
    NEED(store_allocate(&f, 0, 9 * FUZZ_BLK, true));
    NEED(store_file_close(&f));
}

static void attributes(struct store *s, const char *name) {
    struct store_file f;
    NEED(store_file_open(s, name, false, &f));
    NEED(store_setxattr(&f, "user.small", data, 300));
    NEED(store_setxattr(&f, "user.large", data, 3 * FUZZ_BLK - 1));
    NEED(store_setxattr(&f, "user.large", data, FUZZ_BLK + 1));
    NEED(store_setxattr(&f, "user.gone", data, 1));
    NEED(store_removexattr(&f, "user.gone"));
    NEED(store_file_close(&f));
    NEED(store_dir_setxattr(s, "", "user.root", data, 5000));
}

static void fresh(struct store *s) {
    (void)s;
}

static void mixed(struct store *s) {
    some_files(s);
    put(s, "many", 70, FUZZ_BLK / 2, FUZZ_BLK); /* slot, and two log pages */
    cut(s, "many", 9 * FUZZ_BLK + 100);
    long_names(s, 16); /* log pages of the directory, a second table block */
    NEED(store_rename(s, "empty", "renamed"));
    ranges(s);
    attributes(s, "two");
}

/* Every second block in use, so that a write takes many extents; and a log of several pages. */
static void scattered(struct store *s) {
    char name[] = "hole-00";
    for (unsigned i = 0; i < 90; i++) {
        name[5] = (char)('0' + i / 10);
        name[6] = (char)('0' + i % 10);
        put(s, name, 1, 0, FUZZ_BLK);
    }
    put(s, "rest", 6, 16 * FUZZ_BLK, 16 * FUZZ_BLK);
    for (unsigned i = 1; i < 90; i += 2) {
        name[5] = (char)('0' + i / 10);
        name[6] = (char)('0' + i % 10);
        NEED(store_unlink(s, name));
    }
    put(s, "wide", 1, 0, 9 * FUZZ_BLK + 3);
    put(s, "wide", 2, UINT64_C(1) << 50, 20);
    put(s, "long", 150, 7, 7);
}

static void full(struct store *s) {
    struct store_file f;
    some_files(s);
    NEED(store_file_open(s, "big", true, &f));
    for (uint64_t off = 0; store_write(&f, off, data, 16 * FUZZ_BLK) == NOVA_OK; off += 16 * FUZZ_BLK)
        ;
    for (uint64_t off = f.size; store_write(&f, off, data, FUZZ_BLK) == NOVA_OK; off += FUZZ_BLK)
        ;
    NEED(store_file_close(&f));
}

/* The last call is a transaction over several logs: in a pool that was not closed its record stays. */
static void tree(struct store *s) {
    some_files(s);
    NEED(store_mkdir(s, "dir", 0755));
    NEED(store_mkdir(s, "dir/sub", 0700));
    put(s, "dir/inner", 2, FUZZ_BLK, FUZZ_BLK);
    NEED(store_link(s, "dir/inner", "inner"));
    NEED(store_link(s, "dir/inner", "dir/sub/third"));
    NEED(store_unlink(s, "dir/sub/third"));
    NEED(store_symlink(s, data, 200, "dir/sub/symlink"));
    NEED(store_setattr(s, "dir", NOVA_ATTR_MODE | NOVA_ATTR_MTIME | NOVA_ATTR_BTIME, 0700, 0, 0, 0, 12345, 678));
    NEED(store_dir_setxattr(s, "dir", "user.dir", data, 20));
    attributes(s, "inner");
    attributes(s, "dir/sub/symlink");
    NEED(store_rename(s, "small", "dir/sub/small"));
}

/* ---- the same, as bytes ---- */

static struct fmt_inode *slot_of(const struct template *t, uint32_t ino) {
    const fmt_ptr *ptrs = (const fmt_ptr *)(const void *)media_blk(&t->m, t->m.itable_blk);
    uint32_t i = ino / FMT_SLOTS_PER_BLK, blk;
    if (!fmt_ptr_get(&t->m, FMT_TAG_ITABLE, i, 0, 0, ptrs[i], &blk))
        return NULL;
    return (struct fmt_inode *)(void *)(media_blk(&t->m, blk) + (size_t)(ino % FMT_SLOTS_PER_BLK) * FMT_SLOT);
}

static void add_part(struct template *t, enum part_kind kind, const void *at, uint32_t len, uint32_t ino, uint32_t gen,
                     uint32_t home) {
    struct parts *p = &t->parts[kind];
    if (p->n == p->cap) {
        p->cap = p->cap == 0 ? 16 : p->cap * 2;
        p->list = realloc(p->list, p->cap * sizeof *p->list);
        need(p->list != NULL, "memory");
    }
    p->list[p->n++] = (struct part){(uint32_t)media_off(&t->m, at), len, ino, gen, home};
}

static void add_log(struct template *t, struct fmt_inode *slot) {
    struct log log;
    struct log_cursor cur = {0};
    struct log_item item;
    uint32_t ino = slot->ino, gen = slot->gen, last = 0;
    add_part(t, PART_SLOT, slot, FMT_SLOT, ino, gen, 0);
    add_part(t, PART_TAIL, &slot->tail, 8, ino, gen, 0);
    add_part(t, PART_HEAD, &slot->head, 8, ino, gen, 0);
    if (slot->tail == 0)
        return;
    NEED(log_open(&log, &t->m, NULL, slot, NULL));
    while (log_next(&log, &cur, &item, NULL) == NOVA_OK && item.entry != NULL) {
        if (item.entered != 0) {
            struct fmt_page *page = (struct fmt_page *)(void *)media_blk(&t->m, item.entered);
            add_part(t, PART_PAGE_TAIL, &page->tail, sizeof page->tail, ino, gen, 0);
            add_part(t, PART_NEXT, &page->tail.next, 8, ino, gen, item.entered);
            last = item.entered;
        }
        add_part(t, PART_ENTRY, item.entry, item.entry->lines * FMT_LINE, ino, gen, last);
    }
}

static void add_parts(struct template *t) {
    const struct media *m = &t->m;
    add_part(t, PART_SB, t->bytes, sizeof(struct fmt_sb), 0, 0, 0);
    add_part(t, PART_SB, t->bytes + FUZZ_POOL - FUZZ_BLK, sizeof(struct fmt_sb), 0, 0, 0);
    for (uint32_t i = 0; i < 2; i++)
        add_part(t, PART_STATE, media_blk(m, m->state_blk) + i * FMT_STATE_SLOT_OFF, sizeof(struct fmt_state), 0, 0, 0);
    for (uint32_t i = 0; i < journal_records(m); i++)
        if (i == 0 || fmt_journal_ok(m, journal_record(m, i)))
            add_part(t, PART_JOURNAL, journal_record(m, i), FMT_JOURNAL_RECORD, 0, 0, 0);
    for (uint32_t i = 0; i < m->snap_count; i++)
        add_part(t, PART_SNAP, media_blk(m, m->snap_blk + i), sizeof(struct fmt_snap), 0, 0, 0);
    for (uint32_t i = 0; i < 4; i++)
        add_part(t, PART_TABLE_PTR, media_blk(m, m->itable_blk) + i * 8u, 8, i, 0, 0);
    for (uint32_t ino = 1; ino < m->inodes_max; ino++) {
        struct fmt_inode *slot = slot_of(t, ino);
        if (slot == NULL)
            break;
        if (fmt_inode_ok(m, slot, ino))
            add_log(t, slot);
    }
}

static void read_pool(struct template *t, const char *path) {
    bool from_replica;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    t->bytes = aligned_alloc(FUZZ_BLK, FUZZ_POOL);
    need(fd >= 0 && t->bytes != NULL && read(fd, t->bytes, FUZZ_POOL) == (ssize_t)FUZZ_POOL, path);
    close(fd);
    NEED(media_attach(&t->m, t->bytes, FUZZ_POOL, &pmem_ops_cpu, &from_replica, NULL));
}

/* crash: as a crash leaves the pool, with a file that was unlinked while it was open. */
static void make(struct template *t, void (*fill)(struct store *), bool crash) {
    const char *path = store_path("fuzz-template");
    struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED};
    struct store s;
    struct store_file f;
    NEED(nova_pool_create(path, FUZZ_POOL, &opt, NULL));
    NEED(store_open(&s, path, NOVA_OPT_EMULATED));
    fill(&s);
    if (crash) {
        NEED(store_file_open(&s, "orphan", true, &f));
        (void)store_write(&f, 0, "orphan", 6); /* the pool may be full */
        NEED(store_unlink(&s, "orphan"));
        read_pool(t, path);
        NEED(store_file_close(&f));
    }
    NEED(store_close(&s));
    if (!crash)
        read_pool(t, path);
    unlink(path);
    add_parts(t);
}

static const struct {
    void (*fill)(struct store *);
    bool crash;
} kinds[] = {{fresh, false}, {mixed, false}, {mixed, true}, {scattered, false}, {scattered, true},
             {full, false},  {full, true},   {tree, false}, {tree, true}};

#define TEMPLATES (sizeof kinds / sizeof kinds[0])
static struct template templates[TEMPLATES];

uint32_t template_count(void) {
    if (templates[0].bytes == NULL) {
        memset(data, 0x5a, sizeof data);
        for (unsigned i = 0; i < TEMPLATES; i++)
            make(&templates[i], kinds[i].fill, kinds[i].crash);
    }
    return TEMPLATES;
}

struct template *template_get(uint32_t i) {
    return &templates[i];
}
