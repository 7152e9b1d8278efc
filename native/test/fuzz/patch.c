/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Damage. A record:
 *
 *   byte  0      what: a part (enum part_kind) or another patch_kind, modulo PATCH_KINDS
 *   byte  1      how: bits 0..1 width (1, 2, 4, 8 bytes), bits 2..3 set, add, xor, set to zero, bit 4 seal,
 *                bit 5 the value is the number of a log page
 *   bytes 2..3   which of the template's parts of that kind, modulo their number; else see below
 *   bytes 4..5   at: byte offset in the part
 *   bytes 6..13  value
 *
 * A pointer or tail word that is sealed names the block `value`, or the template's log page of that number, and of that
 * the line `at`.
 */
#include <string.h>

#include "fuzz.h"
#include "journal/journal.h"
#include "log/log.h"

enum {
    HOW_WIDTH = 3,
    HOW_ARITH = 12,
    HOW_SET = 0,
    HOW_ADD = 4,
    HOW_XOR = 8,
    HOW_ZERO = 12,
    HOW_SEAL = 16,
    HOW_PAGE = 32
};

struct patch {
    uint8_t what, how;
    uint16_t which, at;
    uint64_t value;
};

struct image {
    const struct template *t;
    struct media m; /* of the image, with the template's geometry and seed */
    uint64_t len;
};

static struct patch decode(const uint8_t *p) {
    struct patch x = {.what = p[0] % PATCH_KINDS, .how = p[1]};
    memcpy(&x.which, p + 2, 2);
    memcpy(&x.at, p + 4, 2);
    memcpy(&x.value, p + 6, 8);
    return x;
}

/* Changes bytes at `at` of a structure of len bytes; what does not fit is left out. */
static void change(uint8_t *part, uint64_t len, const struct patch *x) {
    uint64_t at = x->at % len, width = UINT64_C(1) << (x->how & HOW_WIDTH), old = 0, val = x->value;
    if (width > len - at)
        width = len - at;
    memcpy(&old, part + at, width);
    switch (x->how & HOW_ARITH) {
    case HOW_ADD: val = old + val; break;
    case HOW_XOR: val = old ^ val; break;
    case HOW_ZERO: val = 0; break;
    default: break;
    }
    memcpy(part + at, &val, width);
}

static void seal_entry(const struct image *im, uint8_t *at) {
    struct fmt_entry *e = (struct fmt_entry *)(void *)at;
    uint64_t off = media_off(&im->m, at);
    if (e->lines >= 1 && off + (uint64_t)e->lines * FMT_LINE <= FUZZ_POOL)
        fmt_entry_seal(&im->m, e);
}

static bool is_word(unsigned kind) {
    return kind == PART_TABLE_PTR || kind == PART_HEAD || kind == PART_NEXT || kind == PART_TAIL;
}

static uint32_t block_of(const struct image *im, const struct patch *x, uint64_t value) {
    const struct parts *pages = &im->t->parts[PART_NEXT];
    return (x->how & HOW_PAGE) != 0 && pages->n != 0 ? pages->list[value % pages->n].home : (uint32_t)value;
}

static void seal_word(const struct image *im, unsigned kind, const struct part *p, const struct patch *x) {
    const struct media *m = &im->m;
    uint32_t blk = block_of(im, x, x->value);
    fmt_ptr word;
    if (kind == PART_TABLE_PTR)
        word = fmt_ptr_make(m, FMT_TAG_ITABLE, p->ino, 0, 0, blk);
    else if (kind == PART_TAIL)
        word = fmt_tail_make(m, p->ino, p->gen, (struct log_end){{blk, x->at & 0x7f}, (x->at & 0x80) != 0});
    else if (kind == PART_HEAD)
        word = fmt_ptr_make(m, (x->at & 1) != 0 ? FMT_TAG_FIRST : FMT_TAG_HEAD, p->ino, p->gen, 0, blk);
    else
        word = fmt_ptr_make(m, FMT_TAG_NEXT, p->ino, p->gen, p->home, blk);
    memcpy(m->base + p->off, &word, sizeof word);
}

