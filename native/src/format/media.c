/* SPDX-License-Identifier: Apache-2.0 */
/* Superblock: geometry, verification, attaching to a mapped pool. */
#include <string.h>

#include "format/media.h"
#include "util/crc32c.h"

#define DIV_UP(a, b) (((a) + (b)-1) / (b))

/* Features this build knows: none yet. */
#define KNOWN_INCOMPAT 0u
#define KNOWN_RO_COMPAT 0u

static uint64_t inodes_of(uint32_t itable_count) {
    uint64_t n = (uint64_t)itable_count * FMT_PTRS_PER_BLK * FMT_SLOTS_PER_BLK;
    return n < INT32_MAX ? n : INT32_MAX;
}

/* Blocks that the saved bitmaps take: blocks first, then, from a new snapshot block on, inodes. */
static uint64_t snap_blks(uint64_t blocks, uint64_t inodes) {
    return DIV_UP(blocks, FMT_SNAP_PAYLOAD * 8u) + DIV_UP(inodes, FMT_SNAP_PAYLOAD * 8u);
}

int media_layout(uint64_t size, struct fmt_sb *sb, struct nova_error *err) {
    if (size < NOVA_POOL_SIZE_MIN || size > NOVA_POOL_SIZE_MAX)
        return nova_fail(err, NOVA_EINVAL, "pool size %llu is not between %llu and %llu bytes", (unsigned long long)size,
                         (unsigned long long)NOVA_POOL_SIZE_MIN, (unsigned long long)NOVA_POOL_SIZE_MAX);
    uint32_t blocks = (uint32_t)(size >> NOVA_BLOCK_SHIFT);
    memset(sb, 0, sizeof *sb);
    sb->magic = FMT_SB_MAGIC;
    sb->version = FMT_VERSION;
    sb->block_size = NOVA_BLOCK_SIZE;
    sb->size = (uint64_t)blocks << NOVA_BLOCK_SHIFT;
    sb->seq = 1;
    sb->state_blk = 1;
    sb->journal_blk = sb->state_blk + 1;
    sb->journal_count = FMT_JOURNAL_BLKS;
    sb->itable_blk = sb->journal_blk + sb->journal_count;
    /* As many inodes as blocks: no mix of files runs out of inodes first. */
    sb->itable_count = DIV_UP(blocks, FMT_PTRS_PER_BLK * FMT_SLOTS_PER_BLK);
    sb->snap_blk = sb->itable_blk + sb->itable_count;
    sb->snap_count = (uint32_t)snap_blks(blocks, inodes_of(sb->itable_count));
    sb->data_blk = sb->snap_blk + sb->snap_count;
    sb->data_end = blocks - 1;
    return NOVA_OK;
}

static uint32_t sb_crc(const struct fmt_sb *sb) { return nova_crc32c(0, sb, offsetof(struct fmt_sb, crc)); }

void fmt_sb_seal(struct fmt_sb *sb) { sb->crc = sb_crc(sb); }

/* The areas lie in the pool, in order, apart, and are large enough for what they describe. */
static bool geometry_ok(const struct fmt_sb *sb) {
    if (sb->size < NOVA_POOL_SIZE_MIN || sb->size > NOVA_POOL_SIZE_MAX || sb->size % NOVA_BLOCK_SIZE != 0)
        return false;
    uint64_t blocks = sb->size >> NOVA_BLOCK_SHIFT;
    uint64_t journal_end = (uint64_t)sb->journal_blk + sb->journal_count;
    uint64_t itable_end = (uint64_t)sb->itable_blk + sb->itable_count;
    uint64_t snap_end = (uint64_t)sb->snap_blk + sb->snap_count;
    return sb->state_blk >= 1 && sb->state_blk < sb->journal_blk && journal_end <= sb->itable_blk &&
           sb->itable_count >= 1 && itable_end <= sb->snap_blk && snap_end <= sb->data_blk &&
           sb->snap_count >= snap_blks(blocks, inodes_of(sb->itable_count)) && sb->data_blk < sb->data_end &&
           sb->data_end == blocks - 1;
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
    if ((sb->incompat & ~(uint64_t)KNOWN_INCOMPAT) != 0 || (sb->ro_compat & ~(uint64_t)KNOWN_RO_COMPAT) != 0)
        return nova_fail_at(err, NOVA_EVERSION, off,
                            "pool uses features that this build does not know (incompat %#llx, ro_compat %#llx)",
                            (unsigned long long)sb->incompat, (unsigned long long)sb->ro_compat);
    if (sb->block_size != NOVA_BLOCK_SIZE || !geometry_ok(sb) || !zeros(sb->zero, sizeof sb->zero))
        return nova_fail_at(err, NOVA_ECORRUPT, off, "superblock geometry is out of range");
    return NOVA_OK;
}

int media_attach(struct media *m, uint8_t *base, uint64_t len, const struct pmem_ops *ops, bool *from_replica,
                 struct nova_error *err) {
    struct fmt_sb sb;
    *from_replica = false;
    if (len < NOVA_POOL_SIZE_MIN)
        return nova_fail(err, NOVA_ENOTPOOL, "not a JNova pool: %llu bytes are less than any pool has",
                         (unsigned long long)len);
    memcpy(&sb, base, sizeof sb);
    int rc = fmt_sb_verify(&sb, 0, err);
    if (rc == NOVA_OK && sb.size != len)
        return nova_fail(err, NOVA_ETRUNCATED, "pool file has %llu bytes, its superblock says %llu",
                         (unsigned long long)len, (unsigned long long)sb.size);
    if (rc == NOVA_ENOTPOOL || rc == NOVA_ECORRUPT) {
        uint64_t off = ((len >> NOVA_BLOCK_SHIFT) - 1) << NOVA_BLOCK_SHIFT;
        memcpy(&sb, base + off, sizeof sb);
        if (fmt_sb_verify(&sb, off, NULL) != NOVA_OK || sb.size != len)
            return rc; /* what is wrong with the primary is the better report */
        *from_replica = true;
        rc = NOVA_OK;
    }
    if (rc != NOVA_OK)
        return rc;
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
        .itable_count = sb.itable_count,
        .snap_blk = sb.snap_blk,
        .snap_count = sb.snap_count,
        .data_blk = sb.data_blk,
        .data_end = sb.data_end,
        .inodes_max = (uint32_t)inodes_of(sb.itable_count),
        .sb = sb,
    };
    return NOVA_OK;
}
