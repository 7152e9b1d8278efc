/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user of a pool that may be damaged: reads all that it can find, then writes a little. Unlike test/support/store.c,
 * which trusts its pool, this one takes errors for an answer.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attrs.h"
#include "format/layout.h"
#include "fuzz.h"
#include "inode/block_map.h"
#include "inode/dir_map.h"
#include "names.h"

#define INODES_MAX 8192u
#define PAGES_MAX 4096u /* read of one file; only a damaged pool has more */
#define PINNED_MAX 8u   /* pages pinned of one file, from its first one on */
#define MAPPED_MAX 64u  /* pages mapped of one file, from some page of it on */

struct visit {
    nova_pool *pool;
    const uint8_t *base;
    struct nova_pool_info info;
    bool sound; /* fsck found no error */
    struct dir_map names;
    struct attrs attrs; /* of the root directory */
    nova_inode *root;
    struct nova_io io;
    uint16_t refs[INODES_MAX]; /* names of an inode */
    uint32_t dirs[INODES_MAX]; /* found, the root first */
    uint32_t dirs_n;
    uint64_t bytes; /* read */
};

struct file {
    struct visit *v;
    nova_inode *inode;
    struct block_map map;
    struct attrs attrs;
    uint64_t size;
    struct nova_extent frees[256]; /* replaced by the last call; more than a small pool has blocks: dropped */
    uint32_t frees_n;
    struct nova_io io;
};

static volatile uint64_t sink; /* keeps the reads */

/* What a call on the open pool may answer: anything known, but in a sound pool only want1 and want2. */
static int judge(const struct visit *v, const char *call, int rc, const struct nova_error *err, int want1, int want2) {
    fuzz_status(call, rc, err);
    if (v->sound && rc != NOVA_OK && rc != want1 && rc != want2 &&
        !(rc == NOVA_ECORRUPT && strstr(err->msg, "sequence numbers are used up") != NULL))
        fuzz_fail("%s in a sound pool: %s", call, err->msg);
    return rc;
}

/* ---- records ---- */

static void freed(void *arg, uint64_t pgoff, uint32_t blk) {
    struct file *f = arg;
    (void)pgoff;
    if (f->frees_n < sizeof f->frees / sizeof f->frees[0])
        f->frees[f->frees_n++] = (struct nova_extent){blk, 1};
}

static void apply_attr(struct attrs *attrs, const struct nova_record *r) {
    uint32_t len = r->u.xattr.name_len;
    if (len == 0 || len > NOVA_NAME_MAX || memchr(r->u.xattr.name, '\0', len) != NULL)
        fuzz_fail("an attribute with a name of %u bytes", len);
    if (r->u.xattr.value_len > NOVA_XATTR_MAX)
        fuzz_fail("an attribute of %u bytes", r->u.xattr.value_len);
    (void)attrs_apply(attrs, r);
}

static void check_blocks(const struct file *f, const struct nova_record *r) {
    uint64_t blk = r->u.write.blk, count = r->u.write.count, data_end = f->v->info.blocks - 1;
    if (count != 0 && (blk < data_end - f->v->info.blocks_data || blk + count > data_end))
        fuzz_fail("a record of blocks %u+%u", r->u.write.blk, r->u.write.count);
}

/* What a page has already, a log that was cleaned says again. */
static bool set_blocks(struct file *f, const struct nova_record *r, block_map_fn replaced) {
    bool ok = true;
    check_blocks(f, r);
    for (uint32_t i = 0; ok && i < r->u.write.count; i++)
        if (block_map_get(&f->map, r->u.write.pgoff + i) != r->u.write.blk + i)
            ok = block_map_set(&f->map, r->u.write.pgoff + i, r->u.write.blk + i, 1, replaced, f);
    return ok;
}

