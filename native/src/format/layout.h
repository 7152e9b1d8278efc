/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every structure on the media, with the offset of each field asserted. native/FORMAT.md says when each is valid.
 * Little-endian; nothing here depends on the CPU count.
 */
#ifndef NOVA_FORMAT_LAYOUT_H
#define NOVA_FORMAT_LAYOUT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "nova.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the media format is little-endian; this build is not");

#define FMT_VERSION 1u
#define FMT_SB_MAGIC 0x31764c4f4f504e4aULL /* "JNPOOLv1" */
#define FMT_STATE_MAGIC 0x5453544au        /* "JSTS" */
#define FMT_SNAP_MAGIC 0x504e534au         /* "JSNP" */
#define FMT_PAGE_MAGIC 0x474f4c4au         /* "JLOG" */
#define FMT_INODE_MAGIC 0x4e4au            /* "JN" */

#define FMT_LINE 64u        /* bytes of a log line: one cache line */
#define FMT_PAGE_LINES 63u  /* lines of a log page that hold entries; the last holds the page tail */
#define FMT_INLINE_LINES 3u /* lines of an inode slot that hold entries */
#define FMT_SLOT 256u       /* bytes of an inode slot */
#define FMT_SLOTS_PER_BLK 16u
#define FMT_PTRS_PER_BLK 512u
#define FMT_STATE_SLOT_OFF 2048u /* the second state slot's offset in the state block */
#define FMT_SNAP_PAYLOAD 4032u   /* bytes of bitmap in a snapshot block */
#define FMT_JOURNAL_BLKS 16u
#define FMT_ENTRY_LINES_MAX 8u
#define FMT_DENTRY_LINES_MAX 5u
#define FMT_JOURNAL_MAGIC 0x4e58544au /* "JTXN" */
#define FMT_JOURNAL_RECORD 128u       /* bytes of a journal record: two cache lines */
#define FMT_JOURNAL_MOVES 4u          /* logs that one transaction may change */

/* Feature bits of fmt_sb.incompat. */
#define FMT_INCOMPAT_NAMESPACE 1u  /* directories below the root, links, ranges, xattrs, journal records */
#define FMT_INCOMPAT_CLEANING 2u   /* logs that lack entries without effect; that begin in their first page */
#define FMT_INCOMPAT_RESIZING 4u   /* the pool is just being made larger: fmt_sb.grow_to counts */
#define FMT_INCOMPAT_BTIME 8u      /* setattr entries with a time of creation */
#define FMT_INCOMPAT_CERTIFIED 16u /* write entries that certify themselves may lie behind the tail */
/* Those that a pool gets when it is opened. */
#define FMT_INCOMPAT_ALL (FMT_INCOMPAT_NAMESPACE | FMT_INCOMPAT_CLEANING | FMT_INCOMPAT_BTIME | FMT_INCOMPAT_CERTIFIED)
#define FMT_INCOMPAT_KNOWN (FMT_INCOMPAT_ALL | FMT_INCOMPAT_RESIZING)

/* The page of a file that holds a byte, and pages that so many bytes take. */
static inline uint64_t page_of(uint64_t off) {
    return off >> NOVA_BLOCK_SHIFT;
}

static inline uint64_t pages_of(uint64_t bytes) {
    return (bytes + NOVA_BLOCK_SIZE - 1) >> NOVA_BLOCK_SHIFT;
}

#define FMT_FILE_PAGES ((uint64_t)NOVA_FILE_SIZE_MAX >> NOVA_BLOCK_SHIFT) /* page numbers that a size can cover */

/*
 * A pointer word proves itself: low half = block (or, for a tail, block and line), high half = check bits bound to what
 * it belongs to. It is replaced by one aligned 8-byte store. All zero = null.
 */
typedef uint64_t fmt_ptr;

