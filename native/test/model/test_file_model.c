/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random operations on a few files (also on ranges of them, on their attributes, and through mappings and pinned pages
 * of them) against plain byte arrays; in between, a clean reopen, or a crash between two calls (the pool file copied as
 * it is), after which everything must be there and no block may be lost or shared. NOVA_SEED repeats a run; NOVA_FULL
 * makes it longer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/handles.h"
#include "lazy.h"
#include "map/region.h"
#include "report.h"
#include "store.h"

#define FILES 4
#define REGIONS 6
#define PINS 3
#define FEW_VMAS 12u /* mappings, in some rounds: so that faults move blocks; eager regions need more */
#define SIZE_MAX_ 300000u
#define POOL (8u << 20)

static uint64_t moved;                     /* blocks, in all */
static uint64_t pinned;                    /* times */
static uint64_t freed, restarts, gathered; /* pages of logs; logs that fitted the slot again; entries */

static uint64_t rnd_state;
static uint64_t rnd(uint64_t n) { /* xorshift64* */
    rnd_state ^= rnd_state >> 12;
    rnd_state ^= rnd_state << 25;
    rnd_state ^= rnd_state >> 27;
    return (rnd_state * 0x2545f4914f6cdd1dull >> 11) % n;
}

#define ATTRS 5

struct model_attr {
    bool exists;
    uint32_t len;
    uint8_t value[NOVA_XATTR_MAX];
};

struct model {
    bool exists;
    struct model_attr *attrs; /* ATTRS of them */
    uint64_t size;
    int64_t atime; /* 0: not set */
    uint8_t *bytes;
};

/* Pinned pages of a file: which of them it has lost, so that they show what it does not. */
struct pin {
    struct store_pin p; /* p.p: NULL where there is none */
    int of;
    bool lost[SIZE_MAX_ / NOVA_BLOCK_SIZE + 1];
};

struct world {
    struct store s;
    const char *path, *copy;
    struct model model[FILES];
    struct store_file file[FILES];
    bool open[FILES];
    struct store_region region[REGIONS]; /* r: NULL where there is none */
    int of[REGIONS];                     /* file */
    struct pin pin[PINS];
    bool few_vmas;
    uint64_t moved;
};

static const char *name_of(int i) {
    static char names[FILES][260];
    if (names[i][0] == 0) { /* of 1 to 5 lines */
        snprintf(names[i], sizeof names[i], "file-%d-%*s", i, i * 80, "");
        for (char *p = names[i]; *p != 0; p++)
            if (*p == ' ')
                *p = (char)('a' + i);
    }
    return names[i];
}

static void must(struct world *w, int rc) {
    if (rc != NOVA_OK)
        fail_msg("status %d: %s", rc, w->s.err.msg);
}

/* ---- mappings ---- */

static void check_regions(struct world *w, int i) {
    const struct model *m = &w->model[i];
    for (int k = 0; k < REGIONS; k++) {
        const struct store_region *r = &w->region[k];
        if (r->r == NULL || w->of[k] != i || r->off >= m->size)
            continue;
        uint64_t n = r->len < m->size - r->off ? r->len : m->size - r->off, at = 0;
        if (memcmp(r->addr, m->bytes + r->off, n) == 0)
            continue;
        while (r->addr[at] == m->bytes[r->off + at])
            at++;
        fail_msg("%s region of file %d (%llu bytes) shows %02x instead of %02x at byte %llu",
                 r->lazy ? "lazy" : "eager", i, (unsigned long long)m->size, r->addr[at], m->bytes[r->off + at],
                 (unsigned long long)(r->off + at));
    }
}

static void unmap(struct world *w, int k) {
    struct nova_region_stat st;
    nova_region_stat(w->region[k].r, &st);
    w->moved += st.moved;
    nova_region_free(w->region[k].r);
    w->region[k].r = NULL;
}

