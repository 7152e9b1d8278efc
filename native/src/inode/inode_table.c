/* SPDX-License-Identifier: Apache-2.0 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "inode/inode_table.h"
#include "util/lock_rank.h"

#define BITS 64u

int itable_load(struct inode_table *t, const struct media *m, struct allocator *a, struct nova_error *err) {
    uint32_t cap = m->itable_count * FMT_PTRS_PER_BLK;
    memset(t, 0, sizeof *t);
    pthread_mutex_init(&t->grow_lock, NULL);
    t->m = m;
    t->a = a;
    t->used_words = (m->inodes_max + BITS - 1) / BITS;
    t->blks = calloc(cap, sizeof *t->blks);
    t->used = calloc(t->used_words, sizeof *t->used);
    if (t->blks == NULL || t->used == NULL) {
        itable_unload(t);
        return nova_fail(err, NOVA_ENOMEM, "no memory for an inode table of %u numbers", m->inodes_max);
    }
    t->used[0] = 1; /* inode 0 does not exist */
    const fmt_ptr *ptrs = (const fmt_ptr *)(const void *)media_blk(m, m->itable_blk);
    uint32_t n = 0;
    for (; n < cap && ptrs[n] != 0; n++) {
        if (!fmt_ptr_get(m, FMT_TAG_ITABLE, n, 0, 0, ptrs[n], &t->blks[n])) {
            int rc = nova_fail_at(err, NOVA_ECORRUPT, media_off(m, &ptrs[n]), "inode-table pointer %u is damaged", n);
            itable_unload(t);
            return rc;
        }
    }
    /* The next growth would overwrite what a zeroed pointer hides: look one block's worth ahead. */
    for (uint32_t i = n; i < cap && i < n + FMT_PTRS_PER_BLK; i++) {
        if (ptrs[i] != 0) {
            int rc = nova_fail_at(err, NOVA_ECORRUPT, media_off(m, &ptrs[n]), "inode-table pointer %u is missing", n);
            itable_unload(t);
            return rc;
        }
    }
    t->count = n;
    return NOVA_OK;
}

void itable_unload(struct inode_table *t) {
    free(t->blks);
    free(t->used);
    t->blks = NULL;
    t->used = NULL;
    pthread_mutex_destroy(&t->grow_lock);
}

int itable_mark_blocks(struct inode_table *t, struct nova_error *err) {
    const fmt_ptr *ptrs = (const fmt_ptr *)(const void *)media_blk(t->m, t->m->itable_blk);
    for (uint32_t i = 0; i < t->count; i++) {
        uint32_t dup;
        if (!alloc_mark_used(t->a, t->blks[i], 1, &dup))
            return nova_fail_at(err, NOVA_ECORRUPT, media_off(t->m, &ptrs[i]),
                                "inode-table pointer %u names block %u, which is in use already", i, dup);
    }
    return NOVA_OK;
}

uint32_t itable_slots(const struct inode_table *t) {
    uint64_t n = (uint64_t)__atomic_load_n(&t->count, __ATOMIC_ACQUIRE) * FMT_SLOTS_PER_BLK;
    return n < t->m->inodes_max ? (uint32_t)n : t->m->inodes_max;
}

struct fmt_inode *itable_slot(const struct inode_table *t, uint32_t ino) {
    if (ino == 0 || ino >= itable_slots(t))
        return NULL;
    uint8_t *blk = media_blk(t->m, t->blks[ino / FMT_SLOTS_PER_BLK]);
    return (struct fmt_inode *)(void *)(blk + (size_t)(ino % FMT_SLOTS_PER_BLK) * FMT_SLOT);
}

/* ---- numbers in use ---- */

static bool set_used(struct inode_table *t, uint32_t ino) {
    uint64_t bit = 1ull << ino % BITS;
    if ((__atomic_fetch_or(&t->used[ino / BITS], bit, __ATOMIC_ACQ_REL) & bit) != 0)
        return false;
    __atomic_fetch_add(&t->used_count, 1, __ATOMIC_RELAXED);
    return true;
}

bool itable_mark_used(struct inode_table *t, uint32_t ino) {
    return set_used(t, ino);
}

bool itable_is_used(const struct inode_table *t, uint32_t ino) {
    return (__atomic_load_n(&t->used[ino / BITS], __ATOMIC_ACQUIRE) >> ino % BITS & 1) != 0;
}

uint32_t itable_bitmap_bytes(const struct inode_table *t) {
    return (t->m->inodes_max + 7) / 8;
}

void itable_bitmap_save(const struct inode_table *t, uint32_t off, uint8_t *dst, uint32_t len) {
    memcpy(dst, (const uint8_t *)t->used + off, len);
}

void itable_bitmap_load(struct inode_table *t, uint32_t off, const uint8_t *src, uint32_t len) {
    memcpy((uint8_t *)t->used + off, src, len);
    t->used[0] |= 1;
}

bool itable_ready(struct inode_table *t) {
    uint64_t n = 0;
    uint32_t slots = itable_slots(t);
    for (uint32_t w = 0; w < t->used_words; w++) {
        uint64_t word = t->used[w];
        n += (uint64_t)__builtin_popcountll(word);
        uint64_t first = (uint64_t)w * BITS;
        if (first + BITS > slots) {
            uint64_t valid = first >= slots ? 0 : (1ull << (slots - first)) - 1;
            if (w == 0)
                valid |= 1; /* inode 0, in use for ever */
            if ((word & ~valid) != 0)
                return false;
        }
    }
    t->used_count = n - 1;
    return true;
}

