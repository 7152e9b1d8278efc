/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workloads: calls on a store (store.h) that keep a model of what it should hold, and a trace from record() on. A
 * workload is a function over a world; its calls before record() set the scene, those after it are explored.
 */
#ifndef NOVA_TEST_SUPPORT_WORKLOAD_H
#define NOVA_TEST_SUPPORT_WORKLOAD_H

#include "explorer.h"
#include "model.h"
#include "recorder.h"
#include "store.h"

struct world_file {
    bool open;
    char gone[MODEL_PATH]; /* "/" and the last name of what has none any more; else empty */
    struct store_file f;
    struct store_region map[2]; /* r: NULL where there is none */
    struct store_pin pin;
};

struct world {
    struct store s;
    char path[128];
    bool is_open;
    bool recording, damaged;
    bool superblocks;    /* to be set before record(): trace.superblocks */
    bool untimed;        /* files have been mapped: trace.untimed */
    bool repairs;        /* to be set before record(): trace.repairs */
    uint64_t lanes_turn; /* another number of allocation lanes each time the pool is opened */
    struct trace trace;
    const struct model *now[TRACE_ACTORS];   /* what each actor's files should be */
    const struct model *start[TRACE_ACTORS]; /* the same when recording began */
    struct model_arena arena[TRACE_ACTORS];
    struct world_file file[MODEL_FILES];
    uint64_t salt[TRACE_ACTORS]; /* of the bytes written */
};

/*
 * A new pool of `size` bytes, open, all its free blocks filled with poison: bytes that no call writes, so that none of
 * them may ever be read.
 */
void world_init(struct world *w, uint64_t size);
void world_free(struct world *w);

/* From here on calls are recorded. The pool may be closed. */
void record(struct world *w);
void record_end(struct world *w);

/* The trace of creating a pool of `size` bytes, with the state of a new one in the end. */
void record_create(struct trace *t, uint64_t size);

/* Each call does it to the store and to the model of the calling thread's actor; a status that is not OK ends the test.
 */
void make(struct world *w, const char *name);
void put(struct world *w, const char *name, uint64_t off, uint64_t len); /* writes; makes the file if it is not there */
void put_pieces(struct world *w, const char *name, uint64_t off, uint64_t len, uint64_t piece, bool backwards);
/* Writes that change nothing: begun, filled with the first `filled` bytes and given up; and refused for lack of space.
 */
void put_abort(struct world *w, const char *name, uint64_t off, uint64_t len, uint64_t filled);
void put_fails(struct world *w, const char *name, uint64_t off, uint64_t len);
/* Copies bytes that there are to a file that is there and not written in place, maybe the same; holes stay holes. */
void copy_range(struct world *w, const char *from, uint64_t off, const char *to, uint64_t to_off, uint64_t len);
void cut(struct world *w, const char *name, uint64_t size); /* truncates, up or down */
void punch(struct world *w, const char *name, uint64_t off, uint64_t len);
void collapse(struct world *w, const char *name, uint64_t off, uint64_t len);
void insert(struct world *w, const char *name, uint64_t off, uint64_t len);
void allocate(struct world *w, const char *name, uint64_t off, uint64_t len, bool keep_size);

/*
 * Mapped files. flags: NOVA_MAP_EAGER, or 0; a file may be mapped twice. They are unmapped when they are closed. Calls
 * that write in place are not atomic, and their bytes loose meanwhile (model.h).
 */
void map_file(struct world *w, const char *name, uint64_t off, uint64_t len, uint32_t flags);
void unmap_file(struct world *w, const char *name);
void set_in_place(struct world *w, const char *name, bool on);
/* Stores through the first region that has the bytes, within the size; they are loose until they are forced. */
void store_bytes(struct world *w, const char *name, uint64_t off, uint64_t len);
void load_byte(struct world *w, const char *name, uint64_t off); /* all regions must show what the model says */
void load_all(struct world *w, const char *name);                /* the same of all bytes of the file */
void force(struct world *w, const char *name, uint64_t off, uint64_t len);
void populate_bytes(struct world *w, const char *name, uint64_t off, uint64_t len, bool allocate);
/* Pinned pages, of which a file has one run at a time: stores and loads go through a mapping of the pool's file. It
 * ends when the file is closed, at the latest. False: there is no room in a row. */