/* Pages that the file still has where they were. may_lose: whether it may have less of them than before. */
static void check_pins(struct world *w, int i, bool may_lose) {
    const struct model *m = &w->model[i];
    for (int k = 0; k < PINS; k++) {
        struct pin *pin = &w->pin[k];
        if (pin->p.p == NULL || pin->of != i)
            continue;
        for (uint64_t at = 0; at < pin->p.len; at += NOVA_BLOCK_SIZE) {
            uint64_t off = pin->p.off + at, page = at / NOVA_BLOCK_SIZE;
            uint64_t blk = (pin->p.pool_off + at) / NOVA_BLOCK_SIZE;
            if (!pin->lost[page] && block_map_get(&w->file[i].map, off / NOVA_BLOCK_SIZE) != blk) {
                assert_true(may_lose);
                pin->lost[page] = true;
            }
            uint64_t n = off < m->size ? m->size - off : 0;
            if (!pin->lost[page] &&
                memcmp(pin->p.addr + at, m->bytes + off, n < NOVA_BLOCK_SIZE ? n : NOVA_BLOCK_SIZE) != 0)
                fail_msg("a pinned page of file %d, at byte %llu, differs", i, (unsigned long long)off);
        }
    }
}

static void unpin_all(struct world *w, int i) {
    for (int k = 0; k < PINS; k++)
        if (w->pin[k].of == i)
            store_unpin(&w->pin[k].p);
}

/* By and by before or after the file is closed. */
static void close_mapped(struct world *w, int i) {
    bool first = rnd(2);
    if (first)
        unpin_all(w, i);
    for (int turn = 0; turn < 2; turn++) {
        for (int k = 0; (turn == 0) == first && k < REGIONS; k++)
            if (w->region[k].r != NULL && w->of[k] == i)
                unmap(w, k);
        if (turn == 0)
            must(w, store_file_close(&w->file[i]));
    }
    for (int k = 0; k < REGIONS; k++)
        if (w->region[k].r != NULL && w->of[k] == i)
            unmap(w, k);
    unpin_all(w, i);
    w->open[i] = false;
}

/* The k-th region, if it shows bytes of the file; how many. */
static uint64_t shown(const struct world *w, int k) {
    const struct store_region *r = &w->region[k];
    uint64_t size = r->r == NULL ? 0 : w->model[w->of[k]].size;
    return size <= r->off ? 0 : size - r->off < r->len ? size - r->off : r->len;
}

static void do_map(struct world *w, int i) {
    int k = (int)rnd(REGIONS);
    if (w->region[k].r != NULL) {
        unmap(w, k);
        return;
    }
    uint64_t off = rnd(2) ? 0 : rnd(SIZE_MAX_) & ~(uint64_t)4095;
    int rc = store_map(&w->file[i], off, rnd(2) ? SIZE_MAX_ : 1 + rnd(SIZE_MAX_),
                       !w->few_vmas && rnd(5) == 0 ? NOVA_MAP_EAGER : 0, &w->region[k]);
    w->of[k] = i;
    if (rc != NOVA_ENOMEM || !w->few_vmas) /* too many regions, for so few mappings */
        must(w, rc);
}

static void do_stores(struct world *w, int k) {
    struct store_region *r = &w->region[k];
    uint64_t n = shown(w, k), times = 1 + rnd(6);
    for (uint64_t t = 0; n != 0 && t < times; t++) {
        uint64_t off = rnd(n), len = 1 + rnd(rnd(4) == 0 ? 20000 : 100);
        len = len < n - off ? len : n - off;
        memset(r->addr + off, (int)(1 + rnd(255)), len);
        memcpy(w->model[w->of[k]].bytes + r->off + off, r->addr + off, len);
    }
}

static void do_mapped(struct world *w, int i) {
    int k = (int)rnd(REGIONS);
    struct store_region *r = &w->region[k];
    if (r->r == NULL || rnd(10) == 0) {
        do_map(w, i);
        return;
    }
    uint64_t off = rnd(r->len), len = 1 + rnd(r->len - off), n = shown(w, k);
    switch (rnd(10)) {
    case 0: must(w, store_force(&w->file[w->of[k]], r, off, len)); break;
    case 1: must(w, store_populate(&w->file[w->of[k]], r, off, len, rnd(2))); break;
    case 2: must(w, nova_set_in_place(w->file[w->of[k]].inode, (uint32_t)rnd(2))); break;
    case 3: /* a load */
        if (n != 0 && off < n)
            assert_int_equal(r->addr[off], w->model[w->of[k]].bytes[r->off + off]);
        break;
    default: do_stores(w, k);
    }
}

