/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file nova.h
 * The public interface of the JNova core: a log-structured file store on persistent memory.
 *
 * One file (the *pool*) on a DAX file system, on tmpfs, or on any other Linux file system holds inodes; each inode
 * has a log of its own, and the log is the truth. The core writes and validates the logs and allocates blocks. It keeps
 * no index of file contents: whoever uses it replays the log into an index of its own (nova_replay()), looks blocks
 * up there and reads them from the pool file directly. native/FORMAT.md describes the bytes on the media.
 *
 * The write protocol is that of NOVA (Xu and Swanson, "NOVA: A Log-structured File System for Hybrid Volatile/
 * Non-volatile Main Memories", FAST 2016, section 4), with an inner log lock apart from the caller's lock for user I/O.
 *
 * Conventions
 *  - Functions return a ::nova_status; 0 is success. On failure the ::nova_error argument (or `io->err`), which
 *    may be NULL where it is a plain argument, says what went wrong and where in the pool.
 *  - On failure nothing has changed: old content stays, no space is lost. The exceptions: after NOVA_EOS from a writing
 *    call the system refused to persist, every later writing call fails too, and whether this one happened shows after
 *    a reopen; nova_free() and nova_inode_release() say what they may leave.
 *  - Any function may answer NOVA_EINVAL, NOVA_ENOMEM and NOVA_EOS; functions that take a ::nova_io also what its frees
 *    can cause. Each names the other errors it has.
 *  - "Durable on return" means: survives what the pool's durability mode says (::nova_durability).
 *  - Offsets and lengths are bytes unless the name ends in `_blk` or `count` (blocks of NOVA_BLOCK_SIZE) or `pgoff`
 *    (file offset in blocks). Times are nanoseconds since the Unix epoch.
 *  - The core never aborts, exits, prints or raises a signal (builds with NOVA_DEBUG do on a broken lock order), and
 * never calls back into its caller.
 *
 * Threads: nova_pool_* (but close), nova_free() and functions on different inodes may run at the same time.
 * For one inode the caller serialises writing calls and nova_replay() (its ioLock); the core's own log lock orders them
 * against calls that may come at any time, as nova_inode_stat(). No lock of the core is held when a function returns.
 */
#ifndef NOVA_H
#define NOVA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define NOVA_API __attribute__((visibility("default")))
#else
#define NOVA_API
#endif

#define NOVA_BLOCK_SHIFT 12
#define NOVA_BLOCK_SIZE 4096
#define NOVA_NAME_MAX 255              /* bytes in a name */
#define NOVA_LINK_MAX 65000            /* names of one file */
#define NOVA_MODE_BITS 07777u          /* of a mode: permissions, setuid, setgid, sticky */
#define NOVA_SYMLINK_MAX 4095          /* bytes in the target of a symbolic link */
#define NOVA_XATTR_MAX 65536           /* bytes in the value of an extended attribute */
#define NOVA_NO_LINE 255u              /* "no entry", as the line of its place */
#define NOVA_FILE_SIZE_MAX (1LL << 60) /* bytes; a file may be sparse far beyond the pool's size */
#define NOVA_POOL_SIZE_MIN (1LL << 20) /* bytes */
#define NOVA_POOL_SIZE_MAX (1LL << 43) /* bytes; block numbers have 32 bits and lane counters 31 */
#define NOVA_WRITE_MAX (1LL << 31)     /* bytes in one atomic write */
#define NOVA_ROOT_INO 1u               /* the root directory; inode 0 does not exist */
#define NOVA_NO_OFF UINT64_MAX         /* "no particular place" in nova_error.pool_off */

/** What a call can answer. The numbers are part of the interface and never change their meaning. */
enum nova_status {
    NOVA_OK = 0,
    NOVA_EINVAL = 1,      /**< an argument is out of range */
    NOVA_ENOMEM = 2,      /**< the process has no memory left */
    NOVA_ENOSPC = 3,      /**< the pool has no free block (or inode) left */
    NOVA_EOS = 4,         /**< the operating system refused; nova_error.os_errno says how */
    NOVA_EEXIST = 5,      /**< the pool file exists already */
    NOVA_ENOENT = 6,      /**< no such pool file, or no such inode */
    NOVA_EBUSY = 7,       /**< the pool is open elsewhere, or the inode is open already */
    NOVA_ENOTPOOL = 8,    /**< the file is not a pool */
    NOVA_EVERSION = 9,    /**< a pool of a format version or feature this build does not know */
    NOVA_ETRUNCATED = 10, /**< the file is shorter (or longer) than its superblock says */
    NOVA_ECORRUPT = 11,   /**< a structure on the media is damaged; pool_off says where */
    NOVA_ESTALE = 12,     /**< the inode's log must be replayed to its end first */
    NOVA_EFBIG = 13,      /**< beyond NOVA_FILE_SIZE_MAX or NOVA_WRITE_MAX */
    NOVA_ENAME = 14,      /**< a name is empty, too long, "." or "..", or holds '/' or NUL */
    NOVA_EACCES = 15,     /**< no permission for the pool file */
    NOVA_EISDIR = 16,     /**< a directory where a file is needed */
    NOVA_ENOTDIR = 17,    /**< a file where a directory is needed */
    NOVA_ELINKED = 18,    /**< the inode may have several names: the call needs its open handle */
    NOVA_EMLINK = 19,     /**< the inode has NOVA_LINK_MAX names */
    NOVA_STATUS_COUNT = 20
};

/** How a pool persists, and so what "durable" survives. */
enum nova_durability {
    NOVA_DURABLE_PMEM = 1,     /**< DAX: cache-line write-back and fence; survives power failure */
    NOVA_DURABLE_EMULATED = 2, /**< the same on other memory; survives a crash of the process. On tmpfs always */
    NOVA_DURABLE_MSYNC = 3     /**< page cache: msync; survives power failure, slowly */
};

enum nova_file_type { NOVA_FILE = 1, NOVA_DIR = 2, NOVA_SYMLINK = 3 };

/** What went wrong. Filled on failure only. */
struct nova_error {
    int32_t code;      /**< ::nova_status */
    int32_t os_errno;  /**< errno of the failing system call, or 0 */
    uint64_t pool_off; /**< byte offset in the pool of the damaged structure, or NOVA_NO_OFF */
    char msg[240];     /**< one sentence, NUL-terminated, without newline */
};

/** A run of blocks. */
struct nova_extent {
    uint32_t blk;
    uint32_t count;
};

/** Work done so far and in all (any unit); the core stores, another thread may watch. total is 0 while unknown. */
struct nova_progress {
    uint64_t done;
    uint64_t total;
};

/* flags of nova_pool_options */
#define NOVA_OPT_EMULATED 1u /* treat the pool as persistent memory although it is not (tmpfs, page cache) */
/* nova_pool_open(): maps all pages of the pool at once, so that no later call meets a page fault; needs Linux 5.14, and
 * is ignored before that. On tmpfs in huge pages, from Linux 6.1 on, as far as there are any. */
#define NOVA_OPT_PREFAULT 2u

/** Options of create and open; a zeroed structure means defaults. */
struct nova_pool_options {
    uint32_t flags;
    uint32_t lanes;            /**< allocation lanes, 0 = one per CPU, at most 64; not a property of the media */
    uint32_t recovery_threads; /**< 0 = one per CPU, at most 64 */
    uint32_t reserved;
    struct nova_progress *progress; /**< or NULL; of recovery */
};

/** Facts about an open pool. */
struct nova_pool_info {
    uint64_t size;           /**< bytes */
    uint64_t blocks;         /**< in all, superblocks and tables included */
    uint64_t blocks_free;    /**< a moment's view while others write */
    uint64_t blocks_data;    /**< that files, logs and inodes can use: free + used */
    uint64_t blocks_reserve; /**< of the free ones, kept for delete and truncate */
    uint64_t inodes_used;    /**< the root directory included */
    uint64_t inodes_max;
    int64_t created;           /**< time */
    uint64_t recovery_ns;      /**< how long opening took to find the allocator's state */
    uint64_t recovered_inodes; /**< logs read by recovery; 0 after a clean close */
    uint64_t orphans;          /**< inodes without a name that recovery released */
    uint32_t version;          /**< of the media format */
    uint32_t lanes;
    uint32_t durability;                  /**< ::nova_durability */
    uint32_t recovered;                   /**< 1 if the logs were scanned (after a crash), 0 after a clean close */
    uint64_t incompat, ro_compat, compat; /**< feature flags */
    uint8_t uuid[16];
    uint64_t longest_free; /**< blocks in the longest free extent; walks the free map */
    uint64_t size_max;     /**< bytes to which nova_pool_resize() can make it larger */
};

/** Attributes of an inode, as of the last replayed log entry. */
struct nova_stat {
    uint64_t size;
    int64_t atime, mtime, ctime, btime;
    uint32_t ino, gen;
    uint32_t type; /**< ::nova_file_type */
    uint32_t mode, uid, gid;
    uint32_t log_pages; /**< log pages replayed so far; 0 while the log fits the inode's slot */
    uint32_t nlink;     /**< names; 0 once it was released. A directory has one and no more */
    uint64_t entries;   /**< log entries replayed so far */
};

/**
 * Work done on a pool since it was opened. Counted where something rare happens, so that counting costs an ordinary
 * call nothing; a moment's view while others work.
 */
struct nova_pool_stats {
    uint64_t log_pages_added;   /**< by commits */
    uint64_t log_pages_freed;   /**< by cleaning, and with inodes that were released */
    uint64_t faults;            /**< of mapped regions, served */
    uint64_t fault_pages;       /**< pages of holes that got a block by a fault */
    uint64_t fault_moved;       /**< pages whose blocks a fault moved together */
    uint64_t fault_hold_max_ns; /**< longest time that serving a fault held logLock */
    uint64_t log_lock_waits;    /**< how often somebody who wanted a logLock found it taken */
    uint64_t redone;            /**< transactions that a crash had cut short after their commit, ended by the open */
    uint64_t map_vmas;          /**< mappings of the kernel that all regions of the process take */
    uint64_t map_vmas_max;      /**< what they keep to; 0 before the first region */
};

enum nova_record_kind {
    NOVA_REC_WRITE = 1,         /**< file pages [pgoff, pgoff+count) now are blocks [blk, blk+count); size is new.
                                      count 0: the bytes went into a block that was there, only the size grew */
    NOVA_REC_TRUNCATE = 2,      /**< size is new; pages at or beyond it, rounded up, are gone */
    NOVA_REC_SETATTR = 3,       /**< attributes named by mask are new */
    NOVA_REC_DENTRY_ADD = 4,    /**< name now names the child (and no other) */
    NOVA_REC_DENTRY_REMOVE = 5, /**< name is gone */
    NOVA_REC_LINK = 6,          /**< number of names and ctime are new */
    NOVA_REC_HOLE = 8,          /**< pages [pgoff, pgoff+count) are gone */
    NOVA_REC_COLLAPSE = 9,      /**< the same, and those behind have moved down by count; size is new */
    NOVA_REC_INSERT = 10,       /**< pages from pgoff on have moved up by count; size is new */
    NOVA_REC_ALLOC = 11,        /**< as WRITE, of blocks of zeros; pages may lie beyond the size */
    NOVA_REC_XATTR = 12 /**< the attribute `name` has a new value, which nova_xattr_read() reads at this record's
                             log_blk and log_idx; or it is gone */
};

#define NOVA_ATTR_MODE 1u
#define NOVA_ATTR_UID 2u
#define NOVA_ATTR_GID 4u
#define NOVA_ATTR_ATIME 8u
#define NOVA_ATTR_MTIME 16u
#define NOVA_ATTR_CTIME 32u
#define NOVA_ATTR_KEEP_CTIME 64u /* in calls only */
#define NOVA_ATTR_BTIME 128u

#define NOVA_RECORD_SIZE 64
#define NOVA_RECORDS_MAX 5 /* records that one log entry may take (one with a long name) */

/** One validated log entry, as replay reports it. One with a long name continues in the next lines - 1 records. */
struct nova_record {
    uint32_t kind;    /**< ::nova_record_kind */
    uint32_t lines;   /**< records this entry takes, 1..NOVA_RECORDS_MAX */
    uint32_t log_blk; /**< the log page that holds the entry; 0 = the inode's slot */
    uint32_t log_idx; /**< line in it */
    uint64_t seq;     /**< grows by at least one from entry to entry of a log */
    union {
        struct {
            uint64_t pgoff;
            uint32_t blk;
            uint32_t count;
            uint64_t size;
            int64_t mtime;
            uint64_t reserved;
        } write; /* and ALLOC; TRUNCATE: size, mtime */
        struct {
            uint64_t pgoff, count;
            uint64_t size;
            int64_t mtime;
            uint64_t reserved;
        } range; /* HOLE, COLLAPSE, INSERT; size and mtime as in write */
        struct {
            uint32_t mask; /* not of both atime and btime */
            uint32_t mode, uid, gid;
            int64_t atime; /* or btime, if that is in the mask */
            int64_t mtime, ctime;
        } attr;
        struct {
            uint32_t ino, gen;
            uint32_t type;
            uint32_t name_len;
            int64_t time;
            char name[16]; /* continues through the following records */
        } dentry;
        struct {
            uint32_t nlink;
            uint32_t reserved;
            int64_t ctime;
        } link;
        struct {
            int64_t ctime;
            uint32_t value_len;
            uint32_t blocks; /* that the value takes */
            uint32_t removed;
            uint32_t name_len;
            char name[16]; /* continues through the following records */
        } xattr;
    } u;
};

#define NOVA_IO_FREES 64
#define NOVA_IO_RECORDS 16

/**
 * The caller's half of a conversation about one inode; any memory, one per inode, reused from call to call.
 * In: free_count extents in frees, blocks that a replayed commit replaced, released before the call allocates (even
 * if the call then fails), as by nova_free(), whose errors end the call; a write may use one of them at once. The core
 * sets free_count to 0.
 * Out: the records from the end of the caller's view of the log up to and including what the call committed.
 * If `more` is 1 they did not fit and nova_replay() has the rest.
 */
struct nova_io {
    uint32_t free_count;
    uint32_t record_count;
    uint32_t more;
    uint32_t reserved0;
    uint64_t size; /**< file size after the call */
    uint64_t reserved1[5];
    struct nova_error err;
    struct nova_extent frees[NOVA_IO_FREES];
    struct nova_record records[NOVA_IO_RECORDS];
};

typedef struct nova_pool nova_pool;
typedef struct nova_inode nova_inode;
typedef struct nova_intent nova_intent;

/** The meaning of a status, a static string; unknown values answer so. */
NOVA_API const char *nova_strerror(int status);

/** Version of this library, a static string. */
NOVA_API const char *nova_version(void);

/**
 * Sizes, offsets and constants of this header as text, a line "name=value" each, so that a binding can check its own.
 * Writes at most cap bytes including the final NUL. Returns the length needed without it.
 */
NOVA_API size_t nova_abi(char *buf, size_t cap);

/* ---- pools ------------------------------------------------------------------------------------------------------- */

/**
 * Makes a pool file: allocates every block of it (so that a full file system fails here and not as SIGBUS later),
 * formats it, and closes it. Durable on return; a call that failed leaves no file behind, and a crash inside leaves
 * a file that is recognised as not (yet) a pool.
 * size: bytes, NOVA_POOL_SIZE_MIN..NOVA_POOL_SIZE_MAX, rounded down to a whole block.
 * Errors: EINVAL, EEXIST (any file of that name), EACCES, ENOENT (no such folder), ENOSPC (of the file system), EOS.
 */
NOVA_API int nova_pool_create(const char *path, uint64_t size, const struct nova_pool_options *opt,
                              struct nova_error *err);

/**
 * Opens a pool for this process alone (a lock on the file, gone with the process), recovering it if it was not closed.
 * opt may be NULL. Errors: ENOENT, EACCES, EISDIR, EBUSY (open in this or another process), ENOTPOOL, EVERSION,
 * ETRUNCATED, ECORRUPT, ENOMEM, ENOSPC (sparse file on a full file system), EOS.
 */
NOVA_API int nova_pool_open(const char *path, const struct nova_pool_options *opt, nova_pool **out,
                            struct nova_error *err);

/** Fills stats. Any thread. */
NOVA_API int nova_pool_stats(nova_pool *pool, struct nova_pool_stats *stats);

/**
 * Makes a pool that is not open larger, where it is: all files stay, the new space is free, and there may be more
 * inodes in proportion. The pool is opened for that, and so recovered if it was not closed; then its file is extended,
 * every block of it allocated, and it is closed. It cannot be made smaller.
 * size: bytes, rounded down to a whole block; more than it has, at most nova_pool_info.size_max. Room to grow was set
 * aside when the pool was made, for 8 times its size at that time at least (up to NOVA_POOL_SIZE_MAX); pools made
 * before there was this call have only what rounding has left.
 * Atomic: a crash inside leaves a pool of the old size or of the new one, as does a call that failed with EOS or
 * ENOMEM; any other failure leaves the old size. Durable on return. opt may be NULL, as for nova_pool_open().
 * Errors: those of nova_pool_open(); EINVAL (size), ENOSPC (the file system has no room for it).
 */
NOVA_API int nova_pool_resize(const char *path, uint64_t size, const struct nova_pool_options *opt,
                              struct nova_error *err);

/**
 * Saves the allocator's state so that the next open need not scan, and unmaps the pool. Open inodes are closed; intents
 * must have been committed or aborted. Blocks that replay reported as replaced must have been given back by then
 * (nova_free(), nova_io.frees): others are saved as used, and stay lost until a recovery. The handle is gone whatever
 * the result; without the saved state the next open recovers.
 */
NOVA_API int nova_pool_close(nova_pool *pool, struct nova_error *err);

/** Fills info. Any thread. */
NOVA_API int nova_pool_info(nova_pool *pool, struct nova_pool_info *info);

/**
 * Releases blocks that the caller's replay found replaced. Errors: EINVAL (outside the data area), ECORRUPT (a block
 * that is free already). An extent with an error is not released, the others are.
 */
NOVA_API int nova_free(nova_pool *pool, const struct nova_extent *ext, uint32_t n, struct nova_error *err);

/* ---- inodes ------------------------------------------------------------------------------------------------------ */

/**
 * Opens an inode once (share the handle). gen 0 accepts any generation. The caller must nova_replay() the log to its
 * end before it writes. Errors: ENOENT (no such inode or another generation), EBUSY (open already), ECORRUPT, ENOMEM.
 */
NOVA_API int nova_inode_open(nova_pool *pool, uint32_t ino, uint32_t gen, nova_inode **out, struct nova_error *err);

/** Closes the handle; if nova_inode_release() was called meanwhile, frees the inode's space. */
NOVA_API int nova_inode_close(nova_inode *inode, struct nova_error *err);

/** Attributes as of the last replayed entry. Any thread, also while another one writes the inode. */
NOVA_API int nova_inode_stat(nova_inode *inode, struct nova_stat *st);

/**
 * Validates and reports committed log entries from the caller's position on, and moves the position past them.
 * At most cap records (>= NOVA_RECORDS_MAX) go to out. io->record_count says how many; io->more is 1 while some remain.
 * Errors: ECORRUPT (the position stays before the damaged entry; record_count says how many good ones before it were
 * reported and passed), EINVAL.
 */
NOVA_API int nova_replay(nova_inode *inode, struct nova_record *out, uint32_t cap, struct nova_io *io);

/**
 * Gives back all space of an inode that no name refers to any more (its removal is committed), now or, if it is open,
 * when its handle is closed. After a crash recovery does the same for every inode without a name.
 * Errors: ENOENT, ECORRUPT (some of its space stays lost until the next recovery).
 */
NOVA_API int nova_inode_release(nova_pool *pool, uint32_t ino, uint32_t gen, struct nova_error *err);

/** Pages [pgoff, pgoff + count) of a file. */
struct nova_run {
    uint64_t pgoff, count;
};

/* ---- file contents ----------------------------------------------------------------------------------------------- */

/**
 * Writes len bytes (1..NOVA_WRITE_MAX) at byte offset off, as one atomic unit, durable on return.
 *
 * The caller looks up in its index, holding its own lock against other writers of this file:
 *   first_blk  the block of the page that holds byte off,           0 if that page is a hole or beyond the end
 *   last_blk   the block of the page that holds byte off + len - 1, 0 likewise
 *   eof_blk    the block of the page that holds byte `size`,        0 likewise or if size is a multiple of the block
 * size Bytes of those pages outside the range are kept. src may be any memory, also a mapping of this file; it is read
 * without any lock of the core held. If the file is written in place (nova_set_in_place()) from a mapping of bytes that
 * the call also writes, each of them is taken as it was before the call or as the call has made it. Bytes beyond the
 * end in an allocated last block are filled in place.
 *
 * Errors: EINVAL, EFBIG, ENOSPC, ENOMEM, ESTALE, EISDIR.
 */
NOVA_API int nova_write(nova_inode *inode, uint64_t off, const void *src, uint64_t len, uint32_t first_blk,
                        uint32_t last_blk, uint32_t eof_blk, struct nova_io *io);

/**
 * The same in steps, for bytes that come in pieces: begin allocates, fill copies src to byte rel of the range (every
 * byte of the range must be filled once before commit), commit makes all of it visible atomically. Either
 * nova_write_commit() or nova_write_abort() ends the intent, commit also when it fails. No other writing call on the
 * inode in between.
 */
NOVA_API int nova_write_begin(nova_inode *inode, uint64_t off, uint64_t len, uint32_t first_blk, uint32_t last_blk,
                              uint32_t eof_blk, struct nova_io *io, nova_intent **out);
/**
 * The same with holes, as a copy of a file with holes wants it: the pages of n runs, ascending and without overlap, get
 * no blocks, or lose them, and none of their bytes may be filled. Each run lies wholly within the range; the last page
 * counts as whole if the range covers it up to the size that the file will have. If the file is written in place
 * (nova_set_in_place()), these pages become zeros instead.
 */
NOVA_API int nova_write_begin_sparse(nova_inode *inode, uint64_t off, uint64_t len, const struct nova_run *holes,
                                     uint32_t n, uint32_t first_blk, uint32_t last_blk, uint32_t eof_blk,
                                     struct nova_io *io, nova_intent **out);
NOVA_API int nova_write_fill(nova_intent *intent, uint64_t rel, const void *src, uint64_t len, struct nova_io *io);
NOVA_API int nova_write_commit(nova_intent *intent, struct nova_io *io);
NOVA_API void nova_write_abort(nova_intent *intent);

/**
 * Sets the size; bytes gained read as zero; pages beyond it are given back. eof_blk as for nova_write(). Works on a
 * full pool if it gives pages back, as long as the reserve for log pages lasts. Atomic, durable on return. Nothing is
 * logged if the size stays. Errors: EFBIG, ENOSPC, ESTALE, EISDIR.
 */
NOVA_API int nova_truncate(nova_inode *inode, uint64_t size, uint32_t eof_blk, struct nova_io *io);

/* ---- ranges of a file ---- */

/**
 * Makes the bytes [off, off + len) read as zeros and gives back the pages that lie wholly in the range; the size stays.
 * The last page of the file counts as whole if the range covers it up to the size; pages beyond the size may be given
 * back too. For "punch hole" and "zero range" alike.
 *
 * The caller looks up in its index:
 *   first_blk  the block of the page that holds byte off,           0 if it has none
 *   last_blk   the block of the page that holds byte off + len - 1, 0 if it has none
 *   between    0 if it knows that no page between these two has a block; else 1 (for nothing: the call then logs a hole
 *              where one was, which does no harm)
 *
 * Where an edge of the range lies within a page that has a block, the page gets another one with the bytes to be kept.
 * Nothing is logged if there is nothing to give back or to zero.
 *
 * Works on a full pool, as long as the reserve for log pages lasts: the reserve also has the (at most two) blocks of
 * the edges, until those that they replace are given back. Atomic, durable on return. Errors: EINVAL (len 0, a block
 * outside the data area), EFBIG, ENOSPC, ESTALE, EISDIR.
 */
NOVA_API int nova_punch(nova_inode *inode, uint64_t off, uint64_t len, uint32_t first_blk, uint32_t last_blk,
                        uint32_t between, struct nova_io *io);

/**
 * Removes the bytes [off, off + len): those behind move down, the size shrinks by len. Works on a full pool, as
 * nova_truncate() does. Atomic, durable on return. Errors: EINVAL (off or len no multiple of NOVA_BLOCK_SIZE, len 0, or
 * off + len not below the size: that is a truncate), ENOSPC, ESTALE, EISDIR.
 */
NOVA_API int nova_collapse(nova_inode *inode, uint64_t off, uint64_t len, struct nova_io *io);

/**
 * Puts a hole of len bytes in at off: the bytes from there on move up, the size grows by len. Atomic, durable on
 * return. Errors: EINVAL (off or len no multiple of NOVA_BLOCK_SIZE, len 0, or off not below the size), EFBIG, ENOSPC,
 * ESTALE, EISDIR.
 */
NOVA_API int nova_insert(nova_inode *inode, uint64_t off, uint64_t len, struct nova_io *io);

/**
 * Gives blocks of zeros to n >= 1 runs of pages that have none, in ascending order and apart, as the caller's index
 * says (a page that has a block would lose its bytes). Pages may lie beyond the size: they stay until a truncate, or a
 * punch, takes them back. size: of the file afterwards, not below the present one; growing needs eof_blk as for
 * nova_write(), else it is not looked at. Whole or not at all. Later writes to these pages take new blocks
 * nevertheless, and give these back: what the call promises is that the space is there, not that it stays. Errors:
 * EINVAL (no run, an empty one, one out of order; size below the present one; a block outside the data area), EFBIG
 * (beyond NOVA_FILE_SIZE_MAX), ENOSPC, ESTALE, EISDIR.
 */
NOVA_API int nova_allocate(nova_inode *inode, const struct nova_run *runs, uint32_t n, uint64_t size, uint32_t eof_blk,
                           struct nova_io *io);

/* ---- attributes -------------------------------------------------------------------------------------------------- */

/**
 * Sets those attributes of any inode that mask names (NOVA_ATTR_*, but not NOVA_ATTR_CTIME: ctime becomes the present
 * time). btime is when the inode was made, until it is set. A mask of NOVA_ATTR_ATIME | NOVA_ATTR_KEEP_CTIME, and only
 * that one, leaves ctime as it is: that a file was read is no change of it. mode: the permission bits, 0..07777.
 * Atomic, durable on return. Errors: EINVAL (mask or mode), ENOSPC, ESTALE.
 */
NOVA_API int nova_setattr(nova_inode *inode, uint32_t mask, uint32_t mode, uint32_t uid, uint32_t gid, int64_t atime,
                          int64_t mtime, int64_t btime, struct nova_io *io);

/* ---- extended attributes ----------------------------------------------------------------------------------------- */

/*
 * Names with values, of inodes of any type. A name is 1..NOVA_NAME_MAX bytes without NUL; the core gives no meaning to
 * its prefix. A value is 0..NOVA_XATTR_MAX bytes; a small one lies in the log entry, a larger one in blocks of its own.
 * There is no limit to their number.
 *
 * The caller's index says, for each name, the place (log_blk, log_idx) of the record that last set it; that decides
 * whether a name is there. A call that replaces or removes a value gives back its blocks by itself, once that is
 * durable.
 */

/**
 * Gives name the value, in one atomic step, durable on return. old_blk, old_idx: the place of the entry that holds its
 * present value; old_idx NOVA_NO_LINE if it has none. value may be NULL if value_len is 0.
 * Errors: ENAME, EINVAL (no entry of that name at the old place), EFBIG, ENOSPC, ESTALE, ECORRUPT (the entry at the old
 * place is damaged).
 */
NOVA_API int nova_setxattr(nova_inode *inode, const char *name, uint32_t name_len, const void *value,
                           uint32_t value_len, uint32_t old_blk, uint32_t old_idx, struct nova_io *io);

/**
 * Takes name away; arguments and errors as nova_setxattr(), but there must be an old place. Works on a full pool, as
 * long as the reserve for log pages lasts.
 */
NOVA_API int nova_removexattr(nova_inode *inode, const char *name, uint32_t name_len, uint32_t old_blk,
                              uint32_t old_idx, struct nova_io *io);

/**
 * Copies the value that the entry at this place holds to buf; *len is its length. Any thread, as long as nobody
 * replaces or removes this value, or cuts the log, meanwhile. Errors: EINVAL (no such place, an entry without a value,
 * or cap is less than *len: then nothing is copied), ECORRUPT (entry or value are damaged).
 */
NOVA_API int nova_xattr_read(nova_inode *inode, uint32_t log_blk, uint32_t log_idx, void *buf, uint32_t cap,
                             uint32_t *len, struct nova_error *err);

/* ---- directories ------------------------------------------------------------------------------------------------- */

/*
 * Each call is one failure-atomic transaction, durable on return, over the logs of all inodes that it changes: one log
 * by its tail alone, several by the journal. The caller serialises the calls on each directory, and on each inode whose
 * handle it passes, as it does for writing; it knows from its directory indexes what the names name. Names:
 * 1..NOVA_NAME_MAX bytes without '/' and NUL, not "." or "..". nova_link() must not run beside a call that takes a name
 * from the same inode, be it with its handle or without, nor between that and nova_inode_release(): each would count
 * without the other. A directory or child that has been released answers ENOENT.
 *
 * An inode is in use as long as a name names it. Directories are a tree: the caller keeps a directory from being moved
 * below itself, and removes only empty ones; what no longer hangs on the root, the next recovery frees.
 */

/** A name in a directory, and what the caller's index says that it names. */
struct nova_name {
    nova_inode *dir;
    const char *name;
    uint32_t len;
    uint32_t ino, gen;  /**< what it names; ino 0: nothing, the name is free */
    uint32_t type;      /**< ::nova_file_type of that */
    nova_inode *child;  /**< its open handle, or NULL: then the call may answer NOVA_ELINKED */
    struct nova_io *io; /**< of dir */
};

/**
 * Makes an inode of the given type and enters it in dir under name, which is free. The record reports the new inode's
 * number and generation. content: for a symbolic link its target, len 1..NOVA_SYMLINK_MAX; else NULL and 0.
 * Errors: ENAME, ENOSPC, ENOTDIR, ESTALE, EINVAL.
 */
NOVA_API int nova_create(nova_inode *dir, const char *name, uint32_t name_len, uint32_t type, uint32_t mode,
                         uint32_t uid, uint32_t gid, const void *content, uint32_t content_len, struct nova_io *io);

/**
 * Gives a file or symbolic link, open as child, another name, which is free. The child's view moves past its link
 * entry, which changes nothing but nova_stat. Errors: ENAME, ENOSPC, ENOTDIR, ESTALE (either), EISDIR, EMLINK, EINVAL.
 */
NOVA_API int nova_link(nova_inode *dir, const char *name, uint32_t name_len, nova_inode *child, struct nova_io *io);

/**
 * Removes the name n; works on a full pool, as long as the reserve for log pages lasts. If that was the last name
 * (child NULL, or its nlink was 1, or a directory), the caller then calls nova_inode_release(). Errors: ENAME, ENOTDIR,
 * ESTALE, ELINKED (nothing has changed; call again with n->child), ENOSPC (reserve used up), EINVAL.
 */
NOVA_API int nova_unlink(const struct nova_name *n);

/**
 * Makes what `from` names be named `to` instead. What `to` named before loses that name: the caller then releases it as
 * after nova_unlink(). The directories may be the same; then both names share from->io, and to->io is not looked at.
 * A directory replaces only an (empty) directory, and nothing else does. Errors, all in from->io: as nova_unlink(),
 * ELINKED for to->child; EISDIR (`to` names a directory, `from` does not), ENOTDIR also for the reverse; ENOENT (no
 * such inode), ENOSPC without a reserve, EINVAL also if both names are of one inode: POSIX has nothing happen then.
 */
NOVA_API int nova_rename(const struct nova_name *from, const struct nova_name *to);

/** Exchanges what two names name, of any types. Directories and errors as for nova_rename(), but never ELINKED. */
NOVA_API int nova_exchange(const struct nova_name *a, const struct nova_name *b);

/* ---- cleaning a log ---------------------------------------------------------------------------------------------- */

/*
 * A log grows with every call, also where it says what no longer counts. The caller, whose index knows what still does,
 * cleans it: what counts in the first pages is appended again (nova_clean_append()), and then they are cut off
 * (nova_clean_cut()). Neither changes what the log says, and a crash anywhere leaves a log that says the same.
 *
 * Of the entries in a log these still count: a WRITE or ALLOC as long as a page has the block that it gave to it,
 * wherever COLLAPSE and INSERT have moved the page since; a DENTRY_ADD and the XATTR of a value as long as the name has
 * what it says. All that goes with everything that is appended again. The other entries (size, number of names,
 * attributes; whatever takes pages, names or values away) count for those behind them only up to the last
 * nova_clean_append(): the first pages of a log need not keep any of them after one.
 *
 * Places in the log change: a record reported before may have gone, and what is appended again has a new one. Calls are
 * serialised with writing calls on the inode, and need its view at the log's end (else ESTALE). Blocks of pages and
 * values stay where they are: who reads them is not disturbed.
 */

#define NOVA_PAGE_RECORDS 128 /* room that the records of any page of a log fit */
#define NOVA_KEEP_MAX 504
#define NOVA_CUT_MAX 64

/** What is to be appended again. */
struct nova_keep {
    uint64_t at;    /**< first page of an extent; or the line of an entry */
    uint32_t blk;   /**< first block of the extent; or the log page that holds the entry, 0 for the inode's slot */
    uint32_t count; /**< pages of the extent: those from `at` on are the blocks from blk on. 0: an entry, of a name
                         (DENTRY_ADD) or of the value of an attribute (XATTR) */
};

/**
 * Reports the committed entries in one page of the log, or, log_blk 0, in the inode's slot (none if they have been cut
 * off), but for writes without pages. wanted: bit i is set if the entry that begins at line i is wanted, if one does;
 * bits of lines in which none begins are to be those of entries of several lines whose first one is wanted, else what
 * such a line holds is taken for an entry (ECORRUPT, or a record of what nobody appended). cap: NOVA_PAGE_RECORDS or
 * more; io->record_count says how many. next_blk, next_wanted: the page that is likely to be read next, which is
 * fetched from memory meanwhile; 0, or none of the pool: none. Moves no position. The checksums of entries that say of
 * blocks are not looked at: the index knows better than they. Errors: EINVAL (no page of this log), ECORRUPT.
 */
NOVA_API int nova_clean_read(nova_inode *inode, uint32_t log_blk, uint64_t wanted, uint32_t next_blk,
                             uint64_t next_wanted, struct nova_record *out, uint32_t cap, struct nova_io *io);

/**
 * Appends n things again, and behind them the size, the number of names if there was ever more than one, and all
 * attributes. n: 0..NOVA_KEEP_MAX. The records are reported as by any writing call. Atomic, durable on return. Works on
 * a full pool, as long as the reserve for log pages lasts. Errors: EINVAL (no such extent or entry), EISDIR (an extent
 * of a directory), ENOSPC, ESTALE, ECORRUPT (an entry to be kept is damaged).
 */
NOVA_API int nova_clean_append(nova_inode *inode, const struct nova_keep *keep, uint32_t n, struct nova_io *io);

/**
 * Appends n extents again, and nothing else, for pages in the middle of a log of which little counts: once they hold
 * nothing that does they may be taken out, and what is appended here may later be, too. n: 1..NOVA_KEEP_MAX. As
 * nova_clean_append() otherwise. Errors: EINVAL also for what is no extent, and unless the inode's mtime and ctime are
 * one, since entries of blocks set both.
 */
NOVA_API int nova_clean_gather(nova_inode *inode, const struct nova_keep *keep, uint32_t n, struct nova_io *io);

/**
 * Takes the pages between prev_blk and keep_blk, at most NOVA_CUT_MAX, out of the log and frees them. prev_blk 0: all
 * in front of keep_blk, with the lines in the inode's slot; else a page of a log that has been cut in that way before.
 * keep_blk: a page of the log behind prev_blk, at the latest the one that holds the end.
 *
 * Nothing in what goes may count any more, or else it is lost. From the middle of a log only pages may go that hold
 * nothing but WRITE, ALLOC with count > 0, DENTRY_ADD, and XATTR with a value, none of which count; for others the
 * answer is EINVAL. So it is for a WRITE with count 0, unless keep_blk or the page that holds the end has an entry that
 * says the size.
 *
 * Checksums of entries that say of blocks are not looked at, as in nova_clean_read(), if one behind them says the size.
 *
 * io->size says how many pages were freed. One drain; durable on return. Errors: EINVAL (no such pages), ESTALE,
 * ECORRUPT, EOS (no page was freed).
 */
NOVA_API int nova_clean_cut(nova_inode *inode, uint32_t prev_blk, uint32_t keep_blk, struct nova_io *io);

/**
 * Starts a log again in the inode's slot: a log that has been cut, lies in one page, and of which everything that
 * counts (the n things to keep, and what nova_clean_append() adds, as far as it differs from the inode as it was made)
 * fits three lines. The page is freed. Records as after any writing call. Atomic, durable on return, needs no space.
 * Errors: EINVAL (no such log, or it does not fit), ESTALE, EISDIR, ECORRUPT.
 */
NOVA_API int nova_clean_restart(nova_inode *inode, const struct nova_keep *keep, uint32_t n, struct nova_io *io);

/* ---- memory mapping ---------------------------------------------------------------------------------------------- */

/*
 * A *region* shows a range of a file as memory. Pages that have a block show it: loads and stores go to the pool
 * itself. In a *lazy* region a page that has none shows zeros, and gets a block when something is stored to it: the
 * store waits (userfaultfd(2)) until a thread of the core has allocated the block, zeroed it, and committed it to the
 * inode's log. That thread takes logLock, and no lock of the caller: whoever stores may hold any of them. In an *eager*
 * region all pages up to the end of the file have blocks from the start.
 *
 * Regions of one file may overlap. They, nova_write() and the other writing calls, and whoever reads the pool through
 * an up-to-date index, all see the same bytes:
 *  - After a writing call a region shows what the call has made of the file. The call replaces blocks as ever, and is
 *    atomic after a crash; stores to the rest of partly written pages wait meanwhile, none is lost. Loads by other
 *    threads may see pages of it change one after the other.
 *  - Writing calls on a file that is *in place* (nova_set_in_place(), and as long as it has an eager region) go to the
 *    blocks that are there instead. That is durable on return, but a crash inside may leave any part of it; so may a
 *    failure, if there is no space for the entry that ends it, and giving up an intent.
 *  - Pages beyond the one that holds the end of the file raise SIGBUS, until the file grows; as do those that cannot
 *    get a block for lack of space, and all pages of a region once the kernel refuses to map, or the inode is closed.
 *    (SIGSEGV, where the process has no mapping left to say so: see vm.max_map_count.) Bytes behind the end in its page
 *    are arbitrary.
 *  - For lack of space: in a lazy region, until blocks are given back to the pool. In an eager one, until a call that
 *    writes or punches these pages or makes the file grow over them anew, or nova_populate(), finds some.
 *
 * Stores are durable after nova_force(). Without it, any of them may be after a crash.
 *
 * A child of fork() has no regions: any access to one of its parent's raises SIGSEGV there. It may close and free them,
 * which touches nothing but its own address space, and may open pools of its own; but it must call nothing on the
 * parent's inodes, pools and pins, whose locks a thread of the parent may have held.
 *
 * mlockall(2) locks what regions show, and gives blocks to all holes of the lazy ones that are there when it is called
 * with MCL_CURRENT.
 *
 * A region's memory must not be the buffer of direct or asynchronous I/O of the kernel (O_DIRECT, io_uring(7),
 * MSG_ZEROCOPY): that goes on with the physical pages that it found first, and nobody waits for it when a page gets
 * another block (a writing call, a move), or loses its own. A device would then store to what may be another file's.
 * Calls that copy, as read(2) and write(2) without O_DIRECT, may use it as any memory; and what nova_pin() has pinned
 * may be such a buffer, for those blocks stay where they are, and are given to nobody, until the pin ends.
 *
 * A mapped inode's log grows by itself: each such commit adds 1 to the word that nova_map() was given, before anybody
 * can store to the pages. The records come with the next writing call (nova_io.more is 1 then), or by nova_replay().
 * Writing calls accept a view that lacks them, but for nova_allocate(), which answers NOVA_ESTALE.
 */

typedef struct nova_region nova_region;

#define NOVA_MAP_WRITE 1u /* stores are allowed; without it they raise SIGSEGV */
#define NOVA_MAP_EAGER 2u /* an eager region, also where a lazy one is possible */

/** Facts about a region, of one moment. */
struct nova_region_stat {
    uint64_t addr, len;   /**< bytes; addr is that of the range's first byte */
    uint64_t faults;      /**< served */
    uint64_t allocated;   /**< pages that got a block by a fault, or by nova_populate() */
    uint64_t mapped;      /**< pages that show their block now */
    uint64_t vmas;        /**< mappings of the kernel that the region takes, by the core's own account */
    uint64_t vmas_all;    /**< the same of all regions of the process */
    uint64_t vmas_max;    /**< what they keep to: half of vm.max_map_count */
    uint64_t moved;       /**< pages whose blocks were moved to keep to it */
    uint64_t hold_max_ns; /**< longest time that serving a fault held logLock, */
    uint64_t hold_p99_ns; /**< and what 99 of 100 did not exceed, by up to a quarter too high */
    uint32_t lazy;        /**< 1: holes get blocks when they are stored to */
    uint32_t in_place;    /**< 1: writing calls on the file go in place */
};

/**
 * Maps the bytes [off, off + len) of a file, of which some may lie beyond its end. off: a multiple of
 * NOVA_BLOCK_SIZE; len: 1..2^46, rounded up to whole pages. The inode must have been replayed to its end once.
 * appended: counts commits that no call made, or NULL; valid until the inode is closed. All regions of an inode share
 * the first one that is not NULL.
 * A region is eager, asked or not, if userfaultfd is not to be had for faults inside system calls too: the kernel could
 * not read or write a lazy one then. Blocks that an eager one gives to holes are committed as those of faults are, so
 * that the caller's view lacks them at first.
 * Any thread; but for one inode the caller serialises it with writing calls.
 * Errors: EINVAL, EFBIG, EISDIR, ESTALE (not yet replayed), ENOSPC (eager), ECORRUPT, ENOMEM (also if the regions of
 * the process take three quarters already of the mappings that they may, nova_region_stat.vmas_max), EOS.
 */
NOVA_API int nova_map(nova_inode *inode, uint64_t off, uint64_t len, uint32_t flags, uint64_t *appended,
                      nova_region **out, struct nova_error *err);

/**
 * Makes what was stored to the bytes [off, off + len) of the region durable: flush and drain, no system call (but in
 * NOVA_DURABLE_MSYNC). Any thread. Errors: EINVAL (outside the region, or it is closed), EOS.
 */
NOVA_API int nova_force(nova_region *region, uint64_t off, uint64_t len, struct nova_error *err);

/**
 * Gives blocks to pages of the region's bytes [off, off + len) that have none (below the end of the file; if allocate
 * is not 0), and maps those that have, so that no fault comes later unless something changes. Any thread.
 * Errors: EINVAL (outside the region, or it is closed), ENOSPC, ENOMEM, ECORRUPT, EOS.
 */
NOVA_API int nova_populate(nova_region *region, uint64_t off, uint64_t len, uint32_t allocate, struct nova_error *err);

/**
 * Copies the bytes [off, off + len) of the region to buf, as loads would, but without a page fault: what would raise
 * SIGBUS is an error here. For a caller who cannot bear a signal at any place, as Java cannot. Any thread, also while
 * an intent of this inode is open. Errors: EINVAL (outside the region, beyond the page that holds the end of the file,
 * or the region is closed).
 */
NOVA_API int nova_region_read(nova_region *region, uint64_t off, void *buf, uint64_t len, struct nova_error *err);

/** Fills stat. Any thread. */
NOVA_API int nova_region_stat(nova_region *region, struct nova_region_stat *stat);

/**
 * Ends the region: from now on any access to its memory raises SIGBUS, and nothing of it reaches the pool. The address
 * range stays taken until nova_region_free(). Closing the inode or the pool does the same to all their regions, so that
 * only nova_region_stat(), this and nova_region_free() may follow. Any thread.
 */
NOVA_API void nova_region_close(nova_region *region);

/** Closes the region if that has not been done, and gives back its address range. NULL does nothing. */
NOVA_API void nova_region_free(nova_region *region);

/** Whether writing calls on the inode go in place while it is mapped; not on the media. Serialised as writing calls. */
NOVA_API int nova_set_in_place(nova_inode *inode, uint32_t on);

/*
 * Pages of a file can be *pinned* in the pool's file, for whoever wants to map that file without the core (as a virtual
 * machine does that has mapped buffers of its own): they have blocks that lie in a row, and keep them. As long as a pin
 * lasts, writing calls that touch one of its pages go in place as a whole, as above. What other calls take from the
 * file (nova_truncate(), nova_punch(), nova_collapse(), and deleting it) the mapping goes on showing: such blocks count
 * as used, and are given to nobody until the last pin over them ends; when the file gets pages there again, they are
 * others. After a crash those blocks are free.
 *
 * A pin does not end with its inode or its pool. While there is one, the file of a pool that has been closed stays
 * locked by this process: others cannot open it (NOVA_EBUSY). This process can, and the blocks are kept from everybody
 * again; but the file is not bound to them any more: writing calls may replace them until it is pinned anew.
 */

typedef struct nova_pinned nova_pinned;

/**
 * Pins the bytes [off, off + len) of a file, which must not go beyond the page that holds its end: they lie at byte
 * *pool_off of the pool's file from then on, whole pages. off: a multiple of NOVA_BLOCK_SIZE. Holes among them get
 * blocks of zeros, and pages that lie apart are moved; neither changes what the file holds, or its times, so that a
 * crash inside leaves it as it was. appended: as for nova_map(), which has the same records to follow.
 * What is stored there is durable after nova_pin_force(), or msync(2) of the mapping.
 * Any thread; but for one inode the caller serialises it with writing calls.
 * Errors: EINVAL (beyond the end), EFBIG, EISDIR, ESTALE (not yet replayed), ENOSPC (also if free blocks do not lie in
 * a row), EBUSY (pages that would have to move are pinned, or shown by an eager region), ECORRUPT, ENOMEM, EOS.
 */
NOVA_API int nova_pin(nova_inode *inode, uint64_t off, uint64_t len, uint64_t *appended, nova_pinned **out,
                      uint64_t *pool_off, struct nova_error *err);

/**
 * Makes what was stored to pinned bytes of the inode durable, through whatever mapping: flush and drain. The caller
 * keeps inode and pin. Any thread. Errors: EOS.
 */
NOVA_API int nova_pin_force(nova_inode *inode, const nova_pinned *pinned, struct nova_error *err);

/**
 * Ends a pin, when nothing maps the bytes any more. Any thread, at any time, also when inode and pool have been closed.
 * NULL does nothing.
 */
NOVA_API void nova_unpin(nova_pinned *pinned);

/* ---- offline inspection ------------------------------------------------------------------------------------------ */

/** What nova_fsck() found, or nova_fsck_repair() found and left. */
struct nova_fsck_summary {
    uint64_t errors;       /**< damage */
    uint64_t warnings;     /**< harmless: leftovers that the next recovery clears; removals of names not there */
    uint64_t inodes;       /**< checked */
    uint64_t entries;      /**< log entries checked */
    uint64_t blocks_used;  /**< of the data area */
    uint64_t blocks_free;  /**< of the data area; used + free = total */
    uint64_t blocks_total; /**< of the data area */
    uint64_t bytes;        /**< sum of file sizes */
    uint64_t repaired;     /**< damage and leftovers that nova_fsck_repair() has repaired; not among the errors */
    uint32_t clean;        /**< 1 if the pool was closed in order; 0 if a repair makes the next open scan */
    uint32_t reserved;
};

/**
 * Checks every invariant of native/FORMAT.md without changing the pool. One line of text per finding goes to report:
 * "error|warning <TAB> structure <TAB> byte offset or - <TAB> what". Writes at most cap bytes including the final
 * NUL and sets *needed to the length of the whole report without it. Returns 0 if the check ran, whatever it found;
 * errors as nova_pool_open() if the file cannot be read as a pool at all.
 */
NOVA_API int nova_fsck(const char *path, char *report, size_t cap, size_t *needed, struct nova_fsck_summary *sum,
                       struct nova_error *err);

/**
 * Checks like nova_fsck() and repairs what has a replica or follows from what is whole:
 *  - a superblock, from the other one;
 *  - state slots, by marking the pool not closed in order, so that the next open scans the logs;
 *  - a wrong snapshot, and wrong counts of a clean state, in the same way;
 *  - bytes that must be zero in the journal and behind superblocks and states;
 *  - tail words of inodes that no name refers to, and slot 0.
 * Transactions that a crash cut short after their commit are ended first, as by an open.
 * The snapshot, the tail words and slot 0 only if nothing else is damaged. Damage in what names reach (logs, slots,
 * pointers) is reported and left as it is, byte by byte. A crash inside leaves a pool that opens as before, and can be
 * repaired again. Durable on return.
 *
 * The report is that of nova_fsck(), with "repaired" instead of "error" or "warning" where that was done. If it does
 * not fit, *needed being cap or more, nothing else has been changed: call again with more room (needed must not be
 * NULL). opt may be NULL; of its flags NOVA_OPT_EMULATED counts, as for nova_pool_open(), whose errors this one has,
 * EBUSY included.
 */
NOVA_API int nova_fsck_repair(const char *path, const struct nova_pool_options *opt, char *report, size_t cap,
                              size_t *needed, struct nova_fsck_summary *sum, struct nova_error *err);

/**
 * Describes, readably, the inode at a path in the pool (names between '/', symbolic links not followed; NULL: the root
 * directory): slot, log pages, each entry with position, sequence number, checksum verdict. Does not change the pool.
 * Output as nova_fsck(). Errors: also ENOENT, ENOTDIR (no such path).
 */
NOVA_API int nova_dump(const char *path, const char *what, char *report, size_t cap, size_t *needed,
                       struct nova_error *err);

#ifdef __cplusplus
}
#endif
#endif
