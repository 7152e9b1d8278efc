/* SPDX-License-Identifier: Apache-2.0 */
/* Cleaning logs as a user of nova.h does: what still counts is what the index says, whatever moved it there. */
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "log/file_replay.h"
#include "store.h"

struct store_log store_log_of(struct store_file *f) {
    return (struct store_log){.s = f->store, .file = f};
}

struct store_log store_log_of_dir(struct store *s, const char *path) {
    return (struct store_log){.s = s, .dir = path};
}

/* The parts of the index. */
struct view {
    const struct store_log *l;
    nova_inode *inode;
    struct nova_io *io;
    const struct block_map *map; /* of a file */
    const struct dir_map *names; /* of a directory */
    const struct attrs *attrs;
};

static int look(const struct store_log *l, struct view *v) {
    *v = (struct view){.l = l};
    if (l->file != NULL) {
        v->inode = l->file->inode;
        v->io = &l->file->io;
        v->map = &l->file->map;
        v->attrs = &l->file->attrs;
        return store_catch_up(l->file);
    }
    int rc = store_dir_attrs(l->s, l->dir, &v->inode, &v->attrs);
    if (rc == NOVA_OK)
        rc = store_dir_open(l->s, l->dir, &v->names);
    if (rc == NOVA_OK)
        v->io = store_dir_io(l->s, l->dir);
    return rc;
}

static int done(const struct view *v, int rc) {
    return v->l->file != NULL ? store_done(v->l->file, rc) : store_dir_done(v->l->s, v->l->dir, rc);
}

static int failed(const struct view *v, int rc) {
    if (rc != NOVA_OK)
        v->l->s->err = v->io->err;
    return rc;
}

/* The slot, as 0, and the pages of the log in front of the one that holds its end. */
static void pages_of_log(const struct view *v, uint32_t **out, uint32_t *n) {
    struct extent_list list;
    struct nova_error err;
    const struct log *log = &v->inode->log;
    extent_list_init(&list);
    *out = calloc(1, sizeof **out);
    *n = 1;
    if (log->tail.blk != 0 && log_pages_between(log, 0, log->tail.blk, UINT32_MAX - 1, &list, &err) != NOVA_OK)
        abort();
    for (uint32_t i = 0; i < list.n; i++) {
        *out = realloc(*out, (*n + list.ext[i].count) * sizeof **out);
        if (*out == NULL)
            abort();
        for (uint32_t j = 0; j < list.ext[i].count; j++)
            (*out)[(*n)++] = list.ext[i].blk + j;
    }
    extent_list_free(&list);
}

/* ---- what counts ---- */

struct keeps {
    struct nova_keep *keep;
    uint32_t n, cap;
    const struct block_map *map; /* of the file */
    struct block_map owner;      /* of each page of the file: the log page whose entry gave it its block, or SLOT */
    const uint32_t *from;        /* log pages of which things are kept; */
    uint32_t from_n;             /* and how many */
};

#define SLOT UINT32_MAX

static void keep(struct keeps *k, uint64_t at, uint32_t blk, uint32_t count) {
    struct nova_keep *last = k->n == 0 ? NULL : &k->keep[k->n - 1];
    if (count != 0 && last != NULL && last->count != 0 && last->at + last->count == at &&
        last->blk + last->count == blk) {
        last->count += count;
        return;
    }
    if (k->n == k->cap) {
        k->cap = k->cap == 0 ? 64 : 2 * k->cap;
        k->keep = realloc(k->keep, k->cap * sizeof *k->keep);
        if (k->keep == NULL)
            abort();
    }
    k->keep[k->n++] = (struct nova_keep){at, blk, count};
}

/* Replays the log into a map that says of pages where in the log they are from. */
static void find_owners(const struct view *v, struct block_map *owner) {
    const struct log *log = &v->inode->log;
    struct log_cursor cur = {0};
    struct log_item item;
    struct nova_error err;
    while (log_next(log, &cur, &item, &err) == NOVA_OK && item.entry != NULL) {
        struct fmt_write_body w;
        memcpy(&w, item.entry->payload, sizeof w);
        bool ok = true;
        if (item.entry->kind != FMT_WRITE && item.entry->kind != FMT_ALLOC)
            ok = file_apply(item.entry, owner);
        else
            for (uint32_t i = 0; ok && i < w.count; i++)
                ok = block_map_set(owner, w.pgoff + i, item.pos.blk == 0 ? SLOT : item.pos.blk, 1, NULL, NULL);
        if (!ok)
            abort();
    }
}