static void seal_part(const struct image *im, unsigned kind, uint8_t *at) {
    if (kind == PART_SB)
        fmt_sb_seal((struct fmt_sb *)(void *)at);
    else if (kind == PART_STATE)
        fmt_state_seal(&im->m, (struct fmt_state *)(void *)at);
    else if (kind == PART_SNAP)
        fmt_snap_seal(&im->m, (struct fmt_snap *)(void *)at);
    else if (kind == PART_SLOT)
        fmt_inode_seal(&im->m, (struct fmt_inode *)(void *)at);
    else if (kind == PART_PAGE_TAIL)
        fmt_page_tail_seal(&im->m, (struct fmt_page_tail *)(void *)at);
    else if (kind == PART_JOURNAL)
        fmt_journal_seal(&im->m, (struct fmt_journal *)(void *)at);
    else
        seal_entry(im, at);
}

static void patch_part(const struct image *im, const struct patch *x) {
    const struct parts *parts = &im->t->parts[x->what];
    if (parts->n == 0)
        return;
    const struct part *part = &parts->list[x->which % parts->n];
    bool seal = (x->how & HOW_SEAL) != 0;
    if (seal && is_word(x->what)) {
        seal_word(im, x->what, part, x);
        return;
    }
    change(im->m.base + part->off, part->len, x);
    if (seal)
        seal_part(im, x->what, im->m.base + part->off);
}

/* The first superblock says that the pool is about to have len bytes; grown: so does the one at the new end. */
static void announce(const struct image *im, uint64_t len, bool grown) {
    struct fmt_sb sb;
    memcpy(&sb, im->m.base, sizeof sb);
    sb = fmt_sb_growing(&sb, len);
    memcpy(im->m.base, &sb, sizeof sb);
    sb = fmt_sb_grown(&sb);
    if (grown)
        memcpy(im->m.base + len - FUZZ_BLK, &sb, sizeof sb);
}

/* Another length of the file; sealed: with superblocks that say so, or of a pool that was being made larger. */
static void patch_length(struct image *im, const struct patch *x) {
    uint64_t len = (x->value % FUZZ_FILE_MAX) + 1;
    if ((x->how & HOW_SEAL) != 0 && len >= FUZZ_POOL) {
        struct fmt_sb sb;
        len -= len % FUZZ_BLK;
        if ((x->how & HOW_ARITH) != HOW_SET) {
            announce(im, len, (x->how & HOW_ARITH) != HOW_ADD);
            im->len = (x->how & HOW_ARITH) == HOW_ZERO ? len - (x->value >> 32) % (len - FUZZ_POOL + 1) : len;
            return;
        }
        memcpy(&sb, im->m.base, sizeof sb);
        sb.size = len;
        sb.data_end = (uint32_t)(len / FUZZ_BLK - 1);
        fmt_sb_seal(&sb);
        memset(im->m.base + FUZZ_POOL - FUZZ_BLK, 0, FUZZ_BLK);
        memcpy(im->m.base, &sb, sizeof sb);
        memcpy(im->m.base + len - FUZZ_BLK, &sb, sizeof sb);
    }
    im->len = len;
}

/* A line, a slot or a block from another place (byte offset `value`): writes lost, or gone astray. */
static void patch_copy(struct image *im, const struct patch *x) {
    static const uint64_t sizes[] = {FMT_LINE, FMT_SLOT, NOVA_BLOCK_SIZE, 8};
    uint64_t n = sizes[x->how & HOW_WIDTH], from = x->value % FUZZ_POOL / n * n,
             to = ((uint64_t)x->which << 16 | x->at) * 8 % FUZZ_POOL / n * n;
    memmove(im->m.base + to, im->m.base + from, n);
}

