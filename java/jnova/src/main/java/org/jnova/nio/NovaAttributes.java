/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.UserPrincipal;
import java.util.Set;
import org.jnova.FileInfo;
import org.jnova.FileType;

/**
 * Attributes of one moment.
 *
 * @param fileKey what tells it from others
 * @param info what the store says
 */
record NovaAttributes(FileKey fileKey, FileInfo info) implements PosixFileAttributes {
    private static final int TYPE_FILE = 0100000;
    private static final int TYPE_DIRECTORY = 0040000;
    private static final int TYPE_LINK = 0120000;

    static NovaAttributes of(NovaFileSystem fs, FileInfo info) {
        return new NovaAttributes(FileKey.of(fs, info), info);
    }

    @Override
    public FileTime lastModifiedTime() {
        return info.modified();
    }

    @Override
    public FileTime lastAccessTime() {
        return info.accessed();
    }

    @Override
    public FileTime creationTime() {
        return info.created();
    }

    @Override
    public boolean isRegularFile() {
        return info.type() == FileType.FILE;
    }

    @Override
    public boolean isDirectory() {
        return info.type() == FileType.DIRECTORY;
    }

    @Override
    public boolean isSymbolicLink() {
        return info.type() == FileType.SYMLINK;
    }

    @Override
    public boolean isOther() {
        return false;
    }

    @Override
    public long size() {
        return info.size();
    }

    @Override
    public UserPrincipal owner() {
        return Principals.user(info.uid());
    }

    @Override
    public GroupPrincipal group() {
        return Principals.group(info.gid());
    }

    @Override
    public Set<PosixFilePermission> permissions() {
        return Modes.permissions(info.mode());
    }

    /** Type and permission bits, as in {@code st_mode}. */
    int unixMode() {
        return info.mode()
                | switch (info.type()) {
                    case FILE -> TYPE_FILE;
                    case DIRECTORY -> TYPE_DIRECTORY;
                    case SYMLINK -> TYPE_LINK;
                };
    }
}
