/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pmem_ops that applies every store to the mapping and, while a trace is being taken, writes down what happened: the
 * material from which crash_image.h builds what a crash could leave.
 */
#ifndef NOVA_TEST_SUPPORT_RECORDER_H
#define NOVA_TEST_SUPPORT_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_ACTORS 4u /* threads that may write into one trace */

enum trace_kind {
    TRACE_STORE8,
    TRACE_COPY,
    TRACE_ZERO,
    TRACE_FLUSH,
    TRACE_DRAIN,
    TRACE_BEGIN,
    TRACE_END,
    TRACE_LENGTH /* the pool's file has another length, durably: len bytes */
};

struct trace_event {
    uint8_t kind; /* trace_kind */
    uint8_t actor;
    bool unflushed; /* a COPY or ZERO that was left in the cache: by a mutant, or */
    bool foreign;   /* a COPY that is not the core's: a store through a mapping */
    uint8_t mask;   /* bytes of a STORE8 that are stored: all, but for a mutant */
    uint32_t op;    /* BEGIN and END: index into trace.ops */
    uint64_t off;   /* bytes from the pool's start */
    uint64_t len;
    uint64_t data; /* STORE8: the value; COPY: index into trace.bytes */
};

struct model;

/* What a call turns what into: the states are those of model.h, seen by one actor. */
struct trace_op {
    char what[96];
    uint64_t before, after;
    const struct model *model_before, *model_after; /* for messages, and what they say of loose bytes; or NULL */
    bool closes; /* once it has returned, the pool opens without recovery, until the next call begins */
};

struct trace {
    uint8_t *start;               /* the pool's bytes when recording began; all of it durable */
    uint64_t len;                 /* of start: the greatest that the file ever had */
    uint64_t file_len;            /* of the file when recording began; zeros follow in start */
    uint64_t last_len;            /* of the file by now */
    uint64_t state[TRACE_ACTORS]; /* at that time */
    const struct model *loose;    /* the state then, if it has loose bytes; or NULL */
    bool superblocks;             /* are written: one that is torn is an error to fsck, and no more */
    bool damaged;                 /* start is not what any crash leaves: a test damaged it */
    bool untimed;                 /* the states are model.untimed */
    bool repairs;                 /* whoever finds a crash image runs nova_fsck_repair() on it before opening */
    struct trace_event *ev;
    size_t n, cap;
    uint8_t *bytes;
    size_t bytes_n, bytes_cap;
    struct trace_op *ops;
    uint32_t ops_n, ops_cap;
};

void trace_free(struct trace *t);
const char *trace_kind_name(enum trace_kind kind);

/* From now on every pool that is created or opened writes through the recorder. One pool at a time while a trace is
 * taken. */
void recorder_install(void);

/*
 * Starts a trace whose first state is the len bytes at start. The pool may be open or not. Not beside stores of other
 * threads, nor is stop.
 */
void recorder_start(struct trace *t, const uint8_t *start, uint64_t len);
void recorder_stop(void);

/* The trace up to its event n, as one of its own; what the ops point to stays the first one's. */
void trace_prefix(const struct trace *t, size_t n, struct trace *out);
/* Goes on with a trace, of a pool whose bytes are what its stores have made of its start. */
void recorder_resume(struct trace *t);

/*
 * Takes down what was stored to the pool's mapping at dst, past the recorder: through another mapping of the same file.
 * The store is in the cache from now on, and nowhere else for certain. Nothing may have happened since.
 */
void recorder_stored(const void *dst, size_t len);

/* Which actor the calling thread is; 0 unless set. Threads that serve faults are the last two. */
void recorder_set_actor(uint8_t actor);
uint8_t recorder_actor(void);

/* Brackets a call. recorder_end() fills in what the call made of the state. */
uint32_t recorder_begin(const char *what, uint64_t before, const struct model *model);
void recorder_end(uint32_t op, uint64_t after, const struct model *model);
/* The same for a call that closes the pool. */
void recorder_end_closed(uint32_t op, uint64_t after, const struct model *model);

#endif
