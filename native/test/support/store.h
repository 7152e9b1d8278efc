/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store as a user in C holds it: replayed indexes over nova.h, for tests. One root directory, files by name.
 * Single-threaded. Functions return a nova_status; the last error is in store.err.
 */
#ifndef NOVA_TEST_SUPPORT_STORE_H
#define NOVA_TEST_SUPPORT_STORE_H

#include <stdbool.h>

#include "inode/block_map.h"
#include "inode/dir_map.h"
#include "nova.h"

struct store {
    nova_pool *pool;
    nova_inode *root;
    struct dir_map names;
    const uint8_t *base; /* the pool file, mapped read-only by the test itself */
    uint64_t len;
    uint32_t strays; /* removals of names that were not there: 0 in a sound pool */
    struct nova_error err;
    struct nova_io io;
};

struct store_file {
    struct store *store;
    nova_inode *inode;
    struct block_map map;
    uint64_t size;
    struct nova_io io;
};

/* A path for a new pool file, in /dev/shm if there is one; static buffer, another one each call. */
const char *store_path(const char *tag);

int store_open(struct store *s, const char *path, uint32_t flags);
/* options.lanes: at most; a lane takes 2 MiB of pool. */
int store_open_with(struct store *s, const char *path, const struct nova_pool_options *opt);
int store_close(struct store *s);

/* Opens name, making it if create. ENOENT. */
int store_file_open(struct store *s, const char *name, bool create, struct store_file *f);
int store_file_close(struct store_file *f);
int store_unlink(struct store *s, const char *name);
int store_rename(struct store *s, const char *from, const char *to);

int store_write(struct store_file *f, uint64_t off, const void *src, uint64_t len);
/* The same through begin, fill (pieces of `piece` bytes, from the last to the first if backwards) and commit. */
int store_write_pieces(struct store_file *f, uint64_t off, const void *src, uint64_t len, uint64_t piece,
                       bool backwards);
/* Begins one, fills its first `filled` bytes, and gives it up. */
int store_write_abort(struct store_file *f, uint64_t off, const void *src, uint64_t len, uint64_t filled);
int store_truncate(struct store_file *f, uint64_t size);
/* Bytes read: fewer at the end. */
uint64_t store_read(struct store_file *f, uint64_t off, void *dst, uint64_t len);

/* 1, 2, 7 and 64 by turns. */
uint32_t store_lanes(uint64_t turn);

/* A copy of the file as it is now: what a crash between two calls leaves. */
void store_copy_file(const char *from, const char *to);

#endif