/* Superblock, at byte 0 and again at the last block. */
struct fmt_sb {
    uint64_t magic;       /*   0 */
    uint32_t version;     /*   8 */
    uint32_t block_size;  /*  12 */
    uint64_t incompat;    /*  16  unknown bit: refuse */
    uint64_t ro_compat;   /*  24  unknown bit: refuse to write */
    uint64_t compat;      /*  32  unknown bit: ignore */
    uint8_t uuid[16];     /*  40 */
    uint64_t size;        /*  56  bytes */
    int64_t created;      /*  64  ns */
    uint32_t seq;         /*  72  of superblock updates */
    uint32_t state_blk;   /*  76 */
    uint32_t journal_blk; /*  80 */
    uint32_t journal_count;
    uint32_t itable_blk; /*  88  array of inode-table pointers */
    uint32_t itable_count;
    uint32_t snap_blk; /*  96  saved allocator state */
    uint32_t snap_count;
    uint32_t data_blk; /* 104  first block of the data area */
    uint32_t data_end; /* 108  one past its last */
    uint64_t grow_to;  /* 112  bytes that the pool is about to have; 0: it is not being made larger */
    uint8_t zero[132]; /* 120 */
    uint32_t crc;      /* 252  of bytes 0..251, unseeded */
};

enum fmt_pool_state { FMT_STATE_DIRTY = 1, FMT_STATE_CLEAN = 2 };

/* Pool state, two slots in the state block, written in turn. */
struct fmt_state {
    uint32_t magic;       /*  0 */
    uint32_t state;       /*  4  fmt_pool_state */
    uint64_t seq;         /*  8  the higher of two valid slots is current */
    int64_t time;         /* 16 */
    uint64_t snap_seq;    /* 24  the snapshot that belongs to a clean state */
    uint64_t blocks_free; /* 32  as of a clean state */
    uint64_t inodes_used; /* 40 */
    uint64_t zero;        /* 48 */
    uint32_t zero2;       /* 56 */
    uint32_t crc;         /* 60  of bytes 0..59 */
};

/* Snapshot block: a piece of the block bitmap or of the inode bitmap (1 = used). */
struct fmt_snap {
    uint32_t magic;   /*  0 */
    uint32_t index;   /*  4  of this block in the snapshot area */
    uint64_t seq;     /*  8  = fmt_state.snap_seq */
    uint8_t zero[44]; /* 16 */
    uint32_t crc;     /* 60  of bytes 0..59 and of the payload */
    uint8_t payload[FMT_SNAP_PAYLOAD];
};

/* Inode slot. The first 48 bytes are written once, at creation. */
struct fmt_inode {
    uint32_t crc;   /*  0  of bytes 4..47 */
    uint16_t magic; /*  4 */
    uint8_t type;   /*  6  nova_file_type */
    uint8_t zero0;  /*  7 */
    uint32_t ino;   /*  8 */
    uint32_t gen;   /* 12  grows each time the slot is reused; never 0 */
    uint32_t mode;  /* 16 */
    uint32_t uid;   /* 20 */
    uint32_t gid;   /* 24 */
    uint32_t zero1; /* 28 */
    int64_t btime;  /* 32 */
    uint64_t zero2; /* 40 */
    fmt_ptr head;   /* 48  first log page, and whether the slot's lines count; meaningful if the tail lies in a page */
    fmt_ptr tail;   /* 56  end of the committed log; 0 = the slot is free */
    uint8_t lines[FMT_INLINE_LINES][FMT_LINE];
};

/* Log page: 63 lines for entries, one for the page tail. */
struct fmt_page_tail {
    uint32_t magic;   /*  0 */
    uint32_t ino;     /*  4 */
    uint32_t gen;     /*  8 */
    uint8_t zero[40]; /* 12 */
    uint32_t crc;     /* 52  of bytes 0..51 */
    fmt_ptr next;     /* 56  meaningful if the log's tail lies in a later page */
};

struct fmt_page {
    uint8_t lines[FMT_PAGE_LINES][FMT_LINE];
    struct fmt_page_tail tail;
};

