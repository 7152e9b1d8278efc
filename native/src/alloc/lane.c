/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/lane.h"

/* ---- bits ---- */

bool lane_bits_set(map_word *words, uint32_t blk, uint32_t count, uint32_t *dup) {
    bool fresh = true;
    while (count) {
        uint32_t bit = blk % 64, n = 64 - bit < count ? 64 - bit : count;
        uint64_t mask = word_mask(bit, n);
        uint64_t old = atomic_fetch_or_explicit(&words[blk / 64], mask, memory_order_relaxed);
        if (fresh && (old & mask)) {
            fresh = false;
            *dup = blk - bit + (uint32_t)__builtin_ctzll(old & mask);
        }
        blk += n;
        count -= n;
    }
    return fresh;
}

bool lane_bits_all_set(const map_word *words, uint32_t blk, uint32_t count) {
    while (count) {
        uint32_t bit = blk % 64, n = 64 - bit < count ? 64 - bit : count;
        if (~word_get(&words[blk / 64]) & word_mask(bit, n))
            return false;
        blk += n;
        count -= n;
    }
    return true;
}

static bool bits_all_clear(const map_word *words, uint32_t blk, uint32_t count) {
    while (count) {
        uint32_t bit = blk % 64, n = 64 - bit < count ? 64 - bit : count;
        if (word_get(&words[blk / 64]) & word_mask(bit, n))
            return false;
        blk += n;
        count -= n;
    }
    return true;
}

static inline uint16_t *group_of(struct lane *l, uint32_t blk) {
    return &l->group_free[(blk - l->first) / GROUP_BLKS];
}

/* Flips bits and the counts of their groups. */
static void flip_locked(struct lane *l, uint32_t blk, uint32_t count, bool used) {
    while (count) {
        uint32_t bit = blk % 64, n = 64 - bit < count ? 64 - bit : count;
        map_word *w = &l->words[blk / 64];
        uint64_t mask = word_mask(bit, n), v = word_get(w);
        atomic_store_explicit(w, used ? v | mask : v & ~mask, memory_order_relaxed);
        uint16_t *g = group_of(l, blk);
        if (used) {
            l->whole -= *g == GROUP_BLKS;
            *g = (uint16_t)(*g - n);
        } else {
            *g = (uint16_t)(*g + n);
            l->whole += *g == GROUP_BLKS;
        }
        blk += n;
        count -= n;
    }
}

static void take_locked(struct lane *l, uint32_t blk, uint32_t count) {
    flip_locked(l, blk, count, true);
    hint_set(&l->free, hint_get(&l->free) - count);
    l->hint = blk + count < l->end ? blk + count : l->first;
}

void lane_count(struct lane *l) {
    uint32_t free = 0;
    l->whole = 0;
    for (uint32_t blk = l->first; blk < l->end; blk += GROUP_BLKS) {
        uint32_t n = 0;
        for (uint32_t w = 0; w < GROUP_WORDS; w++)
            n += (uint32_t)__builtin_popcountll(~word_get(&l->words[blk / 64 + w]));
        *group_of(l, blk) = (uint16_t)n;
        l->whole += n == GROUP_BLKS;
        free += n;
    }
    hint_set(&l->free, free);
    hint_set(&l->run_max, free);
    l->hint = l->first;
}

/* ---- search ---- */

/* First free block in [from, to), or 0. from may lie inside a word; to is the end of a group or a word. */
static uint32_t first_free_locked(struct lane *l, uint32_t from, uint32_t to) {
    while (from < to) {
        if (*group_of(l, from) == 0) {
            from = (from / GROUP_BLKS + 1) * GROUP_BLKS;
            continue;
        }
        uint64_t avail = ~word_get(&l->words[from / 64]) & (UINT64_MAX << (from % 64));
        if (avail) {
            uint32_t blk = from - from % 64 + (uint32_t)__builtin_ctzll(avail);
            return blk < to ? blk : 0;
        }
        from = (from / 64 + 1) * 64;
    }
    return 0;
}

/* First used block in [blk, to), or `to`. */
static uint32_t run_end_locked(struct lane *l, uint32_t blk, uint32_t to) {
    while (blk < to) {
        if (blk % GROUP_BLKS == 0 && *group_of(l, blk) == GROUP_BLKS) {
            blk += GROUP_BLKS;
            continue;
        }
        uint64_t used = word_get(&l->words[blk / 64]) & (UINT64_MAX << (blk % 64));
        if (used) {
            blk = blk - blk % 64 + (uint32_t)__builtin_ctzll(used);
            break;
        }
        blk = (blk / 64 + 1) * 64;
    }
    return blk < to ? blk : to;
}

