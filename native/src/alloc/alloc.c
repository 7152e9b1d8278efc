/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may take how many blocks from which lane.
 *
 * The reserve without a shared counter. Each lane keeps a share of it (`keep`); the fast path leaves at least that many
 * blocks in the lane, under the lane's lock alone. One of two states holds for all lanes together:
 *   open    every lane has free >= keep, and the shares add up to at least the reserve;
 *   closed  keep = LANE_CLOSED everywhere, and the fast path takes nothing.
 * Frees only raise `free` and keep both true. All else happens under `slow`, one thread at a time: close the
 * lanes one by one, and nobody but this thread can take a block any more; so the sum of the free counts can only grow,
 * and what it allows is exact. Take the blocks; share the reserve anew, in proportion to what is free, and open the
 * lanes; or leave them closed while less than the reserve is free. While lanes open one by one the rule of the open
 * state holds already, since a lane still closed keeps all it has.
 *
 * Lock order: that of holds, slow, then lanes (several only in give_back(), ascending).
 */
#include "alloc/alloc.h"

#include <assert.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/holds.h"
#include "util/lock_rank.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "bit b of byte i is block 8 i + b");

#define LANES_MAX 64u
#define LINE 64u

#define ROW_ROOM 256u /* see find_row() */

#define RESERVE_SHARE 128u /* of the data area */
#define RESERVE_MIN 8u
#define RESERVE_MAX 4096u

struct allocator {
    uint32_t blocks, data_blk, data_end;
    uint32_t lanes_n;
    uint32_t group0, groups; /* that the lanes cover */
    uint32_t reserve;
    map_word *words;
    size_t words_n;
    uint16_t *group_free;
    _Atomic(struct holds *) holds; /* from the first one on */
    alignas(128) pthread_mutex_t slow;
    struct lane lanes[];
};

/* ---- construction ---- */

static uint32_t reserve_of(uint32_t total) {
    uint32_t r = total / RESERVE_SHARE;
    r = r < RESERVE_MIN ? RESERVE_MIN : r > RESERVE_MAX ? RESERVE_MAX : r;
    return r > total / 4 ? total / 4 : r;
}

static void *alloc_lines(size_t bytes) {
    size_t rounded = (bytes + 127) / 128 * 128;
    void *p = aligned_alloc(128, rounded);
    if (p)
        memset(p, 0, rounded);
    return p;
}

/* Cuts the groups into lanes of equal length, give or take one group. */
static void cut_lanes(struct allocator *a) {
    pthread_mutexattr_t spin_first; /* held for some hundred nanoseconds */
    pthread_mutexattr_init(&spin_first);
    pthread_mutexattr_settype(&spin_first, PTHREAD_MUTEX_ADAPTIVE_NP);
    uint16_t *group_free = a->group_free;
    for (uint32_t i = 0; i < a->lanes_n; i++) {
        struct lane *l = &a->lanes[i];
        uint32_t g0 = (uint32_t)((uint64_t)a->groups * i / a->lanes_n);
        uint32_t g1 = (uint32_t)((uint64_t)a->groups * (i + 1) / a->lanes_n);
        pthread_mutex_init(&l->lock, &spin_first);
        l->first = l->hint = (a->group0 + g0) * GROUP_BLKS;
        l->end = (a->group0 + g1) * GROUP_BLKS;
        l->words = a->words;
        l->group_free = group_free;
        group_free += (g1 - g0 + LINE / 2 - 1) / (LINE / 2) * (LINE / 2);
        hint_set(&l->keep, LANE_CLOSED);
    }
    pthread_mutexattr_destroy(&spin_first);
}

