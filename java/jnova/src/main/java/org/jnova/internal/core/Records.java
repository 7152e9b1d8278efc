/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import java.nio.ByteBuffer;

/**
 * Fields of a {@code nova_record}: a validated log entry as replay reports it. {@code at} is the offset of the record
 * in the memory it came in.
 *
 * <pre>
 *   0 kind  4 lines  8 log_blk  12 log_idx  16 seq
 *  24 write, alloc, truncate: pgoff (8)  32 blk  36 count  40 size (8)  48 mtime (8)
 *  24 hole, collapse, insert: pgoff (8)  32 count (8)  40 size (8)  48 mtime (8)
 *  24 dentry: ino  28 gen  32 type  36 name_len  40 time (8)  48 name, continued through the entry's further lines
 *  24 xattr: ctime (8)  32 value_len  36 blocks  40 removed  44 name_len  48 name, continued likewise
 * </pre>
 */
public final class Records {
    private Records() {}

    public static int kind(ByteBuffer bytes, int at) {
        return bytes.getInt(at + Abi.RECORD_KIND);
    }

    /** Records that the entry takes. */
    public static int lines(ByteBuffer bytes, int at) {
        return bytes.getInt(at + Abi.RECORD_LINES);
    }

    /** The log page that holds the entry, 0 for the inode's slot. */
    public static int logBlk(ByteBuffer bytes, int at) {
        return bytes.getInt(at + Abi.RECORD_LOG_BLK);
    }

    /** The line in it. */
    public static int logIdx(ByteBuffer bytes, int at) {
        return bytes.getInt(at + Abi.RECORD_LOG_IDX);
    }

    public static long seq(ByteBuffer bytes, int at) {
        return bytes.getLong(at + Abi.RECORD_SEQ);
    }

    /** First file page of a write or allocation. */
    public static long page(ByteBuffer bytes, int at) {
        return bytes.getLong(at + Abi.RECORD_WRITE_PGOFF);
    }

    /** First block of a write. */
    public static int blk(ByteBuffer bytes, int at) {
        return bytes.getInt(at + Abi.RECORD_WRITE_BLK);
    }

    /** Pages of a write. */
    public static int count(ByteBuffer bytes, int at) {
        return bytes.getInt(at + Abi.RECORD_WRITE_COUNT);
    }

    /** First file page of a hole, of what was removed, or of what moved up. */
    public static long rangePage(ByteBuffer bytes, int at) {
        return bytes.getLong(at + Abi.RECORD_RANGE_PGOFF);
    }

    /** Pages of a hole, or by how many pages what lies behind moved. */
    public static long rangeCount(ByteBuffer bytes, int at) {
        return bytes.getLong(at + Abi.RECORD_RANGE_COUNT);
    }

    /** File size after a change of a range. */
    public static long rangeFileSize(ByteBuffer bytes, int at) {
        return bytes.getLong(at + Abi.RECORD_RANGE_SIZE);
    }

    /** File size after a write, allocation or truncate. */
    public static long fileSize(ByteBuffer bytes, int at) {
        return bytes.getLong(at + Abi.RECORD_WRITE_SIZE);
    }

    public static int childIno(ByteBuffer bytes, int at) {
        return bytes.getInt(at + Abi.RECORD_DENTRY_INO);
    }

    public static int childGen(ByteBuffer bytes, int at) {
        return bytes.getInt(at + Abi.RECORD_DENTRY_GEN);
    }

    public static int childType(ByteBuffer bytes, int at) {
        return bytes.getInt(at + Abi.RECORD_DENTRY_TYPE);
    }

    public static byte[] childName(ByteBuffer bytes, int at) {
        byte[] name = new byte[bytes.getInt(at + Abi.RECORD_DENTRY_NAME_LEN)];
        bytes.get(at + Abi.RECORD_DENTRY_NAME, name);
        return name;
    }

    /** Bytes of an extended attribute's value. */
    public static int valueLength(ByteBuffer bytes, int at) {
        return bytes.getInt(at + Abi.RECORD_XATTR_VALUE_LEN);
    }

    /** Blocks that the value takes; 0 if it lies in the log. */
    public static int valueBlocks(ByteBuffer bytes, int at) {
        return bytes.getInt(at + Abi.RECORD_XATTR_BLOCKS);
    }

    /** Whether the attribute is gone. */
    public static boolean isRemoved(ByteBuffer bytes, int at) {
        return bytes.getInt(at + Abi.RECORD_XATTR_REMOVED) != 0;
    }

    public static byte[] attributeName(ByteBuffer bytes, int at) {
        byte[] name = new byte[bytes.getInt(at + Abi.RECORD_XATTR_NAME_LEN)];
        bytes.get(at + Abi.RECORD_XATTR_NAME, name);
        return name;
    }
}