/* One whose value lies in the entry or in one extent. */
static void append_xattr(const struct image *im, const struct patch *x, struct fmt_entry *e) {
    struct nova_extent ext = {block_of(im, x, x->value >> 24 & 0xff), (uint32_t)(x->value >> 32 & 0xf)};
    struct fmt_xattr_body b = {.name_len = (uint8_t)(1 + (x->value & 3)),
                               .op = (uint8_t)(1 + (x->value >> 2 & 1)),
                               .extents = x->value >> 3 & 1,
                               .value_len = (uint32_t)(x->value >> 4 & 15)};
    memset(b.name, 'a' + (int)(x->value >> 8 & 1), b.name_len);
    if (b.op == FMT_XATTR_REMOVE)
        b.extents = 0, b.value_len = 0;
    if (b.extents != 0) {
        b.value_len = (uint32_t)(ext.count * FUZZ_BLK - b.value_len);
        memcpy(b.name + b.name_len, &ext, sizeof ext);
        if (media_is_data(&im->m, ext.blk, ext.count))
            b.value_crc = fmt_xattr_crc(&im->m, &ext, 1, b.value_len);
    }
    memcpy(e->payload, &b, sizeof b);
}

/*
 * One more entry behind the end of a log, if its slot or page has a line left: sealed in sequence, and the tail moved
 * behind it. `which` chooses the inode; the value is the payload's start.
 */
static void patch_append(struct image *im, const struct patch *x) {
    const struct parts *slots = &im->t->parts[PART_SLOT];
    if (slots->n == 0)
        return;
    struct fmt_inode *slot = (struct fmt_inode *)(void *)(im->m.base + slots->list[x->which % slots->n].off);
    struct log log;
    struct log_cursor cur = {0};
    struct log_item item;
    struct log_batch b;
    if (log_open(&log, &im->m, NULL, slot, NULL) != NOVA_OK)
        return;
    uint64_t size = 0;
    while (log_next(&log, &cur, &item, NULL) == NOVA_OK && item.entry != NULL) {
        struct fmt_write_body w; /* a range's size lies where a write's does */
        uint8_t kind = item.entry->kind;
        memcpy(&w, item.entry->payload, sizeof w);
        size = kind == FMT_WRITE || kind == FMT_TRUNCATE || (kind >= FMT_HOLE && kind <= FMT_ALLOC) ? w.size : size;
    }
    if (log.tail.idx >= (log.tail.blk == 0 ? FMT_INLINE_LINES : FMT_PAGE_LINES))
        return;
    log.seq = cur.seq;
    struct fmt_entry e = {.kind = (uint8_t)(1 + x->at % (FMT_XATTR + 1)), .lines = 1};
    bool fits = (x->how & HOW_ARITH) == HOW_SET;
    if (e.kind == FMT_WRITE || e.kind == FMT_TRUNCATE || e.kind == FMT_ALLOC) {
        struct fmt_write_body w = {.pgoff = x->value & 0xffffff,
                                   .blk = block_of(im, x, x->value >> 24 & 0xff),
                                   .count = (uint32_t)(x->value >> 32 & 0xff),
                                   .size = x->value >> 40};
        uint64_t end = (w.pgoff + w.count) * FUZZ_BLK;
        if (fits)
            w.size = e.kind == FMT_TRUNCATE || end < size ? size : end;
        memcpy(e.payload, &w, sizeof w);
    } else if (e.kind == FMT_HOLE || e.kind == FMT_COLLAPSE || e.kind == FMT_INSERT) {
        struct fmt_range_body g = {
            .pgoff = x->value & 0xffffff, .count = x->value >> 32 & 0xff, .size = x->value >> 40};
        if (fits)
            g.size = size + (e.kind == FMT_INSERT ? g.count : e.kind == FMT_COLLAPSE ? -g.count : 0) * FUZZ_BLK;
        memcpy(e.payload, &g, sizeof g);
    } else if (e.kind == FMT_XATTR) {
        append_xattr(im, x, &e);
    } else if (e.kind == FMT_DENTRY_ADD || e.kind == FMT_DENTRY_REMOVE) {
        struct fmt_dentry_body d = {.ino = (uint32_t)(x->value & 0xff),
                                    .gen = (uint32_t)(x->value >> 8 & 0xff),
                                    .type = x->value >> 16 & 0xff,
                                    .name_len = (uint8_t)(1 + (x->value >> 24) % 20)};
        memset(d.name, 'a' + (int)(x->value >> 32) % 4, d.name_len);
        memcpy(e.payload, &d, sizeof d);
    } else {
        memcpy(e.payload, &x->value, sizeof x->value);
    }
    log_begin(&b, &log, 0);
    if (log_append(&b, &e, NULL) == NOVA_OK)
        (void)log_commit(&b, NULL);
}