struct allocator *alloc_new(uint32_t blocks, uint32_t data_blk, uint32_t data_end, uint32_t lanes) {
    if (data_blk == 0 || data_blk >= data_end || data_end > blocks)
        return NULL;
    uint32_t group0 = data_blk / GROUP_BLKS, groups = (data_end - 1) / GROUP_BLKS + 1 - group0;
    lanes = lanes < 1 ? 1 : lanes > LANES_MAX ? LANES_MAX : lanes;
    lanes = lanes > groups ? groups : lanes;
    struct allocator *a = alloc_lines(sizeof *a + lanes * sizeof a->lanes[0]);
    if (!a)
        return NULL;
    a->blocks = blocks;
    a->data_blk = data_blk;
    a->data_end = data_end;
    a->lanes_n = lanes;
    a->group0 = group0;
    a->groups = groups;
    a->reserve = reserve_of(data_end - data_blk);
    a->words_n = ((size_t)blocks + GROUP_BLKS - 1) / GROUP_BLKS * GROUP_WORDS;
    a->words = alloc_lines(a->words_n * sizeof a->words[0]);
    a->group_free = alloc_lines((groups + lanes * (LINE / 2)) * sizeof a->group_free[0]);
    if (!a->words || !a->group_free) {
        free(a->words);
        free(a->group_free);
        free(a);
        return NULL;
    }
    pthread_mutex_init(&a->slow, NULL);
    cut_lanes(a);
    uint32_t dup;
    (void)lane_bits_set(a->words, 0, data_blk, &dup);
    if (a->words_n * 64 > data_end)
        (void)lane_bits_set(a->words, data_end, (uint32_t)(a->words_n * 64 - data_end), &dup);
    return a;
}

void alloc_delete(struct allocator *a) {
    if (!a)
        return;
    for (uint32_t i = 0; i < a->lanes_n; i++)
        pthread_mutex_destroy(&a->lanes[i].lock);
    pthread_mutex_destroy(&a->slow);
    holds_delete(atomic_load(&a->holds));
    free(a->words);
    free(a->group_free);
    free(a);
}

/* ---- rebuilding ---- */

bool alloc_mark_used(struct allocator *a, uint32_t blk, uint32_t count, uint32_t *dup) {
    return lane_bits_set(a->words, blk, count, dup);
}

uint32_t alloc_bitmap_bytes(const struct allocator *a) {
    return (uint32_t)(((uint64_t)a->blocks + 7) / 8);
}

void alloc_bitmap_save(const struct allocator *a, uint32_t off, uint8_t *dst, uint32_t len) {
    const struct holds *h = atomic_load(&a->holds);
    while (len) {
        uint32_t at = off % 8, n = 8 - at < len ? 8 - at : len;
        uint64_t v = word_get(&a->words[off / 8]);
        if (h != NULL)
            v &= ~word_get(&h->freed[off / 8]);
        memcpy(dst, (const uint8_t *)&v + at, n);
        off += n;
        dst += n;
        len -= n;
    }
}

/* The bits of word w that belong to blocks outside the data area. */
static uint64_t outside(const struct allocator *a, uint32_t w) {
    uint64_t first = (uint64_t)w * 64, mask = 0;
    if (first < a->data_blk)
        mask |= a->data_blk - first >= 64 ? UINT64_MAX : word_mask(0, (uint32_t)(a->data_blk - first));
    if (first + 64 > a->data_end)
        mask |= a->data_end <= first ? UINT64_MAX : ~word_mask(0, (uint32_t)(a->data_end - first));
    return mask;
}

void alloc_bitmap_load(struct allocator *a, uint32_t off, const uint8_t *src, uint32_t len) {
    while (len) {
        uint32_t w = off / 8, at = off % 8, n = 8 - at < len ? 8 - at : len;
        uint64_t v = word_get(&a->words[w]);
        memcpy((uint8_t *)&v + at, src, n);
        atomic_store_explicit(&a->words[w], v | outside(a, w), memory_order_relaxed);
        off += n;
        src += n;
        len -= n;
    }
}

/* ---- the slow path: one thread decides for all lanes ---- */

/* Closes every lane; returns how many blocks are free, a lower bound from now on. */
static uint32_t close_lanes(struct allocator *a) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < a->lanes_n; i++) {
        struct lane *l = &a->lanes[i];
        ranked_lock(&l->lock, RANK_LANE);
        hint_set(&l->keep, LANE_CLOSED);
        sum += hint_get(&l->free);
        ranked_unlock(&l->lock, RANK_LANE);
    }
    return sum;
}