static void do_pin(struct world *w, int i) {
    struct pin *pin = &w->pin[rnd(PINS)];
    struct store_pin *p = &pin->p;
    struct model *m = &w->model[i];
    uint64_t pages = (m->size + NOVA_BLOCK_SIZE - 1) / NOVA_BLOCK_SIZE;
    if (p->p == NULL) {
        uint64_t first = pages == 0 ? 0 : rnd(pages), n = pages == 0 ? 0 : 1 + rnd(pages - first);
        int rc = n == 0 ? NOVA_EINVAL : store_pin(&w->file[i], first * NOVA_BLOCK_SIZE, n * NOVA_BLOCK_SIZE, p);
        pin->of = i;
        memset(pin->lost, 0, sizeof pin->lost);
        if (n != 0 && rc != NOVA_EBUSY && rc != NOVA_ENOSPC)
            must(w, rc);
        pinned += rc == NOVA_OK;
        return;
    }
    m = &w->model[pin->of];
    uint64_t at = rnd(p->len), room = NOVA_BLOCK_SIZE - at % NOVA_BLOCK_SIZE, len = 1 + rnd(room);
    switch (rnd(8)) {
    case 0:
    case 1: store_unpin(p); break;
    case 2: must(w, nova_pin_force(w->file[pin->of].inode, p->p, &w->s.err)); break;
    default:
        if (pin->lost[at / NOVA_BLOCK_SIZE] || p->off + at + len > m->size)
            break;
        memset(p->addr + at, (int)(1 + rnd(255)), len);
        memcpy(m->bytes + p->off + at, p->addr + at, len);
    }
}

static void check_file(struct world *w, int i) {
    static uint8_t buf[SIZE_MAX_ + 1];
    struct model *m = &w->model[i];
    if (rnd(3) == 0)
        check_regions(w, i);
    assert_int_equal(w->file[i].size, m->size);
    assert_int_equal(store_read(&w->file[i], 0, buf, sizeof buf), m->size);
    if (memcmp(buf, m->bytes, m->size) != 0) {
        uint64_t at = 0;
        while (buf[at] == m->bytes[at])
            at++;
        fail_msg("file %d of %llu bytes differs at byte %llu: %02x instead of %02x", i, (unsigned long long)m->size,
                 (unsigned long long)at, buf[at], m->bytes[at]);
    }
}

static void check_atime(struct world *w, int i) {
    struct nova_stat st;
    nova_inode_stat(w->file[i].inode, &st);
    assert_int_equal(st.atime, w->model[i].atime != 0 ? w->model[i].atime : st.btime);
}

static const char *attr_name(int k) {
    static char names[ATTRS][256];
    if (names[k][0] == 0) { /* of 1 to 255 bytes */
        memset(names[k], 'a' + k, 255);
        names[k][1 + k * 254 / (ATTRS - 1)] = 0;
    }
    return names[k];
}

static void check_attrs(struct world *w, int i) {
    static uint8_t buf[NOVA_XATTR_MAX];
    uint32_t n = 0;
    for (int k = 0; k < ATTRS; k++) {
        const struct model_attr *m = &w->model[i].attrs[k];
        const struct attr *a = attrs_get(&w->file[i].attrs, attr_name(k));
        uint32_t len;
        assert_int_equal(a != NULL, m->exists);
        if (!m->exists)
            continue;
        n++;
        must(w, nova_xattr_read(w->file[i].inode, a->log_blk, a->log_idx, buf, sizeof buf, &len, &w->s.err));
        assert_int_equal(len, m->len);
        assert_memory_equal(buf, m->value, len);
    }
    assert_int_equal(w->file[i].attrs.n, n);
}

