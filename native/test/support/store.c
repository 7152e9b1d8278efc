/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/handles.h"
#include "store.h"

#define BLK ((uint64_t)NOVA_BLOCK_SIZE)

const char *store_path(const char *tag) {
    static char buf[8][128];
    static int n;
    char *p = buf[n++ % 8];
    const char *dir = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(p, sizeof buf[0], "%s/jnova-test-%d-%s", dir, (int)getpid(), tag);
    unlink(p);
    return p;
}

void store_one_processor(void) {
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET((unsigned)sched_getcpu(), &here);
    if (sched_setaffinity(0, sizeof here, &here) != 0)
        abort();
}

/* Brings an index up to the log's end, and releases what the entries replaced. */
struct frees {
    struct nova_extent *ext;
    uint32_t n, cap;
};

static void freed(void *arg, uint64_t pgoff, uint32_t blk) {
    struct frees *f = arg;
    (void)pgoff;
    if (f->n != 0 && f->ext[f->n - 1].blk + f->ext[f->n - 1].count == blk) {
        f->ext[f->n - 1].count++;
        return;
    }
    if (f->n == f->cap) {
        f->cap = f->cap == 0 ? 16 : f->cap * 2;
        f->ext = realloc(f->ext, f->cap * sizeof *f->ext);
        if (f->ext == NULL)
            abort();
    }
    f->ext[f->n++] = (struct nova_extent){blk, 1};
}

/* Pages that are these blocks already stay as they are: what cleaning a log appends again frees nothing. */
static bool set_blocks(struct block_map *map, const struct nova_record *r, block_map_fn gone, void *arg) {
    bool ok = true;
    for (uint32_t i = 0; ok && i < r->u.write.count; i++)
        if (block_map_get(map, r->u.write.pgoff + i) != r->u.write.blk + i)
            ok = block_map_set(map, r->u.write.pgoff + i, r->u.write.blk + i, 1, gone, arg);
    return ok;
}

static void apply_one(struct store_file *f, const struct nova_record *r, struct frees *frees) {
    block_map_fn gone = frees ? freed : NULL;
    bool ok = true;
    switch (r->kind) {
    case NOVA_REC_WRITE:
    case NOVA_REC_ALLOC: ok = set_blocks(&f->map, r, gone, frees); break;
    case NOVA_REC_TRUNCATE: block_map_truncate(&f->map, (r->u.write.size + BLK - 1) / BLK, gone, frees); break;
    case NOVA_REC_HOLE: block_map_unmap(&f->map, r->u.range.pgoff, r->u.range.count, gone, frees); break;
    case NOVA_REC_COLLAPSE: ok = block_map_collapse(&f->map, r->u.range.pgoff, r->u.range.count, gone, frees); break;
    case NOVA_REC_INSERT: ok = block_map_insert(&f->map, r->u.range.pgoff, r->u.range.count); break;
    default:
        if (!attrs_apply(&f->attrs, r) && !f->inode->log.slot_cut)
            f->store->strays++;
        return;
    }
    if (!ok)
        abort();
    f->size = r->u.write.size; /* where a range has it, too */
}

static void apply(struct store_file *f, const struct nova_record *r, uint32_t n, struct frees *frees) {
    for (uint32_t i = 0; i < n; i += r[i].lines)
        apply_one(f, &r[i], frees);
}

static uint64_t appended(const struct store_file *f) {
    return f->appended == NULL ? 0 : __atomic_load_n(f->appended, __ATOMIC_SEQ_CST);
}

static int replay_rest(struct store_file *f, struct frees *frees) {
    struct nova_record rec[64];
    int rc;
    f->seen = appended(f);
    do {
        rc = nova_replay(f->inode, rec, 64, &f->io);
        if (rc != NOVA_OK)
            return rc;
        apply(f, rec, f->io.record_count, frees);
    } while (f->io.more);
    return NOVA_OK;
}

int store_done(struct store_file *f, int rc) {
    struct frees frees = {0};
    if (rc != NOVA_OK) {
        f->store->err = f->io.err;
        return rc;
    }
    if (f->io.more)
        rc = replay_rest(f, &frees);
    else
        apply(f, f->io.records, f->io.record_count, &frees);
    if (rc == NOVA_OK)
        rc = nova_free(f->store->pool, frees.ext, frees.n, &f->store->err);
    free(frees.ext);
    return rc;
}

int store_catch_up(struct store_file *f) {
    if (f->seen == appended(f))
        return NOVA_OK;
    f->io.more = 1;
    return store_done(f, NOVA_OK);
}

