/* SPDX-License-Identifier: Apache-2.0 */
/* Superblock: geometry, growing, verification, attaching to a mapped pool. */
#include <string.h>

#include "format/media.h"
#include "util/crc32c.h"

#define DIV_UP(a, b) (((a) + (b)-1) / (b))

#define KNOWN_RO_COMPAT 0u

/* A new pool has room in its areas for this many times its size: 0.13 % of it. */
#define GROWTH 8u

#define INODES_PER_ITABLE_BLK (FMT_PTRS_PER_BLK * FMT_SLOTS_PER_BLK)
/* Enough for a pool of NOVA_POOL_SIZE_MAX; with more, pointer numbers would not fit 32 bits at some point. */
#define ITABLE_BLKS_MAX DIV_UP(NOVA_POOL_SIZE_MAX / NOVA_BLOCK_SIZE, INODES_PER_ITABLE_BLK)

/* Blocks of pointers that count. As many inodes as blocks: no mix of files runs out of inodes first. */
static uint32_t itable_used(uint64_t blocks, uint32_t itable_count) {
    uint64_t n = DIV_UP(blocks, INODES_PER_ITABLE_BLK);
    return n < itable_count ? (uint32_t)n : itable_count;
}

static uint64_t inodes_of(uint64_t blocks, uint32_t itable_count) {
    uint64_t n = (uint64_t)itable_used(blocks, itable_count) * INODES_PER_ITABLE_BLK;
    return n < INT32_MAX ? n : INT32_MAX;
}

/* Blocks that the saved bitmaps take: blocks first, then, from a new snapshot block on, inodes. */
static uint64_t snap_blks(uint64_t blocks, uint32_t itable_count) {
    return DIV_UP(blocks, FMT_SNAP_PAYLOAD * 8u) + DIV_UP(inodes_of(blocks, itable_count), FMT_SNAP_PAYLOAD * 8u);
}

int media_layout(uint64_t size, struct fmt_sb *sb, struct nova_error *err) {
    if (size < NOVA_POOL_SIZE_MIN || size > NOVA_POOL_SIZE_MAX)
        return nova_fail(err, NOVA_EINVAL, "pool size %llu is not between %llu and %llu bytes",
                         (unsigned long long)size, (unsigned long long)NOVA_POOL_SIZE_MIN,
                         (unsigned long long)NOVA_POOL_SIZE_MAX);
    uint32_t blocks = (uint32_t)(size >> NOVA_BLOCK_SHIFT);
    uint64_t later = size < NOVA_POOL_SIZE_MAX / GROWTH ? (uint64_t)blocks * GROWTH
                                                        : (uint64_t)NOVA_POOL_SIZE_MAX >> NOVA_BLOCK_SHIFT;
    memset(sb, 0, sizeof *sb);
    sb->magic = FMT_SB_MAGIC;
    sb->version = FMT_VERSION;
    sb->block_size = NOVA_BLOCK_SIZE;
    sb->incompat = FMT_INCOMPAT_ALL;
    sb->size = (uint64_t)blocks << NOVA_BLOCK_SHIFT;
    sb->seq = 1;
    sb->state_blk = 1;
    sb->journal_blk = sb->state_blk + 1;
    sb->journal_count = FMT_JOURNAL_BLKS;
    sb->itable_blk = sb->journal_blk + sb->journal_count;
    sb->itable_count = (uint32_t)DIV_UP(later, INODES_PER_ITABLE_BLK);
    sb->snap_blk = sb->itable_blk + sb->itable_count;
    sb->snap_count = (uint32_t)snap_blks(later, sb->itable_count);
    sb->data_blk = sb->snap_blk + sb->snap_count;
    sb->data_end = blocks - 1;
    return NOVA_OK;
}

static uint32_t sb_crc(const struct fmt_sb *sb) {
    return nova_crc32c(0, sb, offsetof(struct fmt_sb, crc));
}

void fmt_sb_seal(struct fmt_sb *sb) {
    sb->crc = sb_crc(sb);
}

/* The areas lie in the pool, in order, apart, and are large enough for what they describe. */
static bool geometry_ok(const struct fmt_sb *sb) {
    if (sb->size < NOVA_POOL_SIZE_MIN || sb->size > NOVA_POOL_SIZE_MAX || sb->size % NOVA_BLOCK_SIZE != 0)
        return false;
    uint64_t blocks = sb->size >> NOVA_BLOCK_SHIFT;
    uint64_t journal_end = (uint64_t)sb->journal_blk + sb->journal_count;
    uint64_t itable_end = (uint64_t)sb->itable_blk + sb->itable_count;
    uint64_t snap_end = (uint64_t)sb->snap_blk + sb->snap_count;
    return sb->state_blk >= 1 && sb->state_blk < sb->journal_blk && sb->journal_count >= 1 &&
           journal_end <= sb->itable_blk && sb->itable_count >= 1 && sb->itable_count <= ITABLE_BLKS_MAX &&
           itable_end <= sb->snap_blk && snap_end <= sb->data_blk &&
           sb->snap_count >= snap_blks(blocks, sb->itable_count) && sb->data_blk < sb->data_end &&
           sb->data_end == blocks - 1;
}

