/* SPDX-License-Identifier: Apache-2.0 */
/* Pools: create, open, close, facts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "api/pool.h"

#include "map/pin.h"
#include "recovery/rebuild.h"
#include "recovery/superblock.h"
#include "util/clock.h"

#define LANES_MAX 64u

static uint32_t cpus(void) {
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > (long)LANES_MAX ? LANES_MAX : (uint32_t)n;
}

int pool_check_options(const char *path, const struct nova_pool_options *opt, struct nova_error *err) {
    if (path == NULL || path[0] == '\0')
        return nova_fail(err, NOVA_EINVAL, "no pool path given");
    if (opt->lanes > LANES_MAX || opt->recovery_threads > LANES_MAX)
        return nova_fail(err, NOVA_EINVAL, "lanes and recovery threads are at most %u", LANES_MAX);
    if ((opt->flags & ~(NOVA_OPT_EMULATED | NOVA_OPT_PREFAULT)) != 0)
        return nova_fail(err, NOVA_EINVAL, "unknown option flags %#x", opt->flags);
    return NOVA_OK;
}

static void write_snapshot(struct nova_pool *pool) {
    snapshot_save(&pool->media, pool->alloc, &pool->itable, pool->state.seq + 1);
}

static void write_clean(struct nova_pool *pool) {
    struct fmt_state clean = {.state = FMT_STATE_CLEAN,
                              .blocks_free = alloc_free_count(pool->alloc) + alloc_held_free(pool->alloc),
                              .inodes_used = pool->itable.used_count};
    pool_state_write(&pool->media, &pool->state, &clean);
}

static void write_dirty(struct nova_pool *pool) {
    struct fmt_state dirty = {.state = FMT_STATE_DIRTY};
    pool_state_write(&pool->media, &pool->state, &dirty);
}

/* ---- create ---- */

/*
 * Formats the mapped file, all zero before. The superblocks come last: until the replica is durable the file is no
 * pool; once it is, everything it speaks of is durable.
 */
static int format(struct nova_pool *pool, const struct fmt_sb *layout, struct nova_error *err) {
    struct fmt_sb sb = *layout;
    struct media *m = &pool->media;
    if (getrandom(sb.uuid, sizeof sb.uuid, 0) != (ssize_t)sizeof sb.uuid)
        return nova_fail_os(err, NOVA_EOS, errno, "no random numbers for the pool's uuid");
    sb.uuid[6] = (uint8_t)((sb.uuid[6] & 0x0f) | 0x40); /* RFC 4122, version 4 */
    sb.uuid[8] = (uint8_t)((sb.uuid[8] & 0x3f) | 0x80);
    sb.created = nova_now();
    fmt_sb_seal(&sb);
    bool from_replica;
    const struct pmem_ops *ops = &pool->file.ops;

    /* The mapping has no superblock yet: take up the geometry from a private copy, then turn to the mapping. */
    uint8_t *head = aligned_alloc(NOVA_BLOCK_SIZE, NOVA_BLOCK_SIZE);
    if (head == NULL)
        return nova_fail(err, NOVA_ENOMEM, "no memory to format a pool");
    memset(head, 0, NOVA_BLOCK_SIZE);
    memcpy(head, &sb, sizeof sb);
    int rc = media_attach(m, head, sb.size, ops, &from_replica, err);
    m->base = pool->file.base;
    free(head);
    if (rc != NOVA_OK)
        return rc;

    pool->alloc = alloc_new(m->blocks, m->data_blk, m->data_end, 1);
    if (pool->alloc == NULL)
        return nova_fail(err, NOVA_ENOMEM, "no memory for a pool of %u blocks", m->blocks);
    rc = itable_load(&pool->itable, m, pool->alloc, err);
    if (rc != NOVA_OK)
        return rc;
    journal_init(&pool->journal, m);
    alloc_ready(pool->alloc);
    itable_ready(&pool->itable);
    uint32_t ino;
    rc = itable_alloc(&pool->itable, &ino, err);
    if (rc == NOVA_OK) {
        struct fmt_inode root = {.type = NOVA_DIR, .mode = 0755, .uid = getuid(), .gid = getgid(), .btime = nova_now()};
        itable_init_slot(&pool->itable, ino, 0, &root); /* the first number there is: NOVA_ROOT_INO */
        write_dirty(pool);
        write_snapshot(pool);
        write_clean(pool);
        int os = ops->drain(ops); /* one for all: nothing of it counts before the replica is there */
        if (os == 0)
            os = superblock_put(m, true);
        if (os == 0) /* a torn primary would look damaged, were the replica not whole */
            os = superblock_put(m, false);
        if (os != 0)
            rc = nova_fail_os(err, NOVA_EOS, os, "cannot persist the new pool");
    }
    journal_destroy(&pool->journal);
    itable_unload(&pool->itable);
    return rc;
}

