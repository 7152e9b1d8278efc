/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import org.jnova.AttributeChange;
import org.jnova.FileInfo;
import org.jnova.FileType;

/**
 * Attributes of a file of the host that a store keeps, too.
 *
 * @param mode permission bits
 * @param uid owner
 * @param gid group
 * @param modified time of the last change of contents
 * @param accessed time of the last access
 * @param nlink names that it has
 * @param key the same for all names of one file
 */
record HostAttributes(
        int mode, long uid, long gid, FileTime modified, FileTime accessed, int nlink, Object key) {
    private static final int MODE_BITS = 07777;

    /** Reads them; links are not followed. */
    static HostAttributes of(Path path) throws IOException {
        Map<String, Object> all = Files.readAttributes(
                path,
                "unix:mode,uid,gid,nlink,lastModifiedTime,lastAccessTime,fileKey",
                LinkOption.NOFOLLOW_LINKS);
        return new HostAttributes(
                (Integer) all.get("mode") & MODE_BITS,
                Integer.toUnsignedLong((Integer) all.get("uid")),
                Integer.toUnsignedLong((Integer) all.get("gid")),
                (FileTime) all.get("lastModifiedTime"),
                (FileTime) all.get("lastAccessTime"),
                (Integer) all.get("nlink"),
                all.get("fileKey"));
    }

    /** Whether a store has them, but for the time of the last access. A symbolic link has no mode of its own. */
    boolean areThoseOf(FileInfo info) {
        return (info.type() == FileType.SYMLINK || info.mode() == mode)
                && info.uid() == uid
                && info.gid() == gid
                && info.modified().equals(modified);
    }

    AttributeChange change() {
        return AttributeChange.none().mode(mode).uid(uid).gid(gid).modified(modified).accessed(accessed);
    }

    /**
     * Gives a file of the host the attributes that a store has: the owner if that is permitted, the rest in any case.
     */
    static void restore(Path path, FileInfo info) throws IOException {
        HostAttributes now = of(path);
        if (now.uid != info.uid() || now.gid != info.gid()) {
            setOwner(path, info);
        }
        if (info.type() == FileType.SYMLINK) {
            setLinkTimes(path, info);
            return;
        }
        if (of(path).mode != info.mode()) {
            Files.setAttribute(path, "unix:mode", info.mode());
        }
        Files.getFileAttributeView(path, BasicFileAttributeView.class)
                .setTimes(info.modified(), info.accessed(), null);
    }

    private static void setOwner(Path path, FileInfo info) {
        try {
            Files.setAttribute(path, "unix:uid", (int) info.uid(), LinkOption.NOFOLLOW_LINKS);
            Files.setAttribute(path, "unix:gid", (int) info.gid(), LinkOption.NOFOLLOW_LINKS);
        } catch (IOException e) {
            // Only root may give files away; who is not gets what he exports.
        }
    }

    private static void setLinkTimes(Path path, FileInfo info) {
        try {
            Files.getFileAttributeView(path, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                    .setTimes(info.modified(), info.accessed(), null);
        } catch (IOException | UnsupportedOperationException e) {
            // Not every JDK can set the times of a link itself, and nobody relies on them.
        }
    }
}
