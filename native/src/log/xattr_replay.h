/* SPDX-License-Identifier: Apache-2.0 */
/* What a log says of extended attributes: which entry holds the value of each name. For inodes of any type. */
#ifndef NOVA_LOG_XATTR_REPLAY_H
#define NOVA_LOG_XATTR_REPLAY_H

#include "inode/dir_map.h"
#include "log/log.h"

struct xattr_map {        /* zero-initialise */
    struct dir_map names; /* each with the place of its entry: block as ino, line as gen */
    bool any;             /* names is initialised: most logs have no such entry */
};

void xattr_map_free(struct xattr_map *x);

/* The place of a name's entry; false if the name has no value. */
bool xattr_map_get(const struct xattr_map *x, const char *name, uint8_t len, struct log_pos *at);

/* What one verified entry of any kind at `at` does to the map. False without memory. */
bool xattr_apply(struct xattr_map *x, const struct fmt_entry *e, struct log_pos at);

/* Hears of each entry whose value lives. False ends the walk. */
typedef bool (*xattr_fn)(void *arg, const struct fmt_entry *e);
bool xattr_map_each(const struct xattr_map *x, const struct log *log, xattr_fn fn, void *arg);

/* The extents of the values that live: what fn's are, in the same way. */
typedef bool (*xattr_extent_fn)(void *arg, struct nova_extent ext);
bool xattr_map_extents(const struct xattr_map *x, const struct log *log, xattr_extent_fn fn, void *arg);

#endif
