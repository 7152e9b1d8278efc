/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "recorder.h"

#include "thread_buffer.h"
#include "util/crc32c.h"

static struct {
    pthread_mutex_t lock; /* one order of all stores, on the mapping as in the trace */
    struct trace *to;     /* NULL: nothing is taken down */
    uint8_t *base;        /* of the pool mapped last */
    uint64_t len;
} rec = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local uint8_t this_actor;

/* The core's own threads are known by their name. */
#define FAULT_THREAD "nova-fault"
#define FAULT_THREADS 2u

static _Thread_local bool knows_actor;

static void find_actor_locked(void) {
    static uint8_t next = TRACE_ACTORS;
    char name[16];
    knows_actor = true;
    if (pthread_getname_np(pthread_self(), name, sizeof name) == 0 && strcmp(name, FAULT_THREAD) == 0) {
        this_actor = --next;
        if (next < TRACE_ACTORS - FAULT_THREADS)
            abort();
    }
}

void recorder_set_actor(uint8_t actor) {
    this_actor = actor;
}
uint8_t recorder_actor(void) {
    return this_actor;
}

static void *grow(void *p, size_t need, size_t *cap, size_t size) {
    if (need <= *cap)
        return p;
    while (*cap < need)
        *cap = *cap == 0 ? 256 : *cap * 2;
    p = realloc(p, *cap * size);
    if (p == NULL)
        abort();
    return p;
}

static struct trace_event *push_locked(enum trace_kind kind) {
    struct trace *t = rec.to;
    if (!knows_actor)
        find_actor_locked();
    t->ev = grow(t->ev, t->n + 1, &t->cap, sizeof *t->ev);
    struct trace_event *e = &t->ev[t->n++];
    *e = (struct trace_event){.kind = (uint8_t)kind, .actor = this_actor, .mask = 0xff};
    return e;
}

static void take_down_locked(enum trace_kind kind, const void *addr, size_t len, uint64_t data) {
    if (rec.to == NULL)
        return;
    uint64_t off = (uint64_t)((const uint8_t *)addr - rec.base);
    if (off >= rec.len || len > rec.len - off) /* a store beside the pool */
        abort();
    struct trace_event *e = push_locked(kind);
    e->off = off;
    e->len = len;
    e->data = data;
}

/* ---- the ops ---- */

static void rec_store8(const struct pmem_ops *ops, void *dst, uint64_t val) {
    (void)ops;
    pthread_mutex_lock(&rec.lock);
    __atomic_store_n((uint64_t *)dst, val, __ATOMIC_RELEASE);
    take_down_locked(TRACE_STORE8, dst, sizeof val, val);
    pthread_mutex_unlock(&rec.lock);
}

static void take_down_copy_locked(const void *dst, size_t len) {
    struct trace *t = rec.to;
    t->bytes = grow(t->bytes, t->bytes_n + len, &t->bytes_cap, 1);
    memcpy(t->bytes + t->bytes_n, dst, len);
    take_down_locked(TRACE_COPY, dst, len, t->bytes_n);
    t->bytes_n += len;
}

/* The source may be a mapping whose page faults take this very lock: it is read before. */
static void rec_copy(const struct pmem_ops *ops, void *dst, const void *src, size_t len) {
    uint8_t *buf = thread_buffer(BUFFER_COPY, len);
    (void)ops;
    memcpy(buf, src, len);
    pthread_mutex_lock(&rec.lock);
    memcpy(dst, buf, len);
    if (rec.to != NULL)
        take_down_copy_locked(dst, len);
    pthread_mutex_unlock(&rec.lock);
}

static uint32_t rec_copy_crc(const struct pmem_ops *ops, void *dst, const void *src, size_t len, uint32_t crc) {
    rec_copy(ops, dst, src, len);
    return nova_crc32c(crc, dst, len);
}

void recorder_stored(const void *dst, size_t len) {
    pthread_mutex_lock(&rec.lock);
    if (rec.to != NULL) {
        take_down_copy_locked(dst, len);
        rec.to->ev[rec.to->n - 1].unflushed = rec.to->ev[rec.to->n - 1].foreign = true;
    }
    pthread_mutex_unlock(&rec.lock);
}

static void rec_zero(const struct pmem_ops *ops, void *dst, size_t len) {
    (void)ops;
    pthread_mutex_lock(&rec.lock);
    memset(dst, 0, len);
    take_down_locked(TRACE_ZERO, dst, len, 0);
    pthread_mutex_unlock(&rec.lock);
}

