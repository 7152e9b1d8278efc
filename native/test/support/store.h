/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store as a user in C holds it: replayed indexes over nova.h, for tests. Paths are names between '/', without one
 * at their start; "" is the root directory. Single-threaded. Functions return a nova_status (or STORE_ENOTEMPTY); the
 * last error is in store.err.
 */
#ifndef NOVA_TEST_SUPPORT_STORE_H
#define NOVA_TEST_SUPPORT_STORE_H

#include <stdbool.h>

#include "attrs.h"
#include "inode/block_map.h"
#include "inode/dir_map.h"
#include "nova.h"

#define STORE_ENOTEMPTY 1000 /* what the caller of nova.h finds out by itself */

/* A directory below the root, opened when a path first led through it. */
struct store_dir {
    struct store_dir *next;
    uint32_t ino, gen;
    nova_inode *inode;
    struct dir_map names;
    struct attrs attrs;
    struct nova_io io;
};

struct store {
    nova_pool *pool;
    nova_inode *root;
    struct dir_map names;    /* of the root */
    struct attrs root_attrs; /* the same */
    struct store_dir *dirs;
    const uint8_t *base; /* the pool file, mapped read-only by the test itself */
    uint64_t len;
    uint32_t strays; /* removals of names or attributes that were not there: 0 in a sound pool */
    struct nova_error err;
    struct nova_io io;
};

struct store_file {
    struct store *store;
    nova_inode *inode;
    struct block_map map;
    struct attrs attrs;
    uint64_t size;
    uint64_t *appended; /* of a file that is or was mapped: commits that no call made, */
    uint64_t seen;      /* and how many of them the index has */
    struct nova_io io;
};

/* A path for a new pool file, in /dev/shm if there is one; static buffer, another one each call. */
const char *store_path(const char *tag);

/* Keeps the thread, and those that it makes, on the processor that it is on. On another one it would go on in another
 * lane: what it writes to two files by turns would lie by turns no longer. */
void store_one_processor(void);

int store_open(struct store *s, const char *path, uint32_t flags);
/* options.lanes: at most; a lane takes 2 MiB of pool. */
int store_open_with(struct store *s, const char *path, const struct nova_pool_options *opt);
int store_close(struct store *s);

/* Opens what a path names (no directory), making a file if create. ENOENT, ENOTDIR, EBUSY (open by another name). */
int store_file_open(struct store *s, const char *path, bool create, struct store_file *f);
int store_file_close(struct store_file *f);

/* ---- names (store_names.c) ---- */

/* What a path names, and the names in a directory. ENOENT, ENOTDIR. */
int store_lookup(struct store *s, const char *path, struct dir_name *out);
int store_dir_open(struct store *s, const char *path, const struct dir_map **names);

int store_create(struct store *s, const char *path, uint32_t mode);
int store_mkdir(struct store *s, const char *path, uint32_t mode);
int store_symlink(struct store *s, const void *target, uint32_t len, const char *path);
int store_readlink(struct store *s, const char *path, void *buf, uint32_t *len); /* buf: NOVA_SYMLINK_MAX bytes */
int store_link(struct store *s, const char *old, const char *path);
int store_unlink(struct store *s, const char *path); /* no directory */
int store_rmdir(struct store *s, const char *path);
/* As rename(2): over a file, or an empty directory; nothing happens if both are names of one file. */
int store_rename(struct store *s, const char *from, const char *to);
int store_exchange(struct store *s, const char *a, const char *b);

int store_setattr(struct store *s, const char *path, uint32_t mask, uint32_t mode, uint32_t uid, uint32_t gid,
                  int64_t atime, int64_t mtime, int64_t btime);
int store_stat(struct store *s, const char *path, struct nova_stat *st);

/* Parts of the above, and of store_open(): the indexes of a directory. Removals of names and attributes that are not
 * there, which only a damaged log has, are counted: returned, or added to *strays. */
uint32_t store_apply_names(struct dir_map *names, struct attrs *attrs, const struct nova_record *r, uint32_t n);
int store_replay_dir(nova_inode *dir, struct dir_map *names, struct attrs *attrs, struct nova_io *io, uint32_t *strays);
int store_file_open_ino(struct store *s, uint32_t ino, uint32_t gen, struct store_file *f);

/*
 * What every call ends with: the index takes in what it has logged, and what that replaced is freed. Returns rc, or
 * what went wrong with that.
 */
