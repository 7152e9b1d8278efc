/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Block allocator: one bit per block of the pool (1 = used), in DRAM only, rebuilt by recovery or read from the
 * snapshot that a clean close wrote. A bitmap, and not a tree of extents: freeing never needs memory and so never
 * fails, a block freed twice or owned twice is seen at once, and saving it needs no room that a full pool might not
 * have.
 *
 * The data area is cut into lanes of whole groups (512 blocks, 2 MiB); a thread allocates from the lane of its CPU and
 * steals from the next ones when that is empty. Each lane has its own lock (leaf of the lock order) and cache lines.
 */
#ifndef NOVA_ALLOC_ALLOC_H
#define NOVA_ALLOC_ALLOC_H

#include <stdbool.h>
#include <stdint.h>

#include "nova.h"

struct allocator;

/* A growing list of extents; zero-initialise, free with extent_list_free(). Small lists need no allocation. */
#define EXTENT_LIST_INLINE 8
struct extent_list {
    uint32_t n, cap;
    struct nova_extent *ext; /* points to `few` until it overflows; never copy the structure */
    struct nova_extent few[EXTENT_LIST_INLINE];
};
void extent_list_init(struct extent_list *l);
void extent_list_free(struct extent_list *l);
/* Appends, merging with the last extent when adjacent; not with one of block 0, which stands for pages without blocks.
 * False without memory. */
bool extent_list_add(struct extent_list *l, uint32_t blk, uint32_t count);

/*
 * Makes an allocator for blocks [data_blk, data_end) of a pool of `blocks` blocks, all free (blocks outside the data
 * area count as used for ever). lanes: 1..64, reduced if the pool is too small for so many.
 * Returns NULL without memory, or unless 1 <= data_blk < data_end <= blocks.
 */
struct allocator *alloc_new(uint32_t blocks, uint32_t data_blk, uint32_t data_end, uint32_t lanes);
void alloc_delete(struct allocator *a);

/* ---- rebuilding: before alloc_ready(), from any number of threads ---- */

/*
 * Marks [blk, blk + count) used. If one of them was used already, marks the others all the same and returns false with
 * the first such block in *dup. The range must lie in the data area (the caller has checked).
 */
bool alloc_mark_used(struct allocator *a, uint32_t blk, uint32_t count, uint32_t *dup);

/*
 * The whole bitmap as bytes (bit b of byte i = block 8 i + b), blocks / 8 rounded up; for snapshots. Bits past the last
 * block are 1, as those of all blocks outside the data area.
 */
uint32_t alloc_bitmap_bytes(const struct allocator *a);
/* Reads or replaces a piece of it; held blocks that were freed are read as free. Loading cannot free blocks outside the
 * data area. Not beside other calls. */
void alloc_bitmap_save(const struct allocator *a, uint32_t off, uint8_t *dst, uint32_t len);
void alloc_bitmap_load(struct allocator *a, uint32_t off, const uint8_t *src, uint32_t len);

/* Counts what is free, and opens for business. Once, not beside other calls. */
void alloc_ready(struct allocator *a);

/* ---- business: any thread ---- */

/*
 * Quarters of the reserve that a call may use, for log pages. Those that give more have the more claim: truncates,
 * however many, leave enough to remove names.
 */
#define ALLOC_RESERVE 4u      /* removing names */
#define ALLOC_RESERVE_MOST 3u /* truncates that give pages back */
#define ALLOC_RESERVE_HALF 2u /* truncates within a page */

/*
 * Allocates `want` blocks into the empty list out: one extent if some lane has a free run of that length, else the
 * longest runs as falling thresholds (halves) find them. Or nothing: false. want 1 is the fast path. Without
 * ALLOC_RESERVE it fails if and only if fewer than want + alloc_reserve() blocks are free (or memory for the list is
 * short).
 */
bool alloc_blocks(struct allocator *a, uint32_t want, unsigned flags, struct extent_list *out);

/*
 * Allocates the blocks [blk, blk + count), if all of them are free and in one lane (blk may be any number); without
 * use of the reserve. What follows other blocks of a file is best placed behind them.
 */
bool alloc_at(struct allocator *a, uint32_t blk, uint32_t count);

/* Allocates one block, as a rule one freed just now; 0 if there is none. */
uint32_t alloc_one(struct allocator *a, unsigned flags);

/* Allocates the block behind another one if it is free, else one where free ones are likely to follow; 0 if there is
 * none: for a file that grows. */
uint32_t alloc_behind(struct allocator *a, uint32_t blk);

/*
 * Allocates `want` blocks that lie in a row, whatever lanes they belong to, without use of the reserve; the first one,
 * or 0; if possible with free ones behind. alloc_these(): the blocks [blk, blk + count), if all are free. Both look at
 * the whole map.
 */
uint32_t alloc_in_a_row(struct allocator *a, uint32_t want);
bool alloc_these(struct allocator *a, uint32_t blk, uint32_t count);

/* Frees. False, and nothing done, if a block is outside the data area or free already. */
bool alloc_free(struct allocator *a, uint32_t blk, uint32_t count);
/* Frees several extents; false if that could not be done with all of them. */
bool alloc_free_all(struct allocator *a, const struct nova_extent *ext, uint32_t n);

/* ---- holds (holds.h); any thread ---- */

/*
 * From now on blocks of [blk, blk + count) that are freed are given to nobody, until as many calls of alloc_release()
 * have had the same extent. Those that are free already (in a new allocator, under memory that shows them still) are
 * taken out of the lanes. False without memory.
 */
bool alloc_hold(struct allocator *a, uint32_t blk, uint32_t count);
void alloc_release(struct allocator *a, uint32_t blk, uint32_t count);

/* Whether one of these blocks is held. */
bool alloc_is_held(struct allocator *a, uint32_t blk, uint32_t count);
/* Whether any block is. */
bool alloc_has_holds(const struct allocator *a);
/* Blocks that count as used only because they are held. On the media they are free. */
uint32_t alloc_held_free(const struct allocator *a);

uint32_t alloc_lanes(const struct allocator *a);
uint32_t alloc_total(const struct allocator *a);   /* blocks of the data area */
uint32_t alloc_reserve(const struct allocator *a); /* free blocks that need ALLOC_RESERVE */
uint32_t alloc_free_count(const struct allocator *a);
uint32_t alloc_longest_free(struct allocator *a); /* walks the map */
bool alloc_is_used(const struct allocator *a, uint32_t blk);

#endif
