/* SPDX-License-Identifier: Apache-2.0 */
/* What is behind the opaque handles of nova.h. */
#ifndef NOVA_API_HANDLES_H
#define NOVA_API_HANDLES_H

#include <pthread.h>

#include "alloc/alloc.h"
#include "format/media.h"
#include "inode/inode_table.h"
#include "journal/journal.h"
#include "log/log.h"
#include "map/file_map.h"
#include "pmem/pool_file.h"
#include "recovery/pool_state.h"
#include "util/biased_lock.h"
#include "util/lock_rank.h"

#define OPEN_CHUNK 4096u /* inode numbers per chunk of the table of open inodes */

struct nova_pool {
    struct pool_file file;
    struct media media;
    struct allocator *alloc;
    struct inode_table itable;
    struct journal journal;
    struct pool_state state;
    pthread_mutex_t open_lock; /* guards open[] and nova_inode.released; taken with no other lock held */
    struct nova_inode ***open; /* [ino / OPEN_CHUNK][ino % OPEN_CHUNK], chunks made on demand */
    int leaked; /* space was lost (a damaged log, a commit that failed): do not save the allocator's state */
    uint64_t recovery_ns, recovered_inodes, orphans, redone;
    uint32_t recovered;
    struct work_counts counts; /* media.counts */
};

struct nova_inode {
    struct nova_pool *pool;
    /*
     * logLock: guards log, cursor, st and what map leads to. Its owner side is the one writing or replaying call that
     * the caller's locks let run; its guest side everything that may come at any time (nova_inode_stat(); a page
     * fault). Held for the merge of at most two blocks, the entries and the two drains, and in a mapped file for what
     * gives pages their blocks, copies those that move together, and shows them; never across a return.
     */
    struct biased_lock log_lock;
    struct log log;
    struct log_cursor cursor; /* end of the caller's view */
    struct nova_stat st;      /* as of the cursor */
    struct file_map *map;     /* once the inode has been mapped; set by a call that the caller serialises */
    uint32_t end_blk;         /* a hint: what is appended is best put behind this block; set by the caller's writes */
    bool in_place;            /* nova_set_in_place() */
    bool released;            /* free the inode's space when it is closed */
};

static inline void log_lock_owner(struct nova_inode *inode) {
    lock_rank_enter(RANK_LOG);
    biased_lock_owner(&inode->log_lock);
}

/* One of several, in ascending order of inode numbers. */
static inline void log_lock_owner_nth(struct nova_inode *inode) {
    lock_rank_enter_nth(RANK_LOG, inode->log.ino);
    biased_lock_owner(&inode->log_lock);
}

static inline void log_unlock_owner(struct nova_inode *inode) {
    biased_unlock_owner(&inode->log_lock);
    lock_rank_leave(RANK_LOG);
}

/* What a call that may have changed a file's contents ends with. */
static inline void log_unlock_settle(struct nova_inode *inode) {
    bool stale = inode->map != NULL && file_map_is_stale_locked(inode->map);
    log_unlock_owner(inode);
    if (stale)
        file_map_settle(inode->map);
}

static inline void log_lock_guest(struct nova_inode *inode) {
    lock_rank_enter(RANK_LOG);
    biased_lock_guest(&inode->log_lock);
}

static inline void log_unlock_guest(struct nova_inode *inode) {
    biased_unlock_guest(&inode->log_lock);
    lock_rank_leave(RANK_LOG);
}

/* The open handle of an inode, or NULL. The caller holds open_lock. */
struct nova_inode **open_entry_locked(struct nova_pool *pool, uint32_t ino);

/* The verified slot of an inode that is in use, or ENOENT, ECORRUPT. gen 0 accepts any. */
int find_slot(struct nova_pool *pool, uint32_t ino, uint32_t gen, struct fmt_inode **out, struct nova_error *err);

/* Frees blocks that a drained commit has made unreachable, or that none has named, for all who want some. The caller
 * holds no lock. */
void give_back_blocks(struct nova_pool *pool, const struct nova_extent *ext, uint32_t n);