/* What tests emulate elsewhere is real on a DAX file system: where they are to run on one (test/power/dax_tests.sh),
 * NOVA_TEST_DURABILITY=PMEM makes sure that they do. */
static void durability_is_as_expected(nova_pool *pool) {
    const char *want = getenv("NOVA_TEST_DURABILITY");
    struct nova_pool_info info;
    if (want == NULL || strcmp(want, "PMEM") != 0)
        return;
    nova_pool_info(pool, &info);
    if (info.durability != NOVA_DURABLE_PMEM) {
        fprintf(stderr, "the pool is not on persistent memory, but open with durability %u\n", info.durability);
        abort();
    }
}

int store_open(struct store *s, const char *path, uint32_t flags) {
    struct nova_pool_options opt = {.flags = flags};
    return store_open_with(s, path, &opt);
}

int store_open_with(struct store *s, const char *path, const struct nova_pool_options *opt) {
    memset(s, 0, sizeof *s);
    int rc = nova_pool_open(path, opt, &s->pool, &s->err);
    if (rc != NOVA_OK)
        return rc;
    if ((opt->flags & NOVA_OPT_EMULATED) != 0)
        durability_is_as_expected(s->pool);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        abort();
    s->len = (uint64_t)st.st_size;
    void *p = mmap(NULL, s->len, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (p == MAP_FAILED)
        abort();
    s->base = p;
    dir_map_init(&s->names);
    rc = nova_inode_open(s->pool, NOVA_ROOT_INO, 0, &s->root, &s->err);
    if (rc == NOVA_OK) {
        rc = store_replay_dir(s->root, &s->names, &s->root_attrs, &s->io, &s->strays);
        if (rc != NOVA_OK)
            s->err = s->io.err;
    }
    if (rc != NOVA_OK) {
        struct nova_error why = s->err;
        store_close(s);
        s->err = why;
    }
    return rc;
}

int store_close(struct store *s) {
    dir_map_free(&s->names);
    attrs_free(&s->root_attrs);
    while (s->dirs != NULL) { /* their handles go with the pool */
        struct store_dir *d = s->dirs;
        s->dirs = d->next;
        dir_map_free(&d->names);
        attrs_free(&d->attrs);
        free(d);
    }
    munmap((void *)(uintptr_t)s->base, s->len);
    return nova_pool_close(s->pool, &s->err);
}

int store_file_open_ino(struct store *s, uint32_t ino, uint32_t gen, struct store_file *f) {
    memset(f, 0, sizeof *f);
    f->store = s;
    block_map_init(&f->map);
    int rc = nova_inode_open(s->pool, ino, gen, &f->inode, &s->err);
    if (rc != NOVA_OK)
        return rc;
    rc = replay_rest(f, NULL); /* what old entries replaced is free long since */
    if (rc != NOVA_OK) {
        struct nova_error why = f->io.err;
        store_file_close(f);
        s->err = why;
    }
    return rc;
}

int store_file_open(struct store *s, const char *path, bool create, struct store_file *f) {
    struct dir_name d;
    int rc = store_lookup(s, path, &d);
    if (rc == NOVA_ENOENT && create) {
        rc = store_create(s, path, 0644);
        if (rc == NOVA_OK)
            rc = store_lookup(s, path, &d);
    }
    if (rc == NOVA_OK && d.type == NOVA_DIR)
        rc = NOVA_EISDIR;
    return rc == NOVA_OK ? store_file_open_ino(s, d.ino, d.gen, f) : rc;
}

int store_file_close(struct store_file *f) {
    int rc = f->appended == NULL ? NOVA_OK : store_catch_up(f); /* what moves replaced is given back */
    block_map_free(&f->map);
    attrs_free(&f->attrs);
    int close_rc = nova_inode_close(f->inode, &f->store->err);
    free(f->appended);
    f->appended = NULL;
    return rc != NOVA_OK ? rc : close_rc;
}

static uint32_t blk_at(const struct store_file *f, uint64_t off) {
    return block_map_get(&f->map, off / BLK);
}

static uint32_t eof_blk(const struct store_file *f) {
    return f->size % BLK == 0 ? 0 : blk_at(f, f->size);
}

int store_write(struct store_file *f, uint64_t off, const void *src, uint64_t len) {
    return store_done(
        f, nova_write(f->inode, off, src, len, blk_at(f, off), blk_at(f, off + len - 1), eof_blk(f), &f->io));
}

int store_write_pieces(struct store_file *f, uint64_t off, const void *src, uint64_t len, uint64_t piece,
                       bool backwards) {
    nova_intent *in;
    int rc = nova_write_begin(f->inode, off, len, blk_at(f, off), blk_at(f, off + len - 1), eof_blk(f), &f->io, &in);
    if (rc != NOVA_OK)
        return store_done(f, rc);
    uint64_t n = (len + piece - 1) / piece;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t rel = (backwards ? n - 1 - i : i) * piece;
        uint64_t part = len - rel < piece ? len - rel : piece;
        rc = nova_write_fill(in, rel, (const uint8_t *)src + rel, part, &f->io);
        if (rc != NOVA_OK) {
            nova_write_abort(in);
            return store_done(f, rc);
        }
    }
    return store_done(f, nova_write_commit(in, &f->io));
}

