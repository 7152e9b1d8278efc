/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import java.nio.ByteBuffer;

/** A {@code nova_stat}: attributes of an inode. Times are nanoseconds since the epoch. */
public record InodeStat(
        long size,
        long atime,
        long mtime,
        long ctime,
        long btime,
        int ino,
        int gen,
        int type,
        int mode,
        int uid,
        int gid,
        int logPages,
        int nlink,
        long entries) {

    /** The same with another time of access. */
    public InodeStat withAccess(long time) {
        return new InodeStat(
                size, time, mtime, ctime, btime, ino, gen, type, mode, uid, gid, logPages, nlink, entries);
    }

    static InodeStat read(ByteBuffer in, int at) {
        return new InodeStat(
                in.getLong(at + Abi.STAT_FILE_SIZE),
                in.getLong(at + Abi.STAT_ATIME),
                in.getLong(at + Abi.STAT_MTIME),
                in.getLong(at + Abi.STAT_CTIME),
                in.getLong(at + Abi.STAT_BTIME),
                in.getInt(at + Abi.STAT_INO),
                in.getInt(at + Abi.STAT_GEN),
                in.getInt(at + Abi.STAT_TYPE),
                in.getInt(at + Abi.STAT_MODE),
                in.getInt(at + Abi.STAT_UID),
                in.getInt(at + Abi.STAT_GID),
                in.getInt(at + Abi.STAT_LOG_PAGES),
                in.getInt(at + Abi.STAT_NLINK),
                in.getLong(at + Abi.STAT_ENTRIES));
    }
}
