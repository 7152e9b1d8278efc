/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One lane of the allocator: a stretch of whole groups of the bitmap, with its lock, counts and search. Knows nothing
 * of other lanes. A group's bits fill exactly one cache line, so that lanes share none.
 */
#ifndef NOVA_ALLOC_LANE_H
#define NOVA_ALLOC_LANE_H

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>

#include "alloc/alloc.h"

#define GROUP_BLKS 512u
#define GROUP_WORDS (GROUP_BLKS / 64u)
#define LANE_RECENT 64u
#define LANE_CLOSED UINT32_MAX /* as `keep`: nothing may be taken by the fast path */

typedef _Atomic uint64_t map_word;

/*
 * Words and group counts change under the lock only (but see lane_bits_set()); `free`, `keep` and `run_max` too, and
 * are read without it as hints.
 */
struct lane {
    alignas(128) pthread_mutex_t lock; /* a leaf; of several lanes the lower first */
    _Atomic uint32_t free;             /* free blocks */
    _Atomic uint32_t keep;             /* of these the fast path leaves so many: the lane's share of the reserve */
    _Atomic uint32_t run_max;          /* no free run within the lane is longer */
    uint32_t hint;                     /* block where the next search starts */
    uint32_t recent_at;                /* the place behind the last one of recent[], which is a ring */
    uint32_t first, end;               /* blocks, whole groups */
    uint32_t whole;                    /* groups that are free throughout */
    uint16_t *group_free;              /* free blocks per group of the lane */
    map_word *words;                   /* of the whole pool */
    uint32_t recent[LANE_RECENT];      /* single blocks freed lately that may still be free; 0: none */
};

static inline uint32_t hint_get(const _Atomic uint32_t *v) {
    return atomic_load_explicit(v, memory_order_relaxed);
}

static inline void hint_set(_Atomic uint32_t *v, uint32_t to) {
    atomic_store_explicit(v, to, memory_order_relaxed);
}

static inline uint64_t word_get(const map_word *w) {
    return atomic_load_explicit(w, memory_order_relaxed);
}

/* Bits [bit, bit + n) of a word; bit + n <= 64, n >= 1. */
static inline uint64_t word_mask(uint32_t bit, uint32_t n) {
    return (UINT64_MAX >> (64 - n)) << bit;
}

/*
 * Sets bits without counting, atomically against itself. Returns whether all were clear; else *dup is the first that
 * was not.
 */
bool lane_bits_set(map_word *words, uint32_t blk, uint32_t count, uint32_t *dup);

/* Whether every bit of [blk, blk + count) is set. */
bool lane_bits_all_set(const map_word *words, uint32_t blk, uint32_t count);

/* Counts groups and free blocks anew from the bits. */
void lane_count(struct lane *l);

/*
 * Takes one free block; 0 if there is none. recent: the one freed last, if it is still free. So who overwrites a file
 * in pieces, and the log that is cleaned, stay within few blocks, warm in the TLB, and leave the rest whole.
 */
uint32_t lane_take_one_locked(struct lane *l, bool recent);

/* Takes these blocks of the lane if all of them are free. */
bool lane_take_at_locked(struct lane *l, uint32_t blk, uint32_t count);

/* Takes a free run of exactly count blocks that starts at a group, 0 if there is none. count >= GROUP_BLKS. */
uint32_t lane_take_aligned_locked(struct lane *l, uint32_t count);

/* Takes a free run of exactly count blocks, 0 if there is none (and then lowers run_max). */
uint32_t lane_take_run_locked(struct lane *l, uint32_t count);

/*
 * Takes free runs of at least `least` blocks each, up to want blocks in all, into out; the last may be cut short.
 * Returns how many blocks it took; *oom is set if out has no memory for more.
 */
uint32_t lane_gather_locked(struct lane *l, uint32_t least, uint32_t want, struct extent_list *out, bool *oom);

/* Clears bits that the caller knows to be set; all within the lane. */
void lane_put_locked(struct lane *l, uint32_t blk, uint32_t count);

#endif