static void open_all(struct world *w) {
    for (int i = 0; i < FILES; i++) {
        if (!w->model[i].exists) {
            struct store_file f;
            assert_int_equal(store_file_open(&w->s, name_of(i), false, &f), NOVA_ENOENT);
            continue;
        }
        must(w, store_file_open(&w->s, name_of(i), false, &w->file[i]));
        w->open[i] = true;
        check_file(w, i);
        check_attrs(w, i);
        check_atime(w, i);
    }
}

static void close_all(struct world *w) {
    for (int i = 0; i < FILES; i++)
        if (w->open[i])
            close_mapped(w, i);
}

/* What moves have replaced is given back by those who read. */
static void catch_up_all(struct world *w) {
    for (int i = 0; i < FILES; i++)
        if (w->open[i])
            must(w, store_catch_up(&w->file[i]));
}

/* As the next open will find it. */
static uint64_t blocks_free(struct world *w) {
    struct nova_pool_info info;
    assert_int_equal(nova_pool_info(w->s.pool, &info), NOVA_OK);
    return info.blocks_free + alloc_held_free(w->s.pool->alloc);
}

static void reopen(struct world *w) {
    struct nova_fsck_summary sum;
    char report[400];
    catch_up_all(w);
    uint64_t before = blocks_free(w);
    close_all(w);
    must(w, store_close(&w->s));
    must(w, nova_fsck(w->path, report, sizeof report, NULL, &sum, &w->s.err));
    if (sum.errors + sum.warnings != 0)
        fail_msg("fsck: %s", report);
    must(w, store_open(&w->s, w->path, NOVA_OPT_EMULATED));
    struct nova_pool_info info;
    nova_pool_info(w->s.pool, &info);
    assert_int_equal(info.recovered, 0);
    assert_int_equal(info.blocks_free, before);
    open_all(w);
}

static void crash(struct world *w) {
    catch_up_all(w);
    uint64_t before = blocks_free(w);
    store_copy_file(w->path, w->copy);
    close_all(w);
    must(w, store_close(&w->s));
    assert_int_equal(rename(w->copy, w->path), 0);
    must(w, store_open(&w->s, w->path, NOVA_OPT_EMULATED));
    struct nova_pool_info info;
    nova_pool_info(w->s.pool, &info);
    assert_int_equal(info.recovered, 1);
    assert_int_equal(info.blocks_free, before);
    open_all(w);
}

static uint64_t awkward(uint64_t max) {
    static const uint64_t sizes[] = {1, 7, 63, 64, 65, 127, 128, 4095, 4096, 4097, 8191, 8192, 8193};
    uint64_t n = rnd(3) == 0 ? 1 + rnd(max) : sizes[rnd(sizeof sizes / sizeof *sizes)];
    return n > max ? max : n;
}

static void do_write(struct world *w, int i) {
    static uint8_t buf[SIZE_MAX_];
    struct model *m = &w->model[i];
    uint64_t off = rnd(3) == 0 ? m->size : rnd(4) == 0 ? rnd(SIZE_MAX_) : rnd(m->size + 1);
    if (rnd(3) == 0)
        off &= ~(uint64_t)4095;
    if (off >= SIZE_MAX_)
        off = SIZE_MAX_ - 1;
    uint64_t len = awkward(rnd(8) == 0 ? SIZE_MAX_ - off : SIZE_MAX_ - off < 20000 ? SIZE_MAX_ - off : 20000);
    for (uint64_t k = 0; k < len; k++)
        buf[k] = (uint8_t)(rnd_state * 31 + k * 7 + (k >> 8) + 1);
    rnd(2);
    if (rnd(3) == 0)
        must(w, store_write_pieces(&w->file[i], off, buf, len, awkward(5000), rnd(2)));
    else
        must(w, store_write(&w->file[i], off, buf, len));
    if (off > m->size)
        memset(m->bytes + m->size, 0, off - m->size);
    memcpy(m->bytes + off, buf, len);
    if (off + len > m->size)
        m->size = off + len;
}

