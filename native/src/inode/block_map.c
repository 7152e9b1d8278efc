/* SPDX-License-Identifier: Apache-2.0 */
#include "inode/block_map.h"

#include <stdlib.h>

#define BITS 9u
#define WAYS (1u << BITS)
#define HEIGHT_MAX 8u /* 8 * 9 bits cover every 64-bit page number */

struct leaf {
    uint32_t used;
    uint32_t blk[WAYS];
};

struct node {
    uint32_t used;
    void *child[WAYS]; /* struct node, or struct leaf in nodes of level 2 */
};

/* Index of a page in a node of the given level; leaves are level 1. */
static inline unsigned way(uint64_t pgoff, unsigned level) {
    return (unsigned)(pgoff >> (BITS * (level - 1))) & (WAYS - 1);
}

/* Whether a tree of this height reaches the page. */
static inline bool reaches(unsigned height, uint64_t pgoff) {
    return height >= HEIGHT_MAX || (pgoff >> (BITS * height)) == 0;
}

void block_map_init(struct block_map *m) {
    m->root = NULL;
    m->height = 0;
    m->pages = 0;
    m->base = 0;
}

static void free_tree(void *tree, unsigned level) {
    if (!tree)
        return;
    if (level > 1) {
        struct node *n = tree;
        for (unsigned i = 0; i < WAYS; i++)
            free_tree(n->child[i], level - 1);
    }
    free(tree);
}

void block_map_free(struct block_map *m) {
    free_tree(m->root, m->height);
    block_map_init(m);
}

uint32_t block_map_get(const struct block_map *m, uint64_t pgoff) {
    pgoff += m->base;
    if (m->height == 0 || !reaches(m->height, pgoff))
        return 0;
    const void *tree = m->root;
    for (unsigned level = m->height; level > 1; level--) {
        tree = ((const struct node *)tree)->child[way(pgoff, level)];
        if (!tree)
            return 0;
    }
    return ((const struct leaf *)tree)->blk[way(pgoff, 1)];
}

/* The leaf of a page, made if it is not there. NULL without memory. */
static struct leaf *leaf_for(struct block_map *m, uint64_t pgoff) {
    if (m->height == 0) {
        m->root = calloc(1, sizeof(struct leaf));
        if (!m->root)
            return NULL;
        m->height = 1;
    }
    while (!reaches(m->height, pgoff)) {
        struct node *top = calloc(1, sizeof *top);
        if (!top)
            return NULL;
        top->child[0] = m->root;
        top->used = 1;
        m->root = top;
        m->height++;
    }
    void *tree = m->root;
    for (unsigned level = m->height; level > 1; level--) {
        struct node *n = tree;
        void **child = &n->child[way(pgoff, level)];
        if (!*child) {
            *child = calloc(1, level == 2 ? sizeof(struct leaf) : sizeof(struct node));
            if (!*child)
                return NULL;
            n->used++;
        }
        tree = *child;
    }
    return tree;
}

bool block_map_set(struct block_map *m, uint64_t pgoff, uint32_t blk, uint32_t count, block_map_fn replaced,
                   void *arg) {
    pgoff += m->base;
    while (count) {
        struct leaf *l = leaf_for(m, pgoff);
        if (!l)
            return false;
        unsigned i = way(pgoff, 1);
        for (; i < WAYS && count; i++, pgoff++, blk++, count--) {
            uint32_t old = l->blk[i];
            l->blk[i] = blk;
            if (!old) {
                l->used++;
                m->pages++;
            } else if (replaced) {
                replaced(arg, pgoff - m->base, old);
            }
        }
    }
    return true;
}

/* Keys `from` to `last`. */
struct removal {
    struct block_map *m;
    uint64_t from, last;
    block_map_fn removed;
    void *arg;
};

/* The ways of a node or leaf at key base that lie in [r->from, r->last]; the caller knows that some do. */
static unsigned first_way(const struct removal *r, unsigned level, uint64_t base) {
    return r->from > base ? way(r->from, level) : 0;
}

static unsigned last_way(const struct removal *r, unsigned level, uint64_t base) {
    unsigned bits = BITS * level;
    uint64_t end = bits >= 64 ? UINT64_MAX : base + ((UINT64_C(1) << bits) - 1);
    return r->last < end ? way(r->last, level) : WAYS - 1;
}

/* Removes the range's keys below the tree that starts at key base. Returns whether it became empty; then it is freed.
 */
static bool cut(struct removal *r, void *tree, unsigned level, uint64_t base) {
    unsigned last = last_way(r, level, base);
    if (level == 1) {
        struct leaf *l = tree;
        for (unsigned i = first_way(r, level, base); i <= last; i++) {
            if (!l->blk[i])
                continue;
            uint32_t old = l->blk[i];
            l->blk[i] = 0;
            l->used--;
            r->m->pages--;
            if (r->removed)
                r->removed(r->arg, base + i - r->m->base, old);
        }
        if (l->used)
            return false;
    } else {
        struct node *n = tree;
        for (unsigned i = first_way(r, level, base); i <= last; i++) {
            uint64_t start = base + ((uint64_t)i << (BITS * (level - 1)));
            if (n->child[i] && cut(r, n->child[i], level - 1, start)) {
                n->child[i] = NULL;
                n->used--;
            }
        }
        if (n->used)
            return false;
    }
    free(tree);
    return true;
}

