/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import java.nio.ByteBuffer;

/**
 * Fields of a {@code nova_record}: a validated log entry as replay reports it. {@code at} is the offset of the record
 * in the memory it came in.
 *
 * <pre>
 *   0 kind  4 lines  8 log_blk  12 log_idx  16 seq
 *  24 write, truncate: pgoff (8)  32 blk  36 count  40 size (8)  48 mtime (8)
 *  24 dentry: ino  28 gen  32 type  36 name_len  40 time (8)  48 name, continued through the entry's further lines
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

    public static long seq(ByteBuffer bytes, int at) {
        return bytes.getLong(at + Abi.RECORD_SEQ);
    }

    /** First file page of a write. */
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

    /** File size after a write or truncate. */
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
}
