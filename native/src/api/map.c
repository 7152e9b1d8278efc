/* SPDX-License-Identifier: Apache-2.0 */
/* Memory mapping, as nova.h has it. */
#include <stdlib.h>
#include <sys/mman.h>

#include "api/handles.h"
#include "map/pin.h"

#define BLK ((uint64_t)NOVA_BLOCK_SIZE)
#define LEN_MAX (1ull << 46) /* what fits an address space of 47 bits */

struct nova_region {
    struct region *r;
};

/* Makes the inode's file map if it has none. The caller of nova_map() serialises this. */
static int need_file_map(struct nova_inode *inode, struct nova_error *err) {
    struct nova_pool *pool = inode->pool;
    if (inode->map != NULL)
        return NOVA_OK;
    log_lock_guest(inode);
    int rc = view_whole_locked(inode, err); /* only then are all sequence numbers known */
    if (rc == NOVA_OK)                      /* what the last entry certifies may be changed by stores from now on */
        rc = commit_answer(pool, log_settle(&inode->log, err));
    if (rc == NOVA_OK)
        rc = file_map_new(&inode->map, &pool->file, &inode->log, &inode->log_lock, &pool->leaked, err);
    if (rc == NOVA_OK) {
        inode->map->in_place = inode->in_place;
        biased_lock_give_up_bias(&inode->log_lock); /* faults and nova_force() come as guests */
    }
    log_unlock_guest(inode);
    return rc;
}

/* What nova_map() and nova_pin() want of an inode, off and len. */
static int check_range(const struct nova_inode *inode, uint64_t off, uint64_t len, struct nova_error *err) {
    if (inode->log.type != NOVA_FILE)
        return nova_fail(err, NOVA_EISDIR, "inode %u is not a file", inode->log.ino);
    if (off % BLK != 0 || len == 0)
        return nova_fail(err, NOVA_EINVAL, "a region of %llu bytes at offset %llu: the offset must be one of a page",
                         (unsigned long long)len, (unsigned long long)off);
    if (len > LEN_MAX || off > (uint64_t)NOVA_FILE_SIZE_MAX || len > (uint64_t)NOVA_FILE_SIZE_MAX - off)
        return nova_fail(err, NOVA_EFBIG, "a region of %llu bytes at offset %llu is beyond the limits",
                         (unsigned long long)len, (unsigned long long)off);
    return NOVA_OK;
}

/* Where commits that no call makes are counted: what was said first stays. */
static void take_counter(struct nova_inode *inode, uint64_t *appended) {
    log_lock_guest(inode);
    if (inode->map->appended == NULL)
        inode->map->appended = appended;
    log_unlock_guest(inode);
}

int nova_map(nova_inode *inode, uint64_t off, uint64_t len, uint32_t flags, uint64_t *appended, nova_region **out,
             struct nova_error *err) {
    *out = NULL;
    if ((flags & ~(NOVA_MAP_WRITE | NOVA_MAP_EAGER)) != 0)
        return nova_fail(err, NOVA_EINVAL, "unknown flags %#x", flags);
    int rc = check_range(inode, off, len, err);
    if (rc != NOVA_OK)
        return rc;
    nova_region *region = malloc(sizeof *region);
    if (region == NULL)
        return nova_fail(err, NOVA_ENOMEM, "no memory for a region");
    rc = need_file_map(inode, err);
    if (rc == NOVA_OK) {
        take_counter(inode, appended);
        int prot = PROT_READ | ((flags & NOVA_MAP_WRITE) != 0 ? PROT_WRITE : 0);
        rc = file_map_add(inode->map, off / BLK, len, prot, (flags & NOVA_MAP_EAGER) == 0, &region->r, err);
    }
    if (rc != NOVA_OK) {
        free(region);
        return rc;
    }
    *out = region;
    return NOVA_OK;
}

/* The pages of bytes of a region. */
static int find_pages(const struct region *r, uint64_t off, uint64_t len, uint64_t *page, uint64_t *n,
                      struct nova_error *err) {
    if (off > r->len || len > r->len - off)
        return nova_fail(err, NOVA_EINVAL, "bytes %llu+%llu lie outside a region of %llu bytes",
                         (unsigned long long)off, (unsigned long long)len, (unsigned long long)r->len);
    *page = off / BLK;
    *n = len == 0 ? 0 : (off + len - 1) / BLK + 1 - *page;
    return NOVA_OK;
}

int nova_force(nova_region *region, uint64_t off, uint64_t len, struct nova_error *err) {
    uint64_t page = 0, n = 0;
    int rc = find_pages(region->r, off, len, &page, &n, err);
    return rc != NOVA_OK ? rc : file_map_force(region->r, page, n, err);
}

int nova_populate(nova_region *region, uint64_t off, uint64_t len, uint32_t allocate, struct nova_error *err) {
    uint64_t page = 0, n = 0;
    int rc = find_pages(region->r, off, len, &page, &n, err);
    return rc != NOVA_OK ? rc : file_map_populate(region->r, page, n, allocate != 0, err);
}

int nova_region_read(nova_region *region, uint64_t off, void *buf, uint64_t len, struct nova_error *err) {
    uint64_t page = 0, n = 0;
    int rc = find_pages(region->r, off, len, &page, &n, err);
    return rc != NOVA_OK ? rc : file_map_read(region->r, off, buf, len, err);
}

int nova_region_stat(nova_region *region, struct nova_region_stat *stat) {
    file_map_stat(region->r, stat);
    return NOVA_OK;
}

void nova_region_close(nova_region *region) {
    file_map_remove(region->r);
}

void nova_region_free(nova_region *region) {
    if (region == NULL)
        return;
    file_map_remove(region->r);
    region_delete(region->r);
    free(region);
}

int nova_set_in_place(nova_inode *inode, uint32_t on) {
    inode->in_place = on != 0;
    if (inode->map != NULL) {
        log_lock_guest(inode);
        inode->map->in_place = inode->in_place;
        log_unlock_guest(inode);
    }
    return NOVA_OK;
}

int nova_pin(nova_inode *inode, uint64_t off, uint64_t len, uint64_t *appended, nova_pinned **out, uint64_t *pool_off,
             struct nova_error *err) {
    uint32_t blk = 0;
    *out = NULL;
    int rc = check_range(inode, off, len, err);
    if (rc == NOVA_OK)
        rc = need_file_map(inode, err);
    if (rc != NOVA_OK)
        return rc;
    take_counter(inode, appended);
    rc = file_map_pin(inode->map, off / BLK, pages_of(len), out, &blk, err);
    *pool_off = (uint64_t)blk * BLK;
    return rc;
}

int nova_pin_force(nova_inode *inode, const nova_pinned *pinned, struct nova_error *err) {
    return file_map_force_pinned(inode->map, pinned, err);
}