static void remove_keys(struct block_map *m, uint64_t from, uint64_t last, block_map_fn removed, void *arg) {
    if (m->height == 0 || from > last || !reaches(m->height, from))
        return;
    struct removal r = {m, from, last, removed, arg};
    if (cut(&r, m->root, m->height, 0)) {
        block_map_init(m);
        return;
    }
    /* A root whose only child is the first one adds a level and nothing else. */
    while (m->height > 1) {
        struct node *top = m->root;
        if (top->used != 1 || !top->child[0])
            break;
        m->root = top->child[0];
        m->height--;
        free(top);
    }
}

void block_map_truncate(struct block_map *m, uint64_t pgoff, block_map_fn removed, void *arg) {
    uint64_t from = pgoff + m->base;
    if (from >= pgoff) /* else beyond every key */
        remove_keys(m, from, UINT64_MAX, removed, arg);
}

void block_map_unmap(struct block_map *m, uint64_t pgoff, uint64_t count, block_map_fn removed, void *arg) {
    uint64_t from = pgoff + m->base, last = from + (count - 1);
    if (count != 0 && from >= pgoff)
        remove_keys(m, from, last < from ? UINT64_MAX : last, removed, arg);
}

/* Keys `from` to `last`, in ascending order, until fn says no. */
typedef bool (*visit_fn)(void *arg, uint64_t key, uint32_t blk);

struct visit {
    uint64_t from, last;
    visit_fn fn;
    void *arg;
};

/* Ends with the last way in use: a small file's tree is a leaf with one. */
static bool each(const struct visit *v, const void *tree, unsigned level, uint64_t base) {
    const struct removal range = {.from = v->from, .last = v->last};
    unsigned last = last_way(&range, level, base);
    uint32_t left = level == 1 ? ((const struct leaf *)tree)->used : ((const struct node *)tree)->used;
    for (unsigned i = first_way(&range, level, base); i <= last && left != 0; i++) {
        if (level == 1) {
            uint32_t blk = ((const struct leaf *)tree)->blk[i];
            left -= blk != 0;
            if (blk && !v->fn(v->arg, base + i, blk))
                return false;
            continue;
        }
        const void *child = ((const struct node *)tree)->child[i];
        left -= child != NULL;
        if (child && !each(v, child, level - 1, base + ((uint64_t)i << (BITS * (level - 1)))))
            return false;
    }
    return true;
}

static bool visit_keys(const struct block_map *m, uint64_t from, uint64_t last, visit_fn fn, void *arg) {
    const struct visit v = {from, last, fn, arg};
    return m->height == 0 || from > last || !reaches(m->height, from) || each(&v, m->root, m->height, 0);
}

struct each_page {
    const struct block_map *m;
    block_map_fn fn;
    void *arg;
};

static bool each_page(void *arg, uint64_t key, uint32_t blk) {
    const struct each_page *e = arg;
    e->fn(e->arg, key - e->m->base, blk);
    return true;
}

void block_map_each(const struct block_map *m, block_map_fn fn, void *arg) {
    struct each_page e = {m, fn, arg};
    visit_keys(m, 0, UINT64_MAX, each_page, &e);
}

/* ---- shifting ---- */

struct moved {
    struct {
        uint64_t key;
        uint32_t blk;
    } * at;
    size_t n, cap;
    bool oom;
};

static bool collect(void *arg, uint64_t key, uint32_t blk) {
    struct moved *v = arg;
    if (v->n == v->cap) {
        size_t cap = v->cap ? 2 * v->cap : 512;
        void *more = realloc(v->at, cap * sizeof *v->at);
        if (!more) {
            v->oom = true;
            return false;
        }
        v->at = more;
        v->cap = cap;
    }
    v->at[v->n].key = key;
    v->at[v->n++].blk = blk;
    return true;
}

struct side {
    uint64_t n, max;
};

static bool count_key(void *arg, uint64_t key, uint32_t blk) {
    struct side *s = arg;
    (void)key;
    (void)blk;
    return ++s->n <= s->max;
}

/* Moves the keys [from, last] by delta (two's complement); where they come to, nothing is mapped. */
static bool move_keys(struct block_map *m, uint64_t from, uint64_t last, uint64_t delta) {
    struct moved v = {0};
    visit_keys(m, from, last, collect, &v);
    bool ok = !v.oom;
    if (ok && v.n) {
        uint64_t base = m->base; /* a map that becomes empty starts anew */
        remove_keys(m, from, last, NULL, NULL);
        for (size_t i = 0; ok && i < v.n; i++)
            ok = block_map_set(m, v.at[i].key + delta - base, v.at[i].blk, 1, NULL, NULL);
    }
    free(v.at);
    return ok;
}

bool block_map_collapse(struct block_map *m, uint64_t pgoff, uint64_t count, block_map_fn removed, void *arg) {
    block_map_unmap(m, pgoff, count, removed, arg);
    uint64_t cut_at = pgoff + m->base;
    struct side before = {.max = m->pages / 2};
    bool few = m->base < UINT64_C(1) << 62 && cut_at != 0 && visit_keys(m, 0, cut_at - 1, count_key, &before);
    if (few || (cut_at == 0 && m->pages != 0)) {
        if (cut_at != 0 && !move_keys(m, 0, cut_at - 1, count))
            return false;
        m->base += count;
        return true;
    }
    return move_keys(m, cut_at + count, UINT64_MAX, -count);
}

bool block_map_insert(struct block_map *m, uint64_t pgoff, uint64_t count) {
    uint64_t cut_at = pgoff + m->base;
    struct side before = {.max = m->pages / 2};
    if (m->base >= count && cut_at != 0 && visit_keys(m, 0, cut_at - 1, count_key, &before)) {
        if (!move_keys(m, 0, cut_at - 1, -count))
            return false;
        m->base -= count;
        return true;
    }
    return move_keys(m, cut_at, UINT64_MAX, count);
}