int nova_pool_create(const char *path, uint64_t size, const struct nova_pool_options *opt, struct nova_error *err) {
    static const struct nova_pool_options defaults;
    if (opt == NULL)
        opt = &defaults;
    struct fmt_sb sb;
    int rc = pool_check_options(path, opt, err);
    if (rc == NOVA_OK)
        rc = media_layout(size, &sb, err);
    if (rc != NOVA_OK)
        return rc;
    struct nova_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return nova_fail(err, NOVA_ENOMEM, "no memory for a pool handle");
    rc = pool_file_create(&pool->file, path, sb.size, (opt->flags & NOVA_OPT_EMULATED) != 0, err);
    if (rc == NOVA_OK) {
        rc = format(pool, &sb, err);
        if (rc == NOVA_OK)
            rc = pool_file_sync(&pool->file, path, err);
        alloc_delete(pool->alloc);
        if (rc != NOVA_OK)
            unlink(path); /* before the lock goes */
        pool_file_close(&pool->file);
    }
    free(pool);
    return rc;
}

/* ---- open ---- */

int pool_load_tables(struct nova_pool *pool, uint32_t lanes, struct nova_error *err) {
    const struct media *m = &pool->media;
    pool->alloc = alloc_new(m->blocks, m->data_blk, m->data_end, lanes);
    if (pool->alloc == NULL)
        return nova_fail(err, NOVA_ENOMEM, "no memory for a pool of %u blocks", m->blocks);
    int rc = itable_load(&pool->itable, m, pool->alloc, err);
    if (rc != NOVA_OK) {
        alloc_delete(pool->alloc);
        pool->alloc = NULL;
        return rc;
    }
    journal_init(&pool->journal, m);
    return NOVA_OK;
}

void pool_unload_tables(struct nova_pool *pool) {
    journal_destroy(&pool->journal);
    itable_unload(&pool->itable);
    alloc_delete(pool->alloc);
    pool->alloc = NULL;
}

/* Finds out what is free: from the snapshot of a clean close, else from the logs. */
static int find_state(struct nova_pool *pool, const struct nova_pool_options *opt, struct nova_error *err) {
    uint32_t lanes = opt->lanes != 0 ? opt->lanes : cpus();
    uint32_t threads = opt->recovery_threads != 0 ? opt->recovery_threads : cpus();
    int os = pool_state_settle(&pool->media);
    if (os != 0)
        return nova_fail_os(err, NOVA_EOS, os, "cannot persist the pool's state");
    pool_state_read(&pool->media, &pool->state);
    int rc = pool_load_tables(pool, lanes, err);
    if (rc != NOVA_OK)
        return rc;
    if (pool->state.clean) {
        if (snapshot_load(&pool->media, pool->alloc, &pool->itable, &pool->state.st))
            return NOVA_OK;
        pool_unload_tables(pool);
        rc = pool_load_tables(pool, lanes, err);
        if (rc != NOVA_OK)
            return rc;
    }
    struct rebuild_stats stats;
    rc = journal_recover(&pool->media, &pool->itable, &pool->redone, err);
    if (rc == NOVA_OK)
        rc = rebuild(&pool->media, pool->alloc, &pool->itable, threads, opt->progress, &stats, err);
    if (rc != NOVA_OK) {
        pool_unload_tables(pool);
        return rc;
    }
    pool->recovered = 1;
    pool->recovered_inodes = stats.inodes;
    pool->orphans = stats.orphans;
    return NOVA_OK;
}

