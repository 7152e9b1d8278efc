/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The open pool as bytes: base address, geometry taken from a verified superblock, and the pmem_ops to write with.
 * Below everything that reads or writes media structures; holds no state that changes.
 */
#ifndef NOVA_FORMAT_MEDIA_H
#define NOVA_FORMAT_MEDIA_H

#include <stdbool.h>

#include "format/layout.h"
#include "pmem/pmem_ops.h"
#include "util/error.h"
#include "util/work_counts.h"

/* What a crash has left of making the pool larger. */
enum media_resize {
    MEDIA_WHOLE,     /* nothing */
    MEDIA_NOT_GROWN, /* it has its old size; the file may be longer, and a superblock says so */
    MEDIA_GROWN      /* it has its new size; the first superblock has not */
};

struct media {
    uint8_t *base;
    const struct pmem_ops *ops;
    uint64_t size;
    uint32_t blocks; /* size / NOVA_BLOCK_SIZE */
    uint32_t seed;   /* of every checksum: CRC32C of the uuid, so that another pool's leftovers are never valid */
    uint32_t state_blk, journal_blk, journal_count, itable_blk, snap_blk, snap_count;
    uint32_t itable_count;       /* of sb.itable_count, those that inodes_max needs; the others are for a larger pool */
    uint32_t data_blk, data_end; /* blocks that files, logs and inode-table blocks may use: [data_blk, data_end) */
    uint32_t inodes_max;         /* inode numbers are 1 .. inodes_max - 1 */
    struct fmt_sb sb;            /* as verified; or, if resize says so, as it is to be */
    enum media_resize resize;
    uint64_t old_size;          /* if it has grown: bytes before */
    struct work_counts *counts; /* of the open pool; NULL where nobody appends to a log */
};

static inline uint8_t *media_blk(const struct media *m, uint32_t blk) {
    return m->base + ((uint64_t)blk << NOVA_BLOCK_SHIFT);
}

static inline uint64_t media_off(const struct media *m, const void *addr) {
    return (uint64_t)((const uint8_t *)addr - m->base);
}

/* Whether blk, or all of [blk, blk + count) with count >= 1, lies in the data area. */
static inline bool media_is_data(const struct media *m, uint64_t blk, uint64_t count) {
    return blk >= m->data_blk && count >= 1 && blk + count <= m->data_end;
}

/* Computes the geometry of a pool of size bytes into a superblock without checksum. EINVAL if size is out of range. */
int media_layout(uint64_t size, struct fmt_sb *sb, struct nova_error *err);

/* Seals a superblock's checksum. */
void fmt_sb_seal(struct fmt_sb *sb);

/* Blocks of inode-table pointers that count: of itable_count, as many as inodes for the pool's size need. */
uint32_t fmt_sb_itable_used(const struct fmt_sb *sb);

/* To what size a pool can be made larger: as far as its snapshot area reaches. */
uint64_t fmt_sb_size_max(const struct fmt_sb *sb);

/*
 * The superblocks of a pool that becomes larger: what the first says beforehand; then, of that one, what both say when
 * it has been done, or given up. Sealed.
 */
struct fmt_sb fmt_sb_growing(const struct fmt_sb *sb, uint64_t size);
struct fmt_sb fmt_sb_grown(const struct fmt_sb *growing);
struct fmt_sb fmt_sb_not_grown(const struct fmt_sb *growing);

/*
 * Verifies a superblock's bytes against themselves (magic, version, features, checksum, geometry). off: where it was
 * found. ENOTPOOL, EVERSION, ECORRUPT.
 */
int fmt_sb_verify(const struct fmt_sb *sb, uint64_t off, struct nova_error *err);

/* Where the replica of the superblock lies in a pool of len bytes: its last whole block. */
static inline uint64_t media_last(uint64_t len) {
    return len < NOVA_BLOCK_SIZE ? 0 : ((len >> NOVA_BLOCK_SHIFT) - 1) << NOVA_BLOCK_SHIFT;
}

/*
 * Whether media_attach() would accept a file of len bytes, whose first and last block start with these bytes
 * (sizeof(struct fmt_sb) each; zero where the file is shorter). The same errors. *keep: how much of it the pool has;
 * less than len where a crash has cut short that it became larger.
 */
int media_probe(const void *first, const void *last, uint64_t len, uint64_t *keep, struct nova_error *err);

/*
 * Takes up the pool mapped at base with len bytes: superblock, or its replica if the primary is damaged
 * (*from_replica). After a crash while it was being made larger it is as before that, or as after it, and m->resize
 * says what superblock_settle() has to do. ENOTPOOL, EVERSION, ETRUNCATED, ECORRUPT.
 */
int media_attach(struct media *m, uint8_t *base, uint64_t len, const struct pmem_ops *ops, bool *from_replica,
                 struct nova_error *err);

/* ---- pointer words ---- */

enum fmt_ptr_tag {
    FMT_TAG_ITABLE = 'T',
    FMT_TAG_HEAD = 'H',
    FMT_TAG_FIRST = 'F', /* a head, of a log that begins in its first page: the slot's lines are not part of it */
    FMT_TAG_NEXT = 'N',
    FMT_TAG_TAIL = 't'
};

/* A position in a log: line idx of log page blk, or of the inode's slot if blk is 0. idx may be one past the last line.
 */
struct log_pos {
    uint32_t blk;
    uint32_t idx;
};

/* The end of a log, as its tail word says it. linked: there is a link entry before it, so the inode may have several
 * names, or had them. */
