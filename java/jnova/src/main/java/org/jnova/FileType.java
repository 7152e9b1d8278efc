/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

/** What an inode is. */
public enum FileType {
    /** A regular file. */
    FILE,
    /** A directory. */
    DIRECTORY,
    /** A symbolic link. */
    SYMLINK
}
