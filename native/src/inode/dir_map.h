/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of one directory, as recovery, fsck and users in C build it by replaying a directory's log: a hash table
 * from name bytes to child. Names are compared whole. Not thread-safe.
 */
#ifndef NOVA_INODE_DIR_MAP_H
#define NOVA_INODE_DIR_MAP_H

#include <stdbool.h>
#include <stdint.h>

struct dir_name {
    uint32_t ino, gen;
    uint8_t type;
    uint8_t name_len;
    const char *name; /* the map's own copy, not NUL-terminated */
};

struct dir_map {
    struct dir_map_entry *entries; /* in the order of insertion; removed ones stay until the table is rebuilt */
    uint32_t *index;               /* hash table: number of an entry + 1, 0 = never used */
    uint32_t cap;                  /* entries that fit */
    uint32_t used, live;           /* used counts removed ones */
    uint64_t key[2];               /* of the hash, random: names made to collide do not */
};

void dir_map_init(struct dir_map *m);
void dir_map_free(struct dir_map *m);

/* Adds, or replaces in place. False without memory; the map is as before. */
bool dir_map_put(struct dir_map *m, const char *name, uint8_t len, uint32_t ino, uint32_t gen, uint8_t type);
/* False if there is no such name. */
bool dir_map_remove(struct dir_map *m, const char *name, uint8_t len);
/* NULL if there is no such name. Valid until the next put or until it is removed. */
const struct dir_name *dir_map_get(const struct dir_map *m, const char *name, uint8_t len);
/* Iterates in the order of insertion: start with *it = 0; NULL at the end. Names may be removed meanwhile, not put. */
const struct dir_name *dir_map_next(const struct dir_map *m, uint32_t *it);

#endif