/* The source is a mapping, maybe of the same file. */
static void write_mapped(struct world *w, int i) {
    static uint8_t buf[SIZE_MAX_];
    struct model *m = &w->model[i];
    int k = (int)rnd(REGIONS);
    const struct store_region *r = &w->region[k];
    uint64_t n = shown(w, k), src = n == 0 ? 0 : rnd(n), off = rnd(m->size + 1), len = awkward(40000);
    len = len < n - src ? len : n - src;
    len = len < SIZE_MAX_ - off ? len : SIZE_MAX_ - off;
    bool overlap = w->of[k] == i && off < r->off + src + len && r->off + src < off + len;
    if (len == 0 || overlap) /* in place, the outcome would be anything */
        return;
    memcpy(buf, w->model[w->of[k]].bytes + r->off + src, len);
    must(w, store_write(&w->file[i], off, r->addr + src, len));
    memcpy(m->bytes + off, buf, len);
    if (off + len > m->size)
        m->size = off + len;
}

/* Of a file's blocks, where the copy has some: where the source has some too. */
static void check_holes(const struct store_file *from, uint64_t off, const struct store_file *to, uint64_t to_off,
                        uint64_t len) {
    uint64_t first = (to_off + 4095) / 4096, end = (to_off + len) / 4096;
    for (uint64_t p = first; p < end; p++) {
        uint64_t at = p * 4096 - to_off + off;
        bool hole = block_map_get(&from->map, at / 4096) == 0 && block_map_get(&from->map, (at + 4095) / 4096) == 0;
        assert_int_equal(block_map_get(&to->map, p) == 0, hole);
    }
}

/* To another file, or within one that is not mapped: in place, it would read what it has written. */
static void do_copy(struct world *w, int i, uint64_t off, uint64_t len) {
    static uint8_t buf[SIZE_MAX_];
    int j = (int)rnd(FILES);
    struct model *m = &w->model[i], *from = &w->model[j];
    if (!from->exists || off >= SIZE_MAX_ || (i == j && w->file[i].appended != NULL))
        return;
    uint64_t src = rnd(from->size + 1), n = len < from->size - src ? len : from->size - src;
    n = n < SIZE_MAX_ - off ? n : SIZE_MAX_ - off;
    must(w, store_catch_up(&w->file[j]));
    must(w, store_copy(&w->file[j], src, &w->file[i], off, n));
    if (n == 0)
        return;
    if (w->file[i].appended == NULL && i != j)
        check_holes(&w->file[j], src, &w->file[i], off, n);
    if (off > m->size)
        memset(m->bytes + m->size, 0, off - m->size);
    memcpy(buf, from->bytes + src, n);
    memcpy(m->bytes + off, buf, n);
    if (off + n > m->size)
        m->size = off + n;
}

static void do_range(struct world *w, int i) {
    struct model *m = &w->model[i];
    struct store_file *f = &w->file[i];
    uint64_t off = rnd(4) == 0 ? rnd(SIZE_MAX_) : rnd(m->size + 1), len = awkward(rnd(4) == 0 ? SIZE_MAX_ : 40000);
    uint64_t page = off & ~(uint64_t)4095, pages = (len + 4095) & ~(uint64_t)4095;
    uint64_t end = off + len < m->size ? off + len : m->size;
    switch (rnd(5)) {
    case 4: do_copy(w, i, off, len); break;
    case 0:
        must(w, store_punch(f, off, len));
        if (off < end)
            memset(m->bytes + off, 0, end - off);
        break;
    case 1:
        if (page + pages >= m->size) {
            assert_int_equal(store_collapse(f, page, pages), NOVA_EINVAL);
            break;
        }
        must(w, store_collapse(f, page, pages));
        memmove(m->bytes + page, m->bytes + page + pages, m->size - page - pages);
        m->size -= pages;
        break;
    case 2:
        if (page >= m->size || m->size + pages > SIZE_MAX_)
            break;
        must(w, store_insert(f, page, pages));
        memmove(m->bytes + page + pages, m->bytes + page, m->size - page);
        memset(m->bytes + page, 0, pages);
        m->size += pages;
        break;
    default:
        if (off + len > SIZE_MAX_)
            break;
        bool keep = rnd(2);
        must(w, store_allocate(f, off, len, keep));
        if (!keep && off + len > m->size) {
            memset(m->bytes + m->size, 0, off + len - m->size);
            m->size = off + len;
        }
    }
}

