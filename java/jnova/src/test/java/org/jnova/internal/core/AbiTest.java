/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Java and C agree on every size, offset and constant that Java uses. */
class AbiTest {
    /** Java constant and name in the native library's list, in the order of {@link Abi}. */
    private static final String[] PAIRS = {
        "OK const.NOVA_OK", "EINVAL const.NOVA_EINVAL", "ENOMEM const.NOVA_ENOMEM", "ENOSPC const.NOVA_ENOSPC",
        "EOS const.NOVA_EOS", "EEXIST const.NOVA_EEXIST", "ENOENT const.NOVA_ENOENT", "EBUSY const.NOVA_EBUSY",
        "ENOTPOOL const.NOVA_ENOTPOOL", "EVERSION const.NOVA_EVERSION", "ETRUNCATED const.NOVA_ETRUNCATED",
        "ECORRUPT const.NOVA_ECORRUPT", "ESTALE const.NOVA_ESTALE", "EFBIG const.NOVA_EFBIG", "ENAME const.NOVA_ENAME",
        "EACCES const.NOVA_EACCES", "EISDIR const.NOVA_EISDIR", "ENOTDIR const.NOVA_ENOTDIR",
        "ELINKED const.NOVA_ELINKED", "EMLINK const.NOVA_EMLINK", "STATUS_COUNT const.NOVA_STATUS_COUNT",
        "BLOCK_SHIFT const.NOVA_BLOCK_SHIFT", "BLOCK_SIZE const.NOVA_BLOCK_SIZE", "NAME_MAX const.NOVA_NAME_MAX",
        "LINK_MAX const.NOVA_LINK_MAX", "MODE_BITS const.NOVA_MODE_BITS", "SYMLINK_MAX const.NOVA_SYMLINK_MAX",
        "XATTR_MAX const.NOVA_XATTR_MAX", "NO_LINE const.NOVA_NO_LINE",
        "FILE_SIZE_MAX const.NOVA_FILE_SIZE_MAX", "POOL_SIZE_MIN const.NOVA_POOL_SIZE_MIN",
        "POOL_SIZE_MAX const.NOVA_POOL_SIZE_MAX", "WRITE_MAX const.NOVA_WRITE_MAX", "ROOT_INO const.NOVA_ROOT_INO",
        "DURABLE_PMEM const.NOVA_DURABLE_PMEM", "DURABLE_EMULATED const.NOVA_DURABLE_EMULATED",
        "DURABLE_MSYNC const.NOVA_DURABLE_MSYNC",
        "FILE const.NOVA_FILE", "DIR const.NOVA_DIR", "SYMLINK const.NOVA_SYMLINK",
        "ERROR_SIZE sizeof.nova_error", "ERROR_CODE offset.nova_error.code",
        "ERROR_OS_ERRNO offset.nova_error.os_errno",
        "ERROR_POOL_OFF offset.nova_error.pool_off", "ERROR_MSG offset.nova_error.msg",
        "EXTENT_SIZE sizeof.nova_extent", "EXTENT_BLK offset.nova_extent.blk", "EXTENT_COUNT offset.nova_extent.count",
        "PROGRESS_SIZE sizeof.nova_progress", "PROGRESS_DONE offset.nova_progress.done",
        "PROGRESS_TOTAL offset.nova_progress.total",
        "OPT_EMULATED const.NOVA_OPT_EMULATED", "OPT_PREFAULT const.NOVA_OPT_PREFAULT", "OPTIONS_SIZE sizeof.nova_pool_options",
        "OPTIONS_FLAGS offset.nova_pool_options.flags", "OPTIONS_LANES offset.nova_pool_options.lanes",
        "OPTIONS_RECOVERY_THREADS offset.nova_pool_options.recovery_threads",
        "OPTIONS_PROGRESS offset.nova_pool_options.progress",
        "INFO_SIZE sizeof.nova_pool_info", "INFO_POOL_SIZE offset.nova_pool_info.size",
        "INFO_BLOCKS offset.nova_pool_info.blocks", "INFO_BLOCKS_FREE offset.nova_pool_info.blocks_free",
        "INFO_BLOCKS_DATA offset.nova_pool_info.blocks_data",
        "INFO_BLOCKS_RESERVE offset.nova_pool_info.blocks_reserve",
        "INFO_INODES_USED offset.nova_pool_info.inodes_used", "INFO_INODES_MAX offset.nova_pool_info.inodes_max",
        "INFO_CREATED offset.nova_pool_info.created", "INFO_RECOVERY_NS offset.nova_pool_info.recovery_ns",
        "INFO_RECOVERED_INODES offset.nova_pool_info.recovered_inodes", "INFO_ORPHANS offset.nova_pool_info.orphans",
        "INFO_VERSION offset.nova_pool_info.version", "INFO_LANES offset.nova_pool_info.lanes",
        "INFO_DURABILITY offset.nova_pool_info.durability", "INFO_RECOVERED offset.nova_pool_info.recovered",
        "INFO_UUID offset.nova_pool_info.uuid", "INFO_LONGEST_FREE offset.nova_pool_info.longest_free",
        "INFO_SIZE_MAX offset.nova_pool_info.size_max",
        "STATS_SIZE sizeof.nova_pool_stats",
        "STATS_LOG_PAGES_ADDED offset.nova_pool_stats.log_pages_added",
        "STATS_LOG_PAGES_FREED offset.nova_pool_stats.log_pages_freed",
        "STATS_FAULTS offset.nova_pool_stats.faults",
        "STATS_FAULT_PAGES offset.nova_pool_stats.fault_pages",
        "STATS_FAULT_MOVED offset.nova_pool_stats.fault_moved",
        "STATS_FAULT_HOLD_MAX_NS offset.nova_pool_stats.fault_hold_max_ns",
        "STATS_LOG_LOCK_WAITS offset.nova_pool_stats.log_lock_waits",
        "STATS_REDONE offset.nova_pool_stats.redone",
        "STATS_MAP_VMAS offset.nova_pool_stats.map_vmas",
        "STATS_MAP_VMAS_MAX offset.nova_pool_stats.map_vmas_max",
        "STAT_SIZE sizeof.nova_stat", "STAT_FILE_SIZE offset.nova_stat.size", "STAT_ATIME offset.nova_stat.atime",
        "STAT_MTIME offset.nova_stat.mtime", "STAT_CTIME offset.nova_stat.ctime", "STAT_BTIME offset.nova_stat.btime",
        "STAT_INO offset.nova_stat.ino", "STAT_GEN offset.nova_stat.gen", "STAT_TYPE offset.nova_stat.type",
        "STAT_MODE offset.nova_stat.mode", "STAT_UID offset.nova_stat.uid", "STAT_GID offset.nova_stat.gid",
        "STAT_LOG_PAGES offset.nova_stat.log_pages", "STAT_NLINK offset.nova_stat.nlink",
        "STAT_ENTRIES offset.nova_stat.entries",
        "KEEP_MAX const.NOVA_KEEP_MAX", "CUT_MAX const.NOVA_CUT_MAX", "PAGE_RECORDS const.NOVA_PAGE_RECORDS",
        "KEEP_SIZE sizeof.nova_keep", "KEEP_AT offset.nova_keep.at", "KEEP_BLK offset.nova_keep.blk",
        "KEEP_COUNT offset.nova_keep.count",
        "RUN_SIZE sizeof.nova_run", "RUN_PGOFF offset.nova_run.pgoff", "RUN_COUNT offset.nova_run.count",
        "MAP_WRITE const.NOVA_MAP_WRITE", "MAP_EAGER const.NOVA_MAP_EAGER",
        "REGION_SIZE sizeof.nova_region_stat", "REGION_ADDR offset.nova_region_stat.addr",
        "REGION_LEN offset.nova_region_stat.len", "REGION_FAULTS offset.nova_region_stat.faults",
        "REGION_ALLOCATED offset.nova_region_stat.allocated", "REGION_MAPPED offset.nova_region_stat.mapped",
        "REGION_VMAS offset.nova_region_stat.vmas", "REGION_VMAS_ALL offset.nova_region_stat.vmas_all",
        "REGION_VMAS_MAX offset.nova_region_stat.vmas_max", "REGION_MOVED offset.nova_region_stat.moved",
        "REGION_HOLD_MAX_NS offset.nova_region_stat.hold_max_ns",
        "REGION_HOLD_P99_NS offset.nova_region_stat.hold_p99_ns", "REGION_LAZY offset.nova_region_stat.lazy",
        "REGION_IN_PLACE offset.nova_region_stat.in_place",
        "NAME_SIZE sizeof.nova_name", "NAME_DIR offset.nova_name.dir", "NAME_NAME offset.nova_name.name",
        "NAME_LEN offset.nova_name.len", "NAME_INO offset.nova_name.ino", "NAME_GEN offset.nova_name.gen",
        "NAME_TYPE offset.nova_name.type", "NAME_CHILD offset.nova_name.child", "NAME_IO offset.nova_name.io",
        "REC_LINK const.NOVA_REC_LINK", "ATTR_MODE const.NOVA_ATTR_MODE", "ATTR_UID const.NOVA_ATTR_UID",
        "ATTR_GID const.NOVA_ATTR_GID", "ATTR_ATIME const.NOVA_ATTR_ATIME", "ATTR_MTIME const.NOVA_ATTR_MTIME",
        "ATTR_KEEP_CTIME const.NOVA_ATTR_KEEP_CTIME", "ATTR_BTIME const.NOVA_ATTR_BTIME",
        "REC_WRITE const.NOVA_REC_WRITE", "REC_TRUNCATE const.NOVA_REC_TRUNCATE", "REC_SETATTR const.NOVA_REC_SETATTR",
        "REC_DENTRY_ADD const.NOVA_REC_DENTRY_ADD", "REC_DENTRY_REMOVE const.NOVA_REC_DENTRY_REMOVE",
        "REC_HOLE const.NOVA_REC_HOLE", "REC_COLLAPSE const.NOVA_REC_COLLAPSE", "REC_INSERT const.NOVA_REC_INSERT",
        "REC_ALLOC const.NOVA_REC_ALLOC", "REC_XATTR const.NOVA_REC_XATTR",
        "RECORD_SIZE const.NOVA_RECORD_SIZE", "RECORDS_MAX const.NOVA_RECORDS_MAX",
        "RECORD_KIND offset.nova_record.kind", "RECORD_LINES offset.nova_record.lines",
        "RECORD_LOG_BLK offset.nova_record.log_blk", "RECORD_LOG_IDX offset.nova_record.log_idx",
        "RECORD_SEQ offset.nova_record.seq",
        "RECORD_WRITE_PGOFF offset.nova_record.write.pgoff", "RECORD_WRITE_BLK offset.nova_record.write.blk",
        "RECORD_WRITE_COUNT offset.nova_record.write.count", "RECORD_WRITE_SIZE offset.nova_record.write.size",
        "RECORD_RANGE_PGOFF offset.nova_record.range.pgoff", "RECORD_RANGE_COUNT offset.nova_record.range.count",
        "RECORD_RANGE_SIZE offset.nova_record.range.size",
        "RECORD_DENTRY_INO offset.nova_record.dentry.ino", "RECORD_DENTRY_GEN offset.nova_record.dentry.gen",
        "RECORD_DENTRY_TYPE offset.nova_record.dentry.type",
        "RECORD_DENTRY_NAME_LEN offset.nova_record.dentry.name_len",
        "RECORD_DENTRY_NAME offset.nova_record.dentry.name",
        "RECORD_XATTR_VALUE_LEN offset.nova_record.xattr.value_len",
        "RECORD_XATTR_BLOCKS offset.nova_record.xattr.blocks",
        "RECORD_XATTR_REMOVED offset.nova_record.xattr.removed",
        "RECORD_XATTR_NAME_LEN offset.nova_record.xattr.name_len",
        "RECORD_XATTR_NAME offset.nova_record.xattr.name",
        "IO_FREES_MAX const.NOVA_IO_FREES", "IO_RECORDS_MAX const.NOVA_IO_RECORDS", "IO_SIZE sizeof.nova_io",
        "IO_FREE_COUNT offset.nova_io.free_count", "IO_RECORD_COUNT offset.nova_io.record_count",
        "IO_MORE offset.nova_io.more", "IO_FILE_SIZE offset.nova_io.size", "IO_ERR offset.nova_io.err",
        "IO_FREES offset.nova_io.frees", "IO_RECORDS offset.nova_io.records",
        "FSCK_SIZE sizeof.nova_fsck_summary", "FSCK_ERRORS offset.nova_fsck_summary.errors",
        "FSCK_WARNINGS offset.nova_fsck_summary.warnings", "FSCK_INODES offset.nova_fsck_summary.inodes",
        "FSCK_ENTRIES offset.nova_fsck_summary.entries", "FSCK_BLOCKS_USED offset.nova_fsck_summary.blocks_used",
        "FSCK_BLOCKS_FREE offset.nova_fsck_summary.blocks_free",
        "FSCK_BLOCKS_TOTAL offset.nova_fsck_summary.blocks_total", "FSCK_BYTES offset.nova_fsck_summary.bytes",
        "FSCK_REPAIRED offset.nova_fsck_summary.repaired", "FSCK_CLEAN offset.nova_fsck_summary.clean",
    };