enum fmt_kind {
    FMT_WRITE = 1,
    FMT_TRUNCATE = 2,
    FMT_SETATTR = 3,
    FMT_DENTRY_ADD = 4,
    FMT_DENTRY_REMOVE = 5,
    FMT_PAD = 6, /* the rest of this page (or slot) holds no entry */
    FMT_LINK = 7,
    FMT_HOLE = 8,
    FMT_COLLAPSE = 9,
    FMT_INSERT = 10,
    FMT_ALLOC = 11,
    FMT_XATTR = 12,
    FMT_KIND_LAST = FMT_XATTR
};

/* What every entry starts with. */
struct fmt_entry {
    uint32_t crc;  /*  0  of bytes 4 .. 64 * lines - 1 */
    uint8_t kind;  /*  4  fmt_kind */
    uint8_t lines; /*  5  lines the entry takes */
    uint16_t zero; /*  6 */
    uint32_t ino;  /*  8  of the log's inode */
    uint32_t gen;  /* 12 */
    uint64_t seq;  /* 16  grows strictly along a log; starts at 1 */
    uint8_t payload[40];
};

/* Payloads, from byte 24 of the entry on. */

struct fmt_write_body { /* FMT_WRITE, FMT_ALLOC; FMT_TRUNCATE has pgoff = blk = count = 0 */
    uint64_t pgoff;     /* 24  first file page */
    uint32_t blk;       /* 32  first block; if count is 0: 0, or the block that the certified bytes lie in */
    uint32_t count;     /* 36  pages; 0 in a truncate, and in a write that only moved the end of the file */
    uint64_t size;      /* 40  file size after the entry */
    int64_t mtime;      /* 48 */
    uint32_t data_crc;  /* 56  of the bytes that a write brings, if its entry certifies itself; else 0 */
    uint32_t data_len;  /* 60  how many they are, up to a block: the first of blk, or, if count is 0, the file's last;
                               0: it does not */
};

struct fmt_range_body { /* FMT_HOLE, FMT_COLLAPSE, FMT_INSERT; size and mtime lie where a write has them */
    uint64_t pgoff;     /* 24  first file page */
    uint64_t count;     /* 32  pages */
    uint64_t size;      /* 40  file size after the entry */
    int64_t mtime;      /* 48 */
    uint64_t zero;      /* 56 */
};

struct fmt_setattr_body {
    uint32_t mask; /* 24  NOVA_ATTR_* */
    uint32_t mode; /* 28 */
    uint32_t uid;  /* 32 */
    uint32_t gid;  /* 36 */
    int64_t atime; /* 40  or btime: not both are in the mask */
    int64_t mtime; /* 48 */
    int64_t ctime; /* 56 */
};

struct fmt_dentry_body {
    uint32_t ino;     /* 24 */
    uint32_t gen;     /* 28 */
    int64_t time;     /* 32 */
    uint8_t type;     /* 40  nova_file_type */
    uint8_t name_len; /* 41 */
    uint16_t zero;    /* 42 */
    char name[20];    /* 44  continues through the entry's further lines; the rest of the last line is zero */
};
#define FMT_DENTRY_NAME_OFF 44u

struct fmt_link_body {
    uint32_t nlink;    /* 24  names that the inode has now */
    uint32_t zero;     /* 28 */
    int64_t ctime;     /* 32 */
    uint8_t zero2[24]; /* 40 */
};

enum fmt_xattr_op { FMT_XATTR_SET = 1, FMT_XATTR_REMOVE = 2 };

