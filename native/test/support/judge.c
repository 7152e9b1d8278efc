/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/handles.h"
#include "judge.h"
#include "model.h"

#define PAGE ((uint64_t)NOVA_BLOCK_SIZE)
#define SIZE_SANE (64u << 20) /* bytes; no workload makes larger files */
#define GROWTH 5000u          /* bytes; more than a page, so that the old end's slack and a hole show */

/* Maps the file up to len bytes, whatever its length. */
static void map_file_up_to(struct judge *j, uint64_t len) {
    int fd = open(j->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        abort();
    if (j->file != NULL)
        munmap(j->file, j->len);
    j->file = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    j->first = realloc(j->first, len);
    if (j->file == MAP_FAILED || j->first == NULL)
        abort();
    j->len = len;
}

void judge_init(struct judge *j, const char *tag, uint64_t len) {
    *j = (struct judge){0};
    snprintf(j->path, sizeof j->path, "%s", store_path(tag));
    map_file_up_to(j, len);
}

static uint64_t file_len(const struct judge *j) {
    struct stat st;
    if (stat(j->path, &st) != 0)
        abort();
    return (uint64_t)st.st_size;
}

static void set_file_len(const struct judge *j, uint64_t len) {
    int fd = open(j->path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || ftruncate(fd, (off_t)len) != 0 || posix_fallocate(fd, 0, (off_t)len) != 0)
        abort();
    close(fd);
}

void judge_free(struct judge *j) {
    if (j->file == NULL)
        return;
    munmap(j->file, j->len);
    unlink(j->path);
    free(j->first);
    free(j->before);
    free(j->after);
    *j = (struct judge){0};
}

void judge_put(struct judge *j, const uint8_t *image, uint64_t len) {
    if (len > j->len)
        map_file_up_to(j, len);
    if (file_len(j) != len)
        set_file_len(j, len);
    for (uint64_t at = 0; at < len; at += PAGE) {
        size_t n = len - at < PAGE ? (size_t)(len - at) : (size_t)PAGE;
        if (memcmp(j->file + at, image + at, n) != 0)
            memcpy(j->file + at, image + at, n);
    }
}

static void need_buffers(struct judge *j, uint64_t size) {
    if (size <= j->buffers)
        return;
    j->buffers = size;
    j->before = realloc(j->before, size);
    j->after = realloc(j->after, size);
    if (j->before == NULL || j->after == NULL)
        abort();
}

static bool open_store(struct judge *j, struct store *s, struct verdict *v, const char *when) {
    /* Three opens per image, and so each image's first one with another number of lanes too. */
    const struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED, .lanes = store_lanes(j->opens++)};
    if (store_open_with(s, j->path, &opt) == NOVA_OK)
        return true;
    snprintf(v->why, sizeof v->why, "%s: status %d: %s", when, s->err.code, s->err.msg);
    return false;
}

/* Leaves the pool as a crash at this moment would. */
static void abandon(struct store *s) {
    s->pool->leaked = 1; /* what makes close save nothing */
    store_close(s);
}

/* ---- reading a store ---- */

struct owner {
    struct nova_pool *pool;
    uint8_t seen[NOVA_POOL_SIZE_MIN / NOVA_BLOCK_SIZE * 8]; /* per block, in pools up to 8 times the smallest */
    uint64_t used;
    const char *bad;
};

static void own_block(void *arg, uint64_t pgoff, uint32_t blk) {
    struct owner *o = arg;
    (void)pgoff;
    if (!media_is_data(&o->pool->media, blk, 1) || blk >= sizeof o->seen)
        o->bad = "a block outside the data area";
    else if (o->seen[blk]++ != 0)
        o->bad = "a block with two owners";
    else if (!alloc_is_used(o->pool->alloc, blk))
        o->bad = "a block that is free";
    o->used++;
}

/* Everything that has a name, in the order of a walk through the tree. */
#define NAMES_MAX 128u

struct name {
    char path[MODEL_PATH];
    uint32_t ino;
    uint8_t type;
};

