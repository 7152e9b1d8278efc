/* SPDX-License-Identifier: Apache-2.0 */
/* The names of a store: paths to directories, and the calls of nova.h on them as its user makes them. */
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "store.h"

uint32_t store_apply_names(struct dir_map *names, struct attrs *attrs, const struct nova_record *r, uint32_t n) {
    uint32_t strays = 0;
    for (uint32_t i = 0; i < n; i += r[i].lines) {
        if (r[i].kind == NOVA_REC_DENTRY_ADD) {
            if (!dir_map_put(names, r[i].u.dentry.name, (uint8_t)r[i].u.dentry.name_len, r[i].u.dentry.ino,
                             r[i].u.dentry.gen, (uint8_t)r[i].u.dentry.type))
                abort();
        } else if (r[i].kind == NOVA_REC_DENTRY_REMOVE) {
            strays += !dir_map_remove(names, r[i].u.dentry.name, (uint8_t)r[i].u.dentry.name_len);
        } else {
            strays += !attrs_apply(attrs, &r[i]);
        }
    }
    return strays;
}

int store_replay_dir(nova_inode *dir, struct dir_map *names, struct attrs *attrs, struct nova_io *io,
                     uint32_t *strays) {
    struct nova_record rec[64];
    do {
        int rc = nova_replay(dir, rec, 64, io);
        if (rc != NOVA_OK)
            return rc;
        uint32_t n = store_apply_names(names, attrs, rec, io->record_count);
        *strays += dir->log.slot_cut ? 0 : n; /* of such a log, what they remove may have been cleaned away */
    } while (io->more);
    return NOVA_OK;
}

/* ---- paths ---- */

/* A directory, and a name in it. */
struct place {
    nova_inode *dir;
    struct dir_map *names;
    struct attrs *attrs;
    struct nova_io *io;
    const char *name;
    uint32_t len;
};

static void unload_dir(struct store *s, uint32_t ino, uint32_t gen) {
    for (struct store_dir **p = &s->dirs; *p != NULL; p = &(*p)->next) {
        struct store_dir *d = *p;
        if (d->ino != ino || d->gen != gen)
            continue;
        *p = d->next;
        nova_inode_close(d->inode, &s->err);
        dir_map_free(&d->names);
        attrs_free(&d->attrs);
        free(d);
        return;
    }
}

static int load_dir(struct store *s, uint32_t ino, uint32_t gen, struct place *at) {
    struct store_dir *d = s->dirs;
    while (d != NULL && (d->ino != ino || d->gen != gen))
        d = d->next;
    if (d == NULL) {
        d = calloc(1, sizeof *d);
        if (d == NULL)
            abort();
        int rc = nova_inode_open(s->pool, ino, gen, &d->inode, &s->err);
        if (rc != NOVA_OK) {
            free(d);
            return rc;
        }
        d->ino = ino;
        d->gen = gen;
        dir_map_init(&d->names);
        d->next = s->dirs;
        s->dirs = d;
        rc = store_replay_dir(d->inode, &d->names, &d->attrs, &d->io, &s->strays);
        if (rc != NOVA_OK) {
            struct nova_error why = d->io.err;
            unload_dir(s, ino, gen);
            s->err = why;
            return rc;
        }
    }
    at->dir = d->inode;
    at->names = &d->names;
    at->attrs = &d->attrs;
    at->io = &d->io;
    return NOVA_OK;
}

static const struct dir_name *named(const struct place *p) {
    return p->len == 0 || p->len > NOVA_NAME_MAX ? NULL : dir_map_get(p->names, p->name, (uint8_t)p->len);
}

/* The directory that a path's last name is in, or is to be in. */
static int find_place(struct store *s, const char *path, struct place *p) {
    *p = (struct place){s->root, &s->names, &s->root_attrs, &s->io, path, 0};
    for (const char *slash; (slash = strchr(p->name, '/')) != NULL;) {
        p->len = (uint32_t)(slash - p->name);
        const struct dir_name *d = named(p);
        if (d == NULL)
            return NOVA_ENOENT;
        if (d->type != NOVA_DIR)
            return NOVA_ENOTDIR;
        int rc = load_dir(s, d->ino, d->gen, p);
        if (rc != NOVA_OK)
            return rc;
        p->name = slash + 1;
    }
    p->len = (uint32_t)strlen(p->name);
    return NOVA_OK;
}