struct log_end {
    struct log_pos pos;
    uint32_t linked; /* 0 or 1. A word, since it is copied in words: a load of more than was stored waits for drains */
};

/*
 * Encodes a block number as a pointer word. owner/gen say what the word belongs to: inode and generation for HEAD,
 * FIRST and NEXT (home = block of the page that holds a NEXT, else 0), index and 0 for ITABLE.
 */
fmt_ptr fmt_ptr_make(const struct media *m, enum fmt_ptr_tag tag, uint32_t owner, uint32_t gen, uint32_t home,
                     uint32_t blk);
/* Decodes it; false if the check bits do not fit or the block is not in the data area. Null (0) is not valid either. */
bool fmt_ptr_get(const struct media *m, enum fmt_ptr_tag tag, uint32_t owner, uint32_t gen, uint32_t home, fmt_ptr ptr,
                 uint32_t *blk);

/* The same for a log tail. */
fmt_ptr fmt_tail_make(const struct media *m, uint32_t ino, uint32_t gen, struct log_end end);
bool fmt_tail_get(const struct media *m, uint32_t ino, uint32_t gen, fmt_ptr word, struct log_end *end);

/* ---- structures with checksums: seal after filling, verify after reading ---- */

void fmt_state_seal(const struct media *m, struct fmt_state *st);
bool fmt_state_ok(const struct media *m, const struct fmt_state *st);

void fmt_snap_seal(const struct media *m, struct fmt_snap *snap);
bool fmt_snap_ok(const struct media *m, const struct fmt_snap *snap);

void fmt_inode_seal(const struct media *m, struct fmt_inode *inode); /* the immutable part */
/* Whether the immutable part is that of inode ino. Says nothing of head and tail. */
bool fmt_inode_ok(const struct media *m, const struct fmt_inode *inode, uint32_t ino);

void fmt_page_tail_seal(const struct media *m, struct fmt_page_tail *tail);
bool fmt_page_tail_ok(const struct media *m, const struct fmt_page_tail *tail, uint32_t ino, uint32_t gen);

void fmt_journal_seal(const struct media *m, struct fmt_journal *rec);
/* Whether it is a whole record of sound tails, and so committed. Says nothing of the inodes it names. */
bool fmt_journal_ok(const struct media *m, const struct fmt_journal *rec);

/* The i-th extent of the value of an xattr entry, i < extents. */
struct nova_extent fmt_xattr_extent(const void *entry, uint32_t i);

/* Checksum of a value in blocks: that of its bytes, extent after extent. */
uint32_t fmt_xattr_crc(const struct media *m, const struct nova_extent *ext, uint32_t n, uint32_t value_len);
/* Whether the value of a verified xattr entry, if it lies in blocks, is as the entry says. */
bool fmt_xattr_value_ok(const struct media *m, const void *entry);

/*
 * An entry that says of what blocks: write, truncate or alloc. Pages from pgoff on become those of ext, none if its
 * count is 0; size, bytes, is the file's from then on. What log_append() fills in, and the checksum, are left 0.
 */
struct fmt_entry fmt_blocks_entry(enum fmt_kind kind, uint64_t pgoff, struct nova_extent ext, uint64_t size,
                                  int64_t mtime);

/* The first word of an entry as it is made, its checksum to come. */
static inline uint64_t fmt_entry_first(uint8_t kind, uint8_t lines) {
    return (uint64_t)kind << 32 | (uint64_t)lines << 40;
}

/*
 * A write that certifies its bytes, len of them, by their checksum. ext: the block that they begin, or, with count 0,
 * the one that has them where the file ends.
 */
void fmt_certified_entry(struct fmt_entry *e, uint64_t pgoff, struct nova_extent ext, uint64_t size, int64_t mtime,
                         uint32_t crc, uint32_t len);

/* Whether an entry says the size of a file and its mtime, which then lie where a write has them. */
static inline bool fmt_says_size(const struct fmt_entry *e) {
    switch (e->kind) {
    case FMT_WRITE:
    case FMT_ALLOC:
    case FMT_TRUNCATE:
    case FMT_HOLE:
    case FMT_COLLAPSE:
    case FMT_INSERT: return true;
    default: return false;
    }
}

/*
 * An entry of one line that certifies itself: a write of at most a block that says what the checksum of its bytes is.
 * Such an entry counts behind the tail, too (log_adopt()). data_ok: whether the bytes are there, of a verified one.
 */
bool fmt_entry_certifies(const struct fmt_entry *e);
bool fmt_entry_data_ok(const struct media *m, const struct fmt_entry *e);

/* Whether an entry's checksum fits, whatever it says; lines: that it may take. */
bool fmt_entry_whole(const struct media *m, const struct fmt_entry *e, uint32_t lines);

/* Starts writing back such an entry and its bytes. */
void fmt_entry_flush(const struct media *m, const struct fmt_entry *e);

/* Seals an entry whose header (but crc) and body are filled. */
void fmt_entry_seal(const struct media *m, void *entry);

/*
 * Verifies the entry at `entry`, a line with avail lines (itself included) left in its page or slot, as one of inode
 * (ino, gen) of the given type: header, checksum, and every field of its kind against its range. NULL if good, else
 * what is wrong.
 */
const char *fmt_entry_check(const struct media *m, const void *entry, uint32_t avail, uint32_t ino, uint32_t gen,
                            uint8_t type);

/* The same but for the checksum. */
const char *fmt_entry_look(const struct media *m, const void *entry, uint32_t avail, uint32_t ino, uint32_t gen,
                           uint8_t type);

#endif