/* Shares the reserve and opens the lanes, if the reserve is there. */
static void open_lanes(struct allocator *a) {
    uint32_t share[LANES_MAX], slack[LANES_MAX];
    uint64_t sum = 0;
    for (uint32_t i = 0; i < a->lanes_n; i++) {
        slack[i] = hint_get(&a->lanes[i].free); /* can only grow while the lane is closed */
        sum += slack[i];
    }
    if (sum < a->reserve)
        return;
    uint32_t left = a->reserve;
    for (uint32_t i = 0; i < a->lanes_n; i++) {
        share[i] = sum ? (uint32_t)((uint64_t)a->reserve * slack[i] / sum) : 0;
        slack[i] -= share[i];
        left -= share[i];
    }
    for (uint32_t i = 0; left; i++) { /* what rounding down left over; the slacks add up to at least that */
        uint32_t more = slack[i] < left ? slack[i] : left;
        share[i] += more;
        left -= more;
    }
    for (uint32_t i = 0; i < a->lanes_n; i++) {
        struct lane *l = &a->lanes[i];
        ranked_lock(&l->lock, RANK_LANE);
        hint_set(&l->keep, share[i]);
        ranked_unlock(&l->lock, RANK_LANE);
    }
}

void alloc_ready(struct allocator *a) {
    for (uint32_t i = 0; i < a->lanes_n; i++)
        lane_count(&a->lanes[i]);
    open_lanes(a);
}

/* Collects from all lanes, beginning at lane `own`, the longest runs first as falling thresholds find them. */
static bool gather(struct allocator *a, uint32_t own, uint32_t want, struct extent_list *out) {
    bool oom = false;
    uint32_t got = 0;
    for (uint32_t least = want; least && !oom; least /= 2) {
        for (uint32_t i = 0; i < a->lanes_n && !oom; i++) {
            struct lane *l = &a->lanes[(own + i) % a->lanes_n];
            if (hint_get(&l->run_max) < least && hint_get(&l->run_max) < want - got)
                continue;
            ranked_lock(&l->lock, RANK_LANE);
            got += lane_gather_locked(l, least, want - got, out, &oom);
            ranked_unlock(&l->lock, RANK_LANE);
            if (got == want)
                return true;
        }
    }
    return false;
}

static int by_blk(const void *x, const void *y) {
    uint32_t a = ((const struct nova_extent *)x)->blk, b = ((const struct nova_extent *)y)->blk;
    return (a > b) - (a < b);
}

/* Lanes are neighbours, so what was collected lane by lane may join. */
static void sort_and_join(struct extent_list *out) {
    if (out->n < 2)
        return;
    qsort(out->ext, out->n, sizeof out->ext[0], by_blk);
    uint32_t n = out->n;
    out->n = 0;
    for (uint32_t i = 0; i < n; i++)
        (void)extent_list_add(out, out->ext[i].blk, out->ext[i].count); /* never longer than before */
}

static struct lane *lane_of(struct allocator *a, uint32_t blk) {
    uint32_t g = blk / GROUP_BLKS - a->group0;
    return &a->lanes[(((uint64_t)g + 1) * a->lanes_n - 1) / a->groups];
}

/* Puts blocks into their lanes. False, and nothing done, if one is outside the data area or free. */
static bool give_back(struct allocator *a, uint32_t blk, uint32_t count) {
    uint64_t end = (uint64_t)blk + count;
    if (count == 0 || blk < a->data_blk || end > a->data_end)
        return false;
    struct lane *first = lane_of(a, blk), *last = lane_of(a, (uint32_t)end - 1);
    for (struct lane *l = first; l <= last; l++)
        ranked_lock_nth(&l->lock, RANK_LANE);
    bool ok = lane_bits_all_set(a->words, blk, count);
    for (struct lane *l = first; l <= last; l++) {
        uint32_t from = blk > l->first ? blk : l->first, to = end < l->end ? (uint32_t)end : l->end;
        if (ok)
            lane_put_locked(l, from, to - from);
        ranked_unlock(&l->lock, RANK_LANE);
    }
    return ok;
}

/* Gives back what gather() took. */
static void ungather(struct allocator *a, struct extent_list *out) {
    for (uint32_t i = 0; i < out->n; i++)
        (void)give_back(a, out->ext[i].blk, out->ext[i].count);
    out->n = 0;
}