static void apply_one(struct file *f, const struct nova_record *r, block_map_fn replaced) {
    uint64_t pgoff = r->u.range.pgoff, count = r->u.range.count;
    bool ok = true;
    switch (r->kind) {
    case NOVA_REC_SETATTR:
    case NOVA_REC_LINK: return;
    case NOVA_REC_XATTR: apply_attr(&f->attrs, r); return;
    case NOVA_REC_WRITE:
    case NOVA_REC_ALLOC: ok = set_blocks(f, r, replaced); break;
    case NOVA_REC_TRUNCATE:
        block_map_truncate(&f->map, (r->u.write.size + FUZZ_BLK - 1) / FUZZ_BLK, replaced, f);
        break;
    case NOVA_REC_HOLE: block_map_unmap(&f->map, pgoff, count, replaced, f); break;
    case NOVA_REC_COLLAPSE: ok = block_map_collapse(&f->map, pgoff, count, replaced, f); break;
    case NOVA_REC_INSERT: ok = block_map_insert(&f->map, pgoff, count); break;
    default: fuzz_fail("a record of kind %u in a file", r->kind);
    }
    if (!ok)
        fuzz_fail("no memory");
    f->size = r->u.write.size; /* where a range has it, too */
    if (f->size > (uint64_t)NOVA_FILE_SIZE_MAX)
        fuzz_fail("a record of size %llu", (unsigned long long)f->size);
}

static void check_lines(const struct nova_record *r, uint32_t i, uint32_t n) {
    if (r[i].lines < 1 || r[i].lines > NOVA_RECORDS_MAX || i + r[i].lines > n)
        fuzz_fail("a record of kind %u, %u lines", r[i].kind, r[i].lines);
}

static void apply(struct file *f, const struct nova_record *r, uint32_t n, block_map_fn replaced) {
    for (uint32_t i = 0; i < n; i += r[i].lines) {
        check_lines(r, i, n);
        apply_one(f, &r[i], replaced);
    }
}

static void apply_names(struct dir_map *names, struct attrs *attrs, const struct nova_record *r, uint32_t n) {
    for (uint32_t i = 0; i < n; i += r[i].lines) {
        check_lines(r, i, n);
        if (r[i].kind == NOVA_REC_XATTR)
            apply_attr(attrs, &r[i]);
        if (r[i].kind == NOVA_REC_SETATTR || r[i].kind == NOVA_REC_XATTR)
            continue;
        const char *name = r[i].u.dentry.name;
        uint32_t len = r[i].u.dentry.name_len;
        if (len == 0 || len > NOVA_NAME_MAX || memchr(name, '/', len) != NULL || memchr(name, '\0', len) != NULL)
            fuzz_fail("a name of %u bytes", len);
        if (r[i].kind == NOVA_REC_DENTRY_REMOVE)
            (void)dir_map_remove(names, name, (uint8_t)len);
        else if (r[i].kind != NOVA_REC_DENTRY_ADD || !dir_map_put(names, name, (uint8_t)len, r[i].u.dentry.ino,
                                                                  r[i].u.dentry.gen, (uint8_t)r[i].u.dentry.type))
            fuzz_fail("a record of kind %u in a directory", r[i].kind);
    }
}

/* ---- reading ---- */

static void read_attrs(const struct visit *v, nova_inode *inode, const struct attrs *attrs) {
    static uint8_t value[NOVA_XATTR_MAX];
    struct nova_error err = {0};
    for (uint32_t i = 0; i < attrs->n; i++) {
        const struct attr *a = &attrs->attr[i];
        uint32_t len = 0;
        int rc = nova_xattr_read(inode, a->log_blk, a->log_idx, value, sizeof value, &len, &err);
        if (judge(v, "nova_xattr_read", rc, &err, 0, 0) == NOVA_OK && len != a->value_len)
            fuzz_fail("an attribute of %u bytes is read as %u", a->value_len, len);
    }
}

static int open_dir(struct visit *v, uint32_t ino, uint32_t gen, nova_inode **dir, struct dir_map *names,
                    struct attrs *attrs) {
    struct nova_error err = {0};
    struct nova_record rec[32];
    int rc = judge(v, "nova_inode_open", nova_inode_open(v->pool, ino, gen, dir, &err), &err, 0, 0);
    if (rc != NOVA_OK)
        return rc;
    struct nova_stat st;
    (void)nova_inode_stat(*dir, &st);
    while (rc == NOVA_OK && st.type == NOVA_DIR) {
        rc = judge(v, "nova_replay", nova_replay(*dir, rec, 32, &v->io), &v->io.err, 0, 0);
        apply_names(names, attrs, rec, v->io.record_count);
        if (rc == NOVA_OK && v->io.more == 0) {
            read_attrs(v, *dir, attrs);
            return NOVA_OK;
        }
    }
    (void)nova_inode_close(*dir, NULL);
    *dir = NULL;
    return rc != NOVA_OK ? rc : NOVA_ENOTDIR;
}

