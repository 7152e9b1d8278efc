/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

/**
 * Sizes, offsets and constants of {@code nova.h} that this side uses. Offsets are bytes. A test compares each of them
 * with what the library itself says ({@code nova_abi}): the name there is that of the structure and field, in C's
 * spelling.
 */
public final class Abi {
    private Abi() {}

    // nova_status
    public static final int OK = 0;
    public static final int EINVAL = 1;
    public static final int ENOMEM = 2;
    public static final int ENOSPC = 3;
    public static final int EOS = 4;
    public static final int EEXIST = 5;
    public static final int ENOENT = 6;
    public static final int EBUSY = 7;
    public static final int ENOTPOOL = 8;
    public static final int EVERSION = 9;
    public static final int ETRUNCATED = 10;
    public static final int ECORRUPT = 11;
    public static final int ESTALE = 12;
    public static final int EFBIG = 13;
    public static final int ENAME = 14;
    public static final int EACCES = 15;
    public static final int EISDIR = 16;
    public static final int ENOTDIR = 17;
    public static final int ELINKED = 18;
    public static final int EMLINK = 19;
    public static final int STATUS_COUNT = 20;

    // limits
    public static final int BLOCK_SHIFT = 12;
    public static final int BLOCK_SIZE = 1 << BLOCK_SHIFT;
    public static final int NAME_MAX = 255;
    public static final int LINK_MAX = 65000;
    public static final int MODE_BITS = 07777;
    public static final int SYMLINK_MAX = 4095;
    public static final int XATTR_MAX = 65536;
    public static final int NO_LINE = 255;
    public static final long FILE_SIZE_MAX = 1L << 60;
    public static final long POOL_SIZE_MIN = 1L << 20;
    public static final long POOL_SIZE_MAX = 1L << 43;
    public static final long WRITE_MAX = 1L << 31;
    public static final int ROOT_INO = 1;
    public static final long NO_OFF = -1;

    // nova_durability
    public static final int DURABLE_PMEM = 1;
    public static final int DURABLE_EMULATED = 2;
    public static final int DURABLE_MSYNC = 3;

    // nova_file_type
    public static final int FILE = 1;
    public static final int DIR = 2;
    public static final int SYMLINK = 3;

    // nova_error
    public static final int ERROR_SIZE = 256;
    public static final int ERROR_CODE = 0;
    public static final int ERROR_OS_ERRNO = 4;
    public static final int ERROR_POOL_OFF = 8;
    public static final int ERROR_MSG = 16;

    // nova_extent
    public static final int EXTENT_SIZE = 8;
    public static final int EXTENT_BLK = 0;
    public static final int EXTENT_COUNT = 4;

    // nova_keep
    public static final int KEEP_MAX = 504;
    public static final int CUT_MAX = 64;
    public static final int PAGE_RECORDS = 128;
    public static final int KEEP_SIZE = 16;
    public static final int KEEP_AT = 0;
    public static final int KEEP_BLK = 8;
    public static final int KEEP_COUNT = 12;

    // nova_progress
    public static final int PROGRESS_SIZE = 16;
    public static final int PROGRESS_DONE = 0;
    public static final int PROGRESS_TOTAL = 8;

    // nova_pool_options
    public static final int OPT_EMULATED = 1;
    public static final int OPT_PREFAULT = 2;
    public static final int OPTIONS_SIZE = 24;
    public static final int OPTIONS_FLAGS = 0;
    public static final int OPTIONS_LANES = 4;
    public static final int OPTIONS_RECOVERY_THREADS = 8;
    public static final int OPTIONS_PROGRESS = 16;

    // nova_pool_info
    public static final int INFO_SIZE = 160;
    public static final int INFO_POOL_SIZE = 0;
    public static final int INFO_BLOCKS = 8;
    public static final int INFO_BLOCKS_FREE = 16;
    public static final int INFO_BLOCKS_DATA = 24;
    public static final int INFO_BLOCKS_RESERVE = 32;
    public static final int INFO_INODES_USED = 40;
    public static final int INFO_INODES_MAX = 48;
    public static final int INFO_CREATED = 56;
    public static final int INFO_RECOVERY_NS = 64;
    public static final int INFO_RECOVERED_INODES = 72;
    public static final int INFO_ORPHANS = 80;
    public static final int INFO_VERSION = 88;
    public static final int INFO_LANES = 92;
    public static final int INFO_DURABILITY = 96;
    public static final int INFO_RECOVERED = 100;
    public static final int INFO_UUID = 128;
    public static final int INFO_LONGEST_FREE = 144;
    public static final int INFO_SIZE_MAX = 152;

    // nova_pool_stats
    public static final int STATS_SIZE = 80;
    public static final int STATS_LOG_PAGES_ADDED = 0;
    public static final int STATS_LOG_PAGES_FREED = 8;
    public static final int STATS_FAULTS = 16;
    public static final int STATS_FAULT_PAGES = 24;
    public static final int STATS_FAULT_MOVED = 32;
    public static final int STATS_FAULT_HOLD_MAX_NS = 40;
    public static final int STATS_LOG_LOCK_WAITS = 48;
    public static final int STATS_REDONE = 56;
    public static final int STATS_MAP_VMAS = 64;
    public static final int STATS_MAP_VMAS_MAX = 72;