/* Frees all space of an inode that no name refers to and no handle has open. ECORRUPT: some of it stays lost. */
int inode_reclaim(struct nova_pool *pool, uint32_t ino, uint32_t gen, struct nova_error *err);

/*
 * Whether the caller's view may be written from: it reaches the log's end, or what it lacks are commits of faults, of
 * which inode->map knows; else ESTALE, or ENOMEM if that map could not follow the log. The caller holds log_lock.
 */
int view_check_locked(struct nova_inode *inode, struct nova_error *err);

/* Whether it reaches the log's end; else ESTALE. */
int view_whole_locked(struct nova_inode *inode, struct nova_error *err);

/* The same as an answer, for who has checked it. */
static inline bool view_is_whole_locked(const struct nova_inode *inode) {
    return inode->cursor.pos.blk == inode->log.tail.blk && inode->cursor.pos.idx == inode->log.tail.idx;
}

/* Starts a writing call: clears the answer, and releases the blocks that ride along. */
int io_begin(struct nova_pool *pool, struct nova_io *io);

/* What every writing call on a file's contents checks first: io_begin(), the type, the view; *size, and io->size,
 * become the size as of the view. EISDIR, ESTALE. */
int file_begin(struct nova_inode *inode, uint64_t *size, struct nova_io *io);

/* Whether a block that a caller names can be one of a file, or is 0. */
static inline bool blk_arg_ok(const struct nova_pool *pool, uint32_t blk) {
    return blk == 0 || media_is_data(&pool->media, blk, 1);
}

/*
 * Appends n entries that lie one behind the other at e (each of its own number of lines), commits them, and takes them
 * into the caller's view and io's answer, or none of it. flags: ALLOC_*. The caller holds log_lock and has checked the
 * view. ENOSPC, ENOMEM, ECORRUPT, EOS.
 */
int entries_commit_locked(struct nova_inode *inode, struct fmt_entry *e, uint32_t n, unsigned flags,
                          struct nova_io *io);

/* The same with a batch that has been begun, and is ended here. */
int batch_commit_locked(struct nova_inode *inode, struct log_batch *b, struct fmt_entry *e, uint32_t n,
                        struct nova_io *io);

/* Passes on what a commit answered. After NOVA_EOS only a scan of the logs can tell what is in use, so that the pool is
 * not to be closed as clean. */
static inline int commit_answer(struct nova_pool *pool, int rc) {
    if (rc == NOVA_EOS)
        __atomic_store_n(&pool->leaked, 1, __ATOMIC_RELAXED);
    return rc;
}

/*
 * Takes a committed batch whose entries are all in io->records (more = 0), or must be replayed (more = 1), into the
 * caller's view, and lets the regions of the inode show what it did. io NULL: the caller need not hear of them; then
 * whole says whether the view was so before.
 */
void view_advance_locked(struct nova_inode *inode, const struct log_batch *b, uint64_t entries, bool whole,
                         struct nova_io *io);

/* The entry of a hole, or of a shift of what lies behind pages. */
void range_entry(struct fmt_entry *e, enum fmt_kind kind, uint64_t pgoff, uint64_t count, uint64_t size, int64_t now);

/* The entry of a change in place: the times alone. */
void times_entry(struct fmt_entry *e, int64_t now);

/*
 * The entries that set the attributes that mask names (NOVA_ATTR_*) to those of st: one, or two if both atime and btime
 * are among them. Returns how many.
 */
#define ATTR_ENTRIES_MAX 2u
uint32_t attr_entries(struct fmt_entry out[ATTR_ENTRIES_MAX], uint32_t mask, const struct nova_stat *st);

/* Turns a validated entry into lines records. */
void record_fill(struct nova_record *rec, const struct fmt_entry *e, struct log_pos at);

/* The attributes of an inode with an empty log. */
struct nova_stat stat_created(const struct fmt_inode *slot);

/* Applies an entry to attributes. */
void stat_apply(struct nova_stat *st, const struct fmt_entry *e);

#endif