int store_write_abort(struct store_file *f, uint64_t off, const void *src, uint64_t len, uint64_t filled) {
    nova_intent *in;
    int rc = nova_write_begin(f->inode, off, len, blk_at(f, off), blk_at(f, off + len - 1), eof_blk(f), &f->io, &in);
    if (rc != NOVA_OK)
        return store_done(f, rc);
    rc = nova_write_fill(in, 0, src, filled, &f->io);
    nova_write_abort(in);
    return rc;
}

/* Whether all that a page of the target gets comes from holes, and nothing of it must stay. */
static bool becomes_hole(const struct store_file *from, uint64_t off, const struct store_file *f, uint64_t to,
                         uint64_t len, uint64_t page) {
    uint64_t start = page * BLK, end = start + BLK < to + len ? start + BLK : to + len;
    if (start < to || (end < start + BLK && end < f->size))
        return false;
    return blk_at(from, start - to + off) == 0 && blk_at(from, end - 1 - to + off) == 0;
}

int store_copy(struct store_file *from, uint64_t off, struct store_file *f, uint64_t to, uint64_t len) {
    if (off >= from->size)
        return NOVA_OK;
    len = len < from->size - off ? len : from->size - off;
    uint64_t first = to / BLK, end = (to + len - 1) / BLK + 1;
    struct nova_run *holes = malloc(((end - first) / 2 + 1) * sizeof *holes);
    nova_intent *in;
    uint32_t n = 0;
    if (holes == NULL)
        abort();
    for (uint64_t p = first; p < end; p++) {
        if (!becomes_hole(from, off, f, to, len, p))
            continue;
        if (n != 0 && holes[n - 1].pgoff + holes[n - 1].count == p)
            holes[n - 1].count++;
        else
            holes[n++] = (struct nova_run){p, 1};
    }
    int rc = nova_write_begin_sparse(f->inode, to, len, holes, n, blk_at(f, to), blk_at(f, to + len - 1), eof_blk(f),
                                     &f->io, &in);
    free(holes);
    for (uint64_t p = first; rc == NOVA_OK && p < end; p++) {
        uint8_t page[NOVA_BLOCK_SIZE];
        uint64_t start = p * BLK < to ? to : p * BLK, stop = (p + 1) * BLK < to + len ? (p + 1) * BLK : to + len;
        if (becomes_hole(from, off, f, to, len, p))
            continue;
        store_read(from, start - to + off, page, stop - start);
        rc = nova_write_fill(in, start - to, page, stop - start, &f->io);
        if (rc != NOVA_OK)
            nova_write_abort(in);
    }
    return store_done(f, rc == NOVA_OK ? nova_write_commit(in, &f->io) : rc);
}

int store_truncate(struct store_file *f, uint64_t size) {
    return store_done(f, nova_truncate(f->inode, size, eof_blk(f), &f->io));
}

/* Whether the index has a page in [from, to). */
struct search {
    uint64_t from, to;
    bool found;
};

static void seen(void *arg, uint64_t pgoff, uint32_t blk) {
    struct search *s = arg;
    (void)blk;
    s->found = s->found || (pgoff >= s->from && pgoff < s->to);
}

int store_punch(struct store_file *f, uint64_t off, uint64_t len) {
    struct search s = {off / BLK + 1, len == 0 ? 0 : (off + len - 1) / BLK, false};
    block_map_each(&f->map, seen, &s);
    return store_done(f, nova_punch(f->inode, off, len, blk_at(f, off), blk_at(f, off + len - 1), s.found, &f->io));
}

int store_collapse(struct store_file *f, uint64_t off, uint64_t len) {
    return store_done(f, nova_collapse(f->inode, off, len, &f->io));
}

int store_insert(struct store_file *f, uint64_t off, uint64_t len) {
    return store_done(f, nova_insert(f->inode, off, len, &f->io));
}