struct tree {
    struct name name[NAMES_MAX];
    uint32_t n;
    uint32_t inodes;
};

static bool walk_tree(struct store *s, struct tree *t, char *why, size_t why_len) {
    t->n = 0;
    for (uint32_t next = 0;; next++) { /* the root, and then each directory found */
        const char *dir = next == 0 ? "" : t->name[next - 1].path;
        if (next != 0 && t->name[next - 1].type != NOVA_DIR) {
            if (next == t->n)
                return true;
            continue;
        }
        const struct dir_map *names;
        uint32_t it = 0;
        int rc = store_dir_open(s, dir, &names);
        if (rc != NOVA_OK) {
            snprintf(why, why_len, "directory %.40s: status %d: %s", dir, rc, s->err.msg);
            return false;
        }
        for (const struct dir_name *d; (d = dir_map_next(names, &it)) != NULL;) {
            if (t->n == NAMES_MAX) {
                snprintf(why, why_len, "more than %u names", NAMES_MAX);
                return false;
            }
            struct name *to = &t->name[t->n++];
            to->ino = d->ino;
            to->type = d->type;
            if ((size_t)snprintf(to->path, sizeof to->path, "%s%s%.*s", dir, *dir != '\0' ? "/" : "", d->name_len,
                                 d->name) >= sizeof to->path) {
                snprintf(why, why_len, "a path below %.40s goes on and on", dir);
                return false;
            }
        }
        if (next == t->n)
            return true;
    }
}

/* Its number of names and the sum of their hashes; whether this is the first one. */
static bool first_name(const struct tree *t, uint32_t i, uint32_t *nlink, uint64_t *names) {
    bool first = true;
    *nlink = 0;
    *names = 0;
    for (uint32_t k = 0; k < t->n; k++) {
        if (t->name[k].ino != t->name[i].ino)
            continue;
        ++*nlink;
        *names += model_path_hash(t->name[k].path);
        first = first && k >= i;
    }
    return first;
}

static int64_t time_set(int64_t time) {
    return time < MODEL_TIME_SET ? time : 0;
}

/* Reads the extended attributes of an inode: the blocks of their values, and the sum of their hashes. */
static bool read_xattrs(struct judge *j, nova_inode *inode, const struct attrs *attrs, const char *name,
                        struct owner *o, uint64_t *hash, char *why, size_t why_len) {
    const struct media *m = &o->pool->media;
    need_buffers(j, NOVA_XATTR_MAX);
    for (uint32_t i = 0; i < attrs->n; i++) {
        const struct attr *a = &attrs->attr[i];
        struct nova_error err;
        uint32_t len;
        int rc = nova_xattr_read(inode, a->log_blk, a->log_idx, j->before, NOVA_XATTR_MAX, &len, &err);
        if (rc != NOVA_OK || len != a->value_len) {
            snprintf(why, why_len, "attribute %.40s of %.40s: status %d: %s", a->name, name, rc, err.msg);
            return false;
        }
        *hash += model_xattr_hash(a->name, j->before, len);
        const uint8_t *e = log_line(&inode->log, (struct log_pos){a->log_blk, a->log_idx});
        struct fmt_xattr_body body;
        memcpy(&body, e + FMT_PAYLOAD_OFF, sizeof body);
        for (uint32_t x = 0; x < body.extents; x++) {
            struct nova_extent ext = fmt_xattr_extent(e, x);
            for (uint32_t k = 0; k < ext.count && media_is_data(m, ext.blk, ext.count); k++)
                own_block(o, 0, ext.blk + k);
        }
    }
    if (o->bad != NULL)
        snprintf(why, why_len, "an attribute of %.40s has %s", name, o->bad);
    return o->bad == NULL;
}

