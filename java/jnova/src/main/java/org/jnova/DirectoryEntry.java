/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

/**
 * A name in a directory, and what it names.
 *
 * @param name the name
 * @param type what it names; of a symbolic link, the link itself
 * @param ino inode number of that
 * @param generation tells apart the inodes that had the same number one after another
 */
public record DirectoryEntry(String name, FileType type, long ino, long generation) {}