static bool alloc_slow(struct allocator *a, uint32_t own, uint32_t want, unsigned flags, struct extent_list *out) {
    ranked_lock(&a->slow, RANK_ALLOC);
    uint64_t keep = a->reserve - (uint64_t)a->reserve * flags / ALLOC_RESERVE;
    bool ok = close_lanes(a) >= want + keep;
    if (ok && !gather(a, own, want, out)) {
        ungather(a, out);
        ok = false;
    }
    open_lanes(a);
    ranked_unlock(&a->slow, RANK_ALLOC);
    sort_and_join(out);
    return ok;
}

/* Takes blocks that are free, of whatever lanes. The lanes are closed, so that free ones stay so. Where they go on
 * looking is left as it is: what comes next is not put behind these. */
static void take_closed(struct allocator *a, uint32_t blk, uint32_t count) {
    uint32_t end = blk + count;
    for (struct lane *l = lane_of(a, blk); blk < end; l++) {
        uint32_t n = (end < l->end ? end : l->end) - blk;
        ranked_lock(&l->lock, RANK_LANE);
        uint32_t hint = l->hint;
        (void)lane_take_at_locked(l, blk, n);
        l->hint = hint;
        ranked_unlock(&l->lock, RANK_LANE);
        blk += n;
    }
}

/* The first block in [from, end) that is used, or free; or end. */
static uint32_t next_of(const struct allocator *a, uint32_t from, uint32_t end, bool used) {
    while (from < end) {
        uint64_t word = word_get(&a->words[from / 64]);
        uint64_t those = (used ? word : ~word) & (UINT64_MAX << from % 64);
        if (those != 0) {
            from = from / 64 * 64 + (uint32_t)__builtin_ctzll(those);
            return from < end ? from : end;
        }
        from = (from / 64 + 1) * 64;
    }
    return end;
}

static uint32_t next_free(const struct allocator *a, uint32_t from, uint32_t end) {
    return next_of(a, from, end, false);
}

static uint32_t next_used(const struct allocator *a, uint32_t from, uint32_t end) {
    return next_of(a, from, end, true);
}

/* The first of the longest runs of free blocks; of none if there are none. */
static struct nova_extent longest_run(const struct allocator *a) {
    struct nova_extent best = {0, 0};
    for (uint32_t blk = a->data_blk, end; (blk = next_free(a, blk, a->data_end)) < a->data_end; blk = end) {
        end = next_used(a, blk, a->data_end);
        if (end - blk > best.count)
            best = (struct nova_extent){blk, end - blk};
    }
    return best;
}

/*
 * The first of `want` free blocks in a row, or 0. They lie near the end of the longest free run, since others come from
 * its start, and leave as many and some more behind them, for what is to lie in a row with them later. If they are a
 * group or more, best at the start of one.
 */
static uint32_t find_row(const struct allocator *a, uint32_t want) {
    const struct nova_extent run = longest_run(a);
    if (run.count < want)
        return 0;
    uint32_t rest = run.count - want, behind = rest / 2 < want + ROW_ROOM ? rest / 2 : want + ROW_ROOM;
    uint32_t at = run.blk + rest - behind, whole = at / GROUP_BLKS * GROUP_BLKS;
    return want >= GROUP_BLKS && whole >= run.blk ? whole : at;
}

uint32_t alloc_in_a_row(struct allocator *a, uint32_t want) {
    uint32_t blk = 0;
    ranked_lock(&a->slow, RANK_ALLOC);
    if (close_lanes(a) >= (uint64_t)want + a->reserve)
        blk = find_row(a, want);
    if (blk != 0)
        take_closed(a, blk, want);
    open_lanes(a);
    ranked_unlock(&a->slow, RANK_ALLOC);
    return blk;
}

bool alloc_these(struct allocator *a, uint32_t blk, uint32_t count) {
    if (count == 0 || blk < a->data_blk || blk >= a->data_end || count > a->data_end - blk)
        return false;
    ranked_lock(&a->slow, RANK_ALLOC);
    bool ok = close_lanes(a) >= (uint64_t)count + a->reserve && next_used(a, blk, blk + count) == blk + count;
    if (ok)
        take_closed(a, blk, count);
    open_lanes(a);
    ranked_unlock(&a->slow, RANK_ALLOC);
    return ok;
}

/* ---- holds ---- */

/* Made by the first who needs them. NULL without memory. */
static struct holds *need_holds(struct allocator *a) {
    struct holds *h = atomic_load(&a->holds), *made;
    if (h != NULL || (made = holds_new(a->words_n)) == NULL)
        return h;
    if (atomic_compare_exchange_strong(&a->holds, &h, made))
        return made;
    holds_delete(made);
    return h;
}