static bool read_dir_xattrs(struct judge *j, struct store *s, const char *path, struct owner *o, uint64_t *hash,
                            char *why, size_t why_len) {
    nova_inode *dir;
    const struct attrs *attrs;
    int rc = store_dir_attrs(s, path, &dir, &attrs);
    if (rc == NOVA_OK)
        return read_xattrs(j, dir, attrs, path, o, hash, why, why_len);
    snprintf(why, why_len, "directory %.40s: status %d: %s", path, rc, s->err.msg);
    return false;
}

/* The contents of what is no directory. */
static bool read_file(struct judge *j, struct store *s, const struct name *n, struct owner *o, struct model_node *node,
                      char *why, size_t why_len) {
    static struct store_file f;
    int rc = store_file_open(s, n->path, false, &f);
    if (rc != NOVA_OK) {
        snprintf(why, why_len, "file %.40s: status %d: %s", n->path, rc, s->err.msg);
        return false;
    }
    block_map_each(&f.map, own_block, o);
    const char *bad = f.size != node->size || f.size > SIZE_SANE ? "its size makes no sense" : o->bad;
    if (n->type == NOVA_SYMLINK && (f.size == 0 || f.size > NOVA_SYMLINK_MAX))
        bad = "no target has that many";
    if (bad == NULL) {
        need_buffers(j, f.size);
        store_read(&f, 0, j->before, f.size);
        if (j->loose[0] != NULL)
            model_tighten(j->loose[0], n->path, j->before, f.size);
        node->content = model_content_hash(j->before, f.size);
    } else {
        snprintf(why, why_len, "file %.40s of %llu bytes: %s", n->path, (unsigned long long)f.size, bad);
    }
    bool ok = bad == NULL && read_xattrs(j, f.inode, &f.attrs, n->path, o, &node->xattrs, why, why_len);
    store_file_close(&f);
    return ok;
}

static bool read_inode(struct judge *j, struct store *s, const struct name *n, uint32_t nlink, struct owner *o,
                       struct model_node *node, char *why, size_t why_len) {
    struct nova_stat st;
    int rc = store_stat(s, n->path, &st);
    if (rc != NOVA_OK || st.type != n->type || st.nlink != nlink) {
        snprintf(why, why_len, "%.40s: status %d, type %u for %u, %u names where there are %u", n->path, rc, st.type,
                 n->type, st.nlink, nlink);
        return false;
    }
    o->used += st.log_pages;
    *node = (struct model_node){.type = n->type,
                                .mode = st.mode,
                                .uid = st.uid,
                                .gid = st.gid,
                                .atime = time_set(st.atime),
                                .mtime = st.mtime,
                                .btime = st.btime,
                                .size = st.size,
                                .content = model_content_hash(NULL, 0)};
    return n->type == NOVA_DIR ? read_dir_xattrs(j, s, n->path, o, &node->xattrs, why, why_len)
                               : read_file(j, s, n, o, node, why, why_len);
}

bool judge_store(struct judge *j, struct store *s, uint64_t *state, uint64_t *used, char *why, size_t why_len) {
    static struct owner o;
    static struct tree t;
    static struct model_node node[NAMES_MAX];
    memset(&o, 0, sizeof o);
    o.pool = s->pool;
    *state = 0;
    if (!walk_tree(s, &t, why, why_len) || !read_dir_xattrs(j, s, "", &o, state, why, why_len))
        return false;
    t.inodes = 1;
    for (uint32_t i = 0; i < t.n; i++) {
        uint32_t nlink, k = 0;
        uint64_t names;
        if (first_name(&t, i, &nlink, &names)) {
            t.inodes++;
            if (!read_inode(j, s, &t.name[i], nlink, &o, &node[i], why, why_len))
                return false;
        } else {
            while (t.name[k].ino != t.name[i].ino)
                k++;
            node[i] = node[k];
        }
        *state += model_name_hash(t.name[i].path, &node[i], nlink, names, !j->untimed);
    }
    struct nova_stat root;
    struct nova_pool_info info;
    nova_inode_stat(s->root, &root);
    nova_pool_info(s->pool, &info);
    *used = o.used + root.log_pages + s->pool->itable.count;
    if (*used + info.blocks_free != info.blocks_data) {
        snprintf(why, why_len, "%llu blocks used by the logs + %llu free are not %llu", (unsigned long long)*used,
                 (unsigned long long)info.blocks_free, (unsigned long long)info.blocks_data);
        return false;
    }
    if (s->strays != 0) {
        snprintf(why, why_len, "%u names or attributes are removed that are not there", s->strays);
        return false;
    }
    if (info.inodes_used != t.inodes) {
        snprintf(why, why_len, "%llu inodes in use; with the root, names name %u", (unsigned long long)info.inodes_used,
                 t.inodes);
        return false;
    }
    return true;
}