/*
 * Adds a table block. Zeros and pointer are durable before anyone uses a slot in it: a thread that does will not drain
 * what this one stored. Between the two no order is needed: as long as no name reaches a slot, it may hold anything.
 */
static int grow(struct inode_table *t, uint32_t seen, struct nova_error *err) {
    const struct media *m = t->m;
    int rc = NOVA_OK;
    ranked_lock(&t->grow_lock, RANK_INODE_TABLE);
    uint32_t n = t->count;
    if (n == seen) { /* else another thread grew it meanwhile */
        uint32_t blk = 0;
        if ((uint64_t)n * FMT_SLOTS_PER_BLK >= m->inodes_max || (blk = alloc_one(t->a, 0)) == 0) {
            rc = nova_fail(err, NOVA_ENOSPC, "no space for another inode");
        } else {
            fmt_ptr *ptr = (fmt_ptr *)(void *)media_blk(m, m->itable_blk) + n;
            m->ops->zero(m->ops, media_blk(m, blk), NOVA_BLOCK_SIZE);
            m->ops->store8(m->ops, ptr, fmt_ptr_make(m, FMT_TAG_ITABLE, n, 0, 0, blk));
            m->ops->flush(m->ops, ptr, sizeof *ptr);
            int os = m->ops->drain(m->ops);
            if (os != 0) { /* the block stays taken: whether the pointer is durable is unknown */
                rc = nova_fail_os(err, NOVA_EOS, os, "cannot write the inode table");
            } else {
                t->blks[n] = blk;
                __atomic_store_n(&t->count, n + 1, __ATOMIC_RELEASE);
            }
        }
    }
    ranked_unlock(&t->grow_lock, RANK_INODE_TABLE);
    return rc;
}

int itable_alloc(struct inode_table *t, uint32_t *ino, struct nova_error *err) {
    int cpu = sched_getcpu();
    uint32_t *hint = &t->hints[cpu < 0 ? 0 : (uint32_t)cpu % 64];
    for (;;) {
        uint32_t seen = __atomic_load_n(&t->count, __ATOMIC_ACQUIRE);
        uint32_t slots = itable_slots(t);
        uint32_t words = (slots + BITS - 1) / BITS;
        uint32_t start = __atomic_load_n(hint, __ATOMIC_RELAXED);
        for (uint32_t i = 0; i < words; i++) {
            uint32_t w = (start + i) % words;
            uint64_t word;
            while ((word = ~__atomic_load_n(&t->used[w], __ATOMIC_ACQUIRE)) != 0) {
                uint32_t n = w * BITS + (uint32_t)__builtin_ctzll(word);
                if (n >= slots)
                    break;
                if (set_used(t, n)) {
                    __atomic_store_n(hint, w, __ATOMIC_RELAXED);
                    *ino = n;
                    return NOVA_OK;
                }
            }
        }
        int rc = grow(t, seen, err);
        if (rc != NOVA_OK)
            return rc;
        __atomic_store_n(hint, slots / BITS, __ATOMIC_RELAXED);
    }
}

void itable_free(struct inode_table *t, uint32_t ino) {
    struct fmt_inode *slot = itable_slot(t, ino);
    const struct pmem_ops *ops = t->m->ops;
    ops->store8(ops, &slot->tail, 0);
    ops->flush(ops, &slot->tail, sizeof slot->tail);
    /* The bit last: until then nobody else touches the slot. The locked instruction is also the store fence behind the
     * flush: no drain follows on this thread for certain before another one closes the pool (RECOVERY.md, Release). */
    __atomic_fetch_and(&t->used[ino / BITS], ~(1ull << ino % BITS), __ATOMIC_RELEASE);
    __atomic_fetch_sub(&t->used_count, 1, __ATOMIC_RELAXED);
}

void itable_init_slot(struct inode_table *t, uint32_t ino, uint32_t lines, struct fmt_inode *proto) {
    struct fmt_inode *slot = itable_slot(t, ino);
    uint32_t old = fmt_inode_ok(t->m, slot, ino) ? slot->gen : 0;
    proto->magic = FMT_INODE_MAGIC;
    proto->ino = ino;
    proto->gen = old == UINT32_MAX ? 1 : old + 1;
    proto->head = 0;
    proto->tail = fmt_tail_make(t->m, ino, proto->gen, (struct log_end){{0, lines}, false});
    fmt_inode_seal(t->m, proto);
    t->m->ops->copy(t->m->ops, slot, proto, offsetof(struct fmt_inode, lines));
}

int itable_settle(const struct media *m, uint32_t ptrs, uint32_t slots, itable_live *live, const void *arg) {
    const struct pmem_ops *ops = m->ops;
    if (ops->flush_calls) {
        ops->flush(ops, m->base, m->size);
        return ops->drain(ops);
    }
    ops->flush(ops, media_blk(m, m->itable_blk), (size_t)ptrs * sizeof(fmt_ptr));
    for (uint32_t ino = 1; ino < slots; ino++) {
        const struct fmt_inode *slot = live(arg, ino);
        if (slot != NULL)
            ops->flush(ops, &slot->tail, sizeof slot->tail);
    }
    return ops->drain(ops);
}