static int open_file(struct visit *v, uint32_t ino, uint32_t gen, struct file *f) {
    struct nova_error err = {0};
    struct nova_record rec[16];
    memset(f, 0, offsetof(struct file, frees));
    f->frees_n = 0;
    f->io.free_count = 0;
    f->v = v;
    block_map_init(&f->map);
    int rc = judge(v, "nova_inode_open", nova_inode_open(v->pool, ino, gen, &f->inode, &err), &err, 0, 0);
    if (rc != NOVA_OK)
        return rc;
    struct nova_stat st;
    (void)nova_inode_stat(f->inode, &st);
    rc = st.type != NOVA_DIR ? NOVA_OK : NOVA_EISDIR;
    while (rc == NOVA_OK) {
        rc = judge(v, "nova_replay", nova_replay(f->inode, rec, 16, &f->io), &f->io.err, 0, 0);
        apply(f, rec, f->io.record_count, NULL);
        if (rc == NOVA_OK && f->io.more == 0)
            return NOVA_OK;
    }
    block_map_free(&f->map);
    attrs_free(&f->attrs);
    (void)nova_inode_close(f->inode, NULL);
    return rc;
}

static void close_file(struct file *f) {
    struct nova_error err = {0};
    block_map_free(&f->map);
    attrs_free(&f->attrs);
    judge(f->v, "nova_inode_close", nova_inode_close(f->inode, &err), &err, 0, 0);
}

struct reading {
    struct file *f;
    uint32_t pages;
};

static void read_page(void *arg, uint64_t pgoff, uint32_t blk) {
    struct reading *r = arg;
    static const uint8_t zero[NOVA_BLOCK_SIZE];
    if (r->pages++ >= PAGES_MAX)
        return;
    uint64_t sum = 0, word;
    for (unsigned i = 0; i < FUZZ_BLK; i += 512) {
        memcpy(&word, r->f->v->base + blk * FUZZ_BLK + i, sizeof word);
        sum += word;
    }
    sink += sum;
    if (r->f->v->sound && pgoff * FUZZ_BLK >= r->f->size &&
        memcmp(r->f->v->base + blk * FUZZ_BLK, zero, sizeof zero) != 0)
        fuzz_fail("stale page %llu of a file of %llu bytes", (unsigned long long)pgoff, (unsigned long long)r->f->size);
}

/* ---- mapping ---- */

static sigjmp_buf on_bus;

static void bus(int sig) {
    (void)sig;
    siglongjmp(on_bus, 1);
}

static bool raises_bus(const volatile uint8_t *at) {
    struct sigaction act = {.sa_handler = bus}, old;
    sigaction(SIGBUS, &act, &old);
    bool raised = sigsetjmp(on_bus, 1) != 0;
    if (!raised)
        sink += *at;
    sigaction(SIGBUS, &old, NULL);
    return raised;
}

/* Maps some of the file, that is not empty, and the page behind its end. NULL: it is not to be had. */
static nova_region *map_some(struct file *f, uint64_t *first, uint64_t *n, const volatile uint8_t **addr) {
    struct nova_error err = {0};
    struct nova_region_stat st;
    nova_region *region;
    uint64_t pages = (f->size + FUZZ_BLK - 1) / FUZZ_BLK;
    *first = pages > MAPPED_MAX ? pages - MAPPED_MAX : 0;
    *n = pages - *first;
    if (f->size > (uint64_t)NOVA_FILE_SIZE_MAX - 2 * FUZZ_BLK)
        return NULL;
    int rc = nova_map(f->inode, *first * FUZZ_BLK, (*n + 1) * FUZZ_BLK, NOVA_MAP_WRITE, NULL, &region, &err);
    if (judge(f->v, "nova_map", rc, &err, NOVA_EISDIR, 0) != NOVA_OK)
        return NULL;
    (void)nova_region_stat(region, &st);
    *addr = (const volatile uint8_t *)(uintptr_t)st.addr;
    return region;
}