struct fmt_xattr_body {
    int64_t ctime;      /* 24 */
    uint32_t value_len; /* 32  bytes */
    uint32_t value_crc; /* 36  of the value if it lies in blocks, else 0 */
    uint8_t name_len;   /* 40 */
    uint8_t op;         /* 41  fmt_xattr_op */
    uint8_t extents;    /* 42  that hold the value; 0: it lies in the entry */
    uint8_t zero;       /* 43 */
    char name[20];      /* 44  goes on; behind it the value or the extents, then zeros to the end of the line */
};
#define FMT_XATTR_NAME_OFF 44u
#define FMT_XATTR_EXTENTS 16u /* at most */
#define FMT_XATTR_EXTENT 8u   /* bytes of one: block, count; not aligned */

static_assert(NOVA_XATTR_MAX / NOVA_BLOCK_SIZE <= FMT_XATTR_EXTENTS, "a value fits one-block extents");
static_assert(FMT_XATTR_NAME_OFF + NOVA_NAME_MAX + FMT_XATTR_EXTENTS * FMT_XATTR_EXTENT <=
                  FMT_ENTRY_LINES_MAX * FMT_LINE,
              "an entry holds a name and its extents");

/* Journal record: the committed but perhaps unfinished half of a transaction over several logs (journal/journal.h). */
struct fmt_journal {
    uint32_t crc;   /*   0  of bytes 4..127 */
    uint32_t magic; /*   4 */
    uint32_t count; /*   8  moves, 2..4 */
    uint32_t zero;  /*  12 */
    struct fmt_move {
        uint32_t ino;
        uint32_t gen;
        fmt_ptr from;           /* the tail before the transaction */
        fmt_ptr to;             /* the tail after it */
    } moves[FMT_JOURNAL_MOVES]; /* 16 */
    uint8_t zero2[16];          /* 112 */
};
#define FMT_PAYLOAD_OFF 24u

#define FMT_AT(type, field, off) static_assert(offsetof(struct type, field) == (off), #type "." #field)
#define FMT_SIZE(type, size) static_assert(sizeof(struct type) == (size), "size of " #type)

FMT_SIZE(fmt_sb, 256);
FMT_AT(fmt_sb, magic, 0);
FMT_AT(fmt_sb, version, 8);
FMT_AT(fmt_sb, block_size, 12);
FMT_AT(fmt_sb, incompat, 16);
FMT_AT(fmt_sb, ro_compat, 24);
FMT_AT(fmt_sb, compat, 32);
FMT_AT(fmt_sb, uuid, 40);
FMT_AT(fmt_sb, size, 56);
FMT_AT(fmt_sb, created, 64);
FMT_AT(fmt_sb, seq, 72);
FMT_AT(fmt_sb, state_blk, 76);
FMT_AT(fmt_sb, journal_blk, 80);
FMT_AT(fmt_sb, journal_count, 84);
FMT_AT(fmt_sb, itable_blk, 88);
FMT_AT(fmt_sb, itable_count, 92);
FMT_AT(fmt_sb, snap_blk, 96);
FMT_AT(fmt_sb, snap_count, 100);
FMT_AT(fmt_sb, data_blk, 104);
FMT_AT(fmt_sb, data_end, 108);
FMT_AT(fmt_sb, grow_to, 112);
FMT_AT(fmt_sb, zero, 120);
FMT_AT(fmt_sb, crc, 252);

FMT_SIZE(fmt_state, 64);
FMT_AT(fmt_state, magic, 0);
FMT_AT(fmt_state, state, 4);
FMT_AT(fmt_state, seq, 8);
FMT_AT(fmt_state, time, 16);
FMT_AT(fmt_state, snap_seq, 24);
FMT_AT(fmt_state, blocks_free, 32);
FMT_AT(fmt_state, inodes_used, 40);
FMT_AT(fmt_state, crc, 60);

FMT_SIZE(fmt_snap, 4096);
FMT_AT(fmt_snap, index, 4);
FMT_AT(fmt_snap, seq, 8);
FMT_AT(fmt_snap, crc, 60);
FMT_AT(fmt_snap, payload, 64);