static uint32_t take_recent_locked(struct lane *l) {
    l->recent_at = (l->recent_at - 1) % LANE_RECENT;
    uint32_t blk = l->recent[l->recent_at];
    l->recent[l->recent_at] = 0;
    if (blk == 0 || lane_bits_all_set(l->words, blk, 1))
        return 0;
    flip_locked(l, blk, 1, true);
    hint_set(&l->free, hint_get(&l->free) - 1);
    return blk;
}

uint32_t lane_take_one_locked(struct lane *l, bool recent) {
    uint32_t blk = recent ? take_recent_locked(l) : 0;
    if (blk)
        return blk;
    blk = first_free_locked(l, l->hint, l->end);
    if (!blk)
        blk = first_free_locked(l, l->first, l->hint);
    if (blk)
        take_locked(l, blk, 1);
    return blk;
}

bool lane_take_at_locked(struct lane *l, uint32_t blk, uint32_t count) {
    if (blk < l->first || blk >= l->end || count > l->end - blk || !bits_all_clear(l->words, blk, count))
        return false;
    take_locked(l, blk, count);
    return true;
}

/* The same as lane_take_aligned_locked() for runs that start in groups of [from, l->end). */
static uint32_t find_aligned_locked(struct lane *l, uint32_t from, uint32_t count) {
    uint32_t need = count / GROUP_BLKS, rest = count % GROUP_BLKS, have = 0;
    for (uint32_t blk = from; blk < l->end; blk += GROUP_BLKS) {
        have = *group_of(l, blk) == GROUP_BLKS ? have + 1 : 0;
        if (have < need)
            continue;
        uint32_t tail = blk + GROUP_BLKS;
        if (rest && (tail >= l->end || run_end_locked(l, tail, tail + rest) < tail + rest))
            continue;
        return tail - need * GROUP_BLKS;
    }
    return 0;
}

uint32_t lane_take_aligned_locked(struct lane *l, uint32_t count) {
    if (l->whole < count / GROUP_BLKS)
        return 0;
    uint32_t start = find_aligned_locked(l, (l->hint + GROUP_BLKS - 1) / GROUP_BLKS * GROUP_BLKS, count);
    if (!start)
        start = find_aligned_locked(l, l->first, count);
    if (start)
        take_locked(l, start, count);
    return start;
}

/* The first free block in [from, l->end), 0 if none; *len = length of its run, but not more than `most`. */
static uint32_t next_run_locked(struct lane *l, uint32_t from, uint32_t most, uint32_t *len) {
    uint32_t blk = first_free_locked(l, from, l->end);
    if (blk)
        *len = run_end_locked(l, blk, l->end - blk > most ? blk + most : l->end) - blk;
    return blk;
}

/*
 * Both searches go twice: from the hint to the end, then through the whole lane, since the run that holds the hint is
 * seen whole only then. A whole round without success knows the longest run.
 */
uint32_t lane_take_run_locked(struct lane *l, uint32_t count) {
    uint32_t longest = 0;
    for (int round = 0; round < 2; round++) {
        uint32_t blk = round == 0 ? l->hint : l->first, len;
        for (; (blk = next_run_locked(l, blk, count, &len)) != 0; blk += len) {
            if (len == count) {
                take_locked(l, blk, count);
                return blk;
            }
            longest = len > longest ? len : longest;
        }
    }
    hint_set(&l->run_max, longest);
    return 0;
}

uint32_t lane_gather_locked(struct lane *l, uint32_t least, uint32_t want, struct extent_list *out, bool *oom) {
    uint32_t got = 0, longest = 0;
    for (int round = 0; round < 2; round++) {
        uint32_t blk = round == 0 ? l->hint : l->first, len;
        for (; (blk = next_run_locked(l, blk, want - got, &len)) != 0; blk += len) {
            if (len < least && len < want - got) {
                longest = round == 1 && len > longest ? len : longest;
                continue;
            }
            if (!extent_list_add(out, blk, len)) {
                *oom = true;
                return got;
            }
            take_locked(l, blk, len);
            got += len;
            if (got == want)
                return got;
        }
    }
    hint_set(&l->run_max, longest);
    return got;
}

void lane_put_locked(struct lane *l, uint32_t blk, uint32_t count) {
    flip_locked(l, blk, count, false);
    uint32_t free = hint_get(&l->free) + count;
    hint_set(&l->free, free);
    if (count == 1) {
        l->recent[l->recent_at] = blk;
        l->recent_at = (l->recent_at + 1) % LANE_RECENT;
    }
    /* At worst the blocks join two of the longest runs. */
    uint64_t run_max = 2 * (uint64_t)hint_get(&l->run_max) + count;
    hint_set(&l->run_max, run_max < free ? (uint32_t)run_max : free);
}