static void do_attr(struct world *w, int i) {
    int k = (int)rnd(ATTRS);
    struct model_attr *m = &w->model[i].attrs[k];
    if (rnd(3) == 0) {
        int rc = store_removexattr(&w->file[i], attr_name(k));
        if (m->exists)
            must(w, rc);
        else
            assert_int_equal(rc, NOVA_ENOENT);
        m->exists = false;
    } else {
        m->exists = true;
        m->len = (uint32_t)(rnd(3) == 0 ? awkward(NOVA_XATTR_MAX) : rnd(600));
        for (uint32_t b = 0; b < m->len; b++)
            m->value[b] = (uint8_t)(rnd_state * 17 + b * 5 + (b >> 8));
        must(w, store_setxattr(&w->file[i], attr_name(k), m->value, m->len));
    }
    check_attrs(w, i);
}

/* Only atime changes: neither this nor another time of the file moves at a crash. */
static void do_read(struct world *w, int i) {
    struct nova_io *io = &w->file[i].io;
    struct nova_stat before, after;
    must(w, store_catch_up(&w->file[i])); /* with what faults did still to come, so were the time */
    nova_inode_stat(w->file[i].inode, &before);
    w->model[i].atime = (int64_t)rnd(1 << 30);
    must(w,
         nova_setattr(w->file[i].inode, NOVA_ATTR_ATIME | NOVA_ATTR_KEEP_CTIME, 0, 0, 0, w->model[i].atime, 0, 0, io));
    nova_inode_stat(w->file[i].inode, &after);
    assert_int_equal(after.mtime, before.mtime);
    assert_int_equal(after.ctime, before.ctime);
    check_atime(w, i);
}

/* Cleaning a log changes nothing of what it says. */
static void do_clean(struct world *w, int i) {
    struct store_log log = i < FILES ? store_log_of(&w->file[i]) : store_log_of_dir(&w->s, "");
    nova_inode *inode = i < FILES ? w->file[i].inode : w->s.root;
    struct nova_stat before, after;
    uint32_t n = 0;
    bool fits = false;
    if (i < FILES)
        must(w, store_catch_up(&w->file[i]));
    nova_inode_stat(inode, &before);
    switch (rnd(7)) {
    case 0: must(w, store_restart(&log, &fits)); break;
    case 1: must(w, store_cut_dead(&log, &n)); break;
    case 2:
        must(w, store_gather(&log, &n));
        gathered += n;
        n = 0;
        break;
    default: must(w, store_clean(&log, (uint32_t)rnd(6), &n));
    }
    nova_inode_stat(inode, &after);
    freed += n;
    restarts += fits;
    assert_true(!fits || after.log_pages == 0);
    after.log_pages = before.log_pages;
    after.entries = before.entries;
    assert_memory_equal(&after, &before, sizeof after);
    if (i < FILES)
        check_attrs(w, i);
}

static void forget(struct model *m) {
    *m = (struct model){.bytes = m->bytes, .attrs = m->attrs};
    for (int k = 0; k < ATTRS; k++)
        m->attrs[k].exists = false;
}

