/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks that memory shows which the core cannot take back (map/pin.h). Who frees one frees it for the media alone: it
 * is given to nobody else until the last hold on it ends. In DRAM only; after a crash such a block is simply free.
 *
 * Freeing needs no memory here, either: a bit per block says that it is held, another one that it was freed meanwhile.
 */
#ifndef NOVA_ALLOC_HOLDS_H
#define NOVA_ALLOC_HOLDS_H

#include <pthread.h>

#include "alloc/lane.h"

struct holds {
    pthread_mutex_t lock;  /* guards what follows; above those of the allocator */
    uint64_t *held;        /* a bit per block: some hold covers it */
    map_word *freed;       /* a held block that was freed: nobody's, but used as the lanes have it */
    _Atomic uint32_t gone; /* bits set in freed */
    struct nova_extent *ext;
    _Atomic uint32_t n; /* of ext; read without the lock, too */
    uint32_t cap;
};

/* NULL without memory. words: of the bitmap of all blocks. */
struct holds *holds_new(size_t words);
void holds_delete(struct holds *h);

/* Adds a hold. False without memory. The caller holds the lock, as in all that follows. */
bool holds_add(struct holds *h, uint32_t blk, uint32_t count);
/* Takes one away that was added. Bits of `held` are cleared where no other hold covers the blocks. */
void holds_remove(struct holds *h, uint32_t blk, uint32_t count);

static inline bool holds_is_held(const struct holds *h, uint32_t blk) {
    return (h->held[blk / 64] >> blk % 64 & 1) != 0;
}

static inline bool holds_is_freed(const struct holds *h, uint32_t blk) {
    return (word_get(&h->freed[blk / 64]) >> blk % 64 & 1) != 0;
}

/* Notes that a held block was freed, or that it was given to the lanes after all. */
void holds_set_freed(struct holds *h, uint32_t blk, bool freed);

#endif