/* All regions show what an index leads to. Only loads: blocks may be anybody's. */
static void check_pages(const struct file *f, const volatile uint8_t *addr, uint64_t first, uint64_t n) {
    for (uint64_t i = 0; i < n; i++) {
        uint32_t blk = block_map_get(&f->map, first + i);
        uint8_t want = blk == 0 ? 0 : f->v->base[blk * FUZZ_BLK];
        if (addr[i * FUZZ_BLK] != want)
            fuzz_fail("page %llu is mapped to another block than %u", (unsigned long long)(first + i), blk);
    }
    if (!raises_bus(addr + n * FUZZ_BLK))
        fuzz_fail("a page beyond the end of a file of %llu bytes can be loaded", (unsigned long long)f->size);
}

static void read_mapped(struct file *f, uint32_t turn) {
    struct nova_error err = {0};
    const volatile uint8_t *addr;
    uint64_t first, n;
    if (f->size == 0)
        return;
    nova_region *region = map_some(f, &first, &n, &addr);
    if (region == NULL)
        return;
    if (turn % 2 == 0) {
        int rc = nova_populate(region, 0, n * FUZZ_BLK, 0, &err);
        judge(f->v, "nova_populate", rc, &err, 0, 0);
    }
    check_pages(f, addr, first, n);
    nova_region_free(region);
}

static void read_file(struct visit *v, const struct dir_name *n) {
    static struct file f;
    if (open_file(v, n->ino, n->gen, &f) != NOVA_OK)
        return;
    struct reading r = {.f = &f};
    block_map_each(&f.map, read_page, &r);
    if (v->sound && r.pages > v->info.blocks)
        fuzz_fail("inode %u has %u pages", n->ino, r.pages);
    read_attrs(v, f.inode, &f.attrs);
    if (n->type == NOVA_FILE)
        read_mapped(&f, n->ino);
    v->bytes += f.size;
    close_file(&f);
}

/* What a directory's names refer to. Directories are visited later. */
static void read_names(struct visit *v, const struct dir_map *names) {
    uint32_t it = 0;
    for (const struct dir_name *n; (n = dir_map_next(names, &it)) != NULL;) {
        if (n->ino >= INODES_MAX || v->refs[n->ino]++ != 0)
            continue;
        if (n->type == NOVA_DIR)
            v->dirs[v->dirs_n++] = n->ino;
        else
            read_file(v, n);
    }
}

static void read_all(struct visit *v) {
    read_names(v, &v->names);
    for (uint32_t i = 0; i < v->dirs_n; i++) {
        struct dir_map names;
        struct attrs attrs = {0};
        nova_inode *dir = NULL;
        dir_map_init(&names);
        if (open_dir(v, v->dirs[i], 0, &dir, &names, &attrs) == NOVA_OK)
            read_names(v, &names);
        dir_map_free(&names);
        attrs_free(&attrs);
        (void)nova_inode_close(dir, NULL);
    }
}

/* ---- writing ---- */

static const uint8_t bytes[20 * NOVA_BLOCK_SIZE] = {1, 2, 3};

/* Takes the records of a call into the map, and gives back what they replaced. */
static int settle(struct file *f, const char *call, int rc) {
    struct nova_error err = {0};
    struct nova_record rec[16];
    judge(f->v, call, rc, &f->io.err, NOVA_ENOSPC, NOVA_EFBIG);
    if (rc != NOVA_OK)
        return rc;
    f->frees_n = 0;
    if (f->io.more == 0)
        apply(f, f->io.records, f->io.record_count, freed);
    while (rc == NOVA_OK && f->io.more != 0) {
        rc = judge(f->v, "nova_replay", nova_replay(f->inode, rec, 16, &f->io), &f->io.err, 0, 0);
        apply(f, rec, f->io.record_count, freed);
    }
    int free_rc = nova_free(f->v->pool, f->frees, f->frees_n, &err);
    if (free_rc != NOVA_EINVAL || f->v->sound) /* of a damaged pool a block may be anywhere */
        judge(f->v, "nova_free", free_rc, &err, 0, 0);
    return rc;
}

