/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/handles.h"
#include "crash_image.h"
#include "lazy.h"
#include "map/pin.h"
#include "report.h"
#include "thread_buffer.h"
#include "workload.h"

#define POISON 0xd5 /* no byte that a call writes is above 0x7f */
#define WRITE_MAX (1u << 20)

static void must(const struct world *w, const char *what, int rc) {
    if (rc == NOVA_OK)
        return;
    print_error("%s: status %d: %s\n", what, rc, w->s.err.msg);
    if (recorder_actor() != 0)
        abort();
    fail();
}

/* ---- worlds ---- */

static void poison(struct world *w) {
    struct nova_pool *pool = w->s.pool;
    for (uint32_t blk = pool->media.data_blk; blk < pool->media.data_end; blk++)
        if (!alloc_is_used(pool->alloc, blk))
            memset(pool->file.base + (size_t)blk * NOVA_BLOCK_SIZE, POISON, NOVA_BLOCK_SIZE);
}

void world_init(struct world *w, uint64_t size) {
    struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED};
    static uint64_t worlds;
    memset(w, 0, sizeof *w);
    w->lanes_turn = worlds++;
    recorder_install();
    snprintf(w->path, sizeof w->path, "%s", store_path("crash"));
    for (uint32_t a = 0; a < TRACE_ACTORS; a++)
        w->now[a] = model_empty(&w->arena[a]);
    must(w, "create", nova_pool_create(w->path, size, &opt, &w->s.err));
    open_pool(w);
    poison(w);
}

void world_free(struct world *w) {
    record_end(w);
    crash_pool(w);
    unlink(w->path);
    trace_free(&w->trace);
    for (uint32_t a = 0; a < TRACE_ACTORS; a++)
        model_arena_free(&w->arena[a]);
}

static uint64_t state_of(const struct world *w, const struct model *m) {
    return w->untimed ? m->untimed : m->hash;
}

void record(struct world *w) {
    FILE *f = fopen(w->path, "rb");
    if (f == NULL || fseek(f, 0, SEEK_END) != 0)
        abort();
    uint64_t len = (uint64_t)ftell(f);
    uint8_t *bytes = malloc(len);
    rewind(f);
    if (bytes == NULL || fread(bytes, 1, len, f) != len)
        abort();
    fclose(f);
    recorder_start(&w->trace, bytes, len);
    for (uint32_t a = 0; a < TRACE_ACTORS; a++) {
        w->start[a] = w->now[a];
        w->trace.state[a] = state_of(w, w->now[a]);
    }
    w->trace.loose = w->now[0]->loose != NULL ? w->now[0] : NULL;
    w->trace.superblocks = w->superblocks;
    w->trace.damaged = w->damaged;
    w->trace.repairs = w->repairs;
    w->trace.untimed = w->untimed;
    w->recording = true;
    free(bytes);
}

void record_end(struct world *w) {
    if (w->recording)
        recorder_stop();
    w->recording = false;
}

void record_create(struct trace *t, uint64_t size) {
    struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED};
    struct nova_error err;
    const char *path = store_path("crash-create");
    uint8_t *nothing = calloc(1, size);
    if (nothing == NULL)
        abort();
    recorder_install();
    recorder_start(t, nothing, size);
    t->state[0] = STATE_NO_POOL;
    t->damaged = true; /* between the superblocks fsck misses one; opening repairs it */
    uint32_t op = recorder_begin("create the pool", STATE_NO_POOL, NULL);
    int rc = nova_pool_create(path, size, &opt, &err);
    recorder_end_closed(op, 0, NULL);
    recorder_stop();
    unlink(path);
    free(nothing);
    assert_int_equal(rc, NOVA_OK);
}

/* ---- calls ---- */

static struct model_arena *arena(struct world *w) {
    return &w->arena[recorder_actor()];
}
static const struct model *now(const struct world *w) {
    return w->now[recorder_actor()];
}

