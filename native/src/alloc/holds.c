/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/holds.h"

#include <stdlib.h>

struct holds *holds_new(size_t words) {
    struct holds *h = calloc(1, sizeof *h);
    if (h == NULL)
        return NULL;
    h->held = calloc(words, sizeof *h->held);
    h->freed = calloc(words, sizeof *h->freed);
    if (h->held == NULL || h->freed == NULL) {
        free(h->held);
        free(h->freed);
        free(h);
        return NULL;
    }
    pthread_mutex_init(&h->lock, NULL);
    return h;
}

void holds_delete(struct holds *h) {
    if (h == NULL)
        return;
    pthread_mutex_destroy(&h->lock);
    free(h->held);
    free(h->freed);
    free(h->ext);
    free(h);
}

static void set_held(struct holds *h, uint32_t blk, uint32_t end, bool on) {
    for (uint32_t n; blk < end; blk += n) {
        n = 64 - blk % 64 < end - blk ? 64 - blk % 64 : end - blk;
        uint64_t mask = word_mask(blk % 64, n);
        h->held[blk / 64] = on ? h->held[blk / 64] | mask : h->held[blk / 64] & ~mask;
    }
}

bool holds_add(struct holds *h, uint32_t blk, uint32_t count) {
    if (h->n == h->cap) {
        uint32_t cap = h->cap == 0 ? 16 : 2 * h->cap;
        struct nova_extent *grown = realloc(h->ext, cap * sizeof *grown);
        if (grown == NULL)
            return false;
        h->ext = grown;
        h->cap = cap;
    }
    h->ext[h->n++] = (struct nova_extent){blk, count};
    set_held(h, blk, blk + count, true);
    return true;
}

void holds_remove(struct holds *h, uint32_t blk, uint32_t count) {
    uint32_t at = 0, end = blk + count;
    while (h->ext[at].blk != blk || h->ext[at].count != count)
        at++;
    h->ext[at] = h->ext[--h->n];
    set_held(h, blk, end, false);
    for (uint32_t i = 0; i < h->n; i++) { /* what others hold of it */
        uint32_t from = h->ext[i].blk > blk ? h->ext[i].blk : blk;
        uint32_t to = h->ext[i].blk + h->ext[i].count < end ? h->ext[i].blk + h->ext[i].count : end;
        if (from < to)
            set_held(h, from, to, true);
    }
}

void holds_set_freed(struct holds *h, uint32_t blk, bool freed) {
    uint64_t mask = word_mask(blk % 64, 1), was = word_get(&h->freed[blk / 64]);
    atomic_store_explicit(&h->freed[blk / 64], freed ? was | mask : was & ~mask, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->gone, freed ? 1 : UINT32_MAX, memory_order_relaxed);
}