int store_done(struct store_file *f, int rc);
int store_dir_done(struct store *s, const char *path, int rc);
struct nova_io *store_dir_io(struct store *s, const char *path);

/* ---- logs (store_clean.c) ---- */

/* An inode and its index, for the calls that follow: an open file, or a directory. */
struct store_log {
    struct store *s;
    struct store_file *file; /* or NULL */
    const char *dir;
};
struct store_log store_log_of(struct store_file *f);
struct store_log store_log_of_dir(struct store *s, const char *path);

/* Cleans the first pages of a log, at most so many, and not the one that holds its end. *freed: pages given back. */
int store_clean(const struct store_log *l, uint32_t pages, uint32_t *freed);
/* Appends again what counts in pages before the last one of which little does. */
int store_gather(const struct store_log *l, uint32_t *gathered);
/* Takes out pages in the middle that hold nothing that counts. */
int store_cut_dead(const struct store_log *l, uint32_t *freed);
/* Cleans all of it, and starts it again in the slot if it fits there (*fits). */
int store_restart(const struct store_log *l, bool *fits);

/* ---- contents ---- */

int store_write(struct store_file *f, uint64_t off, const void *src, uint64_t len);
/* The same through begin, fill (pieces of `piece` bytes, from the last to the first if backwards) and commit. */
int store_write_pieces(struct store_file *f, uint64_t off, const void *src, uint64_t len, uint64_t piece,
                       bool backwards);
/* Begins one, fills its first `filled` bytes, and gives it up. */
int store_write_abort(struct store_file *f, uint64_t off, const void *src, uint64_t len, uint64_t filled);
/* Copies what the source has of the range, maybe of the same file; pages that are holes of it become holes. */
int store_copy(struct store_file *from, uint64_t off, struct store_file *f, uint64_t to, uint64_t len);
int store_truncate(struct store_file *f, uint64_t size);
int store_punch(struct store_file *f, uint64_t off, uint64_t len);
int store_collapse(struct store_file *f, uint64_t off, uint64_t len);
int store_insert(struct store_file *f, uint64_t off, uint64_t len);
/* Gives blocks to the holes of the range; the size grows to its end, unless keep_size. */
int store_allocate(struct store_file *f, uint64_t off, uint64_t len, bool keep_size);
/* Bytes read: fewer at the end. */
uint64_t store_read(struct store_file *f, uint64_t off, void *dst, uint64_t len);

/* Memory mapping. Calls that follow work with an index that lacks what faults did, but for reading. */
struct store_region {
    nova_region *r;
    uint8_t *addr;
    uint64_t off, len; /* bytes of the file */
    bool lazy;
};
/* flags: NOVA_MAP_*; stores are always allowed. A region may outlive its file. */
int store_map(struct store_file *f, uint64_t off, uint64_t len, uint32_t flags, struct store_region *out);
int store_force(struct store_file *f, const struct store_region *r, uint64_t off, uint64_t len);
int store_populate(struct store_file *f, const struct store_region *r, uint64_t off, uint64_t len, bool allocate);
/* Brings the index up to what faults did. */
int store_catch_up(struct store_file *f);

/* Pinned pages, mapped as somebody else maps the pool's file. They may outlive file and pool. */
struct store_pin {
    nova_pinned *p; /* NULL: none */
    uint8_t *addr;
    uint64_t off, len; /* bytes of the file */
    uint64_t pool_off;
};
int store_pin(struct store_file *f, uint64_t off, uint64_t len, struct store_pin *out);
void store_unpin(struct store_pin *pin);

/* Extended attributes: of a file or symbolic link, and of a directory (store_names.c). */
int store_setxattr(struct store_file *f, const char *name, const void *value, uint32_t len);
int store_removexattr(struct store_file *f, const char *name);
int store_dir_setxattr(struct store *s, const char *path, const char *name, const void *value, uint32_t len);
int store_dir_removexattr(struct store *s, const char *path, const char *name);
int store_dir_attrs(struct store *s, const char *path, nova_inode **dir, const struct attrs **attrs);

/* 1, 2, 7 and 64 by turns. */
uint32_t store_lanes(uint64_t turn);

/* A copy of the file as it is now: what a crash between two calls leaves. */
void store_copy_file(const char *from, const char *to);

#endif
