/* SPDX-License-Identifier: Apache-2.0 */
#include "inode/dir_map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "util/clock.h"

struct dir_map_entry {
    struct dir_name n; /* n.name is NULL once removed */
    uint32_t hash;
};

#define CAP_MIN 16u
#define CAP_MAX (1u << 30)
#define INDEX_PER_ENTRY 2u /* so the hash table is at most half full */

/* SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012). */

static inline uint64_t rotl(uint64_t v, unsigned n) {
    return v << n | v >> (64 - n);
}

static inline void sip_round(uint64_t v[4]) {
    v[0] += v[1], v[1] = rotl(v[1], 13) ^ v[0], v[0] = rotl(v[0], 32);
    v[2] += v[3], v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3], v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1], v[1] = rotl(v[1], 17) ^ v[2], v[2] = rotl(v[2], 32);
}

static uint32_t hash_name(const struct dir_map *m, const char *name, uint8_t len) {
    uint64_t v[4] = {m->key[0] ^ 0x736f6d6570736575u, m->key[1] ^ 0x646f72616e646f6du, m->key[0] ^ 0x6c7967656e657261u,
                     m->key[1] ^ 0x7465646279746573u};
    size_t left = len;
    for (; left >= 8; name += 8, left -= 8) {
        uint64_t word;
        memcpy(&word, name, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    uint64_t last = (uint64_t)len << 56;
    for (size_t i = 0; i < left; i++)
        last |= (uint64_t)(uint8_t)name[i] << (8 * i);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return (uint32_t)(v[0] ^ v[1] ^ v[2] ^ v[3]);
}

void dir_map_init(struct dir_map *m) {
    memset(m, 0, sizeof *m);
    if (getrandom(m->key, sizeof m->key, GRND_NONBLOCK) != (ssize_t)sizeof m->key) {
        m->key[0] = nova_monotonic(); /* early at boot; harder to guess than a constant */
        m->key[1] = (uint64_t)(uintptr_t)m;
    }
}

void dir_map_free(struct dir_map *m) {
    for (uint32_t i = 0; i < m->used; i++)
        free((void *)(uintptr_t)m->entries[i].n.name);
    free(m->entries);
    free(m->index);
    dir_map_init(m);
}

static inline uint32_t index_mask(const struct dir_map *m) {
    return m->cap * INDEX_PER_ENTRY - 1;
}

/* The entry of a name, or NULL. */
static struct dir_map_entry *find(const struct dir_map *m, const char *name, uint8_t len, uint32_t hash) {
    if (m->cap == 0)
        return NULL;
    uint32_t mask = index_mask(m);
    for (uint32_t i = hash & mask; m->index[i]; i = (i + 1) & mask) {
        struct dir_map_entry *e = &m->entries[m->index[i] - 1];
        if (e->hash == hash && e->n.name && e->n.name_len == len && memcmp(e->n.name, name, len) == 0)
            return e;
    }
    return NULL;
}

static void index_add(struct dir_map *m, uint32_t entry) {
    uint32_t mask = index_mask(m);
    uint32_t i = m->entries[entry].hash & mask;
    while (m->index[i])
        i = (i + 1) & mask;
    m->index[i] = entry + 1;
}

/* Makes room for one more entry: drops removed ones if they are half of all, else doubles. */
static bool make_room(struct dir_map *m) {
    if (m->used < m->cap)
        return true;
    uint32_t cap = m->cap == 0 ? CAP_MIN : m->live <= m->cap / 2 ? m->cap : m->cap * 2;
    if (cap > CAP_MAX)
        return false;
    struct dir_map_entry *entries = malloc(cap * sizeof *entries);
    uint32_t *index = calloc((size_t)cap * INDEX_PER_ENTRY, sizeof *index);
    if (!entries || !index) {
        free(entries);
        free(index);
        return false;
    }
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->used; i++)
        if (m->entries[i].n.name)
            entries[n++] = m->entries[i];
    free(m->entries);
    free(m->index);
    m->entries = entries;
    m->index = index;
    m->cap = cap;
    m->used = n;
    for (uint32_t i = 0; i < n; i++)
        index_add(m, i);
    return true;
}

bool dir_map_put(struct dir_map *m, const char *name, uint8_t len, uint32_t ino, uint32_t gen, uint8_t type) {
    uint32_t hash = hash_name(m, name, len);
    struct dir_map_entry *e = find(m, name, len, hash);
    if (!e) {
        if (!make_room(m))
            return false;
        char *copy = malloc(len ? len : 1);
        if (!copy)
            return false;
        memcpy(copy, name, len);
        e = &m->entries[m->used];
        e->n.name = copy;
        e->n.name_len = len;
        e->hash = hash;
        index_add(m, m->used);
        m->used++;
        m->live++;
    }
    e->n.ino = ino;
    e->n.gen = gen;
    e->n.type = type;
    return true;
}

bool dir_map_remove(struct dir_map *m, const char *name, uint8_t len) {
    struct dir_map_entry *e = find(m, name, len, hash_name(m, name, len));
    if (!e)
        return false;
    free((void *)(uintptr_t)e->n.name);
    e->n.name = NULL;
    m->live--;
    return true;
}

const struct dir_name *dir_map_get(const struct dir_map *m, const char *name, uint8_t len) {
    const struct dir_map_entry *e = find(m, name, len, hash_name(m, name, len));
    return e ? &e->n : NULL;
}

const struct dir_name *dir_map_next(const struct dir_map *m, uint32_t *it) {
    while (*it < m->used) {
        const struct dir_map_entry *e = &m->entries[(*it)++];
        if (e->n.name)
            return &e->n;
    }
    return NULL;
}