int store_allocate(struct store_file *f, uint64_t off, uint64_t len, bool keep_size) {
    uint64_t first = off / BLK, end = (off + len + BLK - 1) / BLK, size = f->size;
    int behind = store_catch_up(f); /* the one call that needs it */
    if (behind != NOVA_OK)
        return behind;
    struct nova_run *runs = malloc((end - first + 1) / 2 * sizeof *runs + sizeof *runs);
    uint32_t n = 0;
    if (runs == NULL)
        abort();
    for (uint64_t p = first; p < end; p++) {
        if (block_map_get(&f->map, p) != 0)
            continue;
        if (n != 0 && runs[n - 1].pgoff + runs[n - 1].count == p)
            runs[n - 1].count++;
        else
            runs[n++] = (struct nova_run){p, 1};
    }
    if (!keep_size && off + len > size)
        size = off + len;
    int rc = n != 0            ? store_done(f, nova_allocate(f->inode, runs, n, size, eof_blk(f), &f->io))
             : size != f->size ? store_truncate(f, size)
                               : NOVA_OK;
    free(runs);
    return rc;
}

int store_setxattr(struct store_file *f, const char *name, const void *value, uint32_t len) {
    return store_done(f, attrs_set(&f->attrs, f->inode, name, value, len, &f->io));
}

int store_removexattr(struct store_file *f, const char *name) {
    return store_done(f, attrs_remove(&f->attrs, f->inode, name, &f->io));
}

static void need_counter(struct store_file *f) {
    if (f->appended == NULL)
        f->appended = calloc(1, sizeof *f->appended);
    if (f->appended == NULL)
        abort();
}

int store_pin(struct store_file *f, uint64_t off, uint64_t len, struct store_pin *out) {
    need_counter(f);
    *out = (struct store_pin){.off = off, .len = len};
    int rc = nova_pin(f->inode, off, len, f->appended, &out->p, &out->pool_off, &f->store->err);
    if (rc != NOVA_OK)
        return rc;
    int fd = f->store->pool->file.fd;
    void *addr = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)out->pool_off);
    if (addr == MAP_FAILED)
        abort();
    out->addr = addr;
    return store_catch_up(f);
}

void store_unpin(struct store_pin *pin) {
    if (pin->p != NULL)
        munmap(pin->addr, pin->len);
    nova_unpin(pin->p);
    pin->p = NULL;
}

int store_map(struct store_file *f, uint64_t off, uint64_t len, uint32_t flags, struct store_region *out) {
    struct nova_region_stat st;
    need_counter(f);
    *out = (struct store_region){.off = off, .len = len};
    int rc = nova_map(f->inode, off, len, NOVA_MAP_WRITE | flags, f->appended, &out->r, &f->store->err);
    if (rc != NOVA_OK)
        return rc;
    nova_region_stat(out->r, &st);
    out->addr = (uint8_t *)(uintptr_t)st.addr;
    out->lazy = st.lazy != 0;
    return NOVA_OK;
}

int store_force(struct store_file *f, const struct store_region *r, uint64_t off, uint64_t len) {
    return nova_force(r->r, off, len, &f->store->err);
}

int store_populate(struct store_file *f, const struct store_region *r, uint64_t off, uint64_t len, bool allocate) {
    return nova_populate(r->r, off, len, allocate, &f->store->err);
}

uint64_t store_read(struct store_file *f, uint64_t off, void *dst, uint64_t len) {
    uint8_t *to = dst;
    if (store_catch_up(f) != NOVA_OK)
        abort();
    if (off >= f->size)
        return 0;
    if (len > f->size - off)
        len = f->size - off;
    for (uint64_t done = 0; done < len;) {
        uint64_t n = BLK - (off + done) % BLK;
        if (n > len - done)
            n = len - done;
        uint32_t blk = blk_at(f, off + done);
        if (blk == 0)
            memset(to + done, 0, n);
        else
            memcpy(to + done, f->store->base + blk * BLK + (off + done) % BLK, n);
        done += n;
    }
    return len;
}

uint32_t store_lanes(uint64_t turn) {
    static const uint32_t lanes[] = {1, 2, 7, 64};
    return lanes[turn % (sizeof lanes / sizeof *lanes)];
}

void store_copy_file(const char *from, const char *to) {
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    static char buf[1 << 20];
    ssize_t n;
    if (in < 0 || out < 0)
        abort();
    while ((n = read(in, buf, sizeof buf)) > 0)
        if (write(out, buf, (size_t)n) != n)
            abort();
    close(in);
    close(out);
}