/* ---- trying it out ---- */

static bool tried(struct verdict *v, const char *what, int rc, const struct store *s) {
    if (rc == NOVA_OK)
        return true;
    snprintf(v->why, sizeof v->why, "after recovery: %s: status %d: %s", what, rc, s->err.msg);
    return rc == NOVA_ENOSPC; /* a full pool is no fault */
}

/* The file's old bytes, and behind them zeros and then the appended ones. */
static bool shows(struct judge *j, struct store_file *f, uint64_t old, uint64_t zeros, const uint8_t *tail,
                  uint64_t tail_len, struct verdict *v) {
    uint64_t size = old + zeros + tail_len;
    const char *bad = NULL;
    if (f->size != size || store_read(f, 0, j->after, size + 1) != size)
        bad = "has another size";
    else if (memcmp(j->before, j->after, old) != 0)
        bad = "lost old bytes";
    else if (tail_len != 0 && memcmp(j->after + old + zeros, tail, tail_len) != 0)
        bad = "lost new bytes";
    for (uint64_t i = old; bad == NULL && i < old + zeros; i++)
        if (j->after[i] != 0)
            bad = "shows stale bytes behind its old end";
    if (bad != NULL)
        snprintf(v->why, sizeof v->why, "after recovery: a file of %llu bytes, grown by %llu zeros and %llu bytes, %s",
                 (unsigned long long)old, (unsigned long long)zeros, (unsigned long long)tail_len, bad);
    return bad == NULL;
}

static bool try_file(struct judge *j, struct store *s, const char *name, bool create, struct verdict *v) {
    static const uint8_t tail[100] = "appended after recovery";
    struct store_file f;
    int rc = store_file_open(s, name, create, &f);
    if (rc != NOVA_OK)
        return tried(v, "open", rc, s);
    uint64_t old = f.size;
    need_buffers(j, old + GROWTH + sizeof tail + 1);
    store_read(&f, 0, j->before, old);
    rc = store_truncate(&f, old + GROWTH);
    bool ok = tried(v, "truncate", rc, s);
    if (ok && rc == NOVA_OK) {
        ok = shows(j, &f, old, GROWTH, NULL, 0, v);
        rc = ok ? store_write(&f, old + GROWTH, tail, sizeof tail) : NOVA_OK;
        ok = ok && tried(v, "append", rc, s) && shows(j, &f, old, GROWTH, tail, rc == NOVA_OK ? sizeof tail : 0, v);
    }
    store_file_close(&f);
    return ok;
}

/* Calls on names, one after the other as long as they find what the last one made. */
static bool try_names(struct store *s, const char *file, struct verdict *v) {
    static const char dir[] = "dir-made-after-recovery", other[] = "dir-made-after-recovery/other",
                      made[] = "made-after-recovery";
    static const uint8_t bytes[PAGE + 1];
    struct nova_stat st;
    int rc = store_mkdir(s, dir, 0700);
    if (rc != NOVA_OK)
        return tried(v, "mkdir", rc, s);
    if (!tried(v, "setxattr", store_dir_setxattr(s, dir, "user.x", bytes, sizeof bytes), s))
        return false;
    if (file[0] != '\0') {
        rc = store_link(s, file, other);
        if (!tried(v, "link", rc, s))
            return false;
        if (rc == NOVA_OK && (store_stat(s, file, &st) != NOVA_OK || st.nlink < 2))
            return tried(v, "stat of what has two names", NOVA_EINVAL, s);
    }
    rc = store_rename(s, made, other); /* over one of several names, if that could be made */
    if (rc == NOVA_OK)
        rc = store_unlink(s, other);
    else if (rc == NOVA_ENOENT || rc == NOVA_ENOSPC)
        rc = store_unlink(s, other) == NOVA_OK ? NOVA_OK : NOVA_ENOSPC;
    return tried(v, "rename, unlink", rc, s) && tried(v, "rmdir", store_rmdir(s, dir), s);
}