uint32_t fmt_sb_itable_used(const struct fmt_sb *sb) {
    return itable_used(sb->size >> NOVA_BLOCK_SHIFT, sb->itable_count);
}

/* ---- growing ---- */

uint64_t fmt_sb_size_max(const struct fmt_sb *sb) {
    uint64_t fits = sb->size >> NOVA_BLOCK_SHIFT, above = ((uint64_t)NOVA_POOL_SIZE_MAX >> NOVA_BLOCK_SHIFT) + 1;
    while (above - fits > 1) {
        uint64_t mid = fits + (above - fits) / 2;
        if (snap_blks(mid, sb->itable_count) <= sb->snap_count)
            fits = mid;
        else
            above = mid;
    }
    return fits << NOVA_BLOCK_SHIFT;
}

struct fmt_sb fmt_sb_growing(const struct fmt_sb *sb, uint64_t size) {
    struct fmt_sb next = *sb;
    next.incompat |= FMT_INCOMPAT_RESIZING;
    next.grow_to = size;
    next.seq++;
    fmt_sb_seal(&next);
    return next;
}

struct fmt_sb fmt_sb_not_grown(const struct fmt_sb *growing) {
    struct fmt_sb next = *growing;
    next.incompat &= ~(uint64_t)FMT_INCOMPAT_RESIZING;
    next.grow_to = 0;
    next.seq++;
    fmt_sb_seal(&next);
    return next;
}

struct fmt_sb fmt_sb_grown(const struct fmt_sb *growing) {
    struct fmt_sb next = fmt_sb_not_grown(growing);
    next.size = growing->grow_to;
    next.data_end = (uint32_t)(next.size >> NOVA_BLOCK_SHIFT) - 1;
    fmt_sb_seal(&next);
    return next;
}

/* It says that the pool is being made larger if and only if it says how large, and that is possible. */
static bool growing_ok(const struct fmt_sb *sb) {
    if ((sb->incompat & FMT_INCOMPAT_RESIZING) == 0)
        return sb->grow_to == 0;
    struct fmt_sb grown = fmt_sb_grown(sb);
    return sb->grow_to > sb->size && geometry_ok(&grown);
}

static bool zeros(const void *p, size_t len) {
    const uint8_t *b = p;
    for (size_t i = 0; i < len; i++)
        if (b[i] != 0)
            return false;
    return true;
}

int fmt_sb_verify(const struct fmt_sb *sb, uint64_t off, struct nova_error *err) {
    if (sb->magic != FMT_SB_MAGIC)
        return nova_fail_at(err, NOVA_ENOTPOOL, off, "not a JNova pool: no superblock magic");
    if (sb->crc != sb_crc(sb))
        return nova_fail_at(err, NOVA_ECORRUPT, off, "superblock checksum does not fit");
    if (sb->version != FMT_VERSION)
        return nova_fail_at(err, NOVA_EVERSION, off, "pool format version %u; this build knows version %u", sb->version,
                            FMT_VERSION);
    if ((sb->incompat & ~(uint64_t)FMT_INCOMPAT_KNOWN) != 0 || (sb->ro_compat & ~(uint64_t)KNOWN_RO_COMPAT) != 0)
        return nova_fail_at(err, NOVA_EVERSION, off,
                            "pool uses features that this build does not know (incompat %#llx, ro_compat %#llx)",
                            (unsigned long long)sb->incompat, (unsigned long long)sb->ro_compat);
    if (sb->block_size != NOVA_BLOCK_SIZE || !geometry_ok(sb) || !growing_ok(sb) || !zeros(sb->zero, sizeof sb->zero))
        return nova_fail_at(err, NOVA_ECORRUPT, off, "superblock geometry is out of range");
    return NOVA_OK;
}

/* What choose() found out. */
struct choice {
    struct fmt_sb sb;
    bool from_replica;
    enum media_resize resize;
    uint64_t old_size; /* before it grew, if it has */
};

/* Takes up a valid superblock, last being the last block's, which is another one or the same. */
static bool accept(struct choice *c, const void *last, uint64_t len) {
    struct fmt_sb growing = c->sb;
    if (growing.grow_to == 0)
        return c->sb.size == len;
    c->sb = fmt_sb_grown(&growing);
    if (len == c->sb.size && memcmp(last, &c->sb, sizeof c->sb) == 0) {
        c->resize = MEDIA_GROWN;
        c->old_size = growing.size;
        c->from_replica = true;
        return true;
    }
    c->sb = fmt_sb_not_grown(&growing);
    c->resize = MEDIA_NOT_GROWN;
    return len >= growing.size && len <= growing.grow_to;
}