static void rec_flush(const struct pmem_ops *ops, const void *addr, size_t len) {
    (void)ops;
    pthread_mutex_lock(&rec.lock);
    take_down_locked(TRACE_FLUSH, addr, len, 0);
    pthread_mutex_unlock(&rec.lock);
}

static int rec_drain(const struct pmem_ops *ops) {
    (void)ops;
    pthread_mutex_lock(&rec.lock);
    if (rec.to != NULL)
        push_locked(TRACE_DRAIN);
    pthread_mutex_unlock(&rec.lock);
    if (rec.to != NULL)
        sched_yield(); /* so that several threads' calls interleave */
    return 0;
}

static void length_locked(struct trace *t, uint64_t len) {
    if (len > t->len) {
        t->start = realloc(t->start, len);
        if (t->start == NULL)
            abort();
        memset(t->start + t->len, 0, len - t->len);
        t->len = len;
    }
    t->last_len = len;
    push_locked(TRACE_LENGTH)->len = len;
}

static void put_under(struct pool_file *file) {
    file->ops = (struct pmem_ops){.store8 = rec_store8,
                                  .copy = rec_copy,
                                  .copy_crc = rec_copy_crc,
                                  .zero = rec_zero,
                                  .flush = rec_flush,
                                  .drain = rec_drain};
    pthread_mutex_lock(&rec.lock);
    rec.base = file->base;
    rec.len = file->len;
    if (rec.to != NULL && rec.to->last_len != file->len)
        length_locked(rec.to, file->len);
    pthread_mutex_unlock(&rec.lock);
}

void recorder_install(void) {
    pool_mapped_hook = put_under;
}

/* ---- traces ---- */

void recorder_start(struct trace *t, const uint8_t *start, uint64_t len) {
    *t = (struct trace){.start = malloc(len), .len = len, .file_len = len, .last_len = len};
    if (t->start == NULL)
        abort();
    memcpy(t->start, start, len);
    rec.to = t;
}

void recorder_stop(void) {
    rec.to = NULL;
}

void recorder_resume(struct trace *t) {
    rec.to = t;
}

static void *copy_of(const void *p, size_t bytes) {
    void *to = malloc(bytes + 1);
    if (to == NULL)
        abort();
    if (bytes != 0) /* else p may be NULL */
        memcpy(to, p, bytes);
    return to;
}

void trace_prefix(const struct trace *t, size_t n, struct trace *out) {
    *out = *t;
    out->n = out->cap = n;
    out->bytes_cap = t->bytes_n;
    out->ops_cap = t->ops_n;
    out->last_len = t->file_len;
    for (size_t i = 0; i < n; i++)
        if (t->ev[i].kind == TRACE_LENGTH)
            out->last_len = t->ev[i].len;
    out->start = copy_of(t->start, t->len);
    out->ev = copy_of(t->ev, n * sizeof *t->ev);
    out->bytes = copy_of(t->bytes, t->bytes_n);
    out->ops = copy_of(t->ops, t->ops_n * sizeof *t->ops);
}

uint32_t recorder_begin(const char *what, uint64_t before, const struct model *model) {
    if (rec.to == NULL)
        return 0;
    pthread_mutex_lock(&rec.lock);
    struct trace *t = rec.to;
    size_t cap = t->ops_cap;
    t->ops = grow(t->ops, t->ops_n + 1u, &cap, sizeof *t->ops);
    t->ops_cap = (uint32_t)cap;
    uint32_t op = t->ops_n++;
    t->ops[op] = (struct trace_op){.before = before, .model_before = model};
    snprintf(t->ops[op].what, sizeof t->ops[op].what, "%s", what);
    push_locked(TRACE_BEGIN)->op = op;
    pthread_mutex_unlock(&rec.lock);
    return op;
}

static void end(uint32_t op, uint64_t after, const struct model *model, bool closes) {
    if (rec.to == NULL)
        return;
    pthread_mutex_lock(&rec.lock);
    rec.to->ops[op].after = after;
    rec.to->ops[op].model_after = model;
    rec.to->ops[op].closes = closes;
    push_locked(TRACE_END)->op = op;
    pthread_mutex_unlock(&rec.lock);
}

void recorder_end(uint32_t op, uint64_t after, const struct model *model) {
    end(op, after, model, false);
}

void recorder_end_closed(uint32_t op, uint64_t after, const struct model *model) {
    end(op, after, model, true);
}

void trace_free(struct trace *t) {
    free(t->start);
    free(t->ev);
    free(t->bytes);
    free(t->ops);
    *t = (struct trace){0};
}

const char *trace_kind_name(enum trace_kind kind) {
    static const char *const names[] = {"store8", "copy", "zero", "flush", "drain", "begin", "end", "length"};
    return names[kind];
}