bool alloc_hold(struct allocator *a, uint32_t blk, uint32_t count) {
    struct holds *h = need_holds(a);
    if (h == NULL)
        return false;
    uint32_t end = blk + count;
    ranked_lock(&h->lock, RANK_HOLDS);
    bool ok = holds_add(h, blk, count);
    if (ok && !lane_bits_all_set(a->words, blk, count)) {
        ranked_lock(&a->slow, RANK_ALLOC);
        close_lanes(a);
        for (uint32_t i = blk, to; (i = next_free(a, i, end)) < end; i = to) {
            to = next_used(a, i, end);
            take_closed(a, i, to - i);
            for (uint32_t k = i; k < to; k++)
                holds_set_freed(h, k, true);
        }
        open_lanes(a);
        ranked_unlock(&a->slow, RANK_ALLOC);
    }
    ranked_unlock(&h->lock, RANK_HOLDS);
    return ok;
}

void alloc_release(struct allocator *a, uint32_t blk, uint32_t count) {
    struct holds *h = atomic_load(&a->holds);
    uint32_t end = blk + count;
    ranked_lock(&h->lock, RANK_HOLDS);
    holds_remove(h, blk, count);
    for (uint32_t i = blk, n; i < end; i += n) {
        for (n = 0; i + n < end && holds_is_freed(h, i + n) && !holds_is_held(h, i + n); n++)
            holds_set_freed(h, i + n, false);
        if (n != 0)
            (void)give_back(a, i, n);
        else
            n = 1;
    }
    ranked_unlock(&h->lock, RANK_HOLDS);
}

bool alloc_is_held(struct allocator *a, uint32_t blk, uint32_t count) {
    struct holds *h = atomic_load(&a->holds);
    if (h == NULL || blk >= a->data_end || count > a->data_end - blk)
        return false;
    ranked_lock(&h->lock, RANK_HOLDS);
    bool held = false;
    for (uint32_t i = 0; !held && i < count; i++)
        held = holds_is_held(h, blk + i);
    ranked_unlock(&h->lock, RANK_HOLDS);
    return held;
}

bool alloc_has_holds(const struct allocator *a) {
    const struct holds *h = atomic_load(&a->holds);
    return h != NULL && atomic_load(&h->n) != 0;
}

uint32_t alloc_held_free(const struct allocator *a) {
    const struct holds *h = atomic_load(&a->holds);
    return h == NULL ? 0 : atomic_load_explicit(&h->gone, memory_order_relaxed);
}

/* ---- allocation ---- */

static inline uint32_t own_lane(const struct allocator *a) {
    int cpu = sched_getcpu();
    uint32_t n = cpu > 0 ? (uint32_t)cpu : 0;
    return n < a->lanes_n ? n : n % a->lanes_n; /* mostly no division: there are as many lanes as CPUs */
}

/* Whether the fast path may take count blocks of the lane; certain under its lock, a guess without. */
static inline bool can_take(const struct lane *l, uint32_t count) {
    return hint_get(&l->free) >= (uint64_t)hint_get(&l->keep) + count;
}

bool alloc_at(struct allocator *a, uint32_t blk, uint32_t count) {
    if (blk / GROUP_BLKS < a->group0 || blk / GROUP_BLKS >= a->group0 + a->groups)
        return false;
    struct lane *l = lane_of(a, blk);
    ranked_lock(&l->lock, RANK_LANE);
    bool ok = can_take(l, count) && lane_take_at_locked(l, blk, count);
    ranked_unlock(&l->lock, RANK_LANE);
    return ok;
}

static uint32_t take_one(struct allocator *a, unsigned flags, bool recent) {
    uint32_t own = own_lane(a);
    for (uint32_t i = 0, n = own; i < a->lanes_n; i++, n = n + 1 < a->lanes_n ? n + 1 : 0) {
        struct lane *l = &a->lanes[n];
        if (!can_take(l, 1))
            continue;
        ranked_lock(&l->lock, RANK_LANE);
        uint32_t blk = can_take(l, 1) ? lane_take_one_locked(l, recent) : 0;
        ranked_unlock(&l->lock, RANK_LANE);
        if (blk)
            return blk;
    }
    struct extent_list out;
    extent_list_init(&out);
    return alloc_slow(a, own, 1, flags, &out) ? out.ext[0].blk : 0;
}

