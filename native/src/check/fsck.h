/* SPDX-License-Identifier: Apache-2.0 */
/* One run of nova_fsck(): what its parts share. */
#ifndef NOVA_CHECK_FSCK_H
#define NOVA_CHECK_FSCK_H

#include "alloc/alloc.h"
#include "check/inspect.h"
#include "check/text.h"
#include "recovery/pool_state.h"

struct fsck {
    struct inspect in;
    struct text report;
    struct nova_fsck_summary sum;
    struct pool_state state;
    struct allocator *owned; /* a bit per block that something owns */
    uint64_t *live;          /* a bit per inode number that has a slot: reached by a name, or the root */
    bool dirs_whole;         /* every directory was read to its end: who has no name is known */
    bool logs_whole;         /* every log was read to its end: who owns nothing is known */
    bool oom;
};

/* Adds a finding. off: byte offset in the pool, or NOVA_NO_OFF. */
void fsck_error(struct fsck *f, const char *what, uint64_t off, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void fsck_warning(struct fsck *f, const char *what, uint64_t off, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Offset of something in the mapping. */
static inline uint64_t fsck_off(const struct fsck *f, const void *addr) {
    return media_off(&f->in.m, addr);
}

/* Takes [blk, blk + count), which lies in the data area, for inode ino (0 = the inode table); an error if it is taken.
 */
void fsck_claim(struct fsck *f, uint32_t blk, uint32_t count, uint32_t ino, const char *as);

/* All directories, from the root on: their logs, and what their names refer to. */
void fsck_dirs(struct fsck *f);

/* All other inodes. After fsck_dirs(). */
void fsck_files(struct fsck *f);

/* The saved state of a clean pool against what was found. After fsck_files(). */
void fsck_snapshot(struct fsck *f);

static inline bool fsck_is_live(const struct fsck *f, uint32_t ino) {
    return (f->live[ino / 64] >> ino % 64 & 1) != 0;
}

static inline void fsck_set_live(struct fsck *f, uint32_t ino) {
    f->live[ino / 64] |= UINT64_C(1) << ino % 64;
}

#endif
