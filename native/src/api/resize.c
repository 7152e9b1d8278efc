/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nova_pool_resize(): opens the pool, makes it larger while it is marked dirty, and closes it. Areas stay where they
 * are: they were made with room (media_layout()). Only the replica of the superblock moves, to the new end.
 *
 * The steps, each durable before the next: the first superblock says to what size the pool is about to grow; the file
 * gets its new length; pointers to more inodes are zeroed; the replica is written at the new end, and from that moment
 * the pool is larger; the old replica is zeroed, and its block is free; the first superblock follows; snapshot; state.
 */
#include <stdlib.h>
#include <string.h>

#include "api/pool.h"
#include "recovery/superblock.h"

static int check_size(const struct media *m, uint64_t size, struct nova_error *err) {
    uint64_t max = fmt_sb_size_max(&m->sb);
    if (size <= m->size)
        return nova_fail(err, NOVA_EINVAL, "the pool has %llu bytes; %llu would not make it larger",
                         (unsigned long long)m->size, (unsigned long long)size);
    if (size > max)
        return nova_fail(err, NOVA_EINVAL,
                         "this pool can grow to %llu bytes and no more; to get %llu, make a new one and copy the files",
                         (unsigned long long)max, (unsigned long long)size);
    return NOVA_OK;
}

/* Which blocks and inodes are in use, as bytes. */
struct used {
    uint8_t *blocks, *inodes;
    uint32_t blocks_len, inodes_len;
};

static int used_save(struct used *u, const struct nova_pool *pool, struct nova_error *err) {
    uint32_t end = pool->media.data_end;
    u->blocks_len = alloc_bitmap_bytes(pool->alloc);
    u->inodes_len = itable_bitmap_bytes(&pool->itable);
    u->blocks = malloc(u->blocks_len);
    u->inodes = malloc(u->inodes_len);
    if (u->blocks == NULL || u->inodes == NULL)
        return nova_fail(err, NOVA_ENOMEM, "no memory to make a pool of %u blocks larger", pool->media.blocks);
    alloc_bitmap_save(pool->alloc, 0, u->blocks, u->blocks_len);
    itable_bitmap_save(&pool->itable, 0, u->inodes, u->inodes_len);
    /* What lay behind the data area counted as used: the replica, and the rest of its byte. */
    for (uint64_t blk = end; blk < (uint64_t)u->blocks_len * 8; blk++)
        u->blocks[blk / 8] &= (uint8_t) ~(1u << blk % 8);
    return NOVA_OK;
}

/* Tables for the size that the pool has now. */
static int reload(struct nova_pool *pool, const struct used *u, struct nova_error *err) {
    uint32_t lanes = alloc_lanes(pool->alloc);
    bool from_replica;
    pool_unload_tables(pool);
    int rc = media_attach(&pool->media, pool->file.base, pool->file.len, &pool->file.ops, &from_replica, err);
    if (rc == NOVA_OK)
        rc = pool_load_tables(pool, lanes, err);
    if (rc != NOVA_OK)
        return rc;
    alloc_bitmap_load(pool->alloc, 0, u->blocks, u->blocks_len);
    itable_bitmap_load(&pool->itable, 0, u->inodes, u->inodes_len);
    alloc_ready(pool->alloc);
    if (!itable_ready(&pool->itable)) {
        pool_unload_tables(pool);
        rc = nova_fail(err, NOVA_ECORRUPT, "inodes in use have no place in the inode table");
    }
    return rc;
}

static int grow(struct nova_pool *pool, const char *path, uint64_t size, bool emulated, struct nova_error *err) {
    struct media *m = &pool->media;
    int os = superblock_announce(m, size);
    if (os == 0) {
        int rc = pool_file_extend(&pool->file, path, size, emulated, err);
        if (rc != NOVA_OK) {
            if (superblock_give_up(m) != 0)
                pool->leaked = 1; /* the next open does it */
            return rc;
        }
        m->base = pool->file.base;
        os = superblock_grow(m);
    }
    if (os != 0) {
        pool->leaked = 1; /* it may have happened or not */
        return nova_fail_os(err, NOVA_EOS, os, "cannot persist the pool's size; the next open will recover");
    }
    return NOVA_OK;
}

static int resize_open(struct nova_pool *pool, const char *path, uint64_t size, bool emulated, struct nova_error *err) {
    struct used used = {0};
    int rc = check_size(&pool->media, size, err);
    if (rc == NOVA_OK)
        rc = used_save(&used, pool, err);
    if (rc == NOVA_OK)
        rc = grow(pool, path, size, emulated, err);
    if (rc == NOVA_OK)
        rc = reload(pool, &used, err);
    free(used.blocks);
    free(used.inodes);
    if (pool->alloc != NULL && !pool->leaked) {
        int saved = pool_save(pool, rc == NOVA_OK ? err : NULL);
        rc = rc == NOVA_OK ? saved : rc;
    }
    return rc;
}

int nova_pool_resize(const char *path, uint64_t size, const struct nova_pool_options *opt, struct nova_error *err) {
    static const struct nova_pool_options defaults;
    if (opt == NULL)
        opt = &defaults;
    int rc = pool_check_options(path, opt, err);
    if (rc != NOVA_OK)
        return rc;
    bool emulated = (opt->flags & NOVA_OPT_EMULATED) != 0;
    struct nova_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return nova_fail(err, NOVA_ENOMEM, "no memory for a pool handle");
    rc = pool_file_open(&pool->file, path, emulated, media_probe, err);
    if (rc == NOVA_OK) {
        rc = pool_take_up(pool, path, opt, err);
        if (rc == NOVA_OK) {
            rc = resize_open(pool, path, size - size % NOVA_BLOCK_SIZE, emulated, err);
            if (pool->alloc != NULL)
                pool_unload_tables(pool);
        }
        pool_file_close(&pool->file);
    }
    free(pool);
    return rc;
}