static void keep_page(void *arg, uint64_t pgoff, uint32_t log_blk) {
    struct keeps *k = arg;
    for (uint32_t i = 0; i < k->from_n; i++)
        if (log_blk == (k->from[i] == 0 ? SLOT : k->from[i]))
            keep(k, pgoff, block_map_get(k->map, pgoff), 1);
}

/* Whether the record of a name or an attribute says what the index does. */
static bool counts(const struct view *v, const struct nova_record *r) {
    const struct dir_name *d;
    const struct attr *a;
    char name[NOVA_NAME_MAX + 1] = "";
    switch (r->kind) {
    case NOVA_REC_DENTRY_ADD:
        d = dir_map_get(v->names, r->u.dentry.name, (uint8_t)r->u.dentry.name_len);
        return d != NULL && d->ino == r->u.dentry.ino && d->gen == r->u.dentry.gen;
    case NOVA_REC_XATTR:
        memcpy(name, r->u.xattr.name, r->u.xattr.name_len);
        a = attrs_get(v->attrs, name);
        return a != NULL && a->log_blk == r->log_blk && a->log_idx == r->log_idx;
    default: return false;
    }
}

/* What of these log pages counts; page 0 is the slot. */
static int find_keeps(const struct view *v, const uint32_t *page, uint32_t n, struct keeps *k) {
    struct nova_record rec[NOVA_PAGE_RECORDS];
    int rc = NOVA_OK;
    *k = (struct keeps){.map = v->map, .from = page, .from_n = n};
    block_map_init(&k->owner);
    if (v->map != NULL)
        find_owners(v, &k->owner);
    block_map_each(&k->owner, keep_page, k);
    for (uint32_t p = 0; rc == NOVA_OK && p < n; p++) {
        rc = nova_clean_read(v->inode, page[p], UINT64_MAX, 0, 0, rec, NOVA_PAGE_RECORDS, v->io);
        for (uint32_t i = 0; rc == NOVA_OK && i < v->io->record_count; i += rec[i].lines)
            if (counts(v, &rec[i]))
                keep(k, rec[i].log_idx, rec[i].log_blk, 0);
    }
    return failed(v, rc);
}

static void keeps_free(struct keeps *k) {
    free(k->keep);
    block_map_free(&k->owner);
}

/* ---- the calls ---- */

static int append(const struct view *v, const struct keeps *k) {
    uint32_t i = 0;
    do {
        uint32_t n = k->n - i < NOVA_KEEP_MAX ? k->n - i : NOVA_KEEP_MAX;
        int rc = done(v, nova_clean_append(v->inode, k->keep == NULL ? NULL : k->keep + i, n, v->io));
        if (rc != NOVA_OK)
            return rc;
        i += n;
    } while (i < k->n);
    return NOVA_OK;
}

/* The front is cut off in pieces. */
static int cut(const struct view *v, const uint32_t *page, uint32_t n, uint32_t end, uint32_t *freed) {
    int rc = NOVA_OK;
    for (uint32_t i = 0; rc == NOVA_OK && (i < n || i == 0); i += NOVA_CUT_MAX) {
        uint32_t to = i + NOVA_CUT_MAX < n ? page[i + NOVA_CUT_MAX] : end;
        rc = nova_clean_cut(v->inode, 0, to, v->io);
        *freed += rc == NOVA_OK ? (uint32_t)v->io->size : 0;
    }
    return failed(v, rc);
}

int store_clean(const struct store_log *l, uint32_t pages, uint32_t *freed) {
    struct view v;
    struct keeps k;
    uint32_t *page, n;
    *freed = 0;
    int rc = look(l, &v);
    if (rc != NOVA_OK || v.inode->log.tail.blk == 0)
        return rc;
    uint32_t end = v.inode->log.tail.blk;
    pages_of_log(&v, &page, &n); /* the first is the slot */
    if (pages < n - 1) {
        end = page[1 + pages];
        n = 1 + pages;
    }
    rc = find_keeps(&v, page, n, &k);
    if (rc == NOVA_OK)
        rc = append(&v, &k);
    if (rc == NOVA_OK)
        rc = cut(&v, page + 1, n - 1, end, freed);
    keeps_free(&k);
    free(page);
    return rc;
}