/* The same for a name that must be there. */
static int find_name(struct store *s, const char *path, struct place *p, struct dir_name *d) {
    int rc = find_place(s, path, p);
    if (rc != NOVA_OK)
        return rc;
    const struct dir_name *found = named(p);
    if (found == NULL)
        return NOVA_ENOENT;
    *d = *found;
    return NOVA_OK;
}

int store_lookup(struct store *s, const char *path, struct dir_name *out) {
    struct place p;
    if (path[0] == '\0') {
        *out = (struct dir_name){.ino = NOVA_ROOT_INO, .type = NOVA_DIR};
        return NOVA_OK;
    }
    return find_name(s, path, &p, out);
}

/* The directory that a path names, as the place of no name in it. */
static int find_dir(struct store *s, const char *path, struct place *p) {
    struct dir_name d;
    *p = (struct place){s->root, &s->names, &s->root_attrs, &s->io, NULL, 0};
    int rc = store_lookup(s, path, &d);
    if (rc == NOVA_OK && d.type != NOVA_DIR)
        rc = NOVA_ENOTDIR;
    return rc == NOVA_OK && d.ino != NOVA_ROOT_INO ? load_dir(s, d.ino, d.gen, p) : rc;
}

int store_dir_open(struct store *s, const char *path, const struct dir_map **names) {
    struct place p;
    int rc = find_dir(s, path, &p);
    *names = p.names;
    return rc;
}

static int done(struct store *s, const struct place *p, int rc) {
    if (rc != NOVA_OK)
        s->err = p->io->err;
    else if (store_apply_names(p->names, p->attrs, p->io->records, p->io->record_count) != 0)
        abort();
    return rc;
}

int store_dir_done(struct store *s, const char *path, int rc) {
    struct place p;
    if (find_dir(s, path, &p) != NOVA_OK)
        abort();
    if (rc != NOVA_OK || p.io->more == 0)
        return done(s, &p, rc);
    return store_replay_dir(p.dir, p.names, p.attrs, p.io, &s->strays);
}

struct nova_io *store_dir_io(struct store *s, const char *path) {
    struct place p;
    if (find_dir(s, path, &p) != NOVA_OK)
        abort();
    return p.io;
}

/* ---- attributes of directories ---- */

int store_dir_attrs(struct store *s, const char *path, nova_inode **dir, const struct attrs **attrs) {
    struct place p;
    int rc = find_dir(s, path, &p);
    *dir = p.dir;
    *attrs = p.attrs;
    return rc;
}

int store_dir_setxattr(struct store *s, const char *path, const char *name, const void *value, uint32_t len) {
    struct place p;
    int rc = find_dir(s, path, &p);
    return rc != NOVA_OK ? rc : done(s, &p, attrs_set(p.attrs, p.dir, name, value, len, p.io));
}

int store_dir_removexattr(struct store *s, const char *path, const char *name) {
    struct place p;
    int rc = find_dir(s, path, &p);
    return rc != NOVA_OK ? rc : done(s, &p, attrs_remove(p.attrs, p.dir, name, p.io));
}

/* ---- making ---- */

static int create(struct store *s, const char *path, uint32_t type, uint32_t mode, const void *content, uint32_t len) {
    struct place p;
    int rc = find_place(s, path, &p);
    if (rc == NOVA_OK && named(&p) != NULL)
        rc = NOVA_EEXIST;
    if (rc != NOVA_OK)
        return rc;
    return done(s, &p, nova_create(p.dir, p.name, p.len, type, mode, 0, 0, content, len, p.io));
}

int store_create(struct store *s, const char *path, uint32_t mode) {
    return create(s, path, NOVA_FILE, mode, NULL, 0);
}

int store_mkdir(struct store *s, const char *path, uint32_t mode) {
    return create(s, path, NOVA_DIR, mode, NULL, 0);
}

int store_symlink(struct store *s, const void *target, uint32_t len, const char *path) {
    return create(s, path, NOVA_SYMLINK, 0777, target, len);
}

/* ---- handles ---- */