static uint32_t begin(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static uint32_t begin(struct world *w, const char *format, ...) {
    char what[96];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return w->recording ? recorder_begin(what, state_of(w, now(w)), now(w)) : 0;
}

static struct world_file *find_file(struct world *w, const char *path) {
    struct dir_name d = {0};
    bool gone = path[0] == '/';
    if (!gone && store_lookup(&w->s, path, &d) != NOVA_OK)
        return NULL;
    for (uint32_t i = 0; i < MODEL_FILES; i++) {
        struct world_file *f = &w->file[i];
        if (f->open && (gone ? strcmp(f->gone, path) == 0 : f->f.inode->log.ino == d.ino && f->gone[0] == '\0'))
            return f;
    }
    return NULL;
}

/* Takes the times that the call has set into the state that it made. */
static const struct model *timed(struct world *w, const struct model *m) {
    const char *path;
    while (!w->untimed && w->is_open && (path = model_next_untimed(m)) != NULL) {
        const struct world_file *f = find_file(w, path);
        struct nova_stat st;
        int rc = NOVA_OK;
        if (f != NULL)
            nova_inode_stat(f->f.inode, &st);
        else
            rc = store_stat(&w->s, path, &st);
        must(w, "stat", rc);
        m = model_timed(arena(w), m, path, st.mtime, st.btime);
    }
    return m;
}

static void end(struct world *w, uint32_t op, const struct model *m) {
    m = timed(w, m);
    w->now[recorder_actor()] = m;
    if (w->recording)
        recorder_end(op, state_of(w, m), m);
}

static struct world_file *take_file(struct world *w) {
    for (uint32_t i = 0; i < MODEL_FILES; i++) {
        if (w->file[i].open)
            continue;
        w->file[i].gone[0] = '\0';
        memset(w->file[i].map, 0, sizeof w->file[i].map);
        w->file[i].pin.p = NULL;
        return &w->file[i];
    }
    abort();
}

/* The open file of that name. Opening one writes nothing. */
static struct world_file *open_named(struct world *w, const char *name) {
    struct world_file *f = find_file(w, name);
    if (f == NULL) {
        f = take_file(w);
        must(w, "open", store_file_open(&w->s, name, false, &f->f));
        f->open = true;
    }
    return f;
}

static struct store_file *file(struct world *w, const char *name) {
    return &open_named(w, name)->f;
}

static int close_one(struct world_file *f) {
    for (size_t i = 0; i < sizeof f->map / sizeof *f->map; i++)
        nova_region_free(f->map[i].r);
    memset(f->map, 0, sizeof f->map);
    store_unpin(&f->pin);
    f->open = false;
    return store_file_close(&f->f);
}

/* Bytes that tell where they belong, never 0 and never poison. */
static const uint8_t *fresh_bytes(struct world *w, uint64_t len) {
    uint8_t *buf = thread_buffer(BUFFER_FRESH, WRITE_MAX); /* an array would be part of every thread's stack */
    uint64_t rng = ++w->salt[recorder_actor()] * 0x10001 + recorder_actor();
    if (len > WRITE_MAX)
        abort();
    for (uint64_t i = 0; i < len; i += sizeof rng) {
        uint64_t v = (crash_random(&rng) & 0x7f7f7f7f7f7f7f7fu) | 0x0101010101010101u;
        memcpy(buf + i, &v, len - i < sizeof v ? len - i : sizeof v);
    }
    return buf;
}

void make(struct world *w, const char *name) {
    struct world_file *f = take_file(w);
    uint32_t op = begin(w, "make %.30s", name);
    must(w, "make", store_file_open(&w->s, name, true, &f->f));
    f->open = true;
    end(w, op, model_truncate(arena(w), now(w), name, 0));
}

/* ---- calls on mapped files ---- */

static bool goes_in_place(const struct world_file *f, uint64_t off, uint64_t len) {
    struct nova_region_stat st;
    if (f->pin.p != NULL) {
        const struct nova_inode *inode = f->f.inode;
        uint64_t first = page_of(off), end = page_of(off + len - 1) + 1, size = pages_of(inode->map->size);
        end = end < size ? end : size;
        if (first < end && file_map_is_pinned_locked(inode->map, first, end - first))
            return true;
    }
    if (f->map[0].r == NULL)
        return false;
    nova_region_stat(f->map[0].r, &st);
    return st.in_place != 0;
}

/* A call is about to write: bytes of pages that the file has are loose meanwhile, if it does so in place. src NULL:
 * zeros. */
static void begin_part(struct world *w, const struct world_file *f, const char *name, uint64_t off, uint64_t len,
                       const uint8_t *src, uint64_t part) {
    uint64_t size = size_of(w, name);
    if (off < size && part != 0 && goes_in_place(f, off, len))
        w->now[0] = model_write_loose(arena(w), now(w), name, off, src, off + part < size ? part : size - off);
}

static void begin_write(struct world *w, const struct world_file *f, const char *name, uint64_t off, uint64_t len,
                        const uint8_t *src) {
    begin_part(w, f, name, off, len, src, len);
}

/* It has written: what it made durable is no longer loose. */
static const struct model *written(struct world *w, const struct world_file *f, const char *name, uint64_t off,
                                   uint64_t len, const uint8_t *src) {
    const struct model *m = model_write(arena(w), now(w), name, off, src, len);
    uint64_t end = off + len;
    if (m->loose == NULL)
        return m;
    if (!goes_in_place(f, off, len)) { /* the rest of its pages was copied, but for one that was appended to */
        if (off < size_of(w, name))
            off -= off % NOVA_BLOCK_SIZE;
        end += (NOVA_BLOCK_SIZE - end % NOVA_BLOCK_SIZE) % NOVA_BLOCK_SIZE;
    }
    return model_settle(arena(w), m, name, off, end - off);
}

static void put_bytes(struct world *w, struct world_file *f, const char *name, uint64_t off, uint64_t len,
                      const uint8_t *src, const uint8_t *bytes) {
    begin_write(w, f, name, off, len, bytes);
    uint32_t op = begin(w, "put %.30s %llu+%llu", name, (unsigned long long)off, (unsigned long long)len);
    must(w, "put", store_write(&f->f, off, src, len));
    end(w, op, written(w, f, name, off, len, bytes));
}

void put(struct world *w, const char *name, uint64_t off, uint64_t len) {
    if (model_get(now(w), name) == NULL)
        make(w, name);
    const uint8_t *src = fresh_bytes(w, len);
    put_bytes(w, open_named(w, name), name, off, len, src, src);
}

/* From here on, and for what is recorded already. */
static void forget_times(struct world *w) {
    struct trace *t = &w->trace;
    w->untimed = t->untimed = true;
    for (uint32_t a = 0; w->recording && a < TRACE_ACTORS; a++)
        t->state[a] = w->start[a]->untimed;
    for (uint32_t i = 0; w->recording && i < t->ops_n; i++) {
        t->ops[i].before = t->ops[i].model_before->untimed;
        t->ops[i].after = t->ops[i].model_after->untimed;
    }
}

static void say_no_lazy(void) {
    static bool said;
    if (!said)
        report_line("crash: all regions are eager, this process may not use userfaultfd");
    said = true;
}

void map_file(struct world *w, const char *name, uint64_t off, uint64_t len, uint32_t flags) {
    struct world_file *f = open_named(w, name);
    struct store_region *r = &f->map[f->map[0].r != NULL];
    if (r->r != NULL)
        return; /* twice is enough */
    forget_times(w);
    uint32_t op = begin(w, "map %.30s", name);
    must(w, "map", store_map(&f->f, off, len, flags, r));
    assert_int_equal(r->lazy, (flags & NOVA_MAP_EAGER) == 0 && lazy_possible());
    if (!r->lazy && (flags & NOVA_MAP_EAGER) == 0)
        say_no_lazy();
    end(w, op, now(w));
}

void unmap_file(struct world *w, const char *name) {
    struct world_file *f = open_named(w, name);
    uint32_t op = begin(w, "unmap %.30s", name);
    for (size_t i = 0; i < sizeof f->map / sizeof *f->map; i++)
        nova_region_free(f->map[i].r);
    memset(f->map, 0, sizeof f->map);
    end(w, op, now(w));
}

void set_in_place(struct world *w, const char *name, bool on) {
    must(w, "set in place", nova_set_in_place(file(w, name)->inode, on));
}

/* The first region that has the bytes. */
static struct store_region *region_of(struct world *w, const char *name, uint64_t off, uint64_t len) {
    struct world_file *f = open_named(w, name);
    for (size_t i = 0; i < sizeof f->map / sizeof *f->map; i++)
        if (f->map[i].r != NULL && off >= f->map[i].off && off + len <= f->map[i].off + f->map[i].len)
            return &f->map[i];
    abort();
}

void store_bytes(struct world *w, const char *name, uint64_t off, uint64_t len) {
    struct store_region *r = region_of(w, name, off, len);
    struct nova_inode *inode = file(w, name)->inode;
    const uint8_t *src = fresh_bytes(w, len);
    w->now[0] = model_write_loose(arena(w), now(w), name, off, src, len);
    uint32_t op = begin(w, "store %.30s %llu+%llu", name, (unsigned long long)off, (unsigned long long)len);
    for (uint64_t at = 0, n; at < len; at += n) { /* page by page: all that happens behind a store is recorded */
        n = NOVA_BLOCK_SIZE - (off + at) % NOVA_BLOCK_SIZE;
        n = n < len - at ? n : len - at;
        memcpy(r->addr + (off - r->off) + at, src + at, n);
        log_lock_guest(inode);
        uint32_t blk = file_map_block(inode->map, (off + at) / NOVA_BLOCK_SIZE);
        log_unlock_guest(inode);
        if (w->recording)
            recorder_stored(media_blk(&w->s.pool->media, blk) + (off + at) % NOVA_BLOCK_SIZE, n);
    }
    end(w, op, now(w));
}

void load_byte(struct world *w, const char *name, uint64_t off) {
    const struct model_node *node = model_get(now(w), name)->node;
    struct world_file *f = open_named(w, name);
    for (size_t i = 0; i < sizeof f->map / sizeof *f->map; i++) {
        const struct store_region *r = &f->map[i];
        if (r->r == NULL || off < r->off || off >= r->off + r->len || off >= node->size)
            continue;
        uint8_t byte = *(volatile uint8_t *)(r->addr + (off - r->off));
        if (byte != node->bytes[off])
            fail_msg("region %zu of %s shows %02x at byte %llu instead of %02x", i, name, byte, (unsigned long long)off,
                     node->bytes[off]);
    }
}

void load_all(struct world *w, const char *name) {
    for (uint64_t off = 0; off < size_of(w, name); off++)
        load_byte(w, name, off);
}

void force(struct world *w, const char *name, uint64_t off, uint64_t len) {
    struct store_region *r = region_of(w, name, off, len);
    uint32_t op = begin(w, "force %.30s %llu+%llu", name, (unsigned long long)off, (unsigned long long)len);
    must(w, "force", store_force(file(w, name), r, off - r->off, len));
    end(w, op, model_settle(arena(w), now(w), name, off, len));
}

void populate_bytes(struct world *w, const char *name, uint64_t off, uint64_t len, bool allocate) {
    struct store_region *r = region_of(w, name, off, len);
    uint32_t op = begin(w, "populate %.30s %llu+%llu", name, (unsigned long long)off, (unsigned long long)len);
    must(w, "populate", store_populate(file(w, name), r, off - r->off, len, allocate));
    end(w, op, now(w));
}

bool put_mapped_fits(struct world *w, const char *name, uint64_t off, uint64_t len, uint64_t src) {
    bool apart = off + len <= src || src + len <= off;
    return apart || !goes_in_place(open_named(w, name), off, len);
}

/* ---- calls on pinned pages ---- */

bool pin_file(struct world *w, const char *name, uint64_t off, uint64_t len) {
    struct world_file *f = open_named(w, name);
    store_unpin(&f->pin);
    forget_times(w); /* of writes in place */
    uint32_t op = begin(w, "pin %.30s %llu+%llu", name, (unsigned long long)off, (unsigned long long)len);
    int rc = store_pin(&f->f, off, len, &f->pin);
    if (rc != NOVA_ENOSPC && rc != NOVA_EBUSY)
        must(w, "pin", rc);
    end(w, op, now(w));
    return rc == NOVA_OK;
}

void unpin_file(struct world *w, const char *name) {
    uint32_t op = begin(w, "unpin %.30s", name);
    store_unpin(&open_named(w, name)->pin);
    end(w, op, now(w));
}

static uint8_t *pinned_bytes(struct world *w, const struct store_pin *pin) {
    return w->s.pool->media.base + pin->pool_off;
}

void store_pinned(struct world *w, const char *name, uint64_t off, uint64_t len) {
    const struct store_pin *pin = &open_named(w, name)->pin;
    const uint8_t *src = fresh_bytes(w, len);
    w->now[0] = model_write_loose(arena(w), now(w), name, off, src, len);
    uint32_t op = begin(w, "store pinned %.30s %llu+%llu", name, (unsigned long long)off, (unsigned long long)len);
    memcpy(pin->addr + (off - pin->off), src, len);
    if (w->recording)
        recorder_stored(pinned_bytes(w, pin) + (off - pin->off), len);
    end(w, op, now(w));
}

void load_pinned(struct world *w, const char *name) {
    const struct store_pin *pin = &open_named(w, name)->pin;
    const struct model_node *node = model_get(now(w), name)->node;
    for (uint64_t off = pin->off; off < pin->off + pin->len && off < node->size; off++)
        if (pin->addr[off - pin->off] != node->bytes[off])
            fail_msg("pinned byte %llu of %s is %02x instead of %02x", (unsigned long long)off, name,
                     pin->addr[off - pin->off], node->bytes[off]);
}

void force_pinned(struct world *w, const char *name) {
    struct world_file *f = open_named(w, name);
    uint32_t op = begin(w, "force pinned %.30s", name);
    must(w, "force", nova_pin_force(f->f.inode, f->pin.p, &w->s.err));
    end(w, op, model_settle(arena(w), now(w), name, f->pin.off, f->pin.len));
}

void put_mapped(struct world *w, const char *name, uint64_t off, uint64_t len, uint64_t src) {
    struct store_region *r = region_of(w, name, src, len);
    put_bytes(w, open_named(w, name), name, off, len, r->addr + (src - r->off),
              model_get(now(w), name)->node->bytes + src);
}

void put_pieces(struct world *w, const char *name, uint64_t off, uint64_t len, uint64_t piece, bool backwards) {
    struct world_file *f = open_named(w, name);
    const uint8_t *src = fresh_bytes(w, len);
    begin_write(w, f, name, off, len, src);
    uint32_t op = begin(w, "put %.30s %llu+%llu by %llu", name, (unsigned long long)off, (unsigned long long)len,
                        (unsigned long long)piece);
    must(w, "put by pieces", store_write_pieces(&f->f, off, src, len, piece, backwards));
    end(w, op, written(w, f, name, off, len, src));
}

void put_abort(struct world *w, const char *name, uint64_t off, uint64_t len, uint64_t filled) {
    struct world_file *f = open_named(w, name);
    const uint8_t *src = fresh_bytes(w, len);
    begin_part(w, f, name, off, len, src, filled); /* in place, they stay */
    uint32_t op = begin(w, "give up %.30s %llu+%llu", name, (unsigned long long)off, (unsigned long long)len);
    must(w, "give up", store_write_abort(&f->f, off, src, len, filled));
    end(w, op, now(w));
}

void put_fails(struct world *w, const char *name, uint64_t off, uint64_t len) {
    struct store_file *f = file(w, name);
    const uint8_t *src = fresh_bytes(w, len);
    uint32_t op = begin(w, "refuse %.30s %llu+%llu", name, (unsigned long long)off, (unsigned long long)len);
    if (store_write(f, off, src, len) != NOVA_ENOSPC)
        must(w, "a write that does not fit", NOVA_EINVAL);
    end(w, op, now(w));
}

void copy_range(struct world *w, const char *from, uint64_t off, const char *to, uint64_t to_off, uint64_t len) {
    struct world_file *source = open_named(w, from), *f = open_named(w, to);
    const uint8_t *bytes = model_get(now(w), from)->node->bytes + off;
    uint32_t op = begin(w, "copy %.30s %llu+%llu to %.30s", from, (unsigned long long)off, (unsigned long long)len, to);
    must(w, "copy", store_copy(&source->f, off, &f->f, to_off, len));
    end(w, op, written(w, f, to, to_off, len, bytes));
}

void cut(struct world *w, const char *name, uint64_t size) {
    struct store_file *f = file(w, name);
    uint32_t op = begin(w, "cut %.30s %llu", name, (unsigned long long)size);
    must(w, "cut", store_truncate(f, size));
    end(w, op, model_settle(arena(w), model_truncate(arena(w), now(w), name, size), name, size, UINT64_MAX));
}

static uint32_t begin_range(struct world *w, const char *what, const char *name, uint64_t off, uint64_t len) {
    return begin(w, "%s %.30s %llu+%llu", what, name, (unsigned long long)off, (unsigned long long)len);
}

static uint64_t entries_of(const struct store_file *f) {
    struct nova_stat st;
    nova_inode_stat(f->inode, &st);
    return st.entries;
}

/* Where the model does not say whether there was something to do: the file's time is another if so. */
static const struct model *logged(struct world *w, const struct store_file *f, uint64_t entries, const char *name,
                                  const struct model *m) {
    return entries_of(f) == entries ? m : model_setattr(arena(w), m, name, NOVA_ATTR_MTIME, 0, 0, 0, 0, INT64_MAX, 0);
}

/* In place, the bytes of pages that a hole covers in part are zeroed there. */
static void begin_edges(struct world *w, const struct world_file *f, const char *name, uint64_t off, uint64_t end) {
    uint64_t head = off + (NOVA_BLOCK_SIZE - off % NOVA_BLOCK_SIZE) % NOVA_BLOCK_SIZE;
    uint64_t tail = end - end % NOVA_BLOCK_SIZE, size = size_of(w, name);
    if (!goes_in_place(f, off, 1) && !goes_in_place(f, end - 1, 1)) /* both edges do, or none */
        return;
    uint64_t stop = end < head ? end : head;
    if (head != off && off < size)
        w->now[0] = model_write_loose(arena(w), now(w), name, off, NULL, (stop < size ? stop : size) - off);
    if (tail >= head && tail != end && end < size)
        w->now[0] = model_write_loose(arena(w), now(w), name, tail, NULL, end - tail);
}

void punch(struct world *w, const char *name, uint64_t off, uint64_t len) {
    struct world_file *f = open_named(w, name);
    uint64_t entries = entries_of(&f->f);
    begin_edges(w, f, name, off, off + len);
    uint32_t op = begin_range(w, "punch", name, off, len);
    must(w, "punch", store_punch(&f->f, off, len));
    const struct model *m = logged(w, &f->f, entries, name, model_punch(arena(w), now(w), name, off, len));
    end(w, op, model_settle(arena(w), m, name, off, len));
}

void collapse(struct world *w, const char *name, uint64_t off, uint64_t len) {
    struct store_file *f = file(w, name);
    uint32_t op = begin_range(w, "collapse", name, off, len);
    must(w, "collapse", store_collapse(f, off, len));
    end(w, op, model_collapse(arena(w), now(w), name, off, len));
}

void insert(struct world *w, const char *name, uint64_t off, uint64_t len) {
    struct store_file *f = file(w, name);
    uint32_t op = begin_range(w, "insert", name, off, len);
    must(w, "insert", store_insert(f, off, len));
    end(w, op, model_insert(arena(w), now(w), name, off, len));
}

void allocate(struct world *w, const char *name, uint64_t off, uint64_t len, bool keep_size) {
    struct store_file *f = file(w, name);
    uint64_t size = size_of(w, name), entries = entries_of(f);
    uint32_t op = begin_range(w, keep_size ? "allocate, keep size," : "allocate", name, off, len);
    must(w, "allocate", store_allocate(f, off, len, keep_size));
    size = keep_size || off + len < size ? size : off + len;
    end(w, op, logged(w, f, entries, name, model_truncate(arena(w), now(w), name, size)));
}

static bool is_dir(const struct world *w, const char *path) {
    return path[0] == '\0' || model_get(now(w), path)->node->type == NOVA_DIR;
}

static struct store_log log_of(struct world *w, const char *path) {
    return is_dir(w, path) ? store_log_of_dir(&w->s, path) : store_log_of(file(w, path));
}

void clean_log(struct world *w, const char *path, uint32_t pages) {
    struct store_log l = log_of(w, path);
    uint32_t freed;
    uint32_t op = begin(w, "clean %.30s, %u pages", path, pages);
    must(w, "clean", store_clean(&l, pages, &freed));
    end(w, op, now(w));
}

uint32_t gather_log(struct world *w, const char *path) {
    struct store_log l = log_of(w, path);
    uint32_t gathered;
    uint32_t op = begin(w, "gather what counts of %.30s", path);
    must(w, "gather", store_gather(&l, &gathered));
    end(w, op, now(w));
    return gathered;
}

void cut_dead(struct world *w, const char *path) {
    struct store_log l = log_of(w, path);
    uint32_t freed;
    uint32_t op = begin(w, "cut dead pages of %.30s", path);
    must(w, "cut", store_cut_dead(&l, &freed));
    end(w, op, now(w));
}

void restart_log(struct world *w, const char *path) {
    struct store_log l = log_of(w, path);
    bool fits;
    uint32_t op = begin(w, "restart %.30s", path);
    must(w, "restart", store_restart(&l, &fits));
    end(w, op, now(w));
}

void set_xattr(struct world *w, const char *path, const char *name, uint32_t len) {
    bool dir = is_dir(w, path);
    struct store_file *f = dir ? NULL : file(w, path);
    const uint8_t *src = fresh_bytes(w, len);
    uint32_t op = begin(w, "set %.30s of %.30s, %u bytes", name, path, len);
    must(w, "set xattr", dir ? store_dir_setxattr(&w->s, path, name, src, len) : store_setxattr(f, name, src, len));
    end(w, op, model_set_xattr(arena(w), now(w), path, name, src, len));
}

void remove_xattr(struct world *w, const char *path, const char *name) {
    bool dir = is_dir(w, path);
    struct store_file *f = dir ? NULL : file(w, path);
    uint32_t op = begin(w, "remove %.30s of %.30s", name, path);
    must(w, "remove xattr", dir ? store_dir_removexattr(&w->s, path, name) : store_removexattr(f, name));
    end(w, op, model_set_xattr(arena(w), now(w), path, name, NULL, 0));
}

void close_file(struct world *w, const char *name) {
    struct world_file *f = find_file(w, name);
    if (f == NULL)
        return;
    uint32_t op = begin(w, "close %.30s", name);
    must(w, "close", close_one(f));
    end(w, op, now(w));
}

void drop(struct world *w, const char *name) {
    close_file(w, name);
    uint32_t op = begin(w, "drop %.30s", name);
    must(w, "drop", store_unlink(&w->s, name));
    end(w, op, model_remove(arena(w), now(w), name));
}

static void gone_name(char out[MODEL_PATH], const char *name) {
    snprintf(out, MODEL_PATH, "/%.590s", name);
}

/* What is open without a name is kept under a name that no file can have. */
static void orphan(struct world_file *f, const char *name) {
    if (f != NULL)
        gone_name(f->gone, name);
}

/* The open file that will have lost its last name when this one is gone. */
static struct world_file *loser(struct world *w, const char *name) {
    return model_nlink(now(w), name) == 1 ? find_file(w, name) : NULL;
}

void drop_open(struct world *w, const char *name) {
    (void)file(w, name);
    struct world_file *f = loser(w, name);
    uint32_t op = begin(w, "drop open %.30s", name);
    must(w, "drop", store_unlink(&w->s, name));
    orphan(f, name);
    end(w, op, model_remove(arena(w), now(w), name));
}

void drop_close(struct world *w, const char *name) {
    char gone[MODEL_PATH];
    gone_name(gone, name);
    close_file(w, gone);
}

void move(struct world *w, const char *from, const char *to) {
    struct world_file *f = loser(w, to);
    uint32_t op = begin(w, "move %.30s %.30s", from, to);
    must(w, "move", store_rename(&w->s, from, to));
    orphan(f, to);
    end(w, op, model_rename(arena(w), now(w), from, to));
}

void make_dir(struct world *w, const char *path) {
    uint32_t op = begin(w, "make dir %.30s", path);
    must(w, "mkdir", store_mkdir(&w->s, path, 0755));
    end(w, op, model_mkdir(arena(w), now(w), path, 0755));
}

void drop_dir(struct world *w, const char *path) {
    uint32_t op = begin(w, "drop dir %.30s", path);
    must(w, "rmdir", store_rmdir(&w->s, path));
    end(w, op, model_remove(arena(w), now(w), path));
}

void make_symlink(struct world *w, const char *path, uint32_t target_len) {
    const uint8_t *target = fresh_bytes(w, target_len);
    uint32_t op = begin(w, "symlink %.30s %u", path, target_len);
    must(w, "symlink", store_symlink(&w->s, target, target_len, path));
    end(w, op, model_symlink(arena(w), now(w), path, target, target_len));
}

void add_link(struct world *w, const char *old, const char *path) {
    uint32_t op = begin(w, "link %.30s %.30s", old, path);
    must(w, "link", store_link(&w->s, old, path));
    end(w, op, model_link(arena(w), now(w), old, path));
}

void exchange(struct world *w, const char *a, const char *b) {
    uint32_t op = begin(w, "exchange %.30s %.30s", a, b);
    must(w, "exchange", store_exchange(&w->s, a, b));
    end(w, op, model_exchange(arena(w), now(w), a, b));
}

void set_attr(struct world *w, const char *path, uint32_t mask) {
    uint32_t n = (uint32_t)++w->salt[recorder_actor()];
    uint32_t op = begin(w, "set attributes %#x of %.30s", mask, path);
    must(w, "setattr", store_setattr(&w->s, path, mask, n & 07777, n * 3, n * 5, n * 7, n * 11, n * 13));
    end(w, op, model_setattr(arena(w), now(w), path, mask, n & 07777, n * 3, n * 5, n * 7, n * 11, n * 13));
}

static void close_files(struct world *w) {
    for (uint32_t i = 0; i < MODEL_FILES; i++) {
        if (w->file[i].open)
            must(w, "close", close_one(&w->file[i]));
    }
}

void close_pool(struct world *w) {
    uint32_t op = begin(w, "close the pool");
    close_files(w);
    w->is_open = false;
    must(w, "close the pool", store_close(&w->s));
    if (w->recording)
        recorder_end_closed(op, state_of(w, now(w)), now(w));
}

void open_pool(struct world *w) {
    uint32_t op = begin(w, "open the pool");
    const struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED, .lanes = store_lanes(w->lanes_turn++)};
    must(w, "open the pool", store_open_with(&w->s, w->path, &opt));
    w->is_open = true;
    end(w, op, now(w));
}