FMT_SIZE(fmt_inode, 256);
FMT_AT(fmt_inode, crc, 0);
FMT_AT(fmt_inode, magic, 4);
FMT_AT(fmt_inode, type, 6);
FMT_AT(fmt_inode, ino, 8);
FMT_AT(fmt_inode, gen, 12);
FMT_AT(fmt_inode, mode, 16);
FMT_AT(fmt_inode, uid, 20);
FMT_AT(fmt_inode, gid, 24);
FMT_AT(fmt_inode, btime, 32);
FMT_AT(fmt_inode, head, 48);
FMT_AT(fmt_inode, tail, 56);
FMT_AT(fmt_inode, lines, 64);

FMT_SIZE(fmt_page, 4096);
FMT_SIZE(fmt_page_tail, 64);
FMT_AT(fmt_page_tail, ino, 4);
FMT_AT(fmt_page_tail, gen, 8);
FMT_AT(fmt_page_tail, crc, 52);
FMT_AT(fmt_page_tail, next, 56);

FMT_SIZE(fmt_entry, 64);
FMT_AT(fmt_entry, kind, 4);
FMT_AT(fmt_entry, lines, 5);
FMT_AT(fmt_entry, ino, 8);
FMT_AT(fmt_entry, gen, 12);
FMT_AT(fmt_entry, seq, 16);
FMT_AT(fmt_entry, payload, FMT_PAYLOAD_OFF);
FMT_SIZE(fmt_write_body, 40);
FMT_AT(fmt_write_body, blk, 8);
FMT_AT(fmt_write_body, count, 12);
FMT_AT(fmt_write_body, size, 16);
FMT_AT(fmt_write_body, mtime, 24);
FMT_AT(fmt_write_body, data_crc, 32);
FMT_AT(fmt_write_body, data_len, 36);
FMT_SIZE(fmt_range_body, 40);
FMT_AT(fmt_range_body, count, 8);
FMT_AT(fmt_range_body, size, 16);
FMT_AT(fmt_range_body, mtime, 24);
FMT_AT(fmt_range_body, zero, 32);
FMT_SIZE(fmt_setattr_body, 40);
FMT_AT(fmt_setattr_body, mode, 4);
FMT_AT(fmt_setattr_body, atime, 16);
FMT_AT(fmt_setattr_body, mtime, 24);
FMT_AT(fmt_setattr_body, ctime, 32);
FMT_SIZE(fmt_xattr_body, 40);
FMT_AT(fmt_xattr_body, value_len, 8);
FMT_AT(fmt_xattr_body, value_crc, 12);
FMT_AT(fmt_xattr_body, name_len, 16);
FMT_AT(fmt_xattr_body, op, 17);
FMT_AT(fmt_xattr_body, extents, 18);
FMT_AT(fmt_xattr_body, zero, 19);
FMT_AT(fmt_xattr_body, name, 20);
FMT_SIZE(fmt_link_body, 40);
FMT_AT(fmt_link_body, zero, 4);
FMT_AT(fmt_link_body, ctime, 8);
FMT_AT(fmt_link_body, zero2, 16);
FMT_SIZE(fmt_journal, FMT_JOURNAL_RECORD);
FMT_AT(fmt_journal, magic, 4);
FMT_AT(fmt_journal, count, 8);
FMT_AT(fmt_journal, zero, 12);
FMT_AT(fmt_journal, moves, 16);
FMT_SIZE(fmt_move, 24);
FMT_AT(fmt_move, gen, 4);
FMT_AT(fmt_move, from, 8);
FMT_AT(fmt_move, to, 16);
FMT_AT(fmt_journal, zero2, 112);
FMT_SIZE(fmt_dentry_body, 40);
FMT_AT(fmt_dentry_body, gen, 4);
FMT_AT(fmt_dentry_body, time, 8);
FMT_AT(fmt_dentry_body, type, 16);
FMT_AT(fmt_dentry_body, name_len, 17);
FMT_AT(fmt_dentry_body, name, 20);

#endif
