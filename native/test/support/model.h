/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a store should hold: immutable states of a tree, each made from the one before, sharing what did not change. A
 * state has a hash (the sum of its names' and of the root's attributes' hashes, so that the states of several actors
 * add up) that a recovered store must have too. Times of making and of changes that the clock gave are those that the
 * store says after the call; a time of access is part of it if a setattr set it, to less than MODEL_TIME_SET.
 *
 * Faults commit times of their own, in the middle of a call or after it. So a state has another hash, without the
 * times that the clock gave, for worlds with mapped files.
 */
#ifndef NOVA_TEST_SUPPORT_MODEL_H
#define NOVA_TEST_SUPPORT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_FILES 40u
#define MODEL_PATH 600u
#define MODEL_TIME_SET 1000000000000000 /* ns: no clock says a day of January 1970 */

struct model_xattr {
    const struct model_xattr *next;
    char name[256];
    uint32_t len;
    const uint8_t *value;
};

/* What a name names. */
struct model_node {
    uint8_t type; /* nova_file_type */
    uint32_t mode, uid, gid;
    int64_t atime;        /* 0: not set */
    int64_t mtime, btime; /* 0: not known yet, see model_next_untimed() */
    uint64_t size;
    const uint8_t *bytes; /* a symbolic link's target; a directory has none */
    uint64_t content;     /* model_content_hash() of them */
    const struct model_xattr *xattr;
    uint64_t xattrs; /* the sum of their model_xattr_hash() */
    uint32_t id;     /* the names of one inode have the same, alone */
};

struct model_file {
    char name[MODEL_PATH]; /* a path */
    const struct model_node *node;
};

/*
 * Bytes of a file that may be older than the state says: stored through a mapping and not forced, or in the middle of a
 * call that writes in place.
 */
struct model_loose {
    const struct model_loose *next;
    uint32_t id; /* of the file's node */
    uint64_t off, len;
    const uint8_t *old;
};

struct model {
    uint64_t hash; /* knows nothing of loose bytes */
    uint64_t untimed;
    const struct model_loose *loose;
    const struct model_node *root; /* of the root directory only the extended attributes; NULL: it never had any */
    uint32_t n;
    const struct model_file *file[MODEL_FILES];
};

/* Owns states; one per actor. Zero-initialise. */
struct model_arena {
    void **block;
    size_t n, cap;
    uint32_t ids;
};
void model_arena_free(struct model_arena *a);

const struct model *model_empty(struct model_arena *a);

/* Writes len bytes at off (src NULL: zeros), after filling a gap with zeros; makes the file if it is not there. */
const struct model *model_write(struct model_arena *a, const struct model *m, const char *name, uint64_t off,
                                const uint8_t *src, uint64_t len);
const struct model *model_truncate(struct model_arena *a, const struct model *m, const char *name, uint64_t size);
/* Ranges. Whether a hole is a change, and so sets the time, the caller knows. */
const struct model *model_punch(struct model_arena *a, const struct model *m, const char *name, uint64_t off,
                                uint64_t len);
const struct model *model_collapse(struct model_arena *a, const struct model *m, const char *name, uint64_t off,
                                   uint64_t len);
const struct model *model_insert(struct model_arena *a, const struct model *m, const char *name, uint64_t off,
                                 uint64_t len);

/* Writes (src NULL: zeros) within the file's size bytes that are loose from then on; and says that bytes are no more.
 */
const struct model *model_write_loose(struct model_arena *a, const struct model *m, const char *name, uint64_t off,
                                      const uint8_t *src, uint64_t len);
const struct model *model_settle(struct model_arena *a, const struct model *m, const char *name, uint64_t off,
                                 uint64_t len);
/* Makes loose bytes of that file, read from somewhere, what the state says. */
void model_tighten(const struct model *m, const char *name, uint8_t *bytes, uint64_t size);

/* Names. Those that they are given are there, or not, as the calls of a store want it. */
const struct model *model_mkdir(struct model_arena *a, const struct model *m, const char *name, uint32_t mode);
const struct model *model_symlink(struct model_arena *a, const struct model *m, const char *name, const void *target,
                                  uint32_t len);
const struct model *model_link(struct model_arena *a, const struct model *m, const char *old, const char *name);
const struct model *model_remove(struct model_arena *a, const struct model *m, const char *name);
const struct model *model_rename(struct model_arena *a, const struct model *m, const char *from, const char *to);
const struct model *model_exchange(struct model_arena *a, const struct model *m, const char *x, const char *y);

/* Attributes that mask (NOVA_ATTR_*) names. */
const struct model *model_setattr(struct model_arena *a, const struct model *m, const char *name, uint32_t mask,
                                  uint32_t mode, uint32_t uid, uint32_t gid, int64_t atime, int64_t mtime,
                                  int64_t btime);

/* A path whose times are not known yet, or NULL; and the state with them. */
const char *model_next_untimed(const struct model *m);
const struct model *model_timed(struct model_arena *a, const struct model *m, const char *name, int64_t mtime,
                                int64_t btime);

/* Sets an extended attribute, of the root directory if name is ""; value NULL: removes it. */
const struct model *model_set_xattr(struct model_arena *a, const struct model *m, const char *name, const char *xattr,
                                    const uint8_t *value, uint32_t len);

const struct model_file *model_get(const struct model *m, const char *name); /* or NULL */
uint32_t model_nlink(const struct model *m, const char *name);               /* 0 if it is not there */

/* ---- hashes, for whoever reads a store ---- */

uint64_t model_content_hash(const uint8_t *bytes, uint64_t size);
uint64_t model_xattr_hash(const char *name, const uint8_t *value, uint32_t len);
uint64_t model_path_hash(const char *path);
/* Of a name: what it names, the number of names that has, and the sum of their model_path_hash(). timed: with the times
 * that the clock gave. */
uint64_t model_name_hash(const char *path, const struct model_node *node, uint32_t nlink, uint64_t names, bool timed);

#endif
