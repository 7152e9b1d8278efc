/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool's bytes for tests that work below the API: an empty pool in memory, with its allocator, inode table and a
 * pmem_ops that counts and can fail; and a pool file mapped to be looked at and damaged. Everything that does not work
 * fails the test.
 */
#ifndef NOVA_TEST_SUPPORT_IMAGE_H
#define NOVA_TEST_SUPPORT_IMAGE_H

#include <stdbool.h>

#include "alloc/alloc.h"
#include "format/media.h"
#include "inode/inode_table.h"
#include "log/log.h"

/* pmem_ops_cpu with a count of drains; not for several threads. */
struct image_ops {
    struct pmem_ops ops; /* ops.ctx = this */
    unsigned drains;
    unsigned fail_from; /* drains from this one on (1 = the next) answer EIO; 0 = none */
};
void image_ops_init(struct image_ops *o);

struct image {
    struct media m;
    struct allocator *a;
    struct inode_table t;
    struct image_ops ops;
};

/* An empty pool: superblocks, no table block, allocator ready. */
void image_new(struct image *im, uint64_t size, uint32_t lanes);
void image_delete(struct image *im);

/* An inode with an empty log, open. */
void image_inode(struct image *im, uint8_t type, struct log *log);

/* Appends one entry and commits it. */
void image_append(struct log *log, struct fmt_entry *e);

/* Entries as log_append() wants them. A dentry needs room for 5 lines. */
void image_write_entry(struct fmt_entry *e, uint64_t pgoff, uint32_t blk, uint32_t count, uint64_t size);
void image_truncate_entry(struct fmt_entry *e, uint64_t size);
void image_dentry(void *entry, enum fmt_kind kind, const char *name, uint32_t ino, uint32_t gen, uint8_t type);

/* The pool file, mapped shared, without any lock. */
void image_map_file(struct media *m, const char *path);
void image_unmap_file(struct media *m);

/* The slot of an inode in such a mapping. */
struct fmt_inode *image_slot(const struct media *m, uint32_t ino);
/* Its log, open, with a cursor at the start. */
void image_log(const struct media *m, uint32_t ino, struct log *log);

/* What nova_fsck() says of a pool file in which it finds nothing. */
struct nova_fsck_summary image_no_findings(const char *path);

/* Blocks free in the data area, as nova_pool_info() says. */
uint64_t image_blocks_free(nova_pool *pool);

#endif