static bool try_out(struct judge *j, struct store *s, struct verdict *v) {
    static struct tree t;
    uint32_t files[2], n = 0;
    if (!walk_tree(s, &t, v->why, sizeof v->why))
        return false;
    for (uint32_t i = 0; i < t.n && n < 2; i++)
        if (t.name[i].type == NOVA_FILE)
            files[n++] = i;
    for (uint32_t i = 0; i < n; i++)
        if (!try_file(j, s, t.name[files[i]].path, false, v))
            return false;
    uint64_t state, used;
    return try_file(j, s, "made-after-recovery", true, v) && try_names(s, n != 0 ? t.name[files[0]].path : "", v) &&
           judge_store(j, s, &state, &used, v->why, sizeof v->why);
}

/* ---- the verdict ---- */

/* Whether the report tells of nothing worse than a superblock. */
static bool only_superblocks(const char *report) {
    static const char error[] = "error\t", superblock[] = "error\tsuperblock\t";
    for (const char *line = report; line != NULL && *line != '\0';) {
        if (strncmp(line, error, sizeof error - 1) == 0 && strncmp(line, superblock, sizeof superblock - 1) != 0)
            return false;
        line = strchr(line, '\n');
        if (line != NULL)
            line++;
    }
    return true;
}

/* `used`: blocks that a store closed in order should hold; NULL: it was not closed, and may hold leftovers. */
static bool check(struct judge *j, const uint64_t *used, const char *when, struct verdict *v) {
    struct nova_fsck_summary sum;
    struct nova_error err;
    char report[4000];
    size_t needed;
    int rc = nova_fsck(j->path, report, sizeof report, &needed, &sum, &err);
    v->sound = rc == NOVA_OK && sum.errors + sum.warnings == 0;
    if (rc != NOVA_OK)
        snprintf(v->why, sizeof v->why, "fsck %s: status %d: %s", when, rc, err.msg);
    else if ((sum.errors != 0 &&
              !(j->superblocks && used == NULL && needed < sizeof report && only_superblocks(report))) ||
             (used != NULL && sum.warnings != 0))
        snprintf(v->why, sizeof v->why, "fsck %s: %.200s", when, report);
    else if (used != NULL && (sum.blocks_used != *used || sum.clean != 1))
        snprintf(v->why, sizeof v->why, "fsck %s: %llu instead of %llu blocks used, clean %u", when,
                 (unsigned long long)sum.blocks_used, (unsigned long long)*used, sum.clean);
    else
        return true;
    return false;
}

/* Reads the store that was just opened; it must be what it was. */
static bool same(struct judge *j, struct store *s, uint64_t state, uint64_t used, const char *when, struct verdict *v) {
    uint64_t state2, used2;
    char why[300];
    if (!judge_store(j, s, &state2, &used2, why, sizeof why)) {
        snprintf(v->why, sizeof v->why, "%s: %s", when, why);
        return false;
    }
    if (state2 == state && used2 == used)
        return true;
    snprintf(v->why, sizeof v->why, "%s: %s, %llu instead of %llu blocks used", when,
             state2 == state ? "same files" : "other files", (unsigned long long)used2, (unsigned long long)used);
    return false;
}