static int update_superblocks(struct nova_pool *pool, const char *path, struct nova_error *err) {
    if (pool->media.resize == MEDIA_GROWN) { /* to this length of the file, which the process before may have left */
        int rc = pool_file_sync_length(&pool->file, path, err);
        if (rc != NOVA_OK)
            return rc;
    }
    int os = superblock_settle(&pool->media);
    if (os == 0)
        os = superblock_enable(&pool->media);
    return os == 0 ? NOVA_OK : nova_fail_os(err, NOVA_EOS, os, "cannot write a superblock");
}

int pool_take_up(struct nova_pool *pool, const char *path, const struct nova_pool_options *opt,
                 struct nova_error *err) {
    uint64_t start = nova_monotonic();
    bool from_replica;
    int rc = media_attach(&pool->media, pool->file.base, pool->file.len, &pool->file.ops, &from_replica, err);
    if (rc != NOVA_OK)
        return rc;
    pool->media.counts = &pool->counts;
    rc = find_state(pool, opt, err);
    if (rc != NOVA_OK)
        return rc;
    rc = update_superblocks(pool, path, err);
    if (rc == NOVA_OK) {
        /* From here on only the logs can say what is in use. */
        write_dirty(pool);
        int os = pool->file.ops.drain(&pool->file.ops); /* of the slots that recovery freed too */
        if (os != 0)
            rc = nova_fail_os(err, NOVA_EOS, os, "cannot mark the pool open");
    }
    if (rc != NOVA_OK)
        pool_unload_tables(pool);
    pool->recovery_ns = nova_monotonic() - start;
    return rc;
}

static_assert(POOL_FILE_PROBE == sizeof(struct fmt_sb), "what media_probe() reads");

int nova_pool_open(const char *path, const struct nova_pool_options *opt, nova_pool **out, struct nova_error *err) {
    static const struct nova_pool_options defaults;
    if (opt == NULL)
        opt = &defaults;
    *out = NULL;
    int rc = pool_check_options(path, opt, err);
    if (rc != NOVA_OK)
        return rc;
    struct nova_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return nova_fail(err, NOVA_ENOMEM, "no memory for a pool handle");
    rc = pool_file_open(&pool->file, path, (opt->flags & NOVA_OPT_EMULATED) != 0, media_probe, err);
    if (rc == NOVA_OK) {
        if ((opt->flags & NOVA_OPT_PREFAULT) != 0)
            pool_file_prefault(&pool->file);
        rc = pool_take_up(pool, path, opt, err);
        if (rc == NOVA_OK && (rc = pins_attach(&pool->file, &pool->media, pool->alloc, err)) != NOVA_OK)
            pool_unload_tables(pool);
        if (rc == NOVA_OK) {
            size_t chunks = pool->media.inodes_max / OPEN_CHUNK + 1;
            pool->open = calloc(chunks, sizeof *pool->open);
            if (pool->open == NULL) {
                pins_detach(pool->alloc);
                pool_unload_tables(pool);
                rc = nova_fail(err, NOVA_ENOMEM, "no memory for a table of open inodes");
            }
        }
        if (rc != NOVA_OK)
            pool_file_close(&pool->file);
    }
    if (rc != NOVA_OK) {
        free(pool);
        return rc;
    }
    pthread_mutex_init(&pool->open_lock, NULL);
    *out = pool;
    return NOVA_OK;
}

/* ---- close ---- */

/* Closes every open inode; the first error. */
static int close_inodes(struct nova_pool *pool, struct nova_error *err) {
    int first = NOVA_OK;
    size_t chunks = pool->media.inodes_max / OPEN_CHUNK + 1;
    for (size_t c = 0; c < chunks; c++) {
        if (pool->open[c] == NULL)
            continue;
        for (uint32_t i = 0; i < OPEN_CHUNK; i++) {
            if (pool->open[c][i] == NULL)
                continue;
            int rc = nova_inode_close(pool->open[c][i], first == NOVA_OK ? err : NULL);
            if (first == NOVA_OK)
                first = rc;
        }
        free(pool->open[c]);
    }
    free(pool->open);
    return first;
}

