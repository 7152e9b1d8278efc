/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

static uint64_t hash_bytes(uint64_t h, const uint8_t *p, uint64_t n) {
    uint64_t w;
    for (; n >= sizeof w; p += sizeof w, n -= sizeof w) {
        memcpy(&w, p, sizeof w);
        h = (h ^ w) * 0x9fb21c651e98df25u;
        h ^= h >> 35;
    }
    for (; n != 0; p++, n--) {
        h = (h ^ *p) * 0x9fb21c651e98df25u;
        h ^= h >> 28;
    }
    return h;
}

uint64_t model_file_hash(const char *name, size_t name_len, const uint8_t *bytes, uint64_t size) {
    uint64_t h = hash_bytes(name_len + 0x51, (const uint8_t *)name, name_len);
    h = hash_bytes(h ^ size << 17, bytes, size) * 0x94d049bb133111ebu;
    h ^= h >> 31;
    return h != 0 ? h : 1;
}

static void *keep(struct model_arena *a, size_t size) {
    if (a->n == a->cap) {
        a->cap = a->cap == 0 ? 64 : a->cap * 2;
        a->block = realloc(a->block, a->cap * sizeof *a->block);
        if (a->block == NULL)
            abort();
    }
    void *p = malloc(size != 0 ? size : 1);
    if (p == NULL)
        abort();
    return a->block[a->n++] = p;
}

void model_arena_free(struct model_arena *a) {
    for (size_t i = 0; i < a->n; i++)
        free(a->block[i]);
    free(a->block);
    *a = (struct model_arena){0};
}

const struct model *model_empty(struct model_arena *a) {
    struct model *m = keep(a, sizeof *m);
    *m = (struct model){0};
    return m;
}

static uint32_t find(const struct model *m, const char *name) {
    uint32_t i = 0;
    while (i < m->n && strcmp(m->file[i]->name, name) != 0)
        i++;
    return i;
}

const struct model_file *model_get(const struct model *m, const char *name) {
    uint32_t i = find(m, name);
    return i < m->n ? m->file[i] : NULL;
}

/* The state with the file of that name replaced by f, or without it if f is NULL. */
static struct model *with(struct model_arena *a, const struct model *m, const char *name, const struct model_file *f) {
    struct model *next = keep(a, sizeof *next);
    *next = *m;
    uint32_t i = find(m, name);
    if (i < m->n)
        next->hash -= m->file[i]->hash;
    if (f != NULL) {
        if (i == MODEL_FILES)
            abort();
        next->hash += f->hash;
        next->file[i] = f;
        next->n += i == m->n;
    } else if (i < m->n) {
        next->file[i] = next->file[--next->n];
    }
    return next;
}

static const struct model_file *file_new(struct model_arena *a, const char *name, const uint8_t *bytes, uint64_t size) {
    struct model_file *f = keep(a, sizeof *f);
    snprintf(f->name, sizeof f->name, "%s", name);
    f->size = size;
    f->bytes = bytes;
    f->hash = model_file_hash(f->name, strlen(f->name), bytes, size);
    return f;
}

/* A copy of the named file's bytes, cut or filled up with zeros to size. */
static uint8_t *resized(struct model_arena *a, const struct model *m, const char *name, uint64_t size) {
    uint8_t *bytes = keep(a, size);
    const struct model_file *old = model_get(m, name);
    uint64_t n = old == NULL ? 0 : old->size < size ? old->size : size;
    if (n != 0)
        memcpy(bytes, old->bytes, n);
    memset(bytes + n, 0, size - n);
    return bytes;
}

const struct model *model_write(struct model_arena *a, const struct model *m, const char *name, uint64_t off,
                                const uint8_t *src, uint64_t len) {
    const struct model_file *old = model_get(m, name);
    uint64_t size = old != NULL && old->size > off + len ? old->size : off + len;
    uint8_t *bytes = resized(a, m, name, size);
    if (src != NULL)
        memcpy(bytes + off, src, len);
    return with(a, m, name, file_new(a, name, bytes, size));
}

const struct model *model_truncate(struct model_arena *a, const struct model *m, const char *name, uint64_t size) {
    return with(a, m, name, file_new(a, name, resized(a, m, name, size), size));
}

const struct model *model_remove(struct model_arena *a, const struct model *m, const char *name) {
    return with(a, m, name, NULL);
}

const struct model *model_rename(struct model_arena *a, const struct model *m, const char *from, const char *to) {
    const struct model_file *f = model_get(m, from);
    const struct model *gone = with(a, m, from, NULL);
    return with(a, gone, to, file_new(a, to, f->bytes, f->size));
}