bool pin_file(struct world *w, const char *name, uint64_t off, uint64_t len);
void unpin_file(struct world *w, const char *name);
void store_pinned(struct world *w, const char *name, uint64_t off, uint64_t len);
void load_pinned(struct world *w, const char *name);
void force_pinned(struct world *w, const char *name);
/* Writes what the mapping shows at src; not in place onto bytes that are its source: put_mapped_fits(). */
void put_mapped(struct world *w, const char *name, uint64_t off, uint64_t len, uint64_t src);
bool put_mapped_fits(struct world *w, const char *name, uint64_t off, uint64_t len, uint64_t src);

void drop(struct world *w, const char *name);       /* unlinks a closed file */
void drop_open(struct world *w, const char *name);  /* unlinks it while it is open; it stays open without a name */
void drop_close(struct world *w, const char *name); /* closes what drop_open() left open */
void move(struct world *w, const char *from, const char *to);
void close_file(struct world *w, const char *name);
void close_pool(struct world *w);
void open_pool(struct world *w);
/* Leaves the pool as a crash between two calls does (closed), unrecorded. */
void crash_pool(struct world *w);

/* Repairs the closed pool. */
void repair_pool(struct world *w);

/* Makes the closed pool larger. */
void resize_pool(struct world *w, uint64_t size);

/* The same with a tree. Of the calls above all but drop_open() and drop_close() take paths. */
void make_dir(struct world *w, const char *path);
void drop_dir(struct world *w, const char *path);
void make_symlink(struct world *w, const char *path, uint32_t target_len);
void add_link(struct world *w, const char *old, const char *path);
void exchange(struct world *w, const char *a, const char *b);
void set_attr(struct world *w, const char *path, uint32_t mask); /* to values that are new each time */
/* Extended attributes, also of the root directory: "". */
void set_xattr(struct world *w, const char *path, const char *name, uint32_t len);
void remove_xattr(struct world *w, const char *path, const char *name);

/* Cleaning the log of a file or directory (store_clean.c), which changes nothing. */
void clean_log(struct world *w, const char *path, uint32_t pages);
uint32_t gather_log(struct world *w, const char *path); /* how many extents */
void cut_dead(struct world *w, const char *path);
void restart_log(struct world *w, const char *path);

/*
 * Leaves the pool as a crash in the last recorded call does, just before that drain of it which comes after `drains`
 * others (or at the call's end), when of what may be lost only the first `lines` cache lines have come through. The
 * recording is over; record() starts anew. For worlds with one actor. The model is that before the call, or after it.
 */
void crash_in_call(struct world *w, uint32_t drains, uint32_t lines, bool after);

/* Makes the closed pool one of before there was a namespace: without its feature bit. */
void downgrade(struct world *w);

/* Damages a byte of the closed pool's file. */
void damage(struct world *w, uint64_t off);

uint64_t size_of(const struct world *w, const char *name);

/* Leaves the free space in that many single blocks (and the reserve): fills it with two files in turns, removes one,
 * and gives the other, called "wall", the longer runs that are left. */
void fragment(struct world *w, uint32_t blocks);

/* A row of a test's table. */
struct workload {
    const char *name;
    void (*run)(struct world *w, const struct workload *row);
    uint64_t a, b, c; /* what run makes of them */
    uint64_t pool;    /* bytes; 0 = the smallest pool */
};

/* Explores what the world has recorded, from event `from` on; fails the cmocka test, naming `name`, if an image is
 * judged bad. */
void explore_world(struct world *w, const char *name, size_t from, const struct explore_limits *limits,
                   struct explore_stats *st);

/*
 * Runs the rows of a table, all or one in limits->stride, or those with the text in their names that NOVA_ONLY gives;
 * explores each, and fails the cmocka test if an image is judged bad.
 */
/* A whole test: all rows, within the usual limits. title: of the report. */
void explore_calls(const char *title, const struct workload *row, size_t n);
void explore_rows(const struct workload *row, size_t n, const struct explore_limits *limits, struct explore_stats *st);

#endif
