/* SPDX-License-Identifier: Apache-2.0 */
/* One run of nova_fsck() or nova_fsck_repair(): what its parts share. */
#ifndef NOVA_CHECK_FSCK_H
#define NOVA_CHECK_FSCK_H

#include "alloc/alloc.h"
#include "check/inspect.h"
#include "check/text.h"
#include "inode/ino_list.h"
#include "log/xattr_replay.h"
#include "recovery/pool_state.h"

/* What nova_fsck_repair() can do about a finding, in the order it is done. */
enum fsck_fix {
    FSCK_FIX_ENDED,      /* nothing: ended when the pool was taken up */
    FSCK_FIX_SUPERBLOCK, /* writes the good superblock over the other one */
    FSCK_FIX_STATE,      /* writes states: dirty, both slots whole and in succession */
    FSCK_FIX_SNAPSHOT,   /* the same for a clean pool whose saved state is wrong: the next open derives it anew */
    FSCK_FIX_ZERO,       /* zeroes a range of a fixed area that has no meaning */
    FSCK_FIX_SLOT_0,     /* the same for the slot of inode 0, which does not exist */
    FSCK_FIX_TAIL,       /* clears the tail word of the slot there, which no name refers to */
    FSCK_FIXES
};

struct fsck_task {
    enum fsck_fix fix;
    uint64_t off, len;
};

struct fsck {
    struct inspect in;
    struct text report;
    struct nova_fsck_summary sum;
    struct pool_state state;
    struct allocator *owned; /* a bit per block that something owns */
    struct ino_list more;    /* a number for each name of an inode beside its first; sorted after fsck_dirs() */
    uint64_t *live;          /* a bit per inode number that has a slot: reached by a name, or the root */
    bool dirs_whole;         /* every directory was read to its end: who has no name is known */
    bool logs_whole;         /* every log was read to its end: who owns nothing is known */
    bool two_superblocks;    /* both are whole and they differ: which is the right one is a guess */
    bool oom;
    uint64_t unfixable; /* errors that no fix is for */
    uint32_t allowed;   /* a bit per fix: findings that have it are put on the list, and reported as repaired */
    struct fsck_task *task;
    uint32_t tasks, task_cap;
};

/*
 * One run over f->in, which is open: report, sum and tasks. ENOMEM. fsck_reset() frees them and leaves f->in and
 * f->allowed, for another run.
 */
int fsck_run(struct fsck *f, struct nova_error *err);
void fsck_reset(struct fsck *f);

/* Adds a finding. off: byte offset in the pool, or NOVA_NO_OFF. */
void fsck_error(struct fsck *f, const char *what, uint64_t off, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void fsck_warning(struct fsck *f, const char *what, uint64_t off, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Adds a finding that has a fix, which concerns [off, off + len). warning: it is harmless. */
void fsck_fixable(struct fsck *f, enum fsck_fix fix, bool warning, const char *what, uint64_t off, uint64_t len,
                  const char *fmt, ...) __attribute__((format(printf, 7, 8)));

/* Offset of something in the mapping. */
static inline uint64_t fsck_off(const struct fsck *f, const void *addr) {
    return media_off(&f->in.m, addr);
}

/* Takes [blk, blk + count), which lies in the data area, for inode ino (0 = the inode table); an error if it is taken.
 */
void fsck_claim(struct fsck *f, uint32_t blk, uint32_t count, uint32_t ino, const char *as);

/* Flushes the pointer of a log page to the next one, in a run that repairs. */
void fsck_flush_page(const struct fsck *f, uint32_t blk);

/* All directories, from the root on: their logs, and what their names refer to. */
void fsck_dirs(struct fsck *f);

/* All other inodes. After fsck_dirs(). */
void fsck_files(struct fsck *f);

/* Takes an entry at `at`, if it is of an attribute, into what an inode's log says of its attributes. */
void fsck_xattr_entry(struct fsck *f, struct xattr_map *x, const struct log *log, const struct fmt_entry *e,
                      struct log_pos at);

/* The values that are left at the end of a log: their blocks and checksums. */
void fsck_xattr_values(struct fsck *f, const struct xattr_map *x, const struct log *log);

/* The saved state of a clean pool against what was found. After fsck_files(). */
void fsck_snapshot(struct fsck *f);

static inline bool fsck_is_live(const struct fsck *f, uint32_t ino) {
    return (f->live[ino / 64] >> ino % 64 & 1) != 0;
}

static inline void fsck_set_live(struct fsck *f, uint32_t ino) {
    f->live[ino / 64] |= UINT64_C(1) << ino % 64;
}

#endif
