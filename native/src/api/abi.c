/* SPDX-License-Identifier: Apache-2.0 */
/* What the library says about itself: version, layout of the interface. */
#include <stdio.h>
#include <string.h>

#include "nova.h"

const char *nova_version(void) {
    return "0.1.0";
}

/* ---- layout ---- */

struct text {
    char *buf;
    size_t cap, len;
};

static void put(struct text *t, const char *what, const char *name, long long val) {
    char line[128];
    int n = snprintf(line, sizeof line, "%s%s=%lld\n", what, name, val);
    if (n < 0)
        return;
    if (t->len + (size_t)n < t->cap)
        memcpy(t->buf + t->len, line, (size_t)n + 1);
    t->len += (size_t)n;
}

#define CONST(name) put(&t, "const.", #name, (long long)(name))
#define SIZE(type) put(&t, "sizeof.", #type, (long long)sizeof(struct type))
#define AT(type, field) put(&t, "offset.", #type "." #field, (long long)offsetof(struct type, field))
/* A member of the record's union, under the name that users of the interface say. */
#define REC(member) put(&t, "offset.", "nova_record." #member, (long long)offsetof(struct nova_record, u.member))

size_t nova_abi(char *buf, size_t cap) {
    struct text t = {.buf = buf, .cap = cap};
    if (cap != 0)
        buf[0] = '\0';
    CONST(NOVA_BLOCK_SHIFT);
    CONST(NOVA_BLOCK_SIZE);
    CONST(NOVA_NAME_MAX);
    CONST(NOVA_LINK_MAX);
    CONST(NOVA_MODE_BITS);
    CONST(NOVA_SYMLINK_MAX);
    CONST(NOVA_XATTR_MAX);
    CONST(NOVA_NO_LINE);
    CONST(NOVA_FILE_SIZE_MAX);
    CONST(NOVA_POOL_SIZE_MIN);
    CONST(NOVA_POOL_SIZE_MAX);
    CONST(NOVA_WRITE_MAX);
    CONST(NOVA_ROOT_INO);
    CONST(NOVA_OK);
    CONST(NOVA_EINVAL);
    CONST(NOVA_ENOMEM);
    CONST(NOVA_ENOSPC);
    CONST(NOVA_EOS);
    CONST(NOVA_EEXIST);
    CONST(NOVA_ENOENT);
    CONST(NOVA_EBUSY);
    CONST(NOVA_ENOTPOOL);
    CONST(NOVA_EVERSION);
    CONST(NOVA_ETRUNCATED);
    CONST(NOVA_ECORRUPT);
    CONST(NOVA_ESTALE);
    CONST(NOVA_EFBIG);
    CONST(NOVA_ENAME);
    CONST(NOVA_EACCES);
    CONST(NOVA_EISDIR);
    CONST(NOVA_ENOTDIR);
    CONST(NOVA_ELINKED);
    CONST(NOVA_EMLINK);
    CONST(NOVA_STATUS_COUNT);
    CONST(NOVA_DURABLE_PMEM);
    CONST(NOVA_DURABLE_EMULATED);
    CONST(NOVA_DURABLE_MSYNC);
    CONST(NOVA_FILE);
    CONST(NOVA_DIR);
    CONST(NOVA_SYMLINK);
    CONST(NOVA_OPT_EMULATED);
    CONST(NOVA_OPT_PREFAULT);
    CONST(NOVA_REC_WRITE);
    CONST(NOVA_REC_TRUNCATE);
    CONST(NOVA_REC_SETATTR);
    CONST(NOVA_REC_DENTRY_ADD);
    CONST(NOVA_REC_DENTRY_REMOVE);
    CONST(NOVA_REC_LINK);
    CONST(NOVA_REC_HOLE);
    CONST(NOVA_REC_COLLAPSE);
    CONST(NOVA_REC_INSERT);
    CONST(NOVA_REC_ALLOC);
    CONST(NOVA_REC_XATTR);
    CONST(NOVA_ATTR_MODE);
    CONST(NOVA_ATTR_UID);
    CONST(NOVA_ATTR_GID);
    CONST(NOVA_ATTR_ATIME);
    CONST(NOVA_ATTR_MTIME);
    CONST(NOVA_ATTR_CTIME);
    CONST(NOVA_ATTR_KEEP_CTIME);
    CONST(NOVA_ATTR_BTIME);
    CONST(NOVA_RECORD_SIZE);
    CONST(NOVA_RECORDS_MAX);
    CONST(NOVA_IO_FREES);
    CONST(NOVA_IO_RECORDS);
    CONST(NOVA_PAGE_RECORDS);
    CONST(NOVA_KEEP_MAX);
    CONST(NOVA_CUT_MAX);

    SIZE(nova_error);
    AT(nova_error, code);
    AT(nova_error, os_errno);
    AT(nova_error, pool_off);
    AT(nova_error, msg);

    SIZE(nova_extent);
    AT(nova_extent, blk);
    AT(nova_extent, count);

    SIZE(nova_keep);
    AT(nova_keep, at);
    AT(nova_keep, blk);
    AT(nova_keep, count);

    SIZE(nova_progress);
    AT(nova_progress, done);
    AT(nova_progress, total);

    SIZE(nova_pool_options);
    AT(nova_pool_options, flags);
    AT(nova_pool_options, lanes);
    AT(nova_pool_options, recovery_threads);
    AT(nova_pool_options, progress);

    SIZE(nova_pool_info);
    AT(nova_pool_info, size);
    AT(nova_pool_info, blocks);
    AT(nova_pool_info, blocks_free);
    AT(nova_pool_info, blocks_data);
    AT(nova_pool_info, blocks_reserve);
    AT(nova_pool_info, inodes_used);
    AT(nova_pool_info, inodes_max);
    AT(nova_pool_info, created);
    AT(nova_pool_info, recovery_ns);
    AT(nova_pool_info, recovered_inodes);
    AT(nova_pool_info, orphans);
    AT(nova_pool_info, version);
    AT(nova_pool_info, lanes);
    AT(nova_pool_info, durability);
    AT(nova_pool_info, recovered);
    AT(nova_pool_info, incompat);
    AT(nova_pool_info, ro_compat);
    AT(nova_pool_info, compat);
    AT(nova_pool_info, uuid);
    AT(nova_pool_info, longest_free);
    AT(nova_pool_info, size_max);

    SIZE(nova_pool_stats);
    AT(nova_pool_stats, log_pages_added);
    AT(nova_pool_stats, log_pages_freed);
    AT(nova_pool_stats, faults);
    AT(nova_pool_stats, fault_pages);
    AT(nova_pool_stats, fault_moved);
    AT(nova_pool_stats, fault_hold_max_ns);
    AT(nova_pool_stats, log_lock_waits);
    AT(nova_pool_stats, redone);
    AT(nova_pool_stats, map_vmas);
    AT(nova_pool_stats, map_vmas_max);

    SIZE(nova_stat);
    AT(nova_stat, size);
    AT(nova_stat, atime);
    AT(nova_stat, mtime);
    AT(nova_stat, ctime);
    AT(nova_stat, btime);
    AT(nova_stat, ino);
    AT(nova_stat, gen);
    AT(nova_stat, type);
    AT(nova_stat, mode);
    AT(nova_stat, uid);
    AT(nova_stat, gid);
    AT(nova_stat, log_pages);
    AT(nova_stat, nlink);
    AT(nova_stat, entries);

    SIZE(nova_run);
    AT(nova_run, pgoff);
    AT(nova_run, count);

    CONST(NOVA_MAP_WRITE);
    CONST(NOVA_MAP_EAGER);
    SIZE(nova_region_stat);
    AT(nova_region_stat, addr);
    AT(nova_region_stat, len);
    AT(nova_region_stat, faults);
    AT(nova_region_stat, allocated);
    AT(nova_region_stat, mapped);
    AT(nova_region_stat, vmas);
    AT(nova_region_stat, vmas_all);
    AT(nova_region_stat, vmas_max);
    AT(nova_region_stat, moved);
    AT(nova_region_stat, hold_max_ns);
    AT(nova_region_stat, hold_p99_ns);
    AT(nova_region_stat, lazy);
    AT(nova_region_stat, in_place);

    SIZE(nova_name);
    AT(nova_name, dir);
    AT(nova_name, name);
    AT(nova_name, len);
    AT(nova_name, ino);
    AT(nova_name, gen);
    AT(nova_name, type);
    AT(nova_name, child);
    AT(nova_name, io);

    SIZE(nova_record);
    AT(nova_record, kind);
    AT(nova_record, lines);
    AT(nova_record, log_blk);
    AT(nova_record, log_idx);
    AT(nova_record, seq);
    REC(write.pgoff);
    REC(write.blk);
    REC(write.count);
    REC(write.size);
    REC(write.mtime);
    REC(range.pgoff);
    REC(range.count);
    REC(range.size);
    REC(range.mtime);
    REC(attr.mask);
    REC(attr.mode);
    REC(attr.uid);
    REC(attr.gid);
    REC(attr.atime);
    REC(attr.mtime);
    REC(attr.ctime);
    REC(dentry.ino);
    REC(dentry.gen);
    REC(dentry.type);
    REC(dentry.name_len);
    REC(dentry.time);
    REC(dentry.name);
    REC(link.nlink);
    REC(link.ctime);
    REC(xattr.ctime);
    REC(xattr.value_len);
    REC(xattr.blocks);
    REC(xattr.removed);
    REC(xattr.name_len);
    REC(xattr.name);

    SIZE(nova_io);
    AT(nova_io, free_count);
    AT(nova_io, record_count);
    AT(nova_io, more);
    AT(nova_io, size);
    AT(nova_io, err);
    AT(nova_io, frees);
    AT(nova_io, records);

    SIZE(nova_fsck_summary);
    AT(nova_fsck_summary, errors);
    AT(nova_fsck_summary, warnings);
    AT(nova_fsck_summary, inodes);
    AT(nova_fsck_summary, entries);
    AT(nova_fsck_summary, blocks_used);
    AT(nova_fsck_summary, blocks_free);
    AT(nova_fsck_summary, blocks_total);
    AT(nova_fsck_summary, bytes);
    AT(nova_fsck_summary, repaired);
    AT(nova_fsck_summary, clean);
    return t.len;
}