/*
 * One bit of the saved bitmaps the other way (of block number `value`; of an inode number if `which` is odd), and the
 * counts of the clean state with it: a snapshot that is wrong and looks right.
 */
static void patch_saved(const struct image *im, const struct patch *x) {
    const struct media *m = &im->m;
    bool inode = x->which % 2 != 0;
    uint64_t bit = x->value % (inode ? 256 : m->blocks);
    struct fmt_snap *snap = (struct fmt_snap *)(void *)media_blk(m, m->snap_blk + inode);
    snap->payload[bit / 8] ^= (uint8_t)(1u << bit % 8);
    fmt_snap_seal(m, snap);
    uint64_t one = (snap->payload[bit / 8] >> bit % 8 & 1) != 0 ? 1 : UINT64_MAX;
    for (uint32_t i = 0; i < 2; i++) {
        struct fmt_state *st = (struct fmt_state *)(void *)(media_blk(m, m->state_blk) + i * FMT_STATE_SLOT_OFF);
        if (st->state != FMT_STATE_CLEAN)
            continue;
        st->inodes_used += inode ? one : 0;
        st->blocks_free -= inode ? 0 : one;
        fmt_state_seal(m, st);
    }
}

/*
 * A journal record that was committed and is not finished: the tail of one inode (`which`) is to move, that of the next
 * one stays.
 */
static void patch_pending(const struct image *im, const struct patch *x) {
    const struct parts *tails = &im->t->parts[PART_TAIL];
    struct fmt_journal rec = {.magic = FMT_JOURNAL_MAGIC, .count = 2};
    if (tails->n < 2)
        return;
    for (uint32_t i = 0; i < 2; i++) {
        const struct part *p = &tails->list[(x->which + i) % tails->n];
        struct log_end end = {{block_of(im, x, x->value), x->at & 0x7f}, (x->at & 0x80) != 0};
        fmt_ptr word;
        memcpy(&word, im->m.base + p->off, sizeof word);
        rec.moves[i] = (struct fmt_move){p->ino, p->gen, word,
                                         i == 0 ? fmt_tail_make(&im->m, p->ino, p->gen, end) : word};
    }
    fmt_journal_seal(&im->m, &rec);
    memcpy(journal_record(&im->m, x->at >> 8 & 1), &rec, sizeof rec);
}

uint64_t patch_all(const struct template *t, uint8_t *image, const uint8_t *records, size_t len) {
    struct image im = {.t = t, .m = t->m, .len = FUZZ_POOL};
    im.m.base = image;
    for (; len >= PATCH_BYTES; records += PATCH_BYTES, len -= PATCH_BYTES) {
        struct patch x = decode(records);
        switch (x.what) {
        case PATCH_RAW: /* `which`: the block */ change(image + x.which * FUZZ_BLK % FUZZ_POOL, FUZZ_BLK, &x); break;
        case PATCH_LENGTH: patch_length(&im, &x); break;
        case PATCH_COPY: patch_copy(&im, &x); break;
        case PATCH_APPEND: patch_append(&im, &x); break;
        case PATCH_SAVED: patch_saved(&im, &x); break;
        case PATCH_PENDING: patch_pending(&im, &x); break;
        default: patch_part(&im, &x); break;
        }
    }
    return im.len;
}
