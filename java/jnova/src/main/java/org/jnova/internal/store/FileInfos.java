/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import java.nio.file.attribute.FileTime;
import java.util.concurrent.TimeUnit;
import org.jnova.FileInfo;
import org.jnova.FileType;
import org.jnova.internal.core.Abi;
import org.jnova.internal.core.InodeStat;

/** Makes the public form of a file's attributes. */
public final class FileInfos {
    private FileInfos() {}

    /** The attributes of a file or symbolic link at this moment. */
    public static FileInfo of(String name, InodeState state) throws IOException {
        InodeState.Attributes attributes = state.attributes();
        InodeStat stat = attributes.stat();
        return of(
                name,
                stat,
                stat.size(),
                attributes.pages(),
                attributes.valueBlocks(),
                Integer.toUnsignedLong(stat.nlink()));
    }

    /** The attributes of a directory at this moment, or null if it has been deleted. */
    static FileInfo of(String name, DirectoryState state) throws IOException {
        DirectoryState.Attributes attributes = state.attributes();
        return attributes == null
                ? null
                : of(
                        name,
                        attributes.stat(),
                        attributes.names(),
                        0,
                        attributes.valueBlocks(),
                        2L + attributes.directories());
    }

    private static FileInfo of(
            String name, InodeStat stat, long size, long pages, long valueBlocks, long nlink) {
        long logPages = Integer.toUnsignedLong(stat.logPages());
        return new FileInfo(
                name,
                Integer.toUnsignedLong(stat.ino()),
                Integer.toUnsignedLong(stat.gen()),
                type(stat.type()),
                size,
                pages << Abi.BLOCK_SHIFT,
                pages + valueBlocks + logPages,
                stat.entries(),
                logPages,
                stat.mode(),
                Integer.toUnsignedLong(stat.uid()),
                Integer.toUnsignedLong(stat.gid()),
                nlink,
                time(stat.btime()),
                time(stat.mtime()),
                time(stat.atime()),
                time(stat.ctime()));
    }

    private static FileTime time(long nanos) {
        return FileTime.from(nanos, TimeUnit.NANOSECONDS);
    }

    static FileType type(int type) {
        return switch (type) {
            case Abi.DIR -> FileType.DIRECTORY;
            case Abi.SYMLINK -> FileType.SYMLINK;
            default -> FileType.FILE;
        };
    }
}
