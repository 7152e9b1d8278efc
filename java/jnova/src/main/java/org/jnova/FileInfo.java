/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import java.nio.file.attribute.FileTime;

/**
 * Attributes of one file at one moment.
 *
 * @param name the name the file was asked for by
 * @param ino inode number; may be reused after the file is gone
 * @param generation tells apart the files that had the same inode number one after another
 * @param type what it is
 * @param size bytes
 * @param allocated bytes of the pool that hold its contents (whole blocks; holes take none)
 * @param logEntries entries in the file's log
 * @param logPages log pages of 4 KiB; 0 while the log fits the inode itself
 * @param mode POSIX mode bits (permissions)
 * @param uid owner
 * @param gid group
 * @param created time of creation
 * @param modified time of the last change of contents
 * @param accessed time of the last access; reads do not move it
 * @param changed time of the last change of attributes or contents
 */
public record FileInfo(
        String name,
        long ino,
        long generation,
        FileType type,
        long size,
        long allocated,
        long logEntries,
        long logPages,
        int mode,
        long uid,
        long gid,
        FileTime created,
        FileTime modified,
        FileTime accessed,
        FileTime changed) {}