int pool_save(struct nova_pool *pool, struct nova_error *err) {
    const struct pmem_ops *ops = &pool->file.ops;
    journal_clear(&pool->journal);
    write_snapshot(pool);
    int os = ops->drain(ops);
    if (os == 0) {
        write_clean(pool);
        os = ops->drain(ops);
    }
    if (os != 0)
        return nova_fail_os(err, NOVA_EOS, os, "cannot persist the pool's state; the next open will recover");
    return NOVA_OK;
}

int nova_pool_close(nova_pool *pool, struct nova_error *err) {
    if (pool == NULL)
        return NOVA_OK;
    int rc = close_inodes(pool, err);
    pins_detach(pool->alloc); /* what is held and freed is free in the snapshot */
    if (!__atomic_load_n(&pool->leaked, __ATOMIC_RELAXED)) {
        int saved = pool_save(pool, rc == NOVA_OK ? err : NULL);
        rc = rc == NOVA_OK ? saved : rc;
    }
    pool_unload_tables(pool);
    pthread_mutex_destroy(&pool->open_lock);
    pool_file_close(&pool->file);
    free(pool);
    return rc;
}

/* ---- facts and freeing ---- */

int nova_pool_info(nova_pool *pool, struct nova_pool_info *info) {
    const struct media *m = &pool->media;
    *info = (struct nova_pool_info){
        .size = m->size,
        .blocks = m->blocks,
        .blocks_free = alloc_free_count(pool->alloc),
        .blocks_data = alloc_total(pool->alloc),
        .blocks_reserve = alloc_reserve(pool->alloc),
        .inodes_used = __atomic_load_n(&pool->itable.used_count, __ATOMIC_RELAXED),
        .inodes_max = m->inodes_max - 1,
        .created = m->sb.created,
        .recovery_ns = pool->recovery_ns,
        .recovered_inodes = pool->recovered_inodes,
        .orphans = pool->orphans,
        .version = m->sb.version,
        .lanes = alloc_lanes(pool->alloc),
        .durability = (uint32_t)pool->file.durability,
        .recovered = pool->recovered,
        .incompat = m->sb.incompat,
        .ro_compat = m->sb.ro_compat,
        .compat = m->sb.compat,
        .longest_free = alloc_longest_free(pool->alloc),
        .size_max = fmt_sb_size_max(&m->sb),
    };
    memcpy(info->uuid, m->sb.uuid, sizeof info->uuid);
    return NOVA_OK;
}

int nova_pool_stats(nova_pool *pool, struct nova_pool_stats *stats) {
    const struct work_counts *c = &pool->counts;
    *stats = (struct nova_pool_stats){
        .log_pages_added = work_counted(&c->log_pages_added),
        .log_pages_freed = work_counted(&c->log_pages_freed),
        .faults = work_counted(&c->faults),
        .fault_pages = work_counted(&c->fault_pages),
        .fault_moved = work_counted(&c->fault_moved),
        .fault_hold_max_ns = work_counted(&c->fault_hold_max_ns),
        .log_lock_waits = work_counted(&c->log_lock_waits),
        .redone = pool->redone,
        .map_vmas = region_vmas(),
        .map_vmas_max = region_vmas_max(),
    };
    return NOVA_OK;
}

int nova_free(nova_pool *pool, const struct nova_extent *ext, uint32_t n, struct nova_error *err) {
    int rc = NOVA_OK;
    for (uint32_t i = 0; i < n; i++) {
        if (!media_is_data(&pool->media, ext[i].blk, ext[i].count)) {
            if (rc == NOVA_OK)
                rc = nova_fail(err, NOVA_EINVAL, "blocks %u+%u lie outside the data area", ext[i].blk, ext[i].count);
        } else if (!alloc_free(pool->alloc, ext[i].blk, ext[i].count)) {
            if (rc == NOVA_OK)
                rc = nova_fail_at(err, NOVA_ECORRUPT, (uint64_t)ext[i].blk << NOVA_BLOCK_SHIFT,
                                  "blocks %u+%u are free already", ext[i].blk, ext[i].count);
        }
    }
    if (n != 0)
        file_map_space();
    return rc;
}
