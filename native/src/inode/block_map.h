/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sparse map from file page to block, as recovery, fsck and users in C build it by replaying a log. A radix tree of
 * 512-way nodes, as high as the highest page needs. Not thread-safe.
 */
#ifndef NOVA_INODE_BLOCK_MAP_H
#define NOVA_INODE_BLOCK_MAP_H

#include <stdbool.h>
#include <stdint.h>

struct block_map {
    void *root;
    unsigned height; /* levels; 0 = empty */
    uint64_t pages;  /* mapped */
    uint64_t base;   /* page p is kept under p + base, so that what lies behind a removed start need not move */
};

/* What becomes of a block that leaves the map. */
typedef void (*block_map_fn)(void *arg, uint64_t pgoff, uint32_t blk);

void block_map_init(struct block_map *m);
void block_map_free(struct block_map *m);

/* Block of a page, 0 = hole. */
uint32_t block_map_get(const struct block_map *m, uint64_t pgoff);

/* Maps pages [pgoff, pgoff + count) to blocks [blk, blk + count); replaced(arg, ...) hears of each block that was there
 * (may be NULL). False without memory: then a prefix is mapped. */
bool block_map_set(struct block_map *m, uint64_t pgoff, uint32_t blk, uint32_t count, block_map_fn replaced, void *arg);

/* Unmaps all pages >= pgoff. Frees nodes that become empty. */
void block_map_truncate(struct block_map *m, uint64_t pgoff, block_map_fn removed, void *arg);

/* Unmaps pages [pgoff, pgoff + count). */
void block_map_unmap(struct block_map *m, uint64_t pgoff, uint64_t count, block_map_fn removed, void *arg);

/*
 * Removes pages [pgoff, pgoff + count), those behind move down by count; or moves pages from pgoff on up by count.
 * Takes time in the number of pages mapped behind, or before if those are fewer. False without memory: then the map is
 * good for block_map_free() only.
 */
bool block_map_collapse(struct block_map *m, uint64_t pgoff, uint64_t count, block_map_fn removed, void *arg);
bool block_map_insert(struct block_map *m, uint64_t pgoff, uint64_t count);

/* Visits every mapped page in ascending order. */
void block_map_each(const struct block_map *m, block_map_fn fn, void *arg);

#endif
