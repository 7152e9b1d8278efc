/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "crash_image.h"
#include "random_tree.h"

/* Of the calling thread's actor. */
static const struct model *now(const struct world *w) {
    return w->now[recorder_actor()];
}

bool tree_has(const struct world *w, const char *path) {
    return model_get(now(w), path) != NULL;
}

bool tree_is(const struct world *w, const char *path, uint8_t type) {
    const struct model_file *f = model_get(now(w), path);
    return f != NULL && f->node->type == type;
}

/* A name in a directory that holds no directory, or NULL. */
static const char *deepest(const struct world *w, const char *dir) {
    const char *found = NULL;
    size_t n = strlen(dir);
    for (uint32_t i = 0; i < now(w)->n; i++) {
        const char *name = now(w)->file[i]->name;
        if (strncmp(name, dir, n) == 0 && name[n] == '/' && (found == NULL || strlen(name) > strlen(found)))
            found = name;
    }
    return found;
}

void tree_lose(struct world *w, const char *path) {
    for (const char *in; (in = deepest(w, path)) != NULL;)
        tree_lose(w, in);
    if (tree_is(w, path, NOVA_DIR))
        drop_dir(w, path);
    else if (tree_has(w, path))
        drop(w, path);
}

static uint64_t below(uint64_t *rng, uint64_t n) {
    return crash_random(rng) % n;
}

static bool has_parent(const struct world *w, const char *path) {
    char dir[MODEL_PATH];
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return true;
    snprintf(dir, sizeof dir, "%.*s", (int)(slash - path), path);
    return tree_is(w, dir, NOVA_DIR);
}

bool tree_is_empty(const struct world *w, const char *path) {
    return deepest(w, path) == NULL;
}

static bool one_below_other(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b);
    return strncmp(a, b, n < m ? n : m) == 0 && (n == m || (n < m ? b[n] : a[m]) == '/');
}

static void make_something(struct world *w, const char *path, uint64_t *rng) {
    switch (below(rng, 4)) {
    case 0: make(w, path); break;
    case 1: make_symlink(w, path, 1 + (uint32_t)below(rng, 200)); break;
    default: make_dir(w, path);
    }
}

static void move_something(struct world *w, const char *from, const char *to, uint64_t *rng) {
    if (one_below_other(from, to) || !has_parent(w, to))
        return;
    bool target = tree_has(w, to);
    if (target && below(rng, 3) == 0) {
        exchange(w, from, to);
    } else if (!target && !tree_is(w, from, NOVA_DIR) && now(w)->n < MODEL_FILES && below(rng, 2) == 0) {
        add_link(w, from, to);
    } else if (!target || (tree_is(w, from, NOVA_DIR) == tree_is(w, to, NOVA_DIR) && tree_is_empty(w, to))) {
        drop_close(w, to);
        move(w, from, to);
    }
}

static void change_xattr(struct world *w, const char *path, uint64_t *rng) {
    static const char *const names[] = {"user.a", "user.b", "user.a-name-of-more-than-a-line-aaaaaaaaaaaaaaaaaaaaaaaa"};
    const char *name = names[below(rng, 3)];
    const struct model_xattr *x = model_get(now(w), path)->node->xattr;
    while (x != NULL && strcmp(x->name, name) != 0)
        x = x->next;
    if (x != NULL && below(rng, 2) == 0)
        remove_xattr(w, path, name);
    else
        set_xattr(w, path, name, (uint32_t)below(rng, below(rng, 2) == 0 ? 400 : 9000));
}

static void change_range(struct world *w, const char *path, uint64_t *rng) {
    uint64_t blk = NOVA_BLOCK_SIZE, size = size_of(w, path), page = below(rng, size / blk + 1) * blk;
    switch (below(rng, 4)) {
    case 0: punch(w, path, below(rng, size + 1), 1 + below(rng, 9000)); break;
    case 1:
        if (page + blk < size)
            collapse(w, path, page, blk);
        break;
    case 2:
        if (page < size && size < 10 * blk)
            insert(w, path, page, blk);
        break;
    default:
        if (size < 10 * blk)
            allocate(w, path, below(rng, size + 1), 1 + below(rng, 9000), below(rng, 2) == 0);
    }
}

void tree_random_call(struct world *w, const char *const *paths, size_t n, uint64_t *rng) {
    const char *path = paths[below(rng, n)], *other = paths[below(rng, n)];
    uint32_t open = 0;
    for (uint32_t i = 0; i < MODEL_FILES; i++)
        open += w->file[i].open;
    if (open > MODEL_FILES - 4 || below(rng, 40) == 0) {
        close_pool(w);
        open_pool(w);
        return;
    }
    if (!has_parent(w, path))
        return;
    if (!tree_has(w, path) && now(w)->n > MODEL_FILES - 4)
        return;
    if (!tree_has(w, path)) {
        make_something(w, path, rng);
        return;
    }
    if (below(rng, 15) == 0) {
        const char *what = below(rng, 3) == 0 ? "" : path;
        if (below(rng, 2) == 0)
            restart_log(w, what);
        else
            clean_log(w, what, (uint32_t)below(rng, 3));
        return;
    }
    bool file = tree_is(w, path, NOVA_FILE);
    switch (below(rng, 10)) {
    case 0:
        if (tree_is_empty(w, path))
            tree_lose(w, path);
        break;
    case 1:
        if (file) {
            drop_close(w, path);
            drop_open(w, path);
        }
        break;
    case 2: {
        static const uint32_t masks[] = {NOVA_ATTR_MODE,  NOVA_ATTR_UID,
                                         NOVA_ATTR_GID,   NOVA_ATTR_ATIME,
                                         NOVA_ATTR_MTIME, NOVA_ATTR_ATIME | NOVA_ATTR_KEEP_CTIME,
                                         NOVA_ATTR_BTIME, NOVA_ATTR_BTIME | NOVA_ATTR_ATIME};
        set_attr(w, path, masks[below(rng, sizeof masks / sizeof *masks)]);
        break;
    }
    case 3:
        if (file)
            put(w, path, below(rng, 2) * size_of(w, path), 1 + below(rng, 5000));
        break;
    case 4: change_xattr(w, path, rng); break;
    case 5:
        if (file)
            change_range(w, path, rng);
        break;
    default: move_something(w, path, other, rng);
    }
}
