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
                replaced(arg, pgoff, old);
            }
        }
    }
    return true;
}

struct removal {
    struct block_map *m;
    uint64_t from;
    block_map_fn removed;
    void *arg;
};

/* Removes pages >= r->from below the tree that starts at page base. Returns whether it became empty; then it is freed.
 */
static bool cut(struct removal *r, void *tree, unsigned level, uint64_t base) {
    if (level == 1) {
        struct leaf *l = tree;
        for (unsigned i = r->from > base ? way(r->from, 1) : 0; i < WAYS; i++) {
            if (!l->blk[i])
                continue;
            uint32_t old = l->blk[i];
            l->blk[i] = 0;
            l->used--;
            r->m->pages--;
            if (r->removed)
                r->removed(r->arg, base + i, old);
        }
        if (l->used)
            return false;
    } else {
        struct node *n = tree;
        for (unsigned i = r->from > base ? way(r->from, level) : 0; i < WAYS; i++) {
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

void block_map_truncate(struct block_map *m, uint64_t pgoff, block_map_fn removed, void *arg) {
    if (m->height == 0 || !reaches(m->height, pgoff))
        return;
    struct removal r = {m, pgoff, removed, arg};
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

static void each(const void *tree, unsigned level, uint64_t base, block_map_fn fn, void *arg) {
    if (level == 1) {
        const struct leaf *l = tree;
        for (unsigned i = 0; i < WAYS; i++)
            if (l->blk[i])
                fn(arg, base + i, l->blk[i]);
        return;
    }
    const struct node *n = tree;
    for (unsigned i = 0; i < WAYS; i++)
        if (n->child[i])
            each(n->child[i], level - 1, base + ((uint64_t)i << (BITS * (level - 1))), fn, arg);
}

void block_map_each(const struct block_map *m, block_map_fn fn, void *arg) {
    if (m->height)
        each(m->root, m->height, 0, fn, arg);
}