/* Whether a page holds nothing but what was said of blocks, names and values, and none of it counts. */
static int is_dead(const struct view *v, uint32_t blk, bool *dead) {
    struct nova_record rec[NOVA_PAGE_RECORDS];
    struct keeps k;
    int rc = find_keeps(v, &blk, 1, &k);
    *dead = k.n == 0;
    keeps_free(&k);
    if (rc == NOVA_OK)
        rc = failed(v, nova_clean_read(v->inode, blk, UINT64_MAX, 0, 0, rec, NOVA_PAGE_RECORDS, v->io));
    for (uint32_t i = 0; rc == NOVA_OK && i < v->io->record_count; i += rec[i].lines) {
        const struct nova_record *r = &rec[i];
        *dead = *dead && (r->kind == NOVA_REC_WRITE || (r->kind == NOVA_REC_ALLOC && r->u.write.count != 0) ||
                          r->kind == NOVA_REC_DENTRY_ADD || (r->kind == NOVA_REC_XATTR && !r->u.xattr.removed));
    }
    return rc;
}

/* Whether little counts in a page, and that is extents; *into gets them too. */
static int add_sparse(const struct view *v, uint32_t blk, struct keeps *into) {
    struct keeps k;
    int rc = find_keeps(v, &blk, 1, &k);
    bool sparse = rc == NOVA_OK && k.n != 0 && k.n <= 8;
    for (uint32_t i = 0; i < k.n; i++)
        sparse = sparse && k.keep[i].count != 0;
    for (uint32_t i = 0; sparse && i < k.n; i++)
        keep(into, k.keep[i].at, k.keep[i].blk, k.keep[i].count);
    keeps_free(&k);
    return rc;
}

int store_gather(const struct store_log *l, uint32_t *gathered) {
    struct view v;
    struct keeps k = {0};
    uint32_t *page, n;
    *gathered = 0;
    int rc = look(l, &v);
    if (rc != NOVA_OK || v.inode->log.tail.blk == 0 || v.inode->st.mtime != v.inode->st.ctime)
        return rc;
    pages_of_log(&v, &page, &n);
    for (uint32_t i = 0; rc == NOVA_OK && i < n && k.n < NOVA_KEEP_MAX - 8; i++)
        rc = add_sparse(&v, page[i], &k);
    if (rc == NOVA_OK && k.n != 0) {
        rc = done(&v, nova_clean_gather(v.inode, k.keep, k.n, v.io));
        *gathered = rc == NOVA_OK ? k.n : 0;
    }
    free(k.keep);
    free(page);
    return rc;
}

int store_cut_dead(const struct store_log *l, uint32_t *freed) {
    struct view v;
    uint32_t *page, n;
    bool dead;
    *freed = 0;
    int rc = look(l, &v);
    if (rc != NOVA_OK || !v.inode->log.slot_cut)
        return rc;
    pages_of_log(&v, &page, &n);
    uint32_t prev = n > 1 ? page[1] : 0;
    for (uint32_t i = 2; rc == NOVA_OK && i < n; i++) {
        rc = is_dead(&v, page[i], &dead);
        if (rc == NOVA_OK && dead) {
            rc = nova_clean_cut(v.inode, prev, i + 1 < n ? page[i + 1] : v.inode->log.tail.blk, v.io);
            *freed += rc == NOVA_OK ? (uint32_t)v.io->size : 0;
            dead = rc == NOVA_OK;
            rc = rc == NOVA_EINVAL ? NOVA_OK : failed(&v, rc); /* EINVAL: it may be the last to say the size */
        }
        if (!dead)
            prev = page[i];
    }
    free(page);
    return rc;
}

int store_restart(const struct store_log *l, bool *fits) {
    struct view v;
    struct keeps k;
    uint32_t *page, n = 2, freed;
    *fits = false;
    int rc = look(l, &v);
    if (rc != NOVA_OK || v.inode->log.tail.blk == 0)
        return rc;
    for (int i = 0; rc == NOVA_OK && (n != 1 || !v.inode->log.slot_cut) && i < 3; i++) {
        rc = store_clean(l, UINT32_MAX, &freed);
        pages_of_log(&v, &page, &n);
        free(page);
    }
    if (rc != NOVA_OK || n != 1)
        return rc;
    uint32_t only = v.inode->log.tail.blk;
    rc = find_keeps(&v, &only, 1, &k);
    if (rc == NOVA_OK && k.n <= FMT_INLINE_LINES) {
        rc = nova_clean_restart(v.inode, k.keep, k.n, v.io);
        *fits = rc == NOVA_OK;
        rc = rc == NOVA_EINVAL ? NOVA_OK : done(&v, rc); /* EINVAL: it does not fit */
    }
    keeps_free(&k);
    return rc;
}
