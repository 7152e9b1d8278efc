/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inode table: an array of pointer words on the media, each to a block of 16 slots, filled from the front and never
 * shrunk; and, in DRAM, which inode numbers are in use. A slot is in use on the media if a committed dentry refers to
 * it; the table itself decides nothing durably but where slots are.
 */
#ifndef NOVA_INODE_INODE_TABLE_H
#define NOVA_INODE_INODE_TABLE_H

#include <pthread.h>

#include "alloc/alloc.h"
#include "format/media.h"

struct inode_table {
    const struct media *m;
    struct allocator *a;
    uint32_t *blks; /* block of each table block; the first `count` are set */
    uint32_t count; /* table blocks; read without the lock, grows under it */
    uint64_t *used; /* bit per inode number */
    uint32_t used_words;
    uint64_t used_count; /* inode 0, which does not exist, not included */
    uint32_t hints[64];  /* per lane: where to look for a free number; only a hint */
    pthread_mutex_t grow_lock;
};

/* Reads the pointer array and checks that the pointers are valid and dense. ECORRUPT, ENOMEM. */
int itable_load(struct inode_table *t, const struct media *m, struct allocator *a, struct nova_error *err);
void itable_unload(struct inode_table *t);

/* Marks the table's own blocks used. ECORRUPT if two pointers name one block. Before alloc_ready(). */
int itable_mark_blocks(struct inode_table *t, struct nova_error *err);

/* Inode numbers that have a slot: 0 .. itable_slots() - 1. */
uint32_t itable_slots(const struct inode_table *t);

/* The slot of a number, or NULL if it has none. Says nothing of its content. */
struct fmt_inode *itable_slot(const struct inode_table *t, uint32_t ino);

/* In-use bits while rebuilding: any thread. False if it was set already. */
bool itable_mark_used(struct inode_table *t, uint32_t ino);
bool itable_is_used(const struct inode_table *t, uint32_t ino);

/* The bitmap as bytes for snapshots: inodes_max / 8 rounded up. Loading ignores inode 0. */
uint32_t itable_bitmap_bytes(const struct inode_table *t);
void itable_bitmap_save(const struct inode_table *t, uint32_t off, uint8_t *dst, uint32_t len);
void itable_bitmap_load(struct inode_table *t, uint32_t off, const uint8_t *src, uint32_t len);
/* Counts the loaded bits; false if a number without a slot is in use. */
bool itable_ready(struct inode_table *t);

/* Takes a free number, growing the table by a block if need be (durably). Any thread. ENOSPC. */
int itable_alloc(struct inode_table *t, uint32_t *ino, struct nova_error *err);

/* Gives a number back, whose slot nothing refers to any more: marks the slot free (flushed, not drained: recovery frees
 * it otherwise). */
void itable_free(struct inode_table *t, uint32_t ino);

/*
 * Fills the slot of a number that itable_alloc() gave with a new inode: copied, not drained. The
 * generation follows the slot's last one; it starts again at 1 after 2^32 - 1 of them, and in a slot whose header was
 * torn by a crash, which nothing reachable refers to. lines: of the slot that the caller will fill with the log's first
 * entries, for the generation that is in proto afterwards.
 */
void itable_init_slot(struct inode_table *t, uint32_t ino, uint32_t lines, struct fmt_inode *proto);

/* The slot of an inode that is in use, or NULL. */
typedef struct fmt_inode *itable_live(const void *arg, uint32_t ino);

/* Makes durable as they are: the first `ptrs` pointers of a table, and the tails of all inodes in use below number
 * `slots`. 0 or an errno. */
int itable_settle(const struct media *m, uint32_t ptrs, uint32_t slots, itable_live *live, const void *arg);

#endif
