/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool file looked at without being opened: mapped privately (to be repaired: for writing), superblock verified,
 * inode table read as far as it is whole. What is damaged is left out, and reported by whoever checks.
 */
#ifndef NOVA_CHECK_INSPECT_H
#define NOVA_CHECK_INSPECT_H

#include "format/media.h"
#include "pmem/pool_file.h"

struct inspect {
    struct pool_file file;
    struct media m;
    uint32_t *table;          /* block of each part of the inode table, 0 if its pointer is missing or damaged */
    uint32_t table_n;         /* up to the last pointer that is not null */
    enum media_resize resize; /* that a crash cut short: ended, or taken back, in the mapping */
    uint64_t redone;          /* transactions that a crash cut short: ended in the mapping, so that logs are whole */
};

/* Errors as nova_pool_open(). */
int inspect_open(struct inspect *in, const char *path, struct nova_error *err);
void inspect_close(struct inspect *in);

/* The same for whoever repairs: mapped to be written through in->m.ops, and locked as an open pool is. */
int inspect_open_writable(struct inspect *in, const char *path, bool emulated, struct nova_error *err);

/* Reads the inode table anew, after a check that has crossed out parts of it. */
int inspect_reload(struct inspect *in, struct nova_error *err);

/* The pointer array of the inode table, and its length. */
const fmt_ptr *inspect_ptrs(const struct inspect *in);
uint32_t inspect_ptr_count(const struct inspect *in);

/* Inode numbers that may have a slot: 0 .. inspect_slots() - 1. */
uint32_t inspect_slots(const struct inspect *in);

/* The slot of a number, NULL if it has none. Says nothing of its content. */
struct fmt_inode *inspect_slot(const struct inspect *in, uint32_t ino);

#endif