/* An inode's handle: the one it is open by, or a passing one. */
struct held {
    nova_inode *inode;
    struct store_file own;
    bool is_own;
};

static int hold(struct store *s, uint32_t ino, uint32_t gen, struct held *h) {
    struct nova_inode **open = open_entry_locked(s->pool, ino); /* one thread: nobody else opens it */
    h->is_own = open == NULL || *open == NULL;
    if (!h->is_own) {
        h->inode = *open;
        return NOVA_OK;
    }
    int rc = store_file_open_ino(s, ino, gen, &h->own);
    h->inode = h->own.inode;
    return rc;
}

static void let_go(struct held *h) {
    if (h->is_own)
        store_file_close(&h->own);
}

int store_readlink(struct store *s, const char *path, void *buf, uint32_t *len) {
    struct place p;
    struct dir_name d;
    struct store_file f;
    int rc = find_name(s, path, &p, &d);
    if (rc == NOVA_OK && d.type != NOVA_SYMLINK)
        rc = NOVA_EINVAL;
    if (rc == NOVA_OK)
        rc = store_file_open_ino(s, d.ino, d.gen, &f);
    if (rc != NOVA_OK)
        return rc;
    *len = (uint32_t)store_read(&f, 0, buf, NOVA_SYMLINK_MAX);
    return store_file_close(&f);
}

static int hold_path(struct store *s, const char *path, struct held *h) {
    struct dir_name d;
    struct place p = {.dir = s->root};
    int rc = store_lookup(s, path, &d);
    if (rc != NOVA_OK || d.type != NOVA_DIR)
        return rc != NOVA_OK ? rc : hold(s, d.ino, d.gen, h);
    if (d.ino != NOVA_ROOT_INO)
        rc = load_dir(s, d.ino, d.gen, &p);
    h->is_own = false;
    h->inode = p.dir;
    return rc;
}

int store_setattr(struct store *s, const char *path, uint32_t mask, uint32_t mode, uint32_t uid, uint32_t gid,
                  int64_t atime, int64_t mtime, int64_t btime) {
    struct nova_io io; /* its records change no index */
    struct held h;
    int rc = hold_path(s, path, &h);
    if (rc != NOVA_OK)
        return rc;
    io.free_count = 0;
    rc = nova_setattr(h.inode, mask, mode, uid, gid, atime, mtime, btime, &io);
    let_go(&h);
    if (rc != NOVA_OK)
        s->err = io.err;
    return rc;
}

int store_stat(struct store *s, const char *path, struct nova_stat *st) {
    struct held h;
    int rc = hold_path(s, path, &h);
    if (rc != NOVA_OK)
        return rc;
    nova_inode_stat(h.inode, st);
    let_go(&h);
    return NOVA_OK;
}

/* ---- names that there are ---- */

static struct nova_name name_at(const struct place *p, const struct dir_name *d) {
    return (struct nova_name){
        .dir = p->dir, .name = p->name, .len = p->len, .ino = d->ino, .gen = d->gen, .type = d->type, .io = p->io};
}

/*
 * A call that takes a name from `loser`: first without its handle, and with it if that was refused. *last: it had no
 * other name.
 */
static int take_name(struct store *s, int (*call)(const struct nova_name *, const struct nova_name *),
                     const struct nova_name *from, struct nova_name *loser, bool *last) {
    struct held h;
    struct nova_stat st;
    *last = true;
    int rc = call(from, loser);
    if (rc != NOVA_ELINKED)
        return rc;
    rc = hold(s, loser->ino, loser->gen, &h);
    if (rc != NOVA_OK)
        return rc;
    nova_inode_stat(h.inode, &st);
    *last = st.nlink == 1;
    loser->child = h.inode;
    rc = call(from, loser);
    let_go(&h);
    return rc;
}

static int release(struct store *s, const struct dir_name *d) {
    int rc = nova_inode_release(s->pool, d->ino, d->gen, &s->err);
    if (d->type == NOVA_DIR)
        unload_dir(s, d->ino, d->gen);
    return rc;
}

static int call_unlink(const struct nova_name *none, const struct nova_name *n) {
    (void)none;
    return nova_unlink(n);
}

