/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import java.nio.file.attribute.FileTime;

/**
 * Attributes of one file, directory or symbolic link at one moment.
 *
 * @param name the path it was asked for by; in a list, its name
 * @param ino inode number; may be reused after the file is gone
 * @param generation tells apart the files that had the same inode number one after another
 * @param type what it is
 * @param size bytes; of a symbolic link, those of its target; of a directory, how many names are in it
 * @param allocated bytes of the pool that hold its contents (whole blocks; holes take none, nor do names)
 * @param blocks blocks of 4 KiB of the pool that it takes in all: contents, values of extended attributes that do not
 *     fit the log, pages of its log
 * @param logEntries entries in the file's log
 * @param logPages log pages of 4 KiB; 0 while the log fits the inode itself
 * @param mode POSIX permission bits, 0 to 07777; the store itself checks no permissions
 * @param uid owner
 * @param gid group
 * @param nlink names it has, 0 if it was deleted and is still open; of a directory, 2 and one more for each directory
 *     in it
 * @param created time of creation
 * @param modified time of the last change of contents, or what was set
 * @param accessed time of the last read that counted ({@link AccessTimes}), or what was set since; at first that of
 *     creation. Listing a directory does not count, nor does reading a symbolic link again before the store is reopened
 * @param changed time of the last change of attributes or contents
 */
public record FileInfo(
        String name,
        long ino,
        long generation,
        FileType type,
        long size,
        long allocated,
        long blocks,
        long logEntries,
        long logPages,
        int mode,
        long uid,
        long gid,
        long nlink,
        FileTime created,
        FileTime modified,
        FileTime accessed,
        FileTime changed) {}