static uint32_t blk_at(const struct file *f, uint64_t off) {
    return block_map_get(&f->map, off / FUZZ_BLK);
}

static uint32_t eof_blk(const struct file *f) {
    return f->size % FUZZ_BLK == 0 ? 0 : blk_at(f, f->size);
}

static int write_at(struct file *f, uint64_t off, uint64_t len) {
    return settle(f, "nova_write",
                  nova_write(f->inode, off, bytes, len, blk_at(f, off), blk_at(f, off + len - 1), eof_blk(f), &f->io));
}

/* The same in two steps, the second half first. */
static void write_pieces(struct file *f, uint64_t off, uint64_t len) {
    nova_intent *in;
    int rc = nova_write_begin(f->inode, off, len, blk_at(f, off), blk_at(f, off + len - 1), eof_blk(f), &f->io, &in);
    if (rc == NOVA_OK) {
        (void)nova_write_fill(in, len / 2, bytes, len - len / 2, &f->io);
        (void)nova_write_fill(in, 0, bytes, len / 2, &f->io);
        rc = nova_write_commit(in, &f->io);
    }
    settle(f, "nova_write_commit", rc);
}

/* A page of bytes between two holes. */
static void write_sparse(struct file *f) {
    static const struct nova_run holes[] = {{1, 1}, {3, 2}};
    nova_intent *in;
    int rc = nova_write_begin_sparse(f->inode, 100, 5 * FUZZ_BLK - 100, holes, 2, blk_at(f, 100),
                                     blk_at(f, 5 * FUZZ_BLK - 1), eof_blk(f), &f->io, &in);
    if (rc == NOVA_OK) {
        (void)nova_write_fill(in, 0, bytes, FUZZ_BLK - 100, &f->io);
        (void)nova_write_fill(in, 2 * FUZZ_BLK - 100, bytes, FUZZ_BLK, &f->io);
        rc = nova_write_commit(in, &f->io);
    }
    settle(f, "nova_write_commit", rc);
}

static int truncate_to(struct file *f, uint64_t size) {
    return settle(f, "nova_truncate", nova_truncate(f->inode, size, eof_blk(f), &f->io));
}

static void change_ranges(struct file *f) {
    uint64_t end = f->size / FUZZ_BLK * FUZZ_BLK;
    struct nova_run run = {end / FUZZ_BLK + 2, 3};
    write_sparse(f);
    settle(f, "nova_punch",
           nova_punch(f->inode, 100, 2 * FUZZ_BLK, blk_at(f, 100), blk_at(f, 99 + 2 * FUZZ_BLK), 1, &f->io));
    settle(f, "nova_allocate", nova_allocate(f->inode, &run, 1, f->size, eof_blk(f), &f->io));
    if (f->size > 0)
        settle(f, "nova_insert", nova_insert(f->inode, 0, FUZZ_BLK, &f->io));
    if (f->size > 2 * FUZZ_BLK)
        settle(f, "nova_collapse", nova_collapse(f->inode, FUZZ_BLK, FUZZ_BLK, &f->io));
}

static void change_times(struct file *f) {
    settle(f, "nova_setattr",
           nova_setattr(f->inode, NOVA_ATTR_ATIME | NOVA_ATTR_KEEP_CTIME, 0, 0, 0, 12345, 0, 0, &f->io));
    settle(f, "nova_setattr",
           nova_setattr(f->inode, NOVA_ATTR_ATIME | NOVA_ATTR_MTIME | NOVA_ATTR_BTIME, 0, 0, 0, 1, 12345, 678, &f->io));
}

/* Every second one is removed, and one is set. */
static void change_attrs(struct file *f) {
    uint32_t n = f->attrs.n;
    for (uint32_t i = 0; i < n; i += 2) {
        char name[NOVA_NAME_MAX + 1];
        if (i >= f->attrs.n || memchr(f->attrs.attr[i].name, '\0', f->attrs.attr[i].name_len) != NULL)
            break;
        memcpy(name, f->attrs.attr[i].name, sizeof name);
        settle(f, "nova_removexattr", attrs_remove(&f->attrs, f->inode, name, &f->io));
    }
    settle(f, "nova_setxattr", attrs_set(&f->attrs, f->inode, "user.small", bytes, 9, &f->io));
    settle(f, "nova_setxattr", attrs_set(&f->attrs, f->inode, "user.small", bytes, 9000, &f->io));
}