static bool repair(struct judge *j, struct verdict *v) {
    const struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED};
    struct nova_error err = {0};
    char report[1 << 12];
    size_t needed;
    int rc = nova_fsck_repair(j->path, &opt, report, sizeof report, &needed, NULL, &err);
    if (rc == NOVA_OK && needed < sizeof report)
        return check(j, NULL, "after repair", v);
    snprintf(v->why, sizeof v->why, "repair: status %d: %s", rc, err.msg);
    return false;
}

/* The second recovery wrote a new state and nothing else. */
static bool unchanged(const struct judge *j, uint64_t len, uint32_t state_blk, struct verdict *v) {
    uint64_t state = state_blk * PAGE, behind = state + PAGE;
    if (file_len(j) == len && memcmp(j->file, j->first, state) == 0 &&
        memcmp(j->file + behind, j->first + behind, len - behind) == 0)
        return true;
    snprintf(v->why, sizeof v->why, "second recovery: it changed more than the state");
    return false;
}

/* The state with the loose bytes as of after the call. */
static bool judge_other(struct judge *j, struct store *s, struct verdict *v) {
    const struct model *first = j->loose[0];
    uint64_t used;
    v->other = v->state;
    if (first == j->loose[1])
        return true;
    j->loose[0] = j->loose[1];
    bool ok = judge_store(j, s, &v->other, &used, v->why, sizeof v->why);
    j->loose[0] = first;
    return ok;
}

static bool judge_all(struct judge *j, struct verdict *v) {
    static struct store s;
    struct nova_pool_info info;
    uint64_t used;
    bool ok = j->repairs ? repair(j, v) : check(j, NULL, "before recovery", v) || j->damaged;
    if (!open_store(j, &s, v, "recovery")) {
        v->state = v->other = STATE_NO_POOL;
        return s.err.code == NOVA_ENOTPOOL;
    }
    nova_pool_info(s.pool, &info);
    v->recovered = info.recovered != 0;
    v->orphans = info.orphans;
    ok = ok && judge_store(j, &s, &v->state, &used, v->why, sizeof v->why) && judge_other(j, &s, v);
    abandon(&s);
    uint64_t len = file_len(j);
    memcpy(j->first, j->file, len);
    if (!ok || !open_store(j, &s, v, "second recovery"))
        return false;
    nova_pool_info(s.pool, &info);
    ok = unchanged(j, len, s.pool->media.state_blk, v) && same(j, &s, v->state, used, "second recovery", v);
    if (ok && (info.recovered != 1 || info.orphans != 0)) {
        snprintf(v->why, sizeof v->why, "second recovery: recovered %u, %llu orphans", info.recovered,
                 (unsigned long long)info.orphans);
        ok = false;
    }
    int rc = store_close(&s);
    if (ok && rc != NOVA_OK) {
        snprintf(v->why, sizeof v->why, "close after recovery: %s", s.err.msg);
        ok = false;
    }
    bool sound = v->sound;
    ok = ok && check(j, &used, "after close", v);
    v->sound = sound;
    if (!ok || !open_store(j, &s, v, "open after close"))
        return false;
    nova_pool_info(s.pool, &info);
    if (info.recovered != 0) {
        snprintf(v->why, sizeof v->why, "open after close: recovered again");
        ok = false;
    }
    ok = ok && same(j, &s, v->state, used, "open after close", v) && try_out(j, &s, v);
    abandon(&s);
    return ok;
}

void judge_image(struct judge *j, const uint8_t *image, uint64_t len, struct verdict *v) {
    *v = (struct verdict){0};
    judge_put(j, image, len);
    v->ok = judge_all(j, v);
}

/* ---- explaining ---- */

