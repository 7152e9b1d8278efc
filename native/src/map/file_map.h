/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that is mapped, or was while it is open: its regions, and what they show. A block map of the file is kept by
 * following its log, as everybody does who wants to know what a file holds: after each commit, by whomever, the new
 * entries are replayed into the map and the regions, in the same hold of logLock.
 *
 * A fault that gives a page a block, and where a crash leaves it:
 *   1. blocks are allocated in DRAM and zeroed                         - nothing happened
 *   2. entries (FMT_ALLOC), drain, tail, drain (log.h)                 - zeros where a hole was: the same bytes
 *   3. the regions show the blocks, and the thread that waits goes on  - what it stores is made durable by nova_force()
 *
 * logLock guards all of it, but what has another comment.
 */
#ifndef NOVA_MAP_FILE_MAP_H
#define NOVA_MAP_FILE_MAP_H

#include "inode/block_map.h"
#include "log/log.h"
#include "map/region.h"
#include "util/biased_lock.h"

/*
 * What happens without the parts of the protocol, for tests that show what each is for. The core never sets it, and
 * anything but 0 loses data.
 */
#define MAP_ONE_LOCK 1u /* nova_write() copies the caller's bytes under the lock that the fault path takes */
#define MAP_NO_HOLD 2u  /* stores go on to pages of which bytes are being carried over */
#define MAP_NO_REMAP 4u /* what a region shows stays when a writing call gives the page a block */
extern unsigned file_map_without;

struct file_map {
    /* These never change. */
    const struct pool_file *pool;
    const struct media *m;
    struct allocator *a;
    struct log *log;
    struct biased_lock *lock; /* logLock; taken as a guest here */
    int *leaked;              /* of the pool: set if it must not be closed as clean */

    struct block_map blocks;
    struct log_cursor cursor; /* how far the log has been followed */
    uint64_t size;
    int64_t mtime, ctime; /* moves of blocks do not change them */
    uint64_t stale;       /* first page of the file that eager regions may lack, or show as it was; */
    uint64_t stale_end;   /* and the page behind the last one */
    bool failed;          /* the log could not be followed: all regions raise SIGBUS */
    struct region *regions;
    struct region *faulting; /* the region that a fault is being served in: it is to show what comes of it */
    uint64_t *appended;      /* counts commits that no caller asked for; or NULL */
    uint64_t unseen;         /* blocks that moves have replaced, and the caller's view still has */
    uint32_t writers;        /* calls under way that know blocks: none may move */
    uint32_t eager;          /* regions that are */
    bool in_place;           /* asked for */
};

/* Makes one, for an inode whose log has been replayed to its end before. The caller holds logLock. ECORRUPT, ENOMEM. */
int file_map_new(struct file_map **out, const struct pool_file *pool, struct log *log, struct biased_lock *lock,
                 int *leaked, struct nova_error *err);
/* Closes all regions. No lock is held, and no call on the inode runs. */
void file_map_delete(struct file_map *f);

/*
 * Called with no lock held before a call that has changed the file returns, if file_map_is_stale_locked(): eager
 * regions show all pages below the end of the file, with blocks for those that had none; or SIGBUS if there is no
 * space. In steps, between which faults and others come to logLock.
 */
void file_map_settle(struct file_map *f);

/*
 * Called with no lock held before a call that takes the blocks from the pages [pgoff, end) of the file, or gives them
 * others. If they are many, lazy regions show only the last of them any more, so that little is left to do when the
 * commit is followed. In steps, as above. Whoever looks at a page before the commit is shown it again.
 *
 * cut: the file is to end before pgoff. Then eager regions raise SIGBUS for these pages already; file_map_settle()
 * shows them again if the call fails.
 */
void file_map_clear(struct file_map *f, uint64_t pgoff, uint64_t end, bool cut);

/* Called when blocks have been given back, with no lock held: pages that got none for lack of space may try again. */
void file_map_space(void);

/* Called with every fault (fault_server.h). */
void file_map_fault(void *addr, bool store);

/* ---- for who holds logLock ---- */

/* Replays what has been committed since, and makes the regions show it: but eager ones may lack some of it, until
 * file_map_settle(). After a failure they raise SIGBUS. */
void file_map_follow_locked(struct file_map *f);

static inline bool file_map_is_stale_locked(const struct file_map *f) {
    return f->eager != 0 && f->stale != f->stale_end;
}

/*
 * Before bytes of blocks are copied elsewhere, [pgoff, pgoff + n): nobody stores to these pages from now on, until the
 * commit that follows has been followed. If there is none, file_map_release_locked() with the same pages.
 */
void file_map_hold_locked(struct file_map *f, uint64_t pgoff, uint64_t n);
void file_map_release_locked(struct file_map *f, uint64_t pgoff, uint64_t n);

/* Gives blocks of zeros to all holes of the pages [pgoff, pgoff + n), in one commit. ENOSPC, ENOMEM, ECORRUPT, EOS. */
int file_map_fill_locked(struct file_map *f, uint64_t pgoff, uint64_t n, struct nova_error *err);

static inline uint32_t file_map_block(const struct file_map *f, uint64_t pgoff) {
    return block_map_get(&f->blocks, pgoff);
}

/* Whether writing calls go in place, wherever they write. */
static inline bool file_map_in_place(const struct file_map *f) {
    return f->eager != 0 || (f->in_place && f->regions != NULL);
}

/* ---- regions; no lock is held ---- */

/* The caller lets no other change to the file run. ENOSPC (eager), ENOMEM, ECORRUPT, EOS. */
int file_map_add(struct file_map *f, uint64_t pgoff, uint64_t len, int prot, bool lazy, struct region **out,
                 struct nova_error *err);

/* The rest may be called at any time, also beside file_map_delete() and after it. */

void file_map_remove(struct region *r);

/* What nova_force() and nova_populate() do, for pages of the region. EINVAL if it has been closed. */
int file_map_force(struct region *r, uint64_t page, uint64_t n, struct nova_error *err);
int file_map_populate(struct region *r, uint64_t page, uint64_t n, bool allocate, struct nova_error *err);
/* What nova_region_read() does, for bytes of the region. EINVAL also where no file is. */
int file_map_read(struct region *r, uint64_t off, uint8_t *buf, uint64_t len, struct nova_error *err);
bool file_map_stat(struct region *r, struct nova_region_stat *stat);

#endif