/* A store to a page that surely has a block, and what a call makes of it when its view lacks that block. */
static void change_mapped(struct file *f, nova_region *region, uint8_t *addr, uint64_t n) {
    struct nova_error err = {0};
    int rc = nova_populate(region, 0, n * FUZZ_BLK, 1, &err);
    if (judge(f->v, "nova_populate", rc, &err, NOVA_ENOSPC, 0) != NOVA_OK || n == 0)
        return;
    addr[0] = 1;
    judge(f->v, "nova_force", nova_force(region, 0, n * FUZZ_BLK, &err), &err, 0, 0);
    write_at(f, f->size / 2, 100);
    f->io.more = 1; /* had it no space, the view still lacks them */
    settle(f, "nova_replay", NOVA_OK);
}

/* Writes beneath pinned pages, which the file then loses. */
static void change_pinned(struct file *f) {
    struct nova_error err = {0};
    nova_pinned *pinned;
    uint64_t at, size = f->size, n = (size + FUZZ_BLK - 1) / FUZZ_BLK;
    n = n < PINNED_MAX ? n : PINNED_MAX;
    if (n == 0)
        return;
    int rc = nova_pin(f->inode, 0, n * FUZZ_BLK, NULL, &pinned, &at, &err);
    judge(f->v, "nova_pin", rc, &err, NOVA_ENOSPC, NOVA_EBUSY);
    f->io.more = 1; /* pages may have moved, even if not all have */
    bool seen = settle(f, "nova_replay", NOVA_OK) == NOVA_OK && f->io.more == 0;
    if (rc != NOVA_OK)
        return;
    for (uint64_t i = 0; seen && i < n; i++)
        if (block_map_get(&f->map, i) != at / FUZZ_BLK + i)
            fuzz_fail("page %llu is not pinned at byte %llu", (unsigned long long)i, (unsigned long long)at);
    write_at(f, 0, 100);
    judge(f->v, "nova_pin_force", nova_pin_force(f->inode, pinned, &err), &err, 0, 0);
    truncate_to(f, size / 2);
    truncate_to(f, size);
    write_at(f, size / 2, 100);
    nova_unpin(pinned);
}

struct keeping {
    struct nova_keep keep[NOVA_KEEP_MAX];
    uint32_t n;
    bool full;
};

static void keep_page(void *arg, uint64_t pgoff, uint32_t blk) {
    struct keeping *k = arg;
    struct nova_keep *last = &k->keep[k->n == 0 ? 0 : k->n - 1];
    if (k->n != 0 && last->at + last->count == pgoff && last->blk + last->count == blk)
        last->count++;
    else if (k->n < NOVA_KEEP_MAX)
        k->keep[k->n++] = (struct nova_keep){pgoff, blk, 1};
    else
        k->full = true;
}

static void keep_all(const struct file *f, struct keeping *k) {
    *k = (struct keeping){.n = 0};
    block_map_each(&f->map, keep_page, k);
    for (uint32_t i = 0; i < f->attrs.n; i++) {
        const struct attr *a = &f->attrs.attr[i];
        if (k->n < NOVA_KEEP_MAX)
            k->keep[k->n++] = (struct nova_keep){a->log_idx, a->log_blk, 0};
        else
            k->full = true;
    }
}

/* All that counts is appended again; what lies in front of the page that held the log's end before goes; and the rest
 * back into the slot, if it is one page and fits. */
