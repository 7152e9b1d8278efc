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
    for (uint32_t a = 0; a < TRACE_ACTORS; a++)
        w->trace.state[a] = w->now[a]->hash;
    w->trace.damaged = w->damaged;
    w->trace.repairs = w->repairs;
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
    return w->recording ? recorder_begin(what, now(w)->hash, now(w)) : 0;
}

static void end(struct world *w, uint32_t op, const struct model *m) {
    w->now[recorder_actor()] = m;
    if (w->recording)
        recorder_end(op, m->hash, m);
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

static struct world_file *take_file(struct world *w) {
    for (uint32_t i = 0; i < MODEL_FILES; i++) {
        if (w->file[i].open)
            continue;
        w->file[i].gone[0] = '\0';
        return &w->file[i];
    }
    abort();
}

/* The open file of that name. Opening one writes nothing. */
static struct store_file *file(struct world *w, const char *name) {
    struct world_file *f = find_file(w, name);
    if (f == NULL) {
        f = take_file(w);
        must(w, "open", store_file_open(&w->s, name, false, &f->f));
        f->open = true;
    }
    return &f->f;
}

/* Bytes that tell where they belong, never 0 and never poison. */
static const uint8_t *fresh_bytes(struct world *w, uint64_t len) {
    static _Thread_local uint8_t buf[WRITE_MAX];
    uint64_t rng = ++w->salt[recorder_actor()] * 0x10001 + recorder_actor();
    if (len > sizeof buf)
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

void put(struct world *w, const char *name, uint64_t off, uint64_t len) {
    if (model_get(now(w), name) == NULL)
        make(w, name);
    struct store_file *f = file(w, name);
    const uint8_t *src = fresh_bytes(w, len);
    uint32_t op = begin(w, "put %.30s %llu+%llu", name, (unsigned long long)off, (unsigned long long)len);
    must(w, "put", store_write(f, off, src, len));
    end(w, op, model_write(arena(w), now(w), name, off, src, len));
}

void put_pieces(struct world *w, const char *name, uint64_t off, uint64_t len, uint64_t piece, bool backwards) {
    struct store_file *f = file(w, name);
    const uint8_t *src = fresh_bytes(w, len);
    uint32_t op = begin(w, "put %.30s %llu+%llu by %llu", name, (unsigned long long)off, (unsigned long long)len,
                        (unsigned long long)piece);
    must(w, "put by pieces", store_write_pieces(f, off, src, len, piece, backwards));
    end(w, op, model_write(arena(w), now(w), name, off, src, len));
}

void put_abort(struct world *w, const char *name, uint64_t off, uint64_t len, uint64_t filled) {
    struct store_file *f = file(w, name);
    uint32_t op = begin(w, "give up %.30s %llu+%llu", name, (unsigned long long)off, (unsigned long long)len);
    must(w, "give up", store_write_abort(f, off, fresh_bytes(w, len), len, filled));
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

void cut(struct world *w, const char *name, uint64_t size) {
    struct store_file *f = file(w, name);
    uint32_t op = begin(w, "cut %.30s %llu", name, (unsigned long long)size);
    must(w, "cut", store_truncate(f, size));
    end(w, op, model_truncate(arena(w), now(w), name, size));
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
    return entries_of(f) == entries ? m : model_setattr(arena(w), m, name, NOVA_ATTR_MTIME, 0, 0, 0, 0, INT64_MAX);
}

void punch(struct world *w, const char *name, uint64_t off, uint64_t len) {
    struct store_file *f = file(w, name);
    uint64_t entries = entries_of(f);
    uint32_t op = begin_range(w, "punch", name, off, len);
    must(w, "punch", store_punch(f, off, len));
    end(w, op, logged(w, f, entries, name, model_punch(arena(w), now(w), name, off, len)));
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
    must(w, "close", store_file_close(&f->f));
    f->open = false;
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
    must(w, "setattr", store_setattr(&w->s, path, mask, n & 07777, n * 3, n * 5, n * 7, n * 11));
    end(w, op, model_setattr(arena(w), now(w), path, mask, n & 07777, n * 3, n * 5, n * 7, n * 11));
}

static void close_files(struct world *w) {
    for (uint32_t i = 0; i < MODEL_FILES; i++) {
        if (w->file[i].open)
            must(w, "close", store_file_close(&w->file[i].f));
        w->file[i].open = false;
    }
}

void close_pool(struct world *w) {
    uint32_t op = begin(w, "close the pool");
    close_files(w);
    w->is_open = false;
    must(w, "close the pool", store_close(&w->s));
    if (w->recording)
        recorder_end_closed(op, now(w)->hash, now(w));
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

static void put_pool(struct world *w, const uint8_t *bytes, uint64_t len) {
    FILE *f = fopen(w->path, "wb");
    if (f == NULL || fwrite(bytes, 1, len, f) != len || fclose(f) != 0)
        abort();
}

void crash_in_call(struct world *w, uint32_t drains, uint32_t lines, bool after) {
    struct crash_cursor c;
    const struct trace *t = &w->trace;
    uint32_t op = t->ops_n - 1, seen = 0;
    record_end(w);
    crash_pool(w);
    crash_cursor_init(&c, t);
    while (c.at < t->n && !(t->ev[c.at].kind == TRACE_BEGIN && t->ev[c.at].op == op))
        crash_cursor_step(&c);
    while (c.at < t->n && !(seen == drains && t->ev[c.at].kind == TRACE_DRAIN)) {
        seen += t->ev[c.at].kind == TRACE_DRAIN;
        crash_cursor_step(&c);
    }
    for (uint32_t i = 0; i < lines && i < c.line_n; i++)
        crash_image_all(&c, i);
    put_pool(w, c.image, t->len);
    w->now[0] = after ? t->ops[op].model_after : t->ops[op].model_before;
    crash_cursor_free(&c);
    trace_free(&w->trace);
}

void downgrade(struct world *w) {
    const uint64_t at[] = {0, w->s.len - NOVA_BLOCK_SIZE};
    struct fmt_sb sb;
    FILE *f = fopen(w->path, "r+b");
    for (int i = 0; i < 2; i++) {
        if (f == NULL || fseek(f, (long)at[i], SEEK_SET) != 0 || fread(&sb, sizeof sb, 1, f) != 1)
            abort();
        sb.incompat &= ~(uint64_t)FMT_INCOMPAT_NAMESPACE;
        fmt_sb_seal(&sb);
        if (fseek(f, (long)at[i], SEEK_SET) != 0 || fwrite(&sb, sizeof sb, 1, f) != 1)
            abort();
    }
    fclose(f);
    w->damaged = true; /* while one superblock has the bit, the other one is another */
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

void damage(struct world *w, uint64_t off) {
    FILE *f = fopen(w->path, "r+b");
    int byte;
    w->damaged = true;
    if (f == NULL || fseek(f, (long)off, SEEK_SET) != 0 || (byte = fgetc(f)) == EOF ||
        fseek(f, (long)off, SEEK_SET) != 0 || fputc(byte ^ 0x10, f) == EOF || fclose(f) != 0)
        abort();
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
