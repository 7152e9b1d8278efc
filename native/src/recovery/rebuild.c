/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "inode/dir_map.h"
#include "inode/ino_list.h"
#include "log/file_replay.h"
#include "recovery/rebuild.h"

#define THREADS_MAX 64u
#define INODES_AT_ONCE 64u /* that a thread takes from the common counter */

/* What lies behind the tail of a log. */
struct found {
    struct fmt_inode *slot;
    fmt_ptr tail;        /* behind what counts */
    const uint8_t *last; /* line of the last entry that does; NULL: none, the tail is that of the slot */
    uint8_t *torn;       /* of one that does not, or NULL */
};

struct scan {
    const struct media *m;
    struct allocator *a;
    struct inode_table *t;
    struct nova_progress *progress;
    uint32_t next;        /* first inode number that no thread has taken */
    int failed;           /* first error's status; the others stop then */
    struct ino_list more; /* an inode for each name that it has beside its first; sorted once the names are read */
    uint64_t inodes;      /* logs read */
    pthread_mutex_t lock; /* guards what follows */
    struct nova_error err;
    struct found *found;
    uint32_t found_n, found_cap;
};

static int scan_fail(struct scan *s, int rc, const struct nova_error *err) {
    pthread_mutex_lock(&s->lock);
    if (__atomic_load_n(&s->failed, __ATOMIC_RELAXED) == 0) {
        s->err = *err;
        __atomic_store_n(&s->failed, rc, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&s->lock);
    return rc;
}

static void tick(struct scan *s) {
    __atomic_fetch_add(&s->inodes, 1, __ATOMIC_RELAXED);
    if (s->progress != NULL)
        __atomic_fetch_add(&s->progress->done, 1, __ATOMIC_RELAXED);
}

/* Also flushes the pointer to the next page, for settle(). */
static int mark_page(struct scan *s, const struct log *log, uint32_t blk, struct nova_error *err) {
    const struct fmt_page *page = (const void *)media_blk(s->m, blk);
    uint32_t dup;
    if (!s->m->ops->flush_calls)
        s->m->ops->flush(s->m->ops, &page->tail.next, sizeof page->tail.next);
    if (alloc_mark_used(s->a, blk, 1, &dup))
        return NOVA_OK;
    return nova_fail_at(err, NOVA_ECORRUPT, (uint64_t)blk << NOVA_BLOCK_SHIFT,
                        "log page %u of inode %u is in use elsewhere", blk, log->ino);
}

/* Opens the log of a slot that a name refers to. */
static int open_slot(struct scan *s, uint32_t ino, struct log *log, struct nova_error *err) {
    struct fmt_inode *slot = itable_slot(s->t, ino);
    if (slot == NULL)
        return nova_fail(err, NOVA_ECORRUPT, "inode %u has no slot", ino);
    if (!fmt_inode_ok(s->m, slot, ino))
        return nova_fail_at(err, NOVA_ECORRUPT, media_off(s->m, slot), "slot of inode %u is damaged", ino);
    int rc = log_open(log, s->m, s->a, slot, err);
    if (rc == NOVA_ENOENT)
        rc = nova_fail_at(err, NOVA_ECORRUPT, media_off(s->m, slot), "inode %u has a name but its slot is free", ino);
    return rc;
}

/* ---- directories ---- */

struct value_marking {
    struct scan *s;
    uint32_t ino;
    struct nova_error *err;
};

static bool mark_value(void *arg, struct nova_extent ext) {
    const struct value_marking *k = arg;
    uint32_t dup;
    if (alloc_mark_used(k->s->a, ext.blk, ext.count, &dup))
        return true;
    nova_fail_at(k->err, NOVA_ECORRUPT, (uint64_t)dup << NOVA_BLOCK_SHIFT,
                 "block %u of an attribute of inode %u is in use elsewhere", dup, k->ino);
    return false;
}

/* Marks the blocks of the values that an inode's log ends with. */
static int mark_values(struct scan *s, const struct log *log, const struct xattr_map *xattrs, struct nova_error *err) {
    struct value_marking k = {s, log->ino, err};
    return xattr_map_extents(xattrs, log, mark_value, &k) ? NOVA_OK : NOVA_ECORRUPT;
}

static int apply_dentry(const struct log *log, const struct fmt_entry *e, struct dir_map *names,
                        struct nova_error *err) {
    struct fmt_dentry_body d;
    memcpy(&d, e->payload, sizeof d);
    const char *name = (const char *)e + FMT_DENTRY_NAME_OFF;
    if (e->kind == FMT_DENTRY_REMOVE)
        dir_map_remove(names, name, d.name_len); /* of a name that is not there: no effect */
    else if (!dir_map_put(names, name, d.name_len, d.ino, d.gen, d.type))
        return nova_fail(err, NOVA_ENOMEM, "no memory for the names of directory %u", log->ino);
    return NOVA_OK;
}

static int replay_dir(struct scan *s, const struct log *log, struct dir_map *names, struct nova_error *err) {
    struct log_cursor cur = {0};
    struct log_item item;
    struct xattr_map xattrs = {0};
    int rc;
    while ((rc = log_next(log, &cur, &item, err)) == NOVA_OK && item.entry != NULL) {
        if (item.entered != 0)
            rc = mark_page(s, log, item.entered, err);
        if (rc == NOVA_OK && (item.entry->kind == FMT_DENTRY_ADD || item.entry->kind == FMT_DENTRY_REMOVE))
            rc = apply_dentry(log, item.entry, names, err);
        if (rc == NOVA_OK && !xattr_apply(&xattrs, item.entry, item.pos))
            rc = nova_fail(err, NOVA_ENOMEM, "no memory for the attributes of directory %u", log->ino);
        if (rc != NOVA_OK)
            break;
    }
    if (rc == NOVA_OK)
        rc = mark_values(s, log, &xattrs, err);
    xattr_map_free(&xattrs);
    return rc;
}

/* Marks what the names refer to, and queues the directories among it. */
static int visit_names(struct scan *s, uint32_t dir, const struct dir_map *names, struct ino_list *dirs,
                       struct nova_error *err) {
    uint32_t it = 0;
    for (const struct dir_name *n; (n = dir_map_next(names, &it)) != NULL;) {
        struct fmt_inode *slot = itable_slot(s->t, n->ino);
        if (slot == NULL || !fmt_inode_ok(s->m, slot, n->ino) || slot->gen != n->gen || slot->type != n->type)
            return nova_fail_at(err, NOVA_ECORRUPT, slot == NULL ? NOVA_NO_OFF : media_off(s->m, slot),
                                "directory %u has a name for inode %u, generation %u, which is not there", dir, n->ino,
                                n->gen);
        bool first = itable_mark_used(s->t, n->ino);
        if (n->type != NOVA_DIR) {
            if (!first && !ino_list_add(&s->more, n->ino))
                return nova_fail(err, NOVA_ENOMEM, "no memory for a list of links");
            continue;
        }
        if (!first)
            return nova_fail_at(err, NOVA_ECORRUPT, media_off(s->m, slot), "directory %u has two names", n->ino);
        if (!ino_list_add(dirs, n->ino))
            return nova_fail(err, NOVA_ENOMEM, "no memory for a list of directories");
    }
    return NOVA_OK;
}

static int scan_dirs(struct scan *s, struct nova_error *err) {
    struct ino_list dirs = {0};
    itable_mark_used(s->t, NOVA_ROOT_INO);
    int rc = ino_list_add(&dirs, NOVA_ROOT_INO) ? NOVA_OK
                                                : nova_fail(err, NOVA_ENOMEM, "no memory for a list of directories");
    for (uint32_t i = 0; rc == NOVA_OK && i < dirs.n; i++) {
        struct log log;
        struct dir_map names;
        rc = open_slot(s, dirs.ino[i], &log, err);
        if (rc == NOVA_OK && log.type != NOVA_DIR)
            rc = nova_fail_at(err, NOVA_ECORRUPT, media_off(s->m, log.slot), "the root inode is no directory");
        if (rc != NOVA_OK)
            break;
        dir_map_init(&names);
        rc = replay_dir(s, &log, &names, err);
        if (rc == NOVA_OK)
            rc = visit_names(s, dirs.ino[i], &names, &dirs, err);
        dir_map_free(&names);
        tick(s);
    }
    ino_list_free(&dirs);
    ino_list_sort(&s->more);
    return rc;
}

/* ---- files ---- */

/* Marks the blocks of a finished map, neighbours in one go. */
struct marking {
    struct scan *s;
    uint32_t ino;
    uint32_t blk, count;
    int rc;
    struct nova_error *err;
};

static void mark_run(struct marking *k) {
    uint32_t dup;
    if (k->count != 0 && k->rc == NOVA_OK && !alloc_mark_used(k->s->a, k->blk, k->count, &dup))
        k->rc = nova_fail_at(k->err, NOVA_ECORRUPT, (uint64_t)dup << NOVA_BLOCK_SHIFT,
                             "block %u of inode %u is in use elsewhere", dup, k->ino);
    k->count = 0;
}

static void mark_block(void *arg, uint64_t pgoff, uint32_t blk) {
    struct marking *k = arg;
    (void)pgoff;
    if (k->count != 0 && blk == k->blk + k->count) {
        k->count++;
        return;
    }
    mark_run(k);
    k->blk = blk;
    k->count = 1;
}

struct page_marking {
    struct scan *s;
    const struct log *log;
};

static int mark_file_page(void *arg, uint32_t blk, struct nova_error *err) {
    const struct page_marking *p = arg;
    return mark_page(p->s, p->log, blk, err);
}

/* ---- behind the tails ---- */

/*
 * The line behind the tail, if it may hold half of an entry that certifies itself: words of the next one in its place
 * could make it whole, should a crash cut that short. Its checksums, which no other entry has, must be there for that.
 */
static uint8_t *half_entry(const struct log *log) {
    uint32_t lines = log->tail.blk == 0 ? FMT_INLINE_LINES : FMT_PAGE_LINES;
    if (log->type != NOVA_FILE || log->tail.idx == lines)
        return NULL;
    uint8_t *line = log_line(log, log->tail);
    const struct fmt_entry *e = (const struct fmt_entry *)(const void *)line;
    bool half = e->lines == 1 && e->zero == 0 && fmt_entry_certifies(e) && !fmt_entry_whole(log->m, e, 1);
    return half ? line : NULL;
}

/* Remembers what was found behind a log's tail, if anything was: no store before all has been found good. */
static int note_found(struct scan *s, const struct log *log, uint8_t *torn, struct nova_error *err) {
    fmt_ptr tail = fmt_tail_make(s->m, log->ino, log->gen, (struct log_end){log->tail, log->linked});
    if (torn == NULL)
        torn = half_entry(log);
    if (tail == log->slot->tail && torn == NULL)
        return NOVA_OK;
    struct found f = {.slot = log->slot, .tail = tail, .torn = torn};
    if (tail != log->slot->tail)
        f.last = log_line(log, (struct log_pos){log->tail.blk, log->tail.idx - 1});
    pthread_mutex_lock(&s->lock);
    bool ok = s->found_n < s->found_cap;
    if (!ok) {
        uint32_t cap = s->found_cap == 0 ? 16 : 2 * s->found_cap;
        struct found *more = realloc(s->found, cap * sizeof *more);
        ok = more != NULL;
        if (ok) {
            s->found = more;
            s->found_cap = cap;
        }
    }
    if (ok)
        s->found[s->found_n++] = f;
    pthread_mutex_unlock(&s->lock);
    return ok ? NOVA_OK : nova_fail(err, NOVA_ENOMEM, "no memory for what lies behind the tails of logs");
}

/*
 * Lets the media say it; settle() makes that durable. Of a process that was killed, the last entry of a row and its
 * bytes may be in the caches only: they come first. An entry without its bytes goes: other bytes will lie where it
 * points to, and could one day happen to be those.
 */
static int take_in(const struct scan *s, struct nova_error *err) {
    const struct pmem_ops *ops = s->m->ops;
    if (s->found_n == 0)
        return NOVA_OK;
    for (uint32_t i = 0; i < s->found_n; i++) {
        const struct found *f = &s->found[i];
        if (f->torn != NULL)
            ops->zero(ops, f->torn, FMT_LINE);
        if (f->last != NULL)
            fmt_entry_flush(s->m, (const struct fmt_entry *)(const void *)f->last);
    }
    int os = ops->drain(ops);
    if (os != 0)
        return nova_fail_os(err, NOVA_EOS, os, "cannot persist what recovery has found");
    for (uint32_t i = 0; i < s->found_n; i++)
        if (s->found[i].last != NULL)
            ops->store8(ops, &s->found[i].slot->tail, s->found[i].tail);
    return NOVA_OK;
}

static int scan_file(struct scan *s, uint32_t ino, struct nova_error *err) {
    struct log log;
    struct file_contents c;
    int rc = open_slot(s, ino, &log, err);
    if (rc != NOVA_OK)
        return rc;
    struct page_marking pages = {.s = s, .log = &log};
    uint8_t *torn;
    rc = file_replay_adopting(&log, &c, alloc_total(s->a), mark_file_page, &pages, &torn, err);
    if (rc == NOVA_OK) {
        struct marking k = {.s = s, .ino = ino, .err = err};
        block_map_each(&c.map, mark_block, &k);
        mark_run(&k);
        rc = k.rc;
    }
    if (rc == NOVA_OK)
        rc = mark_values(s, &log, &c.xattrs, err);
    file_contents_free(&c);
    uint32_t names = 1 + ino_list_count(&s->more, ino);
    if (rc == NOVA_OK && c.nlink != names) /* else its space would go while it still has a name */
        rc = nova_fail_at(err, NOVA_ECORRUPT, media_off(s->m, log.slot), "inode %u has %u names, and its log says %u",
                          ino, names, c.nlink);
    return rc == NOVA_OK ? note_found(s, &log, torn, err) : rc;
}

static void scan_some_files(struct scan *s) {
    uint32_t slots = itable_slots(s->t);
    for (;;) {
        uint32_t ino = __atomic_fetch_add(&s->next, INODES_AT_ONCE, __ATOMIC_RELAXED);
        if (ino >= slots)
            return;
        uint32_t end = slots - ino < INODES_AT_ONCE ? slots : ino + INODES_AT_ONCE;
        for (; ino < end; ino++) {
            if (__atomic_load_n(&s->failed, __ATOMIC_RELAXED) != 0)
                return;
            if (ino == 0 || !itable_is_used(s->t, ino) || itable_slot(s->t, ino)->type == NOVA_DIR)
                continue;
            struct nova_error err = {0};
            int rc = scan_file(s, ino, &err);
            if (rc != NOVA_OK) {
                scan_fail(s, rc, &err);
                return;
            }
            tick(s);
        }
    }
}

/* A thread drains what it has flushed itself. */
static void *scan_files(void *arg) {
    struct scan *s = arg;
    scan_some_files(s);
    int os = s->m->ops->drain(s->m->ops);
    if (os != 0) {
        struct nova_error err = {0};
        scan_fail(s, nova_fail_os(&err, NOVA_EOS, os, "cannot persist what recovery has found"), &err);
    }
    return NULL;
}

/* Runs scan_files() on this thread and on as many more as wanted and to be had. */
static void run_parallel(struct scan *s, uint32_t threads) {
    pthread_t more[THREADS_MAX];
    uint32_t n = 0;
    uint32_t useful = itable_slots(s->t) / INODES_AT_ONCE + 1;
    if (threads > useful)
        threads = useful;
    while (n + 1 < threads && n < THREADS_MAX && pthread_create(&more[n], NULL, scan_files, s) == 0)
        n++;
    scan_files(s);
    for (uint32_t i = 0; i < n; i++)
        pthread_join(more[i], NULL);
}

static struct fmt_inode *live_slot(const void *table, uint32_t ino) {
    return itable_is_used(table, ino) ? itable_slot(table, ino) : NULL;
}

/*
 * Makes durable what was found. A process that was killed left stores in the caches that no drain covers: tails, the
 * pointers by which a log was cut (a head lies in its tail's line), and one to a new block of the table. They were read
 * like all others, and would vanish with the power after what is built on them from now on. All else that they speak of
 * was drained before they were stored.
 */
static int settle(const struct scan *s, struct nova_error *err) {
    int os = itable_settle(s->m, s->t->count, itable_slots(s->t), live_slot, s->t);
    return os == 0 ? NOVA_OK : nova_fail_os(err, NOVA_EOS, os, "cannot persist what recovery has found");
}

/*
 * Frees the slots that no name reaches. Those that are free already, or new with their table block, may be so in the
 * caches of a killed process only; in a pool that is closed in order, none must come back.
 */
static void clear_orphans(struct scan *s, struct rebuild_stats *stats) {
    const struct pmem_ops *ops = s->m->ops;
    uint32_t slots = itable_slots(s->t);
    for (uint32_t ino = 1; ino < slots; ino++) {
        struct fmt_inode *slot = itable_slot(s->t, ino);
        if (itable_is_used(s->t, ino))
            continue;
        bool orphan = slot->tail != 0;
        if (orphan)
            ops->store8(ops, &slot->tail, 0);
        if (orphan || !ops->flush_calls) /* else settle() has written back all there is */
            ops->flush(ops, &slot->tail, sizeof slot->tail);
        stats->orphans += orphan;
    }
}

int rebuild(const struct media *m, struct allocator *a, struct inode_table *t, uint32_t threads,
            struct nova_progress *progress, struct rebuild_stats *stats, struct nova_error *err) {
    struct scan s = {.m = m, .a = a, .t = t, .progress = progress};
    pthread_mutex_init(&s.lock, NULL);
    memset(stats, 0, sizeof *stats);
    int rc = itable_mark_blocks(t, err);
    if (rc == NOVA_OK)
        rc = scan_dirs(&s, err);
    if (rc == NOVA_OK) {
        if (progress != NULL)
            __atomic_store_n(&progress->total, t->used_count, __ATOMIC_RELAXED);
        run_parallel(&s, threads);
        rc = s.failed;
        if (rc != NOVA_OK && err != NULL)
            *err = s.err;
    }
    stats->inodes = s.inodes;
    if (rc == NOVA_OK)
        rc = take_in(&s, err);
    if (rc == NOVA_OK)
        rc = settle(&s, err); /* first: a name that comes back must find its slot */
    if (rc == NOVA_OK) {
        clear_orphans(&s, stats);
        alloc_ready(a);
    }
    ino_list_free(&s.more);
    free(s.found);
    pthread_mutex_destroy(&s.lock);
    return rc;
}