static void clean(struct file *f) {
    static struct nova_record rec[NOVA_PAGE_RECORDS];
    static struct keeping k;
    if (settle(f, "nova_setattr", nova_setattr(f->inode, NOVA_ATTR_MTIME, 0, 0, 0, 0, 777, 0, &f->io)) != NOVA_OK)
        return;
    uint32_t page = f->io.record_count == 0 ? 0 : f->io.records[0].log_blk;
    judge(f->v, "nova_clean_read", nova_clean_read(f->inode, page, UINT64_MAX, 0, 0, rec, NOVA_PAGE_RECORDS, &f->io),
          &f->io.err, 0, 0);
    for (uint64_t odd = 0xaaaaaaaaaaaaaaaa, i = 0; i < 2; i++, odd = ~odd) /* some in the middle of entries */
        judge(f->v, "nova_clean_read",
              nova_clean_read(f->inode, page, odd, page, UINT64_MAX, rec, NOVA_PAGE_RECORDS, &f->io), &f->io.err,
              NOVA_ECORRUPT, 0);
    keep_all(f, &k);
    if (page == 0 || k.full ||
        settle(f, "nova_clean_append", nova_clean_append(f->inode, k.keep, k.n, &f->io)) != NOVA_OK)
        return;
    int rc = nova_clean_gather(f->inode, k.keep, k.n, &f->io);
    if (rc != NOVA_EINVAL && settle(f, "nova_clean_gather", rc) != NOVA_OK)
        return;
    rc = judge(f->v, "nova_clean_cut", nova_clean_cut(f->inode, 0, page, &f->io), &f->io.err, NOVA_EINVAL, 0);
    keep_all(f, &k);
    if (rc != NOVA_OK || k.n > FMT_INLINE_LINES)
        return;
    rc = nova_clean_restart(f->inode, k.keep, k.n, &f->io);
    if (rc != NOVA_EINVAL)
        settle(f, "nova_clean_restart", rc);
}

static void change_file(struct file *f) {
    uint64_t size = f->size, first, n;
    const volatile uint8_t *addr;
    write_at(f, size < 50 ? 0 : size - 50, 100);
    nova_region *region = f->size == 0 ? NULL : map_some(f, &first, &n, &addr);
    write_at(f, f->size, 10);
    write_at(f, f->size + 5, 10);
    write_pieces(f, size / 2 + 7, sizeof bytes);
    write_at(f, f->size + 3 * FUZZ_BLK + 5, 100);
    truncate_to(f, f->size + 5000);
    if (region != NULL && first == 0)
        change_mapped(f, region, (uint8_t *)(uintptr_t)addr, n);
    change_pinned(f);
    truncate_to(f, size / 2);
    write_at(f, 0, FUZZ_BLK);
    truncate_to(f, size);
    change_ranges(f);
    change_attrs(f);
    change_times(f);
    clean(f);
    nova_region_free(region);
}

static int names_call(struct visit *v, const char *call, int rc) {
    judge(v, call, rc, &v->io.err, NOVA_ENOSPC, NOVA_ELINKED);
    if (rc == NOVA_OK)
        apply_names(&v->names, &v->attrs, v->io.records, v->io.record_count);
    return rc;
}

/* An inode has lost a name: its last one, if the names that were read are all. */
static void drop_ref(struct visit *v, uint32_t ino, uint32_t gen) {
    struct nova_error err = {0};
    if (ino < INODES_MAX && v->refs[ino] > 1)
        v->refs[ino]--;
    else
        judge(v, "nova_inode_release", nova_inode_release(v->pool, ino, gen, &err), &err, 0, 0);
}

static void unlink_name(struct visit *v, const struct dir_name *n) {
    char name[NOVA_NAME_MAX];
    uint32_t len = n->name_len, ino = n->ino, gen = n->gen;
    memcpy(name, n->name, len);
    if (names_call(v, "nova_unlink", flat_unlink(v->root, name, len, ino, gen, &v->io)) == NOVA_OK)
        drop_ref(v, ino, gen);
}

