/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a store should hold, as plain byte arrays: immutable states, each made from the one before, sharing what did not
 * change. A state has a hash (the sum of its files' hashes, so that the states of several actors add up) that a
 * recovered store must have too.
 */
#ifndef NOVA_TEST_SUPPORT_MODEL_H
#define NOVA_TEST_SUPPORT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_FILES 40u

struct model_file {
    char name[256];
    uint64_t size;
    uint64_t hash; /* of name and content; 0 is no file's */
    const uint8_t *bytes;
};

struct model {
    uint64_t hash;
    uint32_t n;
    const struct model_file *file[MODEL_FILES];
};

/* Owns states; one per actor. Zero-initialise. */
struct model_arena {
    void **block;
    size_t n, cap;
};
void model_arena_free(struct model_arena *a);

const struct model *model_empty(struct model_arena *a);
/* Writes len bytes at off (src NULL: zeros), after filling a gap with zeros; makes the file if it is not there. */
const struct model *model_write(struct model_arena *a, const struct model *m, const char *name, uint64_t off,
                                const uint8_t *src, uint64_t len);
const struct model *model_truncate(struct model_arena *a, const struct model *m, const char *name, uint64_t size);
const struct model *model_remove(struct model_arena *a, const struct model *m, const char *name);
const struct model *model_rename(struct model_arena *a, const struct model *m, const char *from, const char *to);

const struct model_file *model_get(const struct model *m, const char *name); /* or NULL */
uint64_t model_file_hash(const char *name, size_t name_len, const uint8_t *bytes, uint64_t size);

#endif