void crash_pool(struct world *w) {
    if (!w->is_open)
        return;
    char copy[128];
    snprintf(copy, sizeof copy, "%s", store_path("crash-copy"));
    store_copy_file(w->path, copy);
    close_files(w);
    store_close(&w->s);
    w->is_open = false;
    if (rename(copy, w->path) != 0)
        abort();
}

void repair_pool(struct world *w) {
    const struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED};
    char report[1 << 12];
    size_t needed;
    uint32_t op = begin(w, "repair the pool");
    must(w, "repair", nova_fsck_repair(w->path, &opt, report, sizeof report, &needed, NULL, &w->s.err));
    if (needed >= sizeof report)
        abort();
    end(w, op, now(w));
}

void resize_pool(struct world *w, uint64_t size) {
    const struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED, .lanes = store_lanes(w->lanes_turn++)};
    uint32_t op = begin(w, "make the pool larger, %llu bytes", (unsigned long long)size);
    must(w, "resize", nova_pool_resize(w->path, size, &opt, &w->s.err));
    if (w->recording)
        recorder_end_closed(op, state_of(w, now(w)), now(w));
}

uint64_t size_of(const struct world *w, const char *name) {
    const struct model_file *f = model_get(now(w), name);
    return f == NULL ? 0 : f->node->size;
}