static int take_away(struct store *s, const struct place *p, const struct dir_name *d) {
    struct nova_name n = name_at(p, d);
    bool last;
    int rc = done(s, p, take_name(s, call_unlink, NULL, &n, &last));
    return rc == NOVA_OK && last ? release(s, d) : rc;
}

int store_unlink(struct store *s, const char *path) {
    struct place p;
    struct dir_name d;
    int rc = find_name(s, path, &p, &d);
    if (rc == NOVA_OK && d.type == NOVA_DIR)
        rc = NOVA_EISDIR;
    return rc == NOVA_OK ? take_away(s, &p, &d) : rc;
}

static int must_be_empty(struct store *s, const struct dir_name *d) {
    struct place inside;
    int rc = load_dir(s, d->ino, d->gen, &inside);
    return rc != NOVA_OK ? rc : inside.names->live == 0 ? NOVA_OK : STORE_ENOTEMPTY;
}

int store_rmdir(struct store *s, const char *path) {
    struct place p;
    struct dir_name d;
    int rc = find_name(s, path, &p, &d);
    if (rc == NOVA_OK)
        rc = d.type != NOVA_DIR ? NOVA_ENOTDIR : must_be_empty(s, &d);
    return rc == NOVA_OK ? take_away(s, &p, &d) : rc;
}

int store_link(struct store *s, const char *old, const char *path) {
    struct place p, from;
    struct dir_name d;
    struct held h;
    int rc = find_name(s, old, &from, &d);
    if (rc == NOVA_OK && d.type == NOVA_DIR)
        rc = NOVA_EISDIR;
    if (rc == NOVA_OK)
        rc = find_place(s, path, &p);
    if (rc == NOVA_OK && named(&p) != NULL)
        rc = NOVA_EEXIST;
    if (rc == NOVA_OK)
        rc = hold(s, d.ino, d.gen, &h);
    if (rc != NOVA_OK)
        return rc;
    rc = done(s, &p, nova_link(p.dir, p.name, p.len, h.inode, p.io));
    let_go(&h);
    return rc;
}

/* Whether b is a place below a, which is a directory. */
static bool below(const char *a, const char *b) {
    size_t n = strlen(a);
    return strncmp(a, b, n) == 0 && b[n] == '/';
}

/* What a call on two places has changed. */
static int done_two(struct store *s, const struct place *from, const struct place *to, int rc) {
    rc = done(s, from, rc);
    if (rc == NOVA_OK && to->dir != from->dir &&
        store_apply_names(to->names, to->attrs, to->io->records, to->io->record_count) != 0)
        abort();
    return rc;
}

int store_rename(struct store *s, const char *from, const char *to) {
    struct place p, q;
    struct dir_name d, old = {0};
    int rc = find_name(s, from, &p, &d);
    if (rc == NOVA_OK && d.type == NOVA_DIR && below(from, to))
        rc = NOVA_EINVAL;
    if (rc == NOVA_OK)
        rc = find_place(s, to, &q);
    if (rc != NOVA_OK)
        return rc;
    if (named(&q) != NULL) {
        old = *named(&q);
        if (old.ino == d.ino)
            return NOVA_OK;
        if (old.type == NOVA_DIR && d.type == NOVA_DIR && (rc = must_be_empty(s, &old)) != NOVA_OK)
            return rc;
    }
    struct nova_name a = name_at(&p, &d), b = name_at(&q, &old);
    bool last;
    rc = done_two(s, &p, &q, take_name(s, nova_rename, &a, &b, &last));
    return rc == NOVA_OK && old.ino != 0 && last ? release(s, &old) : rc;
}

int store_exchange(struct store *s, const char *a, const char *b) {
    struct place p, q;
    struct dir_name d, e;
    int rc = find_name(s, a, &p, &d);
    if (rc == NOVA_OK)
        rc = find_name(s, b, &q, &e);
    if (rc == NOVA_OK && (below(a, b) || below(b, a)))
        rc = NOVA_EINVAL;
    if (rc != NOVA_OK || d.ino == e.ino)
        return rc;
    struct nova_name x = name_at(&p, &d), y = name_at(&q, &e);
    return done_two(s, &p, &q, nova_exchange(&x, &y));
}
