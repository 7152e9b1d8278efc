/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "api/handles.h"
#include "judge.h"
#include "model.h"

#define PAGE ((uint64_t)NOVA_BLOCK_SIZE)
#define SIZE_SANE (64u << 20) /* bytes; no workload makes larger files */
#define GROWTH 5000u          /* bytes; more than a page, so that the old end's slack and a hole show */

void judge_init(struct judge *j, uint64_t len) {
    *j = (struct judge){.len = len};
    snprintf(j->path, sizeof j->path, "%s", store_path("crash-image"));
    int fd = open(j->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || posix_fallocate(fd, 0, (off_t)len) != 0)
        abort();
    j->file = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    j->first = malloc(len);
    if (j->file == MAP_FAILED || j->first == NULL)
        abort();
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

void judge_put(struct judge *j, const uint8_t *image) {
    for (uint64_t at = 0; at < j->len; at += PAGE)
        if (memcmp(j->file + at, image + at, PAGE) != 0)
            memcpy(j->file + at, image + at, PAGE);
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

static bool read_file(struct judge *j, struct store *s, const struct dir_name *d, struct owner *o, uint64_t *hash,
                      char *why, size_t why_len) {
    static struct store_file f;
    struct nova_stat st;
    char name[256];
    snprintf(name, sizeof name, "%.*s", d->name_len, d->name);
    if (store_file_open(s, name, false, &f) != NOVA_OK) {
        snprintf(why, why_len, "file %.40s: status %d: %s", name, s->err.code, s->err.msg);
        return false;
    }
    nova_inode_stat(f.inode, &st);
    o->used += st.log_pages;
    block_map_each(&f.map, own_block, o);
    bool ok = f.size == st.size && f.size < SIZE_SANE && o->bad == NULL;
    if (ok) {
        need_buffers(j, f.size);
        store_read(&f, 0, j->before, f.size);
        *hash = model_file_hash(name, d->name_len, j->before, f.size);
    } else {
        snprintf(why, why_len, "file %.40s of %llu bytes: %s", name, (unsigned long long)f.size,
                 o->bad != NULL ? o->bad : "its size makes no sense");
    }
    store_file_close(&f);
    return ok;
}

bool judge_store(struct judge *j, struct store *s, uint64_t *state, uint64_t *used, char *why, size_t why_len) {
    static struct owner o;
    memset(&o, 0, sizeof o);
    o.pool = s->pool;
    uint32_t it = 0;
    *state = 0;
    for (const struct dir_name *d; (d = dir_map_next(&s->names, &it)) != NULL;) {
        uint64_t hash;
        if (!read_file(j, s, d, &o, &hash, why, why_len))
            return false;
        *state += hash;
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
        snprintf(why, why_len, "%u names are removed that are not there", s->strays);
        return false;
    }
    if (info.inodes_used != s->names.live + 1u) {
        snprintf(why, why_len, "%llu inodes in use for %u names and the root", (unsigned long long)info.inodes_used,
                 s->names.live);
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

static bool try_out(struct judge *j, struct store *s, struct verdict *v) {
    char names[2][256] = {"", ""};
    uint32_t it = 0, n = 0;
    for (const struct dir_name *d; n < 2 && (d = dir_map_next(&s->names, &it)) != NULL; n++)
        snprintf(names[n], sizeof names[n], "%.*s", d->name_len, d->name);
    for (uint32_t i = 0; i < n; i++)
        if (!try_file(j, s, names[i], false, v))
            return false;
    uint64_t state, used;
    int rc;
    return try_file(j, s, "made-after-recovery", true, v) &&
           (rc = store_rename(s, "made-after-recovery", "renamed")) >= 0 &&
           (rc == NOVA_ENOENT || tried(v, "rename", rc, s)) &&
           (rc != NOVA_OK || tried(v, "unlink", store_unlink(s, "renamed"), s)) &&
           judge_store(j, s, &state, &used, v->why, sizeof v->why);
}

/* ---- the verdict ---- */

/* `used`: blocks that a store closed in order should hold; NULL: it was not closed, and may hold leftovers. */
static bool check(struct judge *j, const uint64_t *used, const char *when, struct verdict *v) {
    struct nova_fsck_summary sum;
    struct nova_error err;
    char report[200];
    size_t needed;
    int rc = nova_fsck(j->path, report, sizeof report, &needed, &sum, &err);
    v->sound = rc == NOVA_OK && sum.errors + sum.warnings == 0;
    if (rc != NOVA_OK)
        snprintf(v->why, sizeof v->why, "fsck %s: status %d: %s", when, rc, err.msg);
    else if (sum.errors != 0 || (used != NULL && sum.warnings != 0))
        snprintf(v->why, sizeof v->why, "fsck %s: %s", when, report);
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
static bool unchanged(const struct judge *j, uint32_t state_blk, struct verdict *v) {
    uint64_t state = state_blk * PAGE, behind = state + PAGE;
    if (memcmp(j->file, j->first, state) == 0 && memcmp(j->file + behind, j->first + behind, j->len - behind) == 0)
        return true;
    snprintf(v->why, sizeof v->why, "second recovery: it changed more than the state");
    return false;
}

static bool judge_all(struct judge *j, struct verdict *v) {
    static struct store s;
    struct nova_pool_info info;
    uint64_t used;
    bool ok = j->repairs ? repair(j, v) : check(j, NULL, "before recovery", v) || j->damaged;
    if (!open_store(j, &s, v, "recovery")) {
        v->state = STATE_NO_POOL;
        return s.err.code == NOVA_ENOTPOOL;
    }
    nova_pool_info(s.pool, &info);
    v->recovered = info.recovered != 0;
    v->orphans = info.orphans;
    ok = ok && judge_store(j, &s, &v->state, &used, v->why, sizeof v->why);
    abandon(&s);
    memcpy(j->first, j->file, j->len);
    if (!ok || !open_store(j, &s, v, "second recovery"))
        return false;
    nova_pool_info(s.pool, &info);
    ok = unchanged(j, s.pool->media.state_blk, v) && same(j, &s, v->state, used, "second recovery", v);
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

void judge_image(struct judge *j, const uint8_t *image, struct verdict *v) {
    *v = (struct verdict){0};
    judge_put(j, image);
    v->ok = judge_all(j, v);
}

/* ---- explaining ---- */

static void explain_file(struct judge *j, struct store *s, const struct model_file *m, char *out, size_t cap) {
    static struct store_file f;
    if (store_file_open(s, m->name, false, &f) != NOVA_OK) {
        snprintf(out, cap, " %.40s is missing;", m->name);
        return;
    }
    if (f.size != m->size) {
        snprintf(out, cap, " %.40s has %llu instead of %llu bytes;", m->name, (unsigned long long)f.size,
                 (unsigned long long)m->size);
    } else {
        need_buffers(j, f.size);
        store_read(&f, 0, j->before, f.size);
        uint64_t at = 0;
        while (at < f.size && j->before[at] == m->bytes[at])
            at++;
        if (at < f.size)
            snprintf(out, cap, " %.40s differs at byte %llu of %llu: %02x instead of %02x;", m->name,
                     (unsigned long long)at, (unsigned long long)f.size, j->before[at], m->bytes[at]);
    }
    store_file_close(&f);
}

void judge_explain(struct judge *j, const uint8_t *image, const struct model *m, char *out, size_t cap) {
    static struct store s;
    struct verdict v;
    out[0] = '\0';
    judge_put(j, image);
    if (!open_store(j, &s, &v, "recovery")) {
        snprintf(out, cap, " %.200s", v.why);
        return;
    }
    for (uint32_t i = 0; i < m->n && strlen(out) + 1 < cap; i++)
        explain_file(j, &s, m->file[i], out + strlen(out), cap - strlen(out));
    uint32_t it = 0;
    for (const struct dir_name *d; (d = dir_map_next(&s.names, &it)) != NULL && strlen(out) + 1 < cap;) {
        char name[256];
        snprintf(name, sizeof name, "%.*s", d->name_len, d->name);
        if (model_get(m, name) == NULL)
            snprintf(out + strlen(out), cap - strlen(out), " %.40s is there;", name);
    }
    abandon(&s);
}
