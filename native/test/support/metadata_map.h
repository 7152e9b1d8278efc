/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which byte of a sound pool belongs to which structure, found by walking it as native/FORMAT.md says: the superblocks,
 * the fixed areas, the inode table, and the slot, log and extended attributes of every inode that names reach. For
 * tests that damage each in turn.
 */
#ifndef NOVA_TEST_SUPPORT_METADATA_MAP_H
#define NOVA_TEST_SUPPORT_METADATA_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/media.h"

enum meta_kind {
    META_DATA,    /* contents of files, and free blocks: no metadata */
    META_UNUSED,  /* in a block of metadata, but without a meaning */
    META_JOURNAL, /* the record of a transaction whose tails are all in place: nothing depends on it any more */
    META_SUPERBLOCK,
    META_STATE,
    META_SNAPSHOT,
    META_ZERO, /* must be zero: the journal of a clean pool, what lies behind superblocks and states, unused pointers,
                  slot 0 */
    META_TABLE_POINTER,
    META_SLOT, /* its immutable part */
    META_HEAD,
    META_FIRST, /* the same word, of a log that has been cut */
    META_TAIL,
    META_PAGE_TAIL, /* but its next pointer */
    META_NEXT,
    META_WRITE, /* log entries by kind, from here on */
    META_TRUNCATE,
    META_SETATTR,
    META_ADD,
    META_REMOVE,
    META_PADDING,
    META_LINK,
    META_HOLE,
    META_COLLAPSE,
    META_INSERT,
    META_ALLOC,
    META_XATTR,
    META_VALUE, /* of an extended attribute, in blocks: its entry has the checksum */
    META_KINDS
};

const char *meta_kind_name(enum meta_kind kind);

struct meta_item {
    enum meta_kind kind;
    uint64_t off;
    uint32_t len;
    uint32_t ino; /* whose it is; of a table pointer: its index */
    uint32_t gen;
    uint32_t home;  /* NEXT: the block that holds it */
    uint64_t entry; /* VALUE: where its entry is */
};

struct metadata_map {
    uint64_t len;
    uint8_t *kind; /* meta_kind of each byte */
    struct meta_item *item;
    size_t n, cap;
};

/* Maps a sound pool. What cannot be read fails the cmocka test. */
void metadata_map_init(struct metadata_map *map, const struct media *m);
void metadata_map_free(struct metadata_map *map);

/* Whether a byte of this kind says something: no other value would be the same pool. */
static inline bool meta_has_meaning(uint8_t kind) {
    return kind > META_JOURNAL;
}

/* Computes the check bits of a structure anew, as if whoever wrote its other bits had meant them. */
void metadata_seal(const struct media *m, const struct meta_item *item);

/* Where the check bits of a kind lie in an item of it: bits [*first, *first + *count) from its start. */
void metadata_check_bits(enum meta_kind kind, uint32_t *first, uint32_t *count);

#endif