/* The superblock to go by: the first, or its replica if the first is damaged, or has been replaced there. */
static int choose(const void *first, const void *last, uint64_t len, struct choice *c, struct nova_error *err) {
    struct nova_error primary;
    *c = (struct choice){0};
    if (len < sizeof c->sb)
        return nova_fail(err, NOVA_ENOTPOOL, "not a JNova pool: %llu bytes are less than any pool has",
                         (unsigned long long)len);
    memcpy(&c->sb, first, sizeof c->sb);
    int rc = fmt_sb_verify(&c->sb, 0, &primary);
    if (rc == NOVA_OK)
        return accept(c, last, len)
                   ? NOVA_OK
                   : nova_fail(err, NOVA_ETRUNCATED, "pool file has %llu bytes, its superblock says %llu",
                               (unsigned long long)len, (unsigned long long)c->sb.size);
    if ((rc == NOVA_ENOTPOOL || rc == NOVA_ECORRUPT) && len >= NOVA_POOL_SIZE_MIN) {
        memcpy(&c->sb, last, sizeof c->sb);
        c->from_replica = fmt_sb_verify(&c->sb, 0, NULL) == NOVA_OK && c->sb.size == len && accept(c, last, len);
    }
    if (c->from_replica)
        return NOVA_OK;
    if (err != NULL)
        *err = primary; /* what is wrong with the primary is the better report */
    return rc;
}

int media_probe(const void *first, const void *last, uint64_t len, uint64_t *keep, struct nova_error *err) {
    struct choice c;
    int rc = choose(first, last, len, &c, err);
    *keep = c.sb.size;
    return rc;
}

int media_attach(struct media *m, uint8_t *base, uint64_t len, const struct pmem_ops *ops, bool *from_replica,
                 struct nova_error *err) {
    struct choice c;
    int rc = choose(base, base + media_last(len), len, &c, err);
    *from_replica = c.from_replica;
    if (rc != NOVA_OK)
        return rc;
    struct fmt_sb sb = c.sb;
    *m = (struct media){
        .base = base,
        .ops = ops,
        .size = sb.size,
        .blocks = (uint32_t)(sb.size >> NOVA_BLOCK_SHIFT),
        .seed = nova_crc32c(0, sb.uuid, sizeof sb.uuid),
        .state_blk = sb.state_blk,
        .journal_blk = sb.journal_blk,
        .journal_count = sb.journal_count,
        .itable_blk = sb.itable_blk,
        .itable_count = fmt_sb_itable_used(&sb),
        .snap_blk = sb.snap_blk,
        .snap_count = sb.snap_count,
        .data_blk = sb.data_blk,
        .data_end = sb.data_end,
        .inodes_max = (uint32_t)inodes_of(sb.size >> NOVA_BLOCK_SHIFT, sb.itable_count),
        .resize = c.resize,
        .old_size = c.old_size,
        .sb = sb,
    };
    return NOVA_OK;
}

static void put_word(struct fmt_entry *e, unsigned i, uint64_t word) {
    memcpy((uint8_t *)e + i * sizeof word, &word, sizeof word);
}

/* An entry with the body of a write, by words (log.c says why). */
static void put_write(struct fmt_entry *e, enum fmt_kind kind, uint64_t pgoff, struct nova_extent ext, uint64_t size,
                      int64_t mtime, uint64_t data) {
    put_word(e, 0, fmt_entry_first((uint8_t)kind, 1));
    put_word(e, 1, 0);
    put_word(e, 2, 0);
    put_word(e, 3, pgoff);
    put_word(e, 4, ext.blk | (uint64_t)ext.count << 32);
    put_word(e, 5, size);
    put_word(e, 6, (uint64_t)mtime);
    put_word(e, 7, data);
}

struct fmt_entry fmt_blocks_entry(enum fmt_kind kind, uint64_t pgoff, struct nova_extent ext, uint64_t size,
                                  int64_t mtime) {
    struct fmt_entry e;
    put_write(&e, kind, pgoff, ext, size, mtime, 0);
    return e;
}

void fmt_certified_entry(struct fmt_entry *e, uint64_t pgoff, struct nova_extent ext, uint64_t size, int64_t mtime,
                         uint32_t crc, uint32_t len) {
    put_write(e, FMT_WRITE, ext.count == 0 ? 0 : pgoff, ext, size, mtime, crc | (uint64_t)len << 32);
}