void fragment(struct world *w, uint32_t blocks) {
    for (uint64_t i = 0; i < blocks; i++) {
        put(w, "wall", i * NOVA_BLOCK_SIZE, NOVA_BLOCK_SIZE);
        put(w, "gaps", i * NOVA_BLOCK_SIZE, NOVA_BLOCK_SIZE);
    }
    drop(w, "gaps");
    struct nova_pool_info info;
    while (nova_pool_info(w->s.pool, &info), info.longest_free > 1)
        put(w, "wall", size_of(w, "wall"), info.longest_free * NOVA_BLOCK_SIZE);
}

/* ---- running ---- */

void explore_world(struct world *w, const char *name, size_t from, const struct explore_limits *limits,
                   struct explore_stats *st) {
    static char failure[2000];
    if (!explore(&w->trace, from, limits, st, failure, sizeof failure))
        fail_msg("%s (NOVA_SEED=%llu): %s", name, (unsigned long long)limits->seed, failure);
}

static void explore_row(const struct workload *row, const struct explore_limits *limits, struct explore_stats *st) {
    static struct world w;
    world_init(&w, row->pool != 0 ? row->pool : (uint64_t)NOVA_POOL_SIZE_MIN);
    row->run(&w, row);
    record_end(&w);
    explore_world(&w, row->name, 0, limits, st);
    world_free(&w);
}

void explore_rows(const struct workload *row, size_t n, const struct explore_limits *limits, struct explore_stats *st) {
    const char *only = getenv("NOVA_ONLY");
    for (size_t i = limits->seed % limits->stride; i < n; i += limits->stride)
        if (only == NULL || strstr(row[i].name, only) != NULL)
            explore_row(&row[i], limits, st);
}

void explore_calls(const char *title, const struct workload *row, size_t n) {
    struct explore_limits limits = explore_limits_default();
    struct explore_stats st = {0};
    printf("NOVA_SEED=%llu\n", (unsigned long long)limits.seed);
    explore_rows(row, n, &limits, &st);
    explore_stats_print(title, &st);
}
