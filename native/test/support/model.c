/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "nova.h"

/* ---- hashes ---- */

static uint64_t hash_bytes(uint64_t h, const void *bytes, uint64_t n) {
    const uint8_t *p = bytes;
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

static uint64_t finish(uint64_t h) {
    h *= 0x94d049bb133111ebu;
    return h ^ h >> 31;
}

uint64_t model_content_hash(const uint8_t *bytes, uint64_t size) {
    return finish(hash_bytes(size << 17 ^ 0x51, bytes, size));
}

uint64_t model_xattr_hash(const char *name, const uint8_t *value, uint32_t len) {
    return finish(hash_bytes(hash_bytes(len + 0xa77, name, strlen(name) + 1), value, len));
}

uint64_t model_path_hash(const char *path) {
    size_t len = strlen(path);
    return finish(hash_bytes(len + 0x3d, path, len));
}

uint64_t model_name_hash(const char *path, const struct model_node *node, uint32_t nlink, uint64_t names, bool timed) {
    const uint64_t all[] = {model_path_hash(path),
                            names,
                            node->content,
                            node->xattrs,
                            (uint64_t)node->type << 48 | (uint64_t)nlink << 16 | node->mode,
                            (uint64_t)node->uid << 32 | node->gid,
                            (uint64_t)node->atime,
                            timed || node->mtime < MODEL_TIME_SET ? (uint64_t)node->mtime : 0,
                            timed || node->btime < MODEL_TIME_SET ? (uint64_t)node->btime : 0};
    uint64_t h = finish(hash_bytes(0x77, all, sizeof all));
    return h != 0 ? h : 1;
}

/* ---- states ---- */

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

uint32_t model_nlink(const struct model *m, const char *name) {
    const struct model_file *f = model_get(m, name);
    uint32_t n = 0;
    for (uint32_t i = 0; f != NULL && i < m->n; i++)
        n += m->file[i]->node->id == f->node->id;
    return n;
}

static struct model *copy(struct model_arena *a, const struct model *m) {
    struct model *next = keep(a, sizeof *next);
    *next = *m;
    return next;
}

static struct model *hashed(struct model *m) {
    m->hash = m->untimed = m->root == NULL ? 0 : m->root->xattrs;
    for (uint32_t i = 0; i < m->n; i++) {
        uint32_t nlink = 0;
        uint64_t names = 0;
        for (uint32_t k = 0; k < m->n; k++)
            if (m->file[k]->node->id == m->file[i]->node->id) {
                nlink++;
                names += model_path_hash(m->file[k]->name);
            }
        m->hash += model_name_hash(m->file[i]->name, m->file[i]->node, nlink, names, true);
        m->untimed += model_name_hash(m->file[i]->name, m->file[i]->node, nlink, names, false);
    }
    return m;
}

static const struct model_file *file_new(struct model_arena *a, const char *name, const struct model_node *node) {
    struct model_file *f = keep(a, sizeof *f);
    if ((size_t)snprintf(f->name, sizeof f->name, "%s", name) >= sizeof f->name)
        abort();
    f->node = node;
    return f;
}

static void put(struct model_arena *a, struct model *m, const char *name, const struct model_node *node) {
    uint32_t i = find(m, name);
    if (i == m->n && m->n++ == MODEL_FILES)
        abort();
    m->file[i] = file_new(a, name, node);
}

static void take_out(struct model *m, const char *name) {
    uint32_t i = find(m, name);
    if (i < m->n)
        m->file[i] = m->file[--m->n];
}

/* ---- what names name ---- */

static struct model_node *node_new(struct model_arena *a, uint8_t type, uint32_t mode) {
    struct model_node *node = keep(a, sizeof *node);
    *node = (struct model_node){.type = type, .mode = mode, .id = ++a->ids};
    node->content = model_content_hash(NULL, 0);
    return node;
}

static struct model_node *node_copy(struct model_arena *a, const struct model_node *from) {
    struct model_node *node = keep(a, sizeof *node);
    *node = *from;
    return node;
}

/* Puts the changed node in the place of the one with its id, under all its names. */
static void replace(struct model_arena *a, struct model *m, const struct model_node *node) {
    for (uint32_t i = 0; i < m->n; i++)
        if (m->file[i]->node->id == node->id)
            m->file[i] = file_new(a, m->file[i]->name, node);
}

/* A change among a directory's names sets its time. */
static void touch_parent(struct model_arena *a, struct model *m, const char *name) {
    char dir[MODEL_PATH];
    const char *slash = strrchr(name, '/');
    if (slash == NULL)
        return;
    snprintf(dir, sizeof dir, "%.*s", (int)(slash - name), name);
    const struct model_file *f = model_get(m, dir);
    if (f == NULL || f->node->mtime == 0)
        return;
    struct model_node *node = node_copy(a, f->node);
    node->mtime = 0;
    replace(a, m, node);
}

/* The file with its bytes cut or filled up with zeros to size, and changed now; a new one if there was none. */
static struct model_node *resized(struct model_arena *a, struct model *m, const char *name, uint64_t size,
                                  uint8_t **bytes) {
    const struct model_file *old = model_get(m, name);
    struct model_node *node = old == NULL ? node_new(a, NOVA_FILE, 0644) : node_copy(a, old->node);
    uint64_t n = node->size < size ? node->size : size;
    *bytes = keep(a, size);
    if (n != 0)
        memcpy(*bytes, node->bytes, n);
    memset(*bytes + n, 0, size - n);
    node->bytes = *bytes;
    node->size = size;
    node->mtime = 0;
    return node;
}

static const struct model *with_content(struct model_arena *a, struct model *m, const char *name,
                                        struct model_node *node) {
    node->content = model_content_hash(node->bytes, node->size);
    if (model_get(m, name) == NULL) {
        put(a, m, name, node);
        touch_parent(a, m, name);
    }
    replace(a, m, node);
    return hashed(m);
}

const struct model *model_write(struct model_arena *a, const struct model *m, const char *name, uint64_t off,
                                const uint8_t *src, uint64_t len) {
    struct model *next = copy(a, m);
    const struct model_file *old = model_get(m, name);
    uint64_t size = old != NULL && old->node->size > off + len ? old->node->size : off + len;
    uint8_t *bytes;
    struct model_node *node = resized(a, next, name, size, &bytes);
    if (src != NULL)
        memcpy(bytes + off, src, len);
    return with_content(a, next, name, node);
}

const struct model *model_truncate(struct model_arena *a, const struct model *m, const char *name, uint64_t size) {
    struct model *next = copy(a, m);
    const struct model_file *old = model_get(m, name);
    uint8_t *bytes;
    if (old != NULL && old->node->size == size)
        return m; /* nothing is logged */
    return with_content(a, next, name, resized(a, next, name, size, &bytes));
}

const struct model *model_punch(struct model_arena *a, const struct model *m, const char *name, uint64_t off,
                                uint64_t len) {
    struct model *next = copy(a, m);
    uint64_t size = model_get(m, name)->node->size, end = off + len < size ? off + len : size;
    uint8_t *bytes;
    struct model_node *node = resized(a, next, name, size, &bytes);
    node->mtime = model_get(m, name)->node->mtime;
    if (off < end)
        memset(bytes + off, 0, end - off);
    return with_content(a, next, name, node);
}

/* ---- loose bytes ---- */

static void add_loose(struct model_arena *a, struct model *m, uint32_t id, uint64_t off, uint64_t len,
                      const uint8_t *old) {
    struct model_loose *l = keep(a, sizeof *l);
    uint8_t *bytes = keep(a, len);
    memcpy(bytes, old, len);
    *l = (struct model_loose){.next = m->loose, .id = id, .off = off, .len = len, .old = bytes};
    m->loose = l;
}

const struct model *model_write_loose(struct model_arena *a, const struct model *m, const char *name, uint64_t off,
                                      const uint8_t *src, uint64_t len) {
    const struct model_file *f = model_get(m, name);
    if (off + len > f->node->size)
        abort();
    uint8_t *bytes = keep(a, len);
    memset(bytes, 0, len);
    if (src != NULL)
        memcpy(bytes, src, len);
    struct model *next = copy(a, model_write(a, m, name, off, bytes, len));
    add_loose(a, next, f->node->id, off, len, f->node->bytes + off);
    return next;
}

const struct model *model_settle(struct model_arena *a, const struct model *m, const char *name, uint64_t off,
                                 uint64_t len) {
    uint64_t end = len < UINT64_MAX - off ? off + len : UINT64_MAX;
    uint32_t id = model_get(m, name)->node->id;
    struct model *next = copy(a, m);
    next->loose = NULL;
    for (const struct model_loose *l = m->loose; l != NULL; l = l->next) {
        uint64_t l_end = l->off + l->len;
        bool other = l->id != id || l_end <= off || l->off >= end;
        if (other || l->off < off)
            add_loose(a, next, l->id, l->off, (other ? l_end : off) - l->off, l->old);
        if (!other && l_end > end)
            add_loose(a, next, id, end, l_end - end, l->old + (end - l->off));
    }
    return next;
}

void model_tighten(const struct model *m, const char *name, uint8_t *bytes, uint64_t size) {
    const struct model_file *f = model_get(m, name);
    if (f == NULL)
        return;
    for (const struct model_loose *l = m->loose; l != NULL; l = l->next)
        for (uint64_t i = 0; l->id == f->node->id && i < l->len; i++)
            if (l->off + i < size && l->off + i < f->node->size && bytes[l->off + i] == l->old[i])
                bytes[l->off + i] = f->node->bytes[l->off + i];
}

const struct model *model_collapse(struct model_arena *a, const struct model *m, const char *name, uint64_t off,
                                   uint64_t len) {
    struct model *next = copy(a, m);
    uint64_t size = model_get(m, name)->node->size;
    uint8_t *bytes;
    struct model_node *node = resized(a, next, name, size, &bytes);
    memmove(bytes + off, bytes + off + len, size - off - len);
    node->size = size - len;
    return with_content(a, next, name, node);
}

const struct model *model_insert(struct model_arena *a, const struct model *m, const char *name, uint64_t off,
                                 uint64_t len) {
    struct model *next = copy(a, m);
    uint64_t size = model_get(m, name)->node->size;
    uint8_t *bytes;
    struct model_node *node = resized(a, next, name, size + len, &bytes);
    memmove(bytes + off + len, bytes + off, size - off);
    memset(bytes + off, 0, len);
    return with_content(a, next, name, node);
}

static void add_xattr(struct model_arena *a, struct model_node *node, const struct model_xattr *from) {
    struct model_xattr *x = keep(a, sizeof *x);
    *x = *from;
    x->next = node->xattr;
    node->xattr = x;
    node->xattrs += model_xattr_hash(x->name, x->value, x->len);
}

const struct model *model_setattr(struct model_arena *a, const struct model *m, const char *name, uint32_t mask,
                                  uint32_t mode, uint32_t uid, uint32_t gid, int64_t atime, int64_t mtime,
                                  int64_t btime) {
    struct model *next = copy(a, m);
    struct model_node *node = node_copy(a, model_get(m, name)->node);
    if (mask & NOVA_ATTR_MODE)
        node->mode = mode;
    if (mask & NOVA_ATTR_UID)
        node->uid = uid;
    if (mask & NOVA_ATTR_GID)
        node->gid = gid;
    if (mask & NOVA_ATTR_ATIME)
        node->atime = atime < MODEL_TIME_SET ? atime : 0;
    if (mask & NOVA_ATTR_MTIME)
        node->mtime = mtime < MODEL_TIME_SET ? mtime : 0;
    if (mask & NOVA_ATTR_BTIME)
        node->btime = btime;
    replace(a, next, node);
    return hashed(next);
}

const char *model_next_untimed(const struct model *m) {
    for (uint32_t i = 0; i < m->n; i++)
        if (m->file[i]->node->mtime == 0 || m->file[i]->node->btime == 0)
            return m->file[i]->name;
    return NULL;
}

const struct model *model_timed(struct model_arena *a, const struct model *m, const char *name, int64_t mtime,
                                int64_t btime) {
    const struct model_node *old = model_get(m, name)->node;
    if (mtime == 0 || btime == 0 || (old->mtime != 0 && old->mtime != mtime) ||
        (old->btime != 0 && old->btime != btime))
        abort(); /* a time that no clock gave, or not what the model knew */
    struct model *next = copy(a, m);
    struct model_node *node = node_copy(a, old);
    node->mtime = mtime;
    node->btime = btime;
    replace(a, next, node);
    return hashed(next);
}

const struct model *model_set_xattr(struct model_arena *a, const struct model *m, const char *name, const char *xattr,
                                    const uint8_t *value, uint32_t len) {
    static const struct model_node no_root = {.type = NOVA_DIR};
    struct model *next = copy(a, m);
    bool root = name[0] == '\0';
    const struct model_node *old = !root ? model_get(m, name)->node : m->root != NULL ? m->root : &no_root;
    struct model_node *node = node_copy(a, old);
    node->xattr = NULL;
    node->xattrs = 0;
    for (const struct model_xattr *x = old->xattr; x != NULL; x = x->next)
        if (strcmp(x->name, xattr) != 0)
            add_xattr(a, node, x);
    if (value != NULL) {
        uint8_t *bytes = keep(a, len);
        memcpy(bytes, value, len);
        struct model_xattr x = {.len = len, .value = bytes};
        snprintf(x.name, sizeof x.name, "%s", xattr);
        add_xattr(a, node, &x);
    }
    if (root)
        next->root = node;
    else
        replace(a, next, node);
    return hashed(next);
}

/* ---- names ---- */

static const struct model *made(struct model_arena *a, const struct model *m, const char *name,
                                const struct model_node *node) {
    struct model *next = copy(a, m);
    put(a, next, name, node);
    touch_parent(a, next, name);
    return hashed(next);
}

const struct model *model_mkdir(struct model_arena *a, const struct model *m, const char *name, uint32_t mode) {
    return made(a, m, name, node_new(a, NOVA_DIR, mode));
}

const struct model *model_symlink(struct model_arena *a, const struct model *m, const char *name, const void *target,
                                  uint32_t len) {
    struct model_node *node = node_new(a, NOVA_SYMLINK, 0777);
    uint8_t *bytes = keep(a, len);
    memcpy(bytes, target, len);
    node->bytes = bytes;
    node->size = len;
    node->content = model_content_hash(bytes, len);
    return made(a, m, name, node);
}

const struct model *model_link(struct model_arena *a, const struct model *m, const char *old, const char *name) {
    return made(a, m, name, model_get(m, old)->node);
}

const struct model *model_remove(struct model_arena *a, const struct model *m, const char *name) {
    struct model *next = copy(a, m);
    take_out(next, name);
    touch_parent(a, next, name);
    return hashed(next);
}

/* Gives a name, and all that are below it, another start. */
static void rebase(struct model_arena *a, struct model *m, const char *from, const char *to) {
    size_t len = strlen(from);
    char name[2 * MODEL_PATH];
    for (uint32_t i = 0; i < m->n; i++) {
        const char *rest = m->file[i]->name + len;
        if (strncmp(m->file[i]->name, from, len) != 0 || (*rest != '\0' && *rest != '/'))
            continue;
        snprintf(name, sizeof name, "%s%s", to, rest);
        m->file[i] = file_new(a, name, m->file[i]->node);
    }
}

const struct model *model_rename(struct model_arena *a, const struct model *m, const char *from, const char *to) {
    const struct model_file *old = model_get(m, to);
    if (old != NULL && old->node->id == model_get(m, from)->node->id)
        return m;
    struct model *next = copy(a, m);
    take_out(next, to);
    rebase(a, next, from, to);
    touch_parent(a, next, from);
    touch_parent(a, next, to);
    return hashed(next);
}

const struct model *model_exchange(struct model_arena *a, const struct model *m, const char *x, const char *y) {
    if (model_get(m, x)->node->id == model_get(m, y)->node->id)
        return m;
    struct model *next = copy(a, m);
    rebase(a, next, x, "/"); /* no path starts so */
    rebase(a, next, y, x);
    rebase(a, next, "/", y);
    touch_parent(a, next, x);
    touch_parent(a, next, y);
    return hashed(next);
}