static void explain_xattrs(struct judge *j, struct store *s, const char *name, const struct model_node *node, char *out,
                           size_t cap) {
    static struct store_file file;
    nova_inode *inode;
    const struct attrs *attrs;
    bool dir = node->type == NOVA_DIR;
    uint32_t n = 0, len;
    out[0] = '\0';
    if ((dir ? store_dir_attrs(s, name, &inode, &attrs) : store_file_open(s, name, false, &file)) != NOVA_OK)
        return;
    if (!dir) {
        inode = file.inode;
        attrs = &file.attrs;
    }
    need_buffers(j, NOVA_XATTR_MAX);
    for (const struct model_xattr *x = node->xattr; x != NULL; x = x->next, n++) {
        const struct attr *is = attrs_get(attrs, x->name);
        bool same = is != NULL && is->value_len == x->len &&
                    nova_xattr_read(inode, is->log_blk, is->log_idx, j->before, NOVA_XATTR_MAX, &len, NULL) ==
                        NOVA_OK &&
                    (len == 0 || memcmp(j->before, x->value, len) == 0);
        if (!same)
            snprintf(out, cap, " attribute %.40s of %.40s is %s;", x->name, name, is == NULL ? "missing" : "another");
    }
    if (n != attrs->n)
        snprintf(out, cap, " %.40s has %u extended attributes instead of %u;", name, attrs->n, n);
    if (!dir)
        store_file_close(&file);
}

static void explain_name(struct judge *j, struct store *s, const struct model *m, const struct model_file *f, char *out,
                         size_t cap) {
    static struct store_file file;
    const struct model_node *node = f->node;
    struct nova_stat st;
    if (store_stat(s, f->name, &st) != NOVA_OK) {
        snprintf(out, cap, " %.40s is missing;", f->name);
    } else if (st.type != node->type || st.size != node->size) {
        snprintf(out, cap, " %.40s has type %u instead of %u, %llu instead of %llu bytes;", f->name, st.type,
                 node->type, (unsigned long long)st.size, (unsigned long long)node->size);
    } else if (st.mode != node->mode || st.uid != node->uid || st.gid != node->gid ||
               st.nlink != model_nlink(m, f->name) || time_set(st.atime) != node->atime ||
               (!j->untimed && (st.mtime != node->mtime || st.btime != node->btime))) {
        snprintf(out, cap,
                 " %.40s has other attributes: mode %o for %o, uid %u for %u, %u names for %u, mtime %lld for %lld,"
                 " btime %lld for %lld;",
                 f->name, st.mode, node->mode, st.uid, node->uid, st.nlink, model_nlink(m, f->name),
                 (long long)st.mtime, (long long)node->mtime, (long long)st.btime, (long long)node->btime);
    } else if (st.type != NOVA_DIR && store_file_open(s, f->name, false, &file) == NOVA_OK) {
        need_buffers(j, file.size);
        store_read(&file, 0, j->before, file.size);
        uint64_t at = 0;
        while (at < file.size && j->before[at] == node->bytes[at])
            at++;
        if (at < file.size)
            snprintf(out, cap, " %.40s differs at byte %llu of %llu: %02x instead of %02x;", f->name,
                     (unsigned long long)at, (unsigned long long)file.size, j->before[at], node->bytes[at]);
        store_file_close(&file);
    }
    if (out[0] == '\0')
        explain_xattrs(j, s, f->name, node, out, cap);
}

void judge_explain(struct judge *j, const uint8_t *image, uint64_t len, const struct model *m, char *out, size_t cap) {
    static struct store s;
    static struct tree t;
    struct verdict v;
    out[0] = '\0';
    judge_put(j, image, len);
    if (!open_store(j, &s, &v, "recovery")) {
        snprintf(out, cap, " %.200s", v.why);
        return;
    }
    for (uint32_t i = 0; i < m->n && strlen(out) + 1 < cap; i++)
        explain_name(j, &s, m, m->file[i], out + strlen(out), cap - strlen(out));
    if (m->root != NULL && strlen(out) + 1 < cap)
        explain_xattrs(j, &s, "", m->root, out + strlen(out), cap - strlen(out));
    bool walked = walk_tree(&s, &t, v.why, sizeof v.why);
    for (uint32_t i = 0; walked && i < t.n && strlen(out) + 1 < cap; i++)
        if (model_get(m, t.name[i].path) == NULL)
            snprintf(out + strlen(out), cap - strlen(out), " %.40s is there;", t.name[i].path);
    abandon(&s);
}