    @Test
    void everyConstantIsTheLibrarys() throws ReflectiveOperationException {
        Map<String, Long> library = new HashMap<>();
        PoolTools.abi().lines().forEach(line -> {
            String[] part = line.split("=");
            library.put(part[0], part[1].startsWith("-") ? Long.parseLong(part[1]) : Long.parseUnsignedLong(part[1]));
        });
        Set<String> checked = new HashSet<>(Set.of("NO_OFF"));
        assertEquals(-1, Abi.NO_OFF, "UINT64_MAX, which the list does not have");
        for (String pair : PAIRS) {
            String[] part = pair.split(" ");
            Long native_ = library.get(part[1]);
            assertNotNull(native_, () -> "the library does not know " + part[1]);
            Field field = Abi.class.getField(part[0]);
            assertEquals(native_, ((Number) field.get(null)).longValue(), part[1]);
            assertTrue(checked.add(part[0]), part[0]);
        }
        for (Field field : Abi.class.getFields()) {
            assertTrue(!Modifier.isStatic(field.getModifiers()) || checked.contains(field.getName()),
                    () -> field.getName() + " is not checked");
        }
        assertEquals(library.get("sizeof.nova_record"), Abi.RECORD_SIZE);
    }

    @Test
    void ioBlockFitsItsStride() {
        assertTrue(Abi.IO_SIZE + Long.BYTES <= IoBlock.STRIDE);
        assertEquals(0, IoBlock.STRIDE % 64);
        assertEquals(Abi.IO_SIZE, Abi.IO_RECORDS + Abi.IO_RECORDS_MAX * Abi.RECORD_SIZE);
        assertEquals(Abi.IO_RECORDS, Abi.IO_FREES + Abi.IO_FREES_MAX * Abi.EXTENT_SIZE);
    }
}
