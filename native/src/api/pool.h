/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of opening and closing a pool, for the calls that do it in another way. */
#ifndef NOVA_API_POOL_H
#define NOVA_API_POOL_H

#include "api/handles.h"

/* EINVAL. */
int pool_check_options(const char *path, const struct nova_pool_options *opt, struct nova_error *err);

/*
 * Takes up the pool in pool->file, which is mapped: geometry, tables, recovery if it is needed, superblocks; and marks
 * it dirty. The tables are unloaded if it fails.
 */
int pool_take_up(struct nova_pool *pool, const char *path, const struct nova_pool_options *opt, struct nova_error *err);

/* Allocator, inode table and journal for pool->media, nothing marked as used. */
int pool_load_tables(struct nova_pool *pool, uint32_t lanes, struct nova_error *err);
void pool_unload_tables(struct nova_pool *pool);

/* Writes the snapshot and marks the pool clean, durably. EOS. */
int pool_save(struct nova_pool *pool, struct nova_error *err);

#endif