/* A new file takes the place of an old one. */
static void replace(struct visit *v, const struct dir_name *old) {
    static struct file f;
    char to[NOVA_NAME_MAX];
    uint32_t to_len = old->name_len, old_ino = old->ino, old_gen = old->gen;
    memcpy(to, old->name, to_len);
    if (dir_map_get(&v->names, "fuzz", 4) != NULL)
        return;
    if (names_call(v, "nova_create", flat_create(v->root, "fuzz", 4, NOVA_FILE, 0644, &v->io)) != NOVA_OK)
        return;
    const struct dir_name *n = dir_map_get(&v->names, "fuzz", 4);
    uint32_t ino = n->ino, gen = n->gen;
    if (ino < INODES_MAX)
        v->refs[ino] = 1;
    if (open_file(v, ino, gen, &f) == NOVA_OK) {
        if (f.size != 0 || f.map.pages != 0)
            fuzz_fail("a new file is not empty");
        change_file(&f);
        close_file(&f);
    }
    if (ino == old_ino) /* in a damaged pool the old name names a free inode */
        return;
    const struct nova_name from = {
        .dir = v->root, .name = "fuzz", .len = 4, .ino = ino, .gen = gen, .type = NOVA_FILE, .io = &v->io};
    const struct nova_name onto = {
        .dir = v->root, .name = to, .len = to_len, .ino = old_ino, .gen = old_gen, .type = NOVA_FILE, .io = &v->io};
    if (names_call(v, "nova_rename", nova_rename(&from, &onto)) == NOVA_OK)
        drop_ref(v, old_ino, old_gen);
}

/* The k-th file of the root directory, NULL if there is none. */
static const struct dir_name *pick(const struct visit *v, uint32_t k) {
    const struct dir_name *n, *found = NULL;
    for (uint32_t it = 0, i = 0; (n = dir_map_next(&v->names, &it)) != NULL;)
        if (n->type == NOVA_FILE && (found == NULL || i++ < k))
            found = n;
    return found;
}

static void write_some(struct visit *v, uint8_t what) {
    static struct file f;
    const struct dir_name *n = pick(v, what & 15);
    if (n == NULL)
        return;
    if ((what & 16) != 0 && open_file(v, n->ino, n->gen, &f) == NOVA_OK) {
        change_file(&f);
        if ((what & 32) != 0) /* while it is open */
            unlink_name(v, n);
        close_file(&f);
    }
    if ((what & 64) != 0 && (n = pick(v, (what & 15) + 1u)) != NULL)
        replace(v, n);
    if ((what & 128) != 0 && (n = pick(v, (what & 15) / 2u)) != NULL)
        unlink_name(v, n);
}

/* ---- all of it ---- */

static void check_sums(const struct visit *v, const struct nova_fsck_summary *sum) {
    if (v->bytes != sum->bytes)
        fuzz_fail("files of %llu bytes in all, fsck found %llu", (unsigned long long)v->bytes,
                  (unsigned long long)sum->bytes);
    if (v->info.blocks_free != sum->blocks_free || v->info.blocks_data != sum->blocks_total)
        fuzz_fail("opened with %llu of %llu blocks free, fsck found %llu of %llu",
                  (unsigned long long)v->info.blocks_free, (unsigned long long)v->info.blocks_data,
                  (unsigned long long)sum->blocks_free, (unsigned long long)sum->blocks_total);
}

int visit_pool(const char *path, const uint8_t *base, uint8_t what, const struct nova_fsck_summary *sum,
               uint64_t *free_blks) {
    static struct visit v;
    struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED, .lanes = 1, .recovery_threads = 1};
    struct nova_error err = {0};
    memset(&v, 0, sizeof v);
    v.base = base;
    v.sound = sum != NULL;
    int opened = judge(&v, "nova_pool_open", nova_pool_open(path, &opt, &v.pool, &err), &err, 0, 0);
    if (opened != NOVA_OK)
        return opened;
    (void)nova_pool_info(v.pool, &v.info);
    dir_map_init(&v.names);
    if (open_dir(&v, NOVA_ROOT_INO, 0, &v.root, &v.names, &v.attrs) == NOVA_OK) {
        read_all(&v);
        if (sum != NULL)
            check_sums(&v, sum);
        if (what != 0)
            write_some(&v, what);
    }
    dir_map_free(&v.names);
    attrs_free(&v.attrs);
    (void)nova_pool_info(v.pool, &v.info);
    *free_blks = v.info.blocks_free;
    if (v.info.blocks_free > v.info.blocks_data)
        fuzz_fail("%llu of %llu blocks are free", (unsigned long long)v.info.blocks_free,
                  (unsigned long long)v.info.blocks_data);
    judge(&v, "nova_pool_close", nova_pool_close(v.pool, &err), &err, 0, 0);
    return NOVA_OK;
}
