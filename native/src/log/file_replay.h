/* SPDX-License-Identifier: Apache-2.0 */
/* What a log amounts to, of anything but the names of a directory: the one place in the core where entries become a
 * block map. */
#ifndef NOVA_LOG_FILE_REPLAY_H
#define NOVA_LOG_FILE_REPLAY_H

#include "inode/block_map.h"
#include "log/xattr_replay.h"

/* What one verified entry does to the map of a file's pages. False without memory: then the map is good for
 * block_map_free() only. */
bool file_apply(const struct fmt_entry *e, struct block_map *map);

/*
 * What is wrong with the size of a verified entry that moves pages, after a file of that size; NULL for other kinds. A
 * log whose sizes do not add up could move pages beyond all bounds. Of a log that has been cut, entries in between that
 * made the file longer may have gone.
 */
const char *file_check_range(const struct log *log, const struct fmt_entry *e, uint64_t size);

/* Hears of each log page on the way; anything but NOVA_OK ends the replay with that. */
typedef int (*file_replay_page)(void *arg, uint32_t blk, struct nova_error *err);

/* What a log holds; file_contents_free() in any case. */
struct file_contents {
    struct block_map map;
    struct xattr_map xattrs;
    uint32_t nlink; /* names that it says the inode has */
    uint64_t size;
};
void file_contents_free(struct file_contents *c);

/*
 * Reads the log from its head to its tail. blocks_max: what the pool has; a file that maps more has some block twice,
 * and is refused before the map fills the memory. ECORRUPT, ENOMEM, or what page answers.
 */
int file_replay(const struct log *log, struct file_contents *out, uint32_t blocks_max, file_replay_page page, void *arg,
                struct nova_error *err);

/* The same after a crash: with what log_adopt() finds, and answers in *torn. */
int file_replay_adopting(struct log *log, struct file_contents *out, uint32_t blocks_max, file_replay_page page,
                         void *arg, uint8_t **torn, struct nova_error *err);

#endif