    // nova_stat
    public static final int STAT_SIZE = 80;
    public static final int STAT_FILE_SIZE = 0;
    public static final int STAT_ATIME = 8;
    public static final int STAT_MTIME = 16;
    public static final int STAT_CTIME = 24;
    public static final int STAT_BTIME = 32;
    public static final int STAT_INO = 40;
    public static final int STAT_GEN = 44;
    public static final int STAT_TYPE = 48;
    public static final int STAT_MODE = 52;
    public static final int STAT_UID = 56;
    public static final int STAT_GID = 60;
    public static final int STAT_LOG_PAGES = 64;
    public static final int STAT_NLINK = 68;
    public static final int STAT_ENTRIES = 72;

    // nova_run
    public static final int RUN_SIZE = 16;
    public static final int RUN_PGOFF = 0;
    public static final int RUN_COUNT = 8;

    // nova_map
    public static final int MAP_WRITE = 1;
    public static final int MAP_EAGER = 2;

    // nova_region_stat
    public static final int REGION_SIZE = 96;
    public static final int REGION_ADDR = 0;
    public static final int REGION_LEN = 8;
    public static final int REGION_FAULTS = 16;
    public static final int REGION_ALLOCATED = 24;
    public static final int REGION_MAPPED = 32;
    public static final int REGION_VMAS = 40;
    public static final int REGION_VMAS_ALL = 48;
    public static final int REGION_VMAS_MAX = 56;
    public static final int REGION_MOVED = 64;
    public static final int REGION_HOLD_MAX_NS = 72;
    public static final int REGION_HOLD_P99_NS = 80;
    public static final int REGION_LAZY = 88;
    public static final int REGION_IN_PLACE = 92;

    // nova_name
    public static final int NAME_SIZE = 48;
    public static final int NAME_DIR = 0;
    public static final int NAME_NAME = 8;
    public static final int NAME_LEN = 16;
    public static final int NAME_INO = 20;
    public static final int NAME_GEN = 24;
    public static final int NAME_TYPE = 28;
    public static final int NAME_CHILD = 32;
    public static final int NAME_IO = 40;

    // nova_record_kind
    public static final int REC_WRITE = 1;
    public static final int REC_TRUNCATE = 2;
    public static final int REC_SETATTR = 3;
    public static final int REC_DENTRY_ADD = 4;
    public static final int REC_DENTRY_REMOVE = 5;
    public static final int REC_LINK = 6;
    public static final int REC_HOLE = 8;
    public static final int REC_COLLAPSE = 9;
    public static final int REC_INSERT = 10;
    public static final int REC_ALLOC = 11;
    public static final int REC_XATTR = 12;

    // masks of nova_setattr
    public static final int ATTR_MODE = 1;
    public static final int ATTR_UID = 2;
    public static final int ATTR_GID = 4;
    public static final int ATTR_ATIME = 8;
    public static final int ATTR_MTIME = 16;
    public static final int ATTR_KEEP_CTIME = 64;
    public static final int ATTR_BTIME = 128;

    // nova_record
    public static final int RECORD_SIZE = 64;
    public static final int RECORDS_MAX = 5;
    public static final int RECORD_KIND = 0;
    public static final int RECORD_LINES = 4;
    public static final int RECORD_LOG_BLK = 8;
    public static final int RECORD_LOG_IDX = 12;
    public static final int RECORD_SEQ = 16;
    public static final int RECORD_WRITE_PGOFF = 24;
    public static final int RECORD_WRITE_BLK = 32;
    public static final int RECORD_WRITE_COUNT = 36;
    public static final int RECORD_WRITE_SIZE = 40;
    public static final int RECORD_RANGE_PGOFF = 24;
    public static final int RECORD_RANGE_COUNT = 32;
    public static final int RECORD_RANGE_SIZE = 40;
    public static final int RECORD_DENTRY_INO = 24;
    public static final int RECORD_DENTRY_GEN = 28;
    public static final int RECORD_DENTRY_TYPE = 32;
    public static final int RECORD_DENTRY_NAME_LEN = 36;
    public static final int RECORD_DENTRY_NAME = 48;
    public static final int RECORD_XATTR_VALUE_LEN = 32;
    public static final int RECORD_XATTR_BLOCKS = 36;
    public static final int RECORD_XATTR_REMOVED = 40;
    public static final int RECORD_XATTR_NAME_LEN = 44;
    public static final int RECORD_XATTR_NAME = 48;

    // nova_io
    public static final int IO_FREES_MAX = 64;
    public static final int IO_RECORDS_MAX = 16;
    public static final int IO_SIZE = 1856;
    public static final int IO_FREE_COUNT = 0;
    public static final int IO_RECORD_COUNT = 4;
    public static final int IO_MORE = 8;
    public static final int IO_FILE_SIZE = 16;
    public static final int IO_ERR = 64;
    public static final int IO_FREES = 320;
    public static final int IO_RECORDS = 832;

    // nova_fsck_summary
    public static final int FSCK_SIZE = 80;
    public static final int FSCK_ERRORS = 0;
    public static final int FSCK_WARNINGS = 8;
    public static final int FSCK_INODES = 16;
    public static final int FSCK_ENTRIES = 24;
    public static final int FSCK_BLOCKS_USED = 32;
    public static final int FSCK_BLOCKS_FREE = 40;
    public static final int FSCK_BLOCKS_TOTAL = 48;
    public static final int FSCK_BYTES = 56;
    public static final int FSCK_REPAIRED = 64;
    public static final int FSCK_CLEAN = 72;
}