uint32_t alloc_one(struct allocator *a, unsigned flags) {
    return take_one(a, flags, true);
}

uint32_t alloc_behind(struct allocator *a, uint32_t blk) {
    return alloc_at(a, blk + 1, 1) ? blk + 1 : take_one(a, 0, false);
}

enum search { ALIGNED, RUN };

/* One run from one lane. */
static uint32_t alloc_run(struct allocator *a, uint32_t own, uint32_t want, enum search how) {
    for (uint32_t i = 0; i < a->lanes_n; i++) {
        struct lane *l = &a->lanes[(own + i) % a->lanes_n];
        if (!can_take(l, want) || hint_get(&l->run_max) < want)
            continue;
        ranked_lock(&l->lock, RANK_LANE);
        uint32_t blk = 0;
        if (can_take(l, want))
            blk = how == ALIGNED ? lane_take_aligned_locked(l, want) : lane_take_run_locked(l, want);
        ranked_unlock(&l->lock, RANK_LANE);
        if (blk)
            return blk;
    }
    return 0;
}

bool alloc_blocks(struct allocator *a, uint32_t want, unsigned flags, struct extent_list *out) {
    if (want == 0)
        return true;
    uint32_t blk = 0;
    if (want == 1) {
        blk = alloc_one(a, flags);
        if (!blk)
            return false;
    } else {
        uint32_t own = own_lane(a);
        if (want >= GROUP_BLKS)
            blk = alloc_run(a, own, want, ALIGNED);
        if (!blk)
            blk = alloc_run(a, own, want, RUN);
        if (!blk)
            return alloc_slow(a, own, want, flags, out);
    }
    return extent_list_add(out, blk, want); /* to an empty list: needs no memory */
}

/* Of blocks some of which may be held. Apart, so that alloc_free() costs little without. */
__attribute__((noinline)) static bool free_held(struct allocator *a, struct holds *h, uint32_t blk, uint32_t count) {
    uint64_t end = (uint64_t)blk + count;
    if (count == 0 || blk < a->data_blk || end > a->data_end)
        return false;
    ranked_lock(&h->lock, RANK_HOLDS);
    bool ok = lane_bits_all_set(a->words, blk, count);
    for (uint32_t i = blk; ok && i < end; i++)
        ok = !holds_is_freed(h, i);
    for (uint32_t i = blk, n; ok && i < end; i += n) {
        n = 1;
        if (holds_is_held(h, i)) {
            holds_set_freed(h, i, true);
            continue;
        }
        while (i + n < end && !holds_is_held(h, i + n))
            n++;
        ok = give_back(a, i, n);
    }
    ranked_unlock(&h->lock, RANK_HOLDS);
    return ok;
}

bool alloc_free(struct allocator *a, uint32_t blk, uint32_t count) {
    struct holds *h = atomic_load(&a->holds);
    /* What is being freed is in no file, so that nobody begins to hold it meanwhile. */
    return h == NULL || atomic_load(&h->n) == 0 ? give_back(a, blk, count) : free_held(a, h, blk, count);
}

bool alloc_free_all(struct allocator *a, const struct nova_extent *ext, uint32_t n) {
    bool ok = true;
    for (uint32_t i = 0; i < n; i++)
        ok = alloc_free(a, ext[i].blk, ext[i].count) && ok;
    return ok;
}

/* ---- facts ---- */

uint32_t alloc_lanes(const struct allocator *a) {
    return a->lanes_n;
}

uint32_t alloc_total(const struct allocator *a) {
    return a->data_end - a->data_blk;
}

uint32_t alloc_reserve(const struct allocator *a) {
    return a->reserve;
}

uint32_t alloc_free_count(const struct allocator *a) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < a->lanes_n; i++)
        sum += hint_get(&a->lanes[i].free);
    return sum;
}

uint32_t alloc_longest_free(struct allocator *a) {
    return longest_run(a).count;
}

bool alloc_is_used(const struct allocator *a, uint32_t blk) {
    return blk >= a->blocks || (word_get(&a->words[blk / 64]) >> (blk % 64) & 1);
}