static void step(struct world *w) {
    int i = (int)rnd(FILES);
    struct model *m = &w->model[i];
    if (!m->exists) {
        must(w, store_file_open(&w->s, name_of(i), true, &w->file[i]));
        w->open[i] = true;
        forget(m);
        m->exists = true;
        return;
    }
    uint64_t what = rnd(34);
    switch (what) {
    case 0:
        must(w, store_unlink(&w->s, name_of(i))); /* still open: its space comes back at close */
        check_file(w, i);
        close_mapped(w, i);
        m->exists = false;
        break;
    case 1: {
        int j = (int)rnd(FILES);
        if (j == i)
            break;
        must(w, store_rename(&w->s, name_of(i), name_of(j)));
        if (w->open[j])
            close_mapped(w, j);
        for (int k = 0; k < REGIONS; k++)
            if (w->of[k] == i)
                w->of[k] = j;
        for (int k = 0; k < PINS; k++)
            if (w->pin[k].of == i)
                w->pin[k].of = j;
        w->file[j] = w->file[i];
        w->open[j] = true;
        w->open[i] = false;
        struct model gone = w->model[j];
        w->model[j] = *m;
        *m = gone;
        forget(m);
        break;
    }
    case 2:
    case 3:
    case 4: {
        uint64_t size = rnd(2) ? rnd(SIZE_MAX_) : rnd(m->size + 1);
        must(w, store_truncate(&w->file[i], size));
        if (size > m->size)
            memset(m->bytes + m->size, 0, size - m->size);
        m->size = size;
        break;
    }
    case 5:
    case 6:
    case 7:
    case 8: do_range(w, i); break;
    case 9:
    case 10: do_attr(w, i); break;
    case 27: do_read(w, i); break;
    case 28:
    case 29: do_clean(w, i); break;
    case 30: do_clean(w, FILES); break;
    case 11:
    case 12:
    case 13:
    case 14:
    case 15:
    case 16: do_mapped(w, i); break;
    case 17: write_mapped(w, i); break;
    case 31:
    case 32:
    case 33: do_pin(w, i); break;
    default: do_write(w, i);
    }
    if (w->open[i])
        check_pins(w, i, what >= 2 && what <= 8);
    if (w->open[i] && rnd(3) == 0)
        check_file(w, i);
}

static void run(uint64_t seed, int steps) {
    struct world w = {0};
    struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED};
    w.path = store_path("model");
    w.copy = store_path("model-copy");
    for (int i = 0; i < FILES; i++)
        w.model[i] = (struct model){.bytes = malloc(SIZE_MAX_), .attrs = calloc(ATTRS, sizeof(struct model_attr))};
    rnd_state = seed * 2654435769u + 1;
    w.few_vmas = rnd(2) && lazy_possible();
    region_vmas_limit(w.few_vmas ? FEW_VMAS : 0);
    assert_int_equal(nova_pool_create(w.path, POOL, &opt, &w.s.err), NOVA_OK);
    must(&w, store_open(&w.s, w.path, NOVA_OPT_EMULATED));
    uint64_t empty = blocks_free(&w);
    for (int n = 0; n < steps; n++) {
        step(&w);
        if (rnd(40) == 0)
            reopen(&w);
        else if (rnd(40) == 0)
            crash(&w);
    }
    /* Nothing is lost: without files, only the directory's log and the inode table remain. */
    close_all(&w);
    for (int i = 0; i < FILES; i++)
        if (w.model[i].exists)
            must(&w, store_unlink(&w.s, name_of(i)));
    struct nova_stat st;
    nova_inode_stat(w.s.root, &st);
    assert_int_equal(blocks_free(&w), empty - st.log_pages);
    must(&w, store_close(&w.s));
    for (int i = 0; i < FILES; i++) {
        free(w.model[i].bytes);
        free(w.model[i].attrs);
    }
    unlink(w.path);
    region_vmas_limit(0);
    moved += w.moved;
}

static void test_random(void **state) {
    (void)state;
    const char *env = getenv("NOVA_SEED");
    uint64_t seed = env != NULL ? strtoull(env, NULL, 0) : (uint64_t)time(NULL);
    int rounds = env != NULL ? 1 : getenv("NOVA_FULL") != NULL ? 400 : 20;
    for (int i = 0; i < rounds; i++) {
        printf("NOVA_SEED=%llu\n", (unsigned long long)(seed + (uint64_t)i));
        fflush(stdout);
        run(seed + (uint64_t)i, 1000);
    }
    report_line(
        "model: random calls on files and their mappings: %d rounds, %llu pins, %llu blocks moved by faults, %llu log "
        "pages freed by cleaning, %llu extents gathered, %llu logs back in their slots",
        rounds, (unsigned long long)pinned, (unsigned long long)moved, (unsigned long long)freed,
        (unsigned long long)gathered, (unsigned long long)restarts);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
